#!/usr/bin/env python3
"""Trains the model of main content in web pages (ingest/extract/html/block-model.h) and writes its table.

    html-train.py EVAL FEATURES TABLE.c     train on all pages and write the table
    html-train.py EVAL FEATURES             cross-validate: each page is scored by a model that saw no page of its site

EVAL is a folder of marked collections of pages (article-extraction, trafilatura, readability as they are published: bodies of
articles; segments that must and must not be kept; what a browser's reader mode keeps). FEATURES holds what
bench-html-features prints of them, a file each: a.json, t.json, r.json, and d.json of pages of manuals, of which everything is
content but what says of itself that it is navigation; their lists of links are kept by a rule and teach the model nothing. Only pages of the development halves are used.

The model: gradient boosting of small regression trees under logistic loss, on quantised features; no libraries but numpy. A
block's weight is its share of the words of its article, so that the sum is about what the measures count.
Captions and repetitions of the title are left out of training: whether they are kept is a decision, not a likelihood."""
import json, os, re, sys
from collections import Counter
from urllib.parse import urlparse
import numpy as np

N, BINS, TREES, DEPTH, RATE, L2, MIN_WEIGHT = 96, 48, 90, 5, 0.12, 8.0, 6.0
THRESHOLD = 0.0
words = lambda text: re.findall(r'\w+', text)
squeeze = lambda text: re.sub(r'\s+', ' ', text).strip()
def shingles(w, n): return Counter(tuple(w[i:i + n]) for i in range(max(1, len(w) - n + 1)) if w)

def load(eval_dir, features):
    """Pages: set, id, site, blocks (with label 0, 1 or None and a weight)."""
    def pages(name): return [json.loads(x) for x in open(f'{features}/{name}.json', errors='replace').read().split('\n\n') if x.strip()]
    out = []
    truth = json.load(open(f'{eval_dir}/article-extraction/ground-truth.json'))
    for p in pages('a'):
        p.update(set='a', id=os.path.basename(p['page'])[:-5]); p['truth'] = truth[p['id']]['articleBody']; p['site'] = urlparse(truth[p['id']]['url']).netloc
        out.append(p)
    for p in pages('r'):
        p.update(set='r', id=p['page'].split('/')[-2], site=p['page']); p['truth'] = open(os.path.dirname(p['page']) + '/expected.txt').read()
        out.append(p)
    segments = {r['id']: r for r in map(json.loads, open(f'{eval_dir}/trafilatura/pages.jsonl', encoding='utf-8'))}
    for p in pages('t'):
        p.update(set='t', id=os.path.basename(p['page'])[:-5]); s = p['segments'] = segments[p['id']]; p['site'] = urlparse(s['url']).netloc
        out.append(p)
    for p in pages('d'):
        p.update(set='d', id=p['page'], site=p['page']); out.append(p)
    for p in out: label(p)
    return out

def label(p):
    blocks = p['blocks']
    for b in blocks: b['y'], b['w'], b['words'] = None, 0., words(b['text'])
    if p['set'] in 'ar':
        w = words(p['truth']); n = max(len(w), 30); known = shingles(w, 3); text = ' ' + ' '.join(w) + ' '
        for b in blocks:
            own = shingles(b['words'], 3)
            if not b['words']: continue
            good = sum(x in known for x in own) / len(own) > .6 if len(b['words']) >= 3 else ' ' + ' '.join(b['words']) + ' ' in text
            if not good and (b['inside'] & 512 or (b['inside'] & 1024 and b['f'][89] > 0)): continue
            if p['set'] == 'r' and b['inside'] & 512: continue
            b['y'] = int(good); b['w'] = (min(100., 100. * len(b['words']) / n) + .15) * (1. if p['set'] == 'a' else .4)
    elif p['set'] == 't':
        texts = [squeeze(b['text']) for b in blocks]
        for want, key in ((1, 'with'), (0, 'without')):
            for s in map(squeeze, p['segments'][key]):
                hits = [i for i, t in enumerate(texts) if s and s in t]
                for i in hits: blocks[i]['y'] = want if blocks[i]['y'] in (None, want) else None; blocks[i]['w'] = 5. / len(hits)
    else:
        n = max(1, sum(len(b['words']) for b in blocks))
        for b in blocks: b['y'] = 0 if b['left_out'] else 1; b['w'] = (120. * len(b['words']) / n + .4) * (b['rule'] != 1 or b['f'][1] <= .5)

