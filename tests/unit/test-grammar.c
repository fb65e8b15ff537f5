/* Grammars: which texts they accept, against a table, against PCRE2 on random expressions, and against the limits. */
#include "engine/sampling/automaton.h"
#include "tests/unit/model-builder.h"
#define PCRE2_CODE_UNIT_WIDTH 8
#include <assert.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- running one ------------------------------------------------------------------------------------------ */

struct machine {
  struct grammar_program program;
  struct automaton automaton;
};

static struct machine *machine_new (const char *text, const struct automaton_limits *limits)
{
  struct machine *machine = calloc (1, sizeof *machine);
  struct engine_error error;
  if (grammar_program_compile (text, strlen (text), &machine->program, &error) != ENGINE_OK
      || automaton_init (&machine->automaton, &machine->program, limits, &error) != ENGINE_OK) {
    fprintf (stderr, "%s\n%s\n", text, error.message);
    abort ();
  }
  return machine;
}

static void machine_free (struct machine *machine)
{
  automaton_release (&machine->automaton);
  grammar_program_release (&machine->program);
  free (machine);
}

enum { DEAD, ALIVE, WHOLE };

static int run (struct machine *machine, const char *text, size_t length)
{
  int32_t state = AUTOMATON_START;
  for (size_t i = 0; i < length; i++) {
    automaton_relax (&machine->automaton);
    state = automaton_step (&machine->automaton, &state, 1, (uint8_t)text[i]);
    if (state == AUTOMATON_DEAD)
      return DEAD;
  }
  return automaton_accepts (&machine->automaton, state) ? WHOLE : ALIVE;
}

/* ---- a table -------------------------------------------------------------------------------------------------- */

