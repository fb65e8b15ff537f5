"""Ctrl-C, two writers, and folders that cannot be written: nothing stored is lost, and every command ends with a reason."""
import os
import json
import shutil
import signal
import subprocess
import time

from harness import NOBODY, SAMPLES, LecternTest, main

PAGE = '<html lang="en"><title>Page {n}</title><h1>Page {n}</h1><p>Page number {n} tells of {n} quinces and a pear.</p>'


class Interrupt(LecternTest):
    def fill(self, n):
        for i in range(n):
            self.write(f'{i:04}.html', PAGE.format(n=i))

    def wait_for_progress(self, process):
        """Until the first document is done."""
        line = process.stderr.readline()
        self.assertRegex(line, rb'^\d+/\d+ ')

    def test_add(self):
        self.fill(400)
        for number in signal.SIGINT, signal.SIGTERM:
            process = self.start('add', '--json', '--progress', self.docs)
            self.wait_for_progress(process)
            status, out, err, seconds = self.interrupt(process, number)
            self.assertEqual(status, 1, err)
            self.assertIn(b'lecternctl: Stopped', err)
            self.assertLess(seconds, 20)
            report = json.loads(out)
            self.assertEqual(len(self.json('list')), report['added'] + report['unchanged'] + report['updated'])
            self.assertLess(report['added'] + report['unchanged'], 400)
        self.assertEqual(self.json('status', '--check')['health'], 'ok')
        rest = self.json('add', self.docs)
        self.assertEqual(rest['added'] + rest['unchanged'], 400)
        self.assertEqual(self.json('search', '"number 399"')['results'][0]['title'], 'Page 399')

    def test_standard_input(self):
        self.fill(1)
        self.json('add', self.docs)
        process = self.start('search', '-', stdin=subprocess.PIPE)
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)  # communicate() would close standard input, and its end may be seen before the signal
        _, err = process.communicate()
        self.assertEqual(process.returncode, 1, err)
        self.assertLess(time.monotonic() - begin, 5)

    def test_killed(self):
        self.fill(60)
        for delay in 0.05, 0.3, 0.6:
            process = self.start('add', self.docs)
            time.sleep(delay)
            process.kill()
            process.communicate()
        self.json('add', self.docs)
        self.assertEqual(self.json('status', '--check')['health'], 'ok')
        self.assertEqual(len(self.json('list')), 60)

    def test_reader_of_a_pipe_goes_away(self):
        self.fill(100)
        self.json('add', self.docs)
        process = self.start('--json', 'search', '-n', '100', 'quinces')
        process.stdout.close()
        process.wait(timeout=60)
        self.assertEqual(process.stderr.read(), b'')
        process.stderr.close()
        self.assertIn(process.returncode, (0, -signal.SIGPIPE))


class TwoWriters(LecternTest):
    def setUp(self):
        """A run that has stored its first document and then stands still."""
        super().setUp()
        for i in range(150):
            self.write(f'{i:04}.html', PAGE.format(n=i))
        self.first = self.start('add', '--json', '--progress', self.docs)
        self.addCleanup(self.first.kill)
        self.assertRegex(self.first.stderr.readline(), rb'^1/150 ')
        self.first.send_signal(signal.SIGSTOP)

    def finish_first(self):
        self.first.send_signal(signal.SIGCONT)
        out, _ = self.first.communicate(timeout=200)
        self.assertEqual(self.first.returncode, 0)
        self.assertEqual([json.loads(out)[k] for k in ('added', 'failed')], [150, 0])

    def test_second_says_so(self):
        for command in ['add', SAMPLES], ['remove', '1'], ['status', '--check']:
            self.assertIn('Another program is writing', self.fails(1, *command))
        self.finish_first()
        self.assertEqual(self.json('add', self.docs)['unchanged'], 150)
        self.assertEqual(self.json('add', SAMPLES)['failed'], 0)
        status = self.json('status', '--check')
        self.assertEqual((status['health'], status['failed']), ('ok', 0))

    def test_second_waits_for_a_short_moment(self):
        second = self.start('add', '--json', SAMPLES)
        self.first.kill()
        out, err = second.communicate(timeout=200)
        self.assertEqual((second.returncode, err), (0, b''))
        self.assertEqual(json.loads(out)['failed'], 0)
        self.first.communicate()

    def test_reading_while_another_writes(self):
        n = len(self.json('list'))
        self.assertGreaterEqual(n, 1)
        self.assertEqual(len(self.json('search', '-n', '100', 'quinces')['results']), n)
        self.assertEqual(self.json('status')['documents'], n)
        self.finish_first()


