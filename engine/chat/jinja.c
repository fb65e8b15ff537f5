#include "engine/chat/jinja.h"

#include <stdlib.h>
#include <string.h>

#include "engine/chat/jinja_eval.h"
#include "engine/chat/jinja_parser.h"
#include "engine/error.h"

/* Real templates compile within a few MiB and render a conversation within some ten thousand steps; long ones get
 * what their length asks for: some templates put all they have so far together anew for each turn. */
#define COMPILE_BYTES ((size_t)64 << 20)
#define COMPILE_STEPS 50000000
#define RENDER_BYTES ((size_t)64 << 20)
#define RENDER_BYTES_PER_BYTE 256
#define RENDER_STEPS 5000000
#define RENDER_STEPS_PER_BYTE 4
#define MAX_RENDER_BYTES ((size_t)1 << 30)
#define MAX_OUTPUT_BYTES ((size_t)256 << 20)

struct jinja_template {
  struct jinja_run run; /* holds the source and the tree */
  const struct jinja_node *body;
};

/* ---- compiling ------------------------------------------------------------------------------------------- */

struct compilation {
  struct jinja_template *template;
  const char *source;
  size_t length;
};

/* "\r\n" and "\r" become "\n", and the last line end goes. */
static struct jinja_string normalise (struct jinja_run *run, const char *source, size_t length)
{
  char *bytes = jinja_alloc (run, length + 1, 1);
  size_t n = 0;
  for (size_t i = 0; i < length; i++) {
    if (source[i] == '\r' && i + 1 < length && source[i + 1] == '\n')
      continue;
    bytes[n++] = source[i] == '\r' ? '\n' : source[i];
  }
  if (n > 0 && bytes[n - 1] == '\n')
    n--;
  return (struct jinja_string){ bytes, NULL, n };
}

static void compile (void *data)
{
  struct compilation *compilation = data;
  struct jinja_run *run = &compilation->template->run;
  if (compilation->length > JINJA_MAX_SOURCE_BYTES)
    jinja_fail (run, "it is longer than %zu MiB.", JINJA_MAX_SOURCE_BYTES >> 20);
  struct jinja_string source = normalise (run, compilation->source, compilation->length);
  compilation->template->body = jinja_parse (run, jinja_lex (run, source));
}

int jinja_template_new (const char *source, size_t length, struct jinja_template **template, struct engine_error *error)
{
  struct jinja_template *made = calloc (1, sizeof *made);
  if (!made)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY,
                             "There is not enough memory for the chat template; close other programs.");
  struct compilation compilation = { made, source, length };
  jinja_run_init (&made->run, COMPILE_BYTES, COMPILE_STEPS);
  int status = jinja_run_protect (&made->run, compile, &compilation, error);
  if (status != ENGINE_OK)
    jinja_template_free (made);
  else
    *template = made;
  return status;
}

void jinja_template_free (struct jinja_template *template)
{
  if (!template)
    return;
  jinja_run_release (&template->run);
  free (template);
}

/* ---- rendering ------------------------------------------------------------------------------------------- */

struct rendering {
  struct jinja_run run;
  const struct jinja_template *template;
  const struct jinja_input *input;
  struct jinja_builder output;
};

static struct jinja_string read_role (struct jinja_run *run, const char *role)
{
  static const char *const known[] = { "system", "user", "assistant" };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp (role, known[i]) == 0)
      return jinja_string_of (role);
  return jinja_string_content (run, role, strlen (role));
}

static struct jinja_value read_messages (struct jinja_run *run, const struct jinja_input *input)
{
  struct jinja_value messages = jinja_list_new (run, JINJA_LIST_LIST);
  for (size_t i = 0; i < input->n_messages; i++) {
    const struct engine_message *message = &input->messages[i];
    struct jinja_value read = jinja_dict_new (run, JINJA_DICT);
    jinja_dict_set (run, read.dict, jinja_string (jinja_string_of ("role")),
                    jinja_string (read_role (run, message->role)));
    jinja_dict_set (run, read.dict, jinja_string (jinja_string_of ("content")),
                    jinja_string (jinja_string_content (run, message->content, strlen (message->content))));
    jinja_list_append (run, messages.list, read);
  }
  return messages;
}

