/* SPDX-License-Identifier: Apache-2.0
 * Threads that handle no signals. */
#include "base/thread.h"

#include <stdint.h>
#include <string.h>

void signals_hold(sigset_t *ret_before)
{
    /* raised by the thread's own instructions: where they are blocked, the kernel ends the process without a word */
    static const int own[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP };
    sigset_t held;
    (void)sigfillset(&held);
    for (int64_t i = 0; i < ARRAY_LEN(own); i++) (void)sigdelset(&held, own[i]);
    (void)pthread_sigmask(SIG_BLOCK, &held, ret_before);
}

void signals_restore(const sigset_t *mask) { (void)pthread_sigmask(SIG_SETMASK, mask, NULL); }

Err thread_start(pthread_t *ret_thread, void *(*run)(void *argument), void *argument, const char *what)
{
    sigset_t before;
    signals_hold(&before);
    const int code = pthread_create(ret_thread, NULL, run, argument);
    signals_restore(&before);
    if (code == 0) return ERR_NONE;
    return err_set(ERR_MEMORY, "%s cannot be started as a thread: %s; allow more memory or threads (ulimit -v, -u)",
                   what, strerror(code));
}
