/* SPDX-License-Identifier: Apache-2.0
 * Order, ends and errors of channels between threads. */
#include "base/channel.h"

#include "harness/unit.h"

#include <pthread.h>

enum { ITEMS = 5000 };

static int numbers[ITEMS];

typedef struct Pipe {
    Channel *channel;
    int64_t fail_at;
} Pipe;

static void *produce(void *argument)
{
    Pipe *pipe = argument;
    Err err = ERR_NONE;
    for (int64_t i = 0; i < ITEMS && err == ERR_NONE; i++) {
        if (i == pipe->fail_at)
            err = err_set(ERR_INPUT, "item %d is bad", (int)i);
        else if (!channel_put(pipe->channel, &numbers[i]))
            break;
    }
    channel_close(pipe->channel, err);
    return NULL;
}

static int64_t consume(Pipe *pipe, int64_t stop_after)
{
    pthread_t thread;
    assert_int_equal(channel_new(3, &pipe->channel), ERR_NONE);
    assert_int_equal(pthread_create(&thread, NULL, produce, pipe), 0);
    int64_t n = 0;
    void *item = NULL;
    while (n < stop_after && channel_take(pipe->channel, &item)) {
        assert_ptr_equal(item, &numbers[n]);
        n++;
    }
    channel_close(pipe->channel, ERR_NONE);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return n;
}

static void test_order(void **state)
{
    (void)state;
    Pipe pipe = { .fail_at = -1 };
    assert_int_equal(consume(&pipe, ITEMS + 1), ITEMS);
    assert_int_equal(channel_error(pipe.channel), ERR_NONE);
    channel_free(pipe.channel);
}

static void test_error_crosses_threads(void **state)
{
    (void)state;
    Pipe pipe = { .fail_at = 1234 };
    assert_true(consume(&pipe, ITEMS) <= 1234);
    (void)err_set(ERR_INTERNAL, "another message of this thread");
    assert_int_equal(channel_error(pipe.channel), ERR_INPUT);
    assert_string_equal(err_message(), "item 1234 is bad");
    channel_free(pipe.channel);
}

static void test_consumer_leaves(void **state)
{
    (void)state;
    Pipe pipe = { .fail_at = -1 };
    assert_int_equal(consume(&pipe, 10), 10);
    channel_free(pipe.channel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_error_crosses_threads),
        cmocka_unit_test(test_consumer_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
