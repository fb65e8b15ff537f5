/* fuzz-container.c: containers and office documents. A file that begins like one is read as it is, by every reader that
 * takes it and as compressed text. Any other input is the XML in one: its first byte chooses the format, and lines of
 * "----" divide the parts, which are then put into a zip file here, so that a search need not get past checksums. */
#include "ingest/extract/archive/container.h"
#include "ingest/extract/office/docx.h"
#include "ingest/extract/office/epub.h"
#include "ingest/extract/office/odf.h"
#include "ingest/extract/office/office97.h"
#include "ingest/extract/office/pptx.h"
#include "ingest/extract/office/xlsx.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* ---- what readers emit: checked and dropped -------------------------------------------------------------- */

struct _Writer {
  guint n_blocks;
};

static void check (const char *text)
{
  if (!text || !g_utf8_validate (text, -1, NULL))
    abort ();
}

void emit_title (Writer *writer, const char *title)
{
  check (title);
}

void emit_language (Writer *writer, const char *language)
{
  check (language);
}

void emit_author (Writer *writer, const char *author)
{
  check (author);
}

void emit_date (Writer *writer, const char *iso_date)
{
  check (iso_date);
}

void emit_page_count (Writer *writer, int n_pages)
{
  if (n_pages < 0)
    abort ();
}

void emit_finding (Writer *writer, LecternFindingKind kind, int page, guint64 amount, const char *detail)
{
  if ((unsigned)kind >= LECTERN_N_FINDING_KINDS)
    abort ();
}

void emit_attachment (Writer *writer, const char *name, const guint8 *bytes, gsize size)
{
  check (name);
}

void emit_block (Writer *writer, const LecternBlock *block)
{
  check (block->text);
  if ((unsigned)block->kind >= LECTERN_N_BLOCK_KINDS || block->level < 0 || block->page < 0)
    abort ();
  writer->n_blocks++;
}

void emit_block_text (Writer *writer, LecternBlockKind kind, int level, const char *text)
{
  LecternBlock block = { kind, level, 0, (char *)text, NULL };
  emit_block (writer, &block);
}

void emit_warning (Writer *writer, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  check (text);
}

guint emit_count_blocks (Writer *writer)
{
  return writer->n_blocks;
}

/* ---- a zip file around parts ----------------------------------------------------------------------------- */

static guint32 crc32_of (const guint8 *bytes, gsize size)
{
  guint32 crc = 0xFFFFFFFF;
  for (gsize i = 0; i < size; i++) {
    crc ^= bytes[i];
    for (int k = 0; k < 8; k++)
      crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
  }
  return ~crc;
}

static void put (GByteArray *out, guint n_bytes, guint32 value)
{
  for (guint i = 0; i < n_bytes; i++) {
    guint8 byte = (guint8)(value >> 8 * i);
    g_byte_array_append (out, &byte, 1);
  }
}

static void put_header (GByteArray *out, gboolean central, const char *name, const guint8 *bytes, gsize size,
                        guint32 at)
{
  put (out, 4, central ? 0x02014b50 : 0x04034b50);
  if (central)
    put (out, 2, 20);
  put (out, 4, 20); /* version, flags */
  put (out, 4, 0);  /* stored, time */
  put (out, 2, 0x21);
  put (out, 4, crc32_of (bytes, size));
  put (out, 4, (guint32)size);
  put (out, 4, (guint32)size);
  put (out, 4, (guint32)strlen (name));
  if (central) {
    put (out, 4, 0);
    put (out, 2, 0);
    put (out, 4, 0);
    put (out, 4, at);
  }
  g_byte_array_append (out, (const guint8 *)name, (guint)strlen (name));
}

static void add (GByteArray *out, GByteArray *directory, const char *name, const guint8 *bytes, gsize size)
{
  guint32 at = out->len;
  put_header (out, FALSE, name, bytes, size, 0);
  g_byte_array_append (out, bytes, (guint)size);
  put_header (directory, TRUE, name, bytes, size, at);
}

static void add_text (GByteArray *out, GByteArray *directory, const char *name, const char *text)
{
  add (out, directory, name, (const guint8 *)text, strlen (text));
}

static void end_zip (GByteArray *out, GByteArray *directory, guint n)
{
  guint32 at = out->len;
  g_byte_array_append (out, directory->data, directory->len);
  put (out, 4, 0x06054b50);
  put (out, 4, 0);
  put (out, 2, n);
  put (out, 2, n);
  put (out, 4, directory->len);
  put (out, 4, at);
  put (out, 2, 0);
}

/* ---- the formats ----------------------------------------------------------------------------------------- */

#define RELATIONS(...) "<Relationships>" __VA_ARGS__ "</Relationships>"
#define RELATION(id, type, target) "<Relationship Id='" id "' Type='x/" type "' Target='" target "'/>"

typedef struct {
  const char *name, *text; /* text NULL: of the input, in its order */
} Part;