class Boost:
    def fit(self, X, y, w):
        self.edges = []
        for j in range(N):
            v = np.unique(X[:, j]); q = v[:-1] if len(v) <= BINS else np.unique(np.quantile(X[:, j], np.linspace(0, 1, BINS + 1)[1:-1]))
            self.edges.append(q[:BINS - 1])
        B = np.stack([np.searchsorted(self.edges[j], X[:, j], side='left') for j in range(N)], 1).astype(np.int32)
        self.base = float(np.log((w * y).sum() / (w * (1 - y)).sum())); score = np.full(len(y), self.base); self.trees = []
        flat = B + np.arange(N, dtype=np.int32) * BINS
        for _ in range(TREES):
            prob = 1 / (1 + np.exp(-score)); g = w * (y - prob); h = w * prob * (1 - prob)
            tree = []; step = np.zeros(len(y)); self._grow(tree, np.arange(len(y)), flat, B, g, h, 0, step)
            self.trees.append(tree); score += step
        return self
    def _grow(self, tree, rows, flat, B, g, h, depth, step):
        at = len(tree); G, H = g[rows].sum(), h[rows].sum(); value = RATE * G / (H + L2); tree.append(None)
        best = (1e-3, None)
        if depth < DEPTH and H > 2 * MIN_WEIGHT / 10:
            f = flat[rows].ravel()
            hg = np.bincount(f, np.repeat(g[rows], N), N * BINS).reshape(N, BINS).cumsum(1); hh = np.bincount(f, np.repeat(h[rows], N), N * BINS).reshape(N, BINS).cumsum(1)
            gain = hg ** 2 / (hh + L2) + (G - hg) ** 2 / (H - hh + L2) - G * G / (H + L2)
            gain[(hh < MIN_WEIGHT / 10) | (H - hh < MIN_WEIGHT / 10)] = 0
            j, k = divmod(int(gain.argmax()), BINS)
            if gain[j, k] > best[0] and k < len(self.edges[j]): best = (gain[j, k], (j, k))
        if not best[1]:
            tree[at] = (255, 0, value); step[rows] = value; return
        j, k = best[1]; left = B[rows, j] <= k
        self._grow(tree, rows[left], flat, B, g, h, depth + 1, step); right = len(tree)
        self._grow(tree, rows[~left], flat, B, g, h, depth + 1, step); tree[at] = (j, right - at, float(self.edges[j][k]))
    def predict(self, X):
        out = np.full(len(X), self.base)
        for tree in self.trees:
            node = np.zeros(len(X), int); feature, right, value = (np.array(c) for c in zip(*tree))
            for _ in range(DEPTH):
                f = feature[node]; inner = f != 255
                go = X[np.arange(len(X)), np.where(inner, f, 0)] <= value[node]
                node = np.where(inner, np.where(go, node + 1, node + right[node]), node)
            out += value[node]
        return out

def rows_of(pages):
    r = [(b['f'], b['y'], b['w']) for p in pages for b in p['blocks'] if b['y'] is not None]
    return np.array([x[0] for x in r], np.float32), np.array([x[1] for x in r], float), np.array([x[2] for x in r])

