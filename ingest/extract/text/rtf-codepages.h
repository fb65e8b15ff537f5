/* rtf-codepages.h: code pages and font charsets of RTF to labels of encoding.h. Internal to ingest/extract/. */
#ifndef LECTERN_EXTRACT_RTF_CODEPAGES_H
#define LECTERN_EXTRACT_RTF_CODEPAGES_H

const char *rtf_codepage_label (int codepage); /* "windows-1252" for one that is not known; static */
int rtf_codepage_of_charset (int charset);     /* of \fcharsetN; 0: the document's own */

#endif
