/* BERT encoders against arithmetic written out for reading, and what an application may rely on. */
#include "engine/engine.h"
#include "engine/kernels/matmul.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float *array (size_t n)
{
  float *values = calloc (n, sizeof *values);
  assert (values);
  return values;
}

static void linear (const struct builder_model *m, uint32_t layer, const char *name, const float *x, uint32_t n_cols,
                    uint32_t n_rows, float *out)
{
  const float *w = builder_model_get (m, "blk.%u.%s.weight", layer, name);
  const float *bias = builder_model_get (m, "blk.%u.%s.bias", layer, name);
  for (uint32_t r = 0; r < n_rows; r++) {
    double sum = bias[r];
    for (uint32_t c = 0; c < n_cols; c++)
      sum += (double)w[(size_t)r * n_cols + c] * x[c];
    out[r] = (float)sum;
  }
}

static void normalize (const float *weight, const float *bias, uint32_t n, float *x)
{
  double mean = 0, variance = 0;
  for (uint32_t i = 0; i < n; i++)
    mean += x[i];
  mean /= n;
  for (uint32_t i = 0; i < n; i++)
    variance += (x[i] - mean) * (x[i] - mean);
  for (uint32_t i = 0; i < n; i++)
    x[i] = (float)((x[i] - mean) / sqrt (variance / n + 1e-5)) * weight[i] + bias[i];
}

static void round_to_half (float *x, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++) {
    uint16_t half;
    f32_to_f16 (x + i, &half, 1);
    f16_to_f32 (&half, x + i, 1);
  }
}

static void attend (const struct builder_options *o, const float *q, const float *k, const float *v, uint32_t n,
                    float *out)
{
  double *weights = calloc (n, sizeof *weights);
  assert (weights);
  for (uint32_t h = 0; h < o->n_heads; h++) {
    uint32_t at = h * o->head_dim;
    double total = 0;
    for (uint32_t p = 0; p < n; p++) {
      double score = 0;
      for (uint32_t d = 0; d < o->head_dim; d++)
        score += (double)q[at + d] * k[p * o->n_embd + at + d];
      total += weights[p] = exp (score / sqrt (o->head_dim));
    }
    for (uint32_t d = 0; d < o->head_dim; d++) {
      double sum = 0;
      for (uint32_t p = 0; p < n; p++)
        sum += weights[p] / total * v[p * o->n_embd + at + d];
      out[at + d] = (float)sum;
    }
  }
  free (weights);
}

static void reference_layer (const struct builder_model *m, uint32_t l, float *x, uint32_t n)
{
  const struct builder_options *o = &m->options;
  uint32_t e = o->n_embd;
  float *q = array ((size_t)n * e), *k = array ((size_t)n * e), *v = array ((size_t)n * e), *h = array (e);
  float *attended = array (e), *inner = array (o->n_ff);
  for (uint32_t t = 0; t < n; t++) {
    linear (m, l, "attn_q", x + t * e, e, e, q + t * e);
    linear (m, l, "attn_k", x + t * e, e, e, k + t * e);
    linear (m, l, "attn_v", x + t * e, e, e, v + t * e);
    round_to_half (k + t * e, e);
    round_to_half (v + t * e, e);
  }
  for (uint32_t t = 0; t < n; t++) {
    attend (o, q + t * e, k, v, n, attended);
    linear (m, l, "attn_output", attended, e, e, h);
    for (uint32_t i = 0; i < e; i++)
      x[t * e + i] += h[i];
    normalize (builder_model_get (m, "blk.%u.attn_output_norm.weight", l),
               builder_model_get (m, "blk.%u.attn_output_norm.bias", l), e, x + t * e);
    linear (m, l, "ffn_up", x + t * e, e, o->n_ff, inner);
    for (uint32_t i = 0; i < o->n_ff; i++)
      inner[i] = (float)(0.5 * inner[i] * (1 + erf (inner[i] / sqrt (2))));
    linear (m, l, "ffn_down", inner, o->n_ff, e, h);
    for (uint32_t i = 0; i < e; i++)
      x[t * e + i] += h[i];
    normalize (builder_model_get (m, "blk.%u.layer_output_norm.weight", l),
               builder_model_get (m, "blk.%u.layer_output_norm.bias", l), e, x + t * e);
  }
  float *all[] = { q, k, v, h, attended, inner };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    free (all[i]);
}

