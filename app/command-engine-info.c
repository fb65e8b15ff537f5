/* command-engine-info.c: engine info: what a model file holds, whether it runs here, and in how much memory. */
#include "app/commands.h"
#include "app/engine-error.h"
#include "app/output.h"

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

/* What a context of some length takes. */
typedef struct {
  guint32 context_tokens;
  guint64 session_bytes;
  gboolean fits; /* now */
} Need;

static void append_need (GArray *needs, const struct engine_model *model, guint32 context_tokens)
{
  Need need = { context_tokens, engine_model_get_session_bytes (model, context_tokens),
                engine_model_fits (model, context_tokens) };
  g_array_append_val (needs, need);
}

/* Every doubling of 2048 below the length that the model was trained for, and that length, which an encoder always takes.
 * None if the model does not run. */
static GArray *list_needs (const struct engine_model *model)
{
  enum { FIRST = 2048 };
  const struct engine_model_info *info = engine_model_get_info (model);
  GArray *needs = g_array_new (FALSE, FALSE, sizeof (Need));
  if (!info->runs)
    return needs;
  if (info->role == ENGINE_ROLE_GENERATOR)
    for (guint64 tokens = FIRST; tokens < info->context_tokens; tokens *= 2)
      append_need (needs, model, (guint32)tokens);
  append_need (needs, model, info->context_tokens);
  return needs;
}

/* What `session_tokens` take with keys and values as --kv has them. */
static void write_kv (JsonWriter *writer, const struct engine_model *model)
{
  static const char *const names[] = { [ENGINE_KV_F16] = "f16", [ENGINE_KV_Q8_0] = "q8_0" };
  json_writer_key (writer, "kv");
  json_writer_begin_object (writer);
  for (guint kv = 0; kv < G_N_ELEMENTS (names); kv++) {
    const struct engine_session_options options
        = { .context_tokens = default_context (engine_model_get_info (model)), .kv = kv };
    json_writer_key (writer, names[kv]);
    json_writer_begin_object (writer);
    json_writer_member_int (writer, "bytes_per_token", (gint64)engine_model_get_kv_bytes_per_token (model, kv));
    json_writer_member_int (writer, "session_bytes", (gint64)engine_model_count_session_bytes (model, &options));
    json_writer_end_object (writer);
  }
  json_writer_end_object (writer);
}

static void print_info_json (const struct engine_model *model, guint64 session_bytes, const GArray *needs)
{
  const struct engine_model_info *info = engine_model_get_info (model);
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
  write_kv (writer, model);
  json_writer_member_int (writer, "available_bytes", (gint64)engine_get_available_bytes ());
  json_writer_key (writer, "memory");
  json_writer_begin_array (writer);
  for (guint i = 0; i < needs->len; i++) {
    const Need *need = &g_array_index (needs, Need, i);
    json_writer_begin_object (writer);
    json_writer_member_int (writer, "context_tokens", need->context_tokens);
    json_writer_member_int (writer, "session_bytes", (gint64)need->session_bytes);
    json_writer_member_int (writer, "total_bytes", (gint64)(info->file_bytes + need->session_bytes));
    json_writer_member_boolean (writer, "fits", need->fits);
    json_writer_end_object (writer);
  }
  json_writer_end_array (writer);
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

static void print_info (const struct engine_model_info *info, const GArray *needs)
{
  g_autofree char *size = output_dup_size (info->file_bytes);
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
  if (needs->len > 0) {
    g_autofree char *available = output_dup_size (engine_get_available_bytes ());
    output_printf ("Free memory    %s\n", available);
  }
  for (guint i = 0; i < needs->len; i++) {
    const Need *need = &g_array_index (needs, Need, i);
    g_autofree char *memory = output_dup_size (info->file_bytes + need->session_bytes);
    output_printf ("%s%s with a context of %u tokens%s\n", i ? "               " : "Memory         ", memory,
                   need->context_tokens, need->fits ? "" : ": more than is free now");
  }
}

static gboolean run_info (const Invocation *invocation, GError **error)
{
  g_autoptr (EngineModel) model = engine_model_open_gerror (options_get_text (invocation->options, "model"), error);
  if (!model)
    return FALSE;
  const struct engine_model_info *info = engine_model_get_info (model);
  g_autoptr (GArray) needs = list_needs (model);
  if (invocation->json)
    print_info_json (model, engine_model_get_session_bytes (model, default_context (info)), needs);
  else
    print_info (info, needs);
  return TRUE;
}

static const OptionSpec options[] = {
  { 0, "model", OPTION_TEXT, "FILE", 0, 0, "the GGUF file", TRUE },
  OPTIONS_END,
};

const Command command_engine_info = {
  .name = "engine info",
  .arguments = "",
  .summary = "Show what a model file holds and whether it runs",
  .options = options,
  .run = run_info,
};
