#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "model/config.h"
#include "train/packer.h"

#include <stdlib.h>

#define BOS 1000
#define EOS 1001

static void make_docs(struct token_docs *d, struct rng *r, size_t count, uint64_t longest)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t n = rng_below(r, longest + 1);
        for (uint64_t k = 0; k < n; k++) {
            u32_list_add(&d->tokens, (uint32_t)rng_below(r, 900));
        }
        token_docs_end(d);
    }
}

static int pair_compare(const void *pa, const void *pb)
{
    return memcmp(pa, pb, 2 * sizeof(uint32_t));
}

/* (context token, target) of every position of all documents, one by one. */
static void plain_pairs(const struct token_docs *d, const uint32_t *order, size_t count,
                        const struct packer_options *o, struct u32_list *out)
{
    for (size_t i = 0; i < count; i++) {
        size_t n;
        const uint32_t *t = token_docs_at(d, order[i], &n);
        if (packer_stream(o, n) == 0) {
            continue;
        }
        n = o->document_tokens > 0 && n > o->document_tokens ? o->document_tokens : n;
        uint32_t last = o->bos;
        for (size_t k = 0; k < n; k++) {
            if (last != MODEL_NO_TOKEN) {
                u32_list_add(out, last);
                u32_list_add(out, t[k]);
            }
            last = t[k];
        }
        if (o->eos != MODEL_NO_TOKEN) {
            u32_list_add(out, last);
            u32_list_add(out, o->eos);
        }
    }
}

static void check_packing(uint64_t seed, struct packer_options o, uint64_t longest)
{
    struct rng r;
    rng_init(&r, seed, "packer");
    struct token_docs docs = {0};
    make_docs(&docs, &r, 60, longest);
    uint32_t order[60];
    uint64_t stream = 0;
    for (uint32_t i = 0; i < 60; i++) {
        order[i] = i;
    }
    rng_shuffle_u32(&r, order, 60);
    for (uint32_t i = 0; i < 60; i++) {
        size_t n;
        (void)token_docs_at(&docs, i, &n);
        stream += packer_stream(&o, n);
    }
    struct u32_list want = {0}, got = {0};
    plain_pairs(&docs, order, 60, &o, &want);
    struct packer *p = packer_new(&docs, order, 60, &o);
    struct token_batch b;
    uint64_t batches = 0;
    bool full = true;
    while (full) {
        full = packer_next(p, &b);
        batches += full;
        assert_true(!full || batch_tokens(&b) == o.batch_tokens);
        for (size_t s = 0; s < b.sequences; s++) {
            assert_true(b.starts[s + 1] - b.starts[s] <= o.context);
            assert_true(b.starts[s + 1] > b.starts[s]);
            for (uint32_t i = b.starts[s]; i + 1 < b.starts[s + 1]; i++) {
                u32_list_add(&got, b.tokens[i]);
                u32_list_add(&got, b.tokens[i + 1]);
            }
        }
    }
    assert_int_equal(got.len, want.len); /* sequences are shuffled */
    qsort(want.ptr, want.len / 2, 2 * sizeof *want.ptr, pair_compare);
    qsort(got.ptr, got.len / 2, 2 * sizeof *got.ptr, pair_compare);
    assert_memory_equal(got.ptr, want.ptr, want.len * sizeof *want.ptr);
    assert_int_equal(packer_used(p), stream);
    assert_true(batches >= packer_steps(&o, stream)); /* stream tokens are a safe budget */
    packer_free(p);
    token_docs_release(&docs);
    u32_list_release(&want);
    u32_list_release(&got);
}

static void packer_makes_each_token_a_target_once(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        for (uint32_t context = 2; context <= 40; context = context * 2 + 1) {
            struct packer_options o = {BOS, EOS, context, 64, 0, NULL};
            check_packing(seed, o, 100);
            o.batch_tokens = context < 7 ? 7 : context; /* cuts fall everywhere */
            check_packing(seed, o, 100);
            o.document_tokens = 10;
            check_packing(seed, o, 100);
            o.bos = o.eos = MODEL_NO_TOKEN;
            check_packing(seed, o, 3);
        }
    }
}

/* A document of n tokens holds its own number n times. */
static void sequences_have_the_weights_of_their_documents(void **state)
{
    (void)state;
    struct token_docs docs = {0};
    float weights[20];
    uint32_t order[20];
    for (uint32_t i = 0; i < 20; i++) {
        for (uint32_t k = 0; k < 5 + 3 * i; k++) {
            u32_list_add(&docs.tokens, i);
        }
        token_docs_end(&docs);
        weights[i] = 1 + (float)i / 4;
        order[i] = 19 - i;
    }
    const struct packer_options o = {MODEL_NO_TOKEN, MODEL_NO_TOKEN, 16, 40, 0, weights};
    struct packer *p = packer_new(&docs, order, 20, &o);
    const struct sampler sampler = packer_sampler(p);
    struct sampler_batch b;
    struct winnow_error err;
    bool more = true;
    size_t sequences = 0;
    while (sampler.next(sampler.state, &b, &more, &err) == WINNOW_OK && more) {
        for (size_t s = 0; s < b.batch.sequences; s++, sequences++) {
            uint32_t document = b.batch.tokens[b.batch.starts[s]];
            assert_int_equal(b.documents[s], document);
            assert_true(b.batch.weights[s] == weights[document]);
        }
    }
    assert_true(sequences > 40);
    packer_free(p);
    token_docs_release(&docs);
}

static void packer_leaves_out_what_has_nothing_to_predict(void **state)
{
    (void)state;
    struct packer_options o = {MODEL_NO_TOKEN, MODEL_NO_TOKEN, 8, 16, 0};
    assert_int_equal(packer_stream(&o, 0), 0);
    assert_int_equal(packer_stream(&o, 1), 0);
    assert_int_equal(packer_stream(&o, 2), 2);
    o.bos = BOS;
    assert_int_equal(packer_stream(&o, 0), 0);
    assert_int_equal(packer_stream(&o, 1), 2);
    o.document_tokens = 5;
    assert_int_equal(packer_stream(&o, 100), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packer_makes_each_token_a_target_once),
        cmocka_unit_test(sequences_have_the_weights_of_their_documents),
        cmocka_unit_test(packer_leaves_out_what_has_nothing_to_predict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
