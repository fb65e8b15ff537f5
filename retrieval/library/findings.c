/* findings.c: what indexing noticed about a document, in words and in the library. */
#include "retrieval/library/findings.h"

#include <string.h>

/* What a finding says. `page` and `pages` are for findings of one page and of several; "%s" is the list of pages. */
static const struct {
  const char *name;
  gboolean problem;
  const char *page, *pages;
} words[] = {
  [LECTERN_FINDING_PAGE_WITHOUT_TEXT] = { "page without text", TRUE, "Page %s holds no text that could be read",
                                          "Pages %s hold no text that could be read" },
  [LECTERN_FINDING_PAGE_RECOGNIZED] = { "page recognized", FALSE, "The text of page %s was recognized from its image",
                                        "The text of pages %s was recognized from their images" },
  [LECTERN_FINDING_PAGE_DAMAGED]
  = { "page damaged", TRUE, "Page %s is damaged and left out", "Pages %s are damaged and left out" },
  [LECTERN_FINDING_DOUBTFUL_ORDER] = { "doubtful order", FALSE, "The order of reading on page %s is a guess",
                                       "The order of reading on pages %s is a guess" },
  [LECTERN_FINDING_HIDDEN_TEXT] = { "hidden text", TRUE, "Text that nobody sees on page %s was left out",
                                    "Text that nobody sees on pages %s was left out" },
  [LECTERN_FINDING_BOILERPLATE]
  = { "boilerplate", FALSE, "Repeated matter on page %s was left out", "Repeated matter on pages %s was left out" },
  [LECTERN_FINDING_CUT] = { "cut", TRUE, "Not all of page %s is read", "Not all of pages %s is read" },
};
G_STATIC_ASSERT (G_N_ELEMENTS (words) == LECTERN_N_FINDING_KINDS);

/* The same about a document without pages, or about all of one. */
static const char *const whole_words[] = {
  [LECTERN_FINDING_PAGE_WITHOUT_TEXT] = "Pages without text that could be read",
  [LECTERN_FINDING_PAGE_RECOGNIZED] = "The text was recognized from images",
  [LECTERN_FINDING_PAGE_DAMAGED] = "Parts are damaged and left out",
  [LECTERN_FINDING_DOUBTFUL_ORDER] = "The order of reading is a guess",
  [LECTERN_FINDING_HIDDEN_TEXT] = "Text that nobody sees was left out",
  [LECTERN_FINDING_BOILERPLATE] = "Navigation or repeated matter was left out",
  [LECTERN_FINDING_CUT] = "Not all of it is read",
};
G_STATIC_ASSERT (G_N_ELEMENTS (whole_words) == LECTERN_N_FINDING_KINDS);

LecternFinding *lectern_finding_new (LecternFindingKind kind, int page, guint64 amount, const char *detail)
{
  LecternFinding *finding = g_new0 (LecternFinding, 1);
  finding->kind = kind;
  finding->page = page;
  finding->amount = amount;
  finding->detail = g_strdup (detail && *detail ? detail : NULL);
  return finding;
}

void lectern_finding_free (LecternFinding *finding)
{
  if (!finding)
    return;
  g_free (finding->detail);
  g_free (finding);
}

const char *lectern_finding_kind_to_string (LecternFindingKind kind)
{
  return (guint)kind < LECTERN_N_FINDING_KINDS ? words[kind].name : "unknown";
}

/* Menus, dialogs and notes for screen readers hide like this in every other web page; no honest page needs other ways. */
static gboolean is_usual_hiding (const LecternFinding *finding)
{
  static const char *const ways[] = { "hidden attribute", "aria-hidden",  "display: none", "visibility: hidden",
                                      "transparent",      "clipped away", "off the page",  NULL };
  return finding->kind == LECTERN_FINDING_HIDDEN_TEXT && finding->page == 0 && finding->detail
         && g_strv_contains (ways, finding->detail);
}

gboolean lectern_finding_is_problem (const LecternFinding *finding)
{
  return (guint)finding->kind < LECTERN_N_FINDING_KINDS && words[finding->kind].problem && !is_usual_hiding (finding);
}

/* "1, 3–5 and 9"; long lists end in "and N more". */
static char *dup_page_list (const GPtrArray *findings, guint at, guint n)
{
  enum { MAX_RUNS = 12 };
  GString *list = g_string_new (NULL);
  guint runs = 0;
  for (guint i = at; i < at + n;) {
    int first = ((const LecternFinding *)findings->pdata[i])->page, last = first;
    for (i++; i < at + n && ((const LecternFinding *)findings->pdata[i])->page - last <= 1; i++)
      last = ((const LecternFinding *)findings->pdata[i])->page;
    if (runs++ == MAX_RUNS) {
      g_string_append (list, ", …");
      break;
    }
    g_string_append_printf (list, "%s%d", !list->len ? "" : i >= at + n ? " and " : ", ", first);
    if (last > first)
      g_string_append_printf (list, "–%d", last);
  }
  return g_string_free (list, FALSE);
}

