/* output.h: what reaches the terminal.
 *
 * Results go to standard output, progress and messages to standard error. Text for people is cleaned: bytes that are no
 * UTF-8 become U+FFFD and control characters (a document may hold terminal commands) become spaces; line breaks and
 * tabs stay. Nothing here fails at the call: output_finish() tells whether everything was written. When the reader of
 * a pipe has gone, the program ends by SIGPIPE as other tools do. */
#ifndef LECTERN_OUTPUT_H
#define LECTERN_OUTPUT_H

#include "app/json-writer.h"

/* Once, before anything else is called. */
void output_init (void);

/* Text for people, cleaned. */
void output_text (const char *text);
void output_printf (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* The same in bold where standard output is a terminal. */
void output_bold (const char *text);
void output_dim (const char *text);
/* Bytes exactly as they are. */
void output_bytes (const char *bytes, gsize length);
void output_flush (void);

/* The writer's value and a line break. */
void output_json (const JsonWriter *writer);

/* Paragraphs of text filled to the terminal's width (80 where there is none), each line after `indent` spaces. */
void output_wrapped (const char *text, guint indent);

gboolean output_is_terminal (void);
/* Columns of standard output's terminal; 0 if it is none. */
guint output_get_width (void);
/* Columns that the text takes. */
guint output_measure (const char *text);
/* `text` cut to `columns` with "…" in place of its end (or of its start, `keep_end`), or padded with spaces; cleaned. */
char *output_dup_fitted (const char *text, guint columns, gboolean keep_end, gboolean pad);
/* Text without control characters (line breaks and tabs too if `one_line`), valid UTF-8. */
char *output_dup_clean (const char *text, gboolean one_line);

/* "1.4 MB" and the like. */
char *output_dup_size (guint64 bytes);

/* One line on standard error: "lecternctl: …". */
void output_message (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Progress on standard error: one line that is rewritten on a terminal, else a line per call. NULL ends it. */
void output_progress (const char *text);

/* FALSE with *error if standard output could not be written. */
gboolean output_finish (GError **error);

#endif
