/* gbnf.c: reads a grammar and writes its program, in one pass: what follows an item copies or wraps the instructions
 * that the item has just written. */
#include "engine/sampling/grammar_program.h"

#include "engine/error.h"
#include "engine/sampling/utf8_ranges.h"
#include "engine/tokenizer/utf8.h"
#include <stdlib.h>
#include <string.h>

#define MAX_REPEAT 1000000000u
#define MAX_CHARACTER 0x10FFFFu

struct range {
  uint32_t low, high;
};

struct reader {
  const char *text, *end, *p;
  uint32_t line;
  uint32_t nesting;
  struct grammar_program *program;
  struct range *ranges; /* of the class being read */
  size_t n_ranges, ranges_capacity;
  struct engine_error *error;
};

static struct grammar_instruction make_byte (uint8_t low, uint8_t high)
{
  return (struct grammar_instruction){ .op = GRAMMAR_BYTE, .low = low, .high = high };
}

static struct grammar_instruction make_jump (int64_t by)
{
  return (struct grammar_instruction){ .op = GRAMMAR_JUMP, .target = { (int32_t)by, 0 } };
}

/* ---- characters ---------------------------------------------------------------------------------------- */

#define FAIL(reader, ...) engine_error_set ((reader)->error, ENGINE_ERROR_RANGE, __VA_ARGS__)

static bool at (const struct reader *reader, char c)
{
  return reader->p < reader->end && *reader->p == c;
}

static bool is_digit (char c)
{
  return c >= '0' && c <= '9';
}

static bool is_name (char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit (c) || c == '-';
}

static void skip_space (struct reader *reader, bool over_lines)
{
  for (; reader->p < reader->end; reader->p++) {
    char c = *reader->p;
    if (c == '#') {
      while (reader->p + 1 < reader->end && reader->p[1] != '\n' && reader->p[1] != '\r')
        reader->p++;
    } else if (c == '\n' || c == '\r') {
      if (!over_lines)
        return;
      reader->line += c == '\n';
    } else if (c != ' ' && c != '\t')
      return;
  }
}

