#include "engine/model/memory.h"
#include "engine/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define NO_LIMIT UINT64_MAX
#define RESERVE 50 /* one part in so many is left to others: MemAvailable is an estimate */
#define LEAST_CONTEXT_TOKENS 512

static FILE *open_file (const char *root, const char *directory, const char *name)
{
  char path[1024];
  const int length = snprintf (path, sizeof path, "%s%s/%s", root, directory, name);
  return length > 0 && (size_t)length < sizeof path ? fopen (path, "re") : NULL;
}

/* A file that holds one number; NO_LIMIT if it is absent or says "max". */
static uint64_t read_number (const char *root, const char *directory, const char *name)
{
  unsigned long long value;
  FILE *file = open_file (root, directory, name);
  if (!file)
    return NO_LIMIT;
  const uint64_t number = fscanf (file, "%llu", &value) == 1 ? value : NO_LIMIT;
  fclose (file);
  return number;
}

/* The sum of the lines of `file` that begin with one of two names and a number; `found` counts them. */
static uint64_t sum_lines (FILE *file, const char *first, const char *second, int *found)
{
  char line[160], name[80];
  unsigned long long value;
  uint64_t sum = 0;
  *found = 0;
  while (fgets (line, sizeof line, file))
    if (sscanf (line, "%79s %llu", name, &value) == 2 && (strcmp (name, first) == 0 || strcmp (name, second) == 0)) {
      sum += value;
      ++*found;
    }
  return sum;
}

/* What one control group (version 2) leaves: its limit less what it uses, but for file pages, which can be dropped. */
static uint64_t get_group_bytes (const char *root, const char *directory)
{
  const uint64_t limit = read_number (root, directory, "memory.max");
  uint64_t used = read_number (root, directory, "memory.current");
  int found;
  if (limit == NO_LIMIT || used == NO_LIMIT)
    return NO_LIMIT;
  FILE *file = open_file (root, directory, "memory.stat");
  if (file) {
    const uint64_t pages = sum_lines (file, "active_file", "inactive_file", &found);
    used = used > pages ? used - pages : 0;
    fclose (file);
  }
  return limit > used ? limit - used : 0;
}

/* The least of this process's control group and those above it. */
static uint64_t get_cgroup_bytes (const char *root)
{
  static const char base[] = "/sys/fs/cgroup";
  char line[512], directory[sizeof base + sizeof line] = "";
  FILE *file = open_file (root, "/proc/self", "cgroup");
  if (!file)
    return NO_LIMIT;
  while (fgets (line, sizeof line, file))
    if (strncmp (line, "0::/", 4) == 0) {
      line[strcspn (line, "\n")] = '\0';
      snprintf (directory, sizeof directory, "%s%s", base, line + 3);
    }
  fclose (file);
  uint64_t least = NO_LIMIT;
  while (strlen (directory) >= sizeof base - 1) {
    const uint64_t bytes = get_group_bytes (root, directory);
    least = bytes < least ? bytes : least;
    *strrchr (directory, '/') = '\0';
  }
  return least;
}

/* Linux's own estimate of what can be taken without swapping: page cache that can be dropped counts as free. */
static uint64_t get_free_bytes (const char *root)
{
  FILE *file = open_file (root, "/proc", "meminfo");
  int found;
  if (!file)
    return NO_LIMIT;
  const uint64_t kib = sum_lines (file, "MemAvailable:", "", &found);
  fclose (file);
  return found && kib <= NO_LIMIT / 1024 ? kib * 1024 : NO_LIMIT;
}

static uint64_t get_address_space_bytes (const char *root)
{
  struct rlimit limit;
  if (getrlimit (RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return NO_LIMIT;
  const uint64_t pages = read_number (root, "/proc/self", "statm");
  const long page_bytes = sysconf (_SC_PAGESIZE);
  const uint64_t used = pages == NO_LIMIT ? 0 : pages * (uint64_t)page_bytes;
  return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

struct memory_limits memory_read_limits (const char *root)
{
  const uint64_t machine = get_free_bytes (root), groups = get_cgroup_bytes (root);
  uint64_t resident = machine < groups ? machine : groups;
  if (resident != NO_LIMIT)
    resident -= resident / RESERVE;
  return (struct memory_limits){ resident, get_address_space_bytes (root) };
}

static bool fits (const struct memory_limits *limits, uint64_t weight_bytes, uint64_t session_bytes)
{
  return session_bytes <= limits->address_bytes && weight_bytes <= limits->resident_bytes
         && session_bytes <= limits->resident_bytes - weight_bytes;
}

/* The largest context below `tokens` that fits, in steps of LEAST_CONTEXT_TOKENS; 0: none. */
static uint32_t find_context (const struct memory_limits *limits, const struct engine_model *model, uint32_t tokens,
                              uint32_t scale)
{
  const uint64_t weight_bytes = engine_model_get_info (model)->file_bytes;
  uint32_t low = 0, high = tokens / LEAST_CONTEXT_TOKENS;
  while (low < high) {
    const uint32_t middle = low + (high - low + 1) / 2;
    const uint64_t bytes = engine_model_get_session_bytes (model, middle * LEAST_CONTEXT_TOKENS);
    if (bytes <= NO_LIMIT / scale && fits (limits, weight_bytes, bytes * scale))
      low = middle;
    else
      high = middle - 1;
  }
  return low * LEAST_CONTEXT_TOKENS;
}

/* "3.4 GB", "120 MB" into text[32]. */
static const char *print_size (uint64_t bytes, char *text)
{
  if (bytes >= 1000000000)
    snprintf (text, 32, "%.1f GB", (double)bytes / 1e9);
  else
    snprintf (text, 32, "%.*f MB", bytes < 10000000 ? 1 : 0, (double)bytes / 1e6);
  return text;
}

int memory_check (const struct memory_limits *limits, const struct engine_model *model, const char *what,
                  uint64_t session_bytes, uint32_t context_tokens, uint32_t scale, struct engine_error *error)
{
  const uint64_t weight_bytes = engine_model_get_info (model)->file_bytes;
  char all[32], weights[32], free_text[32], advice[128] = "choose a smaller model or a smaller quantisation of it";
  uint64_t all_bytes;
  if (fits (limits, weight_bytes, session_bytes))
    return ENGINE_OK;
  const uint32_t shorter = context_tokens ? find_context (limits, model, context_tokens, scale) : 0;
  if (shorter)
    snprintf (advice, sizeof advice, "choose a context of at most %u tokens or a smaller quantisation of the model",
              shorter);
  if (session_bytes > limits->address_bytes)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY,
                             "%s needs %s of memory besides the model but this process may take only %s more: %s.",
                             what, print_size (session_bytes, all), print_size (limits->address_bytes, free_text),
                             advice);
  if (__builtin_add_overflow (weight_bytes, session_bytes, &all_bytes))
    all_bytes = NO_LIMIT;
  return engine_error_set (error, ENGINE_ERROR_NO_MEMORY,
                           "%s needs %s of memory, %s of it for the model's weights, but only %s can be had: %s.", what,
                           print_size (all_bytes, all), print_size (weight_bytes, weights),
                           print_size (limits->resident_bytes, free_text), advice);
}

uint64_t engine_get_available_bytes (void)
{
  return memory_read_limits ("").resident_bytes;
}

bool engine_model_fits (const struct engine_model *model, uint32_t context_tokens)
{
  const struct engine_model_info *info = engine_model_get_info (model);
  const struct memory_limits limits = memory_read_limits ("");
  return info->runs && fits (&limits, info->file_bytes, engine_model_get_session_bytes (model, context_tokens));
}
