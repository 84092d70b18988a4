/* synth_make.c -- see synth_make.h.
 *
 *   piece (any thread)   text ─► judge ─► line, signature
 *   join  (in order)     line to its shard, verdict and signature to theirs
 *   near                 of near-copies all but the first go
 *
 * All of it is done anew on each call, since it costs little beside what a model wrote; the bytes
 * are the same, so that a pass that was interrupted goes on over them. */
#include "synth/synth_make.h"

#include "base/env.h"
#include "base/grow.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/rng.h"
#include "corpus/shard_writer.h"
#include "synth/synth_near.h"

#include <inttypes.h>
#include <math.h>

#define BATCH         128U
#define SHARD_BYTES   ((uint64_t)64 << 20)
#define FRAME_BYTES   ((size_t)1 << 20)
#define BYTES_A_TOKEN 4U
#define STEM          "synthetic"

/* One request on its way. */
struct making {
    uint64_t number;
    const struct synth_prompt *prompt;
    const char *rule;
    struct synth_verdict verdict;
    struct buf line, detail;
    struct synth_sign sign;
    uint64_t new_tokens;
    char id[SYNTH_ID_BYTES];
    winnow_status status;
    struct winnow_error error;
};

struct make_scratch {
    struct synth_seed_reader seed, mate;
    struct buf line, written, text, mate_ids;
    struct json_parser *parser;
    struct synth_template_scratch *template;
    struct synth_rendering rendering;
    struct synth_judge_scratch *judge;
    struct synth_near_scratch near;
    uint32_t *order;
};

struct maker {
    const struct synth_sources *from;
    struct stage *stage;
    struct synth_made *out;
    struct synth_near near;
    struct making *batch;
    struct make_scratch *scratch;
    uint64_t first; /* request of the batch */
    struct shard_writer *shard;
    uint64_t shard_number, shard_bytes;
    struct buf frame, name, path, folder;
    bool full; /* --tokens is reached */
};

uint64_t synth_make_memory(uint64_t answers)
{
    return answers * sizeof(struct synth_made_verdict) + synth_near_memory(answers) +
           ((uint64_t)16 << 20);
}

void synth_made_release(struct synth_made *m)
{
    mem_free(m->verdicts);
    buf_release(&m->details);
    *m = (struct synth_made){0};
}

void synth_made_describe(const struct synth_made *m, uint64_t i, struct buf *out)
{
    const struct synth_made_verdict *v = &m->verdicts[i];
    buf_add_str(out, str_sub(buf_str(&m->details), v->detail, v->detail + v->detail_len));
    if (v->copy) {
        buf_addf(out, "%s\"kept\": \"%.*s\"", v->detail_len > 0 ? ", " : "", (int)SYNTH_ID_BYTES,
                 m->verdicts[v->kept].id);
    }
}

/* ---- a document's line ---- */

static void add_id(const struct maker *m, struct making *k, const struct synth_seed *seed,
                   uint64_t sampling, struct json_writer *w)
{
    char hex[33];
    struct hash_stream *h = hash_stream_new();
    const uint64_t numbers[] = {sampling, m->from->plan->seed};
    hash_stream_add(h, seed->id);
    hash_stream_add(h, (struct str){"", 1});
    hash_stream_add(h, str_of(k->prompt->hash));
    hash_stream_add(h, m->from->writer.model);
    hash_stream_add(h, (struct str){(const char *)numbers, sizeof numbers});
    hash128_hex(hash_stream_value(h), hex);
    hash_stream_free(h);
    memcpy(k->id, "syn-", 4);
    memcpy(k->id + 4, hex, SYNTH_ID_BYTES - 4);
    json_member_str(w, "id", (struct str){k->id, SYNTH_ID_BYTES});
}

static void add_provenance(const struct maker *m, const struct making *k,
                           const struct make_scratch *s, const struct synth_seed *seed,
                           uint64_t sampling, struct json_writer *w)
{
    const struct synth_sources *from = m->from;
    json_member_open(w, "synthetic", '{');
    json_member_text(w, "kind", synth_kind_name(k->prompt->kind));
    json_member_open(w, "seeds", '[');
    json_str(w, seed->id);
    if (s->mate_ids.len > 0) {
        json_raw(w, buf_str(&s->mate_ids));
    }
    json_close(w, ']');
    json_member_text(w, "prompt", k->prompt->name);
    if (!from->templates) {
        json_member_text(w, "prompt_hash", k->prompt->hash);
    }
    json_member_text(w, "engine", from->writer.engine);
    json_member_str(w, "model", from->writer.model);
    if (from->writer.hash.len > 0) {
        json_member_str(w, "model_hash", from->writer.hash);
    }
    if (!from->templates) {
        json_member_double(w, "temperature", from->opt->temperature);
    }
    json_member_u64(w, "sampling_seed", sampling);
    json_close(w, '}');
}

