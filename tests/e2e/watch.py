"""The service that watches folders, with and without a session bus: what changes in a folder changes in the library.

States are waited for by asking again; only the test's own limit ends a wait."""
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from harness import LecternTest, main

LIMIT_S = 600  # the service gives way to everything else that runs


class WatchTest(LecternTest):
    def setUp(self):
        super().setUp()
        runtime = os.path.join(self.home, 'run')
        os.mkdir(runtime, 0o700)
        self.env.update(XDG_RUNTIME_DIR=runtime, DBUS_SESSION_BUS_ADDRESS='unix:path=/nonexistent',
                        DBUS_SYSTEM_BUS_ADDRESS='unix:path=/nonexistent', GIO_USE_VFS='local')
        self.service = None
        self.addCleanup(self.kill)

    def kill(self):
        if self.service and self.service.poll() is None:
            self.service.kill()
            self.service.wait()
        if self.service:
            self.service.stdout.close()
            self.service.stderr.close()
        self.service = None

    def run_service(self, *options):
        self.kill()
        self.service = self.start('watch', 'run', '--json', *options)
        self.wait('the service answers', lambda: self.status()['state'] not in ('not running', 'starting'))

    def status(self):
        return self.json('watch', 'status')

    def wait(self, what, condition):
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            if condition():
                return
            if self.service and self.service.poll() is not None:
                self.fail(f'the service has ended: {self.service.stderr.read().decode()}')
            time.sleep(0.05)
        self.fail(f'not within {LIMIT_S} s: {what}; {self.status()}')

    def listed(self):
        if not os.path.exists(os.path.join(self.library, 'library.db')):
            return {}
        status, out, err = self.run_raw('--json', 'list')
        if status != 0:
            self.assertIn(b'still empty', err)
            return {}
        return {os.path.relpath(d['path'], self.docs): d for d in json.loads(out)}

    def wait_listed(self, *names):
        self.wait(f'exactly {names} in the library', lambda: sorted(self.listed()) == sorted(names))

    def finds(self, word):
        return [os.path.relpath(r['path'], self.docs) for r in self.json('search', word)['results']]

    def stop_service(self):
        self.assertEqual(self.json('watch', 'stop'), {'state': 'stopped'})
        self.assertEqual(self.service.wait(timeout=LIMIT_S), 0)
        batches = [json.loads(line) for line in self.service.stdout.read().splitlines()]
        self.assertEqual(self.service.stderr.read(), b'')
        self.kill()
        return batches


class Folders(WatchTest):
    def test_list(self):
        self.assertEqual(self.json('watch', 'list'), [])
        self.assertEqual(self.json('watch', 'add', self.docs, self.docs), {'added': 1})
        self.assertEqual(self.json('watch', 'add', self.docs), {'added': 0})
        self.assertEqual(self.json('watch', 'list'), [{'path': self.docs, 'present': True}])
        self.assertIn('is not a folder', self.fails(1, 'watch', 'add', self.write('a.txt', 'a')))
        self.assertIn('no folder', self.fails(1, 'watch', 'add', os.path.join(self.docs, 'none')))
        self.assertIn('not watched', self.fails(1, 'watch', 'remove', self.home))
        shutil.rmtree(self.docs)
        self.assertEqual(self.json('watch', 'list'), [{'path': self.docs, 'present': False}])
        self.assertEqual(self.json('watch', 'remove', self.docs), {'removed': 1})
        self.assertIn('No folders', self.ctl('watch', 'list'))

    def test_nobody_to_talk_to(self):
        for command in 'pause', 'resume', 'stop':
            self.assertIn('lecternctl watch run', self.fails(1, 'watch', command))
        status = self.status()
        self.check_keys(status, {'state': str, 'paused_because': None, 'documents': int, 'pending': int, 'current': None,
                                 'problems': list, 'folders': list})
        self.assertEqual(status['state'], 'not running')

    def test_left_out_of_add_too(self):
        self.write('.lecternignore', 'drafts/\n*.md\n!keep.md\n')
        for name in 'a.txt', 'drafts/b.txt', 'c.md', 'keep.md', '.d.txt', 'node_modules/e.txt', 'x/drafts/f.txt':
            self.write(name, f'Text of {name}')
        self.assertEqual(self.json('add', self.docs)['added'], 2)
        self.assertEqual(sorted(self.listed()), ['a.txt', 'keep.md'])
        self.assertEqual(self.json('add', os.path.join(self.docs, 'c.md'))['added'], 1, 'what is named itself is read')


