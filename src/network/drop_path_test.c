/* SPDX-License-Identifier: Apache-2.0
 * Stochastic depth of the encoders that have it: the rate of each block and where it acts. The packages have random numbers of their
 * own, so what is compared is a rate of almost 1, at which every branch of the last block is left out: the maps are then those of a
 * block whose last layers are 0, and its parameters have no gradient. */
#include "network/encoder_convnext.h"
#include "network/encoder_mit.h"
#include "network/encoder_swin.h"
#include "network/encoder_vit.h"

#include "graph/program.h"
#include "harness/golden.h"
#include "nn/modules.h"

#include <string.h>

enum { SIDE = 64, BATCH = 2, STAGES = 4 };
static const float ALMOST_ONE = 0.9999999F;

typedef struct Family {
    const EncoderDef *def;
    const void *variant;
    const char *last;    /* scope of its second and last block */
    const char *ends[4]; /* layers that its branches end with */
} Family;

/* Two blocks each: the first has rate 0. */
#define TWO                                                                                                            \
    {                                                                                                                  \
        1, 1, 0, 0                                                                                                     \
    }
#define SWIN_SMALL .channels = 8, .depths = TWO, .heads = { 1, 2, 2, 2 }, .window = 7
#define VIT_SMALL .width = 16, .depth = 2, .heads = 2, .pyramid = 8
static const Family families[] = {
    { &encoder_def_convnext_tiny,
      &(const ConvnextVariant){ TWO, { 8, 16, 24, 32 }, false },
      "stages.1.blocks.0.",
      { "gamma" } },
    { &encoder_def_convnextv2_tiny,
      &(const ConvnextVariant){ TWO, { 8, 16, 24, 32 }, true },
      "stages.1.blocks.0.",
      { "mlp.fc2." } },
    { &encoder_def_mit_b0,
      &(const MitVariant){ TWO, { 8, 16, 20, 32 } },
      "block.1.0.",
      { "attention.output.dense.", "mlp.dense2." } },
    { &encoder_def_vit_small_patch16_dinov3,
      &(const VitVariant){ VIT_SMALL, .patch = 16, .registers = 4, .eps = 1e-5F },
      "blocks.1.",
      { "gamma_1", "gamma_2" } },
    { &encoder_def_vit_small_patch14_dinov2,
      &(const VitVariant){ VIT_SMALL, .patch = 14, .positions = 4, .class_position = true, .eps = 1e-6F },
      "blocks.1.",
      { "ls1.gamma", "ls2.gamma" } },
    { &encoder_def_swin_t,
      &(const SwinVariant){ SWIN_SMALL, .kind = SWIN_TIMM },
      "layers.1.blocks.0.",
      { "attn.proj.", "mlp.fc2." } },
    { &encoder_def_swin_t_torchvision,
      &(const SwinVariant){ SWIN_SMALL, .kind = SWIN_TORCHVISION },
      "features.3.0.",
      { "attn.proj.", "mlp.3." } },
    { &encoder_def_swin_v2_t,
      &(const SwinVariant){ SWIN_SMALL, .kind = SWIN_V2 },
      "features.3.0.",
      { "norm1.", "norm2." } },
};

static bool in_last_block(const Family *family, const char *name)
{
    return strncmp(name, family->last, strlen(family->last)) == 0;
}

static bool ends_branch(const Family *family, const char *name)
{
    if (!in_last_block(family, name)) return false;
    for (int i = 0; i < ARRAY_LEN(family->ends) && family->ends[i] != NULL; i++)
        if (strncmp(name + strlen(family->last), family->ends[i], strlen(family->ends[i])) == 0) return true;
    return false;
}

