/* retrieval.h: the library on disk, search in it, and grounded answers from it.
 *
 * This is the only header of retrieval/ that the layers above include. A LecternLibrary is one folder with
 * library.db (SQLite, WAL). It holds *contents* (what a file says, once per distinct file content), the *documents* (paths)
 * that hold them, their *sections* and *chunks*, and a full-text index over the chunks.
 *
 * Threads: a LecternLibrary belongs to one thread at a time; open another one on the same folder for another thread
 * (one writer, any number of readers). Strings are UTF-8, NUL-terminated. Errors are GError in LECTERN_ERROR or
 * G_IO_ERROR (cancelled); messages are one sentence: what, where, what to do. */
#ifndef LECTERN_RETRIEVAL_H
#define LECTERN_RETRIEVAL_H

#include <gio/gio.h>

G_BEGIN_DECLS

#define LECTERN_ERROR (lectern_error_quark ())
GQuark lectern_error_quark (void);

typedef enum {
  LECTERN_ERROR_FAILED,
  LECTERN_ERROR_NOT_FOUND, /* no such document, library, model */
  LECTERN_ERROR_BUSY,      /* another program writes to the library */
  LECTERN_ERROR_DAMAGED,   /* the database does not pass its checks */
  LECTERN_ERROR_TOO_NEW,   /* written by a later version */
  LECTERN_ERROR_MODEL,     /* a model is missing or cannot run */
} LecternError;

/* ---- what a document is ---------------------------------------------------------------------------------- */

typedef enum {
  LECTERN_STATUS_INDEXED,
  LECTERN_STATUS_UNCHANGED, /* only reported by an indexing run, never stored */
  LECTERN_STATUS_ENCRYPTED,
  LECTERN_STATUS_NO_TEXT_LAYER,
  LECTERN_STATUS_DAMAGED,
  LECTERN_STATUS_EMPTY,
  LECTERN_STATUS_TOO_LARGE,
  LECTERN_STATUS_UNSUPPORTED,
  LECTERN_STATUS_UNREADABLE,
  LECTERN_STATUS_TIMED_OUT,
  LECTERN_N_STATUSES
} LecternStatus;

/* "indexed", "no text layer", …: the words of the command line contract. */
const char *lectern_status_to_string (LecternStatus status);
gboolean lectern_status_from_string (const char *word, LecternStatus *status);

/* What indexing noticed about a document and its reader should know: what was read how, and what was not. */
typedef enum {
  LECTERN_FINDING_PAGE_WITHOUT_TEXT, /* a page holds no text that could be read; amount: images on it */
  LECTERN_FINDING_PAGE_RECOGNIZED,   /* a page's text comes from text recognition; amount: mean confidence in % */
  LECTERN_FINDING_PAGE_DAMAGED,      /* a page could not be read */
  LECTERN_FINDING_DOUBTFUL_ORDER,    /* the order of reading on a page is a guess */
  LECTERN_FINDING_HIDDEN_TEXT,       /* amount: characters that nobody sees and that were left out; detail: how hidden */
  LECTERN_FINDING_BOILERPLATE,       /* amount: characters left out as navigation, running headers, …; detail: which */
  LECTERN_FINDING_CUT,               /* something beyond a limit was left out; detail: what */
  LECTERN_N_FINDING_KINDS
} LecternFindingKind;

typedef struct {
  LecternFindingKind kind;
  int page;       /* 0: the whole document */
  guint64 amount; /* 0 if the kind has none */
  char *detail;   /* in words, or NULL */
} LecternFinding;

LecternFinding *lectern_finding_new (LecternFindingKind kind, int page, guint64 amount, const char *detail);
void lectern_finding_free (LecternFinding *finding);
/* "page without text", "hidden text", … */
const char *lectern_finding_kind_to_string (LecternFindingKind kind);
/* Whether it is something that a person may want to act on, not just a note of how a document was read. */
gboolean lectern_finding_is_problem (const LecternFinding *finding);
/* One sentence; consecutive findings of one kind and detail on several pages are told together. Consumes *n of them,
 * beginning with findings[at]. */
