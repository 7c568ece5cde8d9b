/* SPDX-License-Identifier: Apache-2.0
 * YAML into structs: values, defaults, lists, overrides, and the sentence for each kind of mistake. */
#include "data/yaml_file.h"

#include "base/file.h"
#include "base/str.h"
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
    int32_t side;
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
    { "side", YAML_INTEGER, YAML_AT(Train, side), .multiple = 32, .optional = true },
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
    return yaml_file_parse("run.yaml", text, strlen(text), &run_table, overrides, n_overrides, ret_run, NULL);
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
        { "boxes.2.west=5", "--set boxes.2.west=5: 'boxes' is a list of 1; write 'boxes.1.KEY=VALUE'", ERR_ARGUMENT },
        { "boxes.0.west=5", "'boxes' is a list of 1", ERR_ARGUMENT },
        { "boxes.west=5", "'boxes' is a list of 1", ERR_ARGUMENT },
        { "boxes.1x.west=5", "'boxes' is a list of 1", ERR_ARGUMENT },
        { "boxes.1=5", "'boxes' is a list of 1", ERR_ARGUMENT },
        { "train.steps=many", "--set train.steps=many: train.steps: 'many' is not a whole number", ERR_ARGUMENT },
        { "train.steps=0", "--set train.steps=0: train.steps: 0 is out of range", ERR_ARGUMENT },
        { "train.rate=inf", "train.rate: 'inf' is not a number", ERR_ARGUMENT },
        { "train.side=33", "--set train.side=33: train.side: 33 is not a multiple of 32", ERR_ARGUMENT },
        { "mean=1,x", "--set mean=1,x: mean.2: 'x' is not a number", ERR_ARGUMENT },
        { "mean=1,,2", "mean.2: '' is not a number", ERR_ARGUMENT },
        { "boxes.1.west=200", "--set boxes.1.west=200: boxes.1.west: 200 is out of range", ERR_ARGUMENT },
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

