#include "ingest/watch/folder-watch.h"

#include "ingest/folder/ignore.h"
#include "ingest/ingest.h"
#include "ingest/folder/scan.h"

#include <errno.h>
#include <glib-unix.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define WATCHED_EVENTS                                                                                                 \
  (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_MOVE_SELF | IN_ONLYDIR        \
   | IN_EXCL_UNLINK)
#define FOLDERS_PER_SLICE 64
#define READS_PER_DISPATCH 16

typedef struct {
  char *path;
  dev_t device;
  ino_t inode;
  gboolean present, no_watches, remote;
} Root;

/* A folder that is watched. */
typedef struct {
  int wd;
  char *path;
  IgnoreRules *rules;
  Root *root;
} Node;

/* A folder that is still to be watched. */
typedef struct {
  char *path;
  IgnoreRules *rules;
  Root *root;
  gboolean announce; /* it is new: so are its files */
} Step;

struct _FolderWatch {
  int fd; /* -1: there is no inotify to be had */
  guint fd_source, walk_source;
  guint max_watches;
  GHashTable *nodes;     /* wd -> Node */
  GHashTable *unmounted; /* paths of folders whose file system went away */
  GPtrArray *roots;
  GQueue steps; /* of Step */
  FolderWatchFuncs funcs;
  gpointer user_data;
};

static void node_free (gpointer data)
{
  Node *node = data;
  g_free (node->path);
  ignore_rules_unref (node->rules);
  g_free (node);
}

static void step_free (gpointer data)
{
  Step *step = data;
  g_free (step->path);
  ignore_rules_unref (step->rules);
  g_free (step);
}

static void root_free (gpointer data)
{
  g_free (((Root *)data)->path);
  g_free (data);
}

static Root *find_root (const FolderWatch *watch, const char *path)
{
  for (guint i = 0; i < watch->roots->len; i++) {
    Root *root = g_ptr_array_index (watch->roots, i);
    if (strcmp (root->path, path) == 0)
      return root;
  }
  return NULL;
}

/* ---- the walk -------------------------------------------------------------------------------------------- */

static gboolean walk_slice (gpointer data);

/* Takes the reference to the rules. */
static void add_step (FolderWatch *watch, Root *root, const char *path, IgnoreRules *rules, gboolean announce)
{
  Step *step = g_new (Step, 1);
  *step = (Step){ g_strdup (path), rules, root, announce };
  g_queue_push_tail (&watch->steps, step);
  if (!watch->walk_source)
    watch->walk_source = g_idle_add (walk_slice, watch);
}

/* Whether a symbolic link leads to a place that is watched by its own name. */
static gboolean leads_inside (const FolderWatch *watch, const char *path)
{
  char *target = realpath (path, NULL);
  gboolean inside = FALSE;
  for (guint i = 0; target && i < watch->roots->len && !inside; i++)
    inside = lectern_path_is_below (target, ((Root *)g_ptr_array_index (watch->roots, i))->path);
  free (target);
  return inside;
}

typedef enum { ENTRY_OTHER, ENTRY_FILE, ENTRY_FOLDER } Entry;

/* What an entry of a folder is to us. *is_plain_file: only its closing tells that it was written. */
static Entry look_at (const FolderWatch *watch, const Node *node, const char *name, const char *path,
                      gboolean *is_plain_file)
{
  struct stat info;
  if (lstat (path, &info) != 0)
    return ENTRY_OTHER;
  *is_plain_file = S_ISREG (info.st_mode) && info.st_nlink == 1;
  if (S_ISLNK (info.st_mode) && (leads_inside (watch, path) || stat (path, &info) != 0))
    return ENTRY_OTHER;
  gboolean is_folder = S_ISDIR (info.st_mode);
  if (!is_folder && (!S_ISREG (info.st_mode) || !lectern_format_is_known (path)))
    return ENTRY_OTHER;
  if (ignore_rules_check (node->rules, name, is_folder) != IGNORE_NOT)
    return ENTRY_OTHER;
  return is_folder ? ENTRY_FOLDER : ENTRY_FILE;
}

