#include "app/commands.h"
#include "ingest/ingest.h"
#include <gio/gunixinputstream.h>
#include <string.h>
#include <unistd.h>

/* More than any prompt or question; keeps a mistaken `lecternctl ask - </dev/zero` from eating all memory. */
#define MAX_STDIN_BYTES (64u << 20)

static char *read_stdin (GCancellable *cancellable, gsize *length, GError **error)
{
  g_autoptr (GInputStream) stream = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GString) text = g_string_new (NULL);
  char buffer[1 << 15];
  gssize n;
  while ((n = g_input_stream_read (stream, buffer, sizeof buffer, cancellable, error)) > 0) {
    if (text->len + (gsize)n > MAX_STDIN_BYTES) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "Standard input is too long: at most %u MiB are read.",
                   MAX_STDIN_BYTES >> 20);
      return NULL;
    }
    g_string_append_len (text, buffer, n);
  }
  if (n < 0) {
    g_prefix_error (error, "Standard input cannot be read: ");
    return NULL;
  }
  if (length)
    *length = text->len;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *invocation_dup_text (const Invocation *invocation, const char *word, gsize *length, GError **error)
{
  if (strcmp (word, "-") == 0)
    return read_stdin (invocation->cancellable, length, error);
  if (length)
    *length = strlen (word);
  return g_strdup (word);
}

char *invocation_dup_query (const Invocation *invocation, const char *word, GError **error)
{
  g_autofree char *text = invocation_dup_text (invocation, word, NULL, error);
  if (!text)
    return NULL;
  char *valid = g_utf8_make_valid (text, -1);
  return g_strstrip (valid);
}

char *invocation_dup_path (const char *word)
{
  return g_canonicalize_filename (word, NULL);
}

char *invocation_dup_stored_path (const char *word)
{
  g_autofree char *path = invocation_dup_path (word);
  return lectern_path_to_utf8 (path);
}
