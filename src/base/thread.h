/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads and signals. A thread of ours handles no signal: they are the host's, whose handlers may not expect a foreign
 * thread. Signals that an instruction of the thread itself raises (SIGSEGV, SIGFPE, ...) stay as they are.
 */
#ifndef METASEG_BASE_THREAD_H
#define METASEG_BASE_THREAD_H

#include "base/err.h"

#include <pthread.h>
#include <signal.h>

/* Blocks every signal that can be held back in the calling thread and tells the mask that it had; the threads that it
 * starts from now on inherit the block. */
void signals_hold(sigset_t *ret_before);

/* Puts a mask back. Signals that waited are handled before it returns. */
void signals_restore(const sigset_t *mask);

/* Starts a thread that handles no signals; pthread_join it. `what` names it in the message. ERR_MEMORY: too little
 * memory or too many threads. */
Err thread_start(pthread_t *ret_thread, void *(*run)(void *argument), void *argument, const char *what);

#endif
