/* SPDX-License-Identifier: Apache-2.0
 * Encodes the prompt bank once per run: all wordings, of which the model file carries the first of each zone.
 *
 * Training images without date and sensor teach zones alone, so each prompt is the zone sentence. */
#include "train/trainer.h"

#include "base/file.h"
#include "data/prompt_bank_file.h"
#include "model/text_encoder.h"
#include "text/prompt.h"

#include <stdlib.h>

typedef struct Encoding {
    PromptBank bank;
    WordPiece *tokenizer;
    TextEncoder *encoder;
    float *rows;
} Encoding;

static Err open_encoder(const Trainer *t, Encoding *e)
{
    const char *folder = t->config->train.text_encoder;
    char *vocabulary = NULL;
    char *weights = NULL;
    Err err = path_join(folder, "vocab.txt", &vocabulary);
    if (err == ERR_NONE) err = path_join(folder, "model.safetensors", &weights);
    if (err == ERR_NONE) err = wordpiece_new(vocabulary, &e->tokenizer);
    if (err == ERR_NONE) err = text_encoder_new(weights, t->device, &e->encoder);
    free(vocabulary);
    free(weights);
    return err;
}

/* One wording of one zone -> its place in the table. */
static Err encode_wording(Trainer *t, Encoding *e, int32_t zone, int32_t wording)
{
    const PromptFacts facts = { .zone = zone, .paraphrase = wording };
    Prompt prompt = { 0 };
    TRY(prompt_compose(&e->bank, &facts, &prompt));
    Err err = prompt_tokenize(e->tokenizer, &prompt);
    if (err == ERR_NONE) err = text_encode(e->encoder, prompt.ids, prompt.n_tokens, e->rows);
    if (err == ERR_NONE)
        err = prompt_table_set(&t->model->prompts, zone - 1, wording, climate_zone_name(zone), prompt.sentences[0].text,
                               e->rows, (int32_t)prompt.n_tokens);
    prompt_done(&prompt);
    return err;
}

static Err encode_all(Trainer *t, Encoding *e)
{
    uint32_t wordings = e->bank.zones[0].n_paraphrases;
    for (uint32_t z = 0; z < e->bank.n_zones; z++)
        wordings = e->bank.zones[z].n_paraphrases < wordings ? e->bank.zones[z].n_paraphrases : wordings;
    TRY(open_encoder(t, e));
    prompt_table_done(&t->model->prompts); /* those of a checkpoint */
    TRY(prompt_table_init(&t->model->prompts, CLIMATE_ZONES, (int32_t)wordings, PROMPT_TOKENS_MAX,
                          t->model->config.network.text_width));
    for (int32_t zone = 1; zone <= CLIMATE_ZONES; zone++) {
        for (int32_t w = 0; w < (int32_t)wordings; w++) TRY(encode_wording(t, e, zone, w));
        if (trainer_asked_to_stop(t)) return err_set(ERR_INTERRUPTED, "stopped while the prompts were encoded");
    }
    return model_config_set_text(
        &t->model->config.prompts,
        "first wording of each Koeppen-Geiger zone of share/prompts/koppen.yaml, zone sentence alone");
}

Err trainer_encode_prompts(Trainer *t)
{
    if (t->config->train.text == TRAIN_TEXT_NULL) return ERR_NONE;
    if (t->config->train.text_encoder == NULL)
        return ERR_NONE; /* those of train.from's model or of a checkpoint stay */
    Encoding *e = calloc(1, sizeof *e);
    if (e == NULL) return err_memory(sizeof *e, "the prompts");
    const size_t room = (size_t)PROMPT_TOKENS_MAX * (size_t)t->model->config.network.text_width * sizeof *e->rows;
    e->rows = malloc(room);
    Err err =
        e->rows != NULL ? prompt_bank_file_load(t->config->train.prompts, &e->bank) : err_memory(room, "the prompts");
    if (err == ERR_NONE) {
        err = encode_all(t, e);
        prompt_bank_file_free(&e->bank);
    }
    text_encoder_free(e->encoder);
    wordpiece_free(e->tokenizer);
    free(e->rows);
    free(e);
    return err;
}
