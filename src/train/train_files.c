/* SPDX-License-Identifier: Apache-2.0
 * Before any work: nothing in the run folder that training writes is one of its inputs. */
#include "train/trainer.h"

#include "base/file.h"
#include "geo/raster_files.h"
#include "geo/vector_labels.h"

#include <stdlib.h>

static Err read_text_encoder(const TrainOptions *train, FileSet *set)
{
    char *weights = NULL, *vocabulary = NULL;
    if (train->text_encoder == NULL) return ERR_NONE;
    TRY(text_encoder_paths(train->text_encoder, &weights, &vocabulary));
    Err err = file_set_input(set, weights, "a file of the text encoder");
    if (err == ERR_NONE) err = file_set_input(set, vocabulary, "a file of the text encoder");
    free(weights);
    free(vocabulary);
    return err;
}

static Err add_outputs(const TrainOptions *train, FileSet *set)
{
    static const char *const names[] = { "best.safetensors", "last.safetensors", "metrics.csv", "metrics.jsonl",
                                         "classes.csv",      TRAINER_EVENTS,     "config.yaml", TRAINER_REPORT };
    Err err = file_set_output(set, train->output, "the run folder");
    for (int64_t i = 0; i < ARRAY_LEN(names) && err == ERR_NONE; i++) {
        char *path = NULL;
        err = path_join(train->output, names[i], &path);
        if (err == ERR_NONE) err = file_set_output(set, path, "a file of the run folder");
        free(path);
    }
    return err;
}

static Err add_all(const RunConfig *config, const char *path, FileSet *set)
{
    const TrainOptions *train = &config->train;
    TRY(add_outputs(train, set));
    TRY(file_set_input(set, path, "the configuration"));
    TRY(file_set_input(set, config->class_table, "the class table"));
    TRY(file_set_input(set, train->encoder_weights, "the weights of the encoder"));
    TRY(file_set_input(set, train->from, "the model of train.from"));
    TRY(file_set_input(set, train->prompts, "the prompt bank"));
    TRY(file_set_input(set, train->climate, "the climate map"));
    TRY(read_text_encoder(train, set));
    for (uint32_t i = 0; i < config->data.n_scenes; i++) {
        TRY(raster_files_path(config->data.scenes[i].image, set, "an image"));
        TRY(raster_files_path(config->data.scenes[i].mask, set, "a cloud mask"));
        const char *labels = config->data.scenes[i].labels;
        if (vector_labels_is_vector(labels))
            TRY(vector_files_path(labels, set, "a label file", true));
        else
            TRY(raster_files_path(labels, set, "a label raster"));
    }
    return ERR_NONE;
}

Err trainer_check_files(const RunConfig *config, const char *path, const volatile int *stop)
{
    FileSet set = { .stop = stop };
    const Err err = add_all(config, path, &set);
    file_set_done(&set);
    return err;
}
