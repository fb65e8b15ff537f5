/* random.h: the random numbers of sampling. They are our own, so that a seed means the same everywhere: xoshiro256++
 * (Blackman and Vigna, 2019), its state filled by splitmix64. */
#ifndef LECTERN_RANDOM_H
#define LECTERN_RANDOM_H

#include <stdint.h>

struct random {
  uint64_t state[4];
};

static inline void random_init (struct random *random, uint64_t seed)
{
  for (int i = 0; i < 4; i++) {
    uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    random->state[i] = z ^ (z >> 31);
  }
}

static inline uint64_t random_rotate_left (uint64_t x, int by)
{
  return (x << by) | (x >> (64 - by));
}

/* Uniform in [0, 1), 53 bits. */
static inline double random_next (struct random *random)
{
  uint64_t *s = random->state, result = random_rotate_left (s[0] + s[3], 23) + s[0], t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = random_rotate_left (s[3], 45);
  return (double)(result >> 11) * 0x1p-53;
}

#endif
