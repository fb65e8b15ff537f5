/* Saved sessions: answers are the same with them, whatever happens to the files; the folder keeps its limits; what is in
 * any doubt is computed again and goes. Each "start" is a generator opened anew, as after a restart. */
#include "engine/model/hash.h"
#include "retrieval/cache/cache.h"
#include "retrieval/cache/user_key.h"
#include "tiny-generator.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char warranty[] = "How long does the warranty of the boiler last?";
static const char pressure[] = "What pressure does the pump of the boiler reach?";
static const char water[] = "How much water does the kettle hold?";

typedef struct {
  char *dir, *model, *states, *key;
  LecternLibrary *library;
  LecternCache *cache;
} Place;

static void place_init (Place *place, TinyKind kind, guint64 quota)
{
  place->dir = tiny_dir_new ();
  place->model = tiny_generator_save (place->dir, "tiny.gguf", kind, 3);
  place->states = g_build_filename (place->dir, "cache", "sessions", NULL);
  place->key = g_build_filename (place->dir, "state", "session.key", NULL);
  place->cache = lectern_cache_new (place->states, place->key, quota);
  place->library = lectern_library_open_memory (NULL);
  tiny_library_store (
      place->library, "/docs/warranty", "en",
      (const char *const[]){ "The warranty of the boiler lasts 24 months from the date of purchase.", NULL });
  tiny_library_store (place->library, "/docs/pump", "en",
                      (const char *const[]){ "The pump of the boiler reaches a pressure of 15 bar.", NULL });
  tiny_library_store (place->library, "/docs/kettle", "en",
                      (const char *const[]){ "The kettle holds 1.7 litres of water and weighs 900 grams.", NULL });
  tiny_library_store (place->library, "/docs/care", "en",
                      (const char *const[]){ "Descale the kettle every three months with 500 ml of descaler.", NULL });
}

static void place_clear (Place *place)
{
  lectern_library_close (place->library);
  lectern_cache_unref (place->cache);
  g_free (place->model);
  g_free (place->states);
  g_free (place->key);
  tiny_dir_remove (place->dir);
}

/* ---- what is there --------------------------------------------------------------------------------------- */

static GPtrArray *list_files (const Place *place)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (place->states, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name (dir));)
    if (strcmp (name, "lock") != 0)
      g_ptr_array_add (paths, g_build_filename (place->states, name, NULL));

  return paths;
}

static guint count_files (const Place *place)
{
  g_autoptr (GPtrArray) paths = list_files (place);
  return paths->len;
}

static guint64 count_bytes (const Place *place)
{
  guint64 n_bytes = 0;
  g_autoptr (GPtrArray) paths = list_files (place);
  for (guint i = 0; i < paths->len; i++) {
    struct stat info;
    g_assert_cmpint (lstat (g_ptr_array_index (paths, i), &info), ==, 0);
    n_bytes += (guint64)info.st_size;
  }
  return n_bytes;
}

/* The largest file: that of the passages. */
static char *find_largest (const Place *place)
{
  char *largest = NULL;
  off_t most = -1;
  g_autoptr (GPtrArray) paths = list_files (place);
  for (guint i = 0; i < paths->len; i++) {
    struct stat info;
    g_assert_cmpint (lstat (g_ptr_array_index (paths, i), &info), ==, 0);
    if (info.st_size > most) {
      most = info.st_size;
      g_free (largest);
      largest = g_strdup (g_ptr_array_index (paths, i));
    }
  }
  g_assert_nonnull (largest);
  return largest;
}

static guint get_mode (const char *path)
{
  struct stat info;
  g_assert_cmpint (lstat (path, &info), ==, 0);
  return info.st_mode & 07777;
}

/* ---- asking ---------------------------------------------------------------------------------------------- */

typedef struct {
  char *answer;
  guint prompt_tokens, cached_tokens;
} Said;

static void said_clear (Said *said)
{
  g_clear_pointer (&said->answer, g_free);
}

