/* bench-extract: one row per document through the real client: status, seconds, pages, blocks, words, the reason.
 * Usage: bench-extract [-t MS] FILE… (FILE of "-": paths from standard input). */
#include "ingest/ingest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static guint64 count_words (const LecternExtraction *extraction)
{
  guint64 words = 0;
  for (guint i = 0; i < extraction->blocks->len; i++) {
    const LecternBlock *block = extraction->blocks->pdata[i];
    gboolean inside = FALSE;
    for (const char *p = block->text; *p; p++) {
      gboolean blank = *p == ' ' || *p == '\n';
      words += !blank && !inside;
      inside = !blank;
    }
  }
  return words;
}

static gboolean measure (LecternExtractor *extractor, const char *path, const LecternExtractLimits *limits)
{
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  LecternExtraction *extraction = lectern_extractor_extract (extractor, path, limits, NULL, &error);
  if (!extraction) {
    fprintf (stderr, "bench-extract: %s: %s\n", path, error->message);
    return FALSE;
  }
  printf ("%s\t%d\t%.2f\t%d\t%u\t%" G_GUINT64_FORMAT "\t%s\n", path, (int)extraction->status,
          (double)(g_get_monotonic_time () - start) / 1e6, extraction->n_pages, extraction->blocks->len,
          count_words (extraction), extraction->error ? extraction->error : "");
  fflush (stdout);
  lectern_extraction_free (extraction);
  return TRUE;
}

int main (int argc, char **argv)
{
  LecternExtractLimits limits = { 0 };
  int first = 1;
  if (argc > 3 && strcmp (argv[1], "-t") == 0) {
    limits.timeout_ms = (guint)atoi (argv[2]);
    first = 3;
  }
  g_autoptr (GError) error = NULL;
  LecternExtractor *extractor = lectern_extractor_new (&error);
  if (!extractor) {
    fprintf (stderr, "bench-extract: %s\n", error->message);
    return 1;
  }
  gboolean fine = TRUE;
  for (int i = first; i < argc && fine; i++) {
    if (strcmp (argv[i], "-") != 0) {
      fine = measure (extractor, argv[i], &limits);
      continue;
    }
    char line[4096];
    while (fine && fgets (line, sizeof line, stdin))
      fine = measure (extractor, g_strchomp (line), &limits);
  }
  lectern_extractor_free (extractor);
  return fine ? 0 : 1;
}
