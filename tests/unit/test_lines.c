/* The line model: features, gradients, files, programs. */
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "check.h"
#include "lines/line_calibrate.h"
#include "lines/line_model_internal.h"
#include "lines/line_refiner.h"
#include "lines/line_scan.h"
#include "lines/line_train.h"
#include "program/edit.h"
#include "scratch.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static const struct line_config SMALL = {.rows = 64,
                                         .embed = 16,
                                         .hidden = 16,
                                         .dim = 32,
                                         .layers = 2,
                                         .ffn = 32,
                                         .head_dim = 16,
                                         .keep_above = 0.5,
                                         .calibration = LINE_CALIBRATION_INIT};

#define PAGE_LINES 11U
static const char LONG_LINE[] =
    "In a warm kitchen that takes about an hour; in a cold one it may take the whole night, and "
    "many bakers think that the slow way is the better one, because the taste has time to grow "
    "while the gas does its work in the dough, as anyone who tried both will tell you.";
static const char *const PAGE[PAGE_LINES] = {
    "How bread rises | The Daily Loaf",
    "Home",
    "Recipes (12)",
    "How bread rises",
    "Bread rises because yeast eats sugar and breathes out gas, which the dough holds in.",
    LONG_LINE,
    "Knead well\xE2\x80\xA6",
    "Recipes (7)",
    "\xC2\xA9 2019 The Daily Loaf",
    "Home",
    "\xE5\xB0\x8F\xE9\xBA\xA6\xE7\xB2\x89",
};

static void page_lines(struct str *lines)
{
    for (size_t i = 0; i < PAGE_LINES; i++) {
        lines[i] = str_of(PAGE[i]);
    }
}

/* A menu, a body and a footer around the lines. */
static struct line_structure *page_structure(struct arena *keep)
{
    struct structure_line *lines = ARENA_NEW(keep, struct structure_line, PAGE_LINES);
    struct structure_kind *kinds = ARENA_NEW(keep, struct structure_kind, 4);
    struct structure_node *nodes = ARENA_NEW(keep, struct structure_node, 4);
    const char *const names[] = {"html", "nav", "div", "footer"};
    struct buf text = {0};
    for (uint32_t i = 0; i < 4; i++) {
        kinds[i] = (struct structure_kind){str_of(names[i]), STR_LIT("a class"), STR_LIT("")};
        nodes[i] = (struct structure_node){.kind = i, .index = i};
    }
    for (uint32_t i = 0, at = 0; i < PAGE_LINES; i++) {
        uint32_t chars = (uint32_t)utf8_count(str_of(PAGE[i]));
        uint32_t node = i < 3 ? 1 : i < 7 ? 2 : 3;
        lines[i] =
            (struct structure_line){at, at + chars, node, i < 3 ? chars : 0, 0, false, false};
        at += chars + 1;
        buf_addf(&text, "%s\n", PAGE[i]);
    }
    struct page_structure s = {lines, nodes, kinds, PAGE_LINES, 4, 4};
    struct page_elements elements;
    struct line_structure *out = ARENA_NEW(keep, struct line_structure, 1);
    structure_sum(&s, buf_str(&text), keep);
    page_elements_build(&s, keep, &elements);
    line_structure_build(&elements, 0, PAGE_LINES, SMALL.rows, keep, out);
    buf_release(&text);
    return out;
}

/* Of the page with its tags; of the last line nothing is known. */
static void page_features(struct arena *keep, struct line_features *f)
{
    struct str lines[PAGE_LINES];
    struct line_origin origins[PAGE_LINES] = {{NULL, 0}};
    page_lines(lines);
    const struct line_structure *structure = page_structure(keep);
    for (size_t i = 0; i + 1 < PAGE_LINES; i++) {
        origins[i] = (struct line_origin){structure, i};
    }
    line_features_build(lines, origins, PAGE_LINES, SMALL.rows, keep, f);
}

/* Without rows the page is read as one without tags, and the text's features are the same. */
static void lines_are_read_with_and_without_tags(void **state)
{
    (void)state;
    struct arena keep;
    struct line_features with, without;
    struct str lines[PAGE_LINES];
    arena_init(&keep, 4096);
    page_features(&keep, &with);
    page_lines(lines);
    line_features_build(lines, NULL, PAGE_LINES, SMALL.rows, &keep, &without);
    assert_null(without.structure);
    assert_memory_equal(with.dense, without.dense, PAGE_LINES * LINE_DENSE * sizeof(float));
    assert_true(with.structure[0] == 1.0F &&
                with.structure[(PAGE_LINES - 1) * LINE_STRUCTURE] == 0);
    for (size_t i = 0; i < PAGE_LINES; i++) {
        const uint32_t *ends = without.ends + i * LINE_GROUPS;
        assert_int_equal(ends[LINE_TEXT_GROUPS - 1], ends[LINE_GROUPS - 1]);
        ends = with.ends + i * LINE_GROUPS;
        assert_int_equal(ends[LINE_GROUPS - 1] > ends[LINE_TEXT_GROUPS - 1], i + 1 < PAGE_LINES);
    }
    arena_release(&keep);
}

