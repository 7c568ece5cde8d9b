/* SPDX-License-Identifier: Apache-2.0
 * The library in a process of somebody else: host_check FIXTURES signals CPU THREADS, host_check FIXTURES state.
 *
 * signals: a timer of one millisecond with a handler on the ordinary stack runs while the library predicts and trains; to
 * be run with a C library that checks its heap (tests/library/host.sh). state: what belongs to the process is the same
 * before and after every call. */
#include "harness/unit.h"

#include "geo/geo_host_test.h"
#include "metaseg/metaseg.h"

#include <fenv.h>
#include <locale.h>
#include <omp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>

enum { SIDE = 256, PIXELS = SIDE * SIDE, SIGNALS = 32, TEXT_BYTES = 16384 };

static char folder[64], path[4][128], share[512], model_path[512], scene[512];
static volatile sig_atomic_t ticks;

/* Uses some of the stack that it was given. */
static void on_tick(int number)
{
    volatile char used[2048];
    for (size_t i = 0; i < sizeof used; i++) used[i] = (char)number;
    ticks += used[7] != 0;
}

static void set_timer(int on)
{
    const struct itimerval every = { { 0, on * 1000 }, { 0, on * 1000 } };
    assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
}

static void must(MetasegStatus status, const char *what)
{
    if (status != METASEG_OK) fail_msg("%s: %s", what, metaseg_error_message());
}

static void write_configuration(void)
{
    FILE *file = fopen(path[1], "w");
    assert_non_null(file);
    (void)fprintf(file,
                  "name: made\nmodel: { fusion: none, decoder_width: 16, gsd_min: 0.001, gsd_max: 0.01, gsd_unit: "
                  "degree }\ndata:\n  scenes: [{ name: s, image: '%s', labels: labels.tif }]\n  classes:\n",
                  scene);
    for (int c = 0; c < 17; c++) (void)fprintf(file, "    - { value: %d, name: class %d, color: \"#102030\" }\n", c, c);
    (void)fprintf(file, "train: { window: 256, batch: 1, upsample: 16, steps: 2, warmup_steps: 0, output: run }\n");
    assert_int_equal(fclose(file), 0);
}

static void predict_pixels(MetasegModel *model)
{
    static float pixels[PIXELS * 3];
    static uint8_t classes[PIXELS];
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    options.longitude = options.latitude = 1.0;
    for (int i = 0; i < PIXELS * 3; i++) pixels[i] = (float)(i * 7 % 251);
    must(metaseg_predict_pixels(model, pixels, NULL, SIDE, SIDE, &options, classes, NULL, NULL), "predict_pixels");
}

static void predict_raster(MetasegModel *model)
{
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    options.overwrite = true;
    must(metaseg_predict_raster(model, scene, path[0], &options, NULL), "predict_raster");
}

static void evaluate(const MetasegRun *run)
{
    const MetasegEvalOptions options = metaseg_eval_options_defaults();
    must(metaseg_eval_rasters(path[0], path[0], &options, run, NULL, NULL), "eval_rasters");
}

static void train(const MetasegRun *run)
{
    must(metaseg_train(path[1], NULL, 0, METASEG_TRAIN_REPLACE, run, NULL), "train");
}

/* ---- the host's state as text ---- */

static void add(char *text, const char *format, ...) PRINTF_LIKE(2, 3);
static void add(char *text, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text + used, TEXT_BYTES - used, format, arguments);
    va_end(arguments);
}

static void describe(char *text)
{
    sigset_t mask;
    char directory[512];
    text[0] = '\0';
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < SIGNALS; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) != 0) continue;
        add(text, "signal %d: held %d, handler %p, flags %x\n", number, sigismember(&mask, number),
            (void *)(uintptr_t)action.sa_handler, (unsigned)action.sa_flags);
    }
    fenv_t floats;
    (void)fegetenv(&floats);
    add(text, "rounding %d\n", fegetround());
#if METASEG_WITH_X86
    add(text, "floating point control %x\n", (unsigned)(__builtin_ia32_stmxcsr() & ~0x3fU));
