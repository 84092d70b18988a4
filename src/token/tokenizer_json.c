/* tokenizer_json.c -- reads a tokenizer.json.
 *
 * The file is untrusted: ids, sizes and references are checked here, so that
 * encoding needs no check.  A member that could change ids and is not
 * understood is refused by name; truncation and padding are about batches and
 * left out.
 */
#include "base/json.h"
#include "base/utf8.h"
#include "token/tokenizer_internal.h"

#include <limits.h>

/* Steps of one component, nested sequences included. */
#define STEPS_MAX 64U

/* ---- small readers ---- */

static bool is_absent(struct json_value v)
{
    return json_kind(v) == JSON_NONE || json_kind(v) == JSON_NULL;
}

static winnow_status get_bool(struct json_value object, const char *key, bool otherwise, bool *out,
                              struct winnow_error *err)
{
    struct json_value v = json_get(object, key);
    *out = otherwise;
    if (!is_absent(v) && !json_as_bool(v, out)) {
        return error_set(err, WINNOW_E_FORMAT, "\"%s\" is not true or false", key);
    }
    return WINNOW_OK;
}

static winnow_status get_str(struct json_value object, const char *key, struct str *out,
                             struct winnow_error *err)
{
    if (!json_as_str(json_get(object, key), out)) {
        return error_set(err, WINNOW_E_FORMAT, "\"%s\" is missing or not a string", key);
    }
    return WINNOW_OK;
}

static winnow_status get_size(struct json_value object, const char *key, size_t *out,
                              struct winnow_error *err)
{
    uint64_t v = 0;
    if (!json_as_u64(json_get(object, key), &v) || v > INT_MAX) {
        return error_set(err, WINNOW_E_FORMAT, "\"%s\" is missing or not a small number", key);
    }
    *out = (size_t)v;
    return WINNOW_OK;
}

static winnow_status not_understood(const char *component, struct str type,
                                    struct winnow_error *err)
{
    return error_set(err, WINNOW_E_FORMAT, "the %s \"%.*s\" is not understood", component,
                     (int)(type.len < 99 ? type.len : 99), type.ptr);
}

/* The pattern of a Replace or Split: {"String": x} or {"Regex": x}. */
static winnow_status get_pattern(struct tokenizer *t, struct json_value object, struct str *out,
                                 bool *is_regex, struct winnow_error *err)
{
    struct json_value pattern = json_get(object, "pattern");
    struct str text;
    *is_regex = json_as_str(json_get(pattern, "Regex"), &text);
    if (!*is_regex && !json_as_str(json_get(pattern, "String"), &text) &&
        !json_as_str(pattern, &text)) {
        return error_set(err, WINNOW_E_FORMAT, "a pattern is neither String nor Regex");
    }
    if (text.len == 0) {
        return error_set(err, WINNOW_E_FORMAT, "a pattern is empty");
    }
    *out = tokenizer_keep(t, text);
    return WINNOW_OK;
}

/* Of Metaspace: one character. */
static winnow_status get_replacement(struct tokenizer *t, struct json_value object, struct str *out,
                                     struct winnow_error *err)
{
    struct str text;
    uint32_t code = 0;
    TRY(get_str(object, "replacement", &text, err));
    if (text.len == 0 || utf8_decode(text, 0, &code) != text.len) {
        return error_set(err, WINNOW_E_FORMAT, "the replacement of Metaspace is not one character");
    }
    *out = tokenizer_keep(t, text);
    return WINNOW_OK;
}

static winnow_status get_choice(struct json_value object, const char *key,
                                const char *const *choices, int *out, struct winnow_error *err)
{
    struct str text;
    TRY(get_str(object, key, &text, err));
    for (int i = 0; choices[i]; i++) {
        if (str_is(text, choices[i])) {
            *out = i;
            return WINNOW_OK;
        }
    }
    return error_set(err, WINNOW_E_FORMAT, "the %s \"%.*s\" is not understood", key,
                     (int)(text.len < 99 ? text.len : 99), text.ptr);
}

