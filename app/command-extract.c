#include "app/commands.h"
#include "app/findings.h"
#include "app/output.h"
#include "app/passages.h"
#include "ingest/ingest.h"

static const OptionSpec options[] = {
  { 0, "text", OPTION_FLAG, NULL, 0, 0, "only the main text, blocks separated by a blank line", FALSE },
  { 0, "no-ocr", OPTION_FLAG, NULL, 0, 0, "do not recognise text on pages that are images", FALSE },
  OPTIONS_END,
};

static void print_json (const LecternExtraction *extraction)
{
  g_autoptr (JsonWriter) writer = json_writer_new ();
  json_writer_begin_object (writer);
  json_writer_member_string (writer, "status", lectern_status_to_string (extraction->status));
  json_writer_member_string (writer, "error", extraction->error);
  json_writer_member_string (writer, "type", extraction->type);
  json_writer_member_string (writer, "title", extraction->title);
  json_writer_member_int (writer, "pages", extraction->n_pages);
  json_writer_member_string (writer, "language", extraction->language);
  json_writer_member_string (writer, "author", extraction->author);
  json_writer_member_string (writer, "date", extraction->date);
  json_writer_key (writer, "blocks");
  json_writer_begin_array (writer);
  for (guint i = 0; extraction->blocks && i < extraction->blocks->len; i++) {
    const LecternBlock *block = g_ptr_array_index (extraction->blocks, i);
    json_writer_begin_object (writer);
    json_writer_member_string (writer, "kind", lectern_block_kind_to_string (block->kind));
    json_writer_member_int (writer, "level", block->level);
    json_writer_member_page (writer, "page", block->page);
    json_writer_member_string (writer, "text", block->text);
    json_writer_key (writer, "rects");
    json_writer_rectangles (writer, block->spans);
    json_writer_end_object (writer);
  }
  json_writer_end_array (writer);
  json_writer_key (writer, "warnings");
  json_writer_begin_array (writer);
  for (guint i = 0; extraction->warnings && i < extraction->warnings->len; i++)
    json_writer_string (writer, g_ptr_array_index (extraction->warnings, i));
  json_writer_end_array (writer);
  json_writer_key (writer, "findings");
  findings_write_json (writer, extraction->findings);
  json_writer_key (writer, "attachments");
  json_writer_begin_array (writer);
  for (guint i = 0; i < extraction->attachments->len; i++) {
    const LecternAttachment *attachment = g_ptr_array_index (extraction->attachments, i);
    json_writer_begin_object (writer);
    json_writer_member_string (writer, "name", attachment->name);
    json_writer_member_int (writer, "size_bytes", (gint64)g_bytes_get_size (attachment->bytes));
    json_writer_end_object (writer);
  }
  json_writer_end_array (writer);
  json_writer_end_object (writer);
  output_json (writer);
}

static void print_text (const LecternExtraction *extraction)
{
  for (guint i = 0; i < extraction->blocks->len; i++) {
    const LecternBlock *block = g_ptr_array_index (extraction->blocks, i);
    output_text (i ? "\n" : "");
    output_text (block->text);
    output_text ("\n");
  }
}

static void print_blocks (const LecternExtraction *extraction)
{
  output_printf ("%s, %s", extraction->type, extraction->title && *extraction->title ? extraction->title : "no title");
  if (extraction->n_pages)
    output_printf (", %d %s", extraction->n_pages, extraction->n_pages == 1 ? "page" : "pages");
  output_printf (", language %s\n", extraction->language ? extraction->language : "unknown");
  if (extraction->author)
    output_printf ("Author: %s\n", extraction->author);
  if (extraction->date)
    output_printf ("Date: %s\n", extraction->date);
  for (guint i = 0; i < extraction->warnings->len; i++)
    output_printf ("Warning: %s\n", (const char *)g_ptr_array_index (extraction->warnings, i));
  findings_print (extraction->findings, FALSE, "Note: ");
  for (guint i = 0; i < extraction->attachments->len; i++) {
    const LecternAttachment *attachment = g_ptr_array_index (extraction->attachments, i);
    g_autofree char *size = output_dup_size (g_bytes_get_size (attachment->bytes));
    output_printf ("Attachment: %s (%s)\n", *attachment->name ? attachment->name : "no name", size);
  }
  int page = 0;
  for (guint i = 0; i < extraction->blocks->len; i++) {
    const LecternBlock *block = g_ptr_array_index (extraction->blocks, i);
    if (block->page != page)
      output_printf ("\n— page %d —\n", block->page);
    page = block->page;
    g_autofree char *label = block->level
                                 ? g_strdup_printf ("%s %d", lectern_block_kind_to_string (block->kind), block->level)
                                 : g_strdup (lectern_block_kind_to_string (block->kind));
    output_text ("\n");
    output_dim (label);
    output_text ("\n");
    if (block->kind == LECTERN_BLOCK_CODE) {
      output_text (block->text);
      output_text ("\n");
    } else
      output_wrapped (block->text, 2);
  }
}

static gboolean run_extract (const Invocation *invocation, GError **error)
{
  gboolean text = options_has (invocation->options, "text");
  if (text && invocation->json) {
    g_set_error (error, USAGE_ERROR, 0, "Either --text or --json, not both.");
    return FALSE;
  }
  g_autofree char *path = invocation_dup_path (invocation->words[0]);
  g_autoptr (LecternExtractor) extractor = lectern_extractor_new (error);
  if (!extractor)
    return FALSE;
  const LecternExtractLimits limits = { .no_recognition = options_has (invocation->options, "no-ocr") };
  g_autoptr (LecternExtraction) extraction
      = lectern_extractor_extract (extractor, path, &limits, invocation->cancellable, error);
  if (!extraction)
    return FALSE;
  if (invocation->json)
    print_json (extraction);
  if (extraction->status != LECTERN_STATUS_INDEXED) {
    g_autofree char *shown = g_filename_display_name (invocation->words[0]);
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s%s%s", shown,
                 lectern_status_to_string (extraction->status), extraction->error ? ": " : ".",
                 extraction->error ? extraction->error : "");
    return FALSE;
  }
  if (text)
    print_text (extraction);
  else if (!invocation->json)
    print_blocks (extraction);
  return TRUE;
}

const Command command_extract = {
  .name = "extract",
  .arguments = "FILE",
  .summary = "Show what indexing sees of a file; touches no library",
  .options = options,
  .min_words = 1,
  .max_words = 1,
  .run = run_extract,
};
