#include "retrieval/answer/question.h"

#include <string.h>

/* Looked for in this order, first hit decides. Lower case; a cue with spaces around it matches whole words. */
static const struct {
  LecternAsks asks;
  const char *cues;
} forms[] = {
  { LECTERN_ASKS_PRICE,
    " how much does it cost | how much do | how much is it | how expensive | what does it cost | what is "
    "the cost | what is the price | what is the fee | how much must i pay | how much will i pay | was "
    "kostet | wie teuer | combien coûte | cuánto cuesta | quanto costa | quanto custa | wat kost | vad "
    "kostar | сколько стоит " },
  { LECTERN_ASKS_MEASURE,
    " how long | how often | how far | how old | how soon | how quickly | how tall | how wide | how "
    "heavy | how hot | how many days | how many hours | how many minutes | how many years | how many "
    "months | how many weeks | what temperature | wie lange | wie oft | wie weit | wie schwer | wie "
    "schnell | combien de temps | cuánto tiempo | quanto tempo | hoe lang | hur länge | как долго " },
  { LECTERN_ASKS_NUMBER,
    " how many | how much | how large | how big | how fast | how high | how hard | what percentage "
    "| what is the maximum | what is the minimum | what is the default | wie viel| wieviel| wie hoch | wie groß | "
    "combien | "
    "cuánto| cuánta| quanto | quanta | quanti | quante | quantos | quantas | hoeveel | hur många | "
    "hur mycket | сколько | kaç |多少|几个|幾|いくつ|いくら|何個" },
  { LECTERN_ASKS_STEPS,
    " how to | how do | how can | how should | how does one | how would | step by step | steps | procedure | wie kann "
    "| wie stelle | "
    "wie richte "
    "| wie wechsle | wie schalte | wie reinige | wie mache | wie lade | wie setze | wie muss | wie lässt | comment | "
    "cómo | como "
    "| come si | come posso | hoe kan | hoe moet | hur gör | hur kan | как | nasıl |怎么|如何|怎樣|どうやって|方法" },
  { LECTERN_ASKS_TIME, " when | what time | what year | which year | what date | what day | wann | welches jahr | in "
                       "welchem jahr | um wie viel uhr "
                       "| quand | à quelle heure | cuándo | a qué hora | quando | wanneer | när | когда | ne zaman "
                       "|什么时候|何时|哪年|哪一年|いつ" },
  { LECTERN_ASKS_PERSON, " who | whom | whose | wer | wen | wem | wessen | qui est | qui a | à qui | quién | quiénes | "
                         "chi | quem | wie is | vem | кто "
                         "| кому | kim |谁|誰" },
  { LECTERN_ASKS_PLACE, " where | wo | wohin | woher | où | dónde | adónde | dove | onde | waar | var finns | где | "
                        "куда | nerede |哪里|在哪|どこ" },
  { LECTERN_ASKS_REASON, " why | what causes | what is the reason | reason | warum | weshalb | wieso | pourquoi | por "
                         "qué | perché | por que | waarom "
                         "| varför | почему | зачем | neden | niçin |为什么|为何|なぜ|どうして" },
  { LECTERN_ASKS_LIST, " what are | which are | what kinds | what types | list | welche | quels sont | quelles sont | "
                       "cuáles son | quali sono | quais "
                       "são | welke | vilka |哪些" },
  { LECTERN_ASKS_DEFINITION, " what is | what does | what's | meaning of | definition | define | was ist | was "
                             "bedeutet | was heißt | qu'est-ce | que "
                             "signifie | qué es | qué significa | cos'è | che cos | cosa significa | o que é | wat is "
                             "| vad är | что такое | nedir |是什么|什么是|とは" },
};

/* "When does it stop?" asks for a time, "Why does it stop when I press it?" does not: these words ask only where a sentence
 * begins with them, or has one word before them ("since when"). */
static gboolean must_be_early (LecternAsks asks)
{
  return asks == LECTERN_ASKS_TIME || asks == LECTERN_ASKS_PERSON || asks == LECTERN_ASKS_PLACE;
}

