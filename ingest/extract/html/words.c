#include "ingest/extract/html/words.h"

#include <stdlib.h>
#include <string.h>

#define COMMENT (1u << WORDS_COMMENT)
#define SHARE (1u << WORDS_SHARE)
#define RELATED (1u << WORDS_RELATED)
#define META (1u << WORDS_META)
#define PICTURE (1u << WORDS_PICTURE)
#define ADVERT (1u << WORDS_ADVERT)
#define NAVIGATION (1u << WORDS_NAVIGATION)
#define FOOTER (1u << WORDS_FOOTER)
#define SIDE (1u << WORDS_SIDE)
#define AUTHOR (1u << WORDS_AUTHOR)
#define HEAD (1u << WORDS_HEAD)
#define CONTENT (1u << WORDS_CONTENT)

#define MAX_WORD_BYTES 40
/* A word that begins or ends with one of the table of at least so many bytes counts as that ("relatedposts"). */
#define MIN_PART_BYTES 5

typedef struct {
  const char *word; /* lower case */
  guint32 groups;
} Word;

static const Word words[] = {
  { "about", AUTHOR },
  { "abo", ADVERT },
  { "abonnieren", ADVERT },
  { "abonnez", ADVERT },
  { "account", NAVIGATION },
  { "actualités", RELATED },
  { "ad", ADVERT },
  { "addthis", SHARE },
  { "ads", ADVERT },
  { "advert", ADVERT },
  { "also", RELATED },
  { "ansehen", RELATED },
  { "anmelden", NAVIGATION },
  { "anzeige", ADVERT },
  { "article", CONTENT },
  { "articlebody", CONTENT },
  { "artikel", CONTENT },
  { "aside", SIDE },
  { "auch", RELATED },
  { "aussi", RELATED },
  { "auteur", AUTHOR | META },
  { "author", AUTHOR | META },
  { "autor", AUTHOR | META },
  { "banner", ADVERT },
  { "beitrag", CONTENT },
  { "bericht", CONTENT },
  { "bild", PICTURE },
  { "bildquelle", PICTURE },
  { "bio", AUTHOR },
  { "blog", CONTENT },
  { "body", CONTENT },
  { "bookmark", SHARE },
  { "bottom", FOOTER },
  { "breadcrumb", NAVIGATION },
  { "breadcrumbs", NAVIGATION },
  { "brotkrumen", NAVIGATION },
  { "button", NAVIGATION },
  { "by", META },
  { "byline", META | AUTHOR },
  { "caption", PICTURE },
  { "categories", META },
  { "category", META },
  { "commentaire", COMMENT },
  { "commentaires", COMMENT },
  { "comment", COMMENT },
  { "comments", COMMENT },
  { "comentario", COMMENT },
  { "comentarios", COMMENT },
  { "comentários", COMMENT },
  { "compartilhar", SHARE },
  { "compartir", SHARE },
  { "condividi", SHARE },
  { "consent", FOOTER },
  { "contact", FOOTER },
  { "content", CONTENT },
  { "contenido", CONTENT },
  { "contenu", CONTENT },
  { "contents", NAVIGATION },
  { "contributor", AUTHOR },
  { "cookie", FOOTER },
  { "cookies", FOOTER },
  { "copyright", FOOTER },
  { "corpo", CONTENT },
  { "credit", PICTURE },
  { "credits", PICTURE },
  { "date", META },
  { "dateline", META },
  { "datenschutz", FOOTER },
  { "datum", META },
  { "dek", HEAD },
  { "dialog", FOOTER },
  { "disclaimer", FOOTER },
  { "discussion", COMMENT },
  { "disqus", COMMENT },
  { "donate", ADVERT },
  { "download", NAVIGATION },
  { "drucken", SHARE },
  { "email", SHARE },
  { "embed", PICTURE },
  { "empfehlen", SHARE },
  { "entry", CONTENT },
  { "facebook", SHARE },
  { "fecha", META },
  { "figure", PICTURE },
  { "filed", META },
  { "flyout", NAVIGATION },
  { "follow", SHARE },
  { "folgen", SHARE },
  { "foot", FOOTER },
  { "footer", FOOTER },
  { "footnav", NAVIGATION | FOOTER },
  { "form", ADVERT },
  { "foto", PICTURE },
  { "fotos", PICTURE },
  { "gallery", PICTURE },
  { "galerie", PICTURE },
  { "gdpr", FOOTER },
  { "gespeichert", COMMENT },
  { "getty", PICTURE },
  { "header", HEAD },
  { "headline", HEAD },
  { "hero", HEAD },
  { "hinterlassen", COMMENT },
  { "hide", FOOTER },
  { "image", PICTURE },
  { "images", PICTURE },
  { "img", PICTURE },
  { "impressum", FOOTER },
  { "info", META },
  { "inhalt", CONTENT },
  { "instagram", SHARE },
  { "intro", HEAD },
  { "item", RELATED },
  { "kategorie", META },
  { "kategorien", META },
  { "kicker", HEAD | META },
  { "kommentar", COMMENT },
  { "kommentare", COMMENT },
  { "kommentieren", COMMENT },
  { "komentarze", COMMENT },
  { "label", META },
  { "latest", RELATED },
  { "lead", HEAD },
  { "leave", COMMENT },
  { "left", SIDE },
  { "legal", FOOTER },
  { "legend", PICTURE },
  { "lesen", RELATED },
  { "like", SHARE },
  { "lire", RELATED },
  { "links", NAVIGATION },
  { "linkedin", SHARE },
  { "list", RELATED },
  { "login", NAVIGATION },
  { "logo", NAVIGATION },
  { "magazine", ADVERT },
  { "mail", SHARE },
  { "main", CONTENT },
  { "masthead", NAVIGATION },
  { "mehr", RELATED },
  { "menu", NAVIGATION },
  { "meta", META },
  { "metadata", META },
  { "modal", FOOTER },
  { "more", RELATED },
  { "mostread", RELATED },
  { "mundo", CONTENT },
  { "nav", NAVIGATION },
  { "navbar", NAVIGATION },
  { "navfooter", NAVIGATION | FOOTER },
  { "navheader", NAVIGATION },
  { "navi", NAVIGATION },
  { "navigation", NAVIGATION },
  { "news", RELATED },
  { "newsletter", ADVERT },
  { "next", RELATED | NAVIGATION },
  { "notice", FOOTER },
  { "nächster", NAVIGATION },
  { "outbrain", RELATED },
  { "overlay", FOOTER },
  { "page", CONTENT },
  { "pager", NAVIGATION },
  { "pagination", NAVIGATION },
  { "par", META },
  { "partager", SHARE },
  { "partner", ADVERT },
  { "paywall", ADVERT },
  { "photo", PICTURE },
  { "photos", PICTURE },
  { "picture", PICTURE },
  { "pinterest", SHARE },
  { "popular", RELATED },
  { "popup", FOOTER },
  { "por", META },
  { "post", CONTENT },
  { "posted", META },
  { "postmeta", META },
  { "posts", RELATED },
  { "prev", RELATED | NAVIGATION },
  { "previous", RELATED | NAVIGATION },
  { "print", SHARE },
  { "privacy", FOOTER },
  { "profile", AUTHOR },
  { "promo", ADVERT | RELATED },
  { "promoted", ADVERT },
  { "publicidad", ADVERT },
  { "publicidade", ADVERT },
  { "publicité", ADVERT },
  { "published", META },
  { "publié", META },
  { "quelle", PICTURE | META },
  { "rail", SIDE },
  { "rate", SHARE },
  { "rating", SHARE },
  { "reactions", COMMENT },
  { "read", RELATED },
  { "recent", RELATED },
  { "recirc", RELATED },
  { "recommend", RELATED },
  { "recommended", RELATED },
  { "register", ADVERT },
  { "related", RELATED },
  { "relacionadas", RELATED },
  { "relacionados", RELATED },
  { "replies", COMMENT },
  { "reply", COMMENT },
  { "reporter", AUTHOR },
  { "reserved", FOOTER },
  { "respond", COMMENT },
  { "responses", COMMENT },
  { "rights", FOOTER },
  { "right", SIDE },
  { "rss", NAVIGATION },
  { "schlagwort", META },
  { "schlagworte", META },
  { "schlagwörter", META },
  { "schlagwörtern", META },
  { "schreibe", COMMENT },
  { "search", NAVIGATION },
  { "secondary", SIDE },
  { "seguir", SHARE },
  { "share", SHARE },
  { "sharebar", SHARE },
  { "sharing", SHARE },
  { "shop", ADVERT },
  { "shoutbox", COMMENT },
  { "side", SIDE },
  { "sidebar", SIDE },
  { "sign", ADVERT },
  { "signup", ADVERT },
  { "similar", RELATED },
  { "skip", NAVIGATION },
  { "slide", PICTURE },
  { "slider", PICTURE | RELATED },
  { "slideshow", PICTURE },
  { "skyscraper", ADVERT },
  { "social", SHARE },
  { "source", PICTURE | META },
  { "sponsor", ADVERT },
  { "sponsored", ADVERT },
  { "standfirst", HEAD },
  { "stories", RELATED },
  { "story", CONTENT },
  { "subheadline", HEAD },
  { "subscribe", ADVERT },
  { "subscription", ADVERT },
  { "subtitle", HEAD },
  { "suggested", RELATED },
  { "summary", HEAD },
  { "suche", NAVIGATION },
  { "tab", NAVIGATION },
  { "taboola", RELATED },
  { "tabs", NAVIGATION },
  { "tag", META },
  { "tagged", META },
  { "taglist", META },
  { "tags", META },
  { "teaser", RELATED | HEAD },
  { "teasers", RELATED },
  { "teilen", SHARE },
  { "telegram", SHARE },
  { "terms", FOOTER },
  { "text", CONTENT },
  { "themen", META },
  { "thumb", PICTURE },
  { "thumbnail", PICTURE },
  { "time", META },
  { "timestamp", META },
  { "title", HEAD },
  { "toc", NAVIGATION },
  { "toolbar", NAVIGATION | SHARE },
  { "tools", SHARE },
  { "topic", META },
  { "topics", META },
  { "topnav", NAVIGATION },
  { "trackback", COMMENT },
  { "trending", RELATED },
  { "tweet", SHARE },
  { "twitter", SHARE },
  { "updated", META },
  { "uhr", META },
  { "vcard", AUTHOR },
  { "verfasst", META },
  { "veröffentlicht", META },
  { "verwandte", RELATED },
  { "verwandt", RELATED },
  { "video", PICTURE },
  { "von", META },
  { "weitere", RELATED },
  { "weiterlesen", RELATED },
  { "werbung", ADVERT },
  { "whatsapp", SHARE },
  { "widget", SIDE },
  { "widgets", SIDE },
  { "wrote", COMMENT },
  { "zurück", NAVIGATION },
  { "ähnliche", RELATED },
  { "автор", META | AUTHOR },
  { "комментарии", COMMENT },
  { "поделиться", SHARE },
  { "читайте", RELATED },
  { "фото", PICTURE },
};

