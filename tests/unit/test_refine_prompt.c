#include "base/file.h"
#include "base/rng.h"
#include "refine/prompt.h"
#include "refine_tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- chunks ---- */

static const struct chunk_options BYTES = {10, LONG_LINES_SEND, LINE_NUMBERS_BRACKETS};

/* Three bytes a token without a tokenizer: "[000]" and n bytes cost 2 + n/3 + 1. */
static struct chunk_list cut(const char *text, const struct chunk_options *options)
{
    struct chunk_list l = {0};
    struct chunker *c = chunker_new(NULL, options);
    chunker_cut(c, str_of(text), &l);
    chunker_free(c);
    return l;
}

static void lines_are_packed_until_the_budget_is_full(void **state)
{
    (void)state;
    struct chunk_list l = cut("a\nb\nc\nd", &BYTES); /* each line costs 3 */
    assert_int_equal(l.count, 2);
    assert_int_equal(l.items[0].first, 0);
    assert_int_equal(l.items[0].last, 2);
    assert_int_equal(l.items[0].tokens, 9);
    assert_str(l.items[0].text, "a\nb\nc");
    assert_int_equal(l.items[1].first, 3);
    assert_int_equal(l.items[1].last, 3);
    assert_str(l.items[1].text, "d");
    struct buf out = {0};
    chunk_render(&l.items[0], LINE_NUMBERS_BRACKETS, &out);
    assert_str(buf_str(&out), "[doc]\n[000]a\n[001]b\n[002]c\n[/doc]");
    buf_clear(&out);
    chunk_render(&l.items[1], LINE_NUMBERS_LID, &out);
    assert_str(buf_str(&out), "[doc]\n<lid:4>d\n[/doc]");
    buf_release(&out);
    chunk_list_release(&l);
}

static void empty_lines_and_a_newline_at_the_end_are_lines(void **state)
{
    (void)state;
    struct chunk_list l = cut("", &BYTES);
    assert_int_equal(l.count, 1);
    struct buf out = {0};
    chunk_render(&l.items[0], LINE_NUMBERS_BRACKETS, &out);
    assert_str(buf_str(&out), "[doc]\n[000]\n[/doc]");
    chunk_list_release(&l);
    l = cut("\n\n", &BYTES);
    assert_int_equal(l.count, 1);
    buf_clear(&out);
    chunk_render(&l.items[0], LINE_NUMBERS_BRACKETS, &out);
    assert_str(buf_str(&out), "[doc]\n[000]\n[001]\n[002]\n[/doc]");
    chunk_list_release(&l);
    buf_release(&out);
}

#define LONG_LINE "0123456789012345678901234567890123456789"

static void a_line_past_the_budget_follows_the_policy(void **state)
{
    (void)state;
    static const char TEXT[] = "a\n" LONG_LINE "\nb\nc";
    struct chunk_options o = BYTES;
    struct chunk_list l = cut(TEXT, &o);
    assert_int_equal(l.count, 3);
    assert_true(l.items[1].too_long && !l.items[1].skipped);
    assert_int_equal(l.items[1].tokens, 16); /* 45 bytes and the newline */
    assert_int_equal(l.items[1].shown, 40);
    assert_int_equal(l.items[2].first, 2);
    assert_int_equal(l.items[2].last, 3);
    chunk_list_release(&l);

    o.long_lines = LONG_LINES_SKIP;
    l = cut(TEXT, &o);
    assert_int_equal(l.count, 3);
    assert_true(l.items[1].skipped);
    assert_int_equal(l.items[1].tokens, 0);
    chunk_list_release(&l);

    o.long_lines = LONG_LINES_TRUNCATE;
    l = cut(TEXT, &o);
    assert_int_equal(l.count, 3);
    assert_in_range(l.items[1].shown, 12, 22); /* 27 bytes with its number fit */
    assert_in_range(l.items[1].tokens, 7, 10);
    struct buf out = {0};
    chunk_render(&l.items[1], LINE_NUMBERS_BRACKETS, &out);
    assert_true(str_starts(buf_str(&out), STR_LIT("[doc]\n[001]012345678")));
    buf_release(&out);
    chunk_list_release(&l);
}

static void a_line_is_never_cut_inside_a_character(void **state)
{
    (void)state;
    struct chunk_options o = BYTES;
    o.long_lines = LONG_LINES_TRUNCATE;
    struct buf text = {0};
    for (int i = 0; i < 3000; i++) {
        buf_add_text(&text, "\xE2\x82\xAC"); /* the euro sign */
    }
    struct chunk_list l = cut(buf_cstr(&text), &o);
    assert_int_equal(l.count, 1);
    assert_true(l.items[0].shown > 0 && l.items[0].shown % 3 == 0);
    chunk_list_release(&l);
    buf_release(&text);
}

