/* shard_reader.h -- a shard as blocks of whole lines, a block as documents.
 *
 *     shard_reader_open(&r, shard.path, shard.name, &opt, err);
 *     while (shard_reader_next(r, &block, &more, err) == WINNOW_OK && more)
 *         ... on any thread, one parser each:
 *         block_parser_start(p, &block);
 *         while (block_parser_next(p, &item, err) == WINNOW_OK && item.kind != PARSED_END)
 *
 * Where blocks are cut depends on the bytes alone, so a block's number or
 * offset names the same lines in every run.  A gzip file may have many members,
 * a zstd file many frames.
 */
#ifndef WINNOW_CORPUS_SHARD_READER_H
#define WINNOW_CORPUS_SHARD_READER_H

#include "base/stamp.h"
#include "corpus/document.h"
#include "storage/storage.h"

/* What a command may hold of lines longer than block_max: one of n bytes takes
 * fixed + n * per_byte of its --memory. */
struct line_budget {
    uint64_t limit; /* --memory; 0: lines up to line_max are held */
    uint64_t fixed;
    double per_byte;
    const char *instead; /* what else helps, of commands without --line-max; or NULL */
};

/* Of a command that reads some files of a run at a time, a line of each. */
struct line_budget line_budget_of_run(uint64_t limit, unsigned files);

/* The longest line that fits. */
uint64_t line_budget_fits(const struct line_budget *b);

/* Says that a line of so many bytes does not, and what to give: WINNOW_E_LIMIT. */
winnow_status line_budget_refuse(const struct line_budget *b, const char *path, uint64_t line,
                                 uint64_t bytes, struct winnow_error *err);

struct shard_reader_options {
    const char *shown, *label; /* see struct shard; NULL: its name */
    uint64_t offset;           /* uncompressed, start of a line: where to go on reading */
    uint64_t lines;            /* lines before that offset */
    size_t block_max;          /* bytes of a block; a longer line makes a longer block */
    size_t line_max;           /* a longer line is bad and never held in memory */
    uint64_t window_max;       /* of packed shards, see byte_source.h; 0: no limit */
    struct line_budget budget;
    /* Asked before a line of more than block_max bytes is held; where it says no,
     * shard_reader_next() gives a block that waits.  NULL: yes. */
    bool (*may_hold)(void *ctx, size_t bytes);
    void *may_hold_ctx;
    const struct storage_object *remote; /* what path is the address of, or NULL */
    const struct file_stamp *stamp; /* of the file when it was found, or NULL; see byte_source.h */
    bool keep_going; /* a file that the system does not let read is a torn shard, no failure */
};
#define SHARD_READER_OPTIONS_INIT \
    ((struct shard_reader_options){.block_max = (size_t)4 << 20, .line_max = (size_t)64 << 20})

/* Whole lines, or one bad piece that the reader itself met (a line past
 * line_max, the place where the compressed data break off): then lines is
 * empty and bad.reason is not.  The caller owns it, starts it zeroed and uses
 * it again and again. */
struct shard_block {
    struct str lines; /* JSON_PADDING readable bytes lie behind */
    struct bad_line bad;
    const char *shard;           /* the name given to shard_reader_open() */
    const char *shown, *label;   /* see struct shard */
    uint64_t offset, offset_end; /* uncompressed; where the next block starts */
    uint64_t line, line_end;     /* number of the first line, from 1; of the next block's first */
    size_t line_max;             /* of the reader that made it */
    bool waits;                  /* no block: may_hold() said no; ask again later */
    struct buf bytes, reason;    /* what lines and bad point into */
};
void shard_block_release(struct shard_block *b);

struct shard_reader;

/* path "-" reads standard input.  name, shown and label must outlive the reader and its blocks. */
winnow_status shard_reader_open(struct shard_reader **out, const char *path, const char *name,
                                const struct shard_reader_options *opt, struct winnow_error *err);
winnow_status shard_reader_next(struct shard_reader *r, struct shard_block *block, bool *more,
                                struct winnow_error *err);
void shard_reader_close(struct shard_reader *r);

/* Bytes of the file read so far, for progress. */
uint64_t shard_reader_bytes_read(const struct shard_reader *r);

/* Of so many bytes, what a torn shard was not read of; 0 of any other. */
uint64_t shard_reader_bytes_lost(const struct shard_reader *r, uint64_t bytes);

enum parsed_kind { PARSED_END, PARSED_DOCUMENT, PARSED_BAD };

struct parsed {
    enum parsed_kind kind;
    struct document document;
    struct bad_line bad; /* reason holds until the next call */
};

/* Keys are borrowed until block_parser_free(). */
struct block_parser;
struct block_parser *block_parser_new(const struct document_keys *keys);
void block_parser_free(struct block_parser *p);
void block_parser_start(struct block_parser *p, const struct shard_block *block);

/* Documents and bad lines in the order of the block; fails only without memory. */
winnow_status block_parser_next(struct block_parser *p, struct parsed *out,
                                struct winnow_error *err);

#endif /* WINNOW_CORPUS_SHARD_READER_H */
