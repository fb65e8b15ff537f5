/* Ignore rules: each sentence of gitignore(5) that describes a pattern, as a row; and files, folders and their order. */
#include "ingest/folder/ignore.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *pattern, *path;
  gboolean is_folder;
  int match;
} rows[] = {
  /* "A blank line matches no files", "A line starting with # serves as a comment" */
  { "", "a", FALSE, 0 },
  { "# a", "# a", FALSE, 0 },
  { "\\#a", "#a", FALSE, 1 },
  /* "Trailing spaces are ignored unless they are quoted with backslash" */
  { "a  ", "a", FALSE, 1 },
  { "a\\ ", "a ", FALSE, 1 },
  { "a\\ ", "a", FALSE, 0 },
  { "a\\\\ ", "a\\", FALSE, 1 },
  { "a\r", "a", FALSE, 1 },
  /* "An optional prefix ! which negates the pattern" */
  { "!a", "a", FALSE, -1 },
  { "\\!important!.txt", "!important!.txt", FALSE, 1 },
  { "!/a/b", "a/b", FALSE, -1 },
  /* "If there is a separator at the beginning or middle of the pattern, then the pattern is relative to the directory" */
  { "/a", "a", FALSE, 1 },
  { "/a", "b/a", FALSE, 0 },
  { "a/b", "a/b", FALSE, 1 },
  { "a/b", "c/a/b", FALSE, 0 },
  { "a", "c/b/a", FALSE, 1 },
  /* "If there is a separator at the end of the pattern then the pattern will only match directories" */
  { "a/", "a", TRUE, 1 },
  { "a/", "a", FALSE, 0 },
  { "a/", "b/a", TRUE, 1 },
  /* "doc/frotz/ matches doc/frotz directory, but not a/doc/frotz directory; however frotz/ matches frotz and a/frotz" */
  { "doc/frotz/", "doc/frotz", TRUE, 1 },
  { "doc/frotz/", "a/doc/frotz", TRUE, 0 },
  { "frotz/", "a/frotz", TRUE, 1 },
  /* "An asterisk matches anything except a slash. The character ? matches any one character except /" */
  { "*.html", "a/b.html", FALSE, 1 },
  { "foo/*", "foo/test.json", FALSE, 1 },
  { "foo/*", "foo/bar", TRUE, 1 },
  { "foo/*", "foo/bar/hello.c", FALSE, 0 },
  { "a?c", "abc", FALSE, 1 },
  { "a?c", "a/c", FALSE, 0 },
  { "a?c", "aüc", FALSE, 1 },
  { "a?c", "ac", FALSE, 0 },
  { "/*.c", "cat-file.c", FALSE, 1 },
  { "/*.c", "mozilla-sha1/sha1.c", FALSE, 0 },
  { "*a*b*c", "xxaxxbxxbxc", FALSE, 1 },
  { "*a*b*c", "xxaxxcxxb", FALSE, 0 },
  /* "The range notation, e.g. [a-zA-Z], can be used to match one of the characters in a range" */
  { "[a-c].txt", "b.txt", FALSE, 1 },
  { "[a-c].txt", "d.txt", FALSE, 0 },
  { "[!a-c].txt", "d.txt", FALSE, 1 },
  { "[^a-c].txt", "b.txt", FALSE, 0 },
  { "[]x].txt", "].txt", FALSE, 1 },
  { "[a-]", "-", FALSE, 1 },
  { "[\\]]", "]", FALSE, 1 },
  { "[[:digit:]_]", "7", FALSE, 1 },
  { "[[:digit:]_]", "_", FALSE, 1 },
  { "[[:blank:]]x", "\tx", FALSE, 1 },
  { "[[:nothing:]]", "n", FALSE, 0 },
  { "[à-ü]", "é", FALSE, 1 },
  { "[ab", "a", FALSE, 0 },
  { "[a", "[a", FALSE, 0 },
  /* "A leading ** followed by a slash means match in all directories" */
  { "**/foo", "foo", FALSE, 1 },
  { "**/foo", "a/b/foo", FALSE, 1 },
  { "**/foo/bar", "a/foo/bar", FALSE, 1 },
  { "**/foo/bar", "foo/a/bar", FALSE, 0 },
  /* "A trailing slash and ** matches everything inside" */
  { "abc/**", "abc/x/y", FALSE, 1 },
  { "abc/**", "abc", TRUE, 0 },
  { "abc/**", "x/abc/y", FALSE, 0 },
  { "/**", "a", FALSE, 1 },
  /* "A slash followed by two consecutive asterisks then a slash matches zero or more directories" */
  { "a/**/b", "a/b", FALSE, 1 },
  { "a/**/b", "a/x/b", FALSE, 1 },
  { "a/**/b", "a/x/y/b", FALSE, 1 },
  { "a/**/b", "a/x/y/c", FALSE, 0 },
  { "a/**/b/**/c", "a/b/x/b/y/c", FALSE, 1 },
  { "a/**/b/**/c", "a/x/c", FALSE, 0 },
  /* "Other consecutive asterisks are considered regular asterisks" */
  { "a**c", "abbc", FALSE, 1 },
  { "**", "a/b", FALSE, 1 },
  { "a**/b", "axx/b", FALSE, 1 },
  { "a**/b", "axx/y/b", FALSE, 0 },
  /* "A trailing backslash is invalid" */
  { "a\\", "a", FALSE, 0 },
  { "/", "a", TRUE, 0 },
  { "\\a", "a", FALSE, 1 },
};

