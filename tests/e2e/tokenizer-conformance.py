"""Our tokenizers against llama.cpp's on random Unicode strings: every vocabulary of ../shared/tokenizers, unigram ones, and
with --pre every pre-tokenizer of the table over GPT-2's vocabulary.

  tokenizer-conformance.py ENCODE-TEXTS [COUNT] [--only NAME] [--pre] [--seed N] [--show N]

Needs ../shared beside the source folder and llama.cpp in LLAMA_ROOT (default /srv/peers); exits with 77 (skipped) where
they are missing. Where spm_train (Debian's sentencepiece) is installed, a unigram model is trained as well and compared with
spm_encode too. What is different on purpose is taken out of the vocabulary that both read, and counted (see adapt()).
"""
import argparse
import glob
import http.client
import json
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unicodedata

import randomtext
import vocabfile

SOURCE = os.environ.get('LECTERN_SOURCE', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
SHARED = os.path.join(SOURCE, '..', 'shared')
ROOT = os.environ.get('LLAMA_ROOT', '/srv/peers')
SKIP = 77
BATCH = 500
SEPARATOR = -1  # between the texts of one request; no token has it

SPACED = {'gemma4', 'granite-embed-multi-311m', 'mmbert', 'sarvam-moe'}  # characters, not GPT-2's bytes: see make_spaced()

TURN_MARKERS = {b'<start_of_turn>', b'[INST]', b'[/INST]', b'<s>', b'<bos>', b'[SYSTEM_PROMPT]', b'[/SYSTEM_PROMPT]'}


def looks_like_marker(token):
    return (token.startswith(b'<|') and token.endswith(b'|>')) or token in TURN_MARKERS \
        or (token.startswith('<｜'.encode()) and token.endswith('｜>'.encode()))


def adapt(vocabulary):
    """We read user-defined tokens that look like markers of turns only where special tokens are asked for (tokenizer.h).
    Both get such tokens as control tokens, so that the rest can be compared."""
    types = [vocabfile.CONTROL if kind == vocabfile.USER_DEFINED and looks_like_marker(token) else kind
             for token, kind in zip(vocabulary.tokens, vocabulary.types)]
    changed = sum(a != b for a, b in zip(types, vocabulary.types))
    return (vocabulary.with_types(types) if changed else vocabulary), changed


# Where llama.cpp does not do what the model's own tokenizer does: texts with such characters are given without them.
#   WordPiece: strip_accents of BERT (tokenization.py) decomposes (NFD) and drops category Mn; llama.cpp drops all of M, and of
#   a decomposition it keeps the first character only, so that Hangul syllables lose their vowels. U+2581 is a symbol of no word; llama.cpp, whose vocabulary marks the
#   beginnings of words with it, reads a new word there.
#   DeepSeek: [U+0800-U+4E00] of its tokenizer.json holds some spaces; llama.cpp puts U+000B for every space beyond ASCII
#   before it matches patterns without \\p, which is not in the class.
#   Qwen 2: "</s>" is an ordinary token; llama.cpp makes every "</s>" a control token.
#   o200k (GPT-4o, Tekken, Kimi): the letters of a word include marks in the published pattern; llama.cpp's form of it leaves
#   them out, which shows where a contraction follows, and knows capitals of ASCII only.
#   Tiny Aya: digits are grouped from the right where a word ends after them (\\b); llama.cpp looks for no end.
#   AFMoE, Tiny Aya: digits are cut off on both sides; llama.cpp leaves the first of them with what lies before, so that the last of
#   several spaces there is a word of its own (visible where GPT-2's vocabulary has the spaces as one token: before U+0085, U+00A0).
#   Tiny Aya, Youtu: a word ends where a capital follows a small letter ([...]*[\\p{Ll}...]+); llama.cpp goes on.
#   SuperBPE: \\d is every decimal digit; in std::regex it is 0-9.
NOT_MN = ''.join(chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) in ('Mc', 'Me'))
PARTS = ''.join(chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000
                and any(unicodedata.category(part) != 'Mn' for part in unicodedata.normalize('NFD', chr(c))[1:]))
