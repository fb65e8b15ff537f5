/* avxvnni.c: `vpdpbusd` in vectors of eight, for CPUs that have it without AVX-512 (Alder Lake and later). What it is no
 * gain for, single rows among it, is taken from the AVX2 path.
 *
 * The tests compile this a second time with the AVX-512 form of the same instructions, which more machines run. */
#include "engine/kernels/avx2/unsigned_small.h"
#include "engine/kernels/avx2/unsigned_super.h"

#ifdef __AVXVNNI__
#define PATH_NAME "avxvnni"
#define DPBUSD _mm256_dpbusd_avx_epi32
#define DPWSSD _mm256_dpwssd_avx_epi32
#else
#define PATH_NAME "avxvnni-evex"
#define DPBUSD _mm256_dpbusd_epi32
#define DPWSSD _mm256_dpwssd_epi32
#endif

/* Sixteen rows, two vectors, are multiplied with four tokens: eight sums, with two vectors of weights and one of the
 * activations, leave registers free. */
enum { STRIP_ROWS = 16, STRIP_VECTORS = 2, PANEL_TOKENS_AVXVNNI = 4 };

struct sums {
  __m256i of[STRIP_VECTORS][PANEL_TOKENS_AVXVNNI];
};

/* Four columns of sixteen rows times those of each token. */
INLINE void add_products (struct sums *sums, const uint8_t *weights, const uint8_t *x, size_t x_bytes,
                          const int n_tokens)
{
  const __m256i low = _mm256_load_si256 ((const __m256i *)weights);
  const __m256i high = _mm256_load_si256 ((const __m256i *)weights + 1);
#pragma GCC unroll 4
  for (int t = 0; t < n_tokens; t++) {
    const __m256i four = broadcast_4_bytes (x + (size_t)t * x_bytes);
    sums->of[0][t] = DPBUSD (sums->of[0][t], low, four);
    sums->of[1][t] = DPBUSD (sums->of[1][t], high, four);
  }
}

/* (d * x_d) * products, in this order. */
INLINE __m256 scale_products (const float *d, float x_d, __m256i products)
{
  return _mm256_mul_ps (_mm256_mul_ps (_mm256_load_ps (d), _mm256_set1_ps (x_d)), _mm256_cvtepi32_ps (products));
}

/* Rows first, first + 1 ... of the panel. */
INLINE void multiply_small (enum tensor_type type, const struct small_panel *panel, size_t first, const uint8_t *x,
                            size_t x_bytes, const int n_tokens, size_t n_items, float *sums)
{
  const struct small_columns *columns = panel->block;
  for (; n_items >= 32; n_items -= 32, columns++, x += sizeof (struct q8_block)) {
    struct sums products;
#pragma GCC unroll 4
    for (int t = 0; t < n_tokens; t++)
      products.of[0][t] = products.of[1][t]
          = _mm256_set1_epi32 (-small_layouts[type].offset * ((const struct q8_block *)(x + (size_t)t * x_bytes))->sum);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
      add_products (&products, columns->q[i][first], x + 4 * i, x_bytes, n_tokens);
#pragma GCC unroll 2
    for (size_t v = 0; v < STRIP_VECTORS; v++)
#pragma GCC unroll 4
      for (int t = 0; t < n_tokens; t++) {
        const struct q8_block *block = (const struct q8_block *)(x + (size_t)t * x_bytes);
        float *to = sums + (size_t)t * PANEL_ROWS + first + 8 * v;
        __m256 sum = _mm256_add_ps (_mm256_load_ps (to),
                                    scale_products (columns->d + first + 8 * v, block->d, products.of[v][t]));
        if (small_has_minimum[type])
          sum = _mm256_add_ps (sum,
                               scale_products (columns->m + first + 8 * v, block->d, _mm256_set1_epi32 (block->sum)));
        _mm256_store_ps (to, sum);
      }
  }
}

