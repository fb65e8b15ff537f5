#include "ingest/extract/process/writer.h"
#include "ingest/reader/frame.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_BYTES (256u << 10)

struct _Writer {
  int fd;    /* of frames, or -1 */
  FILE *out; /* of print, or NULL */
  GByteArray *frames;
  guint n_blocks, n_warnings, n_findings, n_attachments;
};

Writer *writer_new_frames (int fd)
{
  Writer *writer = g_new0 (Writer, 1);
  writer->fd = fd;
  writer->frames = g_byte_array_new ();
  return writer;
}

Writer *writer_new_print (FILE *out)
{
  Writer *writer = g_new0 (Writer, 1);
  writer->fd = -1;
  writer->out = out;
  return writer;
}

void writer_free (Writer *writer)
{
  if (!writer)
    return;
  g_clear_pointer (&writer->frames, g_byte_array_unref);
  g_free (writer);
}

static void flush_frames (Writer *writer, guint above_bytes)
{
  if (writer->frames->len <= above_bytes)
    return;
  for (gsize at = 0; at < writer->frames->len;) {
    ssize_t n = write (writer->fd, writer->frames->data + at, writer->frames->len - at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      _exit (CHILD_DONE); /* nobody listens any more */
    at += (gsize)n;
  }
  g_byte_array_set_size (writer->frames, 0);
}

static void put_string (Writer *writer, FrameType type, const char *label, const char *text)
{
  if (writer->out) {
    fprintf (writer->out, "%s: %s\n", label, text);
    return;
  }
  frame_append_string (writer->frames, type, text);
  flush_frames (writer, FLUSH_BYTES);
}

void writer_type (Writer *writer, const char *type)
{
  put_string (writer, FRAME_TYPE, "type", type);
}

void emit_title (Writer *writer, const char *title)
{
  put_string (writer, FRAME_TITLE, "title", title);
}

void emit_language (Writer *writer, const char *language)
{
  put_string (writer, FRAME_LANGUAGE, "language", language);
}

void emit_author (Writer *writer, const char *author)
{
  put_string (writer, FRAME_AUTHOR, "author", author);
}

void emit_date (Writer *writer, const char *iso_date)
{
  put_string (writer, FRAME_DATE, "date", iso_date);
}

void emit_finding (Writer *writer, LecternFindingKind kind, int page, guint64 amount, const char *detail)
{
  if (writer->n_findings++ >= FRAME_MAX_FINDINGS)
    return;
  if (writer->out) {
    fprintf (writer->out, "finding: %s, page %d, %" G_GUINT64_FORMAT "%s%s\n", lectern_finding_kind_to_string (kind),
             page, amount, detail ? ", " : "", detail ? detail : "");
    return;
  }
  LecternFinding finding = { kind, page, amount, (char *)detail };
  frame_append_finding (writer->frames, &finding);
  flush_frames (writer, FLUSH_BYTES);
}

void emit_attachment (Writer *writer, const char *name, const guint8 *bytes, gsize size)
{
  if (size == 0)
    return;
  if (size > FRAME_MAX_ATTACHMENT_BYTES || writer->n_attachments >= FRAME_MAX_ATTACHMENTS) {
    emit_warning (writer, "The attachment “%.200s” is not read: %s.", name,
                  size > FRAME_MAX_ATTACHMENT_BYTES ? "it is too large" : "there are too many");
    return;
  }
  writer->n_attachments++;
  if (writer->out) {
    fprintf (writer->out, "attachment: %s, %" G_GSIZE_FORMAT " bytes\n", name, size);
    return;
  }
  frame_append_attachment (writer->frames, name, bytes, size);
  flush_frames (writer, FLUSH_BYTES);
}

void emit_warning (Writer *writer, const char *format, ...)
{
  if (writer->n_warnings++ >= FRAME_MAX_WARNINGS)
    return;
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  put_string (writer, FRAME_WARNING, "warning", text);
}

void emit_page_count (Writer *writer, int n_pages)
{
  if (writer->out)
    fprintf (writer->out, "pages: %d\n", n_pages);
  else
    frame_append_number (writer->frames, FRAME_PAGES, (guint32)MAX (n_pages, 0));
}

static void print_block (FILE *out, const LecternBlock *block)
{
  fprintf (out, "\n[%s", lectern_block_kind_to_string (block->kind));
  if (block->level)
    fprintf (out, " %d", block->level);
  if (block->page)
    fprintf (out, ", page %d", block->page);
  if (block->spans && block->spans->len) {
    const LecternRect *rect = &g_array_index (block->spans, LecternSpan, 0).rect;
    fprintf (out, ", %u words from (%.0f, %.0f)", block->spans->len, (double)rect->x, (double)rect->y);
  }
  fprintf (out, "]\n%s\n", block->text);
}

void emit_block (Writer *writer, const LecternBlock *block)
{
  gsize length = strlen (block->text);
  gsize span_bytes = block->spans ? block->spans->len * sizeof (LecternSpan) : 0;
  if (length == 0 || length > FRAME_MAX_TEXT_BYTES || span_bytes > FRAME_MAX_BYTES - FRAME_MAX_TEXT_BYTES - 64) {
    if (length > 0)
      emit_warning (writer, "A block of %" G_GSIZE_FORMAT " bytes was too long and is left out.", length);
    return;
  }
  writer->n_blocks++;
  if (writer->out) {
    print_block (writer->out, block);
    return;
  }
  frame_append_block (writer->frames, block);
  flush_frames (writer, FLUSH_BYTES);
}

/* Where a text that is too long for one block is cut: behind its last white space that fits, or else between characters. */
static gsize find_cut (const char *text)
{
  for (gsize cut = FRAME_MAX_TEXT_BYTES; cut > FRAME_MAX_TEXT_BYTES / 2; cut--)
    if (g_ascii_isspace (text[cut - 1]))
      return cut;
  return (gsize)(g_utf8_find_prev_char (text, text + FRAME_MAX_TEXT_BYTES + 1) - text);
}

void emit_block_text (Writer *writer, LecternBlockKind kind, int level, const char *text)
{
  for (gsize left = strlen (text); left > FRAME_MAX_TEXT_BYTES;) {
    gsize cut = find_cut (text);
    g_autofree char *piece = g_strchomp (g_strndup (text, cut));
    LecternBlock block = { kind, level, 0, piece, NULL };
    emit_block (writer, &block);
    text += cut;
    left -= cut;
  }
  LecternBlock block = { kind, level, 0, (char *)text, NULL };
  emit_block (writer, &block);
}

void emit_recognized_page (Writer *writer, const guint8 *key, const guint8 *payload, gsize payload_bytes)
{
  if (writer->out)
    return;
  frame_append_recognized_page (writer->frames, key, payload, payload_bytes);
  flush_frames (writer, 0);
}

guint emit_count_blocks (Writer *writer)
{
  return writer->n_blocks;
}

void writer_end (Writer *writer, Outcome outcome)
{
  if (writer->out) {
    if (outcome.reason)
      fprintf (writer->out, "not read: %s\n", outcome.reason);
    fflush (writer->out);
  } else {
    frame_append_end (writer->frames, outcome.status, outcome.reason);
    flush_frames (writer, 0);
  }
  g_free (outcome.reason);
}
