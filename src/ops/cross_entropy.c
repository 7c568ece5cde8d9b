/* SPDX-License-Identifier: Apache-2.0
 *
 * Label-smoothed cross-entropy, mean over the pixels whose label is not the ignored one.
 * logits [..., C], labels [...] u8:
 *   loss = 1/N sum over valid pixels of (lse(x) - (1 - s) x_label - s/C sum_c x_c),  lse(x) = log sum_c exp(x_c)
 * which is -sum_c q_c log softmax(x)_c with q = (1 - s) onehot + s/C. 0 without valid pixels.
 * Saved: lse [...] of all pixels, and N [1] in double (over all ranks).
 * Backward: dx_c = (exp(x_c - lse) - q_c) dloss / N on valid pixels, 0 elsewhere.
 */
#include "ops/cross_entropy_kernels.h"

#include <math.h>
#include <omp.h>

static int64_t pixel_count(const Step *step) { return shape_count(&step->in[1].shape); }
static int64_t class_count(const Step *step) { return channels_of(&step->in[0]); }

int64_t cross_entropy_chunks(const Step *step)
{
    return max_int64(ceil_divide(pixel_count(step), LOSS_CHUNK_PIXELS), 1);
}

Err cross_entropy_prepare(Step *step)
{
    const size_t sums = (size_t)cross_entropy_chunks(step) * sizeof(CrossEntropySums);
    const size_t block = (size_t)class_count(step) * 16 * sizeof(float);
    step->workspace_bytes = (size_t)round_up((int64_t)sums, 64) + block * (size_t)(1 + step->device.threads);
    return ERR_NONE;
}

CrossEntropySums *cross_entropy_sums(const Step *step) { return step->workspace; }

int32_t *cross_entropy_index(const Step *step)
{
    const size_t sums = (size_t)cross_entropy_chunks(step) * sizeof(CrossEntropySums);
    return (int32_t *)(void *)((char *)step->workspace + round_up((int64_t)sums, 64));
}

float *cross_entropy_block(const Step *step)
{
    float *first = (float *)(void *)cross_entropy_index(step);
    return first + class_count(step) * 16 * (1 + omp_get_thread_num());
}

Err cross_entropy_finish(const Step *step)
{
    const CrossEntropyAttr *attr = step->attr;
    const CrossEntropySums *partial = cross_entropy_sums(step);
    double sums[2] = { 0.0, 0.0 }, bad_label = -1.0;
    for (int64_t i = 0; i < cross_entropy_chunks(step); i++) {
        sums[0] += partial[i].loss;
        sums[1] += partial[i].count;
        bad_label = fmax(bad_label, partial[i].bad_label);
    }
    if (bad_label >= 0.0)
        return err_set(ERR_INPUT, "cross_entropy: a label is %d; expected 0 to %d, or %d for ignored pixels",
                       (int)bad_label, (int)class_count(step) - 1, (int)attr->ignore);
    if (step->reduce != NULL) TRY(step->reduce(step->reduce_context, sums, 2));
    *(float *)step->out[0].data = sums[1] > 0.0 ? (float)(sums[0] / sums[1]) : 0.0F;
    if (step->out[2].data != NULL) *(double *)step->out[2].data = sums[1];
    return ERR_NONE;
}

float cross_entropy_scale(const Step *step)
{
    const double count = *(const double *)step->out[2].data;
    return count > 0.0 ? (float)((double)*(const float *)step->d_out[0].data / count) : 0.0F;
}

float cross_entropy_lse(const float *x, int64_t C)
{
    float max = x[0], sum = 0.0F;
    for (int64_t c = 1; c < C; c++) max = x[c] > max ? x[c] : max;
    for (int64_t c = 0; c < C; c++) sum += expf(x[c] - max);
    return max + logf(sum);
}

