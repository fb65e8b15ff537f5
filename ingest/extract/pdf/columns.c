#include "ingest/extract/pdf/columns.h"

#include <math.h>
#include <string.h>

#define BINS 512u
#define MAX_CANDIDATES 24u
#define MIN_GUTTER 0.8f       /* font sizes */
#define MIN_PROSE_GUTTER 0.4f /* in the middle of the page, where a line or two may stick out */
#define NARROW 2.5f           /* font sizes */
#define INDEX_ROWS 20u
#define HALF_ROWS 12u
#define SAME_HEIGHT 1.5f /* of fragments of one line, at most */

/* Lower edges nearer than this, in font sizes, are of the same baseline: of the same font, of others (that reach down
 * differently), of a monospaced and another one. */
#define BASELINE 0.05f
#define BASELINE_OTHER 0.15f
#define BASELINE_MONO 0.35f

/* One side of a run. */
typedef struct {
  float left, right;
  GArray *rows; /* of Row, top to bottom */
  guint words, fragments;
} Side;

typedef struct {
  float bottom, covered; /* covered: the width of its fragments */
  float left;
  float size;
  guint style;
} Row;

typedef struct {
  const PdfPage *page;
  const guint *items;
  guint n;
  float size;
  Side sides[2];
} Search;

static const PdfLine *item (const Search *search, guint i)
{
  return PDF_LINE (search->page, search->items[i]);
}

/* -1: across the gutter, 0: left of it, 1: right of it. */
static int side_of (const PdfBox *box, float x)
{
  if (box->x1 <= x + 0.5f)
    return 0;
  return box->x0 >= x - 0.5f ? 1 : -1;
}

static void fill_sides (Search *search, const PdfRun *run, float x)
{
  for (int s = 0; s < 2; s++) {
    g_array_set_size (search->sides[s].rows, 0);
    search->sides[s].left = 1e9f;
    search->sides[s].right = -1e9f;
    search->sides[s].words = search->sides[s].fragments = 0;
  }
  for (guint i = run->first; i < run->end; i++) {
    const PdfLine *line = item (search, i);
    Side *side = &search->sides[side_of (&line->box, x) == 1];
    side->left = MIN (side->left, line->box.x0);
    side->right = MAX (side->right, line->box.x1);
    side->words += line->n;
    side->fragments++;
    float width = line->box.x1 - line->box.x0;
    Row *last = side->rows->len ? &g_array_index (side->rows, Row, side->rows->len - 1) : NULL;
    if (last && fabsf (last->bottom - line->box.y1) < 0.4f * search->size) {
      last->covered += width;
      last->left = MIN (last->left, line->box.x0);
      continue;
    }
    Row row = { line->box.y1, width, line->box.x0, line->size, line->style & (PDF_BOLD | PDF_MONO) };
    g_array_append_val (side->rows, row);
  }
}

/* Whether most rows begin at one edge, the left one or that of hanging lines: what justified words happen to leave white
 * does not. */
static gboolean is_flush (const Side *side, float size)
{
  guint flush = 0, hanging = 0;
  float hang = -1;
  for (guint i = 0; i < side->rows->len; i++) {
    float left = g_array_index (side->rows, Row, i).left;
    if (left < side->left + 0.4f * size) {
      flush++;
      continue;
    }
    if (hang < 0)
      hang = left;
    hanging += fabsf (left - hang) < 0.2f * size;
  }
  return flush > 0 && 5 * (hanging > flush ? hanging + flush : flush) >= 3 * side->rows->len;
}

/* Running text: several words to a fragment, and most lines as wide as the column. */
static gboolean is_prose (const Side *side)
{
  float width = MAX (side->right - side->left, 1.0f);
  guint full = 0;
  for (guint i = 0; i < side->rows->len; i++)
    full += g_array_index (side->rows, Row, i).covered > 0.75f * width;
  return side->rows->len >= 3 && 2 * side->words >= 5 * side->fragments && 2 * full >= side->rows->len;
}

/* The share of the rows of the shorter side that have a row with the same baseline on the other. */
static float aligned_share (const Search *search)
{
  const GArray *left = search->sides[0].rows, *right = search->sides[1].rows;
  guint matches = 0;
  for (guint i = 0, j = 0; i < left->len && j < right->len;) {
    const Row *a = &g_array_index (left, Row, i), *b = &g_array_index (right, Row, j);
    float difference = a->bottom - b->bottom;
    gboolean same_font = a->style == b->style && fabsf (a->size - b->size) < 0.02f * a->size;
    float near = same_font ? BASELINE : (a->style ^ b->style) & PDF_MONO ? BASELINE_MONO : BASELINE_OTHER;
    if (fabsf (difference) < near * search->size) {
      matches++;
      i++;
      j++;
    } else if (difference < 0)
      i++;
    else
      j++;
  }
  return (float)matches / (float)MAX (MIN (left->len, right->len), 1u);
}

