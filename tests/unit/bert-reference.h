/* bert-reference.h: BERT in arithmetic written out for reading (arXiv 1810.04805), for models of model-builder.h. */
#ifndef LECTERN_BERT_REFERENCE_H
#define LECTERN_BERT_REFERENCE_H

#include "tests/unit/model-builder.h"

/* Zeros, to be freed; never NULL. */
float *reference_array (size_t n);

/* The last layer's [n][n_embd] for tokens of the given types (NULL: all 0), to be freed. */
float *bert_reference_run (const struct builder_model *m, const int32_t *ids, const uint8_t *types, uint32_t n);

#endif
