/* Raw system calls and constants of our own: the C library has no wrappers, and the kernel headers at build time may be
 * older than the kernel at run time. Documentation/userspace-api/landlock.rst in the kernel is the reference. */
#include "ingest/extract/process/landlock.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same numbers on every architecture. */
#define NR_CREATE_RULESET 444
#define NR_ADD_RULE 445
#define NR_RESTRICT_SELF 446

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1

#define FS_READ_FILE (G_GUINT64_CONSTANT (1) << 2)
#define FS_READ_DIR (G_GUINT64_CONSTANT (1) << 3)

typedef struct {
  guint64 handled_fs, handled_net, scoped;
} RulesetAttributes;

typedef struct __attribute__ ((packed)) {
  guint64 allowed;
  gint32 parent_fd;
} PathBeneath;

#define SCOPE_ABSTRACT_UNIX_SOCKET 1u
#define SCOPE_SIGNAL 2u

/* What each version added; the size is that of the structure then. */
static const struct {
  guint n_fs_rights, n_net_rights;
  guint64 scoped;
  gsize size;
} versions[] = {
  { 0, 0, 0, 0 },
  { 13, 0, 0, 8 },
  { 14, 0, 0, 8 },  /* refer */
  { 15, 0, 0, 8 },  /* truncate */
  { 15, 2, 0, 16 }, /* TCP bind and connect */
  { 16, 2, 0, 16 }, /* ioctl on devices */
  { 16, 2, SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL, 24 },
};

int landlock_get_abi (void)
{
  long abi = syscall (NR_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
  return abi > 0 ? (int)abi : 0;
}

static int create_ruleset (int abi, gboolean signals_only)
{
  guint version = MIN ((guint)MAX (abi, 0), G_N_ELEMENTS (versions) - 1);
  RulesetAttributes attributes
      = { (G_GUINT64_CONSTANT (1) << versions[version].n_fs_rights) - 1,
          (G_GUINT64_CONSTANT (1) << versions[version].n_net_rights) - 1, versions[version].scoped };
  if (signals_only)
    attributes = (RulesetAttributes){ 0, 0, versions[version].scoped & SCOPE_SIGNAL };
  if (attributes.handled_fs == 0 && attributes.scoped == 0)
    return -1;
  return (int)syscall (NR_CREATE_RULESET, &attributes, versions[version].size, 0);
}

static gboolean allow_reading (int ruleset_fd, const char *folder)
{
  PathBeneath rule = { FS_READ_FILE | FS_READ_DIR, open (folder, O_PATH | O_DIRECTORY | O_CLOEXEC) };
  if (rule.parent_fd < 0)
    return TRUE; /* not there */
  gboolean done = syscall (NR_ADD_RULE, ruleset_fd, RULE_PATH_BENEATH, &rule, 0) == 0;
  close (rule.parent_fd);
  return done;
}

gboolean landlock_enter (int ruleset_fd)
{
  return syscall (NR_RESTRICT_SELF, ruleset_fd, 0) == 0;
}

gboolean landlock_restrict (int abi, const char *const *folders)
{
  int fd = create_ruleset (abi, FALSE);
  if (fd < 0)
    return FALSE;
  gboolean fine = TRUE;
  for (guint i = 0; folders[i] && fine; i++)
    fine = allow_reading (fd, folders[i]);
  fine = fine && landlock_enter (fd);
  close (fd);
  return fine;
}

int landlock_new_signal_wall (int abi)
{
  return create_ruleset (abi, TRUE);
}
