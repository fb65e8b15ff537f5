/* generator.h: a decoder model with the session that answers run in, and one generation in it. */
#ifndef LECTERN_ANSWER_GENERATOR_H
#define LECTERN_ANSWER_GENERATOR_H

#include "engine/engine.h"
#include "retrieval/retrieval.h"

G_BEGIN_DECLS

struct _LecternGenerator {
  char *path;
  struct engine_model *model;
  struct engine_session
      *session; /* kept between answers: an unchanged beginning of the prompt is not evaluated again */
};

typedef struct {
  guint max_tokens;
  guint64 seed;            /* 0: greedy; else sampling at temperature 0.7, top-p 0.9 */
  gboolean no_speculation; /* one token at a time; the text is the same */
  const char *marker;      /* an answer that begins with it (in any case) is not streamed; NULL: none */
  LecternAnswerFunc func;  /* may be NULL */
  gpointer user_data;
} LecternGenerateOptions;

/* Evaluates the prompt and generates until the model ends its turn, `max_tokens`, a full context, or a loop. Returns the
 * text; NULL with an error (G_IO_ERROR_CANCELLED within 100 ms of cancelling). Fills the token counts and times. */
char *lectern_generate (LecternGenerator *generator, const struct engine_tokens *prompt,
                        const LecternGenerateOptions *options, LecternTimings *timings, GCancellable *cancellable,
                        GError **error);

G_END_DECLS

#endif
