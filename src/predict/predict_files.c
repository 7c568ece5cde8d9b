/* SPDX-License-Identifier: Apache-2.0
 * Before any work: no output of a prediction is one of its inputs or another output, and each is what its name says. */
#include "predict/predictor.h"

#include "base/file.h"
#include "geo/raster_files.h"
#include "geo/vector_labels.h"
#include "model/text_encoder.h"

#include <stdlib.h>

static Err read_in(const char *folder, const char *name, FileSet *set, const char *role)
{
    char *path = NULL;
    if (folder == NULL) return ERR_NONE;
    TRY(path_join(folder, name, &path));
    const Err err = file_set_input(set, path, role);
    free(path);
    return err;
}

static Err add_all(const MetasegModel *model, const Raster *raster, const Raster *mask, const char *out,
                   const MetasegPredictOptions *o, FileSet *set)
{
    TRY(raster_files_read(raster, set, "the image"));
    if (mask != NULL) TRY(raster_files_read(mask, set, "the cloud mask"));
    if (o->cutline != NULL) TRY(vector_files_path(o->cutline, set, "the cutline", false));
    TRY(file_set_input(set, tensor_file_path(model->file), "the model"));
    TRY(read_in(model->run.data_folder, "koppen_geiger.bin", set, "the climate map"));
    if (o->prompt != NULL) {
        char *weights = NULL, *vocabulary = NULL;
        TRY(text_encoder_paths(o->text_encoder, &weights, &vocabulary));
        Err err = file_set_input(set, weights, "the text encoder");
        if (err == ERR_NONE) err = file_set_input(set, vocabulary, "the vocabulary of the text encoder");
        free(weights);
        free(vocabulary);
        TRY(err);
    }
    TRY(raster_files_written(out, set, "the map"));
    TRY(raster_files_written(o->confidence, set, "the confidence"));
    TRY(raster_files_written(o->probabilities, set, "the raster of probabilities"));
    TRY(file_set_output(set, o->areas, "the table of areas"));
    return file_set_output(set, o->quicklook, "the quicklook");
}

static Err tell_style(const MetasegModel *model, const char *out)
{
    char *style = NULL;
    if (out == NULL) return ERR_NONE;
    TRY(raster_style_path(out, &style));
    if (raster_style_is_foreign(style))
        predictor_tell(
            model, 1, "'%s': a style that metaseg did not write is there and stays; QGIS shows the map with it", style);
    free(style);
    return ERR_NONE;
}

Err predictor_check_files(const MetasegModel *model, const Raster *raster, const Raster *mask, const char *out,
                          const MetasegPredictOptions *options)
{
    FileSet set = { .stop = model->run.stop };
    TRY(file_check_kind(out, "the map", "GeoTIFF", "tif,tiff"));
    TRY(file_check_kind(options->confidence, "the confidence", "GeoTIFF", "tif,tiff"));
    TRY(file_check_kind(options->probabilities, "the raster of probabilities", "GeoTIFF", "tif,tiff"));
    TRY(file_check_kind(options->quicklook, "the quicklook", "PNG picture", "png"));
    TRY(file_check_kind(options->areas, "the table of areas", "CSV or JSON text", "csv,json,txt"));
    const Err err = add_all(model, raster, mask, out, options, &set);
    file_set_done(&set);
    return err == ERR_NONE ? tell_style(model, out) : err;
}
