/* The frames between the library and lectern-extract: what was written is read back however it is cut, and every lie is
 * called one. */
#include "ingest/reader/frame.h"
#include "ingest/reader/recognition.h"

#include <math.h>
#include <string.h>

static LecternBlock *sample_block (void)
{
  LecternBlock *block = g_new0 (LecternBlock, 1);
  block->kind = LECTERN_BLOCK_PARAGRAPH;
  block->page = 2;
  block->text = g_strdup ("größer als");
  block->spans = g_array_new (FALSE, FALSE, sizeof (LecternSpan));
  LecternSpan spans[2] = { { 0, 8, { 2, 10, 20, 30, 12 } }, { 9, 3, { 2, 45, 20, 14, 12 } } };
  g_array_append_vals (block->spans, spans, 2);
  return block;
}

static GByteArray *sample_answer (void)
{
  GByteArray *out = g_byte_array_new ();
  LecternBlock *block = sample_block ();
  frame_append_string (out, FRAME_TYPE, "pdf");
  frame_append_string (out, FRAME_TITLE, "A title\nin two lines");
  frame_append_number (out, FRAME_PAGES, 3);
  frame_append_block (out, block);
  frame_append_string (out, FRAME_WARNING, "Page 3 is damaged and left out.");
  frame_append_end (out, LECTERN_STATUS_INDEXED, NULL);
  lectern_block_free (block);
  return out;
}

static void test_round_trip (void)
{
  GByteArray *answer = sample_answer ();
  for (gsize step = 1; step <= answer->len; step = step < 40 ? step + 1 : answer->len + (step == answer->len)) {
    FrameDecoder *decoder = frame_decoder_new (1 << 20);
    FrameState state = FRAME_MORE;
    for (gsize at = 0; at < answer->len; at += step) {
      g_assert_cmpint (state, ==, FRAME_MORE);
      state = frame_decoder_feed (decoder, answer->data + at, MIN (step, answer->len - at));
    }
    g_assert_cmpint (state, ==, FRAME_COMPLETE);
    LecternExtraction *extraction = frame_decoder_steal (decoder);
    g_assert_cmpstr (extraction->title, ==, "A title in two lines");
    g_assert_cmpstr (extraction->type, ==, "pdf");
    g_assert_cmpint (extraction->n_pages, ==, 3);
    g_assert_cmpuint (extraction->blocks->len, ==, 1);
    g_assert_cmpuint (extraction->warnings->len, ==, 1);
    const LecternBlock *block = extraction->blocks->pdata[0];
    g_assert_cmpstr (block->text, ==, "größer als");
    g_assert_cmpuint (block->spans->len, ==, 2);
    g_assert_cmpuint (g_array_index (block->spans, LecternSpan, 1).start, ==, 9);
    g_assert_cmpfloat (g_array_index (block->spans, LecternSpan, 1).rect.x, ==, 45);
    lectern_extraction_free (extraction);
    frame_decoder_free (decoder);
  }
  g_byte_array_unref (answer);
}

/* An answer around one block, with one thing in it changed. */
static void check_block (void (*change) (LecternBlock *), FrameState expected, const char *complaint)
{
  LecternBlock *block = sample_block ();
  change (block);
  GByteArray *out = g_byte_array_new ();
  frame_append_string (out, FRAME_TYPE, "pdf");
  frame_append_block (out, block);
  frame_append_number (out, FRAME_PAGES, 3);
  frame_append_end (out, LECTERN_STATUS_INDEXED, NULL);
  FrameDecoder *decoder = frame_decoder_new (1 << 20);
  g_assert_cmpint (frame_decoder_feed (decoder, out->data, out->len), ==, expected);
  g_assert_cmpstr (frame_decoder_get_complaint (decoder), ==, complaint);
  frame_decoder_free (decoder);
  g_byte_array_unref (out);
  lectern_block_free (block);
}

#define SPAN(block, i) g_array_index ((block)->spans, LecternSpan, i)
static void nothing (LecternBlock *block)
{}
static void outside (LecternBlock *block)
{
  SPAN (block, 1).length = 400;
}
static void overflow (LecternBlock *block)
{
  SPAN (block, 1).start = G_MAXUINT32;
}
static void cut (LecternBlock *block)
{
  SPAN (block, 0).length = 3;
}
static void unordered (LecternBlock *block)
{
  SPAN (block, 0).start = 9, SPAN (block, 0).length = 3, SPAN (block, 1).start = 0, SPAN (block, 1).length = 8;
}
static void no_number (LecternBlock *block)
{
  SPAN (block, 0).rect.x = NAN;
}
static void endless (LecternBlock *block)
{
  SPAN (block, 0).rect.width = INFINITY;
}
static void far_page (LecternBlock *block)
{
  SPAN (block, 0).rect.page = 4;
}
static void no_page (LecternBlock *block)
{
  SPAN (block, 0).rect.page = -1;
}
static void wrong_kind (LecternBlock *block)
{
  block->kind = 77;
}
static void no_level (LecternBlock *block)
{
  block->kind = LECTERN_BLOCK_HEADING;
}
static void no_text (LecternBlock *block)
{
  *block->text = '\0';
}

