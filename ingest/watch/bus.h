/* bus.h: the service on D-Bus: the object on each connection to the private socket, and on the session bus. Internal. */
#ifndef LECTERN_WATCH_BUS_H
#define LECTERN_WATCH_BUS_H

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _ServiceBus ServiceBus;

/* `interface` is served until the bus is freed. The session bus is left out if there is none, or if the name is taken. */
ServiceBus *service_bus_new (const char *library_dir, GDBusInterfaceSkeleton *interface, GError **error);
/* Closes the connections when what was sent is with the other side. */
void service_bus_free (ServiceBus *bus);

G_END_DECLS

#endif
