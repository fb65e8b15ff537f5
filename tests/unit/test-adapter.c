/* Adapters: the same as a model with them merged into its weights, for every way that a family multiplies; swapped and
 * shared; nothing allocated per token; every bad file refused with its reason. */
#include "engine/adapter/adapter_set.h"
#include "tests/unit/family-models.h"
#include "tests/unit/lora-builder.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_VOCAB FAMILY_VOCAB
#define N_IDS 300 /* more than one batch */

static atomic_size_t n_allocations;

void *__real_malloc (size_t size);
void *__real_calloc (size_t n, size_t size);
void *__real_realloc (void *old, size_t size);
void *__real_aligned_alloc (size_t alignment, size_t size);
void *__wrap_malloc (size_t size);
void *__wrap_calloc (size_t n, size_t size);
void *__wrap_realloc (void *old, size_t size);
void *__wrap_aligned_alloc (size_t alignment, size_t size);

void *__wrap_malloc (size_t size)
{
  atomic_fetch_add (&n_allocations, 1);
  return __real_malloc (size);
}

void *__wrap_calloc (size_t n, size_t size)
{
  atomic_fetch_add (&n_allocations, 1);
  return __real_calloc (n, size);
}

void *__wrap_realloc (void *old, size_t size)
{
  atomic_fetch_add (&n_allocations, 1);
  return __real_realloc (old, size);
}

void *__wrap_aligned_alloc (size_t alignment, size_t size)
{
  atomic_fetch_add (&n_allocations, 1);
  return __real_aligned_alloc (alignment, size);
}

/* ---- helpers ----------------------------------------------------------------------------------------------- */

static int32_t ids[N_IDS];

static struct engine_model *open_model (struct bytes bytes)
{
  struct engine_model *model = NULL;
  struct engine_error error = { 0 };
  char *path = lora_save (bytes);
  if (engine_model_open (path, &model, &error) != ENGINE_OK || !engine_model_get_info (model)->runs)
    fprintf (stderr, "%s%s\n", error.message, model ? engine_model_get_info (model)->reason : ""), abort ();
  unlink (path);
  free (path);
  return model;
}

static struct engine_adapter *open_adapter (const struct engine_model *model, const struct lora *lora)
{
  struct engine_adapter *adapter = NULL;
  struct engine_error error = { 0 };
  char *path = lora_save (lora->file);
  if (engine_adapter_open (model, path, &adapter, &error) != ENGINE_OK)
    fprintf (stderr, "%s\n", error.message), abort ();
  unlink (path);
  free (path);
  return adapter;
}

static struct engine_session *open_session (const struct engine_model *model, bool exact, int n_threads)
{
  struct engine_session *session = NULL;
  const struct engine_session_options options = { .n_threads = n_threads, .exact = exact };
  assert (engine_session_new (model, &options, &session, NULL) == ENGINE_OK);
  return session;
}

/* Logits after all but three of the ids at once and after each of the rest. */
static void run (struct engine_session *session, size_t n_ids, float logits[4][N_VOCAB])
{
  size_t n_cached;
  assert (engine_session_get_n_tokens (session) == 0);
  assert (engine_session_set_tokens (session, ids, n_ids - 3, &n_cached, NULL) == ENGINE_OK && n_cached == 0);
  memcpy (logits[0], engine_session_get_logits (session), sizeof logits[0]);
  for (size_t i = 1; i < 4; i++) {
    assert (engine_session_append (session, ids[n_ids - 4 + i], NULL) == ENGINE_OK);
    memcpy (logits[i], engine_session_get_logits (session), sizeof logits[i]);
  }
}

static void run_with (struct engine_session *session, const struct engine_adapter *adapter, float scale, size_t n_ids,
                      float logits[4][N_VOCAB])
{
  assert (engine_session_set_adapters (session, &adapter, &scale, 1, NULL) == ENGINE_OK);
  run (session, n_ids, logits);
}

