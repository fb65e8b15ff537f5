/* avx512.h: what the AVX-512 files share. Only files compiled with the flags of that path may include it.
 *
 * The path needs F, BW, DQ, VL, VNNI and VBMI (Ice Lake, Zen 4 and later). What it has no kernels of its own for is
 * taken from the AVX2 path, which every such CPU runs as well. */
#ifndef LECTERN_KERNELS_AVX512_H
#define LECTERN_KERNELS_AVX512_H

#include "engine/kernels/avx2/avx2.h"

#endif