static void write_line(const struct maker *m, struct making *k, const struct make_scratch *s,
                       const struct synth_seed *seed, uint64_t sampling)
{
    struct buf source = {0};
    struct json_writer w = {.out = &k->line};
    buf_addf(&source, STEM "/%s", k->prompt->name);
    json_open(&w, '{');
    add_id(m, k, seed, sampling, &w);
    json_member_str(&w, "text", buf_str(&s->text));
    json_member_str(&w, "source", buf_str(&source));
    if (seed->cluster.len > 0) {
        json_member_str(&w, "cluster", seed->cluster);
    }
    add_provenance(m, k, s, seed, sampling, &w);
    json_close(&w, '}');
    buf_add_char(&k->line, '\n');
    buf_release(&source);
}

/* ---- texts ---- */

/* The round-th template, in the seed's own order of prompts, that has something to make of it. */
static winnow_status render(const struct maker *m, struct make_scratch *s, struct making *k,
                            const struct synth_request *request, struct winnow_error *err)
{
    const struct synth_prompts *prompts = m->from->plan->prompts;
    struct synth_rendering *r = &s->rendering;
    uint32_t found = 0;
    for (size_t i = 0; i < prompts->count; i++) {
        const struct synth_prompt *p = &prompts->items[request->order[i]];
        bool fits = false;
        const struct synth_template_ask ask = {request->seed, rng_mix(request->sampling), p->kind};
        TRY(synth_template_write(m->from->templates, s->template, &ask, r, &fits, err));
        if (fits && found++ == request->round) {
            k->prompt = p;
            buf_add_str(&s->written, buf_str(&r->text));
            buf_add_str(&s->text, buf_str(&r->passage));
            return WINNOW_OK;
        }
    }
    r->mate_count = 0;
    k->rule = "template.none";
    return WINNOW_OK;
}

static winnow_status read_answer(const struct maker *m, struct make_scratch *s, struct making *k,
                                 const struct synth_seed *seed, struct winnow_error *err)
{
    struct synth_answer answer;
    TRY(synth_answers_read(m->from->answers, k->number, &s->line, s->parser, &answer, err));
    k->rule = synth_answer_read(k->prompt, answer.end, answer.text, &s->written);
    k->new_tokens = answer.new_tokens;
    if (answer.end == SYNTH_REFUSED && answer.reason.len > 0) {
        buf_add_text(&k->detail, "\"reason\": ");
        json_quote(&k->detail, answer.reason);
    }
    if (!k->rule && k->prompt->passage) {
        buf_add_str(&s->text, seed->text);
    }
    return WINNOW_OK;
}

/* Against the other seeds of a text, whose ids are taken down, too. */
static winnow_status judge_mates(const struct maker *m, struct make_scratch *s, struct making *k,
                                 struct winnow_error *err)
{
    for (size_t i = 0; i < s->rendering.mate_count; i++) {
        struct synth_seed mate;
        TRY(synth_seeds_read(m->from->seeds, s->rendering.mates[i], &s->mate, &mate, err));
        buf_add_text(&s->mate_ids, i > 0 ? "," : "");
        json_quote(&s->mate_ids, mate.id);
        TRY(synth_judge_seed(m->from->judge, s->judge, k->prompt, mate.text, &k->verdict, err));
    }
    return WINNOW_OK;
}

