/* SPDX-License-Identifier: Apache-2.0
 * The check of VRT files, which comes before GDAL opens one. */
#include "fuzz/fuzz.h"
#include "geo/vrt_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size, ".vrt");
    fuzz_result(vrt_check(path, NULL), FUZZ_INPUT | FUZZ_MEMORY | FUZZ_UNSUPPORTED);
    (void)remove(path);
    return 0;
}
