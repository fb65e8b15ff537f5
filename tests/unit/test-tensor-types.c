/* test-tensor-types.c: what the bytes of a quantised block mean: against llama.cpp (tests/data/tensor-types/), and
 * against a second reading of the formats, which takes each weight's bits one by one. */
#include "tests/data/tensor-types/random-blocks.h"
#include "engine/gguf/codebook.h"
#include "engine/gguf/half.h"
#include "engine/gguf/tensor_type.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf (stderr, "%s:%d: not true: %s (%s)\n", __FILE__, __LINE__, #condition, context);                         \
      exit (1);                                                                                                        \
    }                                                                                                                  \
  } while (0)

static char context[160];

/* ---- a second reading ------------------------------------------------------------------------------------ */

/* The number in `n` bits of `bytes`, from bit `first` on; bit 0 is the lowest of byte 0. */
static int bits (const uint8_t *bytes, int first, int n)
{
  int value = 0;
  for (int i = 0; i < n; i++)
    value |= (bytes[(first + i) / 8] >> ((first + i) % 8) & 1) << i;
  return value;
}

static double half_at (const uint8_t *block, int byte)
{
  return (double)f32_of_f16 ((uint16_t)bits (block, 8 * byte, 16));
}

/* Weight i of 32 in nibbles of which byte j holds j and j + 16. */
static int nibble_of_32 (const uint8_t *block, int byte, int i)
{
  return bits (block, 8 * (byte + i % 16) + i / 16 * 4, 4);
}

/* Weight i of 256 in bit pairs: byte j of a half holds j, j + 32, j + 64 and j + 96. */
static int pair_of_256 (const uint8_t *block, int byte, int i)
{
  return bits (block, 8 * (byte + i / 128 * 32 + i % 32) + i % 128 / 32 * 2, 2);
}

/* Weight i of 256 in nibbles: 32 bytes hold 64 weights, the first 32 in the low halves. */
static int nibble_of_256 (const uint8_t *block, int byte, int i)
{
  return bits (block, 8 * (byte + i / 64 * 32 + i % 32) + i % 64 / 32 * 4, 4);
}

static int scale_of_k (const uint8_t *scales, int group, bool minimum)
{
  const int byte = group % 4 + (minimum ? 4 : 0);
  if (group < 4)
    return bits (scales, 8 * byte, 6);
  return bits (scales, 8 * (8 + group % 4) + (minimum ? 4 : 0), 4) + 16 * bits (scales, 8 * byte + 6, 2);
}

/* The sign of weight i of eight, of which seven are written and the eighth makes the number of minus signs even. */
static int sign_of_seven (const uint8_t *block, int first, int i)
{
  int sign = 1;
  if (i < 7)
    return bits (block, first + i, 1) ? -1 : 1;
  for (int j = 0; j < 7; j++)
    sign *= bits (block, first + j, 1) ? -1 : 1;
  return sign;
}

static double read_q4_0 (const uint8_t *b, int i)
{
  return half_at (b, 0) * (nibble_of_32 (b, 2, i) - 8);
}
static double read_q4_1 (const uint8_t *b, int i)
{
  return half_at (b, 0) * nibble_of_32 (b, 4, i) + half_at (b, 2);
}
static double read_q5_0 (const uint8_t *b, int i)
{
  return half_at (b, 0) * (nibble_of_32 (b, 6, i) + 16 * bits (b, 16 + i, 1) - 16);
}
static double read_q5_1 (const uint8_t *b, int i)
{
  return half_at (b, 0) * (nibble_of_32 (b, 8, i) + 16 * bits (b, 32 + i, 1)) + half_at (b, 2);
}
static double read_q8_0 (const uint8_t *b, int i)
{
  return half_at (b, 0) * (b[2 + i] < 128 ? b[2 + i] : b[2 + i] - 256);
}

