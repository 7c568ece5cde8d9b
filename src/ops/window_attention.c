/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention inside non-overlapping w x w windows with relative position bias (docs/model.md section 4), reading the
 * queries, keys and values where the 1x1 convolution left them: no window is copied out and back.
 * qkv [B, H, W, 3 D], channels ordered (3, heads, size); table [(2w-1)^2, heads]; out [B, H, W, D].
 * Per window and head:
 *   s_ij = q_i . k_j / sqrt(size) + table[(y_i - y_j + w-1)(2w-1) + x_i - x_j + w-1, head]
 *   out_i = sum_j softmax_j(s_ij) v_j
 * Saved: lse_i = log sum_j exp(s_ij), [B * windows, heads, w^2].
 * Backward recomputes p_ij = exp(s_ij - lse_i):
 *   dp_ij = do_i . v_j
 *   ds_ij = p_ij (dp_ij - sum_k p_ik dp_ik)
 *   dv_j = sum_i p_ij do_i
 *   dq_i = sum_j ds_ij k_j / sqrt(size)
 *   dk_j = sum_i ds_ij q_i / sqrt(size)
 *   dtable = sums of ds
 */
#include "ops/window_attention_kernels.h"

#include <math.h>
#include <omp.h>

enum { WINDOW_MAX_CHUNKS = 8 };

WindowSizes window_sizes(const Step *step)
{
    const WindowAttentionAttr *attr = step->attr;
    const int64_t *dim = step->in[0].shape.dim;
    const int64_t D = dim[3] / 3, window = attr->window;
    WindowSizes n = { .B = dim[0], .H = dim[1], .W = dim[2], .D = D, .heads = attr->heads, .window = window };
    n.size = D / n.heads;
    n.tokens = window * window;
    n.relative = (2 * window - 1) * (2 * window - 1);
    n.per_image = (n.H / window) * (n.W / window);
    n.windows = n.B * n.per_image;
    n.chunks = min_int64(max_int64(n.windows / 4, 1), WINDOW_MAX_CHUNKS);
    n.scale = 1.0F / sqrtf((float)n.size);
    return n;
}

void window_pixels(const WindowSizes *n, int64_t window, int64_t *pixels)
{
    const int64_t columns = n->W / n->window, b = window / n->per_image, place = window % n->per_image;
    const int64_t top = place / columns * n->window, left = place % columns * n->window;
    for (int64_t y = 0; y < n->window; y++)
        for (int64_t x = 0; x < n->window; x++) pixels[y * n->window + x] = (b * n->H + top + y) * n->W + left + x;
}

int64_t window_relative(const WindowSizes *n, int64_t i, int64_t j)
{
    const int64_t w = n->window, dy = i / w - j / w, dx = i % w - j % w;
    return (dy + w - 1) * (2 * w - 1) + dx + w - 1;
}

Err window_workspace(Step *step, int64_t shared, int64_t own)
{
    const WindowSizes n = window_sizes(step);
    const int64_t partials = round_up(n.chunks * n.heads * n.relative, 16);
    const int64_t floats = partials + round_up(shared, 16) + round_up(own, 16) * step->device.threads;
    step->workspace_bytes = (size_t)floats * sizeof(float);
    return ERR_NONE;
}

float *window_partial(const Step *step, const WindowSizes *n, int64_t chunk, int64_t head)
{
    return (float *)step->workspace + (chunk * n->heads + head) * n->relative;
}

float *window_shared(const Step *step, const WindowSizes *n)
{
    return (float *)step->workspace + round_up(n->chunks * n->heads * n->relative, 16);
}

float *window_own(const Step *step, const WindowSizes *n, int64_t shared, int64_t own)
{
    return window_shared(step, n) + round_up(shared, 16) + omp_get_thread_num() * round_up(own, 16);
}

void window_reduce_table(const Step *step, const WindowSizes *n)
{
    float *d_table = step->d_in[1].data;
    if (d_table == NULL) return;
    for (int64_t r = 0; r < n->relative; r++) {
        for (int64_t head = 0; head < n->heads; head++) {
            float *place = d_table + r * n->heads + head;
            double sum = step->accumulate[1] ? (double)*place : 0.0;
            for (int64_t chunk = 0; chunk < n->chunks; chunk++) sum += (double)window_partial(step, n, chunk, head)[r];
            *place = (float)sum;
        }
    }
}

