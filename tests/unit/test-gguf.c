/* test-gguf.c: files of our own writer read back, and one deliberate damage for each check that the reader makes.
 * `--corpus FOLDER` writes all of these files there, as seeds for tests/fuzz/fuzz-gguf.c. */
#include "tests/unit/gguf-writer.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf (stderr, "%s:%d: not true: %s (%s; %s)\n", __FILE__, __LINE__, #condition, context, error.message);      \
      exit (1);                                                                                                        \
    }                                                                                                                  \
  } while (0)

static const char *context = "";
static struct engine_error error;
static const char *corpus; /* folder, or NULL */

/* Exactly as long as the file, so that AddressSanitizer sees a read beyond it. */
static int open_copy (const struct bytes *file, size_t size, void **copy, struct gguf **gguf)
{
  *copy = malloc (size ? size : 1);
  CHECK (*copy != NULL);
  if (size > 0)
    memcpy (*copy, file->data, size);
  error = (struct engine_error){ 0 };
  *gguf = NULL;
  return gguf_open_memory (*copy, size, gguf, &error);
}

static void save_seed (const char *name, const struct bytes *file)
{
  char path[1024];
  if (!corpus)
    return;
  snprintf (path, sizeof path, "%s/%s", corpus, name);
  FILE *out = fopen (path, "wb");
  CHECK (out && fwrite (file->data, 1, file->n, out) == file->n && fclose (out) == 0);
}

/* ---- good files ------------------------------------------------------------------------------------------ */

static void write_metadata (struct gguf_writer *writer)
{
  static const char *const strings[] = { "", "one", "\xff two", "three" };
  static const int32_t integers[] = { 0, -1, INT32_MAX, INT32_MIN };
  static const float floats[] = { 0.5f, -3 };
  gguf_writer_add_string (writer, "general.architecture", "llama");
  gguf_writer_add_scalar (writer, "u8", GGUF_U8, 200);
  gguf_writer_add_scalar (writer, "i8", GGUF_I8, 0x80);
  gguf_writer_add_scalar (writer, "u16", GGUF_U16, 60000);
  gguf_writer_add_scalar (writer, "i16", GGUF_I16, 12345);
  gguf_writer_add_u32 (writer, "u32", 4000000000u);
  gguf_writer_add_scalar (writer, "i32", GGUF_I32, 77);
  gguf_writer_add_scalar (writer, "u64", GGUF_U64, UINT64_MAX);
  gguf_writer_add_scalar (writer, "i64", GGUF_I64, 5000000000u);
  gguf_writer_add_f32 (writer, "f32", 1.5f);
  gguf_writer_add_scalar (writer, "f64", GGUF_F64, 0x3ff8000000000000u);
  gguf_writer_add_scalar (writer, "f64.huge", GGUF_F64, 0x7fe0000000000000u);
  gguf_writer_add_bool (writer, "yes", true);
  gguf_writer_add_strings (writer, "strings", strings, 4);
  gguf_writer_add_array (writer, "integers", GGUF_I32, integers, 4, sizeof integers);
  gguf_writer_add_array (writer, "floats", GGUF_F32, floats, 2, sizeof floats);
  gguf_writer_add_array (writer, "bools", GGUF_BOOL, "\1\0\1", 3, 3);
  gguf_writer_add_array (writer, "bytes", GGUF_U8, "\1\0\377", 3, 3);
  gguf_writer_add_array (writer, "wide", GGUF_U64, "\0\0\0\0\1\0\0\0", 1, 8);
  gguf_writer_add_array (writer, "nothing", GGUF_STRING, NULL, 0, 0);
}

static bool equal (struct gguf_string string, const char *text)
{
  return string.length == strlen (text) && memcmp (string.bytes, text, string.length) == 0;
}

