/* Sentence boundaries. A pattern finds the places where a sentence may end (a stop with what closes behind it, a line
 * break); what stands before and after decides. Every quantifier is possessive and no run of stops is entered twice, so the
 * pattern never backtracks, and the look around a candidate is bounded: linear time on any input. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "retrieval/retrieval.h"
#include "retrieval/text/stopwords.h"

#include <pcre2.h>
#include <string.h>

/* 1: stops that need white space behind them; 2: stops that do not; 3: a line break with the white space behind it.
 * Reference marks behind a stop belong to its sentence. */
#define CLOSERS                                                                                                        \
  "[\"'\\x{201d}\\x{2019}\\x{00bb}\\x{203a})\\]}\\x{201c}\\x{2018}\\x{300d}\\x{300f}\\x{ff09}\\x{300b}\\x{3011}]*+(?:" \
  "[ \\x{a0}\\x{202f}]\\x{bb})?+"
#define MARKS "(?:[ ]?\\[\\d{1,3}+(?:[,;\\x{2013}-] ?\\d{1,3}+)*+\\])*+"
static const char candidate_pattern[]
    = "(?<![.!?\\x{2026}\\x{203c}\\x{2047}-\\x{2049}])([.!?\\x{2026}\\x{203c}\\x{2047}-\\x{2049}]++" CLOSERS MARKS
      ")(?=\\s|\\z)"
      "|([\\x{3002}\\x{ff01}\\x{ff1f}\\x{ff61}\\x{061f}\\x{06d4}\\x{0964}\\x{0965}]++" CLOSERS MARKS ")"
      "|(\\n\\s*+)";

/* What a period after a word means. */
typedef enum {
  ABBREVIATION_NONE,
  ABBREVIATION_TITLE,  /* something always follows: "Dr. Weber" */
  ABBREVIATION_NUMBER, /* before a number: "Fig. 3" */
  ABBREVIATION_END,    /* may end a sentence: "etc." */
} Abbreviation;

