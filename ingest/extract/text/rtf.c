#include "ingest/extract/text/rtf.h"

#include "ingest/extract/text/encoding.h"
#include "ingest/extract/text/rtf-codepages.h"

#include <string.h>

#define MAX_FONTS 10000u
#define MAX_STYLES 10000u
#define MAX_TEXT_BYTES (G_GUINT64_CONSTANT (160) << 20)

/* Where a group's text goes. */
typedef enum {
  TO_BODY,
  TO_NOTE, /* a footnote: behind the paragraph that it belongs to */
  TO_TITLE,
  TO_AUTHOR,
  TO_CREATED, /* numbers only */
  TO_FONTS,
  TO_STYLES,
  TO_NOWHERE,
} Destination;

typedef struct {
  Destination to;
  gboolean hidden, any_destination; /* the group began with \* */
  int unicode_skip;                 /* \uc */
  int font, style, outline;         /* outline: \outlinelevel, -1 without */
  int list_level;                   /* 0: no list item */
  gboolean in_table;
} State;

typedef struct {
  Writer *writer;
  const guint8 *at, *end;
  GArray *stack; /* of State, the innermost last */
  guint64 overflow;
  GByteArray *bytes; /* text not decoded yet, in `codepage` */
  int codepage, ansi_codepage, default_font;
  int skip; /* characters that stand for the last \u */
  gunichar high_surrogate;
  GString *text, *row, *note, *title, *author, *style_name;
  GString *notes; /* of the paragraph in work, each ended by a NUL */
  gboolean header_row, row_has_text, row_has_cells;
  gboolean listed;    /* the paragraph has a list mark */
  GHashTable *fonts;  /* number to code page */
  GHashTable *styles; /* number to heading level */
  int year, month, day;
  Destination outer; /* of \upr */
  guint64 hidden_characters, text_bytes;
} Reader;

int rtf_sniff (const Document *document)
{
  const guint8 *at = document->bytes;
  gsize left = document->size;
  while (left > 0 && (g_ascii_isspace (*at) || *at == 0xEF || *at == 0xBB || *at == 0xBF)) {
    at++;
    left--;
  }
  return left >= 6 && memcmp (at, "{\\rtf", 5) == 0 ? 2 : 0;
}

static State *top (Reader *reader)
{
  return &g_array_index (reader->stack, State, reader->stack->len - 1);
}

static GString *target (Reader *reader)
{
  switch (top (reader)->to) {
  case TO_BODY: return reader->text;
  case TO_NOTE: return reader->note;
  case TO_TITLE: return reader->title;
  case TO_AUTHOR: return reader->author;
  case TO_STYLES: return reader->style_name;
  default: return NULL;
  }
}

/* White space is one space, and none at the beginning. */
static void append_clean (GString *out, const char *text)
{
  for (const char *c = text; *c; c++) {
    if ((guchar)*c > ' ')
      g_string_append_c (out, *c);
    else if (out->len > 0 && out->str[out->len - 1] != ' ')
      g_string_append_c (out, ' ');
  }
}

static void put_text (Reader *reader, const char *text)
{
  GString *out = target (reader);
  if (!out)
    return;
  if (top (reader)->hidden && (out == reader->text || out == reader->note)) {
    reader->hidden_characters += (guint64)g_utf8_strlen (text, -1);
    return;
  }
  append_clean (out, text);
}

/* Decodes the bytes that have come together. */
static void flush_bytes (Reader *reader)
{
  if (reader->bytes->len == 0)
    return;
  g_autofree char *text
      = encoding_decode (reader->bytes->data, reader->bytes->len, rtf_codepage_label (reader->codepage), NULL, NULL);
  g_byte_array_set_size (reader->bytes, 0);
  put_text (reader, text);
}

static void put_byte (Reader *reader, guint8 byte)
{
  if (reader->skip > 0) {
    reader->skip--;
    return;
  }
  if (!target (reader))
    return;
  gpointer found = NULL;
  int codepage = reader->ansi_codepage;
  if (g_hash_table_lookup_extended (reader->fonts, GINT_TO_POINTER (top (reader)->font), NULL, &found) && found)
    codepage = GPOINTER_TO_INT (found);
  if (codepage != reader->codepage) {
    flush_bytes (reader);
    reader->codepage = codepage;
  }
  g_byte_array_append (reader->bytes, &byte, 1);
}

