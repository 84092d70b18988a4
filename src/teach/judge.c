/* judge.c -- `quality judge`: pages drawn, pairs asked about, answers written.
 *
 *     corpus -> the pages of least draw -> pairs -> questions
 *                       the journal of an earlier call, then the server -> answers -> pairs.jsonl
 *
 * Pages are gone through in a new order each round, two by two, so that each is judged about
 * as often as the others. */
#include "winnow/quality_judge.h"

#include "base/amount.h"
#include "base/claim.h"
#include "base/env.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/rng.h"
#include "corpus/split.h"
#include "corpus/texts.h"
#include "option/tables.h"
#include "prune/least_draws.h"
#include "remote/server.h"
#include "run/guard.h"
#include "teach/expert.h"
#include "teach/judge_question.h"
#include "teach/label_journal.h"

#include <inttypes.h>

#define BYTES_A_TOKEN 3U
#define SYNC_EVERY    64U /* answers */

struct judging {
    const struct winnow_quality_judge_options *opt;
    const struct winnow_env *env;
    struct winnow_quality_judge_result *result;
    struct completion_client_options client_options;
    struct completion_client *client;
    struct label_journal *journal;
    struct least_draws pages;
    uint32_t *order;    /* of a round */
    uint64_t round;     /* whose order there is, + 1 */
    uint64_t questions; /* in all */
    uint8_t *says;      /* of each: enum judge_says, for the page that the pair calls a or b */
    struct buf model, text, id;
};

/* ---- pages ---- */

static size_t shown_bytes(const struct judging *j)
{
    return (size_t)j->opt->page_tokens * BYTES_A_TOKEN;
}

/* A drawn text is its id's length, its id, and what is shown of it. */
static winnow_status offer(struct judging *j, const struct document *d, uint64_t ordinal,
                           struct winnow_error *err)
{
    uint64_t draw = split_draw(split_key(d->id), j->env->seed, "quality.judge");
    if (str_trim(d->text).len == 0 || !least_draws_want(&j->pages, draw, ordinal)) {
        return WINNOW_OK;
    }
    buf_clear(&j->id);
    uint64_t len = d->id.len;
    buf_add_str(&j->id, (struct str){(const char *)&len, sizeof len});
    buf_add_str(&j->id, d->id);
    buf_add_str(&j->id,
                str_sub(d->text, 0, d->text.len < shown_bytes(j) ? d->text.len : shown_bytes(j)));
    least_draws_offer(&j->pages, draw, ordinal, buf_str(&j->id));
    return memory_need(j->env->memory_max, "quality judge", j->pages.held,
                       "draw fewer --pages, or show less of them (--page-tokens)", err);
}

static winnow_status draw_pages(struct judging *j, struct texts *t, struct winnow_error *err)
{
    struct document d;
    uint64_t documents = 0;
    for (bool more = true;; documents++) {
        TRY(env_check(j->env, err));
        TRY(texts_next(t, &d, &more, err));
        if (!more) {
            break;
        }
        TRY(offer(j, &d, documents, err));
    }
    TRY(texts_read(t, documents, err));
    TRY(texts_end(t, err));
    least_draws_sort(&j->pages);
    j->result->pages = j->pages.count;
    if (j->pages.count < 2) {
        return error_set(err, WINNOW_E_FORMAT,
                         "there are %zu pages with text: it takes two to compare", j->pages.count);
    }
    return WINNOW_OK;
}

static winnow_status read_pages(struct judging *j, const struct winnow_list *paths,
                                struct winnow_error *err)
{
    struct texts t = {0};
    uint64_t wanted = j->opt->pages > 0 ? j->opt->pages : 2 * j->opt->pairs;
    j->pages = (struct least_draws){.bytes_max = wanted, .as_one = true};
    winnow_status st = texts_open(&t, &j->opt->text, *paths, j->env, &j->result->text, err);
    st = st == WINNOW_OK ? draw_pages(j, &t, err) : st;
    texts_release(&t);
    return st;
}

