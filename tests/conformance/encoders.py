"""Vectors and scores against llama.cpp on random encoders and rerankers of every family (encoder_models.py).

    encoders.py                    against the vectors in the repository: needs nothing else
    encoders.py --live [NAME…]     against llama.cpp itself; exits with 77 where it is not installed
    encoders.py --live --quick     the same without the longest texts
    encoders.py --record           writes the vectors anew

All on F16 files. Vectors must have a cosine of 0.9999 with llama.cpp's, scores lie within 0.01 of them. llama.cpp gives
every token the token type 0, so it is asked only about rerankers for which that is no matter.
"""
import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import encoder_models
import oracle
from report import Report

LECTERNCTL = os.environ.get('LECTERNCTL', 'lecternctl')
VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data', 'conformance', 'encoders.json')
SKIP = 77
COSINE_LIMIT, SCORE_LIMIT = .9999, .01
KEPT, ITEM_LIMIT = 16, .001  # numbers of a vector that are recorded, and how far each may lie from ours
LENGTHS = 5, 100, 1500
QUERY = 'how often is the machine cleaned'


def text(n):
    """Words of letters, about n tokens."""
    source = random.Random(n)
    letters = ''.join(source.choice('abcdefghijklmnopqrstuvwxyz') for _ in range(n))
    words, done = [], 0
    while done < n:
        size = source.randrange(1, 9)
        words.append(letters[done:done + size])
        done += size
    return ' '.join(words)


TEXTS = [text(n) for n in LENGTHS]
# Of these, with windows or positions of their own, the long text's vector is recorded too.
LONG = ('bert-cls', 'nomic-bert', 'modern-bert-cls', 'gemma-embedding', 'gemma3-last', 'bert-reranker')


def recorded_texts(name):
    return TEXTS if name in LONG else TEXTS[:2]


def run(command, path, lines, *options):
    out = subprocess.run([LECTERNCTL, 'engine', command, '--model', path, *options], input='\n'.join(lines).encode(),
                         stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def ours(name, path, texts=TEXTS):
    """A vector for each text, or a score for each passage."""
    if name in encoder_models.RERANKERS:
        return run('rerank', path, texts, '--query', QUERY)
    return run('embed', path, texts)


def theirs(name, path, texts=TEXTS):
    reranker = name in encoder_models.RERANKERS
    size = str(encoder_models.CONTEXT)
    with oracle.Oracle(path, '--reranking' if reranker else '--embeddings', '-b', size, '-ub', size,
                       context=encoder_models.CONTEXT) as server:
        return server.rerank(QUERY, texts) if reranker else server.embed(texts)


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def compare(name, length, a, b, report):
    if name in encoder_models.RERANKERS:
        report.note(f'{name}, passage of {length}', f'{b:.5f} for {a:.5f}', abs(a - b) <= SCORE_LIMIT)
    elif len(a) == KEPT:
        worst = max(abs(x - y) for x, y in zip(a, b))
        report.note(f'{name}, text of {length}', f'differs by {worst:.5f}', worst <= ITEM_LIMIT)
    else:
        alike = cosine(a, b)
        report.note(f'{name}, text of {length}', f'cosine {alike:.7f}', len(a) == len(b) and alike >= COSINE_LIMIT)


RECIPES = {**encoder_models.ENCODERS, **encoder_models.RERANKERS}


def each_model(names):
    with tempfile.TemporaryDirectory(prefix='lectern-conformance-') as folder:
        for name in names:
            path = os.path.join(folder, name + '.gguf')
            RECIPES[name]().write(path)
            yield name, path
            os.unlink(path)


def run_live(names, quick):
    texts = TEXTS[:2] if quick else TEXTS
    if not oracle.is_available():
        print(f'skipped: no llama.cpp in {oracle.ROOT}, or not root (chroot)')
        return SKIP
    print(oracle.version())
    report = Report()
    for name, path in each_model(names or RECIPES):
        try:
            expected = theirs(name, path, texts)
        except RuntimeError as error:
            report.note(name, f'llama.cpp cannot run it: {error}', False)
            continue
        for length, a, b in zip(LENGTHS, expected, ours(name, path, texts)):
            compare(name, length, a, b, report)
    return report.close()


def record():
    rows = []
    for name, path in each_model(RECIPES):
        values = [[round(x, 5) for x in value[:KEPT]] if isinstance(value, list) else round(value, 5)
                  for value in theirs(name, path, recorded_texts(name))]
        rows.append({'model': name, 'values': values})
    with open(VECTORS, 'w') as file:
        file.write('{"provenance": ' + json.dumps('llama.cpp, ' + oracle.version()) + ', "rows": [\n')
        file.write(',\n'.join(json.dumps(row, separators=(',', ':')) for row in rows) + '\n]}\n')
    return 0


def run_vectors():
    with open(VECTORS) as file:
        vectors = json.load(file)
    print(vectors['provenance'])
    recorded = {row['model']: row['values'] for row in vectors['rows']}
    report = Report()
    for name, path in each_model(RECIPES):
        for length, a, b in zip(LENGTHS, recorded[name], ours(name, path, recorded_texts(name))):
            compare(name, length, a, b, report)
    return report.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in 'live', 'quick', 'record':
        parser.add_argument('--' + option, action='store_true')
    parser.add_argument('names', nargs='*', metavar='NAME')
    arguments = parser.parse_args()
    if arguments.record:
        return record()
    return run_live(arguments.names, arguments.quick) if arguments.live else run_vectors()


if __name__ == '__main__':
    sys.exit(main())
