#include "ingest/extract/html/hidden.h"

#include "ingest/extract/html/dom.h"

#include <string.h>

#define MAX_VALUE_BYTES 64
/* A shift by more than so many pixels (or a hundredth of that in em) leads off the page. */
#define OFF_PAGE_PIXELS 900

typedef struct {
  char colour[MAX_VALUE_BYTES], background[MAX_VALUE_BYTES];
  gboolean empty_box, cut; /* width or height 0; overflow: hidden */
} Box;

/* A number that is zero, whatever its unit. */
static gboolean is_zero (const char *value)
{
  char *end;
  double number = g_ascii_strtod (value, &end);
  return end > value && number > -1e-6 && number < 0.011;
}

static gboolean is_off_page (const char *value)
{
  char *end;
  double number = g_ascii_strtod (value, &end);
  double scale = g_str_has_prefix (end, "em") || g_str_has_prefix (end, "rem") ? 16 : end[0] == '%' ? 9 : 1;
  return end > value && number * scale <= -OFF_PAGE_PIXELS;
}

static gboolean is_white (const char *value)
{
  return strcmp (value, "white") == 0 || strcmp (value, "#fff") == 0 || strcmp (value, "#ffffff") == 0
         || strcmp (value, "rgb(255,255,255)") == 0;
}

static Hiding see_property (const char *name, const char *value, Box *box)
{
  if (strcmp (name, "display") == 0)
    return g_str_has_prefix (value, "none") ? HIDING_DISPLAY : HIDING_NONE;
  if (strcmp (name, "visibility") == 0)
    return g_str_has_prefix (value, "hidden") || g_str_has_prefix (value, "collapse") ? HIDING_VISIBILITY : HIDING_NONE;
  if (strcmp (name, "opacity") == 0)
    return is_zero (value) ? HIDING_TRANSPARENT : HIDING_NONE;
  if (strcmp (name, "font-size") == 0)
    return is_zero (value) || strcmp (value, "1px") == 0 || strcmp (value, "1pt") == 0 ? HIDING_TINY : HIDING_NONE;
  if (strcmp (name, "text-indent") == 0 || strcmp (name, "left") == 0 || strcmp (name, "top") == 0
      || strcmp (name, "margin-left") == 0 || strcmp (name, "right") == 0)
    return is_off_page (value) ? HIDING_OFF_PAGE : HIDING_NONE;
  if (strcmp (name, "clip") == 0)
    return g_str_has_prefix (value, "rect(0") || g_str_has_prefix (value, "rect(1px") ? HIDING_CLIPPED : HIDING_NONE;
  if (strcmp (name, "clip-path") == 0)
    return g_str_has_prefix (value, "inset(50%") || g_str_has_prefix (value, "inset(100%") ? HIDING_CLIPPED
                                                                                           : HIDING_NONE;
  if (strcmp (name, "color") == 0)
    g_strlcpy (box->colour, value, sizeof box->colour);
  else if (strcmp (name, "background") == 0 || strcmp (name, "background-color") == 0)
    g_strlcpy (box->background, value, sizeof box->background);
  else if (strcmp (name, "width") == 0 || strcmp (name, "height") == 0 || strcmp (name, "max-height") == 0)
    box->empty_box |= is_zero (value);
  else if (strcmp (name, "overflow") == 0)
    box->cut |= g_str_has_prefix (value, "hidden");
  return HIDING_NONE;
}

/* White text on a page that says nothing of another background, in attributes or by classes. */
static gboolean stands_on_white (const xmlNode *node)
{
  for (; node && node->type == XML_ELEMENT_NODE; node = node->parent) {
    const char *style = html_attribute (node, "style");
    gboolean is_page = html_is (node, "body") || html_is (node, "html");
    if ((style && strstr (style, "background")) || html_attribute (node, "bgcolor")
        || html_attribute (node, "background") || html_attribute (node, "class")
        || (html_attribute (node, "id") && !is_page))
      return FALSE;
  }
  return TRUE;
}

/* The next declaration of a list, lower case and without white space; FALSE at the end. */
static gboolean next_declaration (const char **css, char name[24], char value[MAX_VALUE_BYTES])
{
  const char *at = *css;
  if (!*at)
    return FALSE;
  gsize n = 0;
  for (; *at && *at != ':' && *at != ';'; at++)
    if (!g_ascii_isspace (*at) && n + 1 < 24)
      name[n++] = g_ascii_tolower (*at);
  name[n] = '\0';
  n = 0;
  if (*at == ':')
    for (at++; *at && *at != ';'; at++)
      if (!g_ascii_isspace (*at) && n + 1 < MAX_VALUE_BYTES)
        value[n++] = g_ascii_tolower (*at);
  value[n] = '\0';
  *css = at + (*at == ';');
  return TRUE;
}

static Hiding hiding_by_style (const xmlNode *node, const char *style)
{
  Box box = { .empty_box = FALSE };
  char name[24], value[MAX_VALUE_BYTES];
  for (const char *at = style; next_declaration (&at, name, value);) {
    Hiding hiding = see_property (name, value, &box);
    if (hiding)
      return hiding;
  }
  if (box.empty_box && box.cut)
    return HIDING_CLIPPED;
  if (box.colour[0] && (strcmp (box.colour, box.background) == 0 || g_str_has_prefix (box.colour, "transparent")))
    return HIDING_COLOUR;
  if (box.colour[0] && !box.background[0] && is_white (box.colour) && stands_on_white (node))
    return HIDING_COLOUR;
  return HIDING_NONE;
}

