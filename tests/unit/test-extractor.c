/* The client of lectern-extract against readers that crash, hang, lie and flood: each document gets a status in time,
 * and the one after it is read as if nothing had been. argv[1]: hostile-extract; argv[2]:
 * old-kernel. */
#include "ingest/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* AddressSanitizer reserves more address space than any limit allows. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static const char *hostile, *old_kernel;
static char *folder;

static char *make_file (const char *name, const char *content)
{
  char *path = g_build_filename (folder, name, NULL);
  g_assert_true (g_file_set_contents (path, content, -1, NULL));
  return path;
}

static LecternExtraction *extract (LecternExtractor *extractor, const char *name, guint timeout_ms)
{
  g_autofree char *path = make_file (name, "content");
  g_autoptr (GError) error = NULL;
  LecternExtractLimits limits = { timeout_ms, 0 };
  LecternExtraction *extraction = lectern_extractor_extract (extractor, path, &limits, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (extraction);
  g_unlink (path);
  return extraction;
}

static LecternExtractor *new_extractor (void)
{
  g_autoptr (GError) error = NULL;
  g_setenv ("LECTERN_EXTRACT", hostile, TRUE);
  LecternExtractor *extractor = lectern_extractor_new (&error);
  g_assert_no_error (error);
  return extractor;
}

static void test_hostile (void)
{
  static const struct {
    const char *name;
    guint timeout_ms;
    LecternStatus status;
    const char *part; /* of the sentence */
  } cases[] = {
    { "crash", 20000, LECTERN_STATUS_DAMAGED, "crashed on it (signal 11" },
    { "half", 20000, LECTERN_STATUS_DAMAGED, "" }, /* exit status 3, or an abort under a sanitizer */
    { "silent", 20000, LECTERN_STATUS_DAMAGED, "gave up on it (exit status 0)" },
    { "memory", 20000, LECTERN_STATUS_TOO_LARGE, "more than 1024 MiB of memory" },
    { "hang", 200, LECTERN_STATUS_TIMED_OUT, "longer than 0.2 seconds" },
    { "drip", 200, LECTERN_STATUS_TIMED_OUT, "longer than 0.2 seconds" },
    { "closed", 200, LECTERN_STATUS_TIMED_OUT, "longer than 0.2 seconds" },
    { "lie", 20000, LECTERN_STATUS_DAMAGED, "made no sense (a frame too long)" },
    { "flood", 60000, LECTERN_STATUS_TOO_LARGE, "far more text" },
    { "write", 20000, LECTERN_STATUS_DAMAGED, "(exit status 9)" },
    { "busy", 200, LECTERN_STATUS_TIMED_OUT, "longer than 0.2 seconds" },
  };
  LecternExtractor *extractor = new_extractor ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gint64 start = g_get_monotonic_time ();
    LecternExtraction *extraction = extract (extractor, cases[i].name, cases[i].timeout_ms);
    g_test_message ("%s: %s", cases[i].name, extraction->error);
    g_assert_cmpint (extraction->status, ==, cases[i].status);
    g_assert_nonnull (strstr (extraction->error, cases[i].part));
    g_assert_cmpint (g_get_monotonic_time () - start, <, 30 * G_USEC_PER_SEC);
    lectern_extraction_free (extraction);
    extraction = extract (extractor, "good", 20000);
    g_assert_cmpint (extraction->status, ==, LECTERN_STATUS_INDEXED);
    g_assert_cmpuint (extraction->blocks->len, ==, 1);
    lectern_extraction_free (extraction);
  }
  lectern_extractor_free (extractor);
}

