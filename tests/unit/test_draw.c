#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "corpus/split.h"
#include "model/config.h"
#include "prove/draw.h"

#include <math.h>

static const struct packer_options PACKER = {1, 2, 64, 128, 0};

/* count documents of random keys and lengths; each fourth is a copy of the one
 * before it. */
static void make_set(struct text_set *t, size_t count, uint64_t first_key)
{
    struct rng r;
    rng_init(&r, first_key, "set");
    t->meta = mem_zalloc(count * sizeof *t->meta);
    for (size_t i = 0; i < count; i++) {
        uint64_t n = 1 + rng_below(&r, 200);
        for (uint64_t k = 0; k < n; k++) {
            u32_list_add(&t->docs.tokens, 5);
        }
        token_docs_end(&t->docs);
        bool copy = i % 4 == 3;
        t->meta[i] = (struct text_meta){.key = rng_mix(first_key + (copy ? i - 1 : i)),
                                        .copy = copy,
                                        .source = (uint32_t)(i % 3)};
    }
}

static void line_keeps_copies_together_in_every_corpus(void **state)
{
    (void)state;
    struct text_set a = {0}, b = {0};
    make_set(&a, 400, 0);
    make_set(&b, 200, 0); /* its documents are the first 200 of a */
    struct draw_line la, lb;
    draw_line_init(&la, &a, NULL, &PACKER, 3);
    draw_line_init(&lb, &b, NULL, &PACKER, 3);
    assert_int_equal(la.count, 400);
    for (uint64_t tokens = 0; tokens < 30000; tokens += 997) {
        size_t end = draw_line_reach(&la, 0, tokens);
        assert_true(draw_line_tokens(&la, 0, end) >= tokens);
        if (end == 0) {
            continue;
        }
        uint64_t u = la.draws[end - 1];
        assert_int_equal(draw_line_above(&la, u), end);
        /* on the other corpus the same cut separates the same texts */
        size_t cut = draw_line_above(&lb, u);
        for (size_t i = 0; i < lb.count; i++) {
            uint64_t key = b.meta[lb.items[i]].key;
            assert_int_equal(i < cut, selector_draw(key, 3) <= u);
        }
    }
    assert_int_equal(draw_line_reach(&la, 0, UINT64_MAX), la.count);
    draw_line_release(&la);
    draw_line_release(&lb);
    text_set_release(&a);
    text_set_release(&b);
}

static void line_leaves_out_what_is_held_out(void **state)
{
    (void)state;
    struct text_set a = {0};
    make_set(&a, 100, 50);
    struct map held = {0};
    for (size_t i = 0; i < 100; i += 7) {
        (void)map_put(&held, (struct str){(const char *)&a.meta[i].key, sizeof(uint64_t)}, NULL);
    }
    struct draw_line l;
    draw_line_init(&l, &a, &held, &PACKER, 1);
    for (size_t i = 0; i < l.count; i++) {
        const struct str key = {(const char *)&a.meta[l.items[i]].key, sizeof(uint64_t)};
        assert_null(map_get(&held, key));
    }
    assert_true(l.count < 100 - 14 + 1);
    draw_line_release(&l);
    map_release(&held);
    text_set_release(&a);
}

static void a_line_without_a_source_is_the_line_of_the_others(void **state)
{
    (void)state;
    struct text_set a = {0}, others = {0};
    make_set(&a, 300, 7);
    make_set(&others, 300,
             7); /* the twin: the same set, whose documents of source 1 are held out */
    struct map held = {0};
    for (size_t i = 0; i < 300; i++) { /* copies are of other sources and keep their keys */
        others.meta[i].key += others.meta[i].source == 1 ? (uint64_t)1 << 60 : 0;
        const struct str key = {(const char *)&others.meta[i].key, sizeof(uint64_t)};
        if (others.meta[i].source == 1) {
            (void)map_put(&held, key, NULL);
        }
    }
    struct draw_line l, twin;
    draw_line_init(&l, &a, NULL, &PACKER, 5);
    draw_line_init(&twin, &others, &held, &PACKER, 5);
    draw_line_leave_out(&l, 1);
    assert_int_equal(l.count, 200);
    assert_int_equal(twin.count, 200);
    assert_memory_equal(l.items, twin.items, 200 * sizeof *l.items);
    assert_memory_equal(l.draws, twin.draws, 200 * sizeof *l.draws);
    assert_memory_equal(l.ends, twin.ends, 200 * sizeof *l.ends);
    draw_line_leave_out(&l, 9); /* none of it */
    assert_int_equal(l.count, 200);
    assert_int_equal(draw_line_tokens(&l, 0, 200), twin.ends[199]);
    draw_line_leave_out(&l, 0);
    draw_line_leave_out(&l, 2);
    assert_int_equal(l.count, 0);
    draw_line_release(&l);
    draw_line_release(&twin);
    map_release(&held);
    text_set_release(&a);
    text_set_release(&others);
}