enum { POOL_MEAN = 1, POOL_CLS, POOL_LAST };

static void reference_embed (const struct builder_model *m, const int32_t *ids, uint32_t n, float *vector)
{
  const struct builder_options *o = &m->options;
  uint32_t e = o->n_embd;
  float *x = array ((size_t)n * e);
  for (uint32_t t = 0; t < n; t++) {
    for (uint32_t i = 0; i < e; i++)
      x[t * e + i] = builder_model_get (m, "token_embd.weight")[(size_t)ids[t] * e + i]
                     + builder_model_get (m, "position_embd.weight")[t * e + i]
                     + builder_model_get (m, "token_types.weight")[i];
    normalize (builder_model_get (m, "token_embd_norm.weight"), builder_model_get (m, "token_embd_norm.bias"), e,
               x + t * e);
  }
  for (uint32_t l = 0; l < o->n_layers; l++)
    reference_layer (m, l, x, n);
  double squares = 0;
  for (uint32_t i = 0; i < e; i++) {
    double sum = 0;
    for (uint32_t t = 0; t < n; t++)
      if (o->pooling == POOL_MEAN || (o->pooling == POOL_CLS && t == 0) || (o->pooling == POOL_LAST && t == n - 1))
        sum += x[t * e + i];
    vector[i] = (float)sum;
    squares += sum * sum;
  }
  for (uint32_t i = 0; i < e; i++)
    vector[i] /= (float)sqrt (squares);
  free (x);
}

static const struct builder_options base = {
  .arch = "bert",
  .n_layers = 2,
  .n_embd = 48,
  .n_heads = 4,
  .n_kv_heads = 4,
  .head_dim = 12,
  .n_ff = 96,
  .n_vocab = 70,
  .context_tokens = 40,
  .pooling = POOL_MEAN,
  .vocabulary = true,
  .seed = 11,
};

static float largest_difference (const float *a, const float *b, size_t n)
{
  float worst = 0;
  for (size_t i = 0; i < n; i++)
    worst = fmaxf (worst, fabsf (a[i] - b[i]));
  return worst;
}

static struct engine_model *open_model (const struct builder_model *built)
{
  struct engine_model *model = NULL;
  struct engine_error error = { 0 };
  if (engine_model_open (built->path, &model, &error) != ENGINE_OK)
    fprintf (stderr, "%s\n", error.message), abort ();
  const struct engine_model_info *info = engine_model_get_info (model);
  if (!info->runs)
    fprintf (stderr, "%s\n", info->reason), abort ();
  return model;
}

static void check_text (const struct builder_options *options, const char *text)
{
  struct builder_model *built = builder_model_new (options);
  struct engine_model *model = open_model (built);
  assert (engine_model_get_info (model)->role == ENGINE_ROLE_ENCODER);
  assert (engine_model_get_info (model)->kv_bytes_per_token == 0);
  struct engine_error error;
  struct engine_tokens tokens = { 0 };
  assert (engine_tokenize (model, text, strlen (text), ENGINE_TOKENIZE_ADD_SPECIAL, &tokens, &error) == ENGINE_OK);
  if (tokens.n > options->context_tokens) {
    tokens.ids[options->context_tokens - 1] = tokens.ids[tokens.n - 1];
    tokens.n = options->context_tokens;
  }
  float *expected = array (options->n_embd), *vector = array (options->n_embd), *again = array (options->n_embd);
  reference_embed (built, tokens.ids, (uint32_t)tokens.n, expected);
  for (int n_threads = 1; n_threads <= 2; n_threads++) {
    struct engine_encoder *encoder;
    assert (engine_encoder_new (model, &(struct engine_encoder_options){ .n_threads = n_threads }, &encoder, &error)
            == ENGINE_OK);
    assert (engine_encoder_get_dimensions (encoder) == options->n_embd);
    assert (engine_encoder_embed (encoder, text, strlen (text), vector, &error) == ENGINE_OK);
    assert (engine_encoder_embed (encoder, "q", 1, again, &error) == ENGINE_OK);
    assert (engine_encoder_embed (encoder, text, strlen (text), again, &error) == ENGINE_OK);
    assert (memcmp (vector, again, options->n_embd * sizeof *vector) == 0);
    float worst = largest_difference (vector, expected, options->n_embd);
    printf ("pooling %u, %zu tokens, %d threads: differs by at most %.2g\n", options->pooling, tokens.n, n_threads,
            worst);
    assert (worst < 2e-5f);
    engine_encoder_free (encoder);
  }
  free (expected);
  free (vector);
  free (again);
  engine_tokens_clear (&tokens);
  engine_model_close (model);
  builder_model_free (built);
}

