/* SPDX-License-Identifier: Apache-2.0
 * Everything of libmetaseg. */
#ifndef METASEG_METASEG_H
#define METASEG_METASEG_H

#include "metaseg/error.h"
#include "metaseg/eval.h"
#include "metaseg/predict.h"
#include "metaseg/run.h"
#include "metaseg/train.h"

#endif
