"""Small encoders and rerankers of every architecture, with random weights; see models.py.

    python3 encoder_models.py                     the names
    python3 encoder_models.py NAME FILE.gguf      writes one, always the same bytes
"""
import models
import vocabularies
from models import EMBD, FF, HEADS, HEAD, VOCAB, Model

CONTEXT = 2048
MEAN, CLS, LAST, RANK = 1, 2, 3, 4
PROMPT = ('<s>Judge whether the document answers the query.\n<query>{query}</query>\n<document>{document}</document>'
          '<|endoftext|>')


def encoder(arch, n_layers, pooling, **metadata):
    return Model(arch, n_layers, **{'context_length': CONTEXT, 'pooling_type': pooling, 'attention.causal': False,
                                    'attention.head_count_kv': HEADS, **metadata})


def labels(model, n=1, bias=True, inner=False, norm=False):
    """A head that scores the text."""
    if inner:
        model.linear('cls', EMBD, bias=bias)
    if norm:
        model.norm('cls.norm')
    model.linear('cls.output', n, bias=bias)
    model.key('classifier.output_labels', [f'label{i}' for i in range(n)])
    return model


def bert_layer(model, i, kind='plain', bias=True, fused=False):
    p = f'blk.{i}.'
    model.attention(i, bias=bias, fused=fused, out_bias=bias, kv_heads=HEADS, pre_norm=False)
    model.norm(p + 'attn_output_norm', bias=True)
    model.dense(i, kind=kind, bias=bias, norm=False)
    model.norm(p + 'layer_output_norm', bias=True)


def bert(pooling=CLS, vocabulary=vocabularies.wordpiece, n_types=2, same_types=False, arch='bert', **metadata):
    model = encoder(arch, 3, pooling, norm='layer', vocabulary=vocabulary, **metadata)
    model.add('token_embd.weight', VOCAB, EMBD, gain=.5)
    if arch == 'bert':
        model.add('position_embd.weight', CONTEXT, EMBD, gain=.5, fill='float')
    if n_types:
        model.add('token_types.weight', n_types, EMBD, gain=8, fill='same rows' if same_types else 'float')
    model.norm('token_embd_norm', bias=True)
    if arch == 'nomic-bert-moe':
        model.key('moe_every_n_layers', 2)
        model.key('expert_count', 4)
        model.key('expert_used_count', 2)
    for i in range(3):
        if arch == 'bert':
            bert_layer(model, i)
        elif arch == 'nomic-bert':
            bert_layer(model, i, kind='gated', bias=False, fused=True)
        elif i % 2 == 0:
            bert_layer(model, i, fused=True)
        else:
            p = f'blk.{i}.'
            model.attention(i, bias=True, fused=True, out_bias=True, kv_heads=HEADS, pre_norm=False)
            model.norm(p + 'attn_output_norm', bias=True)
            model.add(p + 'ffn_gate_inp.weight', 4, EMBD, fill='float', gain=6)
            model.add(p + 'ffn_up_exps.weight', 4, FF, EMBD)
            model.add(p + 'ffn_down_exps.weight', 4, EMBD, FF)
            model.norm(p + 'layer_output_norm', bias=True)
    return model


def xlm_roberta(pooling=CLS):
    return bert(pooling, vocabularies.unigram, n_types=1)


def nomic(arch='nomic-bert', vocabulary=vocabularies.wordpiece):
    return bert(MEAN, vocabulary, 2 if vocabulary is vocabularies.wordpiece else 1, arch=arch, **{'rope.freq_base': 1000.0})


def modern_bert(pooling=CLS, **metadata):
    model = encoder('modern-bert', 4, pooling, norm='layer', vocabulary=vocabularies.modern_bert,
                    **{'attention.sliding_window': 128, 'rope.freq_base': 160000.0, 'rope.freq_base_swa': 10000.0,
                       'rope.dimension_count': HEAD, **metadata})
    model.add('token_embd.weight', VOCAB, EMBD, gain=.5)
    model.norm('token_embd_norm')
    model.norm('output_norm')
    for i in range(4):
        model.attention(i, fused=True, kv_heads=HEADS, pre_norm=i > 0)
        model.dense(i, kind='fused')
    return model


