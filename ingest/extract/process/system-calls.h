/* system-calls.h: the few system calls that a reader may make, as a seccomp filter. */
#ifndef LECTERN_EXTRACT_SYSTEM_CALLS_H
#define LECTERN_EXTRACT_SYSTEM_CALLS_H

#include <glib.h>

/* Compiled once, then loaded by each child. */
typedef struct _SystemCallFilter SystemCallFilter;

/* Memory, reading and writing open descriptors, clocks and ending are allowed; what a library only tries, such as asking
 * for a terminal, fails as if the kernel did not have it; what only an attack needs (sockets, programs, processes,
 * signals to others, the kernel's interfaces) ends the process with one of CHILD_TRIED_*. With may_read_files, files may be
 * opened for reading, which something else must restrict. NULL: this system has no such filters. */
SystemCallFilter *system_calls_compile (gboolean may_read_files);

/* For the rest of this process's life. Fast, and safe after a fork. FALSE: nothing was changed. */
gboolean system_calls_enter (SystemCallFilter *filter);

#endif
