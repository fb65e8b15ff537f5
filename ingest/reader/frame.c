#include "ingest/reader/frame.h"
#include "ingest/reader/recognition.h"

#include <math.h>
#include <string.h>

/* ---- writing --------------------------------------------------------------------------------------------- */

static void append_header (GByteArray *out, FrameType type, gsize payload_bytes)
{
  guint32 header[2] = { (guint32)payload_bytes, type };
  g_byte_array_append (out, (const guint8 *)header, sizeof header);
}

void frame_append_string (GByteArray *out, FrameType type, const char *text)
{
  gsize length = MIN (strlen (text), FRAME_MAX_STRING);
  append_header (out, type, length);
  g_byte_array_append (out, (const guint8 *)text, (guint)length);
}

void frame_append_number (GByteArray *out, FrameType type, guint32 number)
{
  append_header (out, type, sizeof number);
  g_byte_array_append (out, (const guint8 *)&number, sizeof number);
}

void frame_append_block (GByteArray *out, const LecternBlock *block)
{
  gsize text_bytes = strlen (block->text);
  guint n_spans = block->spans ? block->spans->len : 0;
  BlockFrame frame = { block->kind, (guint32)block->level, (guint32)block->page, (guint32)text_bytes, n_spans };
  append_header (out, FRAME_BLOCK, sizeof frame + text_bytes + n_spans * sizeof (LecternSpan));
  g_byte_array_append (out, (const guint8 *)&frame, sizeof frame);
  g_byte_array_append (out, (const guint8 *)block->text, (guint)text_bytes);
  if (n_spans)
    g_byte_array_append (out, (const guint8 *)block->spans->data, n_spans * (guint)sizeof (LecternSpan));
}

void frame_append_recognized_page (GByteArray *out, const guint8 *key, const guint8 *payload, gsize payload_bytes)
{
  append_header (out, FRAME_RECOGNIZED_PAGE, key ? RECOGNITION_KEY_BYTES + payload_bytes : 0);
  if (!key)
    return;
  g_byte_array_append (out, key, RECOGNITION_KEY_BYTES);
  if (payload_bytes > 0)
    g_byte_array_append (out, payload, (guint)payload_bytes);
}

void frame_append_finding (GByteArray *out, const LecternFinding *finding)
{
  gsize length = finding->detail ? MIN (strlen (finding->detail), FRAME_MAX_STRING) : 0;
  FindingFrame frame = { finding->kind, (guint32)MAX (finding->page, 0), finding->amount };
  append_header (out, FRAME_FINDING, sizeof frame + length);
  g_byte_array_append (out, (const guint8 *)&frame, sizeof frame);
  if (length)
    g_byte_array_append (out, (const guint8 *)finding->detail, (guint)length);
}

void frame_append_attachment (GByteArray *out, const char *name, const guint8 *bytes, gsize size)
{
  guint32 length = (guint32)MIN (strlen (name), FRAME_MAX_STRING);
  append_header (out, FRAME_ATTACHMENT, sizeof length + length + size);
  g_byte_array_append (out, (const guint8 *)&length, sizeof length);
  g_byte_array_append (out, (const guint8 *)name, length);
  g_byte_array_append (out, bytes, (guint)size);
}

void frame_append_end (GByteArray *out, LecternStatus status, const char *reason)
{
  guint32 number = status;
  gsize length = reason ? MIN (strlen (reason), FRAME_MAX_STRING) : 0;
  append_header (out, FRAME_END, sizeof number + length);
  g_byte_array_append (out, (const guint8 *)&number, sizeof number);
  if (length)
    g_byte_array_append (out, (const guint8 *)reason, (guint)length);
}

/* ---- reading --------------------------------------------------------------------------------------------- */

/* What is left of one frame's payload. */
typedef struct {
  const guint8 *bytes;
  gsize left;
} Cursor;

static gboolean cursor_take (Cursor *cursor, void *to, gsize n)
{
  if (n > cursor->left)
    return FALSE;
  memcpy (to, cursor->bytes, n);
  cursor->bytes += n;
  cursor->left -= n;
  return TRUE;
}

struct _FrameDecoder {
  GByteArray *pending; /* bytes of the frame that is not complete yet */
  guint64 total_bytes, total_max_bytes;
  FrameState state;
  const char *complaint;
  LecternExtraction *extraction;
  GQueue recognized; /* of GBytes */
  guint n_recognized;
};

