#include "engine/chat/chat_template.h"

#include <stdlib.h>
#include <string.h>

#include "engine/chat/chat_format.h"
#include "engine/tokenizer/no_memory.h"
#include "engine/tokenizer/tokens.h"
#include "engine/tokenizer/unicode.h"
#include "engine/tokenizer/utf8.h"

#define MAX_FORMATS 32

/* Some models were taught markers that are no tokens of their vocabulary ("[INST]" of Llama 2): as text they could be
 * forged, so there a space breaks them apart wherever content holds them. */
struct chat_template {
  const struct chat_format *format;
  bool breaks_markers;
};

#define BOTH(i)                                                                                                        \
  { &chat_formats[i], false },                                                                                         \
  {                                                                                                                    \
    &chat_formats[i], true                                                                                             \
  }
#define BOTH_4(i) BOTH (i), BOTH ((i) + 1), BOTH ((i) + 2), BOTH ((i) + 3)
#define BOTH_16(i) BOTH_4 (i), BOTH_4 ((i) + 4), BOTH_4 ((i) + 8), BOTH_4 ((i) + 12)
static const struct chat_template templates[2 * MAX_FORMATS] = { BOTH_16 (0), BOTH_16 (16) };

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

const struct chat_template *chat_template_find (const struct gguf *gguf, const struct tokenizer *tokenizer)
{
  struct gguf_string text;
  if (gguf_get_string (gguf, "tokenizer.chat_template", &text))
    for (size_t i = 0; i < chat_n_formats; i++)
      if (fits (&chat_formats[i], text))
        return &templates[2 * i + (has_markers (&chat_formats[i], tokenizer) ? 0 : 1)];
  for (size_t i = 0; i < chat_n_formats; i++)
    if (chat_formats[i].by_vocabulary && has_markers (&chat_formats[i], tokenizer))
      return &templates[2 * i];
  return NULL;
}

const char *chat_template_get_name (const struct chat_template *chat_template)
{
  return chat_template->format->name;
}

/* ---- writing --------------------------------------------------------------------------------------------- */

/* The prompt, as text in stretches of markers and content. */
struct prompt {
  char *text;
  size_t length, capacity;
  struct tokenizer_span *spans;
  size_t n_spans, spans_capacity;
  bool failed; /* out of memory; further calls do nothing */
};

static void prompt_release (struct prompt *prompt)
{
  free (prompt->text);
  free (prompt->spans);
}

static void append_bytes (struct prompt *prompt, const char *bytes, size_t n)
{
  if (prompt->failed || n > SIZE_MAX / 4 - prompt->length) {
    prompt->failed = true;
    return;
  }
  if (prompt->length + n + 1 > prompt->capacity) {
    size_t capacity = 2 * (prompt->length + n + 1);
    char *grown = realloc (prompt->text, capacity);
    if (!grown) {
      prompt->failed = true;
      return;
    }
    prompt->text = grown;
    prompt->capacity = capacity;
  }
  if (n > 0)
    memcpy (prompt->text + prompt->length, bytes, n);
  prompt->length += n;
  prompt->text[prompt->length] = '\0';
}

static void end_span (struct prompt *prompt, size_t start, bool read_special)
{
  if (prompt->failed || prompt->length == start)
    return;
  if (prompt->n_spans == prompt->spans_capacity) {
    size_t capacity = prompt->spans_capacity ? 2 * prompt->spans_capacity : 16;
    struct tokenizer_span *grown = realloc (prompt->spans, capacity * sizeof *grown);
    if (!grown) {
      prompt->failed = true;
      return;
    }
    prompt->spans = grown;
    prompt->spans_capacity = capacity;
  }
  prompt->spans[prompt->n_spans++] = (struct tokenizer_span){ prompt->length - start, read_special };
}

static void append_marker (struct prompt *prompt, const char *marker)
{
  size_t start = prompt->length;
  append_bytes (prompt, marker, strlen (marker));
  end_span (prompt, start, true);
}

/* What Python's str.strip() takes away. */
static bool is_strippable (uint32_t c)
{
  return unicode_is_space (c) || (c >= 0x1C && c <= 0x1F);
}

static struct gguf_string trim (const char *content)
{
  struct gguf_string text = { content, strlen (content) };
  uint32_t c;
  size_t n;
  while (text.length > 0 && (n = utf8_decode (text.bytes, text.length, &c)) > 0 && is_strippable (c)) {
    text.bytes += n;
    text.length -= n;
  }
  while (text.length > 0) {
    n = 1;
    while (n < text.length && n < 4 && ((uint8_t)text.bytes[text.length - n] & 0xC0) == 0x80)
      n++;
    if (utf8_decode (text.bytes + text.length - n, n, &c) != n || !is_strippable (c))
      break;
    text.length -= n;
  }
  return text;
}

static bool marker_at (const struct chat_format *format, struct gguf_string text, size_t at)
{
  for (size_t i = 0; i < sizeof format->markers / sizeof *format->markers && format->markers[i]; i++) {
    size_t n = strlen (format->markers[i]);
    if (n <= text.length - at && memcmp (text.bytes + at, format->markers[i], n) == 0)
      return true;
  }
  return false;
}

