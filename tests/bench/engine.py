#!/usr/bin/python3
"""The engine beside llama.cpp: prefill, decode, embeddings, and what retrieval makes of them, as rows for results.md.

  engine.py --build build-rel [--models DIR] [--results tests/bench/results.md] [--parts prefill,decode] [--shapes qwen2.5-3b]

Random-weight models of real shapes: speed does not depend on what the weights are. Each is taken from --models
(SHAPE-TYPE.gguf) if it is there and runs, else made with ../shared/peers/mkmodel.py and quantised. Ours and llama-bench run
in turn, the same file, the same threads, -r rounds; medians count, of llama.cpp's -fa on and off the better. llama.cpp is in the
Debian root --llama-root (see ../shared/peers/setup.sh) and reads the files in place: needs root for mounts that only it sees.

The build folder is a release build: ninja -C build-rel app/lecternctl tests/bench/bench-machine tests/bench/bench-session

Parts: prefill, decode; embed: texts of 256 tokens; second: another question on the same passages; quote: an answer that quotes its
passages, with speculation; avx2: prefill with AVX-512 masked off on both sides; start: from start to first token.
"""
import argparse
import datetime
import json
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
# Shape: architecture, type, vocabulary of ../shared/tokenizers that its ids are of.
DECODERS = {'qwen2.5-3b': ('qwen2', 'Q4_K_M', 'qwen2'), 'llama3.2-3b': ('llama', 'Q4_K_M', 'llama-bpe'),
            'phi3-mini': ('phi3', 'Q4_K_M', 'phi-3'),
            'llama3.2-1b': ('llama', 'Q4_K_M', 'llama-bpe')}
ENCODERS = {'minilm-l6': ('Q8_0', 'F16'), 'bge-base': ('Q8_0', 'F16')}
DEFAULT_SHAPES = [shape for shape in (*DECODERS, *ENCODERS) if not shape.endswith('1b')]
TEXT_TOKENS, DECODED = 256, 32
BACKENDS = 'usr/lib/x86_64-linux-gnu/ggml/backends0'