LecternExtraction *extraction_new (void)
{
  LecternExtraction *extraction = g_new0 (LecternExtraction, 1);
  extraction->blocks = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_block_free);
  extraction->warnings = g_ptr_array_new_with_free_func (g_free);
  extraction->findings = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_finding_free);
  extraction->attachments = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_attachment_free);
  return extraction;
}

FrameDecoder *frame_decoder_new (guint64 total_max_bytes)
{
  FrameDecoder *decoder = g_new0 (FrameDecoder, 1);
  decoder->pending = g_byte_array_new ();
  decoder->total_max_bytes = total_max_bytes;
  decoder->state = FRAME_MORE;
  decoder->extraction = extraction_new ();
  g_queue_init (&decoder->recognized);
  return decoder;
}

void frame_decoder_free (FrameDecoder *decoder)
{
  if (!decoder)
    return;
  g_byte_array_unref (decoder->pending);
  g_queue_clear_full (&decoder->recognized, (GDestroyNotify)g_bytes_unref);
  lectern_extraction_free (decoder->extraction);
  g_free (decoder);
}

const char *frame_decoder_get_complaint (const FrameDecoder *decoder)
{
  return decoder->complaint;
}

LecternExtraction *frame_decoder_steal (FrameDecoder *decoder)
{
  return g_steal_pointer (&decoder->extraction);
}

guint frame_decoder_get_n_recognized (const FrameDecoder *decoder)
{
  return decoder->n_recognized;
}

int frame_decoder_get_n_pages (const FrameDecoder *decoder)
{
  return decoder->extraction->n_pages;
}

GBytes *frame_decoder_take_recognized (FrameDecoder *decoder)
{
  return g_queue_pop_head (&decoder->recognized);
}

static FrameState lie (FrameDecoder *decoder, const char *complaint)
{
  decoder->complaint = complaint;
  return decoder->state = FRAME_LIE;
}

/* The rest of the payload as a line of text: valid UTF-8, no control characters. */
static char *take_line (Cursor *cursor)
{
  char *text = g_utf8_make_valid ((const char *)cursor->bytes, (gssize)MIN (cursor->left, FRAME_MAX_STRING));
  for (char *p = text; *p; p++)
    if ((guchar)*p < ' ' || *p == 127)
      *p = ' ';
  cursor->left = 0;
  return g_strstrip (text);
}

static void replace_line (char **to, Cursor *cursor)
{
  g_free (*to);
  *to = take_line (cursor);
}

static gboolean on_character (const char *text, gsize at)
{
  return ((guchar)text[at] & 0xc0) != 0x80;
}

/* Pages are compared with the page count at the end, when it is known for sure. */
static const char *span_complaint (const LecternSpan *span, const LecternSpan *before, const char *text,
                                   gsize text_bytes)
{
  if (span->length == 0 || span->start > text_bytes || span->length > text_bytes - span->start)
    return "a word outside its text";
  if (!on_character (text, span->start) || !on_character (text, (gsize)span->start + span->length))
    return "a word that cuts a character";
  if (before && span->start < before->start)
    return "words out of order";
  const LecternRect *rect = &span->rect;
  if (rect->page < 1 || (guint)rect->page > FRAME_MAX_PAGES)
    return "a word on no page";
  if (!isfinite (rect->x) || !isfinite (rect->y) || !isfinite (rect->width) || !isfinite (rect->height)
      || rect->width < 0 || rect->height < 0)
    return "a rectangle that is none";
  return NULL;
}