/* Components are trees of sequences; they are read as a flat list.  Each call
 * of `add` reads one component that is no sequence. */
struct flat {
    struct tokenizer *t;
    const char *component; /* "normalizer" */
    const char *list;      /* the member of a Sequence that holds the others */
    size_t count;
    winnow_status (*add)(struct flat *f, struct json_value v, struct str type,
                         struct winnow_error *err);
};

static winnow_status flatten(struct flat *f, struct json_value v, struct winnow_error *err)
{
    struct json_iter stack[8];
    size_t depth = 0;
    struct json_value at = v;
    for (;;) {
        struct str type;
        if (!json_as_str(json_get(at, "type"), &type)) {
            return error_set(err, WINNOW_E_FORMAT, "a %s has no type", f->component);
        }
        if (str_is(type, "Sequence")) {
            struct json_value list = json_get(at, f->list);
            if (json_kind(list) != JSON_ARRAY || depth == 8) {
                return error_set(err, WINNOW_E_FORMAT, "a Sequence of the %s has no %s or is deep",
                                 f->component, f->list);
            }
            stack[depth++] = json_walk(list);
        } else {
            if (f->count == STEPS_MAX) {
                return error_set(err, WINNOW_E_LIMIT, "the %s has more than %u steps", f->component,
                                 STEPS_MAX);
            }
            TRY(f->add(f, at, type, err));
        }
        while (depth > 0 && !json_next(&stack[depth - 1])) {
            depth--;
        }
        if (depth == 0) {
            return WINNOW_OK;
        }
        at = stack[depth - 1].value;
    }
}

/* ---- normalizer ---- */

static winnow_status add_norm(struct flat *f, struct json_value v, struct str type,
                              struct winnow_error *err)
{
    static const char *const FORMS[] = {"NFC", "NFD", "NFKC", "NFKD"};
    struct norm_step n = {0};
    struct str text;
    bool is_regex = false;
    for (int i = 0; i < 4; i++) {
        if (str_is(type, FORMS[i])) {
            n.kind = (enum norm_kind)i;
            f->t->norms[f->count++] = n;
            return WINNOW_OK;
        }
    }
    if (str_is(type, "Prepend")) {
        n.kind = NORM_PREPEND;
        TRY(get_str(v, "prepend", &text, err));
        n.to = tokenizer_keep(f->t, text);
    } else if (str_is(type, "Replace")) {
        n.kind = NORM_REPLACE;
        TRY(get_pattern(f->t, v, &n.from, &is_regex, err));
        TRY(get_str(v, "content", &text, err));
        n.to = tokenizer_keep(f->t, text);
        if (is_regex) {
            return error_set(err, WINNOW_E_FORMAT,
                             "a normalizer that replaces a regular expression is not understood");
        }
    } else if (str_is(type, "Strip")) {
        n.kind = NORM_STRIP;
        TRY(get_bool(v, "strip_left", true, &n.strip_left, err));
        TRY(get_bool(v, "strip_right", true, &n.strip_right, err));
    } else {
        return not_understood("normalizer", type, err);
    }
    f->t->norms[f->count++] = n;
    return WINNOW_OK;
}

/* ---- pre-tokenizer ---- */

static const char *const BEHAVIORS[] = {"Removed",        "Isolated",   "MergedWithPrevious",
                                        "MergedWithNext", "Contiguous", NULL};
static const char *const SCHEMES[] = {"always", "first", "never", NULL};

static winnow_status read_scheme(struct json_value v, enum prepend_scheme *scheme, bool *split,
                                 struct winnow_error *err)
{
    bool prefix = true;
    int choice = PREPEND_ALWAYS;
    TRY(get_bool(v, "split", true, split, err));
    if (!is_absent(json_get(v, "prepend_scheme"))) {
        TRY(get_choice(v, "prepend_scheme", SCHEMES, &choice, err));
    } else { /* files older than that member */
        TRY(get_bool(v, "add_prefix_space", true, &prefix, err));
        choice = prefix ? PREPEND_ALWAYS : PREPEND_NEVER;
    }
    *scheme = (enum prepend_scheme)choice;
    return WINNOW_OK;
}

