/* near.c -- `dedup --method minhash` (Broder 1997; Lee and others 2022; FineWeb, Penedo and
 * others 2024):
 *
 *   1. signatures  a MinHash signature of each document's shingles of words
 *   2. compare     candidates that share a band, compared; clusters; which document stays
 *   3. guards      what looks wrong is said, what passes a limit ends the run
 *   4. verdicts    one of each cluster goes on
 *
 * What 1 and 2 come to lies in files, so a killed run goes on at the step where it stood, in
 * 1 behind the last signature. */
#include "dedup/near.h"

#include "base/amount.h"
#include "base/env.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "dedup/left.h"
#include "dedup/near_internal.h"
#include "option/belongs.h"
#include "option/tables.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

/* ---- options ---- */

/* Links, two bits and what is sorted at least. */
uint64_t near_memory(const struct winnow_dedup_options *opt, uint64_t documents)
{
    uint64_t sets = opt->verify == WINNOW_VERIFY_EXACT ? 24 : 0;
    return documents * (sizeof(uint32_t) + 1 + sets) + ((uint64_t)16 << 20);
}

static winnow_status check_shape(const struct winnow_dedup_options *o, struct winnow_error *err)
{
    if ((uint64_t)o->bands * o->rows > MINHASH_MAX) {
        return error_set(err, WINNOW_E_USAGE,
                         "--bands %u of --rows %u are %" PRIu64 " numbers a document, and %u are "
                         "the most",
                         o->bands, o->rows, (uint64_t)o->bands * o->rows, MINHASH_MAX);
    }
    if (o->unit != WINNOW_DEDUP_DOCUMENT) {
        return error_set(err, WINNOW_E_USAGE,
                         "--method minhash compares documents: leave --unit away, or compare "
                         "paragraphs and lines with --method exact");
    }
    static const char *const OF_EXACT[] = {"spaces", "fold-case", "unit-words", NULL};
    TRY(option_belong(&DEDUP_TABLE, o, OF_EXACT, "--method exact", err));
    if ((o->keep == WINNOW_KEEP_BEST) != (o->best != NULL)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--keep best and --best KEY, the member that tells the best, belong "
                         "together");
    }
    return o->against.count <= NEAR_OLD_MAX
               ? WINNOW_OK
               : error_set(err, WINNOW_E_USAGE, "--against names %zu runs, and %u are the most",
                           o->against.count, NEAR_OLD_MAX);
}

winnow_status near_check(const struct winnow_dedup_options *opt, const struct stage_plan *plan,
                         struct winnow_error *err)
{
    TRY(check_shape(opt, err));
    TRY(near_against_check(opt, plan->env ? plan->env->seed : 0, err));
    return memory_need(plan->memory_max, "dedup of as many documents",
                       near_memory(opt, plan->documents) + STAGE_MEMORY_LEAST,
                       "dedup parts of the corpus, each --against those before", err);
}

/* ---- 3. guards ---- */

static void note_all(struct near_run *r, struct json_value root)
{
    static const char *const NAMES[] = {"clusters",    "compared",      "similar",        "chained",
                                        "passed_over", "old_documents", "removed_against"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        double value = 0;
        (void)json_as_double(json_get(root, NAMES[i]), &value);
        stage_note_double(r->stage, NAMES[i], value);
    }
    stage_note_double(r->stage, "largest_cluster", (double)r->guard.largest);
}

static winnow_status read_summary(struct near_run *r, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    r->guard = (struct guard){.what = "document"};
    winnow_status st =
        json_read_file(buf_cstr(&r->paths.summary), LEFT_SUMMARY_MAX, parser, &root, err);
    if (st == WINNOW_OK && !guard_read(&r->guard, root)) {
        st = error_set(err, WINNOW_E_FORMAT, "%s is no summary of a dedup: remove it",
                       buf_cstr(&r->paths.summary));
    }
    if (st == WINNOW_OK) {
        note_all(r, root);
    }
    json_parser_free(parser);
    return st;
}

/* ---- 4. verdicts ---- */