/* A PDF file on which its reader breaks down is read once more, without what is optional; other files are not. */
static void test_again (void)
{
  static const struct {
    const char *name;
    guint timeout_ms;
    const char *part; /* of the warning or, where there is no text, of the sentence */
    gboolean read;
  } cases[] = {
    { "fragile-crash.pdf", 20000, "crashed on it (signal 11", TRUE },
    { "fragile-memory.pdf", 20000, "more than 1024 MiB of memory", TRUE },
    { "fragile-hang.pdf", 3000, "longer than 3 seconds", TRUE },
    { "fragile-crash.txt", 20000, "crashed on it (signal 11", FALSE },
    { "fragile-silent.pdf", 20000, "gave up on it (exit status 0)", FALSE },
    { "fragile-lie.pdf", 20000, "made no sense", FALSE },
  };
  LecternExtractor *extractor = new_extractor ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    LecternExtraction *extraction = extract (extractor, cases[i].name, cases[i].timeout_ms);
    g_test_message ("%s: %s", cases[i].name, extraction->error);
    g_assert_cmpint (extraction->status == LECTERN_STATUS_INDEXED, ==, cases[i].read);
    g_assert_cmpuint (extraction->warnings->len, ==, cases[i].read);
    g_assert_nonnull (strstr (cases[i].read ? extraction->warnings->pdata[0] : extraction->error, cases[i].part));
    lectern_extraction_free (extraction);
  }
  lectern_extractor_free (extractor);
}

/* An attack on a reader that was taken over: that it was stopped, with `part` in the sentence. */
static void expect_stopped (LecternExtractor *extractor, const char *attack, const char *part)
{
  LecternExtraction *extraction = extract (extractor, attack, 20000);
  g_test_message ("%s: %s", attack, extraction->error);
  g_assert_cmpint (extraction->status, !=, LECTERN_STATUS_INDEXED);
  g_assert_nonnull (strstr (extraction->error, part));
  lectern_extraction_free (extraction);
  extraction = extract (extractor, "good", 20000);
  g_assert_cmpint (extraction->status, ==, LECTERN_STATUS_INDEXED);
  lectern_extraction_free (extraction);
}

/* The name of an attack on a path. */
static char *attack_on (const char *attack, const char *path)
{
  char *name = g_strdup_printf ("%s,%s", attack, path);
  return g_strdelimit (name, "/", '|');
}

/* Skips what this kernel cannot do. */
static gboolean lacks (LecternExtractor *extractor, LecternProtection protection)
{
  LecternProtections protections;
  g_autoptr (GError) error = NULL;
  g_assert_true (lectern_extractor_get_protections (extractor, &protections, &error));
  g_assert_no_error (error);
  if (protections.active[protection])
    return FALSE;
  g_autofree char *reason
      = g_strdup_printf ("no protection of %s on this kernel", lectern_protection_to_string (protection));
  g_test_skip (reason);
  return TRUE;
}

static void expect_no_connection (int listening_fd)
{
  g_assert_cmpint (fcntl (listening_fd, F_SETFL, O_NONBLOCK), ==, 0);
  g_assert_cmpint (accept (listening_fd, NULL, NULL), ==, -1);
  g_assert_cmpint (errno, ==, EAGAIN);
  close (listening_fd);
}

static void test_network (void)
{
  LecternExtractor *extractor = new_extractor ();
  if (!lacks (extractor, LECTERN_PROTECTION_NETWORK)) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint (bind (fd, (struct sockaddr *)&address, length), ==, 0);
    g_assert_cmpint (listen (fd, 4), ==, 0);
    g_assert_cmpint (getsockname (fd, (struct sockaddr *)&address, &length), ==, 0);
    g_autofree char *inet = g_strdup_printf ("inet,%u", ntohs (address.sin_port));
    expect_stopped (extractor, inet, "tried to open a network connection");
    expect_no_connection (fd);

    struct sockaddr_un local = { .sun_family = AF_UNIX };
    g_autofree char *path = g_build_filename (folder, "socket", NULL);
    g_strlcpy (local.sun_path, path, sizeof local.sun_path);
    fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint (bind (fd, (struct sockaddr *)&local, sizeof local), ==, 0);
    g_assert_cmpint (listen (fd, 4), ==, 0);
    g_autofree char *attack = attack_on ("unix", path);
    expect_stopped (extractor, attack, "tried to open a network connection");
    expect_no_connection (fd);
    g_unlink (path);
    expect_stopped (extractor, "survive", "tried to open a network connection");
  }
  lectern_extractor_free (extractor);
}

