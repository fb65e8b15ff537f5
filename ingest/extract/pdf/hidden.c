/* hidden.c: what tells hidden text from the look-alikes that everybody sees is the page as it is painted: white letters
 * on a dark bar contrast with what is around them, white letters on paper do not. Letters themselves need not be painted
 * for that (a font that is not embedded cannot be loaded here), only what is behind them. */
#include "ingest/extract/pdf/hidden.h"

#include <cairo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LIGHT 0xd8        /* each channel at least: invisible on paper, or nearly */
#define CONTRAST 20       /* of a channel, between letters and what is behind them, that an eye still sees */
#define BEHIND_SHARE 0.4f /* of a word's box: more than the letters of another word fill */
#define MIN_SIZE 1.5f     /* points */
#define DPI 72.0
#define MAX_PIXELS 4e6
#define MIN_TRUSTED_WORDS 8u
#define UNPAINTED_SHARE 0.5f

static const char *const details[PDF_N_HIDDEN] = {
  [PDF_HIDDEN_COLOR] = "white",
  [PDF_HIDDEN_SIZE] = "too small",
  [PDF_HIDDEN_PLACE] = "off the page",
  [PDF_HIDDEN_COVERED] = "covered",
};

gboolean pdf_color_is_light (guint32 color)
{
  return ((color >> 16) & 255) >= LIGHT && ((color >> 8) & 255) >= LIGHT && (color & 255) >= LIGHT;
}

/* ---- the page as it is painted --------------------------------------------------------------------------- */

typedef struct {
  cairo_surface_t *surface;
  const guint8 *data;
  int width, height, stride;
  double scale;
} Painted;

static gboolean paint (PopplerPage *source, const PdfPage *page, Painted *painted)
{
  if (!(page->width > 0) || !(page->height > 0))
    return FALSE;
  double scale = MIN (DPI / 72, sqrt (MAX_PIXELS / ((double)page->width * (double)page->height)));
  int width = (int)ceil ((double)page->width * scale), height = (int)ceil ((double)page->height * scale);
  if (width < 1 || height < 1 || width > 20000 || height > 20000)
    return FALSE;
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  cairo_t *cairo = cairo_create (surface);
  cairo_set_source_rgb (cairo, 1, 1, 1);
  cairo_paint (cairo);
  cairo_scale (cairo, scale, scale);
  poppler_page_render (source, cairo);
  cairo_destroy (cairo);
  cairo_surface_flush (surface);
  if (cairo_surface_status (surface) != CAIRO_STATUS_SUCCESS) {
    cairo_surface_destroy (surface);
    return FALSE;
  }
  *painted = (Painted){ surface, cairo_image_surface_get_data (surface),   width,
                        height,  cairo_image_surface_get_stride (surface), scale };
  return TRUE;
}

static int distance (guint32 a, guint32 b)
{
  int red = abs ((int)((a >> 16) & 255) - (int)((b >> 16) & 255));
  int green = abs ((int)((a >> 8) & 255) - (int)((b >> 8) & 255));
  int blue = abs ((int)(a & 255) - (int)(b & 255));
  return MAX (MAX (red, green), blue);
}

/* How much of a word's box contrasts with a colour; its first pixel's if `color` is none. */
static float share_of_contrast (const Painted *painted, const PdfBox *box, gint64 color)
{
  int x0 = (int)CLAMP (floor ((double)box->x0 * painted->scale), 0, painted->width - 1);
  int y0 = (int)CLAMP (floor ((double)box->y0 * painted->scale), 0, painted->height - 1);
  int x1 = (int)CLAMP (ceil ((double)box->x1 * painted->scale), x0 + 1, painted->width);
  int y1 = (int)CLAMP (ceil ((double)box->y1 * painted->scale), y0 + 1, painted->height);
  guint64 contrasting = 0;
  for (int y = y0; y < y1; y++)
    for (int x = x0; x < x1; x++) {
      guint32 pixel;
      memcpy (&pixel, painted->data + (gsize)y * (gsize)painted->stride + (gsize)x * 4, sizeof pixel);
      if (color < 0)
        color = pixel & 0xffffff;
      contrasting += distance (pixel, (guint32)color) >= CONTRAST;
    }
  return (float)contrasting / ((float)(x1 - x0) * (float)(y1 - y0));
}

/* ---- words ----------------------------------------------------------------------------------------------- */

static gboolean is_off_page (const PdfPage *page, const PdfBox *box)
{
  float x = (box->x0 + box->x1) / 2, y = (box->y0 + box->y1) / 2;
  return x < 0 || y < 0 || x > page->width || y > page->height;
}

