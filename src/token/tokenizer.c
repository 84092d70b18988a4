/* tokenizer.c -- the object: vocabulary, parts, and the tables made of them.
 *
 * Readers (tokenizer_json.c, tokenizer_load.c, GGUF) put tokens, merges and steps;
 * tokenizer_finish() checks them together and makes the tables that encoding needs:
 * ids of bytes and characters, merges by pair, tries of added tokens.  After that the
 * object is read only, so any number of threads may share it. */
#include "base/mem.h"
#include "base/utf8.h"
#include "token/tokenizer_internal.h"

#include <assert.h>
#include <stdio.h>

#define LOWER_BLOCK "\xE2\x96\x81"

/* ---- numbers that grow ---- */

void u32_list_release(struct u32_list *l)
{
    mem_free(l->ptr);
    *l = (struct u32_list){0};
}

uint32_t *u32_list_reserve(struct u32_list *l, size_t extra)
{
    if (l->cap - l->len < extra) {
        size_t cap = l->cap * 2 > l->len + extra ? l->cap * 2 : l->len + extra;
        cap = cap < 64 ? 64 : cap;
        l->ptr = mem_realloc(l->ptr, l->cap * sizeof *l->ptr, cap * sizeof *l->ptr);
        l->cap = cap;
    }
    return l->ptr + l->len;
}

void u32_list_add(struct u32_list *l, uint32_t value)
{
    *u32_list_reserve(l, 1) = value;
    l->len++;
}

/* ---- making ---- */

struct tokenizer *tokenizer_new(void)
{
    struct tokenizer *t = mem_zalloc(sizeof *t);
    arena_init(&t->keep, (size_t)1 << 16);
    t->unk = t->bos = t->eos = TOKENIZER_NONE;
    return t;
}

void tokenizer_free(struct tokenizer *t)
{
    if (!t) {
        return;
    }
    for (size_t i = 0; i < t->pre_count; i++) {
        regex_free(t->pres[i].regex);
    }
    mem_free(t->tokens);
    mem_free(t->in_model);
    mem_free(t->added);
    map_release(&t->ids);
    merge_table_release(&t->merges);
    trie_release(&t->raw);
    trie_release(&t->normal);
    u32_list_release(&t->prefix);
    u32_list_release(&t->suffix);
    arena_release(&t->keep);
    mem_free(t);
}

struct str tokenizer_keep(struct tokenizer *t, struct str s)
{
    return (struct str){arena_strndup(&t->keep, s.ptr, s.len), s.len};
}

winnow_status tokenizer_reserve(struct tokenizer *t, uint64_t size, uint64_t count,
                                struct winnow_error *err)
{
    /* One token with a huge id would make tables of that size: a file must be about as
     * large as what it asks for. */
    if (size > TOKENIZER_SIZE_MAX || size > 65536 + 4 * count) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the vocabulary has ids up to %llu for only %llu tokens",
                         (unsigned long long)size - 1, (unsigned long long)count);
    }
    if (size > t->cap) {
        uint32_t cap = (uint32_t)size;
        t->tokens = mem_realloc(t->tokens, t->cap * sizeof *t->tokens, cap * sizeof *t->tokens);
        t->in_model = mem_realloc(t->in_model, t->cap, cap);
        memset(t->tokens + t->cap, 0, (cap - t->cap) * sizeof *t->tokens);
        memset(t->in_model + t->cap, 0, cap - t->cap);
        t->cap = cap;
        map_reserve(&t->ids, cap);
    }
    return WINNOW_OK;
}

winnow_status tokenizer_put(struct tokenizer *t, struct str token, uint64_t id, bool in_model,
                            struct winnow_error *err)
{
    if (id >= t->cap) {
        return error_set(err, WINNOW_E_FORMAT, "token \"%.*s\" has the id %llu, out of range",
                         (int)(token.len < 99 ? token.len : 99), token.ptr, (unsigned long long)id);
    }
    if (t->tokens[id].ptr) {
        return error_set(err, WINNOW_E_FORMAT, "tokens \"%.*s\" and \"%.*s\" both have the id %llu",
                         (int)(token.len < 99 ? token.len : 99), token.ptr,
                         (int)(t->tokens[id].len < 99 ? t->tokens[id].len : 99), t->tokens[id].ptr,
                         (unsigned long long)id);
    }
    bool is_new = false;
    uint64_t *value = map_put(&t->ids, token, &is_new);
    if (is_new) {
        *value = id;
        t->tokens[id] = t->ids.entries[t->ids.count - 1].key;
    } else {
        t->tokens[id] = t->tokens[*value]; /* the first id encodes, both decode */
        t->twins = true;
    }
    t->in_model[id] = in_model;
    t->size = t->size > id ? t->size : (uint32_t)id + 1;
    return WINNOW_OK;
}

