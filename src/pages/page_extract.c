/* page_extract.c -- bytes, then charset, then lines, then JSON.
 *
 * What kind a page is: of a file, its name's ending; of a WARC record, the MIME
 * type; where neither tells, its first bytes.  A page that is none of ours
 * (an image, an error page, a page without text) is passed over with its
 * reason; one that should be ours and cannot be read is bad.
 *
 * The document: {"id", "text", "source", "metadata": {"path", "url", "date",
 * "title", "charset", "offset"}}.  The id of a file is its name among the
 * outputs (which does not change when the folder moves), of a record its
 * WARC-Record-ID, else the file's name and the record's offset.
 */
#include "pages/page_extract.h"

#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "corpus/byte_source.h"
#include "corpus/packing.h"
#include "pages/charset.h"
#include "pages/http.h"
#include "pages/mime.h"
#include "pages/plain_text.h"
#include "pages/warc.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

enum text_kind { KIND_UNKNOWN, KIND_HTML, KIND_XHTML, KIND_TEXT, KIND_MARKDOWN, KIND_NONE };

struct page_extractor {
    struct page_extract_options opt;
    struct charset *charset;
    struct http_scratch http;
    struct html_structure *structure; /* NULL: not wanted */
    struct arena keep;                /* of a page's structure: */
    struct page_structure page;
    bool has_page; /* its tags are known */
    struct buf file, text, whole, title, line, id, detail;
    char reason[sizeof((struct winnow_error *)0)->text];
};

struct page_extractor *page_extractor_new(const struct page_extract_options *opt)
{
    struct page_extractor *x = mem_zalloc(sizeof *x);
    x->opt = *opt;
    x->charset = charset_new();
    x->structure = opt->structure || opt->main.count > 0 ? html_structure_new() : NULL;
    arena_init(&x->keep, (size_t)1 << 18);
    return x;
}

void page_extractor_free(struct page_extractor *x)
{
    if (x) {
        charset_free(x->charset);
        html_structure_free(x->structure);
        arena_release(&x->keep);
        http_scratch_release(&x->http);
        buf_release(&x->file);
        buf_release(&x->text);
        buf_release(&x->whole);
        buf_release(&x->title);
        buf_release(&x->line);
        buf_release(&x->id);
        buf_release(&x->detail);
        mem_free(x);
    }
}

static bool ends(struct str s, const char *ending)
{
    size_t n = strlen(ending);
    return s.len > n && strncasecmp(s.ptr + s.len - n, ending, n) == 0;
}

static enum text_kind kind_of_name(const char *name)
{
    struct str s = packing_cut(str_of(name));
    if (ends(s, ".xhtml") || ends(s, ".xht")) {
        return KIND_XHTML;
    }
    if (ends(s, ".html") || ends(s, ".htm")) {
        return KIND_HTML;
    }
    if (ends(s, ".md") || ends(s, ".markdown")) {
        return KIND_MARKDOWN;
    }
    return ends(s, ".txt") || ends(s, ".text") ? KIND_TEXT : KIND_UNKNOWN;
}

static enum text_kind kind_of_mime(struct str mime)
{
    if (mime.len == 0) {
        return KIND_UNKNOWN;
    }
    if (mime_is(mime, "text/html")) {
        return KIND_HTML;
    }
    if (mime_is(mime, "application/xhtml+xml")) {
        return KIND_XHTML;
    }
    if (mime_is(mime, "text/markdown")) {
        return KIND_MARKDOWN;
    }
    return mime_is(mime, "text/plain") ? KIND_TEXT : KIND_NONE;
}

/* By the first bytes: HTML where a tag of it comes early, else text. */
static enum text_kind sniff(struct str s)
{
    static const char *const SIGNS[] = {"<!doctype html", "<html", "<head", "<body"};
    size_t most = s.len < 1024 ? s.len : 1024;
    for (size_t at = 0; at < most; at++) {
        for (size_t i = 0; s.ptr[at] == '<' && i < sizeof SIGNS / sizeof SIGNS[0]; i++) {
            size_t n = strlen(SIGNS[i]);
            if (s.len - at >= n && strncasecmp(s.ptr + at, SIGNS[i], n) == 0) {
                return KIND_HTML;
            }
        }
    }
    return mime_sniffs_html(s) ? KIND_HTML : KIND_TEXT;
}

/* Whether a record of type response holds an HTTP message: crawlers also store
 * answers of name servers and of FTP as responses. */
