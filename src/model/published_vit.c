/* SPDX-License-Identifier: Apache-2.0
 * Names of published encoders. A rule says how the beginning of a name of ours is written there; the first that fits counts. */
#include "model/published_vit.h"

#include "base/str.h"
#include "model/model_file.h"
#include "model/published.h"
#include "model/vit_positions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* '*' stands for a number, the same on both sides; '@' for queries, keys and values, which are three tensors there and one
 * here. */
typedef struct NameRule {
    const char *ours, *theirs;
    int32_t third; /* of their tensor: 1 the first, 3 the last, 0 all of it */
} NameRule;

typedef struct Convention {
    const char *title;
    const char *marks[3]; /* tensors that only such files have; the first tells what stands before the names */
    bool rotary;          /* DINOv3 */
    NameRule rules[14];   /* names that no rule fits are ours */
    const char *parts[3]; /* the words of '@' */
} Convention;

/* transformers: the embeddings, and a layer of either family after its attention. */
#define EMBEDDINGS(projection)                                                                                         \
    { "cls_token", "embeddings.cls_token", 0 }, { "reg_token", "embeddings.register_tokens", 0 },                      \
        { "pos_embed", "embeddings.position_embeddings", 0 },                                                          \
    {                                                                                                                  \
        "patch_embed.proj.", "embeddings.patch_embeddings." projection, 0                                              \
    }
#define DINOV2_LAYER                                                                                                   \
    { "blocks.*.ls1.gamma", "encoder.layer.*.layer_scale1.lambda1", 0 },                                               \
        { "blocks.*.ls2.gamma", "encoder.layer.*.layer_scale2.lambda1", 0 }, { "blocks.*.", "encoder.layer.*.", 0 },   \
    {                                                                                                                  \
        "norm.", "layernorm.", 0                                                                                       \
    }
#define DINOV3_LAYER(layer)                                                                                            \
    { "blocks.*.attn.qkv.", layer ".*.attention.@.", 0 },                                                              \
        { "blocks.*.attn.q_bias", layer ".*.attention.q_proj.bias", 0 },                                               \
        { "blocks.*.attn.v_bias", layer ".*.attention.v_proj.bias", 0 },                                               \
        { "blocks.*.attn.proj.", layer ".*.attention.o_proj.", 0 },                                                    \
        { "blocks.*.gamma_1", layer ".*.layer_scale1.lambda1", 0 },                                                    \
        { "blocks.*.gamma_2", layer ".*.layer_scale2.lambda1", 0 },                                                    \
        { "blocks.*.mlp.fc1.", layer ".*.mlp.up_proj.", 0 }, { "blocks.*.mlp.fc2.", layer ".*.mlp.down_proj.", 0 },    \
    {                                                                                                                  \
        "blocks.*.", layer ".*.", 0                                                                                    \
    }

