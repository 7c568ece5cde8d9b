/* SPDX-License-Identifier: Apache-2.0
 *
 * Soft Dice loss over the whole batch. logits [..., C], labels [...] u8; p = softmax(logits), t = onehot(label).
 * Sums over the pixels whose label is not the ignored one:
 *   I_c = sum p_c t_c,  P_c = sum p_c,  T_c = sum t_c
 *   loss = 1/C sum over classes with T_c > 0 of 1 - (2 I_c + s) / (P_c + T_c + s)
 * Saved: I, P, T [3, C] in double (over all ranks).
 * Backward, for classes that are present (else a_c = b_c = 0):
 *   D_c = P_c + T_c + s,  a_c = (2 I_c + s) / (C D_c^2),  b_c = -2 / (C D_c)
 *   g_c = a_c + b_c t_c
 *   dx_c = p_c (g_c - sum_k p_k g_k) dloss
 */
#include "ops/dice_kernels.h"

#include <math.h>
#include <omp.h>

static int64_t pixel_count(const Step *step) { return shape_count(&step->in[1].shape); }
static int64_t class_count(const Step *step) { return channels_of(&step->in[0]); }

int64_t dice_chunks(const Step *step) { return max_int64(ceil_divide(pixel_count(step), DICE_CHUNK_PIXELS), 1); }

double *dice_partial(const Step *step, int64_t chunk)
{
    return (double *)step->workspace + chunk * (3 * class_count(step) + 1);
}

float *dice_factors(const Step *step)
{
    const int64_t doubles = round_up(dice_chunks(step) * (3 * class_count(step) + 1), 8);
    return (float *)(void *)((double *)step->workspace + doubles);
}

float *dice_blocks(const Step *step)
{
    const int64_t C = class_count(step);
    return dice_factors(step) + round_up(2 * C, 16) + omp_get_thread_num() * 4 * C * 16;
}

Err dice_prepare(Step *step)
{
    const int64_t C = class_count(step);
    const int64_t doubles = round_up(dice_chunks(step) * (3 * C + 1), 8);
    const int64_t floats = round_up(2 * C, 16) + step->device.threads * 4 * C * 16;
    step->workspace_bytes = (size_t)doubles * sizeof(double) + (size_t)floats * sizeof(float);
    return ERR_NONE;
}

static float dice_loss(const double *sums, int64_t C, double smooth)
{
    double loss = 0.0;
    for (int64_t c = 0; c < C; c++)
        if (sums[2 * C + c] > 0.0) loss += 1.0 - (2.0 * sums[c] + smooth) / (sums[C + c] + sums[2 * C + c] + smooth);
    return (float)(loss / (double)C);
}

Err dice_finish(const Step *step)
{
    const DiceAttr *attr = step->attr;
    const int64_t C = class_count(step);
    double *total = dice_partial(step, 0);
    for (int64_t chunk = 1; chunk < dice_chunks(step); chunk++) {
        const double *partial = dice_partial(step, chunk);
        for (int64_t i = 0; i < 3 * C; i++) total[i] += partial[i];
        total[3 * C] = fmax(total[3 * C], partial[3 * C]);
    }
    if (total[3 * C] >= 0.0)
        return err_set(ERR_INPUT, "dice: a label is %d; expected 0 to %d, or %d for ignored pixels", (int)total[3 * C],
                       (int)C - 1, (int)attr->ignore);
    if (step->reduce != NULL) TRY(step->reduce(step->reduce_context, total, 3 * C));
    *(float *)step->out[0].data = dice_loss(total, C, (double)attr->smooth);
    double *saved = step->out[1].data;
    if (saved != NULL)
        for (int64_t i = 0; i < 3 * C; i++) saved[i] = total[i];
    return ERR_NONE;
}

void dice_prepare_factors(const Step *step)
{
    const DiceAttr *attr = step->attr;
    const int64_t C = class_count(step);
    const double *sums = step->out[1].data, smooth = (double)attr->smooth;
    float *a = dice_factors(step), *b = a + C;
    for (int64_t c = 0; c < C; c++) {
        const double denominator = sums[C + c] + sums[2 * C + c] + smooth;
        const bool present = sums[2 * C + c] > 0.0;
        a[c] = present ? (float)((2.0 * sums[c] + smooth) / ((double)C * denominator * denominator)) : 0.0F;
        b[c] = present ? (float)(-2.0 / ((double)C * denominator)) : 0.0F;
    }
}

static void softmax(const float *x, int64_t C, float *p)
{
    float max = x[0], sum = 0.0F;
    for (int64_t c = 1; c < C; c++) max = x[c] > max ? x[c] : max;
    for (int64_t c = 0; c < C; c++) {
        p[c] = expf(x[c] - max);
        sum += p[c];
    }
    for (int64_t c = 0; c < C; c++) p[c] /= sum;
}

