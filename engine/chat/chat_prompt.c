#include "engine/chat/chat_prompt.h"

#include <stdlib.h>
#include <string.h>

void chat_prompt_release (struct chat_prompt *prompt)
{
  free (prompt->text);
  free (prompt->spans);
  *prompt = (struct chat_prompt){ 0 };
}

static void append_bytes (struct chat_prompt *prompt, const char *bytes, size_t n)
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

static void end_span (struct chat_prompt *prompt, size_t start, bool read_special)
{
  if (prompt->failed || prompt->length == start)
    return;
  if (prompt->n_spans > 0 && prompt->spans[prompt->n_spans - 1].read_special == read_special) {
    prompt->spans[prompt->n_spans - 1].length += prompt->length - start;
    return;
  }
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

void chat_prompt_append_marker (struct chat_prompt *prompt, const char *bytes, size_t length)
{
  size_t start = prompt->length;
  append_bytes (prompt, bytes, length);
  end_span (prompt, start, true);
}

static bool marker_at (const struct chat_format *format, const char *bytes, size_t length)
{
  for (size_t i = 0; i < sizeof format->markers / sizeof *format->markers && format->markers[i]; i++) {
    size_t n = strlen (format->markers[i]);
    if (n <= length && memcmp (bytes, format->markers[i], n) == 0)
      return true;
  }
  return false;
}

void chat_prompt_append_content (struct chat_prompt *prompt, const char *bytes, size_t length,
                                 const struct chat_format *broken)
{
  size_t start = prompt->length, from = 0;
  for (size_t at = 0; broken && at < length; at++)
    if (marker_at (broken, bytes + at, length - at)) {
      append_bytes (prompt, bytes + from, at + 1 - from);
      append_bytes (prompt, " ", 1);
      from = at + 1;
    }
  append_bytes (prompt, bytes + from, length - from);
  end_span (prompt, start, false);
}