#define MANY 12
static const struct {
  const char *grammar;
  const char *whole[MANY], *alive[MANY], *dead[MANY];
} rows[] = {
  { "root ::= \"ab\"", { "ab" }, { "", "a" }, { "b", "aa", "abc" } },
  { "root ::= \"\"", { "" }, { NULL }, { "a" } },
  { "root ::=", { "" }, { NULL }, { "a" } },
  { "root ::= \"a\" | \"bc\" | ", { "", "a", "bc" }, { "b" }, { "c", "ab" } },
  { "root ::= [a-cx]", { "a", "b", "c", "x" }, { "" }, { "d", "-", "aa" } },
  { "root ::= [-a]", { "-", "a" }, { "" }, { "b" } },
  { "root ::= [a-]", { "-", "a" }, { "" }, { "b" } },
  { "root ::= [^a-c\\n]",
    { "d", "€", "\xF0\x9F\x98\x80", "^" },
    { "", "\xE2", "\xF0\x9F" },
    { "a", "\n", "\xFF", "\xC0" } },
  { "root ::= [a^]", { "a", "^" }, { "" }, { "b" } },
  { "root ::= [^]", { "a", "]", "é" }, { "" }, { "ab" } },
  { "root ::= .",
    { "a", "\n", "\xF4\x8F\xBF\xBF", "\xC2\x80", "\x7F" },
    { "", "\xC2", "\xED\x9F", "\xF4\x8F" },
    { "ab", "\xED\xA0", "\xF4\x90", "\xC1", "\xE0\x80", "\xF0\x8F", "\x80" } },
  { "root ::= [α-ω]+", { "α", "λογ", "ω" }, { "", "\xCE", "α\xCF" }, { "a", "Ω", "\xCE\x91" } },
  { "root ::= [\\u00e9\\x41\\U0001F600]", { "é", "A", "\xF0\x9F\x98\x80" }, { "" }, { "a", "\xF0\x9F\x98\x81" } },
  { "root ::= \"\\t\\r\\n\\\\\\\"\\[\\]\\x41\"", { "\t\r\n\\\"[]A" }, { "\t" }, { "t" } },
  { "root ::= \"é€\"", { "é€" }, { "é", "\xC3", "é\xE2\x82" }, { "e" } },
  { "root ::= \"a\"*", { "", "a", "aaaa" }, { NULL }, { "b", "ab" } },
  { "root ::= \"ab\"+", { "ab", "abab" }, { "", "aba" }, { "aa", "ba" } },
  { "root ::= \"a\"? \"b\"", { "b", "ab" }, { "", "a" }, { "aa", "bb" } },
  { "root ::= \"a\"{3}", { "aaa" }, { "", "aa" }, { "aaaa" } },
  { "root ::= \"a\"{2,}", { "aa", "aaaaa" }, { "", "a" }, { "b" } },
  { "root ::= \"a\"{1,3}", { "a", "aa", "aaa" }, { "" }, { "aaaa" } },
  { "root ::= \"a\"{0}", { "" }, { NULL }, { "a" } },
  { "root ::= \"a\" { 0 , 2 } \"b\"", { "b", "ab", "aab" }, { "aa" }, { "aaab" } },
  { "root ::= (\"a\" | \"b\" \"c\")* \"d\"", { "d", "abcd" }, { "ab" }, { "ac" } },
  { "root ::= \"a\"?* \"b\"", { "b", "aab" }, { "a" }, { "c" } },
  { "root ::= (\"a\"* \"b\"*)*", { "", "abba" }, { NULL }, { "c" } },
  { "root ::= (\"\")* \"a\"", { "a" }, { "" }, { "b" } },
  { "root ::= (\"\" | x)+ \"a\"\nx ::= \"b\"? | x2*\nx2 ::= \"c\"", { "a", "bca" }, { "bbc" }, { "d" } },
  { "root ::= a b # a comment\n# another ::= one\n\na ::= \"x\"\nb ::=\n  \"y\" |\n  \"z\"\n",
    { "xy", "xz" },
    { "x" },
    { "y" } },
  { "root ::= (\n\"a\"\n|\n\"b\" # within\n)", { "a", "b" }, { "" }, { "c" } },
  { "root\t::=\"a\"\r\n\r\n", { "a" }, { "" }, { "b" } },
  { "root ::= \"(\" root \")\" | \"\"", { "", "()", "(())" }, { "(", "(()" }, { ")", "())" } },
  { "root ::= \"a\" root \"a\" | \"b\"", { "b", "aba", "aabaa" }, { "a", "aab" }, { "ba", "abaa" } },
  { "root ::= \"a\" root | \"\"", { "", "aaa" }, { NULL }, { "b" } },
  { "root ::= x x x\nx ::= \"a\" | ", { "", "a", "aaa" }, { NULL }, { "aaaa" } },
  { "root ::= x \"!\"\nx ::= y y\ny ::= z?\nz ::= \"q\" z?", { "!", "qqq!" }, { "qq" }, { "q!!" } },
  { "root ::= e\ne ::= t (\"+\" t)*\nt ::= f (\"*\" f)*\nf ::= [0-9]+ | \"(\" e \")\"",
    { "1", "1+2*3", "(1+2)*(3)" },
    { "", "1+", "((1" },
    { "+", "1)", "()" } },
  { "root ::= s s\ns ::= \"a\" | \"aa\" | \"aaa\"", { "aa", "aaa", "aaaaaa" }, { "", "a" }, { "aaaaaaa" } },
  { "a-1 ::= \"q\"\nroot ::= a-1 A1\nA1 ::= \"r\"", { "qr" }, { "q" }, { "r" } },
};

static void test_table (void)
{
  for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
    struct machine *machine = machine_new (rows[r].grammar, &automaton_default_limits);
    const char *const *const lists[] = { rows[r].dead, rows[r].alive, rows[r].whole };
    for (int expected = DEAD; expected <= WHOLE; expected++)
      for (size_t i = 0; i < MANY && lists[expected][i]; i++) {
        const char *text = lists[expected][i];
        if (run (machine, text, strlen (text)) != expected) {
          fprintf (stderr, "%s\n\"%s\" is not %d\n", rows[r].grammar, text, expected);
          abort ();
        }
      }
    machine_free (machine);
  }
}

/* ---- mistakes ------------------------------------------------------------------------------------------------- */