static const struct {
  int (*sniff) (const Document *);
  Outcome (*extract) (const Document *, Writer *);
  Part parts[12];
} formats[] = {
  { docx_sniff,
    docx_extract,
    { { "[Content_Types].xml", "<Types><Override ContentType='wordprocessingml.document.main+xml'/></Types>" },
      { "_rels/.rels", RELATIONS (RELATION ("r1", "officeDocument", "word/d.xml")) },
      { "word/_rels/d.xml.rels",
        RELATIONS (RELATION ("r1", "styles", "s.xml") RELATION ("r2", "numbering", "n.xml")
                       RELATION ("r3", "footnotes", "f.xml") RELATION ("r4", "comments", "c.xml")) },
      { "word/d.xml", NULL },
      { "word/s.xml", NULL },
      { "word/n.xml", NULL },
      { "word/f.xml", NULL },
      { "word/c.xml", NULL } } },
  { pptx_sniff,
    pptx_extract,
    { { "[Content_Types].xml", "<Types><Override ContentType='presentationml.presentation.main+xml'/></Types>" },
      { "_rels/.rels", RELATIONS (RELATION ("r1", "officeDocument", "ppt/p.xml")) },
      { "ppt/_rels/p.xml.rels", RELATIONS (RELATION ("r1", "slide", "s.xml")) },
      { "ppt/_rels/s.xml.rels",
        RELATIONS (RELATION ("r1", "notesSlide", "n.xml") RELATION ("r2", "diagramData", "d.xml")) },
      { "ppt/p.xml", "<p xmlns:r='officeDocument'><sldIdLst><sldId r:id='r1'/></sldIdLst></p>" },
      { "ppt/s.xml", NULL },
      { "ppt/n.xml", NULL },
      { "ppt/d.xml", NULL } } },
  { xlsx_sniff,
    xlsx_extract,
    { { "[Content_Types].xml", "<Types><Override ContentType='spreadsheetml.sheet.main+xml'/></Types>" },
      { "_rels/.rels", RELATIONS (RELATION ("r1", "officeDocument", "xl/w.xml")) },
      { "xl/_rels/w.xml.rels", RELATIONS (RELATION ("r1", "worksheet", "s.xml") RELATION (
                                   "r2", "sharedStrings", "t.xml") RELATION ("r3", "styles", "y.xml")) },
      { "xl/w.xml", "<w xmlns:r='officeDocument'><sheets><sheet name='S' r:id='r1'/></sheets></w>" },
      { "xl/s.xml", NULL },
      { "xl/y.xml", NULL },
      { "xl/t.xml", NULL } } },
  { odt_sniff,
    odf_extract,
    { { "mimetype", "application/vnd.oasis.opendocument.text" },
      { "content.xml", NULL },
      { "styles.xml", NULL },
      { "meta.xml", NULL },
      { "META-INF/manifest.xml", NULL } } },
  { epub_sniff,
    epub_extract,
    { { "mimetype", "application/epub+zip" },
      { "META-INF/container.xml", "<c><r><rootfile full-path='b.opf'/></r></c>" },
      { "b.opf", NULL },
      { "a.xhtml", NULL },
      { "nav.xhtml", NULL },
      { "toc.ncx", NULL },
      { "META-INF/encryption.xml", NULL } } },
  { office97_sniff, office97_extract, { { NULL, NULL } } },
};

static void read_with (guint format, const guint8 *bytes, gsize size)
{
  Document document = { bytes, size, "x" };
  Writer writer = { 0 };
  if (formats[format].sniff (&document) == 0)
    return;
  Outcome outcome = formats[format].extract (&document, &writer);
  if ((outcome.status != LECTERN_STATUS_INDEXED) != (outcome.reason != NULL))
    abort ();
  g_free (outcome.reason);
}

static void read_parts (guint format, const guint8 *bytes, gsize size)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autoptr (GByteArray) directory = g_byte_array_new ();
  guint n = 0;
  for (const Part *part = formats[format].parts; part->name; part++) {
    n++;
    if (part->text) {
      add_text (out, directory, part->name, part->text);
      continue;
    }
    const guint8 *end = memmem (bytes, size, "\n----\n", 6);
    gsize length = end ? (gsize)(end - bytes) : size;
    add (out, directory, part->name, bytes, length);
    length = MIN (length + 6, size);
    bytes += length;
    size -= length;
  }
  end_zip (out, directory, n);
  g_autofree guint8 *exact = g_memdup2 (out->data, out->len);
  read_with (format, exact, out->len);
}

static void decompress (const guint8 *bytes, gsize size)
{
  gsize length;
  gboolean cut, damaged;
  Outcome failure = { 0 };
  g_autofree char *text
      = container_decompress (bytes, size, &container_default_limits, &length, &cut, &damaged, &failure);
  if (!text && !failure.reason)
    abort ();
  g_free (failure.reason);
}

static void list (const guint8 *bytes, gsize size)
{
  Outcome failure = { 0 };
  g_autoptr (Container) container
      = container_open (bytes, size, CONTAINER_ZIP | CONTAINER_TAR, &container_default_limits, &failure);
  if (!container && !failure.reason)
    abort ();
  g_free (failure.reason);
  for (guint i = 0; container && i < MIN (container_count (container), 16); i++)
    container_load_one (container, container_get (container, i)->name);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static gboolean warm;
  if (!warm)
    epub_warm_up ();
  warm = TRUE;
  if (size == 0)
    return 0;
  if (data[0] >= '0' && data[0] < (int)('0' + G_N_ELEMENTS (formats) - 1)) {
    read_parts (data[0] - '0', data + 1, size - 1);
    return 0;
  }
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    read_with (i, data, size);
  if (container_is_compressed (data, size))
    decompress (data, size);
  list (data, size);
  return 0;
}
