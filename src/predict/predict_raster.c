/* SPDX-License-Identifier: Apache-2.0
 * A raster in, georeferenced maps out; nothing under the final names until all is written. */
#include "predict/predictor.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "data/image_source.h"
#include "geo/raster_write.h"
#include "predict/area_table.h"
#include "predict/map_store.h"
#include "predict/provenance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODATA = 255, DECODED_LEAST = 16 << 20, DECODED_MOST = 32 << 20 };

typedef struct Task {
    MetasegModel *model;
    const MetasegPredictOptions *options;
    const char *in, *out;
    bool known;         /* place and pixel size of the options are a data set's: nothing is said where the file tells */
    uint8_t *whole;     /* [height, width] without `out`: the codes */
    ImageSource *image; /* on the network's grid; the reader thread's, but for raster_take_valid */
    PromptTable own_prompt; /* of options->prompt */
    RasterWriter *map, *confidence, *probabilities;
    MapStore *store; /* planes of all of these; NULL: none is written */
    Quicklook *quicklook;
    ClassAreas areas;   /* of the map, once it is complete */
    Output *outputs[5]; /* complete, without their names yet */
    int64_t n_outputs;
    RasterClass *classes;
    uint8_t code_of[256];   /* class index -> code */
    uint8_t *codes, *valid; /* [block_bytes], grow: of a block of the map */
    size_t block_bytes;
    int64_t valid_pixels;
    const Climate *climate; /* that zones are looked up in; NULL: none are read */
    char **provenance;      /* metadata of what is written */
} Task;

/* ---- source ---- */

static Err read_pixels(void *context, int64_t x, int64_t y, int64_t side, float *ret_values, uint8_t *ret_valid)
{
    const Task *t = context;
    return image_source_read(t->image, x, y, side, ret_values, ret_valid);
}

static Err read_shares(void *context, int64_t x, int64_t y, int64_t side, bool *ret_known, int32_t *ret_zones,
                       float *ret_shares)
{
    const Task *t = context;
    return image_source_shares(t->image, x, y, side, ret_known, ret_zones, ret_shares);
}

static Err begin_part(void *context, RasterWindow part)
{
    const Task *t = context;
    return raster_keep_valid(t->image->raster, part);
}

/* ---- sink ---- */

static void apply_mask(const Task *t, const SceneBlock *b, uint8_t *plane)
{
    for (int64_t i = 0; i < b->at.rows * b->at.columns; i++)
        if (t->valid[i] == 0) plane[i / b->at.columns * b->stride + i % b->at.columns] = NODATA;
}

static Err store_planes(Task *t, const SceneBlock *b)
{
    int64_t plane = 0;
    if (t->map != NULL) TRY(map_store_write(t->store, plane++, b->at, t->codes, b->at.columns));
    if (t->confidence != NULL) {
        apply_mask(t, b, b->confidence);
        TRY(map_store_write(t->store, plane++, b->at, b->confidence, b->stride));
    }
    for (size_t c = 0; t->probabilities != NULL && c < (size_t)t->model->model->config.network.n_classes; c++) {
        uint8_t *bytes = b->probabilities + c * b->plane_bytes;
        apply_mask(t, b, bytes);
        TRY(map_store_write(t->store, plane++, b->at, bytes, b->stride));
    }
    return ERR_NONE;
}

static Err reserve_block(Task *t, size_t bytes)
{
    if (bytes <= t->block_bytes) return ERR_NONE;
    free(t->codes);
    free(t->valid);
    t->codes = malloc(bytes);
    t->valid = malloc(bytes);
    t->block_bytes = t->codes != NULL && t->valid != NULL ? bytes : 0;
    return t->block_bytes > 0 ? ERR_NONE : err_memory(2 * bytes, "rows of the map");
}

static Err write_block(void *context, const SceneBlock *b)
{
    Task *t = context;
    const int64_t columns = b->at.columns, width = raster_info(t->image->raster)->width;
    TRY(reserve_block(t, (size_t)(b->at.rows * columns)));
    raster_take_valid(t->image->raster, b->at.y, b->at.rows, t->valid);
    apply_mask(t, b, b->classes);
    for (int64_t y = 0; y < b->at.rows; y++) {
        uint8_t *codes = t->codes + y * columns;
        const uint8_t *classes = b->classes + y * b->stride;
        for (int64_t x = 0; x < columns; x++) {
            codes[x] = t->code_of[classes[x]];
            t->valid_pixels += classes[x] != NODATA;
        }
        if (t->whole != NULL) memcpy(t->whole + (b->at.y + y) * width + b->at.x, codes, (size_t)columns);
    }
    if (t->quicklook != NULL) quicklook_block(t->quicklook, b->at, b->classes, b->stride);
    return t->store != NULL ? store_planes(t, b) : ERR_NONE;
}