WIDE_SPACES = '\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000'
MARK = ''.join(chr(c) for c in range(0x110000) if unicodedata.category(chr(c))[0] == 'M')
CAPITAL = ''.join(chr(c) for c in range(0x80, 0x110000) if unicodedata.category(chr(c)) in ('Lu', 'Lt'))
UNLIKE = {'pre ' + name: f'[{MARK}{CAPITAL}]' for name in ('gpt-4o', 'llama4', 'kanana2', 'talkie', 'minimax-m2', 'tekken', 'kimi-k2')}
CASE = f'(?<=[a-z])[A-Z]|[{CAPITAL}]'
BEYOND_ASCII = '[\x85\xa0]'
DIGITS_IN_WORD = rf'\d+(?=[^\W\d]|[{MARK}])'
UNLIKE |= {'pre tiny_aya': f'{DIGITS_IN_WORD}|{CASE}|{BEYOND_ASCII}', 'pre cohere2moe': f'{DIGITS_IN_WORD}|{CASE}|{BEYOND_ASCII}',
           'pre afmoe': BEYOND_ASCII, 'pre youtu': CASE, 'pre superbpe': r'[^\D0-9]'}
UNLIKE |= {'bert-bge': f'[{NOT_MN}{PARTS}▁]', 'deepseek-llm': f'[{WIDE_SPACES}]', 'deepseek-coder': f'[{WIDE_SPACES}]', 'qwen2': '</s>',
          'pre deepseek-llm': f'[{WIDE_SPACES}]', 'pre deepseek-coder': f'[{WIDE_SPACES}]'}


def leave_out(name, texts):
    """The texts without what UNLIKE names, and how many had it."""
    if name not in UNLIKE:
        return texts, 0
    changed = [re.sub(UNLIKE[name], '', t) for t in texts]
    return changed, sum(a != b for a, b in zip(texts, changed))


class Server:
    """llama-server in its chroot with one model."""

    def __init__(self, model):
        folder = os.path.join(ROOT, 'oracle')
        os.makedirs(folder, exist_ok=True)
        self.copy = os.path.join(folder, f'{os.getpid()}-tokenizer.gguf')
        shutil.copy(model, self.copy)
        for _ in range(5):  # the port that was free may be taken by now
            if self.start():
                return
            self.close(keep=True)
        raise RuntimeError('llama-server does not start: ' + self.tail())

    def start(self):
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        self.log = tempfile.TemporaryFile('w+')
        self.process = subprocess.Popen(
            ['chroot', ROOT, 'llama-server', '-m', '/oracle/' + os.path.basename(self.copy), '--host', '127.0.0.1', '--port', str(port),
             '-c', '64', '-t', '1', '--no-webui', '--offline', '-np', '1', '--no-warmup', '--cache-ram', '0'],
            stdout=subprocess.DEVNULL, stderr=self.log)
        self.connection = http.client.HTTPConnection('127.0.0.1', port, timeout=300)
        for _ in range(600):
            if self.process.poll() is not None:
                return False
            try:
                if self.ask('GET', '/health', None).get('status') == 'ok':
                    return True
            except (OSError, http.client.HTTPException):
                self.connection.close()
            time.sleep(0.05)
        return False

    def tail(self):
        self.log.seek(0)
        return self.log.read()[-1500:]

    def ask(self, method, path, body):
        self.connection.request(method, path, json.dumps(body) if body else None, {'Content-Type': 'application/json'})
        return json.loads(self.connection.getresponse().read())

    def tokenize(self, texts, special):
        self.connection.close()  # the server drops one that was idle for seconds; the next request opens another
        out = []
        for at in range(0, len(texts), BATCH):
            content = []
            for text in texts[at:at + BATCH]:
                content += [text, SEPARATOR]
            ids = self.ask('POST', '/tokenize', {'content': content, 'add_special': False, 'parse_special': special})['tokens']
            row = []
            for token in ids:
                if token == SEPARATOR:
                    out.append(row)
                    row = []
                else:
                    row.append(token)
        return out

    def tokenize_added(self, texts):
        """With what the model adds at the beginning and the end."""
        self.connection.close()
        return [self.ask('POST', '/tokenize', {'content': text, 'add_special': True, 'parse_special': False})['tokens'] for text in texts]

    def close(self, keep=False):
        self.process.terminate()
        self.process.wait()
        self.connection.close()
        if not keep:
            self.log.close()
            os.unlink(self.copy)


def ours(program, model, texts, mode='TEXT'):
    run = subprocess.run([program, model, mode], input=b'\0'.join(t.encode() for t in texts) + b'\0',
                         stdout=subprocess.PIPE, check=True)
    return [list(map(int, line.split())) for line in run.stdout.decode().split('\n')[:-1]]


