/* BERT encoders against arithmetic written out for reading, and what an application may rely on. */
#include "engine/engine.h"
#include "tests/unit/bert-reference.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_MEAN = 1, POOL_CLS, POOL_LAST };

static void reference_embed (const struct builder_model *m, const int32_t *ids, uint32_t n, float *vector)
{
  const struct builder_options *o = &m->options;
  uint32_t e = o->n_embd;
  float *x = bert_reference_run (m, ids, NULL, n);
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
  float *expected = reference_array (options->n_embd), *vector = reference_array (options->n_embd),
        *again = reference_array (options->n_embd);
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

/* Cut to fewer dimensions, a vector is the beginning of the whole one, of length 1 again. */
static void test_dimensions (void)
{
  enum { N = 48, FEW = 7 };
  struct builder_model *built = builder_model_new (&base);
  struct engine_model *model = open_model (built);
  struct engine_encoder *encoder = NULL;
  struct engine_error error;
  struct engine_encoder_options options = { .n_threads = 1 };
  float whole[N], few[FEW + 1], squares = 0;
  assert (engine_encoder_new (model, &options, &encoder, &error) == ENGINE_OK);
  assert (engine_encoder_embed (encoder, "abc de", 6, whole, &error) == ENGINE_OK);
  engine_encoder_free (encoder);
  options.dimensions = FEW;
  assert (engine_encoder_new (model, &options, &encoder, &error) == ENGINE_OK);
  assert (engine_encoder_get_dimensions (encoder) == FEW);
  few[FEW] = 42;
  assert (engine_encoder_embed (encoder, "abc de", 6, few, &error) == ENGINE_OK);
  assert (few[FEW] == 42);
  engine_encoder_free (encoder);
  for (size_t i = 0; i < FEW; i++)
    squares += whole[i] * whole[i];
  for (size_t i = 0; i < FEW; i++)
    assert (fabsf (few[i] - whole[i] / sqrtf (squares)) < 1e-6f);
  options.dimensions = N + 1;
  encoder = NULL;
  assert (engine_encoder_new (model, &options, &encoder, &error) == ENGINE_ERROR_RANGE && !encoder);
  assert (strstr (error.message, "48"));
  engine_model_close (model);
  builder_model_free (built);
}

/* Heads after the pooling: two matrices, without anything between them. */
static void test_dense (void)
{
  enum { N = 48, WIDE = 96, OUT = 48 };
  struct builder_options options = base;
  options.n_dense = WIDE;
  struct builder_model *built = builder_model_new (&options);
  struct engine_model *model = open_model (built);
  struct engine_encoder *encoder;
  struct engine_error error;
  struct engine_tokens tokens = { 0 };
  float pooled[N], wide[WIDE] = { 0 }, expected[OUT] = { 0 }, vector[OUT];
  double squares = 0;
  assert (engine_tokenize (model, "abc de", 6, ENGINE_TOKENIZE_ADD_SPECIAL, &tokens, &error) == ENGINE_OK);
  reference_embed (built, tokens.ids, (uint32_t)tokens.n, pooled);
  for (size_t r = 0; r < WIDE; r++)
    for (size_t c = 0; c < N; c++)
      wide[r] += builder_model_get (built, "dense_2.weight")[r * N + c] * pooled[c];
  for (size_t r = 0; r < OUT; r++) {
    for (size_t c = 0; c < WIDE; c++)
      expected[r] += builder_model_get (built, "dense_3.weight")[r * WIDE + c] * wide[c];
    squares += expected[r] * expected[r];
  }
  assert (engine_encoder_new (model, NULL, &encoder, &error) == ENGINE_OK);
  assert (engine_encoder_get_dimensions (encoder) == OUT);
  assert (engine_encoder_embed (encoder, "abc de", 6, vector, &error) == ENGINE_OK);
  for (size_t i = 0; i < OUT; i++)
    assert (fabs (vector[i] - expected[i] / sqrt (squares)) < 2e-5);
  engine_tokens_clear (&tokens);
  engine_encoder_free (encoder);
  engine_model_close (model);
  builder_model_free (built);
}

/* What an encoder takes grows with the texts, and is what was announced. */
static void test_memory (void)
{
  struct builder_options options = base;
  options.context_tokens = 4096;
  struct builder_model *built = builder_model_new (&options);
  struct engine_model *model = open_model (built);
  const uint64_t first = engine_model_get_session_bytes (model, 0), all = engine_model_get_session_bytes (model, 4096);
  assert (first > 0 && first == engine_model_get_session_bytes (model, 512));
  assert (first < engine_model_get_session_bytes (model, 513) && engine_model_get_session_bytes (model, 513) < all);
  assert (all > 3 * first && all == engine_model_get_session_bytes (model, UINT32_MAX));
  engine_model_close (model);
  builder_model_free (built);
  options.context_tokens = 1300; /* longer than two steps, and no multiple of them */
  options.n_layers = 1;
  char text[3001];
  for (size_t i = 0; i < 3000; i += 2)
    memcpy (text + i, (char[]){ (char)('a' + i % 26), ' ' }, 2);
  text[3000] = '\0';
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
  expect_reason (options, ENGINE_ROLE_RERANKER, "without the tensors that score");
  options = base;
  options.vocabulary = false;
  expect_reason (options, ENGINE_ROLE_ENCODER, "tokenizer");
}

int main (void)
{
  test_poolings ();
  test_long_context ();
  test_dimensions ();
  test_dense ();
  test_memory ();
  test_cancel ();
  test_bad_files ();
  return 0;
}
