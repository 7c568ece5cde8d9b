# SPDX-License-Identifier: Apache-2.0
"""The counter-based random numbers of src/base/rng.h, vectorised: the same values as the C program.

A value is a pure function of (seed, stream, step, index); parameters use step = xxh64 (seed 0) of their UTF-8 name.
"""

import numpy as np
import xxhash

WEIGHTS, SAMPLER, AUGMENT, DROPOUT, TEXT, BANDS, NOISE, TEST = 1, 2, 3, 4, 5, 6, 7, 100

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MUL1 = np.uint64(0xBF58476D1CE4E5B9)
_MUL2 = np.uint64(0x94D049BB133111EB)


def _mix(z):
    with np.errstate(over="ignore"):
        z = np.asarray(z, np.uint64) + _GAMMA
        z = (z ^ (z >> np.uint64(30))) * _MUL1
        z = (z ^ (z >> np.uint64(27))) * _MUL2
        return z ^ (z >> np.uint64(31))


def name_step(name):
    """Step of a named tensor: xxh64 of the name."""
    return xxhash.xxh64_intdigest(name.encode("utf-8"), seed=0)


def u64(seed, stream, step, index):
    """64 random bits for each index (an array or a number)."""
    with np.errstate(over="ignore"):
        base = _mix(_mix(_mix(np.uint64(seed)) + np.uint64(stream)) + np.uint64(step))
        return _mix(base + np.asarray(index).astype(np.uint64))


def uniform(seed, stream, step, index):
    """Uniform in [0, 1), float32."""
    return ((u64(seed, stream, step, index) >> np.uint64(40)).astype(np.float64) * 2.0**-24).astype(np.float32)


def normal(seed, stream, step, index):
    """Standard normal (Box-Muller in double), float32."""
    bits = u64(seed, stream, step, index)
    u1 = (bits >> np.uint64(32)).astype(np.float64) * 2.0**-32
    u2 = (bits & np.uint64(0xFFFFFFFF)).astype(np.float64) * 2.0**-32
    return (np.sqrt(-2.0 * np.log1p(-u1)) * np.cos(6.283185307179586476925286766559 * u2)).astype(np.float32)


def below(seed, stream, step, index, n):
    """Uniform integers in [0, n), int64."""
    high = u64(seed, stream, step, index) >> np.uint64(32)
    return ((high * np.uint64(n)) >> np.uint64(32)).astype(np.int64)


def normal_tensor(seed, stream, name, shape):
    """Standard normal array of a shape; index is the row-major element."""
    count = int(np.prod(shape, dtype=np.int64))
    return normal(seed, stream, name_step(name), np.arange(count)).reshape(shape)


def uniform_tensor(seed, stream, name, shape):
    """Uniform [0, 1) array of a shape; index is the row-major element."""
    count = int(np.prod(shape, dtype=np.int64))
    return uniform(seed, stream, name_step(name), np.arange(count)).reshape(shape)
