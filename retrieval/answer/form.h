/* form.h: does a sentence have the form of answer that the question asks for? Cues of all languages at once. */
#ifndef LECTERN_ANSWER_FORM_H
#define LECTERN_ANSWER_FORM_H

#include "retrieval/answer/passages.h"

G_BEGIN_DECLS

/* 0: no, or the question asks for no form; more for a form that is rarer: a name, number or reason 1, a definition up to
 * 3.5, a measure or a price up to 6. */
double lectern_form_fit (const LecternPassage *passage, const LecternPassageSentence *sentence,
                         const LecternQuestion *question);

/* Whether the sentence begins with a pronoun ("It lasts …") and so needs the one before it. */
gboolean lectern_form_points_back (const LecternPassage *passage, const LecternPassageSentence *sentence);

G_END_DECLS

#endif
