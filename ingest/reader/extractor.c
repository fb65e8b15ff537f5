/* extractor.c: the library's side of lectern-extract. The program is started once and forks a child per document; this
 * side keeps the deadline, believes nothing the child says (frame.c), and turns every way of dying into a status. */
#include "ingest/reader/format.h"
#include "ingest/reader/frame.h"
#include "ingest/ingest.h"
#include "ingest/folder/saved-page.h"
#include "ingest/reader/recognition.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_TIMEOUT_MS 20000
#define KILL_TIMEOUT_MS 2000
#define DEFAULT_TIMEOUT_MS 60000u
#define DEFAULT_TIMEOUT_MS_PER_MIB 1000u
/* Text recognition: each page that is done gives the next one so much time, but all of them together no more than so much
 * a page. A page of a PDF file takes some bytes at least, whatever the child says. */
#define PAGE_TIMEOUT_MS 60000u
#define RECOGNITION_MS_PER_PAGE 30000u
#define RECOGNITION_MAX_MS (8u * 3600u * 1000u)
#define MIN_BYTES_PER_PAGE 128u
#define DEFAULT_MEMORY_BYTES (G_GUINT64_CONSTANT (1) << 30)
#define OUTPUT_FLOOR_BYTES (G_GUINT64_CONSTANT (64) << 20)
#define OUTPUT_PER_INPUT_BYTE 1024u
#define PDF_HEADER_WITHIN_BYTES 1024u

struct _LecternExtractor {
  char *program;
  pid_t pid;               /* 0: not running */
  int socket_fd;           /* -1: not running */
  LecternExtractor *pages; /* runs the program for documents with pages, if that is another one; or NULL */
};

/* ---- the program ----------------------------------------------------------------------------------------- */

static char *find_program (void)
{
  const char *chosen = g_getenv ("LECTERN_EXTRACT");
  if (chosen && *chosen)
    return g_strdup (chosen);
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  if (self) {
    static const char *const places[]
        = { "lectern-extract", "../ingest/extract/lectern-extract", "../../ingest/extract/lectern-extract" };
    g_autofree char *folder = g_path_get_dirname (self);
    for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
      g_autofree char *path = g_build_filename (folder, places[i], NULL);
      if (g_file_test (path, G_FILE_TEST_IS_EXECUTABLE) && !g_file_test (path, G_FILE_TEST_IS_DIR))
        return g_steal_pointer (&path);
    }
  }
  return g_build_filename (LECTERN_LIBEXECDIR, "lectern-extract", NULL);
}

static void stop (LecternExtractor *extractor)
{
  if (extractor->socket_fd >= 0)
    close (extractor->socket_fd);
  extractor->socket_fd = -1;
  if (extractor->pid > 0) {
    /* It owns nothing that is worth an orderly end; its child dies with it. */
    kill (extractor->pid, SIGKILL);
    while (waitpid (extractor->pid, NULL, 0) < 0 && errno == EINTR)
      ;
  }
  extractor->pid = 0;
}

static gboolean wait_readable (int fd, int timeout_ms)
{
  struct pollfd polled = { fd, POLLIN, 0 };
  gint64 end = g_get_monotonic_time () + (gint64)timeout_ms * 1000;
  for (;;) {
    int left_ms = (int)MAX ((end - g_get_monotonic_time ()) / 1000, 0);
    int n = poll (&polled, 1, left_ms);
    if (n >= 0 || errno != EINTR)
      return n > 0;
  }
}

static gboolean receive_reply (int fd, Reply *reply)
{
  ssize_t n;
  do
    n = recv (fd, reply, sizeof *reply, 0);
  while (n < 0 && errno == EINTR);
  return n == sizeof *reply && reply->magic == REQUEST_MAGIC && reply->version == REQUEST_VERSION;
}

