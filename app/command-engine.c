/* command-engine.c: a model file at work by itself: engine tokenize, detokenize. */
#include "app/commands.h"
#include "app/engine-error.h"
#include "app/output.h"
#include "app/token-ids.h"
#include <errno.h>
#include <stdlib.h>

#define MODEL_OPTION                                                                                                   \
  {                                                                                                                    \
    0, "model", OPTION_TEXT, "FILE", 0, 0, "the GGUF file", TRUE                                                       \
  }

/* ---- tokenize -------------------------------------------------------------------------------------------- */

static gboolean run_tokenize (const Invocation *invocation, GError **error)
{
  g_autoptr (EngineModel) model = engine_model_open_gerror (options_get_text (invocation->options, "model"), error);
  if (!model)
    return FALSE;
  gsize length;
  g_autofree char *text = invocation_dup_text (invocation, invocation->words[0], &length, error);
  if (!text)
    return FALSE;
  unsigned flags = options_has (invocation->options, "special")
                       ? ENGINE_TOKENIZE_ADD_SPECIAL | ENGINE_TOKENIZE_READ_SPECIAL
                       : ENGINE_TOKENIZE_TEXT;
  struct engine_tokens tokens = { 0 };
  struct engine_error engine_error = { 0 };
  if (!engine_check (engine_tokenize (model, text, length, flags, &tokens, &engine_error), &engine_error, error))
    return FALSE;

  if (invocation->json) {
    g_autoptr (JsonWriter) writer = json_writer_new ();
    json_writer_begin_object (writer);
    json_writer_key (writer, "tokens");
    json_writer_begin_array (writer);
    for (gsize i = 0; i < tokens.n; i++)
      json_writer_int (writer, tokens.ids[i]);
    json_writer_end_array (writer);
    json_writer_end_object (writer);
    output_json (writer);
  } else {
    for (gsize i = 0; i < tokens.n; i++)
      output_printf ("%s%d", i ? "," : "", tokens.ids[i]);
    output_text ("\n");
  }
  engine_tokens_clear (&tokens);
  return TRUE;
}

static const OptionSpec tokenize_options[] = {
  MODEL_OPTION,
  { 0, "special", OPTION_FLAG, NULL, 0, 0, "add BOS/EOS as the model wants and read special tokens in the text",
    FALSE },
  OPTIONS_END,
};

const Command command_engine_tokenize = {
  .name = "engine tokenize",
  .arguments = "TEXT",
  .summary = "Turn text into token ids",
  .details = "A TEXT of - is read from standard input, every byte of it.\n",
  .options = tokenize_options,
  .min_words = 1,
  .max_words = 1,
  .run = run_tokenize,
};

/* ---- detokenize ------------------------------------------------------------------------------------------ */

GArray *token_ids_parse (const char *list, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  const char *p = list;
  while (*p) {
    char *end;
    errno = 0;
    long id = strtol (p, &end, 10);
    if (end == p || errno || id < 0 || id > G_MAXINT32 || (*end && *end != ',') || (*end == ',' && !end[1])) {
      g_autofree char *shown = g_utf8_make_valid (list, -1);
      g_set_error (error, USAGE_ERROR, 0, "“%s” is no list of token ids; write them as 1,2,3.", shown);
      return NULL;
    }
    gint32 value = (gint32)id;
    g_array_append_val (ids, value);
    p = *end ? end + 1 : end;
  }
  return g_steal_pointer (&ids);
}

static gboolean run_detokenize (const Invocation *invocation, GError **error)
{
  g_autofree char *list = invocation_dup_query (invocation, invocation->words[0], error);
  g_autoptr (GArray) ids = list ? token_ids_parse (list, error) : NULL;
  if (!ids)
    return FALSE;
  g_autoptr (EngineModel) model = engine_model_open_gerror (options_get_text (invocation->options, "model"), error);
  if (!model)
    return FALSE;
  char *text = NULL;
  gsize length = 0;
  struct engine_error engine_error = { 0 };
  if (!engine_check (
          engine_detokenize (model, (const gint32 *)(void *)ids->data, ids->len, true, &text, &length, &engine_error),
          &engine_error, error))
    return FALSE;
  if (invocation->json) {
    g_autoptr (JsonWriter) writer = json_writer_new ();
    json_writer_begin_object (writer);
    json_writer_key (writer, "text");
    json_writer_bytes (writer, text, length);
    json_writer_end_object (writer);
    output_json (writer);
  } else {
    output_bytes (text, length);
    output_bytes ("\n", 1);
  }
  free (text);
  return TRUE;
}

static const OptionSpec detokenize_options[] = { MODEL_OPTION, OPTIONS_END };

const Command command_engine_detokenize = {
  .name = "engine detokenize",
  .arguments = "ID,ID,…",
  .summary = "Turn token ids into text",
  .options = detokenize_options,
  .min_words = 1,
  .max_words = 1,
  .run = run_detokenize,
};
