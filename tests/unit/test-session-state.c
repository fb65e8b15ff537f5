/* Saved sessions: what is restored goes on as the one that was saved, to the bit; what is damaged or of another model is
 * refused with a sentence and changes nothing; a file is replaced at once or not at all.
 *
 *     test-session-state OTHER-MODEL LONG-ROPE-MODEL MODEL.gguf… */
#include "engine/model/session_private.h"
#include "engine/model/state_header.h"
#include <assert.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_PROMPT = 70, N_MORE = 6 };

static char folder[256];

struct file {
  uint8_t *bytes;
  size_t n_bytes;
};

static const char *in_folder (const char *name)
{
  static char path[512];
  snprintf (path, sizeof path, "%s/%s", folder, name);
  return path;
}

static struct engine_model *open_model (const char *path)
{
  struct engine_model *model = NULL;
  assert (engine_model_open (path, &model, NULL) == ENGINE_OK);
  return model;
}

static struct engine_session *open_session (const struct engine_model *model, uint32_t context_tokens, bool exact,
                                            enum engine_kv kv)
{
  struct engine_session *session = NULL;
  const struct engine_session_options options
      = { .context_tokens = context_tokens, .n_threads = 2, .exact = exact, .kv = kv };
  assert (engine_session_new (model, &options, &session, NULL) == ENGINE_OK);
  session->forward.buffers.n_tokens = 16; /* several batches, and so several states to go back to */
  return session;
}

static void fill_ids (int32_t *ids, size_t n)
{
  for (size_t i = 0; i < n; i++)
    ids[i] = (int32_t)(4 + (i * i + 7 * i) % 500);
}

static struct file read_file (const char *path)
{
  struct stat info;
  FILE *stream = fopen (path, "rb");
  assert (stream && fstat (fileno (stream), &info) == 0);
  struct file file = { malloc ((size_t)info.st_size), (size_t)info.st_size };
  assert (file.bytes && fread (file.bytes, 1, file.n_bytes, stream) == file.n_bytes);
  fclose (stream);
  return file;
}

static void write_file (const char *path, const uint8_t *bytes, size_t n_bytes)
{
  FILE *stream = fopen (path, "wb");
  assert (stream && fwrite (bytes, 1, n_bytes, stream) == n_bytes && fclose (stream) == 0);
}

static bool same_logits (const struct engine_session *a, const struct engine_session *b)
{
  return memcmp (engine_session_get_logits (a), engine_session_get_logits (b),
                 a->forward.model->shape.n_vocab * sizeof (float))
         == 0;
}

/* ---- round trips ------------------------------------------------------------------------------------------- */

/* Both go on alike: the same prompt, steps, and another end of the prompt. */
static void check_alike (struct engine_session *saved, struct engine_session *restored, const int32_t *ids)
{
  size_t n_cached = 0, n_cached_saved = 0;
  int32_t other[N_PROMPT + N_MORE];
  assert (engine_session_get_n_tokens (restored) == N_PROMPT);
  assert (engine_session_match (restored, ids, N_PROMPT) == N_PROMPT);
  assert (engine_session_set_tokens (restored, ids, N_PROMPT, &n_cached, NULL) == ENGINE_OK && n_cached == N_PROMPT);
  assert (same_logits (saved, restored));
  assert (engine_session_set_tokens (restored, ids, N_PROMPT + 1, &n_cached, NULL) == ENGINE_OK);
  assert (n_cached == N_PROMPT);
  assert (engine_session_append (saved, ids[N_PROMPT], NULL) == ENGINE_OK && same_logits (saved, restored));
  for (size_t i = N_PROMPT + 1; i < N_PROMPT + N_MORE; i++) {
    assert (engine_session_append (saved, ids[i], NULL) == ENGINE_OK);
    assert (engine_session_append (restored, ids[i], NULL) == ENGINE_OK);
    assert (same_logits (saved, restored));
  }
  memcpy (other, ids, sizeof other);
  other[N_PROMPT - 10] ^= 1;
  assert (engine_session_set_tokens (saved, other, N_PROMPT, &n_cached_saved, NULL) == ENGINE_OK);
  assert (engine_session_set_tokens (restored, other, N_PROMPT, &n_cached, NULL) == ENGINE_OK);
  assert (n_cached == n_cached_saved && n_cached >= 48 && same_logits (saved, restored));
}

