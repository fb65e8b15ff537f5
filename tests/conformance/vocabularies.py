"""Small vocabularies of every kind, for the models of models.py and encoder_models.py: the keys of tokenizer.ggml."""
import random

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
LETTERS = [chr(c) for c in range(ord('a'), ord('z') + 1)]
SIGNS = list('0123456789.,?')
SPACE, BPE_SPACE = '\u2581', '\u0120'


def filled(tokens, n, space):
    return tokens + [f'{space}word{i}' for i in range(n - len(tokens))]


def bpe(n, **more):
    """Byte-level BPE of ASCII alone, as llama.cpp's server shows no step that ends inside a character."""
    # llama.cpp looks for these four in every phi3 file.
    tokens = ['<unk>', '<s>', '<|endoftext|>', '</s>', '\u010a', BPE_SPACE] + [chr(c) for c in range(33, 127)] + ['ab']
    return {'model': 'gpt2', 'pre': 'gpt-2', 'bos_token_id': 1, 'eos_token_id': 2, 'merges': ['a b'],
            'tokens': filled(tokens, n, BPE_SPACE), 'token_type': [CONTROL] * 4 + [NORMAL] * (n - 4), **more}


def modern_bert(n):
    return bpe(n, pre='modern-bert', seperator_token_id=2, cls_token_id=1, add_bos_token=True, add_eos_token=True)


def wordpiece(n):
    """BERT's: letters at the start of words and inside them."""
    tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] + [SPACE + c for c in LETTERS + SIGNS] + LETTERS + SIGNS
    return {'model': 'bert', 'pre': 'default', 'bos_token_id': 2, 'eos_token_id': 3, 'unknown_token_id': 1,
            'seperator_token_id': 3, 'padding_token_id': 0, 'cls_token_id': 2, 'mask_token_id': 4,
            'token_type_count': 2, 'tokens': filled(tokens, n, SPACE), 'token_type': [CONTROL] * 5 + [NORMAL] * (n - 5)}


def scores(n, first, seed):
    """Log-probabilities without ties, so that no two readings of a text are equally good."""
    source = random.Random(seed)
    return [0.0] * first + [-2 - 6 * source.random() for _ in range(n - first)]


def unigram(n):
    """XLM-RoBERTa's."""
    words = ['th', 'he', 'in', 'er', 'an', SPACE + 'th', SPACE + 'the', SPACE + 'of', 'ing', SPACE + 'a', SPACE + 'ma']
    tokens = ['<s>', '<pad>', '</s>', '<unk>', SPACE] + LETTERS + SIGNS + words
    return {'model': 't5', 'pre': 'default', 'bos_token_id': 0, 'eos_token_id': 2, 'unknown_token_id': 3,
            'seperator_token_id': 2, 'padding_token_id': 1, 'add_bos_token': True, 'add_eos_token': True,
            'add_sep_token': True, 'add_space_prefix': True, 'remove_extra_whitespaces': True, 'token_type_count': 1,
            'tokens': filled(tokens, n, SPACE), 'scores': scores(n, 4, 40),
            'token_type': [CONTROL] * 3 + [UNKNOWN] + [NORMAL] * (n - 4)}


def spm(n):
    """Gemma's: SentencePiece BPE with a token for each byte."""
    words = ['th', 'he', 'in', 'er', 'an', SPACE + 't', SPACE + 'th', SPACE + 'the', 'ing']
    tokens = ['<pad>', '<eos>', '<bos>', '<unk>'] + [f'<0x{i:02X}>' for i in range(256)] + [SPACE] + LETTERS + SIGNS + words
    kinds = [CONTROL] * 3 + [UNKNOWN] + [BYTE] * 256
    return {'model': 'llama', 'pre': 'default', 'bos_token_id': 2, 'eos_token_id': 1, 'unknown_token_id': 3,
            'padding_token_id': 0, 'add_bos_token': True, 'add_eos_token': True, 'add_space_prefix': False,
            'tokens': filled(tokens, n, SPACE), 'scores': scores(n, 260, 50), 'token_type': kinds + [NORMAL] * (n - 260)}
