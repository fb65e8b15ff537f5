/* black-box.h: which documents are in work, kept where the next run finds it when this one dies on one of them. Internal.
 *
 * A document that was in work when the program ended twice (a crash, a power cut, memory running out) is not read a third
 * time by itself. Two files in a folder: `reading`, a slot per extractor, written before each document and cleared after it
 * (one system call each, never waited for); `suspects`, the documents that an earlier run died with, and how often. Only
 * one program at a time keeps the box of a folder; in others all calls do nothing, because what a living program reads is
 * no suspect. All functions may be called from any thread. */
#ifndef LECTERN_BLACK_BOX_H
#define LECTERN_BLACK_BOX_H

#include <glib.h>

G_BEGIN_DECLS

/* A document with so many strikes is to be skipped, unless the user named it or it has changed. */
#define BLACK_BOX_MAX_STRIKES 2u

typedef struct _BlackBox BlackBox;

/* Takes over what an earlier run left. Never fails: a box that cannot be written, or has no folder (NULL), keeps nothing. */
BlackBox *black_box_open (const char *folder, guint n_slots);
void black_box_close (BlackBox *box); /* NULL is fine */

/* How often a run ended while this document, as it is now, was in work. One that was is best read alone, so that its
 * neighbours are no suspects when it happens again. */
guint black_box_count_strikes (BlackBox *box, const char *path, gint64 size_bytes, gint64 mtime_ns);

/* Begin before its first byte is looked at: returns the slot for the end, which comes when it is done, however that went, and
 * which also clears it of earlier suspicion. More than n_slots at a time, and paths of more than 4 KiB, are not kept. */
guint black_box_begin (BlackBox *box, const char *path, gint64 size_bytes, gint64 mtime_ns);
void black_box_end (BlackBox *box, guint slot);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BlackBox, black_box_close)

G_END_DECLS

#endif
