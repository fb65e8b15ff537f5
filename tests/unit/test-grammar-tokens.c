/* Grammars over tokens: masks against trying each token, texts sampled from noise against a validator of their own. */
#include "engine/sampling/grammar.h"
#include "engine/sampling/token_trie.h"
#include "engine/tokenizer/detokenize.h"
#include "tests/unit/model-builder.h"
#include "tests/unit/vocabularies.h"
#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- counting allocations ---------------------------------------------------------------------------------- */

static size_t n_allocations;

void *__real_malloc (size_t size);
void *__real_calloc (size_t n, size_t size);
void *__real_realloc (void *old, size_t size);
void *__wrap_malloc (size_t size);
void *__wrap_calloc (size_t n, size_t size);
void *__wrap_realloc (void *old, size_t size);

void *__wrap_malloc (size_t size)
{
  n_allocations++;
  return __real_malloc (size);
}

void *__wrap_calloc (size_t n, size_t size)
{
  n_allocations++;
  return __real_calloc (n, size);
}

void *__wrap_realloc (void *old, size_t size)
{
  n_allocations++;
  return __real_realloc (old, size);
}

/* ---- a vocabulary ------------------------------------------------------------------------------------------- */

struct fixture {
  struct vocabulary_file file;
  struct engine_token_trie *trie;
  uint32_t n_vocab;
  int32_t first, end; /* of the tokens below */
};

static const char *const spm_texts[]
    = { "▁",   "▁a",  "{\"", "\":", "\",", "▁\"",  "\"}",   "]]",  "}}",   "true", "null",     "▁true",
        "ab",  "abc", "1",   "12",  "0.",  "▁[",   "[",     "]",   ".",    "▁▁",   "é",        "\\\"",
        "\\u", "[1",  "1]",  "].",  "].▁", "word", "▁word", "yes", "▁yes", "\n",   "{\"a\":1}" };

static struct fixture *fixture_new (enum vocabulary_base base)
{
  struct fixture *fixture = calloc (1, sizeof *fixture);
  size_t n = sizeof spm_texts / sizeof *spm_texts;
  struct vocabulary_token tokens[64] = { { "</s>", CONTROL, 0 }, { "<tool>", CONTROL, 0 } };
  char texts[64][32];
  for (size_t i = 0; i < n; i++) {
    /* Byte-level BPE writes a space as U+0120 and a line end as U+010A; bytes of é are two characters. */
    const char *from = spm_texts[i];
    char *to = texts[i];
    for (; *from; from++) {
      if (base == BASE_BPE && strncmp (from, "▁", 3) == 0) {
        to = stpcpy (to, "Ġ");
        from += 2;
      } else if (base == BASE_BPE && *from == '\n')
        to = stpcpy (to, "Ċ");
      else if (base == BASE_BPE && strncmp (from, "é", 2) == 0) {
        to = stpcpy (to, "Ã©");
        from++;
      } else
        *to++ = *from;
    }
    *to = '\0';
    tokens[2 + i] = (struct vocabulary_token){ texts[i], NORMAL, -(float)i };
  }
  gguf_writer_add_string (&fixture->file.writer, "tokenizer.ggml.model", base == BASE_SPM ? "llama" : "gpt2");
  if (base == BASE_BPE) {
    gguf_writer_add_string (&fixture->file.writer, "tokenizer.ggml.pre", "gpt-2");
    gguf_writer_add_strings (&fixture->file.writer, "tokenizer.ggml.merges", (const char *[]){ "a b" }, 1);
  }
  fixture->first = vocabulary_file_add (&fixture->file, base, tokens, n + 2);
  fixture->end = fixture->first;
  gguf_writer_add_u32 (&fixture->file.writer, "tokenizer.ggml.eos_token_id", (uint32_t)fixture->end);
  if (vocabulary_file_open (&fixture->file) != ENGINE_OK) {
    fprintf (stderr, "%s\n", fixture->file.error.message);
    abort ();
  }
  assert (token_trie_new (fixture->file.tokenizer, &fixture->trie, NULL) == ENGINE_OK);
  fixture->n_vocab = fixture->trie->n_vocab;
  return fixture;
}

static void fixture_free (struct fixture *fixture)
{
  engine_token_trie_free (fixture->trie);
  vocabulary_file_close (&fixture->file);
  free (fixture);
}

