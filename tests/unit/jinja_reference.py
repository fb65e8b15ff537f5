"""Chat templates as transformers renders them, with jinja2; and the same by our interpreter (render-jinja)."""
import datetime
import json
import subprocess

import jinja2
import jinja2.ext
import jinja2.sandbox

BOS, EOS = '<s>', '</s>'
DATE = datetime.datetime(2026, 3, 5)


class Generation(jinja2.ext.Extension):
    """{% generation %} marks what the assistant said; its body is rendered as it stands."""
    tags = {'generation'}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(['name:endgeneration'], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method('_body'), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def refuse(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment():
    made = jinja2.sandbox.SandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                               extensions=[Generation, jinja2.ext.loopcontrols])
    made.filters['tojson'] = tojson
    made.globals['raise_exception'] = refuse
    made.globals['strftime_now'] = DATE.strftime
    return made


def render(source, messages, thinking='', opens=True, compiled={}):
    """The text, or None when jinja2 refuses; then also why."""
    variables = {} if not thinking else {'enable_thinking': thinking == 'on'}
    messages = [{'role': role, 'content': content} for role, content in messages]
    try:
        if source not in compiled:
            compiled[source] = environment().from_string(source)
        return compiled[source].render(messages=messages, tools=None, documents=None, add_generation_prompt=opens,
                                       bos_token=BOS, eos_token=EOS, **variables), None
    except Exception as error:  # whatever a template can do wrong
        return None, f'{type(error).__name__}: {error}'


class Ours:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def render(self, source, messages, thinking='', opens=True):
        strings = [source, thinking, '1' if opens else '', str(len(messages))] + [text for pair in messages for text in pair]
        for text in strings:
            data = text.encode()
            self.process.stdin.write(b'%d\n' % len(data) + data)
        self.process.stdin.flush()
        status = self.process.stdout.readline()
        text = self.process.stdout.read(int(self.process.stdout.readline())).decode()
        return (text, None) if status == b'ok\n' else (None, text)
