/* prompt.h: the chat prompt of a question and its passages, within a session's context. */
#ifndef LECTERN_ANSWER_PROMPT_H
#define LECTERN_ANSWER_PROMPT_H

#include "retrieval/answer/generator.h"

G_BEGIN_DECLS

/* What the model is told to write when the passages do not answer. */
extern const char lectern_prompt_no_answer[];

/* Tokenises rules, as many of the sources (of LecternResult, best first) as fit, and the question. The last one that fits
 * only in part is cut at a sentence. `sources` is left with those that are in, in the prompt's order: source n is the
 * passage numbered n. The rules come first and the question last; between them stand the passages of `previous` (of
 * LecternDigest, may be NULL) that are in again, in that order, then the others in that of the library, so that the beginning
 * stays the same from one question to the next. Text of documents and of the question is message content: it can never
 * become special tokens. FALSE if not even the question fits, or the model has no chat template; then `sources` is as it
 * was. */
gboolean lectern_prompt_build (LecternGenerator *generator, const char *question, const char *language,
                               GPtrArray *sources, const GArray *previous, guint max_tokens, LecternPrompt *prompt,
                               GError **error);

/* A prompt of which the first prompt->n_system tokens are what all begin with, and the rest stands for any. */
gboolean lectern_prompt_build_system (LecternGenerator *generator, LecternPrompt *prompt, GError **error);

G_END_DECLS

#endif
