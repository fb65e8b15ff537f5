/* file.c: mapping a file, and saying what it is when it is no GGUF. */
#include "engine/gguf/gguf-private.h"
#include "engine/error.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what else a file can be ----------------------------------------------------------------------------- */

/* What people save or point at instead of a model, by its first bytes; the first row that matches counts. */
static const struct {
  uint16_t offset;
  uint8_t n_bytes;
  const char *bytes, *sentence;
} signatures[] = {
  { 0, 23, "version https://git-lfs", "This is a Git LFS pointer, not the model itself: download the real file." },
  { 0, 4, "lmgg", "This is a model in an old GGML format, from before GGUF: download the model as GGUF." },
  { 0, 4, "fmgg", "This is a model in an old GGML format, from before GGUF: download the model as GGUF." },
  { 0, 4, "tjgg", "This is a model in an old GGML format, from before GGUF: download the model as GGUF." },
  { 0, 4, "algg", "This is an adapter in an old GGML format, from before GGUF: convert it to GGUF." },
  { 0, 4, "PK\3\4",
    "This is a zip archive or a PyTorch checkpoint, not a GGUF model: unpack it, or convert it to GGUF." },
  { 0, 2, "\200\2",
    "This is a PyTorch checkpoint (a pickle), not a GGUF model: download the model as GGUF or convert it." },
  { 4, 4, "TFL3", "This is a TensorFlow Lite model, not a GGUF model: download the model as GGUF." },
  { 0, 8, "\211HDF\r\n\32\n", "This is an HDF5 file (Keras), not a GGUF model: download the model as GGUF." },
  { 0, 6, "\223NUMPY", "This is a NumPy array, not a GGUF model: download the model as GGUF." },
  { 0, 2, "\37\213", "This is a gzip archive: unpack it and open the GGUF file in it." },
  { 0, 6, "\3757zXZ\0", "This is an xz archive: unpack it and open the GGUF file in it." },
  { 0, 4, "\50\265\57\375", "This is a zstd archive: unpack it and open the GGUF file in it." },
  { 0, 3, "BZh", "This is a bzip2 archive: unpack it and open the GGUF file in it." },
  { 0, 6, "7z\274\257\47\34", "This is a 7z archive: unpack it and open the GGUF file in it." },
  { 257, 5, "ustar", "This is a tar archive: unpack it and open the GGUF file in it." },
  { 0, 6, "MZqFpD", "This is a llamafile, a program with a model inside: download the model as GGUF." },
  { 0, 4, "\177ELF", "This is a program, not a GGUF model." },
  { 0, 5, "%PDF-", "This is a PDF document, not a GGUF model." },
  { 8, 4, "blk.", "This is an importance matrix, which helps to quantise a model, not the model itself." },
};

static bool starts_with (const uint8_t *bytes, size_t size, const char *word)
{
  return size >= strlen (word) && strncasecmp ((const char *)bytes, word, strlen (word)) == 0;
}

static bool is_safetensors (const uint8_t *bytes, size_t size)
{
  return size > 9 && bytes[8] == '{' && (bytes[9] == '"' || bytes[9] == '}') && load_le (bytes, 8) <= size - 8;
}

/* ModelProto: ir_version (field 1), then the producer's name, its version, the graph or the operator sets. */
static bool is_onnx (const uint8_t *bytes, size_t size)
{
  return size > 3 && bytes[0] == 0x08 && bytes[1] < 32
         && (bytes[2] == 0x12 || bytes[2] == 0x1a || bytes[2] == 0x3a || bytes[2] == 0x42);
}

static bool is_text (const uint8_t *bytes, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (bytes[i] < 32 && !isspace (bytes[i]))
      return false;
  return size > 0;
}