static void test_rows (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (ignore_pattern_match (rows[i].pattern, rows[i].path, rows[i].is_folder) != rows[i].match)
      g_error ("“%s” against “%s”: not %d", rows[i].pattern, rows[i].path, rows[i].match);
}

/* Patterns that make a matcher try again and again end in time that can be waited for. */
static void test_hostile (void)
{
  g_autoptr (GString) pattern = g_string_new (NULL), path = g_string_new (NULL);
  for (int i = 0; i < 250; i++) {
    g_string_append (pattern, "**/*a");
    g_string_append_c (pattern, '/');
    g_string_append (path, "aaaaaaaaaaaaaa/");
  }
  g_string_truncate (pattern, 996);
  g_string_append (pattern, "/c");
  g_string_append (path, "b");
  g_assert_cmpint (ignore_pattern_match (pattern->str, path->str, FALSE), ==, 0);
  g_autofree char *stars = g_strnfill (1000, '*');
  for (int i = 1; i < 1000; i += 2)
    stars[i] = 'a';
  g_autofree char *name = g_strnfill (255, 'a');
  g_assert_cmpint (ignore_pattern_match (stars, name, FALSE), ==, 0);
}

static void put (const char *dir, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static IgnoreVerdict check (const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  return ignore_check_below (dir, path);
}

static void test_files (void)
{
  g_autofree char *dir = g_dir_make_tmp ("lectern-ignore-XXXXXX", NULL);
  put (dir, ".gitignore", "\xEF\xBB\xBF*.html\nout/\n!.github/\n*.log.txt\n!keep.log.txt\n");
  put (dir, ".lecternignore", "drafts/\n!notes.html\n!.journal/\n!/cache/\n");
  put (dir, "deep/.gitignore", "!wanted.html\n/only-here.txt\n");
  put (dir, "made/CMakeCache.txt", "");
  put (dir, "tagged/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n");
  put (dir, "cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n");
  put (dir, "untagged/CACHEDIR.TAG", "Nothing of that kind\n");
  const struct {
    const char *name;
    IgnoreVerdict verdict;
  } expected[] = {
    { "a.txt", IGNORE_NOT },
    { "a.html", IGNORE_BY_FILE },
    { "notes.html", IGNORE_NOT }, /* our file is asked before git's */
    { "sub/a.html", IGNORE_BY_FILE },
    { "out/a.txt", IGNORE_BY_FILE },
    { "out", IGNORE_NOT }, /* a file of that name */
    { "drafts/sub/a.txt", IGNORE_BY_FILE },
    { "a.log.txt", IGNORE_BY_FILE },
    { "keep.log.txt", IGNORE_NOT },
    { "deep/wanted.html", IGNORE_NOT },
    { "deep/other.html", IGNORE_BY_FILE },
    { "deep/only-here.txt", IGNORE_BY_FILE },
    { "deep/er/only-here.txt", IGNORE_NOT },
    { ".github/a.txt", IGNORE_BY_DEFAULT }, /* meant for git, not for us */
    { ".journal/a.txt", IGNORE_NOT },
    { ".hidden.txt", IGNORE_BY_DEFAULT },
    { "node_modules/a.txt", IGNORE_BY_DEFAULT },
    { "node_modules", IGNORE_NOT },
    { "a.txt~", IGNORE_BY_DEFAULT },
    { "~$a.txt", IGNORE_BY_DEFAULT },
    { "a.pdf.part", IGNORE_BY_DEFAULT },
    { "made/a.txt", IGNORE_BY_DEFAULT },
    { "tagged/a.txt", IGNORE_BY_DEFAULT },
    { "cache/a.txt", IGNORE_NOT },
    { "untagged/a.txt", IGNORE_NOT },
  };
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    if (check (dir, expected[i].name) != expected[i].verdict)
      g_error ("%s: not %d", expected[i].name, expected[i].verdict);
  g_assert_true (ignore_is_rules_file (".lecternignore"));
  g_assert_false (ignore_is_rules_file ("lecternignore"));

  g_autofree char *command = g_strdup_printf ("rm -r %s", dir);
  g_assert_cmpint (system (command), ==, 0);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ignore/patterns", test_rows);
  g_test_add_func ("/ignore/hostile", test_hostile);
  g_test_add_func ("/ignore/files", test_files);
  return g_test_run ();
}
