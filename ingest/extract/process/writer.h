/* writer.h: the two places where a reader's findings can go: frames on a pipe, or print for a person. */
#ifndef LECTERN_EXTRACT_WRITER_H
#define LECTERN_EXTRACT_WRITER_H

#include "ingest/extract/extractor.h"

#include <stdio.h>

/* Writes frames to a pipe; a reader that went away ends the process. */
Writer *writer_new_frames (int fd);
/* Prints blocks readably. */
Writer *writer_new_print (FILE *out);
void writer_free (Writer *writer);

void writer_type (Writer *writer, const char *type);
/* Closes the answer and takes the outcome's reason. */
void writer_end (Writer *writer, Outcome outcome);

#endif
