/* Decoder models against arithmetic written out for reading: no cache, no batches, the whole attention matrix. */
#include "engine/engine.h"
#include "engine/kernels/matmul.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TOKENS 64

static void linear (const float *w, const float *bias, const float *x, uint32_t n_cols, uint32_t n_rows, float *out)
{
  for (uint32_t r = 0; r < n_rows; r++) {
    double sum = bias ? bias[r] : 0;
    for (uint32_t c = 0; c < n_cols; c++)
      sum += (double)w[(size_t)r * n_cols + c] * x[c];
    out[r] = (float)sum;
  }
}

static void normalize (const float *x, const float *weight, uint32_t n, float *out)
{
  double squares = 0;
  for (uint32_t i = 0; i < n; i++)
    squares += (double)x[i] * x[i];
  for (uint32_t i = 0; i < n; i++)
    out[i] = (float)(x[i] / sqrt (squares / n + 1e-5)) * weight[i];
}

/* Radians per position of pair i, as llama.cpp and the YaRN paper define them. */
static double frequency_of (const struct builder_model *model, uint32_t i)
{
  const struct builder_options *o = &model->options;
  const float *factors = builder_model_get (model, "rope_freqs.weight");
  double frequency = pow (o->rope_base, -2.0 * i / o->head_dim) / (factors ? factors[i] : 1);
  if (!o->rope_scaling)
    return frequency;
  if (strcmp (o->rope_scaling, "linear") == 0)
    return frequency / o->rope_factor;
  double low = floor (o->head_dim * log (o->original_context / (32 * 2 * M_PI)) / (2 * log (o->rope_base)));
  double high = ceil (o->head_dim * log (o->original_context / (1 * 2 * M_PI)) / (2 * log (o->rope_base)));
  low = low < 0 ? 0 : low;
  high = high > o->head_dim - 1 ? o->head_dim - 1 : high;
  double ramp = (i - low) / fmax (0.001, high - low), kept = 1 - fmin (1, fmax (0, ramp));
  return frequency * kept + frequency / o->rope_factor * (1 - kept);
}

static void rotate (const struct builder_model *model, float *heads, uint32_t n_heads, uint32_t position)
{
  const struct builder_options *o = &model->options;
  bool neox = strcmp (o->arch, "llama") != 0;
  double magnitude = o->rope_scaling && strcmp (o->rope_scaling, "yarn") == 0 ? 1 + 0.1 * log (o->rope_factor) : 1;
  for (uint32_t h = 0; h < n_heads; h++)
    for (uint32_t i = 0; i < o->head_dim / 2; i++) {
      float *a = heads + h * o->head_dim + (neox ? i : 2 * i), *b = a + (neox ? o->head_dim / 2 : 1);
      double angle = position * frequency_of (model, i), c = cos (angle) * magnitude, s = sin (angle) * magnitude;
      double x = *a, y = *b;
      *a = (float)(x * c - y * s);
      *b = (float)(x * s + y * c);
    }
}

/* Unless exact, the cache keeps halves: so does the reference, and the comparison can be tight. */
static void round_to_half (float *x, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++) {
    uint16_t half;
    f32_to_f16 (x + i, &half, 1);
    f16_to_f32 (&half, x + i, 1);
  }
}

static void attend (const struct builder_options *o, const float *q, const float *k, const float *v, uint32_t position,
                    float *out)
{
  uint32_t width = o->n_kv_heads * o->head_dim;
  uint32_t first = o->window && position >= o->window ? position - o->window + 1 : 0;
  for (uint32_t h = 0; h < o->n_heads; h++) {
    uint32_t shared = h / (o->n_heads / o->n_kv_heads) * o->head_dim;
    double weights[MAX_TOKENS], total = 0;
    for (uint32_t p = first; p <= position; p++) {
      double score = 0;
      for (uint32_t d = 0; d < o->head_dim; d++)
        score += (double)q[h * o->head_dim + d] * k[p * width + shared + d];
      total += weights[p] = exp (score / sqrt (o->head_dim));
    }
    for (uint32_t d = 0; d < o->head_dim; d++) {
      double sum = 0;
      for (uint32_t p = first; p <= position; p++)
        sum += weights[p] / total * v[p * width + shared + d];
      out[h * o->head_dim + d] = (float)sum;
    }
  }
}

static float *array (size_t n)
{
  float *values = calloc (n, sizeof *values);
  assert (values);
  return values;
}

