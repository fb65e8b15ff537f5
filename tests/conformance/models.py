"""Small decoders of every architecture, with random weights: what two engines compute for one of these is the same or one
of them has the arithmetic wrong.

    python3 models.py                     the names (encoder_models.py: those of encoders and rerankers)
    python3 models.py NAME FILE.gguf      writes one, always the same bytes
    python3 models.py --tiny NAME FILE.gguf      a few kilobytes: a seed for fuzzing

A recipe is a function that adds metadata and tensors to a Model. Sizes are the least that every quantised type can hold
(rows of 256) and that still have grouped heads, several layers of each kind, and prompts beyond every window. Nothing
but Python's standard library is needed. Names of keys and tensors are those of llama.cpp's converter.
"""
import argparse
import random
import struct

import vocabularies

U32, F32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9
EMBD, FF, HEADS, KV_HEADS, HEAD, VOCAB, CONTEXT = 256, 512, 4, 2, 64, 512, 4096
NOISE = 1 << 16


def text_bytes(text):
    encoded = text.encode()
    return struct.pack('<Q', len(encoded)) + encoded


def value_bytes(value):
    if isinstance(value, bool):
        return BOOL, struct.pack('<?', value)
    if isinstance(value, int):
        return U32, struct.pack('<I', value)
    if isinstance(value, float):
        return F32, struct.pack('<f', value)
    if isinstance(value, str):
        return STRING, text_bytes(value)
    kinds = [value_bytes(item) for item in value]
    return ARRAY, struct.pack('<IQ', kinds[0][0], len(kinds)) + b''.join(data for _, data in kinds)


