/* SPDX-License-Identifier: Apache-2.0
 * Files of networks that do not run here keep their tensors: names, types and values. */
#include "model/convert.h"

#include "base/file.h"
#include "harness/unit.h"
#include "model/convert_tensors.h"
#include "tensor_file/safetensors.h"

#include <string.h>
#include <unistd.h>

static char folder[64];

static void path_of(const char *name, char ret_path[128]) { (void)snprintf(ret_path, 128, "%s/%s", folder, name); }

/* Two marks as matrices, and a vector of integers. */
static void write_file(const char *path, const char *first, const char *second)
{
    float values[] = { 1.0F, -2.5F, 0.333333F, 4e-8F, 65504.0F, 1e-3F };
    int64_t counts[] = { 7, -1, INT64_MAX };
    const Tensor matrix = { .dtype = DTYPE_F32, .shape = { 2, { 2, 3 } }, .data = values };
    const Tensor vector = { .dtype = DTYPE_F32, .shape = { 1, { 6 } }, .data = values };
    const Tensor integers = { .dtype = DTYPE_I64, .shape = { 1, { 3 } }, .data = counts };
    SafetensorsWriter *writer = NULL;
    ASSERT_OK(safetensors_writer_new(&writer));
    ASSERT_OK(safetensors_writer_add(writer, first, &matrix, DTYPE_F32));
    ASSERT_OK(safetensors_writer_add(writer, second, &vector, DTYPE_F32));
    ASSERT_OK(safetensors_writer_add(writer, "counts", &integers, DTYPE_I64));
    ASSERT_OK(safetensors_writer_write(writer, path, true));
    safetensors_writer_free(writer);
}

static void check_copy(const char *in, const char *out, const char *first)
{
    TensorFile *a = NULL, *b = NULL;
    ASSERT_OK(tensor_file_open(in, &a));
    ASSERT_OK(tensor_file_open(out, &b));
    assert_int_equal(tensor_file_count(b), tensor_file_count(a));
    for (int64_t i = 0; i < tensor_file_count(a); i++) {
        const StoredTensor *x = tensor_file_at(a, i), *y = tensor_file_find(b, x->name);
        char from[64] = "", to[64] = "";
        assert_non_null(y);
        assert_true(shape_equal(&x->shape, &y->shape));
        if (y->dtype == DTYPE_F16) {
            assert_string_equal(x->name, first); /* half precision: matrices alone */
            continue;
        }
        assert_int_equal(x->dtype, y->dtype);
        ASSERT_OK(stored_tensor_copy(x, from));
        ASSERT_OK(stored_tensor_copy(y, to));
        assert_memory_equal(from, to, sizeof from);
    }
    tensor_file_close(a);
    tensor_file_close(b);
}

static void check_network(const char *title, const char *first, const char *second)
{
    char in[128], out[128], found[CONVERT_TITLE];
    TensorFile *file = NULL;
    ConvertReport report = { 0 };
    ConvertOptions options = convert_options_defaults();
    path_of("in.safetensors", in);
    path_of("out.safetensors", out);
    write_file(in, first, second);
    ASSERT_OK(tensor_file_open(in, &file));
    ASSERT_OK(convert_title(file, found));
    tensor_file_close(file);
    assert_string_equal(found, title);
    options.overwrite = true;
    ASSERT_OK(convert_file(in, out, &options, &report));
    assert_int_equal(report.kind, CONVERT_TENSORS);
    assert_string_equal(report.title, title);
    assert_int_equal(report.read, 3);
    assert_int_equal(report.written, 3);
    check_copy(in, out, "none of them");
    options.weights = DTYPE_F16;
    ASSERT_OK(convert_file(in, out, &options, &report));
    check_copy(in, out, first);
    TensorFile *half = NULL;
    ASSERT_OK(tensor_file_open(out, &half));
    assert_int_equal(tensor_file_find(half, first)->dtype, DTYPE_F16);
    tensor_file_close(half);
    (void)file_remove(in);
    (void)file_remove(out);
}

static void known(void **state)
{
    (void)state;
    unit_folder(folder);
    check_network("Presto", "encoder.eo_patch_embed.S2_RGB.weight", "encoder.latlon_embed.weight");
    check_network("Galileo, encoder", "s_t_channel_embed", "space_time_embed.S1.proj.weight");
    check_network("Galileo, decoder", "s_t_channel_embed", "to_output_embed.weight");
    (void)rmdir(folder);
}

/* One mark alone is nothing. */
static void unknown(void **state)
{
    (void)state;
    char in[128], out[128], found[CONVERT_TITLE];
    TensorFile *file = NULL;
    ConvertReport report;
    const ConvertOptions options = convert_options_defaults();
    unit_folder(folder);
    path_of("in.safetensors", in);
    path_of("out.safetensors", out);
    write_file(in, "s_t_channel_embed", "other");
    ASSERT_OK(tensor_file_open(in, &file));
    ASSERT_OK(convert_title(file, found));
    tensor_file_close(file);
    assert_string_equal(found, "not recognised");
    ASSERT_ERR(convert_file(in, out, &options, &report), ERR_MODEL, "its 3 tensors belong to no network");
    assert_false(file_exists(out));
    (void)file_remove(in);
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(known), cmocka_unit_test(unknown) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
