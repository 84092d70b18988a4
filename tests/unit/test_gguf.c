#include "base/buf.h"
#include "check.h"
#include "model/gguf.h"

#include <stdlib.h>

static void put_u32(struct buf *b, uint32_t v)
{
    buf_add(b, &v, sizeof v);
}

static void put_u64(struct buf *b, uint64_t v)
{
    buf_add(b, &v, sizeof v);
}

static void put_string(struct buf *b, const char *text)
{
    put_u64(b, strlen(text));
    buf_add_text(b, text);
}

static void put_head(struct buf *b, uint64_t tensors, uint64_t pairs)
{
    buf_add_text(b, "GGUF");
    put_u32(b, 3);
    put_u64(b, tensors);
    put_u64(b, pairs);
}

static void put_tensor(struct buf *b, const char *name, uint32_t type, uint64_t cols, uint64_t rows,
                       uint64_t offset)
{
    put_string(b, name);
    put_u32(b, 2);
    put_u64(b, cols);
    put_u64(b, rows);
    put_u32(b, type);
    put_u64(b, offset);
}

static void pad(struct buf *b, size_t alignment, size_t data)
{
    while (b->len % alignment != 0) {
        buf_add_char(b, 0);
    }
    for (size_t i = 0; i < data; i++) {
        buf_add_char(b, (char)i);
    }
}

/* One file with every kind of metadata and three tensors. */
static void put_good_file(struct buf *b)
{
    put_head(b, 3, 6);
    put_string(b, "general.alignment");
    put_u32(b, GGUF_U32);
    put_u32(b, 64);
    put_string(b, "text");
    put_u32(b, GGUF_STRING);
    put_string(b, "llama");
    put_string(b, "less");
    put_u32(b, GGUF_I8);
    buf_add_char(b, (char)-3);
    put_string(b, "yes");
    put_u32(b, GGUF_BOOL);
    buf_add_char(b, 1);
    put_string(b, "words");
    put_u32(b, GGUF_ARRAY);
    put_u32(b, GGUF_STRING);
    put_u64(b, 3);
    put_string(b, "a");
    put_string(b, "");
    put_string(b, "bc");
    put_string(b, "scores");
    put_u32(b, GGUF_ARRAY);
    put_u32(b, GGUF_F32);
    put_u64(b, 2);
    put_u32(b, 0x3F800000);
    put_u32(b, 0xC0000000);
    put_tensor(b, "a", 0, 4, 2, 0);
    put_tensor(b, "b", 8, 32, 2, 64);
    put_tensor(b, "c", 10, 256, 1, 192); /* Q2_K: placed, not read */
    pad(b, 64, 192 + 84);
}

static void gguf_gives_metadata_by_kind(void **state)
{
    (void)state;
    struct buf b = {0};
    struct gguf *f = NULL;
    struct winnow_error err;
    put_good_file(&b);
    assert_ok(gguf_parse(buf_str(&b), "m.gguf", &f, &err), err);
    uint64_t n = 0;
    double d = 0;
    bool yes = false;
    struct str s = {NULL, 0};
    assert_true(gguf_u64(f, "general.alignment", &n));
    assert_int_equal(n, 64);
    assert_false(gguf_u64(f, "less", &n));
    assert_true(gguf_f64(f, "less", &d));
    assert_true(d == -3);
    assert_true(gguf_bool(f, "yes", &yes) && yes);
    assert_true(gguf_str(f, "text", &s));
    assert_str(s, "llama");
    assert_false(gguf_str(f, "words", &s));
    assert_false(gguf_has(f, "nothing"));
    struct arena keep;
    arena_init(&keep, 4096);
    struct str *words = NULL;
    float *scores = NULL;
    size_t count = 0;
    assert_true(gguf_strings(f, "words", &keep, &words, &count));
    assert_int_equal(count, 3);
    assert_str(words[0], "a");
    assert_str(words[1], "");
    assert_str(words[2], "bc");
    assert_true(gguf_floats(f, "scores", &keep, &scores, &count));
    assert_int_equal(count, 2);
    assert_true(scores[0] == 1.0F && scores[1] == -2.0F);
    assert_false(gguf_floats(f, "words", &keep, &scores, &count));
    arena_release(&keep);
    gguf_close(f);
    buf_release(&b);
}

