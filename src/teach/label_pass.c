/* label_pass.c -- documents in, questions out; answers in, labels out.
 *
 *     documents -> subjects (a ring: being asked about, oldest first)
 *                     | questions                        ^ answers, in turn
 *                     v                                  |
 *               the journal of an earlier call, then the server
 *
 * While the journal has answers each question gets its own at once; from there on
 * as many questions are on their way as the client takes.  A subject is written
 * when its last answer is in, and as answers come in the order of the questions,
 * subjects end in the order of the documents. */
#include "teach/label_pass.h"

#include "base/amount.h"
#include "base/env.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/rng.h"
#include "corpus/texts.h"
#include "teach/label_journal.h"
#include "teach/label_subject.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define WRITE_BYTES    ((size_t)1 << 20)
#define SYNC_EVERY     64U /* answers */
#define BYTES_A_TOKEN  3U
#define SUBJECTS_EXTRA 2U /* being opened, being closed */

struct asking {
    struct labelling *l;
    struct label_plan plan;
    struct texts texts;
    bool texts_end;
    struct winnow_text_result read;
    struct label_journal *journal;
    bool live; /* the journal has no more answers */

    struct label_subject *ring;
    size_t ring_size;
    uint64_t oldest, newest; /* numbers of subjects; newest: one past */
    uint64_t held;           /* bytes of their texts */
    uint64_t drawn;          /* documents */
    uint64_t number;         /* of the next question */
    uint64_t answered;

    struct buf text; /* a question */
    struct buf out, path, temporary;
    int fd;
};

static struct label_subject *subject_at(struct asking *p, uint64_t number)
{
    return &p->ring[number % p->ring_size];
}

/* ---- documents ---- */

/* By the id alone, so that more documents never change who is drawn. */
static bool is_drawn(const struct asking *p, struct str id)
{
    double share = p->l->opt->share;
    if (share >= 1) {
        return true;
    }
    struct hash128 h = hash128(id);
    uint64_t x = rng_mix(h.low ^ rng_mix(p->l->env->seed));
    return (double)(x >> 11) * 0x1p-53 < share;
}

/* Opens a subject for a document, unless there is nothing to ask about it. */
static bool draw(struct asking *p, const struct document *d)
{
    struct buf *verdicts = &p->l->verdicts;
    struct label_subject *s = subject_at(p, p->newest);
    uint64_t ordinal = p->drawn++;
    if (p->plan.chunks && ordinal < verdicts->len && verdicts->ptr[ordinal] != 'k') {
        return false;
    }
    if (!p->plan.chunks) {
        buf_add_char(verdicts, '?');
    }
    assert(p->newest - p->oldest < p->ring_size);
    if (!label_subject_open(s, &p->plan, d->id, d->text, p->l->result)) {
        return false;
    }
    s->ordinal = ordinal;
    p->held += s->text.len;
    p->newest++;
    return true;
}

/* Of each document drawn a letter stays. */
static winnow_status check_verdicts(const struct asking *p, struct winnow_error *err)
{
    uint64_t most = p->l->env->memory_max;
    if (most > 0 && p->l->verdicts.len > most / 2) {
        return error_set(err, WINNOW_E_LIMIT,
                         "a byte for each of %zu documents is more than half of --memory %s"
                         "; give more, or draw fewer (--share)",
                         p->l->verdicts.len, amount_memory(most).text);
    }
    return WINNOW_OK;
}

/* Opens the next document that there is something to ask about. */
static winnow_status open_subject(struct asking *p, bool *more, struct winnow_error *err)
{
    *more = false;
    while (!*more && !p->texts_end) {
        struct document d;
        bool got;
        TRY(texts_next(&p->texts, &d, &got, err));
        if (!got) {
            p->texts_end = true;
        } else if (is_drawn(p, d.id)) {
            *more = draw(p, &d);
            TRY(check_verdicts(p, err));
        }
    }
    return WINNOW_OK;
}

/* ---- answers ---- */

static winnow_status flush(struct asking *p, struct winnow_error *err)
{
    winnow_status st = file_write_fd(p->fd, buf_str(&p->out), buf_cstr(&p->temporary), err);
    buf_clear(&p->out);
    return st;
}

