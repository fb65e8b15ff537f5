"""Every format through the whole way: the sandboxed reader, the library, search; attachments; what is noted about documents."""
import base64
import glob
import gzip
import os
import re
import shutil
import unicodedata

from harness import LecternTest, SOURCE, main

READERS = os.path.join(SOURCE, 'tests', 'data', 'readers')
STATUSES = {'encrypted', 'no text layer', 'damaged', 'empty', 'too large', 'unsupported', 'unreadable', 'timed out'}
# Where the table of formats says something else than the reader, which it does not even ask.
OTHER_ERRORS = {'text/binary.txt': 'It is not in a format that Lectern reads.'}
# Whole words can be searched for only in scripts that write words apart.
APART = ('LATIN', 'CYRILLIC', 'GREEK')


class Expected:
    """What a sample's .expected file says of it; both kinds of these files name the same things."""

    def __init__(self, sample):
        self.status, self.error, self.title, self.author, self.date, self.words = 'indexed', None, None, None, None, []
        self.family = os.path.basename(os.path.dirname(sample))
        self.type = None if self.family in ('code', 'compressed', 'office') else self.family
        with open(sample + '.expected', encoding='utf-8') as f:
            for line in f:
                key, _, value = line.rstrip('\n').partition(': ')
                if key == 'status':
                    self.status, _, self.error = value.partition(': ') if self.family != 'compressed' \
                        and self.family != 'office' else (self.status, '', value)
                elif key == 'not read':
                    self.status = value
                elif key in ('title', 'author', 'date', 'type'):
                    setattr(self, key, value)
                elif re.match(r'(heading|paragraph|list item|table row|code|caption) ', key):
                    self.words += [w for w in re.findall(r'[^\W\d_]{3,}', value.replace('\\n', ' '))
                                   if all(unicodedata.name(c, '').startswith(APART) for c in w)]


def samples():
    for path in sorted(glob.glob(os.path.join(READERS, '*', '*'))):
        if os.path.exists(path + '.expected'):
            yield path


class Formats(LecternTest):
    def add_all(self):
        """A copy of every sample, all named to one `add`; path in the library to what is expected."""
        expected = {}
        for sample in samples():
            path = os.path.join(self.docs, os.path.relpath(sample, READERS))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(sample, path)
            expected[path] = Expected(sample)
        # Some of those that are named cannot be read, which is what the exit status says.
        status, _, _ = self.run_raw('--json', 'add', *expected)
        self.assertEqual(status, 1)
        return expected

    def test_samples(self):
        expected = self.add_all()
        self.assertGreater(len(expected), 80)
        documents = {d['path']: d for d in self.json('list')}
        n_found = 0
        for path, want in expected.items():
            with self.subTest(os.path.relpath(path, self.docs)):
                got = documents[path]
                self.assertEqual(got['status'], want.status)
                if want.status == 'indexed':
                    self.assertIsNone(got['error'])
                else:
                    self.assertIn(got['status'], STATUSES)
                    self.assertEqual(got['error'], OTHER_ERRORS.get(os.path.relpath(path, self.docs), want.error))
                if want.type and want.status == 'indexed':
                    self.assertEqual(got['type'], want.type)
                if want.title and want.status == 'indexed':
                    self.assertEqual(got['title'], want.title)
                if want.status == 'indexed' and want.words:
                    word = max(want.words, key=len)
                    found = self.json('search', '--in', path, word)['results']
                    self.assertTrue(found, f'{word} is in it')
                    self.assertIn(path, {r['path'] for r in found}, 'and not only in what is attached to it')
                    n_found += 1
        self.assertGreater(n_found, 60)
        types = {d['type'] for d in documents.values() if d['status'] == 'indexed'}
        self.assertLessEqual({'text', 'markdown', 'html', 'mhtml', 'eml', 'mbox', 'rtf', 'csv', 'rst', 'code', 'data', 'docx',
                              'odt', 'odp', 'ods', 'epub', 'pptx', 'xlsx'}, types)

    def test_authors_and_dates(self):
        n_authors = 0
        for sample in samples():
            want = Expected(sample)
            if want.status != 'indexed' or not (want.author or want.date):
                continue
            with self.subTest(os.path.relpath(sample, READERS)):
                got = self.json('extract', sample)
                self.assertEqual((got['author'], got['date']), (want.author, want.date))
                n_authors += want.author is not None
        self.assertGreater(n_authors, 15)

    def test_only_when_named(self):
        log = self.write('pump.log', '2024-05-01 the pump was started by marmalade\n')
        data = self.write('pump.json', '{"pump": "liquorice"}\n')
        self.write('notes.txt', 'Notes about the pump and its nougat.\n')
        self.assertEqual(self.json('add', self.docs)['added'], 1)
        self.assertEqual(self.json('search', 'marmalade')['results'], [])
        self.assertEqual(self.json('add', log, data)['added'], 2)
        for word, path in ('marmalade', log), ('liquorice', data):
            self.assertEqual([r['path'] for r in self.json('search', word)['results']], [path])
        self.assertEqual({d['type'] for d in self.json('list')}, {'text', 'data'})


