#include "retrieval/search/rank.h"

#include <math.h>
#include <string.h>

#include "retrieval/library/database.h"
#include "retrieval/search/fts_tokenizer.h"

enum { TITLE, HEADING, BODY, N_FIELDS };
enum { CANCEL_INTERVAL = 256 };

const LecternRankParameters lectern_rank_defaults = {
  .k1 = 1.3,
  .b = 0.45,
  .title = 2.0,
  .heading = 1.5,
  .joined = 0.5,
  .phrase = 1.0,
  .repetition = 1.0,
  .context = 0.15,
  .window = 2,
  .context_b = 0.45,
  .tiered = 4,
  .tiered_question = 2,
  .coverage = 0.0,
};

/* How often one term stands in the fields of one passage. */
typedef struct {
  guint16 term;
  guint16 counts[N_FIELDS];
} Posting;

typedef struct {
  gint64 chunk;
  guint32 first_posting, n_postings;
  guint32 range;  /* index of its content in the ranges */
  guint32 length; /* index in the lengths */
} Row;

typedef struct {
  GArray *rows, *postings;
  guint n_terms;
  const LecternLengths *lengths;
  double mean_length; /* of a passage, fields weighted */
} Collection;

/* lectern_collect (chunks_fts, pointer): called once per matching passage. */
static void collect (const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *context, int n_values,
                     sqlite3_value **values)
{
  Collection *collection = n_values == 1 ? sqlite3_value_pointer (values[0], "lectern-collection") : NULL;
  Row row = { .chunk = api->xRowid (fts) };
  int rc = SQLITE_OK;
  if (!collection) {
    sqlite3_result_error (context, "lectern_collect is internal", -1);
    return;
  }
  row.first_posting = collection->postings->len;
  guint n_terms = MIN (collection->n_terms, (guint)api->xPhraseCount (fts));
  for (guint t = 0; t < n_terms && rc == SQLITE_OK; t++) {
    Fts5PhraseIter iterator;
    Posting posting = { .term = (guint16)t };
    int column, offset;
    rc = api->xPhraseFirst (fts, (int)t, &iterator, &column, &offset);
    if (rc != SQLITE_OK || column < 0)
      continue;
    for (; column >= 0; api->xPhraseNext (fts, &iterator, &column, &offset))
      if (column < N_FIELDS && posting.counts[column] < G_MAXUINT16)
        posting.counts[column]++;
    g_array_append_val (collection->postings, posting);
  }
  if (rc != SQLITE_OK) {
    sqlite3_result_error_code (context, rc);
    return;
  }
  row.n_postings = collection->postings->len - row.first_posting;
  g_array_append_val (collection->rows, row);
}

int lectern_rank_register (sqlite3 *db)
{
  fts5_api *api = lectern_fts_get_api (db);
  return api ? api->xCreateFunction (api, "lectern_collect", NULL, collect, NULL) : SQLITE_ERROR;
}