def report(name, texts, mine, theirs, show, note='', equal=lambda a, b: False):
    """How many differ. `equal` tells of two lists of tokens that they are equally right."""
    assert len(mine) == len(texts) and len(theirs) == len(texts), (name, len(mine), len(theirs), len(texts))
    different = [i for i in range(len(texts)) if mine[i] != theirs[i]]
    ties = [i for i in different if equal(mine[i], theirs[i])]
    different = [i for i in different if i not in ties]
    note += f'; {len(ties)} ties cut another way' if ties else ''
    tokens = sum(map(len, theirs))
    print(f'{name}: {len(texts)} strings, {tokens} tokens, {len(different)} differ{note}', flush=True)
    for i in sorted(different, key=lambda i: len(texts[i]))[:show]:
        print(f'  {texts[i]!r}\n    ours   {mine[i]}\n    theirs {theirs[i]}')
    return len(different)


def read_words():
    """Words of several languages from the parallel questions of ../shared/eval, and the ASCII of our own documentation."""
    words = set()
    for path in sorted(glob.glob(os.path.join(SHARED, 'eval', 'retrieval', 'xquad', '*', '*.jsonl'))) + [os.path.join(SOURCE, 'README.md')]:
        with open(path, encoding='utf-8') as f:
            words.update(re.findall(r'\S{1,24}', f.read(200000)))
    return sorted(words)


def train(folder):
    """A unigram model with SentencePiece's own rules (nmt_nfkc) over the words' texts; None where spm_train is missing."""
    if not shutil.which('spm_train'):
        return None
    corpus = os.path.join(folder, 'corpus.txt')
    with open(corpus, 'w', encoding='utf-8') as out:
        for path in sorted(glob.glob(os.path.join(SHARED, 'eval', 'retrieval', 'xquad', '*', '*.jsonl'))):
            with open(path, encoding='utf-8') as f:
                for line in f.read(300000).split('\n')[:-1]:
                    out.write(json.loads(line).get('text', '') + '\n')
    prefix = os.path.join(folder, 'trained')
    subprocess.run(['spm_train', '--input=' + corpus, '--model_prefix=' + prefix, '--vocab_size=6000', '--model_type=unigram',
                    '--normalization_rule_name=nmt_nfkc', '--num_threads=1', '--max_sentence_length=20000', '--minloglevel=2'], check=True,
                   stderr=subprocess.DEVNULL)
    return prefix + '.model'


def spm_encode(model, texts):
    run = subprocess.run(['spm_encode', '--model=' + model, '--output_format=id'], input='\n'.join(texts).encode() + b'\n',
                         stdout=subprocess.PIPE, check=True)
    return [list(map(int, line.split())) for line in run.stdout.decode().split('\n')[:-1]]


def same_score(vocabulary):
    """SentencePiece adds scores as 32-bit floats; where two ways have the same sum, rounding decides between them there."""
    raw = vocabulary.records['tokenizer.ggml.scores']
    scores = struct.unpack(f'<{len(vocabulary.tokens)}f', raw[-4 * len(vocabulary.tokens):])

    def equal(a, b):
        return len(a) == len(b) and abs(sum(scores[i] for i in a) - sum(scores[i] for i in b)) < 1e-4 * len(a)
    return equal