static const struct {
    const char *text, *message;
} wrong_files[] = {
    { "note: x\ntrain: {stepps: 5}\n", "line 2, column 9: unknown key 'train.stepps'; did you mean 'steps'?" },
    { "name: x\ntrain:\n  steps: 1\n  fussion: caf\n",
      "'run.yaml', line 4, column 3: unknown key 'train.fussion'; did you mean 'fusion'?" },
    { "nme: x\n", "'run.yaml', line 1, column 1: unknown key 'nme'; did you mean 'name'?" },
    { "name: x\ntrain: {steps: 1}\nboxes:\n- west: 1\n  east: 2\n- west: 1\n  eats: 2\n",
      "'run.yaml', line 7, column 3: unknown key 'boxes.2.eats'; did you mean 'east'?" },
    { "name: x\ntrain:\n  steps: 1\n  zzzzzz: 1\n",
      "unknown key 'train.zzzzzz'; known here: steps, batch, rate, flips, fusion, side" },
    { "name: x\ntrain:\n  steps: 1\n  steps: 2\n",
      "line 4, column 3: key 'train.steps' is given twice (first in line 3); keep one" },
    { "name: x\ntrain: {steps: 1, steps: 1}\n", "line 2, column 19: key 'train.steps' is given twice" },
    { "name: x\n", "'run.yaml': key 'train.steps' is missing; expected a whole number" },
    { "name: x\ntrain:\n", "'run.yaml': key 'train.steps' is missing" },
    { "name: x\ntrain:\n  batch: 1\n", "'run.yaml', line 2, column 1: key 'train.steps' is missing; expected" },
    { "train: {steps: 1}\n", "'run.yaml': key 'name' is missing; expected a text" },
    { "name: ''\ntrain: {steps: 1}\n", "'run.yaml': key 'name' is missing; expected a text" },
    { "name: ~\ntrain: {steps: 1}\n", "'run.yaml': key 'name' is missing; expected a text" },
    { "name: x\ntrain:\n  steps: 1.5\n", "'run.yaml', line 3, column 10: train.steps: '1.5' is not a whole number" },
    { "name: x\ntrain:\n  steps: 0\n", "line 3, column 10: train.steps: 0 is out of range; give 1 to 1000000000" },
    { "name: x\ntrain:\n  steps: 0x10\n", "train.steps: '0x10' is not a whole number" },
    { "name: x\ntrain:\n  steps: 1e3\n", "train.steps: '1e3' is not a whole number" },
    { "name: x\ntrain:\n  steps: 99999999999999999999999\n", "train.steps: 99999999999999999999999 is out of range" },
    { "name: x\ntrain: {steps: 1, batch: 7, side: 250}\n",
      "line 2, column 35: train.side: 250 is not a multiple of 32" },
    { "name: x\ntrain:\n  steps: 1\n  batch: 3000000000\n", "line 4, column 10: train.batch: 3000000000 is out of" },
    { "name: x\ntrain:\n  steps: 1\n  rate: nan\n", "line 4, column 9: train.rate: 'nan' is not a number" },
    { "name: x\ntrain:\n  steps: 1\n  rate: .inf\n", "train.rate: '.inf' is not a number" },
    { "name: x\ntrain:\n  steps: 1\n  rate: 1e400\n", "train.rate: 1e400 is out of range" },
    { "name: x\ntrain:\n  steps: 1\n  rate: 0x1p3\n", "train.rate: '0x1p3' is not a number" },
    { "name: x\ntrain:\n  steps: 1\n  flips: 2\n", "line 4, column 10: train.flips: '2' is neither true nor false" },
    { "name: x\ntrain:\n  steps: 1\n  fusion: cfa\n",
      "line 4, column 11: train.fusion: 'cfa' is not known (expected one of caf, none); did you mean 'caf'?" },
    { "name: x\ntrain:\n  steps: 1\n  fusion: clip\n", "train.fusion: 'clip' is not known; expected one of caf, none" },
    { "name: x\ntrain: {steps: 1}\nboxes:\n- west: 1\n  east: 2\n- west: 1\n  east: 200\n",
      "'run.yaml', line 7, column 9: boxes.2.east: 200 is out of range; give -180 to 180" },
    { "{name: x, train: {steps: 1},\n boxes: [{west: 1, east: 2},\n  {west: 1, east: 200}]}\n",
      "'run.yaml', line 3, column 19: boxes.2.east: 200 is out of range" },
    { "name: x\ntrain: {steps: 1}\nboxes:\n- name: a\n  west: 1\n", "line 4, column 3: key 'boxes.1.east' is missing" },
    { "name: x\ntrain: {steps: 1}\nboxes:\n- a\n", "line 4, column 3: boxes.1: a plain value stands where keys with" },
    { "name: x\ntrain: {steps: 1}\nmean: [1]\n", "line 3, column 1: mean: has 1 entries; expected at least 2" },
    { "name: x\ntrain: {steps: 1}\nmean: [1, 2, 3, 4]\n", "mean: has 4 entries; expected at most 3" },
    { "name: x\ntrain: {steps: 1}\nmean: [1,\n x]\n", "line 4, column 2: mean.2: 'x' is not a number" },
    { "name: [x]\ntrain: {steps: 1}\n", "line 1, column 1: name: a list stands where one plain value is expected" },
    { "name: {a: b}\ntrain: {steps: 1}\n",
      "line 1, column 1: name: keys with values stand where one plain value is expected" },
    { "name: x\ntrain: 5\n", "line 2, column 8: train: a plain value stands where keys with values are expected" },
    { "name: x\ntrain: {steps: 1}\nboxes: 7\n", "line 3, column 8: boxes: a plain value stands where a list is" },
    { "- a\n- b\n", "'run.yaml': the document: a list stands where keys with values are expected" },
    { "a\n", "'run.yaml': the document: a plain value stands where keys with values are expected" },
    { "name: \"x\n", "line 2, column 1: not well-formed YAML: while scanning a quoted scalar, found unexpected end" },
    { "name: x\n\tb: c\n", "line 2, column 1: not well-formed YAML" },
    { "name: x\ntrain:\n\tsteps: 1\n", "line 3, column 1: not well-formed YAML: while scanning for the next token, "
                                       "found character that cannot start any token; a tab stands here, indent with" },
    { "name: x\nnote: \xff\n",
      "line 2, column 7: not well-formed YAML: invalid leading UTF-8 octet; save the file as" },
    { "name: x\nnote: \xc3\xa9 \x01\n", "line 2, column 9: not well-formed YAML: control characters are not allowed" },
    { "name: \"a\\0b\"\n", "line 1, column 7: a NUL character stands in a value" },
    { "name: x\ntrain: {steps: 1}\n---\nname: y\n", "line 3, column 1: a second document begins; give one" },
    { "name: x\ntrain: {steps: !!int 1}\n", "line 2, column 16: the tag 'tag:yaml.org,2002:int' stands here" },
    { "name: ! x\n", "line 1, column 7: the tag '!' stands here" },
    { "name: x\ntrain: !t {steps: 1}\n", "line 2, column 8: the tag '!t' stands here" },
    { "name: x\n? [a]\n: b\n", "line 2, column 3: a list or a map stands where a key is expected" },
    { "name: x\ntrain: {steps: 1}\nboxes:\n- &a {west: 1, east: 2}\n- {<<: *a, east: 3}\n",
      "line 5, column 4: merge keys ('<<') are not read; write the keys out" },
    { "name: *a\n", "line 1, column 7: the alias '*a' names nothing that ends before it" },
    { "name: x\ntrain: &t {steps: *t}\n", "line 2, column 19: the alias '*t' names nothing that ends before it" },
    { "name: x\nnote: &n a\n*n : b\n", "line 3, column 1: an alias stands where a key is expected" },
    { "&n name: x\n", "line 1, column 1: an anchor stands at a key" },
};

