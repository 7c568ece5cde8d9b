/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention inside non-overlapping w x w windows with relative position bias (docs/model.md section 4), reading the
 * queries, keys and values where the 1x1 convolution left them: no window is copied out and back, nothing is rolled,
 * padded or cropped. Windows of any size, shifted and masked as Swin Transformer has them (Liu et al., ICCV 2021).
 * qkv [B, H, W, 3 D], channels ordered (3, heads, size); table [(2w-1)^2, heads]; out [B, H, W, D].
 * The grid of windows has Hp x Wp places, H and W rounded up to w. Its place (y, x) shows the pixel
 *   ((y + shift_y) mod Hp, (x + shift_x) mod Wp), one outside the map is padding (the map is padded, then rolled), or
 *   ((y + shift_y) mod H, (x + shift_x) mod W) for y < H and x < W, else padding (roll_first).
 * Padding has the queries, keys and values `padding` [3 D] (the bias that made qkv, or zeros), and no result.
 * Per window and head:
 *   s_ij = q_i . k_j / sqrt(size) + table[(y_i - y_j + w-1)(2w-1) + x_i - x_j + w-1, head] + mask_ij
 *   out_i = sum_j softmax_j(s_ij) v_j
 * mask_ij is -100 between places of one window that a shift brought together from opposite sides of the map: exactly one
 * of them has y >= Hp - shift_y, or exactly one x >= Wp - shift_x; else 0.
 * Saved: lse_i = log sum_j exp(s_ij), [B * windows, heads, w^2].
 * Backward recomputes p_ij = exp(s_ij - lse_i):
 *   dp_ij = do_i . v_j
 *   ds_ij = p_ij (dp_ij - sum_k p_ik dp_ik)
 *   dv_j = sum_i p_ij do_i
 *   dq_i = sum_j ds_ij k_j / sqrt(size)
 *   dk_j = sum_i ds_ij q_i / sqrt(size)
 *   dtable = sums of ds, dpadding = sums of dk and dv over the padding
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
    n.rows = ceil_divide(n.H, window);
    n.columns = ceil_divide(n.W, window);
    n.per_image = n.rows * n.columns;
    n.windows = n.B * n.per_image;
    n.chunks = min_int64(max_int64(n.windows / 4, 1), WINDOW_MAX_CHUNKS);
    n.scale = 1.0F / sqrtf((float)n.size);
    n.shift_y = attr->shift_y;
    n.shift_x = attr->shift_x;
    n.roll_first = attr->roll_first;
    n.partial = round_up(n.heads * (n.relative + 3 * n.size), 16);
    return n;
}

/* Row or column of the map that place i of the grid shows, or -1: padding. length: of the map; places: of the grid. */
static int64_t shown(int64_t i, int64_t length, int64_t places, int64_t shift, bool roll_first)
{
    if (roll_first) return i < length ? (i + shift) % length : -1;
    const int64_t from = (i + shift) % places;
    return from < length ? from : -1;
}

void window_pixels(const WindowSizes *n, int64_t window, int64_t *pixels)
{
    const int64_t b = window / n->per_image, place = window % n->per_image, w = n->window;
    const int64_t top = place / n->columns * w, left = place % n->columns * w;
    for (int64_t x = 0; x < w; x++) pixels[x] = shown(left + x, n->W, n->columns * w, n->shift_x, n->roll_first);
    for (int64_t y = w - 1; y >= 0; y--) { /* the first row last, since it holds the columns */
        const int64_t row = shown(top + y, n->H, n->rows * w, n->shift_y, n->roll_first);
        for (int64_t x = 0; x < w; x++)
            pixels[y * w + x] = row < 0 || pixels[x] < 0 ? -1 : (b * n->H + row) * n->W + pixels[x];
    }
}

WindowBorder window_border(const WindowSizes *n, int64_t window)
{
    const int64_t place = window % n->per_image;
    const bool last_row = place / n->columns == n->rows - 1, last_column = place % n->columns == n->columns - 1;
    WindowBorder border = { .y = n->window, .x = n->window };
    if (last_row && n->shift_y > 0) border.y = n->window - n->shift_y;
    if (last_column && n->shift_x > 0) border.x = n->window - n->shift_x;
    border.masked = border.y < n->window || border.x < n->window;
    return border;
}