/* Short entries in columns of the same width, as in an index: many of them, and both sides flush left. */
static gboolean is_index (const Search *search)
{
  const Side *left = &search->sides[0], *right = &search->sides[1];
  if (MIN (left->rows->len, right->rows->len) < INDEX_ROWS
      || left->words + right->words < 2 * (left->fragments + right->fragments))
    return FALSE;
  float pitch = right->left - left->left, width = right->right - left->left;
  return width > 0.6f * search->page->width && fabsf (pitch - width / 2) < 0.08f * width
         && 4 * left->fragments < 7 * left->rows->len && 4 * right->fragments < 7 * right->rows->len;
}

/* Long sides left and right of the middle of the page, one of them as wide as a column of two: their lines may well stand
 * on one grid. */
static gboolean is_halved (const Search *search)
{
  const Side *left = &search->sides[0], *right = &search->sides[1];
  float page = search->page->width, pitch = right->left - left->left;
  float widest = MAX (left->right - left->left, right->right - right->left);
  float gutter = (left->right + right->left) / 2;
  return MIN (left->rows->len, right->rows->len) >= HALF_ROWS && fabsf (gutter - page / 2) < 0.06f * page
         && pitch > 0.25f * page && fabsf (widest - pitch) < 0.06f * page;
}

/* Whether the run holds columns of text rather than cells of a table or something that only happens to leave a gap. */
static gboolean separates (Search *search, const PdfRun *run, float x)
{
  if (run->end - run->first < 5)
    return FALSE;
  fill_sides (search, run, x);
  const Side *left = &search->sides[0], *right = &search->sides[1];
  guint fewer = MIN (left->rows->len, right->rows->len);
  float gap = (right->left - left->right) / search->size;
  if (fewer < 2 || gap < MIN_PROSE_GUTTER)
    return FALSE;
  const Row *l0 = &g_array_index (left->rows, Row, 0), *l1 = &g_array_index (left->rows, Row, left->rows->len - 1);
  const Row *r0 = &g_array_index (right->rows, Row, 0), *r1 = &g_array_index (right->rows, Row, right->rows->len - 1);
  if (MIN (l1->bottom, r1->bottom) - MAX (l0->bottom, r0->bottom) < search->size)
    return FALSE;
  gboolean left_prose = is_prose (left), right_prose = is_prose (right);
  if ((left_prose || right_prose) && is_halved (search))
    return TRUE;
  if (gap < MIN_GUTTER)
    return FALSE;
  if (left_prose && right_prose)
    return is_flush (right, search->size);
  float aligned = aligned_share (search);
  gboolean wordy = fewer >= 8 && 2 * (left->words + right->words) >= 5 * (left->rows->len + right->rows->len);
  if (aligned < (left_prose || right_prose || wordy ? 0.5f : 0))
    return TRUE;
  return is_index (search);
}

/* A heading below the columns that is too short to cross the gutter belongs to what follows. */
static guint without_heading (const Search *search, guint first, guint end, float x)
{
  for (guint back = 3; back >= 1; back--) {
    if (end < first + back + 4)
      continue;
    guint at = end - back;
    const PdfLine *heading = item (search, at);
    if (!(heading->style & PDF_BOLD) && heading->size < 1.08f * search->size)
      continue;
    gboolean one_side = TRUE;
    for (guint i = at + 1; i < end; i++)
      one_side &= side_of (&item (search, i)->box, x) == side_of (&heading->box, x);
    float bottom = -1e9f;
    for (guint i = first; i < at; i++)
      bottom = MAX (bottom, item (search, i)->box.y1);
    if (one_side && heading->box.y0 - bottom > 0.3f * search->size)
      return at;
  }
  return end;
}

static gboolean is_of_line (const PdfBox *across, const PdfBox *box)
{
  float height = across->y1 - across->y0, own = box->y1 - box->y0;
  return height < SAME_HEIGHT * own && own < SAME_HEIGHT * height && pdf_box_same_line (across, box);
}

/* The row of print of fragment `at`, which crosses the gutter: if there is more of it on both sides, it is the row of a
 * table and is not torn. Otherwise it is that fragment alone, which may only be a long line of one column. */
