#include "ingest/extract/ocr/languages.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".traineddata"
#define MAX_LANGUAGES 200u
#define MIN_BYTES 1024
#define MAX_BYTES ((off_t)256 << 20)

static GPtrArray *installed; /* of OcrLanguage, by name; NULL until loaded */

/* BCP 47 and tesseract's names, which follow ISO 639-2/T. Where a language has several scripts, the usual one is first
 * and the others have their script in the tag. */
static const struct {
  const char *tag, *name;
} names[] = {
  { "af", "afr" },          { "am", "amh" },        { "ar", "ara" },           { "as", "asm" },
  { "az", "aze" },          { "be", "bel" },        { "bg", "bul" },           { "bn", "ben" },
  { "bo", "bod" },          { "br", "bre" },        { "bs", "bos" },           { "ca", "cat" },
  { "ceb", "ceb" },         { "co", "cos" },        { "cs", "ces" },           { "cy", "cym" },
  { "da", "dan" },          { "de", "deu" },        { "dv", "div" },           { "dz", "dzo" },
  { "el", "ell" },          { "en", "eng" },        { "eo", "epo" },           { "es", "spa" },
  { "et", "est" },          { "eu", "eus" },        { "fa", "fas" },           { "fi", "fin" },
  { "fil", "fil" },         { "fo", "fao" },        { "fr", "fra" },           { "fy", "fry" },
  { "ga", "gle" },          { "gd", "gla" },        { "gl", "glg" },           { "grc", "grc" },
  { "gu", "guj" },          { "he", "heb" },        { "hi", "hin" },           { "hr", "hrv" },
  { "ht", "hat" },          { "hu", "hun" },        { "hy", "hye" },           { "id", "ind" },
  { "is", "isl" },          { "it", "ita" },        { "iu", "iku" },           { "ja", "jpn" },
  { "jv", "jav" },          { "ka", "kat" },        { "kk", "kaz" },           { "km", "khm" },
  { "kn", "kan" },          { "ko", "kor" },        { "ku", "kmr" },           { "ky", "kir" },
  { "la", "lat" },          { "lb", "ltz" },        { "lo", "lao" },           { "lt", "lit" },
  { "lv", "lav" },          { "mi", "mri" },        { "mk", "mkd" },           { "ml", "mal" },
  { "mn", "mon" },          { "mr", "mar" },        { "ms", "msa" },           { "mt", "mlt" },
  { "my", "mya" },          { "nb", "nor" },        { "ne", "nep" },           { "nl", "nld" },
  { "nn", "nor" },          { "no", "nor" },        { "oc", "oci" },           { "or", "ori" },
  { "pa", "pan" },          { "pl", "pol" },        { "ps", "pus" },           { "pt", "por" },
  { "qu", "que" },          { "ro", "ron" },        { "ru", "rus" },           { "sa", "san" },
  { "sd", "snd" },          { "si", "sin" },        { "sk", "slk" },           { "sl", "slv" },
  { "sq", "sqi" },          { "sr", "srp" },        { "sr-Latn", "srp_latn" }, { "su", "sun" },
  { "sv", "swe" },          { "sw", "swa" },        { "syr", "syr" },          { "ta", "tam" },
  { "te", "tel" },          { "tg", "tgk" },        { "th", "tha" },           { "ti", "tir" },
  { "to", "ton" },          { "tr", "tur" },        { "tt", "tat" },           { "ug", "uig" },
  { "uk", "ukr" },          { "ur", "urd" },        { "uz", "uzb" },           { "uz-Cyrl", "uzb_cyrl" },
  { "vi", "vie" },          { "yi", "yid" },        { "yo", "yor" },           { "zh", "chi_sim" },
  { "zh-Hant", "chi_tra" }, { "zh-TW", "chi_tra" }, { "zh-HK", "chi_tra" },
};

/* ---- what is installed ----------------------------------------------------------------------------------- */

/* Data of scripts and orientation, not of a language. */
static gboolean is_language (const char *name)
{
  return strcmp (name, "osd") != 0 && strcmp (name, "equ") != 0;
}

