/* SPDX-License-Identifier: Apache-2.0
 * YAML into structs: values, defaults, lists, overrides, and the sentence for each kind of mistake. */
#include "data/yaml_file.h"

#include "base/file.h"
#include "data/yaml_slots.h"
#include "harness/unit.h"

#include <string.h>

typedef struct Box {
    char *name;
    double west, east;
} Box;

typedef struct Train {
    int64_t steps;
    int32_t batch;
    float rate;
    bool flips;
    int fusion;
} Train;

typedef struct Run {
    char *name, *note;
    Train train;
    Train trial; /* optional */
    Box *boxes;
    uint32_t n_boxes;
    double *mean;
    int64_t n_mean;
    char **words;
    uint32_t n_words;
} Run;

static const YamlField box_fields[] = {
    { "name", YAML_STRING, YAML_AT(Box, name), .optional = true },
    { "west", YAML_NUMBER, YAML_AT(Box, west), .minimum = -180, .maximum = 180 },
    { "east", YAML_NUMBER, YAML_AT(Box, east), .minimum = -180, .maximum = 180 },
};
static const YamlTable box_table = { "box", sizeof(Box), box_fields, ARRAY_LEN(box_fields) };

static const char *const fusions[] = { "caf", "none" };
static const YamlField train_fields[] = {
    { "steps", YAML_INTEGER, YAML_AT(Train, steps), .minimum = 1, .maximum = 1e9 },
    { "batch", YAML_INTEGER, YAML_AT(Train, batch), .default_value = "4" },
    { "rate", YAML_NUMBER, YAML_AT(Train, rate), .default_value = "0.5" },
    { "flips", YAML_BOOLEAN, YAML_AT(Train, flips), .default_value = "true" },
    { "fusion", YAML_CHOICE, YAML_AT(Train, fusion), .choices = fusions, .n_choices = 2, .default_value = "caf" },
};
static const YamlTable train_table = { "train", sizeof(Train), train_fields, ARRAY_LEN(train_fields) };

static const YamlField run_fields[] = {
    { "name", YAML_STRING, YAML_AT(Run, name) },
    { "note", YAML_STRING, YAML_AT(Run, note), .optional = true },
    { "train", YAML_TABLE, YAML_AT(Run, train), .table = &train_table },
    { "trial", YAML_TABLE, YAML_AT(Run, trial), .table = &train_table, .optional = true },
    { "boxes", YAML_LIST, YAML_LIST_AT(Run, boxes, n_boxes), .element = YAML_TABLE, .table = &box_table,
      .optional = true },
    { "mean", YAML_LIST, YAML_LIST_AT(Run, mean, n_mean), .element = YAML_NUMBER, .default_value = "0.5, 0.25",
      .min_count = 2, .max_count = 3 },
    { "words", YAML_LIST, YAML_LIST_AT(Run, words, n_words), .element = YAML_STRING, .optional = true },
};
static const YamlTable run_table = { "run", sizeof(Run), run_fields, ARRAY_LEN(run_fields) };

static Err parse(const char *text, const char *const *overrides, int64_t n_overrides, Run *ret_run)
{
    return yaml_file_parse("run.yaml", text, strlen(text), &run_table, overrides, n_overrides, ret_run);
}

static void everything(void **state)
{
    (void)state;
    static const char text[] = "# a comment\n"
                               "name: 'first: run'\n"
                               "train:\n"
                               "  steps: 500 # many\n"
                               "  batch: -3\n"
                               "  rate: 1e-3\n"
                               "  flips: No\n"
                               "  fusion: none\n"
                               "boxes:\n"
                               "  - {name: south, west: -82, east: -34}\n"
                               "  - west: 110\n"
                               "    east: 155\n"
                               "mean: [1, 2, 3.5]\n"
                               "words:\n"
                               "- a b\n"
                               "- ''\n"
                               "- \"c\"\n";
    Run run;
    ASSERT_OK(parse(text, NULL, 0, &run));
    assert_string_equal(run.name, "first: run");
    assert_null(run.note);
    assert_int_equal(run.train.steps, 500);
    assert_int_equal(run.train.batch, -3);
    assert_true(run.train.rate == 1e-3F);
    assert_false(run.train.flips);
    assert_int_equal(run.train.fusion, 1);
    assert_int_equal(run.trial.steps, 0);
    assert_int_equal(run.n_boxes, 2);
    assert_string_equal(run.boxes[0].name, "south");
    assert_true(run.boxes[0].west == -82.0 && run.boxes[0].east == -34.0);
    assert_null(run.boxes[1].name);
    assert_true(run.boxes[1].west == 110.0 && run.boxes[1].east == 155.0);
    assert_int_equal(run.n_mean, 3);
    assert_true(run.mean[0] == 1.0 && run.mean[2] == 3.5);
    assert_int_equal(run.n_words, 3);
    assert_string_equal(run.words[0], "a b");
    assert_string_equal(run.words[1], "");
    assert_string_equal(run.words[2], "c");
    yaml_file_free(&run_table, &run);
    assert_null(run.name);
    yaml_file_free(&run_table, &run); /* twice is fine */
}

