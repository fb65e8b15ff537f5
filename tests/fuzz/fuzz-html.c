/* Fuzz target: the reader of web pages, with the encodings of its bytes. */
#include "ingest/extract/html/html.h"
#include "ingest/extract/process/writer.h"

#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static FILE *nowhere;
  if (!nowhere) {
    nowhere = fopen ("/dev/null", "w");
    html_warm_up ();
  }
  Document document = { data, size, "page.html" };
  Writer *writer = writer_new_print (nowhere);
  html_sniff (&document);
  Outcome outcome = html_extract (&document, writer);
  g_free (outcome.reason);
  writer_free (writer);
  return 0;
}