static void gguf_shows_tensors_slowest_dimension_first(void **state)
{
    (void)state;
    struct buf b = {0};
    struct gguf *f = NULL;
    struct winnow_error err;
    put_good_file(&b);
    assert_ok(gguf_parse(buf_str(&b), "m.gguf", &f, &err), err);
    assert_int_equal(gguf_tensor_count(f), 3);
    const struct tensor_view *t = gguf_tensor_find(f, STR_LIT("b"));
    assert_non_null(t);
    assert_int_equal(t->type, TENSOR_Q8_0);
    assert_int_equal(t->shape[0], 2);
    assert_int_equal(t->shape[1], 32);
    assert_int_equal(t->bytes.len, 68);
    assert_int_equal((uint8_t)t->bytes.ptr[0], 64);
    assert_int_equal(gguf_tensor_find(f, STR_LIT("c"))->type, TENSOR_OTHER);
    assert_str(gguf_tensor_find(f, STR_LIT("c"))->type_name, "Q2_K");
    gguf_close(f);
    buf_release(&b);
}

static void gguf_of_every_shorter_length_is_refused(void **state)
{
    (void)state;
    struct buf b = {0};
    struct gguf *f = NULL;
    struct winnow_error err;
    put_good_file(&b);
    /* Not the last tensor's bytes: its type is not ours, so nor is its length. */
    for (size_t n = 0; n < b.len - 148; n++) {
        char *exact = malloc(n > 0 ? n : 1);
        assert_non_null(exact);
        memcpy(exact, b.ptr, n);
        assert_int_equal(gguf_parse((struct str){exact, n}, "m.gguf", &f, &err), WINNOW_E_FORMAT);
        assert_non_null(strstr(err.text, "m.gguf"));
        free(exact);
    }
    buf_release(&b);
}

static void refuse(struct buf *b, const char *says)
{
    struct gguf *f = NULL;
    struct winnow_error err = {""};
    assert_int_equal(gguf_parse(buf_str(b), "m.gguf", &f, &err), WINNOW_E_FORMAT);
    if (!strstr(err.text, says)) {
        fail_msg("got '%s', expected '%s'", err.text, says);
    }
    buf_clear(b);
}

static void gguf_refuses_headers_that_lie(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_add_text(&b, "GGML----");
    refuse(&b, "no GGUF file");
    buf_add_text(&b, "GGUF");
    put_u32(&b, 1);
    refuse(&b, "version 1");
    put_head(&b, 0, UINT64_MAX);
    refuse(&b, "metadata entries cannot fit");
    put_head(&b, UINT64_MAX, 0);
    refuse(&b, "tensors cannot fit");
    put_head(&b, 0, 1);
    put_u64(&b, UINT64_MAX - 4); /* a key longer than memory */
    pad(&b, 1, 32);
    refuse(&b, "cannot be read");
    put_head(&b, 0, 1);
    put_string(&b, "nested");
    put_u32(&b, GGUF_ARRAY);
    put_u32(&b, GGUF_ARRAY);
    put_u64(&b, 1);
    pad(&b, 1, 32);
    refuse(&b, "cannot be read");
    put_head(&b, 0, 1);
    put_string(&b, "long");
    put_u32(&b, GGUF_ARRAY);
    put_u32(&b, GGUF_U64);
    put_u64(&b, (uint64_t)1 << 61); /* times 8 is 2^64 */
    pad(&b, 1, 32);
    refuse(&b, "cannot be read");
    put_head(&b, 0, 2);
    for (int i = 0; i < 2; i++) {
        put_string(&b, "same");
        put_u32(&b, GGUF_BOOL);
        buf_add_char(&b, 0);
    }
    refuse(&b, "twice");
    put_head(&b, 0, 1);
    put_string(&b, "general.alignment");
    put_u32(&b, GGUF_U32);
    put_u32(&b, 24);
    refuse(&b, "power of two");
    buf_release(&b);
}

static void gguf_refuses_tensors_that_lie(void **state)
{
    (void)state;
    struct buf b = {0};
    put_head(&b, 2, 0);
    put_tensor(&b, "a", 0, 16, 1, 0);
    put_tensor(&b, "b", 0, 8, 1, 32);
    pad(&b, 32, 64);
    refuse(&b, "overlap");
    put_head(&b, 2, 0);
    put_tensor(&b, "a", 0, 8, 1, 0);
    put_tensor(&b, "a", 0, 8, 1, 32);
    pad(&b, 32, 64);
    refuse(&b, "two tensors");
    put_head(&b, 1, 0);
    put_tensor(&b, "a", 0, 8, 1, 4);
    pad(&b, 32, 64);
    refuse(&b, "alignment");
    put_head(&b, 1, 0);
    put_tensor(&b, "a", 0, 8, 3, 0);
    pad(&b, 32, 64);
    refuse(&b, "cut short");
    put_head(&b, 1, 0);
    put_tensor(&b, "a", 0, (uint64_t)1 << 62, 4, 0);
    pad(&b, 32, 64);
    refuse(&b, "impossible shape");
    put_head(&b, 1, 0);
    put_tensor(&b, "a", 8, 16, 2, 0); /* 32 elements, but rows of half a block */
    pad(&b, 32, 64);
    refuse(&b, "impossible shape");
    put_head(&b, 1, 0);
    put_string(&b, "a");
    put_u32(&b, 5);
    pad(&b, 1, 64);
    refuse(&b, "dimensions");
    buf_release(&b);
}

