#include "engine/model/attention.h"
#include "engine/model/vec4.h"
#include <math.h>

#define TILE 32     /* positions */
#define MAX_ROWS 32 /* query rows (heads x tokens) that share a tile */
#define FEW_TOKENS 4
#define ROWS_AT_ONCE 4 /* of multiply_f32() */

struct plan {
  const struct attention *attention;
  uint32_t group;        /* query heads per kv head */
  uint32_t heads;        /* of them in one part */
  uint32_t tokens;       /* in one part */
  uint32_t n_head_parts; /* per kv head */
  uint32_t n_token_parts;
};

/* One part's state, for its tokens of one text. Rows are [token][head], part->width apart, which is head_dim padded with
 * zeros to full vectors. */
struct part {
  const struct attention *attention;
  uint32_t head_dim, width, n_rows, kv_head, first_head, n_heads;
  uint32_t first_token;           /* row of the batch */
  uint32_t position, n_positions; /* of the first token in its text, and the text's keys that there are */
  uint32_t cached_at;             /* where the text begins in the cache */
  float q[MAX_ROWS * MODEL_MAX_HEAD_DIM];
  float sums[MAX_ROWS * MODEL_MAX_HEAD_DIM];
  float best[MAX_ROWS], total[MAX_ROWS];
  float scores[MAX_ROWS * TILE];
  float tile[MODEL_MAX_HEAD_DIM * TILE]; /* keys, then values: [TILE][width] */
};

/* The positions that one row sees: [begin, end). */
static uint32_t row_begin (const struct part *part, uint32_t row)
{
  const struct attention *a = part->attention;
  uint32_t position = part->position + row / part->n_heads;
  return a->before < position ? position - a->before : 0;
}

static uint32_t row_end (const struct part *part, uint32_t row)
{
  const struct attention *a = part->attention;
  uint32_t position = part->position + row / part->n_heads;
  return a->after < part->n_positions - position ? position + a->after + 1 : part->n_positions;
}

/* Rows that the tiles are computed with: rows beyond n_rows are zeros. */
static uint32_t padded_rows (const struct part *part)
{
  return (part->n_rows + 3) / 4 * 4;
}

/* n positions of one head as F32 rows of part->width; those up to TILE are 0. */
static void load_tile (struct part *part, const char *from, uint32_t n)
{
  kv_cache_load (part->attention->kv.cache, from, n, part->width, part->tile);
  memset (part->tile + (size_t)n * part->width, 0, (size_t)(TILE - n) * part->width * sizeof (float));
}

/* With few rows a tile of halves is not worth unpacking. Whichever way a part goes, each score is the same dot product and
 * each sum adds the same products in the same order: a token's bits do not depend on its company. */
static bool reads_halves (const struct part *part)
{
  return part->n_rows < ROWS_AT_ONCE && part->attention->kv.cache->format == KV_F16;
}

static void score_tile (struct part *part, const char *keys, uint32_t n)
{
  if (reads_halves (part)) {
    for (uint32_t j = 0; j < n; j++)
      for (uint32_t row = 0; row < part->n_rows; row++)
        part->scores[row * TILE + j] = dot_f16 ((const uint16_t *)keys + (size_t)j * part->head_dim,
                                                part->q + row * part->width, part->head_dim);
    return;
  }
  load_tile (part, keys, n);
  for (uint32_t j = 0; j < n; j++)
    dot_rows_f32 (part->tile + (size_t)j * part->width, part->q, part->width, part->n_rows, part->head_dim,
                  part->scores + j, TILE);
}

static void sum_tile (struct part *part, const char *values, uint32_t n)
{
  if (reads_halves (part)) {
    for (uint32_t j = 0; j < n; j++)
      for (uint32_t row = 0; row < part->n_rows; row++)
        axpy_f16 (part->sums + row * part->width, part->scores[row * TILE + j],
                  (const uint16_t *)values + (size_t)j * part->head_dim, part->head_dim);
    return;
  }
  load_tile (part, values, n);
  multiply_f32 (part->scores, part->tile, part->sums, padded_rows (part), part->width, TILE);
}

static vec4 tanh4 (vec4 x)
{
  return 1.0f - 2.0f / (1.0f + vec4_exp (2.0f * x));
}

/* Turns one row's scores of positions [first, first + TILE) into weights against the running maximum, and rescales
 * what the row has summed so far. */
static void soften (struct part *part, uint32_t row, uint32_t first)
{
  float *scores = part->scores + row * TILE, softcap = part->attention->softcap;
  uint32_t begin = row_begin (part, row), end = row_end (part, row);
  begin = begin <= first ? 0 : begin - first < TILE ? begin - first : TILE;
  end = end <= first ? 0 : end - first < TILE ? end - first : TILE;
  if (begin >= end) {
    memset (scores, 0, TILE * sizeof *scores);
    return;
  }
  if (softcap > 0)
    for (uint32_t j = 0; j < TILE; j += 4)
      vec4_store (scores + j, softcap * tanh4 (vec4_load (scores + j) / softcap));
  float best = part->best[row];
  for (uint32_t j = begin; j < end; j++)
    best = scores[j] > best ? scores[j] : best;
  if (best > part->best[row]) {
    float shrink = expf (part->best[row] - best);
    for (uint32_t d = 0; d < part->head_dim; d++)
      part->sums[row * part->width + d] *= shrink;
    part->total[row] *= shrink;
    part->best[row] = best;
  }
  vec4 total = vec4_all (0);
  for (uint32_t j = 0; j < TILE; j += 4)
    vec4_store (scores + j, vec4_exp (vec4_load (scores + j) - best));
  for (uint32_t j = 0; j < TILE; j++)
    if (j < begin || j >= end)
      scores[j] = 0;
  for (uint32_t j = 0; j < TILE; j += 4)
    total += vec4_load (scores + j);
  part->total[row] += vec4_sum (total);
}

