"""engine embed and engine rerank on small encoders and a reranker made here: what they print and refuse."""
import json
import math
import os
import sys

from harness import LecternTest, main

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'conformance'))
import encoder_models  # noqa: E402


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
