/* test-cpu.c: how many threads, on machines that exist as a few files below a folder of the test's own. */
#include "engine/kernels/cpu.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/lectern-cpu-XXXXXX";

static void check (const char *what, int cores, int expected)
{
  if (cores == expected)
    return;
  fprintf (stderr, "%s: %d cores, not %d\n", what, cores, expected);
  exit (1);
}

/* Writes below the root; folders are made. */
static void put (const char *path, const char *text)
{
  char whole[512];
  snprintf (whole, sizeof whole, "%s%s", root, path);
  for (char *slash = strchr (whole + strlen (root) + 1, '/'); slash; slash = strchr (slash + 1, '/')) {
    *slash = '\0';
    mkdir (whole, 0700);
    *slash = '/';
  }
  FILE *file = fopen (whole, "w");
  if (!file || fputs (text, file) < 0 || fclose (file) != 0) {
    perror (whole);
    exit (1);
  }
}

static void put_cpu (int cpu, const char *name, const char *text)
{
  char path[128];
  snprintf (path, sizeof path, "/sys/devices/system/cpu/cpu%d/%s", cpu, name);
  put (path, text);
}

static void begin (void)
{
  char command[128];
  snprintf (command, sizeof command, "rm -rf '%s'", root);
  if (system (command) != 0 || mkdir (root, 0700) != 0)
    exit (1);
}

static int count (int n_cpus)
{
  cpu_set_t allowed;
  CPU_ZERO (&allowed);
  for (int cpu = 0; cpu < n_cpus; cpu++)
    CPU_SET (cpu, &allowed);
  return cpu_count_cores (root, &allowed);
}

/* 0-3: two fast cores of two threads each; 4-7: slow ones. */
static void put_hybrid (void)
{
  for (int cpu = 0; cpu < 8; cpu++) {
    char siblings[16];
    snprintf (siblings, sizeof siblings, cpu < 4 ? "%d-%d\n" : "%d\n", cpu < 4 ? cpu / 2 * 2 : cpu, cpu / 2 * 2 + 1);
    put_cpu (cpu, "topology/thread_siblings_list", siblings);
  }
}

static void check_cores (void)
{
  cpu_set_t some;
  begin ();
  check ("nothing known", count (3), 3);
  put_hybrid ();
  check ("all alike", count (8), 6);
  put ("/sys/devices/cpu_core/cpus", "0-3\n");
  put ("/sys/devices/cpu_atom/cpus", "4-7\n");
  check ("Intel hybrid", count (8), 2);
  CPU_ZERO (&some);
  CPU_SET (1, &some);
  CPU_SET (5, &some);
  CPU_SET (6, &some);
  check ("some of them allowed", cpu_count_cores (root, &some), 1);
  CPU_CLR (1, &some);
  check ("slow ones alone allowed", cpu_count_cores (root, &some), 2);
  put ("/sys/devices/cpu_core/cpus", "0,2-3,99999999,-7,x\n");
  check ("a list of many forms", count (8), 2);

  begin ();
  put_hybrid ();
  for (int cpu = 0; cpu < 8; cpu++)
    put_cpu (cpu, "cpu_capacity", cpu == 0 ? "1024\n" : cpu < 4 ? "871\n" : "282\n");
  check ("capacities", count (8), 2);
  put_cpu (5, "cpu_capacity", "?\n");
  check ("a capacity missing", count (8), 6);

  begin ();
  put_hybrid ();
  for (int cpu = 0; cpu < 8; cpu++)
    put_cpu (cpu, "cpufreq/cpuinfo_max_freq", cpu < 2 ? "5100000\n" : cpu < 4 ? "4900000\n" : "3300000\n");
  check ("clocks", count (8), 2);
}

static void check_quotas (void)
{
  begin ();
  put ("/proc/self/cgroup", "0::/a/b\n");
  put ("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  check ("no quota", count (8), 8);
  put ("/sys/fs/cgroup/a/cpu.max", "350000 100000\n");
  check ("quota above", count (8), 3);
  put ("/sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
  check ("half a CPU", count (8), 1);
  put ("/sys/fs/cgroup/a/b/cpu.max", "1000000 0\n");
  check ("no period", count (8), 3);
  begin ();
  put ("/proc/self/cgroup", "0::/of/the/host\n");
  put ("/sys/fs/cgroup/cpu.max", "200000 100000\n");
  check ("in a container", count (8), 2);
  begin ();
  put ("/proc/self/cgroup", "9:name=systemd:/x\n2:cpuacct:/x\n1:cpu:/x\n0::/\n");
  put ("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1\n");
  put ("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
  check ("version 1, no quota", count (8), 8);
  put ("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "500000\n");
  check ("version 1", count (8), 5);
  put ("/proc/self/cgroup", "0::\n:\n\n0::no/slash\n");
  check ("damaged", count (8), 8);
}

int main (void)
{
  if (!mkdtemp (root))
    return 1;
  check_cores ();
  check_quotas ();
  begin ();
  return rmdir (root) != 0;
}
