/* SPDX-License-Identifier: Apache-2.0
 * Runs a fuzz target without libFuzzer: replay ROUNDS FILE... gives it each file, then ROUNDS mutations of each. The
 * mutations depend on file and round alone, so that a failure comes again: it is named by file and round. */
#include "base/rng.h"
#include "fuzz/fuzz.h"

#include <stdbool.h>

enum { LARGEST = 1 << 20, MOST_CHANGES = 6 };

typedef struct Bytes {
    uint8_t *data;
    size_t size;
} Bytes;

typedef struct Draw {
    uint64_t step, index;
} Draw;

static size_t below(Draw *draw, size_t n)
{
    return n == 0 ? 0 : (size_t)rng_below(1, RNG_TEST, draw->step, draw->index++, (int64_t)n);
}

static Bytes read_whole(const char *path)
{
    FILE *file = fopen(path, "rb");
    Bytes bytes = { malloc(LARGEST), 0 };
    if (file == NULL || bytes.data == NULL) {
        (void)fprintf(stderr, "'%s': cannot be read\n", path);
        exit(1);
    }
    bytes.size = fread(bytes.data, 1, LARGEST / 2, file);
    (void)fclose(file);
    return bytes;
}

/* One change: a bit, a byte, a number that limits like, a part cut out, doubled or moved, or the end cut off. */
static void change(Bytes *b, Draw *draw)
{
    static const uint64_t limits[] = {
        0,          1,          0x7f,       0x80,      0xff,       0x7fff,           0xffff,
        0x7fffffff, 0x80000000, 0xffffffff, INT64_MAX, UINT64_MAX, (uint64_t)1 << 53
    };
    static const char marks[] = "\"{}[]:,-.+eE<>&/\\=;#'\n\t 0123456789";
    const size_t at = below(draw, b->size), n = 1 + below(draw, b->size - at < 16 ? b->size - at : 16);
    if (b->size == 0) return;
    switch (below(draw, 7)) {
    case 0:
        b->data[at] ^= (uint8_t)(1U << below(draw, 8));
        break;
    case 1:
        b->data[at] = (uint8_t)below(draw, 256);
        break;
    case 2:
        b->data[at] = (uint8_t)marks[below(draw, sizeof marks - 1)];
        break;
    case 3: {
        const uint64_t limit = limits[below(draw, sizeof limits / sizeof limits[0])];
        const size_t width = (size_t)1 << below(draw, 4);
        if (at + width <= b->size) memcpy(b->data + at, &limit, width);
        break;
    }
    case 4:
        if (at + n > b->size) break;
        memmove(b->data + at, b->data + at + n, b->size - at - n);
        b->size -= n;
        break;
    case 5:
        if (at + n > b->size || b->size + n > LARGEST) break;
        memmove(b->data + at + n, b->data + at, b->size - at);
        b->size += n;
        break;
    default:
        if (below(draw, 8) == 0) b->size = at;
        break;
    }
}

/** One seed as it is and `rounds` times changed. Returns false without memory. */
static bool replay(const char *path, uint64_t number, long rounds)
{
    Bytes seed = read_whole(path);
    Bytes mutated = { malloc(LARGEST), 0 };
    bool enough = mutated.data != NULL;
    (void)LLVMFuzzerTestOneInput(seed.data, seed.size);
    for (long round = 0; enough && round < rounds; round++) {
        Draw draw = { number << 32 | (uint64_t)round, 0 };
        memcpy(mutated.data, seed.data, seed.size);
        mutated.size = seed.size;
        for (size_t changes = 1 + below(&draw, MOST_CHANGES); changes > 0; changes--) change(&mutated, &draw);
        /* an exact copy on the heap, so that a sanitizer sees one byte too many */
        uint8_t *exact = malloc(mutated.size > 0 ? mutated.size : 1);
        enough = exact != NULL;
        if (!enough) break;
        memcpy(exact, mutated.data, mutated.size);
        (void)LLVMFuzzerTestOneInput(exact, mutated.size);
        free(exact);
    }
    free(seed.data);
    free(mutated.data);
    return enough;
}

int main(int argc, char **argv)
{
    const long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    for (int i = 2; i < argc; i++)
        if (!replay(argv[i], (uint64_t)i, rounds)) return 1;
    (void)printf("%d seeds, %ld mutations\n", argc - 2, (argc - 2) * rounds);
    return argc > 2 ? 0 : 1;
}