static void check_scalars (const struct gguf *gguf)
{
  uint64_t u64 = 1;
  uint32_t u32 = 1;
  float f32 = 0;
  bool boolean = false;
  struct gguf_string string;
  CHECK (gguf_get_string (gguf, "general.architecture", &string) && equal (string, "llama"));
  CHECK (gguf_get_u64 (gguf, "u8", &u64) && u64 == 200);
  CHECK (gguf_get_u64 (gguf, "u16", &u64) && u64 == 60000);
  CHECK (gguf_get_u32 (gguf, "i16", &u32) && u32 == 12345);
  CHECK (gguf_get_u32 (gguf, "u32", &u32) && u32 == 4000000000u);
  CHECK (gguf_get_u32 (gguf, "i32", &u32) && u32 == 77);
  CHECK (gguf_get_u64 (gguf, "u64", &u64) && u64 == UINT64_MAX);
  CHECK (gguf_get_u64 (gguf, "i64", &u64) && u64 == 5000000000u);
  CHECK (gguf_get_f32 (gguf, "f32", &f32) && f32 == 1.5f);
  CHECK (gguf_get_f32 (gguf, "f64", &f32) && f32 == 1.5f);
  CHECK (gguf_get_bool (gguf, "yes", &boolean) && boolean);
  /* What does not fit or is of another kind leaves the value alone. */
  u64 = 1, u32 = 2, f32 = 3;
  CHECK (!gguf_get_u64 (gguf, "i8", &u64) && !gguf_get_u64 (gguf, "f32", &u64) && !gguf_get_u64 (gguf, "yes", &u64));
  CHECK (!gguf_get_u64 (gguf, "absent", &u64) && !gguf_get_u64 (gguf, "integers", &u64) && u64 == 1);
  CHECK (!gguf_get_u32 (gguf, "i64", &u32) && !gguf_get_u32 (gguf, "u64", &u32) && u32 == 2);
  CHECK (!gguf_get_f32 (gguf, "u8", &f32) && !gguf_get_f32 (gguf, "f64.huge", &f32) && f32 == 3);
  CHECK (!gguf_get_bool (gguf, "u8", &boolean) && !gguf_get_string (gguf, "u8", &string));
  CHECK (!gguf_get_string (gguf, "strings", &string));
}

static void check_arrays (const struct gguf *gguf)
{
  enum gguf_kind kind;
  uint64_t n;
  struct gguf_string strings[4];
  int32_t integers[4];
  float floats[2];
  CHECK (gguf_get_array (gguf, "strings", &kind, &n) && kind == GGUF_STRING && n == 4);
  CHECK (gguf_array_copy_strings (gguf, "strings", strings, 4));
  CHECK (equal (strings[0], "") && equal (strings[1], "one") && equal (strings[2], "\xff two"));
  CHECK (gguf_array_get_string (gguf, "strings", 3, &strings[0]) && equal (strings[0], "three"));
  CHECK (!gguf_array_get_string (gguf, "strings", 4, strings) && !gguf_array_get_string (gguf, "integers", 0, strings));
  CHECK (!gguf_array_copy_strings (gguf, "strings", strings, 3));
  CHECK (gguf_array_copy_i32 (gguf, "integers", integers, 4));
  CHECK (integers[0] == 0 && integers[1] == -1 && integers[2] == INT32_MAX && integers[3] == INT32_MIN);
  CHECK (gguf_array_copy_i32 (gguf, "bools", integers, 3) && integers[0] == 1 && integers[1] == 0 && integers[2] == 1);
  CHECK (gguf_array_copy_i32 (gguf, "bytes", integers, 3) && integers[2] == 255);
  CHECK (!gguf_array_copy_i32 (gguf, "wide", integers, 1) && !gguf_array_copy_i32 (gguf, "floats", integers, 2));
  CHECK (!gguf_array_copy_i32 (gguf, "strings", integers, 4) && !gguf_array_copy_i32 (gguf, "integers", integers, 3));
  CHECK (gguf_array_copy_f32 (gguf, "floats", floats, 2) && floats[0] == 0.5f && floats[1] == -3);
  CHECK (!gguf_array_copy_f32 (gguf, "bools", floats, 3) && !gguf_array_copy_f32 (gguf, "absent", floats, 2));
  CHECK (gguf_get_array (gguf, "nothing", &kind, &n) && kind == GGUF_STRING && n == 0);
  CHECK (gguf_array_copy_strings (gguf, "nothing", NULL, 0) && !gguf_get_array (gguf, "u8", &kind, &n));
}

