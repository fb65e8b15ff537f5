/* frame.h: what passes between the library and lectern-extract. Internal.
 *
 * Requests go over a SOCK_SEQPACKET socket (REQUEST_FD in lectern-extract), one Request per message, together with two
 * file descriptors: the document, opened read-only, and the writing end of a pipe for the answer. lectern-extract
 * forks a child that reads this one document; when the child has ended it sends one Reply. A message of one byte asks
 * it to kill the child first.
 *
 * The answer is a row of frames: guint32 payload length, guint32 type, payload; native byte order, strings without
 * NUL. It ends with FRAME_END. The child has parsed hostile bytes, so nothing in it is believed: FrameDecoder checks
 * every length, number and string. */
#ifndef LECTERN_FRAME_H
#define LECTERN_FRAME_H

#include "ingest/ingest.h"

#define REQUEST_FD 3
#define REQUEST_MAGIC 0x4c585452u
#define REQUEST_VERSION 3u

typedef struct {
  guint32 magic, version;
  guint64 size_bytes;   /* of the document */
  guint64 memory_bytes; /* address space beyond the start */
  guint32 cpu_seconds;
  guint32 probe;     /* 1: read nothing, answer with a ProtectionsFrame alone */
  guint32 recognize; /* text on pages that are images; with a third descriptor: what was recognised in earlier runs */
  guint32 careful;   /* the document was too much for its reader: only what is needed for the text */
  gint32 recognized_fd; /* set by the receiver: that descriptor, or -1 */
  char name[260];       /* base name, cut if longer, NUL-terminated */
} Request;

/* The protections that a child has entered: bits of 1 << LecternProtection. */
typedef struct {
  guint32 magic, active, landlock_abi;
} ProtectionsFrame;

/* Also sent once when lectern-extract is ready, with magic and version only. */
typedef struct {
  guint32 magic, version;
  gint32 wait_status;  /* as of waitpid(); -1: the child could not be started */
  gint32 error_number; /* errno of that */
  guint64 peak_rss_bytes;
  guint64 cpu_ms;
} Reply;

/* Exit statuses of a child. CHILD_TRIED_*: it was stopped when it made a system call that no reader has a use for. */
enum {
  CHILD_DONE = 0,
  CHILD_OUT_OF_MEMORY = 77,
  CHILD_NO_LIMITS,
  CHILD_TRIED_NETWORK,
  CHILD_TRIED_PROGRAM,
  CHILD_TRIED_PROCESS,
  CHILD_TRIED_OTHERS,
  CHILD_TRIED_SYSTEM,
};

typedef enum {
  FRAME_TYPE = 1,   /* string: "pdf", … */
  FRAME_TITLE,      /* string */
  FRAME_LANGUAGE,   /* string */
  FRAME_PAGES,      /* guint32 */
  FRAME_BLOCK,      /* BlockFrame, text, spans as LecternSpan */
  FRAME_WARNING,    /* string */
  FRAME_END,        /* guint32 LecternStatus, string */
  FRAME_AUTHOR,     /* string */
  FRAME_DATE,       /* string */
  FRAME_FINDING,    /* FindingFrame, string */
  FRAME_ATTACHMENT, /* guint32 bytes of the name, the name, bytes */
  FRAME_RECOGNIZED_PAGE = 32, /* nothing, or a key of RECOGNITION_KEY_BYTES and a page (recognition.h) */
} FrameType;

typedef struct {
  guint32 kind, level, page, text_bytes, n_spans;
} BlockFrame;

typedef struct {
  guint32 kind, page;
  guint64 amount;
} FindingFrame;

/* Limits of what is accepted for one document. */
#define FRAME_MAX_BYTES (64u << 20)
#define FRAME_MAX_TEXT_BYTES (16u << 20) /* of one block */
#define FRAME_MAX_BLOCKS 4000000u
#define FRAME_MAX_WARNINGS 200u
#define FRAME_MAX_FINDINGS 20000u
#define FRAME_MAX_ATTACHMENTS 1000u
#define FRAME_MAX_ATTACHMENT_BYTES (48u << 20)
#define FRAME_MAX_PAGES 1000000u
#define FRAME_MAX_STRING 4096u /* titles, reasons, warnings are cut here */
#define FRAME_TOTAL_MAX_BYTES (G_GUINT64_CONSTANT (512) << 20)

void frame_append_string (GByteArray *out, FrameType type, const char *text);
void frame_append_number (GByteArray *out, FrameType type, guint32 number);
void frame_append_block (GByteArray *out, const LecternBlock *block);
void frame_append_finding (GByteArray *out, const LecternFinding *finding);
void frame_append_attachment (GByteArray *out, const char *name, const guint8 *bytes, gsize size);
/* key NULL: only a sign of life. */
void frame_append_recognized_page (GByteArray *out, const guint8 *key, const guint8 *payload, gsize payload_bytes);
void frame_append_end (GByteArray *out, LecternStatus status, const char *reason);

typedef struct _FrameDecoder FrameDecoder;

typedef enum {
  FRAME_MORE,     /* all well so far */
  FRAME_COMPLETE, /* FRAME_END came and everything holds together */
  FRAME_LIE,      /* the answer breaks the rules: see frame_decoder_get_complaint() */
  FRAME_FLOOD,    /* more than the total that one document may give */
} FrameState;

FrameDecoder *frame_decoder_new (guint64 total_max_bytes);
void frame_decoder_free (FrameDecoder *decoder);
/* Takes the next n bytes. After anything but FRAME_MORE further bytes are a lie. */
FrameState frame_decoder_feed (FrameDecoder *decoder, const guint8 *bytes, gsize n);
const char *frame_decoder_get_complaint (const FrameDecoder *decoder); /* static, or NULL */
/* How many FRAME_RECOGNIZED_PAGE came so far, and the page count as the child says it. */
guint frame_decoder_get_n_recognized (const FrameDecoder *decoder);
int frame_decoder_get_n_pages (const FrameDecoder *decoder);
/* The next recognised page that is to be kept, key first; or NULL. */
GBytes *frame_decoder_take_recognized (FrameDecoder *decoder);
/* The extraction so far; the caller owns it and the decoder is spent. */
LecternExtraction *frame_decoder_steal (FrameDecoder *decoder);

LecternExtraction *extraction_new (void);

#endif
