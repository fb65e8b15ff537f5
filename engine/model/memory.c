#include "engine/model/memory.h"
#include "engine/error.h"
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

/* A file that holds one number; UINT64_MAX if it is absent or says "max". */
static uint64_t read_number (const char *directory, const char *name)
{
  char path[700];
  unsigned long long value;
  snprintf (path, sizeof path, CGROUP_ROOT "%s/%s", directory, name);
  FILE *file = fopen (path, "re");
  if (!file)
    return UINT64_MAX;
  uint64_t number = fscanf (file, "%llu", &value) == 1 ? value : UINT64_MAX;
  fclose (file);
  return number;
}

/* What the control groups (version 2) above this process leave, up to the root. */
static uint64_t get_cgroup_bytes (void)
{
  char line[512], directory[512] = "";
  FILE *file = fopen ("/proc/self/cgroup", "re");
  if (!file)
    return UINT64_MAX;
  while (fgets (line, sizeof line, file))
    if (strncmp (line, "0::/", 4) == 0) {
      line[strcspn (line, "\n")] = '\0';
      snprintf (directory, sizeof directory, "%s", line + 3);
    }
  fclose (file);
  uint64_t least = UINT64_MAX;
  for (;;) {
    uint64_t limit = read_number (directory, "memory.max"), used = read_number (directory, "memory.current");
    if (limit != UINT64_MAX && used != UINT64_MAX && least > (limit > used ? limit - used : 0))
      least = limit > used ? limit - used : 0;
    char *slash = strrchr (directory, '/');
    if (!slash)
      return least;
    *slash = '\0';
  }
}

static uint64_t get_free_bytes (void)
{
  char line[160];
  unsigned long long kib;
  uint64_t bytes = UINT64_MAX;
  FILE *file = fopen ("/proc/meminfo", "re");
  if (!file)
    return bytes;
  while (fgets (line, sizeof line, file))
    if (sscanf (line, "MemAvailable: %llu kB", &kib) == 1)
      bytes = kib * 1024;
  fclose (file);
  return bytes;
}

static uint64_t get_address_space_bytes (void)
{
  struct rlimit limit;
  if (getrlimit (RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return UINT64_MAX;
  unsigned long long pages = 0;
  FILE *file = fopen ("/proc/self/statm", "re");
  if (file) {
    if (fscanf (file, "%llu", &pages) != 1)
      pages = 0;
    fclose (file);
  }
  uint64_t used = pages * 4096;
  return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

uint64_t memory_get_available_bytes (void)
{
  uint64_t least = get_free_bytes (), others[] = { get_cgroup_bytes (), get_address_space_bytes () };
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    least = others[i] < least ? others[i] : least;
  return least;
}

int memory_check (const char *what, uint64_t bytes, struct engine_error *error)
{
  uint64_t available = memory_get_available_bytes ();
  if (bytes <= available)
    return ENGINE_OK;
  return engine_error_set (
      error, ENGINE_ERROR_NO_MEMORY,
      "%s needs %.1f MB of memory but only %.1f MB are free: choose a shorter context or a smaller model.", what,
      (double)bytes / 1e6, (double)available / 1e6);
}
