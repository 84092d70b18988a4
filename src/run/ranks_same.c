/* ranks_same.c -- whether all ranks were told the same, and see the same files.
 *
 * A launcher starts whatever it is given: another option on one rank, or a node whose disk has
 * another file under the same name, would make one run of two, and nothing in its folder would
 * tell.  So before any work each rank compares with what rank 0 has: the request as it was
 * understood, the content of the files that options name, and of the input name, size, time and
 * both ends.  Kernel tables are compared where it matters (over_ranks.c). */
#include "winnow/version.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "option/corpus_options.h"
#include "run/command_key.h"
#include "run/folder_internal.h"
#include "run/json_copy.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHOWN_MAX ((size_t)150) /* bytes of a value in a sentence */
#define INPUT_MAX                                                               \
    ((size_t)4096) /* files of the input that are looked at: any node that sees \
                    * another folder is found out by few */
#define INPUT_BLOCK ((size_t)16 << 10)

/* ---- what was told ---- */

static void add_run(const struct run *r, struct json_writer *w)
{
    const char *output = r->corpus->output ? r->corpus->output : "";
    json_member_open(w, "the run", '{');
    json_member_text(w, "version", winnow_version());
    json_member_open(w, "stages", '[');
    for (size_t i = 0; i < r->request->count; i++) {
        json_text(w, r->stages[i].kind->table->command);
    }
    json_close(w, ']');
    json_member_u64(w, "seed", r->env->seed);
    json_member_open(w, "input", '[');
    for (size_t i = 0; i < r->paths.count; i++) {
        json_text(w, r->paths.items[i]);
    }
    json_close(w, ']');
    for (const struct option *o = CORPUS_TABLE.options; o->kind != OPTION_END; o++) {
        if (!o->how && strcmp(o->name, "temporary") != 0) {
            json_key(w, o->name);
            option_write_value(o, r->corpus, w);
        }
    }
    if (output[0] != '/') { /* a launcher that cannot enter it goes elsewhere */
        char *here = getcwd(NULL, 0);
        json_member_text(w, "working folder", here ? here : "");
        free(here); /* getcwd(3) allocates by malloc */
    }
    json_close(w, '}');
}

static void add_options(const char *name, const struct option_table *table, const void *options,
                        struct json_writer *w)
{
    json_member_open(w, name, '{');
    if (table && options) {
        option_write_key(table, options, w);
    }
    json_close(w, '}');
}

/* {"the run": {"seed": 0, ...}, "01-rules": {"sets": "gopher", ...}, ...} */
static void add_request(const struct run *r, struct json_writer *w)
{
    json_open(w, '{');
    add_run(r, w);
    for (size_t i = 0; i < r->request->count; i++) {
        add_options(r->stages[i].name, r->stages[i].kind->table, r->stages[i].options, w);
    }
    for (size_t i = 0; i < r->request->ending_count; i++) {
        const struct run_ending *e = &r->request->endings[i];
        add_options(e->name, e->table, e->options, w);
    }
    json_close(w, '}');
}

/* ---- the files that options name ---- */

struct adding {
    const struct run *r;
    struct json_writer *w;
};

static winnow_status add_file(void *ctx, const struct option *o, const char *path,
                              struct winnow_error *err)
{
    const struct adding *a = ctx;
    struct buf as = {0}, label = {0};
    char hash[33] = "";
    winnow_status st = WINNOW_OK;
    if (!o->how && !storage_is_address(path)) {
        st = prints_tree(a->r->prints, read_as(path, &as), hash, err);
        st = st == WINNOW_E_IO ? WINNOW_OK : st; /* told where it is read */
        buf_addf(&label, "%s %s", o->name, path);
        json_member_text(a->w, buf_cstr(&label), hash);
    }
    buf_release(&as);
    buf_release(&label);
    return st;
}

/* {"01-blocklist": {"lists bl": "93ab...", ...}, ...}: of the stages that all ranks do. */
static winnow_status add_files(const struct run *r, struct json_writer *w, struct winnow_error *err)
{
    struct adding a = {r, w};
    winnow_status st = WINNOW_OK;
    json_open(w, '{');
    for (size_t i = 0; i < r->request->count && st == WINNOW_OK; i++) {
        const struct stage *s = &r->stages[i];
        json_member_open(w, s->name, '{');
        st = s->shared ? option_each_path(s->kind->table, s->options, add_file, &a, err) : st;
        json_close(w, '}');
    }
    json_close(w, '}');
    return st;
}

/* ---- comparing ---- */

/* The value as JSON. */
static void show_value(struct json_value v, struct buf *out)
{
    struct json_writer w = {.out = out};
    if (json_kind(v) == JSON_NONE) {
        buf_add_text(out, "nothing");
    } else {
        json_copy(&w, v);
    }
}

static void cut(struct buf *text)
{
    if (text->len > SHOWN_MAX) {
        text->len = utf8_cut(buf_str(text), SHOWN_MAX).len;
        buf_add_text(text, "...");
    }
}

/* Into out: of the first member that is another one on rank 0. */
static void describe(struct json_value mine, struct json_value theirs, bool files, struct buf *out)
{
    struct json_iter groups = json_walk(mine);
    while (out->len == 0 && json_next(&groups)) {
        struct json_value other = json_get_str(theirs, groups.key);
        struct json_iter it = json_walk(groups.value);
        while (out->len == 0 && json_next(&it)) {
            struct buf here = {0}, there = {0};
            show_value(it.value, &here);
            show_value(json_get_str(other, it.key), &there);
            if (!str_eq(buf_str(&here), buf_str(&there)) && files) {
                buf_addf(out, "what %.*s names has other content here than on rank 0 (%.*s)",
                         STR_ARG(groups.key), STR_ARG(it.key));
            } else if (!str_eq(buf_str(&here), buf_str(&there))) {
                cut(&here);
                cut(&there);
                buf_addf(out, "%.*s of %.*s is %s here and %s on rank 0", STR_ARG(it.key),
                         STR_ARG(groups.key), buf_cstr(&here), buf_cstr(&there));
            }
            buf_release(&here);
            buf_release(&there);
        }
    }
}

