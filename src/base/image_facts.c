/* SPDX-License-Identifier: Apache-2.0
 * Names of seasons and sensors. */
#include "base/image_facts.h"

const char *const season_names[SEASON_COUNT] = { "spring", "summer", "autumn", "winter" };
const char *const sensor_names[SENSOR_COUNT] = { "aerial", "very-high-resolution", "sentinel-2", "landsat", "modis",
                                                 "unknown" };
