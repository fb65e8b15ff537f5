/* chunk-writer.h: consecutive pieces to one chunk: its text, its section, its pages and where it stands in print. */
#ifndef LECTERN_INGEST_CHUNK_WRITER_H
#define LECTERN_INGEST_CHUNK_WRITER_H

#include "ingest/chunk/pieces.h"

G_BEGIN_DECLS

typedef struct {
  const GPtrArray *blocks;   /* of LecternBlock */
  const GPtrArray *sections; /* of LecternSection */
  GPtrArray *chunks;         /* of LecternChunk; new ones go here */
} LecternChunkWriter;

/* Appends the chunk that holds `pieces`. Its section is the innermost one that encloses all of them. Headings that this
 * section's path already carries are left out of the text, unless there is nothing else. Sentences of one block are
 * joined as they stood, blocks by an empty line, list items, rows and lines of code by a line break. Word spans become
 * one span for each segment of a line of print. */
void lectern_chunk_writer_write (LecternChunkWriter *writer, const LecternPiece *pieces, guint n_pieces);

G_END_DECLS

#endif
