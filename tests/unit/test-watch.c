/* The parts of the watching service that need no service: the queue with a clock of its own, the gate, monitors that
 * are made here, the list of folders, moves, and what FolderWatch tells. */
#include "ingest/ingest.h"
#include "ingest/index/moves.h"
#include "ingest/folder/scan.h"
#include "ingest/watch/conditions.h"
#include "ingest/watch/folder-watch.h"
#include "ingest/watch/folders.h"
#include "ingest/watch/gate.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS G_TIME_SPAN_MILLISECOND

/* ---- queue ---- */

static void test_queue (void)
{
  ChangeQueue *queue = change_queue_new ();
  g_assert_cmpint (change_queue_get_due (queue), ==, -1);
  g_assert_null (change_queue_take (queue, 0));
  /* Quiet for half a second. */
  change_queue_add (queue, "/a", CHANGE_FILE, 1000 * MS);
  g_assert_cmpint (change_queue_get_due (queue), ==, 1500 * MS);
  change_queue_add (queue, "/b", CHANGE_FILE, 1400 * MS);
  change_queue_add (queue, "/a", CHANGE_GONE, 1400 * MS);
  g_assert_cmpint (change_queue_get_due (queue), ==, 1900 * MS);
  g_assert_null (change_queue_take (queue, 1899 * MS));
  GHashTable *batch = change_queue_take (queue, 1900 * MS);
  g_assert_cmpuint (g_hash_table_size (batch), ==, 2);
  g_assert_cmpint (GPOINTER_TO_INT (g_hash_table_lookup (batch, "/a")), ==, CHANGE_GONE);
  g_assert_cmpuint (change_queue_get_length (queue), ==, 0);
  /* A burst without end is cut after a second and a half. */
  for (int i = 0; i < 20; i++)
    change_queue_add (queue, "/c", CHANGE_FILE, (3000 + i * 100) * MS);
  g_assert_cmpint (change_queue_get_due (queue), ==, 4500 * MS);
  /* What could not be done waits, and what is newer counts. */
  change_queue_add (queue, "/b", CHANGE_GONE, 4600 * MS);
  change_queue_put_back (queue, batch, 6000 * MS);
  g_assert_null (change_queue_take (queue, 5999 * MS));
  g_hash_table_unref (batch);
  batch = change_queue_take (queue, 6000 * MS);
  g_assert_cmpuint (g_hash_table_size (batch), ==, 3);
  g_assert_cmpint (GPOINTER_TO_INT (g_hash_table_lookup (batch, "/b")), ==, CHANGE_GONE);
  g_hash_table_unref (batch);
  change_queue_add (queue, "/d/e", CHANGE_FILE, 0);
  change_queue_add (queue, "/de", CHANGE_FILE, 0);
  change_queue_drop_below (queue, "/d");
  g_assert_cmpuint (change_queue_get_length (queue), ==, 1);
  change_queue_drop_below (queue, "/");
  g_assert_cmpint (change_queue_get_due (queue), ==, -1);
  change_queue_free (queue);
}

/* ---- gate and monitors ---- */

static void test_gate (void)
{
  Gate gate = { 0 };
  g_assert_true (gate_may_work (&gate));
  g_assert_cmpstr (gate_get_state (&gate), ==, "idle");
  gate.working = TRUE;
  g_assert_cmpstr (gate_get_state (&gate), ==, "indexing");
  gate_set (&gate, PAUSE_BY_USER, TRUE);
  gate_set (&gate, PAUSE_POWER_SAVER, TRUE);
  g_assert_false (gate_may_work (&gate));
  g_assert_cmpstr (gate_get_state (&gate), ==, "paused");
  gate_set (&gate, PAUSE_BY_USER, FALSE);
  g_assert_false (gate_may_work (&gate)); /* the battery still says so */
  g_assert_cmpstr (gate_get_reason (&gate), ==, "The computer saves power.");
  gate_set (&gate, PAUSE_POWER_SAVER, FALSE);
  g_assert_true (gate_may_work (&gate));
  g_assert_cmpstr (gate_get_reason (&gate), ==, "");

  gate_warn_memory (&gate, 1000);
  g_assert_cmpint (gate_tick (&gate, 2000), ==, 1000 + MEMORY_PAUSE_US);
  gate_warn_memory (&gate, 5000);
  g_assert_false (gate_may_work (&gate));
  g_assert_cmpint (gate_tick (&gate, 1000 + MEMORY_PAUSE_US), ==, 5000 + MEMORY_PAUSE_US);
  g_assert_cmpint (gate_tick (&gate, 5000 + MEMORY_PAUSE_US), ==, -1);
  g_assert_true (gate_may_work (&gate));

  gate = (Gate){ .waiting = TRUE };
  g_assert_cmpstr (gate_get_state (&gate), ==, "waiting");
  gate.starting = TRUE;
  g_assert_cmpstr (gate_get_state (&gate), ==, "starting");
  gate.stopping = TRUE;
  g_assert_cmpstr (gate_get_state (&gate), ==, "stopping");
  g_assert_false (gate_may_work (&gate));
}