static const Convention conventions[] = {
    { .marks = { "storage_tokens", "blocks.0.ls1.gamma" }, /* DINOv3, Meta */
      .rotary = true,
      .rules = { { "reg_token", "storage_tokens", 0 },
                 { "blocks.*.gamma_1", "blocks.*.ls1.gamma", 0 },
                 { "blocks.*.gamma_2", "blocks.*.ls2.gamma", 0 },
                 { "blocks.*.attn.q_bias", "blocks.*.attn.qkv.bias", 1 },
                 { "blocks.*.attn.v_bias", "blocks.*.attn.qkv.bias", 3 } } },
    { .marks = { "reg_token", "blocks.0.gamma_1" }, .rotary = true }, /* DINOv3, timm */
    { .marks = { "register_tokens", "blocks.0.ls1.gamma" },           /* DINOv2 with registers, Meta */
      .rules = { { "reg_token", "register_tokens", 0 } } },
    { .marks = { "patch_embed.proj.weight", "blocks.0.ls1.gamma", "pos_embed" } }, /* DINOv2, timm and Meta */
    { .marks = { "embeddings.patch_embeddings.projection.weight", "encoder.layer.0.layer_scale1.lambda1",
                 "encoder.layer.0.attention.attention.query.weight" }, /* DINOv2, files of transformers */
      .rules = { EMBEDDINGS("projection."),
                 { "blocks.*.attn.qkv.", "encoder.layer.*.attention.attention.@.", 0 },
                 { "blocks.*.attn.proj.", "encoder.layer.*.attention.output.dense.", 0 },
                 DINOV2_LAYER },
      .parts = { "query", "key", "value" } },
    { .marks = { "embeddings.patch_embeddings.projection.weight", "encoder.layer.0.layer_scale1.lambda1",
                 "encoder.layer.0.attention.q_proj.weight" }, /* DINOv2, modules of transformers */
      .rules = { EMBEDDINGS("projection."),
                 { "blocks.*.attn.qkv.", "encoder.layer.*.attention.@.", 0 },
                 { "blocks.*.attn.proj.", "encoder.layer.*.attention.o_proj.", 0 },
                 DINOV2_LAYER },
      .parts = { "q_proj", "k_proj", "v_proj" } },
    { .marks = { "embeddings.patch_embeddings.weight", "layer.0.layer_scale1.lambda1" }, /* DINOv3, files */
      .rotary = true,
      .rules = { EMBEDDINGS(""), DINOV3_LAYER("layer") },
      .parts = { "q_proj", "k_proj", "v_proj" } },
    { .marks = { "embeddings.patch_embeddings.weight", "model.layer.0.layer_scale1.lambda1" }, /* DINOv3, modules */
      .rotary = true,
      .rules = { EMBEDDINGS(""), DINOV3_LAYER("model.layer") },
      .parts = { "q_proj", "k_proj", "v_proj" } },
};

/* What such files have beside: masks and heads of pretraining, buffers, classifiers. */
static const char *const beside[] = { "mask_token",  ".bias_mask", "rope_embed.periods",  "rope.periods",
                                      "head.weight", "head.bias",  "pooler.dense.weight", "pooler.dense.bias" };

/* A file, how its names are written, and which tensors have been read. */
typedef struct Source {
    const TensorFile *file;
    const Convention *convention;
    char *prefix;
    bool *used;
} Source;

static Err full_name(const Source *s, const char *name, char **ret_name)
{
    return str_format(ret_name, "%s%s", s->prefix, name);
}

/* A tensor of the file by its name behind the prefix; NULL: there is none. */
static Err find(const Source *s, const char *name, const StoredTensor **ret_tensor)
{
    char *full = NULL;
    TRY(full_name(s, name, &full));
    *ret_tensor = tensor_file_find(s->file, full);
    free(full);
    return ERR_NONE;
}

static Err has_marks(Source *s, bool *ret_has)
{
    *ret_has = true;
    for (int64_t i = 1; i < ARRAY_LEN(s->convention->marks) && *ret_has; i++) {
        const StoredTensor *tensor = NULL;
        if (s->convention->marks[i] == NULL) break;
        TRY(find(s, s->convention->marks[i], &tensor));
        *ret_has = tensor != NULL;
    }
    return ERR_NONE;
}

static void source_done(Source *s)
{
    free(s->prefix);
    free(s->used);
}

/* convention NULL: the file follows none. */
static Err source_init(const TensorFile *file, Source *ret_source)
{
    for (int64_t i = 0; i < ARRAY_LEN(conventions); i++) {
        Source s = { .file = file, .convention = &conventions[i] };
        bool fits = false;
        TRY(tensor_file_prefix(file, conventions[i].marks[0], &s.prefix));
        if (s.prefix == NULL) continue;
        const Err err = has_marks(&s, &fits);
        if (err == ERR_NONE && fits) {
            *ret_source = s;
            return ERR_NONE;
        }
        free(s.prefix);
        TRY(err);
    }
    *ret_source = (Source){ .file = file };
    return ERR_NONE;
}

