/* command-engine.c: a model file seen by itself: engine info, tokenize, detokenize, embed. */
#include "app/commands.h"
#include "app/engine-error.h"
#include "app/output.h"
#include "app/token-ids.h"
#include <errno.h>
#include <gio/gunixinputstream.h>
#include <stdlib.h>
#include <unistd.h>

#define MODEL_OPTION                                                                                                   \
  {                                                                                                                    \
    0, "model", OPTION_TEXT, "FILE", 0, 0, "the GGUF file", TRUE                                                       \
  }

/* ---- info ------------------------------------------------------------------------------------------------ */

static const char *role_name (enum engine_role role)
{
  switch (role) {
  case ENGINE_ROLE_GENERATOR: return "generator";
  case ENGINE_ROLE_ENCODER: return "encoder";
  case ENGINE_ROLE_RERANKER: return "reranker";
  case ENGINE_ROLE_NONE: break;
  }
  return "other";
}

/* What `ask` would use: the engine's default context. */
static guint32 default_context (const struct engine_model_info *info)
{
  return info->context_tokens ? MIN (4096, info->context_tokens) : 4096;
}

static void print_info_json (const struct engine_model_info *info, guint64 session_bytes)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_object (writer);
  json_writer_member_string (writer, "path", info->path);
  json_writer_member_string (writer, "architecture", info->architecture);
  json_writer_member_string (writer, "name", info->name);
  json_writer_member_string (writer, "role", role_name (info->role));
  json_writer_member_boolean (writer, "runs", info->runs);
  json_writer_member_string (writer, "reason", info->runs ? NULL : info->reason);
  json_writer_member_string (writer, "tokenizer", info->tokenizer);
  json_writer_member_string (writer, "chat_template", info->chat_template);
  json_writer_member_string (writer, "tensor_types", info->tensor_types);
  json_writer_member_int (writer, "file_bytes", (gint64)info->file_bytes);
  json_writer_member_int (writer, "parameters", (gint64)info->n_parameters);
  json_writer_member_int (writer, "context_tokens", info->context_tokens);
  json_writer_member_int (writer, "layers", info->n_layers);
  json_writer_member_int (writer, "embedding", info->n_embd);
  json_writer_member_int (writer, "heads", info->n_heads);
  json_writer_member_int (writer, "kv_heads", info->n_kv_heads);
  json_writer_member_int (writer, "vocabulary", info->n_vocab);
  json_writer_member_int (writer, "kv_bytes_per_token", (gint64)info->kv_bytes_per_token);
  json_writer_member_int (writer, "session_tokens", default_context (info));
  json_writer_member_int (writer, "session_bytes", (gint64)session_bytes);
  json_writer_member_int (writer, "memory_bytes", (gint64)(info->file_bytes + session_bytes));
  json_writer_member_int (writer, "gguf_version", info->gguf_version);
  json_writer_member_int (writer, "tensors", (gint64)info->n_tensors);
  json_writer_member_string (writer, "cpu_path", engine_get_cpu_path ());
  json_writer_member_int (writer, "cores", engine_get_physical_cores ());
  json_writer_end_object (writer);
  output_json (writer);
}

static const char *or_none (const char *text)
{
  return text && *text ? text : "none";
}

static void print_info (const struct engine_model_info *info, guint64 session_bytes)
{
  g_autofree char *size = output_dup_size (info->file_bytes);
  g_autofree char *memory = output_dup_size (info->file_bytes + session_bytes);
  g_autofree char *path = g_filename_display_name (info->path);
  output_printf ("File           %s (GGUF %u, %s)\n", path, info->gguf_version, size);
  output_printf ("Name           %s\n", or_none (info->name));
  output_printf ("Architecture   %s (%s)\n", or_none (info->architecture), role_name (info->role));
  if (info->runs)
    output_printf ("Runs           yes, on the %s path\n", engine_get_cpu_path ());
  else
    output_printf ("Runs           no: %s\n", info->reason);
  output_printf ("Parameters     %" G_GUINT64_FORMAT "\n", info->n_parameters);
  output_printf ("Tensors        %" G_GUINT64_FORMAT "%s%s\n", info->n_tensors, info->n_tensors ? ": " : "",
                 info->tensor_types);
  output_printf ("Shape          %u layers, embedding %u, %u heads, %u key-value heads\n", info->n_layers, info->n_embd,
                 info->n_heads, info->n_kv_heads);
  output_printf ("Tokenizer      %s, %u tokens\n", or_none (info->tokenizer), info->n_vocab);
  output_printf ("Chat template  %s\n", or_none (info->chat_template));
  output_printf ("Context        %u tokens\n", info->context_tokens);
  if (info->runs)
    output_printf ("Memory         %s with a context of %u tokens\n", memory, default_context (info));
}

