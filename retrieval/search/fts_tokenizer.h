/* fts_tokenizer.h: the tokenizer of the full-text index, registered as "lectern".
 *
 * It is stateless between texts: the language comes inside the text, in a prefix that the view chunk_texts (schema.c) and
 * the query builder (query.c) write, so that FTS5's rebuild and integrity-check give the same tokens at any time.
 *
 *   \x02 de \x02 TEXT          document: words of TEXT stemmed as German ("" = language unknown)
 *   \x02 en,de \x02 TEXT       query: a phrase; each word also stands for its stems in the other languages
 *   \x02 =en,de \x02 WORD      query: WORD is one term as it is (a word, a joined compound, a bigram)
 *
 * Compounds put their parts at consecutive positions, and the joined spelling beside the first. Scripts without spaces put
 * each character at its own position, with the bigram that begins there beside it. */
#ifndef LECTERN_SEARCH_FTS_TOKENIZER_H
#define LECTERN_SEARCH_FTS_TOKENIZER_H

#include <sqlite3.h>

#define LECTERN_TEXT_MARK "\x02"

/* Adds the tokenizer to a connection. Returns an SQLite result code. */
int lectern_fts_tokenizer_register (sqlite3 *db);

/* FTS5's interface of a connection, NULL if this SQLite has no FTS5. */
fts5_api *lectern_fts_get_api (sqlite3 *db);

#endif
