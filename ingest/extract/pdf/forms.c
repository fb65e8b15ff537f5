#include "ingest/extract/pdf/forms.h"
#include "ingest/extract/pdf/document.h"

#include <string.h>

#define MAX_FIELDS 2000u      /* of one page; as many comments */
#define MAX_TEXT_BYTES 65536u /* of one value */
#define MAX_LABEL_BYTES 300u
#define MAX_ITEMS 2000     /* of one list */
#define LONG_KEY_BYTES 12u /* so many letters and digits stand twice on a page only if they are the same text */

typedef struct {
  PopplerPage *source;
  const PdfPage *page;
  char *page_key;   /* the letters and digits of its contents; NULL until asked for */
  GHashTable *seen; /* texts of this page's blocks; borrowed from them */
  GPtrArray *blocks;
} Reader;

/* ---- text ------------------------------------------------------------------------------------------------ */

/* Takes `text` (may be NULL) and returns it as valid UTF-8 with single blanks, cut after `limit` bytes. */
static char *clean (char *text, gsize limit)
{
  g_autofree char *raw = text;
  gsize length = raw ? strlen (raw) : 0;
  g_autofree char *valid = g_utf8_make_valid (raw ? raw : "", (gssize)MIN (length, limit));
  GString *out = g_string_new (NULL);
  gboolean blank = FALSE;
  for (const char *p = valid; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    if (g_unichar_isspace (c) || g_unichar_iscntrl (c)) {
      blank = out->len > 0;
      continue;
    }
    if (c == 0xfffd || c == 0xfeff || (c >= 0xe000 && c <= 0xf8ff))
      continue;
    if (blank)
      g_string_append_c (out, ' ');
    blank = FALSE;
    g_string_append_unichar (out, c);
  }
  return g_string_free (out, FALSE);
}

/* Takes the name of a field and returns it if it is words a person wrote and no program, else "". */
static char *readable_name (char *name)
{
  static const char *const generic[]
      = { "text",     "textfield", "textbox",  "field",  "checkbox", "radiobutton",  "button",
          "group",    "listbox",   "combobox", "choice", "dropdown", "dropdownlist", "undefined",
          "untitled", "fill",      "form",     "value",  "input",    "signature" };
  char *words = clean (name, MAX_LABEL_BYTES);
  g_strdelimit (words, "_", ' ');
  g_strstrip (words);
  gboolean readable = TRUE;
  guint letters = 0;
  for (const char *p = words; *p && readable; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    letters += g_unichar_isalpha (c) ? 1 : 0;
    readable = g_unichar_isalpha (c) || g_unichar_ismark (c) || (c < 0x80 && strchr (" -'.,:/&?", (char)c));
  }
  g_autofree char *key = pdf_text_key (words);
  for (guint i = 0; i < G_N_ELEMENTS (generic); i++)
    readable &= strcmp (key, generic[i]) != 0;
  if (!readable || letters < 3)
    *words = '\0';
  return words;
}

static char *label_of (PopplerFormField *field)
{
  char *label = clean (poppler_form_field_get_alternate_ui_name (field), MAX_LABEL_BYTES);
  if (!*label) {
    g_free (label);
    label = readable_name (poppler_form_field_get_partial_name (field));
  }
  gsize length = strlen (label);
  while (length > 0 && (label[length - 1] == ':' || label[length - 1] == ' '))
    label[--length] = '\0';
  return label;
}

static char *chosen_items (PopplerFormField *field)
{
  GString *chosen = g_string_new (NULL);
  int n = poppler_form_field_choice_get_n_items (field);
  for (int i = 0; i < MIN (n, MAX_ITEMS) && chosen->len < MAX_TEXT_BYTES; i++) {
    if (!poppler_form_field_choice_is_item_selected (field, i))
      continue;
    g_autofree char *item = poppler_form_field_choice_get_item (field, i);
    if (item)
      g_string_append_printf (chosen, "%s%s", chosen->len ? ", " : "", item);
  }
  if (chosen->len > 0 || !poppler_form_field_choice_is_editable (field))
    return g_string_free (chosen, FALSE);
  g_string_free (chosen, TRUE);
  return poppler_form_field_choice_get_text (field);
}

