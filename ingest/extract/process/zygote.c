#include "ingest/extract/process/zygote.h"
#include "ingest/extract/process/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Takes one message. Returns its size, 0 when the other end hung up, -1 for a message that is no request. */
static ssize_t receive (int socket_fd, Request *request, int fds[3])
{
  union {
    char bytes[CMSG_SPACE (3 * sizeof (int))];
    struct cmsghdr align;
  } control;
  struct iovec part = { request, sizeof *request };
  struct msghdr message
      = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes };
  ssize_t n;
  do
    n = recvmsg (socket_fd, &message, MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n <= 0)
    return 0;
  fds[0] = fds[1] = fds[2] = -1;
  const struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS
      && (header->cmsg_len == CMSG_LEN (2 * sizeof (int)) || header->cmsg_len == CMSG_LEN (3 * sizeof (int))))
    memcpy (fds, CMSG_DATA (header), header->cmsg_len - CMSG_LEN (0));
  if (n == 1)
    return 1;
  if (n != sizeof *request || request->magic != REQUEST_MAGIC || request->version != REQUEST_VERSION || fds[0] < 3
      || fds[1] < 3)
    return -1;
  request->name[sizeof request->name - 1] = '\0';
  request->recognized_fd = fds[2];
  return n;
}

/* Waits for the child, killing it when asked to or when the other end has gone. FALSE: it has gone. */
static gboolean attend (int socket_fd, int signal_fd, pid_t pid, Reply *reply)
{
  gboolean connected = TRUE;
  struct rusage usage = { 0 };
  for (;;) {
    int wait_status = 0;
    pid_t ended = wait4 (pid, &wait_status, connected ? WNOHANG : 0, &usage);
    if (ended == pid) {
      reply->wait_status = wait_status;
      reply->peak_rss_bytes = (guint64)usage.ru_maxrss * 1024;
      reply->cpu_ms = (guint64)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000
                      + (guint64)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
      return connected;
    }
    struct pollfd polled[2] = { { socket_fd, POLLIN, 0 }, { signal_fd, POLLIN, 0 } };
    if (poll (polled, 2, -1) < 0)
      continue;
    if (polled[1].revents) {
      struct signalfd_siginfo information;
      if (read (signal_fd, &information, sizeof information) < 0)
        continue;
    }
    if (polled[0].revents) {
      Request request;
      int fds[3];
      if (receive (socket_fd, &request, fds) == 0)
        connected = FALSE;
      kill (pid, SIGKILL);
    }
  }
}

static G_GNUC_NORETURN void run_child (const Request *request, const int fds[2], pid_t parent, const sigset_t *mask,
                                       ZygoteChild child)
{
  ProtectionsFrame protections;
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (getppid () != parent)
    _exit (CHILD_DONE);
  signal (SIGPIPE, SIG_DFL);
  sigprocmask (SIG_SETMASK, mask, NULL);
  if (!sandbox_enter (request, fds[0], fds[1], &protections))
    _exit (CHILD_NO_LIMITS);
  if (request->probe)
    _exit (write (fds[1], &protections, sizeof protections) == sizeof protections ? CHILD_DONE : 1);
  _exit (child (request, fds[0], fds[1]));
}

int zygote_serve (int socket_fd, ZygoteChild child)
{
  sigset_t children, before;
  sigemptyset (&children);
  sigaddset (&children, SIGCHLD);
  sigprocmask (SIG_BLOCK, &children, &before);
  signal (SIGPIPE, SIG_IGN);
  int signal_fd = signalfd (-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  pid_t self = getpid ();
  sandbox_prepare ();
  Reply hello = { REQUEST_MAGIC, REQUEST_VERSION, 0, 0, 0, 0 };
  if (signal_fd < 0 || send (socket_fd, &hello, sizeof hello, MSG_NOSIGNAL) < 0)
    return 1;
  for (;;) {
    Request request = { 0 };
    int fds[3];
    ssize_t n = receive (socket_fd, &request, fds);
    if (n == 0)
      return 0;
    if (n == 1) /* a late wish to kill: the child has ended meanwhile */
      continue;
    if (n < 0)
      return 1;
    Reply reply = { REQUEST_MAGIC, REQUEST_VERSION, -1, 0, 0, 0 };
    pid_t pid = fork ();
    if (pid == 0)
      run_child (&request, fds, self, &before, child);
    if (pid < 0)
      reply.error_number = errno;
    close (fds[0]);
    close (fds[1]);
    if (fds[2] >= 0)
      close (fds[2]);
    if (pid > 0 && !attend (socket_fd, signal_fd, pid, &reply))
      return 0;
    if (send (socket_fd, &reply, sizeof reply, MSG_NOSIGNAL) < 0)
      return 0;
  }
}