/* Marks the dark words under which nothing at all is painted. Where that are most of them, their font is missing here
 * and nothing can be told. */
static void mark_covered (const PdfPage *page, const Painted *painted, gint8 *hidden)
{
  guint n_dark = 0, n_bare = 0;
  g_autofree gboolean *bare = g_new0 (gboolean, page->words->len);
  for (guint i = 0; i < page->words->len; i++) {
    const PdfWord *word = PDF_WORD (page, i);
    if (hidden[i] >= 0 || pdf_color_is_light (word->color))
      continue;
    n_dark++;
    bare[i] = share_of_contrast (painted, &word->box, -1) == 0;
    n_bare += bare[i] ? 1 : 0;
  }
  if (n_dark < MIN_TRUSTED_WORDS || (float)n_bare > UNPAINTED_SHARE * (float)n_dark)
    return;
  for (guint i = 0; i < page->words->len; i++)
    if (bare[i])
      hidden[i] = PDF_HIDDEN_COVERED;
}

/* Takes the marked words out; a line that began with one begins with the word after it. */
static void remove_marked (PdfPage *page, const gint8 *hidden)
{
  guint kept = 0, carried = 0;
  for (guint i = 0; i < page->words->len; i++) {
    PdfWord word = *PDF_WORD (page, i);
    if (hidden[i] >= 0) {
      page->hidden[hidden[i]] += (guint)g_utf8_strlen (page->text->str + word.start, (gssize)word.length);
      carried |= word.style & PDF_BREAK;
      continue;
    }
    word.style |= carried;
    carried = 0;
    *PDF_WORD (page, kept++) = word;
  }
  g_array_set_size (page->words, kept);
}

static gboolean says_something (const PdfPage *page, const PdfWord *word)
{
  const char *text = page->text->str + word->start;
  for (const char *p = text; p < text + word->length; p = g_utf8_next_char (p))
    if (g_unichar_isalnum (g_utf8_get_char (p)))
      return TRUE;
  return FALSE;
}

/* Whether a light word does not show on what is behind it. Boxes to be ticked and the like, of a font of symbols, fill
 * their own box; what is around them tells. A word that says something is given no such credit: a white box of its size
 * behind it would hide it. */
static gboolean is_faint (const PdfPage *page, const Painted *painted, const PdfWord *word)
{
  if (share_of_contrast (painted, &word->box, word->color) >= BEHIND_SHARE)
    return FALSE;
  if (says_something (page, word))
    return TRUE;
  float more = (word->box.y1 - word->box.y0) / 2;
  PdfBox around = { word->box.x0 - more, word->box.y0 - more, word->box.x1 + more, word->box.y1 + more };
  return share_of_contrast (painted, &around, word->color) < BEHIND_SHARE;
}

void pdf_remove_hidden (PopplerPage *source, PdfPage *page)
{
  guint n_light = 0, n_hidden = 0;
  for (guint i = 0; i < page->words->len; i++) {
    const PdfWord *word = PDF_WORD (page, i);
    n_light += pdf_color_is_light (word->color) ? 1 : 0;
    n_hidden += word->size < MIN_SIZE || is_off_page (page, &word->box) ? 1 : 0;
  }
  if (n_light == 0 && n_hidden == 0)
    return;
  g_autofree gint8 *hidden = g_malloc (page->words->len);
  for (guint i = 0; i < page->words->len; i++) {
    const PdfWord *word = PDF_WORD (page, i);
    hidden[i] = word->size < MIN_SIZE ? PDF_HIDDEN_SIZE : is_off_page (page, &word->box) ? PDF_HIDDEN_PLACE : -1;
  }
  for (guint i = 0; !source && i < page->words->len; i++)
    if (hidden[i] < 0 && pdf_color_is_light (PDF_WORD (page, i)->color))
      hidden[i] = PDF_HIDDEN_COLOR;
  Painted painted;
  if (source && n_light > 0 && paint (source, page, &painted)) {
    for (guint i = 0; i < page->words->len; i++) {
      const PdfWord *word = PDF_WORD (page, i);
      if (hidden[i] < 0 && pdf_color_is_light (word->color) && is_faint (page, &painted, word))
        hidden[i] = PDF_HIDDEN_COLOR;
    }
    mark_covered (page, &painted, hidden);
    cairo_surface_destroy (painted.surface);
  }
  remove_marked (page, hidden);
}

void pdf_report_hidden (const PdfPage *page, Writer *writer)
{
  for (guint way = 0; way < PDF_N_HIDDEN; way++)
    if (page->hidden[way] > 0)
      emit_finding (writer, LECTERN_FINDING_HIDDEN_TEXT, page->number, page->hidden[way], details[way]);
}
