/* SPDX-License-Identifier: Apache-2.0
 * The user's own words instead of the zones': encoded at prediction, one slot with share 1 everywhere. */
#include "predict/predictor.h"

#include "base/file.h"
#include "model/text_encoder.h"
#include "text/prompt.h"

#include <stdlib.h>

static Err encode(const MetasegModel *model, Prompt *prompt, TextEncoder *encoder, const Tokenizer *tokenizer,
                  PromptTable *table)
{
    const ModelConfig *config = &model->model->config;
    const size_t values = (size_t)PROMPT_TOKENS_MAX * (size_t)table->width;
    float *rows = malloc(values * sizeof *rows);
    Err err = rows != NULL ? ERR_NONE : err_memory(values * sizeof *rows, "a prompt");
    if (err == ERR_NONE) err = prompt_tokenize(tokenizer, text_encoder_most_tokens(encoder), prompt);
    if (err == ERR_NONE && prompt->n_tokens > config->network.prompt_tokens)
        err = err_set(ERR_ARGUMENT, "the prompt has %lld tokens; the model '%s' reads at most %d, say it shorter",
                      (long long)prompt->n_tokens, config->name, (int)config->network.prompt_tokens);
    if (err == ERR_NONE) err = text_encode(encoder, prompt->ids, prompt->n_tokens, rows);
    if (err == ERR_NONE)
        err = prompt_table_set(table, 0, 0, "free", prompt->sentences[0].text, rows, (int32_t)prompt->n_tokens);
    free(rows);
    return err;
}

/* The text encoder of the folder, which must be the model's. */
static Err open_encoder(const MetasegModel *model, const char *folder, TextEncoder **ret_encoder,
                        Tokenizer **ret_tokenizer)
{
    char *weights = NULL, *vocabulary = NULL;
    TRY(text_encoder_paths(folder, &weights, &vocabulary));
    Err err = ERR_NONE;
    if (!file_exists(vocabulary) || !file_exists(weights))
        err = err_set(
            ERR_INPUT,
            "'%s': a free prompt needs model.safetensors and vocab.txt (of CLIP: merges.txt) of the text encoder "
            "there; 'make data' in the source tree brings those of all-MiniLM-L6-v2",
            folder);
    free(weights);
    free(vocabulary);
    if (err == ERR_NONE) err = text_encoder_open(folder, model->device, ret_encoder, ret_tokenizer);
    return err == ERR_NONE ? text_encoder_check(*ret_encoder, folder, &model->model->config) : err;
}

Err predictor_free_prompt(const MetasegModel *model, const MetasegPredictOptions *options, PromptTable *ret_table)
{
    if (model->model->prompts.count == 0)
        return err_set(ERR_ARGUMENT, "the model '%s' reads no text; leave the prompt out", model->model->config.name);
    if (options->prompts != METASEG_PROMPTS_GROUNDED)
        return err_set(ERR_ARGUMENT, "a free prompt takes the place of the zones'; it does not go with other prompts");
    if (options->text_encoder == NULL)
        return err_set(ERR_ARGUMENT, "a free prompt needs the folder of the text encoder");
    Prompt prompt = { .n_sentences = 0 };
    PromptTable table = { 0 };
    TextEncoder *encoder = NULL;
    Tokenizer *tokenizer = NULL;
    TRY(prompt_from_text(options->prompt, &prompt));
    Err err = open_encoder(model, options->text_encoder, &encoder, &tokenizer);
    if (err == ERR_NONE)
        err = prompt_table_init(&table, 1, 1, PROMPT_TOKENS_MAX, model->model->config.network.text_width);
    if (err == ERR_NONE) err = encode(model, &prompt, encoder, tokenizer, &table);
    if (err == ERR_NONE)
        *ret_table = table;
    else
        prompt_table_done(&table);
    prompt_done(&prompt);
    text_encoder_free(encoder);
    tokenizer_free(tokenizer);
    return err;
}
