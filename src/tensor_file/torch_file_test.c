/* SPDX-License-Identifier: Apache-2.0
 * PyTorch files: two of torch.save (tools/golden/torch_file.py), and hostile ones. */
#include "tensor_file/torch_file.h"

#include "base/file.h"
#include "tensor_file/pickle.h"

#include "harness/data_file.h"

#include <zip.h>

static const struct {
    const char *name;
    Dtype dtype;
    Shape shape;
    double offset;
} expected[] = {
    { "contiguous", DTYPE_F32, { 2, { 2, 3 } }, 1 }, { "strided", DTYPE_F32, { 3, { 4, 2, 3 } }, 10 },
    { "half", DTYPE_F16, { 1, { 5 } }, -2 },         { "brain", DTYPE_BF16, { 1, { 4 } }, 3 },
    { "double", DTYPE_F64, { 1, { 3 } }, 7 },        { "long", DTYPE_I64, { 1, { 2 } }, 40 },
    { "scalar", DTYPE_F32, { 0, { 0 } }, 9 },        { "empty", DTYPE_F32, { 2, { 0, 3 } }, 0 },
    { "slice", DTYPE_F32, { 2, { 2, 4 } }, 8 },      { "parameter", DTYPE_F32, { 2, { 2, 2 } }, 5 },
};

static void check_tensors(const TensorFile *file)
{
    assert_int_equal(tensor_file_count(file), ARRAY_LEN(expected));
    for (int64_t i = 0; i < ARRAY_LEN(expected); i++) {
        const StoredTensor *tensor = NULL;
        assert_int_equal(tensor_file_require(file, expected[i].name, &expected[i].shape, &tensor), ERR_NONE);
        assert_int_equal(tensor->dtype, expected[i].dtype);
        const int64_t n = shape_count(&tensor->shape);
        float values[64];
        int64_t whole[64];
        if (tensor->dtype == DTYPE_I64) {
            ASSERT_OK(stored_tensor_copy(tensor, whole));
            for (int64_t j = 0; j < n; j++) values[j] = (float)whole[j];
        } else {
            assert_int_equal(stored_tensor_read_f32(tensor, values), ERR_NONE);
        }
        for (int64_t j = 0; j < n; j++) assert_true(values[j] == (float)(expected[i].offset + (double)j));
    }
    assert_false(stored_tensor_contiguous(tensor_file_find(file, "strided")));
}

static void reads_torch_save(void **state)
{
    (void)state;
    static const char *const names[] = { "torch_legacy.pth", "torch_zip.pth" };
    static const char *const formats[] = { "PyTorch legacy", "PyTorch zip" };
    for (int i = 0; i < 2; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/tests/golden/%s", METASEG_SOURCE_DIR, names[i]);
        TensorFile *file = NULL;
        ASSERT_OK(tensor_file_open(path, &file));
        assert_string_equal(tensor_file_format(file), formats[i]);
        check_tensors(file);
        tensor_file_close(file);
    }
}

/* A TorchScript program: the tensors of its modules, by the names that state_dict() has. */
static void reads_torch_script(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double first;
    } tensors[] = { { "inner.contiguous", 1 }, { "inner.f16", -2 }, { "parameter", 5 } };
    TensorFile *file = NULL;
    ASSERT_OK(tensor_file_open(METASEG_SOURCE_DIR "/tests/golden/torch_script.pt", &file));
    assert_int_equal(tensor_file_count(file), 4);
    assert_non_null(tensor_file_find(file, "inner.long"));
    for (int64_t i = 0; i < ARRAY_LEN(tensors); i++) {
        const StoredTensor *tensor = NULL;
        float values[64];
        ASSERT_OK(tensor_file_require(file, tensors[i].name, NULL, &tensor));
        ASSERT_OK(stored_tensor_read_f32(tensor, values));
        for (int64_t j = 0; j < shape_count(&tensor->shape); j++)
            assert_true(values[j] == (float)(tensors[i].first + (double)j));
    }
    tensor_file_close(file);
    file = NULL;
    /* what is no module gets a sentence of its own */
    char folder[64], path[128];
    size_t n = 0, at = 0;
    char *bytes = data_file_golden("torch_script.pt", &n);
    while (at + 9 <= n && memcmp(bytes + at, "__torch__", 9) != 0) at++;
    assert_true(at + 9 <= n);
    bytes[at] = 'o';
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/other.pt", folder);
    ASSERT_OK(file_write(path, bytes, n, true));
    ASSERT_ERR(tensor_file_open(path, &file), ERR_MODEL, "is a TorchScript program of more than tensors and modules");
    assert_null(file);
    ASSERT_OK(file_remove(path));
    (void)rmdir(folder);
    free(bytes);
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    size_t n = 0;
    char *bytes = data_file_golden("torch_legacy.pth", &n);
    for (size_t cut = 0; cut < n; cut++) {
        char *exact = malloc(cut + 1);
        assert_non_null(exact);
        memcpy(exact, bytes, cut);
        TensorFile *file = NULL;
        if (torch_legacy_parse(exact, cut, "cut", &file) != ERR_MODEL) fail_msg("accepted %zu bytes", cut);
        free(exact);
    }
    free(bytes);
}

