"""llama.cpp as the reference: a llama-server in the chroot $LLAMA_ROOT (default /srv/peers), on loopback, for one model."""
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

ROOT = os.environ.get('LLAMA_ROOT', '/srv/peers')


def is_available():
    return os.geteuid() == 0 and os.path.exists(os.path.join(ROOT, 'usr', 'bin', 'llama-server'))


def version():
    out = subprocess.run(['chroot', ROOT, 'llama-server', '--version'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return out.stdout.decode().split('\n')[0]


def place(path):
    """A copy of the file where the chroot sees it; the folder and the path inside."""
    os.makedirs(os.path.join(ROOT, 'tmp'), exist_ok=True)
    folder = tempfile.mkdtemp(prefix='lectern-', dir=os.path.join(ROOT, 'tmp'))
    copy = os.path.join(folder, os.path.basename(path))
    try:
        os.link(path, copy)
    except OSError:
        shutil.copy(path, copy)
    return folder, copy[len(ROOT):]


def quantize(source, target, kind):
    """target = source as `kind`; False where the shapes do not allow it."""
    folder, inside = place(source)
    try:
        done = subprocess.run(['chroot', ROOT, 'llama-quantize', inside, inside + '.out', kind], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode != 0 or b'fallback' in done.stdout:
            return False
        shutil.move(ROOT + inside + '.out', target)
        return True
    finally:
        shutil.rmtree(folder)


class Oracle:
    def __init__(self, model, *options, context=2048):
        self.folder, inside = place(model)
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        self.log = tempfile.TemporaryFile('w+')
        self.server = subprocess.Popen(
            ['chroot', ROOT, 'llama-server', '-m', inside, '--host', '127.0.0.1', '--port', str(self.port), '-c', str(context),
             '-t', '2', '--no-webui', '--offline', '-np', '1', '-fa', 'off', '--no-repack', '--cache-ram', '0', *options],
            stdout=subprocess.DEVNULL, stderr=self.log)

    def __enter__(self):
        for _ in range(600):
            if self.server.poll() is not None:
                self.log.seek(0)
                message = self.log.read()[-2000:]
                self.__exit__()
                raise RuntimeError('llama-server stopped: ' + message)
            try:
                if self.ask('/health').get('status') == 'ok':
                    return self
            except OSError:
                pass
            time.sleep(.05)
        raise RuntimeError('llama-server does not answer')

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.folder)

    def ask(self, path, body=None):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=600)
        if body is None:
            connection.request('GET', path)
        else:
            connection.request('POST', path, json.dumps(body), {'Content-Type': 'application/json'})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def generate(self, ids, n, top):
        """Greedy: [{'token', 'top': {id: logprob}}] for n steps."""
        answer = self.ask('/completion', {'prompt': ids, 'n_predict': n, 'temperature': 0, 'n_probs': top, 'cache_prompt': False,
                                          'ignore_eos': True, 'samplers': ['temperature'], 'return_tokens': True})
        return [{'token': step['id'], 'top': {t['id']: t['logprob'] for t in step['top_logprobs']}}
                for step in answer['completion_probabilities']]

    def embed(self, texts):
        return [row['embedding'] for row in self.ask('/v1/embeddings', {'input': texts})['data']]

    def rerank(self, query, passages):
        rows = self.ask('/v1/rerank', {'query': query, 'documents': passages})['results']
        return [row['relevance_score'] for row in sorted(rows, key=lambda row: row['index'])]
