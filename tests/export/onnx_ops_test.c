/* SPDX-License-Identifier: Apache-2.0
 *
 * Every case of every op (src/ops/x_test.c), exported: the file is read back and run by the evaluator, and its result compared with the
 * reference of the case. METASEG_ONNX_CASES names a folder: each file then goes there with its inputs and the reference, for
 * tools/compare_onnx.py, which runs them in ONNX Runtime. */
#include "export/onnx_eval.h"
#include "export/onnx_graph.h"
#include "export/onnx_translated.h"
#include "harness/op_instance.h"

#include "base/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 512 };
static const double TOLERANCE = 1e-4;

static const OpTest *const tests[] = {
#define OP(name) &op_test_##name,
#include "ops/ops.def"
#undef OP
};

/* What has no translation: losses, and what reads text as ids. */
static bool is_left_out(const char *name)
{
    static const char *const left_out[] = { "cross_entropy", "dice", "embedding", "soft_cross_entropy" };
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (strcmp(left_out[i], name) == 0) return true;
    return false;
}

/* Whether input i of an op is a value of the network, not a weight. */
static bool is_value(const OpDef *op, int32_t i)
{
    static const struct {
        const char *name;
        uint32_t values;
    } others[] = {
        { "add", 3 },           { "conv2d_levels", 0x3e0 },  { "multiply", 3 },     { "attention", 31 },
        { "channel_scale", 3 }, { "concat_tokens", 3 },      { "weighted_sum", 3 }, { "linear_attention", 7 },
        { "layer_scale", 5 },   { "concat_channels", 1023 }, { "relative_bias", 0 }
    };
    for (size_t k = 0; k < sizeof others / sizeof *others; k++)
        if (strcmp(others[k].name, op->name) == 0) return (others[k].values >> i & 1U) != 0;
    return i == 0;
}

/* One case as a graph and its file. */
typedef struct Exported {
    const CaseData *data;
    ParamSet *params;
    Graph *graph;
    OnnxFile *file;
    OnnxGraph *onnx;
    int64_t n_values;
    EvalTensor values[STEP_MAX_IN];
} Exported;

static void add_inputs(Exported *e, Var *vars)
{
    char name[16];
    const CaseData *d = e->data;
    for (int32_t i = 0; i < d->n_in; i++) {
        const Shape shape = d->in_shapes[i].shape;
        (void)snprintf(name, sizeof name, "in%d", (int)i);
        if (!is_value(d->test->op, i)) {
            vars[i] = graph_state(e->graph, name, shape, (ParamInit){ INIT_ZERO, 0.0 });
            continue;
        }
        vars[i] = graph_input(e->graph, name, DTYPE_F32, shape);
        EvalTensor *value = &e->values[e->n_values++];
        (void)snprintf(value->name, sizeof value->name, "%s", name);
        value->rank = shape.rank;
        memcpy(value->dim, shape.dim, (size_t)shape.rank * sizeof *shape.dim);
        value->v = d->in_double[i];
    }
}

static void fill_params(const Exported *e)
{
    char name[16];
    ASSERT_OK(params_allocate(e->params));
    for (int32_t i = 0; i < e->data->n_in; i++) {
        (void)snprintf(name, sizeof name, "in%d", (int)i);
        const int32_t param = params_find(e->params, name);
        if (param < 0) continue;
        const Tensor tensor = params_tensor(e->params, param);
        memcpy(tensor.data, e->data->in[i], tensor_bytes(&tensor));
    }
}

static void write_model(Exported *e, const char *path)
{
    Var vars[STEP_MAX_IN];
    const CaseData *d = e->data;
    ASSERT_OK(params_new(&e->params));
    ASSERT_OK(graph_new(e->params, false, &e->graph));
    add_inputs(e, vars);
    const Var out = graph_node(e->graph, d->test->op, d->op_case->attr, d->n_in, vars);
    ASSERT_OK(graph_finish(e->graph));
    fill_params(e);
    ASSERT_OK(onnx_file_new(&e->file));
    ASSERT_OK(onnx_graph_new(e->graph, e->params, e->file, &e->onnx));
    for (int64_t i = 0; i < e->n_values; i++) {
        onnx_input(e->file, e->values[i].name, (int32_t)e->values[i].rank, e->values[i].dim, NULL);
        onnx_graph_name(e->onnx, graph_find_input(e->graph, e->values[i].name), e->values[i].name, false);
    }
    onnx_graph_translate(e->onnx);
    const char *result = onnx_graph_value(e->onnx, out, false);
    const Shape shape = graph_value(e->graph, out).shape;
    onnx_output(e->file, onnx_node(e->file, "Identity", "out", 1, &result), shape.rank, shape.dim, NULL);
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    ASSERT_OK(onnx_file_write(e->file, stream, path));
    assert_int_equal(fclose(stream), 0);
}

