#include "engine/tokenizer/vocabulary.h"

#include <stdlib.h>
#include <string.h>

static uint64_t mix (uint64_t a, uint64_t b)
{
  __extension__ typedef unsigned __int128 wide;
  wide product = (wide)(a ^ 0x9E3779B97F4A7C15u) * (b ^ 0xE7037ED1A0B428DBu);
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Address-space randomisation is enough entropy against files prepared in advance. */
static uint64_t make_seed (const void *allocation)
{
  int local;
  return mix ((uint64_t)(uintptr_t)allocation, (uint64_t)(uintptr_t)&local);
}

static uint64_t hash_bytes (uint64_t seed, const char *bytes, size_t length)
{
  uint64_t hash = seed ^ length, word;
  while (length >= 8) {
    memcpy (&word, bytes, 8);
    hash = mix (hash, word);
    bytes += 8;
    length -= 8;
  }
  word = 0;
  if (length)
    memcpy (&word, bytes, length);
  return mix (hash, word);
}

/* At most two thirds full: denser tables cost probes, sparser ones cache misses. 0 on overflow. */
static size_t table_size (size_t n_entries)
{
  size_t size = 16;
  if (n_entries > SIZE_MAX / 4 / sizeof (struct vocabulary_slot))
    return 0;
  while (size < n_entries + n_entries / 2)
    size *= 2;
  return size;
}

bool vocabulary_init (struct vocabulary *vocabulary, size_t n_strings)
{
  size_t size = table_size (n_strings);
  vocabulary->slots = size ? malloc (size * sizeof *vocabulary->slots) : NULL;
  if (!vocabulary->slots)
    return false;
  for (size_t i = 0; i < size; i++)
    vocabulary->slots[i].id = -1;
  vocabulary->mask = size - 1;
  vocabulary->seed = make_seed (vocabulary->slots);
  vocabulary->max_length = 0;
  return true;
}

void vocabulary_release (struct vocabulary *vocabulary)
{
  free (vocabulary->slots);
  memset (vocabulary, 0, sizeof *vocabulary);
}

static struct vocabulary_slot *find_slot (const struct vocabulary *vocabulary, const char *bytes, size_t length,
                                          uint32_t hash)
{
  for (size_t i = hash & vocabulary->mask;; i = (i + 1) & vocabulary->mask) {
    struct vocabulary_slot *slot = &vocabulary->slots[i];
    if (slot->id < 0)
      return slot;
    if (slot->hash == hash && slot->length == length && memcmp (slot->bytes, bytes, length) == 0)
      return slot;
  }
}

void vocabulary_add (struct vocabulary *vocabulary, const char *bytes, uint32_t length, int32_t id)
{
  uint32_t hash = (uint32_t)hash_bytes (vocabulary->seed, bytes, length);
  struct vocabulary_slot *slot = find_slot (vocabulary, bytes, length, hash);
  *slot = (struct vocabulary_slot){ bytes, length, hash, id };
  if (length > vocabulary->max_length)
    vocabulary->max_length = length;
}

int32_t vocabulary_find (const struct vocabulary *vocabulary, const char *bytes, size_t length)
{
  if (length > vocabulary->max_length || !vocabulary->slots)
    return -1;
  return find_slot (vocabulary, bytes, length, (uint32_t)hash_bytes (vocabulary->seed, bytes, length))->id;
}

static uint64_t make_pair (int32_t left, int32_t right)
{
  return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

bool merge_table_init (struct merge_table *table, size_t n_merges)
{
  size_t size = table_size (n_merges);
  table->slots = size ? malloc (size * sizeof *table->slots) : NULL;
  if (!table->slots)
    return false;
  for (size_t i = 0; i < size; i++)
    table->slots[i].id = -1;
  table->mask = size - 1;
  table->seed = make_seed (table->slots);
  return true;
}

void merge_table_release (struct merge_table *table)
{
  free (table->slots);
  memset (table, 0, sizeof *table);
}

static struct merge_slot *find_merge (const struct merge_table *table, uint64_t pair)
{
  for (size_t i = mix (table->seed, pair) & table->mask;; i = (i + 1) & table->mask) {
    struct merge_slot *slot = &table->slots[i];
    if (slot->id < 0 || slot->pair == pair)
      return slot;
  }
}

void merge_table_add (struct merge_table *table, int32_t left, int32_t right, uint32_t rank, int32_t id)
{
  uint64_t pair = make_pair (left, right);
  struct merge_slot *slot = find_merge (table, pair);
  if (slot->id < 0)
    *slot = (struct merge_slot){ pair, rank, id };
}

const struct merge_slot *merge_table_find (const struct merge_table *table, int32_t left, int32_t right)
{
  const struct merge_slot *slot = find_merge (table, make_pair (left, right));
  return slot->id < 0 ? NULL : slot;
}
