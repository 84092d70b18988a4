#include "base/rng.h"
#include "check.h"
#include "random_text.h"
#include "token/tokenizer_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- helpers ---- */

struct texts {
    const struct str *items;
    size_t count, at;
};

static winnow_status next_text(void *ctx, struct str *text, bool *more, struct winnow_error *err)
{
    (void)err;
    struct texts *t = ctx;
    *more = t->at < t->count;
    if (*more) {
        *text = t->items[t->at++];
    }
    return WINNOW_OK;
}

static struct tokenizer *train(struct str text, uint32_t vocab, const char *pre, uint32_t threads)
{
    static const char *const SPECIALS[] = {"<|endoftext|>"};
    struct texts texts = {&text, 1, 0};
    struct tokenizer_train_options options = TOKENIZER_TRAIN_OPTIONS_INIT;
    options.vocab_size = vocab;
    options.pre = pre;
    options.specials = (struct winnow_list){SPECIALS, 1};
    struct winnow_env env = {.threads = threads};
    struct winnow_error err;
    struct tokenizer *t = NULL;
    assert_ok(tokenizer_train(&options, &env, next_text, &texts, &t, &err), err);
    return t;
}

static struct u32_list encode(const struct tokenizer *t, struct str text, unsigned flags)
{
    struct u32_list ids = {0};
    struct tokenizer_scratch *s = tokenizer_scratch_new(t);
    tokenizer_encode(t, s, text, flags, &ids);
    tokenizer_scratch_free(s);
    return ids;
}

/* The ids of text, written as "1 2 3". */
static void assert_ids(const struct tokenizer *t, const char *text, unsigned flags,
                       const char *want)
{
    struct u32_list ids = encode(t, str_of(text), flags);
    struct buf got = {0};
    for (size_t i = 0; i < ids.len; i++) {
        buf_addf(&got, i > 0 ? " %u" : "%u", (unsigned)ids.ptr[i]);
    }
    assert_str(buf_str(&got), want);
    buf_release(&got);
    u32_list_release(&ids);
}

/* ---- merging ---- */

/* The plain way: the best pair of all, leftmost first, looked for in the list
 * of merges. */
static void merge_plainly(const struct tokenizer *t, struct u32_list *ids)
{
    for (;;) {
        uint32_t best = MERGE_NONE, made = 0;
        size_t at = 0;
        for (size_t i = 0; i + 1 < ids->len; i++) {
            for (size_t k = 0; k < t->merges.count; k++) {
                const struct merge *m = &t->merges.list[k];
                if (m->left == ids->ptr[i] && m->right == ids->ptr[i + 1] && m->rank < best) {
                    best = m->rank;
                    made = m->id;
                    at = i;
                }
            }
        }
        if (best == MERGE_NONE) {
            return;
        }
        ids->ptr[at] = made;
        memmove(ids->ptr + at + 1, ids->ptr + at + 2, (ids->len - at - 2) * sizeof *ids->ptr);
        ids->len--;
    }
}

static void random_word(struct rng *r, size_t len, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < len; i++) {
        buf_add_char(out, "aabbbc"[rng_below(r, 6)]);
    }
}