char *lectern_findings_describe (const GPtrArray *findings, guint at, guint *n);

/* A rectangle on a page, in points from the page's top left corner. Pages count from 1. */
typedef struct {
  int page;
  float x, y, width, height;
} LecternRect;

/* Where bytes [start, start + length) of a text stand on a page; one line of print at most. */
typedef struct {
  guint32 start, length;
  LecternRect rect;
} LecternSpan;

typedef struct {
  int level;   /* 1 is the topmost */
  int parent;  /* index of the enclosing section, -1 for none */
  int page;    /* where its heading stands; 0 if the format has no pages */
  char *title;
} LecternSection;

typedef struct {
  int section;   /* index into the draft's sections, -1 before the first heading */
  int page;      /* first page, 0 if the format has no pages */
  int page_last;
  guint n_tokens;
  char *text;
  GArray *spans; /* of LecternSpan, offsets into text, ascending; empty for formats without pages */
} LecternChunk;

LecternChunk *lectern_chunk_new (void);
void lectern_chunk_free (LecternChunk *chunk);

/* What indexing hands to the library for one file. Its owner frees it; storing copies. */
typedef struct {
  char *path; /* absolute, canonical */
  gint64 size_bytes;
  gint64 mtime_ns;
  gint64 container_id; /* the document that it stands in; 0: a file of its own */
  char *hash; /* SHA-256 of the bytes, lower-case hex; NULL if the file could not be read */
  LecternStatus status;
  char *error; /* one sentence when status is not indexed, or NULL */
  char *title;
  char *type;     /* "pdf", "html", "markdown", "text" */
  char *language; /* BCP 47 primary tag ("en"), or NULL */
  char *author;   /* or NULL */
  char *date;     /* of the document, ISO 8601 ("2024-05-01"), or NULL */
  int n_pages;    /* 0 if the format has no pages */
  GPtrArray *sections; /* of LecternSection */
  GPtrArray *chunks;   /* of LecternChunk, in reading order */
  GPtrArray *warnings; /* of char * */
  GPtrArray *findings; /* of LecternFinding */
  guint reader;        /* the revision of the readers that the text comes from; 0 if it was not read */
} LecternDraft;

LecternDraft *lectern_draft_new (void);
void lectern_draft_free (LecternDraft *draft);

/* A stored document. */
typedef struct {
  gint64 id;
  char *path, *title, *type, *language, *error, *hash, *author, *date;
  int n_pages, n_chunks;
  LecternStatus status;
  gint64 size_bytes, mtime_ns;
  gint64 container_id; /* the document that it stands in; 0: a file */
  guint reader;        /* the revision of the readers that its text comes from; 0: of before revisions were kept */
} LecternDocument;

void lectern_document_free (LecternDocument *document);

/* ---- the library ----------------------------------------------------------------------------------------- */

typedef struct _LecternLibrary LecternLibrary;

typedef enum {
  LECTERN_LIBRARY_READ = 0,        /* fails with NOT_FOUND if there is none yet */
  LECTERN_LIBRARY_WRITE = 1 << 0,  /* creates and migrates; BUSY if another writer holds it */
} LecternLibraryFlags;

/* The default folder: $XDG_DATA_HOME/lectern. */
char *lectern_library_dup_default_dir (void);

LecternLibrary *lectern_library_open (const char *dir, LecternLibraryFlags flags, GError **error);
/* A private library in memory (for judging collections and tests). */
LecternLibrary *lectern_library_open_memory (GError **error);
void lectern_library_close (LecternLibrary *library);
const char *lectern_library_get_dir (LecternLibrary *library);

/* Stores the draft under its path in one transaction, replacing what the path held before. If a content with the same
 * hash is already there, only the path is added (draft->sections and chunks are then ignored). */
gboolean lectern_library_store (LecternLibrary *library, const LecternDraft *draft, gint64 *id, GError **error);
/* Several changes in one transaction: begin, any number of store and touch, end. If a change failed or `ok` is FALSE, all
 * of them are undone. */
