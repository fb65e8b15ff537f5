#!/usr/bin/env python3
"""bad-input.py [LECTERNCTL]: every PDF of ../shared/eval/pdf and every odd page of ../shared/eval/html through "extract", 10 s each;
prints the table of status by what pdftotext made of it. Exit status 1: a crash, a hang, or no status; 77: no such data."""
import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CTL = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.join(HERE, '..', '..', 'build', 'app', 'lecternctl')
DATA = os.path.join(HERE, '..', '..', '..', 'shared', 'eval')
LIMIT_S = 10


def extract(path):
    begin = time.monotonic()
    try:
        done = subprocess.run([CTL, '--json', 'extract', path], capture_output=True, timeout=4 * LIMIT_S)
        status, error = (json.loads(done.stdout)[key] for key in ('status', 'error'))
        assert done.returncode == (status != 'indexed') and bool(error) == (status != 'indexed')
    except subprocess.TimeoutExpired:
        status, error = 'HANGS', ''
    except (ValueError, KeyError, AssertionError):
        status, error = f'NO STATUS (exit {done.returncode})', done.stderr.decode(errors='replace')
    return status, error or '', time.monotonic() - begin


def pages_of_test_cases(folder, into):
    """The inputs of html5lib's tree-construction tests, one page each."""
    n = 0
    for where, _, names in os.walk(folder):
        for name in sorted(names):
            if not name.endswith('.dat'):
                continue
            with open(os.path.join(where, name), 'rb') as f:
                content = f.read()
            for case in re.finditer(rb'^#data\n(.*?)\n#(?:errors|encoding|document)', content, re.S | re.M):
                with open(os.path.join(into, f'{n:05}.html'), 'wb') as f:
                    f.write(case[1])
                n += 1


def main():
    if not os.path.isdir(DATA):
        print(f'{DATA} is absent')
        sys.exit(77)
    work = []
    with tempfile.TemporaryDirectory(prefix='lectern-bad-') as top:
        with open(os.path.join(DATA, 'pdf', 'robustness_manifest.jsonl'), encoding='utf-8') as f:
            for line in f:
                row = json.loads(line)
                path = os.path.join(DATA, 'pdf', row['path'])
                if not os.path.exists(path):
                    continue
                kind = row['poppler']
                if row['password'] and row.get('password_kind') != 'owner':
                    kind += ', given the password'
                elif kind.startswith('ok') and row['poppler_words'] == 0:
                    kind += ', no words'
                work.append((('' if path.endswith('.pdf') else 'no .pdf name: ') + 'pdf ' + kind, path))
        pages_of_test_cases(os.path.join(DATA, 'html', 'html5lib'), top)
        work += [('html5lib test case', os.path.join(top, name)) for name in sorted(os.listdir(top))]
        for part in 'html5lib', 'misc':
            for where, _, names in sorted(os.walk(os.path.join(DATA, 'html', part))):
                work += [(f'html/{part}', os.path.join(where, n)) for n in sorted(names) if n.endswith(('.html', '.htm'))]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda item: extract(item[1]), work))
    table, bad, slowest = collections.defaultdict(collections.Counter), 0, 0
    for (kind, path), (status, error, seconds) in zip(work, results):
        table[kind][status] += 1
        slowest = max(slowest, seconds)
        crashed = status.isupper() or status.startswith('NO STATUS') or 'crash' in error
        if crashed or seconds > LIMIT_S:
            bad += 1
            print(f'{path}: {status}, {seconds:.1f} s. {error}', file=sys.stderr)
    print('| input | files | status |\n|---|---|---|')
    for kind, counts in sorted(table.items()):
        print(f'| {kind} | {sum(counts.values())} | {", ".join(f"{n} {status}" for status, n in counts.most_common())} |')
    print(f'\nslowest {slowest:.1f} s, {bad} crashed, hung or without a status')
    sys.exit(bad > 0)


main()
