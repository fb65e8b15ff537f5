/* pool.c: threads that share out the parts of one job at a time.
 *
 * A job is published as a ticket: its number in the high half, the next part in the low half. Threads take parts by
 * compare-and-swap on the ticket, so a thread that wakes up late, holding an old ticket, can never take a part of a
 * newer job, and the caller need not wait for threads that never woke. Waiting is a short spin, then sleep. */
#include "engine/kernels/matmul.h"
#include <pthread.h>
#include <stdlib.h>

enum { SPINS = 2000 }; /* some tens of microseconds: longer than the gap between two products of one layer */

#define PART_CLOSED 0xffffffffu /* the job's fields are about to change */

struct pool {
  int n_threads;
  int n_workers; /* started: n_threads - 1 */
  pthread_t *workers;

  _Atomic uint64_t ticket;
  _Atomic (void (*) (void *, size_t)) work;
  _Atomic (void *) data;
  atomic_size_t n_parts, n_done;

  pthread_mutex_t mutex;
  pthread_cond_t wake, done;
  atomic_int n_asleep;
  atomic_bool caller_asleep, stop;
};

static inline void spin_pause (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}

static uint32_t job_of (uint64_t ticket)
{
  return (uint32_t)(ticket >> 32);
}

/* Works on the job until its parts are taken. */
static void take_parts (struct pool *pool, uint32_t job)
{
  for (;;) {
    uint64_t ticket = atomic_load (&pool->ticket);
    const uint32_t part = (uint32_t)ticket;
    if (job_of (ticket) != job || part == PART_CLOSED)
      return;
    const size_t n_parts = atomic_load (&pool->n_parts);
    void (*work) (void *, size_t) = atomic_load (&pool->work);
    void *data = atomic_load (&pool->data);
    if (part >= n_parts)
      return;
    if (!atomic_compare_exchange_weak (&pool->ticket, &ticket, ticket + 1))
      continue;
    work (data, part);
    if (atomic_fetch_add (&pool->n_done, 1) + 1 == n_parts && atomic_load (&pool->caller_asleep)) {
      pthread_mutex_lock (&pool->mutex);
      pthread_cond_signal (&pool->done);
      pthread_mutex_unlock (&pool->mutex);
    }
  }
}

static bool has_news (struct pool *pool, uint32_t seen)
{
  const uint64_t ticket = atomic_load (&pool->ticket);
  return (job_of (ticket) != seen && (uint32_t)ticket != PART_CLOSED) || atomic_load (&pool->stop);
}

static void *run_worker (void *data)
{
  struct pool *pool = data;
  uint32_t seen = 0;
  for (;;) {
    for (int i = 0; i < SPINS && !has_news (pool, seen); i++)
      spin_pause ();
    if (!has_news (pool, seen)) {
      pthread_mutex_lock (&pool->mutex);
      atomic_fetch_add (&pool->n_asleep, 1);
      while (!has_news (pool, seen))
        pthread_cond_wait (&pool->wake, &pool->mutex);
      atomic_fetch_sub (&pool->n_asleep, 1);
      pthread_mutex_unlock (&pool->mutex);
    }
    if (atomic_load (&pool->stop))
      return NULL;
    seen = job_of (atomic_load (&pool->ticket));
    take_parts (pool, seen);
  }
}

struct pool *pool_new (int n_threads)
{
  if (n_threads < 1)
    return NULL;
  struct pool *pool = calloc (1, sizeof *pool);
  if (!pool)
    return NULL;
  pool->n_threads = n_threads;
  pthread_mutex_init (&pool->mutex, NULL);
  pthread_cond_init (&pool->wake, NULL);
  pthread_cond_init (&pool->done, NULL);
  pool->workers = calloc ((size_t)n_threads, sizeof *pool->workers);
  if (!pool->workers) {
    pool_free (pool);
    return NULL;
  }
  for (; pool->n_workers < n_threads - 1; pool->n_workers++)
    if (pthread_create (&pool->workers[pool->n_workers], NULL, run_worker, pool) != 0) {
      pool_free (pool);
      return NULL;
    }
  return pool;
}

void pool_free (struct pool *pool)
{
  if (!pool)
    return;
  pthread_mutex_lock (&pool->mutex);
  atomic_store (&pool->stop, true);
  pthread_cond_broadcast (&pool->wake);
  pthread_mutex_unlock (&pool->mutex);
  for (int i = 0; i < pool->n_workers; i++)
    pthread_join (pool->workers[i], NULL);
  pthread_cond_destroy (&pool->wake);
  pthread_cond_destroy (&pool->done);
  pthread_mutex_destroy (&pool->mutex);
  free (pool->workers);
  free (pool);
}

int pool_get_n_threads (const struct pool *pool)
{
  return pool->n_threads;
}

static bool is_done (struct pool *pool, size_t n_parts)
{
  return atomic_load (&pool->n_done) == n_parts;
}

static void wait_until_done (struct pool *pool, size_t n_parts)
{
  for (int i = 0; i < SPINS && !is_done (pool, n_parts); i++)
    spin_pause ();
  if (is_done (pool, n_parts))
    return;
  pthread_mutex_lock (&pool->mutex);
  atomic_store (&pool->caller_asleep, true);
  while (!is_done (pool, n_parts))
    pthread_cond_wait (&pool->done, &pool->mutex);
  atomic_store (&pool->caller_asleep, false);
  pthread_mutex_unlock (&pool->mutex);
}

static void run_published (struct pool *pool, size_t n_parts, void (*work) (void *, size_t), void *data)
{
  const uint32_t job = job_of (atomic_load (&pool->ticket));
  atomic_store (&pool->ticket, (uint64_t)job << 32 | PART_CLOSED);
  atomic_store (&pool->n_parts, n_parts);
  atomic_store (&pool->n_done, 0);
  atomic_store (&pool->work, work);
  atomic_store (&pool->data, data);
  atomic_store (&pool->ticket, (uint64_t)(job + 1) << 32);
  if (atomic_load (&pool->n_asleep) > 0) {
    pthread_mutex_lock (&pool->mutex);
    pthread_cond_broadcast (&pool->wake);
    pthread_mutex_unlock (&pool->mutex);
  }
  take_parts (pool, job + 1);
  wait_until_done (pool, n_parts);
}

void pool_run (struct pool *pool, size_t n_parts, void (*work) (void *data, size_t part), void *data)
{
  if (pool->n_threads == 1 || n_parts <= 1) {
    for (size_t i = 0; i < n_parts; i++)
      work (data, i);
    return;
  }
  run_published (pool, n_parts, work, data);
}