/* Weights all over the place, so that no part of the network is idle. */
static struct line_model *random_model(const char *kernels, uint64_t seed)
{
    struct line_model *m = NULL;
    struct winnow_error err;
    struct rng r;
    assert_ok(line_model_new(&SMALL, seed, kernels, false, &m, &err), err);
    rng_init(&r, seed, "test");
    for (size_t i = 0; i < m->tensor_count; i++) {
        float *w = line_at(m, m->tensors[i].at);
        for (size_t j = 0; j < (size_t)m->tensors[i].rows * m->tensors[i].cols; j++) {
            w[j] += 0.1F * (float)rng_normal(&r);
        }
    }
    for (size_t i = 0; i < (size_t)m->c.rows * m->c.embed; i++) {
        m->table[i] = 0.3F * (float)rng_normal(&r);
    }
    line_model_pack(m);
    return m;
}

static void a_scan_counts_words_and_reads_long_lines_in_part(void **state)
{
    (void)state;
    struct line_scan s, t;
    line_scan(STR_LIT("  The cat's 12 hats cost $3."), &s);
    assert_int_equal(s.word_count, 7); /* The cat s 12 hats cost 3 */
    assert_int_equal(s.stop_count, 1);
    assert_int_equal(s.capital_count, 1);
    assert_int_equal(s.indent, 2);
    assert_int_equal(s.kinds[BYTE_DIGIT], 3);
    assert_int_equal(s.last, '.');
    assert_int_equal(s.first, 'T');
    assert_int_equal(s.money, 1);

    struct buf longer = {0};
    for (int i = 0; i < 100; i++) {
        buf_addf(&longer, "w%c%c ", 'a' + i / 26, 'a' + i % 26);
    }
    line_scan(buf_str(&longer), &s);
    assert_int_equal(s.word_count, 100);
    assert_int_equal(s.shown, LINE_WORDS);
    line_scan(STR_LIT("wdv"), &t); /* the 100th word */
    assert_int_equal(s.words[LINE_WORDS - 1].hash, t.words[0].hash);
    line_scan(STR_LIT("wdo"), &t); /* the 93rd */
    assert_int_equal(s.words[LINE_HEAD].hash, t.words[0].hash);
    buf_release(&longer);
}

static void digits_and_case_do_not_tell_lines_apart(void **state)
{
    (void)state;
    struct line_scan a, b;
    line_scan(STR_LIT("Page 12"), &a);
    line_scan(STR_LIT("page 47"), &b);
    assert_int_equal(a.hash, b.hash);
    line_scan(STR_LIT("page x"), &b);
    assert_int_not_equal(a.hash, b.hash);
    assert_false(line_has_words(STR_LIT(" | \xC2\xBB \xE2\x80\x94")));
    assert_true(line_has_words(STR_LIT("\xC3\xA9")));
    assert_false(line_has_words(STR_LIT("")));
}

static void features_stay_near_0_to_1(void **state)
{
    (void)state;
    struct arena keep;
    struct line_features f;
    arena_init(&keep, 4096);
    page_features(&keep, &f);
    assert_int_equal(f.count, PAGE_LINES);
    for (size_t i = 0; i < PAGE_LINES * LINE_DENSE; i++) {
        assert_true(f.dense[i] >= 0 && f.dense[i] <= 3);
    }
    uint32_t before = 0;
    for (size_t i = 0; i < PAGE_LINES * LINE_GROUPS; i++) {
        assert_true(f.ends[i] >= before);
        before = f.ends[i];
    }
    for (uint32_t i = 0; i < before; i++) {
        assert_true(f.tokens[i] < SMALL.rows);
    }
    arena_release(&keep);
}

/* sum of c_i logit_i */
static double objective(struct line_pass *p, const struct line_features *f, const float *c)
{
    float logits[PAGE_LINES];
    double sum = 0;
    line_forward(p, f, 0, f->count, logits);
    for (size_t i = 0; i < f->count; i++) {
        sum += (double)c[i] * (double)logits[i];
    }
    return sum;
}

/* The derivative of the objective along direction v of n weights, by differences. */
static double along(struct line_model *m, struct line_pass *p, const struct line_features *f,
                    const float *c, float *weights, const float *v, size_t n)
{
    const float step = 2e-3F;
    double at[2];
    float *saved = mem_alloc(n * sizeof(float));
    memcpy(saved, weights, n * sizeof(float));
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < n; i++) {
            weights[i] = saved[i] + (side ? step : -step) * v[i];
        }
        line_model_pack(m);
        at[side] = objective(p, f, c);
    }
    memcpy(weights, saved, n * sizeof(float));
    line_model_pack(m);
    mem_free(saved);
    return (at[1] - at[0]) / (2 * (double)step);
}

static void scatter(const struct line_features *f, const float *dz, uint32_t embed, float *grads)
{
    for (size_t g = 0; g < f->count * LINE_GROUPS; g++) {
        uint32_t at = g > 0 ? f->ends[g - 1] : 0;
        float scale = line_group_scale(f->ends[g] - at);
        for (; at < f->ends[g]; at++) {
            for (uint32_t j = 0; j < embed; j++) {
                grads[(size_t)f->tokens[at] * embed + j] += scale * dz[g * embed + j];
            }
        }
    }
}