gboolean lectern_library_begin_batch (LecternLibrary *library, GError **error);
gboolean lectern_library_end_batch (LecternLibrary *library, gboolean ok, GError **error);
/* Whether a content with that hash is stored, read by readers of that revision, and stands alone, without documents in it (so that it need not be extracted again). */
gboolean lectern_library_has_content (LecternLibrary *library, const char *hash, guint reader);
/* The file's mtime or size field changed but not its bytes. */
gboolean lectern_library_touch (LecternLibrary *library, gint64 id, gint64 size_bytes, gint64 mtime_ns, GError **error);
/* The document's file has that path now, which no other document may have. It and what stands in it keep their ids. */
gboolean lectern_library_move (LecternLibrary *library, gint64 id, const char *path, GError **error);
/* Forgets documents and those that stand in them; their text is overwritten on disk. */
gboolean lectern_library_remove (LecternLibrary *library, const gint64 *ids, gsize n_ids, GError **error);
/* After a large run: checkpoint, update the planner's statistics. */
gboolean lectern_library_optimize (LecternLibrary *library, GError **error);

LecternDocument *lectern_library_find_path (LecternLibrary *library, const char *path, GError **error); /* NULL, no error: none */
LecternDocument *lectern_library_find_id (LecternLibrary *library, gint64 id, GError **error);
/* Documents at or below `path` (NULL: all), by path; elements LecternDocument. */
GPtrArray *lectern_library_list (LecternLibrary *library, const char *path, GError **error);
/* Documents that stand in this one, by path; elements LecternDocument. */
GPtrArray *lectern_library_list_contained (LecternLibrary *library, gint64 id, GError **error);
/* What indexing noticed about a document; elements LecternFinding, by page. NULL on error. */
GPtrArray *lectern_library_list_findings (LecternLibrary *library, gint64 id, GError **error);
/* Sentences about it that fit no finding; NULL-terminated. NULL on error. */
char **lectern_library_dup_warnings (LecternLibrary *library, gint64 id, GError **error);

typedef struct {
  gint64 n_documents, n_indexed, n_failed, n_contents, n_chunks, n_pages;
  gint64 database_bytes, text_bytes;
  int schema_version;
  char *health; /* "ok", or what a quick check found */
} LecternLibraryStatus;

/* `check` runs the integrity checks of SQLite and of the full-text index (seconds on large libraries). */
LecternLibraryStatus *lectern_library_get_status (LecternLibrary *library, gboolean check, GError **error);
void lectern_library_status_free (LecternLibraryStatus *status);

/* ---- search ---------------------------------------------------------------------------------------------- */

typedef enum { LECTERN_SEARCH_HYBRID, LECTERN_SEARCH_KEYWORD, LECTERN_SEARCH_SEMANTIC } LecternSearchMode;

typedef struct {
  LecternSearchMode mode; /* HYBRID means the best that this library can do */
  guint limit;            /* 0: 10 */
  const char *in_path;    /* only documents at or below it; NULL: all */
} LecternSearchOptions;

/* A passage. */
typedef struct {
  guint rank; /* from 1 */
  double score; /* higher is better; comparable within one query only */
  gint64 document, chunk;
  char *path, *title;
  int page, page_last; /* 0 if the format has no pages */
  GStrv heading;       /* from the topmost section down; never NULL */
  char *text;
  GArray *spans; /* of LecternSpan, offsets into text */
} LecternResult;

void lectern_result_free (LecternResult *result);

/* Any text is a valid query. Elements LecternResult, best first; empty if nothing matches. */
GPtrArray *lectern_search (LecternLibrary *library, const char *query, const LecternSearchOptions *options,
                           GCancellable *cancellable, GError **error);

/* ---- text ------------------------------------------------------------------------------------------------ */

/* Primary language of a text ("en", "de", …), or NULL when it cannot be told; static string. */
const char *lectern_language_detect (const char *text, gssize length);