static void put_character (Reader *reader, gunichar c)
{
  char utf8[8] = "";
  flush_bytes (reader);
  if (c >= 0xD800 && c < 0xDC00) {
    reader->high_surrogate = c;
    return;
  }
  if (c >= 0xDC00 && c < 0xE000)
    c = reader->high_surrogate ? 0x10000 + ((reader->high_surrogate - 0xD800) << 10) + (c - 0xDC00) : 0xFFFD;
  reader->high_surrogate = 0;
  if (c >= 0xF020 && c < 0xF100) /* a symbol font's own area */
    c -= 0xF000;
  if (c == 0 || !g_unichar_validate (c))
    return;
  utf8[g_unichar_to_utf8 (c, utf8)] = '\0';
  put_text (reader, utf8);
}

/* ---- paragraphs and rows ---- */

static void chomp (GString *text)
{
  while (text->len > 0 && text->str[text->len - 1] == ' ')
    g_string_truncate (text, text->len - 1);
}

static void emit (Reader *reader, LecternBlockKind kind, int level, GString *text)
{
  chomp (text);
  reader->text_bytes += text->len;
  if (text->len > 0 && reader->text_bytes <= MAX_TEXT_BYTES)
    emit_block_text (reader->writer, kind, level, text->str);
  g_string_truncate (text, 0);
}

static void emit_notes (Reader *reader)
{
  for (gsize at = 0; at < reader->notes->len; at += strlen (reader->notes->str + at) + 1)
    emit_block_text (reader->writer, LECTERN_BLOCK_PARAGRAPH, 0, reader->notes->str + at);
  g_string_truncate (reader->notes, 0);
}

static void end_row (Reader *reader)
{
  flush_bytes (reader);
  chomp (reader->text);
  if (reader->text->len > 0) { /* a last cell without its end */
    g_string_append_printf (reader->row, "%s%s", reader->row_has_cells ? " | " : "", reader->text->str);
    g_string_truncate (reader->text, 0);
    reader->row_has_text = TRUE;
  }
  if (reader->row_has_text)
    emit (reader, LECTERN_BLOCK_TABLE_ROW, reader->header_row, reader->row);
  g_string_truncate (reader->row, 0);
  reader->row_has_text = reader->row_has_cells = FALSE;
  emit_notes (reader);
}

static void end_cell (Reader *reader)
{
  flush_bytes (reader);
  chomp (reader->text);
  if (reader->row_has_cells)
    g_string_append (reader->row, " | ");
  g_string_append_len (reader->row, reader->text->str, (gssize)reader->text->len);
  reader->row_has_text |= reader->text->len > 0;
  reader->row_has_cells = TRUE;
  g_string_truncate (reader->text, 0);
  reader->listed = FALSE;
}

static void end_paragraph (Reader *reader)
{
  flush_bytes (reader);
  State *state = top (reader);
  if (state->to != TO_BODY) {
    put_text (reader, " ");
    return;
  }
  if (state->in_table) {
    append_clean (reader->text, " ");
    return;
  }
  if (reader->row_has_cells)
    end_row (reader);
  int level = GPOINTER_TO_INT (g_hash_table_lookup (reader->styles, GINT_TO_POINTER (state->style)));
  if (state->outline >= 0 && state->outline < 9)
    level = state->outline + 1;
  if (level > 0)
    emit (reader, LECTERN_BLOCK_HEADING, MIN (level, 6), reader->text);
  else if (reader->listed)
    emit (reader, LECTERN_BLOCK_LIST_ITEM, MAX (state->list_level, 1), reader->text);
  else
    emit (reader, LECTERN_BLOCK_PARAGRAPH, 0, reader->text);
  reader->listed = FALSE;
  emit_notes (reader);
}

/* ---- groups ---- */

static void open_group (Reader *reader)
{
  flush_bytes (reader);
  reader->skip = 0;
  if (reader->stack->len >= RTF_MAX_DEPTH) {
    reader->overflow++;
    return;
  }
  State state = *top (reader);
  state.any_destination = FALSE;
  g_array_append_val (reader->stack, state);
}

/* The level that a style's name gives ("heading 2", "Überschrift 1"); 0: none. */
static int level_of_name (const char *name)
{
  static const char *const words[] = { "heading ", "überschrift ", "titre ",     "título ",   "titolo ", "kop ",
                                       "rubrik ",  "overskrift ",  "заголовок ", "nagłówek ", "nadpis ", "otsikko " };
  g_autofree char *lower = g_utf8_strdown (name, -1);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_has_prefix (lower, words[i])) {
      char digit = lower[strlen (words[i])];
      return digit >= '1' && digit <= '9' ? digit - '0' : 0;
    }
  return strcmp (lower, "title") == 0 ? 1 : 0;
}

