"""Generation against llama.cpp on random models of every decoder family (models.py).

    decoders.py                    against the vectors in the repository: needs nothing else
    decoders.py --live [NAME…]     against llama.cpp itself, a quick pass; exits with 77 where it is not installed
    decoders.py --full [NAME…]     the same with 64 tokens, prompts up to 1 500 tokens, and quantised files
    decoders.py --record           writes the vectors anew

Greedy tokens must be equal until a step whose two best are nearly tied; on F16 files in exact mode the 20 best
log-probabilities must agree to 0.01 (llama.cpp rounds activations to half precision, so they cannot be equal), on
quantised files in the default mode the mean Kullback-Leibler divergence over the whole vocabulary must be under 0.001.
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
import models
import oracle
from report import Report

LECTERNCTL = os.environ.get('LECTERNCTL', 'lecternctl')
VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data', 'conformance', 'decoders.json')
SKIP = 77
CONTEXT = 2048
TIE, TOP_LIMIT, KL_LIMIT = .02, .01, 1e-3
# Beyond the original length, where the vectors must hold too.
LONG = ('llama-yarn', 'mistral3', 'phi3-long', 'gemma2', 'gemma3')


def prompt(n):
    source = random.Random(n)
    return [1] + [source.randrange(4, models.VOCAB) for _ in range(n - 1)]


def generate(path, ids, n, top, *options):
    out = subprocess.run([LECTERNCTL, 'engine', 'generate', '--json', '--model', path, '--prompt-tokens', ','.join(map(str, ids)),
                          '-n', str(n), '--ignore-eos', '--top', str(top), '--context', str(CONTEXT), *options],
                         stdout=subprocess.PIPE, check=True).stdout
    return [{'token': step['token'], 'top': dict(map(tuple, step['top']))} for step in json.loads(out)['steps']]


class Comparison:
    """Of two greedy runs, theirs and ours, up to where they part."""

    def __init__(self, theirs, ours):
        self.worst, self.agreed, self.tied, divergences = 0.0, 0, True, []
        for a, b in zip(theirs, ours):
            floor = min(b['top'].values())  # where ranks 20 and 21 change places
            self.worst = max([self.worst] + [abs(b['top'].get(i, floor) - p) for i, p in a['top'].items()])
            divergences.append(sum(math.exp(p) * (p - b['top'].get(i, floor)) for i, p in a['top'].items()))
            if a['token'] != b['token']:
                best = sorted(a['top'].values())
                self.tied = best[-1] - best[-2] < TIE
                break
            self.agreed += 1
        self.divergence = sum(divergences) / len(divergences)

    def __str__(self):
        return f'{self.agreed} tokens equal, worst {self.worst:.5f}, mean KL {self.divergence:.1e}'


def compare_floats(name, path, server, lengths, n, report):
    for length in lengths:
        theirs, ours = server.generate(prompt(length), n, 20), generate(path, prompt(length), n, 20, '--exact')
        comparison = Comparison(theirs, ours)
        report.note(f'{name} exact, prompt of {length}', comparison, comparison.tied and comparison.worst <= TOP_LIMIT)


def compare_whole_floats(name, path, report):
    """The same weights as F32, where llama.cpp does not round activations either."""
    whole = path + '.F32'
    if oracle.quantize(path, whole, 'F32'):
        with oracle.Oracle(whole, '-ctk', 'f32', '-ctv', 'f32', context=CONTEXT) as server:
            compare_floats(name + ' F32', whole, server, (100, 1500), 16, report)
        os.unlink(whole)


def compare_quantised(name, path, kind, report):
    quantised = f'{path}.{kind}'
    if not oracle.quantize(path, quantised, kind):
        print(f'{name} {kind}: the shapes do not allow it')
        return
    with oracle.Oracle(quantised, context=CONTEXT) as server:
        for length in 5, 100:
            theirs = server.generate(prompt(length), 64, models.VOCAB)
            ours = generate(quantised, prompt(length), 64, models.VOCAB)
            comparison = Comparison(theirs, ours)
            report.note(f'{name} {kind}, prompt of {length}', comparison, comparison.divergence <= KL_LIMIT)
    os.unlink(quantised)


def run_live(names, full):
    if not oracle.is_available():
        print(f'skipped: no llama.cpp in {oracle.ROOT}, or not root (chroot)')
        return SKIP
    print(oracle.version())
    report = Report()
    with tempfile.TemporaryDirectory(prefix='lectern-conformance-') as folder:
        for name in names or models.DECODERS:
            path = os.path.join(folder, name + '.gguf')
            models.DECODERS[name]().write(path)
            with oracle.Oracle(path, context=CONTEXT) as server:
                compare_floats(name + ' F16', path, server, (5, 100, 1500) if full else (5, 100), 64 if full else 16, report)
            if full:
                compare_whole_floats(name, path, report)
            for kind in ('Q8_0', 'Q4_K_M', 'Q4_0') if full else ():
                compare_quantised(name, path, kind, report)
            os.unlink(path)
    return report.close()


def record():
    rows = []
    with tempfile.TemporaryDirectory(prefix='lectern-conformance-') as folder:
        for name in models.DECODERS:
            path = os.path.join(folder, name + '.gguf')
            models.DECODERS[name]().write(path)
            with oracle.Oracle(path, context=CONTEXT) as server:
                for length in (5, 100, 300) if name in LONG else (5, 100):
                    steps = [[step['token'], [[i, round(p, 4)] for i, p in step['top'].items()]]
                             for step in server.generate(prompt(length), 8, 8)]
                    rows.append({'model': name, 'prompt': length, 'steps': steps})
    with open(VECTORS, 'w') as file:
        file.write('{"provenance": ' + json.dumps('llama.cpp, ' + oracle.version()) + ', "rows": [\n')
        file.write(',\n'.join(json.dumps(row, separators=(',', ':')) for row in rows) + '\n]}\n')
    return 0


def run_vectors():
    with open(VECTORS) as file:
        vectors = json.load(file)
    print(vectors['provenance'])
    report = Report()
    with tempfile.TemporaryDirectory(prefix='lectern-conformance-') as folder:
        made = None
        for row in vectors['rows']:
            path = os.path.join(folder, row['model'] + '.gguf')
            if made != path:
                if made:
                    os.unlink(made)
                models.DECODERS[row['model']]().write(path)
                made = path
            theirs = [{'token': token, 'top': dict(map(tuple, top))} for token, top in row['steps']]
            ours = generate(path, prompt(row['prompt']), len(theirs), 8, '--exact')
            comparison = Comparison(theirs, ours)
            report.note(f'{row["model"]}, prompt of {row["prompt"]}', comparison,
                        comparison.tied and comparison.worst <= TOP_LIMIT)
    return report.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in 'live', 'full', 'record':
        parser.add_argument('--' + option, action='store_true')
    parser.add_argument('names', nargs='*', metavar='NAME')
    arguments = parser.parse_args()
    if arguments.record:
        return record()
    if arguments.live or arguments.full:
        return run_live(arguments.names, arguments.full)
    return run_vectors()


if __name__ == '__main__':
    sys.exit(main())
