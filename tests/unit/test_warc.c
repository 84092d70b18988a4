#include "base/file.h"
#include "check.h"
#include "corpus/shard_writer.h"
#include "pages/http.h"
#include "pages/mime.h"
#include "pages/page_extract.h"
#include "pages/warc.h"
#include "scratch.h"

#include <brotli/encode.h>
#include <zlib.h>

static void add_record(struct buf *out, const char *type, const char *mime, const char *uri,
                       struct str block)
{
    buf_addf(out,
             "WARC/1.0\r\nWARC-Type: %s\r\nwarc-record-id: <urn:uuid:%zu>\r\n"
             "WARC-Target-URI: <%s>\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
             type, out->len, uri, mime, block.len);
    buf_add_str(out, block);
    buf_add_text(out, "\r\n\r\n");
}

/* Every record as "kind uri bytes|", b for bad with its reason. */
static struct buf seen;
static uint64_t first_end; /* where the first record ended */

static struct str read_warc(const char *path, uint64_t offset, size_t block_max)
{
    struct winnow_error err;
    struct warc_reader *r = NULL;
    struct warc_record record;
    bool more = true;
    buf_clear(&seen);
    assert_ok(warc_open(&r, path, NULL, offset, block_max, &err), err);
    for (;;) {
        assert_ok(warc_next(r, &record, &more, &err), err);
        if (!more) {
            break;
        }
        assert_true(record.offset >= offset && record.offset_end >= record.offset);
        first_end = seen.len == 0 ? record.offset_end : first_end;
        offset = record.offset_end;
        if (record.kind == WARC_BAD) {
            buf_addf(&seen, "bad %.*s|", STR_ARG(record.reason));
        } else {
            buf_addf(&seen, "%c %.*s %zu|", "rscob"[record.kind], STR_ARG(record.uri),
                     record.block.len);
        }
    }
    warc_close(r);
    return buf_str(&seen);
}

static void records_are_found_by_their_length(void **state)
{
    (void)state;
    struct scratch s;
    scratch_open(&s);
    struct buf file = {0};
    add_record(&file, "warcinfo", "x", "", STR_LIT("WARC/1.0\r\n\r\nnot a record"));
    size_t second = file.len;
    add_record(&file, "response", "application/http", "http://a/",
               STR_LIT("HTTP/1.1 200\r\n\r\nx"));
    add_record(&file, "request", "x", "http://a/", STR_LIT(""));
    add_record(&file, "resource", "text/plain", "metadata://log", STR_LIT("log"));
    add_record(&file, "conversion", "text/plain", "http://b/", STR_LIT("text"));
    for (size_t i = 0; i < 3; i++) {
        static const char *const NAMES[] = {"a.warc", "a.warc.gz", "a.warc.zst"};
        struct winnow_error err;
        struct shard_writer *w = NULL;
        struct shard_writer_options opt = SHARD_WRITER_OPTIONS_INIT;
        const char *path = scratch_path(&s, NAMES[i]);
        assert_ok(shard_writer_open(&w, path, &opt, &err), err);
        for (size_t at = 0; at < file.len; at += 100) { /* frames across records */
            size_t end = at + 100 < file.len ? at + 100 : file.len;
            assert_ok(shard_writer_add(w, str_sub(buf_str(&file), at, end), &err), err);
            assert_ok(shard_writer_flush(w, NULL, &err), err);
        }
        assert_ok(shard_writer_commit(w, &err), err);
        shard_writer_close(w);
        struct str got = read_warc(path, 0, 1000);
        /* Records that are passed over lose their address; their kind counts. */
        assert_str(got, "o  0|r http://a/ 17|o  0|o  0|c http://b/ 4|");
        got = read_warc(path, second, 1000);
        assert_str(got, "r http://a/ 17|o  0|o  0|c http://b/ 4|");
    }
    buf_release(&file);
    scratch_close(&s);
}

