/* SPDX-License-Identifier: Apache-2.0
 * Blocks of scenes, what they hold, and which are validated. */
#include "data/validation_blocks.h"

#include "base/grow.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

enum {
    LARGEST_SIDE = 256,
    SMALLEST_SIDE = 32,
    WANTED_BLOCKS = 16, /* of a scene, if the smallest side allows */
    NO_ENTRY = -1,
    BLOCK_STEP = 1 << 30, /* the counter's step of the order of blocks; training steps stay far below */
};

typedef struct BlockScene {
    int32_t first; /* block; -1: not added */
    int32_t side;
    int64_t columns, rows;
} BlockScene;

typedef enum Part { PART_OPEN, PART_TRAINING, PART_VALIDATION } Part;

/* Pixels of one class in one block. */
typedef struct BlockEntry {
    int64_t pixels;
    double area;
    LabelArea ground;
    int32_t block, class_index;
    int32_t next; /* of the same block */
} BlockEntry;

typedef struct Block {
    int32_t entries; /* the first one, NO_ENTRY */
    Part part;
} Block;

typedef struct BlockClass {
    int64_t blocks, total, of_part[3];
    double area[3];
} BlockClass;

struct ValidationBlocks {
    double fraction;
    uint64_t seed;
    BlockScene *scenes;
    Block *blocks;
    int64_t n_blocks, blocks_capacity;
    bool *apart; /* [n_blocks] after the choice */
    BlockEntry *entries;
    int64_t n_entries, entries_capacity;
    BlockClass *classes;
    int32_t n_classes;
};

Err validation_blocks_new(double fraction, uint64_t seed, uint32_t n_scenes, int32_t n_classes,
                          ValidationBlocks **ret_blocks)
{
    ValidationBlocks *b = calloc(1, sizeof *b);
    if (b == NULL) return err_memory(sizeof *b, "the validation blocks");
    *b = (ValidationBlocks){ .fraction = fraction, .seed = seed, .n_classes = n_classes };
    b->scenes = calloc((size_t)n_scenes + 1, sizeof *b->scenes);
    b->classes = calloc((size_t)n_classes + 1, sizeof *b->classes);
    if (b->scenes == NULL || b->classes == NULL) {
        validation_blocks_free(b);
        return err_memory(n_scenes * sizeof *b->scenes, "the validation blocks");
    }
    for (uint32_t i = 0; i < n_scenes; i++) b->scenes[i].first = -1;
    *ret_blocks = b;
    return ERR_NONE;
}

void validation_blocks_free(ValidationBlocks *b)
{
    if (b == NULL) return;
    free(b->scenes);
    free(b->blocks);
    free(b->apart);
    free(b->entries);
    free(b->classes);
    free(b);
}

Err validation_blocks_add_scene(ValidationBlocks *b, uint32_t scene, int64_t width, int64_t height)
{
    BlockScene s = { .first = (int32_t)b->n_blocks, .side = LARGEST_SIDE };
    for (;; s.side /= 2) {
        s.columns = (width + s.side - 1) / s.side;
        s.rows = (height + s.side - 1) / s.side;
        if (s.side == SMALLEST_SIDE || s.columns * s.rows >= WANTED_BLOCKS) break;
    }
    if (s.columns * s.rows > INT32_MAX - b->n_blocks)
        return err_set(ERR_CONFIG, "the scenes have more than 2147483647 blocks for data.validation_fraction; name "
                                   "boxes or scenes for validation instead");
    for (int64_t i = 0; i < s.columns * s.rows; i++) {
        TRY(grow_array(&b->blocks, b->n_blocks, &b->blocks_capacity, sizeof *b->blocks, "the validation blocks"));
        b->blocks[b->n_blocks++] = (Block){ .entries = NO_ENTRY };
    }
    b->scenes[scene] = s;
    return ERR_NONE;
}

int32_t validation_blocks_at(const ValidationBlocks *b, uint32_t scene, int64_t x, int64_t y)
{
    if (b == NULL) return 0;
    const BlockScene *s = &b->scenes[scene];
    ASSERT(s->first >= 0 && x >= 0 && y >= 0 && x / s->side < s->columns && y / s->side < s->rows);
    return s->first + (int32_t)(y / s->side * s->columns + x / s->side);
}

