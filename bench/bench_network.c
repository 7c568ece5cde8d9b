/* SPDX-License-Identifier: Apache-2.0
 *
 * Times the network: one JSON object on stdout per call (bench/run.sh sets it beside PyTorch and OpenVINO).
 *
 *   bench_network tile     a 512x512 tile, batch 1, whole model with fusion, f32
 *   bench_network train    a training step, batch 2, 512x512: forward, backward, AdamW
 *   bench_network start    from the start of a process to its first scores: --raster FILE --data-folder FOLDER --out FILE
 *   bench_network profile  the table of a tile's steps; profile-train: of a training step
 *
 * --model FILE (safetensors; without it random weights of the same network), --threads N, --samples N, --cpu ISA,
 * --zones K (prompts in the tile, 4); of random weights --output-stride S (4), or --encoder NAME, --decoder NAME, --decoder-width N of
 * a text-free network; --save-model FILE (the weights used, f32; random ones get BatchNorm statistics of the images first), --save FILE (inputs and scores of the
 * tile, for peers.py).
 */
#include "base/clock.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/str.h"
#include "metaseg/predict.h"
#include "model/model_file.h"
#include "network/segmenter.h"
#include "tensor_file/safetensors.h"
#include "train/optimizer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIDE = 512, ZONES = 4, CLASSES = 17, WARM_UP = 3, MAX_SAMPLES = 1000, NULL_TOKENS = 4, IGNORE = 255 };

typedef struct Arguments {
    const char *mode, *model, *save_model, *save, *raster, *data_folder, *out;
    Device device;
    int64_t samples, zones;
    int32_t output_stride; /* of random weights */
    const char *encoder, *decoder;
    int32_t decoder_width;
} Arguments;

typedef struct Samples {
    double seconds[MAX_SAMPLES];
    int64_t count;
    int64_t parameters, multiply_adds; /* 0: not counted */
} Samples;

/* ---- network ---- */

/* Index of a word; -1: it is none of them. */
static int word_index(const char *word, const char *const *words, int n)
{
    int i = 0;
    while (i < n && strcmp(word, words[i]) != 0) i++;
    return i < n ? i : -1;
}

/* The text-free network of these names. */
static Err choose_network(const Arguments *a, NetworkConfig *network)
{
    const int encoder = word_index(a->encoder, network_encoder_names, NETWORK_ENCODER_COUNT);
    const int decoder = a->decoder == NULL ? NETWORK_DECODER_none
                                           : word_index(a->decoder, network_decoder_names, NETWORK_DECODER_COUNT);
    if (encoder < 0 || decoder < 0) return err_set(ERR_ARGUMENT, "no such encoder or decoder");
    network->encoder = (NetworkEncoder)encoder;
    network->decoder = (NetworkDecoder)decoder;
    network->fusion = NETWORK_FUSION_NONE;
    network->output_stride = 0;
    if (a->decoder_width > 0) network->decoder_width = a->decoder_width;
    network_config_resolve(network);
    return ERR_NONE;
}

static Err random_model(const Arguments *a, bool training, Model **ret_model)
{
    ModelConfig config;
    TRY(model_config_init(&config));
    config.network.output_stride = a->output_stride;
    Err err = model_config_set_classes(&config, CLASSES);
    if (err == ERR_NONE && a->encoder != NULL) err = choose_network(a, &config.network);
    if (err == ERR_NONE) err = model_new(&config, training, ret_model);
    if (err == ERR_NONE) model_initialize(*ret_model, 1);
    model_config_done(&config);
    return err;
}

static Err open_model(const Arguments *a, bool training, Model **ret_model)
{
    if (a->model == NULL) return random_model(a, training, ret_model);
    return model_load(a->model, training, ret_model);
}

static NetworkShape shape_of(const Model *model, const Arguments *a, int64_t batch)
{
    NetworkShape shape = segmenter_shape(&model->config.network, batch, SIDE);
    shape.slots = a->zones;
    return shape;
}