static bool is_http(const struct page *page)
{
    struct str mime, charset;
    mime_parse(page->content_type, &mime, &charset);
    if (page->block.len >= 5 && strncasecmp(page->block.ptr, "HTTP/", 5) == 0) {
        return true;
    }
    bool other = str_starts(page->uri, STR_LIT("dns:")) || str_starts(page->uri, STR_LIT("ftp:")) ||
                 str_starts(page->uri, STR_LIT("whois:"));
    return mime.len == 0 ? !other : mime_is(mime, "application/http");
}

__attribute__((format(printf, 3, 4))) static void
say_bad(struct page_extractor *x, struct page_result *out, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(x->reason, sizeof x->reason, fmt, ap);
    va_end(ap);
    out->outcome = PAGE_BAD;
    out->reason = x->reason;
}

/* The whole file, or a result that says why not. */
static winnow_status read_file(struct page_extractor *x, const struct page *page,
                               struct page_result *out, struct winnow_error *err)
{
    struct byte_source *source = NULL;
    struct winnow_error why = {{0}};
    buf_clear(&x->file);
    winnow_status st = byte_source_open_object(&source, page->path, page->remote, &why);
    if (st == WINNOW_OK) {
        byte_source_expect(source, page->found);
    }
    size_t got = 1;
    while (st == WINNOW_OK && got > 0 && x->file.len <= x->opt.page_max) {
        size_t room = (size_t)1 << 16;
        st = byte_source_read(source, buf_reserve(&x->file, room), room, &got, &why);
        x->file.len += got;
    }
    if (st == WINNOW_E_NOMEM) {
        byte_source_close(source);
        *err = why;
        return st;
    }
    if (st != WINNOW_OK) {
        say_bad(x, out, "%s", why.text);
        out->lost = out->unreadable = true;
    } else if (warc_begins(buf_str(&x->file))) {
        say_bad(x, out, "it is a WARC file, which its name does not say; name it .warc");
        out->lost = true;
    } else if (x->file.len > x->opt.page_max) {
        say_bad(x, out, "the page is longer than the limit of %zu bytes", x->opt.page_max);
    } else if (byte_source_torn(source)) {
        say_bad(x, out, "%s", byte_source_torn(source));
        out->lost = true;
        out->unreadable = byte_source_changed(source);
    }
    byte_source_close(source);
    return WINNOW_OK;
}

static void pass_over(struct page_result *out, const char *rule)
{
    out->outcome = PAGE_PASSED;
    out->reason = rule;
}

static void pass_mime(struct page_extractor *x, struct page_result *out, struct str mime)
{
    buf_clear(&x->detail);
    buf_add_text(&x->detail, "\"mime\": ");
    json_quote(&x->detail, mime);
    pass_over(out, "mime");
    out->detail = buf_str(&x->detail);
}

/* The page's bytes, their kind and what was said of their charset; the outcome
 * in *out is no document where there is nothing to extract. */
static winnow_status open_page(struct page_extractor *x, const struct page *page, struct str *bytes,
                               struct str *charset, enum text_kind *kind, struct page_result *out,
                               struct winnow_error *err)
{
    struct http_response http = {0};
    *bytes = page->block;
    *charset = (struct str){NULL, 0};
    *kind = KIND_UNKNOWN;
    enum page_form form = page->form;
    form = form == PAGE_HTTP && !is_http(page) ? PAGE_PAYLOAD : form;
    switch (form) {
    case PAGE_FILE:
        TRY(read_file(x, page, out, err));
        *bytes = buf_str(&x->file);
        *kind = kind_of_name(page->name);
        return WINNOW_OK;
    case PAGE_BYTES:
        return WINNOW_OK;
    case PAGE_BROKEN:
        say_bad(x, out, "%.*s", STR_ARG(page->bad));
        out->lost = page->lost;
        out->unreadable = page->unreadable;
        return WINNOW_OK;
    case PAGE_HTTP: {
        const char *why = http_parse(page->block, x->opt.page_max, &x->http, &http);
        if (why) {
            say_bad(x, out, "the response cannot be read: %s", why);
            return WINNOW_OK;
        }
        break;
    }
    case PAGE_PAYLOAD:
        http.status = 200;
        http.body = page->block;
        mime_parse(page->content_type, &http.mime, &http.charset);
        break;
    }
    *bytes = http.body;
    *charset = http.charset;
    *kind = kind_of_mime(http.mime);
    if (http.status != 200) {
        buf_clear(&x->detail);
        buf_addf(&x->detail, "\"status\": %u", http.status);
        pass_over(out, "http_status");
        out->detail = buf_str(&x->detail);
    } else if (*kind == KIND_NONE || (*kind == KIND_UNKNOWN && sniff(http.body) != KIND_HTML)) {
        pass_mime(x, out, http.mime);
    }
    return WINNOW_OK;
}

