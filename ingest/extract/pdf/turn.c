/* turn.c: print that does not run from left to right. The layout knows upright print only; words that run up or down
 * the page, or on their heads, and whole pages of a right-to-left script, are turned (or mirrored) to look upright to it,
 * and what they are shown at is turned back. Words of each direction are put far below those of the one before, so that
 * nothing takes them for neighbours. */
#include "ingest/extract/pdf/page.h"

#define APART 20000.0f /* points; pages are smaller */
#define WATERMARK 3.0f /* font sizes of the words that it lies over */
#define MAX_WATERMARK_WORDS 60u

gboolean pdf_is_right_to_left (gunichar c)
{
  return (c >= 0x590 && c <= 0x8ff) || (c >= 0xfb1d && c <= 0xfdff) || (c >= 0xfe70 && c <= 0xfefc);
}

/* A box as one sees it who turns the page so that the print is upright, and back: `there` FALSE. */
static PdfBox turned (const PdfPage *page, PdfTurn turn, PdfBox box, gboolean there)
{
  const float w = page->width, h = page->height, apart = APART * (float)turn;
  if (!there) {
    box.y0 -= apart;
    box.y1 -= apart;
  }
  PdfBox result = box;
  switch (turn) {
  case PDF_TURN_DOWN:
    result = there ? (PdfBox){ box.y0, w - box.x1, box.y1, w - box.x0 }
                   : (PdfBox){ w - box.y1, box.x0, w - box.y0, box.x1 };
    break;
  case PDF_TURN_UP:
    result = there ? (PdfBox){ h - box.y1, box.x0, h - box.y0, box.x1 }
                   : (PdfBox){ box.y0, h - box.x1, box.y1, h - box.x0 };
    break;
  case PDF_TURN_OVER: result = (PdfBox){ w - box.x1, h - box.y1, w - box.x0, h - box.y0 }; break;
  case PDF_TURN_LEFT: result = (PdfBox){ w - box.x1, box.y0, w - box.x0, box.y1 }; break;
  default: break;
  }
  if (there) {
    result.y0 += apart;
    result.y1 += apart;
  }
  return result;
}

/* Whether the page is of a right-to-left script. */
static gboolean runs_left (const PdfPage *page)
{
  guint leftward = 0;
  for (guint i = 0; i < page->words->len; i++)
    leftward += pdf_is_right_to_left (g_utf8_get_char (page->text->str + PDF_WORD (page, i)->start));
  return 5 * leftward > page->words->len;
}

/* Whether a word lies over several others that are much smaller. */
static gboolean lies_across (const PdfPage *page, const PdfWord *word)
{
  guint under = 0;
  for (guint i = 0; i < page->words->len && under < 3; i++) {
    const PdfWord *other = PDF_WORD (page, i);
    float x = (other->box.x0 + other->box.x1) / 2, y = (other->box.y0 + other->box.y1) / 2;
    under += x > word->box.x0 && x < word->box.x1 && y > word->box.y0 && y < word->box.y1
             && WATERMARK * (other->box.y1 - other->box.y0) < word->box.y1 - word->box.y0 && other->length > 1;
  }
  return under >= 3;
}

/* Marks the letters of watermarks. Only few words of a page are so large. */
static gboolean mark_across (PdfPage *page)
{
  guint large = 0;
  float usual = 0;
  gboolean any = FALSE;
  for (guint i = 0; i < page->words->len; i++)
    usual += PDF_WORD (page, i)->size / (float)page->words->len;
  for (guint i = 0; i < page->words->len && large < MAX_WATERMARK_WORDS; i++) {
    PdfWord *word = PDF_WORD (page, i);
    if (word->turn != PDF_TURN_NONE || word->box.y1 - word->box.y0 < WATERMARK * usual)
      continue;
    large++;
    if (lies_across (page, word)) {
      word->turn = PDF_TURN_ACROSS;
      any = TRUE;
    }
  }
  return any;
}

void pdf_page_turn (PdfPage *page)
{
  gboolean left = runs_left (page), any = left;
  guint sure[PDF_TURN_UNKNOWN + 1] = { 0 };
  for (guint i = 0; i < page->words->len; i++)
    sure[PDF_WORD (page, i)->turn] += !(PDF_WORD (page, i)->style & PDF_SHORT);
  for (guint i = 0; i < page->words->len; i++) {
    PdfWord *word = PDF_WORD (page, i);
    if (word->style & PDF_SHORT && word->turn != PDF_TURN_NONE && sure[word->turn] < 2)
      word->turn = PDF_TURN_UNKNOWN;
    /* A single character does not tell; it goes with the word before it in its line, or else the one after it. */
    if (word->turn == PDF_TURN_UNKNOWN && !(word->style & PDF_BREAK) && i > 0)
      word->turn = PDF_WORD (page, i - 1)->turn;
    else if (word->turn == PDF_TURN_UNKNOWN)
      word->turn = i + 1 < page->words->len && !(PDF_WORD (page, i + 1)->style & PDF_BREAK)
                           && PDF_WORD (page, i + 1)->turn != PDF_TURN_UNKNOWN
                       ? PDF_WORD (page, i + 1)->turn
                       : PDF_TURN_NONE;
    any |= word->turn != PDF_TURN_NONE;
  }
  any |= mark_across (page);
  guint64 bytes[PDF_TURN_UNKNOWN + 1] = { 0 };
  for (guint i = 0; any && i < page->words->len; i++) {
    PdfWord *word = PDF_WORD (page, i);
    if (left && (word->turn == PDF_TURN_NONE || word->turn == PDF_TURN_OVER))
      word->turn = PDF_TURN_LEFT;
    if (word->turn != PDF_TURN_NONE)
      word->box = turned (page, word->turn, word->box, TRUE);
    bytes[word->turn] += word->length;
    page->turn = bytes[word->turn] > bytes[page->turn] ? word->turn : page->turn;
  }
}

void pdf_page_turn_back (PdfPage *page)
{
  for (guint i = 0; i < page->words->len; i++) {
    PdfWord *word = PDF_WORD (page, i);
    if (word->turn != PDF_TURN_NONE)
      word->shown = turned (page, word->turn, word->shown, FALSE);
  }
}
