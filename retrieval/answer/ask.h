/* ask.h: what of an answer can be computed before the question is whole. */
#ifndef LECTERN_ANSWER_ASK_H
#define LECTERN_ANSWER_ASK_H

#include "retrieval/answer/generator.h"

G_BEGIN_DECLS

/* Evaluates what every prompt of the generator begins with. */
void lectern_ask_prepare_system (LecternGenerator *generator, GCancellable *cancellable);

/* Evaluates the beginning, up to the question, of the prompt that lectern_ask() would make of this text; nothing if it
 * would not ask the generator. What the generator answers is the same afterwards. Problems will show when the question is
 * asked. */
void lectern_ask_prepare (LecternLibrary *library, LecternGenerator *generator, const char *text,
                          const LecternAskOptions *options, GCancellable *cancellable);

G_END_DECLS

#endif