static const char *explain_text (const uint8_t *bytes, size_t size)
{
  static const char *const html[] = { "<!doctype html", "<html", "<head", "<?xml", "<!--" };
  if (size >= 3 && memcmp (bytes, "\357\273\277", 3) == 0)
    bytes += 3, size -= 3;
  while (size > 0 && isspace (*bytes))
    bytes++, size--;
  for (size_t i = 0; i < sizeof html / sizeof *html; i++)
    if (starts_with (bytes, size, html[i]))
      return "This is a web page, not a model: the download saved the page; follow its download link.";
  if (size > 0 && *bytes == '{')
    return "This is a JSON text, not a model: a configuration file or a server's error message; download the GGUF "
           "file.";
  return "This is a text, not a model, maybe a server's error message: download the GGUF file again.";
}

const char *gguf_explain_other (const uint8_t *bytes, size_t size)
{
  enum { MOST_BYTES = 512 };
  size_t head = size < MOST_BYTES ? size : MOST_BYTES, n_zeros = 0;
  for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
    if (head >= (size_t)signatures[i].offset + signatures[i].n_bytes
        && memcmp (bytes + signatures[i].offset, signatures[i].bytes, signatures[i].n_bytes) == 0)
      return signatures[i].sentence;
  if (is_safetensors (bytes, size))
    return "This is a safetensors file, not a GGUF model: download the model as GGUF or convert it.";
  if (is_onnx (bytes, size))
    return "This is an ONNX model, not a GGUF model: download the model as GGUF.";
  if (is_text (bytes, head))
    return explain_text (bytes, head);
  while (n_zeros < head && bytes[n_zeros] == 0)
    n_zeros++;
  if (head >= 4 && n_zeros == head)
    return "The file begins with zeros: its download has not finished; fetch it again.";
  return "The file is not a GGUF model: it does not begin with \"GGUF\".";
}

/* How browsers and downloaders call what they have not finished. */
static bool is_unfinished (const char *path)
{
  static const char *const suffixes[]
      = { ".part", ".partial", ".crdownload", ".download", ".incomplete", ".aria2", ".tmp" };
  size_t length = strlen (path);
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
    if (length > strlen (suffixes[i]) && strcasecmp (path + length - strlen (suffixes[i]), suffixes[i]) == 0)
      return true;
  return false;
}

/* ---- mapping --------------------------------------------------------------------------------------------- */

static int map_file (int fd, const char *path, void **bytes, size_t *size, struct engine_error *error)
{
  struct stat info;
  if (fstat (fd, &info) != 0 || !S_ISREG (info.st_mode))
    return engine_error_set (error, ENGINE_ERROR_IO, "Cannot read \"%s\": it is not a regular file.", path);
  if (info.st_size == 0)
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "\"%s\" is not a GGUF model: it is empty; download the file again.", path);
  if ((uint64_t)info.st_size > SIZE_MAX / 2)
    return engine_error_set (error, ENGINE_ERROR_FORMAT,
                             "\"%s\" is not a GGUF model: it is too large for this machine.", path);
  *size = (size_t)info.st_size;
  *bytes = mmap (NULL, *size, PROT_READ, MAP_SHARED, fd, 0);
  if (*bytes == MAP_FAILED)
    return engine_error_set (error, ENGINE_ERROR_IO, "Cannot map \"%s\": %s.", path, strerror (errno));
  return ENGINE_OK;
}

int gguf_open_file (const char *path, struct gguf **gguf, struct engine_error *error)
{
  void *bytes = NULL;
  size_t size = 0;
  const int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not block the caller */
  if (fd < 0)
    return engine_error_set (error, ENGINE_ERROR_IO, "Cannot open \"%s\": %s.", path, strerror (errno));
  int status = map_file (fd, path, &bytes, &size, error);
  close (fd);
  if (status != ENGINE_OK)
    return status;
  status = gguf_parse (bytes, size, true, gguf, error);
  if (status == ENGINE_ERROR_FORMAT && is_unfinished (path))
    return engine_error_set (error, status,
                             "\"%s\" is a download that has not finished: wait for it or start it again.", path);
  return status;
}

int gguf_open (const char *path, struct gguf **gguf, struct engine_error *error)
{
  struct gguf *opened;
  int status = gguf_open_file (path, &opened, error);
  if (status == ENGINE_OK)
    status = gguf_join_parts (path, &opened, error);
  if (status == ENGINE_OK)
    *gguf = opened;
  return status;
}