/* Any single wrong byte is either refused with a message or leaves readable tensors: never a crash (run it sanitized).
 */
static void survives_wrong_bytes(void **state)
{
    (void)state;
    static const unsigned char wrong[] = { 0x00, 0xff, '(', '.', 'R', 'b', 'u', 'q', 'j', 'X' };
    size_t n = 0;
    char *bytes = data_file_golden("torch_legacy.pth", &n);
    int64_t refused = 0;
    for (size_t at = 0; at < n; at++) {
        const char right = bytes[at];
        for (int64_t w = 0; w < ARRAY_LEN(wrong); w++) {
            bytes[at] = (char)wrong[w];
            TensorFile *file = NULL;
            const Err err = torch_legacy_parse(bytes, n, "wrong", &file);
            assert_true(err == ERR_NONE || err == ERR_MODEL);
            if (err != ERR_NONE) refused++;
            for (int64_t i = 0; err == ERR_NONE && i < tensor_file_count(file); i++) {
                char copy[4096];
                const StoredTensor *tensor = tensor_file_at(file, i);
                if (shape_count(&tensor->shape) <= 256) ASSERT_OK(stored_tensor_copy(tensor, copy));
            }
            tensor_file_close(file);
        }
        bytes[at] = right;
    }
    assert_true(refused > (int64_t)n);
    free(bytes);
}

static void zip_with_wrong_bytes(void **state)
{
    (void)state;
    char folder[64], path[128];
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/a.pth", folder);
    size_t n = 0;
    char *bytes = data_file_golden("torch_zip.pth", &n);
    for (size_t at = 0; at < n; at += 7) {
        const char right = bytes[at];
        bytes[at] = (char)(bytes[at] ^ 0x55);
        assert_int_equal(file_write(path, bytes, n, true), ERR_NONE);
        TensorFile *file = NULL;
        const Err err = tensor_file_load(path, torch_zip_read, &file);
        assert_true(err == ERR_NONE || err == ERR_MODEL);
        tensor_file_close(file);
        bytes[at] = right;
    }
    assert_int_equal(file_write(path, bytes, n - 10, true), ERR_NONE);
    TensorFile *file = NULL;
    assert_int_equal(tensor_file_load(path, torch_zip_read, &file), ERR_MODEL);
    free(bytes);
    (void)file_remove(path);
    (void)rmdir(folder);
}

/* Zip files of others, and PyTorch's with members that it does not write. */
static void zips_of_others(void **state)
{
    static const char one[] = "\x80\x02}.", compressible[1000] = "a";
    static const struct {
        const char *names[2];
        bool compressed;
        const char *message;
    } zips[] = {
        { { "model.weights.h5", "config.json" }, false, "is a model of Keras" },
        { { "a.npy", "b.npy" }, false, "is an archive of arrays of NumPy" },
        { { "readme.txt", "best/model.ckpt" }, false, "is a zip file around a checkpoint; unpack it" },
        { { "readme.txt", "a/b/data.pkl" }, false, "is a zip file without data.pkl" },
        { { "a/data.pkl", "b/data.pkl" }, false, "holds 'a/data.pkl' and 'b/data.pkl', two checkpoints" },
        { { "../data.pkl", "x" }, false, "its dictionary holds no tensors" },
        { { "a/data.pkl", "x" }, true, "is compressed; PyTorch stores them plain" },
    };
    char folder[64], path[128];
    (void)state;
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/a.pth", folder);
    for (int64_t i = 0; i < ARRAY_LEN(zips); i++) {
        TensorFile *file = NULL;
        int code = 0;
        zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
        assert_non_null(zip);
        for (int k = 0; k < 2; k++) {
            zip_source_t *source = zips[i].compressed ? zip_source_buffer(zip, compressible, sizeof compressible, 0)
                                                      : zip_source_buffer(zip, one, sizeof one - 1, 0);
            const zip_int64_t at = zip_file_add(zip, zips[i].names[k], source, ZIP_FL_ENC_UTF_8);
            assert_true(at >= 0);
            assert_int_equal(
                zip_set_file_compression(zip, (zip_uint64_t)at, zips[i].compressed ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0),
                0);
        }
        assert_int_equal(zip_close(zip), 0);
        ASSERT_ERR(tensor_file_open(path, &file), ERR_MODEL, zips[i].message);
    }
    (void)file_remove(path);
    (void)rmdir(folder);
}

