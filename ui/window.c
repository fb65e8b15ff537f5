#include "ui/window.h"
#include "ui/ask-task.h"
#include "ui/file-dialog.h"
#include "ui/index-task.h"
#include "ui/source-row.h"
#include <glib/gi18n.h>

enum { TYPING_PAUSE_MS = 400 };

struct _LecternWindow {
  AdwApplicationWindow parent_instance;

  AdwToastOverlay *toasts;
  AdwWindowTitle *title;
  GtkRevealer *progress_revealer;
  GtkProgressBar *progress;
  GtkStack *stack, *send_stack;
  AdwStatusPage *ready_page;
  GtkLabel *question_label, *answer_label, *sources_heading;
  GtkListBox *sources;
  GtkEntry *entry;

  char *library_dir;
  LecternConversation *conversation;
  guint stamp; /* of the question on show; text of an older one is dropped */
  GString *streamed;
  GCancellable *asking; /* NULL when idle */
  GCancellable *indexing;
  GPtrArray *waiting_paths; /* to index after the run under way */
};

G_DEFINE_FINAL_TYPE (LecternWindow, lectern_window, ADW_TYPE_APPLICATION_WINDOW)

static void say (LecternWindow *self, const char *text)
{
  AdwToast *toast = adw_toast_new (text);
  adw_toast_set_timeout (toast, 6);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

static void enable (LecternWindow *self, const char *name, gboolean enabled)
{
  g_simple_action_set_enabled (G_SIMPLE_ACTION (g_action_map_lookup_action (G_ACTION_MAP (self), name)), enabled);
}

static void update_actions (LecternWindow *self)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->entry));
  gboolean page_allows = g_strcmp0 (gtk_stack_get_visible_child_name (self->stack), "welcome") != 0;
  enable (self, "ask", !self->asking && page_allows && *text);
  enable (self, "stop", self->asking != NULL);
  enable (self, "stop-indexing", self->indexing != NULL);
  gtk_widget_set_sensitive (GTK_WIDGET (self->entry), page_allows);
  gtk_stack_set_visible_child_name (self->send_stack, self->asking ? "stop" : "send");
}

/* Reads how much there is and shows the page that fits. */
static void refresh (LecternWindow *self)
{
  LecternLibrary *library = lectern_library_open (self->library_dir, LECTERN_LIBRARY_READ, NULL);
  LecternLibraryStatus *status = library ? lectern_library_get_status (library, FALSE, NULL) : NULL;
  gint64 n_indexed = status ? status->n_indexed : 0;
  g_autofree char *subtitle = g_strdup_printf (
      g_dngettext (NULL, "%" G_GINT64_FORMAT " document", "%" G_GINT64_FORMAT " documents", (gulong)n_indexed),
      n_indexed);
  adw_window_title_set_subtitle (self->title, n_indexed > 0 ? subtitle : "");
  const char *shown = gtk_stack_get_visible_child_name (self->stack);
  if (n_indexed == 0)
    gtk_stack_set_visible_child_name (self->stack, "welcome");
  else if (g_strcmp0 (shown, "welcome") == 0)
    gtk_stack_set_visible_child_name (self->stack, "ready");
  g_clear_pointer (&status, lectern_library_status_free);
  g_clear_pointer (&library, lectern_library_close);
  update_actions (self);
}

/* ---- asking ---------------------------------------------------------------------------------------------- */

static void clear_sources (LecternWindow *self)
{
  GtkWidget *row;
  while ((row = gtk_widget_get_first_child (GTK_WIDGET (self->sources))))
    gtk_list_box_remove (self->sources, row);
  gtk_widget_set_visible (GTK_WIDGET (self->sources), FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->sources_heading), FALSE);
}

static void on_delta (guint stamp, const char *delta, gpointer user_data)
{
  LecternWindow *self = user_data;
  if (stamp != self->stamp)
    return;
  g_string_append (self->streamed, delta);
  gtk_label_set_text (self->answer_label, self->streamed->str);
}

