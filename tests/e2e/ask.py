"""ask over the samples without a generator, and models: the JSON contract, quotes that stand in the sources, honest refusal."""
import os
import re

from harness import SAMPLES, LecternTest, main

NUMBER = (int, float)
ANSWER = {'question': str, 'answer': str, 'answered': bool, 'mode': str, 'sentences': list, 'sources': list, 'timings': dict}
TIMINGS = {'search_ms': NUMBER, 'prompt_tokens': int, 'cached_tokens': int, 'prefill_ms': NUMBER, 'first_token_ms': NUMBER,
           'generated_tokens': int, 'drafted_tokens': int, 'accepted_tokens': int, 'decode_ms': NUMBER}


def squeezed(text):
    return re.sub(r'\s+', ' ', text).strip()


class Ask(LecternTest):
    def setUp(self):
        super().setUp()
        self.json('add', SAMPLES)

    def ask(self, question, *arguments, **options):
        answer = self.json('ask', '--model', 'none', *arguments, '--', question, **options)
        self.check_keys(answer, ANSWER)
        self.check_keys(answer['timings'], TIMINGS)
        self.assertEqual(answer['mode'], 'extractive')
        for n, source in enumerate(answer['sources'], 1):
            self.check_result(source, {'n': int})
            self.assertEqual(source['n'], n)
        for sentence in answer['sentences']:
            self.check_keys(sentence, {'text': str, 'citations': list, 'supported': bool})
            for n in sentence['citations']:
                self.assertIn(n, range(1, len(answer['sources']) + 1))
        return answer

    def test_quotes(self):
        answer = self.ask('What may I use to descale the machine?')
        self.assertTrue(answer['answered'])
        self.assertIn('descal', answer['answer'].lower())
        cited = 0
        for sentence in answer['sentences']:
            quote = squeezed(re.sub(r'\s*\[\d+\]', '', sentence['text'])).strip('“”"')
            for n in sentence['citations']:
                cited += 1
                self.assertIn(quote, squeezed(answer['sources'][n - 1]['text']), 'quoted word for word')
        self.assertGreater(cited, 0)

    def test_for_people(self):
        text = self.ctl('ask', '--model', 'none', 'What may I use to descale the machine?')
        self.assertRegex(text, r'\[1\]')
        self.assertIn('Sources:', text)
        self.assertRegex(text, r'page \d+|\.html')

    def test_not_in_the_documents(self):
        for question in 'Who won the chess championship of Reykjavik in 1972?', 'zzyzx qwrtp':
            answer = self.ask(question)
            self.assertFalse(answer['answered'], answer['answer'])
            self.assertTrue(answer['answer'])
            self.assertTrue(self.ctl('ask', '--model', 'none', question).strip())

    def test_input(self):
        self.assertEqual(self.ask('-', stdin=' What is the warranty? \n')['question'], 'What is the warranty?')
        self.assertEqual(self.json('ask', '--', '--seed')['question'], '--seed')
        self.fails(2, 'ask', '')
        self.fails(2, 'ask', '-', stdin=' \n')
        self.fails(2, 'ask', '--max-tokens', '0', 'x')
        self.fails(1, 'ask', '--model', os.path.join(self.home, 'none.gguf'), 'What is the warranty?')
        self.fails(1, '--library', os.path.join(self.home, 'none'), 'ask', 'What is the warranty?')
        html = [d['path'] for d in self.json('list') if d['type'] == 'html'][0]
        self.assertTrue(all(s['path'] == html for s in self.ask('the machine', '--in', html)['sources']))

    def test_models(self):
        self.assertEqual(self.json('models'), [])
        folder = os.path.join(self.library, 'models')
        os.mkdir(folder)
        with open(os.path.join(folder, 'broken.gguf'), 'wb') as f:
            f.write(b'GGUF\x03\0\0\0 and nothing more')
        [model] = self.json('models')
        self.check_keys(model, {'path': str, 'name': (str, None), 'family': (str, None), 'role': str, 'runs': bool,
                                'reason': (str, None), 'size_bytes': int, 'memory_bytes': int, 'parameters': int, 'in_use': bool})
        self.assertEqual((model['runs'], model['in_use']), (False, False))
        self.assertTrue(model['reason'])
        self.assertIn('does not run', self.ctl('models'))
        self.assertIsNone(self.json('status')['models']['generator'])
        self.assertEqual(self.json('ask', 'What is the warranty?')['mode'], 'extractive')
        self.fails(1, 'ask', '--model', model['path'], 'What is the warranty?')
        self.fails(1, 'engine', 'info', '--model', model['path'])


if __name__ == '__main__':
    main()
