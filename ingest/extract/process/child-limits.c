#include "ingest/extract/process/child-limits.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* AddressSanitizer reserves terabytes of address space. */
#if defined(__SANITIZE_ADDRESS__)
#define LIMIT_ADDRESS_SPACE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMIT_ADDRESS_SPACE 0
#endif
#endif
#ifndef LIMIT_ADDRESS_SPACE
#define LIMIT_ADDRESS_SPACE 1
#endif

#define PROBE_BYTES (32u << 20)
#define MAX_DESCRIPTORS 32u

static gboolean finished;

/* Libraries answer a failed allocation with abort(), a trap or exit(), which look like any other crash. errno still tells
 * them apart when one huge request failed, and a trial allocation when many small ones used everything up. */
static gboolean out_of_memory (void)
{
  if (errno == ENOMEM)
    return TRUE;
  void *probe = mmap (NULL, PROBE_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED)
    return TRUE;
  munmap (probe, PROBE_BYTES);
  return FALSE;
}

static void on_give_up (int signal_number)
{
  if (out_of_memory ())
    _exit (CHILD_OUT_OF_MEMORY);
  signal (signal_number, SIG_DFL);
  raise (signal_number);
}

/* GLib says that an allocation failed before it traps, by which time errno is lost. */
static GLogWriterOutput on_message (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer unused)
{
  (void)unused;
  for (gsize i = 0; (level & G_LOG_LEVEL_ERROR) && i < n_fields; i++)
    if (strcmp (fields[i].key, "MESSAGE") == 0 && strstr (fields[i].value, "failed to allocate"))
      _exit (CHILD_OUT_OF_MEMORY);
  return g_log_writer_default (level, fields, n_fields, NULL);
}

static void on_exit_called (void)
{
  if (!finished)
    _exit (out_of_memory () ? CHILD_OUT_OF_MEMORY : 1);
}

static gboolean set_limit (int resource, rlim_t soft, rlim_t hard)
{
  struct rlimit limit;
  if (getrlimit ((__rlimit_resource_t)resource, &limit) != 0)
    return FALSE;
  limit.rlim_max = MIN (hard, limit.rlim_max);
  limit.rlim_cur = MIN (soft, limit.rlim_max);
  return setrlimit ((__rlimit_resource_t)resource, &limit) == 0;
}

static guint64 address_space_bytes (void)
{
  unsigned long long pages = 0;
  FILE *file = fopen ("/proc/self/statm", "re");
  if (file) {
    if (fscanf (file, "%llu", &pages) != 1)
      pages = 0;
    fclose (file);
  }
  return (guint64)pages * (guint64)sysconf (_SC_PAGESIZE);
}

static guint64 start_bytes;
static gboolean fixed_limits_hold;

void limits_prepare (void)
{
  start_bytes = address_space_bytes ();
}

void limits_apply_fixed (void)
{
  fixed_limits_hold = set_limit (RLIMIT_CORE, 0, 0) && set_limit (RLIMIT_FSIZE, 0, 0)
                      && set_limit (RLIMIT_MEMLOCK, 0, 0) && set_limit (RLIMIT_MSGQUEUE, 0, 0)
                      && set_limit (RLIMIT_NOFILE, MAX_DESCRIPTORS, MAX_DESCRIPTORS);
}

gboolean limits_apply (const Request *request)
{
  guint64 memory = start_bytes + request->size_bytes + request->memory_bytes;
  rlim_t cpu = MAX (request->cpu_seconds, 1);
  if (!fixed_limits_hold || !set_limit (RLIMIT_NPROC, 0, 0) || !set_limit (RLIMIT_CPU, cpu, cpu + 1)
      || (LIMIT_ADDRESS_SPACE && !set_limit (RLIMIT_AS, memory, memory)))
    return FALSE;
  if (LIMIT_ADDRESS_SPACE) {
    signal (SIGABRT, on_give_up);
    signal (SIGTRAP, on_give_up);
    g_log_set_writer_func (on_message, NULL, NULL);
    if (atexit (on_exit_called) != 0)
      return FALSE;
  }
  return TRUE;
}

void limits_finish (void)
{
  finished = TRUE;
}