static void append_content (struct prompt *prompt, const struct chat_template *chat_template, const char *content)
{
  size_t start = prompt->length, from = 0;
  struct gguf_string text = { content, strlen (content) };
  if (chat_template->format->trims)
    text = trim (content);
  for (size_t at = 0; chat_template->breaks_markers && at < text.length; at++)
    if (marker_at (chat_template->format, text, at)) {
      append_bytes (prompt, text.bytes + from, at + 1 - from);
      append_bytes (prompt, " ", 1);
      from = at + 1;
    }
  append_bytes (prompt, text.bytes + from, text.length - from);
  end_span (prompt, start, false);
}

static int check_messages (const struct chat_format *format, const struct engine_message *messages, size_t n_messages,
                           struct engine_error *error)
{
  bool user = false;
  for (size_t i = 0; i < n_messages; i++) {
    const char *role = messages[i].role;
    bool system = role && strcmp (role, "system") == 0;
    if (!role || !messages[i].content || (!system && strcmp (role, "user") != 0 && strcmp (role, "assistant") != 0))
      return engine_error_set (error, ENGINE_ERROR_RANGE,
                               "Message %zu has the role \"%.40s\"; use system, user or assistant.", i + 1,
                               role ? role : "");
    if (system && i > 0 && format->system_mode != CHAT_SYSTEM_TURN)
      return engine_error_set (error, ENGINE_ERROR_RANGE,
                               "This model takes a system message only as the first message, not as number %zu.",
                               i + 1);
    user = user || strcmp (role, "user") == 0;
  }
  if (!user)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "A chat needs at least one message of the user.");
  return ENGINE_OK;
}

static void write_turn (struct prompt *prompt, const struct chat_template *chat_template, const struct chat_turn *turn,
                        const char *system, const char *content)
{
  append_marker (prompt, turn->prefix);
  if (system) {
    append_marker (prompt, chat_template->format->system.prefix);
    append_content (prompt, chat_template, system);
    append_marker (prompt, chat_template->format->system.suffix);
  }
  append_content (prompt, chat_template, content);
  append_marker (prompt, turn->suffix);
}

static int write_prompt (struct prompt *prompt, const struct chat_template *chat_template,
                         const struct engine_message *messages, size_t n_messages, struct engine_error *error)
{
  const struct chat_format *format = chat_template->format;
  int status = check_messages (format, messages, n_messages, error);
  if (status != ENGINE_OK)
    return status;
  bool has_system = strcmp (messages[0].role, "system") == 0;
  const char *folded = has_system && format->system_mode != CHAT_SYSTEM_TURN ? messages[0].content : NULL;
  if (!has_system && format->default_system)
    write_turn (prompt, chat_template, &format->system, NULL, format->default_system);
  for (size_t i = folded ? 1 : 0; i < n_messages; i++) {
    const char *content = messages[i].content;
    if (strcmp (messages[i].role, "system") == 0) {
      write_turn (prompt, chat_template, &format->system, NULL, content);
    } else if (strcmp (messages[i].role, "assistant") == 0) {
      write_turn (prompt, chat_template, &format->assistant, NULL, content);
    } else {
      bool here = folded && (format->system_mode == CHAT_SYSTEM_FIRST_USER || i + 1 == n_messages);
      write_turn (prompt, chat_template, &format->user, here ? folded : NULL, content);
      if (here)
        folded = NULL;
    }
  }
  append_marker (prompt, format->opening);
  return prompt->failed ? tokenizer_no_memory (error) : ENGINE_OK;
}

int chat_template_tokenize (const struct chat_template *chat_template, const struct tokenizer *tokenizer,
                            const struct engine_message *messages, size_t n_messages, struct engine_tokens *tokens,
                            struct engine_error *error)
{
  struct prompt prompt = { 0 };
  size_t n_before = tokens->n;
  int32_t bos = tokenizer_get_bos (tokenizer);
  int status = write_prompt (&prompt, chat_template, messages, n_messages, error);
  if (status == ENGINE_OK && bos >= 0 && (chat_template->format->bos || tokenizer_adds_bos (tokenizer))
      && !engine_tokens_append (tokens, bos))
    status = tokenizer_no_memory (error);
  if (status == ENGINE_OK)
    status = tokenizer_encode_spans (tokenizer, prompt.text, prompt.length, prompt.spans, prompt.n_spans, false, tokens,
                                     error);
  if (status != ENGINE_OK)
    tokens->n = n_before;
  prompt_release (&prompt);
  return status;
}

int chat_template_render (const struct chat_template *chat_template, const struct engine_message *messages,
                          size_t n_messages, char **text, struct engine_error *error)
{
  struct prompt prompt = { 0 };
  if (chat_template->format->bos)
    append_marker (&prompt, chat_template->format->bos);
  int status = write_prompt (&prompt, chat_template, messages, n_messages, error);
  if (status == ENGINE_OK) {
    *text = prompt.text;
    prompt.text = NULL;
  }
  prompt_release (&prompt);
  return status;
}
