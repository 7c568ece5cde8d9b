/* SPDX-License-Identifier: Apache-2.0
 * What stands around the network in an exported file: names of its ends, what becomes of pixels and scores, metadata. */
#include "export/onnx_export.h"

#include "base/file.h"
#include "base/json.h"
#include "base/output.h"
#include "export/onnx_graph.h"
#include "network/segmenter.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double METRES_PER_DEGREE = 111319.49; /* WGS 84, along the equator */

/* One export in progress. */
typedef struct Exporter {
    const Model *model;
    const OnnxExport *o;
    int64_t side;
    OnnxFile *file;
    OnnxGraph *onnx;
} Exporter;

static const char *output_name(const OnnxExport *o) { return o->bare ? "logits" : "probabilities"; }

/* ---- the image ---- */

/* A number per band, times and plus. */
static const char *per_band(const Exporter *e, const char *op, const char *x, const char *name,
                            double (*value)(const ModelBand *band))
{
    const int64_t n = e->model->config.network.n_bands, dims[3] = { n, 1, 1 };
    float *values = onnx_room(e->file, n, sizeof *values);
    if (values == NULL) return "";
    for (int64_t i = 0; i < n; i++) values[i] = (float)value(&e->model->config.bands[i]);
    const char *constant = onnx_floats(e->file, onnx_text(e->file, "image.%s", name), 3, dims, values);
    return onnx_node(e->file, op, onnx_text(e->file, "image.%s.result", name), 2, (const char *const[]){ x, constant });
}

/* Others divide pixels by 255, whatever they are. */
static double pixel_scale(const ModelBand *band) { return 255.0 * band->scale; }
static double transform_scale(const ModelBand *band) { return 0.005 * 255.0 * band->scale; }
static double centre(const ModelBand *band) { return -band->mean; }
static double spread(const ModelBand *band) { return 1.0 / band->std; }

static const char *node(const Exporter *e, const char *op, const char *name, const char *x, const char *second)
{
    return onnx_node(e->file, op, onnx_text(e->file, "image.%s", name), second != NULL ? 2 : 1,
                     (const char *const[]){ x, second });
}

/* What the network reads of pixels / 255 (model_config.h). */
static const char *normalise(const Exporter *e, const char *x)
{
    const ModelTransform transform = e->model->config.transform;
    if (transform == MODEL_TRANSFORM_NONE) {
        x = per_band(e, "Mul", x, "scale", pixel_scale);
    } else {
        x = per_band(e, "Mul", x, "scale", transform_scale);
        x = node(e, "Max", "not_negative", x, onnx_float(e->file, 0.0F));
        x = node(e, "Log", "log", node(e, "Add", "more", x, onnx_float(e->file, 1.0F)), NULL);
    }
    x = per_band(e, "Add", x, "centre", centre);
    x = per_band(e, "Mul", x, "spread", spread);
    if (transform != MODEL_TRANSFORM_LOG_SIGMOID) return x;
    x = node(e, "Mul", "steeper", x, onnx_float(e->file, 5.0F));
    return node(e, "Sigmoid", "sigmoid", node(e, "Add", "shifted", x, onnx_float(e->file, -1.0F)), NULL);
}

/* Beside the values of bands that may be missing: that all are there. */
static const char *add_presence(const Exporter *e, const char *x)
{
    const NetworkConfig *network = &e->model->config.network;
    const int64_t shape[] = { 1, network->n_bands, e->side, e->side };
    const char *ones = onnx_float(e->file, 1.0F);
    if (!network->missing_bands) return x;
    ones =
        onnx_node(e->file, "Expand", "image.presence", 2, (const char *const[]){ ones, onnx_ints(e->file, 4, shape) });
    x = onnx_node(e->file, "Concat", "image.with_presence", 2, (const char *const[]){ x, ones });
    onnx_set_int(e->file, "axis", 1);
    return x;
}

