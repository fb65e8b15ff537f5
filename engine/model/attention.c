#include "engine/model/attention.h"
#include <math.h>
#include <string.h>

#define TILE ATTENTION_TILE
#define MAX_ROWS 128     /* query rows (heads x tokens) that share a tile */
#define ROW_ITEMS 16384  /* of all of them: 128 rows of 128 dimensions, 64 of 256 */
#define TOGETHER_ROWS 24 /* which take the same part of a tile: a multiple of what registers hold */
#define PARTS_PER_THREAD 4
#define FEW_TOKENS 4

_Static_assert(MODEL_MAX_HEAD_DIM <= ATTENTION_MAX_WIDTH, "a row fits");

struct plan {
  const struct attention *attention;
  uint32_t group;        /* query heads per kv head */
  uint32_t heads;        /* of them in one part */
  uint32_t tokens;       /* in one part */
  uint32_t n_head_parts; /* of all kv heads */
  uint32_t n_token_parts;
};

/* The positions [begin, end) that a row sees. */
struct span {
  uint32_t begin, end;
};

/* One part's state, for its tokens of one text. Rows are [token][head], width apart. */
struct part {
  _Alignas(64) uint32_t tile[TILE * ATTENTION_MAX_WIDTH]; /* keys, then values, packed */
  uint32_t q[ROW_ITEMS];                                  /* operands, width / word_items apart */
  float sums[ROW_ITEMS];
  float scores[MAX_ROWS * TILE];
  float total[MAX_ROWS * ATTENTION_LANES];
  float best[MAX_ROWS], shrink[MAX_ROWS];
  struct span seen[MAX_ROWS], seen_of_tile[MAX_ROWS]; /* of all positions; of the tile under way */
  const struct attention *attention;
  uint32_t head_dim, width, n_rows, kv_head, first_head, n_heads;
  uint32_t first_token;           /* row of the batch */
  uint32_t position, n_positions; /* of the first token in its text, and the text's keys that there are */
  uint32_t cached_at;             /* where the text begins in the cache */
};

static uint32_t least (uint32_t a, uint32_t b)
{
  return a < b ? a : b;
}

static uint32_t most (uint32_t a, uint32_t b)
{
  return a > b ? a : b;
}

static uint32_t divide_up (uint32_t a, uint32_t b)
{
  return (a + b - 1) / b;
}

/* Neither end falls from one row to the next. */
static struct span find_seen (const struct part *part, uint32_t row)
{
  const struct attention *a = part->attention;
  const uint32_t position = part->position + row / part->n_heads;
  return (struct span){
    a->before < position ? position - a->before : 0,
    a->after < part->n_positions - position ? position + a->after + 1 : part->n_positions,
  };
}

/* Which rows see something of the tile, and what of it. */
static struct span find_rows (struct part *part, uint32_t first)
{
  struct span rows = { part->n_rows, 0 };
  for (uint32_t row = 0; row < part->n_rows; row++) {
    const struct span seen = { least (most (part->seen[row].begin, first) - first, TILE),
                               least (most (part->seen[row].end, first) - first, TILE) };
    part->seen_of_tile[row] = seen;
    if (seen.begin >= seen.end)
      continue;
    rows.begin = least (rows.begin, row);
    rows.end = row + 1;
  }
  return rows;
}

static void score_rows (struct part *part, uint32_t row, uint32_t n_rows)
{
  const struct attention *a = part->attention;
  const uint32_t n_steps = part->width / a->kernel->word_items;
  a->kernel->multiply (&(struct attention_product){
      .a = part->q + (size_t)row * n_steps,
      .a_stride = n_steps,
      .b = part->tile,
      .b_stride = TILE,
      .c = part->scores + (size_t)row * TILE,
      .c_stride = TILE,
      .n_rows = n_rows,
      .n_cols = divide_up (part->seen_of_tile[row + n_rows - 1].end, ATTENTION_LANES) * ATTENTION_LANES,
      .n_steps = n_steps,
  });
}

static void soften_rows (struct part *part, uint32_t row, uint32_t n_rows)
{
  const struct attention *a = part->attention;
  for (; n_rows > 0; row++, n_rows--)
    part->shrink[row] = a->kernel->soften (&(struct attention_row){
        .scores = part->scores + (size_t)row * TILE,
        .begin = part->seen_of_tile[row].begin,
        .end = part->seen_of_tile[row].end,
        .cap = a->softcap * (float)M_LOG2E,
        .best = part->best + row,
        .total = part->total + (size_t)row * ATTENTION_LANES,
    });
}

static void sum_rows (struct part *part, uint32_t row, uint32_t n_rows)
{
  const struct attention *a = part->attention;
  a->kernel->multiply (&(struct attention_product){
      .a = (const uint32_t *)(const void *)(part->scores + (size_t)row * TILE),
      .a_stride = TILE,
      .b = part->tile,
      .b_stride = part->width,
      .c = part->sums + (size_t)row * part->width,
      .c_stride = part->width,
      .shrink = part->shrink + row,
      .n_rows = n_rows,
      .n_cols = part->width,
      .n_steps = divide_up (part->seen_of_tile[row + n_rows - 1].end, a->kernel->word_items),
  });
}