static void reference_layer (const struct builder_model *m, uint32_t l, bool exact, float *x, uint32_t n)
{
  const struct builder_options *o = &m->options;
  uint32_t e = o->n_embd, nq = o->n_heads * o->head_dim, nkv = o->n_kv_heads * o->head_dim;
  float *h = array (e), *q = array ((size_t)n * nq), *k = array ((size_t)n * nkv), *v = array ((size_t)n * nkv);
  const float *q_norm = builder_model_get (m, "blk.%u.attn_q_norm.weight", l);
  const float *k_norm = builder_model_get (m, "blk.%u.attn_k_norm.weight", l);
  float *attended = array (nq), *gate = array (o->n_ff), *up = array (o->n_ff);
  for (uint32_t t = 0; t < n; t++) {
    normalize (x + t * e, builder_model_get (m, "blk.%u.attn_norm.weight", l), e, h);
    linear (builder_model_get (m, "blk.%u.attn_q.weight", l), builder_model_get (m, "blk.%u.attn_q.bias", l), h, e, nq,
            q + t * nq);
    linear (builder_model_get (m, "blk.%u.attn_k.weight", l), builder_model_get (m, "blk.%u.attn_k.bias", l), h, e, nkv,
            k + t * nkv);
    linear (builder_model_get (m, "blk.%u.attn_v.weight", l), builder_model_get (m, "blk.%u.attn_v.bias", l), h, e, nkv,
            v + t * nkv);
    for (uint32_t i = 0; q_norm && i < o->n_heads; i++)
      normalize (q + t * nq + i * o->head_dim, q_norm, o->head_dim, q + t * nq + i * o->head_dim);
    for (uint32_t i = 0; k_norm && i < o->n_kv_heads; i++)
      normalize (k + t * nkv + i * o->head_dim, k_norm, o->head_dim, k + t * nkv + i * o->head_dim);
    rotate (m, q + t * nq, o->n_heads, t);
    rotate (m, k + t * nkv, o->n_kv_heads, t);
    if (!exact) {
      round_to_half (k + t * nkv, nkv);
      round_to_half (v + t * nkv, nkv);
    }
  }
  for (uint32_t t = 0; t < n; t++) {
    attend (o, q + t * nq, k, v, t, attended);
    linear (builder_model_get (m, "blk.%u.attn_output.weight", l), NULL, attended, nq, e, h);
    for (uint32_t i = 0; i < e; i++)
      x[t * e + i] += h[i];
    normalize (x + t * e, builder_model_get (m, "blk.%u.ffn_norm.weight", l), e, h);
    linear (builder_model_get (m, "blk.%u.ffn_gate.weight", l), NULL, h, e, o->n_ff, gate);
    linear (builder_model_get (m, "blk.%u.ffn_up.weight", l), NULL, h, e, o->n_ff, up);
    for (uint32_t i = 0; i < o->n_ff; i++)
      gate[i] = (float)(gate[i] / (1 + exp (-gate[i])) * up[i]);
    linear (builder_model_get (m, "blk.%u.ffn_down.weight", l), NULL, gate, o->n_ff, e, h);
    for (uint32_t i = 0; i < e; i++)
      x[t * e + i] += h[i];
  }
  float *all[] = { h, q, k, v, attended, gate, up };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    free (all[i]);
}

static void reference_logits (const struct builder_model *m, const int32_t *ids, uint32_t n, bool exact, float *logits)
{
  const struct builder_options *o = &m->options;
  const float *embeddings = builder_model_get (m, "token_embd.weight"), *head = builder_model_get (m, "output.weight");
  float *x = array ((size_t)n * o->n_embd), *h = array (o->n_embd);
  for (uint32_t t = 0; t < n; t++)
    memcpy (x + t * o->n_embd, embeddings + (size_t)ids[t] * o->n_embd, o->n_embd * sizeof *x);
  for (uint32_t l = 0; l < o->n_layers; l++)
    reference_layer (m, l, exact, x, n);
  normalize (x + (n - 1) * o->n_embd, builder_model_get (m, "output_norm.weight"), o->n_embd, h);
  linear (head ? head : embeddings, NULL, h, o->n_embd, o->n_vocab, logits);
  free (x);
  free (h);
}

