/* SPDX-License-Identifier: Apache-2.0
 * Command lines: the bytes are words, divided by line feeds. */
#include "base/options.h"
#include "fuzz/fuzz.h"

typedef struct Target {
    const char *model;
    bool overwrite;
    int64_t tile, mode, verbose;
    double factor;
    OptionList bands;
} Target;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const Option options[] = {
        { "model", 'm', OPTION_STRING, offsetof(Target, model), .value = "FILE", .help = "h", .required = true },
        { "overwrite", 'f', OPTION_FLAG, offsetof(Target, overwrite), .help = "h" },
        { "verbose", 'v', OPTION_COUNT, offsetof(Target, verbose), .help = "h" },
        { "tile", 0, OPTION_INT, offsetof(Target, tile), .value = "N", .help = "h", .minimum = 0, .maximum = 4096 },
        { "factor", 0, OPTION_DOUBLE, offsetof(Target, factor), .value = "X", .help = "h", .default_value = "1" },
        { "mode", 0, OPTION_ENUM, offsetof(Target, mode), .value = "M", .help = "h", .choices = { "one", "two" } },
        { "bands", 'b', OPTION_LIST, offsetof(Target, bands), .value = "B", .help = "h" },
    };
    static const OptionSpec spec = { .command = "fuzz",
                                     .summary = "s",
                                     .usage = "IN",
                                     .own = { options, ARRAY_LEN(options) },
                                     .min_arguments = 0,
                                     .max_arguments = -1 };
    enum { WORDS = 64 };
    char *text = fuzz_text(data, size), *words[WORDS + 1] = { (char *)"metaseg" };
    int n = 1;
    for (char *word = text; word != NULL && n < WORDS; n++) {
        char *end = strchr(word, '\n');
        if (end != NULL) *end = '\0';
        words[n] = word;
        word = end != NULL ? end + 1 : NULL;
    }
    Target target = { 0 };
    OptionResult result;
    bool help = false;
    const Err err = options_parse(&spec, &target, (OptionTable){ NULL, 0 }, NULL, n, words, &help, &result);
    fuzz_result(err, FUZZ_ARGUMENT | FUZZ_MEMORY);
    FUZZ_HOLDS(target.tile >= 0 && target.tile <= 4096);
    if (err == ERR_NONE && !help) FUZZ_HOLDS(target.model != NULL);
    options_result_done(&result);
    free(text);
    return 0;
}
