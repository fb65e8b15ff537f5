/* fuzz-rtf.c: RTF, whatever its groups and lengths say. */
#include "count-writer.h"
#include "ingest/extract/text/encoding.h"
#include "ingest/extract/text/rtf.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  encoding_warm_up ();
  Document document = { data, size, "a.rtf" };
  Writer writer = { 0 };
  rtf_sniff (&document);
  Outcome outcome = rtf_extract (&document, &writer);
  if ((outcome.status == LECTERN_STATUS_INDEXED) != (outcome.reason == NULL))
    abort ();
  g_free (outcome.reason);
  return 0;
}