static void test_round_trip (const char *path, bool exact, enum engine_kv kv)
{
  static const uint32_t contexts[] = { 128, N_PROMPT + N_MORE, 1000 };
  struct engine_model *model = open_model (path);
  int32_t ids[N_PROMPT + N_MORE];
  fill_ids (ids, N_PROMPT + N_MORE);
  for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++) {
    struct engine_session *saved = open_session (model, 128, exact, kv);
    struct engine_session *restored = open_session (model, contexts[i], exact, kv);
    struct stat info;
    assert (engine_session_set_tokens (saved, ids, N_PROMPT, NULL, NULL) == ENGINE_OK);
    assert (engine_session_save (saved, in_folder ("state"), NULL) == ENGINE_OK);
    assert (stat (in_folder ("state"), &info) == 0 && (info.st_mode & 0777) == 0600);
    assert (engine_session_restore (restored, in_folder ("state"), NULL) == ENGINE_OK);
    check_alike (saved, restored, ids);
    engine_session_free (saved);
    engine_session_free (restored);
  }
  engine_model_close (model);
}

/* Only what was read is in the file. */
static void test_size (const char *path)
{
  struct engine_model *model = open_model (path);
  const uint64_t per_token = engine_model_get_kv_bytes_per_token (model, ENGINE_KV_F16) + sizeof (int32_t);
  struct engine_session *session = open_session (model, 1000, false, ENGINE_KV_F16);
  int32_t ids[N_PROMPT];
  fill_ids (ids, N_PROMPT);
  assert (engine_session_save (session, in_folder ("state"), NULL) == ENGINE_OK); /* empty */
  struct file empty = read_file (in_folder ("state"));
  assert (empty.n_bytes == STATE_HEADER_BYTES + HASH_BYTES);
  assert (engine_session_set_tokens (session, ids, N_PROMPT, NULL, NULL) == ENGINE_OK);
  assert (engine_session_save (session, in_folder ("full"), NULL) == ENGINE_OK);
  struct file full = read_file (in_folder ("full"));
  assert (full.n_bytes == empty.n_bytes + N_PROMPT * per_token + model->shape.n_vocab * sizeof (float));
  assert (engine_session_restore (session, in_folder ("state"), NULL) == ENGINE_OK);
  assert (engine_session_get_n_tokens (session) == 0 && engine_session_match (session, ids, N_PROMPT) == 0);
  free (empty.bytes);
  free (full.bytes);
  engine_session_free (session);
  engine_model_close (model);
}

/* What was cancelled has tokens that are not evaluated: so has what is restored. */
static void test_unready (const char *path)
{
  struct engine_model *model = open_model (path);
  struct engine_session *saved = open_session (model, 128, false, ENGINE_KV_F16);
  struct engine_session *restored = open_session (model, 128, false, ENGINE_KV_F16);
  int32_t ids[N_PROMPT];
  fill_ids (ids, N_PROMPT);
  assert (engine_session_set_tokens (saved, ids, N_PROMPT, NULL, NULL) == ENGINE_OK);
  engine_session_cancel (saved);
  assert (engine_session_set_tokens (saved, ids, N_PROMPT - 5, NULL, NULL) == ENGINE_ERROR_CANCELLED);
  engine_session_reset_cancel (saved);
  assert (saved->n_ids == N_PROMPT - 5 && saved->n_ready < saved->n_ids);
  assert (engine_session_save (saved, in_folder ("state"), NULL) == ENGINE_OK);
  assert (engine_session_restore (restored, in_folder ("state"), NULL) == ENGINE_OK);
  assert (restored->n_ids == saved->n_ids && restored->n_ready == saved->n_ready);
  assert (engine_session_append (saved, 5, NULL) == ENGINE_OK);
  assert (engine_session_append (restored, 5, NULL) == ENGINE_OK);
  assert (engine_session_get_n_tokens (restored) == N_PROMPT - 4 && same_logits (saved, restored));
  engine_session_free (saved);
  engine_session_free (restored);
  engine_model_close (model);
}

