/* Any bytes as a document with a structure: it is read or refused, what is read gives numbers that
 * are finite and tokens within the table; the document without it is a document still. */
#include "base/mem.h"
#include "corpus/document.h"
#include "lines/structure_lines.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS 256U

static void check_features(const struct page_structure *s, struct arena *keep)
{
    struct page_elements page;
    struct line_structure f;
    page_elements_build(s, keep, &page);
    line_structure_build(&page, 0, s->line_count, ROWS, keep, &f);
    for (size_t i = 0; i < f.count * LINE_STRUCTURE; i++) {
        assert(isfinite(f.dense[i]));
    }
    size_t tokens = f.count > 0 ? f.ends[f.count * LINE_STRUCTURE_GROUPS - 1] : 0;
    for (size_t i = 0; i < tokens; i++) {
        assert(f.tokens[i] < ROWS);
    }
}

static void check_without(struct document_reader *reader, const struct document *d)
{
    struct buf out = {0};
    struct document again;
    struct str reason;
    struct winnow_error err;
    struct json_value value;
    if (document_add_without_structure(d, &out)) {
        struct buf text = {0};
        buf_add_str(&text, d->text);
        (void)buf_reserve(&out, JSON_PADDING);
        assert(document_read(reader, buf_str(&out), "s", 1, &again, &reason, &err) == WINNOW_OK);
        assert(reason.len == 0 && str_eq(again.text, buf_str(&text)));
        assert(!document_structure(&again, &value));
        buf_release(&text);
    }
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct document_reader *reader = document_reader_new(NULL);
    struct buf line = {0};
    struct arena keep;
    struct document d;
    struct page_structure s;
    struct str reason;
    struct winnow_error err;
    arena_init(&keep, 4096);
    buf_add(&line, data, size);
    (void)buf_reserve(&line, JSON_PADDING);
    if (document_read(reader, buf_str(&line), "s", 1, &d, &reason, &err) == WINNOW_OK &&
        reason.len == 0) {
        if (structure_of_document(&d, &keep, &s) == STRUCTURE_READ) {
            check_features(&s, &keep);
        }
        check_without(reader, &d);
    }
    document_reader_free(reader);
    arena_release(&keep);
    buf_release(&line);
    return 0;
}
