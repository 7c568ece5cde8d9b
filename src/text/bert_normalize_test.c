/* SPDX-License-Identifier: Apache-2.0
 * UTF-8 reading, and normalised characters as the reference's normaliser gives them (token ids alone would not show all
 * of it). */
#include "text/bert_normalize.h"
#include "text/utf8.h"

#include "harness/unit.h"

#include <string.h>

static void decoding(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        int32_t character;
        int64_t taken;
    } cases[] = {
        { "a", 'a', 1 },
        { "\x7f", 0x7F, 1 },
        { "\xc2\x80", 0x80, 2 },
        { "\xdf\xbf", 0x7FF, 2 },
        { "\xe0\xa0\x80", 0x800, 3 },
        { "\xed\x9f\xbf", 0xD7FF, 3 },
        { "\xee\x80\x80", 0xE000, 3 },
        { "\xf0\x90\x80\x80", 0x10000, 4 },
        { "\xf4\x8f\xbf\xbf", 0x10FFFF, 4 },
        /* ill-formed: U+FFFD for the longest beginning of a well-formed sequence, else for one byte */
        { "\x80", 0xFFFD, 1 },
        { "\xc0\x80", 0xFFFD, 1 },
        { "\xc1\xbf", 0xFFFD, 1 },
        { "\xc3", 0xFFFD, 1 },
        { "\xc3(", 0xFFFD, 1 },
        { "\xe0\x9f\xbf", 0xFFFD, 1 },
        { "\xe2\x82", 0xFFFD, 2 },
        { "\xe2\x82(", 0xFFFD, 2 },
        { "\xed\xa0\x80", 0xFFFD, 1 },
        { "\xf0\x8f\xbf\xbf", 0xFFFD, 1 },
        { "\xf0\x9f\x98", 0xFFFD, 3 },
        { "\xf0\x9f(\x80", 0xFFFD, 2 },
        { "\xf4\x90\x80\x80", 0xFFFD, 1 },
        { "\xf5\x80\x80\x80", 0xFFFD, 1 },
        { "\xff", 0xFFFD, 1 },
    };
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        int32_t character = 0;
        assert_int_equal(utf8_next(cases[i].bytes, strlen(cases[i].bytes), &character), cases[i].taken);
        assert_int_equal(character, cases[i].character);
        if (character == 0xFFFD) continue;
        char back[4];
        assert_int_equal(utf8_put(character, back), cases[i].taken);
        assert_memory_equal(back, cases[i].bytes, (size_t)cases[i].taken);
    }
}

static void normalizing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t characters[8]; /* up to the first 0 */
    } cases[] = {
        { "", { 0 } },
        { "x\u302e\u1b44y", { 'x', 0x1B44, 0x302E, 'y' } },  /* canonical ordering, classes 224 and 9 */
        { "x\u302e\u0301\u1b44", { 'x', 0x1B44, 0x302E } },  /* ... before marks are removed */
        { "\u01fa", { 'a' } },                               /* A with ring and acute */
        { "\uac00", { 0x1100, 0x1161 } },                    /* Hangul syllable */
        { "\u4e2da", { ' ', 0x4E2D, ' ', 'a' } },            /* ideograph */
        { "a\u00ad\ufeff\x01z\tC", { 'a', 'z', ' ', 'c' } }, /* soft hyphen, byte order mark, control */
        { "\u0391\u03a3", { 0x3B1, 0x3C3 } },                /* no final sigma */
        { "\u1e9e", { 0xDF } },                              /* capital sharp s */
        { "\u01c5", { 0x1C6 } },                             /* title case digraph */
        { "\u0130I", { 'i', 'i' } },                         /* Turkish dotted capital I */
        { "\u212b", { 'a' } },                               /* angstrom sign */
        { "\u0344x", { 'x' } },                              /* a mark that decomposes into marks */
        { "\u0958", { 0x915 } },                             /* Devanagari qa */
        { "\xff\xe2\x82z", { 'z' } },                        /* ill-formed UTF-8 vanishes */
    };
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        int32_t *characters = NULL;
        int64_t count = 0, wanted = 0;
        assert_int_equal(bert_normalize(cases[i].text, strlen(cases[i].text), &characters, &count), ERR_NONE);
        while (wanted < 8 && cases[i].characters[wanted] != 0) wanted++;
        if (count != wanted) fail_msg("case %lld: %lld characters", (long long)i, (long long)count);
        assert_memory_equal(characters, cases[i].characters, (size_t)count * sizeof characters[0]);
        free(characters);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(decoding), cmocka_unit_test(normalizing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
