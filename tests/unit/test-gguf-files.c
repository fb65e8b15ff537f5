/* test-gguf-files.c: files as they lie on disk: models in several parts, and what is no model at all.
 * `llama`: a model that llama.cpp's own tool splits instead (LLAMA_ROOT, run as root), skipped where that is absent. */
#include "engine/engine.h"
#include "tests/unit/gguf-writer.h"
#include "tests/unit/model-builder.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
static char folder[] = "/tmp/test-gguf-files-XXXXXX";

static const char *path_of (const char *name)
{
  static char path[512];
  snprintf (path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void save (const char *name, const void *bytes, size_t n)
{
  FILE *file = fopen (path_of (name), "wb");
  CHECK (file && fwrite (bytes, 1, n, file) == n && fclose (file) == 0);
}

/* ---- parts ----------------------------------------------------------------------------------------------- */

struct part {
  uint32_t index, count, promised; /* promised UINT32_MAX: the split keys are left out */
  const char *tensors[3];
};

/* Each tensor holds one number: the letter of its name. */
static void save_part (const char *name, const struct part *part)
{
  struct gguf_writer writer = { 0 };
  if (part->index == 0)
    gguf_writer_add_string (&writer, "general.name", "parts");
  if (part->promised != UINT32_MAX) {
    gguf_writer_add_scalar (&writer, "split.no", GGUF_U16, part->index);
    gguf_writer_add_scalar (&writer, "split.count", GGUF_U16, part->count);
    gguf_writer_add_scalar (&writer, "split.tensors.count", GGUF_I32, part->promised);
  }
  for (size_t i = 0; i < 3 && part->tensors[i]; i++) {
    const float value = (float)part->tensors[i][0];
    gguf_writer_add_tensor (&writer, part->tensors[i], TENSOR_F32, 1, (uint64_t[]){ 1 }, &value, 4);
  }
  CHECK (gguf_writer_save (&writer, path_of (name)));
  gguf_writer_clear (&writer);
}

static const struct part parts[] = {
  { 0, 3, 5, { "a", "b" } },
  { 1, 3, 5, { "c" } },
  { 2, 3, 5, { "d", "e" } },
};

static void save_parts (void)
{
  save_part ("m-00001-of-00003.gguf", &parts[0]);
  save_part ("m-00002-of-00003.gguf", &parts[1]);
  save_part ("m-00003-of-00003.gguf", &parts[2]);
}

static void test_parts (void)
{
  static const char *const names[] = { "m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf" };
  uint64_t n_bytes = 0;
  save_parts ();
  for (size_t i = 0; i < 3; i++) {
    struct stat info;
    CHECK (stat (path_of (names[i]), &info) == 0);
    n_bytes += (uint64_t)info.st_size;
  }
  for (size_t i = 0; i < 3; i++) {
    struct gguf *gguf;
    struct gguf_string name;
    context = names[i];
    CHECK (gguf_open (path_of (names[i]), &gguf, &error) == ENGINE_OK);
    CHECK (gguf_get_n_tensors (gguf) == 5 && gguf_get_file_bytes (gguf) == n_bytes);
    CHECK (gguf_get_string (gguf, "general.name", &name) && name.length == 5);
    for (uint64_t j = 0; j < 5; j++) {
      const char letter[] = { (char)('a' + j), '\0' };
      const struct gguf_tensor *tensor = gguf_get_tensor (gguf, j);
      float value;
      CHECK (tensor == gguf_find_tensor (gguf, letter) && tensor->nbytes == 4);
      memcpy (&value, tensor->data, 4);
      CHECK (value == (float)letter[0]);
    }
    gguf_close (gguf);
  }
}

/* One wrong file each in the place of `name`. */
static void test_wrong_parts (void)
{
  static const struct {
    const char *what, *name;
    struct part part;
    int status;
    const char *words;
  } rows[] = {
    { "missing",
      "m-00002-of-00003.gguf",
      { 0 },
      ENGINE_ERROR_IO,
      "Part 2 of 3 of the model, \"m-00002-of-00003.gguf\", is missing: put all parts in one folder." },
    { "not a part",
      "m-00002-of-00003.gguf",
      { 1, 3, UINT32_MAX, { "c" } },
      ENGINE_ERROR_FORMAT,
      "\"m-00002-of-00003.gguf\" is not part 2" },
    { "wrong number", "m-00002-of-00003.gguf", { 2, 3, 5, { "c" } }, ENGINE_ERROR_FORMAT, "part 3 of 3 of another" },
    { "wrong count",
      "m-00003-of-00003.gguf",
      { 2, 4, 5, { "d", "e" } },
      ENGINE_ERROR_FORMAT,
      "part 3 of 4 of another" },
    { "other model",
      "m-00003-of-00003.gguf",
      { 2, 3, 6, { "d", "e", "f" } },
      ENGINE_ERROR_FORMAT,
      "(6 tensors, not 5)" },
    { "too few tensors",
      "m-00003-of-00003.gguf",
      { 2, 3, 5, { "d" } },
      ENGINE_ERROR_FORMAT,
      "hold 4 tensors, but 5 are promised" },
    { "too many tensors",
      "m-00003-of-00003.gguf",
      { 2, 3, 5, { "d", "e", "f" } },
      ENGINE_ERROR_FORMAT,
      "hold 6 tensors, but 5 are promised" },
    { "twice", "m-00003-of-00003.gguf", { 2, 3, 5, { "d", "a" } }, ENGINE_ERROR_FORMAT, "hold the tensor \"a\"" },
    { "first beyond count", "m-00001-of-00003.gguf", { 3, 3, 5, { "a", "b" } }, ENGINE_ERROR_FORMAT, "part 4 of 3" },
    { "first of too many", "m-00001-of-00003.gguf", { 0, 1000, 5, { "a", "b" } }, ENGINE_ERROR_FORMAT, "up to 999" },
    { "first renamed",
      "m-00001-of-00003.gguf",
      { 0, 2, 5, { "a", "b" } },
      ENGINE_ERROR_FORMAT,
      "must end in \"-00001-of-00002.gguf\"" },
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct gguf *gguf = NULL;
    context = rows[i].what;
    save_parts ();
    if (rows[i].part.count)
      save_part (rows[i].name, &rows[i].part);
    else
      CHECK (unlink (path_of (rows[i].name)) == 0);
    CHECK (gguf_open (path_of ("m-00001-of-00003.gguf"), &gguf, &error) == rows[i].status && !gguf);
    CHECK (strstr (error.message, rows[i].words) && error.message[strlen (error.message) - 1] == '.');
  }
  context = "damaged part";
  struct gguf *gguf = NULL;
  save_parts ();
  CHECK (truncate (path_of ("m-00003-of-00003.gguf"), 160) == 0);
  CHECK (gguf_open (path_of ("m-00001-of-00003.gguf"), &gguf, &error) == ENGINE_ERROR_FORMAT && !gguf);
  CHECK (strstr (error.message, "The part \"m-00003-of-00003.gguf\" of the model cannot be read: The"));
  context = "symbolic links";
  save_parts ();
  CHECK (unlink (path_of ("m-00002-of-00003.gguf")) == 0);
  CHECK (symlink ("m-00002-of-00003.gguf", path_of ("m-00002-of-00003.gguf")) == 0);
  CHECK (gguf_open (path_of ("m-00001-of-00003.gguf"), &gguf, &error) == ENGINE_ERROR_IO && !gguf);
  CHECK (unlink (path_of ("m-00002-of-00003.gguf")) == 0);
  CHECK (symlink ("m-00001-of-00003.gguf", path_of ("m-00002-of-00003.gguf")) == 0);
  CHECK (gguf_open (path_of ("m-00001-of-00003.gguf"), &gguf, &error) == ENGINE_ERROR_FORMAT && !gguf);
  CHECK (strstr (error.message, "part 1 of 3 of another"));
  CHECK (unlink (path_of ("m-00002-of-00003.gguf")) == 0);
  context = "a part by itself";
  const struct part alone = { 0, 1, 1, { "a" } };
  save_part ("alone.gguf", &alone);
  CHECK (gguf_open (path_of ("alone.gguf"), &gguf, &error) == ENGINE_OK && gguf_get_n_tensors (gguf) == 1);
  gguf_close (gguf);
}

/* ---- other files ----------------------------------------------------------------------------------------- */

static void test_other_files (void)
{
#define ROW(name, bytes, words)                                                                                        \
  {                                                                                                                    \
    name, bytes, sizeof bytes - 1, words                                                                               \
  }
  static const struct {
    const char *name, *bytes;
    size_t n_bytes;
    const char *words;
  } rows[] = {
    ROW ("lfs.gguf", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 1234\n",
         "This is a Git LFS pointer, not the model itself: download the real file."),
    ROW ("ggml.bin", "lmgg\1\0\0\0", "old GGML format"),
    ROW ("ggmf.bin", "fmgg\1\0\0\0", "old GGML format"),
    ROW ("ggjt.bin", "tjgg\3\0\0\0", "old GGML format"),
    ROW ("ggla.bin", "algg\1\0\0\0", "adapter in an old GGML format"),
    ROW ("pytorch_model.bin", "PK\3\4\0\0\10\10\0\0", "PyTorch checkpoint"),
    ROW ("old.pt", "\200\2\212\12l\374\234F\371 j\250P\31.", "PyTorch checkpoint (a pickle)"),
    ROW ("model.tflite", "\34\0\0\0TFL3\24\0\40\0", "TensorFlow Lite"),
    ROW ("model.h5", "\211HDF\r\n\32\n\0\0", "HDF5"),
    ROW ("array.npy", "\223NUMPY\1\0v\0{", "NumPy"),
    ROW ("model.gguf.gz", "\37\213\10\0\0\0\0\0", "gzip archive: unpack"),
    ROW ("model.gguf.xz", "\3757zXZ\0\0\4", "xz archive: unpack"),
    ROW ("model.gguf.zst", "\50\265\57\375\4\130", "zstd archive: unpack"),
    ROW ("model.gguf.bz2", "BZh91AY&SY\1", "bzip2 archive: unpack"),
    ROW ("model.7z", "7z\274\257\47\34\0\4", "7z archive: unpack"),
    ROW ("model.llamafile", "MZqFpD='\n", "llamafile"),
    ROW ("program", "\177ELF\2\1\1\0", "a program"),
    ROW ("paper.gguf", "%PDF-1.7\n%\265\355", "PDF document"),
    ROW ("imatrix.dat", "\12\0\0\0\23\0\0\0blk.0.ffn_down", "importance matrix"),
    ROW ("model.safetensors", "\2\0\0\0\0\0\0\0{}  ", "safetensors"),
    ROW ("model2.safetensors", "\11\0\0\0\0\0\0\0{\"a\":\"b\"}\1\2", "safetensors"),
    ROW ("model.onnx", "\10\7\22\7pytorch\32\5", "ONNX"),
    ROW ("page.gguf", "\n<!DOCTYPE html>\n<html lang=en>", "web page"),
    ROW ("page2.gguf", "\357\273\277<HTML>", "web page"),
    ROW ("page3.gguf", "<?xml version=\"1.0\"?>", "web page"),
    ROW ("config.json", "{\"error\":\"Repository not found\"}", "JSON"),
    ROW ("error.gguf", "Entry not found", "a text, not a model"),
    ROW ("zeros.gguf", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "begins with zeros"),
    ROW ("empty.gguf", "", "it is empty"),
    ROW ("three.gguf", "GG\1", "not a GGUF model"),
    ROW ("noise.gguf", "\1\2\3\4\5\6\7\10\11", "not a GGUF model"),
    ROW ("begun.gguf.part", "GGUF\3\0\0\0", "begun.gguf.part\" is a download that has not finished"),
    ROW ("begun.gguf.CRDOWNLOAD", "\0\0\0\0", "a download that has not finished"),
    ROW ("begun.gguf.partial", "\0\0\0\0", "a download that has not finished"),
    ROW ("begun.gguf.download", "\0\0\0\0", "a download that has not finished"),
    ROW ("begun.gguf.incomplete", "\0\0\0\0", "a download that has not finished"),
    ROW ("begun.gguf.aria2", "\0\0\0\0", "a download that has not finished"),
    ROW ("begun.gguf.tmp", "\0\0\0\0", "a download that has not finished"),
    ROW ("begun.gguf", "GGUF\3\0\0\0", "ends inside its header"),
  };
#undef ROW
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct engine_model *model = NULL;
    context = rows[i].name;
    save (rows[i].name, rows[i].bytes, rows[i].n_bytes);
    CHECK (engine_model_open (path_of (rows[i].name), &model, &error) == ENGINE_ERROR_FORMAT && !model);
    CHECK (strstr (error.message, rows[i].words) && error.message[strlen (error.message) - 1] == '.');
    CHECK (unlink (path_of (rows[i].name)) == 0);
  }
  char tar[512] = "model.gguf";
  struct engine_model *model = NULL;
  context = "tar";
  memcpy (tar + 257, "ustar", 5);
  save ("model.tar", tar, sizeof tar);
  CHECK (engine_model_open (path_of ("model.tar"), &model, &error) == ENGINE_ERROR_FORMAT);
  CHECK (strstr (error.message, "tar archive: unpack"));
}

/* GGUF files that open, are described, and do not run. */
static void test_contents (void)
{
  static const struct {
    const char *type, *architecture, *tensor;
    bool vocabulary;
    const char *words;
  } rows[] = {
    { "adapter", "llama", "blk.0.attn_q.weight.lora_a", false, "an adapter (LoRA)" },
    { "mmproj", "clip", "v.blk.0.attn_q.weight", false, "a multimodal projector" },
    { NULL, "clip", "v.blk.0.attn_q.weight", false, "a multimodal projector" },
    { "imatrix", NULL, "blk.0.attn_q.weight.in_sum2", false, "an importance matrix" },
    { NULL, "controlvector", "direction.1", false, "a control vector" },
    { NULL, "llama", NULL, true, "only a vocabulary" },
    { NULL, "llama", NULL, false, "no network" },
    { "model", "rwkv7", "output_norm.weight", false, "The architecture \"rwkv7\" is not one" },
    { NULL, "t5encoder", "enc.output_norm.weight", false, "The architecture \"t5encoder\" is not one" },
    { NULL, NULL, "x", false, "does not name its architecture" },
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    static const char *const tokens[] = { "a", "b" };
    struct gguf_writer writer = { 0 };
    struct engine_model *model;
    context = rows[i].words;
    if (rows[i].type)
      gguf_writer_add_string (&writer, "general.type", rows[i].type);
    if (rows[i].architecture)
      gguf_writer_add_string (&writer, "general.architecture", rows[i].architecture);
    if (rows[i].vocabulary)
      gguf_writer_add_strings (&writer, "tokenizer.ggml.tokens", tokens, 2);
    if (rows[i].tensor)
      gguf_writer_add_tensor (&writer, rows[i].tensor, TENSOR_F32, 1, (uint64_t[]){ 4 }, NULL, 0);
    CHECK (gguf_writer_save (&writer, path_of ("contents.gguf")));
    gguf_writer_clear (&writer);
    CHECK (engine_model_open (path_of ("contents.gguf"), &model, &error) == ENGINE_OK);
    const struct engine_model_info *info = engine_model_get_info (model);
    snprintf (error.message, sizeof error.message, "%s", info->reason);
    CHECK (!info->runs && strstr (info->reason, rows[i].words) && info->reason[strlen (info->reason) - 1] == '.');
    CHECK (engine_model_get_session_bytes (model, 1024) == 0);
    engine_model_close (model);
  }
}

/* ---- llama.cpp's own parts ------------------------------------------------------------------------------- */

static void check_same_logits (const char *whole, const char *split)
{
  const char *const paths[] = { whole, split };
  static float logits[2][90];
  for (int i = 0; i < 2; i++) {
    struct engine_model *model;
    struct engine_session *session;
    struct engine_session_options options = { .n_threads = 1 };
    CHECK (engine_model_open (paths[i], &model, &error) == ENGINE_OK);
    CHECK (engine_model_get_info (model)->n_vocab == 90);
    CHECK (engine_session_new (model, &options, &session, &error) == ENGINE_OK);
    CHECK (engine_session_set_tokens (session, (int32_t[]){ 1, 7, 42 }, 3, NULL, &error) == ENGINE_OK);
    memcpy (logits[i], engine_session_get_logits (session), sizeof logits[i]);
    engine_session_free (session);
    engine_model_close (model);
  }
  CHECK (memcmp (logits[0], logits[1], sizeof logits[0]) == 0);
}

/* False if llama.cpp is not there. 10 tensors to a part, so three parts. */
static bool test_llama_split (const char *root)
{
  static const struct builder_options options = {
    .arch = "qwen2",
    .n_layers = 2,
    .n_embd = 32,
    .n_heads = 4,
    .n_kv_heads = 2,
    .head_dim = 8,
    .n_ff = 64,
    .n_vocab = 90,
    .context_tokens = 64,
    .rope_base = 10000,
    .seed = 5,
  };
  char tool[512], command[2048], whole[512], split[600];
  context = "llama-gguf-split";
  snprintf (tool, sizeof tool, "%s/usr/bin/llama-gguf-split", root);
  if (access (tool, X_OK) != 0 || geteuid () != 0)
    return false;
  struct builder_model *built = builder_model_new (&options);
  snprintf (whole, sizeof whole, "%s/tmp/lectern-test-%d", root, (int)getpid ());
  for (int no_tensors_first = 0; no_tensors_first < 2; no_tensors_first++) {
    snprintf (split, sizeof split, "%s-00001-of-0000%d.gguf", whole, 3 + no_tensors_first);
    snprintf (command, sizeof command,
              "cp '%s' '%s.gguf' && chroot '%s' llama-gguf-split --split --split-max-tensors 10 %s '%s.gguf' '%s' >&2",
              built->path, whole, root, no_tensors_first ? "--no-tensor-first-split" : "", whole + strlen (root),
              whole + strlen (root));
    CHECK (system (command) == 0);
    check_same_logits (built->path, split);
    snprintf (command, sizeof command, "rm -f '%s'*", whole);
    CHECK (system (command) == 0);
  }
  builder_model_free (built);
  return true;
}

int main (int argc, char **argv)
{
  const char *root = getenv ("LLAMA_ROOT");
  if (argc > 1 && strcmp (argv[1], "llama") == 0)
    return test_llama_split (root ? root : "/srv/peers") ? 0 : 77;
  CHECK (mkdtemp (folder));
  test_parts ();
  test_wrong_parts ();
  test_other_files ();
  test_contents ();
  const char *names[]
      = { "m-00001-of-00003.gguf", "m-00003-of-00003.gguf", "alone.gguf", "model.tar", "contents.gguf" };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    unlink (path_of (names[i]));
  CHECK (rmdir (folder) == 0);
  return 0;
}
