"""Bad documents, made here, and the statuses that each may end in."""


def pdf(objects, trailer=b'/Root 1 0 R', damage=lambda b: b):
    """A PDF of the given object bodies (numbered from 1) with a correct cross-reference table."""
    out, offsets = b'%PDF-1.4\n', []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b'%d 0 obj\n%s\nendobj\n' % (number, body)
    start = len(out)
    out += b'xref\n0 %d\n0000000000 65535 f \n' % (len(objects) + 1)
    out += b''.join(b'%010d 00000 n \n' % o for o in offsets)
    out += b'trailer\n<< /Size %d %s >>\nstartxref\n%d\n%%%%EOF\n' % (len(objects) + 1, trailer, start)
    return damage(out)


def stream(data):
    return b'<< /Length %d >>\nstream\n%s\nendstream' % (len(data), data)


def one_page(content):
    return [b'<< /Type /Catalog /Pages 2 0 R >>', b'<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
            b'<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>',
            stream(content), b'<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>']


TEXT = b'BT /F 18 Tf 20 100 Td (A page about quinces.) Tj ET'
GOOD = pdf(one_page(TEXT))
LOOP = [b'<< /Type /Catalog /Pages 2 0 R >>', b'<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 1000000 >>']
ENCRYPTED = pdf(one_page(TEXT), b'/Root 1 0 R /ID [<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>] '
                                b'/Encrypt << /Filter /Standard /V 1 /R 2 /P -64 /O <' + b'a1' * 32 + b'> /U <' + b'b2' * 32 + b'> >>')

LONG_LINE_PARTS = 1100000  # above 16 MiB, the most that one block holds

FILES = {
    'empty.pdf': (b'', {'empty', 'damaged'}),
    'empty.html': (b'', {'empty'}),
    'empty.txt': (b'', {'empty'}),
    'spaces.html': (b'<html><body> \n &nbsp; </body></html>', {'empty'}),
    'noise.pdf': (bytes((i * 7919 + 13) % 256 for i in range(5000)), {'damaged', 'unsupported'}),
    'header-only.pdf': (b'%PDF-1.7\n', {'damaged'}),
    'cut.pdf': (GOOD[:len(GOOD) // 2], {'damaged', 'no text layer', 'empty', 'indexed'}),
    'loop.pdf': (pdf(LOOP), {'damaged', 'no text layer', 'empty'}),
    'no-text.pdf': (pdf(one_page(b'0 0 m 100 100 l S')), {'no text layer'}),
    'encrypted.pdf': (ENCRYPTED, {'encrypted', 'damaged'}),
    'deep.html': (b'<div>' * 100000 + b'deep text' + b'</div>' * 100000, {'indexed'}),
    'deep-strangers.html': (b'<b><i>' * 50000 + b'deep text' + b'</span></em>' * 50000, {'indexed'}),
    'unclosed.html': (b''.join(b'<div><table><tr><td><ul><li><p><b>word%d ' % i for i in range(20000)), {'indexed'}),
    'attributes.html': (b'<p ' + b'a="' * 50000 + b'>tail', {'indexed', 'empty'}),
    'million-attributes.html': (b'<p ' + b' '.join(b'a%d=1' % i for i in range(1000000)) + b'>the tail', {'indexed'}),
    'long-line.html': (b'<p>' + b'a word of many, ' * LONG_LINE_PARTS, {'indexed'}),
    'long-word.txt': (b'\xc3\xa9' * (9 << 20), {'indexed'}),
    'bytes.html': (b'<p>caf\xe9 \xff\xfe\x00 and text', {'indexed'}),
    'picture.html': (bytes((i * 7907 + 13) % 256 for i in range(5000)), {'unsupported'}),
    'program.xyz': (b'\x7fELF' + bytes(100), {'unsupported'}),
}
