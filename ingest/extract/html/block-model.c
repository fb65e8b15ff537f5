#include "ingest/extract/html/block-model.h"

float block_model_score (const float features[N_BLOCK_FEATURES])
{
  float score = 0;
  for (guint tree = 0; tree < block_model_n_trees; tree++) {
    const BlockModelNode *node = block_model_nodes + block_model_trees[tree];
    while (node->feature != 255)
      node += features[node->feature] <= node->value ? 1 : node->right;
    score += node->value;
  }
  return score;
}