static void check_session (const struct builder_model *built, const struct engine_model *model, bool exact, uint32_t n)
{
  const struct builder_options *options = &built->options;
  const struct engine_session_options session_options = { .n_threads = 2, .exact = exact };
  struct engine_session *session;
  assert (engine_session_new (model, &session_options, &session, NULL) == ENGINE_OK);
  int32_t ids[MAX_TOKENS];
  uint64_t state = options->seed + 1;
  for (uint32_t i = 0; i < n; i++)
    ids[i] = (int32_t)((builder_random (&state) + 1) / 2 * (float)options->n_vocab);
  float *expected = array (options->n_vocab), worst = 0, largest = 0;
  reference_logits (built, ids, n, exact, expected);
  size_t n_cached = 7;
  assert (engine_session_set_tokens (session, ids, n, &n_cached, NULL) == ENGINE_OK && n_cached == 0);
  const float *logits = engine_session_get_logits (session);
  for (uint32_t i = 0; i < options->n_vocab; i++) {
    worst = fmaxf (worst, fabsf (logits[i] - expected[i]));
    largest = fmaxf (largest, fabsf (expected[i]));
  }
  printf ("%s%s%s%s%s: %u tokens, logits up to %.3f differ by at most %.2g\n", options->arch,
          options->tied ? " tied" : "", options->rope_scaling ? " " : "",
          options->rope_scaling ? options->rope_scaling : "", exact ? " exact" : "", n, largest, worst);
  assert (largest > 0.5f && worst < (exact ? 1e-5f : 1e-3f) * largest);
  free (expected);
  engine_session_free (session);
}

static void check_logits (const struct builder_options *options, uint32_t n)
{
  struct builder_model *built = builder_model_new (options);
  struct engine_model *model;
  struct engine_error error = { 0 };
  if (engine_model_open (built->path, &model, &error) != ENGINE_OK)
    fprintf (stderr, "%s\n", error.message), abort ();
  const struct engine_model_info *info = engine_model_get_info (model);
  if (!info->runs)
    fprintf (stderr, "%s\n", info->reason), abort ();
  assert (info->role == ENGINE_ROLE_GENERATOR && info->n_vocab == options->n_vocab);
  assert (info->kv_bytes_per_token == 4ull * options->n_layers * options->n_kv_heads * options->head_dim);
  check_session (built, model, true, n);
  check_session (built, model, false, n);
  engine_model_close (model);
  builder_model_free (built);
}

static const struct builder_options base = {
  .arch = "llama",
  .n_layers = 3,
  .n_embd = 48,
  .n_heads = 4,
  .n_kv_heads = 2,
  .head_dim = 16,
  .n_ff = 80,
  .n_vocab = 101,
  .context_tokens = 64,
  .rope_base = 10000,
  .seed = 3,
};

static void test_families (void)
{
  const uint32_t lengths[] = { 1, 2, 5, 33, 64 };
  struct builder_options options = base;
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
    check_logits (&options, lengths[i]);
  options.tied = true;
  check_logits (&options, 40);
  options = base;
  options.arch = "qwen2";
  check_logits (&options, 1);
  check_logits (&options, 40);
  options.n_heads = 6;
  options.n_kv_heads = 1;
  options.head_dim = 12; /* not a multiple of 8 */
  check_logits (&options, 40);
  options = base;
  options.arch = "qwen3";
  check_logits (&options, 40);
  options.arch = "llama";
  options.n_kv_heads = 4;
  options.head_dim = 24;
  check_logits (&options, 40);
}

/* llama.cpp does not read the key for this family: Mistral 7B as its authors define it (arXiv 2310.06825, section 2). */
static void test_window (void)
{
  const uint32_t windows[] = { 1, 7, 20, 32, 64, 1000 };
  struct builder_options options = base;
  for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
    options.window = windows[i];
    check_logits (&options, 64);
  }
}

static void test_rope_variants (void)
{
  struct builder_options options = base;
  options.rope_factors = true;
  check_logits (&options, 40);
  options.rope_scaling = "linear";
  options.rope_factor = 4;
  check_logits (&options, 40);
  options = base;
  options.rope_scaling = "yarn";
  options.rope_factor = 4;
  options.original_context = 16;
  options.head_dim = 32;
  options.rope_base = 500;
  check_logits (&options, 40);
}

/* ---- files that do not fit ------------------------------------------------------------------------------- */

static void expect_open_error (struct builder_options options, const char *words)
{
  struct builder_model *built = builder_model_new (&options);
  struct engine_model *model = NULL;
  struct engine_error error = { 0 };
  assert (engine_model_open (built->path, &model, &error) == ENGINE_ERROR_FORMAT);
  assert (!model && error.status == ENGINE_ERROR_FORMAT);
  if (!strstr (error.message, words))
    fprintf (stderr, "\"%s\" does not say \"%s\"\n", error.message, words), abort ();
  builder_model_free (built);
}