static struct engine_grammar *grammar_new (const struct fixture *fixture, const char *text)
{
  struct engine_grammar *grammar = NULL;
  struct engine_error error;
  if (engine_grammar_new (fixture->trie, text, strlen (text), &grammar, &error) != ENGINE_OK) {
    fprintf (stderr, "%s\n", error.message);
    abort ();
  }
  return grammar;
}

static bool is_allowed (struct engine_grammar *grammar, int32_t id)
{
  return grammar_get_mask (grammar)[id / 64] >> (id % 64) & 1;
}

/* ---- masks --------------------------------------------------------------------------------------------------- */

/* A token may come next exactly if appending it leaves something: an end, or a token that may come after it. */
static void check_mask (const struct fixture *fixture, const char *text, struct engine_grammar *grammar,
                        const int32_t *ids, size_t n_ids)
{
  struct engine_grammar *other = grammar_new (fixture, text);
  for (int32_t id = 0; id < (int32_t)fixture->n_vocab; id++) {
    grammar_restart (other);
    for (size_t i = 0; i < n_ids; i++)
      grammar_accept (other, ids[i]);
    bool whole = engine_grammar_is_complete (other), any = false;
    grammar_accept (other, id);
    const uint64_t *mask = grammar_get_mask (other);
    for (size_t i = 0; i <= fixture->n_vocab / 64; i++)
      any = any || mask[i];
    assert (is_allowed (grammar, id) == any);
    if (id == fixture->end)
      assert (any == whole);
  }
  engine_grammar_free (other);
}

static const char emoji[] = "root ::= \" \"? (\"é\" | [α-ω] | \"\\U0001F600\")+ \"\\n\"";

static void test_masks (const struct fixture *fixture)
{
  const char *texts[] = { engine_grammar_get_builtin ("json"), emoji, "root ::= \"a\" root \"b\" | \"\"" };
  for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
    for (uint64_t seed = 1; seed <= 3; seed++) {
      struct engine_grammar *grammar = grammar_new (fixture, texts[t]);
      uint64_t noise = seed;
      int32_t ids[12];
      for (size_t n = 0; n < 12; n++) {
        check_mask (fixture, texts[t], grammar, ids, n);
        int32_t id = (int32_t)((builder_random (&noise) + 1) * 0.4999f * (float)fixture->n_vocab), start = id;
        while (!is_allowed (grammar, id) || id == fixture->end) {
          id = (id + 1) % (int32_t)fixture->n_vocab;
          if (id == start)
            break;
        }
        ids[n] = id;
        grammar_accept (grammar, id);
      }
      engine_grammar_free (grammar);
    }
}

static int32_t find (const struct fixture *fixture, const char *text)
{
  for (size_t i = 0; i < sizeof spm_texts / sizeof *spm_texts; i++)
    if (strcmp (spm_texts[i], text) == 0)
      return fixture->first + 2 + (int32_t)i;
  abort ();
}

/* The tokenizer's own first space is no part of the text. */
static void test_first_space (const struct fixture *fixture, bool drops)
{
  struct engine_grammar *grammar = grammar_new (fixture, "root ::= \"word word\"");
  assert (is_allowed (grammar, find (fixture, "word")));
  assert (is_allowed (grammar, find (fixture, "▁word")) == drops);
  grammar_accept (grammar, find (fixture, drops ? "▁word" : "word"));
  assert (is_allowed (grammar, find (fixture, "▁word")) && !is_allowed (grammar, find (fixture, "word")));
  assert (!is_allowed (grammar, fixture->end));
  grammar_accept (grammar, find (fixture, "▁word"));
  assert (is_allowed (grammar, fixture->end) && engine_grammar_is_complete (grammar));
  assert (!is_allowed (grammar, fixture->end + 1)); /* control tokens have no text */
  grammar_accept (grammar, fixture->end);
  assert (is_allowed (grammar, fixture->end) && !is_allowed (grammar, find (fixture, "word")));
  grammar_restart (grammar);
  grammar_accept (grammar, find (fixture, "ab"));
  for (int32_t id = 0; id < (int32_t)fixture->n_vocab; id++)
    assert (!is_allowed (grammar, id));
  engine_grammar_free (grammar);
}

/* ---- texts made from noise -------------------------------------------------------------------------------------- */

static void fill (float *logits, uint32_t n, uint64_t *noise)
{
  for (uint32_t i = 0; i < n; i++)
    logits[i] = 8 * builder_random (noise);
}

