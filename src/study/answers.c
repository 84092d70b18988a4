/* answers.c -- what models say of facts: the likeliest object of each fact's relation.
 *
 * Likelihoods are kept in the checkpoint as they come, a file a model, so that a call that was
 * killed asks for the rest only; items are scored in the same groups either way. */
#include "base/mem.h"
#include "base/state_file.h"
#include "engine/engine.h"
#include "eval/eval_suite.h"
#include "model/model_file.h"
#include "study/study_internal.h"

#include <math.h>

#define STATE_KIND   "winnowSA"
#define AT_ONCE      2048U /* answers that are scored between two looks at signals */
#define KEPT_SECONDS 5.0   /* between two states */
#define WINDOW_MAX   2048U

/* The questions, and where each fact's answers begin among them. */
struct questions {
    struct eval_suite *suite;
    size_t *first;
};

/* ---- questions ---- */

static struct str keep(struct questions *q, struct buf *b)
{
    return (struct str){arena_strndup(eval_suite_arena(q->suite), b->ptr, b->len), b->len};
}

/* An answer is an item with one option, whose NLL is asked for. */
static void make_questions(const struct study *s, struct questions *q)
{
    struct buf b = {0};
    q->suite = eval_suite_new();
    uint32_t task = eval_suite_find_task(q->suite, STR_LIT("facts"), STR_LIT("facts"), EVAL_CHOICE);
    size_t at = 0;
    for (size_t i = 0; i < s->facts.count; i++) {
        const struct fact *f = &s->facts.items[i];
        const struct relation *r = &s->facts.choices[f->relation];
        struct str before, middle;
        pattern_parts(s->facts.patterns.entries[f->pattern].key, &before, &middle);
        q->first[i] = at;
        at += r->count;
        for (size_t k = 0; k < r->count; k++) {
            struct str object = s->facts.objects.entries[r->objects[k]].key;
            struct eval_option *o = ARENA_NEW(eval_suite_arena(q->suite), struct eval_option, 1);
            size_t blanks = 0;
            while (blanks < middle.len && middle.ptr[middle.len - 1 - blanks] == ' ') {
                blanks++;
            }
            buf_clear(&b);
            buf_add_str(&b, before);
            buf_add_str(&b, s->facts.subjects.entries[f->subject].key);
            buf_add_str(&b, str_sub(middle, 0, middle.len - blanks));
            o->context = keep(q, &b);
            buf_clear(&b);
            buf_add_str(&b, str_sub(middle, middle.len - blanks, middle.len));
            buf_add_str(&b, object);
            o->continuation = keep(q, &b);
            o->chars = 1;
            eval_suite_add_item(
                q->suite, &(struct eval_item){
                              .kind = EVAL_CHOICE, .task = task, .option_count = 1, .options = o});
        }
    }
    eval_suite_sort(q->suite);
    buf_release(&b);
}

/* ---- likelihoods ---- */

struct asked {
    const struct study *s;
    const struct questions *q;
    struct eval_item_score *scores;
    size_t count, done;
    const char *state; /* NULL: none is kept */
    double kept;       /* when */
};

static winnow_status keep_scores(struct asked *a, struct winnow_error *err)
{
    const uint64_t head[] = {a->count, a->done};
    double *nll = mem_alloc((a->done + 1) * sizeof *nll);
    for (size_t i = 0; i < a->done; i++) {
        nll[i] = a->scores[i].nll;
    }
    const struct str parts[] = {state_part(head, sizeof head),
                                state_part(nll, a->done * sizeof *nll)};
    winnow_status st = state_file_write(a->state, STATE_KIND, parts, 2, err);
    mem_free(nll);
    a->kept = env_seconds();
    return st;
}

static winnow_status find_scores(struct asked *a, struct winnow_error *err)
{
    struct state_file f;
    uint64_t head[2];
    if (!a->state || !file_exists(a->state)) {
        return WINNOW_OK;
    }
    TRY(state_file_open(a->state, STATE_KIND, &f, err));
    bool ours = state_file_take(&f, head, sizeof head) && head[0] == a->count &&
                head[1] <= a->count && f.left.len == head[1] * sizeof(double);
    for (uint64_t i = 0; ours && i < head[1]; i++) {
        ours = state_file_take(&f, &a->scores[i].nll, sizeof(double));
    }
    a->done = ours ? (size_t)head[1] : 0;
    state_file_close(&f);
    return ours ? WINNOW_OK
                : error_set(err, WINNOW_E_FORMAT, "%s holds answers of another study; remove it",
                            a->state);
}