/* Lower case, without the last period; `language` "" holds for all. */
static const struct {
  char language[4];
  Abbreviation kind;
  const char *words;
} abbreviations[] = {
  { "", ABBREVIATION_TITLE, "dr prof mr mrs ms st vs cf e.g i.e bzw ca approx viz al.e" },
  { "", ABBREVIATION_NUMBER, "no nr fig figs vol ch sec eq p pp tab abb art ver v" },
  { "", ABBREVIATION_END, "etc al inc ltd co corp a.m p.m jr sr ph.d" },
  { "en", ABBREVIATION_TITLE,
    "messrs gen col capt lt sgt rev hon gov sen rep pres supt est min max dept univ incl excl resp ie eg ca c" },
  { "en", ABBREVIATION_NUMBER,
    "nos eqs secs chap app ref refs par para jan feb mar apr jun jul aug sep sept oct nov dec" },
  { "en", ABBREVIATION_END, "ft lb lbs oz hr hrs sq bros assn ave blvd rd" },
  { "de", ABBREVIATION_TITLE,
    "z.b d.h u.a i.d.r o.ä o.g s.o s.u u.u v.a z.t z.zt i.a bzgl evtl ggf vgl sog hr fr frl dipl ing med inkl exkl max "
    "min str sog "
    "lt gem geb gegr gez insb insbes allg u.ä zzgl abzgl d.i dt engl franz b zb dh ua u a z d s i" },
  { "de", ABBREVIATION_NUMBER, "art abs kap bd aufl anl anm ziff rn s st jan feb apr aug sept okt nov dez tel std" },
  { "de", ABBREVIATION_END, "usw uvm u.v.m usf mio mrd tsd gmbh n.chr v.chr" },
  { "fr", ABBREVIATION_TITLE, "m mm mme mmes mlle mlles me p.ex ex env c.-à-d cf st ste gén" },
  { "fr", ABBREVIATION_NUMBER, "n art chap réf tél fig" },
  { "es", ABBREVIATION_TITLE, "sr sra srta sres dña d da p.ej ej ud uds vd aprox pág págs gral" },
  { "es", ABBREVIATION_NUMBER, "núm núms pág págs cap art tel ref fig" },
  { "es", ABBREVIATION_END, "ee.uu s.a a.c d.c" },
  { "it", ABBREVIATION_TITLE, "sig sig.ra sigg dott dott.ssa ing avv prof.ssa es p.es ecc.to on ca circa" },
  { "it", ABBREVIATION_NUMBER, "n pag pagg cap art tel rif fig" },
  { "it", ABBREVIATION_END, "ecc s.p.a s.r.l" },
  { "pt", ABBREVIATION_TITLE, "sr sra srs dra profa exmo p.ex ex aprox" },
  { "pt", ABBREVIATION_NUMBER, "n núm pág págs cap art tel ref fig" },
  { "pt", ABBREVIATION_END, "s.a ltda" },
  { "nl", ABBREVIATION_TITLE,
    "dhr mevr mw drs ir mr bijv b.v o.a d.w.z m.b.t i.p.v t.o.v z.g zgn ca evt incl excl max min" },
  { "nl", ABBREVIATION_NUMBER, "blz afb hfdst art tel pag" },
  { "nl", ABBREVIATION_END, "enz e.d" },
  { "sv", ABBREVIATION_TITLE, "t.ex bl.a d.v.s s.k t.o.m fr.o.m dvs ca bl ev inkl exkl max min resp" },
  { "sv", ABBREVIATION_NUMBER, "s kap tel bil" },
  { "sv", ABBREVIATION_END, "osv m.m m.fl o.s.v kl" },
  { "da", ABBREVIATION_TITLE, "f.eks bl.a d.v.s dvs ca evt inkl ekskl maks min" },
  { "da", ABBREVIATION_END, "osv m.m m.v mv" },
  { "no", ABBREVIATION_TITLE, "f.eks bl.a dvs ca evt inkl ekskl maks min" },
  { "no", ABBREVIATION_END, "osv m.m mv" },
  { "fi", ABBREVIATION_TITLE, "esim ks mm ns ts n" },
  { "fi", ABBREVIATION_END, "jne yms ym" },
  { "pl", ABBREVIATION_TITLE, "np tzn tzw m.in ok inż mgr hab ul pt ds św" },
  { "pl", ABBREVIATION_NUMBER, "r str rys tab ust poz tel" },
  { "pl", ABBREVIATION_END, "itd itp" },
  { "cs", ABBREVIATION_TITLE, "např tj tzv mj ing mgr bc cca popř resp" },
  { "cs", ABBREVIATION_NUMBER, "č str obr tab čl odst tel" },
  { "cs", ABBREVIATION_END, "atd apod aj" },
  { "ro", ABBREVIATION_TITLE, "d-l d-na dl dna ex aprox" },
  { "ro", ABBREVIATION_END, "etc ș.a" },
  { "hu", ABBREVIATION_TITLE, "pl ún kb ill dr özv" },
  { "hu", ABBREVIATION_END, "stb" },
  { "tr", ABBREVIATION_TITLE, "örn bkz sn av doç yrd" },
  { "tr", ABBREVIATION_END, "vb vs" },
  { "ru", ABBREVIATION_TITLE, "т.е т.к т.н напр г-н г-жа им ул просп д акад проф см ср т" },
  { "ru", ABBREVIATION_NUMBER, "рис табл гл стр п пп ст с тел" },
  { "ru", ABBREVIATION_END, "т.д т.п др пр г гг в вв руб тыс млн млрд" },
};

static const char *const ordinal_languages[] = { "de", "da", "no", "fi", "cs", "pl", "hu", "sk", "tr", "sl", "hr" };

static pcre2_code *candidates;
static GHashTable *kinds; /* "language:word" to Abbreviation */