#endif
    add(text, "OpenMP: %d threads, dynamic %d, levels %d\n", omp_get_max_threads(), omp_get_dynamic(),
        omp_get_max_active_levels());
    geo_host_state(text + strlen(text), TEXT_BYTES - strlen(text));
    add(text, "locale %s\n", setlocale(LC_ALL, NULL));
    const mode_t mode = umask(022);
    (void)umask(mode);
    add(text, "umask %o, in %s\n", (unsigned)mode, getcwd(directory, sizeof directory));
}

/* Settings that nobody would have by default. */
static void be_a_host(void)
{
    struct sigaction action = { 0 };
    action.sa_handler = on_tick;
    action.sa_flags = SA_RESTART;
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    assert_int_equal(sigaction(SIGPIPE, &action, NULL), 0);
    sigset_t mask;
    (void)sigemptyset(&mask);
    (void)sigaddset(&mask, SIGUSR2);
    (void)pthread_sigmask(SIG_BLOCK, &mask, NULL);
    omp_set_num_threads(7);
    omp_set_dynamic(1);
    geo_host_settings(folder);
    (void)setlocale(LC_ALL, "C.UTF-8");
    (void)umask(027);
}

static void compare(const char *before, const char *what)
{
    char after[TEXT_BYTES];
    describe(after);
    if (strcmp(before, after) != 0) fail_msg("%s changed its host:\n%s\n---\n%s", what, before, after);
}

static void check_state(void)
{
    static char before[TEXT_BYTES];
    const MetasegRun run = { .data_folder = share, .threads = 2 };
    MetasegModel *model = NULL;
    be_a_host();
    describe(before);
    must(metaseg_model_load(model_path, &run, &model), "load");
    compare(before, "metaseg_model_load");
    predict_pixels(model);
    compare(before, "metaseg_predict_pixels");
    predict_raster(model);
    compare(before, "metaseg_predict_raster");
    metaseg_model_free(model);
    evaluate(&run);
    compare(before, "metaseg_eval_rasters");
    assert_int_equal(rename(path[0], path[2]), 0);
    train(&run);
    compare(before, "metaseg_train");
    assert_int_equal(metaseg_model_load("/nowhere/model", &run, &model), METASEG_ERROR_INPUT);
    compare(before, "a call that fails");
}

static void check_signals(const char *cpu, int threads)
{
    const MetasegRun run = { .data_folder = share, .threads = threads, .cpu = cpu };
    struct sigaction action = { 0 };
    MetasegModel *model = NULL;
    const MetasegStatus status = metaseg_model_load(model_path, &run, &model);
    if (status == METASEG_ERROR_UNSUPPORTED) return; /* another processor tests it */
    must(status, "load");
    action.sa_handler = on_tick;
    action.sa_flags = SA_RESTART;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    set_timer(1);
    for (int i = 0; i < 3; i++) predict_pixels(model);
    predict_raster(model);
    metaseg_model_free(model);
    assert_int_equal(rename(path[0], path[2]), 0);
    if (strcmp(cpu, "plain") != 0) train(&run);
    set_timer(0);
    assert_true(ticks > 20);
    print_message("%s, %d threads: %d signals\n", cpu, threads, (int)ticks);
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    unit_folder(folder);
    (void)snprintf(share, sizeof share, "%s/share", argv[1]);
    (void)snprintf(model_path, sizeof model_path, "%s/model.safetensors", argv[1]);
    (void)snprintf(scene, sizeof scene, "%s/good.tif", argv[1]);
    static const char *const names[] = { "map.tif", "run.yaml", "labels.tif", "run" };
    for (int i = 0; i < 4; i++) (void)snprintf(path[i], sizeof path[i], "%s/%s", folder, names[i]);
    write_configuration();
    if (strcmp(argv[2], "state") == 0)
        check_state();
    else if (argc == 5)
        check_signals(argv[3], (int)strtol(argv[4], NULL, 10));
    else
        return 2;
    char command[160];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? 0 : 1;
}
