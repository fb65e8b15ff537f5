/* old-kernel: runs the extractor in $OLD_KERNEL_EXTRACT as if the kernel, or the container around, had no $OLD_KERNEL_LACKS
 * ("landlock" or "seccomp"): their system calls fail as they do there. */
#include <errno.h>
#include <glib.h>
#include <seccomp.h>
#include <string.h>
#include <unistd.h>

int main (int argc, char **argv)
{
  const char *program = g_getenv ("OLD_KERNEL_EXTRACT"), *lacks = g_getenv ("OLD_KERNEL_LACKS");
  scmp_filter_ctx context = seccomp_init (SCMP_ACT_ALLOW);
  if (argc < 1 || !program || !context)
    return 1;
  if (g_strcmp0 (lacks, "landlock") == 0) {
    /* By number: older libraries do not know the name. */
    for (int number = 444; number <= 446; number++)
      if (seccomp_rule_add (context, SCMP_ACT_ERRNO (ENOSYS), number, 0) != 0)
        return 1;
  } else if (seccomp_rule_add (context, SCMP_ACT_ERRNO (EPERM), SCMP_SYS (seccomp), 0) != 0)
    return 1;
  if (seccomp_load (context) != 0)
    return 1;
  execv (program, argv);
  return 1;
}
