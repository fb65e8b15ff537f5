"""Embeddings against llama.cpp on random models in F16.

Needs the measuring data beside the source folder (../shared) and llama.cpp in LLAMA_ROOT (default /srv/peers);
exits with 77 (skipped) where they are missing.
"""
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ['LECTERN_SOURCE']
LECTERNCTL = os.environ['LECTERNCTL']
SHARED = os.path.join(SOURCE, '..', 'shared')
PEERS = os.path.join(SHARED, 'peers')
ROOT = os.environ.get('LLAMA_ROOT', '/srv/peers')
PYTHON = '/usr/bin/python3'  # Debian's, which has Debian's python3-numpy
SKIP = 77
TEXTS = ['A short text.', 'How often should the machine be descaled, and with what?', 'naïve café — Übergröße']


def vocabulary(name):
    return os.path.join(SHARED, 'tokenizers', name + '.gguf')


def output(*command):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=300).stdout)


def oracle(*arguments):
    return output(sys.executable, os.path.join(PEERS, 'oracle.py'), *arguments)


class Conformance(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='lectern-oracle-')
        self.addCleanup(folder.cleanup)
        self.model = os.path.join(folder.name, 'model.gguf')

    def make(self, *arguments):
        subprocess.run([PYTHON, os.path.join(PEERS, 'mkmodel.py'), *arguments, '--out', self.model], check=True,
                       stdout=subprocess.DEVNULL, timeout=300)

    def test_bert(self):
        self.make('--arch', 'bert', '--vocab', vocabulary('bert-bge'), '--seed', '11')
        prompts = [argument for text in TEXTS for argument in ('--prompt', text)]
        theirs = oracle('embed', self.model, *prompts)['embeddings']
        lines = subprocess.run([LECTERNCTL, 'engine', 'embed', '--model', self.model], input='\n'.join(TEXTS).encode(),
                               check=True, stdout=subprocess.PIPE, timeout=300).stdout.splitlines()
        self.assertEqual(len(lines), len(TEXTS))
        for line, other in zip(lines, theirs):
            vector = json.loads(line)
            self.assertEqual(len(vector), len(other))
            self.assertAlmostEqual(math.sqrt(sum(x * x for x in vector)), 1, places=4)
            cosine = sum(x * y for x, y in zip(vector, other)) / math.sqrt(sum(y * y for y in other))
            self.assertGreaterEqual(cosine, 0.9999)


if __name__ == '__main__':
    if subprocess.run([PYTHON, '-c', 'import numpy'], stderr=subprocess.DEVNULL).returncode != 0:
        print('skipped: python3-numpy, which mkmodel.py needs, is not installed')
        sys.exit(SKIP)
    if not os.path.isfile(os.path.join(PEERS, 'oracle.py')):
        print('skipped: no ../shared beside the source folder')
        sys.exit(SKIP)
    if os.geteuid() != 0 or not os.path.exists(os.path.join(ROOT, 'usr', 'bin', 'llama-server')):
        print(f'skipped: no llama.cpp in {ROOT}, or not root (chroot)')
        sys.exit(SKIP)
    unittest.main()
