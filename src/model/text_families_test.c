/* SPDX-License-Identifier: Apache-2.0
 * Every text encoder of the list against transformers (tools/golden/text_families.py), read from the layouts that others publish;
 * what of them is refused; conversion and identity. */
#include "harness/text_family.h"
#include "model/convert.h"
#include "model/text_encoder.h"

enum { VOCABULARY = 600, LENGTHS = 5, MOST = 77, WIDTH = 128 };

static const char bert_config[] =
    "{\"model_type\": \"bert\", \"hidden_act\": \"gelu\", \"num_attention_heads\": 2, \"num_hidden_layers\": 2, "
    "\"hidden_size\": 128, \"layer_norm_eps\": 1e-12}";
static const char gelu_config[] = "{\"model_type\": \"clip\", \"text_config\": {\"hidden_act\": \"gelu\", "
                                  "\"num_attention_heads\": 2, \"layer_norm_eps\": 1e-05}}";
static const char quick_config[] = "{\"model_type\": \"clip_text_model\", \"num_attention_heads\": 2}";
static const char open_clip_config[] =
    "{\"model_cfg\": {\"embed_dim\": 64, \"text_cfg\": {\"width\": 128, \"heads\": 2, \"layers\": 2}}}";

static void write_text(const char *name, const char *text)
{
    char path[256];
    if (text != NULL) ASSERT_OK(file_write(unit_at(name, path), text, strlen(text), true));
}

static void remove_text(const char *name)
{
    char path[256];
    ASSERT_OK(file_remove(unit_at(name, path)));
}

static void check_golden(TextEncoder *encoder, NetworkTextEncoder kind, const char *layout)
{
    char path[96];
    (void)snprintf(path, sizeof path, "published/text_%s.safetensors", network_text_encoder_names[kind]);
    TensorFile *golden = golden_open(path);
    double used = 0.0;
    for (int i = 0; i < LENGTHS; i++) {
        char key[48], name[32];
        int32_t ids[MOST];
        float features[MOST * WIDTH];
        const StoredTensor *stored = NULL;
        (void)snprintf(key, sizeof key, "ids.%d", i);
        ASSERT_OK(tensor_file_require(golden, key, NULL, &stored));
        ASSERT_OK(stored_tensor_copy(stored, ids));
        const int64_t n = shape_count(&stored->shape);
        ASSERT_OK(text_encode(encoder, ids, n, features));
        (void)snprintf(name, sizeof name, "output.%d", i);
        (void)snprintf(key, sizeof key, "output.%d.summary", i);
        const double one = golden_compare(golden, key, name, features, n * WIDTH, 8, 1e-4);
        double *summary = golden_doubles(golden, key, -1);
        (void)snprintf(key, sizeof key, "output.%d.first", i);
        double *first = golden_doubles(golden, key, 64);
        for (int k = 0; k < 64; k++) golden_note(&used, fabs((double)features[k] - first[k]), 1e-4 * summary[2]);
        free(first);
        free(summary);
        if (!(one <= used)) used = one;
    }
    print_message("%s, %s: %.1f %% of the tolerance\n", network_text_encoder_names[kind], layout, 100.0 * used);
    assert_true(used <= 1.0);
    tensor_file_close(golden);
}

/* Opens the file on every instruction set, and its conversions in both precisions. */
static void check_file(const char *path, NetworkTextEncoder kind, const char *layout)
{
    char converted[256];
    ConvertReport report;
    uint64_t hash = 0;
    for (int isa = ISA_PLAIN; isa <= (int)cpu_isa_detect(); isa++) {
        TextEncoder *encoder = NULL;
        Device device = device_default();
        device.isa = (CpuIsa)isa;
        ASSERT_OK(text_encoder_new(path, device, &encoder));
        const ModelTextEncoder identity = text_encoder_identity(encoder);
        assert_true(identity.known && identity.kind == kind);
        assert_int_equal(identity.layers, 2);
        assert_int_equal(identity.width, WIDTH);
        hash = identity.hash;
        check_golden(encoder, kind, layout);
        text_encoder_free(encoder);
    }
    static const char *const names[] = { "converted32.safetensors", "converted16.safetensors" };
    for (int half = 0; half < 2; half++) {
        ASSERT_OK(convert_file(path, unit_at(names[half], converted),
                               &(ConvertOptions){ .weights = half ? DTYPE_F16 : DTYPE_F32, .overwrite = true },
                               &report));
        assert_int_equal(report.kind, CONVERT_TEXT_ENCODER);
    }
    remove_text("config.json"); /* the converted files tell themselves */
    remove_text("open_clip_config.json");
    for (int half = 0; half < 2; half++) {
        TextEncoder *encoder = NULL;
        ASSERT_OK(text_encoder_new(unit_at(names[half], converted), device_default(), &encoder));
        assert_true(text_encoder_identity(encoder).kind == kind && text_encoder_identity(encoder).hash == hash);
        if (!half) check_golden(encoder, kind, "converted");
        text_encoder_free(encoder);
        remove_text(names[half]);
    }
}