/* ---- the files ---- */

/* One row of blocks of a band, in the order of the file. */
static Err write_row(const Task *t, RasterWriter *writer, int64_t band, int64_t plane, int64_t row)
{
    uint8_t bytes[MAP_STORE_BLOCK * MAP_STORE_BLOCK];
    const int64_t columns = (raster_info(t->image->raster)->width + MAP_STORE_BLOCK - 1) / MAP_STORE_BLOCK;
    for (int64_t column = 0; column < columns; column++) {
        TRY(map_store_read(t->store, plane, column, row, bytes));
        TRY(raster_writer_block(writer, band, column, row, bytes));
    }
    return ERR_NONE;
}

/* The planes of a raster, the first of which is `plane`. */
static Err write_raster(const Task *t, RasterWriter *writer, int64_t bands, int64_t plane)
{
    const MetasegRun *run = &t->model->run;
    const int64_t rows = (raster_info(t->image->raster)->height + MAP_STORE_BLOCK - 1) / MAP_STORE_BLOCK;
    for (int64_t row = 0; writer != NULL && row < rows; row++) {
        if (run->stop != NULL && *run->stop != 0)
            return err_set(ERR_INTERRUPTED, "stopped while the map was written; nothing of it is left");
        for (int64_t band = 0; band < bands; band++) TRY(write_row(t, writer, band, plane + band, row));
    }
    return ERR_NONE;
}

static Err write_rasters(const Task *t)
{
    const int64_t first = t->map != NULL ? 1 : 0, second = first + (t->confidence != NULL ? 1 : 0);
    TRY(write_raster(t, t->map, 1, 0));
    TRY(write_raster(t, t->confidence, 1, first));
    return write_raster(t, t->probabilities, t->model->model->config.network.n_classes, second);
}

/* ---- set-up ---- */

/* The first of the chosen bands, from i on, whose scaling is not that of band i; their number where all are alike. */
static int64_t scaled_alike(const Raster *raster, int64_t i)
{
    double scale = 1.0, offset = 0.0, other_scale = 1.0, other_offset = 0.0;
    int64_t end = i + 1;
    raster_band_scaling(raster, raster_chosen_band(raster, i), &scale, &offset);
    for (; end < raster_chosen_count(raster); end++) {
        raster_band_scaling(raster, raster_chosen_band(raster, end), &other_scale, &other_offset);
        if (other_scale != scale || other_offset != offset) break;
    }
    return end;
}

/* Offsets of the chosen bands, one line for neighbours of one offset. */
static void tell_offsets(const Task *t)
{
    const Raster *raster = t->image->raster;
    for (int64_t i = 0, end = 0; i < raster_chosen_count(raster); i = end) {
        const int64_t band = raster_chosen_band(raster, i);
        double scale = 1.0, offset = 0.0;
        char others[32] = "";
        end = scaled_alike(raster, i);
        raster_band_scaling(raster, band, &scale, &offset);
        if (offset == 0.0) continue;
        if (end > i + 1) (void)snprintf(others, sizeof others, " and %lld more", (long long)(end - i - 1));
        const bool stored = t->options->stored_values;
        const bool far = !stored && raster_offset_is_far(raster, band);
        predictor_tell(t->model, far ? 1 : 0, "'%s': states offset %g and scale %g of band %lld (%s)%s: %s%s", t->in,
                       offset, scale, (long long)band, raster_band_name(raster, band), others,
                       stored ? "the stored numbers are read as they are"
                              : "the offset is taken off the stored numbers",
                       far ? ", which moves them further than the type of the band reaches; if the tag is wrong, read "
                             "the numbers as they are: --stored"
                           : "");
    }
}

