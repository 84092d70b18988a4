/* test_call.c -- the library's door for other languages: options as JSON, stages by name,
 * one text in memory.  What a call says of a text is held against what the stage says of the
 * same document. */
#include "winnow/eval.h"
#include "winnow/prune.h"
#include "winnow/score.h"
#include "winnow/stage.h"
#include "winnow/text.h"
#include "winnow/train.h"

#include "base/json.h"
#include "base/json_write.h"
#include "check.h"
#include "option/option_json.h"
#include "option/recipe.h"
#include "option/tables.h"
#include "scratch.h"

#include <pthread.h>

static struct scratch scratch;

/* Pages of the kind that refiners and rules see: sentences between menus. */
static void make_page(struct buf *out, unsigned i)
{
    static const char *const MENU[] = {"Home | About | Contact", "Log in", "Next page >>",
                                       "Copyright 2024 Example Inc. All rights reserved."};
    buf_clear(out);
    for (unsigned k = 0; k < 12; k++) {
        buf_addf(out, "%s\n", MENU[(i + k) % 4]);
        buf_addf(out,
                 "The %u boats that lay in the harbour had been there since the spring, and the "
                 "people of the town have long known that number %u would not sail with them.\n",
                 i + k, k);
    }
    buf_addf(out, "%s",
             i % 3 == 0 ? "This is lorem ipsum, which nobody reads at all."
                        : "The end of the story is not known.");
}

#define PAGES 30

static void write_corpus(struct buf *out)
{
    struct buf page = {0};
    for (unsigned i = 0; i < PAGES; i++) {
        struct json_writer w = {.out = out};
        char id[16];
        (void)snprintf(id, sizeof id, "d%u", i);
        make_page(&page, i);
        json_open(&w, '{');
        json_key(&w, "id");
        json_text(&w, id);
        json_key(&w, "text");
        json_str(&w, buf_str(&page));
        json_close(&w, '}');
        buf_add_char(out, '\n');
    }
    buf_release(&page);
}

static int set_up(void **state)
{
    (void)state;
    struct buf corpus = {0};
    scratch_open(&scratch);
    write_corpus(&corpus);
    (void)scratch_write(&scratch, "in.jsonl", buf_str(&corpus));
    buf_release(&corpus);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_close(&scratch);
    return 0;
}

static int take(void *user, const void *bytes, size_t len)
{
    buf_add(user, bytes, len);
    return 0;
}

/* A stage over the corpus, its documents in out. */
static void stage_in_memory(const char *command, const char *options, struct buf *out)
{
    struct buf path = {0};
    const char *const items[] = {file_join(&path, scratch.dir, "in.jsonl")};
    const struct winnow_list paths = {items, 1};
    const struct winnow_env env = {.write = take, .user = out, .threads = 2};
    struct winnow_run_result result;
    struct winnow_error err;
    assert_ok(winnow_stage(command, options, &paths, "-", &env, &result, &err), err);
    assert_int_equal(result.documents_in, PAGES);
    buf_release(&path);
}

/* ---- options ---- */

static winnow_status read_prune(const char *json, struct winnow_prune_options *opt,
                                struct recipe_common *common, struct arena *keep,
                                struct winnow_error *err)
{
    const struct option_set sets[] = {{&PRUNE_TABLE, opt, NULL},
                                      {&RECIPE_COMMON_TABLE, common, NULL}};
    *opt = WINNOW_PRUNE_OPTIONS_INIT;
    *common = (struct recipe_common){0};
    return option_read_json(sets, 2, str_of(json), keep, err);
}

