/* Lines of any bytes as selectors, and what follows a NUL as a page: it is cut to what they
 * name.  What holds: a selector that is refused is named; a page that is only marked has the
 * text of one that is not asked; the lines of one that is cut are some of those, in order. */
#include "pages/page_extract.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX ((size_t)1 << 20)
#define MOST     16U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The document's text as JSON writes it, without quotes; ptr NULL where there is no document. */
static struct str text_of(const struct main_selectors *main, bool mark, struct str html,
                          struct buf *line)
{
    struct page_extract_options opt = {.page_max = PAGE_MAX, .structure = true, .mark_main = mark};
    struct page page = {.form = PAGE_BYTES, .path = "x", .name = "src/x.html", .block = html};
    struct page_result r;
    struct winnow_error err;
    opt.main = main ? *main : (struct main_selectors){0};
    struct page_extractor *x = page_extractor_new(&opt);
    if (page_extract(x, &page, &r, &err) != WINNOW_OK) {
        abort();
    }
    buf_clear(line);
    if (r.outcome == PAGE_DOCUMENT) {
        buf_add_str(line, r.line);
    }
    page_extractor_free(x);
    static const struct str KEY = {"\"text\": \"", 9}, END = {"\", \"source\": ", 13};
    size_t at = str_find(buf_str(line), KEY), end = str_find(buf_str(line), END);
    bool is_document = at != SIZE_MAX && end != SIZE_MAX && at + KEY.len <= end;
    return is_document ? str_sub(buf_str(line), at + KEY.len, end) : (struct str){NULL, 0};
}

/* Whether the lines of a, between "\n", are some of those of b, in order. */
static bool is_part(struct str a, struct str b)
{
    static const struct str NEWLINE = {"\\n", 2};
    while (a.len > 0) {
        size_t end = str_find(a, NEWLINE);
        struct str line = str_sub(a, 0, end == SIZE_MAX ? a.len : end);
        a = end == SIZE_MAX ? (struct str){NULL, 0} : str_sub(a, end + 2, a.len);
        size_t at = str_find(b, line);
        if (at == SIZE_MAX) {
            return false;
        }
        b = str_sub(b, at + line.len, b.len);
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf words = {0}, plain = {0}, other = {0};
    buf_add(&words, data, size);
    char *text = buf_reserve(&words, 1);
    words.ptr[words.len] = '\0';
    (void)text;
    size_t len = strlen(words.ptr);
    struct str html = str_sub(buf_str(&words), len < size ? len + 1 : size, size);
    const char *items[MOST];
    struct winnow_list list = {.items = items};
    for (char *at = words.ptr, *end = at; end && list.count < MOST; at = end + 1) {
        items[list.count++] = at;
        end = strchr(at, '\n');
        if (end) {
            *end = '\0';
        } else {
            break;
        }
    }
    struct arena keep;
    struct main_selectors main;
    struct winnow_error err;
    arena_init(&keep, 4096);
    if (main_selectors_parse(&list, &keep, &main, &err) == WINNOW_OK) {
        struct str whole = text_of(NULL, false, html, &plain);
        struct str marked = text_of(&main, true, html, &other);
        assert(!whole.ptr == !marked.ptr && str_eq(whole, marked));
        struct str cut = text_of(&main, false, html, &other);
        assert(!cut.ptr || is_part(cut, whole));
    } else {
        assert(strstr(err.text, "is no selector"));
    }
    arena_release(&keep);
    buf_release(&words);
    buf_release(&plain);
    buf_release(&other);
    return 0;
}