static void words_of_any_length_merge_as_the_plain_way(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 3, "merge");
    struct buf text = {0}, word = {0};
    for (int i = 0; i < 3000; i++) {
        random_word(&r, 1 + rng_below(&r, 12), &word);
        buf_add_str(&text, buf_str(&word));
        buf_add_char(&text, ' ');
    }
    struct tokenizer *t = train(buf_str(&text), 257 + 90, "gpt2", 2);
    assert_int_equal(tokenizer_vocab_size(t), 257 + 90);
    struct tokenizer_scratch *s = tokenizer_scratch_new(t);
    struct u32_list fast = {0}, plain = {0};
    for (size_t round = 0; round < 600; round++) {
        random_word(&r, 1 + round % 150, &word);
        plain.len = 0;
        for (size_t i = 0; i < word.len; i++) {
            u32_list_add(&plain, t->byte_ids[(uint8_t)word.ptr[i]]);
        }
        merge_plainly(t, &plain);
        for (int twice = 0; twice < 2; twice++) { /* the second time from the cache */
            fast.len = 0;
            bpe_encode_word(t, s, buf_str(&word), &fast);
            assert_int_equal(fast.len, plain.len);
            assert_memory_equal(fast.ptr, plain.ptr, plain.len * sizeof *plain.ptr);
        }
    }
    random_word(&r, 1000000, &word); /* would take hours the plain way */
    fast.len = 0;
    bpe_encode_word(t, s, buf_str(&word), &fast);
    assert_true(fast.len > 0 && fast.len < word.len);
    tokenizer_scratch_free(s);
    tokenizer_free(t);
    u32_list_release(&fast);
    u32_list_release(&plain);
    buf_release(&text);
    buf_release(&word);
}

/* ---- training ---- */

static void training_merges_the_most_frequent_pair_first(void **state)
{
    (void)state;
    /* a b: 5 + 2, b c: 5; then ab c: 5 wins over "Ġ a": 6?  No: Ġ a is 6, so it
     * comes second, and Ġab third. */
    struct tokenizer *t = train(STR_LIT("abc abc abc abc abc ab ab"), 257 + 4, "gpt2", 1);
    static const char *const WANT[] = {"ab",
                                       "\xC4\xA0"
                                       "ab",
                                       "\xC4\xA0"
                                       "abc"};
    for (size_t i = 0; i < 3; i++) {
        assert_str(tokenizer_token(t, (uint32_t)(257 + i)), WANT[i]);
    }
    assert_int_equal(tokenizer_eos(t), 0);
    assert_ids(t, "abc", 0, "257 67");
    tokenizer_free(t);
}

static void training_does_not_depend_on_threads(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 5, "train");
    struct buf text = {0}, one = {0}, two = {0};
    struct buf *outs[] = {&one, &two};
    static const char *const PRE[] = {"gpt2", "llama3", "qwen2"};
    random_text(&r, 200000, &text);
    for (size_t k = 0; k < 3; k++) {
        for (uint32_t i = 0; i < 2; i++) {
            struct tokenizer *t = train(buf_str(&text), 700, PRE[k], i * 2 + 1);
            buf_clear(outs[i]);
            tokenizer_write(t, outs[i]);
            tokenizer_free(t);
        }
        assert_int_equal(one.len, two.len);
        assert_memory_equal(one.ptr, two.ptr, one.len);
    }
    buf_release(&text);
    buf_release(&one);
    buf_release(&two);
}

static void training_within_little_memory_drops_rare_words(void **state)
{
    (void)state;
    struct buf text = {0};
    for (int i = 0; i < 200000; i++) {
        buf_addf(&text, "w%x common ", i);
    }
    struct str view = buf_str(&text);
    struct texts texts = {&view, 1, 0};
    struct tokenizer_train_options options = TOKENIZER_TRAIN_OPTIONS_INIT;
    options.vocab_size = 300;
    options.memory_max = (uint64_t)1 << 20;
    struct winnow_env env = {0};
    struct winnow_error err;
    struct tokenizer *t = NULL;
    assert_ok(tokenizer_train(&options, &env, next_text, &texts, &t, &err), err);
    assert_true(tokenizer_id(t, STR_LIT("\xC4\xA0"
                                        "common")) != TOKENIZER_NONE);
    tokenizer_free(t);
    buf_release(&text);
}

/* ---- whole tokenizers ---- */