static void mistakes(void **state)
{
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(wrong_files); i++) {
        Run run;
        const Err err = parse(wrong_files[i].text, NULL, 0, &run);
        if (err != ERR_CONFIG) fail_msg("case %lld: no error: %s", (long long)i, wrong_files[i].text);
        if (strstr(err_message(), wrong_files[i].message) == NULL)
            fail_msg("case %lld: '%s', wanted '%s'", (long long)i, err_message(), wrong_files[i].message);
    }
}

/* Aliases are copies: an override of one leaves the others. */
static void aliases(void **state)
{
    (void)state;
    static const char text[] = "name: &n x\nnote: *n\ntrain: &t {steps: 3}\ntrial: *t\n"
                               "boxes:\n- &b {west: 1, east: 2}\n- *b\n- *b\n";
    static const char *const set[] = { "boxes.2.west=-1", "trial.steps=4" };
    Run run;
    ASSERT_OK(parse(text, set, 2, &run));
    assert_string_equal(run.note, "x");
    assert_int_equal(run.train.steps, 3);
    assert_int_equal(run.trial.steps, 4);
    assert_true(run.boxes[0].west == 1.0 && run.boxes[1].west == -1.0 && run.boxes[2].west == 1.0);
    yaml_file_free(&run_table, &run);
}

/* Small files that would be large, and deep ones, end with a sentence before they are. */
static void limits(void **state)
{
    (void)state;
    Str text = { 0 };
    Run run;
    str_add(&text, "name: x\ntrain: {steps: 1}\nwords: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 9; i++) {
        str_addf(&text, "k%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++) str_addf(&text, "%s*a%d", j > 0 ? ", " : "", i - 1);
        str_add(&text, "]\n");
    }
    ASSERT_ERR(parse(str_text(&text), NULL, 0, &run), ERR_CONFIG, "more than a million values or 64 MiB of text");
    str_done(&text);
    str_add(&text, "name: ");
    for (int i = 0; i < 100000; i++) str_add_char(&text, '[');
    ASSERT_ERR(parse(str_text(&text), NULL, 0, &run), ERR_CONFIG, "line 1, column 38: nested deeper than 32 levels");
    str_done(&text);
    str_add(&text, "words:\n");
    for (int i = 0; i < 1001; i++) str_addf(&text, "- &a%d x\n", i);
    ASSERT_ERR(parse(str_text(&text), NULL, 0, &run), ERR_CONFIG, "more than 1000 anchors");
    str_done(&text);
}

/* Further checks of a file that was read point at the same places. */
static void further_checks(void **state)
{
    (void)state;
    static const char text[] = "name: x\ntrain:\n  steps: 1\nboxes:\n- {west: 1, east: 2}\n- {west: 3, east: 4}\n";
    static const char *const set[] = { "train.batch=3", "boxes.1.east=5" };
    Run run;
    YamlFile *file = NULL;
    ASSERT_OK(yaml_file_parse("run.yaml", text, strlen(text), &run_table, set, 2, &run, &file));
    ASSERT_ERR(yaml_file_wrong(file, "boxes.2.west", "no %d", 7), ERR_CONFIG,
               "'run.yaml', line 6, column 10: boxes.2.west: no 7");
    ASSERT_ERR(yaml_file_wrong(file, "boxes.1.east", "no"), ERR_ARGUMENT, "--set boxes.1.east=5: boxes.1.east: no");
    ASSERT_ERR(yaml_file_wrong(file, "train.batch", "no"), ERR_ARGUMENT, "--set train.batch=3: train.batch: no");
    ASSERT_ERR(yaml_file_wrong(file, "train.rate", "no"), ERR_CONFIG, "'run.yaml', line 2, column 1: train.rate: no");
    ASSERT_ERR(yaml_file_wrong(file, "mean", "no"), ERR_CONFIG, "'run.yaml': mean: no");
    yaml_file_close(file);
    yaml_file_free(&run_table, &run);
}

static void files(void **state)
{
    (void)state;
    Run run;
    assert_int_equal(yaml_file_load("no/such.yaml", &run_table, NULL, 0, &run, NULL), ERR_INPUT);
    char folder[64];
    unit_folder(folder);
    char *path = NULL;
    assert_int_equal(path_join(folder, "run.yaml", &path), ERR_NONE);
    assert_int_equal(file_write(path, "name: x\ntrain: {steps: 2}\n", 26, true), ERR_NONE);
    ASSERT_OK(yaml_file_load(path, &run_table, NULL, 0, &run, NULL));
    assert_int_equal(run.train.steps, 2);
    yaml_file_free(&run_table, &run);
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_int_equal(rmdir(folder), 0);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything),      cmocka_unit_test(defaults),       cmocka_unit_test(overrides),
        cmocka_unit_test(wrong_overrides), cmocka_unit_test(mistakes),       cmocka_unit_test(aliases),
        cmocka_unit_test(limits),          cmocka_unit_test(further_checks), cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
