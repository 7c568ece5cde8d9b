/* SPDX-License-Identifier: Apache-2.0
 *
 * The scenes of a data set that are open at a time: as many as half of the file handles allow (setrlimit, ulimit -n), for
 * there are two such pools in training; the least recently used ones are closed first. A data set may have any number of scenes.
 */
#ifndef METASEG_DATA_SCENE_POOL_H
#define METASEG_DATA_SCENE_POOL_H

#include "data/scene.h"

typedef struct ScenePool ScenePool;

/* options and climate (may be NULL) are borrowed. ERR_MEMORY. */
Err scene_pool_new(const DatasetOptions *options, const Climate *climate, ScenePool **ret_pool);
void scene_pool_free(ScenePool *pool);

/* Scene `index`, opened unless it is open; valid until the next call. `stop` and errors as in scene_open. */
Err scene_pool_get(ScenePool *pool, uint32_t index, const volatile int *stop, Scene **ret_scene);

#endif
