#include "retrieval/answer/abstain.h"
#include "retrieval/answer/extractive.h"

#include <string.h>

/* What the pipeline makes of passages given as "heading§text", best first. */
typedef struct {
  LecternTermer *termer;
  LecternQuestion *question;
  GPtrArray *passages, *quotes;
  LecternSignals signals;
} Reading;

static LecternResult *make_result (guint n, gint64 document, gint64 chunk, const char *heading, const char *text)
{
  LecternResult *result = g_new0 (LecternResult, 1);
  result->rank = n + 1;
  result->score = 10.0 - n;
  result->document = document;
  result->chunk = chunk;
  result->path = g_strdup ("/docs/manual.pdf");
  result->title = g_strdup ("Manual");
  result->page = result->page_last = (int)n + 1;
  result->heading = g_strsplit (heading, ">", -1);
  result->text = g_strdup (text);
  result->spans = g_array_new (FALSE, FALSE, sizeof (LecternSpan));
  return result;
}

static void reading_init (Reading *reading, const char *question, const char *language, const char *const *texts)
{
  g_autoptr (GPtrArray) results = g_ptr_array_new ();
  for (guint i = 0; texts[i]; i++) {
    g_auto (GStrv) parts = g_strsplit (texts[i], "§", 2);
    g_ptr_array_add (results, make_result (i, i + 1, 10 * i, parts[0], parts[1]));
  }
  reading->termer = lectern_termer_new (language);
  reading->question = lectern_question_new (question, language, reading->termer);
  reading->passages = lectern_passages_assemble (results, reading->termer, 10, 600);
  lectern_passages_read (reading->passages, reading->question, reading->termer);
  lectern_extractive_score (reading->passages, reading->question);
  reading->quotes = lectern_extractive_quote (reading->passages, reading->question);
  lectern_signals_read (reading->passages, reading->question, &reading->signals);
}

static void reading_clear (Reading *reading)
{
  /* Every quote stands word for word in its passage (a table's header row apart). */
  for (guint i = 0; i < reading->quotes->len; i++) {
    const LecternQuote *quote = g_ptr_array_index (reading->quotes, i);
    const char *text = ((LecternPassage *)g_ptr_array_index (reading->passages, quote->passage))->result->text;
    g_auto (GStrv) lines = g_strsplit (quote->text, "\n", -1);
    for (char **line = lines; *line; line++)
      g_assert_nonnull (strstr (text, *line));
  }
  g_ptr_array_unref (reading->quotes);
  g_ptr_array_unref (reading->passages);
  lectern_question_free (reading->question);
  lectern_termer_free (reading->termer);
}

static char *quoted (const char *question, const char *language, const char *const *texts)
{
  Reading reading;
  reading_init (&reading, question, language, texts);
  GString *out = g_string_new (NULL);
  for (guint i = 0; i < reading.quotes->len; i++)
    g_string_append_printf (out, "%s%s", i ? " ‖ " : "", ((LecternQuote *)g_ptr_array_index (reading.quotes, i))->text);
  reading_clear (&reading);
  return g_string_free (out, FALSE);
}

static const char *const pump[] = {
  "Care>Descaling§Descale the machine every three months. Hard water leaves lime in the boiler. To descale the "
  "machine:\n"
  "1. Fill the tank with 500 ml of descaler.\n2. Press and hold the steam button for 5 seconds.\n3. Rinse twice.\n"
  "The lamp goes out when the cycle is done.",
  "Technical data§Property | Value\nPump pressure | 15 bar\nTank volume | 1.8 l\nWeight | 4.2 kg",
  "Warranty§The warranty lasts 24 months from the date of purchase. It covers faults of material and manufacture.",
  NULL,
};

static void test_fact (void)
{
  g_autofree char *got = quoted ("How long does the warranty last?", "en", pump);
  g_assert_true (g_str_has_prefix (got, "The warranty lasts 24 months from the date of purchase."));
}