typedef struct BadPickle {
    const char *bytes;
    size_t length;
    const char *message;
} BadPickle;
#define P(text, message)                                                                                               \
    {                                                                                                                  \
        text, sizeof(text) - 1, message                                                                                \
    }
#define TENSOR_HEAD "\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n"

static const BadPickle bad_pickles[] = {
    P("", "ends in the middle"),
    P("\x80\x02", "ends in the middle"),
    P("\x80\x09N.", "protocol"),
    P("cos\nsystem\n(X\x02\0\0\0lstR.", "'os.system', which is not allowed"),
    P("\x80\x04\x8c\x08"
      "builtins\x8c\x04"
      "eval\x93.",
      "'builtins.eval', which is not allowed"),
    P("ctorch\nload\n.", "'torch.load', which is not allowed"),
    P("cos", "middle of a name"),
    P("\x80\x04]\x93.", "stack is empty"),
    P("NNR.", "a call is not allowed"),
    P("ccollections\nOrderedDict\nNR.", "a call is not allowed"),
    P("ccollections\nOrderedDict\nN\x85R.", "no list"),
    P("ctorch\nFloatStorage\n)R.", "a call is not allowed"),
    P("ctorch._utils\n_rebuild_parameter\n)R.", "without a tensor"),
    P("Nib.", "opcode 0x69"),
    P("(S'x'\n.", "opcode 0x53"),
    P("N}b.", "sets attributes"),
    P("NQ.", "not named by a tuple"),
    P("t.", "MARK is missing"),
    P("]e.", "MARK is missing"),
    P("}(NNNu.", "a key has no value"),
    P("(e.", "stack is empty"),
    P("N(Ne.", "no list or dictionary"),
    P("(N\x86.", "stack is empty"),
    P("a.", "stack is empty"),
    P("s.", "stack is empty"),
    P("R.", "stack is empty"),
    P("(.", "more or less than one value"),
    P("NN.", "more or less than one value"),
    P("h\x05.", "never stored"),
    P("j\xff\xff\xff\xff.", "never stored"),
    P("Nr\xff\xff\xff\xff.", "memo is too long"),
    P("q\0.", "stack is empty"),
    P("X\xff\xff\xff\xff"
      "ab.",
      "ends in the middle"),
    P("X\x02\0\0\0\xff\xfe.", "not UTF-8"),
    P("cposix\nsystem\n)R.", "'posix.system', which is not allowed"),
    P("cos.path\njoin\n)R.", "'os.path.join', which is not allowed"),
    P("csubprocess\nPopen\n)R.", "'subprocess.Popen', which is not allowed"),
    P("}X\x01\0\0\0hcnt\nsystem\ns.", "'nt.system', which is not allowed"), /* not called, but there */
    P("cfoo\nBar\nNR.", "a call is not allowed"),
    P("NN\x81.", "an object is not allowed"),
    P("\x92.", "stack is empty"),
    P("0.", "stack is empty"),
    P("1.", "MARK is missing"),
    P("\x90.", "MARK is missing"),
    P("B\xff\xff\xff\xff"
      "ab.",
      "ends in the middle"),
    P("\x8e\xff\xff\xff\xff\xff\xff\xff\xff"
      "ab.",
      "ends in the middle"),
    P("\x8a\xff"
      "12.",
      "ends in the middle"),
    P("\x95\xff\xff\xff\xff\xff\xff\xff\xffN.", "frame"),
};

