#!/bin/sh
# real-input.sh [LECTERNCTL]: real documents through the built program; rows for results.md on standard output, everything
# else on standard error. Needs Debian's octave-doc, postgresql-doc-15, texlive-latex-base-doc, texlive-pictures-doc and
# poppler-utils; what is absent is left out, visibly. Minutes of work: run it by hand, on a machine with nothing else to do.
#   REAL_INPUT_ROUNDS=2   how often CPU times are taken, alternating with pdftotext; the least counts
#   REAL_INPUT_KEEP=DIR   build the library there and keep it
here=$(cd "$(dirname "$0")" && pwd)
exec python3 -B "$here/real_input.py" "${1:-$here/../../build/app/lecternctl}"
