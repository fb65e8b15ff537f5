/* ingest.h: files to blocks to chunks to the library.
 *
 * This is the only header of ingest/ that the layers above include. Untrusted bytes are parsed in the lectern-extract
 * process only (ingest/extract/); this library talks to it over length-checked frames, cuts what comes back into
 * chunks, and stores one document per transaction. Errors are GError; a document that cannot be read is not an error
 * but a status. */
#ifndef LECTERN_INGEST_H
#define LECTERN_INGEST_H

#include "retrieval/retrieval.h"

G_BEGIN_DECLS

/* ---- blocks ---------------------------------------------------------------------------------------------- */

typedef enum {
  LECTERN_BLOCK_HEADING, /* level 1 to 6 */
  LECTERN_BLOCK_PARAGRAPH,
  LECTERN_BLOCK_LIST_ITEM, /* level: nesting from 1 */
  LECTERN_BLOCK_TABLE_ROW, /* cells separated by " | "; level 1: a header row, 0: a body row */
  LECTERN_BLOCK_CODE,      /* line breaks are kept */
  LECTERN_BLOCK_CAPTION,
  LECTERN_N_BLOCK_KINDS
} LecternBlockKind;

const char *lectern_block_kind_to_string (LecternBlockKind kind); /* "heading", "paragraph", "list item", … */

typedef struct {
  LecternBlockKind kind;
  int level;
  int page;      /* where it begins, from 1; 0 if the format has no pages */
  char *text;    /* UTF-8, white space normalised (except code) */
  GArray *spans; /* of LecternSpan: about one per word, offsets into text; empty without pages */
} LecternBlock;

void lectern_block_free (LecternBlock *block);

/* ---- extraction ------------------------------------------------------------------------------------------ */

typedef struct {
  guint timeout_ms;     /* 0: 60 000 plus what the file's size asks for */
  guint64 memory_bytes; /* 0: 1 GiB of address space beyond the start */
  gboolean no_recognition; /* pages that are images stay without text; otherwise each page recognised gives more time */
} LecternExtractLimits;

/* A document that stands in another one: a file attached to a mail. */
typedef struct {
  char *name; /* as its container gives it: one line, perhaps empty, not to be trusted as a path */
  GBytes *bytes;
} LecternAttachment;

void lectern_attachment_free (LecternAttachment *attachment);

typedef struct {
  LecternStatus status;
  char *error; /* one sentence unless indexed */
  char *type, *title, *language;
  char *author, *date; /* or NULL; the date in ISO 8601 */
  int n_pages;
  GPtrArray *blocks;      /* of LecternBlock, in reading order; empty if all that it holds is attachments */
  GPtrArray *warnings;    /* of char * */
  GPtrArray *findings;    /* of LecternFinding */
  GPtrArray *attachments; /* of LecternAttachment */
} LecternExtraction;

void lectern_extraction_free (LecternExtraction *extraction);

/* A running extractor, reused from document to document. One thread. */
typedef struct _LecternExtractor LecternExtractor;
LecternExtractor *lectern_extractor_new (GError **error); /* finds and starts lectern-extract */
void lectern_extractor_free (LecternExtractor *extractor);

/* Always returns what happened as a status; NULL only if cancelled or if lectern-extract itself cannot run. */
LecternExtraction *lectern_extractor_extract (LecternExtractor *extractor, const char *path,
                                              const LecternExtractLimits *limits, GCancellable *cancellable,
                                              GError **error);

/* What keeps a reader that a document has taken over from doing harm. */
typedef enum {
  LECTERN_PROTECTION_FILES, /* Landlock: no file but the document and the system's fonts and encodings; without it, seccomp: none */
  LECTERN_PROTECTION_NETWORK,      /* no socket of any kind */
  LECTERN_PROTECTION_SYSTEM_CALLS, /* seccomp: only those that reading needs; no program, no process */
  LECTERN_PROTECTION_SIGNALS,      /* Landlock: no signal to another process, also if seccomp is missing */
  LECTERN_PROTECTION_PRIVILEGES,   /* no capabilities and no way to new ones */
  LECTERN_PROTECTION_NOT_DUMPABLE, /* no tracing, no core file */
  LECTERN_PROTECTION_LIMITS,       /* memory, processor time, descriptors, no writing of files, no processes */
  LECTERN_PROTECTION_DESCRIPTORS,  /* nothing open but the document and the answer */
  LECTERN_N_PROTECTIONS
} LecternProtection;

/* "files", "network", …, and what a reader is kept from, to follow "A reader ". */
const char *lectern_protection_to_string (LecternProtection protection);
const char *lectern_protection_describe (LecternProtection protection);

typedef struct {
  gboolean active[LECTERN_N_PROTECTIONS];
  int landlock_abi; /* of the kernel; 0: it has no Landlock */
} LecternProtections;

/* Asks a child of lectern-extract which protections it has entered: some kernels and containers lack some, and the rest
 * stay active then. FALSE if lectern-extract cannot run. */
gboolean lectern_extractor_get_protections (LecternExtractor *extractor, LecternProtections *protections,
                                            GError **error);

/* The same for bytes that have no file of their own; `name` hints at the format. */
LecternExtraction *lectern_extractor_extract_bytes (LecternExtractor *extractor, GBytes *bytes, const char *name,
                                                    const LecternExtractLimits *limits, GCancellable *cancellable,
                                                    GError **error);

