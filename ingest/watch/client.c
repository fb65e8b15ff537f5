/* The service as others see it. */
#include "ingest/ingest.h"
#include "ingest/watch/address.h"
#include "indexer-bus.h"

/* Longer than a document that is being written to the library takes. */
#define STOP_TIMEOUT_S 30

static GDBusConnection *reach (const char *library_dir, GCancellable *cancellable, GError **error)
{
  g_autofree char *address = watch_dup_address (library_dir, error);
  g_autoptr (GError) problem = NULL;
  if (!address)
    return NULL;
  GDBusConnection *connection = g_dbus_connection_new_for_address_sync (
      address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, cancellable, &problem);
  if (connection)
    return connection;
  if (g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return NULL;
  }
  g_autofree char *shown = g_filename_display_name (library_dir);
  g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_NOT_FOUND,
               "No service watches folders for the library in “%s”; “lecternctl watch run” starts one.", shown);
  return NULL;
}

static BusIndexer1 *make_proxy (GDBusConnection *connection, GCancellable *cancellable, GError **error)
{
  return bus_indexer1_proxy_new_sync (connection, G_DBUS_PROXY_FLAGS_NONE, NULL, WATCH_OBJECT_PATH, cancellable, error);
}

LecternWatchStatus *lectern_watch_get_status (const char *library_dir, GCancellable *cancellable, GError **error)
{
  g_autoptr (GDBusConnection) connection = reach (library_dir, cancellable, error);
  g_autoptr (BusIndexer1) proxy = connection ? make_proxy (connection, cancellable, error) : NULL;
  if (!proxy)
    return NULL;
  LecternWatchStatus *status = g_new0 (LecternWatchStatus, 1);
  status->state = bus_indexer1_dup_state (proxy);
  status->paused_because = bus_indexer1_dup_paused_because (proxy);
  status->current = bus_indexer1_dup_current (proxy);
  status->documents = bus_indexer1_get_documents (proxy);
  status->pending = bus_indexer1_get_pending (proxy);
  status->problems = bus_indexer1_dup_problems (proxy);
  g_autoptr (GStrvBuilder) folders = g_strv_builder_new (), states = g_strv_builder_new ();
  g_autoptr (GVariant) pairs = bus_indexer1_dup_folders (proxy);
  GVariantIter iter;
  const char *folder, *state;
  if (pairs) {
    g_variant_iter_init (&iter, pairs);
    while (g_variant_iter_next (&iter, "(&s&s)", &folder, &state)) {
      g_strv_builder_add (folders, folder);
      g_strv_builder_add (states, state);
    }
  }
  status->folders = g_strv_builder_end (folders);
  status->folder_states = g_strv_builder_end (states);
  return status;
}

void lectern_watch_status_free (LecternWatchStatus *status)
{
  if (!status)
    return;
  g_free (status->state);
  g_free (status->paused_because);
  g_free (status->current);
  g_strfreev (status->problems);
  g_strfreev (status->folders);
  g_strfreev (status->folder_states);
  g_free (status);
}

static void quit (GDBusConnection *connection, gboolean remote_vanished, GError *error, gpointer loop)
{
  g_main_loop_quit (loop);
}

static gboolean give_up (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gboolean give_up_cancelled (GCancellable *cancellable, gpointer loop)
{
  return give_up (loop);
}

static gboolean wait_closed (GDBusConnection *connection, GCancellable *cancellable, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  gulong handler = g_signal_connect (connection, "closed", G_CALLBACK (quit), loop);
  guint timeout = g_timeout_add_seconds (STOP_TIMEOUT_S, give_up, loop);
  g_autoptr (GSource) cancelled = cancellable ? g_cancellable_source_new (cancellable) : NULL;
  if (cancelled) {
    g_source_set_callback (cancelled, G_SOURCE_FUNC (give_up_cancelled), loop, NULL);
    g_source_attach (cancelled, NULL);
  }
  if (!g_dbus_connection_is_closed (connection))
    g_main_loop_run (loop);
  g_signal_handler_disconnect (connection, handler);
  if (cancelled)
    g_source_destroy (cancelled);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  if (g_dbus_connection_is_closed (connection)) {
    GSource *left = g_main_context_find_source_by_id (NULL, timeout);
    if (left)
      g_source_destroy (left);
    return TRUE;
  }
  g_set_error (error, LECTERN_ERROR, LECTERN_ERROR_FAILED,
               "The service was told to stop, but has not ended after %d s.", STOP_TIMEOUT_S);
  return FALSE;
}

gboolean lectern_watch_call (const char *library_dir, const char *method, GCancellable *cancellable, GError **error)
{
  g_autoptr (GDBusConnection) connection = reach (library_dir, cancellable, error);
  if (!connection)
    return FALSE;
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_sync (connection, NULL, WATCH_OBJECT_PATH, "org.lectern.Indexer1", method, NULL, NULL,
                                     G_DBUS_CALL_FLAGS_NONE, -1, cancellable, error);
  if (!reply)
    return FALSE;
  return g_strcmp0 (method, "Stop") != 0 || wait_closed (connection, cancellable, error);
}