/* What bytes are that hold no NUL and yet are no text; NULL where they may be one. */
static const char *foreign_mime(struct str s)
{
    static const struct {
        struct str start;
        const char *mime;
    } FOREIGN[] = {
        {{"%PDF-1.", 7}, "application/pdf"},
        {{"%PDF-2.", 7}, "application/pdf"},
        {{"%!PS-Adobe-", 11}, "application/postscript"},
        {{"{\\rtf1", 6}, "application/rtf"},
    };
    s = str_starts(s, STR_LIT("\xEF\xBB\xBF")) ? str_sub(s, 3, s.len) : s;
    for (size_t i = 0; i < sizeof FOREIGN / sizeof FOREIGN[0]; i++) {
        if (str_starts(s, FOREIGN[i].start)) {
            return FOREIGN[i].mime;
        }
    }
    return NULL;
}

/* The next line that is not blank as a JSON object; false where it is none. */
static bool next_object(struct json_parser *parser, struct str *rest, struct json_value *object)
{
    struct winnow_error ignored;
    struct str line = {NULL, 0};
    while (str_trim(line).len == 0 && str_next_line(rest, &line)) {
    }
    line = str_trim(line);
    return line.len > 1 && line.ptr[0] == '{' && line.ptr[line.len - 1] == '}' &&
           json_parse(parser, line, object, &ignored) == WINNOW_OK &&
           json_kind(*object) == JSON_OBJECT;
}

/* Whether a file is a corpus already: objects, one a line, or one with a text. */
static bool is_json_lines(struct str s)
{
    s = str_starts(s, STR_LIT("\xEF\xBB\xBF")) ? str_sub(s, 3, s.len) : s;
    if (!str_starts(str_trim(str_sub(s, 0, s.len < 256 ? s.len : 256)), STR_LIT("{"))) {
        return false; /* as nearly all texts */
    }
    struct json_parser *parser = json_parser_new();
    struct json_value object;
    struct str text;
    bool yes = next_object(parser, &s, &object) &&
               (json_as_str(json_get(object, "text"), &text) || next_object(parser, &s, &object));
    json_parser_free(parser);
    return yes;
}

/* Looks at what open_page() gave: unpacks a body whose header does not say that it is
 * packed, and tells what no page can be.  Then the outcome is no document. */
static void look_closer(struct page_extractor *x, const struct page *page, struct str *bytes,
                        struct page_result *out)
{
    const char *why = http_unpack(bytes, x->opt.page_max, &x->http);
    if (why) {
        say_bad(x, out, "the page cannot be read: %s", why);
        return;
    }
    const char *mime = foreign_mime(*bytes);
    bool nameless = page->form == PAGE_FILE || page->form == PAGE_BYTES;
    if (mime) {
        pass_mime(x, out, str_of(mime));
    } else if (nameless && is_json_lines(*bytes)) { /* whatever its name says */
        say_bad(x, out, "it holds JSON, one a line, which are documents already, not pages");
        out->lost = true;
    }
}

static bool is_binary(const struct charset_page *page)
{
    struct str s = page->bytes;
    return s.len > 0 && memchr(s.ptr, '\0', s.len < 4096 ? s.len : 4096) &&
           !charset_may_be_wide(page);
}

static void add_member(struct json_writer *w, const char *key, struct str value)
{
    if (value.len > 0) {
        json_member_str(w, key, value);
    }
}

static struct str source_of(const struct page_extractor *x, const struct page *page)
{
    if (x->opt.source) {
        return str_of(x->opt.source);
    }
    const char *slash = strchr(page->name, '/');
    if (slash) {
        return (struct str){page->name, (size_t)(slash - page->name)};
    }
    return page->form == PAGE_FILE ? STR_LIT("pages") : shard_stem(page->name);
}

/* What the tags say of the lines; false where the page has no main part though it was to be
 * cut to that. */