class Model:
    """A GGUF in the making. Tensor shapes are given rows first."""

    def __init__(self, arch, n_layers, norm='rms', vocabulary=vocabularies.bpe, **metadata):
        self.arch, self.n_layers, self.tensors, self.entries = arch, n_layers, [], []
        self.entry('general.architecture', arch)
        self.entry('general.name', f'random {arch}')
        self.entry('general.file_type', 1)
        epsilon = 'attention.layer_norm_rms_epsilon' if norm == 'rms' else 'attention.layer_norm_epsilon'
        for key, value in {'block_count': n_layers, 'context_length': CONTEXT, 'embedding_length': EMBD,
                           'feed_forward_length': FF, 'attention.head_count': HEADS, 'attention.head_count_kv': KV_HEADS,
                           'vocab_size': VOCAB, epsilon: 1e-5, **metadata}.items():
            if value is not None:
                self.key(key, value)
        self.vocabulary(vocabulary(VOCAB))

    def vocabulary(self, head):
        """Keys of tokenizer.ggml; token kinds are written with the converter's signedness."""
        kinds = head.pop('token_type')
        for key, value in head.items():
            self.entry('tokenizer.ggml.' + key, value)
        self.entries.append(text_bytes('tokenizer.ggml.token_type') + struct.pack('<IIQ', ARRAY, 5, VOCAB)
                            + b''.join(struct.pack('<i', kind) for kind in kinds))

    def entry(self, key, value):
        kind, data = value_bytes(value)
        self.entries.append(text_bytes(key) + struct.pack('<I', kind) + data)

    def key(self, key, value):
        self.entry(f'{self.arch}.{key}', value)

    def add(self, name, *shape, fill='matrix', gain=1.0):
        self.tensors.append((name, shape, fill, gain))

    def norm(self, name, size=None, bias=False):
        size = size or EMBD
        self.add(name + '.weight', size, fill='norm')
        if bias:
            self.add(name + '.bias', size, fill='bias')

    def linear(self, name, n_out, n_in=None, bias=False):
        self.add(name + '.weight', n_out, n_in or EMBD)
        if bias:
            self.add(name + '.bias', n_out, fill='bias')

    # ---- parts of a layer ----

    def embeddings(self, tied=False, norm_bias=False, last_norm='output_norm'):
        # Tied: small, so that a token does not just predict itself.
        self.add('token_embd.weight', VOCAB, EMBD, gain=.05 if tied else .5)
        if last_norm:
            self.norm(last_norm, bias=norm_bias)
        if not tied:
            self.add('output.weight', VOCAB, EMBD, gain=1.5)

    def attention(self, i, bias=False, fused=False, qk_norm=False, out_bias=False, kv_heads=None, norm_bias=False,
                  pre_norm=True):
        p, kv_heads = f'blk.{i}.', kv_heads or KV_HEADS
        if pre_norm:
            self.norm(p + 'attn_norm', bias=norm_bias)
        if fused:
            self.linear(p + 'attn_qkv', (HEADS + 2 * kv_heads) * HEAD, bias=bias)
        else:
            for letter, n in ('q', HEADS), ('k', kv_heads), ('v', kv_heads):
                self.linear(p + f'attn_{letter}', n * HEAD, bias=bias)
        if qk_norm:
            self.norm(p + 'attn_q_norm', HEAD)
            self.norm(p + 'attn_k_norm', HEAD)
        self.linear(p + 'attn_output', EMBD, HEADS * HEAD, bias=out_bias)

    def dense(self, i, kind='gated', bias=False, norm=True, norm_bias=False):
        p = f'blk.{i}.'
        if norm:
            self.norm(p + 'ffn_norm', bias=norm_bias)
        if kind == 'gated':
            self.linear(p + 'ffn_gate', FF)
        self.linear(p + 'ffn_up', 2 * FF if kind == 'fused' else FF, bias=bias)
        self.linear(p + 'ffn_down', EMBD, FF, bias=bias)

    def experts(self, i, n, ff):
        p = f'blk.{i}.'
        self.norm(p + 'ffn_norm')
        # Steeper than others, so that rounding seldom decides which expert is the last one chosen.
        self.add(p + 'ffn_gate_inp.weight', n, EMBD, fill='float', gain=4)
        self.add(p + 'ffn_gate_exps.weight', n, ff, EMBD)
        self.add(p + 'ffn_up_exps.weight', n, ff, EMBD)
        self.add(p + 'ffn_down_exps.weight', n, EMBD, ff)

    # ---- the file ----

    def write(self, path):
        noise_source = random.Random(20)
        noise = [noise_source.gauss(0, 1) for _ in range(NOISE)]
        rotation = random.Random(30)
        head, offset = b'', 0
        for name, shape, fill, _ in self.tensors:
            half = fill == 'matrix'
            n = 1
            for size in shape:
                n *= size
            head += text_bytes(name) + struct.pack('<I', len(shape)) + b''.join(struct.pack('<Q', s) for s in reversed(shape))
            head += struct.pack('<IQ', 1 if half else 0, offset)
            offset += (n * (2 if half else 4) + 31) // 32 * 32
        with open(path, 'wb') as file:
            file.write(b'GGUF' + struct.pack('<IQQ', 3, len(self.tensors), len(self.entries)) + b''.join(self.entries) + head)
            file.write(b'\0' * (-file.tell() % 32))
            for name, shape, fill, gain in self.tensors:
                n = 1
                for size in shape:
                    n *= size
                scale = gain * (1 if 'embd' in name else shape[-1] ** -.5)
                done, start = 0, None
                while done < n:
                    if start is None or fill != 'same rows':
                        start = rotation.randrange(NOISE - shape[-1]) if fill == 'same rows' else rotation.randrange(NOISE)
                    piece = noise[start:start + (shape[-1] if fill == 'same rows' else n - done)]
                    done += len(piece)
                    values = [FILLS[fill](x, scale) for x in piece]
                    file.write(struct.pack(f'<{len(values)}{"e" if fill == "matrix" else "f"}', *values))
                file.write(b'\0' * (-file.tell() % 32))


FILLS = {
    'matrix': lambda x, scale: x * scale,
    'same rows': lambda x, scale: x * scale,
    'float': lambda x, scale: x * scale,
    'norm': lambda x, scale: 1 + .1 * x,
    'bias': lambda x, scale: .1 * x,
    'factors': lambda x, scale: 2.5 + .5 * x,
    'taps': lambda x, scale: .5 * x,
    'decay': lambda x, scale: -(.3 + abs(x)),
}


# ---- decoders ------------------------------------------------------------------------------------------------


def llama(arch='llama', tied=False, experts=0, n_layers=3, **metadata):
    model = Model(arch, n_layers, **{'rope.dimension_count': HEAD, 'rope.freq_base': 10000.0, **metadata})
    if experts:
        model.key('expert_count', experts)
        model.key('expert_used_count', 2)
    model.embeddings(tied)
    for i in range(n_layers):
        model.attention(i)
        model.experts(i, experts, FF) if experts else model.dense(i)
    return model


