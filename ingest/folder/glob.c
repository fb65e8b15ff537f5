#include "ingest/folder/glob.h"

#include <string.h>

typedef struct {
  const char *at, *end;
} Span;

/* One character of valid UTF-8, or one byte. */
static gsize character_length (const Span *text)
{
  gunichar c = g_utf8_get_char_validated (text->at, text->end - text->at);
  return c == (gunichar)-1 || c == (gunichar)-2 ? 1 : (gsize)(g_utf8_next_char (text->at) - text->at);
}

static gunichar take_character (Span *text)
{
  gsize length = character_length (text);
  gunichar c = length > 1 ? g_utf8_get_char (text->at) : (guchar)*text->at;
  text->at += length;
  return c;
}

static gboolean is_blank (gunichar c)
{
  return c == ' ' || c == '\t';
}

static const struct {
  const char *name;
  gboolean (*fits) (gunichar c);
} classes[] = {
  { "alnum", g_unichar_isalnum }, { "alpha", g_unichar_isalpha }, { "blank", is_blank },
  { "cntrl", g_unichar_iscntrl }, { "digit", g_unichar_isdigit }, { "graph", g_unichar_isgraph },
  { "lower", g_unichar_islower }, { "print", g_unichar_isprint }, { "punct", g_unichar_ispunct },
  { "space", g_unichar_isspace }, { "upper", g_unichar_isupper }, { "xdigit", g_unichar_isxdigit },
};

/* A character class at "[:"; FALSE if there is none of that name. */
static gboolean take_class (Span *set, gunichar c, gboolean *fits)
{
  const char *name = set->at + 2;
  const char *close = memchr (name, ':', (gsize)(set->end - name));
  if (!close || close + 1 >= set->end || close[1] != ']')
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (classes); i++)
    if (strlen (classes[i].name) == (gsize)(close - name)
        && strncmp (classes[i].name, name, (gsize)(close - name)) == 0) {
      *fits = *fits || classes[i].fits (c);
      set->at = close + 2;
      return TRUE;
    }
  return FALSE;
}

static gboolean take_member (Span *set, gunichar *c)
{
  if (*set->at == '\\' && ++set->at >= set->end)
    return FALSE;
  *c = take_character (set);
  return TRUE;
}

/* The set that begins after "[". On return pattern->at stands behind its "]". FALSE: not well formed. */
static gboolean match_set (Span *pattern, gunichar c, gboolean *fits)
{
  gboolean complement = pattern->at < pattern->end && (*pattern->at == '!' || *pattern->at == '^');
  pattern->at += complement;
  *fits = FALSE;
  for (gboolean first = TRUE; pattern->at < pattern->end; first = FALSE) {
    if (*pattern->at == ']' && !first) {
      pattern->at++;
      *fits = *fits != complement;
      return TRUE;
    }
    if (*pattern->at == '[' && pattern->end - pattern->at > 2 && pattern->at[1] == ':') {
      if (!take_class (pattern, c, fits))
        return FALSE;
      continue;
    }
    gunichar from, to;
    if (!take_member (pattern, &from))
      return FALSE;
    to = from;
    if (pattern->end - pattern->at > 1 && *pattern->at == '-' && pattern->at[1] != ']') {
      pattern->at++;
      if (!take_member (pattern, &to))
        return FALSE;
    }
    *fits = *fits || (c >= from && c <= to);
  }
  return FALSE;
}

gboolean glob_match_component (const char *pattern, gsize pattern_length, const char *text, gsize length)
{
  Span p = { pattern, pattern + pattern_length }, t = { text, text + length };
  /* A mismatch goes back to the last star only: what an earlier one takes need never grow. */
  Span star = { NULL, NULL }, taken = { NULL, NULL };
  for (;;) {
    gboolean fits = FALSE;
    if (p.at < p.end && *p.at == '*') {
      while (p.at < p.end && *p.at == '*')
        p.at++;
      star = p;
      taken = t;
      continue;
    }
    if (p.at == p.end && t.at == t.end)
      return TRUE;
    if (p.at < p.end && t.at < t.end) {
      if (*p.at == '?') {
        p.at++;
        take_character (&t);
        fits = TRUE;
      } else if (*p.at == '[') {
        p.at++;
        if (!match_set (&p, take_character (&t), &fits))
          return FALSE;
      } else {
        if (*p.at == '\\' && ++p.at == p.end)
          return FALSE;
        fits = *p.at++ == *t.at++;
      }
    }
    if (fits)
      continue;
    if (!star.at || taken.at == taken.end)
      return FALSE;
    taken.at++;
    p = star;
    t = taken;
  }
}

/* The component at `path`; *next is the one after it, NULL if it is the last. */
static gsize component_at (const char *path, const char **next)
{
  const char *slash = strchr (path, '/');
  *next = slash ? slash + 1 : NULL;
  return slash ? (gsize)(slash - path) : strlen (path);
}

gboolean glob_match_path (const char *pattern, const char *path)
{
  /* Components are to "**" what bytes are to "*"; again only the last one needs to be tried again. */
  const char *star = NULL, *taken = NULL;
  while (pattern || path) {
    const char *next_pattern = NULL, *next_path = NULL;
    gsize pattern_length = pattern ? component_at (pattern, &next_pattern) : 0;
    gsize length = path ? component_at (path, &next_path) : 0;
    if (pattern && pattern_length >= 2 && strspn (pattern, "*") == pattern_length) {
      if (!next_pattern)
        return path != NULL;
      pattern = star = next_pattern;
      taken = path;
      continue;
    }
    if (pattern && path && glob_match_component (pattern, pattern_length, path, length)) {
      pattern = next_pattern;
      path = next_path;
      continue;
    }
    if (!star || !taken)
      return FALSE;
    component_at (taken, &taken);
    path = taken;
    pattern = star;
  }
  return TRUE;
}