static void test_steps (void)
{
  g_autofree char *got = quoted ("How do I descale the machine?", "en", pump);
  g_assert_nonnull (strstr (got, "1. Fill the tank with 500 ml of descaler. ‖ 2. Press and hold the steam button for 5 "
                                 "seconds. ‖ 3. Rinse twice."));
}

static void test_table (void)
{
  g_autofree char *got = quoted ("What is the pump pressure?", "en", pump);
  g_assert_nonnull (strstr (got, "Property | Value\nPump pressure | 15 bar"));
}

static void test_german (void)
{
  const char *const texts[] = { "Akku§Die Akkulaufzeit beträgt 12 Stunden. Laden Sie den Akku bei Raumtemperatur.",
                                "Reinigung§Wischen Sie das Gehäuse mit einem Tuch ab.", NULL };
  g_autofree char *got = quoted ("Wie lange läuft der Akku?", "de", texts);
  g_assert_nonnull (strstr (got, "Die Akkulaufzeit beträgt 12 Stunden."));
}

static void test_chinese (void)
{
  const char *const texts[] = { "保修§保修期为两年。请保留收据。", "清洁§用软布擦拭外壳。不要使用酒精。", NULL };
  g_autofree char *got = quoted ("保修期多长？", "zh", texts);
  g_assert_true (g_str_has_prefix (got, "保修期为两年。"));
}

/* The heading of a question-and-answer page repeats the question; the answer is what follows. */
static void test_restated (void)
{
  const char *const texts[]
      = { "Help§Why is the screen black? Check that the cable is plugged in.", "Other§A lamp is a lamp.", NULL };
  g_autofree char *got = quoted ("Why is the screen black?", "en", texts);
  g_assert_true (g_str_has_prefix (got, "Check that the cable is plugged in."));
}

/* A fact: the sentence with a measure, and no more. */
static void test_measure (void)
{
  const char *const texts[] = {
    "Warranty§Our shop gives a warranty on every machine. The boilers have a warranty of five years. Seals have one of "
    "six months. Your rights by law are not limited by the warranty.",
    "Boilers§The boilers of the machine are made of steel. Both boilers have a relief valve.", NULL
  };
  g_autofree char *got = quoted ("How long is the warranty on the boilers?", "en", texts);
  g_assert_cmpstr (got, ==, "The boilers have a warranty of five years.");
}

/* The steps of the section whose title asks the same, all of them, without what is said around them. */
static void test_section_steps (void)
{
  const char *const texts[] = { "Setting up§The machine tells you when to descale. To descale it must know the water.",
                                "Care>Descaling step by step§The program of the machine takes 35 minutes.\n\n1. Empty "
                                "the tray.\n2. Fill the tank. Use cold "
                                "water.\n3. Press the dial.\n\nThe counter is then set back.",
                                NULL };
  g_autofree char *got = quoted ("How do I descale the machine?", "en", texts);
  g_assert_cmpstr (got, ==, "1. Empty the tray. ‖ 2. Fill the tank. ‖ Use cold water. ‖ 3. Press the dial.");
  /* Items without marks, as HTML has them. */
  const char *const html[] = { "Returns>How to return an order§Open the account.\nPrint the label.\nPack the goods.",
                               "Shop§An order is an order. We return calls.", NULL };
  g_autofree char *items = quoted ("How do I return an order?", "en", html);
  g_assert_cmpstr (items, ==, "Open the account. ‖ Print the label. ‖ Pack the goods.");
  /* Lines of a list that is about something else do not come along. */
  const char *const changes[]
      = { "Release notes§Fix the printer queue in the report tool.\nAdd a blue theme.\nRemove old "
          "fonts.\nSpeed up startup.",
          NULL };
  g_autofree char *one = quoted ("How do I fix the printer queue?", "en", changes);
  g_assert_null (strstr (one, "Speed up"));
}