/* Sentence boundaries: appends {start, end} byte offsets (LecternRange) that cover every non-space byte of the text. */
typedef struct {
  guint32 start, end;
} LecternRange;
void lectern_sentences_split (const char *text, gssize length, const char *language, GArray *ranges);

/* About how many tokens a model will see; one pass, no vocabulary. */
guint lectern_count_tokens (const char *text, gssize length);

/* ---- models ---------------------------------------------------------------------------------------------- */

typedef struct {
  char *path, *name, *architecture, *role; /* role: "generator", "encoder", "reranker", "other" */
  char *reason;                            /* why it does not run; NULL when it does */
  gboolean runs;
  gint64 size_bytes, memory_bytes; /* memory: file plus a session of the default context */
  gint64 n_parameters;
} LecternModel;

void lectern_model_free (LecternModel *model);
/* Every *.gguf in `dir`/models, by name; elements LecternModel. A file that cannot be read is listed with its reason. */
GPtrArray *lectern_models_list (const char *dir);

/* The model among `models` (as lectern_models_list() gives them) that answers when nobody chose one: the first generator
 * that runs. NULL: there is none; borrowed. */
const LecternModel *lectern_models_find_generator (const GPtrArray *models);

/* A generator loaded for answering. */
typedef struct _LecternGenerator LecternGenerator;
LecternGenerator *lectern_generator_open (const char *path, int n_threads, GError **error);
/* That of lectern_models_find_generator() in `dir`/models. NULL without an error: there is none. */
LecternGenerator *lectern_generator_open_default (const char *dir, int n_threads, GError **error);
void lectern_generator_close (LecternGenerator *generator);
const char *lectern_generator_get_path (LecternGenerator *generator);

/* ---- saved sessions -------------------------------------------------------------------------------------- */

/* What generators have computed from the beginnings of prompts, in files that last longer than the program: what every
 * prompt of a model begins with, and each conversation's last passages. Each file is authenticated with a key of the
 * user's and bound to the model; any doubt means that it is removed and computed again. May vanish at any time. The
 * functions may be called from any thread; neither folder nor key is made before something is saved. */
typedef struct _LecternCache LecternCache;

/* quota_bytes 0: a tenth of the free space, at most 2 GB. */
LecternCache *lectern_cache_new (const char *dir, const char *key_path, guint64 quota_bytes);
/* In $XDG_CACHE_HOME/lectern/sessions, with the key in $XDG_STATE_HOME/lectern/session.key and the quota that
 * $LECTERN_CACHE_BYTES gives. If that is 0, or not a number, nothing is saved or used. */
LecternCache *lectern_cache_new_default (void);
LecternCache *lectern_cache_ref (LecternCache *cache);
void lectern_cache_unref (LecternCache *cache); /* NULL is allowed */

typedef struct {
  const char *dir; /* borrowed from the cache */
  guint n_files;
  guint64 n_bytes, quota_bytes;
} LecternCacheStatus;
void lectern_cache_get_status (LecternCache *cache, LecternCacheStatus *status);

/* Removes all saved sessions. FAILED, BUSY. */
gboolean lectern_cache_clear (LecternCache *cache, guint *n_removed, GError **error);

/* From now on the generator begins with what is saved. NULL (which it starts with): no. */
void lectern_generator_set_cache (LecternGenerator *generator, LecternCache *cache);
/* Saves what of its last prompt others will begin with. Does nothing without a cache, or if it is saved already; after
 * an answer that was shown, as it can take a second. Cancelling stops it within a few milliseconds, without a trace. */
void lectern_generator_save (LecternGenerator *generator, GCancellable *cancellable);

/* ---- answers --------------------------------------------------------------------------------------------- */

typedef struct {
  const char *in_path; /* as in LecternSearchOptions */
  guint max_tokens;    /* of the answer; 0: 400 */
  guint64 seed;
  gboolean no_speculation; /* the generator evaluates one token at a time: the answer is the same, later */
  /* Questions of one conversation: passages that the last one had, too, come first in the prompt and in the same order, so
   * that they need not be read again. NULL: the answer does not depend on what was asked before. */
  const char *conversation;
} LecternAskOptions;

