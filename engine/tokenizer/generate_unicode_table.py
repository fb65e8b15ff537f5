#!/usr/bin/env python3
"""Writes unicode_table.c: what BERT's normaliser and basic tokenizer need to know about characters.

  ./generate_unicode_table.py > unicode_table.c

Folds: canonical decomposition (NFD), with and without dropping non-spacing marks, and simple lower case. Hangul
syllables decompose by arithmetic and are left out. Classes: punctuation (P*), marks (Mn), control (Cc Cf Co Cs).
"""
import sys
import unicodedata as u

LAST = 0x110000
HANGUL = range(0xAC00, 0xD7A4)


def scalars():
    return (c for c in range(LAST) if not 0xD800 <= c < 0xE000)


def ranges(test):
    out = []
    for c in range(LAST):
        if test(c):
            if out and out[-1][1] == c - 1:
                out[-1][1] = c
            else:
                out.append([c, c])
    return out


def main():
    decomposed, lower = [], []
    for c in scalars():
        if c >= 0x80 and c not in HANGUL:
            nfd = u.normalize('NFD', chr(c))
            if nfd != chr(c):
                decomposed.append((c, [ord(x) for x in nfd]))
        low = chr(c).lower()
        if c >= 0x80 and low != chr(c) and len(low) == 1:
            lower.append((c, ord(low)))
    pool = []
    print('/* Written by generate_unicode_table.py from Unicode ' + u.unidata_version + '. */')
    print('#include "engine/tokenizer/unicode.h"\n')
    print('const struct unicode_decomposition unicode_decompositions[] = {')
    row = []
    for c, to in decomposed:
        row.append('{ 0x%X, %d, %d }' % (c, len(pool), len(to)))
        pool += to
    emit(row)
    print('};\nconst size_t unicode_n_decompositions = %d;\n' % len(decomposed))
    print('const uint32_t unicode_decomposition_pool[] = {')
    emit(['0x%X' % c for c in pool])
    print('};\n\nconst struct unicode_lower unicode_lowers[] = {')
    emit(['{ 0x%X, 0x%X }' % x for x in lower])
    print('};\nconst size_t unicode_n_lowers = %d;\n' % len(lower))
    for name, test in (('punctuation', lambda c: u.category(chr(c))[0] == 'P'), ('marks', lambda c: u.category(chr(c)) == 'Mn'),
                       ('controls', lambda c: u.category(chr(c)) in ('Cc', 'Cf', 'Co', 'Cs'))):
        found = ranges(test)
        print('const struct unicode_range unicode_%s[] = {' % name)
        emit(['{ 0x%X, 0x%X }' % tuple(x) for x in found])
        print('};\nconst size_t unicode_n_%s = %d;\n' % (name, len(found)))


def emit(items):
    line = ' '
    for item in items:
        if len(line) + len(item) + 2 > 118:
            print(line)
            line = ' '
        line += ' ' + item + ','
    print(line)


if __name__ == '__main__':
    main()