static FrameState decode_block (FrameDecoder *decoder, Cursor *cursor)
{
  BlockFrame frame;
  if (!cursor_take (cursor, &frame, sizeof frame))
    return lie (decoder, "a block cut short");
  if (decoder->extraction->blocks->len >= FRAME_MAX_BLOCKS)
    return lie (decoder, "too many blocks");
  if (frame.kind >= LECTERN_N_BLOCK_KINDS || frame.level > 64 || frame.page > FRAME_MAX_PAGES)
    return lie (decoder, "a block of no known kind");
  if (frame.kind == LECTERN_BLOCK_HEADING && (frame.level < 1 || frame.level > 6))
    return lie (decoder, "a heading of no level");
  if (frame.text_bytes > FRAME_MAX_TEXT_BYTES || frame.text_bytes > cursor->left || frame.text_bytes == 0)
    return lie (decoder, "a block whose text does not fit");
  const char *text = (const char *)cursor->bytes;
  cursor->bytes += frame.text_bytes;
  cursor->left -= frame.text_bytes;
  if (cursor->left % sizeof (LecternSpan) != 0 || cursor->left / sizeof (LecternSpan) != frame.n_spans)
    return lie (decoder, "a block whose words do not fit");
  if (frame.n_spans > frame.text_bytes || (frame.n_spans > 0 && frame.page == 0))
    return lie (decoder, "more words than text");

  LecternBlock *block = g_new0 (LecternBlock, 1);
  block->kind = frame.kind;
  block->level = (int)frame.level;
  block->page = (int)frame.page;
  block->spans = g_array_sized_new (FALSE, FALSE, sizeof (LecternSpan), frame.n_spans);
  g_ptr_array_add (decoder->extraction->blocks, block);
  if (!g_utf8_validate_len (text, frame.text_bytes, NULL)) {
    /* Repairing shifts every offset, so the words are given up with it. */
    block->text = g_utf8_make_valid (text, frame.text_bytes);
    cursor->left = 0;
    return FRAME_MORE;
  }
  block->text = g_strndup (text, frame.text_bytes);
  LecternSpan before, span;
  for (guint32 i = 0; i < frame.n_spans; i++) {
    cursor_take (cursor, &span, sizeof span);
    const char *complaint = span_complaint (&span, i ? &before : NULL, block->text, frame.text_bytes);
    if (complaint)
      return lie (decoder, complaint);
    g_array_append_val (block->spans, span);
    before = span;
  }
  return FRAME_MORE;
}

static FrameState decode_finding (FrameDecoder *decoder, Cursor *cursor)
{
  FindingFrame frame;
  if (!cursor_take (cursor, &frame, sizeof frame) || frame.kind >= LECTERN_N_FINDING_KINDS
      || frame.page > FRAME_MAX_PAGES)
    return lie (decoder, "a finding of no known kind");
  g_autofree char *detail = cursor->left > 0 ? take_line (cursor) : NULL;
  if (decoder->extraction->findings->len < FRAME_MAX_FINDINGS)
    g_ptr_array_add (decoder->extraction->findings,
                     lectern_finding_new (frame.kind, (int)frame.page, frame.amount, detail));
  return FRAME_MORE;
}

static FrameState decode_attachment (FrameDecoder *decoder, Cursor *cursor)
{
  guint32 length;
  if (!cursor_take (cursor, &length, sizeof length) || length > cursor->left || length > FRAME_MAX_STRING)
    return lie (decoder, "an attachment cut short");
  if (decoder->extraction->attachments->len >= FRAME_MAX_ATTACHMENTS
      || cursor->left - length > FRAME_MAX_ATTACHMENT_BYTES)
    return lie (decoder, "too many attachments");
  Cursor name = { cursor->bytes, length };
  LecternAttachment *attachment = g_new0 (LecternAttachment, 1);
  attachment->name = take_line (&name);
  attachment->bytes = g_bytes_new (cursor->bytes + length, cursor->left - length);
  g_ptr_array_add (decoder->extraction->attachments, attachment);
  cursor->left = 0;
  return FRAME_MORE;
}

static FrameState decode_end (FrameDecoder *decoder, Cursor *cursor)
{
  LecternExtraction *extraction = decoder->extraction;
  guint32 status;
  if (!cursor_take (cursor, &status, sizeof status) || status >= LECTERN_N_STATUSES
      || status == LECTERN_STATUS_UNCHANGED)
    return lie (decoder, "an end without a status");
  extraction->status = status;
  if (cursor->left > 0)
    replace_line (&extraction->error, cursor);
  if (status == LECTERN_STATUS_INDEXED && extraction->blocks->len == 0 && extraction->attachments->len == 0)
    return lie (decoder, "success without text");
  if (status != LECTERN_STATUS_INDEXED && (!extraction->error || !*extraction->error))
    return lie (decoder, "a failure without a reason");
  if (!extraction->type && status == LECTERN_STATUS_INDEXED)
    return lie (decoder, "no type");
  for (guint i = 0; i < extraction->findings->len; i++)
    if (((const LecternFinding *)extraction->findings->pdata[i])->page > extraction->n_pages)
      return lie (decoder, "a finding on a page that is not there");
  for (guint i = 0; i < extraction->blocks->len; i++) {
    const LecternBlock *block = extraction->blocks->pdata[i];
    if (block->page > extraction->n_pages)
      return lie (decoder, "a block on a page that is not there");
    for (guint j = 0; j < block->spans->len; j++)
      if (g_array_index (block->spans, LecternSpan, j).rect.page > extraction->n_pages)
        return lie (decoder, "a word on a page that is not there");
  }
  return decoder->state = FRAME_COMPLETE;
}