static void any_bytes_come_back(void **state)
{
    (void)state;
    static const char *const PRE[] = {"gpt2", "llama3"};
    struct rng r;
    rng_init(&r, 7, "bytes");
    struct buf text = {0}, back = {0};
    struct winnow_error err;
    random_text(&r, 20000, &text);
    for (size_t k = 0; k < 2; k++) {
        struct tokenizer *t = train(buf_str(&text), 600, PRE[k], 1);
        for (size_t round = 0; round < 2000; round++) {
            struct buf bytes = {0};
            for (size_t i = 0; i < round % 97; i++) {
                buf_add_char(&bytes, (char)rng_below(&r, 256));
            }
            struct u32_list ids = encode(t, buf_str(&bytes), 0);
            buf_clear(&back);
            assert_ok(tokenizer_decode(t, ids.ptr, ids.len, 0, &back, &err), err);
            assert_true(str_eq(buf_str(&bytes), buf_str(&back)));
            u32_list_release(&ids);
            buf_release(&bytes);
        }
        tokenizer_free(t);
    }
    buf_release(&text);
    buf_release(&back);
}

static void what_is_written_reads_back_the_same(void **state)
{
    (void)state;
    static const char *const PRE[] = {"gpt2", "llama3", "qwen2"};
    struct rng r;
    rng_init(&r, 9, "write");
    struct buf text = {0}, first = {0}, second = {0};
    struct winnow_error err;
    random_text(&r, 20000, &text);
    for (size_t k = 0; k < 3; k++) {
        struct tokenizer *t = train(buf_str(&text), 500, PRE[k], 1), *again = NULL;
        buf_clear(&first);
        buf_clear(&second);
        tokenizer_write(t, &first);
        assert_ok(tokenizer_parse(buf_str(&first), &again, &err), err);
        tokenizer_write(again, &second);
        assert_true(str_eq(buf_str(&first), buf_str(&second)));
        struct u32_list a = encode(t, buf_str(&text), 0), b = encode(again, buf_str(&text), 0);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.ptr, b.ptr, a.len * sizeof *a.ptr);
        assert_int_equal(tokenizer_eos(again), 0);
        u32_list_release(&a);
        u32_list_release(&b);
        tokenizer_free(t);
        tokenizer_free(again);
    }
    buf_release(&text);
    buf_release(&first);
    buf_release(&second);
}

/* A SentencePiece vocabulary: <unk> <s> </s>, bytes, letters, words. */
static struct tokenizer *small_spm(bool prefix)
{
    static char bytes[256][8];
    static struct str tokens[270];
    static float scores[270];
    static uint32_t types[270];
    static const char *const WORDS[] = {"\xE2\x96\x81",  "h", "i", "hi", "\xE2\x96\x81h",
                                        "\xE2\x96\x81hi"};
    static const float SCORES[] = {-10, -11, -12, -2, -3, -4};
    size_t n = 0;
    static const char *const FIRST[] = {"<unk>", "<s>", "</s>"};
    for (; n < 3; n++) {
        tokens[n] = str_of(FIRST[n]);
        types[n] = n == 0 ? TOKENIZER_TYPE_UNKNOWN : TOKENIZER_TYPE_CONTROL;
    }
    for (unsigned b = 0; b < 256; b++, n++) {
        (void)snprintf(bytes[b], sizeof bytes[b], "<0x%02X>", b);
        tokens[n] = str_of(bytes[b]);
        types[n] = TOKENIZER_TYPE_BYTE;
    }
    for (size_t i = 0; i < 6; i++, n++) {
        tokens[n] = str_of(WORDS[i]);
        scores[n] = SCORES[i];
        types[n] = TOKENIZER_TYPE_NORMAL;
    }
    struct tokenizer_arrays a = {.kind = TOKENIZER_SPM,
                                 .tokens = tokens,
                                 .token_count = n,
                                 .scores = scores,
                                 .types = types,
                                 .bos = 1,
                                 .eos = 2,
                                 .unk = 0,
                                 .add_bos = true,
                                 .add_space_prefix = prefix};
    struct tokenizer *t = NULL;
    struct winnow_error err;
    assert_ok(tokenizer_from_arrays(&a, &t, &err), err);
    return t;
}

