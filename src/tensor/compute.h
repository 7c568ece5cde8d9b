/* SPDX-License-Identifier: Apache-2.0
 *
 * The state of threads while they compute, and its return: a library leaves its host as it found it.
 *
 *     Compute compute;
 *     compute_begin(device.threads, &compute);
 *     ... kernels, with compute_signals(&compute) between them ...
 *     compute_end(&compute);
 *
 * Between begin and end, in the calling thread and its OpenMP team:
 * - Signals are held back. The AVX2 matrix product of oneDNN 2.6 keeps an address of the heap in the stack pointer, so
 *   that a handler on the ordinary stack would overwrite the heap, whoever installed it.
 * - Denormal numbers (magnitude below 1.2e-38) count as 0: they cost a hundred cycles and more per instruction, and the
 *   tails of a softmax are full of them. Only x86.
 * - OpenMP gives teams of exactly `threads`, also to libraries that name no number.
 * Begin and end belong to one thread; different threads may compute at the same time. Both cost a few microseconds.
 */
#ifndef METASEG_TENSOR_COMPUTE_H
#define METASEG_TENSOR_COMPUTE_H

#include "base/err.h"

#include <signal.h>
#include <stdint.h>

typedef struct Compute {
    int32_t threads;
    sigset_t signals;         /* the caller's mask */
    uint32_t floats;          /* the caller's floating point control */
    int max_threads, dynamic; /* the caller's OpenMP settings */
} Compute;

void compute_begin(int32_t threads, Compute *ret_compute);

/* Lets the signals in that wait for the calling thread: their handlers run here. */
void compute_signals(const Compute *compute);

void compute_end(const Compute *compute);

/* To be called once by a thread that works beside a team of `threads`, as a reader does. OpenMP's threads spin for
 * milliseconds where they wait, unless OpenMP knows of more threads than processors. It does not count other threads: this
 * one makes a team of two of its own, whose second thread sleeps, when `threads` take all processors. Without it a tile
 * can take ten times as long on a machine that has anything else to do. */
void compute_beside_team(int32_t threads);

/* Whether a team of `threads` can be started: OpenMP ends the process where it cannot. ERR_MEMORY. */
Err compute_check_team(int32_t threads);

#endif
