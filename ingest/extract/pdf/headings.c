/* headings.c: which lines of print are headings, and how deep. Lines of one look that stand together are a group; what
 * the groups of a look have in common over the whole document (do they stand apart, are they short, is running text set in
 * it?) is counted first. Then each group is weighed: number, size, weight, white space, length, punctuation. The outline,
 * where there is one, comes before all that. */
#include "ingest/extract/pdf/print.h"

#include <math.h>
#include <string.h>

#define MAX_HEADING_LINES 4u
#define MAX_HEADING_WORDS 32u
#define THRESHOLD 3.0f
#define WHITE_STEPS 160 /* of a quarter of a point, from -10 points */
#define MAX_DEPTH 6

/* Lines of the same font, size and colour, over the whole document. */
typedef struct {
  float size;
  gboolean bold;
  guint lines, chars;
  guint running;               /* lines in groups of more than MAX_HEADING_LINES */
  guint groups, apart;         /* groups; those that stand apart as a title does */
  guint depths[MAX_DEPTH + 1]; /* its headings, by the depth of their numbers */
  guint headings;
  int level;
} Look;

typedef struct {
  guint page, first, n; /* lines */
  Look *look;
  int depth; /* of its number; 0: none */
  float score;
} Group;

typedef struct {
  const PdfDocument *document;
  const GPtrArray *prints;
  GHashTable *looks; /* of Look */
  GArray *groups;    /* of Group */
  guint64 chars;
  float white; /* usual between two lines of a paragraph, points */
} Headings;

static const GArray *page_prints (const Headings *headings, guint page)
{
  return headings->prints->pdata[page];
}

static const PdfPage *get_page (const Headings *headings, guint page)
{
  return headings->document->pages->pdata[page];
}

/* ---- white space ----------------------------------------------------------------------------------------- */

static gboolean is_below (const PdfPrint *print, const PdfPrint *above)
{
  return above->kind != PDF_PRINT_TABLE && print->box.y1 > above->box.y1 + 1 && print->box.x0 < above->box.x1
         && above->box.x0 < print->box.x1;
}

static float measure_white (const Headings *headings)
{
  guint counts[WHITE_STEPS] = { 0 }, best = 40;
  for (guint p = 0; p < headings->prints->len; p++) {
    const GArray *prints = page_prints (headings, p);
    for (guint i = 1; i < prints->len; i++) {
      const PdfPrint *print = PDF_PRINT (prints, i), *above = print - 1;
      if (print->kind == PDF_PRINT_BODY && is_below (print, above) && print->words > 3
          && fabsf (print->size - headings->document->body_size) < 0.6f
          && fabsf (above->size - headings->document->body_size) < 0.6f)
        counts[(guint)CLAMP ((print->box.y0 - above->box.y1 + 10) * 4, 0, WHITE_STEPS - 1)] += print->chars;
    }
  }
  for (guint i = 0; i < WHITE_STEPS; i++)
    if (counts[i] > counts[best])
      best = i;
  float body = headings->document->body_size;
  return CLAMP ((float)best / 4 - 10, -0.25f * body, 0.9f * body);
}

/* White space above a line beyond the usual, in sizes of the body; a new column or page: 1. */
static float white_above (const Headings *headings, const GArray *prints, guint at)
{
  const PdfPrint *print = PDF_PRINT (prints, at);
  if (at == 0 || !is_below (print, print - 1))
    return 1;
  return (print->box.y0 - print[-1].box.y1 - headings->white) / headings->document->body_size;
}

static float white_below (const Headings *headings, const GArray *prints, guint at)
{
  return at + 1 < prints->len ? white_above (headings, prints, at + 1) : 1;
}

/* ---- groups ---------------------------------------------------------------------------------------------- */

static gpointer look_key (const PdfPrint *print)
{
  guint size = (guint)CLAMP (lrintf (print->size * 2), 0, 400);
  return GUINT_TO_POINTER ((print->look * 1024u + size * 2u + ((print->style & PDF_BOLD) != 0)) | 1u << 31);
}

static Look *get_look (Headings *headings, const PdfPrint *print)
{
  Look *look = g_hash_table_lookup (headings->looks, look_key (print));
  if (!look) {
    look = g_new0 (Look, 1);
    look->size = print->size;
    look->bold = (print->style & PDF_BOLD) != 0;
    g_hash_table_insert (headings->looks, look_key (print), look);
  }
  return look;
}

static int depth_of (const Headings *headings, guint page, const PdfPrint *print)
{
  g_autofree char *text = pdf_print_text (get_page (headings, page), print);
  return pdf_numbering_depth (text);
}

