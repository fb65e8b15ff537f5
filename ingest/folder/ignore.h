/* ignore.h: what is left out of a folder that is indexed or watched. Internal to ingest/.
 *
 * Three sources, the first that says anything about an entry decides:
 *   1. ".lecternignore" files, those nearest to the entry first
 *   2. what is left out by default: hidden entries, folders that programs fill (node_modules, …), temporary files
 *   3. ".gitignore" files, nearest first
 * Both kinds of files have the syntax and the meaning that gitignore(5) gives them: of several patterns in one file the
 * last that fits counts, "!" takes an entry back in, and nothing inside a folder that is left out can be taken back.
 * Files above the folder that was named are not looked at. A folder that calls itself a cache (CACHEDIR.TAG,
 * https://bford.info/cachedir/) or that CMake builds in is left out too, unless source 1 takes it back in.
 *
 * Such files are untrusted bytes: their size, patterns and the time that matching takes are bounded. */
#ifndef LECTERN_INGEST_IGNORE_H
#define LECTERN_INGEST_IGNORE_H

#include <glib.h>

G_BEGIN_DECLS

/* The rules that are in force for the entries of one folder. Counted references; each keeps those of the folders above. */
typedef struct _IgnoreRules IgnoreRules;

IgnoreRules *ignore_rules_new (const char *folder); /* of a folder that was named; reads its files */
/* Of the folder `name` in that one, whose files are read. */
IgnoreRules *ignore_rules_new_below (IgnoreRules *above, const char *name);
IgnoreRules *ignore_rules_ref (IgnoreRules *rules);
void ignore_rules_unref (IgnoreRules *rules); /* NULL is allowed */

typedef enum {
  IGNORE_NOT,
  IGNORE_BY_DEFAULT, /* source 2, or a cache or build folder */
  IGNORE_BY_FILE,    /* sources 1 and 3 */
} IgnoreVerdict;

/* What the rules of a folder say about its entry `name`; that need not exist. */
IgnoreVerdict ignore_rules_check (const IgnoreRules *rules, const char *name, gboolean is_folder);
/* The same for a file somewhere below `folder`, the folders between included; reads the files anew. */
IgnoreVerdict ignore_check_below (const char *folder, const char *path);

/* Whether a file of that name holds rules. */
gboolean ignore_is_rules_file (const char *name);

/* One pattern as it stands in a file, against a path below the file's folder ("a/b.txt"): 1 it fits, 0 it does not, -1
 * it takes the entry back in. The folders that lead to the path are not looked at. */
int ignore_pattern_match (const char *pattern, const char *path, gboolean is_folder);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IgnoreRules, ignore_rules_unref)

G_END_DECLS

#endif
