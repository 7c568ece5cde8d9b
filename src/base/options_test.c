/* SPDX-License-Identifier: Apache-2.0
 * Options: every type, every notation, every refusal, and the texts made from the table. */
#include "base/options.h"

#include "harness/unit.h"

#include <string.h>

typedef struct Args {
    const char *model;
    const char *output;
    int64_t threads;
    double ram;
    bool force;
    int64_t format;
    OptionList bands, creation;
    double extent[4];
} Args;

typedef struct Common {
    bool quiet;
    int64_t verbose;
} Common;

static const Option own_options[] = {
    { "model", 'm', OPTION_STRING, offsetof(Args, model), .value = "FILE", .help = "model to use" },
    { "output", 'o', OPTION_STRING, offsetof(Args, output), .value = "OUT", .help = "map to write", .required = true },
    { "threads", 0, OPTION_INT, offsetof(Args, threads), .value = "N", .help = "threads", .default_value = "2",
      .minimum = 1, .maximum = 64 },
    { "ram", 0, OPTION_DOUBLE, offsetof(Args, ram), .value = "GIB", .help = "memory", .default_value = "0.5",
      .minimum = 0.1, .maximum = 100 },
    { "force", 'f', OPTION_FLAG, offsetof(Args, force), .help = "replace existing files" },
    { "of", 0, OPTION_ENUM, offsetof(Args, format), .value = "FORMAT", .help = "format", .choices = { "GTiff", "COG" },
      .default_value = "COG" },
    { "bands", 'b', OPTION_LIST, offsetof(Args, bands), .value = "N,...", .help = "bands", .default_value = "1,2,3" },
    { "co", 0, OPTION_LIST, offsetof(Args, creation), .value = "KEY=VALUE", .help = "creation option", .whole = true },
    { "te", 0, OPTION_NUMBERS, offsetof(Args, extent), .value = "XMIN YMIN XMAX YMAX", .help = "extent", .gdal = true,
      .words = 4 },
};
static const Option common_options[] = {
    { "quiet", 'q', OPTION_FLAG, offsetof(Common, quiet), .help = "no progress" },
    { "verbose", 'v', OPTION_COUNT, offsetof(Common, verbose), .help = "more messages" },
};
static const OptionTable common_table = { common_options, ARRAY_LEN(common_options) };
static const OptionSpec spec = { .command = "predict",
                                 .summary = "map land cover",
                                 .usage = "IN... -o OUT",
                                 .own = { own_options, ARRAY_LEN(own_options) },
                                 .min_arguments = 1,
                                 .max_arguments = 3 };

enum { MAX_WORDS = 64 };
static Args args;
static Common common;
static OptionResult result;
static bool help;

/* Splits `line` at blanks and parses it. */
static Err parse(const char *line)
{
    static char copy[512];
    static char program[] = "predict";
    char *argv[MAX_WORDS] = { program };
    int argc = 1;
    args = (Args){ 0 };
    common = (Common){ 0 };
    options_result_done(&result);
    (void)snprintf(copy, sizeof copy, "%s", line);
    for (char *at = copy; argc < MAX_WORDS;) {
        at += strspn(at, " ");
        if (*at == '\0') break;
        argv[argc++] = at;
        at += strcspn(at, " ");
        if (*at != '\0') *at++ = '\0';
    }
    return options_parse(&spec, &args, common_table, &common, argc, argv, &help, &result);
}

static void defaults(void **state)
{
    (void)state;
    assert_int_equal(parse("in.tif -o out.tif"), ERR_NONE);
    assert_int_equal(result.n_arguments, 1);
    assert_string_equal(result.arguments[0], "in.tif");
    assert_string_equal(args.output, "out.tif");
    assert_null(args.model);
    assert_int_equal(args.threads, 2);
    assert_true(args.ram == 0.5);
    assert_true(!args.force && !common.quiet && !help);
    assert_int_equal(args.format, 1);
    assert_int_equal(args.bands.count, 3);
    assert_string_equal(args.bands.items[2], "3");
    assert_int_equal(args.creation.count, 0);
}

