/* tokenizer_write.c -- a tokenizer as tokenizer.json, which `tokenizers` reads.
 *
 * Components are written as they were read or made, in their order; lists of names
 * here are in the order of their enums. */
#include "base/file.h"
#include "base/json_write.h"
#include "token/tokenizer_internal.h"

static const char *const BEHAVIORS[] = {"Removed", "Isolated", "MergedWithPrevious",
                                        "MergedWithNext", "Contiguous"};
static const char *const SCHEMES[] = {"always", "first", "never"};

static void open_type(struct json_writer *w, const char *type)
{
    json_open(w, '{');
    json_member_text(w, "type", type);
}

/* {"String": text} or {"Regex": text}. */
static void put_pattern(struct json_writer *w, struct str text, bool is_regex)
{
    json_member_open(w, "pattern", '{');
    json_member_str(w, is_regex ? "Regex" : "String", text);
    json_close(w, '}');
}

static void write_norm(struct json_writer *w, const struct norm_step *n)
{
    static const char *const TYPES[] = {"NFC",     "NFD",     "NFKC", "NFKD",
                                        "Prepend", "Replace", "Strip"};
    open_type(w, TYPES[n->kind]);
    if (n->kind == NORM_PREPEND) {
        json_member_str(w, "prepend", n->to);
    } else if (n->kind == NORM_REPLACE) {
        put_pattern(w, n->from, false);
        json_member_str(w, "content", n->to);
    } else if (n->kind == NORM_STRIP) {
        json_member_bool(w, "strip_left", n->strip_left);
        json_member_bool(w, "strip_right", n->strip_right);
    }
    json_close(w, '}');
}

static void write_byte_level(struct json_writer *w, bool add_prefix_space, bool use_regex)
{
    open_type(w, "ByteLevel");
    json_member_bool(w, "add_prefix_space", add_prefix_space);
    json_member_bool(w, "trim_offsets", true);
    json_member_bool(w, "use_regex", use_regex);
    json_close(w, '}');
}

static void write_metaspace(struct json_writer *w, struct str replacement,
                            enum prepend_scheme scheme, bool split)
{
    open_type(w, "Metaspace");
    json_member_str(w, "replacement", replacement);
    json_member_text(w, "prepend_scheme", SCHEMES[scheme]);
    json_member_bool(w, "split", split);
    json_close(w, '}');
}

static void write_pre(struct json_writer *w, const struct pre_step *p)
{
    switch (p->kind) {
    case PRE_BYTE_LEVEL:
        write_byte_level(w, p->add_prefix_space, p->use_regex);
        break;
    case PRE_DIGITS:
        open_type(w, "Digits");
        json_member_bool(w, "individual_digits", p->individual);
        json_close(w, '}');
        break;
    case PRE_METASPACE:
        write_metaspace(w, p->replacement, p->scheme, p->split);
        break;
    case PRE_SPLIT:
        open_type(w, "Split");
        put_pattern(w, p->pattern, p->is_regex);
        json_member_text(w, "behavior", BEHAVIORS[p->behavior]);
        json_member_bool(w, "invert", p->invert);
        json_close(w, '}');
        break;
    }
}

static void write_dec(struct json_writer *w, const struct dec_step *d)
{
    switch (d->kind) {
    case DEC_BYTE_LEVEL:
        write_byte_level(w, true, true);
        return;
    case DEC_METASPACE:
        write_metaspace(w, d->from, d->scheme, d->split);
        return;
    case DEC_REPLACE:
        open_type(w, "Replace");
        put_pattern(w, d->from, false);
        json_member_str(w, "content", d->to);
        break;
    case DEC_BYTE_FALLBACK:
        open_type(w, "ByteFallback");
        break;
    case DEC_FUSE:
        open_type(w, "Fuse");
        break;
    case DEC_STRIP:
        open_type(w, "Strip");
        json_member_str(w, "content", d->from);
        json_member_u64(w, "start", d->start);
        json_member_u64(w, "stop", d->stop);
        break;
    }
    json_close(w, '}');
}

/* Opens {"type": "Sequence", list: [ where there are several components. */
static bool open_sequence(struct json_writer *w, size_t count, const char *list)
{
    if (count == 0) {
        json_null(w);
    }
    if (count < 2) {
        return false;
    }
    open_type(w, "Sequence");
    json_member_open(w, list, '[');
    return true;
}

