#include "ingest/ingest.h"

static const struct {
  const char *name, *what;
} protections[] = {
  [LECTERN_PROTECTION_FILES]
  = { "files", "opens no file but the one it was given and the system's fonts and encodings" },
  [LECTERN_PROTECTION_NETWORK] = { "network", "opens no connection of any kind" },
  [LECTERN_PROTECTION_SYSTEM_CALLS]
  = { "system calls", "starts no program or process, and makes only the calls that reading needs" },
  [LECTERN_PROTECTION_SIGNALS] = { "signals", "cannot end or disturb another process" },
  [LECTERN_PROTECTION_PRIVILEGES] = { "privileges", "has none, and no way to get any" },
  [LECTERN_PROTECTION_NOT_DUMPABLE] = { "memory image", "cannot be traced and leaves no core file" },
  [LECTERN_PROTECTION_LIMITS] = { "limits", "has little memory and time, and writes to no file" },
  [LECTERN_PROTECTION_DESCRIPTORS]
  = { "open files", "inherits nothing from Lectern but the document and the way to answer" },
};
G_STATIC_ASSERT (G_N_ELEMENTS (protections) == LECTERN_N_PROTECTIONS);

const char *lectern_protection_to_string (LecternProtection protection)
{
  return protections[protection].name;
}

const char *lectern_protection_describe (LecternProtection protection)
{
  return protections[protection].what;
}
