/* A real trained model (shared/eval/weights/stories260K) against golden outputs of an independent implementation:
 * token ids, all logits after the prompt, and every greedily generated token. Skipped where that data is absent. */
#include "engine/engine.h"
#include <assert.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_SKIPPED 77
#define N_VOCAB 512

struct variant {
  const char *model, *golden;
  double logit_tolerance;     /* of exact arithmetic against the golden logits */
  size_t least_equal_percent; /* of the generated tokens, with the fast arithmetic */
};

/* The golden outputs of quantised models are computed from dequantised weights: exact arithmetic must agree. */
static const struct variant variants[] = {
  { "stories260K.f32.gguf", "golden.jsonl", 1e-3, 100 },
  { "stories260K.F16.gguf", "golden.jsonl", 0.05, 100 },
  { "stories260K.Q8_0.gguf", "golden.Q8_0.jsonl", 1e-3, 80 },
  { "stories260K.Q4_0.gguf", "golden.Q4_0.jsonl", 1e-3, 50 },
};

static size_t read_ids (JsonObject *golden, const char *name, int32_t *ids)
{
  JsonArray *array = json_object_get_array_member (golden, name);
  size_t n = json_array_get_length (array);
  assert (n <= N_VOCAB);
  for (guint i = 0; i < n; i++)
    ids[i] = (int32_t)json_array_get_int_element (array, i);
  return n;
}

/* Generates greedily up to n_ids tokens and counts those that are as in ids[]. */
static size_t count_equal (struct engine_session *session, const int32_t *ids, size_t n_prompt, size_t n_ids)
{
  struct engine_logprob best;
  size_t n_equal = 0;
  assert (engine_session_set_tokens (session, ids, n_prompt, NULL, NULL) == ENGINE_OK);
  for (size_t i = n_prompt; i < n_ids; i++) {
    engine_top_logprobs (engine_session_get_logits (session), N_VOCAB, &best, 1);
    n_equal += best.id == ids[i];
    assert (engine_session_append (session, ids[i], NULL) == ENGINE_OK);
  }
  return n_equal;
}

static double get_difference (const float *logits, JsonArray *golden)
{
  double worst = 0;
  assert (json_array_get_length (golden) == N_VOCAB);
  for (guint i = 0; i < N_VOCAB; i++)
    worst = fmax (worst, fabs (logits[i] - json_array_get_double_element (golden, i)));
  return worst;
}

static void check_prompt (const struct variant *variant, const struct engine_model *model, JsonObject *golden)
{
  int32_t prompt[N_VOCAB], ids[N_VOCAB];
  size_t n_prompt = read_ids (golden, "prompt_ids", prompt), n_ids = read_ids (golden, "ids", ids);
  const char *text = json_object_get_string_member (golden, "prompt");
  struct engine_tokens tokens = { 0 };
  assert (engine_tokenize (model, text, strlen (text), ENGINE_TOKENIZE_ADD_SPECIAL, &tokens, NULL) == ENGINE_OK);
  assert (tokens.n == n_prompt && memcmp (tokens.ids, prompt, n_prompt * sizeof *prompt) == 0);
  engine_tokens_clear (&tokens);

  struct engine_session *exact, *fast;
  assert (engine_session_new (model, &(struct engine_session_options){ .n_threads = 1, .exact = true }, &exact, NULL)
          == ENGINE_OK);
  assert (engine_session_new (model, &(struct engine_session_options){ .n_threads = 2 }, &fast, NULL) == ENGINE_OK);
  assert (engine_session_set_tokens (exact, prompt, n_prompt, NULL, NULL) == ENGINE_OK);
  double worst
      = get_difference (engine_session_get_logits (exact), json_object_get_array_member (golden, "first_logits"));
  size_t n_generated = n_ids - n_prompt, n_exact = count_equal (exact, ids, n_prompt, n_ids);
  size_t n_fast = count_equal (fast, ids, n_prompt, n_ids);
  printf ("%s: logits differ by at most %.2g; equal tokens of %zu: exact %zu, fast %zu\n", variant->model, worst,
          n_generated, n_exact, n_fast);
  assert (worst < variant->logit_tolerance);
  assert (n_exact == n_generated);
  assert (n_fast * 100 >= variant->least_equal_percent * n_generated);
  engine_session_free (exact);
  engine_session_free (fast);
}

static void check_perplexity (const struct engine_model *model, JsonObject *golden)
{
  int32_t ids[N_VOCAB];
  size_t n = read_ids (golden, "ids", ids);
  struct engine_session *session;
  assert (engine_session_new (model, &(struct engine_session_options){ .n_threads = 1, .exact = true }, &session, NULL)
          == ENGINE_OK);
  double nll = 0;
  for (size_t i = 0; i + 1 < n; i++) {
    assert (engine_session_append (session, ids[i], NULL) == ENGINE_OK);
    nll -= engine_logprob_of (engine_session_get_logits (session), N_VOCAB, ids[i + 1]);
  }
  double perplexity = exp (nll / (double)(n - 1));
  printf ("perplexity %.5f\n", perplexity);
  assert (fabs (perplexity - json_object_get_double_member (golden, "ppl")) < 1e-3);
  engine_session_free (session);
}

static void check_variant (const struct variant *variant, const char *folder)
{
  g_autofree char *model_path = g_build_filename (folder, variant->model, NULL);
  g_autofree char *golden_path = g_build_filename (folder, variant->golden, NULL);
  g_autofree char *text = NULL;
  struct engine_model *model;
  assert (engine_model_open (model_path, &model, NULL) == ENGINE_OK);
  assert (engine_model_get_info (model)->runs && engine_model_get_info (model)->n_vocab == N_VOCAB);
  assert (g_file_get_contents (golden_path, &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  size_t n_prompts = 0;
  for (size_t i = 0; lines[i] && *lines[i]; i++) {
    g_autoptr (JsonParser) parser = json_parser_new ();
    assert (json_parser_load_from_data (parser, lines[i], -1, NULL));
    JsonObject *golden = json_node_get_object (json_parser_get_root (parser));
    if (json_object_has_member (golden, "prompt_ids")) {
      check_prompt (variant, model, golden);
      n_prompts++;
    } else if (variant->logit_tolerance <= 1e-3) {
      check_perplexity (model, golden);
    }
  }
  assert (n_prompts >= 2);
  engine_model_close (model);
}

int main (int argc, char **argv)
{
  assert (argc == 2);
  g_autofree char *folder = g_build_filename (argv[1], "eval", "weights", "stories260K", NULL);
  if (access (folder, R_OK) != 0) {
    printf ("skipped: %s is not there\n", folder);
    return EXIT_SKIPPED;
  }
  for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
    check_variant (&variants[i], folder);
  return 0;
}