static void test_file_system (void)
{
  LecternExtractor *extractor = new_extractor ();
  if (!lacks (extractor, LECTERN_PROTECTION_FILES)) {
    g_autofree char *secret = make_file ("secret", "secret");
    g_autofree char *created = g_build_filename (folder, "created", NULL);
    const struct {
      const char *attack, *path;
    } cases[] = { { "read", secret },  { "read", "/etc/passwd" },       { "folder", folder },
                  { "folder", "/" },   { "folder", g_get_home_dir () }, { "create", created },
                  { "remove", secret } };
    for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
      g_autofree char *attack = attack_on (cases[i].attack, cases[i].path);
      expect_stopped (extractor, attack, "(exit status 9)");
    }
    g_autofree char *content = NULL;
    g_assert_true (g_file_get_contents (secret, &content, NULL, NULL));
    g_assert_cmpstr (content, ==, "secret");
    g_assert_false (g_file_test (created, G_FILE_TEST_EXISTS));
    g_assert_false (g_file_test ("lectern-hostile-file", G_FILE_TEST_EXISTS));
    g_unlink (secret);
  }
  lectern_extractor_free (extractor);
}

static void test_processes (void)
{
  LecternExtractor *extractor = new_extractor ();
  if (!lacks (extractor, LECTERN_PROTECTION_SYSTEM_CALLS)) {
    g_autofree char *touched = g_build_filename (folder, "touched", NULL);
    g_autofree char *program = attack_on ("program", touched);
    expect_stopped (extractor, program, "tried to start a program");
    g_assert_false (g_file_test (touched, G_FILE_TEST_EXISTS));
    expect_stopped (extractor, "forks", "tried to start another process");
    expect_stopped (extractor, "trace", "tried to reach into another process");
    expect_stopped (extractor, "kill-parent", "tried to reach into another process");
    expect_stopped (extractor, "kill-parent-thread", "(exit status 9)");
    g_autofree char *other = g_strdup_printf ("kill-other,%d", (int)getpid ());
    expect_stopped (extractor, other, "tried to reach into another process");
    expect_stopped (extractor, "limits-otherwise", "(exit status 9)");
    expect_stopped (extractor, "limits", "(exit status 9)");
    expect_stopped (extractor, "code", "(exit status 9)");
    expect_stopped (extractor, "namespace", "tried to change the system");
    expect_stopped (extractor, "ring", "tried to change the system");
    expect_stopped (extractor, "parent-memory", "(exit status 9)");
#ifdef __x86_64__
    expect_stopped (extractor, "int80", "tried something that reading does not need");
    expect_stopped (extractor, "x32", "tried something that reading does not need");
#endif
  }
  lectern_extractor_free (extractor);
}

static void test_descriptors (void)
{
  int leaked = open ("/dev/null", O_RDWR); /* one that the library's program forgot to mark */
  LecternExtractor *extractor = new_extractor ();
  g_assert_false (lacks (extractor, LECTERN_PROTECTION_DESCRIPTORS));
  expect_stopped (extractor, "descriptors", "(exit status 9)");
  close (leaked);
  lectern_extractor_free (extractor);
}

#ifndef SANITIZED
static void test_memory (void)
{
  LecternExtractor *extractor = new_extractor ();
  g_assert_false (lacks (extractor, LECTERN_PROTECTION_LIMITS));
  expect_stopped (extractor, "all-memory", "more than 1024 MiB of memory");
  expect_stopped (extractor, "grow", "more than 1024 MiB of memory");
  lectern_extractor_free (extractor);
}
#endif

static void test_protections (void)
{
  LecternExtractor *extractor = new_extractor ();
  LecternProtections protections;
  g_autoptr (GError) error = NULL;
  g_assert_true (lectern_extractor_get_protections (extractor, &protections, &error));
  g_assert_no_error (error);
  g_assert_true (protections.active[LECTERN_PROTECTION_PRIVILEGES]);
  g_assert_true (protections.active[LECTERN_PROTECTION_NOT_DUMPABLE]);
  g_assert_true (protections.active[LECTERN_PROTECTION_LIMITS]);
  g_assert_true (protections.active[LECTERN_PROTECTION_FILES] || !protections.active[LECTERN_PROTECTION_SYSTEM_CALLS]);
  for (guint i = 0; i < LECTERN_N_PROTECTIONS; i++) {
    g_assert_nonnull (lectern_protection_to_string ((LecternProtection)i));
    g_assert_nonnull (lectern_protection_describe ((LecternProtection)i));
  }
  lectern_extractor_free (extractor);
}