static float difference (float a[4][N_VOCAB], float b[4][N_VOCAB])
{
  float worst = 0;
  for (size_t i = 0; i < 4; i++)
    for (size_t j = 0; j < N_VOCAB; j++) {
      assert (isfinite (a[i][j]) && isfinite (b[i][j]));
      worst = fmaxf (worst, fabsf (a[i][j] - b[i][j]));
    }
  return worst;
}

/* ---- merged ------------------------------------------------------------------------------------------------ */

#define EXACT_LIMIT 1e-5f /* of logits of about 3: sums of two parts round where one sum does not */

static void compare_merged (enum family family, const struct lora_options *options, const float *scales, size_t n)
{
  static float applied[4][N_VOCAB], merged[4][N_VOCAB], plain[4][N_VOCAB];
  struct bytes base = family_make_model (family);
  struct engine_model *model = open_model (base);
  struct lora *loras[2];
  struct engine_adapter *adapters[2];
  for (size_t i = 0; i < n; i++) {
    loras[i] = lora_new (base, family_get_arch (family), &options[i]);
    adapters[i] = open_adapter (model, loras[i]);
  }
  struct bytes merged_file = lora_merge (base, (const struct lora *const *)loras, scales, n);
  struct engine_model *merged_model = open_model (merged_file);
  struct engine_session *session = open_session (model, true, 2), *other = open_session (merged_model, true, 2);
  run (session, 40, plain);
  assert (engine_session_set_adapters (session, (const struct engine_adapter *const *)adapters, scales, n, NULL)
          == ENGINE_OK);
  run (session, 40, applied);
  run (other, 40, merged);
  printf ("family %d, %zu adapters: changed by %g, from merged %g\n", family, n, (double)difference (plain, applied),
          (double)difference (applied, merged));
  assert (difference (plain, applied) > .1f);
  assert (difference (applied, merged) < EXACT_LIMIT);
  engine_session_free (session);
  engine_session_free (other);
  for (size_t i = 0; i < n; i++) {
    engine_adapter_close (adapters[i]);
    lora_free (loras[i]);
  }
  engine_model_close (model);
  engine_model_close (merged_model);
  bytes_clear (&base);
  bytes_clear (&merged_file);
}

static void test_merged (void)
{
  const struct lora_options two[] = { { .rank = 3, .alpha = 2, .seed = 1 }, { .rank = 5, .seed = 2 } };
  const float one_scale[] = { .8f }, two_scales[] = { .5f, -.2f };
  for (int family = 0; family < FAMILY_N; family++) {
    compare_merged ((enum family)family, two, one_scale, 1);
    compare_merged ((enum family)family, two, two_scales, 2);
  }
  const struct lora_options head = { .rank = 2, .alpha = 2, .tied_head = true, .seed = 3 };
  compare_merged (FAMILY_LLAMA_TIED, &head, one_scale, 1);
  const enum tensor_type types[][2]
      = { { TENSOR_F16, TENSOR_BF16 }, { TENSOR_Q8_0, TENSOR_F16 }, { TENSOR_BF16, TENSOR_Q8_0 } };
  for (size_t i = 0; i < 3; i++) {
    const struct lora_options typed
        = { .rank = 32, .alpha = 8, .a_type = types[i][0], .b_type = types[i][1], .seed = 4 };
    compare_merged (FAMILY_LLAMA, &typed, one_scale, 1);
    compare_merged (FAMILY_PHI3, &typed, one_scale, 1);
    compare_merged (FAMILY_MIXTRAL, &typed, one_scale, 1);
  }
}

/* ---- sessions ---------------------------------------------------------------------------------------------- */

struct fixture {
  struct bytes base;
  struct engine_model *model;
  struct lora *loras[2];
  struct engine_adapter *adapters[2];
};

