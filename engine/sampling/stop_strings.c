/* stop_strings.c: an Aho-Corasick automaton over bytes (Aho and Corasick, 1975): each byte of the text is one step, and
 * the depth of a state is how much of the text's end may become a stop string. */
#include "engine/engine.h"

#include "engine/error.h"
#include "engine/tokenizer/utf8.h"
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 4096u
#define PIECE_BYTES 4096u

struct stop_state {
  uint16_t next[256];
  uint16_t fallback; /* the state of the longest proper suffix */
  uint16_t depth;
  uint16_t match; /* length of the longest stop string that ends here; 0: none */
};

struct engine_stop_strings {
  struct stop_state *states;
  uint16_t state;
  bool has_stopped;
  char *text; /* [capacity + 1] what is shown, then what is held back */
  size_t held_at, n_held, capacity;
  char covered; /* the byte of what is held that the shown text's NUL lies on */
};

static int check_strings (const char *const *strings, size_t n_strings, size_t *total, struct engine_error *error)
{
  *total = 0;
  for (size_t i = 0; i < n_strings; i++) {
    size_t length = strlen (strings[i]), done = 0, n = 1;
    for (; done < length && n > 0; done += n)
      n = utf8_decode (strings[i] + done, length - done, NULL);
    if (length == 0 || n == 0)
      return engine_error_set (error, ENGINE_ERROR_RANGE, "Stop string %zu %s.", i + 1,
                               length == 0 ? "is empty" : "is no UTF-8");
    *total += length;
    if (*total > MAX_BYTES)
      return engine_error_set (error, ENGINE_ERROR_RANGE, "The stop strings are longer than %u bytes together.",
                               MAX_BYTES);
  }
  return ENGINE_OK;
}

static void add_string (struct stop_state *states, uint16_t *n_states, const char *string)
{
  uint16_t at = 0;
  size_t length = strlen (string);
  for (size_t i = 0; i < length; i++) {
    uint16_t *next = &states[at].next[(uint8_t)string[i]];
    if (*next == 0) {
      *next = (*n_states)++;
      states[*next].depth = (uint16_t)(i + 1);
    }
    at = *next;
  }
  states[at].match = (uint16_t)length;
}

/* Breadth first: a state's fallback is complete before it is needed. */
static void link_states (struct stop_state *states, uint16_t *queue)
{
  size_t n = 0;
  for (size_t byte = 0; byte < 256; byte++)
    if (states[0].next[byte])
      queue[n++] = states[0].next[byte];
  for (size_t i = 0; i < n; i++) {
    struct stop_state *state = &states[queue[i]];
    const struct stop_state *fallback = &states[state->fallback];
    if (state->match == 0)
      state->match = fallback->match;
    for (size_t byte = 0; byte < 256; byte++) {
      if (state->next[byte]) {
        states[state->next[byte]].fallback = fallback->next[byte];
        queue[n++] = state->next[byte];
      } else
        state->next[byte] = fallback->next[byte];
    }
  }
}

int engine_stop_strings_new (const char *const *strings, size_t n_strings, struct engine_stop_strings **stops,
                             struct engine_error *error)
{
  size_t total;
  uint16_t n_states = 1;
  int status = check_strings (strings, n_strings, &total, error);
  if (status != ENGINE_OK)
    return status;
  struct engine_stop_strings *made = calloc (1, sizeof *made);
  struct stop_state *states = calloc (total + 1, sizeof *states);
  uint16_t *queue = calloc (total + 1, sizeof *queue);
  char *text = calloc (1, total + PIECE_BYTES + 1);
  if (!made || !states || !queue || !text) {
    free (made);
    free (states);
    free (queue);
    free (text);
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for stop strings.");
  }
  for (size_t i = 0; i < n_strings; i++)
    add_string (states, &n_states, strings[i]);
  link_states (states, queue);
  free (queue);
  made->states = states;
  made->text = text;
  made->capacity = total + PIECE_BYTES;
  *stops = made;
  return ENGINE_OK;
}

void engine_stop_strings_free (struct engine_stop_strings *stops)
{
  if (!stops)
    return;
  free (stops->states);
  free (stops->text);
  free (stops);
}

/* Keeps the end of text[0, n) from `shown` on and shows the rest. */
static const char *show (struct engine_stop_strings *stops, size_t n, size_t shown)
{
  stops->n_held = n - shown;
  stops->held_at = shown;
  stops->covered = stops->text[shown];
  stops->text[shown] = '\0';
  return stops->text;
}

/* Moves what is held to the front. */
static void take_back (struct engine_stop_strings *stops)
{
  stops->text[stops->held_at] = stops->covered;
  memmove (stops->text, stops->text + stops->held_at, stops->n_held);
  stops->held_at = 0;
  stops->covered = stops->text[0];
}

const char *engine_stop_strings_push (struct engine_stop_strings *stops, const char *text, bool *stopped)
{
  size_t length = stops->has_stopped ? 0 : strlen (text), n;
  take_back (stops);
  if (length > stops->capacity - stops->n_held) {
    char *larger = realloc (stops->text, stops->n_held + length + 1);
    if (!larger)
      return NULL;
    stops->text = larger;
    stops->capacity = stops->n_held + length;
  }
  memcpy (stops->text + stops->n_held, text, length);
  n = stops->n_held + length;
  for (size_t i = stops->n_held; i < n; i++) {
    stops->state = stops->states[stops->state].next[(uint8_t)stops->text[i]];
    size_t match = stops->states[stops->state].match;
    if (match > 0) {
      stops->has_stopped = true;
      *stopped = true;
      return show (stops, i + 1 - match, i + 1 - match);
    }
  }
  *stopped = stops->has_stopped;
  return show (stops, n, n - stops->states[stops->state].depth * !stops->has_stopped);
}

const char *engine_stop_strings_finish (struct engine_stop_strings *stops)
{
  take_back (stops);
  stops->state = 0;
  return show (stops, stops->n_held, stops->n_held);
}
