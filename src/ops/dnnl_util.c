/* SPDX-License-Identifier: Apache-2.0
 *
 * oneDNN behind our own interface. Version 3 of the library made memory descriptors opaque handles and replaced
 * operation descriptors by one call per primitive descriptor; the differences stand in the first section.
 */
#include "ops/dnnl_util.h"

#include "base/room.h"

#include <stdlib.h>
#include <string.h>

#include <dnnl.h>

/* ---- what differs between versions 2 and 3 ---- */

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t Layout;           /* shape and order of a tensor; owned */
typedef const_dnnl_memory_desc_t LayoutView; /* the same, borrowed */
static LayoutView layout_view(const Layout *layout) { return *layout; }
static void layout_done(Layout *layout) { (void)dnnl_memory_desc_destroy(*layout); }
static dnnl_status_t layout_init(Layout *layout, int rank, const dnnl_dim_t *dims, dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_create_with_tag(layout, rank, dims, dnnl_f32, tag);
}
static dnnl_status_t append_eltwise(dnnl_post_ops_t chain, dnnl_alg_kind_t kind, float alpha, float beta)
{
    return dnnl_post_ops_append_eltwise(chain, kind, alpha, beta);
}
#else
typedef dnnl_memory_desc_t Layout;
typedef const dnnl_memory_desc_t *LayoutView;
static LayoutView layout_view(const Layout *layout) { return layout; }
static void layout_done(Layout *layout) { (void)layout; }
static dnnl_status_t layout_init(Layout *layout, int rank, const dnnl_dim_t *dims, dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_init_by_tag(layout, rank, dims, dnnl_f32, tag);
}
static dnnl_status_t append_eltwise(dnnl_post_ops_t chain, dnnl_alg_kind_t kind, float alpha, float beta)
{
    return dnnl_post_ops_append_eltwise(chain, 1.0F, kind, alpha, beta);
}
#endif

/* Descriptors of one product or convolution. */
typedef struct Layouts {
    Layout source, weights, plain_weights, bias, result;
    bool has_bias;
} Layouts;

static LayoutView bias_view(const Layouts *layouts) { return layouts->has_bias ? layout_view(&layouts->bias) : NULL; }

typedef struct Window {
    dnnl_dims_t strides, dilates, before, after;
} Window;

static Window window_of(const OnednnConvolution *p)
{
    return (Window){ .strides = { p->stride, p->stride },
                     .dilates = { p->dilation - 1, p->dilation - 1 }, /* oneDNN: pixels between taps */
                     .before = { p->top, p->left },
                     .after = { p->bottom, p->right } };
}

#if DNNL_VERSION_MAJOR >= 3
static dnnl_status_t convolution_descriptor(dnnl_engine_t engine, OnednnPass pass, const Layouts *l, const Window *w,
                                            dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t hint,
                                            dnnl_primitive_desc_t *ret_descriptor)
{
    const LayoutView source = layout_view(&l->source), weights = layout_view(&l->weights);
    const LayoutView result = layout_view(&l->result);
    switch (pass) {
    case ONEDNN_BACKWARD_DATA:
        return dnnl_convolution_backward_data_primitive_desc_create(ret_descriptor, engine, dnnl_convolution_direct,
                                                                    source, weights, result, w->strides, w->dilates,
                                                                    w->before, w->after, hint, attr);
    case ONEDNN_BACKWARD_WEIGHTS:
        return dnnl_convolution_backward_weights_primitive_desc_create(
            ret_descriptor, engine, dnnl_convolution_direct, source, weights, bias_view(l), result, w->strides,
            w->dilates, w->before, w->after, hint, attr);
    case ONEDNN_FORWARD:
        break;
    }
    return dnnl_convolution_forward_primitive_desc_create(ret_descriptor, engine, dnnl_forward_training,
                                                          dnnl_convolution_direct, source, weights, bias_view(l),
                                                          result, w->strides, w->dilates, w->before, w->after, attr);
}

