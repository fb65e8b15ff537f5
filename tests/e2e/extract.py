"""extract over the samples and over bad files: the JSON contract, and one clear status for everything."""
import json
import os
import time

from harness import SAMPLES, LecternTest, main
import badfiles

KINDS = {'heading', 'paragraph', 'list item', 'table row', 'code', 'caption'}
STATUSES = {'encrypted', 'no text layer', 'damaged', 'empty', 'too large', 'unsupported', 'unreadable', 'timed out'}
EXTRACTION = {'status': str, 'error': (str, None), 'type': (str, None), 'title': (str, None), 'pages': int,
              'language': (str, None), 'blocks': list, 'warnings': list, 'author': (str, None), 'date': (str, None),
              'findings': list, 'attachments': list}


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
                # A web page's heading that is its title is no part of its main text.
                blocks = [block for block in got['blocks'] if got['type'] != 'html' or block['text'] != got['title']]
                self.assertEqual(text, '\n'.join(block['text'] + '\n' for block in blocks))
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
                begin = time.monotonic()
                status, out, err = self.run_raw('extract', '--json', path)
                self.assertLess(time.monotonic() - begin, 30, 'quick even under sanitizers on a loaded machine')
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

    def test_nothing_is_lost_in_odd_pages(self):
        def text(name):
            return self.ctl('extract', '--text', self.write(name, badfiles.FILES[name][0]))
        for name in 'deep.html', 'deep-strangers.html':
            self.assertEqual(text(name), 'deep text\n')
        # The main part of the page begins somewhere in the nesting: less than 1 % stands before it.
        unclosed = [w for w in text('unclosed.html').split() if w.startswith('word')]
        self.assertEqual(unclosed, [f'word{i}' for i in range(20000 - len(unclosed), 20000)])
        self.assertGreater(len(unclosed), 19800)
        self.assertEqual(text('million-attributes.html'), 'the tail\n')
        self.assertEqual(text('long-line.html').split(), ['a', 'word', 'of', 'many,'] * badfiles.LONG_LINE_PARTS)
        self.assertEqual(text('long-word.txt').replace('\n', ''), 'é' * (9 << 20))
        self.assertEqual(text('bytes.html'), 'café ÿþ and text\n')

    def test_tags_around_raw_text(self):
        many = ' '.join(f'a{i}="x>y"' for i in range(1000))
        text = self.ctl('extract', '--text', self.write('raw.html',
            f'<p id=first>One.</p><script>if (a <b {many}) {{ "</p>" }}</script><!-- <b {many} --><p {many}>Two.</p>'
            f'<div {many}/><style>a <b {many}</style><p>Three.</p><p a=\'"\' {many}>Four.</p>'))
        self.assertEqual(text.split(), ['One.', 'Two.', 'Three.', 'Four.'])

    def test_not_a_readable_file(self):
        self.fails(1, 'extract', os.path.join(self.docs, 'none.pdf'))
        self.fails(1, 'extract', self.docs)
        os.mkfifo(os.path.join(self.docs, 'pipe.pdf'))
        self.fails(1, 'extract', os.path.join(self.docs, 'pipe.pdf'))
        self.fails(2, 'extract', '--text', '--json', 'x')
        self.fails(2, 'extract')


if __name__ == '__main__':
    main()
