/* SPDX-License-Identifier: Apache-2.0
 *
 * The first reading of a scene's labels: every label pixel whose centre lies inside the image is counted (census.h), and
 * those that may be learned are offered to the sampler, with their true area.
 */
#ifndef METASEG_DATA_LABEL_SCAN_H
#define METASEG_DATA_LABEL_SCAN_H

#include "data/census.h"
#include "data/sampler.h"
#include "data/validation_blocks.h"

typedef struct LabelScan {
    const DatasetOptions *options;
    const bool *unsampled; /* [n_classes] not offered */
    Sampler *sampler;
    ValidationBlocks *blocks; /* counted instead of the census; NULL: there are none */
    Census *census;
    const MetasegRun *run; /* asked whether to stop, told how long it takes; may be NULL */
    double start, told;    /* clock_seconds() of the first scene's beginning, and of the last message */
} LabelScan;

/* Scans scene `index`. ERR_INPUT, ERR_MEMORY; ERR_INTERRUPTED. */
Err label_scan(LabelScan *scan, Scene *scene, uint32_t index);

#endif
