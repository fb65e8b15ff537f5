/* interrupt.h: Ctrl-C (SIGINT) and SIGTERM as a GCancellable.
 *
 * A thread waits for the signals, so that the cancelling runs as ordinary code and works while the main thread is deep
 * in a computation. The first signal cancels; the second ends the program at once. Both signals stay blocked in the
 * other threads and in child processes: a Ctrl-C in the terminal reaches helpers only through us. */
#ifndef LECTERN_INTERRUPT_H
#define LECTERN_INTERRUPT_H

#include <gio/gio.h>

/* Call from the main thread before any other thread exists. The result lives as long as the program. */
GCancellable *interrupt_init (void);

#endif
