/* block_parser.c -- walks the lines of a block; what a line means is decided in
 * document.c. */
#include "base/mem.h"
#include "corpus/shard_reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define HEAD_MAX  4096U             /* of a line too long to keep */
#define KEPT_LINE ((size_t)4 << 20) /* after a longer one the parser's memory is given back */

struct block_parser {
    struct document_reader *reader;
    const struct shard_block *block;
    struct str rest;
    uint64_t line, ordinal;
    struct document_keys keys;
    size_t longest; /* line of the block */
    bool bad_given;
    char reason[128];
};

struct block_parser *block_parser_new(const struct document_keys *keys)
{
    struct block_parser *p = mem_zalloc(sizeof *p);
    p->reader = document_reader_new(keys);
    p->keys = keys ? *keys : (struct document_keys){0};
    return p;
}

void block_parser_free(struct block_parser *p)
{
    if (p) {
        document_reader_free(p->reader);
        mem_free(p);
    }
}

void block_parser_start(struct block_parser *p, const struct shard_block *block)
{
    assert(block->bad.reason.len == 0 || block->lines.len == 0); /* lines, or one bad one */
    p->block = block;
    p->rest = block->lines;
    p->line = block->line;
    p->ordinal = 0;
    p->longest = 0;
    p->bad_given = block->bad.reason.len == 0;
}

static bool is_blank(struct str line)
{
    if (str_starts(line, STR_LIT("\xEF\xBB\xBF"))) {
        line = str_sub(line, 3, line.len);
    }
    return str_trim(line).len == 0;
}

static struct str say_long(struct block_parser *p, size_t len)
{
    int n = snprintf(p->reason, sizeof p->reason, "the line is %zu bytes long, the limit is %zu",
                     len, p->block->line_max);
    return (struct str){p->reason, n < 0 ? 0 : (size_t)n};
}

/* What the line says, or why it says nothing: in reason then, and what is kept of it. */
static winnow_status read_line(struct block_parser *p, struct str line, uint64_t number,
                               struct document *d, struct str *reason, struct str *kept,
                               struct winnow_error *err)
{
    *kept = line;
    if (line.len > p->block->line_max) {
        *reason = say_long(p, line.len);
        kept->len = line.len < HEAD_MAX ? line.len : HEAD_MAX;
        return WINNOW_OK;
    }
    p->longest = line.len > p->longest ? line.len : p->longest;
    return document_read(p->reader, line, p->block->shard, number, d, reason, err);
}

winnow_status block_parser_next(struct block_parser *p, struct parsed *out,
                                struct winnow_error *err)
{
    *out = (struct parsed){.kind = PARSED_END};
    if (!p->bad_given) {
        p->bad_given = true;
        out->kind = PARSED_BAD;
        out->bad = p->block->bad;
        return WINNOW_OK;
    }
    struct str line;
    while (str_next_line(&p->rest, &line)) {
        uint64_t number = p->line++;
        if (is_blank(line)) {
            continue;
        }
        struct str reason, kept;
        TRY(read_line(p, line, number, &out->document, &reason, &kept, err));
        if (reason.len == 0) {
            out->kind = PARSED_DOCUMENT;
            out->document.ordinal = p->ordinal++;
            return WINNOW_OK;
        }
        out->kind = PARSED_BAD;
        out->bad = (struct bad_line){
            .line = number,
            .offset = p->block->offset + (uint64_t)(line.ptr - p->block->lines.ptr),
            .bytes = line.len,
            .raw = kept,
            .reason = reason,
        };
        return WINNOW_OK;
    }
    if (p->longest > KEPT_LINE) {
        document_reader_free(p->reader);
        p->reader = document_reader_new(&p->keys);
        p->longest = 0;
    }
    return WINNOW_OK;
}