def score(pages, keep, name):
    for s in 'ar':
        P, R = [], []
        for p in pages:
            if p['set'] != s: continue
            a = shingles(words(' '.join(b['text'] for b in p['blocks'] if keep(p, b))), 4); t = shingles(words(p['truth']), 4); tp = sum((a & t).values())
            P.append(tp / max(1, sum(a.values()))); R.append(tp / max(1, sum(t.values())))
        if P: P, R = np.mean(P), np.mean(R); print(f'{name} {s}: F1 {2 * P * R / (P + R):.4f} P {P:.4f} R {R:.4f}')
    c = [0] * 4
    for p in pages:
        if p['set'] != 't': continue
        text = squeeze(' '.join(b['text'] for b in p['blocks'] if keep(p, b)))
        tp = sum(squeeze(x) in text for x in p['segments']['with']); fp = sum(squeeze(x) in text for x in p['segments']['without'])
        c[0] += tp; c[1] += fp; c[2] += len(p['segments']['with']) - tp
    print(f'{name} t: F {2 * c[0] / max(1, 2 * c[0] + c[1] + c[2]):.4f} P {c[0] / max(1, c[0] + c[1]):.4f} R {c[0] / max(1, c[0] + c[2]):.4f}')
    kept = sum(len(b['words']) for p in pages if p['set'] == 'd' for b in p['blocks'] if keep(p, b) and b['y']); all_ = sum(len(b['words']) for p in pages if p['set'] == 'd' for b in p['blocks'] if b['y'])
    print(f'{name} manuals: {kept / max(1, all_):.4f} of the words')

def write(model, path):
    with open(path, 'w') as out:
        out.write('/* Made by tests/bench/html-train.py; see there for what it was trained on. */\n#include "ingest/extract/html/block-model.h"\n\n/* clang-format off */\nconst BlockModelNode block_model_nodes[] = {\n')
        starts, n = [], 0; trees = [[(255, 0, model.base)]] + model.trees
        for tree in trees:
            starts.append(n); n += len(tree)
            line = ''
            for f, r, v in tree:
                item = '{%d,%d,%sf}, ' % (f, r, (lambda t: t if '.' in t or 'e' in t else t + '.')('%.7g' % v))
                if len(line) + len(item) > 118: out.write(line.rstrip() + '\n'); line = ''
                line += item
            out.write(line.rstrip() + '\n')
        out.write('};\n\nconst guint16 block_model_trees[] = {\n')
        for i in range(0, len(starts), 16): out.write('  ' + ' '.join(f'{s},' for s in starts[i:i + 16]) + '\n')
        out.write('};\n/* clang-format on */\n\nconst guint block_model_n_trees = G_N_ELEMENTS (block_model_trees);\n')

if __name__ == '__main__':
    pages = load(sys.argv[1], sys.argv[2])
    if len(sys.argv) > 3:
        write(Boost().fit(*rows_of(pages)), sys.argv[3]); sys.exit()
    score(pages, lambda p, b: not b['left_out'] and b['f'][3], 'without a model')
    fold = lambda p: sum(map(ord, p['site'].split('.')[-2] if '.' in p['site'] and '/' not in p['site'] else p['site'])) % 4
    for k in range(4):
        model = Boost().fit(*rows_of([p for p in pages if fold(p) != k]))
        for p in pages:
            if fold(p) == k and p['blocks']:
                for b, s in zip(p['blocks'], model.predict(np.array([b['f'] for b in p['blocks']], np.float32))): b['s'] = s
    for p in pages:
        for b in p['blocks']: b.pop('words_', None)
    if os.environ.get('OOF'): json.dump([{k: ([{'s': float(b['s']), 'f': b['f'], 'tag': b['tag'], 'text': b['text'], 'inside': b['inside'], 'y': b['y'], 'left_out': b['left_out'], 'rule': b['rule'], 'words': b['words']} for b in v] if k == 'blocks' else v) for k, v in p.items()} for p in pages], open(os.environ['OOF'], 'w'))
    for t in (-1.0, -.5, 0, .5): score(pages, lambda p, b: b['s'] > t if b['rule'] == 0 else b['rule'] == 1, f'out of fold, threshold {t}')