static void check_metadata (uint32_t version)
{
  struct gguf_writer writer = { .version = version };
  struct gguf *gguf;
  void *copy;
  context = "metadata";
  write_metadata (&writer);
  struct bytes file = gguf_writer_finish (&writer);
  save_seed ("metadata", &file);
  CHECK (open_copy (&file, file.n, &copy, &gguf) == ENGINE_OK);
  CHECK (gguf_get_version (gguf) == version && gguf_get_file_bytes (gguf) == file.n && gguf_get_n_tensors (gguf) == 0);
  CHECK (gguf_get_tensor (gguf, 0) == NULL && gguf_find_tensor (gguf, "x") == NULL);
  check_scalars (gguf);
  check_arrays (gguf);
  gguf_close (gguf);
  free (copy);
  /* Cut short anywhere, it is damaged. */
  for (size_t size = 0; size < file.n; size++) {
    CHECK (open_copy (&file, size, &copy, &gguf) == ENGINE_ERROR_FORMAT && gguf == NULL);
    CHECK (error.status == ENGINE_ERROR_FORMAT && error.message[0] != '\0');
    free (copy);
  }
  bytes_clear (&file);
  gguf_writer_clear (&writer);
}

/* One tensor of each type in the table, and the same through a file on disk. */
static void check_tensors (void)
{
  struct gguf_writer writer = { .alignment = 64 };
  struct gguf *gguf;
  void *copy;
  char path[] = "/tmp/test-gguf-XXXXXX";
  context = "tensors";
  gguf_writer_add_u32 (&writer, "general.alignment", 64);
  for (uint32_t type = 0; type < TENSOR_N_TYPES; type++) {
    const struct tensor_type_info *info = tensor_type_get_info (type);
    if (info)
      gguf_writer_add_tensor (&writer, info->name, type, 2, (uint64_t[]){ info->block_items, 3 }, NULL, 0);
  }
  gguf_writer_add_tensor (&writer, "scalar", TENSOR_F32, 0, NULL, "\0\0\200\77", 4);
  gguf_writer_add_tensor (&writer, "unknown", 4, 4, (uint64_t[]){ 5, 4, 3, 2 }, NULL, 0);
  struct bytes file = gguf_writer_finish (&writer);
  save_seed ("tensors", &file);
  for (int on_disk = 0; on_disk < 2; on_disk++) {
    uint64_t n = 0;
    if (on_disk) {
      const int fd = mkstemp (path);
      CHECK (fd >= 0 && close (fd) == 0 && gguf_writer_save (&writer, path));
      CHECK (gguf_open (path, &gguf, &error) == ENGINE_OK);
    } else {
      CHECK (open_copy (&file, file.n, &copy, &gguf) == ENGINE_OK);
    }
    for (uint32_t type = 0; type < TENSOR_N_TYPES; type++) {
      const struct tensor_type_info *info = tensor_type_get_info (type);
      if (!info)
        continue;
      const struct gguf_tensor *tensor = gguf_find_tensor (gguf, info->name);
      CHECK (tensor && tensor == gguf_get_tensor (gguf, n++) && (uint32_t)tensor->type == type && tensor->n_dims == 2);
      CHECK (tensor->ne[0] == info->block_items && tensor->ne[1] == 3 && tensor->ne[2] == 1 && tensor->ne[3] == 1);
      CHECK (tensor->nbytes == 3 * (uint64_t)info->block_bytes && equal (tensor->name, info->name));
    }
    const struct gguf_tensor *scalar = gguf_find_tensor (gguf, "scalar"), *unknown = gguf_find_tensor (gguf, "unknown");
    float one;
    CHECK (scalar && scalar->nbytes == 4 && scalar->n_dims == 0);
    memcpy (&one, scalar->data, 4);
    CHECK (one == 1);
    CHECK (unknown && unknown->nbytes == 0 && unknown->ne[3] == 2 && unknown->type == 4);
    CHECK (!gguf_find_tensor (gguf, "") && !gguf_find_tensor (gguf, "F3") && !gguf_find_tensor (gguf, "F322"));
    gguf_close (gguf);
  }
  unlink (path);
  free (copy);
  for (size_t size = 0; size < file.n; size++) {
    CHECK (open_copy (&file, size, &copy, &gguf) == ENGINE_ERROR_FORMAT && gguf == NULL && error.message[0] != '\0');
    free (copy);
  }
  bytes_clear (&file);
  gguf_writer_clear (&writer);
}