static void set_text (struct jinja_run *run, struct jinja_scope *scope, const char *name, const char *text)
{
  if (text)
    jinja_scope_set (run, scope, jinja_string_of (name), jinja_string (jinja_string_of (text)));
}

static void render (void *data)
{
  struct rendering *rendering = data;
  struct jinja_run *run = &rendering->run;
  const struct jinja_input *input = rendering->input;
  struct jinja_scope *scope = jinja_scope_new (run, NULL);
  jinja_scope_set (run, scope, jinja_string_of ("messages"), read_messages (run, input));
  jinja_scope_set (run, scope, jinja_string_of ("add_generation_prompt"), jinja_boolean (input->add_generation_prompt));
  jinja_scope_set (run, scope, jinja_string_of ("tools"), jinja_none ());
  jinja_scope_set (run, scope, jinja_string_of ("documents"), jinja_none ());
  if (input->enable_thinking != ENGINE_THINKING_UNSET)
    jinja_scope_set (run, scope, jinja_string_of ("enable_thinking"),
                     jinja_boolean (input->enable_thinking == ENGINE_THINKING_ON));
  set_text (run, scope, "bos_token", input->bos_token);
  set_text (run, scope, "eos_token", input->eos_token);
  /* Variables of the template lie above, so that macros see both. */
  struct jinja_eval eval = { .run = run, .scope = jinja_scope_new (run, scope), .output = &rendering->output };
  jinja_execute (&eval, rendering->template->body);
  if (rendering->output.length > MAX_OUTPUT_BYTES)
    jinja_fail (run, "it makes more than %zu MiB of text.", MAX_OUTPUT_BYTES >> 20);
}

static int copy_output (const struct jinja_builder *builder, struct jinja_output *output, struct engine_error *error)
{
  struct jinja_output copy = { malloc (builder->length + 1), NULL, builder->length };
  if (builder->marks)
    copy.marks = malloc (builder->length + 1);
  if (!copy.text || (builder->marks && !copy.marks)) {
    jinja_output_clear (&copy);
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY,
                             "There is not enough memory for the prompt; close other programs.");
  }
  if (builder->length)
    memcpy (copy.text, builder->bytes, builder->length);
  if (builder->marks)
    memcpy (copy.marks, builder->marks, builder->length);
  copy.text[copy.length] = '\0';
  *output = copy;
  return ENGINE_OK;
}

int jinja_template_render (const struct jinja_template *template, const struct jinja_input *input,
                           struct jinja_output *output, struct engine_error *error)
{
  struct rendering rendering = { .template = template, .input = input };
  size_t bytes = 0;
  for (size_t i = 0; i < input->n_messages; i++)
    bytes += strlen (input->messages[i].content);
  size_t limit = MAX_RENDER_BYTES;
  if (bytes < (MAX_RENDER_BYTES - RENDER_BYTES) / RENDER_BYTES_PER_BYTE)
    limit = RENDER_BYTES + RENDER_BYTES_PER_BYTE * bytes;
  jinja_run_init (&rendering.run, limit, RENDER_STEPS + RENDER_STEPS_PER_BYTE * (uint64_t)bytes);
  rendering.run.input = input;
  rendering.output.run = &rendering.run;
  int status = jinja_run_protect (&rendering.run, render, &rendering, error);
  if (status == ENGINE_OK)
    status = copy_output (&rendering.output, output, error);
  jinja_run_release (&rendering.run);
  return status;
}

void jinja_output_clear (struct jinja_output *output)
{
  free (output->text);
  free (output->marks);
  *output = (struct jinja_output){ 0 };
}