static void defaults(void **state)
{
    (void)state;
    Run run;
    ASSERT_OK(parse("name: x\nnote:\ntrain: {steps: 1}\n", NULL, 0, &run));
    assert_null(run.note);
    assert_int_equal(run.train.batch, 4);
    assert_true(run.train.rate == 0.5F);
    assert_true(run.train.flips);
    assert_int_equal(run.train.fusion, 0);
    assert_int_equal(run.trial.batch, 0);
    assert_int_equal(run.n_boxes, 0);
    assert_null(run.boxes);
    assert_int_equal(run.n_mean, 2);
    assert_true(run.mean[0] == 0.5 && run.mean[1] == 0.25);
    yaml_file_free(&run_table, &run);
}

static void overrides(void **state)
{
    (void)state;
    static const char text[] = "name: x\ntrain: {steps: 1}\nboxes:\n- {west: 1, east: 2}\n- {west: 3, east: 4}\n";
    static const char *const good[] = { "train.steps=50", "name=a=b",       "trial.steps=7",   "boxes.2.west=-5.5",
                                        "mean=[9, 8]",    "words=one,two,", "words=three, 4 ", "train.steps=60" };
    Run run;
    ASSERT_OK(parse(text, good, ARRAY_LEN(good), &run));
    assert_int_equal(run.train.steps, 60);
    assert_string_equal(run.name, "a=b");
    assert_int_equal(run.trial.steps, 7);
    assert_int_equal(run.trial.batch, 4);
    assert_true(run.boxes[0].west == 1.0 && run.boxes[1].west == -5.5);
    assert_int_equal(run.n_mean, 2);
    assert_true(run.mean[0] == 9.0 && run.mean[1] == 8.0);
    assert_int_equal(run.n_words, 2);
    assert_string_equal(run.words[0], "three");
    assert_string_equal(run.words[1], "4");
    yaml_file_free(&run_table, &run);
    /* a file may lack what the overrides bring */
    static const char *const whole[] = { "name=n", "train.steps=3" };
    ASSERT_OK(parse("", whole, 2, &run));
    assert_int_equal(run.train.steps, 3);
    yaml_file_free(&run_table, &run);
}

static void wrong_overrides(void **state)
{
    (void)state;
    static const char text[] = "name: x\ntrain: {steps: 1}\nboxes:\n- {west: 1, east: 2}\n";
    static const struct {
        const char *override, *message;
        Err err;
    } cases[] = {
        { "train.step=5", "--set train.step=5: unknown key 'step'; did you mean 'steps'?", ERR_ARGUMENT },
        { "trian.steps=5", "--set trian.steps=5: unknown key 'trian'; did you mean 'train'?", ERR_ARGUMENT },
        { "train", "--set train: expected section.key=value", ERR_ARGUMENT },
        { "=5", "--set =5: expected section.key=value", ERR_ARGUMENT },
        { "train=5", "--set train=5: 'train' holds keys of its own; name one of them, as in section.key=value",
          ERR_ARGUMENT },
        { "name.x=5", "--set name.x=5: 'name' is a plain value; it has no keys of its own", ERR_ARGUMENT },
        { "boxes.2.west=5",
          "--set boxes.2.west=5: 'boxes' is a list of 1; write 'boxes.1.KEY=VALUE' to 'boxes.1.KEY=VALUE'",
          ERR_ARGUMENT },
        { "boxes.0.west=5", "'boxes' is a list of 1", ERR_ARGUMENT },
        { "boxes.west=5", "'boxes' is a list of 1", ERR_ARGUMENT },
        { "train.steps=many", "train.steps: 'many' is not a whole number", ERR_CONFIG },
        { "name=", "key 'name' is missing", ERR_CONFIG },
    };
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        Run run;
        memset(&run, 0x5A, sizeof run);
        assert_int_equal(parse(text, &cases[i].override, 1, &run), cases[i].err);
        if (strstr(err_message(), cases[i].message) == NULL) fail_msg("%s: %s", cases[i].override, err_message());
        assert_int_equal(run.train.steps, 0x5A5A5A5A5A5A5A5A); /* untouched */
    }
}