static void notations(void **state)
{
    (void)state;
    assert_int_equal(parse("--model=a=b in.tif --output out.tif -f --threads 8 --of GTiff -v -v -q "
                           "-b 4,3 -b 2 --co A=1,2 --co B=3 --ram=2 -- -x -"),
                     ERR_NONE);
    assert_string_equal(args.model, "a=b");
    assert_true(args.force && common.quiet);
    assert_int_equal(args.threads, 8);
    assert_int_equal(args.format, 0);
    assert_int_equal(common.verbose, 2);
    assert_int_equal(args.bands.count, 3);
    assert_string_equal(args.bands.items[0], "4");
    assert_string_equal(args.bands.items[2], "2");
    assert_int_equal(args.creation.count, 2);
    assert_string_equal(args.creation.items[0], "A=1,2");
    assert_true(args.ram == 2.0);
    assert_int_equal(result.n_arguments, 3);
    assert_string_equal(result.arguments[1], "-x");
    assert_string_equal(result.arguments[2], "-");
    assert_int_equal(parse("a -o -7"), ERR_NONE); /* a value may begin with a dash */
    assert_string_equal(args.output, "-7");
}

static void refuses(const char *line, const char *message)
{
    assert_int_equal(parse(line), ERR_ARGUMENT);
    assert_string_equal(err_message(), message);
}

/* As GDAL's programs take it, as its new program does, and with commas. */
static void numbers(void **state)
{
    (void)state;
    static const char *const forms[] = { "a -o b -te -1 2.5 3e1 40", "a -te -1,2.5,30,40 -o b",
                                         "a --te -1 2.5 30 40 -o b", "a -o b -te=-1,2.5,30,40" };
    for (int i = 0; i < 4; i++) {
        ASSERT_OK(parse(forms[i]));
        assert_true(args.extent[0] == -1.0 && args.extent[1] == 2.5 && args.extent[2] == 30.0 &&
                    args.extent[3] == 40.0);
        assert_int_equal(result.n_arguments, 1);
        assert_true(options_given(&spec, &result, "te") && !options_given(&spec, &result, "ram"));
    }
    ASSERT_OK(parse("a -o b"));
    assert_true(!options_given(&spec, &result, "te"));
    refuses("a -o b -te 1 2 3", "-te needs 4 numbers: XMIN YMIN XMAX YMAX");
    refuses("a -te 1 2 3 -o b", "-te: '-o' is not a number");
    refuses("a -o b -te 1 2 3,4 5", "-te: '3,4' is no number; it takes XMIN YMIN XMAX YMAX");
    refuses("a -o b -te 1,2,3", "-te: '1,2,3' found; 4 numbers with commas between them are wanted");
    assert_int_equal(parse("a -o b -te nan 2 3 4"), ERR_ARGUMENT);
    refuses("a -o b -ram 4", "unknown option '-ram'; did you mean '--ram'?");
}

static void help_needs_nothing(void **state)
{
    (void)state;
    assert_int_equal(parse("--help"), ERR_NONE);
    assert_true(help);
    assert_int_equal(parse("-h"), ERR_NONE);
    assert_true(help);
}

static void refusals(void **state)
{
    (void)state;
    refuses("in -o out --theads", "unknown option '--theads'; did you mean '--threads'?");
    refuses("in -o out --theads=1", "unknown option '--theads'; did you mean '--threads'?");
    refuses("in -o out --xyzzy", "unknown option '--xyzzy'; 'metaseg predict --help' lists them");
    refuses("in -o out -model x", "unknown option '-model'; did you mean '--model'?");
    refuses("in -o out --no-force", "unknown option '--no-force'; did you mean '--force'?");
    refuses("in", "-o OUT (--output) is missing: map to write");
    refuses("-o out", "too few arguments; usage: metaseg predict IN... -o OUT");
    refuses("-o out a b c d", "'d' is one argument too many; usage: metaseg predict IN... -o OUT");
    refuses("in -o", "-o needs a value: OUT");
    refuses("in -o out --threads 0", "--threads: 0 is out of range; give 1 to 64");
    refuses("in -o out --threads two", "--threads: 'two' is not a whole number");
    refuses("in -o out --ram 1x", "--ram: '1x' is not a number");
    refuses("in -o out --of COX", "--of: 'COX' is not known; did you mean 'COG'? It takes GTiff, COG");
    refuses("in -o out --of PNG", "--of: 'PNG' is not known; it takes GTiff, COG");
    refuses("in -o out --force=yes", "--force takes no value");
    refuses("in -o out -b 1,,2", "-b: '1,,2' has an empty item");
    refuses("in -o out --model=", "--model: the value is empty; give FILE, or leave the option out");
    refuses("in -o out --bands=", "--bands: the value is empty; give N,..., or leave the option out");
}

