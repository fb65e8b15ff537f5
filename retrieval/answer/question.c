#include "retrieval/answer/question.h"

#include <string.h>

/* Looked for in this order, first hit decides. Lower case; a cue with spaces around it matches whole words. */
static const struct {
  LecternAsks asks;
  const char *cues;
} forms[] = {
  { LECTERN_ASKS_NUMBER,
    " how many | how much | how long | how often | how far | how old | how large | how big | how tall | how fast | how heavy "
    "| what percentage | what is the maximum | what is the minimum | what is the cost | how high | wie viel| wieviel| wie lange "
    "| wie oft | wie weit | wie hoch | wie groß | wie schwer | wie schnell | combien | cuánto| cuánta| quanto | quanta | quanti "
    "| quante | quantos | quantas | hoeveel | hoe lang | hur många | hur mycket | hur länge | сколько | kaç |多少|几个|幾|いくつ|いくら|何個" },
  { LECTERN_ASKS_STEPS,
    " how to | how do | how can | how should | how does one | how would | steps | procedure | wie kann | wie stelle | wie richte "
    "| wie wechsle | wie schalte | wie reinige | wie mache | wie lade | wie setze | wie muss | wie lässt | comment | cómo | como "
    "| come si | come posso | hoe kan | hoe moet | hur gör | hur kan | как | nasıl |怎么|如何|怎樣|どうやって|方法" },
  { LECTERN_ASKS_TIME,
    " when | what time | what year | which year | what date | what day | wann | welches jahr | in welchem jahr | um wie viel uhr "
    "| quand | à quelle heure | cuándo | a qué hora | quando | wanneer | när | когда | ne zaman |什么时候|何时|哪年|哪一年|いつ" },
  { LECTERN_ASKS_PERSON,
    " who | whom | whose | wer | wen | wem | wessen | qui est | qui a | à qui | quién | quiénes | chi | quem | wie is | vem | кто "
    "| кому | kim |谁|誰" },
  { LECTERN_ASKS_PLACE,
    " where | wo | wohin | woher | où | dónde | adónde | dove | onde | waar | var finns | где | куда | nerede |哪里|在哪|どこ" },
  { LECTERN_ASKS_REASON,
    " why | what causes | what is the reason | reason | warum | weshalb | wieso | pourquoi | por qué | perché | por que | waarom "
    "| varför | почему | зачем | neden | niçin |为什么|为何|なぜ|どうして" },
  { LECTERN_ASKS_LIST,
    " what are | which are | what kinds | what types | list | welche | quels sont | quelles sont | cuáles son | quali sono | quais "
    "são | welke | vilka |哪些" },
  { LECTERN_ASKS_DEFINITION,
    " what is | what does | what's | meaning of | definition | define | was ist | was bedeutet | was heißt | qu'est-ce | que "
    "signifie | qué es | qué significa | cos'è | che cos | cosa significa | o que é | wat is | vad är | что такое | nedir |是什么|什么是|とは" },
};

LecternAsks lectern_question_find_form (const char *text)
{
  g_autofree char *lower = g_utf8_strdown (text, -1);
  g_autoptr (GString) padded = g_string_new (" ");
  for (const char *p = lower; *p; p++)
    g_string_append_c (padded, strchr (" \t\r\n?!.,:;()\"", *p) ? ' ' : *p);
  g_string_append_c (padded, ' ');
  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++) {
    g_auto (GStrv) cues = g_strsplit (forms[i].cues, "|", -1);
    for (char **cue = cues; *cue; cue++)
      if (strstr (padded->str, *cue))
        return forms[i].asks;
  }
  return LECTERN_ASKS_ANYTHING;
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
      LecternQuestionTerm fresh = { term->id, term->flags, 1 };
      g_array_append_val (question->terms, fresh);
    }
  }
  return question;
}

void lectern_question_free (LecternQuestion *question)
{
  if (!question)
    return;
  g_array_unref (question->terms);
  g_free (question->language);
  g_free (question->text);
  g_free (question);
}
