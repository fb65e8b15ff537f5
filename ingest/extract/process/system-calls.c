#include "ingest/extract/process/system-calls.h"
#include "ingest/reader/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Stands in the compiled filter where the number of the process belongs, which is not known before the fork. */
#define PROCESS_PLACEHOLDER 0x5ec0de17u

#define SECCOMP_MODE_FILTER_OPERATION 1

#define WRITING_FLAGS (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | O_PATH | (O_TMPFILE & ~O_DIRECTORY))

struct _SystemCallFilter {
  struct sock_filter *instructions;
  guint n_instructions;
};

/* Names that an architecture does not have are left out. */
static const char *const allowed[] = {
  /* memory; never executable, see below */
  "brk",
  "munmap",
  "mremap",
  "madvise",
  "mlock",
  "munlock",
  /* descriptors that are open already */
  "read",
  "readv",
  "pread64",
  "preadv",
  "write",
  "writev",
  "lseek",
  "_llseek",
  "close",
  "fstat",
  "fstat64",
  "getdents64",
  "poll",
  "fstatfs",
  "fadvise64",
  "ppoll",
  "select",
  "pselect6",
  "dup",
  /* time and sleep */
  "clock_gettime",
  "clock_gettime64",
  "clock_getres",
  "gettimeofday",
  "time",
  "times",
  "nanosleep",
  "clock_nanosleep",
  "pause",
  "getrusage",
  "restart_syscall",
  "sched_yield",
  /* itself */
  "futex",
  "getpid",
  "getppid",
  "gettid",
  "getuid",
  "geteuid",
  "getgid",
  "getegid",
  "uname",
  "sysinfo",
  "getrandom",
  "getcpu",
  "sched_getaffinity",
  "set_robust_list",
  "rseq",
  "membarrier",
  "rt_sigprocmask",
  "rt_sigreturn",
  "sigaltstack",
  "rt_sigpending",
  "exit",
  "exit_group",
};

/* What libraries may try and must be refused politely. */
static const struct {
  const char *name;
  int error_number;
} refused[] = {
  { "ioctl", ENOTTY },
  { "readlink", EACCES },
  { "readlinkat", EACCES },
  { "lstat", EACCES },
  { "statfs", EACCES },
  { "creat", EACCES },
  { "unlink", EACCES },
  { "unlinkat", EACCES },
  { "rename", EACCES },
  { "renameat", EACCES },
  { "renameat2", EACCES },
  { "mkdir", EACCES },
  { "mkdirat", EACCES },
  { "rmdir", EACCES },
  { "link", EACCES },
  { "linkat", EACCES },
  { "symlink", EACCES },
  { "symlinkat", EACCES },
  { "chmod", EACCES },
  { "fchmodat", EACCES },
  { "chown", EACCES },
  { "fchownat", EACCES },
  { "truncate", EACCES },
  { "memfd_create", EACCES },
  { "setrlimit", EPERM },
  { "prctl", EPERM },
  { "setpriority", EPERM },
  { "sched_setscheduler", EPERM },
  { "sched_setaffinity", EPERM },
};

/* What no reader has a use for, and which sentence it gets. */
static const struct {
  int exit_status;
  const char *names[24];
} attacks[] = {
  { CHILD_TRIED_NETWORK,
    { "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg",
      "recvfrom", "recvmsg", "recvmmsg", "socketcall" } },
  { CHILD_TRIED_PROGRAM, { "execve", "execveat" } },
  { CHILD_TRIED_PROCESS, { "fork", "vfork", "clone" } },
  { CHILD_TRIED_OTHERS,
    { "kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "ptrace", "process_vm_readv",
      "process_vm_writev", "process_madvise", "process_mrelease", "pidfd_open", "pidfd_getfd", "pidfd_send_signal",
      "kcmp", "prlimit64" } },
  { CHILD_TRIED_SYSTEM,
    { "mount",       "umount2",         "pivot_root",  "chroot",           "unshare",        "setns",
      "bpf",         "keyctl",          "add_key",     "request_key",      "io_uring_setup", "io_uring_enter",
      "userfaultfd", "perf_event_open", "init_module", "finit_module",     "kexec_load",     "setuid",
      "setgid",      "setresuid",       "capset",      "open_by_handle_at" } },
  { CHILD_TRIED_SYSTEM,
    { "open_tree",
      "move_mount",
      "fsopen",
      "fsmount",
      "mount_setattr",
      "fanotify_init",
      "inotify_init1",
      "quotactl",
      "reboot",
      "swapon",
      "mknod",
      "mknodat",
      "iopl",
      "ioperm",
      "modify_ldt",
      "seccomp",
      "landlock_restrict_self",
      "setsid",
      "setpgid",
      "shmget",
      "msgget",
      "semget" } },
};

