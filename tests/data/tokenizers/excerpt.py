#!/usr/bin/env python3
"""Writes the vectors of a vocabulary: excerpt.py VOCABULARY.gguf > NAME.txt (README.md has the format).

Needs llama.cpp in LLAMA_ROOT (default /srv/peers), as tests/e2e/tokenizer-conformance.py, whose server it uses.
"""
import importlib.util
import os
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'e2e'))
import vocabfile  # noqa: E402

TEXTS = [
    'Hello, world!',
    "I'm sure they'll say it WASN'T ours; we've seen it.",
    'The boiler was serviced on 14 March 2021 for 1234567.89 euros.',
    'Überprüfen Sie die Heizungsanlage regelmäßig.',
    'Où est la bibliothèque ?',
    'Привет, как дела?',
    '今天天气很好。',
    'カメラの説明書',
    'مرحبا بالعالم',
    'नमस्ते',
    '🙂 👩\u200d🔬 ✓',
    'e\u0301 \u00e9 ½ ²',
    'int main (void)\n{\n\treturn 0;\n}\n',
    '  two  spaces   three    four\n\n\n  end  ',
    '\r\n\r\n a\u00a0b\u3000c',
    '<|im_start|>user\nHi<|im_end|>',
    '<|begin_of_text|>Hi<|eot_id|>',
    '</s>',
    '',
]
SPECIALS = ['<|begin_of_text|>', '<|eot_id|>', '<|end_of_text|>', '<|im_start|>', '<|im_end|>', '<|endoftext|>']


def load_conformance():
    spec = importlib.util.spec_from_file_location('conformance', os.path.join(HERE, '..', '..', 'e2e', 'tokenizer-conformance.py'))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def byte_characters():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(b) if b in printable else chr(next(others)) for b in range(256)]


def read_strings(record, key):
    at = len(vocabfile.string(key)) + 4
    _, n = struct.unpack_from('<IQ', record, at)
    at += 12
    for _ in range(n):
        length = struct.unpack_from('<Q', record, at)[0]
        yield record[at + 8:at + 8 + length].decode()
        at += 8 + length


def escape(text):
    return ''.join({'\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r'}.get(c, c) for c in text)


def main():
    path = sys.argv[1]
    vocabulary = vocabfile.read_gguf(path)
    characters = byte_characters()
    find = '\0'.join(''.join(characters[b] for b in t.encode()) for t in TEXTS)
    key = 'tokenizer.ggml.merges'
    number = {k: struct.unpack_from('<I', vocabulary.records[k], len(vocabfile.string(k)) + 4)[0]
              for k in vocabulary.records if k.endswith('_token_id')}
    pre = vocabulary.records['tokenizer.ggml.pre']
    print('# ' + os.path.basename(path) + ': see README.md')
    print('vocabulary', len(vocabulary.tokens))
    print('pre', pre[len(vocabfile.string('tokenizer.ggml.pre')) + 4 + 8:].decode())
    bos = number.get('tokenizer.ggml.bos_token_id') if 'llama' in path else None
    if bos is not None:
        print('bos', bos)
    for i, token in enumerate(vocabulary.tokens):
        if vocabulary.types[i] != vocabfile.NORMAL:
            if token.decode() in SPECIALS:
                print('special', i, token.decode())
        elif token.decode() in find or len(token.decode()) == 1:
            print('token', i, token.decode())
    for merge in read_strings(vocabulary.records[key], key):
        if merge.replace(' ', '') in find:
            print('merge', merge)
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, 'model.gguf')
        vocabfile.write_model(model, vocabulary)
        server = load_conformance().Server(model)
        try:
            for text, plain, special in zip(TEXTS, server.tokenize(TEXTS, False), server.tokenize(TEXTS, True)):
                print('text', escape(text))
                print('ids', *plain)
                if '</s>' not in text:  # llama.cpp reads Qwen's ordinary token "</s>" as a control token
                    print('special-ids', *([bos] if bos is not None else []) + special)
        finally:
            server.close()


if __name__ == '__main__':
    main()
