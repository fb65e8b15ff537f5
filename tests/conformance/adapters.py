"""Generation with LoRA adapters against llama.cpp, on the random models of models.py with random adapters.

    adapters.py                    against the vectors in the repository: needs nothing else
    adapters.py --live [NAME…]     against llama.cpp itself; exits with 77 where it is not installed
    adapters.py --record           writes the vectors anew
    adapters.py --write NAME MODEL.gguf ADAPTER.gguf…    writes a model and its adapters

Greedy tokens and the 20 best log-probabilities in exact mode must agree as decoders.py has them agree. Adapters of the
embeddings of a tied model are not compared: llama.cpp stops at them.
"""
import argparse
import json
import os
import random
import struct
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import decoders
import models
import oracle

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data', 'conformance', 'adapters.json')
# Of each case: the model, and the seed, rank, alpha and scale of each adapter.
CASES = {
    'llama': ('llama', [(1, 4, 8.0, 1.0)]),
    'llama-two': ('llama', [(1, 4, 8.0, .5), (2, 16, 0.0, -.25)]),
    'llama-tied': ('llama-tied', [(3, 8, 8.0, 1.0)]),
    'mixtral': ('mixtral', [(4, 4, 2.0, 1.0)]),
    'qwen3': ('qwen3', [(15, 7, 4.0, 1.5)]),
    'phi2': ('phi2', [(6, 4, 4.0, 1.0)]),
    'phi3': ('phi3', [(7, 4, 4.0, 1.0)]),
    'gemma2': ('gemma2', [(8, 4, 4.0, 1.0)]),
    'granite': ('granite', [(9, 4, 16.0, 1.0)]),
    'lfm2': ('lfm2', [(10, 4, 4.0, 1.0)]),
    'mamba': ('mamba', [(11, 4, 4.0, 1.0)]),
}
PLAIN = 'norm', 'conv1d', 'shortconv.conv', 'ssm_a', 'rope_', 'ssm_d'


def write_adapter(model, path, seed, rank, alpha):
    """Changes every matrix of the model; F32. As convert_lora_to_gguf.py does, with A of the embeddings transposed."""
    source = random.Random(seed)
    noise = [source.gauss(0, 1) for _ in range(models.NOISE)]
    holder = models.Model.__new__(models.Model)
    holder.entries = []
    holder.entry('general.architecture', model.arch)
    holder.entry('general.type', 'adapter')
    holder.entry('adapter.type', 'lora')
    holder.entry('adapter.lora.alpha', alpha)
    tied = not any(name == 'output.weight' for name, *_ in model.tensors)
    halves = []
    for name, shape, _, _ in model.tensors:
        # llama.cpp multiplies a tied head by the change of the embeddings, which does not fit there: it stops.
        if len(shape) < 2 or any(part in name for part in PLAIN) or (tied and name == 'token_embd.weight'):
            continue
        *slabs, n_out, n_in = shape
        if name == 'token_embd.weight':
            halves += [(name + '.lora_a', (n_out, rank), .3), (name + '.lora_b', (n_in, rank), .15)]
        else:
            halves += [(name + '.lora_a', (*slabs, rank, n_in), n_in ** -.5), (name + '.lora_b', (*slabs, n_out, rank), .15)]
    head, data = b'', b''
    for name, shape, scale in halves:
        n = 1
        for size in shape:
            n *= size
        head += models.text_bytes(name) + struct.pack('<I', len(shape)) + b''.join(struct.pack('<Q', s) for s in reversed(shape))
        head += struct.pack('<IQ', 0, len(data))
        values = []
        while len(values) < n:
            start = source.randrange(models.NOISE)
            values += noise[start:start + n - len(values)]
        data += struct.pack(f'<{n}f', *(x * scale for x in values))
        data += b'\0' * (-len(data) % 32)
    with open(path, 'wb') as file:
        file.write(b'GGUF' + struct.pack('<IQQ', 3, len(halves), len(holder.entries)) + b''.join(holder.entries) + head)
        file.write(b'\0' * (-file.tell() % 32) + data)