/* A vocabulary's worth of strings and a large model's worth of tensors, found one by one. */
static void check_many (void)
{
  enum { MANY = 2000 };
  struct gguf_writer writer = { 0 };
  struct gguf *gguf;
  void *copy;
  char name[32];
  context = "many";
  gguf_writer_add_array (&writer, "strings", GGUF_STRING, NULL, MANY, 0);
  for (int i = 0; i < MANY; i++) {
    snprintf (name, sizeof name, "string %d", i);
    bytes_append_string (&writer.metadata, name);
  }
  for (int i = 0; i < MANY; i++) {
    const float value = (float)i;
    snprintf (name, sizeof name, "tensor %d", i);
    gguf_writer_add_tensor (&writer, name, TENSOR_F32, 1, (uint64_t[]){ 1 }, &value, 4);
  }
  struct bytes file = gguf_writer_finish (&writer);
  CHECK (open_copy (&file, file.n, &copy, &gguf) == ENGINE_OK);
  for (int i = 0; i < MANY; i++) {
    struct gguf_string string;
    float value;
    snprintf (name, sizeof name, "tensor %d", i);
    const struct gguf_tensor *tensor = gguf_find_tensor (gguf, name);
    CHECK (tensor && tensor->nbytes == 4);
    memcpy (&value, tensor->data, 4);
    CHECK (value == (float)i);
    snprintf (name, sizeof name, "string %d", i);
    CHECK (gguf_array_get_string (gguf, "strings", (uint64_t)i, &string) && equal (string, name));
  }
  gguf_close (gguf);
  free (copy);
  bytes_clear (&file);
  gguf_writer_clear (&writer);
}

/* ---- damage ---------------------------------------------------------------------------------------------- */

/* Opens what the writer holds; expects that status and a word of the message. Clears the writer. */
static void expect (struct gguf_writer *writer, const char *what, int status, const char *word)
{
  struct bytes file = gguf_writer_finish (writer);
  struct gguf *gguf;
  void *copy;
  context = what;
  save_seed (what, &file);
  const int got = open_copy (&file, file.n, &copy, &gguf);
  CHECK (got == status && error.status == status);
  CHECK (strstr (error.message, word) != NULL);
  CHECK (error.message[strlen (error.message) - 1] == '.');
  free (copy);
  bytes_clear (&file);
  gguf_writer_clear (writer);
}

static void check_damaged_header (void)
{
  struct gguf_writer writer = { .version = 1 };
  expect (&writer, "version-1", ENGINE_ERROR_UNSUPPORTED, "version 1");
  writer.version = 4;
  expect (&writer, "version-4", ENGINE_ERROR_UNSUPPORTED, "version 4");
  writer.version = 3u << 24;
  expect (&writer, "big-endian", ENGINE_ERROR_UNSUPPORTED, "big-endian");
  writer.n_entries = UINT64_MAX;
  expect (&writer, "entries-too-many", ENGINE_ERROR_FORMAT, "more than its size");
  writer.n_tensors = UINT64_MAX / 24;
  expect (&writer, "tensors-too-many", ENGINE_ERROR_FORMAT, "more than its size");
  struct gguf *gguf = NULL;
  context = "not gguf";
  CHECK (gguf_open_memory ("GGML\1...", 8, &gguf, &error) == ENGINE_ERROR_FORMAT
         && strstr (error.message, "not a GGUF"));
  CHECK (gguf_open_memory ("", 0, &gguf, NULL) == ENGINE_ERROR_FORMAT && !gguf);
  CHECK (gguf_open ("/nonexistent/model.gguf", &gguf, &error) == ENGINE_ERROR_IO && !gguf);
  CHECK (gguf_open ("/", &gguf, &error) == ENGINE_ERROR_IO
         && gguf_open ("/dev/null", &gguf, &error) == ENGINE_ERROR_IO);
}