/* ---- piece by piece ---------------------------------------------------------------------------------------- */

/* Bytes in memory that are written to their end, and read from the start. */
struct tape {
  struct file file;
  size_t at, room;
};

static bool tape_write (void *data, const void *bytes, size_t n_bytes)
{
  struct tape *tape = data;
  if (n_bytes > tape->room - tape->file.n_bytes)
    return false;
  memcpy (tape->file.bytes + tape->file.n_bytes, bytes, n_bytes);
  tape->file.n_bytes += n_bytes;
  return true;
}

static bool tape_read (void *data, void *bytes, size_t n_bytes)
{
  struct tape *tape = data;
  if (n_bytes > tape->file.n_bytes - tape->at)
    return false;
  memcpy (bytes, tape->file.bytes + tape->at, n_bytes);
  tape->at += n_bytes;
  return true;
}

static struct tape record (const struct engine_session *session, size_t n_tokens)
{
  uint64_t n_bytes = 0;
  size_t n_ready = 0;
  assert (engine_session_count_state_bytes (session, n_tokens, &n_bytes, &n_ready, NULL) == ENGINE_OK);
  assert (n_ready <= n_tokens);
  struct tape tape = { { malloc ((size_t)n_bytes), 0 }, 0, (size_t)n_bytes };
  assert (tape.file.bytes && engine_session_write (session, n_tokens, tape_write, &tape, NULL) == ENGINE_OK);
  assert (tape.file.n_bytes == n_bytes);
  return tape;
}

/* The first tokens of a longer session, read into one that holds something else, go on as those that were evaluated. */
static void test_beginnings (const char *path)
{
  static const size_t lengths[] = { 0, 1, 15, 16, 17, 40, 63, 64, N_PROMPT };
  struct engine_model *model = open_model (path);
  const bool recurrent = engine_model_get_info (model)->recurrent;
  struct engine_session *saved = open_session (model, 128, false, ENGINE_KV_F16);
  struct engine_session *restored = open_session (model, 128, false, ENGINE_KV_F16);
  struct engine_session *fresh = open_session (model, 128, false, ENGINE_KV_F16);
  int32_t ids[N_PROMPT], other[N_PROMPT];
  size_t n_cached = 0;
  fill_ids (ids, N_PROMPT);
  assert (engine_session_set_tokens (saved, ids, N_PROMPT, NULL, NULL) == ENGINE_OK);
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    const size_t n = lengths[i];
    struct tape tape = record (saved, n);
    memcpy (other, ids, sizeof other);
    for (size_t k = n; k < N_PROMPT; k++)
      other[k] ^= 1;
    assert (engine_session_set_tokens (restored, (int32_t[]){ 9, 8, 7 }, 3, NULL, NULL) == ENGINE_OK);
    assert (engine_session_read (restored, tape_read, &tape, NULL) == ENGINE_OK);
    assert (engine_session_get_n_tokens (restored) == n && tape.at == tape.file.n_bytes);
    assert (engine_session_set_tokens (restored, other, N_PROMPT, &n_cached, NULL) == ENGINE_OK);
    assert (n_cached == (recurrent && n < N_PROMPT ? n / 16 * 16 : n));
    assert (engine_session_truncate (fresh, 0, NULL) == ENGINE_OK);
    assert (engine_session_set_tokens (fresh, other, N_PROMPT, NULL, NULL) == ENGINE_OK);
    assert (same_logits (fresh, restored));
    free (tape.file.bytes);
  }
  uint64_t n_bytes;
  assert (engine_session_count_state_bytes (saved, N_PROMPT + 1, &n_bytes, NULL, NULL) == ENGINE_ERROR_RANGE);
  assert (engine_session_write (saved, N_PROMPT + 1, tape_write, NULL, NULL) == ENGINE_ERROR_RANGE);
  struct tape none = { 0 };
  assert (engine_session_write (saved, N_PROMPT, tape_write, &none, NULL) == ENGINE_ERROR_IO);
  engine_session_free (saved);
  engine_session_free (restored);
  engine_session_free (fresh);
  engine_model_close (model);
}