/* Whether the name begins like the pattern; then the number that '*' stood for and what follows. */
static bool begins(const char *pattern, const char *name, char ret_number[8], const char **ret_rest)
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '*') {
            const size_t n = strspn(name, "0123456789");
            if (n < 1 || n > 7) return false;
            memcpy(ret_number, name, n);
            ret_number[n] = '\0';
            name += n;
        } else if (*pattern != *name++) {
            return false;
        }
    }
    *ret_rest = name;
    return true;
}

/* Their name of a parameter of ours; part: which of three for '@', else 0. */
static Err their_name(const Convention *convention, const NameRule *rule, const char *number, const char *rest,
                      int32_t part, char **ret_name)
{
    Str text = { 0 };
    for (const char *c = rule->theirs; *c != '\0'; c++) {
        if (*c == '*')
            str_add(&text, number);
        else if (*c == '@')
            str_add(&text, convention->parts[part]);
        else
            str_add_char(&text, *c);
    }
    str_add(&text, rest);
    return str_take(&text, ret_name);
}

/* The names of a parameter there: one, or three where it is joined, and which third of the one. free() them. */
typedef struct TheirNames {
    char *name[3];
    int32_t count, third;
} TheirNames;

static void their_names_done(TheirNames *names)
{
    for (int32_t i = 0; i < ARRAY_LEN(names->name); i++) free(names->name[i]);
}

static Err their_names(const Convention *convention, const char *ours, TheirNames *ret_names)
{
    TheirNames names = { .count = 1 };
    for (const NameRule *rule = convention->rules; rule->ours != NULL; rule++) {
        char number[8] = "";
        const char *rest = NULL;
        if (!begins(rule->ours, ours, number, &rest)) continue;
        names.third = rule->third;
        names.count = strchr(rule->theirs, '@') != NULL ? 3 : 1;
        for (int32_t i = 0; i < names.count; i++) {
            const Err err = their_name(convention, rule, number, rest, i, &names.name[i]);
            if (err == ERR_NONE) continue;
            their_names_done(&names);
            return err;
        }
        *ret_names = names;
        return ERR_NONE;
    }
    TRY(str_copy(ours, &names.name[0]));
    *ret_names = names;
    return ERR_NONE;
}

/* The tensor of one name there, marked as read. shape NULL: any. */
static Err require(const Source *s, const char *name, const Shape *shape, const StoredTensor **ret_tensor)
{
    char *full = NULL;
    TRY(full_name(s, name, &full));
    const Err err = tensor_file_require(s->file, full, shape, ret_tensor);
    free(full);
    if (err == ERR_NONE) s->used[*ret_tensor - s->file->tensors] = true;
    return err;
}

static Err require_values(const Source *s, const char *name, const Shape *shape, float *values)
{
    const StoredTensor *tensor = NULL;
    TRY(require(s, name, shape, &tensor));
    return model_read_values(s->file, tensor, values);
}

static Err scratch(const Shape *shape, float **ret_values)
{
    const size_t bytes = (size_t)shape_count(shape) * sizeof **ret_values;
    *ret_values = malloc(bytes);
    return *ret_values == NULL ? err_memory(bytes, "weights of an encoder") : ERR_NONE;
}

/* One third of the bias of queries, keys and values. Keys have none here, so theirs must be masked or 0. */
static Err read_third(const Source *s, const TheirNames *names, const ParamInfo *info, float *values)
{
    const int64_t n = info->shape.dim[0];
    const Shape all = { 1, { 3 * n } };
    const StoredTensor *mask = NULL;
    float *bias = NULL;
    char *mask_name = NULL;
    TRY(str_format(&mask_name, "%s_mask", names->name[0]));
    Err err = find(s, mask_name, &mask);
    free(mask_name);
    if (err == ERR_NONE) err = scratch(&all, &bias);
    if (err == ERR_NONE) err = require_values(s, names->name[0], &all, bias);
    for (int64_t i = n; err == ERR_NONE && mask == NULL && i < 2 * n; i++)
        if (bias[i] != 0.0F)
            err = err_set(ERR_MODEL, "'%s': tensor '%s' has a bias of keys, which DINOv3 has not",
                          tensor_file_path(s->file), names->name[0]);
    if (err == ERR_NONE) memcpy(values, bias + (names->third - 1) * n, (size_t)n * sizeof *values);
    free(bias);
    return err;
}

