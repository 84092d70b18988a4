/* Verdicts of a language model: where they are read, and that the programs of the writer are
 * what whole rows of logits, prompt by prompt, say. */
#include "model/model_file.h"
#include "refine/prompt.h"
#include "refine/verdicts.h"
#include "refine/writer_verdicts.h"
#include "refine_tokenizer.h"
#include "scratch.h"

#include <math.h>

static const char *const PAGES[] = {
    "Home\n\nThe cat said \"yes\".  \n[doc]\nnaïve\n[/doc]", "Click here", "\n\n\n",
    "The cat\nDon't\nHome\nHome\nThe cat said \"no\"\nremove_lines(1, 2)\n[000]\n"};
#define PAGE_COUNT (sizeof PAGES / sizeof *PAGES)

static struct chunk whole(const char *page)
{
    struct str text = str_of(page);
    return (struct chunk){
        .last = str_count_lines(text) - 1, .text = text, .shown = text.len, .tokens = 1};
}

static void a_verdict_is_read_where_the_line_ends(void **state)
{
    (void)state;
    struct tokenizer *t = refine_tokenizer();
    struct winnow_error err;
    struct verdict_places places = {0};
    for (int template = CHAT_PLAIN; template <CHAT_COUNT; template += CHAT_CHATML) {
        struct prompter *p;
        struct prompt prompt = {0};
        assert_ok(prompter_new((enum chat_template) template, "a\nb", t, &p, &err), err);
        for (size_t i = 0; i < PAGE_COUNT; i++) {
            struct chunk c = whole(PAGES[i]);
            prompter_chunk(p, &c, LINE_NUMBERS_BRACKETS, &prompt);
            const uint32_t *tokens = prompt.tokens.ptr;
            assert_ok(verdict_places_find(&places, t, tokens, prompt.tokens.len, c.last + 1, &err),
                      err);
            assert_int_equal(places.positions.len, c.last + 1);
            for (size_t line = 0; line <= c.last; line++) {
                struct buf head = {0}, want = {0};
                struct chunk part = {.last = line, .text = c.text, .shown = c.text.len};
                uint32_t end = places.positions.ptr[line];
                assert_ok(tokenizer_decode(t, tokens, end + 1, 0, &head, &err), err);
                chunk_render(&part, LINE_NUMBERS_BRACKETS, &want);
                want.len -= sizeof "[/doc]" - 1;
                assert_true(str_ends(buf_str(&head), buf_str(&want)));
                buf_release(&head);
                buf_release(&want);
            }
            assert_int_equal(
                verdict_places_find(&places, t, tokens, prompt.tokens.len, c.last + 100, &err),
                WINNOW_E_FORMAT);
        }
        prompt_release(&prompt);
        prompter_free(p);
    }
    verdict_places_release(&places);
    tokenizer_free(t);
}

static struct model *some_model(const struct tokenizer *t)
{
    struct model_config c = MODEL_CONFIG_INIT;
    c.vocab = tokenizer_vocab_size(t);
    c.dim = 16;
    c.layers = 2;
    c.heads = c.kv_heads = 2;
    c.head_dim = 8;
    c.ffn = 32;
    c.context = 256;
    struct model *m;
    struct winnow_error err;
    assert_ok(model_new(&c, &m, &err), err);
    model_init_random(m, 3);
    for (size_t i = 0; i < model_values_count(m); i++) {
        model_values(m)[i] *= 10; /* or all lines would be judged alike */
    }
    return m;
}

/* The program of one prompt, line by line from all logits. */
static void slow_program(struct engine *e, const struct tokenizer *t, const struct prompt *p,
                         size_t lines, double keep_above, struct buf *out)
{
    struct winnow_error err;
    struct verdict_tokens wanted;
    struct verdict_places places = {0};
    uint32_t n = (uint32_t)p->tokens.len, starts[] = {0, n}, vocab = tokenizer_vocab_size(t);
    float *logits = malloc((size_t)n * vocab * sizeof *logits);
    assert_ok(verdict_tokens_find(t, &wanted, &err), err);
    assert_ok(verdict_places_find(&places, t, p->tokens.ptr, n, lines, &err), err);
    assert_ok(engine_logits(e, &(struct token_batch){p->tokens.ptr, starts, 1, NULL}, logits, &err),
              err);
    size_t from = SIZE_MAX;
    for (size_t line = 0; line <= lines; line++) {
        bool stays = true;
        if (line < lines) {
            const float *row = logits + (size_t)places.positions.ptr[line] * vocab;
            double keep = exp((double)row[wanted.keep]), remove = exp((double)row[wanted.remove]);
            stays = keep / (keep + remove) >= keep_above;
        }
        if (!stays && from == SIZE_MAX) {
            from = line;
        } else if (stays && from != SIZE_MAX) {
            buf_addf(out, "remove_lines(line_start=%zu, line_end=%zu)\n", from, line - 1);
            from = SIZE_MAX;
        }
    }
    if (out->len == 0) {
        buf_add_text(out, "keep_chunk()\n");
    }
    free(logits);
    verdict_places_release(&places);
}

