#include "ingest/extract/extractor.h"

Outcome outcome_indexed (void)
{
  return (Outcome){ LECTERN_STATUS_INDEXED, NULL };
}

Outcome outcome_failed (LecternStatus status, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  Outcome outcome = { status, g_strdup_vprintf (format, arguments) };
  va_end (arguments);
  return outcome;
}
