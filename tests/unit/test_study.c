/* Statistics of facts are counted as a plain search counts them, and effects by strata are what
 * they are by hand, and in simulations with a known truth. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "scratch.h"
#include "study/effects.h"
#include "study/fact_counts.h"

static struct scratch scratch;

/* ---- effects ---- */

static void effects_are_those_by_hand(void **state)
{
    (void)state;
    static const struct effect_row ROWS[] = {
        /* stratum 1: treated 1 of 2, others 0 of 1;  stratum 2: 1 of 1, 1 of 2;  3: one kind */
        {1, 0, true, true},  {1, 1, true, false},  {1, 2, false, false}, {2, 0, true, true},
        {2, 1, false, true}, {2, 2, false, false}, {3, 0, true, false},
    };
    struct effect e = effect_of(ROWS, 7, 3, 0, 1);
    assert_int_equal(e.rows, 7);
    assert_int_equal(e.treated, 4);
    assert_int_equal(e.used, 6);
    assert_int_equal(e.strata, 3);
    assert_int_equal(e.strata_used, 2);
    assert_int_equal(e.outcomes, 3);
    assert_near(e.naive, 2.0 / 4 - 1.0 / 3, 1e-12);
    assert_near(e.adjusted, (3 * (0.5 - 0) + 3 * (1 - 0.5)) / 6, 1e-12);
    assert_true(isnan(e.low));
    e = effect_of(ROWS, 2, 2, 100, 1); /* all treated */
    assert_true(isnan(e.naive) && isnan(e.adjusted));
    e = effect_of(ROWS, 0, 1, 100, 1);
    assert_true(isnan(e.adjusted) && e.rows == 0);
}

/* A confounder of five bins moves treatment and outcome; the treatment itself adds `truth`. */
static struct effect simulated(double truth, bool confounded, size_t count)
{
    struct effect_row *rows = mem_alloc(count * sizeof *rows);
    struct rng r;
    rng_init(&r, 8, "simulated");
    for (uint32_t i = 0; i < count; i++) {
        uint64_t z = rng_below(&r, 5);
        double treated = confounded ? 0.1 + 0.2 * (double)z : 0.5;
        rows[i] = (struct effect_row){.stratum = z, .unit = i};
        rows[i].treated = rng_uniform(&r) < treated;
        rows[i].outcome = rng_uniform(&r) < 0.05 + 0.15 * (double)z + (rows[i].treated ? truth : 0);
    }
    struct effect e = effect_of(rows, count, (uint32_t)count, 200, 3);
    mem_free(rows);
    return e;
}

static void strata_take_a_confounder_out(void **state)
{
    (void)state;
    struct effect e = simulated(0.25, true, 8000);
    assert_true(e.naive > 0.25 + 0.08);
    assert_near(e.adjusted, 0.25, 0.03);
    assert_true(e.low < 0.25 && 0.25 < e.high);
    e = simulated(0, true, 8000); /* nothing there: strata say so, the naive one does not */
    assert_true(e.naive > 0.08);
    assert_near(e.adjusted, 0, 0.03);
}

static void without_a_confounder_strata_gain_nothing(void **state)
{
    (void)state;
    struct effect e = simulated(0.2, false, 8000);
    assert_near(e.adjusted, e.naive, 0.01);
}

/* ---- counts ---- */

static void read_facts(struct facts *f, const char *lines)
{
    struct winnow_error err;
    char path[512];
    (void)snprintf(path, sizeof path, "%s", scratch_write(&scratch, "facts.jsonl", str_of(lines)));
    assert_ok(facts_read(path, f, &err), err);
}

static const char FACTS[] =
    "{\"subject\": \"Lyon\", \"pattern\": \"[X] lies in [Y].\", \"object\": \"France\"}\n"
    "{\"subject\": \"Monte Carlo\", \"pattern\": \"[X] lies in [Y].\", \"object\": \"Monaco\"}\n"
    "{\"subject\": \"Lyon\", \"pattern\": \"The city of [X] is part of [Y]\", \"object\": "
    "\"France\", "
    "\"relation\": \"part\"}\n"
    "{\"subject\": \"Monaco\", \"pattern\": \"The city of [X] is part of [Y]\", \"object\": "
    "\"Monaco\", \"relation\": \"part\"}\n";