/* Bytes that end too early or were changed are refused, and what was half read is not kept. */
static void test_broken_tape (const char *path)
{
  struct engine_model *model = open_model (path);
  struct engine_session *session = open_session (model, 128, false, ENGINE_KV_F16);
  int32_t ids[N_PROMPT];
  fill_ids (ids, N_PROMPT);
  assert (engine_session_set_tokens (session, ids, N_PROMPT, NULL, NULL) == ENGINE_OK);
  struct tape tape = record (session, N_PROMPT - 3);
  const struct file whole = tape.file;
  float *logits = malloc (model->shape.n_vocab * sizeof *logits);
  assert (logits);
  memcpy (logits, engine_session_get_logits (session), model->shape.n_vocab * sizeof *logits);
  for (size_t n = 0; n < whole.n_bytes; n += n < STATE_HEADER_BYTES ? 1 : 4999) {
    tape = (struct tape){ { whole.bytes, n }, 0, 0 };
    assert (engine_session_read (session, tape_read, &tape, NULL) == ENGINE_ERROR_IO);
    whole.bytes[n] ^= 0x10;
    tape = (struct tape){ whole, 0, 0 };
    struct engine_error error = { 0 };
    assert (engine_session_read (session, tape_read, &tape, &error) != ENGINE_OK && error.message[0]);
    whole.bytes[n] ^= 0x10;
    const size_t left = engine_session_get_n_tokens (session);
    assert (left == N_PROMPT || (left == 0 && n + 1 > STATE_HEADER_BYTES));
    assert (engine_session_match (session, ids, N_PROMPT) == left);
  }
  assert (engine_session_set_tokens (session, ids, N_PROMPT, NULL, NULL) == ENGINE_OK);
  assert (memcmp (logits, engine_session_get_logits (session), model->shape.n_vocab * sizeof *logits) == 0);
  free (logits);
  free (whole.bytes);
  engine_session_free (session);
  engine_model_close (model);
}

/* Of the same model in another context the id is the same, of another format or model another. */
static void test_ids (const char *path, const char *other_path, const char *long_path)
{
  struct engine_model *models[] = { open_model (path), open_model (other_path), open_model (long_path) };
  struct engine_session *sessions[] = {
    open_session (models[0], 128, false, ENGINE_KV_F16),  open_session (models[0], 64, false, ENGINE_KV_F16),
    open_session (models[0], 128, false, ENGINE_KV_Q8_0), open_session (models[0], 128, true, ENGINE_KV_F16),
    open_session (models[1], 128, false, ENGINE_KV_F16),  open_session (models[2], 256, false, ENGINE_KV_F16),
    open_session (models[2], 257, false, ENGINE_KV_F16),
  };
  enum { N = sizeof sessions / sizeof *sessions };
  uint8_t ids[N][ENGINE_STATE_ID_BYTES];
  for (int i = 0; i < N; i++)
    engine_session_get_state_id (sessions[i], ids[i]);
  for (int i = 0; i < N; i++)
    for (int k = 0; k < i; k++)
      assert ((memcmp (ids[i], ids[k], sizeof ids[i]) == 0) == (i == 1 && k == 0));
  assert (engine_get_state_version () == ((uint32_t)STATE_FORMAT_VERSION << 16 | STATE_KV_VERSION));
  for (int i = 0; i < N; i++)
    engine_session_free (sessions[i]);
  for (int i = 0; i < 3; i++)
    engine_model_close (models[i]);
}

