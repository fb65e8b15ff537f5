/* automaton_private.h: what automaton.c and automaton_store.c share. */
#ifndef LECTERN_AUTOMATON_PRIVATE_H
#define LECTERN_AUTOMATON_PRIVATE_H

#include "engine/sampling/automaton.h"

/* The state or node of exactly these places (sorted, without doubles), found or made; -1 if there is no room. */
int32_t automaton_keep_state (struct automaton *automaton, const struct automaton_place *places, uint32_t n,
                              bool accepts);
int32_t automaton_keep_node (struct automaton *automaton, const struct automaton_place *edges, uint32_t n);

/* Drops every state but the first and those in `held`, and every node that none of them needs. */
void automaton_drop (struct automaton *automaton, int32_t *held, size_t n_held);

uint32_t automaton_hash (const struct automaton_place *places, uint32_t n);

/* Sorts and removes doubles; returns how many are left. */
uint32_t automaton_sort_places (struct automaton_place *places, uint32_t n);

#endif