static void sentences_are_counted(void **state)
{
    (void)state;
    struct facts f;
    struct fact_counts c;
    read_facts(&f, FACTS);
    fact_counts_init(&c, &f);
    fact_counts_text(&c, STR_LIT("Lyon lies in France. LYON, France! In France lies Lyon; Lyon."));
    fact_counts_text(&c, STR_LIT("Lyons lies in France.\nThe city of Lyon\nis part of France"));
    fact_counts_text(&c,
                     STR_LIT("Monte  Carlo lies\tin Monaco? The city of Lyon is part of France."));
    assert_int_equal(c.sentences, 8);
    assert_int_equal(fact_counts_subject(&c, 0), 5); /* Lyon, once a sentence */
    assert_int_equal(fact_counts_subject(&c, 1), 1); /* Monte Carlo */
    assert_int_equal(fact_counts_subject(&c, 2), 1); /* Monaco is subject and object */
    assert_int_equal(fact_counts_pair(&c, 0, 0), 4);
    assert_int_equal(fact_counts_pair(&c, 1, 1), 1);
    assert_int_equal(fact_counts_pair(&c, 0, 1), 0);
    assert_int_equal(fact_counts_pattern(&c, 0, 0), 2); /* lies in France */
    assert_int_equal(fact_counts_pattern(&c, 0, 1), 1);
    assert_int_equal(fact_counts_pattern(&c, 1, 0), 2); /* is part of France */
    assert_int_equal(fact_counts_fact(&c, 0, 0, 0), 1);
    assert_int_equal(fact_counts_fact(&c, 0, 1, 1), 1);
    assert_int_equal(fact_counts_fact(&c, 1, 0, 0), 1);
    assert_int_equal(fact_counts_fact(&c, 1, 2, 1), 0);
    fact_counts_release(&c);
    facts_release(&f);
}

/* How often sentences of words have two of them: a plain search. */
static void pairs_are_those_of_a_plain_search(void **state)
{
    (void)state;
    enum { NAMES = 12, SENTENCES = 400, WORDS = 9 };
    struct facts f;
    struct fact_counts c;
    struct buf facts = {0}, text = {0};
    static uint8_t has[SENTENCES][2 * NAMES];
    struct rng r;
    for (int i = 0; i < NAMES; i++) {
        buf_addf(&facts, "{\"subject\":\"s%d\",\"pattern\":\"[X] is [Y]\",\"object\":\"o%d\"}\n", i,
                 i);
    }
    read_facts(&f, buf_cstr(&facts));
    fact_counts_init(&c, &f);
    rng_init(&r, 2, "sentences");
    for (int s = 0; s < SENTENCES; s++) {
        for (int w = 0; w < WORDS; w++) {
            unsigned k = (unsigned)rng_below(&r, 3 * NAMES);
            if (k < 2 * NAMES) {
                has[s][k] = 1;
            }
            buf_addf(&text, "%s%u ", k < NAMES ? "S" : k < 2 * NAMES ? "o" : "w", k % NAMES);
        }
        buf_add_text(&text, ". ");
    }
    fact_counts_text(&c, buf_str(&text));
    assert_int_equal(c.sentences, SENTENCES);
    for (uint32_t a = 0; a < NAMES; a++) {
        for (uint32_t b = 0; b < NAMES; b++) {
            uint64_t want = 0;
            for (int s = 0; s < SENTENCES; s++) {
                want += has[s][a] && has[s][NAMES + b];
            }
            assert_int_equal(fact_counts_pair(&c, a, b), want);
        }
    }
    buf_release(&facts);
    buf_release(&text);
    fact_counts_release(&c);
    facts_release(&f);
}

/* ---- a corpus in several shards, stopped between two ---- */

struct stopping {
    struct winnow_env env;
    int stop;
    uint64_t seen, at; /* calls of progress; the one that stops */
};

static void stop_at(void *ctx, const struct winnow_progress *p)
{
    struct stopping *s = ctx;
    (void)p;
    s->stop = ++s->seen >= s->at;
}

static void write_shards(void)
{
    char name[32], line[160];
    for (int i = 0; i < 5; i++) {
        (void)snprintf(name, sizeof name, "corpus/%d.jsonl", i);
        (void)snprintf(line, sizeof line,
                       "{\"id\": \"%d\", \"text\": \"Lyon lies in France. Lyon %d. The city of "
                       "Monaco is part of Monaco.\"}\n%s\n",
                       i, i, i == 1 ? "no json" : "");
        (void)scratch_write(&scratch, name, str_of(line));
    }
}