static winnow_status judge(void *state, void *worker, const struct document *d,
                           struct stage_result *result, struct winnow_error *err)
{
    (void)worker;
    (void)err;
    struct near_run *r = state;
    const struct near_row *row = near_rows_find(&r->rows, d->ordinal);
    if (!row) {
        return WINNOW_OK;
    }
    if (row->against == NEAR_STAYS) {
        buf_addf(&result->detail, "\"cluster\": \"%016" PRIx64 "\", \"copies\": %.0f", row->cluster,
                 row->value);
        return WINNOW_OK;
    }
    result->verdict = STAGE_REMOVE;
    result->rule = row->against > 0 ? "near_duplicate_of_old" : "near_duplicate";
    result->score = row->value;
    result->threshold = r->opt->verify == WINNOW_VERIFY_NONE ? 0 : r->opt->threshold;
    buf_add_text(&result->detail, "\"kept\": ");
    struct str kept = near_rows_name(&r->rows, row);
    json_quote(&result->detail, kept);
    if (kept.len >= NEAR_LONG_NAME) {
        file_map_forget(kept);
    }
    buf_addf(&result->detail, ", \"cluster\": \"%016" PRIx64 "\"", row->cluster);
    if (row->against > 0) {
        buf_addf(&result->detail, ", \"against\": %u", row->against);
    }
    return WINNOW_OK;
}

static winnow_status run_verdicts(struct near_run *r, struct winnow_error *err)
{
    TRY(near_rows_open(buf_cstr(&r->paths.rows), buf_cstr(&r->paths.row_names), &r->rows, err));
    const struct stage_pass pass = {
        .name = "dedup", .verdicts = true, .state = r, .document = judge};
    return stage_run_pass(r->stage, &pass, err);
}

/* ---- all of it ---- */

static void name_files(struct near_run *r, struct buf *folder)
{
    static const char *const NAMES[] = {"records", "record-names", SIGNATURES_FILE,
                                        "near",    "near-names",   "near.json"};
    struct buf *paths[] = {&r->paths.records, &r->paths.names,     &r->paths.kept,
                           &r->paths.rows,    &r->paths.row_names, &r->paths.summary};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        (void)stage_path(r->stage, NAMES[i], paths[i]);
    }
    (void)stage_path(r->stage, "", folder);
    folder->len--; /* the slash */
    r->folder = buf_cstr(folder);
}

static void remove_working_files(struct near_run *r)
{
    (void)unlink(buf_cstr(&r->paths.records)); /* either may be gone */
    (void)unlink(buf_cstr(&r->paths.names));
}

static void own_files(struct stage *stage)
{
    static const char *const NAMES[] = {"state/signatures", "state/near", "state/near-names",
                                        "state/near.json"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        stage_owns(stage, NAMES[i]);
    }
}

static winnow_status run_steps(struct near_run *r, struct winnow_error *err)
{
    if (!left_whole(&r->paths.summary, NEAR_LEFT(r), NEAR_LEFT_COUNT)) {
        minhash_init(&r->hash, r->opt->bands * r->opt->rows, r->opt->ngram,
                     stage_env(r->stage)->seed);
        r->alphabet = near_alphabet_new(r->opt->numbers);
        TRY(near_sign(r, err));
        near_slots_release(r);
        signatures_close(&r->writer);
        TRY(near_compare(r, err));
    }
    TRY(read_summary(r, err));
    guard_warn(&r->guard, stage_env(r->stage));
    TRY(guard_check(&r->guard, r->opt, err));
    TRY(run_verdicts(r, err));
    remove_working_files(r);
    own_files(r->stage);
    return WINNOW_OK;
}

static void release(struct near_run *r)
{
    struct buf *paths[] = {&r->paths.records, &r->paths.names,     &r->paths.kept,
                           &r->paths.rows,    &r->paths.row_names, &r->paths.summary};
    near_slots_release(r);
    signatures_close(&r->writer);
    minhash_release(&r->hash);
    near_alphabet_free(r->alphabet);
    near_rows_close(&r->rows);
    guard_release(&r->guard);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        buf_release(paths[i]);
    }
    (void)pthread_mutex_destroy(&r->lock);
}

winnow_status near_run(struct stage *stage, const struct winnow_dedup_options *opt,
                       struct winnow_error *err)
{
    struct near_run r = {
        .stage = stage, .opt = opt, .writer = {.records = NEAR_FILE_NONE, .names = NEAR_FILE_NONE}};
    struct buf folder = {0};
    (void)pthread_mutex_init(&r.lock, NULL);
    name_files(&r, &folder);
    winnow_status st = run_steps(&r, err);
    release(&r);
    buf_release(&folder);
    return st;
}
