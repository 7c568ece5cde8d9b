/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear attention (ops.h). With M = k^T v, A = q M and the denominators d:
 *   positions: y_nc = (A_nc + s_c) / d_n, s_c = sum_m v_mc, d_n = N + q_n . (K + eps), K_d = sum_m k_md
 *   channels:  y_nc = (A_nc + r_n) / d_c, r_n = sum_e v_ne, d_c = N + sum_m k_mc (Q_m + eps), Q_m = sum_d q_md
 * Backward, with G = dy / d and e = - sum of dy y / d over what shares a denominator:
 *   dM = q^T G, dq = G M^T, dk = v dM^T, dv = k dM, and
 *   positions: dv_mc += sum_n G_nc; dq_nd += e_n (K_d + eps); dk_md += sum_n e_n q_nd
 *   channels:  dv_ne += sum_c G_nc; dk_nc += e_c (Q_n + eps); dq_nd += sum_c e_c k_nc
 * M, sums and denominators are made again. Products come from outside: plain loops here, oneDNN's in linear_attention_dnnl.c.
 */
#include "ops/linear_attention_kernels.h"

#include <string.h>

typedef struct Sizes {
    int64_t B, N, D, C;
    bool channels;
    float eps;
} Sizes;

static Sizes sizes_of(const Step *step)
{
    const LinearAttentionAttr *attr = step->attr;
    const int64_t B = step->in[0].shape.dim[0];
    return (Sizes){ .B = B,
                    .N = rows_of(&step->in[0]) / B,
                    .D = channels_of(&step->in[0]),
                    .C = channels_of(&step->in[2]),
                    .channels = attr->over_channels,
                    .eps = attr->eps };
}

/* One sample and the workspace. */
typedef struct Sample {
    const float *q, *k, *v;
    float *m, *d_m;         /* [D, C] */
    float *g;               /* [N, C], backward */
    float *key_sum;         /* [D]: sum of k over positions; channels: unused */
    float *query_sum;       /* [N]: sum of q over its features; positions: unused */
    float *value_sum;       /* [C] over positions, or [N] over channels */
    float *denominator, *e; /* [N], or [C] over channels */
} Sample;

static Sample sample_of(const Step *step, const Sizes *s, int64_t b)
{
    const int64_t longest = max_int64(s->N, max_int64(s->C, s->D)), matrix = s->D * s->C;
    float *space = step->workspace;
    Sample x = { .q = (const float *)step->in[0].data + b * s->N * s->D,
                 .k = (const float *)step->in[1].data + b * s->N * s->D,
                 .v = (const float *)step->in[2].data + b * s->N * s->C };
    x.m = space;
    x.d_m = x.m + matrix;
    x.key_sum = x.d_m + matrix;
    x.query_sum = x.key_sum + longest;
    x.value_sum = x.query_sum + longest;
    x.denominator = x.value_sum + longest;
    x.e = x.denominator + longest;
    x.g = x.e + longest;
    return x;
}

Err linear_attention_prepare(Step *step)
{
    const Sizes s = sizes_of(step);
    const int64_t longest = max_int64(s.N, max_int64(s.C, s.D));
    const int64_t floats = 2 * s.D * s.C + 5 * longest + (step->training ? s.N * s.C : 0);
    step->workspace_bytes = (size_t)floats * sizeof(float);
    return ERR_NONE;
}

/* Sums over rows of x [rows, n] into [n], in the order of the rows. */
static void sum_rows(const float *x, int64_t rows, int64_t n, float *ret_sum)
{
    memset(ret_sum, 0, (size_t)n * sizeof *ret_sum);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < n; i++) ret_sum[i] += x[r * n + i];
}

static float sum_of(const float *x, int64_t n)
{
    float sum = 0.0F;
    for (int64_t i = 0; i < n; i++) sum += x[i];
    return sum;
}