/* What was inferred of the file's bands. */
static void tell_choice(const Task *t)
{
    bool doubtful = false;
    const char *product = raster_product_note(t->image->raster);
    if (product[0] != '\0') predictor_tell(t->model, 1, "'%s': %s", t->in, product);
    const char *note = raster_choice_note(t->image->raster, &doubtful);
    if (note[0] != '\0') predictor_tell(t->model, doubtful ? 1 : 0, "'%s': %s", t->in, note);
    tell_offsets(t);
    if (t->image->cutline != NULL && cutline_passed_over(t->image->cutline) > 0)
        predictor_tell(
            t->model, 1,
            "'%s': polygons that reach beyond the domain of the image's projection are passed over: %lld; cut "
            "them to the region if they hold the image",
            t->options->cutline, (long long)cutline_passed_over(t->image->cutline));
    if (t->image->cut)
        predictor_tell(t->model, 1, "'%s': some of the wanted extent lies beside the image and is not in the map",
                       t->in);
    if (t->model->model->config.gsd_unit == MODEL_PIXEL && georeference_kind(t->image->place) != GEOREFERENCE_NONE)
        predictor_tell(
            t->model, 0,
            "'%s': the model was made from pictures whose pixel size nobody told; the image is read pixel by "
            "pixel, whatever size its pixels have",
            t->in);
    if (t->image->mask != NULL)
        predictor_tell(t->model, 0, "'%s': masks %s", t->options->mask, cloud_mask_rule(t->image->mask));
}

/* Clouds are no class: a cloudy scene that is mapped whole has some class where they are. */
static Err tell_clouds(const Task *t)
{
    static const double many = 20.0; /* per cent */
    const Metadata *metadata = NULL;
    if (t->image->mask != NULL) return ERR_NONE;
    TRY(image_source_metadata(t->image, &metadata));
    if (metadata->cloud_cover >= many)
        predictor_tell(
            t->model, 0,
            "'%s': its metadata state %.0f %% of clouds, which are mapped as some class; --mask FILE leaves them out, "
            "--mask scl or --mask qa_pixel with what a Sentinel-2 L2A or a Landsat product brings",
            t->in, metadata->cloud_cover);
    return ERR_NONE;
}

static Err normalise(Task *t)
{
    const ModelConfig *c = &t->model->model->config;
    ImageBand bands[MODEL_MAX_BANDS];
    image_bands_of_model(c, t->image->source, bands);
    return image_source_normalise(t->image, bands);
}

/* Level 2 is brought to level 1 where the model says how. */
static Err find_level(Task *t)
{
    if (!model_config_reads_level_1(&t->model->model->config)) {
        if (t->options->level != NULL)
            predictor_tell(t->model, 1, "'%s': level %s is not used: the model does not tell levels apart", t->in,
                           t->options->level);
        return ERR_NONE;
    }
    return image_source_set_level(t->image, processing_level_read(t->options->level), &t->model->run);
}

static Err open_input(Task *t)
{
    const ModelConfig *c = &t->model->model->config;
    const char *names[MODEL_MAX_BANDS];
    for (int32_t b = 0; b < c->network.n_bands; b++) names[b] = c->bands[b].name;
    RasterExtent extent;
    const bool part = raster_extent_of(t->options->extent, t->options->extent_crs, &extent);
    const CutlineOptions cutline = { t->options->cutline, t->options->cutline_layer, t->options->cutline_crs,
                                     t->model->run.stop };
    const ImageSourceOptions options = { .extent = part ? &extent : NULL,
                                         .cutline = cutline.file != NULL ? &cutline : NULL,
                                         .bands = t->options->bands,
                                         .names = names,
                                         .wanted = c->network.n_bands,
                                         .missing = c->network.missing_bands,
                                         .crs = t->options->crs,
                                         .mask = t->options->mask,
                                         .mask_values = t->options->mask_values,
                                         .stored_values = t->options->stored_values,
                                         .stop = t->model->run.stop };
    TRY(image_source_open(t->in, &options, &t->image));
    const Raster *mask = t->image->mask != NULL ? cloud_mask_raster(t->image->mask) : NULL;
    TRY(predictor_check_files(t->model, t->image->raster, mask, t->out, t->options));
    tell_choice(t);
    TRY(tell_clouds(t));
    TRY(find_level(t));
    if (image_source_has_bytes(t->image) && c->byte_scale != 0.0)
        predictor_tell(t->model, 0, "'%s': its bytes are multiplied by %g, as the model says", t->in, c->byte_scale);
    TRY(predictor_check_values(t->model, t->in, t->image));
    TRY(normalise(t));
    if (!isfinite(t->options->longitude)) return ERR_NONE;
    if (georeference_kind(t->image->place) != GEOREFERENCE_NONE) {
        if (t->known) return ERR_NONE;
        predictor_tell(t->model, 1, "'%s': its georeference tells where it lies, which counts instead of --lonlat",
                       t->in);
        return ERR_NONE;
    }
    return image_source_set_point(t->image, t->options->longitude, t->options->latitude);
}

