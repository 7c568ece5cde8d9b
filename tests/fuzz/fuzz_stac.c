/* SPDX-License-Identifier: Apache-2.0
 * STAC items: whatever they state of bands, files and places. */
#include "fuzz/fuzz.h"
#include "geo/product.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Product *product = NULL;
    const char *path = fuzz_file(data, size, ".json");
    FUZZ_HOLDS(product_is_named(path));
    fuzz_result(product_open(path, &product), FUZZ_INPUT | FUZZ_MEMORY);
    product_free(product);
    (void)remove(path);
    return 0;
}