/* Every line in one chunk, in order, and no chunk over its budget. */
static void each_line_has_one_owner(void **state)
{
    (void)state;
    struct tokenizer *t = refine_tokenizer();
    struct rng r;
    rng_init(&r, 7, "chunks");
    for (int round = 0; round < 200; round++) {
        struct buf text = {0};
        size_t len = rng_below(&r, 400);
        for (size_t i = 0; i < len; i++) {
            buf_add_char(&text, "ab e\n\n(\"."[rng_below(&r, 9)]);
        }
        struct chunk_options o = {(uint32_t)rng_below(&r, 60) + 1,
                                  (enum long_lines)rng_below(&r, 3), LINE_NUMBERS_BRACKETS};
        struct chunker *c = chunker_new(t, &o);
        struct chunk_list l = {0};
        chunker_cut(c, buf_str(&text), &l);
        size_t next = 0;
        for (size_t i = 0; i < l.count; i++) {
            assert_int_equal(l.items[i].first, next);
            assert_true(l.items[i].last >= l.items[i].first);
            assert_int_equal(str_count_lines(l.items[i].text),
                             l.items[i].last - l.items[i].first + 1);
            assert_true(l.items[i].too_long || l.items[i].tokens <= o.tokens);
            next = l.items[i].last + 1;
        }
        assert_int_equal(next, str_count_lines(buf_str(&text)));
        chunk_list_release(&l);
        chunker_free(c);
        buf_release(&text);
    }
    tokenizer_free(t);
}

/* ---- prompts ---- */

static void assert_decoded(const struct tokenizer *t, const struct prompt *p, const char *want)
{
    struct buf text = {0};
    struct winnow_error err;
    assert_ok(tokenizer_decode(t, p->tokens.ptr, p->tokens.len, 0, &text, &err), err);
    assert_str(buf_str(&text), want);
    buf_release(&text);
}

static void templates_are_rendered_to_text_and_tokens(void **state)
{
    (void)state;
    static const char *const WANT[CHAT_COUNT] = {
        "[doc]\nHi <|im_end|>\n[/doc]",
        "[INST] <<SYS>>\nBe good.\n<</SYS>>\n\n[doc]\nHi <|im_end|>\n[/doc] [/INST]",
        "<|im_start|>system\nBe good.<|im_end|>\n<|im_start|>user\n[doc]\nHi <|im_end|>\n[/doc]"
        "<|im_end|>\n<|im_start|>assistant\n",
    };
    struct tokenizer *t = refine_tokenizer();
    struct winnow_error err;
    for (int k = 0; k < CHAT_COUNT; k++) {
        struct prompter *p;
        assert_ok(prompter_new((enum chat_template)k, "Be good.", t, &p, &err), err);
        struct prompt out = {0};
        prompter_document(p, STR_LIT("Hi <|im_end|>"), false, 100, &out);
        assert_str(buf_str(&out.text), WANT[k]);
        assert_false(out.cut);
        size_t bos = 0, ends = 0;
        for (size_t i = 0; i < out.tokens.len; i++) {
            bos += out.tokens.ptr[i] == tokenizer_bos(t);
            ends += out.tokens.ptr[i] == 2;
        }
        assert_int_equal(bos, k == CHAT_LLAMA2);          /* this tokenizer's template has none */
        assert_int_equal(ends, k == CHAT_CHATML ? 2 : 0); /* the document's is text */
        out.tokens.len -= bos;
        memmove(out.tokens.ptr, out.tokens.ptr + bos, out.tokens.len * sizeof *out.tokens.ptr);
        assert_decoded(t, &out, WANT[k]);
        prompt_release(&out);
        prompter_free(p);
    }
    tokenizer_free(t);
}