static int spawn (const char *program, int socket_fd, pid_t *pid)
{
  char *arguments[] = { (char *)program, (char *)"--serve", NULL };
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t signals;
  posix_spawn_file_actions_init (&actions);
  posix_spawnattr_init (&attributes);
  posix_spawn_file_actions_addopen (&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2 (&actions, 0, 1);
  if (!g_getenv ("LECTERN_EXTRACT_DEBUG"))
    posix_spawn_file_actions_adddup2 (&actions, 0, 2);
  posix_spawn_file_actions_adddup2 (&actions, socket_fd, REQUEST_FD);
  sigemptyset (&signals);
  posix_spawnattr_setsigmask (&attributes, &signals);
  sigfillset (&signals);
  posix_spawnattr_setsigdefault (&attributes, &signals);
  /* A Ctrl-C in the terminal is the library's to handle; a group of its own keeps it from the program. */
  posix_spawnattr_setpgroup (&attributes, 0);
  posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  /* Text recognition would start threads, which a child may not; it looks when the program starts. */
  g_auto (GStrv) variables = g_environ_setenv (g_get_environ (), "OMP_THREAD_LIMIT", "1", TRUE);
  /* Functions of libraries are looked up once, not in each child. */
  variables = g_environ_setenv (variables, "LD_BIND_NOW", "1", TRUE);
  int error_number = posix_spawn (pid, program, &actions, &attributes, arguments, variables);
  posix_spawnattr_destroy (&attributes);
  posix_spawn_file_actions_destroy (&actions);
  return error_number;
}

static gboolean start (LecternExtractor *extractor, GError **error)
{
  if (extractor->pid > 0)
    return TRUE;
  int pair[2];
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED, "The document reader cannot be started: %s.",
                 g_strerror (errno));
    return FALSE;
  }
  int error_number = spawn (extractor->program, pair[1], &extractor->pid);
  close (pair[1]);
  extractor->socket_fd = pair[0];
  if (error_number != 0) {
    extractor->pid = 0;
    stop (extractor);
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED,
                 "The document reader %s cannot be started: %s; install Lectern again or set LECTERN_EXTRACT.",
                 extractor->program, g_strerror (error_number));
    return FALSE;
  }
  Reply hello;
  if (!wait_readable (extractor->socket_fd, START_TIMEOUT_MS) || !receive_reply (extractor->socket_fd, &hello)) {
    stop (extractor);
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED,
                 "The document reader %s does not answer; install Lectern again or set LECTERN_EXTRACT.",
                 extractor->program);
    return FALSE;
  }
  return TRUE;
}

static LecternExtractor *extractor_of (char *program)
{
  LecternExtractor *extractor = g_new0 (LecternExtractor, 1);
  extractor->program = program;
  extractor->socket_fd = -1;
  return extractor;
}

/* Documents without pages are read by a lighter program, where there is one (extract/main.c); the other one is started
 * with the first document that has pages. */
LecternExtractor *lectern_extractor_new (GError **error)
{
  g_autofree char *program = find_program ();
  char *light = g_strconcat (program, "-flow", NULL);
  gboolean two = g_file_test (light, G_FILE_TEST_IS_EXECUTABLE) && !g_file_test (light, G_FILE_TEST_IS_DIR);
  LecternExtractor *extractor = extractor_of (two ? light : g_strdup (program));
  if (two)
    extractor->pages = extractor_of (g_steal_pointer (&program));
  else
    g_free (light);
  if (!start (extractor, error)) {
    lectern_extractor_free (extractor);
    return NULL;
  }
  return extractor;
}

void lectern_extractor_free (LecternExtractor *extractor)
{
  if (!extractor)
    return;
  lectern_extractor_free (extractor->pages);
  stop (extractor);
  g_free (extractor->program);
  g_free (extractor);
}

/* ---- one document ---------------------------------------------------------------------------------------- */

/* How an attempt ended, before it is put in words. */
typedef enum { END_ANSWERED, END_DIED, END_TIMEOUT, END_LIE, END_FLOOD, END_CANCELLED, END_PROGRAM_DIED } End;

