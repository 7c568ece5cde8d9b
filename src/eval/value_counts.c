/* SPDX-License-Identifier: Apache-2.0
 * Counts of pairs: a plain table for values 0..255, open addressing for all others. */
#include "eval/value_counts.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL = VALUE_COUNTS_SMALL, FIRST_CAPACITY = 1024 };

/* Counts under a 64-bit key, open addressing; n 0: free slot. */
typedef struct Slot {
    uint64_t key;
    int64_t n;
} Slot;

typedef struct CountTable {
    Slot *slots;
    int64_t used, capacity; /* capacity: a power of two, at most half full */
} CountTable;

struct ValueCounts {
    int32_t *exclude;
    int64_t n_exclude;
    bool keep_pairs;
    int64_t *small; /* [SMALL][SMALL] by truth */
    int64_t small_uncovered[SMALL];
    CountTable truth, predicted, correct, uncovered; /* of other values, under the value */
    CountTable pairs;                                /* of other values, under both */
};

static int64_t slot_of(const CountTable *table, uint64_t key)
{
    const uint64_t mask = (uint64_t)table->capacity - 1;
    uint64_t i = (key * UINT64_C(0x9E3779B97F4A7C15)) >> 20; /* Fibonacci hashing (Knuth) */
    while (table->slots[i & mask].n != 0 && table->slots[i & mask].key != key) i++;
    return (int64_t)(i & mask);
}

static Err grow(CountTable *table)
{
    const CountTable old = *table;
    CountTable larger = { .capacity = old.capacity > 0 ? 2 * old.capacity : FIRST_CAPACITY, .used = old.used };
    larger.slots = calloc((size_t)larger.capacity, sizeof *larger.slots);
    if (larger.slots == NULL) return err_memory((size_t)larger.capacity * sizeof *larger.slots, "a confusion matrix");
    for (int64_t i = 0; i < old.capacity; i++)
        if (old.slots[i].n != 0) larger.slots[slot_of(&larger, old.slots[i].key)] = old.slots[i];
    free(old.slots);
    *table = larger;
    return ERR_NONE;
}

static Err count(CountTable *table, uint64_t key, int64_t n, int64_t most, const char *what)
{
    if (2 * (table->used + 1) > table->capacity) TRY(grow(table));
    Slot *slot = &table->slots[slot_of(table, key)];
    if (slot->n == 0) {
        if (table->used == most)
            return err_set(ERR_INPUT,
                           "the rasters hold more than %lld different %s; expected class values, not measurements",
                           (long long)most, what);
        slot->key = key;
        table->used++;
    }
    slot->n += n;
    return ERR_NONE;
}

static Err count_value(CountTable *table, int32_t value, int64_t n)
{
    return count(table, (uint32_t)value, n, VALUE_COUNTS_MAX_VALUES, "values");
}

Err value_counts_new(const int32_t *exclude, int64_t n_exclude, bool pairs, ValueCounts **ret_counts)
{
    ValueCounts *c = calloc(1, sizeof *c);
    if (c == NULL) return err_memory(sizeof *c, "a confusion matrix");
    c->keep_pairs = pairs;
    c->n_exclude = n_exclude;
    c->small = calloc((size_t)SMALL * SMALL, sizeof *c->small);
    c->exclude = calloc((size_t)n_exclude + 1, sizeof *c->exclude);
    if (c->small == NULL || c->exclude == NULL) {
        value_counts_free(c);
        return err_memory((size_t)SMALL * SMALL * sizeof *c->small, "a confusion matrix");
    }
    for (int64_t i = 0; i < n_exclude; i++) c->exclude[i] = exclude[i];
    *ret_counts = c;
    return ERR_NONE;
}

void value_counts_free(ValueCounts *c)
{
    if (c == NULL) return;
    free(c->exclude);
    free(c->small);
    free(c->truth.slots);
    free(c->predicted.slots);
    free(c->correct.slots);
    free(c->uncovered.slots);
    free(c->pairs.slots);
    free(c);
}

static bool is_excluded(const ValueCounts *c, int32_t value)
{
    for (int64_t i = 0; i < c->n_exclude; i++)
        if (c->exclude[i] == value) return true;
    return false;
}

int64_t *value_counts_small(ValueCounts *c) { return c->small; }