static void bert(void **state)
{
    (void)state;
    static const char *const others[] = { "bert.pooler.dense.weight", "cls.predictions.bias" };
    char path[256];
    ParamSet *params = text_family_params(NETWORK_TEXT_ENCODER_bert, VOCABULARY);
    text_family_write(params, unit_at("model.safetensors", path), "bert.", others, 2, 0);
    write_text("config.json", bert_config);
    check_file(path, NETWORK_TEXT_ENCODER_bert, "transformers");
    text_family_write(params, path, "", NULL, 0, 0); /* heads by the width */
    check_file(path, NETWORK_TEXT_ENCODER_bert, "alone");
    params_free(params);
}

static void clip(void **state)
{
    (void)state;
    static const char *const others[] = { "logit_scale", "vision_model.embeddings.position_embedding.weight",
                                          "vision_model.encoder.layers.0.mlp.fc1.weight", "text_projection.weight",
                                          "text_model.embeddings.position_ids" };
    char path[256];
    for (int k = 0; k < 2; k++) {
        const NetworkTextEncoder kind = k == 0 ? NETWORK_TEXT_ENCODER_clip : NETWORK_TEXT_ENCODER_clip_quickgelu;
        ParamSet *params = text_family_params(kind, VOCABULARY);
        unit_at("model.safetensors", path);
        text_family_write(params, path, "text_model.", others, ARRAY_LEN(others), 0);
        write_text("config.json", k == 0 ? gelu_config : quick_config);
        check_file(path, kind, "transformers");
        text_family_write_openai(params, path, k == 0 ? "" : "module.", k == 1);
        if (k == 0) write_text("open_clip_config.json", open_clip_config);
        check_file(path, kind, k == 0 ? "open_clip" : "OpenAI");
        params_free(params);
    }
}

/* One line that says what was expected. */
static void refused(void **state)
{
    (void)state;
    static const struct {
        NetworkTextEncoder kind;
        const char *config, *other;
        int32_t left_out;
        bool openai;
        const char *message;
    } cases[] = {
        { NETWORK_TEXT_ENCODER_clip, NULL, NULL, 0, false,
          "nothing tells whether this CLIP was trained with QuickGELU" },
        { NETWORK_TEXT_ENCODER_clip, NULL, NULL, 0, true,
          "nothing tells whether this CLIP was trained with QuickGELU" },
        { NETWORK_TEXT_ENCODER_clip, "{\"hidden_act\": \"relu\"}", NULL, 0, false, "hidden_act is 'relu'" },
        { NETWORK_TEXT_ENCODER_clip, "{\"model_type\": \"siglip\"}", NULL, 0, false, "model_type is 'siglip'" },
        { NETWORK_TEXT_ENCODER_clip, "{\"hidden_size\": 512}", NULL, 0, false,
          "2 layers of 128 features, the configuration" },
        { NETWORK_TEXT_ENCODER_clip, "{\"num_attention_heads\": 3}", NULL, 0, false,
          "3 heads do not divide a width of 128" },
        { NETWORK_TEXT_ENCODER_clip, "{\"num_attention_heads\": \"two\"}", NULL, 0, false, "num_attention_heads" },
        { NETWORK_TEXT_ENCODER_clip, quick_config, NULL, 1, false, "final_layer_norm.bias" },
        { NETWORK_TEXT_ENCODER_clip, quick_config, "encoder.layers.1.mlp.lora.weight", 0, false, "mlp.lora.weight" },
        { NETWORK_TEXT_ENCODER_bert, "{\"model_type\": \"roberta\"}", NULL, 0, false, "model_type is 'roberta'" },
        { NETWORK_TEXT_ENCODER_bert, "{\"position_embedding_type\": \"relative_key\"}", NULL, 0, false,
          "relative_key" },
        { NETWORK_TEXT_ENCODER_bert, "{\"hidden_act\": \"quick_gelu\"}", NULL, 0, false, "BERT has gelu" },
        { NETWORK_TEXT_ENCODER_bert, bert_config, "other.encoder.embeddings.word_embeddings.weight", 0, false, "" },
    };
    char path[256];
    unit_at("model.safetensors", path);
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        ParamSet *params = text_family_params(cases[i].kind, VOCABULARY);
        TextEncoder *encoder = NULL;
        if (cases[i].openai)
            text_family_write_openai(params, path, "", false);
        else
            text_family_write(params, path, "", &cases[i].other, cases[i].other != NULL ? 1 : 0, cases[i].left_out);
        write_text("config.json", cases[i].config);
        ASSERT_ERR(text_encoder_new(path, device_default(), &encoder), ERR_MODEL, cases[i].message);
        assert_null(encoder);
        remove_text("config.json");
        params_free(params);
    }
    remove_text("model.safetensors");
}