static dnnl_status_t matmul_descriptor(dnnl_engine_t engine, const Layouts *l, dnnl_primitive_attr_t attr,
                                       dnnl_primitive_desc_t *ret_descriptor)
{
    return dnnl_matmul_primitive_desc_create(ret_descriptor, engine, layout_view(&l->source), layout_view(&l->weights),
                                             bias_view(l), layout_view(&l->result), attr);
}
#else
static dnnl_status_t convolution_descriptor(dnnl_engine_t engine, OnednnPass pass, const Layouts *l, const Window *w,
                                            dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t hint,
                                            dnnl_primitive_desc_t *ret_descriptor)
{
    dnnl_convolution_desc_t problem;
    dnnl_status_t status = dnnl_success;
    switch (pass) {
    case ONEDNN_BACKWARD_DATA:
        status =
            dnnl_dilated_convolution_backward_data_desc_init(&problem, dnnl_convolution_direct, &l->source, &l->weights,
                                                             &l->result, w->strides, w->dilates, w->before, w->after);
        break;
    case ONEDNN_BACKWARD_WEIGHTS:
        status = dnnl_dilated_convolution_backward_weights_desc_init(&problem, dnnl_convolution_direct, &l->source,
                                                                     &l->weights, bias_view(l), &l->result, w->strides,
                                                                     w->dilates, w->before, w->after);
        break;
    case ONEDNN_FORWARD:
        status = dnnl_dilated_convolution_forward_desc_init(&problem, dnnl_forward_training, dnnl_convolution_direct,
                                                            &l->source, &l->weights, bias_view(l), &l->result,
                                                            w->strides, w->dilates, w->before, w->after);
        break;
    }
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(ret_descriptor, &problem, attr, engine, hint);
}

static dnnl_status_t matmul_descriptor(dnnl_engine_t engine, const Layouts *l, dnnl_primitive_attr_t attr,
                                       dnnl_primitive_desc_t *ret_descriptor)
{
    dnnl_matmul_desc_t problem;
    const dnnl_status_t status = dnnl_matmul_desc_init(&problem, layout_view(&l->source), layout_view(&l->weights),
                                                       bias_view(l), layout_view(&l->result));
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(ret_descriptor, &problem, attr, engine, NULL);
}
#endif

/* ---- the rest is the same for both ---- */

enum { SLOT_SOURCE = 0, SLOT_WEIGHTS, SLOT_BIAS, SLOT_RESULT, SLOT_RESIDUAL, SLOT_SCRATCH, SLOT_COUNT };

/* A tensor of a primitive: oneDNN's handle and the address it was last told. */
typedef struct Slot {
    int argument; /* DNNL_ARG_...; 0: the primitive has no such tensor */
    dnnl_memory_t memory;
    const void *data;
} Slot;

struct OnednnOp {
    OnednnPass pass;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    Slot slot[SLOT_COUNT];
    dnnl_primitive_t reorder; /* plain to packed weights, or back (backward weights) */
    Slot plain, packed, reorder_scratch;
    size_t scratch_bytes, packed_bytes;
};

static Err check(dnnl_status_t status, const char *call)
{
    switch (status) {
    case dnnl_success:
        return ERR_NONE;
    case dnnl_out_of_memory:
        return err_memory(0, call);
    case dnnl_unimplemented:
        return err_set(ERR_UNSUPPORTED, "oneDNN has no %s for this shape on this processor", call);
    default:
        return err_set(ERR_INTERNAL, "oneDNN: %s failed with status %d", call, (int)status);
    }
}

/* Before anything else: once a primitive exists, oneDNN refuses and keeps its limit. */
static void limit_isa(const Device *device)
{
    if (device->isa < ISA_AVX512 && device->isa < device->best) (void)dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2);
}

static Err op_new(const Device *device, OnednnPass pass, OnednnOp **ret_op)
{
    limit_isa(device);
    TRY(room_check("a oneDNN primitive")); /* it writes its code without asking whether it got the memory */
    OnednnOp *op = calloc(1, sizeof *op);
    if (op == NULL) return err_memory(sizeof *op, "a oneDNN primitive");
    op->pass = pass;
    Err err = check(dnnl_engine_create(&op->engine, dnnl_cpu, 0), "engine");
    if (err == ERR_NONE) err = check(dnnl_stream_create(&op->stream, op->engine, dnnl_stream_default_flags), "stream");
    if (err != ERR_NONE) {
        onednn_free(op);
        return err;
    }
    *ret_op = op;
    return ERR_NONE;
}