static struct fixture fixture_open (enum family family)
{
  struct fixture fixture = { .base = family_make_model (family) };
  fixture.model = open_model (fixture.base);
  for (uint32_t i = 0; i < 2; i++) {
    const struct lora_options options = { .rank = 4 + i, .alpha = 3, .seed = 10 + i };
    fixture.loras[i] = lora_new (fixture.base, family_get_arch (family), &options);
    fixture.adapters[i] = open_adapter (fixture.model, fixture.loras[i]);
  }
  return fixture;
}

static void fixture_close (struct fixture *fixture)
{
  for (size_t i = 0; i < 2; i++) {
    engine_adapter_close (fixture->adapters[i]);
    lora_free (fixture->loras[i]);
  }
  engine_model_close (fixture->model);
  bytes_clear (&fixture->base);
}

static void test_swap (enum family family)
{
  static float plain[4][N_VOCAB], first[4][N_VOCAB], second[4][N_VOCAB], again[4][N_VOCAB];
  struct fixture fixture = fixture_open (family);
  struct engine_session *session = open_session (fixture.model, false, 2),
                        *other = open_session (fixture.model, false, 1);
  run (session, N_IDS, plain);
  run_with (session, fixture.adapters[0], 1, N_IDS, first);
  run_with (session, fixture.adapters[1], 1, N_IDS, second);
  assert (difference (plain, first) > .1f && difference (first, second) > .1f && difference (plain, second) > .1f);
  run_with (session, fixture.adapters[0], 1, N_IDS, again);
  assert (memcmp (first, again, sizeof first) == 0);
  run_with (session, fixture.adapters[0], 0, N_IDS, again); /* scale 0: none */
  assert (memcmp (plain, again, sizeof plain) == 0);
  run_with (session, fixture.adapters[1], 1, N_IDS, again);
  assert (memcmp (second, again, sizeof second) == 0);
  /* Another session shares an adapter at the same time, with fewer threads; what one has set is not the other's. */
  run (other, N_IDS, again);
  assert (memcmp (plain, again, sizeof plain) == 0);
  run_with (other, fixture.adapters[0], 1, N_IDS, again);
  assert (memcmp (first, again, sizeof first) == 0);
  assert (engine_session_set_adapters (session, NULL, NULL, 0, NULL) == ENGINE_OK);
  run (session, N_IDS, again);
  assert (memcmp (plain, again, sizeof plain) == 0);
  engine_session_free (session);
  engine_session_free (other);
  fixture_close (&fixture);
}

static void test_no_allocation (enum family family)
{
  struct fixture fixture = fixture_open (family);
  struct engine_session *session = open_session (fixture.model, false, 2);
  const float scales[] = { 1, .5f };
  size_t made = atomic_load (&n_allocations);
  assert (engine_session_set_adapters (session, (const struct engine_adapter *const *)fixture.adapters, scales, 2, NULL)
          == ENGINE_OK);
  assert (atomic_load (&n_allocations) > made); /* the counter counts */
  made = atomic_load (&n_allocations);
  assert (engine_session_set_tokens (session, ids, N_IDS - 10, NULL, NULL) == ENGINE_OK);
  for (size_t i = N_IDS - 10; i < N_IDS; i++)
    assert (engine_session_append (session, ids[i], NULL) == ENGINE_OK);
  assert (atomic_load (&n_allocations) == made);
  engine_session_free (session);
  fixture_close (&fixture);
}