/* What the plain kernel needs of one window and head. */
typedef struct PlainWindow {
    const WindowSizes *n;
    const int64_t *pixels;
    const float *qkv, *table; /* moved to the channels (columns) of the head */
    float *p, *ds;            /* one row each */
} PlainWindow;

static int64_t own_floats(const WindowSizes *n) { return n->tokens * 4; }

static PlainWindow plain_window(const Step *step, const WindowSizes *n, int64_t window, int64_t head)
{
    float *own = window_own(step, n, 0, own_floats(n));
    int64_t *pixels = (int64_t *)(void *)own;
    window_pixels(n, window, pixels);
    return (PlainWindow){ .n = n,
                          .pixels = pixels,
                          .qkv = (const float *)step->in[0].data + head * n->size,
                          .table = (const float *)step->in[1].data + head,
                          .p = own + 2 * n->tokens,
                          .ds = own + 3 * n->tokens };
}

static const float *query(const PlainWindow *w, int64_t i) { return w->qkv + w->pixels[i] * 3 * w->n->D; }
static const float *key(const PlainWindow *w, int64_t j) { return query(w, j) + w->n->D; }
static const float *value(const PlainWindow *w, int64_t j) { return query(w, j) + 2 * w->n->D; }

static float dot(const float *a, const float *b, int64_t n)
{
    float sum = 0.0F;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* Scores of query i with all keys, into p. */
static void score_row(const PlainWindow *w, int64_t i)
{
    const WindowSizes *n = w->n;
    for (int64_t j = 0; j < n->tokens; j++)
        w->p[j] = n->scale * dot(query(w, i), key(w, j), n->size) + w->table[window_relative(n, i, j) * n->heads];
}

/* Returns the lse of query i. */
static float forward_row(const PlainWindow *w, int64_t i, float *out)
{
    const int64_t tokens = w->n->tokens, size = w->n->size;
    float max = -INFINITY, sum = 0.0F;
    score_row(w, i);
    for (int64_t j = 0; j < tokens; j++) max = w->p[j] > max ? w->p[j] : max;
    for (int64_t j = 0; j < tokens; j++) {
        w->p[j] = expf(w->p[j] - max);
        sum += w->p[j];
    }
    for (int64_t d = 0; d < size; d++) out[d] = 0.0F;
    for (int64_t j = 0; j < tokens; j++)
        for (int64_t d = 0; d < size; d++) out[d] += w->p[j] / sum * value(w, j)[d];
    return max + logf(sum);
}

static Err forward(const Step *step)
{
    const WindowSizes n = window_sizes(step);
    float *out = step->out[0].data, *saved = step->out[1].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t task = 0; task < n.windows * n.heads; task++) {
        const int64_t head = task % n.heads;
        const PlainWindow w = plain_window(step, &n, task / n.heads, head);
        for (int64_t i = 0; i < n.tokens; i++) {
            const float lse = forward_row(&w, i, out + w.pixels[i] * n.D + head * n.size);
            if (saved != NULL) saved[task * n.tokens + i] = lse;
        }
    }
    return ERR_NONE;
}

/* Adds what query i gives to the gradients. d_qkv is moved to the channels of the head, or NULL. */
static void backward_row(const PlainWindow *w, int64_t i, float lse, const float *d_out, float *d_qkv, float *d_table)
{
    const WindowSizes *n = w->n;
    float mean = 0.0F;
    score_row(w, i);
    for (int64_t j = 0; j < n->tokens; j++) {
        w->p[j] = expf(w->p[j] - lse);
        w->ds[j] = dot(d_out, value(w, j), n->size);
        mean += w->p[j] * w->ds[j];
    }
    for (int64_t j = 0; j < n->tokens; j++) {
        w->ds[j] = w->p[j] * (w->ds[j] - mean);
        d_table[window_relative(n, i, j)] += w->ds[j];
    }
    if (d_qkv == NULL) return;
    float *d_query = d_qkv + w->pixels[i] * 3 * n->D;
    for (int64_t j = 0; j < n->tokens; j++) {
        float *d_key = d_qkv + w->pixels[j] * 3 * n->D + n->D, *d_value = d_key + n->D;
        for (int64_t d = 0; d < n->size; d++) {
            d_query[d] += n->scale * w->ds[j] * key(w, j)[d];
            d_key[d] += n->scale * w->ds[j] * query(w, i)[d];
            d_value[d] += w->p[j] * d_out[d];
        }
    }
}

