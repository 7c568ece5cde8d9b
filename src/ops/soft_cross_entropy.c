/* SPDX-License-Identifier: Apache-2.0
 *
 * Cross-entropy against a distribution, mean over the pixels whose label is not the ignored one.
 * logits [..., C], labels [...] u8, probabilities t [..., C] u8:
 *   loss = 1/N sum over valid pixels of -sum_c q_c log softmax(x)_c,  q_c = (1 - s) t_c / sum_k t_k + s/C
 *        = 1/N sum over valid pixels of (lse(x) - (1 - s) sum_c t_c x_c / sum_c t_c - s/C sum_c x_c)
 * which is PyTorch's cross_entropy with class probabilities, but averaged over valid pixels. 0 without valid pixels.
 * Saved: lse [...] of all pixels, and N [1] in double (over all ranks).
 * Backward: dx_c = (exp(x_c - lse) - q_c) dloss / N on valid pixels, 0 elsewhere.
 */
#include "ops/soft_cross_entropy_kernels.h"

#include <math.h>
#include <omp.h>

static int64_t pixel_count(const Step *step) { return shape_count(&step->in[1].shape); }
static int64_t class_count(const Step *step) { return channels_of(&step->in[0]); }

/* Where the blocks of all threads begin. */
static size_t blocks_begin(const Step *step)
{
    const size_t sums = (size_t)cross_entropy_chunks(step) * sizeof(CrossEntropySums);
    const size_t block = (size_t)class_count(step) * 16 * sizeof(float);
    return (size_t)round_up((int64_t)sums, 64) + block * (size_t)(1 + step->device.threads);
}

Err soft_cross_entropy_prepare(Step *step)
{
    TRY(cross_entropy_prepare(step));
    const size_t block = (size_t)class_count(step) * 16 * sizeof(float);
    step->workspace_bytes = blocks_begin(step) + 2 * block * (size_t)step->device.threads;
    return ERR_NONE;
}

float *soft_cross_entropy_blocks(const Step *step)
{
    float *first = (float *)(void *)((char *)step->workspace + blocks_begin(step));
    return first + 2 * class_count(step) * 16 * omp_get_thread_num();
}

Err soft_cross_entropy_finish(const Step *step)
{
    for (int64_t i = 0; i < cross_entropy_chunks(step); i++)
        if (cross_entropy_sums(step)[i].bad_label >= (double)SOFT_CROSS_ENTROPY_EMPTY)
            return err_set(ERR_INPUT, "soft_cross_entropy: a pixel that is not ignored has probability 0 for all "
                                      "classes; at least one above 0 was expected");
    return cross_entropy_finish(step);
}

/* Loss of one pixel in units of probability: ret_total is sum_c t_c. */
static double pixel_loss(const float *x, const uint8_t *t, int64_t C, double smoothing, double lse, int64_t *ret_total)
{
    double sum = 0.0, picked = 0.0;
    int64_t total = 0;
    for (int64_t c = 0; c < C; c++) {
        sum += (double)x[c];
        picked += (double)t[c] * (double)x[c];
        total += t[c];
    }
    *ret_total = total;
    return total > 0 ? lse - (1.0 - smoothing) * picked / (double)total - smoothing / (double)C * sum : 0.0;
}

static CrossEntropySums forward_chunk(const Step *step, int64_t begin, int64_t end)
{
    const CrossEntropyAttr *attr = step->attr;
    const int64_t C = class_count(step);
    const float *logits = step->in[0].data;
    const uint8_t *labels = step->in[1].data, *probabilities = step->in[2].data;
    float *saved = step->out[1].data;
    CrossEntropySums sums = { 0.0, 0.0, -1.0 };
    for (int64_t p = begin; p < end; p++) {
        const float lse = cross_entropy_lse(logits + p * C, C);
        int64_t total = 0;
        if (saved != NULL) saved[p] = lse;
        if (labels[p] == attr->ignore) continue;
        sums.loss += pixel_loss(logits + p * C, probabilities + p * C, C, (double)attr->smoothing, (double)lse, &total);
        sums.count += 1.0;
        if (labels[p] >= C) sums.bad_label = fmax(sums.bad_label, (double)labels[p]);
        if (total == 0) sums.bad_label = (double)SOFT_CROSS_ENTROPY_EMPTY;
    }
    return sums;
}

