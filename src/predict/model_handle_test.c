/* SPDX-License-Identifier: Apache-2.0
 * A loaded model: another size of tile reads the weights again from the file that was opened, whatever has become of its
 * name; two threads share it; calls that are out of place are answered. */
#include "predict/predictor.h"

#include "base/file.h"
#include "base/rng.h"
#include "harness/unit.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

enum { SIDE = 512, PIXELS = SIDE * SIDE };

static float pixels[PIXELS * 3];
static uint8_t first[PIXELS], again[PIXELS];

static void save_model(const char *path, uint64_t seed, int32_t output_stride)
{
    ModelConfig config;
    Model *model = NULL;
    ModelSave save = model_save_defaults();
    save.overwrite = true;
    assert_int_equal(model_config_init(&config), ERR_NONE);
    assert_int_equal(model_config_set_classes(&config, 5), ERR_NONE);
    config.network.output_stride = output_stride;
    assert_int_equal(model_new(&config, false, &model), ERR_NONE);
    model_initialize(model, seed);
    assert_int_equal(model_save(model, path, &save), ERR_NONE);
    model_free(model);
    model_config_done(&config);
}

static Err predict(MetasegModel *model, int32_t tile, uint8_t *classes)
{
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    options.tile = tile;
    return metaseg_predict_pixels(model, pixels, NULL, SIDE, SIDE, &options, classes, NULL, NULL);
}

static void fill_pixels(void)
{
    for (int64_t i = 0; i < PIXELS * 3; i++)
        pixels[i] = 128.0F + 60.0F * rng_normal(2, RNG_TEST, 1, (uint64_t)(i / 3 / 16));
}

static void other_sizes_read_the_weights_again(void **state)
{
    char folder[64], path[96];
    MetasegModel *model = NULL;
    (void)state;
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/model.safetensors", folder);
    save_model(path, 1, 4);
    fill_pixels();
    assert_int_equal(metaseg_model_load(path, NULL, &model), ERR_NONE);
    const char *name = metaseg_model_class(model, 2, NULL, NULL);
    assert_int_equal(predict(model, 512, first), ERR_NONE);
    const int64_t kept = params_length(model->model->params);
    assert_int_equal(predict(model, 256, again), ERR_NONE);
    assert_int_equal(predict(model, 512, again), ERR_NONE);
    assert_memory_equal(first, again, sizeof first);
    int64_t differing = 0; /* a map of one class would prove nothing */
    for (int64_t i = 0; i < PIXELS; i++) differing += first[i] != first[0];
    assert_true(differing > PIXELS / 100);
    assert_ptr_equal(metaseg_model_class(model, 2, NULL, NULL), name);
#if METASEG_WITH_ONEDNN
    assert_true(kept < 1000000); /* of more than 6 million */
#else
    assert_true(kept > 1000000);
#endif

    save_model(path, 2, 4); /* another file under the same name */
    assert_int_equal(predict(model, 256, again), ERR_NONE);
    assert_int_equal(predict(model, 512, again), ERR_NONE);
    assert_memory_equal(first, again, sizeof first);
    metaseg_model_free(model);
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_int_equal(rmdir(folder), 0);
}