static void forward_chunk(const Step *step, int64_t begin, int64_t end, double *sums)
{
    const DiceAttr *attr = step->attr;
    const int64_t C = class_count(step);
    const float *logits = step->in[0].data;
    const uint8_t *labels = step->in[1].data;
    float *p = dice_blocks(step);
    for (int64_t i = 0; i < 3 * C; i++) sums[i] = 0.0;
    sums[3 * C] = -1.0;
    for (int64_t pixel = begin; pixel < end; pixel++) {
        const int64_t label = labels[pixel];
        if (label == attr->ignore) continue;
        if (label >= C) {
            sums[3 * C] = fmax(sums[3 * C], (double)label);
            continue;
        }
        softmax(logits + pixel * C, C, p);
        for (int64_t c = 0; c < C; c++) sums[C + c] += (double)p[c];
        sums[label] += (double)p[label];
        sums[2 * C + label] += 1.0;
    }
}

static Err forward(const Step *step)
{
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t chunk = 0; chunk < dice_chunks(step); chunk++)
        forward_chunk(step, chunk * DICE_CHUNK_PIXELS, min_int64((chunk + 1) * DICE_CHUNK_PIXELS, pixel_count(step)),
                      dice_partial(step, chunk));
    return dice_finish(step);
}

/* gradient [C] of one valid pixel. */
static void backward_pixel(const float *x, int64_t label, const float *a, const float *b, int64_t C, float scale,
                           float *p, float *gradient)
{
    softmax(x, C, p);
    float mean = p[label] * b[label];
    for (int64_t c = 0; c < C; c++) mean += p[c] * a[c];
    for (int64_t c = 0; c < C; c++) gradient[c] = scale * p[c] * (a[c] + (c == label ? b[c] : 0.0F) - mean);
}

static Err backward(const Step *step)
{
    const DiceAttr *attr = step->attr;
    const int64_t pixels = pixel_count(step), C = class_count(step);
    const float *logits = step->in[0].data, scale = *(const float *)step->d_out[0].data;
    const uint8_t *labels = step->in[1].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
    dice_prepare_factors(step);
    const float *a = dice_factors(step), *b = a + C;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t pixel = 0; pixel < pixels; pixel++) {
        float *p = dice_blocks(step), *gradient = p + C;
        const bool valid = labels[pixel] != attr->ignore;
        if (valid) backward_pixel(logits + pixel * C, labels[pixel], a, b, C, scale, p, gradient);
        for (int64_t c = 0; c < C; c++) {
            const float value = valid ? gradient[c] : 0.0F;
            dx[pixel * C + c] = step->accumulate[0] ? dx[pixel * C + c] + value : value;
        }
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    (void)attr;
    (void)n_in;
    char text[2][64];
    const int32_t rank = in[0].shape.rank - 1;
    bool fits = in[0].dtype == DTYPE_F32 && in[1].dtype == DTYPE_U8 && rank >= 1 && in[1].shape.rank == rank;
    for (int32_t i = 0; fits && i < rank; i++) fits = in[0].shape.dim[i] == in[1].shape.dim[i];
    if (!fits)
        return err_set(ERR_SHAPE, "dice: logits %s %s, labels %s %s; expected f32 [..., C] and u8 [...]",
                       dtype_name(in[0].dtype), shape_text(&in[0].shape, text[0], sizeof text[0]),
                       dtype_name(in[1].dtype), shape_text(&in[1].shape, text[1], sizeof text[1]));
    ret_out[0] = (Tensor){ .dtype = DTYPE_F32, .shape = { 1, { 1 } } };
    ret_out[1] = (Tensor){ .dtype = DTYPE_F64, .shape = { 2, { 3, channels_of(&in[0]) } } };
    return ERR_NONE;
}

static const Kernel kernel_plain = {
    .name = "plain", .prepare = dice_prepare, .forward = forward, .backward = backward
};
static const Kernel *const kernels[] = { KERNEL_AVX512(dice_avx512) KERNEL_AVX2(dice_avx2) & kernel_plain, NULL };

const OpDef op_def_dice = {
    .name = "dice",
    .min_in = 2,
    .max_in = 2,
    .n_out = 2,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1) | READS_OUT(1),
    .no_grad_in = 1U << 1,
    .attr_size = sizeof(DiceAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_dice(Graph *g, Var logits, Var labels, const DiceAttr *attr)
{
    return graph_node(g, &op_def_dice, attr, 2, (Var[]){ logits, labels });
}
