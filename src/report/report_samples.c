/* report_samples.c -- documents to look at.
 *
 * From each folder the documents with the least hash of their id: a random
 * choice that is the same each time, whatever the order of the shards.  At most
 * BLOCKS_MAX blocks (4 MB) of a folder are read, the first ones of each shard,
 * so that the report of a large corpus takes seconds as well; in such a corpus
 * the samples are random among those blocks. */
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "corpus/shard_reader.h"
#include "corpus/shards.h"
#include "report/report_data.h"

#include <math.h>

#define BLOCKS_MAX 48U
#define GROUPS_MAX 200U /* of stage and rule */

/* Samples under way: the `most` least orders of each group. */
struct picks {
    struct arena *keep;
    struct report_sample *items;
    size_t count, cap, groups;
    uint32_t most;
    uint64_t memory_max;
};

static bool same_group(const struct report_sample *s, struct str stage, struct str rule)
{
    return str_eq(s->stage, stage) && str_eq(s->rule, rule);
}

/* Where a document of that group and order goes, or NULL where it is not wanted. */
static struct report_sample *find_place(struct picks *p, struct str stage, struct str rule,
                                        uint64_t order)
{
    struct report_sample *last = NULL;
    uint32_t members = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (same_group(&p->items[i], stage, rule)) {
            members++;
            last = !last || p->items[i].order > last->order ? &p->items[i] : last;
        }
    }
    if (members == 0 && p->groups == GROUPS_MAX) {
        return NULL;
    }
    if (members == p->most) {
        return last && order < last->order ? last : NULL;
    }
    p->groups += members == 0;
    if (p->count == p->cap) {
        size_t cap = p->cap * 2 + 16;
        p->items = mem_realloc(p->items, p->cap * sizeof *p->items, cap * sizeof *p->items);
        p->cap = cap;
    }
    return &p->items[p->count++];
}

static struct str copy(struct arena *keep, struct str s)
{
    return (struct str){arena_strndup(keep, s.ptr, s.len), s.len};
}

static void offer(struct picks *p, const struct document *d, struct str stage)
{
    struct json_value why = json_get(d->json, "winnow");
    bool removed = stage.len > 0;
    struct str rule = removed ? data_str(why, "rule") : STR_LIT("");
    uint64_t order = hash64(d->id, 0);
    struct report_sample *place = find_place(p, stage, rule, order);
    if (!place) {
        return;
    }
    *place = (struct report_sample){
        .id = copy(p->keep, d->id),
        .source = copy(p->keep, d->source),
        .text = copy(p->keep, utf8_cut(d->text, REPORT_SAMPLE_BYTES)),
        .stage = stage,
        .rule = copy(p->keep, rule),
        .score = removed ? data_number(why, "score") : (double)NAN,
        .threshold = removed ? data_number(why, "threshold") : (double)NAN,
        .order = order,
        .text_bytes = d->text.len,
    };
}

static winnow_status offer_shard(struct picks *p, const struct shard *shard, struct str stage,
                                 size_t blocks, struct winnow_error *err)
{
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    const struct document_keys keys = {0};
    struct shard_reader *reader = NULL;
    struct shard_block block = {0};
    struct block_parser *parser = block_parser_new(&keys);
    bool more = true;
    opt.budget = line_budget_of_run(p->memory_max, 1);
    opt.remote = shard->remote;
    winnow_status st = shard_reader_open(&reader, shard->path, shard->name, &opt, err);
    for (size_t n = 0; n < blocks && st == WINNOW_OK; n++) {
        st = shard_reader_next(reader, &block, &more, err);
        if (st != WINNOW_OK || !more) {
            break;
        }
        struct parsed item = {0};
        block_parser_start(parser, &block);
        while ((st = block_parser_next(parser, &item, err)) == WINNOW_OK &&
               item.kind != PARSED_END) {
            if (item.kind == PARSED_DOCUMENT) {
                offer(p, &item.document, stage);
            }
        }
    }
    if (reader) {
        shard_reader_close(reader);
    }
    block_parser_free(parser);
    shard_block_release(&block);
    return st;
}

/* A folder that does not exist or holds no shard gives no samples. */
static winnow_status offer_folder(struct picks *p, const char *folder, struct str stage,
                                  struct winnow_error *err)
{
    if (!file_is_dir(folder)) {
        return WINNOW_OK;
    }
    struct shard_list shards = {0};
    struct winnow_error nothing_there;
    const struct shards_options opt = {.paths = {&folder, 1}, .kind = SHARDS_DOCUMENTS};
    winnow_status st = WINNOW_OK;
    if (shards_find(&opt, &shards, &nothing_there) == WINNOW_OK && shards.count > 0) {
        size_t blocks = BLOCKS_MAX / shards.count;
        size_t step = shards.count > BLOCKS_MAX ? shards.count / BLOCKS_MAX : 1;
        for (size_t i = 0; i < shards.count && st == WINNOW_OK; i += step) {
            st = offer_shard(p, &shards.items[i], stage, blocks > 0 ? blocks : 1, err);
        }
    }
    shard_list_release(&shards);
    return st;
}

/* Insertion sort by group (in order of appearance) and order: a few hundred. */
static void sort_picks(struct picks *p)
{
    for (size_t i = 1; i < p->count; i++) {
        struct report_sample s = p->items[i];
        size_t at = i;
        size_t group_end = i;
        while (group_end > 0 && !same_group(&p->items[group_end - 1], s.stage, s.rule)) {
            group_end--;
        }
        if (group_end == 0) {
            continue; /* the first of its group stays where it is */
        }
        size_t from = group_end;
        while (from > 0 && same_group(&p->items[from - 1], s.stage, s.rule) &&
               p->items[from - 1].order > s.order) {
            from--;
        }
        for (; at > from; at--) {
            p->items[at] = p->items[at - 1];
        }
        p->items[from] = s;
    }
}

static winnow_status pick_documents(struct report_data *d, uint32_t most,
                                    const struct report_stage *stage, struct report_sample **out,
                                    size_t *count, struct winnow_error *err)
{
    struct buf path = {0};
    struct picks p = {.keep = &d->keep, .most = most, .memory_max = d->memory_max};
    buf_addf(&path, "%s/stages/%s/documents", d->folder, stage->folder);
    winnow_status st = offer_folder(&p, buf_cstr(&path), STR_LIT(""), err);
    sort_picks(&p);
    *out = p.items;
    *count = p.count;
    buf_release(&path);
    return st;
}

winnow_status report_samples_load(const struct winnow_report_options *opt, struct report_data *d,
                                  struct winnow_error *err)
{
    struct picks p = {.keep = &d->keep, .most = opt->samples, .memory_max = d->memory_max};
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    if (opt->samples == 0 || opt->json || d->stage_count == 0) {
        return WINNOW_OK;
    }
    for (size_t i = 0; i < d->stage_count && st == WINNOW_OK; i++) {
        buf_clear(&path);
        buf_addf(&path, "%s/stages/%s/removed", d->folder, d->stages[i].folder);
        st = offer_folder(&p, buf_cstr(&path), str_of(d->stages[i].folder), err);
    }
    buf_release(&path);
    sort_picks(&p);
    d->removed = p.items;
    d->removed_count = p.count;
    if (st == WINNOW_OK) {
        st = pick_documents(d, opt->samples, &d->stages[0], &d->before, &d->before_count, err);
    }
    if (st == WINNOW_OK && d->stage_count > 1) {
        st = pick_documents(d, opt->samples, &d->stages[d->stage_count - 1], &d->after,
                            &d->after_count, err);
    }
    return st;
}