static winnow_status count_corpus(struct fact_counts *c, const struct facts *f, const char *state,
                                  struct stopping *s, struct winnow_error *err)
{
    const struct winnow_study_options opt = WINNOW_STUDY_OPTIONS_INIT;
    char corpus[512];
    (void)snprintf(corpus, sizeof corpus, "%s", scratch_path(&scratch, "corpus"));
    const char *path = corpus;
    const struct winnow_list paths = {&path, 1};
    const struct fact_reading reading = {&opt, &paths, state, 1};
    s->stop = 0;
    s->seen = 0;
    s->env = (struct winnow_env){.threads = 2, .cancel = &s->stop, .progress = stop_at, .user = s};
    fact_counts_init(c, f);
    return fact_counts_corpus(c, &reading, &s->env, err);
}

static void assert_same_counts(const struct fact_counts *a, const struct fact_counts *b)
{
    assert_int_equal(a->sentences, b->sentences);
    assert_int_equal(a->documents, b->documents);
    assert_memory_equal(a->counts, b->counts, a->phrases.count * sizeof *a->counts);
    assert_int_equal(a->pairs.count, b->pairs.count);
    for (size_t i = 0; i < a->pairs.count; i++) {
        assert_memory_equal(a->pairs.entries[i].key.ptr, b->pairs.entries[i].key.ptr, 8);
        assert_int_equal(a->pairs.entries[i].value, b->pairs.entries[i].value);
    }
}

static void counting_goes_on_behind_the_last_shard_that_was_counted(void **state)
{
    (void)state;
    struct facts f;
    struct fact_counts whole, parts;
    struct winnow_error err;
    struct stopping never = {.at = UINT64_MAX}, s = {0};
    char kept[512];
    (void)snprintf(kept, sizeof kept, "%s", scratch_path(&scratch, "counts.bin"));
    read_facts(&f, FACTS);
    write_shards();
    assert_ok(count_corpus(&whole, &f, NULL, &never, &err), err);
    assert_int_equal(whole.documents, 5);
    assert_int_equal(whole.sentences, 15);
    assert_int_equal(fact_counts_fact(&whole, 0, 0, 0), 5);
    int stops = 0;
    for (s.at = 1; s.at < 50; s.at++) { /* stopped at ever later moments, it ends in some call */
        winnow_status st = count_corpus(&parts, &f, kept, &s, &err);
        if (st == WINNOW_OK) {
            break;
        }
        assert_int_equal(st, WINNOW_E_CANCELLED);
        stops++;
        fact_counts_release(&parts);
    }
    assert_true(stops > 1 && stops < 48);
    assert_same_counts(&whole, &parts);
    fact_counts_release(&parts);
    /* all of it is there: no shard is read again */
    assert_ok(count_corpus(&parts, &f, kept, &never, &err), err);
    assert_int_equal(never.seen, 0);
    assert_same_counts(&whole, &parts);
    fact_counts_release(&parts);
    fact_counts_release(&whole);
    facts_release(&f);
}

static void counts_of_other_facts_are_refused(void **state)
{
    (void)state;
    struct facts f;
    struct fact_counts c;
    struct winnow_error err;
    struct stopping never = {.at = UINT64_MAX};
    char kept[512];
    (void)snprintf(kept, sizeof kept, "%s", scratch_path(&scratch, "counts.bin"));
    read_facts(&f, "{\"subject\": \"a\", \"pattern\": \"[X] is [Y]\", \"object\": \"b\"}\n"
                   "{\"subject\": \"a\", \"pattern\": \"[X] is [Y]\", \"object\": \"c\"}\n");
    assert_int_equal(count_corpus(&c, &f, kept, &never, &err), WINNOW_E_FORMAT);
    assert_non_null(strstr(err.text, "counts of another study"));
    fact_counts_release(&c);
    facts_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_are_those_by_hand),
        cmocka_unit_test(strata_take_a_confounder_out),
        cmocka_unit_test(without_a_confounder_strata_gain_nothing),
        cmocka_unit_test(sentences_are_counted),
        cmocka_unit_test(pairs_are_those_of_a_plain_search),
        cmocka_unit_test(counting_goes_on_behind_the_last_shard_that_was_counted),
        cmocka_unit_test(counts_of_other_facts_are_refused),
    };
    scratch_open(&scratch);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_close(&scratch);
    return failed;
}
