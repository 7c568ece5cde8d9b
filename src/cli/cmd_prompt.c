/* SPDX-License-Identifier: Apache-2.0
 *
 * metaseg prompt: what is known of a place, its climate zones, and the words the network reads there. */
#include "cli/cli.h"

#include "base/file.h"
#include "base/json.h"
#include "data/prompt_bank_file.h"
#include "data/prompt_facts.h"
#include "model/model_file.h"
#include "network/text_encoder_def.h"
#include "text/tokenizer_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct PromptArgs {
    const char *crs, *lonlat, *bbox, *date, *sensor, *model, *text_encoder;
    bool json;
} PromptArgs;

static const Option prompt_options[] = {
    { "lonlat", 0, OPTION_STRING, offsetof(PromptArgs, lonlat), .value = "LON,LAT",
      .help = "a position in degrees instead of an image, or of an image without georeference" },
    { "crs", 0, OPTION_STRING, offsetof(PromptArgs, crs), .value = "CRS",
      .help = "coordinate reference system of the image, where its file tells none or a wrong one: EPSG:32633" },
    { "bbox", 0, OPTION_STRING, offsetof(PromptArgs, bbox), .value = "W,S,E,N",
      .help = "a box in degrees instead of an image" },
    { "date", 0, OPTION_STRING, offsetof(PromptArgs, date), .value = "YYYY-MM-DD",
      .help = "date instead of the image's; YYYY-MM will do" },
    { "sensor", 0, OPTION_STRING, offsetof(PromptArgs, sensor), .value = "CLASS",
      .help = "aerial, very-high-resolution, sentinel-2, landsat or modis instead of the image's" },
    { "model", 'm', OPTION_STRING, offsetof(PromptArgs, model), .value = "FILE",
      .help = "show the words that this model carries and reads, instead of the prompt bank's" },
    { "text-encoder", 0, OPTION_STRING, offsetof(PromptArgs, text_encoder), .value = "FOLDER",
      .help = "folder of the text encoder whose tokens are shown; without it the one that 'make data' brings" },
    { "json", 0, OPTION_FLAG, offsetof(PromptArgs, json), .help = "write JSON, on one line" },
};

const OptionSpec cmd_prompt_spec = {
    .command = "prompt",
    .summary = "show the facts, climate zones and words of a place",
    .usage = "[IN] [options]",
    .details = "Prints what is known of an image, a position or a box with the source of each fact, the Koeppen-Geiger "
               "climate zones with their shares, and for each zone the sentences of the prompt bank with their "
               "tokens. A place without a zone (the open sea) has the null prompt, which is learned and has "
               "no words. A model reads the sentences it was trained with: --model shows those.",
    .examples = "metaseg prompt scene.tif\nmetaseg prompt --lonlat 13.06,52.40 --date 2020-07\n"
                "metaseg prompt --bbox 5.9,47.3,15.0,55.0 --json",
    .own = { prompt_options, ARRAY_LEN(prompt_options) },
    .min_arguments = 0,
    .max_arguments = 1,
};

/* What is printed, and what it was made from. */
typedef struct Report {
    const char *image;
    PlacePrompts place;
    Tokenizer *tokenizer;          /* NULL: no vocabulary, no tokens */
    const char *source;            /* of the words: path of the bank or of the model */
    bool reads_text;               /* false: the model named reads none */
    ModelTextEncoder text_encoder; /* of the model named */
} Report;

static const char *part_name(PromptPart part)
{
    static const char *const names[] = { "zone", "season", "observation", "text" };
    return names[part];
}

/* ---- collecting ---- */

/* Exchanges each zone's sentences for the one that the model carries. */
static Err take_model_words(const Model *model, Report *report)
{
    const PromptTable *zones = &model->prompts;
    report->text_encoder = model->config.text_encoder;
    report->reads_text = model->config.network.fusion != NETWORK_FUSION_NONE && zones->count > 0;
    for (int32_t i = 0; i < report->place.n_zones; i++) {
        Prompt *prompt = &report->place.zones[i].prompt;
        const char *code = climate_zone_name(report->place.zones[i].zone);
        const int32_t entry = prompt_table_find(zones, code);
        prompt_done(prompt);
        if (!report->reads_text || entry < 0) continue;
        TRY(prompt_from_text(zones->sentences[entry], prompt));
        prompt->sentences[0].part = PROMPT_PART_ZONE;
        (void)snprintf(prompt->sentences[0].key, sizeof prompt->sentences[0].key, "%s", code);
    }
    return ERR_NONE;
}

