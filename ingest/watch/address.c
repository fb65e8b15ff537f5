#include "ingest/watch/address.h"

#include "ingest/ingest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define HASH_DIGITS 16

char *watch_dup_socket_path (const char *library_dir)
{
  char *real = realpath (library_dir, NULL);
  g_autofree char *plain = g_canonicalize_filename (real ? real : library_dir, NULL);
  free (real);
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, plain, -1);
  hash[HASH_DIGITS] = '\0';
  g_autofree char *name = g_strconcat (hash, ".socket", NULL);
  return g_build_filename (g_get_user_runtime_dir (), "lectern", name, NULL);
}

char *watch_dup_address (const char *library_dir, GError **error)
{
  g_autofree char *path = watch_dup_socket_path (library_dir);
  if (strlen (path) >= sizeof ((struct sockaddr_un *)0)->sun_path) {
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED,
                 "The name of the socket “%s” is too long; set XDG_RUNTIME_DIR to a shorter one.", path);
    return NULL;
  }
  g_autofree char *escaped = g_dbus_address_escape_value (path);
  return g_strconcat ("unix:path=", escaped, NULL);
}
