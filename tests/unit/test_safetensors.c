#include "base/buf.h"
#include "base/file.h"
#include "base/rng.h"
#include "check.h"
#include "model/safetensors.h"

#include <stdlib.h>
#include <unistd.h>

/* A file of this header and data bytes of data; length is what the file says
 * the header has, SIZE_MAX for the truth. */
static winnow_status parse(const char *header, size_t data, size_t length, struct safetensors **out,
                           struct buf *bytes, struct winnow_error *err)
{
    uint64_t n = length == SIZE_MAX ? strlen(header) : length;
    buf_clear(bytes);
    buf_add(bytes, &n, sizeof n);
    buf_add_text(bytes, header);
    for (size_t i = 0; i < data; i++) {
        buf_add_char(bytes, (char)i);
    }
    return safetensors_parse(buf_str(bytes), "m.safetensors", out, err);
}

static void safetensors_shows_each_tensor_as_the_header_says(void **state)
{
    (void)state;
    struct buf bytes = {0};
    struct safetensors *f = NULL;
    struct winnow_error err;
    assert_ok(parse("{\"__metadata__\":{\"format\":\"pt\"},"
                    "\"b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[16,22]},"
                    "\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
                    "\"none\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[16,16]}}  ",
                    22, SIZE_MAX, &f, &bytes, &err),
              err);
    assert_int_equal(safetensors_count(f), 3);
    assert_str(safetensors_at(f, 0)->name, "a");
    const struct tensor_view *b = safetensors_find(f, STR_LIT("b"));
    assert_non_null(b);
    assert_int_equal(b->type, TENSOR_BF16);
    assert_int_equal(b->dims, 1);
    assert_int_equal(b->shape[0], 3);
    assert_int_equal(b->bytes.len, 6);
    assert_int_equal(b->bytes.ptr[0], 16);
    assert_null(safetensors_find(f, STR_LIT("c")));
    safetensors_close(f);
    buf_release(&bytes);
}

static void safetensors_refuses_headers_that_lie(void **state)
{
    (void)state;
    static const struct {
        const char *header, *says;
        size_t data, length;
        winnow_status status;
    } BAD[] = {
        {"{}", "cut short", 0, 3, WINNOW_E_FORMAT},
        {"{}", "cut short", 0, SIZE_MAX - 8, WINNOW_E_FORMAT},
        {"{", "damaged", 0, SIZE_MAX, WINNOW_E_FORMAT},
        {"[]", "no JSON object", 0, SIZE_MAX, WINNOW_E_FORMAT},
        {"{\"a\":7}", "lacks dtype", 0, SIZE_MAX, WINNOW_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F7\",\"shape\":[1],\"data_offsets\":[0,4]}}", "unknown dtype", 4,
         SIZE_MAX, WINNOW_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1],\"data_offsets\":[0,4]}}", "dimensions",
         4, SIZE_MAX, WINNOW_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "cut short", 3,
         SIZE_MAX, WINNOW_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", "header lies", 4,
         SIZE_MAX, WINNOW_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", "header lies", 4,
         SIZE_MAX, WINNOW_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", "shape and dtype", 4,
         SIZE_MAX, WINNOW_E_FORMAT},
        /* 2^62 elements of 4 bytes are 2^64 bytes, which must not become 0. */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}",
         "shape and dtype", 0, SIZE_MAX, WINNOW_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,16],\"data_offsets\":[0,0]}}",
         "shape and dtype", 0, SIZE_MAX, WINNOW_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         "overlaps", 8, SIZE_MAX, WINNOW_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
         "unused bytes", 12, SIZE_MAX, WINNOW_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "belong to none", 5,
         SIZE_MAX, WINNOW_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         "two tensors", 8, SIZE_MAX, WINNOW_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct buf bytes = {0};
        struct safetensors *f = NULL;
        struct winnow_error err = {""};
        assert_int_equal(parse(BAD[i].header, BAD[i].data, BAD[i].length, &f, &bytes, &err),
                         BAD[i].status);
        assert_null(f);
        if (!strstr(err.text, BAD[i].says) || !strstr(err.text, "m.safetensors")) {
            fail_msg("%s gives '%s', expected '%s'", BAD[i].header, err.text, BAD[i].says);
        }
        buf_release(&bytes);
    }
}

static void safetensors_of_every_shorter_length_is_refused(void **state)
{
    (void)state;
    struct buf bytes = {0};
    struct safetensors *f = NULL;
    struct winnow_error err;
    assert_ok(parse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}", 16,
                    SIZE_MAX, &f, &bytes, &err),
              err);
    safetensors_close(f);
    for (size_t n = 0; n < bytes.len; n++) {
        char *exact = malloc(n > 0 ? n : 1); /* no slack: ASan sees one byte over */
        assert_non_null(exact);
        memcpy(exact, bytes.ptr, n);
        assert_int_equal(safetensors_parse((struct str){exact, n}, "m", &f, &err), WINNOW_E_FORMAT);
        free(exact);
    }
    buf_release(&bytes);
}

static void safetensors_gives_back_what_was_written(void **state)
{
    (void)state;
    static const enum tensor_type TYPES[] = {TENSOR_F32, TENSOR_BF16, TENSOR_F16};
    static const double TOLERANCE[] = {0, 0x1p-8, 0x1p-11}; /* half a unit in the last place */
    char folder[] = "/tmp/winnow-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    static float values[20000];
    struct rng rng;
    rng_init(&rng, 1, "values");
    for (size_t i = 0; i < 20000; i++) {
        values[i] = (float)rng_normal(&rng);
    }
    const struct safetensors_item items[] = {
        {.name = "first", .values = values, .shape = {100, 150}, .dims = 2},
        {.name = "second", .values = values + 15000, .shape = {5000}, .dims = 1},
    };
    struct buf path = {0};
    struct winnow_error err;
    const char *name = file_join(&path, folder, "m.safetensors");
    for (size_t k = 0; k < 3; k++) {
        struct safetensors *f = NULL;
        static float back[15000];
        assert_ok(safetensors_write(name, items, 2, TYPES[k], &err), err);
        assert_ok(safetensors_open(name, &f, &err), err);
        for (size_t i = 0; i < 2; i++) {
            const struct tensor_view *t = safetensors_find(f, str_of(items[i].name));
            uint64_t count = 0;
            assert_non_null(t);
            assert_int_equal(t->type, TYPES[k]);
            assert_true(tensor_elements(t->shape, t->dims, &count));
            tensor_to_f32(t->type, t->bytes.ptr, (size_t)count, back);
            for (size_t j = 0; j < count; j++) {
                double want = (double)items[i].values[j];
                assert_true(fabs((double)back[j] - want) <= TOLERANCE[k] * fabs(want) + 0x1p-25);
            }
        }
        safetensors_close(f);
    }
    assert_ok(file_remove_tree(folder, &err), err);
    buf_release(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(safetensors_shows_each_tensor_as_the_header_says),
        cmocka_unit_test(safetensors_refuses_headers_that_lie),
        cmocka_unit_test(safetensors_of_every_shorter_length_is_refused),
        cmocka_unit_test(safetensors_gives_back_what_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
