/* SPDX-License-Identifier: Apache-2.0
 *
 * A bounded queue of pointers between threads, with an end and an error. Two channels make a pipeline stage: free
 * buffers go one way, filled ones the other.
 *
 *     producer                                   consumer
 *     while (channel_take(free, &b)) {           while (channel_take(full, &b)) {
 *         code = fill(b);                            use(b);
 *         if (code != ERR_NONE) break;               channel_put(free, b);
 *         channel_put(full, b);                  }
 *     }                                          code = channel_error(full);
 *     channel_close(full, code);                 channel_close(free, code);
 */
#ifndef METASEG_BASE_CHANNEL_H
#define METASEG_BASE_CHANNEL_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Channel Channel;

/* A channel that holds at most `capacity` items. ERR_MEMORY. */
Err channel_new(int64_t capacity, Channel **ret_channel);
void channel_free(Channel *channel); /* items still inside stay their owner's */

/* Appends; waits while the channel is full. False (item not taken over) when it was closed. */
bool channel_put(Channel *channel, void *item);

/* Takes the oldest; waits while it is empty. False when it was closed and nothing is left, or closed with an error. */
bool channel_take(Channel *channel, void **ret_item);

/* Ends the channel: ERR_NONE lets takers empty it, an error stops both sides at once and is kept with the calling
 * thread's message. Closing again keeps the first error. */
void channel_close(Channel *channel, Err err);

/* The error it was closed with, adopted by the calling thread; ERR_NONE otherwise. */
Err channel_error(Channel *channel);

#endif