static PdfRun row_across (const Search *search, guint first, guint at, float x)
{
  const PdfBox *across = &item (search, at)->box;
  PdfRun row = { at, at + 1 };
  while (row.first > first && is_of_line (across, &item (search, row.first - 1)->box))
    row.first--;
  while (row.end < search->n && is_of_line (across, &item (search, row.end)->box))
    row.end++;
  gboolean sides[2] = { FALSE, FALSE };
  for (guint i = row.first; i < row.end; i++)
    if (side_of (&item (search, i)->box, x) >= 0)
      sides[side_of (&item (search, i)->box, x)] = TRUE;
  return sides[0] && sides[1] ? row : (PdfRun){ at, at + 1 };
}

/* Appends the runs beside the gutter at x that separate columns. Returns how many fragments they hold. */
static guint find_runs (Search *search, float x, GArray *runs)
{
  guint held = 0;
  for (guint i = 0; i < search->n;) {
    PdfRun run = { i, i };
    while (run.end < search->n && side_of (&item (search, run.end)->box, x) >= 0)
      run.end++;
    i = run.end + 1;
    if (run.end < search->n) {
      PdfRun across = row_across (search, run.first, run.end, x);
      i = across.end;
      run.end = across.first;
      run.end = without_heading (search, run.first, run.end, x);
    }
    if (separates (search, &run, x)) {
      g_array_append_val (runs, run);
      held += run.end - run.first;
    }
  }
  return held;
}

/* Where fewer fragments stand than left and right of it. Fragments narrower than `narrow` are not counted: a page number
 * in the gutter would split it in two. Returns how many places. */
static guint find_candidates (const Search *search, float narrow, float *places)
{
  float left = 1e9f, right = -1e9f;
  for (guint i = 0; i < search->n; i++) {
    left = MIN (left, item (search, i)->box.x0);
    right = MAX (right, item (search, i)->box.x1);
  }
  float width = MAX (right - left, 1.0f) / BINS;
  int change[BINS + 2] = { 0 };
  for (guint i = 0; i < search->n; i++) {
    const PdfBox *box = &item (search, i)->box;
    if (box->x1 - box->x0 < narrow)
      continue;
    change[CLAMP ((int)((box->x0 - left) / width), 0, (int)BINS)]++;
    change[CLAMP ((int)ceilf ((box->x1 - left) / width), 0, (int)BINS)]--;
  }
  guint n = 0;
  int cover = 0, best_cover[MAX_CANDIDATES];
  gboolean falling = FALSE;
  for (guint b = 0, start = 0; b < BINS; b++) {
    if (b > 0 && change[b] > 0 && falling && (float)(b - start) * width > 0.25f * search->size) {
      /* The plateau [start, b) lies lower than both its neighbours. The lowest ones are kept. */
      guint at = n < MAX_CANDIDATES ? n++ : MAX_CANDIDATES;
      if (at == MAX_CANDIDATES)
        for (guint c = 0; c < n; c++)
          if (best_cover[c] > cover && (at == MAX_CANDIDATES || best_cover[c] > best_cover[at]))
            at = c;
      if (at < MAX_CANDIDATES) {
        best_cover[at] = cover;
        places[at] = left + (float)(start + b) / 2 * width;
      }
    }
    if (change[b] != 0) {
      falling = change[b] < 0;
      start = b;
    }
    cover += change[b];
  }
  return n;
}

gboolean pdf_find_gutter (const PdfPage *page, const guint *items, guint n, float size, PdfGutter *gutter)
{
  if (n < 6)
    return FALSE;
  Search search = { .page = page, .items = items, .n = n, .size = size };
  float places[2 * MAX_CANDIDATES];
  guint n_places = find_candidates (&search, 0, places), best = 0;
  if (n >= 12)
    n_places += find_candidates (&search, NARROW * size, places + n_places);
  for (int s = 0; s < 2; s++)
    search.sides[s].rows = g_array_new (FALSE, FALSE, sizeof (Row));
  GArray *runs = g_array_new (FALSE, FALSE, sizeof (PdfRun));
  gutter->runs = NULL;
  for (guint i = 0; i < n_places; i++) {
    g_array_set_size (runs, 0);
    guint held = find_runs (&search, places[i], runs);
    if (held > best) {
      best = held;
      gutter->x = places[i];
      if (gutter->runs)
        g_array_unref (gutter->runs);
      gutter->runs = runs;
      runs = g_array_new (FALSE, FALSE, sizeof (PdfRun));
    }
  }
  g_array_unref (runs);
  for (int s = 0; s < 2; s++)
    g_array_unref (search.sides[s].rows);
  return gutter->runs != NULL;
}
