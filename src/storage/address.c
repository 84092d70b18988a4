/* address.c -- see address.h. */
#include "storage/address.h"

#include "base/url.h"

#include <strings.h>

enum address_kind address_kind_of(const char *path)
{
    static const struct {
        const char *scheme;
        enum address_kind kind;
    } KINDS[] = {{"s3://", ADDRESS_S3},
                 {"hf://", ADDRESS_HF},
                 {"http://", ADDRESS_WEB},
                 {"https://", ADDRESS_WEB}};
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strncasecmp(path, KINDS[i].scheme, strlen(KINDS[i].scheme)) == 0) {
            return KINDS[i].kind;
        }
    }
    return ADDRESS_FILE;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

static bool is_name(struct str s, size_t least, size_t most)
{
    bool good = s.len >= least && s.len <= most && s.ptr[0] != '.';
    for (size_t i = 0; good && i < s.len; i++) {
        good = is_name_byte(s.ptr[i]);
    }
    return good;
}

/* What stands before the next slash; rest begins behind it. */
static struct str take_part(struct str *rest)
{
    size_t slash = str_find(*rest, STR_LIT("/"));
    size_t end = slash == SIZE_MAX ? rest->len : slash;
    struct str part = str_sub(*rest, 0, end);
    *rest = str_sub(*rest, end + (slash != SIZE_MAX), rest->len);
    return part;
}

winnow_status s3_address_read(const char *text, struct s3_address *out, struct winnow_error *err)
{
    struct str rest = str_of(text + 5);
    out->bucket = take_part(&rest);
    out->key = rest;
    if (!is_name(out->bucket, 3, 255)) {
        return error_set(
            err, WINNOW_E_USAGE,
            "'%.300s' names no bucket: write s3://BUCKET/KEY, the bucket of at least 3 "
            "letters, digits, '.', '-' and '_'",
            text);
    }
    return WINNOW_OK;
}

winnow_status hf_address_read(const char *text, struct hf_address *out, struct winnow_error *err)
{
    struct str rest = str_of(text + 5);
    struct str kind = take_part(&rest);
    const char *start = rest.ptr;
    struct str owner = take_part(&rest), name = take_part(&rest);
    size_t at = str_find(name, STR_LIT("@"));
    out->revision = at == SIZE_MAX ? STR_LIT("") : str_sub(name, at + 1, name.len);
    name = at == SIZE_MAX ? name : str_sub(name, 0, at);
    out->path = rest;
    out->repo = (struct str){start, owner.len + 1 + name.len};
    bool revised = at == SIZE_MAX || out->revision.len > 0;
    for (size_t i = 0; i < out->revision.len; i++) {
        revised = revised && (is_name_byte(out->revision.ptr[i]) || out->revision.ptr[i] == '%');
    }
    if (!str_is(kind, "datasets") || !is_name(owner, 1, 96) || !is_name(name, 1, 96) || !revised) {
        return error_set(err, WINNOW_E_USAGE,
                         "'%.300s' names no data set: write hf://datasets/OWNER/NAME/PATH or "
                         "hf://datasets/OWNER/NAME@REVISION/PATH, with %%2F for a slash in the "
                         "revision",
                         text);
    }
    return WINNOW_OK;
}

winnow_status web_address_check(const char *text, struct winnow_error *err)
{
    struct url_parts p;
    url_split(str_of(text), &p);
    bool clean = p.host.len > 0 && strlen(text) <= 8192;
    for (const char *c = text; *c; c++) {
        clean = clean && (unsigned char)*c > 0x20 && (unsigned char)*c < 0x7F;
    }
    if (p.has_userinfo) {
        return error_set(err, WINNOW_E_USAGE,
                         "a name or password has no place in the address of a file of the web: "
                         "it would be written down with it");
    }
    if (!clean) {
        return error_set(err, WINNOW_E_USAGE,
                         "an address of the web has a host and no blanks or other odd characters: "
                         "write %%20 for a blank");
    }
    return WINNOW_OK;
}

void address_encode(struct str text, bool slashes, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (is_name_byte(c) || c == '~' || (slashes && c == '/')) {
            buf_add_char(out, c);
        } else {
            buf_addf(out, "%%%02X", (unsigned)(unsigned char)c);
        }
    }
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

void address_decode(struct str text, bool plus, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int high = c == '%' && i + 2 < text.len ? digit(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? digit(text.ptr[i + 2]) : -1;
        if (low >= 0) {
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        buf_add_char(out, c);
    }
}