/* The way of hiding that a property decides on. */
static Hiding way_of_property (const char *name)
{
  static const struct {
    const char *name;
    Hiding way;
  } ways[] = {
    { "display", HIDING_DISPLAY },      { "visibility", HIDING_VISIBILITY }, { "opacity", HIDING_TRANSPARENT },
    { "font-size", HIDING_TINY },       { "text-indent", HIDING_OFF_PAGE },  { "left", HIDING_OFF_PAGE },
    { "top", HIDING_OFF_PAGE },         { "right", HIDING_OFF_PAGE },        { "margin-left", HIDING_OFF_PAGE },
    { "position", HIDING_NONE },        { "clip", HIDING_CLIPPED },          { "clip-path", HIDING_CLIPPED },
    { "width", HIDING_CLIPPED },        { "height", HIDING_CLIPPED },        { "max-height", HIDING_CLIPPED },
    { "overflow", HIDING_CLIPPED },     { "color", HIDING_COLOUR },          { "background", HIDING_COLOUR },
    { "background-color", HIDING_COLOUR },
  };
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    if (strcmp (name, ways[i].name) == 0)
      return ways[i].way;
  return HIDING_NONE;
}

void html_read_declarations (const char *css, HideDeclarations *declarations)
{
  *declarations = (HideDeclarations){ 0 };
  Box box = { .empty_box = FALSE };
  gboolean moves = FALSE, pictured = FALSE;
  char name[24], value[MAX_VALUE_BYTES];
  for (const char *at = css; next_declaration (&at, name, value);) {
    char *important = strchr (value, '!');
    gboolean strong = important && strcmp (important, "!important") == 0;
    if (important)
      *important = '\0';
    moves |= g_str_has_prefix (name, "transition") || g_str_has_prefix (name, "animation");
    pictured |= strstr (value, "url(") || strstr (value, "gradient(");
    Hiding way = way_of_property (name);
    if (way == HIDING_NONE)
      continue;
    guint16 bit = (guint16)(1u << way);
    Hiding hiding = see_property (name, value, &box);
    if (strong)
      declarations->important |= bit;
    /* The last one of a property counts; of the several that lead off the page or clip, any that does. */
    if (hiding)
      declarations->hides |= bit;
    else if (way != HIDING_OFF_PAGE && way != HIDING_CLIPPED)
      declarations->hides &= (guint16)~bit;
    declarations->shows |= bit;
  }
  if (box.empty_box && box.cut)
    declarations->hides |= 1u << HIDING_CLIPPED;
  if (box.colour[0] && (strcmp (box.colour, box.background) == 0 || strcmp (box.colour, "transparent") == 0))
    declarations->hides |= 1u << HIDING_COLOUR;
  if (moves)
    declarations->hides &= 1u << HIDING_DISPLAY;
  if (pictured)
    declarations->hides &= (guint16)~(1u << HIDING_OFF_PAGE | 1u << HIDING_TINY | 1u << HIDING_COLOUR);
  declarations->shows &= (guint16)~declarations->hides;
}

void html_mark_hidden (xmlNode *node, Hiding hiding)
{
  node->extra = (unsigned short)((node->extra & 0xFF) | (hiding << 8));
}

Hiding html_hiding (const xmlNode *node)
{
  if (node->type != XML_ELEMENT_NODE)
    return HIDING_NONE;
  if (!node->properties)
    return (Hiding)(node->extra >> 8);
  if (html_is (node, "body") || html_is (node, "html"))
    return HIDING_NONE; /* pages that a script shows when it has run */
  const char *hidden = html_attribute (node, "hidden"), *aria = html_attribute (node, "aria-hidden");
  const char *style = html_attribute (node, "style");
  if (hidden && g_ascii_strcasecmp (hidden, "until-found") != 0)
    return HIDING_ATTRIBUTE;
  if (aria && g_ascii_strcasecmp (aria, "true") == 0)
    return HIDING_ARIA;
  Hiding hiding = style && style[0] ? hiding_by_style (node, style) : HIDING_NONE;
  return hiding ? hiding : (Hiding)(node->extra >> 8);
}

const char *html_hiding_to_string (Hiding hiding)
{
  static const char *const names[N_HIDINGS] = {
    [HIDING_NONE] = "shown",
    [HIDING_ATTRIBUTE] = "hidden attribute",
    [HIDING_ARIA] = "aria-hidden",
    [HIDING_DISPLAY] = "display: none",
    [HIDING_VISIBILITY] = "visibility: hidden",
    [HIDING_TRANSPARENT] = "transparent",
    [HIDING_TINY] = "too small",
    [HIDING_OFF_PAGE] = "off the page",
    [HIDING_CLIPPED] = "clipped away",
    [HIDING_COLOUR] = "in the colour of its background",
  };
  return names[hiding];
}
