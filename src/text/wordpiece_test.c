/* SPDX-License-Identifier: Apache-2.0
 * The tokenizer against the reference's ids (tests/golden, written by tools/golden/tokenizer.py). */
#include "text/wordpiece.h"

#include "base/str.h"
#include "harness/tokenizer_golden.h"
#include "harness/vocabulary.h"

#include <time.h>

enum { IDS_MAX = 4096 };

static void check_case(const Tokenizer *tokenizer, int64_t line, char *text, const char *expected)
{
    static int32_t ids[IDS_MAX];
    int64_t count = 0, full = 0;
    char *shown = NULL;
    assert_int_equal(str_copy(text, &shown), ERR_NONE);
    const size_t bytes = unescape(text);
    assert_int_equal(tokenizer_encode(tokenizer, text, bytes, IDS_MAX, ids, &count, &full), ERR_NONE);
    assert_int_equal(count, full);
    const char *at = expected;
    for (int64_t i = 0; i < count; i++) {
        char *end = NULL;
        const long wanted = strtol(at, &end, 10);
        if (end == at || wanted != ids[i])
            fail_msg("line %lld, '%s': id %lld is %d, the reference has %ld", (long long)line, shown, (long long)i,
                     ids[i], end == at ? -1 : wanted);
        at = end;
    }
    if (*at != '\0') fail_msg("line %lld, '%s': the reference has more ids:%s", (long long)line, shown, at);
    free(shown);
}

static void corpus(void **state)
{
    (void)state;
    Tokenizer *tokenizer = vocabulary_published();
    size_t length = 0;
    char *text = data_file_golden("tokenizer_corpus.txt", &length);
    int64_t line = 0, cases = 0;
    for (char *at = text; *at != '\0';) {
        char *end = strchr(at, '\n');
        assert_non_null(end);
        *end = '\0';
        line++;
        char *tab = strchr(at, '\t');
        if (tab != NULL) {
            *tab = '\0';
            check_case(tokenizer, line, at, tab + 1);
            cases++;
        }
        at = end + 1;
    }
    assert_true(cases >= 1200);
    free(text);
    tokenizer_free(tokenizer);
}

static void sweep(void **state)
{
    (void)state;
    Tokenizer *tokenizer = vocabulary_published();
    check_sweep(tokenizer, "tokenizer_sweep.txt");
    tokenizer_free(tokenizer);
}

static void truncation(void **state)
{
    (void)state;
    Tokenizer *tokenizer = vocabulary_published();
    static const char text[] = "tropical rainforest, monsoon & savanna";
    static const int32_t all[] = { 101, 5133, 18951, 1010, 19183, 1004, 22323, 102 };
    for (int64_t capacity = 2; capacity <= 10; capacity++) {
        int32_t ids[11];
        memset(ids, 0x7F, sizeof ids);
        int64_t count = 0, full = 0;
        assert_int_equal(tokenizer_encode(tokenizer, text, strlen(text), capacity, ids, &count, &full), ERR_NONE);
        assert_int_equal(full, 8);
        assert_int_equal(count, capacity < 8 ? capacity : 8);
        assert_memory_equal(ids, all, (size_t)(count - 1) * sizeof ids[0]);
        assert_int_equal(ids[count - 1], 102);
        assert_int_equal(ids[count], 0x7F7F7F7F);
    }
    tokenizer_free(tokenizer);
}

static void lookup(void **state)
{
    (void)state;
    Tokenizer *tokenizer = vocabulary_published();
    assert_string_equal(tokenizer_token(tokenizer, 2075), "##ing");
    assert_int_equal(tokenizer_id(tokenizer, "##ing"), 2075);
    assert_int_equal(tokenizer_id(tokenizer, "##ingx"), -1);
    assert_null(tokenizer_token(tokenizer, -1));
    assert_null(tokenizer_token(tokenizer, 30522));
    for (int32_t id = 0; id < 30522; id++)
        assert_int_equal(tokenizer_id(tokenizer, tokenizer_token(tokenizer, id)), id);
    tokenizer_free(tokenizer);
}

