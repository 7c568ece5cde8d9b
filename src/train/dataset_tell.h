/* SPDX-License-Identifier: Apache-2.0
 *
 * What a survey found, for people and for programs. Private to src/train. */
#ifndef METASEG_TRAIN_DATASET_TELL_H
#define METASEG_TRAIN_DATASET_TELL_H

#include "data/survey.h"

/* "12.3 ha", "1234 km2"; "5 pixels" where the area is not known. */
void dataset_tell_area(LabelArea area, char ret_text[48]);

/* Part of `all`, on the ground where that is known; NAN of nothing. */
double dataset_tell_share(LabelArea part, LabelArea all);

/* A table, line by line. ERR_MEMORY. */
Err dataset_tell(const Survey *survey, void (*line)(void *context, const char *text), void *context);

/* One line of JSON; free() it. ERR_MEMORY. */
Err dataset_tell_json(const Survey *survey, char **ret_text);

#endif
