/* run.c -- a run from its first file to its _SUCCESS.
 *
 *     lock ─► input ─► compare ─► stages ─► documents ─► ledger ─► endings ─► _SUCCESS
 *
 * Each step leaves something whole behind or nothing, and looks first whether
 * an earlier process did it already. */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "corpus/packing.h"
#include "option/corpus_options.h"
#include "run/folder_internal.h"
#include "run/gate_internal.h"
#include "run/ledger.h"
#include "run/vanished.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

const char *run_folder(const struct run *r)
{
    return r->folder;
}

const struct winnow_env *run_env(const struct run *r)
{
    return r->env;
}

struct pool *run_pool(struct run *r)
{
    return r->pool;
}

const struct winnow_corpus_options *run_corpus(const struct run *r)
{
    return r->corpus;
}

size_t run_stage_count(const struct run *r)
{
    return r->request->count;
}

const char *run_stage_folder(const struct run *r, size_t i)
{
    return r->stages[i].folder;
}

const char *run_stage_command(const struct run *r, size_t i)
{
    return r->stages[i].kind->table->command;
}

const void *run_stage_options(const struct run *r, size_t i)
{
    return r->stages[i].options;
}

winnow_status run_stage_output(const struct run *r, size_t i, struct shard_list *out,
                               struct winnow_error *err)
{
    return stage_output(r->stages[i].folder, out, err);
}

/* ---- setting up ---- */

static winnow_status name_folder(struct run *r, struct winnow_error *err)
{
    const struct winnow_corpus_options *c = r->corpus;
    if (c->dry_run) {
        r->folder = c->output && strcmp(c->output, "-") != 0 ? c->output : "run";
        return WINNOW_OK;
    }
    if (!c->output) {
        return error_set(err, WINNOW_E_USAGE,
                         "say where the documents go: -o FOLDER, or -o - for standard output");
    }
    TRY(corpus_output_check(c->output, err));
    r->to_stdout = strcmp(c->output, "-") == 0;
    if (r->to_stdout && c->output_format > WINNOW_OUTPUT_JSONL) {
        return error_set(err, WINNOW_E_USAGE,
                         "--output-format: -o - writes JSON lines; pack them behind it "
                         "(`| gzip`, `| zstd`), or name a folder: -o FOLDER");
    }
    TRY(r->to_stdout ? env_need_write(r->env, err) : WINNOW_OK);
    r->folder = r->to_stdout ? c->run : c->output;
    if (r->folder) {
        return WINNOW_OK;
    }
    TRY(run_temporary_folder(r, &r->folder, err));
    r->temporary = true;
    env_log(r->env, WINNOW_LOG_INFO,
            "%s: removed and bad documents and the ledger are not kept; --run FOLDER keeps them",
            r->request->count == 1 ? r->request->steps[0].kind->table->command : "run");
    return WINNOW_OK;
}

static void make_stages(struct run *r)
{
    const struct run_request *q = r->request;
    r->stages = mem_zalloc((q->count + 1) * sizeof *r->stages);
    for (size_t i = 0; i < q->count; i++) {
        struct stage *s = &r->stages[i];
        struct buf name = {0}, folder = {0};
        buf_addf(&name, "%02zu-%s", i + 1, q->steps[i].kind->table->command);
        for (size_t k = 0; k < name.len; k++) {
            if (name.ptr[k] == ' ') {
                name.ptr[k] = '-';
            }
        }
        buf_addf(&folder, "%s/stages/%s", r->folder, buf_cstr(&name));
        s->run = r;
        s->kind = q->steps[i].kind;
        s->options = q->steps[i].options;
        s->first = i == 0;
        s->last = i + 1 == q->count;
        s->shared = ranks_count(r->env->ranks) > 1 && s->kind->over_ranks &&
                    s->kind->over_ranks(s->options) && !(s->first && r->corpus->limit > 0);
        s->name = arena_strndup(&r->keep, name.ptr, name.len);
        s->folder = arena_strndup(&r->keep, folder.ptr, folder.len);
        buf_release(&name);
        buf_release(&folder);
    }
}

