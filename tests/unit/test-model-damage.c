/* test-model-damage.c: whole models that are damaged: every byte, every length, every number that a shape is made of.
 * Whatever the damage, a file opens or is refused with a sentence, and what claims to run does. */
#include "engine/gguf/cursor.h"
#include "engine/model/model.h"
#include "tests/unit/gguf-writer.h"
#include "tests/unit/model-builder.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail (const char *what, size_t at, const char *message)
{
  fprintf (stderr, "%s, byte %zu: %s\n", what, at, message);
  exit (1);
}

static struct builder_options get_options (const char *arch, bool ranks)
{
  const bool encoder = strcmp (arch, "bert") == 0;
  return (struct builder_options){
    .arch = arch,
    .n_layers = 1,
    .n_embd = 8,
    .n_heads = 2,
    .n_kv_heads = encoder ? 2 : 1,
    .head_dim = 4,
    .n_ff = 8,
    .n_vocab = 70,
    .context_tokens = 16,
    .rope_base = 10000,
    .rope_factors = strcmp (arch, "llama") == 0,
    .vocabulary = true,
    .pooling = ranks ? 4 : 0,
    .n_labels = ranks ? 2 : 0,
    .template = ranks && !encoder ? "[CLS] {query} {document} [SEP]" : NULL,
    .seed = 9,
  };
}

/* The file's bytes; *header is where the weights begin. */
static struct bytes build (const char *arch, bool ranks, size_t *header)
{
  const struct builder_options options = get_options (arch, ranks);
  struct builder_model *built = builder_model_new (&options);
  struct bytes file = { 0 };
  struct gguf *gguf = NULL;
  uint8_t buffer[4096];
  FILE *in = fopen (built->path, "rb");
  for (size_t n; in && (n = fread (buffer, 1, sizeof buffer, in)) > 0;)
    bytes_append (&file, buffer, n);
  if (!in || fclose (in) != 0 || gguf_open_memory (file.data, file.n, &gguf, NULL) != ENGINE_OK)
    fail (arch, 0, "cannot be read back");
  *header = (size_t)((const uint8_t *)gguf_get_tensor (gguf, 0)->data - file.data);
  gguf_close (gguf);
  builder_model_free (built);
  return file;
}

/* A little of what the model is for. */
static void use (const struct engine_model *model)
{
  const struct engine_model_info *info = engine_model_get_info (model);
  const struct engine_session_options options = { .context_tokens = info->context_tokens < 4 ? 1 : 4, .n_threads = 1 };
  struct engine_session *session;
  struct engine_encoder *encoder;
  float vector[8];
  if (info->role == ENGINE_ROLE_GENERATOR && engine_session_new (model, &options, &session, NULL) == ENGINE_OK) {
    const int32_t ids[] = { 0, (int32_t)info->n_vocab - 1 };
    engine_session_set_tokens (session, ids, options.context_tokens < 2 ? 1 : 2, NULL, NULL);
    engine_session_free (session);
  }
  const struct engine_text text = { "a b", 3 };
  if (info->role != ENGINE_ROLE_GENERATOR && info->context_tokens <= 64 && info->n_embd == 8
      && engine_encoder_new (model, NULL, &encoder, NULL) == ENGINE_OK) {
    engine_encoder_embed (encoder, text.bytes, text.length, vector, NULL);
    engine_encoder_rerank (encoder, &text, &text, 1, vector, NULL);
    engine_encoder_free (encoder);
  }
}

/* Opens the first `size` bytes, copied so that AddressSanitizer sees a read beyond them. Returns the status and the
 * sentence: why it did not open, or does not run. */
static int open_bytes (const struct bytes *file, size_t size, const char *what, size_t at, struct engine_error *error)
{
  struct gguf *gguf;
  struct engine_model *model;
  uint8_t *copy = malloc (size + 1);
  *error = (struct engine_error){ 0 };
  if (!copy)
    fail (what, at, "no memory");
  memcpy (copy, file->data, size);
  uint8_t *exact = realloc (copy, size ? size : 1);
  int status = gguf_open_memory (exact, size, &gguf, error);
  if (status == ENGINE_OK)
    status = model_open_gguf (gguf, what, &model, error);
  if (status != ENGINE_OK && (error->status != status || error->message[0] == '\0'))
    fail (what, at, "refused without a sentence");
  if (status == ENGINE_OK) {
    const struct engine_model_info *info = engine_model_get_info (model);
    if (info->runs != (info->reason[0] == '\0'))
      fail (what, at, "does not say whether it runs");
    snprintf (error->message, sizeof error->message, "%s", info->reason);
    if (info->runs)
      use (model);
    engine_model_close (model);
  }
  free (exact);
  return status;
}

