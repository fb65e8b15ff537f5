/* Stop strings against naive search, over every way to cut random texts into pieces. */
#include "engine/engine.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The text up to the stop string that is complete first (the longest of those), or all of it. */
static size_t search (const char *text, const char *const *strings, size_t n, bool *stopped)
{
  size_t length = strlen (text);
  *stopped = false;
  for (size_t end = 1; end <= length; end++) {
    size_t longest = 0;
    for (size_t i = 0; i < n; i++) {
      size_t size = strlen (strings[i]);
      if (size <= end && memcmp (text + end - size, strings[i], size) == 0 && size > longest)
        longest = size;
    }
    if (longest > 0) {
      *stopped = true;
      return end - longest;
    }
  }
  return length;
}

/* How many bytes of the text's end could become a stop string. */
static size_t longest_prefix (const char *text, size_t length, const char *const *strings, size_t n)
{
  size_t longest = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t size = 1; size < strlen (strings[i]) && size <= length; size++)
      if (size > longest && memcmp (text + length - size, strings[i], size) == 0)
        longest = size;
  return longest;
}

/* Pieces end after each character whose bit in `cuts` is set. */
static void check (const char *text, const char *const *strings, size_t n, unsigned cuts)
{
  struct engine_stop_strings *stops;
  char shown[512] = "", piece[512];
  bool stopped = false, expected_stop;
  size_t length = strlen (text), expected = search (text, strings, n, &expected_stop), start = 0, n_shown = 0, bit = 0;
  assert (engine_stop_strings_new (strings, n, &stops, NULL) == ENGINE_OK);
  for (size_t end = 1; end <= length; end++) {
    if (end < length && ((text[end] & 0xC0) == 0x80 || !(cuts >> bit++ & 1)))
      continue;
    memcpy (piece, text + start, end - start);
    piece[end - start] = '\0';
    const char *out = engine_stop_strings_push (stops, piece, &stopped);
    memset (piece, '?', sizeof piece);
    strcat (shown, out);
    assert ((out[0] & 0xC0) != 0x80); /* whole characters */
    n_shown = strlen (shown);
    bool stops_here;
    memcpy (piece, text, end);
    piece[end] = '\0';
    size_t known = search (piece, strings, n, &stops_here);
    assert (stopped == stops_here);
    assert (n_shown
            == (stopped ? known : end - longest_prefix (text, end, strings, n))); /* nothing more is held back */
    start = end;
  }
  strcat (shown, engine_stop_strings_finish (stops));
  assert (stopped == expected_stop && strlen (shown) == expected && memcmp (shown, text, expected) == 0);
  assert (*engine_stop_strings_push (stops, "", &stopped) == '\0' && stopped == expected_stop);
  engine_stop_strings_free (stops);
}

static const char *const sets[][6] = {
  { "ab" },
  { "a", "b" },
  { "aab", "ab", "b€" },
  { "abcabd", "bca" },
  { "€", "é" },
  { "é€", "€é", "ééé" },
  { "abab", "bab", "ab€" },
  { "aaaa" },
  { "cab", "abcabcab", "bcabca" },
};

static void test_random (void)
{
  static const char *const alphabet[] = { "a", "b", "c", "€", "é", "a", "b", "ab" };
  uint64_t noise = 1;
  size_t n_stops = 0;
  for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
    size_t n = 0;
    while (n < 6 && sets[s][n])
      n++;
    for (int round = 0; round < 60; round++) {
      char text[128] = "";
      bool stopped;
      int n_characters = 0;
      for (; n_characters < 3 + round % 7; n_characters++)
        strcat (text, alphabet[(size_t)((builder_random (&noise) + 1) * 3.999f)]);
      search (text, sets[s], n, &stopped);
      n_stops += stopped;
      for (unsigned cuts = 0; cuts < 1u << (n_characters - 1); cuts++)
        check (text, sets[s], n, cuts);
    }
  }
  assert (n_stops > 100);
}

static void test_long_pieces (void)
{
  struct engine_stop_strings *stops;
  const char *strings[] = { "END.", "E\xC3\xA9" };
  char *text = malloc (20001);
  bool stopped;
  memset (text, 'E', 20000);
  text[20000] = '\0';
  assert (engine_stop_strings_new (strings, 2, &stops, NULL) == ENGINE_OK);
  assert (strlen (engine_stop_strings_push (stops, text, &stopped)) == 19999 && !stopped);
  assert (strcmp (engine_stop_strings_push (stops, "ND", &stopped), "") == 0);
  assert (strcmp (engine_stop_strings_push (stops, "x", &stopped), "ENDx") == 0);
  assert (strcmp (engine_stop_strings_push (stops, "EN", &stopped), "") == 0);
  assert (strcmp (engine_stop_strings_finish (stops), "EN") == 0);
  assert (strcmp (engine_stop_strings_push (stops, "D.END. more", &stopped), "D.") == 0 && stopped);
  assert (strcmp (engine_stop_strings_push (stops, "more", &stopped), "") == 0 && stopped);
  assert (strcmp (engine_stop_strings_finish (stops), "") == 0);
  engine_stop_strings_free (stops);
  free (text);
}

static void test_bad (void)
{
  static char long_string[4098];
  memset (long_string, 'x', 4097);
  const char *empty[] = { "a", "" }, *invalid[] = { "\xC3" }, *large[] = { long_string };
  struct engine_stop_strings *stops = NULL;
  struct engine_error error;
  assert (engine_stop_strings_new (empty, 2, &stops, &error) == ENGINE_ERROR_RANGE && strstr (error.message, "2"));
  assert (engine_stop_strings_new (invalid, 1, &stops, &error) == ENGINE_ERROR_RANGE);
  assert (engine_stop_strings_new (large, 1, &stops, &error) == ENGINE_ERROR_RANGE && !stops);
  engine_stop_strings_free (NULL);
}

int main (void)
{
  test_random ();
  test_long_pieces ();
  test_bad ();
  return 0;
}