static bool take_structure(struct page_extractor *x, const struct page *page)
{
    const struct page_extract_options *opt = &x->opt;
    arena_reset(&x->keep);
    x->has_page = html_structure_end(x->structure, buf_str(&x->text), &x->keep, &x->page);
    if (opt->main.count == 0 || !x->has_page) {
        return opt->main.count == 0 || opt->mark_main;
    }
    html_structure_mark_main(x->structure, &opt->main, source_of(x, page), &x->keep, &x->page);
    if (opt->mark_main) {
        return true;
    }
    struct buf whole = x->text;
    x->text = x->whole;
    x->whole = whole;
    buf_clear(&x->text);
    return structure_cut_to_main(&x->page, buf_str(&x->whole), &x->text);
}

/* The member that refine reads; documents made of text have none. */
static void add_structure(struct page_extractor *x, struct json_writer *w)
{
    json_key(w, STRUCTURE_KEY);
    json_raw(w, STR_LIT("")); /* the value is written straight behind the key */
    structure_write(&x->page, buf_str(&x->text), &x->keep, &x->line);
}

static void write_document(struct page_extractor *x, const struct page *page, const char *charset,
                           bool markup, struct page_result *out)
{
    buf_clear(&x->line);
    struct json_writer w = {.out = &x->line};
    json_open(&w, '{');
    json_member_str(&w, "id", out->id);
    json_member_str(&w, "text", buf_str(&x->text));
    json_member_str(&w, "source", source_of(x, page));
    json_member_open(&w, "metadata", '{');
    add_member(&w, "url", page->uri);
    add_member(&w, "date", page->date);
    add_member(&w, "path", str_of(page->name));
    if (page->form == PAGE_HTTP || page->form == PAGE_PAYLOAD) {
        json_member_u64(&w, "offset", page->offset);
    }
    add_member(&w, "title", buf_str(&x->title));
    add_member(&w, "charset", str_of(charset));
    json_close(&w, '}');
    if (x->opt.structure && markup && x->has_page) {
        add_structure(x, &w);
    }
    json_close(&w, '}');
    out->line = buf_str(&x->line);
    out->text_bytes = x->text.len;
}

static void make_id(struct page_extractor *x, const struct page *page, struct page_result *out)
{
    buf_clear(&x->id);
    if (page->id.len > 0) {
        buf_add_str(&x->id, page->id);
    } else if (page->form == PAGE_FILE || page->form == PAGE_BYTES) {
        buf_add_text(&x->id, page->name);
    } else {
        buf_addf(&x->id, "%s#%" PRIu64, page->name, page->offset);
    }
    out->id = buf_str(&x->id);
}

winnow_status page_extract(struct page_extractor *x, const struct page *page,
                           struct page_result *out, struct winnow_error *err)
{
    struct str bytes, declared;
    enum text_kind kind;
    *out = (struct page_result){.outcome = PAGE_DOCUMENT};
    make_id(x, page, out);
    TRY(open_page(x, page, &bytes, &declared, &kind, out, err));
    if (out->outcome == PAGE_DOCUMENT) {
        look_closer(x, page, &bytes, out);
    }
    if (out->outcome != PAGE_DOCUMENT) {
        return WINNOW_OK;
    }
    kind = kind == KIND_UNKNOWN ? sniff(bytes) : kind;
    const char *charset = NULL;
    bool markup = kind == KIND_HTML || kind == KIND_XHTML;
    struct charset_page in = {bytes, declared, markup};
    struct str utf8;
    if (is_binary(&in)) {
        pass_over(out, "binary");
        return WINNOW_OK;
    }
    if (!charset_to_utf8(x->charset, &in, &utf8, &charset)) {
        say_bad(x, out, "its charset label stands for an encoding that no browser decodes");
        return WINNOW_OK;
    }
    buf_clear(&x->text);
    buf_clear(&x->title);
    if (markup) {
        struct html_options opt = x->opt.html;
        opt.xml = kind == KIND_XHTML;
        opt.structure = x->structure;
        html_lines(utf8, &opt, &x->text, &x->title);
    } else if (kind == KIND_MARKDOWN) {
        markdown_lines(utf8, &x->text, &x->title);
    } else {
        plain_text_lines(utf8, &x->text);
    }
    if (x->text.len == 0) {
        pass_over(out, "no_text");
        return WINNOW_OK;
    }
    if (x->structure && markup && !take_structure(x, page)) {
        pass_over(out, "no_main");
        return WINNOW_OK;
    }
    write_document(x, page, charset, markup, out);
    return WINNOW_OK;
}
