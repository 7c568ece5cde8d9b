/* SPDX-License-Identifier: Apache-2.0
 * The compact climate map: each look-up in an accepted file gives a zone. The sum at the end of the file is made right, so
 * that what comes behind its check is reached. */
#include "base/hash.h"
#include "fuzz/fuzz.h"
#include "geo/climate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Climate *climate = NULL;
    uint8_t *bytes = (uint8_t *)fuzz_text(data, size);
    if (size >= 8) {
        const uint64_t sum = hash_xxh64(bytes, size - 8);
        for (size_t i = 0; i < 8; i++) bytes[size - 8 + i] = (uint8_t)(sum >> 8 * i);
    }
    const char *path = fuzz_file(bytes, size, ".bin");
    free(bytes);
    const Err err = climate_open(path, &climate);
    fuzz_result(err, FUZZ_INPUT | FUZZ_MEMORY);
    if (err == ERR_NONE) {
        for (int i = 0; i < 64; i++) {
            const int zone = climate_zone_at(climate, -200.0 + 7.1 * i, -95.0 + 3.3 * i);
            FUZZ_HOLDS(zone >= 0 && zone <= 30);
        }
        climate_close(climate);
    }
    (void)remove(path);
    return 0;
}
