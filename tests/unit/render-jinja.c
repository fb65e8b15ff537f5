/* render-jinja.c: renders chat templates for jinja-conformance.py.
 *
 * Standard input holds requests; each is a series of strings, written as their length, a line end and the bytes: the
 * template, thinking ("", "off" or "on"), whether to open the assistant's turn ("" or "1"), the number of messages,
 * then role and content of each. The answer to each is "ok" or "error", a line end, and one such string. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/chat/jinja.h"

#define MAX_MESSAGES 64

static char *read_string (size_t *length)
{
  if (scanf ("%zu", length) != 1)
    return NULL;
  assert (*length < (size_t)1 << 28 && getchar () == '\n');
  char *text = malloc (*length + 1);
  assert (text && fread (text, 1, *length, stdin) == *length);
  text[*length] = '\0';
  return text;
}

static void answer (const char *status, const char *text, size_t length)
{
  printf ("%s\n%zu\n", status, length);
  fwrite (text, 1, length, stdout);
  fflush (stdout);
}

static void render (const char *source, size_t length, const struct jinja_input *input)
{
  struct jinja_template *template = NULL;
  struct jinja_output output = { 0 };
  struct engine_error error = { 0 };
  if (jinja_template_new (source, length, &template, &error) != ENGINE_OK
      || jinja_template_render (template, input, &output, &error) != ENGINE_OK)
    answer ("error", error.message, strlen (error.message));
  else
    answer ("ok", output.text, output.length);
  jinja_output_clear (&output);
  jinja_template_free (template);
}

int main (void)
{
  size_t length, ignored;
  char *source;
  while ((source = read_string (&length))) {
    char *thinking = read_string (&ignored), *opens = read_string (&ignored), *count = read_string (&ignored);
    struct engine_message messages[MAX_MESSAGES];
    char *texts[2 * MAX_MESSAGES];
    size_t n = strtoul (count, NULL, 10);
    assert (n <= MAX_MESSAGES);
    for (size_t i = 0; i < 2 * n; i++)
      assert ((texts[i] = read_string (&ignored)));
    for (size_t i = 0; i < n; i++)
      messages[i] = (struct engine_message){ texts[2 * i], texts[2 * i + 1] };
    struct jinja_input input = {
      .messages = messages,
      .n_messages = n,
      .bos_token = "<s>",
      .eos_token = "</s>",
      .add_generation_prompt = *opens != '\0',
      .enable_thinking = strcmp (thinking, "on") == 0    ? ENGINE_THINKING_ON
                         : strcmp (thinking, "off") == 0 ? ENGINE_THINKING_OFF
                                                         : ENGINE_THINKING_UNSET,
      .date = "2026-03-05",
    };
    render (source, length, &input);
    for (size_t i = 0; i < 2 * n; i++)
      free (texts[i]);
    free (thinking);
    free (opens);
    free (count);
    free (source);
  }
  return 0;
}
