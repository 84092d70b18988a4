/* json.cc -- the only C++ of the code base: simdjson behind a C interface.
 *
 * A DOM element is a document and an index into its tape, which is what
 * struct json_value holds.  The tape's layout (one 64-bit word a value, the kind
 * in the top byte, containers carrying the index behind their end) is part of
 * simdjson's documented format (doc/tape.md); walking it here keeps iteration
 * free of any C++ object that would have to live across calls.
 */
extern "C" {
#include "base/json.h"
}

#include <charconv>
#include <cstring>
#include <memory>
#include <new>
#include <simdjson.h>

using simdjson::dom::document;

struct json_parser {
    simdjson::dom::parser dom;
};

static const document *doc_of(json_value v)
{
    return static_cast<const document *>(v.document);
}

static std::uint64_t word(json_value v)
{
    return doc_of(v)->tape[v.index];
}

static char tag(json_value v)
{
    return static_cast<char>(word(v) >> 56);
}

static std::size_t payload(json_value v)
{
    return static_cast<std::size_t>(word(v) & 0x00FFFFFFFFFFFFFFULL);
}

/* Index of the word behind a value. */
static std::size_t behind(json_value v)
{
    switch (tag(v)) {
    case '[':
    case '{':
        return payload(v) & 0xFFFFFFFFU;
    case 'l':
    case 'u':
    case 'd':
        return v.index + 2;
    default:
        return v.index + 1;
    }
}

static str string_at(json_value v)
{
    const std::uint8_t *at = doc_of(v)->string_buf.get() + payload(v);
    std::uint32_t len = 0;
    std::memcpy(&len, at, sizeof len);
    return str{reinterpret_cast<const char *>(at + sizeof len), len};
}

extern "C" struct json_parser *json_parser_new(void)
{
    return new json_parser;
}

extern "C" void json_parser_free(struct json_parser *p)
{
    delete p;
}

/* JSON has numbers of any size; simdjson refuses integers past 64 bits and what
 * overflows a double.  For its sake such numbers are read as the nearest double;
 * where a document passes through its own bytes are written, not these. */

static const char *number_end(const char *p, const char *end)
{
    auto digits = [&] {
        const char *from = p;
        while (p < end && *p >= '0' && *p <= '9') {
            p++;
        }
        return p > from;
    };
    const char *start = p;
    p += p < end && *p == '-';
    bool zero = p < end && *p == '0';
    const char *first = p;
    if (!digits() || (zero && p - first > 1)) {
        return start; /* no number of JSON: it will be refused */
    }
    if (p < end && *p == '.') {
        p++;
        if (!digits()) {
            return start;
        }
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        if (!digits()) {
            return start;
        }
    }
    return p;
}

/* The number as simdjson takes it, to `to` (32 bytes); its length, or 0 where it may
 * stay as it is. */
static std::size_t smaller_number(const char *from, const char *end, char *to)
{
    bool whole = true, small = *from == '0' || (*from == '-' && from[1] == '0');
    for (const char *p = from; p < end; p++) {
        whole = whole && *p != '.' && *p != 'e' && *p != 'E';
        small = small || ((*p == 'e' || *p == 'E') && p[1] == '-');
    }
    double value = 0;
    bool beyond = std::from_chars(from, end, value).ec == std::errc::result_out_of_range;
    if (beyond && !small) {
        value = *from == '-' ? -1.7976931348623157e308 : 1.7976931348623157e308;
    } else if (beyond || !whole || end - from < 19) {
        return 0;
    }
    return static_cast<std::size_t>(
        std::to_chars(to, to + 32, value, std::chars_format::scientific).ptr - to);
}

/* text with its numbers made small, to `to` unless that is null; the length. */
static std::size_t with_smaller_numbers(str text, char *to)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    std::size_t n = 0;
    auto put = [&](const char *from, std::size_t len) {
        if (to) {
            std::memcpy(to + n, from, len);
        }
        n += len;
    };
    while (p < end) {
        const char *from = p;
        if (*p == '"') {
            for (p++; p < end && *p != '"'; p++) {
                p += *p == '\\';
            }
            p = p < end ? p + 1 : end;
        } else if (*p == '-' || (*p >= '0' && *p <= '9')) {
            char small[32];
            p = number_end(from, end);
            std::size_t len = p > from ? smaller_number(from, p, small) : 0;
            if (len > 0) {
                put(small, len);
                continue;
            }
            p = p > from ? p : from + 1;
        } else {
            p++;
        }
        put(from, static_cast<std::size_t>(p - from));
    }
    return n;
}

/* A word outside strings that other languages write for a value, or null. */
static const char *foreign_word(str text)
{
    static const char *const WORDS[] = {"NaN",  "nan",  "Infinity", "inf",
                                        "None", "True", "False",    "undefined"};
    auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const char *p = text.ptr, *end = text.ptr + text.len;
    while (p < end) {
        if (*p == '"') {
            for (p++; p < end && *p != '"'; p++) {
                p += *p == '\\';
            }
            p = p < end ? p + 1 : end;
            continue;
        }
        const char *from = p;
        while (p < end && letter(*p)) {
            p++;
        }
        std::size_t n = static_cast<std::size_t>(p - from);
        for (const char *word : WORDS) {
            if (n == std::strlen(word) && std::memcmp(from, word, n) == 0) {
                return word;
            }
        }
        p += n == 0;
    }
    return nullptr;
}

