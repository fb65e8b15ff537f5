#include "ingest/folder/ignore.h"

#include "ingest/folder/glob.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE_BYTES (1u << 20)
#define MAX_PATTERNS 4096
#define MAX_PATTERN_BYTES 1024
#define MAX_PATH_FOLDERS 2048

static const char own_file[] = ".lecternignore", git_file[] = ".gitignore";

/* What is left out by its name: hidden entries, folders that programs fill, and files that an editor, an office program
 * or a download leaves for a while. */
static const struct {
  const char *glob;
  gboolean folders_only;
} defaults[] = {
  { ".*", FALSE },         { "node_modules", TRUE }, { "bower_components", TRUE },
  { "__pycache__", TRUE }, { "CMakeFiles", TRUE },   { "lost+found", TRUE },
  { "*~", FALSE },         { "#*#", FALSE },         { "~$*", FALSE },
  { "*.swp", FALSE },      { "*.swo", FALSE },       { "*.tmp", FALSE },
  { "*.part", FALSE },     { "*.partial", FALSE },   { "*.crdownload", FALSE },
  { "*.bak", FALSE },
};

typedef struct {
  char *glob; /* without what the flags say */
  gboolean negated, folders_only, by_name;
} Pattern;

struct _IgnoreRules {
  gatomicrefcount references;
  IgnoreRules *above;
  char *folder;      /* absolute */
  gsize root_length; /* of the named folder's path, with the slash */
  GArray *own, *git; /* of Pattern, in the order of the file; NULL: there is no file */
};

/* ---- patterns -------------------------------------------------------------------------------------------- */

/* The line without line break; FALSE if it holds no pattern. */
static gboolean pattern_parse (const char *line, gsize length, Pattern *pattern)
{
  gboolean escaped;
  if (length > 0 && line[length - 1] == '\r')
    length--;
  if (length == 0 || line[0] == '#' || length > MAX_PATTERN_BYTES || memchr (line, '\0', length))
    return FALSE;
  /* Spaces at the end count only behind a backslash. */
  for (; length > 0 && line[length - 1] == ' '; length--) {
    gsize slashes = 0;
    while (slashes + 1 < length && line[length - 2 - slashes] == '\\')
      slashes++;
    escaped = slashes % 2 == 1;
    if (escaped)
      break;
  }
  pattern->negated = length > 0 && line[0] == '!';
  line += pattern->negated;
  length -= pattern->negated;
  pattern->folders_only = length > 0 && line[length - 1] == '/';
  length -= pattern->folders_only;
  pattern->by_name = !memchr (line, '/', length);
  if (length > 0 && line[0] == '/') {
    line++;
    length--;
  }
  if (length == 0)
    return FALSE;
  pattern->glob = g_strndup (line, length);
  return TRUE;
}

static gboolean pattern_fits (const Pattern *pattern, const char *path, gboolean is_folder)
{
  if (pattern->folders_only && !is_folder)
    return FALSE;
  if (!pattern->by_name)
    return glob_match_path (pattern->glob, path);
  const char *slash = strrchr (path, '/');
  const char *name = slash ? slash + 1 : path;
  return glob_match_component (pattern->glob, strlen (pattern->glob), name, strlen (name));
}

static void pattern_clear (gpointer data)
{
  g_free (((Pattern *)data)->glob);
}

int ignore_pattern_match (const char *text, const char *path, gboolean is_folder)
{
  Pattern pattern;
  if (!pattern_parse (text, strlen (text), &pattern))
    return 0;
  int match = !pattern_fits (&pattern, path, is_folder) ? 0 : pattern.negated ? -1 : 1;
  pattern_clear (&pattern);
  return match;
}

/* ---- files ----------------------------------------------------------------------------------------------- */

static char *dup_file (const char *folder, const char *name, gsize *length)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  struct stat info;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  char *text = NULL;
  *length = 0;
  if (fd < 0)
    return NULL;
  if (fstat (fd, &info) == 0 && S_ISREG (info.st_mode)) {
    text = g_malloc (MAX_FILE_BYTES);
    for (ssize_t n; *length < MAX_FILE_BYTES;) {
      n = read (fd, text + *length, MAX_FILE_BYTES - *length);
      if (n > 0)
        *length += (gsize)n;
      else if (n == 0 || errno != EINTR)
        break;
    }
  }
  close (fd);
  return text;
}

static GArray *read_patterns (const char *folder, const char *name)
{
  gsize length;
  g_autofree char *text = dup_file (folder, name, &length);
  if (!text)
    return NULL;
  GArray *patterns = g_array_new (FALSE, FALSE, sizeof (Pattern));
  g_array_set_clear_func (patterns, pattern_clear);
  const char *at = text, *end = text + length;
  if (length >= 3 && memcmp (text, "\xEF\xBB\xBF", 3) == 0)
    at += 3;
  while (at < end && patterns->len < MAX_PATTERNS) {
    const char *line_end = memchr (at, '\n', (gsize)(end - at));
    Pattern pattern;
    if (!line_end)
      line_end = end;
    if (pattern_parse (at, (gsize)(line_end - at), &pattern))
      g_array_append_val (patterns, pattern);
    at = line_end + 1;
  }
  return patterns;
}

