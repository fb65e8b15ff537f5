/* layout.c: from words to fragments in the order of reading, by a recursive cut of the page (after Nagy and Seth's
 * XY-cut): a gutter cuts a region into what stands above it, its left side, its right side, and what stands below;
 * each of them is cut again. A region without a gutter is read line by line. Print of another direction comes after
 * the upright, each direction by itself (turn.c). */
#include "ingest/extract/pdf/columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FRAGMENTS 6000u /* a page with more keeps poppler's order */
#define MAX_DEPTH 12u
#define SIZE_STEPS 200u /* of half a point */

typedef struct {
  PdfPage *page;
  GArray *arranged; /* of PdfLine */
  float size;
  guint region, row;
  guint staggered; /* rows that begin before the one above them ends */
} Layout;

/* ---- fragments ------------------------------------------------------------------------------------------- */

/* Whether word i goes on with the fragment that word i - 1 belongs to. */
static gboolean goes_on (const PdfPage *page, guint i, float wide)
{
  const PdfWord *word = PDF_WORD (page, i), *before = PDF_WORD (page, i - 1);
  if (word->style & PDF_BREAK || word->turn != before->turn)
    return FALSE;
  float size = MAX (MAX (word->size, before->size), 4.0f);
  float overlap = MIN (word->box.y1, before->box.y1) - MAX (word->box.y0, before->box.y0);
  /* Poppler gives the words of such a line in the order of reading, also those that run the other way. */
  if (word->turn == PDF_TURN_LEFT)
    return word->box.x0 - before->box.x1 <= wide * size && before->box.x0 - word->box.x1 <= wide * size && overlap > 0;
  float gap = word->box.x0 - before->box.x1;
  return gap <= wide * size && gap > -0.5f * size && overlap > 0;
}

static PdfLine fragment_of (const PdfPage *page, guint first, guint end)
{
  PdfLine line
      = { .first = first, .n = end - first, .box = PDF_WORD (page, first)->box, .turn = PDF_WORD (page, first)->turn };
  float weight = 0;
  guint bold = 0, mono = 0;
  for (guint i = first; i < end; i++) {
    const PdfWord *word = PDF_WORD (page, i);
    pdf_box_unite (&line.box, &word->box);
    line.chars += word->length;
    weight += word->size * (float)word->length;
    bold += word->style & PDF_BOLD ? word->length : 0;
    mono += word->style & PDF_MONO ? word->length : 0;
  }
  line.size = weight / (float)line.chars;
  line.style = (2 * bold > line.chars ? PDF_BOLD : 0u) | (4 * mono > 3 * line.chars ? PDF_MONO : 0u)
               | (PDF_WORD (page, end - 1)->style & PDF_SOFT_HYPHEN);
  return line;
}

/* Fragments in poppler's order, each row of its lines numbered. */
static void find_fragments (PdfPage *page, float wide)
{
  guint row = 0;
  for (guint first = 0, end; first < page->words->len; first = end) {
    end = first + 1;
    while (end < page->words->len && goes_on (page, end, wide))
      end++;
    PdfLine line = fragment_of (page, first, end);
    if (first > 0 && PDF_WORD (page, first)->style & PDF_BREAK)
      row++;
    line.row = row;
    g_array_append_val (page->lines, line);
  }
}

static float usual_size (const PdfPage *page)
{
  guint64 steps[SIZE_STEPS] = { 0 };
  guint best = 0;
  for (guint i = 0; i < page->lines->len; i++) {
    const PdfLine *line = PDF_LINE (page, i);
    steps[(guint)CLAMP (lrintf (line->size * 2), 0, (long)SIZE_STEPS - 1)] += line->chars;
  }
  for (guint i = 0; i < SIZE_STEPS; i++)
    if (steps[i] > steps[best])
      best = i;
  return MAX ((float)best / 2, 4.0f);
}

/* ---- order ----------------------------------------------------------------------------------------------- */

/* Equals stay as poppler had them. */
static int compare_floats (float x, float y, guint a, guint b)
{
  return x < y ? -1 : x > y ? 1 : a < b ? -1 : a > b;
}

static int compare_middles (const void *a, const void *b, void *data)
{
  const PdfPage *page = data;
  const guint i = *(const guint *)a, k = *(const guint *)b;
  const PdfBox *left = &PDF_LINE (page, i)->box, *right = &PDF_LINE (page, k)->box;
  return compare_floats (left->y0 + left->y1, right->y0 + right->y1, i, k);
}

