/* SPDX-License-Identifier: Apache-2.0
 * The text encoder with the published weights against transformers (tools/golden/text_encoder.py), and its errors. */
#include "model/text_encoder.h"

#include "base/json.h"
#include "harness/golden.h"
#include "harness/vocabulary.h"
#include "model/convert.h"

static const double tolerance = 1e-4;
enum { MOST = 64, WIDTH = 384 };
enum { SENTENCES = 4 };

static TextEncoder *loaded(CpuIsa isa)
{
    char path[512];
    TextEncoder *encoder = NULL;
    Device device = device_default();
    device.isa = isa;
    data_file_require("minilm/model.safetensors", path);
    ASSERT_OK(text_encoder_new(path, device, &encoder));
    return encoder;
}

static int64_t read_ids(const TensorFile *golden, int sentence, int32_t *ret_ids)
{
    char key[32];
    const StoredTensor *tensor = NULL;
    (void)snprintf(key, sizeof key, "ids.%d", sentence);
    assert_int_equal(tensor_file_require(golden, key, NULL, &tensor), ERR_NONE);
    assert_true(shape_count(&tensor->shape) <= MOST);
    ASSERT_OK(stored_tensor_copy(tensor, ret_ids));
    return shape_count(&tensor->shape);
}

static void check_sentence(const TensorFile *golden, TextEncoder *encoder, int sentence, const char *cpu)
{
    int32_t ids[MOST];
    float features[MOST * WIDTH], want[MOST * WIDTH];
    char name[32], key[48];
    const int64_t n = read_ids(golden, sentence, ids), count = n * WIDTH;
    ASSERT_OK(text_encode(encoder, ids, n, features));
    (void)snprintf(name, sizeof name, "output.%d", sentence);
    (void)snprintf(key, sizeof key, "output.%d.summary", sentence);
    const double used = golden_compare(golden, key, name, features, count, 8, tolerance);
    print_message("%s, sentence %d, %d tokens: %.2f %% of the tolerance\n", cpu, sentence, (int)n, 100.0 * used);
    assert_true(used <= 1.0);
    const StoredTensor *full = tensor_file_find(golden, name);
    if (full == NULL) return;
    assert_int_equal(stored_tensor_read_f32(full, want), ERR_NONE);
    double largest = 0.0, worst = 0.0;
    for (int64_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)want[i]));
    for (int64_t i = 0; i < count; i++) {
        golden_note(&worst, fabs((double)want[i] - (double)features[i]), tolerance * largest);
    }
    assert_true(worst <= 1.0);
}

static void parity(void **state)
{
    (void)state;
    TensorFile *golden = golden_open("text_encoder.safetensors");
    for (int isa = ISA_PLAIN; isa <= (int)cpu_isa_detect(); isa++) {
        TextEncoder *encoder = loaded((CpuIsa)isa);
        for (int i = SENTENCES - 1; i >= 0; i--) check_sentence(golden, encoder, i, cpu_isa_name((CpuIsa)isa));
        check_sentence(golden, encoder, 1, "again");
        text_encoder_free(encoder);
    }
    tensor_file_close(golden);
}

/* Text, our tokenizer and the encoder's ids fit together. */
static void tokenizer_fits(void **state)
{
    (void)state;
    Tokenizer *tokenizer = vocabulary_published();
    TensorFile *golden = golden_open("text_encoder.safetensors");
    const char *json = tensor_file_metadata(golden, "sentences");
    Json *root = NULL;
    assert_non_null(json);
    assert_int_equal(json_parse(json, strlen(json), 1 << 16, &root), ERR_NONE);
    int sentence = 0;
    for (const Json *node = json_first(root); node != NULL; node = json_next(node), sentence++) {
        int32_t want[MOST], ids[MOST];
        const char *text = NULL;
        int64_t n = 0;
        assert_int_equal(json_as_string(node, "sentence", &text), ERR_NONE);
        const int64_t wanted = read_ids(golden, sentence, want);
        assert_int_equal(tokenizer_encode(tokenizer, text, strlen(text), MOST, ids, &n, NULL), ERR_NONE);
        assert_int_equal(n, wanted);
        assert_memory_equal(ids, want, (size_t)n * sizeof *ids);
    }
    assert_int_equal(sentence, SENTENCES);
    json_free(root);
    tensor_file_close(golden);
    tokenizer_free(tokenizer);
}

static void errors(void **state)
{
    (void)state;
    TextEncoder *encoder = loaded(cpu_isa_detect());
    float features[WIDTH];
    int32_t id = 30522;
    assert_int_equal(text_encode(encoder, &id, 1, features), ERR_ARGUMENT);
    id = -1;
    assert_int_equal(text_encode(encoder, &id, 1, features), ERR_ARGUMENT);
    assert_int_equal(text_encode(encoder, &id, 0, features), ERR_ARGUMENT);
    assert_int_equal(text_encode(encoder, &id, 65, features), ERR_ARGUMENT);
    text_encoder_free(encoder);
}

static void wrong_files(void **state)
{
    (void)state;
    TextEncoder *encoder = NULL;
    char path[512];
    assert_int_equal(text_encoder_new("no/such/file", device_default(), &encoder), ERR_INPUT);
    (void)snprintf(path, sizeof path, "%s/tests/golden/torch_legacy.pth", METASEG_SOURCE_DIR);
    assert_int_equal(text_encoder_new(path, device_default(), &encoder), ERR_MODEL);
    ConvertReport report;
    assert_int_equal(
        convert_file(path, "never", &(ConvertOptions){ .weights = DTYPE_F32, .overwrite = false }, &report), ERR_MODEL);
    assert_int_equal(
        convert_file(path, "never", &(ConvertOptions){ .weights = DTYPE_BF16, .overwrite = false }, &report),
        ERR_ARGUMENT);
    assert_null(encoder);
}

static void conversion(void **state)
{
    (void)state;
    char weights[512], folder[64], path[128];
    data_file_require("minilm/model.safetensors", weights);
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/text.safetensors", folder);
    ConvertReport report = { 0 };
    ASSERT_OK(convert_file(weights, path, &(ConvertOptions){ .weights = DTYPE_F16, .overwrite = false }, &report));
    assert_int_equal(report.kind, CONVERT_TEXT_ENCODER);
    assert_int_equal(report.read, 104);
    assert_int_equal(report.written, 101);
    TextEncoder *half = NULL, *full = loaded(cpu_isa_detect());
    ASSERT_OK(text_encoder_new(path, device_default(), &half));
    const int32_t ids[] = { 101, 2300, 1012, 102 };
    float a[4 * WIDTH], b[4 * WIDTH];
    assert_int_equal(text_encode(full, ids, 4, a), ERR_NONE);
    assert_int_equal(text_encode(half, ids, 4, b), ERR_NONE);
    for (int64_t i = 0; i < ARRAY_LEN(a); i++)
        assert_true(fabsf(a[i] - b[i]) < 0.02F); /* features of unit size, f16 weights */
    text_encoder_free(half);
    text_encoder_free(full);
    (void)file_remove(path);
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parity),      cmocka_unit_test(tokenizer_fits), cmocka_unit_test(errors),
        cmocka_unit_test(wrong_files), cmocka_unit_test(conversion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
