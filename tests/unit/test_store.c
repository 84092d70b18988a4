/* A vector store: what is written is read, whatever sittings it took; what is damaged, or of
 * another making, is refused with a sentence. */
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "vectors/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 37, PARTS = 3, DIM = 50 };

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/winnow-store-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    struct winnow_error err;
    return file_remove_tree(folder, &err) == WINNOW_OK ? 0 : -1;
}

static const char *in_folder(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void begin(struct store_writer *w, uint64_t seed)
{
    *w = (struct store_writer){
        .head = {.kind = STORE_GRADIENT, .parts = PARTS, .dim = DIM, .rows = ROWS, .seed = seed}};
    w->rows = mem_zalloc(ROWS * sizeof *w->rows);
    for (size_t i = 0; i < ROWS; i++) {
        w->rows[i] = (struct store_row){.id = 100 + i, .key = 7 * i, .ordinal = i};
    }
    w->rows[5].flags = STORE_EMPTY;
}

static void numbers(size_t row, uint32_t part, float *out)
{
    struct rng r;
    rng_init(&r, row * PARTS + part, "store");
    for (size_t k = 0; k < DIM; k++) {
        out[k] = row == 9 ? 0 : (float)rng_normal(&r);
    }
    out[3] = row == 11 && part == 1 ? NAN : out[3];
}

/* Rows from..to of all parts, as far as they are missing. */
static void put(struct store_writer *w, size_t from, size_t to)
{
    struct winnow_error err;
    float x[DIM];
    for (uint32_t t = 0; t < PARTS; t++) {
        for (size_t i = from; i < to; i++) {
            if (i != 5 && !(w->rows[i].done >> t & 1U)) {
                numbers(i, t, x);
                assert_ok(store_put(w, i, t, x, &err), err);
            }
        }
    }
}

static void write_store(const char *work, const char *final, uint64_t seed)
{
    struct store_writer w;
    struct winnow_error err;
    begin(&w, seed);
    assert_ok(store_start(&w, work, &err), err);
    put(&w, 0, ROWS);
    assert_ok(store_finish(&w, final, &err), err);
    store_writer_release(&w);
}

static struct buf read_all(const char *path)
{
    struct buf b = {0};
    struct winnow_error err;
    assert_ok(file_read(path, (size_t)1 << 24, &b, &err), err);
    return b;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct winnow_error err;
    struct store s;
    char work[128];
    (void)snprintf(work, sizeof work, "%s", in_folder("work"));
    write_store(work, in_folder(STORE_FILE), 1);
    assert_ok(store_open(folder, &s, &err), err);
    assert_int_equal(s.head->rows, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        for (uint32_t t = 0; t < PARTS; t++) {
            float x[DIM], norm = s.norms[i * PARTS + t];
            numbers(i, t, x);
            double sum = 0;
            for (size_t k = 0; k < DIM; k++) {
                sum += (double)x[k] * (double)x[k];
            }
            if (i == 5 || i == 9 || (i == 11 && t == 1)) {
                assert_true(norm == 0);
                continue;
            }
            assert_near((double)norm, sqrt(sum), 1e-6);
            for (size_t k = 0; k < DIM; k++) {
                uint32_t bits = (uint32_t)s.data[(i * PARTS + t) * DIM + k] << 16;
                float back;
                memcpy(&back, &bits, sizeof back);
                assert_near((double)(back * norm), (double)x[k], 0.005);
            }
        }
    }
    assert_int_equal(s.rows[9].flags, STORE_ZERO);
    assert_int_equal(s.rows[11].flags, STORE_NOT_FINITE);
    store_close(&s);
}

/* As a kill leaves it: numbers are there whose bits are not; and nothing that was synced. */
static void sittings_do_not_change_a_byte(void **state)
{
    (void)state;
    struct winnow_error err;
    struct store_writer w;
    char work[128];
    struct buf want = read_all(in_folder(STORE_FILE));
    (void)snprintf(work, sizeof work, "%s", in_folder("again"));
    for (size_t sitting = 0; sitting < 4; sitting++) {
        begin(&w, 1);
        assert_ok(store_start(&w, work, &err), err);
        assert_true(w.resumed == (sitting > 0));
        assert_true(sitting == 0 || w.rows[sitting * 9 - 1].done > 0);
        put(&w, 0, (sitting + 1) * 9);
        assert_ok(store_sync(&w, &err), err);
        put(&w, 0, (sitting + 1) * 9 + 1 < ROWS ? (sitting + 1) * 9 + 1 : ROWS); /* not synced */
        if (sitting < 3) {
            store_writer_release(&w);
        }
    }
    put(&w, 0, ROWS);
    assert_ok(store_finish(&w, in_folder("second"), &err), err);
    store_writer_release(&w);
    struct buf got = read_all(in_folder("second"));
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.ptr, want.ptr, got.len);
    buf_release(&got);
    buf_release(&want);
}

