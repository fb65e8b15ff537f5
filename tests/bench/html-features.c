/* Prints the blocks of pages as the model of main content sees them (ingest/extract/html/features.h), for html-train.py:
 * a line "page FILE SIZE_OF_TITLE", then for each block its numbers and its text, as JSON.  bench-html-features FILE… */
#include "ingest/extract/html/blocks.h"
#include "ingest/extract/html/head.h"
#include "ingest/extract/html/html.h"
#include "ingest/extract/html/main-content.h"
#include "ingest/extract/html/parse.h"

#include <stdio.h>

static void print_string (const char *text)
{
  putchar ('"');
  for (; *text; text++) {
    if (*text == '"' || *text == '\\')
      putchar ('\\');
    putchar ((guchar)*text < ' ' ? ' ' : *text);
  }
  putchar ('"');
}

/* The text directly in the block: not what its child blocks hold. */
static char *dup_own_text (xmlNode *block)
{
  GString *text = g_string_new (NULL);
  for (xmlNode *at = block; at;) {
    gboolean skip = at != block && at->type == XML_ELEMENT_NODE
                    && (html_role (at) == ELEMENT_DROPPED || html_is_block (html_role (at)));
    if (at->type == XML_TEXT_NODE && at->content)
      g_string_append (text, (const char *)at->content);
    if (skip || html_role (at) == ELEMENT_BREAK)
      g_string_append_c (text, ' ');
    at = html_next (at, block, skip);
  }
  return g_string_free (text, FALSE);
}

static void print_page (const char *path)
{
  g_autofree char *bytes = NULL;
  gsize size, length;
  if (!g_file_get_contents (path, &bytes, &size, NULL))
    return;
  g_autofree char *text = html_decode ((const guint8 *)bytes, size, NULL, &length);
  htmlDocPtr page = html_parse (text, length);
  xmlNode *root = page ? xmlDocGetRootElement (page) : NULL;
  HtmlHead head = { NULL };
  if (root)
    html_head_read (root, &head);
  HtmlMain *main = root ? html_main_find (html_find_body (root), head.title) : NULL;
  printf ("{\"page\":");
  print_string (path);
  printf (",\"title\":");
  print_string (head.title ? head.title : "");
  printf (",\"blocks\":[");
  const PageFeatures *features = main ? html_main_get_features (main) : NULL;
  for (guint i = 0; features && i < features->blocks->len; i++) {
    float numbers[N_BLOCK_FEATURES];
    const TextBlock *block = &g_array_index (features->blocks, TextBlock, i);
    const Entry *entry = &g_array_index (features->entries, Entry, block->entry);
    page_features_get (features, i, numbers);
    printf ("%s{\"tag\":\"%s\",\"left_out\":%d,\"rule\":%d,\"inside\":%d,\"f\":[", i ? ",\n" : "", entry->node->name,
            entry->left_out, html_main_rule (main, i), entry->inside);
    for (guint j = 0; j < N_BLOCK_FEATURES; j++)
      printf ("%s%.6g", j ? "," : "", (double)numbers[j]);
    printf ("],\"text\":");
    g_autofree char *own = dup_own_text (entry->node);
    print_string (own);
    printf ("}");
  }
  printf ("]}\n\n");
  html_main_free (main);
  html_head_clear (&head);
  if (page)
    xmlFreeDoc (page);
}

int main (int argc, char **argv)
{
  html_warm_up ();
  for (int i = 1; i < argc; i++)
    print_page (argv[i]);
  return 0;
}
