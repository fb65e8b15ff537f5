#!/bin/sh
# Writes vectors.txt from the llama.cpp in the folder $LLAMA_ROOT (a Debian root with libggml0). Needs chroot's rights.
set -eu
cd "$(dirname "$0")"
root=${LLAMA_ROOT:?names the root in which llama.cpp is installed}
program=$(mktemp "$root/tmp/make-vectors.XXXXXX")
trap 'rm -f "$program"' EXIT
cc -O1 -o "$program" make-vectors.c -ldl -lm
chmod 755 "$program"
chroot "$root" "${program#"$root"}" 2 3 6 7 8 10 11 12 13 14 16 17 18 19 20 21 22 23 29 34 35 39 >vectors.txt
