/* Numbers as spreadsheets show them. */
#include "ingest/extract/office/number-format.h"

static void test_rows (void)
{
  static const struct {
    const char *code, *value;
    gboolean from_1904;
    const char *shown;
  } rows[] = {
    { NULL, "42", FALSE, "42" },
    { "General", "0.30000000000000004", FALSE, "0.3" },
    { NULL, "491701234567", FALSE, "491701234567" },
    { "0", "2.5000001", FALSE, "3" },
    { "0.00", "-1.5", FALSE, "-1.50" },
    { "0.0", "-0.01", FALSE, "0.0" },
    { "#,##0", "1234567", FALSE, "1,234,567" },
    { "#,##0.00", "-999.999", FALSE, "-1,000.00" },
    { "0%", "0.256", FALSE, "26%" },
    { "[$\xe2\x82\xac-407]\\ #,##0.00", "12.5", FALSE, "\xe2\x82\xac 12.50" },
    { "0.0\" kg\"", "3", FALSE, "3.0 kg" },
    { "0;[Red]\\-0", "7", FALSE, "7" },
    { "yyyy-mm-dd", "1", FALSE, "1900-01-01" },
    { "yyyy-mm-dd", "45413", FALSE, "2024-05-01" },
    { "yyyy-mm-dd", "43951", TRUE, "2024-05-01" },
    { "d. mmmm yyyy", "45413", FALSE, "1. May 2024" },
    { "ddd dd.mm.yy", "45413", FALSE, "Wed 01.05.24" },
    { "[$-409]m/d/yy h:mm AM/PM", "45413.5", FALSE, "5/1/24 12:00 PM" },
    { "h:mm:ss", "0.999999", FALSE, "0:00:00" },
    { "mm:ss", "0.0423611", FALSE, "01:00" },
    { "[h]:mm", "2.25", FALSE, "54:00" },
    { "yyyy-mm-dd", "-3", FALSE, "-3" },
    { "yyyy-mm-dd", "1e300", FALSE, "1e300" },
    { "0.00E+00", "12345", FALSE, "12345" },
    { "\"unended", "5", FALSE, "5" },
    { "[unended", "5", FALSE, "5" },
    { "0.00", "nan", FALSE, "nan" },
    { "0.00", "12 apples", FALSE, "12 apples" },
    { "@", "5", FALSE, "5" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *shown = number_format_apply (rows[i].code, rows[i].value, rows[i].from_1904);
    g_assert_cmpstr (shown, ==, rows[i].shown);
  }
  g_assert_cmpstr (number_format_built_in (10), ==, "0.00%");
  g_assert_null (number_format_built_in (0));
  g_assert_null (number_format_built_in (9999));
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/number-format/rows", test_rows);
  return g_test_run ();
}
