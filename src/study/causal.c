/* causal.c -- `study causal`: facts, their counts in a corpus, what models say, and effects.
 *
 * Three treatments, after Elazar et al. 2207.14251:
 *
 *     memorised     the corpus states the fact in the words of its pattern.  Y: the model
 *                   says the object.  Strata: the pattern, and in how many sentences subject
 *                   and object stand together (<= 1, 10, 100, 1000, more)
 *     subject       the object that stands most often with the subject, against the second.
 *                   Y: the model says it.  Strata: the same bins
 *     pattern       the object that the pattern has most often (5 times at least), against the
 *                   second.  Y: the model says it.  Strata: whether that fact is stated
 *
 * Each for the model, for one of the same shape with random weights (an effect there is of the
 * estimate, not of training), and for an oracle that knows all facts.
 */
#include "winnow/study.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "eval/eval_suite.h"
#include "model/model_file.h"
#include "option/tables.h"
#include "run/guard.h"
#include "study/effects.h"
#include "study/fact_counts.h"

#include <inttypes.h>
#include <math.h>

#define PATTERN_LEAST 5U
#define AT_ONCE       2048U /* answers that are scored between two looks at signals */
#define WINDOW_MAX    2048U

enum who { MODEL, RANDOM_WEIGHTS, ORACLE, WHOS };
static const char *const WHO[] = {"model", "random_weights", "oracle"};
enum treatment { MEMORISED, SUBJECT, PATTERN, TREATMENTS };
static const char *const TREATMENT[] = {"memorised", "subject_object", "pattern_object"};

struct study {
    const struct winnow_study_options *opt;
    const struct winnow_env *env;
    struct winnow_study_result *result;
    struct facts facts;
    struct fact_counts counts;
    struct pool *pool;
    struct eval_suite *suite;
    size_t *first;        /* of each fact: its first answer among the suite's items */
    uint32_t *says[WHOS]; /* objects */
    struct effect effects[TREATMENTS][WHOS];
};

/* ---- what models say ---- */

static struct str keep(struct study *s, struct buf *b)
{
    return (struct str){arena_strndup(eval_suite_arena(s->suite), b->ptr, b->len), b->len};
}

/* An answer is an item with one option, whose NLL is asked for. */
static void make_suite(struct study *s)
{
    struct buf b = {0};
    s->suite = eval_suite_new();
    uint32_t task = eval_suite_find_task(s->suite, STR_LIT("facts"), STR_LIT("facts"), EVAL_CHOICE);
    size_t at = 0;
    for (size_t i = 0; i < s->facts.count; i++) {
        const struct fact *f = &s->facts.items[i];
        const struct relation *r = &s->facts.choices[f->relation];
        struct str before, middle;
        pattern_parts(s->facts.patterns.entries[f->pattern].key, &before, &middle);
        s->first[i] = at;
        at += r->count;
        for (size_t k = 0; k < r->count; k++) {
            struct str object = s->facts.objects.entries[r->objects[k]].key;
            struct eval_option *o = ARENA_NEW(eval_suite_arena(s->suite), struct eval_option, 1);
            size_t blanks = 0;
            while (blanks < middle.len && middle.ptr[middle.len - 1 - blanks] == ' ') {
                blanks++;
            }
            buf_clear(&b);
            buf_add_str(&b, before);
            buf_add_str(&b, s->facts.subjects.entries[f->subject].key);
            buf_add_str(&b, str_sub(middle, 0, middle.len - blanks));
            o->context = keep(s, &b);
            buf_clear(&b);
            buf_add_str(&b, str_sub(middle, middle.len - blanks, middle.len));
            buf_add_str(&b, object);
            o->continuation = keep(s, &b);
            o->chars = 1;
            eval_suite_add_item(
                s->suite, &(struct eval_item){
                              .kind = EVAL_CHOICE, .task = task, .option_count = 1, .options = o});
        }
    }
    eval_suite_sort(s->suite);
    buf_release(&b);
}