void tokenizer_add_added(struct tokenizer *t, struct added_token token)
{
    size_t n = t->added_count;
    if ((n & (n - 1)) == 0) { /* full at each power of two: no cap to keep */
        size_t cap = n == 0 ? 1 : n * 2;
        t->added = mem_realloc(t->added, n * sizeof *t->added, cap * sizeof *t->added);
    }
    token.content = tokenizer_keep(t, token.content);
    t->added[t->added_count++] = token;
}

static winnow_status model_id(const struct tokenizer *t, struct str token, const char *what,
                              uint32_t *id, struct winnow_error *err)
{
    const uint64_t *found = map_get(&t->ids, token);
    if (!found || !t->in_model[*found]) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the %s \"%.*s\" of a merge is not in the vocabulary", what,
                         (int)(token.len < 99 ? token.len : 99), token.ptr);
    }
    *id = (uint32_t)*found;
    return WINNOW_OK;
}

/* Trained vocabularies number the results of merges in their order: the one
 * behind the last merge's is nearly always right, and found without its hash. */
static bool next_is(const struct tokenizer *t, struct str left, struct str right, uint32_t *id)
{
    const struct merge_table *m = &t->merges;
    uint32_t next = m->count > 0 ? m->list[m->count - 1].id + 1 : t->size;
    if (t->twins || next >= t->size || !t->in_model[next]) {
        return false;
    }
    struct str token = t->tokens[next];
    *id = next;
    return token.len == left.len + right.len && str_starts(token, left) && str_ends(token, right);
}

winnow_status tokenizer_put_merge(struct tokenizer *t, struct str left, struct str right,
                                  size_t rank, struct winnow_error *err)
{
    if (left.len == 0 || right.len == 0 || rank >= MERGE_NONE) {
        return error_set(err, WINNOW_E_FORMAT, "merge %zu has an empty half", rank + 1);
    }
    struct merge m = {0};
    m.rank = (uint32_t)rank;
    TRY(model_id(t, left, "left half", &m.left, err));
    TRY(model_id(t, right, "right half", &m.right, err));
    winnow_status st = WINNOW_OK;
    if (!next_is(t, left, right, &m.id)) {
        struct buf both = {0};
        buf_add_str(&both, left);
        buf_add_str(&both, right);
        st = model_id(t, buf_str(&both), "result", &m.id, err);
        buf_release(&both);
    }
    if (st == WINNOW_OK) {
        merge_table_put(&t->merges, m);
    }
    return st;
}

/* ---- tables ---- */

static uint32_t lookup_model(const struct tokenizer *t, struct str token)
{
    const uint64_t *id = map_get(&t->ids, token);
    return id && t->in_model[*id] ? (uint32_t)*id : TOKENIZER_NONE;
}

/* Byte-level vocabularies spell a byte as a character of GPT-2's alphabet, those of
 * SentencePiece as "<0xE2>". */
static void fill_byte_ids(struct tokenizer *t)
{
    for (unsigned b = 0; b < 256; b++) {
        char text[8];
        size_t len = 6;
        if (t->byte_level && !t->byte_fallback) {
            len = utf8_encode(alphabet_char((uint8_t)b), text);
        } else {
            (void)snprintf(text, sizeof text, "<0x%02X>", b);
        }
        t->byte_ids[b] = lookup_model(t, (struct str){text, len});
    }
}

/* Most characters of most texts are below CLASSES_SIZE: an array instead of the map. */
static void fill_char_ids(struct tokenizer *t)
{
    t->char_ids = ARENA_NEW(&t->keep, uint32_t, CLASSES_SIZE);
    memset(t->char_ids, 0xFF, CLASSES_SIZE * sizeof *t->char_ids);
    for (uint32_t id = 0; id < t->size; id++) {
        uint32_t code = 0;
        struct str token = t->tokens[id];
        if (t->in_model[id] && token.len > 0 && utf8_decode(token, 0, &code) == token.len &&
            code < CLASSES_SIZE && t->char_ids[code] == TOKENIZER_NONE) {
            t->char_ids[code] = id;
        }
    }
}

/* Whether every character leaves a symbol.  Where unknown ones leave none their
 * neighbours come to stand side by side, and merge. */
static bool keeps_unknown(const struct tokenizer *t)
{
    bool all = t->byte_fallback;
    for (size_t b = 0; b < 256 && all; b++) {
        all = t->byte_ids[b] != TOKENIZER_NONE;
    }
    return all || t->unk != TOKENIZER_NONE;
}