/* NULL if it cannot be watched or is already. */
static Node *add_node (FolderWatch *watch, const Step *step)
{
  if (watch->fd < 0 || (watch->max_watches && g_hash_table_size (watch->nodes) >= watch->max_watches)) {
    step->root->no_watches = TRUE;
    return NULL;
  }
  int wd = inotify_add_watch (watch->fd, step->path, WATCHED_EVENTS);
  if (wd < 0) {
    step->root->no_watches = step->root->no_watches || errno == ENOSPC || errno == ENOMEM;
    return NULL;
  }
  if (g_hash_table_contains (watch->nodes, GINT_TO_POINTER (wd)))
    return NULL;
  Node *node = g_new (Node, 1);
  *node = (Node){ wd, g_strdup (step->path), ignore_rules_ref (step->rules), step->root };
  g_hash_table_insert (watch->nodes, GINT_TO_POINTER (wd), node);
  return node;
}

static void walk_step (FolderWatch *watch, const Step *step)
{
  Node *node = add_node (watch, step);
  GDir *dir = node ? g_dir_open (step->path, 0, NULL) : NULL;
  if (!dir)
    return;
  for (const char *name; (name = g_dir_read_name (dir));) {
    g_autofree char *path = g_build_filename (step->path, name, NULL);
    gboolean is_plain_file;
    Entry entry = look_at (watch, node, name, path, &is_plain_file);
    if (entry == ENTRY_FOLDER)
      add_step (watch, step->root, path, ignore_rules_new_below (node->rules, name), step->announce);
    else if (entry == ENTRY_FILE && step->announce)
      watch->funcs.changed (path, CHANGE_FILE, watch->user_data);
  }
  g_dir_close (dir);
}

static gboolean walk_slice (gpointer data)
{
  FolderWatch *watch = data;
  for (int i = 0; i < FOLDERS_PER_SLICE && !g_queue_is_empty (&watch->steps); i++) {
    Step *step = g_queue_pop_head (&watch->steps);
    walk_step (watch, step);
    step_free (step);
  }
  if (!g_queue_is_empty (&watch->steps))
    return G_SOURCE_CONTINUE;
  watch->walk_source = 0;
  watch->funcs.settled (watch->user_data);
  return G_SOURCE_REMOVE;
}

typedef struct {
  FolderWatch *watch;
  const Root *root;   /* all of it, */
  const char *folder; /* or what is at or below this */
} Drop;

static gboolean drop_node (gpointer wd, gpointer data, gpointer user_data)
{
  const Node *node = data;
  const Drop *drop = user_data;
  if (drop->root ? node->root != drop->root : !lectern_path_is_below (node->path, drop->folder))
    return FALSE;
  inotify_rm_watch (drop->watch->fd, node->wd);
  return TRUE;
}

static void drop_steps (FolderWatch *watch, const Drop *drop)
{
  for (GList *link = watch->steps.head, *next; link; link = next) {
    const Step *step = link->data;
    next = link->next;
    if (drop->root ? step->root == drop->root : lectern_path_is_below (step->path, drop->folder)) {
      step_free (link->data);
      g_queue_delete_link (&watch->steps, link);
    }
  }
}

static void drop (FolderWatch *watch, const Root *root, const char *folder)
{
  Drop what = { watch, root, folder };
  g_hash_table_foreach_remove (watch->nodes, drop_node, &what);
  drop_steps (watch, &what);
}

/* ---- roots ----------------------------------------------------------------------------------------------- */

static gboolean is_remote (const char *path)
{
  struct statfs info;
  if (statfs (path, &info) != 0)
    return FALSE;
  switch ((unsigned long)info.f_type) {
  case NFS_SUPER_MAGIC:
  case SMB_SUPER_MAGIC:
  case CIFS_SUPER_MAGIC:
  case SMB2_SUPER_MAGIC:
  case AFS_SUPER_MAGIC:
  case CODA_SUPER_MAGIC:
  case V9FS_MAGIC:
  case CEPH_SUPER_MAGIC:
  case FUSE_SUPER_MAGIC: return TRUE;
  default: return FALSE;
  }
}

