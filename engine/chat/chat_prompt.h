/* chat_prompt.h: a prompt being made: text in stretches of markers and content. */
#ifndef LECTERN_CHAT_PROMPT_H
#define LECTERN_CHAT_PROMPT_H

#include "engine/chat/chat_format.h"
#include "engine/tokenizer/tokenizer.h"

/* Start from {0}. Stretches with read_special are the template's; the others content. */
struct chat_prompt {
  char *text; /* NUL-terminated once something was appended */
  size_t length, capacity;
  struct tokenizer_span *spans;
  size_t n_spans, spans_capacity;
  bool failed; /* out of memory; further calls do nothing */
};

void chat_prompt_release (struct chat_prompt *prompt);
void chat_prompt_append_marker (struct chat_prompt *prompt, const char *bytes, size_t length);
/* Some models were taught markers that are no tokens of their vocabulary ("[INST]" of Llama 2): as text they could be
 * forged, so a space breaks those of `broken` (may be NULL) apart. */
void chat_prompt_append_content (struct chat_prompt *prompt, const char *bytes, size_t length,
                                 const struct chat_format *broken);

/* Roles and contents that any format takes. */
int chat_check_messages (const struct engine_message *messages, size_t n_messages, struct engine_error *error);

/* The prompt in a format of the table. Fails with RANGE for conversations that it has no place for. */
int chat_format_write (const struct chat_format *format, bool breaks_markers, const struct engine_message *messages,
                       size_t n_messages, bool opens, struct chat_prompt *prompt, struct engine_error *error);

#endif