static void too_long(void **state)
{
    (void)state;
    Tokenizer *tokenizer = vocabulary_published();
    char *text = malloc(TOKENIZER_TEXT_BYTES_MAX + 1);
    assert_non_null(text);
    memset(text, 'a', TOKENIZER_TEXT_BYTES_MAX + 1);
    int32_t ids[4];
    int64_t count = 77;
    assert_int_equal(tokenizer_encode(tokenizer, text, TOKENIZER_TEXT_BYTES_MAX + 1, 4, ids, &count, NULL),
                     ERR_ARGUMENT);
    assert_int_equal(count, 77);
    assert_int_equal(tokenizer_encode(tokenizer, text, TOKENIZER_TEXT_BYTES_MAX, 4, ids, &count, NULL), ERR_NONE);
    assert_int_equal(count, 3);
    assert_int_equal(ids[1], 100);
    free(text);
    tokenizer_free(tokenizer);
}

/* Small vocabularies, good and bad. */
static void vocabularies(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bytes; /* 0: strlen */
        Err err;
        const char *message;
    } cases[] = {
        { "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n", 0, ERR_NONE, "" },
        { "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n[MASK]\r\na\r\n##b", 0, ERR_NONE, "" },
        { "", 0, ERR_MODEL, "has 0 lines" },
        { "[PAD]\n[UNK]\n[CLS]\n\n[SEP]\n[MASK]\n", 0, ERR_MODEL, "line 4 is empty" },
        { "[PAD]\n[UNK]\n[CLS]\n[SEP]\nland\nland\n", 0, ERR_MODEL, "lines 5 and 6 hold the same token 'land'" },
        { "[PAD]\n[UNK]\n[CLS]\n[SEP]\nland\ncover\n", 0, ERR_MODEL, "token [MASK] is missing" },
        { "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\0b\n", 35, ERR_MODEL, "not a UTF-8 text" },
        { "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n\xff\n", 0, ERR_MODEL, "not a UTF-8 text" },
    };
    char path[256];
    unit_at("vocab.txt", path);
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        const size_t bytes = cases[i].bytes > 0 ? cases[i].bytes : strlen(cases[i].text);
        assert_int_equal(file_write(path, cases[i].text, bytes, true), ERR_NONE);
        Tokenizer *tokenizer = NULL;
        const Err err = wordpiece_new(path, &tokenizer);
        assert_int_equal(err, cases[i].err);
        if (err == ERR_NONE) {
            int32_t ids[8];
            int64_t count = 0;
            assert_int_equal(tokenizer_encode(tokenizer, "AB ba abb", 9, 8, ids, &count, NULL), ERR_NONE);
            static const int32_t wanted[] = { 2, 5, 6, 1, 5, 6, 6, 3 };
            assert_int_equal(count, 8);
            assert_memory_equal(ids, wanted, sizeof wanted);
        } else {
            assert_null(tokenizer);
            if (strstr(err_message(), cases[i].message) == NULL) fail_msg("%s", err_message());
        }
        tokenizer_free(tokenizer);
    }
    assert_int_equal(file_remove(path), ERR_NONE);
    Tokenizer *tokenizer = NULL;
    assert_int_equal(wordpiece_new("no/such/vocab.txt", &tokenizer), ERR_INPUT);
}

static void load_time(void **state)
{
    (void)state;
    double best = 1e9;
    for (int i = 0; i < 5; i++) {
        struct timespec from, to;
        (void)clock_gettime(CLOCK_MONOTONIC, &from);
        Tokenizer *tokenizer = vocabulary_published();
        (void)clock_gettime(CLOCK_MONOTONIC, &to);
        tokenizer_free(tokenizer);
        const double seconds = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
        if (seconds < best) best = seconds;
    }
    print_message("vocabulary read in %.2f ms\n", best * 1e3);
    assert_true(best < 0.25); /* a guard against a quadratic table on any machine; 10 ms is the goal */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corpus),    cmocka_unit_test(sweep),    cmocka_unit_test(truncation),
        cmocka_unit_test(lookup),    cmocka_unit_test(too_long), cmocka_unit_test(vocabularies),
        cmocka_unit_test(load_time),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
