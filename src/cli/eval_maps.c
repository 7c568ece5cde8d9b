/* SPDX-License-Identifier: Apache-2.0
 * Mapping a part of a data set, for an evaluation. */
#include "cli/eval_maps.h"

#include "base/file.h"
#include "base/str.h"
#include "predict/preset_maps.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The part whose figures are asked for. */
static PresetPart choose_part(const EvalMapsRequest *r, const Preset *p)
{
    if (r->part > 0) return (PresetPart)(r->part - 1);
    for (int64_t i = 0; i < p->n_items; i++)
        if (p->items[i].part == PRESET_TEST && p->items[i].labels != NULL) return PRESET_TEST;
    return PRESET_VALIDATION;
}

static bool is_wanted(const PresetItem *item, PresetPart part) { return item->part == part && item->labels != NULL; }

static Err check_part(const EvalMapsRequest *r, const Preset *p, PresetPart part, int64_t *ret_n)
{
    const PresetFinding *wrong = preset_wrong_in(p, part);
    int64_t n = 0;
    for (int64_t i = 0; i < p->n_items; i++) n += is_wanted(&p->items[i], part) ? 1 : 0;
    if (wrong != NULL && !r->skip_missing)
        return err_set(ERR_INPUT,
                       "'%s': %s ('metaseg dataset check %s' tells all; --skip-missing goes without such files)",
                       wrong->path, wrong->text, p->def->name);
    if (n == 0)
        return err_set(ERR_INPUT, "'%s': no image with labels in part %s of split %s of %s%s", p->folder,
                       preset_part_names[part], p->split, p->def->title,
                       p->def->submission.coding != SUBMISSION_NONE && part == PRESET_TEST
                           ? "; they are hidden: 'metaseg predict --preset' writes what the server takes"
                           : "");
    *ret_n = n;
    return ERR_NONE;
}

/* A folder of our own below $TMPDIR. */
static Err make_temporary(EvalMaps *m)
{
    const char *place = cli_environment("TMPDIR");
    TRY(str_format(&m->folder, "%s/metaseg-eval-XXXXXX", place != NULL ? place : "/tmp"));
    if (mkdtemp(m->folder) == NULL) {
        const Err err = err_set(ERR_OUTPUT,
                                "'%s': no folder for the maps can be made there: %s; name one with --maps, or another "
                                "place with TMPDIR",
                                place != NULL ? place : "/tmp", strerror(errno));
        free(m->folder);
        m->folder = NULL;
        return err;
    }
    m->temporary = true;
    return ERR_NONE;
}

/* "FOLDER/Val_Urban_2522_classes.tif". */
static Err map_path(const EvalMaps *m, const PresetItem *item, char **ret_path)
{
    TRY(str_format(ret_path, "%s/%s_classes.tif", m->folder, item->name));
    for (char *c = *ret_path + strlen(m->folder) + 1; *c != '\0'; c++)
        if (*c == '/') *c = '_';
    return ERR_NONE;
}

static Err list_pairs(EvalMaps *m, PresetPart part)
{
    for (int64_t i = 0; i < m->preset.n_items; i++) {
        const PresetItem *item = &m->preset.items[i];
        char *path = NULL;
        if (!is_wanted(item, part)) continue;
        TRY(map_path(m, item, &path));
        const char *truth = part != PRESET_TRAIN && item->eroded != NULL ? item->eroded : item->labels;
        m->pairs[m->n++] = (MetasegEvalPair){ path, truth, m->temporary ? item->name : NULL };
    }
    return ERR_NONE;
}

static Err map_all(const PresetMaps *maps, const EvalMaps *m, PresetPart part)
{
    int64_t done = 0;
    preset_maps_progress(maps, 0, m->n);
    for (int64_t i = 0; i < m->preset.n_items; i++) {
        MetasegPredictReport report;
        if (!is_wanted(&m->preset.items[i], part)) continue;
        TRY(preset_maps_item(maps, &m->preset.items[i], m->pairs[done].prediction, NULL, &report));
        preset_maps_progress(maps, ++done, m->n);
    }
    return ERR_NONE;
}

static Err map_with(MetasegModel *model, const EvalMapsRequest *r, const EvalMaps *m, const ClassTable *classes,
                    PresetPart part)
{
    PresetMaps maps;
    TRY(predictor_enter(model));
    Err err = preset_maps_begin(model, &m->preset, r->other_classes ? NULL : classes, &r->reading, &maps);
    if (err == ERR_NONE) {
        err = map_all(&maps, m, part);
        preset_maps_end(&maps);
    }
    predictor_leave(model);
    return err;
}

static Err make(Cli *cli, const EvalMapsRequest *r, const ClassTable *classes, EvalMaps *m)
{
    CliModels models = { 0 };
    int64_t n = 0;
    const PresetPart part = choose_part(r, &m->preset);
    TRY(check_part(r, &m->preset, part, &n));
    TRY(str_format(&m->title, "%s (split %s, %s)", r->def->title, m->preset.split, preset_part_names[part]));
    m->pairs = calloc((size_t)n, sizeof *m->pairs);
    if (m->pairs == NULL) return err_memory((size_t)n * sizeof *m->pairs, "the pairs");
    if (r->out != NULL) TRY(file_make_folders(r->out));
    TRY(r->out != NULL ? str_copy(r->out, &m->folder) : make_temporary(m));
    TRY(list_pairs(m, part));
    for (int64_t i = 0; i < n; i++) TRY(file_check_output(m->pairs[i].prediction, r->reading.overwrite));
    Err err = cli_models_init(cli, r->model, &models);
    if (err == ERR_NONE) err = map_with(models.named, r, m, classes, part);
    cli_progress_end(cli);
    cli_models_done(&models);
    return err;
}

Err eval_maps_make(Cli *cli, const EvalMapsRequest *r, EvalMaps *m)
{
    ClassTable classes;
    cli->doing = "mapping";
    cli->unit = "images";
    TRY(preset_classes(r->def, cli->data_folder, &classes));
    Err err = preset_open(r->def, r->folder, r->split, cli->data_folder, &m->preset);
    if (err == ERR_NONE) err = make(cli, r, &classes, m);
    class_table_done(&classes);
    return err;
}

/* What a folder of our own holds, and the folder. */
static void remove_temporary(const char *folder)
{
    DIR *listing = opendir(folder);
    if (listing != NULL) {
        for (const struct dirent *entry = NULL; (entry = readdir(listing)) != NULL;)
            if (entry->d_name[0] != '.') (void)unlinkat(dirfd(listing), entry->d_name, 0);
        (void)closedir(listing);
    }
    (void)rmdir(folder);
}

void eval_maps_done(EvalMaps *m)
{
    if (m->temporary) remove_temporary(m->folder);
    for (int64_t i = 0; i < m->n; i++) free((void *)(uintptr_t)m->pairs[i].prediction);
    free(m->pairs);
    free(m->title);
    free(m->folder);
    preset_close(&m->preset);
    *m = (EvalMaps){ 0 };
}
