#!/usr/bin/env python3
"""recoll.py LECTERNCTL [ROUNDS]: indexing speed against recollindex and pdftotext, in turn, on the same files.

The PDFs are the smallest 300 above 20 kB of Debian's TeX Live documentation, the pages those of postgresql-doc-15. Needs
recollcmd, poppler-utils, texlive-latex-base-doc, texlive-pictures-doc and postgresql-doc-15. Writes rows for results.md: least
wall clock and least CPU time (all children counted) of the rounds."""
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

PAGES = '/usr/share/doc/postgresql-doc-15/html'


def pdfs():
    found = []
    for root in '/usr/share/doc/texlive-doc', '/usr/share/texlive/texmf-dist/doc', '/usr/share/texmf-dist/doc':
        for folder, _, names in os.walk(os.path.realpath(root)):
            found += [os.path.join(folder, name) for name in names if name.endswith('.pdf')]
    found = sorted({os.path.realpath(path) for path in found}, key=lambda path: (os.path.getsize(path), path))
    return [path for path in found if os.path.getsize(path) > 20000][:300]


def timed(command, env=None):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, check=False)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def lectern(program, folder, work):
    shutil.rmtree(f'{work}/library', ignore_errors=True)
    return timed([program, '--library', f'{work}/library', 'add', '--no-ocr', folder])


def recoll(folder, work):
    shutil.rmtree(f'{work}/recoll', ignore_errors=True)
    os.makedirs(f'{work}/recoll')
    with open(f'{work}/recoll/recoll.conf', 'w') as out:
        out.write(f'topdirs = {folder}\nfollowLinks = 1\n')
    return timed(['recollindex', '-c', f'{work}/recoll', '-z'], {**os.environ, 'HOME': work})


def pdftotext(folder, work):
    files = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    script = f'for f in {folder}/*.pdf; do pdftotext "$f" {work}/out.txt; done'
    return timed(['sh', '-c', script]) if files and files[0].endswith('.pdf') else None


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as work:
        os.makedirs(f'{work}/pdfs')
        for n, path in enumerate(pdfs()):
            shutil.copy(path, f'{work}/pdfs/{n:03}-{os.path.basename(path)}')
        shutil.copytree(PAGES, f'{work}/pages')
        for what in 'pdfs', 'pages':
            folder = f'{work}/{what}'
            results = {'lectern': [], 'recollindex': [], 'pdftotext': []}
            for _ in range(rounds):
                results['lectern'].append(lectern(program, folder, work))
                results['recollindex'].append(recoll(folder, work))
                results['pdftotext'].append(pdftotext(folder, work))
            n = len(os.listdir(folder))
            for name, values in results.items():
                if values[0]:
                    print(f'{what} ({n}): {name}: wall {min(v[0] for v in values):.2f} s, CPU {min(v[1] for v in values):.2f} s',
                          flush=True)


if __name__ == '__main__':
    main()
