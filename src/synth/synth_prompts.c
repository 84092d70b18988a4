/* synth_prompts.c -- a file of prompts, read strictly: a prompt that says other than it was
 * meant to would cost a whole run of a model. */
#include "synth/synth_prompts.h"

#include "base/file.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"

#include <inttypes.h>

#define PROMPT_BYTES_MAX 100000U
#define NAME_BYTES_MAX   64U
#define PROMPTS_MAX      10000U
#define FILE_BYTES_MAX   ((size_t)64 << 20)
#define SEED             "{text}"

static const char *const KINDS[SYNTH_KINDS] = {"text", "question", "choice", "cloze", "summary"};

/* Words of an answer: HARE keeps texts up to about 2,000 tokens and tasks up to 512. */
static const struct {
    uint32_t words_min, words_max, new_tokens;
} LIMITS[SYNTH_KINDS] = {
    {40, 1500, 2048}, {5, 400, 512}, {5, 400, 512}, {5, 400, 512}, {5, 400, 512},
};

const char *synth_kind_name(enum synth_kind kind)
{
    return KINDS[kind];
}

static bool is_name(struct str s)
{
    static const char ALLOWED[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-_.";
    bool good = s.len > 0 && s.len <= NAME_BYTES_MAX;
    for (size_t i = 0; i < s.len && good; i++) {
        good = s.ptr[i] != '\0' && strchr(ALLOWED, s.ptr[i]);
    }
    return good;
}

/* ---- one prompt ---- */

static winnow_status read_number(struct json_iter *it, uint32_t most, uint32_t *out,
                                 struct winnow_error *err)
{
    uint64_t n = 0;
    if (!json_as_u64(it->value, &n) || n < 1 || n > most) {
        return error_set(err, WINNOW_E_FORMAT, "\"%.*s\" is no whole number from 1 to %" PRIu32,
                         STR_ARG(it->key), most);
    }
    *out = (uint32_t)n;
    return WINNOW_OK;
}

static winnow_status read_kind(struct json_value v, struct synth_prompt *p,
                               struct winnow_error *err)
{
    struct str kind = {"", 0};
    (void)json_as_str(v, &kind);
    for (size_t i = 0; i < SYNTH_KINDS; i++) {
        if (str_is(kind, KINDS[i])) {
            p->kind = (enum synth_kind)i;
            return WINNOW_OK;
        }
    }
    return error_set(err, WINNOW_E_FORMAT,
                     "\"kind\" is none of text, question, choice, cloze and summary");
}

static winnow_status read_prompt_text(struct json_value v, struct arena *keep,
                                      struct synth_prompt *p, struct winnow_error *err)
{
    struct str text = {"", 0};
    if (!json_as_str(v, &text) || text.len > PROMPT_BYTES_MAX) {
        return error_set(err, WINNOW_E_FORMAT, "\"prompt\" is no string of up to %u bytes",
                         PROMPT_BYTES_MAX);
    }
    size_t at = str_find(text, STR_LIT(SEED));
    if (at == SIZE_MAX) {
        return error_set(err, WINNOW_E_FORMAT,
                         "\"prompt\" does not say where the seed is shown: it has no " SEED);
    }
    text.ptr = arena_strndup(keep, text.ptr, text.len);
    p->before = str_sub(text, 0, at);
    p->after = str_sub(text, at + sizeof SEED - 1, text.len);
    if (str_find(p->after, STR_LIT(SEED)) != SIZE_MAX) {
        return error_set(err, WINNOW_E_FORMAT, "\"prompt\" has " SEED " more than once");
    }
    return WINNOW_OK;
}

static winnow_status read_member(struct json_iter *it, struct arena *keep, struct synth_prompt *p,
                                 struct winnow_error *err)
{
    struct str name = {"", 0};
    if (str_is(it->key, "name")) {
        if (!json_as_str(it->value, &name) || !is_name(name)) {
            return error_set(err, WINNOW_E_FORMAT,
                             "\"name\" is no string of up to %u letters, digits, - _ and .",
                             NAME_BYTES_MAX);
        }
        p->name = arena_strndup(keep, name.ptr, name.len);
        return WINNOW_OK;
    }
    if (str_is(it->key, "kind")) {
        return WINNOW_OK; /* read before the others */
    }
    if (str_is(it->key, "prompt")) {
        return read_prompt_text(it->value, keep, p, err);
    }
    if (str_is(it->key, "passage")) {
        return json_as_bool(it->value, &p->passage)
                   ? WINNOW_OK
                   : error_set(err, WINNOW_E_FORMAT, "\"passage\" is neither true nor false");
    }
    if (str_is(it->key, "weight")) {
        return read_number(it, 1000, &p->weight, err);
    }
    if (str_is(it->key, "words_min")) {
        return read_number(it, 1000000, &p->words_min, err);
    }
    if (str_is(it->key, "words_max")) {
        return read_number(it, 1000000, &p->words_max, err);
    }
    if (str_is(it->key, "new_tokens")) {
        return read_number(it, 100000, &p->new_tokens, err);
    }
    return error_set(err, WINNOW_E_FORMAT, "a prompt has no member \"%.*s\"", STR_ARG(it->key));
}

static winnow_status check_prompt(const struct synth_prompts *all, const struct synth_prompt *p,
                                  struct winnow_error *err)
{
    if (!p->name || !p->before.ptr) {
        return error_set(err, WINNOW_E_FORMAT, "a prompt needs a \"%s\"",
                         p->name ? "prompt" : "name");
    }
    if (p->words_min > p->words_max) {
        return error_set(err, WINNOW_E_FORMAT,
                         "no answer has at least %" PRIu32 " and at most %" PRIu32 " words",
                         p->words_min, p->words_max);
    }
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->items[i].name, p->name) == 0) {
            return error_set(err, WINNOW_E_FORMAT, "there is a prompt \"%s\" already", p->name);
        }
    }
    return WINNOW_OK;
}

