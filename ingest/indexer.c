/* indexer.c: lectern_index(): what is new or changed goes through extraction and chunking into the library.
 *
 * A file is unchanged if its size and time are those of the library, or else if its SHA-256 is. A failure is stored like
 * a document, told again in every run, and tried again when the file changes; only what could not be read is tried in every run, since rights and
 * drives change without a trace on the file. */
#include "ingest/format.h"
#include "ingest/ingest.h"
#include "ingest/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH_BUFFER_BYTES (256 * 1024)
#define LANGUAGE_SAMPLE_BYTES (16 * 1024)
/* A file of no known format, named explicitly, is looked into up to this size. */
#define MAX_UNKNOWN_BYTES (G_GUINT64_CONSTANT (256) << 20)
/* From this many stored documents on a run ends with lectern_library_optimize(). */
#define LARGE_RUN_DOCUMENTS 50

typedef struct {
  LecternLibrary *library;
  LecternExtractor *extractor; /* started when the first file needs it */
  const LecternExtractLimits *limits;
  LecternIndexReport *report;
  GCancellable *cancellable;
} Run;

static void indexed_document_free (LecternIndexedDocument *document)
{
  g_free (document->path);
  g_free (document->error);
  g_free (document);
}

void lectern_index_report_free (LecternIndexReport *report)
{
  if (!report)
    return;
  g_ptr_array_unref (report->documents);
  g_free (report);
}

static void report_document (Run *run, const char *path, LecternStatus status, const char *error)
{
  LecternIndexedDocument *document = g_new0 (LecternIndexedDocument, 1);
  document->path = g_strdup (path);
  document->status = status;
  document->error = g_strdup (error);
  g_ptr_array_add (run->report->documents, document);
  if (status == LECTERN_STATUS_UNCHANGED)
    run->report->unchanged++;
  else if (status != LECTERN_STATUS_INDEXED)
    run->report->failed++;
}

/* A document that is as the library has it. One that could not be indexed then is told again with its reason. */
static void report_known (Run *run, const LecternDocument *known)
{
  gboolean indexed = known->status == LECTERN_STATUS_INDEXED;
  report_document (run, known->path, indexed ? LECTERN_STATUS_UNCHANGED : known->status, known->error);
}

static gint64 mtime_ns_of (const struct stat *info)
{
  return (gint64)info->st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + info->st_mtim.tv_nsec;
}

static gboolean same_state (const struct stat *a, const struct stat *b)
{
  return a->st_size == b->st_size && mtime_ns_of (a) == mtime_ns_of (b) && a->st_ino == b->st_ino;
}

/* The SHA-256 of the file in hex; NULL with *reason, or with *error if cancelled. */
static char *dup_hash (const char *path, GCancellable *cancellable, char **reason, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) {
    *reason = g_strdup_printf ("The file cannot be opened: %s.", g_strerror (errno));
    return NULL;
  }
  posix_fadvise (fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guchar *buffer = g_malloc (HASH_BUFFER_BYTES);
  ssize_t n;
  while ((n = read (fd, buffer, HASH_BUFFER_BYTES)) > 0 || (n < 0 && errno == EINTR)) {
    if (g_cancellable_set_error_if_cancelled (cancellable, error)) {
      close (fd);
      return NULL;
    }
    if (n > 0)
      g_checksum_update (checksum, buffer, n);
  }
  if (n < 0)
    *reason = g_strdup_printf ("The file cannot be read: %s.", g_strerror (errno));
  close (fd);
  return n < 0 ? NULL : g_strdup (g_checksum_get_string (checksum));
}

