#include "ui/ui.h"
#include "retrieval/retrieval.h"
#include "ui/lectern-resources.h"
#include "ui/window.h"
#include <glib/gi18n.h>

struct app_state {
  char *library_dir;
  LecternCache *cache; /* NULL: nothing is saved */
};

static void app_state_free (struct app_state *state)
{
  g_free (state->library_dir);
  lectern_cache_unref (state->cache);
  g_free (state);
}

static void on_activate (AdwApplication *application, struct app_state *state)
{
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (application));
  if (!window)
    window = GTK_WINDOW (lectern_window_new (application, state->library_dir, state->cache));
  gtk_window_present (window);
}

static void on_about (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  gtk_show_about_dialog (gtk_application_get_active_window (application), "program-name", "Lectern", "logo-icon-name",
                         "accessories-dictionary", "version", LECTERN_VERSION, "comments",
                         _ ("Ask your documents. Nothing leaves this computer."), "license-type", GTK_LICENSE_GPL_3_0,
                         NULL);
}

static void on_quit (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  GtkWindow *window;
  while ((window = gtk_application_get_active_window (application)))
    gtk_window_destroy (window);
}

static void on_startup (AdwApplication *application, struct app_state *state)
{
  static const GActionEntry actions[] = { { "about", on_about }, { "quit", on_quit } };
  static const struct {
    const char *action, *keys[2];
  } accels[] = {
    { "app.quit", { "<Control>q" } },       { "window.close", { "<Control>w" } },
    { "win.add-folder", { "<Control>o" } }, { "win.focus-entry", { "<Control>l" } },
    { "win.stop", { "Escape" } },
  };
  lectern_register_resource ();
  g_autoptr (GtkCssProvider) css = gtk_css_provider_new ();
  gtk_css_provider_load_from_resource (css, "/org/lectern/Lectern/style.css");
  gtk_style_context_add_provider_for_display (gdk_display_get_default (), GTK_STYLE_PROVIDER (css),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  g_action_map_add_action_entries (G_ACTION_MAP (application), actions, G_N_ELEMENTS (actions), application);
  for (gsize i = 0; i < G_N_ELEMENTS (accels); i++) {
    const char *keys[] = { accels[i].keys[0], NULL };
    gtk_application_set_accels_for_action (GTK_APPLICATION (application), accels[i].action, keys);
  }
}

AdwApplication *lectern_application_new (const char *library_dir, gboolean no_cache)
{
  struct app_state *state = g_new0 (struct app_state, 1);
  AdwApplication *application = adw_application_new ("org.lectern.Lectern", G_APPLICATION_DEFAULT_FLAGS);
  state->library_dir = library_dir ? g_strdup (library_dir) : lectern_library_dup_default_dir ();
  state->cache = no_cache ? NULL : lectern_cache_new_default ();
  g_object_set_data_full (G_OBJECT (application), "state", state, (GDestroyNotify)app_state_free);
  g_signal_connect (application, "startup", G_CALLBACK (on_startup), state);
  g_signal_connect (application, "activate", G_CALLBACK (on_activate), state);
  return application;
}
