/* line_features.c -- numbers and n-grams of a page's lines.
 *
 * Two passes: the first scans every line and fills small tables of the page
 * (lines and shapes seen, words of the first line, words of long lines); the
 * second writes what the model sees.  Tables are hashed without resolving
 * collisions, which costs a little accuracy and bounds the memory. */
#include "lines/line_features.h"

#include "lines/line_scan.h"

#include <assert.h>
#include <math.h>

#define COUNTS    16384U /* slots of the page's tables */
#define LONG_LINE 80U    /* bytes */

struct page_tables {
    uint16_t lines[COUNTS], shapes[COUNTS]; /* how often */
    uint16_t seen[COUNTS];                  /* lines so far, in the second pass */
    uint8_t title[COUNTS];                  /* words of the first line */
    uint16_t content[COUNTS];               /* words of long lines */
    uint64_t bytes, bytes_long;
    double log_sum;
    size_t count;
};

_Static_assert(sizeof(struct page_tables) <= LINE_PAGE_TABLES, "told to who plans memory");

static uint32_t slot(uint32_t hash)
{
    return hash & (COUNTS - 1);
}

static void count_up(uint16_t *n)
{
    *n = *n < UINT16_MAX ? (uint16_t)(*n + 1) : *n;
}

static void fill_tables(struct page_tables *t, const struct line_scan *scans, size_t count)
{
    t->count = count;
    for (size_t i = 0; i < count; i++) {
        const struct line_scan *s = &scans[i];
        count_up(&t->lines[slot(s->hash)]);
        count_up(&t->shapes[slot(s->shape)]);
        t->bytes += s->bytes;
        t->log_sum += log1p((double)s->bytes);
        bool is_long = s->bytes >= LONG_LINE;
        t->bytes_long += is_long ? s->bytes : 0;
        for (uint32_t w = 0; w < s->shown; w++) {
            if (!s->words[w].stop && i == 0) {
                t->title[slot(s->words[w].hash)] = 1;
            }
            if (!s->words[w].stop && is_long) {
                count_up(&t->content[slot(s->words[w].hash)]);
            }
        }
    }
}

static float log_part(double x, double scale)
{
    return (float)(log1p(x) / scale);
}

static float share(uint32_t part, uint32_t whole)
{
    return whole > 0 ? (float)part / (float)whole : 0.0F;
}

/* Writes features one after another. */
struct feature_out {
    float *at;
};

static void put(struct feature_out *o, float x)
{
    *o->at++ = x;
}

static void put_flag(struct feature_out *o, bool x)
{
    *o->at++ = x ? 1.0F : 0.0F;
}

static void put_length(struct feature_out *o, const struct line_scan *s)
{
    static const uint32_t BYTES[] = {4, 10, 20, 40, 80, 160, 320};
    static const uint32_t WORDS[] = {2, 4, 8, 16};
    put(o, log_part(s->bytes, 6));
    for (size_t i = 0; i < sizeof BYTES / sizeof BYTES[0]; i++) {
        put_flag(o, s->bytes >= BYTES[i]);
    }
    put(o, log_part(s->word_count, 5));
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        put_flag(o, s->word_count >= WORDS[i]);
    }
    uint32_t letters = s->kinds[BYTE_LOWER] + s->kinds[BYTE_UPPER] + s->kinds[BYTE_DIGIT];
    put(o, fminf(share(letters, s->word_count) / 10, 2.0F));
}

