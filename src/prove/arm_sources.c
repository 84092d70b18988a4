/* arm_sources.c -- sources by name, and how much of the corpus each is. */
#include "prove/arm_sources.h"

#include "base/hash.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

#define NAMED_AT_MOST 20U /* sources in a sentence */
#define PLAIN_LONGEST 100U
#define PLAIN_KEPT    60U

static const char WITHOUT[] = "without:";

const char *arm_source_of(const char *base)
{
    size_t n = sizeof WITHOUT - 1;
    return strncmp(base, WITHOUT, n) == 0 ? base + n : NULL;
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-_.+:", c));
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < ' ' || s.ptr[i] > '~') {
            return false;
        }
    }
    return true;
}

/* Of a long name the beginning and a hash of the whole; of what no letter is left of, the hash
 * tells the one from the other. */
static void add_plain(struct str text, struct buf *out)
{
    size_t from = out->len;
    bool cut = text.len > PLAIN_LONGEST;
    buf_add_str(out, cut ? str_sub(text, 0, PLAIN_KEPT) : text);
    for (size_t i = from; i < out->len; i++) {
        out->ptr[i] = is_plain(out->ptr[i]) ? out->ptr[i] : '-';
    }
    if (cut || !is_ascii(text)) {
        buf_addf(out, "-%016" PRIx64, hash64(text, 0));
    }
}

static const char *keep_name(struct experiment *x, struct buf *text)
{
    const char *name = arena_strndup(&x->keep, buf_cstr(text), text->len);
    buf_release(text);
    return name;
}

const char *arm_source_name(struct experiment *x, const char *text)
{
    struct buf name = {0};
    const char *ways = text + strcspn(text, "+");
    add_plain((struct str){text, (size_t)(ways - text)}, &name);
    for (; *ways; ways++) {
        buf_add_char(&name, is_plain(*ways) ? *ways : '-');
    }
    return keep_name(x, &name);
}

/* What each source holds that can be trained on. */
struct held {
    uint64_t *tokens; /* by source */
    uint64_t all;
};

static void count_tokens(const struct experiment *x, struct held *h)
{
    const struct text_set *set = &x->sets[0];
    struct draw_line line;
    draw_line_init(&line, set, &x->excluded, &x->packer, 0);
    h->tokens = mem_zalloc((x->names.map.count + 1) * sizeof *h->tokens);
    for (size_t i = 0; i < line.count; i++) {
        uint64_t tokens = draw_line_tokens(&line, i, i + 1);
        h->tokens[set->meta[line.items[i]].source] += tokens;
        h->all += tokens;
    }
    draw_line_release(&line);
}

static winnow_status no_such_source(struct experiment *x, const struct arm *a, const struct held *h,
                                    struct winnow_error *err)
{
    struct buf list = {0};
    uint32_t named = 0, more = 0;
    for (uint32_t s = 0; s < x->names.map.count; s++) {
        struct str name = source_name(&x->names, s);
        if (h->tokens[s] == 0) {
            continue;
        }
        if (named == NAMED_AT_MOST) {
            more++;
            continue;
        }
        buf_addf(&list, "%s\"%s\"", named++ > 0 ? ", " : "", arm_shown(&x->keep, name));
    }
    if (more > 0) {
        buf_addf(&list, " and %u more", more);
    }
    winnow_status st =
        error_set(err, WINNOW_E_USAGE,
                  "the arm \"%s\": no document of the corpus has the source \"%s\"; its "
                  "sources are %s",
                  a->name, arm_shown(&x->keep, a->without), buf_cstr(&list));
    buf_release(&list);
    return st;
}

static winnow_status check_rest(struct experiment *x, const struct arm *a, const struct held *h,
                                struct winnow_error *err)
{
    uint64_t left = h->all - h->tokens[a->source];
    uint64_t need = arm_way_tokens(&a->way, x->tokens);
    if (left == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "the arm \"%s\": all documents of the corpus have the source \"%s\"; "
                         "without it there is nothing to train on",
                         a->name, arm_shown(&x->keep, a->without));
    }
    if (left < need && !x->opt->fixed_pool) {
        return error_set(err, WINNOW_E_FORMAT,
                         "arm \"%s\" holds %" PRIu64 " tokens, fewer than the %" PRIu64
                         " that each arm trains on; lower --tokens, or repeat documents with "
                         "--fixed-pool",
                         a->name, left, need);
    }
    return WINNOW_OK;
}

static winnow_status find_source(struct experiment *x, struct arm *a, const struct held *h,
                                 struct winnow_error *err)
{
    const uint64_t *number = map_get(&x->names.map, a->without);
    if (!number || h->tokens[*number] == 0) {
        return no_such_source(x, a, h, err);
    }
    a->source = (uint32_t)*number;
    a->source_share = (double)h->tokens[a->source] / (double)h->all;
    return check_rest(x, a, h, err);
}

