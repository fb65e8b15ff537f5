/* pieces.h: blocks cut into pieces, the smallest things that a chunk is made of.
 *
 * A piece is a slice of one block's text: a sentence of a paragraph, list item or caption, a line of code, a whole table
 * row, a whole heading. A piece longer than LECTERN_PIECE_MAX_TOKENS is cut further at white space, and a word longer
 * than that at character boundaries. The pieces of a block are in order, do not overlap and cover every byte of it that
 * is not white space. Linear in the length of the text. */
#ifndef LECTERN_INGEST_PIECES_H
#define LECTERN_INGEST_PIECES_H

#include "ingest/ingest.h"

G_BEGIN_DECLS

#define LECTERN_PIECE_MAX_TOKENS 250

/* What a cut right before a piece would separate, from the most welcome cut to the least. */
typedef enum {
  LECTERN_CUT_HEADING,   /* the piece is a heading */
  LECTERN_CUT_BLOCK,     /* between two blocks that do not belong together */
  LECTERN_CUT_ROW,       /* inside a table, between rows */
  LECTERN_CUT_ITEM,      /* inside a list, between items */
  LECTERN_CUT_LINE,      /* inside code, between lines */
  LECTERN_CUT_SENTENCE,  /* inside a paragraph */
  LECTERN_CUT_INTRO,     /* between "…:" or a caption and the list, code or table that it announces */
  LECTERN_CUT_WORD,      /* inside a sentence, a row or a line that is too long */
  LECTERN_CUT_FORBIDDEN, /* right after a heading or a table's header row */
  LECTERN_N_CUTS
} LecternCut;

typedef struct {
  guint block;        /* index into the blocks */
  guint32 start, end; /* bytes of the block's text */
  guint n_tokens;     /* at least 1 */
  int section;        /* index into the sections, -1 before the first heading */
  LecternCut cut;
  gboolean heading;
  /* Rows that a chunk which begins at this piece repeats: blocks [header_first, header_first + n_header). */
  guint header_first, n_header, header_tokens;
} LecternPiece;

/* Appends LecternPiece values for all blocks. `section_of` has one section index per block. */
void lectern_pieces_cut (const GPtrArray *blocks, const int *section_of, const char *language, GArray *pieces);

G_END_DECLS

#endif
