#include "engine/chat/chat_template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/chat/chat_prompt.h"
#include "engine/chat/jinja.h"
#include "engine/tokenizer/no_memory.h"
#include "engine/tokenizer/tokens.h"

struct chat_template {
  const struct tokenizer *tokenizer;
  struct jinja_template *own;       /* NULL: none, or it does not compile */
  const struct chat_format *format; /* recognised; NULL: none */
  bool breaks_markers;              /* the format's markers are no tokens of the vocabulary */
  char *bos_token, *eos_token;      /* as written; NULL: none */
  char reason[480];                 /* why there is no own template, "" if there is one */
  char description[560];
};

/* ---- finding --------------------------------------------------------------------------------------------- */

static bool contains (struct gguf_string text, const char *needle)
{
  return memmem (text.bytes, text.length, needle, strlen (needle)) != NULL;
}

static bool fits (const struct chat_format *format, struct gguf_string text)
{
  for (size_t i = 0; i < sizeof format->wanted / sizeof *format->wanted && format->wanted[i]; i++)
    if (!contains (text, format->wanted[i]))
      return false;
  for (size_t i = 0; i < sizeof format->unwanted / sizeof *format->unwanted && format->unwanted[i]; i++)
    if (contains (text, format->unwanted[i]))
      return false;
  return true;
}

static bool has_markers (const struct chat_format *format, const struct tokenizer *tokenizer)
{
  for (size_t i = 0; i < sizeof format->markers / sizeof *format->markers && format->markers[i]; i++)
    if (!tokenizer_is_control (tokenizer, tokenizer_find (tokenizer, format->markers[i], strlen (format->markers[i]))))
      return false;
  return true;
}

static void find_format (struct chat_template *chat_template, const struct gguf_string *text)
{
  const struct tokenizer *tokenizer = chat_template->tokenizer;
  for (size_t i = 0; text && i < chat_n_formats; i++)
    if (fits (&chat_formats[i], *text)) {
      chat_template->format = &chat_formats[i];
      chat_template->breaks_markers = !has_markers (&chat_formats[i], tokenizer);
      return;
    }
  for (size_t i = 0; i < chat_n_formats; i++)
    if (chat_formats[i].by_vocabulary && has_markers (&chat_formats[i], tokenizer)) {
      chat_template->format = &chat_formats[i];
      return;
    }
}

/* The token as it is written; NULL if there is none. False when out of memory. */
static bool dup_token (const struct tokenizer *tokenizer, int32_t id, char **text)
{
  size_t length = 0;
  const char *piece = tokenizer_get_piece (tokenizer, id, true, &length);
  *text = id >= 0 && length > 0 ? strndup (piece, length) : NULL;
  return *text || id < 0 || length == 0;
}

static void describe (struct chat_template *chat_template)
{
  const char *format = chat_template_get_format_name (chat_template);
  char *to = chat_template->description;
  size_t size = sizeof chat_template->description;
  if (chat_template->own && chat_template->format)
    snprintf (to, size, "own (recognised as %s)", format);
  else if (chat_template->own)
    snprintf (to, size, "own");
  else if (chat_template->format)
    snprintf (to, size, "built-in %s: %s", format, chat_template->reason);
  else
    snprintf (to, size, "none: %s", chat_template->reason);
}

int chat_template_new (const struct gguf *gguf, const struct tokenizer *tokenizer, struct chat_template **chat_template,
                       struct engine_error *error)
{
  struct gguf_string text;
  struct engine_error why = { 0 };
  struct chat_template *made = calloc (1, sizeof *made);
  bool has_text = gguf_get_string (gguf, "tokenizer.chat_template", &text);
  *chat_template = NULL;
  if (!made)
    return tokenizer_no_memory (error);
  made->tokenizer = tokenizer;
  find_format (made, has_text ? &text : NULL);
  if (!has_text && !made->format) {
    chat_template_free (made);
    return ENGINE_OK;
  }
  int status = ENGINE_OK;
  if (has_text)
    status = jinja_template_new (text.bytes, text.length, &made->own, &why);
  snprintf (made->reason, sizeof made->reason, "%s", has_text ? why.message : "the file has no template of its own.");
  if (status == ENGINE_ERROR_NO_MEMORY || !dup_token (tokenizer, tokenizer_get_bos (tokenizer), &made->bos_token)
      || !dup_token (tokenizer, tokenizer_get_eos (tokenizer), &made->eos_token)) {
    chat_template_free (made);
    return tokenizer_no_memory (error);
  }
  describe (made);
  *chat_template = made;
  return ENGINE_OK;
}