static Err open_zones(Task *t)
{
    if (t->options->prompt != NULL) return predictor_free_prompt(t->model, t->options, &t->own_prompt);
    if (t->options->prompts == METASEG_PROMPTS_NULL) return ERR_NONE;
    const Climate *climate = NULL;
    TRY(predictor_climate(t->model, &climate));
    if (climate == NULL) return ERR_NONE;
    if (georeference_kind(t->image->place) == GEOREFERENCE_NONE) {
        if (t->known && t->model->told_no_place) return ERR_NONE; /* of hundreds of images of a data set the first */
        t->model->told_no_place = true;
        predictor_tell(t->model, 1, "'%s': its place is unknown (%s), so the null prompt is used; give --lonlat", t->in,
                       georeference_note(t->image->place));
        return ERR_NONE;
    }
    t->climate = climate;
    return image_source_set_zones(t->image, climate);
}

static Err open_writer(Task *t, const char *path, RasterKind kind, RasterWriter **ret_writer)
{
    if (path == NULL) return ERR_NONE;
    const RasterWriteOptions options = {
        .path = path,
        .kind = kind,
        .format = t->options->format == METASEG_FORMAT_COG ? RASTER_COG : RASTER_GTIFF,
        .creation_options = t->options->creation_options,
        .stop = t->model->run.stop,
        .like = t->image->raster,
        .crs = t->options->crs,
        .classes = t->classes,
        .n_classes = t->model->model->config.network.n_classes,
        .metadata = (const char *const *)t->provenance,
        .ret_areas = kind == RASTER_CLASSES ? &t->areas : NULL,
        .overwrite = t->options->overwrite,
    };
    return raster_writer_open(&options, ret_writer);
}

static Err fill_classes(Task *t)
{
    const ModelConfig *c = &t->model->model->config;
    t->classes = calloc((size_t)c->network.n_classes, sizeof *t->classes);
    if (t->classes == NULL) return err_memory((size_t)c->network.n_classes * sizeof *t->classes, "the class table");
    memset(t->code_of, NODATA, sizeof t->code_of);
    for (int32_t i = 0; i < c->network.n_classes; i++) {
        const ModelClass *k = &c->classes[i];
        t->classes[i] =
            (RasterClass){ .value = k->code,
                           .name = k->name,
                           .color = { (uint8_t)(k->color >> 16), (uint8_t)(k->color >> 8), (uint8_t)k->color } };
        t->code_of[i] = (uint8_t)k->code;
    }
    return ERR_NONE;
}

/* Beside the first output. */
static Err open_store(Task *t)
{
    const RasterInfo *info = raster_info(t->image->raster);
    const RasterWriter *writer = t->map != NULL ? t->map : t->confidence != NULL ? t->confidence : t->probabilities;
    int64_t planes = (t->map != NULL ? 1 : 0) + (t->confidence != NULL ? 1 : 0);
    int file = -1;
    if (t->probabilities != NULL) planes += t->model->model->config.network.n_classes;
    if (writer == NULL) return ERR_NONE;
    TRY(output_scratch(raster_writer_output(writer), &file));
    return map_store_new(file, t->out != NULL ? t->out : t->in, info->width, info->height, planes, &t->store);
}

static Err open_outputs(Task *t)
{
    const RasterInfo *info = raster_info(t->image->raster);
    const ProvenanceFacts facts = { .model = t->model->model,
                                    .hash = t->model->hash,
                                    .in = t->in,
                                    .options = t->options,
                                    .image = t->image,
                                    .climate = t->climate };
    TRY(provenance_items(&facts, &t->provenance));
    TRY(fill_classes(t));
    if (t->options->areas != NULL) TRY(file_check_output(t->options->areas, t->options->overwrite));
    if (t->options->quicklook != NULL) {
        TRY(file_check_output(t->options->quicklook, t->options->overwrite));
        TRY(quicklook_new(&t->model->model->config, info->width, info->height, &t->quicklook));
    }
    TRY(open_writer(t, t->out, RASTER_CLASSES, &t->map));
    TRY(open_writer(t, t->options->confidence, RASTER_CONFIDENCE, &t->confidence));
    TRY(open_writer(t, t->options->probabilities, RASTER_PROBABILITIES, &t->probabilities));
    TRY(open_store(t));
    if (t->out != NULL) return ERR_NONE;
    const size_t pixels = (size_t)(info->width * info->height);
    t->whole = malloc(pixels);
    return t->whole != NULL ? ERR_NONE : err_memory(pixels, "the map");
}