/* v: a unit vector, half along the gradient itself, so that its share is no
 * rounding error. */
static void direction(struct rng *r, const float *g, float *v, size_t n)
{
    double norm = 0, length = 0;
    for (size_t i = 0; i < n; i++) {
        norm += (double)g[i] * (double)g[i];
    }
    norm = sqrt(norm / (double)n) + 1e-12;
    for (size_t i = 0; i < n; i++) {
        v[i] = (float)(rng_normal(r) + (double)g[i] / norm);
        length += (double)v[i] * (double)v[i];
    }
    for (size_t i = 0; i < n; i++) {
        v[i] /= (float)sqrt(length);
    }
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

static void gradients_agree_with_differences(void **state)
{
    (void)state;
    for (size_t table = 0; kernels_usable(table); table++) {
        struct line_model *m = random_model(kernels_usable(table)->name, 5);
        struct line_pass *p = line_pass_new_for(m, true);
        struct arena keep;
        struct line_features f;
        struct rng r;
        arena_init(&keep, 4096);
        page_features(&keep, &f);
        rng_init(&r, 3, "direction");
        float c[PAGE_LINES];
        for (size_t i = 0; i < PAGE_LINES; i++) {
            c[i] = (float)rng_normal(&r);
        }
        size_t rows = (size_t)m->c.rows * m->c.embed;
        float *grads = mem_zalloc(m->weight_count * sizeof(float));
        float *table_grads = mem_zalloc(rows * sizeof(float));
        float *dz = mem_alloc((size_t)PAGE_LINES * LINE_GROUPS * m->c.embed * sizeof(float));
        float *v = mem_alloc((rows + m->weight_count) * sizeof(float));
        (void)objective(p, &f, c);
        line_backward(p, c, grads, dz);
        scatter(&f, dz, m->c.embed, table_grads);
        for (size_t i = 0; i < m->tensor_count; i++) {
            const struct line_tensor *t = &m->tensors[i];
            size_t n = (size_t)t->rows * t->cols;
            direction(&r, grads + t->at, v, n);
            assert_near(dot(grads + t->at, v, n), along(m, p, &f, c, m->weights + t->at, v, n),
                        5e-3); /* f32 sums, and the cube of the step */
        }
        direction(&r, table_grads, v, rows);
        assert_near(dot(table_grads, v, rows), along(m, p, &f, c, m->table, v, rows), 5e-3);
        mem_free(grads);
        mem_free(table_grads);
        mem_free(dz);
        mem_free(v);
        arena_release(&keep);
        line_pass_free(p);
        line_model_free(m);
    }
}

static void windows_own_every_line_once(void **state)
{
    (void)state;
    static const size_t LINES[] = {0,   1,   64,  511,  512,  513,  575,
                                   576, 896, 897, 1000, 4096, 8191, LINE_PART_MAX};
    for (size_t i = 0; i < sizeof LINES / sizeof LINES[0]; i++) {
        struct line_window w;
        size_t next = 0;
        for (size_t k = 0; line_window_at(LINES[i], k, &w); k++) {
            assert_int_equal(w.own_from, next);
            assert_true(w.own_to > w.own_from && w.count <= LINE_WINDOW);
            assert_true(w.from <= w.own_from && w.own_to <= w.from + w.count);
            next = w.own_to;
        }
        assert_int_equal(next, LINES[i]);
    }
}

/* A page of two paths, <p> and <div class=menu>, and a line that no element holds. */
static void lines_of_one_path_share_their_log_odds(void **state)
{
    (void)state;
    enum { LINES = 6 };
    struct structure_kind kinds[] = {{STR_LIT("html"), STR_LIT(""), STR_LIT("")},
                                     {STR_LIT("p"), STR_LIT(""), STR_LIT("")},
                                     {STR_LIT("div"), STR_LIT("menu"), STR_LIT("")}};
    struct structure_node nodes[] = {
        {.kind = 0}, {.kind = 1}, {.kind = 1}, {.kind = 2}, {.kind = 1}};
    struct structure_line lines[LINES] = {{.start = 0, .end = 100, .node = 1},
                                          {.start = 101, .end = 201, .node = 3},
                                          {.start = 202, .end = 1202, .node = 2},
                                          {.start = 1203, .end = 1204, .node = 4},
                                          {.start = 1205, .end = 1215, .node = STRUCTURE_NONE},
                                          {.start = 1216, .end = 1225, .node = 3}};
    const struct page_structure s = {lines, nodes, kinds, LINES, 5, 3};
    static const uint32_t ROWS[] = {0, 1, 2, 3, 4}; /* the last row is not shown to the model */
    static const float BEFORE[] = {1, 2, -3, 4, 5}, NONE[] = {-1, -2, -3, -4, -5};
    struct line_calibration c = {3, 4, 2, -1, 0.25, 0};
    struct page_elements page;
    struct arena keep;
    float x[5];
    arena_init(&keep, 4096);
    page_elements_build(&s, &keep, &page);
    memcpy(x, BEFORE, sizeof x);
    line_calibrate(&c, &page, ROWS, 5, &keep, x);
    for (size_t i = 0; i < 5; i++) { /* from each line over all others */
        double sum = 0, weight = 0, want = (double)BEFORE[i];
        for (size_t k = 0; k < 5 && i < 4; k++) {
            if ((i == 1) == (k == 1) && k < 4) {
                double chars = lines[k].end - lines[k].start;
                double w = 1 + sqrt(chars > 400 ? 400 : chars);
                sum += w * (double)BEFORE[k];
                weight += w;
            }
        }
        want = weight > 0 ? 0.75 * want + 0.25 * sum / weight : want;
        assert_near((double)x[i], 2 * want - 1, 1e-5);
    }
    float shared[5];
    double sum = 0, chars = 0;
    memcpy(shared, x, sizeof x);
    for (size_t i = 0; i < 5; i++) {
        double before = ((double)x[i] + 1) / 2, n = lines[i].end - lines[i].start;
        sum += before > 0 ? n * before : 0;
        chars += before > 0 ? n : 0;
    }
    assert_true(chars > 0);
    c.page_share = 0.5; /* half of what the page's text has is asked of each line */
    memcpy(x, BEFORE, sizeof x);
    line_calibrate(&c, &page, ROWS, 5, &keep, x);
    for (size_t i = 0; i < 5; i++) {
        assert_near((double)x[i], (double)shared[i] - 2 * 0.5 * sum / chars, 1e-5);
    }
    memcpy(x, NONE, sizeof x);
    line_calibrate(&c, &page, ROWS, 5, &keep, x);
    assert_near((double)x[4], 2 * -5.0 - 1, 1e-6); /* no line is text: nothing is asked */
    memcpy(x, BEFORE, sizeof x);
    line_calibrate(&c, NULL, ROWS, 5, &keep, x);
    assert_near((double)x[2], 3 * -3.0 + 4, 1e-6);
    arena_release(&keep);
}

static void write_model(struct line_model *m, char *folder)
{
    struct winnow_error err;
    assert_non_null(mkdtemp(folder));
    assert_ok(line_model_save(m, folder, 0.25, STR_LIT("{\"seed\": 7}"), &err), err);
}

static void a_folder_gives_back_the_model(void **state)
{
    (void)state;
    char folder[] = "/tmp/winnow-lines-XXXXXX";
    struct winnow_error err;
    struct line_model *m = random_model(NULL, 9), *again = NULL, *third = NULL;
    m->c.calibration = (struct line_calibration){1.5, -0.25, 0.5, -0.75, 0.625, 0.375};
    write_model(m, folder);
    assert_ok(line_model_load(folder, NULL, &again, &err), err);
    assert_near(line_model_config(again)->keep_above, 0.25, 0);
    assert_memory_equal(&line_model_config(again)->calibration, &m->c.calibration,
                        sizeof m->c.calibration);
    assert_int_equal(line_model_parameters(again), line_model_parameters(m));
    for (size_t i = 0; i < m->weight_count; i++) {
        assert_near((double)again->weights[i], (double)m->weights[i], 1.0 / 256); /* bf16 */
    }
    assert_ok(line_model_save(again, folder, 0.25, (struct str){"", 0}, &err), err);
    assert_ok(line_model_load(folder, NULL, &third, &err), err);
    assert_memory_equal(third->weights, again->weights, m->weight_count * sizeof(float));
    line_model_free(m);
    line_model_free(again);
    line_model_free(third);
    assert_ok(file_remove_tree(folder, &err), err);
}

/* Scores of the page by a model as its file gives it back, with tags or without. */
static void scores_of(const char *folder, const struct page_structure *page, float *out)
{
    struct winnow_error err;
    struct line_model *m = NULL;
    struct str lines[PAGE_LINES];
    page_lines(lines);
    assert_ok(line_model_load(folder, NULL, &m, &err), err);
    struct line_reader *r = line_reader_new(m);
    float ignored[PAGE_LINES]; /* a page of the other kind before leaves nothing behind */
    line_reader_scores(r, lines, NULL, PAGE_LINES, ignored);
    line_reader_scores(r, lines, page, PAGE_LINES, out);
    line_reader_free(r);
    line_model_free(m);
}

static void pages_without_tags_are_read_by_weights_of_their_own(void **state)
{
    (void)state;
    struct winnow_error err;
    char one[] = "/tmp/winnow-lines-XXXXXX", two[] = "/tmp/winnow-lines-XXXXXX";
    char both[] = "/tmp/winnow-lines-XXXXXX";
    struct line_model *m = random_model(NULL, 9), *alone = random_model(NULL, 10);
    size_t one_set = line_model_parameters(m);
    double flops = line_model_flops(m);
    struct structure_kind kinds[] = {{STR_LIT("html"), STR_LIT("x"), STR_LIT("")}};
    struct structure_node nodes[] = {{.kind = 0}};
    struct structure_line lines[PAGE_LINES];
    float want[PAGE_LINES], got[PAGE_LINES];
    for (uint32_t i = 0, at = 0; i < PAGE_LINES; i++) {
        uint32_t chars = (uint32_t)strlen(PAGE[i]);
        lines[i] = (struct structure_line){.start = at, .end = at + chars};
        at += chars + 1;
    }
    const struct page_structure page = {lines, nodes, kinds, PAGE_LINES, 1, 1};
    write_model(m, one);
    write_model(alone, two);
    assert_ok(line_model_give_alone(m, alone, &err), err);
    write_model(m, both);
    assert_int_equal(line_model_parameters(m), 2 * one_set);
    assert_near(line_model_flops(m), flops, 0);
    scores_of(both, NULL, got);
    scores_of(two, NULL, want);
    assert_memory_equal(got, want, sizeof got);
    scores_of(one, NULL, want);
    assert_memory_not_equal(got, want, sizeof got);
    scores_of(both, &page, got);
    scores_of(one, &page, want);
    assert_memory_equal(got, want, sizeof got);

    struct line_config other = SMALL;
    other.ffn += 16;
    struct line_model *wrong = NULL, *third = random_model(NULL, 12), *loaded = NULL;
    assert_ok(line_model_new(&other, 1, NULL, false, &wrong, &err), err);
    assert_int_equal(line_model_give_alone(m, wrong, &err), WINNOW_E_FORMAT);
    assert_non_null(strstr(err.text, "other sizes"));
    assert_ok(line_model_load(both, NULL, &loaded, &err), err);
    assert_ok(line_model_give_alone(third, loaded, &err), err); /* of two sets the one for lines */
    assert_near((double)third->alone->weights[0], (double)alone->weights[0], 1.0 / 64);
    line_model_free(third);
    line_model_free(wrong);
    line_model_free(m);
    assert_ok(file_remove_tree(one, &err), err);
    assert_ok(file_remove_tree(two, &err), err);
    assert_ok(file_remove_tree(both, &err), err);
}

static void damaged_folders_are_refused_in_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *says;
    } BAD[] = {
        {"winnow_lines", "llama", "model_type"},
        {"\"features\": 2", "\"features\": 99", "another version"},
        {"\"dim\": 32", "\"dim\": 33", "dim"},
        {"\"dim\": 32", "\"dim\": 48", "as config.json says"},
        {"\"rows\": 64", "\"rows\": 48", "power of two"},
        {"\"rows\": 64", "\"rows\": 4194304", "smaller than config.json says"},
        {"\"layers\": 2", "\"layers\": 3", "missing"},
        {"\"layers\": 2", "\"layers\": 1", "tensors"},
        {"\"layers\": 2", "\"layers\": 4000000000", "layers"},
        {"\"keep_above\": 0.25", "\"keep_above\": 2", "keep_above"},
        {"\"path_share\": 0", "\"path_share\": 2", "path_share"},
        {"\"page_share\": 0", "\"page_share\": -1", "page_share"},
        {"\"page_share\": 0", "\"page_share\": true", "page_share"},
        {"\"alone_scale\": 1", "\"alone_scale\": 0", "scales"},
        {"\"tagged_bias\"", "\"tagged\"", "tagged_bias"},
        {"{", "", "config.json"},
    };
    char folder[] = "/tmp/winnow-lines-XXXXXX";
    struct winnow_error err;
    struct line_model *m = random_model(NULL, 9), *again = NULL;
    write_model(m, folder);
    struct buf path = {0}, config = {0}, weights = {0}, other = {0};
    assert_ok(file_read(file_join(&path, folder, "config.json"), 1 << 20, &config, &err), err);
    assert_ok(file_read(file_join(&path, folder, "model.safetensors"), 1 << 20, &weights, &err),
              err);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct str whole = buf_str(&config);
        size_t at = str_find(whole, str_of(BAD[i].from));
        assert_true(at != SIZE_MAX);
        buf_clear(&other);
        buf_add_str(&other, str_sub(whole, 0, at));
        buf_add_text(&other, BAD[i].to);
        buf_add_str(&other, str_sub(whole, at + strlen(BAD[i].from), whole.len));
        assert_int_equal(
            line_model_parse(buf_str(&other), buf_str(&weights), "m", NULL, &again, &err),
            WINNOW_E_FORMAT);
        if (!strstr(err.text, BAD[i].says)) {
            fail_msg("case %zu says '%s', not '%s'", i, err.text, BAD[i].says);
        }
    }
    for (size_t cut = 0; cut < weights.len; cut += 97) {
        assert_int_equal(line_model_parse(buf_str(&config), str_sub(buf_str(&weights), 0, cut), "m",
                                          NULL, &again, &err),
                         WINNOW_E_FORMAT);
    }
    weights.ptr[weights.len - 1] = 0x7F; /* the last weight becomes infinite */
    weights.ptr[weights.len - 2] = (char)0x80;
    assert_int_equal(line_model_parse(buf_str(&config), buf_str(&weights), "m", NULL, &again, &err),
                     WINNOW_E_FORMAT);
    assert_non_null(strstr(err.text, "no number"));
    buf_release(&path);
    buf_release(&config);
    buf_release(&weights);
    buf_release(&other);
    line_model_free(m);
    assert_ok(file_remove_tree(folder, &err), err);
}

