/* report_data.c -- finds and parses the files of a run, a proof, a study.
 *
 * What a run may lack (a proof, token counts, timings) is left out quietly; what
 * is there must parse.  A run that is not finished has a report too. */
#include "report/report_data.h"

#include "base/claim.h"
#include "base/file.h"
#include "base/grow.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "base/sort.h"

#include <errno.h>
#include <math.h>

/* A stats.json lists its shards, a few hundred bytes each; proofs hold curves. */
#define JSON_FILE_MAX ((size_t)256 << 20)

struct json_value data_get(struct json_value v, const char *path)
{
    struct str rest = str_of(path);
    while (rest.len > 0 && json_kind(v) == JSON_OBJECT) {
        const char *dot = memchr(rest.ptr, '.', rest.len);
        size_t len = dot ? (size_t)(dot - rest.ptr) : rest.len;
        v = json_get_str(v, str_sub(rest, 0, len));
        rest = str_sub(rest, dot ? len + 1 : len, rest.len);
    }
    return rest.len == 0 ? v : (struct json_value){0};
}

double data_number(struct json_value v, const char *path)
{
    double number;
    return json_as_double(data_get(v, path), &number) ? number : (double)NAN;
}

struct str data_str(struct json_value v, const char *path)
{
    struct str s;
    return json_as_str(data_get(v, path), &s) ? s : STR_LIT("");
}

bool data_is(struct json_value v, const char *path, const char *text)
{
    return str_is(data_str(v, path), text);
}

double data_item(struct json_value array, size_t i)
{
    double number = (double)NAN;
    if (json_kind(array) == JSON_ARRAY) {
        struct json_iter it = json_walk(array);
        for (size_t at = 0; json_next(&it); at++) {
            if (at == i) {
                return json_as_double(it.value, &number) ? number : (double)NAN;
            }
        }
    }
    return number;
}

double *data_numbers(struct json_value array, struct arena *keep, size_t *count)
{
    *count = 0;
    if (json_kind(array) != JSON_ARRAY || json_count(array) == 0) {
        return NULL;
    }
    double *numbers = arena_try_alloc(keep, json_count(array), sizeof *numbers);
    struct json_iter it = json_walk(array);
    while (numbers && json_next(&it)) {
        if (!json_as_double(it.value, &numbers[*count])) {
            numbers[*count] = (double)NAN;
        }
        (*count)++;
    }
    return numbers;
}

/* Parses folder/name where it exists; *out stays JSON_NONE where it does not. */
static winnow_status load_json(struct report_data *d, const char *folder, const char *name,
                               struct json_value *out, struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    if (file_exists(file_join(&path, folder, name))) {
        GROW(d->parsers, d->parser_count, d->parser_cap, 8);
        struct json_parser *p = d->parsers[d->parser_count++] = json_parser_new();
        st = json_read_file(buf_cstr(&path), JSON_FILE_MAX, p, out, err);
    }
    buf_release(&path);
    return st;
}

/* A small text file of the folder, copied; empty where it does not exist. */
static winnow_status load_text(struct report_data *d, const char *name, struct str *out,
                               struct winnow_error *err)
{
    struct buf path = {0}, text = {0};
    winnow_status st = WINNOW_OK;
    *out = STR_LIT("");
    (void)file_join(&path, d->folder, name);
    if (file_exists(buf_cstr(&path))) {
        st = file_read(buf_cstr(&path), (size_t)16 << 20, &text, err);
        if (st == WINNOW_OK) {
            *out = (struct str){arena_strndup(&d->keep, text.ptr, text.len), text.len};
        }
    }
    buf_release(&path);
    buf_release(&text);
    return st;
}

static bool has_file(const char *folder, const char *name)
{
    struct buf path = {0};
    bool exists = file_exists(file_join(&path, folder, name));
    buf_release(&path);
    return exists;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct report_stage *)a)->folder,
                  ((const struct report_stage *)b)->folder);
}

static void note_stage(void *user, const char *name)
{
    struct report_data *d = user;
    if (name[0] < '0' || name[0] > '9') {
        return;
    }
    /* Stages are few: a fresh array each time. */
    d->stages = mem_realloc(d->stages, d->stage_count * sizeof *d->stages,
                            (d->stage_count + 1) * sizeof *d->stages);
    d->stages[d->stage_count++] = (struct report_stage){
        .folder = arena_strndup(&d->keep, name, strlen(name)), .tokens = (double)NAN};
}

/* Lists RUN/stages/NN-name, in order; none of what is no run. */
static winnow_status list_stages(struct report_data *d, const char *stages,
                                 struct winnow_error *err)
{
    TRY(file_list(stages, note_stage, d, &d->is_run, err));
    if (d->stage_count > 0) {
        sort(d->stages, d->stage_count, sizeof *d->stages, compare_names);
    }
    return WINNOW_OK;
}

static struct str name_of_stage(const struct report_stage *s)
{
    struct str command = data_str(s->stats, "command");
    const char *dash = strchr(s->folder, '-');
    return command.len > 0 ? command : str_of(dash ? dash + 1 : s->folder);
}

static winnow_status load_stage(struct report_data *d, const char *folder, struct report_stage *s,
                                struct winnow_error *err)
{
    TRY(load_json(d, folder, "stats.json", &s->stats, err));
    TRY(load_json(d, folder, "prune.json", &s->prune, err));
    TRY(load_json(d, folder, "refine.json", &s->refine, err));
    TRY(load_json(d, folder, "state/mix.json", &s->mix, err));
    TRY(load_json(d, folder, "state/diversify.json", &s->diversify, err));
    TRY(load_json(d, folder, "state/near.json", &s->near, err));
    TRY(load_json(d, folder, "leak.json", &s->leak, err));
    return load_json(d, folder, "select.json", &s->choice, err);
}