static void refuses_bad_pickles(void **state)
{
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(bad_pickles); i++) {
        unsigned char *exact = malloc(bad_pickles[i].length + 1);
        assert_non_null(exact);
        memcpy(exact, bad_pickles[i].bytes, bad_pickles[i].length);
        Pickle *pickle = NULL;
        size_t used = 0;
        const Err err = pickle_parse(exact, bad_pickles[i].length, "bad", &pickle, &used);
        if (err != ERR_MODEL || strstr(err_message(), bad_pickles[i].message) == NULL) {
            fail_msg("case %d: error %d, message '%s'; '%s' was expected", (int)i, (int)err, err_message(),
                     bad_pickles[i].message);
        }
        free(exact);
    }
}

/* Objects of classes that are not known: whatever is done with them, they are what their class is called. */
static void keeps_strangers_shut(void **state)
{
    (void)state;
    static const BadPickle strangers[] = {
        P("cargparse\nNamespace\n)R}X\x01\0\0\0aK\x01sb.", "argparse.Namespace"),
        P("cargparse\nNamespace\n)\x81}X\x01\0\0\0aK\x01sb.", "argparse.Namespace"),
        P("cpathlib\nPosixPath\nX\x01\0\0\0/X\x03\0\0\0tmp\x86R.", "pathlib.PosixPath"),
        P("cfoo\nBar\n)}\x92.", "foo.Bar"),
        P("cfoo\nList\n)\x81(K\x01K\x02K\x03"
          "e.",
          "foo.List"),
        P("cfoo\nList\n)\x81K\x01"
          "a.",
          "foo.List"),
        P("cfoo\nmake\n)R)R}R.", ""), /* what it gives is called in turn, with what are no arguments */
        P("\x8f(K\x01K\x02\x90.", "set"),
        P("(K\x01\x91.", "frozenset"),
        P("C\x02\xff\0.", "bytes"),
        P("U\x02\xff\xfe.", "str"),
        P("X\x02\0\0\0a\0.", "str"),
        P("(K\x01K\x02"
          "cfoo\nBar\n1"
          "cfoo\nBar\n.",
          "foo.Bar"),
        P("NK\x01"
          "0"
          "0cfoo\nBar\n.",
          "foo.Bar"),
    };
    for (int64_t i = 0; i < ARRAY_LEN(strangers); i++) {
        Pickle *pickle = NULL;
        size_t used = 0;
        const Err err =
            pickle_parse((const unsigned char *)strangers[i].bytes, strangers[i].length, "stranger", &pickle, &used);
        if (strangers[i].message[0] == '\0') {
            assert_int_equal(err, ERR_MODEL);
            continue;
        }
        if (err != ERR_NONE) fail_msg("case %d: %s", (int)i, err_message());
        assert_int_equal(pickle_root(pickle)->kind, PICKLE_OPAQUE);
        assert_string_equal(pickle_root(pickle)->text, strangers[i].message);
        assert_false(pickle_is_dict(pickle_root(pickle)));
        pickle_free(pickle);
    }
}

/* Checkpoints of Lightning and of a training loop, with all that public code puts into them (tools/golden/torch_file.py). */
static void reads_beside_strangers(void **state)
{
    (void)state;
    static const char *const names[] = { "torch_lightning.ckpt", "torch_strangers.pth", "torch_strangers_legacy.pth" };
    for (int64_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[512];
        TensorFile *file = NULL;
        const StoredTensor *tensor = NULL;
        const Shape shape = { 2, { 2, 3 } };
        float values[6];
        (void)snprintf(path, sizeof path, "%s/tests/golden/%s", METASEG_SOURCE_DIR, names[i]);
        ASSERT_OK(tensor_file_open(path, &file));
        ASSERT_OK(tensor_file_require(file, "net.weight", &shape, &tensor));
        ASSERT_OK(stored_tensor_read_f32(tensor, values));
        for (int64_t k = 0; k < 6; k++) assert_true(values[k] == (float)(1 + k));
        ASSERT_OK(tensor_file_require(file, "net.mask", NULL, &tensor)); /* of bool */
        assert_int_equal(tensor->dtype, DTYPE_U8);
        assert_int_equal(tensor_file_count(file), 4);
        tensor_file_close(file);
    }
}

