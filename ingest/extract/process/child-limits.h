/* child-limits.h: what a child may use. Applied once, right after the fork; a process cannot take it back. */
#ifndef LECTERN_EXTRACT_CHILD_LIMITS_H
#define LECTERN_EXTRACT_CHILD_LIMITS_H

#include "ingest/reader/frame.h"

/* Both once, in the parent: measures what every child starts with; sets the limits that the parent can live with too. */
void limits_prepare (void);
void limits_apply_fixed (void);

/* Memory, CPU time, no files written, few descriptors, no processes, no core. Also makes running out of
 * memory end the process with CHILD_OUT_OF_MEMORY, however the library that met it gives up. */
gboolean limits_apply (const Request *request);

/* The child is about to end by itself; what runs at exit is no sign of trouble any more. */
void limits_finish (void);

#endif
