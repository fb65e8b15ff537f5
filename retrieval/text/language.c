/* Language of a text. Scripts that one language (nearly) owns are told by Unicode block; the rest by function words,
 * characters that few languages use, and word endings: each piece of evidence is worth more the fewer languages share it
 * (Dunning, "Statistical identification of language", 1994, with the likelihoods replaced by that rarity). */
#include "retrieval/retrieval.h"
#include "retrieval/text/stopwords.h"

#include <math.h>
#include <string.h>

/* ---- scripts --------------------------------------------------------------------------------------------- */

typedef enum {
  SCRIPT_LATIN,
  SCRIPT_CYRILLIC,
  SCRIPT_ARABIC,
  SCRIPT_HAN,
  SCRIPT_KANA,
  SCRIPT_HANGUL,
  SCRIPT_HEBREW,
  SCRIPT_GREEK,
  SCRIPT_THAI,
  SCRIPT_DEVANAGARI,
  SCRIPT_ARMENIAN,
  SCRIPT_GEORGIAN,
  SCRIPT_BENGALI,
  SCRIPT_TAMIL,
  N_SCRIPTS
} Script;

/* Ascending, disjoint. */
static const struct {
  gunichar first, last;
  Script script;
} blocks[] = {
  { 0x0041, 0x005a, SCRIPT_LATIN },    { 0x0061, 0x007a, SCRIPT_LATIN },    { 0x00c0, 0x00d6, SCRIPT_LATIN },
  { 0x00d8, 0x00f6, SCRIPT_LATIN },    { 0x00f8, 0x024f, SCRIPT_LATIN },    { 0x0370, 0x03ff, SCRIPT_GREEK },
  { 0x0400, 0x052f, SCRIPT_CYRILLIC }, { 0x0531, 0x058a, SCRIPT_ARMENIAN }, { 0x05d0, 0x05ea, SCRIPT_HEBREW },
  { 0x0620, 0x064a, SCRIPT_ARABIC },   { 0x066e, 0x06d3, SCRIPT_ARABIC },   { 0x0904, 0x0939, SCRIPT_DEVANAGARI },
  { 0x0985, 0x09b9, SCRIPT_BENGALI },  { 0x0b85, 0x0bb9, SCRIPT_TAMIL },    { 0x0e01, 0x0e4e, SCRIPT_THAI },
  { 0x10a0, 0x10ff, SCRIPT_GEORGIAN }, { 0x1e00, 0x1eff, SCRIPT_LATIN },    { 0x1f00, 0x1fff, SCRIPT_GREEK },
  { 0x3041, 0x3096, SCRIPT_KANA },     { 0x30a1, 0x30fa, SCRIPT_KANA },     { 0x3400, 0x4dbf, SCRIPT_HAN },
  { 0x4e00, 0x9fff, SCRIPT_HAN },      { 0xac00, 0xd7a3, SCRIPT_HANGUL },   { 0xf900, 0xfaff, SCRIPT_HAN },
  { 0xff66, 0xff9d, SCRIPT_KANA },     { 0x20000, 0x3134f, SCRIPT_HAN },
};

/* The language of a script that needs no further look. */
static const char *const script_language[N_SCRIPTS] = {
  [SCRIPT_HANGUL] = "ko",   [SCRIPT_HEBREW] = "he",     [SCRIPT_GREEK] = "el",
  [SCRIPT_THAI] = "th",     [SCRIPT_DEVANAGARI] = "hi", [SCRIPT_ARMENIAN] = "hy",
  [SCRIPT_GEORGIAN] = "ka", [SCRIPT_BENGALI] = "bn",    [SCRIPT_TAMIL] = "ta",
};

static int find_script (gunichar c)
{
  gsize low = 0, high = G_N_ELEMENTS (blocks);
  while (low < high) {
    gsize middle = (low + high) / 2;
    if (c > blocks[middle].last)
      low = middle + 1;
    else if (c < blocks[middle].first)
      high = middle;
    else
      return (int)blocks[middle].script;
  }
  return -1;
}

/* ---- profiles -------------------------------------------------------------------------------------------- */

