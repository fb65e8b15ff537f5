#include "ingest/extract/pdf/page.h"
#include "ingest/extract/pdf/hidden.h"

#include <math.h>
#include <string.h>

#define MAX_CHARACTERS 2000000u /* of one page */
#define JUMP 0.6f               /* font sizes between two characters that are not of one word */
#define JUMP_LEFTWARD 0.13f     /* in right-to-left scripts, whose letters join */

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
  float last_size;
  float across, down; /* how far the word has run so far */
  gunichar last_character;
  guint characters, leftward; /* of the word; of those, of a right-to-left script */
  float alefs[4];             /* widths of alefs that are in no ligature, font sizes */
  guint n_alefs;
  gboolean in_word;
  gboolean blank;   /* poppler sets one after the word so far */
  guint next_style; /* PDF_BREAK if the next word begins a line */
} Builder;

/* Which way the word runs. Poppler gives right-to-left letters in the order of reading. */
static PdfTurn turn_of (const Builder *builder)
{
  float x = builder->across, y = builder->down, far = 0.3f * MAX (builder->word.size, 1.0f);
  if (builder->characters < 2)
    return PDF_TURN_UNKNOWN;
  if (fabsf (y) > far && fabsf (y) > 1.5f * fabsf (x))
    return y > 0 ? PDF_TURN_DOWN : PDF_TURN_UP;
  if (x < -2 * far && builder->leftward == 0)
    return PDF_TURN_OVER;
  return PDF_TURN_NONE;
}

/* Ends the word at a byte of the page's text. */
static void add_word (Builder *builder, gsize end)
{
  builder->in_word = builder->blank = FALSE;
  builder->word.length = (guint32)end - builder->word.start;
  builder->word.turn = turn_of (builder);
  builder->word.style |= builder->characters == 2 ? PDF_SHORT : 0;
  if (builder->word.length > 0)
    g_array_append_val (builder->page->words, builder->word);
}