static void sentencepiece_arrays_merge_by_score_and_fall_back_to_bytes(void **state)
{
    (void)state;
    struct tokenizer *t = small_spm(true);
    /* "hi" has a better score than "_h", so it is made first. */
    assert_ids(t, "hi", 0, "264");
    assert_ids(t, "hi  hi", TOKENIZER_ADD_SPECIAL, "1 264 259 264");
    assert_ids(t, "x\n", 0, "259 123 13");
    assert_ids(t, "<s>hi", 0, "1 264");
    assert_ids(t, "<s>", TOKENIZER_PLAIN_SPECIAL, "259 63 118 65");
    assert_ids(t, "", TOKENIZER_ADD_SPECIAL, "1");
    const uint32_t ids[] = {1, 264, 259, 264, 13};
    struct buf text = {0};
    struct winnow_error err;
    assert_ok(tokenizer_decode(t, ids, 5, TOKENIZER_SKIP_SPECIAL, &text, &err), err);
    assert_str(buf_str(&text), "hi  hi\n");
    const uint32_t none[] = {9999};
    assert_int_equal(tokenizer_decode(t, none, 1, 0, &text, &err), WINNOW_E_FORMAT);
    buf_release(&text);
    tokenizer_free(t);
    t = small_spm(false);
    assert_ids(t, "hi hi", 0, "262 264");
    tokenizer_free(t);
}

/* A byte-level tokenizer.json with parts put in. */
static winnow_status parse_with(const char *added, const char *parts, struct tokenizer **out,
                                struct winnow_error *err)
{
    struct buf json = {0};
    buf_addf(&json,
             "{\"added_tokens\": [%s], %s, \"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, "
             "\"b\": 1, \"\xC4\xA0\": 2, \"ab\": 3, \"c\": 4}, \"merges\": [\"a b\"]}}",
             added, parts);
    winnow_status st = tokenizer_parse(buf_str(&json), out, err);
    buf_release(&json);
    return st;
}

#define BYTE_LEVEL                                                                              \
    "\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": " \
    "true}"

static void added_tokens_are_cut_out_by_their_own_rules(void **state)
{
    (void)state;
    static const char *const ADDED =
        "{\"id\": 5, \"content\": \"<x>\", \"lstrip\": true, \"rstrip\": true, \"special\": true},"
        "{\"id\": 6, \"content\": \"<x>>\", \"special\": true},"
        "{\"id\": 7, \"content\": \"bc\", \"single_word\": true, \"normalized\": false}";
    struct tokenizer *t = NULL;
    struct winnow_error err;
    assert_ok(parse_with(ADDED, BYTE_LEVEL, &t, &err), err);
    assert_ids(t, "ab <x> ab", 0, "3 5 3");
    assert_ids(t, "<x>><x>", 0, "6 5");
    assert_ids(t, "a bc abc", 0, "0 2 7 2 3 4");
    assert_ids(t, "<x>  <x>a", 0, "5 5 0");
    tokenizer_free(t);
}

static void a_template_puts_its_tokens_around_a_text(void **state)
{
    (void)state;
    static const char *const PARTS =
        BYTE_LEVEL ", \"post_processor\": {\"type\": \"Sequence\", \"processors\": [{\"type\": "
                   "\"ByteLevel\"}, {\"type\": \"TemplateProcessing\", \"single\": "
                   "[{\"SpecialToken\": {\"id\": \"<s>\", \"type_id\": 0}}, {\"Sequence\": "
                   "{\"id\": \"A\", \"type_id\": 0}}, {\"SpecialToken\": {\"id\": \"</s>\", "
                   "\"type_id\": 0}}], \"pair\": [], \"special_tokens\": {\"<s>\": {\"id\": "
                   "\"<s>\", \"ids\": [5], \"tokens\": [\"<s>\"]}, \"</s>\": {\"id\": \"</s>\", "
                   "\"ids\": [6], \"tokens\": [\"</s>\"]}}}]}";
    static const char *const ADDED = "{\"id\": 5, \"content\": \"<s>\", \"special\": true},"
                                     "{\"id\": 6, \"content\": \"</s>\", \"special\": true}";
    struct tokenizer *t = NULL;
    struct winnow_error err;
    assert_ok(parse_with(ADDED, PARTS, &t, &err), err);
    assert_ids(t, "ab", TOKENIZER_ADD_SPECIAL, "5 3 6");
    assert_ids(t, "ab", 0, "3");
    assert_int_equal(tokenizer_bos(t), 5);
    assert_int_equal(tokenizer_eos(t), 6);
    tokenizer_free(t);
}

