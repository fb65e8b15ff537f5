/* token-ids.h: lists of token ids on the command line. */
#ifndef LECTERN_TOKEN_IDS_H
#define LECTERN_TOKEN_IDS_H

#include <gio/gio.h>

/* "1,2,3" as a GArray of gint32; "" is an empty one. NULL with USAGE_ERROR if it is anything else. */
GArray *token_ids_parse (const char *list, GError **error);

#endif