static winnow_status score(struct study *s, struct eval_scorer *scorer,
                           struct eval_item_score *scores, struct winnow_error *err)
{
    size_t all = eval_suite_item_count(s->suite);
    for (size_t at = 0; at < all; at += AT_ONCE) {
        TRY(env_check(s->env, err));
        size_t n = all - at < AT_ONCE ? all - at : AT_ONCE;
        TRY(eval_suite_score_some(s->suite, scorer, at, n, scores, err));
        env_progress(s->env, "study", "answers", at + n, all);
    }
    return WINNOW_OK;
}

/* The likeliest object of each fact's relation; of equal ones the first. */
static winnow_status take_answers(struct study *s, const struct eval_item_score *scores,
                                  uint32_t *says, struct winnow_error *err)
{
    for (size_t i = 0; i < s->facts.count; i++) {
        const struct relation *r = &s->facts.choices[s->facts.items[i].relation];
        const struct eval_item_score *mine = scores + s->first[i];
        size_t best = 0;
        for (size_t k = 0; k < r->count; k++) {
            if (!isfinite(mine[k].nll)) {
                return error_set(err, WINNOW_E_FORMAT,
                                 "the model %s gives fact %zu no finite likelihood: its numbers "
                                 "overflow",
                                 s->opt->model, i + 1);
            }
            best = mine[k].nll < mine[best].nll ? k : best;
        }
        says[i] = r->objects[best];
    }
    return WINNOW_OK;
}

static winnow_status ask(struct study *s, struct model *m, const struct tokenizer *t,
                         uint32_t *says, struct winnow_error *err)
{
    const struct model_config *c = model_config(m);
    struct engine_options options = ENGINE_OPTIONS_INIT;
    struct eval_scorer_options scoring = EVAL_SCORER_OPTIONS_INIT;
    struct engine *engine = NULL;
    struct eval_scorer *scorer = NULL;
    struct eval_item_score *scores =
        mem_zalloc((eval_suite_item_count(s->suite) + 1) * sizeof *scores);
    scoring.window = c->context < WINDOW_MAX ? c->context : WINDOW_MAX;
    options.tokens_max = WINDOW_MAX;
    winnow_status st =
        memory_need(s->env->memory_max, "study causal",
                    mem_resident() + engine_memory(c, &options, pool_threads(s->pool)),
                    "use fewer threads (-t)", err);
    st = st == WINNOW_OK ? engine_new(m, s->pool, &options, s->env, &engine, err) : st;
    st = st == WINNOW_OK ? eval_scorer_new(engine, t, &scoring, &scorer, err) : st;
    st = st == WINNOW_OK ? score(s, scorer, scores, err) : st;
    st = st == WINNOW_OK ? take_answers(s, scores, says, err) : st;
    eval_scorer_free(scorer);
    engine_free(engine);
    mem_free(scores);
    return st;
}

static winnow_status ask_models(struct study *s, struct winnow_error *err)
{
    struct model *m = NULL, *random = NULL;
    struct tokenizer *t = NULL;
    winnow_status st = model_open(s->opt->model, &m, err);
    st = st == WINNOW_OK ? model_load_tokenizer(s->opt->model, &t, err) : st;
    st = st == WINNOW_OK ? ask(s, m, t, s->says[MODEL], err) : st;
    st = st == WINNOW_OK ? model_new(model_config(m), &random, err) : st;
    if (st == WINNOW_OK) {
        model_init_random(random, s->env->seed);
        st = ask(s, random, t, s->says[RANDOM_WEIGHTS], err);
    }
    for (size_t i = 0; i < s->facts.count; i++) {
        s->says[ORACLE][i] = s->facts.items[i].object;
    }
    model_free(random);
    tokenizer_free(t);
    model_free(m);
    return st;
}

/* ---- effects ---- */

static uint64_t bin(uint64_t count)
{
    return count <= 1 ? 0 : count <= 10 ? 1 : count <= 100 ? 2 : count <= 1000 ? 3 : 4;
}