static winnow_status judge(struct maker *m, struct make_scratch *s, struct making *k,
                           const struct synth_seed *seed, struct winnow_error *err)
{
    const struct synth_judge *j = m->from->judge;
    struct str written = buf_str(&s->written);
    k->verdict = (struct synth_verdict){k->rule, (double)NAN, (double)NAN};
    if (!k->rule) {
        TRY(synth_judge_start(j, s->judge, k->prompt, written, &k->verdict, err));
        TRY(synth_judge_seed(j, s->judge, k->prompt, seed->text, &k->verdict, err));
        TRY(judge_mates(m, s, k, err));
    }
    buf_add_text(&s->text, s->text.len > 0 ? "\n\n" : "");
    buf_add_str(&s->text, written);
    if (!k->verdict.rule) {
        TRY(synth_judge_leak(j, s->judge, k->prompt, buf_str(&s->text), &k->verdict, &k->detail,
                             err));
    }
    k->sign.words = 0;
    return k->verdict.rule
               ? WINNOW_OK
               : synth_near_sign(&m->near, &s->near, k->number, buf_str(&s->text), &k->sign, err);
}

static winnow_status make_one(struct maker *m, struct make_scratch *s, struct making *k,
                              struct winnow_error *err)
{
    const struct synth_plan *plan = m->from->plan;
    struct synth_request request;
    struct synth_seed seed;
    buf_clear(&k->line);
    buf_clear(&k->detail);
    buf_clear(&s->written);
    buf_clear(&s->text);
    buf_clear(&s->mate_ids);
    TRY(synth_seeds_read(m->from->seeds, synth_plan_seed_of(plan, k->number), &s->seed, &seed,
                         err));
    synth_plan_request(plan, k->number, seed.text, s->order, &request);
    k->rule = NULL;
    k->prompt = &plan->prompts->items[request.order[request.round]];
    TRY(m->from->templates ? render(m, s, k, &request, err) : read_answer(m, s, k, &seed, err));
    TRY(judge(m, s, k, &seed, err));
    if (k->new_tokens == 0) {
        k->new_tokens = (s->written.len + BYTES_A_TOKEN - 1) / BYTES_A_TOKEN;
    }
    write_line(m, k, s, &seed, request.sampling);
    return WINNOW_OK;
}

static void make_piece(void *ctx, size_t piece, uint32_t worker)
{
    struct maker *m = ctx;
    struct making *k = &m->batch[piece];
    k->number = m->first + piece;
    k->new_tokens = 0;
    k->status = make_one(m, &m->scratch[worker], k, &k->error);
}

/* ---- shards ---- */

static winnow_status flush_frame(struct maker *m, struct winnow_error *err)
{
    uint64_t offset;
    if (m->frame.len == 0) {
        return WINNOW_OK;
    }
    TRY(shard_writer_add_frame(m->shard, buf_str(&m->frame), &offset, err));
    m->shard_bytes += m->frame.len;
    buf_clear(&m->frame);
    return WINNOW_OK;
}

static winnow_status end_shard(struct maker *m, struct winnow_error *err)
{
    if (!m->shard) {
        return WINNOW_OK;
    }
    TRY(flush_frame(m, err));
    TRY(shard_writer_commit(m->shard, err));
    shard_writer_close(m->shard);
    m->shard = NULL;
    m->shard_number++;
    m->shard_bytes = 0;
    return stage_add_made(m->stage, buf_cstr(&m->name), err);
}

static winnow_status add_line(struct maker *m, struct str line, struct winnow_error *err)
{
    const struct shard_writer_options how = SHARD_WRITER_OPTIONS_INIT;
    if (!m->shard) {
        (void)stage_made_name(m->stage, STEM, m->shard_number, &m->name);
        (void)stage_made_path(m->stage, buf_cstr(&m->name), &m->path);
        TRY(shard_writer_open(&m->shard, buf_cstr(&m->path), &how, err));
    }
    buf_add_str(&m->frame, line);
    if (m->frame.len >= FRAME_BYTES) {
        TRY(flush_frame(m, err));
    }
    return m->shard_bytes >= SHARD_BYTES ? end_shard(m, err) : WINNOW_OK;
}

/* ---- in order ---- */

static winnow_status join(struct maker *m, const struct making *k, struct winnow_error *err)
{
    struct synth_made *out = m->out;
    if (k->status != WINNOW_OK) {
        return error_set(err, k->status, "%s", k->error.text);
    }
    TRY(add_line(m, buf_str(&k->line), err));
    TRY(synth_near_add(&m->near, k->number, &k->sign, err));
    GROW(out->verdicts, out->count, out->cap, 1024);
    out->verdicts[out->count++] = (struct synth_made_verdict){
        .rule = k->verdict.rule,
        .score = (float)k->verdict.score,
        .threshold = (float)k->verdict.threshold,
        .detail = out->details.len,
        .detail_len = (uint32_t)k->detail.len,
        .kind = k->prompt->kind,
    };
    memcpy(out->verdicts[out->count - 1].id, k->id, sizeof k->id);
    buf_add_str(&out->details, buf_str(&k->detail));
    out->new_tokens += k->new_tokens;
    m->full = m->from->opt->tokens > 0 && out->new_tokens >= m->from->opt->tokens;
    return WINNOW_OK;
}

