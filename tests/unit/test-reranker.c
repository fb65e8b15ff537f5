/* Rerankers: pairs of texts and their token types, the head that scores, prompts of the model's own. */
#include "engine/engine.h"
#include "tests/unit/bert-reference.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLS_ID = 2, SEP_ID = 3, POOLING_RANK = 4, N_EMBD = 48, CONTEXT = 40 };

static const struct builder_options bert = {
  .arch = "bert",
  .n_layers = 2,
  .n_embd = N_EMBD,
  .n_heads = 4,
  .n_kv_heads = 4,
  .head_dim = 12,
  .n_ff = 96,
  .n_vocab = 70,
  .context_tokens = CONTEXT,
  .pooling = POOLING_RANK,
  .n_labels = 1,
  .vocabulary = true,
  .seed = 12,
};

static struct engine_text text_of (const char *text)
{
  return (struct engine_text){ text, strlen (text) };
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
  assert (info->role == ENGINE_ROLE_RERANKER);
  return model;
}

static struct engine_encoder *new_encoder (const struct engine_model *model)
{
  struct engine_encoder *encoder = NULL;
  struct engine_error error = { 0 };
  if (engine_encoder_new (model, NULL, &encoder, &error) != ENGINE_OK)
    fprintf (stderr, "%s\n", error.message), abort ();
  return encoder;
}

static float score (struct engine_encoder *encoder, const char *query, const char *passage)
{
  const struct engine_text q = text_of (query), p = text_of (passage);
  struct engine_error error = { 0 };
  float value;
  if (engine_encoder_rerank (encoder, &q, &p, 1, &value, &error) != ENGINE_OK)
    fprintf (stderr, "%s\n", error.message), abort ();
  return value;
}

/* The head over the first token: a layer, tanh, a label for each row. */
static float reference_score (const struct builder_model *m, const struct engine_tokens *tokens, const uint8_t *types)
{
  float *x = bert_reference_run (m, tokens->ids, types, (uint32_t)tokens->n);
  const float *w = builder_model_get (m, "cls.weight"), *bias = builder_model_get (m, "cls.bias");
  double logit = builder_model_get (m, "cls.output.bias")[0];
  for (size_t r = 0; r < N_EMBD; r++) {
    double sum = bias[r];
    for (size_t c = 0; c < N_EMBD; c++)
      sum += w[r * N_EMBD + c] * x[c];
    logit += builder_model_get (m, "cls.output.weight")[r] * tanh (sum);
  }
  free (x);
  return (float)logit;
}

/* [CLS] query [SEP] passage [SEP], the second half of type 1. */
static float expected_score (const struct builder_model *built, const struct engine_model *model, const char *query,
                             const char *passage, bool with_types)
{
  struct engine_tokens texts[2] = { 0 };
  const char *const words[] = { query, passage };
  int32_t ids[CONTEXT];
  uint8_t types[CONTEXT];
  size_t n = 0;
  ids[n] = CLS_ID;
  types[n++] = 0;
  for (uint8_t i = 0; i < 2; i++) {
    assert (engine_tokenize (model, words[i], strlen (words[i]), ENGINE_TOKENIZE_TEXT, &texts[i], NULL) == ENGINE_OK);
    for (size_t j = 0; j < texts[i].n && n < CONTEXT - 1; j++, n++) {
      ids[n] = texts[i].ids[j];
      types[n] = i;
    }
    ids[n] = SEP_ID;
    types[n++] = i;
    engine_tokens_clear (&texts[i]);
  }
  const struct engine_tokens tokens = { .ids = ids, .n = n };
  return reference_score (built, &tokens, with_types ? types : NULL);
}

static void test_pairs (uint32_t n_labels)
{
  static const char *const pairs[][2] = {
    { "abc", "de fgh" },
    { "a b", "" },
    { "", "xyz" },
    { "short", "abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz" }, /* loses its end */
  };
  struct builder_options options = bert;
  options.n_labels = n_labels;
  struct builder_model *built = builder_model_new (&options);
  struct engine_model *model = open_model (built);
  struct engine_encoder *encoder = new_encoder (model);
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    const float expected = expected_score (built, model, pairs[i][0], pairs[i][1], true);
    const float untyped = expected_score (built, model, pairs[i][0], pairs[i][1], false);
    const float value = score (encoder, pairs[i][0], pairs[i][1]);
    printf ("%u labels, pair %zu: %.6f for %.6f; %.6f without token types\n", n_labels, i, value, expected, untyped);
    assert (fabsf (value - expected) < 2e-5f);
    assert (fabsf (untyped - expected) > 1e-3f); /* else the test would not see the types */
  }
  engine_encoder_free (encoder);
  engine_model_close (model);
  builder_model_free (built);
}

