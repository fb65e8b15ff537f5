/* number-format.h: numbers as a spreadsheet's format codes show them ("0.00%", "yyyy-mm-dd"). Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_OFFICE_NUMBER_FORMAT_H
#define LECTERN_EXTRACT_OFFICE_NUMBER_FORMAT_H

#include <glib.h>

/* The code that Excel gives a number below 164; NULL: general. Where it depends on the country, dates are in ISO 8601. */
const char *number_format_built_in (guint id);

/* `value` is a number in ASCII. Dates are days since 1899-12-30, or since 1904-01-01 if `from_1904`. A value that is no
 * number, or a code that is not understood, gives it as it is. The caller frees. */
char *number_format_apply (const char *code, const char *value, gboolean from_1904);

#endif
