/* conditions.h: when the computer has better to do: battery saver and memory pressure. Internal to ingest/. */
#ifndef LECTERN_WATCH_CONDITIONS_H
#define LECTERN_WATCH_CONDITIONS_H

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  void (*power_saver) (gboolean on, gpointer user_data); /* also once at the beginning if it is on */
  void (*low_memory) (gpointer user_data);               /* with each warning */
} ConditionFuncs;

typedef struct _Conditions Conditions;

/* NULL monitors: those of the system. Calls come from the default main context. */
Conditions *conditions_new (GPowerProfileMonitor *power, GMemoryMonitor *memory, const ConditionFuncs *funcs,
                            gpointer user_data);
void conditions_free (Conditions *conditions); /* NULL is allowed */

G_END_DECLS

#endif