static void walk_root (FolderWatch *watch, Root *root)
{
  struct stat info;
  drop (watch, root, NULL);
  root->no_watches = FALSE;
  root->present = stat (root->path, &info) == 0 && S_ISDIR (info.st_mode);
  if (!root->present)
    return;
  root->device = info.st_dev;
  root->inode = info.st_ino;
  root->remote = is_remote (root->path);
  add_step (watch, root, root->path, ignore_rules_new (root->path), FALSE);
}

void folder_watch_add_root (FolderWatch *watch, const char *path)
{
  if (find_root (watch, path))
    return;
  Root *root = g_new0 (Root, 1);
  root->path = g_strdup (path);
  g_ptr_array_add (watch->roots, root);
  walk_root (watch, root);
}

void folder_watch_remove_root (FolderWatch *watch, const char *path)
{
  Root *root = find_root (watch, path);
  if (!root)
    return;
  drop (watch, root, NULL);
  g_ptr_array_remove (watch->roots, root);
  /* Folders of a root around this one were watched in its name. */
  for (guint i = 0; i < watch->roots->len; i++) {
    Root *other = g_ptr_array_index (watch->roots, i);
    if (lectern_path_is_below (path, other->path) || other->no_watches)
      walk_root (watch, other);
  }
}

void folder_watch_walk_again (FolderWatch *watch, const char *path)
{
  Root *root = find_root (watch, path);
  if (root)
    walk_root (watch, root);
}

void folder_watch_check_roots (FolderWatch *watch)
{
  for (guint i = 0; i < watch->roots->len; i++) {
    Root *root = g_ptr_array_index (watch->roots, i);
    struct stat info;
    gboolean present = stat (root->path, &info) == 0 && S_ISDIR (info.st_mode);
    if (present && root->present && root->device == info.st_dev && root->inode == info.st_ino)
      continue;
    if (!present && !root->present)
      continue;
    walk_root (watch, root);
    if (present)
      watch->funcs.rescan (root->path, watch->user_data);
    else if (!watch->walk_source)
      watch->funcs.settled (watch->user_data);
  }
}

FolderState folder_watch_get_state (const FolderWatch *watch, const char *path)
{
  const Root *root = find_root (watch, path);
  if (!root || !root->present)
    return FOLDER_MISSING;
  return root->no_watches ? FOLDER_NO_WATCHES : root->remote ? FOLDER_REMOTE : FOLDER_WATCHED;
}

gboolean folder_watch_is_settled (const FolderWatch *watch)
{
  return watch->walk_source == 0;
}

guint folder_watch_get_n_watches (const FolderWatch *watch)
{
  return g_hash_table_size (watch->nodes);
}

/* ---- events ---------------------------------------------------------------------------------------------- */

/* A folder that was there when its file system went away tells nothing about its documents. */
static gboolean was_unmounted (const FolderWatch *watch, const char *path)
{
  GHashTableIter iter;
  gpointer folder;
  g_hash_table_iter_init (&iter, watch->unmounted);
  while (g_hash_table_iter_next (&iter, &folder, NULL))
    if (lectern_path_is_below (folder, path))
      return TRUE;
  return FALSE;
}

static void lost_events (FolderWatch *watch)
{
  for (guint i = 0; i < watch->roots->len; i++) {
    Root *root = g_ptr_array_index (watch->roots, i);
    walk_root (watch, root);
    if (root->present)
      watch->funcs.rescan (root->path, watch->user_data);
  }
}