/* An extractor where the kernel lacks something. */
static LecternExtractor *new_extractor_without (const char *what, LecternProtections *protections)
{
  g_autoptr (GError) error = NULL;
  g_setenv ("LECTERN_EXTRACT", old_kernel, TRUE);
  g_setenv ("OLD_KERNEL_EXTRACT", hostile, TRUE);
  g_setenv ("OLD_KERNEL_LACKS", what, TRUE);
  LecternExtractor *extractor = lectern_extractor_new (&error);
  g_assert_no_error (error);
  g_assert_true (lectern_extractor_get_protections (extractor, protections, &error));
  g_assert_no_error (error);
  return extractor;
}

/* Without Landlock no file can be opened at all, which costs the encodings of some Asian fonts. */
static void test_without_landlock (void)
{
  LecternProtections protections;
  LecternExtractor *extractor = new_extractor_without ("landlock", &protections);
  g_assert_cmpint (protections.landlock_abi, ==, 0);
  g_assert_false (protections.active[LECTERN_PROTECTION_SIGNALS]);
  g_assert_true (protections.active[LECTERN_PROTECTION_FILES]);
  g_assert_true (protections.active[LECTERN_PROTECTION_SYSTEM_CALLS]);
  g_autofree char *created = g_build_filename (folder, "created", NULL);
  g_autofree char *attack = attack_on ("create", created);
  expect_stopped (extractor, "read,|etc|passwd", "(exit status 9)");
  expect_stopped (extractor, "folder,|usr|share|fonts", "(exit status 9)");
  expect_stopped (extractor, attack, "(exit status 9)");
  g_assert_false (g_file_test (created, G_FILE_TEST_EXISTS));
  expect_stopped (extractor, "forks", "tried to start another process");
  expect_stopped (extractor, "kill-parent", "tried to reach into another process");
  lectern_extractor_free (extractor);
}

static void test_without_seccomp (void)
{
  LecternProtections protections;
  LecternExtractor *extractor = new_extractor_without ("seccomp", &protections);
  g_assert_false (protections.active[LECTERN_PROTECTION_NETWORK]);
  g_assert_false (protections.active[LECTERN_PROTECTION_SYSTEM_CALLS]);
  g_assert_true (protections.active[LECTERN_PROTECTION_LIMITS]);
  g_assert_true (protections.active[LECTERN_PROTECTION_PRIVILEGES]);
  g_autofree char *touched = g_build_filename (folder, "touched", NULL);
  g_autofree char *program = attack_on ("program", touched);
  if (protections.active[LECTERN_PROTECTION_FILES]) {
    expect_stopped (extractor, "read,|etc|passwd", "(exit status 9)");
    expect_stopped (extractor, program, "(exit status 9)");
    g_assert_false (g_file_test (touched, G_FILE_TEST_EXISTS));
  }
  if (protections.active[LECTERN_PROTECTION_SIGNALS])
    expect_stopped (extractor, "kill-parent", "(exit status 9)");
  expect_stopped (extractor, "limits-otherwise", "(exit status 9)");
  expect_stopped (extractor, "trace", "(exit status 9)");
  lectern_extractor_free (extractor);
}

