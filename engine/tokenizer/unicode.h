/* unicode.h: character properties for BERT's normaliser (Unicode data generated into unicode_table.c). */
#ifndef LECTERN_TOKENIZER_UNICODE_H
#define LECTERN_TOKENIZER_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNICODE_MAX_DECOMPOSITION 4

bool unicode_is_space (uint32_t c);       /* White_Space */
bool unicode_is_punctuation (uint32_t c); /* P*, and the other ASCII marks as BERT has it */
bool unicode_is_control (uint32_t c);     /* Cc, Cf, Co, Cs */
bool unicode_is_nonspacing_mark (uint32_t c);
bool unicode_is_cjk (uint32_t c); /* the ideographs that BERT sets apart */
uint32_t unicode_to_lower (uint32_t c);
/* Canonical decomposition (without reordering) into to[]; returns how many, 1 when c stands for itself. */
size_t unicode_decompose (uint32_t c, uint32_t to[UNICODE_MAX_DECOMPOSITION]);

/* The tables. */
struct unicode_decomposition {
  uint32_t from;
  uint16_t offset, n;
};
struct unicode_lower {
  uint32_t from, to;
};
struct unicode_range {
  uint32_t first, last;
};
extern const struct unicode_decomposition unicode_decompositions[];
extern const size_t unicode_n_decompositions;
extern const uint32_t unicode_decomposition_pool[];
extern const struct unicode_lower unicode_lowers[];
extern const size_t unicode_n_lowers;
extern const struct unicode_range unicode_punctuation[], unicode_marks[], unicode_controls[];
extern const size_t unicode_n_punctuation, unicode_n_marks, unicode_n_controls;

#endif