static void close_sequence(struct json_writer *w, bool several)
{
    if (several) {
        json_close(w, ']');
        json_close(w, '}');
    }
}

static void write_components(const struct tokenizer *t, struct json_writer *w)
{
    json_key(w, "normalizer");
    bool several = open_sequence(w, t->norm_count, "normalizers");
    for (size_t i = 0; i < t->norm_count; i++) {
        write_norm(w, &t->norms[i]);
    }
    close_sequence(w, several);
    json_key(w, "pre_tokenizer");
    several = open_sequence(w, t->pre_count, "pretokenizers");
    for (size_t i = 0; i < t->pre_count; i++) {
        write_pre(w, &t->pres[i]);
    }
    close_sequence(w, several);
}

static void write_decoders(const struct tokenizer *t, struct json_writer *w)
{
    json_key(w, "decoder");
    bool several = open_sequence(w, t->dec_count, "decoders");
    for (size_t i = 0; i < t->dec_count; i++) {
        write_dec(w, &t->decs[i]);
    }
    close_sequence(w, several);
}

/* One item of a template: a special token or a sequence. */
static void write_item(struct json_writer *w, const char *kind, struct str id, uint64_t type)
{
    json_open(w, '{');
    json_member_open(w, kind, '{');
    json_member_str(w, "id", id);
    json_member_u64(w, "type_id", type);
    json_close(w, '}');
    json_close(w, '}');
}

static void write_template_part(const struct tokenizer *t, struct json_writer *w, const char *name,
                                uint64_t type)
{
    for (size_t i = 0; i < t->prefix.len; i++) {
        write_item(w, "SpecialToken", t->tokens[t->prefix.ptr[i]], type);
    }
    write_item(w, "Sequence", str_of(name), type);
    for (size_t i = 0; i < t->suffix.len; i++) {
        write_item(w, "SpecialToken", t->tokens[t->suffix.ptr[i]], type);
    }
}

static void write_template_token(const struct tokenizer *t, struct json_writer *w, uint32_t id)
{
    json_key_str(w, t->tokens[id]);
    json_open(w, '{');
    json_member_str(w, "id", t->tokens[id]);
    json_member_open(w, "ids", '[');
    json_u64(w, id);
    json_close(w, ']');
    json_member_open(w, "tokens", '[');
    json_str(w, t->tokens[id]);
    json_close(w, ']');
    json_close(w, '}');
}

static bool listed_before(const uint32_t *ids, size_t n, uint32_t id)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i] == id) {
            return true;
        }
    }
    return false;
}

static void write_template(const struct tokenizer *t, struct json_writer *w)
{
    json_key(w, "post_processor");
    if (t->prefix.len + t->suffix.len == 0) {
        json_null(w);
        return;
    }
    open_type(w, "TemplateProcessing");
    json_member_open(w, "single", '[');
    write_template_part(t, w, "A", 0);
    json_close(w, ']');
    json_member_open(w, "pair", '[');
    write_template_part(t, w, "A", 0);
    write_template_part(t, w, "B", 1);
    json_close(w, ']');
    json_member_open(w, "special_tokens", '{');
    for (size_t i = 0; i < t->prefix.len; i++) {
        if (!listed_before(t->prefix.ptr, i, t->prefix.ptr[i])) {
            write_template_token(t, w, t->prefix.ptr[i]);
        }
    }
    for (size_t i = 0; i < t->suffix.len; i++) {
        if (!listed_before(t->prefix.ptr, t->prefix.len, t->suffix.ptr[i]) &&
            !listed_before(t->suffix.ptr, i, t->suffix.ptr[i])) {
            write_template_token(t, w, t->suffix.ptr[i]);
        }
    }
    json_close(w, '}');
    json_close(w, '}');
}

