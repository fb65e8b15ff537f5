/* gate.h: whether the service may work now, and what it is doing, in the words of the D-Bus interface. Internal to ingest/. */
#ifndef LECTERN_WATCH_GATE_H
#define LECTERN_WATCH_GATE_H

#include <glib.h>

G_BEGIN_DECLS

#define MEMORY_PAUSE_US (30 * G_TIME_SPAN_SECOND)

typedef enum {
  PAUSE_BY_USER = 1 << 0,
  PAUSE_POWER_SAVER = 1 << 1,
  PAUSE_LOW_MEMORY = 1 << 2, /* ends MEMORY_PAUSE_US after the last warning: there is no signal that it is over */
} PauseReason;

typedef struct {
  guint reasons; /* of PauseReason */
  gint64 memory_until_us;
  gboolean starting, working, waiting, stopping;
} Gate;

void gate_set (Gate *gate, PauseReason reason, gboolean on);
void gate_warn_memory (Gate *gate, gint64 now_us);
/* Lets go of what has run out. When to ask again; -1: never. */
gint64 gate_tick (Gate *gate, gint64 now_us);

gboolean gate_may_work (const Gate *gate);
const char *gate_get_state (const Gate *gate);  /* static */
const char *gate_get_reason (const Gate *gate); /* static: a sentence, "" if not paused */

G_END_DECLS

#endif