/* A token's results do not depend on the batch, nor on the number of threads. */
static void test_batches (void)
{
  enum { N = 300, N_IN = FAMILY_EMBD, N_OUT = 64 };
  static float x[N * N_IN], at_once[N * N_OUT], apart[N * N_OUT];
  struct fixture fixture = fixture_open (FAMILY_LLAMA);
  const struct matrix *up = &fixture.model->layers[1].up;
  const float scales[] = { 1, -.5f };
  uint64_t state = 6;
  struct pool *pool = pool_new (3), *single = pool_new (1);
  struct adapter_set *set;
  assert (up->n_cols == N_IN && up->n_rows == N_OUT && pool && single);
  for (size_t i = 0; i < N * N_IN; i++)
    x[i] = builder_random (&state);
  assert (
      adapter_set_new (fixture.model, (const struct engine_adapter *const *)fixture.adapters, scales, 2, N, &set, NULL)
      == ENGINE_OK);
  for (int exact = 0; exact < 2; exact++) {
    memset (at_once, 0, sizeof at_once);
    memset (apart, 0, sizeof apart);
    adapter_set_project (set, pool, up, x, N_IN, N, at_once, N_OUT, exact, NULL);
    for (size_t t = 0; t < N; t++)
      adapter_set_project (set, single, up, x + t * N_IN, N_IN, 1, apart + t * N_OUT, N_OUT, exact, NULL);
    assert (memcmp (at_once, apart, sizeof apart) == 0);
  }
  adapter_set_free (set);
  pool_free (pool);
  pool_free (single);
  fixture_close (&fixture);
}

static void test_refused_sets (void)
{
  static float before[4][N_VOCAB], after[4][N_VOCAB];
  struct fixture fixture = fixture_open (FAMILY_LLAMA), other = fixture_open (FAMILY_LLAMA);
  struct engine_session *session = open_session (fixture.model, false, 1);
  const struct engine_adapter *foreign[] = { fixture.adapters[0], other.adapters[0] };
  struct engine_error error;
  run_with (session, fixture.adapters[1], 1, 20, before);
  assert (engine_session_set_adapters (session, foreign, (float[]){ 1, 1 }, 2, &error) == ENGINE_ERROR_RANGE);
  assert (strstr (error.message, "another model"));
  assert (engine_session_set_adapters (session, foreign, (float[]){ NAN }, 1, &error) == ENGINE_ERROR_RANGE);
  assert (engine_session_set_adapters (session, foreign, (float[]){ INFINITY }, 1, &error) == ENGINE_ERROR_RANGE);
  assert (strstr (error.message, "finite") && engine_session_get_n_tokens (session) == 20);
  run_with (session, fixture.adapters[1], 1, 20, after); /* what was set is still there */
  assert (memcmp (before, after, sizeof after) == 0);
  engine_session_free (session);
  fixture_close (&fixture);
  fixture_close (&other);
}

/* ---- encoders ---------------------------------------------------------------------------------------------- */

static struct bytes read_file (const char *path)
{
  struct bytes bytes = { 0 };
  uint8_t piece[4096];
  FILE *file = fopen (path, "rb");
  assert (file);
  for (size_t n; (n = fread (piece, 1, sizeof piece, file)) > 0;)
    bytes_append (&bytes, piece, n);
  fclose (file);
  return bytes;
}

static void embed (struct engine_encoder *encoder, float *vector)
{
  static const char text[] = "a text of some words";
  assert (engine_encoder_embed (encoder, text, sizeof text - 1, vector, NULL) == ENGINE_OK);
}

