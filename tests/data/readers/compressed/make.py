#!/usr/bin/env python3
"""Makes the compressed samples of this folder, the same bytes each time. zstd is the program of that name."""
import bz2
import gzip
import lzma
import os
import random
import subprocess

os.chdir(os.path.dirname(os.path.abspath(__file__)))


def gz(data):
    return gzip.compress(data, mtime=0)


def zst(data):
    return subprocess.run(['zstd', '-q', '-19', '-c'], input=data, stdout=subprocess.PIPE, check=True).stdout


CHANGES = b"""boiler (2.1) unstable; urgency=low

  * The valve opens at nine bar now, no longer at eight.

 -- Ana Nunes  Wed, 01 May 2024 10:00:00 +0100
"""
NOTES = b'# Notes on the pump\n\nThe **impeller** turns left.\n\n- grease it\n- wait\n'
PAGE = (b'<!DOCTYPE html><html lang=en><title>The filter</title><h1>Cleaning</h1><p>Rinse the filter under warm water'
        b' until nothing comes out of it.</p></html>')
LATIN = 'Die Düse ist größer als die Öffnung.\n'.encode('latin-1')

FILES = {
    'changelog.Debian.gz': gz(CHANGES),
    'notes.md.xz': lzma.compress(NOTES),
    'page.html.bz2': bz2.compress(PAGE),
    'parts.csv.zst': zst(b'part,price\nseal,3.50\nhose,12\n'),
    'latin.txt.gz': gz(LATIN),
    # Two members one after the other are one text.
    'two.txt.gz': gz(b'The first member.\n\n') + gz(b'The second member.\n'),
    # Bombs: a line of text, then as many empty lines as unpack to more than 200 times the size and 32 MiB.
    'bomb.txt.gz': gz(b'Before the bomb.\n' + b'\n' * (40 << 20)),
    'bomb.txt.bz2': bz2.compress(b'Before the bomb.\n' + b'\n' * (300 << 20)),
    'bomb.txt.xz': lzma.compress(b'Before the bomb.\n' + b'\n' * (40 << 20)),
    'bomb.txt.zst': zst(b'Before the bomb.\n' + b'\n' * (40 << 20)),
    'twice.txt.gz': gz(gz(b'Compressed twice.\n')),
    'twice.txt.gz.xz': lzma.compress(gz(b'Compressed twice, and its name says so.\n')),
    'cut.txt.gz': gz(random.Random(5).randbytes(4000))[:1000],
    'cut.txt.xz': lzma.compress(random.Random(5).randbytes(4000))[:1000],
    'picture.txt.gz': gz(b'\x89PNG\r\n\x1a\n' + random.Random(7).randbytes(400)),
    'nothing.txt.gz': gz(b''),
    'not-compressed.txt.gz': b'Text that only its name calls compressed.\n',
}

for name, data in FILES.items():
    with open(name, 'wb') as f:
        f.write(data)