/* The language of the text, which pages and files declare wrongly more often than it is told wrongly. */
static char *dup_language (const LecternExtraction *extraction)
{
  g_autoptr (GString) sample = g_string_new (NULL);
  /* From the second quarter on: title pages and tables of contents say little. */
  guint first = extraction->blocks->len > 40 ? extraction->blocks->len / 4 : 0;
  for (guint i = first; i < extraction->blocks->len && sample->len < LANGUAGE_SAMPLE_BYTES; i++) {
    const LecternBlock *block = g_ptr_array_index (extraction->blocks, i);
    if (block->kind == LECTERN_BLOCK_CODE || !block->text)
      continue;
    g_string_append (sample, block->text);
    g_string_append_c (sample, '\n');
  }
  const char *detected = lectern_language_detect (sample->str, (gssize)sample->len);
  if (detected)
    return g_strdup (detected);
  const char *declared = extraction->language;
  gsize length = declared ? strspn (declared, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") : 0;
  return length >= 2 && length <= 3 ? g_ascii_strdown (declared, (gssize)length) : NULL;
}

static void fail_draft (LecternDraft *draft, LecternStatus status, const char *reason)
{
  draft->status = status;
  g_free (draft->error);
  draft->error = g_strdup (reason);
}

/* Extraction and chunks into the draft. FALSE only with *error. */
static gboolean extract_into (Run *run, const char *path, LecternDraft *draft, GError **error)
{
  if (!run->extractor && !(run->extractor = lectern_extractor_new (error)))
    return FALSE;
  LecternExtraction *extraction
      = lectern_extractor_extract (run->extractor, path, run->limits, run->cancellable, error);
  if (!extraction)
    return FALSE;
  g_free (draft->type);
  draft->status = extraction->status;
  draft->error = g_strdup (extraction->error);
  draft->type = g_strdup (extraction->type);
  draft->title = g_strdup (extraction->title);
  draft->author = g_strdup (extraction->author);
  draft->date = g_strdup (extraction->date);
  draft->n_pages = extraction->n_pages;
  for (guint i = 0; extraction->warnings && i < extraction->warnings->len; i++)
    g_ptr_array_add (draft->warnings, g_strdup (g_ptr_array_index (extraction->warnings, i)));
  g_clear_pointer (&draft->findings, g_ptr_array_unref);
  draft->findings = g_steal_pointer (&extraction->findings);
  if (extraction->status == LECTERN_STATUS_INDEXED) {
    draft->language = dup_language (extraction);
    lectern_chunk_blocks (extraction->blocks, draft->language, draft);
    if (draft->chunks->len == 0)
      fail_draft (draft, LECTERN_STATUS_EMPTY, "The document holds no text.");
  }
  lectern_extraction_free (extraction);
  return TRUE;
}

static gboolean store (Run *run, const LecternDraft *draft, const LecternDocument *known, GError **error)
{
  /* What was read once is worth more than the news that it cannot be read now. */
  if (draft->status == LECTERN_STATUS_UNREADABLE && known && known->status == LECTERN_STATUS_INDEXED) {
    report_document (run, draft->path, draft->status, draft->error);
    return TRUE;
  }
  if (!lectern_library_store (run->library, draft, NULL, error))
    return FALSE;
  report_document (run, draft->path, draft->status, draft->error);
  if (draft->status != LECTERN_STATUS_INDEXED)
    return TRUE;
  if (known)
    run->report->updated++;
  else
    run->report->added++;
  run->report->chunks += draft->chunks->len;
  run->report->pages += (guint64)draft->n_pages;
  return TRUE;
}

/* A status that needs no look into the file; NULL: look into it. */
static const char *reject_by_stat (const char *path, const struct stat *info, LecternStatus *status)
{
  int format = format_from_path (path);
  guint64 max_bytes = format >= 0 ? format_names[format].max_bytes : MAX_UNKNOWN_BYTES;
  if (!S_ISREG (info->st_mode)) {
    *status = LECTERN_STATUS_UNSUPPORTED;
    return "This is not a regular file.";
  }
  if ((guint64)info->st_size > max_bytes) {
    *status = LECTERN_STATUS_TOO_LARGE;
    return "The file is larger than this format is read.";
  }
  if (info->st_size == 0) {
    *status = LECTERN_STATUS_EMPTY;
    return "The file is empty.";
  }
  return NULL;
}

/* Reads one file. *done is FALSE if it changed meanwhile, in which case nothing was stored. */
static gboolean try_file (Run *run, const char *path, const struct stat *info, const LecternDocument *known,
                          gboolean last_try, gboolean *done, GError **error)
{
  g_autofree char *shown = lectern_path_to_utf8 (path);
  g_autofree char *reason = NULL;
  LecternDraft *draft = lectern_draft_new ();
  gboolean ok = TRUE;
  int format = format_from_path (path);
  draft->path = g_strdup (shown);
  draft->size_bytes = info->st_size;
  draft->mtime_ns = mtime_ns_of (info);
  draft->type = format >= 0 ? g_strdup (format_names[format].type) : NULL;
  *done = TRUE;

  LecternStatus status;
  const char *rejected = reject_by_stat (path, info, &status);
  GError *hash_error = NULL;
  if (rejected) {
    fail_draft (draft, status, rejected);
  } else if (!(draft->hash = dup_hash (path, run->cancellable, &reason, &hash_error))) {
    if (hash_error) {
      g_propagate_error (error, hash_error);
      ok = FALSE;
      goto out;
    }
    fail_draft (draft, LECTERN_STATUS_UNREADABLE, reason);
  } else if (known && g_strcmp0 (known->hash, draft->hash) == 0 && known->status != LECTERN_STATUS_UNREADABLE) {
    ok = lectern_library_touch (run->library, known->id, draft->size_bytes, draft->mtime_ns, error);
    if (ok)
      report_known (run, known);
    goto out;
  } else if (lectern_library_has_content (run->library, draft->hash)) {
    draft->status = LECTERN_STATUS_INDEXED;
  } else {
    ok = extract_into (run, path, draft, error);
    struct stat after;
    if (ok && (stat (path, &after) != 0 || !same_state (info, &after))) {
      if (!last_try) {
        *done = FALSE;
        goto out;
      }
      /* What was hashed need not be what was read: keep neither. */
      g_clear_pointer (&draft->hash, g_free);
      fail_draft (draft, LECTERN_STATUS_UNREADABLE, "The file changes while it is read; the next run reads it again.");
    }
  }
  ok = ok && store (run, draft, known, error);
out:
  lectern_draft_free (draft);
  return ok;
}

static gboolean index_file (Run *run, const char *path, GError **error)
{
  g_autofree char *shown = lectern_path_to_utf8 (path);
  GError *find_error = NULL;
  LecternDocument *known = lectern_library_find_path (run->library, shown, &find_error);
  if (find_error) {
    g_propagate_error (error, find_error);
    return FALSE;
  }
  gboolean ok = TRUE, done = FALSE;
  for (int attempt = 0; ok && !done; attempt++) {
    struct stat info;
    if (stat (path, &info) != 0) {
      done = TRUE;
      if (errno == ENOENT && known) {
        ok = lectern_library_remove (run->library, &known->id, 1, error);
        run->report->removed += ok;
      } else {
        g_autofree char *reason = g_strdup_printf ("The file cannot be opened: %s.", g_strerror (errno));
        report_document (run, shown, LECTERN_STATUS_UNREADABLE, reason);
      }
    } else if (known && known->size_bytes == info.st_size && known->mtime_ns == mtime_ns_of (&info)
               && known->status != LECTERN_STATUS_UNREADABLE) {
      done = TRUE;
      report_known (run, known);
    } else {
      ok = try_file (run, path, &info, known, attempt > 0, &done, error);
    }
  }
  lectern_document_free (known);
  return ok;
}

/* ---- what has vanished ---- */

/* Whether a document's file cannot be judged because its folder cannot be read or looks like an unmounted drive. */
static gboolean is_kept (const GPtrArray *folders, const char *path)
{
  for (guint i = 0; i < folders->len; i++) {
    g_autofree char *shown = lectern_path_to_utf8 (g_ptr_array_index (folders, i));
    if (lectern_path_is_below (path, shown))
      return TRUE;
  }
  return FALSE;
}

/* Tells about folders that are closed or empty though the library knows documents in them. */
static gboolean report_kept (Run *run, const GPtrArray *folders, const char *what, gboolean always, GError **error)
{
  for (guint i = 0; i < folders->len; i++) {
    g_autofree char *shown = lectern_path_to_utf8 (g_ptr_array_index (folders, i));
    g_autoptr (GPtrArray) below = lectern_library_list (run->library, shown, error);
    if (!below)
      return FALSE;
    if (below->len == 0 && !always)
      continue;
    g_autofree char *reason
        = below->len == 0
              ? g_strdup_printf ("The folder %s.", what)
              : g_strdup_printf ("The folder %s; its %u documents are kept (“remove” forgets them).", what, below->len);
    report_document (run, shown, LECTERN_STATUS_UNREADABLE, reason);
  }
  return TRUE;
}

static gboolean file_is_gone (const char *path)
{
  struct stat info;
  return lstat (path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* Forgets documents below the named folders whose file is gone. A path with bytes that are not UTF-8 is stored escaped,
 * so a document that this run has just seen is never asked for by its stored name. */
static gboolean forget_vanished (Run *run, const LecternScan *scan, GError **error)
{
  if (!report_kept (run, scan->closed, "cannot be read", TRUE, error)
      || !report_kept (run, scan->empty, "is empty, as if its drive were not there", FALSE, error))
    return FALSE;
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < scan->files->len; i++)
    g_hash_table_add (seen, lectern_path_to_utf8 (g_ptr_array_index (scan->files, i)));
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < scan->folders->len; i++) {
    g_autofree char *shown = lectern_path_to_utf8 (g_ptr_array_index (scan->folders, i));
    g_autoptr (GPtrArray) documents = lectern_library_list (run->library, shown, error);
    if (!documents)
      return FALSE;
    for (guint d = 0; d < documents->len; d++) {
      const LecternDocument *document = g_ptr_array_index (documents, d);
      if (!g_hash_table_add (seen, g_strdup (document->path)))
        continue;
      if (file_is_gone (document->path) && !is_kept (scan->closed, document->path)
          && !is_kept (scan->empty, document->path))
        g_array_append_val (ids, document->id);
    }
  }
  if (ids->len > 0 && !lectern_library_remove (run->library, (const gint64 *)(const void *)ids->data, ids->len, error))
    return FALSE;
  run->report->removed += ids->len;
  return TRUE;
}

static gboolean index_files (Run *run, const LecternScan *scan, LecternIndexProgress progress, gpointer user_data,
                             GError **error)
{
  for (guint i = 0; i < scan->files->len; i++) {
    const char *path = g_ptr_array_index (scan->files, i);
    if (g_cancellable_set_error_if_cancelled (run->cancellable, error) || !index_file (run, path, error))
      return FALSE;
    if (progress) {
      g_autofree char *shown = lectern_path_to_utf8 (path);
      progress (i + 1, scan->files->len, shown, user_data);
    }
  }
  /* Last, so that a file that was only moved finds its content still there. */
  if (!forget_vanished (run, scan, error))
    return FALSE;
  guint changed = run->report->added + run->report->updated;
  return changed < LARGE_RUN_DOCUMENTS || lectern_library_optimize (run->library, error);
}

LecternIndexReport *lectern_index (LecternLibrary *library, const char *const *paths,
                                   const LecternExtractLimits *limits, LecternIndexProgress progress,
                                   gpointer user_data, GCancellable *cancellable, GError **error)
{
  gint64 begin = g_get_monotonic_time ();
  LecternScan *scan = NULL;
  GError *problem = NULL;
  Run run = { .library = library, .limits = limits, .cancellable = cancellable };
  run.report = g_new0 (LecternIndexReport, 1);
  run.report->documents = g_ptr_array_new_with_free_func ((GDestroyNotify)indexed_document_free);
  if (lectern_scan_paths (paths, &scan, cancellable, &problem))
    index_files (&run, scan, progress, user_data, &problem);
  lectern_scan_free (scan);
  lectern_extractor_free (run.extractor);
  run.report->seconds = (double)(g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
  if (problem && !g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_clear_pointer (&run.report, lectern_index_report_free);
  if (problem)
    g_propagate_error (error, problem);
  return run.report;
}
