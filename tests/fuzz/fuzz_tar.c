/* SPDX-License-Identifier: Apache-2.0
 * A tar as Landsat products come in, from anywhere. With an odd first byte the sums of its headers are made right, so that what lies
 * behind them is reached. */
#include "fuzz/fuzz.h"
#include "geo/product.h"

enum { BLOCK = 512, SIZE = 124, SUM = 148, SUM_BYTES = 8 };

/* From header to header, as far as sizes can be read. */
static void mend_sums(char *bytes, size_t size)
{
    for (size_t at = 0; at + BLOCK <= size;) {
        char *header = bytes + at, digits[13] = "";
        unsigned sum = 0;
        memset(header + SUM, ' ', SUM_BYTES);
        for (int i = 0; i < BLOCK; i++) sum += (unsigned char)header[i];
        (void)snprintf(header + SUM, SUM_BYTES, "%06o", sum);
        header[SUM + SUM_BYTES - 1] = ' ';
        memcpy(digits, header + SIZE, 12);
        at += BLOCK + (strtoull(digits, NULL, 8) + BLOCK - 1) / BLOCK * BLOCK;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Product *product = NULL;
    if (size == 0) return 0;
    char *bytes = fuzz_text(data + 1, size - 1);
    if (data[0] % 2 == 1) mend_sums(bytes, size - 1);
    const char *path = fuzz_file((const uint8_t *)bytes, size - 1, ".tar");
    free(bytes);
    FUZZ_HOLDS(product_is_named(path));
    fuzz_result(product_open(path, &product), FUZZ_INPUT | FUZZ_MEMORY);
    product_free(product);
    (void)remove(path);
    return 0;
}