static winnow_status load_stages(struct report_data *d, struct winnow_error *err)
{
    struct buf stages = {0}, folder = {0};
    struct json_value tokens = {0};
    (void)file_join(&stages, d->folder, "stages");
    winnow_status st = list_stages(d, buf_cstr(&stages), err);
    if (st == WINNOW_OK) {
        st = load_json(d, d->folder, "tokens.json", &tokens, err);
    }
    size_t finished = 0;
    for (size_t i = 0; i < d->stage_count && st == WINNOW_OK; i++) {
        struct report_stage *s = &d->stages[i];
        (void)file_join(&folder, buf_cstr(&stages), s->folder);
        st = load_stage(d, buf_cstr(&folder), s, err);
        s->command = name_of_stage(s);
        struct json_value n = json_get_str(data_get(tokens, "stages"), str_of(s->folder));
        if (!json_as_double(n, &s->tokens)) {
            s->tokens = (double)NAN;
        }
        if (json_kind(s->stats) == JSON_OBJECT) { /* one that is under way has none */
            d->stages[finished++] = *s;
        }
    }
    d->stage_count = st == WINNOW_OK ? finished : d->stage_count;
    buf_release(&stages);
    buf_release(&folder);
    return st;
}

/* Of the name that the folder itself or its folder `below` has; the latter first. */
static const char *folder_with(const struct report_data *d, const char *below, const char *name,
                               struct buf *path)
{
    const char *inner = file_join(path, d->folder, below);
    return !has_file(inner, name) && has_file(d->folder, name) ? d->folder : inner;
}

static winnow_status load_proof(struct report_data *d, struct winnow_error *err)
{
    struct buf path = {0};
    const char *prove = folder_with(d, "prove", "results.json", &path);
    winnow_status st = load_json(d, prove, "results.json", &d->proof, err);
    d->proof_complete = json_kind(d->proof) == JSON_OBJECT;
    if (st == WINNOW_OK && !d->proof_complete) {
        prove = folder_with(d, "prove", "partial.json", &path);
        st = load_json(d, prove, "partial.json", &d->proof, err);
    }
    if (st == WINNOW_OK && json_kind(json_get(d->proof, "winnow_prove")) == JSON_NONE) {
        d->proof = (struct json_value){0}; /* results of something else */
        d->proof_complete = false;
    }
    if (st == WINNOW_OK && json_kind(d->proof) == JSON_OBJECT) {
        st = load_json(d, prove, "timings.json", &d->proof_timings, err);
    }
    buf_release(&path);
    return st;
}

static winnow_status load_study(struct report_data *d, struct winnow_error *err)
{
    struct buf path = {0};
    const char *study = folder_with(d, "study", "causal.json", &path);
    winnow_status st = load_json(d, study, "causal.json", &d->study, err);
    if (json_kind(data_get(d->study, "effects")) != JSON_OBJECT) {
        d->study = (struct json_value){0};
    }
    buf_release(&path);
    return st;
}

/* That there is something to show. */
static winnow_status check_content(const struct report_data *d, struct winnow_error *err)
{
    if (d->stage_count > 0 || json_kind(d->proof) == JSON_OBJECT ||
        json_kind(d->study) == JSON_OBJECT) {
        return WINNOW_OK;
    }
    if (d->is_run) {
        return error_set(err, WINNOW_E_USAGE, "%s: no stage of this run is finished yet",
                         d->folder);
    }
    if (claim_is(d->folder, CLAIM_PROOF) || claim_is(d->folder, CLAIM_STUDY)) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s: nothing of this %s is finished yet; its command goes on with it",
                         d->folder, claim_is(d->folder, CLAIM_PROOF) ? "proof" : "study");
    }
    return error_set(err, WINNOW_E_USAGE,
                     "%s holds no stages of a run, no proof and no study: there is nothing to "
                     "report on",
                     d->folder);
}

winnow_status report_data_load(const struct winnow_report_options *opt, uint64_t memory_max,
                               struct report_data *out, struct winnow_error *err)
{
    *out = (struct report_data){.folder = opt->run, .memory_max = memory_max};
    arena_init(&out->keep, (size_t)1 << 16);
    struct str name = str_of(opt->run);
    while (name.len > 1 && name.ptr[name.len - 1] == '/') {
        name.len--;
    }
    out->folder = arena_strndup(&out->keep, name.ptr, name.len);
    out->name = str_of(file_base(out->folder));
    if (!file_is_dir(out->folder)) {
        return error_set(err, WINNOW_E_IO, "%s: no such folder", out->folder);
    }
    TRY(load_stages(out, err));
    TRY(load_json(out, out->folder, "input.json", &out->input, err));
    TRY(load_json(out, out->folder, "timings.json", &out->timings, err));
    TRY(load_text(out, "recipe.yaml", &out->recipe, err));
    out->finished = has_file(out->folder, "_SUCCESS");
    TRY(load_proof(out, err));
    TRY(load_study(out, err));
    TRY(check_content(out, err));
    if (!out->is_run) {
        out->finished = out->proof_complete || json_kind(out->proof) != JSON_OBJECT;
    }
    return report_samples_load(opt, out, err);
}

void report_data_release(struct report_data *d)
{
    for (size_t i = 0; i < d->parser_count; i++) {
        json_parser_free(d->parsers[i]);
    }
    mem_free(d->parsers);
    mem_free(d->stages);
    mem_free(d->removed);
    mem_free(d->before);
    mem_free(d->after);
    arena_release(&d->keep);
    *d = (struct report_data){0};
}
