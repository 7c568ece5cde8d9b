/* SPDX-License-Identifier: Apache-2.0
 * Multiply-adds of encoders at 224 x 224 against the figures that their authors publish (GFLOPS there; classifiers, which we do
 * not have, are at most 0.03 % of them): torchvision 0.27, documentation of each model's weights. */
#include "network/encoder.h"

#include "graph/program.h"
#include "harness/unit.h"

#include <math.h>

enum { SIDE = 224 };

static double giga_multiply_adds(const EncoderDef *def)
{
    ProgramOptions options = program_options_defaults();
    ParamSet *params = NULL;
    Graph *g = NULL;
    Program *program = NULL;
    ASSERT_OK(params_new(&params));
    ASSERT_OK(graph_new(params, false, &g));
    options.device = device_default();
    const Var image = graph_input(g, "image", DTYPE_F32, shape4(1, SIDE, SIDE, 3));
    const FeatureMaps maps = def->build(g, image, def->variant, 0.0F);
    graph_output(g, "f32", maps.f32);
    ASSERT_OK(program_compile(g, params, &options, &program));
    const double giga = 1e-9 * (double)program_stats(program).multiply_adds;
    program_free(program);
    graph_free(g);
    params_free(params);
    return giga;
}

static void published_figures(void **state)
{
    static const struct {
        const EncoderDef *def;
        double giga;
    } cases[] = {
        { &encoder_def_resnet18, 1.81 }, { &encoder_def_resnet34, 3.66 }, { &encoder_def_resnet50, 4.09 },
        { &encoder_def_swin_t, 4.49 },   { &encoder_def_swin_s, 8.74 },   { &encoder_def_convnext_tiny, 4.46 },
    };
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        const double giga = giga_multiply_adds(cases[i].def);
        if (fabs(giga - cases[i].giga) > 0.005 + 0.0005 * giga)
            fail_msg("%lld: %.4f, published %.2f", (long long)i, giga, cases[i].giga);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(published_figures) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