static double read_q2_k (const uint8_t *b, int i)
{
  return half_at (b, 80) * bits (b, i / 16 * 8, 4) * pair_of_256 (b, 16, i)
         - half_at (b, 82) * bits (b, i / 16 * 8 + 4, 4);
}
static double read_q3_k (const uint8_t *b, int i)
{
  const int group = i / 16, q = pair_of_256 (b, 32, i) + 4 * bits (b, 8 * (i % 32) + i / 32, 1) - 4;
  const int low = bits (b, 8 * (96 + group % 8) + (group < 8 ? 0 : 4), 4);
  const int high = bits (b, 8 * (104 + group % 4) + 2 * (group / 4), 2);
  return half_at (b, 108) * (low + 16 * high - 32) * q;
}
static double read_q4_k (const uint8_t *b, int i)
{
  return half_at (b, 0) * scale_of_k (b + 4, i / 32, false) * nibble_of_256 (b, 16, i)
         - half_at (b, 2) * scale_of_k (b + 4, i / 32, true);
}
static double read_q5_k (const uint8_t *b, int i)
{
  const int q = nibble_of_256 (b, 48, i) + 16 * bits (b, 8 * (16 + i % 32) + i / 32, 1);
  return half_at (b, 0) * scale_of_k (b + 4, i / 32, false) * q - half_at (b, 2) * scale_of_k (b + 4, i / 32, true);
}
static double read_q6_k (const uint8_t *b, int i)
{
  const int half = i / 128, place = i % 128;
  const int low = bits (b, 8 * (64 * half + place % 64) + place / 64 * 4, 4);
  const int scale = b[192 + i / 16] < 128 ? b[192 + i / 16] : b[192 + i / 16] - 256;
  return half_at (b, 208) * scale * (low + 16 * pair_of_256 (b, 128, i) - 32);
}

/* Digits in base 3: the byte is the upper end of the interval of the fraction. */
static double read_tq1_0 (const uint8_t *b, int i)
{
  const int byte = i < 160 ? i % 32 : i < 240 ? 32 + (i - 160) % 16 : 48 + (i - 240) % 4;
  const int place = i < 160 ? i / 32 : i < 240 ? (i - 160) / 16 : (i - 240) / 4;
  int rest = b[byte], digit = 0;
  for (int j = 0; j <= place; j++) {
    digit = rest * 3 / 256;
    rest = rest * 3 % 256;
  }
  return half_at (b, 52) * (digit - 1);
}
static double read_tq2_0 (const uint8_t *b, int i)
{
  return half_at (b, 64) * (pair_of_256 (b, 0, i) - 1);
}

static const int iq4_values[16] = { -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113 };

static double read_iq4_nl (const uint8_t *b, int i)
{
  return half_at (b, 0) * iq4_values[nibble_of_32 (b, 2, i)];
}
static double read_iq4_xs (const uint8_t *b, int i)
{
  const int group = i / 32, scale = bits (b, 32 + 4 * group, 4) + 16 * bits (b, 16 + 2 * group, 2) - 32;
  return half_at (b, 0) * scale * iq4_values[nibble_of_32 (b, 8 + 16 * group, i % 32)];
}

/* A float of 1 sign, 2 exponent and 1 fraction bit: exponent 0 is subnormal, the bias is 1. */
static double read_mxfp4 (const uint8_t *b, int i)
{
  const int code = nibble_of_32 (b, 1, i), exponent = code >> 1 & 3, fraction = code & 1;
  const double value = exponent ? ldexp (2 + fraction, exponent - 2) : fraction * 0.5;
  return ldexp (code & 8 ? -value : value, b[0] - 127);
}

