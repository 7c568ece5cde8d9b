/* SPDX-License-Identifier: Apache-2.0
 * AdamW, clipping, moving average, schedule; the formulas are in the header. */
#include "train/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct Optimizer {
    ParamSet *params;
    OptimizerOptions options;
    float *first, *second, *average, *slow;
    double *block_sums; /* of the gradient's norm */
};

enum { NORM_BLOCK = 65536 };

static int64_t norm_blocks(int64_t n) { return (n + NORM_BLOCK - 1) / NORM_BLOCK; }

Err optimizer_new(ParamSet *params, const OptimizerOptions *options, Optimizer **ret_optimizer)
{
    const size_t trainable = (size_t)params_trainable_length(params);
    const size_t all = (size_t)params_length(params);
    Optimizer *o = calloc(1, sizeof *o);
    if (o == NULL) return err_memory(sizeof *o, "the optimizer");
    *o = (Optimizer){ .params = params, .options = *options };
    o->first = calloc(trainable, sizeof(float));
    o->second = calloc(trainable, sizeof(float));
    const bool ema = options->ema_decay > 0.0;
    o->block_sums = calloc((size_t)norm_blocks((int64_t)trainable) + 1, sizeof(double));
    const bool slow = options->lookahead_steps > 0;
    if (ema) o->average = malloc(all * sizeof(float));
    if (slow) o->slow = calloc(trainable, sizeof(float));
    if (o->first == NULL || o->second == NULL || o->block_sums == NULL || (ema && o->average == NULL) ||
        (slow && o->slow == NULL)) {
        optimizer_free(o);
        return err_memory((3 * trainable + all) * sizeof(float), "the optimizer's state");
    }
    if (ema) memcpy(o->average, params_values(params), all * sizeof(float));
    *ret_optimizer = o;
    return ERR_NONE;
}

void optimizer_free(Optimizer *optimizer)
{
    if (optimizer == NULL) return;
    free(optimizer->first);
    free(optimizer->second);
    free(optimizer->average);
    free(optimizer->slow);
    free(optimizer->block_sums);
    free(optimizer);
}

double optimizer_schedule(const OptimizerOptions *options, int64_t step)
{
    const double pi = 3.14159265358979323846;
    if (step < options->warmup_steps) return (double)(step + 1) / (double)options->warmup_steps;
    int64_t at = step - options->warmup_steps, span = options->steps - options->warmup_steps;
    if (options->epoch_steps > 0) at -= at % options->epoch_steps;
    if (options->restart_steps > 0)
        for (span = options->restart_steps; at >= span; span *= 2) at -= span;
    const double done = span > 0 ? fmin((double)at / (double)span, 1.0) : 1.0;
    return options->final_fraction + (1.0 - options->final_fraction) * 0.5 * (1.0 + cos(pi * done));
}

/* Sum of squares in blocks of fixed size, added in order: the same bytes for any thread count. */
static double gradient_norm(const float *gradients, int64_t n, double *sums, int32_t threads)
{
    const int64_t blocks = norm_blocks(n);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t b = 0; b < blocks; b++) {
        const int64_t end = (b + 1) * NORM_BLOCK < n ? (b + 1) * NORM_BLOCK : n;
        double sum = 0.0;
        for (int64_t i = b * NORM_BLOCK; i < end; i++) sum += (double)gradients[i] * (double)gradients[i];
        sums[b] = sum;
    }
    double total = 0.0;
    for (int64_t b = 0; b < blocks; b++) total += sums[b];
    return sqrt(total);
}

typedef struct UpdateRates {
    float rate, decay, beta1, beta2, eps, correction1, correction2, scale;
} UpdateRates;

static void update_range(Optimizer *o, int64_t begin, int64_t count, UpdateRates r)
{
    float *w = params_values(o->params) + begin;
    const float *g = params_gradients(o->params) + begin;
    float *m = o->first + begin;
    float *v = o->second + begin;
#pragma omp parallel for simd schedule(static) num_threads(o->options.threads)
    for (int64_t i = 0; i < count; i++) {
        const float gradient = g[i] * r.scale;
        m[i] = r.beta1 * m[i] + (1.0F - r.beta1) * gradient;
        v[i] = r.beta2 * v[i] + (1.0F - r.beta2) * gradient * gradient;
        const float direction = m[i] * r.correction1 / (sqrtf(v[i] * r.correction2) + r.eps);
        w[i] -= r.rate * (direction + r.decay * w[i]);
    }
}