static void entry_event (FolderWatch *watch, Node *node, guint32 mask, const char *name)
{
  g_autofree char *path = g_build_filename (node->path, name, NULL);
  gboolean gone = (mask & (IN_DELETE | IN_MOVED_FROM)) != 0;
  gboolean is_plain_file = FALSE;
  if (!(mask & IN_ISDIR) && ignore_is_rules_file (name)) {
    if (mask & (IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)) {
      Root *root = node->root;
      walk_root (watch, root); /* frees the node */
      watch->funcs.rescan (root->path, watch->user_data);
    }
    return;
  }
  if (gone) {
    if (mask & IN_ISDIR) {
      if (was_unmounted (watch, path))
        return;
      drop (watch, NULL, path);
    }
    if ((mask & IN_ISDIR) || lectern_format_is_known (path))
      watch->funcs.changed (path, CHANGE_GONE, watch->user_data);
    return;
  }
  Entry entry = look_at (watch, node, name, path, &is_plain_file);
  /* What was just made and will be written is told when it is closed. */
  if (entry == ENTRY_FILE && !((mask & IN_CREATE) && is_plain_file))
    watch->funcs.changed (path, CHANGE_FILE, watch->user_data);
  else if (entry == ENTRY_FOLDER) {
    g_hash_table_remove (watch->unmounted, path);
    add_step (watch, node->root, path, ignore_rules_new_below (node->rules, name), TRUE);
  }
}

static void handle_event (FolderWatch *watch, const struct inotify_event *event)
{
  if (event->mask & IN_Q_OVERFLOW) {
    lost_events (watch);
    return;
  }
  Node *node = g_hash_table_lookup (watch->nodes, GINT_TO_POINTER (event->wd));
  if (!node)
    return;
  if (event->mask & IN_UNMOUNT)
    g_hash_table_add (watch->unmounted, g_strdup (node->path));
  /* Of a folder below, the one around it tells more. */
  if (event->mask & (IN_IGNORED | IN_UNMOUNT | IN_MOVE_SELF)) {
    gboolean is_root = strcmp (node->path, node->root->path) == 0;
    if (event->mask & IN_IGNORED)
      g_hash_table_remove (watch->nodes, GINT_TO_POINTER (event->wd));
    if (is_root)
      folder_watch_check_roots (watch);
  } else if (event->len > 0) {
    entry_event (watch, node, event->mask, event->name);
  }
}

static gboolean read_events (int fd, GIOCondition condition, gpointer data)
{
  FolderWatch *watch = data;
  union {
    struct inotify_event event;
    char bytes[1 << 15];
  } buffer;
  for (int i = 0; i < READS_PER_DISPATCH; i++) {
    ssize_t n = read (fd, buffer.bytes, sizeof buffer.bytes);
    if (n <= 0)
      break;
    for (char *at = buffer.bytes; at < buffer.bytes + n;) {
      const struct inotify_event *event = (const struct inotify_event *)(void *)at;
      handle_event (watch, event);
      at += sizeof *event + event->len;
    }
  }
  return G_SOURCE_CONTINUE;
}

FolderWatch *folder_watch_new (guint max_watches, const FolderWatchFuncs *funcs, gpointer user_data)
{
  FolderWatch *watch = g_new0 (FolderWatch, 1);
  watch->fd = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
  watch->max_watches = max_watches;
  watch->nodes = g_hash_table_new_full (NULL, NULL, NULL, node_free);
  watch->unmounted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  watch->roots = g_ptr_array_new_with_free_func (root_free);
  g_queue_init (&watch->steps);
  watch->funcs = *funcs;
  watch->user_data = user_data;
  if (watch->fd >= 0)
    watch->fd_source = g_unix_fd_add (watch->fd, G_IO_IN, read_events, watch);
  return watch;
}

void folder_watch_free (FolderWatch *watch)
{
  if (!watch)
    return;
  if (watch->fd_source)
    g_source_remove (watch->fd_source);
  if (watch->walk_source)
    g_source_remove (watch->walk_source);
  g_queue_clear_full (&watch->steps, step_free);
  g_hash_table_unref (watch->nodes);
  g_hash_table_unref (watch->unmounted);
  g_ptr_array_unref (watch->roots);
  if (watch->fd >= 0)
    close (watch->fd);
  g_free (watch);
}