static void exported_done(Exported *e)
{
    onnx_graph_free(e->onnx);
    onnx_file_free(e->file);
    graph_free(e->graph);
    params_free(e->params);
}

static void check_file(const Exported *e, const char *path, const char *what)
{
    char *bytes = NULL;
    size_t length = 0;
    EvalModel *model = calloc(1, sizeof *model);
    assert_non_null(model);
    ASSERT_OK(file_read(path, (size_t)1 << 30, &bytes, &length));
    eval_run(bytes, length, e->n_values, e->values, model);
    assert_int_equal(model->ir_version, 9);
    assert_int_equal(model->opset, 17);
    const EvalTensor *out = eval_find(model, "out");
    const Shape *shape = &e->data->out_shapes[0].shape;
    for (int32_t i = 0; i < shape->rank; i++)
        if (out->rank != shape->rank || out->dim[i] != shape->dim[i])
            fail_msg("%s: the exported file has another shape", what);
    const double error = eval_difference(out->v, e->data->reference[0], out->count);
    if (!(error < TOLERANCE)) fail_msg("%s: the exported file differs by %g", what, error);
    eval_done(model);
    free(model);
    free(bytes);
}

static void check_case(const OpTest *test, int64_t i, const char *folder)
{
    char stem[96], path[PATH];
    Exported e = { .data = case_data_new(test, i, true) };
    (void)snprintf(stem, sizeof stem, "%s_%02d", test->op->name, (int)i);
    (void)snprintf(path, sizeof path, "%s/%s.onnx", folder, stem);
    write_model(&e, path);
    check_file(&e, path, stem);
    if (getenv("METASEG_ONNX_CASES") != NULL) {
        for (int64_t k = 0; k < e.n_values; k++) {
            int64_t n = 1;
            for (int64_t axis = 0; axis < e.values[k].rank; axis++) n *= e.values[k].dim[axis];
            eval_write_numbers(folder, stem, e.values[k].name, e.values[k].v, n);
        }
        eval_write_numbers(folder, stem, "out", e.data->reference[0], shape_count(&e.data->out_shapes[0].shape));
    } else {
        (void)remove(path);
    }
    exported_done(&e);
    case_data_free((CaseData *)e.data);
}

/* Training alone, or so large that an evaluation takes minutes. */
static bool is_passed_over(const OpCase *op_case)
{
    enum { MOST = 400000 };
    int64_t count = 0;
    for (int32_t i = 0; i < STEP_MAX_IN && op_case->in[i].shape.rank > 0; i++)
        count += shape_count(&op_case->in[i].shape);
    return op_case->training || op_case->perf_only || count > MOST;
}

static void every_case(void **state)
{
    const char *folder = getenv("METASEG_ONNX_CASES");
    (void)state;
    for (size_t t = 0; t < sizeof tests / sizeof *tests; t++) {
        const char *name = tests[t]->op->name;
        assert_int_equal(onnx_is_translated(name), !is_left_out(name));
        if (is_left_out(name)) continue;
        for (int64_t i = 0; i < tests[t]->n_cases; i++)
            if (!is_passed_over(&tests[t]->cases[i])) check_case(tests[t], i, folder != NULL ? folder : ".");
    }
}

/* An op without translation is named, and its module. */
static void an_op_without_translation(void **state)
{
    Exported e = { .data = NULL };
    (void)state;
    ASSERT_OK(params_new(&e.params));
    ASSERT_OK(graph_new(e.params, false, &e.graph));
    const Var logits = graph_input(e.graph, "logits", DTYPE_F32, shape4(1, 2, 2, 3));
    const Var labels = graph_input(e.graph, "labels", DTYPE_U8, shape3(1, 2, 2));
    graph_push(e.graph, "loss");
    (void)op_dice(e.graph, logits, labels, &(DiceAttr){ .smooth = 0.05F, .ignore = 255 });
    graph_pop(e.graph);
    ASSERT_OK(graph_finish(e.graph));
    ASSERT_OK(params_allocate(e.params));
    ASSERT_OK(onnx_file_new(&e.file));
    ASSERT_OK(onnx_graph_new(e.graph, e.params, e.file, &e.onnx));
    onnx_graph_name(e.onnx, logits, "logits", false);
    onnx_graph_translate(e.onnx);
    assert_int_equal(onnx_file_write(e.file, NULL, "x.onnx"), ERR_UNSUPPORTED);
    assert_non_null(strstr(err_message(), "'loss'"));
    assert_non_null(strstr(err_message(), "'dice'"));
    exported_done(&e);
}

int main(void)
{
    const struct CMUnitTest all[] = { cmocka_unit_test(every_case), cmocka_unit_test(an_op_without_translation) };
    return cmocka_run_group_tests(all, NULL, NULL);
}
