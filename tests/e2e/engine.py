"""engine info, tokenize, detokenize, template, generate, bench and embed on a tiny model made here: the JSON contract and what must agree."""
import json
import math
import os

import tinymodel
from harness import LecternTest, main

NUMBER = (int, float)


class Engine(LecternTest):
    def setUp(self):
        super().setUp()
        self.model = os.path.join(self.home, 'tiny.gguf')
        self.n_vocab = tinymodel.write(self.model)

    def engine(self, command, *arguments, **options):
        return self.json('engine', command, '--model', self.model, *arguments, **options)

    def test_info(self):
        info = self.engine('info')
        self.check_keys(info, {
            'path': str, 'architecture': str, 'name': str, 'role': str, 'runs': bool, 'reason': (str, None), 'tokenizer': str,
            'chat_template': str, 'tensor_types': str, 'file_bytes': int, 'parameters': int, 'context_tokens': int, 'layers': int,
            'embedding': int, 'heads': int, 'kv_heads': int, 'vocabulary': int, 'kv_bytes_per_token': int, 'session_tokens': int,
            'session_bytes': int, 'memory_bytes': int, 'kv': dict, 'available_bytes': int, 'memory': list,
            'gguf_version': int, 'tensors': int, 'cpu_path': str, 'cores': int})
        self.assertEqual((info['runs'], info['reason'], info['role'], info['architecture']), (True, None, 'generator', 'llama'))
        self.assertEqual((info['layers'], info['embedding'], info['vocabulary']), (tinymodel.LAYERS, tinymodel.DIM, self.n_vocab))
        self.assertEqual(info['kv']['f16'], {'bytes_per_token': info['kv_bytes_per_token'], 'session_bytes': info['session_bytes']})
        spared = {key: info['kv']['f16'][key] - info['kv']['q8_0'][key] for key in ('bytes_per_token', 'session_bytes')}
        self.assertEqual(spared['bytes_per_token'] * info['session_tokens'] // 64, spared['session_bytes'] // 64)
        self.assertEqual(info['file_bytes'], os.path.getsize(self.model))
        self.assertIn('Runs           yes', self.ctl('engine', 'info', '--model', self.model))
        [need] = info['memory']  # the model's own context is shorter than the first of the usual ones
        self.check_keys(need, {'context_tokens': int, 'session_bytes': int, 'total_bytes': int, 'fits': bool})
        self.assertEqual((need['context_tokens'], need['fits']), (tinymodel.CONTEXT, True))
        self.assertEqual((need['session_bytes'], need['total_bytes']), (info['session_bytes'], info['memory_bytes']))

    def test_memory_by_context(self):
        tinymodel.write(self.model, context=2 ** 28)
        info = self.engine('info')
        needs = info['memory']
        self.assertEqual([n['context_tokens'] for n in needs], [2 ** i for i in range(11, 29)])
        for need, longer in zip(needs, needs[1:]):
            self.assertGreater(longer['session_bytes'], need['session_bytes'])
            self.assertGreaterEqual(need['fits'], longer['fits'])
        for need in needs:
            self.assertEqual(need['total_bytes'], need['session_bytes'] + info['file_bytes'])
        self.assertTrue(needs[0]['fits'])
        self.assertFalse(needs[-1]['fits'])  # 69 GB
        self.assertIn('with a context of 268435456 tokens: more than is free now', self.ctl('engine', 'info', '--model', self.model))

    def test_what_is_missing(self):
        """A file that does not run is described, with a reason; one that is no model is named."""
        for bytes_, words in ((b'version https://git-lfs.github.com/spec/v1\n', 'Git LFS pointer'), (b'<!DOCTYPE html>', 'web page'),
                              (b'PK\x03\x04', 'PyTorch'), (b'', 'empty')):
            with open(self.model, 'wb') as f:
                f.write(bytes_)
            self.assertIn(words, self.fails(1, 'engine', 'info', '--model', self.model))
        for arch in 'rwkv7', 'clip':
            tinymodel.write(self.model, arch=arch)
            info = self.engine('info')
            self.assertEqual((info['runs'], info['memory'], info['session_bytes']), (False, [], 0))
            self.assertTrue(info['reason'].endswith('.'), info['reason'])

    def test_saved_session(self):
        state, prompt = os.path.join(self.home, 'state'), ['--prompt', 'the world', '--ignore-eos']
        for kv in 'f16', 'q8_0':
            with self.subTest(kv):
                options = [*prompt, '--kv', kv]
                whole = self.engine('generate', *options, '-n', '8', '--top', '5')
                self.engine('generate', *options, '-n', '0', '--context', '100', '--save-state', state)
                rest = self.engine('generate', *options, '-n', '8', '--top', '5', '--restore-state', state)
                self.assertEqual(rest['steps'], whole['steps'])
                self.assertEqual(rest['timings']['cached_tokens'], len(whole['prompt_tokens']))
                self.assertEqual(whole['timings']['cached_tokens'], 0)
                self.engine('generate', *options, '-n', '8', '--save-state', state)
                longer = ','.join(map(str, whole['prompt_tokens'] + whole['tokens']))
                after = self.engine('generate', '--prompt-tokens', longer, '-n', '1', '--kv', kv, '--restore-state', state)
                # The last generated token was not evaluated any more.
                self.assertEqual(after['timings']['cached_tokens'], len(whole['prompt_tokens']) + 7)
        run = ['engine', 'generate', '--model', self.model, '--prompt', 'a', '-n', '1']
        self.assertIn('q8_0', self.fails(1, *run, '--restore-state', state))
        self.assertIn('not a saved session', self.fails(1, *run, '--restore-state', self.model))
        self.assertIn('cannot be saved', self.fails(1, *run, '--save-state', os.path.join(self.home, 'no', 'state')))
        self.assertIn('f16 or q8_0', self.fails(2, *run, '--kv', 'q4'))

    def test_tokens_there_and_back(self):
        for text in 'the world', 'naïve €', '', 'a', '</s> as text':
            with self.subTest(text):
                ids = self.engine('tokenize', '--', text)['tokens']
                self.assertNotIn(2, ids)
                self.assertEqual(self.engine('detokenize', ','.join(map(str, ids)))['text'].lstrip(' '), text)
        self.assertEqual(self.engine('tokenize', '--special', 'a')['tokens'][0], 1)
        self.assertIn(2, self.engine('tokenize', '--special', 'a</s>')['tokens'])
        self.assertEqual(self.engine('tokenize', '-', stdin=b'the \xff\n')['tokens'],
                         self.engine('tokenize', b'the \xff\n')['tokens'])
        plain = self.ctl('engine', 'tokenize', '--model', self.model, 'the world').strip()
        self.assertEqual([int(i) for i in plain.split(',')], self.engine('tokenize', 'the world')['tokens'])

    def write_messages(self, conversation):
        path = os.path.join(self.home, 'messages.json')
        with open(path, 'w', encoding='utf-8') as f:
            json.dump(conversation, f)
        return path

    def template(self, conversation, *arguments):
        got = self.engine('template', '--messages', self.write_messages(conversation), *arguments)
        self.check_keys(got, {'prompt': str, 'template': str, 'reason': (str, None)})
        return got

    def test_template(self):
        tinymodel.write(self.model, chat_template="""{{ bos_token }}{% for m in messages %}
{%- if m.role == "system" and m.content == "no" %}{{ raise_exception("No " ~ m.role ~ " here") }}{% endif %}
[{{ m.role }}] {{ m.content }}
{% endfor %}
{{ "[assistant]" if add_generation_prompt }} {{ enable_thinking }} {{ strftime_now("%d %B %Y") }}""")
        user = [{'role': 'user', 'content': ' „a“ <s> '}]
        date = '--date', '2026-03-05'
        self.assertEqual(self.engine('info')['chat_template'], 'own')
        self.assertEqual(self.template(user, *date), {
            'prompt': '<s>[user]  „a“ <s> \n[assistant]  05 March 2026', 'template': 'own', 'reason': None})
        self.assertEqual(self.ctl('engine', 'template', '--model', self.model, '--messages', self.write_messages(user), *date),
                         '<s>[user]  „a“ <s> \n[assistant]  05 March 2026\n')
        closed = {'messages': user, 'add_generation_prompt': False, 'enable_thinking': True}
        self.assertEqual(self.template(closed, *date)['prompt'], '<s>[user]  „a“ <s> \n True 05 March 2026')
        self.assertEqual(self.template(closed, '--thinking', 'off', *date)['prompt'], '<s>[user]  „a“ <s> \n False 05 March 2026')
        refused = self.template([{'role': 'system', 'content': 'no'}] + user, *date)
        self.assertEqual(refused['prompt'], '<s>[user] no\n\n „a“ <s> \n[assistant]  05 March 2026')
        self.assertIn('No system here', refused['reason'])
        self.assertNotEqual(refused['template'], 'own')
        run = ['engine', 'template', '--model', self.model, '--messages']
        for wrong in [], {}, 'text', [1], [{'role': 'user'}], [{'role': 'tool', 'content': 'x'}], [{'role': 'user', 'content': ['x']}], \
                {'messages': user, 'enable_thinking': 'yes'}:
            self.fails(1, *run, self.write_messages(wrong))
        self.fails(1, *run, os.path.join(self.home, 'none.json'))
        self.fails(1, *run, self.model)
        self.fails(2, *run, self.write_messages(user), '--thinking', 'maybe')
        self.fails(2, *run, self.write_messages(user), '--date', '5 March')
        self.fails(2, 'engine', 'template', '--model', self.model)

    def test_template_that_does_not_compile(self):
        tinymodel.write(self.model, chat_template='{% if <|im_start|> %}')
        self.assertRegex(self.engine('info')['chat_template'], r'^built-in chatml: The chat template, line 1: ')
        got = self.template([{'role': 'user', 'content': 'x'}])
        self.assertEqual(got['prompt'], '<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n')
        self.assertEqual(got['template'], 'built-in chatml')
        tinymodel.write(self.model, chat_template='{% oops %}')
        self.assertIn('oops', self.fails(1, 'engine', 'template', '--model', self.model, '--messages',
                                         self.write_messages([{'role': 'user', 'content': 'x'}])))

    def test_generate(self):
        got = self.engine('generate', '--prompt', 'the world', '-n', '8', '--ignore-eos', '--top', '5')
        self.check_keys(got, {'prompt_tokens': list, 'tokens': list, 'text': str, 'steps': list, 'timings': dict})
        self.check_keys(got['timings'], {'prompt_tokens': int, 'cached_tokens': int, 'restore_ms': NUMBER, 'prefill_ms': NUMBER,
                                         'generated_tokens': int, 'drafted_tokens': int, 'accepted_tokens': int,
                                         'decode_ms': NUMBER})
        self.assertEqual(got['prompt_tokens'], self.engine('tokenize', '--special', 'the world')['tokens'])
        self.assertEqual(len(got['tokens']), 8)
        for token, step in zip(got['tokens'], got['steps'], strict=True):
            self.check_keys(step, {'token': int, 'logprob': NUMBER, 'top': list})
            self.assertEqual(step['token'], token)
            self.assertEqual(len(step['top']), 5)
            self.assertEqual(step['top'], sorted(step['top'], key=lambda t: (-t[1], t[0])))
            self.assertIn([token, step['logprob']], step['top'])
            self.assertNotEqual(token, 2)
        ids = ','.join(map(str, got['prompt_tokens']))
        for same in (['--prompt', 'the world'], ['--prompt-tokens', ids], ['--prompt', 'the world', '-t', '1']):
            self.assertEqual(self.engine('generate', *same, '-n', '8', '--ignore-eos')['tokens'], got['tokens'])
        exact = self.engine('generate', '--prompt', 'the world', '-n', '1', '--top', '5', '--exact')
        for a, b in zip(exact['steps'][0]['top'], got['steps'][0]['top']):
            self.assertAlmostEqual(a[1], b[1], delta=0.05)

    def test_probabilities_sum_to_one(self):
        [step] = self.engine('generate', '--prompt', 'a', '-n', '1', '--top', '1000')['steps']
        self.assertEqual(len(step['top']), self.n_vocab)
        self.assertAlmostEqual(sum(math.exp(lp) for _, lp in step['top']), 1, places=4)

    def test_sampling_follows_the_seed(self):
        def sample(seed):
            return self.engine('generate', '--prompt', 'a', '-n', '12', '--ignore-eos', '--temperature', '3', '--seed', seed)['tokens']
        self.assertEqual(sample('7'), sample('7'))
        self.assertGreater(len({tuple(sample(str(s))) for s in range(4)}), 1)

    def test_samplers(self):
        def sample(*options):
            return self.engine('generate', '--prompt', 'a', '-n', '24', '--ignore-eos', '--seed', '7', *options)
        greedy = sample()
        for one in ('--top-k', '1'), ('--top-p', '0'), ('--min-p', '1'):
            with self.subTest(one):
                same = sample('--temperature', '5', *one)['tokens'] == greedy['tokens']
                self.assertEqual(same, one[0] != '--top-p')  # 0 is off
        for n in 1, 5:
            for step in sample('--temperature', '9', '--top-k', str(n), '--top', str(n))['steps']:
                self.assertIn(step['token'], [t for t, _ in step['top']])
        self.assertNotEqual(sample('--temperature', '9', '--typical', '0.2')['tokens'], sample('--temperature', '9')['tokens'])
        # A penalty that outweighs everything: no token comes twice, nor one of the prompt.
        for penalty in '--presence-penalty', '--frequency-penalty':
            got = sample(penalty, '100', '--repeat-last-n', '1000')
            seen = got['prompt_tokens'] + got['tokens']
            self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual(sample('--frequency-penalty', '100', '--repeat-last-n', '1')['tokens'][0],
                         sample('--presence-penalty', '100', '--repeat-last-n', '1')['tokens'][0])
        self.assertEqual(sample('--repeat-penalty', '1')['tokens'], greedy['tokens'])
        self.assertNotEqual(sample('--repeat-penalty', '3')['tokens'], greedy['tokens'])

    def test_speculation_changes_nothing(self):
        drafted = accepted = 0
        prompt = 'the world in the world or the world'
        for options in ([], ['--temperature', '0.5'], ['--temperature', '1', '--seed', '3'], ['--repeat-penalty', '1.2'],
                        ['--grammar', 'json'], ['--stop', 'e'], ['--kv', 'q8_0'], ['--exact']):
            run = ['generate', '--prompt', prompt, '-n', '100', '--top', '3', *options]
            run += [] if '--grammar' in options else ['--ignore-eos']
            state = os.path.join(self.home, 'state'), os.path.join(self.home, 'other')
            with_it = self.engine(*run, '--save-state', state[0])
            without = self.engine(*run, '--save-state', state[1], '--no-speculation')
            for key in 'tokens', 'text', 'steps':
                self.assertEqual(with_it[key], without[key], options)
            with open(state[0], 'rb') as a, open(state[1], 'rb') as b:
                self.assertEqual(a.read(), b.read())
            drafted += with_it['timings']['drafted_tokens']
            accepted += with_it['timings']['accepted_tokens']
            self.assertEqual((without['timings']['drafted_tokens'], without['timings']['accepted_tokens']), (0, 0))
        self.assertGreater(accepted, 0)
        self.assertGreater(drafted, accepted)

    def test_stop(self):
        def text(*options):
            return self.engine('generate', '--prompt', 'a', '-n', '40', '--ignore-eos', '--temperature', '1', *options)
        whole = text()
        self.assertGreater(len(whole['text']), 8)
        for start in range(1, len(whole['text']) - 3, 3):
            stop = whole['text'][start:start + 3]
            if '\ufffd' in stop:
                continue
            got = text('--stop', 'not there', f'--stop={stop}')
            self.assertEqual(got['text'], whole['text'][:whole['text'].find(stop)])
            self.assertEqual(got['tokens'], whole['tokens'][:len(got['tokens'])])
            self.assertLessEqual(len(got['tokens']), len(whole['tokens']))
        self.assertEqual(text('--stop', 'not there')['text'], whole['text'])
        self.assertEqual(len(self.engine('generate', '--prompt', 'a', '--temperature', '1', '-n', '3', '--stop', 'x')['steps']), 3)

    def test_grammar(self):
        path = os.path.join(self.home, 'grammar.gbnf')
        with open(path, 'w', encoding='utf-8') as f:
            f.write('root ::= ("the" | "world") (" é" [a-c]{2,3})+ "!"\n')
        ended = 0
        for seed in range(12):
            run = 'generate', '--prompt', 'a', '-n', '200', '--temperature', '2', '--seed', str(seed), '--grammar'
            got = self.engine(*run, path)
            self.assertRegex(got['text'], r'^(the|world)( é[abc]{2,3})+!$' if got['tokens'][-1] == 2 else '^(the|world)')
            got = self.engine(*run, 'json', '--frequency-penalty', '1')
            if got['tokens'][-1] == 2:
                ended += 1
                json.loads(got['text'])
            self.assertTrue(all(t >= 2 for t in got['tokens']))
        self.assertGreater(ended, 3)
        self.assertTrue(self.ctl('engine', 'generate', '--model', self.model, '--prompt', 'a', '--grammar', path).startswith(('the', 'world')))
        for bad, says in ('root ::= root "a"', 'left recursion'), ('root ::= x', 'defined nowhere'), ('', 'root'):
            with open(path, 'w', encoding='utf-8') as f:
                f.write(bad)
            self.assertIn(says, self.fails(1, 'engine', 'generate', '--model', self.model, '--prompt', 'a', '--grammar', path))
        self.fails(1, 'engine', 'generate', '--model', self.model, '--prompt', 'a', '--grammar', os.path.join(self.home, 'none'))
        self.fails(2, 'engine', 'generate', '--model', self.model, '--prompt', 'a', '--grammar', 'json', '--ignore-eos')

    def test_adapters(self):
        def tokens(*loras):
            given = [word for lora in loras for word in ('--lora', lora)]
            return self.engine('generate', '--prompt', 'the world', '-n', '12', '--ignore-eos', '--exact', '--top', '3', *given)['steps']
        first, second = (os.path.join(self.home, name) for name in ('a.gguf', 'b:2'))
        tinymodel.write_adapter(first, seed=1)
        tinymodel.write_adapter(second, seed=2)
        plain, one = tokens(), tokens(first)
        self.assertNotEqual(plain, one)
        for same in ([first + ':1'], [first + ':1.0'], [first + ':+1e0'], [first + ':.5', first + ':.5'], [first, second + ':0']):
            self.assertEqual([step['token'] for step in tokens(*same)], [step['token'] for step in one], same)
        for none in ([first + ':0'], [first, first + ':-1']):
            self.assertEqual([step['token'] for step in tokens(*none)], [step['token'] for step in plain], none)
        self.assertNotEqual(tokens(second + ':1'), plain)
        self.assertNotEqual(tokens(first, second + ':1'), one)
        self.assertIn('b', self.fails(1, 'engine', 'generate', '--model', self.model, '--prompt', 'a', '--lora', second))  # the file b
        self.fails(1, 'engine', 'generate', '--model', self.model, '--prompt', 'a', '--lora', self.model)
        self.fails(1, 'engine', 'generate', '--model', self.model, '--prompt', 'a', '--lora', first + ':x')
        state = ['--prompt', 'the world', '-n', '0', '--lora', first, '--save-state', os.path.join(self.home, 'state')]
        self.engine('generate', *state)
        for other in [], ['--lora', second + ':1'], ['--lora', first + ':.5']:
            self.assertIn('other adapters', self.fails(1, 'engine', 'generate', '--model', self.model, '--prompt', 'the world', *other,
                                                       '--restore-state', state[-1]))
        rest = self.engine('generate', '--prompt', 'the world', '-n', '1', '--lora', first, '--restore-state', state[-1])
        self.assertGreater(rest['timings']['cached_tokens'], 0)
        info = self.json('engine', 'info', '--model', first)
        self.assertFalse(info['runs'])
        self.assertIn('adapter (LoRA for llama, rank 4)', info['reason'])

    def check_bench(self, tests, *arguments):
        got = self.engine('bench', *arguments)
        self.assertEqual([test['test'] for test in got], tests)
        for test in got:
            self.check_keys(test, {'test': str, 'tokens_per_second': list, 'median': NUMBER})
            self.assertEqual(len(test['tokens_per_second']), 3)
            self.assertTrue(all(rate > 0 for rate in test['tokens_per_second']))
            self.assertEqual(test['median'], sorted(test['tokens_per_second'])[1])

    def test_bench(self):
        self.check_bench(['pp8', 'pp40', 'tg5'], '-p', '8,40', '-n', '5', '-r', '3')
        self.check_bench(['pp1 @ d100', 'tg1 @ d100'], '-p', '1', '-n', '1', '-r', '3', '--depth', '100')
        self.check_bench(['tg200'], '-p', '0', '-n', '200', '-r', '3', '-t', '1')
        self.check_bench([], '-p', '0', '-n', '0', '-r', '3')
        table = self.ctl('engine', 'bench', '--model', self.model, '-p', '8', '-n', '4', '-r', '1').splitlines()
        self.assertEqual([line.split()[0] for line in table], ['test', 'pp8', 'tg4'])
        run = ['engine', 'bench', '--model', self.model]
        for wrong in '', 'x', '8,', ',8', '-1', '8,,9', '8 9', '99999999', ','.join(['1'] * 33):
            self.assertIn('list', self.fails(2, *run, '-p', wrong))
        self.fails(2, *run, '-r', '0')
        self.assertIn('257', self.fails(1, *run, '-p', '57', '-n', '0', '--depth', '200'))  # the model's context is 256

    def test_bad_input(self):
        run = ['engine', 'generate', '--model', self.model]
        self.fails(2, *run)
        self.fails(2, *run, '--prompt', 'a', '--prompt-tokens', '1')
        self.fails(2, *run, '--prompt-tokens', '1,x')
        self.fails(2, *run, '--prompt', 'a', '--top', '0')
        for option, value in (('--top-p', '1.1'), ('--min-p', '-1'), ('--typical', 'x'), ('--top-k', '-1'), ('--repeat-last-n', '0'),
                              ('--repeat-penalty', '-1'), ('--presence-penalty', '1000')):
            self.fails(2, *run, '--prompt', 'a', option, value)
        self.fails(1, *run, '--prompt', 'a', '--stop', '')
        self.fails(2, 'engine', 'generate', '--prompt', 'a')
        self.fails(1, *run, '--prompt-tokens', '')
        self.fails(1, *run, '--prompt-tokens', str(self.n_vocab))
        self.fails(1, *run, '--prompt', 'a', '-n', '100000')
        self.fails(2, 'engine', 'detokenize', '--model', self.model, '1,,2')
        self.fails(1, 'engine', 'info', '--model', os.path.join(self.home, 'none.gguf'))
        self.fails(1, 'engine', 'info', '--model', self.home)
        self.fails(1, 'engine', 'embed', '--model', self.model, stdin='a\n')
        with open(self.model, 'rb') as f:
            whole = f.read()
        for length in 0, 3, 24, 1000, len(whole) // 2, len(whole) - 40:
            cut = os.path.join(self.home, 'cut.gguf')
            with open(cut, 'wb') as f:
                f.write(whole[:length])
            self.fails(1, 'engine', 'info', '--model', cut)

    def test_interrupt(self):
        process = self.start('engine', 'generate', '--model', self.model, '--prompt', 'a', '-n', '250', '--ignore-eos', stdin=None)
        process.stdout.read(1)
        status, _, err, seconds = self.interrupt(process)
        self.assertIn(status, (0, 1), err)  # the tiny model may have been quicker
        self.assertLess(seconds, 5)
        if status:
            self.assertEqual(err, b'lecternctl: Stopped.\n')


if __name__ == '__main__':
    main()