typedef struct {
  GObject parent;
  gboolean saver;
} FakeMonitor;
typedef GObjectClass FakeMonitorClass;

static gboolean fake_init (GInitable *initable, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static void initable_iface (GInitableIface *iface)
{
  iface->init = fake_init;
}

static void no_iface (gpointer iface, gpointer data)
{}

GType fake_monitor_get_type (void);
G_DEFINE_TYPE_WITH_CODE (FakeMonitor, fake_monitor, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, initable_iface)
                             G_IMPLEMENT_INTERFACE (G_TYPE_POWER_PROFILE_MONITOR, no_iface)
                                 G_IMPLEMENT_INTERFACE (G_TYPE_MEMORY_MONITOR, no_iface))

static void fake_get (GObject *object, guint id, GValue *value, GParamSpec *property)
{
  g_value_set_boolean (value, ((FakeMonitor *)object)->saver);
}

static void fake_monitor_class_init (FakeMonitorClass *class)
{
  class->get_property = fake_get;
  g_object_class_override_property (class, 1, "power-saver-enabled");
}

static void fake_monitor_init (FakeMonitor *monitor)
{}

static void note_power (gboolean on, gpointer data)
{
  gate_set (data, PAUSE_POWER_SAVER, on);
}

static void note_memory (gpointer data)
{
  gate_warn_memory (data, 0);
}

static void test_conditions (void)
{
  FakeMonitor *monitor = g_object_new (fake_monitor_get_type (), NULL);
  const ConditionFuncs funcs = { note_power, note_memory };
  Gate gate = { 0 };
  monitor->saver = TRUE;
  Conditions *conditions
      = conditions_new (G_POWER_PROFILE_MONITOR (monitor), G_MEMORY_MONITOR (monitor), &funcs, &gate);
  g_assert_false (gate_may_work (&gate)); /* it was on before */
  monitor->saver = FALSE;
  g_object_notify (G_OBJECT (monitor), "power-saver-enabled");
  g_assert_true (gate_may_work (&gate));
  monitor->saver = TRUE;
  g_object_notify (G_OBJECT (monitor), "power-saver-enabled");
  g_assert_cmpstr (gate_get_reason (&gate), ==, "The computer saves power.");
  monitor->saver = FALSE;
  g_object_notify (G_OBJECT (monitor), "power-saver-enabled");
  g_signal_emit_by_name (monitor, "low-memory-warning", G_MEMORY_MONITOR_WARNING_LEVEL_LOW);
  g_assert_cmpstr (gate_get_reason (&gate), ==, "The computer is short of memory.");
  conditions_free (conditions);
  gate = (Gate){ 0 };
  g_signal_emit_by_name (monitor, "low-memory-warning", G_MEMORY_MONITOR_WARNING_LEVEL_LOW);
  g_assert_true (gate_may_work (&gate));
  g_object_unref (monitor);
}

/* ---- folders on disk ---- */

typedef struct {
  char *dir;
  GHashTable *changes; /* path -> Change */
  guint n_rescans;
  gboolean settled;
  FolderWatch *watch;
} Fixture;

static void note_change (const char *path, Change change, gpointer data)
{
  Fixture *f = data;
  g_hash_table_insert (f->changes, g_strdup (path), GINT_TO_POINTER (change + 1));
}

