/* message.h: one mail to blocks and attachments; what the readers of single mails and of mailboxes share.
 * Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_MESSAGE_H
#define LECTERN_EXTRACT_MESSAGE_H

#include "ingest/extract/extractor.h"
#include "ingest/extract/mail/mime.h"

/* What may still be handed on, of all messages of a document. */
typedef struct {
  guint64 attachment_bytes, text_bytes;
  guint n_attachments;
  guint64 left_out_bytes; /* of attachments beyond these */
  guint n_left_out, n_encrypted;
  gboolean cut;     /* something lay beyond the limits of mime.h, or of text_bytes */
  gboolean mailbox; /* lines that begin with "From " have a ">" before them */
} MessageRun;

MessageRun message_run_new (void);
/* Emits as findings what the run left out. */
void message_run_report (const MessageRun *run, Writer *writer);

/* Emits a paragraph of the headers that a person reads, the text, and the attachments. FALSE: it is encrypted, and only
 * the headers were emitted. */
gboolean message_emit (const MimePart *message, MessageRun *run, Writer *writer);

/* A heading for it: its subject, or else whom it is from. The caller frees it. */
char *message_dup_subject (const MimePart *message);

#endif