/* Denominators and the sums that they and the result need. */
static void make_sums(const Sizes *s, const Sample *x)
{
    if (!s->channels) {
        sum_rows(x->k, s->N, s->D, x->key_sum);
        sum_rows(x->v, s->N, s->C, x->value_sum);
        for (int64_t n = 0; n < s->N; n++) {
            float sum = (float)s->N;
            for (int64_t d = 0; d < s->D; d++) sum += x->q[n * s->D + d] * (x->key_sum[d] + s->eps);
            x->denominator[n] = sum;
        }
        return;
    }
    for (int64_t c = 0; c < s->C; c++) x->denominator[c] = (float)s->N;
    for (int64_t n = 0; n < s->N; n++) {
        x->value_sum[n] = sum_of(x->v + n * s->C, s->C);
        x->query_sum[n] = sum_of(x->q + n * s->D, s->D);
        for (int64_t c = 0; c < s->C; c++) x->denominator[c] += x->k[n * s->C + c] * (x->query_sum[n] + s->eps);
    }
}

Err linear_attention_forward(const Step *step, MatrixProduct product)
{
    const Sizes s = sizes_of(step);
    for (int64_t b = 0; b < s.B; b++) {
        const Sample x = sample_of(step, &s, b);
        float *y = (float *)step->out[0].data + b * s.N * s.C;
        make_sums(&s, &x);
        TRY(product(&step->device, true, false, s.D, s.C, s.N, x.k, x.v, false, x.m));
        TRY(product(&step->device, false, false, s.N, s.C, s.D, x.q, x.m, false, y));
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
        for (int64_t n = 0; n < s.N; n++)
            for (int64_t c = 0; c < s.C; c++)
                y[n * s.C + c] = (y[n * s.C + c] + x.value_sum[s.channels ? n : c]) / x.denominator[s.channels ? c : n];
    }
    return ERR_NONE;
}

/* G and e. */
static void divide_gradient(const Sizes *s, const Sample *x, const float *y, const float *dy)
{
    for (int64_t i = 0; i < (s->channels ? s->C : s->N); i++) x->e[i] = 0.0F;
    for (int64_t n = 0; n < s->N; n++)
        for (int64_t c = 0; c < s->C; c++) {
            const int64_t shared = s->channels ? c : n, at = n * s->C + c;
            x->g[at] = dy[at] / x->denominator[shared];
            x->e[shared] -= x->g[at] * y[at];
        }
}

/* What the sums of v give: added to dv. */
static void add_value_sums(const Sizes *s, const Sample *x, float *dv)
{
    if (!s->channels) sum_rows(x->g, s->N, s->C, x->value_sum);
    for (int64_t n = 0; n < s->N; n++) {
        const float row = s->channels ? sum_of(x->g + n * s->C, s->C) : 0.0F;
        for (int64_t c = 0; c < s->C; c++) dv[n * s->C + c] += s->channels ? row : x->value_sum[c];
    }
}

/* What the denominators give: added to dq or dk, either may be NULL. */
static void add_denominators(const Sizes *s, const Sample *x, float *dq, float *dk)
{
    if (!s->channels) {
        float *weighted = x->value_sum;
        memset(weighted, 0, (size_t)s->D * sizeof *weighted);
        for (int64_t n = 0; n < s->N; n++)
            for (int64_t d = 0; d < s->D; d++) weighted[d] += x->e[n] * x->q[n * s->D + d];
        for (int64_t n = 0; n < s->N; n++)
            for (int64_t d = 0; d < s->D; d++) {
                if (dq != NULL) dq[n * s->D + d] += x->e[n] * (x->key_sum[d] + s->eps);
                if (dk != NULL) dk[n * s->D + d] += weighted[d];
            }
        return;
    }
    for (int64_t n = 0; n < s->N; n++) {
        float sum = 0.0F;
        for (int64_t c = 0; c < s->C; c++) sum += x->e[c] * x->k[n * s->C + c];
        for (int64_t d = 0; d < s->D; d++) {
            if (dq != NULL) dq[n * s->D + d] += sum;
            if (dk != NULL) dk[n * s->D + d] += x->e[d] * (x->query_sum[n] + s->eps);
        }
    }
}

static float *gradient(const Step *step, int32_t input, int64_t offset)
{
    float *d = step->d_in[input].data;
    return d == NULL ? NULL : d + offset;
}

