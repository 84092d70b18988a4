/* listing.c -- see listing.h; XML is read by expat.  Entities cannot be declared in what is
 * read: a listing has no use for a document type, and one that has any is refused. */
#include "storage/listing.h"

#include "base/grow.h"
#include "base/mem.h"
#include "storage/address.h"

#include <expat.h>

#define DEPTH_MAX 16U
#define TEXT_MAX  ((size_t)16 << 10) /* keys have 1,024 bytes, encoded three times that */

void listing_release(struct listing *l)
{
    mem_free(l->items);
    l->items = NULL;
    l->count = l->cap = 0;
}

void listing_add(struct listing *l, const struct listed *item)
{
    GROW(l->items, l->count, l->cap, 256);
    l->items[l->count++] = *item;
    l->bytes += sizeof *item + strlen(item->name) + strlen(item->etag);
}

/* Which text is being read. */
enum field { FIELD_NONE, FIELD_KEY, FIELD_SIZE, FIELD_ETAG, FIELD_NEXT, FIELD_MORE };

struct reading {
    struct listing *l;
    XML_Parser parser;
    enum field field;
    unsigned depth;
    bool in_contents, bad, root, more, encoded;
    const char *why;
    struct buf text, *next;
    struct listed item;
    bool has_key, has_size;
};

static void stop(struct reading *r, const char *why)
{
    r->bad = true;
    r->why = why;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static enum field field_of(const struct reading *r, const char *name)
{
    static const struct {
        const char *name;
        enum field field;
        bool contents;
    } FIELDS[] = {{"Key", FIELD_KEY, true},
                  {"Size", FIELD_SIZE, true},
                  {"ETag", FIELD_ETAG, true},
                  {"NextContinuationToken", FIELD_NEXT, false},
                  {"IsTruncated", FIELD_MORE, false}};
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++) {
        if (strcmp(name, FIELDS[i].name) == 0 && FIELDS[i].contents == r->in_contents &&
            r->depth == (r->in_contents ? 3U : 2U)) {
            return FIELDS[i].field;
        }
    }
    return FIELD_NONE;
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *r = ctx;
    (void)attributes;
    r->depth++;
    if (r->depth > DEPTH_MAX) {
        stop(r, "is nested too deeply");
    } else if (r->depth == 1) {
        r->root = strcmp(name, "ListBucketResult") == 0;
    } else if (r->depth == 2 && strcmp(name, "Contents") == 0) {
        r->in_contents = true;
        r->item = (struct listed){.name = "", .etag = ""};
        r->has_key = r->has_size = false;
    }
    r->field = field_of(r, name);
    buf_clear(&r->text);
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int len)
{
    struct reading *r = ctx;
    if (r->field == FIELD_NONE) {
        return;
    }
    if (r->text.len + (size_t)len > TEXT_MAX) {
        stop(r, "has a name that is too long");
        return;
    }
    buf_add(&r->text, text, (size_t)len);
}

static void take_size(struct reading *r)
{
    r->has_size = r->text.len > 0 && r->text.len < 19;
    for (size_t i = 0; i < r->text.len && r->has_size; i++) {
        char c = r->text.ptr[i];
        r->has_size = c >= '0' && c <= '9';
        r->item.bytes = r->item.bytes * 10 + (uint64_t)(c - '0');
    }
}

static const char *keep(struct reading *r)
{
    return arena_strndup(r->l->keep, buf_cstr(&r->text), r->text.len);
}

static void take_key(struct reading *r)
{
    struct buf key = {0};
    address_decode(buf_str(&r->text), true, &key);
    r->has_key = key.len > 0 && memchr(key.ptr, '\0', key.len) == NULL;
    r->item.name = r->has_key ? arena_strndup(r->l->keep, key.ptr, key.len) : "";
    buf_release(&key);
}

static void take_field(struct reading *r)
{
    switch (r->field) {
    case FIELD_KEY:
        take_key(r);
        break;
    case FIELD_SIZE:
        take_size(r);
        break;
    case FIELD_ETAG:
        r->item.etag = keep(r);
        break;
    case FIELD_NEXT:
        buf_clear(r->next);
        buf_add_str(r->next, buf_str(&r->text));
        break;
    case FIELD_MORE:
        r->more = str_is(buf_str(&r->text), "true");
        break;
    case FIELD_NONE:
        break;
    }
    r->field = FIELD_NONE;
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
    struct reading *r = ctx;
    (void)name;
    take_field(r);
    if (r->depth == 2 && r->in_contents) {
        r->in_contents = false;
        if (!r->has_key || !r->has_size) {
            stop(r, "has an entry without key or size");
            return;
        }
        listing_add(r->l, &r->item);
    }
    r->depth--;
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    stop(ctx, "has a document type");
}

winnow_status listing_read_s3(struct listing *l, struct str xml, struct buf *next,
                              struct winnow_error *err)
{
    struct reading r = {.l = l, .next = next, .parser = XML_ParserCreate(NULL)};
    buf_clear(next);
    if (!r.parser || xml.len > INT32_MAX) {
        XML_ParserFree(r.parser);
        return error_set(err, WINNOW_E_NOMEM, "no memory to read a listing of %zu bytes", xml.len);
    }
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    bool good =
        XML_Parse(r.parser, xml.len > 0 ? xml.ptr : "", (int)xml.len, XML_TRUE) == XML_STATUS_OK;
    XML_ParserFree(r.parser);
    winnow_status st = WINNOW_OK;
    if (!good || r.bad || !r.root) {
        st = error_set(err, WINNOW_E_FORMAT, "the listing %s",
                       r.bad   ? r.why
                       : !good ? "is no XML"
                               : "is not one of ListObjectsV2");
    } else if (r.more && next->len == 0) {
        st =
            error_set(err, WINNOW_E_FORMAT, "the listing breaks off without a token to go on with");
    }
    if (!r.more) {
        buf_clear(next);
    }
    buf_release(&r.text);
    return st;
}

/* ---- the hub's ---- */

static bool is_path(struct str s)
{
    return s.len > 0 && s.len < 4096 && memchr(s.ptr, '\0', s.len) == NULL && s.ptr[0] != '/';
}

winnow_status listing_read_hf(struct listing *l, struct json_parser *parser, struct str json,
                              struct winnow_error *err)
{
    struct json_value root = {0};
    if (json_parse(parser, json, &root, err) != WINNOW_OK || json_kind(root) != JSON_ARRAY) {
        return error_set(err, WINNOW_E_FORMAT, "the listing is no JSON array");
    }
    struct json_iter it = json_walk(root);
    while (json_next(&it)) {
        struct str type, path, oid = STR_LIT(""), large;
        uint64_t bytes = 0;
        if (!json_as_str(json_get(it.value, "type"), &type) ||
            !json_as_str(json_get(it.value, "path"), &path) || !is_path(path)) {
            return error_set(err, WINNOW_E_FORMAT, "the listing has an entry without type or path");
        }
        if (!str_is(type, "file")) {
            continue;
        }
        if (!json_as_u64(json_get(it.value, "size"), &bytes)) {
            return error_set(err, WINNOW_E_FORMAT, "the listing has a file without its size");
        }
        (void)json_as_str(json_get(it.value, "oid"), &oid);
        if (json_as_str(json_get(json_get(it.value, "lfs"), "oid"), &large)) {
            oid = large;
        }
        const struct listed one = {.name = arena_strndup(l->keep, path.ptr, path.len),
                                   .bytes = bytes,
                                   .etag = arena_strndup(l->keep, oid.ptr, oid.len)};
        listing_add(l, &one);
    }
    return WINNOW_OK;
}