def compare(name, vocabulary, arguments, words, folder):
    rng = random.Random(f'{arguments.seed} {name}')
    vocabulary, n_adapted = adapt(vocabulary)
    specials = [t.decode('utf-8', 'ignore') for t, kind in zip(vocabulary.tokens, vocabulary.types)
                if kind in (vocabfile.UNKNOWN, vocabfile.CONTROL, vocabfile.USER_DEFINED)][:400]
    texts = randomtext.strings(rng, arguments.count, words, [s for s in specials if s])
    texts, n_changed = leave_out(name, texts)
    model = os.path.join(folder, 'model.gguf')
    vocabfile.write_model(model, vocabulary)
    server = Server(model)
    note = f'; {n_adapted} user-defined markers given as control tokens' if n_adapted else ''
    note += f'; {n_changed} strings given without what llama.cpp reads otherwise' if n_changed else ''
    try:
        bad = report(name, texts, ours(arguments.program, model, texts), server.tokenize(texts, False), arguments.show, note)
        some = texts[:max(1, len(texts) // 4)]
        bad += report(name + ' with special tokens', some, ours(arguments.program, model, some, 'SPECIAL'), server.tokenize(some, True),
                      arguments.show)
        some = ['', 'a b'] + texts[:20]
        bad += report(name + ' with its ends', some, ours(arguments.program, model, some, 'ADD'), server.tokenize_added(some), arguments.show)
    finally:
        server.close()
    return bad


def make_spaced(path):
    """Gemma 4's kind: the merges that a SentencePiece BPE vocabulary stands for, over characters with U+2581."""
    key = 'tokenizer.ggml.'
    base = vocabfile.read_gguf(path)
    raw = base.records[key + 'scores']
    scores = struct.unpack(f'<{len(base.tokens)}f', raw[-4 * len(base.tokens):])
    ids = {t: i for i, t in enumerate(base.tokens) if base.types[i] == vocabfile.NORMAL}
    merges = []
    for token, at in ids.items():
        text = token.decode()
        for cut in range(1, len(text)):
            left, right = text[:cut].encode(), text[cut:].encode()
            if left in ids and right in ids:
                merges.append((-scores[at], ids[left], ids[right], left + b' ' + right))
    records = {key + 'model': vocabfile.pair(key + 'model', vocabfile.STRING, 'gemma4'),
               key + 'merges': vocabfile.array(key + 'merges', vocabfile.STRING, [m[3] for m in sorted(merges)])}
    for name in ('tokens', 'token_type', 'bos_token_id', 'eos_token_id', 'unknown_token_id'):
        records[key + name] = base.records[key + name]
    return vocabfile.Vocabulary(records, base.tokens, base.types)


def compare_pretokenizers(arguments, words, folder):
    with open(os.path.join(SOURCE, 'engine', 'tokenizer', 'pretokenizer_table.c'), encoding='utf-8') as f:
        table = f.read().split('pretokenizer_rows[] = {')[1]
    names = [n for group in re.findall(r'^  \{ \{ ("[^}]*) \}', table, re.M) for n in re.findall(r'"([^"]+)"', group)]
    base = vocabfile.read_gguf(os.path.join(SHARED, 'tokenizers', 'gpt-2.gguf'))
    key, bad = 'tokenizer.ggml.pre', 0
    for name in names:
        if arguments.only in (None, name) and name not in SPACED:
            bad += compare('pre ' + name, base.replace(key, vocabfile.pair(key, vocabfile.STRING, name)), arguments, words, folder)
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('program')
    parser.add_argument('count', type=int, nargs='?', default=300)
    parser.add_argument('--only')
    parser.add_argument('--pre', action='store_true')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--show', type=int, default=3)
    arguments = parser.parse_args()
    if not os.path.isdir(os.path.join(SHARED, 'tokenizers')):
        print('skipped: no ../shared beside the source folder')
        return SKIP
    if os.geteuid() != 0 or not os.path.exists(os.path.join(ROOT, 'usr', 'bin', 'llama-server')):
        print(f'skipped: no llama.cpp in {ROOT}, or not root (chroot)')
        return SKIP
    words = read_words()
    bad = 0
    with tempfile.TemporaryDirectory(prefix='lectern-tokenizer-') as folder:
        if arguments.pre:
            return 1 if compare_pretokenizers(arguments, words, folder) else 0
        for path in sorted(glob.glob(os.path.join(SHARED, 'tokenizers', '*.gguf'))):
            name = os.path.basename(path)[:-5]
            if arguments.only in (None, name):
                bad += compare(name, vocabfile.read_gguf(path), arguments, words, folder)
        if arguments.only in (None, 'gemma'):  # SentencePiece BPE that adds no space
            key = 'tokenizer.ggml.add_space_prefix'
            base = vocabfile.read_gguf(os.path.join(SHARED, 'tokenizers', 'llama-spm.gguf'))
            bad += compare('gemma', base.replace(key, vocabfile.pair(key, vocabfile.BOOL, False)), arguments, words, folder)
        if arguments.only in (None, 'unigram'):
            made = vocabfile.make_unigram(random.Random(5), random.Random(6).sample(words, 3000))
            bad += compare('unigram', made, arguments, words, folder)
        if arguments.only in (None, 'spaced'):
            bad += compare('spaced', make_spaced(os.path.join(SHARED, 'tokenizers', 'llama-spm.gguf')), arguments, words, folder)
        trained = train(folder) if arguments.only in (None, 'unigram-trained') else None
        if trained:
            vocabulary = vocabfile.read_sentencepiece(trained)
            bad += compare('unigram-trained', vocabulary, arguments, words, folder)
            model = os.path.join(folder, 'model.gguf')
            texts = [re.sub(r'[\r\n]', ' ', t) for t in randomtext.strings(random.Random(arguments.seed), arguments.count, words, [])]
            bad += report('unigram-trained against spm_encode', texts, ours(arguments.program, model, texts),
                          spm_encode(trained, texts), arguments.show, equal=same_score(vocabulary))
        elif arguments.only is None:
            print('unigram-trained: skipped, spm_train is not installed')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
