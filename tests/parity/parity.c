/* SPDX-License-Identifier: Apache-2.0
 *
 * A network of our lists at its full size against a file of tools/golden/published.py (tools/parity/parity.py writes it):
 *
 *     parity encoder NAME FILE             maps of an encoder, and gradients where the file has them
 *     parity list                          names of the encoders that have maps
 */
#include "network/encoder.h"

#include "harness/golden_published.h"

static struct {
    NetworkEncoder encoder;
    const char *file;
} asked;

static NetworkEncoder find_encoder(const char *name)
{
    NetworkEncoder e = 0;
    while (e < NETWORK_ENCODER_COUNT && strcmp(name, network_encoder_names[e]) != 0) e++;
    return e;
}

static bool has_gradients(const char *path)
{
    TensorFile *file = NULL;
    bool found = false;
    ASSERT_OK(tensor_file_open(path, &file));
    for (int64_t i = 0; i < tensor_file_count(file); i++)
        found = found || str_starts_with(tensor_file_at(file, i)->name, "gradient.");
    tensor_file_close(file);
    return found;
}

/* Biases of norms that keep values away from the bends of ReLU and ReLU6: below 0, between, above 6; the same in parity.py. */
static bool away_from_bends(const ParamInfo *info, float *values)
{
    if (info->shape.rank != 1 || !str_ends_with(info->name, ".bias")) return false;
    for (int64_t i = 0; i < info->shape.dim[0]; i++) values[i] = (float)(8 * (i % 3) - 5);
    return true;
}

static bool is_away_from_bends(const char *path)
{
    TensorFile *file = NULL;
    ASSERT_OK(tensor_file_open(path, &file));
    const char *config = tensor_file_metadata(file, "config");
    const bool found = config != NULL && strstr(config, "\"away_from_bends\"") != NULL;
    tensor_file_close(file);
    return found;
}

static void encoder_maps(void **state)
{
    (void)state;
    const EncoderDef *def = encoder_def(asked.encoder);
    const GoldenEncoder e = { def, def->variant };
    const GoldenSpecial special = is_away_from_bends(asked.file) ? away_from_bends : NULL;
    golden_published_special(asked.file, golden_encoder_maps, &e, special, has_gradients(asked.file));
}

static int list(void)
{
    for (NetworkEncoder e = 0; e < NETWORK_ENCODER_COUNT; e++)
        if (encoder_def(e)->build != NULL) (void)puts(network_encoder_names[e]);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(encoder_maps) };
    if (argc == 2 && strcmp(argv[1], "list") == 0) return list();
    if (argc != 4 || strcmp(argv[1], "encoder") != 0 || find_encoder(argv[2]) == NETWORK_ENCODER_COUNT) {
        (void)fprintf(stderr, "parity encoder NAME FILE | list\n");
        return 2;
    }
    asked.encoder = find_encoder(argv[2]);
    asked.file = argv[3];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
