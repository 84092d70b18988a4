/* test_ranks.c -- meetings of 1 to 4 ranks: as threads, and as processes where it is started by
 * mpirun with the path of winnow-mpi.so. */
#include "base/hash.h"
#include "check.h"
#include "thread_ranks.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>

/* cmocka's asserts leave by longjmp, which no other thread may do. */
#define MUST(c)                                                           \
    do {                                                                  \
        if (!(c)) {                                                       \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c); \
            abort();                                                      \
        }                                                                 \
    } while (0)

static struct winnow_ranks *process; /* of a launch by mpirun */

static void on_ranks(void (*work)(struct winnow_ranks *r))
{
    work(NULL);
    if (process) {
        work(process);
        return;
    }
    for (uint32_t n = 1; n <= 4; n++) {
        on_thread_ranks(n, work);
    }
}

static void meet(struct winnow_ranks *r)
{
    struct winnow_error err;
    uint32_t rank = ranks_rank(r), count = ranks_count(r);
    MUST(rank < count && ranks_lead(r) == (rank == 0));
    MUST(ranks_agree(r, WINNOW_OK, &err) == WINNOW_OK && ranks_check(r, &err) == WINNOW_OK);

    struct buf bytes = {0}, mine = {0};
    for (uint32_t i = 0; ranks_lead(r) && i < 100000; i++) {
        buf_add(&bytes, &i, sizeof i);
    }
    MUST(ranks_cast(r, &bytes, &err) == WINNOW_OK && bytes.len == 400000);
    for (uint32_t i = 0, k; i < 100000; i++) {
        memcpy(&k, bytes.ptr + i * sizeof k, sizeof k);
        MUST(k == i);
    }

    size_t lens[THREAD_RANKS_MAX], at = 0;
    for (uint32_t i = 0; i < rank; i++) {
        buf_addf(&mine, "%u", rank);
    }
    MUST(ranks_gather(r, buf_str(&mine), &bytes, lens, &err) == WINNOW_OK);
    for (uint32_t i = 0; i < count; i++) {
        MUST(lens[i] == i);
        for (uint32_t k = 0; k < i; k++) {
            MUST(bytes.ptr[at++] == (char)('0' + i));
        }
    }
    MUST(at == bytes.len);
    buf_release(&bytes);
    buf_release(&mine);
}

static void sums_are_of_all_and_doubles_the_same_bits(struct winnow_ranks *r)
{
    struct winnow_error err;
    enum { N = 20000 };
    uint64_t *whole = calloc(N, sizeof *whole);
    double *real = calloc(N, sizeof *real);
    uint32_t rank = ranks_rank(r), count = ranks_count(r);
    for (size_t i = 0; i < N; i++) {
        whole[i] = i * (rank + 1);
        real[i] = 1.0 / (double)(i + rank + 1);
    }
    MUST(ranks_sum(r, whole, N, &err) == WINNOW_OK &&
         ranks_sum_doubles(r, real, N, &err) == WINNOW_OK);
    for (size_t i = 0; i < N; i++) {
        double twin = 0;
        for (uint32_t k = 0; k < count; k++) {
            twin += 1.0 / (double)(i + k + 1);
        }
        MUST(whole[i] == i * count * (count + 1) / 2);
        MUST(memcmp(&twin, &real[i], sizeof twin) == 0);
    }
    free(whole);
    free(real);
}

/* Each rank has the numbers of its residue; each number goes to the owner of its hash. */
struct posting {
    struct winnow_ranks *r;
    uint64_t next, end, message[2], sum, got, last[THREAD_RANKS_MAX];
};

static winnow_status next_number(void *ctx, uint32_t *to, struct str *message, bool *more,
                                 struct winnow_error *err)
{
    struct posting *p = ctx;
    (void)err;
    *more = p->next < p->end;
    p->message[0] = p->next;
    p->message[1] = hash64((struct str){(const char *)p->message, 8}, 0);
    *to = ranks_owner(p->r, p->message[1]);
    *message = (struct str){(const char *)p->message, p->next % 3 == 0 ? 8 : 16};
    p->next += ranks_count(p->r);
    return WINNOW_OK;
}