/* Blocks with hand-made contents against the formulas of tensor_type.c's head. */
static void quantised_blocks_become_their_numbers(void **state)
{
    (void)state;
    uint8_t block[210] = {0x00, 0x38}; /* scale 0.5 */
    float out[256];
    for (int i = 0; i < 32; i++) {
        block[2 + i] = (uint8_t)(i - 16);
    }
    tensor_to_f32(TENSOR_Q8_0, block, 32, out);
    for (int i = 0; i < 32; i++) {
        assert_true((double)out[i] == 0.5 * (i - 16));
    }
    for (int i = 0; i < 16; i++) {
        block[2 + i] = (uint8_t)(i | (15 - i) << 4);
    }
    tensor_to_f32(TENSOR_Q4_0, block, 32, out);
    for (int i = 0; i < 16; i++) {
        assert_true((double)out[i] == 0.5 * (i - 8));
        assert_true((double)out[i + 16] == 0.5 * (7 - i));
    }
    memmove(block + 4, block + 2, 16);
    block[2] = 0x00;
    block[3] = 0xBC; /* least value -1 */
    tensor_to_f32(TENSOR_Q4_1, block, 32, out);
    for (int i = 0; i < 16; i++) {
        assert_true((double)out[i] == 0.5 * i - 1);
        assert_true((double)out[i + 16] == 0.5 * (15 - i) - 1);
    }
    memset(block, 0, sizeof block);
    block[209] = 0x38;
    for (int i = 0; i < 16; i++) {
        block[192 + i] = (uint8_t)(i - 8);
    }
    block[64 + 33] = 0xA0;      /* second half, quarters 1 and 3, l = 1: low bits 0 and 10 */
    block[128 + 32 + 1] = 0xCC; /* high bits 3 for quarters 1 and 3, 0 for 0 and 2 */
    tensor_to_f32(TENSOR_Q6_K, block, 256, out);
    for (int e = 0; e < 256; e++) {
        int q = e == 128 + 32 + 1 ? 48 : e == 128 + 96 + 1 ? 58 : 0;
        assert_true((double)out[e] == 0.5 * (e / 16 - 8) * (q - 32));
    }
}

static void half_precision_survives_a_round_trip(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x10000; h++) {
        float x = f32_from_f16((uint16_t)h);
        if ((h & 0x7C00U) == 0x7C00U && (h & 0x3FFU) != 0) {
            assert_true(isnan(x) && isnan(f32_from_f16(f16_from_f32(x))));
        } else {
            assert_int_equal(f16_from_f32(x), h);
            double unit = ldexp(1, ((h >> 10 & 31) > 0 ? (int)(h >> 10 & 31) : 1) - 25);
            double mantissa = (h & 0x3FFU) + ((h >> 10 & 31) > 0 ? 1024.0 : 0);
            assert_true(isinf(x) || fabs((double)x) == mantissa * unit);
        }
        float y = f32_from_bf16((uint16_t)h);
        assert_true(isnan(y) ? isnan(f32_from_bf16(bf16_from_f32(y))) : bf16_from_f32(y) == h);
    }
    assert_int_equal(f16_from_f32(65519.996F), 0x7BFF);
    assert_int_equal(f16_from_f32(65520.0F), 0x7C00);
    assert_int_equal(f16_from_f32(1.0F + 0x1p-11F), 0x3C00); /* ties to even */
    assert_int_equal(f16_from_f32(1.0F + 0x3p-11F), 0x3C02);
    assert_int_equal(f16_from_f32(0x1p-25F), 0);
    assert_int_equal(f16_from_f32(0x1.8p-25F), 1);
    assert_int_equal(bf16_from_f32(1.0F + 0x1p-8F), 0x3F80);
    assert_int_equal(bf16_from_f32(1.0F + 0x3p-8F), 0x3F82);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gguf_gives_metadata_by_kind),
        cmocka_unit_test(gguf_shows_tensors_slowest_dimension_first),
        cmocka_unit_test(gguf_of_every_shorter_length_is_refused),
        cmocka_unit_test(gguf_refuses_headers_that_lie),
        cmocka_unit_test(gguf_refuses_tensors_that_lie),
        cmocka_unit_test(quantised_blocks_become_their_numbers),
        cmocka_unit_test(half_precision_survives_a_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