/* Loaded by a relative path: the folder is left, the file renamed, removed, and at last overwritten in place. */
/* What fits by itself is refused where mirrored tiles and two more tiles of scores would lie beside it. */
static void mirrored_readings_take_memory(void **state)
{
    char folder[64], path[96];
    MetasegModel *model = NULL;
    SceneJob job = { .width = 3072, .height = 3072, .out_width = 3072, .out_height = 3072, .tile = 1792 };
    (void)state;
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/model.safetensors", folder);
    save_model(path, 1, 1);
    ASSERT_OK(metaseg_model_load(path, &(MetasegRun){ .ram = INT64_C(900) << 20 }, &model));
    ASSERT_OK(predictor_choose_strips(model, &job));
    job.tta = METASEG_TTA_NONE;
    ASSERT_OK(predictor_choose_strips(model, &job));
    job.tta = METASEG_TTA_LR;
    ASSERT_ERR(predictor_choose_strips(model, &job), ERR_MEMORY, "give a smaller --tile, or no --tta");
    job.tile = 1024;
    ASSERT_OK(predictor_choose_strips(model, &job));
    metaseg_model_free(model);
    assert_int_equal(remove(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void the_path_is_of_no_concern(void **state)
{
    char folder[64], before[512];
    MetasegModel *model = NULL;
    (void)state;
    unit_folder(folder);
    fill_pixels();
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    save_model("a.safetensors", 1, 4);
    assert_int_equal(metaseg_model_load("a.safetensors", NULL, &model), ERR_NONE);
    assert_int_equal(predict(model, 512, first), ERR_NONE);
    assert_int_equal(rename("a.safetensors", "b.safetensors"), 0);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(predict(model, 256, again), ERR_NONE);
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(link("b.safetensors", "c.safetensors"), 0);
    assert_int_equal(unlink("b.safetensors"), 0);
    assert_int_equal(predict(model, 512, again), ERR_NONE);
    assert_memory_equal(first, again, sizeof first);

    assert_int_equal(truncate("c.safetensors", 100000), 0);
    ASSERT_ERR(predict(model, 256, again), ERR_INPUT, "cut short since it was opened");
    assert_int_equal(unlink("c.safetensors"), 0);
    assert_int_equal(chdir(before), 0);
    metaseg_model_free(model);
    assert_int_equal(rmdir(folder), 0);
}

static void overwritten_in_place(void **state)
{
    char folder[64], path[96], other[96], *bytes = NULL;
    size_t n = 0;
    MetasegModel *model = NULL;
    (void)state;
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/a.safetensors", folder);
    (void)snprintf(other, sizeof other, "%s/b.safetensors", folder);
    save_model(path, 1, 4);
    save_model(other, 2, 4);
    assert_int_equal(metaseg_model_load(path, NULL, &model), ERR_NONE);
    assert_int_equal(predict(model, 512, first), ERR_NONE);
    ASSERT_OK(file_read(other, 1 << 28, &bytes, &n));
    FILE *stream = fopen(path, "r+b");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, n, stream), n);
    assert_int_equal(fclose(stream), 0);
    free(bytes);
    ASSERT_ERR(predict(model, 256, again), ERR_MODEL, "has been overwritten since it was loaded");
    metaseg_model_free(model);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(rmdir(folder), 0);
}

enum { THREADS = 2, ROUNDS = 3 };
typedef struct Shared {
    MetasegModel *model;
    uint8_t classes[ROUNDS][PIXELS];
    Err err[ROUNDS];
} Shared;

static void *predict_often(void *argument)
{
    Shared *shared = argument;
    for (int i = 0; i < ROUNDS; i++) /* both sizes: the program is made anew while others wait */
        shared->err[i] = predict(shared->model, i % 2 == 0 ? 512 : 256, shared->classes[i]);
    return NULL;
}

static void two_threads_share_a_model(void **state)
{
    char folder[64], path[96];
    static Shared shared[THREADS];
    static uint8_t expected[2][PIXELS];
    pthread_t thread[THREADS];
    MetasegModel *model = NULL;
    (void)state;
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/model.safetensors", folder);
    save_model(path, 1, 4);
    fill_pixels();
    assert_int_equal(metaseg_model_load(path, NULL, &model), ERR_NONE);
    assert_int_equal(predict(model, 512, expected[0]), ERR_NONE);
    assert_int_equal(predict(model, 256, expected[1]), ERR_NONE);
    for (int i = 0; i < THREADS; i++) {
        shared[i].model = model;
        assert_int_equal(pthread_create(&thread[i], NULL, predict_often, &shared[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        for (int r = 0; r < ROUNDS; r++) {
            assert_int_equal(shared[i].err[r], ERR_NONE);
            assert_memory_equal(shared[i].classes[r], expected[r % 2], PIXELS);
        }
    }
    metaseg_model_free(model);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static MetasegModel *progressing;
static Err from_progress;

static void predict_in_progress(void *context, int64_t done, int64_t total, const char *text)
{
    (void)context;
    (void)done;
    (void)total;
    (void)text;
    from_progress = predict(progressing, 256, again);
}

static void out_of_place(void **state)
{
    char folder[64], path[96];
    int32_t code = 77;
    uint32_t color = 78;
    const MetasegRun run = { .progress = predict_in_progress };
    (void)state;
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/model.safetensors", folder);
    save_model(path, 1, 4);
    assert_int_equal(metaseg_model_load(path, &run, &progressing), ERR_NONE);
    assert_null(metaseg_model_class(progressing, -1, &code, &color));
    assert_null(metaseg_model_class(progressing, 5, &code, &color));
    assert_null(metaseg_model_class(progressing, INT32_MAX, &code, &color));
    assert_null(metaseg_model_class(NULL, 0, &code, &color));
    assert_int_equal(metaseg_model_classes(NULL) + metaseg_model_bands(NULL), 0);
    assert_int_equal(code, 77);
    assert_int_equal(color, 78);
    assert_string_equal(metaseg_model_class(progressing, 4, &code, &color), "class 4");
    assert_int_equal(code, 4);
    assert_int_equal(predict(progressing, 256, first), ERR_NONE);
    assert_int_equal(from_progress, ERR_ARGUMENT);
    metaseg_model_free(progressing);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* Scores [side, side, 5] at a position in cells, clamped. */
static float score_at(const float *scores, int64_t side, double y, double x, int64_t class)
{
    y = fmin(fmax(y, 0.0), (double)(side - 1));
    x = fmin(fmax(x, 0.0), (double)(side - 1));
    const int64_t y0 = (int64_t)y, x0 = (int64_t)x, y1 = y0 + (y0 + 1 < side), x1 = x0 + (x0 + 1 < side);
    const double fy = y - (double)y0, fx = x - (double)x0;
    const double top =
        (1.0 - fx) * (double)scores[(y0 * side + x0) * 5 + class] + fx * (double)scores[(y0 * side + x1) * 5 + class];
    const double bottom =
        (1.0 - fx) * (double)scores[(y1 * side + x0) * 5 + class] + fx * (double)scores[(y1 * side + x1) * 5 + class];
    return (float)((1.0 - fy) * top + fy * bottom);
}

/* One tile is the whole image: its map is the best class of the scores, interpolated from their own stride. */
static void maps_follow_the_stride_of_the_scores(void **state)
{
    char folder[64], path[96];
    (void)state;
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/model.safetensors", folder);
    fill_pixels();
    for (int32_t stride = 1; stride <= 4; stride *= 2) {
        MetasegModel *model = NULL;
        save_model(path, 3, stride);
        assert_int_equal(metaseg_model_load(path, NULL, &model), ERR_NONE);
        assert_int_equal(predict(model, SIDE, first), ERR_NONE);
        const Tensor scores = program_tensor(model->programs[0], "logits");
        assert_int_equal(scores.shape.dim[1], SIDE / stride);
        int64_t wrong = 0, differing = 0;
        for (int64_t i = 0; i < PIXELS; i++) {
            float value[5], best = -INFINITY;
            for (int64_t c = 0; c < 5; c++) {
                value[c] = score_at(scores.data, SIDE / stride, ((double)(i / SIDE) + 0.5) / stride - 0.5,
                                    ((double)(i % SIDE) + 0.5) / stride - 0.5, c);
                best = fmaxf(best, value[c]);
            }
            wrong += value[first[i]] < best - 1e-4F * fabsf(best);
            differing += first[i] != first[0];
        }
        assert_int_equal(wrong, 0);
        assert_true(differing > PIXELS / 100);
        metaseg_model_free(model);
    }
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_int_equal(rmdir(folder), 0);
}

/* With mirrored readings the map of a mirrored image is the mirrored map, which it is not without. */
static void mirrored_readings(void **state)
{
    enum { SMALL = 256 };
    static float mirrored[SMALL * SMALL * 3];
    char folder[64], path[96];
    MetasegModel *model = NULL;
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    (void)state;
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/model.safetensors", folder);
    save_model(path, 3, 2);
    fill_pixels();
    for (int64_t i = 0; i < SMALL * SMALL; i++)
        memcpy(mirrored + 3 * i, pixels + 3 * (i / SMALL * SMALL + SMALL - 1 - i % SMALL), 3 * sizeof(float));
    assert_int_equal(metaseg_model_load(path, NULL, &model), ERR_NONE);
    for (MetasegTta tta = METASEG_TTA_NONE; tta <= METASEG_TTA_D4_MS; tta++) {
        int64_t other = 0;
        options.tta = tta;
        ASSERT_OK((Err)metaseg_predict_pixels(model, pixels, NULL, SMALL, SMALL, &options, first, NULL, NULL));
        ASSERT_OK((Err)metaseg_predict_pixels(model, mirrored, NULL, SMALL, SMALL, &options, again, NULL, NULL));
        for (int64_t i = 0; i < SMALL * SMALL; i++)
            other += first[i] != again[i / SMALL * SMALL + SMALL - 1 - i % SMALL];
        if (tta == METASEG_TTA_NONE) assert_true(other > SMALL * SMALL / 200);
        if (tta != METASEG_TTA_NONE) assert_true(other < SMALL * SMALL / 2000); /* where rounding decides */
    }
    options.tta = (MetasegTta)9;
    ASSERT_ERR((Err)metaseg_predict_pixels(model, pixels, NULL, SMALL, SMALL, &options, first, NULL, NULL),
               ERR_ARGUMENT, "augmentation of kind 9");
    metaseg_model_free(model);
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_int_equal(rmdir(folder), 0);
}

static void count_tiles(void *context, int64_t done, int64_t total, const char *text)
{
    (void)done;
    (void)text;
    *(int64_t *)context = total;
}

/* With hardly enough memory a wide image is read in strips of 256 columns, some tiles twice; less is refused. */
static void strips_give_the_same_map(void **state)
{
    enum { WIDE = 1900, HIGH = 130, CLASSES = 5, N = WIDE * HIGH };
    static uint8_t maps[2][2 + CLASSES][N];
    char folder[64], path[96];
    int64_t tiles[2] = { 0 }, refused = 0;
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    (void)state;
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/model.safetensors", folder);
    save_model(path, 5, 4);
    fill_pixels();
    options.tile = 64;
    for (int k = 0; k < 2; k++) {
        MetasegModel *model = NULL;
        const MetasegRun run = { .progress = count_tiles, .context = &tiles[k], .ram = k == 0 ? INT64_C(1) << 30 : 1 };
        ASSERT_OK((Err)metaseg_model_load(path, &run, &model));
        Err err = ERR_MEMORY;
        while (err == ERR_MEMORY) {
            err = (Err)metaseg_predict_pixels(model, pixels, NULL, WIDE, HIGH, &options, maps[k][0], maps[k][1],
                                              maps[k][2]);
            refused += err == ERR_MEMORY;
            model->run.ram += 1 << 16;
        }
        ASSERT_OK(err);
        metaseg_model_free(model);
    }
    assert_true(refused > 1);
    assert_true(tiles[1] > tiles[0] && tiles[1] < 2 * tiles[0]);
    assert_memory_equal(maps[0], maps[1], sizeof maps[0]);
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_sizes_read_the_weights_again),
        cmocka_unit_test(maps_follow_the_stride_of_the_scores),
        cmocka_unit_test(mirrored_readings),
        cmocka_unit_test(mirrored_readings_take_memory),
        cmocka_unit_test(strips_give_the_same_map),
        cmocka_unit_test(the_path_is_of_no_concern),
        cmocka_unit_test(overwritten_in_place),
        cmocka_unit_test(two_threads_share_a_model),
        cmocka_unit_test(out_of_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
