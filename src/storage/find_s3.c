/* find_s3.c -- HeadObject for one, ListObjectsV2 for many.
 *
 * With an endpoint of the user's own, buckets are in paths, which every server that speaks S3
 * takes; Amazon's has them in the host, unless a bucket's dots would break its certificate. */
#include "storage/address.h"
#include "storage/find.h"

#define PAGE_MAX ((size_t)64 << 20) /* 1,000 keys take 3 MiB at most */

/* Everything up to the key. */
static void add_bucket(const struct storage_settings *set, struct str bucket, struct buf *url)
{
    if (set->endpoint.len > 0) {
        buf_addf(url, "%s/%.*s", set->endpoint.ptr, STR_ARG(bucket));
    } else if (str_find(bucket, STR_LIT(".")) != SIZE_MAX) {
        buf_addf(url, "https://s3.%s.amazonaws.com/%.*s", set->region.ptr, STR_ARG(bucket));
    } else {
        buf_addf(url, "https://%.*s.s3.%s.amazonaws.com", STR_ARG(bucket), set->region.ptr);
    }
}

static void add_key(struct str key, struct buf *url)
{
    buf_add_char(url, '/');
    address_encode(key, true, url);
}

/* Behind the last '/' of text. */
static size_t base_of(struct str text)
{
    size_t at = text.len;
    while (at > 0 && text.ptr[at - 1] != '/') {
        at--;
    }
    return at;
}

/* An answer to HEAD has no body to say why: GET is asked for that. */
static winnow_status refuse(struct finding *f, const char *url, struct winnow_error *err)
{
    const struct ask a = {
        .method = "GET", .url = url, .shown = f->shown, .range = true, .s3 = true};
    TRY(ask_send(f->w, f->s, &a, err));
    return ask_refuse(f->w, f->s, &a, err);
}

winnow_status s3_look(struct finding *f, bool *found, struct winnow_error *err)
{
    struct s3_address at;
    struct buf url = {0};
    *found = false;
    TRY(s3_address_read(f->address, &at, err));
    if (at.key.len == 0 || at.key.ptr[at.key.len - 1] == '/') {
        return WINNOW_OK;
    }
    add_bucket(&f->s->settings, at.bucket, &url);
    add_key(at.key, &url);
    const struct ask a = {.method = "HEAD", .url = buf_cstr(&url), .shown = f->shown, .s3 = true};
    winnow_status st = ask_send(f->w, f->s, &a, err);
    if (st == WINNOW_OK && web_answer(f->w)->status == 200) {
        const struct web_answer *answer = web_answer(f->w);
        struct buf etag = {0}, modified = {0};
        buf_add_str(&etag, buf_str(&answer->etag));
        buf_add_str(&modified, buf_str(&answer->modified));
        const struct storage_object o = {.address = f->address,
                                         .below = at.key.ptr + base_of(at.key),
                                         .url = buf_cstr(&url),
                                         .bytes = answer->length,
                                         .sized = answer->has_length,
                                         .etag = buf_cstr(&etag),
                                         .modified = buf_cstr(&modified)};
        finding_add(f, &o);
        buf_release(&etag);
        buf_release(&modified);
        *found = true;
    } else if (st == WINNOW_OK && web_answer(f->w)->status != 404) {
        st = refuse(f, a.url, err);
    }
    buf_release(&url);
    return st;
}

static void add_listed(struct finding *f, const struct s3_address *at, const struct listing *l,
                       size_t root)
{
    struct buf url = {0}, address = {0};
    for (size_t i = 0; i < l->count; i++) {
        const struct listed *one = &l->items[i];
        struct str key = str_of(one->name);
        if (key.ptr[key.len - 1] == '/' || key.len < root) {
            continue;
        }
        buf_clear(&url);
        buf_clear(&address);
        add_bucket(&f->s->settings, at->bucket, &url);
        add_key(key, &url);
        buf_addf(&address, "s3://%.*s/%s", STR_ARG(at->bucket), one->name);
        const struct storage_object o = {.address = buf_cstr(&address),
                                         .below = one->name + root,
                                         .url = buf_cstr(&url),
                                         .bytes = one->bytes,
                                         .sized = true,
                                         .etag = one->etag,
                                         .modified = ""};
        finding_add(f, &o);
    }
    buf_release(&url);
    buf_release(&address);
}

static winnow_status list_pages(struct finding *f, const struct s3_address *at, struct str prefix,
                                struct listing *l, struct winnow_error *err)
{
    struct buf url = {0}, body = {0}, next = {0};
    struct pages pages = {0};
    winnow_status st = WINNOW_OK;
    do {
        buf_clear(&url);
        add_bucket(&f->s->settings, at->bucket, &url);
        buf_addf(&url, "%s?list-type=2&encoding-type=url&prefix=",
                 f->s->settings.endpoint.len > 0 ? "" : "/");
        address_encode(prefix, false, &url);
        if (next.len > 0) {
            buf_add_text(&url, "&continuation-token=");
            address_encode(buf_str(&next), false, &url);
        }
        const struct ask a = {
            .method = "GET", .url = buf_cstr(&url), .shown = f->shown, .s3 = true};
        st = ask_whole(f->w, f->s, &a, PAGE_MAX, &body, err);
        if (st == WINNOW_OK && listing_read_s3(l, buf_str(&body), &next, err) != WINNOW_OK) {
            struct winnow_error why = *err;
            st = error_set(err, WINNOW_E_IO,
                           "%s cannot be listed: %.300s; is this server's "
                           "address that of S3?",
                           f->shown, why.text);
        }
        st = st == WINNOW_OK ? pages_turn(&pages, f, l, buf_str(&next), err) : st;
    } while (st == WINNOW_OK && next.len > 0);
    buf_release(&pages.last);
    buf_release(&url);
    buf_release(&body);
    buf_release(&next);
    return st;
}

winnow_status s3_list(struct finding *f, size_t up_to, struct winnow_error *err)
{
    struct s3_address at;
    struct listing l = {.keep = f->keep};
    TRY(s3_address_read(f->address, &at, err));
    size_t len = up_to - (size_t)(at.key.ptr - f->address);
    struct str prefix = str_sub(at.key, 0, len < at.key.len ? len : at.key.len);
    winnow_status st = list_pages(f, &at, prefix, &l, err);
    if (st == WINNOW_OK) {
        add_listed(f, &at, &l, base_of(prefix));
    }
    listing_release(&l);
    return st;
}
