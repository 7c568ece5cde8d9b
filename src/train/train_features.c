/* SPDX-License-Identifier: Apache-2.0
 * Encodes the prompt bank once per run: all wordings, of which the model file carries the first of each zone.
 *
 * Training images without date and sensor teach zones alone, so each prompt is the zone sentence. */
#include "train/trainer.h"

#include "data/prompt_bank_file.h"
#include "text/prompt.h"

#include <stdlib.h>

typedef struct Encoding {
    PromptBank bank;
    float *rows;
} Encoding;

/* Whether prompts are encoded here; else those of train.from's model or of a checkpoint stay. */
static bool encodes(const Trainer *t)
{
    return run_config_reads_text(t->config) && t->config->train.text == TRAIN_TEXT_ZONES &&
           t->config->train.text_encoder != NULL;
}

Err trainer_open_text(Trainer *t)
{
    return encodes(t) ? text_encoder_open(t->config->train.text_encoder, t->device, &t->text_encoder, &t->tokenizer)
                      : ERR_NONE;
}

void trainer_close_text(Trainer *t)
{
    text_encoder_free(t->text_encoder);
    tokenizer_free(t->tokenizer);
    t->text_encoder = NULL;
    t->tokenizer = NULL;
}

Err trainer_describe_text(const Trainer *t, ModelConfig *config)
{
    Model *from = NULL;
    if (t->text_encoder != NULL) {
        config->text_encoder = text_encoder_identity(t->text_encoder);
        config->network.text_width = config->text_encoder.width;
    } else if (run_config_reads_text(t->config) && t->config->train.from != NULL) {
        TRY(model_load(t->config->train.from, false, &from));
        config->text_encoder = from->config.text_encoder;
        config->network.text_width = from->config.network.text_width;
        model_free(from);
    }
    return ERR_NONE;
}

/* One wording of one zone -> its place in the table. */
static Err encode_wording(Trainer *t, Encoding *e, int32_t zone, int32_t wording)
{
    const PromptFacts facts = { .zone = zone, .paraphrase = wording };
    Prompt prompt = { 0 };
    TRY(prompt_compose(&e->bank, &facts, &prompt));
    Err err = prompt_tokenize(t->tokenizer, text_encoder_most_tokens(t->text_encoder), &prompt);
    if (err == ERR_NONE) err = text_encode(t->text_encoder, prompt.ids, prompt.n_tokens, e->rows);
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
    TRY(text_encoder_check(t->text_encoder, t->config->train.text_encoder, &t->model->config));
    prompt_table_done(&t->model->prompts); /* those of a checkpoint */
    TRY(prompt_table_init(&t->model->prompts, CLIMATE_ZONES, (int32_t)wordings,
                          (int32_t)text_encoder_most_tokens(t->text_encoder), t->model->config.network.text_width));
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
    if (t->text_encoder == NULL) return ERR_NONE;
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
    free(e->rows);
    free(e);
    return err;
}
