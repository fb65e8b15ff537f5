#include "engine/sampling/automaton_private.h"

#include "engine/error.h"
#include <stdlib.h>
#include <string.h>

const struct automaton_limits automaton_default_limits = { .n_states = 1u << 12,
                                                           .n_places = 1u << 16,
                                                           .n_nodes = 1u << 15,
                                                           .n_edges = 1u << 16,
                                                           .n_parallel = 1u << 11,
                                                           .n_work = 1u << 22 };

/* ---- one step ------------------------------------------------------------------------------------------ */

/* Counts one place; false if that is one too many. */
static bool may_work (struct automaton *automaton)
{
  if (automaton->work_left == 0)
    automaton->is_beyond = true;
  else
    automaton->work_left--;
  return !automaton->is_beyond;
}

static void visit (struct automaton *automaton, uint32_t at, uint32_t node)
{
  if (!may_work (automaton))
    return;
  const struct automaton_place place = { at, node };
  uint32_t mask = 2 * automaton->limits.n_parallel - 1, slot = automaton_hash (&place, 1);
  for (;; slot++) {
    struct automaton_mark *mark = &automaton->marks[slot & mask];
    if (mark->stamp != automaton->stamp)
      break;
    if (mark->place.at == at && mark->place.node == node)
      return;
  }
  if (automaton->n_visited == automaton->limits.n_parallel) {
    automaton->is_beyond = true;
    return;
  }
  automaton->marks[slot & mask] = (struct automaton_mark){ place, automaton->stamp };
  automaton->visited[automaton->n_visited++] = place;
}

static void wait_for (struct automaton *automaton, uint32_t rule, struct automaton_place edge)
{
  if (!may_work (automaton))
    return;
  if (automaton->n_waits == 4 * automaton->limits.n_parallel) {
    automaton->is_beyond = true;
    return;
  }
  automaton->waits[automaton->n_waits] = (struct automaton_wait){ edge, automaton->first_waits[rule] };
  automaton->first_waits[rule] = ++automaton->n_waits;
}

/* A call from `at` in `node`. A call that is the last thing in its rule goes back to where the rule itself goes back
 * to: lists written by recursion do not grow the stack. */
static void call (struct automaton *automaton, uint32_t at, uint32_t node)
{
  const struct grammar_instruction *code = automaton->program->code;
  uint32_t rule = code[at].rule, back = at + 1;
  while (code[back].op == GRAMMAR_JUMP)
    back += (uint32_t)code[back].target[0];
  const struct automaton_node *caller = &automaton->nodes[node];
  if (code[back].op == GRAMMAR_END)
    for (uint32_t e = 0; e < caller->n_edges; e++)
      wait_for (automaton, rule, automaton->edges[caller->first_edge + e]);
  else
    wait_for (automaton, rule, (struct automaton_place){ back, node });
  if (automaton->program->rules[rule].is_nullable)
    visit (automaton, back, node);
}

/* Follows everything that reads nothing, from visited[first]. */
static void follow (struct automaton *automaton, uint32_t first)
{
  const struct grammar_instruction *code = automaton->program->code;
  for (uint32_t i = first; i < automaton->n_visited && !automaton->is_beyond; i++) {
    uint32_t at = automaton->visited[i].at, node = automaton->visited[i].node;
    switch (code[at].op) {
    case GRAMMAR_SPLIT:
      visit (automaton, at + (uint32_t)code[at].target[1], node);
      visit (automaton, at + (uint32_t)code[at].target[0], node);
      break;
    case GRAMMAR_JUMP: visit (automaton, at + (uint32_t)code[at].target[0], node); break;
    case GRAMMAR_CALL: call (automaton, at, node); break;
    case GRAMMAR_END:
      for (uint32_t e = 0; e < automaton->nodes[node].n_edges; e++) {
        struct automaton_place edge = automaton->edges[automaton->nodes[node].first_edge + e];
        visit (automaton, edge.at, edge.node);
      }
      break;
    case GRAMMAR_ACCEPT: automaton->accepts = true; break;
    default: break;
    }
  }
}

