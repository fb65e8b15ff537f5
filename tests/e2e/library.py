"""add, list, status, remove and search over the samples and over files made here: the JSON contract, and what is indexed when."""
import os
import shutil
import time

from harness import SAMPLES, LecternTest, main

PAGE = '<html lang="en"><head><title>{t}</title></head><body><h1>{t}</h1><p>{p}</p></body></html>'


class Samples(LecternTest):
    def test_contract(self):
        n_files = sum(n.endswith(('.pdf', '.html')) for n in os.listdir(SAMPLES))
        self.assertGreaterEqual(n_files, 4)
        report = self.json('add', SAMPLES)
        self.check_keys(report, {'added': int, 'updated': int, 'unchanged': int, 'failed': int, 'removed': int, 'chunks': int,
                                 'pages': int, 'seconds': (int, float), 'documents': list})
        for document in report['documents']:
            self.check_keys(document, {'path': str, 'status': str, 'error': (str, None)})
            self.assertEqual((document['status'], document['error']), ('indexed', None))
        self.assertEqual((report['added'], report['failed'], report['updated']), (n_files, 0, 0))
        self.assertGreaterEqual(report['pages'], 20)
        self.assertGreater(report['chunks'], 20)

        again = self.json('add', SAMPLES)
        self.assertEqual((again['added'], again['unchanged'], again['chunks']), (0, n_files, 0))

        documents = self.json('list')
        self.assertEqual(len(documents), n_files)
        for document in documents:
            self.check_keys(document, {'id': int, 'path': str, 'title': (str, None), 'type': str, 'pages': int, 'chunks': int,
                                       'status': str, 'error': (str, None), 'language': (str, None)})
            self.assertEqual(document['status'], 'indexed')
            self.assertEqual(document['language'], 'en')
            self.assertEqual(document['pages'] > 0, document['type'] == 'pdf')
        self.assertEqual(sum(d['chunks'] for d in documents), report['chunks'])

        status = self.json('status')
        self.check_keys(status, {'library': str, 'schema_version': int, 'documents': int, 'indexed': int, 'failed': int,
                                 'contents': int, 'chunks': int, 'pages': int, 'database_bytes': int, 'text_bytes': int,
                                 'models': dict, 'cache': dict, 'protections': dict, 'health': str, 'checked': str})
        self.assertEqual((status['health'], status['checked']), ('ok', 'database'))
        self.check_keys(status['protections'], {
            'files': bool, 'network': bool, 'system_calls': bool, 'signals': bool, 'privileges': bool, 'memory_image': bool,
            'limits': bool, 'open_files': bool, 'landlock_abi': int, 'error': (str, None)})
        self.assertTrue(status['protections']['limits'] and status['protections']['privileges'])
        self.env['LECTERN_CACHE_BYTES'] = '5000000'  # the default depends on what is free just now
        status = self.json('status')
        self.assertEqual(status['cache'], {'folder': os.path.join(self.home, 'cache', 'lectern', 'sessions'), 'sessions': 0,
                                           'bytes': 0, 'quota_bytes': 5000000})
        self.assertEqual(self.json('status', '--check'), status | {'checked': 'database and index'})
        self.assertEqual((status['documents'], status['failed'], status['chunks']), (n_files, 0, report['chunks']))
        self.assertEqual(status['library'], self.library)

        found = self.json('search', '-n', '4', 'how often should I descale the machine')
        self.check_keys(found, {'query': str, 'took_ms': (int, float), 'results': list})
        self.assertEqual([r['rank'] for r in found['results']], [1, 2, 3, 4])
        scores = [r['score'] for r in found['results']]
        self.assertEqual(scores, sorted(scores, reverse=True))
        for result in found['results']:
            self.check_result(result)
        self.assertTrue(any('descal' in r['text'].lower() for r in found['results'][:2]))
        pdf = [r for r in self.json('search', '-n', '20', 'descaling')['results'] if r['path'].endswith('.pdf')]
        self.assertTrue(pdf and all(r['page'] and r['heading'] for r in pdf))

        html = [d['path'] for d in documents if d['type'] == 'html'][0]
        only = self.json('search', '--in', html, 'the machine')
        self.assertTrue(all(r['path'] == html for r in only['results']))

        for text in (self.ctl('list'), self.ctl('search', 'descaling')):
            self.assertIn('.pdf', text)
        self.assertIn('page ', self.ctl('search', 'descaling'))
        self.assertIn('Health     ok', self.ctl('status'))