Err validation_blocks_count(ValidationBlocks *b, int32_t block, int32_t class_index, double area, LabelArea ground)
{
    int32_t i = b->blocks[block].entries;
    while (i != NO_ENTRY && b->entries[i].class_index != class_index) i = b->entries[i].next;
    if (i == NO_ENTRY) {
        TRY(grow_array(&b->entries, b->n_entries, &b->entries_capacity, sizeof *b->entries, "the validation blocks"));
        i = (int32_t)b->n_entries++;
        b->entries[i] = (BlockEntry){ .block = block, .class_index = class_index, .next = b->blocks[block].entries };
        b->blocks[block].entries = i;
        b->classes[class_index].blocks++;
    }
    b->entries[i].pixels++;
    b->entries[i].area += area;
    label_area_add(&b->entries[i].ground, ground);
    b->classes[class_index].total++;
    return ERR_NONE;
}

/* Puts a block into a part. */
static void put(ValidationBlocks *b, int32_t block, Part part)
{
    for (int32_t i = b->blocks[block].entries; i != NO_ENTRY; i = b->entries[i].next) {
        const BlockEntry *e = &b->entries[i];
        BlockClass *c = &b->classes[e->class_index];
        const Part before = b->blocks[block].part;
        if (before != PART_OPEN) {
            c->of_part[before] -= e->pixels;
            c->area[before] -= e->area;
        }
        c->of_part[part] += e->pixels;
        c->area[part] += e->area;
    }
    b->blocks[block].part = part;
}

/* Whether a part can lose a block and still have every class that it has. */
static bool can_spare(const ValidationBlocks *b, int32_t block)
{
    const Part part = b->blocks[block].part;
    for (int32_t i = b->blocks[block].entries; i != NO_ENTRY; i = b->entries[i].next)
        if (b->classes[b->entries[i].class_index].of_part[part] == b->entries[i].pixels) return false;
    return true;
}

/* An entry in the order in which it is looked at: classes of few blocks first, blocks by a number drawn for each. */
typedef struct Ranked {
    int64_t class_blocks;
    uint64_t key;
    int32_t entry, class_index;
} Ranked;