static LecternExtraction *failed (LecternStatus status, char *error)
{
  LecternExtraction *extraction = extraction_new ();
  extraction->status = status;
  extraction->error = error;
  return extraction;
}

/* fds: document, answer, recognised pages or -1. */
static gboolean send_request (LecternExtractor *extractor, const Request *request, const int fds[3])
{
  union {
    char bytes[CMSG_SPACE (3 * sizeof (int))];
    struct cmsghdr align;
  } control;
  memset (&control, 0, sizeof control);
  gsize fds_bytes = (fds[2] >= 0 ? 3 : 2) * sizeof (int);
  struct iovec part = { (void *)request, sizeof *request };
  struct msghdr message
      = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = CMSG_SPACE (fds_bytes) };
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (fds_bytes);
  memcpy (CMSG_DATA (header), fds, fds_bytes);
  return sendmsg (extractor->socket_fd, &message, MSG_NOSIGNAL) == sizeof *request;
}

/* Ends the child early; when the program does not help, ends the program. */
static void kill_child (LecternExtractor *extractor)
{
  Reply reply;
  if (send (extractor->socket_fd, "k", 1, MSG_NOSIGNAL) != 1 || !wait_readable (extractor->socket_fd, KILL_TIMEOUT_MS)
      || !receive_reply (extractor->socket_fd, &reply))
    stop (extractor);
}

static End end_of_state (FrameState state)
{
  return state == FRAME_LIE ? END_LIE : END_FLOOD;
}

/* Keeps the pages that came, and moves the deadline if there are any. */
static void note_recognized (FrameDecoder *decoder, RecognitionCache *cache, guint timeout_ms, guint64 size_bytes,
                             gint64 start, guint *n_seen, gint64 *deadline)
{
  GBytes *bytes;
  while ((bytes = frame_decoder_take_recognized (decoder))) {
    gsize n;
    const guint8 *data = g_bytes_get_data (bytes, &n);
    if (cache)
      recognition_cache_add (cache, data, data + RECOGNITION_KEY_BYTES, n - RECOGNITION_KEY_BYTES);
    g_bytes_unref (bytes);
  }
  guint n = frame_decoder_get_n_recognized (decoder);
  if (!cache || n == *n_seen)
    return;
  *n_seen = n;
  guint64 pages = MIN ((guint64)frame_decoder_get_n_pages (decoder), size_bytes / MIN_BYTES_PER_PAGE + 1);
  gint64 last = start + (gint64)(timeout_ms + MIN (pages * RECOGNITION_MS_PER_PAGE, RECOGNITION_MAX_MS)) * 1000;
  gint64 next = g_get_monotonic_time () + (gint64)MIN (timeout_ms, PAGE_TIMEOUT_MS) * 1000;
  *deadline = MAX (*deadline, MIN (next, last));
}

/* Reads the answer until the child has ended (reply says how) or must be killed. */
static End read_answer (LecternExtractor *extractor, int answer_fd, FrameDecoder *decoder, RecognitionCache *cache,
                        guint timeout_ms, guint64 size_bytes, GCancellable *cancellable, Reply *reply)
{
  gint64 start_time = g_get_monotonic_time (), deadline = start_time + (gint64)timeout_ms * 1000;
  guint n_recognized = 0;
  g_autofree guint8 *buffer = g_malloc (1 << 16);
  gboolean open = TRUE, ended = FALSE;
  FrameState state = FRAME_MORE;
  GPollFD cancelled = { -1, 0, 0 };
  End end = END_DIED;
  gboolean cancel_polled = cancellable && g_cancellable_make_pollfd (cancellable, &cancelled);

  while (open || !ended) {
    if (g_cancellable_is_cancelled (cancellable)) {
      end = END_CANCELLED;
      goto done;
    }
    gint64 left = deadline - g_get_monotonic_time ();
    if (left <= 0) {
      end = END_TIMEOUT;
      goto done;
    }
    struct pollfd polled[3] = { { open ? answer_fd : -1, POLLIN, 0 },
                                { ended ? -1 : extractor->socket_fd, POLLIN, 0 },
                                { cancel_polled ? cancelled.fd : -1, POLLIN, 0 } };
    int left_ms = (int)MIN (left / 1000 + 1, G_MAXINT);
    if (poll (polled, 3, left_ms) <= 0)
      continue;
    if (polled[0].revents) {
      ssize_t n = read (answer_fd, buffer, 1 << 16);
      if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        open = FALSE;
      else if (n > 0 && (state = frame_decoder_feed (decoder, buffer, (gsize)n)) > FRAME_COMPLETE) {
        end = end_of_state (state);
        goto done;
      } else if (n > 0)
        note_recognized (decoder, cache, timeout_ms, size_bytes, start_time, &n_recognized, &deadline);
    }
    if (polled[1].revents) {
      if (!receive_reply (extractor->socket_fd, reply)) {
        end = END_PROGRAM_DIED;
        goto done;
      }
      ended = TRUE;
    }
  }
  end = state == FRAME_COMPLETE ? END_ANSWERED : END_DIED;
done:
  if (cancel_polled)
    g_cancellable_release_fd (cancellable);
  if (end == END_PROGRAM_DIED)
    stop (extractor);
  else if (!ended)
    kill_child (extractor);
  return end;
}

