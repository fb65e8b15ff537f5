/* fuzz-mime.c: mails, mailboxes and saved pages, whatever they hold: what comes out is text and within what goes in. */
#include "count-writer.h"
#include "ingest/extract/mail/eml.h"
#include "ingest/extract/mail/mbox.h"
#include "ingest/extract/mail/mhtml.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static Outcome (*const readers[]) (const Document *, Writer *) = { eml_extract, mbox_extract, mhtml_extract };
  static gboolean warm;
  if (!warm)
    eml_warm_up ();
  warm = TRUE;
  Document document = { data, size, "mail" };
  eml_sniff (&document);
  mbox_sniff (&document);
  mhtml_sniff (&document);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++) {
    Writer writer = { 0 };
    Outcome outcome = readers[i](&document, &writer);
    if ((outcome.status == LECTERN_STATUS_INDEXED) != (outcome.reason == NULL)
        || (outcome.status == LECTERN_STATUS_INDEXED && writer.n_blocks == 0))
      abort ();
    g_free (outcome.reason);
  }
  return 0;
}