static Err complete_writer(Task *t, RasterWriter **writer)
{
    RasterWriter *w = *writer;
    *writer = NULL; /* freed by complete, also on failure */
    return w != NULL ? raster_writer_complete(w, &t->outputs[t->n_outputs++]) : ERR_NONE;
}

/* Behind the map, which stays the last. */
static Err write_areas(Task *t)
{
    if (t->options->areas == NULL) return ERR_NONE;
    if (!t->areas.known)
        predictor_tell(t->model, 1,
                       "'%s': how large its pixels are is not known, so the table has pixels and shares alone", t->in);
    else if (t->areas.beyond > 0)
        predictor_tell(t->model, 1, "'%s': %lld pixels lie beyond the edge of its projection and have no area", t->in,
                       (long long)t->areas.beyond);
    TRY(area_table_write(&t->areas, t->classes, t->model->model->config.network.n_classes, path_name(t->out),
                         t->options->areas, t->options->overwrite, &t->outputs[t->n_outputs]));
    Output *table = t->outputs[t->n_outputs];
    t->outputs[t->n_outputs] = t->outputs[t->n_outputs - 1];
    t->outputs[t->n_outputs - 1] = table;
    t->n_outputs++;
    return ERR_NONE;
}

/* All outputs get their names together, the map last. */
static Err finish(Task *t)
{
    TRY(write_rasters(t));
    TRY(complete_writer(t, &t->confidence));
    TRY(complete_writer(t, &t->probabilities));
    if (t->quicklook != NULL)
        TRY(quicklook_write(t->quicklook, path_name(t->in), t->options->quicklook, t->options->overwrite,
                            &t->outputs[t->n_outputs++]));
    TRY(complete_writer(t, &t->map));
    TRY(write_areas(t));
    return output_publish_all(t->outputs, t->n_outputs);
}

static void release(Task *t)
{
    raster_writer_abort(t->map);
    raster_writer_abort(t->confidence);
    raster_writer_abort(t->probabilities);
    map_store_free(t->store);
    quicklook_free(t->quicklook);
    for (int64_t i = 0; i < t->n_outputs; i++) output_close(t->outputs[i]);
    image_source_close(t->image);
    prompt_table_done(&t->own_prompt);
    provenance_free(t->provenance);
    free(t->classes);
    free(t->codes);
    free(t->valid);
    free(t->whole);
}

/* Decoded blocks are kept for about three rows of tiles, within bounds: neighbouring tiles share rows and columns. What is slow
 * to decode is kept until no further tile needs it. */
static int64_t decoded_bytes(const Raster *raster, const SceneJob *job)
{
    const RasterInfo *info = raster_info(raster);
    const bool bytes = strcmp(info->type, "Byte") == 0 || strcmp(info->type, "Int8") == 0;
    const bool shorts = strcmp(info->type, "UInt16") == 0 || strcmp(info->type, "Int16") == 0;
    const double pixel = (double)info->bands * (bytes ? 1.0 : shorts ? 2.0 : 4.0);
    const double rows = (double)job->tile * (double)info->height / (double)job->height;
    const double wanted = 3.0 * rows * (double)info->width * pixel;
    const int64_t usual = wanted < DECODED_LEAST  ? DECODED_LEAST
                          : wanted > DECODED_MOST ? DECODED_MOST
                                                  : (int64_t)wanted;
    const int64_t slow = raster_cache_bytes(raster, (int64_t)rows + 1);
    return slow > usual ? slow : usual;
}

