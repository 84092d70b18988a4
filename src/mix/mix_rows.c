/* mix_rows.c -- walks attribute files in step with the documents. */
#include "mix/mix_rows.h"

#include "base/json_span.h"

#include <inttypes.h>

winnow_status mix_rows_open(struct mix_rows *r, const char *folder, uint64_t memory_max,
                            struct winnow_error *err)
{
    *r = (struct mix_rows){.folder = folder, .memory_max = memory_max};
    const struct shards_options find = {.paths = {&r->folder, 1}, .kind = SHARDS_DOCUMENTS};
    r->parser = json_parser_new();
    return shards_find(&find, &r->shards, err);
}

void mix_rows_close(struct mix_rows *r)
{
    shard_reader_close(r->reader);
    shard_block_release(&r->block);
    json_parser_free(r->parser);
    shard_list_release(&r->shards);
    *r = (struct mix_rows){0};
}

static winnow_status next_block(struct mix_rows *r, bool *more, struct winnow_error *err)
{
    *more = r->reader != NULL;
    if (r->reader) {
        TRY(shard_reader_next(r->reader, &r->block, more, err));
        if (*more && r->block.bad.reason.len > 0) {
            return error_set(err, WINNOW_E_FORMAT, "%s: %.*s", r->shards.items[r->next - 1].path,
                             STR_ARG(r->block.bad.reason));
        }
        if (*more) {
            r->rest = r->block.lines;
            r->number = r->block.line - 1;
            return WINNOW_OK;
        }
        shard_reader_close(r->reader);
        r->reader = NULL;
    }
    *more = r->next < r->shards.count;
    if (*more) {
        const struct shard *shard = &r->shards.items[r->next++];
        struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
        opt.stamp = &shard->stamp;
        opt.remote = shard->remote;
        opt.budget = line_budget_of_run(r->memory_max, 2);
        r->rest = (struct str){"", 0};
        return shard_reader_open(&r->reader, shard->path, shard->name, &opt, err);
    }
    return WINNOW_OK;
}

winnow_status mix_rows_next(struct mix_rows *r, struct str id, struct json_value *row,
                            struct winnow_error *err)
{
    struct str line = {"", 0}, is;
    while (!str_next_line(&r->rest, &line) || str_trim(line).len == 0) {
        bool more = true;
        r->number++;
        if (r->rest.len == 0) {
            TRY(next_block(r, &more, err));
        }
        if (!more) {
            return error_set(err, WINNOW_E_FORMAT,
                             "%s holds fewer rows than the corpus has documents: attributes have "
                             "to be those of this input",
                             r->folder);
        }
    }
    r->number++;
    const char *path = r->shards.items[r->next - 1].path;
    line = str_trim(line);
    if (json_parse(r->parser, line, row, err) != WINNOW_OK ||
        !json_span_id(*row, line, "id", &is)) {
        return error_set(err, WINNOW_E_FORMAT, "%s: line %" PRIu64 " is no attribute row", path,
                         r->number);
    }
    if (!str_eq(is, id)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: line %" PRIu64
                         " is about \"%.*s\", and the document at this place of "
                         "the corpus is \"%.*s\": attributes have to be those of this input",
                         path, r->number, STR_ARG(is), STR_ARG(id));
    }
    return WINNOW_OK;
}
