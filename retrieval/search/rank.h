/* rank.h: from the matches of a query to the best passages.
 *
 * One pass over FTS5's matches collects, per passage, how often each term stands in its title, heading path and body; all
 * scores are computed from that. A passage scores BM25F (Robertson, Zaragoza and Taylor 2004) over its fields, plus the
 * same over a window of the passages around it in its document: chunks are short, and what the question is about
 * often stands just before the words that answer it.
 *
 * All terms first, then any: of a short query a passage that holds every term, in its title, headings or body, ranks
 * before all that lack one. Short are keywords of at most `tiered` words and bigrams, and questions (where function words
 * were dropped) of at most `tiered_question`: longer ones rank better by score alone (tests/bench/results.md), since no one
 * passage has all the words that a person asks with. A compound in one piece (email) holds its parts (e-mail), and a word that
 * no allowed passage holds is not asked for. The scores of the other passages are scaled to below the lowest of these. */
#ifndef LECTERN_SEARCH_RANK_H
#define LECTERN_SEARCH_RANK_H

#include <gio/gio.h>
#include <sqlite3.h>

#include "retrieval/library/lengths.h"
#include "retrieval/search/query.h"

G_BEGIN_DECLS

typedef struct {
  double k1, b;                /* saturation, length normalisation */
  double title, heading;       /* field weights; the body has 1 */
  double joined, phrase;       /* weights of these kinds of terms; words have 1 */
  double repetition;           /* a term that the query has n times weighs n to this power */
  double context;              /* weight of the window's score */
  int window;                  /* passages to either side */
  double context_b;            /* length normalisation of the window */
  int tiered, tiered_question; /* most terms of keywords and of a question that have passages with all of them first */
  double coverage;             /* bonus for a passage with all terms, as a share of its score */
} LecternRankParameters;

extern const LecternRankParameters lectern_rank_defaults;

/* The chunks of one content: consecutive ids. */
typedef struct {
  gint64 content, first_chunk, n_chunks;
  guint first_length; /* of its first chunk in the corpus's lengths */
  gboolean allowed;   /* by --in */
} LecternChunkRange;

/* What ranking knows of the library besides the index. */
typedef struct {
  const GArray *ranges;  /* of LecternChunkRange, ascending by first_chunk */
  const GArray *lengths; /* of LecternLengths, one per chunk */
} LecternCorpus;

typedef struct {
  gint64 chunk;
  gint64 content;
  double score;
} LecternRanked;

/* Registers the collecting function with a connection; an SQLite result code. */
int lectern_rank_register (sqlite3 *db);

/* The best `limit` passages, best first (ties by id), as LecternRanked. NULL on errors and when cancelled. */
GArray *lectern_rank (sqlite3 *db, const LecternQuery *query, const LecternRankParameters *parameters,
                      const LecternCorpus *corpus, guint limit, GCancellable *cancellable, GError **error);

G_END_DECLS

#endif