static void test_bytes (const char *arch, bool ranks)
{
  static const uint8_t masks[] = { 0x01, 0x80, 0xff };
  size_t header;
  struct bytes file = build (arch, ranks, &header);
  struct engine_error error;
  if (open_bytes (&file, file.n, arch, 0, &error) != ENGINE_OK || error.message[0])
    fail (arch, 0, error.message);
  for (size_t at = 0; at < file.n; at++)
    for (size_t i = 0; i < (at < header ? sizeof masks : 1); i++) {
      file.data[at] ^= masks[i];
      open_bytes (&file, file.n, arch, at, &error);
      file.data[at] ^= masks[i];
    }
  /* Every end inside the header and the first weights, then every 61st. */
  for (size_t size = 0; size < file.n; size += size < header + 64 ? 1 : 61)
    if (open_bytes (&file, size, arch, size, &error) != ENGINE_ERROR_FORMAT)
      fail (arch, size, "opens although it is cut short");
  bytes_clear (&file);
}

/* ---- numbers --------------------------------------------------------------------------------------------- */

#define NAN_BITS 0x7fc00000
#define INFINITY_BITS 0x7f800000
#define MINUS_ONE_BITS 0xbf800000

static void test_numbers (void)
{
  static const struct {
    const char *key;
    enum gguf_kind kind;
    uint32_t bits;
    const char *words;
  } rows[] = {
    { "llama.context_length", GGUF_U32, 0, "llama.context_length is missing or out of range" },
    { "llama.context_length", GGUF_U32, UINT32_MAX, "llama.context_length is missing or out of range" },
    { "llama.context_length", GGUF_I32, UINT32_MAX, "llama.context_length is no whole number" },
    { "llama.context_length", GGUF_F32, NAN_BITS, "llama.context_length is no whole number" },
    { "llama.block_count", GGUF_U32, 0, "llama.block_count is missing or out of range" },
    { "llama.block_count", GGUF_U32, UINT32_MAX, "llama.block_count is missing or out of range" },
    { "llama.block_count", GGUF_U32, 2, "blk.1.attn_norm.weight" },
    { "llama.block_count", GGUF_F32, MINUS_ONE_BITS, "llama.block_count is no whole number" },
    { "llama.embedding_length", GGUF_U32, 0, "llama.embedding_length is missing or out of range" },
    { "llama.embedding_length", GGUF_U32, UINT32_MAX, "llama.embedding_length is missing or out of range" },
    { "llama.embedding_length", GGUF_U32, 16, "token_embd.weight has the shape 8 x 70" },
    { "llama.feed_forward_length", GGUF_U32, 0, "llama.feed_forward_length is missing or out of range" },
    { "llama.feed_forward_length", GGUF_U32, 9, "ffn_gate.weight has the shape 8 x 8" },
    { "llama.attention.head_count", GGUF_U32, 0, "llama.attention.head_count is missing or out of range" },
    { "llama.attention.head_count", GGUF_U32, UINT32_MAX, "llama.attention.head_count is missing or out of range" },
    { "llama.attention.head_count", GGUF_U32, 4, "attn_q.weight has the shape 8 x 8" },
    { "llama.attention.head_count_kv", GGUF_U32, 0, "llama.attention.head_count_kv is missing or out of range" },
    { "llama.attention.head_count_kv", GGUF_U32, 3, "llama.attention.head_count_kv is missing or out of range" },
    { "llama.attention.head_count_kv", GGUF_U32, 2, "attn_k.weight has the shape 8 x 4" },
    { "llama.attention.head_count_kv", GGUF_F32, NAN_BITS, "llama.attention.head_count_kv is no whole number" },
    { "llama.attention.key_length", GGUF_U32, 0, "llama.attention.key_length is missing or out of range" },
    { "llama.attention.key_length", GGUF_U32, 8, "attention heads are 8 and 4 wide" },
    { "llama.attention.key_length", GGUF_F32, NAN_BITS, "llama.attention.key_length is no whole number" },
    { "llama.attention.value_length", GGUF_U32, UINT32_MAX, "attention heads are 4 and 4294967295 wide" },
    { "llama.attention.value_length", GGUF_I32, UINT32_MAX, "llama.attention.value_length is no whole number" },
    { "llama.attention.layer_norm_rms_epsilon", GGUF_F32, 0, "epsilon is missing or out of range" },
    { "llama.attention.layer_norm_rms_epsilon", GGUF_F32, MINUS_ONE_BITS, "epsilon is missing or out of range" },
    { "llama.attention.layer_norm_rms_epsilon", GGUF_F32, NAN_BITS, "epsilon is no finite fraction" },
    { "llama.attention.layer_norm_rms_epsilon", GGUF_U32, 1, "epsilon is no finite fraction" },
    { "llama.rope.freq_base", GGUF_F32, 0, "llama.rope.freq_base is missing or out of range" },
    { "llama.rope.freq_base", GGUF_F32, MINUS_ONE_BITS, "llama.rope.freq_base is missing or out of range" },
    { "llama.rope.freq_base", GGUF_F32, INFINITY_BITS, "llama.rope.freq_base is no finite fraction" },
    { "llama.rope.freq_base", GGUF_F32, NAN_BITS, "llama.rope.freq_base is no finite fraction" },
  };
  size_t header;
  struct bytes file = build ("llama", false, &header);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    /* The number of that key: the key's bytes, its kind and the value, of the same width here and there. */
    const size_t length = strlen (rows[i].key);
    struct engine_error error;
    size_t at = 0;
    while (at < header
           && (memcmp (file.data + at, rows[i].key, length) != 0 || load_le (file.data + at - 8, 8) != length))
      at++;
    if (at == header)
      fail (rows[i].key, 0, "is not in the file");
    uint8_t saved[8], *number = file.data + at + length;
    struct bytes patch = { 0 };
    bytes_append_le (&patch, rows[i].kind, 4);
    bytes_append_le (&patch, rows[i].bits, 4);
    memcpy (saved, number, 8);
    memcpy (number, patch.data, 8);
    open_bytes (&file, file.n, rows[i].key, at, &error);
    if (!strstr (error.message, rows[i].words))
      fail (rows[i].key, i, error.message);
    memcpy (number, saved, 8);
    bytes_clear (&patch);
  }
  bytes_clear (&file);
}

