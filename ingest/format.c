#include "ingest/format.h"
#include "ingest/ingest.h"

#include <string.h>

#define MIB (G_GUINT64_CONSTANT (1) << 20)

const FormatName format_names[N_FORMATS] = {
  [FORMAT_PDF] = { "pdf", { ".pdf" }, 2048 * MIB },
  [FORMAT_HTML] = { "html", { ".html", ".htm", ".xhtml" }, 256 * MIB },
  [FORMAT_MARKDOWN] = { "markdown", { ".md", ".markdown", ".mkd" }, 256 * MIB },
  [FORMAT_DOCX] = { "docx", { ".docx", ".docm", ".dotx", ".dotm" }, 1024 * MIB },
  [FORMAT_ODT] = { "odt", { ".odt", ".ott" }, 1024 * MIB },
  [FORMAT_ODP] = { "odp", { ".odp", ".otp" }, 1024 * MIB },
  [FORMAT_ODS] = { "ods", { ".ods", ".ots" }, 1024 * MIB },
  [FORMAT_EPUB] = { "epub", { ".epub" }, 1024 * MIB },
  [FORMAT_PPTX] = { "pptx", { ".pptx", ".pptm", ".ppsx", ".ppsm", ".potx" }, 1024 * MIB },
  [FORMAT_XLSX] = { "xlsx", { ".xlsx", ".xlsm", ".xltx", ".xltm" }, 1024 * MIB },
  [FORMAT_OFFICE_97] = { "office-97", { ".doc", ".dot", ".xls", ".xlt", ".ppt", ".pps", ".pot" }, 2048 * MIB },
  [FORMAT_TEXT] = { "text", { ".txt", ".text", ".rst", ".org", ".adoc" }, 256 * MIB },
};

int format_from_path (const char *path)
{
  const char *slash = strrchr (path, '/');
  const char *name = slash ? slash + 1 : path;
  const char *dot = strrchr (name, '.');
  if (!dot || dot == name)
    return -1;
  for (int format = 0; format < N_FORMATS; format++)
    for (const char *const *extension = format_names[format].extensions; *extension; extension++)
      if (g_ascii_strcasecmp (dot, *extension) == 0)
        return format;
  return -1;
}

gboolean lectern_format_is_known (const char *path)
{
  return format_from_path (path) >= 0;
}