static int compare_lefts (const void *a, const void *b, void *data)
{
  const PdfPage *page = data;
  const guint i = *(const guint *)a, k = *(const guint *)b;
  return compare_floats (PDF_LINE (page, i)->box.x0, PDF_LINE (page, k)->box.x0, i, k);
}

/* Whether a row stands beside the one above it rather than below: what seem to be columns, though no gutter was found. */
static gboolean is_staggered (const PdfBox *above, const PdfBox *row)
{
  return MIN (above->y1, row->y1) - MAX (above->y0, row->y0) > 0.35f * MIN (above->y1 - above->y0, row->y1 - row->y0)
         && (row->x0 > above->x1 || row->x1 < above->x0);
}

/* A region without a gutter: rows from top to bottom, each from left to right. The tallest fragment of a row says
 * where it stands, so that a superscript belongs to its line. */
static void arrange_rows (Layout *layout, guint *items, guint n)
{
  PdfPage *page = layout->page;
  PdfBox above = { 0, 0, 0, 0 };
  for (guint i = 0; i < n;) {
    PdfBox tallest = PDF_LINE (page, items[i])->box, all = tallest;
    guint end = i + 1;
    for (; end < n; end++) {
      const PdfBox *box = &PDF_LINE (page, items[end])->box;
      if (!pdf_box_same_line (&tallest, box))
        break;
      pdf_box_unite (&all, box);
      if (box->y1 - box->y0 > tallest.y1 - tallest.y0 && box->y1 - box->y0 < 2 * (tallest.y1 - tallest.y0))
        tallest = *box;
    }
    layout->staggered += i > 0 && is_staggered (&above, &all);
    above = all;
    qsort_r (items + i, end - i, sizeof *items, compare_lefts, page);
    for (; i < end; i++) {
      PdfLine line = *PDF_LINE (page, items[i]);
      line.region = layout->region;
      line.row = layout->row;
      g_array_append_val (layout->arranged, line);
    }
    layout->row++;
  }
  layout->region++;
}

static void cut (Layout *layout, guint *items, guint n, guint depth);

static void cut_run (Layout *layout, const guint *items, guint n, float x, guint depth)
{
  g_autofree guint *side = g_new (guint, n);
  for (int right = 0; right < 2; right++) {
    guint length = 0;
    for (guint i = 0; i < n; i++) {
      const PdfBox *box = &PDF_LINE (layout->page, items[i])->box;
      if (((box->x0 + box->x1) / 2 > x) == right)
        side[length++] = items[i];
    }
    cut (layout, side, length, depth + 1);
  }
}

static void cut (Layout *layout, guint *items, guint n, guint depth)
{
  PdfGutter gutter;
  if (n == 0)
    return;
  if (depth >= MAX_DEPTH || !pdf_find_gutter (layout->page, items, n, layout->size, &gutter)) {
    arrange_rows (layout, items, n);
    return;
  }
  guint done = 0;
  for (guint r = 0; r < gutter.runs->len; r++) {
    const PdfRun *run = &g_array_index (gutter.runs, PdfRun, r);
    cut (layout, items + done, run->first - done, depth + 1);
    cut_run (layout, items + run->first, run->end - run->first, gutter.x, depth);
    done = run->end;
  }
  cut (layout, items + done, n - done, depth + 1);
  g_array_unref (gutter.runs);
}

/* ---- what is shown --------------------------------------------------------------------------------------- */

#define NEIGHBOURS 40u

/* How far up and down the words of a line reach that are no indices or exponents. */
static void find_body (const PdfPage *page, const PdfLine *line, float *top, float *bottom)
{
  *top = line->box.y1;
  *bottom = line->box.y0;
  for (guint i = line->first; i < line->first + line->n; i++) {
    const PdfWord *word = PDF_WORD (page, i);
    if (word->size > 0.9f * line->size) {
      *top = MIN (*top, word->box.y0);
      *bottom = MAX (*bottom, word->box.y1);
    }
  }
}

static gboolean holds_middle (const PdfBox *outer, const PdfBox *inner)
{
  float x = (inner->x0 + inner->x1) / 2, y = (inner->y0 + inner->y1) / 2;
  return x > outer->x0 && x < outer->x1 && y > outer->y0 && y < outer->y1;
}

/* A tall sign keeps clear of what stands at its foot or head: the limits of a sum, the lower half of a fraction. */
static void keep_clear (PdfWord *word, const PdfWord *other)
{
  float middle = (word->box.y0 + word->box.y1) / 2, other_middle = (other->box.y0 + other->box.y1) / 2;
  if (!holds_middle (&word->shown, &other->box) || fabsf (middle - other_middle) < 1)
    return;
  if (other_middle > middle)
    word->shown.y1 = (middle + other_middle) / 2;
  else
    word->shown.y0 = (middle + other_middle) / 2;
}