/* `words` NULL: those of the stop-word table. `letters`: characters that mark the language; `endings`: of words. */
static const struct {
  char language[4];
  Script script;
  const char *words, *letters, *endings;
} profiles[] = {
  { "en", SCRIPT_LATIN, NULL, "", "ing tion ly ness ed ted ght th wh" },
  { "de", SCRIPT_LATIN, NULL, "äöüß", "ung ungen lich keit heit isch chen ieren sch cht" },
  { "fr", SCRIPT_LATIN, NULL, "éèêëàâçîïôùûœ", "tion eur eux ment ique aux ais oir ette" },
  { "es", SCRIPT_LATIN, NULL, "áéíóúñü¿¡", "ción ciones mente dad ado ada idad ando iendo ar" },
  { "it", SCRIPT_LATIN, NULL, "àèéìòù", "zione zioni mente tà ato are ere etto ggio" },
  { "pt", SCRIPT_LATIN, NULL, "ãõçáâàéêíóôú", "ção ções mente dade ado ões inho agem ar" },
  { "nl", SCRIPT_LATIN, NULL, "ëï", "ijk heid ingen aat ij oor sch eren ing" },
  { "sv", SCRIPT_LATIN, NULL, "åäö", "ning het arna orna ande skt ighet ör ar" },
  { "da", SCRIPT_LATIN,
    "og i at det en den til er som på de med han af for ikke der var mig sig men et har om vi min havde ham hun nu "
    "over da fra "
    "du ud sin dem os op man hans hvor eller hvad skal selv her alle vil blev kunne ind når være dog noget ville jo "
    "deres efter "
    "ned skulle denne end dette mit også under have dig anden hende mine alt meget sit sine vor mod disse hvis din "
    "nogle hos "
    "blive mange ad bliver hendes været jer sådan kan hvordan hvornår hvorfor hvilken enhver uden mellem bruges brug",
    "æøå", "ning hed erne else lig ede øj ør" },
  { "no", SCRIPT_LATIN,
    "og i jeg det at en et den til er som på de med han av ikke der så var meg seg men ett har om vi min mitt ha hadde "
    "hun nå "
    "over da ved fra du ut sin dem oss opp man kan hans hvor eller hva skal selv sjøl her alle vil bli ble blitt kunne "
    "inn når "
    "være kom noen noe ville dere deres kun ja etter ned skulle denne for deg si sine sitt mot å meget hvorfor dette "
    "disse uten "
    "hvordan ingen din ditt blir samme hvilken hvilke sånn inni mellom vår hver hvem vors hvis både bare enn fordi før "
    "mange "
    "også slik vært begge siden ikkje bruk brukes",
    "æøå", "ing het ene else lig ede øy ør" },
  { "fi", SCRIPT_LATIN,
    "ja on ei se että en oli hän mutta ovat kun niin myös tai jos kuin mitä joka sen ole vain hänen jotka mukaan voi "
    "nyt tämä "
    "sitä sekä vielä ne minä sinä me te he minun sinun meidän teidän heidän mikä missä mistä mihin miten miksi milloin "
    "kuka "
    "kuinka koska olla olen olet olemme olette olivat ollut tämän tätä tässä tästä nämä noiden jonka jossa josta joita "
    "voit "
    "voidaan täytyy pitää kanssa ennen jälkeen aikana ilman yli alle kautta siitä siinä silloin sitten kuitenkin "
    "enemmän hyvin",
    "äö", "nen ssa ssä sta stä lla llä lta aan ään sti ksi ista" },
  { "pl", SCRIPT_LATIN,
    "i w na z do że się nie to jest o jak ale po co tak za od przez przy dla ma są tym już tego czy był było była jego "
    "jej ich "
    "tylko może oraz lub przed pod nad bez ten ta te tej temu który która które których którym aby gdy gdzie kiedy "
    "dlaczego "
    "jaki jaka jakie kto czym ja ty on ona ono my wy oni mnie mi ci cię go mu nam was nas także również jednak bardzo "
    "między "
    "być będzie będą został została należy można jeśli jeżeli tu tam ze we",
    "ąćęłńóśźż", "ość ego ych owy owa cja nie ście ować ów" },
  { "cs", SCRIPT_LATIN,
    "a v na se že je to s z do o i k ve pro za by si jsem jako po tak ale jeho jsou byl byla bylo být které který "
    "která kterou "
    "kterých nebo při od jen už co ze ke až není však podle ten ta tento tato toto těchto jejich také ještě může mezi "
    "před jak "
    "kde kdy kdo proč jaký jaká jaké jsme jste budou bude má mají můžete musí pokud když aby my vy oni ona on já ty mi "
    "ho mu "
    "jej ji pod nad bez další velmi",
    "áčďéěíňóřšťúůýž", "ost ení ání ých ého ová ský ční ové" },
  { "ro", SCRIPT_LATIN,
    "și de la în a cu pe nu o un să din că este pentru mai care au sau se ce dar fost ca prin cel cea cei cele lui ei "
    "ele el "
    "ea noi voi eu tu lor sunt era erau fi va vor am ai are avea dacă după până când unde cum cine cât câte acest "
    "această "
    "aceste acestea acesta aceasta acel foarte tot toate toți fără între sub peste despre poate pot trebuie fie doar "
    "numai "
    "astfel dintre asupra către unei unui ne vă îl îi",
    "ăâîșțşţ", "ului ilor are ție ea ată eşte ește ească" },
  { "hu", SCRIPT_LATIN,
    "a az és hogy nem is egy ez van de meg csak már ha mint még el volt azt be ki fel le kell vagy lehet amely aki ami "
    "ahol "
    "amikor mert én te ő mi ti ők ezt ebben abban arra erre ennek annak mely mit mi hol mikor hogyan miért milyen "
    "melyik nincs "
    "lesz voltak után előtt alatt között szerint által nélkül pedig illetve valamint így úgy akkor itt ott most minden "
    "több sok "
    "nagyon lenne legyen majd sem saját során",
    "áéíóöőúüű", "ság ség nak nek ban ben tás tés ról ről hoz ek ok" },
  { "tr", SCRIPT_LATIN, NULL, "çğıöşüİ", "lar ler ın nın dır dir mak mek ları leri iyor acak eki" },
  { "ru", SCRIPT_CYRILLIC, NULL, "ёыэъ", "ость ение ния ого ый ия ться ами" },
  { "uk", SCRIPT_CYRILLIC,
    "і в на не що з та до як це за у від він є по для але про якщо або його її їх був була було були може який яка яке "
    "які "
    "якого цей ця ці цього тому коли де хто чому ми ви вони вона я ти мене мені вас нас нам вам так лише тільки також "
    "при під "
    "над без через після перед між має мають бути буде слід треба можна й ще вже дуже більше",
    "іїєґ", "ість ення ння ого ий ія тися ами" },
  { "bg", SCRIPT_CYRILLIC,
    "и на да се в е от за с не по че са като до си което който която които или но е като той тя те ние вие аз ти ми му "
    "им ни "
    "ви това този тази тези при след през само може трябва има няма беше бяха съм сме ще бъде когато къде как защо кой "
    "какво "
    "без между към още вече много всички между",
    "ъщ", "ите ата ето ния ост ане ят ски" },
};