static void mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "name: x\ntrain:\n  steps: 1\n  fussion: caf\n",
          "'run.yaml', line 4: unknown key 'train.fussion'; did you mean 'fusion'?" },
        { "nme: x\n", "'run.yaml', line 1: unknown key 'nme'; did you mean 'name'?" },
        { "name: x\ntrain: {steps: 1}\nboxes:\n- west: 1\n  east: 2\n- west: 1\n  eats: 2\n",
          "'run.yaml', line 7: unknown key 'boxes[2].eats'; did you mean 'east'?" },
        { "name: x\ntrain:\n  steps: 1\n  zzzzzz: 1\n",
          "unknown key 'train.zzzzzz'; known here: steps, batch, rate, flips, fusion" },
        { "name: x\ntrain:\n  steps: 1\n  steps: 2\n",
          "'run.yaml', line 3: key 'train.steps' is given twice; keep one" },
        { "name: x\n", "'run.yaml': key 'train.steps' is missing; expected a whole number" },
        { "name: x\ntrain:\n  batch: 1\n",
          "'run.yaml', line 2: key 'train.steps' is missing; expected a whole number" },
        { "train: {steps: 1}\n", "'run.yaml': key 'name' is missing; expected a text" },
        { "name: x\ntrain:\n  steps: 1.5\n", "'run.yaml', line 3: train.steps: '1.5' is not a whole number" },
        { "name: x\ntrain:\n  steps: 0\n", "'run.yaml', line 3: train.steps: 0 is out of range; give 1 to 1000000000" },
        { "name: x\ntrain:\n  steps: 1\n  batch: 3000000000\n", "line 4: train.batch: 3000000000 is out of range" },
        { "name: x\ntrain:\n  steps: 1\n  rate: nan\n", "line 4: train.rate: 'nan' is not a number" },
        { "name: x\ntrain:\n  steps: 1\n  flips: 2\n", "line 4: train.flips: '2' is neither true nor false" },
        { "name: x\ntrain:\n  steps: 1\n  fusion: cfa\n",
          "line 4: train.fusion: 'cfa' is not known (expected one of caf, none); did you mean 'caf'?" },
        { "name: x\ntrain:\n  steps: 1\n  fusion: clip\n",
          "train.fusion: 'clip' is not known; expected one of caf, none" },
        { "name: x\ntrain: {steps: 1}\nboxes:\n- west: 1\n  east: 2\n- west: 1\n  east: 200\n",
          "'run.yaml', line 7: boxes[2].east: 200 is out of range; give -180 to 180" },
        { "name: x\ntrain: {steps: 1}\nboxes:\n- name: a\n  west: 1\n", "line 4: key 'boxes[1].east' is missing" },
        { "name: x\ntrain: {steps: 1}\nmean: [1]\n", "line 3: mean: has 1 entries; expected at least 2" },
        { "name: x\ntrain: {steps: 1}\nmean: [1, 2, 3, 4]\n", "line 3: mean: has 4 entries; expected at most 3" },
        { "name: x\ntrain: {steps: 1}\nmean: [1, x]\n", "mean[2]: 'x' is not a number" },
        { "name: [x]\ntrain: {steps: 1}\n", "line 1: name: a list stands where one plain value is expected" },
        { "name: {a: b}\ntrain: {steps: 1}\n",
          "line 1: name: keys with values stand where one plain value is expected" },
        { "name: x\ntrain: 5\n", "line 2: train: a plain value or nothing stands where keys with values are expected" },
        { "name: x\ntrain: {steps: 1}\nboxes: 7\n",
          "line 3: boxes: a plain value or nothing stands where a list is expected" },
        { "- a\n- b\n", "'run.yaml': the document: a list stands where keys with values are expected" },
        { "name: \"x\n", "not well-formed YAML here or below: found unexpected end of stream" },
        { "name: x\n\tb: c\n", "not well-formed YAML" },
        { "name: \xff\n", "not well-formed YAML here or below: invalid leading UTF-8 octet" },
    };
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        Run run;
        const Err err = parse(cases[i].text, NULL, 0, &run);
        if (err != ERR_CONFIG) fail_msg("case %lld: no error: %s", (long long)i, cases[i].text);
        if (strstr(err_message(), cases[i].message) == NULL)
            fail_msg("case %lld: '%s', wanted '%s'", (long long)i, err_message(), cases[i].message);
    }
}

