/* command-engine-template.c: a conversation as the text that the model would be given. */
#include "app/commands.h"
#include "app/engine-error.h"
#include "app/output.h"
#include <json-glib/json-glib.h>
#include <string.h>

static const OptionSpec template_options[] = {
  { 0, "model", OPTION_TEXT, "FILE", 0, 0, "the GGUF file", TRUE },
  { 0, "messages", OPTION_TEXT, "FILE", 0, 0, "the conversation, as JSON", TRUE },
  { 0, "thinking", OPTION_TEXT, "on|off", 0, 0, "tell the template that the model shall think first, or not", FALSE },
  { 0, "date", OPTION_TEXT, "YYYY-MM-DD", 0, 0, "the date for templates that ask for it (default: today)", FALSE },
  OPTIONS_END,
};

/* A conversation read from a file; the strings belong to the parser. */
typedef struct {
  JsonParser *parser;
  GArray *messages; /* of struct engine_message */
  struct engine_chat_options options;
} Conversation;

static void conversation_clear (Conversation *conversation)
{
  g_clear_object (&conversation->parser);
  g_clear_pointer (&conversation->messages, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Conversation, conversation_clear)

static const char *get_string (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);
  return node && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
}

static gboolean read_messages (JsonArray *array, GArray *messages, GError **error)
{
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *node = json_array_get_element (array, i);
    JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
    struct engine_message message = { NULL, NULL };
    if (object)
      message = (struct engine_message){ get_string (object, "role"), get_string (object, "content") };
    if (!message.role || !message.content) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "message %u has no text as “role” and “content”.",
                   i + 1);
      return FALSE;
    }
    g_array_append_val (messages, message);
  }
  return TRUE;
}

/* TRUE also if it is not there; *value is then as before. */
static gboolean read_boolean (JsonObject *object, const char *name, gboolean *found, gboolean *value, GError **error)
{
  JsonNode *node = json_object_get_member (object, name);
  *found = node != NULL;
  if (node && json_node_get_value_type (node) != G_TYPE_BOOLEAN) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "“%s” is neither true nor false.", name);
    return FALSE;
  }
  if (node)
    *value = json_node_get_boolean (node);
  return TRUE;
}

/* A list of messages, or an object that has them as "messages" beside what the template is told. */
static gboolean read_root (Conversation *conversation, GError **error)
{
  JsonNode *root = json_parser_get_root (conversation->parser);
  gboolean opens = TRUE, thinks = FALSE, found;
  if (root && JSON_NODE_HOLDS_OBJECT (root)) {
    JsonObject *object = json_node_get_object (root);
    if (!read_boolean (object, "add_generation_prompt", &found, &opens, error))
      return FALSE;
    conversation->options.no_generation_prompt = !opens;
    if (!read_boolean (object, "enable_thinking", &found, &thinks, error))
      return FALSE;
    if (found)
      conversation->options.thinking = thinks ? ENGINE_THINKING_ON : ENGINE_THINKING_OFF;
    root = json_object_get_member (object, "messages");
  }
  if (root && JSON_NODE_HOLDS_ARRAY (root))
    return read_messages (json_node_get_array (root), conversation->messages, error);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       "it is no list of messages; write [{\"role\": \"user\", \"content\": \"…\"}].");
  return FALSE;
}

static gboolean read_conversation (Conversation *conversation, const char *path, GError **error)
{
  g_autofree char *bytes = NULL, *shown = g_filename_display_name (path);
  g_autoptr (GError) why = NULL;
  gsize length = 0;
  conversation->parser = json_parser_new_immutable ();
  conversation->messages = g_array_new (FALSE, FALSE, sizeof (struct engine_message));
  if (!g_file_get_contents (path, &bytes, &length, &why)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "“%s” cannot be read; name a file of messages.", shown);
    return FALSE;
  }
  if (!json_parser_load_from_data (conversation->parser, bytes, (gssize)length, &why)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "“%s” cannot be read: line %u of it is no JSON.", shown,
                 json_parser_get_current_line (conversation->parser));
    return FALSE;
  }
  if (read_root (conversation, error))
    return TRUE;
  g_prefix_error (error, "“%s” cannot be read: ", shown);
  return FALSE;
}

static gboolean read_options (const Options *given, struct engine_chat_options *options, GError **error)
{
  const char *thinking = options_get_text (given, "thinking"), *date = options_get_text (given, "date");
  if (thinking && strcmp (thinking, "on") != 0 && strcmp (thinking, "off") != 0) {
    g_set_error (error, USAGE_ERROR, 0, "--thinking is on or off.");
    return FALSE;
  }
  if (thinking)
    options->thinking = strcmp (thinking, "on") == 0 ? ENGINE_THINKING_ON : ENGINE_THINKING_OFF;
  if (date) {
    g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
    g_autofree char *midnight = g_strconcat (date, "T00:00:00Z", NULL);
    g_autoptr (GDateTime) time = strlen (date) == 10 ? g_date_time_new_from_iso8601 (midnight, zone) : NULL;
    if (!time) {
      g_set_error (error, USAGE_ERROR, 0, "--date is written as 2026-01-31.");
      return FALSE;
    }
  }
  options->date = date;
  return TRUE;
}

static char *dup_template (const struct engine_chat_report *report)
{
  if (report->path == ENGINE_CHAT_BUILT_IN)
    return g_strdup_printf ("built-in %s", report->built_in);
  return g_strdup (report->path == ENGINE_CHAT_OWN ? "own" : "own, the system message in the first user turn");
}

static gboolean run_template (const Invocation *invocation, GError **error)
{
  g_auto (Conversation) conversation = { 0 };
  if (!read_conversation (&conversation, options_get_text (invocation->options, "messages"), error)
      || !read_options (invocation->options, &conversation.options, error))
    return FALSE;
  g_autoptr (EngineModel) model = engine_model_open_gerror (options_get_text (invocation->options, "model"), error);
  if (!model)
    return FALSE;
  char *prompt = NULL;
  struct engine_chat_report report = { 0 };
  struct engine_error engine_error = { 0 };
  if (!engine_check (engine_chat_render_with (model, (const struct engine_message *)(void *)conversation.messages->data,
                                              conversation.messages->len, &conversation.options, &prompt, &report,
                                              &engine_error),
                     &engine_error, error))
    return FALSE;
  if (invocation->json) {
    g_autofree char *template = dup_template (&report);
    g_autoptr (JsonWriter) writer = json_writer_new ();
    json_writer_begin_object (writer);
    json_writer_member_string (writer, "prompt", prompt);
    json_writer_member_string (writer, "template", template);
    json_writer_member_string (writer, "reason", *report.reason ? report.reason : NULL);
    json_writer_end_object (writer);
    output_json (writer);
  } else {
    output_text (prompt);
    output_text ("\n");
  }
  free (prompt);
  return TRUE;
}

const Command command_engine_template = {
  .name = "engine template",
  .arguments = "",
  .summary = "Show the prompt that a conversation becomes",
  .details
  = "The file holds [{\"role\": \"system\"|\"user\"|\"assistant\", \"content\": \"…\"}, …], or an object with this\n"
    "list as \"messages\", and \"add_generation_prompt\" or \"enable_thinking\" as true or false.\n",
  .options = template_options,
  .run = run_template,
};
