#include "ingest/extract/mail/message.h"

#include "ingest/extract/html/html.h"
#include "ingest/extract/mail/message-text.h"
#include "ingest/extract/text/encoding.h"

#include <string.h>

#define MAX_ATTACHMENTS 2000u
#define MAX_ATTACHMENT_BYTES ((gsize)60 << 20) /* one; what passes to the library has a limit */
#define MAX_ALL_ATTACHMENTS_BYTES (G_GUINT64_CONSTANT (256) << 20)
#define MAX_TEXT_BYTES (G_GUINT64_CONSTANT (160) << 20)
#define MAX_ADDRESSES_BYTES 600
/* A text part says as much as the HTML part if it has this share of its characters. */
#define ENOUGH_TEXT 0.7

typedef struct {
  MessageRun *run;
  Writer *writer;
  gboolean encrypted;
} Emitter;

MessageRun message_run_new (void)
{
  return (MessageRun){ .attachment_bytes = MAX_ALL_ATTACHMENTS_BYTES,
                       .text_bytes = MAX_TEXT_BYTES,
                       .n_attachments = MAX_ATTACHMENTS };
}

void message_run_report (const MessageRun *run, Writer *writer)
{
  if (run->n_left_out > 0)
    emit_finding (writer, LECTERN_FINDING_CUT, 0, run->left_out_bytes, "attachments that are too large or too many");
  if (run->cut)
    emit_finding (writer, LECTERN_FINDING_CUT, 0, 0,
                  "parts of messages that are nested too deep, too many or too long");
}

static gboolean is_type (const MimePart *part, const char *type)
{
  return strcmp (part->type, type) == 0;
}

static gboolean is_multipart (const MimePart *part)
{
  return part->parts != NULL;
}

/* ---- attachments ---- */

static gboolean has_disposition (const MimePart *part, const char *wanted)
{
  g_autofree char *field = mime_dup_field (part, "Content-Disposition");
  return field && g_ascii_strncasecmp (field, wanted, strlen (wanted)) == 0;
}

static char *dup_file_name (const MimePart *part)
{
  char *name = mime_dup_parameter (part, "Content-Disposition", "filename");
  if (!name)
    name = mime_dup_parameter (part, "Content-Type", "name");
  if (name && name[0] == '\0')
    g_clear_pointer (&name, g_free);
  return name;
}

/* What a part without a file name would be called. */
static char *invent_name (const MimePart *part, const guint8 *bytes, gsize size)
{
  static const struct {
    const char *type, *extension;
  } extensions[] = {
    { "message/rfc822", ".eml" },     { "text/html", ".html" },   { "text/plain", ".txt" },
    { "text/calendar", ".ics" },      { "text/csv", ".csv" },     { "text/rtf", ".rtf" },
    { "application/rtf", ".rtf" },    { "text/markdown", ".md" }, { "application/pdf", ".pdf" },
    { "application/msword", ".doc" }, { "image/png", ".png" },    { "image/jpeg", ".jpg" },
    { "application/zip", ".zip" },
  };
  const char *extension = "";
  for (guint i = 0; i < G_N_ELEMENTS (extensions); i++)
    if (is_type (part, extensions[i].type))
      extension = extensions[i].extension;
  g_autofree char *stem = NULL;
  if (is_type (part, "message/rfc822")) {
    MimePart inner = { .header = bytes, .header_size = mime_measure_header (bytes, size) };
    stem = mime_dup_text_field (&inner, "Subject");
  }
  return g_strconcat (stem && stem[0] ? stem : "attachment", extension, NULL);
}

static void emit_part_as_attachment (Emitter *emitter, const char *given_name, const MimePart *part,
                                     const guint8 *bytes, gsize size)
{
  MessageRun *run = emitter->run;
  if (size == 0)
    return;
  if (run->n_attachments == 0 || size > MAX_ATTACHMENT_BYTES || size > run->attachment_bytes) {
    run->n_left_out++;
    run->left_out_bytes += size;
    return;
  }
  g_autofree char *name = given_name ? g_strdup (given_name) : invent_name (part, bytes, size);
  for (char *at = name; *at; at++) /* a name, not a path */
    if (*at == '/' || *at == '\\' || (guchar)*at < ' ')
      *at = '_';
  if (strlen (name) > 200) { /* the end says what it is */
    const char *tail = name + strlen (name) - 200;
    while (((guchar)*tail & 0xC0) == 0x80)
      tail++;
    char *cut = g_strdup (tail);
    g_free (name);
    name = cut;
  }
  run->n_attachments--;
  run->attachment_bytes -= size;
  emit_attachment (emitter->writer, name, bytes, size);
}

