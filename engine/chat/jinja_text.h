/* jinja_text.h: what filters and methods do to strings. What is put in place of content, or between pieces of it, is
 * content. */
#ifndef LECTERN_JINJA_TEXT_H
#define LECTERN_JINJA_TEXT_H

#include "engine/chat/jinja_value.h"

/* Single code points only: "ß" has no capital here but "SS", and final sigmas are not told apart. */
enum jinja_case {
  JINJA_LOWER,
  JINJA_UPPER,
  JINJA_CAPITALIZE, /* the first character upper, the others lower */
  JINJA_TITLE,      /* str.title(): so in each run of letters */
  JINJA_TITLE_WORDS /* the filter: so in each word after space, "-", "(", "{", "[" or "<" */
};
struct jinja_string jinja_change_case (struct jinja_run *run, struct jinja_string string, enum jinja_case change);

/* The first `most` places (all, if negative). */
struct jinja_string jinja_replace (struct jinja_run *run, struct jinja_string string, struct jinja_string old,
                                   struct jinja_string new, int64_t most);
/* At most `most` cuts (any number, if negative), from the left or from the right; at white space if separator is NULL. */
struct jinja_value jinja_split (struct jinja_run *run, struct jinja_string string, const struct jinja_string *separator,
                                int64_t most, bool from_right);
struct jinja_value jinja_split_lines (struct jinja_run *run, struct jinja_string string, bool keep_ends);
/* `attribute` may be NULL. Items that are no strings are written as str() has them if `any`, else refused. */
struct jinja_string jinja_join (struct jinja_run *run, const struct jinja_list *list, struct jinja_string separator,
                                const struct jinja_value *attribute, bool any);

/* Optional arguments: what is given, unless it is none. */
int64_t jinja_integer_or (struct jinja_run *run, const struct jinja_value *value, int64_t otherwise);
bool jinja_true_or (const struct jinja_value *value, bool otherwise);

#endif