/* Slow weights go to the weights, which then are the slow ones. */
static void look_ahead(Optimizer *o, int64_t step)
{
    if (o->slow == NULL || step % o->options.lookahead_steps != 0) return;
    float *w = params_values(o->params);
    float *slow = o->slow;
    const float alpha = step == 0 ? 1.0F : (float)o->options.lookahead_alpha;
    const int64_t n = params_trainable_length(o->params);
#pragma omp parallel for simd schedule(static) num_threads(o->options.threads)
    for (int64_t i = 0; i < n; i++) {
        slow[i] = alpha == 1.0F ? w[i] : slow[i] + alpha * (w[i] - slow[i]);
        w[i] = slow[i];
    }
}

static void update_average(Optimizer *o, int64_t step)
{
    /* short runs: the average follows fast at first, as in Tan and Le's reference training */
    const double warm = (1.0 + (double)step) / (10.0 + (double)step);
    const float keep = (float)fmin(o->options.ema_decay, warm);
    const float *w = params_values(o->params);
    float *a = o->average;
    const int64_t n = params_length(o->params);
#pragma omp parallel for simd schedule(static) num_threads(o->options.threads)
    for (int64_t i = 0; i < n; i++) a[i] = keep * a[i] + (1.0F - keep) * w[i];
}

double optimizer_rate(const Optimizer *o, int64_t step)
{
    return o->options.learning_rate * optimizer_schedule(&o->options, step);
}

Err optimizer_step(Optimizer *o, int64_t step, double *ret_norm)
{
    const OptimizerOptions *options = &o->options;
    const double norm =
        gradient_norm(params_gradients(o->params), params_trainable_length(o->params), o->block_sums, options->threads);
    if (!isfinite(norm))
        return err_set(ERR_CONFIG, "step %lld: the gradient is not finite; lower train.learning_rate", (long long)step);
    const double rate = optimizer_rate(o, step);
    const bool clip = options->clip_norm > 0.0 && norm > options->clip_norm;
    UpdateRates r = { .beta1 = (float)options->beta1, .beta2 = (float)options->beta2, .eps = (float)options->eps };
    r.correction1 = (float)(1.0 / (1.0 - pow(options->beta1, (double)(step + 1))));
    r.correction2 = (float)(1.0 / (1.0 - pow(options->beta2, (double)(step + 1))));
    r.scale = clip ? (float)(options->clip_norm / norm) : 1.0F;
    const double encoder_rate = step < options->encoder_start ? 0.0 : rate * options->encoder_multiplier;
    for (int32_t p = 0; p < params_count(o->params); p++) {
        const ParamInfo *info = params_info(o->params, p);
        if (!info->trainable) continue;
        const bool encoder = strncmp(info->name, "encoder.", 8) == 0;
        r.rate = (float)(encoder ? encoder_rate : rate);
        r.decay = info->decay ? (float)options->weight_decay : 0.0F;
        update_range(o, info->offset, shape_count(&info->shape), r);
    }
    look_ahead(o, step);
    if (o->average != NULL) update_average(o, step);
    if (ret_norm != NULL) *ret_norm = norm;
    return ERR_NONE;
}

float *optimizer_first_moment(Optimizer *optimizer) { return optimizer->first; }
float *optimizer_second_moment(Optimizer *optimizer) { return optimizer->second; }
float *optimizer_average(Optimizer *optimizer) { return optimizer->average; }
float *optimizer_slow_weights(Optimizer *optimizer) { return optimizer->slow; }

void optimizer_swap_average(Optimizer *optimizer)
{
    if (optimizer->average == NULL) return;
    float *w = params_values(optimizer->params);
    float *a = optimizer->average;
    const int64_t n = params_length(optimizer->params);
    for (int64_t i = 0; i < n; i++) {
        const float value = w[i];
        w[i] = a[i];
        a[i] = value;
    }
}
