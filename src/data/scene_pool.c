/* SPDX-License-Identifier: Apache-2.0
 * Scenes by least recent use. */
#include "data/scene_pool.h"

#include <stdlib.h>
#include <sys/resource.h>

enum {
    MOST_OPEN = 32,
    POOLS = 2,             /* that share the handles: training and validation */
    HANDLES_KEPT = 128,    /* for everything else, the sources of a VRT among it */
    HANDLES_PER_SCENE = 4, /* image, labels, a mask beside each */
};

typedef struct Slot {
    Scene *scene; /* NULL: empty */
    uint32_t index;
    uint64_t used; /* clock of the last use */
} Slot;

struct ScenePool {
    const DatasetOptions *options;
    const Climate *climate;
    uint64_t clock;
    int64_t capacity;
    Slot slots[MOST_OPEN];
};

static int64_t capacity(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return MOST_OPEN;
    const double room = ((double)limit.rlim_cur - HANDLES_KEPT) / (HANDLES_PER_SCENE * POOLS);
    return room < 1.0 ? 1 : room > MOST_OPEN ? MOST_OPEN : (int64_t)room;
}

Err scene_pool_new(const DatasetOptions *options, const Climate *climate, ScenePool **ret_pool)
{
    ScenePool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) return err_memory(sizeof *pool, "the open scenes");
    pool->options = options;
    pool->climate = climate;
    pool->capacity = capacity();
    *ret_pool = pool;
    return ERR_NONE;
}

void scene_pool_free(ScenePool *pool)
{
    if (pool == NULL) return;
    for (int64_t i = 0; i < pool->capacity; i++) scene_close(pool->slots[i].scene);
    free(pool);
}

Err scene_pool_get(ScenePool *pool, uint32_t index, const volatile int *stop, Scene **ret_scene)
{
    Slot *oldest = &pool->slots[0];
    for (int64_t i = 0; i < pool->capacity; i++) {
        Slot *slot = &pool->slots[i];
        if (slot->scene != NULL && slot->index == index) {
            slot->used = ++pool->clock;
            *ret_scene = slot->scene;
            return ERR_NONE;
        }
        if (slot->used < oldest->used) oldest = slot;
    }
    scene_close(oldest->scene);
    *oldest = (Slot){ 0 };
    TRY(scene_open(pool->options, pool->climate, index, stop, &oldest->scene));
    oldest->index = index;
    oldest->used = ++pool->clock;
    *ret_scene = oldest->scene;
    return ERR_NONE;
}