static void release(struct run *r)
{
    struct winnow_error ignored;
    ranks_unlock(r);
    folder_unlock(r);
    if (r->temporary && file_remove_tree(r->folder, &ignored) != WINNOW_OK) {
        env_log(r->env, WINNOW_LOG_WARNING, "%s", ignored.text);
    }
    file_unlock(r->temporary_lock);
    for (size_t i = 0; r->stages && i < r->request->count; i++) {
        shard_list_release(&r->stages[i].input);
        note_list_release(&r->stages[i].notes);
        note_list_release(&r->stages[i].timings);
    }
    note_list_release(&r->ending_times);
    mem_free(r->stages);
    mem_free(r->ending_keys);
    prints_free(r->prints);
    pool_free(r->pool);
    arena_release(&r->keep);
}

/* Compressed text grows about fourfold; a document has about 4 kB. */
static void guess_plan(const struct run *r, struct stage_plan *plan)
{
    const struct shard_list *in = &r->stages[0].input;
    *plan = (struct stage_plan){
        .memory_max = r->env->memory_max, .threads = pool_threads(r->pool), .env = r->env};
    for (size_t i = 0; i < in->count; i++) {
        bool packed = packing_of_name(str_of(in->items[i].name)) != PACKING_PLAIN;
        plan->input_bytes += in->items[i].bytes * (packed ? 4 : 1);
    }
    plan->documents = plan->input_bytes / 4096 + 1;
}

/* memory_max 0: what the input needs is not judged, only the options are. */
static winnow_status check_steps(struct run *r, uint64_t memory_max, struct winnow_error *err)
{
    struct stage_plan plan;
    guess_plan(r, &plan);
    plan.memory_max = memory_max;
    for (size_t i = 0; i < r->request->count; i++) {
        const struct stage_kind *kind = r->request->steps[i].kind;
        if (kind->reads_files && i > 0) {
            return error_set(err, WINNOW_E_USAGE,
                             "%s reads files, so it can only be the first stage",
                             kind->table->command);
        }
        if (kind->check) {
            winnow_status st = kind->check(r->request->steps[i].options, &plan, err);
            if (st != WINNOW_OK) {
                return error_wrap(err, st, "%s", kind->table->command);
            }
        }
    }
    return gate_check(&r->stages[0].input, memory_max, err);
}

/* ---- the stages ---- */

static winnow_status find_input(struct stage *s, struct winnow_error *err)
{
    if (s->input_found) {
        return WINNOW_OK;
    }
    s->input_found = true;
    const struct stage *before = s - 1;
    struct counts counts = {0};
    TRY(stage_output(before->folder, &s->input, err));
    winnow_status st = stage_read_counts(before->folder, &counts, err);
    s->documents = counts.documents[COUNT_KEPT] + counts.documents[COUNT_COPIES];
    counts_release(&counts);
    return st;
}

/* Where most goes, a reader of a pipe learns why: the commonest reason, the first by
 * name of several. */
static void add_top_reason(const struct counts *c, struct buf *out)
{
    const struct map *reasons = &c->reasons[REASON_REMOVED];
    const struct map_entry *top = NULL;
    for (size_t i = 0; i < reasons->count; i++) {
        const struct map_entry *e = &reasons->entries[i];
        if (!top || e->value > top->value ||
            (e->value == top->value && str_cmp(e->key, top->key) < 0)) {
            top = e;
        }
    }
    if (top && c->documents[COUNT_REMOVED] > c->documents[COUNT_IN] / 2) {
        buf_addf(out, " (most by %.*s: %" PRIu64 ")", STR_ARG(top->key), top->value);
    }
}

