/* question.h: what a question asks for and which of its words have to be found. */
#ifndef LECTERN_ANSWER_QUESTION_H
#define LECTERN_ANSWER_QUESTION_H

#include "retrieval/text/terms.h"

G_BEGIN_DECLS

/* The form of an answer. */
typedef enum {
  LECTERN_ASKS_ANYTHING,
  LECTERN_ASKS_PERSON,
  LECTERN_ASKS_TIME,
  LECTERN_ASKS_NUMBER,
  LECTERN_ASKS_PLACE,
  LECTERN_ASKS_STEPS,
  LECTERN_ASKS_DEFINITION,
  LECTERN_ASKS_REASON,
  LECTERN_ASKS_LIST,
  LECTERN_ASKS_MEASURE, /* how long, how far, how often: a number and its unit */
  LECTERN_ASKS_PRICE,
} LecternAsks;

enum { LECTERN_QUESTION_MAX_TERMS = 64 }; /* so that a set of them is one guint64 */

typedef struct {
  guint32 id, flags; /* of the termer */
  double prior;      /* 1, more for names of letters and digits, or little for words that only ask ("explain", "problem") */
  double weight;     /* > 0; how much the term tells passages apart; evidence.c sets it */
} LecternQuestionTerm;

typedef struct {
  char *text;
  char *language; /* may be NULL */
  LecternAsks asks;
  GArray *terms;      /* of LecternQuestionTerm: distinct content terms, at most LECTERN_QUESTION_MAX_TERMS */
  GHashTable *asking; /* 1 + ids of words that only ask ("explain", "step"), whether the question has them or not */
  GArray *words;      /* of LecternTerm: all of them in order, function words too */
} LecternQuestion;

/* `language`: of question and passages, NULL if it cannot be told. */
LecternQuestion *lectern_question_new (const char *text, const char *language, LecternTermer *termer);
void lectern_question_free (LecternQuestion *question);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LecternQuestion, lectern_question_free)

LecternAsks lectern_question_find_form (const char *text);

G_END_DECLS

#endif