static gboolean run (sqlite3 *db, const char *match, Collection *collection, GCancellable *cancellable, GError **error)
{
  g_autoptr (LecternStatement) statement = lectern_database_prepare (
      db, "SELECT lectern_collect (chunks_fts, ?2) FROM chunks_fts WHERE chunks_fts MATCH ?1", error);
  if (!statement)
    return FALSE;
  lectern_bind_text (statement, 1, match);
  sqlite3_bind_pointer (statement, 2, collection, "lectern-collection", NULL);
  int rc;
  for (guint n = 0; (rc = sqlite3_step (statement)) == SQLITE_ROW; n++)
    if (n % CANCEL_INTERVAL == 0 && g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
  return rc == SQLITE_DONE || lectern_database_fail (db, "Searching the library", error);
}

/* Both are ascending by chunk id; rows of no range (deleted meanwhile) get the number of ranges. */
static void assign_ranges (Collection *collection, const GArray *ranges)
{
  guint at = 0;
  for (guint i = 0; i < collection->rows->len; i++) {
    Row *row = &g_array_index (collection->rows, Row, i);
    while (at < ranges->len
           && g_array_index (ranges, LecternChunkRange, at).first_chunk
                      + g_array_index (ranges, LecternChunkRange, at).n_chunks
                  <= row->chunk)
      at++;
    gboolean inside = at < ranges->len && g_array_index (ranges, LecternChunkRange, at).first_chunk <= row->chunk;
    row->range = inside ? at : ranges->len;
    if (inside) {
      const LecternChunkRange *range = &g_array_index (ranges, LecternChunkRange, at);
      row->length = range->first_length + (guint32)(row->chunk - range->first_chunk);
    }
  }
}

static double *compute_idf (const Collection *collection, const LecternQuery *query,
                            const LecternRankParameters *parameters, double n_chunks)
{
  double *idf = g_new0 (double, MAX (collection->n_terms, 1));
  double n = n_chunks;
  for (guint i = 0; i < collection->postings->len; i++)
    idf[g_array_index (collection->postings, Posting, i).term] += 1;
  for (guint t = 0; t < collection->n_terms; t++) {
    const LecternQueryTerm *term = &g_array_index (query->terms, LecternQueryTerm, t);
    double weight = term->kind == LECTERN_QUERY_JOINED   ? parameters->joined
                    : term->kind == LECTERN_QUERY_PHRASE ? parameters->phrase
                                                         : 1.0;
    idf[t] = weight * pow (term->count, parameters->repetition) * log (1.0 + (n - idf[t] + 0.5) / (idf[t] + 0.5));
  }
  return idf;
}

static double field_length (const LecternRankParameters *p, const LecternLengths *lengths)
{
  return p->title * lengths->title + p->heading * lengths->heading + lengths->body;
}

static double compute_mean_length (const GArray *lengths, const LecternRankParameters *p)
{
  double sum = 0;
  for (guint i = 0; i < lengths->len; i++)
    sum += field_length (p, &g_array_index (lengths, LecternLengths, i));
  return MAX (sum / MAX (lengths->len, 1), 1.0);
}

static double saturate (double tf, double norm, double k1)
{
  return tf * (k1 + 1.0) / (tf + k1 * norm);
}

static double score_row (const Collection *collection, guint index, const LecternRankParameters *p, const double *idf,
                         double total_idf)
{
  const Row *rows = (const Row *)(void *)collection->rows->data, *row = &rows[index];
  double norm = 1.0 - p->b + p->b * field_length (p, &collection->lengths[row->length]) / collection->mean_length;
  double score = 0, covered = 0, around = 0, around_length = 0;
  double window_tf[LECTERN_QUERY_MAX_TERMS + LECTERN_QUERY_MAX_PHRASES] = { 0 };
  const Posting *postings = (const Posting *)(void *)collection->postings->data + row->first_posting;
  for (guint i = 0; i < row->n_postings; i++) {
    const Posting *posting = &postings[i];
    double tf = p->title * posting->counts[TITLE] + p->heading * posting->counts[HEADING] + posting->counts[BODY];
    score += idf[posting->term] * saturate (tf, norm, p->k1);
    covered += idf[posting->term];
  }
  if (p->context > 0) {
    guint first = index, last = index;
    while (first > 0 && rows[first - 1].range == row->range && row->chunk - rows[first - 1].chunk <= p->window)
      first--;
    while (last + 1 < collection->rows->len && rows[last + 1].range == row->range
           && rows[last + 1].chunk - row->chunk <= p->window)
      last++;
    for (guint r = first; r <= last; r++) {
      const Posting *other = (const Posting *)(void *)collection->postings->data + rows[r].first_posting;
      around_length += collection->lengths[rows[r].length].body;
      /* Every passage of a document has its title: that counts once. */
      for (guint i = 0; i < rows[r].n_postings; i++)
        window_tf[other[i].term] += other[i].counts[BODY] + (r == index ? p->title * other[i].counts[TITLE] : 0)
                                    + (r == index ? p->heading * other[i].counts[HEADING] : 0);
    }
    around_length += field_length (p, &collection->lengths[row->length]) - collection->lengths[row->length].body;
    double around_norm = 1.0 - p->context_b + p->context_b * around_length / collection->mean_length;
    for (guint t = 0; t < collection->n_terms; t++)
      if (window_tf[t] > 0)
        around += idf[t] * saturate (window_tf[t], around_norm, p->k1);
  }
  score += p->context * around;
  if (total_idf > 0)
    score *= 1.0 + p->coverage * covered / total_idf;
  return score;
}

static gboolean has_phrases (const Collection *collection, const Row *row, const LecternQuery *query)
{
  const Posting *postings = (const Posting *)(void *)collection->postings->data + row->first_posting;
  guint i = 0;
  for (guint t = 0; t < query->terms->len; t++) {
    if (g_array_index (query->terms, LecternQueryTerm, t).kind != LECTERN_QUERY_PHRASE)
      continue;
    while (i < row->n_postings && postings[i].term < t)
      i++;
    if (i >= row->n_postings || postings[i].term != t)
      return FALSE;
  }
  return TRUE;
}

/* ---- all terms first ------------------------------------------------------------------------------------- */

static gboolean is_asked_for (const LecternQueryTerm *term)
{
  return term->kind == LECTERN_QUERY_WORD || term->kind == LECTERN_QUERY_BIGRAM;
}

/* Marks the terms that the row holds, those of a compound that it holds in one piece included. */
static void mark_held (const Collection *collection, const Row *row, const LecternQuery *query, gboolean *held)
{
  const Posting *postings = (const Posting *)(void *)collection->postings->data + row->first_posting;
  memset (held, 0, sizeof *held * query->terms->len);
  for (guint i = 0; i < row->n_postings; i++)
    held[postings[i].term] = TRUE;
  for (guint t = 0; t < query->terms->len; t++) {
    guint whole = g_array_index (query->terms, LecternQueryTerm, t).whole;
    held[t] = held[t] || (whole && held[whole - 1]);
  }
}

/* Moves the rows that lack a term that others hold below those that lack none. `scores`: per row, negative if not a result. */
static void put_complete_first (const Collection *collection, const LecternQuery *query, int max_terms, double *scores)
{
  gboolean held[LECTERN_QUERY_MAX_TERMS + LECTERN_QUERY_MAX_PHRASES], known[G_N_ELEMENTS (held)] = { 0 };
  int n_asked = 0;
  for (guint t = 0; t < query->terms->len; t++)
    n_asked += is_asked_for (&g_array_index (query->terms, LecternQueryTerm, t));
  if (n_asked < 2 || n_asked > max_terms)
    return;
  const GArray *rows = collection->rows;
  for (guint i = 0; i < rows->len; i++) {
    mark_held (collection, &g_array_index (rows, Row, i), query, held);
    for (guint t = 0; t < query->terms->len && scores[i] >= 0; t++)
      known[t] = known[t] || held[t];
  }
  g_autofree gboolean *complete = g_new0 (gboolean, MAX (rows->len, 1));
  double lowest = -1, highest = 0;
  for (guint i = 0; i < rows->len; i++) {
    if (scores[i] < 0)
      continue;
    mark_held (collection, &g_array_index (rows, Row, i), query, held);
    complete[i] = TRUE;
    for (guint t = 0; t < query->terms->len; t++)
      if (is_asked_for (&g_array_index (query->terms, LecternQueryTerm, t)) && known[t] && !held[t])
        complete[i] = FALSE;
    if (!complete[i])
      highest = MAX (highest, scores[i]);
    else if (lowest < 0 || scores[i] < lowest)
      lowest = scores[i];
  }
  if (lowest < 0 || highest < lowest)
    return;
  for (guint i = 0; i < rows->len; i++)
    if (scores[i] >= 0 && !complete[i])
      scores[i] *= 0.999 * lowest / highest;
}

/* ---- the best ones --------------------------------------------------------------------------------------- */

static gboolean is_better (const LecternRanked *a, const LecternRanked *b)
{
  return a->score > b->score || (a->score == b->score && a->chunk < b->chunk);
}

/* A heap whose root is the worst of the kept ones. */
static void heap_sift (LecternRanked *heap, guint n, guint at)
{
  for (;;) {
    guint worst = at, left = 2 * at + 1;
    for (guint child = left; child < left + 2 && child < n; child++)
      if (is_better (&heap[worst], &heap[child]))
        worst = child;
    if (worst == at)
      return;
    LecternRanked other = heap[at];
    heap[at] = heap[worst];
    heap[worst] = other;
    at = worst;
  }
}

static void heap_offer (GArray *best, guint limit, const LecternRanked *ranked)
{
  LecternRanked *heap = (LecternRanked *)(void *)best->data;
  if (best->len < limit) {
    g_array_append_vals (best, ranked, 1);
    heap = (LecternRanked *)(void *)best->data;
    if (best->len == limit)
      for (guint i = limit / 2 + 1; i-- > 0;)
        heap_sift (heap, limit, i);
  } else if (is_better (ranked, &heap[0])) {
    heap[0] = *ranked;
    heap_sift (heap, limit, 0);
  }
}

static int compare_ranked (gconstpointer a, gconstpointer b)
{
  return is_better (a, b) ? -1 : is_better (b, a) ? 1 : 0;
}

GArray *lectern_rank (sqlite3 *db, const LecternQuery *query, const LecternRankParameters *parameters,
                      const LecternCorpus *corpus, guint limit, GCancellable *cancellable, GError **error)
{
  g_autoptr (GArray) best = g_array_new (FALSE, FALSE, sizeof (LecternRanked));
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (Row));
  g_autoptr (GArray) postings = g_array_new (FALSE, FALSE, sizeof (Posting));
  const GArray *ranges = corpus->ranges;
  Collection collection = { .rows = rows,
                            .postings = postings,
                            .n_terms = query->terms->len,
                            .lengths = (const LecternLengths *)(const void *)corpus->lengths->data,
                            .mean_length = compute_mean_length (corpus->lengths, parameters) };
  double total_idf = 0;
  if (query->terms->len == 0 || limit == 0)
    return g_steal_pointer (&best);
  if (!run (db, query->match, &collection, cancellable, error))
    return NULL;
  assign_ranges (&collection, ranges);
  g_autofree double *idf = compute_idf (&collection, query, parameters, corpus->lengths->len);
  for (guint t = 0; t < collection.n_terms; t++)
    total_idf += idf[t];
  g_autofree double *scores = g_new (double, MAX (rows->len, 1));
  for (guint i = 0; i < rows->len; i++) {
    const Row *row = &g_array_index (rows, Row, i);
    gboolean allowed = row->range < ranges->len && g_array_index (ranges, LecternChunkRange, row->range).allowed
                       && (!query->strict || has_phrases (&collection, row, query));
    scores[i] = allowed ? score_row (&collection, i, parameters, idf, total_idf) : -1;
  }
  put_complete_first (&collection, query, query->keywords ? parameters->tiered : parameters->tiered_question, scores);
  for (guint i = 0; i < rows->len; i++) {
    const Row *row = &g_array_index (rows, Row, i);
    if (scores[i] < 0)
      continue;
    LecternRanked ranked = { row->chunk, g_array_index (ranges, LecternChunkRange, row->range).content, scores[i] };
    heap_offer (best, limit, &ranked);
  }
  g_array_sort (best, compare_ranked);
  return g_steal_pointer (&best);
}
