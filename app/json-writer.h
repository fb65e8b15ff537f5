/* json-writer.h: JSON text (RFC 8259), written front to back.
 *
 * Numbers are the shortest decimal that reads back as the same double (or float); infinities and NaN, which JSON does
 * not have, become null. Strings may hold any bytes: what is not UTF-8 (a file name, a cut text) becomes U+FFFD, so that
 * the output always parses. The calls must nest properly; that is asserted, not reported. */
#ifndef LECTERN_JSON_WRITER_H
#define LECTERN_JSON_WRITER_H

#include <glib.h>

typedef struct _JsonWriter JsonWriter;

JsonWriter *json_writer_new (void);
void json_writer_free (JsonWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JsonWriter, json_writer_free)

/* What has been written so far; borrowed, valid until the next call. */
const char *json_writer_get_text (const JsonWriter *writer);
/* Starts over, for the next value of a stream. */
void json_writer_reset (JsonWriter *writer);

void json_writer_begin_object (JsonWriter *writer);
void json_writer_end_object (JsonWriter *writer);
void json_writer_begin_array (JsonWriter *writer);
void json_writer_end_array (JsonWriter *writer);
void json_writer_key (JsonWriter *writer, const char *key);

void json_writer_string (JsonWriter *writer, const char *string); /* NULL: null */
void json_writer_bytes (JsonWriter *writer, const char *bytes, gsize length);
void json_writer_int (JsonWriter *writer, gint64 number);
void json_writer_double (JsonWriter *writer, double number);
void json_writer_float (JsonWriter *writer, float number);
void json_writer_boolean (JsonWriter *writer, gboolean value);
void json_writer_null (JsonWriter *writer);
/* A value that another writer made. */
void json_writer_raw (JsonWriter *writer, const char *value);

/* A key and its value. */
void json_writer_member_string (JsonWriter *writer, const char *key, const char *string);
void json_writer_member_int (JsonWriter *writer, const char *key, gint64 number);
void json_writer_member_double (JsonWriter *writer, const char *key, double number);
void json_writer_member_boolean (JsonWriter *writer, const char *key, gboolean value);

#endif
