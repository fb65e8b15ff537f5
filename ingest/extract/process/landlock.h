/* landlock.h: the kernel's file, network and signal bans for a process and all that it forks. */
#ifndef LECTERN_EXTRACT_LANDLOCK_H
#define LECTERN_EXTRACT_LANDLOCK_H

#include <glib.h>

/* The version of Landlock in this kernel; 0: none, or switched off. */
int landlock_get_abi (void);

/* From here on this process and its children cannot open, create, remove or run any file, except for reading those below
 * `folders` (NULL-terminated; absent ones are skipped), and as far as the ABI knows of it, cannot use TCP, abstract Unix
 * sockets, devices' ioctls or signals to processes outside. Needs no_new_privs. FALSE: nothing was changed. */
gboolean landlock_restrict (int abi, const char *const *folders);

/* A second wall of the kind, for a child: none of its signals reaches the process that forked it. The descriptor to give to
 * landlock_enter(), or -1 if the ABI has no such thing. */
int landlock_new_signal_wall (int abi);
gboolean landlock_enter (int ruleset_fd);

#endif
