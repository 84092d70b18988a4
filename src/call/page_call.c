/* page_call.c -- the visible lines of one page in memory, as the stage `extract` reads it. */
#include "winnow/text.h"

#include "base/json.h"
#include "call/call_internal.h"
#include "option/tables.h"
#include "pages/extract.h"

void winnow_page_free(struct winnow_page *p)
{
    winnow_bytes_free(&p->reason);
    winnow_bytes_free(&p->text);
    winnow_bytes_free(&p->document);
    *p = (struct winnow_page){0};
}

static struct winnow_bytes copy(struct str s)
{
    struct buf b = {0};
    buf_add_str(&b, s);
    return bytes_take(&b);
}

static winnow_status hand_over(const struct page_result *result, struct winnow_page *out,
                               struct winnow_error *err)
{
    struct json_value root;
    struct str text = {"", 0};
    if (result->outcome != PAGE_DOCUMENT) {
        out->reason = copy(str_of(result->reason));
        return WINNOW_OK;
    }
    struct json_parser *parser = json_parser_new();
    winnow_status st = json_parse(parser, result->line, &root, err);
    if (st == WINNOW_OK) {
        (void)json_as_str(json_get(root, "text"), &text);
        out->kept = true;
        out->text = copy(text);
        out->document = copy(result->line);
    }
    json_parser_free(parser);
    return st;
}

static winnow_status extract(const struct winnow_extract_options *opt, const struct page *page,
                             struct arena *keep, struct winnow_page *out, struct winnow_error *err)
{
    struct page_extract_options how;
    struct page_result result;
    TRY(extract_page_options(opt, keep, &how, err));
    struct page_extractor *x = page_extractor_new(&how);
    winnow_status st = page_extract(x, page, &result, err);
    st = st == WINNOW_OK ? hand_over(&result, out, err) : st;
    page_extractor_free(x);
    return st;
}

winnow_status winnow_page_text(const void *bytes, size_t len, const char *type, const char *id,
                               const char *options, struct winnow_page *out,
                               struct winnow_error *err)
{
    struct winnow_extract_options opt;
    struct arena keep;
    const char *name = id ? id : "page";
    *out = (struct winnow_page){0};
    arena_init(&keep, 1024);
    winnow_status st = call_options(&EXTRACT_TABLE, options, &opt, &keep, err);
    if (st == WINNOW_OK && len > opt.page_max) {
        out->reason = copy(STR_LIT("the page is longer than page-max"));
    } else if (st == WINNOW_OK) {
        const struct page page = {.form = type ? PAGE_PAYLOAD : PAGE_BYTES,
                                  .path = name,
                                  .name = name,
                                  .id = str_of(name),
                                  .block = call_text(bytes, len),
                                  .content_type = str_of(type ? type : "")};
        st = extract(&opt, &page, &keep, out, err);
    }
    arena_release(&keep);
    return st;
}