/* What a reader tried when its protections ended it; NULL: they did not. */
static const char *find_attempt (int exit_status)
{
  switch (exit_status) {
  case CHILD_TRIED_NETWORK: return "open a network connection";
  case CHILD_TRIED_PROGRAM: return "start a program";
  case CHILD_TRIED_PROCESS: return "start another process";
  case CHILD_TRIED_OTHERS: return "reach into another process";
  case CHILD_TRIED_SYSTEM: return "change the system";
  default: return NULL;
  }
}

static LecternExtraction *explain_death (const Reply *reply, const Request *request)
{
  if (reply->wait_status == -1)
    return failed (LECTERN_STATUS_UNREADABLE,
                   g_strdup_printf ("Its reader could not be started: %s.", g_strerror (reply->error_number)));
  if (WIFEXITED (reply->wait_status)) {
    int code = WEXITSTATUS (reply->wait_status);
    if (code == CHILD_OUT_OF_MEMORY)
      return failed (LECTERN_STATUS_TOO_LARGE,
                     g_strdup_printf ("Reading it needs more than %" G_GUINT64_FORMAT " MiB of memory.",
                                      request->memory_bytes >> 20));
    if (code == CHILD_NO_LIMITS)
      return failed (LECTERN_STATUS_UNREADABLE, g_strdup ("The limits for its reader could not be set."));
    if (find_attempt (code))
      return failed (LECTERN_STATUS_DAMAGED,
                     g_strdup_printf ("Its reader was stopped because it tried to %s; the file may be an attack.",
                                      find_attempt (code)));
    return failed (LECTERN_STATUS_DAMAGED, g_strdup_printf ("The reader gave up on it (exit status %d).", code));
  }
  int signal_number = WTERMSIG (reply->wait_status);
  /* A reader that does not heed SIGXCPU is killed a second later. */
  if (signal_number == SIGKILL && reply->cpu_ms >= (guint64)request->cpu_seconds * 1000)
    signal_number = SIGXCPU;
  switch (signal_number) {
  case SIGSYS:
    return failed (LECTERN_STATUS_DAMAGED,
                   g_strdup ("Its reader was stopped because it tried something that reading does "
                             "not need; the file may be an attack."));
  case SIGXCPU: return failed (LECTERN_STATUS_TIMED_OUT, g_strdup ("Reading it took too much processor time."));
  case SIGKILL:
    return failed (LECTERN_STATUS_TOO_LARGE,
                   g_strdup ("Its reader was killed, probably because the memory of this computer ran out."));
  case SIGBUS:
    return failed (LECTERN_STATUS_UNREADABLE,
                   g_strdup ("The file changed or could not be read to its end; try again."));
  default:
    return failed (LECTERN_STATUS_DAMAGED, g_strdup_printf ("The reader crashed on it (signal %d, %s).", signal_number,
                                                            g_strsignal (signal_number)));
  }
}

