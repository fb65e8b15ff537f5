#include "ui/source-row.h"
#include <glib/gi18n.h>

struct _LecternSourceRow {
  GtkListBoxRow parent_instance;
  GtkLabel *number_label, *title_label, *place_label, *text_label;
  char *path;
};

G_DEFINE_FINAL_TYPE (LecternSourceRow, lectern_source_row, GTK_TYPE_LIST_BOX_ROW)

static void lectern_source_row_finalize (GObject *object)
{
  g_free (LECTERN_SOURCE_ROW (object)->path);
  G_OBJECT_CLASS (lectern_source_row_parent_class)->finalize (object);
}

static void lectern_source_row_class_init (LecternSourceRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->finalize = lectern_source_row_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lectern/Lectern/source-row.ui");
  gtk_widget_class_bind_template_child (widget_class, LecternSourceRow, number_label);
  gtk_widget_class_bind_template_child (widget_class, LecternSourceRow, title_label);
  gtk_widget_class_bind_template_child (widget_class, LecternSourceRow, place_label);
  gtk_widget_class_bind_template_child (widget_class, LecternSourceRow, text_label);
}

static void lectern_source_row_init (LecternSourceRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

/* "page 12 · Care › Descaling", with whatever of it there is. */
static char *dup_place (const LecternResult *result)
{
  g_autoptr (GString) place = g_string_new (NULL);
  if (result->page > 0 && result->page_last > result->page)
    g_string_append_printf (place, _ ("pages %d–%d"), result->page, result->page_last);
  else if (result->page > 0)
    g_string_append_printf (place, _ ("page %d"), result->page);
  for (guint i = 0; result->heading[i]; i++)
    g_string_append_printf (place, "%s%s", i > 0 ? " › " : place->len > 0 ? " · " : "", result->heading[i]);
  return g_string_free (g_steal_pointer (&place), FALSE);
}

GtkWidget *lectern_source_row_new (guint number, const LecternResult *result)
{
  LecternSourceRow *self = g_object_new (LECTERN_TYPE_SOURCE_ROW, NULL);
  g_autofree char *n = g_strdup_printf ("%u", number);
  g_autofree char *place = dup_place (result);
  g_autofree char *base = g_filename_display_basename (result->path);
  const char *title = result->title && *result->title ? result->title : base;
  g_autofree char *name = g_strdup_printf (_ ("Source %u: %s, %s"), number, title, place);
  self->path = g_strdup (result->path);
  gtk_label_set_text (self->number_label, n);
  gtk_label_set_text (self->title_label, title);
  gtk_label_set_text (self->place_label, *place ? place : base);
  /* A label limits the lines of each paragraph, not of the whole: one paragraph it is. */
  g_autofree char *text = g_strdelimit (g_strdup (result->text), "\n", ' ');
  gtk_label_set_text (self->text_label, text);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  return GTK_WIDGET (self);
}

const char *lectern_source_row_get_path (LecternSourceRow *self)
{
  return self->path;
}