static void test_poolings (void)
{
  struct builder_options options = base;
  for (options.pooling = POOL_MEAN; options.pooling <= POOL_LAST; options.pooling++) {
    check_text (&options, "a");
    check_text (&options, "abc de fgh");
    check_text (&options, "");
    check_text (&options, "abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz"); /* longer than the context */
  }
}

static void test_long_context (void)
{
  struct builder_options options = base;
  options.n_layers = 1;
  options.context_tokens = 400; /* more than one block of the feed-forward net */
  char text[601];
  for (size_t i = 0; i < 600; i += 2)
    memcpy (text + i, (char[]){ (char)('a' + i % 26), ' ' }, 2);
  text[600] = '\0';
  check_text (&options, text);
}

static void test_cancel (void)
{
  struct builder_model *built = builder_model_new (&base);
  struct engine_model *model = open_model (built);
  struct engine_encoder *encoder;
  struct engine_error error;
  float vector[48];
  assert (engine_encoder_new (model, NULL, &encoder, &error) == ENGINE_OK);
  engine_encoder_cancel (encoder);
  assert (engine_encoder_embed (encoder, "ab", 2, vector, &error) == ENGINE_ERROR_CANCELLED);
  assert (engine_encoder_embed (encoder, "ab", 2, vector, &error) == ENGINE_OK);
  struct engine_session *session = NULL;
  assert (engine_session_new (model, NULL, &session, &error) == ENGINE_ERROR_UNSUPPORTED && !session);
  engine_encoder_free (encoder);
  engine_model_close (model);
  builder_model_free (built);
}

static void expect_open_error (struct builder_options options, const char *words)
{
  struct builder_model *built = builder_model_new (&options);
  struct engine_model *model = NULL;
  struct engine_error error = { 0 };
  assert (engine_model_open (built->path, &model, &error) == ENGINE_ERROR_FORMAT && !model);
  if (!strstr (error.message, words))
    fprintf (stderr, "\"%s\" does not say \"%s\"\n", error.message, words), abort ();
  builder_model_free (built);
}

static void expect_reason (struct builder_options options, enum engine_role role, const char *words)
{
  struct builder_model *built = builder_model_new (&options);
  struct engine_model *model = NULL;
  struct engine_encoder *encoder = NULL;
  struct engine_error error = { 0 };
  assert (engine_model_open (built->path, &model, &error) == ENGINE_OK);
  const struct engine_model_info *info = engine_model_get_info (model);
  assert (!info->runs && info->role == role);
  if (!strstr (info->reason, words))
    fprintf (stderr, "\"%s\" does not say \"%s\"\n", info->reason, words), abort ();
  assert (engine_encoder_new (model, NULL, &encoder, &error) == ENGINE_ERROR_UNSUPPORTED && !encoder);
  engine_model_close (model);
  builder_model_free (built);
}

static void test_bad_files (void)
{
  static const char *const tensors[] = {
    "position_embd.weight", "token_embd_norm.bias",  "blk.0.attn_q.bias",           "blk.1.attn_output.bias",
    "blk.0.ffn_up.bias",    "blk.1.ffn_down.weight", "blk.1.attn_output_norm.bias", "blk.0.layer_output_norm.weight",
  };
  for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
    struct builder_options options = base;
    options.without = tensors[i];
    expect_open_error (options, tensors[i]);
    options.without = NULL;
    options.misshapen = tensors[i];
    expect_open_error (options, tensors[i]);
  }
  struct builder_options options = base;
  options.pooling = 9;
  expect_open_error (options, "pooling_type");
  options.pooling = 4;
  expect_reason (options, ENGINE_ROLE_RERANKER, "reranker");
  options = base;
  options.vocabulary = false;
  expect_reason (options, ENGINE_ROLE_ENCODER, "tokenizer");
}

int main (void)
{
  test_poolings ();
  test_long_context ();
  test_cancel ();
  test_bad_files ();
  return 0;
}