static void test_encoder (void)
{
  enum { N_EMBD = 32 };
  const struct builder_options options = { .arch = "bert",
                                           .n_layers = 2,
                                           .n_embd = N_EMBD,
                                           .n_heads = 2,
                                           .n_kv_heads = 2,
                                           .head_dim = 16,
                                           .n_ff = 64,
                                           .n_vocab = 70,
                                           .context_tokens = 64,
                                           .pooling = 1,
                                           .vocabulary = true,
                                           .seed = 8 };
  const struct lora_options change = { .rank = 3, .alpha = 2, .seed = 9 };
  const float scale = .7f;
  struct builder_model *built = builder_model_new (&options);
  struct bytes base = read_file (built->path);
  struct lora *lora = lora_new (base, "bert", &change);
  struct bytes merged_file = lora_merge (base, (const struct lora *const *)&lora, &scale, 1);
  struct engine_model *model = open_model (base), *merged_model = open_model (merged_file);
  const struct engine_adapter *adapter = open_adapter (model, lora);
  struct engine_encoder *encoder, *merged;
  float plain[N_EMBD], applied[N_EMBD], expected[N_EMBD], cleared[N_EMBD], worst = 0, changed = 0;
  const struct engine_encoder_options one_thread = { .n_threads = 1 };
  assert (engine_encoder_new (model, &one_thread, &encoder, NULL) == ENGINE_OK);
  assert (engine_encoder_new (merged_model, &one_thread, &merged, NULL) == ENGINE_OK);
  embed (encoder, plain);
  assert (engine_encoder_set_adapters (encoder, &adapter, &scale, 1, NULL) == ENGINE_OK);
  embed (encoder, applied);
  embed (merged, expected);
  assert (engine_encoder_set_adapters (encoder, NULL, NULL, 0, NULL) == ENGINE_OK);
  embed (encoder, cleared);
  assert (memcmp (plain, cleared, sizeof plain) == 0);
  for (size_t i = 0; i < N_EMBD; i++) {
    worst = fmaxf (worst, fabsf (applied[i] - expected[i]));
    changed = fmaxf (changed, fabsf (applied[i] - plain[i]));
  }
  printf ("encoder: changed by %g, from merged %g\n", (double)changed, (double)worst);
  assert (changed > .02f && worst < 1e-4f); /* keys and values are halves */
  engine_encoder_free (encoder);
  engine_encoder_free (merged);
  engine_adapter_close ((struct engine_adapter *)adapter);
  engine_model_close (model);
  engine_model_close (merged_model);
  lora_free (lora);
  bytes_clear (&base);
  bytes_clear (&merged_file);
  builder_model_free (built);
}

/* ---- bad files --------------------------------------------------------------------------------------------- */

struct half {
  const char *name;
  enum tensor_type type;
  uint64_t ne[3];
};