static Err collect(const Cli *cli, const PromptArgs *args, const char *bank_path, Report *report)
{
    Climate *climate = NULL;
    char *map = NULL;
    PromptBank bank;
    Model *model = NULL;
    const PlaceQuery query = { .image = report->image,
                               .crs = args->crs,
                               .lonlat = args->lonlat,
                               .bbox = args->bbox,
                               .date = args->date,
                               .sensor = args->sensor,
                               .stop = cli->run.stop };
    TRY(prompt_bank_file_load(bank_path, &bank));
    Err err = cli_data_path(cli, "koppen_geiger.bin", &map);
    if (err == ERR_NONE) err = climate_open(map, &climate);
    if (err == ERR_NONE) err = place_prompts_collect(&query, climate, &bank, &report->place);
    if (err == ERR_NONE && args->model != NULL) err = model_load(args->model, false, &model);
    if (err == ERR_NONE && model != NULL) err = take_model_words(model, report);
    model_free(model);
    climate_close(climate);
    prompt_bank_file_free(&bank);
    free(map);
    return err;
}

/* The kind of tokenizer that a model's text encoder has; of any without a model. */
static TokenizerKind kind_of(const Report *report)
{
    return report->text_encoder.known ? text_encoder_def(report->text_encoder.kind)->tokenizer : TOKENIZER_KIND_COUNT;
}

/* Tokens need the vocabulary that set-up downloads, or one that is named; everything else is shown without it. */
static Err tokenize(const Cli *cli, const PromptArgs *args, Report *report)
{
    char *data = NULL, *folder = NULL, *path = NULL;
    Err err = cli_data_folder(cli, &data);
    if (err == ERR_NONE) err = path_join(data, "minilm", &folder);
    if (err == ERR_NONE)
        err = tokenizer_find(args->text_encoder != NULL ? args->text_encoder : folder, kind_of(report), &path);
    free(data);
    if (err == ERR_NONE && (args->text_encoder != NULL || file_exists(path))) {
        err = tokenizer_open(path, &report->tokenizer);
        if (err == ERR_NONE) err = place_prompts_tokenize(report->tokenizer, &report->place);
    } else if (err == ERR_NONE) {
        if (kind_of(report) == TOKENIZER_BPE)
            log_line(&cli->log, LOG_WARNING,
                     "no tokens are shown: this model was trained with %s; name its folder by --text-encoder",
                     network_text_encoder_titles[report->text_encoder.kind]);
        else
            log_line(&cli->log, LOG_WARNING, "'%s': missing, so no tokens are shown; %s", path, cli_mend(cli));
    }
    free(folder);
    free(path);
    return err;
}

/* ---- as text ---- */

static void print_tokens(const Tokenizer *tokenizer, const Prompt *prompt)
{
    Str tokens = { 0 };
    for (int64_t t = 0; t < prompt->n_tokens; t++) str_addf(&tokens, " %s", tokenizer_token(tokenizer, prompt->ids[t]));
    cli_line("  %-12s%s", "tokens", str_text(&tokens));
    str_done(&tokens);
}

static void print_prompt(const Report *report, const ZonePrompt *zone)
{
    const Prompt *prompt = &zone->prompt;
    if (report->tokenizer != NULL)
        cli_line("prompt of %s, %lld tokens", climate_zone_name(zone->zone), (long long)prompt->n_tokens);
    else
        cli_line("prompt of %s", climate_zone_name(zone->zone));
    for (int64_t s = 0; s < prompt->n_sentences; s++)
        cli_line("  %-12s %s", part_name(prompt->sentences[s].part), prompt->sentences[s].text);
    if (report->tokenizer != NULL) print_tokens(report->tokenizer, prompt);
}

static void print_zones(const PlacePrompts *place)
{
    cli_line("zones");
    for (int32_t i = 0; i < place->n_zones; i++)
        cli_line("  %-4s %6.2f %%  %s", climate_zone_name(place->zones[i].zone), 100.0 * place->zones[i].share,
                 climate_zone_description(place->zones[i].zone));
    if (place->null_share > 0.0) cli_line("  none %6.2f %%  no zone", 100.0 * place->null_share);
    if (place->land_kilometres > 0.0)
        cli_line("  the place itself has none; that is the zone of land %.1f km away", place->land_kilometres);
}

static void print_text(const Report *report)
{
    const PlacePrompts *place = &report->place;
    if (report->image != NULL) cli_line("image %s", report->image);
    cli_line("facts");
    for (int64_t i = 0; i < place->metadata.n_facts; i++) {
        const Fact *fact = &place->metadata.facts[i];
        cli_line("  %-25s %s (%s)", fact->name, fact->value, fact->source);
    }
    print_zones(place);
    cli_line("words from %s", report->source);
    if (!report->reads_text) {
        cli_line("this model reads no words");
        return;
    }
    for (int32_t i = 0; i < place->n_zones; i++) print_prompt(report, &place->zones[i]);
    if (place->null_share > 0.0)
        cli_line("null prompt for %.4g %%: no zone there; it is learned and has no words", 100.0 * place->null_share);
}

