#!/bin/sh
# emulated.sh CPU PROGRAM [ARGUMENT...]: runs a program of this architecture on an emulated CPU, which ends it at the
# first instruction that the CPU does not have. Skipped without qemu's user mode (Debian: qemu-user).
set -eu
cpu=$1
shift
qemu=qemu-$(uname -m)
command -v "$qemu" >/dev/null || {
  echo "skipped: no $qemu here"
  exit 77
}
exec "$qemu" -cpu "$cpu" "$@"
