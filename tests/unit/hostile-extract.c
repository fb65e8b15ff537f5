/* hostile-extract: a lectern-extract whose reader has been taken over. The document's name says what it does. */
#include "ingest/extract/process/zygote.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put (int fd, const GByteArray *out)
{
  for (gsize at = 0; at < out->len;) {
    ssize_t n = write (fd, out->data + at, out->len - at);
    if (n <= 0)
      _exit (0);
    at += (gsize)n;
  }
}

static void put_block (GByteArray *out, const char *text)
{
  LecternBlock block = { LECTERN_BLOCK_PARAGRAPH, 0, 0, (char *)text, NULL };
  frame_append_block (out, &block);
}

static int child (const Request *request, int document_fd, int answer_fd)
{
  GByteArray *out = g_byte_array_new ();
  const char *name = request->name;
  frame_append_string (out, FRAME_TYPE, "text");
  put_block (out, "Fine.");
  if (strcmp (name, "good") == 0)
    frame_append_end (out, LECTERN_STATUS_INDEXED, NULL);
  else if (strcmp (name, "crash") == 0)
    signal (SIGSEGV, SIG_DFL), kill (getpid (), SIGSEGV); /* a sanitizer would catch it */
  else if (strcmp (name, "half") == 0)
    put (answer_fd, out), exit (3);
  else if (strcmp (name, "silent") == 0)
    return 0;
  else if (strcmp (name, "memory") == 0)
    return CHILD_OUT_OF_MEMORY;
  else if (strcmp (name, "hang") == 0)
    for (;;)
      pause ();
  else if (strcmp (name, "drip") == 0) /* alive all the time, never done */
    for (;; put (answer_fd, out))
      usleep (1000);
  else if (strcmp (name, "closed") == 0) { /* no answer any more, and no end */
    close (answer_fd);
    for (;;)
      pause ();
  } else if (strcmp (name, "lie") == 0) {
    const guint32 header[2] = { 0xfffffff0u, FRAME_BLOCK };
    g_byte_array_append (out, (const guint8 *)header, sizeof header);
  } else if (strcmp (name, "flood") == 0) {
    g_autofree char *text = g_strnfill (1 << 20, 'x');
    GByteArray *flood = g_byte_array_new ();
    put_block (flood, text);
    for (;;)
      put (answer_fd, flood);
  } else if (strcmp (name, "parent") == 0) { /* takes the program down with it */
    kill (getppid (), SIGKILL);
    pause ();
  } else if (strcmp (name, "write") == 0) { /* tries to leave a file behind */
    FILE *file = fopen ("lectern-hostile-file", "w");
    if (file && (fputs ("here", file) < 0 || fflush (file) != 0))
      return 9;
    unlink ("lectern-hostile-file");
    frame_append_end (out, LECTERN_STATUS_INDEXED, NULL);
  }
  put (answer_fd, out);
  return 0;
}

int main (void)
{
  return zygote_serve (REQUEST_FD, child);
}