int64_t window_relative(const WindowSizes *n, int64_t i, int64_t j)
{
    const int64_t w = n->window, dy = i / w - j / w, dx = i % w - j % w;
    return (dy + w - 1) * (2 * w - 1) + dx + w - 1;
}

Err window_workspace(Step *step, int64_t shared, int64_t own)
{
    const WindowSizes n = window_sizes(step);
    const int64_t floats =
        n.chunks * n.partial + round_up(3 * n.D, 16) + round_up(shared, 16) + round_up(own, 16) * step->device.threads;
    step->workspace_bytes = (size_t)floats * sizeof(float);
    return ERR_NONE;
}

float *window_partial(const Step *step, const WindowSizes *n, int64_t chunk, int64_t head)
{
    return (float *)step->workspace + chunk * n->partial + head * (n->relative + 3 * n->size);
}

const float *window_padding(const Step *step, const WindowSizes *n)
{
    if (step->n_in > 2) return step->in[2].data;
    float *zeros = (float *)step->workspace + n->chunks * n->partial;
    for (int64_t i = 0; i < 3 * n->D; i++) zeros[i] = 0.0F;
    return zeros;
}

float *window_shared(const Step *step, const WindowSizes *n)
{
    return (float *)step->workspace + n->chunks * n->partial + round_up(3 * n->D, 16);
}

float *window_own(const Step *step, const WindowSizes *n, int64_t shared, int64_t own)
{
    return window_shared(step, n) + round_up(shared, 16) + omp_get_thread_num() * round_up(own, 16);
}

/* Sum of value `at` of a head over the chunks, added to or written over `place`. */
static void reduce(const Step *step, const WindowSizes *n, int64_t head, int64_t at, bool add, float *place)
{
    double sum = add ? (double)*place : 0.0;
    for (int64_t chunk = 0; chunk < n->chunks; chunk++) sum += (double)window_partial(step, n, chunk, head)[at];
    *place = (float)sum;
}

void window_reduce(const Step *step, const WindowSizes *n)
{
    float *d_table = step->d_in[1].data, *d_padding = step->n_in > 2 ? step->d_in[2].data : NULL;
    for (int64_t r = 0; r < n->relative && d_table != NULL; r++)
        for (int64_t head = 0; head < n->heads; head++)
            reduce(step, n, head, r, step->accumulate[1], d_table + r * n->heads + head);
    for (int64_t i = 0; i < 3 * n->D && d_padding != NULL; i++) {
        const int64_t part = i / n->D, head = i % n->D / n->size, d = i % n->size;
        reduce(step, n, head, n->relative + part * n->size + d, step->accumulate[2], d_padding + i);
    }
}

/* What the plain kernel needs of one window and head. */
typedef struct PlainWindow {
    const WindowSizes *n;
    WindowBorder border;
    const int64_t *pixels;
    const float *qkv, *table, *padding; /* moved to the channels (columns) of the head */
    float *p, *ds;                      /* one row each */
} PlainWindow;

static int64_t own_floats(const WindowSizes *n) { return n->tokens * 4; }

static PlainWindow plain_window(const Step *step, const WindowSizes *n, const float *padding, int64_t window,
                                int64_t head)
{
    float *own = window_own(step, n, 0, own_floats(n));
    int64_t *pixels = (int64_t *)(void *)own;
    window_pixels(n, window, pixels);
    return (PlainWindow){ .n = n,
                          .border = window_border(n, window),
                          .pixels = pixels,
                          .qkv = (const float *)step->in[0].data + head * n->size,
                          .table = (const float *)step->in[1].data + head,
                          .padding = padding + head * n->size,
                          .p = own + 2 * n->tokens,
                          .ds = own + 3 * n->tokens };
}