/* The numbers of these names here; where there is none, it matches no call. */
static int attack_numbers[G_N_ELEMENTS (attacks)][G_N_ELEMENTS (attacks[0].names)];

/* Ends the child with the status that names the attempt. The call itself was not made; a reader that blocks or resets this
 * signal dies of it all the same. */
static void on_attack (int signal_number, siginfo_t *information, void *context)
{
  (void)signal_number, (void)context;
  for (guint i = 0; i < G_N_ELEMENTS (attacks); i++)
    for (guint j = 0; attacks[i].names[j]; j++)
      if (attack_numbers[i][j] == information->si_syscall)
        _exit (attacks[i].exit_status);
  _exit (CHILD_TRIED_SYSTEM);
}

static gboolean add (scmp_filter_ctx context, guint32 action, const char *name, guint n,
                     const struct scmp_arg_cmp *arguments)
{
  int number = seccomp_syscall_resolve_name (name);
  if (number == __NR_SCMP_ERROR)
    return TRUE;
  int result = seccomp_rule_add_array (context, action, number, n, arguments);
  return result == 0 || result == -EDOM || result == -EACCES; /* not on this architecture; what happens by default */
}

#define MASKED(argument, mask, value) SCMP_CMP (argument, SCMP_CMP_MASKED_EQ, mask, value)

static gboolean add_attacks (scmp_filter_ctx context)
{
  gboolean fine = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (attacks); i++)
    for (guint j = 0; attacks[i].names[j]; j++) {
      const char *name = attacks[i].names[j];
      attack_numbers[i][j] = seccomp_syscall_resolve_name (name);
      if (strcmp (name, "tgkill") == 0) { /* abort() sends one to itself */
        fine &= add (context, SCMP_ACT_ALLOW, name, 1,
                     (struct scmp_arg_cmp[]){ MASKED (0, 0xffffffffu, PROCESS_PLACEHOLDER) });
      } else if (strcmp (name, "prlimit64") == 0) { /* the C library asks for its own limits this way */
        fine &= add (context, SCMP_ACT_ALLOW, name, 2,
                     (struct scmp_arg_cmp[]){ MASKED (0, 0xffffffffu, 0), SCMP_CMP (2, SCMP_CMP_EQ, 0) });
      } else
        fine &= add (context, SCMP_ACT_TRAP, name, 0, NULL);
    }
  return fine;
}

