/* evaluation.h: a judged collection (documents, queries, which document answers which) and how well a ranking does on it.
 *
 * docs.jsonl holds {"id", "title", "text"} per line, queries.jsonl {"id", "text"}, qrels.tsv query TAB document TAB grade.
 * nDCG takes the grade as gain and log2 (rank + 1) as discount (trec_eval's ndcg_cut); queries without a relevant document
 * are left out of the means. */
#ifndef LECTERN_EVALUATION_H
#define LECTERN_EVALUATION_H

#include "ingest/ingest.h"

typedef struct {
  char *id, *title, *text; /* queries have no title */
} JudgedText;

typedef struct {
  GPtrArray *documents, *queries; /* of JudgedText */
  GHashTable *grades;             /* query id → GHashTable of document id → GINT grade */
} JudgedCollection;

JudgedCollection *judged_collection_load (const char *documents, const char *queries, const char *grades,
                                          GError **error);
void judged_collection_free (JudgedCollection *collection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JudgedCollection, judged_collection_free)

/* Cuts the documents into chunks as files are and stores them. Document i gets the path "/i" (judged_collection_find). */
gboolean judged_collection_index (const JudgedCollection *collection, LecternLibrary *library,
                                  GCancellable *cancellable, GError **error);
/* The judged document stored at `path`. */
const JudgedText *judged_collection_find (const JudgedCollection *collection, const char *path);

typedef struct {
  guint n_queries;
  double ndcg_10, mrr_10, recall_100; /* sums over the queries */
} JudgedScores;

/* Adds one query's ranking: `ranked` holds distinct document ids (char *), best first. FALSE if the query has no relevant
 * document, and nothing was added. */
gboolean judged_scores_add (JudgedScores *scores, const JudgedCollection *collection, const char *query,
                            const GPtrArray *ranked);

#endif
