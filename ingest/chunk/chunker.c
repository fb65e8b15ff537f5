/* chunker.c: blocks to sections and chunks.
 *
 * A chunk has MIN_TOKENS to MAX_TOKENS tokens where the text allows it. It never reaches over a heading of the top level
 * (a single heading that stands before all others is the document's title and does not count as a level), and it is
 * made of whole pieces (pieces.h), each of which is in exactly one chunk.
 *
 * Between two top-level headings the cuts are the cheapest possible, found by dynamic programming over the pieces: a cut
 * costs by what it separates (cut_cost), a chunk by how far it falls short of MIN_TOKENS. That one rule keeps lists, code
 * and tables together where they fit, lets small sibling sub-sections share a chunk, and leaves no tiny last chunk. A
 * window holds at most MAX_TOKENS pieces, so the time is linear. */
#include "ingest/chunk/chunk-writer.h"
#include "ingest/chunk/pieces.h"

#define MIN_TOKENS 200
#define MAX_TOKENS 300

/* Costs are in units of "a chunk of no length": falling short of MIN_TOKENS by half costs a quarter of SHORT_COST. */
#define SHORT_COST 4.0
static const double cut_cost[] = {
  [LECTERN_CUT_HEADING] = -1.0, [LECTERN_CUT_BLOCK] = 0.2, [LECTERN_CUT_ROW] = 1.2,
  [LECTERN_CUT_ITEM] = 1.2,     [LECTERN_CUT_LINE] = 1.5,  [LECTERN_CUT_SENTENCE] = 0.7,
  [LECTERN_CUT_INTRO] = 2.0,    [LECTERN_CUT_WORD] = 4.0,  [LECTERN_CUT_FORBIDDEN] = 50.0,
};
G_STATIC_ASSERT (G_N_ELEMENTS (cut_cost) == LECTERN_N_CUTS);

#define MAX_LEVEL 6

static int clamp_level (int level)
{
  return CLAMP (level, 1, MAX_LEVEL);
}

/* The level whose headings no chunk reaches over; MAX_LEVEL + 1 without headings. */
static int find_top_level (const GPtrArray *blocks)
{
  guint count[MAX_LEVEL + 2] = { 0 };
  int first = 0;
  for (guint i = 0; i < blocks->len; i++) {
    const LecternBlock *block = g_ptr_array_index (blocks, i);
    if (block->kind != LECTERN_BLOCK_HEADING)
      continue;
    if (first == 0)
      first = clamp_level (block->level);
    count[clamp_level (block->level)]++;
  }
  int top = 1;
  while (top <= MAX_LEVEL && count[top] == 0)
    top++;
  if (top <= MAX_LEVEL && count[top] == 1 && first == top) {
    int below = top + 1;
    while (below <= MAX_LEVEL && count[below] == 0)
      below++;
    if (below <= MAX_LEVEL)
      return below;
  }
  return top;
}

/* Appends the sections and returns the section of each block. */
static int *add_sections (const GPtrArray *blocks, GPtrArray *sections)
{
  int *section_of = g_new (int, MAX (blocks->len, 1));
  int open[MAX_LEVEL + 1]; /* the section in work at each level, -1 for none */
  for (int level = 0; level <= MAX_LEVEL; level++)
    open[level] = -1;
  int current = -1;
  for (guint i = 0; i < blocks->len; i++) {
    const LecternBlock *block = g_ptr_array_index (blocks, i);
    if (block->kind == LECTERN_BLOCK_HEADING) {
      int level = clamp_level (block->level);
      LecternSection *section = g_new0 (LecternSection, 1);
      section->level = level;
      section->parent = -1;
      for (int above = level - 1; above >= 1 && section->parent < 0; above--)
        section->parent = open[above];
      section->page = block->page;
      section->title = g_strdup (block->text);
      g_ptr_array_add (sections, section);
      current = (int)sections->len - 1;
      open[level] = current;
      for (int below = level + 1; below <= MAX_LEVEL; below++)
        open[below] = -1;
    }
    section_of[i] = current;
  }
  return section_of;
}

static double chunk_cost (guint n_tokens)
{
  if (n_tokens >= MIN_TOKENS)
    return 0;
  double missing = (double)(MIN_TOKENS - n_tokens) / MIN_TOKENS;
  return SHORT_COST * missing * missing;
}

/* Chooses the cuts of a run of pieces and writes its chunks. */
static void write_run (LecternChunkWriter *writer, const LecternPiece *pieces, guint n, GArray *scratch)
{
  typedef struct {
    double cost;
    guint from; /* the chunk that ends here begins there */
  } Best;
  g_array_set_size (scratch, 0);
  g_array_set_size (scratch, (n + 1) * sizeof (Best));
  Best *best = (Best *)(void *)scratch->data;
  best[0] = (Best){ 0, 0 };
  for (guint end = 1; end <= n; end++) {
    best[end] = (Best){ G_MAXDOUBLE, end - 1 };
    guint tokens = 0;
    for (guint from = end; from-- > 0;) {
      tokens += pieces[from].n_tokens;
      guint with_header = tokens + pieces[from].header_tokens;
      if (tokens > MAX_TOKENS && from + 1 < end)
        break;
      if (with_header > MAX_TOKENS && from + 1 < end)
        continue;
      double cost = best[from].cost + chunk_cost (with_header) + (from > 0 ? cut_cost[pieces[from].cut] : 0);
      /* Of equals the longer chunk wins, for fewer of them. */
      if (cost <= best[end].cost)
        best[end] = (Best){ cost, from };
    }
  }
  /* Turn the chain of predecessors round, then write. */
  guint next = n;
  for (guint at = n; at > 0;) {
    guint from = best[at].from;
    best[at].from = next;
    next = at;
    at = from;
  }
  for (guint from = 0, end = next; from < n;) {
    lectern_chunk_writer_write (writer, pieces + from, end - from);
    from = end;
    end = from < n ? best[from].from : n;
  }
}

void lectern_chunk_blocks (const GPtrArray *blocks, const char *language, LecternDraft *draft)
{
  g_return_if_fail (blocks != NULL && draft != NULL);
  g_autofree int *section_of = add_sections (blocks, draft->sections);
  g_autoptr (GArray) pieces = g_array_new (FALSE, FALSE, sizeof (LecternPiece));
  lectern_pieces_cut (blocks, section_of, language, pieces);

  int top = find_top_level (blocks);
  g_autoptr (GArray) scratch = g_array_new (FALSE, FALSE, 1);
  LecternChunkWriter writer = { .blocks = blocks, .sections = draft->sections, .chunks = draft->chunks };
  const LecternPiece *all = (const LecternPiece *)(void *)pieces->data;
  guint start = 0;
  gboolean has_body = FALSE;
  int last_level = 0;
  for (guint i = 0; i < pieces->len; i++) {
    if (!all[i].heading) {
      has_body = TRUE;
      continue;
    }
    const LecternBlock *block = g_ptr_array_index (blocks, all[i].block);
    int level = clamp_level (block->level);
    /* A heading that is followed at once by a deeper one opens the same run. */
    gboolean continues = !has_body && level > last_level;
    if (level <= top && i > start && !continues && all[i].start == 0) {
      write_run (&writer, all + start, i - start, scratch);
      start = i;
      has_body = FALSE;
    }
    last_level = level;
  }
  if (start < pieces->len)
    write_run (&writer, all + start, pieces->len - start, scratch);
}