enum { SENTENCE_MARK = 1, EARLY_WORDS = 1 };

static gboolean is_early (const char *text, const char *at)
{
  guint n_words = 0;
  for (const char *p = at; p > text && *p != SENTENCE_MARK; p--)
    n_words += *p == ' ' && p[-1] != ' ' && p[-1] != SENTENCE_MARK;
  return n_words <= EARLY_WORDS;
}

static gboolean has_cue (const char *text, const char *cue, gboolean early)
{
  const char *at = text;
  gboolean spaced = *cue == ' ';
  while ((at = strstr (at, cue))) {
    if (!early || !spaced || is_early (text, at))
      return TRUE;
    at++;
  }
  return FALSE;
}

LecternAsks lectern_question_find_form (const char *text)
{
  g_autofree char *lower = g_utf8_strdown (text, -1);
  g_autoptr (GString) padded = g_string_new ("\x01 ");
  for (const char *p = lower; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    g_string_append_unichar (padded, c == '\'' || c == '-' || g_unichar_isalnum (c) || g_unichar_ismark (c) ? c : ' ');
    if (strchr (".!?;:\n", (int)*p))
      g_string_append (padded, "\x01 ");
  }
  g_string_append_c (padded, ' ');
  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++) {
    g_auto (GStrv) cues = g_strsplit (forms[i].cues, "|", -1);
    for (char **cue = cues; *cue; cue++)
      if (has_cue (padded->str, *cue, must_be_early (forms[i].asks)))
        return forms[i].asks;
  }
  return LECTERN_ASKS_ANYTHING;
}

/* Words that people ask with and that documents need not hold. */
static const struct {
  char language[4];
  const char *words;
} asking[] = {
  { "en", "long many much often far old big large last lasts explain explanation describe tell mean meaning know "
          "understand want need like please kindly brief briefly detail fix solve "
          "solution resolve issue problem step procedure way feature purpose info information help happen get getting "
          "got give find "
          "look looking say said thing kind type question answer wonder possible able according text document "
          "documents manual "
          "described mention mentioned stated key main important importance specific example example someone person "
          "people sure "
          "figure trying try unable wrong go going come called provide various some list overview" },
  { "de", "lange lang hoch groß weit oft erklären erkläre beschreiben beschreibe bedeuten bedeutet wissen brauche "
          "brauchen bitte kurz genau problem lösung lösen "
          "schritt schritte funktion hilfe helfen passiert geben gibt finden finde frage antwort möglich laut text "
          "dokument handbuch "
          "erwähnt wichtig wichtigste beispiel geht gehen gehört macht sagt gilt nennen nenne liste" },
  { "fr", "expliquer expliquez décrire décrivez signifie savoir veux besoin merci problème solution résoudre étape "
          "étapes fonction aide "
          "trouver question réponse possible selon texte document manuel mentionné important exemple dire donner donne "
          "liste" },
  { "es", "explicar explica explique describir describa significa saber quiero necesito favor problema solución "
          "resolver paso pasos "
          "función ayuda encontrar pregunta respuesta posible según texto documento manual mencionado importante "
          "ejemplo decir dar lista" },
  { "it", "spiegare spiega descrivere descrivi significa sapere voglio bisogno favore problema soluzione risolvere "
          "passo passaggi funzione "
          "aiuto trovare domanda risposta possibile secondo testo documento manuale importante esempio dire elenco" },
  { "pt", "explicar explique descrever descreva significa saber quero preciso favor problema solução resolver passo "
          "passos função ajuda "
          "encontrar pergunta resposta possível segundo texto documento manual importante exemplo dizer lista" },
  { "nl", "uitleggen leg beschrijf beschrijven betekent weten nodig alstublieft probleem oplossing oplossen stap "
          "stappen functie hulp "
          "vinden vraag antwoord mogelijk volgens tekst document handleiding belangrijk voorbeeld zeggen lijst" },
  { "sv", "förklara beskriv beskriva betyder veta behöver snälla problem lösning lösa steg funktion hjälp hitta fråga "
          "svar möjligt enligt "
          "text dokument handbok viktig exempel säga lista" },
  { "ru", "объясните объясни опишите опиши значит знать нужно пожалуйста проблема решение решить шаг шаги функция "
          "помощь найти вопрос "
          "ответ возможно согласно текст документ руководство важно пример список" },
};