static void say_done(const struct stage *s, const struct counts *c)
{
    struct buf lost = {0}, why = {0}, copies = {0};
    add_top_reason(c, &why);
    if (c->documents[COUNT_COPIES] > 0) {
        buf_addf(&copies, " and %" PRIu64 " copies of them", c->documents[COUNT_COPIES]);
    }
    if (s->lost > 0) {
        buf_addf(&lost, ", %" PRIu64 " %s lost", s->lost, s->lost == 1 ? "input" : "inputs");
    }
    env_log(s->run->env, WINNOW_LOG_INFO,
            "%s: %" PRIu64 " documents in, %" PRIu64 " kept%s, %" PRIu64 " removed%s, %" PRIu64
            " aside, %" PRIu64 " bad%s; %.1f s",
            s->name, c->documents[COUNT_IN], c->documents[COUNT_KEPT], buf_cstr(&copies),
            c->documents[COUNT_REMOVED], buf_cstr(&why), c->documents[COUNT_ASIDE],
            c->documents[COUNT_BAD], buf_cstr(&lost), s->seconds);
    buf_release(&lost);
    buf_release(&why);
    buf_release(&copies);
}

static void warn_vanished(const struct stage *s, const struct counts *c)
{
    struct vanished v = {.what = "source"};
    if (s->made > 0 && c->documents[COUNT_ASIDE] > 0) {
        return; /* what it made stands for what it set aside */
    }
    for (size_t i = 0; i < c->sources_in.count; i++) {
        const struct map_entry *e = &c->sources_in.entries[i];
        const uint64_t *kept = map_get(&c->sources_kept, e->key);
        vanished_look(&v, e->key, e->value, kept ? *kept : 0);
    }
    vanished_warn(&v, s->run->env, s->name);
}

static winnow_status start_stage(struct stage *s, struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = file_make_dirs(s->folder, err);
    if (st == WINNOW_OK) {
        st = run_write_line(file_join(&path, s->folder, "key"), s->key, err);
    }
    if (st == WINNOW_OK) {
        st = run_write_line(file_join(&path, s->folder, "settings"), s->settings, err);
    }
    if (st == WINNOW_OK && s->kind->uses_kernels && s->run->request->kernels) {
        st = run_write_line(file_join(&path, s->folder, "kernels"), s->run->request->kernels, err);
    }
    buf_release(&path);
    return st;
}

static winnow_status run_stage(struct stage *s, struct winnow_error *err)
{
    double start = env_seconds();
    winnow_status st = stage_leads(s) || s->shared ? s->kind->run(s, s->options, err) : WINNOW_OK;
    s->seconds += env_seconds() - start; /* beside what earlier processes took for its passes */
    if (!stage_leads(s)) {
        return st;
    }
    TRY(st);
    TRY(stage_finish(s, err));
    struct counts counts = {0};
    st = stage_read_counts(s->folder, &counts, err);
    if (st == WINNOW_OK) {
        say_done(s, &counts);
        warn_vanished(s, &counts);
    }
    counts_release(&counts);
    return st;
}

/* What the ranks have told each other over it, for timings.json. */
static winnow_status note_exchange(struct stage *s, uint64_t sent_before, struct winnow_error *err)
{
    struct winnow_ranks *ranks = s->run->env->ranks;
    uint64_t sent = ranks_sent(ranks) - sent_before;
    if (ranks_count(ranks) > 1) {
        TRY(ranks_sum(ranks, &sent, 1, err));
        stage_timing(s, "ranks", s->shared ? ranks_count(ranks) : 1);
        stage_timing(s, "bytes_exchanged", (double)sent);
    }
    return WINNOW_OK;
}

