/* message-text.h: the plain text of a mail to blocks. Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_MESSAGE_TEXT_H
#define LECTERN_EXTRACT_MESSAGE_TEXT_H

#include "ingest/extract/extractor.h"

typedef struct {
  gboolean flowed, delete_space; /* RFC 3676: format=flowed, delsp=yes */
  gboolean mailbox;              /* lines that begin with "From " have a ">" before them */
} MessageTextForm;

/* Quoted lines are text too; the marks stay before the first line of each quoted paragraph only. */
void message_text_emit (const char *text, gsize length, MessageTextForm form, Writer *writer);

#endif
