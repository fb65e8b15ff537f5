#include "app/passages.h"
#include "app/output.h"
#include <math.h>
#include <string.h>

/* Whether `next` goes on where `line` stops: the same line of print, and no more than a wide space between. */
static gboolean continues_line (const LecternRect *line, const LecternRect *next)
{
  float height = MAX (line->height, next->height);
  float overlap = MIN (line->y + line->height, next->y + next->height) - MAX (line->y, next->y);
  float gap = next->x - (line->x + line->width);
  return line->page == next->page && overlap >= 0.6f * height && next->x >= line->x
         && gap <= 1.5f * MAX (line->height, next->height);
}

GArray *passage_dup_rectangles (const GArray *spans)
{
  GArray *lines = g_array_new (FALSE, FALSE, sizeof (LecternRect));
  for (guint i = 0; spans && i < spans->len; i++) {
    const LecternRect *next = &g_array_index (spans, LecternSpan, i).rect;
    LecternRect *line = lines->len ? &g_array_index (lines, LecternRect, lines->len - 1) : NULL;
    if (!line || !continues_line (line, next)) {
      g_array_append_val (lines, *next);
      continue;
    }
    float right = MAX (line->x + line->width, next->x + next->width);
    float bottom = MAX (line->y + line->height, next->y + next->height);
    line->y = MIN (line->y, next->y);
    line->width = right - line->x;
    line->height = bottom - line->y;
  }
  return lines;
}

/* Hundredths of a point are finer than any renderer draws. */
static void member_points (JsonWriter *writer, const char *key, float points)
{
  json_writer_key (writer, key);
  json_writer_double (writer, round ((double)points * 100.0) / 100.0);
}

void json_writer_rectangles (JsonWriter *writer, const GArray *spans)
{
  g_autoptr (GArray) lines = passage_dup_rectangles (spans);
  json_writer_begin_array (writer);
  for (guint i = 0; i < lines->len; i++) {
    const LecternRect *line = &g_array_index (lines, LecternRect, i);
    json_writer_begin_object (writer);
    json_writer_member_int (writer, "page", line->page);
    member_points (writer, "x", line->x);
    member_points (writer, "y", line->y);
    member_points (writer, "width", line->width);
    member_points (writer, "height", line->height);
    json_writer_end_object (writer);
  }
  json_writer_end_array (writer);
}

void json_writer_member_page (JsonWriter *writer, const char *key, int page)
{
  json_writer_key (writer, key);
  if (page > 0)
    json_writer_int (writer, page);
  else
    json_writer_null (writer);
}

void json_writer_result_members (JsonWriter *writer, const LecternResult *result)
{
  json_writer_member_int (writer, "rank", result->rank);
  json_writer_member_double (writer, "score", result->score);
  json_writer_member_int (writer, "document", result->document);
  json_writer_member_string (writer, "path", result->path);
  json_writer_member_string (writer, "title", result->title);
  json_writer_member_page (writer, "page", result->page);
  json_writer_member_page (writer, "page_last", result->page_last);
  json_writer_key (writer, "heading");
  json_writer_begin_array (writer);
  for (gsize i = 0; result->heading && result->heading[i]; i++)
    json_writer_string (writer, result->heading[i]);
  json_writer_end_array (writer);
  json_writer_member_string (writer, "text", result->text);
  json_writer_key (writer, "rects");
  json_writer_rectangles (writer, result->spans);
}

char *passage_dup_title (const LecternResult *result)
{
  return result->title && *result->title ? g_strdup (result->title) : g_filename_display_basename (result->path);
}

char *passage_dup_pages (const LecternResult *result)
{
  if (result->page <= 0)
    return g_strdup ("");
  if (result->page_last > result->page)
    return g_strdup_printf ("pages %d–%d", result->page, result->page_last);
  return g_strdup_printf ("page %d", result->page);
}

/* ---- words of the query in a text ------------------------------------------------------------------------ */

