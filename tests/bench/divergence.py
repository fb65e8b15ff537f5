#!/usr/bin/env python3
"""How far the engine's next-token distributions are from llama.cpp's, over the prefixes of a text.

  divergence.py LECTERNCTL MODEL.gguf TEXT.txt [-n 64] [--llama-root DIR]

llama.cpp (llama-server and llama-quantize in the Debian root DIR, default $LLAMA_ROOT) computes the model as it is, and once
more dequantised to F32: there nothing is rounded, so that is the truth. Prints for each pair the mean and the largest KL
divergence, the largest difference of the twenty best log-probabilities, and how often both have the same best token. Needs
chroot's rights. Divergence is over the thousand best tokens; all others count as one.
"""
import argparse, json, math, os, random, shutil, subprocess, tempfile, time, urllib.request

TOP = 1000


def ask(port, path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f'http://127.0.0.1:{port}{path}', data, {'Content-Type': 'application/json'})
    return json.load(urllib.request.urlopen(request, timeout=300))


def ask_llama(root, model, prefixes):
    port = random.randint(20000, 60000)
    server = subprocess.Popen(['chroot', root, 'llama-server', '-m', model, '--host', '127.0.0.1', '--port', str(port), '-c', '2048',
                               '-t', '2', '--no-webui', '--offline', '-np', '1', '-fa', 'off', '-ctk', 'f32', '-ctv', 'f32',
                               '--no-repack', '--cache-ram', '0'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            if server.poll() is not None:
                raise SystemExit('llama-server stopped')
            try:
                if ask(port, '/health').get('status') == 'ok':
                    break
            except OSError:
                time.sleep(0.1)
        steps = [ask(port, '/completion', {'prompt': p, 'n_predict': 1, 'temperature': 0, 'n_probs': TOP, 'cache_prompt': False,
                                           'ignore_eos': True, 'samplers': ['temperature']}) for p in prefixes]
        return [{t['id']: t['logprob'] for t in s['completion_probabilities'][0]['top_logprobs']} for s in steps]
    finally:
        server.terminate()
        server.wait()


def ask_lectern(program, model, prefixes, *options):
    steps = []
    for prefix in prefixes:
        out = subprocess.run([program, 'engine', 'generate', '--model', model, '--prompt-tokens', ','.join(map(str, prefix)), '-n', '1',
                              '--ignore-eos', '--top', str(TOP), '--json', *options], check=True, capture_output=True).stdout
        steps.append({i: p for i, p in json.loads(out)['steps'][0]['top']})
    return steps


def compare(name, ours, theirs):
    divergences, worst, same = [], 0, 0
    for p, q in zip(theirs, ours):
        both = p.keys() & q.keys()
        rest_p, rest_q = (1 - sum(math.exp(r[t]) for t in both) for r in (p, q))
        divergence = sum(math.exp(p[t]) * (p[t] - q[t]) for t in both)
        if rest_p > 1e-9 and rest_q > 1e-9:
            divergence += rest_p * math.log(rest_p / rest_q)
        divergences.append(divergence)
        worst = max([worst] + [abs(p[t] - q[t]) for t in sorted(p, key=p.get)[-20:] if t in q])
        same += max(p, key=p.get) == max(q, key=q.get)
    n = len(divergences)
    print(f'{name}\t{sum(divergences) / n:.2e}\t{max(divergences):.2e}\t{worst:.4f}\t{same} of {n}', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('lecternctl'); parser.add_argument('model'); parser.add_argument('text')
    parser.add_argument('-n', type=int, default=64); parser.add_argument('--llama-root', default=os.environ.get('LLAMA_ROOT'))
    a = parser.parse_args()
    text = open(a.text, 'rb').read()
    ids = json.loads(subprocess.run([a.lecternctl, 'engine', 'tokenize', '--model', a.model, '--special', '--json', '-'], input=text,
                                    check=True, capture_output=True).stdout)['tokens']
    prefixes = [ids[:8 + 2 * i] for i in range(a.n)]
    if len(ids) < 8 + 2 * a.n:
        raise SystemExit(f'The text has {len(ids)} tokens; {8 + 2 * a.n} are needed.')
    with tempfile.TemporaryDirectory(dir=os.path.join(a.llama_root, 'tmp')) as folder:
        os.chmod(folder, 0o755)
        shutil.copy(a.model, os.path.join(folder, 'model.gguf'))
        inside = '/tmp/' + os.path.basename(folder)
        subprocess.run(['chroot', a.llama_root, 'llama-quantize', '--allow-requantize', inside + '/model.gguf', inside + '/f32.gguf', 'F32'],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        truth, llama = (ask_llama(a.llama_root, f'{inside}/{m}.gguf', prefixes) for m in ('f32', 'model'))
    exact, default = (ask_lectern(a.lecternctl, a.model, prefixes, *o) for o in (['--exact'], []))
    print('pair\tmean KL\tlargest KL\tlargest difference\tsame best')
    compare('--exact from F32', exact, truth)
    compare('default from F32', default, truth)
    compare('llama.cpp from F32', llama, truth)
    compare('default from llama.cpp', default, llama)


if __name__ == '__main__':
    main()