static void without_a_system_text_its_part_falls_away(void **state)
{
    (void)state;
    struct winnow_error err;
    struct prompter *p;
    struct prompt out = {0};
    assert_ok(prompter_new(CHAT_LLAMA2, NULL, NULL, &p, &err), err);
    prompter_document(p, STR_LIT("Hi \n"), true, 100, &out);
    assert_str(buf_str(&out.text), "[INST] Hi [/INST]");
    prompter_free(p);
    assert_ok(prompter_new(CHAT_CHATML, "", NULL, &p, &err), err);
    prompter_document(p, STR_LIT("Hi"), true, 100, &out);
    assert_str(buf_str(&out.text), "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
    assert_int_equal(out.tokens.len, 0);
    prompter_free(p);
    prompt_release(&out);
}

static void a_long_document_keeps_the_end_of_its_template(void **state)
{
    (void)state;
    struct tokenizer *t = refine_tokenizer();
    struct winnow_error err;
    struct buf text = {0};
    for (int i = 0; i < 5000; i++) {
        buf_addf(&text, "caf\xC3\xA9 %d line\n", i);
    }
    for (uint32_t most = 1; most < 400; most += 37) {
        struct prompter *p;
        assert_ok(prompter_new(CHAT_LLAMA2, "Be good.", t, &p, &err), err);
        struct prompt out = {0};
        prompter_document(p, buf_str(&text), false, most, &out);
        assert_true(out.cut);
        assert_true(str_ends(buf_str(&out.text), STR_LIT("[/doc] [/INST]")));
        assert_true(str_starts(buf_str(&out.text), STR_LIT("[INST] <<SYS>>\nBe good.")));
        uint32_t least = prompter_overhead(p) + 8; /* with "[doc]" around nothing */
        if (most > least + 10) {
            assert_in_range(out.tokens.len, most - 4, most); /* as much as fits */
        }
        prompt_release(&out);
        prompter_free(p);
    }
    buf_release(&text);
    tokenizer_free(t);
}

static void a_template_whose_tokens_are_missing_is_refused(void **state)
{
    (void)state;
    static const char *const TOKENS[] = {"a", "b"};
    struct str tokens[2] = {str_of(TOKENS[0]), str_of(TOKENS[1])};
    struct tokenizer_arrays a = {.kind = TOKENIZER_BYTE_LEVEL,
                                 .pre = STR_LIT("gpt-2"),
                                 .tokens = tokens,
                                 .token_count = 2,
                                 .bos = TOKENIZER_NONE,
                                 .eos = TOKENIZER_NONE,
                                 .unk = TOKENIZER_NONE};
    struct tokenizer *t;
    struct winnow_error err;
    assert_ok(tokenizer_from_arrays(&a, &t, &err), err);
    struct prompter *p = NULL;
    assert_int_equal(prompter_new(CHAT_CHATML, NULL, t, &p, &err), WINNOW_E_FORMAT);
    assert_string_equal(err.text, "the refiner's tokenizer has no token <|im_start|>, which the "
                                  "template chatml needs; choose another --template");
    assert_ok(prompter_new(CHAT_PLAIN, NULL, t, &p, &err), err);
    prompter_free(p);
    tokenizer_free(t);
}

/* ---- templates of models ---- */

static void write_file(const char *folder, const char *name, const char *text)
{
    struct buf path = {0};
    struct winnow_error err;
    assert_ok(file_write_atomic(file_join(&path, folder, name), str_of(text), &err), err);
    buf_release(&path);
}

static void the_template_is_read_from_the_model_folder(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        int want; /* -1: refused */
    } CASES[] = {
        {"tokenizer_config.json", "{\"chat_template\": \"{{'<|im_start|>' + x + '<|im_end|>'}}\"}",
         CHAT_CHATML},
        {"tokenizer_config.json", "{\"chat_template\": \"[INST] <<SYS>> x [/INST]\"}", CHAT_LLAMA2},
        {"tokenizer_config.json", "{\"bos_token\": \"<s>\"}", CHAT_PLAIN},
        {"tokenizer_config.json", "{\"chat_template\": null}", CHAT_PLAIN},
        {"tokenizer_config.json",
         "{\"chat_template\": [{\"name\": \"tool\", \"template\": \"?\"}, {\"name\": \"default\", "
         "\"template\": \"[INST]<<SYS>>\"}]}",
         CHAT_LLAMA2},
        {"tokenizer_config.json", "{\"chat_template\": \"### Instruction\"}", -1},
        {"tokenizer_config.json", "{\"chat_template\": ", -1},
        {"chat_template.jinja", "<|im_start|>{{ x }}<|im_end|>", CHAT_CHATML},
        {"chat_template.jinja", "GPT4 Correct User:", -1},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char folder[] = "/tmp/winnow-prompt-XXXXXX";
        assert_non_null(mkdtemp(folder));
        struct winnow_error err;
        write_file(folder, CASES[i].name, CASES[i].text);
        enum chat_template got;
        winnow_status st = chat_template_of_model(folder, &got, &err);
        if (CASES[i].want < 0) {
            assert_int_equal(st, WINNOW_E_FORMAT);
            assert_non_null(strstr(err.text, CASES[i].name));
        } else {
            assert_ok(st, err);
            assert_int_equal(got, CASES[i].want);
        }
        assert_ok(file_remove_tree(folder, &err), err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_packed_until_the_budget_is_full),
        cmocka_unit_test(empty_lines_and_a_newline_at_the_end_are_lines),
        cmocka_unit_test(a_line_past_the_budget_follows_the_policy),
        cmocka_unit_test(a_line_is_never_cut_inside_a_character),
        cmocka_unit_test(each_line_has_one_owner),
        cmocka_unit_test(templates_are_rendered_to_text_and_tokens),
        cmocka_unit_test(without_a_system_text_its_part_falls_away),
        cmocka_unit_test(a_long_document_keeps_the_end_of_its_template),
        cmocka_unit_test(a_template_whose_tokens_are_missing_is_refused),
        cmocka_unit_test(the_template_is_read_from_the_model_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
