"""The measurements of real-input.sh, which says what they need."""
import collections
import datetime
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

CTL = os.path.abspath(sys.argv[1])
ROUNDS = int(os.environ.get('REAL_INPUT_ROUNDS', '2'))
MACHINE = os.environ.get('REAL_INPUT_MACHINE', '2-core EPYC (Zen 3), AVX2, shared')
OCTAVE = '/usr/share/doc/octave/octave.pdf'
POSTGRESQL = '/usr/share/doc/postgresql-doc-15/html'
TEX = ['/usr/share/doc/texlive-doc', '/usr/share/texlive']
N_MIXED, N_QUERIES = 100, 200


def say(text):
    print(text, file=sys.stderr, flush=True)


def row(what, ours, rival='', ratio=''):
    today = datetime.date.today().isoformat()
    print(f'| {what} | {MACHINE} | {today} | {ours} | {rival} | {ratio} |', flush=True)


def mixed_pdfs():
    """A hundred, spread over all packages: the smallest MD5 sums of their names, each name once."""
    found = {}
    for top in TEX:
        for folder, _, names in sorted(os.walk(top)):
            for name in sorted(names):
                if name.endswith('.pdf'):
                    found.setdefault(hashlib.md5(name.encode()).hexdigest(), os.path.join(folder, name))
    return [found[key] for key in sorted(found)][:N_MIXED]


def run(*command, ok=(0,)):
    """CPU seconds of the command with all its children, the largest peak memory of one of them in MB, and its output."""
    code = ('import json, resource, subprocess, sys\n'
            'done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)\n'
            'used = resource.getrusage(resource.RUSAGE_CHILDREN)\n'
            'sys.stdout.buffer.write(done.stdout)\n'
            'print("\\n", json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, done.returncode]), end="")\n')
    done = subprocess.run([sys.executable, '-c', code, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    out, last = done.stdout.rsplit(b'\n', 1)
    cpu, peak, status = json.loads(last)
    assert status in ok, (command[:4], status, done.stderr.decode(errors='replace')[-400:])
    return cpu, peak, out


def add(library, paths):
    # Exit status 1: one of the named files has no text; the report says which.
    cpu, peak, out = run(CTL, '--library', library, '--json', 'add', *paths, ok=(0, 1))
    return cpu, peak, json.loads(out)


def measure_cpu(top, what, pdfs):
    ours, theirs, seconds, peak = [], [], [], 0
    for n in range(ROUNDS):
        theirs.append(sum(run('pdftotext', path, '/dev/null', ok=(0, 1, 3))[0] for path in pdfs))
        library = os.path.join(top, f'cpu-{n}')
        cpu, peak, report = add(library, pdfs)
        ours.append(cpu)
        seconds.append(report['seconds'])
        shutil.rmtree(library)
        say(f'{what}: add {cpu:.2f} s, pdftotext {theirs[-1]:.2f} s of CPU')
    row(f'CPU of `add`, {what}, s (rival: pdftotext; goal: at most 2)', f'{min(ours):.2f}', f'{min(theirs):.2f}',
        f'{min(ours) / min(theirs):.2f}')
    row(f'`add`, {what}, wall clock, s', f'{min(seconds):.1f}')
    return peak


def measure_search(library):
    rng = random.Random(7)
    documents = json.loads(run(CTL, '--library', library, '--json', 'list')[2])
    titles = sorted({d['title'] for d in documents if d['title'] and d['status'] == 'indexed'})
    headings = set()
    for d in documents:
        if d['path'] == OCTAVE or (d['type'] == 'pdf' and d['status'] == 'indexed' and rng.random() < 0.15):
            blocks = json.loads(run(CTL, '--json', 'extract', d['path'])[2])['blocks']
            headings |= {b['text'] for b in blocks if b['kind'] == 'heading' and 8 < len(b['text']) < 90}
    rng.shuffle(titles)
    headings = sorted(headings)
    rng.shuffle(headings)
    half = N_QUERIES // 2
    queries = titles[:half] + headings[:half]
    took, used, empty = [], [], 0
    for query in queries:
        cpu, _, out = run(CTL, '--library', library, '--json', 'search', '--', query)
        found = json.loads(out)
        used.append(1000 * cpu)
        took.append(found['took_ms'])
        empty += not found['results']
    (p50, p95), (cpu_p50, cpu_p95) = ((v[len(v) // 2], v[int(len(v) * 0.95)]) for v in (sorted(took), sorted(used)))
    row(f'search p50, ms ({len(queries)} titles and headings as queries, a process each)', f'{p50:.1f}')
    row('search p95, ms (the same; goal 30)', f'{p95:.1f}', 30, f'{p95 / 30:.2f}')
    row('CPU of the whole `search` process, p50 / p95, ms', f'{cpu_p50:.1f} / {cpu_p95:.1f}')
    row('queries of these without a result', empty, 0)


def main():
    inputs = [p for p in (OCTAVE, POSTGRESQL) if os.path.exists(p)]
    mixed = mixed_pdfs()
    for path, there in (OCTAVE, os.path.exists(OCTAVE)), (POSTGRESQL, os.path.exists(POSTGRESQL)), (TEX[0], mixed):
        if not there:
            say(f'{path}: absent, left out')
    if not inputs + mixed:
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix='lectern-real-') as top:
        if os.path.exists(OCTAVE):
            peak = measure_cpu(top, 'octave.pdf (1 158 pages)', [OCTAVE])
            row('peak memory of the largest process, octave.pdf, MB (goal 300)', f'{peak:.0f}', 300, f'{peak / 300:.2f}')
        if mixed:
            measure_cpu(top, f'{len(mixed)} mixed PDFs', mixed)
        library = os.environ.get('REAL_INPUT_KEEP') or os.path.join(top, 'library')
        cpu, peak, report = add(library, inputs + mixed)
        statuses = collections.Counter(d['status'] for d in report['documents'])
        row('all in one library: ' + ', '.join(f'{n} {s}' for s, n in statuses.most_common()), f'{cpu:.1f} s CPU')
        for d in report['documents']:
            if d['status'] not in ('indexed', 'unchanged'):
                assert d['error'], d
                say(f'{d["status"]}: {d["path"]}: {d["error"]}')
        status = json.loads(run(CTL, '--library', library, '--json', 'status', '--check')[2])
        assert status['health'] == 'ok', status
        row(f'library.db per byte of text ({status["chunks"]} passages, {status["text_bytes"] / 1e6:.1f} MB of text)',
            f'{status["database_bytes"] / status["text_bytes"]:.2f}')
        measure_search(library)


main()