static void refuses_what_is_no_weight(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        { "torch_module.pth", "holds an object of '__main__.Network', which only its program can read" },
        { "torch_quantised.pth", "tensor 'layer.weight' is quantised" },
        { "torch_optimizer.pth", "is the state of an optimizer" },
        { "torch_two.pth",
          "2 dictionaries of it hold tensors, 'generator' and 'critic' for example; say which is wanted" },
    };
    for (int64_t i = 0; i < ARRAY_LEN(files); i++) {
        char path[512];
        TensorFile *file = NULL;
        (void)snprintf(path, sizeof path, "%s/tests/golden/%s", METASEG_SOURCE_DIR, files[i][0]);
        ASSERT_ERR(tensor_file_open(path, &file), ERR_MODEL, files[i][1]);
    }
}

static Err parse(const void *bytes, size_t n)
{
    Pickle *pickle = NULL;
    size_t used = 0;
    const Err err = pickle_parse(bytes, n, "test", &pickle, &used);
    if (err == ERR_NONE) pickle_free(pickle);
    return err;
}

/* Large inputs of one repeated opcode, lists inside themselves, and a list copied again and again. */
static void stays_within_limits(void **state)
{
    (void)state;
    const size_t n = 20 << 20;
    unsigned char *bytes = malloc(n);
    assert_non_null(bytes);
    memset(bytes, 'N', n);
    assert_int_equal(parse(bytes, n), ERR_MODEL);
    assert_non_null(strstr(err_message(), "values"));
    memset(bytes, '(', n);
    assert_int_equal(parse(bytes, n), ERR_MODEL);
    assert_non_null(strstr(err_message(), "opcodes"));
    memcpy(bytes, "]q\0", 3);
    for (size_t i = 3; i + 2 < n; i += 2) memcpy(bytes + i, "h\0", 2);
    assert_int_equal(parse(bytes, n), ERR_MODEL);
    memset(bytes, ']', n); /* a hundred thousand levels */
    memset(bytes + 100000, 'a', 99999);
    bytes[199999] = '.';
    assert_int_equal(parse(bytes, 200000), ERR_NONE);
    assert_int_equal(parse("]q\0h\0a.", 7), ERR_NONE); /* a list that holds itself */

    /* x = [(N, N)] * 4096; then OrderedDict(x) over and over */
    size_t at = 0;
    memcpy(bytes, "]q\0(", 4);
    at = 4;
    for (int i = 0; i < 4096; i++, at += 3) memcpy(bytes + at, "NN\x86", 3);
    bytes[at++] = 'e';
    while (at + 40 < n) {
        static const char call[] = "ccollections\nOrderedDict\nh\0\x85R";
        memcpy(bytes + at, call, sizeof call - 1);
        at += sizeof call - 1;
    }
    assert_int_equal(parse(bytes, at), ERR_MODEL);
    assert_non_null(strstr(err_message(), "items"));

    /* the names of one class over and over, from the memo */
    static const char names[] = "\x80\x04\x8c\x32"
                                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x94\x8c\x01"
                                "b\x94";
    memcpy(bytes, names, sizeof names - 1);
    at = sizeof names - 1;
    for (; at + 6 < n; at += 5) memcpy(bytes + at, "h\0h\1\x93", 5);
    assert_int_equal(parse(bytes, at), ERR_MODEL);
    assert_non_null(strstr(err_message(), "64 MiB of text"));
    free(bytes);
}

/* One of several dictionaries, by its name; another of the same size is told. */
static void chooses_a_dictionary(void **state)
{
    (void)state;
    char path[512];
    TensorFile *file = NULL;
    (void)snprintf(path, sizeof path, "%s/tests/golden/torch_two.pth", METASEG_SOURCE_DIR);
    ASSERT_OK(tensor_file_open_member(path, "critic", &file));
    assert_int_equal(tensor_file_count(file), 1);
    assert_non_null(tensor_file_find(file, "b"));
    assert_string_equal(tensor_file_beside(file), "generator");
    tensor_file_close(file);
    file = NULL;
    ASSERT_ERR(tensor_file_open_member(path, "ema", &file), ERR_MODEL,
               "has no dictionary of tensors 'ema'; it has 'generator' and 'critic'");
    (void)snprintf(path, sizeof path, "%s/tests/golden/torch_strangers.pth", METASEG_SOURCE_DIR);
    ASSERT_ERR(tensor_file_open_member(path, "args", &file), ERR_MODEL,
               "has no dictionary of tensors 'args'; it has 'state_dict'");
    ASSERT_OK(tensor_file_open(path, &file));
    assert_null(tensor_file_beside(file));
    tensor_file_close(file);
    file = NULL;
    (void)snprintf(path, sizeof path, "%s/tests/golden/encoder.safetensors", METASEG_SOURCE_DIR);
    ASSERT_ERR(tensor_file_open_member(path, "model", &file), ERR_MODEL, "which has no dictionary 'model'");
}

