#include "ingest/watch/conditions.h"

struct _Conditions {
  GPowerProfileMonitor *power;
  GMemoryMonitor *memory;
  gulong power_handler, memory_handler;
  ConditionFuncs funcs;
  gpointer user_data;
};

static void power_changed (GPowerProfileMonitor *power, GParamSpec *property, gpointer data)
{
  Conditions *conditions = data;
  conditions->funcs.power_saver (g_power_profile_monitor_get_power_saver_enabled (power), conditions->user_data);
}

static void memory_warned (GMemoryMonitor *memory, GMemoryMonitorWarningLevel level, gpointer data)
{
  Conditions *conditions = data;
  conditions->funcs.low_memory (conditions->user_data);
}

Conditions *conditions_new (GPowerProfileMonitor *power, GMemoryMonitor *memory, const ConditionFuncs *funcs,
                            gpointer user_data)
{
  Conditions *conditions = g_new0 (Conditions, 1);
  conditions->funcs = *funcs;
  conditions->user_data = user_data;
  conditions->power = power ? g_object_ref (power) : g_power_profile_monitor_dup_default ();
  conditions->memory = memory ? g_object_ref (memory) : g_memory_monitor_dup_default ();
  conditions->power_handler
      = g_signal_connect (conditions->power, "notify::power-saver-enabled", G_CALLBACK (power_changed), conditions);
  conditions->memory_handler
      = g_signal_connect (conditions->memory, "low-memory-warning", G_CALLBACK (memory_warned), conditions);
  if (g_power_profile_monitor_get_power_saver_enabled (conditions->power))
    funcs->power_saver (TRUE, user_data);
  return conditions;
}

void conditions_free (Conditions *conditions)
{
  if (!conditions)
    return;
  g_signal_handler_disconnect (conditions->power, conditions->power_handler);
  g_signal_handler_disconnect (conditions->memory, conditions->memory_handler);
  g_object_unref (conditions->power);
  g_object_unref (conditions->memory);
  g_free (conditions);
}
