/* chat_template.h: how a model's conversations are written: its own template, or a built-in format.
 *
 * The file's own tokenizer.chat_template is compiled once and run per conversation (jinja.h). A template that does not
 * compile, or errs on a conversation, is stood in for: first with the system message at the start of the first user
 * turn (templates refuse system messages that their model was not taught), then by the format of the table that the
 * template or the vocabulary was recognised as. Either way content is tokenised as plain text and only the template's
 * own text with special tokens read, so no message can forge a turn. */
#ifndef LECTERN_CHAT_TEMPLATE_H
#define LECTERN_CHAT_TEMPLATE_H

#include "engine/gguf/gguf.h"
#include "engine/tokenizer/tokenizer.h"

struct chat_template;

/* *chat_template is NULL where the file has no template and the vocabulary fits no format. Fails only with NO_MEMORY.
 * The tokenizer must outlive it. Any thread may use it. */
int chat_template_new (const struct gguf *gguf, const struct tokenizer *tokenizer, struct chat_template **chat_template,
                       struct engine_error *error);
void chat_template_free (struct chat_template *chat_template);

/* What will be used: "own (recognised as chatml)", "own", "built-in chatml: " and why; borrowed. */
const char *chat_template_describe (const struct chat_template *chat_template);
const char *chat_template_get_format_name (const struct chat_template *chat_template); /* recognised; "" if none */

/* `options` and `report` may be NULL. RANGE for messages that are no chat; UNSUPPORTED, with the template's reason, when
 * nothing can write it. */
int chat_template_tokenize (const struct chat_template *chat_template, const struct engine_message *messages,
                            size_t n_messages, const struct engine_chat_options *options, struct engine_tokens *tokens,
                            struct engine_chat_report *report, struct engine_error *error);
int chat_template_render (const struct chat_template *chat_template, const struct engine_message *messages,
                          size_t n_messages, const struct engine_chat_options *options, char **text,
                          struct engine_chat_report *report, struct engine_error *error);

#endif
