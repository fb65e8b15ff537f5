#include "ingest/watch/bus.h"

#include "ingest/watch/address.h"

#include <glib/gstdio.h>

struct _ServiceBus {
  GDBusInterfaceSkeleton *interface;
  GDBusServer *server;
  GPtrArray *connections; /* of GDBusConnection: to the private socket */
  char *socket_path;
  guint name;
};

static void connection_closed (GDBusConnection *connection, gboolean remote_vanished, GError *error, gpointer data)
{
  ServiceBus *bus = data;
  g_dbus_interface_skeleton_unexport_from_connection (bus->interface, connection);
  g_signal_handlers_disconnect_by_data (connection, bus);
  g_ptr_array_remove (bus->connections, connection);
}

static gboolean connection_opened (GDBusServer *server, GDBusConnection *connection, gpointer data)
{
  ServiceBus *bus = data;
  if (!g_dbus_interface_skeleton_export (bus->interface, connection, WATCH_OBJECT_PATH, NULL))
    return FALSE;
  g_ptr_array_add (bus->connections, g_object_ref (connection));
  g_signal_connect (connection, "closed", G_CALLBACK (connection_closed), bus);
  return TRUE;
}

static void bus_reached (GDBusConnection *connection, const char *name, gpointer data)
{
  ServiceBus *bus = data;
  g_dbus_connection_set_exit_on_close (connection, FALSE);
  g_dbus_interface_skeleton_export (bus->interface, connection, WATCH_OBJECT_PATH, NULL);
}

static void name_lost (GDBusConnection *connection, const char *name, gpointer data)
{
  g_debug ("%s: %s", name, connection ? "another service has the name" : "there is no session bus");
}

ServiceBus *service_bus_new (const char *library_dir, GDBusInterfaceSkeleton *interface, GError **error)
{
  g_autofree char *address = watch_dup_address (library_dir, error);
  g_autofree char *path = watch_dup_socket_path (library_dir);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *guid = g_dbus_generate_guid ();
  if (!address)
    return NULL;
  g_mkdir_with_parents (folder, 0700);
  /* Whoever left it has ended: the caller holds the lock of the service. */
  g_unlink (path);
  GDBusServer *server
      = g_dbus_server_new_sync (address, G_DBUS_SERVER_FLAGS_AUTHENTICATION_REQUIRE_SAME_USER, guid, NULL, NULL, error);
  if (!server) {
    g_prefix_error (error, "The service cannot be reached at “%s”: ", path);
    return NULL;
  }
  ServiceBus *bus = g_new0 (ServiceBus, 1);
  bus->interface = g_object_ref (interface);
  bus->server = server;
  bus->connections = g_ptr_array_new_with_free_func (g_object_unref);
  bus->socket_path = g_steal_pointer (&path);
  g_signal_connect (server, "new-connection", G_CALLBACK (connection_opened), bus);
  g_dbus_server_start (server);
  bus->name = g_bus_own_name (G_BUS_TYPE_SESSION, WATCH_BUS_NAME, G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE, bus_reached,
                              NULL, name_lost, bus, NULL);
  return bus;
}

void service_bus_free (ServiceBus *bus)
{
  if (!bus)
    return;
  g_bus_unown_name (bus->name);
  g_dbus_server_stop (bus->server);
  for (guint i = 0; i < bus->connections->len; i++) {
    GDBusConnection *connection = g_ptr_array_index (bus->connections, i);
    g_signal_handlers_disconnect_by_data (connection, bus);
    g_dbus_connection_flush_sync (connection, NULL, NULL);
  }
  GList *exported = g_dbus_interface_skeleton_get_connections (bus->interface);
  if (exported)
    g_dbus_interface_skeleton_unexport (bus->interface);
  g_list_free_full (exported, g_object_unref);
  for (guint i = 0; i < bus->connections->len; i++)
    g_dbus_connection_close_sync (g_ptr_array_index (bus->connections, i), NULL, NULL);
  g_ptr_array_unref (bus->connections);
  g_unlink (bus->socket_path);
  g_free (bus->socket_path);
  g_object_unref (bus->server);
  g_object_unref (bus->interface);
  g_free (bus);
}