static void bad_records_do_not_hide_the_next(void **state)
{
    (void)state;
    struct scratch s;
    scratch_open(&s);
    struct buf file = {0};
    buf_add_text(&file, "rubbish WARC/1.0\r\n\r\nmore\r\n");
    add_record(&file, "resource", "x", "http://1/", STR_LIT("one"));
    buf_add_text(&file, "WARC/1.0\r\nWARC-Type: response\r\nContent-Length: -3\r\n\r\nabc\r\n\r\n");
    add_record(&file, "resource", "x", "http://2/", STR_LIT("a very long block"));
    add_record(&file, "resource", "x", "http://3/", STR_LIT("three"));
    const char *path = scratch_write(&s, "a.warc", buf_str(&file));
    assert_str(read_warc(path, 0, 10),
               "bad no WARC header at byte 0|s http://1/ 3|bad no usable Content-Length in the "
               "WARC header at byte 163|"
               "bad the record is 17 bytes long, the limit is 10|s http://3/ 5|");
    path = scratch_write(&s, "b.warc", str_sub(buf_str(&file), 0, file.len - 6));
    assert_str(
        read_warc(path, 0, 1000),
        "bad no WARC header at byte 0|s http://1/ 3|bad no usable Content-Length in the WARC "
        "header at byte 163|"
        "s http://2/ 17|bad the file cannot be read to its end: its last record breaks off|");
    path = scratch_write(&s, "c.warc.gz", STR_LIT("\x1f\x8b"));
    assert_str(
        read_warc(path, 0, 10),
        "bad the file cannot be read to its end: the gzip data break off at byte 2 of the file|");
    path = scratch_write(&s, "d.warc", STR_LIT("no records at all"));
    assert_str(read_warc(path, 0, 10), "bad no WARC header at byte 0|");
    path = scratch_write(&s, "e.warc", STR_LIT(""));
    assert_str(read_warc(path, 0, 10), "");
    buf_release(&file);
    scratch_close(&s);
}

static void records_of_no_known_type_are_counted(void **state)
{
    (void)state;
    struct scratch s;
    scratch_open(&s);
    struct buf file = {0};
    buf_add_text(&file, "WARC/1.0\r\nContent-Length: 3\r\n\r\nabc\r\n\r\n");
    add_record(&file, "respnse", "x", "1", STR_LIT("one"));
    buf_add_text(&file, "WARC/1.0\r\nWARC-Type: response\r\nWARC-Segment-Number: 1\r\n"
                        "Content-Length: 3\r\n\r\nabc\r\n\r\n");
    buf_add_text(&file, "WARC/1.0\r\nWARC-Type: continuation\r\nWARC-Segment-Number: 2\r\n"
                        "Content-Length: 3\r\n\r\ndef\r\n\r\n");
    add_record(&file, "revisit", "x", "2", STR_LIT(""));
    add_record(&file, "resource", "x", "3", STR_LIT("three"));
    struct str got = read_warc(scratch_write(&s, "a.warc", buf_str(&file)), 0, 1000);
    assert_str(got, "bad no WARC-Type in the WARC header at byte 0|"
                    "bad an unknown WARC-Type in the WARC header at byte 38|"
                    "bad a segment of a record that was cut, which is not joined, at byte 166|"
                    "bad a segment of a record that was cut, which is not joined, at byte 249|"
                    "o  0|s 3 5|");
    buf_release(&file);
    scratch_close(&s);
}

/* Three records, the second of which states another length than it has; as a file
 * of one member a record where the name asks for it. */
static struct str wrong_length(struct scratch *s, const char *name, const char *length)
{
    struct winnow_error err;
    struct shard_writer *w = NULL;
    struct shard_writer_options opt = SHARD_WRITER_OPTIONS_INIT;
    struct buf record = {0};
    const char *path = scratch_path(s, name);
    assert_ok(shard_writer_open(&w, path, &opt, &err), err);
    for (int i = 1; i <= 3; i++) {
        buf_clear(&record);
        if (i == 2) {
            buf_addf(
                &record,
                "WARC/1.0\r\nWARC-Type: resource\r\nWARC-Target-URI: 2\r\n%s\r\n0123456789\r\n\r\n",
                length);
        } else {
            add_record(&record, "resource", "x", i == 1 ? "1" : "3", STR_LIT("one block"));
        }
        assert_ok(shard_writer_add(w, buf_str(&record), &err), err);
        assert_ok(shard_writer_flush(w, NULL, &err), err);
    }
    assert_ok(shard_writer_commit(w, &err), err);
    shard_writer_close(w);
    buf_release(&record);
    return read_warc(path, 0, 1000);
}