static void note_rescan (const char *root, gpointer data)
{
  ((Fixture *)data)->n_rescans++;
}

static void note_settled (gpointer data)
{
  ((Fixture *)data)->settled = TRUE;
}

static void set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *dir = g_dir_make_tmp ("lectern-watch-XXXXXX", NULL);
  f->dir = realpath (dir, NULL);
  f->changes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static void tear_down (Fixture *f, gconstpointer data)
{
  g_autofree char *command = g_strdup_printf ("rm -rf %s", f->dir);
  folder_watch_free (f->watch);
  g_hash_table_unref (f->changes);
  g_assert_cmpint (system (command), ==, 0);
  free (f->dir);
}

static char *at (Fixture *f, const char *name)
{
  return g_build_filename (f->dir, name, NULL);
}

static void put (Fixture *f, const char *name, const char *text)
{
  g_autofree char *path = at (f, name);
  g_autofree char *folder = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void rename_to (Fixture *f, const char *from, const char *to)
{
  g_autofree char *a = at (f, from), *b = at (f, to);
  g_assert_cmpint (rename (a, b), ==, 0);
}

static void begin_watch (Fixture *f, guint max_watches)
{
  static const FolderWatchFuncs funcs = { note_change, note_rescan, note_settled };
  f->watch = folder_watch_new (max_watches, &funcs, f);
  folder_watch_add_root (f->watch, f->dir);
  while (!f->settled)
    g_main_context_iteration (NULL, TRUE);
}

/* Waits until the change has been told; the test's own timeout ends it otherwise. */
static void expect (Fixture *f, const char *name, Change change)
{
  g_autofree char *path = at (f, name);
  while (GPOINTER_TO_INT (g_hash_table_lookup (f->changes, path)) != (int)change + 1)
    g_main_context_iteration (NULL, TRUE);
}

static gboolean was_told (Fixture *f, const char *name)
{
  g_autofree char *path = at (f, name);
  return g_hash_table_contains (f->changes, path);
}

static void test_tree (Fixture *f, gconstpointer data)
{
  put (f, "old/a.txt", "a");
  put (f, "node_modules/b.txt", "b");
  begin_watch (f, 0);
  g_assert_cmpuint (folder_watch_get_n_watches (f->watch), ==, 2);
  g_assert_cmpuint (g_hash_table_size (f->changes), ==, 0); /* what was there is not news */
  g_assert_cmpint (folder_watch_get_state (f->watch, f->dir), ==, FOLDER_WATCHED);

  put (f, "old/c.txt", "c");
  expect (f, "old/c.txt", CHANGE_FILE);
  put (f, "new/deep/d.txt", "d");
  expect (f, "new/deep/d.txt", CHANGE_FILE);
  put (f, "new/.hidden.txt", "h");
  put (f, "new/picture.raw", "p");
  put (f, "node_modules/e.txt", "e");
  rename_to (f, "old", "newer");
  expect (f, "old", CHANGE_GONE);
  expect (f, "newer/a.txt", CHANGE_FILE);
  put (f, "newer/f.txt", "f"); /* under its new name */
  expect (f, "newer/f.txt", CHANGE_FILE);
  g_autofree char *d = at (f, "new/deep/d.txt");
  g_assert_cmpint (unlink (d), ==, 0);
  expect (f, "new/deep/d.txt", CHANGE_GONE);
  g_assert_false (was_told (f, "new/.hidden.txt"));
  g_assert_false (was_told (f, "new/picture.raw"));
  g_assert_false (was_told (f, "node_modules/e.txt"));
  g_assert_false (was_told (f, "old/f.txt"));

  g_assert_cmpuint (f->n_rescans, ==, 0);
  put (f, ".lecternignore", "deep/\n");
  while (f->n_rescans == 0 || !folder_watch_is_settled (f->watch))
    g_main_context_iteration (NULL, TRUE);
  put (f, "new/deep/g.txt", "g");
  put (f, "new/last.txt", "l");
  expect (f, "new/last.txt", CHANGE_FILE);
  g_assert_false (was_told (f, "new/deep/g.txt"));
}

static void test_links (Fixture *f, gconstpointer data)
{
  put (f, "a/one.txt", "1");
  begin_watch (f, 0);
  g_autofree char *one = at (f, "a/one.txt"), *hard = at (f, "a/hard.txt"), *loop = at (f, "a/loop");
  g_assert_cmpint (symlink (f->dir, loop), ==, 0);
  g_assert_cmpint (link (one, hard), ==, 0);
  expect (f, "a/hard.txt", CHANGE_FILE);
  g_assert_cmpuint (folder_watch_get_n_watches (f->watch), ==, 2);
}

static void test_no_watches (Fixture *f, gconstpointer data)
{
  for (int i = 0; i < 10; i++) {
    g_autofree char *name = g_strdup_printf ("%d/a.txt", i);
    put (f, name, "a");
  }
  begin_watch (f, 5);
  g_assert_cmpuint (folder_watch_get_n_watches (f->watch), ==, 5);
  g_assert_cmpint (folder_watch_get_state (f->watch, f->dir), ==, FOLDER_NO_WATCHES);
}

/* More changes than the kernel keeps, unread: some are lost, and that is told. */
static void test_lost_events (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents ("/proc/sys/fs/inotify/max_queued_events", &text, NULL, NULL));
  guint64 limit = g_ascii_strtoull (text, NULL, 10);
  if (limit > 100000) {
    g_test_skip ("the kernel keeps too many events here");
    return;
  }
  put (f, "a/one.txt", "1");
  begin_watch (f, 0);
  g_autofree char *a = at (f, "a/one.txt"), *b = at (f, "a/two.txt");
  for (guint64 i = 0; i < limit / 2 + 100; i++)
    g_assert_cmpint (rename (i % 2 ? b : a, i % 2 ? a : b), ==, 0);
  while (f->n_rescans == 0 || !folder_watch_is_settled (f->watch))
    g_main_context_iteration (NULL, TRUE);
  put (f, "a/three.txt", "3"); /* it watches again */
  expect (f, "a/three.txt", CHANGE_FILE);
}