static winnow_status make_all(struct maker *m, uint64_t requests, struct winnow_error *err)
{
    const struct winnow_env *env = stage_env(m->stage);
    for (m->first = 0; m->first < requests && !m->full; m->first += BATCH) {
        uint64_t left = requests - m->first;
        size_t count = left < BATCH ? (size_t)left : BATCH;
        pool_run(stage_pool(m->stage), count, make_piece, m);
        for (size_t i = 0; i < count && !m->full; i++) {
            TRY(join(m, &m->batch[i], err));
        }
        env_progress(env, "synthesize", "answers", m->first + count, requests);
        TRY(env_check(env, err));
    }
    return end_shard(m, err);
}

/* ---- near-copies ---- */

static void drop_copy(void *ctx, uint64_t answer, uint64_t kept, double similarity)
{
    struct maker *m = ctx;
    struct synth_made_verdict *v = &m->out->verdicts[answer];
    v->rule = "near.copy";
    v->score = (float)similarity;
    v->threshold = (float)m->from->opt->near;
    v->kept = (uint32_t)kept;
    v->copy = true;
}

static void count_kinds(struct synth_made *out)
{
    for (uint64_t i = 0; i < out->count; i++) {
        out->by_kind[out->verdicts[i].kind] += out->verdicts[i].rule == NULL;
    }
}

/* ---- all ---- */

static void start(struct maker *m)
{
    uint32_t threads = pool_threads(stage_pool(m->stage));
    m->batch = mem_zalloc(BATCH * sizeof *m->batch);
    m->scratch = mem_zalloc(threads * sizeof *m->scratch);
    for (uint32_t i = 0; i < threads; i++) {
        struct make_scratch *s = &m->scratch[i];
        s->parser = json_parser_new();
        s->template = synth_template_scratch_new();
        s->judge = synth_judge_scratch_new(m->from->judge);
        s->order = mem_zalloc(m->from->plan->prompts->count * sizeof *s->order);
    }
}

static void release(struct maker *m)
{
    uint32_t threads = pool_threads(stage_pool(m->stage));
    for (uint32_t i = 0; m->scratch && i < threads; i++) {
        struct make_scratch *s = &m->scratch[i];
        synth_seed_reader_release(&s->seed);
        synth_seed_reader_release(&s->mate);
        synth_template_scratch_free(s->template);
        synth_judge_scratch_free(s->judge);
        synth_near_scratch_release(&s->near);
        json_parser_free(s->parser);
        buf_release(&s->line);
        buf_release(&s->written);
        buf_release(&s->text);
        buf_release(&s->mate_ids);
        buf_release(&s->rendering.text);
        buf_release(&s->rendering.passage);
        mem_free(s->order);
    }
    for (size_t i = 0; m->batch && i < BATCH; i++) {
        buf_release(&m->batch[i].line);
        buf_release(&m->batch[i].detail);
    }
    mem_free(m->batch);
    mem_free(m->scratch);
    shard_writer_close(m->shard);
    synth_near_release(&m->near);
    buf_release(&m->frame);
    buf_release(&m->name);
    buf_release(&m->path);
    buf_release(&m->folder);
}

winnow_status synth_make(struct stage *stage, const struct synth_sources *from,
                         struct synth_made *out, struct winnow_error *err)
{
    struct maker m = {.from = from, .stage = stage, .out = out};
    uint64_t requests = from->templates ? from->plan->requests : from->answers->count;
    (void)stage_path(stage, "", &m.folder);
    start(&m);
    winnow_status st = synth_near_open(&m.near, buf_cstr(&m.folder), from->judge->alphabet,
                                       from->opt->near, requests, err);
    st = st == WINNOW_OK ? make_all(&m, requests, err) : st;
    st = st == WINNOW_OK ? synth_near_find(&m.near, stage_env(stage), drop_copy, &m, err) : st;
    count_kinds(out);
    release(&m);
    return st;
}