static void a_members_end_is_its_records_end(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"Content-Length: 14\r\n",
                                        "Content-Length: 3\r\n",
                                        "Content-Length: 0\r\n",
                                        "Content-Length: 160\r\n",
                                        "Content-Length: 900\r\n",
                                        "Content-Length: 1000000000000\r\n",
                                        "Content-Length: 99999999999999999999999999\r\n",
                                        "Content-Length: -10\r\n",
                                        "content-length :10\r\n",
                                        "X: y\r\n continued\r\n",
                                        ""};
    struct scratch s;
    scratch_open(&s);
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        const char *want = i == 0 ? "s 1 9|s 2 14|s 3 9|" : "s 1 9|s 2 10|s 3 9|";
        assert_str(wrong_length(&s, "a.warc.gz", WRONG[i]), want);
        assert_str(wrong_length(&s, "a.warc.zst", WRONG[i]), want);
    }
    /* Without members the next header ends a record that says too much or too little,
     * and one that says nothing is bad; its neighbours are found. */
    for (size_t i = 0; i < 4; i++) {
        assert_str(wrong_length(&s, "a.warc", WRONG[i]),
                   i == 0 ? "s 1 9|s 2 14|s 3 9|" : "s 1 9|s 2 10|s 3 9|");
    }
    for (size_t i = 5; i < 8; i++) {
        struct str got = wrong_length(&s, "a.warc", WRONG[i]);
        assert_true(str_starts(got, STR_LIT("s 1 9|bad ")) && str_ends(got, STR_LIT("|s 3 9|")));
    }
    scratch_close(&s);
}

static struct str first_bad(struct scratch *s, const char *name, struct str bytes)
{
    return read_warc(scratch_write(s, name, bytes), 0, 1000);
}

/* Five records, each a member of its own; where each begins, and the end, in at. */
static void five_members(struct scratch *s, const char *name, struct buf *file, size_t at[6])
{
    struct winnow_error err;
    struct buf record = {0};
    at[0] = 0;
    for (int i = 0; i < 5; i++) {
        struct shard_writer *w = NULL;
        struct shard_writer_options opt = SHARD_WRITER_OPTIONS_INIT;
        const char *path = scratch_path(s, name);
        buf_clear(&record);
        add_record(&record, "resource", "x", "http://5/", STR_LIT("a block of each of them"));
        assert_ok(shard_writer_open(&w, path, &opt, &err), err);
        assert_ok(shard_writer_add(w, buf_str(&record), &err), err);
        assert_ok(shard_writer_commit(w, &err), err);
        shard_writer_close(w);
        assert_ok(file_read(path, 1U << 20, file, &err), err);
        at[i + 1] = file->len;
    }
    buf_release(&record);
}

/* Every byte of the second and the fourth member, one after the other: at most these two are
 * lost, never another; what is read from behind any record is the rest. */
static void a_broken_member_costs_its_record(void **state)
{
    (void)state;
    struct scratch s;
    scratch_open(&s);
    static const char *const NAMES[] = {"a.warc.gz", "a.warc.zst"};
    for (size_t k = 0; k < 2; k++) {
        struct buf file = {0}, want = {0};
        size_t at[6], lost = 0;
        five_members(&s, NAMES[k], &file, at);
        for (size_t i = at[1]; i < at[2]; i++) {
            size_t other = at[3] + (i - at[1]);
            file.ptr[i] ^= 0x55;
            file.ptr[other] ^= 0x55;
            const char *path = scratch_write(&s, NAMES[k], buf_str(&file));
            struct str got = read_warc(path, 0, 1000);
            size_t good = 0, gaps = 0;
            buf_clear(&want);
            for (struct str left = got; left.len > 0;) {
                size_t bar = str_find(left, STR_LIT("|"));
                bool is_good = str_is(str_sub(left, 0, bar), "s http://5/ 23");
                good += is_good;
                gaps += str_starts(left, STR_LIT("bad bytes "));
                left = str_sub(left, bar + 1, left.len);
                if (want.len == 0 && is_good) {
                    buf_add_str(&want, left); /* behind the first record */
                }
            }
            assert_true(good >= 3 && good + gaps == 5);
            lost += gaps;
            assert_str(read_warc(path, first_end, 1000), buf_cstr(&want));
            file.ptr[i] ^= 0x55;
            file.ptr[other] ^= 0x55;
        }
        assert_true(lost > 50);
        buf_release(&want);
        buf_release(&file);
    }
    scratch_close(&s);
}

