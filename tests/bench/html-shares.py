#!/usr/bin/env python3
"""What share of a manual's words the reader of web pages keeps.

    html-shares.py LECTERN-EXTRACT FOLDER [PAGES]

Of each page below FOLDER: the words within its body, but for scripts and what is marked as navigation, header or footer, against
those that `lectern-extract --dump` prints, as bags. Prints the PAGES (30) pages with the lowest share, and what they lose first,
then the share of the folder's words, how many pages keep less than nine tenths of theirs, and how many keep nothing."""
import collections, html.parser, os, re, subprocess, sys

VOID = set('area base br col embed hr img input link meta param source track wbr'.split())
DROPPED = set('script style nav footer head title noscript template button select textarea svg'.split())
MARKS = re.compile(r'^(navheader|navfooter|related|sphinxsidebar|mobile-nav|nosearch|menu|nav|nav-panel|toc_button|footer|headerlink|'
                   r'id_link|navigation|breadcrumbs?|skiplink)$')
ENDS = {'p': {'p'}, 'li': {'li'}, 'dt': {'dt', 'dd'}, 'dd': {'dt', 'dd'}, 'tr': {'tr', 'td', 'th'}, 'td': {'td', 'th'}, 'th': {'td', 'th'}}

class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(); self.stack, self.text = [], []
    def handle_starttag(self, tag, attributes):
        if tag in VOID: self.text.append(' ') if tag != 'wbr' else None; return
        if tag in ENDS and self.stack and self.stack[-1][0] in ENDS[tag]: self.stack.pop()
        a = dict(attributes); names = ((a.get('class') or '') + ' ' + (a.get('id') or '')).split()
        out = tag in DROPPED or a.get('role') in ('navigation', 'search') or any(MARKS.match(n) for n in names)
        self.stack.append((tag, out or bool(self.stack and self.stack[-1][1])))
        if tag not in ('a', 'b', 'i', 'em', 'code', 'span', 'tt', 'strong', 'font', 'var', 'sub', 'sup', 'kbd', 'u'): self.text.append(' ')
    def handle_endtag(self, tag):
        for i in range(len(self.stack) - 1, max(-1, len(self.stack) - 20), -1):
            if self.stack[i][0] == tag: del self.stack[i:]; break
        if tag not in ('a', 'b', 'i', 'em', 'code', 'span', 'tt', 'strong', 'font', 'var', 'sub', 'sup', 'kbd', 'u'): self.text.append(' ')
    def handle_data(self, data):
        if not (self.stack and self.stack[-1][1]): self.text.append(data)

def words(text): return re.findall(r'\w+', text)

def main():
    extract, folder, n = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 30
    pages, total, kept = [], 0, 0
    for where, _, names in os.walk(folder):
        for name in sorted(names):
            if not name.endswith(('.html', '.htm')): continue
            path = os.path.join(where, name)
            page = Page(); page.feed(open(path, encoding='utf-8', errors='replace').read())
            w = words(''.join(page.text)); want = collections.Counter(w)
            if not want: continue
            have = collections.Counter(words(subprocess.run([extract, '--dump', path], capture_output=True).stdout.decode(errors='replace')))
            lost = want - have; n_lost = sum(lost.values())
            total += len(w); kept += len(w) - n_lost
            pages.append((1 - n_lost / len(w), len(w), os.path.relpath(path, folder), ' '.join(x for x in w if x in lost)[:160]))
    pages.sort()
    for share, n_words, name, lost in pages[:n]: print(f'{share:.3f} of {n_words} words  {name}: {lost}')
    print(f'{folder}: {kept / max(1, total):.4f} of {total} words; {len(pages)} pages, {sum(p[0] < .9 for p in pages)} below 0.9, '
          f'{sum(p[0] < .5 for p in pages)} below 0.5')

main()