static winnow_status score_rest(struct asked *a, struct eval_scorer *scorer,
                                struct winnow_error *err)
{
    while (a->done < a->count) {
        TRY(env_check(a->s->env, err));
        size_t n = a->count - a->done < AT_ONCE ? a->count - a->done : AT_ONCE;
        TRY(eval_suite_score_some(a->q->suite, scorer, a->done, n, a->scores, err));
        a->done += n;
        env_progress(a->s->env, "study", "answers", a->done, a->count);
        if (a->state && (a->done == a->count || env_seconds() - a->kept > KEPT_SECONDS)) {
            TRY(keep_scores(a, err));
        }
    }
    return WINNOW_OK;
}

/* Asked to stop, it keeps what it has. */
static winnow_status score(struct asked *a, struct eval_scorer *scorer, struct winnow_error *err)
{
    winnow_status st = score_rest(a, scorer, err);
    struct winnow_error second;
    if (st == WINNOW_E_CANCELLED && a->state && a->done > 0) {
        (void)keep_scores(a, &second);
    }
    return st;
}

/* The likeliest object of each fact's relation; of equal ones the first. */
static winnow_status take_answers(const struct study *s, const struct questions *q,
                                  const struct eval_item_score *scores, uint32_t *says,
                                  struct winnow_error *err)
{
    for (size_t i = 0; i < s->facts.count; i++) {
        const struct relation *r = &s->facts.choices[s->facts.items[i].relation];
        const struct eval_item_score *mine = scores + q->first[i];
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

/* ---- models ---- */

/* Of the model whose answers are yet to be had. */
static winnow_status score_with(struct asked *a, struct model *m, const struct tokenizer *t,
                                struct winnow_error *err)
{
    const struct study *s = a->s;
    const struct model_config *c = model_config(m);
    struct engine_options options = ENGINE_OPTIONS_INIT;
    struct eval_scorer_options scoring = EVAL_SCORER_OPTIONS_INIT;
    struct engine *engine = NULL;
    struct eval_scorer *scorer = NULL;
    scoring.window = c->context < WINDOW_MAX ? c->context : WINDOW_MAX;
    options.tokens_max = WINDOW_MAX;
    winnow_status st =
        memory_need(s->env->memory_max, "study causal",
                    mem_resident() + engine_memory(c, &options, pool_threads(s->pool)),
                    "use fewer threads (-t)", err);
    st = st == WINNOW_OK ? engine_new(m, s->pool, &options, s->env, &engine, err) : st;
    st = st == WINNOW_OK ? eval_scorer_new(engine, t, &scoring, &scorer, err) : st;
    st = st == WINNOW_OK ? score(a, scorer, err) : st;
    eval_scorer_free(scorer);
    engine_free(engine);
    return st;
}

static winnow_status ask(const struct study *s, const struct questions *q, struct model *m,
                         const struct tokenizer *t, enum who who, struct winnow_error *err)
{
    struct buf path = {0}, name = {0};
    struct asked a = {
        .s = s, .q = q, .count = eval_suite_item_count(q->suite), .kept = env_seconds()};
    buf_addf(&name, "%s.bin", STUDY_WHO[who]);
    a.state = s->checkpoint ? file_join(&path, s->checkpoint, buf_cstr(&name)) : NULL;
    a.scores = mem_zalloc((a.count + 1) * sizeof *a.scores);
    winnow_status st = find_scores(&a, err);
    if (st == WINNOW_OK && a.done < a.count) {
        st = score_with(&a, m, t, err);
    }
    if (st == WINNOW_OK) {
        st = take_answers(s, q, a.scores, s->says[who], err);
    }
    mem_free(a.scores);
    buf_release(&path);
    buf_release(&name);
    return st;
}

static winnow_status ask_both(const struct study *s, const struct questions *q,
                              struct winnow_error *err)
{
    struct model *m = NULL, *random = NULL;
    struct tokenizer *t = NULL;
    winnow_status st = model_open(s->opt->model, &m, err);
    st = st == WINNOW_OK ? model_load_tokenizer(s->opt->model, &t, err) : st;
    st = st == WINNOW_OK ? ask(s, q, m, t, MODEL, err) : st;
    st = st == WINNOW_OK ? model_new(model_config(m), &random, err) : st;
    if (st == WINNOW_OK) {
        model_init_random(random, s->env->seed);
        st = ask(s, q, random, t, RANDOM_WEIGHTS, err);
    }
    model_free(random);
    tokenizer_free(t);
    model_free(m);
    return st;
}

winnow_status study_ask_models(struct study *s, struct winnow_error *err)
{
    struct questions q = {.first = mem_alloc((s->facts.count + 1) * sizeof *q.first)};
    make_questions(s, &q);
    winnow_status st = ask_both(s, &q, err);
    for (size_t i = 0; i < s->facts.count; i++) {
        s->says[ORACLE][i] = s->facts.items[i].object;
    }
    eval_suite_free(q.suite);
    mem_free(q.first);
    return st;
}