/* Executes the programs and gives what is left. */
static void run_programs(struct str text, const struct line_program *programs, size_t count,
                         struct buf *out)
{
    struct arena keep;
    struct edit e;
    struct winnow_error err;
    arena_init(&keep, 4096);
    assert_ok(edit_start(&e, text, &keep, &err), err);
    for (size_t i = 0; i < count; i++) {
        struct program p;
        program_parse(WINNOW_DIALECT_WINNOW, programs[i].text, &keep, &p);
        edit_apply(&e, &p, programs[i].first, programs[i].last);
        for (size_t c = 0; c < p.count; c++) {
            assert_null(p.calls[c].reason);
        }
        assert_false(p.truncated);
    }
    buf_clear(out);
    edit_result(&e, out);
    arena_release(&keep);
}

static void programs_remove_exactly_the_lines_below_the_limit(void **state)
{
    (void)state;
    struct line_model *m = random_model(NULL, 11);
    struct line_reader *r = line_reader_new(m);
    struct arena keep;
    arena_init(&keep, 4096);
    struct str lines[PAGE_LINES];
    float scores[PAGE_LINES];
    page_lines(lines);
    line_reader_scores(r, lines, NULL, PAGE_LINES, scores);
    double limit = 0;
    for (size_t i = 0; i < PAGE_LINES; i++) {
        limit += (double)scores[i] / PAGE_LINES; /* the mean: some above, some below */
    }
    struct buf text = {0}, want = {0}, got = {0};
    for (size_t i = 0; i < PAGE_LINES; i++) {
        buf_addf(&text, "%s%s", i > 0 ? "\n" : "", PAGE[i]);
        if ((double)scores[i] >= limit) {
            buf_addf(&want, "%s%s", want.len > 0 ? "\n" : "", PAGE[i]);
        }
    }
    struct line_program *programs = NULL;
    size_t count =
        line_reader_programs(r, (struct line_text){buf_str(&text), NULL},
                             (struct line_limits){.keep_above = limit}, &keep, &programs);
    assert_int_equal(count, 1);
    run_programs(buf_str(&text), programs, count, &got);
    assert_str(buf_str(&got), buf_cstr(&want));
    assert_true(want.len > 0 && want.len < text.len);

    (void)line_reader_programs(r, (struct line_text){buf_str(&text), NULL},
                               (struct line_limits){.keep_above = 0}, &keep, &programs);
    assert_str(programs[0].text, "keep_chunk()\n");
    (void)line_reader_programs(r, (struct line_text){buf_str(&text), NULL},
                               (struct line_limits){.keep_above = 1}, &keep, &programs);
    assert_str(programs[0].text, "remove_lines(line_start=0, line_end=10)\n");
    buf_release(&text);
    buf_release(&want);
    buf_release(&got);
    arena_release(&keep);
    line_reader_free(r);
    line_model_free(m);
}