static void fill_normal(Program *program, const char *name, uint64_t step)
{
    const Tensor t = program_tensor(program, name);
    for (int64_t i = 0; t.data != NULL && i < shape_count(&t.shape); i++)
        ((float *)t.data)[i] = rng_normal(1, RNG_TEST, step, (uint64_t)i);
}

/* Shares of the slots, the null prompt and the sum 1 of each cell, random. */
static void fill_shares(Program *program, const char *name, uint64_t step)
{
    const Tensor t = program_tensor(program, name);
    if (t.data == NULL) return;
    const int64_t slots = t.shape.dim[t.shape.rank - 1], cells = shape_count(&t.shape) / slots;
    for (int64_t i = 0; i < cells; i++) {
        float *row = (float *)t.data + i * slots;
        float sum = 0.0F;
        for (int64_t k = 0; k < slots; k++) sum += row[k] = rng_uniform(1, RNG_TEST, step, (uint64_t)(i * slots + k));
        for (int64_t k = 0; k < slots; k++) row[k] = logf(fmaxf(row[k] / sum, 1e-4F));
    }
}

/* An image of noise, prompts of full length in every slot. */
static void fill_inputs(Program *program)
{
    fill_normal(program, "image", 1);
    fill_normal(program, "tokens", 2);
    fill_shares(program, "log_share_16", 3);
    fill_shares(program, "log_share_32", 4);
    const Tensor labels = program_tensor(program, "labels");
    for (int64_t i = 0; labels.data != NULL && i < shape_count(&labels.shape); i++)
        ((uint8_t *)labels.data)[i] = (uint8_t)rng_below(1, RNG_TEST, 5, (uint64_t)(i / 64), CLASSES);
}

static Err save_tensors(const Program *program, const char *path)
{
    static const char *const names[] = { "image", "tokens", "token_mask", "log_share_16", "log_share_32", "logits" };
    SafetensorsWriter *writer = NULL;
    TRY(safetensors_writer_new(&writer));
    Err err = ERR_NONE;
    for (int64_t i = 0; i < ARRAY_LEN(names) && err == ERR_NONE; i++) {
        const Tensor t = program_tensor(program, names[i]);
        if (t.data != NULL) err = safetensors_writer_add(writer, names[i], &t, t.dtype);
    }
    if (err == ERR_NONE) err = safetensors_writer_write(writer, path, true);
    safetensors_writer_free(writer);
    return err;
}

/* ---- figures ---- */

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static Err print_result(const Arguments *a, const Samples *samples)
{
    Samples sorted = *samples;
    JsonWriter w = { 0 };
    char *text = NULL;
    qsort(sorted.seconds, (size_t)sorted.count, sizeof *sorted.seconds, compare_doubles);
    json_begin_object(&w, NULL);
    json_put_string(&w, "what", a->mode);
    json_put_string(&w, "program", "metaseg " METASEG_VERSION);
    json_put_string(&w, "cpu", cpu_isa_name(a->device.isa));
    json_put_int(&w, "threads", a->device.threads);
    json_put_int(&w, "samples", sorted.count);
    json_put_double(&w, "median_seconds", sorted.seconds[sorted.count / 2]);
    json_put_double(&w, "minimum_seconds", sorted.seconds[0]);
    json_put_int(&w, "peak_bytes", clock_peak_memory());
    if (samples->parameters > 0) json_put_int(&w, "parameters", samples->parameters);
    if (samples->multiply_adds > 0) json_put_int(&w, "multiply_adds", samples->multiply_adds);
    json_end(&w);
    TRY(json_take(&w, &text));
    (void)puts(text);
    free(text);
    return ERR_NONE;
}

static void print_row(void *context, const char *line)
{
    (void)context;
    (void)puts(line);
}

static void add_sample(Samples *samples, double start) { samples->seconds[samples->count++] = clock_seconds() - start; }

/* ---- a tile ---- */

