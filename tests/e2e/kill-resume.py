#!/usr/bin/env python3
"""kill -9 in the middle of "lecternctl add": the library opens, passes its checks, and the next run completes it.

kill-resume.py LECTERNCTL [ROUNDS]    (a round: a fresh library, killed up to three times at random moments, then completed)"""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

ctl = os.path.abspath(sys.argv[1])
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
seed = int(os.environ.get('SEED', time.time_ns() % 1000000))
rng = random.Random(seed)
print(f'seed {seed}, {rounds} rounds')


def call(library, *args):
    done = subprocess.run([ctl, args[0], '--library', library, '--json', *args[1:]], capture_output=True, text=True)
    assert done.returncode == 0, (args, done.returncode, done.stderr)
    return json.loads(done.stdout)


def check_health(library):
    """FALSE if the library was killed before its first transaction; it must then say so in these words."""
    done = subprocess.run([ctl, 'status', '--check', '--library', library, '--json'], capture_output=True, text=True)
    if done.returncode == 1 and 'is still empty' in done.stderr:
        return False
    assert done.returncode == 0, (library, done.returncode, done.stderr)
    status = json.loads(done.stdout)
    assert status['health'] == 'ok' and status['checked'] == 'database and index', status
    # What is stored is whole: chunks and documents that belong together, an index that finds them.
    listed = call(library, 'list')
    assert len(listed) == status['documents'] == status['indexed'], status
    assert sum(d['chunks'] for d in listed) == status['chunks'], status
    for d in listed:
        assert d['status'] == 'indexed' and d['chunks'] > 0, d
    return True


def documents(library):
    return sorted((d['path'], d['status'], d['chunks']) for d in call(library, 'list'))


def write_documents(folder):
    words = 'pump valve seal motor housing water oil pressure screw torque lid filter clean replace check'.split()
    for i in range(40):
        paragraphs = [' '.join(rng.choice(words) for _ in range(60)) + f' document{i}.' for _ in range(30)]
        with open(os.path.join(folder, f'{i:02}.txt'), 'w') as out:
            out.write('\n\n'.join(paragraphs))
    with open(os.path.join(folder, 'page.html'), 'w') as out:
        out.write('<html><body><h1>Page</h1>' + '<p>The page has words about the pump.</p>' * 50 + '</body></html>')


with tempfile.TemporaryDirectory(prefix='lectern-kill-') as top:
    folder = os.path.join(top, 'documents')
    os.mkdir(folder)
    write_documents(folder)
    whole = os.path.join(top, 'whole')
    begin = time.monotonic()
    report = call(whole, 'add', folder)
    duration = time.monotonic() - begin
    assert report['added'] == 41 and report['failed'] == 0, report
    expected = documents(whole)

    kept = killed = 0
    for n in range(rounds):
        library = os.path.join(top, f'library{n}')
        for _ in range(3):
            run = subprocess.Popen([ctl, 'add', '--library', library, folder], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0, duration))
            run.send_signal(signal.SIGKILL)
            killed += run.wait() == -signal.SIGKILL
            before = 0
            if os.path.exists(os.path.join(library, 'library.db')) and check_health(library):
                before = len(documents(library))
        report = call(library, 'add', folder)
        assert report['failed'] == 0 and report['added'] + report['unchanged'] == 41, report
        # Every document that a killed run finished is kept.
        assert report['unchanged'] == before, (report, before)
        kept += before
        assert documents(library) == expected, (n, seed)
        assert check_health(library), (n, seed)
        i = rng.randrange(40)
        found = call(library, 'search', f'document{i}')['results']
        assert found and found[0]['path'].endswith(f'{i:02}.txt'), (n, seed, i)
    assert killed > 0, 'no run was killed in its middle'
    print(f'{killed} runs killed, {kept} documents kept from them, all libraries complete')
