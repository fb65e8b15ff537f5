"""The chain of samplers and the grammars against llama.cpp, on a small real model: which tokens are left with which
probabilities, and the greedy tokens within a grammar.

Needs the measuring data beside the source folder (../shared) and llama.cpp in LLAMA_ROOT (default /srv/peers);
exits with 77 (skipped) where they are missing.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

LECTERNCTL, SURVIVORS = os.environ['LECTERNCTL'], os.environ['SURVIVORS']
MODEL = os.path.join(os.environ['LECTERN_SOURCE'], '..', 'shared', 'eval', 'weights', 'stories260K', 'stories260K.f32.gguf')
ROOT = os.environ.get('LLAMA_ROOT', '/srv/peers')
SKIP = 77
N_VOCAB = 512
ORDER = ['penalties', 'top_k', 'typ_p', 'top_p', 'min_p', 'temperature']
PROMPTS = ['Once upon a time, there was a little girl named Lily.', 'The dog said: the dog, the dog and the', 'a']
# top_k, typical, top_p, min_p, temperature, repeat, frequency, presence, last_n
CHAINS = [
    (0, 1, 1, 0, 1, 1, 0, 0, 64), (0, 1, 1, 0, 0.7, 1, 0, 0, 64), (40, 1, 1, 0, 1.5, 1, 0, 0, 64), (1, 1, 1, 0, 1, 1, 0, 0, 64),
    (0, 1, 0.9, 0, 1, 1, 0, 0, 64), (0, 1, 0.5, 0, 0.8, 1, 0, 0, 64), (0, 1, 1, 0.05, 1, 1, 0, 0, 64), (0, 1, 1, 0.5, 2, 1, 0, 0, 64),
    (0, 0.9, 1, 0, 1, 1, 0, 0, 64), (0, 0.5, 1, 0, 1, 1, 0, 0, 64), (0, 0.2, 1, 0, 1, 1, 0, 0, 64),
    (0, 1, 1, 0, 1, 1.3, 0, 0, 64), (0, 1, 1, 0, 1, 1, 0.7, 0, 64), (0, 1, 1, 0, 1, 1, 0, 1.5, 64), (0, 1, 1, 0, 1, 1.2, 0.3, 0.4, 5),
    (50, 0.95, 0.9, 0.02, 0.8, 1.1, 0.1, 0.1, 64), (20, 0.8, 0.95, 0.05, 1.3, 1, 0, 0, 64)]
# The first space of the text is the tokenizer's own: ours leaves it out, llama.cpp's grammars see it. START stands for it.
GRAMMARS = [
    'root ::= START ("yes" | "no") "." (" " [A-Z] [a-z ]{3,20} [.!])+\n',
    'root ::= START value\nvalue ::= list | "\\"" [a-z ]{1,12} "\\"" | [1-9] [0-9]{0,3} | "true"\nlist ::= "[" (value ("," " "? value)*)? "]"\n',
    '# words, and a tail\nroot ::= START word (" " word){3,8} tail?\nword ::= "the" | "a" | [^aeiou .\\n] [aeiou] [^aeiou .\\n]\ntail ::= "." | "!"\n',
    'root ::= START nest\nnest ::= "(" nest ")" | " "? [xyz]+\n', 'root ::= START ([^ ] .* "." "\\n")\n',
    'root ::= START [A-Z] ("\\u00e9" | [\\x61-z]+ | "—")* ("," " " root2)?\nroot2 ::= . . . [^é]{2,} "!"\n']


class Samplers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        here = os.path.join(ROOT, 'oracle')
        os.makedirs(here, exist_ok=True)
        cls.copy = os.path.join(here, f'samplers-{os.getpid()}.gguf')
        shutil.copy(MODEL, cls.copy)
        cls.port = random.randint(20000, 60000)
        cls.server = subprocess.Popen(
            ['chroot', ROOT, 'llama-server', '-m', '/oracle/' + os.path.basename(cls.copy), '--host', '127.0.0.1', '--port', str(cls.port),
             '-c', '512', '-t', '1', '--no-webui', '--offline', '-np', '1', '-fa', 'off', '--cache-ram', '0', '-ctk', 'f32', '-ctv', 'f32'],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                if cls.ask('/health')['status'] == 'ok':
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError('llama-server does not answer')

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait()
        os.unlink(cls.copy)

    @classmethod
    def ask(cls, path, body=None):
        request = urllib.request.Request(f'http://127.0.0.1:{cls.port}{path}', json.dumps(body).encode() if body else None,
                                         {'Content-Type': 'application/json'})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)

    def tokens(self, prompt):
        return self.ask('/tokenize', {'content': prompt, 'add_special': True})['tokens']

    def test_survivors(self):
        worst, n_tokens = 0.0, 0
        for prompt in PROMPTS:
            ids = self.tokens(prompt)
            for chain in CHAINS:
                top_k, typical, top_p, min_p, temperature, repeat, frequency, presence, last_n = chain
                answer = self.ask('/completion', {
                    'prompt': ids, 'n_predict': 1, 'n_probs': N_VOCAB, 'post_sampling_probs': True, 'samplers': ORDER, 'seed': 1,
                    'cache_prompt': False, 'top_k': top_k, 'typical_p': typical, 'top_p': top_p, 'min_p': min_p,
                    'temperature': temperature, 'repeat_penalty': repeat, 'frequency_penalty': frequency,
                    'presence_penalty': presence, 'repeat_last_n': last_n})
                theirs = {t['id']: t['prob'] for t in answer['completion_probabilities'][0]['top_probs'] if t['prob'] > 0}
                out = subprocess.run([SURVIVORS, MODEL, ','.join(map(str, ids)), *map(str, chain)], check=True, stdout=subprocess.PIPE,
                                     text=True).stdout
                ours = {int(i): float(p) for i, p in (line.split() for line in out.splitlines())}
                with self.subTest(prompt=prompt, chain=chain):
                    self.assertEqual(sorted(ours), sorted(theirs))
                    for token, probability in ours.items():
                        worst = max(worst, abs(probability - theirs[token]))
                        n_tokens += 1
        print(f'{len(PROMPTS) * len(CHAINS)} chains, {n_tokens} tokens left: largest difference {worst:.2g}', file=sys.stderr)
        self.assertLess(worst, 2e-4)

    def test_grammars(self):
        n_same = 0
        for prompt in PROMPTS:
            ids = self.tokens(prompt)
            for grammar in GRAMMARS:
                theirs = self.ask('/completion', {'prompt': ids, 'n_predict': 60, 'temperature': 0, 'grammar': grammar.replace('START', '" "?'), 'samplers': ['temperature'],
                                                  'cache_prompt': False, 'return_tokens': True})['tokens']
                with tempfile.NamedTemporaryFile('w', suffix='.gbnf') as file:
                    file.write(grammar.replace('START', ''))
                    file.flush()
                    ours = json.loads(subprocess.run(
                        [LECTERNCTL, 'engine', 'generate', '--json', '--exact', '--model', MODEL, '--prompt-tokens', ','.join(map(str, ids)),
                         '-n', '60', '--grammar', file.name], check=True, stdout=subprocess.PIPE).stdout)['tokens']
                with self.subTest(prompt=prompt, grammar=grammar):
                    self.assertEqual([t for t in ours if t != 2], [t for t in theirs if t != 2])
                    n_same += len(ours)
        print(f'{n_same} tokens within grammars are the same', file=sys.stderr)


if __name__ == '__main__':
    if not os.path.exists(MODEL):
        print('skipped: no ../shared beside the source folder')
        sys.exit(SKIP)
    if os.geteuid() != 0 or not os.path.exists(os.path.join(ROOT, 'usr', 'bin', 'llama-server')):
        print(f'skipped: no llama.cpp in {ROOT}, or not root (chroot)')
        sys.exit(SKIP)
    unittest.main()