/* See encode_chars() in pretoken.c. */
static bool may_cut_at_space(const struct tokenizer *t)
{
    struct str block = STR_LIT(LOWER_BLOCK);
    bool cut = !t->ignore_merges && t->char_ids[0x2581] != TOKENIZER_NONE && keeps_unknown(t);
    for (size_t i = 0; cut && i < t->merges.count; i++) {
        const struct merge *m = &t->merges.list[i];
        cut = str_ends(t->tokens[m->left], block) || !str_starts(t->tokens[m->right], block);
    }
    return cut;
}

/* The one scanner that all pre-tokenizing comes down to, or none: then the general way
 * through pieces is taken. */
enum scan_kind scan_only(const struct tokenizer *t)
{
    enum scan_kind kind = SCAN_NONE;
    for (size_t i = 0; i < t->pre_count; i++) {
        const struct pre_step *p = &t->pres[i];
        enum scan_kind step = p->kind == PRE_SPLIT ? p->scan : p->use_regex ? SCAN_GPT2 : SCAN_NONE;
        bool nothing = p->kind == PRE_BYTE_LEVEL && !p->use_regex && !p->add_prefix_space;
        if (nothing) {
            continue;
        }
        if (step == SCAN_NONE || kind != SCAN_NONE || p->add_prefix_space) {
            return SCAN_NONE;
        }
        kind = step;
    }
    return t->byte_level ? kind : SCAN_NONE;
}

/* The text of a token that is a word must be cut no further, so that encoding
 * needs no check: the template's ids are those of tokens that exist. */
static winnow_status check_template(const struct tokenizer *t, const struct u32_list *ids,
                                    struct winnow_error *err)
{
    for (size_t i = 0; i < ids->len; i++) {
        if (ids->ptr[i] >= t->size || !t->tokens[ids->ptr[i]].ptr) {
            return error_set(err, WINNOW_E_FORMAT,
                             "the post-processor adds the token %u, which does not exist",
                             (unsigned)ids->ptr[i]);
        }
    }
    return WINNOW_OK;
}

winnow_status tokenizer_finish(struct tokenizer *t, struct winnow_error *err)
{
    if (t->size == 0) {
        return error_set(err, WINNOW_E_FORMAT, "the vocabulary is empty");
    }
    TRY(check_template(t, &t->prefix, err));
    TRY(check_template(t, &t->suffix, err));
    merge_table_index(&t->merges);
    t->byte_level = false;
    for (size_t i = 0; i < t->pre_count; i++) {
        t->byte_level = t->byte_level || t->pres[i].kind == PRE_BYTE_LEVEL;
    }
    if (t->byte_level && t->byte_fallback) {
        return error_set(err, WINNOW_E_FORMAT, "byte_fallback with a ByteLevel pre-tokenizer");
    }
    fill_byte_ids(t);
    if (!t->byte_level) {
        fill_char_ids(t);
        t->cut_at_space = may_cut_at_space(t);
    }
    t->classes = arena_alloc(&t->keep, CLASSES_SIZE, 1);
    classes_fill(t->classes);
    t->fast = scan_only(t);
    normalize_prepare(t);
    decode_prepare(t);
    added_prepare(t);
    return WINNOW_OK;
}

/* ---- the usual components ---- */

static struct pre_step *pres_new(struct tokenizer *t, size_t count)
{
    t->pres = ARENA_NEW(&t->keep, struct pre_step, count);
    t->pre_count = count;
    return t->pres;
}

winnow_status tokenizer_set_byte_level(struct tokenizer *t, struct str pre,
                                       struct winnow_error *err)
{
    static const struct {
        const char *name;
        enum scan_kind scan;
        bool digits;
    } KNOWN[] = {
        {"gpt2", SCAN_GPT2, false},       {"gpt-2", SCAN_GPT2, false},
        {"llama3", SCAN_LLAMA3, false},   {"llama-bpe", SCAN_LLAMA3, false},
        {"llama-v3", SCAN_LLAMA3, false}, {"qwen2", SCAN_QWEN2, false},
        {"smollm", SCAN_GPT2, true},
    };
    const size_t count = sizeof KNOWN / sizeof KNOWN[0];
    size_t k = 0;
    while (k < count && !str_is(pre, KNOWN[k].name)) {
        k++;
    }
    if (k == count) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the pre-tokenizer \"%.*s\" is not known (known: gpt2, llama3, qwen2, "
                         "smollm)",
                         (int)(pre.len < 99 ? pre.len : 99), pre.ptr);
    }
    struct pre_step *p = pres_new(t, 2);
    if (KNOWN[k].scan == SCAN_GPT2) {
        p[0] = (struct pre_step){.kind = PRE_DIGITS, .individual = true};
        p[0].behavior = SPLIT_ISOLATED;
        p[1] = (struct pre_step){.kind = PRE_BYTE_LEVEL, .use_regex = true};
        if (!KNOWN[k].digits) {
            p[0] = p[1];
            t->pre_count = 1;
        }
    } else {
        p[0] = (struct pre_step){.kind = PRE_SPLIT, .is_regex = true, .scan = KNOWN[k].scan};
        p[0].behavior = SPLIT_ISOLATED;
        p[0].pattern = str_of(scan_pattern(KNOWN[k].scan));
        p[1] = (struct pre_step){.kind = PRE_BYTE_LEVEL};
    }
    t->ignore_merges = KNOWN[k].scan == SCAN_LLAMA3;
    if (KNOWN[k].scan == SCAN_QWEN2) {
        t->norms = ARENA_NEW(&t->keep, struct norm_step, 1);
        t->norms[0].kind = NORM_NFC;
        t->norm_count = 1;
    }
    t->decs = ARENA_NEW(&t->keep, struct dec_step, 1);
    t->decs[0].kind = DEC_BYTE_LEVEL;
    t->dec_count = 1;
    return WINNOW_OK;
}