static void emit_attached (Emitter *emitter, const MimePart *part)
{
  static const char *const ignored[] = { "application/pgp-signature",
                                         "application/pkcs7-signature",
                                         "application/x-pkcs7-signature",
                                         "application/pgp-keys",
                                         "application/ms-tnef",
                                         "message/delivery-status",
                                         "message/disposition-notification" };
  for (guint i = 0; i < G_N_ELEMENTS (ignored); i++)
    if (is_type (part, ignored[i]))
      return;
  if (g_str_has_prefix (part->type, "multipart/"))
    return; /* beyond the limits: parts->cut says so */
  gboolean attachment = has_disposition (part, "attachment");
  if (!attachment && g_str_has_prefix (part->type, "image/"))
    return; /* an ornament */
  if (g_str_has_prefix (part->type, "audio/") || g_str_has_prefix (part->type, "video/"))
    return;
  gsize size;
  g_autofree guint8 *bytes = mime_decode_body (part, &size);
  g_autofree char *name = dup_file_name (part);
  emit_part_as_attachment (emitter, name, part, bytes, size);
}

/* ---- text ---- */

/* A part that is read as a piece of the mail's text. */
static gboolean is_body (const MimePart *part)
{
  if (!is_type (part, "text/plain") && !is_type (part, "text/html"))
    return FALSE;
  if (has_disposition (part, "attachment"))
    return FALSE;
  g_autofree char *name = dup_file_name (part);
  return !name;
}

static gboolean take_text (Emitter *emitter, gsize length)
{
  if (length > emitter->run->text_bytes) {
    emitter->run->cut = TRUE;
    return FALSE;
  }
  emitter->run->text_bytes -= length;
  return TRUE;
}

static void emit_html (Emitter *emitter, const MimePart *part)
{
  gsize size;
  g_autofree guint8 *bytes = mime_decode_body (part, &size);
  if (!take_text (emitter, size))
    return;
  g_autofree char *charset = mime_dup_parameter (part, "Content-Type", "charset");
  Document page = { bytes, size, "mail.html" };
  Outcome outcome = html_extract_within (&page, charset, HTML_ALL_VISIBLE, emitter->writer);
  g_free (outcome.reason);
}

/* Text with uuencoded files in it: these are attachments. */
static void emit_text (Emitter *emitter, const MimePart *part)
{
  gsize length;
  g_autofree char *text = mime_decode_text (part, &length);
  if (g_strstr_len (text, (gssize)MIN (length, 4096), "-----BEGIN PGP MESSAGE-----")) {
    emitter->encrypted = TRUE;
    return;
  }
  if (!take_text (emitter, length))
    return;
  g_autofree char *format = mime_dup_parameter (part, "Content-Type", "format");
  g_autofree char *delsp = mime_dup_parameter (part, "Content-Type", "delsp");
  MessageTextForm form = { .flowed = format && g_ascii_strcasecmp (format, "flowed") == 0,
                           .delete_space = delsp && g_ascii_strcasecmp (delsp, "yes") == 0,
                           .mailbox = emitter->run->mailbox };
  gsize kept = 0;
  for (gsize at = 0; at < length;) {
    char *name = NULL;
    gsize size, consumed;
    guint8 *data = text[at] == 'b' ? mime_decode_uu (text + at, length - at, &size, &name, &consumed) : NULL;
    if (data) {
      message_text_emit (text + kept, at - kept, form, emitter->writer);
      emit_part_as_attachment (emitter, name, part, data, size);
      at += consumed;
      kept = at;
    } else {
      const char *feed = memchr (text + at, '\n', length - at);
      at = feed ? (gsize)(feed + 1 - text) : length;
    }
    g_free (data);
    g_free (name);
  }
  message_text_emit (text + kept, length - kept, form, emitter->writer);
}

/* The first part of a type that is read as text; not into alternatives of attached messages. */
static const MimePart *find_body (const MimePart *part, const char *type)
{
  if (is_type (part, type) && is_body (part))
    return part;
  for (guint i = 0; part->parts && i < part->parts->len; i++) {
    const MimePart *found = find_body (g_ptr_array_index (part->parts, i), type);
    if (found)
      return found;
  }
  return NULL;
}