static double pixel_loss(const float *x, int64_t C, int64_t label, double smoothing, double lse)
{
    double sum = 0.0;
    for (int64_t c = 0; c < C; c++) sum += (double)x[c];
    return lse - (1.0 - smoothing) * (double)x[label] - smoothing / (double)C * sum;
}

static Err forward(const Step *step)
{
    const CrossEntropyAttr *attr = step->attr;
    const int64_t pixels = pixel_count(step), C = class_count(step);
    const float *logits = step->in[0].data;
    const uint8_t *labels = step->in[1].data;
    float *saved = step->out[1].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t chunk = 0; chunk < cross_entropy_chunks(step); chunk++) {
        CrossEntropySums sums = { 0.0, 0.0, -1.0 };
        const int64_t end = min_int64((chunk + 1) * LOSS_CHUNK_PIXELS, pixels);
        for (int64_t p = chunk * LOSS_CHUNK_PIXELS; p < end; p++) {
            const float lse = cross_entropy_lse(logits + p * C, C);
            if (saved != NULL) saved[p] = lse;
            if (labels[p] == attr->ignore) continue;
            if (labels[p] >= C) {
                sums.bad_label = fmax(sums.bad_label, (double)labels[p]);
                continue;
            }
            sums.loss += pixel_loss(logits + p * C, C, labels[p], (double)attr->smoothing, (double)lse);
            sums.count += 1.0;
        }
        cross_entropy_sums(step)[chunk] = sums;
    }
    return cross_entropy_finish(step);
}

static Err backward(const Step *step)
{
    const CrossEntropyAttr *attr = step->attr;
    const int64_t pixels = pixel_count(step), C = class_count(step);
    const float *logits = step->in[0].data, *lse = step->out[1].data;
    const uint8_t *labels = step->in[1].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
    const float scale = cross_entropy_scale(step), uniform = attr->smoothing / (float)C;
    const bool add = step->accumulate[0];
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t p = 0; p < pixels; p++) {
        const float weight = labels[p] == attr->ignore ? 0.0F : scale;
        for (int64_t c = 0; c < C; c++) {
            const float q = uniform + (c == labels[p] ? 1.0F - attr->smoothing : 0.0F);
            const float gradient =
                weight > 0.0F || weight < 0.0F ? weight * (expf(logits[p * C + c] - lse[p]) - q) : 0.0F;
            dx[p * C + c] = add ? dx[p * C + c] + gradient : gradient;
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
        return err_set(ERR_SHAPE, "cross_entropy: logits %s %s, labels %s %s; expected f32 [..., C] and u8 [...]",
                       dtype_name(in[0].dtype), shape_text(&in[0].shape, text[0], sizeof text[0]),
                       dtype_name(in[1].dtype), shape_text(&in[1].shape, text[1], sizeof text[1]));
    ret_out[0] = (Tensor){ .dtype = DTYPE_F32, .shape = { 1, { 1 } } };
    ret_out[1] = (Tensor){ .dtype = DTYPE_F32, .shape = in[1].shape };
    ret_out[2] = (Tensor){ .dtype = DTYPE_F64, .shape = { 1, { 1 } } };
    return ERR_NONE;
}

static const Kernel kernel_plain = {
    .name = "plain", .prepare = cross_entropy_prepare, .forward = forward, .backward = backward
};
static const Kernel *const kernels[] = {
    KERNEL_AVX512(cross_entropy_avx512) KERNEL_AVX2(cross_entropy_avx2) & kernel_plain, NULL
};

const OpDef op_def_cross_entropy = {
    .name = "cross_entropy",
    .min_in = 2,
    .max_in = 2,
    .n_out = 3,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1) | READS_OUT(1) | READS_OUT(2),
    .no_grad_in = 1U << 1,
    .attr_size = sizeof(CrossEntropyAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_cross_entropy(Graph *g, Var logits, Var labels, const CrossEntropyAttr *attr)
{
    return graph_node(g, &op_def_cross_entropy, attr, 2, (Var[]){ logits, labels });
}