/* Samples until the end; after 60 tokens `closers` are liked better than all else, so that an end comes. */
static char *sample (const struct fixture *fixture, const char *text, const char *closers, uint64_t seed)
{
  struct engine_grammar *grammar = grammar_new (fixture, text);
  struct engine_sampler_options options = { .temperature = 1,
                                            .top_k = 200,
                                            .typical_p = 0.9999f,
                                            .top_p = 0.98f,
                                            .min_p = 1e-6f,
                                            .repeat_penalty = 1.05f,
                                            .seed = seed,
                                            .grammar = grammar };
  struct engine_sampler *sampler;
  float *logits = calloc (fixture->n_vocab, sizeof *logits);
  int32_t ids[2000];
  size_t n = 0;
  uint64_t noise = seed;
  assert (engine_sampler_new (&options, fixture->n_vocab, &sampler, NULL) == ENGINE_OK);
  size_t made = n_allocations;
  for (;; n++) {
    assert (n < 2000);
    fill (logits, fixture->n_vocab, &noise);
    if (n > 60)
      for (const char *p = closers; *p; p++)
        for (int32_t id = 0; id < (int32_t)fixture->n_vocab; id++) {
          size_t length;
          const char *bytes = token_trie_get_bytes (fixture->trie, id, &length);
          if (length == 1 && *bytes == *p)
            logits[id] += 20;
        }
    logits[fixture->end] += n > 60 ? 30 : -4;
    ids[n] = engine_sampler_pick (sampler, logits);
    assert (!engine_sampler_is_stuck (sampler));
    engine_sampler_accept (sampler, ids[n]);
    if (ids[n] == fixture->end)
      break;
  }
  assert (n_allocations == made); /* the token loop allocates nothing */
  char *out;
  assert (tokenizer_decode (fixture->file.tokenizer, ids, n, false, &out, NULL, NULL) == ENGINE_OK);
  engine_sampler_free (sampler);
  engine_grammar_free (grammar);
  free (logits);
  return out;
}

/* ---- JSON, checked by a parser of its own --------------------------------------------------------------------- */

static const char *skip (const char *p)
{
  return p + strspn (p, " \t\r\n");
}

static const char *parse_string (const char *p)
{
  if (*p++ != '"')
    return NULL;
  for (; *p != '"'; p++) {
    if ((unsigned char)*p < 0x20)
      return NULL;
    if (*p == '\\') {
      p++;
      if (*p == 'u') {
        for (int i = 0; i < 4; i++)
          if (!isxdigit ((unsigned char)*++p))
            return NULL;
      } else if (!*p || !strchr ("\"\\/bfnrt", *p))
        return NULL;
    }
  }
  return p + 1;
}

static const char *parse_number (const char *p)
{
  size_t n;
  p += *p == '-';
  n = strspn (p, "0123456789");
  if (n == 0 || (*p == '0' && n > 1))
    return NULL;
  p += n;
  if (*p == '.') {
    n = strspn (++p, "0123456789");
    if (n == 0)
      return NULL;
    p += n;
  }
  if (*p == 'e' || *p == 'E') {
    p++;
    p += *p == '+' || *p == '-';
    n = strspn (p, "0123456789");
    if (n == 0)
      return NULL;
    p += n;
  }
  return p;
}

static const char *parse_value (const char *p);

static const char *parse_list (const char *p, bool is_object)
{
  char close = is_object ? '}' : ']';
  p = skip (p + 1);
  if (*p == close)
    return p + 1;
  for (;;) {
    if (is_object) {
      p = parse_string (skip (p));
      p = p ? skip (p) : NULL;
      if (!p || *p++ != ':')
        return NULL;
    }
    p = parse_value (skip (p));
    if (!p)
      return NULL;
    p = skip (p);
    if (*p == close)
      return p + 1;
    if (*p++ != ',')
      return NULL;
  }
}

static const char *parse_value (const char *p)
{
  static const char *const words[] = { "true", "false", "null" };
  for (size_t i = 0; i < 3; i++)
    if (strncmp (p, words[i], strlen (words[i])) == 0)
      return p + strlen (words[i]);
  return *p == '{' || *p == '[' ? parse_list (p, *p == '{') : *p == '"' ? parse_string (p) : parse_number (p);
}

static bool is_json (const char *text)
{
  const char *p = parse_value (skip (text));
  return p && *skip (p) == '\0';
}