static gboolean add_conditional (scmp_filter_ctx context, gboolean may_read_files)
{
  gboolean fine = TRUE;
  static const char *const maps[] = { "mmap", "mmap2", "mprotect" };
  for (guint i = 0; i < G_N_ELEMENTS (maps); i++) /* code stays as it was loaded */
    fine &= add (context, SCMP_ACT_ALLOW, maps[i], 1, (struct scmp_arg_cmp[]){ MASKED (2, PROT_EXEC, 0) });
  /* fstat() comes this way in some C libraries. It could also ask for a path: its size is then known, never its content.
   * Where files are read, libraries look for them first (fontconfig). */
  static const char *const stats[] = { "newfstatat", "fstatat64" };
  for (guint i = 0; i < G_N_ELEMENTS (stats) && !may_read_files; i++) {
    fine &= add (context, SCMP_ACT_ALLOW, stats[i], 1,
                 (struct scmp_arg_cmp[]){ MASKED (3, AT_EMPTY_PATH, AT_EMPTY_PATH) });
    fine
        &= add (context, SCMP_ACT_ERRNO (EACCES), stats[i], 1, (struct scmp_arg_cmp[]){ MASKED (3, AT_EMPTY_PATH, 0) });
  }
  static const char *const looks[] = { "newfstatat", "fstatat64", "stat", "access", "faccessat" };
  for (guint i = 0; i < G_N_ELEMENTS (looks); i++)
    if (may_read_files || i > 1)
      fine &= add (context, may_read_files ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO (EACCES), looks[i], 0, NULL);
  static const int commands[] = { F_GETFD, F_SETFD, F_GETFL };
  static const char *const controls[] = { "fcntl", "fcntl64" };
  for (guint i = 0; i < G_N_ELEMENTS (controls); i++)
    for (guint j = 0; j < G_N_ELEMENTS (commands); j++)
      fine &= add (context, SCMP_ACT_ALLOW, controls[i], 1,
                   (struct scmp_arg_cmp[]){ MASKED (1, 0xffffffffu, (scmp_datum_t)commands[j]) });
  /* What abort() and a library's own error handling change. SIGSYS is not among them: its handler names the attempt. */
  static const int signals[] = { SIGABRT, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGPIPE };
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    fine &= add (context, SCMP_ACT_ALLOW, "rt_sigaction", 1,
                 (struct scmp_arg_cmp[]){ MASKED (0, 0xffffffffu, (scmp_datum_t)signals[i]) });
  if (!may_read_files) {
    fine &= add (context, SCMP_ACT_ERRNO (EACCES), "open", 0, NULL);
    return fine && add (context, SCMP_ACT_ERRNO (EACCES), "openat", 0, NULL);
  }
  fine &= add (context, SCMP_ACT_ALLOW, "open", 1, (struct scmp_arg_cmp[]){ MASKED (1, WRITING_FLAGS, O_RDONLY) });
  return fine
         && add (context, SCMP_ACT_ALLOW, "openat", 1, (struct scmp_arg_cmp[]){ MASKED (2, WRITING_FLAGS, O_RDONLY) });
}

static SystemCallFilter *export(scmp_filter_ctx context)
{
  int fd = memfd_create ("filter", MFD_CLOEXEC);
  if (fd < 0)
    return NULL;
  SystemCallFilter *filter = NULL;
  struct stat information;
  if (seccomp_export_bpf (context, fd) == 0 && fstat (fd, &information) == 0) {
    gsize size = (gsize)information.st_size;
    struct sock_filter *instructions = g_malloc (size);
    if (pread (fd, instructions, size, 0) == (ssize_t)size) {
      filter = g_new0 (SystemCallFilter, 1);
      filter->instructions = instructions;
      filter->n_instructions = (guint)(size / sizeof *instructions);
    } else
      g_free (instructions);
  }
  close (fd);
  return filter;
}

SystemCallFilter *system_calls_compile (gboolean may_read_files)
{
  scmp_filter_ctx context = seccomp_init (SCMP_ACT_ERRNO (ENOSYS));
  if (!context)
    return NULL;
  /* Calls by another architecture's numbers, such as 32-bit ones on a 64-bit machine. */
  gboolean fine = seccomp_attr_set (context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0;
  /* A tree by number: the kernel runs it for every number when it is loaded, which is what a filter costs. */
  fine = fine && seccomp_attr_set (context, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0;
  for (guint i = 0; i < G_N_ELEMENTS (allowed); i++)
    fine &= add (context, SCMP_ACT_ALLOW, allowed[i], 0, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    fine &= add (context, SCMP_ACT_ERRNO ((guint)refused[i].error_number), refused[i].name, 0, NULL);
  fine = fine && add_conditional (context, may_read_files) && add_attacks (context);
  SystemCallFilter *filter = fine ? export(context) : NULL;
  seccomp_release (context);
  return filter;
}

gboolean system_calls_enter (SystemCallFilter *filter)
{
  struct sigaction action = { .sa_sigaction = on_attack, .sa_flags = SA_SIGINFO };
  for (guint i = 0; i < filter->n_instructions; i++)
    if (filter->instructions[i].k == PROCESS_PLACEHOLDER)
      filter->instructions[i].k = (guint32)getpid ();
  struct sock_fprog program = { (unsigned short)filter->n_instructions, filter->instructions };
  return sigaction (SIGSYS, &action, NULL) == 0
         && syscall (SYS_seccomp, SECCOMP_MODE_FILTER_OPERATION, 0, &program) == 0;
}
