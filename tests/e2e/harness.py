"""What the end-to-end tests share: a fresh home per test, and the program run as a user runs it.

The build gives LECTERNCTL (the program), LECTERN_SOURCE (the source folder) and, for programs that are not installed,
LECTERN_EXTRACT (the helper process).
"""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

LECTERNCTL = os.environ['LECTERNCTL']
SOURCE = os.environ['LECTERN_SOURCE']
SAMPLES = os.path.join(SOURCE, 'data', 'samples')
NOBODY = 65534


class LecternTest(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.home = tempfile.mkdtemp(prefix='lectern-e2e-')
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.library = os.path.join(self.home, 'data', 'lectern')
        self.docs = os.path.join(self.home, 'docs')
        os.mkdir(self.docs)
        self.env = dict(os.environ, HOME=self.home, LC_ALL='C.UTF-8', NO_COLOR='1',
                        XDG_DATA_HOME=os.path.join(self.home, 'data'),
                        XDG_CACHE_HOME=os.path.join(self.home, 'cache'),
                        XDG_CONFIG_HOME=os.path.join(self.home, 'config'))

    def write(self, name, content):
        """A file below the documents folder; name and content may be bytes. Returns its path."""
        name = os.fsencode(name)
        path = os.path.join(os.fsencode(self.docs), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        return path if isinstance(name, bytes) and b'\xff' in name else os.fsdecode(path)

    def start(self, *arguments, **options):
        options = dict(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env) | options
        return subprocess.Popen([LECTERNCTL, *arguments], **options)

    def run_raw(self, *arguments, stdin=None, **options):
        """Exit status, standard output and standard error, as bytes."""
        if stdin is not None:
            options['stdin'] = subprocess.PIPE
            stdin = stdin if isinstance(stdin, bytes) else stdin.encode()
        process = self.start(*arguments, **options)
        out, err = process.communicate(stdin, timeout=300)
        self.assertGreaterEqual(process.returncode, 0, f'{arguments}: ended by a signal\n{err.decode(errors="replace")}')
        self.assertNotIn(b'Sanitizer', err, f'{arguments}: {err.decode(errors="replace")}')
        self.assertNotIn(b'CRITICAL', err)
        self.assertNotIn(b'WARNING', err)
        return process.returncode, out, err

    def ctl(self, *arguments, **options):
        """Runs a command that must succeed; its standard output as text."""
        status, out, err = self.run_raw(*arguments, **options)
        self.assertEqual(status, 0, f'{arguments}: {err.decode()}')
        return out.decode()

    def json(self, *arguments, **options):
        """The one JSON value of a command that must succeed silently."""
        status, out, err = self.run_raw('--json', *arguments, **options)
        self.assertEqual(status, 0, f'{arguments}: {err.decode()}')
        self.assertEqual(err, b'', f'{arguments}: messages on standard error')
        self.assertEqual(out.count(b'\n'), 1, 'one value, one line')
        return json.loads(out)

    def fails(self, expected, *arguments, **options):
        """Runs a command that must fail with that exit status and one line on standard error, which is returned."""
        status, out, err = self.run_raw(*arguments, **options)
        text = err.decode()
        self.assertEqual(status, expected, f'{arguments}: {text}')
        self.assertTrue(text.startswith('lecternctl: '), text)
        self.assertEqual(text.count('\n'), 1, f'one line: {text!r}')
        self.assertTrue(text.endswith(('.\n', '--help\n')), f'a sentence: {text!r}')
        self.assertEqual('--help' in text, expected == 2, text)
        return text

    def check_keys(self, value, kinds):
        """`value` has exactly the keys of `kinds`, each of one of its types (None stands for null)."""
        self.assertEqual(sorted(value), sorted(kinds))
        for key, kind in kinds.items():
            allowed = tuple(type(None) if k is None else k for k in (kind if isinstance(kind, tuple) else (kind,)))
            self.assertIsInstance(value[key], allowed, key)
            if isinstance(value[key], bool):
                self.assertIn(bool, allowed, key)

    def check_rects(self, rects, pages):
        for rect in rects:
            self.check_keys(rect, {'page': int, 'x': (int, float), 'y': (int, float), 'width': (int, float),
                                   'height': (int, float)})
            self.assertIn(rect['page'], pages)
            self.assertGreater(rect['width'], 0)
            self.assertGreater(rect['height'], 0)

    RESULT = {'rank': int, 'score': (int, float), 'document': int, 'path': str, 'title': (str, None), 'page': (int, None),
              'page_last': (int, None), 'heading': list, 'text': str, 'rects': list}

    def check_result(self, result, extra=()):
        self.check_keys(result, self.RESULT | dict(extra))
        self.assertTrue(result['text'])
        if result['page'] is None:
            self.assertIsNone(result['page_last'])
            self.assertEqual(result['rects'], [])
        else:
            self.assertGreaterEqual(result['page_last'], result['page'])
            self.assertTrue(result['rects'])
            self.check_rects(result['rects'], range(result['page'], result['page_last'] + 1))

    def interrupt(self, process, number=signal.SIGINT):
        """Sends the signal; exit status, output, errors and the seconds until it ended."""
        import time
        start = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err, time.monotonic() - start


main = unittest.main
