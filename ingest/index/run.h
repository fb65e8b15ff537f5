/* run.h: what the parts of an indexing run share. Internal to ingest/. */
#ifndef LECTERN_INGEST_INDEX_RUN_H
#define LECTERN_INGEST_INDEX_RUN_H

#include "ingest/ingest.h"
#include "ingest/folder/scan.h"

typedef struct {
  LecternLibrary *library;
  LecternIndexReport *report;
  GCancellable *cancellable;
  GArray *gone; /* of gint64: documents to forget at the end */
} IndexRun;

void index_run_report (IndexRun *run, const char *path, LecternStatus status, const char *error);

/* vanished.c: forgets documents below the named folders whose file is gone, and those of run->gone. */
gboolean index_forget_vanished (IndexRun *run, const LecternScan *scan, GError **error);

#endif
