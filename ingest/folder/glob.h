/* glob.h: shell patterns over paths as gitignore(5) uses them, in time bounded by pattern × path. Internal to ingest/. */
#ifndef LECTERN_INGEST_GLOB_H
#define LECTERN_INGEST_GLOB_H

#include <glib.h>

/* One component: "*" any bytes, "?" one character, "[…]" a set ("[!…]" or "[^…]" its complement, [:class:] inside),
 * "\" takes the next byte as it is. Neither string reaches beyond its length. A pattern that is not well formed fits nothing. */
gboolean glob_match_component (const char *pattern, gsize pattern_length, const char *text, gsize length);

/* Components separated by "/"; a component "**" stands for any number of them, at the end for at least one. */
gboolean glob_match_path (const char *pattern, const char *path);

#endif
