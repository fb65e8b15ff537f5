"""Random Unicode strings that go where tokenizers differ: scripts, marks, emoji, digits, spaces, controls, and what
a vocabulary's special tokens look like.

Code points that Unicode 14 has not assigned come from planes 4 to 13 only: elsewhere later versions assign some, and the two
sides of a comparison know different versions."""
import unicodedata

BLOCKS = [(0x20, 0x7E), (0x20, 0x7E), (0x20, 0x7E), (0xA0, 0xFF), (0x100, 0x17F), (0x180, 0x24F), (0x250, 0x2AF), (0x2B0, 0x2FF), (0x370, 0x3FF),
          (0x400, 0x4FF), (0x500, 0x52F), (0x530, 0x58F), (0x590, 0x5FF), (0x600, 0x6FF), (0x700, 0x74F), (0x900, 0x97F), (0x980, 0x9FF),
          (0xB80, 0xBFF), (0xE00, 0xE7F), (0xE80, 0xEFF), (0xF00, 0xFFF), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x137F),
          (0x13A0, 0x13FF), (0x1780, 0x17FF), (0x1E00, 0x1EFF), (0x1F00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x209F), (0x20A0, 0x20CF),
          (0x2100, 0x214F), (0x2150, 0x218F), (0x2190, 0x21FF), (0x2200, 0x22FF), (0x2460, 0x24FF), (0x2500, 0x257F), (0x2580, 0x259F), (0x2600, 0x27BF),
          (0x3000, 0x303F), (0x3040, 0x30FF), (0x3130, 0x318F), (0x3200, 0x33FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4CF), (0xA640, 0xA69F), (0xA720, 0xA7FF),
          (0xAB30, 0xABBF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFB00, 0xFDFF), (0xFE30, 0xFE4F), (0xFE70, 0xFEFF), (0xFF00, 0xFFEF), (0x10400, 0x1044F), (0x1D400, 0x1D7FF),
          (0x1E900, 0x1E943), (0x1F300, 0x1F6FF), (0x1F900, 0x1F9FF), (0x20000, 0x2A6DF), (0x2F800, 0x2FA1D)]
WHITE = [' ', ' ', ' ', '  ', '   ', '    ', '\t', '\n', '\n\n', '\r\n', '\r', '\v', '\f', '\x85', '\xa0', '\u1680', '\u2002', '\u2003', '\u2009', '\u200a',
         '\u2028', '\u2029', '\u202f', '\u205f', '\u3000', '\u200b', '\u2060', '\ufeff', '\u180e', ' \n', '\n ', '\t\t', ' \t ', '\n\n\n', '\r\n\r\n']
ODD = ["'s", "'S", "'t", "'re", "'RE", "'ve", "'m", "'ll", "'LL", "'d", "'D", "’s", "'ſ", "can't", "I'm", 'x=1', '->', '!=', '...', '--', '//', '/*', '::', '<|', '|>', '</', '[INST]',
       '<s>', '</s>', '<unk>', '[CLS]', '[SEP]', '[MASK]', '[UNK]', '▁', '▁▁', 'İ', 'ß', 'ẞ', 'ǅ', 'ﬁ', 'é', 'e\u0301', 'ö', 'o\u0308', 'Å', '\u212b', '가', '\u1100\u1161',
       '½', '٣', '१२३', '１２', 'Ⅻ', '¹²', '๓', '\x01', '\x07', '\x1b', '\x7f', '\x9f', '\xad', '\u200c', '\u200d', '\u200e', '\ue000', '\ufffd', '\ufffe', '\U000e0041', '\U0010ffff',
       '👨\u200d👩\u200d👧', '🏳\ufe0f\u200d🌈', '👍🏽', '🇩🇪', '1\ufe0f\u20e3', '❤\ufe0f', 'à\u0316\u0301', 'क्षि', 'நி', 'ที่', 'ກຳ', 'نَصّ', 'שָׁלוֹם']
MARKS = [chr(c) for c in (*range(0x300, 0x370), *range(0x64B, 0x660), *range(0x1AB0, 0x1AC0), *range(0x20D0, 0x20F0), 0x93C, 0x94D, 0xE31, 0xE48, 0xFE0F, 0x3099, 0x309A, 0x5B0, 0x5B7)]


def is_settled(c):
    return 0x40000 <= c < 0xE0000 or (unicodedata.category(chr(c)) != 'Cn' and not 0xD800 <= c < 0xE000)


def scalar(rng):
    while True:
        c = rng.randrange(1, 0x110000)
        if is_settled(c):
            return chr(c)


def part(rng, words, specials):
    kind = rng.random()
    if kind < 0.30:
        return rng.choice(words)
    if kind < 0.45:
        return rng.choice(WHITE)
    if kind < 0.65:
        first, last = rng.choice(BLOCKS)
        return ''.join(chr(c) for c in (rng.randint(first, last) for _ in range(rng.randint(1, 6))) if is_settled(c))
    if kind < 0.72:
        return str(rng.randrange(10 ** rng.randint(1, 9)))
    if kind < 0.87:
        return rng.choice(ODD)
    if kind < 0.92:
        return rng.choice('aexIñ漢ก') + ''.join(rng.choice(MARKS) for _ in range(rng.randint(1, 3)))
    if kind < 0.96 and specials:
        return rng.choice(specials)
    return scalar(rng)


def strings(rng, count, words, specials):
    """`count` strings of up to some forty parts, none with a NUL."""
    out = []
    for _ in range(count):
        n = rng.randint(1, 6) if rng.random() < 0.6 else rng.randint(7, 40)
        space = rng.random() < 0.5
        pieces = [part(rng, words, specials) for _ in range(n)]
        out.append((' ' if space else '').join(pieces))
    return out
