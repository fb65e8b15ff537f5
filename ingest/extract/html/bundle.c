#include "ingest/extract/html/bundle.h"

#include "ingest/folder/saved-page.h"

#include <string.h>

#define MAX_PARTS 100

gboolean bundle_is (const guint8 *bytes, gsize size)
{
  gsize length = strlen (SAVED_PAGE_MAGIC);
  return size > length && memcmp (bytes, SAVED_PAGE_MAGIC, length) == 0;
}

static void clear_part (gpointer part)
{
  g_free (((BundlePart *)part)->name);
}

/* The line at *at, without its end; *at moves behind it. NULL at the end. */
static char *dup_line (const guint8 **at, const guint8 *end)
{
  const guint8 *stop = *at < end ? memchr (*at, '\n', (gsize)(end - *at)) : NULL;
  if (!stop)
    return NULL;
  char *line = g_strndup ((const char *)*at, (gsize)(stop - *at));
  *at = stop + 1;
  return line;
}

GArray *bundle_new (const guint8 *bytes, gsize size)
{
  GArray *parts = g_array_new (FALSE, TRUE, sizeof (BundlePart));
  g_array_set_clear_func (parts, clear_part);
  if (!bundle_is (bytes, size)) {
    BundlePart page = { g_strdup (""), bytes, size, TRUE };
    g_array_append_val (parts, page);
    return parts;
  }
  const guint8 *at = bytes + strlen (SAVED_PAGE_MAGIC), *end = bytes + size;
  while (parts->len < MAX_PARTS) {
    g_autofree char *number = dup_line (&at, end);
    g_autofree char *name = number ? dup_line (&at, end) : NULL;
    guint64 length;
    if (!name || !g_ascii_string_to_unsigned (number, 10, 0, (guint64)(end - at), &length, NULL))
      break;
    BundlePart part = { g_steal_pointer (&name), at, (gsize)length, parts->len == 0 };
    g_array_append_val (parts, part);
    at += length;
  }
  return parts;
}

BundlePart *bundle_take (GArray *parts, const char *address)
{
  g_autofree char *path = g_strndup (address, strcspn (address, "?#"));
  const char *slash = strrchr (path, '/');
  g_autofree char *name = g_uri_unescape_string (slash ? slash + 1 : path, NULL);
  for (guint i = 1; name && name[0] && i < parts->len; i++) {
    BundlePart *part = &g_array_index (parts, BundlePart, i);
    if (!part->used && strcmp (part->name, name) == 0) {
      part->used = TRUE;
      return part;
    }
  }
  return NULL;
}