static void slot_done(Slot *slot)
{
    if (slot->memory != NULL) (void)dnnl_memory_destroy(slot->memory);
}

void onednn_free(OnednnOp *op)
{
    if (op == NULL) return;
    for (int32_t i = 0; i < SLOT_COUNT; i++) slot_done(&op->slot[i]);
    slot_done(&op->plain);
    slot_done(&op->packed);
    slot_done(&op->reorder_scratch);
    if (op->reorder != NULL) (void)dnnl_primitive_destroy(op->reorder);
    if (op->primitive != NULL) (void)dnnl_primitive_destroy(op->primitive);
    if (op->stream != NULL) (void)dnnl_stream_destroy(op->stream);
    if (op->engine != NULL) (void)dnnl_engine_destroy(op->engine);
    free(op);
}

static Err slot_init(const OnednnOp *op, Slot *slot, int argument, LayoutView layout)
{
    slot->argument = argument;
    return check(dnnl_memory_create(&slot->memory, layout, op->engine, DNNL_MEMORY_NONE), "memory");
}

static Err slot_point(Slot *slot, const void *data)
{
    if (slot->data == data) return ERR_NONE;
    TRY(check(dnnl_memory_set_data_handle(slot->memory, (void *)(uintptr_t)data), "memory"));
    slot->data = data;
    return ERR_NONE;
}

static size_t max_size(size_t a, size_t b) { return a > b ? a : b; }

/* ---- fused tails ---- */

static dnnl_status_t append_activation(dnnl_post_ops_t chain, Activation activation)
{
    switch (activation) {
    case ACTIVATION_NONE:
        return dnnl_success;
    case ACTIVATION_RELU:
        return append_eltwise(chain, dnnl_eltwise_relu, 0.0F, 0.0F);
    case ACTIVATION_RELU6:
        return append_eltwise(chain, dnnl_eltwise_clip, 0.0F, 6.0F);
    case ACTIVATION_SIGMOID:
        return append_eltwise(chain, dnnl_eltwise_logistic, 0.0F, 0.0F);
    case ACTIVATION_GELU:
        return append_eltwise(chain, dnnl_eltwise_gelu_erf, 0.0F, 0.0F);
    case ACTIVATION_MISH: /* infer refuses them */
    case ACTIVATION_QUICK_GELU:
        break;
    }
    return dnnl_invalid_arguments;
}

/* Attributes with the caller's scratch memory, activation, then residual, or the other way round. */
static Err attributes_new(const OnednnFusion *fusion, LayoutView result, dnnl_primitive_attr_t *ret_attr)
{
    dnnl_post_ops_t chain = NULL;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_status_t status = dnnl_post_ops_create(&chain);
    if (status == dnnl_success && !fusion->activate_sum) status = append_activation(chain, fusion->activation);
    if (status == dnnl_success && fusion->residual)
        status = dnnl_post_ops_append_binary(chain, dnnl_binary_add, result);
    if (status == dnnl_success && fusion->activate_sum) status = append_activation(chain, fusion->activation);
    if (status == dnnl_success) status = dnnl_primitive_attr_create(&attr);
    if (status == dnnl_success) status = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attr, chain);
    if (chain != NULL) (void)dnnl_post_ops_destroy(chain);
    if (status != dnnl_success) {
        if (attr != NULL) (void)dnnl_primitive_attr_destroy(attr);
        return check(status, "fused activation");
    }
    *ret_attr = attr;
    return ERR_NONE;
}

static int residual_argument(const OnednnFusion *fusion)
{
    return DNNL_ARG_ATTR_MULTIPLE_POST_OP(fusion->activation == ACTIVATION_NONE || fusion->activate_sum ? 0 : 1) |
           DNNL_ARG_SRC_1;
}

/* ---- making ---- */

