/* SPDX-License-Identifier: Apache-2.0
 * Options of a comparison that make no sense are refused before any file is looked at. */
#include "metaseg/eval.h"

#include "harness/unit.h"

#include <math.h>

static void refuse(const MetasegEvalOptions *options, const char *text)
{
    const MetasegEvalPair pair = { .prediction = "missing.tif", .truth = "missing.tif" };
    ASSERT_ERR(metaseg_eval_pairs(&pair, 1, options, NULL, NULL, NULL), METASEG_ERROR_ARGUMENT, text);
}

static void options(void **state)
{
    (void)state;
    MetasegEvalOptions o = metaseg_eval_options_defaults();
    const double shares[] = { (double)NAN, -0.1, 1.1, (double)INFINITY };
    for (int i = 0; i < 4; i++) {
        o.minimum_share = shares[i];
        refuse(&o, "a number from 0 to 1 was expected");
    }
    o = metaseg_eval_options_defaults();
    o.n_boxes = 1;
    refuse(&o, "no list of them given");
}

static void pairs(void **state)
{
    (void)state;
    const MetasegEvalOptions o = metaseg_eval_options_defaults();
    const MetasegEvalPair pairs[] = { { .prediction = "a.tif", .truth = "b.tif" }, { .prediction = "c.tif" } };
    ASSERT_ERR(metaseg_eval_pairs(pairs, 0, &o, NULL, NULL, NULL), METASEG_ERROR_ARGUMENT, "are needed");
    ASSERT_ERR(metaseg_eval_pairs(pairs, 2, &o, NULL, NULL, NULL), METASEG_ERROR_ARGUMENT, "are needed");
    ASSERT_ERR(metaseg_eval_rasters(NULL, "a.tif", &o, NULL, NULL, NULL), METASEG_ERROR_ARGUMENT, "are needed");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(options), cmocka_unit_test(pairs) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