static const float *query(const PlainWindow *w, int64_t i)
{
    return w->pixels[i] < 0 ? w->padding : w->qkv + w->pixels[i] * 3 * w->n->D;
}
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
        w->p[j] = n->scale * dot(query(w, i), key(w, j), n->size) + w->table[window_relative(n, i, j) * n->heads] +
                  window_mask(n, &w->border, i, j);
}

/* Returns the lse of query i. out NULL: padding. */
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
    for (int64_t d = 0; d < size && out != NULL; d++) out[d] = 0.0F;
    for (int64_t j = 0; j < tokens && out != NULL; j++)
        for (int64_t d = 0; d < size; d++) out[d] += w->p[j] / sum * value(w, j)[d];
    return max + logf(sum);
}

static Err forward(const Step *step)
{
    const WindowSizes n = window_sizes(step);
    const float *padding = window_padding(step, &n);
    float *out = step->out[0].data, *saved = step->out[1].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t task = 0; task < n.windows * n.heads; task++) {
        const int64_t head = task % n.heads;
        const PlainWindow w = plain_window(step, &n, padding, task / n.heads, head);
        for (int64_t i = 0; i < n.tokens; i++) {
            const float lse = forward_row(&w, i, w.pixels[i] < 0 ? NULL : out + w.pixels[i] * n.D + head * n.size);
            if (saved != NULL) saved[task * n.tokens + i] = lse;
        }
    }
    return ERR_NONE;
}

/* Gradients of one window and head: of qkv moved to the channels of the head or NULL, of the table, of the padding
 * [3, size]. */
typedef struct PlainGradients {
    float *d_qkv, *d_table, *d_padding;
} PlainGradients;

/* Where the gradient of part 0, 1 or 2 of token j goes. */
static float *gradient_of(const PlainWindow *w, const PlainGradients *to, int64_t j, int64_t part)
{
    if (w->pixels[j] < 0) return to->d_padding + part * w->n->size;
    return to->d_qkv + (w->pixels[j] * 3 + part) * w->n->D;
}

/* Adds what query i gives to the gradients. */
static void backward_row(const PlainWindow *w, int64_t i, float lse, const float *d_out, const PlainGradients *to)
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
        to->d_table[window_relative(n, i, j)] += w->ds[j];
    }
    float *d_query = to->d_qkv == NULL ? NULL : gradient_of(w, to, i, 0);
    for (int64_t j = 0; j < n->tokens; j++) {
        if (to->d_qkv == NULL && w->pixels[j] >= 0) continue;
        float *d_key = gradient_of(w, to, j, 1), *d_value = gradient_of(w, to, j, 2);
        for (int64_t d = 0; d < n->size; d++) {
            if (d_query != NULL) d_query[d] += n->scale * w->ds[j] * key(w, j)[d];
            d_key[d] += n->scale * w->ds[j] * query(w, i)[d];
            d_value[d] += w->p[j] * d_out[d];
        }
    }
}

static void clear_gradient(const PlainWindow *w, float *d_qkv)
{
    for (int64_t i = 0; i < w->n->tokens; i++)
        for (int64_t part = 0; part < 3 && w->pixels[i] >= 0; part++)
            for (int64_t d = 0; d < w->n->size; d++) d_qkv[(w->pixels[i] * 3 + part) * w->n->D + d] = 0.0F;
}

static void backward_window(const Step *step, const PlainWindow *w, int64_t window, int64_t head,
                            const PlainGradients *to)
{
    const WindowSizes *n = w->n;
    const float *saved = (const float *)step->out[1].data + (window * n->heads + head) * n->tokens;
    const float *d_out = (const float *)step->d_out[0].data + head * n->size;
    if (to->d_qkv != NULL && !step->accumulate[0]) clear_gradient(w, to->d_qkv);
    for (int64_t t = 0; t < n->tokens; t++)
        if (w->pixels[t] >= 0) backward_row(w, t, saved[t], d_out + w->pixels[t] * n->D, to);
}