class Gguf:
    """The tensors of a file: name -> (number of items, of dimensions, bytes), and the keys that are plain numbers."""

    def __init__(self, path):
        with open(path, 'rb') as f:
            self.data = f.read(64 << 20)
        _, _, n_tensors, n_keys = struct.unpack_from('<4sIQQ', self.data)
        self.at, self.keys = 24, {}
        for _ in range(n_keys):
            key = self.text()
            self.keys[key] = self.value(self.number('<I'))
        tensors = []
        for _ in range(n_tensors):
            name, n_dims = self.text(), self.number('<I')
            items = 1
            for _ in range(n_dims):
                items *= self.number('<Q')
            self.number('<I')
            tensors.append((self.number('<Q'), name, items, n_dims))
        ends = sorted(t[0] for t in tensors) + [os.path.getsize(path) - -(-self.at // 32) * 32]
        self.tensors = {name: (items, n_dims, ends[ends.index(offset) + 1] - offset) for offset, name, items, n_dims in tensors}
        del self.data

    def number(self, form):
        value, = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def text(self):
        n = self.number('<Q')
        self.at += n
        return self.data[self.at - n:self.at].decode(errors='replace')

    def value(self, kind):
        forms = {0: '<B', 1: '<b', 2: '<H', 3: '<h', 4: '<I', 5: '<i', 6: '<f', 7: '<?', 10: '<Q', 11: '<q', 12: '<d'}
        if kind == 8:
            return self.text()
        if kind == 9:
            item, n = self.number('<I'), self.number('<Q')
            if item in forms:
                self.at += n * struct.calcsize(forms[item])
            else:
                for _ in range(n):
                    self.value(item)
            return None
        return self.number(forms[kind])

    def key(self, name):
        return self.keys[f"{self.keys['general.architecture']}.{name}"]

    def count_macs(self, n, causal):
        """Products for a text of n tokens: of the layers' matrices, and of queries with keys and weights with values."""
        linear = sum(items for name, (items, n_dims, _) in self.tensors.items() if name.startswith('blk.') and n_dims == 2)
        heads = self.key('attention.head_count')
        width = heads * self.keys.get(f"{self.keys['general.architecture']}.attention.key_length", self.key('embedding_length') // heads)
        return n * linear + self.key('block_count') * width * n * n * (1 if causal else 2)

    def count_bytes_read(self):
        """For one token of decoding: of untied embeddings only a row."""
        skipped = self.tensors['token_embd.weight'][2] if 'output.weight' in self.tensors else 0
        return sum(n_bytes for _, _, n_bytes in self.tensors.values()) - skipped


class Bench:
    def __init__(self, a):
        self.a = a
        self.program = os.path.join(a.build, 'app', 'lecternctl')
        self.rows = []
        self.made = tempfile.mkdtemp(dir=os.path.join(a.llama_root, 'tmp'))
        self.machines = {}

    # ---- running ----

    def run(self, *command, path=None, text=None):
        env = dict(os.environ)
        if path:
            env['LECTERN_CPU'] = path
        done = subprocess.run(command, input=text, capture_output=True, env=env)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)[:300]}: {done.stderr.decode(errors='replace')[-2000:]}")
        return done.stdout

    def ours(self, *arguments, path=None, text=None):
        return json.loads(self.run(self.program, '--json', *arguments, path=path, text=text))

    def bench(self, *arguments):
        return json.loads(self.run(os.path.join(self.a.build, 'tests', 'bench', arguments[0]), *map(str, arguments[1:])))

    def llama(self, model, *arguments, backend=None):
        """llama-bench in its root, the model's folder at /mnt, for `backend` with that library alone: tokens per second of
        (prompt, generated, depth, -fa)."""
        script = 'mount --bind "$1" "$2/mnt"\n'
        if backend:
            only = os.path.join(self.made, backend)
            os.makedirs(only, exist_ok=True)
            shutil.copy(os.path.join(self.a.llama_root, BACKENDS, f'libggml-cpu-{backend}.so'), only)
            script += f'mount --bind {only} "$2/{BACKENDS}"\n'
        script += 'root=$2; shift 2\nexec chroot "$root" llama-bench "$@"\n'
        out = self.run('unshare', '-m', 'sh', '-ec', script, 'sh', os.path.dirname(os.path.abspath(model)), self.a.llama_root,
                       '-m', '/mnt/' + os.path.basename(model), '-t', str(self.a.t), '-r', '1', '-o', 'json', *arguments)
        rows = json.loads(out[out.index(b'['):])
        return {(row['n_prompt'], row['n_gen'], row['n_depth'], row['flash_attn']): row['avg_ts'] for row in rows}

    def machine(self, path=None):
        if path not in self.machines:
            name = 'avx2' if path == 'avx2' else None
            measured = [self.bench('bench-machine', self.a.t, *([name] if name else [])) for _ in range(3)]
            self.machines[path] = {key: max((m[key] for m in measured if m[key]), default=None) for key in
                                   ('read_bytes_per_second', 'int8_macs_per_second')}
            limits = self.machines[path]
            print(f"# {measured[0]['path']}, {self.a.t} threads: reads {limits['read_bytes_per_second'] / 1e9:.1f} GB/s"
                  + (f", {limits['int8_macs_per_second'] / 1e9:.0f} G int8 products/s" if limits['int8_macs_per_second'] else ''),
                  flush=True)
        return self.machines[path]

    # ---- models ----

    def model(self, shape, kind, arch, vocabulary=None):
        ready = os.path.join(self.a.models, f'{shape}-{kind}.gguf') if self.a.models else ''
        if os.path.exists(ready) and self.ours('engine', 'info', '--model', ready)['runs']:
            return ready
        made, root = os.path.join(self.made, f'{shape}-{kind}.gguf'), self.a.llama_root
        whole = os.path.join(self.made, f'{shape}-F16.gguf')
        if not os.path.exists(whole):
            vocab = ['--vocab', os.path.join(self.a.shared, 'tokenizers', vocabulary + '.gguf')] if vocabulary else []
            maker = os.path.join(self.a.shared, 'peers', 'mkmodel.py')
            self.run(sys.executable, maker, '--arch', arch, '--preset', shape, '--out', whole, *vocab)
        if not os.path.exists(made):
            inside = ['/' + os.path.relpath(p, root) for p in (whole, made)]
            self.run('chroot', root, 'llama-quantize', *inside, kind)
        return made

    def decoder(self, shape):
        arch, kind, _ = DECODERS[shape]
        return self.model(shape, kind, arch)

    def forget(self, shape):
        """What was made of a shape and is big."""
        for name in os.listdir(self.made):
            if name.startswith(shape + '-'):
                os.remove(os.path.join(self.made, name))

    # ---- rows ----

    def row(self, what, ours, rival, ratio, goal, limit=None, note=''):
        cells = [what, self.a.machine, datetime.date.today().isoformat(), ours, rival,
                 f'{ratio:.2f}' if ratio else '', goal, f'{limit * 100:.0f} %' if limit else '', note]
        self.rows.append('| ' + ' | '.join(cells) + ' |')
        print(self.rows[-1], flush=True)

    def alternate(self, *sides):
        """Runs each side -r times in turn; a side returns a dictionary of numbers. The medians."""
        seen = [{} for _ in sides]
        for _ in range(self.a.r):
            for side, numbers in zip(sides, seen):
                for key, number in side().items():
                    numbers.setdefault(key, []).append(number)
        return [{key: statistics.median(number) for key, number in numbers.items()} for numbers in seen]

    def compare(self, model, prompts, n_decoded, depth, path=None, backend=None, embeddings=False):
        """{(prompt, decoded): tokens per second} of ours, and of llama.cpp's better."""
        lengths = ','.join(map(str, prompts)) or '0'
        our_options = ['-p', lengths, '-t', str(self.a.t), '-r', '1']
        if not embeddings:
            our_options += ['-n', str(n_decoded), '--depth', str(depth)]
        names = {f'pp{p}': (p, 0) for p in prompts} | {f'tg{n_decoded}': (0, n_decoded)} | {f'embd{p}': (p, 0) for p in prompts}

        def ours():
            tests = self.ours('engine', 'bench', '--model', model, *our_options, path=path)
            return {names[test['test'].split(' ')[0]]: test['median'] for test in tests}

        def rival():
            rates = self.llama(model, '-p', lengths, '-n', str(n_decoded), '-d', str(depth), '-fa', '0,1',
                               *(['-embd', '1'] if embeddings else []), backend=backend)
            return {(p, n, fa): rate for (p, n, _, fa), rate in rates.items()}

        ours, rival = self.alternate(ours, rival)
        keys = {key[:2] for key in rival}
        return ours, {key: max(rate for other, rate in rival.items() if other[:2] == key) for key in keys}

    # ---- parts ----

    def prefill(self, path=None, backend=None, goal='3.5'):
        for shape in self.a.shapes:
            if shape not in DECODERS:
                continue
            model = self.decoder(shape)
            gguf = Gguf(model)
            lengths = [n for n in self.a.lengths if n <= gguf.key('context_length')]
            ours, rival = self.compare(model, lengths, 0, 0, path, backend)
            for n in lengths:
                peak = self.machine(path)['int8_macs_per_second']
                limit = ours[n, 0] * gguf.count_macs(n, True) / n / peak if peak else None
                self.row(f"prefill {n}, {shape}{', AVX2' if path else ''}", f'{ours[n, 0]:.1f}', f'{rival[n, 0]:.1f}',
                         ours[n, 0] / rival[n, 0], goal, limit)

    def avx2(self):
        self.prefill('avx2', 'haswell', '1.5')

    def decode(self):
        for shape in self.a.shapes:
            if shape not in DECODERS:
                continue
            model = self.decoder(shape)
            per_token = self.ours('engine', 'info', '--model', model)['kv_bytes_per_token']
            for depth in self.a.depths:
                ours, rival = self.compare(model, [], self.a.n, depth)
                rate, theirs = ours[0, self.a.n], rival[0, self.a.n]
                n_bytes = Gguf(model).count_bytes_read() + per_token * (depth + self.a.n / 2)
                self.row(f'decode {self.a.n} at depth {depth}, {shape}', f'{rate:.2f}', f'{theirs:.2f}', rate / theirs, '1.6',
                         rate * n_bytes / self.machine()['read_bytes_per_second'])

    def embed(self):
        for shape in self.a.shapes:
            for kind in ENCODERS.get(shape, ()):
                model = self.model(shape, kind, 'bert', 'bert-bge')
                ours, rival = self.compare(model, [TEXT_TOKENS], 0, 0, embeddings=True)
                rate, theirs, peak = ours[TEXT_TOKENS, 0], rival[TEXT_TOKENS, 0], self.machine()['int8_macs_per_second']
                limit = rate * Gguf(model).count_macs(TEXT_TOKENS, False) / TEXT_TOKENS / peak if peak else None
                self.row(f'embeddings of {TEXT_TOKENS} tokens, {shape} {kind}', f'{rate:.0f}', f'{theirs:.0f}', rate / theirs, '8', limit,
                         'ours with the tokenizing')

    def second(self):
        n, n_question = self.a.passages, 32
        for shape in self.a.shapes:
            if shape not in DECODERS:
                continue
            model = self.decoder(shape)

            def ours():
                times = self.bench('bench-session', 'second', model, self.a.t, 1, n, n_question)
                return {key: times[key][0] for key in ('first_ms', 'second_ms')}

            def rival():
                return {key: n / rate * 1e3 for key, rate in self.llama(model, '-p', str(n), '-n', '0', '-fa', '0,1').items()}

            ours, rival = self.alternate(ours, rival)
            theirs = min(rival.values())
            self.row(f'second question of {n_question} tokens after {n - n_question} of passages, ms to the first token, {shape}',
                     f"{ours['second_ms']:.0f}", f'{theirs:.0f}', theirs / ours['second_ms'], '20', None,
                     f"llama.cpp: the whole prompt again; ours that way {ours['first_ms']:.0f}")

    def write_quoting_answer(self, vocabulary):
        """Files of token ids: a prompt of the sample documents' text, and an answer of passages from it with words between."""
        folder = os.path.join(SOURCE, 'data', 'samples')
        texts = [self.run(self.program, 'extract', '--text', os.path.join(folder, name)).decode() for name in sorted(os.listdir(folder))]
        vocab = os.path.join(self.a.shared, 'tokenizers', vocabulary + '.gguf')

        def tokenize(text):
            return self.ours('engine', 'tokenize', '--model', vocab, '-', text=text.encode())['tokens']

        text = '\n\n'.join(texts)
        while len(prompt := tokenize(text)) < self.a.passages:
            text += '\n\n' + text
        prompt = prompt[:self.a.passages]
        shown = self.run(self.program, 'engine', 'detokenize', '--model', vocab, ','.join(map(str, prompt))).decode()
        # Two or three sentences that follow each other, as they stand.
        sentence = r'[A-Z][^.!?]{30,}[.!?]'
        passages = [p for p in re.findall(rf'(?<=\s){sentence} {sentence}(?: {sentence})?(?=\s)', shown) if len(p) < 450]
        leads = ['According to the manual, “', 'It also says: “', 'As for the other part of your question, “', 'Another page adds that “']
        if len(passages) < len(leads):
            raise SystemExit('The sample documents have too few passages to quote.')
        answer, quoted = '', 0
        for i, lead in enumerate(leads):
            passage = passages[i * len(passages) // len(leads)]
            answer += f'{lead}{passage}” [{i + 1}]. '
            quoted += len(passage)
        answer_ids, files = tokenize(answer), []
        for name, ids in ('prompt', prompt), ('answer', answer_ids):
            files.append(os.path.join(self.made, name + '.ids'))
            with open(files[-1], 'w', encoding='ascii') as f:
                f.write(','.join(map(str, ids)) + '\n')
        return files, quoted / len(answer)

    def quote(self):
        for shape in self.a.shapes:
            if shape not in DECODERS:
                continue
            model = self.decoder(shape)
            files, share = self.write_quoting_answer(DECODERS[shape][2])
            counts = {}

            def ours():
                got = self.bench('bench-session', 'quote', model, self.a.t, 1, *files)
                counts.update(got)
                return {key: got[key][0] for key in ('plain_tokens_per_second', 'tokens_per_second')}

            def rival():
                return self.llama(model, '-p', '0', '-n', str(self.a.n), '-d', str(self.a.passages), '-fa', '0,1')

            ours, rival = self.alternate(ours, rival)
            theirs, rate = max(rival.values()), ours['tokens_per_second']
            self.row(f"decode of an answer of {counts['answer']} tokens that quotes, depth {counts['prompt']}, {shape}", f'{rate:.1f}',
                     f'{theirs:.1f}', rate / theirs, '4', None,
                     f"replayed: a random model is made to write a given answer, {share * 100:.0f} % of it quotations; {counts['accepted']} of "
                     f"{counts['drafted']} guesses right, {counts['batches']} batches; ours without speculation "
                     f"{ours['plain_tokens_per_second']:.1f}; "
                     'llama.cpp one by one')

    def start(self):
        n = self.a.lengths[0]
        ids = ','.join(str(100 + i % 997) for i in range(n))
        for shape in self.a.shapes:
            if shape not in DECODERS:
                continue
            model = self.decoder(shape)

            def whole():
                start = time.monotonic()
                self.ours('engine', 'generate', '--model', model, '--prompt-tokens', ids, '-n', '1', '-t', str(self.a.t))
                return {'s': time.monotonic() - start}

            def prefill():
                [test] = self.ours('engine', 'bench', '--model', model, '-p', str(n), '-n', '0', '-r', '1', '-t', str(self.a.t))
                return {'s': n / test['median']}

            prefill()  # the file is warm
            whole, prefill = self.alternate(whole, prefill)
            self.row(f'start of the program to its end after one token, prompt of {n}, s, {shape}', f"{whole['s']:.2f}",
                     f"prefill itself {prefill['s']:.2f}", whole['s'] / prefill['s'], 'at most 1.2')

    # ---- all ----

    def table(self):
        return '\n'.join(['| what | machine | date | ours | llama.cpp | ratio | goal | of the limit | note |',
                          '|---|---|---|---|---|---|---|---|---|', *self.rows])

    def close(self):
        shutil.rmtree(self.made, ignore_errors=True)


PARTS = ('prefill', 'decode', 'embed', 'second', 'quote', 'avx2', 'start')


def describe(root):
    done = subprocess.run(['chroot', root, 'llama-bench', '--version'], capture_output=True)
    found = re.search(r'version: (\S+(?: \(\S+\))?)', (done.stdout + done.stderr).decode(errors='replace'))
    return found[1] if found else 'unknown version'


def cpu_name():
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        found = re.search(r'^model name\s*: (.*)$', f.read(), re.M)
    return f"{os.cpu_count()}-core {found[1].strip() if found else 'CPU'}"


def main():
    def numbers(text):
        return [int(word) for word in text.split(',')]

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', default='build-rel')
    parser.add_argument('--models', help='folder of ready models')
    parser.add_argument('--results', help='a Markdown file that the table is added to')
    parser.add_argument('--shared', default=os.path.join(SOURCE, '..', 'shared'))
    parser.add_argument('--llama-root', default=os.environ.get('LLAMA_ROOT', '/srv/peers'))
    parser.add_argument('--machine', default=cpu_name())
    parser.add_argument('--parts', type=lambda text: text.split(','), default=list(PARTS))
    parser.add_argument('--shapes', type=lambda text: text.split(','), default=DEFAULT_SHAPES,
                        help=f"of {', '.join([*DECODERS, *ENCODERS])}; without it all but the 1b")
    parser.add_argument('--lengths', type=numbers, default=[512, 2048, 4096], help='of prompts')
    parser.add_argument('--depths', type=numbers, default=[0, 2048])
    parser.add_argument('--passages', type=int, default=2048, help='tokens of passages')
    parser.add_argument('-n', type=int, default=DECODED, help='tokens to decode')
    parser.add_argument('-t', type=int, default=len(os.sched_getaffinity(0)), help='threads of both')
    parser.add_argument('-r', type=int, default=3, help='rounds')
    a = parser.parse_args()
    if unknown := [word for word in [*a.parts, *a.shapes] if word not in (*PARTS, *DECODERS, *ENCODERS)]:
        parser.error(f"unknown: {', '.join(unknown)}")
    bench = Bench(a)
    print(f'# llama.cpp {describe(a.llama_root)}, {a.t} threads, {a.r} rounds', flush=True)
    try:
        for part in a.parts:
            getattr(bench, part)()
    finally:
        bench.close()
    print('\n' + bench.table())
    if a.results:
        with open(a.results, 'a', encoding='utf-8') as f:
            f.write(f'\n`tests/bench/engine.py`, {datetime.date.today()}, {a.machine}, {a.t} threads, {a.r} rounds, medians, tokens per second '
                    f'unless the row says otherwise; llama.cpp {describe(a.llama_root)}, the better of `-fa` on and off. Limits: '
                    + '; '.join(f"{path or 'best path'} {m['int8_macs_per_second'] / 1e9:.0f} G int8 products/s, "
                                f"{m['read_bytes_per_second'] / 1e9:.1f} GB/s" for path, m in bench.machines.items()
                                if m['int8_macs_per_second'])
                    + '.\n\n' + bench.table() + '\n')


if __name__ == '__main__':
    main()
