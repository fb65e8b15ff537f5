#include "ingest/extract/text/rtf-codepages.h"

#include <glib.h>

const char *rtf_codepage_label (int codepage)
{
  static const struct {
    int codepage;
    const char *label;
  } labels[] = {
    { 874, "windows-874" },   { 932, "shift_jis" },     { 936, "gbk" },           { 949, "euc-kr" },
    { 950, "big5" },          { 1250, "windows-1250" }, { 1251, "windows-1251" }, { 1253, "windows-1253" },
    { 1254, "windows-1254" }, { 1255, "windows-1255" }, { 1256, "windows-1256" }, { 1257, "windows-1257" },
    { 1258, "windows-1258" }, { 65001, "utf-8" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (labels); i++)
    if (labels[i].codepage == codepage)
      return labels[i].label;
  return "windows-1252";
}

int rtf_codepage_of_charset (int charset)
{
  static const struct {
    int charset, codepage;
  } pages[] = {
    { 0, 1252 },   { 128, 932 },  { 129, 949 },  { 134, 936 },  { 136, 950 },  { 161, 1253 }, { 162, 1254 },
    { 163, 1258 }, { 177, 1255 }, { 178, 1256 }, { 186, 1257 }, { 204, 1251 }, { 222, 874 },  { 238, 1250 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    if (pages[i].charset == charset)
      return pages[i].codepage;
  return 0;
}
