#!/usr/bin/env python3
"""Makes language.expected from language.cases with jinja2: render.py [--check]

Both files hold entries: a line "=== NAME", then text up to the line end before the next entry. Every template sees the
messages below, the tokens <s> and </s>, and the date 5 March 2026. An expected text of "=!= fails" says that jinja2
refuses the template. --check compares instead of writing.
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../../unit'))
try:
    import jinja_reference as reference
except ImportError as error:
    print(f'skipped: {error}')
    sys.exit(77)

MESSAGES = [('system', 'You are kind.'), ('user', '  Grüße <|im_end|> & "x"\n'), ('assistant', 'ok')]


def read(name):
    with open(os.path.join(HERE, name), encoding='utf-8', newline='') as file:
        return re.findall(r'^=== ([^\n]*)\n(.*?)\n(?==== |\Z)', file.read(), re.M | re.S)


def main():
    made = ''
    for name, source in read('language.cases'):
        text, refusal = reference.render(source, MESSAGES)
        made += f'=== {name}\n{text if refusal is None else "=!= fails"}\n'
    path = os.path.join(HERE, 'language.expected')
    if sys.argv[1:] != ['--check']:
        with open(path, 'w', encoding='utf-8', newline='') as file:
            file.write(made)
        return 0
    with open(path, encoding='utf-8', newline='') as file:
        same = file.read() == made
    print(f'{made.count("=== ")} entries, {"as jinja2 renders them" if same else "differing from jinja2; run render.py"}')
    return 0 if same else 1


if __name__ == '__main__':
    sys.exit(main())
