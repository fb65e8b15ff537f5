/* show-survivors.c: show-survivors MODEL ID,ID,… TOP_K TYPICAL TOP_P MIN_P TEMPERATURE REPEAT FREQUENCY PRESENCE LAST_N prints
 * what the chain of samplers leaves after that prompt: a line "id probability" per token. For oracle-samplers.py. */
#include "engine/sampling/sampler.h"
#include <stdio.h>
#include <stdlib.h>

int main (int argc, char **argv)
{
  struct engine_model *model;
  struct engine_session *session;
  struct engine_sampler *sampler;
  struct engine_error error = { 0 };
  int32_t ids[256];
  size_t n = 0;
  if (argc != 12)
    return 2;
  for (char *p = argv[2]; *p && n < 256; p += *p == ',')
    ids[n++] = (int32_t)strtol (p, &p, 10);
  float v[12];
  for (int i = 3; i < 12; i++)
    v[i] = strtof (argv[i], NULL);
  struct engine_sampler_options options = { .top_k = (uint32_t)v[3],
                                            .typical_p = v[4],
                                            .top_p = v[5],
                                            .min_p = v[6],
                                            .temperature = v[7],
                                            .repeat_penalty = v[8],
                                            .frequency_penalty = v[9],
                                            .presence_penalty = v[10],
                                            .penalty_window = (uint32_t)v[11] };
  struct engine_session_options exact = { .exact = true, .n_threads = 1 };
  if (engine_model_open (argv[1], &model, &error) != ENGINE_OK
      || engine_session_new (model, &exact, &session, &error) != ENGINE_OK
      || engine_session_set_tokens (session, ids, n, NULL, &error) != ENGINE_OK
      || engine_sampler_new (&options, engine_model_get_info (model)->n_vocab, &sampler, &error) != ENGINE_OK) {
    fprintf (stderr, "%s\n", error.message);
    return 1;
  }
  engine_sampler_restart (sampler, ids, n);
  const struct candidates *left = sampler_select (sampler, engine_session_get_logits (session));
  for (size_t i = 0; i < left->n; i++)
    printf ("%d %.9g\n", left->items[i].id, (double)left->items[i].probability);
  engine_sampler_free (sampler);
  engine_session_free (session);
  engine_model_close (model);
  return 0;
}