static void options_mean_as_json_what_they_mean_as_text(void **state)
{
    (void)state;
    struct winnow_prune_options opt;
    struct recipe_common common;
    struct winnow_error err;
    struct arena keep;
    arena_init(&keep, 1024);
    assert_ok(read_prune("{\"rate\": \"30%\", \"by_source\": true, \"criterion\": \"high\", "
                         "\"memory\": \"2G\", \"seed\": 18446744073709551615, \"window\": null, "
                         "\"lr\": 1e-3, \"no-cross-fit\": true}",
                         &opt, &common, &keep, &err),
              err);
    assert_near(opt.rate, 0.3, 1e-12);
    assert_true(opt.by_source);
    assert_int_equal(opt.criterion, WINNOW_HIGH);
    assert_int_equal(common.memory, (uint64_t)2 << 30);
    assert_int_equal(common.seed, UINT64_MAX);
    assert_int_equal(opt.window, 0);
    assert_near(opt.model.lr, 1e-3, 1e-15);
    assert_ok(read_prune("", &opt, &common, &keep, &err), err);
    arena_release(&keep);
}

static void what_no_option_can_be_is_refused_in_a_sentence(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"{\"rat\": 0.5}", "prune has no option 'rat'; did you mean 'rate'?"},
        {"{\"rate\": 2}", "rate: '2' is not between 0.0001 and 1; for 2 % write 2% or 0.02"},
        {"{\"rate\": true}", "rate: it takes a value, and true or false is none"},
        {"{\"rate\": [1]}", "rate: it is one value, neither a list nor an object"},
        {"{\"criterion\": \"best\"}", "criterion: 'best' is none of medium, low, high"},
        {"{\"window\": -1}", "window: '-1' is not between 0 and 1000000"},
        {"{\"tokenizer\": \"a\\u0000b\"}", "tokenizer: a text with a NUL in it"},
        {"[1]", "the options of prune are a JSON object, as in {\"limit\": 100}"},
    };
    struct winnow_prune_options opt;
    struct recipe_common common;
    struct winnow_error err;
    struct arena keep;
    arena_init(&keep, 1024);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        assert_int_equal(read_prune(CASES[i][0], &opt, &common, &keep, &err), WINNOW_E_USAGE);
        assert_string_equal(err.text, CASES[i][1]);
    }
    assert_int_equal(read_prune("{\"rate\": ", &opt, &common, &keep, &err), WINNOW_E_USAGE);
    arena_release(&keep);
}

static void zero_is_the_default_of_every_enum(void **state)
{
    (void)state;
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        const struct option_table *t = OPTION_TABLES[i];
        for (const struct option *o = t->options; o->kind != OPTION_END; o++) {
            int value = 0;
            bool differs =
                (strcmp(t->command, "prove") == 0 && strcmp(o->name, "optimizer") == 0) ||
                (strcmp(t->command, "features") == 0 && strcmp(o->name, "compute") == 0);
            if (o->kind == OPTION_ENUM && !differs) {
                memcpy(&value, (const unsigned char *)t->defaults + o->offset, sizeof value);
            }
            if (value != 0) {
                fail_msg("the default of %s --%s is not its first choice", t->command, o->name);
            }
        }
    }
}

static void a_table_as_json_gives_its_own_defaults_back(void **state)
{
    (void)state;
    struct json_parser *parser = json_parser_new();
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        const struct option_table *t = OPTION_TABLES[i];
        struct winnow_bytes json;
        struct winnow_error err;
        struct json_value root;
        struct buf again = {0}, plain = {0}, read = {0};
        struct arena keep;
        arena_init(&keep, 1024);
        assert_ok(winnow_options_json(t->command, &json, &err), err);
        assert_ok(json_parse(parser, (struct str){json.ptr, json.len}, &root, &err), err);
        struct json_writer w = {.out = &again}, p = {.out = &plain}, r = {.out = &read};
        json_open(&w, '{');
        size_t rows = 0;
        for (struct json_iter it = json_walk(json_get(root, "options")); json_next(&it); rows++) {
            struct str name;
            assert_true(json_as_str(json_get(it.value, "name"), &name));
            const struct option *o = option_find(t, name);
            assert_non_null(o);
            json_key_str(&w, name);
            option_write_value(o, t->defaults, &w);
        }
        json_close(&w, '}');
        void *values = arena_alloc(&keep, 1, t->size);
        memcpy(values, t->defaults, t->size);
        const struct option_set set = {t, values, NULL};
        assert_ok(option_read_json(&set, 1, buf_str(&again), &keep, &err), err);
        json_open(&p, '{');
        option_write_json(t, t->defaults, &p);
        json_close(&p, '}');
        json_open(&r, '{');
        option_write_json(t, values, &r);
        json_close(&r, '}');
        assert_str(buf_str(&read), buf_cstr(&plain));
        assert_true(rows > 0 || t->options[0].kind == OPTION_END);
        winnow_bytes_free(&json);
        buf_release(&again);
        buf_release(&plain);
        buf_release(&read);
        arena_release(&keep);
    }
    json_parser_free(parser);
}