class Changes(WatchTest):
    def setUp(self):
        super().setUp()
        self.write('one.txt', 'The first page is about marzipan.')
        self.json('watch', 'add', self.docs)
        self.run_service()
        self.wait_listed('one.txt')

    def test_files(self):
        two = self.write('two.txt', 'A second page about nougat.')
        self.wait_listed('one.txt', 'two.txt')
        self.write('two.txt', 'The second page is about liquorice now.')
        self.wait('the change is found', lambda: self.finds('liquorice') == ['two.txt'])
        self.assertEqual(self.finds('nougat'), [])
        with open(os.path.join(self.docs, '.two.txt.tmp'), 'w', encoding='utf-8') as f:  # as editors save
            f.write('The second page is about caramel in the end.')
        os.rename(f.name, two)
        self.wait('the saved file is found', lambda: self.finds('caramel') == ['two.txt'])
        os.unlink(two)
        self.wait_listed('one.txt')

    def test_renames_keep_the_document(self):
        number = self.listed()['one.txt']['id']
        os.rename(os.path.join(self.docs, 'one.txt'), os.path.join(self.docs, 'uno.txt'))
        self.wait_listed('uno.txt')
        self.assertEqual(self.listed()['uno.txt']['id'], number)
        os.mkdir(os.path.join(self.docs, 'folder'))
        os.rename(os.path.join(self.docs, 'uno.txt'), os.path.join(self.docs, 'folder', 'uno.txt'))
        self.wait_listed('folder/uno.txt')
        os.rename(os.path.join(self.docs, 'folder'), os.path.join(self.docs, 'case'))
        self.wait_listed('case/uno.txt')
        self.assertEqual(self.listed()['case/uno.txt']['id'], number)
        self.assertEqual(self.finds('marzipan'), ['case/uno.txt'])
        # Also while nobody looks.
        self.stop_service()
        os.rename(os.path.join(self.docs, 'case'), os.path.join(self.docs, 'box'))
        self.run_service()
        self.wait_listed('box/uno.txt')
        self.assertEqual(self.listed()['box/uno.txt']['id'], number)
        batches = self.stop_service()
        self.assertEqual([(b['moved'], b['added'], b['removed']) for b in batches], [(1, 0, 0)])

    def test_folders_come_and_go(self):
        outside = os.path.join(self.home, 'outside')
        os.makedirs(os.path.join(outside, 'deep'))
        for i in range(5):
            with open(os.path.join(outside, 'deep', f'{i}.txt'), 'w', encoding='utf-8') as f:
                f.write(f'Page number {i} from outside.')
        os.rename(outside, os.path.join(self.docs, 'inside'))
        self.wait_listed('one.txt', *(f'inside/deep/{i}.txt' for i in range(5)))
        os.rename(os.path.join(self.docs, 'inside', 'deep'), outside)
        self.wait_listed('one.txt')
        shutil.copytree(outside, os.path.join(self.docs, 'copied', 'deeper'))
        self.wait_listed('one.txt', *(f'copied/deeper/{i}.txt' for i in range(5)))
        shutil.rmtree(os.path.join(self.docs, 'copied'))
        self.wait_listed('one.txt')

    def test_burst(self):
        for i in range(500):
            self.write(f'burst/{i // 50}/{i}.txt', f'This is page {i} of a burst about pistachios{i}.')
        self.wait('all of the burst', lambda: len(self.listed()) == 501)
        self.assertEqual(self.finds('pistachios321'), ['burst/6/321.txt'])
        shutil.rmtree(os.path.join(self.docs, 'burst'))
        self.wait_listed('one.txt')
        batches = self.stop_service()
        self.assertLess(len(batches), 100, 'changes are coalesced')
        self.assertEqual(self.json('status', '--check')['health'], 'ok')

    def test_ignore_file(self):
        self.write('drafts/a.txt', 'A draft about truffles.')
        self.wait_listed('one.txt', 'drafts/a.txt')
        self.write('.lecternignore', 'drafts/\n')
        self.wait_listed('one.txt')
        self.assertEqual(self.finds('truffles'), [])
        self.write('drafts/b.txt', 'Another draft.')
        self.write('two.txt', 'Not a draft.')
        self.wait_listed('one.txt', 'two.txt')
        os.unlink(os.path.join(self.docs, '.lecternignore'))
        self.wait_listed('one.txt', 'two.txt', 'drafts/a.txt', 'drafts/b.txt')

    def test_pause_resume_stop(self):
        self.assertEqual(self.json('watch', 'pause'), {'state': 'paused'})
        self.write('two.txt', 'Written in a pause.')
        self.wait('the change waits', lambda: self.status()['pending'] == 1)
        status = self.status()
        self.assertEqual((status['state'], status['paused_because']), ('paused', 'It was told to pause.'))
        self.assertEqual(sorted(self.listed()), ['one.txt'])
        self.json('watch', 'resume')
        self.wait_listed('one.txt', 'two.txt')
        self.wait('it is idle', lambda: self.status()['state'] == 'idle')
        self.assertEqual(self.status()['documents'], 2)
        self.assertIn('already', self.fails(1, 'watch', 'run'))
        self.stop_service()
        self.fails(1, 'watch', 'pause')

    def test_interrupted(self):
        self.service.send_signal(signal.SIGINT)
        self.assertEqual(self.service.wait(timeout=LIMIT_S), 0)
        self.assertEqual(self.service.stderr.read(), b'')
        self.assertEqual(self.status()['state'], 'not running')

    def test_killed(self):
        for i in range(100):
            self.write(f'{i}.txt', f'Page {i} about sorbet.')
        self.wait('some of them', lambda: len(self.listed()) > 1)
        self.service.kill()
        self.service.wait()
        self.write('late.txt', 'Written while nobody looked.')
        os.unlink(os.path.join(self.docs, 'one.txt'))
        self.run_service()
        self.wait('it catches up', lambda: len(self.listed()) == 101 and 'one.txt' not in self.listed())
        self.assertEqual(self.finds('nobody'), ['late.txt'])

    def test_one_writer(self):
        with open(os.path.join(self.library, 'library.lock'), 'r+', encoding='utf-8') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.write('two.txt', 'Written while another program has the library.')
            self.wait('it waits', lambda: self.status()['state'] == 'waiting')
            self.assertEqual(sorted(self.listed()), ['one.txt'])
        self.wait_listed('one.txt', 'two.txt')
        self.wait('it lets go', lambda: self.status()['state'] == 'idle')
        self.assertEqual(self.json('add', self.docs)['unchanged'], 2)

    def test_folder_vanishes(self):
        away = os.path.join(self.home, 'away')
        os.rename(self.docs, away)
        self.wait('it is missed', lambda: self.status()['folders'][0]['state'] == 'missing')
        self.assertIn('is not there', self.status()['problems'][0])
        self.assertEqual(sorted(self.listed()), ['one.txt'], 'kept')
        os.rename(away, self.docs)
        self.write('two.txt', 'Back again.')
        self.wait_listed('one.txt', 'two.txt')

    def test_folders_change_while_it_runs(self):
        other = os.path.join(self.home, 'other')
        os.mkdir(other)
        with open(os.path.join(other, 'x.txt'), 'w', encoding='utf-8') as f:
            f.write('Elsewhere.')
        self.json('watch', 'add', other)
        self.wait_listed('one.txt', '../other/x.txt')
        self.json('watch', 'remove', other)
        self.wait('it knows', lambda: [f['path'] for f in self.status()['folders']] == [self.docs])
        os.unlink(os.path.join(other, 'x.txt'))
        self.write('two.txt', 'Afterwards.')
        self.wait_listed('one.txt', 'two.txt', '../other/x.txt')