/* The answer with its sentences' citations set off and unsupported ones marked. */
static char *dup_answer_markup (const LecternAnswer *answer)
{
  g_autoptr (GString) markup = g_string_new (NULL);
  if (!answer->answered || answer->sentences->len == 0) {
    g_autofree char *escaped = g_markup_escape_text (answer->answer, -1);
    return g_steal_pointer (&escaped);
  }
  const char *rest = answer->answer;
  for (guint i = 0; i < answer->sentences->len; i++) {
    const LecternSentence *sentence = answer->sentences->pdata[i];
    g_autofree char *escaped = g_markup_escape_text (sentence->text, -1);
    /* Lines break where they do in the answer's text; what else stands between two sentences are their marks. */
    const char *at = strstr (rest, sentence->text);
    gboolean breaks = at && memchr (rest, '\n', (gsize)(at - rest));
    g_string_append_printf (markup, "%s%s", i == 0 ? "" : breaks ? "\n" : " ", escaped);
    for (guint c = 0; c < sentence->citations->len; c++)
      g_string_append_printf (markup, "\u2009<b><small>[%u]</small></b>",
                              g_array_index (sentence->citations, guint, c));
    if (!sentence->supported)
      g_string_append_printf (markup, " <i><small>(%s)</small></i>", _ ("not confirmed by the sources"));
    if (at)
      rest = at + strlen (sentence->text);
  }
  return g_string_free (g_steal_pointer (&markup), FALSE);
}

static void show_answer (LecternWindow *self, const LecternAnswer *answer)
{
  g_autofree char *markup = dup_answer_markup (answer);
  gtk_label_set_markup (self->answer_label, markup);
  gtk_label_set_text (self->sources_heading, answer->answered ? _ ("Sources") : _ ("Nearest Passages"));
  for (guint i = 0; i < answer->sources->len; i++)
    gtk_list_box_append (self->sources, lectern_source_row_new (i + 1, answer->sources->pdata[i]));
  gtk_widget_set_visible (GTK_WIDGET (self->sources), answer->sources->len > 0);
  gtk_widget_set_visible (GTK_WIDGET (self->sources_heading), answer->sources->len > 0);
}

static void on_answered (GObject *object, GAsyncResult *result, gpointer user_data)
{
  LecternWindow *self = LECTERN_WINDOW (object);
  g_autoptr (GError) error = NULL;
  guint stamp;
  LecternAnswer *answer = lectern_ask_finish (result, &stamp, &error);
  if (stamp == self->stamp && self->conversation) {
    g_clear_object (&self->asking);
    if (answer)
      show_answer (self, answer);
    else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
      say (self, _ ("Stopped"));
    else
      gtk_label_set_text (self->answer_label, error->message);
    update_actions (self);
  }
  g_clear_pointer (&answer, lectern_answer_free);
}

static void ask (LecternWindow *self)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->entry));
  g_autofree char *question = g_strstrip (g_strdup (text));
  if (self->asking || !*question)
    return;
  self->asking = g_cancellable_new ();
  self->stamp++;
  g_string_truncate (self->streamed, 0);
  clear_sources (self);
  gtk_label_set_text (self->question_label, question);
  gtk_label_set_text (self->answer_label, _ ("Searching…"));
  gtk_stack_set_visible_child_name (self->stack, "answer");
  lectern_ask_async (self->conversation, G_OBJECT (self), question, self->stamp, on_delta, self->asking, on_answered);
  gtk_editable_set_text (GTK_EDITABLE (self->entry), "");
  update_actions (self);
}

static void on_entry_activate (LecternWindow *self)
{
  if (gtk_widget_get_sensitive (GTK_WIDGET (self->entry)))
    ask (self);
}

static void on_entry_changed (LecternWindow *self)
{
  g_autofree char *text = g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->entry))));
  if (self->conversation)
    lectern_conversation_prepare (self->conversation, text);
  update_actions (self);
}

