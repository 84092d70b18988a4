/* What storage reads and writes before a byte is on the wire: signatures against the
 * examples that AWS publishes, addresses, lists, profiles, heads of answers. */
#include "check.h"
#include "storage/address.h"
#include "storage/listing.h"
#include "storage/settings.h"
#include "storage/sigv4.h"
#include "storage/web.h"

#include <stdlib.h>

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct vector {
    const char *access, *secret, *service;
    time_t when;
    struct sigv4_request request;
    struct sigv4_header headers[6];
    const char *want;
};

/* "Authenticating Requests (AWS Signature Version 4), examples" of S3's reference, and two of
 * the aws-sig-v4-test-suite. */
static const struct vector VECTORS[] = {
    {"AKIAIOSFODNN7EXAMPLE",
     "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
     "s3",
     1369353600, /* 20130524T000000Z */
     {"GET", {"/test.txt", 9}, {"", 0}, NULL, 4, EMPTY},
     {{"host", "examplebucket.s3.amazonaws.com"},
      {"range", "bytes=0-9"},
      {"x-amz-content-sha256", EMPTY},
      {"x-amz-date", "20130524T000000Z"}},
     "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
     "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
     "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"AKIAIOSFODNN7EXAMPLE",
     "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
     "s3",
     1369353600,
     {"GET", {"/", 1}, {"lifecycle", 9}, NULL, 3, EMPTY},
     {{"x-amz-date", "20130524T000000Z"},
      {"x-amz-content-sha256", EMPTY},
      {"host", "examplebucket.s3.amazonaws.com"}},
     "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
     "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
     "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"AKIAIOSFODNN7EXAMPLE",
     "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
     "s3",
     1369353600,
     {"GET", {"/", 1}, {"prefix=J&max-keys=2", 19}, NULL, 3, EMPTY},
     {{"host", "examplebucket.s3.amazonaws.com"},
      {"x-amz-content-sha256", EMPTY},
      {"x-amz-date", "20130524T000000Z"}},
     "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
     "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
     "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    {"AKIDEXAMPLE",
     "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
     "service",
     1440938160, /* 20150830T123600Z */
     {"GET", {"/", 1}, {"", 0}, NULL, 2, EMPTY},
     {{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}},
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
     "SignedHeaders=host;x-amz-date, "
     "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"AKIDEXAMPLE",
     "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
     "service",
     1440938160,
     {"GET", {"/", 1}, {"Param2=value2&Param1=value1", 27}, NULL, 2, EMPTY},
     {{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}},
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
     "SignedHeaders=host;x-amz-date, "
     "Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
};

static void signatures_are_those_that_are_published(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof VECTORS / sizeof *VECTORS; i++) {
        const struct vector *v = &VECTORS[i];
        struct sigv4_request r = v->request;
        const struct sigv4_key key = {v->access, v->secret, "us-east-1", v->service, v->when};
        struct buf out = {0};
        char date[17], hash[65];
        r.headers = v->headers;
        sigv4_authorization(&key, &r, &out);
        assert_str(buf_str(&out), v->want);
        sigv4_date(v->when, date);
        assert_string_equal(date, i < 3 ? "20130524T000000Z" : "20150830T123600Z");
        sigv4_sha256(STR_LIT(""), hash);
        assert_string_equal(hash, EMPTY);
        buf_release(&out);
    }
}

