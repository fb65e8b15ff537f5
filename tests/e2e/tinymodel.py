"""Writes a tiny GGUF in F32: a llama-shaped decoder of two layers with random weights and a SentencePiece vocabulary."""
import random
import struct

U32, I32, F32, STRING, ARRAY = 4, 5, 6, 8, 9
DIM, LAYERS, HEADS, KV_HEADS, FFN, CONTEXT = 32, 2, 4, 2, 64, 256
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def string(text):
    raw = text.encode()
    return struct.pack('<Q', len(raw)) + raw


def value(kind, v):
    if kind == STRING:
        return string(v)
    return struct.pack({U32: '<I', I32: '<i', F32: '<f'}[kind], v)


def pair(key, kind, v):
    return string(key) + struct.pack('<I', kind) + value(kind, v)


def array(key, kind, values):
    return string(key) + struct.pack('<IIQ', ARRAY, kind, len(values)) + b''.join(value(kind, v) for v in values)


def vocabulary():
    """Three special tokens, 256 bytes, and the letters with some joins of them."""
    tokens = [('<unk>', UNKNOWN, 0.0), ('<s>', CONTROL, 0.0), ('</s>', CONTROL, 0.0)]
    tokens += [(f'<0x{b:02X}>', BYTE, 0.0) for b in range(256)]
    joins = ['▁t', 'he', '▁the', '▁a', 'in', 'er', '▁w', 'or', 'ld', '▁wor', '▁world']
    tokens += [(t, NORMAL, -float(i + 1)) for i, t in enumerate(joins)]
    tokens += [(c, NORMAL, -100.0 - i) for i, c in enumerate('▁abcdefghijklmnopqrstuvwxyz.,!')]
    return tokens


def write(path, seed=1, context=CONTEXT, arch='llama', chat_template=None):
    rng = random.Random(seed)
    tokens = vocabulary()
    kv_dim = DIM // HEADS * KV_HEADS
    shapes = [('token_embd.weight', (DIM, len(tokens))), ('output_norm.weight', (DIM,)), ('output.weight', (DIM, len(tokens)))]
    for i in range(LAYERS):
        shapes += [(f'blk.{i}.{name}.weight', shape) for name, shape in (
            ('attn_norm', (DIM,)), ('attn_q', (DIM, DIM)), ('attn_k', (DIM, kv_dim)), ('attn_v', (DIM, kv_dim)),
            ('attn_output', (DIM, DIM)), ('ffn_norm', (DIM,)), ('ffn_gate', (DIM, FFN)), ('ffn_up', (DIM, FFN)), ('ffn_down', (FFN, DIM)))]
    pairs = [
        pair('general.architecture', STRING, arch), pair('general.name', STRING, 'Tiny'),
        pair(f'{arch}.context_length', U32, context), pair(f'{arch}.embedding_length', U32, DIM),
        pair(f'{arch}.block_count', U32, LAYERS), pair(f'{arch}.feed_forward_length', U32, FFN),
        pair(f'{arch}.attention.head_count', U32, HEADS), pair(f'{arch}.attention.head_count_kv', U32, KV_HEADS),
        pair(f'{arch}.attention.layer_norm_rms_epsilon', F32, 1e-5), pair(f'{arch}.rope.dimension_count', U32, DIM // HEADS),
        pair('tokenizer.ggml.model', STRING, 'llama'), array('tokenizer.ggml.tokens', STRING, [t[0] for t in tokens]),
        array('tokenizer.ggml.scores', F32, [t[2] for t in tokens]), array('tokenizer.ggml.token_type', I32, [t[1] for t in tokens]),
        pair('tokenizer.ggml.bos_token_id', U32, 1), pair('tokenizer.ggml.eos_token_id', U32, 2),
        pair('tokenizer.ggml.unknown_token_id', U32, 0)]
    if chat_template is not None:
        pairs.append(pair('tokenizer.chat_template', STRING, chat_template))
    head = b'GGUF' + struct.pack('<IQQ', 3, len(shapes), len(pairs)) + b''.join(pairs)
    data = b''
    for name, shape in shapes:
        n = 1
        for d in shape:
            n *= d
        head += string(name) + struct.pack('<I', len(shape)) + b''.join(struct.pack('<Q', d) for d in shape)
        head += struct.pack('<IQ', 0, len(data))
        weights = [1.0] * n if len(shape) == 1 else [rng.gauss(0, 0.2) for _ in range(n)]
        data += struct.pack(f'<{n}f', *weights)
        data += bytes(-len(data) % 32)
    head += bytes(-len(head) % 32)
    with open(path, 'wb') as f:
        f.write(head + data)
    return len(tokens)


def write_adapter(path, seed, rank=4):
    """A LoRA of the feed-forward nets of the model that write() makes."""
    rng = random.Random(seed)
    pairs = [pair('general.architecture', STRING, 'llama'), pair('general.type', STRING, 'adapter'),
             pair('adapter.type', STRING, 'lora'), pair('adapter.lora.alpha', F32, 8.0)]
    names = [(f'blk.{i}.ffn_{part}.weight.lora_{half}', shape) for i in range(LAYERS) for part, n_in, n_out in
             (('up', DIM, FFN), ('down', FFN, DIM)) for half, shape in (('a', (n_in, rank)), ('b', (rank, n_out)))]
    head = b'GGUF' + struct.pack('<IQQ', 3, len(names), len(pairs)) + b''.join(pairs)
    data = b''
    for name, (n_cols, n_rows) in names:
        head += string(name) + struct.pack('<IQQIQ', 2, n_cols, n_rows, 0, len(data))
        data += struct.pack(f'<{n_cols * n_rows}f', *(rng.gauss(0, 0.4) for _ in range(n_cols * n_rows)))
        data += bytes(-len(data) % 32)
    with open(path, 'wb') as f:
        f.write(head + bytes(-len(head) % 32) + data)