static void files_of_other_kinds_are_named(void **state)
{
    (void)state;
    struct scratch s;
    scratch_open(&s);
#define SAYS(name, bytes, what)                     \
    assert_str(first_bad(&s, name, STR_LIT(bytes)), \
               "bad the file cannot be read to its end: " what "|")
    SAYS("a.warc", "BZh91AY&SY123",
         "it is packed by bzip2, which is not read; unpack it with bunzip2");
    SAYS("a.warc",
         "\xFD"
         "7zXZ\0\0",
         "it is packed by xz, which is not read; unpack it with unxz");
    SAYS("a.xz", "x", "its name ends in .xz, which is not read; unpack or rename it");
    SAYS("a.warc", "PAR1\x15\0",
         "it is a Parquet file, whose rows are documents; give it to a command that reads these");
    SAYS("a.warc.gz", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
         "it is a Git LFS pointer, not the file itself; fetch it with git lfs pull");
    SAYS("a.warc.gz", "WARC/1.0\r\n",
         "the gzip data do not begin: it is named so and not packed; rename it");
    SAYS("a.warc.zst", "x", "the zstd data do not begin: it is named so and not packed; rename it");
    SAYS("a.warc.zst", "\x5D\x2A\x4D\x18\x07",
         "the zstd data begin with a dictionary that breaks off");
    SAYS("a.warc.zst", "\x5D\x2A\x4D\x18\xFF\xFF\xFF\xFF",
         "the zstd data begin with a dictionary of more than 64 MB");
    SAYS("a.warc.zst",
         "\x5D\x2A\x4D\x18\x05\0\0\0\x28\xB5\x2F\xFD"
         "x",
         "the zstd data begin with a dictionary that is corrupt");
    scratch_close(&s);
}

static struct http_scratch http;

static struct str body_of(struct str message, const char **why)
{
    static struct http_response r;
    *why = http_parse(message, 1000, &http, &r);
    return r.body;
}

