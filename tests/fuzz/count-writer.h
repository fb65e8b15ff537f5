/* count-writer.h: a Writer that checks what readers emit and counts it. */
#ifndef LECTERN_COUNT_WRITER_H
#define LECTERN_COUNT_WRITER_H

#include "ingest/extract/extractor.h"

struct _Writer {
  guint n_blocks, n_cut, n_attachments;
  guint64 text_bytes;
};

#endif
