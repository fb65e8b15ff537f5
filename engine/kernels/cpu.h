/* cpu.h: how many threads are worth starting, from what Linux tells below `root` ("" for the machine itself). */
#ifndef LECTERN_CPU_H
#define LECTERN_CPU_H

#include <sched.h>

/* Physical cores among the `allowed` CPUs, efficiency cores left out where there are others, and no more than the control
 * groups' CPU quota pays for; at least 1. */
int cpu_count_cores (const char *root, const cpu_set_t *allowed);

#endif
