/* structure.c: the headings that a tagged PDF names. Poppler lays out a page anew for the text of each element: only
 * headings are asked for, and not too many. What is found is looked for in print, as the entries of an outline are, so
 * that tags that are damaged or wrong lose nothing. */
#include "ingest/extract/pdf/structure.h"

#include <string.h>

#define MAX_DEPTH 40u
#define MAX_ELEMENTS 50000u
#define MAX_HEADINGS 400u
#define MAX_HEADINGS_PER_PAGE 25u /* one with more is tagged at random */
#define MAX_TITLE_BYTES 300u

typedef struct {
  GArray *entries; /* of PdfOutlineEntry */
  guint elements, headings, on_page;
  int page;
} Tags;

static int level_of (PopplerStructureElementKind kind)
{
  if (kind == POPPLER_STRUCTURE_ELEMENT_HEADING)
    return 1;
  if (kind >= POPPLER_STRUCTURE_ELEMENT_HEADING_1 && kind <= POPPLER_STRUCTURE_ELEMENT_HEADING_6)
    return 1 + (int)(kind - POPPLER_STRUCTURE_ELEMENT_HEADING_1);
  return 0;
}

static void add_heading (Tags *tags, PopplerStructureElement *element, int level)
{
  int page = poppler_structure_element_get_page (element) + 1;
  tags->on_page = page == tags->page ? tags->on_page + 1 : 1;
  tags->page = page;
  if (page < 1 || tags->on_page > MAX_HEADINGS_PER_PAGE)
    return;
  tags->headings++;
  g_autofree char *text = poppler_structure_element_get_text (element, POPPLER_STRUCTURE_GET_TEXT_RECURSIVE);
  if (!text || strlen (text) > MAX_TITLE_BYTES)
    return;
  PdfOutlineEntry entry = { pdf_text_key (text), level, page };
  if (*entry.key)
    g_array_append_val (tags->entries, entry);
  else
    g_free (entry.key);
}

static void walk (Tags *tags, PopplerStructureElementIter *iter, guint depth)
{
  do {
    if (tags->elements++ >= MAX_ELEMENTS || tags->headings >= MAX_HEADINGS)
      return;
    PopplerStructureElement *element = poppler_structure_element_iter_get_element (iter);
    int level = element ? level_of (poppler_structure_element_get_kind (element)) : 0;
    if (level)
      add_heading (tags, element, level);
    PopplerStructureElementIter *child
        = level || depth >= MAX_DEPTH ? NULL : poppler_structure_element_iter_get_child (iter);
    if (child) {
      walk (tags, child, depth + 1);
      poppler_structure_element_iter_free (child);
    }
    g_clear_object (&element);
  } while (poppler_structure_element_iter_next (iter));
}

void pdf_read_tagged_headings (PopplerDocument *source, GArray *entries)
{
  PopplerStructureElementIter *iter = poppler_structure_element_iter_new (source);
  if (!iter)
    return;
  Tags tags = { .entries = entries };
  walk (&tags, iter, 0);
  poppler_structure_element_iter_free (iter);
}