static void end_word (Builder *builder)
{
  if (builder->in_word)
    add_word (builder, builder->page->text->len);
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

/* Poppler sets blanks where print only leans over or is raised: before the comma after an index, after a slanted letter
 * in brackets, before the exponent of a letter. Whether character c in `box` goes on with the word all the same. */
static gboolean goes_on (const Builder *builder, gunichar c, const PdfBox *box, float size)
{
  const PdfBox *last = &builder->last;
  gunichar before = builder->last_character;
  float gap = box->x0 - last->x1, height = MAX (size, builder->last_size);
  if (gap < -0.3f * height || gap > 0.2f * height || box->y0 > last->y1 || last->y0 > box->y1)
    return FALSE;
  gboolean closes = before == ')' || before == ']' || before == '}';
  if (!closes && !g_unichar_isalnum (before))
    return FALSE;
  if (c < 0x80 && strchr (",.;)]}", (char)c))
    return TRUE;
  return g_unichar_isalnum (c) && size < 0.8f * builder->last_size && (closes || builder->characters == 1)
         && fabsf (box->y1 - last->y1) > 0.08f * height;
}

static gboolean is_alef (gunichar c)
{
  return c == 0x622 || c == 0x623 || c == 0x625 || c == 0x627;
}

static gboolean nearly (float a, float b)
{
  return fabsf (a - b) < 0.025f * b;
}

static void remember_alef (Builder *builder)
{
  float width = (builder->last.x1 - builder->last.x0) / MAX (builder->last_size, 1.0f);
  for (guint i = 0; i < G_N_ELEMENTS (builder->alefs); i++)
    if (nearly (width, builder->alefs[i]))
      return;
  builder->alefs[builder->n_alefs++ % G_N_ELEMENTS (builder->alefs)] = width;
}

/* Poppler turns the letters of a right-to-left ligature round: alef and lam for lam and alef. They are parts of one glyph
 * if they share its width, which is not that of an alef by itself. An alef and a lam that begin a word are the article. */
static void mend_ligature (Builder *builder, gunichar c, const PdfBox *box)
{
  if (!is_alef (builder->last_character) || builder->word.style & PDF_MONO)
    return;
  if (c != 0x644) {
    remember_alef (builder);
    return;
  }
  float width = box->x1 - box->x0, before = builder->last.x1 - builder->last.x0;
  GString *text = builder->page->text; /* an Arabic letter takes two bytes */
  if (width <= 0 || !nearly (width, before) || fabsf (builder->last.x0 - box->x1) > 0.02f * width
      || text->len < builder->word.start + 4)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (builder->alefs); i++)
    if (nearly (before / MAX (builder->last_size, 1.0f), builder->alefs[i]))
      return;
  if (builder->last_character == 0x627 && builder->characters == 1)
    return;
  char swapped[4];
  memcpy (swapped, text->str + text->len - 2, 2);
  memcpy (swapped + 2, text->str + text->len - 4, 2);
  memcpy (text->str + text->len - 4, swapped, 4);
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
    builder->blank = builder->in_word;
    return;
  }
  if (c == 0xad) {
    builder->word.style |= PDF_SOFT_HYPHEN;
    return;
  }
  PdfBox box = box_of (rectangle);
  if (builder->blank && builder->in_word && !goes_on (builder, c, &box, size))
    end_word (builder);
  builder->blank = FALSE;
  gsize before = builder->page->text->len;
  builder->page->n_characters++;
  builder->page->n_unmapped += is_unmapped (c) ? 1 : 0;
  append_plain (builder->page->text, c);
  if (builder->page->text->len == before)
    return;
  /* Letters that show and letters that do not are never one word. */
  if (builder->in_word && color != builder->word.color
      && pdf_color_is_light (color) != pdf_color_is_light (builder->word.color)) {
    add_word (builder, before);
  }
  if (builder->in_word) {
    /* Poppler sets no blank between blocks of text that stand beside each other. */
    const PdfBox *last = &builder->last;
    float across = MAX (box.x0 - last->x1, last->x0 - box.x1), down = MAX (box.y0 - last->y1, last->y0 - box.y1);
    gboolean leftward = builder->leftward > 0 && pdf_is_right_to_left (c);
    if (leftward && across > JUMP_LEFTWARD * size && across <= JUMP * size) {
      /* It misses one in right-to-left lines. */
      add_word (builder, before);
    } else if (MAX (across, down) > JUMP * MAX (size, 4.0f)) {
      add_word (builder, before);
      builder->next_style = PDF_BREAK;
    }
  }
  if (builder->in_word) {
    builder->across += (box.x0 + box.x1 - builder->last.x0 - builder->last.x1) / 2;
    builder->down += (box.y0 + box.y1 - builder->last.y0 - builder->last.y1) / 2;
    mend_ligature (builder, c, &box);
  }
  builder->last = box;
  builder->last_size = size;
  builder->last_character = c;
  if (!builder->in_word) {
    builder->word = (PdfWord){
      .start = (guint32)before, .box = box, .size = size, .style = style | builder->next_style, .color = color
    };
    builder->next_style = 0;
    builder->across = builder->down = 0;
    builder->characters = 1;
    builder->leftward = pdf_is_right_to_left (c);
    builder->in_word = TRUE;
  } else {
    builder->characters++;
    builder->leftward += pdf_is_right_to_left (c);
    pdf_box_unite (&builder->word.box, &box);
    builder->word.size = MAX (builder->word.size, size);
    builder->word.style &= ~(guint)PDF_SOFT_HYPHEN;
  }
}

/* ---- poppler's order ------------------------------------------------------------------------------------- */

#define EMBED_LEFT_TO_RIGHT 0x202a
#define EMBED_RIGHT_TO_LEFT 0x202b
#define END_EMBEDDING 0x202c

static gboolean is_embedding (gunichar c)
{
  return c >= EMBED_LEFT_TO_RIGHT && c <= END_EMBEDDING;
}

/* Poppler's text is in the order of reading, with marks around what runs the other way, but its rectangles stand from left
 * to right and have none for the marks. Returns for each character the index of its rectangle, G_MAXUINT32 for marks; or
 * NULL if they are in the same order. */