/* A folder: the vocabulary that belongs to the weights. */
static void folder(void **state)
{
    (void)state;
    static const char words[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n", merges[] = "#version: 0.2\na b\n";
    char path[256];
    TextEncoder *encoder = NULL;
    Tokenizer *tokenizer = NULL;
    ParamSet *params = text_family_params(NETWORK_TEXT_ENCODER_clip, VOCABULARY);
    text_family_write(params, unit_at("model.safetensors", path), "", NULL, 0, 0);
    write_text("config.json", gelu_config);
    write_text("vocab.txt", words);
    ASSERT_ERR(text_encoder_open(unit_scratch, device_default(), &encoder, &tokenizer), ERR_INPUT,
               "holds no vocabulary of CLIP text; merges.txt or");
    write_text("merges.txt", merges);
    ASSERT_OK(text_encoder_open(unit_scratch, device_default(), &encoder, &tokenizer));
    assert_int_equal(tokenizer_count(tokenizer), 515);
    assert_int_equal(text_encoder_most_tokens(encoder), 77);
    int32_t ids[78] = { 514, 600 };
    float features[2 * WIDTH];
    ASSERT_ERR(text_encode(encoder, ids, 78, features), ERR_ARGUMENT, "1 to 77 can be encoded");
    ASSERT_ERR(text_encode(encoder, ids, 2, features), ERR_ARGUMENT, "token id 600 is outside");
    ModelConfig config = { .name = (char *)"map", .text_encoder = text_encoder_identity(encoder) };
    ASSERT_OK(text_encoder_check(encoder, "here", &config));
    config.text_encoder.hash++;
    ASSERT_ERR(text_encoder_check(encoder, "here", &config), ERR_MODEL,
               "not those that the model 'map' was trained with");
    config.text_encoder.kind = NETWORK_TEXT_ENCODER_bert;
    ASSERT_ERR(text_encoder_check(encoder, "here", &config), ERR_MODEL, "was trained with BERT of 2 layers and 128");
    config.text_encoder.known = false;
    config.network.text_width = 384;
    ASSERT_ERR(text_encoder_check(encoder, "here", &config), ERR_MODEL, "reads text of 384 features");
    config.network.text_width = 128;
    ASSERT_OK(text_encoder_check(encoder, "here", &config));
    text_encoder_free(encoder);
    tokenizer_free(tokenizer);
    params_free(params);
    params = text_family_params(NETWORK_TEXT_ENCODER_clip, 514);
    text_family_write(params, path, "", NULL, 0, 0);
    ASSERT_ERR(text_encoder_open(unit_scratch, device_default(), &encoder, &tokenizer), ERR_MODEL,
               "has 515 tokens, the text encoder beside it knows 514");
    params_free(params);
    remove_text("model.safetensors");
    remove_text("config.json");
    remove_text("vocab.txt");
    remove_text("merges.txt");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(bert), cmocka_unit_test(clip), cmocka_unit_test(refused),
                                        cmocka_unit_test(folder) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
