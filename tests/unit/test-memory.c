/* test-memory.c: what memory is said to be free, what is refused in which words, and that all of it goes back. */
#include "engine/model/memory.h"
#include "engine/model/model.h"
#include "tests/unit/model-builder.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* AddressSanitizer keeps freed memory back to find uses of it; here it must go back at once. */
const char *__asan_default_options (void);
const char *__asan_default_options (void)
{
  return "quarantine_size_mb=0:thread_local_quarantine_size_kb=0";
}

/* ---- what is free ------------------------------------------------------------------------------------------ */

static char root[] = "/tmp/test-memory-XXXXXX";

static void save (const char *name, const char *text)
{
  char path[512];
  snprintf (path, sizeof path, "%s/%s", root, name);
  for (char *slash = path + strlen (root) + 1; (slash = strchr (slash, '/')) != NULL; slash++) {
    *slash = '\0';
    mkdir (path, 0700);
    *slash = '/';
  }
  FILE *file = fopen (path, "w");
  assert (file && fputs (text, file) >= 0 && fclose (file) == 0);
}

static void test_limits (void)
{
#define GROUPS "sys/fs/cgroup/"
  static const struct {
    const char *name, *text;
    uint64_t bytes; /* less the reserve of a 50th, once this file is there as well */
  } rows[] = {
    { "proc/meminfo", "MemTotal:       3000000 kB\nMemFree:         100000 kB\n", UINT64_MAX },
    { "proc/meminfo", "MemTotal:       3000000 kB\nMemAvailable:   2000000 kB\nCached: 1 kB\n", 2048000000 },
    { "proc/self/cgroup", "4:memory:/old\n0::/user.slice/app\n", 2048000000 },
    { GROUPS "user.slice/app/memory.max", "max\n", 2048000000 },
    { GROUPS "user.slice/app/memory.current", "300000000\n", 2048000000 },
    { GROUPS "user.slice/memory.max", "1000000000\n", 2048000000 }, /* without use it says nothing */
    { GROUPS "user.slice/memory.current", "900000000\n", 100000000 },
    /* Pages of files can be dropped, but not those in memory only (shmem). */
    { GROUPS "user.slice/memory.stat", "anon 1\nfile 9\nshmem 8\ninactive_file 300000000\nactive_file 50000000\n",
      450000000 },
    { GROUPS "user.slice/app/memory.max", "350000000\n", 50000000 },
    { GROUPS "user.slice/app/memory.max", "200000000\n", 0 },
    { "proc/self/cgroup", "0::/\n", 2048000000 },
    { GROUPS "memory.max", "600000000\n", 2048000000 },
    { GROUPS "memory.current", "100000000\n", 500000000 },
    { "proc/meminfo", "MemAvailable:   100000 kB\n", 102400000 },
    { "proc/meminfo", "MemAvailable:   99999999999999999 kB\n", 500000000 },
  };
  assert (mkdtemp (root));
  assert (memory_read_limits (root).resident_bytes == UINT64_MAX);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    save (rows[i].name, rows[i].text);
    const uint64_t bytes = memory_read_limits (root).resident_bytes;
    const uint64_t expected = rows[i].bytes == UINT64_MAX ? UINT64_MAX : rows[i].bytes - rows[i].bytes / 50;
    if (bytes != expected) {
      fprintf (stderr, "row %zu: %llu, not %llu\n", i, (unsigned long long)bytes, (unsigned long long)expected);
      exit (1);
    }
  }
  char command[128];
  snprintf (command, sizeof command, "rm -r '%s'", root);
  assert (system (command) == 0);
  const uint64_t here = memory_read_limits ("").resident_bytes;
  assert (here > 1000000 && here < UINT64_MAX && engine_get_available_bytes () > 0);
}

/* ---- what is refused --------------------------------------------------------------------------------------- */

static struct builder_model *built;
static struct engine_model *model;

static void open_model (const char *arch)
{
  const struct builder_options options = {
    .arch = arch,
    .n_layers = 2,
    .n_embd = 32,
    .n_heads = 4,
    .n_kv_heads = strcmp (arch, "bert") == 0 ? 4 : 2,
    .head_dim = 8,
    .n_ff = 64,
    .n_vocab = 90,
    .context_tokens = strcmp (arch, "bert") == 0 ? 64 : 1 << 20,
    .rope_base = 10000,
    .vocabulary = strcmp (arch, "bert") == 0,
    .seed = 5,
  };
  struct engine_error error = { 0 };
  built = builder_model_new (&options);
  if (engine_model_open (built->path, &model, &error) != ENGINE_OK) {
    fprintf (stderr, "%s\n", error.message);
    exit (1);
  }
}

static void close_model (void)
{
  engine_model_close (model);
  builder_model_free (built);
}