static const struct {
  const char *grammar, *says;
} mistakes[] = {
  { "", "no rule named root" },
  { "# nothing", "no rule named root" },
  { "a ::= \"b\"", "no rule named root" },
  { "root ::= b", "Line 1 of the grammar uses the rule b," },
  { "root ::= \"a\"\nroot ::= \"b\"", "Line 2 of the grammar defines the rule root a second time" },
  { "root = \"a\"", "::= is needed after the name root" },
  { "root", "::= is needed after the name root" },
  { "::= \"a\"", "Line 1 of the grammar: the name of a rule is needed" },
  { "root ::= \"a", "Line 1 of the grammar: the text ends after a \"" },
  { "root ::= [a", "ends after a [" },
  { "root ::= [a-", "ends after a [" },
  { "root ::= []", "matches no character" },
  { "root ::= [^\\x00-\\U0010FFFF]", "matches no character" },
  { "root ::= [b-a]", "from U+0062 down to U+0061" },
  { "root ::= (\"a\"", "is not closed with )" },
  { "root ::= \n\n (\"a\"\n\n", "Line 3 of the grammar: the group" },
  { "root ::= \"a\")", "Line 1 of the grammar: ) has no meaning here" },
  { "root ::= *", "* has no meaning here" },
  { "root ::= \"a\" <[1]>", "< has no meaning here" },
  { "root ::= \"\\q\"", "after a backslash" },
  { "root ::= \"\\", "after a backslash" },
  { "root ::= \"\\x4\"", "2 hexadecimal digits" },
  { "root ::= \"\\u12\"", "4 hexadecimal digits" },
  { "root ::= \"\\ud800\"", "no character U+D800" },
  { "root ::= \"\\U00110000\"", "no character U+110000" },
  { "root ::= \"\xFF\"", "bytes that are no UTF-8" },
  { "root ::= \"a\" \xFF", "byte FF has no meaning here" },
  { "root ::= \"a\"{", "a repetition is written" },
  { "root ::= \"a\"{,3}", "a repetition is written" },
  { "root ::= \"a\"{3,2}", "a repetition is written" },
  { "root ::= \"a\"{3", "a repetition is written" },
  { "root ::= \"a\"{1,2,3}", "a repetition is written" },
  { "root ::= \"a\"{99999999999999999999}", "too large" },
  { "root ::= \"a\"{0,100000}", "too large" },
  { "root ::= (((\"a\"{1000}){1000}){1000}){1000}", "too large" },
  { "root ::= root \"a\" | \"a\"", "The rule root of the grammar can begin with itself" },
  { "root ::= a\na ::= b? a2\nb ::= \"x\"\na2 ::= root", "can begin with itself" },
  { "root ::= (\"\" | \"b\")* root \"a\" | \"c\"", "The rule root of the grammar can begin with itself" },
  { "root ::= root", "begin with itself" },
  { "root ::= \"a\" root", "The rule root of the grammar never ends" },
  { "root ::= \"a\"\nb ::= \"b\" c\nc ::= \"c\" b", "never ends" },
};

static void check_refused (const char *grammar, size_t length, const char *says)
{
  struct grammar_program program;
  struct engine_error error = { 0 };
  char *exact = malloc (length ? length : 1); /* so that a sanitizer sees reads beyond it */
  memcpy (exact, grammar, length);
  int status = grammar_program_compile (exact, length, &program, &error);
  if (status != ENGINE_ERROR_RANGE || !strstr (error.message, says)
      || error.message[strlen (error.message) - 1] != '.') {
    fprintf (stderr, "%.200s\n%d: %s\n", grammar, status, error.message);
    abort ();
  }
  free (exact);
}

static void test_mistakes (void)
{
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
    check_refused (mistakes[i].grammar, strlen (mistakes[i].grammar), mistakes[i].says);
  check_refused ("root ::= \"a\"\0", 13, "the byte 00");
}

/* ---- hostile grammars: one sentence, or a bounded run ------------------------------------------------------------ */