static winnow_status take_number(void *ctx, uint32_t from, struct str message,
                                 struct winnow_error *err)
{
    struct posting *p = ctx;
    uint64_t number;
    (void)err;
    memcpy(&number, message.ptr, 8);
    MUST(message.len == (number % 3 == 0 ? 8U : 16U) && number % ranks_count(p->r) == from);
    MUST(ranks_owner(p->r, hash64((struct str){message.ptr, 8}, 0)) == ranks_rank(p->r));
    MUST(p->last[from] <= number); /* in the order of the sender */
    p->last[from] = number;
    p->sum += number;
    p->got++;
    return WINNOW_OK;
}

static void every_message_comes_to_its_owner_once(struct winnow_ranks *r)
{
    struct winnow_error err;
    for (size_t round = 1000; round < 2000000; round *= 100) {
        struct posting p = {.r = r, .next = ranks_rank(r), .end = 30000 + ranks_rank(r) * 1000};
        const struct ranks_exchange how = {&p, round, next_number, take_number};
        MUST(ranks_exchange(r, &how, &err) == WINNOW_OK);
        uint64_t sums[2] = {p.got, p.sum}, want = 0, count = 0;
        MUST(ranks_sum(r, sums, 2, &err) == WINNOW_OK);
        for (uint32_t k = 0; k < ranks_count(r); k++) {
            for (uint64_t n = k; n < 30000 + k * 1000; n += ranks_count(r)) {
                want += n;
                count++;
            }
        }
        MUST(sums[0] == count && sums[1] == want);
    }
}

/* The last rank fails where the others are at another place of the program. */
static void one_failure_is_everybody_s(struct winnow_ranks *r)
{
    struct winnow_error err = {{0}};
    bool last = ranks_rank(r) + 1 == ranks_count(r);
    winnow_status st = WINNOW_OK;
    if (last) {
        st = error_set(&err, WINNOW_E_FORMAT, "the shard is torn");
    } else {
        while (ranks_check(r, &err) == WINNOW_OK) { /* until it is known */
        }
        uint64_t n = 1;
        st = ranks_sum(r, &n, 1, &err);
    }
    st = ranks_agree(r, st, &err);
    MUST(st == WINNOW_E_FORMAT);
    MUST(strstr(err.text, "the shard is torn") != NULL);
    MUST((strncmp(err.text, "rank ", 5) == 0) == (ranks_count(r) > 1));
    MUST(!r || ranks_agree(r, WINNOW_OK, &err) == WINNOW_E_FORMAT); /* from now on */
}

static void ranks_meet(void **state)
{
    (void)state;
    on_ranks(meet);
}

static void ranks_sum_up(void **state)
{
    (void)state;
    on_ranks(sums_are_of_all_and_doubles_the_same_bits);
}

static void ranks_exchange_by_key(void **state)
{
    (void)state;
    on_ranks(every_message_comes_to_its_owner_once);
}

static void ranks_fail_together(void **state)
{
    (void)state;
    on_ranks(one_failure_is_everybody_s);
}

static void join(const char *module)
{
    struct ranks_transport transport;
    void *loaded = dlopen(module, RTLD_NOW | RTLD_GLOBAL);
    ranks_join *enter = NULL;
    void *symbol = loaded ? dlsym(loaded, RANKS_JOIN) : NULL;
    memcpy(&enter, &symbol, sizeof enter);
    MUST(enter && enter(&transport) == 0);
    process = ranks_new(&transport);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        join(argv[1]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_meet), cmocka_unit_test(ranks_sum_up),
        cmocka_unit_test(ranks_exchange_by_key),
        cmocka_unit_test(ranks_fail_together), /* the last: nothing more can be done together */
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ranks_free(process);
    return failed;
}
