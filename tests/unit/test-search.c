#include <string.h>

#include "retrieval/retrieval.h"

static gint64 store (LecternLibrary *library, const char *path, const char *hash, const char *language,
                     const char *title, const char *const *texts)
{
  g_autoptr (GError) error = NULL;
  LecternDraft *draft = lectern_draft_new ();
  gint64 id = 0;
  draft->path = g_strdup (path);
  draft->hash = g_strdup (hash);
  draft->language = g_strdup (language);
  draft->title = g_strdup (title);
  for (; *texts; texts++) {
    LecternChunk *chunk = lectern_chunk_new ();
    chunk->text = g_strdup (*texts);
    g_ptr_array_add (draft->chunks, chunk);
  }
  lectern_library_store (library, draft, &id, &error);
  g_assert_no_error (error);
  lectern_draft_free (draft);
  return id;
}

#define STORE(path, language, title, ...)                                                                              \
  store (library, path, path, language, title, (const char *const[]){ __VA_ARGS__, NULL })

static GPtrArray *find_in (LecternLibrary *library, const char *query, const char *in_path, guint limit)
{
  g_autoptr (GError) error = NULL;
  LecternSearchOptions options = { LECTERN_SEARCH_KEYWORD, limit, in_path };
  GPtrArray *results = lectern_search (library, query, &options, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < results->len; i++) {
    LecternResult *result = g_ptr_array_index (results, i);
    g_assert_cmpuint (result->rank, ==, i + 1);
    g_assert_nonnull (result->heading);
    g_assert_nonnull (result->spans);
    if (i)
      g_assert_cmpfloat (result->score, <=, ((LecternResult *)g_ptr_array_index (results, i - 1))->score);
  }
  return results;
}

static void assert_finds (LecternLibrary *library, const char *query, const char *path)
{
  g_autoptr (GPtrArray) results = find_in (library, query, NULL, 0);
  const char *found = results->len ? ((LecternResult *)g_ptr_array_index (results, 0))->path : NULL;
  g_assert_cmpstr (found, ==, path);
}

static LecternLibrary *make_library (void)
{
  g_autoptr (GError) error = NULL;
  LecternLibrary *library = lectern_library_open_memory (&error);
  g_assert_no_error (error);
  STORE ("/washer.pdf", "en", "Washing machine manual",
         "Clean the drain filter every month. Part number DC68-04130A is the pump.",
         "The machine must stand level. Adjust the feet with a wrench.",
         "To be or not to be is not a question that the washer asks.");
  STORE ("/tv.pdf", "en", "Television manual", "Press the power button for three seconds to restart the TV.",
         "The remote pairs with the television by e-mail code foo_bar.c and version 3.14.",
         "A drain on the battery; the filter of the picture, and something about a question.");
  STORE ("/de/haus.txt", "de", "Hausordnung", "Die Wohnungen müssen sauber sein. Häuser in der Straße.");
  STORE ("/fr/doc.txt", "fr", "Règles", "L’information générale sur l’été à la plage.");
  STORE ("/zh/doc.txt", "zh", "手册", "洗衣机的排水过滤器需要每个月清洗一次。");
  STORE ("/ru/doc.txt", "ru", "Книга", "Стиральная машина стоит в ванной комнате. Ёлка.");
  return library;
}

static void test_finds (void)
{
  LecternLibrary *library = make_library ();
  assert_finds (library, "How do I clean the drain filter?", "/washer.pdf");
  assert_finds (library, "DC68-04130A", "/washer.pdf");
  assert_finds (library, "dc6804130a", "/washer.pdf");
  assert_finds (library, "04130A", "/washer.pdf");
  assert_finds (library, "email", "/tv.pdf");
  assert_finds (library, "e-mail", "/tv.pdf");
  assert_finds (library, "foo_bar.c", "/tv.pdf");
  assert_finds (library, "3.14", "/tv.pdf");
  assert_finds (library, "restarting television", "/tv.pdf");
  assert_finds (library, "Wohnung", "/de/haus.txt");
  assert_finds (library, "haus strasse", "/de/haus.txt");
  assert_finds (library, "ete", "/fr/doc.txt");
  assert_finds (library, "généralement", "/fr/doc.txt");
  assert_finds (library, "过滤器", "/zh/doc.txt");
  assert_finds (library, "洗", "/zh/doc.txt");
  assert_finds (library, "в ванных", "/ru/doc.txt");
  assert_finds (library, "елка", "/ru/doc.txt");
  assert_finds (library, "nowhere", NULL);
  assert_finds (library, "", NULL);
  assert_finds (library, "\"", NULL);
  assert_finds (library, "?!", NULL);
  lectern_library_close (library);
}