static LecternExtraction *explain (End end, FrameDecoder *decoder, const Reply *reply, guint timeout_ms,
                                   const Request *request)
{
  switch (end) {
  case END_ANSWERED: return frame_decoder_steal (decoder);
  case END_TIMEOUT:
    return failed (LECTERN_STATUS_TIMED_OUT,
                   g_strdup_printf ("Reading it took longer than %.3g seconds.", timeout_ms / 1000.0));
  case END_LIE:
    return failed (LECTERN_STATUS_DAMAGED, g_strdup_printf ("The reader's answer for it made no sense (%s).",
                                                            frame_decoder_get_complaint (decoder)));
  case END_FLOOD:
    return failed (LECTERN_STATUS_TOO_LARGE, g_strdup ("It holds far more text than a file of its size should."));
  case END_PROGRAM_DIED: return failed (LECTERN_STATUS_DAMAGED, g_strdup ("The document reader broke down on it."));
  case END_DIED:
  default: return explain_death (reply, request);
  }
}

/* Opens the document. -1: *result says why not. */
static int open_document (const char *path, struct stat *information, LecternExtraction **result)
{
  /* Non-blocking, so that a named pipe cannot hold the run up. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0 || fstat (fd, information) != 0)
    *result = failed (LECTERN_STATUS_UNREADABLE, g_strdup_printf ("It cannot be opened: %s.", g_strerror (errno)));
  else if (!S_ISREG (information->st_mode))
    *result = failed (LECTERN_STATUS_UNREADABLE, g_strdup ("It is not a file."));
  else if (information->st_size == 0)
    *result = failed (LECTERN_STATUS_EMPTY, g_strdup ("The file is empty."));
  else {
    int format = format_from_path (path);
    guint64 max_bytes = format_names[format >= 0 ? format : FORMAT_PDF].max_bytes;
    if ((guint64)information->st_size <= max_bytes)
      return fd;
    *result = failed (
        LECTERN_STATUS_TOO_LARGE,
        g_strdup_printf ("It is larger than %" G_GUINT64_FORMAT " MiB, the most for this format.", max_bytes >> 20));
  }
  if (fd >= 0)
    close (fd);
  return -1;
}

/* Starts the program if need be and hands it the request. The reading end of the answer; -1 with *error: it does not run. */
static int send_document (LecternExtractor *extractor, const Request *request, int fd, RecognitionCache *cache,
                          GError **error)
{
  int answer[2];
  for (int tries = 0;; tries++) {
    if (!start (extractor, error))
      return -1;
    if (pipe2 (answer, O_CLOEXEC) != 0) {
      g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED, "A document cannot be read: %s.", g_strerror (errno));
      return -1;
    }
    gboolean sent = send_request (extractor, request,
                                  (const int[]){ fd, answer[1], cache ? recognition_cache_get_fd (cache) : -1 });
    close (answer[1]);
    if (sent)
      return answer[0];
    /* It died since the last document, which is not this document's fault. */
    close (answer[0]);
    stop (extractor);
    if (tries > 0) {
      g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED,
                   "The document reader %s keeps ending; install Lectern again.", extractor->program);
      return -1;
    }
  }
}

/* Whether a reader that ended so might get through with less to do: it crashed, or memory or time were too short. */
static gboolean may_be_tried_again (End end, const Reply *reply, const Request *request)
{
  if (end == END_TIMEOUT)
    return TRUE;
  if (end != END_DIED || reply->wait_status == -1)
    return FALSE;
  if (WIFEXITED (reply->wait_status))
    return WEXITSTATUS (reply->wait_status) == CHILD_OUT_OF_MEMORY || WEXITSTATUS (reply->wait_status) == 1;
  switch (WTERMSIG (reply->wait_status)) {
  case SIGSYS: /* by its protections */
  case SIGBUS: /* the file changed */
    return FALSE;
  case SIGKILL: return reply->cpu_ms >= (guint64)request->cpu_seconds * 1000; /* else the computer is out of memory */
  default: return TRUE;
  }
}

