/* SPDX-License-Identifier: Apache-2.0
 * The user's own words instead of the zones': encoded at prediction, one slot with share 1 everywhere. */
#include "predict/predictor.h"

#include "base/file.h"
#include "model/text_encoder.h"
#include "text/prompt.h"

#include <stdlib.h>

static Err encode(const MetasegModel *model, Prompt *prompt, const char *vocabulary, const char *weights,
                  PromptTable *table)
{
    const int32_t room = model->model->config.network.prompt_tokens;
    WordPiece *tokenizer = NULL;
    TextEncoder *encoder = NULL;
    const size_t values = (size_t)PROMPT_TOKENS_MAX * (size_t)table->width;
    float *rows = malloc(values * sizeof *rows);
    Err err = rows != NULL ? ERR_NONE : err_memory(values * sizeof *rows, "a prompt");
    if (err == ERR_NONE) err = wordpiece_new(vocabulary, &tokenizer);
    if (err == ERR_NONE) err = prompt_tokenize(tokenizer, prompt);
    if (err == ERR_NONE && prompt->n_tokens > room)
        err = err_set(ERR_ARGUMENT, "the prompt has %lld tokens; the model '%s' reads at most %d, say it shorter",
                      (long long)prompt->n_tokens, model->model->config.name, (int)room);
    if (err == ERR_NONE) err = text_encoder_new(weights, model->device, &encoder);
    if (err == ERR_NONE) err = text_encode(encoder, prompt->ids, prompt->n_tokens, rows);
    if (err == ERR_NONE)
        err = prompt_table_set(table, 0, 0, "free", prompt->sentences[0].text, rows, (int32_t)prompt->n_tokens);
    text_encoder_free(encoder);
    wordpiece_free(tokenizer);
    free(rows);
    return err;
}

Err predictor_free_prompt(const MetasegModel *model, const MetasegPredictOptions *options, PromptTable *ret_table)
{
    if (model->model->prompts.count == 0)
        return err_set(ERR_ARGUMENT, "the model '%s' reads no text; leave the prompt out", model->model->config.name);
    if (options->prompts != METASEG_PROMPTS_GROUNDED)
        return err_set(ERR_ARGUMENT, "a free prompt takes the place of the zones'; it does not go with other prompts");
    if (options->text_encoder == NULL)
        return err_set(ERR_ARGUMENT, "a free prompt needs the folder of the text encoder");
    char *vocabulary = NULL, *weights = NULL;
    Prompt prompt = { .n_sentences = 0 };
    PromptTable table = { 0 };
    TRY(prompt_from_text(options->prompt, &prompt));
    Err err = path_join(options->text_encoder, "vocab.txt", &vocabulary);
    if (err == ERR_NONE) err = path_join(options->text_encoder, "model.safetensors", &weights);
    if (err == ERR_NONE && !(file_exists(vocabulary) && file_exists(weights)))
        err = err_set(ERR_INPUT,
                      "'%s': a free prompt needs model.safetensors and vocab.txt of the text encoder there; "
                      "'make data' in the source tree brings them",
                      options->text_encoder);
    if (err == ERR_NONE)
        err = prompt_table_init(&table, 1, 1, PROMPT_TOKENS_MAX, model->model->config.network.text_width);
    if (err == ERR_NONE) err = encode(model, &prompt, vocabulary, weights, &table);
    if (err == ERR_NONE)
        *ret_table = table;
    else
        prompt_table_done(&table);
    prompt_done(&prompt);
    free(vocabulary);
    free(weights);
    return err;
}
