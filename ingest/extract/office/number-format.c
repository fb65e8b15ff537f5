#include "ingest/extract/office/number-format.h"

#include <math.h>
#include <string.h>

#define MAX_DAYS 2958465 /* 9999-12-31 */
#define MAX_DECIMALS 15

const char *number_format_built_in (guint id)
{
  static const char *const codes[] = {
    [1] = "0",           [2] = "0.00",           [3] = "#,##0",     [4] = "#,##0.00",  [9] = "0%",
    [10] = "0.00%",      [14] = "yyyy-mm-dd",    [15] = "d-mmm-yy", [16] = "d-mmm",    [17] = "mmm-yy",
    [18] = "h:mm AM/PM", [19] = "h:mm:ss AM/PM", [20] = "h:mm",     [21] = "h:mm:ss",  [22] = "yyyy-mm-dd h:mm",
    [37] = "#,##0",      [38] = "#,##0",         [39] = "#,##0.00", [40] = "#,##0.00", [45] = "mm:ss",
    [46] = "[h]:mm:ss",  [47] = "mm:ss",
  };
  return id < G_N_ELEMENTS (codes) ? codes[id] : NULL;
}

/* Past what stands in quotes or brackets, or behind a backslash; `at` itself if nothing does. */
static const char *skip_literal (const char *at)
{
  if (*at == '"' || *at == '[') {
    const char *end = strchr (at + 1, *at == '"' ? '"' : ']');
    return end ? end + 1 : at + strlen (at);
  }
  if ((*at == '\\' || *at == '_' || *at == '*') && at[1])
    return g_utf8_next_char (at + 1);
  return at;
}

static gboolean is_date (const char *code, const char *end)
{
  for (const char *at = code; at < end;) {
    if (*at == '[' && strchr ("hHmMsS", at[1] ? at[1] : ' '))
      return TRUE;
    const char *next = skip_literal (at);
    if (next > at) {
      at = next;
      continue;
    }
    if (strchr ("yYdDhHsS", *at) || *at == 'm' || *at == 'M')
      return TRUE;
    at++;
  }
  return FALSE;
}

/* ---- dates ----------------------------------------------------------------------------------------------- */

typedef struct {
  GDate date;
  guint seconds; /* of the day */
  gint64 all_seconds;
  gboolean twelve_hours;
} Moment;

static void append_date_part (GString *out, const Moment *moment, char letter, guint n, gboolean minutes)
{
  static const char *const months[] = { "January", "February", "March",     "April",   "May",      "June",
                                        "July",    "August",   "September", "October", "November", "December" };
  static const char *const days[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };
  guint hour = moment->seconds / 3600, month = g_date_get_month (&moment->date);
  switch (letter) {
  case 'y':
    if (n > 2)
      g_string_append_printf (out, "%04u", (guint)g_date_get_year (&moment->date));
    else
      g_string_append_printf (out, "%02u", (guint)g_date_get_year (&moment->date) % 100);
    break;
  case 'm':
    if (minutes || n <= 2)
      g_string_append_printf (out, n >= 2 ? "%02u" : "%u", minutes ? moment->seconds / 60 % 60 : month);
    else
      g_string_append_len (out, months[month - 1], n == 3 ? 3 : n == 5 ? 1 : (gssize)strlen (months[month - 1]));
    break;
  case 'd':
    if (n <= 2) {
      g_string_append_printf (out, n == 2 ? "%02u" : "%u", (guint)g_date_get_day (&moment->date));
    } else {
      const char *name = days[g_date_get_weekday (&moment->date) - 1];
      g_string_append_len (out, name, n == 3 ? 3 : (gssize)strlen (name));
    }
    break;
  case 'h':
    hour = moment->twelve_hours ? (hour + 11) % 12 + 1 : hour;
    g_string_append_printf (out, n >= 2 ? "%02u" : "%u", hour);
    break;
  default: g_string_append_printf (out, n >= 2 ? "%02u" : "%u", moment->seconds % 60); break;
  }
}

/* Whether the next part of the code is the seconds: then "m" before it is minutes. */
static gboolean seconds_follow (const char *at, const char *end)
{
  while (at < end && !g_ascii_isalpha (*at) && *at != '[')
    at++;
  return at < end && (*at == 's' || *at == 'S' || (*at == '[' && (at[1] == 's' || at[1] == 'S')));
}