#define N_PROFILES G_N_ELEMENTS (profiles)
G_STATIC_ASSERT (N_PROFILES <= 32);

enum { MAX_ENDING_BYTES = 12, WINDOW_BYTES = 3000, N_WINDOWS = 3, MAX_WORDS = 1200 };

static GHashTable *words_of, *letters_of, *endings_of; /* to a mask of profiles */

static void add_mask (GHashTable *table, gpointer key, guint profile)
{
  guint mask = GPOINTER_TO_UINT (g_hash_table_lookup (table, key));
  g_hash_table_insert (table, key, GUINT_TO_POINTER (mask | 1u << profile));
}

static void add_words (GHashTable *table, const char *list, guint profile)
{
  g_auto (GStrv) words = g_strsplit (list, " ", -1);
  for (char **w = words; *w; w++)
    add_mask (table, g_strdup (*w), profile);
}

static gsize build_tables (void)
{
  words_of = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  endings_of = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  letters_of = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < N_PROFILES; i++) {
    const char *list = profiles[i].words ? profiles[i].words : lectern_stopwords_get (profiles[i].language);
    add_words (words_of, list, i);
    add_words (endings_of, profiles[i].endings, i);
    for (const char *p = profiles[i].letters; *p; p = g_utf8_next_char (p))
      add_mask (letters_of, GUINT_TO_POINTER (g_utf8_get_char (p)), i);
  }
  return 1;
}

/* ---- evidence -------------------------------------------------------------------------------------------- */

typedef struct {
  guint n_letters[N_SCRIPTS];
  guint n_words, n_persian, n_urdu;
  guint hits[N_PROFILES]; /* function words */
  double score[N_PROFILES];
} Evidence;

static void add_evidence (Evidence *evidence, guint mask, double weight, gboolean is_word)
{
  if (!mask)
    return;
  guint shared = (guint)__builtin_popcount (mask);
  double worth = weight * (0.15 + log ((double)N_PROFILES / shared));
  for (guint i = 0; i < N_PROFILES; i++)
    if (mask & 1u << i) {
      evidence->score[i] += worth;
      evidence->hits[i] += is_word;
    }
}