/* Many passages in one call score as each by itself. */
static void test_batch (void)
{
  struct builder_model *built = builder_model_new (&bert);
  struct engine_model *model = open_model (built);
  struct engine_encoder *encoder = new_encoder (model);
  struct engine_error error;
  const struct engine_text query = text_of ("which"),
                           passages[] = { text_of ("one"), text_of ("two three"), text_of ("") };
  float scores[3];
  assert (engine_encoder_rerank (encoder, &query, passages, 3, scores, &error) == ENGINE_OK);
  for (size_t i = 0; i < 3; i++)
    assert (scores[i] == score (encoder, "which", passages[i].bytes));
  assert (scores[0] != scores[1] && scores[1] != scores[2]);
  assert (engine_encoder_rerank (encoder, &query, NULL, 0, NULL, &error) == ENGINE_OK);

  const float before[3] = { scores[0], scores[1], scores[2] };
  engine_encoder_cancel (encoder);
  assert (engine_encoder_rerank (encoder, &query, passages, 3, scores, &error) == ENGINE_ERROR_CANCELLED);
  assert (memcmp (before, scores, sizeof scores) == 0);
  assert (engine_encoder_rerank (encoder, &query, passages, 3, scores, &error) == ENGINE_OK);

  const struct engine_text lengthy = text_of ("abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz");
  assert (engine_encoder_rerank (encoder, &lengthy, passages, 3, scores, &error) == ENGINE_ERROR_RANGE);
  float vector[N_EMBD];
  assert (engine_encoder_embed (encoder, "a", 1, vector, &error) == ENGINE_ERROR_UNSUPPORTED);
  engine_encoder_free (encoder);
  engine_model_close (model);
  builder_model_free (built);
}

static void test_no_reranker (void)
{
  struct builder_options options = bert;
  options.n_labels = 0;
  options.pooling = 1;
  struct builder_model *built = builder_model_new (&options);
  struct engine_model *model = NULL;
  struct engine_error error;
  float value;
  assert (engine_model_open (built->path, &model, &error) == ENGINE_OK);
  struct engine_encoder *encoder = new_encoder (model);
  const struct engine_text text = text_of ("a");
  assert (engine_encoder_rerank (encoder, &text, &text, 1, &value, &error) == ENGINE_ERROR_UNSUPPORTED);
  assert (strstr (error.message, "reranker"));
  engine_encoder_free (encoder);
  engine_model_close (model);
  builder_model_free (built);
}

/* ---- decoders: a prompt, and the last token --------------------------------------------------------------- */

static const struct builder_options qwen3 = {
  .arch = "qwen3",
  .n_layers = 2,
  .n_embd = N_EMBD,
  .n_heads = 4,
  .n_kv_heads = 2,
  .head_dim = 12,
  .n_ff = 96,
  .n_vocab = 70,
  .context_tokens = CONTEXT,
  .pooling = POOLING_RANK,
  .n_labels = 2,
  .vocabulary = true,
  .template = "[CLS] q {query} d {document} [SEP] z",
  .seed = 13,
};

static void test_prompt (void)
{
  struct builder_model *built = builder_model_new (&qwen3);
  struct engine_model *model = open_model (built);
  struct engine_encoder *encoder = new_encoder (model);
  const float plain = score (encoder, "abc", "de");
  assert (plain > 0 && plain < 1); /* a probability */
  assert (score (encoder, "abc", "df") != plain && score (encoder, "abd", "de") != plain);

  /* A special token written in a text is only text: it cannot end the passage. */
  struct builder_options options = qwen3;
  options.template = "[CLS] q {query} d de [SEP] z [SEP] z";
  struct builder_model *forged = builder_model_new (&options);
  struct engine_model *forged_model = open_model (forged);
  struct engine_encoder *forged_encoder = new_encoder (forged_model);
  assert (score (forged_encoder, "abc", "") != score (encoder, "abc", "de [SEP] z"));

  /* Too long a passage: what lies beyond the context is no matter, what lies before it is, and the prompt's end stays. */
  char text[401];
  for (size_t i = 0; i < 400; i += 2)
    memcpy (text + i, (char[]){ (char)('a' + i % 26), ' ' }, 2);
  text[400] = '\0';
  const float cut = score (encoder, "abc", text);
  text[398] = 'q';
  assert (score (encoder, "abc", text) == cut);
  text[20] = 'q';
  assert (score (encoder, "abc", text) != cut);
  const struct engine_text lengthy = { text, 400 }, passage = text_of ("a");
  struct engine_error error;
  float value;
  assert (engine_encoder_rerank (encoder, &lengthy, &passage, 1, &value, &error) == ENGINE_ERROR_RANGE);

  engine_encoder_free (forged_encoder);
  engine_model_close (forged_model);
  builder_model_free (forged);
  engine_encoder_free (encoder);
  engine_model_close (model);
  builder_model_free (built);
}

static void test_odd_templates (void)
{
  static const struct {
    const char *template;
    int status;
  } rows[] = {
    { "", ENGINE_ERROR_FORMAT },
    { "z", ENGINE_OK }, /* scores nothing, but harms nobody */
    { "{query}{document}", ENGINE_OK },
    { "{query} {document} {query} {document}", ENGINE_OK },
    { "{query}{query}{query}{query}{query}", ENGINE_ERROR_UNSUPPORTED },
    { "{query {document", ENGINE_OK },
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct builder_options options = qwen3;
    options.template = rows[i].template;
    struct builder_model *built = builder_model_new (&options);
    struct engine_model *model = open_model (built);
    struct engine_encoder *encoder = new_encoder (model);
    const struct engine_text query = text_of ("ab"), passage = text_of ("cd");
    float value;
    assert (engine_encoder_rerank (encoder, &query, &passage, 1, &value, NULL) == rows[i].status);
    engine_encoder_free (encoder);
    engine_model_close (model);
    builder_model_free (built);
  }
}

int main (void)
{
  test_pairs (1);
  test_pairs (3);
  test_batch ();
  test_no_reranker ();
  test_prompt ();
  test_odd_templates ();
  return 0;
}