/* Case-folded words of three letters and more; CJK text counts as one word, which is good enough for marking. */
static GPtrArray *query_words (const char *query)
{
  GPtrArray *words = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) tokens = g_str_tokenize_and_fold (query, NULL, NULL);
  for (gsize i = 0; tokens[i]; i++)
    if (g_utf8_strlen (tokens[i], -1) >= 3 || g_utf8_get_char (tokens[i]) > 0x2e80)
      g_ptr_array_add (words, g_strdup (tokens[i]));
  return words;
}

/* Inflected forms count: the same beginning, with at most three further letters on either side ("descale", "descaling"). */
static gboolean word_matches (const char *word, const GPtrArray *query)
{
  g_auto (GStrv) folded = g_str_tokenize_and_fold (word, NULL, NULL);
  for (gsize f = 0; folded[f]; f++)
    for (guint q = 0; q < query->len; q++) {
      const char *a = folded[f], *b = g_ptr_array_index (query, q);
      gsize common = 0;
      while (a[common] && a[common] == b[common])
        common++;
      gsize rest = MAX (strlen (a), strlen (b)) - common;
      if (rest == 0 || (common >= 4 && rest <= 3))
        return TRUE;
    }
  return FALSE;
}

char *passage_dup_snippet (const char *text, const char *query, guint length)
{
  g_autofree char *clean = output_dup_clean (text, TRUE);
  g_auto (GStrv) split = g_strsplit (clean, " ", -1);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  for (gsize i = 0; split[i]; i++)
    if (*split[i])
      g_ptr_array_add (words, split[i]);
  g_autoptr (GPtrArray) wanted = query_words (query);

  /* A window over the words: the one with the most hits, the earliest of equals. */
  g_autofree gboolean *hits = g_new0 (gboolean, words->len + 1);
  for (guint i = 0; i < words->len; i++)
    hits[i] = word_matches (g_ptr_array_index (words, i), wanted);
  guint best_start = 0, best_end = 0, best_hits = 0;
  guint end = 0, n_hits = 0;
  gsize columns = 0;
  for (guint start = 0; start < words->len; start++) {
    while (end < words->len && (end == start || columns < length)) {
      columns += (gsize)g_utf8_strlen (g_ptr_array_index (words, end), -1) + 1;
      n_hits += hits[end++] ? 1 : 0;
    }
    if (start == 0 || n_hits > best_hits) {
      best_start = start;
      best_end = end;
      best_hits = n_hits;
    }
    if (end == words->len)
      break;
    columns -= (gsize)g_utf8_strlen (g_ptr_array_index (words, start), -1) + 1;
    n_hits -= hits[start] ? 1 : 0;
  }

  g_autoptr (GString) snippet = g_string_new (best_start > 0 ? "… " : NULL);
  for (guint i = best_start; i < best_end; i++)
    g_string_append_printf (snippet, "%s%s", i > best_start ? " " : "", (const char *)g_ptr_array_index (words, i));
  if (best_end < words->len)
    g_string_append (snippet, " …");
  /* Text without spaces is one word. */
  if (g_utf8_strlen (snippet->str, -1) > 2 * (glong)length)
    return output_dup_fitted (snippet->str, 2 * length, FALSE, FALSE);
  return g_string_free (g_steal_pointer (&snippet), FALSE);
}

void passage_print_marked (const char *text, const char *query, guint indent)
{
  guint terminal = output_get_width ();
  guint width = CLAMP (terminal ? terminal : 80, indent + 20, 100);
  g_autoptr (GPtrArray) wanted = query_words (query ? query : "");
  g_autofree char *clean = output_dup_clean (text, TRUE);
  g_auto (GStrv) words = g_strsplit (clean, " ", -1);
  guint column = 0;
  for (gsize i = 0; words[i]; i++) {
    if (!*words[i])
      continue;
    guint columns = output_measure (words[i]);
    if (column && column + 1 + columns > width) {
      output_text ("\n");
      column = 0;
    }
    if (column)
      output_text (" ");
    else
      output_printf ("%*s", (int)indent, "");
    column += column ? 1 : indent;
    if (word_matches (words[i], wanted))
      output_bold (words[i]);
    else
      output_text (words[i]);
    column += columns;
  }
  output_text ("\n");
}