/* Whether the line above this one has no room for its first word, or both are centred. */
static gboolean is_full (const PdfPage *page, const GArray *prints, const PdfPrint *print)
{
  const PdfPrint *above = print - 1;
  guint at = (guint)(print - PDF_PRINT (prints, 0));
  float right = MAX (above->box.x1, print->box.x1),
        middle = above->box.x0 + above->box.x1 - print->box.x0 - print->box.x1;
  for (guint i = at > 12 ? at - 12 : 0; i < MIN (at + 12, prints->len); i++) {
    const PdfPrint *other = PDF_PRINT (prints, i);
    if (other->kind == PDF_PRINT_BODY && other->box.x0 < print->box.x1 && print->box.x0 < other->box.x1)
      right = MAX (right, other->box.x1);
  }
  const PdfBox *word = &pdf_print_first_word (page, print)->box;
  return above->box.x1 + word->x1 - word->x0 + 2.5f * print->size > right
         || (fabsf (middle) < 4 && fabsf (above->box.x0 - print->box.x0) > 2);
}

static gboolean same_group (const Headings *headings, guint page, const PdfPrint *print, const PdfPrint *above)
{
  const GArray *prints = page_prints (headings, page);
  gboolean numbered = depth_of (headings, page, above) > 0, hanging = print->box.x0 > above->box.x0 + print->size;
  if (numbered && !hanging && (above->style & PDF_BOLD || above->size > 1.09f * headings->document->body_size)
      && !is_full (get_page (headings, page), prints, print))
    return FALSE;
  float leading = headings->white + 0.35f * headings->document->body_size + 0.15f * print->size;
  return print->kind == PDF_PRINT_BODY && !print->contents && is_below (print, above)
         && fabsf (print->size - above->size) < 0.07f * print->size
         && (print->style & PDF_BOLD) == (above->style & PDF_BOLD)
         && (print->look == above->look || pdf_print_is_bold (get_page (headings, page), print))
         && print->box.y0 - above->box.y1 < leading && depth_of (headings, page, print) == 0;
}

static void collect_groups (Headings *headings)
{
  for (guint p = 0; p < headings->prints->len; p++) {
    const GArray *prints = page_prints (headings, p);
    for (guint i = 0, end; i < prints->len; i = end) {
      const PdfPrint *print = PDF_PRINT (prints, i);
      end = i + 1;
      /* An index may look like a table of contents; its letters are headings all the same. */
      gboolean letter = print->chars == 1 && print->style & PDF_BOLD;
      if (print->kind != PDF_PRINT_BODY || (print->contents && !letter) || print->n == 0)
        continue;
      /* A stamp in the margin or a watermark, however large, heads nothing. */
      const PdfPage *page = get_page (headings, p);
      if (PDF_LINE (page, print->first)->turn != page->turn)
        continue;
      while (end < prints->len && same_group (headings, p, PDF_PRINT (prints, end), PDF_PRINT (prints, end - 1)))
        end++;
      Group group = { p, i, end - i, get_look (headings, print), depth_of (headings, p, print), 0 };
      group.look->lines += group.n;
      group.look->running += group.n > MAX_HEADING_LINES ? group.n : 0;
      group.look->groups++;
      group.look->apart += group.n <= MAX_HEADING_LINES && white_above (headings, prints, i) > 0.25f
                           && !pdf_print_begins_lower (get_page (headings, p), print);
      for (guint j = i; j < end; j++)
        group.look->chars += PDF_PRINT (prints, j)->chars;
      headings->chars += group.look->chars > 0 && !(print->style & PDF_MONO) ? print->chars * group.n : 0;
      g_array_append_val (headings->groups, group);
    }
  }
}

static char *group_text (const Headings *headings, const Group *group)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < MIN (group->n, MAX_HEADING_LINES); i++) {
    g_autofree char *line = pdf_print_text (get_page (headings, group->page),
                                            PDF_PRINT (page_prints (headings, group->page), group->first + i));
    g_string_append_printf (text, i ? " %s" : "%s", line);
  }
  return g_string_free (text, FALSE);
}

/* ---- weighing -------------------------------------------------------------------------------------------- */

static gboolean mostly_letters (const char *text)
{
  guint letters = 0, others = 0, blanks = 0;
  for (const char *p = text; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    letters += g_unichar_isalpha (c);
    blanks += c == ' ';
    others += !g_unichar_isalpha (c) && c != ' ';
  }
  return letters >= 2 && letters * 2 > others && 5 * blanks < 2 * (letters + others);
}

/* What only stands out in bold: the letters of an index, the versions of a history of changes. */
static gboolean is_label (const char *text)
{
  if (g_unichar_isupper (g_utf8_get_char (text)) && !*g_utf8_next_char (text))
    return TRUE;
  guint letters = 0, digits = 0;
  for (const char *p = text; *p; p++) {
    letters += (guint)g_ascii_isalpha (*p);
    digits += (guint)g_ascii_isdigit (*p);
  }
  return letters > 0 && digits > 1 && 2 * (letters + digits) > strlen (text);
}

