/* SPDX-License-Identifier: Apache-2.0
 * Files beside a raster: the first byte says whether the rest is a STAC item or Landsat's MTL. */
#include "fuzz/fuzz.h"
#include "geo/metadata_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const bool stac = (data[0] & 1U) != 0;
    char image[96];
    Metadata metadata = { 0 };
    const char *path = fuzz_file(data + 1, size - 1, stac ? ".json" : "_MTL.txt");
    (void)snprintf(image, sizeof image, "fuzz-%ld%s", (long)getpid(), stac ? ".tif" : "_B1.TIF");
    fuzz_result(metadata_read_sidecars(image, &metadata), FUZZ_MEMORY);
    FUZZ_HOLDS(metadata.n_facts >= 0);
    (void)remove(path);
    return 0;
}
