/* SPDX-License-Identifier: Apache-2.0
 * Other formats, by how they begin. */
#include "tensor_file/foreign_format.h"

#include "base/str.h"

#include <string.h>

typedef struct Start {
    const char *bytes;
    size_t n;
    const char *what;
} Start;
#define START(bytes, what)                                                                                             \
    {                                                                                                                  \
        bytes, sizeof bytes - 1, what                                                                                  \
    }
#define PAGE "a web page, not the file that was wanted; download it again"
#define PICKLE "a pickle that PyTorch has not written; save the state_dict with torch.save"
#define IMAGE "an image, not a checkpoint"
#define PACKED "a compressed file; unpack it"

static const Start starts[] = {
    START("\x89HDF\r\n", "an HDF5 file (Keras, say); save its weights as safetensors"),
    START("GGUF", "a GGUF file; save its weights as safetensors"),
    START("\x93NUMPY", "an array of NumPy; save the weights as safetensors"),
    START("\x80\x03", PICKLE),
    START("\x80\x04", PICKLE),
    START("\x80\x05", PICKLE),
    START("\x1f\x8b", PACKED),
    START("BZh", PACKED),
    START("\xfd"
          "7zXZ",
          PACKED),
    START("\x28\xb5\x2f\xfd", PACKED),
    START("7z\xbc\xaf", PACKED),
    START("Rar!", PACKED),
    START("II*\0", IMAGE),
    START("MM\0*", IMAGE),
    START("\x89PNG", IMAGE),
    START("\xff\xd8\xff", IMAGE),
};

/* Of files of text, behind blanks. */
static const Start texts[] = {
    START("version https://git-lfs", "a pointer of Git LFS, not the file itself; fetch that with git lfs pull"),
    START("<!DOCTYPE", PAGE),
    START("<!doctype", PAGE),
    START("<html", PAGE),
    START("<HTML", PAGE),
    START("<?xml", "an XML file, often an error of a server; download it again"),
    START("{",
          "JSON, not a checkpoint: a message of a server, or the list of the parts of a model; give the file with the "
          "weights"),
};

static const char *find(const Start *list, size_t count, const unsigned char *start, size_t n)
{
    for (size_t i = 0; i < count; i++)
        if (n >= list[i].n && memcmp(start, list[i].bytes, list[i].n) == 0) return list[i].what;
    return NULL;
}

/* ONNX: field 1, the version of its IR (3 to 15), then field 2, the producer; TensorFlow's version is 1. */
static const char *message_format(const unsigned char *start, size_t n)
{
    enum { ONNX_LEAST = 3, ONNX_MOST = 15 };
    if (n < 3 || start[0] != 0x08 || start[2] != 0x12) return NULL;
    if (start[1] >= ONNX_LEAST && start[1] <= ONNX_MOST)
        return "an ONNX model; give the checkpoint that it was exported from";
    return start[1] == 1 ? "a SavedModel of TensorFlow; save its weights as safetensors" : NULL;
}

/* All of the start is ASCII that can be read: 8 characters at least. */
static bool is_text(const unsigned char *start, size_t n)
{
    enum { LEAST = 8, DELETE = 0x7f };
    for (size_t i = 0; i < n; i++) {
        const bool blank = start[i] == '\n' || start[i] == '\r' || start[i] == '\t';
        if ((start[i] < ' ' && !blank) || start[i] >= DELETE) return false;
    }
    return n >= LEAST;
}

const char *foreign_format(const unsigned char *start, size_t n)
{
    const char *what = find(starts, sizeof starts / sizeof *starts, start, n);
    if (what == NULL) what = message_format(start, n);
    if (what == NULL && n >= 8 && memcmp(start + 4, "TFL3", 4) == 0)
        what = "a model of TensorFlow Lite; give the checkpoint that it was made from";
    if (what != NULL) return what;
    if (n >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0) start += 3, n -= 3;
    while (n > 0 && (*start == ' ' || *start == '\n' || *start == '\r' || *start == '\t')) start++, n--;
    if (!is_text(start, n)) return NULL;
    what = find(texts, sizeof texts / sizeof *texts, start, n);
    return what != NULL ? what : "text, not a checkpoint; read it, it may be a message of a server";
}

const char *foreign_zip(const char *member)
{
    static const char *const weights[] = { ".pth", ".pt", ".ckpt", ".safetensors", ".bin" };
    if (str_ends_with(member, ".weights.h5")) return "a model of Keras; save its weights as safetensors";
    if (str_ends_with(member, ".npy")) return "an archive of arrays of NumPy; save the weights as safetensors";
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        if (str_ends_with(member, weights[i])) return "a zip file around a checkpoint; unpack it";
    return NULL;
}