static simdjson::error_code parse_large_numbers(json_parser *p, str text,
                                                simdjson::dom::element *out)
{
    std::size_t n = with_smaller_numbers(text, nullptr);
    std::unique_ptr<char[]> copy(new (std::nothrow) char[n + JSON_PADDING]());
    if (!copy) {
        return simdjson::MEMALLOC;
    }
    (void)with_smaller_numbers(text, copy.get());
    return p->dom.parse(copy.get(), n, false).get(*out);
}

static winnow_status parse(json_parser *p, str text, bool copy, json_value *root, winnow_error *err)
{
    *root = json_value{nullptr, 0};
    simdjson::dom::element element;
    auto code =
        p->dom.parse(reinterpret_cast<const std::uint8_t *>(text.ptr), text.len, copy).get(element);
    if (code == simdjson::NUMBER_ERROR) {
        code = parse_large_numbers(p, text, &element);
    }
    if (code == simdjson::MEMALLOC || code == simdjson::CAPACITY) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to parse %zu bytes of JSON", text.len);
    }
    const char *word = code != simdjson::SUCCESS ? foreign_word(text) : nullptr;
    if (word) {
        return error_set(err, WINNOW_E_FORMAT, "not JSON: JSON has no value %s", word);
    }
    if (code != simdjson::SUCCESS) {
        return error_set(err, WINNOW_E_FORMAT, "not JSON: %s", simdjson::error_message(code));
    }
    *root = json_value{&p->dom.doc, 1};
    return WINNOW_OK;
}

extern "C" winnow_status json_parse(struct json_parser *p, struct str text, struct json_value *root,
                                    struct winnow_error *err)
{
    return parse(p, text, true, root, err);
}

extern "C" winnow_status json_parse_padded(struct json_parser *p, struct str text,
                                           struct json_value *root, struct winnow_error *err)
{
    return parse(p, text, false, root, err);
}

extern "C" enum json_kind json_kind(struct json_value v)
{
    if (!v.document) {
        return JSON_NONE;
    }
    switch (tag(v)) {
    case 'n':
        return JSON_NULL;
    case 't':
    case 'f':
        return JSON_BOOL;
    case 'l':
    case 'u':
    case 'd':
        return JSON_NUMBER;
    case '"':
        return JSON_STRING;
    case '[':
        return JSON_ARRAY;
    case '{':
        return JSON_OBJECT;
    default:
        return JSON_NONE;
    }
}

extern "C" bool json_as_str(struct json_value v, struct str *out)
{
    if (json_kind(v) != JSON_STRING) {
        return false;
    }
    *out = string_at(v);
    return true;
}

extern "C" bool json_as_bool(struct json_value v, bool *out)
{
    if (json_kind(v) != JSON_BOOL) {
        return false;
    }
    *out = tag(v) == 't';
    return true;
}

extern "C" bool json_as_double(struct json_value v, double *out)
{
    if (json_kind(v) != JSON_NUMBER) {
        return false;
    }
    std::uint64_t bits = doc_of(v)->tape[v.index + 1];
    switch (tag(v)) {
    case 'l':
        *out = static_cast<double>(static_cast<std::int64_t>(bits));
        return true;
    case 'u':
        *out = static_cast<double>(bits);
        return true;
    default:
        std::memcpy(out, &bits, sizeof bits);
        return true;
    }
}

extern "C" bool json_as_i64(struct json_value v, int64_t *out)
{
    if (json_kind(v) != JSON_NUMBER || tag(v) != 'l') {
        return false;
    }
    *out = static_cast<std::int64_t>(doc_of(v)->tape[v.index + 1]);
    return true;
}

extern "C" bool json_as_u64(struct json_value v, uint64_t *out)
{
    if (json_kind(v) != JSON_NUMBER || tag(v) == 'd') {
        return false;
    }
    std::uint64_t bits = doc_of(v)->tape[v.index + 1];
    if (tag(v) == 'l' && static_cast<std::int64_t>(bits) < 0) {
        return false;
    }
    *out = bits;
    return true;
}

extern "C" struct json_iter json_walk(struct json_value container)
{
    struct json_iter it;
    std::memset(&it, 0, sizeof it);
    enum json_kind kind = json_kind(container);
    if (kind == JSON_ARRAY || kind == JSON_OBJECT) {
        it.document = container.document;
        it.at = container.index + 1;
        it.end = behind(container) - 1;
        it.object = kind == JSON_OBJECT;
    }
    return it;
}

extern "C" bool json_next(struct json_iter *it)
{
    if (!it->document || it->at >= it->end) {
        return false;
    }
    if (it->object) {
        it->key = string_at(json_value{it->document, it->at});
        it->at++;
    }
    it->value = json_value{it->document, it->at};
    it->at = behind(it->value);
    return true;
}

extern "C" struct json_value json_get_str(struct json_value object, struct str key)
{
    if (json_kind(object) == JSON_OBJECT) {
        struct json_iter it = json_walk(object);
        while (json_next(&it)) {
            if (str_eq(it.key, key)) {
                return it.value;
            }
        }
    }
    return json_value{nullptr, 0};
}

extern "C" struct json_value json_get(struct json_value object, const char *key)
{
    return json_get_str(object, str_of(key));
}

extern "C" size_t json_count(struct json_value container)
{
    size_t n = 0;
    struct json_iter it = json_walk(container);
    while (json_next(&it)) {
        n++;
    }
    return n;
}