/* Writes and closes the subjects at the old end that have all their answers. */
static winnow_status close_subjects(struct asking *p, struct winnow_error *err)
{
    while (p->oldest < p->newest && label_subject_done(subject_at(p, p->oldest))) {
        struct label_subject *s = subject_at(p, p->oldest);
        uint64_t ordinal = s->ordinal;
        p->held -= s->text.len;
        char verdict = label_subject_close(s, &p->plan, p->l->result, &p->out);
        if (!p->plan.chunks) {
            p->l->verdicts.ptr[ordinal] = verdict;
        }
        p->oldest++;
        if (p->out.len >= WRITE_BYTES) {
            TRY(flush(p, err));
        }
    }
    return WINNOW_OK;
}

/* The oldest subject that waits for an answer takes it. */
static winnow_status take_answer(struct asking *p, const struct label_entry *e,
                                 struct winnow_error *err)
{
    struct winnow_refiner_label_result *r = p->l->result;
    assert(p->oldest < p->newest);
    r->answers++;
    r->answers_cut += e->cut;
    r->answers_refused += e->refused.ptr != NULL;
    r->prompt_tokens += e->prompt_tokens;
    r->answer_tokens += e->answer_tokens;
    label_subject_answer(subject_at(p, p->oldest), &p->plan, e, r);
    p->answered++;
    env_progress(p->l->env, "label", "answers", r->answers, 0);
    return close_subjects(p, err);
}

/* ---- questions ---- */

/* The next question of the newest subject, or of the next document. */
static winnow_status next_question(struct asking *p, struct label_entry *e, bool *more,
                                   struct winnow_error *err)
{
    *more = p->newest > p->oldest && label_subject_asks(subject_at(p, p->newest - 1));
    if (!*more) {
        TRY(open_subject(p, more, err));
    }
    if (!*more) {
        return WINNOW_OK;
    }
    *e = (struct label_entry){.number = p->number++};
    buf_clear(&p->text);
    label_subject_ask(subject_at(p, p->newest - 1), &p->plan, e, &p->text);
    return WINNOW_OK;
}

static winnow_status need_client(struct asking *p, struct winnow_error *err)
{
    struct labelling *l = p->l;
    if (!l->client) {
        TRY(completion_client_open(&l->client_options, l->env, &l->client, err));
    }
    const char *model = completion_client_model(l->client);
    if (l->model.len == 0) {
        buf_add_text(&l->model, model);
    } else if (!str_is(buf_str(&l->model), model)) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s: the answers there are of the model '%.*s', not of '%s'; give another "
                         "folder, or --model",
                         l->opt->output, STR_ARG(buf_str(&l->model)), model);
    }
    return WINNOW_OK;
}

static winnow_status submit(struct asking *p, struct winnow_error *err)
{
    const struct completion_request request = {.prompt = buf_str(&p->text),
                                               .system = str_of(EXPERT_SYSTEM),
                                               .tokens_max = p->l->opt->answer_tokens,
                                               .seed = p->l->env->seed};
    return completion_client_submit(p->l->client, &request, err);
}

/* Answers a question from the journal, or finds that there are no more. */
static winnow_status replay(struct asking *p, struct label_entry *e, struct winnow_error *err)
{
    bool more;
    TRY(label_journal_next(p->journal, e, &more, err));
    if (!more) {
        p->live = true;
        TRY(need_client(p, err));
        return submit(p, err);
    }
    if (p->l->model.len == 0) {
        buf_add_str(&p->l->model, e->model);
    } else if (!str_eq(buf_str(&p->l->model), e->model)) {
        return error_set(err, WINNOW_E_FORMAT, "%s: answers of two models in one folder",
                         p->l->opt->output);
    }
    p->l->result->answers_found++;
    return take_answer(p, e, err);
}

/* Waits for the oldest answer, keeps it, and gives it to its subject. */
static winnow_status hear(struct asking *p, struct winnow_error *err)
{
    struct completion_answer a;
    TRY(completion_client_next(p->l->client, &a, err));
    struct label_entry e = {.number = p->answered,
                            .model = buf_str(&p->l->model),
                            .answer = a.text.text,
                            .refused = a.refused ? str_of(a.refused) : (struct str){0},
                            .cut = a.text.cut,
                            .prompt_tokens = a.text.prompt_tokens,
                            .answer_tokens = a.text.answer_tokens};
    label_subject_due(subject_at(p, p->oldest), &p->plan, &e);
    TRY(label_journal_add(p->journal, &e, err));
    if (p->answered % SYNC_EVERY == SYNC_EVERY - 1) {
        TRY(label_journal_sync(p->journal, err));
    }
    return take_answer(p, &e, err);
}

