#include "app/interrupt.h"
#include <pthread.h>
#include <signal.h>

static sigset_t signals;

static void *wait_for_signals (void *data)
{
  GCancellable *cancellable = data;
  int number;
  while (sigwait (&signals, &number) != 0)
    ;
  g_cancellable_cancel (cancellable);
  while (sigwait (&signals, &number) != 0)
    ;
  sigset_t one;
  sigemptyset (&one);
  sigaddset (&one, number);
  signal (number, SIG_DFL);
  pthread_sigmask (SIG_UNBLOCK, &one, NULL);
  raise (number);
  return NULL;
}

GCancellable *interrupt_init (void)
{
  static GCancellable *cancellable;
  cancellable = g_cancellable_new ();
  sigemptyset (&signals);
  sigaddset (&signals, SIGINT);
  sigaddset (&signals, SIGTERM);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);
  pthread_t thread;
  if (pthread_create (&thread, NULL, wait_for_signals, cancellable) == 0)
    pthread_detach (thread);
  else
    pthread_sigmask (SIG_UNBLOCK, &signals, NULL); /* no thread to spare: the signals end the program at once */
  return cancellable;
}