static void page_at(const struct judging *j, uint32_t page, struct str *id, struct str *text)
{
    const struct drawn_text *d = &j->pages.items[page];
    uint64_t len;
    memcpy(&len, d->text, sizeof len);
    *id = (struct str){d->text + sizeof len, len};
    *text = (struct str){d->text + sizeof len + len, d->len - sizeof len - len};
}

/* ---- questions ---- */

static unsigned orders(const struct judging *j)
{
    return j->opt->both_orders ? 2 : 1;
}

/* Asked for in order, more or less: a round is shuffled when the first of it is. */
static void pair_at(struct judging *j, uint64_t pair, uint32_t *a, uint32_t *b)
{
    uint64_t per_round = j->pages.count / 2, round = pair / per_round;
    if (j->round != round + 1) {
        struct rng r;
        rng_init(&r, rng_mix(j->env->seed + round), "quality.judge");
        for (uint32_t i = 0; i < j->pages.count; i++) {
            j->order[i] = i;
        }
        rng_shuffle_u32(&r, j->order, j->pages.count);
        j->round = round + 1;
    }
    *a = j->order[2 * (pair % per_round)];
    *b = j->order[2 * (pair % per_round) + 1];
}

static bool is_turned(const struct judging *j, uint64_t question)
{
    if (j->opt->both_orders) {
        return question % 2 == 1;
    }
    return rng_mix(question ^ rng_mix(j->env->seed + 77)) & 1;
}

/* What is asked, and of whom: fills number, id, question and hash. */
static void describe(struct judging *j, uint64_t question, struct label_entry *e)
{
    uint32_t a, b;
    struct str ids[2], texts[2];
    pair_at(j, question / orders(j), &a, &b);
    page_at(j, a, &ids[0], &texts[0]);
    page_at(j, b, &ids[1], &texts[1]);
    unsigned first = is_turned(j, question) ? 1 : 0;
    *e = (struct label_entry){.number = question, .question = "better"};
    buf_clear(&j->id);
    buf_add_str(&j->id, ids[first]);
    buf_add_text(&j->id, " | ");
    buf_add_str(&j->id, ids[1 - first]);
    e->id = buf_str(&j->id);
    buf_clear(&j->text);
    judge_ask(texts[first], texts[1 - first], shown_bytes(j), &j->text);
    struct hash_stream *h = hash_stream_new();
    uint64_t how[] = {j->opt->answer_tokens, j->opt->server.chat, j->env->seed};
    hash_stream_add(h, (struct str){(const char *)how, sizeof how});
    hash_stream_add(h, str_of(EXPERT_SYSTEM));
    hash_stream_add(h, e->id);
    hash_stream_add(h, buf_str(&j->text));
    e->hash = hash_stream_value(h);
    hash_stream_free(h);
}

static void take_answer(struct judging *j, const struct label_entry *e)
{
    struct winnow_quality_judge_result *r = j->result;
    enum judge_says says = e->cut || e->refused.ptr ? JUDGE_UNREAD : judge_read(e->answer);
    r->answers++;
    r->answers_cut += e->cut;
    r->answers_refused += e->refused.ptr != NULL;
    r->prompt_tokens += e->prompt_tokens;
    r->answer_tokens += e->answer_tokens;
    r->for_one += says == JUDGE_FIRST || says == JUDGE_SECOND;
    r->first += says == JUDGE_FIRST;
    if (is_turned(j, e->number) && (says == JUDGE_FIRST || says == JUDGE_SECOND)) {
        says = says == JUDGE_FIRST ? JUDGE_SECOND : JUDGE_FIRST;
    }
    j->says[e->number] = (uint8_t)says;
    env_progress(j->env, "judge", "answers", r->answers, j->questions);
}

static winnow_status take_model(struct judging *j, struct str model, struct winnow_error *err)
{
    if (j->model.len == 0) {
        buf_add_str(&j->model, model);
    } else if (!str_eq(buf_str(&j->model), model)) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s: the answers there are of the model '%.*s', not of '%.*s'; give "
                         "another folder, or --model",
                         j->opt->output, STR_ARG(buf_str(&j->model)), STR_ARG(model));
    }
    return WINNOW_OK;
}