static void on_source_activated (LecternWindow *self, GtkListBoxRow *row)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *uri = g_filename_to_uri (lectern_source_row_get_path (LECTERN_SOURCE_ROW (row)), NULL, NULL);
  if (!uri || !g_app_info_launch_default_for_uri (uri, NULL, &error))
    say (self, error ? error->message : _ ("This document cannot be opened."));
}

/* ---- indexing -------------------------------------------------------------------------------------------- */

static void start_indexing (LecternWindow *self);

static void on_progress (guint done, guint total, const char *path, gpointer user_data)
{
  LecternWindow *self = user_data;
  if (!self->indexing)
    return;
  g_autofree char *base = g_filename_display_basename (path);
  g_autofree char *text = g_strdup_printf (_ ("%u of %u: %s"), done, total, base);
  gtk_progress_bar_set_text (self->progress, text);
  gtk_progress_bar_set_fraction (self->progress, total > 0 ? (double)done / total : 0.0);
}

static void on_indexed (GObject *object, GAsyncResult *result, gpointer user_data)
{
  LecternWindow *self = LECTERN_WINDOW (object);
  g_autoptr (GError) error = NULL;
  LecternIndexReport *report = lectern_index_finish (result, &error);
  if (self->conversation) {
    g_clear_object (&self->indexing);
    gtk_revealer_set_reveal_child (self->progress_revealer, FALSE);
    if (report) {
      g_autofree char *text = g_strdup_printf (_ ("%u added, %u updated, %u unchanged, %u could not be read"),
                                               report->added, report->updated, report->unchanged, report->failed);
      say (self, text);
    } else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
      say (self, _ ("Stopped. What was read is kept; add the folder again to go on."));
    } else {
      say (self, error->message);
    }
    refresh (self);
    if (self->waiting_paths->len > 0)
      start_indexing (self);
  }
  g_clear_pointer (&report, lectern_index_report_free);
}

static void start_indexing (LecternWindow *self)
{
  g_ptr_array_add (self->waiting_paths, NULL);
  self->indexing = g_cancellable_new ();
  gtk_progress_bar_set_fraction (self->progress, 0.0);
  gtk_progress_bar_set_text (self->progress, _ ("Looking for documents…"));
  gtk_revealer_set_reveal_child (self->progress_revealer, TRUE);
  lectern_index_async (self->library_dir, (const char *const *)self->waiting_paths->pdata, G_OBJECT (self), on_progress,
                       self->indexing, on_indexed);
  g_ptr_array_set_size (self->waiting_paths, 0);
  update_actions (self);
}

void lectern_window_add (LecternWindow *self, const char *const *paths)
{
  for (gsize i = 0; paths[i]; i++)
    g_ptr_array_add (self->waiting_paths, g_strdup (paths[i]));
  if (!self->indexing && self->waiting_paths->len > 0)
    start_indexing (self);
}

static void add_files (GSList *files, gpointer user_data)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  for (GSList *item = files; item; item = item->next) {
    char *path = g_file_get_path (item->data);
    if (path)
      g_ptr_array_add (paths, path);
  }
  g_ptr_array_add (paths, NULL);
  lectern_window_add (user_data, (const char *const *)paths->pdata);
}

static gboolean on_drop (LecternWindow *self, const GValue *value)
{
  g_autoptr (GSList) files = g_slist_copy (g_value_get_boxed (value));
  add_files (files, self);
  return TRUE;
}

/* ---- actions --------------------------------------------------------------------------------------------- */

static void on_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LecternWindow *self = user_data;
  const char *name = g_action_get_name (G_ACTION (action));
  if (g_str_equal (name, "ask"))
    ask (self);
  else if (g_str_equal (name, "stop"))
    g_cancellable_cancel (self->asking);
  else if (g_str_equal (name, "stop-indexing"))
    g_cancellable_cancel (self->indexing);
  else if (g_str_equal (name, "add-folder"))
    lectern_choose_files (GTK_WINDOW (self), TRUE, add_files, self);
  else if (g_str_equal (name, "add-files"))
    lectern_choose_files (GTK_WINDOW (self), FALSE, add_files, self);
  else if (g_str_equal (name, "focus-entry"))
    gtk_widget_grab_focus (GTK_WIDGET (self->entry));
}