static void write_added(const struct tokenizer *t, struct json_writer *w)
{
    json_member_open(w, "added_tokens", '[');
    for (size_t i = 0; i < t->added_count; i++) {
        const struct added_token *a = &t->added[i];
        json_open(w, '{');
        json_member_u64(w, "id", a->id);
        json_member_str(w, "content", a->content);
        json_member_bool(w, "single_word", a->single_word);
        json_member_bool(w, "lstrip", a->lstrip);
        json_member_bool(w, "rstrip", a->rstrip);
        json_member_bool(w, "normalized", a->normalized);
        json_member_bool(w, "special", a->special);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* "a b" is what every version of `tokenizers` reads; where a token holds a
 * space itself, ["a", "b"]. */
static void write_merges(const struct tokenizer *t, struct json_writer *w)
{
    bool spaces = false;
    for (size_t i = 0; i < t->merges.count && !spaces; i++) {
        struct str a = t->tokens[t->merges.list[i].left], b = t->tokens[t->merges.list[i].right];
        spaces = memchr(a.ptr, ' ', a.len) || memchr(b.ptr, ' ', b.len);
    }
    json_member_open(w, "merges", '[');
    struct buf line = {0};
    for (size_t i = 0; i < t->merges.count; i++) {
        struct str a = t->tokens[t->merges.list[i].left], b = t->tokens[t->merges.list[i].right];
        if (spaces) {
            json_open(w, '[');
            json_str(w, a);
            json_str(w, b);
            json_close(w, ']');
            continue;
        }
        buf_clear(&line);
        buf_add_str(&line, a);
        buf_add_char(&line, ' ');
        buf_add_str(&line, b);
        json_str(w, buf_str(&line));
    }
    buf_release(&line);
    json_close(w, ']');
}

static void write_model(const struct tokenizer *t, struct json_writer *w)
{
    json_key(w, "model");
    open_type(w, "BPE");
    json_member_null(w, "dropout");
    json_key(w, "unk_token");
    if (t->unk == TOKENIZER_NONE) {
        json_null(w);
    } else {
        json_str(w, t->tokens[t->unk]);
    }
    json_member_null(w, "continuing_subword_prefix");
    json_member_null(w, "end_of_word_suffix");
    json_member_bool(w, "fuse_unk", t->fuse_unk);
    json_member_bool(w, "byte_fallback", t->byte_fallback);
    json_member_bool(w, "ignore_merges", t->ignore_merges);
    json_member_open(w, "vocab", '{');
    for (uint32_t id = 0; id < t->size; id++) {
        if (t->in_model[id]) {
            json_key_str(w, t->tokens[id]);
            json_u64(w, id);
        }
    }
    json_close(w, '}');
    write_merges(t, w);
    json_close(w, '}');
}

void tokenizer_write(const struct tokenizer *t, struct buf *out)
{
    struct json_writer w = {.out = out, .pretty = true};
    json_open(&w, '{');
    json_member_text(&w, "version", "1.0");
    json_member_null(&w, "truncation");
    json_member_null(&w, "padding");
    write_added(t, &w);
    write_components(t, &w);
    write_template(t, &w);
    write_decoders(t, &w);
    write_model(t, &w);
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

winnow_status tokenizer_save(const struct tokenizer *t, const char *path, struct winnow_error *err)
{
    struct buf out = {0};
    tokenizer_write(t, &out);
    winnow_status st = file_write_atomic(path, buf_str(&out), err);
    buf_release(&out);
    return st;
}

winnow_status tokenizer_save_folder(const struct tokenizer *t, const char *folder,
                                    struct winnow_error *err)
{
    struct buf path = {0}, out = {0};
    winnow_status st = file_make_dirs(folder, err);
    if (st == WINNOW_OK) {
        st = tokenizer_save(t, file_join(&path, folder, "tokenizer.json"), err);
    }
    if (st == WINNOW_OK) {
        struct json_writer w = {.out = &out, .pretty = true};
        json_open(&w, '{');
        json_member_text(&w, "tokenizer_class", "PreTrainedTokenizerFast");
        if (t->bos != TOKENIZER_NONE) {
            json_member_str(&w, "bos_token", t->tokens[t->bos]);
        }
        if (t->eos != TOKENIZER_NONE) {
            json_member_str(&w, "eos_token", t->tokens[t->eos]);
        }
        json_close(&w, '}');
        buf_add_char(&out, '\n');
        st = file_write_atomic(file_join(&path, folder, "tokenizer_config.json"), buf_str(&out),
                               err);
    }
    buf_release(&path);
    buf_release(&out);
    return st;
}
