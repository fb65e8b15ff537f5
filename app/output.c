#include "app/output.h"
#include <errno.h>
#include <gio/gio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static gboolean stdout_is_terminal, stderr_is_terminal, styled;
static gboolean progress_shown;
static gint64 progress_shown_at;
static int write_errno;

void output_init (void)
{
  /* A helper process that dies must not take us along; standard output is looked after in check_stdout(). */
  signal (SIGPIPE, SIG_IGN);
  stdout_is_terminal = isatty (STDOUT_FILENO);
  stderr_is_terminal = isatty (STDERR_FILENO);
  const char *term = g_getenv ("TERM");
  styled = stdout_is_terminal && g_strcmp0 (term, "dumb") != 0 && !g_getenv ("NO_COLOR");
}

static void check_stdout (gboolean failed)
{
  if (!failed || write_errno)
    return;
  write_errno = errno ? errno : EIO;
  if (write_errno == EPIPE) {
    signal (SIGPIPE, SIG_DFL);
    raise (SIGPIPE);
  }
}

void output_bytes (const char *bytes, gsize length)
{
  /* The progress line gives way to the result where both share a terminal. */
  if (progress_shown && stdout_is_terminal)
    output_progress (NULL);
  errno = 0;
  check_stdout (fwrite (bytes, 1, length, stdout) != length);
}

void output_flush (void)
{
  errno = 0;
  check_stdout (fflush (stdout) != 0);
}

gboolean output_finish (GError **error)
{
  output_progress (NULL);
  output_flush ();
  if (!write_errno)
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (write_errno),
               "The result could not be written to standard output: %s.", g_strerror (write_errno));
  return FALSE;
}

char *output_dup_clean (const char *text, gboolean one_line)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autoptr (GString) clean = g_string_sized_new (strlen (valid));
  for (const char *p = valid; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    if (!one_line && (c == '\n' || c == '\t'))
      g_string_append_unichar (clean, c);
    else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
      g_string_append_c (clean, ' ');
    else
      g_string_append_unichar (clean, c);
  }
  return g_string_free (g_steal_pointer (&clean), FALSE);
}

void output_text (const char *text)
{
  g_autofree char *clean = output_dup_clean (text, FALSE);
  output_bytes (clean, strlen (clean));
}

void output_printf (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  output_text (text);
}

static void output_styled (const char *text, const char *on)
{
  if (styled)
    output_bytes (on, strlen (on));
  output_text (text);
  if (styled)
    output_bytes ("\033[0m", 4);
}

void output_bold (const char *text)
{
  output_styled (text, "\033[1m");
}

void output_dim (const char *text)
{
  output_styled (text, "\033[2m");
}

void output_json (const JsonWriter *writer)
{
  const char *text = json_writer_get_text (writer);
  output_bytes (text, strlen (text));
  output_bytes ("\n", 1);
}

gboolean output_is_terminal (void)
{
  return stdout_is_terminal;
}

guint output_get_width (void)
{
  struct winsize size;
  if (!stdout_is_terminal)
    return 0;
  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 80;
}

static guint char_columns (gunichar c)
{
  return g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;
}

guint output_measure (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  guint columns = 0;
  for (const char *p = valid; *p; p = g_utf8_next_char (p))
    columns += char_columns (g_utf8_get_char (p));
  return columns;
}

char *output_dup_fitted (const char *text, guint columns, gboolean keep_end, gboolean pad)
{
  g_autofree char *clean = output_dup_clean (text, TRUE);
  guint width = output_measure (clean);
  g_autoptr (GString) fitted = g_string_new (NULL);
  if (width <= columns)
    g_string_append (fitted, clean);
  else if (keep_end) {
    const char *p = clean;
    for (; *p && width + 1 > columns; p = g_utf8_next_char (p))
      width -= char_columns (g_utf8_get_char (p));
    g_string_append_printf (fitted, "…%s", p);
  } else {
    guint used = 1;
    for (const char *p = clean; *p; p = g_utf8_next_char (p)) {
      gunichar c = g_utf8_get_char (p);
      if (used + char_columns (c) > columns)
        break;
      used += char_columns (c);
      g_string_append_unichar (fitted, c);
    }
    g_string_append (fitted, "…");
  }
  for (guint n = output_measure (fitted->str); pad && n < columns; n++)
    g_string_append_c (fitted, ' ');
  return g_string_free (g_steal_pointer (&fitted), FALSE);
}

void output_wrapped (const char *text, guint indent)
{
  guint terminal = output_get_width ();
  guint width = CLAMP (terminal ? terminal : 80, indent + 20, 100);
  g_autofree char *clean = output_dup_clean (text, FALSE);
  g_auto (GStrv) lines = g_strsplit (clean, "\n", -1);
  for (gsize i = 0; lines[i]; i++) {
    g_auto (GStrv) words = g_strsplit_set (lines[i], " \t", -1);
    guint column = 0;
    for (gsize w = 0; words[w]; w++) {
      if (!*words[w])
        continue;
      guint columns = output_measure (words[w]);
      if (column && column + 1 + columns > width) {
        output_bytes ("\n", 1);
        column = 0;
      }
      if (column == 0)
        for (; column < indent; column++)
          output_bytes (" ", 1);
      else {
        output_bytes (" ", 1);
        column++;
      }
      output_text (words[w]);
      column += columns;
    }
    output_bytes ("\n", 1);
  }
}

char *output_dup_size (guint64 bytes)
{
  return g_format_size (bytes);
}

void output_message (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *clean = output_dup_clean (text, TRUE);
  output_progress (NULL);
  fprintf (stderr, "lecternctl: %s\n", clean);
}

void output_progress (const char *text)
{
  if (!stderr_is_terminal) {
    if (text) {
      g_autofree char *clean = output_dup_clean (text, TRUE);
      fprintf (stderr, "%s\n", clean);
    }
    return;
  }
  if (!text) {
    if (progress_shown)
      fputs ("\r\033[K", stderr);
    progress_shown = FALSE;
    return;
  }
  gint64 now = g_get_monotonic_time ();
  if (progress_shown && now - progress_shown_at < 100 * G_TIME_SPAN_MILLISECOND)
    return;
  struct winsize size;
  guint width = ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 8 ? size.ws_col : 80;
  g_autofree char *fitted = output_dup_fitted (text, width - 1, FALSE, FALSE);
  fprintf (stderr, "\r\033[K%s", fitted);
  fflush (stderr);
  progress_shown = TRUE;
  progress_shown_at = now;
}