/* Learned positions of a file, [1, n, C]: of a map of side x side, and of the class token before it or not. */
typedef struct Positions {
    const StoredTensor *tensor; /* NULL: it has none */
    int64_t side, channels;
    bool class_row;
} Positions;

static Err find_positions(const Source *s, int64_t channels, Positions *ret_positions)
{
    TheirNames names;
    char text[96];
    Positions p = { .channels = channels };
    TRY(their_names(s->convention, "pos_embed", &names));
    Err err = require(s, names.name[0], NULL, &p.tensor);
    their_names_done(&names);
    TRY(err);
    const Shape *shape = &p.tensor->shape;
    if (shape->rank == 3 && shape->dim[0] == 1 && shape->dim[2] == channels)
        p.side = vit_positions_side(shape->dim[1], &p.class_row);
    if (p.side == 0)
        return err_set(ERR_MODEL, "'%s': '%.200s' is %s; %lld features of the positions of a square map were expected",
                       tensor_file_path(s->file), p.tensor->name, shape_text(shape, text, sizeof text),
                       (long long)channels);
    *ret_positions = p;
    return ERR_NONE;
}

/* Whose rule brings positions to another map: files of timm and Meta have the same names, those of Meta the token of masks too. */
static Err find_rule(const Source *s, VitPositions *ret_rule)
{
    const StoredTensor *registers = NULL, *mask = NULL;
    TheirNames names;
    *ret_rule = VIT_POSITIONS_TIMM;
    TRY(their_names(s->convention, "reg_token", &names));
    Err err = find(s, names.name[0], &registers);
    their_names_done(&names);
    if (err == ERR_NONE) err = find(s, "mask_token", &mask);
    if (err != ERR_NONE || registers != NULL) return err;
    if (s->convention->parts[0] != NULL)
        *ret_rule = VIT_POSITIONS_TRANSFORMERS;
    else if (mask != NULL)
        *ret_rule = VIT_POSITIONS_META;
    return ERR_NONE;
}

/* Positions where ours are [1, n, C], of another map perhaps. Where theirs have one of the class token and ours have not, timm adds it to
 * the token of networks with registers, once for all: of_token adds it to the token's values. */
static Err read_positions(const Source *s, bool of_token, const Shape *ours, float *values)
{
    Positions p = { .tensor = NULL };
    VitPositions rule = VIT_POSITIONS_TIMM;
    float *all = NULL;
    bool own_row = false;
    const int64_t C = ours->dim[2], side = vit_positions_side(ours->dim[1], &own_row);
    TRY(find_positions(s, C, &p));
    TRY(find_rule(s, &rule));
    if (own_row && !p.class_row)
        return err_set(ERR_MODEL, "'%s': '%.200s' has no position of the class token; this network needs one",
                       tensor_file_path(s->file), p.tensor->name);
    TRY(scratch(&p.tensor->shape, &all));
    Err err = model_read_values(s->file, p.tensor, all);
    const float *map = p.class_row ? all + C : all;
    for (int64_t c = 0; err == ERR_NONE && of_token && p.class_row && !own_row && c < C; c++) values[c] += all[c];
    if (err == ERR_NONE && !of_token && own_row) memcpy(values, all, (size_t)C * sizeof *values);
    if (err == ERR_NONE && !of_token)
        err = vit_positions_resize(rule, map, p.side, side, C, own_row ? values + C : values);
    free(all);
    return err;
}

/* DINOv3 of timm without the bias of queries and values, which is 0 in all published files. */
static Err lacks_bias(const Source *s, const char *ours, bool *ret_lacks)
{
    const StoredTensor *tensor = NULL;
    *ret_lacks = false;
    if (s->convention->rules[0].ours != NULL || !s->convention->rotary ||
        (!str_ends_with(ours, ".q_bias") && !str_ends_with(ours, ".v_bias")))
        return ERR_NONE;
    TRY(find(s, "blocks.0.attn.q_bias", &tensor));
    *ret_lacks = tensor == NULL;
    return ERR_NONE;
}

