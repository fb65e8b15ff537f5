#include "retrieval/answer/form.h"

#include <string.h>

/* Lower case, spaces around; one list for all languages, since a cue of one is rare in another. */
static const char reason_cues[]
    = " because | due to | since | so that | in order to | weil | da | damit | denn | car | parce que | afin "
      "| porque | perché | affinché | omdat | zodat | eftersom | потому что | чтобы |因为|为了|ため|から";
static const char definition_cues[]
    = " is a | is an | is the | are the | means | refers to | is called | stands for | ist ein | ist eine | ist der "
      "| ist die | ist das | bedeutet | bezeichnet | heißt | est un | est une | désigne | signifie | es un | es una "
      "| significa | è un | è una | é um | é uma | is een | är en | är ett | это | означает |是|とは|指す";

static gboolean has_cue (const char *text, gsize length, const char *cues)
{
  g_autofree char *folded = g_utf8_strdown (text, (gssize)length);
  g_autofree char *lower = g_strconcat (" ", folded, " ", NULL);
  g_auto (GStrv) list = g_strsplit (cues, "|", -1);
  for (char **cue = list; *cue; cue++)
    if (strstr (lower, *cue))
      return TRUE;
  return FALSE;
}

/* Whether the sentence holds a name or number that the question does not. */
static gboolean has_new (const LecternPassage *passage, const LecternPassageSentence *sentence,
                         const LecternQuestion *question, guint32 flag)
{
  for (guint i = sentence->first_term; i < sentence->first_term + sentence->n_terms; i++) {
    const LecternTerm *term = &g_array_index (passage->terms, LecternTerm, i);
    if (!(term->flags & flag))
      continue;
    gboolean asked = FALSE;
    for (guint k = 0; k < question->terms->len && !asked; k++)
      asked = g_array_index (question->terms, LecternQuestionTerm, k).id == term->id;
    if (!asked)
      return TRUE;
  }
  return FALSE;
}

/* ---- measures and prices --------------------------------------------------------------------------------- */

static const char number_words[] = " one two three four five six seven eight nine ten eleven twelve fifteen twenty "
                                   "thirty sixty ninety hundred half a "
                                   "an every each few several per ein eine einen zwei drei vier fünf sechs sieben acht "
                                   "neun zehn zwölf halbe jede jeden "
                                   "alle un une deux trois quatre cinq six sept huit neuf dix una uno dos tres cuatro "
                                   "cinco seis siete ocho nueve diez "
                                   "due tre quattro cinque sei sette otto nove dieci dois duas três quatro cinco oito "
                                   "dez twee drie vier vijf två tre "
                                   "fyra fem ";
static const char unit_words[]
    = " second seconds minute minutes hour hours day days week weeks month months year years times time once twice s "
      "min h ms "
      "millisecond milliseconds daily weekly monthly yearly annually hourly night nights millimetre millimetres mm "
      "centimetre centimetres centimeter centimeters cm metre metres meter meters m kilometre kilometres km inch "
      "inches "
      "feet miles gram grams g kilogram kilograms kg litre litres liter liters l ml ounces pounds lb c °c °f degree "
      "degrees characters bytes letters pages sekunde sekunden minuten stunde stunden tag tage tagen woche wochen "
      "monat monate monaten jahr jahre jahren mal gramm zentimeter liter zeichen seconde secondes heure heures jour "
      "jours "
      "semaine semaines mois an ans année années fois segundo segundos minuto minutos hora horas día días semana "
      "semanas "
      "mes meses año años veces secondi minuti ora ore giorno giorni settimana settimane mese mesi anno anni volte dia "
      "dias "
      "mês ano anos vezes uur dag dagen weken maand maanden jaar keer sekunder minuter timmar dagar veckor månader år ";
static const char money[]
    = "€|$|£|¥| eur | euro | euros | usd | dollars | cents | gbp | chf | free |kostenlos|gratuit|gratis";

static gboolean has_word (const char *list, const char *word)
{
  const char *at = list;
  gsize length = strlen (word);
  while (length && (at = strstr (at, word))) {
    if (at[-1] == ' ' && at[length] == ' ')
      return TRUE;
    at += length;
  }
  return FALSE;
}

