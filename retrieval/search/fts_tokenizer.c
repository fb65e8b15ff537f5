#include "retrieval/search/fts_tokenizer.h"

#include <string.h>

#include "retrieval/search/normalise.h"
#include "retrieval/search/words.h"

enum { MAX_LANGUAGES = 16, MAX_STEMS = 2 * MAX_LANGUAGES };

typedef int (*TokenFunc) (void *, int, const char *, int, int, int);

/* One text being tokenized. */
typedef struct {
  LecternNormaliser *normaliser;
  void *context;
  TokenFunc emit;
  int languages[MAX_LANGUAGES];
  guint n_languages;
  gsize prefix_length;
  gboolean whole; /* the text is one term */
} Job;

/* Emits the distinct stems of a word, all at one position: a new one unless `colocated`. */
static int emit_word (Job *job, const char *word, gsize length, gsize start, gsize end, gboolean colocated)
{
  LecternTokens stems[MAX_LANGUAGES];
  const char *seen[MAX_STEMS];
  guint lengths[MAX_STEMS], n_seen = 0;
  start += job->prefix_length;
  end += job->prefix_length;
  for (guint i = 0; i < job->n_languages; i++) {
    lectern_normalise (job->normaliser, job->languages[i], word, length, &stems[i]);
    for (guint j = 0; j < stems[i].n; j++) {
      const char *bytes = stems[i].tokens[j].bytes;
      guint n = stems[i].tokens[j].length, k = 0;
      while (k < n_seen && !(lengths[k] == n && !memcmp (seen[k], bytes, n)))
        k++;
      if (k < n_seen)
        continue;
      seen[n_seen] = bytes;
      lengths[n_seen++] = n;
      int rc = job->emit (job->context, colocated ? FTS5_TOKEN_COLOCATED : 0, bytes, (int)n, (int)start, (int)end);
      if (rc != SQLITE_OK)
        return rc;
      colocated = TRUE;
    }
  }
  return SQLITE_OK;
}

static int emit_compound (Job *job, const LecternWalker *walker, const LecternWord *word, gboolean query)
{
  gboolean first = TRUE;
  char joined[LECTERN_WORD_MAX_BYTES];
  for (guint i = 0; i < word->n_parts; i++) {
    if (lectern_word_part_is_clitic (walker, word, i))
      continue;
    gsize start = word->parts[i].start, end = word->parts[i].end;
    int rc = emit_word (job, walker->text + start, end - start, start, end, FALSE);
    gsize n = first && !query ? lectern_word_join (walker, word, joined) : 0;
    if (rc == SQLITE_OK && n > 0)
      rc = emit_word (job, joined, n, word->start, word->end, TRUE);
    if (rc != SQLITE_OK)
      return rc;
    first = FALSE;
  }
  return SQLITE_OK;
}

static int emit_ngrams (Job *job, const LecternWalker *walker, const LecternWord *word, gboolean query)
{
  for (gsize pos = word->start; pos < word->end;) {
    const char *p = walker->text + pos;
    gsize length = lectern_char_length (p, word->end - pos), next = pos + length;
    gsize pair = next < word->end ? length + lectern_char_length (walker->text + next, word->end - next) : 0;
    int rc = SQLITE_OK;
    /* A query names the pair alone, the last character by itself. */
    if (!query || !pair)
      rc = emit_word (job, p, length, pos, next, FALSE);
    if (rc == SQLITE_OK && pair)
      rc = emit_word (job, p, pair, pos, pos + pair, !query);
    if (rc != SQLITE_OK)
      return rc;
    pos = next;
  }
  return SQLITE_OK;
}

static void read_prefix (Job *job, const char *text, gsize length)
{
  gsize pos = 1, begin;
  job->languages[0] = lectern_normaliser_find_language ("", 0);
  job->n_languages = 1;
  if (length < 2 || text[0] != LECTERN_TEXT_MARK[0])
    return;
  const char *close = memchr (text + 1, LECTERN_TEXT_MARK[0], MIN (length - 1, 256));
  if (!close)
    return;
  job->prefix_length = (gsize)(close - text) + 1;
  job->whole = text[pos] == '=';
  pos += job->whole;
  job->n_languages = 0;
  for (begin = pos; job->n_languages < MAX_LANGUAGES; pos++)
    if (text[pos] == ',' || text + pos == close) {
      job->languages[job->n_languages++] = lectern_normaliser_find_language (text + begin, (gssize)(pos - begin));
      begin = pos + 1;
      if (text + pos == close)
        break;
    }
}

static int tokenize (Fts5Tokenizer *tokenizer, void *context, int flags, const char *text, int length, TokenFunc emit)
{
  Job job = { .normaliser = (LecternNormaliser *)tokenizer, .context = context, .emit = emit };
  gboolean query = (flags & FTS5_TOKENIZE_QUERY) != 0;
  LecternWord word;
  if (!text || length <= 0)
    return SQLITE_OK;
  read_prefix (&job, text, (gsize)length);
  LecternWalker walker = { text + job.prefix_length, (gsize)length - job.prefix_length, 0 };
  if (job.whole && query)
    return emit_word (&job, walker.text, walker.length, 0, walker.length, FALSE);
  while (lectern_walker_next (&walker, &word)) {
    int rc;
    if (word.ngram)
      rc = emit_ngrams (&job, &walker, &word, query);
    else if (word.n_parts > 1)
      rc = emit_compound (&job, &walker, &word, query);
    else
      rc = emit_word (&job, walker.text + word.start, word.end - word.start, word.start, word.end, FALSE);
    if (rc != SQLITE_OK)
      return rc;
  }
  return SQLITE_OK;
}

static int create (void *context, const char **args, int n_args, Fts5Tokenizer **out)
{
  *out = (Fts5Tokenizer *)lectern_normaliser_new ();
  return SQLITE_OK;
}

static void destroy (Fts5Tokenizer *tokenizer)
{
  lectern_normaliser_free ((LecternNormaliser *)tokenizer);
}

fts5_api *lectern_fts_get_api (sqlite3 *db)
{
  fts5_api *api = NULL;
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2 (db, "SELECT fts5(?1)", -1, &statement, NULL) == SQLITE_OK) {
    sqlite3_bind_pointer (statement, 1, &api, "fts5_api_ptr", NULL);
    sqlite3_step (statement);
  }
  sqlite3_finalize (statement);
  return api;
}

int lectern_fts_tokenizer_register (sqlite3 *db)
{
  fts5_api *api = lectern_fts_get_api (db);
  fts5_tokenizer methods = { create, destroy, tokenize };
  if (!api)
    return SQLITE_ERROR;
  return api->xCreateTokenizer (api, "lectern", NULL, &methods, NULL);
}