/* ---- stages ---- */

static void a_stage_by_name_fills_a_folder_and_a_recipe_does_the_same(void **state)
{
    (void)state;
    struct buf in = {0}, out = {0}, second = {0}, recipe = {0}, path = {0};
    const char *const items[] = {file_join(&in, scratch.dir, "in.jsonl")};
    const struct winnow_list paths = {items, 1};
    const struct winnow_env env = {.threads = 1};
    struct winnow_run_result a, b;
    struct winnow_error err;
    assert_ok(winnow_stage("rules", "{\"sets\": \"c4\", \"threads\": 2}", &paths,
                           file_join(&out, scratch.dir, "one"), &env, &a, &err),
              err);
    buf_addf(&recipe, "winnow: 1\ninput: [%s]\nstages:\n  - rules: {sets: [c4]}\n", items[0]);
    assert_ok(winnow_run_text(buf_cstr(&recipe), NULL, file_join(&second, scratch.dir, "two"), &env,
                              &b, &err),
              err);
    assert_int_equal(a.documents_in, PAGES);
    assert_int_equal(a.documents_removed, PAGES / 3);
    assert_int_equal(a.documents_kept, b.documents_kept);
    assert_ok(winnow_stage("rules", "{\"sets\": [\"c4\"]}", &paths, buf_cstr(&out), &env, &a, &err),
              err);
    assert_true(a.nothing_to_do);
    assert_ok(winnow_verify(buf_cstr(&second), &env, &err), err);
    /* The same recipe from a file, by the same door. */
    const char *const file[] = {file_join(&path, scratch.dir, "recipe.yaml")};
    const struct winnow_list one = {file, 1};
    assert_ok(file_write_atomic(file[0], buf_str(&recipe), &err), err);
    assert_ok(winnow_stage("run", NULL, &one, buf_cstr(&second), &env, &b, &err), err);
    assert_int_equal(b.documents_in, PAGES);
    buf_release(&in);
    buf_release(&out);
    buf_release(&second);
    buf_release(&recipe);
    buf_release(&path);
}

static void stages_that_cannot_run_say_why(void **state)
{
    (void)state;
    const char *const items[] = {"nothing.jsonl"};
    const struct winnow_list paths = {items, 1}, none = {NULL, 0};
    const struct winnow_env env = {0};
    struct winnow_run_result r;
    struct winnow_error err;
    assert_int_equal(winnow_stage("rulez", NULL, &paths, "x", &env, &r, &err), WINNOW_E_USAGE);
    assert_non_null(strstr(err.text, "no command 'rulez'"));
    assert_int_equal(winnow_stage("rules", NULL, &none, "x", &env, &r, &err), WINNOW_E_USAGE);
    assert_int_equal(winnow_stage("run", NULL, &none, "x", &env, &r, &err), WINNOW_E_USAGE);
    assert_int_equal(winnow_stage("rules", NULL, &paths, "-", &env, &r, &err), WINNOW_E_USAGE);
    assert_non_null(strstr(err.text, "winnow_env.write"));
    assert_int_equal(winnow_run_text("winnow: 2", NULL, "x", &env, &r, &err), WINNOW_E_USAGE);
}

static int refuse(void *user, const void *bytes, size_t len)
{
    (void)user;
    (void)bytes;
    (void)len;
    return 32; /* EPIPE */
}