static void test_refusals (void)
{
  open_model ("llama");
  const uint64_t weights = engine_model_get_info (model)->file_bytes;
  const uint64_t small = engine_model_get_session_bytes (model, 2048), large = 3500000000;
  const struct {
    const char *what;
    struct memory_limits limits;
    uint64_t session_bytes;
    uint32_t context_tokens;
    const char *words; /* NULL: it fits */
  } rows[] = {
    { "just fits", { weights + 1000, 1000 }, 1000, 0, NULL },
    { "no limits", { UINT64_MAX, UINT64_MAX }, 1000, 0, NULL },
    { "a byte less",
      { weights + 999, UINT64_MAX },
      1000,
      0,
      "choose a smaller model or a smaller quantisation of it." },
    { "weights alone", { weights - 1, UINT64_MAX }, 0, 0, "A session needs " },
    { "gigabytes",
      { 1200000000, UINT64_MAX },
      large,
      0,
      "needs 3.5 GB of memory, 0.1 MB of it for the model's weights" },
    { "how much there is", { 1234000000, UINT64_MAX }, large, 0, "only 1.2 GB can be had" },
    { "megabytes", { 120000000, UINT64_MAX }, large, 0, "only 120 MB can be had" },
    { "a shorter one",
      { weights + small, UINT64_MAX },
      large,
      1 << 20,
      "choose a context of at most 2048 tokens or a smaller quantisation of the model." },
    { "a byte too short", { weights + small - 1, UINT64_MAX }, large, 1 << 20, "at most 1536 tokens" },
    { "none is short enough", { weights, UINT64_MAX }, large, 1 << 20, "choose a smaller model" },
    { "address space",
      { UINT64_MAX, 5000000 },
      large,
      0,
      "needs 3.5 GB of memory besides the model but this process may take only 5.0 MB more" },
    { "a shorter one in it", { UINT64_MAX, small }, large, 1 << 20, "at most 2048 tokens" },
    { "overflow", { 1 << 30, UINT64_MAX }, UINT64_MAX, 0, "choose a smaller model" },
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct engine_error error = { 0 };
    const int status
        = memory_check (&rows[i].limits, model, "A session", rows[i].session_bytes, rows[i].context_tokens, 1, &error);
    if (rows[i].words ? status != ENGINE_ERROR_NO_MEMORY || !strstr (error.message, rows[i].words)
                            || error.message[strlen (error.message) - 1] != '.'
                      : status != ENGINE_OK) {
      fprintf (stderr, "%s: %d %s\n", rows[i].what, status, error.message);
      exit (1);
    }
  }
  const struct memory_limits limits = { weights + 2 * engine_model_get_session_bytes (model, 4096), UINT64_MAX };
  struct engine_error error = { 0 };
  assert (memory_check (&limits, model, "A session", large, 1 << 20, 2, &error) == ENGINE_ERROR_NO_MEMORY);
  assert (strstr (error.message, "at most 4096 tokens"));
  assert (engine_model_fits (model, 2048));
  close_model ();
}

/* The limit that a shell's ulimit -v sets. */
static void test_address_space (void)
{
  open_model ("llama");
  const pid_t child = fork ();
  assert (child >= 0);
  if (child == 0) {
    unsigned long long pages = 0;
    FILE *file = fopen ("/proc/self/statm", "r");
    const bool read = file && fscanf (file, "%llu", &pages) == 1 && fclose (file) == 0;
    const rlim_t bytes = (rlim_t)pages * (rlim_t)sysconf (_SC_PAGESIZE) + ((rlim_t)64 << 20);
    const struct rlimit limit = { bytes, bytes };
    struct engine_session *session = NULL;
    struct engine_error error = { 0 };
    struct engine_session_options options = { .context_tokens = 1 << 20, .n_threads = 1 };
    if (!read || setrlimit (RLIMIT_AS, &limit) != 0)
      _exit (1);
    const uint64_t left = memory_read_limits ("").address_bytes;
    if (left > (uint64_t)64 << 20 || left < (uint64_t)32 << 20)
      _exit (2);
    if (engine_session_new (model, &options, &session, &error) != ENGINE_ERROR_NO_MEMORY
        || !strstr (error.message, "A session of 1048576 tokens needs") || !strstr (error.message, "may take only"))
      _exit (3);
    options.context_tokens = 512;
    if (engine_session_new (model, &options, &session, &error) != ENGINE_OK)
      _exit (4);
    engine_session_free (session);
    _exit (0);
  }
  int status;
  assert (waitpid (child, &status, 0) == child);
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0) {
    fprintf (stderr, "the child ended with status %#x\n", (unsigned)status);
    exit (1);
  }
  close_model ();
}

/* ---- what goes back ---------------------------------------------------------------------------------------- */

struct use {
  uint64_t mapped_bytes, resident_bytes;
};

static struct use get_use (void)
{
  unsigned long long mapped, resident;
  const uint64_t page_bytes = (uint64_t)sysconf (_SC_PAGESIZE);
  FILE *file = fopen ("/proc/self/statm", "r");
  assert (file && fscanf (file, "%llu %llu", &mapped, &resident) == 2 && fclose (file) == 0);
  return (struct use){ mapped * page_bytes, resident * page_bytes };
}