/* Removes what is kept of the pages of a document that were recognised. Its text must not outlive it.
 * path: as it is, or as the library stores it. */
void lectern_recognition_forget (const char *path);

/* A path as the library stores and shows it: as it is when it is UTF-8, otherwise with each byte that is not as "\xNN". */
char *lectern_path_to_utf8 (const char *path);

/* Whether a file name is of a format that folders are searched for. */
gboolean lectern_format_is_known (const char *path);

/* ---- chunks ---------------------------------------------------------------------------------------------- */

/* Cuts blocks into sections and chunks (ingest/chunk/chunker.c says how) and appends them to the draft. */
void lectern_chunk_blocks (const GPtrArray *blocks, const char *language, LecternDraft *draft);

/* ---- indexing -------------------------------------------------------------------------------------------- */

typedef struct {
  char *path;
  LecternStatus status;
  char *error; /* NULL when indexed or unchanged */
} LecternIndexedDocument;

typedef struct {
  guint added, updated, unchanged, failed, removed; /* documents; one that failed in an earlier run and has not changed
                                                       is not read again, and counts as failed; those that stand in
                                                       others count, too */
  guint64 chunks, pages;                            /* stored by this run */
  double seconds;
  GPtrArray *documents; /* of LecternIndexedDocument, by path */
} LecternIndexReport;

void lectern_index_report_free (LecternIndexReport *report);

/* done of total documents; `path` is the one just finished. Called on the indexing thread. */
typedef void (*LecternIndexProgress) (guint done, guint total, const char *path, gpointer user_data);

/* Indexes files and folders (recursively): only what is new or changed by size, mtime and content hash; documents below
 * a given folder whose file has vanished are forgotten. Files are read side by side on the cores that this process may
 * use. A run that is cancelled (the report is returned, *error is G_IO_ERROR_CANCELLED) keeps all finished documents; one
 * that is killed loses at most the last two seconds of them. The next run goes on from there. */
LecternIndexReport *lectern_index (LecternLibrary *library, const char *const *paths, const LecternExtractLimits *limits,
                                   LecternIndexProgress progress, gpointer user_data, GCancellable *cancellable,
                                   GError **error);

/* ---- watching folders ------------------------------------------------------------------------------------ */

/* Which folders are watched for a library, in its file "folders". A running service notices changes of it. */
GPtrArray *lectern_watch_list (const char *library_dir, GError **error); /* of char *, in the file system's bytes */
/* Folders that are watched already are no error, and not counted. NOT_FOUND, FAILED: nothing was added. */
gboolean lectern_watch_add (const char *library_dir, const char *const *paths, guint *n_added, GError **error);
/* Their documents stay in the library. NOT_FOUND: one of them is not watched, and nothing was removed. */
gboolean lectern_watch_remove (const char *library_dir, const char *const *paths, guint *n_removed, GError **error);

typedef struct {
  guint rescan_s;    /* how often folders that cannot be watched are looked through; 0: 600 */
  guint max_watches; /* folders that are watched by notification at most; 0: as many as the system lets us */
} LecternWatchOptions;

/* One batch that was indexed. */
typedef struct {
  guint added, updated, moved, removed, failed;
  double seconds;
} LecternWatchBatch;

/* Called on the thread of lectern_watch_run(). */
typedef void (*LecternWatchFunc) (const LecternWatchBatch *batch, gpointer user_data);

/* Watches the folders of the library and keeps it up to date until it is told to stop over D-Bus or cancelled; both are
 * no error. Answers over D-Bus (data/org.lectern.Indexer1.xml) on a private socket, and as org.lectern.Indexer1 on the
 * session bus if there is one and nobody has the name. BUSY: another service does this for the library. Only one in a
 * process at a time, on the thread of the default main context. */
gboolean lectern_watch_run (const char *library_dir, const LecternWatchOptions *options, LecternWatchFunc func,
                            gpointer user_data, GCancellable *cancellable, GError **error);

/* What the service of a library says of itself. */
typedef struct {
  char *state;          /* "starting", "idle", "indexing", "waiting" (for another writer), "paused", "stopping" */
  char *paused_because; /* a sentence; "" unless paused */
  char *current;        /* the document that was worked on last; "" if none */
  guint64 documents;    /* in the library */
  guint64 pending;      /* files that are still to be looked at, as far as known */
  GStrv problems;       /* sentences */
  GStrv folders, folder_states; /* "watched", "looked through every 600 s", "missing", … */
} LecternWatchStatus;

void lectern_watch_status_free (LecternWatchStatus *status);

/* These talk to the service. NOT_FOUND: none runs for this library. */
LecternWatchStatus *lectern_watch_get_status (const char *library_dir, GCancellable *cancellable, GError **error);
/* "Pause", "Resume", "Rescan", or "Stop", which returns when the service has ended. */
gboolean lectern_watch_call (const char *library_dir, const char *method, GCancellable *cancellable, GError **error);

/* ---- g_autoptr ------------------------------------------------------------------------------------------- */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternBlock, lectern_block_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternExtraction, lectern_extraction_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternExtractor, lectern_extractor_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternIndexReport, lectern_index_report_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternWatchStatus, lectern_watch_status_free)

G_END_DECLS

#endif
