/* extractive.h: answers without a model: the sentences that answer best, word for word. Deterministic. */
#ifndef LECTERN_ANSWER_EXTRACTIVE_H
#define LECTERN_ANSWER_EXTRACTIVE_H

#include "retrieval/answer/passages.h"

G_BEGIN_DECLS

typedef struct {
  guint passage; /* index */
  char *text;    /* bytes of the passage; a table row comes behind its header row and a line break */
  gboolean line; /* a list item or table row: stands on a line of its own */
} LecternQuote;

void lectern_quote_free (LecternQuote *quote);

/* Fills in the scores of all sentences of passages that were read. */
void lectern_extractive_score (GPtrArray *passages, const LecternQuestion *question);

/* The sentences to quote (of LecternQuote), in reading order, the best passage's first; needs scores. At most four, except
 * that a run of steps or list items is kept together. Empty only if no passage has a sentence. */
GPtrArray *lectern_extractive_quote (GPtrArray *passages, const LecternQuestion *question);

G_END_DECLS

#endif
