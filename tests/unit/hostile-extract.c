/* hostile-extract: a lectern-extract whose reader has been taken over. The document's name says what it does. */
#include "ingest/extract/process/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void put (int fd, const GByteArray *out)
{
  for (gsize at = 0; at < out->len;) {
    ssize_t n = write (fd, out->data + at, out->len - at);
    if (n <= 0)
      _exit (0);
    at += (gsize)n;
  }
}

static void put_block (GByteArray *out, const char *text)
{
  LecternBlock block = { LECTERN_BLOCK_PARAGRAPH, 0, 0, (char *)text, NULL };
  frame_append_block (out, &block);
}

/* Attacks: each returns whether it succeeded. The name of the document is the attack's, or "attack,argument" with '|' for
 * '/'. One that is stopped half-way never returns. */

static gboolean reach_inet (const char *port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons ((guint16)atoi (port)) };
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  int fd = socket (AF_INET, SOCK_STREAM, 0);
  return fd >= 0 && connect (fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static gboolean reach_unix (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);
  return fd >= 0 && connect (fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static gboolean read_file (const char *path)
{
  char byte;
  int fd = open (path, O_RDONLY);
  return fd >= 0 && read (fd, &byte, 1) == 1;
}

static gboolean read_folder (const char *path)
{
  char entries[1024];
  int fd = open (path, O_RDONLY | O_DIRECTORY);
  return fd >= 0 && syscall (SYS_getdents64, fd, entries, sizeof entries) > 0;
}

static gboolean create_file (const char *path)
{
  return open (path, O_WRONLY | O_CREAT, 0600) >= 0 || mkdir (path, 0700) == 0 || symlink ("/", path) == 0;
}

static gboolean remove_file (const char *path)
{
  return unlink (path) == 0 || truncate (path, 0) == 0 || rename (path, "/tmp/lectern-hostile") == 0
         || chmod (path, 0) == 0;
}

static gboolean run_program (const char *path)
{
  char *arguments[] = { (char *)"touch", (char *)path, NULL };
  execve ("/usr/bin/touch", arguments, NULL);
  return FALSE;
}

static gboolean fork_bomb (const char *unused)
{
  for (int i = 0; i < 100; i++)
    if (fork () == 0)
      for (;;)
        pause ();
  return TRUE;
}

static gboolean trace_parent (const char *unused)
{
  return ptrace (PTRACE_ATTACH, getppid (), NULL, NULL) == 0;
}

static gboolean read_parent (const char *unused)
{
  char path[64];
  snprintf (path, sizeof path, "/proc/%d/mem", (int)getppid ());
  return open (path, O_RDWR) >= 0 || open (path, O_RDONLY) >= 0;
}

static gboolean kill_parent (const char *unused)
{
  return kill (getppid (), SIGKILL) == 0;
}

static gboolean kill_parent_thread (const char *unused)
{
  return syscall (SYS_tgkill, getppid (), getppid (), SIGKILL) == 0;
}

static gboolean kill_named (const char *pid)
{
  return kill (atoi (pid), SIGKILL) == 0;
}

/* The socket of requests, the zygote's signals, whatever the library had open. */
static gboolean use_descriptors (const char *argument)
{
  int own_first = argument[0] - '0', own_second = argument[1] - '0', n = 0;
  for (int fd = 3; fd < 1024; fd++)
    if (fd != own_first && fd != own_second && fcntl (fd, F_GETFD) >= 0)
      n++;
  return n > 0;
}

static gboolean raise_limits (const char *unused)
{
  static const int resources[] = { RLIMIT_AS, RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_CPU, RLIMIT_NPROC };
  gboolean raised = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (resources); i++) {
    struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
    raised |= syscall (SYS_setrlimit, resources[i], &limit) == 0;
  }
  return raised || prctl (PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static gboolean raise_limits_otherwise (const char *unused)
{
  struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
  return prlimit (0, RLIMIT_FSIZE, &limit, NULL) == 0;
}

static gboolean bring_code (const char *unused)
{
  return mmap (NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static gboolean change_namespace (const char *unused)
{
  return syscall (SYS_unshare, 0x10000000) == 0; /* CLONE_NEWUSER */
}

static gboolean use_ring (const char *unused)
{
  char parameters[256] = { 0 };
  return syscall (425, 4, parameters) >= 0; /* io_uring_setup */
}

/* System calls under another architecture's numbers, which mean something else there. */
static gboolean call_as_32_bit (const char *unused)
{
  long result = 20; /* getpid */
#ifdef __x86_64__
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  return result > 0;
#else
  return result == 0;
#endif
}

static gboolean call_as_x32 (const char *unused)
{
  return syscall (0x40000000 | SYS_getpid) > 0;
}

/* Reports what it should not have seen if its handler runs instead of the one that ends it. */
static void survive (int signal_number)
{
  (void)signal_number;
}

static gboolean survive_filter (const char *unused)
{
  signal (SIGSYS, survive);
  return socket (AF_INET, SOCK_STREAM, 0) >= -1;
}

static gboolean take_memory (const char *unused)
{
  for (;;) {
    char *more = malloc (8 << 20);
    if (!more)
      abort ();
    memset (more, 1, 8 << 20);
  }
}

/* One block that GLib doubles: when that fails, much of the memory is free, and GLib has printed before it traps. */
static gboolean grow_array (const char *unused)
{
  g_autoptr (GByteArray) array = g_byte_array_new ();
  for (guint size = 1 << 20; size < G_MAXUINT / 2; size *= 2)
    g_byte_array_set_size (array, size);
  return TRUE;
}

static gboolean hang_busy (const char *unused)
{
  signal (SIGTERM, SIG_IGN), signal (SIGXCPU, SIG_IGN);
  for (volatile gboolean on = TRUE; on;)
    ;
  return TRUE;
}

static const struct {
  const char *name;
  gboolean (*succeeds) (const char *argument);
} attacks[] = {
  { "inet", reach_inet },         { "unix", reach_unix },
  { "read", read_file },          { "folder", read_folder },
  { "create", create_file },      { "remove", remove_file },
  { "program", run_program },     { "forks", fork_bomb },
  { "trace", trace_parent },      { "parent-memory", read_parent },
  { "kill-parent", kill_parent }, { "kill-parent-thread", kill_parent_thread },
  { "kill-other", kill_named },   { "descriptors", use_descriptors },
  { "limits", raise_limits },     { "limits-otherwise", raise_limits_otherwise },
  { "code", bring_code },         { "namespace", change_namespace },
  { "ring", use_ring },           { "int80", call_as_32_bit },
  { "x32", call_as_x32 },         { "survive", survive_filter },
  { "all-memory", take_memory },  { "grow", grow_array },
  { "busy", hang_busy },
};

/* Exit status of an attack that was refused and went on. */
#define REFUSED 9

static int attack (const char *name, int document_fd, int answer_fd, GByteArray *out)
{
  g_auto (GStrv) parts = g_strsplit (name, ",", 2);
  char own[3] = { (char)('0' + document_fd), (char)('0' + answer_fd), '\0' };
  const char *argument = parts[0] && parts[1] ? g_strdelimit (parts[1], "|", '/') : own;
  for (guint i = 0; i < G_N_ELEMENTS (attacks); i++)
    if (g_strcmp0 (parts[0], attacks[i].name) == 0) {
      if (!attacks[i].succeeds (argument))
        _exit (REFUSED);
      frame_append_end (out, LECTERN_STATUS_INDEXED, NULL);
    }
  return 0;
}

static int child (const Request *request, int document_fd, int answer_fd)
{
  GByteArray *out = g_byte_array_new ();
  const char *name = request->name;
  frame_append_string (out, FRAME_TYPE, "text");
  put_block (out, "Fine.");
  /* Optional parts of reading that break; nothing but the text is asked for when the document is tried again. */
  g_autofree char *fragile = g_str_has_prefix (name, "fragile-") ? g_strndup (name + 8, strcspn (name + 8, ".")) : NULL;
  if (fragile && request->careful)
    name = "good";
  else if (fragile)
    name = fragile;
  if (strcmp (name, "good") == 0)
    frame_append_end (out, LECTERN_STATUS_INDEXED, NULL);
  else if (strcmp (name, "crash") == 0)
    signal (SIGSEGV, SIG_DFL), raise (SIGSEGV); /* a sanitizer would catch it */
  else if (strcmp (name, "half") == 0)
    put (answer_fd, out), exit (3);
  else if (strcmp (name, "silent") == 0)
    return 0;
  else if (strcmp (name, "memory") == 0)
    return CHILD_OUT_OF_MEMORY;
  else if (strcmp (name, "hang") == 0)
    for (;;)
      pause ();
  else if (strcmp (name, "drip") == 0) /* alive all the time, never done */
    for (;; put (answer_fd, out))
      usleep (1000);
  else if (strcmp (name, "closed") == 0) { /* no answer any more, and no end */
    close (answer_fd);
    for (;;)
      pause ();
  } else if (strcmp (name, "lie") == 0) {
    const guint32 header[2] = { 0xfffffff0u, FRAME_BLOCK };
    g_byte_array_append (out, (const guint8 *)header, sizeof header);
  } else if (strcmp (name, "flood") == 0) {
    g_autofree char *text = g_strnfill (1 << 20, 'x');
    GByteArray *flood = g_byte_array_new ();
    put_block (flood, text);
    for (;;)
      put (answer_fd, flood);
  } else if (strcmp (name, "write") == 0) { /* tries to leave a file behind */
    FILE *file = fopen ("lectern-hostile-file", "w");
    if (!file || fputs ("here", file) < 0 || fflush (file) != 0)
      return REFUSED;
    frame_append_end (out, LECTERN_STATUS_INDEXED, NULL);
  } else
    attack (name, document_fd, answer_fd, out);
  put (answer_fd, out);
  return 0;
}

int main (void)
{
  return zygote_serve (REQUEST_FD, child);
}