static void addresses_are_taken_apart(void **state)
{
    (void)state;
    struct winnow_error err;
    struct s3_address s3;
    struct hf_address hf;
    assert_int_equal(address_kind_of("S3://b/k"), ADDRESS_S3);
    assert_int_equal(address_kind_of("s3:/b/k"), ADDRESS_FILE);
    assert_int_equal(address_kind_of("gs://b/k"), ADDRESS_FILE);
    assert_ok(s3_address_read("s3://buck.et/a//b", &s3, &err), err);
    assert_str(s3.bucket, "buck.et");
    assert_str(s3.key, "a//b");
    assert_ok(s3_address_read("s3://bucket", &s3, &err), err);
    assert_str(s3.key, "");
    assert_int_equal(s3_address_read("s3://b*t/x", &s3, &err), WINNOW_E_USAGE);
    assert_int_equal(s3_address_read("s3:///x", &s3, &err), WINNOW_E_USAGE);
    assert_ok(hf_address_read("hf://datasets/o/n@refs%2Fpr%2F1/a/b", &hf, &err), err);
    assert_str(hf.repo, "o/n");
    assert_str(hf.revision, "refs%2Fpr%2F1");
    assert_str(hf.path, "a/b");
    assert_ok(hf_address_read("hf://datasets/o/n", &hf, &err), err);
    assert_str(hf.path, "");
    static const char *const BAD[] = {"hf://o/n/x",          "hf://datasets/o",
                                      "hf://datasets/o/n@/", "hf://datasets/o/n@a b/x",
                                      "hf://datasets/o/..",  "hf://datasets//n"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        assert_int_equal(hf_address_read(BAD[i], &hf, &err), WINNOW_E_USAGE);
    }
    assert_int_equal(web_address_check("http://u:secret@h/x", &err), WINNOW_E_USAGE);
    assert_null(strstr(err.text, "secret"));
    assert_int_equal(web_address_check("http://h/a b", &err), WINNOW_E_USAGE);
}

static void keys_are_encoded_and_come_back(void **state)
{
    (void)state;
    struct buf all = {0}, code = {0}, back = {0};
    for (int c = 1; c < 256; c++) {
        buf_add_char(&all, (char)c);
    }
    address_encode(buf_str(&all), true, &code);
    address_decode(buf_str(&code), true, &back);
    assert_true(str_eq(buf_str(&back), buf_str(&all)));
    buf_clear(&code);
    address_encode(STR_LIT("a/b c+~"), false, &code);
    assert_str(buf_str(&code), "a%2Fb%20c%2B~");
    buf_clear(&back);
    address_decode(STR_LIT("%4x%zz%4"), true, &back);
    assert_str(buf_str(&back), "%4x%zz%4");
    buf_release(&all);
    buf_release(&code);
    buf_release(&back);
}

static void lists_of_s3_are_read_or_refused(void **state)
{
    (void)state;
    static const char GOOD[] =
        "<?xml version=\"1.0\"?><ListBucketResult "
        "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        "<Name>b</Name><IsTruncated>true</IsTruncated><NextContinuationToken>a+/=&amp;</"
        "NextContinuationToken><Contents><Key>a%2Fb+c%2B.jsonl</Key><Owner><Key>no</Key></Owner>"
        "<ETag>&quot;0f&quot;</ETag><Size>12</Size></Contents></ListBucketResult>";
    static const char *const BAD[] = {
        "",
        "{}",
        "<Error><Code>x</Code></Error>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a%00b</Key><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<!DOCTYPE x [<!ENTITY e \"eeee\">]><ListBucketResult/>",
        "<ListBucketResult><Contents>",
    };
    struct arena keep;
    struct buf next = {0};
    struct winnow_error err;
    arena_init(&keep, 4096);
    struct listing l = {.keep = &keep};
    assert_ok(listing_read_s3(&l, STR_LIT(GOOD), &next, &err), err);
    assert_int_equal(l.count, 1);
    assert_string_equal(l.items[0].name, "a/b c+.jsonl");
    assert_string_equal(l.items[0].etag, "\"0f\"");
    assert_int_equal(l.items[0].bytes, 12);
    assert_str(buf_str(&next), "a+/=&");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        assert_int_equal(listing_read_s3(&l, str_of(BAD[i]), &next, &err), WINNOW_E_FORMAT);
    }
    listing_release(&l);
    buf_release(&next);
    arena_release(&keep);
}