char *lectern_findings_describe (const GPtrArray *findings, guint at, guint *n)
{
  const LecternFinding *first = g_ptr_array_index (findings, at);
  guint64 amount = first->amount;
  guint end = at + 1;
  for (; end < findings->len; end++) {
    const LecternFinding *next = g_ptr_array_index (findings, end);
    const LecternFinding *before = g_ptr_array_index (findings, end - 1);
    if (next->kind != first->kind || first->page == 0 || next->page < before->page
        || g_strcmp0 (next->detail, first->detail) != 0)
      break;
    amount += next->amount;
  }
  *n = end - at;
  GString *text = g_string_new (NULL);
  if (first->page > 0) {
    g_autofree char *pages = dup_page_list (findings, at, *n);
    gboolean several = first->page != ((const LecternFinding *)findings->pdata[end - 1])->page;
    g_auto (GStrv) halves = g_strsplit (several ? words[first->kind].pages : words[first->kind].page, "%s", 2);
    g_string_append_printf (text, "%s%s%s", halves[0], pages, halves[1]);
  } else
    g_string_append (text, whole_words[first->kind]);
  if (first->kind == LECTERN_FINDING_PAGE_RECOGNIZED && amount > 0)
    g_string_append_printf (text, " (confidence %" G_GUINT64_FORMAT " %%)", amount / *n);
  else if ((first->kind == LECTERN_FINDING_HIDDEN_TEXT || first->kind == LECTERN_FINDING_BOILERPLATE) && amount > 0)
    g_string_append_printf (text, " (%" G_GUINT64_FORMAT " characters%s%s)", amount, first->detail ? ", " : "",
                            first->detail ? first->detail : "");
  else if (first->detail)
    g_string_append_printf (text, ": %s", first->detail);
  g_string_append_c (text, '.');
  return g_string_free (text, FALSE);
}

gboolean lectern_findings_store (sqlite3 *db, const GPtrArray *findings, gint64 content, GError **error)
{
  if (findings->len == 0)
    return TRUE;
  g_autoptr (LecternStatement) insert = lectern_database_prepare (
      db, "INSERT INTO findings (content_id, ordinal, kind, page, amount, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
      error);
  if (!insert)
    return FALSE;
  for (guint i = 0; i < findings->len; i++) {
    const LecternFinding *finding = g_ptr_array_index (findings, i);
    sqlite3_bind_int64 (insert, 1, content);
    sqlite3_bind_int64 (insert, 2, i);
    sqlite3_bind_int (insert, 3, (int)finding->kind);
    sqlite3_bind_int (insert, 4, finding->page);
    sqlite3_bind_int64 (insert, 5, (gint64)MIN (finding->amount, (guint64)G_MAXINT64));
    lectern_bind_text (insert, 6, finding->detail);
    if (!lectern_database_run (insert, "Storing a document", error))
      return FALSE;
  }
  return TRUE;
}

GPtrArray *lectern_library_list_findings (LecternLibrary *library, gint64 id, GError **error)
{
  g_autoptr (GPtrArray) findings = g_ptr_array_new_with_free_func ((GDestroyNotify)lectern_finding_free);
  g_autoptr (LecternStatement) list = lectern_database_prepare (
      library->db,
      "SELECT f.kind, f.page, f.amount, f.detail FROM documents AS d JOIN findings AS f ON f.content_id = d.content_id"
      " WHERE d.id = ?1 ORDER BY f.ordinal",
      error);
  if (!list)
    return NULL;
  sqlite3_bind_int64 (list, 1, id);
  int rc;
  while ((rc = sqlite3_step (list)) == SQLITE_ROW) {
    int kind = sqlite3_column_int (list, 0);
    /* A kind that a later version added, or damage. */
    if (kind < 0 || kind >= LECTERN_N_FINDING_KINDS)
      continue;
    g_ptr_array_add (findings, lectern_finding_new ((LecternFindingKind)kind, sqlite3_column_int (list, 1),
                                                    (guint64)MAX (sqlite3_column_int64 (list, 2), 0),
                                                    (const char *)sqlite3_column_text (list, 3)));
  }
  if (rc != SQLITE_DONE) {
    lectern_database_fail (library->db, "Reading the library", error);
    return NULL;
  }
  return g_steal_pointer (&findings);
}

char **lectern_library_dup_warnings (LecternLibrary *library, gint64 id, GError **error)
{
  g_autoptr (LecternStatement) find = lectern_database_prepare (
      library->db,
      "SELECT coalesce(c.warnings, '') FROM documents AS d JOIN contents AS c ON c.id = d.content_id WHERE d.id = ?1",
      error);
  if (!find)
    return NULL;
  sqlite3_bind_int64 (find, 1, id);
  int rc = sqlite3_step (find);
  if (rc == SQLITE_ROW) {
    const char *lines = (const char *)sqlite3_column_text (find, 0);
    return lines && *lines ? g_strsplit (lines, "\n", -1) : g_new0 (char *, 1);
  }
  if (rc != SQLITE_DONE) {
    lectern_database_fail (library->db, "Reading the library", error);
    return NULL;
  }
  return g_new0 (char *, 1);
}
