/* block-model.h: which blocks of a page a reader would call its content, learnt from pages that people have marked.
 * Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_HTML_BLOCK_MODEL_H
#define LECTERN_EXTRACT_HTML_BLOCK_MODEL_H

#include "ingest/extract/html/features.h"

/* A node of a tree: goes left where features[feature] <= value; a leaf (feature 255) gives `value`. Its left child is the
 * next node. */
typedef struct {
  guint8 feature;
  guint8 right; /* the right child, counted from this node */
  float value;
} BlockModelNode;

/* Made by tests/bench/html-train.py; block_model_trees[i] is where tree i begins in the nodes. */
extern const BlockModelNode block_model_nodes[];
extern const guint16 block_model_trees[];
extern const guint block_model_n_trees;

/* The logarithm of the odds that the block is content. */
float block_model_score (const float features[N_BLOCK_FEATURES]);

#endif