/* The longest name that is allowed, and one byte more. */
static void check_long_names (void)
{
  enum { MOST = 65535 };
  struct gguf_writer writer = { 0 };
  struct gguf *gguf;
  void *copy;
  static char name[MOST + 2];
  memset (name, 'a', MOST + 1);
  gguf_writer_add_u32 (&writer, name, 1);
  const char *const saved = corpus;
  corpus = NULL; /* too large for a seed */
  expect (&writer, "key-long", ENGINE_ERROR_FORMAT, "The name of metadata key 0 is longer than 65535 bytes");
  gguf_writer_add_tensor (&writer, name, TENSOR_F32, 1, (uint64_t[]){ 4 }, NULL, 0);
  expect (&writer, "tensor-name-long", ENGINE_ERROR_FORMAT, "The name of tensor 0 is longer than 65535 bytes");
  corpus = saved;
  name[MOST] = '\0';
  gguf_writer_add_u32 (&writer, name, 1);
  struct bytes file = gguf_writer_finish (&writer);
  CHECK (open_copy (&file, file.n, &copy, &gguf) == ENGINE_OK && gguf_has_key (gguf, name));
  gguf_close (gguf);
  free (copy);
  bytes_clear (&file);
  gguf_writer_clear (&writer);
}

static void check_damaged_metadata (void)
{
  struct gguf_writer writer = { 0 };
  gguf_writer_add_u32 (&writer, "", 1);
  expect (&writer, "key-empty", ENGINE_ERROR_FORMAT, "The name of metadata key 0 is empty");
  gguf_writer_add_u32 (&writer, "aXb", 1);
  writer.metadata.data[9] = '\0';
  expect (&writer, "key-zero", ENGINE_ERROR_FORMAT, "The name of metadata key 0 holds a zero byte");
  gguf_writer_add_string (&writer, "a", "text");
  writer.metadata.data[13] = 5;
  expect (&writer, "value-length", ENGINE_ERROR_FORMAT, "\"a\" of the GGUF file is damaged: the file ends inside it");
  gguf_writer_add_u32 (&writer, "a", 1);
  writer.metadata.n -= 1;
  expect (&writer, "value-short", ENGINE_ERROR_FORMAT, "\"a\" of the GGUF file is damaged: the file ends inside it");
  gguf_writer_add_array (&writer, "a", GGUF_U32, "\1\0\0\0\2\0\0", 2, 7);
  expect (&writer, "array-short", ENGINE_ERROR_FORMAT, "more items than the file can hold");
  gguf_writer_add_string (&writer, "general.alignment", "32");
  expect (&writer, "alignment-text", ENGINE_ERROR_FORMAT, "it is no positive number");
  gguf_writer_add_scalar (&writer, "general.alignment", GGUF_I32, UINT32_MAX);
  expect (&writer, "alignment-negative", ENGINE_ERROR_FORMAT, "it is no positive number");
  gguf_writer_add_u32 (&writer, "a", 1);
  gguf_writer_add_u32 (&writer, "a", 2);
  expect (&writer, "key-twice", ENGINE_ERROR_FORMAT, "\"a\" twice");
  writer.n_entries = 1;
  bytes_append_le (&writer.metadata, UINT64_MAX - 7, 8);
  bytes_append (&writer.metadata, "aaaaaaaaaaaaaaaa", 16);
  expect (&writer, "key-length", ENGINE_ERROR_FORMAT, "ends inside");
  gguf_writer_add_u32 (&writer, "a", 1);
  writer.metadata.data[9] = GGUF_N_KINDS;
  expect (&writer, "kind-unknown", ENGINE_ERROR_FORMAT, "unknown kind");
  gguf_writer_add_scalar (&writer, "a", GGUF_BOOL, 2);
  expect (&writer, "bool-2", ENGINE_ERROR_FORMAT, "neither 0 nor 1");
  gguf_writer_add_array (&writer, "a", GGUF_BOOL, "\0\2", 2, 2);
  expect (&writer, "bools-2", ENGINE_ERROR_FORMAT, "neither 0 nor 1");
  gguf_writer_add_array (&writer, "a", GGUF_ARRAY, "\0\0\0\0\0\0\0\0\0\0\0\0", 1, 12);
  expect (&writer, "array-nested", ENGINE_ERROR_UNSUPPORTED, "array of arrays");
  gguf_writer_add_array (&writer, "a", (enum gguf_kind)99, NULL, 1, 16);
  expect (&writer, "array-kind", ENGINE_ERROR_FORMAT, "unknown kind");
  gguf_writer_add_array (&writer, "a", GGUF_U64, NULL, UINT64_MAX / 8 + 2, 16);
  expect (&writer, "array-overflow", ENGINE_ERROR_FORMAT, "more items");
  gguf_writer_add_array (&writer, "a", GGUF_STRING, NULL, UINT64_MAX, 16);
  expect (&writer, "strings-too-many", ENGINE_ERROR_FORMAT, "more strings");
  gguf_writer_add_array (&writer, "a", GGUF_STRING, "\1\0\0\0\0\0\0\0x\377\377\377\377\377\377\377\377", 2, 17);
  expect (&writer, "strings-length", ENGINE_ERROR_FORMAT, "beyond the end");
  static const uint64_t alignments[] = { 0, 1, 4, 24, 33, (uint64_t)1 << 40 };
  for (size_t i = 0; i < sizeof alignments / sizeof alignments[0]; i++) {
    gguf_writer_add_scalar (&writer, "general.alignment", GGUF_U64, alignments[i]);
    expect (&writer, "alignment", ENGINE_ERROR_FORMAT, "alignment");
  }
}

