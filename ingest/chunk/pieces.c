#include "ingest/chunk/pieces.h"

#include <string.h>

/* Header rows are repeated only while they are short against the rows below them. */
#define MAX_HEADER_TOKENS 80
/* A paragraph that ends with a colon introduces what follows if it is at most this long. */
#define MAX_INTRO_TOKENS 80
/* A run without white space is looked at in parts of this many bytes, so that the time stays linear. */
#define MAX_WORD_BYTES 2048

typedef struct {
  const GPtrArray *blocks;
  const char *language;
  GArray *pieces;
  GArray *ranges;                             /* scratch, of LecternRange */
  guint table_first, n_header, header_tokens; /* the table in work */
  gboolean in_body;                           /* a body row of it has been seen */
} Cutter;

static gboolean is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static guint count_tokens (const char *text, gsize length)
{
  return MAX (lectern_count_tokens (text, (gssize)length), 1);
}

static void add_piece (Cutter *cutter, const LecternPiece *model, guint32 start, guint32 end, guint n_tokens,
                       LecternCut cut)
{
  LecternPiece piece = *model;
  piece.start = start;
  piece.end = end;
  piece.n_tokens = n_tokens;
  piece.cut = cut;
  g_array_append_val (cutter->pieces, piece);
}

/* The end of the part of a too long word that begins at `start`: about `bytes` on, at a character boundary. */
static guint32 character_boundary (const char *text, guint32 start, guint32 end, gsize bytes)
{
  if (bytes >= end - start)
    return end;
  guint32 at = start + (guint32)MAX (bytes, 1);
  while (at < end && ((guchar)text[at] & 0xC0) == 0x80)
    at++;
  return at;
}

/* Cuts [start, end) at white space into pieces of at most LECTERN_PIECE_MAX_TOKENS. */
static void add_long (Cutter *cutter, const LecternPiece *model, const char *text, guint32 start, guint32 end,
                      LecternCut first_cut)
{
  LecternCut cut = first_cut;
  guint32 from = start, at = start;
  guint tokens = 0;
  while (at < end) {
    guint32 word_end = at;
    while (word_end < end && is_space (text[word_end]))
      word_end++;
    guint32 word_limit = character_boundary (text, word_end, end, MAX_WORD_BYTES);
    while (word_end < word_limit && !is_space (text[word_end]))
      word_end++;
    guint word_tokens = count_tokens (text + at, word_end - at);
    if (word_tokens > LECTERN_PIECE_MAX_TOKENS) {
      gsize bytes = (gsize)(word_end - at) * LECTERN_PIECE_MAX_TOKENS / word_tokens;
      word_end = character_boundary (text, at, word_end, bytes);
      word_tokens = LECTERN_PIECE_MAX_TOKENS;
    }
    if (at > from && tokens + word_tokens > LECTERN_PIECE_MAX_TOKENS) {
      add_piece (cutter, model, from, at, tokens, cut);
      cut = LECTERN_CUT_WORD;
      while (at < end && is_space (text[at]))
        at++;
      from = at;
      tokens = 0;
      if (at >= word_end)
        continue;
    }
    tokens += word_tokens;
    at = word_end;
  }
  if (at > from)
    add_piece (cutter, model, from, at, tokens, cut);
}

static void add_slice (Cutter *cutter, const LecternPiece *model, const char *text, guint32 start, guint32 end,
                       LecternCut cut)
{
  while (start < end && is_space (text[end - 1]))
    end--;
  if (start >= end)
    return;
  guint n_tokens = count_tokens (text + start, end - start);
  if (n_tokens > LECTERN_PIECE_MAX_TOKENS)
    add_long (cutter, model, text, start, end, cut);
  else
    add_piece (cutter, model, start, end, n_tokens, cut);
}

/* Lines keep their indentation: only empty lines are left out. */
static void add_lines (Cutter *cutter, const LecternPiece *model, const char *text, LecternCut first_cut)
{
  LecternCut cut = first_cut;
  guint32 start = 0;
  while (text[start] != '\0') {
    const char *newline = strchr (text + start, '\n');
    guint32 end = newline ? (guint32)(newline - text) : start + (guint32)strlen (text + start);
    guint before = cutter->pieces->len;
    add_slice (cutter, model, text, start, end, cut);
    if (cutter->pieces->len > before)
      cut = LECTERN_CUT_LINE;
    start = newline ? end + 1 : end;
  }
}