static double now_s (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *repeat_text (const char *before, const char *text, size_t n, const char *after)
{
  size_t length = strlen (text);
  char *made = malloc (strlen (before) + n * length + strlen (after) + 1), *p = made + strlen (before);
  strcpy (made, before);
  for (size_t i = 0; i < n; i++, p += length)
    memcpy (p, text, length);
  strcpy (p, after);
  return made;
}

static void check_hostile (char *grammar, const char *says)
{
  double start = now_s ();
  check_refused (grammar, strlen (grammar), says);
  assert (now_s () - start < 20); /* under sanitizers, on a busy machine */
  free (grammar);
}

static void test_hostile (void)
{
  check_hostile (repeat_text ("root ::= ", "(", 100000, "\"a\""), "nested deeper than 100");
  check_hostile (repeat_text ("root ::= \"", "a", GRAMMAR_MAX_BYTES, "\""), "above the limit");
  check_hostile (repeat_text ("root ::= \"", "a", 70000, "\""), "too large");
  check_hostile (repeat_text ("root ::= \"a\"", "?", 200000, ""), "repetitions");
  char *large = repeat_text ("root ::= (\"", "a", 30000, "\")");
  check_hostile (repeat_text (large, "{1}", 60000, ""), "too many repetitions of repetitions");
  free (large);
  char *names = malloc (1 << 18), *p = names;
  p += sprintf (p, "root ::= \"a\"");
  for (int i = 0; i < 2000; i++)
    p += sprintf (p, " r%d", i);
  check_hostile (names, "more than 1024 rules");

  /* A chain of rules in the order that is worst for finding what is empty. */
  char *chain = malloc (1 << 18);
  p = chain + sprintf (chain, "root ::= r1022\n");
  p += sprintf (p, "r0 ::= \"a\"\n");
  for (int i = 1; i < 1023; i++)
    p += sprintf (p, "r%d ::= r%d %s\n", i, i - 1, i < 600 ? "(\"abcdefghijklmnopqrstuvwxyz\")?" : "");
  double start = now_s ();
  machine_free (machine_new (chain, &automaton_default_limits));
  assert (now_s () - start < 20);
  free (chain);
}

/* Each character doubles the readings; the nodes share them. */
static void test_ambiguity (void)
{
  static const char *const grammars[] = {
    "root ::= \"a\" root \"b\" | \"a\" root \"b\" | \"a\" root | \"b\" | \"\"",
    "root ::= x*\nx ::= \"a\" x? | \"a\" y? | \"b\"\ny ::= \"a\" x? | \"a\" y?",
    "root ::= \"a\" s s | \"\"\ns ::= \"a\" s s | \"a\" | \"\" | \"b\"",
    "root ::= ((((\"a\"*)*)*)*)* ((\"a\" | \"a\"?)* | \"a\"{0,50} \"b\"{0,50})*",
    "root ::= (\"a\"{0,40}){0,40} \"b\"?",
  };
  char text[600];
  memset (text, 'a', sizeof text);
  text[sizeof text - 1] = 'b';
  for (size_t g = 0; g < sizeof grammars / sizeof *grammars; g++) {
    struct machine *machine = machine_new (grammars[g], &automaton_default_limits);
    double start = now_s ();
    run (machine, text, sizeof text);
    assert (now_s () - start < 20);
    assert (run (machine, text, 10) != DEAD);
    machine_free (machine);
  }
  struct engine_error error;
  struct grammar_program program;
  struct automaton automaton;
  char *wide = repeat_text ("root ::= \"a\"", " | \"a\"", 5000, "");
  assert (grammar_program_compile (wide, strlen (wide), &program, NULL) == ENGINE_OK);
  assert (automaton_init (&automaton, &program, &automaton_default_limits, &error) == ENGINE_ERROR_RANGE);
  assert (strstr (error.message, "fewer alternatives"));
  grammar_program_release (&program);
  free (wide);
}

/* With hardly any memory the same texts are accepted as long as they fit, and none that should not be. */
static void test_small_memory (void)
{
  const struct automaton_limits small
      = { .n_states = 4, .n_places = 64, .n_nodes = 16, .n_edges = 40, .n_parallel = 64, .n_work = 10000 };
  const char *json = engine_grammar_get_builtin ("json");
  struct machine *large = machine_new (json, &automaton_default_limits), *tight = machine_new (json, &small);
  static const char *const texts[] = { "[1,2,{\"a\":[true,null]}]",
                                       "{\"a\":1,\"b\":[2,3,\"x\\u00e9\"]}",
                                       "[[1],[2]",
                                       "[01]",
                                       "{\"a\" 1}",
                                       "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1",
                                       "\"\\u12\"" };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    for (size_t length = 0; length <= strlen (texts[i]); length++) {
      int expected = run (large, texts[i], length), got = run (tight, texts[i], length);
      assert (got == expected || (got == DEAD && i == 5));
    }
  assert (tight->automaton.generation > 10 && large->automaton.generation == 0);
  assert (run (tight, texts[5], strlen (texts[5])) == DEAD && run (large, texts[5], strlen (texts[5])) == ALIVE);
  machine_free (large);
  machine_free (tight);
}

/* The stack is bounded: deep texts are followed, endless ones come to an end. */
static void test_depth (void)
{
  struct machine *machine = machine_new (engine_grammar_get_builtin ("json"), &automaton_default_limits);
  char *text = malloc (200000);
  memset (text, '[', 200000);
  memset (text + 10000, ']', 10000);
  assert (run (machine, text, 10000) == ALIVE && run (machine, text, 20000) == WHOLE);
  memset (text, '[', 20000);
  double start = now_s ();
  assert (run (machine, text, 200000) == DEAD && now_s () - start < 20);
  free (text);
  machine_free (machine);
}

/* ---- random expressions against PCRE2 ----------------------------------------------------------------------------- */

struct writer {
  char grammar[1 << 14], rules[1 << 14], pattern[1 << 14];
  int n_rules;
  uint64_t noise;
};

static int pick (struct writer *writer, int n)
{
  return (int)((builder_random (&writer->noise) + 1) * 0.49999f * (float)n);
}

/* Appends the same random expression to `grammar` (maybe by a rule of its own) and to the pattern. */
static void write_expression (struct writer *writer, char *grammar, int depth)
{
  static const struct {
    const char *gbnf, *regex;
  } leaves[] = { { "\"a\"", "a" },   { "\"b\"", "b" },           { "\"é\"", "é" },       { "[ab]", "[ab]" },
                 { "[^a]", "[^a]" }, { "[b-\\u00e9]", "[b-é]" }, { "\"ab\"", "(?:ab)" }, { "\"\"", "(?:)" } },
    repeats[]
    = { { "*", "*" }, { "+", "+" }, { "?", "?" }, { "{2}", "{2}" }, { "{1,3}", "{1,3}" }, { "{2,}", "{2,}" } };
  int kind = depth == 0 ? 0 : pick (writer, 6);
  if (kind == 0) {
    int leaf = pick (writer, 8);
    strcat (grammar, leaves[leaf].gbnf);
    strcat (writer->pattern, leaves[leaf].regex);
  } else if (kind == 5) {
    char body[2048] = "", name[16];
    sprintf (name, "r%d", writer->n_rules++);
    write_expression (writer, body, depth - 1);
    sprintf (writer->rules + strlen (writer->rules), "%s ::= %s\n", name, body);
    strcat (grammar, name);
  } else {
    strcat (grammar, "(");
    strcat (writer->pattern, "(?:");
    write_expression (writer, grammar, depth - 1);
    if (kind <= 3) {
      strcat (grammar, kind == 1 ? " | " : " ");
      strcat (writer->pattern, kind == 1 ? "|" : "");
      write_expression (writer, grammar, depth - 1);
    }
    strcat (grammar, ")");
    strcat (writer->pattern, ")");
    if (kind == 4) {
      int repeat = pick (writer, 6);
      strcat (grammar, repeats[repeat].gbnf);
      strcat (writer->pattern, repeats[repeat].regex);
    }
  }
}

static void compare (struct machine *machine, const pcre2_code *code, pcre2_match_data *data, const char *text,
                     size_t n_counts[3])
{
  int matched = pcre2_match (code, (PCRE2_SPTR)text, strlen (text), 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, data, NULL);
  int partial = pcre2_match (code, (PCRE2_SPTR)text, strlen (text), 0, PCRE2_ANCHORED | PCRE2_PARTIAL_SOFT, data, NULL);
  int got = run (machine, text, strlen (text));
  assert (matched >= 0 || matched == PCRE2_ERROR_NOMATCH);
  assert ((got == WHOLE) == (matched >= 0));
  if (got == DEAD)
    assert (partial != PCRE2_ERROR_PARTIAL);
  n_counts[got]++;
}

static void test_against_pcre2 (void)
{
  static const char *const letters[] = { "a", "b", "é", "z" };
  static struct writer writer;
  size_t n_counts[3] = { 0 };
  for (uint64_t seed = 1; seed <= 400; seed++) {
    writer = (struct writer){ .noise = seed, .grammar = "root ::= " };
    write_expression (&writer, writer.grammar, 4);
    strcat (writer.grammar, "\n");
    strcat (writer.grammar, writer.rules);
    int problem;
    PCRE2_SIZE offset;
    pcre2_code *code = pcre2_compile ((PCRE2_SPTR)writer.pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_DOTALL,
                                      &problem, &offset, NULL);
    assert (code);
    pcre2_match_data *data = pcre2_match_data_create (4, NULL);
    struct machine *machine = machine_new (writer.grammar, &automaton_default_limits);
    for (int length = 0; length <= 5; length++)
      for (int which = 0; which < 1 << (2 * length); which++) {
        char text[32] = "";
        for (int i = 0; i < length; i++)
          strcat (text, letters[which >> 2 * i & 3]);
        compare (machine, code, data, text, n_counts);
      }
    machine_free (machine);
    pcre2_match_data_free (data);
    pcre2_code_free (code);
  }
  assert (n_counts[DEAD] > 10000 && n_counts[ALIVE] > 1000 && n_counts[WHOLE] > 5000);
}

int main (void)
{
  test_table ();
  test_mistakes ();
  test_hostile ();
  test_ambiguity ();
  test_small_memory ();
  test_depth ();
  test_against_pcre2 ();
  return 0;
}