class Permissions(LecternTest):
    def setUp(self):
        super().setUp()
        self.options = {}
        if os.geteuid() == 0:
            # Permissions do not bind root: become nobody, if that may reach the program at all.
            os.chown(self.home, NOBODY, NOBODY)
            self.options = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []}
            try:
                self.assertEqual(self.run_raw('--version', **self.options)[0], 0)
            except PermissionError:
                self.skipTest('the build folder cannot be reached without being root')
        self.write('a.html', PAGE.format(n=1))
        self.write('locked/b.html', PAGE.format(n=2))
        self.hand_over()

    def hand_over(self):
        if self.options:
            for folder, _, files in os.walk(self.home):
                for path in [folder] + [os.path.join(folder, f) for f in files]:
                    os.chown(path, NOBODY, NOBODY)

    def test_folder_without_permission(self):
        locked = os.path.join(self.docs, 'locked')
        os.chmod(locked, 0)
        self.addCleanup(os.chmod, locked, 0o700)
        report = self.json('add', self.docs, **self.options)
        self.assertEqual(report['added'], 1)
        self.fails(1, 'add', os.path.join(locked, 'b.html'), **self.options)

    def test_file_without_permission(self):
        os.chmod(os.path.join(self.docs, 'a.html'), 0)
        report = self.json('add', self.docs, **self.options)
        self.assertEqual((report['added'], report['failed']), (1, 1))
        bad = [d for d in report['documents'] if d['status'] != 'indexed'][0]
        self.assertEqual(bad['status'], 'unreadable')
        self.assertTrue(bad['error'])

    def test_library_that_cannot_be_written(self):
        self.json('add', self.docs, **self.options)
        os.chmod(self.library, 0o500)
        self.addCleanup(os.chmod, self.library, 0o700)
        for name in os.listdir(self.library):
            os.chmod(os.path.join(self.library, name), 0o400)
        self.fails(1, 'add', SAMPLES, **self.options)
        self.fails(1, 'remove', '1', **self.options)
        self.assertEqual(len(self.json('list', **self.options)), 2)
        self.assertEqual(len(self.json('search', 'quinces', **self.options)['results']), 2)

    def test_place_that_cannot_be_written(self):
        os.chmod(self.home, 0o500)
        self.addCleanup(os.chmod, self.home, 0o700)
        self.fails(1, '--library', os.path.join(self.home, 'new'), 'add', self.docs, **self.options)


class OddNames(LecternTest):
    def test_names_that_are_no_text(self):
        self.write(b'caf\xe9 \xff.html', PAGE.format(n=7))
        self.write('line\nbreak "quoted".html', PAGE.format(n=8))
        self.assertEqual(self.json('add', self.docs)['added'], 2)
        documents = self.json('list')
        self.assertEqual(len(documents), 2)
        [odd] = [d for d in documents if 'line' not in d['path']]
        self.assertRegex(odd['path'], r'/caf\\xE9 \\xFF\.html$')
        self.assertEqual(self.ctl('list').count('\n'), 3, 'a line break in a name breaks no table')
        self.assertEqual(len(self.json('search', 'quinces')['results']), 2)
        self.assertEqual(self.json('add', self.docs)['unchanged'], 2)
        raw = os.path.join(os.fsencode(self.docs), b'caf\xe9 \xff.html')
        self.assertEqual(len(self.json('search', '--in', raw, 'quinces')['results']), 1)
        self.assertEqual(self.json('remove', raw), {'removed': 1})
        self.assertEqual(self.json('add', raw)['added'], 1)
        [odd] = [d for d in self.json('list') if 'line' not in d['path']]
        self.assertEqual(self.json('remove', str(odd['id'])), {'removed': 1})
        self.assertEqual(self.json('remove', os.path.join(self.docs, 'line\nbreak "quoted".html')), {'removed': 1})


class BadFiles(LecternTest):
    def test_every_bad_file_has_a_status(self):
        import badfiles
        for name, (content, _) in badfiles.FILES.items():
            self.write(name, content)
        self.write('good.html', PAGE.format(n=3))
        report = self.json('add', self.docs)
        self.assertGreaterEqual(report['added'], 1)
        for document in report['documents']:
            name = os.path.basename(document['path'])
            allowed = badfiles.FILES[name][1] if name in badfiles.FILES else {'indexed'}
            self.assertIn(document['status'], allowed, name)
            self.assertEqual(document['error'] is None, document['status'] == 'indexed', name)
        self.assertEqual(self.json('status', '--check')['health'], 'ok')
        self.fails(1, 'add', os.path.join(self.docs, 'none.pdf'))
        named = self.write('named.pdf', b'%PDF-1.7 and no more')
        first = self.fails(1, 'add', named)
        self.assertEqual(self.fails(1, 'add', named), first, 'the second time the same reason')
        again = self.json('add', self.docs)
        self.assertEqual((again['added'], again['unchanged'], again['failed']), (0, report['added'], report['failed'] + 1))
        self.assertEqual({(d['path'], d['status'], d['error']) for d in again['documents'] if d['status'] != 'unchanged'} -
                         {(d['path'], d['status'], d['error']) for d in report['documents']},
                         {(named, 'damaged', [d['error'] for d in again['documents'] if d['path'] == named][0])})


if __name__ == '__main__':
    main()