typedef uint64_t (*count_object)(const struct study *s, const struct fact *f, uint32_t object);

static uint64_t with_subject(const struct study *s, const struct fact *f, uint32_t object)
{
    return fact_counts_pair(&s->counts, f->subject, object);
}

static uint64_t with_pattern(const struct study *s, const struct fact *f, uint32_t object)
{
    return fact_counts_pattern(&s->counts, f->pattern, object);
}

/* The two most counted objects of a fact's relation; false where the first is not more often
 * there than the second, or less than `least`. */
static bool best_two(const struct study *s, const struct fact *f, count_object count,
                     uint64_t least, uint32_t two[2])
{
    const struct relation *r = &s->facts.choices[f->relation];
    uint64_t n[2] = {0, 0};
    bool any[2] = {false, false};
    for (size_t k = 0; k < r->count; k++) {
        uint64_t here = count(s, f, r->objects[k]);
        if (!any[0] || here > n[0]) {
            n[1] = n[0];
            two[1] = two[0];
            any[1] = any[0];
            n[0] = here;
            two[0] = r->objects[k];
            any[0] = true;
        } else if (!any[1] || here > n[1]) {
            n[1] = here;
            two[1] = r->objects[k];
            any[1] = true;
        }
    }
    return any[1] && n[0] > n[1] && n[0] >= least;
}

static void add_two(const struct study *s, const struct fact *f, const uint32_t two[2],
                    enum treatment t, uint32_t says, struct effect_row *rows, size_t *n)
{
    for (unsigned k = 0; k < 2; k++) {
        uint64_t z = t == SUBJECT
                         ? bin(with_subject(s, f, two[k]))
                         : fact_counts_fact(&s->counts, f->pattern, f->subject, two[k]) > 0;
        rows[(*n)++] = (struct effect_row){
            .stratum = z, .unit = f->subject, .treated = k == 0, .outcome = says == two[k]};
    }
}

static size_t make_rows(const struct study *s, enum treatment t, const uint32_t *says,
                        struct effect_row *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < s->facts.count; i++) {
        const struct fact *f = &s->facts.items[i];
        uint32_t two[2] = {0, 0};
        if (t == MEMORISED) {
            uint64_t z = bin(with_subject(s, f, f->object));
            rows[n++] = (struct effect_row){
                .stratum = (uint64_t)f->pattern << 3 | z,
                .unit = f->subject,
                .treated = fact_counts_fact(&s->counts, f->pattern, f->subject, f->object) > 0,
                .outcome = says[i] == f->object};
        } else if (best_two(s, f, t == SUBJECT ? with_subject : with_pattern,
                            t == SUBJECT ? 1 : PATTERN_LEAST, two)) {
            add_two(s, f, two, t, says[i], rows, &n);
        }
    }
    return n;
}

static void find_effects(struct study *s)
{
    struct effect_row *rows = mem_alloc((2 * s->facts.count + 1) * sizeof *rows);
    for (unsigned t = 0; t < TREATMENTS; t++) {
        for (unsigned w = 0; w < WHOS; w++) {
            size_t n = make_rows(s, (enum treatment)t, s->says[w], rows);
            s->effects[t][w] = effect_of(rows, n, (uint32_t)s->facts.subjects.count,
                                         s->opt->bootstrap, s->env->seed);
        }
    }
    mem_free(rows);
}

/* ---- results ---- */

static double accuracy(const struct study *s, enum who w)
{
    double right = 0;
    for (size_t i = 0; i < s->facts.count; i++) {
        right += s->says[w][i] == s->facts.items[i].object;
    }
    return right / (double)s->facts.count;
}

static void write_effect(struct json_writer *w, const char *key, const struct effect *e)
{
    json_member_open(w, key, '{');
    json_member_u64(w, "rows", e->rows);
    json_member_u64(w, "treated", e->treated);
    json_member_u64(w, "rows_in_strata_with_both", e->used);
    json_member_double(w, "naive", e->naive);
    json_member_double(w, "back_door", e->adjusted);
    json_member_double(w, "low", e->low);
    json_member_double(w, "high", e->high);
    json_close(w, '}');
}