static void name_image(const Exporter *e, const Graph *graph)
{
    const NetworkConfig *network = &e->model->config.network;
    const int64_t channels = e->o->bare && network->missing_bands ? 2 * (int64_t)network->n_bands : network->n_bands;
    const int64_t dims[] = { 1, channels, e->side, e->side };
    const char *x = "image";
    onnx_input(e->file, x, 4, dims,
               e->o->bare ? "as the network reads it (docs/model.md)"
                          : "pixels of the file / 255, bands in the order of band_names");
    if (!e->o->bare) x = add_presence(e, normalise(e, x));
    onnx_graph_name(e->onnx, graph_find_input(graph, "image"), x, true);
}

/* ---- text ---- */

static void name_text(const Exporter *e, const Graph *graph)
{
    for (NetworkPart part = NETWORK_TOKENS; part < NETWORK_PARTS; part++) {
        const char *name = network_part_name(part);
        const Var input = graph_find_input(graph, name);
        if (!var_exists(input)) continue;
        const Shape shape = graph_value(graph, input).shape;
        if (e->o->text != NULL) {
            const Tensor fixed = network_inputs_part(e->o->text, part);
            ASSERT(fixed.data != NULL && shape_equal(&fixed.shape, &shape));
            (void)onnx_floats(e->file, name, shape.rank, shape.dim, fixed.data);
        } else {
            onnx_input(e->file, name, shape.rank, shape.dim, "docs/model.md, section 1");
        }
        onnx_graph_name(e->onnx, input, name, false);
    }
}

/* ---- the scores ---- */

static void add_output(const Exporter *e, const Graph *graph)
{
    const Var logits = graph_find_output(graph, "logits");
    const Shape shape = graph_value(graph, logits).shape;
    const char *x = onnx_graph_value(e->onnx, logits, true), *name = output_name(e->o);
    int64_t dims[] = { 1, shape.dim[3], shape.dim[1], shape.dim[2] };
    if (e->o->bare) {
        x = onnx_node(e->file, "Identity", name, 1, &x);
        onnx_output(e->file, name, 4, dims, "scores before the softmax, at the network's own stride");
        return;
    }
    dims[2] = dims[3] = e->side;
    if (shape.dim[1] != e->side) {
        x = onnx_node(e->file, "Resize", "logits.resized", 4,
                      (const char *const[]){ x, "", "", onnx_ints(e->file, 4, dims) });
        onnx_set_string(e->file, "mode", "linear");
        onnx_set_string(e->file, "coordinate_transformation_mode", "half_pixel");
    }
    x = onnx_node(e->file, "Softmax", name, 1, &x);
    onnx_set_int(e->file, "axis", 1);
    onnx_output(e->file, name, 4, dims, "of each class");
}

/* ---- metadata ---- */

/* Centimetres; 0: not known. */
static double resolution(const ModelConfig *config)
{
    if (config->gsd_unit == MODEL_PIXEL) return 0.0;
    const double middle = sqrt(config->gsd_minimum * config->gsd_maximum);
    return 100.0 * middle * (config->gsd_unit == MODEL_DEGREE ? METRES_PER_DEGREE : 1.0);
}

static void put_classes(JsonWriter *w, const char *key, const ModelConfig *config)
{
    char index[16];
    json_begin_object(w, key);
    for (int32_t i = 0; i < config->network.n_classes; i++) {
        (void)snprintf(index, sizeof index, "%" PRId32, i);
        json_put_string(w, index, config->classes[i].name);
    }
    json_end(w);
}

/* One entry whose value is JSON; frees it. */
static Err put_entry(const Exporter *e, const char *key, JsonWriter *w)
{
    char *text = NULL;
    TRY(json_take(w, &text));
    onnx_metadata(e->file, key, text);
    free(text);
    return ERR_NONE;
}

/* Keys of Deepness 0.7 and GeoDeep, all but band_names and class_codes. A threshold above 0 would make class 0 of what no class
 * reaches. */