/* Every number of a type in the place of one matrix's. */
static void test_types (void)
{
  size_t header;
  struct bytes file = build ("qwen3", false, &header);
  static const char name[] = "blk.0.attn_q.weight";
  size_t at = 0;
  while (memcmp (file.data + at, name, sizeof name - 1) != 0)
    at++;
  uint8_t *type = file.data + at + sizeof name - 1 + 4 + 2 * 8;
  for (uint32_t i = 0; i < 64; i++) {
    const struct tensor_type_info *info = tensor_type_get_info (i);
    struct engine_error error;
    type[0] = (uint8_t)i;
    const int status = open_bytes (&file, file.n, name, i, &error);
    const bool runs = info && info->runs && info->block_items == 1;
    if (runs ? error.message[0] != '\0' : !strstr (error.message, name) && !strstr (error.message, "overlap"))
      fail (name, i, error.message);
    char words[40];
    snprintf (words, sizeof words, "is of the type %u, which", i);
    if (!info && (status != ENGINE_OK || !strstr (error.message, words)))
      fail (name, i, error.message);
  }
  bytes_clear (&file);
}

int main (void)
{
  static const struct {
    const char *arch;
    bool ranks;
  } models[] = { { "llama", false }, { "qwen2", false }, { "qwen3", false },
                 { "qwen3", true },  { "bert", false },  { "bert", true } };
  for (size_t i = 0; i < sizeof models / sizeof *models; i++)
    test_bytes (models[i].arch, models[i].ranks);
  test_numbers ();
  test_types ();
  return 0;
}
