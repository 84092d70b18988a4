/* Any bytes as what storage answers or keeps beside it: the first byte chooses a list of S3, a
 * tree of a hub, a file of profiles, the lines of an answer's head, or an address.  What holds:
 * names are never empty and hold no NUL; a list that has more names the page it goes on with; what
 * is decoded and encoded again decodes to the same. */
#include "base/json.h"
#include "storage/address.h"
#include "storage/listing.h"
#include "storage/settings.h"
#include "storage/web.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_names(const struct listing *l)
{
    for (size_t i = 0; i < l->count; i++) {
        assert(l->items[i].name[0] && l->items[i].etag);
    }
}

static void read_lists(struct str text, bool hub)
{
    struct arena keep;
    struct buf next = {0};
    struct winnow_error err;
    arena_init(&keep, 4096);
    struct listing l = {.keep = &keep};
    struct json_parser *parser = json_parser_new();
    winnow_status st =
        hub ? listing_read_hf(&l, parser, text, &err) : listing_read_s3(&l, text, &next, &err);
    assert(st == WINNOW_OK || st == WINNOW_E_FORMAT);
    check_names(&l);
    json_parser_free(parser);
    listing_release(&l);
    buf_release(&next);
    arena_release(&keep);
}

static void meet(void *ctx, struct str key, struct str value)
{
    size_t *sum = ctx;
    for (size_t i = 0; i < key.len; i++) {
        *sum += (unsigned char)key.ptr[i];
    }
    for (size_t i = 0; i < value.len; i++) {
        *sum += (unsigned char)value.ptr[i];
    }
}

static void read_head(struct str text)
{
    struct web_answer a = {.retry_after = -1};
    struct str line;
    while (str_next_line(&text, &line)) {
        web_take_header(&a, line, 1.7e9);
    }
    assert(!a.has_length || a.length < (uint64_t)1 << 60);
    web_answer_release(&a);
}

static void read_address(struct str text)
{
    struct buf path = {0}, once = {0}, code = {0}, twice = {0};
    struct winnow_error err;
    struct s3_address s3;
    struct hf_address hf;
    buf_add_str(&path, text);
    const char *address = buf_cstr(&path);
    switch (address_kind_of(address)) {
    case ADDRESS_S3:
        assert(s3_address_read(address, &s3, &err) != WINNOW_OK || s3.bucket.len > 0);
        break;
    case ADDRESS_HF:
        assert(hf_address_read(address, &hf, &err) != WINNOW_OK || hf.repo.len > 2);
        break;
    case ADDRESS_WEB:
        assert(web_address_check(address, &err) != WINNOW_OK || path.len > 7);
        break;
    case ADDRESS_FILE:
        break;
    }
    address_decode(text, true, &once);
    address_encode(buf_str(&once), false, &code);
    address_decode(buf_str(&code), true, &twice);
    assert(str_eq(buf_str(&once), buf_str(&twice)));
    buf_release(&path);
    buf_release(&once);
    buf_release(&code);
    buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    size_t sum = 0;
    struct str text = {(const char *)data + 1, size - 1};
    switch (data[0]) {
    case '<':
        read_lists((struct str){(const char *)data, size}, false);
        break;
    case '[':
        read_lists((struct str){(const char *)data, size}, true);
        break;
    case '#':
        (void)storage_profile_read(text, "default", meet, &sum);
        break;
    case 'H':
        read_head(text);
        break;
    default:
        read_address((struct str){(const char *)data, size});
        break;
    }
    return 0;
}