/* The text in lower case, everything but letters, digits and degree signs a space, spaces around. */
static char *get_words (const char *text, gsize length)
{
  g_autofree char *lower = g_utf8_strdown (text, (gssize)length);
  GString *out = g_string_new (" ");
  for (const char *p = lower; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    gboolean word = g_unichar_isalnum (c) || c == 0xB0;
    /* "60L", "5s": unit behind its number without a space. */
    if (word && g_unichar_isalpha (c) && g_ascii_isdigit (out->str[out->len - 1]))
      g_string_append_c (out, ' ');
    if (word)
      g_string_append_unichar (out, c);
    else if (out->str[out->len - 1] != ' ')
      g_string_append_c (out, ' ');
  }
  g_string_append_c (out, ' ');
  return g_string_free (out, FALSE);
}

/* "45 days", "two and a half hours", "daily", "once". */
static gboolean has_measure (const char *text, gsize length)
{
  static const char alone[] = " daily weekly monthly yearly annually hourly once twice ";
  enum { REACH = 3 };
  g_autofree char *words = get_words (text, length);
  g_auto (GStrv) list = g_strsplit (words, " ", -1);
  guint since = REACH + 1;
  for (char **word = list; *word; word++) {
    if (!**word)
      continue;
    if (has_word (alone, *word) || (since <= REACH && has_word (unit_words, *word)))
      return TRUE;
    since = strpbrk (*word, "0123456789") || has_word (number_words, *word) ? 1 : since + 1;
  }
  return FALSE;
}

static gboolean has_digit (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (g_ascii_isdigit (text[i]))
      return TRUE;
  return FALSE;
}

/* ---- definitions ----------------------------------------------------------------------------------------- */

/* Whether the sentence begins with what is asked about: its first content word is one of the question's. */
static gboolean is_subject (const LecternPassage *passage, const LecternPassageSentence *sentence,
                            const LecternQuestion *question)
{
  for (guint i = sentence->first_term; i < sentence->first_term + sentence->n_terms; i++) {
    const LecternTerm *term = &g_array_index (passage->terms, LecternTerm, i);
    if (term->flags & LECTERN_TERM_STOP)
      continue;
    for (guint k = 0; k < question->terms->len; k++) {
      const LecternQuestionTerm *asked = &g_array_index (question->terms, LecternQuestionTerm, k);
      if (asked->id == term->id)
        return asked->prior >= 1;
    }
    return FALSE;
  }
  return FALSE;
}

double lectern_form_fit (const LecternPassage *passage, const LecternPassageSentence *sentence,
                         const LecternQuestion *question)
{
  const char *text = passage->result->text + sentence->range.start;
  gsize length = sentence->range.end - sentence->range.start;
  switch (question->asks) {
  case LECTERN_ASKS_MEASURE: return has_measure (text, length) ? 6 : 0;
  case LECTERN_ASKS_PRICE: {
    g_autofree char *words = get_words (text, length);
    g_autofree char *both = g_strndup (text, length);
    g_autofree char *all = g_strconcat (both, words, NULL);
    return has_cue (all, strlen (all), money) ? has_digit (text, length) ? 6 : 4 : 0;
  }
  case LECTERN_ASKS_NUMBER:
  case LECTERN_ASKS_TIME: return has_new (passage, sentence, question, LECTERN_TERM_NUMBER);
  case LECTERN_ASKS_PERSON:
  case LECTERN_ASKS_PLACE: return has_new (passage, sentence, question, LECTERN_TERM_NAME);
  case LECTERN_ASKS_DEFINITION:
    return (has_cue (text, length, definition_cues) ? 1 : 0) + (is_subject (passage, sentence, question) ? 2.5 : 0);
  case LECTERN_ASKS_REASON: return has_cue (text, length, reason_cues);
  case LECTERN_ASKS_STEPS:
  case LECTERN_ASKS_LIST:
  case LECTERN_ASKS_ANYTHING: break;
  }
  return 0;
}

gboolean lectern_form_points_back (const LecternPassage *passage, const LecternPassageSentence *sentence)
{
  static const char pronouns[] = " it this these they he she such both then er es sie dies diese dieser dieses dabei "
                                 "dazu il elle ils elles cela ce cette "
                                 "ces esto este esta estos estas ello questo questa questi isso isto esse essa dit "
                                 "deze dat det detta denna dessa это ";
  const char *text = passage->result->text + sentence->range.start;
  gsize length = sentence->range.end - sentence->range.start, n = 0;
  while (n < length && text[n] != ' ')
    n++;
  g_autofree char *word = g_utf8_strdown (text, (gssize)n);
  return has_word (pronouns, word);
}