static Err make_reorder(OnednnOp *op, const Layouts *layouts, LayoutView packed)
{
    const LayoutView plain = layout_view(&layouts->plain_weights);
    const bool back = op->pass == ONEDNN_BACKWARD_WEIGHTS;
    const LayoutView from = back ? packed : plain, to = back ? plain : packed;
    const OnednnFusion none = { .activation = ACTIVATION_NONE };
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t descriptor = NULL;
    TRY(attributes_new(&none, to, &attr));
    Err err = check(dnnl_reorder_primitive_desc_create(&descriptor, from, op->engine, to, op->engine, attr), "reorder");
    if (err != ERR_NONE) goto done;
    err = check(dnnl_primitive_create(&op->reorder, descriptor), "reorder");
    if (err == ERR_NONE) err = slot_init(op, &op->plain, back ? DNNL_ARG_TO : DNNL_ARG_FROM, plain);
    if (err == ERR_NONE) err = slot_init(op, &op->packed, back ? DNNL_ARG_FROM : DNNL_ARG_TO, packed);
    if (err != ERR_NONE) goto done;
    const LayoutView scratch = dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0);
    op->scratch_bytes = max_size(op->scratch_bytes, dnnl_memory_desc_get_size(scratch));
    err = slot_init(op, &op->reorder_scratch, DNNL_ARG_SCRATCHPAD, scratch);
done:
    if (descriptor != NULL) (void)dnnl_primitive_desc_destroy(descriptor);
    (void)dnnl_primitive_attr_destroy(attr);
    return err;
}

/* Argument numbers of source, weights, bias and result for each pass; 0: not used. */
static const int pass_arguments[3][4] = {
    [ONEDNN_FORWARD] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST },
    [ONEDNN_BACKWARD_DATA] = { DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, 0, DNNL_ARG_DIFF_DST },
    [ONEDNN_BACKWARD_WEIGHTS] = { DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_BIAS, DNNL_ARG_DIFF_DST },
};

/* Primitive, its tensors and the reorder of its weights from the descriptor. */
static Err finish(OnednnOp *op, const Layouts *layouts, const OnednnFusion *fusion, dnnl_primitive_desc_t descriptor)
{
    TRY(check(dnnl_primitive_create(&op->primitive, descriptor), "primitive"));
    const dnnl_query_t query = op->pass == ONEDNN_BACKWARD_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    const LayoutView packed = dnnl_primitive_desc_query_md(descriptor, query, 0);
    const LayoutView scratch = dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0);
    op->packed_bytes = dnnl_memory_desc_get_size(packed);
    op->scratch_bytes = dnnl_memory_desc_get_size(scratch);
    const int *argument = pass_arguments[op->pass];
    TRY(slot_init(op, &op->slot[SLOT_SOURCE], argument[0], layout_view(&layouts->source)));
    TRY(slot_init(op, &op->slot[SLOT_WEIGHTS], argument[1], packed));
    if (layouts->has_bias && argument[2] != 0)
        TRY(slot_init(op, &op->slot[SLOT_BIAS], argument[2], layout_view(&layouts->bias)));
    TRY(slot_init(op, &op->slot[SLOT_RESULT], argument[3], layout_view(&layouts->result)));
    if (fusion->residual)
        TRY(slot_init(op, &op->slot[SLOT_RESIDUAL], residual_argument(fusion), layout_view(&layouts->result)));
    TRY(slot_init(op, &op->slot[SLOT_SCRATCH], DNNL_ARG_SCRATCHPAD, scratch));
    return make_reorder(op, layouts, packed);
}

static void layouts_done(Layouts *layouts)
{
    layout_done(&layouts->source);
    layout_done(&layouts->weights);
    layout_done(&layouts->plain_weights);
    layout_done(&layouts->bias);
    layout_done(&layouts->result);
}

