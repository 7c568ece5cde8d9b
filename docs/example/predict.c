/* SPDX-License-Identifier: Apache-2.0
 * Maps the land cover of a raster: predict MODEL SHARE IN OUT.
 * cc predict.c $(pkg-config --cflags --libs metaseg) -o predict */
#include <metaseg/metaseg.h>
#include <stdio.h>

static void on_message(void *context, int level, const char *text)
{
    (void)context;
    (void)fprintf(stderr, "%s: %s\n", level > 0 ? "warning" : "note", text);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        (void)fprintf(stderr, "usage: predict MODEL SHARE IN OUT\n");
        return 2;
    }
    const MetasegRun run = { .data_folder = argv[2], .message = on_message };
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    MetasegPredictReport report;
    MetasegModel *model = NULL;
    options.overwrite = true;
    MetasegStatus status = metaseg_model_load(argv[1], &run, &model);
    if (status == METASEG_OK) status = metaseg_predict_raster(model, argv[3], argv[4], &options, &report);
    if (status == METASEG_OK) {
        (void)printf("%lld x %lld pixels, %d classes, %.1f s\n", (long long)report.width, (long long)report.height,
                     (int)metaseg_model_classes(model), report.seconds);
    } else {
        (void)fprintf(stderr, "error: %s\n", metaseg_error_message());
    }
    metaseg_model_free(model);
    return metaseg_exit_code(status);
}
