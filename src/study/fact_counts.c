/* fact_counts.c -- sentences to words, words to phrases; blocks on all threads, joined in order.
 *
 * At each word that a phrase begins with, rows of words as long as such phrases get are looked
 * up: slices of the sentence, whose words stand one blank apart. */
#include "study/fact_counts.h"

#include "base/file.h"
#include "base/grow.h"
#include "base/mem.h"
#include "base/sort.h"
#include "corpus/scan.h"
#include "study/fact_state.h"

#define BLOCK_BYTES ((size_t)16 << 20)      /* a block on its way, with what is found in it */
#define KIND_OF(v)  ((unsigned)((v) >> 62)) /* of a phrase's value */
#define NUMBER(v)   ((v) & (((uint64_t)1 << 62) - 1))
enum { IS_SUBJECT = 1, IS_OBJECT = 2 }; /* bits: a phrase may be both */

/* ---- phrases ---- */

static bool is_word_byte(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Appends the words of s, each behind a blank where something stands before it. */
static void add_words(struct buf *out, struct str s)
{
    bool in_word = false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (is_word_byte(c)) {
            if (!in_word && out->len > 0) {
                buf_add_char(out, ' ');
            }
            buf_add_char(out, (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c));
        }
        in_word = is_word_byte(c);
    }
}

static void add_phrase(struct fact_counts *c, const struct buf *words, unsigned kind)
{
    struct str s = buf_str(words);
    bool is_new;
    size_t count = 1, end = str_find(s, STR_LIT(" "));
    if (s.len == 0) {
        return;
    }
    for (size_t i = 0; i < s.len; i++) {
        count += s.ptr[i] == ' ';
    }
    uint64_t *value = map_put(&c->phrases, s, &is_new);
    if (is_new) {
        *value = c->phrases.count - 1;
    }
    *value |= (uint64_t)kind << 62;
    uint64_t *most = map_put(&c->firsts, str_sub(s, 0, end == SIZE_MAX ? s.len : end), NULL);
    *most = *most < count ? count : *most;
}

struct phrase_parts {
    struct str before, subject, middle, object;
};

static void make_phrase(struct buf *b, const struct phrase_parts *p)
{
    buf_clear(b);
    add_words(b, p->before);
    add_words(b, p->subject);
    add_words(b, p->middle);
    add_words(b, p->object);
}

static struct str name_of(const struct map *m, uint32_t i)
{
    return m->entries[i].key;
}

void fact_counts_init(struct fact_counts *c, const struct facts *facts)
{
    *c = (struct fact_counts){.facts = facts};
    struct buf b = {0};
    for (uint32_t i = 0; i < facts->subjects.count; i++) {
        make_phrase(&b, &(struct phrase_parts){.subject = name_of(&facts->subjects, i)});
        add_phrase(c, &b, IS_SUBJECT);
    }
    for (uint32_t i = 0; i < facts->objects.count; i++) {
        make_phrase(&b, &(struct phrase_parts){.object = name_of(&facts->objects, i)});
        add_phrase(c, &b, IS_OBJECT);
    }
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact *f = &facts->items[i];
        const struct relation *r = &facts->choices[f->relation];
        struct phrase_parts p = {.subject = name_of(&facts->subjects, f->subject)};
        for (size_t k = 0; k < r->count; k++) {
            struct str subject = p.subject, before;
            p.object = name_of(&facts->objects, r->objects[k]);
            pattern_parts(name_of(&facts->patterns, f->pattern), &p.before, &p.middle);
            make_phrase(&b, &p);
            add_phrase(c, &b, 0);
            before = p.before;
            p.before = p.subject = (struct str){0};
            make_phrase(&b, &p);
            add_phrase(c, &b, 0);
            p.before = before;
            p.subject = subject;
        }
    }
    c->counts = mem_zalloc((c->phrases.count + 1) * sizeof *c->counts);
    buf_release(&b);
}

void fact_counts_release(struct fact_counts *c)
{
    map_release(&c->phrases);
    map_release(&c->firsts);
    map_release(&c->pairs);
    mem_free(c->counts);
    *c = (struct fact_counts){0};
}

/* ---- sentences ---- */

/* What was found in a block: of each sentence its phrases' values, ascending, then END. */
#define END UINT64_MAX
struct found {
    uint64_t *items;
    size_t count, cap;
    uint64_t sentences;
    struct buf words;
};

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void find_at(const struct fact_counts *c, struct str rest, uint64_t most, struct found *f)
{
    size_t end = 0;
    for (uint64_t n = 0; n < most && end < rest.len; n++) {
        size_t blank = str_find(str_sub(rest, end + (n > 0), rest.len), STR_LIT(" "));
        end = blank == SIZE_MAX ? rest.len : end + (n > 0) + blank;
        const uint64_t *value = map_get(&c->phrases, str_sub(rest, 0, end));
        if (value) {
            GROW(f->items, f->count, f->cap, 256);
            f->items[f->count++] = *value;
        }
    }
}