static void load_part (struct part *part)
{
  const struct attention *a = part->attention;
  for (uint32_t row = 0; row < padded_rows (part); row++) {
    float *q = part->q + row * part->width;
    memset (part->sums + row * part->width, 0, part->width * sizeof (float));
    memset (part->scores + row * TILE, 0, TILE * sizeof (float));
    part->best[row] = -INFINITY;
    part->total[row] = 0;
    memset (q, 0, part->width * sizeof (float));
    if (row >= part->n_rows)
      continue;
    size_t token = part->first_token + row / part->n_heads, head = part->first_head + row % part->n_heads;
    const float *from = a->q + (token * a->n_heads + head) * part->head_dim;
    for (uint32_t d = 0; d < part->head_dim; d++)
      q[d] = from[d] * a->scale;
  }
}

static void store_part (const struct part *part)
{
  const struct attention *a = part->attention;
  for (uint32_t row = 0; row < part->n_rows; row++) {
    size_t token = part->first_token + row / part->n_heads, head = part->first_head + row % part->n_heads;
    float *to = a->out + (token * a->n_heads + head) * part->head_dim;
    float scale = 1 / part->total[row];
    for (uint32_t d = 0; d < part->head_dim; d++)
      to[d] = part->sums[row * part->width + d] * scale;
  }
}

static bool is_cancelled (const struct attention *a)
{
  return a->cancel && atomic_load_explicit (a->cancel, memory_order_relaxed);
}

/* Tokens [begin, end) of the batch, which are of one text. */
static void run_tokens (struct part *part, const struct sequence *sequence, uint32_t begin, uint32_t end)
{
  const struct attention *a = part->attention;
  const struct kv_cache *cache = a->kv.cache;
  part->first_token = begin;
  part->n_rows = (end - begin) * part->n_heads;
  part->position = sequence->position + (begin - sequence->first_row);
  part->n_positions = sequence->position + sequence->n_rows;
  part->cached_at = a->position + sequence->first_row - sequence->position;
  load_part (part);

  const char *keys = a->kv.keys + kv_cache_offset_bytes (cache, part->kv_head, part->cached_at);
  const char *values = a->kv.values + kv_cache_offset_bytes (cache, part->kv_head, part->cached_at);
  uint32_t first = row_begin (part, 0) / TILE * TILE;
  const uint32_t last = row_end (part, part->n_rows - 1);
  for (; first < last && !is_cancelled (a); first += TILE) {
    uint32_t n = last - first < TILE ? last - first : TILE;
    size_t offset = kv_cache_offset_bytes (cache, 0, first);
    score_tile (part, keys + offset, n);
    for (uint32_t row = 0; row < part->n_rows; row++)
      soften (part, row, first);
    sum_tile (part, values + offset, n);
  }
  store_part (part);
}

/* The sequence that a row of the batch belongs to. */
static const struct sequence *find_sequence (const struct attention *a, uint32_t row)
{
  uint32_t low = 0, high = a->n_sequences - 1;
  while (low < high) {
    const uint32_t middle = low + (high - low + 1) / 2;
    if (a->sequences[middle].first_row <= row)
      low = middle;
    else
      high = middle - 1;
  }
  return &a->sequences[low];
}

static void run_part (void *data, size_t index)
{
  const struct plan *plan = data;
  const struct attention *a = plan->attention;
  struct part part; /* 140 KB: kept off the heap so that the token loop allocates nothing */
  uint32_t token_part = (uint32_t)(index % plan->n_token_parts), head_part = (uint32_t)(index / plan->n_token_parts);
  uint32_t skipped = head_part % plan->n_head_parts * plan->heads;
  part.attention = a;
  part.head_dim = a->kv.cache->head_dim;
  part.width = (part.head_dim + 7) / 8 * 8;
  part.kv_head = head_part / plan->n_head_parts;
  part.first_head = part.kv_head * plan->group + skipped;
  part.n_heads = plan->group - skipped < plan->heads ? plan->group - skipped : plan->heads;
  uint32_t begin = a->first_row + token_part * plan->tokens;
  const uint32_t end = a->n_rows - begin < plan->tokens ? a->n_rows : begin + plan->tokens;
  for (const struct sequence *sequence = find_sequence (a, begin); begin < end && !is_cancelled (a); sequence++) {
    const uint32_t sequence_end = sequence->first_row + sequence->n_rows,
                   stop = sequence_end < end ? sequence_end : end;
    run_tokens (&part, sequence, begin, stop);
    begin = stop;
  }
}

static uint32_t divide_up (uint32_t a, uint32_t b)
{
  return (a + b - 1) / b;
}

void attention_run (struct pool *pool, const struct attention *attention)
{
  struct plan plan = { .attention = attention, .group = attention->n_heads / attention->kv.n_kv_heads };
  plan.heads = plan.group < MAX_ROWS ? plan.group : MAX_ROWS;
  uint32_t n_threads = (uint32_t)pool_get_n_threads (pool), n_kv_heads = attention->kv.n_kv_heads;
  const uint32_t n_tokens = attention->n_rows - attention->first_row;
  if (n_tokens < FEW_TOKENS && n_kv_heads < n_threads) /* few tokens: share a group's heads out */
    plan.heads = divide_up (plan.heads, divide_up (n_threads, n_kv_heads));
  plan.tokens = MAX_ROWS / plan.heads;
  plan.n_head_parts = divide_up (plan.group, plan.heads);
  plan.n_token_parts = divide_up (n_tokens, plan.tokens);
  pool_run (pool, (size_t)n_kv_heads * plan.n_head_parts * plan.n_token_parts, run_part, &plan);
}