static gsize build_tables (void)
{
  int code;
  PCRE2_SIZE offset;
  candidates = pcre2_compile ((PCRE2_SPTR)candidate_pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF,
                              &code, &offset, NULL);
  if (!candidates)
    g_error ("the sentence pattern does not compile at %zu: error %d", (gsize)offset, code);
  pcre2_jit_compile (candidates, PCRE2_JIT_COMPLETE);
  kinds = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (abbreviations); i++) {
    g_auto (GStrv) words = g_strsplit (abbreviations[i].words, " ", -1);
    for (char **w = words; *w; w++) {
      char *key = g_strconcat (abbreviations[i].language, ":", *w, NULL);
      g_hash_table_insert (kinds, key, GINT_TO_POINTER (abbreviations[i].kind));
    }
  }
  return 1;
}

static Abbreviation find_abbreviation (const char *language, const char *word)
{
  const char *languages[] = { language ? language : "", "" };
  for (gsize i = 0; i < G_N_ELEMENTS (languages); i++) {
    g_autofree char *key = g_strconcat (languages[i], ":", word, NULL);
    Abbreviation kind = (Abbreviation)GPOINTER_TO_INT (g_hash_table_lookup (kinds, key));
    if (kind != ABBREVIATION_NONE)
      return kind;
  }
  return ABBREVIATION_NONE;
}

/* ---- what stands around a candidate ---------------------------------------------------------------------- */

typedef struct {
  const char *text, *end, *language;
} Input;

enum { MAX_LOOK_BYTES = 40, SHORT_LINE = 60 };

static gunichar char_at (const Input *input, const char *p)
{
  if (p >= input->end)
    return 0;
  gunichar c = g_utf8_get_char_validated (p, input->end - p);
  return c == (gunichar)-1 || c == (gunichar)-2 ? 0xfffd : c;
}

/* The first character of the next word behind quotes and brackets, and that word in lower case. */
typedef struct {
  gunichar first, second;
  gboolean opened; /* a quote or bracket stood before it */
  char word[MAX_LOOK_BYTES + 8];
} Next;

static void read_next (const Input *input, const char *p, Next *next)
{
  memset (next, 0, sizeof *next);
  for (int i = 0; i < MAX_LOOK_BYTES && p < input->end; i++) {
    gunichar c = char_at (input, p);
    gboolean space = g_unichar_isspace (c);
    GUnicodeType type = g_unichar_type (c);
    gboolean opener = c == '"' || c == '\'' || type == G_UNICODE_OPEN_PUNCTUATION
                      || type == G_UNICODE_INITIAL_PUNCTUATION || c == 0xbf || c == 0xa1 || c == '*';
    if (!space && !opener)
      break;
    next->opened |= opener;
    p += c == 0xfffd ? 1 : g_utf8_skip[(guchar)*p];
  }
  next->first = char_at (input, p);
  gsize n = 0;
  while (n < MAX_LOOK_BYTES) {
    gunichar c = char_at (input, p);
    if (!g_unichar_isalpha (c))
      break;
    if (n && !next->second)
      next->second = c;
    n += (gsize)g_unichar_to_utf8 (g_unichar_tolower (c), next->word + n);
    p += g_utf8_skip[(guchar)*p];
  }
  next->word[n] = 0;
}

/* The run of letters, digits and inner periods that ends at `end`, in lower case. */
typedef struct {
  char word[2 * MAX_LOOK_BYTES + 8];
  const char *start;
  guint n_letters, n_digits, n_periods;
  gboolean upper; /* its first letter */
} Previous;

