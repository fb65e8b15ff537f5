"""engine embed and engine rerank on small encoders and a reranker made here: what they print and refuse."""
import json
import math
import os
import subprocess
import sys

from harness import LECTERNCTL, LecternTest, main

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'conformance'))
import encoder_models  # noqa: E402
import models  # noqa: E402


class Vectors(LecternTest):
    def setUp(self):
        super().setUp()
        self.model = os.path.join(self.home, 'model.gguf')

    def lines(self, command, *arguments, stdin):
        return [json.loads(line) for line in self.ctl('engine', command, '--model', self.model, *arguments, stdin=stdin).splitlines()]

    def test_embed(self):
        encoder_models.ENCODERS['bert-mean']().write(self.model)
        whole = self.lines('embed', stdin='the machine\na manual\n')
        self.assertEqual([len(vector) for vector in whole], [encoder_models.EMBD] * 2)
        self.assertEqual(self.lines('embed', '--json', stdin='the machine\na manual'), whole)
        self.assertEqual(self.lines('embed', stdin=''), [])
        [cut] = self.lines('embed', '--dimensions', '16', '-t', '1', stdin='the machine')
        length = math.sqrt(sum(x * x for x in whole[0][:16]))
        self.assertEqual(len(cut), 16)
        for a, b in zip(cut, whole[0]):
            self.assertAlmostEqual(a, b / length, places=5)
        info = self.json('engine', 'info', '--model', self.model)
        self.assertEqual((info['role'], info['runs'], info['kv_bytes_per_token']), ('encoder', True, 0))
        self.assertLess(info['session_bytes'], info['file_bytes'] * 10)
        run = ['engine', 'embed', '--model', self.model]
        self.assertIn('256', self.fails(1, *run, '--dimensions', '257', stdin='a\n'))
        self.fails(2, *run, '--dimensions', '0', stdin='a\n')
        self.assertIn('reranker', self.fails(1, 'engine', 'rerank', '--model', self.model, '--query', 'a', stdin='a\n'))

    def test_many_lines(self):
        """Lines that come together are read together, those that come one by one are answered at once: the same vectors."""
        encoder_models.ENCODERS['bert-mean']().write(self.model)
        texts = ['the machine', '', 'a', 'is cleaned every week ' * 8] * 10
        together = self.lines('embed', stdin='\n'.join(texts))
        self.assertEqual(together, together[:4] * 10)
        run = [LECTERNCTL, 'engine', 'embed', '--model', self.model]
        with subprocess.Popen(run, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.env) as process:
            for text, vector in zip(texts[:4], together):
                print(text, file=process.stdin, flush=True)
                self.assertEqual(json.loads(process.stdout.readline()), vector)
            process.stdin.close()
        self.assertEqual(process.returncode, 0)

    def test_line_that_cannot_be_read(self):
        """Those before it are answered all the same."""
        encoder_models.decoder(models.llama(), encoder_models.LAST).write(self.model)
        run = [LECTERNCTL, 'engine', 'embed', '--model', self.model]
        done = subprocess.run(run, input='a\nb\n\nc\n', stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env)
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (1, 2))
        self.assertIn('no tokens', done.stderr)

    def test_bench(self):
        encoder_models.ENCODERS['bert-mean']().write(self.model)
        got = self.json('engine', 'bench', '--model', self.model, '-p', '8,64', '-r', '2')
        self.assertEqual([test['test'] for test in got], ['embd8', 'embd64'])
        for test in got:
            self.check_keys(test, {'test': str, 'tokens_per_second': list, 'median': float})
            self.assertEqual(test['median'], sum(test['tokens_per_second']) / 2)
            self.assertGreater(min(test['tokens_per_second']), 0)
        for option in '-n', '--depth':
            self.assertIn('generators', self.fails(2, 'engine', 'bench', '--model', self.model, option, '4'))
        encoder_models.RERANKERS[next(iter(encoder_models.RERANKERS))]().write(self.model)
        self.fails(1, 'engine', 'bench', '--model', self.model)

    def test_rerank(self):
        encoder_models.RERANKERS['bert-reranker']().write(self.model)
        self.assertEqual(self.json('engine', 'info', '--model', self.model)['role'], 'reranker')
        scores = self.lines('rerank', '--query', 'the machine', stdin='a manual\nthe machine is cleaned\n\n')
        self.assertEqual(len(scores), 3)
        self.assertEqual(len(set(scores)), 3)
        self.assertEqual(self.lines('rerank', '--json', '--query', 'the machine', stdin='the machine is cleaned'), scores[1:2])
        self.assertNotEqual(self.lines('rerank', '--query', 'another', stdin='a manual'), scores[:1])
        run = ['engine', 'rerank', '--model', self.model]
        self.fails(2, *run, stdin='a\n')
        self.assertIn('shorten', self.fails(1, *run, '--query', 'a ' * 3000, stdin='a\n'))
        self.assertIn('encoder', self.fails(1, 'engine', 'embed', '--model', self.model, stdin='a\n'))


if __name__ == '__main__':
    main()
