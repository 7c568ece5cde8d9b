/* SPDX-License-Identifier: Apache-2.0
 * The byte-level BPE against the reference's ids (tests/golden, written by tools/golden/bpe.py) under merges of our own. */
#include "text/bpe.h"

#include "base/file.h"
#include "base/str.h"
#include "harness/tokenizer_golden.h"

#include <string.h>

enum { IDS_MAX = 4096, MERGES = 1500, START = 512 + MERGES, END = START + 1 };

static Tokenizer *own_merges(void)
{
    Tokenizer *tokenizer = NULL;
    ASSERT_OK(bpe_new(METASEG_SOURCE_DIR "/tests/golden/bpe_merges.txt", &tokenizer));
    return tokenizer;
}

static int64_t encode(const Tokenizer *tokenizer, const char *text, size_t bytes, int32_t *ids)
{
    int64_t count = 0, full = 0;
    ASSERT_OK(tokenizer_encode(tokenizer, text, bytes, IDS_MAX, ids, &count, &full));
    assert_int_equal(count, full);
    return count;
}

/* The texts of the other tokenizer's corpus; the sums of their ids line by line. */
static void corpus(void **state)
{
    (void)state;
    static int32_t ids[IDS_MAX];
    Tokenizer *tokenizer = own_merges();
    size_t length = 0;
    char *texts = data_file_golden("tokenizer_corpus.txt", &length),
         *sums = data_file_golden("bpe_corpus.txt", &length);
    const char *wanted = strchr(sums, '\n') + 1;
    int64_t cases = 0;
    for (char *line = texts, *next = NULL; *line != '\0'; line = next) {
        next = line + strcspn(line, "\n") + 1;
        next[-1] = '\0';
        char *tab = strchr(line, '\t'), *end = NULL;
        if (tab == NULL) continue;
        *tab = '\0';
        char *shown = NULL;
        ASSERT_OK(str_copy(line, &shown));
        const int64_t n = encode(tokenizer, line, unescape(line), ids);
        const long long reference = strtoll(wanted, &end, 10);
        const uint32_t sum = (uint32_t)strtoul(end, &end, 16);
        if (n != reference || crc32_continue(0, ids, (size_t)n * sizeof *ids) != sum)
            fail_msg("'%s': %lld ids, the reference has %lld, or others", shown, (long long)n, reference);
        wanted = end;
        free(shown);
        cases++;
    }
    assert_true(cases >= 1200);
    free(texts);
    free(sums);
    tokenizer_free(tokenizer);
}

static void sweep(void **state)
{
    (void)state;
    Tokenizer *tokenizer = own_merges();
    check_sweep(tokenizer, "bpe_sweep.txt");
    tokenizer_free(tokenizer);
}

/* Tokens by eye: words, their end, bytes, special tokens in any case, white space, no fixing of the text. */
static void tokens(void **state)
{
    (void)state;
    static const struct {
        const char *text, *tokens;
    } cases[] = {
        { "", "" },
        { " \t\r\n ", "" },
        { "Tundra", "tundra</w>" },
        { "cover, cover's", "cover</w> ,</w> cover</w> 's</w>" },
        { "12", "1</w> 2</w>" },
        { "\xc3\xa9", "\xc3\x83 \xc2\xa9</w>" },              /* bytes C3 A9 */
        { "e\xcc\x81", "\xc3\x83 \xc2\xa9</w>" },             /* composed first */
        { "\xc4\xb0", "i</w> \xc3\x8c \xc4\xa9</w>" },        /* I with dot: i and U+0307, CC 87 */
        { "\xef\xac\x81", "\xc3\xaf \xc2\xac \xc4\xa3</w>" }, /* a ligature stays: EF AC 81 */
        { "<|EndOfText|>a", "<|endoftext|> a</w>" },
        { "a<|startoftext|> ", "a</w> <|startoftext|>" },
        { "\xff", "\xc3\xaf \xc2\xbf \xc2\xbd</w>" }, /* U+FFFD */
    };
    Tokenizer *tokenizer = own_merges();
    assert_int_equal(tokenizer_count(tokenizer), END + 1);
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        int32_t ids[IDS_MAX];
        Str text = { 0 };
        const int64_t n = encode(tokenizer, cases[i].text, strlen(cases[i].text), ids);
        assert_int_equal(ids[0], START);
        assert_int_equal(ids[n - 1], END);
        for (int64_t k = 1; k + 1 < n; k++)
            str_addf(&text, "%s%s", k > 1 ? " " : "", tokenizer_token(tokenizer, ids[k]));
        assert_string_equal(str_text(&text), cases[i].tokens);
        str_done(&text);
    }
    assert_true(tokenizer_is_special(tokenizer, START) && tokenizer_is_special(tokenizer, END));
    assert_false(tokenizer_is_special(tokenizer, 0));
    assert_null(tokenizer_token(tokenizer, END + 1));
    for (int32_t id = 0; id <= END; id++) assert_int_equal(tokenizer_id(tokenizer, tokenizer_token(tokenizer, id)), id);
    tokenizer_free(tokenizer);
}

static void truncation(void **state)
{
    (void)state;
    Tokenizer *tokenizer = own_merges();
    int32_t all[IDS_MAX];
    const char text[] = "steppe and tundra";
    const int64_t n = encode(tokenizer, text, strlen(text), all);
    for (int64_t capacity = 2; capacity < n; capacity++) {
        int32_t ids[IDS_MAX];
        int64_t count = 0, full = 0;
        ids[capacity] = 77;
        ASSERT_OK(tokenizer_encode(tokenizer, text, strlen(text), capacity, ids, &count, &full));
        assert_int_equal(count, capacity);
        assert_int_equal(full, n);
        assert_memory_equal(ids, all, (size_t)(count - 1) * sizeof ids[0]);
        assert_int_equal(ids[count - 1], END);
        assert_int_equal(ids[capacity], 77);
    }
    tokenizer_free(tokenizer);
}

