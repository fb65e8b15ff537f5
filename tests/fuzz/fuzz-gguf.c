/* fuzz-gguf.c: any bytes either open or fail with a sentence; what opens can be read to its last byte; what claims to
 * run reads a short text, evaluates three tokens or makes one vector. */
#include "engine/model/model.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static volatile uint8_t sink; /* keeps the reads */

static void touch (const void *bytes, uint64_t n)
{
  uint8_t sum = 0;
  for (uint64_t i = 0; i < n; i++)
    sum = (uint8_t)(sum + ((const uint8_t *)bytes)[i]);
  sink = sum;
}

static void read_key (const struct gguf *gguf, const char *key)
{
  uint64_t u64, n_items;
  uint32_t u32;
  float f32;
  bool boolean;
  struct gguf_string string;
  enum gguf_kind kind;
  gguf_get_u64 (gguf, key, &u64);
  gguf_get_u32 (gguf, key, &u32);
  gguf_get_f32 (gguf, key, &f32);
  gguf_get_bool (gguf, key, &boolean);
  if (gguf_get_string (gguf, key, &string))
    touch (string.bytes, string.length);
  if (!gguf_get_array (gguf, key, &kind, &n_items))
    return;
  /* An array of n items takes at least n bytes of the file, so this is bounded by the input. */
  struct gguf_string *strings = calloc ((size_t)n_items + 1, sizeof *strings);
  int32_t *integers = calloc ((size_t)n_items + 1, sizeof *integers);
  float *floats = calloc ((size_t)n_items + 1, sizeof *floats);
  if (strings && integers && floats) {
    const bool copied = gguf_array_copy_strings (gguf, key, strings, n_items);
    for (uint64_t i = 0; i < n_items && copied; i++) {
      if (!gguf_array_get_string (gguf, key, i, &string) || string.bytes != strings[i].bytes)
        abort ();
      touch (string.bytes, string.length);
    }
    gguf_array_copy_i32 (gguf, key, integers, n_items);
    gguf_array_copy_f32 (gguf, key, floats, n_items);
  }
  free (strings);
  free (integers);
  free (floats);
}

enum {
  MOST_CONTEXT_TOKENS = 64, /* of an encoder, whose buffers are for all of it */
  MOST_WEIGHTS = 1 << 20,   /* beyond, an evaluation costs too much time */
};

static void tokenize (const struct engine_model *model)
{
  static const char text[] = "Hello, w\xc3\xb6rld \xff 123 <|im_end|><s>";
  struct engine_tokens tokens = { 0 };
  char *back = NULL;
  uint32_t n_vocab = tokenizer_get_n_vocab (model->tokenizer);
  for (unsigned flags = 0; flags < 4; flags++)
    if (engine_tokenize (model, text, sizeof text - 1, flags, &tokens, NULL) != ENGINE_OK)
      break;
  for (size_t i = 0; i < tokens.n; i++)
    if (tokens.ids[i] < 0 || (uint32_t)tokens.ids[i] >= n_vocab)
      abort ();
  if (engine_detokenize (model, tokens.ids, tokens.n, true, &back, NULL, NULL) == ENGINE_OK)
    free (back);
  engine_tokens_clear (&tokens);
}

static void generate (const struct engine_model *model, bool exact)
{
  const struct engine_model_info *info = engine_model_get_info (model);
  struct engine_session_options options
      = { .context_tokens = info->context_tokens < 4 ? info->context_tokens : 4, .n_threads = 1, .exact = exact };
  const int32_t ids[] = { (int32_t)info->n_vocab - 1, 0 };
  struct engine_session *session;
  struct engine_error error = { 0 };
  if (engine_model_get_session_bytes (model, info->context_tokens) == 0)
    abort ();
  if (engine_session_new (model, &options, &session, &error) != ENGINE_OK) {
    if (error.message[0] == '\0')
      abort ();
    return;
  }
  if (engine_session_set_tokens (session, ids, info->context_tokens < 2 ? 1 : 2, NULL, NULL) == ENGINE_OK)
    touch (engine_session_get_logits (session), info->n_vocab * sizeof (float));
  engine_session_append (session, 0, NULL);
  engine_session_free (session);
}

static void embed (const struct engine_model *model)
{
  struct engine_encoder *encoder;
  struct engine_error error = { 0 };
  if (engine_encoder_new (model, 1, &encoder, &error) != ENGINE_OK) {
    if (error.message[0] == '\0')
      abort ();
    return;
  }
  uint32_t n = engine_encoder_get_dimensions (encoder);
  float *vector = malloc (n * sizeof *vector);
  if (vector && engine_encoder_embed (encoder, "a b\xc3\xb6 c", 7, vector, NULL) == ENGINE_OK)
    touch (vector, n * sizeof *vector);
  free (vector);
  engine_encoder_free (encoder);
}

/* Takes `gguf`. */
static void open_model (struct gguf *gguf, bool exact)
{
  struct engine_model *model = NULL;
  struct engine_error error = { 0 };
  if (model_open_gguf (gguf, "fuzz", &model, &error) != ENGINE_OK) {
    if (error.status >= 0 || error.message[0] == '\0' || model)
      abort ();
    return;
  }
  const struct engine_model_info *info = engine_model_get_info (model);
  if (info->runs != (info->reason[0] == '\0'))
    abort ();
  if (model->tokenizer)
    tokenize (model);
  if (info->runs && info->n_parameters <= MOST_WEIGHTS) {
    if (info->role == ENGINE_ROLE_GENERATOR)
      generate (model, exact);
    else if (info->role == ENGINE_ROLE_ENCODER && info->context_tokens <= MOST_CONTEXT_TOKENS)
      embed (model);
  }
  engine_model_close (model);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const keys[] = { "general.alignment", "general.architecture", "a", "b", "c", "" };
  struct gguf *gguf = NULL;
  struct engine_error error = { 0 };
  if (gguf_open_memory (data, size, &gguf, &error) != ENGINE_OK) {
    if (error.status >= 0 || error.message[0] == '\0' || gguf)
      abort ();
    return 0;
  }
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
    read_key (gguf, keys[i]);
  for (uint64_t i = 0; i < gguf_get_n_tensors (gguf); i++) {
    const struct gguf_tensor *tensor = gguf_get_tensor (gguf, i);
    const struct tensor_type_info *info = tensor_type_get_info (tensor->type);
    touch (tensor->name.bytes, tensor->name.length);
    touch (tensor->data, tensor->nbytes);
    if (info && info->runs && tensor->nbytes <= 65536) {
      const size_t n_items = (size_t)(tensor->nbytes / info->block_bytes * info->block_items);
      float *items = malloc ((n_items + 1) * sizeof *items);
      if (items)
        tensor_type_to_f32 (tensor->type, tensor->data, items, n_items);
      free (items);
    }
  }
  open_model (gguf, size % 2);
  return 0;
}
