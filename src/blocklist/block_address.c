/* block_address.c -- addresses and lines of lists, taken apart. */
#include "blocklist/block_address.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
           (unsigned char)c >= 0x80;
}

static struct str without_scheme(struct str s)
{
    size_t scheme = str_find(s, STR_LIT("://"));
    size_t path = 0;
    while (path < s.len && s.ptr[path] != '/' && s.ptr[path] != '?') {
        path++;
    }
    if (scheme != SIZE_MAX && scheme < path) {
        s = str_sub(s, scheme + 3, s.len);
    } else if (str_starts(s, STR_LIT("//"))) {
        s = str_sub(s, 2, s.len);
    }
    return s;
}

/* The host of s without user and port; *rest is what comes behind. */
static struct str split_host(struct str s, struct str *rest)
{
    size_t end = 0, from = 0;
    while (end < s.len && s.ptr[end] != '/' && s.ptr[end] != '?' && s.ptr[end] != '#') {
        from = s.ptr[end] == '@' ? end + 1 : from;
        end++;
    }
    *rest = str_sub(s, end, s.len);
    struct str host = str_sub(s, from, end);
    const char *port = host.len > 0 ? memchr(host.ptr, ':', host.len) : NULL;
    host.len = port ? (size_t)(port - host.ptr) : host.len;
    while (host.len > 0 && host.ptr[host.len - 1] == '.') {
        host.len--;
    }
    return host;
}

/* Two labels at least, none empty. */
static bool check_host(struct block_address *a)
{
    size_t label = 0, labels = 1;
    a->numeric = true;
    for (size_t i = 0; i < a->host; i++) {
        char c = a->text[i];
        if (!is_host_byte(c) || (c == '.' && label == 0)) {
            return false;
        }
        labels += c == '.';
        label = c == '.' ? 0 : label + 1;
        a->numeric = a->numeric && (c == '.' || (c >= '0' && c <= '9'));
    }
    return label > 0 && labels > 1;
}

bool block_address_read(struct str text, struct block_address *out)
{
    struct str rest, host = split_host(without_scheme(str_trim(text)), &rest);
    size_t dot = host.len > 4 ? str_find(str_sub(host, 4, host.len), STR_LIT(".")) : SIZE_MAX;
    out->len = 0;
    if (dot != SIZE_MAX && (host.ptr[0] | 0x20) == 'w' && (host.ptr[1] | 0x20) == 'w' &&
        (host.ptr[2] | 0x20) == 'w' && host.ptr[3] == '.') {
        host = str_sub(host, 4, host.len);
    }
    for (size_t i = 0; i < host.len && out->len < BLOCK_ADDRESS_MAX; i++) {
        out->text[out->len++] = lower(host.ptr[i]);
    }
    out->host = out->len;
    if (out->host == BLOCK_ADDRESS_MAX || !check_host(out)) {
        return false;
    }
    for (size_t i = 0; i < rest.len && rest.ptr[i] != '#' && out->len < BLOCK_ADDRESS_MAX; i++) {
        out->text[out->len++] = lower(rest.ptr[i]);
    }
    while (out->len > out->host &&
           (out->text[out->len - 1] == '/' || out->text[out->len - 1] == '?')) {
        out->len--;
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The first word of *rest, which is taken off. */
static struct str take_word(struct str *rest)
{
    size_t end = 0;
    while (end < rest->len && !is_blank(rest->ptr[end])) {
        end++;
    }
    struct str word = str_sub(*rest, 0, end);
    *rest = str_trim(str_sub(*rest, end, rest->len));
    return word;
}

static bool is_ip(struct str word)
{
    size_t i = 0;
    while (i < word.len && strchr("0123456789abcdefABCDEF.:", word.ptr[i]) != NULL) {
        i++;
    }
    return i == word.len;
}

enum block_line block_line_read(struct str line, struct block_address *out)
{
    line = str_trim(line);
    if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == '!' || line.ptr[0] == ';' ||
        line.ptr[0] == '[') {
        return BLOCK_NOTHING;
    }
    struct str rest = line, word = take_word(&rest);
    if (rest.len > 0 && rest.ptr[0] != '#') { /* a hosts file: where to, and the name */
        bool is_hosts = is_ip(word);
        word = take_word(&rest);
        if (!is_hosts || (rest.len > 0 && rest.ptr[0] != '#')) {
            return BLOCK_WRONG;
        }
    }
    if (str_starts(word, STR_LIT("||"))) {
        word = str_sub(word, 2, word.len);
        if (word.len == 0 || word.ptr[word.len - 1] != '^') {
            return BLOCK_WRONG; /* a rule of more than a domain */
        }
        word.len--;
    } else if (str_starts(word, STR_LIT("*."))) {
        word = str_sub(word, 2, word.len);
    }
    return block_address_read(word, out) ? BLOCK_ENTRY : BLOCK_WRONG;
}