static void expect_status (LecternExtractor *extractor, const char *path, LecternStatus status)
{
  g_autoptr (GError) error = NULL;
  LecternExtraction *extraction = lectern_extractor_extract (extractor, path, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (extraction->status, ==, status);
  g_assert_nonnull (extraction->error);
  lectern_extraction_free (extraction);
}

static void test_files (void)
{
  LecternExtractor *extractor = new_extractor ();
  g_autofree char *missing = g_build_filename (folder, "missing.pdf", NULL);
  expect_status (extractor, missing, LECTERN_STATUS_UNREADABLE);
  expect_status (extractor, folder, LECTERN_STATUS_UNREADABLE);
  g_autofree char *fifo = g_build_filename (folder, "fifo.pdf", NULL);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  expect_status (extractor, fifo, LECTERN_STATUS_UNREADABLE);
  g_unlink (fifo);
  g_autofree char *empty = make_file ("empty.pdf", "");
  expect_status (extractor, empty, LECTERN_STATUS_EMPTY);
  g_assert_cmpint (truncate (empty, (off_t)3 << 30), ==, 0);
  expect_status (extractor, empty, LECTERN_STATUS_TOO_LARGE);
  g_unlink (empty);
  lectern_extractor_free (extractor);
}

static gpointer cancel_soon (gpointer cancellable)
{
  g_usleep (100000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void test_cancel (void)
{
  LecternExtractor *extractor = new_extractor ();
  g_autofree char *path = make_file ("hang", "content");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_assert_null (lectern_extractor_extract (extractor, path, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  g_unlink (path);
  LecternExtraction *extraction = extract (extractor, "good", 20000);
  g_assert_cmpint (extraction->status, ==, LECTERN_STATUS_INDEXED);
  lectern_extraction_free (extraction);
  lectern_extractor_free (extractor);
}

static void test_no_program (void)
{
  static const char *const programs[] = { "/nonexistent/lectern-extract", "/bin/true" };
  for (guint i = 0; i < G_N_ELEMENTS (programs); i++) {
    g_autoptr (GError) error = NULL;
    g_setenv ("LECTERN_EXTRACT", programs[i], TRUE);
    g_assert_null (lectern_extractor_new (&error));
    g_assert_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED);
    g_assert_nonnull (strstr (error->message, programs[i]));
  }
}

static void test_names (void)
{
  g_assert_true (lectern_format_is_known ("/a/b.PDF"));
  g_assert_true (lectern_format_is_known ("page.htm"));
  g_assert_true (lectern_format_is_known ("README.md"));
  g_assert_true (lectern_format_is_known ("x.y/notes.txt"));
  g_assert_true (lectern_format_is_known ("changelog.Debian.gz"));
  g_assert_true (lectern_format_is_known ("notes.md.xz"));
  g_assert_true (lectern_format_is_known ("page.html.BZ2"));
  g_assert_true (lectern_format_is_known ("readme.zst"));
  g_assert_false (lectern_format_is_known ("notes.tar.gz"));
  g_assert_false (lectern_format_is_known ("disk.img.xz"));
  g_assert_false (lectern_format_is_known ("x.pdf/notes"));
  g_assert_false (lectern_format_is_known (".pdf"));
  g_assert_false (lectern_format_is_known ("image.png"));
  for (int kind = 0; kind < LECTERN_N_BLOCK_KINDS; kind++)
    g_assert_nonnull (lectern_block_kind_to_string ((LecternBlockKind)kind));
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, >=, 2);
  hostile = argv[1];
  old_kernel = argc > 2 ? argv[2] : NULL;
  folder = g_dir_make_tmp ("lectern-extractor-XXXXXX", NULL);
  g_assert_nonnull (folder);
  g_test_add_func ("/extractor/hostile", test_hostile);
  g_test_add_func ("/extractor/again", test_again);
  g_test_add_func ("/extractor/protections", test_protections);
  g_test_add_func ("/extractor/network", test_network);
  g_test_add_func ("/extractor/file-system", test_file_system);
  g_test_add_func ("/extractor/processes", test_processes);
  g_test_add_func ("/extractor/descriptors", test_descriptors);
#ifndef SANITIZED
  g_test_add_func ("/extractor/memory", test_memory);
#endif
  if (old_kernel) {
    g_test_add_func ("/extractor/without-landlock", test_without_landlock);
    g_test_add_func ("/extractor/without-seccomp", test_without_seccomp);
  }
  g_test_add_func ("/extractor/files", test_files);
  g_test_add_func ("/extractor/cancel", test_cancel);
  g_test_add_func ("/extractor/no-program", test_no_program);
  g_test_add_func ("/extractor/names", test_names);
  int status = g_test_run ();
  g_rmdir (folder);
  g_free (folder);
  return status;
}