static void test_blocks (void)
{
  check_block (nothing, FRAME_COMPLETE, NULL);
  check_block (outside, FRAME_LIE, "a word outside its text");
  check_block (overflow, FRAME_LIE, "a word outside its text");
  check_block (cut, FRAME_LIE, "a word that cuts a character");
  check_block (unordered, FRAME_LIE, "words out of order");
  check_block (no_number, FRAME_LIE, "a rectangle that is none");
  check_block (endless, FRAME_LIE, "a rectangle that is none");
  check_block (far_page, FRAME_LIE, "a word on a page that is not there");
  check_block (no_page, FRAME_LIE, "a word on no page");
  check_block (wrong_kind, FRAME_LIE, "a block of no known kind");
  check_block (no_level, FRAME_LIE, "a heading of no level");
  check_block (no_text, FRAME_LIE, "a block whose text does not fit");
}

static void check_bytes (const void *bytes, gsize n, guint64 total, FrameState expected)
{
  FrameDecoder *decoder = frame_decoder_new (total);
  g_assert_cmpint (frame_decoder_feed (decoder, bytes, n), ==, expected);
  frame_decoder_free (decoder);
}

static void test_frames (void)
{
  const guint32 too_long[2] = { FRAME_MAX_BYTES + 1, FRAME_TITLE }, unknown[2] = { 0, 99 },
                no_status[3] = { 4, FRAME_END, 77 };
  const guint32 unexplained[3] = { 4, FRAME_END, LECTERN_STATUS_DAMAGED },
                empty[3] = { 4, FRAME_END, LECTERN_STATUS_INDEXED };
  const guint32 short_block[3] = { 4, FRAME_BLOCK, 0 }, pages[4] = { 8, FRAME_PAGES, 1, 1 };
  check_bytes (too_long, sizeof too_long, 1000, FRAME_LIE);
  check_bytes (unknown, sizeof unknown, 1000, FRAME_LIE);
  check_bytes (no_status, sizeof no_status, 1000, FRAME_LIE);
  check_bytes (unexplained, sizeof unexplained, 1000, FRAME_LIE);
  check_bytes (empty, sizeof empty, 1000, FRAME_LIE);
  check_bytes (short_block, sizeof short_block, 1000, FRAME_LIE);
  check_bytes (pages, sizeof pages, 1000, FRAME_LIE);
  check_bytes (pages, sizeof pages, 10, FRAME_FLOOD);
  check_bytes (pages, 5, 1000, FRAME_MORE);
  GByteArray *answer = sample_answer ();
  g_byte_array_append (answer, (const guint8 *)"x", 1);
  check_bytes (answer->data, answer->len, 1 << 20, FRAME_LIE);
  g_byte_array_unref (answer);
}

/* Bytes that are no UTF-8 are repaired, and the words, whose offsets no longer hold, are given up. */
/* Recognised pages are handed out as they come, signs of life are counted, and a key without a page is a lie. */
static void test_recognized (void)
{
  guint8 key[RECOGNITION_KEY_BYTES] = { 1, 2, 3 };
  g_autoptr (GByteArray) out = g_byte_array_new ();
  frame_append_number (out, FRAME_PAGES, 3);
  frame_append_recognized_page (out, NULL, NULL, 0);
  frame_append_recognized_page (out, key, (const guint8 *)"page", 4);
  FrameDecoder *decoder = frame_decoder_new (1 << 20);
  g_assert_cmpint (frame_decoder_feed (decoder, out->data, out->len), ==, FRAME_MORE);
  g_assert_cmpuint (frame_decoder_get_n_recognized (decoder), ==, 2);
  g_assert_cmpint (frame_decoder_get_n_pages (decoder), ==, 3);
  g_autoptr (GBytes) page = frame_decoder_take_recognized (decoder);
  gsize n;
  const guint8 *bytes = g_bytes_get_data (page, &n);
  g_assert_cmpmem (bytes, MIN (n, sizeof key), key, sizeof key);
  g_assert_cmpmem (bytes + sizeof key, n - sizeof key, "page", 4);
  g_assert_null (frame_decoder_take_recognized (decoder));
  g_byte_array_set_size (out, 0);
  frame_append_recognized_page (out, key, NULL, 0);
  g_assert_cmpint (frame_decoder_feed (decoder, out->data, out->len), ==, FRAME_LIE);
  frame_decoder_free (decoder);
}

static void test_bad_utf8 (void)
{
  LecternBlock *block = sample_block ();
  block->text[2] = '\xff';
  GByteArray *out = g_byte_array_new ();
  frame_append_string (out, FRAME_TYPE, "pdf");
  frame_append_string (out, FRAME_TITLE, "\xc3(");
  frame_append_number (out, FRAME_PAGES, 3);
  frame_append_block (out, block);
  frame_append_end (out, LECTERN_STATUS_INDEXED, NULL);
  FrameDecoder *decoder = frame_decoder_new (1 << 20);
  g_assert_cmpint (frame_decoder_feed (decoder, out->data, out->len), ==, FRAME_COMPLETE);
  LecternExtraction *extraction = frame_decoder_steal (decoder);
  const LecternBlock *repaired = extraction->blocks->pdata[0];
  g_assert_true (g_utf8_validate (repaired->text, -1, NULL));
  g_assert_true (g_utf8_validate (extraction->title, -1, NULL));
  g_assert_cmpuint (repaired->spans->len, ==, 0);
  lectern_extraction_free (extraction);
  frame_decoder_free (decoder);
  g_byte_array_unref (out);
  lectern_block_free (block);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/protocol/round-trip", test_round_trip);
  g_test_add_func ("/protocol/blocks", test_blocks);
  g_test_add_func ("/protocol/frames", test_frames);
  g_test_add_func ("/protocol/recognized", test_recognized);
  g_test_add_func ("/protocol/bad-utf8", test_bad_utf8);
  return g_test_run ();
}
