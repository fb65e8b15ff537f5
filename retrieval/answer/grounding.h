/* grounding.h: a generated answer checked against its sources, sentence by sentence. */
#ifndef LECTERN_ANSWER_GROUNDING_H
#define LECTERN_ANSWER_GROUNDING_H

#include "retrieval/retrieval.h"
#include "retrieval/text/terms.h"

G_BEGIN_DECLS

/* Share of the content of `sentence` (numbers and names count double) that `passage` holds, 0 to 1; 0 if a number of the
 * sentence is not in the passage. A sentence without content gives 0. */
double lectern_grounding_score (LecternTermer *termer, const char *sentence, const char *passage);

/* What lectern_grounding_score() has to reach for "supported". */
extern const double lectern_grounding_threshold;

/* Reads the marks of a model's answer ("[1]", "[1,2]", "[1][2]", "[1-3]"). Returns sentences (of LecternSentence, the text
 * without marks) and in *answer the answer with the marks that point at sources, in one form: "[1][2]". A sentence without
 * marks gets the source that supports it best, if one does. */
GPtrArray *lectern_ground (const char *generated, GPtrArray *sources, LecternTermer *termer, const char *language,
                           char **answer);

/* Whether an answer says, in whatever words, that the documents do not hold the answer. */
gboolean lectern_is_refusal (const char *answer);

void lectern_sentence_free (LecternSentence *sentence);

/* Everything of a source that can support a sentence: title, headings, text. */
char *lectern_source_dup_text (const LecternResult *source);

G_END_DECLS

#endif
