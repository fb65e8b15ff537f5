/* generator.h: a decoder model with the session that answers run in, and one generation in it. */
#ifndef LECTERN_ANSWER_GENERATOR_H
#define LECTERN_ANSWER_GENERATOR_H

#include "engine/engine.h"
#include "retrieval/cache/digest.h"
#include "retrieval/retrieval.h"

G_BEGIN_DECLS

/* A prompt, and where beginnings end that others have, too. Start from {0}. */
typedef struct {
  struct engine_tokens tokens;
  gsize n_system;   /* < tokens.n: the beginning that all prompts of the model have */
  gsize n_passages; /* < tokens.n: the beginning that all questions on these passages have; 0: there are none */
  GArray *passages; /* of LecternDigest of their texts, in order */
} LecternPrompt;

void lectern_prompt_clear (LecternPrompt *prompt);

/* "generator", "encoder", …: static. */
const char *lectern_role_get_name (enum engine_role role);

struct _LecternGenerator {
  char *path;
  struct engine_model *model;
  struct engine_session
      *session;          /* kept between answers: an unchanged beginning of the prompt is not evaluated again */
  LecternDigest binding; /* what its states are worth nothing without: the very model file, the engine, the processor */
  LecternCache *cache;   /* NULL: nothing is saved */
  LecternPrompt prompt;  /* the last that was evaluated, or a beginning of it */
  gboolean asked;        /* ... for a question that was sent */
  char *conversation;    /* of the last question that was sent; NULL: none */
  GArray *previous;      /* its prompt's passages; NULL: none */
};

typedef struct {
  guint max_tokens;
  guint64 seed;            /* 0: greedy; else sampling at temperature 0.7, top-p 0.9 */
  gboolean no_speculation; /* one token at a time; the text is the same */
  const char *marker;      /* an answer that begins with it (in any case) is not streamed; NULL: none */
  LecternAnswerFunc func;  /* may be NULL */
  gpointer user_data;
} LecternGenerateOptions;

/* Evaluates the first n_tokens of the prompt, as far as they are neither in the session nor saved. Without an error the
 * session holds these tokens, and maybe more; *n_cached tells how many were not evaluated. The generator takes the prompt. */
gboolean lectern_prefill (LecternGenerator *generator, LecternPrompt *prompt, gsize n_tokens, gsize *n_cached,
                          GCancellable *cancellable, struct engine_error *problem);

/* Passages that the conversation's last prompt had, in order (of LecternDigest, borrowed until the next question); NULL:
 * it is not known. */
const GArray *lectern_generator_get_previous (LecternGenerator *generator, const char *conversation);
/* The conversation's last prompt is this one from now on. NULL: there is no conversation. */
void lectern_generator_set_previous (LecternGenerator *generator, const char *conversation,
                                     const LecternPrompt *prompt);

/* Lets `cancellable` stop the session, until it is undone with what this returns. */
gulong lectern_generator_connect (LecternGenerator *generator, GCancellable *cancellable);
void lectern_generator_disconnect (LecternGenerator *generator, GCancellable *cancellable, gulong handler);

/* Evaluates the prompt, which the generator takes, and generates until the model ends its turn, `max_tokens`, a full context, or a loop. Returns the
 * text; NULL with an error (G_IO_ERROR_CANCELLED within 100 ms of cancelling). Fills the token counts and times. */
char *lectern_generate (LecternGenerator *generator, LecternPrompt *prompt, const LecternGenerateOptions *options,
                        LecternTimings *timings, GCancellable *cancellable, GError **error);

G_END_DECLS

#endif
