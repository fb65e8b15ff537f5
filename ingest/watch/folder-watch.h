/* folder-watch.h: notices what changes below folders. Internal to ingest/.
 *
 * inotify(7) itself and not GFileMonitor, which tells neither that events were lost nor that there are no more watches.
 * One watch a folder; what the ignore rules leave out is not watched. The folders below a root are walked in slices
 * from the main loop, so that it can answer meanwhile. Where notification is not enough, `rescan` is called: the caller
 * looks through the root as a whole. All on the thread of the default main context. */
#ifndef LECTERN_WATCH_FOLDER_WATCH_H
#define LECTERN_WATCH_FOLDER_WATCH_H

#include "ingest/watch/queue.h"

G_BEGIN_DECLS

typedef struct {
  /* A file that documents are read from, or (GONE) a folder. */
  void (*changed) (const char *path, Change change, gpointer user_data);
  /* Events were lost, ignore rules changed, or the folder came back. */
  void (*rescan) (const char *root, gpointer user_data);
  /* All folders known so far are watched, cannot be, or have gone. */
  void (*settled) (gpointer user_data);
} FolderWatchFuncs;

typedef enum {
  FOLDER_WATCHED,
  FOLDER_NO_WATCHES, /* the system, or max_watches, allows no more: some folders below are not watched */
  FOLDER_REMOTE,     /* on a file system that changes without notification */
  FOLDER_MISSING,
} FolderState;

typedef struct _FolderWatch FolderWatch;

/* max_watches 0: as many as the system allows. */
FolderWatch *folder_watch_new (guint max_watches, const FolderWatchFuncs *funcs, gpointer user_data);
void folder_watch_free (FolderWatch *watch);

void folder_watch_add_root (FolderWatch *watch, const char *root);
void folder_watch_remove_root (FolderWatch *watch, const char *root);
/* Watches everything below the root anew. */
void folder_watch_walk_again (FolderWatch *watch, const char *root);
/* Looks whether roots have gone or come back; to be called when drives may have changed. */
void folder_watch_check_roots (FolderWatch *watch);

gboolean folder_watch_is_settled (const FolderWatch *watch);
FolderState folder_watch_get_state (const FolderWatch *watch, const char *root);
guint folder_watch_get_n_watches (const FolderWatch *watch);

G_END_DECLS

#endif