static winnow_status read_split(struct tokenizer *t, struct json_value v, struct pre_step *p,
                                struct winnow_error *err)
{
    int behavior = 0;
    p->kind = PRE_SPLIT;
    TRY(get_pattern(t, v, &p->pattern, &p->is_regex, err));
    TRY(get_choice(v, "behavior", BEHAVIORS, &behavior, err));
    TRY(get_bool(v, "invert", false, &p->invert, err));
    p->behavior = (enum split_behavior)behavior;
    if (!p->is_regex) {
        return WINNOW_OK;
    }
    /* A scanner gives all of the text as matches: the same for these two. */
    bool whole = (p->behavior == SPLIT_ISOLATED) || (p->behavior == SPLIT_REMOVED && p->invert);
    p->scan = whole ? scan_of_pattern(p->pattern) : SCAN_NONE;
    return p->scan == SCAN_NONE ? regex_new(p->pattern, &p->regex, err) : WINNOW_OK;
}

static winnow_status add_pre(struct flat *f, struct json_value v, struct str type,
                             struct winnow_error *err)
{
    struct tokenizer *t = f->t;
    struct pre_step p = {.behavior = SPLIT_ISOLATED};
    if (t->pre_count > 0 && t->pres[t->pre_count - 1].kind == PRE_BYTE_LEVEL) {
        return error_set(err, WINNOW_E_FORMAT,
                         "a pre-tokenizer \"%.*s\" behind ByteLevel is not understood",
                         (int)(type.len < 99 ? type.len : 99), type.ptr);
    }
    if (str_is(type, "ByteLevel")) {
        p.kind = PRE_BYTE_LEVEL;
        TRY(get_bool(v, "add_prefix_space", true, &p.add_prefix_space, err));
        TRY(get_bool(v, "use_regex", true, &p.use_regex, err));
    } else if (str_is(type, "Digits")) {
        p.kind = PRE_DIGITS;
        TRY(get_bool(v, "individual_digits", false, &p.individual, err));
        p.behavior = p.individual ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS;
    } else if (str_is(type, "Metaspace")) {
        p.kind = PRE_METASPACE;
        p.behavior = SPLIT_NEXT;
        TRY(get_replacement(t, v, &p.replacement, err));
        TRY(read_scheme(v, &p.scheme, &p.split, err));
    } else if (str_is(type, "Split")) {
        TRY(read_split(t, v, &p, err));
    } else {
        return not_understood("pre-tokenizer", type, err);
    }
    t->pres[f->count++] = p;
    t->pre_count = f->count; /* so that tokenizer_free() finds its regex */
    return WINNOW_OK;
}

/* ---- decoder ---- */

static winnow_status add_dec(struct flat *f, struct json_value v, struct str type,
                             struct winnow_error *err)
{
    struct tokenizer *t = f->t;
    struct dec_step d = {0};
    struct str text;
    bool is_regex = false;
    if (str_is(type, "ByteLevel")) {
        d.kind = DEC_BYTE_LEVEL;
    } else if (str_is(type, "ByteFallback")) {
        d.kind = DEC_BYTE_FALLBACK;
    } else if (str_is(type, "Fuse")) {
        d.kind = DEC_FUSE;
    } else if (str_is(type, "Replace")) {
        d.kind = DEC_REPLACE;
        TRY(get_pattern(t, v, &d.from, &is_regex, err));
        TRY(get_str(v, "content", &text, err));
        d.to = tokenizer_keep(t, text);
        if (is_regex) {
            return error_set(err, WINNOW_E_FORMAT,
                             "a decoder that replaces a regular expression is not understood");
        }
    } else if (str_is(type, "Strip")) {
        d.kind = DEC_STRIP;
        TRY(get_str(v, "content", &text, err));
        d.from = tokenizer_keep(t, text);
        TRY(get_size(v, "start", &d.start, err));
        TRY(get_size(v, "stop", &d.stop, err));
    } else if (str_is(type, "Metaspace")) {
        d.kind = DEC_METASPACE;
        TRY(get_replacement(t, v, &d.from, err));
        TRY(read_scheme(v, &d.scheme, &d.split, err));
    } else {
        return not_understood("decoder", type, err);
    }
    t->decs[f->count++] = d;
    return WINNOW_OK;
}

