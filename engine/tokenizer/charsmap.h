/* charsmap.h: SentencePiece's precompiled normalisation rules (tokenizer.ggml.precompiled_charsmap).
 *
 * The file holds the size of a double array in bytes (u32, little-endian), the double array, and the replacements, each
 * ended by a NUL (sentencepiece's normalizer.cc). The double array is darts-clone's: units of 32 bits, of which bits
 * 0-7 and 31 are the label, bit 8 says that a value hangs below, bits 10-30 are the offset, times 256 if bit 9 is set
 * (Kanda et al. 2017; Yata 2011). All of it is untrusted: no index is followed without a check. */
#ifndef LECTERN_TOKENIZER_CHARSMAP_H
#define LECTERN_TOKENIZER_CHARSMAP_H

#include "engine/engine.h"
#include "engine/gguf/gguf.h"

/* NFKC's longest replacement has 33 bytes. Longer ones than this are damage: they would make a short text huge. */
#define CHARSMAP_MAX_REPLACEMENT 256

/* Start from {0}, which maps nothing. */
struct charsmap {
  uint8_t *bytes; /* owned */
  size_t n_units; /* of the double array, at bytes + 4 */
  const char *replacements;
  size_t replacements_length;
};

/* Takes the model's rules; none are no error. FORMAT when they cannot be read. */
int charsmap_load (struct charsmap *charsmap, const struct gguf *gguf, struct engine_error *error);
void charsmap_release (struct charsmap *charsmap);

/* The longest beginning of text[0, length) that a rule replaces: its length, and the replacement (borrowed); 0: none. */
size_t charsmap_find (const struct charsmap *charsmap, const char *text, size_t length, const char **replacement,
                      size_t *replacement_length);

#endif