static void check_damaged_tensors (void)
{
  struct gguf_writer writer = { 0 };
  const uint64_t four[] = { 4, 1, 1, 1 };
  gguf_writer_add_tensor (&writer, "", TENSOR_F32, 1, four, NULL, 0);
  expect (&writer, "tensor-name-empty", ENGINE_ERROR_FORMAT, "The name of tensor 0 is empty");
  gguf_writer_add_tensor (&writer, "xXy", TENSOR_F32, 1, four, NULL, 0);
  writer.tensors.data[9] = '\0';
  expect (&writer, "tensor-name-zero", ENGINE_ERROR_FORMAT, "The name of tensor 0 holds a zero byte");
  gguf_writer_add_tensor (&writer, "x", TENSOR_F32, 1, (uint64_t[]){ UINT64_MAX }, NULL, 4);
  expect (&writer, "dimension-negative", ENGINE_ERROR_FORMAT, "impossible dimensions");
  gguf_writer_add_tensor (&writer, "x", TENSOR_F32, 1, four, NULL, 0);
  gguf_writer_add_tensor (&writer, "x", TENSOR_F32, 1, four, NULL, 0);
  expect (&writer, "tensor-twice", ENGINE_ERROR_FORMAT, "\"x\" twice");
  gguf_writer_add_tensor (&writer, "x", TENSOR_F32, 5, (uint64_t[]){ 1, 1, 1, 1, 1 }, NULL, 4);
  expect (&writer, "dimensions-5", ENGINE_ERROR_FORMAT, "5 dimensions");
  gguf_writer_add_tensor (&writer, "x", TENSOR_F32, 1, (uint64_t[]){ 0 }, NULL, 4);
  expect (&writer, "dimension-0", ENGINE_ERROR_FORMAT, "impossible dimensions");
  gguf_writer_add_tensor (&writer, "x", TENSOR_F32, 4, (uint64_t[]){ 1 << 16, 1 << 16, 1 << 16, 1 << 16 }, NULL, 4);
  expect (&writer, "dimensions-overflow", ENGINE_ERROR_FORMAT, "impossible dimensions");
  gguf_writer_add_tensor (&writer, "x", TENSOR_F64, 2, (uint64_t[]){ (uint64_t)1 << 61, 2 }, NULL, 4);
  expect (&writer, "bytes-overflow", ENGINE_ERROR_FORMAT, "impossible dimensions");
  gguf_writer_add_tensor (&writer, "x", TENSOR_Q4_K, 2, (uint64_t[]){ 128, 2 }, NULL, 144);
  expect (&writer, "row-no-multiple", ENGINE_ERROR_FORMAT, "impossible dimensions");
  gguf_writer_add_tensor (&writer, "x", TENSOR_F32, 1, four, NULL, 15);
  expect (&writer, "data-short", ENGINE_ERROR_FORMAT, "beyond the end");
  gguf_writer_add_tensor_at (&writer, "x", TENSOR_F32, 1, four, UINT64_MAX - 31);
  expect (&writer, "offset-overflow", ENGINE_ERROR_FORMAT, "beyond the end");
  gguf_writer_add_tensor_at (&writer, "x", 4, 1, four, 64);
  expect (&writer, "offset-unknown-type", ENGINE_ERROR_FORMAT, "beyond the end");
  gguf_writer_add_tensor_at (&writer, "x", TENSOR_F32, 1, four, 8);
  bytes_append (&writer.data, NULL, 64);
  expect (&writer, "offset-not-aligned", ENGINE_ERROR_FORMAT, "not aligned");
  gguf_writer_add_tensor (&writer, "x", TENSOR_F32, 1, (uint64_t[]){ 16 }, NULL, 0);
  gguf_writer_add_tensor_at (&writer, "y", TENSOR_F32, 1, four, 32);
  expect (&writer, "overlap", ENGINE_ERROR_FORMAT, "overlap");
  gguf_writer_add_tensor_at (&writer, "x", TENSOR_F32, 1, four, 0);
  gguf_writer_add_tensor_at (&writer, "y", TENSOR_F32, 1, four, 0);
  bytes_append (&writer.data, NULL, 64);
  expect (&writer, "overlap-same", ENGINE_ERROR_FORMAT, "overlap");
  writer.n_tensors = 1;
  bytes_append_le (&writer.tensors, UINT64_MAX, 8);
  bytes_append (&writer.tensors, NULL, 24);
  expect (&writer, "tensor-name-length", ENGINE_ERROR_FORMAT, "ends inside");
}

