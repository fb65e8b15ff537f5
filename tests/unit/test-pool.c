/* test-pool.c: every part runs exactly once, on any number of threads, also when jobs follow each other closely or the
 * threads have gone to sleep in between. */
#include "engine/kernels/matmul.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf (stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                       \
      exit (1);                                                                                                        \
    }                                                                                                                  \
  } while (0)

enum { PARTS_MAX = 1000 };

struct job {
  atomic_int runs[PARTS_MAX];
  atomic_int total;
};

static void count_part (void *data, size_t part)
{
  struct job *job = data;
  CHECK (part < PARTS_MAX);
  atomic_fetch_add (&job->runs[part], 1);
  atomic_fetch_add (&job->total, 1);
}

static void run_jobs (int n_threads)
{
  static const size_t sizes[] = { 0, 1, 2, 3, 7, 64, PARTS_MAX };
  struct pool *pool = pool_new (n_threads);
  CHECK (pool != NULL);
  CHECK (pool_get_n_threads (pool) == n_threads);
  for (int repeat = 0; repeat < 200; repeat++)
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
      static struct job job;
      for (size_t i = 0; i < PARTS_MAX; i++)
        atomic_store (&job.runs[i], 0);
      atomic_store (&job.total, 0);
      pool_run (pool, sizes[s], count_part, &job);
      CHECK (atomic_load (&job.total) == (int)sizes[s]);
      for (size_t i = 0; i < PARTS_MAX; i++)
        CHECK (atomic_load (&job.runs[i]) == (i < sizes[s] ? 1 : 0));
    }
  pool_free (pool);
}

static double get_cpu_ms (void)
{
  struct timespec now;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void nap (long ms)
{
  nanosleep (&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* Threads with nothing to do must not burn the battery, and must still wake up. */
static void check_idle (void)
{
  static struct job job;
  struct pool *pool = pool_new (4);
  CHECK (pool != NULL);
  pool_run (pool, 10, count_part, &job);
  nap (50);
  const double before = get_cpu_ms ();
  nap (200);
  CHECK (get_cpu_ms () - before < 50);
  pool_run (pool, 10, count_part, &job);
  CHECK (atomic_load (&job.total) == 20);
  pool_free (pool);
}

/* A part that waits for another one only ends if two threads really work. */
static void wait_for_other (void *data, size_t part)
{
  struct job *job = data;
  atomic_fetch_add (&job->total, 1);
  for (int i = 0; i < 10000 && atomic_load (&job->total) < 2; i++)
    nap (1);
  atomic_fetch_add (&job->runs[part], atomic_load (&job->total));
}

static void check_parallel (void)
{
  static struct job job;
  struct pool *pool = pool_new (2);
  CHECK (pool != NULL);
  nap (20);
  pool_run (pool, 2, wait_for_other, &job);
  CHECK (atomic_load (&job.runs[0]) == 2 && atomic_load (&job.runs[1]) == 2);
  pool_free (pool);
}

int main (void)
{
  CHECK (pool_new (0) == NULL);
  for (int n_threads = 1; n_threads <= 5; n_threads++)
    run_jobs (n_threads);
  check_idle ();
  check_parallel ();
  pool_free (NULL);
  return 0;
}