static double read_iq2_xxs (const uint8_t *b, int i)
{
  const int start = 16 + i / 32 * 64, point = i % 32 / 8;
  return half_at (b, 0) * (0.5 + bits (b, start + 60, 4)) / 4 * codebook_iq2_xxs[bits (b, start + 8 * point, 8)][i % 8]
         * sign_of_seven (b, start + 32 + 7 * point, i % 8);
}
static double read_iq2_xs (const uint8_t *b, int i)
{
  const int start = 16 + i / 8 * 16;
  return half_at (b, 0) * (0.5 + bits (b, 66 * 8 + i / 16 * 4, 4)) / 4 * codebook_iq2_xs[bits (b, start, 9)][i % 8]
         * sign_of_seven (b, start + 9, i % 8);
}
static double read_iq2_s (const uint8_t *b, int i)
{
  const int point = b[2 + i / 8] + 256 * bits (b, 66 * 8 + i / 8 * 2, 2);
  return half_at (b, 0) * (0.5 + bits (b, 74 * 8 + i / 16 * 4, 4)) / 4 * codebook_iq2_s[point][i % 8]
         * (bits (b, 34 * 8 + i, 1) ? -1 : 1);
}
static double read_iq3_xxs (const uint8_t *b, int i)
{
  const int start = 66 * 8 + i / 32 * 32;
  return half_at (b, 0) * (0.5 + bits (b, start + 28, 4)) / 2 * codebook_iq3_xxs[b[2 + i / 4]][i % 4]
         * sign_of_seven (b, start + i % 32 / 8 * 7, i % 8);
}
static double read_iq3_s (const uint8_t *b, int i)
{
  const int point = b[2 + i / 4] + 256 * bits (b, 66 * 8 + i / 4, 1);
  return half_at (b, 0) * (1 + 2 * bits (b, 106 * 8 + i / 32 * 4, 4)) * codebook_iq3_s[point][i % 4]
         * (bits (b, 74 * 8 + i, 1) ? -1 : 1);
}
static double read_iq1_s (const uint8_t *b, int i)
{
  const int rest = 34 * 8 + i / 32 * 16, point = b[2 + i / 8] + 256 * bits (b, rest + i % 32 / 8 * 3, 3);
  return half_at (b, 0) * (1 + 2 * bits (b, rest + 12, 3))
         * (codebook_iq1[point][i % 8] + (bits (b, rest + 15, 1) ? -0.125 : 0.125));
}
static double read_iq1_m (const uint8_t *b, int i)
{
  const int rest = 32 * 8 + i / 8 * 4, point = b[i / 8] + 256 * bits (b, rest, 3);
  const int scale = bits (b, 48 * 8 + i / 64 * 16 + i % 64 / 16 * 3, 3);
  int d = 0;
  for (int j = 0; j < 4; j++)
    d |= bits (b, 48 * 8 + 16 * j + 12, 4) << (4 * j);
  return (double)f32_of_f16 ((uint16_t)d) * (1 + 2 * scale)
         * (codebook_iq1[point][i % 8] + (bits (b, rest + 3, 1) ? -0.125 : 0.125));
}

static double (*const readings[TENSOR_N_TYPES]) (const uint8_t *block, int i) = {
  [TENSOR_Q4_0] = read_q4_0,     [TENSOR_Q4_1] = read_q4_1,       [TENSOR_Q5_0] = read_q5_0,
  [TENSOR_Q5_1] = read_q5_1,     [TENSOR_Q8_0] = read_q8_0,       [TENSOR_Q2_K] = read_q2_k,
  [TENSOR_Q3_K] = read_q3_k,     [TENSOR_Q4_K] = read_q4_k,       [TENSOR_Q5_K] = read_q5_k,
  [TENSOR_Q6_K] = read_q6_k,     [TENSOR_IQ2_XXS] = read_iq2_xxs, [TENSOR_IQ2_XS] = read_iq2_xs,
  [TENSOR_IQ2_S] = read_iq2_s,   [TENSOR_IQ3_XXS] = read_iq3_xxs, [TENSOR_IQ3_S] = read_iq3_s,
  [TENSOR_IQ1_S] = read_iq1_s,   [TENSOR_IQ1_M] = read_iq1_m,     [TENSOR_IQ4_NL] = read_iq4_nl,
  [TENSOR_IQ4_XS] = read_iq4_xs, [TENSOR_MXFP4] = read_mxfp4,     [TENSOR_TQ1_0] = read_tq1_0,
  [TENSOR_TQ2_0] = read_tq2_0,
};

static bool is_quantised (enum tensor_type type)
{
  const struct tensor_type_info *info = tensor_type_get_info (type);
  return info && info->runs && info->block_items > 1;
}

static bool is_same_weight (float weight, double expected)
{
  return isnan (expected) ? isnan (weight) : weight == (float)expected;
}

/* Every sum and product of the readings is exact in double precision, and those of the dequantiser in single: only the
 * last step, where there is a minimum, rounds. So they must be equal. */
static void check_reading (enum tensor_type type, const uint8_t *block)
{
  const int n_items = (int)tensor_type_get_info (type)->block_items;
  float weights[BLOCK_ITEMS_MAX];
  tensor_type_to_f32 (type, block, weights, (size_t)n_items);
  for (int i = 0; i < n_items; i++) {
    const double expected = readings[type](block, i);
    snprintf (context, sizeof context, "%s, weight %d: %g where the reading is %g", tensor_type_get_info (type)->name,
              i, (double)weights[i], expected);
    CHECK (is_same_weight (weights[i], expected));
  }
}