static const double asking_prior = 0.15;

/* "E09", "TDA-3310", "T2": letters and digits in one word name one thing. Who asks with such a name means that thing, and a
 * passage that holds it may say the rest in other words. Not so in a long report, which is full of versions and codes. */
static const double identifier_prior = 4;
enum { SHORT_QUESTION_TERMS = 8 };

static gboolean is_identifier (const char *text, const LecternTerm *term)
{
  if (!(term->flags & LECTERN_TERM_NUMBER))
    return FALSE;
  for (guint32 i = term->start; i < term->end; i++)
    if (g_ascii_isalpha (text[i]))
      return TRUE;
  return FALSE;
}

static GHashTable *find_asking (const char *language, LecternTermer *termer)
{
  GHashTable *ids = g_hash_table_new (NULL, NULL);
  g_autoptr (GArray) terms = g_array_new (FALSE, FALSE, sizeof (LecternTerm));
  for (gsize i = 0; language && i < G_N_ELEMENTS (asking); i++)
    if (!strcmp (asking[i].language, language))
      lectern_termer_add (termer, asking[i].words, -1, terms);
  for (guint i = 0; i < terms->len; i++)
    g_hash_table_add (ids, GUINT_TO_POINTER (g_array_index (terms, LecternTerm, i).id + 1));
  return ids;
}

LecternQuestion *lectern_question_new (const char *text, const char *language, LecternTermer *termer)
{
  LecternQuestion *question = g_new0 (LecternQuestion, 1);
  question->text = g_strdup (text);
  question->language = g_strdup (language);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  question->asks = lectern_question_find_form (valid);
  question->terms = g_array_new (FALSE, FALSE, sizeof (LecternQuestionTerm));
  g_autoptr (GArray) terms = g_array_new (FALSE, FALSE, sizeof (LecternTerm));
  lectern_termer_add (termer, text, -1, terms);
  question->words = g_array_ref (terms);
  question->asking = find_asking (language, termer);
  for (guint i = 0; i < terms->len && question->terms->len < LECTERN_QUESTION_MAX_TERMS; i++) {
    const LecternTerm *term = &g_array_index (terms, LecternTerm, i);
    if (term->flags & LECTERN_TERM_STOP)
      continue;
    LecternQuestionTerm *same = NULL;
    for (guint k = 0; k < question->terms->len && !same; k++)
      if (g_array_index (question->terms, LecternQuestionTerm, k).id == term->id)
        same = &g_array_index (question->terms, LecternQuestionTerm, k);
    if (same) {
      same->flags |= term->flags;
    } else {
      gboolean only = g_hash_table_contains (question->asking, GUINT_TO_POINTER (term->id + 1));
      double prior = only ? asking_prior : is_identifier (text, term) ? identifier_prior : 1;
      LecternQuestionTerm fresh = { term->id, term->flags, prior, 1 };
      g_array_append_val (question->terms, fresh);
    }
  }
  for (guint i = 0; question->terms->len > SHORT_QUESTION_TERMS && i < question->terms->len; i++) {
    LecternQuestionTerm *term = &g_array_index (question->terms, LecternQuestionTerm, i);
    term->prior = MIN (term->prior, 1);
  }
  return question;
}

void lectern_question_free (LecternQuestion *question)
{
  if (!question)
    return;
  g_array_unref (question->terms);
  g_array_unref (question->words);
  g_hash_table_unref (question->asking);
  g_free (question->language);
  g_free (question->text);
  g_free (question);
}
