#include "ingest/extract/process/sandbox.h"
#include "ingest/extract/process/child-limits.h"
#include "ingest/extract/process/landlock.h"
#include "ingest/extract/process/system-calls.h"

#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef POPPLER_DATA_DIR
#define POPPLER_DATA_DIR "/usr/share/poppler"
#endif

#define ALL_DESCRIPTORS 1024 /* where the kernel cannot close ranges */

/* All that is read from disk after the start. The encodings of Chinese, Japanese and Korean fonts are too many to load
 * before (12 MB in 250 files, of which a document needs two), and pages that are recognized as pictures need fonts. */
static const char *const readable_folders[] = {
  POPPLER_DATA_DIR, "/usr/share/poppler",    "/usr/share/fonts",      "/usr/local/share/fonts",
  "/etc/fonts",     "/usr/share/fontconfig", "/var/cache/fontconfig", NULL,
};

static struct {
  gboolean files, privileges, not_dumpable;
  int landlock_abi;
  int signal_wall_fd; /* -1: none */
  SystemCallFilter *filter;
} prepared = { .signal_wall_fd = -1 };

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
/* So that a sanitizer reads what it wants to know for its reports while it still can. */
typedef struct {
  int coverage_sandboxed;
  long coverage_fd;
  unsigned int coverage_max_block_size;
} SanitizerArguments;
void __sanitizer_sandbox_on_notify (SanitizerArguments *arguments);
#endif

static gboolean drop_capabilities (void)
{
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
  memset (none, 0, sizeof none);
  return syscall (SYS_capset, &header, none) == 0;
}

void sandbox_prepare (void)
{
#ifdef SANITIZED
  SanitizerArguments arguments = { 0, -1, 0 };
  __sanitizer_sandbox_on_notify (&arguments);
#endif
  limits_prepare ();
  prepared.privileges = prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && drop_capabilities ();
  prepared.not_dumpable = prctl (PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
  prepared.landlock_abi = landlock_get_abi ();
  prepared.files = landlock_restrict (prepared.landlock_abi, readable_folders);
  prepared.signal_wall_fd = landlock_new_signal_wall (prepared.landlock_abi);
  prepared.filter = system_calls_compile (prepared.files);
  limits_apply_fixed ();
}

static gboolean close_range_of (guint first, guint last)
{
  if (first > last)
    return TRUE;
#ifdef SYS_close_range
  if (syscall (SYS_close_range, first, last, 0) == 0)
    return TRUE;
#endif
  for (guint fd = first; fd <= MIN (last, ALL_DESCRIPTORS); fd++)
    close ((int)fd);
  return last <= ALL_DESCRIPTORS;
}

/* Of `kept`, -1 stands for none. */
static gboolean close_others (const int kept[3])
{
  gboolean done = TRUE;
  guint from = STDERR_FILENO + 1;
  for (;;) {
    guint next = G_MAXUINT;
    for (guint i = 0; i < 3; i++)
      if (kept[i] >= 0 && (guint)kept[i] >= from)
        next = MIN (next, (guint)kept[i]);
    if (next == G_MAXUINT)
      return close_range_of (from, G_MAXUINT) && done;
    done &= close_range_of (from, next - 1);
    from = next + 1;
  }
}

gboolean sandbox_enter (const Request *request, int document_fd, int answer_fd, ProtectionsFrame *protections)
{
  gboolean signals = prepared.signal_wall_fd >= 0 && landlock_enter (prepared.signal_wall_fd);
  gboolean descriptors = close_others ((const int[]){ document_fd, answer_fd, request->recognized_fd });
  if (!limits_apply (request))
    return FALSE;
  gboolean calls = prepared.filter && system_calls_enter (prepared.filter);
  *protections = (ProtectionsFrame){
    REQUEST_MAGIC,
    (guint)(prepared.files || calls) << LECTERN_PROTECTION_FILES | (guint)calls << LECTERN_PROTECTION_NETWORK
        | (guint)calls << LECTERN_PROTECTION_SYSTEM_CALLS | (guint)signals << LECTERN_PROTECTION_SIGNALS
        | (guint)prepared.privileges << LECTERN_PROTECTION_PRIVILEGES
        | (guint)prepared.not_dumpable << LECTERN_PROTECTION_NOT_DUMPABLE | 1u << LECTERN_PROTECTION_LIMITS
        | (guint)descriptors << LECTERN_PROTECTION_DESCRIPTORS,
    (guint32)prepared.landlock_abi
  };
  return TRUE;
}
