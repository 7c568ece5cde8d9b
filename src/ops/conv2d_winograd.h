/* SPDX-License-Identifier: Apache-2.0
 *
 * 3x3 convolution with stride 1 by Winograd's minimal filtering F(4x4, 3x3) (Winograd 1980; Lavin and Gray 2016,
 * arXiv:1509.09308): each 6x6 patch d of a map and each kernel g give 4x4 results
 *     A^T [ sum over channels of (G g G^T) * (B^T d B) ] A
 * with 36 products instead of 144. The points of the interpolation are 0, 3/4, -3/4, 3/2, -3/2 and infinity: with them
 * the largest error over 512 channels is 1.7 times that of direct sums in f32; with the usual 0, 1, -1, 2, -2 it is 12
 * times. A value that is not a number spreads over the results of its patches, up to five pixels far.
 *
 *     const Winograd *winograd = winograd_of(&step->device);       NULL: none for this device
 *     winograd->pack(&problem, threads, weights, false, packed);   [packed_bytes]
 *     winograd->run(&problem, threads, &args);                     args.scratch: [scratch_bytes]
 *
 * The same bits for any number of threads. Buffers are aligned to 64 bytes.
 */
#ifndef METASEG_OPS_CONV2D_WINOGRAD_H
#define METASEG_OPS_CONV2D_WINOGRAD_H

#include "tensor/device.h"

#include <stddef.h>

/* x [batch, in_height, in_width, in_channels], y [batch, out_height, out_width, out_channels],
 * y(oy, ox) reads x from (oy - top, ox - left) on; zero outside x. */
typedef struct WinogradProblem {
    int64_t batch, in_height, in_width, in_channels, out_height, out_width, out_channels, top, left;
} WinogradProblem;

/* y = cut(conv(x) + bias) + residual, or with cut_sum cut(conv(x) + bias + residual); cut: to [low, high]. */
typedef struct WinogradArgs {
    const float *source, *weights; /* weights: packed */
    const float *bias;             /* [out_channels]; NULL: 0 */
    const float *residual;         /* like y, may be y; NULL: none */
    float low, high;
    bool cut_sum;
    float *target;
    void *scratch;
} WinogradArgs;

typedef struct Winograd {
    size_t (*packed_bytes)(const WinogradProblem *problem);
    size_t (*scratch_bytes)(const WinogradProblem *problem, int32_t threads);
    /* weights [out_channels, in_channels, 3, 3]; with `transposed` those of the convolution whose data gradient this
     * problem is, [in_channels, out_channels, 3, 3], which are turned by 180 degrees. */
    void (*pack)(const WinogradProblem *problem, int32_t threads, const float *weights, bool transposed,
                 float *ret_packed);
    void (*run)(const WinogradProblem *problem, int32_t threads, const WinogradArgs *args);
    /* Gradient of the weights, [out_channels, in_channels, 3, 3]: d_weights = (or with add +=)
     * G^T [ sum over tiles of (B^T x B) * (A dy A^T) ] G. */
    size_t (*gradient_bytes)(const WinogradProblem *problem);
    void (*gradient)(const WinogradProblem *problem, int32_t threads, const float *x, const float *dy, bool add,
                     float *d_weights, void *scratch);
} Winograd;

extern const Winograd winograd_avx2, winograd_avx512;

/* For the device's level; NULL: none. */
const Winograd *winograd_of(const Device *device);

/* True where it is faster than oneDNN's direct convolution (docs/decisions.md). */
bool winograd_wins(int64_t batch, int64_t out_height, int64_t out_width, int64_t in_channels, int64_t out_channels);

#endif
