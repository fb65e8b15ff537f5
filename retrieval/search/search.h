/* search.h: what search keeps between queries, for tests and measurements that set its parameters. */
#ifndef LECTERN_SEARCH_SEARCH_H
#define LECTERN_SEARCH_SEARCH_H

#include "retrieval/library/library-private.h"
#include "retrieval/search/rank.h"

/* Takes effect with the next search of this library. */
gboolean lectern_search_set_parameters (LecternLibrary *library, const LecternRankParameters *parameters,
                                        GError **error);

#endif