static void read_previous (const Input *input, const char *from, const char *end, Previous *previous)
{
  memset (previous, 0, sizeof *previous);
  const char *start = end;
  while (start > from && end - start < MAX_LOOK_BYTES) {
    const char *p = start - 1;
    while (p > from && ((guchar)*p & 0xc0) == 0x80)
      p--;
    gunichar c = char_at (input, p);
    if (g_unichar_isalpha (c))
      previous->n_letters++;
    else if (g_unichar_isdigit (c))
      previous->n_digits++;
    else if (c == '.')
      previous->n_periods++;
    else if (c != '-')
      break;
    start = p;
  }
  previous->start = start;
  previous->upper = g_unichar_isupper (char_at (input, start));
  gsize n = 0;
  for (const char *p = start; p < end && n < 2 * MAX_LOOK_BYTES; p += g_utf8_skip[(guchar)*p])
    n += (gsize)g_unichar_to_utf8 (g_unichar_tolower (char_at (input, p)), previous->word + n);
  previous->word[n] = 0;
}

static gboolean has_ordinals (const char *language)
{
  for (gsize i = 0; language && i < G_N_ELEMENTS (ordinal_languages); i++)
    if (!strcmp (language, ordinal_languages[i]))
      return TRUE;
  return FALSE;
}

/* Whether the stop at [stop, after) ends the sentence that began at `from`. */
static gboolean stop_ends_sentence (const Input *input, const char *from, const char *stop, const char *after)
{
  Next next;
  read_next (input, after, &next);
  if (!next.first)
    return TRUE;
  gboolean lower = g_unichar_islower (next.first);
  /* "iPhone", "pH" */
  if (lower && g_unichar_isupper (next.second))
    lower = FALSE;
  if (lower)
    return FALSE;
  if (*stop != '.' || (stop + 1 < input->end && (stop[1] == '.' || stop[1] == '!' || stop[1] == '?')))
    return TRUE;
  Previous previous;
  read_previous (input, from, stop, &previous);
  gboolean function_word = lectern_stopword (input->language ? input->language : "en", next.word) && next.word[1];
  /* A list marker is no sentence: "1. Open the lid", "a. Open the lid". */
  gboolean first = TRUE;
  for (const char *p = from; p < previous.start && first; p++)
    first = g_ascii_isspace (*p) || *p == '(' || *p == '"';
  if (first && previous.n_letters + previous.n_digits <= 3 && (previous.n_digits || previous.n_letters == 1))
    return FALSE;
  if (previous.n_digits && !previous.n_letters)
    return !(has_ordinals (input->language) && previous.n_digits <= 2 && g_unichar_isalpha (next.first)
             && !function_word);
  if (previous.n_letters == 1 && previous.upper && !previous.n_digits)
    return function_word && !next.opened;
  switch (find_abbreviation (input->language, previous.word)) {
  case ABBREVIATION_TITLE: return FALSE;
  case ABBREVIATION_NUMBER: return !g_unichar_isdigit (next.first) && next.first != '#';
  case ABBREVIATION_END: return g_unichar_isupper (next.first) || !g_unichar_isalnum (next.first);
  case ABBREVIATION_NONE: break;
  }
  /* "U.S.", "S.p.A.": letters with a period after each. */
  if (previous.n_periods && previous.n_letters <= previous.n_periods + 1)
    return function_word;
  return TRUE;
}

static gboolean is_list_marker (const Input *input, const char *p)
{
  gunichar c = char_at (input, p);
  static const gunichar bullets[] = { '-',    '*',    '+',    0x2022, 0x25aa, 0x2013, 0x2014, 0x25e6,
                                      0x2023, 0x25cf, 0x25a0, 0x25ba, 0x2219, 0xb7,   0x2610, 0x2713 };
  for (gsize i = 0; i < G_N_ELEMENTS (bullets); i++)
    if (c == bullets[i]) {
      const char *q = p + g_utf8_skip[(guchar)*p];
      return q < input->end && g_ascii_isspace (*q);
    }
  if (c == '(')
    p++;
  const char *start = p;
  while (p < input->end && p - start < 3 && g_ascii_isdigit (*p))
    p++;
  if (p == start && p < input->end && g_ascii_isalpha (*p))
    p++;
  return p > start && p + 1 < input->end && (*p == '.' || *p == ')') && g_ascii_isspace (p[1]);
}

