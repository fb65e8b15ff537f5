#!/bin/sh
# aarch64.sh SOURCE BUILD: builds the kernels and their test for 64-bit Arm and runs it on emulated CPUs: one with all that
# the paths use, one without i8mm, one without the dot product either. Skipped without the compiler or qemu's user mode
# (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user).
set -eu
source=$1
build=$2
for tool in meson aarch64-linux-gnu-gcc qemu-aarch64; do
  command -v $tool >/dev/null || {
    echo "skipped: no $tool here"
    exit 77
  }
done
[ -f "$build/build.ninja" ] ||
  meson setup "$build" "$source" --cross-file "$source/tests/cross/aarch64.ini" -Dkernels_only=true -Dwerror=true
ninja -C "$build" --quiet

on() { # CPU PATHS [LECTERN_CPU]
  echo "== $1"
  qemu-aarch64 -L /usr/aarch64-linux-gnu -cpu "$1" ${3:+-E LECTERN_CPU=$3} "$build/tests/kernels/test-kernels" --quick --shapes 20 \
    --expect "$2"
}
on max c,dotprod,i8mm
on cortex-a76 c,dotprod dotprod
on cortex-a53 c