static size_t place(const struct arm_draw *a, uint32_t item)
{
    for (size_t i = 0; i < a->order_count; i++) {
        if (a->order[i] == item) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void arms_share_the_order_of_what_they_share(void **state)
{
    (void)state;
    struct text_set a = {0};
    make_set(&a, 300, 9);
    struct draw_line l;
    draw_line_init(&l, &a, NULL, &PACKER, 4);
    struct arm_draw all = {0}, some = {0};
    arm_draw_range(&l, 0, l.count, &all);
    arm_draw_random(&l, 0, l.count, all.tokens / 2, NULL, 4, &some);
    assert_true(some.tokens >= all.tokens / 2 && some.tokens < all.tokens / 2 + 202);
    arm_draw_order(&all, &a, all.tokens, 4);
    arm_draw_order(&some, &a, some.tokens, 4);
    assert_int_equal(all.order_count, 300);
    for (size_t i = 1; i < some.order_count; i++) {
        assert_true(place(&all, some.order[i - 1]) < place(&all, some.order[i]));
    }
    size_t adjacent = 0; /* copies must not follow each other */
    for (size_t i = 1; i < all.order_count; i++) {
        adjacent += a.meta[all.order[i]].key == a.meta[all.order[i - 1]].key;
    }
    assert_true(adjacent <= 4);
    arm_draw_release(&all);
    arm_draw_release(&some);
    draw_line_release(&l);
    text_set_release(&a);
}

static void epochs_repeat_every_document_in_new_orders(void **state)
{
    (void)state;
    struct text_set a = {0};
    make_set(&a, 50, 2);
    struct draw_line l;
    draw_line_init(&l, &a, NULL, &PACKER, 4);
    struct arm_draw all = {0};
    arm_draw_range(&l, 0, l.count, &all);
    arm_draw_order(&all, &a, all.tokens * 5 / 2, 4);
    assert_int_equal(all.order_count, 150);
    size_t same = 0;
    for (size_t e = 0; e < 3; e++) {
        unsigned seen[50] = {0};
        for (size_t i = 0; i < 50; i++) {
            seen[all.order[50 * e + i]]++;
            same += e > 0 && all.order[50 * e + i] == all.order[i];
        }
        for (size_t i = 0; i < 50; i++) {
            assert_int_equal(seen[i], 1);
        }
    }
    assert_true(same < 20);
    arm_draw_release(&all);
    draw_line_release(&l);
    text_set_release(&a);
}

/* Of 40 documents; weights by their place on the line. */
static void draw_copies(const struct text_set *a, const float *weights, uint64_t times,
                        struct arm_draw *plain, struct arm_draw *out)
{
    struct draw_line l;
    draw_line_init(&l, a, NULL, &PACKER, 4);
    arm_draw_range(&l, 0, l.count, plain);
    arm_draw_range(&l, 0, l.count, out);
    assert_true(arm_draw_weigh(out, &l, 0, l.count, weights));
    arm_draw_order(plain, a, plain->tokens * times, 4);
    arm_draw_order_copies(out, a, &PACKER, plain->tokens * times, 4);
    draw_line_release(&l);
}

static void equal_weights_make_the_plain_order(void **state)
{
    (void)state;
    struct text_set a = {0};
    make_set(&a, 40, 2);
    float weights[40];
    for (size_t i = 0; i < 40; i++) {
        weights[i] = 0.3F;
    }
    for (uint64_t times = 1; times < 4; times++) {
        struct arm_draw plain, copies;
        draw_copies(&a, weights, times, &plain, &copies);
        assert_int_equal(copies.order_count, plain.order_count);
        assert_memory_equal(copies.order, plain.order, plain.order_count * sizeof *plain.order);
        arm_draw_release(&plain);
        arm_draw_release(&copies);
    }
    text_set_release(&a);
}

/* Over many epochs; copies of one document do not follow each other. */
static void copies_come_as_often_as_weights_say(void **state)
{
    (void)state;
    enum { TIMES = 400 };
    static const float WEIGHTS[] = {0, 1, 2.5F, 0.25F, 1.25F}; /* of a mean of 1 */
    struct text_set a = {0};
    struct arm_draw plain, copies;
    make_set(&a, 40, 2);
    float weights[40];
    for (size_t i = 0; i < 40; i++) {
        weights[i] = 7 * WEIGHTS[i % 5];
    }
    draw_copies(&a, weights, TIMES, &plain, &copies);
    uint64_t seen[40] = {0}, tokens = 0, adjacent = 0;
    for (size_t i = 0; i < copies.order_count; i++) {
        size_t n;
        (void)token_docs_at(&a.docs, copies.order[i], &n);
        tokens += packer_stream(&PACKER, n);
        seen[copies.order[i]]++;
        adjacent += i > 0 && copies.order[i] == copies.order[i - 1];
    }
    assert_true(tokens >= plain.tokens * TIMES);
    assert_true(adjacent < copies.order_count / 10);
    double epochs = (double)seen[copies.items[1]]; /* of weight 1: once in each */
    for (size_t i = 0; i < 40; i++) {
        double expected = (double)WEIGHTS[i % 5] * epochs;
        assert_near((double)copies.weights[copies.items[i]], (double)WEIGHTS[i % 5], 1e-5);
        assert_near((double)seen[copies.items[i]], expected, i % 5 < 2 ? 0 : 4 * sqrt(epochs) / 2);
    }
    arm_draw_release(&plain);
    arm_draw_release(&copies);
    text_set_release(&a);
}

static void matched_copies_sources_and_lengths(void **state)
{
    (void)state;
    struct text_set a = {0};
    make_set(&a, 2000, 77);
    struct draw_line l;
    draw_line_init(&l, &a, NULL, &PACKER, 1);
    struct arm_draw like = {0}, matched = {0};
    like.items = mem_alloc(2000 * sizeof *like.items);
    for (size_t i = 0; i < l.count; i++) { /* long documents of source 1 only */
        size_t n;
        (void)token_docs_at(&a.docs, l.items[i], &n);
        if (a.meta[l.items[i]].source == 1 && n > 128 && like.count < 100) {
            like.items[like.count++] = l.items[i];
            like.tokens += n;
        }
    }
    arm_draw_random(&l, 0, l.count, 0, &like, 1, &matched);
    for (size_t i = 0; i < matched.count; i++) {
        size_t n;
        (void)token_docs_at(&a.docs, matched.items[i], &n);
        assert_int_equal(a.meta[matched.items[i]].source, 1);
        assert_true(n >= 128);
    }
    assert_near((double)matched.count, 100, 0.1);
    arm_draw_release(&like);
    arm_draw_release(&matched);
    draw_line_release(&l);
    text_set_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_keeps_copies_together_in_every_corpus),
        cmocka_unit_test(line_leaves_out_what_is_held_out),
        cmocka_unit_test(a_line_without_a_source_is_the_line_of_the_others),
        cmocka_unit_test(arms_share_the_order_of_what_they_share),
        cmocka_unit_test(epochs_repeat_every_document_in_new_orders),
        cmocka_unit_test(equal_weights_make_the_plain_order),
        cmocka_unit_test(copies_come_as_often_as_weights_say),
        cmocka_unit_test(matched_copies_sources_and_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