static void check_readings (enum tensor_type type)
{
  static const uint8_t edges[] = { 0x00, 0xff, 0x80, 0x7f, 0x01, 0xfe, 0x55, 0xaa };
  const size_t block_bytes = tensor_type_get_info (type)->block_bytes;
  uint8_t *block = malloc (block_bytes); /* AddressSanitizer guards its end */
  uint64_t state = 7;
  snprintf (context, sizeof context, "%s has no second reading", tensor_type_get_info (type)->name);
  CHECK (readings[type]);
  if (!block)
    exit (1);
  for (size_t i = 0; i < sizeof edges; i++) {
    memset (block, edges[i], block_bytes);
    check_reading (type, block);
  }
  for (int i = 0; i < 300; i++) {
    fill_random_block (&state, block, block_bytes);
    check_reading (type, block);
  }
  for (size_t byte = 0; byte < block_bytes; byte++) { /* each byte alone, so that an error shows its place */
    memset (block, 0x3c, block_bytes);
    for (int i = 0; i < 4; i++) {
      block[byte] = random_byte (&state);
      check_reading (type, block);
    }
  }
  free (block);
}

/* ---- llama.cpp's word ------------------------------------------------------------------------------------ */

static size_t read_hex (const char *hex, uint8_t *bytes, size_t max)
{
  size_t n = 0;
  for (unsigned value; n < max && sscanf (hex + 2 * n, "%2x", &value) == 1; n++)
    bytes[n] = (uint8_t)value;
  return n;
}

static uint64_t digest_of_random_blocks (enum tensor_type type)
{
  const struct tensor_type_info *info = tensor_type_get_info (type);
  uint64_t state = type, digest = DIGEST_START;
  for (int i = 0; i < N_RANDOM_BLOCKS; i++) {
    uint8_t block[BLOCK_BYTES_MAX];
    float weights[BLOCK_ITEMS_MAX];
    fill_random_block (&state, block, info->block_bytes);
    tensor_type_to_f32 (type, block, weights, info->block_items);
    digest = add_to_digest (digest, weights, info->block_items);
  }
  return digest;
}

static void check_vectors (const char *path)
{
  FILE *file = fopen (path, "re");
  char *line = NULL, name[32];
  size_t capacity = 0;
  const struct tensor_type_info *info = NULL;
  unsigned type = 0, items, bytes;
  unsigned long long digest;
  uint8_t block[BLOCK_BYTES_MAX], expected[4 * BLOCK_ITEMS_MAX];
  bool seen[TENSOR_N_TYPES] = { false };
  int n_blocks = 0;
  snprintf (context, sizeof context, "%s", path);
  CHECK (file);
  while (getline (&line, &capacity, file) > 0) {
    if (sscanf (line, "type %u %31s %u %u", &type, name, &items, &bytes) == 4) {
      info = tensor_type_get_info (type);
      snprintf (context, sizeof context, "type %s", name);
      CHECK (info && info->runs && strcasecmp (info->name, name) == 0);
      CHECK (info->block_items == items && info->block_bytes == bytes && !seen[type]);
      seen[type] = true;
    } else if (sscanf (line, "digest %llx", &digest) == 1) {
      CHECK (digest_of_random_blocks ((enum tensor_type)type) == digest);
    } else if (strncmp (line, "block ", 6) == 0) {
      CHECK (info && read_hex (line + 6, block, sizeof block) == info->block_bytes);
    } else {
      float weights[BLOCK_ITEMS_MAX], value;
      CHECK (info && strncmp (line, "weights ", 8) == 0);
      CHECK (read_hex (line + 8, expected, sizeof expected) == 4 * (size_t)info->block_items);
      tensor_type_to_f32 ((enum tensor_type)type, block, weights, info->block_items);
      for (size_t i = 0; i < info->block_items; i++) {
        memcpy (&value, expected + 4 * i, 4);
        CHECK (weights[i] == value);
      }
      n_blocks++;
    }
  }
  for (unsigned i = 0; i < TENSOR_N_TYPES; i++) {
    snprintf (context, sizeof context, "%s has no vectors", is_quantised (i) ? tensor_type_get_info (i)->name : "");
    CHECK (seen[i] == is_quantised (i));
  }
  printf ("%d blocks as llama.cpp dequantises them\n", n_blocks);
  free (line);
  fclose (file);
}

int main (int argc, char **argv)
{
  for (unsigned type = 0; type < TENSOR_N_TYPES; type++)
    if (is_quantised ((enum tensor_type)type))
      check_readings ((enum tensor_type)type);
  check_vectors (argc > 1 ? argv[1] : "tests/data/tensor-types/vectors.txt");
  return 0;
}