/* Eight times as long. */
#define LONGER \
    "{\"type\": \"Replace\", \"pattern\": {\"String\": \"a\"}, \"content\": \"aaaaaaaa\"}"

static void what_is_not_understood_is_named(void **state)
{
    (void)state;
    static const char *const CASES[][3] = {
        {"", "\"normalizer\": {\"type\": \"BertNormalizer\"}", "BertNormalizer"},
        {"", "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Nmt\"}]}",
         "Nmt"},
        {"", "\"pre_tokenizer\": {\"type\": \"UnicodeScripts\"}", "UnicodeScripts"},
        {"", "\"decoder\": {\"type\": \"WordPiece\"}", "WordPiece"},
        {"", "\"post_processor\": {\"type\": \"BertProcessing\"}", "BertProcessing"},
        {"",
         "\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"Regex\": \"(\"}, "
         "\"behavior\": \"Isolated\"}",
         "does not compile"},
        {"",
         "\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"Regex\": \"a\"}, "
         "\"behavior\": \"Sideways\"}",
         "Sideways"},
        {"", "\"pre_tokenizer\": {}", "no type"},
        {"{\"id\": 4000000000, \"content\": \"x\"}", BYTE_LEVEL, "not a number below"},
        {"{\"id\": 9000000, \"content\": \"x\"}", BYTE_LEVEL, "ids up to"},
        {"{\"id\": 1, \"content\": \"x\"}", BYTE_LEVEL, "both have the id"},
        {"{\"id\": 7}", BYTE_LEVEL, "content"},
        {"",
         "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [" LONGER "," LONGER "," LONGER
         "," LONGER "]}",
         "times as long"},
        {"", "\"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"  \"}",
         "one character"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct tokenizer *t = NULL;
        struct winnow_error err = {{0}};
        assert_int_equal(parse_with(CASES[i][0], CASES[i][1], &t, &err), WINNOW_E_FORMAT);
        if (!strstr(err.text, CASES[i][2])) {
            fail_msg("'%s' does not name '%s'", err.text, CASES[i][2]);
        }
    }
}

static void broken_models_are_refused(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"", "JSON"},
        {"[]", "not a JSON object"},
        {"{}", "no vocab"},
        {"{\"model\": {\"type\": \"Unigram\"}}", "Unigram"},
        {"{\"model\": {\"vocab\": {}, \"merges\": []}}", "empty"},
        {"{\"model\": {\"vocab\": {\"a\": 0}}}", "no merges"},
        {"{\"model\": {\"vocab\": {\"a\": -1}, \"merges\": []}}", "not a number below"},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"a a\"]}}", "\"aa\""},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"b a\"]}}", "\"b\""},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"a\"]}}", "empty half"},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [], \"dropout\": 0.1}}", "dropout"},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [], \"end_of_word_suffix\": \"</w>\"}}",
         "end_of_word_suffix"},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [], \"unk_token\": \"u\"}}", "unk_token"},
        {"{\"model\": {\"vocab\": {\"a\": 0, \"b\": 0}, \"merges\": []}}", "both have the id"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct tokenizer *t = NULL;
        struct winnow_error err = {{0}};
        assert_int_equal(tokenizer_parse(str_of(CASES[i][0]), &t, &err), WINNOW_E_FORMAT);
        if (i > 0 && !strstr(err.text, CASES[i][1])) {
            fail_msg("'%s' does not name '%s'", err.text, CASES[i][1]);
        }
    }
}