static void another_making_starts_anew(void **state)
{
    (void)state;
    struct winnow_error err;
    struct store_writer w;
    begin(&w, 2);
    assert_ok(store_start(&w, in_folder("again"), &err), err);
    assert_false(w.resumed);
    store_writer_release(&w);
}

static void refuse(struct str bytes, const char *says)
{
    struct winnow_error err;
    struct store s;
    if (store_check(bytes, "x/vectors.bin", &s, &err) == WINNOW_OK) {
        fail_msg("not refused: %s", says);
    }
    if (!strstr(err.text, says)) {
        fail_msg("'%s' does not say '%s'", err.text, says);
    }
}

static void damage_is_refused_with_a_sentence(void **state)
{
    (void)state;
    struct winnow_error err;
    struct store s;
    struct buf b = read_all(in_folder(STORE_FILE));
    char *copy = mem_alloc(b.len);
    struct str all = {copy, b.len};
    struct store_head *h = (struct store_head *)(void *)copy;
    struct store_layout at = store_layout(ROWS, PARTS, DIM);
    memcpy(copy, b.ptr, b.len);
    assert_ok(store_check(all, "x", &s, &err), err);
    refuse((struct str){copy, 100}, "holds no vectors");
    refuse((struct str){copy, b.len - 1}, "cut short");
    copy[0] = 'x';
    refuse(all, "holds no vectors");
    copy[0] = 'w';
    h->kind = 9;
    refuse(all, "does not know");
    h->kind = STORE_GRADIENT;
    h->rows = UINT64_MAX / 2;
    refuse(all, "damaged");
    h->rows = ROWS;
    h->parts = 0;
    refuse(all, "damaged");
    h->parts = PARTS;
    ((struct store_row *)(void *)(copy + at.rows))[4].done = 3;
    refuse(all, "row 4 has no vector yet");
    ((struct store_row *)(void *)(copy + at.rows))[4].done = 7;
    ((float *)(void *)(copy + at.norms))[10] = NAN;
    refuse(all, "norm");
    mem_free(copy);
    buf_release(&b);
}

static void differ(struct store_head head, struct store_part part, const char *says)
{
    const struct store_head ours = {.parts = 1, .dim = 8, .seed = 1, .context = 64};
    const struct store_part mine = {.weights = 5, .projections = 6};
    const struct store a = {.head = &ours, .parts = &mine}, b = {.head = &head, .parts = &part};
    struct winnow_error err;
    assert_int_equal(store_alike(&a, "a", &b, "b", &err), WINNOW_E_FORMAT);
    if (!strstr(err.text, says)) {
        fail_msg("'%s' does not say '%s'", err.text, says);
    }
}

static void other_makings_are_told_apart(void **state)
{
    (void)state;
    const struct store_head h = {.parts = 1, .dim = 8, .seed = 1, .context = 64};
    const struct store_part p = {.weights = 5, .projections = 6};
    struct store_head x = h;
    struct store_part q = p;
    x.seed = 2;
    differ(x, p, "different seeds");
    x = h;
    x.dim = 9;
    differ(x, p, "dimensions");
    x = h;
    x.kind = STORE_HIDDEN;
    differ(x, p, "kinds");
    q.weights = 4;
    differ(h, q, "different models");
    q = p;
    q.projections = 4;
    differ(h, q, "--like");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(sittings_do_not_change_a_byte),
        cmocka_unit_test(another_making_starts_anew),
        cmocka_unit_test(damage_is_refused_with_a_sentence),
        cmocka_unit_test(other_makings_are_told_apart),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