static void what_the_taker_of_the_output_refuses_ends_the_run(void **state)
{
    (void)state;
    struct buf in = {0};
    const char *const items[] = {file_join(&in, scratch.dir, "in.jsonl")};
    const struct winnow_list paths = {items, 1};
    const struct winnow_env env = {.write = refuse};
    struct winnow_run_result r;
    struct winnow_error err;
    assert_int_equal(winnow_stage("dedup", NULL, &paths, "-", &env, &r, &err), WINNOW_E_IO);
    assert_non_null(strstr(err.text, "standard output"));
    buf_release(&in);
}

/* ---- one text ---- */

/* Calls each with every document that a stage let pass, by number. */
struct passed {
    char *texts[PAGES]; /* NULL: it is gone */
};

static void read_passed(const struct buf *lines, struct passed *out)
{
    struct json_parser *parser = json_parser_new();
    struct str rest = buf_str(lines), line;
    *out = (struct passed){{NULL}};
    while (str_next_line(&rest, &line)) {
        struct json_value root;
        struct winnow_error err;
        struct str id, text;
        assert_ok(json_parse(parser, line, &root, &err), err);
        assert_true(json_as_str(json_get(root, "id"), &id));
        assert_true(json_as_str(json_get(root, "text"), &text));
        out->texts[strtoul(id.ptr + 1, NULL, 10)] = strndup(text.ptr, text.len);
    }
    json_parser_free(parser);
}

static void passed_release(struct passed *p)
{
    for (size_t i = 0; i < PAGES; i++) {
        free(p->texts[i]);
    }
}

static void the_refiner_in_memory_does_what_the_stage_does(void **state)
{
    (void)state;
    struct buf lines = {0}, page = {0};
    struct passed passed;
    struct winnow_refiner *refiner;
    struct winnow_error err;
    const struct winnow_env env = {0};
    size_t changed = 0;
    stage_in_memory("refine", NULL, &lines);
    read_passed(&lines, &passed);
    assert_ok(winnow_refiner_open(NULL, &env, &refiner, &err), err);
    for (unsigned i = 0; i < PAGES; i++) {
        struct winnow_refined r, again;
        make_page(&page, i);
        assert_ok(winnow_refiner_text(refiner, page.ptr, page.len, &r, &err), err);
        assert_int_equal(r.kept, passed.texts[i] != NULL);
        assert_str(((struct str){r.text.ptr, r.text.len}), r.kept ? passed.texts[i] : "");
        changed += r.changed;
        /* Its own program, executed as text, gives the same. */
        assert_ok(
            winnow_refine_text(page.ptr, page.len, r.program.ptr, r.program.len, 0, &again, &err),
            err);
        assert_str(((struct str){again.text.ptr, again.text.len}), r.text.ptr);
        assert_int_equal(again.lines_removed, r.lines_removed);
        assert_int_equal(again.calls_rejected, 0);
        winnow_refined_free(&r);
        winnow_refined_free(&again);
    }
    assert_true(changed > 0);
    winnow_refiner_close(refiner);
    passed_release(&passed);
    buf_release(&lines);
    buf_release(&page);
}

static void programs_are_executed_and_told_call_by_call(void **state)
{
    (void)state;
    static const char TEXT[] = "Home | About\nThe cat sat.\nClick here\n";
    static const char PROGRAM[] = "remove_lines(0, 0)\nremove_str(1, \"dog\")\nsing()";
    struct winnow_refined r;
    struct winnow_error err;
    assert_ok(winnow_refine_text(TEXT, sizeof TEXT - 1, PROGRAM, sizeof PROGRAM - 1, 0, &r, &err),
              err);
    assert_true(r.kept && r.changed);
    assert_string_equal(r.text.ptr, "The cat sat.\nClick here\n");
    assert_int_equal(r.calls_accepted, 1);
    assert_int_equal(r.calls_rejected, 2);
    assert_non_null(strstr(r.calls.ptr, "\"rejected\""));
    winnow_refined_free(&r);
    assert_ok(winnow_refine_text(TEXT, sizeof TEXT - 1, "drop_doc()", 10, 0, &r, &err), err);
    assert_false(r.kept);
    assert_int_equal(r.text.len, 0);
    winnow_refined_free(&r);
    assert_ok(winnow_refine_text(NULL, 0, NULL, 0, 0, &r, &err), err);
    assert_true(r.kept && !r.changed);
    winnow_refined_free(&r);
    assert_int_equal(winnow_refine_text(TEXT, 4, "x", 1, 9, &r, &err), WINNOW_E_USAGE);
    assert_null(r.text.ptr);
}

