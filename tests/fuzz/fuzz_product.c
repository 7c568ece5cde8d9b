/* SPDX-License-Identifier: Apache-2.0
 * Metadata of products: the first byte says whose the rest is, Sentinel-2's, Landsat's in one of three ways, or a zip. */
#include "fuzz/fuzz.h"
#include "geo/product.h"

#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const suffixes[] = { ".SAFE/MTD_MSIL2A.xml", "L_MTL.txt", "L_MTL.xml", "L_MTL.json", ".zip" };
    char folder[64], path[96];
    Product *product = NULL;
    if (size == 0) return 0;
    const size_t kind = data[0] % (sizeof suffixes / sizeof suffixes[0]);
    (void)snprintf(folder, sizeof folder, "fuzz-%ld.SAFE", (long)getpid());
    (void)mkdir(folder, 0700);
    /* Landsat's names begin with an L */
    (void)snprintf(path, sizeof path, "%sfuzz-%ld%s", kind > 0 && kind < 4 ? "L" : "", (long)getpid(), suffixes[kind]);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data + 1, 1, size - 1, file) != size - 1 || fclose(file) != 0) abort();
    FUZZ_HOLDS(product_is_named(path));
    fuzz_result(product_open(path, &product), FUZZ_INPUT | FUZZ_MEMORY);
    product_free(product);
    (void)remove(path);
    (void)rmdir(folder);
    return 0;
}