static winnow_status do_stage(struct stage *s, struct winnow_error *err)
{
    struct run *r = s->run;
    uint64_t sent = ranks_sent(r->env->ranks);
    TRY(find_input(s, err));
    if (s->complete) {
        return WINNOW_OK;
    }
    winnow_status st = stage_leads(s) ? start_stage(s, err) : WINNOW_OK;
    env_log(r->env, WINNOW_LOG_INFO, "=== %td/%zu %s", s - r->stages + 1, r->request->count,
            s->kind->table->command);
    st = ranks_agree(r->env->ranks, st, err); /* its folder is there */
    st = st == WINNOW_OK ? run_stage(s, err) : st;
    st = ranks_agree(r->env->ranks, st, err); /* and its stats.json */
    st = st == WINNOW_OK ? note_exchange(s, sent, err) : st;
    struct winnow_error second; /* what went wrong first is what is said */
    bool writes = stage_leads(s) && !r->temporary;
    winnow_status wrote = writes ? folder_write_timings(r, &second) : WINNOW_OK;
    if (st == WINNOW_OK && wrote != WINNOW_OK) {
        *err = second;
        st = wrote;
    }
    return st;
}

/* ---- behind the last stage ---- */

static winnow_status index_ledgers(struct run *r, struct winnow_error *err)
{
    struct winnow_list names = {0};
    uint64_t duplicates = 0;
    for (size_t i = 0; i < r->request->count; i++) {
        option_list_add(&names, str_of(r->stages[i].name), &r->keep);
    }
    TRY(ledger_index(r->folder, &names, r->env, &duplicates, err));
    if (duplicates > 0) {
        env_log(r->env, WINNOW_LOG_WARNING,
                "%" PRIu64 " ids belong to more than one document; explain shows all of them",
                duplicates);
    }
    return WINNOW_OK;
}

/* documents/, unless an earlier process made it and it is all there. */
static winnow_status gather_documents(struct run *r, bool said, struct winnow_error *err)
{
    struct buf path = {0}, why = {0};
    struct stat there;
    winnow_status st = WINNOW_OK;
    if (!r->to_stdout && !whole_documents(r, &why)) {
        if (said || lstat(file_join(&path, r->folder, "documents"), &there) == 0) {
            env_log(r->env, WINNOW_LOG_WARNING, "the documents of %s are linked anew: %s",
                    r->folder, buf_cstr(&why));
        }
        st = folder_link_documents(r, err);
    }
    buf_release(&path);
    buf_release(&why);
    return st;
}

/* documents/ and ledger.db. */
static winnow_status gather(struct run *r, struct winnow_error *err)
{
    const char *key = r->stages[r->request->count - 1].key;
    struct buf mark = {0}, path = {0};
    char done[33] = "";
    winnow_status st = file_make_dirs(file_join(&mark, r->folder, "completions"), err);
    buf_add_text(&mark, "/ledger");
    st = st == WINNOW_OK ? run_read_line(buf_cstr(&mark), done, err) : st;
    bool same = strcmp(done, key) == 0;
    bool indexed = same && file_exists(file_join(&path, r->folder, "ledger.db"));
    st = st == WINNOW_OK ? gather_documents(r, same, err) : st;
    if (st == WINNOW_OK && same && !indexed) {
        env_log(r->env, WINNOW_LOG_WARNING, "%s is missing, and is made anew", buf_cstr(&path));
    }
    if (st == WINNOW_OK && !indexed) {
        st = index_ledgers(r, err);
        st = st == WINNOW_OK ? run_write_line(buf_cstr(&mark), key, err) : st;
    }
    buf_release(&mark);
    buf_release(&path);
    return st;
}

/* All is whole: what has a temporary name beside it is of a call that was killed (a
 * spool, an index).  Not what lies deeper: a shard may be called so. */
static void remove_temporary(void *user, const char *name)
{
    const struct run *r = user;
    struct buf path = {0};
    struct winnow_error ignored; /* verify names what stays */
    if (str_ends(str_of(name), STR_LIT(".tmp"))) {
        (void)file_remove_tree(file_join(&path, r->folder, name), &ignored);
    }
    buf_release(&path);
}

