/* sigv4.c -- canonical request, string to sign, signature, each as AWS's description of
 * Signature Version 4 has it.  Paths are signed as they are sent (as S3 wants it: encoded
 * once); SHA-256 and HMAC are libcrypto's. */
#include "storage/sigv4.h"

#include "base/sort.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define DIGEST 32U

static void hex(const unsigned char bytes[DIGEST], char out[65])
{
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST; i++) {
        out[2 * i] = DIGITS[bytes[i] >> 4];
        out[2 * i + 1] = DIGITS[bytes[i] & 15U];
    }
    out[64] = '\0';
}

void sigv4_sha256(struct str bytes, char out[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    int done =
        EVP_Digest(bytes.len > 0 ? bytes.ptr : "", bytes.len, digest, &n, EVP_sha256(), NULL);
    assert(done == 1 && n == DIGEST);
    (void)done;
    hex(digest, out);
}

static void hmac(const void *key, size_t key_len, struct str text, unsigned char out[DIGEST])
{
    unsigned n = 0;
    unsigned char digest[EVP_MAX_MD_SIZE];
    const unsigned char *done = HMAC(EVP_sha256(), key, (int)key_len,
                                     (const unsigned char *)text.ptr, text.len, digest, &n);
    assert(done && n == DIGEST);
    (void)done;
    memcpy(out, digest, DIGEST);
}

void sigv4_date(time_t when, char out[17])
{
    struct tm t;
    (void)gmtime_r(&when, &t);
    (void)strftime(out, 17, "%Y%m%dT%H%M%SZ", &t);
}

static int compare_parameters(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* By name, then by value: "=" sorts behind "%" and "-", so the two are compared apart. */
static int compare_pairs(const void *a, const void *b)
{
    struct str x[2] = {*(const struct str *)a, *(const struct str *)b}, name[2];
    for (int i = 0; i < 2; i++) {
        size_t at = str_find(x[i], STR_LIT("="));
        name[i] = at == SIZE_MAX ? x[i] : str_sub(x[i], 0, at);
    }
    int order = str_cmp(name[0], name[1]);
    return order != 0 ? order : compare_parameters(a, b);
}

static void add_query(struct buf *out, struct str query)
{
    struct str items[64];
    size_t count = 0;
    while (query.len > 0 && count < sizeof items / sizeof *items) {
        size_t at = str_find(query, STR_LIT("&"));
        size_t end = at == SIZE_MAX ? query.len : at;
        items[count++] = str_sub(query, 0, end);
        query = str_sub(query, end + (at != SIZE_MAX), query.len);
    }
    assert(query.len == 0); /* our own requests have few */
    sort(items, count, sizeof *items, compare_pairs);
    for (size_t i = 0; i < count; i++) {
        buf_add_text(out, i > 0 ? "&" : "");
        buf_add_str(out, items[i]);
        buf_add_text(out, str_find(items[i], STR_LIT("=")) == SIZE_MAX ? "=" : "");
    }
}

static int compare_headers(const void *a, const void *b)
{
    return strcmp(((const struct sigv4_header *)a)->name, ((const struct sigv4_header *)b)->name);
}

/* The canonical request; names: those of the headers, joined by ';'. */
static void add_request(const struct sigv4_request *r, struct buf *out, struct buf *names)
{
    struct sigv4_header headers[16];
    assert(r->header_count <= sizeof headers / sizeof *headers);
    memcpy(headers, r->headers, r->header_count * sizeof *headers);
    sort(headers, r->header_count, sizeof *headers, compare_headers);
    buf_addf(out, "%s\n", r->method);
    buf_add_str(out, r->path.len > 0 ? r->path : STR_LIT("/"));
    buf_add_char(out, '\n');
    add_query(out, r->query);
    buf_add_char(out, '\n');
    for (size_t i = 0; i < r->header_count; i++) {
        buf_addf(out, "%s:%s\n", headers[i].name, headers[i].value);
        buf_addf(names, "%s%s", i > 0 ? ";" : "", headers[i].name);
    }
    buf_addf(out, "\n%s\n%s", buf_cstr(names), r->payload);
}

void sigv4_authorization(const struct sigv4_key *key, const struct sigv4_request *r,
                         struct buf *out)
{
    struct buf request = {0}, names = {0}, text = {0}, scope = {0};
    char date[17], digest[65];
    unsigned char signing[DIGEST];
    sigv4_date(key->when, date);
    buf_addf(&scope, "%.8s/%s/%s/aws4_request", date, key->region, key->service);
    add_request(r, &request, &names);
    sigv4_sha256(buf_str(&request), digest);
    buf_addf(&text, "AWS4%s", key->secret);
    hmac(text.ptr, text.len, (struct str){date, 8}, signing);
    hmac(signing, DIGEST, str_of(key->region), signing);
    hmac(signing, DIGEST, str_of(key->service), signing);
    hmac(signing, DIGEST, STR_LIT("aws4_request"), signing);
    buf_clear(&text);
    buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", date, buf_cstr(&scope), digest);
    hmac(signing, DIGEST, buf_str(&text), signing);
    hex(signing, digest);
    buf_addf(out, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", key->access,
             buf_cstr(&scope), buf_cstr(&names), digest);
    buf_release(&request);
    buf_release(&names);
    buf_release(&text);
    buf_release(&scope);
}