static void lectern_window_dispose (GObject *object)
{
  LecternWindow *self = LECTERN_WINDOW (object);
  if (self->asking)
    g_cancellable_cancel (self->asking);
  if (self->indexing)
    g_cancellable_cancel (self->indexing);
  g_clear_pointer (&self->conversation, lectern_conversation_unref);
  G_OBJECT_CLASS (lectern_window_parent_class)->dispose (object);
}

static void lectern_window_finalize (GObject *object)
{
  LecternWindow *self = LECTERN_WINDOW (object);
  g_clear_object (&self->asking);
  g_clear_object (&self->indexing);
  g_ptr_array_unref (self->waiting_paths);
  g_string_free (self->streamed, TRUE);
  g_free (self->library_dir);
  G_OBJECT_CLASS (lectern_window_parent_class)->finalize (object);
}

static void lectern_window_class_init (LecternWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = lectern_window_dispose;
  G_OBJECT_CLASS (klass)->finalize = lectern_window_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lectern/Lectern/window.ui");
  gtk_widget_class_bind_template_child (widget_class, LecternWindow, toasts);
  gtk_widget_class_bind_template_child (widget_class, LecternWindow, title);
  gtk_widget_class_bind_template_child (widget_class, LecternWindow, progress_revealer);
  gtk_widget_class_bind_template_child (widget_class, LecternWindow, progress);
  gtk_widget_class_bind_template_child (widget_class, LecternWindow, stack);
  gtk_widget_class_bind_template_child (widget_class, LecternWindow, send_stack);
  gtk_widget_class_bind_template_child (widget_class, LecternWindow, ready_page);
  gtk_widget_class_bind_template_child (widget_class, LecternWindow, question_label);
  gtk_widget_class_bind_template_child (widget_class, LecternWindow, answer_label);
  gtk_widget_class_bind_template_child (widget_class, LecternWindow, sources_heading);
  gtk_widget_class_bind_template_child (widget_class, LecternWindow, sources);
  gtk_widget_class_bind_template_child (widget_class, LecternWindow, entry);
  gtk_widget_class_bind_template_callback (widget_class, on_entry_activate);
  gtk_widget_class_bind_template_callback (widget_class, on_entry_changed);
}

static void lectern_window_init (LecternWindow *self)
{
  static const char *const names[] = { "ask", "stop", "stop-indexing", "add-folder", "add-files", "focus-entry" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GSimpleAction) action = g_simple_action_new (names[i], NULL);
    g_signal_connect (action, "activate", G_CALLBACK (on_action), self);
    g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (action));
  }
  self->streamed = g_string_new (NULL);
  self->waiting_paths = g_ptr_array_new_with_free_func (g_free);
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect_swapped (self->sources, "row-activated", G_CALLBACK (on_source_activated), self);
  GtkDropTarget *drop = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);
  g_signal_connect_swapped (drop, "drop", G_CALLBACK (on_drop), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drop));
}

GtkWidget *lectern_window_new (AdwApplication *application, const char *library_dir, LecternCache *cache)
{
  LecternWindow *self = g_object_new (LECTERN_TYPE_WINDOW, "application", application, NULL);
  self->library_dir = g_strdup (library_dir);
  g_autofree char *name = g_strconcat ("window:", library_dir, NULL);
  const LecternConversationOptions options = { .name = name, .cache = cache, .pause_ms = TYPING_PAUSE_MS };
  self->conversation = lectern_conversation_new (library_dir, &options);
  refresh (self);
  lectern_conversation_prepare (self->conversation, "");
  gtk_widget_grab_focus (GTK_WIDGET (self->entry));
  return GTK_WIDGET (self);
}
