/* extract.c -- the stage `extract`: batches of pages in order, each batch turned
 * into documents on any thread. */
#include "pages/extract.h"

#include "winnow/extract.h"

#include "corpus/account.h"
#include "corpus/byte_source.h"
#include "option/tables.h"

struct extract_state {
    struct page_extract_options opt;
    struct page_reader *reader;
};

static winnow_status seek(void *state, uint64_t file, uint64_t offset, struct winnow_error *err)
{
    struct extract_state *s = state;
    return page_reader_seek(s->reader, (size_t)file, offset, err);
}

static winnow_status next(void *state, struct source_block *block, bool *more,
                          struct winnow_error *err)
{
    struct extract_state *s = state;
    struct page_batch *batch = page_batch_new();
    winnow_status st = page_reader_next(s->reader, batch, more, err);
    if (st != WINNOW_OK || !*more) {
        page_batch_free(batch);
        return st;
    }
    *block = (struct source_block){.data = batch,
                                   .file = batch->shard,
                                   .offset = batch->offset,
                                   .bytes = batch->read,
                                   .held = batch->bytes,
                                   .largest = batch->largest};
    return WINNOW_OK;
}

static void release(void *state, struct source_block *block)
{
    (void)state;
    page_batch_free(block->data);
    block->data = NULL;
}

static winnow_status convert(void *state, void *worker, const struct source_block *block,
                             struct source_sink *out, struct winnow_error *err)
{
    (void)state;
    const struct page_batch *batch = block->data;
    for (size_t i = 0; i < batch->count; i++) {
        const struct page *page = &batch->items[i];
        const struct source_place at = {page->name, page->label, page->offset};
        struct page_result r;
        TRY(page_extract(worker, page, &r, err));
        switch (r.outcome) {
        case PAGE_DOCUMENT:
            source_emit(out, r.id, r.line, r.text_bytes);
            break;
        case PAGE_PASSED:
            source_remove(out, r.id, r.reason, r.detail);
            break;
        case PAGE_BAD:
            if (r.lost) {
                source_lost(out, &at, r.reason, r.unreadable);
            } else {
                source_bad(out, &at, r.reason);
            }
            break;
        }
    }
    return WINNOW_OK;
}

static void *worker_new(void *state)
{
    const struct extract_state *s = state;
    return page_extractor_new(&s->opt);
}

static void worker_free(void *worker)
{
    page_extractor_free(worker);
}

#define EMPTY_MAX 512U /* bytes of a packed file of nothing: its headers, with a name */

/* Whether a file holds no byte, packed or not, and all of it is there. */
static bool holds_nothing(const struct shard *s)
{
    struct winnow_error ignored;
    struct byte_source *source = NULL;
    char byte;
    size_t got = 1;
    if (s->once || s->bytes > EMPTY_MAX ||
        byte_source_open_object(&source, s->path, s->remote, &ignored) != WINNOW_OK) {
        return false;
    }
    bool empty = byte_source_read(source, &byte, 1, &got, &ignored) == WINNOW_OK && got == 0 &&
                 !byte_source_torn(source);
    byte_source_close(source);
    return empty;
}

/* All of them: nothing was lost, but nobody meant that. */
static bool is_empty(const struct shard_list *input)
{
    bool empty = true;
    for (size_t i = 0; i < input->count && empty; i++) {
        empty = holds_nothing(&input->items[i]);
    }
    return empty;
}

winnow_status extract_page_options(const struct winnow_extract_options *opt, struct arena *keep,
                                   struct page_extract_options *out, struct winnow_error *err)
{
    if (opt->mark_main && (opt->main.count == 0 || !opt->structure)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--mark-main marks what --main names, in the structure of the page: give "
                         "--main, and not --no-structure");
    }
    *out = (struct page_extract_options){.source = opt->source,
                                         .page_max = (size_t)opt->page_max,
                                         .structure = opt->structure,
                                         .html = {.rows = opt->rows},
                                         .mark_main = opt->mark_main};
    return main_selectors_parse(&opt->main, keep, &out->main, err);
}

static winnow_status extract_run(struct stage *stage, const void *options, struct winnow_error *err)
{
    static const char *const EXTENSIONS[] = {".jsonl.zst", ".jsonl.gz", ".jsonl"};
    const struct winnow_extract_options *opt = options;
    const struct shard_list *input = stage_input(stage);
    if (is_empty(input)) {
        TRY(account_need_documents(input->account, err));
    }
    struct arena keep;
    struct extract_state s = {0};
    arena_init(&keep, (size_t)1 << 12);
    winnow_status st = extract_page_options(opt, &keep, &s.opt, err);
    if (st != WINNOW_OK) {
        arena_release(&keep);
        return st;
    }
    s.reader = page_reader_new(input, (size_t)opt->page_max);
    const struct stage_source source = {
        .state = &s,
        /* the page in its charset and in UTF-8, its text, its line, twice; and its structure */
        .scratch_factor = opt->structure ? 14 : 10,
        .bytes_total = input->bytes,
        .seek = seek,
        .next = next,
        .convert = convert,
        .release = release,
        .worker_new = worker_new,
        .worker_free = worker_free,
    };
    st = stage_run_source(stage, &source, opt->shard_size, EXTENSIONS[opt->packing], err);
    page_reader_free(s.reader);
    arena_release(&keep);
    return st;
}

/* Selectors are looked at before anything of a run starts. */
static winnow_status check(const void *options, const struct stage_plan *plan,
                           struct winnow_error *err)
{
    (void)plan;
    const struct winnow_extract_options *opt = options;
    struct arena keep;
    struct page_extract_options ignored;
    arena_init(&keep, (size_t)1 << 12);
    winnow_status st = extract_page_options(opt, &keep, &ignored, err);
    arena_release(&keep);
    return st;
}

const struct stage_kind EXTRACT_STAGE = {
    .table = &EXTRACT_TABLE,
    .check = check,
    .run = extract_run,
    .reads_files = true,
};
