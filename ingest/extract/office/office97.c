#include "ingest/extract/office/office97.h"

#include <string.h>

#define HEADER_BYTES 512u
#define ENTRY_BYTES 128u
#define N_HEADER_FAT 109u /* FAT sectors that the header lists */
#define MAX_SECTORS 4096u /* of the directory */

typedef enum { HOLDS_NOTHING, HOLDS_OTHER, HOLDS_WORD, HOLDS_EXCEL, HOLDS_POWERPOINT, HOLDS_ENCRYPTED } Holds;

static guint32 read_u32 (const guint8 *at)
{
  guint32 value;
  memcpy (&value, at, sizeof value);
  return GUINT32_FROM_LE (value);
}

/* Where a sector begins; NULL: outside of the file. */
static const guint8 *sector_at (const Document *document, guint32 sector, guint shift)
{
  guint64 offset = ((guint64)sector + 1) << shift;
  return offset + (1u << shift) <= document->size ? document->bytes + offset : NULL;
}

/* The sector behind another in its chain; G_MAXUINT32: none. */
static guint32 next_sector (const Document *document, guint32 sector, guint shift)
{
  guint per_sector = (1u << shift) / 4, fat = sector / per_sector;
  if (fat >= N_HEADER_FAT)
    return G_MAXUINT32;
  const guint8 *table = sector_at (document, read_u32 (document->bytes + 76 + 4 * fat), shift);
  return table ? read_u32 (table + 4 * (sector % per_sector)) : G_MAXUINT32;
}

static Holds holds_by_name (const guint8 *entry)
{
  static const struct {
    const char *name;
    Holds holds;
  } names[] = { { "WordDocument", HOLDS_WORD },
                { "Workbook", HOLDS_EXCEL },
                { "Book", HOLDS_EXCEL },
                { "PowerPoint Document", HOLDS_POWERPOINT },
                { "EncryptedPackage", HOLDS_ENCRYPTED } };
  guint bytes = entry[64] | entry[65] << 8; /* with the zero at the end */
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    gsize n = strlen (names[i].name);
    gboolean equal = bytes == 2 * (n + 1);
    for (gsize k = 0; equal && k < n; k++)
      equal = entry[2 * k] == names[i].name[k] && entry[2 * k + 1] == 0;
    if (equal)
      return names[i].holds;
  }
  return HOLDS_OTHER;
}

static Holds look (const Document *document)
{
  static const guint8 magic[8] = { 0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1 };
  if (document->size < HEADER_BYTES || memcmp (document->bytes, magic, sizeof magic) != 0)
    return HOLDS_NOTHING;
  guint shift = document->bytes[30] | document->bytes[31] << 8;
  if (shift != 9 && shift != 12)
    return HOLDS_OTHER;
  guint32 sector = read_u32 (document->bytes + 48);
  for (guint n = 0; n < MAX_SECTORS && sector != G_MAXUINT32; n++) {
    const guint8 *entries = sector_at (document, sector, shift);
    for (guint i = 0; entries && i < (1u << shift); i += ENTRY_BYTES) {
      Holds holds = holds_by_name (entries + i);
      if (holds != HOLDS_OTHER)
        return holds;
    }
    sector = entries ? next_sector (document, sector, shift) : G_MAXUINT32;
  }
  return HOLDS_OTHER;
}

int office97_sniff (const Document *document)
{
  Holds holds = look (document);
  return holds == HOLDS_NOTHING ? 0 : holds == HOLDS_OTHER ? 1 : 2;
}

Outcome office97_extract (const Document *document, Writer *writer)
{
  switch (look (document)) {
  case HOLDS_ENCRYPTED: return outcome_failed (LECTERN_STATUS_ENCRYPTED, "It needs a password.");
  case HOLDS_WORD:
    return outcome_failed (LECTERN_STATUS_UNSUPPORTED,
                           "It is in the format of Word until 2003. Open it and save it as .docx or .odt.");
  case HOLDS_EXCEL:
    return outcome_failed (LECTERN_STATUS_UNSUPPORTED,
                           "It is in the format of Excel until 2003. Open it and save it as .xlsx or .ods.");
  case HOLDS_POWERPOINT:
    return outcome_failed (LECTERN_STATUS_UNSUPPORTED,
                           "It is in the format of PowerPoint until 2003. Open it and save it as .pptx or .odp.");
  default: return outcome_failed (LECTERN_STATUS_UNSUPPORTED, "It is not in a format that Lectern reads.");
  }
}