static gboolean is_capitals (const char *text)
{
  guint upper = 0;
  for (const char *p = text; *p; p = g_utf8_next_char (p)) {
    if (g_unichar_islower (g_utf8_get_char (p)))
      return FALSE;
    upper += g_unichar_isupper (g_utf8_get_char (p));
  }
  return upper > 3;
}

static gboolean is_running (const Headings *headings, const Look *look)
{
  return (look->running * 2 > look->lines && look->lines > 8) || look->chars * 8 > headings->chars;
}

static float weigh_end (const char *text)
{
  gsize n = strlen (text);
  if (n == 0)
    return 0;
  if (strchr (",;", text[n - 1]))
    return -2.5f;
  if (text[n - 1] == '.')
    return -1.5f;
  return text[n - 1] == ':' ? -1 : 0;
}

static float weigh (const Headings *headings, const Group *group, const char *text)
{
  const GArray *prints = page_prints (headings, group->page);
  const PdfPage *page = get_page (headings, group->page);
  const PdfPrint *print = PDF_PRINT (prints, group->first);
  const Look *look = group->look;
  const float body = headings->document->body_size;
  guint words = 0, bold_lines = 0, mono_lines = 0;
  for (guint i = 0; i < group->n; i++) {
    words += print[i].words;
    bold_lines += pdf_print_is_bold (page, &print[i]);
    mono_lines += (print[i].style & PDF_MONO) != 0;
  }
  gboolean numbered_bold = group->depth > 0 && pdf_print_first_word (page, print)->style & PDF_BOLD;
  if (group->n > MAX_HEADING_LINES || words > MAX_HEADING_WORDS
      || pdf_is_caption (text, print->size < body * 0.97f || bold_lines > 0)
      || !((mostly_letters (text) || (group->depth && *text != ' ' && !mono_lines))
           || (bold_lines == group->n && is_label (text)))
      || (mono_lines == group->n && !numbered_bold))
    return 0;
  gsize mark = pdf_list_mark (text);
  if (mark > 0 && !g_ascii_isdigit (*text) && !group->depth)
    return 0;

  float above = white_above (headings, prints, group->first);
  float below = white_below (headings, prints, group->first + group->n - 1);
  gboolean running = is_running (headings, look);
  float score = weigh_end (text);
  if (group->depth)
    score += group->depth == 1 ? (mark ? 0.5f : 1) : 2;
  gboolean larger = print->size > body * 1.09f, bold = bold_lines == group->n || numbered_bold;
  if (print->size > body * 1.25f)
    score += 3;
  else if (larger)
    score += 2;
  else if (print->size < body * 0.93f)
    score -= bold ? (group->depth ? 0.5f : 1.5f) : 2;
  if (bold)
    score += 2;
  if (running) /* only white space on both sides tells a numbered title from text */
    score -= group->depth > 1 && group->n == 1 && above > 0.4f && below > 0.4f ? 1 : 2.5f;
  else if (!bold && !larger)
    score += 0.5f;
  score += above > 0.25f ? 1 : above < 0.12f ? -2 : 0;
  score += below > 0.15f ? 0.5f : below < -0.3f ? -1 : 0;
  float right = pdf_print_column_right (prints, group->first + group->n - 1);
  score += print[group->n - 1].box.x1 < right - 0.15f * (right - print->box.x0) ? 0.5f : words > 10 ? -0.5f : 0;
  if (words > 14)
    score -= 1;
  if (words > 22)
    score -= 1;
  if (pdf_print_begins_lower (page, print))
    score -= 2;
  if (*text == '\\' && !group->depth) /* a command is described */
    score -= 1.5f;
  if (is_capitals (text))
    score += 1;
  if (look->groups >= 3)
    score += look->apart * 10 > look->groups * 8 && !running ? 1 : look->apart * 10 < look->groups * 4 ? -1 : 0;
  return score;
}

/* ---- the outline ----------------------------------------------------------------------------------------- */

static const PdfOutlineEntry *find_outline (const PdfDocument *document, const char *text, int page)
{
  if (document->outline->len == 0)
    return NULL;
  g_autofree char *key = pdf_text_key (text);
  gsize length = strlen (key);
  /* Entries are sorted by page. */
  guint low = 0, high = document->outline->len;
  while (low < high) {
    guint middle = (low + high) / 2;
    if (g_array_index (document->outline, PdfOutlineEntry, middle).page < page)
      low = middle + 1;
    else
      high = middle;
  }
  for (guint i = low; length >= 2 && i < document->outline->len; i++) {
    const PdfOutlineEntry *entry = &g_array_index (document->outline, PdfOutlineEntry, i);
    if (entry->page != page)
      break;
    gsize entry_length = strlen (entry->key);
    /* The print may have a number before the title that the outline lacks, or the other way round. */
    if ((length >= entry_length && length - entry_length <= 10 && entry_length >= 3
         && g_str_has_suffix (key, entry->key))
        || (entry_length > length && entry_length - length <= 10 && length >= 3 && g_str_has_suffix (entry->key, key)))
      return entry;
  }
  return NULL;
}

