/* cpu.c: what the machine is, as far as callers may ask. */
#include "engine/engine.h"
#include "engine/kernels/matmul.h"
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

const char *engine_get_cpu_path (void)
{
  return kernels_get_path ();
}

/* The lowest CPU that shares `cpu`'s core: the list begins with it. -1 if the system does not tell. */
static int get_first_sibling (int cpu)
{
  char path[96];
  int first = -1;
  snprintf (path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
  FILE *file = fopen (path, "re");
  if (!file)
    return -1;
  if (fscanf (file, "%d", &first) != 1)
    first = -1;
  fclose (file);
  return first;
}

int engine_get_physical_cores (void)
{
  cpu_set_t allowed, cores;
  if (sched_getaffinity (0, sizeof allowed, &allowed) != 0) {
    const long online = sysconf (_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
  }
  CPU_ZERO (&cores);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET (cpu, &allowed)) {
      const int first = get_first_sibling (cpu);
      CPU_SET (first >= 0 && first < CPU_SETSIZE ? first : cpu, &cores);
    }
  const int n = CPU_COUNT (&cores);
  return n > 0 ? n : 1;
}