static void find_in_sentence(const struct fact_counts *c, struct str sentence, struct found *f)
{
    size_t from = f->count, kept;
    buf_clear(&f->words);
    add_words(&f->words, sentence);
    struct str words = buf_str(&f->words);
    f->sentences += words.len > 0;
    for (size_t at = 0; at < words.len;) {
        size_t blank = str_find(str_sub(words, at, words.len), STR_LIT(" "));
        size_t end = blank == SIZE_MAX ? words.len : at + blank;
        const uint64_t *most = map_get(&c->firsts, str_sub(words, at, end));
        if (most) {
            find_at(c, str_sub(words, at, words.len), *most, f);
        }
        at = end + 1;
    }
    if (f->count == from) {
        return;
    }
    sort(f->items + from, f->count - from, sizeof *f->items, by_value);
    kept = from;
    for (size_t i = from; i < f->count; i++) {
        if (i == from || f->items[i] != f->items[i - 1]) {
            f->items[kept++] = f->items[i];
        }
    }
    f->count = kept;
    GROW(f->items, f->count, f->cap, 256);
    f->items[f->count++] = END;
}

static void find_in_text(const struct fact_counts *c, struct str text, struct found *f)
{
    size_t from = 0;
    for (size_t i = 0; i <= text.len; i++) {
        char ch = i < text.len ? text.ptr[i] : '\n';
        if (ch == '.' || ch == '!' || ch == '?' || ch == '\n') {
            find_in_sentence(c, str_sub(text, from, i), f);
            from = i + 1 <= text.len ? i + 1 : text.len;
        }
    }
}

/* ---- counting ---- */

static void count_pair(struct fact_counts *c, uint64_t subject, uint64_t object)
{
    const uint32_t key[2] = {(uint32_t)subject, (uint32_t)object};
    ++*map_put(&c->pairs, (struct str){(const char *)key, sizeof key}, NULL);
}

static void take_found(struct fact_counts *c, const struct found *f)
{
    c->sentences += f->sentences;
    for (size_t from = 0, to; from < f->count; from = to + 1) {
        for (to = from; f->items[to] != END; to++) {
            c->counts[NUMBER(f->items[to])]++;
        }
        for (size_t s = from; s < to; s++) {
            for (size_t o = from; o < to && (KIND_OF(f->items[s]) & IS_SUBJECT); o++) {
                if (o != s && (KIND_OF(f->items[o]) & IS_OBJECT)) {
                    count_pair(c, NUMBER(f->items[s]), NUMBER(f->items[o]));
                }
            }
        }
    }
}

static void found_release(struct found *f)
{
    mem_free(f->items);
    buf_release(&f->words);
    *f = (struct found){0};
}

void fact_counts_text(struct fact_counts *c, struct str text)
{
    struct found f = {0};
    find_in_text(c, text, &f);
    take_found(c, &f);
    found_release(&f);
}

struct counting {
    struct fact_counts *counts;
    const struct winnow_env *env;
    uint64_t threads;
};

static void *new_piece(void *ctx, uint32_t worker)
{
    (void)ctx;
    (void)worker;
    return mem_zalloc(sizeof(struct found));
}

static winnow_status count_document(void *ctx, void *piece, const struct document *d,
                                    const char *shard, struct winnow_error *err)
{
    (void)shard;
    (void)err;
    const struct counting *c = ctx;
    find_in_text(c->counts, d->text, piece);
    return WINNOW_OK;
}

static void free_piece(void *ctx, void *piece)
{
    (void)ctx;
    found_release(piece);
    mem_free(piece);
}

static uint64_t bytes_of(const struct fact_counts *c)
{
    const struct map *maps[] = {&c->phrases, &c->firsts, &c->pairs};
    uint64_t bytes = c->phrases.count * sizeof *c->counts;
    for (size_t i = 0; i < 3; i++) {
        bytes += maps[i]->cap * sizeof *maps[i]->entries +
                 maps[i]->slot_count * sizeof *maps[i]->slots + maps[i]->count * 32;
    }
    return bytes;
}

static winnow_status join(void *ctx, void *piece, bool *stop, struct winnow_error *err)
{
    struct counting *c = ctx;
    *stop = false;
    take_found(c->counts, piece);
    free_piece(ctx, piece);
    return memory_need(c->env->memory_max, "study causal",
                       bytes_of(c->counts) + c->threads * BLOCK_BYTES, "ask for fewer facts", err);
}

/* The shards from one on, of about so many bytes. */
static struct shard_list slice_of(const struct shard_list *all, size_t from, uint64_t bytes)
{
    struct shard_list slice = *all;
    slice.items = all->items + from;
    slice.count = slice.bytes = 0;
    while (from + slice.count < all->count && (slice.count == 0 || slice.bytes < bytes)) {
        slice.bytes += slice.items[slice.count++].bytes;
    }
    return slice;
}