static char *format_date (const char *code, const char *end, double value, gboolean from_1904)
{
  GString *out = g_string_new (NULL);
  Moment moment = { 0 };
  double days = floor (value);
  gint64 seconds = (gint64)floor ((value - days) * 86400 + 0.5);
  moment.all_seconds = (gint64)days * 86400 + seconds;
  moment.seconds = (guint)(seconds % 86400);
  g_date_set_dmy (&moment.date, 30, G_DATE_DECEMBER, 1899);
  g_date_add_days (&moment.date, (guint)(moment.all_seconds / 86400) + (from_1904 ? 1462 : 0));
  for (const char *at = code; at < end && !moment.twelve_hours; at++)
    moment.twelve_hours = g_ascii_strncasecmp (at, "AM/PM", 5) == 0 || g_ascii_strncasecmp (at, "A/P", 3) == 0;
  char before = ' '; /* the part before */
  for (const char *at = code; at < end;) {
    char letter = (char)g_ascii_tolower (*at);
    if (*at == '[' && strchr ("hms", g_ascii_tolower (at[1]))) { /* all of them, not within a day */
      gint64 unit = g_ascii_tolower (at[1]) == 'h' ? 3600 : g_ascii_tolower (at[1]) == 'm' ? 60 : 1;
      g_string_append_printf (out, "%" G_GINT64_FORMAT, moment.all_seconds / unit);
      before = (char)g_ascii_tolower (at[1]);
      at = skip_literal (at);
    } else if (g_ascii_strncasecmp (at, "AM/PM", 5) == 0 || g_ascii_strncasecmp (at, "A/P", 3) == 0) {
      g_string_append (out, moment.seconds < 43200 ? "AM" : "PM");
      at += at[1] == '/' ? 3 : 5;
    } else if (strchr ("ymdhs", letter)) {
      guint n = 0;
      while (at + n < end && g_ascii_tolower (at[n]) == letter)
        n++;
      append_date_part (out, &moment, letter, n, letter == 'm' && (before == 'h' || seconds_follow (at + n, end)));
      before = letter;
      at += n;
    } else if (*at == '"' || *at == '[' || *at == '\\' || *at == '_' || *at == '*') {
      const char *next = skip_literal (at);
      if (*at == '"' && next - at >= 2)
        g_string_append_len (out, at + 1, next - at - 2);
      else if (*at == '\\')
        g_string_append_len (out, at + 1, next - at - 1);
      at = MAX (next, at + 1);
    } else if (*at == '.' && at + 1 < end && at[1] == '0') {
      at += 1 + strspn (at + 1, "0"); /* parts of seconds */
    } else {
      if (*at != '@' && *at != '0' && *at != '#')
        g_string_append_c (out, *at);
      at++;
    }
  }
  return g_string_free (out, FALSE);
}

/* ---- numbers --------------------------------------------------------------------------------------------- */

static char *format_general (const char *value, double number)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  if (strspn (value, "-0123456789") == strlen (value))
    return g_strdup (value);
  return g_strdup (g_ascii_formatd (buffer, sizeof buffer, fabs (number) < 1e9 ? "%.11g" : "%.15g", number));
}

static void append_grouped (GString *out, const char *digits, gboolean grouped)
{
  gsize whole = strcspn (digits, ".");
  for (gsize i = 0; digits[i]; i++) {
    if (grouped && i > 0 && i < whole && (whole - i) % 3 == 0 && g_ascii_isdigit (digits[i - 1]))
      g_string_append_c (out, ',');
    g_string_append_c (out, digits[i]);
  }
}

static char *format_number (const char *code, const char *end, double number)
{
  guint decimals = 0;
  gboolean grouped = FALSE, percent = FALSE, digits = FALSE, behind_point = FALSE;
  g_autoptr (GString) prefix = g_string_new (NULL);
  g_autoptr (GString) suffix = g_string_new (NULL);
  for (const char *at = code; at < end;) {
    GString *literal = digits ? suffix : prefix;
    const char *next = skip_literal (at);
    if (next > at) {
      if (*at == '"' && next - at >= 2)
        g_string_append_len (literal, at + 1, next - at - 2);
      else if (*at == '\\')
        g_string_append_len (literal, at + 1, next - at - 1);
      else if (*at == '[' && at[1] == '$') /* a currency: [$€-407] */
        g_string_append_len (literal, at + 2, (gssize)strcspn (at + 2, "-]"));
      at = next;
      continue;
    }
    if (*at == '0' || *at == '#' || *at == '?') {
      decimals += behind_point;
      digits = TRUE;
    } else if (*at == '.' && digits) {
      behind_point = TRUE;
    } else if (*at == ',' && digits) {
      grouped = TRUE;
    } else if (*at == 'E' || *at == 'e' || *at == '/' || *at == '@') {
      return NULL;
    } else {
      percent |= *at == '%';
      g_string_append_c (literal, *at);
    }
    at++;
  }
  if (!digits || decimals > MAX_DECIMALS || strcmp (prefix->str, "General") == 0)
    return NULL;
  char format[16], buffer[400];
  g_snprintf (format, sizeof format, "%%.%uf", decimals);
  g_ascii_formatd (buffer, sizeof buffer, format, fabs (percent ? number * 100 : number));
  GString *out = g_string_new (number < 0 && strspn (buffer, "0.") < strlen (buffer) ? "-" : "");
  g_string_append (out, prefix->str);
  append_grouped (out, buffer, grouped);
  g_string_append (out, suffix->str);
  return g_string_free (out, FALSE);
}

char *number_format_apply (const char *code, const char *value, gboolean from_1904)
{
  char *rest;
  double number = g_ascii_strtod (value, &rest);
  if (rest == value || *rest || !isfinite (number))
    return g_strdup (value);
  if (!code || !code[0] || g_ascii_strcasecmp (code, "General") == 0)
    return format_general (value, number);
  const char *end = code; /* the first section: for positive numbers, and for all if it is the only one */
  while (*end && *end != ';')
    end = MAX (skip_literal (end), end + (skip_literal (end) == end));
  if (is_date (code, end))
    return number >= 0 && number <= MAX_DAYS ? format_date (code, end, number, from_1904) : g_strdup (value);
  char *formatted = fabs (number) < 1e300 ? format_number (code, end, number) : NULL;
  return formatted ? formatted : format_general (value, number);
}
