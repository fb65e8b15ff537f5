#include "ingest/extract/pdf/page.h"
#include "ingest/extract/pdf/hidden.h"

#include <math.h>
#include <string.h>

#define MAX_CHARACTERS 2000000u /* of one page */
#define JUMP 0.6f               /* font sizes between two characters that are not of one word */

void pdf_page_free (PdfPage *page)
{
  if (!page)
    return;
  g_string_free (page->text, TRUE);
  g_array_unref (page->words);
  g_array_unref (page->lines);
  g_free (page);
}

void pdf_box_unite (PdfBox *box, const PdfBox *other)
{
  box->x0 = MIN (box->x0, other->x0);
  box->y0 = MIN (box->y0, other->y0);
  box->x1 = MAX (box->x1, other->x1);
  box->y1 = MAX (box->y1, other->y1);
}

gboolean pdf_box_same_line (const PdfBox *a, const PdfBox *b)
{
  float overlap = MIN (a->y1, b->y1) - MAX (a->y0, b->y0);
  float lower = MIN (a->y1 - a->y0, b->y1 - b->y0);
  return overlap > 0.6f * lower;
}

guint pdf_row_end (const PdfPage *page, guint at)
{
  guint row = PDF_LINE (page, at)->row;
  while (at < page->lines->len && PDF_LINE (page, at)->row == row)
    at++;
  return at;
}

void pdf_line_append_text (const PdfPage *page, const PdfLine *line, GString *out)
{
  for (guint i = 0; i < line->n; i++) {
    const PdfWord *word = PDF_WORD (page, line->first + i);
    if (i)
      g_string_append_c (out, ' ');
    g_string_append_len (out, page->text->str + word->start, word->length);
  }
}

/* ---- characters ------------------------------------------------------------------------------------------ */

static gboolean is_blank (gunichar c)
{
  return c == ' ' || c == '\t' || c == 0xa0 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x3000;
}

/* What stands for a letter that only its font knows. */
static gboolean is_unmapped (gunichar c)
{
  return c < ' ' || (c >= 0x7f && c < 0xa0) || (c >= 0xe000 && c <= 0xf8ff) || c >= 0xf0000 || c == 0xfffd;
}

/* Letters as one writes them: ligatures and presentation forms become plain letters, control characters nothing. */
static void append_plain (GString *out, gunichar c)
{
  if (c < 0x80) {
    if (c >= ' ' && c != 127)
      g_string_append_c (out, (char)c);
    return;
  }
  if ((c >= 0xfb00 && c <= 0xfdff) || (c >= 0xfe70 && c <= 0xfefc) || (c >= 0xff01 && c <= 0xff5e)) {
    gunichar plain[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
    gsize n = g_unichar_fully_decompose (c, TRUE, plain, G_N_ELEMENTS (plain));
    for (gsize i = 0; i < n; i++)
      g_string_append_unichar (out, plain[i]);
    return;
  }
  switch (c) {
  case 0x2010:
  case 0x2011: g_string_append_c (out, '-'); return;
  case 0xf0b7: /* the bullet of the Symbol font, unmapped */
  case 0xf0a7: g_string_append (out, "•"); return;
  case 0xfffd:
  case 0xfffe:
  case 0xfeff: return;
  default: break;
  }
  /* Private characters mean nothing outside their font. */
  if (c < 0xa0 || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0xe000 && c <= 0xf8ff))
    return;
  g_string_append_unichar (out, c);
}

static guint style_of_font (const char *name)
{
  static const char *const bold[] = { "bold", "black", "heavy", "cmbx", "sfbx", "demi", "cmssbx", "-bd", "_bd" };
  static const char *const mono[]
      = { "mono",   "courier", "typewriter", "cmtt",         "sftt",     "consol", "menlo",
          "cmsltt", "lmtt",    "cmitt",      "lettergothic", "terminal", "fixed",  "cmtcsc" };
  if (!name)
    return 0;
  guint style = 0;
  g_autofree char *lower = g_ascii_strdown (name, -1);
  for (guint i = 0; i < G_N_ELEMENTS (bold); i++)
    if (strstr (lower, bold[i]))
      style |= PDF_BOLD;
  for (guint i = 0; i < G_N_ELEMENTS (mono); i++)
    if (strstr (lower, mono[i]))
      style |= PDF_MONO;
  return style;
}

/* A hash of the font's name and the colour. */
static guint look_of_run (const PopplerTextAttributes *run)
{
  guint colour = (guint)(run->color.red >> 12) << 8 | (guint)(run->color.green >> 12) << 4 | run->color.blue >> 12;
  guint look = (run->font_name ? g_str_hash (run->font_name) : 0) + colour * 2654435761u;
  return look >> PDF_LOOK_SHIFT ^ (look & 0xff);
}

/* ---- words ----------------------------------------------------------------------------------------------- */

typedef struct {
  PdfPage *page;
  PdfWord word;
  PdfBox last; /* of the character before, when in a word */
  gboolean in_word;
  guint next_style; /* PDF_BREAK if the next word begins a line */
} Builder;