static winnow_status replay(struct judging *j, uint64_t *answered, struct winnow_error *err)
{
    while (*answered < j->questions) {
        struct label_entry e;
        bool more;
        TRY(env_check(j->env, err));
        describe(j, *answered, &e);
        TRY(label_journal_next(j->journal, &e, &more, err));
        if (!more) {
            return WINNOW_OK;
        }
        TRY(take_model(j, e.model, err));
        take_answer(j, &e);
        j->result->answers_found++;
        ++*answered;
    }
    return WINNOW_OK;
}

static winnow_status hear(struct judging *j, uint64_t question, struct winnow_error *err)
{
    struct completion_answer a;
    struct label_entry e;
    TRY(completion_client_next(j->client, &a, err));
    describe(j, question, &e);
    e.model = buf_str(&j->model);
    e.answer = a.text.text;
    e.refused = a.refused ? str_of(a.refused) : (struct str){0};
    e.cut = a.text.cut;
    e.prompt_tokens = a.text.prompt_tokens;
    e.answer_tokens = a.text.answer_tokens;
    TRY(label_journal_add(j->journal, &e, err));
    if (question % SYNC_EVERY == SYNC_EVERY - 1) {
        TRY(label_journal_sync(j->journal, err));
    }
    take_answer(j, &e);
    return WINNOW_OK;
}

static winnow_status submit(struct judging *j, uint64_t question, struct winnow_error *err)
{
    struct label_entry e;
    describe(j, question, &e);
    const struct completion_request request = {.prompt = buf_str(&j->text),
                                               .system = str_of(EXPERT_SYSTEM),
                                               .tokens_max = j->opt->answer_tokens,
                                               .seed = j->env->seed};
    return completion_client_submit(j->client, &request, err);
}

static winnow_status ask(struct judging *j, uint64_t answered, struct winnow_error *err)
{
    if (answered < j->questions) {
        TRY(completion_client_open(&j->client_options, j->env, &j->client, err));
        TRY(take_model(j, str_of(completion_client_model(j->client)), err));
    }
    for (uint64_t asked = answered; answered < j->questions; answered++) {
        TRY(env_check(j->env, err));
        for (; asked < j->questions && completion_client_room(j->client); asked++) {
            TRY(submit(j, asked, err));
        }
        TRY(hear(j, answered, err));
    }
    return label_journal_end(j->journal, err);
}

/* ---- results ---- */

/* What a pair's one or two answers come to; false: nothing. */
static bool verdict(struct judging *j, uint64_t pair, enum judge_says *says)
{
    const uint8_t *s = j->says + pair * orders(j);
    *says = (enum judge_says)s[0];
    if (!j->opt->both_orders) {
        return *says != JUDGE_UNREAD;
    }
    if (s[0] == JUDGE_UNREAD || s[1] == JUDGE_UNREAD) {
        return false;
    }
    j->result->split += s[0] != s[1];
    *says = s[0] == s[1] ? *says : JUDGE_SAME;
    return true;
}

static winnow_status write_pairs(struct judging *j, struct winnow_error *err)
{
    static const char *const BETTER[] = {"a", "b", "same"};
    struct buf out = {0}, path = {0};
    for (uint64_t i = 0; i < j->opt->pairs; i++) {
        enum judge_says says;
        uint32_t a, b;
        struct str ids[2], text;
        if (!verdict(j, i, &says)) {
            j->result->unread++;
            continue;
        }
        pair_at(j, i, &a, &b);
        page_at(j, a, &ids[0], &text);
        page_at(j, b, &ids[1], &text);
        j->result->pairs++;
        j->result->same += says == JUDGE_SAME;
        struct json_writer w = {.out = &out};
        json_open(&w, '{');
        json_member_str(&w, "a", ids[0]);
        json_member_str(&w, "b", ids[1]);
        json_member_text(&w, "better", BETTER[says]);
        json_close(&w, '}');
        buf_add_char(&out, '\n');
    }
    winnow_status st =
        file_write_atomic(file_join(&path, j->opt->output, "pairs.jsonl"), buf_str(&out), err);
    buf_release(&out);
    buf_release(&path);
    return st;
}