/* One change of FAMILY_LLAMA's blk.0.ffn_up.weight (32 to 64) as it should be, but for what a row says. */
static const struct bad {
  const char *general_type, *adapter_type, *arch;
  bool no_alpha, bad_alpha, switched;
  struct half halves[2];
  int status;
  const char *says;
} bads[] = {
  { "model", "lora", "llama", .status = ENGINE_ERROR_FORMAT, .says = "general.type" },
  { "adapter", "control_vector", "llama", .status = ENGINE_ERROR_UNSUPPORTED, .says = "another kind than LoRA" },
  { "adapter", "lora", "qwen2", .status = ENGINE_ERROR_UNSUPPORTED, .says = "\"qwen2\" but the model is a llama" },
  { "adapter", "lora", "llama", .status = ENGINE_ERROR_FORMAT, .says = "no tensors" },
  { "adapter", "lora", "llama", .bad_alpha = true, .status = ENGINE_ERROR_FORMAT, .says = "adapter.lora.alpha" },
  { "adapter", "lora", "llama", .switched = true, .status = ENGINE_ERROR_UNSUPPORTED, .says = "aLoRA" },
  { "adapter", "lora", "llama", .halves = { { "blk.0.ffn_up.weight.lora_a", TENSOR_F32, { 32, 4, 1 } } },
    .status = ENGINE_ERROR_FORMAT, .says = "one half of its change of blk.0.ffn_up.weight" },
  { "adapter", "lora", "llama", .halves = { { "blk.0.ffn_up.weight.lora_b", TENSOR_F32, { 4, 64, 1 } } },
    .status = ENGINE_ERROR_FORMAT, .says = "one half of its change of blk.0.ffn_up.weight" },
  { "adapter", "lora", "llama",
    .halves = { { "blk.9.ffn_up.weight.lora_a", TENSOR_F32, { 32, 4, 1 } },
                { "blk.9.ffn_up.weight.lora_b", TENSOR_F32, { 4, 64, 1 } } },
    .status = ENGINE_ERROR_UNSUPPORTED, .says = "blk.9.ffn_up.weight, which the model does not have" },
  { "adapter", "lora", "llama",
    .halves = { { "blk.0.ffn_norm.weight.lora_a", TENSOR_F32, { 32, 4, 1 } },
                { "blk.0.ffn_norm.weight.lora_b", TENSOR_F32, { 4, 1, 1 } } },
    .status = ENGINE_ERROR_UNSUPPORTED, .says = "blk.0.ffn_norm.weight, where this engine cannot apply LoRA" },
  { "adapter", "lora", "llama", .halves = { { "blk.0.ffn_norm.weight", TENSOR_F32, { 32, 1, 1 } } },
    .status = ENGINE_ERROR_UNSUPPORTED, .says = "blk.0.ffn_norm.weight is not part of a LoRA" },
  { "adapter", "lora", "llama", .halves = { { ".lora_a", TENSOR_F32, { 32, 1, 1 } } },
    .status = ENGINE_ERROR_UNSUPPORTED, .says = "not part of a LoRA" },
  { "adapter", "lora", "llama", /* n_in */
    .halves = { { "blk.0.ffn_up.weight.lora_a", TENSOR_F32, { 33, 4, 1 } },
                { "blk.0.ffn_up.weight.lora_b", TENSOR_F32, { 4, 64, 1 } } },
    .status = ENGINE_ERROR_FORMAT, .says = "33 x 4 x 1 by 4 x 64 x 1) does not fit the model's tensor of 32 x 64" },
  { "adapter", "lora", "llama", /* n_out */
    .halves = { { "blk.0.ffn_up.weight.lora_a", TENSOR_F32, { 32, 4, 1 } },
                { "blk.0.ffn_up.weight.lora_b", TENSOR_F32, { 4, 63, 1 } } },
    .status = ENGINE_ERROR_FORMAT, .says = "does not fit" },
  { "adapter", "lora", "llama", /* ranks */
    .halves = { { "blk.0.ffn_up.weight.lora_a", TENSOR_F32, { 32, 4, 1 } },
                { "blk.0.ffn_up.weight.lora_b", TENSOR_F32, { 5, 64, 1 } } },
    .status = ENGINE_ERROR_FORMAT, .says = "does not fit" },
  { "adapter", "lora", "llama", /* slabs */
    .halves = { { "blk.0.ffn_up.weight.lora_a", TENSOR_F32, { 32, 4, 2 } },
                { "blk.0.ffn_up.weight.lora_b", TENSOR_F32, { 4, 64, 2 } } },
    .status = ENGINE_ERROR_FORMAT, .says = "does not fit" },
  { "adapter", "lora", "llama", /* of embeddings A is transposed */
    .halves = { { "token_embd.weight.lora_a", TENSOR_F32, { N_VOCAB, 4, 1 } },
                { "token_embd.weight.lora_b", TENSOR_F32, { 4, 32, 1 } } },
    .status = ENGINE_ERROR_FORMAT, .says = "does not fit" },
  { "adapter", "lora", "llama",
    .halves = { { "blk.0.ffn_up.weight.lora_a", TENSOR_I32, { 32, 4, 1 } },
                { "blk.0.ffn_up.weight.lora_b", TENSOR_F32, { 4, 64, 1 } } },
    .status = ENGINE_ERROR_UNSUPPORTED, .says = "type I32" },
  { "adapter", "lora", "llama",
    .halves = { { "blk.0.ffn_up.weight.lora_a", TENSOR_F32, { 32, 4, 1 } },
                { "blk.0.ffn_up.weight.lora_b", TENSOR_F64, { 4, 64, 1 } } },
    .status = ENGINE_ERROR_UNSUPPORTED, .says = "type F64" },
  { "adapter", "lora", "llama",
    .halves = { { "blk.0.ffn_up.weight.lora_a", TENSOR_F32, { 32, ADAPTER_MAX_RANK + 1, 1 } },
                { "blk.0.ffn_up.weight.lora_b", TENSOR_F32, { ADAPTER_MAX_RANK + 1, 64, 1 } } },
    .status = ENGINE_ERROR_UNSUPPORTED, .says = "rank 4097" },
};

