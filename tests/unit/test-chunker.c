/* The chunker: what is lost, what is repeated, where it cuts, and where the print of a chunk stands. */
#include "ingest/ingest.h"

#include <string.h>

static LecternBlock *add_block (GPtrArray *blocks, LecternBlockKind kind, int level, int page, const char *text)
{
  LecternBlock *block = g_new0 (LecternBlock, 1);
  block->kind = kind;
  block->level = level;
  block->page = page;
  block->text = g_strdup (text);
  block->spans = g_array_new (FALSE, FALSE, sizeof (LecternSpan));
  g_ptr_array_add (blocks, block);
  return block;
}

static GPtrArray *new_blocks (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_block_free);
}

/* `n` sentences of eight words each; `seed` makes them distinct. */
static char *sentences (const char *seed, guint n)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%sThe %s number %u keeps the pump running well.", i ? " " : "", seed, i);
  return g_string_free (text, FALSE);
}

static void add_paragraph (GPtrArray *blocks, const char *seed, guint n)
{
  g_autofree char *text = sentences (seed, n);
  add_block (blocks, LECTERN_BLOCK_PARAGRAPH, 0, 0, text);
}

static LecternDraft *chunk (const GPtrArray *blocks)
{
  LecternDraft *draft = lectern_draft_new ();
  lectern_chunk_blocks (blocks, "en", draft);
  return draft;
}

static const LecternChunk *chunk_at (const LecternDraft *draft, guint i)
{
  g_assert_cmpuint (i, <, draft->chunks->len);
  return g_ptr_array_index (draft->chunks, i);
}

static const LecternSection *section_of (const LecternDraft *draft, const LecternChunk *c)
{
  return c->section < 0 ? NULL : g_ptr_array_index (draft->sections, (guint)c->section);
}

static void append_dense (GString *out, const char *text)
{
  for (; *text; text++)
    if (!g_ascii_isspace (*text))
      g_string_append_c (out, *text);
}

/* All text but headings and the white space, from blocks and from chunks, must be the same. */
static void assert_nothing_lost (const GPtrArray *blocks, const LecternDraft *draft)
{
  g_autoptr (GString) in = g_string_new (NULL);
  g_autoptr (GString) out = g_string_new (NULL);
  for (guint i = 0; i < blocks->len; i++)
    append_dense (in, ((const LecternBlock *)g_ptr_array_index (blocks, i))->text);
  for (guint i = 0; i < draft->chunks->len; i++)
    append_dense (out, chunk_at (draft, i)->text);
  g_assert_cmpstr (in->str, ==, out->str);
}

static void test_sizes (void)
{
  g_autoptr (GPtrArray) blocks = new_blocks ();
  for (guint i = 0; i < 40; i++)
    add_paragraph (blocks, "valve", 1 + i * 7 % 13);
  LecternDraft *draft = chunk (blocks);
  assert_nothing_lost (blocks, draft);
  g_assert_cmpuint (draft->chunks->len, >=, 5);
  for (guint i = 0; i < draft->chunks->len; i++) {
    const LecternChunk *c = chunk_at (draft, i);
    g_assert_cmpuint (c->n_tokens, <=, 300);
    g_assert_cmpuint (c->n_tokens, >=, i + 1 < draft->chunks->len ? 190 : 100);
    g_assert_true (g_str_has_suffix (c->text, "."));
    g_assert_true (g_str_has_prefix (c->text, "The valve"));
    g_assert_cmpint (c->section, ==, -1);
    g_assert_cmpint (c->page, ==, 0);
  }
  lectern_draft_free (draft);
}

static void test_sections (void)
{
  g_autoptr (GPtrArray) blocks = new_blocks ();
  add_block (blocks, LECTERN_BLOCK_HEADING, 1, 0, "Alpha");
  add_paragraph (blocks, "alpha", 2);
  add_block (blocks, LECTERN_BLOCK_HEADING, 2, 0, "Alpha one");
  add_paragraph (blocks, "one", 2);
  add_block (blocks, LECTERN_BLOCK_HEADING, 2, 0, "Alpha two");
  add_paragraph (blocks, "two", 2);
  add_block (blocks, LECTERN_BLOCK_HEADING, 1, 0, "Beta");
  add_block (blocks, LECTERN_BLOCK_HEADING, 2, 0, "Beta one");
  add_paragraph (blocks, "beta", 2);
  add_block (blocks, LECTERN_BLOCK_HEADING, 1, 0, "Gamma");
  LecternDraft *draft = chunk (blocks);
  g_assert_cmpuint (draft->sections->len, ==, 6);
  const LecternSection *beta_one = g_ptr_array_index (draft->sections, 4);
  g_assert_cmpstr (beta_one->title, ==, "Beta one");
  g_assert_cmpint (beta_one->level, ==, 2);
  g_assert_cmpint (beta_one->parent, ==, 3);

  /* Small sub-sections share the chunk of Alpha; their headings stand in it, Alpha's own does not. */
  g_assert_cmpuint (draft->chunks->len, ==, 3);
  const LecternChunk *first = chunk_at (draft, 0);
  g_assert_cmpstr (section_of (draft, first)->title, ==, "Alpha");
  g_assert_true (g_str_has_prefix (first->text, "The alpha number 0"));
  g_assert_nonnull (strstr (first->text, "\n\nAlpha two\nThe two number 0"));
  const LecternChunk *second = chunk_at (draft, 1);
  g_assert_cmpstr (section_of (draft, second)->title, ==, "Beta one");
  g_assert_null (strstr (second->text, "Beta"));
  /* A heading with nothing below it is still found. */
  g_assert_cmpstr (chunk_at (draft, 2)->text, ==, "Gamma");
  lectern_draft_free (draft);
}