static dnnl_status_t convolution_layouts(const OnednnConvolution *p, bool has_bias, Layouts *layouts)
{
    const dnnl_dims_t source = { p->batch, p->in_channels, p->in_height, p->in_width };
    const dnnl_dims_t result = { p->batch, p->out_channels, p->out_height, p->out_width };
    const dnnl_dims_t bias = { p->out_channels };
    const dnnl_dims_t dense = { p->out_channels, p->in_channels, p->kernel_height, p->kernel_width };
    const dnnl_dims_t grouped = { p->groups, p->out_channels / p->groups, p->in_channels / p->groups, p->kernel_height,
                                  p->kernel_width };
    const bool groups = p->groups > 1;
    const int rank = groups ? 5 : 4;
    const dnnl_dim_t *weights = groups ? grouped : dense;
    layouts->has_bias = has_bias;
    dnnl_status_t status = layout_init(&layouts->source, 4, source, dnnl_nhwc);
    if (status == dnnl_success) status = layout_init(&layouts->weights, rank, weights, dnnl_format_tag_any);
    if (status == dnnl_success)
        status = layout_init(&layouts->plain_weights, rank, weights, groups ? dnnl_goihw : dnnl_oihw);
    if (status == dnnl_success) status = layout_init(&layouts->bias, 1, bias, dnnl_x);
    if (status == dnnl_success) status = layout_init(&layouts->result, 4, result, dnnl_nhwc);
    return status;
}

/* Backward descriptors of oneDNN want the forward one of the same problem as a hint. */
static Err convolution_make(OnednnOp *op, const Layouts *layouts, const Window *window, const OnednnFusion *fusion)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t hint = NULL, descriptor = NULL;
    TRY(attributes_new(fusion, layout_view(&layouts->result), &attr));
    Err err = ERR_NONE;
    if (op->pass != ONEDNN_FORWARD)
        err = check(convolution_descriptor(op->engine, ONEDNN_FORWARD, layouts, window, attr, NULL, &hint),
                    "convolution");
    if (err == ERR_NONE)
        err = check(convolution_descriptor(op->engine, op->pass, layouts, window, attr, hint, &descriptor),
                    "convolution");
    if (err == ERR_NONE) err = finish(op, layouts, fusion, descriptor);
    if (descriptor != NULL) (void)dnnl_primitive_desc_destroy(descriptor);
    if (hint != NULL) (void)dnnl_primitive_desc_destroy(hint);
    (void)dnnl_primitive_attr_destroy(attr);
    return err;
}

Err onednn_convolution_new(const Device *device, const OnednnConvolution *problem, OnednnPass pass,
                           const OnednnFusion *fusion, OnednnOp **ret_op)
{
    OnednnOp *op = NULL;
    Layouts layouts;
    memset(&layouts, 0, sizeof layouts);
    TRY(op_new(device, pass, &op));
    const Window window = window_of(problem);
    Err err = check(convolution_layouts(problem, fusion->bias, &layouts), "memory");
    if (err == ERR_NONE) err = convolution_make(op, &layouts, &window, fusion);
    layouts_done(&layouts);
    if (err != ERR_NONE) {
        onednn_free(op);
        return err;
    }
    *ret_op = op;
    return ERR_NONE;
}

static dnnl_status_t matmul_layouts(int64_t rows, int64_t in_channels, int64_t out_channels, bool packed, bool has_bias,
                                    Layouts *layouts)
{
    const dnnl_dims_t source = { rows, in_channels }, weights = { in_channels, out_channels };
    const dnnl_dims_t bias = { 1, out_channels }, result = { rows, out_channels };
    layouts->has_bias = has_bias;
    dnnl_status_t status = layout_init(&layouts->source, 2, source, dnnl_ab);
    if (status == dnnl_success)
        status = layout_init(&layouts->weights, 2, weights, packed ? dnnl_format_tag_any : dnnl_ba);
    if (status == dnnl_success) status = layout_init(&layouts->plain_weights, 2, weights, dnnl_ba);
    if (status == dnnl_success) status = layout_init(&layouts->bias, 2, bias, dnnl_ab);
    if (status == dnnl_success) status = layout_init(&layouts->result, 2, result, dnnl_ab);
    return status;
}

