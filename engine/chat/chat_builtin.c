/* Prompts in the formats of the table. */
#include <string.h>

#include "engine/chat/chat_prompt.h"
#include "engine/tokenizer/no_memory.h"
#include "engine/tokenizer/unicode.h"
#include "engine/tokenizer/utf8.h"

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

int chat_check_messages (const struct engine_message *messages, size_t n_messages, struct engine_error *error)
{
  bool user = false;
  for (size_t i = 0; i < n_messages; i++) {
    const char *role = messages[i].role;
    if (!role || !messages[i].content
        || (strcmp (role, "system") != 0 && strcmp (role, "user") != 0 && strcmp (role, "assistant") != 0))
      return engine_error_set (error, ENGINE_ERROR_RANGE,
                               "Message %zu has the role \"%.40s\"; use system, user or assistant.", i + 1,
                               role ? role : "");
    user = user || strcmp (role, "user") == 0;
  }
  if (!user)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "A chat needs at least one message of the user.");
  return ENGINE_OK;
}

struct writer {
  const struct chat_format *format;
  bool breaks_markers;
  struct chat_prompt *prompt;
};

static void write_marker (const struct writer *writer, const char *marker)
{
  chat_prompt_append_marker (writer->prompt, marker, strlen (marker));
}

static void write_content (const struct writer *writer, const char *content)
{
  struct gguf_string text = { content, strlen (content) };
  if (writer->format->trims)
    text = trim (content);
  chat_prompt_append_content (writer->prompt, text.bytes, text.length, writer->breaks_markers ? writer->format : NULL);
}

static void write_turn (const struct writer *writer, const struct chat_turn *turn, const char *system,
                        const char *content)
{
  write_marker (writer, turn->prefix);
  if (system) {
    write_marker (writer, writer->format->system.prefix);
    write_content (writer, system);
    write_marker (writer, writer->format->system.suffix);
  }
  write_content (writer, content);
  write_marker (writer, turn->suffix);
}

static void write_turns (const struct writer *writer, const struct engine_message *messages, size_t n_messages)
{
  const struct chat_format *format = writer->format;
  bool has_system = strcmp (messages[0].role, "system") == 0;
  const char *folded = has_system && format->system_mode != CHAT_SYSTEM_TURN ? messages[0].content : NULL;
  if (!has_system && format->default_system)
    write_turn (writer, &format->system, NULL, format->default_system);
  for (size_t i = folded ? 1 : 0; i < n_messages; i++) {
    const char *content = messages[i].content;
    if (strcmp (messages[i].role, "system") == 0) {
      write_turn (writer, &format->system, NULL, content);
    } else if (strcmp (messages[i].role, "assistant") == 0) {
      write_turn (writer, &format->assistant, NULL, content);
    } else {
      bool here = folded && (format->system_mode == CHAT_SYSTEM_FIRST_USER || i + 1 == n_messages);
      write_turn (writer, &format->user, here ? folded : NULL, content);
      if (here)
        folded = NULL;
    }
  }
}

int chat_format_write (const struct chat_format *format, bool breaks_markers, const struct engine_message *messages,
                       size_t n_messages, bool opens, struct chat_prompt *prompt, struct engine_error *error)
{
  struct writer writer = { format, breaks_markers, prompt };
  for (size_t i = 1; i < n_messages; i++)
    if (format->system_mode != CHAT_SYSTEM_TURN && strcmp (messages[i].role, "system") == 0)
      return engine_error_set (error, ENGINE_ERROR_RANGE,
                               "This model takes a system message only as the first message, not as number %zu.",
                               i + 1);
  if (format->bos)
    write_marker (&writer, format->bos);
  write_turns (&writer, messages, n_messages);
  if (opens)
    write_marker (&writer, format->opening);
  return prompt->failed ? tokenizer_no_memory (error) : ENGINE_OK;
}