static Err time_tile(const Arguments *a, Program *program, Samples *samples)
{
    fill_inputs(program);
    for (int32_t i = 0; i < WARM_UP; i++) TRY(program_forward(program, 0));
    if (strcmp(a->mode, "profile") == 0) program_profile(program, true);
    while (samples->count < a->samples) {
        const double start = clock_seconds();
        TRY(program_forward(program, 0));
        add_sample(samples, start);
    }
    if (strcmp(a->mode, "profile") == 0) program_print(program, print_row, NULL);
    return a->save != NULL ? save_tensors(program, a->save) : ERR_NONE;
}

static Err save_weights(const Arguments *a, const Model *model)
{
    if (a->save_model == NULL) return ERR_NONE;
    ModelSave save = model_save_defaults();
    save.weights = DTYPE_F32;
    save.overwrite = true;
    return model_save(model, a->save_model, &save);
}

static bool is_statistic(const char *name)
{
    return str_ends_with(name, ".running_var") || str_ends_with(name, ".running_mean");
}

static void set_statistics(const Model *model, float value)
{
    for (int32_t i = 0; i < params_count(model->params); i++) {
        const ParamInfo *info = params_info(model->params, i);
        if (!is_statistic(info->name)) continue;
        for (int64_t k = 0; k < shape_count(&info->shape); k++) params_values(model->params)[info->offset + k] = value;
    }
}

/* Running statistics become those of a batch of two images. A pass leaves (1 - m) old + m batch: one from 0 gives m batch, one from
 * PROBE tells m. */
static Err calibrate_passes(const Model *model, Program *program)
{
    static const float PROBE = 1e6F;
    ParamSet *params = model->params;
    float *values = params_values(params);
    const size_t bytes = (size_t)params_length(params) * sizeof(float);
    float *probed = malloc(bytes);
    if (probed == NULL) return err_memory(bytes, "statistics");
    set_statistics(model, PROBE);
    Err err = program_forward(program, 0);
    memcpy(probed, values, bytes);
    set_statistics(model, 0.0F);
    if (err == ERR_NONE) err = program_forward(program, 0);
    for (int32_t i = 0; i < params_count(params) && err == ERR_NONE; i++) {
        const ParamInfo *info = params_info(params, i);
        if (!is_statistic(info->name)) continue;
        for (int64_t k = info->offset; k < info->offset + shape_count(&info->shape); k++) {
            const double momentum = 1.0 - ((double)probed[k] - (double)values[k]) / (double)PROBE;
            values[k] = (float)((double)values[k] / momentum);
        }
    }
    free(probed);
    return err;
}

/* For random weights, whose activations would grow from block to block with the statistics of a new network. */
static Err calibrate(const Arguments *a, const Model *model)
{
    SegmenterTraining training = segmenter_training_defaults();
    ProgramOptions options = program_options_defaults();
    const NetworkShape shape = shape_of(model, a, 2);
    Program *program = NULL;
    options.device = a->device;
    training.auxiliary_weight = 0.0F; /* the model has no such head */
    training.dropout = training.drop_path = 0.0F;
    TRY(segmenter_compile(model->params, &model->config.network, &shape, &training, &options, &program));
    fill_inputs(program);
    const Err err = calibrate_passes(model, program);
    program_free(program);
    return err;
}

static Err run_tile(const Arguments *a, Samples *samples)
{
    Model *model = NULL;
    Program *program = NULL;
    ProgramOptions options = program_options_defaults();
    options.device = a->device;
    TRY(open_model(a, false, &model));
    const NetworkShape shape = shape_of(model, a, 1);
    Err err = a->model == NULL && a->save_model != NULL ? calibrate(a, model) : ERR_NONE;
    if (err == ERR_NONE) err = save_weights(a, model);
    if (err == ERR_NONE)
        err = segmenter_compile(model->params, &model->config.network, &shape, NULL, &options, &program);
    if (err == ERR_NONE) {
        samples->parameters = params_numbers(model->params);
        samples->multiply_adds = program_stats(program).multiply_adds;
        err = time_tile(a, program, samples);
    }
    program_free(program);
    model_free(model);
    return err;
}

/* ---- a training step ---- */

