/* Documents as training sequences: which tokens have a loss, and what a context cuts. */
#include "base/json.h"
#include "check.h"
#include "engine/batch.h"
#include "refine_tokenizer.h"
#include "train/example_text.h"

#include <string.h>

struct fixture {
    struct tokenizer *t;
    struct json_parser *parser;
    struct example_text out;
};

static void encode(struct fixture *f, const char *json, uint32_t context)
{
    struct winnow_error err;
    struct json_value d;
    struct str text = {"", 0};
    assert_ok(json_parse(f->parser, str_of(json), &d, &err), err);
    (void)json_as_str(json_get(d, "text"), &text);
    struct example_encoder *e = example_encoder_new(f->t, context);
    example_encode(e, d, text, &f->out);
    example_encoder_free(e);
}

/* What is to be predicted, as text; its last token apart. */
static void expect_targets(struct fixture *f, const char *text, uint32_t last)
{
    struct winnow_error err;
    struct u32_list want = {0};
    struct buf got = {0};
    for (size_t i = 0; i < f->out.targets.len; i++) {
        if (f->out.targets.ptr[i] != BATCH_NO_TARGET) {
            assert_int_equal(f->out.targets.ptr[i], f->out.tokens.ptr[i + 1]);
            u32_list_add(&want, f->out.targets.ptr[i]);
        }
    }
    assert_int_equal(want.len, f->out.count);
    assert_int_equal(f->out.targets.len, f->out.tokens.len);
    if (last != TOKENIZER_NONE) {
        assert_int_equal(want.ptr[want.len - 1], last);
        want.len--;
    }
    assert_ok(tokenizer_decode(f->t, want.ptr, want.len, TOKENIZER_SKIP_SPECIAL, &got, &err), err);
    assert_str(buf_str(&got), text);
    u32_list_release(&want);
    buf_release(&got);
}

static void answers_have_a_loss_and_what_asks_has_none(void **state)
{
    (void)state;
    struct fixture f = {.t = refine_tokenizer(), .parser = json_parser_new()};
    uint32_t eos = tokenizer_eos(f.t);
    encode(&f, "{\"text\":\"all of it\"}", 100);
    assert_false(f.out.prompted);
    expect_targets(&f, "all of it", eos);
    encode(&f, "{\"prompt\":\"what\",\"response\":\"an answer\"}", 100);
    assert_true(f.out.prompted && !f.out.cut);
    expect_targets(&f, "an answer", eos);
    encode(&f, "{\"text\":\"x\",\"instruction\":\"what\",\"output\":\"that\"}", 100);
    expect_targets(&f, "that", eos);
    encode(&f, "{\"prompt\":\"what\",\"response\":\"\"}", 100);
    assert_int_equal(f.out.tokens.len, 0);
    assert_int_equal(f.out.count, 0);
    encode(&f,
           "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
           "{\"role\":\"assistant\",\"content\":\"yes\"},{\"role\":\"user\",\"content\":\"b\"},"
           "{\"role\":\"assistant\",\"content\":\"no\"}]}",
           100);
    assert_true(f.out.prompted);
    expect_targets(&f, "yesno", TOKENIZER_NONE);
    example_text_release(&f.out);
    json_parser_free(f.parser);
    tokenizer_free(f.t);
}

static void a_context_cuts_the_start_of_a_prompt_and_the_end_of_a_text(void **state)
{
    (void)state;
    struct fixture f = {.t = refine_tokenizer(), .parser = json_parser_new()};
    const char *asked = "{\"prompt\":\"one two three four five six seven eight nine ten\","
                        "\"response\":\"an answer\"}";
    encode(&f, asked, 1000);
    size_t whole = f.out.tokens.len;
    uint32_t count = f.out.count;
    encode(&f, asked, (uint32_t)whole - 3);
    assert_true(f.out.cut);
    assert_int_equal(f.out.tokens.len, whole - 3);
    assert_int_equal(f.out.count, count);
    expect_targets(&f, "an answer", tokenizer_eos(f.t));
    encode(&f, asked, 2); /* shorter than the answer: its end is lost */
    assert_int_equal(f.out.tokens.len, 2);
    assert_int_equal(f.out.count, 1);
    encode(&f, "{\"text\":\"one two three four five six\"}", 5);
    assert_true(f.out.cut);
    assert_int_equal(f.out.tokens.len, 5);
    assert_int_equal(f.out.count, 4);
    example_text_release(&f.out);
    json_parser_free(f.parser);
    tokenizer_free(f.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_have_a_loss_and_what_asks_has_none),
        cmocka_unit_test(a_context_cuts_the_start_of_a_prompt_and_the_end_of_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