void tokenizer_set_spm(struct tokenizer *t, bool add_space_prefix)
{
    static const struct norm_step NORMS[] = {
        {.kind = NORM_PREPEND, .to = {LOWER_BLOCK, 3}},
        {.kind = NORM_REPLACE, .from = {" ", 1}, .to = {LOWER_BLOCK, 3}},
    };
    static const struct dec_step DECS[] = {
        {.kind = DEC_REPLACE, .from = {LOWER_BLOCK, 3}, .to = {" ", 1}},
        {.kind = DEC_BYTE_FALLBACK},
        {.kind = DEC_FUSE},
        {.kind = DEC_STRIP, .from = {" ", 1}, .start = 1},
    };
    t->norms = ARENA_NEW(&t->keep, struct norm_step, 2);
    t->decs = ARENA_NEW(&t->keep, struct dec_step, 4);
    t->norm_count = add_space_prefix ? 2 : 1;
    t->dec_count = add_space_prefix ? 4 : 3;
    memcpy(t->norms, NORMS + 2 - t->norm_count, t->norm_count * sizeof *t->norms);
    memcpy(t->decs, DECS, t->dec_count * sizeof *t->decs);
    t->byte_fallback = t->fuse_unk = true;
}

static bool added_is(const struct tokenizer *t, const char *name, uint32_t *id)
{
    for (size_t i = 0; i < t->added_count; i++) {
        if (t->added[i].special && str_is(t->added[i].content, name)) {
            *id = t->added[i].id;
            return true;
        }
    }
    return false;
}

/* Files often do not say which token begins and ends a text: what their template adds
 * says it, else the names that the field uses. */
void tokenizer_guess_specials(struct tokenizer *t)
{
    static const char *const BOS[] = {"<s>", "<|begin_of_text|>", "<|endoftext|>"};
    static const char *const EOS[] = {"</s>", "<|end_of_text|>", "<|endoftext|>", "<|im_end|>"};
    if (t->bos == TOKENIZER_NONE && t->prefix.len > 0) {
        t->bos = t->prefix.ptr[0];
    }
    if (t->eos == TOKENIZER_NONE && t->suffix.len > 0) {
        t->eos = t->suffix.ptr[t->suffix.len - 1];
    }
    for (size_t i = 0; t->bos == TOKENIZER_NONE && i < sizeof BOS / sizeof BOS[0]; i++) {
        (void)added_is(t, BOS[i], &t->bos);
    }
    for (size_t i = 0; t->eos == TOKENIZER_NONE && i < sizeof EOS / sizeof EOS[0]; i++) {
        (void)added_is(t, EOS[i], &t->eos);
    }
}

/* ---- looking at it ---- */

uint32_t tokenizer_vocab_size(const struct tokenizer *t)
{
    return t->size;
}

uint32_t tokenizer_bos(const struct tokenizer *t)
{
    return t->bos;
}

uint32_t tokenizer_eos(const struct tokenizer *t)
{
    return t->eos;
}

uint32_t tokenizer_id(const struct tokenizer *t, struct str token)
{
    const uint64_t *id = map_get(&t->ids, token);
    return id ? (uint32_t)*id : TOKENIZER_NONE;
}

struct str tokenizer_token(const struct tokenizer *t, uint32_t id)
{
    return id < t->size ? t->tokens[id] : (struct str){"", 0};
}

struct str tokenizer_token_bytes(const struct tokenizer *t, uint32_t id)
{
    return id < t->size && t->tokens[id].ptr ? t->decoded[id] : (struct str){"", 0};
}

bool tokenizer_is_special(const struct tokenizer *t, uint32_t id)
{
    return id < t->size && t->special[id];
}
