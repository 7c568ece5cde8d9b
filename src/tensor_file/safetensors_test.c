/* SPDX-License-Identifier: Apache-2.0
 * Safetensors: round trips, and files that must be refused. */
#include "tensor_file/safetensors.h"

#include "base/file.h"

#include "harness/unit.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* A file of a header and data bytes; length < 0: the header's true length. Returns its size. */
static size_t frame(const char *header, int64_t length, size_t data_bytes, unsigned char *ret_bytes)
{
    const size_t n = strlen(header);
    const uint64_t declared = length < 0 ? n : (uint64_t)length;
    for (int i = 0; i < 8; i++) ret_bytes[i] = (unsigned char)(declared >> (8 * i) & 0xffU);
    memcpy(ret_bytes + 8, header, n);
    for (size_t i = 0; i < data_bytes; i++) ret_bytes[8 + n + i] = (unsigned char)i;
    return 8 + n + data_bytes;
}

typedef struct BadFile {
    const char *header;
    int64_t length; /* declared, -1: true */
    size_t data_bytes;
    const char *message; /* part of it */
} BadFile;

#define T(name, dtype, shape, offsets)                                                                                 \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static const BadFile bad_files[] = {
    { "{}", 17 << 20, 0, "declares a header of 17825792 bytes" },
    { "{}", INT64_MAX, 0, "declares a header of 9223372036854775807 bytes" },
    { "{" T("a", "F32", "[1]", "[0,4]") "}", 100, 4, "truncated" },
    { "[]", -1, 0, "does not start with '{'" },
    { " {}", -1, 0, "does not start with '{'" },
    { "{}\t", -1, 0, "does not end with '}'" },
    { "{}x", -1, 0, "does not end with '}'" },
    { "{\"a\":}", -1, 0, "not well-formed" },
    { "{" T("a", "F32", "[2]", "[0,8]") "}", -1, 4, "outside the file's 4 data bytes" },
    { "{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[2,6]") "}", -1, 6, "an overlap before tensor 'b'" },
    { "{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[0,4]") "}", -1, 4, "an overlap before tensor" },
    { "{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[8,12]") "}", -1, 12, "a hole before tensor 'b'" },
    { "{" T("a", "F32", "[1]", "[4,8]") "}", -1, 8, "a hole before tensor 'a'" },
    { "{" T("a", "F32", "[1]", "[0,4]") "}", -1, 5, "1 bytes follow the last tensor" },
    { "{}", -1, 3, "3 bytes follow the last tensor" },
    { "{" T("a", "F31", "[1]", "[0,4]") "}", -1, 4, "element type 'F31'" },
    { "{" T("a", "I16", "[2]", "[0,4]") "}", -1, 4, "element type 'I16'" },
    { "{" T("a", "F32", "[2]", "[0,4]") "}", -1, 4, "does not fill its 4 bytes" },
    { "{" T("a", "F32", "[-1]", "[0,4]") "}", -1, 4, "shape" },
    { "{" T("a", "F32", "[1.5]", "[0,4]") "}", -1, 4, "shape" },
    { "{" T("a", "F32", "[4294967296,4294967296]", "[0,0]") "}", -1, 0, "does not fill" },
    { "{" T("a", "F32", "[9007199254740992,512]", "[0,0]") "}", -1, 0, "does not fill" },
    { "{" T("a", "F16", "[0,9007199254740992,9007199254740992]", "[0,0]") "}", -1, 0, "does not fill" },
    { "{" T("a", "F16", "[9007199254740992,9007199254740992,0]", "[0,0]") "}", -1, 0, "does not fill" },
    { "{" T("a", "F16", "[9007199254740992,0,9007199254740992]", "[0,0]") "}", -1, 0, "does not fill" },
    { "{" T("a", "F32", "[1,1,1,1,1,1]", "[0,4]") "}", -1, 4, "more than 5 dimensions" },
    { "{" T("a", "F32", "[1]", "[4,0]") "}", -1, 4, "outside" },
    { "{" T("a", "F32", "[1]", "[0,4,8]") "}", -1, 8, "3 data offsets" },
    { "{" T("a", "F32", "[1]", "[0,4]") "," T("a", "F32", "[1]", "[4,8]") "}", -1, 8, "twice" },
    { "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", -1, 4, "twice" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", -1, 4, "2 header fields" },
    { "{\"a\":7}", -1, 0, "described by a number" },
    { "{\"__metadata__\":{\"a\":1}}", -1, 0, "__metadata__" },
    { "{\"__metadata__\":[]}", -1, 0, "__metadata__ is a array" },
    { "{\"\xff\":1}", -1, 0, "UTF-8" },
    { "{\"a\\u0000b\":1}", -1, 0, "NUL" },
};