/* The table as a hash, made once: the order above is for reading. Open addressing, word's index + 1. */
static guint16 slots[1024];
G_STATIC_ASSERT (G_N_ELEMENTS (words) < G_N_ELEMENTS (slots) / 2);

static guint hash_word (const char *word, gsize length)
{
  guint hash = 5381;
  for (gsize i = 0; i < length; i++)
    hash = hash * 33 + (guchar)word[i];
  return hash;
}

void words_warm_up (void)
{
  if (slots[hash_word (words[0].word, strlen (words[0].word)) % G_N_ELEMENTS (slots)])
    return;
  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    guint slot = hash_word (words[i].word, strlen (words[i].word)) % G_N_ELEMENTS (slots);
    while (slots[slot])
      slot = (slot + 1) % G_N_ELEMENTS (slots);
    slots[slot] = (guint16)(i + 1);
  }
}

static guint32 find_word (const char *word, gsize length)
{
  for (guint slot = hash_word (word, length) % G_N_ELEMENTS (slots); slots[slot];
       slot = (slot + 1) % G_N_ELEMENTS (slots)) {
    const Word *found = &words[slots[slot] - 1];
    if (strncmp (found->word, word, length) == 0 && found->word[length] == '\0')
      return found->groups;
  }
  return 0;
}