static winnow_status finish(struct run *r, struct winnow_error *err)
{
    TRY(gather(r, err));
    TRY(folder_write_timings(r, err));
    TRY(endings_make(r, err));
    struct buf path = {0};
    bool found;
    winnow_status st = file_list(r->folder, remove_temporary, r, &found, err);
    st = st == WINNOW_OK
             ? run_write_line(file_join(&path, r->folder, "_SUCCESS"), folder_key(r), err)
             : st;
    buf_release(&path);
    return st;
}

static winnow_status is_finished(const struct run *r, bool *finished, struct winnow_error *err)
{
    struct buf path = {0};
    char done[33];
    winnow_status st = run_read_line(file_join(&path, r->folder, "_SUCCESS"), done, err);
    *finished = strcmp(folder_key(r), done) == 0;
    for (size_t i = 0; i < r->request->count; i++) {
        *finished = *finished && r->stages[i].complete;
    }
    buf_clear(&path);
    *finished = *finished && endings_are_made(r) && (r->to_stdout || whole_documents(r, &path));
    *finished = *finished && file_exists(file_join(&path, r->folder, "ledger.db"));
    buf_release(&path);
    return st;
}

/* Behind the first stage: a run over no document is no success. */
static winnow_status check_read(const struct run *r, struct winnow_error *err)
{
    struct input_account account = {0};
    winnow_status st = stage_read_account(r->stages[0].folder, &account, err);
    for (size_t i = 0; i < r->stages[0].input.count; i++) {
        account_input(&account, r->stages[0].input.items[i].label);
    }
    st = st == WINNOW_OK ? account_need_documents(&account, err) : st;
    account_release(&account);
    return st;
}

/* At the end of the run: what of the input is not in it. */
static winnow_status tell_input(const struct run *r, struct winnow_run_result *out,
                                struct winnow_error *err)
{
    struct input_account account = {0};
    winnow_status st = stage_read_account(r->stages[0].folder, &account, err);
    out->inputs_lost = account.lost.count;
    out->files_skipped = account.skipped.count;
    account_warn_bad(&account, r->env);
    struct winnow_error second;
    winnow_status endings = st == WINNOW_OK ? endings_tell(r, &second) : WINNOW_OK;
    st = st == WINNOW_OK ? account_tell_lost(&account, err) : st;
    if (endings != WINNOW_OK && st == WINNOW_OK) {
        *err = second;
        st = endings;
    } else if (endings != WINNOW_OK) {
        env_log(r->env, WINNOW_LOG_WARNING, "%s", second.text);
    }
    account_release(&account);
    return st;
}

static winnow_status summarize(const struct run *r, struct winnow_run_result *out,
                               struct winnow_error *err)
{
    struct counts first = {0}, last = {0};
    winnow_status st = stage_read_counts(r->stages[0].folder, &first, err);
    if (st == WINNOW_OK) {
        st = stage_read_counts(r->stages[r->request->count - 1].folder, &last, err);
    }
    out->documents_in = first.documents[COUNT_IN];
    out->bytes_in = r->request->steps[0].kind->reads_files && r->stages[0].input.bytes > 0
                        ? r->stages[0].input.bytes /* pages, as they lie on disk */
                        : first.bytes[COUNT_IN];
    out->documents_bad = first.documents[COUNT_BAD];
    out->documents_kept = last.documents[COUNT_KEPT];
    out->bytes_kept = last.bytes[COUNT_KEPT];
    counts_release(&first);
    counts_release(&last);
    for (size_t i = 0; i < r->request->count && st == WINNOW_OK; i++) {
        struct counts c = {0};
        st = stage_read_counts(r->stages[i].folder, &c, err);
        out->documents_removed += c.documents[COUNT_REMOVED];
        out->documents_aside += c.documents[COUNT_ASIDE];
        counts_release(&c);
    }
    out->complete = st == WINNOW_OK;
    return st == WINNOW_OK ? tell_input(r, out, err) : st;
}

