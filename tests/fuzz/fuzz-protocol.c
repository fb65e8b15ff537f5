/* Fuzzes the frames that lectern-extract answers with: the first byte says in what pieces they come. */
#include "ingest/reader/frame.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  if (size < 1)
    return 0;
  gsize step = data[0] ? data[0] : size;
  FrameDecoder *decoder = frame_decoder_new (1 << 20);
  for (gsize at = 1; at < size; at += step)
    if (frame_decoder_feed (decoder, data + at, MIN (step, size - at)) > FRAME_COMPLETE)
      break;
  LecternExtraction *extraction = frame_decoder_steal (decoder);
  for (guint i = 0; i < extraction->blocks->len; i++)
    g_assert_true (g_utf8_validate (((LecternBlock *)extraction->blocks->pdata[i])->text, -1, NULL));
  lectern_extraction_free (extraction);
  frame_decoder_free (decoder);
  return 0;
}