static Err time_steps(const Arguments *a, Program *program, Optimizer *optimizer, Samples *samples)
{
    const bool profile = strcmp(a->mode, "profile-train") == 0;
    fill_inputs(program);
    for (int64_t step = 0; step < WARM_UP + a->samples; step++) {
        if (profile && step == WARM_UP) program_profile(program, true);
        const double start = clock_seconds();
        double norm = 0.0;
        TRY(program_forward(program, (uint64_t)step));
        TRY(program_backward(program, false));
        TRY(optimizer_step(optimizer, step, &norm));
        if (step >= WARM_UP) add_sample(samples, start);
    }
    if (profile) program_print(program, print_row, NULL);
    return ERR_NONE;
}

static Err run_train(const Arguments *a, Samples *samples)
{
    Model *model = NULL;
    Program *program = NULL;
    Optimizer *optimizer = NULL;
    const SegmenterTraining training = segmenter_training_defaults();
    const OptimizerOptions how = { .learning_rate = 1e-5,
                                   .encoder_multiplier = 1.0,
                                   .beta1 = 0.9,
                                   .beta2 = 0.999,
                                   .eps = 1e-8,
                                   .weight_decay = 0.01,
                                   .clip_norm = 1.0,
                                   .steps = 1000,
                                   .threads = a->device.threads };
    ProgramOptions options = program_options_defaults();
    options.device = a->device;
    TRY(open_model(a, true, &model));
    const NetworkShape shape = shape_of(model, a, 2);
    Err err = segmenter_compile(model->params, &model->config.network, &shape, &training, &options, &program);
    if (err == ERR_NONE) err = optimizer_new(model->params, &how, &optimizer);
    if (err == ERR_NONE) err = time_steps(a, program, optimizer, samples);
    optimizer_free(optimizer);
    program_free(program);
    model_free(model);
    return err;
}

/* ---- start ---- */

/* The first tile's scores are there: tells the parent. */
static void first_tile(void *context, int64_t done, int64_t total, const char *text)
{
    const double now = clock_seconds();
    (void)total;
    (void)text;
    if (done == 1 && write(STDOUT_FILENO, &now, sizeof now) != sizeof now) *(int *)context = 1;
}

/* Started by run_start: what `metaseg predict RASTER -o OUT -m MODEL -f` does, its second start included (cli/main.c).
 */
static Err run_start_child(const Arguments *a, char **argv)
{
    if (getenv("GOMP_SPINCOUNT") == NULL && setenv("GOMP_SPINCOUNT", "1000", 1) == 0)
        (void)execv("/proc/self/exe", argv);
    int failed = 0;
    const MetasegRun run = {
        .threads = a->device.threads, .data_folder = a->data_folder, .progress = first_tile, .context = &failed
    };
    MetasegModel *model = NULL;
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    options.overwrite = true;
    TRY((Err)metaseg_model_load(a->model, &run, &model));
    const Err err = (Err)metaseg_predict_raster(model, a->raster, a->out, &options, NULL);
    metaseg_model_free(model);
    TRY(err);
    return failed != 0 ? err_set(ERR_INTERNAL, "the parent cannot be told") : ERR_NONE;
}

static Err spawn(const Arguments *a, char *program, Samples *samples)
{
    int ends[2];
    if (pipe(ends) != 0) return err_set(ERR_INTERNAL, "no pipe");
    char threads[16];
    (void)snprintf(threads, sizeof threads, "%d", (int)a->device.threads);
    const char *const words[] = { program,    "start-child", "--model",       a->model,
                                  "--raster", a->raster,     "--data-folder", a->data_folder,
                                  "--out",    a->out,        "--threads",     threads,
                                  NULL };
    const double start = clock_seconds();
    const pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)execv("/proc/self/exe", (char *const *)(void *)words);
        _exit(127);
    }
    double seen = 0.0;
    int status = 0;
    (void)close(ends[1]);
    const bool told = read(ends[0], &seen, sizeof seen) == sizeof seen;
    (void)close(ends[0]);
    if (waitpid(child, &status, 0) != child || status != 0 || !told)
        return err_set(ERR_INTERNAL, "the started process failed");
    samples->seconds[samples->count++] = seen - start;
    return ERR_NONE;
}