static void part_words (PdfPage *page, const PdfLine *line, const PdfLine *other)
{
  for (guint i = line->first; i < line->first + line->n; i++) {
    PdfWord *word = PDF_WORD (page, i);
    if (word->box.y1 < other->box.y0 || word->box.y0 > other->box.y1 || word->box.x1 < other->box.x0
        || word->box.x0 > other->box.x1)
      continue;
    for (guint j = other->first; j < other->first + other->n; j++) {
      keep_clear (word, PDF_WORD (page, j));
      keep_clear (PDF_WORD (page, j), word);
    }
  }
}

/* Rectangles of fonts that reach far up or down cover parts of the lines above and below. Where lines overlap, the border
 * between them is in the middle. items: all fragments, sorted by their middles. */
static void limit_heights (PdfPage *page, const guint *items, guint n)
{
  typedef struct {
    float body_top, body_bottom, top, bottom;
  } Reach;
  g_autofree Reach *reaches = g_new (Reach, n);
  for (guint i = 0; i < n; i++) {
    find_body (page, PDF_LINE (page, i), &reaches[i].body_top, &reaches[i].body_bottom);
    reaches[i].top = -1e9f;
    reaches[i].bottom = 1e9f;
  }
  for (guint i = 0; i < n; i++) {
    const PdfBox *box = &PDF_LINE (page, items[i])->box;
    Reach *line = &reaches[items[i]];
    float middle = (line->body_top + line->body_bottom) / 2, farthest = box->y1 + 2 * (box->y1 - box->y0);
    for (guint k = i + 1; k < MIN (n, i + NEIGHBOURS); k++) {
      const PdfBox *other = &PDF_LINE (page, items[k])->box;
      Reach *below = &reaches[items[k]];
      if ((other->y0 + other->y1) / 2 > farthest)
        break;
      float border = (line->body_bottom + below->body_top) / 2;
      if (below->body_top >= line->body_bottom || other->x0 >= box->x1 || box->x0 >= other->x1 || border <= middle
          || border >= (below->body_top + below->body_bottom) / 2)
        continue; /* apart, or one within the other, as in a formula */
      line->bottom = MIN (line->bottom, border);
      below->top = MAX (below->top, border);
    }
  }
  for (guint i = 0; i < n; i++) {
    const PdfLine *line = PDF_LINE (page, i);
    for (guint j = line->first; j < line->first + line->n; j++) {
      PdfWord *word = PDF_WORD (page, j);
      float middle = (word->box.y0 + word->box.y1) / 2;
      word->shown = word->box;
      if (reaches[i].top > word->box.y0 && reaches[i].top < middle)
        word->shown.y0 = reaches[i].top;
      if (reaches[i].bottom < word->box.y1 && reaches[i].bottom > middle)
        word->shown.y1 = reaches[i].bottom;
    }
  }
  for (guint i = 0; i < n; i++) {
    const PdfLine *line = PDF_LINE (page, items[i]);
    float farthest = line->box.y1 + 2 * (line->box.y1 - line->box.y0);
    for (guint k = i + 1; k < MIN (n, i + NEIGHBOURS); k++) {
      const PdfLine *other = PDF_LINE (page, items[k]);
      if ((other->box.y0 + other->box.y1) / 2 > farthest)
        break;
      if (other->box.y0 < line->box.y1 && other->box.x0 < line->box.x1 && line->box.x0 < other->box.x1)
        part_words (page, line, other);
    }
  }
}

void pdf_page_arrange (PdfPage *page)
{
  if (page->words->len == 0)
    return;
  find_fragments (page, PDF_WIDE_GAP);
  guint n = page->lines->len;
  g_autofree guint *items = g_new (guint, n);
  for (guint i = 0; i < n; i++)
    items[i] = i;
  qsort_r (items, n, sizeof *items, compare_middles, page);
  limit_heights (page, items, n);
  page->doubtful = n > MAX_FRAGMENTS;
  if (page->doubtful)
    return;
  Layout layout = { page, g_array_sized_new (FALSE, FALSE, sizeof (PdfLine), n), usual_size (page), 0, 0, 0 };
  for (guint first = 0, end; first < n; first = end) {
    end = first + 1;
    while (end < n && PDF_LINE (page, items[end])->turn == PDF_LINE (page, items[first])->turn)
      end++;
    cut (&layout, items + first, end - first, 0);
  }
  page->doubtful = layout.staggered >= 6 && 5 * layout.staggered > layout.row;
  g_array_unref (page->lines);
  page->lines = layout.arranged;
}
