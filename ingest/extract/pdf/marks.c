/* marks.c: what the words of a line say about it: list items, captions, numbered headings. */
#include "ingest/extract/pdf/print.h"

#include <string.h>

gsize pdf_list_mark (const char *text)
{
  static const char *const bullets[] = { "•", "‣", "◦", "▪", "▫", "●", "○", "■", "□", "–", "—", "➢", "✓", "∙", "·",
                                         "-", "*", "⋆", "►", "▶", "∗", "⁃", "❖", "✔", "→", "o", "+", "◆", "◇" };
  for (guint i = 0; i < G_N_ELEMENTS (bullets); i++)
    if (g_str_has_prefix (text, bullets[i])) {
      gsize n = strlen (bullets[i]);
      return text[n] == ' ' && text[n + 1] ? n + 1 : 0;
    }
  gsize n = 0;
  gboolean bracket = text[0] == '(' || text[0] == '[';
  char close = text[0] == '[' ? ']' : ')';
  n += bracket;
  gsize digits = strspn (text + n, "0123456789"), roman = strspn (text + n, "ivx");
  if (digits > 0 && digits <= 3)
    n += digits;
  else if (roman > 0 && roman <= 5
           && (text[n + roman] == ')' || (bracket && text[n + roman] == close)
               || (text[n + roman] == '.' && text[n + roman + 1] == ' ')))
    n += roman;
  else if (g_ascii_isalpha (text[n]) && (text[n + 1] == close || (text[n + 1] == '.' && g_ascii_islower (text[n]))))
    n += 1;
  else
    return 0;
  if (text[n] != close && (bracket || text[n] != '.'))
    return 0;
  n++;
  return text[n] == ' ' && text[n + 1] ? n + 1 : 0;
}

gboolean pdf_is_caption (const char *text, gboolean marked)
{
  static const char *const words[]
      = { "Figure",      "Fig.",      "FIGURE",   "FIG.",   "Table",    "TABLE",   "Tab.",      "Abbildung",
          "Abb.",        "Tabelle",   "Tableau",  "Figura", "Tabla",    "Tabela",  "Tabella",   "Quadro",
          "Listing",     "Algorithm", "Scheme",   "Figuur", "Tabel",    "Tabell",  "Rysunek",   "Rys.",
          "Obrázek",     "Obr.",      "Tabulka",  "Kuva",   "Taulukko", "Рисунок", "Рис.",      "Таблица",
          "Табл.",       "Exhibit",   "Chart",    "Plate",  "Diagram",  "Grafik",  "Schaubild", "Graphique",
          "Ilustración", "Listado",   "Beispiel", "Şekil",  "Tablo",    "Εικόνα",  "Πίνακας",   "図",
          "表",          "图",        "그림",     "표" };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_has_prefix (text, words[i])) {
      const char *p = text + strlen (words[i]);
      if (*p == ' ')
        p++;
      else if ((guchar)text[0] < 0xe0) /* only the scripts without blanks do without one */
        continue;
      gsize n = strspn (p, "0123456789.-IVX");
      if (n == 0 && g_ascii_isupper (*p) && (p[1] == '.' || g_ascii_isdigit (p[1])))
        n = 1 + strspn (p + 1, "0123456789.-");
      if (n == 0)
        return FALSE;
      if (marked && p[n] == ' ' && g_unichar_isupper (g_utf8_get_char (p + n + 1)))
        return TRUE;
      return p[n - 1] == '.' || strchr (":|)", p[n]) != NULL || g_str_has_prefix (p + n, " –")
             || g_str_has_prefix (p + n, " —") || g_str_has_prefix (p + n, " - ") || g_str_has_prefix (p + n, " |")
             || g_str_has_prefix (p + n, " :");
    }
  return FALSE;
}

int pdf_numbering_depth (const char *text)
{
  static const struct {
    const char *word;
    int depth;
  } words[] = { { "Chapter ", 1 },  { "Appendix ", 1 }, { "Part ", 1 },      { "Kapitel ", 1 }, { "Chapitre ", 1 },
                { "Section ", 1 },  { "CHAPTER ", 1 },  { "APPENDIX ", 1 },  { "PART ", 1 },    { "Teil ", 1 },
                { "Anhang ", 1 },   { "Annex ", 1 },    { "ANNEX ", 1 },     { "Annexe ", 1 },  { "Capítulo ", 1 },
                { "Capitolo ", 1 }, { "Anexo ", 1 },    { "Hoofdstuk ", 1 }, { "Глава ", 1 },   { "Rozdział ", 1 },
                { "Article ", 2 },  { "Artikel ", 2 },  { "§ ", 2 } };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_has_prefix (text, words[i].word)) {
      const char *number = text + strlen (words[i].word);
      gsize n = strspn (number, "0123456789.IVXLC");
      if (n == 0 && g_ascii_isupper (*number))
        n = 1;
      if (n > 0 && (number[n] == '\0' || strchr (" :.-", number[n]) != NULL))
        return words[i].depth;
    }
  const char *p = text;
  int depth = 0;
  gsize roman = strspn (p, "IVXLC");
  gboolean letter = g_ascii_isupper (*p) && (p[1] == '.' || p[1] == ' ');
  if (roman > 1 && p[roman] == '.' && p[roman + 1] == ' ') {
    depth = 1;
    p += roman + 1;
  }
  while (depth < 6 && p >= text && !(roman > 1 && depth == 1 && p[-1] == '.')) {
    gsize digits = strspn (p, "0123456789");
    if (letter && depth == 0)
      digits = 1;
    if (digits == 0 || digits > 3)
      break;
    depth++;
    p += digits;
    if (*p != '.')
      break;
    p++;
  }
  if (depth == 0 || *p != ' ')
    return 0;
  /* "A" is a word, too, and a number without points counts things. */
  gunichar next = g_utf8_get_char (p + 1);
  if (letter && p == text + 1)
    return g_unichar_isupper (next) && *g_utf8_next_char (p + 1) != ' ' && *g_utf8_next_char (p + 1) ? 1 : 0;
  return g_unichar_isalpha (next) || strchr ("\\“\"‘'(¿¡<[{#_", *(p + 1)) != NULL ? depth : 0;
}

gboolean pdf_ends_sentence (const char *text)
{
  gsize n = strlen (text);
  while (n > 0 && strchr (")]\"'", text[n - 1]))
    n--;
  if (n >= 3 && (memcmp (text + n - 3, "”", 3) == 0 || memcmp (text + n - 3, "’", 3) == 0))
    n -= 3;
  return n > 0 && strchr (".?!:", text[n - 1]) != NULL;
}
