/* web_head.c -- lines of an answer's head.  They are outside bytes: a number that is none
 * counts as not given. */
#include "base/retry_after.h"
#include "storage/web.h"

#include <strings.h>

bool web_number(struct str s, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || *out > (UINT64_MAX - 9) / 10) {
            return false;
        }
        *out = *out * 10 + (uint64_t)(s.ptr[i] - '0');
    }
    return s.len > 0 && s.len < 19;
}

/* "bytes 0-99/1234", "bytes 0-99/" and a star, "bytes " with a star and "/1234". */
static void take_range(struct web_answer *a, struct str v)
{
    size_t slash = str_find(v, STR_LIT("/")), dash = str_find(v, STR_LIT("-"));
    if (!str_starts(v, STR_LIT("bytes ")) || slash == SIZE_MAX) {
        return;
    }
    struct str total = str_sub(v, slash + 1, v.len);
    bool known = web_number(total, &a->total);
    if (!known) {
        a->total = UINT64_MAX;
    }
    if (str_is(str_sub(v, 6, slash), "*")) {
        a->has_range = known;
        a->from = a->total;
    } else if (dash != SIZE_MAX && dash > 6 && dash < slash) {
        a->has_range = web_number(str_sub(v, 6, dash), &a->from);
    }
}

/* Link: <https://...>; rel="next" */
static void take_link(struct web_answer *a, struct str v)
{
    size_t rel = str_find(v, STR_LIT("rel=\"next\""));
    size_t open = str_find(v, STR_LIT("<")), end = str_find(v, STR_LIT(">"));
    if (rel != SIZE_MAX && open != SIZE_MAX && end != SIZE_MAX && open < end && end < rel) {
        a->next.len = 0;
        buf_add_str(&a->next, str_sub(v, open + 1, end));
    }
}

static bool is_named(struct str name, const char *what)
{
    return strlen(what) == name.len && strncasecmp(name.ptr, what, name.len) == 0;
}

/* Whether it is a header of which the text is kept. */
static bool take_text(struct web_answer *a, struct str name, struct str v)
{
    const struct {
        const char *name;
        struct buf *to;
    } places[] = {{"etag", &a->etag},
                  {"last-modified", &a->modified},
                  {"location", &a->location},
                  {"x-amz-bucket-region", &a->region},
                  {"x-linked-etag", &a->linked_etag},
                  {"x-linked-size", &a->linked_size},
                  {"x-repo-commit", &a->commit}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (is_named(name, places[i].name)) {
            buf_clear(places[i].to);
            buf_add_str(places[i].to, v);
            return true;
        }
    }
    return false;
}

void web_take_header(struct web_answer *a, struct str line, double now)
{
    size_t colon = str_find(line, STR_LIT(":"));
    if (colon == SIZE_MAX) {
        return;
    }
    struct str name = str_sub(line, 0, colon), v = str_trim(str_sub(line, colon + 1, line.len));
    if (take_text(a, name, v)) {
        return;
    }
    if (is_named(name, "content-length")) {
        a->has_length = web_number(v, &a->length);
    } else if (is_named(name, "content-range")) {
        take_range(a, v);
    } else if (is_named(name, "link")) {
        take_link(a, v);
    } else if (is_named(name, "retry-after")) {
        a->retry_after = retry_after_seconds(v, now);
    }
}

void web_answer_release(struct web_answer *a)
{
    struct buf *const all[] = {&a->etag,   &a->modified,    &a->location,    &a->next,
                               &a->region, &a->linked_etag, &a->linked_size, &a->commit};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        buf_release(all[i]);
    }
    *a = (struct web_answer){0};
}
