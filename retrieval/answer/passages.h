/* passages.h: search results read closely: terms, sentences, and what of the question each of them holds. */
#ifndef LECTERN_ANSWER_PASSAGES_H
#define LECTERN_ANSWER_PASSAGES_H

#include "retrieval/answer/question.h"
#include "retrieval/retrieval.h"

G_BEGIN_DECLS

/* Question terms that a text holds, bit i for term i: as they are, and only as part of a longer or shorter word. */
typedef struct {
  guint64 exact, partial;
} LecternHits;

typedef enum {
  LECTERN_SENTENCE_LIST = 1 << 0,     /* a list item */
  LECTERN_SENTENCE_TABLE = 1 << 1,    /* a table row */
  LECTERN_SENTENCE_HEADING = 1 << 2,  /* a title, a caption, a fragment */
  LECTERN_SENTENCE_QUESTION = 1 << 3, /* ends in a question mark */
  LECTERN_SENTENCE_OPENS = 1 << 4,    /* ends in a colon: what it announces follows */
  LECTERN_SENTENCE_RESTATES = 1 << 5, /* says what the question says and no more: the answer follows, if any */
  LECTERN_SENTENCE_MARKED = 1 << 6,   /* a list item with its number or bullet */
} LecternSentenceKind;

typedef struct {
  LecternRange range; /* bytes of the passage's text */
  guint first_term, n_terms, n_content;
  guint kind; /* LecternSentenceKind */
  LecternHits hits;
  double pairs; /* share of the question's pairs of neighbouring words that stand in it, or in the words that its line
                 * begins with ("No steam. …"), as pairs, 0 to 1 */
  double fit;   /* how well what the sentence stands under, its section, a title in the text or the words that its line
                 * begins with, is what the question is about: share of the title's words that are asked for, times its
                 * coverage; more where the order of the words is the question's and for a line's own words, which are closest; 0 to
                 * 2.4 */
  double score; /* extractive.c */
} LecternPassageSentence;

typedef struct {
  LecternResult *result; /* owned */
  GArray *terms;         /* of LecternTerm, of result->text */
  GArray *sentences;     /* of LecternPassageSentence, in order */
  LecternHits hits;      /* of the text */
  LecternHits heading_hits, title_hits;
  double score; /* search score, the best passage's being 1 */
} LecternPassage;

void lectern_passage_free (LecternPassage *passage);

/* From results (of LecternResult, best first; emptied) to at most `limit` passages, best first: results that follow one
 * another under one heading become one (up to `max_tokens`), near-duplicates of better ones are dropped. */
GPtrArray *lectern_passages_assemble (GPtrArray *results, LecternTermer *termer, guint limit, guint max_tokens);

/* Weighs the question's terms by how rare they are in the passages, and finds them there. */
void lectern_passages_read (GPtrArray *passages, LecternQuestion *question, LecternTermer *termer);

/* Share of the question's weight that the hits hold, 0 to 1. */
double lectern_hits_coverage (LecternHits hits, const LecternQuestion *question);
LecternHits lectern_hits_or (LecternHits a, LecternHits b);

G_END_DECLS

#endif
