#include "ingest/extract/pdf/print.h"

#include <math.h>

char *pdf_print_text (const PdfPage *page, const PdfPrint *print)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < print->n; i++) {
    if (i)
      g_string_append_c (text, ' ');
    pdf_line_append_text (page, PDF_LINE (page, print->first + i), text);
  }
  return g_string_free (text, FALSE);
}

const PdfWord *pdf_print_first_word (const PdfPage *page, const PdfPrint *print)
{
  return PDF_WORD (page, PDF_LINE (page, print->first)->first);
}

const PdfWord *pdf_print_last_word (const PdfPage *page, const PdfPrint *print)
{
  const PdfLine *last = PDF_LINE (page, print->first + print->n - 1);
  return PDF_WORD (page, last->first + last->n - 1);
}

gboolean pdf_print_begins_lower (const PdfPage *page, const PdfPrint *print)
{
  return g_unichar_islower (g_utf8_get_char (page->text->str + pdf_print_first_word (page, print)->start));
}

gboolean pdf_print_is_bold (const PdfPage *page, const PdfPrint *print)
{
  return print->style & PDF_BOLD && pdf_print_first_word (page, print)->style & PDF_BOLD
         && pdf_print_last_word (page, print)->style & PDF_BOLD;
}

float pdf_print_column_right (const GArray *prints, guint at)
{
  const PdfPrint *print = PDF_PRINT (prints, at);
  float right = print->box.x1;
  for (guint i = at > 8 ? at - 8 : 0; i < MIN (at + 9, prints->len); i++) {
    const PdfPrint *other = PDF_PRINT (prints, i);
    if (other->kind != PDF_PRINT_TABLE && other->box.x0 < print->box.x1 && print->box.x0 < other->box.x1
        && fabsf (other->size - print->size) < 0.15f * print->size)
      right = MAX (right, other->box.x1);
  }
  return right;
}

/* The look of most characters, by a vote that needs no table (after Boyer and Moore). */
static guint32 usual_look (const PdfPage *page, const PdfPrint *print)
{
  guint32 look = 0, votes = 0;
  for (guint i = 0; i < print->n; i++) {
    const PdfLine *line = PDF_LINE (page, print->first + i);
    for (guint j = 0; j < line->n; j++) {
      const PdfWord *word = PDF_WORD (page, line->first + j);
      guint32 own = word->style >> PDF_LOOK_SHIFT;
      if (own == look)
        votes += word->length;
      else if (votes >= word->length)
        votes -= word->length;
      else {
        look = own;
        votes = word->length - votes;
      }
    }
  }
  return look;
}

GArray *pdf_collect_prints (const PdfPage *page, guint n_tables)
{
  g_autofree gboolean *seen = g_new0 (gboolean, n_tables + 1);
  GArray *prints = g_array_new (FALSE, FALSE, sizeof (PdfPrint));
  for (guint i = 0; i < page->lines->len; i++) {
    const PdfLine *line = PDF_LINE (page, i);
    if (line->dropped || line->n == 0)
      continue;
    if (line->table) {
      if (!seen[line->table]) {
        PdfPrint table = { .first = (guint)line->table - 1, .kind = PDF_PRINT_TABLE };
        g_array_append_val (prints, table);
        seen[line->table] = TRUE;
      }
      continue;
    }
    PdfPrint *last = prints->len ? PDF_PRINT (prints, prints->len - 1) : NULL;
    if (last && last->n && last->first + last->n == i && PDF_LINE (page, i - 1)->row == line->row) {
      pdf_box_unite (&last->box, &line->box);
      last->size
          = (last->size * (float)last->chars + line->size * (float)line->chars) / (float)(last->chars + line->chars);
      last->style = line->chars > last->chars ? line->style : last->style;
      last->chars += line->chars;
      last->words += line->n;
      last->n++;
      continue;
    }
    PdfPrint print = { .first = i,
                       .n = 1,
                       .box = line->box,
                       .size = line->size,
                       .style = line->style,
                       .chars = line->chars,
                       .words = line->n,
                       .contents = line->contents };
    g_array_append_val (prints, print);
  }
  for (guint i = 0; i < prints->len; i++)
    if (PDF_PRINT (prints, i)->kind != PDF_PRINT_TABLE)
      PDF_PRINT (prints, i)->look = usual_look (page, PDF_PRINT (prints, i));
  return prints;
}
