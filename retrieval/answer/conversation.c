/* conversation.c: questions to a library, and a thread that works ahead of them.
 *
 * The thread does one thing at a time: it saves what the last question left, or prepares for the text of now. A question
 * cancels it and takes `busy`, which whoever uses library or generator holds. */
#include "retrieval/answer/ask.h"

struct _LecternConversation {
  gatomicrefcount references;
  char *library_dir, *model, *name;
  LecternCache *cache;
  guint pause_ms;

  GMutex busy; /* held while the generator is used; guards the next two fields */
  gboolean looked_for_model;
  LecternGenerator *generator; /* NULL: extractive */

  GMutex state; /* guards all below; never held for long, and never taken before `busy` */
  GCond changed;
  GThread *thread;    /* NULL until there is something to do */
  char *text;         /* to prepare for; NULL: nothing */
  gint64 due_us;      /* not before then, by the monotonic clock */
  gboolean save;      /* there is something to save */
  gboolean working;   /* the thread is at something, */
  gboolean saving;    /* ... which is saving, */
  GCancellable *work; /* ... and this stops it */
  guint n_asking;     /* questions that wait or are answered */
  gboolean ends;
};

LecternConversation *lectern_conversation_new (const char *library_dir, const LecternConversationOptions *options)
{
  LecternConversation *self = g_new0 (LecternConversation, 1);
  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->busy);
  g_mutex_init (&self->state);
  g_cond_init (&self->changed);
  self->library_dir = g_strdup (library_dir);
  self->model = g_strdup (options->model);
  self->name = g_strdup (options->name);
  self->cache = options->cache ? lectern_cache_ref (options->cache) : NULL;
  self->pause_ms = options->pause_ms;
  return self;
}

LecternConversation *lectern_conversation_ref (LecternConversation *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/* With `state` held. */
static void stop_work (LecternConversation *self)
{
  if (self->work)
    g_cancellable_cancel (self->work);
}

void lectern_conversation_unref (LecternConversation *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->references))
    return;
  g_mutex_lock (&self->state);
  self->ends = TRUE;
  stop_work (self);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->state);
  if (self->thread)
    g_thread_join (self->thread);
  lectern_generator_close (self->generator);
  lectern_cache_unref (self->cache);
  g_mutex_clear (&self->busy);
  g_mutex_clear (&self->state);
  g_cond_clear (&self->changed);
  g_free (self->library_dir);
  g_free (self->model);
  g_free (self->name);
  g_free (self->text);
  g_free (self);
}

/* With `busy` held. A model that was asked for by name and does not open is an error. */
static gboolean load_generator (LecternConversation *self, GError **error)
{
  if (self->looked_for_model)
    return TRUE;
  if (self->model)
    self->generator = lectern_generator_open (self->model, 0, error);
  else
    self->generator = lectern_generator_open_default (self->library_dir, 0, NULL);
  if (self->model && !self->generator)
    return FALSE;
  self->looked_for_model = TRUE;
  if (self->generator)
    lectern_generator_set_cache (self->generator, self->cache);
  return TRUE;
}

/* ---- ahead of the question ------------------------------------------------------------------------------- */

static void prepare (LecternConversation *self, const char *text, GCancellable *cancellable)
{
  if (!load_generator (self, NULL) || !self->generator || g_cancellable_is_cancelled (cancellable))
    return;
  if (!*text) {
    lectern_ask_prepare_system (self->generator, cancellable);
    if (!g_cancellable_is_cancelled (cancellable))
      lectern_generator_save (self->generator, cancellable);
    return;
  }
  const LecternAskOptions options = { .conversation = self->name };
  g_autoptr (LecternLibrary) library = lectern_library_open (self->library_dir, LECTERN_LIBRARY_READ, NULL);
  if (library)
    lectern_ask_prepare (library, self->generator, text, &options, cancellable);
}

/* With `state` held, which is let go meanwhile. */
static void work (LecternConversation *self)
{
  const gboolean save = self->save; /* first: preparing changes what there is to save */
  g_autofree char *text = save ? NULL : g_steal_pointer (&self->text);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  self->save = FALSE;
  self->working = TRUE;
  self->saving = save;
  self->work = cancellable;
  g_mutex_unlock (&self->state);
  g_mutex_lock (&self->busy);
  if (!save)
    prepare (self, text, cancellable);
  else if (self->generator)
    lectern_generator_save (self->generator, cancellable);
  g_mutex_unlock (&self->busy);
  g_mutex_lock (&self->state);
  self->working = self->saving = FALSE;
  self->work = NULL;
  self->save = self->save || (save && g_cancellable_is_cancelled (cancellable)); /* after the question that came */
  g_cond_broadcast (&self->changed);
}

static gpointer run_thread (gpointer data)
{
  LecternConversation *self = data;
  g_mutex_lock (&self->state);
  while (!self->ends) {
    if (self->n_asking > 0 || (!self->save && !self->text))
      g_cond_wait (&self->changed, &self->state);
    else if (self->save || g_get_monotonic_time () >= self->due_us)
      work (self);
    else
      g_cond_wait_until (&self->changed, &self->state, self->due_us);
  }
  g_mutex_unlock (&self->state);
  return NULL;
}

/* With `state` held: there is something to do. */
static void wake (LecternConversation *self)
{
  if (!self->thread)
    self->thread = g_thread_new ("conversation", run_thread, self);
  g_cond_broadcast (&self->changed);
}

void lectern_conversation_prepare (LecternConversation *self, const char *text)
{
  g_mutex_lock (&self->state);
  if (!self->saving)
    stop_work (self);
  g_free (self->text);
  self->text = g_strdup (text);
  self->due_us = g_get_monotonic_time () + (*text ? self->pause_ms * (gint64)1000 : 0);
  wake (self);
  g_mutex_unlock (&self->state);
}

void lectern_conversation_settle (LecternConversation *self)
{
  g_mutex_lock (&self->state);
  while (self->working || self->save || self->text)
    g_cond_wait (&self->changed, &self->state);
  g_mutex_unlock (&self->state);
}

/* ---- the question ---------------------------------------------------------------------------------------- */

LecternAnswer *lectern_conversation_ask (LecternConversation *self, const char *question,
                                         const LecternAskOptions *options, LecternAnswerFunc func, gpointer user_data,
                                         GCancellable *cancellable, GError **error)
{
  LecternAskOptions own = { 0 };
  LecternAnswer *answer = NULL;
  if (options)
    own = *options;
  own.conversation = self->name;

  g_mutex_lock (&self->state);
  self->n_asking++;
  g_clear_pointer (&self->text, g_free); /* what was typed was this question */
  stop_work (self);
  g_mutex_unlock (&self->state);

  g_mutex_lock (&self->busy);
  g_autoptr (LecternLibrary) library = lectern_library_open (self->library_dir, LECTERN_LIBRARY_READ, error);
  if (library && load_generator (self, error))
    answer = lectern_ask (library, self->generator, question, &own, func, user_data, cancellable, error);
  const gboolean save = answer && answer->generated && self->cache;
  g_mutex_unlock (&self->busy);

  g_mutex_lock (&self->state);
  self->n_asking--;
  self->save = self->save || save;
  if (self->save || self->text)
    wake (self);
  else
    g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->state);
  return answer;
}