/* A legacy file around an object pickle with one tensor "w" in a storage "k" of 4 floats. */
#define PREAMBLE                                                                                                       \
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."                                                        \
    "\x80\x02M\xe9\x03."                                                                                               \
    "\x80\x02}X\x0d\0\0\0little_endian\x88s."
#define STORAGE(count) "((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0kX\x03\0\0\0cpu" count "NtQ"
#define OBJECT(count, view) TENSOR_HEAD STORAGE(count) view "\x89)tRs."
#define KEYS "\x80\x02]X\x01\0\0\0ka."
#define DATA                                                                                                           \
    "\x04\0\0\0\0\0\0\0"                                                                                               \
    "\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40"
#define WHOLE_VIEW "K\0K\x04\x85K\x01\x85"

static const BadPickle bad_files[] = {
    P("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x18.", "magic number"),
    P("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xea\x03.", "version 1001"),
    P(PREAMBLE "\x80\x02K\x01." KEYS DATA, "a dictionary of tensors"),
    P(PREAMBLE "\x80\x02}." KEYS DATA, "holds no tensors"),
    P(PREAMBLE OBJECT("K\x04", "K\x01K\x04\x85K\x01\x85") KEYS DATA, "inside its storage"),
    P(PREAMBLE OBJECT("K\x04", "J\xff\xff\xff\xffK\x04\x85K\x01\x85") KEYS DATA, "inside its storage"),
    P(PREAMBLE OBJECT("K\x04", "K\0K\x05\x85K\x01\x85") KEYS DATA, "inside its storage"),
    P(PREAMBLE OBJECT("K\x04", "K\0K\x04\x85K\0\x85") KEYS DATA, "is expanded, with a stride of 0"),
    P(PREAMBLE OBJECT("K\x04", "K\0K\x02\x85K\x04\x85") KEYS DATA, "inside its storage"),
    P(PREAMBLE OBJECT("K\x04", "K\x03K\x02\x85J\xff\xff\xff\xff\x85") KEYS DATA, "inside its storage"),
    P(PREAMBLE OBJECT("K\x04", "K\0\x8a\x08\0\0\0\0\0\0\0\x40\x85K\x01\x85") KEYS DATA, "inside its storage"),
    P(PREAMBLE OBJECT("K\x04", "K\0K\x02K\x02\x86K\x01\x85") KEYS DATA, "size and stride"),
    P(PREAMBLE OBJECT("K\x04", "K\0(K\x01K\x01K\x01K\x01K\x01K\x01t(K\x01K\x01K\x01K\x01K\x01K\x01t") KEYS DATA,
      "6 dimensions"),
    P(PREAMBLE OBJECT("K\x05", WHOLE_VIEW) KEYS DATA, "4 elements; 5 were announced"),
    P(PREAMBLE OBJECT("J\xff\xff\xff\xff", WHOLE_VIEW) KEYS DATA, "has -1 elements"),
    P(PREAMBLE OBJECT("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", WHOLE_VIEW) KEYS DATA, "elements"),
    P(PREAMBLE OBJECT("K\x04", WHOLE_VIEW) "\x80\x02]X\x01\0\0\0xa." DATA, "belongs to no tensor"),
    P(PREAMBLE OBJECT("K\x04", WHOLE_VIEW) "\x80\x02].", "'k' is missing"),
    P(PREAMBLE OBJECT("K\x04", WHOLE_VIEW) KEYS DATA "x", "1 bytes follow"),
    P(PREAMBLE TENSOR_HEAD ")Rs." KEYS DATA, "lacks arguments"),
    P(PREAMBLE "\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_qtensor\n)Rs." KEYS DATA, "is quantised, sparse"),
};