/* How many characters a reader sees of HTML, about: those outside tags, style and script. */
static gsize count_visible (const char *html)
{
  gsize n = 0;
  for (const char *at = html; *at;) {
    if (*at == '<') {
      const char *skip = NULL;
      if (g_ascii_strncasecmp (at, "<style", 6) == 0)
        skip = strstr (at, "</");
      else if (g_str_has_prefix (at, "<!--"))
        skip = strstr (at, "-->");
      at = skip ? skip + 1 : at;
      const char *close = strchr (at, '>');
      if (!close)
        break;
      at = close + 1;
      continue;
    }
    if (*at == '&') {
      gsize name = strcspn (at + 1, "; <&");
      at += name < 10 && at[1 + name] == ';' ? name + 1 : 0;
      n++;
    } else {
      n += (guchar)*at > ' ' && ((guchar)*at & 0xC0) != 0x80;
    }
    at++;
  }
  return n;
}

static gsize count_characters (const char *text)
{
  gsize n = 0;
  for (; *text; text++)
    n += (guchar)*text > ' ' && *text != '>' && ((guchar)*text & 0xC0) != 0x80;
  return n;
}

static gboolean text_says_enough (const MimePart *plain, const MimePart *html)
{
  g_autofree char *text = mime_decode_text (plain, NULL);
  g_autofree char *markup = mime_decode_text (html, NULL);
  gsize n = count_characters (text);
  return n > 0 && (double)n >= ENOUGH_TEXT * (double)count_visible (markup);
}

static void emit_part (Emitter *emitter, const MimePart *part);

/* Everything of a subtree but the texts. */
static void emit_attachments_of (Emitter *emitter, const MimePart *part)
{
  for (guint i = 0; part->parts && i < part->parts->len; i++)
    emit_attachments_of (emitter, g_ptr_array_index (part->parts, i));
  if (!is_multipart (part) && !is_body (part))
    emit_attached (emitter, part);
}

static void emit_alternatives (Emitter *emitter, const MimePart *part)
{
  const MimePart *plain = find_body (part, "text/plain"), *html = find_body (part, "text/html");
  if (plain && (!html || text_says_enough (plain, html)))
    emit_text (emitter, plain);
  else if (html)
    emit_html (emitter, html);
  emit_attachments_of (emitter, part);
}

static void emit_part (Emitter *emitter, const MimePart *part)
{
  static const char *const sealed[]
      = { "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted" };
  for (guint i = 0; i < G_N_ELEMENTS (sealed); i++)
    if (is_type (part, sealed[i])) {
      emitter->encrypted = TRUE;
      return;
    }
  if (is_type (part, "multipart/alternative") && is_multipart (part)) {
    emit_alternatives (emitter, part);
  } else if (is_multipart (part)) {
    gboolean related = is_type (part, "multipart/related");
    for (guint i = 0; i < part->parts->len; i++) {
      const MimePart *child = g_ptr_array_index (part->parts, i);
      if (related && i > 0 && is_body (child))
        continue; /* a frame or a style sheet of the first */
      emit_part (emitter, child);
    }
  } else if (is_body (part)) {
    if (is_type (part, "text/plain"))
      emit_text (emitter, part);
    else
      emit_html (emitter, part);
  } else {
    emit_attached (emitter, part);
  }
}

/* ---- headers ---- */

char *message_dup_subject (const MimePart *message)
{
  static const char *const fields[] = { "Subject", "From", "Date" };
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    char *text = mime_dup_text_field (message, fields[i]);
    if (text && text[0])
      return text;
    g_free (text);
  }
  return g_strdup ("Message");
}

static void emit_headers (const MimePart *message, Writer *writer)
{
  static const char *const fields[] = { "From", "To", "Cc", "Date", "Subject" };
  g_autoptr (GString) out = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    g_autofree char *text = mime_dup_text_field (message, fields[i]);
    if (!text || text[0] == '\0')
      continue;
    g_string_append_printf (out, "%s%s: ", out->len > 0 ? "; " : "", fields[i]);
    if (strlen (text) > MAX_ADDRESSES_BYTES && i < 3) {
      const char *end = text + MAX_ADDRESSES_BYTES; /* a mailing to many: to the last address that fits */
      while (end > text && *end != ',')
        end--;
      if (end == text)
        end = g_utf8_find_prev_char (text, text + MAX_ADDRESSES_BYTES);
      g_string_append_len (out, text, end - text);
      g_string_append (out, ", …");
    } else {
      g_string_append (out, text);
    }
  }
  emit_block_text (writer, LECTERN_BLOCK_PARAGRAPH, 0, out->str);
}

gboolean message_emit (const MimePart *message, MessageRun *run, Writer *writer)
{
  Emitter emitter = { .run = run, .writer = writer };
  emit_headers (message, writer);
  emit_part (&emitter, message);
  run->n_encrypted += emitter.encrypted;
  return !emitter.encrypted;
}