static void bodies_lose_their_coding(void **state)
{
    (void)state;
    const char *why;
    assert_str(body_of(STR_LIT("HTTP/1.1 200 OK\r\n\r\nplain"), &why), "plain");
    assert_str(body_of(STR_LIT("HTTP/1.1 200 OK\nX: y\n\nplain"), &why), "plain");
    assert_str(body_of(STR_LIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\n\r\n"),
                       &why),
               "abc0123456789");
    assert_str(body_of(STR_LIT("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n"
                               "5\r\nabcde\r\n8\r\nbreaks"),
                       &why),
               "abcdebreaks");
    assert_str(
        body_of(STR_LIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n<p>not so"), &why),
        "<p>not so");
    assert_str(body_of(STR_LIT("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n<p>not so"), &why),
               "<p>not so");
    assert_str(body_of(STR_LIT("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n<p>not so"), &why),
               "<p>not so");
    assert_null(why);
    (void)body_of(STR_LIT("HTTP/1.1 200 OK\r\nContent-Encoding: exi\r\n\r\n\x01\x02\x03"), &why);
    assert_string_equal(why,
                        "its content encoding \"exi\" is none of gzip, deflate, zstd and brotli");
    (void)body_of(STR_LIT("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n\x01\x02\x03"), &why);
    assert_string_equal(why, "its compressed data break off");
    (void)body_of(STR_LIT("GET / HTTP/1.1\r\n\r\n"), &why);
    assert_string_equal(why, "it does not begin with an HTTP status line");
    (void)body_of(STR_LIT("HTTP/1.1 200 OK\r\nX: y\r\n"), &why);
    assert_string_equal(why, "its HTTP header does not end");
    http_scratch_release(&http);
    http = (struct http_scratch){0};
}

/* One message with a body packed by zlib. */
static void packed_message(struct buf *out, const char *coding, int window_bits, struct str body)
{
    unsigned char packed[4096];
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    buf_clear(out);
    buf_addf(out, "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\n\r\n", coding);
    struct buf copy = {0};
    buf_add_str(&copy, body);
    z.next_in = (unsigned char *)copy.ptr;
    z.avail_in = (unsigned)copy.len;
    z.next_out = packed;
    z.avail_out = sizeof packed;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_add(out, packed, sizeof packed - z.avail_out);
    (void)deflateEnd(&z);
    buf_release(&copy);
}

static void brotli_is_undone(void **state)
{
    (void)state;
    struct buf message = {0}, text = {0};
    const char *why = NULL;
    char packed[4096];
    for (int i = 0; i < 80; i++) {
        buf_addf(&text, "<p>line %d", i);
    }
    size_t size = sizeof packed;
    assert_true(BrotliEncoderCompress(9, 22, BROTLI_MODE_TEXT, text.len, (const uint8_t *)text.ptr,
                                      &size, (uint8_t *)packed));
    static const char *const NAMES[] = {"br", "BR", "brotli", "identity, br"};
    for (size_t i = 0; i < 4; i++) {
        for (size_t cut = 0; cut < 2; cut++) {
            buf_clear(&message);
            buf_addf(&message, "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\n\r\n", NAMES[i]);
            buf_add(&message, packed, size - cut);
            struct str body = body_of(buf_str(&message), &why);
            if (cut == 0) {
                assert_null(why);
                assert_str(body, buf_cstr(&text));
            } else {
                assert_string_equal(why, "its compressed data break off");
            }
        }
    }
    buf_release(&message);
    buf_release(&text);
}

static void gzip_and_both_deflates_are_undone(void **state)
{
    (void)state;
    struct buf m = {0}, big = {0};
    const char *why;
    packed_message(&m, "gzip", 31, STR_LIT("<p>hello"));
    assert_str(body_of(buf_str(&m), &why), "<p>hello");
    (void)body_of(str_sub(buf_str(&m), 0, m.len - 9), &why);
    assert_string_equal(why, "its compressed data break off");
    m.ptr[m.len - 12] ^= 0x55;
    (void)body_of(buf_str(&m), &why);
    assert_string_equal(why, "its compressed data are corrupt");
    packed_message(&m, "identity, gzip", 31, STR_LIT("<p>hello"));
    assert_str(body_of(buf_str(&m), &why), "<p>hello");
    packed_message(&m, "deflate", 15, STR_LIT("<p>hello"));
    assert_str(body_of(buf_str(&m), &why), "<p>hello");
    packed_message(&m, "Deflate", -15, STR_LIT("<p>hello"));
    assert_str(body_of(buf_str(&m), &why), "<p>hello");
    memset(buf_reserve(&big, 200000), 'x', 200000);
    big.len = 200000;
    packed_message(&m, "gzip", 31, buf_str(&big));
    (void)body_of(buf_str(&m), &why);
    assert_string_equal(why, "its body unpacks to more than the limit");
    buf_release(&m);
    buf_release(&big);
    http_scratch_release(&http);
    http = (struct http_scratch){0};
}

#define BODY(fields, body) body_of(STR_LIT("HTTP/1.1 200 OK\r\n" fields "\r\n\r\n" body), &why)
#define CHUNKED(body)      BODY("Transfer-Encoding: chunked", body)

static void headers_that_lie_cost_no_text(void **state)
{
    (void)state;
    const char *why;
    /* Undone by the crawler: texts that begin like a chunk's size. */
    assert_str(CHUNKED("2024 budget report\r\n"), "2024 budget report\r\n");
    assert_str(CHUNKED("0 to 60\r\n"), "0 to 60\r\n");
    assert_str(CHUNKED("0\r\nzero"), "0\r\nzero");
    assert_str(CHUNKED("2024\r\nThe city"), "2024\r\nThe city");
    assert_str(CHUNKED("5\r\nhello\r\nworld\r\n"), "5\r\nhello\r\nworld\r\n");
    assert_str(CHUNKED("5\nhello\n0\n"), "5\nhello\n0\n");
    assert_str(CHUNKED("0\r\n\r\nReal text"), "0\r\n\r\nReal text");
    assert_str(CHUNKED("5\r\nhello\r\n0\r\n\r\nand the rest"),
               "5\r\nhello\r\n0\r\n\r\nand the rest");
    assert_str(CHUNKED("5\r\nhello\r\n0\r\nand: no\r\nrest"), "5\r\nhello\r\n0\r\nand: no\r\nrest");
    assert_str(CHUNKED("Face to face"), "Face to face");
    /* Chunks, in their odder forms, whole and cut. */
    assert_str(CHUNKED("005 ; x=\"y\"\r\nhello\r\n0\r\nTrailer: x\r\n\r\n"), "hello");
    assert_str(CHUNKED("5\r\nhello\r\n2"), "hello");
    assert_str(CHUNKED("5\r\nhello"), "hello");
    assert_str(CHUNKED("FFFFFFFFFFFFFFFFFFFFF\r\n<p>cut"), "<p>cut");
    assert_str(CHUNKED("0\r\n\r\n"), "");
    assert_str(CHUNKED("5\r\nhello\r\n0\r\n\r\n0\r\n\r\n"), "hello");
    assert_str(CHUNKED("fff\r\nhello\r\n0\r\n\r\n"), "hello");
    assert_str(CHUNKED("2\r\nhe\r\nfff\r\nllo\r\n0\r\n\r\n"), "hello");
    assert_str(BODY("Content-Encoding: deflate", "x^2 + y is text"), "x^2 + y is text");
    assert_str(BODY("Content-Encoding: zstd", "text"), "text");
    assert_str(BODY("Content-Encoding: br", "caf\xC3\xA9"), "caf\xC3\xA9");
    assert_null(why);
    (void)BODY("Content-Encoding: gzip", "\x1F\x8B\x08");
    assert_string_equal(why, "its compressed data break off");
    (void)BODY("Content-Encoding: zstd", "\x28\xB5\x2F\xFD\x04");
    assert_string_equal(why, "its compressed data break off");
    assert_str(BODY("Content-Encoding: zstd", "\x28\xB5\x2F\xFD\x20\x05\x29\x00\x00hello"),
               "hello");
    http_scratch_release(&http);
    http = (struct http_scratch){0};
}

static void headers_are_read_as_they_are_found(void **state)
{
    (void)state;
    struct http_response r;
    struct http_scratch none = {0};
    assert_null(http_parse(
        STR_LIT("http/1.1  200\ncontent-TYPE : text/html;\n\tcharset=koi8-r\n\nx"), 10, &none, &r));
    assert_int_equal(r.status, 200);
    assert_str(r.mime, "text/html");
    assert_str(r.charset, "koi8-r");
    assert_str(r.body, "x");
    assert_null(
        http_parse(STR_LIT("HTTP/1.1 100 Continue\r\n\r\nHTTP/2 200\r\n\r\nx"), 10, &none, &r));
    assert_int_equal(r.status, 200);
    assert_str(r.body, "x");
    assert_null(http_parse(STR_LIT("HTTP/1.1 200 Connection established\r\nVia: p\r\n\r\n"
                                   "HTTP/1.1 404 No\r\nContent-Type: a/b\r\n\r\nx"),
                           10, &none, &r));
    assert_int_equal(r.status, 404);
    assert_str(r.mime, "a/b");
    assert_null(http_parse(
        STR_LIT("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nHTTP/1.1 404 No\r\n"), 99,
        &none, &r));
    assert_str(r.body, "HTTP/1.1 404 No\r\n");
    assert_null(
        http_parse(STR_LIT("HTTP/1.1 200 OK\r\nServer: x\r\n<p>no blank line\r\n"), 99, &none, &r));
    assert_str(r.body, "<p>no blank line\r\n");
    assert_null(http_parse(STR_LIT("HTTP/1.1 404 No\r\nContent-Encoding: gzip\r\n\r\n\x1F\x8B"), 99,
                           &none, &r));
    assert_int_equal(r.status, 404);
    assert_string_equal(http_parse(STR_LIT("HTTP/1.1 OK\r\n\r\nx"), 9, &none, &r),
                        "its HTTP status line has no status");
}

static void content_types_come_apart(void **state)
{
    (void)state;
    struct str mime, cs;
    mime_parse(STR_LIT("text/html; Charset=\"UTF-8\"; x=y"), &mime, &cs);
    assert_str(mime, "text/html");
    assert_str(cs, "UTF-8");
    mime_parse(STR_LIT("text/html;boundary=x ; charset=koi8-r"), &mime, &cs);
    assert_str(cs, "koi8-r");
    mime_parse(STR_LIT("text/html;"), &mime, &cs);
    assert_int_equal(cs.len, 0);
    mime_parse(STR_LIT("text/html charset=koi8-r"), &mime, &cs);
    assert_str(mime, "text/html");
    assert_str(cs, "koi8-r");
    mime_parse(STR_LIT("text/html,charset=utf-8"), &mime, &cs);
    assert_str(mime, "text/html");
    mime_parse(STR_LIT("text/plain; charset=gbk, text/html, */*"), &mime, &cs);
    assert_str(mime, "text/html");
    assert_int_equal(cs.len, 0);
    mime_parse(STR_LIT("text/html; x=\"a;charset=b\"; charset=gbk; charset=big5"), &mime, &cs);
    assert_str(cs, "gbk");
    mime_parse(STR_LIT("html"), &mime, &cs);
    assert_int_equal(mime.len, 0);
    assert_true(mime_sniffs_html(STR_LIT("\n <P>x")) && mime_sniffs_html(STR_LIT("<!-- x")));
    assert_false(mime_sniffs_html(STR_LIT("<pre>")) || mime_sniffs_html(STR_LIT("x <p>")));
    mime_parse(STR_LIT(""), &mime, &cs);
    assert_int_equal(mime.len, 0);
}

/* Every page of a folder of files as its line, or "passed rule detail" or "bad
 * reason", joined by newlines; the same whatever the batches. */
static struct str extract_all(struct scratch *s, size_t page_max)
{
    struct winnow_error err;
    const char *path = s->dir;
    struct shard_list list;
    struct shards_options find = {{&path, 1}, NULL, SHARDS_PAGES};
    assert_ok(shards_find(&find, &list, &err), err);
    struct page_reader *reader = page_reader_new(&list, page_max);
    struct page_batch *batch = page_batch_new();
    struct page_extract_options opt = {.page_max = page_max};
    struct page_extractor *x = page_extractor_new(&opt);
    bool more = true;
    buf_clear(&seen);
    for (;;) {
        assert_ok(page_reader_next(reader, batch, &more, &err), err);
        if (!more) {
            break;
        }
        for (size_t i = 0; i < batch->count; i++) {
            struct page_result r;
            assert_ok(page_extract(x, &batch->items[i], &r, &err), err);
            if (r.outcome == PAGE_DOCUMENT) {
                buf_add_str(&seen, r.line);
            } else {
                buf_addf(&seen, "%s %s", r.outcome == PAGE_BAD ? "bad" : "passed", r.reason);
                buf_add_str(&seen, r.detail);
            }
            buf_add_char(&seen, '\n');
        }
        assert_ok(page_reader_seek(reader, batch->shard, batch->offset, &err), err);
    }
    assert_int_equal(page_reader_seek(reader, 1000, 0, &err), WINNOW_E_FORMAT);
    page_extractor_free(x);
    page_batch_free(batch);
    page_reader_free(reader);
    shard_list_release(&list);
    return buf_str(&seen);
}

static void pages_become_documents(void **state)
{
    (void)state;
    struct scratch s;
    scratch_open(&s);
    (void)scratch_write(&s, "b/page.html",
                        STR_LIT("<meta charset=iso-8859-1><title>T</title><p>caf\xE9"));
    (void)scratch_write(&s, "a.md", STR_LIT("# Title\n\ntext\n"));
    (void)scratch_write(&s, "c/empty.html", STR_LIT("<title>x</title>"));
    (void)scratch_write(&s, "c/long.txt",
                        STR_LIT("123456789 123456789 123456789 123456789 "
                                "123456789 123456789 123456789 123456789 "));
    (void)scratch_write(&s, "c/image.txt", STR_LIT("\x89PNG\0\0"));
    assert_str(
        extract_all(&s, 60),
        "{\"id\": \"a.md\", \"text\": \"# Title\\n\\ntext\", \"source\": \"pages\", "
        "\"metadata\": {\"path\": \"a.md\", \"title\": \"Title\", \"charset\": \"utf-8\"}}\n"
        "{\"id\": \"b/page.html\", \"text\": \"caf\u00e9\", \"source\": \"b\", \"metadata\": "
        "{\"path\": \"b/page.html\", \"title\": \"T\", \"charset\": \"windows-1252\"}}\n"
        "passed no_text\n"
        "passed binary\n"
        "bad the page is longer than the limit of 60 bytes\n");
    scratch_close(&s);
}

static void responses_become_documents(void **state)
{
    (void)state;
    struct scratch s;
    struct buf file = {0};
    scratch_open(&s);
    add_record(
        &file, "response", "application/http", "http://a/",
        STR_LIT("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=koi8-r\r\n\r\n<p>\xF0"));
    add_record(&file, "response", "application/http", "http://b/",
               STR_LIT("HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<p>no"));
    add_record(&file, "response", "application/http", "http://c/",
               STR_LIT("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\nPNG"));
    add_record(&file, "response", "application/http", "http://d/",
               STR_LIT("HTTP/1.1 200 OK\r\n\r\n <!DOCTYPE HTML><p>sniffed"));
    add_record(&file, "response", "application/http", "http://e/", STR_LIT("nonsense"));
    add_record(&file, "conversion", "text/plain", "http://f/", STR_LIT("wet text\n"));
    (void)scratch_write(&s, "x.warc", buf_str(&file));
    assert_str(
        extract_all(&s, 1000),
        "{\"id\": \"0\", \"text\": \"\u041f\", \"source\": \"x\", \"metadata\": {\"url\": "
        "\"http://a/\", \"path\": \"x.warc\", \"offset\": 0, \"charset\": \"koi8-r\"}}\n"
        "passed http_status\"status\": 404\n"
        "passed mime\"mime\": \"image/png\"\n"
        "{\"id\": \"618\", \"text\": \"sniffed\", \"source\": \"x\", \"metadata\": {\"url\": "
        "\"http://d/\", \"path\": \"x.warc\", \"offset\": 618, \"charset\": \"utf-8\"}}\n"
        "bad the response cannot be read: it does not begin with an HTTP status line\n"
        "{\"id\": \"972\", \"text\": \"wet text\", \"source\": \"x\", \"metadata\": {\"url\": "
        "\"http://f/\", \"path\": \"x.warc\", \"offset\": 972, \"charset\": \"utf-8\"}}\n");
    buf_release(&file);
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_found_by_their_length),
        cmocka_unit_test(bad_records_do_not_hide_the_next),
        cmocka_unit_test(records_of_no_known_type_are_counted),
        cmocka_unit_test(a_members_end_is_its_records_end),
        cmocka_unit_test(a_broken_member_costs_its_record),
        cmocka_unit_test(files_of_other_kinds_are_named),
        cmocka_unit_test(bodies_lose_their_coding),
        cmocka_unit_test(brotli_is_undone),
        cmocka_unit_test(gzip_and_both_deflates_are_undone),
        cmocka_unit_test(headers_that_lie_cost_no_text),
        cmocka_unit_test(headers_are_read_as_they_are_found),
        cmocka_unit_test(content_types_come_apart),
        cmocka_unit_test(pages_become_documents),
        cmocka_unit_test(responses_become_documents),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_release(&seen);
    return failed;
}