/* ---- the table of types ---------------------------------------------------------------------------------- */

static void check_types (void)
{
  static const struct {
    enum tensor_type type;
    const char *bytes; /* one block, zero-filled at its end */
    size_t n_bytes;
    float first, last; /* of its weights */
  } rows[] = {
    { TENSOR_F32, "\0\0\300\77", 4, 1.5f, 1.5f },
    { TENSOR_F16, "\0\76", 2, 1.5f, 1.5f },
    { TENSOR_BF16, "\300\77", 2, 1.5f, 1.5f },
    { TENSOR_Q8_0, "\0\74\200\5", 4, -128, 0 },
    { TENSOR_Q4_0, "\0\74\17", 3, 7, -8 },
    { TENSOR_Q4_1, "\0\74\0\74\17", 5, 16, 1 },
    { TENSOR_Q5_0, "\0\74\1\0\0\200\17", 7, 15, 0 },
    { TENSOR_Q5_1, "\0\74\0\74\1\0\0\200\17", 9, 32, 17 },
    /* scale 3, minimum 2 of the first group, scale 0 and minimum 17 of the last */
    { TENSOR_Q4_K, "\0\74\0\74\3\0\0\0\2\0\0\100\0\0\0\20\17", 17, 3 * 15 - 2, -17 },
    { TENSOR_Q5_K, "\0\74\0\74\3\0\0\0\2\0\0\100\0\0\0\20\1", 17, 3 * 16 - 2, -17 },
  };
  float out[256];
  context = "types";
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const struct tensor_type_info *info = tensor_type_get_info (rows[i].type);
    uint8_t block[256] = { 0 };
    CHECK (info && info->runs && rows[i].n_bytes <= info->block_bytes);
    memcpy (block, rows[i].bytes, rows[i].n_bytes);
    context = info->name;
    tensor_type_to_f32 (rows[i].type, block, out, info->block_items);
    CHECK (out[0] == rows[i].first && out[info->block_items - 1] == rows[i].last);
  }
  uint8_t q6[210] = { [0] = 0x0f, [128] = 3, [192] = 0xfe, [207] = 1, [209] = 0x3c };
  tensor_type_to_f32 (TENSOR_Q6_K, q6, out, 256);
  context = "Q6_K";
  CHECK (out[0] == -2 * 31 && out[255] == -32 && out[16] == 0);
  static const uint32_t holes[] = { 4, 5, 31, 32, 33, 36, 37, 38, 40, UINT32_MAX };
  for (size_t i = 0; i < sizeof holes / sizeof holes[0]; i++)
    CHECK (tensor_type_get_info (holes[i]) == NULL);
  CHECK (tensor_type_row_bytes (TENSOR_Q4_K, 512) == 288 && tensor_type_row_bytes (TENSOR_Q4_K, 100) == 0);
  CHECK (tensor_type_row_bytes (TENSOR_F64, UINT64_MAX) == 0 && tensor_type_row_bytes ((enum tensor_type)4, 32) == 0);
}

int main (int argc, char **argv)
{
  if (argc > 2 && strcmp (argv[1], "--corpus") == 0)
    corpus = argv[2];
  check_types ();
  check_metadata (2);
  check_metadata (3);
  check_tensors ();
  check_many ();
  check_damaged_header ();
  check_long_names ();
  check_damaged_metadata ();
  check_damaged_tensors ();
  return 0;
}
