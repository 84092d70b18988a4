/* Published tokenizers against published test vectors (llama.cpp's).  They are
 * read from WINNOW_DATA/tokenizers/tokenizers.tar.zst and skipped without it. */
#include "base/file.h"
#include "base/mem.h"
#include "check.h"
#include "model/gguf_model.h"
#include "scratch.h"
#include "token/tokenizer_internal.h"

#include <stdlib.h>
#include <zstd.h>

static const struct str SEPARATOR = {"\n__ggml_vocab_test__\n", 21};

/* The unpacked archive; empty where it is not there. */
struct archive {
    struct buf tar;
};

static bool archive_open(struct archive *a)
{
    const char *data = getenv("WINNOW_DATA");
    struct buf path = {0}, packed = {0};
    struct winnow_error err;
    *a = (struct archive){0};
    buf_addf(&path, "%s/tokenizers/tokenizers.tar.zst", data ? data : "../shared/data");
    bool there = file_read(buf_cstr(&path), (size_t)1 << 30, &packed, &err) == WINNOW_OK;
    if (there) {
        ZSTD_DCtx *z = ZSTD_createDCtx();
        ZSTD_inBuffer in = {packed.ptr, packed.len, 0};
        size_t left = 1;
        while (left > 0 && in.pos < in.size) {
            ZSTD_outBuffer out = {buf_reserve(&a->tar, (size_t)1 << 20), (size_t)1 << 20, 0};
            left = ZSTD_decompressStream(z, &out, &in);
            assert_false(ZSTD_isError(left));
            a->tar.len += out.pos;
        }
        (void)ZSTD_freeDCtx(z);
    } else {
        print_message("skipped: there is no %s\n", path.ptr);
    }
    buf_release(&path);
    buf_release(&packed);
    return there;
}

/* The bytes of a file of the archive. */
static struct str archive_get(const struct archive *a, const char *name)
{
    for (size_t at = 0; at + 512 <= a->tar.len && a->tar.ptr[at] != '\0';) {
        const char *header = a->tar.ptr + at;
        size_t size = (size_t)strtoull(header + 124, NULL, 8);
        struct str path = {header, strnlen(header, 100)};
        if (str_ends(path, str_of(name))) {
            return (struct str){header + 512, size};
        }
        at += 512 + (size + 511) / 512 * 512;
    }
    fail_msg("no %s in the archive", name);
    return (struct str){0};
}

/* The next case of a vector file. */
static struct str next_case(struct str *rest)
{
    size_t at = str_find(*rest, SEPARATOR);
    struct str text = str_sub(*rest, 0, at == SIZE_MAX ? rest->len : at);
    *rest = str_sub(*rest, at == SIZE_MAX ? rest->len : at + SEPARATOR.len, rest->len);
    return text;
}

static size_t run_vectors(const struct archive *a, const struct tokenizer *t, const char *name)
{
    char file[128];
    (void)snprintf(file, sizeof file, "ggml-vocab-%s.gguf.inp", name);
    struct str in = archive_get(a, file);
    (void)snprintf(file, sizeof file, "ggml-vocab-%s.gguf.out", name);
    struct str out = archive_get(a, file), line;
    struct tokenizer_scratch *s = tokenizer_scratch_new(t);
    struct u32_list ids = {0};
    struct buf got = {0};
    struct winnow_error err;
    size_t cases = 0;
    for (; str_next_line(&out, &line); cases++) {
        struct str text = next_case(&in);
        buf_clear(&got);
        ids.len = 0;
        tokenizer_encode(t, s, text, 0, &ids);
        for (size_t i = 0; i < ids.len; i++) {
            buf_addf(&got, " %u", (unsigned)ids.ptr[i]);
        }
        if (!str_eq(buf_str(&got), line)) {
            fail_msg("%s: '%.*s' gives%.*s, not%.*s", name, STR_ARG(text), STR_ARG(buf_str(&got)),
                     STR_ARG(line));
        }
        buf_clear(&got);
        assert_ok(tokenizer_decode(t, ids.ptr, ids.len, 0, &got, &err), err);
        assert_true(str_eq(buf_str(&got), text));
    }
    tokenizer_scratch_free(s);
    u32_list_release(&ids);
    buf_release(&got);
    return cases;
}

static void vectors_of_gpt2_pass(void **state)
{
    (void)state;
    struct archive a;
    struct scratch dir;
    struct tokenizer *t = NULL;
    struct winnow_error err;
    if (!archive_open(&a)) {
        skip();
    }
    scratch_open(&dir);
    (void)scratch_write(&dir, "encoder.json", archive_get(&a, "gpt2/encoder.json"));
    (void)scratch_write(&dir, "vocab.bpe", archive_get(&a, "gpt2/vocab.bpe"));
    assert_ok(tokenizer_load(dir.dir, &t, &err), err);
    assert_int_equal(tokenizer_vocab_size(t), 50257);
    assert_int_equal(tokenizer_eos(t), 50256);
    assert_int_equal(run_vectors(&a, t, "gpt-2"), 46);
    tokenizer_free(t);
    scratch_close(&dir);
    buf_release(&a.tar);
}

