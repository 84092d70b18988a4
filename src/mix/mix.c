/* mix.c -- the stage `mix`, step by step:
 *
 *   1. survey    each document's group, size, score and draw
 *   2. plan      targets of groups, and from which place in a group on there is one copy more
 *   3. verdicts  copies of each document; what gets none ends here, what is for validation too
 *   4. arrange   the copies in random order (run/arrange.c)
 *
 * 2 leaves state/mix.json, from which a killed run goes on.  Which documents a group gives where
 * not all are wanted hangs on a hash of their lines and the seed, so neither order nor shards
 * decide; their place in the input does between equal lines only. */
#include "mix/mix.h"

#include "winnow/mix.h"

#include "base/env.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "corpus/split.h"
#include "mix/mix_internal.h"
#include "mix/mix_value.h"
#include "model/model_file.h"
#include "option/belongs.h"
#include "option/tables.h"

#include <math.h>
#include <stdio.h>

#define SORT_MEMORY  ((uint64_t)256 << 20) /* without --memory */
#define PLACE_WORDS  4U
#define SPEED        40e6 /* bytes of text a second, for --dry-run; docs/mix.md has what was measured */
#define SPEED_TOKENS 8e6 /* the same with a tokenizer */

/* ---- a document ---- */

/* Of a thread; neighbours mostly are of one group, which is looked up once. */
struct scratch {
    struct buf name, value;
    size_t number;
    bool known;
    struct tokenizer_scratch *tokens;
    struct u32_list ids;
};

static void *scratch_new(void *state)
{
    const struct mix *m = state;
    struct scratch *c = mem_zalloc(sizeof *c);
    c->tokens = m->tokenizer ? tokenizer_scratch_new(m->tokenizer) : NULL;
    return c;
}

static void scratch_free(void *scratch)
{
    struct scratch *c = scratch;
    buf_release(&c->name);
    buf_release(&c->value);
    u32_list_release(&c->ids);
    tokenizer_scratch_free(c->tokens);
    mem_free(c);
}

static winnow_status number_of(struct mix *m, struct str name, size_t *number,
                               struct winnow_error *err)
{
    *number = mix_groups_number(&m->groups, name);
    return *number != SIZE_MAX
               ? WINNOW_OK
               : error_set(err, WINNOW_E_LIMIT,
                           "more than %u groups by \"%s\": mix by something that documents share",
                           MIX_GROUPS_MAX, m->opt->by);
}

static winnow_status group_of(struct mix *m, struct scratch *c, struct json_value v, size_t *number,
                              struct winnow_error *err)
{
    struct str name;
    bool named = mix_name(v, &c->value, &name);
    name = named ? name : STR_LIT(MIX_NO_NAME);
    if (c->known && str_eq(buf_str(&c->name), name)) {
        *number = c->number;
        return WINNOW_OK;
    }
    (void)pthread_mutex_lock(&m->lock);
    winnow_status st = number_of(m, name, &c->number, err);
    m->named = m->named || named;
    (void)pthread_mutex_unlock(&m->lock);
    buf_clear(&c->name);
    buf_add_str(&c->name, name);
    c->known = st == WINNOW_OK;
    *number = c->number;
    return st;
}

static uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static double number_in(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* In an order that numbers have; none is the least. */
static uint32_t score_bits(double score)
{
    if (isnan(score)) {
        return 0;
    }
    float f = (float)score;
    f = isinf(f) ? (f > 0 ? 3.4e38F : -3.4e38F) : f == 0 ? 0 : f; /* -0 is 0 */
    uint32_t raw;
    memcpy(&raw, &f, sizeof raw);
    return raw & UINT32_C(1) << 31 ? ~raw : raw | UINT32_C(1) << 31;
}

static bool is_validation(const struct mix *m, const struct document *d)
{
    uint64_t key;
    if (m->opt->validation <= 0) {
        return false;
    }
    if (!mix_clusters_find(&m->clusters, d->id, &key)) {
        key = split_key(d->text);
    }
    return split_is_heldout(key, m->opt->validation);
}

/* What decide() needs of a document, in its carry: */
enum { CARRY_GROUP, CARRY_SCORE, CARRY_DRAW, CARRY_UNITS };

/* in place of units: it is set aside. */
#define UNITS_VALIDATION UINT64_MAX

static uint64_t units_of(struct mix *m, struct scratch *c, struct str text)
{
    if (!m->tokenizer) {
        return text.len + (uint64_t)MIX_TOKEN_BYTES;
    }
    c->ids.len = 0;
    tokenizer_encode(m->tokenizer, c->tokens, text, TOKENIZER_PLAIN_SPECIAL, &c->ids);
    return c->ids.len + 1;
}

static winnow_status read_document(void *state, void *scratch, const struct document *d,
                                   struct stage_result *r, struct winnow_error *err)
{
    struct mix *m = state;
    struct scratch *c = scratch;
    size_t number = 0;
    struct json_value by = {0};
    if (strcmp(m->opt->by, "none") != 0) {
        by = mix_member(d->json, m->opt->by);
    }
    TRY(group_of(m, c, by, &number, err));
    r->carry[CARRY_GROUP] = number;
    r->carry[CARRY_SCORE] =
        bits_of(m->opt->upsample ? mix_number(mix_member(d->json, m->opt->upsample)) : 0);
    r->carry[CARRY_DRAW] = rng_mix(hash64(d->raw, stage_env(m->stage)->seed));
    r->carry[CARRY_UNITS] = is_validation(m, d) ? UNITS_VALIDATION
                            : m->sort           ? units_of(m, c, d->text)
                                                : 0;
    return WINNOW_OK;
}

/* What an attribute row says goes before what the document says. */
static winnow_status read_row(struct mix *m, struct str id, struct stage_result *r,
                              struct winnow_error *err)
{
    struct json_value row;
    struct buf scratch = {0};
    struct str name;
    TRY(mix_rows_next(&m->rows, id, &row, err));
    winnow_status st = WINNOW_OK;
    if (mix_name(mix_attribute(row, m->opt->by), &scratch, &name)) {
        size_t number = 0;
        st = number_of(m, name, &number, err);
        r->carry[CARRY_GROUP] = number;
        m->named = true;
    }
    buf_release(&scratch);
    double score =
        m->opt->upsample ? mix_number(mix_attribute(row, m->opt->upsample)) : (double)NAN;
    if (!isnan(score)) {
        r->carry[CARRY_SCORE] = bits_of(score);
    }
    return st;
}

/* ---- 1. survey ---- */

static winnow_status survey_one(void *state, struct str id, uint64_t ordinal,
                                struct stage_result *r, struct winnow_error *err)
{
    struct mix *m = state;
    TRY(m->opt->attributes ? read_row(m, id, r, err) : WINNOW_OK);
    struct mix_group *g = &m->groups.items[r->carry[CARRY_GROUP]];
    uint64_t units = r->carry[CARRY_UNITS];
    if (units == UNITS_VALIDATION) {
        g->validation++;
        m->validation++;
        return WINNOW_OK;
    }
    double score = number_in(r->carry[CARRY_SCORE]);
    g->documents++;
    g->units += units;
    g->unscored += isnan(score) ? 1 : 0;
    m->unscored += isnan(score) ? 1 : 0;
    const uint64_t record[PLACE_WORDS] = {r->carry[CARRY_GROUP] << 32 | score_bits(score),
                                          r->carry[CARRY_DRAW], ordinal, units};
    return record_sort_add(m->sort, record, 1, err);
}

static uint64_t sort_growth(void *state)
{
    const struct mix *m = state;
    return m->sort ? record_sort_bytes(m->sort) : 0;
}

static winnow_status survey(struct mix *m, struct winnow_error *err)
{
    struct stage_pass pass = {.name = "survey",
                              .state = m,
                              .worker_new = scratch_new,
                              .worker_free = scratch_free,
                              .document = read_document,
                              .decide = survey_one,
                              .growth = sort_growth,
                              .scratch_factor = m->tokenizer ? 8 : 0};
    uint64_t limit = stage_env(m->stage)->memory_max;
    uint64_t least = STAGE_MEMORY_LEAST, room = limit > least ? (limit - least) / 2 : 0;
    struct buf folder = {0};
    (void)stage_path(m->stage, "", &folder);
    winnow_status st = record_sort_new(&m->sort, PLACE_WORDS, limit > 0 ? room : SORT_MEMORY,
                                       buf_cstr(&folder), err);
    buf_release(&folder);
    return st == WINNOW_OK ? stage_run_pass(m->stage, &pass, err) : st;
}

/* ---- 2. plan ---- */

/* The cuts of one group, found as its places go by. */
struct walk {
    struct mix_group *g;
    double at[MIX_COPIES_MAX]; /* of each cut, on the line from 0 to 1 */
    size_t count;
    double passed; /* units */
};

static void start_group(struct mix *m, struct walk *w, size_t number)
{
    struct mix_group *g = &m->groups.items[number];
    *w = (struct walk){.g = g};
    w->count = mix_plan_cuts(m->opt, g->target / (double)g->units, &g->base, w->at);
    mem_free(g->cuts);
    g->cuts = mem_zalloc((w->count + 1) * sizeof *g->cuts);
    g->cut_count = 0;
}

static void walk_place(struct walk *w, const struct mix_place *place, uint64_t units)
{
    struct mix_group *g = w->g;
    double middle = (w->passed + (double)units / 2) / (double)g->units;
    while (g->cut_count < w->count && middle >= w->at[g->cut_count]) {
        g->cuts[g->cut_count++] = *place;
    }
    w->passed += (double)units;
    uint64_t copies = g->base + g->cut_count;
    g->distinct += copies > 0;
    g->copies += copies;
    g->units_after += copies * units;
}

static winnow_status find_cuts(struct mix *m, struct winnow_error *err)
{
    struct walk w = {0};
    TRY(record_sort_finish(m->sort, err));
    for (;;) {
        const uint64_t *record;
        TRY(record_sort_next(m->sort, &record, err));
        if (!record) {
            return WINNOW_OK;
        }
        size_t number = (size_t)(record[0] >> 32);
        if (w.g != &m->groups.items[number]) {
            start_group(m, &w, number);
        }
        const struct mix_place place = {(uint32_t)record[0], record[1], record[2]};
        walk_place(&w, &place, record[3]);
    }
}

static winnow_status check_groups(const struct mix *m, struct winnow_error *err)
{
    uint64_t documents = 0;
    for (size_t i = 0; i < m->groups.count; i++) {
        documents += m->groups.items[i].documents;
    }
    if (documents > 0 && !m->named && strcmp(m->opt->by, "source") != 0 &&
        strcmp(m->opt->by, "none") != 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--by %s: no document has it%s; --by names a member of the documents, or "
                         "a value of --attributes",
                         m->opt->by, m->opt->attributes ? ", and no attribute" : "");
    }
    if (documents > 0 && m->unscored == documents) {
        return error_set(err, WINNOW_E_USAGE,
                         "--upsample %s: no document has such a number; it names a member of the "
                         "documents, or a value of --attributes",
                         m->opt->upsample);
    }
    return WINNOW_OK;
}

