#include "engine/tokenizer/trie.h"

#include <stdlib.h>
#include <string.h>

/* The entries below a node that is still to be given its children. */
struct range {
  uint32_t first, end, depth;
};

static int compare (const void *a, const void *b)
{
  const struct trie_entry *left = a, *right = b;
  size_t n = left->length < right->length ? left->length : right->length;
  int order = memcmp (left->bytes, right->bytes, n);
  if (order == 0)
    order = (left->length > right->length) - (left->length < right->length);
  return order ? order : (left->id > right->id) - (left->id < right->id);
}

static size_t leave_out_long (struct trie_entry *entries, size_t n)
{
  size_t kept = 0;
  for (size_t i = 0; i < n; i++)
    if (entries[i].length > 0 && entries[i].length <= TRIE_MAX_BYTES)
      entries[kept++] = entries[i];
  return kept;
}

/* Two strings that follow each other share the nodes of their common beginning. */
static size_t count_nodes (const struct trie_entry *entries, size_t n)
{
  size_t count = 1;
  for (size_t i = 0; i < n; i++) {
    size_t common = 0;
    if (i > 0)
      while (common < entries[i].length && common < entries[i - 1].length
             && entries[i].bytes[common] == entries[i - 1].bytes[common])
        common++;
    count += entries[i].length - common;
  }
  return count;
}

bool trie_init (struct trie *trie, struct trie_entry *entries, size_t n)
{
  n = leave_out_long (entries, n);
  if (n > 0)
    qsort (entries, n, sizeof *entries, compare);
  size_t n_nodes = count_nodes (entries, n);
  if (n >= UINT32_MAX || n_nodes >= UINT32_MAX)
    return false;
  trie->nodes = calloc (n_nodes, sizeof *trie->nodes);
  struct range *ranges = calloc (n_nodes, sizeof *ranges);
  if (!trie->nodes || !ranges) {
    free (ranges);
    trie_release (trie);
    return false;
  }
  trie->n_nodes = 1;
  ranges[0] = (struct range){ 0, (uint32_t)n, 0 };
  for (uint32_t at = 0; at < trie->n_nodes; at++) {
    struct trie_node *node = &trie->nodes[at];
    struct range range = ranges[at];
    node->id = -1;
    node->first_child = trie->n_nodes;
    for (uint32_t i = range.first; i < range.end;) {
      if (entries[i].length == range.depth) {
        node->id = entries[i++].id;
        continue;
      }
      uint8_t byte = (uint8_t)entries[i].bytes[range.depth];
      uint32_t end = i + 1;
      while (end < range.end && (uint8_t)entries[end].bytes[range.depth] == byte)
        end++;
      ranges[trie->n_nodes] = (struct range){ i, end, range.depth + 1 };
      trie->nodes[trie->n_nodes++].byte = byte;
      node->n_children++;
      i = end;
    }
  }
  free (ranges);
  return true;
}

void trie_release (struct trie *trie)
{
  free (trie->nodes);
  memset (trie, 0, sizeof *trie);
}

uint32_t trie_step (const struct trie *trie, uint32_t node, uint8_t byte)
{
  uint32_t low = trie->nodes[node].first_child, high = low + trie->nodes[node].n_children;
  uint32_t end = high;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (trie->nodes[middle].byte < byte)
      low = middle + 1;
    else
      high = middle;
  }
  return low < end && trie->nodes[low].byte == byte ? low : 0;
}
