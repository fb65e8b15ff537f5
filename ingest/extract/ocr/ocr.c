#include "ingest/extract/ocr/ocr.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static gboolean forbidden;

void ocr_warm_up (char **argv)
{
  if (!ocr_engine_version ())
    return;
  const char *limit = getenv ("OMP_THREAD_LIMIT");
  if (!limit || strcmp (limit, "1") != 0) {
    setenv ("OMP_THREAD_LIMIT", "1", TRUE);
    execv ("/proc/self/exe", argv);
    forbidden = TRUE; /* threads would be the end of a child that may start none */
  }
  ocr_languages_load ();
}

void ocr_begin (gboolean wanted, int records_fd)
{
  forbidden |= !wanted;
  ocr_records_open (records_fd);
}

OcrState ocr_get_state (void)
{
  if (!ocr_engine_version ())
    return OCR_NOT_BUILT;
  if (forbidden)
    return OCR_FORBIDDEN;
  return ocr_languages_count () > 0 ? OCR_READY : OCR_NO_LANGUAGE;
}