static Err put_metadata(const Exporter *e)
{
    const ModelConfig *config = &e->model->config;
    const double centimetres = resolution(config);
    char number[32];
    JsonWriter names = { 0 }, bands = { 0 }, codes = { 0 };
    put_classes(&names, NULL, config);
    TRY(put_entry(e, "class_names", &names));
    json_begin_array(&bands, NULL);
    for (int32_t i = 0; i < config->network.n_bands; i++) json_put_string(&bands, NULL, config->bands[i].name);
    json_end(&bands);
    TRY(put_entry(e, "band_names", &bands));
    json_begin_array(&codes, NULL);
    for (int32_t i = 0; i < config->network.n_classes; i++) json_put_int(&codes, NULL, config->classes[i].code);
    json_end(&codes);
    TRY(put_entry(e, "class_codes", &codes));
    onnx_metadata(e->file, "model_type", "\"Segmentor\"");
    if (centimetres > 0.0) {
        str_from_double(centimetres, number);
        onnx_metadata(e->file, "resolution", number);
    }
    onnx_metadata(e->file, "tile_size", onnx_text(e->file, "%" PRId64, e->side));
    onnx_metadata(e->file, "tiles_overlap", "15");
    onnx_metadata(e->file, "seg_thresh", "0");
    onnx_metadata(e->file, "seg_small_segment", "0");
    return ERR_NONE;
}

/* As geoai's export_to_onnx writes it. */
static Err make_side_file(const Exporter *e, char **ret_text)
{
    const ModelConfig *config = &e->model->config;
    JsonWriter w = { .pretty = true };
    json_begin_object(&w, NULL);
    json_put_string(&w, "model_name", config->name);
    json_put_string(&w, "task", "semantic-segmentation");
    json_put_int(&w, "input_height", e->side);
    json_put_int(&w, "input_width", e->side);
    json_put_int(&w, "input_channels", config->network.n_bands);
    json_put_int(&w, "opset_version", ONNX_OPSET);
    json_begin_array(&w, "output_names");
    json_put_string(&w, NULL, output_name(e->o));
    json_end(&w);
    put_classes(&w, "id2label", config);
    json_put_int(&w, "num_labels", config->network.n_classes);
    json_end(&w);
    return json_take(&w, ret_text);
}

/* ---- files ---- */

static Err write_files(const Exporter *e, const char *path)
{
    char *side_path = NULL, *text = NULL;
    const char *side_partial = NULL;
    Output *output = NULL;
    FILE *stream = NULL;
    TRY(output_open(path, e->o->overwrite, &output));
    Err err = str_format(&side_path, "%s.json", path);
    if (err == ERR_NONE) err = output_add(output, side_path, &side_partial);
    if (err == ERR_NONE) err = make_side_file(e, &text);
    if (err == ERR_NONE) err = output_write(side_partial, side_path, text, strlen(text));
    if (err == ERR_NONE) err = output_create(output_partial(output), path, &stream);
    if (err == ERR_NONE) {
        err = onnx_file_write(e->file, stream, path);
        if (fclose(stream) != 0 && err == ERR_NONE) err = output_error(path, 0);
    }
    if (err == ERR_NONE) err = output_publish(output);
    output_close(output);
    free(side_path);
    free(text);
    return err;
}

static Err translate(Exporter *e, const Graph *graph, const char *path)
{
    TRY(onnx_file_new(&e->file));
    TRY(onnx_graph_new(graph, e->model->params, e->file, &e->onnx));
    name_image(e, graph);
    name_text(e, graph);
    onnx_graph_translate(e->onnx);
    add_output(e, graph);
    TRY(put_metadata(e));
    return write_files(e, path);
}

Err onnx_export(const Model *model, const char *path, const OnnxExport *o)
{
    const NetworkConfig *network = &model->config.network;
    Exporter e = { .model = model, .o = o, .side = o->side > 0 ? o->side : model->config.tile };
    const int64_t multiple = network_side_multiple(network);
    const NetworkShape shape = segmenter_shape(network, 1, e.side);
    Segmenter net;
    Graph *graph = NULL;
    TRY(file_check_kind(path, "the exported model", "ONNX file", "onnx"));
    if (e.side % multiple != 0)
        return err_set(ERR_ARGUMENT, "a tile of %" PRId64 " pixels; this network reads multiples of %" PRId64, e.side,
                       multiple);
    TRY(graph_new(model->params, false, &graph));
    segmenter_build(graph, network, &shape, NULL, &net);
    Err err = graph_finish(graph);
    if (err == ERR_NONE) err = translate(&e, graph, path);
    onnx_graph_free(e.onnx);
    onnx_file_free(e.file);
    graph_free(graph);
    return err;
}
