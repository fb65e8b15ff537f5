#!/usr/bin/env python3
"""Our rendering of published chat templates beside jinja2's, byte for byte: jinja-conformance.py RENDER-JINJA TEMPLATES"""
import glob
import os
import sys

try:
    import jinja_reference as reference
except ImportError as error:
    print(f'skipped: {error}')
    sys.exit(77)

SYSTEM = ('system', '  Antworte kurz — mit „Quellen“.\n')
TURNS = [('user', '\n Was ist Wasser?  '), ('assistant', 'H₂O, <b>a & b</b> [1]. 🦉\n\n'), ('user', 'Und\tEis? \\n {{ x }} ')]
THOUGHT = [('user', 'Why?'), ('assistant', '<think>\nBecause.\n</think>\n\nSo.'), ('user', 'And now?')]
CONVERSATIONS = {
    'user': TURNS[:1],
    'system, user': [SYSTEM] + TURNS[:1],
    'three turns': TURNS,
    'system, three turns': [SYSTEM] + TURNS,
    'three turns with a thought': THOUGHT,
    'empty': [('user', '')],
    'five turns': TURNS + [('assistant', 'Ja.'), ('user', 'Danke!')],
    'ends with the assistant': TURNS[:2],
    'two system messages': [SYSTEM, SYSTEM] + TURNS[:1],
}


def main():
    ours = reference.Ours(sys.argv[1])
    paths = sorted(glob.glob(os.path.join(sys.argv[2], '*.jinja')))
    if not paths:
        print('skipped: the shared templates are not there')
        return 77
    n = n_refused = good_files = 0
    for path in paths:
        with open(path, encoding='utf-8', newline='') as file:
            source = file.read()
        differing = []
        for name, messages in CONVERSATIONS.items():
            for thinking in '', 'off', 'on':
                for opens in True, False:
                    n += 1
                    expected, refusal = reference.render(source, messages, thinking, opens)
                    got, reason = ours.render(source, messages, thinking, opens)
                    n_refused += expected is None
                    if got != expected:
                        differing.append(f'{name}, thinking {thinking or "unset"}:\n  jinja2 {expected!r} {refusal}\n  ours   {got!r} {reason}')
        good_files += not differing
        if differing:
            print(f'{os.path.basename(path)}: {len(differing)} differ, such as {differing[0]}')
    print(f'{good_files} of {len(paths)} templates in all of {n} renderings, of which both refuse {n_refused}')
    return 0 if good_files == len(paths) else 1


if __name__ == '__main__':
    sys.exit(main())