gboolean ignore_is_rules_file (const char *name)
{
  return strcmp (name, own_file) == 0 || strcmp (name, git_file) == 0;
}

/* A folder that holds what can be made again, by its own account. */
static gboolean is_cache (const char *folder)
{
  static const char signature[] = "Signature: 8a477f597d28d172789f06886806bc55";
  gsize length;
  g_autofree char *cmake = g_build_filename (folder, "CMakeCache.txt", NULL);
  if (access (cmake, F_OK) == 0)
    return TRUE;
  g_autofree char *tag = g_build_filename (folder, "CACHEDIR.TAG", NULL);
  if (access (tag, F_OK) != 0)
    return FALSE;
  g_autofree char *text = dup_file (folder, "CACHEDIR.TAG", &length);
  return text && length >= sizeof signature - 1 && memcmp (text, signature, sizeof signature - 1) == 0;
}

/* ---- rules ----------------------------------------------------------------------------------------------- */

static IgnoreRules *rules_new (IgnoreRules *above, char *folder, gsize root_length)
{
  IgnoreRules *rules = g_new0 (IgnoreRules, 1);
  g_atomic_ref_count_init (&rules->references);
  rules->above = above ? ignore_rules_ref (above) : NULL;
  rules->folder = folder;
  rules->root_length = root_length;
  rules->own = read_patterns (folder, own_file);
  rules->git = read_patterns (folder, git_file);
  return rules;
}

IgnoreRules *ignore_rules_new (const char *folder)
{
  gsize length = strlen (folder);
  return rules_new (NULL, g_strdup (folder), length > 0 && folder[length - 1] == '/' ? length : length + 1);
}

IgnoreRules *ignore_rules_new_below (IgnoreRules *above, const char *name)
{
  return rules_new (above, g_build_filename (above->folder, name, NULL), above->root_length);
}

IgnoreRules *ignore_rules_ref (IgnoreRules *rules)
{
  g_atomic_ref_count_inc (&rules->references);
  return rules;
}

void ignore_rules_unref (IgnoreRules *rules)
{
  while (rules && g_atomic_ref_count_dec (&rules->references)) {
    IgnoreRules *above = rules->above;
    g_clear_pointer (&rules->own, g_array_unref);
    g_clear_pointer (&rules->git, g_array_unref);
    g_free (rules->folder);
    g_free (rules);
    rules = above;
  }
}

/* The last pattern that fits: 1 leaves out, -1 takes back in, 0 there is none. */
static int ask_patterns (const GArray *patterns, const char *path, gboolean is_folder)
{
  for (guint i = patterns ? patterns->len : 0; i-- > 0;) {
    const Pattern *pattern = &g_array_index (patterns, Pattern, i);
    if (pattern_fits (pattern, path, is_folder))
      return pattern->negated ? -1 : 1;
  }
  return 0;
}

/* The files of one kind from the nearest up; `path` is absolute. */
static int ask_files (const IgnoreRules *rules, gboolean own, const char *path, gboolean is_folder)
{
  for (; rules; rules = rules->above) {
    const GArray *patterns = own ? rules->own : rules->git;
    const char *relative = path + strlen (rules->folder);
    relative += *relative == '/';
    int said = patterns ? ask_patterns (patterns, relative, is_folder) : 0;
    if (said)
      return said;
  }
  return 0;
}

static gboolean is_default (const char *name, gboolean is_folder)
{
  for (guint i = 0; i < G_N_ELEMENTS (defaults); i++)
    if ((is_folder || !defaults[i].folders_only)
        && glob_match_component (defaults[i].glob, strlen (defaults[i].glob), name, strlen (name)))
      return TRUE;
  return FALSE;
}

IgnoreVerdict ignore_rules_check (const IgnoreRules *rules, const char *name, gboolean is_folder)
{
  g_autofree char *path = g_build_filename (rules->folder, name, NULL);
  int said = ask_files (rules, TRUE, path, is_folder);
  if (said)
    return said > 0 ? IGNORE_BY_FILE : IGNORE_NOT;
  if (is_default (name, is_folder) || (is_folder && is_cache (path)))
    return IGNORE_BY_DEFAULT;
  return ask_files (rules, FALSE, path, is_folder) > 0 ? IGNORE_BY_FILE : IGNORE_NOT;
}

IgnoreVerdict ignore_check_below (const char *folder, const char *path)
{
  g_autoptr (IgnoreRules) rules = ignore_rules_new (folder);
  if (strlen (path) <= rules->root_length)
    return IGNORE_NOT;
  g_auto (GStrv) names = g_strsplit (path + rules->root_length, "/", MAX_PATH_FOLDERS);
  for (guint i = 0; names[i]; i++) {
    IgnoreVerdict verdict = ignore_rules_check (rules, names[i], names[i + 1] != NULL);
    if (verdict != IGNORE_NOT || !names[i + 1])
      return verdict;
    IgnoreRules *below = ignore_rules_new_below (rules, names[i]);
    ignore_rules_unref (rules);
    rules = below;
  }
  return IGNORE_NOT;
}