class Encodings(LecternTest):
    """The converters of the C library work where no file can be opened."""
    TEXTS = {
        'windows-1252': 'Der Prüfstand misst die „Größe“ der Düsen – täglich und für jede Maschine einzeln.',
        'iso-8859-2': 'Příliš žluťoučký kůň úpěl ďábelské ódy a potom šel pomalu domů.',
        'iso-2022-jp': 'ポンプは毎週きれいな水で洗ってください。それから乾かします。',
        'shift_jis': 'ポンプは毎週きれいな水で洗ってください。それから乾かします。',
        'euc-jp': 'ポンプは毎週きれいな水で洗ってください。それから乾かします。',
        'koi8-r': 'Насос нужно чистить каждую неделю тёплой водой, а затем просушить.',
        'windows-1251': 'Насос нужно чистить каждую неделю тёплой водой, а затем просушить.',
        'gb18030': '水泵每周要用清水清洗一次，然后晾干，再放回原来的地方。',
        'big5': '水泵每周要用清水清洗一次，然後晾乾，再放回原來的地方。',
        'euc-kr': '펌프는 매주 깨끗한 물로 씻은 다음 잘 말려 주십시오.',
        'iso-8859-7': 'Η αντλία πρέπει να καθαρίζεται κάθε εβδομάδα με ζεστό νερό.',
        'utf-16': 'Die Düse ist größer als die Öffnung.',
        'utf-32': 'Die Düse ist größer als die Öffnung.',
    }
    NOT_GUESSED = ('iso-8859-2', 'utf-32')  # Latin scripts other than those of the west have to be declared

    def test_mail(self):
        for encoding, text in self.TEXTS.items():
            with self.subTest(encoding):
                body = base64.encodebytes(text.encode(encoding))
                subject = base64.b64encode(text[:12].encode(encoding)).decode()
                path = self.write(encoding + '.eml', (
                    f'From: a@example.org\nSubject: =?{encoding}?B?{subject}?=\nMIME-Version: 1.0\n'
                    f'Content-Type: text/plain; charset={encoding}\nContent-Transfer-Encoding: base64\n\n').encode() + body)
                got = self.json('extract', path)
                self.assertEqual((got['status'], got['error'], got['type']), ('indexed', None, 'eml'))
                self.assertEqual(got['title'], text[:12].strip())
                self.assertIn(text, [b['text'] for b in got['blocks']])

    def test_mail_that_declares_something_else(self):
        text = self.TEXTS['koi8-r']
        for charset in 'us-ascii', 'utf-8', 'x-unknown', None:
            with self.subTest(charset):
                declared = f'Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n' if charset else ''
                path = self.write(f'{charset}.eml', f'From: a@example.org\nSubject: s\n{declared}\n'.encode()
                                  + text.encode('koi8-r'))
                self.assertIn(text, [b['text'] for b in self.json('extract', path)['blocks']])

    def test_pages(self):
        for encoding, text in self.TEXTS.items():
            if encoding == 'utf-32':
                continue  # no browser reads it
            with self.subTest(encoding):
                mark = encoding if encoding != 'utf-16' else 'utf-8'
                path = self.write(encoding + '.html', (f'<!DOCTYPE html><meta charset={mark}><title>t</title>'
                                                       f'<p>{text}</p>').encode(encoding))
                self.assertEqual([b['text'] for b in self.json('extract', path)['blocks']], [text])

    def test_plain_text(self):
        for encoding, text in self.TEXTS.items():
            if encoding in self.NOT_GUESSED:
                continue
            with self.subTest(encoding):
                path = self.write(encoding + '.txt', (text + '\n').encode(encoding) * 3)
                got = self.json('extract', path)
                self.assertEqual((got['status'], got['type']), ('indexed', 'text'))
                self.assertIn(text, ' '.join(b['text'] for b in got['blocks']))


