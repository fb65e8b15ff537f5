/* lectern-extract: reads one untrusted document after the other, each in a child of its own. Started by the library with
 * a socket as descriptor 3 (ingest/reader/frame.h); by hand, `lectern-extract --dump FILE` prints what a reader finds.
 *
 * Built twice: lectern-extract-flow is the same WITHOUT_PAGES, that is without PDF files and text recognition. Their hundred
 * shared libraries make each fork three times as dear, which is most of the time that a web page takes. */
#include "ingest/extract/extractor.h"
#ifndef WITHOUT_PAGES
#include "ingest/extract/ocr/ocr.h"
#endif
#include "ingest/extract/process/child-limits.h"
#include "ingest/extract/process/writer.h"
#include "ingest/extract/process/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] = "Usage: lectern-extract --dump FILE\n"
                            "       lectern-extract --serve\n"
                            "\n"
                            "Reads a document and finds its headings, paragraphs, lists, tables and captions.\n"
                            "\n"
                            "  --dump FILE  print the blocks found in FILE, each with its kind and page\n"
                            "  --serve      read documents for Lectern, which starts this by itself (descriptor 3)\n"
                            "  --help       show this\n";

static Outcome extract (const Document *document, Writer *writer)
{
  int format = format_of_document (document);
  if (format < 0)
    return outcome_failed (LECTERN_STATUS_UNSUPPORTED, "It is not in a format that Lectern reads.");
  Outcome outcome = format_read (format, document, writer);
  if (outcome.status == LECTERN_STATUS_INDEXED && emit_count_blocks (writer) == 0)
    return outcome_failed (LECTERN_STATUS_EMPTY, "There is no text in it.");
  return outcome;
}

/* Maps the descriptor and reads it. FALSE with errno: it cannot be mapped. */
static gboolean extract_fd (int fd, const char *name, gboolean careful, Writer *writer)
{
  struct stat information;
  if (fstat (fd, &information) != 0)
    return FALSE;
  if (information.st_size == 0) {
    writer_end (writer, outcome_failed (LECTERN_STATUS_EMPTY, "The file is empty."));
    return TRUE;
  }
  gsize size = (gsize)information.st_size;
  void *bytes = mmap (NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED)
    return FALSE;
  Document document = { bytes, size, name, careful };
  writer_end (writer, extract (&document, writer));
  return TRUE;
}

static int serve_document (const Request *request, int document_fd, int answer_fd)
{
#ifndef WITHOUT_PAGES
  ocr_begin (request->recognize != 0, request->recognized_fd);
#endif
  Writer *writer = writer_new_frames (answer_fd);
  if (!extract_fd (document_fd, request->name, request->careful != 0, writer))
    writer_end (writer, outcome_failed (LECTERN_STATUS_UNREADABLE, "It cannot be read: %s.", g_strerror (errno)));
  limits_finish ();
  return CHILD_DONE;
}

static int dump (const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  g_autofree char *name = g_path_get_basename (path);
  Writer *writer = writer_new_print (stdout);
  if (fd < 0 || !extract_fd (fd, name, FALSE, writer)) {
    fprintf (stderr, "lectern-extract: %s cannot be read: %s.\n", path, g_strerror (errno));
    return 1;
  }
  writer_free (writer);
  close (fd);
  return 0;
}

int main (int argc, char **argv)
{
  if (argc == 2 && strcmp (argv[1], "--help") == 0) {
    fputs (usage, stdout);
    return 0;
  }
  gboolean serve = argc == 2 && strcmp (argv[1], "--serve") == 0;
  if (!serve && !(argc == 3 && strcmp (argv[1], "--dump") == 0)) {
    fputs (usage, stderr);
    return 2;
  }
#ifndef WITHOUT_PAGES
  ocr_warm_up (argv);
#endif
  for (int format = 0; format < N_FORMATS; format++)
    if (format_readers[format].warm_up)
      format_readers[format].warm_up ();
  return serve ? zygote_serve (REQUEST_FD, serve_document) : dump (argv[2]);
}
