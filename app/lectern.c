/* lectern: the window. */
#include "app/config.h"
#include "ui/ui.h"
#include <glib/gi18n.h>
#include <locale.h>
#include <stdlib.h>

int main (int argc, char **argv)
{
  g_autofree char *library_dir = NULL;
  gboolean show_version = FALSE, no_cache = FALSE;
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = {
    { "library", 0, 0, G_OPTION_ARG_FILENAME, &library_dir, "Use the library in DIR", "DIR" },
    { "no-cache", 0, 0, G_OPTION_ARG_NONE, &no_cache, "Neither use nor save sessions of models", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &show_version, "Print the version", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- ask your documents");
  setlocale (LC_ALL, "");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("lectern: %s (lectern --help shows the options)\n", error->message);
    return 2;
  }
  if (show_version) {
    g_print ("lectern %s\n", LECTERN_VERSION);
    return EXIT_SUCCESS;
  }
  g_autoptr (AdwApplication) application = lectern_application_new (library_dir, no_cache);
  return g_application_run (G_APPLICATION (application), argc, argv);
}