static bool is_small(int32_t value) { return value >= 0 && value < SMALL; }

Err value_counts_add(ValueCounts *c, int32_t truth, int32_t prediction, int64_t n)
{
    if (n == 0) return ERR_NONE;
    if (is_small(truth) && is_small(prediction)) {
        c->small[truth * SMALL + prediction] += n;
        return ERR_NONE;
    }
    TRY(count_value(&c->truth, truth, n));
    if (!is_excluded(c, truth)) TRY(count_value(&c->predicted, prediction, n));
    if (truth == prediction) TRY(count_value(&c->correct, truth, n));
    if (!c->keep_pairs) return ERR_NONE;
    return count(&c->pairs, (uint64_t)(uint32_t)truth << 32 | (uint32_t)prediction, n, VALUE_COUNTS_MAX_PAIRS,
                 "pairs of values");
}

Err value_counts_add_uncovered(ValueCounts *c, int32_t truth, int64_t n)
{
    if (n == 0) return ERR_NONE;
    if (!is_small(truth)) return count_value(&c->uncovered, truth, n);
    c->small_uncovered[truth] += n;
    return ERR_NONE;
}

static Err merge(CountTable *into, const CountTable *from, int64_t most, const char *what)
{
    for (int64_t i = 0; i < from->capacity; i++)
        if (from->slots[i].n != 0) TRY(count(into, from->slots[i].key, from->slots[i].n, most, what));
    return ERR_NONE;
}

Err value_counts_merge(ValueCounts *into, const ValueCounts *from)
{
    for (int64_t i = 0; i < (int64_t)SMALL * SMALL; i++) into->small[i] += from->small[i];
    for (int64_t i = 0; i < SMALL; i++) into->small_uncovered[i] += from->small_uncovered[i];
    TRY(merge(&into->truth, &from->truth, VALUE_COUNTS_MAX_VALUES, "values"));
    TRY(merge(&into->predicted, &from->predicted, VALUE_COUNTS_MAX_VALUES, "values"));
    TRY(merge(&into->correct, &from->correct, VALUE_COUNTS_MAX_VALUES, "values"));
    TRY(merge(&into->uncovered, &from->uncovered, VALUE_COUNTS_MAX_VALUES, "values"));
    return merge(&into->pairs, &from->pairs, VALUE_COUNTS_MAX_PAIRS, "pairs of values");
}

/* ---- figures ---- */

/* Where the count of a table's values goes. */
typedef enum Field { FIELD_TRUTH, FIELD_PREDICTED, FIELD_CORRECT, FIELD_UNCOVERED } Field;

typedef struct Entry {
    int32_t value;
    Field field;
    int64_t n;
} Entry;

typedef struct EntryList {
    Entry *entries;
    int64_t n;
} EntryList;

static void put(EntryList *list, int64_t value, Field field, int64_t n)
{
    if (n > 0) list->entries[list->n++] = (Entry){ .value = (int32_t)value, .field = field, .n = n };
}

static void put_table(EntryList *list, const CountTable *table, Field field)
{
    for (int64_t i = 0; i < table->capacity; i++)
        put(list, (int32_t)(uint32_t)table->slots[i].key, field, table->slots[i].n);
}

static void put_small(EntryList *list, const ValueCounts *c)
{
    for (int64_t v = 0; v < SMALL; v++) {
        int64_t truth = 0, predicted = 0;
        for (int64_t k = 0; k < SMALL; k++) {
            truth += c->small[v * SMALL + k];
            if (!is_excluded(c, (int32_t)k)) predicted += c->small[k * SMALL + v];
        }
        put(list, v, FIELD_TRUTH, truth);
        put(list, v, FIELD_PREDICTED, predicted);
        put(list, v, FIELD_CORRECT, c->small[v * SMALL + v]);
        put(list, v, FIELD_UNCOVERED, c->small_uncovered[v]);
    }
}

