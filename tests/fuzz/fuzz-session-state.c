/* fuzz-session-state.c: any bytes are either restored or refused with a sentence, and the session works afterwards. Each
 * input is tried as it is and with its hashes put right, in sessions of two lengths and two formats. */
#include "engine/model/fingerprint.h"
#include "engine/model/session_private.h"
#include "engine/model/state_header.h"
#include "tests/unit/model-builder.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

enum { N_SESSIONS = 3 };

static struct engine_session *sessions[N_SESSIONS];

static void open_sessions (void)
{
  static const struct engine_session_options session_options[N_SESSIONS] = {
    { .context_tokens = 24, .n_threads = 1 },
    { .context_tokens = 8, .n_threads = 1 },
    { .context_tokens = 24, .n_threads = 1, .kv = ENGINE_KV_Q8_0 },
  };
  static const struct builder_options options = {
    .arch = "llama",
    .n_layers = 1,
    .n_embd = 32,
    .n_heads = 2,
    .n_kv_heads = 1,
    .head_dim = 8,
    .n_ff = 32,
    .n_vocab = 16,
    .context_tokens = 24,
    .rope_base = 10000,
    .seed = 9,
  };
  struct engine_model *model; /* for as long as the process lives */
  struct builder_model *built = builder_model_new (&options);
  if (engine_model_open (built->path, &model, NULL) != ENGINE_OK)
    abort ();
  builder_model_free (built); /* the mapping stays */
  for (int i = 0; i < N_SESSIONS; i++)
    if (engine_session_new (model, &session_options[i], &sessions[i], NULL) != ENGINE_OK)
      abort ();
}

struct reader {
  const uint8_t *bytes;
  size_t n_bytes;
};

static bool take (void *data, void *bytes, size_t n_bytes)
{
  struct reader *reader = data;
  if (n_bytes > reader->n_bytes)
    return false;
  memcpy (bytes, reader->bytes, n_bytes);
  reader->bytes += n_bytes;
  reader->n_bytes -= n_bytes;
  return true;
}

/* The same bytes piece by piece; the session then holds what they say, what it held before, or nothing. */
static void check_pieces (struct engine_session *session, const uint8_t *data, size_t size)
{
  struct reader reader = { data, size };
  struct engine_error error = { 0 };
  const size_t before = engine_session_get_n_tokens (session);
  const int status = engine_session_read (session, take, &reader, &error);
  const size_t n = engine_session_get_n_tokens (session);
  if (status != ENGINE_OK && (status != error.status || error.message[0] == '\0' || (n != before && n != 0)))
    abort ();
  for (size_t i = 0; i < n; i++)
    if (session->ids[i] < 0 || session->ids[i] >= 16)
      abort ();
  if (n > 0 && engine_session_truncate (session, n - 1, NULL) != ENGINE_OK)
    abort ();
  if (engine_session_append (session, 3, NULL) != ENGINE_OK)
    abort ();
}

static void check (struct engine_session *session, const uint8_t *data, size_t size)
{
  struct engine_error error = { 0 };
  const size_t before = engine_session_get_n_tokens (session);
  const int status = session_restore_bytes (session, "input", data, size, &error);
  const size_t n = engine_session_get_n_tokens (session);
  if (status != ENGINE_OK && (status != error.status || error.message[0] == '\0' || n != before))
    abort ();
  for (size_t i = 0; i < n; i++)
    if (session->ids[i] < 0 || session->ids[i] >= 16)
      abort ();
  if (n > 0 && engine_session_truncate (session, n - 1, NULL) != ENGINE_OK)
    abort ();
  if (engine_session_append (session, 3, NULL) != ENGINE_OK)
    abort ();
}

/* The model's hash and both checksums become right, so that what lies behind them is reached. */
static void repair (uint8_t *bytes, size_t size, const struct engine_session *session)
{
  static const size_t model_at = 16;
  struct hash hash;
  if (size < STATE_HEADER_BYTES + HASH_BYTES)
    return;
  fingerprint_model (session->forward.model, bytes + model_at);
  hash_init (&hash);
  hash_add (&hash, bytes, STATE_HEADER_BYTES - HASH_BYTES);
  hash_finish (&hash, bytes + STATE_HEADER_BYTES - HASH_BYTES);
  hash_init (&hash);
  hash_add (&hash, bytes, size - HASH_BYTES);
  hash_finish (&hash, bytes + size - HASH_BYTES);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  uint8_t *repaired = malloc (size ? size : 1);
  if (!sessions[0])
    open_sessions ();
  if (!repaired)
    return 0;
  memcpy (repaired, data, size);
  repair (repaired, size, sessions[0]);
  for (int i = 0; i < N_SESSIONS; i++) {
    check (sessions[i], data, size);
    check (sessions[i], repaired, size);
    check_pieces (sessions[i], data, size);
    check_pieces (sessions[i], repaired, size);
  }
  free (repaired);
  return 0;
}
