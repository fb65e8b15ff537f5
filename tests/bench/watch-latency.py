#!/usr/bin/env python3
"""How soon a change can be found: the time from the end of a write to the first search that finds it, for N changes.

watch-latency.py LECTERNCTL [N]    (a fresh library and folder; searches are "lecternctl search", and their time counts)"""
import os
import statistics
import subprocess
import sys
import tempfile
import time

ctl = os.path.abspath(sys.argv[1])
n = int(sys.argv[2]) if len(sys.argv) > 2 else 50

with tempfile.TemporaryDirectory(prefix='lectern-latency-') as top:
    library, docs = os.path.join(top, 'library'), os.path.join(top, 'docs')
    os.mkdir(docs)
    env = dict(os.environ, XDG_RUNTIME_DIR=top, DBUS_SESSION_BUS_ADDRESS='unix:path=/nonexistent')

    def run(*arguments):
        return subprocess.run([ctl, *arguments, '--library', library], env=env, capture_output=True, text=True, check=False).stdout

    for i in range(200):
        with open(os.path.join(docs, f'{i}.html'), 'w', encoding='utf-8') as f:
            f.write(f'<html><body><h1>Page {i}</h1>' + f'<p>Words about machine {i} and its parts, in a sentence of its own.</p>' * 40)
    run('watch', 'add', docs)
    service = subprocess.Popen([ctl, 'watch', 'run', '--library', library], env=env, stdout=subprocess.DEVNULL)
    try:
        while 'idle' not in (status := run('watch', 'status')) or 'Documents  200' not in status:
            time.sleep(0.2)
        seconds = []
        for i in range(n):
            word = f'needle{i}x'
            with open(os.path.join(docs, f'{i % 100}.html'), 'w', encoding='utf-8') as f:
                f.write(f'<html><body><h1>Page</h1><p>This page has changed and holds the word {word} now.</p>')
            begin = time.monotonic()
            while 'needle' not in run('search', word):
                time.sleep(0.02)
            seconds.append(time.monotonic() - begin)
            time.sleep(0.3)
    finally:
        run('watch', 'stop')
        service.wait()
seconds.sort()
print(f'{n} changes, load {os.getloadavg()[0]:.1f}: median {statistics.median(seconds):.2f} s, '
      f'p95 {seconds[int(len(seconds) * 0.95)]:.2f} s, longest {seconds[-1]:.2f} s')
