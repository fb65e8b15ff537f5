/* jinja.h: a model's own chat template, compiled once and rendered per conversation.
 *
 * The language is that of Jinja 3 (jinja.palletsprojects.com) as Hugging Face's transformers runs it: trim_blocks,
 * lstrip_blocks, break and continue, {% generation %}, tojson that leaves characters alone, raise_exception() and
 * strftime_now(). Left out: other files, recursive loops, autoescaping, integers beyond 64 bits. Both the template and
 * the messages are hostile: source size, nesting, steps, memory and output are bounded, and there is no way from a
 * template to files, code or the environment. Compiled templates are immutable: any thread may render. */
#ifndef LECTERN_JINJA_H
#define LECTERN_JINJA_H

#include "engine/chat/jinja_string.h"

#define JINJA_MAX_SOURCE_BYTES ((size_t)1 << 20)

struct jinja_template;

/* Copies `source`. FORMAT, with the template's line, for what is no template. */
int jinja_template_new (const char *source, size_t length, struct jinja_template **jinja_template,
                        struct engine_error *error);
void jinja_template_free (struct jinja_template *template);

/* What a template can ask for. Tools and documents are none. */
struct jinja_input {
  const struct engine_message *messages; /* contents are content; roles other than the usual three, too */
  size_t n_messages;
  const char *bos_token, *eos_token; /* as written; NULL: undefined */
  bool add_generation_prompt;
  enum engine_thinking enable_thinking;
  const char *date; /* "2026-01-31"; NULL or "": today */
};

/* The text of a rendering: malloc'ed, NUL-terminated, and which bytes are content (NULL: none). */
struct jinja_output {
  char *text;
  uint8_t *marks;
  size_t length;
};

/* FORMAT when the template errs or refuses (raise_exception), with its own words; NO_MEMORY. */
int jinja_template_render (const struct jinja_template *template, const struct jinja_input *input,
                           struct jinja_output *output, struct engine_error *error);
void jinja_output_clear (struct jinja_output *output);

#endif
