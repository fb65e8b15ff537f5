#include "engine/chat/jinja_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/error.h"
#include "engine/tokenizer/utf8.h"

#define MIN_CHUNK_BYTES ((size_t)1 << 14)
#define MAX_CHUNK_BYTES ((size_t)1 << 20)

struct jinja_chunk {
  struct jinja_chunk *next;
  size_t used, capacity;
  _Alignas(max_align_t) unsigned char bytes[];
};

void jinja_run_init (struct jinja_run *run, size_t limit_bytes, uint64_t limit_steps)
{
  memset (run, 0, sizeof *run);
  run->limit_bytes = limit_bytes;
  run->steps_left = limit_steps;
  run->line = 1;
}

void jinja_run_release (struct jinja_run *run)
{
  while (run->chunks) {
    struct jinja_chunk *next = run->chunks->next;
    free (run->chunks);
    run->chunks = next;
  }
}

int jinja_run_protect (struct jinja_run *run, void (*body) (void *data), void *data, struct engine_error *error)
{
  jmp_buf escape;
  run->escape = &escape;
  run->status = ENGINE_OK;
  if (setjmp (escape) == 0)
    body (data);
  run->escape = NULL;
  return run->status == ENGINE_OK ? ENGINE_OK : engine_error_set (error, run->status, "%s", run->message);
}

static _Noreturn void escape_with (struct jinja_run *run, int status)
{
  run->status = status;
  longjmp (*run->escape, 1);
}

/* The sentence may quote the template: only whole printable characters of it are kept. */
static void make_printable (char *text)
{
  size_t length = strlen (text), to = 0;
  for (size_t at = 0; at < length;) {
    size_t n = utf8_decode (text + at, length - at, NULL);
    if (n > 1 || (n == 1 && (unsigned char)text[at] >= ' ' && text[at] != 0x7F)) {
      memmove (text + to, text + at, n);
      to += n;
    } else if (n == 1) {
      text[to++] = ' ';
    } else {
      n = 1;
    }
    at += n;
  }
  text[to] = '\0';
}

void jinja_fail (struct jinja_run *run, const char *format, ...)
{
  va_list arguments;
  char sentence[320];
  va_start (arguments, format);
  vsnprintf (sentence, sizeof sentence, format, arguments);
  va_end (arguments);
  snprintf (run->message, sizeof run->message, "The chat template, line %u: %s", run->line, sentence);
  make_printable (run->message);
  escape_with (run, ENGINE_ERROR_FORMAT);
}

static struct jinja_chunk *add_chunk (struct jinja_run *run, size_t bytes)
{
  size_t capacity = run->chunks ? 2 * run->chunks->capacity : MIN_CHUNK_BYTES;
  if (capacity > MAX_CHUNK_BYTES)
    capacity = MAX_CHUNK_BYTES;
  if (capacity < bytes)
    capacity = bytes;
  if (capacity > run->limit_bytes - run->used_bytes)
    capacity = run->limit_bytes - run->used_bytes;
  if (capacity < bytes)
    jinja_fail (run, "it needs more than the %zu MiB of memory that a template may use.", run->limit_bytes >> 20);
  struct jinja_chunk *chunk = calloc (1, sizeof *chunk + capacity);
  if (!chunk) {
    snprintf (run->message, sizeof run->message,
              "There is not enough memory for the chat template; close other programs.");
    escape_with (run, ENGINE_ERROR_NO_MEMORY);
  }
  chunk->capacity = capacity;
  run->used_bytes += capacity;
  /* A chunk made for one large thing goes behind the one that still has room. */
  if (run->chunks && capacity - bytes < run->chunks->capacity - run->chunks->used) {
    chunk->next = run->chunks->next;
    run->chunks->next = chunk;
  } else {
    chunk->next = run->chunks;
    run->chunks = chunk;
  }
  return chunk;
}

void *jinja_alloc (struct jinja_run *run, size_t n, size_t size)
{
  const size_t align = _Alignof(max_align_t);
  size_t bytes;
  if (__builtin_mul_overflow (n, size, &bytes) || bytes > SIZE_MAX / 2)
    bytes = SIZE_MAX / 2;
  bytes = (bytes + align - 1) / align * align;
  struct jinja_chunk *chunk = run->chunks;
  if (!chunk || chunk->capacity - chunk->used < bytes)
    chunk = add_chunk (run, bytes);
  void *memory = chunk->bytes + chunk->used;
  chunk->used += bytes;
  return memory;
}

void jinja_count (struct jinja_run *run, size_t steps)
{
  if (steps > run->steps_left)
    jinja_fail (run, "it takes too many steps; it may never end.");
  run->steps_left -= steps;
}

void jinja_enter (struct jinja_run *run)
{
  if (run->depth >= JINJA_MAX_DEPTH)
    jinja_fail (run, "it is nested more than %d levels deep.", JINJA_MAX_DEPTH);
  run->depth++;
}
