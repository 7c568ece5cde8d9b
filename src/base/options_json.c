/* SPDX-License-Identifier: Apache-2.0
 * A command's options as GDAL describes those of its algorithms (gdal COMMAND --json-usage; gdal_algorithm.schema.json of GDAL 3.12), so that
 * programs which build dialogs and pipelines from these can build them for metaseg. */
#include "base/options.h"

#include "base/json.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *type_name(const Option *option)
{
    static const char *const names[] = {
        [OPTION_FLAG] = "boolean",     [OPTION_COUNT] = "boolean",     [OPTION_STRING] = "string",
        [OPTION_INT] = "integer",      [OPTION_DOUBLE] = "real",       [OPTION_ENUM] = "string",
        [OPTION_LIST] = "string_list", [OPTION_NUMBERS] = "real_list",
    };
    return names[option->type];
}

/* "1,2,3" -> ["1", "2", "3"] */
static void put_items(JsonWriter *w, const Option *option)
{
    json_begin_array(w, "default");
    for (const char *item = option->default_value; *item != '\0';) {
        char text[64];
        const int length = option->whole ? (int)strlen(item) : (int)strcspn(item, ",");
        (void)snprintf(text, sizeof text, "%.*s", length, item);
        json_put_string(w, NULL, text);
        item += length;
        item += *item == ',';
    }
    json_end(w);
}

static void put_default(JsonWriter *w, const Option *option)
{
    const char *value = option->default_value;
    if (option->type == OPTION_FLAG || option->type == OPTION_COUNT)
        json_put_bool(w, "default", false);
    else if (value == NULL)
        return;
    else if (option->type == OPTION_INT)
        json_put_int(w, "default", strtoll(value, NULL, 10));
    else if (option->type == OPTION_DOUBLE)
        json_put_double(w, "default", strtod(value, NULL));
    else if (option->type == OPTION_LIST)
        put_items(w, option);
    else
        json_put_string(w, "default", value);
}

static void put_range(JsonWriter *w, const Option *option)
{
    const bool number = option->type == OPTION_INT || option->type == OPTION_DOUBLE;
    if (!number || !(option->minimum < option->maximum)) return; /* any */
    json_put_double(w, "min_value", option->minimum);
    json_put_bool(w, "min_value_is_included", true);
    json_put_double(w, "max_value", option->maximum);
    json_put_bool(w, "max_value_is_included", true);
}

static void put_list(JsonWriter *w, bool packed, int64_t least, int64_t most)
{
    json_put_bool(w, "packed_values_allowed", packed);
    json_put_bool(w, "repeated_arg_allowed", true);
    json_put_int(w, "min_count", least);
    json_put_int(w, "max_count", most < 0 ? INT_MAX : most);
}

static void put_option(JsonWriter *w, const Option *option, const char *category)
{
    json_begin_object(w, NULL);
    json_put_string(w, "name", option->name);
    json_put_string(w, "type", type_name(option));
    json_put_string(w, "description", option->help);
    if (option->value != NULL) json_put_string(w, "metavar", option->value);
    if (option->type == OPTION_ENUM) {
        json_begin_array(w, "choices");
        for (int64_t i = 0; i < OPTION_CHOICES && option->choices[i] != NULL; i++)
            json_put_string(w, NULL, option->choices[i]);
        json_end(w);
    }
    put_default(w, option);
    put_range(w, option);
    json_put_bool(w, "required", option->required);
    if (option->type == OPTION_LIST) put_list(w, !option->whole, option->required ? 1 : 0, -1);
    if (option->type == OPTION_NUMBERS) put_list(w, true, option->words, option->words);
    json_put_string(w, "category", category);
    json_end(w);
}

/* What stands without an option's name: "input", as GDAL calls it. */
static void put_arguments(JsonWriter *w, const OptionSpec *spec)
{
    char metavar[64];
    if (spec->max_arguments == 0) return;
    (void)snprintf(metavar, sizeof metavar, "%.*s", (int)strcspn(spec->usage, " ."), spec->usage);
    json_begin_object(w, NULL);
    json_put_string(w, "name", "input");
    json_put_string(w, "type", spec->max_arguments == 1 ? "string" : "string_list");
    json_put_string(w, "description", spec->usage);
    json_put_string(w, "metavar", metavar);
    json_put_bool(w, "required", spec->min_arguments > 0);
    if (spec->max_arguments != 1) put_list(w, false, spec->min_arguments, spec->max_arguments);
    json_put_string(w, "category", "Base");
    json_end(w);
}

static void put_empty(JsonWriter *w, const char *key)
{
    json_begin_array(w, key);
    json_end(w);
}

Err options_json(const OptionSpec *spec, OptionTable common, char **ret_text)
{
    JsonWriter w = { .pretty = true };
    json_begin_object(&w, NULL);
    json_put_string(&w, "name", spec->command);
    json_begin_array(&w, "full_path");
    json_put_string(&w, NULL, "metaseg");
    json_put_string(&w, NULL, spec->command);
    json_end(&w);
    json_put_string(&w, "description", spec->summary);
    put_empty(&w, "sub_algorithms");
    json_begin_array(&w, "input_arguments");
    put_arguments(&w, spec);
    for (int64_t i = 0; i < spec->own.count; i++) put_option(&w, &spec->own.options[i], "Base");
    for (int64_t i = 0; i < common.count; i++) put_option(&w, &common.options[i], "Common");
    json_end(&w);
    put_empty(&w, "output_arguments");
    put_empty(&w, "input_output_arguments");
    json_end(&w);
    return json_take(&w, ret_text);
}
