/* find_hf.c -- the tree of a data set on a Hugging Face hub, at one commit.
 *
 * A revision is a branch that moves, so it is asked for its commit first; all that is read
 * is read at that one. */
#include "storage/address.h"
#include "storage/find.h"

#include <inttypes.h>

#define PAGE_MAX  ((size_t)64 << 20)
#define SHA_BYTES 40U

static bool is_sha(struct str s)
{
    bool is = s.len == SHA_BYTES;
    for (size_t i = 0; is && i < s.len; i++) {
        is = (s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f');
    }
    return is;
}

/* The commit of the revision. */
static winnow_status find_commit(struct finding *f, const struct hf_address *at, struct buf *sha,
                                 struct winnow_error *err)
{
    struct str revision = at->revision.len > 0 ? at->revision : STR_LIT("main"), is = STR_LIT("");
    if (is_sha(revision)) {
        buf_add_str(sha, revision);
        return WINNOW_OK;
    }
    struct buf url = {0}, body = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    buf_addf(&url, "%s/api/datasets/%.*s/revision/%.*s", f->s->settings.hf_endpoint.ptr,
             STR_ARG(at->repo), STR_ARG(revision));
    const struct ask a = {.method = "GET", .url = buf_cstr(&url), .shown = f->shown};
    winnow_status st = ask_whole(f->w, f->s, &a, PAGE_MAX, &body, err);
    if (st == WINNOW_OK && (json_parse(parser, buf_str(&body), &root, err) != WINNOW_OK ||
                            !json_as_str(json_get(root, "sha"), &is) || !is_sha(is))) {
        st = error_set(err, WINNOW_E_IO,
                       "%s: the hub does not say which commit that is; is HF_ENDPOINT a hub?",
                       f->shown);
    }
    if (st == WINNOW_OK) {
        buf_add_str(sha, is);
    }
    json_parser_free(parser);
    buf_release(&url);
    buf_release(&body);
    return st;
}

static void add_file_url(const struct finding *f, const struct hf_address *at, struct str sha,
                         struct str path, struct buf *url)
{
    buf_addf(url, "%s/datasets/%.*s/resolve/%.*s/", f->s->settings.hf_endpoint.ptr,
             STR_ARG(at->repo), STR_ARG(sha));
    address_encode(path, true, url);
}

/* The hash that stands in an ETag. */
static void add_hash(struct str etag, struct buf *out)
{
    etag = str_starts(etag, STR_LIT("W/")) ? str_sub(etag, 2, etag.len) : etag;
    bool quoted = etag.len >= 2 && etag.ptr[0] == '"' && etag.ptr[etag.len - 1] == '"';
    buf_add_str(out, quoted ? str_sub(etag, 1, etag.len - 1) : etag);
}

static void add_looked(struct finding *f, struct str path, const char *url)
{
    const struct web_answer *answer = web_answer(f->w);
    struct buf hash = {0};
    uint64_t size = 0;
    bool linked = answer->linked_size.len > 0;
    bool sized = linked ? web_number(buf_str(&answer->linked_size), &size) : answer->has_length;
    add_hash(buf_str(answer->linked_etag.len > 0 ? &answer->linked_etag : &answer->etag), &hash);
    size_t base = path.len;
    while (base > 0 && path.ptr[base - 1] != '/') {
        base--;
    }
    const struct storage_object o = {.address = f->address,
                                     .below = path.ptr + base,
                                     .url = url,
                                     .bytes = linked ? size : answer->length,
                                     .sized = sized,
                                     .etag = buf_cstr(&hash),
                                     .modified = "",
                                     .redirected = true};
    finding_add(f, &o);
    buf_release(&hash);
}

winnow_status hf_look(struct finding *f, bool *found, struct winnow_error *err)
{
    struct hf_address at;
    struct buf sha = {0}, url = {0};
    *found = false;
    TRY(hf_address_read(f->address, &at, err));
    if (at.path.len == 0 || at.path.ptr[at.path.len - 1] == '/') {
        return WINNOW_OK;
    }
    winnow_status st = find_commit(f, &at, &sha, err);
    add_file_url(f, &at, buf_str(&sha), at.path, &url);
    const struct ask a = {
        .method = "HEAD", .url = buf_cstr(&url), .shown = f->shown, .linked = true};
    st = st == WINNOW_OK ? ask_send(f->w, f->s, &a, err) : st;
    int status = st == WINNOW_OK ? web_answer(f->w)->status : 0;
    *found =
        status == 200 || (status >= 300 && status < 400 && web_answer(f->w)->linked_size.len > 0);
    if (*found) {
        add_looked(f, at.path, buf_cstr(&url));
    } else if (st == WINNOW_OK && status != 404) {
        st = ask_refuse(f->w, f->s, &a, err);
    }
    buf_release(&sha);
    buf_release(&url);
    return st;
}

/* The folder is what lies before the last '/' of prefix. */
static winnow_status list_pages(struct finding *f, const struct hf_address *at, struct str sha,
                                struct str folder, struct listing *l, struct winnow_error *err)
{
    struct buf url = {0}, body = {0};
    struct json_parser *parser = json_parser_new();
    buf_addf(&url, "%s/api/datasets/%.*s/tree/%.*s", f->s->settings.hf_endpoint.ptr,
             STR_ARG(at->repo), STR_ARG(sha));
    if (folder.len > 0) {
        buf_add_char(&url, '/');
        address_encode(folder, true, &url);
    }
    buf_add_text(&url, "?recursive=true&expand=false");
    struct pages pages = {0};
    buf_add_str(&pages.last, buf_str(&url));
    winnow_status st = WINNOW_OK;
    while (st == WINNOW_OK && url.len > 0) {
        const struct ask a = {.method = "GET", .url = buf_cstr(&url), .shown = f->shown};
        st = ask_whole(f->w, f->s, &a, PAGE_MAX, &body, err);
        if (st == WINNOW_OK && listing_read_hf(l, parser, buf_str(&body), err) != WINNOW_OK) {
            struct winnow_error why = *err;
            st = error_set(err, WINNOW_E_IO, "%s cannot be listed: %.300s; is HF_ENDPOINT a hub?",
                           f->shown, why.text);
        }
        const struct web_answer *answer = web_answer(f->w);
        buf_clear(&url);
        buf_add_str(&url, buf_str(&answer->next));
        if (st == WINNOW_OK && url.len > 0 && !ask_is_of_hub(f->s, buf_cstr(&url))) {
            st = error_set(err, WINNOW_E_IO,
                           "%s: the hub's list goes on at another server; set "
                           "HF_ENDPOINT to that one",
                           f->shown);
        }
        st = st == WINNOW_OK ? pages_turn(&pages, f, l, buf_str(&url), err) : st;
    }
    buf_release(&pages.last);
    json_parser_free(parser);
    buf_release(&url);
    buf_release(&body);
    return st;
}

static void add_listed(struct finding *f, const struct hf_address *at, struct str sha,
                       const struct listing *l, struct str prefix)
{
    struct buf url = {0}, address = {0};
    size_t root = prefix.len;
    while (root > 0 && prefix.ptr[root - 1] != '/') {
        root--;
    }
    for (size_t i = 0; i < l->count; i++) {
        const struct listed *one = &l->items[i];
        if (!str_starts(str_of(one->name), prefix)) {
            continue;
        }
        buf_clear(&url);
        buf_clear(&address);
        add_file_url(f, at, sha, str_of(one->name), &url);
        buf_add(&address, f->address, (size_t)(at->path.ptr - f->address));
        buf_add_text(&address, one->name);
        const struct storage_object o = {.address = buf_cstr(&address),
                                         .below = one->name + root,
                                         .url = buf_cstr(&url),
                                         .bytes = one->bytes,
                                         .sized = true,
                                         .etag = one->etag,
                                         .modified = "",
                                         .redirected = true};
        finding_add(f, &o);
    }
    buf_release(&url);
    buf_release(&address);
}

winnow_status hf_list(struct finding *f, size_t up_to, struct winnow_error *err)
{
    struct hf_address at;
    struct buf sha = {0};
    struct listing l = {.keep = f->keep};
    TRY(hf_address_read(f->address, &at, err));
    size_t len = up_to - (size_t)(at.path.ptr - f->address);
    struct str prefix = str_sub(at.path, 0, len < at.path.len ? len : at.path.len);
    struct str folder = prefix;
    while (folder.len > 0 && folder.ptr[folder.len - 1] != '/') {
        folder.len--;
    }
    folder.len -= folder.len > 0;
    winnow_status st = find_commit(f, &at, &sha, err);
    st = st == WINNOW_OK ? list_pages(f, &at, buf_str(&sha), folder, &l, err) : st;
    if (st == WINNOW_OK) {
        add_listed(f, &at, buf_str(&sha), &l, prefix);
    }
    listing_release(&l);
    buf_release(&sha);
    return st;
}