static void read_word (Evidence *evidence, const char *word, gsize length)
{
  evidence->n_words++;
  guint mask = GPOINTER_TO_UINT (g_hash_table_lookup (words_of, word));
  /* One-letter words are also list markers and variables. */
  add_evidence (evidence, mask, length == 1 ? 0.5 : 1, TRUE);
  for (const char *p = word; *p; p = g_utf8_next_char (p))
    if ((guchar)*p >= 0x80)
      add_evidence (evidence,
                    GPOINTER_TO_UINT (g_hash_table_lookup (letters_of, GUINT_TO_POINTER (g_utf8_get_char (p)))), 0.4,
                    FALSE);
  if (mask)
    return;
  for (gsize n = MIN (length - 1, MAX_ENDING_BYTES); n >= 2; n--) {
    guint found = GPOINTER_TO_UINT (g_hash_table_lookup (endings_of, word + length - n));
    if (found) {
      add_evidence (evidence, found, 0.25, FALSE);
      break;
    }
  }
}

static void read_window (Evidence *evidence, const char *p, const char *end)
{
  char word[64];
  gsize length = 0;
  while (p <= end && evidence->n_words < MAX_WORDS) {
    gunichar c = p < end ? g_utf8_get_char_validated (p, end - p) : 0;
    if (c == (gunichar)-1 || c == (gunichar)-2)
      c = 0;
    int script = find_script (c);
    if (script >= 0) {
      evidence->n_letters[script]++;
      evidence->n_persian += c == 0x67e || c == 0x686 || c == 0x698 || c == 0x6af || c == 0x6cc || c == 0x6a9;
      evidence->n_urdu += c == 0x679 || c == 0x688 || c == 0x691 || c == 0x6ba || c == 0x6d2 || c == 0x6be;
    }
    gboolean joins = script == SCRIPT_LATIN || script == SCRIPT_CYRILLIC;
    if (joins && length < sizeof word - 8) {
      length += (gsize)g_unichar_to_utf8 (g_unichar_tolower (c), word + length);
    } else if (!joins && length) {
      word[length] = 0;
      read_word (evidence, word, length);
      length = 0;
    }
    p += p < end && c ? g_utf8_skip[(guchar)*p] : 1;
  }
}

static const char *pick_profile (const Evidence *evidence, Script script)
{
  guint best = N_PROFILES;
  double second = 0;
  for (guint i = 0; i < N_PROFILES; i++) {
    if (profiles[i].script != script)
      continue;
    if (best == N_PROFILES || evidence->score[i] > evidence->score[best]) {
      if (best != N_PROFILES)
        second = MAX (second, evidence->score[best]);
      best = i;
    } else {
      second = MAX (second, evidence->score[i]);
    }
  }
  double score = evidence->score[best], share = score / MAX (evidence->n_words, 1u);
  /* Two clear function words, or their worth in letters and endings; more of them the longer the text is. */
  if (score < 2.4 || share < 0.08 || score < second * 1.12 + 0.3)
    return NULL;
  return profiles[best].language;
}

const char *lectern_language_detect (const char *text, gssize length)
{
  static gsize built;
  if (g_once_init_enter (&built))
    g_once_init_leave (&built, build_tables ());
  gsize n = length < 0 ? strlen (text) : (gsize)length;
  Evidence evidence = { 0 };
  if (n <= WINDOW_BYTES * N_WINDOWS) {
    read_window (&evidence, text, text + n);
  } else {
    for (gsize i = 0; i < N_WINDOWS; i++) {
      const char *start = text + (n - WINDOW_BYTES) / (N_WINDOWS - 1) * i, *end = start + WINDOW_BYTES;
      while (start < end && ((guchar)*start & 0xc0) == 0x80)
        start++;
      read_window (&evidence, start, MIN (end, text + n));
    }
  }

  /* A Chinese or Korean character says about as much as half a word. */
  guint weight[N_SCRIPTS], total = 0, best = 0;
  for (guint s = 0; s < N_SCRIPTS; s++) {
    weight[s] = evidence.n_letters[s] * (s == SCRIPT_HAN || s == SCRIPT_KANA || s == SCRIPT_HANGUL ? 3 : 1);
    total += weight[s];
  }
  weight[SCRIPT_HAN] += weight[SCRIPT_KANA];
  for (guint s = 1; s < N_SCRIPTS; s++)
    if (s != SCRIPT_KANA && weight[s] > weight[best])
      best = s;
  if (weight[best] < 6 || weight[best] * 2 < total)
    return NULL;
  switch (best) {
  case SCRIPT_LATIN:
  case SCRIPT_CYRILLIC: return pick_profile (&evidence, (Script)best);
  case SCRIPT_HAN: return evidence.n_letters[SCRIPT_KANA] * 12 > evidence.n_letters[SCRIPT_HAN] ? "ja" : "zh";
  case SCRIPT_ARABIC:
    if (evidence.n_urdu * 25 > evidence.n_letters[SCRIPT_ARABIC])
      return "ur";
    return evidence.n_persian * 25 > evidence.n_letters[SCRIPT_ARABIC] ? "fa" : "ar";
  default: return script_language[best];
  }
}