def gemma_embedding(dense=False):
    model = Model('gemma-embedding', 7, vocabulary=vocabularies.spm,
                  **{'context_length': CONTEXT, 'pooling_type': MEAN, 'attention.key_length': HEAD,
                     'attention.value_length': HEAD, 'attention.sliding_window': 128, 'rope.freq_base': 1000000.0})
    model.add('token_embd.weight', VOCAB, EMBD, gain=.05)
    model.norm('output_norm')
    if dense:
        model.key('dense_2_feat_in', EMBD)
        model.key('dense_2_feat_out', 4 * EMBD)
        model.key('dense_3_feat_in', 4 * EMBD)
        model.key('dense_3_feat_out', EMBD)
        model.linear('dense_2', 4 * EMBD)
        model.linear('dense_3', EMBD, 4 * EMBD)
    for i in range(7):
        model.attention(i, qk_norm=True)
        model.dense(i)
        model.norm(f'blk.{i}.post_attention_norm')
        model.norm(f'blk.{i}.post_ffw_norm')
    return model


def decoder(recipe, pooling, **more):
    """A decoder that was trained on as an encoder or reranker."""
    model = recipe
    model.key('pooling_type', pooling)
    for key, value in more.items():
        model.entry(key, value)
    return model


def with_eos(n):
    return vocabularies.bpe(n, add_eos_token=True)


def qwen3(pooling=LAST):
    return decoder(models.qwen('qwen3', vocabulary=with_eos, context_length=CONTEXT), pooling)


def qwen3_reranker():
    model = labels(qwen3(RANK), 2, bias=False)
    model.entry('tokenizer.chat_template.rerank', PROMPT)
    return model


def llama_like(arch, layers):
    model = encoder(arch, 3, MEAN, vocabulary=with_eos, **{'rope.freq_base': 10000.0, 'rope.dimension_count': HEAD})
    model.add('token_embd.weight', VOCAB, EMBD, gain=.5)
    model.norm('enc.output_norm' if arch == 'neo-bert' else 'output_norm')
    for i in range(3):
        layers(model, i)
    return model


def eurobert_layer(model, i):
    model.attention(i, kv_heads=HEADS)
    model.dense(i)


def neo_bert_layer(model, i):
    model.attention(i, fused=True, kv_heads=HEADS)
    model.dense(i, kind='fused')


ENCODERS = {
    'bert-mean': lambda: bert(MEAN),
    'bert-cls': bert,
    'bert-last': lambda: bert(LAST),
    'bert-no-types': lambda: bert(MEAN, n_types=0),
    'xlm-roberta': xlm_roberta,
    'nomic-bert': nomic,
    'nomic-bert-moe': lambda: nomic('nomic-bert-moe', vocabularies.unigram),
    'modern-bert-cls': modern_bert,
    'modern-bert-mean': lambda: modern_bert(MEAN),
    'modern-bert-silu': lambda: modern_bert(hidden_activation='silu'),
    'neo-bert': lambda: llama_like('neo-bert', neo_bert_layer),
    'eurobert': lambda: llama_like('eurobert', eurobert_layer),
    'llama-embed': lambda: llama_like('llama-embed', eurobert_layer),
    'gemma-embedding': gemma_embedding,
    'gemma-embedding-dense': lambda: gemma_embedding(True),
    'qwen3-embedding': qwen3,
    'qwen3-mean': lambda: qwen3(MEAN),
    'llama-last': lambda: decoder(models.llama(vocabulary=with_eos, context_length=CONTEXT), LAST),
    'lfm2-mean': lambda: decoder(models.lfm2(), MEAN),
    'mamba-last': lambda: decoder(models.mamba(), LAST),
    'gemma3-last': lambda: decoder(models.gemma('gemma3', vocabulary=with_eos, context_length=CONTEXT), LAST),
}

def pairs(n):
    """With these switches llama.cpp writes a pair as BERT was trained: [CLS] query [SEP] passage [SEP]."""
    return {**vocabularies.wordpiece(n), 'add_eos_token': True, 'add_sep_token': False}


def bert_reranker(**head):
    """llama.cpp gives every token the type 0: only models whose types are all the same can be compared."""
    return labels(bert(RANK, pairs, same_types=True), **head)


RERANKERS = {
    'bert-reranker': lambda: bert_reranker(inner=True),
    'bert-direct-reranker': bert_reranker,
    'xlm-roberta-reranker': lambda: labels(xlm_roberta(RANK), inner=True),
    'modern-bert-reranker': lambda: labels(modern_bert(RANK), bias=False, inner=True, norm=True),
    'qwen3-reranker': qwen3_reranker,
}

if __name__ == '__main__':
    models.main({**ENCODERS, **RERANKERS})