void chat_template_free (struct chat_template *chat_template)
{
  if (!chat_template)
    return;
  jinja_template_free (chat_template->own);
  free (chat_template->bos_token);
  free (chat_template->eos_token);
  free (chat_template);
}

const char *chat_template_describe (const struct chat_template *chat_template)
{
  return chat_template->description;
}

const char *chat_template_get_format_name (const struct chat_template *chat_template)
{
  return chat_template->format ? chat_template->format->name : "";
}

/* ---- writing --------------------------------------------------------------------------------------------- */

static int write_own (const struct chat_template *chat_template, const struct engine_message *messages,
                      size_t n_messages, const struct engine_chat_options *options, struct chat_prompt *prompt,
                      struct engine_error *error)
{
  struct jinja_output output = { 0 };
  struct jinja_input input = {
    .messages = messages,
    .n_messages = n_messages,
    .bos_token = chat_template->bos_token,
    .eos_token = chat_template->eos_token,
    .add_generation_prompt = !options->no_generation_prompt,
    .enable_thinking = options->thinking,
    .date = options->date,
  };
  int status = jinja_template_render (chat_template->own, &input, &output, error);
  if (status != ENGINE_OK)
    return status;
  for (size_t from = 0, to; from < output.length; from = to) {
    bool content = output.marks && output.marks[from];
    for (to = from + 1; to < output.length && (output.marks && output.marks[to]) == content; to++)
      ;
    if (content)
      chat_prompt_append_content (prompt, output.text + from, to - from,
                                  chat_template->breaks_markers ? chat_template->format : NULL);
    else
      chat_prompt_append_marker (prompt, output.text + from, to - from);
  }
  if (output.length == 0)
    chat_prompt_append_marker (prompt, "", 0);
  jinja_output_clear (&output);
  return prompt->failed ? tokenizer_no_memory (error) : ENGINE_OK;
}

/* The system message at the start of the first user turn. FORMAT when there is none to move. */
static int write_merged (const struct chat_template *chat_template, const struct engine_message *messages,
                         size_t n_messages, const struct engine_chat_options *options, struct chat_prompt *prompt,
                         struct engine_error *error)
{
  if (n_messages < 2 || strcmp (messages[0].role, "system") != 0 || strcmp (messages[1].role, "user") != 0)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "There is no system message to move.");
  size_t n_system = strlen (messages[0].content), n_user = strlen (messages[1].content);
  struct engine_message *moved = calloc (n_messages - 1, sizeof *moved);
  char *content = malloc (n_system + n_user + 3);
  int status = ENGINE_ERROR_NO_MEMORY;
  if (moved && content) {
    memcpy (content, messages[0].content, n_system);
    memcpy (content + n_system, "\n\n", 2);
    memcpy (content + n_system + 2, messages[1].content, n_user + 1);
    memcpy (moved, messages + 1, (n_messages - 1) * sizeof *moved);
    moved[0].content = content;
    status = write_own (chat_template, moved, n_messages - 1, options, prompt, error);
  } else {
    tokenizer_no_memory (error);
  }
  free (moved);
  free (content);
  return status;
}