/* ---- levels ---------------------------------------------------------------------------------------------- */

static int compare_looks (gconstpointer a, gconstpointer b)
{
  const Look *left = *(Look *const *)a, *right = *(Look *const *)b;
  if (left->size < right->size || left->size > right->size)
    return left->size > right->size ? -1 : 1;
  return (int)right->bold - (int)left->bold;
}

static gboolean is_like (const Look *a, const Look *b)
{
  return fabsf (a->size - b->size) < 0.04f * MAX (a->size, b->size) && a->bold == b->bold;
}

/* Numbers tell the level of a look; of the others, it is their place in the order of sizes. */
static void rank_looks (const Headings *headings)
{
  g_autoptr (GPtrArray) looks = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, headings->looks);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((Look *)value)->headings)
      g_ptr_array_add (looks, value);
  g_ptr_array_sort (looks, compare_looks);
  int above = 0; /* the deepest level of the larger looks */
  for (guint i = 0; i < looks->len; i++) {
    Look *look = looks->pdata[i];
    int depth = 0;
    for (int d = 1; d <= MAX_DEPTH; d++)
      if (look->depths[d] > look->depths[depth] || (depth == 0 && look->depths[d]))
        depth = d;
    gboolean like_above = i > 0 && is_like (look, looks->pdata[i - 1]);
    if (depth && 3 * look->depths[depth] >= look->headings)
      look->level = depth;
    else
      look->level = CLAMP (like_above ? above : above + 1, 1, MAX_DEPTH);
    above = MAX (above, look->level);
  }
}

/* ---- all together ---------------------------------------------------------------------------------------- */

/* Names and dates below the title of the document are large, too: lines without a number that are smaller than the title
 * and not bold, until the text begins. */
static gboolean is_title_matter (const Headings *headings, const Group *group, float *largest, guint *title_page)
{
  const PdfPrint *print = PDF_PRINT (page_prints (headings, group->page), group->first);
  if (group->page != *title_page)
    return FALSE;
  if (group->n > 2 && is_running (headings, group->look)) {
    *title_page = G_MAXUINT;
    return FALSE;
  }
  gboolean matter
      = print->size < *largest * 0.95f && !group->depth && !pdf_print_is_bold (get_page (headings, group->page), print);
  *largest = MAX (*largest, print->size);
  return matter;
}

static void decide (Headings *headings)
{
  float largest = 0;
  guint title_page = 0;
  for (guint g = 0; g < headings->groups->len; g++) {
    Group *group = &g_array_index (headings->groups, Group, g);
    gboolean matter = is_title_matter (headings, group, &largest, &title_page);
    g_autofree char *text = group_text (headings, group);
    group->score = matter ? 0 : weigh (headings, group, text);
    if (group->score < THRESHOLD)
      continue;
    group->look->headings++;
    group->look->depths[group->depth]++;
  }
}

static void mark (const Headings *headings, const Group *group)
{
  const GArray *prints = page_prints (headings, group->page);
  const PdfPage *page = get_page (headings, group->page);
  g_autofree char *text = group_text (headings, group);
  const PdfOutlineEntry *entry
      = group->n <= MAX_HEADING_LINES ? find_outline (headings->document, text, page->number) : NULL;
  int level = 0;
  if (entry && (group->score > 0.5f || (white_above (headings, prints, group->first) > 0.2f && group->n <= 2)))
    level = MIN (entry->level, MAX_DEPTH);
  else if (group->score >= THRESHOLD)
    level = group->depth > 1 || (group->depth && !g_ascii_isupper (*text)) ? MIN (group->depth, MAX_DEPTH)
                                                                           : group->look->level;
  for (guint i = 0; level && i < group->n; i++) {
    PDF_PRINT (prints, group->first + i)->level = level;
    PDF_PRINT (prints, group->first + i)->goes_on = i > 0;
  }
}

void pdf_mark_headings (const PdfDocument *document, const GPtrArray *prints)
{
  Headings headings = { .document = document, .prints = prints };
  headings.looks = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  headings.groups = g_array_new (FALSE, FALSE, sizeof (Group));
  headings.white = measure_white (&headings);
  collect_groups (&headings);
  decide (&headings);
  rank_looks (&headings);
  for (guint g = 0; g < headings.groups->len; g++)
    mark (&headings, &g_array_index (headings.groups, Group, g));
  g_array_unref (headings.groups);
  g_hash_table_unref (headings.looks);
}