static void test_quotes (void)
{
  LecternLibrary *library = make_library ();
  g_autoptr (GPtrArray) phrase = find_in (library, "\"to be or not to be\"", NULL, 0);
  g_assert_cmpuint (phrase->len, ==, 1);
  g_autoptr (GPtrArray) both = find_in (library, "\"drain filter\" question", NULL, 0);
  g_assert_cmpuint (both->len, ==, 1);
  g_autoptr (GPtrArray) nothing = find_in (library, "“filter drain”", NULL, 0);
  g_assert_cmpuint (nothing->len, ==, 0);
  g_autoptr (GPtrArray) chinese = find_in (library, "\"排水过滤器\"", NULL, 0);
  g_assert_cmpuint (chinese->len, ==, 1);
  lectern_library_close (library);
}

static void test_order (void)
{
  g_autoptr (GError) error = NULL;
  LecternLibrary *library = lectern_library_open_memory (&error);
  STORE ("/one", "en", "", "alpha and some other words that fill the passage");
  STORE ("/all", "en", "", "alpha beta gamma and words that fill the passage");
  STORE ("/two", "en", "", "alpha beta and other words that fill the passage");
  g_autoptr (GPtrArray) results = find_in (library, "alpha beta gamma", NULL, 0);
  static const char *const expected[] = { "/all", "/two", "/one" };
  g_assert_cmpuint (results->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpstr (((LecternResult *)g_ptr_array_index (results, i))->path, ==, expected[i]);
  g_autoptr (GPtrArray) best = find_in (library, "alpha beta gamma", NULL, 1);
  g_assert_cmpuint (best->len, ==, 1);
  g_assert_cmpstr (((LecternResult *)g_ptr_array_index (best, 0))->path, ==, "/all");
  /* The heap keeps the same passages as sorting everything would. */
  for (int i = 0; i < 200; i++) {
    g_autofree char *path = g_strdup_printf ("/more/%d", i);
    g_autofree char *filler = g_strnfill ((gsize)(i * 37 % 100) * 2 + 1, 'x');
    for (char *p = filler; *p && p[1]; p += 2)
      p[1] = ' ';
    g_autofree char *text = g_strdup_printf ("gamma %s", filler);
    STORE (path, "en", "", text);
  }
  g_autoptr (GPtrArray) everything = find_in (library, "alpha gamma", NULL, 1000);
  g_assert_cmpuint (everything->len, ==, 203);
  for (guint limit = 1; limit < 40; limit += 6) {
    g_autoptr (GPtrArray) some = find_in (library, "alpha gamma", NULL, limit);
    g_assert_cmpuint (some->len, ==, limit);
    for (guint i = 0; i < limit; i++)
      g_assert_cmpint (((LecternResult *)g_ptr_array_index (some, i))->chunk, ==,
                       ((LecternResult *)g_ptr_array_index (everything, i))->chunk);
  }
  lectern_library_close (library);
}

/* Where the passages with all words of a query end and those with some begin. */
static void test_all_first (void)
{
  g_autoptr (GError) error = NULL;
  LecternLibrary *library = lectern_library_open_memory (&error);
  STORE ("/often", "en", "Valve valve", "valve valve valve steam steam valve steam valve steam valve steam");
  STORE (
      "/all", "en", "",
      "a long passage that speaks of many other things, of gardens and rivers and towns and the sea, and only once in "
      "its long course of a steam pipe and of a valve and then of pressure, before it goes on to speak of hills");
  STORE ("/title", "en", "Steam pressure", "one valve among a hundred words of no meaning for anyone who reads this");
  for (int i = 0; i < 20; i++) {
    g_autofree char *path = g_strdup_printf ("/filler/%d", i);
    STORE (path, "en", "", "pressure of the air and the weather");
  }
  g_autoptr (GPtrArray) keywords = find_in (library, "steam valve pressure", NULL, 100);
  g_assert_cmpuint (keywords->len, ==, 23);
  for (guint i = 0; i < 2; i++) {
    const char *path = ((LecternResult *)g_ptr_array_index (keywords, i))->path;
    g_assert_true (!strcmp (path, "/all") || !strcmp (path, "/title"));
  }
  g_assert_cmpstr (((LecternResult *)g_ptr_array_index (keywords, 2))->path, ==, "/often");
  /* A word that nothing holds does not undo it. */
  g_autoptr (GPtrArray) unknown = find_in (library, "steam valve xyzzy pressure", NULL, 100);
  g_assert_cmpstr (((LecternResult *)g_ptr_array_index (unknown, 2))->path, ==, "/often");
  /* A question of as many words ranks by score alone. */
  g_autoptr (GPtrArray) question = find_in (library, "where is the steam valve for the pressure", NULL, 100);
  g_assert_cmpstr (((LecternResult *)g_ptr_array_index (question, 0))->path, ==, "/often");
  /* Only what --in allows counts as held. */
  g_autoptr (GPtrArray) inside = find_in (library, "steam valve pressure", "/often", 0);
  g_assert_cmpuint (inside->len, ==, 1);
  /* A compound in one piece holds its parts. */
  STORE ("/email", "en", "",
         "the email address of the owner of the house at the end of the long and winding road by the sea");
  STORE ("/mail", "en", "E", "address address mail mail address mail address mail");
  g_autoptr (GPtrArray) compound = find_in (library, "e-mail address owner", NULL, 0);
  g_assert_cmpstr (((LecternResult *)g_ptr_array_index (compound, 0))->path, ==, "/email");
  lectern_library_close (library);
}

static void test_paths (void)
{
  static const char *const texts[] = { "the same content about walruses", NULL };
  g_autoptr (GError) error = NULL;
  LecternLibrary *library = lectern_library_open_memory (&error);
  store (library, "/b/copy.txt", "h", "en", "", texts);
  store (library, "/a/copy.txt", "h", "en", "", texts);
  g_autoptr (GPtrArray) anywhere = find_in (library, "walrus", NULL, 0);
  g_assert_cmpuint (anywhere->len, ==, 1);
  g_assert_cmpstr (((LecternResult *)g_ptr_array_index (anywhere, 0))->path, ==, "/b/copy.txt");
  g_autoptr (GPtrArray) below = find_in (library, "walrus", "/a", 0);
  g_assert_cmpuint (below->len, ==, 1);
  g_assert_cmpstr (((LecternResult *)g_ptr_array_index (below, 0))->path, ==, "/a/copy.txt");
  g_autoptr (GPtrArray) file = find_in (library, "walrus", "/a/copy.txt", 0);
  g_assert_cmpuint (file->len, ==, 1);
  g_autoptr (GPtrArray) elsewhere = find_in (library, "walrus", "/c' OR 1=1 --", 0);
  g_assert_cmpuint (elsewhere->len, ==, 0);
  lectern_library_close (library);
}

static void test_modes (void)
{
  LecternLibrary *library = make_library ();
  g_autoptr (GError) error = NULL;
  LecternSearchOptions options = { LECTERN_SEARCH_SEMANTIC, 0, NULL };
  g_assert_null (lectern_search (library, "filter", &options, NULL, &error));
  g_assert_error (error, LECTERN_ERROR, LECTERN_ERROR_MODEL);
  g_clear_error (&error);
  g_autoptr (GPtrArray) hybrid = lectern_search (library, "filter", NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) keyword = find_in (library, "filter", NULL, 0);
  g_assert_cmpuint (hybrid->len, ==, keyword->len);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  g_assert_null (lectern_search (library, "filter", NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  lectern_library_close (library);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/search/finds", test_finds);
  g_test_add_func ("/search/quotes", test_quotes);
  g_test_add_func ("/search/order", test_order);
  g_test_add_func ("/search/all-first", test_all_first);
  g_test_add_func ("/search/paths", test_paths);
  g_test_add_func ("/search/modes", test_modes);
  return g_test_run ();
}