static Err backward(const Step *step)
{
    const WindowSizes n = window_sizes(step);
    const float *padding = window_padding(step, &n);
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t task = 0; task < n.chunks * n.heads; task++) {
        const int64_t chunk = task / n.heads, head = task % n.heads;
        float *partial = window_partial(step, &n, chunk, head), *d_qkv = step->d_in[0].data;
        for (int64_t r = 0; r < n.relative + 3 * n.size; r++) partial[r] = 0.0F;
        const PlainGradients to = { d_qkv == NULL ? NULL : d_qkv + head * n.size, partial, partial + n.relative };
        for (int64_t i = chunk_begin(chunk, n.chunks, n.windows); i < chunk_begin(chunk + 1, n.chunks, n.windows);
             i++) {
            const PlainWindow w = plain_window(step, &n, padding, i, head);
            backward_window(step, &w, i, head, &to);
        }
    }
    window_reduce(step, &n);
    return ERR_NONE;
}

static Err prepare(Step *step)
{
    const WindowSizes n = window_sizes(step);
    return window_workspace(step, 0, own_floats(&n));
}

static bool fits(const WindowAttentionAttr *a, int32_t n_in, const Tensor *in)
{
    const int64_t *dim = in[0].shape.dim, w = a->window, side = 2 * w - 1;
    for (int32_t i = 0; i < n_in; i++)
        if (in[i].dtype != DTYPE_F32) return false;
    if (n_in > 2 && !(in[2].shape.rank == 1 && in[2].shape.dim[0] == dim[3])) return false;
    return in[0].shape.rank == 4 && a->heads >= 1 && w >= 1 && dim[3] % (3 * a->heads) == 0 && in[1].shape.rank == 2 &&
           in[1].shape.dim[0] == side * side && in[1].shape.dim[1] == a->heads && a->shift_y >= 0 && a->shift_y < w &&
           a->shift_x >= 0 && a->shift_x < w;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const WindowAttentionAttr *a = attr;
    char text[3][64];
    if (!fits(a, n_in, in))
        return err_set(
            ERR_SHAPE,
            "window_attention: qkv %s, table %s, padding %s, %d heads, window %d, shift %d, %d; expected f32 "
            "[B, H, W, 3 * heads * size], [(2 * window - 1)^2, heads] and [3 * heads * size], shifts below the window",
            shape_text(&in[0].shape, text[0], sizeof text[0]), shape_text(&in[1].shape, text[1], sizeof text[1]),
            n_in > 2 ? shape_text(&in[2].shape, text[2], sizeof text[2]) : "none", (int)a->heads, (int)a->window,
            (int)a->shift_y, (int)a->shift_x);
    const int64_t *dim = in[0].shape.dim, w = a->window;
    ret_out[0] = in[0];
    ret_out[0].shape.dim[3] = dim[3] / 3;
    ret_out[1] =
        (Tensor){ .dtype = DTYPE_F32,
                  .shape = { 3, { dim[0] * ceil_divide(dim[1], w) * ceil_divide(dim[2], w), a->heads, w * w } } };
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .prepare = prepare, .forward = forward, .backward = backward };
static const Kernel *const kernels[] = {
    KERNEL_AVX512(window_attention_avx512) KERNEL_AVX2(window_attention_avx2) & kernel_plain, NULL
};

static int64_t multiply_adds(const Step *step)
{
    const WindowAttentionAttr *attr = step->attr;
    const int64_t *dim = step->in[0].shape.dim, w = attr->window;
    const int64_t places = dim[0] * round_up(dim[1], w) * round_up(dim[2], w);
    return 2 * places * w * w * channels_of(&step->out[0]); /* q k^T, then p v */
}

const OpDef op_def_window_attention = {
    .name = "window_attention",
    .min_in = 2,
    .max_in = 3,
    .n_out = 2,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1) | READS_IN(2) | READS_OUT(1),
    .attr_size = sizeof(WindowAttentionAttr),
    .infer = infer,
    .kernels = kernels,
    .multiply_adds = multiply_adds,
};

Var op_window_attention(Graph *g, Var qkv, Var table, Var padding, const WindowAttentionAttr *attr)
{
    const Var in[] = { qkv, table, padding };
    return graph_node(g, &op_def_window_attention, attr, var_exists(padding) ? 3 : 2, in);
}