/* Positions [first, first + n): for the rows that see some of them. */
static void run_tile (struct part *part, uint32_t first, uint32_t n)
{
  const struct attention *a = part->attention;
  const struct span rows = find_rows (part, first);
  const struct attention_rows keys = kv_layer_get_rows (&a->kv, a->kv.keys, part->kv_head, part->cached_at + first, n);
  a->kernel->pack_keys (&keys, part->tile);
  for (uint32_t row = rows.begin; row < rows.end; row += TOGETHER_ROWS) {
    const uint32_t n_rows = least (TOGETHER_ROWS, rows.end - row);
    score_rows (part, row, n_rows);
    soften_rows (part, row, n_rows);
  }
  const struct attention_rows values
      = kv_layer_get_rows (&a->kv, a->kv.values, part->kv_head, part->cached_at + first, n);
  a->kernel->pack_values (&values, part->tile);
  for (uint32_t row = rows.begin; row < rows.end; row += TOGETHER_ROWS)
    sum_rows (part, row, least (TOGETHER_ROWS, rows.end - row));
}

static size_t query_of (const struct part *part, uint32_t row)
{
  const size_t token = part->first_token + row / part->n_heads, head = part->first_head + row % part->n_heads;
  return (token * part->attention->n_heads + head) * part->head_dim;
}

/* Scores are in units of log 2, so that weights are powers of 2. */
static void load_part (struct part *part)
{
  const struct attention *a = part->attention;
  const uint32_t n_words = part->width / a->kernel->word_items;
  const float scale = (float)((double)a->scale * M_LOG2E);
  float q[ATTENTION_MAX_WIDTH] = { 0 };
  for (uint32_t row = 0; row < part->n_rows; row++) {
    const float *from = a->q + query_of (part, row);
    for (uint32_t i = 0; i < part->head_dim; i++)
      q[i] = from[i] * scale;
    a->kernel->round (q, part->width, part->q + (size_t)row * n_words);
    part->best[row] = -INFINITY;
    part->seen[row] = find_seen (part, row);
  }
  memset (part->sums, 0, (size_t)part->n_rows * part->width * sizeof *part->sums);
  memset (part->total, 0, (size_t)part->n_rows * ATTENTION_LANES * sizeof *part->total);
}

static void store_part (const struct part *part)
{
  for (uint32_t row = 0; row < part->n_rows; row++) {
    float *to = part->attention->out + query_of (part, row), total = 0;
    for (uint32_t i = 0; i < ATTENTION_LANES; i++)
      total += part->total[row * ATTENTION_LANES + i];
    const float scale = 1 / total;
    for (uint32_t i = 0; i < part->head_dim; i++)
      to[i] = part->sums[row * part->width + i] * scale + 0.0f; /* no -0: positions that do not count may turn it */
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
  part->first_token = begin;
  part->n_rows = (end - begin) * part->n_heads;
  part->position = sequence->position + (begin - sequence->first_row);
  part->n_positions = sequence->position + sequence->n_rows;
  part->cached_at = a->position + sequence->first_row - sequence->position;
  load_part (part);
  const uint32_t last = part->seen[part->n_rows - 1].end;
  for (uint32_t first = part->seen[0].begin / TILE * TILE; first < last && !is_cancelled (a); first += TILE)
    run_tile (part, first, least (last - first, TILE));
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

/* The last tokens come first: they see most. */
static void run_part (void *data, size_t index)
{
  const struct plan *plan = data;
  const struct attention *a = plan->attention;
  struct part part; /* 240 KB: kept off the heap so that the token loop allocates nothing */
  const uint32_t head_part = (uint32_t)(index % plan->n_head_parts), n_parts = divide_up (plan->group, plan->heads);
  const uint32_t token_part = plan->n_token_parts - 1 - (uint32_t)(index / plan->n_head_parts);
  const uint32_t skipped = head_part % n_parts * plan->heads;
  part.attention = a;
  part.head_dim = a->kv.cache->head_dim;
  part.width = divide_up (part.head_dim, ATTENTION_LANES) * ATTENTION_LANES;
  part.kv_head = head_part / n_parts;
  part.first_head = part.kv_head * plan->group + skipped;
  part.n_heads = least (plan->group - skipped, plan->heads);
  uint32_t begin = a->first_row + token_part * plan->tokens;
  const uint32_t end = begin + least (a->n_rows - begin, plan->tokens);
  for (const struct sequence *sequence = find_sequence (a, begin); begin < end && !is_cancelled (a); sequence++) {
    const uint32_t stop = least (sequence->first_row + sequence->n_rows, end);
    run_tokens (&part, sequence, begin, stop);
    begin = stop;
  }
}

void attention_run (struct pool *pool, const struct attention *attention)
{
  const uint32_t n_threads = (uint32_t)pool_get_n_threads (pool), n_kv_heads = attention->kv.n_kv_heads;
  const uint32_t width = divide_up (attention->kv.cache->head_dim, ATTENTION_LANES) * ATTENTION_LANES;
  const uint32_t max_rows = least (MAX_ROWS, ROW_ITEMS / width);
  const uint32_t n_tokens = attention->n_rows - attention->first_row;
  struct plan plan = { .attention = attention, .group = attention->n_heads / n_kv_heads };
  plan.heads = least (plan.group, max_rows);
  if (n_tokens < FEW_TOKENS && n_kv_heads < n_threads) /* few tokens: share a group's heads out */
    plan.heads = divide_up (plan.heads, divide_up (n_threads, n_kv_heads));
  plan.n_head_parts = n_kv_heads * divide_up (plan.group, plan.heads);
  /* As many tokens as a part holds, but enough parts for all threads. */
  plan.tokens = divide_up (n_tokens, divide_up (PARTS_PER_THREAD * n_threads, plan.n_head_parts));
  plan.tokens = least (plan.tokens, max_rows / plan.heads);
  plan.n_token_parts = divide_up (n_tokens, plan.tokens);
  pool_run (pool, (size_t)plan.n_head_parts * plan.n_token_parts, run_part, &plan);
}
