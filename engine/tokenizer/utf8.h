/* utf8.h: strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef LECTERN_TOKENIZER_UTF8_H
#define LECTERN_TOKENIZER_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The length, 1 to 4, of the character at text[0, length) and its code point in *code_point (may be NULL); 0 when
 * no whole valid character starts there. */
size_t utf8_decode (const char *text, size_t length, uint32_t *code_point);

/* Writes 1 to 4 bytes, returns how many. code_point must be a Unicode scalar value. */
size_t utf8_encode (uint32_t code_point, char bytes[4]);

/* How many bytes at the end of text[0, length) are the beginning of a character that more bytes could complete; 0 to 3. */
size_t utf8_incomplete_tail (const char *text, size_t length);

#endif