/* ---- cited answers, checked by reading them ---------------------------------------------------------------------- */

/* Each sentence ends in a citation, before or after its stop, and brackets hold numbers from 1 to n. */
static bool is_cited (const char *text, long n)
{
  char plain[8192], *to = plain;
  for (const char *p = text; *p; p++) {
    if (*p == ']')
      return false;
    if (strncmp (p, "。", 3) == 0 || strncmp (p, "！", 3) == 0 || strncmp (p, "？", 3) == 0) {
      *to++ = '.';
      p += 2;
      continue;
    }
    if (*p != '[') {
      *to++ = *p;
      continue;
    }
    char *end;
    long number = strtol (p + 1, &end, 10);
    if (!isdigit ((unsigned char)p[1]) || p[1] == '0' || *end != ']' || number < 1 || number > n)
      return false;
    *to++ = '\x01'; /* a citation */
    p = end;
  }
  *to = '\0';
  bool cited = false, is_open = false; /* what was said since the last citation needs one */
  for (const char *p = plain; *p; p++) {
    if (*p == '\x01') {
      is_open = false;
      cited = true;
    } else if (isspace ((unsigned char)*p)) {
      const char *next = p + strspn (p, " \n");
      bool after_stop = p > plain && strchr (".!?", p[-1]);
      if (after_stop && is_open && *next != '\x01')
        return false;
    } else if (!strchr (".!?", *p))
      is_open = true;
  }
  return cited && !is_open;
}

static void test_samples (const struct fixture *fixture)
{
  char *citations;
  assert (engine_grammar_for_citations (12, "yes\n\"", &citations, NULL) == ENGINE_OK);
  size_t n_objects = 0;
  for (uint64_t seed = 1; seed <= 30; seed++) {
    char *text = sample (fixture, engine_grammar_get_builtin ("json"), "\"]}:1", seed);
    if (!is_json (text)) {
      fprintf (stderr, "no JSON: %s\n", text);
      abort ();
    }
    n_objects += strchr (text, '{') != NULL;
    free (text);
    text = sample (fixture, citations, "[1]", seed);
    bool refused = strcmp (text, "yes\n\"") == 0;
    if (!refused && !is_cited (text, 12)) {
      fprintf (stderr, "not cited: %s\n", text);
      abort ();
    }
    free (text);
  }
  assert (n_objects > 2);
  free (citations);
}

/* Whether the text, given in byte tokens, is whole. */
static bool accepts (const struct fixture *fixture, struct engine_grammar *grammar, const char *text)
{
  int32_t base = fixture->first - 256; /* byte tokens, in order */
  grammar_restart (grammar);
  for (const char *p = text; *p; p++)
    grammar_accept (grammar, base + (uint8_t)*p);
  return engine_grammar_is_complete (grammar);
}

static void test_json_texts (const struct fixture *fixture)
{
  static const char *const good[] = { "{}",
                                      "[]",
                                      "\"\"",
                                      "0",
                                      "-1.5e+10",
                                      "null",
                                      "[1, 2,3]",
                                      "{\"a\": {\"b\": [true, false]}}",
                                      "{\n  \"a\": 1\n}",
                                      "\"\\u00E9\\n\\\\ é €\"",
                                      "[[[[[[[[]]]]]]]]",
                                      "\t0 \r\n",
                                      "{\"\":\"\"}",
                                      "[\n\n]" };
  static const char *const bad[]
      = { "",       "{",       "[1,]",  "01",      "1.", ".5",  "+1",       "nul", "{a:1}", "{'a':1}",
          "\"\n\"", "\"\\x\"", "[1 2]", "{\"a\"}", "1e", "--1", "\"\xFF\"", "[],", "True",  "\"\\u12g4\"" };
  struct engine_grammar *json = grammar_new (fixture, engine_grammar_get_builtin ("json"));
  assert (!engine_grammar_get_builtin ("yaml"));
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert (is_json (good[i]) && accepts (fixture, json, good[i]) == (i != 13)); /* white space is bounded */
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert (!accepts (fixture, json, bad[i]));
  engine_grammar_free (json);
}