static int by_value(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

static void add_entry(ValueFigures *f, const Entry *e)
{
    int64_t *const fields[] = { &f->metrics.truth, &f->metrics.predicted, &f->metrics.correct, &f->uncovered };
    *fields[e->field] += e->n;
}

/* Sorted entries -> one line per value. */
static void join(const ValueCounts *c, const EntryList *list, Figures *f)
{
    for (int64_t i = 0; i < list->n; i++) {
        const Entry *e = &list->entries[i];
        if (i == 0 || e->value != list->entries[i - 1].value) {
            ValueFigures *fresh = &f->values[f->n_values++];
            *fresh = (ValueFigures){ .value = e->value };
            fresh->metrics.excluded = is_excluded(c, e->value);
        }
        add_entry(&f->values[f->n_values - 1], e);
    }
}

/* The figures of all values at once: metrics_from_counts takes them side by side. */
static Err compute(Figures *f, const MeansChoice *choice)
{
    ClassMetrics *metrics = malloc((size_t)(f->n_values + 1) * sizeof *metrics);
    if (metrics == NULL) return err_memory((size_t)f->n_values * sizeof *metrics, "the figures of the classes");
    for (int64_t i = 0; i < f->n_values; i++) {
        metrics[i] = f->values[i].metrics;
        for (int64_t k = 0; choice != NULL && k < choice->n_not_in_means; k++)
            if (choice->not_in_means[k] == f->values[i].value) metrics[i].not_in_means = true;
    }
    metrics_from_counts(metrics, f->n_values, choice != NULL ? choice->minimum_share : 0.0, &f->total);
    for (int64_t i = 0; i < f->n_values; i++) {
        f->values[i].metrics = metrics[i];
        if (!metrics[i].excluded) f->uncovered += f->values[i].uncovered;
    }
    free(metrics);
    return ERR_NONE;
}

Err value_counts_figures(const ValueCounts *c, const MeansChoice *choice, Figures *ret_figures)
{
    const int64_t most = 4 * SMALL + c->truth.used + c->predicted.used + c->correct.used + c->uncovered.used;
    Figures f = { 0 };
    EntryList list = { .entries = malloc((size_t)most * sizeof *list.entries) };
    f.values = malloc((size_t)most * sizeof *f.values);
    Err err = ERR_NONE;
    if (list.entries == NULL || f.values == NULL) {
        err = err_memory((size_t)most * sizeof *f.values, "the figures of the classes");
    } else {
        put_small(&list, c);
        put_table(&list, &c->truth, FIELD_TRUTH);
        put_table(&list, &c->predicted, FIELD_PREDICTED);
        put_table(&list, &c->correct, FIELD_CORRECT);
        put_table(&list, &c->uncovered, FIELD_UNCOVERED);
        qsort(list.entries, (size_t)list.n, sizeof *list.entries, by_value);
        join(c, &list, &f);
        err = compute(&f, choice);
    }
    free(list.entries);
    if (err == ERR_NONE)
        *ret_figures = f;
    else
        value_figures_done(&f);
    return err;
}

void value_figures_done(Figures *figures)
{
    free(figures->values);
    *figures = (Figures){ 0 };
}

static int by_pair(const void *a, const void *b)
{
    const ValuePair *x = a, *y = b;
    if (x->truth != y->truth) return x->truth < y->truth ? -1 : 1;
    return (x->prediction > y->prediction) - (x->prediction < y->prediction);
}

Err value_counts_pairs(const ValueCounts *c, ValuePair **ret_pairs, int64_t *ret_n)
{
    const size_t most = (size_t)SMALL * SMALL + (size_t)c->pairs.used;
    ValuePair *pairs = malloc(most * sizeof *pairs);
    if (pairs == NULL) return err_memory(most * sizeof *pairs, "the cells of a confusion matrix");
    int64_t n = 0;
    for (int32_t i = 0; i < SMALL * SMALL; i++)
        if (c->small[i] > 0) pairs[n++] = (ValuePair){ .truth = i / SMALL, .prediction = i % SMALL, .n = c->small[i] };
    for (int64_t i = 0; i < c->pairs.capacity; i++) {
        const Slot *slot = &c->pairs.slots[i];
        if (slot->n > 0)
            pairs[n++] = (ValuePair){ .truth = (int32_t)(uint32_t)(slot->key >> 32),
                                      .prediction = (int32_t)(uint32_t)slot->key,
                                      .n = slot->n };
    }
    qsort(pairs, (size_t)n, sizeof *pairs, by_pair);
    *ret_pairs = pairs;
    *ret_n = n;
    return ERR_NONE;
}