static void load_file (const char *folder, const char *file)
{
  gsize length = strlen (file);
  if (installed->len >= MAX_LANGUAGES || length <= strlen (SUFFIX) || !g_str_has_suffix (file, SUFFIX))
    return;
  g_autofree char *name = g_strndup (file, length - strlen (SUFFIX));
  if (!is_language (name))
    return;
  g_autofree char *path = g_build_filename (folder, file, NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return;
  struct stat information;
  if (fstat (fd, &information) == 0 && S_ISREG (information.st_mode) && information.st_size >= MIN_BYTES
      && information.st_size <= MAX_BYTES) {
    void *bytes = mmap (NULL, (size_t)information.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes != MAP_FAILED) {
      OcrLanguage *language = g_new (OcrLanguage, 1);
      *language = (OcrLanguage){ g_steal_pointer (&name), bytes, (gsize)information.st_size };
      g_ptr_array_add (installed, language);
    }
  }
  close (fd);
}

/* Returns whether the folder holds any. */
static gboolean load_folder (const char *folder)
{
  guint before = installed->len;
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *file;
  while (dir && (file = g_dir_read_name (dir)))
    load_file (folder, file);
  if (dir)
    g_dir_close (dir);
  return installed->len > before;
}

static int compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(const OcrLanguage *const *)a)->name, (*(const OcrLanguage *const *)b)->name);
}

void ocr_languages_load (void)
{
  static const char *const folders[] = { "/usr/share/tesseract-ocr/5/tessdata",
                                         "/usr/share/tesseract-ocr/4.00/tessdata",
                                         "/usr/share/tessdata",
                                         "/usr/share/tesseract/tessdata",
                                         "/usr/local/share/tessdata",
                                         "/app/share/tessdata" };
  if (installed)
    return;
  installed = g_ptr_array_new ();
  const char *prefix = g_getenv ("TESSDATA_PREFIX");
  if (prefix && *prefix) {
    g_autofree char *below = g_build_filename (prefix, "tessdata", NULL);
    if (!load_folder (prefix))
      load_folder (below);
  } else {
    for (guint i = 0; i < G_N_ELEMENTS (folders) && !load_folder (folders[i]); i++)
      ;
  }
  g_ptr_array_sort (installed, compare_names);
  /* GLib looks into the system's list of aliases the first time, and keeps what it finds. */
  g_get_language_names ();
}

guint ocr_languages_count (void)
{
  return installed ? installed->len : 0;
}

static const OcrLanguage *find_name (const char *name)
{
  for (guint i = 0; i < ocr_languages_count (); i++) {
    const OcrLanguage *language = installed->pdata[i];
    if (strcmp (language->name, name) == 0)
      return language;
  }
  return NULL;
}

/* ---- what is chosen -------------------------------------------------------------------------------------- */

/* Locales are written with an underscore, and with an encoding and a modifier behind. */
static gboolean tag_begins_with (const char *tag, const char *prefix)
{
  gsize i = 0;
  for (; prefix[i]; i++) {
    char c = tag[i] == '_' ? '-' : tag[i];
    if (g_ascii_tolower (c) != g_ascii_tolower (prefix[i]))
      return FALSE;
  }
  return tag[i] == '\0' || strchr ("-_.@", tag[i]) != NULL;
}

const char *ocr_languages_name (const char *tag)
{
  const char *best = NULL;
  gsize best_length = 0;
  for (guint i = 0; tag && i < G_N_ELEMENTS (names); i++) {
    gsize length = strlen (names[i].tag);
    if (length > best_length && tag_begins_with (tag, names[i].tag)) {
      best = names[i].name;
      best_length = length;
    }
  }
  return best;
}

const OcrLanguage *ocr_languages_find (const char *tag)
{
  const char *name = ocr_languages_name (tag);
  return name ? find_name (name) : NULL;
}

static void choose (const OcrLanguage *language, const OcrLanguage *chosen[], guint *n)
{
  if (!language || *n >= OCR_MAX_CHOSEN)
    return;
  for (guint i = 0; i < *n; i++)
    if (chosen[i] == language)
      return;
  chosen[(*n)++] = language;
}

guint ocr_languages_choose (const char *const *tags, guint n_tags, const OcrLanguage *chosen[OCR_MAX_CHOSEN])
{
  guint n = 0;
  for (guint i = 0; i < n_tags; i++)
    choose (ocr_languages_find (tags[i]), chosen, &n);
  const char *const *locales = g_get_language_names ();
  for (guint i = 0; locales[i]; i++)
    choose (ocr_languages_find (locales[i]), chosen, &n);
  choose (find_name ("eng"), chosen, &n);
  for (guint i = 0; i < ocr_languages_count (); i++)
    choose (installed->pdata[i], chosen, &n);
  return n;
}