static void lines_without_words_go_with_their_neighbours(void **state)
{
    (void)state;
    struct line_model *m = random_model(NULL, 11);
    struct line_reader *r = line_reader_new(m);
    struct arena keep;
    arena_init(&keep, 4096);
    struct line_program *programs = NULL;
    struct buf got = {0};
    (void)line_reader_programs(r, (struct line_text){STR_LIT("\n\none\n\n|\ntwo\n"), NULL},
                               (struct line_limits){.keep_above = 0}, &keep, &programs);
    run_programs(STR_LIT("\n\none\n\n|\ntwo\n"), programs, 1, &got);
    assert_str(buf_str(&got), "one\n\n|\ntwo");
    (void)line_reader_programs(r, (struct line_text){STR_LIT(""), NULL},
                               (struct line_limits){.keep_above = 0}, &keep, &programs);
    assert_str(programs[0].text, "remove_lines(line_start=0, line_end=0)\n");
    buf_release(&got);
    arena_release(&keep);
    line_reader_free(r);
    line_model_free(m);
}

static void documents_of_a_low_score_are_dropped(void **state)
{
    (void)state;
    struct line_model *m = random_model(NULL, 11);
    struct line_reader *r = line_reader_new(m);
    struct arena keep;
    struct buf text = {0};
    arena_init(&keep, 4096);
    double sum = 0, bytes = 0;
    for (size_t i = 0; i < PAGE_LINES; i++) {
        buf_addf(&text, "%s%s", i > 0 ? "\n" : "", PAGE[i]);
    }
    struct str lines[PAGE_LINES];
    float scores[PAGE_LINES];
    page_lines(lines);
    line_reader_scores(r, lines, NULL, PAGE_LINES, scores);
    for (size_t i = 0; i < PAGE_LINES; i++) {
        if (!isnan(scores[i])) {
            sum += (double)scores[i] * (double)lines[i].len;
            bytes += (double)lines[i].len;
        }
    }
    struct line_program *programs = NULL;
    struct line_limits limits = {.keep_above = 0, .drop_below = sum / bytes + 1e-6};
    assert_int_equal(
        line_reader_programs(r, (struct line_text){buf_str(&text), NULL}, limits, &keep, &programs),
        1);
    assert_str(programs[0].text, "drop_doc()\n");
    assert_true(programs[0].of_document);
    assert_int_equal(programs[0].last, PAGE_LINES - 1);
    limits.drop_below = sum / bytes - 1e-6;
    (void)line_reader_programs(r, (struct line_text){buf_str(&text), NULL}, limits, &keep,
                               &programs);
    assert_str(programs[0].text, "keep_chunk()\n");
    assert_false(programs[0].of_document);
    limits.drop_below = 1; /* nothing to judge is no bad document */
    (void)line_reader_programs(r, (struct line_text){STR_LIT("--\n"), NULL}, limits, &keep,
                               &programs);
    assert_false(programs[0].of_document);
    buf_release(&text);
    arena_release(&keep);
    line_reader_free(r);
    line_model_free(m);
}