static FrameState decode_frame (FrameDecoder *decoder, guint32 type, Cursor *cursor)
{
  LecternExtraction *extraction = decoder->extraction;
  switch (type) {
  case FRAME_TYPE: replace_line (&extraction->type, cursor); break;
  case FRAME_TITLE: replace_line (&extraction->title, cursor); break;
  case FRAME_LANGUAGE: replace_line (&extraction->language, cursor); break;
  case FRAME_AUTHOR: replace_line (&extraction->author, cursor); break;
  case FRAME_DATE: replace_line (&extraction->date, cursor); break;
  case FRAME_FINDING:
    if (decode_finding (decoder, cursor) != FRAME_MORE)
      return decoder->state;
    break;
  case FRAME_ATTACHMENT:
    if (decode_attachment (decoder, cursor) != FRAME_MORE)
      return decoder->state;
    break;
  case FRAME_WARNING:
    if (extraction->warnings->len < FRAME_MAX_WARNINGS)
      g_ptr_array_add (extraction->warnings, take_line (cursor));
    else
      cursor->left = 0;
    break;
  case FRAME_PAGES: {
    guint32 pages;
    if (!cursor_take (cursor, &pages, sizeof pages) || pages > FRAME_MAX_PAGES)
      return lie (decoder, "an impossible page count");
    extraction->n_pages = (int)pages;
    break;
  }
  case FRAME_RECOGNIZED_PAGE:
    if (decoder->n_recognized >= FRAME_MAX_PAGES || (cursor->left > 0 && cursor->left <= RECOGNITION_KEY_BYTES)
        || cursor->left > RECOGNITION_KEY_BYTES + RECOGNITION_MAX_PAYLOAD)
      return lie (decoder, "a recognised page that is none");
    decoder->n_recognized++;
    if (cursor->left > 0)
      g_queue_push_tail (&decoder->recognized, g_bytes_new (cursor->bytes, cursor->left));
    cursor->left = 0;
    break;
  case FRAME_BLOCK:
    if (decode_block (decoder, cursor) != FRAME_MORE)
      return decoder->state;
    break;
  case FRAME_END:
    if (decode_end (decoder, cursor) == FRAME_LIE)
      return decoder->state;
    break;
  default: return lie (decoder, "a frame of no known kind");
  }
  return cursor->left ? lie (decoder, "a frame longer than its content") : decoder->state;
}

FrameState frame_decoder_feed (FrameDecoder *decoder, const guint8 *bytes, gsize n)
{
  if (n == 0)
    return decoder->state;
  if (decoder->state == FRAME_COMPLETE)
    return lie (decoder, "bytes after the end");
  if (decoder->state != FRAME_MORE)
    return decoder->state;
  decoder->total_bytes += n;
  if (decoder->total_bytes > decoder->total_max_bytes)
    return decoder->state = FRAME_FLOOD;
  g_byte_array_append (decoder->pending, bytes, (guint)n);
  gsize at = 0;
  while (decoder->pending->len - at >= 2 * sizeof (guint32)) {
    guint32 header[2];
    memcpy (header, decoder->pending->data + at, sizeof header);
    if (header[0] > FRAME_MAX_BYTES)
      return lie (decoder, "a frame too long");
    if (header[0] > decoder->pending->len - at - sizeof header)
      break;
    if (decoder->state == FRAME_COMPLETE)
      return lie (decoder, "bytes after the end");
    Cursor cursor = { decoder->pending->data + at + sizeof header, header[0] };
    FrameState state = decode_frame (decoder, header[1], &cursor);
    if (state == FRAME_LIE)
      return state;
    at += sizeof header + header[0];
  }
  if (at > 0)
    g_byte_array_remove_range (decoder->pending, 0, (guint)at);
  if (decoder->state == FRAME_COMPLETE && decoder->pending->len > 0)
    return lie (decoder, "bytes after the end");
  return decoder->state;
}