/* One word as long as a text may be: no time beyond n log n, and the pairs are merged from the left. */
static void long_word(void **state)
{
    (void)state;
    char path[256];
    unit_at("merges.txt", path);
    static const char merges[] = "#version: 0.2\na a\naa aa\n";
    ASSERT_OK(file_write(path, merges, strlen(merges), true));
    Tokenizer *tokenizer = NULL;
    ASSERT_OK(bpe_new(path, &tokenizer));
    char *text = malloc(TOKENIZER_TEXT_BYTES_MAX);
    assert_non_null(text);
    memset(text, 'a', TOKENIZER_TEXT_BYTES_MAX);
    int32_t ids[8];
    int64_t count = 0, full = 0;
    ASSERT_OK(tokenizer_encode(tokenizer, text, TOKENIZER_TEXT_BYTES_MAX, 8, ids, &count, &full));
    /* 65,535 letters in fours, then aa and a, and the last one with the end of the word */
    assert_int_equal(full, 65535 / 4 + 2 + 1 + 2);
    assert_int_equal(ids[1], 513);
    ASSERT_OK(tokenizer_encode(tokenizer, "aaaa", 4, 8, ids, &count, &full));
    assert_int_equal(full, 5); /* aa a a</w> */
    assert_int_equal(ids[1], 512);
    free(text);
    tokenizer_free(tokenizer);
    ASSERT_OK(file_remove(path));
}

/* A gzip file with one stored block (RFC 1951, 1952). */
static void write_gzip(const char *path, const char *text, int64_t cut)
{
    unsigned char bytes[256] = { 0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1 };
    const size_t length = strlen(text);
    const uint32_t crc = crc32_continue(0, text, length);
    size_t n = 11;
    bytes[n++] = (unsigned char)length;
    bytes[n++] = 0;
    bytes[n++] = (unsigned char)~length;
    bytes[n++] = 0xFF;
    memcpy(bytes + n, text, length);
    n += length;
    for (int i = 0; i < 4; i++) bytes[n++] = (unsigned char)(crc >> (8 * i));
    bytes[n++] = (unsigned char)length;
    ASSERT_OK(file_write(path, bytes, n + 3 - (size_t)cut, true));
}

static void files(void **state)
{
    (void)state;
    static const struct {
        const char *merges, *vocabulary, *message;
    } cases[] = {
        { "#version: 0.2\r\na b\r\nab c</w>\r\n", NULL, NULL },
        { "\"bpe_simple_vocab_16e6.txt#version: 0.2\na b\nab c</w>", NULL, NULL },
        { "", NULL, "does not begin with a line that holds #version" },
        { "a b\nab c</w>\n", NULL, "does not begin with a line that holds #version" },
        { "#version: 0.2\na b\nab\n", NULL, "line 3 is 'ab'; expected two symbols" },
        { "#version: 0.2\na bc\n", NULL, "line 2 merges 'bc', which no line before it makes" },
        { "#version: 0.2\na b\na b\n", NULL, "line 3 makes a symbol that a line before it makes" },
        { "#version: 0.2\na \xff\n", NULL, "does not begin with" },
        { "#version: 0.2\na b\n", "{\"a\": 64}", "has 1 tokens, the merges beside it make 515" },
        { "#version: 0.2\na b\n", "[", "" },
    };
    char path[256], json[256];
    Tokenizer *tokenizer = NULL;
    unit_at("merges.txt", path);
    unit_at("vocab.json", json);
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        ASSERT_OK(file_write(path, cases[i].merges, strlen(cases[i].merges), true));
        if (cases[i].vocabulary != NULL)
            ASSERT_OK(file_write(json, cases[i].vocabulary, strlen(cases[i].vocabulary), true));
        const Err err = bpe_new(path, &tokenizer);
        ASSERT_OK(file_remove(json));
        if (cases[i].message == NULL) {
            static const int32_t wanted[] = { 514, 513, 512, 343, 515 }; /* "abc", then "ab" and "x" */
            int32_t ids[IDS_MAX];
            ASSERT_OK(err);
            assert_int_equal(encode(tokenizer, "ABC abx", 7, ids), 5);
            assert_memory_equal(ids, wanted, sizeof wanted);
            tokenizer_free(tokenizer);
            tokenizer = NULL;
        } else {
            assert_true(err == ERR_MODEL || err == ERR_INPUT);
            assert_null(tokenizer);
            if (strstr(err_message(), cases[i].message) == NULL) fail_msg("%s", err_message());
        }
    }
    assert_int_equal(bpe_new("no/such/merges.txt", &tokenizer), ERR_INPUT);
    ASSERT_OK(file_remove(path));
    unit_at("merges.txt.gz", path);
    for (int64_t cut = 0; cut < 40; cut += 13) {
        write_gzip(path, "#version: 0.2\na b\nab c</w>\n", cut);
        assert_int_equal(bpe_new(path, &tokenizer), cut == 0 ? ERR_NONE : ERR_INPUT);
        if (cut > 0) continue;
        assert_int_equal(tokenizer_count(tokenizer), 516);
        tokenizer_free(tokenizer);
        tokenizer = NULL;
    }
    ASSERT_OK(file_remove(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corpus),     cmocka_unit_test(sweep),     cmocka_unit_test(tokens),
        cmocka_unit_test(truncation), cmocka_unit_test(long_word), cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