static Err forward(const Step *step)
{
    const int64_t pixels = pixel_count(step);
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t chunk = 0; chunk < cross_entropy_chunks(step); chunk++)
        cross_entropy_sums(step)[chunk] =
            forward_chunk(step, chunk * LOSS_CHUNK_PIXELS, min_int64((chunk + 1) * LOSS_CHUNK_PIXELS, pixels));
    return soft_cross_entropy_finish(step);
}

static Err backward(const Step *step)
{
    const CrossEntropyAttr *attr = step->attr;
    const int64_t pixels = pixel_count(step), C = class_count(step);
    const float *logits = step->in[0].data, *lse = step->out[1].data;
    const uint8_t *labels = step->in[1].data, *probabilities = step->in[2].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
    const float scale = cross_entropy_scale(step), uniform = attr->smoothing / (float)C;
    const bool add = step->accumulate[0];
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t p = 0; p < pixels; p++) {
        const bool valid = labels[p] != attr->ignore;
        int32_t total = 0;
        for (int64_t c = 0; c < C; c++) total += probabilities[p * C + c];
        const float share = valid && total > 0 ? (1.0F - attr->smoothing) / (float)total : 0.0F;
        for (int64_t c = 0; c < C; c++) {
            const float q = uniform + share * (float)probabilities[p * C + c];
            const float gradient = valid ? scale * (expf(logits[p * C + c] - lse[p]) - q) : 0.0F;
            dx[p * C + c] = add ? dx[p * C + c] + gradient : gradient;
        }
    }
    return ERR_NONE;
}

static bool fits(const Tensor *in)
{
    const int32_t rank = in[0].shape.rank - 1;
    bool good = in[0].dtype == DTYPE_F32 && in[1].dtype == DTYPE_U8 && in[2].dtype == DTYPE_U8 && rank >= 1 &&
                in[1].shape.rank == rank && shape_equal(&in[0].shape, &in[2].shape);
    for (int32_t i = 0; good && i < rank; i++) good = in[0].shape.dim[i] == in[1].shape.dim[i];
    return good;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    (void)attr;
    (void)n_in;
    char text[3][64];
    if (!fits(in))
        return err_set(ERR_SHAPE,
                       "soft_cross_entropy: logits %s %s, labels %s %s, probabilities %s %s; expected f32 [..., C], u8 "
                       "[...] and u8 [..., C]",
                       dtype_name(in[0].dtype), shape_text(&in[0].shape, text[0], sizeof text[0]),
                       dtype_name(in[1].dtype), shape_text(&in[1].shape, text[1], sizeof text[1]),
                       dtype_name(in[2].dtype), shape_text(&in[2].shape, text[2], sizeof text[2]));
    ret_out[0] = (Tensor){ .dtype = DTYPE_F32, .shape = { 1, { 1 } } };
    ret_out[1] = (Tensor){ .dtype = DTYPE_F32, .shape = in[1].shape };
    ret_out[2] = (Tensor){ .dtype = DTYPE_F64, .shape = { 1, { 1 } } };
    return ERR_NONE;
}

static const Kernel kernel_plain = {
    .name = "plain", .prepare = cross_entropy_prepare, .forward = forward, .backward = backward
};
static const Kernel *const kernels[] = {
    KERNEL_AVX512(soft_cross_entropy_avx512) KERNEL_AVX2(soft_cross_entropy_avx2) & kernel_plain, NULL
};

const OpDef op_def_soft_cross_entropy = {
    .name = "soft_cross_entropy",
    .min_in = 3,
    .max_in = 3,
    .n_out = 3,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1) | READS_IN(2) | READS_OUT(1) | READS_OUT(2),
    .no_grad_in = 1U << 1 | 1U << 2,
    .attr_size = sizeof(CrossEntropyAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_soft_cross_entropy(Graph *g, Var logits, Var labels, Var probabilities, const CrossEntropyAttr *attr)
{
    return graph_node(g, &op_def_soft_cross_entropy, attr, 3, (Var[]){ logits, labels, probabilities });
}
