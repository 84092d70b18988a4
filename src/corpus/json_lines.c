/* json_lines.c -- block by block, so that a file of any size takes a block's memory. */
#include "corpus/json_lines.h"

#include <inttypes.h>

static winnow_status read_block(const struct json_lines *r, struct json_parser *parser,
                                const struct shard_block *block, struct winnow_error *err)
{
    if (block->bad.reason.len > 0) {
        return error_set(err, WINNOW_E_FORMAT, "line %" PRIu64 ": %.*s", block->bad.line,
                         STR_ARG(block->bad.reason));
    }
    struct str rest = block->lines;
    struct json_line line = {.number = block->line};
    for (; str_next_line(&rest, &line.text); line.number++) {
        if (str_trim(line.text).len == 0) {
            continue;
        }
        winnow_status st = json_parse(parser, line.text, &line.root, err);
        st = st == WINNOW_OK ? r->line(r->ctx, &line, err) : st;
        if (st != WINNOW_OK) {
            return error_wrap(err, st, "line %" PRIu64, line.number);
        }
    }
    return WINNOW_OK;
}

/* Sentences of the reader name the path already. */
static winnow_status read_blocks(const char *path, const struct json_lines *r,
                                 struct shard_reader *reader, struct json_parser *parser,
                                 struct shard_block *block, struct winnow_error *err)
{
    winnow_status st = WINNOW_OK;
    while (st == WINNOW_OK) {
        bool more = true;
        TRY(shard_reader_next(reader, block, &more, err));
        if (!more) {
            return WINNOW_OK;
        }
        st = read_block(r, parser, block, err);
        st = st == WINNOW_OK && r->block ? r->block(r->ctx, err) : st;
    }
    return st == WINNOW_E_CANCELLED ? st : error_wrap(err, st, "%s", path);
}

winnow_status json_lines_read(const char *path, const struct json_lines *r,
                              struct winnow_error *err)
{
    const struct shard_reader_options usual = SHARD_READER_OPTIONS_INIT;
    struct shard_reader *reader = NULL;
    struct shard_block block = {0};
    TRY(shard_reader_open(&reader, path, path, r->opt ? r->opt : &usual, err));
    struct json_parser *parser = json_parser_new();
    winnow_status st = read_blocks(path, r, reader, parser, &block, err);
    json_parser_free(parser);
    shard_block_release(&block);
    shard_reader_close(reader);
    return st;
}
