#include "ingest/reader/format.h"
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
  [FORMAT_TEXT] = { "text", { ".txt", ".text", ".org", ".adoc" }, 256 * MIB },
  [FORMAT_MBOX] = { "mbox", { ".mbox", ".mbx" }, 4096 * MIB },
  [FORMAT_EML] = { "eml", { ".eml", ".emlx" }, 512 * MIB },
  [FORMAT_MHTML] = { "mhtml", { ".mht", ".mhtml" }, 512 * MIB },
  [FORMAT_RTF] = { "rtf", { ".rtf" }, 512 * MIB },
  [FORMAT_CSV] = { "csv", { ".csv", ".tsv", ".tab" }, 256 * MIB },
  [FORMAT_RST] = { "rst", { ".rst", ".rest" }, 64 * MIB },
  [FORMAT_CODE] = { "code", { ".c",     ".h",   ".cc",   ".cpp", ".cxx",  ".hh",    ".hpp", ".m",    ".cs",   ".java",
                              ".kt",    ".go",  ".rs",   ".py",  ".rb",   ".pl",    ".pm",  ".php",  ".js",   ".mjs",
                              ".ts",    ".tsx", ".jsx",  ".vue", ".swift", ".scala", ".lua", ".r",    ".jl",   ".hs",
                              ".ml",    ".ex",  ".erl",  ".clj", ".el",   ".lisp",  ".sh",  ".bash", ".zsh",  ".ps1",
                              ".sql",   ".tex", ".f90",  ".pas", ".vala", ".zig",   ".dart", ".proto" },
                    4 * MIB },
  [FORMAT_DATA] = { "data", { ".json", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".xml", ".css", ".scss",
                              ".cmake", ".mk", ".properties", ".desktop", ".service", ".log", ".diff", ".patch" },
                    4 * MIB, TRUE },
  [FORMAT_COMPRESSED] = { "compressed", { NULL }, 256 * MIB }, /* by the name within: format_from_path() */
};

/* Whether something compressed is text, by its name without the last ending: "manual.html", "changelog", "NEWS.Debian". */
static gboolean is_text_inside (const char *name)
{
  static const char *const words[]
      = { "authors", "changelog", "changes", "copyright", "faq", "history", "news", "notes", "readme", "thanks", "todo" };
  int format = format_from_path (name);
  if (format == FORMAT_HTML || format == FORMAT_MARKDOWN || format == FORMAT_TEXT || format == FORMAT_MBOX
      || format == FORMAT_RTF || format == FORMAT_CSV || format == FORMAT_RST)
    return TRUE;
  gsize stem = strcspn (name, ".-_");
  if (g_str_has_suffix (name, ".tar"))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (words) && format < 0; i++)
    if (stem == strlen (words[i]) && g_ascii_strncasecmp (name, words[i], stem) == 0)
      return TRUE;
  return FALSE;
}

static gboolean is_compressed_name (const char *extension)
{
  return g_ascii_strcasecmp (extension, ".gz") == 0 || g_ascii_strcasecmp (extension, ".bz2") == 0
         || g_ascii_strcasecmp (extension, ".xz") == 0 || g_ascii_strcasecmp (extension, ".zst") == 0;
}

int format_from_path (const char *path)
{
  const char *slash = strrchr (path, '/');
  const char *name = slash ? slash + 1 : path;
  const char *dot = strrchr (name, '.');
  if (!dot || dot == name)
    return -1;
  if (is_compressed_name (dot)) {
    g_autofree char *inside = g_strndup (name, (gsize)(dot - name));
    return is_text_inside (inside) ? FORMAT_COMPRESSED : -1;
  }
  for (int format = 0; format < N_FORMATS; format++)
    for (const char *const *extension = format_names[format].extensions; *extension; extension++)
      if (g_ascii_strcasecmp (dot, *extension) == 0)
        return format;
  return -1;
}

gboolean lectern_format_is_known (const char *path)
{
  int format = format_from_path (path);
  return format >= 0 && !format_names[format].only_named && !strstr (path, ".min.js");
}
