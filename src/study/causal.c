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
#include "base/claim.h"
#include "base/file.h"
#include "base/mem.h"
#include "corpus/shards.h"
#include "model/model_file.h"
#include "option/tables.h"
#include "run/output_folder.h"
#include "study/study_internal.h"

#include <inttypes.h>

#define PATTERN_LEAST 5U

const char *const STUDY_WHO[] = {"model", "random_weights", "oracle"};
const char *const STUDY_TREATMENT[] = {"memorised", "subject_object", "pattern_object"};

/* ---- effects ---- */

static uint64_t bin(uint64_t count)
{
    return count <= 1 ? 0 : count <= 10 ? 1 : count <= 100 ? 2 : count <= 1000 ? 3 : 4;
}

typedef uint64_t (*count_object)(const struct study *s, const struct fact *f, uint32_t object);

uint64_t study_with_subject(const struct study *s, const struct fact *f, uint32_t object)
{
    return fact_counts_pair(&s->counts, f->subject, object);
}

uint64_t study_with_pattern(const struct study *s, const struct fact *f, uint32_t object)
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
                         ? bin(study_with_subject(s, f, two[k]))
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
            uint64_t z = bin(study_with_subject(s, f, f->object));
            rows[n++] = (struct effect_row){
                .stratum = (uint64_t)f->pattern << 3 | z,
                .unit = f->subject,
                .treated = fact_counts_fact(&s->counts, f->pattern, f->subject, f->object) > 0,
                .outcome = says[i] == f->object};
        } else if (best_two(s, f, t == SUBJECT ? study_with_subject : study_with_pattern,
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

/* ---- all of it ---- */

static char *text_of(const struct buf *b)
{
    char *text = mem_alloc(b->len + 1);
    memcpy(text, b->ptr, b->len);
    text[b->len] = '\0';
    return text;
}

static winnow_status write_file(const struct study *s, const char *name, const struct buf *text,
                                struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st =
        file_write_atomic(file_join(&path, s->opt->output, name), buf_str(text), err);
    buf_release(&path);
    return st;
}

static winnow_status write_results(struct study *s, struct winnow_error *err)
{
    struct buf json = {0}, table = {0}, rows = {0};
    study_write_json(s, &json);
    study_write_table(s, &table);
    s->result->json = text_of(&json);
    s->result->table = text_of(&table);
    winnow_status st = WINNOW_OK;
    if (s->opt->output) {
        study_write_rows(s, &rows);
        st = write_file(s, "rows.jsonl", &rows, err);
        st = st == WINNOW_OK ? write_file(s, "causal.json", &json, err) : st;
    }
    buf_release(&json);
    buf_release(&table);
    buf_release(&rows);
    return st;
}

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
    struct buf state = {0};
    struct model_config there; /* of a model that is not, nothing need be counted */
    TRY(model_load_config(s->opt->model, &there, err));
    TRY(facts_read(s->opt->items, &s->facts, err));
    fact_counts_init(&s->counts, &s->facts);
    const struct fact_reading reading = {
        .opt = s->opt,
        .paths = paths,
        .state = s->checkpoint ? file_join(&state, s->checkpoint, "counts.bin") : NULL,
        .slice_bytes = FACT_SLICE_BYTES};
    winnow_status st = fact_counts_corpus(&s->counts, &reading, s->env, err);
    buf_release(&state);
    TRY(st);
    TRY(count_absent(s, err));
    for (unsigned i = 0; i < WHOS; i++) {
        s->says[i] = mem_zalloc((s->facts.count + 1) * sizeof *s->says[i]);
    }
    TRY(study_ask_models(s, err));
    find_effects(s);
    return write_results(s, err);
}

/* checkpoint: NULL, or a folder to go on from. */
static winnow_status study_once(const struct winnow_study_options *opt,
                                const struct winnow_list *paths, const char *checkpoint,
                                const struct winnow_env *env, struct winnow_study_result *result,
                                struct winnow_error *err)
{
    struct study s = {.opt = opt,
                      .env = env,
                      .result = result,
                      .checkpoint = checkpoint,
                      .pool = pool_new(env->threads)};
    winnow_status st = study(&s, paths, err);
    fact_counts_release(&s.counts);
    facts_release(&s.facts);
    for (unsigned i = 0; i < WHOS; i++) {
        mem_free(s.says[i]);
    }
    pool_free(s.pool);
    return st;
}

static winnow_status study_in(struct output_folder *folder, const struct winnow_study_options *opt,
                              const struct winnow_list *paths, const struct winnow_env *env,
                              struct winnow_study_result *result, struct winnow_error *err)
{
    struct buf checkpoint = {0};
    winnow_status st = file_make_dirs(file_join(&checkpoint, opt->output, OUTPUT_CHECKPOINT), err);
    if (st == WINNOW_OK) {
        st = study_once(opt, paths, buf_cstr(&checkpoint), env, result, err);
    }
    buf_release(&checkpoint);
    return output_folder_end(folder, st, st == WINNOW_OK, err);
}

/* What --files-from names too is part of what the folder is of. */
static winnow_status list_all(const struct winnow_study_options *opt,
                              const struct winnow_list *paths, struct shard_list *shards,
                              struct arena *keep, struct winnow_list *out, struct winnow_error *err)
{
    const struct shards_options find = {
        .paths = *paths, .files_from = opt->files_from, .kind = SHARDS_DOCUMENTS};
    *out = *paths;
    if (!opt->files_from) {
        return WINNOW_OK;
    }
    TRY(shards_find(&find, shards, err));
    const char **all = ARENA_NEW(keep, const char *, shards->count);
    for (size_t i = 0; i < shards->count; i++) {
        all[i] = shards->items[i].path;
    }
    *out = (struct winnow_list){all, shards->count};
    return WINNOW_OK;
}

static winnow_status study_into(const struct winnow_study_options *opt,
                                const struct winnow_list *paths, const struct winnow_env *env,
                                struct winnow_study_result *result, struct winnow_error *err)
{
    struct output_folder folder;
    const struct output_wanted want = {.path = opt->output,
                                       .kind = CLAIM_STUDY,
                                       .table = &STUDY_CAUSAL_TABLE,
                                       .options = opt,
                                       .paths = paths,
                                       .uses_kernels = true};
    TRY(output_folder_open(&folder, &want, env, err));
    result->nothing_to_do = folder.finished;
    return folder.finished ? output_folder_end(&folder, WINNOW_OK, false, err)
                           : study_in(&folder, opt, paths, env, result, err);
}

winnow_status winnow_study_causal(const struct winnow_study_options *opt,
                                  const struct winnow_list *paths, const struct winnow_env *env,
                                  struct winnow_study_result *result, struct winnow_error *err)
{
    *result = (struct winnow_study_result){0};
    if (!opt->items || !opt->model) {
        return error_set(err, WINNOW_E_USAGE, "say which facts to ask which model for: %s",
                         opt->items ? "--model MODEL" : "--items FACTS.jsonl");
    }
    if (!opt->output) {
        return study_once(opt, paths, NULL, env, result, err);
    }
    struct winnow_study_options all = *opt;
    struct shard_list shards = {0};
    struct winnow_list files;
    struct arena keep;
    arena_init(&keep, 4096);
    winnow_status st = list_all(opt, paths, &shards, &keep, &files, err);
    all.files_from = NULL;
    st = st == WINNOW_OK ? study_into(&all, &files, env, result, err) : st;
    shard_list_release(&shards);
    arena_release(&keep);
    return st;
}

void winnow_study_result_free(struct winnow_study_result *result)
{
    mem_free(result->json);
    mem_free(result->table);
    *result = (struct winnow_study_result){0};
}
