#include "ingest/watch/job.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_LOWEST (2 << 13 | 7) /* of the usual class */
#define IOPRIO_IDLE (3 << 13)
#define NICE_BULK 19
#define NICE_FEW 5

/* Each is a request that a system may refuse without harm. SCHED_IDLE would be lower still, but a thread that holds the
 * library's lock must get its turn. On Linux all three are of the calling thread, and threads and processes inherit them. */
void lower_priority (gboolean bulk)
{
  const struct sched_param parameters = { 0 };
  if (setpriority (PRIO_PROCESS, 0, bulk ? NICE_BULK : NICE_FEW) != 0)
    g_debug ("setpriority is refused");
  if (sched_setscheduler (0, SCHED_BATCH, &parameters) != 0)
    g_debug ("SCHED_BATCH is refused");
  if (syscall (SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, bulk ? IOPRIO_IDLE : IOPRIO_LOWEST) != 0)
    g_debug ("ioprio_set is refused");
}
