/* SPDX-License-Identifier: Apache-2.0
 * Signals, denormal numbers and OpenMP's settings around kernels. */
#include "tensor/compute.h"

#include "base/room.h"
#include "base/thread.h"

#include <omp.h>
#include <stdbool.h>
#include <stdlib.h>

#if METASEG_WITH_X86
#include <xmmintrin.h>

/* MXCSR bits 15 (flush to zero) and 6 (denormals are zeros): Intel SDM volume 1, 10.2.3. */
enum { DENORMALS_OFF = 0x8040 };

static uint32_t floats_get(void) { return _mm_getcsr(); }
static void floats_hold(void) { _mm_setcsr(_mm_getcsr() | DENORMALS_OFF); }
static void floats_restore(uint32_t before)
{
    _mm_setcsr((_mm_getcsr() & ~(uint32_t)DENORMALS_OFF) | (before & DENORMALS_OFF));
}
#else
static uint32_t floats_get(void) { return 0; }
static void floats_hold(void) {}
static void floats_restore(uint32_t before) { (void)before; }
#endif

/* What a thread of the team had before. Threads that OpenMP starts in between (it ends those that a smaller team of
 * oneDNN does not need) have no such memory: they get what the caller had, as without us. */
typedef struct Worker {
    bool held;
    sigset_t signals;
    uint32_t floats;
} Worker;
static _Thread_local Worker worker;

void compute_begin(int32_t threads, Compute *ret_compute)
{
    *ret_compute = (Compute){
        .threads = threads, .floats = floats_get(), .max_threads = omp_get_max_threads(), .dynamic = omp_get_dynamic()
    };
    signals_hold(&ret_compute->signals);
    omp_set_dynamic(0);
    omp_set_num_threads(threads);
#pragma omp parallel num_threads(threads)
    {
        if (omp_get_thread_num() > 0) {
            worker = (Worker){ .held = true, .floats = floats_get() };
            signals_hold(&worker.signals);
        }
        floats_hold();
    }
}

void compute_signals(const Compute *compute)
{
    sigset_t before;
    signals_restore(&compute->signals);
    signals_hold(&before);
}

void compute_end(const Compute *compute)
{
#pragma omp parallel num_threads(compute->threads)
    if (omp_get_thread_num() > 0) {
        floats_restore(worker.held ? worker.floats : compute->floats);
        signals_restore(worker.held ? &worker.signals : &compute->signals);
        worker.held = false;
    }
    floats_restore(compute->floats);
    omp_set_num_threads(compute->max_threads);
    omp_set_dynamic(compute->dynamic);
    signals_restore(&compute->signals);
}

/* GNU's documentation of GOMP_SPINCOUNT: with more managed threads than available processors 100 spins, else 300,000. */
void compute_beside_team(int32_t threads)
{
    if (threads < 2 || threads < omp_get_num_procs() || compute_check_team(2) != ERR_NONE) return;
#pragma omp parallel num_threads(2)
    (void)omp_get_thread_num();
}

/* ---- can a team be started? ---- */

typedef struct Gate {
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    bool open;
} Gate;

static void *wait_at(void *argument)
{
    Gate *gate = argument;
    (void)pthread_mutex_lock(&gate->mutex);
    while (!gate->open) (void)pthread_cond_wait(&gate->opened, &gate->mutex);
    (void)pthread_mutex_unlock(&gate->mutex);
    return NULL;
}

/* All of them stand at the same time, so their stacks do; the C library keeps the stacks for the next threads. */
Err compute_check_team(int32_t threads)
{
    Gate gate = { .mutex = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER };
    TRY(room_check("computing"));
    if (threads < 2) return ERR_NONE;
    pthread_t *team = calloc((size_t)threads, sizeof *team);
    if (team == NULL) return err_memory((size_t)threads * sizeof *team, "a team of threads");
    Err err = ERR_NONE;
    int32_t started = 0;
    while (started + 1 < threads && err == ERR_NONE) {
        err = thread_start(&team[started], wait_at, &gate, "a part of the computation");
        if (err == ERR_NONE) started++;
    }
    (void)pthread_mutex_lock(&gate.mutex);
    gate.open = true;
    (void)pthread_cond_broadcast(&gate.opened);
    (void)pthread_mutex_unlock(&gate.mutex);
    for (int32_t i = 0; i < started; i++) (void)pthread_join(team[i], NULL);
    free(team);
    return err;
}
