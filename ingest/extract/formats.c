#include "ingest/extract/extractor.h"
#include "ingest/extract/archive/compressed.h"
#include "ingest/extract/archive/container.h"
#include "ingest/extract/office/docx.h"
#include "ingest/extract/office/epub.h"
#include "ingest/extract/office/odf.h"
#include "ingest/extract/office/office97.h"
#include "ingest/extract/office/pptx.h"
#include "ingest/extract/office/xlsx.h"
#include "ingest/extract/text/encoding.h"
#include "ingest/extract/html/html.h"
#include "ingest/extract/mail/eml.h"
#include "ingest/extract/mail/mbox.h"
#include "ingest/extract/mail/mhtml.h"
#include "ingest/extract/text/code.h"
#include "ingest/extract/text/csv.h"
#include "ingest/extract/text/markdown.h"
#include "ingest/extract/text/rst.h"
#include "ingest/extract/text/rtf.h"
#ifndef WITHOUT_PAGES
#include "ingest/extract/pdf/pdf.h"
#endif
#include "ingest/extract/text/text.h"
#include "ingest/extract/process/writer.h"

/* A row without `extract` is a format whose reader is not built in; its files end as unsupported. */
const FormatReader format_readers[N_FORMATS] = {
#ifndef WITHOUT_PAGES
  [FORMAT_PDF] = { pdf_warm_up, pdf_sniff, pdf_extract },
#endif
  [FORMAT_HTML] = { html_warm_up, html_sniff, html_extract },
  [FORMAT_MARKDOWN] = { markdown_warm_up, markdown_sniff, markdown_extract },
  [FORMAT_DOCX] = { container_warm_up, docx_sniff, docx_extract },
  [FORMAT_ODT] = { container_warm_up, odt_sniff, odf_extract },
  [FORMAT_ODP] = { container_warm_up, odp_sniff, odf_extract },
  [FORMAT_ODS] = { container_warm_up, ods_sniff, odf_extract },
  [FORMAT_EPUB] = { epub_warm_up, epub_sniff, epub_extract },
  [FORMAT_PPTX] = { container_warm_up, pptx_sniff, pptx_extract },
  [FORMAT_XLSX] = { container_warm_up, xlsx_sniff, xlsx_extract },
  [FORMAT_OFFICE_97] = { NULL, office97_sniff, office97_extract },
  [FORMAT_TEXT] = { encoding_warm_up, text_sniff, text_extract },
  [FORMAT_MBOX] = { eml_warm_up, mbox_sniff, mbox_extract },
  [FORMAT_EML] = { eml_warm_up, eml_sniff, eml_extract },
  [FORMAT_MHTML] = { html_warm_up, mhtml_sniff, mhtml_extract },
  [FORMAT_RTF] = { encoding_warm_up, rtf_sniff, rtf_extract },
  [FORMAT_CSV] = { encoding_warm_up, csv_sniff, csv_extract },
  [FORMAT_RST] = { encoding_warm_up, rst_sniff, rst_extract },
  [FORMAT_CODE] = { encoding_warm_up, code_sniff, code_extract },
  [FORMAT_DATA] = { encoding_warm_up, code_sniff, code_extract },
  [FORMAT_COMPRESSED] = { container_warm_up, compressed_sniff, compressed_extract },
};

int format_of_document (const Document *document)
{
  int named = format_from_path (document->name);
  int found = -1;
  /* What is what its name says, as nearly all files are, need not be shown to all the others. */
  if (named >= 0 && format_readers[named].extract && format_readers[named].sniff (document) >= 2)
    return named;
  for (int format = 0; format < N_FORMATS; format++) {
    const FormatReader *reader = &format_readers[format];
    if (!reader->extract)
      continue;
    int sure = reader->sniff (document);
    if (sure >= 2 && (found < 0 || format == named))
      found = format;
    else if (sure == 1 && format == named && found < 0)
      found = format;
  }
  return found;
}

Outcome format_read (int format, const Document *document, Writer *writer)
{
  const FormatName *name = &format_names[format];
  if (format != FORMAT_COMPRESSED)
    writer_type (writer, name->type); /* otherwise what is in it has a type */
  if (document->size > name->max_bytes)
    return outcome_failed (LECTERN_STATUS_TOO_LARGE,
                           "It is larger than %" G_GUINT64_FORMAT " MiB, the most for this format.",
                           name->max_bytes >> 20);
  return format_readers[format].extract (document, writer);
}