static void put_characters(struct feature_out *o, const struct line_scan *s)
{
    uint32_t letters = s->kinds[BYTE_LOWER] + s->kinds[BYTE_UPPER];
    put(o, share(s->kinds[BYTE_DIGIT], s->bytes));
    put(o, share(s->kinds[BYTE_UPPER], letters));
    put(o, share(s->capital_count, s->word_count));
    put(o, share(s->kinds[BYTE_PUNCT], s->bytes));
    put(o, share(s->high, s->bytes));
    put(o, share(s->stop_count, s->word_count));
    put_flag(o, s->stop_count > 0);
    put_flag(o, letters > 0 && s->kinds[BYTE_LOWER] == 0);
    put_flag(o, letters == 0);
    put(o, fminf(share(s->commas, s->word_count) * 5, 2.0F));
    put(o, log_part(s->bars, 3));
    put(o, log_part(s->quotes, 3));
    put(o, log_part(s->parens, 3));
    put(o, log_part(s->braces, 3));
    put(o, log_part(s->code, 3));
    put(o, log_part(s->money, 3));
    put_flag(o, s->at_sign);
    put_flag(o, s->link);
    put_flag(o, s->copyright);
    put_flag(o, s->last == '.' || s->last == '!' || s->last == '?');
    put_flag(o, s->last == '?');
    put_flag(o, s->last == ':');
    put_flag(o, s->last == ',' || s->last == ';');
    put_flag(o, s->ellipsis);
    put_flag(o, s->first >= '0' && s->first <= '9');
    put_flag(o, s->first >= 'a' && s->first <= 'z');
    put_flag(o, s->kinds[BYTE_PUNCT] > 0 && s->first > ' ' && s->first < '0');
    put(o, log_part(s->indent, 3));
}

static void put_page(struct feature_out *o, struct page_tables *t, const struct line_scan *s)
{
    uint32_t title = 0, content = 0, words = 0;
    uint32_t own = s->bytes >= LONG_LINE; /* a long line's own words do not count */
    for (uint32_t w = 0; w < s->shown; w++) {
        if (!s->words[w].stop) {
            words++;
            title += t->title[slot(s->words[w].hash)];
            content += t->content[slot(s->words[w].hash)] > own;
        }
    }
    uint16_t *seen = &t->seen[slot(s->hash)];
    put(o, share(title, words));
    put(o, share(content, words));
    put(o, log_part(t->lines[slot(s->hash)] - 1, 3));
    put_flag(o, *seen > 0);
    put(o, log_part(t->shapes[slot(s->shape)] - 1, 5));
    count_up(seen);
}

static void put_place(struct feature_out *o, const struct page_tables *t,
                      const struct line_scan *scans, size_t i, uint64_t bytes_before)
{
    double n = (double)t->count, at = (double)i;
    put(o, (float)(at / n));
    put(o, log_part(at, 7));
    put(o, log_part(n - 1 - at, 7));
    put(o, (float)((double)bytes_before / ((double)t->bytes + 1)));
    put(o, log_part(n, 7));
    put(o, log_part((double)t->bytes, 12));
    put(o, (float)((double)t->bytes_long / ((double)t->bytes + 1)));
    put(o, (float)(t->log_sum / n / 6));
    put_flag(o, i > 0 && scans[i - 1].shape == scans[i].shape);
    put_flag(o, i + 1 < t->count && scans[i + 1].shape == scans[i].shape);
    double near = 0;
    size_t from = i > 4 ? i - 4 : 0, to = i + 5 < t->count ? i + 5 : t->count;
    for (size_t j = from; j < to; j++) {
        near += log1p((double)scans[j].bytes);
    }
    put(o, (float)(near / (double)(to - from) / 6));
}

/* Tokens being written. */
struct token_out {
    uint32_t *at;
    uint32_t mask;
};

static void put_token(struct token_out *o, uint32_t hash, uint32_t seed)
{
    *o->at++ = line_mix(hash ^ seed) & o->mask;
}

static void put_tokens(struct token_out *o, const struct line_scan *s, const uint32_t *base,
                       uint32_t *ends)
{
    for (uint32_t w = 0; w < s->shown; w++) {
        put_token(o, s->words[w].hash, 0x1B873593U);
    }
    ends[0] = (uint32_t)(o->at - base);
    uint32_t before = 0x3C6EF372U; /* stands for the line's start */
    for (uint32_t w = 0; w < s->shown; w++) {
        if (w == LINE_HEAD && s->word_count > LINE_WORDS) {
            before = 0x78DDE6E4U; /* what lies between was not read */
        }
        put_token(o, before * 31U + s->words[w].hash, 0xCC9E2D51U);
        before = s->words[w].hash;
    }
    put_token(o, before * 31U + 0x510E527FU, 0xCC9E2D51U); /* and the end */
    ends[1] = (uint32_t)(o->at - base);
    for (uint32_t w = 0; w < s->shown; w++) {
        put_token(o, s->words[w].prefix, 0x85EBCA6BU);
        put_token(o, s->words[w].suffix, 0xC2B2AE35U);
    }
    put_token(o, s->shape, 0x27D4EB2FU);
    ends[2] = (uint32_t)(o->at - base);
}