/* ---- place ----------------------------------------------------------------------------------------------- */

/* A rectangle from the page's bottom left corner, cut to the page. */
static PdfBox box_on_page (const PdfPage *page, const PopplerRectangle *area)
{
  double x0 = CLAMP (MIN (area->x1, area->x2), 0, page->width), x1 = CLAMP (MAX (area->x1, area->x2), 0, page->width);
  double y0 = page->height - MAX (area->y1, area->y2), y1 = page->height - MIN (area->y1, area->y2);
  return (PdfBox){ (float)x0, (float)CLAMP (y0, 0, page->height), (float)x1, (float)CLAMP (y1, 0, page->height) };
}

static gboolean same_size (const PopplerRectangle *a, const PopplerRectangle *b)
{
  double wide[2] = { ABS (a->x2 - a->x1), ABS (b->x2 - b->x1) }, high[2] = { ABS (a->y2 - a->y1), ABS (b->y2 - b->y1) };
  return (ABS (wide[0] - wide[1]) < 1 && ABS (high[0] - high[1]) < 1)
         || (ABS (wide[0] - high[1]) < 1 && ABS (high[0] - wide[1]) < 1);
}

static gboolean is_hidden (PopplerAnnot *annotation)
{
  return (poppler_annot_get_flags (annotation) & (POPPLER_ANNOT_FLAG_HIDDEN | POPPLER_ANNOT_FLAG_NO_VIEW)) != 0;
}

/* ---- blocks ---------------------------------------------------------------------------------------------- */

/* Whether the page's contents show the value: at its place, or anywhere if it is long enough. */
static gboolean is_printed (Reader *reader, const char *key, const PdfBox *box)
{
  const PdfPage *page = reader->page;
  if (!reader->page_key)
    reader->page_key = pdf_text_key (page->text->str);
  if (!strstr (reader->page_key, key))
    return FALSE;
  if (strlen (key) >= LONG_KEY_BYTES)
    return TRUE;
  GString *here = g_string_new (NULL);
  for (guint i = 0; i < page->words->len; i++) {
    const PdfWord *word = PDF_WORD (page, i);
    float x = (word->shown.x0 + word->shown.x1) / 2, y = (word->shown.y0 + word->shown.y1) / 2;
    if (x >= box->x0 && x <= box->x1 && y >= box->y0 && y <= box->y1)
      g_string_append_len (here, page->text->str + word->start, word->length);
  }
  g_autofree char *here_key = pdf_text_key (here->str);
  g_string_free (here, TRUE);
  return strstr (here_key, key) != NULL;
}

static void add_spans (LecternBlock *block, const PdfBox *box)
{
  const LecternRect rect = { block->page, box->x0, box->y0, box->x1 - box->x0, box->y1 - box->y0 };
  const char *start = block->text;
  while (*start) {
    gsize length = strcspn (start, " ");
    LecternSpan span = { (guint32)(start - block->text), (guint32)length, rect };
    g_array_append_val (block->spans, span);
    start += length + (start[length] == ' ');
  }
}

static void add (Reader *reader, const char *label, const char *value, const PopplerRectangle *area)
{
  g_autofree char *key = pdf_text_key (value), *label_key = pdf_text_key (label);
  PdfBox box = box_on_page (reader->page, area);
  if (!*key || is_printed (reader, key, &box))
    return;
  LecternBlock *block = pdf_block_new (LECTERN_BLOCK_PARAGRAPH, 0, reader->page->number);
  if (*label && strcmp (key, label_key) != 0) {
    pdf_block_append_text (block, label);
    pdf_block_append_text (block, ": ");
  }
  pdf_block_append_text (block, value);
  if (g_hash_table_contains (reader->seen, block->text)) {
    lectern_block_free (block);
    return;
  }
  g_hash_table_add (reader->seen, block->text);
  add_spans (block, &box);
  g_ptr_array_add (reader->blocks, block);
}