static void refuses_bad_files(void **state)
{
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(bad_files); i++) {
        unsigned char bytes[512];
        const size_t n = frame(bad_files[i].header, bad_files[i].length, bad_files[i].data_bytes, bytes);
        unsigned char *exact = malloc(n); /* so that a sanitizer sees a read beyond the end */
        assert_non_null(exact);
        memcpy(exact, bytes, n);
        TensorFile *file = NULL;
        const Err err = safetensors_parse(exact, n, "bad", &file);
        if (err != ERR_MODEL || strstr(err_message(), bad_files[i].message) == NULL) {
            fail_msg("case %d (%s): error %d, message '%s'", (int)i, bad_files[i].header, (int)err, err_message());
        }
        assert_null(file);
        free(exact);
    }
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    unsigned char bytes[512];
    const size_t n = frame("{" T("a", "F32", "[1]", "[0,4]") "," T("b", "U8", "[3]", "[4,7]") "}", -1, 7, bytes);
    for (size_t cut = 0; cut < n; cut++) {
        unsigned char *exact = malloc(cut + 1);
        assert_non_null(exact);
        memcpy(exact, bytes, cut);
        TensorFile *file = NULL;
        assert_int_equal(safetensors_parse(exact, cut, "cut", &file), ERR_MODEL);
        free(exact);
    }
    TensorFile *file = NULL;
    assert_int_equal(safetensors_parse(bytes, n, "whole", &file), ERR_NONE);
    tensor_file_close(file);
}

/* A header of commas would cost a hundred times its size once parsed. */
static void refuses_many_elements(void **state)
{
    (void)state;
    const size_t n = 12 << 20;
    unsigned char *bytes = malloc(8 + n);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)((uint64_t)n >> (8 * i) & 0xffU);
    memset(bytes + 8, '0', n);
    for (size_t i = 9; i < 8 + n; i += 2) bytes[i] = ',';
    memcpy(bytes + 8, "{\"a\":[", 6);
    memcpy(bytes + 8 + n - 2, "]}", 2);
    TensorFile *file = NULL;
    assert_int_equal(safetensors_parse(bytes, 8 + n, "commas", &file), ERR_MODEL);
    assert_non_null(strstr(err_message(), "elements"));
    free(bytes);
}

static void reads_shapes_and_padding(void **state)
{
    (void)state;
    unsigned char bytes[512];
    const size_t n = frame("{\"__metadata__\":{\"format\":\"pt\"}," T("empty", "F32", "[0,3]", "[0,0]") "," T(
                               "scalar", "U8", "[]", "[0,1]") "," T("m", "U8", "[2,3]", "[1,7]") "}   ",
                           -1, 7, bytes);
    TensorFile *file = NULL;
    assert_int_equal(safetensors_parse(bytes, n, "good", &file), ERR_NONE);
    assert_int_equal(tensor_file_count(file), 3);
    assert_string_equal(tensor_file_metadata(file, "format"), "pt");
    assert_null(tensor_file_metadata(file, "none"));
    assert_null(tensor_file_find(file, "n"));
    const StoredTensor *m = tensor_file_find(file, "m");
    assert_non_null(m);
    assert_int_equal(m->shape.dim[1], 3);
    assert_int_equal(m->bytes.memory[0], 1);
    float values[6];
    assert_int_equal(stored_tensor_read_f32(m, values), ERR_MODEL);
    assert_int_equal(tensor_file_find(file, "scalar")->shape.rank, 0);
    const Shape wrong = { 2, { 3, 2 } };
    assert_int_equal(tensor_file_require(file, "m", &wrong, &m), ERR_MODEL);
    assert_non_null(strstr(err_message(), "[2, 3]"));
    tensor_file_close(file);
}

static void add_all(SafetensorsWriter *writer, float *f, int64_t *i, uint8_t *u)
{
    const Tensor wide = { .dtype = DTYPE_F32, .shape = { 2, { 2, 3 } }, .data = f };
    const Tensor whole = { .dtype = DTYPE_I64, .shape = { 1, { 2 } }, .data = i };
    const Tensor bytes = { .dtype = DTYPE_U8, .shape = { 1, { 3 } }, .data = u };
    assert_int_equal(safetensors_writer_add(writer, "bytes", &bytes, DTYPE_U8), ERR_NONE);
    assert_int_equal(safetensors_writer_add(writer, "single", &wide, DTYPE_F32), ERR_NONE);
    assert_int_equal(safetensors_writer_add(writer, "half", &wide, DTYPE_F16), ERR_NONE);
    assert_int_equal(safetensors_writer_add(writer, "brain", &wide, DTYPE_BF16), ERR_NONE);
    assert_int_equal(safetensors_writer_add(writer, "whole", &whole, DTYPE_I64), ERR_NONE);
    assert_int_equal(safetensors_writer_add(writer, "refused", &bytes, DTYPE_F16), ERR_UNSUPPORTED);
    assert_int_equal(safetensors_writer_metadata(writer, "note", "K\xC3\xB6ppen \"quoted\"\n"), ERR_NONE);
}

