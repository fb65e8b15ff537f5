/* footnotes.c: notes in smaller type at the foot of a column. They are read after the page, so that no sentence is cut. */
#include "ingest/extract/pdf/print.h"

#include <string.h>

#define SMALLER 0.93f   /* of the body's size, at most */
#define FOOT_FROM 0.45f /* of the page's height: they stand lower */

/* Whether a line begins with the mark of a note: a number or a sign, by itself or before the first word. */
static gboolean begins_note (const PdfPage *page, const PdfPrint *print)
{
  static const char *const signs[] = { "*", "∗", "†", "‡", "§", "¶", "‖", "#" };
  const PdfWord *word = pdf_print_first_word (page, print);
  const char *text = page->text->str + word->start;
  gsize digits = strspn (text, "0123456789");
  if (digits > 0 && digits <= 3) {
    if (digits >= word->length)
      return print->words > 1;
    /* "1The" with the number raised is one word; "1999" and "2nd" begin none. */
    gunichar next = g_utf8_get_char (text + digits);
    return g_unichar_isupper (next) || strchr (").]", text[digits]) != NULL;
  }
  for (guint i = 0; i < G_N_ELEMENTS (signs); i++)
    if (strlen (signs[i]) <= word->length && g_str_has_prefix (text, signs[i]))
      return TRUE;
  return *text == '[' && g_ascii_isdigit (text[1]);
}

/* The end of the column that begins at line i. */
static guint column_end (const GArray *prints, guint i)
{
  for (i++; i < prints->len; i++) {
    const PdfPrint *print = PDF_PRINT (prints, i), *above = print - 1;
    if (print->kind == PDF_PRINT_TABLE || above->kind == PDF_PRINT_TABLE || print->box.y1 <= above->box.y1
        || print->box.x0 > above->box.x1 || print->box.x1 < above->box.x0)
      break;
  }
  return i;
}

/* Marks the notes that lines [first, end), a column, end in. */
static void mark_column (const PdfDocument *document, const PdfPage *page, GArray *prints, guint first, guint end)
{
  guint at = end, note = end;
  while (at > first) {
    const PdfPrint *print = PDF_PRINT (prints, at - 1);
    if (print->kind == PDF_PRINT_TABLE || print->level || print->contents
        || (print->style & PDF_MONO && !begins_note (page, print)) || print->size > SMALLER * document->body_size
        || print->box.y0 < FOOT_FROM * page->height)
      break;
    at--;
    if (begins_note (page, print))
      note = at;
  }
  g_autofree char *text = note < end ? pdf_print_text (page, PDF_PRINT (prints, note)) : NULL;
  if (!text || pdf_is_caption (text, TRUE) || (note == 0 && end == prints->len))
    return; /* a page of small print only is a page of text */
  for (guint i = note; i < end; i++)
    PDF_PRINT (prints, i)->note = TRUE;
}

void pdf_mark_footnotes (const PdfDocument *document, const PdfPage *page, GArray *prints)
{
  for (guint i = 0, end; i < prints->len; i = end) {
    end = column_end (prints, i);
    mark_column (document, page, prints, i, end);
  }
}

void pdf_collect_footnotes (const PdfDocument *document, const PdfPage *page, const GArray *prints, GPtrArray *notes)
{
  LecternBlock *note = NULL;
  for (guint i = 0; i < prints->len; i++) {
    const PdfPrint *print = PDF_PRINT (prints, i);
    if (!print->note) {
      note = NULL;
      continue;
    }
    if (!note || begins_note (page, print)) {
      note = pdf_block_new (LECTERN_BLOCK_PARAGRAPH, 0, page->number);
      g_ptr_array_add (notes, note);
    }
    for (guint j = 0; j < print->n; j++) {
      const PdfLine *line = PDF_LINE (page, print->first + j);
      gboolean soft = (j ? line[-1].style : i && print[-1].note ? print[-1].style : 0) & PDF_SOFT_HYPHEN;
      pdf_block_append_line (note, document, page, line, soft && *note->text);
    }
  }
}
