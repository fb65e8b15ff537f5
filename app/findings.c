#include "app/findings.h"
#include "app/output.h"
#include "app/passages.h"

void findings_write_json (JsonWriter *writer, const GPtrArray *findings)
{
  json_writer_begin_array (writer);
  for (guint i = 0; i < findings->len; i++) {
    const LecternFinding *finding = g_ptr_array_index (findings, i);
    json_writer_begin_object (writer);
    json_writer_member_string (writer, "kind", lectern_finding_kind_to_string (finding->kind));
    json_writer_member_page (writer, "page", finding->page);
    json_writer_member_int (writer, "amount", (gint64)MIN (finding->amount, (guint64)G_MAXINT64));
    json_writer_member_string (writer, "detail", finding->detail);
    json_writer_end_object (writer);
  }
  json_writer_end_array (writer);
}

void findings_print (const GPtrArray *findings, gboolean only_problems, const char *prefix)
{
  for (guint at = 0, n; at < findings->len; at += n) {
    g_autofree char *sentence = lectern_findings_describe (findings, at, &n);
    if (only_problems && !lectern_finding_is_problem (g_ptr_array_index (findings, at)))
      continue;
    output_printf ("%s%s\n", prefix, sentence);
  }
}