static void round_trip(void **state)
{
    (void)state;
    char folder[64], path[128];
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/a.safetensors", folder);
    float f[6] = { 0.0F, 1.0F, -2.5F, 1.0F / 3.0F, 65504.0F, 1e-3F };
    int64_t whole[2] = { -1, INT64_C(1) << 60 };
    uint8_t u[3] = { 1, 2, 255 };
    SafetensorsWriter *writer = NULL;
    assert_int_equal(safetensors_writer_new(&writer), ERR_NONE);
    add_all(writer, f, whole, u);
    assert_int_equal(safetensors_writer_write(writer, path, false), ERR_NONE);
    assert_int_equal(safetensors_writer_write(writer, path, false), ERR_OUTPUT);
    assert_int_equal(safetensors_writer_write(writer, path, true), ERR_NONE);
    safetensors_writer_free(writer);

    TensorFile *file = NULL;
    assert_int_equal(tensor_file_open(path, &file), ERR_NONE);
    assert_string_equal(tensor_file_format(file), "safetensors");
    assert_string_equal(tensor_file_metadata(file, "note"), "K\xC3\xB6ppen \"quoted\"\n");
    float values[6];
    int64_t back[2];
    assert_int_equal(stored_tensor_read_f32(tensor_file_find(file, "single"), values), ERR_NONE);
    assert_memory_equal(values, f, sizeof f);
    assert_int_equal(stored_tensor_read_f32(tensor_file_find(file, "half"), values), ERR_NONE);
    for (int i = 0; i < 6; i++) assert_true(fabsf(values[i] - f[i]) <= fabsf(f[i]) / 2048.0F);
    assert_int_equal(stored_tensor_read_f32(tensor_file_find(file, "brain"), values), ERR_NONE);
    for (int i = 0; i < 6; i++) assert_true(fabsf(values[i] - f[i]) <= fabsf(f[i]) / 256.0F);
    ASSERT_OK(stored_tensor_copy(tensor_file_find(file, "whole"), back));
    assert_memory_equal(back, whole, sizeof whole);
    for (int64_t i = 0; i < tensor_file_count(file); i++) {
        const StoredTensor *t = tensor_file_at(file, i);
        assert_int_equal((size_t)t->bytes.offset % dtype_bytes(t->dtype), 0);
    }
    tensor_file_close(file);
    (void)file_remove(path);
    (void)rmdir(folder);
}

static void writer_refuses(void **state)
{
    (void)state;
    char folder[64], path[128];
    unit_folder(folder);
    float f[2] = { 1.0F, 70000.0F };
    const Tensor tensor = { .dtype = DTYPE_F32, .shape = { 1, { 2 } }, .data = f };
    SafetensorsWriter *writer = NULL;
    (void)snprintf(path, sizeof path, "%s/a.safetensors", folder);
    assert_int_equal(safetensors_writer_new(&writer), ERR_NONE);
    assert_int_equal(safetensors_writer_add(writer, "a", &tensor, DTYPE_F16), ERR_NONE);
    assert_int_equal(safetensors_writer_write(writer, path, false), ERR_OUTPUT);
    assert_non_null(strstr(err_message(), "half precision"));
    assert_int_equal(safetensors_writer_add(writer, "a", &tensor, DTYPE_F32), ERR_NONE);
    assert_int_equal(safetensors_writer_write(writer, path, false), ERR_INTERNAL);
    safetensors_writer_free(writer);
    assert_false(file_exists(path));
    assert_int_equal(rmdir(folder), 0); /* nothing hidden was left */
}

