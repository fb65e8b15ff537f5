"""extract over the samples and over bad files: the JSON contract, and one clear status for everything."""
import json
import os

from harness import SAMPLES, LecternTest, main
import badfiles

KINDS = {'heading', 'paragraph', 'list item', 'table row', 'code', 'caption'}
STATUSES = {'encrypted', 'no text layer', 'damaged', 'empty', 'too large', 'unsupported', 'unreadable', 'timed out'}
EXTRACTION = {'status': str, 'error': (str, None), 'type': (str, None), 'title': (str, None), 'pages': int,
              'language': (str, None), 'blocks': list, 'warnings': list}


class Extract(LecternTest):
    def test_samples(self):
        for name in sorted(os.listdir(SAMPLES)):
            if not name.endswith(('.pdf', '.html')):
                continue
            with self.subTest(name):
                got = self.json('extract', os.path.join(SAMPLES, name))
                self.check_keys(got, EXTRACTION)
                self.assertEqual(got['type'], 'pdf' if name.endswith('.pdf') else 'html')
                self.assertTrue(got['title'])
                self.assertGreater(len(got['blocks']), 5)
                pages = range(1, got['pages'] + 1)
                for block in got['blocks']:
                    self.check_keys(block, {'kind': str, 'level': int, 'page': (int, None), 'text': str, 'rects': list})
                    self.assertIn(block['kind'], KINDS)
                    self.assertTrue(block['text'])
                    if block['kind'] == 'heading':
                        self.assertIn(block['level'], range(1, 7))
                    if got['pages']:
                        self.assertIn(block['page'], pages)
                        self.check_rects(block['rects'], pages)
                    else:
                        self.assertIsNone(block['page'])
                        self.assertEqual(block['rects'], [])
                text = self.ctl('extract', '--text', os.path.join(SAMPLES, name))
                self.assertEqual(text, '\n'.join(block['text'] + '\n' for block in got['blocks']))
                self.assertIn('heading', self.ctl('extract', os.path.join(SAMPLES, name)))
        self.assertFalse(os.path.exists(self.library), 'extract touches no library')

    def test_html_main_text(self):
        path = self.write('p.html', '<title>T</title><nav><a href=x>Menu one</a></nav><h2>Head</h2><p>Some text here.</p>'
                                    '<ul><li>First</ul><script>var x = "script text"</script>')
        text = self.ctl('extract', '--text', path)
        for part in 'Head', 'Some text here.', 'First':
            self.assertIn(part, text)
        self.assertNotIn('script text', text)

    def test_bad_files(self):
        for name, (content, allowed) in badfiles.FILES.items():
            with self.subTest(name):
                path = self.write(name, content)
                status, out, err = self.run_raw('extract', '--json', path)
                self.assertEqual(out.count(b'\n'), 1)
                got = json.loads(out)
                self.check_keys(got, EXTRACTION)
                self.assertIn(got['status'], allowed)
                if got['status'] == 'indexed':
                    self.assertEqual((status, err), (0, b''))
                    continue
                self.assertIn(got['status'], STATUSES)
                self.assertEqual(status, 1)
                self.assertTrue(got['error'])
                self.fails(1, 'extract', path)
                self.fails(1, 'extract', '--text', path)

    def test_not_a_readable_file(self):
        self.fails(1, 'extract', os.path.join(self.docs, 'none.pdf'))
        self.fails(1, 'extract', self.docs)
        os.mkfifo(os.path.join(self.docs, 'pipe.pdf'))
        self.fails(1, 'extract', os.path.join(self.docs, 'pipe.pdf'))
        self.fails(2, 'extract', '--text', '--json', 'x')
        self.fails(2, 'extract')


if __name__ == '__main__':
    main()
