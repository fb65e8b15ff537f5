/* show-outline: the outline of a PDF and where its titles stand in print, for headings.py. One row per entry: level, the
 * page that its letters and digits stand on (the one it leads to, or a neighbour; 0: on neither), title. */
#include <poppler.h>
#include <stdio.h>
#include <string.h>

static char *key_of (const char *text)
{
  g_autofree char *plain = g_utf8_normalize (text, -1, G_NORMALIZE_ALL_COMPOSE);
  GString *key = g_string_new (NULL);
  for (const char *p = plain ? plain : ""; *p; p = g_utf8_next_char (p))
    if (g_unichar_isalnum (g_utf8_get_char (p)))
      g_string_append_unichar (key, g_unichar_tolower (g_utf8_get_char (p)));
  return g_string_free (key, FALSE);
}

static const char *page_key (PopplerDocument *document, char **keys, int number)
{
  if (number < 1 || number > poppler_document_get_n_pages (document))
    return "";
  if (!keys[number]) {
    PopplerPage *page = poppler_document_get_page (document, number - 1);
    g_autofree char *text = page ? poppler_page_get_text (page) : NULL;
    keys[number] = key_of (text ? text : "");
    g_clear_object (&page);
  }
  return keys[number];
}

static int page_of (PopplerDocument *document, const PopplerAction *action)
{
  if (action->type != POPPLER_ACTION_GOTO_DEST || !action->goto_dest.dest)
    return 0;
  const PopplerDest *dest = action->goto_dest.dest;
  if (dest->type != POPPLER_DEST_NAMED || !dest->named_dest)
    return dest->page_num;
  PopplerDest *found = poppler_document_find_dest (document, dest->named_dest);
  int page = found ? found->page_num : 0;
  if (found)
    poppler_dest_free (found);
  return page;
}

static void show (PopplerDocument *document, char **keys, PopplerIndexIter *iter, int level)
{
  do {
    PopplerAction *action = poppler_index_iter_get_action (iter);
    if (action && action->any.title) {
      int page = page_of (document, action), printed = 0;
      g_autofree char *key = key_of (action->any.title);
      for (int i = 0; i < 3 && page > 0 && *key && !printed; i++) {
        int near = page + (i == 2 ? -1 : i);
        if (strstr (page_key (document, keys, near), key))
          printed = near;
      }
      g_autofree char *title = g_strdelimit (g_strdup (action->any.title), "\t\n\r", ' ');
      printf ("%d\t%d\t%s\n", level, printed, title);
    }
    if (action)
      poppler_action_free (action);
    PopplerIndexIter *child = level < 12 ? poppler_index_iter_get_child (iter) : NULL;
    if (child) {
      show (document, keys, child, level + 1);
      poppler_index_iter_free (child);
    }
  } while (poppler_index_iter_next (iter));
}

int main (int argc, char **argv)
{
  if (argc != 2) {
    fputs ("Usage: show-outline FILE\n", stderr);
    return 2;
  }
  g_autoptr (GError) error = NULL;
  char *contents;
  gsize size;
  if (!g_file_get_contents (argv[1], &contents, &size, &error)) {
    fprintf (stderr, "show-outline: %s\n", error->message);
    return 1;
  }
  GBytes *bytes = g_bytes_new_take (contents, size);
  PopplerDocument *document = poppler_document_new_from_bytes (bytes, NULL, &error);
  if (!document) {
    fprintf (stderr, "show-outline: %s: %s\n", argv[1], error->message);
    return 1;
  }
  char **keys = g_new0 (char *, poppler_document_get_n_pages (document) + 2);
  PopplerIndexIter *iter = poppler_index_iter_new (document);
  if (iter)
    show (document, keys, iter, 1);
  return 0;
}
