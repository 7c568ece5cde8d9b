/* SPDX-License-Identifier: Apache-2.0
 *
 * Event files, as TensorBoard reads them: TFRecord frames
 *
 *     length (8 bytes), masked CRC-32C of it (4), data, masked CRC-32C of the data (4)      little endian
 *
 * around messages of tensorflow.Event (event.proto, summary.proto; protobuf's wire format): wall_time = 1 (double),
 * step = 2 (int64), file_version = 3 (string), summary = 5 { value = 1 { tag = 1 (string), simple_value = 2 (float) } }.
 * Private to src/train.
 *
 *     Str file = { 0 }, summary = { 0 };
 *     event_version(&file, now);
 *     event_scalar(&summary, "loss", 0.7);
 *     event_record(&file, now, step, &summary);
 */
#ifndef METASEG_TRAIN_EVENT_FILE_H
#define METASEG_TRAIN_EVENT_FILE_H

#include "base/str.h"

/* Adds a scalar to a summary; a value that is not finite is left out, as a curve has a gap there. */
void event_scalar(Str *summary, const char *tag, double value);

/* Adds the record that a file begins with; wall_time: seconds since 1970. */
void event_version(Str *file, int64_t wall_time);

/* Adds the record of a step with its summary; nothing of an empty one. */
void event_record(Str *file, int64_t wall_time, int64_t step, const Str *summary);

/* How many bytes of a file hold what it begins with and the records of the steps up to `last`: whole ones, with right
 * checksums and steps that do not fall. 0: it is none of these files. */
size_t event_keep(const char *bytes, size_t length, int64_t last);

#endif