static guint32 find_word_or_part (const char *word, gsize length)
{
  guint32 groups = find_word (word, length);
  for (gsize part = length - 1; !groups && length > MIN_PART_BYTES && part >= MIN_PART_BYTES; part--)
    groups = find_word (word, part) | find_word (word + length - part, part);
  return groups;
}

guint32 words_of_name (const char *value)
{
  words_warm_up ();
  guint32 groups = 0;
  char word[MAX_WORD_BYTES];
  gsize length = 0;
  for (const char *at = value;; at++) {
    gboolean letter = g_ascii_isalpha (*at) || (guchar)*at >= 0x80;
    gboolean ends = !letter || (g_ascii_isupper (*at) && at > value && g_ascii_islower (at[-1]));
    if (ends && length > 0) {
      groups |= find_word_or_part (word, length);
      length = 0;
    }
    if (*at == '\0')
      return groups;
    if (letter && length < sizeof word)
      word[length++] = g_ascii_tolower (*at);
  }
}

guint32 words_of_text (const char *text, guint n_words)
{
  words_warm_up ();
  guint32 groups = 0;
  char word[MAX_WORD_BYTES];
  gsize length = 0;
  for (const char *at = text; n_words > 0; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);
    if (c != 0 && g_unichar_isalpha (c)) {
      if (length + 6 < sizeof word)
        length += (gsize)g_unichar_to_utf8 (g_unichar_tolower (c), word + length);
      continue;
    }
    if (c == 0xA9) /* © */
      groups |= FOOTER | PICTURE;
    if (length > 0) {
      groups |= find_word (word, length);
      n_words--;
    }
    length = 0;
    if (c == 0)
      break;
  }
  return groups;
}
