/* SPDX-License-Identifier: Apache-2.0
 * Facts from files beside the raster: a STAC item, Landsat's MTL text. */
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "geo/metadata_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SIDECAR_LIMIT = 4 << 20 };

/* A member as text: strings as they are, numbers printed; NULL if it is neither. */
static const char *member_text(const Json *object, const char *key, char buffer[32])
{
    const Json *member = json_find(object, key);
    const char *text = NULL;
    double value = 0.0;
    if (member == NULL) return NULL;
    if (json_kind(member) == JSON_STRING && json_as_string(member, key, &text) == ERR_NONE) return text;
    if (json_kind(member) != JSON_NUMBER || json_as_double(member, key, &value) != ERR_NONE) return NULL;
    str_from_double(value, buffer);
    return buffer;
}

/* STAC 1.0 item: properties.datetime (or start_datetime), platform, processing:level, eo:cloud_cover, view:sun_elevation. */
static void read_item(const Json *root, Metadata *metadata)
{
    const Json *properties = json_find(root, "properties");
    char buffer[32];
    if (properties == NULL || json_find(root, "stac_version") == NULL) return;
    const char *source = "STAC item beside the file";
    metadata_offer_date(metadata, member_text(properties, "datetime", buffer), source);
    metadata_offer_date(metadata, member_text(properties, "start_datetime", buffer), source);
    const char *platform = member_text(properties, "platform", buffer);
    if (platform != NULL) metadata_offer_platform(metadata, platform, sensor_class_of_platform(platform), source);
    metadata_offer_level(metadata, member_text(properties, "processing:level", buffer), source);
    metadata_offer_cloud_cover(metadata, member_text(properties, "eo:cloud_cover", buffer), source);
    metadata_offer_sun_elevation(metadata, member_text(properties, "view:sun_elevation", buffer), source);
}

static Err read_stac(const char *path, Metadata *metadata)
{
    char *stem = NULL, *name = NULL;
    Json *root = NULL;
    TRY(path_stem(path, &stem));
    Err err = str_format(&name, "%s.json", stem);
    free(stem);
    if (err == ERR_NONE && file_exists(name)) {
        err = json_read_file(name, SIDECAR_LIMIT, &root);
        if (err == ERR_NONE) read_item(root, metadata);
        if (err == ERR_INPUT) {
            metadata_fact(metadata, "STAC item", "passed over: it cannot be read", "%s", path_name(name));
            err = ERR_NONE;
        }
    }
    json_free(root);
    free(name);
    return err;
}

/* One line "  KEY = value" or "  KEY = "value"". */
static void read_mtl_line(char *line, Metadata *metadata)
{
    const char *source = "Landsat MTL file";
    char *equals = strchr(line, '=');
    if (equals == NULL) return;
    const char *key = line + strspn(line, " \t");
    const size_t key_length = strcspn(key, " \t=");
    char *value = equals + 1 + strspn(equals + 1, " \t\"");
    value[strcspn(value, "\"\r")] = '\0';
    char name[32];
    (void)snprintf(name, sizeof name, "%.*s", (int)(key_length < sizeof name ? key_length : 0), key);
    if (strcmp(name, "DATE_ACQUIRED") == 0) metadata_offer_date(metadata, value, source);
    if (strcmp(name, "SPACECRAFT_ID") == 0)
        metadata_offer_platform(metadata, value, sensor_class_of_platform(value), source);
    if (strcmp(name, "PROCESSING_LEVEL") == 0) metadata_offer_level(metadata, value, source);
    if (strcmp(name, "CLOUD_COVER") == 0) metadata_offer_cloud_cover(metadata, value, source);
    if (strcmp(name, "SUN_ELEVATION") == 0) metadata_offer_sun_elevation(metadata, value, source);
}

/* Length of the product's name in a Landsat file name ("LC08_L1TP_006066_20200131_20200211_01_T1" of "..._B4.TIF"): the
 * part before the first "_B",
 * "_SR_" or "_ST_" after it, else up to the suffix. */
static size_t product_length(const char *name)
{
    const size_t whole = strcspn(name, ".");
    static const char *const parts[] = { "_B", "_SR_", "_ST_", "_MTL" };
    size_t length = whole;
    for (int64_t i = 0; i < ARRAY_LEN(parts); i++) {
        const char *found = strstr(name, parts[i]);
        if (found != NULL && (size_t)(found - name) < length) length = (size_t)(found - name);
    }
    return length;
}

static Err read_mtl(const char *path, Metadata *metadata)
{
    const char *name = path_name(path);
    if (product_name_read(name).sensor != SENSOR_LANDSAT) return ERR_NONE;
    char *file = NULL, *text = NULL;
    size_t length = 0;
    const int stem = (int)((size_t)(name - path) + product_length(name));
    TRY(str_format(&file, "%.*s_MTL.txt", stem, path));
    Err err = ERR_NONE;
    if (file_exists(file)) {
        err = file_read(file, SIDECAR_LIMIT, &text, &length);
        for (char *line = text, *end = NULL; err == ERR_NONE && line != NULL; line = end) {
            end = strchr(line, '\n');
            if (end != NULL) *end++ = '\0';
            read_mtl_line(line, metadata);
        }
        if (err == ERR_INPUT) {
            metadata_fact(metadata, "MTL file", "passed over: it cannot be read", "%s", path_name(file));
            err = ERR_NONE;
        }
    }
    free(text);
    free(file);
    return err;
}

Err metadata_read_sidecars(const char *path, Metadata *metadata)
{
    TRY(read_stac(path, metadata));
    return read_mtl(path, metadata);
}