static void close_group (Reader *reader)
{
  flush_bytes (reader);
  reader->skip = 0;
  if (reader->overflow > 0) {
    reader->overflow--;
    return;
  }
  if (reader->stack->len <= 1)
    return;
  State closed = *top (reader);
  g_array_set_size (reader->stack, reader->stack->len - 1);
  State *state = top (reader);
  if (closed.to == TO_NOTE && state->to != TO_NOTE) {
    chomp (reader->note);
    if (reader->note->len > 0 && reader->notes->len < (1u << 20))
      g_string_append_len (reader->notes, reader->note->str, (gssize)reader->note->len + 1);
    g_string_truncate (reader->note, 0);
  }
  if (closed.to == TO_STYLES && state->to == TO_STYLES) {
    g_autofree char *name = g_strndup (reader->style_name->str, strcspn (reader->style_name->str, ";"));
    int level = closed.outline >= 0 && closed.outline < 9 ? closed.outline + 1 : level_of_name (g_strstrip (name));
    if (level > 0 && g_hash_table_size (reader->styles) < MAX_STYLES)
      g_hash_table_insert (reader->styles, GINT_TO_POINTER (closed.style), GINT_TO_POINTER (level));
    g_string_truncate (reader->style_name, 0);
  }
}

/* ---- control words ---- */

typedef enum {
  WORD_DESTINATION,
  WORD_CHARACTER,
  WORD_PARAGRAPH,
  WORD_BREAK, /* white space */
} WordKind;

typedef struct {
  const char *name;
  WordKind kind;
  guint value;
} Word;

static const Word words[] = {
  { "par", WORD_PARAGRAPH, 0 },
  { "sect", WORD_PARAGRAPH, 0 },
  { "page", WORD_PARAGRAPH, 0 },
  { "line", WORD_BREAK, 0 },
  { "tab", WORD_BREAK, 0 },
  { "nestcell", WORD_BREAK, 0 },
  { "nestrow", WORD_BREAK, 0 },
  { "emspace", WORD_BREAK, 0 },
  { "enspace", WORD_BREAK, 0 },
  { "emdash", WORD_CHARACTER, 0x2014 },
  { "endash", WORD_CHARACTER, 0x2013 },
  { "bullet", WORD_CHARACTER, 0x2022 },
  { "lquote", WORD_CHARACTER, 0x2018 },
  { "rquote", WORD_CHARACTER, 0x2019 },
  { "ldblquote", WORD_CHARACTER, 0x201C },
  { "rdblquote", WORD_CHARACTER, 0x201D },
  { "footnote", WORD_DESTINATION, TO_NOTE },
  { "fonttbl", WORD_DESTINATION, TO_FONTS },
  { "stylesheet", WORD_DESTINATION, TO_STYLES },
  { "title", WORD_DESTINATION, TO_TITLE },
  { "author", WORD_DESTINATION, TO_AUTHOR },
  { "creatim", WORD_DESTINATION, TO_CREATED },
  { "colortbl", WORD_DESTINATION, TO_NOWHERE },
  { "info", WORD_DESTINATION, TO_NOWHERE },
  { "pict", WORD_DESTINATION, TO_NOWHERE },
  { "header", WORD_DESTINATION, TO_NOWHERE },
  { "headerl", WORD_DESTINATION, TO_NOWHERE },
  { "headerr", WORD_DESTINATION, TO_NOWHERE },
  { "headerf", WORD_DESTINATION, TO_NOWHERE },
  { "footer", WORD_DESTINATION, TO_NOWHERE },
  { "footerl", WORD_DESTINATION, TO_NOWHERE },
  { "footerr", WORD_DESTINATION, TO_NOWHERE },
  { "footerf", WORD_DESTINATION, TO_NOWHERE },
  { "filetbl", WORD_DESTINATION, TO_NOWHERE },
  { "nonesttables", WORD_DESTINATION, TO_NOWHERE },
  { "xe", WORD_DESTINATION, TO_NOWHERE },
  { "tc", WORD_DESTINATION, TO_NOWHERE },
};

