/* receipt.c -- recipe.yaml and timings.json: what was asked, and what it took.
 *
 * recipe.yaml can be run again as it is; how it was made (version, keys, kernels) stands
 * beside it for people and for comparing.  timings.json is written after every stage, and
 * adds what earlier processes of the same run took. */
#include "winnow/version.h"

#include "base/env.h"
#include "base/file.h"
#include "option/corpus_options.h"
#include "run/folder_internal.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

static void add_json_line(struct buf *out, const char *indent, const char *key,
                          const struct option_table *table, const void *options)
{
    struct json_writer w = {.out = out};
    buf_addf(out, "%s%s: ", indent, key);
    json_open(&w, '{');
    option_write_json(table, options, &w);
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

static void add_text(struct buf *out, const char *key, const char *value)
{
    if (value) {
        buf_addf(out, "%s: ", key);
        json_quote(out, str_of(value));
        buf_add_char(out, '\n');
    }
}

static void add_input(const struct run *r, struct buf *out)
{
    buf_add_text(out, "input: [");
    for (size_t i = 0; i < r->paths.count; i++) {
        buf_add_text(out, i > 0 ? ", " : "");
        json_quote(out, str_of(r->paths.items[i]));
    }
    buf_add_text(out, "]\n");
}

/* How it was made: for people and for comparing; the recipe reader skips it. */
static winnow_status add_made_with(const struct run *r, struct buf *out, struct winnow_error *err)
{
    buf_addf(out, "made-with:\n  version: \"%s\"\n  run-key: \"%s\"\n  input-hash: \"%s\"\n",
             winnow_version(), folder_key(r), r->input_key);
    bool secret = false; /* a hash would let one guess it */
    for (size_t i = 0; i < r->request->count; i++) {
        secret = secret || option_has_secret(r->stages[i].kind->table, r->stages[i].options);
    }
    if (r->request->recipe && !secret && file_exists(r->request->recipe)) {
        struct hash128 h;
        char hex[33];
        TRY(file_hash(r->request->recipe, &h, err));
        hash128_hex(h, hex);
        buf_addf(out, "  recipe-hash: \"%s\"\n", hex);
    }
    if (r->request->kernels) {
        buf_addf(out, "  kernels: \"%s\"\n", r->request->kernels);
    }
    for (size_t i = 0; i < r->request->count; i++) {
        buf_addf(out, "%s\"%s\": \"%s\"", i == 0 ? "  stage-keys: {" : ", ", r->stages[i].name,
                 r->stages[i].key);
    }
    buf_add_text(out, "}\n");
    return WINNOW_OK;
}

winnow_status folder_write_recipe(struct run *r, struct winnow_error *err)
{
    const struct winnow_corpus_options *c = r->corpus;
    struct buf text = {0}, path = {0};
    buf_add_text(
        &text, "# The recipe as winnow understood it, every option named; it can be run again.\n");
    buf_add_text(&text, "winnow: 1\n");
    add_input(r, &text);
    add_text(&text, "output", r->folder);
    buf_addf(&text, "seed: %llu\n", (unsigned long long)r->env->seed);
    if (c->limit > 0) {
        buf_addf(&text, "limit: %llu\n", (unsigned long long)c->limit);
    }
    add_text(&text, "on-bad", option_find(&CORPUS_TABLE, STR_LIT("on-bad"))->choices[c->on_bad]);
    add_text(&text, "text-key", c->text_key);
    add_text(&text, "id-key", c->id_key);
    if (c->chat != WINNOW_CHAT_PLAIN) {
        add_text(&text, "messages-as",
                 option_find(&CORPUS_TABLE, STR_LIT("messages-as"))->choices[c->chat]);
    }
    buf_addf(&text, "keep-removed: %s\n", c->keep_removed ? "true" : "false");
    buf_addf(&text, "line-max: %llu\n", (unsigned long long)c->line_max);
    buf_add_text(&text, "stages:\n");
    for (size_t i = 0; i < r->request->count; i++) {
        const struct stage *s = &r->stages[i];
        add_json_line(&text, "  - ", s->kind->table->command, s->kind->table, s->options);
    }
    for (size_t i = 0; i < r->request->ending_count; i++) {
        const struct run_ending *e = &r->request->endings[i];
        if (e->table) {
            add_json_line(&text, "", e->name, e->table, e->options);
        }
    }
    winnow_status st = add_made_with(r, &text, err);
    if (st == WINNOW_OK) {
        st = file_write_atomic(file_join(&path, r->folder, "recipe.yaml"), buf_str(&text), err);
    }
    buf_release(&text);
    buf_release(&path);
    return st;
}

/* ---- timings.json ---- */

static void add_time(struct json_writer *w, const char *key, time_t t)
{
    char text[32];
    struct tm parts;
    (void)gmtime_r(&t, &parts);
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    json_member_text(w, key, text);
}

/* Numbers of an earlier process under the same name. */
static void copy_numbers(struct json_value object, struct json_writer *w)
{
    struct json_iter it = json_walk(object);
    while (json_next(&it)) {
        double v = 0;
        if (json_as_double(it.value, &v)) {
            json_key_str(w, it.key);
            json_double(w, v);
        }
    }
}

static void write_stage(const struct stage *s, struct json_value before, struct json_writer *w)
{
    json_member_open(w, s->name, '{');
    if (s->complete && s->seconds == 0) {
        copy_numbers(json_get(json_get(before, "stages"), s->name), w);
    } else {
        json_member_double(w, "seconds", s->seconds);
        json_member_u64(w, "resumed", s->resumed);
        json_member_u64(w, "threads", pool_threads(s->run->pool));
        for (size_t i = 0; i < s->timings.count; i++) {
            json_member_raw(w, s->timings.items[i].key, s->timings.items[i].json);
        }
    }
    json_close(w, '}');
}

static void write_endings(const struct run *r, struct json_value before, struct json_writer *w)
{
    json_member_open(w, "endings", '{');
    for (size_t i = 0; i < r->ending_times.count; i++) {
        json_member_raw(w, r->ending_times.items[i].key, r->ending_times.items[i].json);
    }
    struct json_iter it = json_walk(json_get(before, "endings"));
    while (json_next(&it)) {
        double v = 0;
        bool again = false;
        for (size_t i = 0; i < r->ending_times.count; i++) {
            again = again || str_is(it.key, r->ending_times.items[i].key);
        }
        if (!again && json_as_double(it.value, &v)) {
            json_key_str(w, it.key);
            json_double(w, v);
        }
    }
    json_close(w, '}');
}

winnow_status folder_write_timings(struct run *r, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value before = {0};
    struct buf text = {0}, path = {0};
    struct winnow_error ignored; /* figures of speed are not worth failing for */
    bool found = false;
    (void)file_join(&path, r->folder, "timings.json");
    if (run_read_json(buf_cstr(&path), parser, &before, &found, &ignored) != WINNOW_OK) {
        before = (struct json_value){0};
    }
    struct rusage use;
    (void)getrusage(RUSAGE_SELF, &use);
    struct json_writer w = {.out = &text, .pretty = true};
    json_open(&w, '{');
    add_time(&w, "started", r->started);
    add_time(&w, "ended", time(NULL));
    json_member_u64(&w, "threads", pool_threads(r->pool));
    json_key(&w, "peak_memory_bytes");
    uint64_t peak = (uint64_t)use.ru_maxrss * 1024, peak_before = 0;
    (void)json_as_u64(json_get(before, "peak_memory_bytes"), &peak_before);
    json_u64(&w, peak > peak_before ? peak : peak_before);
    json_member_open(&w, "stages", '{');
    for (size_t i = 0; i < r->request->count; i++) {
        write_stage(&r->stages[i], before, &w);
    }
    json_close(&w, '}');
    write_endings(r, before, &w);
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    winnow_status st = file_write_atomic(buf_cstr(&path), buf_str(&text), err);
    buf_release(&text);
    buf_release(&path);
    json_parser_free(parser);
    return st;
}