/* One try with an open document. NULL with *error: cancelled, or the program does not run. */
static LecternExtraction *attempt (LecternExtractor *extractor, const Request *request, int fd, RecognitionCache *cache,
                                   guint timeout_ms, gboolean *again, GCancellable *cancellable, GError **error)
{
  int answer_fd = send_document (extractor, request, fd, cache, error);
  if (answer_fd < 0)
    return NULL;
  Reply reply = { 0 };
  guint64 total = MIN (MAX (request->size_bytes * OUTPUT_PER_INPUT_BYTE, OUTPUT_FLOOR_BYTES), FRAME_TOTAL_MAX_BYTES);
  FrameDecoder *decoder = frame_decoder_new (total);
  End end = read_answer (extractor, answer_fd, decoder, cache, timeout_ms, request->size_bytes, cancellable, &reply);
  close (answer_fd);
  LecternExtraction *extraction = NULL;
  if (end == END_CANCELLED)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "Reading the document was cancelled.");
  else
    extraction = explain (end, decoder, &reply, timeout_ms, request);
  *again = may_be_tried_again (end, &reply, request);
  frame_decoder_free (decoder);
  return extraction;
}

static gboolean is_pdf (int fd, const char *name)
{
  guint8 head[PDF_HEADER_WITHIN_BYTES];
  ssize_t n = pread (fd, head, sizeof head, 0);
  return format_from_path (name) == FORMAT_PDF || (n > 0 && memmem (head, (gsize)n, "%PDF-", 5));
}

/* The second try: *extraction, which says how the first one failed, is replaced if it comes to something. FALSE with
 * *error: cancelled, or the program does not run. */
static gboolean attempt_carefully (LecternExtractor *extractor, const Request *first, int fd, guint timeout_ms,
                                   LecternExtraction **extraction, GCancellable *cancellable, GError **error)
{
  Request request = *first;
  request.careful = 1;
  request.recognize = 0;
  request.cpu_seconds = timeout_ms / 1000 + 2;
  gboolean again;
  LecternExtraction *second = attempt (extractor, &request, fd, NULL, timeout_ms, &again, cancellable, error);
  if (!second)
    return FALSE;
  if (second->status == LECTERN_STATUS_INDEXED) {
    g_ptr_array_insert (second->warnings, 0,
                        g_strdup_printf ("%s It was read once more, without form fields, comments, tagged headings and "
                                         "text recognition, and without text that may be hidden.",
                                         (*extraction)->error));
    LecternExtraction *failure = *extraction;
    *extraction = second;
    second = failure;
  }
  lectern_extraction_free (second);
  return TRUE;
}

static LecternExtraction *extract_descriptor (LecternExtractor *extractor, int fd, guint64 size_bytes, const char *path,
                                              const char *name, const LecternExtractLimits *limits,
                                              GCancellable *cancellable, GError **error)
{
  guint timeout_ms = limits && limits->timeout_ms
                         ? limits->timeout_ms
                         : DEFAULT_TIMEOUT_MS + (guint)(size_bytes >> 20) * DEFAULT_TIMEOUT_MS_PER_MIB;
  Request request = { REQUEST_MAGIC,
                      REQUEST_VERSION,
                      size_bytes,
                      limits && limits->memory_bytes ? limits->memory_bytes : DEFAULT_MEMORY_BYTES,
                      timeout_ms / 1000 + 2,
                      0,
                      0,
                      0,
                      -1 };
  RecognitionCache *cache = NULL;
  if (!limits || !limits->no_recognition) {
    request.recognize = 1;
    cache = recognition_cache_new (path);
    /* The deadline, which moves with the pages recognised, ends it before. */
    request.cpu_seconds += RECOGNITION_MAX_MS / 1000;
  }
  gsize length = strlen (name);
  /* A name that is too long is cut at its beginning: the extension counts. */
  g_strlcpy (request.name, name + (length >= sizeof request.name ? length - sizeof request.name + 1 : 0),
             sizeof request.name);
  gboolean pdf = is_pdf (fd, name);
  if (extractor->pages && pdf)
    extractor = extractor->pages;
  gboolean again = FALSE;
  LecternExtraction *extraction = attempt (extractor, &request, fd, cache, timeout_ms, &again, cancellable, error);
  recognition_cache_free (cache);
  if (extraction && again && pdf
      && !attempt_carefully (extractor, &request, fd, timeout_ms, &extraction, cancellable, error))
    g_clear_pointer (&extraction, lectern_extraction_free);
  return extraction;
}

