/* Pages that are made to keep a reader busy: each must come out with what it holds, within the time that meson gives a test
 * and within the memory set here. */
#include "ingest/extract/html/html.h"
#include "ingest/extract/process/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MAX_MEMORY ((rlim_t)3 << 30)

typedef struct {
  const char *name, *start, *repeated, *end;
  guint times;
  const char *expected; /* in what is printed of it; NULL: nothing has to be */
} Bomb;

static const Bomb bombs[] = {
  { "nesting", "<body>", "<div class='comment share'>", "A word at the bottom of it all.", 100000,
    "A word at the bottom" },
  { "inline-nesting", "<body>", "<b><i>", "A word at the bottom of it all.", 100000, "A word at the bottom" },
  { "attributes", "<body><p ", "a1=1 b=2 ", ">A sentence behind a million attributes.", 500000,
    "a million attributes" },
  { "table", "<body><table>", "<tr><td>1</td><td>22</td><td>cell</td></tr>", "</table>", 150000, "1 | 22 | cell" },
  { "nested-tables", "<body>", "<table><tr><td>x ", "The last cell.", 100000, "The last cell" },
  { "entities", "<!DOCTYPE html [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;'>]><body><p>", "&amp;&b;&#x41; ",
    "end", 300000, "&b;A" },
  { "styles", "<body>", "<p style='color:white;left:-1px'>x y z</p>", "<p>A sentence that is shown.", 100000,
    "is shown" },
  { "sheet", "<style>", ".a,.b.c,p .d:hover{display:none}p{font-size:0}/*", "</style><p class=b>shown", 100000, NULL },
  { "sheet-in-depth", "<style>.a{font-size:0}.b{visibility:hidden}.c{display:none}</style><body><p>A word that is shown.",
    "<div class='a b'>", "<p>A word at the bottom.", 100000, "A word that is shown" },
  { "white-in-depth", "<body>", "<div><p style='color:white'>x<img alt='a picture of what there is'>", "shown", 50000,
    NULL },
  { "terms", "<body><dl>", "<dt>term", "<dd>definition</dl>", 100000, "term" },
  { "json", "<head><script type='application/ld+json'>", "\"author\":{", "</script><body><p>A sentence.", 20000,
    "A sentence" },
  { "end-tags", "<body><div><div><div>", "</p></b></table>", "A sentence.", 500000, "A sentence" },
  { "comments", "<body>", "<!-- ", "--><p>A sentence.", 500000, "A sentence" },
  { "large", "<body>", "<p>A paragraph, which is not long. There are many of it.</p>\n", "", 500000, "A paragraph" },
};

static void read_bomb (gconstpointer data)
{
  const Bomb *bomb = data;
  GString *page = g_string_new (bomb->start);
  for (guint i = 0; i < bomb->times; i++)
    g_string_append (page, bomb->repeated);
  g_string_append (page, bomb->end);
  char *printed = NULL;
  size_t size = 0;
  FILE *out = open_memstream (&printed, &size);
  Writer *writer = writer_new_print (out);
  Document document = { (const guint8 *)page->str, page->len, "bomb.html" };
  Outcome outcome = html_extract (&document, writer);
  fclose (out);
  if (bomb->expected) {
    g_assert_cmpint (outcome.status, ==, LECTERN_STATUS_INDEXED);
    g_assert_nonnull (strstr (printed, bomb->expected));
  }
  g_free (outcome.reason);
  writer_free (writer);
  free (printed);
  g_string_free (page, TRUE);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#if !defined __SANITIZE_ADDRESS__ && !(defined __has_feature)
  struct rlimit limit = { MAX_MEMORY, MAX_MEMORY };
  g_assert_cmpint (setrlimit (RLIMIT_AS, &limit), ==, 0);
#endif
  html_warm_up ();
  for (guint i = 0; i < G_N_ELEMENTS (bombs); i++) {
    g_autofree char *name = g_strconcat ("/html/bomb/", bombs[i].name, NULL);
    g_test_add_data_func (name, &bombs[i], read_bomb);
  }
  return g_test_run ();
}