/* ---- as JSON ---- */

static void put_place(JsonWriter *w, const Metadata *m)
{
    json_begin_array(w, "facts");
    for (int64_t i = 0; i < m->n_facts; i++) {
        json_begin_object(w, NULL);
        json_put_string(w, "name", m->facts[i].name);
        json_put_string(w, "value", m->facts[i].value);
        json_put_string(w, "source", m->facts[i].source);
        json_end(w);
    }
    json_end(w);
    if (!m->has_footprint) {
        json_put_null(w, "footprint");
        return;
    }
    json_begin_object(w, "footprint");
    json_put_double(w, "west", m->footprint.west);
    json_put_double(w, "south", m->footprint.south);
    json_put_double(w, "east", m->footprint.east);
    json_put_double(w, "north", m->footprint.north);
    json_put_bool(w, "contains_pole", m->footprint.contains_pole);
    json_begin_array(w, "outline");
    for (int i = 0; i < FOOTPRINT_POINTS; i++) {
        json_begin_array(w, NULL);
        json_put_double(w, NULL, m->footprint.lon[i]);
        json_put_double(w, NULL, m->footprint.lat[i]);
        json_end(w);
    }
    json_end(w);
    json_end(w);
}

static void put_prompt(JsonWriter *w, const Tokenizer *tokenizer, const Prompt *prompt)
{
    json_begin_array(w, "sentences");
    for (int64_t s = 0; s < prompt->n_sentences; s++) {
        json_begin_object(w, NULL);
        json_put_string(w, "part", part_name(prompt->sentences[s].part));
        json_put_string(w, "key", prompt->sentences[s].key);
        json_put_string(w, "text", prompt->sentences[s].text);
        json_end(w);
    }
    json_end(w);
    if (tokenizer == NULL) {
        json_put_null(w, "tokens");
        return;
    }
    json_begin_array(w, "tokens");
    for (int64_t t = 0; t < prompt->n_tokens; t++) json_put_string(w, NULL, tokenizer_token(tokenizer, prompt->ids[t]));
    json_end(w);
    json_begin_array(w, "ids");
    for (int64_t t = 0; t < prompt->n_tokens; t++) json_put_int(w, NULL, prompt->ids[t]);
    json_end(w);
}

static Err print_json(const Report *report)
{
    JsonWriter w = { 0 };
    char *text = NULL;
    json_begin_object(&w, NULL);
    json_put_string(&w, "image", report->image);
    put_place(&w, &report->place.metadata);
    json_begin_array(&w, "zones");
    for (int32_t i = 0; i < report->place.n_zones; i++) {
        const ZonePrompt *zone = &report->place.zones[i];
        json_begin_object(&w, NULL);
        json_put_string(&w, "zone", climate_zone_name(zone->zone));
        json_put_string(&w, "description", climate_zone_description(zone->zone));
        json_put_double(&w, "share", zone->share);
        put_prompt(&w, report->tokenizer, &zone->prompt);
        json_end(&w);
    }
    json_end(&w);
    json_put_double(&w, "null_share", report->place.null_share);
    json_put_double(&w, "land_kilometres", report->place.land_kilometres);
    json_put_string(&w, "words", report->reads_text ? report->source : NULL);
    json_end(&w);
    TRY(json_take(&w, &text));
    cli_json(text);
    free(text);
    return ERR_NONE;
}

static Err run_prompt(Cli *cli, const void *target, const OptionResult *words)
{
    const PromptArgs *args = target;
    const char *image = words->n_arguments > 0 ? words->arguments[0] : NULL;
    Report report = { .image = image, .reads_text = true };
    char *bank_path = NULL;
    if (image == NULL && args->lonlat == NULL && args->bbox == NULL)
        return err_set(ERR_ARGUMENT, "no place was given; name an image, or give --lonlat or --bbox");
    TRY(cli_data_path(cli, "prompts/koppen.yaml", &bank_path));
    report.source = args->model != NULL ? args->model : bank_path;
    Err err = collect(cli, args, bank_path, &report);
    if (err == ERR_NONE) err = tokenize(cli, args, &report);
    if (err == ERR_NONE && cli_json_wanted(cli, args->json))
        err = print_json(&report);
    else if (err == ERR_NONE)
        print_text(&report);
    place_prompts_done(&report.place);
    tokenizer_free(report.tokenizer);
    free(bank_path);
    return err;
}

Err cmd_prompt(Cli *cli, int argc, char **argv)
{
    PromptArgs args = { 0 };
    return cli_run(cli, &cmd_prompt_spec, &args, argc, argv, run_prompt);
}
