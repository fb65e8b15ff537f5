/* cpu.c: what the machine is, as far as callers may ask. */
#include "engine/kernels/cpu.h"
#include "engine/engine.h"
#include "engine/kernels/matmul.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NO_NUMBER (-1)
#define GROUPS "/sys/fs/cgroup"

const char *engine_get_cpu_path (void)
{
  return kernels_get_path ();
}

/* ---- files ----------------------------------------------------------------------------------------------- */

static FILE *open_file (const char *root, const char *path)
{
  char whole[1024];
  const int length = snprintf (whole, sizeof whole, "%s%s", root, path);
  return length > 0 && (size_t)length < sizeof whole ? fopen (whole, "re") : NULL;
}

/* The number that a file begins with; NO_NUMBER if it is absent or says something else. */
static long long read_number (const char *root, const char *path)
{
  long long number;
  FILE *file = open_file (root, path);
  if (!file)
    return NO_NUMBER;
  if (fscanf (file, "%lld", &number) != 1)
    number = NO_NUMBER;
  fclose (file);
  return number;
}

static long long read_cpu_number (const char *root, int cpu, const char *name)
{
  char path[128];
  snprintf (path, sizeof path, "/sys/devices/system/cpu/cpu%d/%s", cpu, name);
  return read_number (root, path);
}

/* A list as Linux writes it, "0-3,8"; empty if the file is absent. */
static void read_cpu_list (const char *root, const char *path, cpu_set_t *cpus)
{
  int first, last;
  char separator = ',';
  FILE *file = open_file (root, path);
  CPU_ZERO (cpus);
  if (!file)
    return;
  while (separator == ',' && fscanf (file, "%d", &first) == 1) {
    last = first;
    if (fscanf (file, "%c", &separator) != 1)
      separator = '\n';
    if (separator == '-') {
      if (fscanf (file, "%d", &last) != 1)
        break;
      if (fscanf (file, "%c", &separator) != 1)
        separator = '\n';
    }
    for (int cpu = first < 0 ? 0 : first; cpu <= last && cpu < CPU_SETSIZE; cpu++)
      CPU_SET (cpu, cpus);
  }
  fclose (file);
}

/* ---- cores ----------------------------------------------------------------------------------------------- */

/* Leaves the CPUs whose number in file `name` is at least three quarters of the highest; false if not all have one. */
static bool keep_fastest (const char *root, const char *name, cpu_set_t *cpus)
{
  long long most = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET (cpu, cpus)) {
      const long long number = read_cpu_number (root, cpu, name);
      if (number <= 0)
        return false;
      most = number > most ? number : most;
    }
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET (cpu, cpus) && read_cpu_number (root, cpu, name) < most - most / 4)
      CPU_CLR (cpu, cpus);
  return true;
}

/* A slow core that works on an equal part makes the others wait for it. Intel's hybrid CPUs have a list of the fast cores;
 * elsewhere the scheduler's measure of each core tells, or else the clock. */
static void keep_performance_cores (const char *root, cpu_set_t *cpus)
{
  cpu_set_t fast;
  read_cpu_list (root, "/sys/devices/cpu_core/cpus", &fast);
  CPU_AND (&fast, &fast, cpus);
  if (CPU_COUNT (&fast) > 0)
    *cpus = fast;
  else if (!keep_fastest (root, "cpu_capacity", cpus))
    keep_fastest (root, "cpufreq/cpuinfo_max_freq", cpus);
}

/* CPUs of one core count once, as the lowest of them: the list of siblings begins with it. */
static int count_physical (const char *root, const cpu_set_t *cpus)
{
  cpu_set_t cores;
  CPU_ZERO (&cores);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET (cpu, cpus)) {
      const long long first = read_cpu_number (root, cpu, "topology/thread_siblings_list");
      CPU_SET (first >= 0 && first < CPU_SETSIZE ? (int)first : cpu, &cores);
    }
  return CPU_COUNT (&cores);
}

/* ---- quotas ---------------------------------------------------------------------------------------------- */

/* CPUs that one group may keep busy, NO_NUMBER if it has no quota. cpu.max is version 2's, the other two version 1's. */
static long long read_quota (const char *root, const char *directory)
{
  char path[700];
  long long quota, period;
  snprintf (path, sizeof path, "%s/cpu.max", directory);
  FILE *file = open_file (root, path);
  if (file) {
    const bool limited = fscanf (file, "%lld %lld", &quota, &period) == 2;
    fclose (file);
    return limited && quota > 0 && period > 0 ? quota / period : NO_NUMBER;
  }
  snprintf (path, sizeof path, "%s/cpu.cfs_quota_us", directory);
  quota = read_number (root, path);
  snprintf (path, sizeof path, "%s/cpu.cfs_period_us", directory);
  period = read_number (root, path);
  return quota > 0 && period > 0 ? quota / period : NO_NUMBER;
}

/* The path of this process's group, from a line of /proc/self/cgroup, and where groups of its kind are mounted. */
static const char *find_group (char *line, const char **mount)
{
  char *controllers = strchr (line, ':'), *path = controllers ? strchr (controllers + 1, ':') : NULL;
  if (!path || path[1] != '/')
    return NULL;
  *path++ = '\0';
  path[strcspn (path, "\n")] = '\0';
  *mount = controllers[1] == '\0' ? GROUPS : GROUPS "/cpu";
  if (controllers[1] != '\0' && strcmp (controllers + 1, "cpu") != 0 && strcmp (controllers + 1, "cpu,cpuacct") != 0)
    return NULL;
  return path;
}

/* The least quota of this process's groups and those above them. Within a container the path may be the host's: then its
 * folders are absent and the mount's own files count. */
static long long read_least_quota (const char *root)
{
  char line[512], directory[600];
  const char *mount;
  long long least = NO_NUMBER;
  FILE *file = open_file (root, "/proc/self/cgroup");
  while (file && fgets (line, sizeof line, file)) {
    const char *path = find_group (line, &mount);
    if (!path)
      continue;
    snprintf (directory, sizeof directory, "%s%s", mount, path);
    while (strlen (directory) >= strlen (mount)) {
      const long long quota = read_quota (root, directory);
      least = quota != NO_NUMBER && (least == NO_NUMBER || quota < least) ? quota : least;
      *strrchr (directory, '/') = '\0';
    }
  }
  if (file)
    fclose (file);
  return least;
}

int cpu_count_cores (const char *root, const cpu_set_t *allowed)
{
  cpu_set_t cpus = *allowed;
  keep_performance_cores (root, &cpus);
  int n = count_physical (root, &cpus);
  const long long quota = read_least_quota (root);
  if (quota != NO_NUMBER && quota < n)
    n = (int)quota;
  return n > 0 ? n : 1;
}

int engine_get_physical_cores (void)
{
  cpu_set_t allowed;
  if (sched_getaffinity (0, sizeof allowed, &allowed) != 0) {
    const long online = sysconf (_SC_NPROCESSORS_ONLN);
    CPU_ZERO (&allowed);
    for (int cpu = 0; cpu < online && cpu < CPU_SETSIZE; cpu++)
      CPU_SET (cpu, &allowed);
  }
  return cpu_count_cores ("", &allowed);
}