def llama3():
    model = llama(tied=True, **{'rope.freq_base': 500000.0})
    model.add('rope_freqs.weight', HEAD // 2, fill='factors')
    return model


def yarn(**more):
    return llama(**{'rope.scaling.type': 'yarn', 'rope.scaling.factor': 4.0,
                    'rope.scaling.original_context_length': 256, **more})


def mistral3():
    return llama('mistral3', **{'rope.scaling.type': 'yarn', 'rope.scaling.factor': 16.0, 'rope.freq_base': 1000000.0,
                                'rope.scaling.original_context_length': 256, 'rope.scaling.yarn_beta_fast': 32.0,
                                'rope.scaling.yarn_beta_slow': 1.0, 'rope.scaling.yarn_log_multiplier': 1.0,
                                'attention.temperature_scale': .1, 'attention.key_length': HEAD,
                                'attention.value_length': HEAD})


def granite(arch='granite', experts=0):
    return llama(arch, experts=experts, embedding_scale=12.0, residual_scale=.22, logit_scale=8.0,
                 **{'attention.scale': 1 / 64})


def qwen(arch, **metadata):
    model = Model(arch, 3, **{'rope.freq_base': 1000000.0, 'attention.key_length': HEAD, 'attention.value_length': HEAD,
                              **metadata})
    model.embeddings(tied=arch == 'qwen2')
    for i in range(3):
        model.attention(i, bias=arch.startswith('qwen2'), qk_norm=arch.startswith('qwen3'))
        if not arch.endswith('moe'):
            model.dense(i)
            continue
        model.experts(i, 8, EMBD)
        if arch == 'qwen2moe':
            p = f'blk.{i}.'
            model.add(p + 'ffn_gate_inp_shexp.weight', EMBD, fill='float')
            model.linear(p + 'ffn_gate_shexp', FF)
            model.linear(p + 'ffn_up_shexp', FF)
            model.linear(p + 'ffn_down_shexp', EMBD, FF)
    return model


def qwen_moe(arch):
    more = {'expert_shared_feed_forward_length': FF} if arch == 'qwen2moe' else {}
    return qwen(arch, expert_count=8, expert_used_count=3, expert_feed_forward_length=EMBD, **more)


def phi2():
    model = Model('phi2', 3, norm='layer', **{'rope.dimension_count': HEAD // 2, 'attention.head_count_kv': HEADS})
    model.embeddings(norm_bias=True)
    model.add('output.bias', VOCAB, fill='bias')
    for i in range(3):
        model.attention(i, bias=True, fused=True, out_bias=True, kv_heads=HEADS, norm_bias=True)
        model.dense(i, kind='plain', bias=True, norm=False)
    return model


def phi3(long=False, **metadata):
    rotary = HEAD * 3 // 4
    model = Model('phi3', 3, **{'rope.dimension_count': rotary, 'rope.scaling.original_context_length': CONTEXT,
                                'rope.freq_base': 10000.0, **metadata})
    if long:
        model.add('rope_factors_long.weight', rotary // 2, fill='factors')
        model.add('rope_factors_short.weight', rotary // 2, fill='norm')
    model.embeddings(tied=long)
    for i in range(3):
        model.attention(i, fused=True)
        model.dense(i, kind='fused')
    return model


def long_rope(original):
    return phi3(True, **{'rope.scaling.original_context_length': original, 'rope.scaling.attn_factor': 1.19})


def gemma(arch, **metadata):
    n_layers = {'gemma': 3, 'gemma2': 4, 'gemma3': 7}[arch]
    model = Model(arch, n_layers, **{'attention.key_length': HEAD, 'attention.value_length': HEAD, **metadata})
    if arch != 'gemma':
        model.key('attention.sliding_window', 64)
    if arch == 'gemma2':
        model.key('attn_logit_softcapping', 50.0)
        model.key('final_logit_softcapping', 30.0)
    if arch == 'gemma3':
        model.key('rope.freq_base', 1000000.0)
        model.key('rope.scaling.type', 'linear')
        model.key('rope.scaling.factor', 8.0)
    model.embeddings(tied=True)
    for i in range(n_layers):
        model.attention(i, qk_norm=arch == 'gemma3')
        model.dense(i)
        if arch != 'gemma':
            model.norm(f'blk.{i}.post_attention_norm')
            model.norm(f'blk.{i}.post_ffw_norm')
    return model


def stablelm(parallel=False):
    model = Model('stablelm', 3, norm='layer', use_parallel_residual=parallel, **{'rope.dimension_count': HEAD // 4})
    model.embeddings(norm_bias=True)
    for i in range(3):
        model.attention(i, bias=not parallel, norm_bias=True)
        if parallel:  # StableLM 2 12B
            model.add(f'blk.{i}.attn_q_norm.weight', HEADS, HEAD, fill='norm')
            model.add(f'blk.{i}.attn_k_norm.weight', KV_HEADS, HEAD, fill='norm')
        model.dense(i, norm=not parallel, norm_bias=True)
    return model


def lfm2():
    kv_heads = [0, KV_HEADS, 0, 0, KV_HEADS]
    model = Model('lfm2', len(kv_heads), **{'attention.head_count_kv': kv_heads, 'shortconv.l_cache': 3,
                                            'rope.freq_base': 1000000.0})
    model.embeddings(tied=True, last_norm='token_embd_norm')
    for i, n in enumerate(kv_heads):
        p = f'blk.{i}.'
        if n:
            model.attention(i, qk_norm=True)
        else:
            model.norm(p + 'attn_norm')
            model.linear(p + 'shortconv.in_proj', 3 * EMBD)
            model.add(p + 'shortconv.conv.weight', EMBD, 3, fill='taps')
            model.linear(p + 'shortconv.out_proj', EMBD)
        model.dense(i)
    return model


def mamba(norms=False):
    inner, state, dt, taps = 2 * EMBD, 16, EMBD // 8, 4
    model = Model('mamba', 3, **{'attention.head_count': 0, 'attention.head_count_kv': None, 'feed_forward_length': 0,
                                 'ssm.conv_kernel': taps, 'ssm.inner_size': inner, 'ssm.state_size': state,
                                 'ssm.time_step_rank': dt})
    if norms:
        model.key('ssm.dt_b_c_rms', True)
    model.embeddings(tied=True)
    for i in range(3):
        p = f'blk.{i}.'
        model.norm(p + 'attn_norm')
        model.linear(p + 'ssm_in', 2 * inner)
        model.add(p + 'ssm_conv1d.weight', inner, taps, fill='taps')
        model.add(p + 'ssm_conv1d.bias', inner, fill='bias')
        model.linear(p + 'ssm_x', dt + 2 * state, inner)
        model.linear(p + 'ssm_dt', inner, dt)
        model.add(p + 'ssm_dt.bias', inner, fill='bias')
        model.add(p + 'ssm_a', inner, state, fill='decay')
        model.add(p + 'ssm_d', inner, fill='norm')
        model.linear(p + 'ssm_out', EMBD, inner)
    return model


DECODERS = {
    'llama': llama,
    'llama3': llama3,
    'llama-tied': lambda: llama(tied=True),
    'llama-linear': lambda: llama(**{'rope.scaling.type': 'linear', 'rope.scaling.factor': 4.0}),
    'llama-yarn': yarn,
    'mixtral': lambda: llama(experts=4),
    'mistral3': mistral3,
    'smollm3': lambda: llama('smollm3', tied=True, n_layers=5),
    'granite': granite,
    'granitemoe': lambda: granite('granitemoe', experts=8),
    'qwen2': lambda: qwen('qwen2'),
    'qwen2moe': lambda: qwen_moe('qwen2moe'),
    'qwen3': lambda: qwen('qwen3'),
    'qwen3moe': lambda: qwen_moe('qwen3moe'),
    'phi2': phi2,
    'phi3': phi3,
    'phi3-short': lambda: long_rope(CONTEXT),
    'phi3-long': lambda: long_rope(256),
    'gemma': lambda: gemma('gemma'),
    'gemma2': lambda: gemma('gemma2'),
    'gemma3': lambda: gemma('gemma3'),
    'stablelm': stablelm,
    'stablelm-parallel': lambda: stablelm(True),
    'lfm2': lfm2,
    'mamba': mamba,
    'mamba-norms': lambda: mamba(True),
}


def main(recipes):
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--tiny', action='store_true')
    parser.add_argument('name', nargs='?', choices=recipes)
    parser.add_argument('file', nargs='?')
    arguments = parser.parse_args()
    if arguments.tiny and recipes is not DECODERS:
        parser.error('--tiny is for decoders')
    if arguments.tiny:
        globals().update(EMBD=16, FF=16, HEADS=2, KV_HEADS=1, HEAD=8, VOCAB=112, CONTEXT=64)
    if arguments.name is None:
        print('\n'.join(recipes))
    elif arguments.file is None:
        parser.error('a file to write is needed')
    else:
        recipes[arguments.name]().write(arguments.file)


if __name__ == '__main__':
    main(DECODERS)
