"""Saved sessions: a second ask begins where the first one ended, the answer is the same, and whatever happens to the files costs
no more than time."""
import glob
import json
import os
import shutil
import signal
import stat
import time

from harness import SAMPLES, LecternTest, main
import tinymodel

TEMPLATE = ("{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}"
            "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}")
WARRANTY = 'How long is the warranty on the boilers?'
DESCALE = 'What may I use to descale the machine?'


class Cache(LecternTest):
    def setUp(self):
        super().setUp()
        self.json('add', SAMPLES)
        os.makedirs(os.path.join(self.library, 'models'))
        self.model = os.path.join(self.library, 'models', 'tiny.gguf')
        tinymodel.write(self.model, context=4096, chat_template=TEMPLATE)
        self.folder = os.path.join(self.home, 'cache', 'lectern', 'sessions')

    def states(self):
        return sorted(glob.glob(os.path.join(self.folder, '*.state')))

    def ask(self, question, *arguments):
        answer = self.json('ask', '--max-tokens', '8', *arguments, '--', question)
        self.assertEqual(answer['mode'], 'generated')
        timings = answer.pop('timings')
        return answer, timings['cached_tokens'], timings['prompt_tokens']

    def test_second_question(self):
        plain, cached, n_prompt = self.ask(WARRANTY, '--no-cache')
        self.assertEqual(cached, 0)
        self.assertFalse(os.path.exists(self.folder), 'nothing is saved with --no-cache')
        first, cached, _ = self.ask(WARRANTY)
        self.assertEqual((first, cached), (plain, 0))
        self.assertEqual(len(self.states()), 2, 'the rules, and the passages')
        again, cached, _ = self.ask(WARRANTY)
        self.assertEqual(again, plain)
        self.assertGreater(cached, n_prompt - 200, 'only the question is evaluated')
        plain_other, _, n_other = self.ask(DESCALE, '--no-cache')
        other, cached, _ = self.ask(DESCALE)
        self.assertEqual(other, plain_other)
        self.assertIn(cached, range(200, n_other - 200), 'the rules')
        self.assertEqual(self.ask(WARRANTY, '--no-cache')[1], 0)

        key = os.path.join(self.home, '.local', 'state', 'lectern', 'session.key')
        for path, mode in [(key, 0o600), (self.folder, 0o700)] + [(state, 0o600) for state in self.states()]:
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), mode, path)
        size = sum(os.path.getsize(state) for state in self.states())
        status = self.json('cache')
        self.check_keys(status, {'folder': str, 'sessions': int, 'bytes': int, 'quota_bytes': int})
        self.assertEqual((status['folder'], status['sessions'], status['bytes']), (self.folder, 3, size))
        self.assertEqual({k: v for k, v in self.json('status')['cache'].items() if k != 'quota_bytes'},
                         {k: v for k, v in status.items() if k != 'quota_bytes'})
        self.assertIn('3 saved sessions', self.ctl('status'))
        self.assertIn('Sessions  3', self.ctl('cache'))

        self.assertEqual(self.json('cache', '--clear')['sessions'], 0)
        self.assertEqual(self.states(), [])
        self.assertEqual(self.ask(WARRANTY)[:2], (plain, 0))
        self.assertIn('2 saved sessions removed', self.ctl('cache', '--clear'))

    def test_damage(self):
        plain, _, n_prompt = self.ask(WARRANTY)
        for damage in ('flip', 'cut', 'empty', 'folder', 'link'):
            self.assertGreater(self.ask(WARRANTY)[1], n_prompt - 200)
            for path in self.states():
                with open(path, 'rb') as f:
                    content = bytearray(f.read())
                os.remove(path)
                if damage == 'folder':
                    os.mkdir(path)
                    continue
                if damage == 'link':
                    os.symlink('/dev/zero', path)
                    continue
                if damage == 'flip':
                    content[len(content) // 3] ^= 1
                with open(path, 'wb', opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
                    f.write(content[:{'cut': len(content) // 2, 'empty': 0}.get(damage)])
            self.assertEqual(self.ask(WARRANTY)[:2], (plain, 0), damage)
            self.assertEqual(len(self.states()), 2, damage)
        # Saved by another user: the key does not fit.
        os.remove(os.path.join(self.home, '.local', 'state', 'lectern', 'session.key'))
        self.assertEqual(self.ask(WARRANTY)[:2], (plain, 0))

    def test_quota(self):
        plain, _, n_prompt = self.ask(WARRANTY)
        sizes = sorted(os.path.getsize(state) for state in self.states())
        self.json('cache', '--clear')
        self.env['LECTERN_CACHE_BYTES'] = str(sum(sizes) + 1000)
        for question in WARRANTY, DESCALE, WARRANTY:
            self.ask(question)
            self.assertLessEqual(sum(os.path.getsize(state) for state in self.states()), sum(sizes) + 1000)
        self.assertGreater(self.ask(WARRANTY)[1], n_prompt - 200, 'the one used last is there')
        self.env['LECTERN_CACHE_BYTES'] = str(sizes[0] + 1000)
        self.json('cache', '--clear')
        self.assertEqual(self.ask(WARRANTY)[:2], (plain, 0))
        self.assertEqual(len(self.states()), 1, 'only the rules fit')
        for off in '0', 'much':
            self.env['LECTERN_CACHE_BYTES'] = off
            self.assertEqual(self.ask(WARRANTY)[:2], (plain, 0))
            self.assertEqual(len(self.states()), 1, 'not touched')
            self.assertEqual(self.json('cache')['quota_bytes'], 0)
        self.assertEqual(self.json('cache', '--clear')['sessions'], 0)

    def test_two_at_once(self):
        plain, _, n_prompt = self.ask(WARRANTY, '--no-cache')
        for _ in range(3):
            running = [self.start('--json', 'ask', '--max-tokens', '8', WARRANTY) for _ in range(3)]
            for process in running:
                out, err = process.communicate(timeout=120)
                self.assertEqual((process.returncode, err), (0, b''))
                answer = json.loads(out)
                answer.pop('timings')
                self.assertEqual(answer, plain)
        self.assertGreater(self.ask(WARRANTY)[1], n_prompt - 200)
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(['lock'] + [os.path.basename(s) for s in self.states()]))

    def test_killed(self):
        plain = self.ask(WARRANTY, '--no-cache')[0]
        for delay in range(0, 12):
            process = self.start('ask', '--max-tokens', '8', WARRANTY)
            time.sleep(delay * 0.1)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        self.assertEqual(self.ask(WARRANTY)[0], plain)
        self.assertEqual(self.ask(WARRANTY)[0], plain)
        self.assertTrue(self.states())
        self.assertEqual([name for name in os.listdir(self.folder) if not name.endswith(('.state', 'lock'))], [])

    def test_no_place(self):
        os.makedirs(os.path.dirname(self.folder))
        with open(self.folder, 'w'):
            pass
        plain, cached, _ = self.ask(WARRANTY)
        self.assertEqual(self.ask(WARRANTY)[:2], (plain, 0))
        self.assertEqual(self.json('cache')['sessions'], 0)
        self.fails(1, 'cache', '--clear')
        os.remove(self.folder)
        shutil.rmtree(os.path.join(self.home, '.local'), ignore_errors=True)
        with open(os.path.join(self.home, '.local'), 'w'):  # no key can be made
            pass
        self.assertEqual(self.ask(WARRANTY)[:2], (plain, 0))
        self.assertEqual(self.states(), [])

    def test_remove_forgets(self):
        self.ask(WARRANTY)
        self.assertEqual(len(self.states()), 2)
        self.json('remove', str(self.json('list')[0]['id']))
        self.assertEqual(self.states(), [])

    def test_usage(self):
        self.fails(2, 'cache', 'x')
        self.fails(2, 'cache', '--all')


if __name__ == '__main__':
    main()