static void clear_gradient(const PlainWindow *w, float *d_qkv)
{
    for (int64_t i = 0; i < w->n->tokens; i++)
        for (int64_t part = 0; part < 3; part++)
            for (int64_t d = 0; d < w->n->size; d++) d_qkv[(w->pixels[i] * 3 + part) * w->n->D + d] = 0.0F;
}

static Err backward(const Step *step)
{
    const WindowSizes n = window_sizes(step);
    const float *saved = step->out[1].data, *d_out = step->d_out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t task = 0; task < n.chunks * n.heads; task++) {
        const int64_t chunk = task / n.heads, head = task % n.heads;
        float *d_table = window_partial(step, &n, chunk, head), *d_qkv = step->d_in[0].data;
        for (int64_t r = 0; r < n.relative; r++) d_table[r] = 0.0F;
        if (d_qkv != NULL) d_qkv += head * n.size;
        for (int64_t i = chunk_begin(chunk, n.chunks, n.windows); i < chunk_begin(chunk + 1, n.chunks, n.windows);
             i++) {
            const PlainWindow w = plain_window(step, &n, i, head);
            if (d_qkv != NULL && !step->accumulate[0]) clear_gradient(&w, d_qkv);
            for (int64_t t = 0; t < n.tokens; t++)
                backward_row(&w, t, saved[(i * n.heads + head) * n.tokens + t],
                             d_out + w.pixels[t] * n.D + head * n.size, d_qkv, d_table);
        }
    }
    window_reduce_table(step, &n);
    return ERR_NONE;
}

static Err prepare(Step *step)
{
    const WindowSizes n = window_sizes(step);
    return window_workspace(step, 0, own_floats(&n));
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const WindowAttentionAttr *a = attr;
    char text[2][64];
    (void)n_in;
    const int64_t *dim = in[0].shape.dim, w = a->window, side = 2 * w - 1;
    const bool fits = in[0].dtype == DTYPE_F32 && in[1].dtype == DTYPE_F32 && in[0].shape.rank == 4 && a->heads >= 1 &&
                      w >= 1 && dim[3] % (3 * a->heads) == 0 && dim[1] % w == 0 && dim[2] % w == 0 &&
                      in[1].shape.rank == 2 && in[1].shape.dim[0] == side * side && in[1].shape.dim[1] == a->heads;
    if (!fits)
        return err_set(
            ERR_SHAPE,
            "window_attention: qkv %s, table %s, %d heads, window %d; expected f32 [B, H, W, 3 * heads * size] "
            "with H and W multiples of the window, and [(2 * window - 1)^2, heads]",
            shape_text(&in[0].shape, text[0], sizeof text[0]), shape_text(&in[1].shape, text[1], sizeof text[1]),
            (int)a->heads, (int)w);
    ret_out[0] = in[0];
    ret_out[0].shape.dim[3] = dim[3] / 3;
    ret_out[1] =
        (Tensor){ .dtype = DTYPE_F32, .shape = { 3, { dim[0] * (dim[1] / w) * (dim[2] / w), a->heads, w * w } } };
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .prepare = prepare, .forward = forward, .backward = backward };
static const Kernel *const kernels[] = {
    KERNEL_AVX512(window_attention_avx512) KERNEL_AVX2(window_attention_avx2) & kernel_plain, NULL
};

const OpDef op_def_window_attention = {
    .name = "window_attention",
    .min_in = 2,
    .max_in = 2,
    .n_out = 2,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1) | READS_OUT(1),
    .attr_size = sizeof(WindowAttentionAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_window_attention(Graph *g, Var qkv, Var table, const WindowAttentionAttr *attr)
{
    return graph_node(g, &op_def_window_attention, attr, 2, (Var[]){ qkv, table });
}