static winnow_status plan(struct mix *m, struct winnow_error *err)
{
    double units_a_token = m->tokenizer ? 1 : MIX_TOKEN_BYTES;
    TRY(check_groups(m, err));
    TRY(mix_wishes_apply(m->opt, units_a_token, &m->groups, err));
    m->budget.budget = (double)m->opt->tokens * units_a_token;
    mix_plan_targets(m->opt, &m->groups, &m->budget);
    if (m->groups.count > 0 && stage_documents(m->stage) > m->validation &&
        m->budget.reached <= 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "nothing would be left: every group has a weight, epochs or a cap of 0, "
                         "or none at all");
    }
    TRY(find_cuts(m, err));
    record_sort_free(m->sort);
    m->sort = NULL;
    tokenizer_free(m->tokenizer);
    m->tokenizer = NULL;
    return WINNOW_OK;
}

/* ---- 3. verdicts ---- */

static winnow_status judge(void *state, struct str id, uint64_t ordinal, struct stage_result *r,
                           struct winnow_error *err)
{
    struct mix *m = state;
    TRY(m->opt->attributes ? read_row(m, id, r, err) : WINNOW_OK);
    const struct mix_group *g = &m->groups.items[r->carry[CARRY_GROUP]];
    double score = number_in(r->carry[CARRY_SCORE]);
    if (r->carry[CARRY_UNITS] == UNITS_VALIDATION) {
        r->verdict = STAGE_ASIDE;
        r->rule = "validation";
        return WINNOW_OK;
    }
    const struct mix_place place = {score_bits(score), r->carry[CARRY_DRAW], ordinal};
    r->times = mix_plan_copies(g, &place);
    if (m->opt->upsample) {
        r->score = score;
    }
    if (r->times == 1) {
        return WINNOW_OK;
    }
    r->rule = r->times == 0 ? "left_out" : "repeated";
    r->verdict = r->times == 0 ? STAGE_REMOVE : STAGE_KEEP;
    buf_add_text(&r->detail, "\"group\": ");
    json_quote(&r->detail, g->name);
    return WINNOW_OK;
}

static winnow_status verdicts(struct mix *m, struct winnow_error *err)
{
    const struct stage_pass pass = {.name = "mix",
                                    .verdicts = true,
                                    .arranges = true,
                                    .state = m,
                                    .worker_new = scratch_new,
                                    .worker_free = scratch_free,
                                    .document = read_document,
                                    .decide = judge,
                                    .scratch_factor = 1};
    return stage_run_pass(m->stage, &pass, err);
}

/* ---- all of it ---- */