/* Training for labels on all maps. */
static Program *compile(const Family *family, ParamSet *params, float drop_path)
{
    Graph *g = NULL;
    Program *program = NULL;
    ProgramOptions options = program_options_defaults();
    ASSERT_OK(graph_new(params, true, &g));
    const Var image = graph_input(g, "image", DTYPE_F32, shape4(BATCH, SIDE, SIDE, 3));
    const FeatureMaps maps = family->def->build(g, image, family->variant, drop_path);
    const Var all[] = { maps.f4, maps.f8, maps.f16, maps.f32 };
    for (int k = 0; k < STAGES; k++) {
        char name[32];
        (void)snprintf(name, sizeof name, "labels.%d", k);
        graph_output(g, &name[6], all[k]);
        const Shape s = graph_value(g, all[k]).shape;
        const Var labels = graph_input(g, name, DTYPE_U8, (Shape){ 3, { s.dim[0], s.dim[1], s.dim[2] } });
        const Var one = op_cross_entropy(g, all[k], labels, &(CrossEntropyAttr){ .ignore = 255 });
        options.loss = k > 0 ? op_add(g, options.loss, one) : one;
    }
    if (graph_finish(g) != ERR_NONE || program_compile(g, params, &options, &program) != ERR_NONE)
        fail_msg("%s", err_message());
    graph_free(g);
    return program;
}

/* Random values; those that end the branches of the last block are 0 where it is left out by hand. */
static void fill(const Family *family, ParamSet *params, bool left_out)
{
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        float *values = params_values(params) + info->offset;
        golden_normals(info->name, 0.0, 0.2, values, shape_count(&info->shape));
        if (left_out && ends_branch(family, info->name)) memset(values, 0, (size_t)shape_count(&info->shape) * 4);
    }
}

static void run(Program *program)
{
    const Tensor image = program_tensor(program, "image");
    golden_normals("input.image", 0.0, 1.0, image.data, shape_count(&image.shape));
    for (int k = 0; k < STAGES; k++) {
        char name[32];
        (void)snprintf(name, sizeof name, "labels.%d", k);
        const Tensor labels = program_tensor(program, name);
        memset(labels.data, 1, (size_t)shape_count(&labels.shape));
    }
    ASSERT_OK(program_forward(program, 7));
    ASSERT_OK(program_backward(program, false));
}

/* Gradients of the last block: all 0, or in each of its parameters something else. */
static void check_gradients(const Family *family, ParamSet *params, bool none)
{
    int32_t seen = 0;
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        bool any = false;
        if (!in_last_block(family, info->name)) continue;
        for (int64_t k = 0; k < shape_count(&info->shape); k++)
            any = any || params_gradients(params)[info->offset + k] != 0.0F;
        if (any == none) fail_msg("%s: gradient %s", info->name, none ? "not 0" : "0");
        seen++;
    }
    assert_true(seen > 0);
}

static void left_out(void **state)
{
    (void)state;
    for (int64_t f = 0; f < ARRAY_LEN(families); f++) {
        const Family *family = &families[f];
        ParamSet *params = NULL;
        ASSERT_OK(params_new(&params));
        Program *dropped = compile(family, params, ALMOST_ONE), *whole = compile(family, params, 0.0F);
        fill(family, params, false);
        run(dropped);
        check_gradients(family, params, true);
        run(whole);
        check_gradients(family, params, false);
        bool differs = false;
        for (int pass = 0; pass < 2; pass++) {
            for (int k = 0; k < STAGES; k++) {
                const char name[] = { '.', (char)('0' + k), '\0' };
                const Tensor a = program_tensor(dropped, name), b = program_tensor(whole, name);
                const bool same = memcmp(a.data, b.data, tensor_bytes(&a)) == 0;
                differs = differs || !same;
                if (pass == 1 && !same) fail_msg("%s, map %d: not as without its last block", family->last, k);
            }
            assert_true(differs); /* the last block does something */
            fill(family, params, true);
            run(whole);
        }
        program_free(dropped);
        program_free(whole);
        params_free(params);
    }
}

/* The ladder of timm, transformers (linspace) and torchvision (block / (blocks - 1)): 0 first, the whole rate last. */
static void rates(void **state)
{
    (void)state;
    assert_true(nn_drop_path_rate(0.3F, 0, 4) == 0.0F && nn_drop_path_rate(0.3F, 3, 4) == 0.3F);
    assert_true(fabs((double)nn_drop_path_rate(0.3F, 1, 4) - 0.1) < 1e-7);
    assert_true(nn_drop_path_rate(0.3F, 0, 1) == 0.0F);
    for (NetworkEncoder e = 0; e < NETWORK_ENCODER_COUNT; e++) {
        const EncoderDef *def = encoder_def(e);
        assert_true(def->drop_path >= 0.0 && def->drop_path < 1.0 && (def->drops_paths || def->drop_path == 0.0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(left_out), cmocka_unit_test(rates) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