/* The network's grid over the image. */
static Err choose_grid(Task *t, SceneJob *job, double *ret_resolution)
{
    const RasterInfo *info = raster_info(t->image->raster);
    const double gsd = t->options->gsd, own = georeference_sampling(t->image->place).metres;
    const PixelSides sides = predictor_sides(&t->model->model->config, t->image->place, gsd);
    if (gsd > 0.0 && isfinite(own) && !t->known)
        predictor_tell(t->model, 0, "'%s': its georeference tells pixels of %.4g m, which counts instead of --gsd %g",
                       t->in, own, gsd);
    TRY(predictor_grid(t->model, t->in, info->width, info->height, &sides, t->options->resolution, &job->width,
                       &job->height, ret_resolution));
    return raster_set_grid(t->image->raster, job->width, job->height);
}

/* What a person would not see before looking at the map. */
static void tell_valid(const Task *t)
{
    if (t->image->mask != NULL) {
        const CloudMaskCounts counts = cloud_mask_counts(t->image->mask);
        if (counts.covered == 0)
            predictor_tell(
                t->model, 1,
                "'%s': the cloud mask has no value anywhere on the image, which lies elsewhere or is all no data "
                "there; are both of the same place?",
                t->options->mask);
        else
            predictor_tell(t->model, 0, "'%s': masks %.1f %% of the image", t->options->mask,
                           100.0 * (double)counts.masked / (double)counts.pixels);
    }
    if (t->valid_pixels == 0)
        predictor_tell(t->model, 1, "'%s': no pixel is valid, so the map is 255 everywhere; %s", t->in,
                       t->image->mask != NULL ? "all of it is masked or no data ('metaseg info' tells what no data is)"
                                              : "all of it is no data ('metaseg info' tells what that is)");
}

static Err run(Task *t, MetasegPredictReport *report)
{
    const double start = clock_seconds();
    TRY(predictor_check(t->model, t->options));
    TRY(open_input(t));
    TRY(open_zones(t));
    const RasterInfo *info = raster_info(t->image->raster);
    SceneJob job = { .out_width = info->width, .out_height = info->height, .prompts = t->options->prompts };
    double resolution = 0.0;
    float zero[MODEL_MAX_BANDS];
    TRY(choose_grid(t, &job, &resolution));
    job.bands = raster_chosen_count(t->image->raster);
    TRY(predictor_choose_tiles(t->model, t->in, t->options, t->image->bands, zero, &job));
    job.tta = t->options->tta;
    job.decoded_bytes = decoded_bytes(t->image->raster, &job);
    raster_set_cache_bytes(job.decoded_bytes);
    job.own_prompt = t->options->prompt != NULL ? &t->own_prompt : NULL;
    job.source = (SceneSource){ .context = t, .begin = begin_part, .read = read_pixels, .shares = read_shares };
    job.band_source = t->image->source;
    job.sink = (SceneSink){ .context = t,
                            .block = write_block,
                            .confidence = t->options->confidence != NULL,
                            .probabilities = t->options->probabilities != NULL };
    TRY(predictor_choose_strips(t->model, &job));
    TRY(open_outputs(t));
    int64_t tiles = 0;
    TRY(predictor_run(t->model, &job, &tiles));
    tell_valid(t);
    TRY(finish(t));
    if (report != NULL)
        *report = (MetasegPredictReport){ .width = info->width,
                                          .height = info->height,
                                          .tiles = tiles,
                                          .valid_pixels = t->valid_pixels,
                                          .seconds = clock_seconds() - start,
                                          .resolution = resolution,
                                          .peak_memory = clock_peak_memory() };
    return ERR_NONE;
}

Err predictor_raster(MetasegModel *model, const PredictorFiles *files, const MetasegPredictOptions *options,
                     MetasegPredictReport *report)
{
    Task t = { .model = model, .options = options, .in = files->in, .out = files->out, .known = files->known };
    const Err err = run(&t, report);
    if (err == ERR_NONE && files->ret_codes != NULL) {
        *files->ret_codes = t.whole;
        t.whole = NULL;
    }
    release(&t);
    return err;
}

MetasegStatus metaseg_predict_raster(MetasegModel *model, const char *in, const char *out,
                                     const MetasegPredictOptions *options, MetasegPredictReport *report)
{
    if (model == NULL || in == NULL || out == NULL || options == NULL)
        return err_set(ERR_ARGUMENT, "model, input, output and options are needed");
    TRY(predictor_enter(model));
    const Err err = predictor_raster(model, &(PredictorFiles){ .in = in, .out = out }, options, report);
    predictor_leave(model);
    return err;
}