static gboolean run_info (const Invocation *invocation, GError **error)
{
  g_autoptr (EngineModel) model = engine_model_open_gerror (options_get_text (invocation->options, "model"), error);
  if (!model)
    return FALSE;
  const struct engine_model_info *info = engine_model_get_info (model);
  guint64 session_bytes = info->runs && info->role == ENGINE_ROLE_GENERATOR
                              ? engine_model_get_session_bytes (model, default_context (info))
                              : 0;
  if (invocation->json)
    print_info_json (info, session_bytes);
  else
    print_info (info, session_bytes);
  return TRUE;
}

static const OptionSpec info_options[] = { MODEL_OPTION, OPTIONS_END };

const Command command_engine_info = {
  .name = "engine info",
  .arguments = "",
  .summary = "Show what a model file holds and whether it runs",
  .options = info_options,
  .run = run_info,
};

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

/* ---- embed ----------------------------------------------------------------------------------------------- */

static void cancel_encoder (GCancellable *cancellable, gpointer encoder)
{
  engine_encoder_cancel (encoder);
}

static gboolean embed_lines (struct engine_encoder *encoder, GCancellable *cancellable, GError **error)
{
  g_autoptr (GInputStream) stdin_stream = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (stdin_stream);
  guint32 n = engine_encoder_get_dimensions (encoder);
  g_autofree float *vector = g_new (float, n);
  g_autoptr (JsonWriter) writer = json_writer_new ();
  for (;;) {
    gsize length;
    g_autoptr (GError) read_error = NULL;
    g_autofree char *line = g_data_input_stream_read_line (lines, &length, cancellable, &read_error);
    if (read_error) {
      g_propagate_error (error, g_steal_pointer (&read_error));
      return FALSE;
    }
    if (!line)
      return TRUE;
    struct engine_error engine_error = { 0 };
    if (!engine_check (engine_encoder_embed (encoder, line, length, vector, &engine_error), &engine_error, error))
      return FALSE;
    json_writer_reset (writer);
    json_writer_begin_array (writer);
    for (guint32 i = 0; i < n; i++)
      json_writer_float (writer, vector[i]);
    json_writer_end_array (writer);
    output_json (writer);
    output_flush ();
  }
}

static gboolean run_embed (const Invocation *invocation, GError **error)
{
  g_autoptr (EngineModel) model = engine_model_open_gerror (options_get_text (invocation->options, "model"), error);
  if (!model)
    return FALSE;
  struct engine_encoder *encoder = NULL;
  struct engine_error engine_error = { 0 };
  int n_threads = (int)options_get_count (invocation->options, "t", 0);
  if (!engine_check (engine_encoder_new (model, n_threads, &encoder, &engine_error), &engine_error, error))
    return FALSE;
  gulong handler = g_cancellable_connect (invocation->cancellable, G_CALLBACK (cancel_encoder), encoder, NULL);
  gboolean done = embed_lines (encoder, invocation->cancellable, error);
  g_cancellable_disconnect (invocation->cancellable, handler);
  engine_encoder_free (encoder);
  return done;
}

static const OptionSpec embed_options[] = {
  MODEL_OPTION,
  { 't', NULL, OPTION_COUNT, "THREADS", 1, 1024, "threads (default: one per physical core)", FALSE },
  OPTIONS_END,
};

const Command command_engine_embed = {
  .name = "engine embed",
  .arguments = "",
  .summary = "Turn each line of standard input into a vector",
  .details = "Prints one JSON array of numbers per line, of length 1 (L2).\n",
  .options = embed_options,
  .run = run_embed,
};