/* And one that is good, so that the others are bad for one reason only. */
static const struct bad good = {
  "adapter",
  "lora",
  "llama",
  .no_alpha = true,
  .halves = { { "blk.0.ffn_up.weight.lora_a", TENSOR_F32, { 32, ADAPTER_MAX_RANK, 1 } },
              { "blk.0.ffn_up.weight.lora_b", TENSOR_F32, { ADAPTER_MAX_RANK, 64, 1 } } },
};

static char *write_bad (const struct bad *bad)
{
  static const uint32_t tokens[] = { 1, 2 };
  struct gguf_writer writer = { 0 };
  gguf_writer_add_string (&writer, "general.type", bad->general_type);
  gguf_writer_add_string (&writer, "adapter.type", bad->adapter_type);
  gguf_writer_add_string (&writer, "general.architecture", bad->arch);
  if (!bad->no_alpha)
    gguf_writer_add_f32 (&writer, "adapter.lora.alpha", bad->bad_alpha ? NAN : 8);
  if (bad->switched)
    gguf_writer_add_array (&writer, "adapter.alora.invocation_tokens", GGUF_U32, tokens, 2, sizeof tokens);
  for (size_t i = 0; i < 2 && bad->halves[i].name; i++)
    gguf_writer_add_tensor (&writer, bad->halves[i].name, bad->halves[i].type, 3, bad->halves[i].ne, NULL, 0);
  struct bytes bytes = gguf_writer_finish (&writer);
  char *path = lora_save (bytes);
  gguf_writer_clear (&writer);
  bytes_clear (&bytes);
  return path;
}

static void test_bad_files (void)
{
  struct bytes base = family_make_model (FAMILY_LLAMA);
  struct engine_model *model = open_model (base);
  struct engine_adapter *adapter = NULL;
  struct engine_error error;
  for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
    char *path = write_bad (&bads[i]);
    int status = engine_adapter_open (model, path, &adapter, &error);
    if (status != bads[i].status || status != error.status || !strstr (error.message, bads[i].says) || adapter)
      fprintf (stderr, "row %zu: %d, %s\n", i, status, status ? error.message : ""), abort ();
    const char *dot = strrchr (error.message, '.');
    assert (dot && dot[1] == '\0'); /* one sentence */
    unlink (path);
    free (path);
  }
  char *path = write_bad (&good);
  assert (engine_adapter_open (model, path, &adapter, &error) == ENGINE_OK);
  engine_adapter_close (adapter);

  /* An adapter taken for a model. */
  struct engine_model *taken;
  adapter = NULL;
  assert (engine_model_open (path, &taken, &error) == ENGINE_OK);
  const struct engine_model_info *info = engine_model_get_info (taken);
  assert (!info->runs && info->role == ENGINE_ROLE_NONE
          && strstr (info->reason, "adapter (LoRA for llama, rank 4096)"));
  assert (engine_adapter_open (taken, path, &adapter, &error) == ENGINE_ERROR_UNSUPPORTED && !adapter);
  engine_model_close (taken);
  unlink (path);
  assert (engine_adapter_open (model, path, &adapter, &error) == ENGINE_ERROR_IO && !adapter);
  free (path);
  engine_adapter_close (NULL);
  engine_model_close (model);
  bytes_clear (&base);
}

int main (void)
{
  uint64_t state = 5;
  for (size_t i = 0; i < N_IDS; i++)
    ids[i] = (int32_t)((builder_random (&state) + 1) / 2 * N_VOCAB);
  test_bad_files ();
  test_batches ();
  test_merged ();
  test_swap (FAMILY_LLAMA);
  test_swap (FAMILY_LFM2);
  test_swap (FAMILY_MAMBA);
  test_no_allocation (FAMILY_LLAMA);
  test_no_allocation (FAMILY_MIXTRAL);
  test_refused_sets ();
  test_encoder ();
  return 0;
}
