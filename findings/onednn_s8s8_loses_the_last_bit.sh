#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# oneDNN's int8 convolution of signed inputs and signed weights drops the lowest bit of every weight: 64 ones times 64 ones is 0.
#
# Seen with Debian 12's libdnnl 2.6.3-1 on x86-64 with AVX2 (DNNL_MAX_CPU_ISA=AVX2; the same with SSE41): a 1x1 convolution over 64
# channels, all inputs 1 (s8), all weights w (s8), result as s32. Seen for w = 1, 2, 3, 4, 5: 0, 128, 256, 256, 256 where
# 64 w = 64, 128, 192, 256, 320 is right. The same with unsigned inputs (u8) is exact.
# Why one would guess otherwise: inputs, weights and sums are whole numbers far from any limit, and the result type holds 32 bits;
# the manual speaks of possible saturation of large values, here the small ones are lost. What happens: without VNNI
# instructions the weights are halved when they are reordered (so that pairs of products fit into 16 bits) and rounded to even, and
# the sums are doubled at the end. Weights that were quantised to small numbers come out as 0 or 2.
# Cure: unsigned activations, or even weights.
set -eu
[ "$(uname -m)" = x86_64 ] || { echo "needs x86-64"; exit 1; }
grep -qw avx2 /proc/cpuinfo || { echo "needs a processor with AVX2"; exit 1; }
if ! dpkg -s libdnnl-dev gcc libc6-dev >/dev/null 2>&1; then
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends libdnnl-dev gcc libc6-dev >/dev/null
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/s8s8.c" <<'END'
#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 64, SIDE = 8 };

static void ok(dnnl_status_t status)
{
    if (status == dnnl_success) return;
    printf("oneDNN: status %d\n", (int)status);
    exit(2);
}

/* One element of the convolution of ones with weights. */
static int convolve(dnnl_data_type_t input, int weight)
{
    static signed char ones[CHANNELS * SIDE * SIDE], weights[CHANNELS * CHANNELS];
    static int sums[CHANNELS * SIDE * SIDE];
    const dnnl_dims_t map = { 1, CHANNELS, SIDE, SIDE }, kernel = { CHANNELS, CHANNELS, 1, 1 }, one = { 1, 1 }, none = { 0, 0 };
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_memory_desc_t x, plain, any, y;
    dnnl_convolution_desc_t what;
    dnnl_primitive_desc_t how, copy_how;
    dnnl_primitive_t convolution, copy;
    dnnl_memory_t m_x, m_plain, m_packed, m_y;
    memset(ones, 1, sizeof ones);
    memset(weights, weight, sizeof weights);
    ok(dnnl_engine_create(&engine, dnnl_cpu, 0));
    ok(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
    ok(dnnl_memory_desc_init_by_tag(&x, 4, map, input, dnnl_nhwc));
    ok(dnnl_memory_desc_init_by_tag(&plain, 4, kernel, dnnl_s8, dnnl_oihw));
    ok(dnnl_memory_desc_init_by_tag(&any, 4, kernel, dnnl_s8, dnnl_format_tag_any));
    ok(dnnl_memory_desc_init_by_tag(&y, 4, map, dnnl_s32, dnnl_nhwc));
    ok(dnnl_convolution_forward_desc_init(&what, dnnl_forward_inference, dnnl_convolution_direct, &x, &any, NULL, &y, one, none, none));
    ok(dnnl_primitive_desc_create(&how, &what, NULL, engine, NULL));
    const dnnl_memory_desc_t *packed = dnnl_primitive_desc_query_md(how, dnnl_query_weights_md, 0);
    ok(dnnl_memory_create(&m_x, &x, engine, ones));
    ok(dnnl_memory_create(&m_plain, &plain, engine, weights));
    ok(dnnl_memory_create(&m_packed, packed, engine, DNNL_MEMORY_ALLOCATE));
    ok(dnnl_memory_create(&m_y, &y, engine, sums));
    ok(dnnl_reorder_primitive_desc_create(&copy_how, &plain, engine, packed, engine, NULL));
    ok(dnnl_primitive_create(&copy, copy_how));
    ok(dnnl_primitive_create(&convolution, how));
    ok(dnnl_primitive_execute(copy, stream, 2, (const dnnl_exec_arg_t[]){ { DNNL_ARG_FROM, m_plain }, { DNNL_ARG_TO, m_packed } }));
    ok(dnnl_primitive_execute(convolution, stream, 3,
                              (const dnnl_exec_arg_t[]){ { DNNL_ARG_SRC, m_x }, { DNNL_ARG_WEIGHTS, m_packed }, { DNNL_ARG_DST, m_y } }));
    ok(dnnl_stream_wait(stream));
    return sums[0];
}

int main(void)
{
    static const int lossy[] = { 0, 128, 256, 256, 256 };
    int changed = 0;
    for (int w = 1; w <= 5; w++) {
        const int is_signed = convolve(dnnl_s8, w), is_unsigned = convolve(dnnl_u8, w);
        printf("weight %d: %d expected, signed inputs %d, unsigned inputs %d\n", w, CHANNELS * w, is_signed, is_unsigned);
        changed |= is_signed != lossy[w - 1] || is_unsigned != CHANNELS * w;
    }
    if (changed) puts("the behaviour has changed");
    return changed;
}
END
gcc -o "$work/s8s8" "$work/s8s8.c" -ldnnl
DNNL_MAX_CPU_ISA=AVX2 "$work/s8s8"