static void long_documents_are_read_in_parts(void **state)
{
    (void)state;
    struct line_model *m = random_model(NULL, 11);
    struct line_reader *r = line_reader_new(m);
    struct arena keep;
    arena_init(&keep, 4096);
    struct buf text = {0}, got = {0};
    for (size_t i = 0; i < LINE_PART_MAX + 100U; i++) {
        buf_addf(&text, "%s%s %zu", i > 0 ? "\n" : "", PAGE[i % PAGE_LINES], i);
    }
    struct line_program *programs = NULL;
    size_t count = line_reader_programs(r, (struct line_text){buf_str(&text), NULL},
                                        (struct line_limits){.keep_above = 0.5}, &keep, &programs);
    assert_int_equal(count, 2);
    assert_int_equal(programs[0].last, LINE_PART_MAX - 1);
    assert_int_equal(programs[1].last, LINE_PART_MAX + 99);
    run_programs(buf_str(&text), programs, count, &got);
    assert_true(got.len < text.len);
    buf_release(&text);
    buf_release(&got);
    arena_release(&keep);
    line_reader_free(r);
    line_model_free(m);
}

/* Pages with a rule that can be learned: lines that end in a full stop stay. */
static void make_pages(struct line_page_set *set, size_t count)
{
    arena_init(&set->keep, 4096);
    set->items = mem_zalloc(count * sizeof *set->items);
    set->count = set->cap = count;
    struct rng r;
    rng_init(&r, 1, "pages");
    for (size_t p = 0; p < count; p++) {
        struct line_page *page = &set->items[p];
        page->count = 20;
        page->template_index = UINT32_MAX;
        page->lines = ARENA_NEW(&set->keep, struct str, page->count);
        page->labels = ARENA_NEW(&set->keep, unsigned char, page->count);
        for (size_t i = 0; i < page->count; i++) {
            bool text = rng_below(&r, 2) == 0;
            const char *line = text ? "The words go on, and on." : "Read more here";
            page->lines[i] = str_of(line);
            page->labels[i] = text;
        }
    }
}

