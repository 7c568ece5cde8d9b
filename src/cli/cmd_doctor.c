/* SPDX-License-Identifier: Apache-2.0
 *
 * metaseg doctor: what this machine has, what the program chose, what is missing and the line that mends it. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/file.h"
#include "geo/geo_process.h"
#include "ops/library_version.h"
#include "ops/ops.h"
#include "predict/model_choice.h"
#include "predict/predictor.h"

#include <omp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const OptionSpec cmd_doctor_spec = {
    .command = "doctor",
    .summary = "tell what the processor has, what is installed and what is missing",
    .usage = "",
    .details = "Prints one line per finding on stdout. Ends with 0 when nothing that prediction needs is missing, else "
               "with 4.",
};

/* A file that a job needs. */
typedef struct Needed {
    const char *name;
    const char *job;
    const char *mend; /* NULL: cli_mend() */
    bool for_prediction;
} Needed;

static const Needed in_data_folder[] = {
    { "prompts/koppen.yaml", "prompts", NULL, true },
    { "koppen_geiger.bin", "climate zones", NULL, true },
};
static const Needed in_data[] = {
    { "minilm/model.safetensors", "free prompts, training", NULL, false },
    { "minilm/vocab.txt", "free prompts, training", NULL, false },
    { "efficientnet-lite0.pth", "training from ImageNet weights", NULL, false },
    { "blue_marble.tif", "the demo, training the globe", NULL, false },
    { "igbp_2019.tif", "the demo, training the globe", NULL, false },
};

static void line(const char *what, const char *format, ...) PRINTF_LIKE(2, 3);
static void line(const char *what, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cli_line("%-14s %s", what, text);
}

static void print_cpu(const Cli *cli)
{
    const CpuFeatures f = cpu_features();
    const struct {
        const char *name;
        bool has;
    } features[] = {
        { "avx2", f.avx2 },         { "fma", f.fma },           { "f16c", f.f16c },         { "avx512f", f.avx512f },
        { "avx512bw", f.avx512bw }, { "avx512dq", f.avx512dq }, { "avx512vl", f.avx512vl }, { "vnni", f.avx512_vnni },
        { "bf16", f.avx512_bf16 },  { "fp16", f.avx512_fp16 },  { "amx-bf16", f.amx_bf16 }, { "amx-int8", f.amx_int8 },
    };
    char text[256] = "";
    for (int64_t i = 0; i < ARRAY_LEN(features); i++) {
        if (!features[i].has) continue;
        const size_t used = strlen(text);
        (void)snprintf(text + used, sizeof text - used, "%s%s", used == 0 ? "" : " ", features[i].name);
    }
    line("processor", "%s", f.brand);
    line("instructions", "%s", text[0] == '\0' ? "none beyond the base" : text);
    line("level", "%s (the best here is %s)", cpu_isa_name(cli->device.isa), cpu_isa_name(cpu_isa_detect()));
}

static void print_threads(const Cli *cli)
{
    static const char *const bindings[] = { "not bound", "bound (true)", "bound (primary)", "bound (close)",
                                            "bound (spread)" };
    const int binding = (int)omp_get_proc_bind();
    const char *limit = cli_environment("OMP_NUM_THREADS");
    line("threads", "%d of %ld processors, %s%s%s", cli->device.threads, sysconf(_SC_NPROCESSORS_ONLN),
         binding >= 0 && binding < ARRAY_LEN(bindings) ? bindings[binding] : "?",
         limit == NULL ? "" : ", OMP_NUM_THREADS=", limit == NULL ? "" : limit);
    const long pages = sysconf(_SC_PHYS_PAGES), free_pages = sysconf(_SC_AVPHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    const double page_gib = (double)bytes / (1024.0 * 1024.0 * 1024.0);
    line("memory", "%.1f GiB, %.1f GiB unused", (double)pages * page_gib, (double)free_pages * page_gib);
}

static void print_libraries(void)
{
    char text[64];
    geo_gdal_version(text, sizeof text);
    line("GDAL", "%s", text);
    ops_library_version(text, sizeof text);
    line("oneDNN", "%s", text);
}

/* Kernels that the chosen level may use, in the order of preference. */
static void print_kernels(const Cli *cli)
{
    for (int32_t i = 0; i < op_registry_count; i++) {
        const OpDef *op = op_registry[i];
        char text[128] = "";
        for (const Kernel *const *kernel = op->kernels; *kernel != NULL; kernel++) {
            if ((*kernel)->device != cli->device.kind || (*kernel)->isa > cli->device.isa) continue;
            const size_t used = strlen(text);
            (void)snprintf(text + used, sizeof text - used, "%s%s", used == 0 ? "" : ", else ", (*kernel)->name);
        }
        line("kernel", "%-22s %s", op->name, text);
    }
}

/* The models that prediction chooses from; how many. */
static Err print_models(const Cli *cli, int64_t *ret_models)
{
    char *folder = NULL;
    ModelList list = { 0 };
    if (cli->data_folder == NULL) return ERR_NONE;
    TRY(path_join(cli->data_folder, "models", &folder));
    const Err err = model_list_read(folder, &list);
    free(folder);
    for (int64_t i = 0; i < list.count && err == ERR_NONE; i++) {
        char range[160];
        predictor_describe_range(&list.entries[i].config, range);
        line("model", "%s: %d bands, pixels of %s", list.entries[i].name, (int)list.entries[i].config.network.n_bands,
             range);
    }
    *ret_models = list.count;
    model_list_done(&list);
    return err;
}

/* Prints each file and counts the missing ones that prediction needs. */
static int64_t check_files(const Cli *cli, const char *folder, const Needed *files, int64_t count)
{
    int64_t missing = 0;
    for (int64_t i = 0; i < count; i++) {
        char *path = NULL;
        const bool found =
            folder != NULL && path_join(folder, files[i].name, &path) == ERR_NONE && access(path, R_OK) == 0;
        if (found)
            line("found", "%s", path);
        else
            line("MISSING", "%s (for %s): %s", path == NULL ? files[i].name : path, files[i].job,
                 files[i].mend != NULL ? files[i].mend : cli_mend(cli));
        if (!found && files[i].for_prediction) missing++;
        free(path);
    }
    return missing;
}

static Err run_doctor(Cli *cli, const void *target, const OptionResult *words)
{
    (void)target;
    (void)words;
    char *data = NULL;
    line("metaseg", "%s", METASEG_VERSION);
    print_cpu(cli);
    print_threads(cli);
    print_libraries();
    line("data folder", "%s",
         cli->data_folder == NULL ? "none found; 'make install' makes one, METASEG_DATA names one" : cli->data_folder);
    int64_t missing = check_files(cli, cli->data_folder, in_data_folder, ARRAY_LEN(in_data_folder)), models = 0;
    TRY(print_models(cli, &models));
    if (models == 0) {
        line("MISSING", "models (for prediction without -m): name one with -m, or train one (docs/configuration.md)");
        missing++;
    }
    TRY(cli_data_folder(cli, &data));
    (void)check_files(cli, data, in_data, ARRAY_LEN(in_data));
    free(data);
    print_kernels(cli);
    if (missing == 0) return ERR_NONE;
    return err_set(ERR_INPUT, "%lld of the files that prediction needs are missing; the lines above say what mends it",
                   (long long)missing);
}

Err cmd_doctor(Cli *cli, int argc, char **argv)
{
    int nothing = 0; /* it has no options of its own */
    return cli_run(cli, &cmd_doctor_spec, &nothing, argc, argv, run_doctor);
}
