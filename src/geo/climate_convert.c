/* SPDX-License-Identifier: Apache-2.0
 * From the published climate image and its table of names to the compact file. */
#include "base/file.h"
#include "base/grow.h"
#include "geo/climate.h"
#include "geo/climate_internal.h"
#include "geo/raster.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES = 256, UNKNOWN = 255, CSV_LIMIT = 1 << 20, WORD_BYTES = 32 };

/* Takes the text up to the next comma or line end; false when it is too long. Returns the separator through ret_end. */
static const char *take_word(const char *text, char word[WORD_BYTES])
{
    const size_t length = strcspn(text, ",\r\n");
    if (length >= WORD_BYTES) return NULL;
    memcpy(word, text, length);
    word[length] = '\0';
    return text + length;
}

/* One line "index,name,value" -> zone_of[value]. */
static Err read_line(const char *path, const char *line, uint8_t zone_of[VALUES])
{
    char index[WORD_BYTES], name[WORD_BYTES], value[WORD_BYTES];
    const char *at = take_word(line, index);
    if (at != NULL && *at == ',') at = take_word(at + 1, name);
    if (at != NULL && *at == ',') at = take_word(at + 1, value);
    char *end = NULL;
    const long number = at != NULL && *at != ',' ? strtol(value, &end, 10) : -1;
    if (number < 0 || number >= VALUES || end == value || *end != '\0')
        return err_set(ERR_INPUT, "'%s': the line '%.40s' cannot be read; expected index,zone name,value", path, line);
    const int zone = climate_zone_number(name);
    if (zone < 0)
        return err_set(ERR_INPUT, "'%s': '%s' is no climate zone; expected Af ... EF, As or Ocean", path, name);
    zone_of[number] = (uint8_t)zone;
    return ERR_NONE;
}

static Err read_names(const char *path, uint8_t zone_of[VALUES])
{
    char *text = NULL;
    size_t length = 0;
    TRY(file_read(path, CSV_LIMIT, &text, &length));
    memset(zone_of, UNKNOWN, VALUES);
    Err err = ERR_NONE;
    const char *line = strchr(text, '\n'); /* the header */
    while (err == ERR_NONE && line != NULL && line[1] != '\0') {
        line++;
        if (*line != '\r' && *line != '\n') err = read_line(path, line, zone_of);
        line = strchr(line, '\n');
    }
    free(text);
    return err;
}

/* Appends the runs of one row of zones. */
static Err add_row(Climate *climate, const uint8_t *zones, int64_t *capacity)
{
    for (int64_t x = 0; x < climate->width; x++) {
        if (x + 1 < climate->width && zones[x + 1] == zones[x]) continue;
        int64_t same = *capacity; /* both arrays grow alike */
        TRY(grow_array(&climate->run_end, climate->runs, &same, sizeof *climate->run_end, "the climate map"));
        TRY(grow_array(&climate->run_zone, climate->runs, capacity, sizeof *climate->run_zone, "the climate map"));
        climate->run_end[climate->runs] = (uint16_t)(x + 1);
        climate->run_zone[climate->runs] = zones[x];
        climate->runs++;
    }
    return ERR_NONE;
}

static Err read_rows(Raster *raster, const uint8_t zone_of[VALUES], Climate *climate)
{
    const size_t width = (size_t)climate->width;
    float *values = malloc(width * sizeof *values);
    uint8_t *valid = malloc(width), *zones = calloc(width, 1);
    int64_t capacity = 0;
    Err err = values == NULL || valid == NULL || zones == NULL ? err_memory(width * 6, "a row of the climate image")
                                                               : ERR_NONE;
    for (int64_t y = 0; err == ERR_NONE && y < climate->height; y++) {
        const RasterWindow window = { .y = y, .columns = climate->width, .rows = 1 };
        err = raster_read(raster, window, values, valid);
        for (int64_t x = 0; err == ERR_NONE && x < climate->width; x++) {
            zones[x] = valid[x] ? zone_of[(uint8_t)values[x]] : CLIMATE_NONE;
            if (zones[x] == UNKNOWN)
                err = err_set(ERR_INPUT, "'%s': the value %d at row %lld is not in the table of zones",
                              raster_path(raster), (int)values[x], (long long)y);
        }
        climate->row_start[y] = (uint32_t)climate->runs;
        if (err == ERR_NONE) err = add_row(climate, zones, &capacity);
    }
    climate->row_start[climate->height] = (uint32_t)climate->runs;
    free(values);
    free(valid);
    free(zones);
    return err;
}

Err climate_convert(const char *image_path, const char *csv_path, const char *path, int overwrite)
{
    uint8_t zone_of[VALUES];
    Raster *raster = NULL;
    Climate climate = { 0 };
    TRY(file_check_output(path, overwrite != 0));
    TRY(read_names(csv_path, zone_of));
    TRY(raster_open(image_path, NULL, &raster));
    const RasterInfo *info = raster_info(raster);
    climate.width = info->width;
    climate.height = info->height;
    Err err = ERR_NONE;
    if (info->bands != 1 || strcmp(info->type, "Byte") != 0 || info->width != 2 * info->height ||
        info->width > CLIMATE_MAX_WIDTH)
        err = err_set(ERR_INPUT,
                      "'%s': not a climate image; expected one Byte band, twice as wide as high, at most %d wide",
                      image_path, CLIMATE_MAX_WIDTH);
    if (err == ERR_NONE) {
        climate.row_start = malloc(((size_t)climate.height + 1) * sizeof *climate.row_start);
        err = climate.row_start == NULL ? err_memory((size_t)climate.height * 4, "the climate map")
                                        : read_rows(raster, zone_of, &climate);
    }
    if (err == ERR_NONE) err = climate_write(&climate, path, overwrite);
    free(climate.row_start);
    free(climate.run_end);
    free(climate.run_zone);
    raster_close(raster);
    return err;
}
