/* bench-mutations: damaged copies of documents through the real client. Each must get a status in time, whatever becomes of
 * the reader in its child; the extractor itself must live on.
 * Usage: bench-mutations [-n COUNT] [-s SEED] [-t MS] [-v] < LIST_OF_PATHS: first every file as it is, then COUNT mutations
 * of them. -v names each that a reader crashed on. Exit status 1: something took down the extractor or ran past its
 * deadline. */
#include "ingest/ingest.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_MUTATED_BYTES (4u << 20)
/* Beyond the deadline: what ending a child may take. */
#define GRACE_MS 3000

typedef struct {
  LecternExtractor *extractor;
  LecternExtractLimits limits;
  gboolean verbose;
  guint n, n_of_status[LECTERN_N_STATUSES], n_crashed, n_late, n_broken;
  gint64 longest_us;
} Run;

static void count (Run *run, const char *path, const char *what)
{
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  LecternExtraction *extraction = lectern_extractor_extract (run->extractor, path, &run->limits, NULL, &error);
  gint64 took = g_get_monotonic_time () - start;
  run->n++;
  run->longest_us = MAX (run->longest_us, took);
  gboolean late = took > ((gint64)run->limits.timeout_ms + GRACE_MS) * 1000;
  gboolean broken = !extraction || (extraction->error && strstr (extraction->error, "broke down"));
  gboolean crashed = extraction && extraction->error && strstr (extraction->error, "crashed");
  run->n_late += late;
  run->n_broken += broken;
  run->n_crashed += crashed;
  if (late || broken || (run->verbose && crashed))
    printf ("%s: %s (%.2f s)\n", what, extraction ? extraction->error : error->message, (double)took / 1e6);
  if (!extraction)
    return;
  run->n_of_status[extraction->status]++;
  lectern_extraction_free (extraction);
}

typedef struct {
  guint8 *bytes;
  gsize size;
} Bytes;

static gsize pick (GRand *random, gsize below)
{
  return below ? (gsize)(g_rand_double (random) * (double)below) % below : 0;
}

/* Truncated, bits flipped, a run of bytes overwritten, a piece copied elsewhere, or a piece of another document inside. */
static const char *mutate (GRand *random, Bytes *bytes, const Bytes *other)
{
  gsize length = 1 + pick (random, MIN (bytes->size, 4096));
  gsize at = pick (random, bytes->size);
  length = MIN (length, bytes->size - at);
  switch (g_rand_int_range (random, 0, 5)) {
  case 0: bytes->size = 1 + pick (random, bytes->size); return "truncated";
  case 1:
    for (guint i = 1u << g_rand_int_range (random, 0, 9); i > 0; i--)
      bytes->bytes[pick (random, bytes->size)] ^= (guint8)(1u << g_rand_int_range (random, 0, 8));
    return "bits flipped";
  case 2:
    for (gsize i = 0; i < length; i++)
      bytes->bytes[at + i] = (guint8)g_rand_int_range (random, 0, 256);
    return "overwritten";
  case 3: memmove (bytes->bytes + pick (random, bytes->size - length + 1), bytes->bytes + at, length); return "copied";
  default: {
    gsize from = pick (random, other->size), piece = MIN (1 + pick (random, 65536), other->size - from);
    piece = MIN (piece, bytes->size - at);
    memcpy (bytes->bytes + at, other->bytes + from, piece);
    return "spliced";
  }
  }
}

static gboolean load (const char *path, Bytes *bytes)
{
  char *content;
  if (!g_file_get_contents (path, &content, &bytes->size, NULL))
    return FALSE;
  bytes->bytes = (guint8 *)content;
  bytes->size = MIN (bytes->size, MAX_MUTATED_BYTES);
  if (bytes->size == 0)
    g_free (content);
  return bytes->size > 0;
}

static void count_mutation (Run *run, GRand *random, const GPtrArray *paths, const char *folder)
{
  const char *path = paths->pdata[pick (random, paths->len)], *other_path = paths->pdata[pick (random, paths->len)];
  Bytes bytes, other;
  if (!load (path, &bytes))
    return;
  if (!load (other_path, &other))
    other = (Bytes){ (guint8 *)g_strdup ("%"), 1 };
  const char *kind = mutate (random, &bytes, &other);
  const char *extension = strrchr (path, '.');
  g_autofree char *name = g_strconcat ("mutation", extension && !strchr (extension, '/') ? extension : "", NULL);
  g_autofree char *mutation = g_build_filename (folder, name, NULL);
  g_autofree char *what = g_strdup_printf ("mutation %u, %s, %s", run->n, kind, path);
  if (g_file_set_contents_full (mutation, (const char *)bytes.bytes, (gssize)bytes.size, G_FILE_SET_CONTENTS_NONE, 0600,
                                NULL))
    count (run, mutation, what);
  g_unlink (mutation);
  g_free (bytes.bytes);
  g_free (other.bytes);
}

static int report (const Run *run, gint64 start)
{
  printf ("%u documents in %.1f s, the longest %.2f s:", run->n, (double)(g_get_monotonic_time () - start) / 1e6,
          (double)run->longest_us / 1e6);
  for (guint i = 0; i < LECTERN_N_STATUSES; i++)
    if (run->n_of_status[i])
      printf (" %u %s,", run->n_of_status[i], lectern_status_to_string ((LecternStatus)i));
  printf (" %u of them after a crash in the child; %u past the deadline; %u took the extractor down\n", run->n_crashed,
          run->n_late, run->n_broken);
  return run->n_late || run->n_broken ? 1 : 0;
}

int main (int argc, char **argv)
{
  Run run = { .limits = { 10000, 0 } };
  guint n = 0;
  guint32 seed = 1;
  for (int option; (option = getopt (argc, argv, "n:s:t:v")) != -1;)
    switch (option) {
    case 'n': n = (guint)atoi (optarg); break;
    case 's': seed = (guint32)atoi (optarg); break;
    case 't': run.limits.timeout_ms = (guint)atoi (optarg); break;
    case 'v': run.verbose = TRUE; break;
    default: return 2;
    }
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  char line[4096];
  while (fgets (line, sizeof line, stdin))
    g_ptr_array_add (paths, g_strdup (g_strchomp (line)));
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("lectern-mutations-XXXXXX", &error);
  run.extractor = folder && paths->len ? lectern_extractor_new (&error) : NULL;
  if (!run.extractor) {
    fprintf (stderr, "bench-mutations: %s\n", error ? error->message : "no paths on standard input");
    return 1;
  }
  gint64 start = g_get_monotonic_time ();
  for (guint i = 0; i < paths->len; i++)
    count (&run, paths->pdata[i], paths->pdata[i]);
  int status = report (&run, start);
  Run mutations = { .extractor = run.extractor, .limits = run.limits, .verbose = run.verbose };
  GRand *random = g_rand_new_with_seed (seed);
  start = g_get_monotonic_time ();
  while (mutations.n < n)
    count_mutation (&mutations, random, paths, folder);
  if (n > 0)
    status |= report (&mutations, start);
  g_rand_free (random);
  lectern_extractor_free (run.extractor);
  g_rmdir (folder);
  return status;
}
