/* ui.h: the window. The only header of ui/ that app/ includes. Main thread only. */
#ifndef LECTERN_UI_H
#define LECTERN_UI_H

#include <adwaita.h>

G_BEGIN_DECLS

/* The application: single instance, opens one window on the library in `library_dir` (NULL: the default). With `no_cache`
 * what the model computes is not saved. */
AdwApplication *lectern_application_new (const char *library_dir, gboolean no_cache);

G_END_DECLS

#endif
