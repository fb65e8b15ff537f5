#include "engine/tokenizer/special.h"

#include <stdlib.h>
#include <string.h>

bool special_matcher_init (struct special_matcher *matcher, size_t n_bytes)
{
  memset (matcher, 0, sizeof *matcher);
  if (n_bytes >= INT32_MAX / 2)
    return false;
  matcher->control = malloc ((n_bytes + 1) * sizeof *matcher->control);
  matcher->user = malloc ((n_bytes + 1) * sizeof *matcher->user);
  if (!matcher->control || !matcher->user || !merge_table_init (&matcher->children, n_bytes)) {
    special_matcher_release (matcher);
    return false;
  }
  matcher->control[0] = matcher->user[0] = -1;
  matcher->n_nodes = 1;
  return true;
}

void special_matcher_release (struct special_matcher *matcher)
{
  free (matcher->control);
  free (matcher->user);
  merge_table_release (&matcher->children);
  memset (matcher, 0, sizeof *matcher);
}

void special_matcher_add (struct special_matcher *matcher, const char *bytes, size_t length, int32_t id, bool control)
{
  int32_t node = 0;
  if (length == 0 || length > SPECIAL_MAX_BYTES)
    return;
  matcher->starts[(uint8_t)bytes[0] >> 5] |= UINT32_C (1) << ((uint8_t)bytes[0] & 31);
  for (size_t i = 0; i < length; i++) {
    const struct merge_slot *child = merge_table_find (&matcher->children, node, (uint8_t)bytes[i]);
    if (child) {
      node = child->id;
      continue;
    }
    int32_t made = matcher->n_nodes++;
    merge_table_add (&matcher->children, node, (uint8_t)bytes[i], 0, made);
    matcher->control[made] = matcher->user[made] = -1;
    node = made;
  }
  *(control ? &matcher->control[node] : &matcher->user[node]) = id;
}

int32_t special_matcher_find (const struct special_matcher *matcher, const char *text, size_t length,
                              size_t control_length, size_t *matched)
{
  int32_t node = 0, found = -1;
  if (length == 0 || !(matcher->starts[(uint8_t)text[0] >> 5] >> ((uint8_t)text[0] & 31) & 1))
    return -1;
  for (size_t i = 0; i < length; i++) {
    const struct merge_slot *child = merge_table_find (&matcher->children, node, (uint8_t)text[i]);
    if (!child)
      break;
    node = child->id;
    int32_t id = i < control_length && matcher->control[node] >= 0 ? matcher->control[node] : matcher->user[node];
    if (id >= 0) {
      found = id;
      *matched = i + 1;
    }
  }
  return found;
}