/* "No steam. …": what a line begins with is a title for the rest of it, and its small words count. */
static void test_run_in_title (void)
{
  const char *const texts[] = {
    "Milk>Steaming§Turn to the steam screen. The steam is ready after two minutes. Close the steam.",
    "Other problems§Water below. Look at the float.\n\nNo steam. The holes are blocked by milk. Clean them with a "
    "needle.\n\nThe display is dark. Check the switch.",
    NULL
  };
  g_autofree char *got = quoted ("What can I do about no steam?", "en", texts);
  g_assert_nonnull (strstr (got, "The holes are blocked by milk. ‖ Clean them with a needle."));
  g_assert_null (strstr (got, "display"));
}

/* The answer begins with the sentence that defines, or with what its pronoun stands for. */
static void test_definition (void)
{
  const char *const texts[]
      = { "Storage§A disk may hold one tablespace. A tablespace is a place for files. It costs nothing.", NULL };
  g_autofree char *got = quoted ("What is a tablespace?", "en", texts);
  g_assert_true (g_str_has_prefix (got, "A tablespace is a place for files."));
  const char *const pronoun[]
      = { "People§The machine was designed by Anna Keller. She founded the company in 1921 in Graz.", NULL };
  g_autofree char *who = quoted ("When was the company founded?", "en", pronoun);
  g_assert_cmpstr (who, ==, "The machine was designed by Anna Keller. ‖ She founded the company in 1921 in Graz.");
}

static void test_assembly (void)
{
  g_autoptr (GPtrArray) results = g_ptr_array_new ();
  g_ptr_array_add (results, make_result (0, 1, 5, "A", "The first half of it."));
  g_ptr_array_add (results, make_result (1, 2, 90, "B", "Something else, with number 7."));
  g_ptr_array_add (results, make_result (2, 1, 6, "A", "The second half follows."));
  g_ptr_array_add (results, make_result (3, 3, 70, "B", "Something else, with number 7."));
  g_ptr_array_add (results, make_result (4, 4, 80, "B", "Something else, with number 8."));
  LecternSpan span = { 4, 6, { 3, 1, 2, 3, 4 } };
  g_array_append_val (((LecternResult *)g_ptr_array_index (results, 2))->spans, span);
  g_autoptr (LecternTermer) termer = lectern_termer_new ("en");
  g_autoptr (GPtrArray) passages = lectern_passages_assemble (results, termer, 10, 600);
  g_assert_cmpuint (results->len, ==, 0);
  g_assert_cmpuint (passages->len, ==, 3);
  const LecternResult *first = ((LecternPassage *)g_ptr_array_index (passages, 0))->result;
  g_assert_cmpstr (first->text, ==, "The first half of it.\n\nThe second half follows.");
  g_assert_cmpint (first->page_last, ==, 3);
  LecternSpan moved = g_array_index (first->spans, LecternSpan, 0);
  g_assert_cmpint (strncmp (first->text + moved.start, "second", moved.length), ==, 0);
  g_assert_cmpstr (((LecternPassage *)g_ptr_array_index (passages, 2))->result->text, ==,
                   "Something else, with number 8.");
}

static double answerable (const char *question)
{
  Reading reading;
  reading_init (&reading, question, "en", pump);
  double score = lectern_signals_get_answerable (&reading.signals);
  reading_clear (&reading);
  return score;
}

static void test_abstain (void)
{
  g_assert_cmpfloat (answerable ("How long does the warranty last?"), >=, lectern_answerable_threshold);
  g_assert_cmpfloat (answerable ("How do I descale the machine?"), >=, lectern_answerable_threshold);
  g_assert_cmpfloat (answerable ("What is the weight?"), >=, lectern_answerable_threshold);
  g_assert_cmpfloat (answerable ("What is the capital of France?"), <, lectern_answerable_threshold);
  g_assert_cmpfloat (answerable ("Who won the football championship in 1998?"), <, lectern_answerable_threshold);
  g_assert_cmpfloat (answerable ("What is it?"), <, lectern_answerable_threshold);
}

/* Who tells a whole story is not refused because no passage has all of it. */
static void test_long_question (void)
{
  g_assert_cmpfloat (
      answerable ("My cousin Bert, a baker in Leeds, visited on Sunday with his dog and said that the warranty "
                  "of the machine might matter if the pump fails; how long does the warranty last?"),
      >=, lectern_answerable_threshold);
}

