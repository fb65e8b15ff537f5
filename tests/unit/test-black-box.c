/* The black box: what was in work when a program died is known to the next one, by real processes that are killed. */
#include "ingest/index/black-box.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char *folder;

/* A program that opens the box, finishes one document, begins others, and dies. */
static void die_while_reading (const char *const *paths, gint64 size_bytes)
{
  pid_t pid = fork ();
  if (pid == 0) {
    BlackBox *box = black_box_open (folder, 4);
    black_box_end (box, black_box_begin (box, "/done.pdf", 1, 1));
    for (guint i = 0; paths[i]; i++)
      black_box_begin (box, paths[i], size_bytes, 7);
    kill (getpid (), SIGKILL);
  }
  int wait_status;
  g_assert_cmpint (waitpid (pid, &wait_status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (wait_status));
}

static void expect_strikes (BlackBox *box, const char *path, gint64 size_bytes, guint strikes)
{
  g_assert_cmpuint (black_box_count_strikes (box, path, size_bytes, 7), ==, strikes);
}

static void test_strikes (void)
{
  const char *const both[] = { "/a b\n.pdf", "/caf\xe9.html", NULL }, *const one[] = { "/a b\n.pdf", NULL };
  die_while_reading (both, 100);
  BlackBox *box = black_box_open (folder, 4);
  expect_strikes (box, both[0], 100, 1);
  expect_strikes (box, both[1], 100, 1);
  expect_strikes (box, both[0], 101, 0); /* it has changed */
  g_assert_cmpuint (black_box_count_strikes (box, "/done.pdf", 1, 1), ==, 0);
  black_box_end (box, black_box_begin (box, both[1], 100, 7)); /* read to its end: no suspect any more */
  expect_strikes (box, both[1], 100, 0);
  black_box_close (box);

  die_while_reading (one, 100);
  box = black_box_open (folder, 1); /* fewer slots than the run before */
  expect_strikes (box, both[0], 100, BLACK_BOX_MAX_STRIKES);
  expect_strikes (box, both[1], 100, 0);
  black_box_close (box);
  box = black_box_open (folder, 4); /* a run without a document in work adds nothing */
  expect_strikes (box, both[0], 100, BLACK_BOX_MAX_STRIKES);
  black_box_close (box);

  die_while_reading (one, 200); /* changed since: it starts anew */
  box = black_box_open (folder, 4);
  expect_strikes (box, both[0], 100, 0);
  expect_strikes (box, both[0], 200, 1);
  black_box_end (box, black_box_begin (box, both[0], 200, 7));
  black_box_close (box);
  g_autofree char *suspects = g_build_filename (folder, "suspects", NULL);
  g_assert_false (g_file_test (suspects, G_FILE_TEST_EXISTS));
}

/* What a living program reads is no suspect, and its box stays as it is. */
static void test_second_program (void)
{
  BlackBox *first = black_box_open (folder, 2);
  guint slot = black_box_begin (first, "/first.pdf", 1, 7);
  BlackBox *second = black_box_open (folder, 2);
  expect_strikes (second, "/first.pdf", 1, 0);
  black_box_begin (second, "/second.pdf", 1, 7);
  black_box_close (second);
  second = black_box_open (folder, 2);
  expect_strikes (second, "/second.pdf", 1, 0);
  black_box_close (second);
  black_box_end (first, slot);
  black_box_close (first);
}

static void test_no_folder (void)
{
  BlackBox *box = black_box_open ("/nonexistent/folder", 2);
  black_box_end (box, black_box_begin (box, "/x.pdf", 1, 7));
  expect_strikes (box, "/x.pdf", 1, 0);
  black_box_close (box);
}

static void test_nonsense (void)
{
  g_autofree char *suspects = g_build_filename (folder, "suspects", NULL);
  g_autofree char *reading = g_build_filename (folder, "reading", NULL);
  g_assert_true (g_file_set_contents (suspects, "\n2\nx y z /q\n2 5 7 /known.pdf\n3 5", -1, NULL));
  g_autofree char *noise = g_strnfill (9000, 'n');
  g_assert_true (g_file_set_contents (reading, noise, -1, NULL));
  BlackBox *box = black_box_open (folder, 2);
  expect_strikes (box, "/known.pdf", 5, 2);
  black_box_close (box);
  g_unlink (suspects);
}

/* Slots of several threads at once. */
static gpointer use_slot (gpointer data)
{
  BlackBox *box = ((gpointer *)data)[0];
  guint thread = GPOINTER_TO_UINT (((gpointer *)data)[1]);
  for (int i = 0; i < 500; i++) {
    g_autofree char *path = g_strdup_printf ("/%u/%d", thread, i);
    guint slot = black_box_begin (box, path, i, 7);
    g_assert_cmpuint (slot, <, 4);
    expect_strikes (box, path, i, 0);
    black_box_end (box, slot);
  }
  return NULL;
}

static void test_threads (void)
{
  BlackBox *box = black_box_open (folder, 4);
  gpointer data[4][2];
  GThread *threads[4];
  for (guint i = 0; i < 4; i++) {
    data[i][0] = box;
    data[i][1] = GUINT_TO_POINTER (i);
    threads[i] = g_thread_new ("slot", use_slot, data[i]);
  }
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  black_box_close (box);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("lectern-black-box-XXXXXX", NULL);
  g_test_add_func ("/black-box/strikes", test_strikes);
  g_test_add_func ("/black-box/second-program", test_second_program);
  g_test_add_func ("/black-box/no-folder", test_no_folder);
  g_test_add_func ("/black-box/nonsense", test_nonsense);
  g_test_add_func ("/black-box/threads", test_threads);
  int status = g_test_run ();
  g_autofree char *reading = g_build_filename (folder, "reading", NULL);
  g_unlink (reading);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_free (folder);
  return status;
}
