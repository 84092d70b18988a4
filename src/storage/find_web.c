/* find_web.c -- one file of the web: its first byte is asked for, since many servers and all
 * signed addresses answer GET only. */
#include "base/file.h"
#include "base/url.h"
#include "storage/address.h"
#include "storage/find.h"

/* What it is called: the last part of the path, decoded unless that would make two of it. */
static winnow_status name_of(const struct finding *f, struct buf *name, struct winnow_error *err)
{
    struct url_parts p;
    url_split(str_of(f->address), &p);
    size_t at = p.path.len;
    while (at > 0 && p.path.ptr[at - 1] != '/') {
        at--;
    }
    struct str last = str_sub(p.path, at, p.path.len);
    address_decode(last, false, name);
    if (memchr(name->ptr ? name->ptr : "", '/', name->len) ||
        memchr(name->ptr ? name->ptr : "", '\0', name->len)) {
        buf_clear(name);
        buf_add_str(name, last);
    }
    if (last.len == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s names no file, and the web has no lists of files: name each, or give "
                         "a list with --files-from",
                         f->shown);
    }
    return WINNOW_OK;
}

/* '?' begins a query. */
static bool has_pattern(const char *address)
{
    struct url_parts p;
    url_split(str_of(address), &p);
    return str_find(p.path, STR_LIT("*")) != SIZE_MAX || str_find(p.path, STR_LIT("[")) != SIZE_MAX;
}

static void add_found(struct finding *f, const char *name)
{
    const struct web_answer *a = web_answer(f->w);
    struct buf etag = {0}, modified = {0};
    buf_add_str(&etag, buf_str(&a->etag));
    buf_add_str(&modified, buf_str(&a->modified));
    bool part = a->status != 200;
    const struct storage_object o = {.address = f->shown,
                                     .below = name,
                                     .url = f->address,
                                     .bytes = part ? a->total : a->length,
                                     .sized = part ? a->has_range && a->total != UINT64_MAX
                                                   : a->has_length,
                                     .etag = buf_cstr(&etag),
                                     .modified = buf_cstr(&modified)};
    finding_add(f, &o);
    buf_release(&etag);
    buf_release(&modified);
}

winnow_status web_look(struct finding *f, struct winnow_error *err)
{
    struct buf name = {0};
    TRY(web_address_check(f->address, err));
    winnow_status st = name_of(f, &name, err);
    const struct ask a = {
        .method = "GET", .url = f->address, .shown = f->shown, .range = true, .from = 0, .to = 0};
    st = st == WINNOW_OK ? ask_send(f->w, f->s, &a, err) : st;
    if (st == WINNOW_OK) {
        int status = web_answer(f->w)->status;
        bool empty = status == 416 && web_answer(f->w)->has_range;
        if (status == 200 || status == 206 || empty) {
            add_found(f, buf_cstr(&name));
        } else if (status == 404 && has_pattern(f->address)) {
            st = error_set(err, WINNOW_E_IO,
                           "%s is not there (status 404), and the web has no lists of files that "
                           "a pattern could be looked up in: name each, or give a list with "
                           "--files-from",
                           f->shown);
        } else {
            st = ask_refuse(f->w, f->s, &a, err);
        }
    }
    buf_release(&name);
    return st;
}
