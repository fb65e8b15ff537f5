"""Vocabularies for tests: the tokenizer of a GGUF file, of a SentencePiece model, or made up; and small models around them."""
import struct

U32, I32, F32, BOOL, STRING, ARRAY, I8 = 4, 5, 6, 7, 8, 9, 1
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
PACK = {U32: '<I', I32: '<i', F32: '<f', BOOL: '<?'}
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)


def string(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return struct.pack('<Q', len(raw)) + raw


def pair(key, kind, value):
    return string(key) + struct.pack('<I', kind) + (string(value) if kind == STRING else struct.pack(PACK[kind], value))


def array(key, kind, values):
    head = string(key) + struct.pack('<IIQ', ARRAY, kind, len(values))
    if kind == STRING:
        return head + b''.join(map(string, values))
    if kind == I8:
        return head + bytes(values)
    return head + b''.join(struct.pack(PACK[kind], v) for v in values)


class Vocabulary:
    """`records` are the tokenizer.* entries as a GGUF holds them; tokens and types are those of them that tests look at."""

    def __init__(self, records, tokens, types):
        self.records, self.tokens, self.types = records, tokens, types

    def replace(self, key, record):
        """The same with another entry."""
        other = Vocabulary({**self.records, key: record}, self.tokens, self.types)
        return other

    def with_types(self, types):
        other = self.replace('tokenizer.ggml.token_type', array('tokenizer.ggml.token_type', I32, types))
        other.types = types
        return other


def read_gguf(path):
    with open(path, 'rb') as f:
        b = f.read()
    _, _, _, n_entries = struct.unpack_from('<4sIQQ', b, 0)
    records, tokens, types, at = {}, [], None, 24

    def text(p):
        n = struct.unpack_from('<Q', b, p)[0]
        return b[p + 8:p + 8 + n], p + 8 + n

    def end(kind, p):
        if kind == STRING:
            return text(p)[1]
        if kind == ARRAY:
            item, n = struct.unpack_from('<IQ', b, p)
            p += 12
            if item in SIZES:
                return p + n * SIZES[item]
            for _ in range(n):
                p = end(item, p)
            return p
        return p + SIZES[kind]

    for _ in range(n_entries):
        key, p = text(at)
        kind = struct.unpack_from('<I', b, p)[0]
        stop = end(kind, p + 4)
        key = key.decode()
        if key.startswith('tokenizer.'):
            records[key] = b[at:stop]
        if key in ('tokenizer.ggml.tokens', 'tokenizer.ggml.token_type'):
            n = struct.unpack_from('<Q', b, p + 8)[0]
            p += 16
            if key.endswith('token_type'):
                types = list(struct.unpack_from(f'<{n}i', b, p))
            else:
                for _ in range(n):
                    token, p = text(p)
                    tokens.append(token)
        at = stop
    return Vocabulary(records, tokens, types or [NORMAL] * len(tokens))


def read_fields(b):
    """The fields of a protocol buffer message: (number, value)."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            value |= (b[at] & 127) << shift
            shift += 7
            at += 1
            if b[at - 1] < 128:
                return value

    while at < len(b):
        tag = varint()
        kind = tag & 7
        if kind == 0:
            value = varint()
        elif kind == 1:
            value, at = b[at:at + 8], at + 8
        elif kind == 5:
            value, at = b[at:at + 4], at + 4
        else:
            n = varint()
            value, at = b[at:at + n], at + n
        yield tag >> 3, value


def unigram(tokens, scores, types, charsmap=b'', prefix=True, merge_spaces=True, bos=None, eos=None, unknown=None):
    key = 'tokenizer.ggml.'
    records = {
        key + 'model': pair(key + 'model', STRING, 't5'), key + 'pre': pair(key + 'pre', STRING, 'default'),
        key + 'tokens': array(key + 'tokens', STRING, tokens), key + 'scores': array(key + 'scores', F32, scores),
        key + 'token_type': array(key + 'token_type', I32, types),
        key + 'add_space_prefix': pair(key + 'add_space_prefix', BOOL, prefix),
        key + 'remove_extra_whitespaces': pair(key + 'remove_extra_whitespaces', BOOL, merge_spaces)}
    for name, value in (('bos', bos), ('eos', eos), ('unknown', unknown)):
        if value is not None:
            records[f'{key}{name}_token_id'] = pair(f'{key}{name}_token_id', U32, value)
    if bos is not None:
        records[key + 'add_bos_token'] = pair(key + 'add_bos_token', BOOL, True)
    if charsmap:
        records[key + 'precompiled_charsmap'] = array(key + 'precompiled_charsmap', I8, charsmap)
    return Vocabulary(records, [t if isinstance(t, bytes) else t.encode() for t in tokens], types)


def read_sentencepiece(path):
    """A SentencePiece unigram model (sentencepiece_model.proto) as GGUF has it."""
    with open(path, 'rb') as f:
        b = f.read()
    tokens, scores, types, spec = [], [], [], {2: b'', 3: 1, 4: 1}
    for number, value in read_fields(b):
        if number == 1:
            piece = dict(read_fields(value))
            tokens.append(piece[1])
            scores.append(struct.unpack('<f', piece[2])[0] if 2 in piece else 0.0)
            types.append(piece.get(3, NORMAL))
        elif number == 3:
            spec.update(read_fields(value))
    find = {t: i for i, t in enumerate(tokens)}
    return unigram(tokens, scores, types, spec[2], bool(spec[3]), bool(spec[4]), find.get(b'<s>'), find.get(b'</s>'),
                   find.get(b'<unk>'))


def make_charsmap(rules):
    """Text to replacement as SentencePiece stores it: a double array (darts-clone's units) and NUL-ended strings."""
    root, replacements = {}, b''
    for source, target in rules.items():
        node = root
        for byte in source.encode():
            node = node.setdefault(byte, {})
        node['value'] = len(replacements)
        replacements += target.encode() + b'\0'
    units, used = {}, {0}
    work = [(root, 0, 0)]
    while work:
        node, index, label = work.pop()
        labels = [0 if child == 'value' else child for child in node]
        base = 1
        while any(base ^ c in used for c in labels):
            base += 1
        used.update(base ^ c for c in labels)
        assert index ^ base < 1 << 21
        units[index] = (index ^ base) << 10 | ('value' in node) << 8 | label
        for child, below in node.items():
            if child == 'value':
                units[base] = 1 << 31 | below
            else:
                work.append((below, base ^ child, child))
    n = (max(used) | 255) + 1
    return struct.pack('<I', 4 * n) + struct.pack(f'<{n}I', *(units.get(i, 0) for i in range(n))) + replacements


def make_unigram(rng, words):
    """Letters, joins and words with random scores, and a few rules; no tool has trained it."""
    letters = sorted({c for w in words for c in w if not c.isspace()} | set('abcdefghijklmnopqrstuvwxyz0123456789.,!?'))
    pieces = {'▁': -4.0}
    for w in words:
        for _ in range(2):
            start = rng.randrange(len(w))
            end = rng.randrange(start, len(w)) + 1
            text = ('▁' if start == 0 and rng.random() < 0.5 else '') + w[start:end]
            pieces.setdefault(text, -float(rng.randrange(20, 120)) / 10)
    for c in letters[::2]:
        pieces.setdefault(c, -float(rng.randrange(60, 140)) / 10)
    tokens = ['<s>', '<pad>', '</s>', '<unk>', '<mask>'] + list(pieces)
    types = [CONTROL, CONTROL, CONTROL, UNKNOWN, USER_DEFINED] + [NORMAL] * len(pieces)
    rules = {'\t': ' ', '\n': ' ', '\r': ' ', '\u00a0': ' ', '\u3000': ' ', '\ufb01': 'fi', 'e\u0301': 'é', '\u200b': '', '½': '1\u20442',
             'ＡＢ': 'AB', 'Ａ': 'A', 'あ゛': 'あ', '…': '...', '\u00a8': ' \u0308', '\u0301': '', '\U0001f468': 'man'}
    return unigram(tokens, [0.0] * 5 + list(pieces.values()), types, make_charsmap(rules), True, True, 0, 2, 3)


def write_model(path, vocabulary):
    """A llama-shaped model of one layer whose weights are zero: just enough for llama-server to load the tokenizer."""
    dim, n = 32, len(vocabulary.tokens)
    entries = [pair('general.architecture', STRING, 'llama')]
    for key, value in (('context_length', 256), ('embedding_length', dim), ('block_count', 1), ('feed_forward_length', dim),
                       ('attention.head_count', 1), ('attention.head_count_kv', 1), ('rope.dimension_count', dim), ('vocab_size', n)):
        entries.append(pair('llama.' + key, U32, value))
    entries.append(pair('llama.attention.layer_norm_rms_epsilon', F32, 1e-5))
    entries += vocabulary.records.values()
    shapes = [('token_embd', (dim, n)), ('output_norm', (dim,))]
    for name in ('attn_norm', 'ffn_norm'):
        shapes.append((f'blk.0.{name}', (dim,)))
    for name in ('attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'):
        shapes.append((f'blk.0.{name}', (dim, dim)))
    head = b'GGUF' + struct.pack('<IQQ', 3, len(shapes), len(entries)) + b''.join(entries)
    size = 0
    for name, shape in shapes:
        wide = len(shape) == 1
        head += string(name + '.weight') + struct.pack('<I', len(shape)) + b''.join(struct.pack('<Q', d) for d in shape)
        head += struct.pack('<IQ', 0 if wide else 1, size)
        n_items = shape[0] * (1 if wide else shape[1])
        size += -(-n_items * (4 if wide else 2) // 32) * 32
    with open(path, 'wb') as f:
        f.write(head + bytes(-len(head) % 32))
        f.truncate(f.tell() + size)
