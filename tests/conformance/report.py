"""One line for each comparison, and what did not agree at the end."""


class Report:
    def __init__(self):
        self.n, self.failures = 0, []

    def note(self, what, comparison, good):
        self.n += 1
        print(f'{what}: {comparison}{"" if good else "  <-- WRONG"}', flush=True)
        if not good:
            self.failures.append(what)

    def close(self):
        print(f'{self.n - len(self.failures)} of {self.n} agree' + ''.join(f'\n  not {name}' for name in self.failures))
        return 1 if self.failures else 0