/* Asks to stop after some steps. */
struct stop {
    uint64_t at;
    volatile int cancel;
};

static void watch(void *user, const struct winnow_progress *p)
{
    struct stop *s = user;
    s->cancel = p->done >= s->at;
}

struct line_run {
    uint32_t threads;
    const char *checkpoint;
    uint64_t stop_at; /* 0: never */
    uint64_t seed;
};

static winnow_status train_run(const struct line_run *run, struct line_model **m,
                               struct line_train_result *result, struct winnow_error *err)
{
    struct line_page_set pages = {0}, articles = {0};
    struct stop stop = {run->stop_at > 0 ? run->stop_at : UINT64_MAX, 0};
    const struct winnow_env env = {
        .seed = run->seed, .progress = watch, .user = &stop, .cancel = &stop.cancel};
    make_pages(&pages, 24);
    struct pool *pool = pool_new(run->threads);
    const struct line_train_data data = {.pages = &pages,
                                         .articles = &articles,
                                         .pool = pool,
                                         .env = &env,
                                         .checkpoint = run->checkpoint,
                                         .save_seconds = 1000};
    struct line_train_options opt = LINE_TRAIN_OPTIONS_INIT;
    opt.epochs = 10;
    opt.batch_pages = 8;
    opt.lr = opt.table_lr = 1e-2;
    winnow_status st = line_model_new(&SMALL, run->seed, NULL, false, m, err);
    if (st == WINNOW_OK) {
        st = line_train(*m, &opt, &data, result, err);
    }
    pool_free(pool);
    line_page_set_release(&pages);
    return st;
}

static void assert_same_training(const struct line_model *a, const struct line_train_result *ra,
                                 const struct line_model *b, const struct line_train_result *rb)
{
    assert_memory_equal(ra, rb, sizeof *ra);
    assert_memory_equal(a->weights, b->weights, a->weight_count * sizeof(float));
    assert_memory_equal(a->table, b->table, (size_t)SMALL.rows * SMALL.embed * sizeof(float));
}