static gboolean line_has (const char *p, const char *end, char wanted)
{
  const char *newline = memchr (p, '\n', (gsize)(end - p));
  return memchr (p, wanted, (gsize)((newline ? newline : end) - p)) != NULL;
}

/* Whether the line break whose white space is [space, after) ends a sentence: blank lines, lists, tables and headings do;
 * a line that was only wrapped does not. `line` is the start of the line before. */
static gboolean break_ends_sentence (const Input *input, const char *line, const char *space, const char *after,
                                     gboolean previous_table, gboolean next_table)
{
  if (after >= input->end || space == line)
    return TRUE;
  guint newlines = 0;
  for (const char *p = space; p < after && newlines < 2; p++)
    newlines += *p == '\n';
  if (newlines > 1 || previous_table || next_table || is_list_marker (input, after))
    return TRUE;
  gunichar first = char_at (input, after);
  if (g_unichar_islower (first))
    return FALSE;
  gsize width = (gsize)(space - line);
  if (space[-1] == ',' || (space[-1] == '-' && width >= SHORT_LINE / 2))
    return FALSE;
  return width < SHORT_LINE || space[-1] == ':' || space[-1] == '.' || space[-1] == '!' || space[-1] == '?';
}

/* ---- the pass -------------------------------------------------------------------------------------------- */

static void append_range (const Input *input, const char *from, const char *to, GArray *ranges)
{
  while (from < to && g_ascii_isspace (*from))
    from++;
  while (to > from && g_ascii_isspace (to[-1]))
    to--;
  if (from == to)
    return;
  LecternRange range = { (guint32)(from - input->text), (guint32)(to - input->text) };
  g_array_append_val (ranges, range);
}

/* A copy of the same length with "_" for each invalid byte and NUL. */
static char *repair_bytes (const char *text, gsize n)
{
  char *copy = g_malloc (n + 1);
  memcpy (copy, text, n);
  copy[n] = 0;
  char *p = copy;
  const char *bad;
  while (!g_utf8_validate_len (p, n - (gsize)(p - copy), &bad)) {
    p = copy + (bad - copy);
    *p++ = '_';
  }
  return copy;
}

void lectern_sentences_split (const char *text, gssize length, const char *language, GArray *ranges)
{
  static gsize built;
  if (g_once_init_enter (&built))
    g_once_init_leave (&built, build_tables ());
  gsize n = length < 0 ? strlen (text) : (gsize)length;
  g_autofree char *repaired = NULL;
  if (!g_utf8_validate_len (text, n, NULL)) {
    repaired = repair_bytes (text, n);
    text = repaired;
  }
  Input input = { text, text + n, language };
  pcre2_match_data *match = pcre2_match_data_create_from_pattern (candidates, NULL);
  PCRE2_SIZE *at = pcre2_get_ovector_pointer (match);
  const char *from = text, *line = text;
  gboolean table = n && line_has (line, input.end, '|');
  PCRE2_SIZE offset = 0;
  while (offset < n && pcre2_match (candidates, (PCRE2_SPTR)text, n, offset, PCRE2_NO_UTF_CHECK, match, NULL) > 0) {
    const char *start = text + at[0], *end = text + at[1];
    gboolean ends;
    offset = at[1];
    if (memchr (start, '\n', (gsize)(end - start))) {
      gboolean next_table = end < input.end && line_has (end, input.end, '|');
      ends = break_ends_sentence (&input, line, start, end, table, next_table);
      line = end;
      table = next_table;
    } else if (table) {
      ends = FALSE;
    } else {
      gboolean wide = (guchar)*start >= 0x80 && *start != '\xe2'; /* U+20xx is the ellipsis and the Latin doubles */
      ends = wide || stop_ends_sentence (&input, from, start, end);
    }
    if (ends) {
      append_range (&input, from, end, ranges);
      from = end;
    }
  }
  append_range (&input, from, input.end, ranges);
  pcre2_match_data_free (match);
}
