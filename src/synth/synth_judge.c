/* synth_judge.c -- see synth_judge.h. */
#include "synth/synth_judge.h"

#include "base/json_write.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <math.h>

#define HARE_TEXT_N      10U
#define HARE_TASK_N      6U
#define EXCERPT          600U /* bytes of an item and of a passage in the ledger */
#define REPEATED_MOST    0.5
#define SHINGLES_TO_LOOP 20U /* with fewer of them nothing is told of a loop */

struct synth_judge_scratch {
    struct near_words words;
    struct buf written, seed; /* sets of shingles */
    size_t written_count;
    struct leak_scratch *rules[SYNTH_JUDGES];
};

static winnow_status open_rules(struct synth_judge *j, const struct winnow_synthesize_options *opt,
                                struct winnow_error *err)
{
    static const struct {
        int rule;
        uint32_t n;
    } RULES[SYNTH_JUDGES] = {[JUDGE_LLAMA3] = {WINNOW_LEAK_LLAMA3, 0},
                             [JUDGE_HARE_TEXT] = {WINNOW_LEAK_HARE, HARE_TEXT_N},
                             [JUDGE_HARE_TASK] = {WINNOW_LEAK_HARE, HARE_TASK_N}};
    struct winnow_decontaminate_options how = WINNOW_DECONTAMINATE_OPTIONS_INIT;
    how.benchmarks = opt->benchmarks;
    TRY(leak_set_read(&j->set, &how, err));
    for (size_t i = 0; i < SYNTH_JUDGES; i++) {
        how.n = RULES[i].n;
        TRY(leak_judge_open(&j->rules[i], &j->set, &how, RULES[i].rule, err));
    }
    return WINNOW_OK;
}

winnow_status synth_judge_open(struct synth_judge *j, const struct winnow_synthesize_options *opt,
                               struct winnow_error *err)
{
    j->near = opt->near;
    j->decontaminates = opt->decontaminate;
    j->alphabet = near_alphabet_new(true);
    return j->decontaminates ? open_rules(j, opt, err) : WINNOW_OK;
}

void synth_judge_release(struct synth_judge *j)
{
    for (size_t i = 0; i < SYNTH_JUDGES; i++) {
        leak_judge_release(&j->rules[i]);
    }
    leak_set_release(&j->set);
    near_alphabet_free(j->alphabet);
    *j = (struct synth_judge){0};
}

uint64_t synth_judge_memory(const struct synth_judge *j, uint32_t threads)
{
    if (!j->decontaminates) {
        return 0;
    }
    return leak_set_bytes(&j->set) +
           SYNTH_JUDGES * (leak_judge_memory(&j->set) + threads * leak_scratch_memory(&j->set));
}

struct synth_judge_scratch *synth_judge_scratch_new(const struct synth_judge *j)
{
    struct synth_judge_scratch *s = mem_zalloc(sizeof *s);
    for (size_t i = 0; i < SYNTH_JUDGES && j->decontaminates; i++) {
        s->rules[i] = leak_scratch_new(&j->rules[i]);
    }
    return s;
}

void synth_judge_scratch_free(struct synth_judge_scratch *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < SYNTH_JUDGES; i++) {
        if (s->rules[i]) {
            leak_scratch_free(s->rules[i]);
        }
    }
    near_words_release(&s->words);
    buf_release(&s->written);
    buf_release(&s->seed);
    mem_free(s);
}

static void say(struct synth_verdict *v, const char *rule, double score, double threshold)
{
    *v = (struct synth_verdict){rule, score, threshold};
}

winnow_status synth_judge_start(const struct synth_judge *j, struct synth_judge_scratch *s,
                                const struct synth_prompt *p, struct str written,
                                struct synth_verdict *v, struct winnow_error *err)
{
    TRY(near_words_split(j->alphabet, written, &s->words, err));
    size_t shingles = near_words_shingles(&s->words, SYNTH_NGRAM);
    s->written_count = near_set_of(&s->words, SYNTH_NGRAM, &s->written);
    double words = (double)s->words.count;
    double repeated = shingles > 0 ? 1 - (double)s->written_count / (double)shingles : 0;
    if (words < p->words_min) {
        say(v, "length.short", words, p->words_min);
    } else if (words > p->words_max) {
        say(v, "length.long", words, p->words_max);
    } else if (shingles >= SHINGLES_TO_LOOP && repeated > REPEATED_MOST) {
        say(v, "answer.loop", repeated, REPEATED_MOST);
    }
    return WINNOW_OK;
}

winnow_status synth_judge_seed(const struct synth_judge *j, struct synth_judge_scratch *s,
                               const struct synth_prompt *p, struct str seed,
                               struct synth_verdict *v, struct winnow_error *err)
{
    if (v->rule || s->written_count == 0) {
        return WINNOW_OK;
    }
    TRY(near_words_split(j->alphabet, seed, &s->words, err));
    size_t count = near_set_of(&s->words, SYNTH_NGRAM, &s->seed);
    double both = (double)(s->written_count + count);
    double jaccard = near_jaccard((const uint64_t *)(const void *)s->written.ptr, s->written_count,
                                  (const uint64_t *)(const void *)s->seed.ptr, count);
    double shared = both * jaccard / (1 + jaccard);
    double score = p->kind == SYNTH_TEXT ? shared / (double)s->written_count : jaccard;
    if (score >= j->near - 1e-9) {
        say(v, "near.seed", score, j->near);
    }
    return WINNOW_OK;
}

/* Which item, how much of it, and both texts beside each other. */
static void describe(const struct synth_judge *j, const struct leak_scratch *s, struct str text,
                     struct buf *out)
{
    const struct leak_find *f = &s->finds[0];
    const struct leak_item *item = &j->set.items[f->item];
    struct str passage = {"", 0};
    if (f->end > f->first) {
        passage = str_sub(text, s->words.items[f->first].start, s->words.items[f->end - 1].end);
    }
    buf_add_text(out, "\"benchmark\": ");
    json_quote(out, str_of(j->set.benchmarks[item->benchmark].name));
    buf_add_text(out, ", \"item\": ");
    json_quote(out, item->id);
    buf_addf(out, ", \"share\": %.4g, \"passage\": ", f->share);
    json_quote(out, utf8_cut(passage, EXCERPT));
    buf_add_text(out, ", \"item_text\": ");
    json_quote(out, utf8_cut(item->text, EXCERPT));
}

winnow_status synth_judge_leak(const struct synth_judge *j, struct synth_judge_scratch *s,
                               const struct synth_prompt *p, struct str text,
                               struct synth_verdict *v, struct buf *detail,
                               struct winnow_error *err)
{
    const size_t rules[] = {JUDGE_LLAMA3,
                            p->kind == SYNTH_TEXT ? JUDGE_HARE_TEXT : JUDGE_HARE_TASK};
    for (size_t i = 0; i < 2 && j->decontaminates && !v->rule; i++) {
        const struct leak_judge *judge = &j->rules[rules[i]];
        struct leak_scratch *scratch = s->rules[rules[i]];
        TRY(leak_judge_text(judge, scratch, text, err));
        if (scratch->find_count > 0) {
            const struct leak_find *f = &scratch->finds[0];
            say(v, i == 0 ? "leak.llama3" : "leak.hare", f->share, f->threshold);
            describe(j, scratch, text, detail);
        }
    }
    return WINNOW_OK;
}