static void the_rules_in_memory_judge_as_the_stage_does(void **state)
{
    (void)state;
    struct buf lines = {0}, page = {0};
    struct passed passed;
    struct winnow_rules *rules;
    struct winnow_error err;
    size_t edited = 0, removed = 0;
    stage_in_memory("rules", "{\"sets\": [\"c4\"], \"edit\": true}", &lines);
    read_passed(&lines, &passed);
    assert_ok(winnow_rules_open("{\"sets\": [\"c4\"], \"edit\": true}", &rules, &err), err);
    for (unsigned i = 0; i < PAGES; i++) {
        struct winnow_rules_result r;
        make_page(&page, i);
        assert_ok(winnow_rules_text(rules, page.ptr, page.len, &r, &err), err);
        assert_int_equal(r.kept, passed.texts[i] != NULL);
        if (r.kept) {
            assert_string_equal(r.text.ptr ? r.text.ptr : page.ptr, passed.texts[i]);
        } else {
            assert_non_null(r.rule);
            assert_true(r.value == r.value); /* no NaN */
        }
        edited += r.text.ptr != NULL;
        removed += !r.kept;
        winnow_rules_result_free(&r);
    }
    assert_true(edited > 0 && removed > 0);
    assert_string_equal(winnow_rules_value_name(0), "gopher__words");
    assert_null(winnow_rules_value_name(WINNOW_RULES_VALUES_MAX));
    winnow_rules_close(rules);
    assert_int_equal(winnow_rules_open("{\"sets\": [\"gofer\"]}", &rules, &err), WINNOW_E_USAGE);
    assert_null(rules);
    passed_release(&passed);
    buf_release(&lines);
    buf_release(&page);
}

/* A model of no use but for its shape. */
static const char *train_model(struct buf *folder)
{
    struct buf in = {0};
    const char *const items[] = {file_join(&in, scratch.dir, "in.jsonl")};
    const struct winnow_list paths = {items, 1};
    const struct winnow_env env = {.threads = 1};
    struct winnow_train_options opt = WINNOW_TRAIN_OPTIONS_INIT;
    struct winnow_train_result result;
    struct winnow_error err;
    opt.output = file_join(folder, scratch.dir, "model");
    opt.model.dim = 16;
    opt.model.layers = opt.model.heads = 1;
    opt.model.vocab = 300;
    opt.model.context = 64;
    opt.tokens = 2048;
    opt.epochs_max = 100;
    assert_ok(winnow_train(&opt, &paths, &env, &result, &err), err);
    buf_release(&in);
    return opt.output;
}

