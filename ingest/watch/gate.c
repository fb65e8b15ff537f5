#include "ingest/watch/gate.h"

void gate_set (Gate *gate, PauseReason reason, gboolean on)
{
  if (on)
    gate->reasons |= reason;
  else
    gate->reasons &= ~(guint)reason;
}

void gate_warn_memory (Gate *gate, gint64 now_us)
{
  gate_set (gate, PAUSE_LOW_MEMORY, TRUE);
  gate->memory_until_us = now_us + MEMORY_PAUSE_US;
}

gint64 gate_tick (Gate *gate, gint64 now_us)
{
  if (!(gate->reasons & PAUSE_LOW_MEMORY))
    return -1;
  if (now_us < gate->memory_until_us)
    return gate->memory_until_us;
  gate_set (gate, PAUSE_LOW_MEMORY, FALSE);
  return -1;
}

gboolean gate_may_work (const Gate *gate)
{
  return gate->reasons == 0 && !gate->stopping;
}

const char *gate_get_state (const Gate *gate)
{
  if (gate->stopping)
    return "stopping";
  if (gate->reasons)
    return "paused";
  if (gate->starting)
    return "starting";
  if (gate->working)
    return "indexing";
  return gate->waiting ? "waiting" : "idle";
}

const char *gate_get_reason (const Gate *gate)
{
  if (gate->reasons & PAUSE_BY_USER)
    return "It was told to pause.";
  if (gate->reasons & PAUSE_POWER_SAVER)
    return "The computer saves power.";
  if (gate->reasons & PAUSE_LOW_MEMORY)
    return "The computer is short of memory.";
  return "";
}