/* The permissions of the mapping of `path` into text[5]; false if there is none. */
static bool find_mapping (const char *path, char *text)
{
  char line[1024];
  bool found = false;
  FILE *file = fopen ("/proc/self/maps", "r");
  assert (file);
  while (fgets (line, sizeof line, file))
    if (strstr (line, path) && sscanf (line, "%*s %4s", text) == 1)
      found = true;
  fclose (file);
  return found;
}

static void test_given_back (void)
{
  enum { SLACK = 4 << 20, N = 300 };
  char permissions[5];
  int32_t ids[N];
  open_model ("llama");
  assert (find_mapping (built->path, permissions) && strcmp (permissions, "r--s") == 0);
  for (int i = 0; i < N; i++)
    ids[i] = i % 90;
  for (int round = 0; round < 3; round++) {
    const struct engine_session_options options = { .context_tokens = 1 << 20, .n_threads = 1 };
    const uint64_t session_bytes = engine_model_get_session_bytes (model, options.context_tokens);
    const struct use before = get_use ();
    struct engine_session *session;
    assert (session_bytes > 100000000 && engine_session_new (model, &options, &session, NULL) == ENGINE_OK);
    assert (engine_session_set_tokens (session, ids, N, NULL, NULL) == ENGINE_OK);
    const struct use with = get_use ();
    engine_session_free (session);
    const struct use after = get_use ();
    assert (with.mapped_bytes >= before.mapped_bytes + session_bytes);
    assert (with.mapped_bytes <= before.mapped_bytes + session_bytes + session_bytes / 8 + SLACK);
    if (round == 0)
      continue; /* the first round also loads what stays, as the messages of libc */
    assert (after.mapped_bytes <= before.mapped_bytes + SLACK && with.resident_bytes > before.resident_bytes);
    assert (after.resident_bytes <= before.resident_bytes + SLACK);
  }
  char path[256];
  snprintf (path, sizeof path, "%s", built->path);
  close_model ();
  assert (!find_mapping (path, permissions));
}

/* A session of 4096 tokens takes at most 256 MB besides its keys and values, of any format. */
static void test_session_bytes (void)
{
  static const struct {
    const char *name;
    uint32_t n_layers, n_embd, n_heads, n_kv_heads, head_dim, n_ff, n_vocab;
  } rows[] = {
    { "Qwen2.5-3B", 36, 2048, 16, 2, 128, 11008, 151936 }, { "Llama-3.2-3B", 28, 3072, 24, 8, 128, 8192, 128256 },
    { "Phi-3-mini", 32, 3072, 32, 32, 96, 8192, 32064 },   { "Qwen3-4B", 36, 2560, 32, 8, 128, 9728, 151936 },
    { "Gemma-2-2B", 26, 2304, 8, 4, 256, 9216, 256000 },
  };
  enum { N_TOKENS = 4096, MOST = 256 * 1000 * 1000 };
  open_model ("llama");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (int kv = ENGINE_KV_F16; kv <= ENGINE_KV_Q8_0; kv++) {
      struct engine_model large = *model;
      large.shape.n_layers = rows[i].n_layers;
      large.shape.n_embd = rows[i].n_embd;
      large.shape.n_heads = rows[i].n_heads;
      large.shape.head_dim = rows[i].head_dim;
      large.shape.n_q = rows[i].n_heads * rows[i].head_dim;
      large.shape.n_kv_max = rows[i].n_kv_heads * rows[i].head_dim;
      large.shape.n_kv_heads_all = rows[i].n_kv_heads * rows[i].n_layers;
      large.shape.n_ff_max = rows[i].n_ff;
      large.shape.n_vocab = rows[i].n_vocab;
      large.n_rope_pairs = rows[i].head_dim / 2;
      const struct engine_session_options options = { .context_tokens = N_TOKENS, .kv = (enum engine_kv)kv };
      const uint64_t n_values = (uint64_t)N_TOKENS * large.shape.n_kv_heads_all * 2 * rows[i].head_dim;
      const uint64_t kv_bytes = kv == ENGINE_KV_F16 ? 2 * n_values : n_values / 32 * 34;
      const uint64_t bytes = engine_model_count_session_bytes (&large, &options);
      if (bytes <= kv_bytes || bytes > kv_bytes + MOST) {
        fprintf (stderr, "%s: %llu bytes, %llu of them keys and values\n", rows[i].name, (unsigned long long)bytes,
                 (unsigned long long)kv_bytes);
        exit (1);
      }
    }
  close_model ();
}

static void test_encoder (void)
{
  open_model ("bert");
  const uint64_t bytes = engine_model_get_session_bytes (model, 0);
  struct engine_encoder *encoder;
  assert (bytes > 0 && bytes == engine_model_get_session_bytes (model, 64) && engine_model_fits (model, 0));
  assert (engine_encoder_new (model, NULL, &encoder, NULL) == ENGINE_OK);
  engine_encoder_free (encoder);
  close_model ();
}

int main (void)
{
  test_limits ();
  test_refusals ();
  test_address_space ();
  test_given_back ();
  test_session_bytes ();
  test_encoder ();
  return 0;
}