/* What is no plain file is refused without waiting for it. */
static void no_plain_file(void **state)
{
    (void)state;
    char folder[64], path[128];
    TensorFile *file = NULL;
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(tensor_file_open("no/such/file.safetensors", &file), ERR_INPUT);
    ASSERT_ERR(tensor_file_open(path, &file), ERR_INPUT, "not a plain file");
    ASSERT_ERR(safetensors_open(path, &file), ERR_INPUT, "not a plain file");
    ASSERT_ERR(tensor_file_open(folder, &file), ERR_INPUT, "not a plain file");
    ASSERT_ERR(tensor_file_open("/dev/zero", &file), ERR_INPUT, "not a plain file");
    assert_null(file);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* An open file is the one that was opened, whatever happens to its name; cut short, it is an error, not a signal. */
/* Other formats are told by what they are; lengths of headers that look like them are not. */
static void foreign_formats(void **state)
{
    (void)state;
    static const struct {
        const char *start;
        size_t n;
        const char *message;
    } cases[] = {
        { "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", 50, "is a pointer of Git LFS" },
        { "<!DOCTYPE html><html></html>", 28, "is a web page" },
        { "<html>403 Forbidden", 19, "is a web page" },
        { "<?xml version='1.0'?><Error/>", 29, "is an XML file" },
        { "\x89HDF\r\n\x1a\n\0\0\0\0", 12, "is an HDF5 file" },
        { "GGUF\3\0\0\0\0\0\0\0", 12, "is a GGUF file" },
        { "\x93NUMPY\1\0v\0{'descr'", 17, "is an array of NumPy" },
        { "\x80\4\x95\x0b\0\0\0\0\0\0\0}", 12, "is a pickle that PyTorch has not written" },
        { "\x1f\x8b\b\0\0\0\0\0\0\3", 10, "is a compressed file" },
        { "\b\a\x12\apytorch", 11, "is an ONNX model" },
        { "\b\1\x12\x0a\n\0\0\0\0\0", 10, "is a SavedModel of TensorFlow" },
        { "PK\3\4 and nothing more", 20, "is a zip file without its end" },
        { "some text of no format", 22, "is text, not a checkpoint" },
        { "\r\n \n<!doctype html>", 19, "is a web page" },
        { "\xef\xbb\xbf{\"error\":\"Not found\"}", 24, "is JSON, not a checkpoint" },
        { "{\n  \"metadata\": {}", 18, "or the list of the parts of a model" },
        { "II*\0\b\0\0\0\0\0\0\0", 12, "is an image" },
        { "BZh91AY&SY", 10, "is a compressed file; unpack it" },
        { "\x1c\0\0\0TFL3\0\0\0\0", 12, "is a model of TensorFlow Lite" },
        { "\x82\xa6params\x81\xa5layer", 14, "is of no format that is read" }, /* MessagePack, of JAX */
        { "\0\0\0\0\0\0\0\0\0\0\0\0", 12, "is of no format that is read" },
        { "\b", 1, "is of no format that is read" },
        { "", 0, "is empty" },
    };
    char folder[64], path[128];
    TensorFile *file = NULL;
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/x", folder);
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        ASSERT_OK(file_write(path, cases[i].start, cases[i].n, true));
        ASSERT_ERR(tensor_file_open(path, &file), ERR_MODEL, cases[i].message);
    }
    static const uint64_t lengths[] = { 0x280, 0x380, 0x480, 0x580, 0x120708, 0x8b20 };
    for (int64_t i = 0; i < ARRAY_LEN(lengths); i++) {
        const size_t n = 8 + lengths[i] + 4;
        char *bytes = malloc(n);
        assert_non_null(bytes);
        memset(bytes, ' ', n);
        for (int k = 0; k < 8; k++) bytes[k] = (char)(lengths[i] >> 8 * k);
        static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
        memcpy(bytes + 8, header, strlen(header));
        ASSERT_OK(file_write(path, bytes, n, true));
        free(bytes);
        ASSERT_OK(tensor_file_open(path, &file));
        assert_int_equal(tensor_file_count(file), 1);
        tensor_file_close(file);
    }
    (void)file_remove(path);
    (void)rmdir(folder);
}

static void file_changes_while_open(void **state)
{
    (void)state;
    enum { N = 100000 };
    char folder[64], path[128], other[128];
    static float values[N], back[N];
    const Tensor tensor = { .dtype = DTYPE_F32, .shape = { 1, { N } }, .data = values };
    SafetensorsWriter *writer = NULL;
    TensorFile *file = NULL;
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/a.safetensors", folder);
    (void)snprintf(other, sizeof other, "%s/b.safetensors", folder);
    for (int64_t i = 0; i < N; i++) values[i] = (float)i;
    ASSERT_OK(safetensors_writer_new(&writer));
    ASSERT_OK(safetensors_writer_add(writer, "a", &tensor, DTYPE_F32));
    ASSERT_OK(safetensors_writer_write(writer, path, false));
    ASSERT_OK(tensor_file_open(path, &file));
    assert_int_equal(rename(path, other), 0);
    ASSERT_OK(file_write(path, "another file", 12, true));
    ASSERT_OK(stored_tensor_read_f32(tensor_file_find(file, "a"), back));
    assert_memory_equal(values, back, sizeof values);
    assert_int_equal(truncate(other, 50000), 0);
    ASSERT_ERR(stored_tensor_read_f32(tensor_file_find(file, "a"), back), ERR_INPUT, "cut short");
    tensor_file_close(file);
    ASSERT_ERR(tensor_file_open(other, &file), ERR_MODEL, "outside the file's");
    safetensors_writer_free(writer);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_files),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(refuses_many_elements),
        cmocka_unit_test(reads_shapes_and_padding),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(writer_refuses),
        cmocka_unit_test(no_plain_file),
        cmocka_unit_test(foreign_formats),
        cmocka_unit_test(file_changes_while_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