LecternExtraction *lectern_extractor_extract (LecternExtractor *extractor, const char *path,
                                              const LecternExtractLimits *limits, GCancellable *cancellable,
                                              GError **error)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  struct stat information;
  LecternExtraction *extraction = NULL;
  int fd = open_document (path, &information, &extraction);
  if (fd < 0)
    return extraction;

  int bundle = saved_page_open_bundle (path, fd, (guint64)information.st_size);
  if (bundle >= 0) {
    close (fd);
    fd = bundle;
    fstat (fd, &information);
  }
  g_autofree char *name = g_path_get_basename (path);
  extraction = extract_descriptor (extractor, fd, (guint64)information.st_size, path, name, limits, cancellable, error);
  close (fd);
  return extraction;
}

LecternExtraction *lectern_extractor_extract_bytes (LecternExtractor *extractor, GBytes *bytes, const char *name,
                                                    const LecternExtractLimits *limits, GCancellable *cancellable,
                                                    GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  if (size == 0)
    return failed (LECTERN_STATUS_EMPTY, g_strdup ("It is empty."));
  int fd = memfd_create ("lectern-attachment", MFD_CLOEXEC);
  for (gsize at = 0; fd >= 0 && at < size;) {
    ssize_t n = write (fd, data + at, size - at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      close (fd);
      fd = -1;
    } else
      at += (gsize)n;
  }
  if (fd < 0)
    return failed (LECTERN_STATUS_UNREADABLE, g_strdup_printf ("It cannot be copied: %s.", g_strerror (errno)));
  LecternExtraction *extraction = extract_descriptor (extractor, fd, size, NULL, name, limits, cancellable, error);
  close (fd);
  return extraction;
}

gboolean lectern_extractor_get_protections (LecternExtractor *extractor, LecternProtections *protections,
                                            GError **error)
{
  *protections = (LecternProtections){ 0 };
  int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  Request request = { .magic = REQUEST_MAGIC,
                      .version = REQUEST_VERSION,
                      .memory_bytes = DEFAULT_MEMORY_BYTES,
                      .cpu_seconds = 1,
                      .probe = 1,
                      .recognized_fd = -1 };
  int answer_fd = fd >= 0 ? send_document (extractor, &request, fd, NULL, error) : -1;
  if (fd >= 0)
    close (fd);
  else
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED, "/dev/null cannot be opened: %s.", g_strerror (errno));
  if (answer_fd < 0)
    return FALSE;
  ProtectionsFrame frame;
  Reply reply;
  gboolean answered = wait_readable (answer_fd, START_TIMEOUT_MS)
                      && read (answer_fd, &frame, sizeof frame) == sizeof frame && frame.magic == REQUEST_MAGIC
                      && wait_readable (extractor->socket_fd, START_TIMEOUT_MS)
                      && receive_reply (extractor->socket_fd, &reply);
  close (answer_fd);
  if (!answered) {
    stop (extractor);
    g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED,
                 "The document reader %s does not say how it is protected; install Lectern again.", extractor->program);
    return FALSE;
  }
  for (guint i = 0; i < LECTERN_N_PROTECTIONS; i++)
    protections->active[i] = (frame.active >> i & 1u) != 0;
  protections->landlock_abi = (int)MIN (frame.landlock_abi, 1000u);
  return TRUE;
}
