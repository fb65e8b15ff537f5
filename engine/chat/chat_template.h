/* chat_template.h: the table of chat formats, and turns to tokens.
 *
 * A format is data: what stands before and after each role's content. Content is tokenised as plain text, the
 * rest with special tokens read, so no document can forge a turn. */
#ifndef LECTERN_CHAT_TEMPLATE_H
#define LECTERN_CHAT_TEMPLATE_H

#include "engine/gguf/gguf.h"
#include "engine/tokenizer/tokenizer.h"

struct chat_template;

/* The family that tokenizer.chat_template belongs to, recognised by its markers; the architecture's usual format
 * where the file has no template but its vocabulary holds the markers; NULL when neither fits. */
const struct chat_template *chat_template_find (const struct gguf *gguf, const struct tokenizer *tokenizer);
const char *chat_template_get_name (const struct chat_template *chat_template);

int chat_template_tokenize (const struct chat_template *chat_template, const struct tokenizer *tokenizer,
                            const struct engine_message *messages, size_t n_messages, struct engine_tokens *tokens,
                            struct engine_error *error);
int chat_template_render (const struct chat_template *chat_template, const struct engine_message *messages,
                          size_t n_messages, char **text, struct engine_error *error);

#endif
