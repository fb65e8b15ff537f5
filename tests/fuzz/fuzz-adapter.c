/* fuzz-adapter.c: any bytes either open as an adapter of a tiny model or fail with a sentence; what opens can be applied
 * and taken off again, and the model is as it was. */
#include "engine/adapter/adapter.h"
#include "tests/unit/family-models.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* One for each way of multiplying that differs: fused rows, experts, a tied head. */
static const enum family families[] = { FAMILY_PHI3, FAMILY_MIXTRAL, FAMILY_LLAMA_TIED };
enum { N = sizeof families / sizeof *families, N_IDS = 5 };

static const int32_t ids[N_IDS] = { 1, 69, 4, 0, 7 };

static struct base {
  struct engine_model *model;
  struct engine_session *session;
  float logits[FAMILY_VOCAB];
} bases[N];

static void check (bool good)
{
  if (!good)
    abort ();
}

static void evaluate (struct engine_session *session)
{
  check (engine_session_set_tokens (session, ids, N_IDS - 1, NULL, NULL) == ENGINE_OK);
  check (engine_session_append (session, ids[N_IDS - 1], NULL) == ENGINE_OK);
}

static void open_base (struct base *base, enum family family)
{
  const struct engine_session_options options = { .context_tokens = 8, .n_threads = 1 };
  char path[] = "/tmp/lectern-fuzz-XXXXXX";
  struct bytes bytes = family_make_model (family);
  int fd = mkstemp (path);
  check (fd >= 0 && write (fd, bytes.data, bytes.n) == (ssize_t)bytes.n);
  check (engine_model_open (path, &base->model, NULL) == ENGINE_OK);
  unlink (path);
  close (fd);
  bytes_clear (&bytes);
  check (engine_session_new (base->model, &options, &base->session, NULL) == ENGINE_OK);
  evaluate (base->session);
  memcpy (base->logits, engine_session_get_logits (base->session), sizeof base->logits);
}

static void try_base (struct base *base, const uint8_t *data, size_t size)
{
  struct gguf *gguf = NULL;
  struct engine_adapter *adapter = NULL;
  struct engine_error error = { 0 };
  const float scale = .5f;
  if (gguf_open_memory (data, size, &gguf, NULL) != ENGINE_OK)
    return;
  if (adapter_new (base->model, gguf, &adapter, &error) != ENGINE_OK) {
    check (error.status < 0 && error.message[0] != '\0' && !adapter);
    return;
  }
  if (engine_session_set_adapters (base->session, (const struct engine_adapter *const *)&adapter, &scale, 1, NULL)
      == ENGINE_OK) {
    evaluate (base->session);
    check (engine_session_set_adapters (base->session, NULL, NULL, 0, NULL) == ENGINE_OK);
    evaluate (base->session);
    check (memcmp (base->logits, engine_session_get_logits (base->session), sizeof base->logits) == 0);
  }
  engine_adapter_close (adapter);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  for (size_t i = 0; i < N; i++) {
    if (!bases[i].model)
      open_base (&bases[i], families[i]);
    try_base (&bases[i], data, size);
  }
  return 0;
}
