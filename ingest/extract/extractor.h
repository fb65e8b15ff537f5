/* extractor.h: what a format's reader gets and what it calls. Everything here runs in a child of lectern-extract that
 * serves one document and ends: a reader may leak, may abort, and is killed at its deadline. Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_EXTRACTOR_H
#define LECTERN_EXTRACT_EXTRACTOR_H

#include "ingest/reader/format.h"
#include "ingest/ingest.h"

/* A document: read-only bytes (mapped; they end without a NUL) and the file's base name, for hints only. Careful: its
 * reader has already broken down on it, or taken too long; this time it leaves out what the text can do without. */
typedef struct {
  const guint8 *bytes;
  gsize size;
  const char *name;
  gboolean careful;
} Document;

/* Where a reader's findings go. */
typedef struct _Writer Writer;

/* Each takes UTF-8 (bytes that are not are replaced) and copies. Order is free, except that blocks come in reading order.
 * Whatever was emitted before a crash or the deadline is dropped with the document. */
void emit_title (Writer *writer, const char *title);
void emit_language (Writer *writer, const char *language); /* as the document declares it: BCP 47 */
void emit_page_count (Writer *writer, int n_pages);
void emit_block (Writer *writer, const LecternBlock *block); /* empty ones are dropped; spans may be NULL */
void emit_block_text (Writer *writer, LecternBlockKind kind, int level, const char *text); /* without pages */
void emit_author (Writer *writer, const char *author);
void emit_date (Writer *writer, const char *iso_date); /* "2024-05-01" or longer; of the document, not of the file */
/* Page 0: the whole document. The detail is in plain words, or NULL. */
void emit_finding (Writer *writer, LecternFindingKind kind, int page, guint64 amount, const char *detail);
/* A document of its own that stands in this one: the library reads it like a file. Names need not differ. */
void emit_attachment (Writer *writer, const char *name, const guint8 *bytes, gsize size);
void emit_warning (Writer *writer, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* A page whose text was recognised, for the next run to find: a key of 32 bytes and what the reader will want to know.
 * Sent at once. It also tells the library that the reader goes on, which is all that a NULL key does. */
void emit_recognized_page (Writer *writer, const guint8 *key, const guint8 *payload, gsize payload_bytes);
guint emit_count_blocks (Writer *writer); /* emitted so far */

/* How a reader ends: a status, and when that is not INDEXED one sentence for the user ("It needs a password."). A reader
 * that emitted no block must not return INDEXED. */
typedef struct {
  LecternStatus status;
  char *reason; /* owned; NULL when indexed */
} Outcome;

Outcome outcome_indexed (void);
Outcome outcome_failed (LecternStatus status, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* One row per Format (formats.c). */
typedef struct {
  void (*warm_up) (void); /* once, before any document, in the parent: load what every child would; or NULL */
  /* How surely these bytes are of this format: 0 no; 1 could be, if the name says so; 2 they say so themselves. */
  int (*sniff) (const Document *document);
  Outcome (*extract) (const Document *document, Writer *writer);
} FormatReader;

extern const FormatReader format_readers[N_FORMATS];

/* The format of a document by content first, then by name; -1: none that is read here. */
int format_of_document (const Document *document);

/* Reads it as of that format, and tells the writer the format's type. Too large for the format: says so. */
Outcome format_read (int format, const Document *document, Writer *writer);

#endif