static void set_state (Reader *reader, const char *word, int value, gboolean has_value)
{
  State *state = top (reader);
  gboolean on = !has_value || value != 0;
  if (strcmp (word, "v") == 0 || strcmp (word, "deleted") == 0) {
    state->hidden = on;
  } else if (strcmp (word, "plain") == 0) {
    state->hidden = FALSE;
    state->font = reader->default_font;
  } else if (strcmp (word, "pard") == 0) {
    state->style = 0;
    state->outline = -1;
    state->list_level = 0;
    state->in_table = FALSE;
  } else if (strcmp (word, "f") == 0) {
    state->font = value;
  } else if (strcmp (word, "deff") == 0) {
    reader->default_font = state->font = value;
  } else if (strcmp (word, "s") == 0) {
    state->style = value;
  } else if (strcmp (word, "outlinelevel") == 0) {
    state->outline = value;
  } else if (strcmp (word, "ilvl") == 0) {
    state->list_level = CLAMP (value, 0, 8) + 1;
  } else if (strcmp (word, "intbl") == 0) {
    state->in_table = TRUE;
  } else if (strcmp (word, "uc") == 0) {
    state->unicode_skip = CLAMP (value, 0, 16);
  } else if (strcmp (word, "ansicpg") == 0) {
    reader->ansi_codepage = reader->codepage = value;
  } else if (strcmp (word, "fcharset") == 0 && state->to == TO_FONTS) {
    if (g_hash_table_size (reader->fonts) < MAX_FONTS)
      g_hash_table_insert (reader->fonts, GINT_TO_POINTER (state->font),
                           GINT_TO_POINTER (rtf_codepage_of_charset (value)));
  } else if (strcmp (word, "trowd") == 0) {
    reader->header_row = FALSE;
  } else if (strcmp (word, "trhdr") == 0) {
    reader->header_row = TRUE;
  } else if (state->to == TO_CREATED && strcmp (word, "yr") == 0) {
    reader->year = value;
  } else if (state->to == TO_CREATED && strcmp (word, "mo") == 0) {
    reader->month = value;
  } else if (state->to == TO_CREATED && strcmp (word, "dy") == 0) {
    reader->day = value;
  }
}

static void enter_destination (Reader *reader, const char *word, Destination to)
{
  State *state = top (reader);
  /* The title and the author of the document stand in \info, which goes nowhere itself. */
  if (state->to == TO_NOWHERE && to != TO_TITLE && to != TO_AUTHOR && to != TO_CREATED)
    return;
  if (to == TO_NOTE)
    state->style = 0;
  state->to = to;
}

/* Binary data: passed over only if its end is where it says, which is behind it a group's end. */
static void skip_binary (Reader *reader, int says)
{
  gsize left = (gsize)(reader->end - reader->at);
  if (says <= 0 || (gsize)says >= left)
    return;
  const guint8 *at = reader->at + says;
  while (at < reader->end && at - reader->at < says + 8 && g_ascii_isspace (*at))
    at++;
  if (at < reader->end && *at == '}')
    reader->at += says;
}

static void take_word (Reader *reader, const char *word, int value, gboolean has_value)
{
  State *state = top (reader);
  if (strcmp (word, "u") == 0) {
    gunichar c = (gunichar)(value < 0 ? value + 65536 : value);
    put_character (reader, c);
    reader->skip = state->unicode_skip;
    return;
  }
  if (strcmp (word, "bin") == 0) {
    skip_binary (reader, value);
    return;
  }
  if (reader->skip > 0) {
    reader->skip--;
    return;
  }
  flush_bytes (reader);
  if (strcmp (word, "upr") == 0) {
    reader->outer = state->to;
    state->to = TO_NOWHERE;
  } else if (strcmp (word, "ud") == 0 && state->to == TO_NOWHERE) {
    state->to = reader->outer;
    reader->outer = TO_NOWHERE;
  } else if (strcmp (word, "listtext") == 0 || strcmp (word, "pntext") == 0) {
    if (state->to == TO_BODY)
      reader->listed = TRUE;
    state->to = TO_NOWHERE;
  } else if (strcmp (word, "shptxt") == 0) {
    state->to = TO_BODY; /* a text box */
    state->in_table = FALSE;
  } else if (strcmp (word, "cell") == 0) {
    if (state->to == TO_BODY)
      end_cell (reader);
  } else if (strcmp (word, "row") == 0) {
    if (state->to == TO_BODY)
      end_row (reader);
  } else {
    for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
      if (strcmp (words[i].name, word) != 0)
        continue;
      switch (words[i].kind) {
      case WORD_PARAGRAPH: end_paragraph (reader); break;
      case WORD_BREAK: put_text (reader, " "); break;
      case WORD_CHARACTER: put_character (reader, words[i].value); break;
      case WORD_DESTINATION: enter_destination (reader, word, (Destination)words[i].value); break;
      }
      return;
    }
    /* In a style sheet a style may be marked so and still be one; elsewhere such a group is passed over if unknown. */
    if (state->any_destination && state->to != TO_STYLES && state->to != TO_FONTS)
      state->to = TO_NOWHERE;
    else
      set_state (reader, word, value, has_value);
  }
  top (reader)->any_destination = FALSE;
}