static int by_rank(const void *a, const void *b)
{
    const Ranked *x = a;
    const Ranked *y = b;
    if (x->class_blocks != y->class_blocks) return x->class_blocks < y->class_blocks ? -1 : 1;
    if (x->class_index != y->class_index) return x->class_index < y->class_index ? -1 : 1;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* Whether the classes of a block come closer to the fraction with it, each in proportion to its pixels. */
static bool comes_closer(const ValidationBlocks *b, int32_t block)
{
    double change = 0.0;
    for (int32_t i = b->blocks[block].entries; i != NO_ENTRY; i = b->entries[i].next) {
        const BlockClass *c = &b->classes[b->entries[i].class_index];
        const double missing = b->fraction * (double)c->total - (double)c->of_part[PART_VALIDATION];
        change += (fabs(missing - (double)b->entries[i].pixels) - fabs(missing)) / (double)c->total;
    }
    return change < 0.0;
}

static void divide(ValidationBlocks *b, const Ranked *ranked)
{
    for (int64_t k = 0; k < b->n_entries; k++) {
        const int32_t block = b->entries[ranked[k].entry].block;
        if (b->blocks[block].part == PART_OPEN) put(b, block, comes_closer(b, block) ? PART_VALIDATION : PART_TRAINING);
    }
}

/* Gives a class that a part lacks the smallest block that the other part can spare. */
static void complete(ValidationBlocks *b, const Ranked *ranked, Part part)
{
    int64_t from = 0;
    while (from < b->n_entries) {
        const int32_t class_index = ranked[from].class_index;
        int64_t until = from;
        int32_t best = NO_ENTRY;
        for (; until < b->n_entries && ranked[until].class_index == class_index; until++) {
            const BlockEntry *e = &b->entries[ranked[until].entry];
            if (b->classes[class_index].of_part[part] > 0 || !can_spare(b, e->block)) continue;
            if (best == NO_ENTRY || e->pixels < b->entries[best].pixels) best = ranked[until].entry;
        }
        if (best != NO_ENTRY) put(b, b->entries[best].block, part);
        from = until;
    }
}

Err validation_blocks_choose(ValidationBlocks *b)
{
    int64_t apart = 0;
    int64_t labelled = 0;
    Ranked *ranked = malloc(((size_t)b->n_entries + 1) * sizeof *ranked);
    b->apart = calloc((size_t)b->n_blocks + 1, sizeof *b->apart);
    if (ranked == NULL || b->apart == NULL) {
        free(ranked);
        return err_memory((size_t)b->n_entries * sizeof *ranked, "the validation blocks");
    }
    for (int64_t i = 0; i < b->n_entries; i++) {
        const BlockEntry *e = &b->entries[i];
        ranked[i] = (Ranked){ .class_blocks = b->classes[e->class_index].blocks,
                              .key = rng_u64(b->seed, RNG_SAMPLER, BLOCK_STEP, (uint64_t)e->block),
                              .entry = (int32_t)i,
                              .class_index = e->class_index };
    }
    qsort(ranked, (size_t)b->n_entries, sizeof *ranked, by_rank);
    divide(b, ranked);
    complete(b, ranked, PART_VALIDATION);
    complete(b, ranked, PART_TRAINING);
    free(ranked);
    for (int64_t i = 0; i < b->n_blocks; i++) b->apart[i] = b->blocks[i].part == PART_VALIDATION;
    validation_blocks_number(b, &apart, &labelled);
    if (apart > 0 || labelled == 0) return ERR_NONE;
    return err_set(ERR_INPUT,
                   "data.validation_fraction: none of the %lld blocks with labels can be kept apart without taking a "
                   "class out of training; name boxes or scenes for validation, or leave it out",
                   (long long)labelled);
}

const bool *validation_blocks_apart(const ValidationBlocks *b) { return b->apart; }

void validation_blocks_number(const ValidationBlocks *b, int64_t *ret_apart, int64_t *ret_labelled)
{
    int64_t apart = 0;
    int64_t labelled = 0;
    for (int64_t i = 0; i < b->n_blocks; i++) {
        apart += b->apart[i];
        labelled += b->blocks[i].entries != NO_ENTRY;
    }
    *ret_apart = apart;
    *ret_labelled = labelled;
}

int64_t validation_blocks_pixels(const ValidationBlocks *b, int32_t class_index, bool validation)
{
    return b->classes[class_index].of_part[validation ? PART_VALIDATION : PART_TRAINING];
}

LabelArea validation_blocks_ground(const ValidationBlocks *b, int32_t class_index, bool validation)
{
    const Part part = validation ? PART_VALIDATION : PART_TRAINING;
    LabelArea sum = { 0.0, 0.0 };
    for (int64_t i = 0; i < b->n_entries; i++)
        if (b->entries[i].class_index == class_index && b->blocks[b->entries[i].block].part == part)
            label_area_add(&sum, b->entries[i].ground);
    return sum;
}

double validation_blocks_area(const ValidationBlocks *b, int32_t class_index, bool validation)
{
    return b->classes[class_index].area[validation ? PART_VALIDATION : PART_TRAINING];
}

bool validation_blocks_touch(const ValidationBlocks *b, uint32_t scene, int64_t x, int64_t y, int64_t side)
{
    const BlockScene *s = &b->scenes[scene];
    if (s->first < 0) return false;
    for (int64_t row = y / s->side; row <= (y + side - 1) / s->side && row < s->rows; row++)
        for (int64_t column = x / s->side; column <= (x + side - 1) / s->side && column < s->columns; column++)
            if (b->apart[s->first + row * s->columns + column]) return true;
    return false;
}

void validation_blocks_keep(const ValidationBlocks *b, uint32_t scene, int64_t x, int64_t y, int64_t side,
                            bool validation, uint8_t *labels)
{
    const BlockScene *s = &b->scenes[scene];
    if (s->first < 0) return;
    for (int64_t i = 0; i < side && (y + i) / s->side < s->rows; i++) {
        const int64_t row = s->first + (y + i) / s->side * s->columns;
        for (int64_t j = 0; j < side && (x + j) / s->side < s->columns; j++)
            if (b->apart[row + (x + j) / s->side] != validation) labels[i * side + j] = CLASS_IGNORE;
    }
}