/* ---- one arm a source ---- */

static bool is_taken(const struct experiment *x, const char *name)
{
    for (uint32_t i = 0; i < x->arm_count; i++) {
        if (strcmp(x->arms[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Sources that differ in other characters alone get a number behind. */
static const char *free_name(struct experiment *x, struct str source, const char *ways)
{
    struct buf whole = {0}, text = {0};
    const char *name = NULL;
    buf_add_text(&whole, WITHOUT);
    buf_add_str(&whole, source);
    for (unsigned n = 1; !name || is_taken(x, name); n++) {
        add_plain(buf_str(&whole), &text);
        if (n > 1) {
            buf_addf(&text, "-%u", n);
        }
        buf_add_text(&text, ways);
        name = keep_name(x, &text);
    }
    buf_release(&whole);
    return name;
}

/* Whether an arm without it, trained on in the same way, was named beside "without:*". */
static bool is_there(const struct experiment *x, struct str source, const char *ways)
{
    for (uint32_t i = 0; i < x->arm_count; i++) {
        const struct arm *a = &x->arms[i];
        const char *own = strchr(a->name, '+');
        if (a->kind == ARM_WITHOUT && str_eq(source, a->without) &&
            strcmp(own ? own : "", ways) == 0) {
            return true;
        }
    }
    return false;
}

/* The sources that "without:*" makes an arm of. */
static uint32_t list_sources(const struct experiment *x, const char *ways, const struct held *h,
                             uint32_t *out)
{
    uint32_t count = 0;
    for (uint32_t s = 0; s < x->names.map.count; s++) {
        if (h->tokens[s] > 0 && !is_there(x, source_name(&x->names, s), ways)) {
            out[count++] = s;
        }
    }
    return count;
}

/* Puts arms of all sources into the place of arm `at`. */
static winnow_status expand(struct experiment *x, uint32_t at, const uint32_t *sources,
                            uint32_t count, struct winnow_error *err)
{
    const struct arm all = x->arms[at];
    const char *ways = strchr(all.name, '+');
    if (x->arm_count - 1 + count > PROVE_ARMS_MAX) {
        return error_set(err, WINNOW_E_USAGE,
                         "the arm \"%s\" makes %u arms of as many sources, and a proof has %d at "
                         "most; name the sources in question: without:SOURCE",
                         all.name, count, PROVE_ARMS_MAX);
    }
    memmove(x->arms + at + count, x->arms + at + 1, (x->arm_count - at - 1) * sizeof *x->arms);
    x->arm_count += count - 1;
    for (uint32_t i = 0; i < count; i++) { /* names of all are there when one is looked for */
        x->arms[at + i] = all;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct str name = source_name(&x->names, sources[i]);
        struct arm *a = &x->arms[at + i];
        a->without = name;
        a->name = free_name(x, name, ways ? ways : "");
    }
    return WINNOW_OK;
}

static winnow_status expand_all(struct experiment *x, const struct held *h,
                                struct winnow_error *err)
{
    uint32_t *sources = mem_alloc((x->names.map.count + 1) * sizeof *sources);
    winnow_status st = WINNOW_OK;
    for (uint32_t i = 0; i < x->arm_count && st == WINNOW_OK; i++) {
        const struct arm *a = &x->arms[i];
        if (a->kind == ARM_WITHOUT && str_is(a->without, "*")) {
            const char *ways = strchr(a->name, '+');
            uint32_t count = list_sources(x, ways ? ways : "", h, sources);
            st = expand(x, i, sources, count, err);
            i += count - 1; /* back by one where there is none */
        }
    }
    mem_free(sources);
    return st;
}

static winnow_status find_all(struct experiment *x, const struct held *h, struct winnow_error *err)
{
    TRY(expand_all(x, h, err));
    for (uint32_t i = 0; i < x->arm_count; i++) {
        if (x->arms[i].kind == ARM_WITHOUT) {
            TRY(find_source(x, &x->arms[i], h, err));
        }
    }
    return WINNOW_OK;
}

winnow_status arm_sources_find(struct experiment *x, struct winnow_error *err)
{
    struct held h = {0};
    bool any = false;
    for (uint32_t i = 0; i < x->arm_count; i++) {
        any = any || x->arms[i].kind == ARM_WITHOUT;
    }
    if (!any) {
        return WINNOW_OK;
    }
    count_tokens(x, &h);
    winnow_status st = find_all(x, &h, err);
    mem_free(h.tokens);
    return st;
}