/* ---- refusals ---------------------------------------------------------------------------------------------- */

/* A session with something in it, which a refused file must leave as it is. */
struct victim {
  struct engine_session *session;
  float *logits;
  size_t n_refused;
};

static void victim_init (struct victim *victim, struct engine_session *session)
{
  const size_t n_bytes = session->forward.model->shape.n_vocab * sizeof (float);
  *victim = (struct victim){ session, malloc (n_bytes), 0 };
  assert (victim->logits && engine_session_set_tokens (session, (int32_t[]){ 9, 8, 7 }, 3, NULL, NULL) == ENGINE_OK);
  memcpy (victim->logits, engine_session_get_logits (session), n_bytes);
}

static void check_untouched (struct victim *victim)
{
  size_t n_cached = 0;
  assert (engine_session_get_n_tokens (victim->session) == 3);
  assert (engine_session_set_tokens (victim->session, (int32_t[]){ 9, 8, 7 }, 3, &n_cached, NULL) == ENGINE_OK);
  assert (n_cached == 3);
  assert (memcmp (victim->logits, engine_session_get_logits (victim->session),
                  victim->session->forward.model->shape.n_vocab * sizeof (float))
          == 0);
  victim->n_refused++;
}

static void refuse (struct victim *victim, const char *path, enum engine_status status, const char *says)
{
  struct engine_error error = { 0 };
  const int got = engine_session_restore (victim->session, path, &error);
  if (got != (int)status || !strstr (error.message, says)) {
    fprintf (stderr, "status %d (not %d), \"%s\" (no \"%s\")\n", got, status, error.message, says);
    abort ();
  }
  check_untouched (victim);
}

static void refuse_bytes (struct victim *victim, const uint8_t *bytes, size_t n_bytes, enum engine_status status,
                          const char *says)
{
  write_file (in_folder ("bad"), bytes, n_bytes);
  refuse (victim, in_folder ("bad"), status, says);
}

static void repair_hashes (struct file *file)
{
  struct hash hash;
  hash_init (&hash);
  hash_add (&hash, file->bytes, STATE_HEADER_BYTES - HASH_BYTES);
  hash_finish (&hash, file->bytes + STATE_HEADER_BYTES - HASH_BYTES);
  hash_init (&hash);
  hash_add (&hash, file->bytes, file->n_bytes - HASH_BYTES);
  hash_finish (&hash, file->bytes + file->n_bytes - HASH_BYTES);
}

/* Every bit of the header and bits all over the rest. */
static void test_damage (struct victim *victim, const struct file *good)
{
  struct file bad = { malloc (good->n_bytes + 1), good->n_bytes };
  assert (bad.bytes);
  memcpy (bad.bytes, good->bytes, good->n_bytes);
  for (size_t at = 0; at < bad.n_bytes; at += at < STATE_HEADER_BYTES ? 1 : 997)
    for (int bit = at % 8; bit < 8; bit += at < STATE_HEADER_BYTES ? 3 : 8) {
      struct engine_error error = { 0 };
      bad.bytes[at] ^= (uint8_t)(1 << bit);
      assert (session_restore_bytes (victim->session, "bad", bad.bytes, bad.n_bytes, &error) < 0 && error.message[0]);
      check_untouched (victim);
      bad.bytes[at] ^= (uint8_t)(1 << bit);
    }
  for (size_t n = 0; n < bad.n_bytes; n += n < 256 ? 1 : 4999) {
    struct engine_error error = { 0 };
    assert (session_restore_bytes (victim->session, "bad", bad.bytes, n, &error) == ENGINE_ERROR_FORMAT);
    assert (n < 8 ? strstr (error.message, "not a saved session") : strstr (error.message, "cut short"));
  }
  check_untouched (victim);
  bad.bytes[bad.n_bytes] = 0;
  refuse_bytes (victim, bad.bytes, bad.n_bytes + 1, ENGINE_ERROR_FORMAT, "follows its end");
  refuse_bytes (victim, bad.bytes, bad.n_bytes - 1, ENGINE_ERROR_FORMAT, "cut short");
  refuse_bytes (victim, bad.bytes, 0, ENGINE_ERROR_FORMAT, "not a saved session");
  bad.bytes[STATE_HEADER_BYTES + 100] ^= 1;
  refuse_bytes (victim, bad.bytes, bad.n_bytes, ENGINE_ERROR_FORMAT, "is damaged");
  free (bad.bytes);
}

