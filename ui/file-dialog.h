/* file-dialog.h: choosing files or folders, with the dialog that this GTK version recommends. */
#ifndef LECTERN_FILE_DIALOG_H
#define LECTERN_FILE_DIALOG_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* `files`: GFile elements, borrowed for the call. Not called if the person cancels. */
typedef void (*LecternFilesChosen) (GSList *files, gpointer user_data);

/* `user_data` is a GObject and is kept alive while the dialog is open. */
void lectern_choose_files (GtkWindow *parent, gboolean folders, LecternFilesChosen chosen, gpointer user_data);

G_END_DECLS

#endif