/* Texts that are being asked about take a quarter of --memory (their chunks, questions
 * and answers about as much again); a longer one is asked about by itself. */
static bool may_ask(const struct asking *p)
{
    if (!p->live) {
        return true;
    }
    uint64_t most = p->l->env->memory_max / 4;
    bool full = most > 0 && p->held >= most && completion_client_pending(p->l->client) > 0;
    return !full && completion_client_room(p->l->client);
}

static winnow_status ask_all(struct asking *p, struct winnow_error *err)
{
    bool more = true;
    while (more || (p->live && completion_client_pending(p->l->client) > 0)) {
        while (more && may_ask(p)) {
            struct label_entry e;
            TRY(env_check(p->l->env, err));
            TRY(next_question(p, &e, &more, err));
            if (more) {
                TRY(p->live ? submit(p, err) : replay(p, &e, err));
            }
        }
        if (p->live && completion_client_pending(p->l->client) > 0) {
            TRY(hear(p, err));
        }
    }
    assert(p->oldest == p->newest);
    return label_journal_end(p->journal, err);
}

/* ---- a pass ---- */

static winnow_status open_files(struct asking *p, struct winnow_error *err)
{
    const char *name = p->plan.chunks ? "chunks" : "documents";
    struct buf journal = {0};
    buf_addf(&journal, "%s/%s-answers.jsonl", p->l->opt->output, name);
    buf_addf(&p->path, "%s/%s.jsonl", p->l->opt->output, name);
    buf_addf(&p->temporary, "%s" FILE_TMP, buf_cstr(&p->path));
    winnow_status st = label_journal_open(buf_cstr(&journal), &p->journal, err);
    buf_release(&journal);
    TRY(st);
    p->fd = open(buf_cstr(&p->temporary), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return p->fd >= 0 ? WINNOW_OK : error_errno(err, "cannot write", buf_cstr(&p->temporary));
}

static winnow_status run_pass(struct asking *p, struct winnow_error *err)
{
    TRY(open_files(p, err));
    TRY(texts_open(&p->texts, &p->l->opt->text, *p->l->paths, p->l->env, &p->read, err));
    TRY(ask_all(p, err));
    TRY(flush(p, err));
    TRY(texts_read(&p->texts, p->read.documents, err));
    p->l->result->text = p->read;
    p->l->result->documents = p->drawn;
    account_add(&p->l->account, p->texts.shards.account);
    return file_commit(buf_cstr(&p->temporary), buf_cstr(&p->path), err);
}

winnow_status label_pass(struct labelling *l, bool chunks, struct winnow_error *err)
{
    const struct winnow_refiner_label_options *opt = l->opt;
    const struct chunk_options cut = {opt->chunk_tokens, LONG_LINES_SKIP, LINE_NUMBERS_BRACKETS};
    /* A question belongs to a subject, and a subject has at least one. */
    size_t held = 4 * (size_t)opt->server.concurrency;
    struct asking p = {.l = l,
                       .plan = {.chunks = chunks,
                                .chunker = chunker_new(NULL, &cut),
                                .document_bytes = (size_t)opt->document_tokens * BYTES_A_TOKEN,
                                .answer_tokens = opt->answer_tokens,
                                .chat = opt->server.chat,
                                .seed = l->env->seed,
                                .removal_max = opt->removal_max},
                       .ring_size = held + SUBJECTS_EXTRA,
                       .fd = -1};
    p.ring = mem_zalloc(p.ring_size * sizeof *p.ring);
    winnow_status st = run_pass(&p, err);
    if (p.fd >= 0) {
        (void)close(p.fd);
    }
    texts_release(&p.texts);
    label_journal_close(p.journal);
    for (; p.oldest < p.newest; p.oldest++) {
        label_subject_release(subject_at(&p, p.oldest));
    }
    mem_free(p.ring);
    chunker_free(p.plan.chunker);
    buf_release(&p.text);
    buf_release(&p.out);
    buf_release(&p.path);
    buf_release(&p.temporary);
    return st;
}