static void texts(void **state)
{
    (void)state;
    Str text = { 0 };
    options_help(&spec, common_table, &text);
    assert_non_null(strstr(str_text(&text), "usage: metaseg predict IN... -o OUT\n"));
    assert_non_null(strstr(str_text(&text), "  -m, --model FILE            model to use\n"));
    assert_non_null(strstr(str_text(&text), "      --threads N             threads (default 2)\n"));
    assert_non_null(strstr(str_text(&text), "      --of FORMAT             format: GTiff, COG (default COG)\n"));
    assert_non_null(strstr(str_text(&text), "  -v, --verbose               more messages\n"));
    str_done(&text);
    options_man(&spec, &text);
    assert_non_null(strstr(str_text(&text), ".SS \"metaseg predict IN... \\-o OUT\"\n"));
    assert_non_null(strstr(str_text(&text), ".TP\n.B \\-m, \\-\\-model FILE\nmodel to use.\n"));
    str_done(&text);
    options_words(spec.own, &text);
    assert_non_null(strstr(str_text(&text), "--force -f --of --bands -b --co"));
    str_done(&text);
}

static void usage_as_json(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "\"full_path\": [\n    \"metaseg\",\n    \"predict\"\n  ]",
        "\"name\": \"input\",\n      \"type\": \"string_list\",\n      \"description\": \"IN... -o OUT\",\n      "
        "\"metavar\": "
        "\"IN\",\n      \"required\": true,\n      \"packed_values_allowed\": false,\n      \"repeated_arg_allowed\": "
        "true,\n"
        "      \"min_count\": 1,\n      \"max_count\": 3",
        "\"description\": \"map to write\",\n      \"metavar\": \"OUT\",\n      \"required\": true",
        "\"type\": \"integer\",\n      \"description\": \"threads\",\n      \"metavar\": \"N\",\n      \"default\": "
        "2,\n"
        "      \"min_value\": 1,\n      \"min_value_is_included\": true,\n      \"max_value\": 64",
        "\"default\": 0.5",
        "\"choices\": [\n        \"GTiff\",\n        \"COG\"\n      ],\n      \"default\": \"COG\"",
        "\"default\": [\n        \"1\",\n        \"2\",\n        \"3\"\n      ],\n      \"required\": false,\n"
        "      \"packed_values_allowed\": true",
        "\"type\": \"real_list\"",
        "\"repeated_arg_allowed\": true,\n      \"min_count\": 4,\n      \"max_count\": 4",
        "\"metavar\": \"KEY=VALUE\",\n      \"required\": false,\n      \"packed_values_allowed\": false",
        "\"type\": \"boolean\",\n      \"description\": \"no progress\",\n      \"default\": false,\n      "
        "\"required\": false,\n"
        "      \"category\": \"Common\"",
    };
    char *text = NULL;
    ASSERT_OK(options_json(&spec, common_table, &text));
    for (int64_t i = 0; i < ARRAY_LEN(pieces); i++)
        if (strstr(text, pieces[i]) == NULL) fail_msg("no '%s' in %s", pieces[i], text);
    free(text);
}

static int release(void **state)
{
    (void)state;
    options_result_done(&result);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),           cmocka_unit_test(notations), cmocka_unit_test(numbers),
        cmocka_unit_test(help_needs_nothing), cmocka_unit_test(refusals),  cmocka_unit_test(texts),
        cmocka_unit_test(usage_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