static void refuses_bad_files(void **state)
{
    (void)state;
    static const char good[] = PREAMBLE OBJECT("K\x04", WHOLE_VIEW) KEYS DATA;
    TensorFile *file = NULL;
    ASSERT_OK(torch_legacy_parse(good, sizeof good - 1, "good", &file));
    float values[4] = { 0 };
    assert_int_equal(stored_tensor_read_f32(tensor_file_find(file, "w"), values), ERR_NONE);
    assert_true(values[0] == 1.0F && values[3] == 4.0F);
    tensor_file_close(file);
    for (int64_t i = 0; i < ARRAY_LEN(bad_files); i++) {
        unsigned char *exact = malloc(bad_files[i].length + 1);
        assert_non_null(exact);
        memcpy(exact, bad_files[i].bytes, bad_files[i].length);
        const Err err = torch_legacy_parse(exact, bad_files[i].length, "bad", &file);
        if (err != ERR_MODEL || strstr(err_message(), bad_files[i].message) == NULL) {
            fail_msg("case %d: error %d, message '%s'; '%s' was expected", (int)i, (int)err, err_message(),
                     bad_files[i].message);
        }
        free(exact);
    }
}

/* Dictionaries as training scripts save them: other tensors beside the weights, before and after them, in a dictionary of
 * the optimizer, weights two levels down. "w" is 1, 2, 3, 4 in every one; the other tensors lie in a storage "o". */
#define TEXT(length, text) "X" length "\0\0\0" text
#define IN_STORAGE(key, count)                                                                                         \
    "ctorch._utils\n_rebuild_tensor_v2\n((" TEXT("\x07", "storage") "ctorch\nFloatStorage\n" TEXT("\x01", key)         \
        TEXT("\x03", "cpu") count "tQK\0" count "\x85K\x01\x85\x89}tR"
#define WEIGHTS "}" TEXT("\x01", "w") IN_STORAGE("k", "K\x04") "s"
#define OTHER IN_STORAGE("o", "K\x01")
#define BOTH_KEYS "\x80\x02](" TEXT("\x01", "k") TEXT("\x01", "o") "e."
#define OTHER_DATA "\x01\0\0\0\0\0\0\0\0\0\x80\x3f"

static void finds_the_state_dictionary(void **state)
{
    static const BadPickle files[] = {
        P(PREAMBLE "\x80\x02" WEIGHTS "." KEYS DATA, "w"),
        P(PREAMBLE "\x80\x02}(" TEXT("\x0a", "state_dict") WEIGHTS TEXT("\x04", "best") OTHER
          "u." BOTH_KEYS DATA OTHER_DATA,
          "w"),
        P(PREAMBLE "\x80\x02}(" TEXT("\x04", "step") OTHER TEXT("\x05", "model") WEIGHTS "u." BOTH_KEYS DATA OTHER_DATA,
          "w"),
        P(PREAMBLE "\x80\x02}(" TEXT("\x09", "optimizer") "}" TEXT("\x03", "exp") OTHER
          "s" TEXT("\x10", "model_state_dict") WEIGHTS "u." BOTH_KEYS DATA OTHER_DATA,
          "w"),
        P(PREAMBLE "\x80\x02}(" TEXT("\x05", "model") "}(" TEXT("\x0a", "state_dict") WEIGHTS TEXT("\x01", "x") OTHER
          "u" TEXT("\x01", "y") OTHER "u." BOTH_KEYS DATA OTHER_DATA,
          "w"),
    };
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(files); i++) {
        TensorFile *file = NULL;
        float values[4] = { 0 };
        ASSERT_OK(torch_legacy_parse(files[i].bytes, files[i].length, "beside", &file));
        assert_int_equal(tensor_file_count(file), 1);
        ASSERT_OK(stored_tensor_read_f32(tensor_file_find(file, files[i].message), values));
        for (int k = 0; k < 4; k++) assert_true(values[k] == (float)(k + 1));
        tensor_file_close(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_torch_save),           cmocka_unit_test(reads_torch_script),
        cmocka_unit_test(refuses_every_truncation),   cmocka_unit_test(survives_wrong_bytes),
        cmocka_unit_test(zip_with_wrong_bytes),       cmocka_unit_test(refuses_bad_pickles),
        cmocka_unit_test(stays_within_limits),        cmocka_unit_test(refuses_bad_files),
        cmocka_unit_test(finds_the_state_dictionary), cmocka_unit_test(zips_of_others),
        cmocka_unit_test(chooses_a_dictionary),       cmocka_unit_test(keeps_strangers_shut),
        cmocka_unit_test(reads_beside_strangers),     cmocka_unit_test(refuses_what_is_no_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