static void add_field (Reader *reader, PopplerFormField *field, const PopplerRectangle *area)
{
  g_autofree char *label = label_of (field), *value = NULL;
  switch (poppler_form_field_get_field_type (field)) {
  case POPPLER_FORM_FIELD_TEXT:
    if (!poppler_form_field_text_is_password (field))
      value = clean (poppler_form_field_text_get_text (field), MAX_TEXT_BYTES);
    break;
  case POPPLER_FORM_FIELD_CHOICE: value = clean (chosen_items (field), MAX_TEXT_BYTES); break;
  case POPPLER_FORM_FIELD_BUTTON:
    if (poppler_form_field_button_get_button_type (field) != POPPLER_FORM_BUTTON_PUSH
        && poppler_form_field_button_get_state (field))
      value = g_strdup (label);
    break;
  case POPPLER_FORM_FIELD_SIGNATURE:
  case POPPLER_FORM_FIELD_UNKNOWN:
  default: break;
  }
  if (value)
    add (reader, label, value, area);
}

/* Poppler gives the fields from the last to the first, and where they stand as if the page were not rotated; their
 * widgets among the annotations stand where the page shows them, and know what is hidden. */
static void add_fields (Reader *reader, const GPtrArray *widgets)
{
  GList *fields = g_list_reverse (poppler_page_get_form_field_mapping (reader->source));
  gboolean paired = g_list_length (fields) == widgets->len;
  guint i = 0;
  for (GList *at = fields; at && i < MAX_FIELDS; at = at->next, i++) {
    const PopplerFormFieldMapping *mapping = at->data;
    const PopplerAnnotMapping *widget = paired ? widgets->pdata[i] : NULL;
    if (widget && !same_size (&widget->area, &mapping->area))
      widget = NULL;
    if (!widget || !is_hidden (widget->annot))
      add_field (reader, mapping->field, widget ? &widget->area : &mapping->area);
  }
  poppler_page_free_form_field_mapping (fields);
}

/* Whether the contents of an annotation are words for the reader of the page. */
static gboolean is_comment (PopplerAnnot *annotation)
{
  switch (poppler_annot_get_annot_type (annotation)) {
  case POPPLER_ANNOT_TEXT:
  case POPPLER_ANNOT_FREE_TEXT:
  case POPPLER_ANNOT_LINE:
  case POPPLER_ANNOT_SQUARE:
  case POPPLER_ANNOT_CIRCLE:
  case POPPLER_ANNOT_POLYGON:
  case POPPLER_ANNOT_POLY_LINE:
  case POPPLER_ANNOT_HIGHLIGHT:
  case POPPLER_ANNOT_UNDERLINE:
  case POPPLER_ANNOT_SQUIGGLY:
  case POPPLER_ANNOT_STRIKE_OUT:
  case POPPLER_ANNOT_STAMP:
  case POPPLER_ANNOT_CARET:
  case POPPLER_ANNOT_INK:
  case POPPLER_ANNOT_FILE_ATTACHMENT: return !is_hidden (annotation);
  default: return FALSE;
  }
}

void pdf_forms_read (PopplerPage *source, const PdfPage *page, GPtrArray *blocks)
{
  GList *annotations = poppler_page_get_annot_mapping (source);
  if (!annotations) /* every field that is seen has its widget among them */
    return;
  Reader reader = { source, page, NULL, g_hash_table_new (g_str_hash, g_str_equal), blocks };
  GPtrArray *widgets = g_ptr_array_new ();
  for (GList *at = annotations; at; at = at->next)
    if (poppler_annot_get_annot_type (((PopplerAnnotMapping *)at->data)->annot) == POPPLER_ANNOT_WIDGET)
      g_ptr_array_add (widgets, at->data);
  if (widgets->len > 0)
    add_fields (&reader, widgets);
  guint n = 0;
  for (GList *at = annotations; at && n < MAX_FIELDS; at = at->next) {
    const PopplerAnnotMapping *mapping = at->data;
    if (!is_comment (mapping->annot))
      continue;
    n++;
    g_autofree char *text = clean (poppler_annot_get_contents (mapping->annot), MAX_TEXT_BYTES);
    add (&reader, "", text, &mapping->area);
  }
  g_ptr_array_unref (widgets);
  g_hash_table_unref (reader.seen);
  g_free (reader.page_key);
  poppler_page_free_annot_mapping (annotations);
}