/* Enters a rule that is called in this step, once everything that calls it is known. */
static void enter (struct automaton *automaton, uint32_t rule)
{
  uint32_t n = 0;
  for (uint32_t wait = automaton->first_waits[rule]; wait; wait = automaton->waits[wait - 1].next)
    automaton->scratch[n++] = automaton->waits[wait - 1].edge;
  n = automaton_sort_places (automaton->scratch, n);
  int32_t node = automaton_keep_node (automaton, automaton->scratch, n);
  if (node < 0) {
    automaton->is_full = true;
    return;
  }
  uint32_t first = automaton->n_visited;
  visit (automaton, automaton->program->rules[rule].start, (uint32_t)node);
  follow (automaton, first);
}

/* Makes the state of what was visited and of the calls that wait. */
static int32_t finish_step (struct automaton *automaton)
{
  const struct grammar_program *program = automaton->program;
  follow (automaton, 0);
  for (uint32_t i = 0; i < program->n_rules && automaton->n_waits > 0; i++) {
    uint32_t rule = program->order[i];
    if (automaton->first_waits[rule] && !automaton->is_full && !automaton->is_beyond)
      enter (automaton, rule);
    automaton->first_waits[rule] = 0;
  }
  if (automaton->is_full || automaton->is_beyond)
    return AUTOMATON_DEAD;
  uint32_t n = 0;
  for (uint32_t i = 0; i < automaton->n_visited; i++)
    if (program->code[automaton->visited[i].at].op == GRAMMAR_BYTE)
      automaton->visited[n++] = automaton->visited[i];
  if (n == 0 && !automaton->accepts)
    return AUTOMATON_DEAD;
  n = automaton_sort_places (automaton->visited, n);
  int32_t state = automaton_keep_state (automaton, automaton->visited, n, automaton->accepts);
  automaton->is_full = state < 0;
  return automaton->is_full ? AUTOMATON_DEAD : state;
}

static void begin_step (struct automaton *automaton)
{
  automaton->n_visited = automaton->n_waits = 0;
  automaton->accepts = automaton->is_full = automaton->is_beyond = false;
  if (++automaton->stamp == 0) {
    memset (automaton->marks, 0, 2 * automaton->limits.n_parallel * sizeof *automaton->marks);
    automaton->stamp = 1;
  }
}

static int32_t step_from (struct automaton *automaton, int32_t state, uint8_t byte)
{
  const struct automaton_state *from = &automaton->states[state];
  begin_step (automaton);
  for (uint32_t i = 0; i < from->n_places; i++) {
    struct automaton_place place = automaton->places[from->first_place + i];
    const struct grammar_instruction *code = &automaton->program->code[place.at];
    if (byte >= code->low && byte <= code->high)
      visit (automaton, place.at + 1, place.node);
  }
  return automaton->n_visited == 0 ? AUTOMATON_DEAD : finish_step (automaton);
}

int32_t automaton_step_slowly (struct automaton *automaton, int32_t *held, size_t n_held, uint8_t byte)
{
  int32_t next = step_from (automaton, held[n_held - 1], byte);
  if (automaton->is_full && !automaton->is_saturated) {
    automaton_drop (automaton, held, n_held);
    automaton->is_saturated
        = automaton->n_states > automaton->limits.n_states / 2 || automaton->n_places > automaton->limits.n_places / 2
          || automaton->n_nodes > automaton->limits.n_nodes / 2 || automaton->n_edges > automaton->limits.n_edges / 2;
    next = step_from (automaton, held[n_held - 1], byte);
  }
  if (!automaton->is_full && automaton->work_left > 0) /* else it may do another time */
    automaton->steps[(size_t)held[n_held - 1] * automaton->n_classes + automaton->classes[byte]] = next;
  return next;
}

/* ---- making -------------------------------------------------------------------------------------------- */