INLINE void multiply_super (enum tensor_type type, const struct super_panel *panel, size_t first, const uint8_t *x,
                            size_t x_bytes, const int n_tokens, size_t n_items, float *sums)
{
  const struct super_layout layout = super_layouts[type];
  const int n_pairs = !layout.has_minimum ? 0 : layout.group == 32 ? 4 : 8;
  struct token_sums token[PANEL_TOKENS_AVXVNNI];
  struct sums products;
  (void)n_items; /* PANEL_COLS */
  for (int t = 0; t < n_tokens; t++) {
    load_token_sums (type, (const struct q8_k_block *)(x + (size_t)t * x_bytes), &token[t]);
    products.of[0][t] = products.of[1][t] = _mm256_setzero_si256 ();
  }
  for (int column = 0; column < 256; column += layout.group) {
    struct sums group;
#pragma GCC unroll 4
    for (int t = 0; t < n_tokens; t++)
      group.of[0][t] = group.of[1][t]
          = layout.offset ? _mm256_set1_epi32 (token[t].start[column / 16]) : _mm256_setzero_si256 ();
#pragma GCC unroll 8
    for (int i = 0; i < layout.group; i += 4)
      add_products (&group, panel->q[(column + i) / 4][first], x + column + i, x_bytes, n_tokens);
#pragma GCC unroll 2
    for (size_t v = 0; v < STRIP_VECTORS; v++) {
      const __m256i scale = _mm256_load_si256 ((const __m256i *)(panel->scale[column / 16] + first) + v);
#pragma GCC unroll 4
      for (int t = 0; t < n_tokens; t++)
        products.of[v][t] = _mm256_add_epi32 (products.of[v][t], _mm256_mullo_epi32 (group.of[v][t], scale));
    }
  }
#pragma GCC unroll 2
  for (size_t v = 0; v < STRIP_VECTORS; v++) {
    __m256i minimums[PANEL_TOKENS_AVXVNNI];
#pragma GCC unroll 8
    for (int i = 0; i < n_pairs; i++) {
      const __m256i minimum = _mm256_load_si256 ((const __m256i *)panel->minimum[i][first] + v);
#pragma GCC unroll 4
      for (int t = 0; t < n_tokens; t++)
        minimums[t]
            = DPWSSD (i ? minimums[t] : _mm256_setzero_si256 (), minimum, broadcast_4_bytes (&token[t].pairs[2 * i]));
    }
#pragma GCC unroll 4
    for (int t = 0; t < n_tokens; t++) {
      const float x_d = ((const struct q8_k_block *)(x + (size_t)t * x_bytes))->d;
      float *to = sums + (size_t)t * PANEL_ROWS + first + 8 * v;
      __m256 sum
          = _mm256_add_ps (_mm256_load_ps (to), scale_products (panel->d + first + 8 * v, x_d, products.of[v][t]));
      if (layout.has_minimum)
        sum = _mm256_sub_ps (sum, scale_products (panel->dmin + first + 8 * v, x_d, minimums[t]));
      _mm256_store_ps (to, sum);
    }
  }
}

/* multiply() is written out for each number of tokens, so that the sums stay in registers. */
#define TYPE_AVXVNNI(kind, type, name, companion_kind)                                                                 \
  static void pack_##name (const uint8_t *w, size_t row_bytes, uint32_t n_rows, size_t n_items, const uint8_t *next,   \
                           uint8_t *panel)                                                                             \
  {                                                                                                                    \
    pack_##kind (TENSOR_##type, w, row_bytes, n_rows, n_items, next, panel);                                           \
  }                                                                                                                    \
  static void multiply_##name (const uint8_t *bytes, const void *x, size_t x_bytes, unsigned n_tokens, size_t n_items, \
                               float *sums)                                                                            \
  {                                                                                                                    \
    const struct kind##_panel *panel = (const struct kind##_panel *)bytes;                                             \
    for (size_t first = 0; first < PANEL_ROWS; first += STRIP_ROWS)                                                    \
      switch (n_tokens) {                                                                                              \
      case 4: multiply_##kind (TENSOR_##type, panel, first, x, x_bytes, 4, n_items, sums); break;                      \
      case 3: multiply_##kind (TENSOR_##type, panel, first, x, x_bytes, 3, n_items, sums); break;                      \
      case 2: multiply_##kind (TENSOR_##type, panel, first, x, x_bytes, 2, n_items, sums); break;                      \
      default: multiply_##kind (TENSOR_##type, panel, first, x, x_bytes, 1, n_items, sums); break;                     \
      }                                                                                                                \
  }                                                                                                                    \
  static const struct kernel_type name##_avxvnni = {                                                                   \
    .companion = companion_kind,                                                                                       \
    .dot = dot_##name##_avx2,                                                                                          \
    .pack = pack_##name,                                                                                               \
    .multiply = multiply_##name,                                                                                       \
    .panel_tokens = PANEL_TOKENS_AVXVNNI,                                                                              \
  };
#define SMALL_AVXVNNI(type, name, block_bytes, has_minimum) TYPE_AVXVNNI (small, type, name, COMPANION_Q8)
#define SUPER_AVXVNNI(type, name, block_bytes, has_minimum) TYPE_AVXVNNI (super, type, name, COMPANION_Q8_K)
SMALL_BLOCK_TYPES (SMALL_AVXVNNI)
SUPER_BLOCK_TYPES (SUPER_AVXVNNI)

#define BLOCK_ROW(type, name, block_bytes, has_minimum) [TENSOR_##type] = &name##_avxvnni,
const struct kernels kernels_avxvnni = {
  .name = PATH_NAME,
  .rows = &row_kernels_avx2,
  .types = { [TENSOR_F32] = &f32_avx2,
             [TENSOR_F16] = &f16_avx2,
             [TENSOR_BF16] = &bf16_avx2,
             SMALL_BLOCK_TYPES (BLOCK_ROW) SUPER_BLOCK_TYPES (BLOCK_ROW) },
  .panel_tokens_min = { [COMPANION_F32] = 4 },
  HELPERS_AVX2,
  .attention = &attention_avx2,
};
