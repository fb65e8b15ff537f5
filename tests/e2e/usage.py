"""The command table against help, man page and completions; wrong usage."""
import os
import re

from harness import SOURCE, LecternTest, main


def commands_of(help_text):
    section = help_text.split('Commands:\n')[1].split('\n\n')[0]
    return [re.match(r'  (\S+(?: \S+)?)  ', line)[1] for line in section.splitlines()]


def options_of(help_text):
    return {o for line in help_text.splitlines() if line.startswith('  -') for o in re.findall(r'(?<!\S)--?[a-z][a-z-]*', line[:26])}


class Usage(LecternTest):
    def setUp(self):
        super().setUp()
        self.commands = commands_of(self.ctl('--help'))

    def read(self, *path):
        with open(os.path.join(SOURCE, 'app', *path), encoding='utf-8') as f:
            return f.read()

    def test_every_command_explains_itself(self):
        self.assertIn('search', self.commands)
        for command in self.commands:
            text = self.ctl(*command.split(), '--help')
            self.assertTrue(text.startswith(f'Usage: lecternctl {command} [OPTION…]'), text)
            self.assertIn('--library', text)
            self.assertEqual(self.ctl('--help', *command.split())[:6], 'Usage:')

    def test_man_page_has_every_command_and_option(self):
        page = self.read('lecternctl.1')
        sections = {m[1]: m[0] for m in re.finditer(r'^\.SS ((?:engine |watch )?[a-z]+)\b.*?(?=^\.S[SH] )', page, re.M | re.S)}
        self.assertEqual(sorted(sections), sorted(self.commands))
        common = options_of(self.ctl('--help'))
        for option in common:
            self.assertIn(option.replace('-', '\\-'), page)
        for command in self.commands:
            for option in options_of(self.ctl(*command.split(), '--help')) - common:
                self.assertRegex(sections[command], re.escape(option.replace('-', '\\-')) + r'(?![a-z])', command)
            self.assertIn('JSON' if command != 'engine embed' else 'JSON array', sections[command])

    def test_completions_have_every_command_and_option(self):
        for name in 'lecternctl.bash', '_lecternctl', 'lecternctl.fish':
            text = self.read('completion', name)
            for command in self.commands:
                for word in command.split():
                    self.assertRegex(text, rf'(?<![\w-]){word}(?![\w-])', f'{name}: {command}')
                for option in options_of(self.ctl(*command.split(), '--help')) - {'-h'}:
                    typed = option
                    if name.endswith('fish'):
                        typed = f'-l {option[2:]}' if option.startswith('--') else f'-s {option[1:]}'
                    self.assertRegex(text, rf'(?<![\w-]){re.escape(typed)}(?![\w-])', f'{name}: {command} {option}')

    def test_nothing_more_is_promised(self):
        bash = self.read('completion', 'lecternctl.bash')
        plain = re.search(r"local commands='(.*?)'", bash)[1].split()
        engine = re.search(r"local engine_commands='(.*?)'", bash)[1].split()
        watch = re.search(r"local watch_commands='(.*?)'", bash)[1].split()
        self.assertEqual(sorted([c for c in plain if c not in ('engine', 'watch')] + [f'engine {c}' for c in engine] +
                                [f'watch {c}' for c in watch]), sorted(self.commands))

    def test_version(self):
        self.assertRegex(self.ctl('--version'), r'^lecternctl \d+\.\d+\.\d+\n$')

    def test_wrong_usage(self):
        for arguments in ([], ['nothing'], [''], ['--nothing'], ['search'], ['search', 'a', 'b'], ['search', '-n', '0', 'a'],
                          ['search', '-n', 'x', 'a'], ['search', '-n'], ['search', '--mode', 'odd', 'a'], ['search', '-x', 'a'],
                          ['list', 'more'], ['remove'], ['--library', '', 'list'], ['list', '--library'], ['engine'],
                          ['list', '--json=1'], ['engine', 'nothing'], ['--json']):
            with self.subTest(arguments):
                self.fails(2, *arguments)

    def test_output_that_cannot_be_written(self):
        with open('/dev/full', 'wb') as full:
            text = self.fails(1, '--help', stdout=full)
        self.assertIn('standard output', text)


if __name__ == '__main__':
    main()
