/* own_files.c -- files that a stage writes beside its shards, and that others read.
 *
 * The signatures of a dedup, the figures of a decontamination: a stage names them
 * (stage_owns) and stats.json says their bytes.  So a call that finds one missing does the
 * stage anew, and `winnow verify` tells where one is another. */
#include "base/file.h"
#include "run/run_internal.h"

#include <string.h>

void stage_owns(struct stage *s, const char *name)
{
    for (size_t i = 0; i < s->own.count; i++) {
        if (strcmp(s->own.items[i], name) == 0) {
            return;
        }
    }
    option_list_add(&s->own, str_of(name), &s->run->keep);
}

static winnow_status write_one(const struct stage *s, const char *name, struct json_writer *w,
                               struct winnow_error *err)
{
    struct buf path = {0};
    struct hash128 hash = {0};
    uint64_t bytes = 0;
    char hex[33];
    (void)file_join(&path, s->folder, name);
    winnow_status st = file_size(buf_cstr(&path), &bytes, err);
    st = st == WINNOW_OK ? file_hash(buf_cstr(&path), &hash, err) : st;
    hash128_hex(hash, hex);
    json_member_open(w, name, '{');
    json_member_u64(w, "bytes", bytes);
    json_member_text(w, "hash", hex);
    json_close(w, '}');
    buf_release(&path);
    return st;
}

winnow_status own_files_write(const struct stage *s, struct json_writer *w,
                              struct winnow_error *err)
{
    json_member_open(w, "own", '{');
    for (size_t i = 0; i < s->own.count; i++) {
        TRY(write_one(s, s->own.items[i], w, err));
    }
    json_close(w, '}');
    return WINNOW_OK;
}