/* ---- post-processor ---- */

/* Appends the ids that a template's special token stands for. */
static winnow_status add_special_ids(struct json_value template, struct json_value item,
                                     struct u32_list *out, struct winnow_error *err)
{
    struct str name;
    TRY(get_str(item, "id", &name, err));
    struct json_value ids =
        json_get(json_get_str(json_get(template, "special_tokens"), name), "ids");
    if (json_kind(ids) != JSON_ARRAY) {
        return error_set(err, WINNOW_E_FORMAT, "the template has no ids for \"%.*s\"",
                         (int)(name.len < 99 ? name.len : 99), name.ptr);
    }
    struct json_iter it = json_walk(ids);
    while (json_next(&it)) {
        uint64_t id = 0;
        if (!json_as_u64(it.value, &id) || id >= TOKENIZER_SIZE_MAX) {
            return error_set(err, WINNOW_E_FORMAT, "the template has an id that is none");
        }
        u32_list_add(out, (uint32_t)id);
    }
    return WINNOW_OK;
}

static winnow_status read_template(struct tokenizer *t, struct json_value v,
                                   struct winnow_error *err)
{
    struct json_value single = json_get(v, "single");
    bool behind = false;
    struct json_iter it = json_walk(single);
    while (json_kind(single) == JSON_ARRAY && json_next(&it)) {
        struct json_value special = json_get(it.value, "SpecialToken");
        struct str name;
        if (json_kind(special) == JSON_OBJECT) {
            TRY(add_special_ids(v, special, behind ? &t->suffix : &t->prefix, err));
        } else if (json_as_str(json_get(json_get(it.value, "Sequence"), "id"), &name) &&
                   str_is(name, "A") && !behind) {
            behind = true;
        } else {
            return error_set(err, WINNOW_E_FORMAT,
                             "the template for one text is not special tokens around \"A\"");
        }
    }
    return behind ? WINNOW_OK
                  : error_set(err, WINNOW_E_FORMAT, "the template for one text has no \"A\"");
}

static winnow_status add_post(struct flat *f, struct json_value v, struct str type,
                              struct winnow_error *err)
{
    if (str_is(type, "ByteLevel")) { /* offsets only */
        return WINNOW_OK;
    }
    if (!str_is(type, "TemplateProcessing")) {
        return not_understood("post-processor", type, err);
    }
    if (f->count++ > 0) {
        return error_set(err, WINNOW_E_FORMAT, "there are two TemplateProcessing components");
    }
    return read_template(f->t, v, err);
}

/* Steps that replace text by longer text can multiply its length, one after the
 * other; what real files do stays far below these bounds. */
#define GROWTH_MAX  1024.0
#define PREPEND_MAX 1024U

static void grow(double *growth, struct str from, struct str to)
{
    if (to.len > from.len) {
        *growth *= (double)to.len / (double)from.len;
    }
}

static winnow_status check_growth(const struct tokenizer *t, struct winnow_error *err)
{
    double normalized = 1, decoded = 1;
    size_t prepended = 0;
    for (size_t i = 0; i < t->norm_count; i++) {
        if (t->norms[i].kind == NORM_REPLACE) {
            grow(&normalized, t->norms[i].from, t->norms[i].to);
        }
        prepended = t->norms[i].kind == NORM_PREPEND && t->norms[i].to.len > prepended
                        ? t->norms[i].to.len
                        : prepended;
    }
    for (size_t i = 0; i < t->dec_count; i++) {
        if (t->decs[i].kind == DEC_REPLACE) {
            grow(&decoded, t->decs[i].from, t->decs[i].to);
        }
    }
    if (normalized > GROWTH_MAX || decoded > GROWTH_MAX || prepended > PREPEND_MAX) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the steps that replace or prepend text make it more than %.0f times as "
                         "long",
                         GROWTH_MAX);
    }
    return WINNOW_OK;
}