/* A code names one thing: the row that holds it answers, though no passage says "error"; an unknown code is refused. */
static void test_identifier (void)
{
  static const char *const codes[] = {
    "Messages§Code | Meaning\nE08 | Drip tray missing\nE09 | Pressure too high",
    "Technical data§The weight is 4.2 kg. The tank holds 1.8 litres.",
    NULL,
  };
  for (guint i = 0; i < 2; i++) {
    Reading reading;
    reading_init (&reading, i ? "What does error code E77 mean?" : "What does error code E09 mean?", "en", codes);
    gboolean answered = lectern_signals_get_answerable (&reading.signals) >= lectern_answerable_threshold;
    g_assert_true (answered == (i == 0));
    if (answered)
      g_assert_cmpstr (((LecternQuote *)g_ptr_array_index (reading.quotes, 0))->text, ==,
                       "Code | Meaning\nE09 | Pressure too high");
    reading_clear (&reading);
  }
}

static void test_nothing (void)
{
  const char *const none[] = { NULL };
  g_autofree char *got = quoted ("What?", "en", none);
  g_assert_cmpstr (got, ==, "");
  const char *const empty[] = { "§", NULL };
  g_autofree char *also = quoted ("What?", NULL, empty);
  g_assert_cmpstr (also, ==, "");
}

static void test_forms (void)
{
  static const struct {
    const char *question;
    LecternAsks asks;
  } cases[] = {
    { "How many pages are there?", LECTERN_ASKS_NUMBER },
    { "How do I reset it?", LECTERN_ASKS_STEPS },
    { "When was it built?", LECTERN_ASKS_TIME },
    { "Who wrote it?", LECTERN_ASKS_PERSON },
    { "Where is the switch?", LECTERN_ASKS_PLACE },
    { "Why does it beep?", LECTERN_ASKS_REASON },
    { "What is a widget?", LECTERN_ASKS_DEFINITION },
    { "Wie viele Seiten gibt es?", LECTERN_ASKS_NUMBER },
    { "Wann wurde es gebaut?", LECTERN_ASKS_TIME },
    { "Pourquoi ?", LECTERN_ASKS_REASON },
    { "¿Dónde está?", LECTERN_ASKS_PLACE },
    { "如何重置？", LECTERN_ASKS_STEPS },
    { "battery", LECTERN_ASKS_ANYTHING },
    { "How long does it take?", LECTERN_ASKS_MEASURE },
    { "Wie lange dauert es?", LECTERN_ASKS_MEASURE },
    { "What does it cost?", LECTERN_ASKS_PRICE },
    { "Since when is it there?", LECTERN_ASKS_TIME },
    { "Why does it stop when I press the button?", LECTERN_ASKS_REASON },
    { "Can I see who called?", LECTERN_ASKS_ANYTHING },
    { "It stopped. When will it start?", LECTERN_ASKS_TIME },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (lectern_question_find_form (cases[i].question), ==, cases[i].asks);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/extractive/fact", test_fact);
  g_test_add_func ("/extractive/steps", test_steps);
  g_test_add_func ("/extractive/table", test_table);
  g_test_add_func ("/extractive/german", test_german);
  g_test_add_func ("/extractive/chinese", test_chinese);
  g_test_add_func ("/extractive/restated", test_restated);
  g_test_add_func ("/extractive/assembly", test_assembly);
  g_test_add_func ("/extractive/abstain", test_abstain);
  g_test_add_func ("/extractive/measure", test_measure);
  g_test_add_func ("/extractive/section-steps", test_section_steps);
  g_test_add_func ("/extractive/run-in-title", test_run_in_title);
  g_test_add_func ("/extractive/definition", test_definition);
  g_test_add_func ("/extractive/long-question", test_long_question);
  g_test_add_func ("/extractive/identifier", test_identifier);
  g_test_add_func ("/extractive/nothing", test_nothing);
  g_test_add_func ("/extractive/forms", test_forms);
  return g_test_run ();
}