static void write_json(const struct study *s, struct buf *out)
{
    struct json_writer w = {.out = out, .pretty = true};
    json_open(&w, '{');
    json_member_u64(&w, "documents", s->result->documents);
    json_member_u64(&w, "sentences", s->result->sentences);
    json_member_u64(&w, "facts", s->facts.count);
    json_member_u64(&w, "subjects", s->facts.subjects.count);
    json_member_u64(&w, "subjects_absent", s->result->subjects_absent);
    json_member_u64(&w, "seed", s->env->seed);
    json_member_open(&w, "accuracy", '{');
    for (unsigned i = 0; i < WHOS; i++) {
        json_member_double(&w, WHO[i], accuracy(s, (enum who)i));
    }
    json_close(&w, '}');
    json_member_open(&w, "effects", '{');
    for (unsigned t = 0; t < TREATMENTS; t++) {
        json_member_open(&w, TREATMENT[t], '{');
        for (unsigned i = 0; i < WHOS; i++) {
            write_effect(&w, WHO[i], &s->effects[t][i]);
        }
        json_close(&w, '}');
    }
    json_close(&w, '}');
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

static void write_number(struct buf *out, double x)
{
    if (isnan(x)) {
        buf_add_text(out, "      -");
    } else {
        buf_addf(out, " %+.3f", x);
    }
}

static void write_table(const struct study *s, struct buf *out)
{
    buf_addf(out, "%zu facts about %zu subjects; %" PRIu64 " sentences\n", s->facts.count,
             s->facts.subjects.count, s->result->sentences);
    buf_add_text(out, "treatment       whom             rows  treated   naive back-door [95 %]\n");
    for (unsigned t = 0; t < TREATMENTS; t++) {
        for (unsigned i = 0; i < WHOS; i++) {
            const struct effect *e = &s->effects[t][i];
            buf_addf(out, "%-15s %-14s %6zu %8zu ", TREATMENT[t], WHO[i], e->rows, e->treated);
            write_number(out, e->naive);
            buf_add_text(out, "  ");
            write_number(out, e->adjusted);
            buf_add_text(out, " [");
            write_number(out, e->low);
            write_number(out, e->high);
            buf_add_text(out, "]\n");
        }
    }
}

static winnow_status write_rows(const struct study *s, struct winnow_error *err)
{
    struct buf out = {0};
    for (size_t i = 0; i < s->facts.count; i++) {
        const struct fact *f = &s->facts.items[i];
        struct json_writer w = {.out = &out};
        json_open(&w, '{');
        json_member_str(&w, "subject", s->facts.subjects.entries[f->subject].key);
        json_member_str(&w, "pattern", s->facts.patterns.entries[f->pattern].key);
        json_member_str(&w, "object", s->facts.objects.entries[f->object].key);
        json_member_str(&w, "model", s->facts.objects.entries[s->says[MODEL][i]].key);
        json_member_u64(&w, "subject_sentences", fact_counts_subject(&s->counts, f->subject));
        json_member_u64(&w, "subject_object", with_subject(s, f, f->object));
        json_member_u64(&w, "pattern_object", with_pattern(s, f, f->object));
        json_member_u64(&w, "stated",
                        fact_counts_fact(&s->counts, f->pattern, f->subject, f->object));
        json_close(&w, '}');
        buf_add_char(&out, '\n');
    }
    winnow_status st = file_write_atomic(s->opt->rows, buf_str(&out), err);
    buf_release(&out);
    return st;
}

static char *text_of(const struct buf *b)
{
    char *text = mem_alloc(b->len + 1);
    memcpy(text, b->ptr, b->len);
    text[b->len] = '\0';
    return text;
}

static winnow_status write_results(struct study *s, struct winnow_error *err)
{
    struct buf json = {0}, table = {0};
    write_json(s, &json);
    write_table(s, &table);
    s->result->json = text_of(&json);
    s->result->table = text_of(&table);
    winnow_status st = WINNOW_OK;
    if (s->opt->output) {
        st = file_write_atomic(s->opt->output, buf_str(&json), err);
    }
    if (st == WINNOW_OK && s->opt->rows) {
        st = write_rows(s, err);
    }
    buf_release(&json);
    buf_release(&table);
    return st;
}

/* ---- all of it ---- */

static winnow_status count_absent(struct study *s, struct winnow_error *err)
{
    uint64_t all = s->facts.subjects.count, absent = 0;
    for (uint32_t i = 0; i < all; i++) {
        absent += fact_counts_subject(&s->counts, i) == 0;
    }
    s->result->subjects_absent = absent;
    s->result->sentences = s->counts.sentences;
    s->result->facts = s->facts.count;
    if (absent == all) {
        return error_set(err, WINNOW_E_FORMAT,
                         "none of the %" PRIu64
                         " subjects of %s stands in the corpus: there is no statistic to study",
                         all, s->opt->items);
    }
    if (absent > 0) {
        env_log(s->env, WINNOW_LOG_WARNING,
                "%" PRIu64 " of %" PRIu64
                " subjects stand nowhere in the corpus; their counts are 0",
                absent, all);
    }
    return WINNOW_OK;
}

static winnow_status study(struct study *s, const struct winnow_list *paths,
                           struct winnow_error *err)
{
    TRY(facts_read(s->opt->items, &s->facts, err));
    fact_counts_init(&s->counts, &s->facts);
    TRY(fact_counts_corpus(&s->counts, s->opt, paths, s->env, &s->result->documents, err));
    TRY(count_absent(s, err));
    s->first = mem_alloc((s->facts.count + 1) * sizeof *s->first);
    for (unsigned i = 0; i < WHOS; i++) {
        s->says[i] = mem_zalloc((s->facts.count + 1) * sizeof *s->says[i]);
    }
    make_suite(s);
    TRY(ask_models(s, err));
    find_effects(s);
    return write_results(s, err);
}

static winnow_status check(const struct winnow_study_options *opt, const struct winnow_list *paths,
                           struct winnow_error *err)
{
    if (!opt->items || !opt->model) {
        return error_set(err, WINNOW_E_USAGE, "say which facts to ask which model for: %s",
                         opt->items ? "--model MODEL" : "--items FACTS.jsonl");
    }
    if (opt->rows && opt->output && strcmp(opt->rows, opt->output) == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--rows and --output both name %s: give each a file of its own",
                         opt->rows);
    }
    struct guarded what = {.paths = *paths, .files_from = opt->files_from};
    if (opt->rows) {
        TRY(guard_file(opt->rows, &what, &STUDY_CAUSAL_TABLE, opt, err));
    }
    return opt->output ? guard_file(opt->output, &what, &STUDY_CAUSAL_TABLE, opt, err) : WINNOW_OK;
}

winnow_status winnow_study_causal(const struct winnow_study_options *opt,
                                  const struct winnow_list *paths, const struct winnow_env *env,
                                  struct winnow_study_result *result, struct winnow_error *err)
{
    *result = (struct winnow_study_result){0};
    TRY(check(opt, paths, err));
    struct study s = {.opt = opt, .env = env, .result = result, .pool = pool_new(env->threads)};
    winnow_status st = study(&s, paths, err);
    eval_suite_free(s.suite);
    fact_counts_release(&s.counts);
    facts_release(&s.facts);
    for (unsigned i = 0; i < WHOS; i++) {
        mem_free(s.says[i]);
    }
    mem_free(s.first);
    pool_free(s.pool);
    return st;
}

void winnow_study_result_free(struct winnow_study_result *result)
{
    mem_free(result->json);
    mem_free(result->table);
    *result = (struct winnow_study_result){0};
}