static Err matmul_make(OnednnOp *op, const Layouts *layouts, const OnednnFusion *fusion)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t descriptor = NULL;
    TRY(attributes_new(fusion, layout_view(&layouts->result), &attr));
    Err err = check(matmul_descriptor(op->engine, layouts, attr, &descriptor), "matrix product");
    if (err == ERR_NONE) err = finish(op, layouts, fusion, descriptor);
    if (descriptor != NULL) (void)dnnl_primitive_desc_destroy(descriptor);
    (void)dnnl_primitive_attr_destroy(attr);
    return err;
}

Err onednn_matmul_new(const Device *device, int64_t rows, int64_t in_channels, int64_t out_channels, bool packed,
                      const OnednnFusion *fusion, OnednnOp **ret_op)
{
    OnednnOp *op = NULL;
    Layouts layouts;
    memset(&layouts, 0, sizeof layouts);
    TRY(op_new(device, ONEDNN_FORWARD, &op));
    Err err = check(matmul_layouts(rows, in_channels, out_channels, packed, fusion->bias, &layouts), "memory");
    if (err == ERR_NONE) err = matmul_make(op, &layouts, fusion);
    layouts_done(&layouts);
    if (err != ERR_NONE) {
        onednn_free(op);
        return err;
    }
    *ret_op = op;
    return ERR_NONE;
}

/* ---- running ---- */

size_t onednn_scratch_bytes(const OnednnOp *op) { return op->scratch_bytes; }
size_t onednn_packed_bytes(const OnednnOp *op) { return op->packed_bytes; }

static Err run_reorder(OnednnOp *op, const float *plain, const float *packed, void *scratch)
{
    TRY(slot_point(&op->plain, plain));
    TRY(slot_point(&op->packed, packed));
    TRY(slot_point(&op->reorder_scratch, scratch));
    const dnnl_exec_arg_t arguments[] = { { op->plain.argument, op->plain.memory },
                                          { op->packed.argument, op->packed.memory },
                                          { op->reorder_scratch.argument, op->reorder_scratch.memory } };
    TRY(check(dnnl_primitive_execute(op->reorder, op->stream, 3, arguments), "reorder"));
    return check(dnnl_stream_wait(op->stream), "reorder");
}

Err onednn_pack(OnednnOp *op, const float *plain, float *packed, void *scratch)
{
    return run_reorder(op, plain, packed, scratch);
}

Err onednn_unpack(OnednnOp *op, const float *packed, float *plain, void *scratch)
{
    return run_reorder(op, plain, packed, scratch);
}

Err onednn_run(OnednnOp *op, const OnednnArgs *args)
{
    const void *data[3][4] = {
        [ONEDNN_FORWARD] = { args->source, args->weights, args->bias, args->target },
        [ONEDNN_BACKWARD_DATA] = { args->target, args->weights, NULL, args->d_result },
        [ONEDNN_BACKWARD_WEIGHTS] = { args->source, args->target, args->d_bias, args->d_result },
    };
    for (int32_t i = 0; i < 4; i++)
        if (op->slot[i].memory != NULL) TRY(slot_point(&op->slot[i], data[op->pass][i]));
    if (op->slot[SLOT_RESIDUAL].memory != NULL) TRY(slot_point(&op->slot[SLOT_RESIDUAL], args->residual));
    TRY(slot_point(&op->slot[SLOT_SCRATCH], args->scratch));
    dnnl_exec_arg_t arguments[SLOT_COUNT];
    int count = 0;
    for (int32_t i = 0; i < SLOT_COUNT; i++)
        if (op->slot[i].memory != NULL)
            arguments[count++] = (dnnl_exec_arg_t){ op->slot[i].argument, op->slot[i].memory };
    TRY(check(dnnl_primitive_execute(op->primitive, op->stream, count, arguments), "primitive"));
    return check(dnnl_stream_wait(op->stream), "primitive");
}

Err onednn_sgemm(const Device *device, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                 const float *a, const float *b, bool accumulate, float *c)
{
    limit_isa(device);
    return check(dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1.0F, a, transpose_a ? m : k, b,
                            transpose_b ? k : n, accumulate ? 1.0F : 0.0F, c, n),
                 "matrix product");
}