/* Well-formed files that say what cannot be. */
static void test_lies (struct victim *victim, const struct file *good)
{
  struct file bad = { malloc (good->n_bytes), good->n_bytes };
  struct state_header whole, lie;
  const uint32_t n_vocab = victim->session->forward.model->shape.n_vocab;
  assert (bad.bytes && state_header_read (&whole, "good", good->bytes, good->n_bytes, NULL) == ENGINE_OK);
  struct {
    uint32_t *field;
    uint32_t value;
    enum engine_status status;
    const char *says;
  } const lies[] = {
    { &lie.kv_format, KV_Q8_0, ENGINE_ERROR_UNSUPPORTED, "q8_0" },
    { &lie.kv_format, 77, ENGINE_ERROR_UNSUPPORTED, "unknown" },
    { &lie.long_rope, 1, ENGINE_ERROR_UNSUPPORTED, "positions" },
    { &lie.head_dim, 8, ENGINE_ERROR_FORMAT, "sizes" },
    { &lie.n_kv_heads, UINT32_MAX, ENGINE_ERROR_FORMAT, "sizes" },
    { &lie.n_vocab, 1, ENGINE_ERROR_FORMAT, "sizes" },
    { &lie.n_ids, UINT32_MAX, ENGINE_ERROR_RANGE, "4294967295 tokens" },
    { &lie.n_ids, 3, ENGINE_ERROR_FORMAT, "sizes" },
    { &lie.n_ready, UINT32_MAX, ENGINE_ERROR_FORMAT, "sizes" },
    { &lie.n_ready, N_PROMPT - 1, ENGINE_ERROR_FORMAT, "sizes" },
    { &lie.has_logits, 0, ENGINE_ERROR_FORMAT, "sizes" },
    { &lie.has_logits, 2, ENGINE_ERROR_FORMAT, "sizes" },
    { &lie.checkpoint_tokens[0], 5, ENGINE_ERROR_FORMAT, "sizes" },
    { &lie.checkpoint_tokens[CHECKPOINTS_MAX - 1], UINT32_MAX, ENGINE_ERROR_FORMAT, "sizes" },
  };
  for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
    lie = whole;
    *lies[i].field = lies[i].value;
    memcpy (bad.bytes, good->bytes, good->n_bytes);
    state_header_write (&lie, bad.bytes);
    repair_hashes (&bad);
    refuse_bytes (victim, bad.bytes, bad.n_bytes, lies[i].status, lies[i].says);
  }
  lie = whole;
  lie.n_payload_bytes = UINT64_MAX;
  state_header_write (&lie, bad.bytes);
  refuse_bytes (victim, bad.bytes, bad.n_bytes, ENGINE_ERROR_FORMAT, "sizes");
  for (int version = 0; version < 2; version++) {
    memcpy (bad.bytes, good->bytes, good->n_bytes);
    bad.bytes[8 + 4 * version]++;
    repair_hashes (&bad);
    refuse_bytes (victim, bad.bytes, bad.n_bytes, ENGINE_ERROR_UNSUPPORTED, "version");
  }
  const uint32_t tokens[] = { n_vocab, UINT32_MAX };
  for (size_t i = 0; i < 2; i++) {
    memcpy (bad.bytes, good->bytes, good->n_bytes);
    memcpy (bad.bytes + STATE_HEADER_BYTES + 4, &tokens[i], sizeof tokens[i]);
    repair_hashes (&bad);
    refuse_bytes (victim, bad.bytes, bad.n_bytes, ENGINE_ERROR_RANGE, "vocabulary");
  }
  free (bad.bytes);
}