static void test_root_goes_and_comes (Fixture *f, gconstpointer data)
{
  static const FolderWatchFuncs funcs = { note_change, note_rescan, note_settled };
  g_autofree char *root = at (f, "drive");
  f->watch = folder_watch_new (0, &funcs, f);
  folder_watch_add_root (f->watch, root);
  g_assert_cmpint (folder_watch_get_state (f->watch, root), ==, FOLDER_MISSING);
  put (f, "drive/a.txt", "a");
  folder_watch_check_roots (f->watch);
  g_assert_cmpuint (f->n_rescans, ==, 1);
  while (!f->settled)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (folder_watch_get_state (f->watch, root), ==, FOLDER_WATCHED);
  rename_to (f, "drive", "away");
  folder_watch_check_roots (f->watch);
  g_assert_cmpint (folder_watch_get_state (f->watch, root), ==, FOLDER_MISSING);
  g_assert_cmpuint (folder_watch_get_n_watches (f->watch), ==, 0);
  g_assert_cmpuint (g_hash_table_size (f->changes), ==, 0); /* its documents are not said to have gone */
}

static void test_list (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *library = at (f, "library"), *odd = at (f, "a\tb\n[c] \xE9"), *file = at (f, "x.txt");
  guint n;
  put (f, "x.txt", "x");
  g_assert_cmpint (g_mkdir (odd, 0700), ==, 0);
  const char *paths[] = { odd, f->dir, odd, NULL }, *one[] = { odd, NULL }, *wrong[] = { f->dir, file, NULL };
  g_assert_true (lectern_watch_add (library, paths, &n, &error));
  g_assert_cmpuint (n, ==, 2);
  GPtrArray *folders = lectern_watch_list (library, &error);
  g_assert_cmpuint (folders->len, ==, 2);
  g_assert_cmpstr (g_ptr_array_index (folders, 0), ==, odd);
  g_assert_cmpstr (g_ptr_array_index (folders, 1), ==, f->dir);
  g_ptr_array_unref (folders);
  g_assert_cmpint (rmdir (odd), ==, 0);
  g_assert_true (lectern_watch_remove (library, one, &n, &error)); /* though it has gone */
  g_assert_cmpuint (n, ==, 1);
  g_assert_false (lectern_watch_remove (library, one, &n, &error));
  g_assert_error (error, LECTERN_ERROR, LECTERN_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_false (lectern_watch_add (library, wrong, &n, &error));
  g_assert_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED);
  g_clear_error (&error);
  put (f, "library/folders", "[lectern]\nversion=2\n");
  g_assert_null (lectern_watch_list (library, &error));
  g_assert_error (error, LECTERN_ERROR, LECTERN_ERROR_TOO_NEW);
  g_clear_error (&error);
  put (f, "library/folders", "nonsense");
  g_assert_null (lectern_watch_list (library, &error));
  g_assert_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED);
}