static int hex_value (char c)
{
  if (is_digit (c))
    return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_hex (struct reader *reader, int n_digits, uint32_t *character)
{
  uint32_t value = 0;
  for (int i = 0; i < n_digits; i++) {
    int digit = reader->p < reader->end ? hex_value (*reader->p) : -1;
    if (digit < 0)
      return FAIL (reader, "Line %u of the grammar: an escape needs %d hexadecimal digits.", reader->line, n_digits);
    value = value << 4 | (uint32_t)digit;
    reader->p++;
  }
  if (value > MAX_CHARACTER || (value >= 0xD800 && value <= 0xDFFF))
    return FAIL (reader, "Line %u of the grammar: there is no character U+%04X.", reader->line, value);
  *character = value;
  return ENGINE_OK;
}

static int read_escape (struct reader *reader, uint32_t *character)
{
  static const char names[] = "trn\\\"[]", values[] = "\t\r\n\\\"[]";
  char c = reader->p < reader->end ? *reader->p++ : '\0';
  switch (c) {
  case 'x': return read_hex (reader, 2, character);
  case 'u': return read_hex (reader, 4, character);
  case 'U': return read_hex (reader, 8, character);
  default: break;
  }
  const char *found = c ? strchr (names, c) : NULL;
  if (!found)
    return FAIL (reader,
                 "Line %u of the grammar: after a backslash only t, r, n, \\, \", [, ], x, u and U have a meaning.",
                 reader->line);
  *character = (uint8_t)values[found - names];
  return ENGINE_OK;
}

/* One character of a literal or class that was opened with `opening`. */
static int read_character (struct reader *reader, char opening, uint32_t *character)
{
  if (reader->p >= reader->end)
    return FAIL (reader, "Line %u of the grammar: the text ends after a %c that is not closed.", reader->line, opening);
  if (*reader->p == '\\') {
    reader->p++;
    return read_escape (reader, character);
  }
  size_t n = utf8_decode (reader->p, (size_t)(reader->end - reader->p), character);
  if (n == 0)
    return FAIL (reader, "Line %u of the grammar holds bytes that are no UTF-8.", reader->line);
  reader->line += *character == '\n';
  reader->p += n;
  return ENGINE_OK;
}

/* ---- items --------------------------------------------------------------------------------------------- */

static int read_literal (struct reader *reader)
{
  reader->p++;
  while (!at (reader, '"')) {
    uint32_t character;
    char bytes[4];
    int status = read_character (reader, '"', &character);
    size_t n = status == ENGINE_OK ? utf8_encode (character, bytes) : 0;
    for (size_t i = 0; i < n && status == ENGINE_OK; i++)
      status = grammar_program_emit (reader->program, make_byte ((uint8_t)bytes[i], (uint8_t)bytes[i]), reader->error);
    if (status != ENGINE_OK)
      return status;
  }
  reader->p++;
  return ENGINE_OK;
}

static int add_range (struct reader *reader, uint32_t low, uint32_t high)
{
  if (reader->n_ranges == reader->ranges_capacity) {
    size_t capacity = reader->ranges_capacity ? 2 * reader->ranges_capacity : 32;
    void *ranges = realloc (reader->ranges, capacity * sizeof *reader->ranges);
    if (!ranges)
      return engine_error_set (reader->error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a grammar.");
    reader->ranges = ranges;
    reader->ranges_capacity = capacity;
  }
  reader->ranges[reader->n_ranges++] = (struct range){ low, high };
  return ENGINE_OK;
}

static int by_low (const void *a, const void *b)
{
  uint32_t x = ((const struct range *)a)->low, y = ((const struct range *)b)->low;
  return x < y ? -1 : x > y;
}

/* Sorts the ranges and joins those that touch; with `negated` they become what lies between them. */
static int tidy_ranges (struct reader *reader, bool negated)
{
  struct range *ranges = reader->ranges;
  size_t n = 0;
  if (reader->n_ranges > 0)
    qsort (ranges, reader->n_ranges, sizeof *ranges, by_low);
  for (size_t i = 0; i < reader->n_ranges; i++) {
    if (n > 0 && ranges[i].low <= ranges[n - 1].high + 1)
      ranges[n - 1].high = ranges[i].high > ranges[n - 1].high ? ranges[i].high : ranges[n - 1].high;
    else
      ranges[n++] = ranges[i];
  }
  reader->n_ranges = n;
  if (!negated)
    return ENGINE_OK;
  uint32_t next = 0;
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    struct range range = ranges[i];
    if (range.low > next)
      ranges[kept++] = (struct range){ next, range.low - 1 };
    next = range.high + 1;
  }
  reader->n_ranges = kept;
  return next <= MAX_CHARACTER ? add_range (reader, next, MAX_CHARACTER) : ENGINE_OK;
}

struct alternation {
  struct reader *reader;
  uint32_t start;     /* of the alternative being written */
  uint32_t last_jump; /* 0: none; each JUMP holds the one before until all are known */
};

/* Ends the alternative being written; another follows. */
static int begin_alternative (struct alternation *alternation)
{
  struct reader *reader = alternation->reader;
  struct grammar_program *program = reader->program;
  int status = grammar_program_wrap (program, alternation->start, reader->error);
  if (status == ENGINE_OK)
    status = grammar_program_emit (program, make_jump (alternation->last_jump), reader->error);
  if (status != ENGINE_OK)
    return status;
  program->code[alternation->start].target[1]++; /* over the JUMP */
  alternation->last_jump = program->n_code - 1;
  alternation->start = program->n_code;
  return ENGINE_OK;
}

static void end_alternation (struct alternation *alternation)
{
  struct grammar_program *program = alternation->reader->program;
  for (uint32_t at_jump = alternation->last_jump; at_jump;) {
    uint32_t before = (uint32_t)program->code[at_jump].target[0];
    program->code[at_jump].target[0] = (int32_t)(program->n_code - at_jump);
    at_jump = before;
  }
}

static int emit_sequence (const struct utf8_sequence *sequence, void *data)
{
  struct alternation *alternation = data;
  struct reader *reader = alternation->reader;
  int status = ENGINE_OK;
  if (reader->program->n_code > alternation->start)
    status = begin_alternative (alternation);
  for (size_t i = 0; i < sequence->n && status == ENGINE_OK; i++)
    status = grammar_program_emit (reader->program, make_byte (sequence->low[i], sequence->high[i]), reader->error);
  return status;
}

static int emit_ranges (struct reader *reader)
{
  struct alternation alternation = { reader, reader->program->n_code, 0 };
  int status = ENGINE_OK;
  for (size_t i = 0; i < reader->n_ranges && status == ENGINE_OK; i++)
    status = utf8_ranges_split (reader->ranges[i].low, reader->ranges[i].high, emit_sequence, &alternation);
  if (status == ENGINE_OK && reader->program->n_code == alternation.start)
    return FAIL (reader, "Line %u of the grammar: a class in [] matches no character.", reader->line);
  end_alternation (&alternation);
  return status;
}

static int read_class (struct reader *reader)
{
  int status = ENGINE_OK;
  reader->p++;
  reader->n_ranges = 0;
  bool negated = at (reader, '^');
  reader->p += negated;
  while (status == ENGINE_OK && !at (reader, ']')) {
    uint32_t low, high;
    status = read_character (reader, '[', &low);
    high = low;
    if (status == ENGINE_OK && at (reader, '-') && reader->p + 1 < reader->end && reader->p[1] != ']') {
      reader->p++;
      status = read_character (reader, '[', &high);
    }
    if (status == ENGINE_OK && high < low)
      status = FAIL (reader, "Line %u of the grammar: a range in [] goes from U+%04X down to U+%04X.", reader->line,
                     low, high);
    if (status == ENGINE_OK)
      status = add_range (reader, low, high);
  }
  if (status == ENGINE_OK)
    status = tidy_ranges (reader, negated);
  if (status != ENGINE_OK)
    return status;
  reader->p++;
  return emit_ranges (reader);
}

static int read_any (struct reader *reader)
{
  reader->p++;
  reader->n_ranges = 0;
  int status = add_range (reader, 0, MAX_CHARACTER);
  return status == ENGINE_OK ? emit_ranges (reader) : status;
}

/* The rule's number, new if it was not named before. */
static int read_name (struct reader *reader, uint32_t *rule)
{
  struct grammar_program *program = reader->program;
  const char *name = reader->p;
  while (reader->p < reader->end && is_name (*reader->p))
    reader->p++;
  size_t length = (size_t)(reader->p - name);
  if (length == 0)
    return FAIL (reader, "Line %u of the grammar: the name of a rule is needed here, made of letters, digits and -.",
                 reader->line);
  for (*rule = 0; *rule < program->n_rules; ++*rule)
    if (program->rules[*rule].length == length && memcmp (program->rules[*rule].name, name, length) == 0)
      return ENGINE_OK;
  if (program->n_rules == GRAMMAR_MAX_RULES)
    return FAIL (reader, "Line %u of the grammar: there are more than %u rules.", reader->line, GRAMMAR_MAX_RULES);
  if (program->n_rules == program->rules_capacity) {
    uint32_t capacity = program->rules_capacity ? 2 * program->rules_capacity : 16;
    void *rules = realloc (program->rules, capacity * sizeof *program->rules);
    if (!rules)
      return engine_error_set (reader->error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a grammar.");
    program->rules = rules;
    program->rules_capacity = capacity;
  }
  program->rules[program->n_rules++]
      = (struct grammar_rule){ .name = name, .length = (uint32_t)length, .line = reader->line };
  return ENGINE_OK;
}

static int read_call (struct reader *reader)
{
  uint32_t rule;
  int status = read_name (reader, &rule);
  if (status != ENGINE_OK)
    return status;
  return grammar_program_emit (reader->program, (struct grammar_instruction){ .op = GRAMMAR_CALL, .rule = rule },
                               reader->error);
}

/* ---- repetitions --------------------------------------------------------------------------------------- */

static int read_number (struct reader *reader, uint64_t *number)
{
  if (reader->p >= reader->end || !is_digit (*reader->p))
    return FAIL (reader, "Line %u of the grammar: a repetition is written {m}, {m,} or {m,n}.", reader->line);
  for (*number = 0; reader->p < reader->end && is_digit (*reader->p); reader->p++) {
    *number = *number * 10 + (uint64_t)(*reader->p - '0');
    if (*number > MAX_REPEAT)
      return FAIL (reader, "Line %u of the grammar: a repetition of more than %u is too large.", reader->line,
                   MAX_REPEAT);
  }
  return ENGINE_OK;
}

static int read_braces (struct reader *reader, uint32_t start)
{
  uint64_t least, most;
  bool endless = false;
  reader->p++;
  skip_space (reader, false);
  int status = read_number (reader, &least);
  most = least;
  skip_space (reader, false);
  if (status == ENGINE_OK && at (reader, ',')) {
    reader->p++;
    skip_space (reader, false);
    endless = at (reader, '}');
    if (!endless)
      status = read_number (reader, &most);
    skip_space (reader, false);
  }
  if (status != ENGINE_OK)
    return status;
  if (!at (reader, '}') || most < least)
    return FAIL (reader, "Line %u of the grammar: a repetition is written {m}, {m,} or {m,n} with m not above n.",
                 reader->line);
  reader->p++;
  return grammar_program_repeat (reader->program, start, least, most, endless, reader->error);
}

static int read_repetitions (struct reader *reader, uint32_t start)
{
  int status = ENGINE_OK;
  for (;;) {
    skip_space (reader, reader->nesting > 0);
    if (status != ENGINE_OK || reader->p >= reader->end)
      return status;
    switch (*reader->p) {
    case '*': status = grammar_program_repeat (reader->program, start, 0, 0, true, reader->error); break;
    case '+': status = grammar_program_repeat (reader->program, start, 1, 1, true, reader->error); break;
    case '?': status = grammar_program_repeat (reader->program, start, 0, 1, false, reader->error); break;
    case '{': status = read_braces (reader, start); continue;
    default: return status;
    }
    reader->p++;
  }
}

/* ---- rules --------------------------------------------------------------------------------------------- */

static int read_alternatives (struct reader *reader);

static int read_group (struct reader *reader)
{
  uint32_t line = reader->line;
  if (reader->nesting == GRAMMAR_MAX_NESTING)
    return FAIL (reader, "Line %u of the grammar: groups are nested deeper than %u.", line, GRAMMAR_MAX_NESTING);
  reader->nesting++;
  reader->p++;
  int status = read_alternatives (reader);
  if (status != ENGINE_OK)
    return status;
  if (!at (reader, ')'))
    return FAIL (reader, "Line %u of the grammar: the group that begins here is not closed with ).", line);
  reader->p++;
  reader->nesting--;
  return ENGINE_OK;
}

static int read_sequence (struct reader *reader)
{
  int status = ENGINE_OK;
  while (status == ENGINE_OK && reader->p < reader->end) {
    uint32_t start = reader->program->n_code;
    char c = *reader->p;
    if (c == '"')
      status = read_literal (reader);
    else if (c == '[')
      status = read_class (reader);
    else if (c == '(')
      status = read_group (reader);
    else if (c == '.')
      status = read_any (reader);
    else if (is_name (c))
      status = read_call (reader);
    else
      return ENGINE_OK;
    if (status == ENGINE_OK)
      status = read_repetitions (reader, start);
  }
  return status;
}

static int read_alternatives (struct reader *reader)
{
  struct alternation alternation = { reader, reader->program->n_code, 0 };
  skip_space (reader, true);
  int status = read_sequence (reader);
  while (status == ENGINE_OK && at (reader, '|')) {
    status = begin_alternative (&alternation);
    reader->p++;
    skip_space (reader, true);
    if (status == ENGINE_OK)
      status = read_sequence (reader);
  }
  if (status == ENGINE_OK)
    end_alternation (&alternation);
  return status;
}

static int read_rule (struct reader *reader)
{
  uint32_t rule, line = reader->line;
  int status = read_name (reader, &rule);
  if (status != ENGINE_OK)
    return status;
  struct grammar_rule *defined = &reader->program->rules[rule];
  skip_space (reader, false);
  if (reader->end - reader->p < 3 || memcmp (reader->p, "::=", 3) != 0)
    return FAIL (reader, "Line %u of the grammar: ::= is needed after the name %.*s.", line,
                 (int)(defined->length < 80 ? defined->length : 80), defined->name);
  if (defined->start)
    return FAIL (reader, "Line %u of the grammar defines the rule %.*s a second time.", line,
                 (int)(defined->length < 80 ? defined->length : 80), defined->name);
  reader->p += 3;
  defined->start = reader->program->n_code;
  status = read_alternatives (reader);
  if (status == ENGINE_OK)
    status = grammar_program_emit (reader->program, (struct grammar_instruction){ .op = GRAMMAR_END }, reader->error);
  if (status != ENGINE_OK)
    return status;
  if (reader->p < reader->end && *reader->p != '\n' && *reader->p != '\r') {
    unsigned char c = (unsigned char)*reader->p;
    return c >= 0x21 && c < 0x7F
               ? FAIL (reader, "Line %u of the grammar: %c has no meaning here.", reader->line, c)
               : FAIL (reader, "Line %u of the grammar: the byte %02X has no meaning here.", reader->line, c);
  }
  return ENGINE_OK;
}

static int find_root (struct grammar_program *program, struct engine_error *error)
{
  program->root = program->n_rules;
  for (uint32_t i = 0; i < program->n_rules; i++) {
    const struct grammar_rule *rule = &program->rules[i];
    if (rule->start == 0)
      return engine_error_set (error, ENGINE_ERROR_RANGE,
                               "Line %u of the grammar uses the rule %.*s, which is defined nowhere.", rule->line,
                               (int)(rule->length < 80 ? rule->length : 80), rule->name);
    if (rule->length == 4 && memcmp (rule->name, "root", 4) == 0)
      program->root = i;
  }
  if (program->root == program->n_rules)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The grammar has no rule named root: define where it begins.");
  return ENGINE_OK;
}

int grammar_program_compile (const char *text, size_t length, struct grammar_program *program,
                             struct engine_error *error)
{
  struct grammar_program made = { 0 };
  if (length > GRAMMAR_MAX_BYTES)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "A grammar of %zu bytes is above the limit of %u.", length,
                             GRAMMAR_MAX_BYTES);
  struct reader reader = { text, text + length, text, 1, 0, &made, NULL, 0, 0, error };
  int status = grammar_program_emit (&made, (struct grammar_instruction){ .op = GRAMMAR_ACCEPT }, error);
  for (;;) {
    skip_space (&reader, true);
    if (status != ENGINE_OK || reader.p >= reader.end)
      break;
    status = read_rule (&reader);
  }
  free (reader.ranges);
  if (status == ENGINE_OK)
    status = find_root (&made, error);
  if (status == ENGINE_OK)
    status = grammar_program_check (&made, error);
  for (uint32_t i = 0; i < made.n_rules; i++)
    made.rules[i].name = NULL;
  if (status == ENGINE_OK)
    *program = made;
  else
    grammar_program_release (&made);
  return status;
}