static winnow_status open_rows(struct mix *m, struct winnow_error *err)
{
    mix_rows_close(&m->rows);
    return m->opt->attributes
               ? mix_rows_open(&m->rows, m->opt->attributes, stage_env(m->stage)->memory_max, err)
               : WINNOW_OK;
}

static winnow_status survey_and_plan(struct mix *m, const char *file, struct winnow_error *err)
{
    if (file_exists(file)) {
        return mix_file_read(m, file, err);
    }
    TRY(m->opt->tokenizer ? model_load_tokenizer(m->opt->tokenizer, &m->tokenizer, err)
                          : WINNOW_OK);
    TRY(open_rows(m, err));
    TRY(survey(m, err));
    TRY(plan(m, err));
    return mix_file_write(m, file, err);
}

static void note(const struct mix *m)
{
    stage_note_double(m->stage, "groups", (double)m->groups.count);
    stage_note_double(m->stage, "validation", (double)m->validation);
}

static winnow_status run_steps(struct mix *m, const char *file, struct winnow_error *err)
{
    const struct stage_arrangement how = {stage_env(m->stage)->seed, m->opt->shard_size};
    TRY(m->opt->clusters
            ? mix_clusters_read(m->opt->clusters, stage_env(m->stage), &m->clusters, err)
            : WINNOW_OK);
    TRY(survey_and_plan(m, file, err));
    mix_tell(m);
    note(m);
    TRY(open_rows(m, err));
    TRY(verdicts(m, err));
    return stage_arrange(m->stage, &how, err);
}

static winnow_status run_mix(struct stage *stage, const void *options, struct winnow_error *err)
{
    struct mix m = {.stage = stage, .opt = options};
    struct buf file = {0};
    (void)pthread_mutex_init(&m.lock, NULL);
    (void)stage_path(stage, "mix.json", &file);
    winnow_status st = run_steps(&m, buf_cstr(&file), err);
    record_sort_free(m.sort);
    mix_rows_close(&m.rows);
    mix_clusters_release(&m.clusters);
    mix_groups_release(&m.groups);
    tokenizer_free(m.tokenizer);
    (void)pthread_mutex_destroy(&m.lock);
    buf_release(&file);
    return st;
}

static winnow_status check(const void *options, const struct stage_plan *stage_plan,
                           struct winnow_error *err)
{
    const struct winnow_mix_options *o = options;
    (void)stage_plan;
    if (o->by[0] == '\0') {
        return error_set(err, WINNOW_E_USAGE,
                         "--by is empty: name a member, or none for one group of all");
    }
    if (o->clusters && o->validation <= 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--clusters says what stays together in a split: it needs --validation");
    }
    if (o->upsample_drop > 0 && !o->upsample) {
        return error_set(err, WINNOW_E_USAGE,
                         "--upsample-drop needs --upsample KEY, which says by what score");
    }
    static const char *const OF_UPSAMPLE[] = {"upsample-max", "upsample-power", NULL};
    if (!o->upsample) {
        TRY(option_belong(&MIX_TABLE, o, OF_UPSAMPLE, "--upsample KEY", err));
    }
    return mix_wishes_check(o, err);
}

/* What is said in tokens is not what a sample of the input would come to. */
static bool has_amounts(const void *options)
{
    const struct winnow_mix_options *o = options;
    return o->tokens > 0 || o->caps.count > 0;
}

static void estimate(const void *options, const struct stage_plan *stage_plan,
                     struct stage_estimate *out)
{
    const struct winnow_mix_options *o = options;
    uint64_t text = stage_plan->text_bytes;
    if (text == 0) {
        text = stage_plan->input_bytes;
    }
    if (has_amounts(options)) {
        double tokens = fmax((double)text / MIX_TOKEN_BYTES, 1);
        out->keep = o->tokens > 0 ? fmin((double)o->tokens / tokens, o->epochs_max) : 1;
        out->seconds = (double)text / (o->tokenizer ? SPEED_TOKENS : SPEED);
        (void)snprintf(out->note, sizeof out->note,
                       "expected from --tokens; what --weights, --cap and the tokenizer make of it "
                       "is known behind the survey");
    }
    out->memory = RECORD_MEMORY_LEAST + ((uint64_t)8 << 20);
    out->beside =
        stage_plan->documents * 64 < SORT_MEMORY ? stage_plan->documents * 64 : SORT_MEMORY;
}

const struct stage_kind MIX_STAGE = {
    .table = &MIX_TABLE,
    .check = check,
    .estimate = estimate,
    .estimate_only = has_amounts,
    .run = run_mix,
    .many_passes = true,
};