static Err run_start(const Arguments *a, char *program, Samples *samples)
{
    if (a->model == NULL || a->raster == NULL || a->data_folder == NULL || a->out == NULL)
        return err_set(ERR_ARGUMENT, "start wants --model, --raster, --data-folder and --out");
    for (int64_t i = 0; i <= a->samples; i++) TRY(spawn(a, program, samples));
    samples->count--; /* the first one read everything from disk */
    memmove(samples->seconds, samples->seconds + 1, (size_t)samples->count * sizeof *samples->seconds);
    return ERR_NONE;
}

/* ---- command line ---- */

static Err read_arguments(int argc, char **argv, Arguments *a)
{
    *a = (Arguments){ .mode = argv[1], .device = device_default(), .samples = 15, .zones = ZONES, .output_stride = 4 };
    for (int i = 2; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (strcmp(name, "--model") == 0)
            a->model = value;
        else if (strcmp(name, "--save-model") == 0)
            a->save_model = value;
        else if (strcmp(name, "--save") == 0)
            a->save = value;
        else if (strcmp(name, "--encoder") == 0)
            a->encoder = value;
        else if (strcmp(name, "--decoder") == 0)
            a->decoder = value;
        else if (strcmp(name, "--decoder-width") == 0)
            a->decoder_width = (int32_t)strtol(value, NULL, 10);
        else if (strcmp(name, "--raster") == 0)
            a->raster = value;
        else if (strcmp(name, "--data-folder") == 0)
            a->data_folder = value;
        else if (strcmp(name, "--out") == 0)
            a->out = value;
        else if (strcmp(name, "--cpu") == 0)
            TRY(cpu_isa_parse(value, &a->device.isa));
        else if (strcmp(name, "--threads") == 0)
            a->device.threads = (int32_t)strtol(value, NULL, 10);
        else if (strcmp(name, "--samples") == 0)
            a->samples = strtol(value, NULL, 10);
        else if (strcmp(name, "--zones") == 0)
            a->zones = strtol(value, NULL, 10);
        else if (strcmp(name, "--output-stride") == 0)
            a->output_stride = (int32_t)strtol(value, NULL, 10);
        else
            return err_set(ERR_ARGUMENT, "unknown option '%s'", name);
    }
    if (argc % 2 != 0) return err_set(ERR_ARGUMENT, "'%s' has no value", argv[argc - 1]);
    if (a->samples < 1 || a->samples >= MAX_SAMPLES || a->device.threads < 1 || a->zones < 1 || a->zones > ZONES)
        return err_set(ERR_ARGUMENT, "samples, threads or zones out of range");
    return ERR_NONE;
}

static Err dispatch(int argc, char **argv)
{
    static Samples samples;
    Arguments a;
    if (argc < 2) return err_set(ERR_ARGUMENT, "usage: bench_network tile|train|start|profile|profile-train [options]");
    TRY(read_arguments(argc, argv, &a));
    if (strcmp(a.mode, "start-child") == 0) return run_start_child(&a, argv);
    if (strcmp(a.mode, "tile") == 0 || strcmp(a.mode, "profile") == 0)
        TRY(run_tile(&a, &samples));
    else if (strcmp(a.mode, "train") == 0 || strcmp(a.mode, "profile-train") == 0)
        TRY(run_train(&a, &samples));
    else if (strcmp(a.mode, "start") == 0)
        TRY(run_start(&a, argv[0], &samples));
    else
        return err_set(ERR_ARGUMENT, "'%s' is nothing to time", a.mode);
    return print_result(&a, &samples);
}

int main(int argc, char **argv)
{
    const Err err = dispatch(argc, argv);
    if (err != ERR_NONE) (void)fprintf(stderr, "bench_network: %s\n", err_message());
    return err_exit_code(err);
}