/* Reads what follows a backslash. */
static void read_control (Reader *reader)
{
  if (reader->at >= reader->end)
    return;
  guint8 c = *reader->at;
  if (!g_ascii_isalpha (c)) {
    reader->at++;
    switch (c) {
    case '\'':
      if (reader->end - reader->at >= 2 && g_ascii_isxdigit (reader->at[0]) && g_ascii_isxdigit (reader->at[1])) {
        put_byte (reader, (guint8)(g_ascii_xdigit_value ((char)reader->at[0]) << 4
                                   | g_ascii_xdigit_value ((char)reader->at[1])));
        reader->at += 2;
      }
      break;
    case '*': top (reader)->any_destination = TRUE; break;
    case '\\':
    case '{':
    case '}': put_byte (reader, c); break;
    case '~': put_byte (reader, ' '); break;
    case '_': put_byte (reader, '-'); break;
    case '\n':
    case '\r': end_paragraph (reader); break;
    default: break;
    }
    return;
  }
  char word[33];
  guint length = 0;
  while (reader->at < reader->end && g_ascii_isalpha (*reader->at)) {
    if (length < sizeof word - 1)
      word[length++] = (char)*reader->at;
    reader->at++;
  }
  word[length] = '\0';
  gboolean negative = reader->at < reader->end && *reader->at == '-';
  gboolean has_value = FALSE;
  gint64 value = 0;
  const guint8 *digits = reader->at + negative;
  while (digits < reader->end && g_ascii_isdigit (*digits)) {
    value = MIN (value * 10 + (*digits - '0'), G_MAXINT32);
    has_value = TRUE;
    digits++;
  }
  if (has_value)
    reader->at = digits;
  if (reader->at < reader->end && *reader->at == ' ')
    reader->at++;
  take_word (reader, word, (int)(negative ? -value : value), has_value);
}

static void report (Reader *reader)
{
  chomp (reader->title);
  chomp (reader->author);
  if (reader->title->len > 0)
    emit_title (reader->writer, reader->title->str);
  if (reader->author->len > 0)
    emit_author (reader->writer, reader->author->str);
  if (reader->year > 0 && reader->year < 10000
      && g_date_valid_dmy ((GDateDay)CLAMP (reader->day, 0, 99), (GDateMonth)CLAMP (reader->month, 0, 99),
                           (GDateYear)reader->year)) {
    g_autofree char *date = g_strdup_printf ("%04d-%02d-%02d", reader->year, reader->month, reader->day);
    emit_date (reader->writer, date);
  }
  if (reader->hidden_characters > 0)
    emit_finding (reader->writer, LECTERN_FINDING_HIDDEN_TEXT, 0, reader->hidden_characters,
                  "marked as hidden or deleted");
  if (reader->text_bytes > MAX_TEXT_BYTES)
    emit_finding (reader->writer, LECTERN_FINDING_CUT, 0, reader->text_bytes - MAX_TEXT_BYTES,
                  "text beyond what one document may hold");
}

Outcome rtf_extract (const Document *document, Writer *writer)
{
  Reader reader = { .writer = writer,
                    .at = document->bytes,
                    .end = document->bytes + document->size,
                    .codepage = 1252,
                    .ansi_codepage = 1252,
                    .outer = TO_NOWHERE };
  State first = { .to = TO_BODY, .unicode_skip = 1, .outline = -1 };
  reader.stack = g_array_new (FALSE, FALSE, sizeof (State));
  g_array_append_val (reader.stack, first);
  reader.bytes = g_byte_array_new ();
  GString **strings[]
      = { &reader.text, &reader.row, &reader.note, &reader.title, &reader.author, &reader.style_name, &reader.notes };
  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    *strings[i] = g_string_new (NULL);
  reader.fonts = g_hash_table_new (NULL, NULL);
  reader.styles = g_hash_table_new (NULL, NULL);
  while (reader.at < reader.end) {
    guint8 c = *reader.at++;
    if (c == '\\')
      read_control (&reader);
    else if (c == '{')
      open_group (&reader);
    else if (c == '}')
      close_group (&reader);
    else if (c != '\n' && c != '\r' && c != '\0')
      put_byte (&reader, c);
  }
  flush_bytes (&reader);
  g_array_set_size (reader.stack, 1);
  end_paragraph (&reader);
  if (reader.row_has_cells)
    end_row (&reader);
  report (&reader);
  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    g_string_free (*strings[i], TRUE);
  g_byte_array_unref (reader.bytes);
  g_array_unref (reader.stack);
  g_hash_table_unref (reader.fonts);
  g_hash_table_unref (reader.styles);
  if (emit_count_blocks (writer) == 0)
    return outcome_failed (LECTERN_STATUS_EMPTY, "The document holds no text.");
  return outcome_indexed ();
}