def part(content_type, content, name=None):
    content = content if isinstance(content, bytes) else content.encode()
    disposition = f'Content-Disposition: attachment; filename="{name}"\n' if name else ''
    if content_type == 'message/rfc822':
        return f'Content-Type: message/rfc822\n{disposition}\n'.encode() + content
    return (f'Content-Type: {content_type}\n{disposition}Content-Transfer-Encoding: base64\n\n'.encode()
            + base64.encodebytes(content))


def mail(subject, *parts, boundary='b1'):
    out = (f'From: Ada Lovelace <ada@example.org>\nTo: c@example.org\nDate: Wed, 01 May 2024 10:20:30 +0200\nSubject: {subject}\n'
           f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary={boundary}\n\n').encode()
    for p in parts:
        out += f'--{boundary}\n'.encode() + p + b'\n'
    return out + f'--{boundary}--\n'.encode()


class Attachments(LecternTest):
    def found(self, word):
        return {os.path.relpath(r['path'], self.docs) for r in self.json('search', word)['results']}

    def paths(self):
        return {os.path.relpath(d['path'], self.docs): d for d in self.json('list')}

    def write_mails(self):
        pdf = next(p for p in sorted(os.listdir(os.path.join(SOURCE, 'data', 'samples'))) if p.endswith('.pdf'))
        with open(os.path.join(SOURCE, 'data', 'samples', pdf), 'rb') as f:
            pdf = f.read()
        inner = mail('Inner', part('text/plain', 'The inner message is about persimmons.\n'),
                     part('text/plain', 'The deepest note is about quinces.\n', 'deep.txt'), boundary='b2')
        self.write('mail.eml', mail('The manual', part('text/plain', 'Here is what you asked for, with kumquats.\n'),
                                    part('application/pdf', pdf, 'manual.pdf'),
                                    part('text/plain', 'A note about medlars.\n', 'note.txt'),
                                    part('message/rfc822', inner, 'forwarded.eml')))
        self.write('other.eml', mail('Other', part('text/plain', 'Another message, about kumquats.\n'),
                                     part('text/plain', 'A note about sloes.\n', '../../etc/note.txt'),
                                     part('text/plain', 'A second note about rowans.\n', '../../etc/note.txt')))

    def test_attachments_are_documents(self):
        self.write_mails()
        report = self.json('add', self.docs)
        self.assertEqual(report['failed'], 0, report)
        documents = self.paths()
        self.assertLessEqual({'mail.eml', 'mail.eml/manual.pdf', 'mail.eml/note.txt', 'other.eml'}, set(documents))
        self.assertEqual(len(documents), report['added'])
        self.assertEqual(documents['mail.eml/manual.pdf']['type'], 'pdf')
        self.assertGreater(documents['mail.eml/manual.pdf']['pages'], 0)
        self.assertEqual(documents['mail.eml']['title'], 'The manual')
        self.assertEqual(self.found('kumquats'), {'mail.eml', 'other.eml'})
        self.assertEqual(self.found('medlars'), {'mail.eml/note.txt'})
        for word in 'persimmons', 'quinces', 'sloes', 'rowans':
            self.assertEqual(len(self.found(word)), 1, word)
        self.assertTrue(self.found('quinces').pop().startswith('mail.eml/'))
        self.assertEqual(len(self.found('sloes') | self.found('rowans')), 2, 'two attachments of one name are two documents')
        self.assertTrue(all(p.startswith('other.eml/') and '..' not in p.split('/') for p in self.found('sloes')))
        words = self.json('search', '--in', os.path.join(self.docs, 'mail.eml', 'manual.pdf'), 'the machine')['results']
        self.assertTrue(words and all(r['page'] for r in words))

        again = self.json('add', self.docs)
        self.assertEqual((again['added'], again['updated'], again['removed'], again['failed']), (0, 0, 0, 0))
        self.assertEqual(set(self.paths()), set(documents))

        self.ctl('remove', os.path.join(self.docs, 'mail.eml'))
        self.assertEqual({p.split('/')[0] for p in self.paths()}, {'other.eml'})
        for word in 'medlars', 'persimmons', 'quinces':
            self.assertEqual(self.found(word), set())
        os.unlink(os.path.join(self.docs, 'other.eml'))
        self.write('left.txt', 'Nothing but elderberries.\n')
        os.unlink(os.path.join(self.docs, 'mail.eml'))
        self.json('add', self.docs)
        self.assertEqual(set(self.paths()), {'left.txt'})

    def test_a_mail_that_changes(self):
        self.write('m.eml', mail('One', part('text/plain', 'Body.\n'), part('text/plain', 'About medlars.\n', 'a.txt'),
                                 part('text/plain', 'About quinces.\n', 'b.txt')))
        self.json('add', self.docs)
        self.write('m.eml', mail('One more', part('text/plain', 'Body.\n'), part('text/plain', 'About sorbs.\n', 'a.txt')))
        self.json('add', self.docs)
        self.assertEqual(set(self.paths()), {'m.eml', 'm.eml/a.txt'})
        self.assertEqual((self.found('medlars'), self.found('quinces'), self.found('sorbs')),
                         (set(), set(), {'m.eml/a.txt'}))

    def test_mbox(self):
        one = mail('First', part('text/plain', 'The first message is about kumquats.\n'),
                   part('text/html', '<p>An attached page about medlars.</p>', 'page.html'))
        two = b'From: c@example.org\nSubject: Second\n\nThe second message is about quinces.\n'
        self.write('box.mbox', b''.join(b'From a@example.org Wed May  1 10:20:30 2024\n' + m + b'\n' for m in (one, two)))
        self.assertEqual(self.json('add', self.docs)['failed'], 0)
        self.assertEqual(self.found('kumquats'), {'box.mbox'})
        self.assertEqual(self.found('quinces'), {'box.mbox'})
        self.assertEqual(self.found('medlars'), {'box.mbox/page.html'})

    def test_extract_names_them(self):
        self.write_mails()
        got = self.json('extract', os.path.join(self.docs, 'mail.eml'))
        self.assertEqual((got['author'], got['date']), ('Ada Lovelace <ada@example.org>', '2024-05-01T10:20:30+02:00'))
        for attachment in got['attachments']:
            self.check_keys(attachment, {'name': str, 'size_bytes': int})
        self.assertLessEqual({'manual.pdf', 'note.txt'}, {a['name'] for a in got['attachments']})
        self.assertIn('Attachment: note.txt', self.ctl('extract', os.path.join(self.docs, 'mail.eml')))


class Problems(LecternTest):
    FINDING = {'kind': str, 'page': (int, None), 'amount': int, 'detail': (str, None)}

    def test_problems(self):
        for name in 'html/hidden.html', 'html/note.html', 'office/password.xlsx', 'office/broken-xml.docx':
            shutil.copy(os.path.join(READERS, name), self.docs)
        self.write('cut.txt.gz', gzip.compress(b'A text that breaks off.\n' * 9, mtime=0)[:20])
        self.json('add', self.docs)
        problems = {os.path.basename(p['path']): p for p in self.json('list', '--problems')}
        for problem in problems.values():
            self.check_keys(problem, {'id': int, 'path': str, 'status': str, 'error': (str, None), 'warnings': list,
                                      'findings': list})
            for finding in problem['findings']:
                self.check_keys(finding, self.FINDING)
        self.assertEqual(set(problems), {'hidden.html', 'password.xlsx', 'broken-xml.docx', 'cut.txt.gz'})
        hidden = problems['hidden.html']
        self.assertEqual((hidden['status'], hidden['error']), ('indexed', None))
        self.assertIn(('hidden text', 'display: none'), {(f['kind'], f['detail']) for f in hidden['findings']})
        self.assertEqual(problems['password.xlsx']['status'], 'encrypted')
        self.assertEqual(problems['broken-xml.docx']['warnings'], ['The document is damaged; it was read up to the damage.'])
        self.assertEqual((problems['cut.txt.gz']['status'], problems['cut.txt.gz']['error']),
                         ('damaged', 'It is damaged: it cannot be unpacked.'))
        text = self.ctl('list', '--problems')
        for words in 'hidden.html', 'in the colour of its background', 'It needs a password.', 'read up to the damage', 'cannot be unpacked':
            self.assertIn(words, text)
        self.assertNotIn('note.html', text)

    def test_extract_has_findings(self):
        got = self.json('extract', os.path.join(READERS, 'html', 'hidden.html'))
        for finding in got['findings']:
            self.check_keys(finding, self.FINDING)
        self.assertIn({'kind': 'hidden text', 'page': None, 'amount': 27, 'detail': 'display: none'}, got['findings'])
        self.assertEqual(got['attachments'], [])
        self.assertIn('display: none', self.ctl('extract', os.path.join(READERS, 'html', 'hidden.html')))


if __name__ == '__main__':
    main()
