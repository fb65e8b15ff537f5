#include "ui/file-dialog.h"
#include <glib/gi18n.h>

struct choice {
  LecternFilesChosen chosen;
  gpointer user_data;
};

static void deliver (struct choice *choice, GListModel *model)
{
  GSList *files = NULL;
  for (guint i = model ? g_list_model_get_n_items (model) : 0; i > 0; i--)
    files = g_slist_prepend (files, g_list_model_get_item (model, i - 1));
  if (files)
    choice->chosen (files, choice->user_data);
  g_slist_free_full (files, g_object_unref);
  g_object_unref (choice->user_data);
  g_free (choice);
}

#if GTK_CHECK_VERSION(4, 10, 0)

static void on_folders (GObject *dialog, GAsyncResult *result, gpointer choice)
{
  g_autoptr (GListModel) model
      = gtk_file_dialog_select_multiple_folders_finish (GTK_FILE_DIALOG (dialog), result, NULL);
  deliver (choice, model);
}

static void on_files (GObject *dialog, GAsyncResult *result, gpointer choice)
{
  g_autoptr (GListModel) model = gtk_file_dialog_open_multiple_finish (GTK_FILE_DIALOG (dialog), result, NULL);
  deliver (choice, model);
}

static void show_dialog (GtkWindow *parent, gboolean folders, struct choice *choice)
{
  g_autoptr (GtkFileDialog) dialog = gtk_file_dialog_new ();
  gtk_file_dialog_set_accept_label (dialog, _ ("_Add"));
  if (folders)
    gtk_file_dialog_select_multiple_folders (dialog, parent, NULL, on_folders, choice);
  else
    gtk_file_dialog_open_multiple (dialog, parent, NULL, on_files, choice);
}

#else

static void on_response (GtkNativeDialog *dialog, int response, gpointer choice)
{
  g_autoptr (GListModel) model = NULL;
  if (response == GTK_RESPONSE_ACCEPT)
    model = gtk_file_chooser_get_files (GTK_FILE_CHOOSER (dialog));
  deliver (choice, model);
  g_object_unref (dialog);
}

static void show_dialog (GtkWindow *parent, gboolean folders, struct choice *choice)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (
      folders ? _ ("Add Folders") : _ ("Add Files"), parent,
      folders ? GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER : GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Add"), _ ("_Cancel"));
  gtk_file_chooser_set_select_multiple (GTK_FILE_CHOOSER (dialog), TRUE);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect (dialog, "response", G_CALLBACK (on_response), choice);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

#endif

void lectern_choose_files (GtkWindow *parent, gboolean folders, LecternFilesChosen chosen, gpointer user_data)
{
  struct choice *choice = g_new0 (struct choice, 1);
  choice->chosen = chosen;
  choice->user_data = g_object_ref (user_data);
  show_dialog (parent, folders, choice);
}