static void scores_in_memory_are_those_of_the_stage(void **state)
{
    (void)state;
    struct buf folder = {0}, options = {0}, run = {0}, in = {0}, pages[PAGES] = {{0}};
    const char *model = train_model(&folder);
    const char *const items[] = {file_join(&in, scratch.dir, "in.jsonl")};
    const struct winnow_list paths = {items, 1};
    struct winnow_text_view views[PAGES + 1];
    struct winnow_text_score one[PAGES + 1], two[PAGES + 1];
    struct winnow_env env = {.threads = 1};
    struct winnow_run_result result;
    struct winnow_scorer *scorer;
    struct winnow_error err;
    buf_addf(&options, "{\"model\": \"%s\"}", model);
    for (unsigned i = 0; i < PAGES; i++) {
        make_page(&pages[i], i);
        views[i] = (struct winnow_text_view){pages[i].ptr, pages[i].len};
    }
    views[PAGES] = (struct winnow_text_view){NULL, 0};
    assert_ok(winnow_scorer_open(buf_cstr(&options), &env, &scorer, &err), err);
    assert_ok(winnow_scorer_texts(scorer, views, PAGES + 1, one, &err), err);
    winnow_scorer_close(scorer);
    env.threads = 2;
    assert_ok(winnow_scorer_open(buf_cstr(&options), &env, &scorer, &err), err);
    assert_ok(winnow_scorer_texts(scorer, views, PAGES + 1, two, &err), err);
    assert_ok(winnow_scorer_texts(scorer, NULL, 0, two, &err), err);
    winnow_scorer_close(scorer);
    assert_memory_equal(one, two, PAGES * sizeof *one);
    assert_true(one[0].nll > 0 && one[0].tokens > 0);
    assert_true(isnan(one[PAGES].nll) || one[PAGES].tokens == 0);

    struct buf attributes = {0}, path = {0}, want = {0};
    assert_ok(winnow_stage("score", buf_cstr(&options), &paths,
                           file_join(&run, scratch.dir, "scored"), &env, &result, &err),
              err);
    (void)file_join(&path, run.ptr, "stages/01-score/attributes/nll/in.jsonl");
    assert_ok(file_read(buf_cstr(&path), (size_t)1 << 20, &attributes, &err), err);
    struct json_writer w = {.out = &want};
    json_double(&w, one[7].nll);
    assert_non_null(strstr(buf_cstr(&attributes), buf_cstr(&want)));

    assert_int_equal(winnow_scorer_open("{}", &env, &scorer, &err), WINNOW_E_USAGE);
    assert_null(scorer);
    for (unsigned i = 0; i < PAGES; i++) {
        buf_release(&pages[i]);
    }
    buf_release(&folder);
    buf_release(&options);
    buf_release(&run);
    buf_release(&in);
    buf_release(&attributes);
    buf_release(&path);
    buf_release(&want);
}

static void tokens_go_there_and_back(void **state)
{
    (void)state;
    static const char TEXT[] = "The boats <|endoftext|> lay there.";
    struct buf folder = {0};
    struct winnow_tokenizer *t;
    struct winnow_ids plain, special;
    struct winnow_bytes back;
    struct winnow_error err;
    assert_ok(winnow_tokenizer_open(train_model(&folder), &t, &err), err);
    assert_ok(winnow_tokenizer_ids(t, TEXT, sizeof TEXT - 1, WINNOW_ENCODE_PLAIN, &plain, &err),
              err);
    assert_ok(winnow_tokenizer_text(t, plain.ptr, plain.len, 0, &back, &err), err);
    assert_string_equal(back.ptr, TEXT);
    winnow_bytes_free(&back);
    assert_ok(
        winnow_tokenizer_ids(t, TEXT, sizeof TEXT - 1, WINNOW_ENCODE_SPECIALS, &special, &err),
        err);
    assert_true(special.len < plain.len);
    assert_ok(
        winnow_tokenizer_text(t, special.ptr, special.len, WINNOW_ENCODE_SPECIALS, &back, &err),
        err);
    assert_string_equal(back.ptr, TEXT);
    winnow_bytes_free(&back);
    const uint32_t wrong = winnow_tokenizer_size(t);
    assert_int_equal(winnow_tokenizer_text(t, &wrong, 1, 0, &back, &err), WINNOW_E_FORMAT);
    winnow_ids_free(&plain);
    winnow_ids_free(&special);
    winnow_tokenizer_close(t);
    buf_release(&folder);
}

