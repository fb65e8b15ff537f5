/* saved-page.h: pages that a browser saved with what belongs to them: NAME.html and beside it a folder NAME_files. Internal
 * to ingest/.
 *
 * The folder's files are parts of the page, no documents. Of these, other pages can be its frames, and the process that reads
 * the page may open no files: so it gets page and possible frames in one, as a "bundle": the line SAVED_PAGE_MAGIC, then for
 * each part, the page first, a line with its size in bytes, a line with its file name (of the page: empty), its bytes. */
#ifndef LECTERN_INGEST_SAVED_PAGE_H
#define LECTERN_INGEST_SAVED_PAGE_H

#include <glib.h>

G_BEGIN_DECLS

#define SAVED_PAGE_MAGIC "Lectern saved page\n"

/* Whether this folder belongs to a page beside it. */
gboolean saved_page_is_folder (const char *folder);

/* An anonymous file with the bundle of the page at `path`, which is open as `page_fd`; -1 if it has no frames to it, or they
 * cannot be read. The caller closes it; `page_fd` stays open. */
int saved_page_open_bundle (const char *path, int page_fd, guint64 page_bytes);

G_END_DECLS

#endif
