/* vocabulary.h: byte strings to token ids, and token pairs to merges, by open addressing.
 *
 * Both tables hash with a seed that differs between runs, so that a file cannot be built to collide. Sizes are fixed
 * when the table is made; nothing here reads past what it was given. */
#ifndef LECTERN_TOKENIZER_VOCABULARY_H
#define LECTERN_TOKENIZER_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vocabulary_slot {
  const char *bytes;
  uint32_t length;
  uint32_t hash;
  int32_t id; /* -1: free */
};

/* Strings are borrowed. */
struct vocabulary {
  struct vocabulary_slot *slots;
  size_t mask;
  uint64_t seed;
  uint32_t max_length; /* of the strings that were added */
};

/* Room for n_strings; false when out of memory. */
bool vocabulary_init (struct vocabulary *vocabulary, size_t n_strings);
void vocabulary_release (struct vocabulary *vocabulary);
/* A string that is there already gets the new id, as in the reference implementations. */
void vocabulary_add (struct vocabulary *vocabulary, const char *bytes, uint32_t length, int32_t id);
int32_t vocabulary_find (const struct vocabulary *vocabulary, const char *bytes, size_t length); /* -1: absent */

struct merge_slot {
  uint64_t pair;
  uint32_t rank;
  int32_t id; /* of the merged token; -1: free */
};

struct merge_table {
  struct merge_slot *slots;
  size_t mask;
  uint64_t seed;
};

bool merge_table_init (struct merge_table *table, size_t n_merges);
void merge_table_release (struct merge_table *table);
/* The first merge of a pair counts. */
void merge_table_add (struct merge_table *table, int32_t left, int32_t right, uint32_t rank, int32_t id);
const struct merge_slot *merge_table_find (const struct merge_table *table, int32_t left, int32_t right); /* NULL */

#endif