static winnow_status count_slice(struct counting *counting, const struct winnow_study_options *opt,
                                 const struct shard_list *slice, struct pool *pool,
                                 struct winnow_error *err)
{
    struct scan_counts read = {0};
    const struct document_keys keys = {opt->text_key, opt->id_key, opt->chat};
    const struct scan_options scan = {
        .keys = &keys, .progress = "study", .block_bytes = BLOCK_BYTES};
    const struct scan_ops ops = {.ctx = counting,
                                 .new_piece = new_piece,
                                 .document = count_document,
                                 .join = join,
                                 .free_piece = free_piece};
    winnow_status st = scan_documents(slice, &scan, pool, counting->env, &ops, &read, err);
    counting->counts->documents += read.documents;
    return st;
}

static winnow_status count_shards(struct counting *counting, const struct fact_reading *r,
                                  struct shard_list *shards, struct pool *pool,
                                  struct winnow_error *err)
{
    const char *state = shard_list_once(shards) ? NULL : r->state;
    size_t next = 0;
    if (state && file_exists(state)) {
        TRY(fact_state_read(counting->counts, state, shards, &next, err));
    }
    while (next < shards->count) {
        struct shard_list slice = slice_of(shards, next, state ? r->slice_bytes : UINT64_MAX);
        TRY(count_slice(counting, r->opt, &slice, pool, err));
        next += slice.count;
        if (state && shards->account->lost.count == 0) {
            TRY(fact_state_write(counting->counts, state, shards, next, err));
        }
    }
    return WINNOW_OK;
}

winnow_status fact_counts_corpus(struct fact_counts *c, const struct fact_reading *r,
                                 const struct winnow_env *env, struct winnow_error *err)
{
    struct counting counting = {c, env, env->threads > 0 ? env->threads : pool_processors()};
    struct shard_list shards = {0};
    const struct shards_options find = {
        .paths = *r->paths, .files_from = r->opt->files_from, .kind = SHARDS_DOCUMENTS, .env = env};
    winnow_status st = shards_find(&find, &shards, err);
    if (st == WINNOW_OK) {
        account_warn_skipped(shards.account, env);
        struct pool *pool = pool_new(env->threads);
        st = count_shards(&counting, r, &shards, pool, err);
        pool_free(pool);
    }
    if (st == WINNOW_OK && c->documents == 0) {
        st = account_need_documents(shards.account, err);
    }
    if (st == WINNOW_OK) {
        account_warn_bad(shards.account, env);
        st = account_tell_lost(shards.account, err);
    }
    shard_list_release(&shards);
    return st;
}

/* ---- answers ---- */

static uint64_t count_of(const struct fact_counts *c, const struct phrase_parts *p,
                         uint64_t *phrase)
{
    struct buf b = {0};
    make_phrase(&b, p);
    const uint64_t *value = map_get(&c->phrases, buf_str(&b));
    buf_release(&b);
    *phrase = value ? NUMBER(*value) : 0;
    return value ? c->counts[*phrase] : 0;
}

uint64_t fact_counts_subject(const struct fact_counts *c, uint32_t subject)
{
    uint64_t phrase;
    return count_of(c, &(struct phrase_parts){.subject = name_of(&c->facts->subjects, subject)},
                    &phrase);
}

uint64_t fact_counts_pair(const struct fact_counts *c, uint32_t subject, uint32_t object)
{
    uint64_t s, o;
    (void)count_of(c, &(struct phrase_parts){.subject = name_of(&c->facts->subjects, subject)}, &s);
    (void)count_of(c, &(struct phrase_parts){.object = name_of(&c->facts->objects, object)}, &o);
    const uint32_t key[2] = {(uint32_t)s, (uint32_t)o};
    const uint64_t *n = map_get(&c->pairs, (struct str){(const char *)key, sizeof key});
    return n ? *n : 0;
}

uint64_t fact_counts_pattern(const struct fact_counts *c, uint32_t pattern, uint32_t object)
{
    uint64_t phrase;
    struct phrase_parts p = {.object = name_of(&c->facts->objects, object)};
    pattern_parts(name_of(&c->facts->patterns, pattern), &p.before, &p.middle);
    p.before = (struct str){0};
    return count_of(c, &p, &phrase);
}

uint64_t fact_counts_fact(const struct fact_counts *c, uint32_t pattern, uint32_t subject,
                          uint32_t object)
{
    uint64_t phrase;
    struct phrase_parts p = {.subject = name_of(&c->facts->subjects, subject),
                             .object = name_of(&c->facts->objects, object)};
    pattern_parts(name_of(&c->facts->patterns, pattern), &p.before, &p.middle);
    return count_of(c, &p, &phrase);
}
