/* grammar_texts.c: grammars that come with the engine. */
#include "engine/engine.h"

#include "engine/error.h"
#include "engine/tokenizer/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SOURCES 9999u
#define MAX_REFUSAL_BYTES 4096u

static const struct {
  const char *name, *text;
} builtins[] = {
  { "json", "root ::= space value space\n"
            "value ::= object | array | string | number | \"true\" | \"false\" | \"null\"\n"
            "object ::= \"{\" space (member (\",\" space member)*)? \"}\"\n"
            "member ::= string space \":\" space value space\n"
            "array ::= \"[\" space (value space (\",\" space value space)*)? \"]\"\n"
            "string ::= \"\\\"\" ([^\"\\\\\\x00-\\x1F] | \"\\\\\" ([\"\\\\/bfnrt] | \"u\" [0-9a-fA-F]{4}))* \"\\\"\"\n"
            "number ::= \"-\"? (\"0\" | [1-9] [0-9]*) (\".\" [0-9]+)? ([eE] [-+]? [0-9]+)?\n"
            "space ::= [ \\t]{0,2} (\"\\r\"? \"\\n\" [ \\t]{0,20})?\n" },
};

const char *engine_grammar_get_builtin (const char *name)
{
  for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
    if (strcmp (builtins[i].name, name) == 0)
      return builtins[i].text;
  return NULL;
}

/* A word never ends in a full stop: that one is the sentence's. What separates is one space or one or two line ends. */
static const char citation_rules[] = "answer ::= sentence (gap sentence)* \"\\n\"?\n"
                                     "sentence ::= word (\" \" word)* (\" \"? cites stop? | stop \" \"? cites)\n"
                                     "word ::= plain (stop? plain)*\n"
                                     "plain ::= [^ \\[\\].!?。！？\\x00-\\x1F\\x7F]\n"
                                     "stop ::= [.!?。！？]{1,3}\n"
                                     "cites ::= \"[\" number \"]\" (\" \"? \"[\" number \"]\")*\n"
                                     "gap ::= \" \" | \"\\n\"{1,2}\n";

/* Writes the alternatives of the numbers 1 to `most`: those with fewer digits, then, digit by digit, those that agree
 * with it so far and are lower in that digit, then itself. */
static void write_numbers (FILE *out, uint32_t most)
{
  char digits[16];
  int n = snprintf (digits, sizeof digits, "%u", most);
  fputs ("number ::= ", out);
  for (int length = 1; length < n; length++)
    fprintf (out, "[1-9] [0-9]{%d} | ", length - 1);
  for (int i = 0; i < n; i++) {
    char low = i == 0 ? '1' : '0';
    if (digits[i] > low)
      fprintf (out, "\"%.*s\" [%c-%c] [0-9]{%d} | ", i, digits, low, digits[i] - 1, n - 1 - i);
  }
  fprintf (out, "\"%s\"\n", digits);
}

static void write_literal (FILE *out, const char *text)
{
  fputc ('"', out);
  for (; *text; text++)
    if (*text == '"' || *text == '\\')
      fprintf (out, "\\%c", *text);
    else if ((unsigned char)*text < 0x20)
      fprintf (out, "\\x%02X", (unsigned)*text);
    else
      fputc (*text, out);
  fputc ('"', out);
}

int engine_grammar_for_citations (uint32_t n_sources, const char *refusal, char **text, struct engine_error *error)
{
  size_t length = strlen (refusal), done = 0, size = 0;
  if (n_sources < 1 || n_sources > MAX_SOURCES)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "An answer from %u sources cannot be cited: give 1 to %u.",
                             n_sources, MAX_SOURCES);
  while (done < length) {
    size_t n = utf8_decode (refusal + done, length - done, NULL);
    if (n == 0)
      break;
    done += n;
  }
  if (length == 0 || length > MAX_REFUSAL_BYTES || done < length)
    return engine_error_set (error, ENGINE_ERROR_RANGE, "The refusal must be UTF-8 of 1 to %u bytes.",
                             MAX_REFUSAL_BYTES);
  char *made = NULL;
  FILE *out = open_memstream (&made, &size);
  if (!out)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a grammar.");
  fputs ("root ::= answer | ", out);
  write_literal (out, refusal);
  fprintf (out, "\n%s", citation_rules);
  write_numbers (out, n_sources);
  bool failed = ferror (out);
  if (fclose (out) != 0 || failed) {
    free (made);
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a grammar.");
  }
  *text = made;
  return ENGINE_OK;
}