static void training_learns_and_does_not_depend_on_threads(void **state)
{
    (void)state;
    struct line_model *one = NULL, *three = NULL;
    struct line_train_result result = {0}, again = {0};
    struct winnow_error err;
    assert_ok(train_run(&(struct line_run){.threads = 1, .seed = 4}, &one, &result, &err), err);
    assert_ok(train_run(&(struct line_run){.threads = 3, .seed = 4}, &three, &again, &err), err);
    assert_true(result.loss < 0.1); /* log 2 = 0.69 before it starts */
    assert_int_equal(result.steps, 30);
    assert_same_training(one, &result, three, &again);
    line_model_free(one);
    line_model_free(three);
}

/* Stopped after each number of steps in turn: what was saved is gone on from. */
static void a_broken_off_training_goes_on_to_the_same_weights(void **state)
{
    (void)state;
    struct line_model *whole = NULL, *m = NULL;
    struct line_train_result result, again;
    struct winnow_error err;
    struct scratch dir;
    scratch_open(&dir);
    const char *path = scratch_path(&dir, "lines.bin");
    assert_ok(train_run(&(struct line_run){.threads = 2, .seed = 4}, &whole, &result, &err), err);
    for (uint64_t at = 1; at < 30; at += 7) {
        const struct line_run run = {1, path, at, 4};
        assert_int_equal(train_run(&run, &m, &again, &err), WINNOW_E_CANCELLED);
        line_model_free(m);
    }
    assert_ok(train_run(&(struct line_run){2, path, 0, 4}, &m, &again, &err), err);
    assert_same_training(whole, &result, m, &again);
    line_model_free(m);
    line_model_free(whole);
    scratch_close(&dir);
}

static void checkpoints_of_other_trainings_are_refused_in_a_sentence(void **state)
{
    (void)state;
    struct line_model *m = NULL;
    struct line_train_result result;
    struct winnow_error err;
    struct scratch dir;
    scratch_open(&dir);
    const char *path = scratch_path(&dir, "lines.bin");
    assert_int_equal(train_run(&(struct line_run){1, path, 3, 4}, &m, &result, &err),
                     WINNOW_E_CANCELLED);
    line_model_free(m);
    assert_int_equal(train_run(&(struct line_run){1, path, 0, 5}, &m, &result, &err),
                     WINNOW_E_FORMAT);
    assert_non_null(strstr(err.text, "other pages or with other options"));
    assert_non_null(strstr(err.text, "to train anew"));
    line_model_free(m);
    struct buf bytes = {0};
    assert_ok(file_read(path, SIZE_MAX, &bytes, &err), err);
    for (size_t i = 0; i < bytes.len; i += bytes.len / 9) {
        bytes.ptr[i] ^= 1;
        path = scratch_write(&dir, "lines.bin", buf_str(&bytes));
        assert_int_equal(train_run(&(struct line_run){1, path, 0, 4}, &m, &result, &err),
                         WINNOW_E_FORMAT);
        line_model_free(m);
        bytes.ptr[i] ^= 1;
        path = scratch_write(&dir, "lines.bin", str_sub(buf_str(&bytes), 0, i));
        assert_int_equal(train_run(&(struct line_run){1, path, 0, 4}, &m, &result, &err),
                         WINNOW_E_FORMAT);
        line_model_free(m);
    }
    buf_release(&bytes);
    scratch_close(&dir);
}

static void the_built_in_refiner_loads_and_tells_text_from_menus(void **state)
{
    (void)state;
    struct line_model *m = NULL;
    struct winnow_error err;
    assert_ok(line_model_load(NULL, NULL, &m, &err), err);
    struct line_reader *r = line_reader_new(m);
    struct str lines[PAGE_LINES];
    float scores[PAGE_LINES];
    page_lines(lines);
    line_reader_scores(r, lines, NULL, PAGE_LINES, scores);
    assert_true(scores[4] > 0.5F && scores[5] > 0.5F);
    assert_true(scores[1] < 0.5F && scores[8] < 0.5F && scores[9] < 0.5F);
    line_reader_free(r);
    line_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scan_counts_words_and_reads_long_lines_in_part),
        cmocka_unit_test(digits_and_case_do_not_tell_lines_apart),
        cmocka_unit_test(features_stay_near_0_to_1),
        cmocka_unit_test(lines_are_read_with_and_without_tags),
        cmocka_unit_test(gradients_agree_with_differences),
        cmocka_unit_test(windows_own_every_line_once),
        cmocka_unit_test(lines_of_one_path_share_their_log_odds),
        cmocka_unit_test(a_folder_gives_back_the_model),
        cmocka_unit_test(pages_without_tags_are_read_by_weights_of_their_own),
        cmocka_unit_test(damaged_folders_are_refused_in_a_sentence),
        cmocka_unit_test(programs_remove_exactly_the_lines_below_the_limit),
        cmocka_unit_test(lines_without_words_go_with_their_neighbours),
        cmocka_unit_test(documents_of_a_low_score_are_dropped),
        cmocka_unit_test(long_documents_are_read_in_parts),
        cmocka_unit_test(training_learns_and_does_not_depend_on_threads),
        cmocka_unit_test(a_broken_off_training_goes_on_to_the_same_weights),
        cmocka_unit_test(checkpoints_of_other_trainings_are_refused_in_a_sentence),
        cmocka_unit_test(the_built_in_refiner_loads_and_tells_text_from_menus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