static void hash_prompt(struct synth_prompt *p)
{
    struct hash_stream *h = hash_stream_new();
    hash_stream_add(h, str_of(KINDS[p->kind]));
    hash_stream_add(h, p->passage ? STR_LIT(" passage ") : STR_LIT(" "));
    hash_stream_add(h, p->before);
    hash_stream_add(h, STR_LIT(SEED));
    hash_stream_add(h, p->after);
    hash128_hex(hash_stream_value(h), p->hash);
    hash_stream_free(h);
}

static winnow_status add_prompt(struct synth_prompts *all, struct json_value root,
                                struct winnow_error *err)
{
    struct synth_prompt p = {.weight = 1};
    if (json_kind(root) != JSON_OBJECT) {
        return error_set(err, WINNOW_E_FORMAT, "a prompt is an object");
    }
    TRY(read_kind(json_get(root, "kind"), &p, err));
    p.passage = p.kind == SYNTH_SUMMARY;
    p.words_min = LIMITS[p.kind].words_min;
    p.words_max = LIMITS[p.kind].words_max;
    p.new_tokens = LIMITS[p.kind].new_tokens;
    struct json_iter it = json_walk(root);
    while (json_next(&it)) {
        TRY(read_member(&it, &all->keep, &p, err));
    }
    TRY(check_prompt(all, &p, err));
    if (all->count == PROMPTS_MAX) {
        return error_set(err, WINNOW_E_LIMIT, "there are more than %u prompts", PROMPTS_MAX);
    }
    hash_prompt(&p);
    GROW(all->items, all->count, all->cap, 16);
    all->items[all->count++] = p;
    return WINNOW_OK;
}

/* ---- a file ---- */