static guint32 *visual_order (const char *text, guint n_rectangles)
{
  if (!strstr (text, "\xe2\x80\xaa") && !strstr (text, "\xe2\x80\xab"))
    return NULL;
  guint n = 0, n_marks = 0;
  for (const char *p = text; *p; p = g_utf8_next_char (p), n++)
    n_marks += is_embedding (g_utf8_get_char (p));
  if (n - n_marks != n_rectangles)
    return NULL;
  guint32 *order = g_new (guint32, n);
  guint start = 0, inner = 0, at = 0, i = 0; /* start, inner: where the run that was opened begins; at: rectangle */
  guint first = 0, inner_first = 0, depth = 0;
  gboolean rightward = FALSE;
  for (const char *p = text; *p; p = g_utf8_next_char (p), i++) {
    gunichar c = g_utf8_get_char (p);
    order[i] = is_embedding (c) ? G_MAXUINT32 : at++;
    if (c == '\n')
      depth = 0;
    if (!is_embedding (c))
      continue;
    if (c != END_EMBEDDING && depth++ == 0) {
      start = i;
      first = at;
      rightward = c == EMBED_LEFT_TO_RIGHT;
    } else if (c != END_EMBEDDING) {
      inner = i;
      inner_first = at;
    } else if (depth > 0 && --depth == 0) {
      for (guint k = start; k <= i && !rightward; k++)
        if (order[k] != G_MAXUINT32)
          order[k] = first + at - 1 - order[k];
    } else if (depth == 1) {
      /* Turned round here, and once more with what it stands in. */
      for (guint k = inner; k <= i; k++)
        if (order[k] != G_MAXUINT32)
          order[k] = inner_first + at - 1 - order[k];
    }
  }
  return order;
}

/* Whether most letters are of a right-to-left script. */
static gboolean mostly_leftward (const char *text)
{
  guint leftward = 0, others = 0;
  for (const char *p = text; *p; p = g_utf8_next_char (p)) {
    if ((guchar)*p < 0x80)
      others += g_ascii_isalpha (*p);
    else if (pdf_is_right_to_left (g_utf8_get_char (p)))
      leftward++;
    else
      others += g_unichar_isalpha (g_utf8_get_char (p));
  }
  return leftward > others;
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

PdfPage *pdf_page_read (PopplerPage *source, int number, gboolean careful)
{
  PdfPage *page = pdf_page_new (source, number);
  /* Poppler selects the text between two points: for a right-to-left script the first one is at the right. */
  double width = (double)page->width, height = (double)page->height;
  PopplerRectangle area = { 0, 0, width, height };
  char *text = poppler_page_get_text_for_area (source, &area);
  if (text && mostly_leftward (text)) {
    area = (PopplerRectangle){ width, 0, 0, height };
    g_free (text);
    text = poppler_page_get_text_for_area (source, &area);
  }
  PopplerRectangle *rectangles = NULL;
  guint n_rectangles = 0;
  if (!text || !*text || !poppler_page_get_text_layout_for_area (source, &area, &rectangles, &n_rectangles)) {
    g_free (text);
    return page;
  }
  GList *attributes = poppler_page_get_text_attributes_for_area (source, &area), *at = attributes;
  Builder builder = { .page = page, .next_style = PDF_BREAK };
  guint i = 0, style = 0;
  guint32 color = 0;
  float size = 0;
  const char *font = NULL;
  g_autofree guint32 *order = visual_order (text, n_rectangles);
  for (const char *p = text; *p && i < MAX_CHARACTERS; p = g_utf8_next_char (p), i++) {
    guint index = order ? order[i] : i;
    if (index == G_MAXUINT32)
      continue;
    if (index >= n_rectangles)
      break;
    while (at && index > (guint)((PopplerTextAttributes *)at->data)->end_index)
      at = at->next;
    while (at && at->prev && index < (guint)((PopplerTextAttributes *)at->data)->start_index)
      at = at->prev;
    const PopplerTextAttributes *run = at ? at->data : NULL;
    if (run && (guint)run->start_index <= index) {
      size = bounded (run->font_size);
      color = (guint32)(run->color.red >> 8) << 16 | (guint32)(run->color.green >> 8) << 8 | run->color.blue >> 8;
      if (run->font_name != font) {
        font = run->font_name;
        style = style_of_font (font) | look_of_run (run) << PDF_LOOK_SHIFT;
      }
    }
    add_character (&builder, g_utf8_get_char (p), &rectangles[index], size, style, color);
  }
  end_word (&builder);
  pdf_remove_hidden (careful ? NULL : source, page);
  pdf_page_turn (page);
  pdf_page_arrange (page);
  pdf_page_turn_back (page);
  poppler_page_free_text_attributes (attributes);
  g_free (rectangles);
  g_free (text);
  return page;
}