static void lists_of_a_hub_are_read_or_refused(void **state)
{
    (void)state;
    static const char GOOD[] =
        "[{\"type\":\"directory\",\"oid\":\"1\",\"size\":0,\"path\":\"d\"},"
        "{\"type\":\"file\",\"oid\":\"aa\",\"size\":5,\"path\":\"d/x.jsonl\"},"
        "{\"type\":\"file\",\"oid\":\"bb\",\"size\":7,\"lfs\":{\"oid\":\"cc\"},\"path\":\"y."
        "parquet\"}]";
    static const char *const BAD[] = {"{}",
                                      "[{}]",
                                      "[{\"type\":\"file\",\"path\":\"/etc\",\"size\":1}]",
                                      "[{\"type\":\"file\",\"path\":\"x\"}]",
                                      "[",
                                      "[1]"};
    struct arena keep;
    struct winnow_error err;
    arena_init(&keep, 4096);
    struct listing l = {.keep = &keep};
    struct json_parser *parser = json_parser_new();
    assert_ok(listing_read_hf(&l, parser, STR_LIT(GOOD), &err), err);
    assert_int_equal(l.count, 2);
    assert_string_equal(l.items[0].etag, "aa");
    assert_string_equal(l.items[1].etag, "cc");
    assert_string_equal(l.items[1].name, "y.parquet");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        assert_int_equal(listing_read_hf(&l, parser, str_of(BAD[i]), &err), WINNOW_E_FORMAT);
    }
    json_parser_free(parser);
    listing_release(&l);
    arena_release(&keep);
}

static void note(void *ctx, struct str key, struct str value)
{
    buf_addf(ctx, "%.*s=%.*s;", STR_ARG(key), STR_ARG(value));
}

static void profiles_are_read_by_section(void **state)
{
    (void)state;
    static const char TEXT[] =
        "a = 0\n[ one ]\r\n# c\nkey = v=1 \r\n s3 =\n  inner = 2\n\n[two]\nkey=2\n"
        "[one]\nb=3\n[broken\nx=4\n";
    struct buf out = {0};
    assert_true(storage_profile_read(STR_LIT(TEXT), "one", note, &out));
    assert_str(buf_str(&out), "key=v=1;b=3;");
    assert_false(storage_profile_read(STR_LIT(TEXT), "three", note, &out));
    buf_clear(&out);
    assert_true(storage_profile_read(STR_LIT("\xEF\xBB\xBF[one]\nb=3"), "one", note, &out));
    assert_str(buf_str(&out), "b=3;");
    buf_release(&out);
}

static void heads_of_answers_are_read(void **state)
{
    (void)state;
    struct web_answer a = {.retry_after = -1};
    static const char *const LINES[] = {"ETag: \"x\"\r\n",
                                        "content-length:  12 \r\n",
                                        "Retry-After: 7\r\n",
                                        "Content-Range: bytes 5-9/1234\r\n",
                                        "LINK: <http://h/n?c=2>; rel=\"next\"\r\n",
                                        "junk\r\n"};
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        web_take_header(&a, str_of(LINES[i]), 0);
    }
    assert_str(buf_str(&a.etag), "\"x\"");
    assert_true(a.has_length && a.length == 12);
    assert_near(a.retry_after, 7, 0);
    assert_true(a.has_range && a.from == 5 && a.total == 1234);
    assert_str(buf_str(&a.next), "http://h/n?c=2");
    web_take_header(&a, STR_LIT("Content-Range: bytes */77"), 0);
    assert_true(a.has_range && a.from == 77 && a.total == 77);
    web_take_header(&a, STR_LIT("Content-Range: bytes 1-2/*"), 0);
    assert_true(a.has_range && a.from == 1 && a.total == UINT64_MAX);
    web_take_header(&a, STR_LIT("Content-Length: 99999999999999999999"), 0);
    assert_false(a.has_length);
    web_take_header(&a, STR_LIT("Content-Range: bytes 99999999999999999999-5/abc"), 0);
    assert_false(a.has_range);
    uint64_t size;
    assert_true(web_number(STR_LIT("999999999999999999"), &size) && size == 999999999999999999U);
    assert_false(web_number(STR_LIT("-1"), &size) || web_number(STR_LIT(""), &size));
    web_answer_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_those_that_are_published),
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(keys_are_encoded_and_come_back),
        cmocka_unit_test(lists_of_s3_are_read_or_refused),
        cmocka_unit_test(lists_of_a_hub_are_read_or_refused),
        cmocka_unit_test(profiles_are_read_by_section),
        cmocka_unit_test(heads_of_answers_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