static Err read_named(const Source *s, const TheirNames *names, const ParamInfo *info, int64_t bands, float *values)
{
    if (names->third > 0) return read_third(s, names, info, values);
    if (names->count == 1) {
        const StoredTensor *tensor = NULL;
        const PublishedRead read = { .file = s->file, .what = "the encoder", .n_bands = bands };
        TRY(require(s, names->name[0], NULL, &tensor));
        return published_values(&read, tensor, info, values);
    }
    Shape shape = info->shape;
    shape.dim[0] /= names->count;
    for (int32_t i = 0; i < names->count; i++)
        TRY(require_values(s, names->name[i], &shape, values + i * shape_count(&shape)));
    return ERR_NONE;
}

/* A parameter by our name. positions: ours, NULL for DINOv3. */
static Err read_param(const Source *s, const char *ours, const ParamInfo *info, const ParamInfo *positions,
                      int64_t bands, float *values)
{
    TheirNames names;
    bool lacks = false;
    TRY(lacks_bias(s, ours, &lacks));
    if (lacks) {
        memset(values, 0, (size_t)shape_count(&info->shape) * sizeof *values);
        return ERR_NONE;
    }
    if (info == positions) return read_positions(s, false, &info->shape, values);
    TRY(their_names(s->convention, ours, &names));
    Err err = read_named(s, &names, info, bands, values);
    their_names_done(&names);
    if (err == ERR_NONE && positions != NULL && strcmp(ours, "cls_token") == 0)
        err = read_positions(s, true, &positions->shape, values);
    return err;
}

bool published_vit_lacks(const char *name) { return str_starts_with(name, "simfp_"); }

static bool stands_beside(const char *name)
{
    for (int64_t i = 0; i < ARRAY_LEN(beside); i++)
        if (str_ends_with(name, beside[i])) return true;
    return false;
}

/* A tensor that is left over, with the nearest that was read. */
static Err left_over(const Source *s, const char *name)
{
    const int64_t n = tensor_file_count(s->file);
    const char **names = malloc((size_t)(n + 1) * sizeof *names), *nearest = NULL;
    int64_t count = 0;
    if (names == NULL) return err_memory((size_t)n * sizeof *names, "names of tensors");
    for (int64_t i = 0; i < n; i++)
        if (s->used[i]) names[count++] = tensor_file_at(s->file, i)->name;
    nearest = str_nearest(name, names, count);
    free(names);
    return err_set(
        ERR_MODEL,
        "'%s': tensor '%s' is left over%s%.200s%s; no vision transformer of DINOv2 or DINOv3 of this size has it",
        tensor_file_path(s->file), name, nearest != NULL ? " (the nearest that was read is '" : "",
        nearest != NULL ? nearest : "", nearest != NULL ? "')" : "");
}

/* Nothing of the network may be left over. */
static Err check_left_over(const Source *s)
{
    for (int64_t i = 0; i < tensor_file_count(s->file); i++) {
        const char *name = tensor_file_at(s->file, i)->name;
        if (!s->used[i] && str_starts_with(name, s->prefix) && !stands_beside(name)) return left_over(s, name);
    }
    return ERR_NONE;
}

static Err read_all(const Source *s, ParamSet *params, const char *prefix, int64_t bands)
{
    const ParamInfo *positions = NULL;
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        if (str_starts_with(info->name, prefix) && strcmp(info->name + strlen(prefix), "pos_embed") == 0)
            positions = info;
    }
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        const StoredTensor *tensor = NULL;
        if (!str_starts_with(info->name, prefix)) continue;
        const char *ours = info->name + strlen(prefix);
        if (published_vit_lacks(ours)) {
            TRY(find(s, ours, &tensor));
            if (tensor == NULL) continue;
        }
        TRY(read_param(s, ours, info, positions, bands, params_values(params) + info->offset));
    }
    return check_left_over(s);
}