static void find_classes (struct automaton *automaton)
{
  const struct grammar_program *program = automaton->program;
  bool begins[257] = { true };
  for (uint32_t i = 0; i < program->n_code; i++)
    if (program->code[i].op == GRAMMAR_BYTE)
      begins[program->code[i].low] = begins[program->code[i].high + 1] = true;
  uint32_t n = 0;
  for (size_t byte = 0; byte < 256; byte++) {
    n += begins[byte];
    automaton->classes[byte] = (uint8_t)(n - 1);
  }
  automaton->n_classes = n;
}

/* Slots of a hash table for n items: a power of two, at most half full. */
static uint32_t table_size (uint32_t n)
{
  uint32_t size = 4;
  while (size < 2 * n)
    size *= 2;
  return size;
}

static bool allocate (struct automaton *automaton)
{
  const struct automaton_limits *limits = &automaton->limits;
  size_t n_parallel = limits->n_parallel;
  automaton->state_mask = table_size (limits->n_states) - 1;
  automaton->node_mask = table_size (limits->n_nodes) - 1;
  automaton->states = calloc (limits->n_states, sizeof *automaton->states);
  automaton->places = calloc (limits->n_places, sizeof *automaton->places);
  automaton->steps = calloc ((size_t)limits->n_states * automaton->n_classes, sizeof *automaton->steps);
  automaton->nodes = calloc (limits->n_nodes, sizeof *automaton->nodes);
  automaton->edges = calloc (limits->n_edges, sizeof *automaton->edges);
  automaton->state_table = calloc (automaton->state_mask + (size_t)1, sizeof *automaton->state_table);
  automaton->node_table = calloc (automaton->node_mask + (size_t)1, sizeof *automaton->node_table);
  automaton->visited = calloc (n_parallel, sizeof *automaton->visited);
  automaton->marks = calloc (2 * n_parallel, sizeof *automaton->marks);
  automaton->waits = calloc (4 * n_parallel, sizeof *automaton->waits);
  automaton->scratch = calloc (4 * n_parallel, sizeof *automaton->scratch);
  automaton->first_waits = calloc (automaton->program->n_rules, sizeof *automaton->first_waits);
  automaton->kept
      = calloc (limits->n_states > limits->n_nodes ? limits->n_states : limits->n_nodes, sizeof *automaton->kept);
  return automaton->states && automaton->places && automaton->steps && automaton->nodes && automaton->edges
         && automaton->state_table && automaton->node_table && automaton->visited && automaton->marks
         && automaton->waits && automaton->scratch && automaton->first_waits && automaton->kept;
}

int automaton_init (struct automaton *automaton, const struct grammar_program *program,
                    const struct automaton_limits *limits, struct engine_error *error)
{
  *automaton = (struct automaton){ .program = program, .limits = *limits };
  find_classes (automaton);
  if (!allocate (automaton)) {
    automaton_release (automaton);
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a grammar.");
  }
  automaton_relax (automaton);
  begin_step (automaton);
  automaton_keep_node (automaton, NULL, 0);
  wait_for (automaton, program->root, (struct automaton_place){ 0, 0 });
  if (finish_step (automaton) != AUTOMATON_START) {
    automaton_release (automaton);
    return engine_error_set (error, ENGINE_ERROR_RANGE,
                             "The grammar can begin in more than %u ways at once: write it with fewer alternatives.",
                             limits->n_parallel);
  }
  return ENGINE_OK;
}

void automaton_release (struct automaton *automaton)
{
  free (automaton->states);
  free (automaton->places);
  free (automaton->steps);
  free (automaton->nodes);
  free (automaton->edges);
  free (automaton->state_table);
  free (automaton->node_table);
  free (automaton->visited);
  free (automaton->marks);
  free (automaton->waits);
  free (automaton->scratch);
  free (automaton->first_waits);
  free (automaton->kept);
  *automaton = (struct automaton){ 0 };
}