static winnow_status read_components(struct tokenizer *t, struct json_value root,
                                     struct winnow_error *err)
{
    t->norms = ARENA_NEW(&t->keep, struct norm_step, STEPS_MAX);
    t->pres = ARENA_NEW(&t->keep, struct pre_step, STEPS_MAX);
    t->decs = ARENA_NEW(&t->keep, struct dec_step, STEPS_MAX);
    struct flat flats[] = {{t, "normalizer", "normalizers", 0, add_norm},
                           {t, "pre_tokenizer", "pretokenizers", 0, add_pre},
                           {t, "post_processor", "processors", 0, add_post},
                           {t, "decoder", "decoders", 0, add_dec}};
    for (size_t i = 0; i < 4; i++) {
        struct json_value v = json_get(root, flats[i].component);
        if (!is_absent(v)) {
            TRY(flatten(&flats[i], v, err));
        }
    }
    t->norm_count = flats[0].count;
    t->pre_count = flats[1].count;
    t->dec_count = flats[3].count;
    return check_growth(t, err);
}

/* ---- vocabulary ---- */

static winnow_status token_id(struct json_value v, struct str token, uint64_t *id,
                              struct winnow_error *err)
{
    if (!json_as_u64(v, id) || *id >= TOKENIZER_SIZE_MAX) {
        return error_set(err, WINNOW_E_FORMAT, "the id of token \"%.*s\" is not a number below %u",
                         (int)(token.len < 99 ? token.len : 99), token.ptr, TOKENIZER_SIZE_MAX);
    }
    return WINNOW_OK;
}

static winnow_status read_vocab(struct tokenizer *t, struct json_value vocab,
                                struct json_value added, struct winnow_error *err)
{
    if (json_kind(vocab) != JSON_OBJECT) {
        return error_set(err, WINNOW_E_FORMAT, "the model has no vocab");
    }
    uint64_t size = 0, count = 0, id = 0;
    struct json_iter it = json_walk(vocab);
    for (; json_next(&it); count++) {
        TRY(token_id(it.value, it.key, &id, err));
        size = id + 1 > size ? id + 1 : size;
    }
    it = json_walk(added);
    for (; json_kind(added) == JSON_ARRAY && json_next(&it); count++) {
        TRY(token_id(json_get(it.value, "id"), STR_LIT("of added_tokens"), &id, err));
        size = id + 1 > size ? id + 1 : size;
    }
    TRY(tokenizer_reserve(t, size, count, err));
    it = json_walk(vocab);
    while (json_next(&it)) {
        TRY(token_id(it.value, it.key, &id, err));
        TRY(tokenizer_put(t, it.key, id, true, err));
    }
    return WINNOW_OK;
}

static winnow_status read_added_token(struct tokenizer *t, struct json_value v,
                                      struct winnow_error *err)
{
    struct added_token a = {0};
    uint64_t id = 0;
    TRY(get_str(v, "content", &a.content, err));
    TRY(token_id(json_get(v, "id"), a.content, &id, err));
    TRY(get_bool(v, "special", false, &a.special, err));
    TRY(get_bool(v, "normalized", !a.special, &a.normalized, err));
    TRY(get_bool(v, "lstrip", false, &a.lstrip, err));
    TRY(get_bool(v, "rstrip", false, &a.rstrip, err));
    TRY(get_bool(v, "single_word", false, &a.single_word, err));
    const uint64_t *known = map_get(&t->ids, a.content);
    if (known) {
        a.id = (uint32_t)*known; /* as `tokenizers`: the vocabulary is right */
    } else {
        a.id = (uint32_t)id;
        TRY(tokenizer_put(t, a.content, id, false, err));
    }
    tokenizer_add_added(t, a);
    return WINNOW_OK;
}

/* ---- model ---- */

