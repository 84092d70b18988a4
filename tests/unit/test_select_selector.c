/* Selection as a selector: documents in any order, and a part of them, give what a store of that
 * part alone gives. */
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "select/select_selector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 120, DIM = 64, FEW = 3 };

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/winnow-selector-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    struct winnow_error err;
    return file_remove_tree(folder, &err) == WINNOW_OK ? 0 : -1;
}

static const char *path_of(const char *name, char out[128])
{
    (void)snprintf(out, 128, "%s/%s", folder, name);
    return out;
}

static void numbers(uint64_t id, const char *stream, float *x)
{
    struct rng r;
    rng_init(&r, id, stream);
    for (size_t k = 0; k < DIM; k++) {
        x[k] = (float)rng_normal(&r) + (k == id % 4 ? 3.0F : 0.0F);
    }
}

/* A store of the documents with these ids; the stream decides their numbers. */
static const char *write_store(const char *name, const uint64_t *ids, size_t count,
                               const char *stream, char path[128])
{
    struct winnow_error err;
    char work[128], final[160];
    float x[DIM];
    assert_ok(file_make_dirs(path_of(name, path), &err), err);
    struct store_writer w = {
        .head = {.kind = STORE_GRADIENT, .parts = 1, .dim = DIM, .rows = count, .seed = 1}};
    w.parts[0] = (struct store_part){.step = 1, .rate = 0.1, .weights = 7};
    w.rows = mem_zalloc(count * sizeof *w.rows);
    for (size_t i = 0; i < count; i++) {
        w.rows[i] = (struct store_row){
            .id = ids[i], .key = rng_mix(ids[i]), .ordinal = i, .tokens = 10, .targets = 5};
    }
    assert_ok(store_start(&w, path_of("work", work), &err), err);
    for (size_t i = 0; i < count; i++) {
        numbers(ids[i], stream, x);
        assert_ok(store_put(&w, i, 0, x, &err), err);
    }
    (void)snprintf(final, sizeof final, "%s/%s", path, STORE_FILE);
    assert_ok(store_finish(&w, final, &err), err);
    mem_free(w.rows);
    w.rows = NULL;
    store_writer_release(&w);
    (void)snprintf(final, sizeof final, "%s/store.json", path);
    assert_ok(file_write_atomic(final, STR_LIT("{\"flops\": 1000}"), &err), err);
    return path;
}

/* Chooses among documents with these ids; kept[i] of each. */
static struct selector_cost choose_of(const struct winnow_select_options *opt, const uint64_t *ids,
                                      size_t count, bool *kept)
{
    struct winnow_error err;
    const struct winnow_env env = {.seed = 4};
    struct pool *pool = pool_new(1);
    const struct selector_home home = {.env = &env, .pool = pool, .folder = folder};
    struct selector_cost cost;
    struct selector_item items[ROWS];
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct selector_item){.id = ids[i]};
    }
    struct selector *s = SELECT_SELECTOR.open(opt, &home);
    assert_ok(SELECT_SELECTOR.prepare(s, &err), err);
    assert_ok(SELECT_SELECTOR.choose(s, opt, items, count, 1, &err), err);
    for (size_t i = 0; i < count; i++) {
        kept[i] = items[i].kept;
    }
    SELECT_SELECTOR.cost(s, &cost);
    SELECT_SELECTOR.close(s);
    pool_free(pool);
    return cost;
}

static size_t count_kept(const bool *kept, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        n += kept[i];
    }
    return n;
}

static void check_method(int method, const char *all, const char *half, const char *few)
{
    const char *target[] = {few};
    struct winnow_select_options opt = WINNOW_SELECT_OPTIONS_INIT;
    opt.method = method;
    opt.budget = "10%";
    opt.features = all;
    if (method != WINNOW_FACILITY && method != WINNOW_RANDOM) {
        opt.target_features = (struct winnow_list){target, 1};
    }
    uint64_t ids[ROWS], turned[ROWS], part[ROWS / 2];
    bool plain[ROWS], back[ROWS], some[ROWS], alone[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        ids[i] = 1000 + i;
        turned[i] = 1000 + (i * 7 + 3) % ROWS; /* 7 and 120 have no common factor */
    }
    for (size_t i = 0; i < ROWS / 2; i++) {
        part[i] = 1000 + 2 * i;
    }
    struct selector_cost cost = choose_of(&opt, ids, ROWS, plain);
    assert_int_equal(count_kept(plain, ROWS), ROWS / 10);
    assert_near(cost.measuring, 1000, 1e-12);
    (void)choose_of(&opt, turned, ROWS, back);
    for (size_t i = 0; i < ROWS; i++) {
        assert_int_equal(back[i], plain[turned[i] - 1000]);
    }
    cost = choose_of(&opt, part, ROWS / 2, some);
    assert_near(cost.measuring, 500, 1e-12);
    assert_int_equal(count_kept(some, ROWS / 2), ROWS / 20);
    if (method == WINNOW_FACILITY) {
        return; /* it draws by rows, which are others in a store of half */
    }
    opt.features = half;
    (void)choose_of(&opt, part, ROWS / 2, alone);
    assert_memory_equal(some, alone, ROWS / 2 * sizeof *some);
}

static void a_part_of_the_corpus_is_chosen_from_as_if_it_were_all(void **state)
{
    (void)state;
    char all[128], half[128], few[128];
    uint64_t ids[ROWS], part[ROWS / 2];
    const uint64_t examples[FEW] = {1, 2, 3};
    for (size_t i = 0; i < ROWS; i++) {
        ids[i] = 1000 + i;
        part[i / 2] = i % 2 == 0 ? 1000 + i : part[i / 2];
    }
    (void)write_store("all", ids, ROWS, "pool", all);
    (void)write_store("half", part, ROWS / 2, "pool", half);
    (void)write_store("few", examples, FEW, "few", few);
    static const int METHODS[] = {WINNOW_GTP, WINNOW_TOP_K, WINNOW_ROUND_ROBIN, WINNOW_FACILITY,
                                  WINNOW_RANDOM};
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++) {
        check_method(METHODS[i], all, half, few);
    }
}

static void a_document_without_a_vector_is_refused(void **state)
{
    (void)state;
    char all[128];
    const uint64_t ids[] = {5, 6, 7}, others[] = {5, 8};
    struct winnow_select_options opt = WINNOW_SELECT_OPTIONS_INIT;
    opt.features = write_store("three", ids, 3, "pool", all);
    const struct winnow_env env = {0};
    struct winnow_error err;
    struct pool *pool = pool_new(1);
    const struct selector_home home = {.env = &env, .pool = pool, .folder = folder};
    struct selector_item items[2] = {{.id = others[0]}, {.id = others[1]}};
    struct selector *s = SELECT_SELECTOR.open(&opt, &home);
    assert_ok(SELECT_SELECTOR.prepare(s, &err), err);
    assert_int_equal(SELECT_SELECTOR.choose(s, &opt, items, 2, 1, &err), WINNOW_E_FORMAT);
    assert_non_null(strstr(err.text, "another corpus"));
    SELECT_SELECTOR.close(s);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_of_the_corpus_is_chosen_from_as_if_it_were_all),
        cmocka_unit_test(a_document_without_a_vector_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