static void a_page_gives_its_lines_or_a_reason(void **state)
{
    (void)state;
    static const char PAGE[] = "<html><title>T</title><body><p>One<p>Two &amp; three</html>";
    struct winnow_page p;
    struct winnow_error err;
    assert_ok(winnow_page_text(PAGE, sizeof PAGE - 1, NULL, "a.html", NULL, &p, &err), err);
    assert_true(p.kept);
    assert_string_equal(p.text.ptr, "One\nTwo & three");
    assert_non_null(strstr(p.document.ptr, "\"id\":"));
    winnow_page_free(&p);
    assert_ok(winnow_page_text("x", 1, "image/png", NULL, NULL, &p, &err), err);
    assert_false(p.kept);
    assert_string_equal(p.reason.ptr, "mime");
    winnow_page_free(&p);
    assert_ok(winnow_page_text(PAGE, sizeof PAGE - 1, "text/html", NULL,
                               "{\"page-max\": 1024, \"rows\": true}", &p, &err),
              err);
    assert_true(p.kept);
    winnow_page_free(&p);
    assert_int_equal(winnow_page_text("x", 1, NULL, NULL, "{\"pagemax\": 1}", &p, &err),
                     WINNOW_E_USAGE);
}

/* ---- threads ---- */

struct shared {
    struct winnow_refiner *refiner;
    struct winnow_rules *rules;
    char *want;
    size_t wrong;
};

static void *ask_again_and_again(void *state)
{
    struct shared *s = state;
    struct buf page = {0};
    make_page(&page, 3);
    size_t wrong = 0;
    for (size_t i = 0; i < 20; i++) {
        struct winnow_refined r;
        struct winnow_rules_result v;
        struct winnow_error err;
        wrong += winnow_refiner_text(s->refiner, page.ptr, page.len, &r, &err) != WINNOW_OK ||
                 strcmp(r.text.ptr, s->want) != 0;
        wrong += winnow_rules_text(s->rules, page.ptr, page.len, &v, &err) != WINNOW_OK;
        winnow_refined_free(&r);
        winnow_rules_result_free(&v);
    }
    buf_release(&page);
    (void)__atomic_fetch_add(&s->wrong, wrong, __ATOMIC_RELAXED);
    return NULL;
}

static void objects_serve_several_threads_at_once(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct shared s = {0};
    struct winnow_refined r;
    struct winnow_error err;
    const struct winnow_env env = {0};
    struct buf page = {0};
    make_page(&page, 3);
    assert_ok(winnow_refiner_open("{\"refiner\": \"builtin\"}", &env, &s.refiner, &err), err);
    assert_ok(winnow_rules_open(NULL, &s.rules, &err), err);
    assert_ok(winnow_refiner_text(s.refiner, page.ptr, page.len, &r, &err), err);
    s.want = r.text.ptr;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask_again_and_again, &s), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(s.wrong, 0);
    winnow_refined_free(&r);
    winnow_rules_close(s.rules);
    winnow_refiner_close(s.refiner);
    winnow_rules_close(NULL);
    winnow_refiner_close(NULL);
    winnow_scorer_close(NULL);
    winnow_tokenizer_close(NULL);
    buf_release(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_mean_as_json_what_they_mean_as_text),
        cmocka_unit_test(what_no_option_can_be_is_refused_in_a_sentence),
        cmocka_unit_test(zero_is_the_default_of_every_enum),
        cmocka_unit_test(a_table_as_json_gives_its_own_defaults_back),
        cmocka_unit_test(a_stage_by_name_fills_a_folder_and_a_recipe_does_the_same),
        cmocka_unit_test(stages_that_cannot_run_say_why),
        cmocka_unit_test(what_the_taker_of_the_output_refuses_ends_the_run),
        cmocka_unit_test(the_refiner_in_memory_does_what_the_stage_does),
        cmocka_unit_test(programs_are_executed_and_told_call_by_call),
        cmocka_unit_test(the_rules_in_memory_judge_as_the_stage_does),
        cmocka_unit_test(scores_in_memory_are_those_of_the_stage),
        cmocka_unit_test(tokens_go_there_and_back),
        cmocka_unit_test(a_page_gives_its_lines_or_a_reason),
        cmocka_unit_test(objects_serve_several_threads_at_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