/* "a b" or ["a", "b"]. */
static winnow_status read_merge(struct tokenizer *t, struct json_value v, size_t rank,
                                struct winnow_error *err)
{
    struct str left = {0}, right = {0}, line;
    if (json_as_str(v, &line)) {
        size_t at = str_find(line, STR_LIT(" "));
        if (at != SIZE_MAX) {
            left = str_sub(line, 0, at);
            right = str_sub(line, at + 1, line.len);
        }
    } else if (json_kind(v) == JSON_ARRAY && json_count(v) == 2) {
        struct json_iter it = json_walk(v);
        (void)(json_next(&it) && json_as_str(it.value, &left));
        (void)(json_next(&it) && json_as_str(it.value, &right));
    }
    return tokenizer_put_merge(t, left, right, rank, err);
}

static winnow_status refuse_affix(struct json_value model, const char *key,
                                  struct winnow_error *err)
{
    struct json_value v = json_get(model, key);
    struct str text;
    if (is_absent(v) || (json_as_str(v, &text) && text.len == 0)) {
        return WINNOW_OK;
    }
    return error_set(err, WINNOW_E_FORMAT, "a model with %s is not understood", key);
}

static winnow_status read_model(struct tokenizer *t, struct json_value root,
                                struct winnow_error *err)
{
    struct json_value model = json_get(root, "model"), added = json_get(root, "added_tokens");
    struct str type = STR_LIT("BPE"), unk;
    double dropout = 0;
    if (!is_absent(json_get(model, "type"))) {
        TRY(get_str(model, "type", &type, err));
    }
    if (!str_is(type, "BPE")) {
        return not_understood("model", type, err);
    }
    TRY(refuse_affix(model, "continuing_subword_prefix", err));
    TRY(refuse_affix(model, "end_of_word_suffix", err));
    if (json_as_double(json_get(model, "dropout"), &dropout) && dropout > 0) {
        return error_set(err, WINNOW_E_FORMAT, "a model with dropout is not understood");
    }
    TRY(get_bool(model, "fuse_unk", false, &t->fuse_unk, err));
    TRY(get_bool(model, "byte_fallback", false, &t->byte_fallback, err));
    TRY(get_bool(model, "ignore_merges", false, &t->ignore_merges, err));
    TRY(read_vocab(t, json_get(model, "vocab"), added, err));
    if (json_as_str(json_get(model, "unk_token"), &unk)) {
        const uint64_t *id = map_get(&t->ids, unk);
        if (!id) {
            return error_set(err, WINNOW_E_FORMAT, "the unk_token is not in the vocabulary");
        }
        t->unk = (uint32_t)*id;
    }
    struct json_value merges = json_get(model, "merges");
    if (json_kind(merges) != JSON_ARRAY) {
        return error_set(err, WINNOW_E_FORMAT, "the model has no merges");
    }
    struct json_iter it = json_walk(merges);
    for (size_t rank = 0; json_next(&it); rank++) {
        TRY(read_merge(t, it.value, rank, err));
    }
    it = json_walk(added);
    while (json_kind(added) == JSON_ARRAY && json_next(&it)) {
        TRY(read_added_token(t, it.value, err));
    }
    return WINNOW_OK;
}

static winnow_status build(struct tokenizer *t, struct json_value root, struct winnow_error *err)
{
    if (json_kind(root) != JSON_OBJECT) {
        return error_set(err, WINNOW_E_FORMAT, "this is not a JSON object");
    }
    TRY(read_model(t, root, err));
    TRY(read_components(t, root, err));
    tokenizer_guess_specials(t);
    return tokenizer_finish(t, err);
}

winnow_status tokenizer_parse(struct str json, struct tokenizer **out, struct winnow_error *err)
{
    struct tokenizer *t = tokenizer_new();
    struct json_parser *p = json_parser_new();
    struct json_value root;
    winnow_status st = json_parse(p, json, &root, err);
    if (st == WINNOW_OK) {
        st = build(t, root, err);
    }
    json_parser_free(p);
    if (st != WINNOW_OK) {
        tokenizer_free(t);
        return st;
    }
    *out = t;
    return WINNOW_OK;
}