static Said ask_at (Place *place, const char *model, const char *question, const char *conversation, gboolean save)
{
  g_autoptr (GError) error = NULL;
  LecternGenerator *generator = lectern_generator_open (model, 1, &error);
  g_assert_no_error (error);
  lectern_generator_set_cache (generator, place->cache);
  const LecternAskOptions options = { .max_tokens = 12, .conversation = conversation };
  g_autoptr (LecternAnswer) answer
      = lectern_ask (place->library, generator, question, &options, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (answer->generated);
  if (save)
    lectern_generator_save (generator, NULL);
  lectern_generator_close (generator);
  return (Said){ g_strdup (answer->answer), answer->timings.prompt_tokens, answer->timings.cached_tokens };
}

static Said ask (Place *place, const char *question)
{
  return ask_at (place, place->model, question, NULL, TRUE);
}

/* Asks after a restart without saving; the number of tokens that were not evaluated. */
static guint look (Place *place, const char *question, const Said *expected)
{
  Said said = ask_at (place, place->model, question, NULL, FALSE);
  g_assert_cmpstr (said.answer, ==, expected->answer);
  g_assert_cmpuint (said.prompt_tokens, ==, expected->prompt_tokens);
  said_clear (&said);
  return said.cached_tokens;
}

/* What is answered without any saved session. */
static Said ask_plainly (const Place *place, const char *question)
{
  Place bare = *place;
  bare.cache = NULL;
  Said said = ask (&bare, question);
  g_assert_cmpuint (said.cached_tokens, ==, 0);
  return said;
}

/* ---- use ------------------------------------------------------------------------------------------------- */

static void check_restart (TinyKind kind)
{
  Place place;
  place_init (&place, kind, 0);
  Said plain = ask_plainly (&place, warranty), other = ask_plainly (&place, pressure);
  Said far = ask_plainly (&place, water);
  g_assert_cmpuint (count_files (&place), ==, 0);

  Said first = ask (&place, warranty);
  g_assert_cmpstr (first.answer, ==, plain.answer);
  g_assert_cmpuint (first.cached_tokens, ==, 0);
  g_assert_cmpuint (count_files (&place), ==, 2);
  g_assert_cmpuint (get_mode (place.states), ==, 0700);
  g_assert_cmpuint (get_mode (place.key), ==, 0600);
  g_autoptr (GPtrArray) paths = list_files (&place);
  for (guint i = 0; i < paths->len; i++)
    g_assert_cmpuint (get_mode (g_ptr_array_index (paths, i)), ==, 0600);

  /* Only the question is read: that of the same passages, which is another one or the same. */
  guint same = look (&place, warranty, &plain), follows = look (&place, pressure, &other);
  g_assert_cmpuint (same, ==, follows);
  g_assert_cmpuint (plain.prompt_tokens - same, <, 150);
  /* On other passages, all from the first passage on. */
  guint system = look (&place, water, &far);
  g_assert_cmpuint (system, >, 400);
  g_assert_cmpuint (system, <, same - 100);

  /* What is there is not written again. */
  g_autofree char *largest = find_largest (&place);
  struct stat before, after;
  g_assert_cmpint (stat (largest, &before), ==, 0);
  Said again = ask (&place, pressure);
  g_assert_cmpuint (again.cached_tokens, ==, follows);
  g_assert_cmpint (stat (largest, &after), ==, 0);
  g_assert_true (before.st_ino == after.st_ino);
  g_assert_cmpuint (count_files (&place), ==, 2);
  said_clear (&plain);
  said_clear (&other);
  said_clear (&far);
  said_clear (&first);
  said_clear (&again);
  place_clear (&place);
}

static void test_restart (void)
{
  check_restart (TINY_LLAMA);
}

static void test_recurrent (void)
{
  check_restart (TINY_LFM2);
}

/* States of other models are neither used nor lost; the same file with another time is another model. */
static void test_other_model (void)
{
  Place place;
  place_init (&place, TINY_LLAMA, 0);
  g_autofree char *other = tiny_generator_save (place.dir, "other.gguf", TINY_LLAMA, 4);
  Said first = ask (&place, warranty);
  Said foreign = ask_at (&place, other, warranty, NULL, TRUE);
  g_assert_cmpuint (foreign.cached_tokens, ==, 0);
  g_assert_cmpuint (count_files (&place), ==, 4);
  g_assert_cmpuint (look (&place, warranty, &first), >, 0);
  const struct timespec times[] = { { 1000, 0 }, { 1000, 0 } };
  g_assert_cmpint (utimensat (AT_FDCWD, place.model, times, 0), ==, 0);
  g_assert_cmpuint (look (&place, warranty, &first), ==, 0);
  g_assert_cmpuint (count_files (&place), ==, 4);
  said_clear (&first);
  said_clear (&foreign);
  place_clear (&place);
}

/* A conversation has one state; after a restart it knows the order of its passages. */
static void test_conversation (void)
{
  Place place;
  place_init (&place, TINY_LLAMA, 0);
  Said one = ask_at (&place, place.model, warranty, "c", TRUE);
  g_assert_cmpuint (count_files (&place), ==, 2);
  Said two = ask_at (&place, place.model, water, "c", TRUE);
  g_assert_cmpuint (two.cached_tokens, >, 400);
  g_assert_cmpuint (count_files (&place), ==, 2);
  Said three = ask_at (&place, place.model, water, "d", TRUE);
  g_assert_cmpstr (three.answer, ==, two.answer);
  g_assert_cmpuint (three.cached_tokens, >, two.cached_tokens);
  g_assert_cmpuint (count_files (&place), ==, 3);

  said_clear (&one);
  said_clear (&two);
  said_clear (&three);
  place_clear (&place);
}

/* ---- doubts ---------------------------------------------------------------------------------------------- */

static void read_file (const char *path, char **bytes, gsize *n_bytes)
{
  g_assert_true (g_file_get_contents (path, bytes, n_bytes, NULL));
}

static void write_file (const char *path, const char *bytes, gsize n_bytes)
{
  g_remove (path);
  g_assert_true (g_file_set_contents_full (path, bytes, (gssize)n_bytes, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

/* A place with one state, that of the passages of `warranty`. */
static char *keep_largest (Place *place, Said *said)
{
  *said = ask (place, warranty);
  char *largest = find_largest (place);
  g_autoptr (GPtrArray) paths = list_files (place);
  for (guint i = 0; i < paths->len; i++)
    if (strcmp (g_ptr_array_index (paths, i), largest) != 0)
      g_remove (g_ptr_array_index (paths, i));
  g_assert_cmpuint (look (place, warranty, said), >, 400);
  return largest;
}

/* Whatever is at `path` now is not used, and removed. */
static void check_refused (Place *place, const char *path, const Said *said)
{
  struct stat info;
  g_assert_cmpuint (look (place, warranty, said), ==, 0);
  g_assert_cmpint (lstat (path, &info), ==, -1);
  g_assert_cmpuint (count_files (place), ==, 0);
}

/* Bits all over the file, of its foot every one; cut short; longer. */
static void test_damage (void)
{
  Place place;
  Said said;
  gsize n_bytes;
  g_autofree char *good = NULL, *bad = NULL;
  place_init (&place, TINY_LLAMA, 0);
  g_autofree char *path = keep_largest (&place, &said);
  read_file (path, &good, &n_bytes);
  bad = g_malloc (n_bytes + 1);
  const gsize foot = n_bytes - 96; /* and the HMAC */
  for (gsize at = 0; at < n_bytes; at += at >= foot ? 5 : at + 8000 >= foot ? 499 : 40000) {
    memcpy (bad, good, n_bytes);
    bad[at] ^= (char)(1 << (at % 8));
    write_file (path, bad, n_bytes);
    check_refused (&place, path, &said);
  }
  memcpy (bad, good, n_bytes);
  bad[n_bytes] = 0;
  const gsize lengths[] = { 0, 1, 95, 96, n_bytes / 2, n_bytes - 1, n_bytes + 1 };
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++) {
    write_file (path, bad, lengths[i]);
    check_refused (&place, path, &said);
  }
  write_file (path, good, n_bytes);
  g_assert_cmpuint (look (&place, warranty, &said), >, 400);
  said_clear (&said);
  place_clear (&place);
}

/* Who knows how the engine's own hash is made, but not the user's key, cannot change what was computed. */
static void test_forged (void)
{
  enum { FOOT = 64, MAC = 32 };
  Place place;
  Said said;
  gsize n_bytes, n_payload = 0;
  g_autofree char *forged = NULL;
  struct hash hash;
  place_init (&place, TINY_LLAMA, 0);
  g_autofree char *path = keep_largest (&place, &said);
  read_file (path, &forged, &n_bytes);
  for (int i = 0; i < 8; i++)
    n_payload |= (gsize)(guint8)forged[n_bytes - MAC - FOOT + 56 + i] << (8 * i);
  forged[n_payload / 2] ^= 1;
  hash_init (&hash);
  hash_add (&hash, forged, n_payload - HASH_BYTES);
  hash_finish (&hash, (uint8_t *)forged + n_payload - HASH_BYTES);
  write_file (path, forged, n_bytes);
  check_refused (&place, path, &said);
  said_clear (&said);
  place_clear (&place);
}

/* Well authenticated, but of another version of file or engine, or with numbers that cannot be. */
static void test_lies (void)
{
  static const struct {
    guint at; /* in the foot */
    guint8 add;
  } lies[]
      = { { 8, 1 }, { 12, 1 }, { 14, 1 }, { 48, 1 }, { 51, 0x40 }, { 52, 1 }, { 55, 0x7f }, { 56, 1 }, { 63, 0x7f } };
  enum { FOOT = 64, MAC = 32 };
  Place place;
  Said said;
  gsize n_bytes;
  LecternDigest key;
  g_autofree char *good = NULL;
  place_init (&place, TINY_LLAMA, 0);
  g_autofree char *path = keep_largest (&place, &said);
  read_file (path, &good, &n_bytes);
  g_assert_true (lectern_user_key_read (place.key, FALSE, &key));
  const guint8 *foot = (const guint8 *)good + n_bytes - FOOT - MAC;
  gsize n_payload = 0;
  for (int i = 0; i < 8; i++)
    n_payload |= (gsize)foot[56 + i] << (8 * i);
  for (gsize i = 0; i < G_N_ELEMENTS (lies) + 1; i++) {
    g_autofree char *bad = g_memdup2 (good, n_bytes);
    if (i < G_N_ELEMENTS (lies))
      bad[n_bytes - FOOT - MAC + lies[i].at] = (char)(bad[n_bytes - FOOT - MAC + lies[i].at] + lies[i].add);
    const LecternDigestPart part = { bad + n_payload, n_bytes - n_payload - MAC };
    const LecternDigest mac = lectern_digest_of_parts (&key, &part, 1);
    memcpy (bad + n_bytes - MAC, mac.bytes, MAC);
    write_file (path, bad, n_bytes);
    if (i < G_N_ELEMENTS (lies))
      check_refused (&place, path, &said);
    else /* it is the lies that are refused */
      g_assert_cmpuint (look (&place, warranty, &said), >, 400);
  }
  said_clear (&said);
  place_clear (&place);
}

/* Not plain files of this user's alone. */
static void test_foreign (void)
{
  Place place;
  Said said;
  gsize n_bytes;
  g_autofree char *good = NULL;
  place_init (&place, TINY_LLAMA, 0);
  g_autofree char *path = keep_largest (&place, &said), *aside = g_build_filename (place.dir, "aside", NULL);
  read_file (path, &good, &n_bytes);

  write_file (aside, good, n_bytes);
  g_remove (path);
  g_assert_cmpint (symlink (aside, path), ==, 0);
  check_refused (&place, path, &said);
  g_assert_cmpint (link (aside, path), ==, 0);
  check_refused (&place, path, &said);
  g_assert_true (g_file_test (aside, G_FILE_TEST_EXISTS));
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  check_refused (&place, path, &said);
  g_assert_cmpint (mkdir (path, 0700), ==, 0);
  check_refused (&place, path, &said);
  write_file (path, good, n_bytes);
  g_assert_cmpint (chmod (path, 0640), ==, 0);
  check_refused (&place, path, &said);
  if (geteuid () == 0) {
    write_file (path, good, n_bytes);
    g_assert_cmpint (chown (path, 65534, 65534), ==, 0);
    check_refused (&place, path, &said);
  }
  /* Other names are none of ours. */
  g_autofree char *stranger = g_build_filename (place.states, "notes.txt", NULL);
  write_file (stranger, "x", 1);
  g_assert_cmpuint (look (&place, warranty, &said), ==, 0);
  g_assert_true (g_file_test (stranger, G_FILE_TEST_EXISTS));
  said_clear (&said);
  place_clear (&place);
}

static void test_key (void)
{
  Place place;
  Said said;
  gsize n_bytes;
  LecternDigest key, other;
  g_autofree char *good = NULL;
  place_init (&place, TINY_LLAMA, 0);
  g_autofree char *path = keep_largest (&place, &said);
  read_file (path, &good, &n_bytes);
  g_assert_true (lectern_user_key_read (place.key, FALSE, &key));

  /* Another key: what was authenticated with the old one is nobody's. */
  other = lectern_digest_of (&key, sizeof key);
  write_file (place.key, (const char *)other.bytes, sizeof other.bytes);
  check_refused (&place, path, &said);
  /* One that others may read is none, and replaced when something is saved. */
  write_file (place.key, (const char *)key.bytes, sizeof key.bytes);
  write_file (path, good, n_bytes);
  g_assert_cmpint (chmod (place.key, 0644), ==, 0);
  g_assert_cmpuint (look (&place, warranty, &said), ==, 0);
  g_assert_false (lectern_user_key_read (place.key, FALSE, &other));
  Said again = ask (&place, warranty);
  g_assert_true (lectern_user_key_read (place.key, FALSE, &other));
  g_assert_false (lectern_digest_equal (&key, &other));
  g_assert_cmpuint (get_mode (place.key), ==, 0600);
  g_assert_cmpuint (look (&place, warranty, &said), >, 400);
  said_clear (&again);
  /* So are one of another length and a link; a folder cannot be replaced, and nothing is saved. */
  write_file (place.key, "short", 5);
  g_assert_false (lectern_user_key_read (place.key, FALSE, &other));
  g_assert_true (lectern_user_key_read (place.key, TRUE, &other));
  g_remove (place.key);
  g_assert_cmpint (symlink (place.model, place.key), ==, 0);
  g_assert_true (lectern_user_key_read (place.key, TRUE, &key));
  g_assert_true (g_file_test (place.model, G_FILE_TEST_EXISTS));
  g_remove (place.key);
  g_assert_cmpint (mkdir (place.key, 0700), ==, 0);
  g_assert_false (lectern_user_key_read (place.key, TRUE, &key));
  again = ask (&place, pressure);
  said_clear (&again);
  g_autofree char *key_dir = g_path_get_dirname (place.key);
  g_autoptr (GDir) dir = g_dir_open (key_dir, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (dir), ==, "session.key");
  g_assert_null (g_dir_read_name (dir));
  said_clear (&said);
  place_clear (&place);
}

static gpointer make_key (gpointer path)
{
  LecternDigest *key = g_new0 (LecternDigest, 1);
  g_assert_true (lectern_user_key_read (path, TRUE, key));
  return key;
}

static void test_key_race (void)
{
  enum { N_THREADS = 8, N_ROUNDS = 20 };
  char *dir = tiny_dir_new ();
  for (int round = 0; round < N_ROUNDS; round++) {
    g_autofree char *path = g_strdup_printf ("%s/%d.key", dir, round);
    GThread *threads[N_THREADS];
    LecternDigest *keys[N_THREADS];
    for (int i = 0; i < N_THREADS; i++)
      threads[i] = g_thread_new ("key", make_key, path);
    for (int i = 0; i < N_THREADS; i++)
      keys[i] = g_thread_join (threads[i]);
    for (int i = 0; i < N_THREADS; i++)
      g_assert_true (lectern_digest_equal (keys[i], keys[0]));
    for (int i = 0; i < N_THREADS; i++)
      g_free (keys[i]);
  }
  tiny_dir_remove (dir);
}

/* A folder open to others becomes closed; a link to one is none. */
static void test_folder (void)
{
  Place place;
  place_init (&place, TINY_LLAMA, 0);
  g_assert_cmpint (g_mkdir_with_parents (place.states, 0755), ==, 0);
  g_assert_cmpint (chmod (place.states, 0755), ==, 0);
  Said said = ask (&place, warranty);
  g_assert_cmpuint (get_mode (place.states), ==, 0700);
  g_autofree char *moved = g_build_filename (place.dir, "moved", NULL);
  g_assert_cmpint (rename (place.states, moved), ==, 0);
  g_assert_cmpint (symlink (moved, place.states), ==, 0);
  g_assert_cmpuint (look (&place, warranty, &said), ==, 0);
  said_clear (&said);
  place_clear (&place);
}

/* ---- limits ---------------------------------------------------------------------------------------------- */

static void let_time_pass (void)
{
  g_usleep (20000);
}

static void test_quota (void)
{
  Place place;
  place_init (&place, TINY_LLAMA, 0);
  Said plain[] = { ask (&place, warranty), ask (&place, water) };
  const guint64 all = count_bytes (&place); /* a beginning and two sets of passages */
  guint n_removed;
  g_assert_true (lectern_cache_clear (place.cache, &n_removed, NULL));
  g_assert_cmpuint (n_removed, ==, 3);
  g_assert_cmpuint (count_files (&place), ==, 0);

  /* One byte too little for all: what was used longest ago goes, and that is what was not asked for again. */
  lectern_cache_unref (place.cache);
  place.cache = lectern_cache_new (place.states, place.key, all - 1);
  Said said = ask (&place, warranty);
  said_clear (&said);
  let_time_pass ();
  said = ask (&place, water);
  said_clear (&said);
  g_assert_cmpuint (count_bytes (&place), <=, all - 1);
  g_assert_cmpuint (look (&place, water, &plain[1]), >, plain[1].prompt_tokens - 150);
  g_assert_cmpuint (look (&place, warranty, &plain[0]), <, plain[0].prompt_tokens - 150);
  LecternCacheStatus status;
  lectern_cache_get_status (place.cache, &status);
  g_assert_cmpuint (status.n_files, ==, 2);
  g_assert_cmpuint (status.n_bytes, ==, count_bytes (&place));
  g_assert_cmpuint (status.quota_bytes, ==, all - 1);

  /* Too little for anything: nothing is written, and what is there stays. */
  const guint64 before = count_bytes (&place);
  lectern_cache_unref (place.cache);
  place.cache = lectern_cache_new (place.states, place.key, 1000);
  said = ask (&place, warranty);
  said_clear (&said);
  g_assert_cmpuint (count_bytes (&place), ==, before);
  said_clear (&plain[0]);
  said_clear (&plain[1]);
  place_clear (&place);
}

/* Room for two sets of passages beside the beginning. That which was used last, be it only read, stays. */
static void test_oldest_first (void)
{
  Place place;
  place_init (&place, TINY_LLAMA, 0);
  tiny_library_store (
      place.library, "/docs/lamp", "en",
      (const char *const[]){ "The lamp of the garage has a bulb of 40 watts and costs 9 euros.", NULL });
  static const char lamp[] = "How many watts has the bulb of the lamp?";
  Said plain[] = { ask (&place, warranty), ask (&place, water), ask (&place, lamp) };
  g_assert_cmpuint (count_files (&place), ==, 4);
  const guint64 all = count_bytes (&place);
  guint n_removed;
  g_assert_true (lectern_cache_clear (place.cache, &n_removed, NULL));
  lectern_cache_unref (place.cache);
  place.cache = lectern_cache_new (place.states, place.key, all - 1);
  const char *const order[] = { warranty, water, warranty, lamp };
  for (gsize i = 0; i < G_N_ELEMENTS (order); i++) {
    Said said = ask (&place, order[i]);
    said_clear (&said);
    let_time_pass ();
  }
  g_assert_cmpuint (count_files (&place), ==, 3);
  g_assert_cmpuint (look (&place, warranty, &plain[0]), >, plain[0].prompt_tokens - 150);
  g_assert_cmpuint (look (&place, lamp, &plain[2]), >, plain[2].prompt_tokens - 150);
  g_assert_cmpuint (look (&place, water, &plain[1]), <, plain[1].prompt_tokens - 150);
  for (gsize i = 0; i < G_N_ELEMENTS (plain); i++)
    said_clear (&plain[i]);
  place_clear (&place);
}

/* No more files than are looked through quickly, whatever their size. */
static void test_many_files (void)
{
  Place place;
  place_init (&place, TINY_LLAMA, 0);
  Said said = ask (&place, warranty);
  said_clear (&said);
  for (int i = 0; i < LECTERN_CACHE_MAX_FILES + 20; i++) {
    g_autofree char *path = g_strdup_printf ("%s/%032x.state", place.states, (guint)i);
    write_file (path, "old", 3);
    const struct timespec times[] = { { 1000, 0 }, { 1000, 0 } };
    g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
  }
  LecternGenerator *generator = lectern_generator_open (place.model, 1, NULL);
  const LecternAskOptions options = { .max_tokens = 5 };
  lectern_answer_free (lectern_ask (place.library, generator, water, &options, NULL, NULL, NULL, NULL));
  lectern_generator_set_cache (generator, place.cache);
  lectern_generator_save (generator, NULL);
  lectern_generator_close (generator);
  g_assert_cmpuint (count_files (&place), <=, LECTERN_CACHE_MAX_FILES);
  /* Those are no states, and go as soon as they are looked at. */
  said = ask (&place, water);
  g_assert_cmpuint (said.cached_tokens, >, said.prompt_tokens - 150);
  g_assert_cmpuint (count_files (&place), ==, 3);
  said_clear (&said);
  place_clear (&place);
}

/* A disk without room: no answer is lost, no file is there, and what was there stays. */
static void test_disk_full (void)
{
  Place place;
  struct rlimit limit, low;
  place_init (&place, TINY_LLAMA, 0);
  Said first = ask (&place, warranty);
  const guint64 before = count_bytes (&place);
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  low = (struct rlimit){ 20000, limit.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &low), ==, 0);
  Said said = ask (&place, water);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  g_assert_cmpuint (count_bytes (&place), ==, before);
  g_assert_cmpuint (count_files (&place), ==, 2);
  g_assert_cmpuint (look (&place, warranty, &first), >, 400);
  said_clear (&said);
  said_clear (&first);
  place_clear (&place);
}

/* Cancelled, or while another program saves: not saved. What a killed program left goes with the next that is saved. */
static void test_undisturbed (void)
{
  Place place;
  place_init (&place, TINY_LLAMA, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_cancellable_cancel (cancelled);
  LecternGenerator *generator = lectern_generator_open (place.model, 1, &error);
  lectern_generator_set_cache (generator, place.cache);
  lectern_generator_save (generator, NULL); /* nothing yet */
  const LecternAskOptions options = { .max_tokens = 5 };
  lectern_answer_free (lectern_ask (place.library, generator, warranty, &options, NULL, NULL, NULL, &error));
  lectern_generator_save (generator, cancelled);
  g_assert_cmpuint (count_files (&place), ==, 0);

  g_autofree char *lock_path = g_build_filename (place.states, "lock", NULL);
  const int lock = open (lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint (flock (lock, LOCK_EX), ==, 0);
  lectern_generator_save (generator, NULL);
  g_assert_cmpuint (count_files (&place), ==, 0);
  guint n_removed;
  g_assert_false (lectern_cache_clear (place.cache, &n_removed, &error));
  g_assert_error (error, LECTERN_ERROR, LECTERN_ERROR_BUSY);
  close (lock);

  g_autofree char *left = g_build_filename (place.states, "new.tmp", NULL);
  write_file (left, "half", 4);
  lectern_generator_save (generator, NULL);
  g_assert_cmpuint (count_files (&place), ==, 2);
  g_assert_false (g_file_test (left, G_FILE_TEST_EXISTS));
  lectern_generator_close (generator);
  place_clear (&place);
}

/* ---- several at once ------------------------------------------------------------------------------------- */

typedef struct {
  Place *place;
  const Said *expected; /* [2] */
} Crowd;

static gpointer join_crowd (gpointer data)
{
  const Crowd *crowd = data;
  Place own = *crowd->place, mine;
  place_init (&mine, TINY_LLAMA, 0);
  own.library = mine.library; /* which is one thread's */
  for (int i = 0; i < 12; i++) {
    Said said = ask (&own, i % 2 ? water : warranty);
    g_assert_cmpstr (said.answer, ==, crowd->expected[i % 2].answer);
    said_clear (&said);
  }
  place_clear (&mine);
  return NULL;
}

static void test_crowd (void)
{
  enum { N_THREADS = 4 };
  Place place;
  place_init (&place, TINY_LLAMA, 0);
  Said expected[] = { ask (&place, warranty), ask (&place, water) };
  const guint64 quota = count_bytes (&place) - 1; /* so that they take away from each other */
  lectern_cache_unref (place.cache);
  place.cache = lectern_cache_new (place.states, place.key, quota);
  const Crowd crowd = { &place, expected };
  GThread *threads[N_THREADS];
  for (int i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("crowd", join_crowd, (gpointer)&crowd);
  for (int i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (count_files (&place), <=, 3);
  g_autoptr (GPtrArray) paths = list_files (&place);
  for (guint i = 0; i < paths->len; i++)
    g_assert_true (g_str_has_suffix (g_ptr_array_index (paths, i), ".state"));
  look (&place, warranty, &expected[0]);
  said_clear (&expected[0]);
  said_clear (&expected[1]);
  place_clear (&place);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cache/restart", test_restart);
  g_test_add_func ("/cache/recurrent", test_recurrent);
  g_test_add_func ("/cache/other-model", test_other_model);
  g_test_add_func ("/cache/conversation", test_conversation);
  g_test_add_func ("/cache/damage", test_damage);
  g_test_add_func ("/cache/forged", test_forged);
  g_test_add_func ("/cache/lies", test_lies);
  g_test_add_func ("/cache/foreign", test_foreign);
  g_test_add_func ("/cache/key", test_key);
  g_test_add_func ("/cache/key-race", test_key_race);
  g_test_add_func ("/cache/folder", test_folder);
  g_test_add_func ("/cache/quota", test_quota);
  g_test_add_func ("/cache/oldest-first", test_oldest_first);
  g_test_add_func ("/cache/many-files", test_many_files);
  g_test_add_func ("/cache/disk-full", test_disk_full);
  g_test_add_func ("/cache/undisturbed", test_undisturbed);
  g_test_add_func ("/cache/crowd", test_crowd);
  return g_test_run ();
}
