/* folders.h: the folders that are watched, in the file "folders" beside library.db. Internal to ingest/.
 *
 * A key file (desktop entry syntax), replaced in one step: [lectern] version=1, then a group for each folder, in the
 * order they were added, named "folder N", with path= (in the file system's bytes, escaped as in a C string). */
#ifndef LECTERN_WATCH_FOLDERS_H
#define LECTERN_WATCH_FOLDERS_H

#include <gio/gio.h>

G_BEGIN_DECLS

char *watch_folders_dup_file (const char *library_dir);
/* Empty if there is no such file. NULL with *error if it cannot be understood. */
GPtrArray *watch_folders_load (const char *library_dir, GError **error);
/* Makes the library's folder if need be. */
gboolean watch_folders_save (const char *library_dir, const GPtrArray *folders, GError **error);

G_END_DECLS

#endif
