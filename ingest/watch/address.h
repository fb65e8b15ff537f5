/* address.h: where the service of a library is found. Internal to ingest/.
 *
 * A D-Bus server of its own on the socket $XDG_RUNTIME_DIR/lectern/HASH.socket (without such a folder: in the user's
 * cache folder), where HASH is of the library's folder. Only the same user is let in. */
#ifndef LECTERN_WATCH_ADDRESS_H
#define LECTERN_WATCH_ADDRESS_H

#include <gio/gio.h>

G_BEGIN_DECLS

#define WATCH_OBJECT_PATH "/org/lectern/Indexer1"
#define WATCH_BUS_NAME "org.lectern.Indexer1"

char *watch_dup_socket_path (const char *library_dir);
/* As a D-Bus address. FAILED: the path is too long for a socket. */
char *watch_dup_address (const char *library_dir, GError **error);

G_END_DECLS

#endif
