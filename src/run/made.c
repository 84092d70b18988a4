/* made.c -- documents that a stage makes itself, as shards behind its input.
 *
 * A pass reads them like shards of the input, so verdicts, ledger, counts, checkpoints and
 * resuming are those of any document, and in = kept + removed + aside + bad holds with what
 * was made on the left side.  stats.json marks their shards, for those who compare what a
 * stage read with what the one before kept. */
#include "base/file.h"
#include "base/mem.h"
#include "run/run_internal.h"

#include <inttypes.h>

static bool starts_a_shard(const struct stage *s, struct str stem)
{
    size_t input = s->input.count - s->made;
    for (size_t i = 0; i < input; i++) {
        if (str_starts(str_of(s->input.items[i].name), stem)) {
            return true;
        }
    }
    return false;
}

const char *stage_made_name(const struct stage *s, const char *stem, uint64_t number,
                            struct buf *out)
{
    buf_clear(out);
    buf_addf(out, "%s-", stem);
    for (unsigned again = 2; starts_a_shard(s, buf_str(out)); again++) {
        buf_clear(out);
        buf_addf(out, "%s%u-", stem, again);
    }
    buf_addf(out, "%05" PRIu64 ".jsonl.zst", number);
    return buf_cstr(out);
}

const char *stage_made_path(struct stage *s, const char *name, struct buf *out)
{
    return stage_file(s, "made", name, out);
}

winnow_status stage_add_made(struct stage *s, const char *name, struct winnow_error *err)
{
    struct shard_list *in = &s->input;
    struct shard made = {0};
    struct buf path = {0};
    (void)stage_made_path(s, name, &path);
    winnow_status st = file_size(buf_cstr(&path), &made.bytes, err);
    made.path = arena_strndup(&s->run->keep, buf_cstr(&path), path.len);
    made.name = made.shown = arena_strndup(&s->run->keep, name, strlen(name));
    made.label = made.path;
    buf_clear(&path);
    buf_addf(&path, "made/%s", name);
    stage_owns(s, buf_cstr(&path));
    buf_release(&path);
    TRY(st);
    in->items = mem_realloc(in->items, in->count * sizeof made, (in->count + 1) * sizeof made);
    in->items[in->count++] = made;
    in->bytes += made.bytes;
    s->made++;
    s->ordinals = 0; /* those of the input alone end before these */
    return WINNOW_OK;
}
