/* SPDX-License-Identifier: Apache-2.0
 *
 * A data set: its scenes, which windows training draws, which windows validation covers, and how pixels are normalised.
 *
 *     TRY(dataset_open(&options, climate, run, &dataset));
 *     TRY(dataset_reader_new(dataset, &reader));           // one a thread
 *     TRY(dataset_training_window(reader, step, 0, table, network_inputs_at(&batch, 0)));
 *
 * Training windows never touch a holdout box with any part of their footprint, and labels inside validation boxes are
 * never learned, nor is anything of a validation scene. Holdout scenes are not opened. Everything is a function of (seed, step, index), so any thread can make any window and a continued run
 * sees what an unbroken one sees.
 */
#ifndef METASEG_DATA_DATASET_H
#define METASEG_DATA_DATASET_H

#include "data/dataset_options.h"
#include "data/survey.h"
#include "data/text_inputs.h"
#include "metaseg/run.h"

typedef struct Dataset Dataset;
typedef struct DatasetReader DatasetReader;

/* Visits all scenes once: reads their labels for the sampler, searches their images for valid pixels, and tells through
 * `run` what a person should know before any work (census.h). options and climate are borrowed; without a climate map
 * every window reads the null prompt, without `run` nothing is told. Keeps an index and no open file: there may be any
 * number of scenes. ERR_INPUT, ERR_CONFIG, ERR_MEMORY; ERR_INTERRUPTED when run->stop asks for it. dataset_close(). */
Err dataset_open(const DatasetOptions *options, const Climate *climate, const MetasegRun *run, Dataset **ret_dataset);
void dataset_close(Dataset *dataset);

/* Opens a data set only to tell what it holds: also holdout scenes, and how far the bands are from what training would normalise
 * with. survey: of survey_init with the same options; where the data set is refused it holds what was seen until then. Progress of
 * `run` counts scenes. Errors of dataset_open and dataset_statistics. */
Err dataset_survey(const DatasetOptions *options, const Climate *climate, const MetasegRun *run, Survey *survey);

/* How much label of a class is for what; those of holdout scenes are not known. Square metres of a climate zone (0: none) in all
 * images that were opened; 0 without a climate map. */
LabelArea dataset_class_area(const Dataset *dataset, DatasetPart part, int64_t class_index);
double dataset_zone_area(const Dataset *dataset, int32_t zone);

/* Reads windows of a data set, which must outlive it: the room for one, and a few open scenes. One thread at a time, but
 * readers do not know of each other. ERR_MEMORY. */
Err dataset_reader_new(const Dataset *dataset, DatasetReader **ret_reader);
void dataset_reader_free(DatasetReader *reader);

int64_t dataset_bands(const Dataset *dataset);

/* Classes that labels give probabilities of: NetworkShape.label_classes of training; 0 where labels are classes. */
int64_t dataset_label_classes(const DatasetOptions *options);

/* Name of band 0 <= i < dataset_bands() in the first scene's file: "red", "nir" where that is told, else the file's own. */
const char *dataset_band_name(const Dataset *dataset, int64_t i);

/* Mean and standard deviation per band: the configured ones, or measured over the valid pixels of the first windows
 * that training would draw. ret arrays hold dataset_bands() values. By a reader that read no window yet. Then set once,
 * before any reader reads a window: values come normalised by what was set, and as they are if nothing was. */
Err dataset_statistics(DatasetReader *reader, double *ret_mean, double *ret_std);
void dataset_set_statistics(Dataset *dataset, const double *mean, const double *std);

/* Training window `index` of a step: sampled, augmented, with its text (or the null prompt by text dropout), into one
 * image of a batch (network_inputs_at) of train.window pixels and dataset_bands() bands (else ERR_SHAPE); labels are
 * class indexes or CLASS_IGNORE, with their probabilities where the batch has room for them. table NULL: the image has no text. */
Err dataset_training_window(DatasetReader *reader, uint64_t step, uint64_t index, const PromptTable *table,
                            NetworkInputs image);

/* The sets of options->band_sets: how many, and "red+green+blue" of one (BandSet). */
int64_t dataset_band_sets(const Dataset *dataset);
const char *dataset_band_set_name(const Dataset *dataset, int64_t i);

/* Validation windows cover the validation boxes or scenes; each pixel of a scene counts once, labels outside the boxes
 * and inside holdout boxes are CLASS_IGNORE. First paraphrase, no augmentation. set: bands that are there, one of the sets, where options->stretch is
 * not 0 and they are colours alone as bytes of the plain stretch (augment_picture); -1: all bands. */
int64_t dataset_validation_count(const Dataset *dataset);
Err dataset_validation_window(DatasetReader *reader, int64_t index, int64_t set, const PromptTable *table,
                              NetworkInputs image);

#endif