class Changes(LecternTest):
    def test_new_changed_vanished(self):
        one = self.write('a/one.html', PAGE.format(t='One', p='The first page speaks of marzipan.'))
        two = self.write('a/two.html', PAGE.format(t='Two', p='The second page speaks of nougat.'))
        self.assertEqual(self.json('add', self.docs)['added'], 2)
        time.sleep(0.01)
        self.write('a/one.html', PAGE.format(t='One', p='The first page now speaks of liquorice and more.'))
        os.unlink(two)
        self.write('three.html', PAGE.format(t='Three', p='A third page about caramel.'))
        report = self.json('add', self.docs)
        self.assertEqual({k: report[k] for k in ('added', 'updated', 'unchanged', 'failed', 'removed')},
                         {'added': 1, 'updated': 1, 'unchanged': 0, 'failed': 0, 'removed': 1})
        self.assertEqual(self.json('search', 'marzipan')['results'], [])
        self.assertEqual(self.json('search', 'nougat')['results'], [])
        self.assertEqual(self.json('search', 'liquorice')['results'][0]['path'], one)

    def test_same_content_twice(self):
        page = PAGE.format(t='Twin', p='Two files hold exactly this sentence about gooseberries.')
        self.write('a.html', page)
        self.write('b.html', page)
        self.assertEqual(self.json('add', self.docs)['added'], 2)
        status = self.json('status')
        self.assertEqual((status['documents'], status['contents']), (2, 1))

    def test_remove(self):
        for name in 'x/1.html', 'x/y/2.html', 'z.html', 'w.html':
            self.write(name, PAGE.format(t=name, p=f'A page named {name} about kohlrabi.'))
        self.json('add', self.docs)
        self.fails(1, 'remove', os.path.join(self.docs, 'none.html'))
        self.fails(1, 'remove', os.path.join(self.docs, 'x'), '999999')
        self.assertEqual(len(self.json('list')), 4, 'nothing is removed when one argument fits nothing')
        self.assertEqual(self.json('remove', os.path.join(self.docs, 'x')), {'removed': 2})
        z = [d['id'] for d in self.json('list') if d['path'].endswith('z.html')][0]
        self.assertEqual(self.json('remove', str(z), str(z)), {'removed': 1})
        self.assertIn('1 document forgotten', self.ctl('remove', os.path.join(self.docs, 'w.html')))
        self.assertEqual(self.json('list'), [])
        self.assertEqual(self.json('search', 'kohlrabi')['results'], [])
        for name in os.listdir(self.library):
            if name.startswith('library.db'):
                with open(os.path.join(self.library, name), 'rb') as f:
                    self.assertNotIn(b'kohlrabi', f.read(), f'{name} still holds removed text')

    def test_library_option(self):
        other = os.path.join(self.home, 'other')
        self.write('p.html', PAGE.format(t='P', p='A page about parsnips.'))
        self.json('--library', other, 'add', self.docs)
        self.assertEqual(len(self.json('list', '--library', other)), 1)
        self.assertIn('add', self.fails(1, 'list'))
        shutil.rmtree(other)


class Queries(LecternTest):
    def setUp(self):
        super().setUp()
        self.write('p.html', PAGE.format(t='Roots', p='Parsnips -n and "beets" AND (turnips) are NEAR each other.'))
        self.json('add', self.docs)

    def found(self, *arguments, **options):
        return len(self.json('search', *arguments, **options)['results'])

    def test_any_text_is_a_query(self):
        for query in ('"', '""', '(', '*', 'AND', 'NEAR(', 'a OR', '^x', 'col:x', "'", '\\', 'parsnips"', '-', '\u200b', 'x' * 5000, '💥'):
            self.json('search', '--', query, stdin='')

    def test_words(self):
        self.assertEqual(self.found('parsnips'), 1)
        self.assertEqual(self.found('"beets AND"'), 1)
        self.assertEqual(self.found('"turnips beets"'), 0)
        self.assertEqual(self.found('zeppelin'), 0)

    def test_standard_input_and_dashes(self):
        self.assertEqual(self.json('search', '-', stdin='  turnips\n')['query'], 'turnips')
        self.assertEqual(self.found('-', stdin='turnips'), 1)
        self.assertEqual(self.json('search', '--', '-n')['query'], '-n')
        self.assertEqual(self.json('search', '--', '--json')['query'], '--json')
        self.fails(2, 'search', '-n')

    def test_empty(self):
        self.assertEqual(self.found(''), 0)
        self.assertEqual(self.found('-', stdin=''), 0)
        self.assertEqual(self.ctl('search', ''), 'Nothing found.\n')

    def test_bytes_that_are_no_text(self):
        self.assertEqual(self.found(b'parsnips \xff\xfe'), 1)
        self.assertEqual(self.found('-', stdin=b'parsnips\x00 \xff'), 1)


if __name__ == '__main__':
    main()