/* The two groups of the structure, which line_structure.c has hashed. */
static void put_origin(struct token_out *o, const struct line_origin *origin, const uint32_t *base,
                       uint32_t *ends)
{
    const struct line_structure *s = origin ? origin->from : NULL;
    for (size_t g = 0; g < LINE_STRUCTURE_GROUPS; g++) {
        size_t at = s ? origin->row * LINE_STRUCTURE_GROUPS + g : 0;
        uint32_t from = s && at > 0 ? s->ends[at - 1] : 0, to = s ? s->ends[at] : 0;
        if (to > from) {
            memcpy(o->at, s->tokens + from, (to - from) * sizeof *o->at);
            o->at += to - from;
        }
        ends[g] = (uint32_t)(o->at - base);
    }
}

static size_t origin_tokens(const struct line_origin *origin)
{
    const struct line_structure *s = origin->from;
    size_t end = (origin->row + 1) * LINE_STRUCTURE_GROUPS;
    return !s ? 0
              : s->ends[end - 1] - (origin->row > 0 ? s->ends[end - 1 - LINE_STRUCTURE_GROUPS] : 0);
}

/* What is known of the lines' structure, zeros where nothing is. */
static float *copy_structure(const struct line_origin *origins, size_t count, struct arena *keep)
{
    float *out = origins ? ARENA_NEW(keep, float, count *LINE_STRUCTURE + 1) : NULL;
    for (size_t i = 0; out && i < count; i++) {
        const struct line_structure *s = origins[i].from;
        if (s) {
            assert(origins[i].row < s->count);
            memcpy(out + i * LINE_STRUCTURE, s->dense + origins[i].row * LINE_STRUCTURE,
                   LINE_STRUCTURE * sizeof *out);
        }
    }
    return out;
}

void line_features_build(const struct str *lines, const struct line_origin *origins, size_t count,
                         uint32_t rows, struct arena *keep, struct line_features *out)
{
    assert(count <= LINE_PART_MAX && rows > 0 && (rows & (rows - 1)) == 0);
    struct line_scan *scans = ARENA_NEW(keep, struct line_scan, count + 1);
    struct page_tables *tables = ARENA_NEW(keep, struct page_tables, 1);
    size_t tokens_max = 0;
    for (size_t i = 0; i < count; i++) {
        line_scan(lines[i], &scans[i]);
        tokens_max += 4 * (size_t)scans[i].shown + 2;
        tokens_max += origins ? origin_tokens(&origins[i]) : 0;
    }
    fill_tables(tables, scans, count);
    uint32_t *tokens = ARENA_NEW(keep, uint32_t, tokens_max + 1);
    uint32_t *ends = ARENA_NEW(keep, uint32_t, count * LINE_GROUPS + 1);
    out->count = count;
    out->dense = ARENA_NEW(keep, float, count *LINE_DENSE + 1);
    out->structure = copy_structure(origins, count, keep);
    out->tokens = tokens;
    out->ends = ends;
    struct token_out token = {tokens, rows - 1};
    uint64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        struct feature_out o = {out->dense + i * LINE_DENSE};
        put_length(&o, &scans[i]);
        put_characters(&o, &scans[i]);
        put_page(&o, tables, &scans[i]);
        put_place(&o, tables, scans, i, before);
        put(&o, 1.0F);
        assert(o.at <= out->dense + (i + 1) * LINE_DENSE);
        before += scans[i].bytes;
        put_tokens(&token, &scans[i], tokens, ends + i * LINE_GROUPS);
        put_origin(&token, origins ? &origins[i] : NULL, tokens,
                   ends + i * LINE_GROUPS + LINE_TEXT_GROUPS);
    }
    assert((size_t)(token.at - tokens) <= tokens_max);
}