def write_case(name, model_path, paths):
    model = models.DECODERS[CASES[name][0]]()
    model.write(model_path)
    for path, (seed, rank, alpha, _) in zip(paths, CASES[name][1]):
        write_adapter(model, path, seed, rank, alpha)


class Case:
    def __init__(self, name):
        self.folder = tempfile.TemporaryDirectory(prefix='lectern-conformance-')
        self.model = os.path.join(self.folder.name, 'model.gguf')
        self.adapters = [os.path.join(self.folder.name, f'adapter{i}.gguf') for i in range(len(CASES[name][1]))]
        self.scales = [scale for *_, scale in CASES[name][1]]
        write_case(name, self.model, self.adapters)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def theirs(self, lengths, n, top):
        """{length: steps}"""
        placed = [oracle.place(path) for path in self.adapters]
        try:
            given = ','.join(f'{inside}:{scale}' for (_, inside), scale in zip(placed, self.scales))
            with oracle.Oracle(self.model, '--lora-scaled', given, context=decoders.CONTEXT) as server:
                return {length: server.generate(decoders.prompt(length), n, top) for length in lengths}
        finally:
            for folder, _ in placed:
                oracle.shutil.rmtree(folder)

    def ours(self, length, n, top):
        loras = [word for path, scale in zip(self.adapters, self.scales) for word in ('--lora', f'{path}:{scale}')]
        return decoders.generate(self.model, decoders.prompt(length), n, top, '--exact', *loras)

    def plain(self, length, n, top):
        return decoders.generate(self.model, decoders.prompt(length), n, top, '--exact')


def check(case, name, length, theirs, top, report):
    what, n = f'{name}, prompt of {length}', len(theirs)
    comparison = decoders.Comparison(theirs, case.ours(length, n, top))
    report.note(what, comparison, comparison.tied and comparison.worst <= decoders.TOP_LIMIT)
    # An adapter that does next to nothing would prove nothing.
    without = decoders.Comparison(theirs[:1], case.plain(length, 1, top))
    report.note(f'{what}, against the model alone', without, without.worst > 10 * decoders.TOP_LIMIT)


def run_live(names):
    if not oracle.is_available():
        print(f'skipped: no llama.cpp in {oracle.ROOT}, or not root (chroot)')
        return decoders.SKIP
    print(oracle.version())
    report = decoders.Report()
    for name in names or CASES:
        with Case(name) as case:
            for length, theirs in case.theirs((5, 100), 16, 20).items():
                check(case, name, length, theirs, 20, report)
    return report.close()


def record():
    rows = []
    for name in CASES:
        with Case(name) as case:
            for length, steps in case.theirs((5, 100), 8, 8).items():
                rows.append({'case': name, 'prompt': length,
                             'steps': [[step['token'], [[i, round(p, 4)] for i, p in step['top'].items()]] for step in steps]})
    with open(VECTORS, 'w') as file:
        file.write('{"provenance": ' + json.dumps('llama.cpp, ' + oracle.version()) + ', "rows": [\n')
        file.write(',\n'.join(json.dumps(row, separators=(',', ':')) for row in rows) + '\n]}\n')
    return 0


def run_vectors():
    with open(VECTORS) as file:
        vectors = json.load(file)
    print(vectors['provenance'])
    report = decoders.Report()
    for name in CASES:
        with Case(name) as case:
            rows = [row for row in vectors['rows'] if row['case'] == name]
            assert rows, f'no vectors for {name}'
            for row in rows:
                theirs = [{'token': token, 'top': dict(map(tuple, top))} for token, top in row['steps']]
                check(case, name, row['prompt'], theirs, 8, report)
    return report.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in 'live', 'record', 'write':
        parser.add_argument('--' + option, action='store_true')
    parser.add_argument('names', nargs='*', metavar='NAME')
    arguments = parser.parse_args()
    if arguments.record:
        return record()
    if arguments.write:
        name, model, *adapters = arguments.names
        write_case(name, model, adapters)
        return 0
    return run_live(arguments.names) if arguments.live else run_vectors()


if __name__ == '__main__':
    sys.exit(main())
