/* fuzz-gguf.c: any bytes either open or fail with a sentence; what opens can be read to its last byte; what claims to
 * run reads a short text, evaluates three tokens or makes one vector. */
#include "engine/gguf/gguf-private.h"
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
  const struct engine_encoder_options options = { .n_threads = 1 };
  const struct engine_text query = { "a b", 3 }, passage = { "b\xc3\xb6 c", 5 };
  float score;
  if (engine_encoder_new (model, &options, &encoder, &error) != ENGINE_OK) {
    if (error.message[0] == '\0')
      abort ();
    return;
  }
  if (engine_encoder_rerank (encoder, &query, &passage, 1, &score, NULL) == ENGINE_OK)
    touch (&score, sizeof score);
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
    else if (info->context_tokens <= MOST_CONTEXT_TOKENS)
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

/* ---- damage that keeps the file readable ----------------------------------------------------------------- */

/* libFuzzer's own changes mostly break the container; half of the time one number in it is changed instead, so that
 * what is made from the metadata and the tensor table is tried as well. */
size_t LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size, unsigned seed);
/* Only libFuzzer has it, and calls the above; the replay does neither. */
size_t LLVMFuzzerMutate (uint8_t *data, size_t size, size_t max_size) __attribute__ ((weak));

static unsigned pick (unsigned *state, uint64_t n)
{
  *state = *state * 1664525 + 1013904223;
  return n ? (unsigned)((*state >> 8) % n) : 0;
}

/* Writes a number that code may trip over, of that width. */
static void put_number (uint8_t *bytes, size_t n_bytes, unsigned *state)
{
  static const uint64_t numbers[] = { 0,
                                      1,
                                      2,
                                      3,
                                      4,
                                      7,
                                      8,
                                      9,
                                      15,
                                      16,
                                      17,
                                      31,
                                      32,
                                      33,
                                      64,
                                      127,
                                      128,
                                      255,
                                      256,
                                      257,
                                      1024,
                                      0x7fff,
                                      0xffff,
                                      0x10000,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      0x100000000,
                                      0x3f800000,
                                      0xbf800000,
                                      0x7f800000,
                                      0x7fc00000,
                                      0x501502f9,
                                      0x00000001, /* F32 */
                                      0x7fffffffffffffff,
                                      0x8000000000000000,
                                      UINT64_MAX };
  uint64_t number = numbers[pick (state, sizeof numbers / sizeof *numbers)];
  const unsigned step = pick (state, 4);
  if (step < 2) /* near what is there */
    number = load_le (bytes, n_bytes) + (step ? 1 : UINT64_MAX);
  for (size_t i = 0; i < n_bytes; i++)
    bytes[i] = (uint8_t)(number >> (8 * i));
}

size_t LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
  struct gguf *gguf;
  unsigned state = seed;
  if (pick (&state, 2) || gguf_open_memory (data, size, &gguf, NULL) != ENGINE_OK)
    return LLVMFuzzerMutate (data, size, max_size);
  const uint64_t n_tensors = gguf->n_tensors, n = gguf->n_entries + n_tensors;
  const uint64_t at = pick (&state, n);
  if (n > 0 && at < n_tensors) {
    /* Behind the name: the number of dimensions, each of them, the type and the offset. */
    const struct gguf_tensor *tensor = &gguf->tensors[at];
    uint8_t *field = data + ((const uint8_t *)tensor->name.bytes - data) + tensor->name.length + 4;
    const unsigned which = pick (&state, tensor->n_dims + 2);
    put_number (field + 8 * (which < tensor->n_dims ? which : tensor->n_dims) + (which > tensor->n_dims ? 4 : 0),
                which == tensor->n_dims ? 4 : 8, &state);
  } else if (n > 0) {
    const struct gguf_entry *entry = &gguf->entries[at - n_tensors];
    const size_t n_bytes = gguf_kind_bytes (entry->kind == GGUF_ARRAY ? entry->item_kind : entry->kind);
    uint8_t *value = data + (entry->value - data);
    if (n_bytes > 0 && entry->n_items > 0)
      put_number (value + n_bytes * pick (&state, entry->n_items), n_bytes, &state);
    else if (entry->value_bytes > 0)
      value[pick (&state, entry->value_bytes)] ^= (uint8_t)(1 << pick (&state, 8));
  }
  gguf_close (gguf);
  return size;
}