static void test_title_is_no_level (void)
{
  g_autoptr (GPtrArray) blocks = new_blocks ();
  add_block (blocks, LECTERN_BLOCK_HEADING, 1, 0, "The manual");
  add_block (blocks, LECTERN_BLOCK_HEADING, 2, 0, "Safety");
  add_paragraph (blocks, "safety", 3);
  add_block (blocks, LECTERN_BLOCK_HEADING, 2, 0, "Cleaning");
  add_paragraph (blocks, "cleaning", 3);
  LecternDraft *draft = chunk (blocks);
  g_assert_cmpuint (draft->chunks->len, ==, 2);
  g_assert_cmpstr (section_of (draft, chunk_at (draft, 0))->title, ==, "Safety");
  g_assert_cmpstr (section_of (draft, chunk_at (draft, 1))->title, ==, "Cleaning");
  lectern_draft_free (draft);
}

static void test_table (void)
{
  g_autoptr (GPtrArray) blocks = new_blocks ();
  add_block (blocks, LECTERN_BLOCK_PARAGRAPH, 0, 0, "The torques are:");
  add_block (blocks, LECTERN_BLOCK_TABLE_ROW, 1, 0, "Bolt | Torque | Tool");
  for (int i = 0; i < 60; i++) {
    g_autofree char *row = g_strdup_printf ("M%d bolt of the housing | %d newton metres | hex key %d", i, 10 + i, i);
    add_block (blocks, LECTERN_BLOCK_TABLE_ROW, 0, 0, row);
  }
  LecternDraft *draft = chunk (blocks);
  g_assert_cmpuint (draft->chunks->len, >=, 3);
  g_assert_true (g_str_has_prefix (chunk_at (draft, 0)->text, "The torques are:\n\nBolt | Torque | Tool\nM0 bolt"));
  guint rows = 0;
  for (guint i = 0; i < draft->chunks->len; i++) {
    const LecternChunk *c = chunk_at (draft, i);
    if (i > 0)
      g_assert_true (g_str_has_prefix (c->text, "Bolt | Torque | Tool\nM"));
    g_auto (GStrv) lines = g_strsplit (c->text, "\n", -1);
    for (guint l = 0; lines[l]; l++)
      if (lines[l][0] == 'M') {
        g_autofree char *end = g_strdup_printf ("hex key %u", rows++);
        g_assert_true (g_str_has_suffix (lines[l], end));
      }
  }
  g_assert_cmpuint (rows, ==, 60);
  lectern_draft_free (draft);
}

static void test_lists_stay_together (void)
{
  g_autoptr (GPtrArray) blocks = new_blocks ();
  add_paragraph (blocks, "intro", 16);
  add_block (blocks, LECTERN_BLOCK_PARAGRAPH, 0, 0, "To change the filter:");
  for (guint i = 0; i < 8; i++)
    add_block (blocks, LECTERN_BLOCK_LIST_ITEM, 1, 0,
               "Turn the ring to the left until it comes off, then pull it out.");
  add_paragraph (blocks, "outro", 16);
  LecternDraft *draft = chunk (blocks);
  assert_nothing_lost (blocks, draft);
  gboolean found = FALSE;
  for (guint i = 0; i < draft->chunks->len; i++) {
    const char *list = strstr (chunk_at (draft, i)->text, "To change the filter:\n\nTurn");
    if (!list)
      continue;
    found = TRUE;
    guint items = 0;
    for (const char *at = list; (at = strstr (at, "Turn the ring")); at++)
      items++;
    g_assert_cmpuint (items, ==, 8);
  }
  g_assert_true (found);
  lectern_draft_free (draft);
}

static void test_too_long (void)
{
  g_autoptr (GPtrArray) blocks = new_blocks ();
  g_autoptr (GString) words = g_string_new (NULL);
  for (guint i = 0; i < 2000; i++)
    g_string_append_printf (words, "%sword%u", i ? " " : "", i);
  add_block (blocks, LECTERN_BLOCK_PARAGRAPH, 0, 0, words->str);
  g_autoptr (GString) run = g_string_new (NULL);
  for (guint i = 0; i < 50000; i++)
    g_string_append (run, "\xC3\xA9");
  add_block (blocks, LECTERN_BLOCK_CODE, 0, 0, run->str);
  LecternDraft *draft = chunk (blocks);
  assert_nothing_lost (blocks, draft);
  for (guint i = 0; i < draft->chunks->len; i++) {
    const LecternChunk *c = chunk_at (draft, i);
    g_assert_cmpuint (c->n_tokens, <=, 320);
    g_assert_true (g_utf8_validate (c->text, -1, NULL));
  }
  lectern_draft_free (draft);
}

