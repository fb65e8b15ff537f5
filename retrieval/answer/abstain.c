#include "retrieval/answer/abstain.h"

#include <math.h>
#include <string.h>

/* A logistic model over the signals, fitted on the development halves of the judged collections that have unanswerable
 * questions (tests/bench/bench-answers.c prints the signals and the rates). */
static const double bias = -1.7, per_passage = 0.8, per_sentence = 2.4, per_missing = -4.5, per_absent = -1.5,
                    per_length = 2.0;
const double lectern_answerable_threshold = 0.3;

enum { TOP_PASSAGES = 8, SHORT_QUESTION_TERMS = 5, LONG_QUESTION_TERMS = 8 };

void lectern_signals_read (GPtrArray *passages, const LecternQuestion *question, LecternSignals *signals)
{
  memset (signals, 0, sizeof *signals);
  signals->missing = signals->absent = 1;
  LecternHits best = { 0 }, all = { 0 };
  for (guint p = 0; p < passages->len; p++) {
    const LecternPassage *passage = g_ptr_array_index (passages, p);
    LecternHits around = lectern_hits_or (passage->heading_hits, passage->title_hits);
    LecternHits hits = lectern_hits_or (passage->hits, around);
    all = lectern_hits_or (all, hits);
    if (p >= TOP_PASSAGES)
      continue;
    double coverage = lectern_hits_coverage (hits, question);
    if (coverage > signals->passage) {
      signals->passage = coverage;
      best = hits;
    }
    LecternHits before = { 0 };
    for (guint i = 0; i < passage->sentences->len; i++) {
      LecternHits own = g_array_index (passage->sentences, LecternPassageSentence, i).hits;
      double share = lectern_hits_coverage (lectern_hits_or (lectern_hits_or (own, before), around), question);
      signals->sentence = MAX (signals->sentence, share);
      before = own;
    }
  }
  signals->length = log (MAX (1.0, question->terms->len / (double)SHORT_QUESTION_TERMS));
  if (!question->terms->len || !passages->len)
    return;
  double total = 0, heaviest = 0, absent = 0;
  for (guint i = 0; i < question->terms->len; i++) {
    double weight = g_array_index (question->terms, LecternQuestionTerm, i).weight;
    total += weight;
    if (!((best.exact | best.partial) >> i & 1))
      heaviest = MAX (heaviest, weight);
    if (!((all.exact | all.partial) >> i & 1))
      absent += weight;
  }
  signals->missing = total > 0 ? heaviest / total : 1;
  signals->absent = total > 0 ? absent / total : 1;
  /* A long question (a report with its error messages) is never covered as a whole. */
  double length = MAX (1.0, question->terms->len / (double)LONG_QUESTION_TERMS);
  signals->passage = MIN (1, signals->passage * length);
  signals->sentence = MIN (1, signals->sentence * length);
  signals->absent /= length;
}

double lectern_signals_get_answerable (const LecternSignals *signals)
{
  double x = bias + per_passage * signals->passage + per_sentence * signals->sentence + per_missing * signals->missing
             + per_absent * signals->absent + per_length * signals->length;
  return 1 / (1 + exp (-x));
}
