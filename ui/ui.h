/* ui.h: the window. The only header of ui/ that app/ includes. Main thread only. */
#ifndef LECTERN_UI_H
#define LECTERN_UI_H

#include <adwaita.h>

G_BEGIN_DECLS

/* The application: single instance, opens one window on the library in `library_dir` (NULL: the default). */
AdwApplication *lectern_application_new (const char *library_dir);

G_END_DECLS

#endif
