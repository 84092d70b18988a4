/* refiner_label.c -- `winnow refiner label`: scores of documents, then programs of
 * the chunks of those that are kept, then the counts. */
#include "winnow/refiner_label.h"

#include "base/claim.h"
#include "base/env.h"
#include "base/file.h"
#include "base/json_write.h"
#include "corpus/spool.h"
#include "option/tables.h"
#include "remote/server.h"
#include "run/guard.h"
#include "teach/label_pass.h"

static winnow_status check(const struct winnow_refiner_label_options *opt,
                           const struct winnow_env *env, struct winnow_error *err)
{
    if (!opt->output) {
        return error_set(err, WINNOW_E_USAGE, "--output FOLDER is needed");
    }
    if (!opt->server.url) {
        return error_set(err, WINNOW_E_USAGE,
                         "--url is needed: the address of the server that has the expert, e.g. "
                         "http://127.0.0.1:8000");
    }
    return server_check(&opt->server, env, err);
}

static void write_documents(const struct winnow_refiner_label_result *r, struct json_writer *w)
{
    json_member_open(w, "documents", '{');
    json_member_u64(w, "read", r->text.documents);
    json_member_u64(w, "bad_lines", r->text.documents_bad);
    json_member_u64(w, "drawn", r->documents);
    json_member_u64(w, "kept", r->documents_kept);
    json_member_u64(w, "dropped", r->documents_dropped);
    json_member_u64(w, "unread", r->documents_unread);
    json_close(w, '}');
}

static void write_chunks(const struct winnow_refiner_label_result *r, struct json_writer *w)
{
    json_member_open(w, "chunks", '{');
    json_member_u64(w, "edited", r->chunks_edited);
    json_member_u64(w, "kept", r->chunks_kept);
    json_member_u64(w, "unread", r->chunks_unread);
    json_member_u64(w, "removing_too_much", r->chunks_over);
    json_member_u64(w, "lines_too_long", r->lines_skipped);
    json_member_u64(w, "calls", r->calls);
    json_member_u64(w, "calls_rejected", r->calls_rejected);
    json_close(w, '}');
}

/* What may differ between two runs (retries, the server's address) is not in it. */
static winnow_status write_summary(const struct labelling *l, struct winnow_error *err)
{
    static const char *const LEVELS[] = {"both", "documents", "chunks"};
    const struct winnow_refiner_label_result *r = l->result;
    struct buf text = {0}, path = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    json_open(&w, '{');
    json_member_str(&w, "model", buf_str(&l->model));
    json_member_text(&w, "level", LEVELS[l->opt->level]);
    json_member_u64(&w, "document_tokens", l->opt->document_tokens);
    json_member_u64(&w, "chunk_tokens", l->opt->chunk_tokens);
    json_member_u64(&w, "answer_tokens", l->opt->answer_tokens);
    json_member_double(&w, "removal_max", l->opt->removal_max);
    json_member_double(&w, "share", l->opt->share);
    json_member_u64(&w, "seed", l->env->seed);
    write_documents(r, &w);
    write_chunks(r, &w);
    json_member_open(&w, "answers", '{');
    json_member_u64(&w, "all", r->answers);
    json_member_u64(&w, "cut", r->answers_cut);
    json_member_u64(&w, "refused", r->answers_refused);
    json_member_u64(&w, "prompt_tokens", r->prompt_tokens);
    json_member_u64(&w, "answer_tokens", r->answer_tokens);
    json_close(&w, '}');
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    winnow_status st =
        file_write_atomic(file_join(&path, l->opt->output, "label.json"), buf_str(&text), err);
    buf_release(&text);
    buf_release(&path);
    return st;
}

static winnow_status label(struct labelling *l, struct winnow_error *err)
{
    if (l->opt->level != WINNOW_LABEL_CHUNKS) {
        TRY(label_pass(l, false, err));
    }
    if (l->opt->level != WINNOW_LABEL_DOCUMENTS) {
        TRY(label_pass(l, true, err));
    }
    TRY(write_summary(l, err));
    l->result->text.complete = true;
    return account_tell_lost(&l->account, err);
}

winnow_status winnow_refiner_label(const struct winnow_refiner_label_options *opt,
                                   const struct winnow_list *paths, const struct winnow_env *env,
                                   struct winnow_refiner_label_result *result,
                                   struct winnow_error *err)
{
    *result = (struct winnow_refiner_label_result){0};
    TRY(check(opt, env, err));
    struct arena keep;
    struct winnow_list files = {0}; /* each level reads the documents */
    arena_init(&keep, 4096);
    struct labelling l = {.opt = opt, .paths = &files, .env = env, .result = result};
    struct buf key = {0};
    int lock = -1;
    const struct guarded what = {.paths = *paths};
    TRY(guard_folder(opt->output, &what, &REFINER_LABEL_TABLE, opt, err));
    winnow_status st = server_client_options(&opt->server, env, &key, &l.client_options, err);
    if (st == WINNOW_OK) {
        st = claim_folder(opt->output, CLAIM_LABELS, &lock, err);
    }
    if (st == WINNOW_OK) {
        st = spool_paths(paths, opt->output, env, &keep, &files, err);
    }
    if (st == WINNOW_OK) {
        st = label(&l, err);
        spool_remove(paths, &files);
    }
    account_release(&l.account);
    arena_release(&keep);
    if (l.client) {
        result->retries = completion_client_counts(l.client)->retries;
    }
    completion_client_close(l.client);
    file_unlock(lock);
    buf_release(&key);
    buf_release(&l.model);
    buf_release(&l.verdicts);
    return st;
}