static winnow_status refuse(struct str mine, struct str theirs, bool files,
                            struct winnow_error *err)
{
    struct json_parser *a = json_parser_new(), *b = json_parser_new();
    struct json_value x = {0}, y = {0};
    struct buf what = {0};
    winnow_status st = json_parse(a, mine, &x, err);
    st = st == WINNOW_OK ? json_parse(b, theirs, &y, err) : st;
    if (st == WINNOW_OK) {
        describe(x, y, files, &what);
        st = error_set(err, WINNOW_E_USAGE, "%s: %s",
                       what.len > 0 ? buf_cstr(&what) : "it was told something else than rank 0",
                       files ? "let all ranks see one and the same file"
                             : "start all ranks of a run with the same command");
    }
    buf_release(&what);
    json_parser_free(a);
    json_parser_free(b);
    return st;
}

/* All meet; mine is what this rank has, st whether it could tell. */
static winnow_status compare(const struct run *r, const struct buf *mine, bool files,
                             winnow_status st, struct winnow_error *err)
{
    struct buf theirs = {0};
    buf_add_str(&theirs, buf_str(mine));
    st = ranks_agree(r->env->ranks, st, err);
    st = st == WINNOW_OK ? ranks_cast(r->env->ranks, &theirs, err) : st;
    if (st == WINNOW_OK && !str_eq(buf_str(mine), buf_str(&theirs))) {
        st = refuse(buf_str(mine), buf_str(&theirs), files, err);
    }
    st = ranks_agree(r->env->ranks, st, err);
    buf_release(&theirs);
    return st;
}

winnow_status ranks_same_request(struct run *r, struct winnow_error *err)
{
    struct buf told = {0}, files = {0};
    struct json_writer w = {.out = &told}, v = {.out = &files};
    if (ranks_count(r->env->ranks) == 1) {
        return WINNOW_OK;
    }
    add_request(r, &w);
    winnow_status st = compare(r, &told, false, WINNOW_OK, err);
    if (st == WINNOW_OK) {
        folder_load_prints(r);
        st = add_files(r, &v, err);
        st = compare(r, &files, true, st, err);
    }
    buf_release(&told);
    buf_release(&files);
    return st;
}

/* ---- the input ---- */

struct look {
    uint64_t bytes, mtime_ns;
    struct hash128 ends; /* all zero of what cannot be read: told where it is read */
};

static struct look look_at(const char *path, char *block)
{
    struct look seen = {0};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        struct file_stamp stamp = stamp_of(&st);
        size_t half = INPUT_BLOCK / 2;
        ssize_t first = pread(fd, block, half, 0);
        size_t n = first > 0 ? (size_t)first : 0;
        off_t last = st.st_size > (off_t)half ? st.st_size - (off_t)half : 0;
        ssize_t more = pread(fd, block + n, half, last);
        n += more > 0 ? (size_t)more : 0;
        seen = (struct look){stamp.bytes, stamp.mtime_ns, hash128((struct str){block, n})};
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return seen;
}

static winnow_status compare_looks(const struct shard_list *in, size_t stride,
                                   const struct look *mine, const struct look *theirs, size_t count,
                                   struct winnow_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct look *a = &mine[i], *b = &theirs[i];
        if (memcmp(a, b, sizeof *a) != 0) {
            const char *how = a->bytes != b->bytes         ? "size"
                              : a->mtime_ns != b->mtime_ns ? "time of modification"
                                                           : "content";
            return error_set(err, WINNOW_E_USAGE,
                             "%s has another %s here than on rank 0: let all ranks see one and "
                             "the same input",
                             in->items[i * stride].label, how);
        }
    }
    return WINNOW_OK;
}

winnow_status ranks_same_input(const struct run *r, struct winnow_error *err)
{
    const struct shard_list *in = &r->stages[0].input;
    struct winnow_ranks *ranks = r->env->ranks;
    if (ranks_count(ranks) == 1 || !r->stages[0].shared || r->stages[0].complete) {
        return WINNOW_OK; /* what only rank 0 reads is what it is */
    }
    size_t stride = in->count / INPUT_MAX + 1, count = (in->count + stride - 1) / stride;
    struct look *mine = mem_zalloc((count + 1) * sizeof *mine);
    char *block = mem_alloc(INPUT_BLOCK);
    struct buf theirs = {0};
    for (size_t i = 0; i < count; i++) {
        mine[i] = look_at(in->items[i * stride].path, block);
    }
    buf_add(&theirs, mine, count * sizeof *mine);
    winnow_status st = ranks_cast(ranks, &theirs, err);
    if (st == WINNOW_OK) {
        struct look *looks = mem_zalloc((count + 1) * sizeof *looks);
        memcpy(looks, buf_cstr(&theirs), count * sizeof *looks);
        st = compare_looks(in, stride, mine, looks, count, err);
        mem_free(looks);
    }
    st = ranks_agree(ranks, st, err);
    buf_release(&theirs);
    mem_free(block);
    mem_free(mine);
    return st;
}