static void test_moves (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  LecternLibrary *library = lectern_library_open_memory (&error);
  static const char *const names[] = { "a.txt", "b.txt", "c.txt" };
  static const char *const texts[] = { "one", "two", "one" }; /* the first and the last are the same */
  g_autoptr (GPtrArray) gone = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_document_free);
  for (guint i = 0; i < 3; i++) {
    put (f, names[i], texts[i]);
    g_autofree char *path = at (f, names[i]);
    GStatBuf info;
    g_assert_cmpint (g_stat (path, &info), ==, 0);
    LecternDraft *draft = lectern_draft_new ();
    draft->path = g_strdup (path);
    draft->size_bytes = info.st_size;
    draft->mtime_ns = (gint64)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
    draft->hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, texts[i], -1);
    draft->type = g_strdup ("text");
    LecternChunk *chunk = lectern_chunk_new ();
    chunk->text = g_strdup (texts[i]);
    g_ptr_array_add (draft->chunks, chunk);
    g_assert_true (lectern_library_store (library, draft, NULL, &error));
    g_ptr_array_add (gone, lectern_library_find_path (library, path, &error));
    lectern_draft_free (draft);
  }
  LecternDraft *inner = lectern_draft_new (); /* something that stands in the first */
  g_autofree char *inner_path = at (f, "a.txt/inner.txt"), *moved_inner = at (f, "moved.txt/inner.txt");
  gint64 inner_id = 0;
  inner->path = g_strdup (inner_path);
  inner->container_id = ((LecternDocument *)g_ptr_array_index (gone, 0))->id;
  inner->hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, "inner", -1);
  inner->status = LECTERN_STATUS_EMPTY;
  g_assert_true (lectern_library_store (library, inner, &inner_id, &error));
  lectern_draft_free (inner);
  rename_to (f, "a.txt", "moved.txt");
  rename_to (f, "b.txt", "c.txt"); /* over another document: not a move */
  g_autofree char *moved = at (f, "moved.txt"), *c = at (f, "c.txt");
  g_autoptr (GPtrArray) files = g_ptr_array_new ();
  g_ptr_array_add (files, moved);
  g_ptr_array_add (files, c);
  g_ptr_array_remove_index (gone, 2); /* c.txt is there */
  guint n_moved = 0;
  gint64 id = ((LecternDocument *)g_ptr_array_index (gone, 0))->id;
  g_assert_true (moves_apply (library, gone, files, &n_moved, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_moved, ==, 1);
  LecternDocument *document = lectern_library_find_id (library, id, &error);
  g_assert_cmpstr (document->path, ==, moved);
  lectern_document_free (document);
  document = lectern_library_find_id (library, inner_id, &error);
  g_assert_cmpstr (document->path, ==, moved_inner);
  lectern_document_free (document);
  g_assert_false (lectern_library_move (library, 9999, "/x", &error));
  g_assert_error (error, LECTERN_ERROR, LECTERN_ERROR_NOT_FOUND);
  g_clear_error (&error);
  lectern_library_close (library);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/watch/queue", test_queue);
  g_test_add_func ("/watch/gate", test_gate);
  g_test_add_func ("/watch/conditions", test_conditions);
#define ADD(name, function) g_test_add ("/watch/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("tree", test_tree);
  ADD ("links", test_links);
  ADD ("no-watches", test_no_watches);
  ADD ("lost-events", test_lost_events);
  ADD ("root-goes-and-comes", test_root_goes_and_comes);
  ADD ("list", test_list);
  ADD ("moves", test_moves);
  return g_test_run ();
}
