/* ranks_hash.c -- the input's hashes, by all ranks.
 *
 * The key of a run hashes every byte that it reads.  On a first call rank 0 sends the list of
 * files, each rank hashes its part of it, and what comes back goes among the prints that rank 0
 * knows as if an earlier call had left them (base/prints.h): it reads a file again only where
 * that file has changed since, or within two seconds. */
#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "run/run_internal.h"

/* NUL behind each; none where an earlier call's list is there. */
static void list_paths(const struct run *r, struct buf *out)
{
    const struct shard_list *in = &r->stages[0].input;
    struct buf path = {0};
    bool known = file_exists(file_join(&path, r->folder, "input.json"));
    for (size_t i = 0; i < in->count && !known; i++) {
        buf_add(out, in->items[i].path, strlen(in->items[i].path) + 1);
    }
    buf_release(&path);
}

struct posting {
    struct prints *prints; /* of this rank */
    const char **paths;    /* of its part */
    size_t count, next;
    struct buf message, all; /* on rank 0: elements of an array */
};

static winnow_status next_print(void *ctx, uint32_t *to, struct str *message, bool *more,
                                struct winnow_error *err)
{
    struct posting *p = ctx;
    (void)err;
    *to = 0;
    *more = p->next < p->count;
    if (*more) {
        struct json_writer w = {.out = &p->message};
        buf_clear(&p->message);
        json_open(&w, '{');
        prints_write(p->prints, p->paths[p->next++], &w);
        json_close(&w, '}');
        *message = buf_str(&p->message);
    }
    return WINNOW_OK;
}

static winnow_status take_print(void *ctx, uint32_t from, struct str message,
                                struct winnow_error *err)
{
    struct posting *p = ctx;
    (void)from;
    (void)err;
    buf_add_char(&p->all, p->all.len > 0 ? ',' : '[');
    buf_add_str(&p->all, message);
    return WINNOW_OK;
}

/* Every so many-th file is this rank's. */
static winnow_status hash_part(struct run *r, struct posting *p, struct str paths,
                               struct winnow_error *err)
{
    uint32_t rank = ranks_rank(r->env->ranks), count = ranks_count(r->env->ranks);
    size_t files = 0;
    for (size_t at = 0; at < paths.len; at += strlen(paths.ptr + at) + 1) {
        files++;
    }
    p->paths = mem_zalloc((files + 1) * sizeof *p->paths);
    files = 0;
    for (size_t at = 0; at < paths.len; at += strlen(paths.ptr + at) + 1) {
        if (files++ % count == rank) {
            p->paths[p->count++] = paths.ptr + at;
        }
    }
    char(*hashes)[33] = mem_zalloc((p->count + 1) * sizeof *hashes);
    struct winnow_error *failed = mem_zalloc((p->count + 1) * sizeof *failed);
    p->prints = prints_new((struct json_value){0}, r->env);
    /* What cannot be read has no hash here; rank 0 meets it itself, and tells. */
    winnow_status st = prints_files(p->prints, r->pool, p->paths, p->count, hashes, failed, err);
    mem_free(hashes);
    mem_free(failed);
    return st;
}

static winnow_status know(struct run *r, struct posting *p, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    winnow_status st = WINNOW_OK;
    buf_add_text(&p->all, p->all.len > 0 ? "]" : "[]");
    st = json_parse(parser, buf_str(&p->all), &root, err);
    if (st == WINNOW_OK) {
        prints_know(r->prints, root);
    }
    json_parser_free(parser);
    return st;
}

winnow_status ranks_hash_input(struct run *r, struct winnow_error *err)
{
    struct winnow_ranks *ranks = r->env->ranks;
    struct posting p = {0};
    const struct ranks_exchange post = {.ctx = &p, .next = next_print, .take = take_print};
    struct buf paths = {0};
    if (ranks_count(ranks) == 1) {
        return WINNOW_OK;
    }
    if (ranks_lead(ranks)) {
        list_paths(r, &paths);
    }
    winnow_status st = ranks_cast(ranks, &paths, err);
    if (st == WINNOW_OK && paths.len > 0) {
        st = hash_part(r, &p, buf_str(&paths), err);
        st = ranks_agree(ranks, st, err);
        st = st == WINNOW_OK ? ranks_exchange(ranks, &post, err) : st;
    }
    if (st == WINNOW_OK && ranks_lead(ranks)) {
        st = know(r, &p, err);
    }
    prints_free(p.prints);
    mem_free(p.paths);
    buf_release(&p.message);
    buf_release(&p.all);
    buf_release(&paths);
    return st;
}
