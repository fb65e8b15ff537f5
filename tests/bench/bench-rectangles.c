/* bench-rectangles: whether the rectangles of chunks lead to their text. Takes random chunks of PDF files, asks poppler
 * which characters of the page have their middle under the chunk's rectangles, rectangle by rectangle, and compares
 * them with the chunk's text: letters and digits in compatibility form; white space, hyphens and what separates cells
 * do not count. Usage: bench-rectangles [-n CHUNKS] [-s SEED] [-v] FILE… */
#include "ingest/ingest.h"

#include <poppler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  char *path; /* borrowed */
  const LecternChunk *chunk;
} Sample;

typedef struct {
  char *text; /* of the page */
  PopplerRectangle *boxes;
  guint n;
} Layout;

static gboolean counts (gunichar c)
{
  return !g_unichar_isspace (c) && c != '-' && c != 0xad && c != 0x2010 && c != 0x2011 && c != '|' && c > ' '
         && !(c >= 0xe000 && c <= 0xf8ff) && !(c >= 0x200b && c <= 0x200f) && !(c >= 0x202a && c <= 0x202e)
         && c != 0xfffd && c != 0xfeff && c != 0x7f;
}

static char *compatible (const char *text)
{
  g_autofree char *normal = g_utf8_normalize (text, -1, G_NORMALIZE_ALL);
  GString *out = g_string_new (NULL);
  for (const char *p = normal ? normal : ""; *p; p = g_utf8_next_char (p))
    if (counts (g_utf8_get_char (p)))
      g_string_append_unichar (out, g_utf8_get_char (p));
  return g_string_free (out, FALSE);
}

static void layout_clear (Layout *layout)
{
  g_free (layout->text);
  g_free (layout->boxes);
  *layout = (Layout){ 0 };
}

static void append_under (const Layout *layout, const LecternRect *rect, GString *out)
{
  guint i = 0;
  for (const char *p = layout->text; p && *p && i < layout->n; p = g_utf8_next_char (p), i++) {
    double x = (layout->boxes[i].x1 + layout->boxes[i].x2) / 2, y = (layout->boxes[i].y1 + layout->boxes[i].y2) / 2;
    if (x >= rect->x && x <= rect->x + rect->width && y >= rect->y && y <= rect->y + rect->height)
      g_string_append_unichar (out, g_utf8_get_char (p));
  }
}

/* What poppler reads under the chunk's rectangles, in their order. */
static char *text_under (PopplerDocument *document, const LecternChunk *chunk)
{
  GString *out = g_string_new (NULL);
  Layout layout = { 0 };
  int page = 0;
  for (guint i = 0; i < chunk->spans->len; i++) {
    const LecternRect *rect = &g_array_index (chunk->spans, LecternSpan, i).rect;
    if (rect->page != page) {
      layout_clear (&layout);
      page = rect->page;
      PopplerPage *source = poppler_document_get_page (document, page - 1);
      if (source) {
        layout.text = poppler_page_get_text (source);
        poppler_page_get_text_layout (source, &layout.boxes, &layout.n);
        g_object_unref (source);
      }
    }
    append_under (&layout, rect, out);
  }
  layout_clear (&layout);
  return g_string_free (out, FALSE);
}

static int compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Sample *)a)->path, ((const Sample *)b)->path);
}

/* The chunks of one file, which stay until the program ends. */
static void collect (LecternExtractor *extractor, char *path, GArray *samples)
{
  g_autoptr (GError) error = NULL;
  LecternExtraction *extraction = lectern_extractor_extract (extractor, path, NULL, NULL, &error);
  if (!extraction || extraction->status != LECTERN_STATUS_INDEXED)
    return;
  LecternDraft *draft = lectern_draft_new ();
  lectern_chunk_blocks (extraction->blocks, extraction->language, draft);
  for (guint i = 0; i < draft->chunks->len; i++) {
    Sample sample = { path, draft->chunks->pdata[i] };
    g_array_append_val (samples, sample);
  }
  lectern_extraction_free (extraction);
}

static PopplerDocument *open_document (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *absolute = g_canonicalize_filename (path, NULL), *uri = g_filename_to_uri (absolute, NULL, NULL);
  return poppler_document_new_from_file (uri, NULL, &error);
}

static void report (const Sample *sample, const char *ours, const char *theirs)
{
  gsize same = 0;
  while (ours[same] && ours[same] == theirs[same])
    same++;
  same = same > 20 ? same - 20 : 0;
  while (same > 0 && ((guchar)ours[same] & 0xc0) == 0x80)
    same--;
  printf ("%s page %d\n  chunk   %.90s\n  poppler %.90s\n", sample->path, sample->chunk->page, ours + same,
          theirs + MIN (same, strlen (theirs)));
}

int main (int argc, char **argv)
{
  guint wanted = 1000, seed = 1;
  gboolean verbose = FALSE;
  int at = 1;
  for (; at < argc && argv[at][0] == '-'; at++) {
    if (strcmp (argv[at], "-v") == 0)
      verbose = TRUE;
    else if (at + 1 < argc && strcmp (argv[at], "-n") == 0)
      wanted = (guint)atoi (argv[++at]);
    else if (at + 1 < argc && strcmp (argv[at], "-s") == 0)
      seed = (guint)atoi (argv[++at]);
  }
  g_autoptr (GError) error = NULL;
  LecternExtractor *extractor = lectern_extractor_new (&error);
  if (!extractor || at == argc) {
    fprintf (stderr, "bench-rectangles: %s\n", extractor ? "no files" : error->message);
    return 2;
  }
  GArray *samples = g_array_new (FALSE, FALSE, sizeof (Sample));
  for (; at < argc; at++)
    collect (extractor, argv[at], samples);
  guint all = samples->len;
  GRand *random = g_rand_new_with_seed (seed);
  for (guint i = 0; i < MIN (wanted, all); i++) {
    guint j = (guint)g_rand_int_range (random, (gint32)i, (gint32)all);
    Sample other = g_array_index (samples, Sample, j);
    g_array_index (samples, Sample, j) = g_array_index (samples, Sample, i);
    g_array_index (samples, Sample, i) = other;
  }
  g_array_set_size (samples, MIN (wanted, all));
  g_array_sort (samples, compare_paths);
  guint equal = 0;
  const char *path = NULL;
  PopplerDocument *document = NULL;
  for (guint i = 0; i < samples->len; i++) {
    const Sample *sample = &g_array_index (samples, Sample, i);
    if (!path || strcmp (path, sample->path) != 0) {
      g_clear_object (&document);
      path = sample->path;
      document = open_document (path);
    }
    g_autofree char *under = document ? text_under (document, sample->chunk) : g_strdup ("");
    g_autofree char *ours = compatible (sample->chunk->text), *theirs = compatible (under);
    if (strcmp (ours, theirs) == 0)
      equal++;
    else if (verbose)
      report (sample, ours, theirs);
  }
  printf ("%u of %u chunks (of %u) have their text under their rectangles: %.2f %%\n", equal, samples->len, all,
          100.0 * equal / MAX (samples->len, 1));
  return 0;
}