/* Before any work: documents/ is replaced at the end, which a mount in that place forbids. */
static winnow_status refuse_mounted(const struct run *r, struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = file_refuse_mount(file_join(&path, r->folder, "documents"), err);
    buf_release(&path);
    return st;
}

/* All that comes before the stages, which one process does. */
static winnow_status prepare(struct run *r, bool *finished, struct winnow_error *err)
{
    TRY(check_steps(r, 0, err)); /* nothing is written for options that make no sense */
    TRY(folder_find_input(r, err));
    TRY(ranks_may_read(r, err));
    TRY(check_steps(r, r->env->memory_max, err));
    TRY(folder_lock(r, err));
    TRY(ranks_lock(r, err));
    TRY(refuse_mounted(r, err));
    TRY(folder_input(r, err));
    TRY(check_steps(r, r->env->memory_max, err)); /* a pipe's size is known by now */
    if (shard_list_once(&r->stages[0].input)) {
        TRY(folder_start_anew(r, err));
    }
    TRY(folder_compare(r, err));
    TRY(is_finished(r, finished, err));
    if (*finished && !r->to_stdout) {
        return WINNOW_OK;
    }
    *finished = false;
    if (r->to_stdout) { /* what went there is not here: it is done again, to the same bytes */
        TRY(folder_forget(r, err));
    }
    TRY(folder_write_input(r, err));
    return r->temporary ? WINNOW_OK : folder_begin(r, err);
}

static winnow_status do_stages(struct run *r, struct winnow_error *err)
{
    bool leads = ranks_lead(r->env->ranks);
    if (leads) {
        ranks_tell_alone(r);
    } else {
        TRY(ranks_lock(r, err));
    }
    for (size_t i = 0; i < r->request->count; i++) {
        TRY(do_stage(&r->stages[i], err));
        if (i == 0 && leads) {
            TRY(check_read(r, err));
        }
    }
    return leads && !r->temporary ? finish(r, err) : WINNOW_OK;
}

static winnow_status do_all(struct run *r, struct winnow_run_result *out, struct winnow_error *err)
{
    bool finished = false, leads = ranks_lead(r->env->ranks);
    TRY(ranks_same_request(r, err));
    TRY(leads ? prepare(r, &finished, err) : ranks_hash_input(r, err));
    TRY(ranks_take_over(r, &finished, err));
    out->nothing_to_do = finished;
    TRY(finished ? WINNOW_OK : ranks_same_input(r, err));
    TRY(finished ? WINNOW_OK : do_stages(r, err));
    return leads ? summarize(r, out, err) : WINNOW_OK;
}

winnow_status run_do(const struct run_request *request, struct winnow_run_result *out,
                     struct winnow_error *err)
{
    struct run r = {.request = request,
                    .env = request->env,
                    .corpus = request->corpus,
                    .paths = request->paths,
                    .lock = -1,
                    .ranks_lock = -1,
                    .temporary_lock = -1,
                    .started = time(NULL)};
    *out = (struct winnow_run_result){0};
    arena_init(&r.keep, (size_t)1 << 16);
    r.pool = pool_new(ranks_threads(request->env));
    r.ending_keys = mem_zalloc((request->ending_count + 1) * sizeof *r.ending_keys);
    winnow_status st = name_folder(&r, err);
    if (st == WINNOW_OK) {
        make_stages(&r);
        st = ranks_may(&r, err);
    }
    if (st == WINNOW_OK && ranks_lead(request->env->ranks)) {
        st = endings_check(&r, err);
    }
    if (st == WINNOW_OK) {
        st = r.corpus->dry_run ? folder_dry_run(&r, err) : do_all(&r, out, err);
    }
    st = ranks_agree(request->env->ranks, st, err); /* before the folder is anybody else's */
    release(&r);
    return st;
}