static void test_citation_texts (const struct fixture *fixture)
{
  static const char *const good[] = {
    "It is so [1].",           "It is so. [1]", "It is so.[1][2]", "A [3]. B [2] [1].", "Version 3.5 is out [12]!",
    "Really? [7]\n\nYes [1].", "Plain [1]",     "No \"idea\"\\.",  "A [1].\n"
  };
  static const char *const bad[] = {
    "It is so.", "It is so [0].", "It is so [13].", "A. B [1].", "A [1]. B.",   "[1]",     "A [1",
    "A [01].",   "A [a].",        "A [1]].",        "",          "No \"idea\"", "A  [1].", "A [1]. No \"idea\"\\.",
    "A [99].",   "A [-1].",       "A [1]x."
  };
  char *text = NULL;
  struct engine_error error;
  assert (engine_grammar_for_citations (12, "No \"idea\"\\.", &text, &error) == ENGINE_OK);
  struct engine_grammar *grammar = grammar_new (fixture, text);
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert (accepts (fixture, grammar, good[i]));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert (!accepts (fixture, grammar, bad[i]));
  free (text);
  engine_grammar_free (grammar);
  static const uint32_t sizes[] = { 1, 2, 9, 10, 11, 19, 20, 99, 100, 101, 110, 999, 1000, 2037, 9999 };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    assert (engine_grammar_for_citations (sizes[i], "none", &text, &error) == ENGINE_OK);
    grammar = grammar_new (fixture, text);
    for (uint32_t n = 0; n < 12000;
         n += n < 120 || n > 9990 || (n > 980 && n < 1020) || (n > 2020 && n < 2050) ? 1 : 97) {
      char answer[32];
      snprintf (answer, sizeof answer, "A [%u].", n);
      assert (accepts (fixture, grammar, answer) == (n >= 1 && n <= sizes[i]));
    }
    free (text);
    engine_grammar_free (grammar);
  }
  text = NULL;
  assert (engine_grammar_for_citations (0, "none", &text, &error) == ENGINE_ERROR_RANGE && !text);
  assert (engine_grammar_for_citations (10000, "none", &text, &error) == ENGINE_ERROR_RANGE);
  assert (engine_grammar_for_citations (1, "", &text, &error) == ENGINE_ERROR_RANGE);
  assert (engine_grammar_for_citations (1, "\xFF", &text, &error) == ENGINE_ERROR_RANGE && !text);
}

/* Nothing continues the text: the sampler ends it and says so. */
static void test_stuck (const struct fixture *fixture)
{
  struct engine_grammar *grammar = grammar_new (fixture, "root ::= \"word\" \"q\"");
  struct engine_sampler *sampler;
  float *logits = calloc (fixture->n_vocab + 70, sizeof *logits);
  uint32_t n_vocab = fixture->n_vocab + 70; /* rows without a token are never picked */
  struct engine_logit_bias no_q = { fixture->first - 256 + 'q', -INFINITY };
  struct engine_sampler_options options = { .temperature = 1, .grammar = grammar, .biases = &no_q, .n_biases = 1 };
  assert (engine_sampler_new (&options, n_vocab, &sampler, NULL) == ENGINE_OK);
  for (int round = 0; round < 2; round++) {
    int32_t id;
    for (size_t n = 0; (id = engine_sampler_pick (sampler, logits)) != fixture->end; n++) {
      assert (!engine_sampler_is_stuck (sampler) && n < 4);
      engine_sampler_accept (sampler, id);
    }
    assert (engine_sampler_is_stuck (sampler) && !engine_grammar_is_complete (grammar));
    engine_sampler_restart (sampler, NULL, 0);
    assert (!engine_sampler_is_stuck (sampler));
  }
  for (uint32_t i = 0; i < n_vocab; i++)
    logits[i] = NAN; /* broken logits still stay within the grammar */
  int32_t id = engine_sampler_pick (sampler, logits);
  assert (is_allowed (grammar, id));
  engine_sampler_free (sampler);
  engine_grammar_free (grammar);
  free (logits);
}

int main (void)
{
  static const enum vocabulary_base bases[] = { BASE_SPM, BASE_BPE };
  for (size_t i = 0; i < 2; i++) {
    struct fixture *fixture = fixture_new (bases[i]);
    test_masks (fixture);
    test_first_space (fixture, bases[i] == BASE_SPM);
    test_samples (fixture);
    test_stuck (fixture);
    if (bases[i] == BASE_BPE) {
      test_json_texts (fixture);
      test_citation_texts (fixture);
    }
    fixture_free (fixture);
  }
  return 0;
}
