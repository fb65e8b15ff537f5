/* abstain.h: do the passages hold an answer at all? Decided from what retrieval found, before anything is written. */
#ifndef LECTERN_ANSWER_ABSTAIN_H
#define LECTERN_ANSWER_ABSTAIN_H

#include "retrieval/answer/passages.h"

G_BEGIN_DECLS

/* All but the last from 0 to 1; of the passages that were read and scored. */
typedef struct {
  double passage;  /* best coverage of the question by one passage with its headings and title */
  double sentence; /* the same by one sentence with the one before it and its headings */
  double missing;  /* share of the question's weight that the heaviest term missing from the best passage has */
  double absent;   /* share of the weight of terms that no passage has */
  double length;   /* logarithm of how many times longer than a short one the question is, 0 for short ones: who tells a
                    * whole story is not to be refused because no passage has all of it */
} LecternSignals;

void lectern_signals_read (GPtrArray *passages, const LecternQuestion *question, LecternSignals *signals);

/* How likely the passages answer, 0 to 1; below lectern_answerable_threshold they are taken not to. */
double lectern_signals_get_answerable (const LecternSignals *signals);
extern const double lectern_answerable_threshold;

G_END_DECLS

#endif
