/* SPDX-License-Identifier: Apache-2.0
 *
 * AdamW (Loshchilov and Hutter, ICLR 2019, algorithm 2) over a flat parameter set, global-norm gradient clipping, an
 * exponential moving average of the weights, and the learning-rate schedule. Elementwise, so any number of threads
 * gives the same bytes.
 *
 *   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
 *   w = w - lr * (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + decay * w)
 *
 * Around it, if wanted, Lookahead (Zhang, Lucas, Hinton and Ba, NeurIPS 2019): after steps 1, 1 + k, 1 + 2k, ... the slow weights,
 * which begin as the weights after step 1, move to them, slow = slow + alpha (w - slow), and w becomes slow. (The paper begins with
 * the initial weights, after step k; this is how the implementation does that the published UNetFormer recipes use.)
 */
#ifndef METASEG_TRAIN_OPTIMIZER_H
#define METASEG_TRAIN_OPTIMIZER_H

#include "graph/params.h"

typedef struct OptimizerOptions {
    double learning_rate;      /* of everything but the encoder, at the top of the schedule */
    double encoder_multiplier; /* learning rate of parameters under "encoder." is this times learning_rate */
    int64_t encoder_start;     /* steps in which they rest; their moments do not */
    double beta1, beta2, eps, weight_decay;
    double clip_norm;            /* global norm of the gradient is scaled down to this; 0: no clipping */
    double ema_decay;            /* 0: no moving average */
    int64_t steps, warmup_steps; /* schedule: linear warm-up, then cosine to final_fraction * learning_rate */
    double final_fraction;
    int64_t epoch_steps; /* the rate changes after so many steps alone; 0: after each */
    int64_t
        restart_steps; /* the cosine falls over so many steps, then begins anew, over twice as many each time (Loshchilov and
                              Hutter, SGDR, ICLR 2017, with T_mult 2); 0: over all steps once */
    int64_t lookahead_steps; /* k of Lookahead; 0: without */
    double lookahead_alpha;
    int32_t threads; /* >= 1 */
} OptimizerOptions;

typedef struct Optimizer Optimizer;

/* State for the trainable part of an allocated set (borrowed). ERR_MEMORY. */
Err optimizer_new(ParamSet *params, const OptimizerOptions *options, Optimizer **ret_optimizer);
void optimizer_free(Optimizer *optimizer);

/* Fraction of the peak learning rate at a step (0-based). */
double optimizer_schedule(const OptimizerOptions *options, int64_t step);

/* Learning rate of everything but the encoder at a step (0-based). */
double optimizer_rate(const Optimizer *optimizer, int64_t step);

/* One update from params_gradients(). step is 0-based; bias correction uses t = step + 1. Returns by pointer the
 * gradient's norm before clipping (may be NULL). ERR_CONFIG when the norm is not finite: nothing is changed then. */
Err optimizer_step(Optimizer *optimizer, int64_t step, double *ret_norm);

/* Flat state of params_trainable_length() floats each, for checkpoints: first and second moment, and the moving average
 * over all params_length() values (NULL without). */
float *optimizer_first_moment(Optimizer *optimizer);
float *optimizer_second_moment(Optimizer *optimizer);
float *optimizer_average(Optimizer *optimizer);

/* Slow weights of Lookahead, params_trainable_length() floats; NULL without. */
float *optimizer_slow_weights(Optimizer *optimizer);

/* Swaps the averaged values with the current ones (for validation and for saving); call twice to return. No effect
 * without ema. */
void optimizer_swap_average(Optimizer *optimizer);

#endif
