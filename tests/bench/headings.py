#!/usr/bin/env python3
"""Headings that are found without the outline, against the outline.

headings.py BUILD [--part dev|held|all] [--show PATTERN] [--max-bytes N] [--every N]
            PDF-OR-FOLDER...

Of every PDF whose outline has at least five entries that stand in print, the heading blocks of `lectern-extract --dump` with
LECTERN_PDF_OUTLINE=ignore are compared with the outline's titles on the same page (or, where none is there, on a page beside
it: many entries lead to the end of the page before), by letters and digits; a number before the title may be missing on either
side. The documents are split in two by the MD5 of their name: rules are made looking at `dev`,
`held` is for the figures.

recall      outline titles that stand in print and are a heading block
precision   heading blocks that are an outline title; the document's title is not counted, nor is a title of the outline whose
            entry leads elsewhere
covered     precision among headings whose level is no deeper than the deepest one that matched an entry: outlines often
            stop at a level
levels      pairs of neighbouring matched headings whose order of depth (deeper, same, higher) is that of the outline

Each as the mean over documents and over all headings together.
"""
import argparse
import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys
import unicodedata

MIN_ENTRIES = 5
# Tables of contents are left out with their title, since they repeat the headings.
CONTENTS = ('contents', 'tableofcontents', 'inhaltsverzeichnis', 'inhalt', 'listoffigures', 'listoftables')


def key_of(text):
    return ''.join(c for c in unicodedata.normalize('NFKC', text).lower() if c.isalnum())


def same_title(heading, text, entry):
    """Whether two keys are one title, a number or a word like "chapter 3" before it aside."""
    if heading == entry:
        return True
    number = re.match(r'(\d[\d.]*|[A-Z](\.\d+)+)\.? +\w+', text)
    if number and key_of(number[0]) == entry or number and heading.startswith(entry) and entry.startswith(key_of(number[0])):
        return True  # the outline has a shorter title
    short, long = sorted((heading, entry), key=len)
    if len(short) < 3 or not long.endswith(short):
        return False
    before = long[:len(long) - len(short)]
    return len(before) <= 12 and (len(before) <= 4 or any(c.isdigit() for c in before))


def find_pdfs(places):
    for place in places:
        if os.path.isfile(place):
            yield place
        for folder, _, names in sorted(os.walk(place)):
            yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith('.pdf'))


def run(command, **variables):
    try:
        done = subprocess.run(command, capture_output=True, timeout=200, env=dict(os.environ, **variables))
    except subprocess.TimeoutExpired:
        return ''
    return done.stdout.decode('utf-8', 'replace')


def read_outline(build, path):
    entries = []
    for line in run([build + '/tests/bench/show-outline', path]).split('\n'):
        level, _, rest = line.partition('\t')
        page, _, title = rest.partition('\t')
        if title and key_of(title) not in CONTENTS:
            entries.append((int(level), int(page), key_of(title), title))
    return entries


def read_headings(build, path):
    """(level, page, key, text) of each heading block, and the key of the document's title."""
    out = run([build + '/ingest/extract/lectern-extract', '--dump', path], LECTERN_PDF_OUTLINE='ignore')
    title = re.search(r'^title: (.*)$', out, re.M)
    found = re.findall(r'^\[heading (\d), page (\d+)[^\]\n]*\]\n(.*)$', out, re.M)
    return [(int(level), int(page), key_of(text), text) for level, page, text in found], key_of(title[1]) if title else ''


def compare(build, path):
    """The counts of one document, None if its outline does not tell enough."""
    outline = read_outline(build, path)
    entries = [entry for entry in outline if entry[1] > 0]
    elsewhere = [entry[2] for entry in outline if entry[1] == 0]
    if len(entries) < MIN_ENTRIES:
        return None
    headings, title = read_headings(build, path)
    by_page = {}
    for i, entry in enumerate(entries):
        by_page.setdefault(entry[1], []).append(i)
    taken, pairs, wrong = set(), [], []
    for heading in headings:
        near = [i for page in (heading[1], heading[1] - 1, heading[1] + 1) for i in by_page.get(page, ())]
        hit = next((i for i in near if i not in taken and same_title(heading[2], heading[3], entries[i][2])), None)
        if hit is not None:
            taken.add(hit)
            pairs.append((heading, entries[hit]))
        elif heading[2] != title and not any(same_title(heading[2], heading[3], key) for key in elsewhere):
            wrong.append(heading)
    deepest = max((heading[0] for heading, _ in pairs), default=0)
    steps = [(a, b) for a, b in zip(pairs, pairs[1:])]
    agree = sum((b[0][0] > a[0][0]) - (b[0][0] < a[0][0]) == (b[1][0] > a[1][0]) - (b[1][0] < a[1][0]) for a, b in steps)
    return {'path': path, 'entries': len(entries), 'found': len(pairs) + len(wrong), 'hits': len(pairs),
            'covered': len(pairs) + sum(heading[0] <= deepest for heading in wrong), 'steps': len(steps), 'agree': agree,
            'missed': [entry for i, entry in enumerate(entries) if i not in taken], 'wrong': wrong, 'pairs': pairs}


def ratio(part, whole):
    return part / whole if whole else 1.0


FIGURES = (('recall', 'hits', 'entries'), ('precision', 'hits', 'found'), ('covered', 'hits', 'covered'),
           ('levels', 'agree', 'steps'))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('build')
    parser.add_argument('--part', choices=('dev', 'held', 'all'), default='all')
    parser.add_argument('--show', help='show what is missed and wrong in documents whose path holds this')
    parser.add_argument('--max-bytes', type=int, default=1 << 40)
    parser.add_argument('--every', type=int, default=1, help='take one of so many documents')
    parser.add_argument('places', nargs='+')
    options = parser.parse_args()
    documents = {}
    for path in find_pdfs(options.places):
        digest = hashlib.md5(os.path.basename(path).encode()).digest()
        part = 'dev' if digest[0] % 2 == 0 else 'held'
        if options.part in (part, 'all') and digest[1] % options.every == 0 and os.path.getsize(path) <= options.max_bytes:
            with open(path, 'rb') as file:  # the same file in two places counts once
                documents.setdefault(hashlib.md5(file.read()).digest(), path)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = [r for r in pool.map(lambda path: compare(options.build, path), documents.values()) if r]
    for r in sorted(results, key=lambda r: ratio(r['hits'], r['entries']) + ratio(r['hits'], r['covered'])):
        print('%s\t%d entries\t%d found' % (r['path'], r['entries'], r['found']),
              *('%s %.2f' % (name, ratio(r[part], r[whole])) for name, part, whole in FIGURES), sep='\t')
        if options.show and options.show in r['path']:
            for name in 'missed', 'wrong':
                for level, page, _, text in r[name]:
                    print('   ', name, level, 'p%d' % page, text)
    print('%d documents' % len(results))
    for name, part, whole in FIGURES:
        print('%-10s mean %.3f   together %.3f' % (name, sum(ratio(r[part], r[whole]) for r in results) / max(len(results), 1),
                                                   ratio(sum(r[part] for r in results), sum(r[whole] for r in results))))
    return 0 if results else 1


if __name__ == '__main__':
    sys.exit(main())