static int write_prompt (const struct chat_template *chat_template, const struct engine_message *messages,
                         size_t n_messages, const struct engine_chat_options *options, struct chat_prompt *prompt,
                         struct engine_chat_report *report, struct engine_error *error)
{
  static const struct engine_chat_options defaults = { 0 };
  struct engine_error why = { 0 };
  struct engine_chat_report ignored;
  int status = chat_check_messages (messages, n_messages, error);
  if (status != ENGINE_OK)
    return status;
  if (!options)
    options = &defaults;
  if (!report)
    report = &ignored;
  *report = (struct engine_chat_report){ .path = ENGINE_CHAT_OWN, .built_in = "" };
  snprintf (report->reason, sizeof report->reason, "%s", chat_template->reason);
  if (chat_template->own) {
    status = write_own (chat_template, messages, n_messages, options, prompt, &why);
    if (status == ENGINE_ERROR_FORMAT) {
      snprintf (report->reason, sizeof report->reason, "%s", why.message);
      report->path = ENGINE_CHAT_OWN_MERGED;
      status = write_merged (chat_template, messages, n_messages, options, prompt, &why);
    }
    if (status == ENGINE_ERROR_NO_MEMORY)
      return tokenizer_no_memory (error);
    if (status == ENGINE_OK)
      return ENGINE_OK;
  }
  if (!chat_template->format)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The model's chat template cannot be used, and no built-in format fits: %.300s",
                             report->reason);
  report->path = ENGINE_CHAT_BUILT_IN;
  report->built_in = chat_template->format->name;
  return chat_format_write (chat_template->format, chat_template->breaks_markers, messages, n_messages,
                            !options->no_generation_prompt, prompt, error);
}

/* Whether the prompt itself begins with BOS, as its template wrote it. */
static bool begins_with_bos (const struct chat_template *chat_template, const struct chat_prompt *prompt)
{
  const char *bos = chat_template->bos_token;
  return bos && prompt->n_spans > 0 && prompt->spans[0].read_special && prompt->spans[0].length >= strlen (bos)
         && memcmp (prompt->text, bos, strlen (bos)) == 0;
}

/* BOS that a built-in format begins with may be written otherwise than this vocabulary's: the token is what counts. */
static void drop_format_bos (const struct engine_chat_report *report, const struct chat_format *format,
                             struct chat_prompt *prompt)
{
  if (report->path != ENGINE_CHAT_BUILT_IN || !format->bos || prompt->n_spans == 0)
    return;
  size_t n = strlen (format->bos);
  memmove (prompt->text, prompt->text + n, prompt->length - n + 1);
  prompt->length -= n;
  prompt->spans[0].length -= n;
}

int chat_template_tokenize (const struct chat_template *chat_template, const struct engine_message *messages,
                            size_t n_messages, const struct engine_chat_options *options, struct engine_tokens *tokens,
                            struct engine_chat_report *report, struct engine_error *error)
{
  const struct tokenizer *tokenizer = chat_template->tokenizer;
  struct chat_prompt prompt = { 0 };
  struct engine_chat_report own_report;
  size_t n_before = tokens->n;
  int32_t bos = tokenizer_get_bos (tokenizer);
  if (!report)
    report = &own_report;
  int status = write_prompt (chat_template, messages, n_messages, options, &prompt, report, error);
  if (status == ENGINE_OK) {
    bool built_in_bos = report->path == ENGINE_CHAT_BUILT_IN && chat_template->format->bos;
    drop_format_bos (report, chat_template->format, &prompt);
    bool adds = bos >= 0 && (built_in_bos || tokenizer_adds_bos (tokenizer));
    if (adds && !begins_with_bos (chat_template, &prompt) && !engine_tokens_append (tokens, bos))
      status = tokenizer_no_memory (error);
  }
  if (status == ENGINE_OK)
    status = tokenizer_encode_spans (tokenizer, prompt.text, prompt.length, prompt.spans, prompt.n_spans, false, tokens,
                                     error);
  if (status != ENGINE_OK)
    tokens->n = n_before;
  chat_prompt_release (&prompt);
  return status;
}

int chat_template_render (const struct chat_template *chat_template, const struct engine_message *messages,
                          size_t n_messages, const struct engine_chat_options *options, char **text,
                          struct engine_chat_report *report, struct engine_error *error)
{
  struct chat_prompt prompt = { 0 };
  int status = write_prompt (chat_template, messages, n_messages, options, &prompt, report, error);
  if (status == ENGINE_OK) {
    *text = prompt.text;
    prompt.text = NULL;
  }
  chat_prompt_release (&prompt);
  return status;
}