static void test_code (void)
{
  g_autoptr (GPtrArray) blocks = new_blocks ();
  add_block (blocks, LECTERN_BLOCK_CODE, 0, 0, "if (x)\n\n    return  1;\nelse\n    return 2;\n");
  LecternDraft *draft = chunk (blocks);
  g_assert_cmpuint (draft->chunks->len, ==, 1);
  g_assert_cmpstr (chunk_at (draft, 0)->text, ==, "if (x)\n\n    return  1;\nelse\n    return 2;");
  lectern_draft_free (draft);
}

/* Every word gets a span; lines are ten words long and 12 points high. */
static void add_spans (LecternBlock *block, int page)
{
  guint word = 0;
  for (const char *at = block->text; *at;) {
    gsize length = strcspn (at, " ");
    LecternSpan span
        = { (guint32)(at - block->text),
            (guint32)length,
            { page, 50.0f + 40.0f * (float)(word % 10), 100.0f + 12.0f * (float)(word / 10), 36.0f, 10.0f } };
    g_array_append_val (block->spans, span);
    word++;
    at += length + strspn (at + length, " ");
  }
}

static void test_spans (void)
{
  g_autoptr (GPtrArray) blocks = new_blocks ();
  for (int page = 1; page <= 8; page++) {
    g_autofree char *text = sentences ("pump", 10);
    add_spans (add_block (blocks, LECTERN_BLOCK_PARAGRAPH, 0, page, text), page);
  }
  LecternDraft *draft = chunk (blocks);
  assert_nothing_lost (blocks, draft);
  int page_before = 0;
  for (guint i = 0; i < draft->chunks->len; i++) {
    const LecternChunk *c = chunk_at (draft, i);
    g_assert_cmpint (c->page, >=, page_before);
    g_assert_cmpint (c->page_last, >=, c->page);
    page_before = c->page_last;
    gsize length = strlen (c->text);
    guint32 at = 0;
    g_assert_cmpuint (c->spans->len, >, 0);
    for (guint s = 0; s < c->spans->len; s++) {
      const LecternSpan *span = &g_array_index (c->spans, LecternSpan, s);
      /* Spans ascend; only white space stands between them. */
      for (; at < span->start; at++)
        g_assert_true (g_ascii_isspace (c->text[at]));
      at = span->start + span->length;
      g_assert_cmpuint (at, <=, length);
      g_assert_cmpint (span->rect.page, >=, c->page);
      g_assert_cmpint (span->rect.page, <=, c->page_last);
      g_assert_cmpfloat (span->rect.height, ==, 10.0f);
      g_assert_cmpfloat (span->rect.x + span->rect.width, <=, 446.5f);
    }
    g_assert_cmpuint (at, ==, length);
    /* One span a line, not one a word. */
    g_assert_cmpuint (c->spans->len, <, 40);
  }
  g_assert_cmpint (page_before, ==, 8);
  lectern_draft_free (draft);
}

static void test_linear (void)
{
  g_autoptr (GPtrArray) blocks = new_blocks ();
  for (guint i = 0; i < 20000; i++)
    add_block (blocks, i % 50 == 0 ? LECTERN_BLOCK_HEADING : LECTERN_BLOCK_LIST_ITEM, 1 + (int)(i % 3), 0, "one two");
  add_paragraph (blocks, "tail", 20000);
  gint64 begin = g_get_monotonic_time ();
  LecternDraft *draft = chunk (blocks);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 20 * G_USEC_PER_SEC);
  g_assert_cmpuint (draft->chunks->len, >, 500);
  lectern_draft_free (draft);
}

static void test_nothing (void)
{
  g_autoptr (GPtrArray) blocks = new_blocks ();
  LecternDraft *draft = chunk (blocks);
  g_assert_cmpuint (draft->chunks->len, ==, 0);
  g_assert_cmpuint (draft->sections->len, ==, 0);
  lectern_draft_free (draft);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chunker/sizes", test_sizes);
  g_test_add_func ("/chunker/sections", test_sections);
  g_test_add_func ("/chunker/title-is-no-level", test_title_is_no_level);
  g_test_add_func ("/chunker/table", test_table);
  g_test_add_func ("/chunker/lists-stay-together", test_lists_stay_together);
  g_test_add_func ("/chunker/too-long", test_too_long);
  g_test_add_func ("/chunker/code", test_code);
  g_test_add_func ("/chunker/spans", test_spans);
  g_test_add_func ("/chunker/linear", test_linear);
  g_test_add_func ("/chunker/nothing", test_nothing);
  return g_test_run ();
}