static void run_json(const char *file, const char *vectors)
{
    struct archive a;
    struct tokenizer *t = NULL, *again = NULL;
    struct winnow_error err;
    struct buf json = {0};
    if (!archive_open(&a)) {
        skip();
    }
    assert_ok(tokenizer_parse(archive_get(&a, file), &t, &err), err);
    assert_int_equal(run_vectors(&a, t, vectors), 46);
    tokenizer_write(t, &json); /* and as written by us */
    assert_ok(tokenizer_parse(buf_str(&json), &again, &err), err);
    assert_int_equal(run_vectors(&a, again, vectors), 46);
    tokenizer_free(t);
    tokenizer_free(again);
    buf_release(&json);
    buf_release(&a.tar);
}

static void vectors_of_qwen2_pass(void **state)
{
    (void)state;
    run_json("qwen3/tokenizer.json", "qwen2");
}

static void vectors_of_llama2_pass(void **state)
{
    (void)state;
    run_json("llama2/tokenizer.json", "llama-spm");
}

static void vectors_of_gguf_vocabularies_pass(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"gpt-2", "llama-spm"};
    struct archive a;
    struct scratch dir;
    struct winnow_error err;
    if (!archive_open(&a)) {
        skip();
    }
    scratch_open(&dir);
    for (size_t i = 0; i < 2; i++) {
        struct tokenizer *t = NULL;
        char file[64];
        (void)snprintf(file, sizeof file, "ggml-vocab-%s.gguf", NAMES[i]);
        const char *path = scratch_write(&dir, file, archive_get(&a, file));
        assert_ok(gguf_load_tokenizer(path, &t, &err), err);
        assert_int_equal(run_vectors(&a, t, NAMES[i]), 46);
        tokenizer_free(t);
    }
    scratch_close(&dir);
    buf_release(&a.tar);
}

/* ---- Llama-3, whose vocabulary is not at hand ---- */

/* A case as words and as ids. */
struct pairing {
    struct str text;
    struct u32_list ends, ids;
};

static void read_ids(struct str line, struct u32_list *ids)
{
    while (line.len > 1) {
        char *end = NULL;
        u32_list_add(ids, (uint32_t)strtoul(line.ptr, &end, 10));
        line = str_sub(line, (size_t)(end - line.ptr), line.len);
    }
}

static void cut(const uint8_t *classes, struct pairing *p)
{
    for (size_t at = 0; at < p->text.len;) {
        at = scan_next(SCAN_LLAMA3, classes, p->text, at);
        u32_list_add(&p->ends, (uint32_t)at);
    }
}

/* Where a case has as many words as ids, each word is one id; a cut in the
 * wrong place would give one word two ids or two words one. */
static void words_of_llama3_match_the_ids_of_its_vectors(void **state)
{
    (void)state;
    static uint8_t classes[CLASSES_SIZE];
    classes_fill(classes);
    struct archive a;
    if (!archive_open(&a)) {
        skip();
    }
    struct str in = archive_get(&a, "ggml-vocab-llama-bpe.gguf.inp");
    struct str out = archive_get(&a, "ggml-vocab-llama-bpe.gguf.out"), line;
    struct map ids = {0}, words = {0};
    size_t cases = 0, whole = 0;
    for (; str_next_line(&out, &line); cases++) {
        struct pairing p = {.text = next_case(&in)};
        read_ids(line, &p.ids);
        cut(classes, &p);
        assert_true(p.ends.len <= p.ids.len); /* a word is at least one id */
        for (size_t i = 0, from = 0; p.ends.len == p.ids.len && i < p.ends.len; i++) {
            struct str word = str_sub(p.text, from, p.ends.ptr[i]);
            struct str id = {(const char *)&p.ids.ptr[i], sizeof(uint32_t)};
            bool new_word = false, new_id = false;
            uint64_t *value = map_put(&ids, word, &new_word);
            assert_true(new_word || *value == p.ids.ptr[i]);
            *value = p.ids.ptr[i];
            (void)map_put(&words, id, &new_id);
            assert_int_equal(new_word, new_id);
            from = p.ends.ptr[i];
        }
        whole += p.ends.len == p.ids.len && p.ends.len > 0;
        u32_list_release(&p.ends);
        u32_list_release(&p.ids);
    }
    assert_int_equal(cases, 46);
    assert_true(whole >= 30);
    map_release(&ids);
    map_release(&words);
    buf_release(&a.tar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_gpt2_pass),
        cmocka_unit_test(vectors_of_qwen2_pass),
        cmocka_unit_test(vectors_of_llama2_pass),
        cmocka_unit_test(vectors_of_gguf_vocabularies_pass),
        cmocka_unit_test(words_of_llama3_match_the_ids_of_its_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