Err published_vit_read(const TensorFile *file, ParamSet *params, const char *prefix, int64_t bands, bool *used)
{
    Source s;
    TRY(source_init(file, &s));
    Err err = ERR_NONE;
    if (s.convention == NULL)
        err = err_set(ERR_MODEL, "'%s': holds no vision transformer of DINOv2 or DINOv3", tensor_file_path(file));
    const size_t n = (size_t)tensor_file_count(file);
    if (err == ERR_NONE && (s.used = calloc(n + 1, sizeof *s.used)) == NULL)
        err = err_memory(n, "which tensors have been read");
    if (err == ERR_NONE) err = read_all(&s, params, prefix, bands);
    for (size_t i = 0; i < n && err == ERR_NONE && used != NULL; i++) used[i] = used[i] || s.used[i];
    source_done(&s);
    return err;
}

/* The encoder of these sizes in the list. */
static Err choose(const Source *s, const Shape *patches, bool registers, NetworkEncoder *ret_encoder)
{
    static const struct {
        int64_t width;
        const char *name;
    } sizes[] = { { 384, "small" }, { 768, "base" }, { 1024, "large" } };
    char name[64];
    for (int64_t i = 0; i < ARRAY_LEN(sizes) && patches->rank == 4; i++) {
        if (patches->dim[0] != sizes[i].width) continue;
        (void)snprintf(name, sizeof name, "vit_%s_patch%lld_%sdinov%d", sizes[i].name, (long long)patches->dim[2],
                       registers && !s->convention->rotary ? "reg4_" : "", s->convention->rotary ? 3 : 2);
        for (int encoder = 0; encoder < NETWORK_ENCODER_COUNT; encoder++) {
            if (strcmp(network_encoder_names[encoder], name) != 0) continue;
            *ret_encoder = (NetworkEncoder)encoder;
            return ERR_NONE;
        }
    }
    char text[96];
    return err_set(ERR_MODEL,
                   "'%s': its vision transformer has patches %s; 384, 768 or 1024 filters (S, B, L) of 14 x 14 pixels "
                   "(DINOv2) or 16 x 16 (DINOv3) were expected",
                   tensor_file_path(s->file), shape_text(patches, text, sizeof text));
}

static Err bands_of(const Source *s, const StoredTensor *patch, int32_t *ret_bands)
{
    const int64_t bands = patch->shape.dim[1];
    if (bands < 1 || bands > MODEL_MAX_BANDS)
        return err_set(ERR_MODEL, "'%s': reads %lld bands; 1 to %d were expected", tensor_file_path(s->file),
                       (long long)bands, (int)MODEL_MAX_BANDS);
    *ret_bands = (int32_t)bands;
    return ERR_NONE;
}

Err published_vit_find(const TensorFile *file, NetworkEncoder *ret_encoder, int32_t *ret_bands)
{
    Source s;
    TheirNames patches = { .count = 0 }, registers = { .count = 0 };
    const StoredTensor *patch = NULL, *token = NULL;
    TRY(source_init(file, &s));
    if (s.convention == NULL) {
        *ret_encoder = NETWORK_ENCODER_none;
        return ERR_NONE;
    }
    Err err = their_names(s.convention, "patch_embed.proj.weight", &patches);
    if (err == ERR_NONE) err = their_names(s.convention, "reg_token", &registers);
    if (err == ERR_NONE) err = find(&s, registers.name[0], &token);
    if (err == ERR_NONE) err = find(&s, patches.name[0], &patch);
    if (err == ERR_NONE)
        err = choose(&s, patch != NULL ? &patch->shape : &(Shape){ .rank = 0 }, token != NULL, ret_encoder);
    if (err == ERR_NONE && patch != NULL) err = bands_of(&s, patch, ret_bands);
    their_names_done(&patches);
    their_names_done(&registers);
    source_done(&s);
    return err;
}