/* Not numbers in the cache are no reason to fail: what comes out is as wrong as what went in. */
static void test_not_numbers (struct engine_session *session, const struct file *good)
{
  struct file bad = { malloc (good->n_bytes), good->n_bytes };
  assert (bad.bytes);
  memcpy (bad.bytes, good->bytes, good->n_bytes);
  memset (bad.bytes + STATE_HEADER_BYTES + N_PROMPT * sizeof (int32_t), 0xff, 20000);
  repair_hashes (&bad);
  assert (session_restore_bytes (session, "bad", bad.bytes, bad.n_bytes, NULL) == ENGINE_OK);
  assert (engine_session_append (session, 5, NULL) == ENGINE_OK);
  assert (engine_session_truncate (session, 0, NULL) == ENGINE_OK);
  free (bad.bytes);
}

static void test_refusals (const char *path, const char *other_path)
{
  struct engine_model *model = open_model (path), *other = open_model (other_path);
  struct engine_session *saved = open_session (model, 128, false, ENGINE_KV_F16);
  struct victim victim, small, quantised, exact, foreign;
  int32_t ids[N_PROMPT];
  fill_ids (ids, N_PROMPT);
  assert (engine_session_set_tokens (saved, ids, N_PROMPT, NULL, NULL) == ENGINE_OK);
  assert (engine_session_save (saved, in_folder ("good"), NULL) == ENGINE_OK);
  struct file good = read_file (in_folder ("good"));
  victim_init (&victim, open_session (model, 128, false, ENGINE_KV_F16));
  victim_init (&small, open_session (model, N_PROMPT - 1, false, ENGINE_KV_F16));
  victim_init (&quantised, open_session (model, 128, false, ENGINE_KV_Q8_0));
  victim_init (&exact, open_session (model, 128, true, ENGINE_KV_F16));
  victim_init (&foreign, open_session (other, 128, false, ENGINE_KV_F16));

  refuse (&small, in_folder ("good"), ENGINE_ERROR_RANGE, "70 tokens but the context holds 69");
  refuse (&quantised, in_folder ("good"), ENGINE_ERROR_UNSUPPORTED, "f16");
  refuse (&exact, in_folder ("good"), ENGINE_ERROR_UNSUPPORTED, "exact");
  refuse (&foreign, in_folder ("good"), ENGINE_ERROR_UNSUPPORTED, "another model");
  refuse (&victim, in_folder ("absent"), ENGINE_ERROR_IO, "No such file");
  refuse (&victim, folder, ENGINE_ERROR_FORMAT, "not a file");
  assert (mkfifo (in_folder ("pipe"), 0600) == 0);
  refuse (&victim, in_folder ("pipe"), ENGINE_ERROR_FORMAT, "not a file");
  test_damage (&victim, &good);
  test_lies (&victim, &good);
  test_not_numbers (victim.session, &good);
  printf ("%zu files refused\n", victim.n_refused);

  struct victim *const all[] = { &victim, &small, &quantised, &exact, &foreign };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    engine_session_free (all[i]->session);
    free (all[i]->logits);
  }
  free (good.bytes);
  engine_session_free (saved);
  engine_model_close (model);
  engine_model_close (other);
}