Err linear_attention_backward(const Step *step, MatrixProduct product)
{
    const Sizes s = sizes_of(step);
    const Device *device = &step->device;
    for (int64_t b = 0; b < s.B; b++) {
        const Sample x = sample_of(step, &s, b);
        const float *y = (const float *)step->out[0].data + b * s.N * s.C;
        const float *dy = (const float *)step->d_out[0].data + b * s.N * s.C;
        float *dq = gradient(step, 0, b * s.N * s.D), *dk = gradient(step, 1, b * s.N * s.D);
        float *dv = gradient(step, 2, b * s.N * s.C);
        make_sums(&s, &x);
        divide_gradient(&s, &x, y, dy);
        TRY(product(device, true, false, s.D, s.C, s.N, x.k, x.v, false, x.m));
        TRY(product(device, true, false, s.D, s.C, s.N, x.q, x.g, false, x.d_m));
        if (dq != NULL) TRY(product(device, false, true, s.N, s.D, s.C, x.g, x.m, step->accumulate[0], dq));
        if (dk != NULL) TRY(product(device, false, true, s.N, s.D, s.C, x.v, x.d_m, step->accumulate[1], dk));
        if (dv != NULL) TRY(product(device, false, false, s.N, s.C, s.D, x.k, x.d_m, step->accumulate[2], dv));
        if (dv != NULL) add_value_sums(&s, &x, dv);
        add_denominators(&s, &x, dq, dk);
    }
    return ERR_NONE;
}

static Err plain_product(const Device *device, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                         const float *a, const float *b, bool add, float *c)
{
#pragma omp parallel for schedule(static) num_threads(device->threads)
    for (int64_t i = 0; i < m; i++) {
        float *row = c + i * n;
        for (int64_t j = 0; j < n && !add; j++) row[j] = 0.0F;
        for (int64_t l = 0; l < k; l++) {
            const float factor = transpose_a ? a[l * m + i] : a[i * k + l];
            for (int64_t j = 0; j < n; j++) row[j] += factor * (transpose_b ? b[j * k + l] : b[l * n + j]);
        }
    }
    return ERR_NONE;
}

static Err forward(const Step *step) { return linear_attention_forward(step, plain_product); }
static Err backward(const Step *step) { return linear_attention_backward(step, plain_product); }

static Err infer(const void *attribute, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const LinearAttentionAttr *attr = attribute;
    char text[3][64];
    bool fits = in[0].shape.rank >= 3 && in[0].shape.rank == in[2].shape.rank &&
                shape_equal(&in[0].shape, &in[1].shape) && rows_of(&in[0]) == rows_of(&in[2]) &&
                in[0].shape.dim[0] == in[2].shape.dim[0] &&
                (!attr->over_channels || channels_of(&in[0]) == channels_of(&in[2]));
    for (int32_t i = 0; i < n_in; i++) fits = fits && in[i].dtype == DTYPE_F32;
    if (!fits)
        return err_set(ERR_SHAPE,
                       "linear_attention: q %s, k %s, v %s; expected f32 [B, N, D], [B, N, D], [B, N, C], D = C over "
                       "channels",
                       shape_text(&in[0].shape, text[0], sizeof text[0]),
                       shape_text(&in[1].shape, text[1], sizeof text[1]),
                       shape_text(&in[2].shape, text[2], sizeof text[2]));
    ret_out[0] = in[2];
    return ERR_NONE;
}

static const Kernel kernel_plain = {
    .name = "plain", .prepare = linear_attention_prepare, .forward = forward, .backward = backward
};
static const Kernel *const kernels[] = { KERNEL_DNNL(linear_attention_dnnl) & kernel_plain, NULL };

static int64_t multiply_adds(const Step *step)
{
    return 2 * shape_count(&step->in[0].shape) * channels_of(&step->in[2]); /* k^T v, then q M */
}

const OpDef op_def_linear_attention = {
    .name = "linear_attention",
    .min_in = 3,
    .max_in = 3,
    .n_out = 1,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1) | READS_IN(2) | READS_OUT(0),
    .attr_size = sizeof(LinearAttentionAttr),
    .infer = infer,
    .kernels = kernels,
    .multiply_adds = multiply_adds,
};

Var op_linear_attention(Graph *g, Var q, Var k, Var v, const LinearAttentionAttr *attr)
{
    return graph_node(g, &op_def_linear_attention, attr, 3, (const Var[]){ q, k, v });
}