static winnow_status write_summary(const struct judging *j, struct winnow_error *err)
{
    const struct winnow_quality_judge_result *r = j->result;
    struct buf text = {0}, path = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    json_open(&w, '{');
    json_member_str(&w, "model", buf_str(&j->model));
    json_member_u64(&w, "seed", j->env->seed);
    json_member_bool(&w, "both_orders", j->opt->both_orders);
    json_member_u64(&w, "pages", r->pages);
    json_member_u64(&w, "pairs", r->pairs);
    json_member_u64(&w, "same", r->same);
    json_member_u64(&w, "split", r->split);
    json_member_u64(&w, "unread", r->unread);
    json_member_u64(&w, "answers_for_one", r->for_one);
    json_member_u64(&w, "answers_for_the_first", r->first);
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    winnow_status st =
        file_write_atomic(file_join(&path, j->opt->output, "judge.json"), buf_str(&text), err);
    buf_release(&text);
    buf_release(&path);
    return st;
}

/* ---- all of it ---- */

static winnow_status judge(struct judging *j, const struct winnow_list *paths,
                           struct winnow_error *err)
{
    struct buf path = {0};
    uint64_t answered = 0;
    TRY(read_pages(j, paths, err));
    j->questions = j->opt->pairs * orders(j);
    j->order = mem_alloc(j->pages.count * sizeof *j->order);
    j->says = mem_try_alloc(j->questions);
    if (!j->says) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %" PRIu64 " judgements", j->questions);
    }
    winnow_status st =
        label_journal_open(file_join(&path, j->opt->output, "answers.jsonl"), &j->journal, err);
    buf_release(&path);
    st = st == WINNOW_OK ? replay(j, &answered, err) : st;
    st = st == WINNOW_OK ? ask(j, answered, err) : st;
    if (st == WINNOW_OK) {
        TRY(write_pairs(j, err));
        TRY(write_summary(j, err));
        j->result->text.complete = true;
    }
    return st;
}

static winnow_status check(const struct winnow_quality_judge_options *opt,
                           const struct winnow_list *paths, const struct winnow_env *env,
                           struct winnow_error *err)
{
    if (!opt->output) {
        return error_set(err, WINNOW_E_USAGE, "--output FOLDER is needed");
    }
    if (!opt->server.url) {
        return error_set(err, WINNOW_E_USAGE,
                         "--url is needed: the address of the server that has the expert, e.g. "
                         "http://127.0.0.1:8000");
    }
    TRY(server_check(&opt->server, env, err));
    const struct guarded what = {.paths = *paths, .files_from = opt->text.files_from};
    return guard_folder(opt->output, &what, &QUALITY_JUDGE_TABLE, opt, err);
}

winnow_status winnow_quality_judge(const struct winnow_quality_judge_options *opt,
                                   const struct winnow_list *paths, const struct winnow_env *env,
                                   struct winnow_quality_judge_result *result,
                                   struct winnow_error *err)
{
    *result = (struct winnow_quality_judge_result){0};
    TRY(check(opt, paths, env, err));
    struct judging j = {.opt = opt, .env = env, .result = result};
    struct buf key = {0};
    int lock = -1;
    winnow_status st = server_client_options(&opt->server, env, &key, &j.client_options, err);
    if (st == WINNOW_OK) {
        st = claim_folder(opt->output, CLAIM_LABELS, &lock, err);
    }
    if (st == WINNOW_OK) {
        st = judge(&j, paths, err);
    }
    if (j.client) {
        result->retries = completion_client_counts(j.client)->retries;
    }
    completion_client_close(j.client);
    label_journal_close(j.journal);
    file_unlock(lock);
    least_draws_release(&j.pages);
    mem_free(j.order);
    mem_free(j.says);
    buf_release(&key);
    buf_release(&j.model);
    buf_release(&j.text);
    buf_release(&j.id);
    return st;
}