typedef struct {
  char *text;
  GArray *citations; /* of guint: numbers n of sources */
  gboolean supported; /* the cited passages hold what it says */
} LecternSentence;

typedef struct {
  double search_ms, prefill_ms, first_token_ms, decode_ms;
  guint prompt_tokens, cached_tokens, generated_tokens;
  guint drafted_tokens, accepted_tokens; /* guessed from the passages, and of those the ones that came so */
} LecternTimings;

typedef struct {
  char *question, *answer;
  gboolean answered;  /* FALSE: the passages do not hold an answer; `answer` says so, sources are the nearest */
  gboolean generated; /* by a model; FALSE: extractive */
  GPtrArray *sentences; /* of LecternSentence */
  GPtrArray *sources;   /* of LecternResult; source n is element n - 1. What a generator reads is chosen by rank, but
                           stands in an order that repeats from question to question; `rank` tells which was nearest */
  LecternTimings timings;
} LecternAnswer;

void lectern_answer_free (LecternAnswer *answer);

/* Called on the calling thread with each piece of the answer's text as it comes. */
typedef void (*LecternAnswerFunc) (const char *delta, gpointer user_data);

/* Searches, reads and answers. `generator` NULL: extractive. Cancelling stops within 100 ms with G_IO_ERROR_CANCELLED. */
LecternAnswer *lectern_ask (LecternLibrary *library, LecternGenerator *generator, const char *question,
                            const LecternAskOptions *options, LecternAnswerFunc func, gpointer user_data,
                            GCancellable *cancellable, GError **error);

/* ---- conversations --------------------------------------------------------------------------------------- */

/* Questions to a library, one after the other, by whatever model it has; what can be computed before a question is sent
 * is. All functions may be called from any thread. */
typedef struct _LecternConversation LecternConversation;

typedef struct {
  const char *model;   /* the generator's file; NULL: lectern_generator_open_default() */
  const char *name;    /* of which a later one goes on from what this one saved; NULL: none does */
  LecternCache *cache; /* NULL: nothing is saved */
  guint pause_ms;      /* without a change of the text before it is prepared for; 0: at once */
} LecternConversationOptions;

/* Opens neither library nor model yet. */
LecternConversation *lectern_conversation_new (const char *library_dir, const LecternConversationOptions *options);
LecternConversation *lectern_conversation_ref (LecternConversation *self);
/* The last one stops what is under way, which leaves nothing behind, and waits for that. */
void lectern_conversation_unref (LecternConversation *self);

/* Tells what the user has typed so far, from the empty text on. Returns at once. In a thread of its own the conversation
 * loads the model and evaluates what every prompt begins with; after a pause it searches for the text and evaluates the
 * passages that are found. What is no longer of use is cancelled. Answers are the same with and without it. */
void lectern_conversation_prepare (LecternConversation *self, const char *text);

/* lectern_ask() with the library and model; `options` may be NULL, its conversation counts for nothing. What was
 * being prepared stops within one batch of tokens. Later questions wait for earlier ones. */
LecternAnswer *lectern_conversation_ask (LecternConversation *self, const char *question,
                                         const LecternAskOptions *options, LecternAnswerFunc func, gpointer user_data,
                                         GCancellable *cancellable, GError **error);

/* Waits until nothing is left to prepare or to save. */
void lectern_conversation_settle (LecternConversation *self);

/* ---- g_autoptr ------------------------------------------------------------------------------------------- */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternChunk, lectern_chunk_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternDraft, lectern_draft_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternDocument, lectern_document_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternLibrary, lectern_library_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternLibraryStatus, lectern_library_status_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternResult, lectern_result_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternModel, lectern_model_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternGenerator, lectern_generator_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternCache, lectern_cache_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternAnswer, lectern_answer_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternConversation, lectern_conversation_unref)

G_END_DECLS

#endif