static void add_sentences (Cutter *cutter, const LecternPiece *model, const char *text, LecternCut first_cut)
{
  gsize length = strlen (text);
  guint n_tokens = count_tokens (text, length);
  /* A short paragraph needs no inner cut, except that a chunk may want to end in it. */
  LecternCut cut = first_cut;
  guint32 done = 0;
  g_array_set_size (cutter->ranges, 0);
  if (n_tokens > 12)
    lectern_sentences_split (text, (gssize)length, cutter->language, cutter->ranges);
  for (guint i = 0; i < cutter->ranges->len; i++) {
    LecternRange range = g_array_index (cutter->ranges, LecternRange, i);
    guint32 end = MIN (range.end, (guint32)length);
    /* A piece begins where the last one ended, so that nothing between two sentences can be lost. */
    guint32 start = done;
    while (start < end && is_space (text[start]))
      start++;
    if (start >= end)
      continue;
    add_slice (cutter, model, text, start, end, cut);
    cut = LECTERN_CUT_SENTENCE;
    done = end;
  }
  while (done < length && is_space (text[done]))
    done++;
  if (done < length)
    add_slice (cutter, model, text, done, (guint32)length, cut);
}

static gboolean is_grouped (LecternBlockKind kind)
{
  return kind == LECTERN_BLOCK_LIST_ITEM || kind == LECTERN_BLOCK_TABLE_ROW || kind == LECTERN_BLOCK_CODE;
}

/* What a cut before block `i` separates. */
static LecternCut cut_before (Cutter *cutter, guint i)
{
  const LecternBlock *block = g_ptr_array_index (cutter->blocks, i);
  if (i == 0)
    return block->kind == LECTERN_BLOCK_HEADING ? LECTERN_CUT_HEADING : LECTERN_CUT_BLOCK;
  const LecternBlock *before = g_ptr_array_index (cutter->blocks, i - 1);
  if (before->kind == LECTERN_BLOCK_HEADING)
    return LECTERN_CUT_FORBIDDEN;
  if (block->kind == LECTERN_BLOCK_HEADING)
    return LECTERN_CUT_HEADING;
  if (block->kind == LECTERN_BLOCK_TABLE_ROW && before->kind == LECTERN_BLOCK_TABLE_ROW) {
    if (before->level > 0)
      return LECTERN_CUT_FORBIDDEN;
    return block->level > 0 ? LECTERN_CUT_BLOCK : LECTERN_CUT_ROW;
  }
  if (block->kind == LECTERN_BLOCK_LIST_ITEM && before->kind == LECTERN_BLOCK_LIST_ITEM)
    return LECTERN_CUT_ITEM;
  if (is_grouped (block->kind)) {
    gsize length = strlen (before->text);
    gboolean announces = before->kind == LECTERN_BLOCK_CAPTION || (length > 0 && before->text[length - 1] == ':')
                         || (length >= 3 && memcmp (before->text + length - 3, "\xEF\xBC\x9A", 3) == 0);
    if (announces && lectern_count_tokens (before->text, (gssize)length) <= MAX_INTRO_TOKENS)
      return LECTERN_CUT_INTRO;
  }
  return LECTERN_CUT_BLOCK;
}

static void follow_table (Cutter *cutter, guint i)
{
  const LecternBlock *block = g_ptr_array_index (cutter->blocks, i);
  const LecternBlock *before = i > 0 ? g_ptr_array_index (cutter->blocks, i - 1) : NULL;
  gboolean begins = !before || before->kind != LECTERN_BLOCK_TABLE_ROW || (block->level > 0 && cutter->in_body);
  if (begins) {
    cutter->table_first = i;
    cutter->n_header = cutter->header_tokens = 0;
    cutter->in_body = FALSE;
  }
  if (block->level > 0 && !cutter->in_body) {
    cutter->n_header++;
    cutter->header_tokens += count_tokens (block->text, strlen (block->text));
  } else {
    cutter->in_body = TRUE;
  }
}

void lectern_pieces_cut (const GPtrArray *blocks, const int *section_of, const char *language, GArray *pieces)
{
  Cutter cutter = { .blocks = blocks, .language = language, .pieces = pieces };
  cutter.ranges = g_array_new (FALSE, FALSE, sizeof (LecternRange));
  for (guint i = 0; i < blocks->len; i++) {
    const LecternBlock *block = g_ptr_array_index (blocks, i);
    LecternPiece model = { .block = i, .section = section_of[i] };
    LecternCut cut = cut_before (&cutter, i);
    switch (block->kind) {
    case LECTERN_BLOCK_HEADING:
      model.heading = TRUE;
      add_slice (&cutter, &model, block->text, 0, (guint32)strlen (block->text), cut);
      break;
    case LECTERN_BLOCK_TABLE_ROW: {
      follow_table (&cutter, i);
      gboolean first_body_row = i == cutter.table_first + cutter.n_header;
      if (cutter.in_body && !first_body_row && cutter.header_tokens <= MAX_HEADER_TOKENS) {
        model.header_first = cutter.table_first;
        model.n_header = cutter.n_header;
        model.header_tokens = cutter.header_tokens;
      }
      add_slice (&cutter, &model, block->text, 0, (guint32)strlen (block->text), cut);
      break;
    }
    case LECTERN_BLOCK_CODE: add_lines (&cutter, &model, block->text, cut); break;
    default: add_sentences (&cutter, &model, block->text, cut); break;
    }
  }
  g_array_free (cutter.ranges, TRUE);
}