static void end_word (Builder *builder)
{
  if (!builder->in_word)
    return;
  builder->in_word = FALSE;
  builder->word.length = (guint32)builder->page->text->len - builder->word.start;
  if (builder->word.length > 0)
    g_array_append_val (builder->page->words, builder->word);
}

static float bounded (double value)
{
  return isfinite (value) ? (float)CLAMP (value, -1e6, 1e6) : 0;
}

static PdfBox box_of (const PopplerRectangle *rectangle)
{
  float x1 = bounded (rectangle->x1), x2 = bounded (rectangle->x2), y1 = bounded (rectangle->y1),
        y2 = bounded (rectangle->y2);
  return (PdfBox){ MIN (x1, x2), MIN (y1, y2), MAX (x1, x2), MAX (y1, y2) };
}

static void add_character (Builder *builder, gunichar c, const PopplerRectangle *rectangle, float size, guint style,
                           guint32 color)
{
  if (c == '\n' || c == '\r' || c == '\f') {
    end_word (builder);
    builder->next_style = PDF_BREAK;
    return;
  }
  if (is_blank (c)) {
    end_word (builder);
    return;
  }
  if (c == 0xad) {
    builder->word.style |= PDF_SOFT_HYPHEN;
    return;
  }
  gsize before = builder->page->text->len;
  builder->page->n_characters++;
  builder->page->n_unmapped += is_unmapped (c) ? 1 : 0;
  append_plain (builder->page->text, c);
  if (builder->page->text->len == before)
    return;
  PdfBox box = box_of (rectangle);
  /* Letters that show and letters that do not are never one word. */
  if (builder->in_word && color != builder->word.color
      && pdf_color_is_light (color) != pdf_color_is_light (builder->word.color)) {
    builder->word.length = (guint32)before - builder->word.start;
    builder->in_word = FALSE;
    g_array_append_val (builder->page->words, builder->word);
  }
  if (builder->in_word) {
    /* Poppler sets no blank between blocks of text that stand beside each other. */
    const PdfBox *last = &builder->last;
    float across = MAX (box.x0 - last->x1, last->x0 - box.x1), down = MAX (box.y0 - last->y1, last->y0 - box.y1);
    if (MAX (across, down) > JUMP * MAX (size, 4.0f)) {
      builder->word.length = (guint32)before - builder->word.start;
      builder->in_word = FALSE;
      g_array_append_val (builder->page->words, builder->word);
      builder->next_style = PDF_BREAK;
    }
  }
  builder->last = box;
  if (!builder->in_word) {
    builder->word = (PdfWord){ (guint32)before, 0, box, size, style | builder->next_style, color };
    builder->next_style = 0;
    builder->in_word = TRUE;
  } else {
    pdf_box_unite (&builder->word.box, &box);
    builder->word.size = MAX (builder->word.size, size);
    builder->word.style &= ~(guint)PDF_SOFT_HYPHEN;
  }
}

PdfPage *pdf_page_new (PopplerPage *source, int number)
{
  PdfPage *page = g_new0 (PdfPage, 1);
  page->number = number;
  page->text = g_string_new (NULL);
  page->words = g_array_new (FALSE, FALSE, sizeof (PdfWord));
  page->lines = g_array_new (FALSE, FALSE, sizeof (PdfLine));
  double width = 0, height = 0;
  poppler_page_get_size (source, &width, &height);
  page->width = bounded (width);
  page->height = bounded (height);
  return page;
}

PdfPage *pdf_page_read (PopplerPage *source, int number)
{
  PdfPage *page = pdf_page_new (source, number);
  g_autofree char *text = poppler_page_get_text (source);
  PopplerRectangle *rectangles = NULL;
  guint n_rectangles = 0;
  if (!text || !*text || !poppler_page_get_text_layout (source, &rectangles, &n_rectangles))
    return page;
  GList *attributes = poppler_page_get_text_attributes (source), *at = attributes;
  Builder builder = { .page = page, .next_style = PDF_BREAK };
  guint i = 0, style = 0;
  guint32 color = 0;
  float size = 0;
  const char *font = NULL;
  for (const char *p = text; *p && i < n_rectangles && i < MAX_CHARACTERS; p = g_utf8_next_char (p), i++) {
    while (at && i > (guint)((PopplerTextAttributes *)at->data)->end_index)
      at = at->next;
    const PopplerTextAttributes *run = at ? at->data : NULL;
    if (run && (guint)run->start_index <= i) {
      size = bounded (run->font_size);
      color = (guint32)(run->color.red >> 8) << 16 | (guint32)(run->color.green >> 8) << 8 | run->color.blue >> 8;
      if (run->font_name != font) {
        font = run->font_name;
        style = style_of_font (font) | look_of_run (run) << PDF_LOOK_SHIFT;
      }
    }
    add_character (&builder, g_utf8_get_char (p), &rectangles[i], size, style, color);
  }
  end_word (&builder);
  pdf_remove_hidden (source, page);
  pdf_page_arrange (page);
  poppler_page_free_text_attributes (attributes);
  g_free (rectangles);
  return page;
}