class NoWatches(WatchTest):
    def test_looks_through(self):
        for i in range(6):
            self.write(f'{i}/a.txt', f'Page {i}.')
        self.json('watch', 'add', self.docs)
        self.run_service('--max-watches', '2', '--rescan', '1')
        self.wait('all are there', lambda: len(self.listed()) == 6)
        status = self.status()
        self.assertEqual(status['folders'], [{'path': self.docs, 'state': 'looked through every 1 s'}])
        self.assertIn('max_user_watches', status['problems'][0])
        for i in range(6):
            self.write(f'{i}/b.txt', f'A later page {i}.')
            os.unlink(os.path.join(self.docs, f'{i}/a.txt'))
        self.wait_listed(*(f'{i}/b.txt' for i in range(6)))


class SessionBus(WatchTest):
    NAME = ['--dest=org.lectern.Indexer1', '/org/lectern/Indexer1']

    def setUp(self):
        super().setUp()
        if not shutil.which('dbus-daemon') or not shutil.which('dbus-send'):
            self.skipTest('there is no dbus-daemon')
        self.bus = subprocess.Popen(['dbus-daemon', '--session', '--nofork', '--print-address'], stdout=subprocess.PIPE,
                                    env=self.env, text=True)
        self.addCleanup(self.bus.stdout.close)
        self.addCleanup(self.bus.wait)
        self.addCleanup(self.bus.terminate)
        self.env['DBUS_SESSION_BUS_ADDRESS'] = self.bus.stdout.readline().strip()

    def send(self, *arguments):
        return subprocess.run(['dbus-send', '--session', '--print-reply', *self.NAME, *arguments], env=self.env,
                              capture_output=True, text=True, check=False)

    def get(self, name):
        return self.send('org.freedesktop.DBus.Properties.Get', 'string:org.lectern.Indexer1', f'string:{name}').stdout

    def test_everything_over_the_bus(self):
        self.write('one.txt', 'A page about gingerbread.')
        self.json('watch', 'add', self.docs)
        self.run_service()
        self.wait('the name is there', lambda: '"idle"' in self.get('State'))
        self.wait('the document is counted', lambda: 'uint64 1' in self.get('Documents'))
        self.assertIn(self.library, self.get('Library'))
        self.assertIn('"watched"', self.get('Folders'))
        self.assertEqual(self.send('org.lectern.Indexer1.Pause').returncode, 0)
        self.assertIn('told to pause', self.get('PausedBecause'))
        self.write('two.txt', 'Another page.')
        self.assertEqual(self.send('org.lectern.Indexer1.Rescan').returncode, 0)
        self.assertEqual(sorted(self.listed()), ['one.txt'])
        self.assertEqual(self.send('org.lectern.Indexer1.Resume').returncode, 0)
        self.wait_listed('one.txt', 'two.txt')
        self.assertIn('array [', self.get('Problems'))
        self.assertEqual(self.send('org.lectern.Indexer1.Stop').returncode, 0)
        self.assertEqual(self.service.wait(timeout=LIMIT_S), 0)


if __name__ == '__main__':
    main()
