/* whole.c -- whether what a finished run says it holds is there.
 *
 * Keys tell what a result was made from, not whether it still lies there: shards get
 * removed, emptied or cut, by people and by full disks.  So the files of the last stage and
 * the links in documents/ are compared with stats.json, by existence and size (their bytes
 * are for `winnow verify`), and of all stages what they keep beside shards, as signatures,
 * which are read from wherever they lie.  Where a stage has to be done, so are those before
 * it, which are its input. */
#include "base/env.h"
#include "base/file.h"
#include "run/folder_internal.h"

#include <inttypes.h>
#include <sys/stat.h>

/* Whether path is a file of that size; else why says what it is. */
static bool is_there(const char *path, uint64_t bytes, struct buf *why)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        buf_addf(why, "%s is missing", path);
    } else if (!S_ISREG(st.st_mode)) {
        buf_addf(why, "%s is no regular file", path);
    } else if ((uint64_t)st.st_size != bytes) {
        buf_addf(why, "%s has %jd bytes, stats.json says %" PRIu64, path, (intmax_t)st.st_size,
                 bytes);
    }
    return why->len == 0;
}

/* All files of a shard below the stage, or, with links, its link in the run's documents/;
 * need: it has to have documents. */
static void look_at_shard(const struct stage *s, struct json_value shard, bool need, bool links,
                          struct buf *why)
{
    struct str path = {"", 0};
    struct buf name = {0};
    bool documents = false;
    (void)json_as_str(json_get(shard, "path"), &path);
    struct json_iter file = json_walk(json_get(shard, "files"));
    while (why->len == 0 && json_next(&file)) {
        uint64_t bytes = 0;
        bool is_documents = str_is(file.key, "documents");
        documents = documents || is_documents;
        (void)json_as_u64(json_get(file.value, "bytes"), &bytes);
        buf_clear(&name);
        buf_addf(&name, "%s/%.*s/%.*s", links ? s->run->folder : s->folder, STR_ARG(file.key),
                 STR_ARG(path));
        if (is_documents || !links) {
            (void)is_there(buf_cstr(&name), bytes, why);
        }
    }
    if (why->len == 0 && !documents && need) {
        buf_addf(why, "the documents of %.*s went down a pipe", STR_ARG(path));
    }
    buf_release(&name);
}

/* What a stage keeps beside its shards, where somebody else may look for it later. */
static void look_at_own(const struct stage *s, struct json_value root, struct buf *why)
{
    struct buf name = {0};
    struct json_iter file = json_walk(json_get(root, "own"));
    while (why->len == 0 && json_next(&file)) {
        uint64_t bytes = 0;
        (void)json_as_u64(json_get(file.value, "bytes"), &bytes);
        buf_clear(&name);
        buf_addf(&name, "%s/%.*s", s->folder, STR_ARG(file.key));
        (void)is_there(buf_cstr(&name), bytes, why);
    }
    buf_release(&name);
}

/* What is looked for: files of the stage's own, its shards too, or the links to those. */
enum what { OWN, OWN_AND_SHARDS, LINKS };

/* Nothing in why: all is there. */
static void look_at(const struct stage *s, enum what what, struct buf *why)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct buf path = {0};
    struct winnow_error unread;
    bool found = false;
    (void)file_join(&path, s->folder, "stats.json");
    if (run_read_json(buf_cstr(&path), parser, &root, &found, &unread) != WINNOW_OK) {
        buf_add_text(why, unread.text);
    } else if (!found) {
        buf_addf(why, "%s is missing", buf_cstr(&path));
    }
    if (what != LINKS) {
        look_at_own(s, root, why);
    }
    bool arranged = json_kind(json_get(root, "out")) == JSON_ARRAY;
    struct json_iter shard = json_walk(json_get(root, "shards"));
    struct json_iter out = json_walk(json_get(root, "out"));
    while (why->len == 0 && what != OWN && json_next(&shard)) {
        look_at_shard(s, shard.value, !arranged, what == LINKS, why);
    }
    while (why->len == 0 && what != OWN && json_next(&out)) {
        look_at_shard(s, out.value, true, what == LINKS, why);
    }
    json_parser_free(parser);
    buf_release(&path);
}

void whole_stages(struct run *r)
{
    size_t count = r->to_stdout ? 0 : r->request->count; /* that is done again in any case */
    bool needed = true;                                  /* the last, and what has to be read */
    for (size_t i = count; i-- > 0;) {
        struct stage *s = &r->stages[i];
        struct buf why = {0};
        if (s->complete) {
            look_at(s, needed ? OWN_AND_SHARDS : OWN, &why);
        }
        if (why.len > 0) {
            env_log(r->env, WINNOW_LOG_WARNING, "%s is not whole, and is done anew: %s", s->folder,
                    buf_cstr(&why));
            s->complete = false;
            s->damaged = true;
        }
        needed = !s->complete || (needed && i + 1 < count);
        buf_release(&why);
    }
}

bool whole_documents(const struct run *r, struct buf *why)
{
    struct buf path = {0};
    struct stat st;
    const char *documents = file_join(&path, r->folder, "documents");
    if (lstat(documents, &st) != 0) {
        buf_addf(why, "%s is missing", documents);
    } else if (!S_ISDIR(st.st_mode)) { /* a link, too: where it leads is not the run's */
        buf_addf(why, "%s is no folder", documents);
    } else {
        look_at(&r->stages[r->request->count - 1], LINKS, why);
    }
    buf_release(&path);
    return why->len == 0;
}