static void programs_are_what_the_logits_say(void **state)
{
    (void)state;
    struct tokenizer *t = refine_tokenizer();
    struct model *m = some_model(t);
    struct winnow_env env = {.threads = 2};
    struct winnow_error err;
    struct scratch dir;
    scratch_open(&dir);
    assert_ok(model_save(m, dir.dir, TENSOR_F32, &err), err);
    struct pool *pool = pool_new(1);
    struct engine *e;
    assert_ok(engine_new(m, pool, &(struct engine_options){.tokens_max = 256}, &env, &e, &err),
              err);
    struct prompter *p;
    struct prompt prompts[PAGE_COUNT] = {0};
    assert_ok(prompter_new(CHAT_CHATML, "", t, &p, &err), err);
    size_t removed = 0;
    for (int round = 0; round < 3; round++) {
        const struct writer_verdicts_options opt = {
            .model = dir.dir, .threads = 2, .keep_above = 0.5 * round};
        struct program_writer *w;
        assert_ok(writer_verdicts_new(&opt, t, &env, &w, &err), err);
        for (size_t i = 0; i < PAGE_COUNT; i++) {
            struct chunk c = whole(PAGES[i]);
            prompter_chunk(p, &c, LINE_NUMBERS_BRACKETS, &prompts[i]);
            const struct program_grammar_spec g = {.level = LEVEL_CHUNK, .last = (uint32_t)c.last};
            const struct writer_request r = {.tokens = prompts[i].tokens.ptr,
                                             .token_count = prompts[i].tokens.len,
                                             .grammar = &g,
                                             .tag = i};
            assert_ok(program_writer_submit(w, &r, &err), err);
        }
        for (size_t i = 0; i < PAGE_COUNT; i++) {
            struct writer_answer a;
            struct buf want = {0};
            size_t lines = str_count_lines(str_of(PAGES[i]));
            slow_program(e, t, &prompts[i], lines, opt.keep_above, &want);
            assert_ok(program_writer_next(w, &a, &err), err);
            assert_int_equal(a.tag, i);
            assert_int_equal(a.outcome, WRITER_STOPPED);
            assert_str(a.text, buf_cstr(&want));
            removed += str_starts(a.text, STR_LIT("remove"));
            buf_release(&want);
        }
        program_writer_free(w);
    }
    assert_true(removed > 0 && removed < 3 * PAGE_COUNT);
    for (size_t i = 0; i < PAGE_COUNT; i++) {
        prompt_release(&prompts[i]);
    }
    prompter_free(p);
    engine_free(e);
    pool_free(pool);
    model_free(m);
    tokenizer_free(t);
    scratch_close(&dir);
}

static void what_is_too_long_is_refused(void **state)
{
    (void)state;
    struct tokenizer *t = refine_tokenizer();
    struct model *m = some_model(t);
    struct winnow_env env = {.threads = 1};
    struct winnow_error err;
    struct scratch dir;
    scratch_open(&dir);
    assert_ok(model_save(m, dir.dir, TENSOR_F32, &err), err);
    const struct writer_verdicts_options opt = {.model = dir.dir, .threads = 1, .context_max = 5};
    struct program_writer *w;
    assert_ok(writer_verdicts_new(&opt, t, &env, &w, &err), err);
    const uint32_t tokens[6] = {0};
    const struct program_grammar_spec g = {.level = LEVEL_CHUNK};
    const struct writer_request r = {.tokens = tokens, .token_count = 6, .grammar = &g};
    assert_ok(program_writer_submit(w, &r, &err), err);
    struct writer_answer a;
    assert_ok(program_writer_next(w, &a, &err), err);
    assert_int_equal(a.outcome, WRITER_REFUSED);
    program_writer_free(w);
    model_free(m);
    tokenizer_free(t);
    scratch_close(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_is_read_where_the_line_ends),
        cmocka_unit_test(programs_are_what_the_logits_say),
        cmocka_unit_test(what_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
