/* prompt.h: the chat prompt of a question and its passages, within a session's context. */
#ifndef LECTERN_ANSWER_PROMPT_H
#define LECTERN_ANSWER_PROMPT_H

#include "retrieval/answer/generator.h"

G_BEGIN_DECLS

/* What the model is told to write when the passages do not answer. */
extern const char lectern_prompt_no_answer[];

/* Tokenises rules, as many of the sources (of LecternResult, best first) as fit, and the question. The rules come first and
 * the question last, so that the beginning stays the same from one question to the next. The last passage that fits only in
 * part is cut at a sentence; `*n_used` tells how many are in. Text of documents and of the question is message content: it
 * can never become special tokens. FALSE if not even the question fits, or the model has no chat template. */
gboolean lectern_prompt_build (LecternGenerator *generator, const char *question, const char *language,
                               GPtrArray *sources, guint max_tokens, struct engine_tokens *tokens, guint *n_used,
                               GError **error);

G_END_DECLS

#endif
