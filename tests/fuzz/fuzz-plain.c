/* fuzz-plain.c: the readers of text by lines: tables, reStructuredText and plain text. The first byte chooses the name's ending. */
#include "count-writer.h"
#include "ingest/extract/text/csv.h"
#include "ingest/extract/text/encoding.h"
#include "ingest/extract/text/rst.h"
#include "ingest/extract/text/text.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static Outcome (*const readers[]) (const Document *, Writer *) = { csv_extract, rst_extract, text_extract };
  encoding_warm_up ();
  if (size == 0)
    return 0;
  Document document = { data + 1, size - 1, data[0] & 1 ? "a.tsv" : "a.csv" };
  for (guint i = 0; i < G_N_ELEMENTS (readers) && document.size > 0; i++) {
    Writer writer = { 0 };
    Outcome outcome = readers[i](&document, &writer);
    if ((outcome.status == LECTERN_STATUS_INDEXED) != (outcome.reason == NULL))
      abort ();
    g_free (outcome.reason);
  }
  return 0;
}