static void expect_reason (struct builder_options options, const char *words)
{
  struct builder_model *built = builder_model_new (&options);
  struct engine_model *model = NULL;
  struct engine_session *session = NULL;
  struct engine_error error = { 0 };
  assert (engine_model_open (built->path, &model, &error) == ENGINE_OK);
  const struct engine_model_info *info = engine_model_get_info (model);
  assert (!info->runs);
  if (!strstr (info->reason, words))
    fprintf (stderr, "\"%s\" does not say \"%s\"\n", info->reason, words), abort ();
  assert (engine_session_new (model, NULL, &session, &error) == ENGINE_ERROR_UNSUPPORTED && !session);
  assert (strcmp (error.message, info->reason) == 0);
  assert (engine_model_get_session_bytes (model, 100) == 0);
  engine_model_close (model);
  builder_model_free (built);
}

static void test_bad_files (void)
{
  static const char *const tensors[] = {
    "output_norm.weight",       "blk.0.attn_norm.weight", "blk.1.attn_q.weight",   "blk.2.attn_k.weight",
    "blk.0.attn_v.weight",      "blk.1.ffn_norm.weight",  "blk.2.ffn_gate.weight", "blk.2.ffn_up.weight",
    "blk.0.attn_output.weight", "blk.2.ffn_down.weight",  "token_embd.weight",
  };
  for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
    struct builder_options options = base;
    options.without = tensors[i];
    expect_open_error (options, tensors[i]);
    options.without = NULL;
    options.misshapen = tensors[i];
    /* one more row of embeddings is a larger vocabulary: then it is the head that does not fit */
    expect_open_error (options, strcmp (tensors[i], "token_embd.weight") == 0 ? "output.weight" : tensors[i]);
  }
  struct builder_options options = base;
  options.arch = "qwen2";
  options.without = "blk.1.attn_k.bias";
  expect_open_error (options, "blk.1.attn_k.bias");
  options.without = NULL;
  options.misshapen = "blk.2.attn_q.bias";
  expect_open_error (options, "blk.2.attn_q.bias");
  options = base;
  options.arch = "qwen3";
  options.misshapen = "blk.1.attn_k_norm.weight";
  expect_open_error (options, "blk.1.attn_k_norm.weight");
  options = base;
  options.n_kv_heads = 3;
  expect_open_error (options, "llama.attention.head_count_kv");
  options = base;
  options.rope_factors = true;
  options.misshapen = "rope_freqs.weight";
  expect_open_error (options, "rope_freqs.weight");

  options = base;
  options.extra = "blk.0.attn_q_norm.weight";
  expect_reason (options, "blk.0.attn_q_norm.weight");
  options = base;
  options.rope_scaling = "dynamic";
  options.rope_factor = 2;
  expect_reason (options, "dynamic");
  options = base;
  options.arch = "rwkv7";
  expect_reason (options, "rwkv7");
  options = base;
  options.head_dim = 512;
  options.n_layers = 1;
  expect_reason (options, "512");
}

static void test_info (void)
{
  struct builder_options options = base;
  options.f16 = true;
  struct builder_model *built = builder_model_new (&options);
  struct engine_model *model = NULL;
  assert (engine_model_open (built->path, &model, NULL) == ENGINE_OK);
  const struct engine_model_info *info = engine_model_get_info (model);
  assert (strcmp (info->architecture, "llama") == 0 && strcmp (info->path, built->path) == 0);
  assert (strcmp (info->tensor_types, "F16 23, F32 7") == 0);
  assert (strcmp (info->tokenizer, "") == 0 && strcmp (info->chat_template, "") == 0 && strcmp (info->reason, "") == 0);
  assert (info->n_layers == 3 && info->n_embd == 48 && info->n_heads == 4 && info->n_kv_heads == 2);
  assert (info->context_tokens == 64 && info->n_tensors == 30);
  uint64_t n_parameters = 0;
  for (size_t i = 0; i < built->n_tensors; i++)
    n_parameters += (uint64_t)built->tensors[i].n_cols * (built->tensors[i].n_rows ? built->tensors[i].n_rows : 1);
  assert (info->n_parameters == n_parameters);
  assert (engine_model_get_session_bytes (model, 64) > 64 * info->kv_bytes_per_token);
  assert (engine_model_get_session_bytes (model, 0) == engine_model_get_session_bytes (model, 64));
  struct engine_error error;
  assert (engine_tokenize (model, "a", 1, 0, &(struct engine_tokens){ 0 }, &error) == ENGINE_ERROR_UNSUPPORTED);
  engine_model_close (model);
  builder_model_free (built);
  assert (engine_model_open ("/nonexistent/model.gguf", &model, &error) == ENGINE_ERROR_IO);
}

int main (void)
{
  test_families ();
  test_window ();
  test_rope_variants ();
  test_bad_files ();
  test_info ();
  return 0;
}