winnow_status synth_prompts_parse(struct synth_prompts *p, const char *name, struct str bytes,
                                  struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct str rest = bytes, line;
    winnow_status st = WINNOW_OK;
    if (p->keep.block_size == 0) {
        arena_init(&p->keep, (size_t)1 << 14);
    }
    for (uint64_t number = 1; st == WINNOW_OK && str_next_line(&rest, &line); number++) {
        struct json_value root;
        if (str_trim(line).len == 0) {
            continue;
        }
        st = json_parse(parser, line, &root, err);
        st = st == WINNOW_OK ? add_prompt(p, root, err) : st;
        st = st == WINNOW_OK ? st : error_wrap(err, st, "%s:%" PRIu64, name, number);
    }
    json_parser_free(parser);
    return st;
}

static winnow_status read_file(struct synth_prompts *p, const char *path, struct winnow_error *err)
{
    struct buf text = {0};
    winnow_status st = file_read(path, FILE_BYTES_MAX, &text, err);
    st = st == WINNOW_OK ? synth_prompts_parse(p, path, buf_str(&text), err) : st;
    if (st == WINNOW_OK && p->count == 0) {
        st = error_set(err, WINNOW_E_FORMAT,
                       "%s holds no prompt: one is a line like {\"name\": \"note\", \"kind\": "
                       "\"text\", \"prompt\": \"Write a note on this.\\n\\n{text}\"}",
                       path);
    }
    buf_release(&text);
    return st;
}

static bool is_wanted(const struct winnow_synthesize_options *opt, const struct synth_prompt *p)
{
    bool text = p->kind == SYNTH_TEXT;
    return opt->make == WINNOW_MAKE_ALL || (opt->make == WINNOW_MAKE_TEXTS) == text;
}

/* Templates are drawn like prompts, but nobody reads them. */
static winnow_status name_templates(struct synth_prompts *p, struct winnow_error *err)
{
    static const char *const NAMES[] = {
        "{\"name\":\"notes\",\"kind\":\"text\",\"prompt\":\"{text}\"}",
        "{\"name\":\"question\",\"kind\":\"question\",\"prompt\":\"{text}\"}",
        "{\"name\":\"choice\",\"kind\":\"choice\",\"prompt\":\"{text}\"}",
        "{\"name\":\"cloze\",\"kind\":\"cloze\",\"prompt\":\"{text}\"}",
        "{\"name\":\"summary\",\"kind\":\"summary\",\"prompt\":\"{text}\"}",
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        TRY(synth_prompts_parse(p, "a template", str_of(NAMES[i]), err));
    }
    return WINNOW_OK;
}

static winnow_status read_built_in(struct synth_prompts *p, struct winnow_error *err)
{
    for (size_t i = 0; SYNTH_PROMPTS[i]; i++) {
        TRY(synth_prompts_parse(p, "a built-in prompt", str_of(SYNTH_PROMPTS[i]), err));
    }
    return WINNOW_OK;
}

winnow_status synth_prompts_load(const struct winnow_synthesize_options *opt,
                                 struct synth_prompts *out, struct winnow_error *err)
{
    if (opt->prompts) {
        TRY(read_file(out, opt->prompts, err));
    } else if (opt->engine == WINNOW_SYNTHESIZE_TEMPLATES) {
        TRY(name_templates(out, err));
    } else {
        TRY(read_built_in(out, err));
    }
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++) {
        struct synth_prompt *p = &out->items[i];
        p->words_min = opt->words_min > 0 ? opt->words_min : p->words_min;
        p->words_max = opt->words_max > 0 ? opt->words_max : p->words_max;
        if (opt->words_min == 0 && p->words_min > p->words_max) {
            p->words_min = 1; /* of the two only the upper limit was asked for */
        }
        p->new_tokens = opt->new_tokens > 0 ? opt->new_tokens : p->new_tokens;
        if (is_wanted(opt, p)) {
            out->items[kept++] = *p;
        }
    }
    out->count = kept;
    if (kept == 0) {
        return error_set(err, WINNOW_E_USAGE, "%s has no prompt for --make %s", opt->prompts,
                         opt->make == WINNOW_MAKE_TEXTS ? "texts" : "tasks");
    }
    return WINNOW_OK;
}

void synth_prompts_release(struct synth_prompts *p)
{
    mem_free(p->items);
    arena_release(&p->keep);
    *p = (struct synth_prompts){0};
}