/* Contexts of more than 256 tokens rotate otherwise in this model. */
static void test_long_rope (const char *path)
{
  struct engine_model *model = open_model (path);
  struct engine_session *saved = open_session (model, 200, false, ENGINE_KV_F16);
  struct engine_session *same = open_session (model, 256, false, ENGINE_KV_F16);
  struct victim longer;
  assert (engine_session_set_tokens (saved, (int32_t[]){ 5, 6 }, 2, NULL, NULL) == ENGINE_OK);
  assert (engine_session_save (saved, in_folder ("state"), NULL) == ENGINE_OK);
  victim_init (&longer, open_session (model, 257, false, ENGINE_KV_F16));
  refuse (&longer, in_folder ("state"), ENGINE_ERROR_UNSUPPORTED, "257");
  assert (engine_session_restore (same, in_folder ("state"), NULL) == ENGINE_OK && same_logits (saved, same));
  engine_session_free (longer.session);
  free (longer.logits);
  engine_session_free (saved);
  engine_session_free (same);
  engine_model_close (model);
}

/* ---- writing ----------------------------------------------------------------------------------------------- */

static size_t count_files (void)
{
  size_t n = 0;
  DIR *directory = opendir (folder);
  assert (directory);
  while (readdir (directory))
    n++;
  closedir (directory);
  return n;
}

static void test_failed_save (const char *path)
{
  struct engine_model *model = open_model (path);
  struct engine_session *session = open_session (model, 128, false, ENGINE_KV_F16);
  struct engine_error error = { 0 };
  struct rlimit limit, low;
  int32_t ids[N_PROMPT];
  fill_ids (ids, N_PROMPT);
  assert (engine_session_set_tokens (session, ids, 2, NULL, NULL) == ENGINE_OK);
  assert (engine_session_save (session, in_folder ("kept"), NULL) == ENGINE_OK);
  const size_t n_files = count_files ();
  assert (engine_session_set_tokens (session, ids, N_PROMPT, NULL, NULL) == ENGINE_OK);
  signal (SIGXFSZ, SIG_IGN);
  assert (getrlimit (RLIMIT_FSIZE, &limit) == 0);
  low = (struct rlimit){ 20000, limit.rlim_max };
  assert (setrlimit (RLIMIT_FSIZE, &low) == 0);
  assert (engine_session_save (session, in_folder ("kept"), &error) == ENGINE_ERROR_IO && error.message[0]);
  assert (setrlimit (RLIMIT_FSIZE, &limit) == 0);
  assert (count_files () == n_files);
  assert (engine_session_restore (session, in_folder ("kept"), NULL) == ENGINE_OK);
  assert (engine_session_get_n_tokens (session) == 2);
  assert (engine_session_save (session, in_folder ("no/such/folder"), &error) == ENGINE_ERROR_IO);
  assert (strstr (error.message, "No such file"));
  assert (engine_session_save (session, folder, &error) == ENGINE_ERROR_IO); /* a folder is in the way */
  assert (count_files () == n_files);
  engine_session_free (session);
  engine_model_close (model);
}

int main (int argc, char **argv)
{
  const char *temporary = getenv ("TMPDIR");
  snprintf (folder, sizeof folder, "%s/lectern-state-XXXXXX", temporary ? temporary : "/tmp");
  assert (argc > 3 && mkdtemp (folder));
  for (int i = 3; i < argc; i++) {
    test_round_trip (argv[i], false, ENGINE_KV_F16);
    test_round_trip (argv[i], false, ENGINE_KV_Q8_0);
    test_round_trip (argv[i], true, ENGINE_KV_F16);
    test_unready (argv[i]);
    test_beginnings (argv[i]);
    test_broken_tape (argv[i]);
  }
  test_ids (argv[3], argv[1], argv[2]);
  test_size (argv[3]);
  test_refusals (argv[3], argv[1]);
  test_long_rope (argv[2]);
  test_failed_save (argv[3]);
  static const char *const names[] = { "state", "full", "good", "bad", "pipe", "kept" };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    unlink (in_folder (names[i]));
  assert (rmdir (folder) == 0);
  return 0;
}
