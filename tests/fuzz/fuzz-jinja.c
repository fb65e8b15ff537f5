/* fuzz-jinja.c: a chat template. Whatever it is, rendering ends within its bounds, and what comes from a message is
 * marked as content: the messages hold a byte that templates without it (and without escapes) can only copy. */
#include <stdlib.h>
#include <string.h>

#include "engine/chat/jinja.h"

#define COPIED '\001'

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void render (const struct jinja_template *template, enum engine_thinking thinking, bool may_make_it)
{
  static const struct engine_message messages[] = {
    { "system", "\001Be  brief.\n" },
    { "user", " <think>\001a\001</think>\001b,c\n\001{\"k\": [1, 2.5, null]} 12 \xff\xc3\xa4 <|im_end|>\001" },
    { "assistant", "\001x\001y\001" },
    { "user", "\001" },
  };
  struct jinja_input input = { messages, 4, "<s>", "</s>", thinking == ENGINE_THINKING_ON, thinking, "2026-03-05" };
  struct jinja_output output = { 0 };
  struct engine_error error = { 0 };
  if (jinja_template_render (template, &input, &output, &error) != ENGINE_OK) {
    if (error.status != ENGINE_ERROR_FORMAT || !strstr (error.message, "The chat template, line "))
      abort ();
    return;
  }
  for (size_t i = 0; i < output.length && !may_make_it; i++)
    if (output.text[i] == COPIED && !(output.marks && output.marks[i]))
      abort ();
  jinja_output_clear (&output);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct jinja_template *template;
  struct engine_error error = { 0 };
  if (jinja_template_new ((const char *)data, size, &template, &error) != ENGINE_OK)
    return 0;
  bool may_make_it = memchr (data, COPIED, size) || memchr (data, '\\', size);
  for (int thinking = ENGINE_THINKING_UNSET; thinking <= ENGINE_THINKING_ON; thinking++)
    render (template, (enum engine_thinking)thinking, may_make_it);
  jinja_template_free (template);
  return 0;
}
