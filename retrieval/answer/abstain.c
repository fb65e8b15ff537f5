#include "retrieval/answer/abstain.h"

#include <math.h>
#include <string.h>

/* A logistic model over the signals, fitted on the development halves of the judged collections that have unanswerable
 * questions (tests/bench/bench-answers.c prints the signals and the rates). */
static const double bias = -2.0, per_passage = 4.0, per_sentence = 2.0, per_missing = -3.0, per_absent = -3.0, per_named = -2.0;
const double lectern_answerable_threshold = 0.3;

enum { TOP_PASSAGES = 8 };

static double name_share_missing (LecternHits hits, const LecternQuestion *question)
{
  double total = 0, missing = 0;
  for (guint i = 0; i < question->terms->len; i++) {
    const LecternQuestionTerm *term = &g_array_index (question->terms, LecternQuestionTerm, i);
    if (!(term->flags & (LECTERN_TERM_NAME | LECTERN_TERM_NUMBER)))
      continue;
    total += term->weight;
    if (!((hits.exact | hits.partial) >> i & 1))
      missing += term->weight;
  }
  return total > 0 ? missing / total : 0;
}

void lectern_signals_read (GPtrArray *passages, const LecternQuestion *question, LecternSignals *signals)
{
  memset (signals, 0, sizeof *signals);
  signals->missing = signals->absent = signals->named = 1;
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
  signals->named = name_share_missing (best, question);
}

double lectern_signals_get_answerable (const LecternSignals *signals)
{
  double x = bias + per_passage * signals->passage + per_sentence * signals->sentence + per_missing * signals->missing +
             per_absent * signals->absent + per_named * signals->named;
  return 1 / (1 + exp (-x));
}