static void lines(void **state)
{
    (void)state;
    static const char text[] = "a:\n"             /* 1 */
                               "  x:\n"           /* 2 */
                               "    b: 1\n"       /* 3 */
                               "\n"               /* 4 */
                               "  # b: comment\n" /* 5 */
                               "  b: 2\n"         /* 6 */
                               "list:\n"          /* 7 */
                               "- b: 1\n"         /* 8 */
                               "  c:\n"           /* 9 */
                               "    - p\n"        /* 10 */
                               "    - q\n"        /* 11 */
                               "- c: 2\n"         /* 12 */
                               "  b: 3\n"         /* 13 */
                               "b: 4\n";          /* 14 */
    const YamlPath a = { NULL, "a", 0 }, x = { &a, "x", 0 }, xb = { &x, "b", 0 }, ab = { &a, "b", 0 };
    const YamlPath list = { NULL, "list", 0 }, one = { &list, NULL, 0 }, two = { &list, NULL, 1 },
                   three = { &list, NULL, 2 };
    const YamlPath one_b = { &one, "b", 0 }, one_c = { &one, "c", 0 }, q = { &one_c, NULL, 1 },
                   two_b = { &two, "b", 0 };
    const YamlPath b = { NULL, "b", 0 }, none = { &x, "c", 0 };
    const struct {
        const YamlPath *path;
        int64_t line;
        const char *text;
    } cases[] = {
        { &a, 1, "a" },
        { &x, 2, "a.x" },
        { &xb, 3, "a.x.b" },
        { &ab, 6, "a.b" },
        { &list, 7, "list" },
        { &one, 8, "list[1]" },
        { &one_b, 8, "list[1].b" },
        { &one_c, 9, "list[1].c" },
        { &q, 11, "list[1].c[2]" },
        { &two, 12, "list[2]" },
        { &two_b, 13, "list[2].b" },
        { &three, 0, "list[3]" },
        { &b, 14, "b" },
        { &none, 0, "a.x.c" },
    };
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        char found[YAML_PATH_BYTES];
        yaml_slots_path_text(cases[i].path, found);
        assert_string_equal(found, cases[i].text);
        if (yaml_slots_path_line(text, cases[i].path) != cases[i].line)
            fail_msg("%s: line %lld", found, (long long)yaml_slots_path_line(text, cases[i].path));
    }
}

static void files(void **state)
{
    (void)state;
    Run run;
    assert_int_equal(yaml_file_load("no/such.yaml", &run_table, NULL, 0, &run), ERR_INPUT);
    char folder[64];
    unit_folder(folder);
    char *path = NULL;
    assert_int_equal(path_join(folder, "run.yaml", &path), ERR_NONE);
    assert_int_equal(file_write(path, "name: x\ntrain: {steps: 2}\n", 26, true), ERR_NONE);
    ASSERT_OK(yaml_file_load(path, &run_table, NULL, 0, &run));
    assert_int_equal(run.train.steps, 2);
    yaml_file_free(&run_table, &run);
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_int_equal(rmdir(folder), 0);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything),      cmocka_unit_test(defaults), cmocka_unit_test(overrides),
        cmocka_unit_test(wrong_overrides), cmocka_unit_test(mistakes), cmocka_unit_test(lines),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
