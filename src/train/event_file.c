/* SPDX-License-Identifier: Apache-2.0
 * Frames and messages of event files. */
#include "train/event_file.h"

#include "base/crc32c.h"

#include <math.h>
#include <string.h>

enum { FRAME_HEAD = 12, FRAME_TAIL = 4, FIXED64 = 8, STEP_AT = 1 + FIXED64 };

/* Keys of fields: number << 3 | wire type (0 varint, 1 eight bytes, 2 with a length, 5 four bytes). */
enum { EVENT_TIME = 0x09, EVENT_STEP = 0x10, EVENT_VERSION = 0x1a, EVENT_SUMMARY = 0x2a };
enum { SUMMARY_VALUE = 0x0a, VALUE_TAG = 0x0a, VALUE_SIMPLE = 0x15 };

static void add_little_endian(Str *to, uint64_t value, int64_t bytes)
{
    for (int64_t i = 0; i < bytes; i++) str_add_char(to, (char)(uint8_t)(value >> (uint64_t)(8 * i)));
}

static uint64_t little_endian(const char *at, int64_t bytes)
{
    uint64_t value = 0;
    for (int64_t i = 0; i < bytes; i++) value |= (uint64_t)(uint8_t)at[i] << (uint64_t)(8 * i);
    return value;
}

static void add_varint(Str *to, uint64_t value)
{
    for (; value > 127; value >>= 7U) str_add_char(to, (char)(uint8_t)((value & 127U) | 128U));
    str_add_char(to, (char)(uint8_t)value);
}

static void add_bytes(Str *to, char key, const char *bytes, size_t length)
{
    str_add_char(to, key);
    add_varint(to, length);
    str_add_bytes(to, bytes, length);
}

static uint32_t masked(const char *bytes, size_t length)
{
    const uint32_t crc = crc32c(bytes, length);
    return (crc >> 15U | crc << 17U) + 0xa282ead8U;
}

static void add_frame(Str *file, Str *event)
{
    char head[8];
    for (size_t i = 0; i < sizeof head; i++) head[i] = (char)(uint8_t)((uint64_t)event->length >> (8 * i));
    file->failed = file->failed || event->failed;
    str_add_bytes(file, head, sizeof head);
    add_little_endian(file, masked(head, sizeof head), 4);
    str_add_bytes(file, str_text(event), event->length);
    add_little_endian(file, masked(str_text(event), event->length), FRAME_TAIL);
    str_done(event);
}

static void add_time(Str *event, int64_t wall_time)
{
    const double seconds = (double)wall_time;
    uint64_t bits;
    memcpy(&bits, &seconds, sizeof bits);
    str_add_char(event, EVENT_TIME);
    add_little_endian(event, bits, FIXED64);
}

void event_scalar(Str *summary, const char *tag, double value)
{
    if (!isfinite(value)) return;
    const float number = (float)value;
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    Str scalar = { 0 };
    add_bytes(&scalar, VALUE_TAG, tag, strlen(tag));
    str_add_char(&scalar, VALUE_SIMPLE);
    add_little_endian(&scalar, bits, 4);
    add_bytes(summary, SUMMARY_VALUE, str_text(&scalar), scalar.length);
    summary->failed = summary->failed || scalar.failed;
    str_done(&scalar);
}

void event_version(Str *file, int64_t wall_time)
{
    static const char version[] = "brain.Event:2";
    Str event = { 0 };
    add_time(&event, wall_time);
    add_bytes(&event, EVENT_VERSION, version, sizeof version - 1);
    add_frame(file, &event);
}

void event_record(Str *file, int64_t wall_time, int64_t step, const Str *summary)
{
    if (summary->length == 0) return;
    Str event = { 0 };
    add_time(&event, wall_time);
    str_add_char(&event, EVENT_STEP);
    add_varint(&event, (uint64_t)step);
    add_bytes(&event, EVENT_SUMMARY, str_text(summary), summary->length);
    event.failed = event.failed || summary->failed;
    add_frame(file, &event);
}

/* The step of an event that event_record wrote; 0 of event_version; -1 of anything else. */
static int64_t step_of(const char *event, size_t length)
{
    uint64_t step = 0;
    if (length <= STEP_AT + 1 || event[0] != EVENT_TIME) return -1;
    if (event[STEP_AT] == EVENT_VERSION) return 0;
    if (event[STEP_AT] != EVENT_STEP) return -1;
    for (size_t i = STEP_AT + 1, shift = 0; i < length && shift < 63; i++, shift += 7) {
        step |= (uint64_t)((uint8_t)event[i] & 127U) << shift;
        if ((uint8_t)event[i] < 128) return (int64_t)step;
    }
    return -1;
}

size_t event_keep(const char *bytes, size_t length, int64_t last)
{
    size_t kept = 0;
    int64_t before = 0;
    while (length - kept >= FRAME_HEAD + FRAME_TAIL) {
        const char *frame = bytes + kept, *event = frame + FRAME_HEAD;
        const uint64_t size = little_endian(frame, 8);
        if (size > length - kept - FRAME_HEAD - FRAME_TAIL) break;
        if (little_endian(frame + 8, 4) != masked(frame, 8)) break;
        if (little_endian(event + size, FRAME_TAIL) != masked(event, (size_t)size)) break;
        const int64_t step = step_of(event, (size_t)size);
        if (step < before || step > last) break;
        before = step;
        kept += FRAME_HEAD + (size_t)size + FRAME_TAIL;
    }
    return kept;
}