/* As HF tokenizers 0.23 gives them. */
static void unknown_characters_vanish_join_or_become_bytes(void **state)
{
    (void)state;
#define UNKNOWN_MODEL(more)                                                                       \
    "{\"model\": {\"vocab\": {\"\u2581\": 0, \"\u2581\u2581\": 1, \"<unk>\": 2, \"<0x71>\": 3}, " \
    "\"merges\": [\"\u2581 \u2581\"]" more "}}"
    static const struct {
        const char *model, *text, *ids;
    } CASES[] = {
        {UNKNOWN_MODEL(""), "\u2581q\u2581", "1"},
        {UNKNOWN_MODEL(", \"unk_token\": null"), "q\u2581qq\u2581\u2581q", "1 0"},
        {UNKNOWN_MODEL(", \"unk_token\": \"<unk>\""), "\u2581qq\u2581", "0 2 2 0"},
        {UNKNOWN_MODEL(", \"unk_token\": \"<unk>\", \"fuse_unk\": true"), "\u2581qq\u2581",
         "0 2 0"},
        {UNKNOWN_MODEL(", \"byte_fallback\": true"), "\u2581qx\u2581", "0 3 0"},
        {UNKNOWN_MODEL(", \"byte_fallback\": true"), "\u2581x\u2581", "1"},
        {UNKNOWN_MODEL(", \"byte_fallback\": true, \"unk_token\": \"<unk>\""), "\u2581xq\u2581",
         "0 3 2 0"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct tokenizer *t = NULL;
        struct winnow_error err;
        assert_ok(tokenizer_parse(str_of(CASES[i].model), &t, &err), err);
        assert_ids(t, CASES[i].text, 0, CASES[i].ids);
        tokenizer_free(t);
    }
}

static void nfc_composes_only_what_it_must(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"plain", "plain"},
        {"e\xCC\x81", "\xC3\xA9"},
        {"xe\xCC\x81y\xE2\x84\xAB.", "x\xC3\xA9y\xC3\x85."},
        {"a\xCC\xA3\xCC\x87", "\xE1\xBA\xA1\xCC\x87"},
        {"a\xCC\x87\xCC\xA3", "\xE1\xBA\xA1\xCC\x87"},
        {"\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8!", "\xEA\xB0\x81!"},
        {"\xEA\xB0\x80\xE1\x86\xA8", "\xEA\xB0\x81"},
        {"\xE0\xA5\x98", "\xE0\xA4\x95\xE0\xA4\xBC"},
        {"\xCC\x81\xFF\xCC\x81", "\xCC\x81\xFF\xCC\x81"},
    };
    struct tokenizer *t = NULL;
    struct winnow_error err;
    assert_ok(parse_with("", BYTE_LEVEL ", \"normalizer\": {\"type\": \"NFC\"}", &t, &err), err);
    struct tokenizer_scratch *s = tokenizer_scratch_new(t);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_str(normalize(t, s, str_of(CASES[i][0])), CASES[i][1]);
    }
    tokenizer_scratch_free(s);
    tokenizer_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_any_length_merge_as_the_plain_way),
        cmocka_unit_test(training_merges_the_most_frequent_pair_first),
        cmocka_unit_test(training_does_not_depend_on_threads),
        cmocka_unit_test(training_within_little_memory_drops_rare_words),
        cmocka_unit_test(any_bytes_come_back),
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(sentencepiece_arrays_merge_by_score_and_fall_back_to_bytes),
        cmocka_unit_test(added_tokens_are_cut_out_by_their_own_rules),
        cmocka_unit_test(a_template_puts_its_tokens_around_a_text),
        cmocka_unit_test(what_is_not_understood_is_named),
        cmocka_unit_test(broken_models_are_refused),
        cmocka_unit_test(unknown_characters_vanish_join_or_become_bytes),
        cmocka_unit_test(nfc_composes_only_what_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
