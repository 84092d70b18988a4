/* recipe.c -- YAML events to option tables.
 *
 * The grammar is three levels deep at most, so each level is a loop of its own
 * over libyaml's events and nothing recurses.  Anchors, aliases, tags and a
 * second document are refused: a recipe says what it means where it stands. */
#include "option/recipe.h"

#include "base/file.h"
#include "base/map.h"
#include "option/corpus_options.h"
#include "option/near_name.h"

#include <stdio.h>
#include <yaml.h>

#define RECIPE_BYTES_MAX ((size_t)1 << 20)

static const struct option COMMON_OPTIONS[] = {
    OPT_U32(0, "threads", struct recipe_common, threads, 0, 4096, "worker threads"),
    OPT_SIZE(0, "memory", struct recipe_common, memory, 0, 1e15, "most memory to use"),
    OPT_COUNT(0, "seed", struct recipe_common, seed, 0, 18446744073709551615.0,
              "seed of everything random"),
    OPT_TEXT(0, "kernels", struct recipe_common, kernels, "NAME", "force a kernel table"),
    OPT_END,
};

static const struct recipe_common COMMON_DEFAULTS = {0};

const struct option_table RECIPE_COMMON_TABLE = {.command = "recipe",
                                                 .options = COMMON_OPTIONS,
                                                 .defaults = &COMMON_DEFAULTS,
                                                 .size = sizeof COMMON_DEFAULTS};

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one at hand */
    bool has_event;
    const char *name;
    const struct recipe_tables *tables;
    struct recipe *out;
    struct winnow_error *err;
};

/* ---- events ---- */

#define AS_DEEP                                                                                    \
    "each stage begins with a '-' of its own, and its options are indented deeper than its name; " \
    "`winnow help recipe` shows how deep"

static winnow_status fail_at(struct reader *r, yaml_mark_t mark)
{
    char at[256];
    (void)snprintf(at, sizeof at, "%s:%zu:%zu", r->name, mark.line + 1, mark.column + 1);
    return error_wrap(r->err, WINNOW_E_USAGE, "%s", at);
}

static winnow_status refuse(struct reader *r, const char *what)
{
    error_write(r->err, "%s", what);
    return fail_at(r, r->event.start_mark);
}

static bool is_named(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_ALIAS_EVENT:
        return true;
    case YAML_SCALAR_EVENT:
        return e->data.scalar.anchor || e->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return e->data.sequence_start.anchor || e->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return e->data.mapping_start.anchor || e->data.mapping_start.tag;
    default:
        return false;
    }
}

static winnow_status next(struct reader *r)
{
    if (r->has_event) {
        yaml_event_delete(&r->event);
        r->has_event = false;
    }
    if (!yaml_parser_parse(&r->parser, &r->event)) {
        const char *problem = r->parser.problem ? r->parser.problem : "not YAML";
        bool list = strstr(problem, "'-' indicator") != NULL; /* that libyaml had expected */
        error_write(r->err, "%s%s", problem,
                    list ? "; an option of a stage is indented deeper than the stage's name, as "
                           "`winnow help recipe` shows"
                         : "");
        return fail_at(r, r->parser.problem_mark);
    }
    r->has_event = true;
    return is_named(&r->event) ? refuse(r, "anchors, aliases and tags have no place in a recipe")
                               : WINNOW_OK;
}

static struct str scalar(const struct reader *r)
{
    return (struct str){(const char *)r->event.data.scalar.value, r->event.data.scalar.length};
}

static bool is_null(const struct reader *r)
{
    struct str s = scalar(r);
    return r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (s.len == 0 || str_is(s, "~") || str_is(s, "null"));
}

/* The text at hand, without NUL inside. */
static winnow_status take_text(struct reader *r, const char *what, struct str *out)
{
    if (r->event.type != YAML_SCALAR_EVENT) {
        error_write(r->err, "%s is text", what);
        return fail_at(r, r->event.start_mark);
    }
    struct str s = scalar(r);
    if (s.len > 0 && memchr(s.ptr, '\0', s.len)) {
        return refuse(r, "a NUL has no place in a recipe");
    }
    *out = s;
    return WINNOW_OK;
}

/* The key at hand, copied; refuses one that stood in the mapping before. */
static winnow_status take_key(struct reader *r, struct map *seen, const char **key)
{
    struct str s;
    bool is_new = true;
    TRY(take_text(r, "a key", &s));
    (void)map_put(seen, s, &is_new);
    if (!is_new) {
        error_write(r->err, "the key '%.*s' stands twice", STR_ARG(s));
        return fail_at(r, r->event.start_mark);
    }
    *key = arena_strndup(&r->out->keep, s.ptr, s.len);
    return WINNOW_OK;
}

/* Leaves out the value at hand, whatever it is. */
static winnow_status skip_value(struct reader *r)
{
    size_t depth = 0;
    for (;;) {
        if (r->event.type == YAML_MAPPING_START_EVENT ||
            r->event.type == YAML_SEQUENCE_START_EVENT) {
            depth++;
        } else if (r->event.type == YAML_MAPPING_END_EVENT ||
                   r->event.type == YAML_SEQUENCE_END_EVENT) {
            depth--;
        }
        if (depth == 0) {
            return WINNOW_OK;
        }
        TRY(next(r));
    }
}

/* ---- values ---- */

/* The list at hand, or one item that stands alone. */
static winnow_status take_list(struct reader *r, const char *what, struct winnow_list *list)
{
    struct str s;
    *list = (struct winnow_list){0};
    if (r->event.type == YAML_SCALAR_EVENT) {
        TRY(take_text(r, what, &s));
        option_list_add(list, s, &r->out->keep);
        return WINNOW_OK;
    }
    if (r->event.type != YAML_SEQUENCE_START_EVENT) {
        error_write(r->err, "%s is a list", what);
        return fail_at(r, r->event.start_mark);
    }
    TRY(next(r));
    while (r->event.type != YAML_SEQUENCE_END_EVENT) {
        TRY(take_text(r, "an item of a list", &s));
        option_list_add(list, s, &r->out->keep);
        TRY(next(r));
    }
    return WINNOW_OK;
}

/* The value at hand into one option of a table. */
static winnow_status take_option(struct reader *r, const struct option_table *table, void *target,
                                 const char *key, yaml_mark_t key_mark)
{
    const struct option *o = option_find(table, str_of(key));
    if (o && option_is_list(o)) {
        struct winnow_list list;
        if (r->event.type == YAML_SCALAR_EVENT && is_null(r)) {
            return WINNOW_OK;
        }
        TRY(take_list(r, key, &list));
        memcpy((unsigned char *)target + o->offset, &list, sizeof list);
        return WINNOW_OK;
    }
    struct str value = {"", 0};
    if (o) {
        TRY(take_text(r, key, &value));
        if (is_null(r)) {
            return WINNOW_OK;
        }
    }
    yaml_mark_t mark = o ? r->event.start_mark : key_mark;
    winnow_status st = option_set(table, target, str_of(key), value, &r->out->keep, r->err);
    return st == WINNOW_OK ? st : fail_at(r, mark);
}

/* The mapping at hand (or nothing) over a table's defaults. */
static winnow_status take_options(struct reader *r, struct recipe_part *part)
{
    const struct option_table *table = part->table;
    part->options = arena_alloc(&r->out->keep, 1, table->size);
    memcpy(part->options, table->defaults, table->size);
    if (r->event.type == YAML_SCALAR_EVENT && is_null(r)) {
        return WINNOW_OK;
    }
    if (r->event.type != YAML_MAPPING_START_EVENT) {
        error_write(r->err, "the options of %s are a mapping, as in {key: value}", table->command);
        return fail_at(r, r->event.start_mark);
    }
    struct map seen = {0};
    winnow_status st = next(r);
    while (st == WINNOW_OK && r->event.type != YAML_MAPPING_END_EVENT) {
        const char *key = NULL;
        yaml_mark_t mark = r->event.start_mark;
        st = take_key(r, &seen, &key);
        st = st == WINNOW_OK ? next(r) : st;
        st = st == WINNOW_OK ? take_option(r, table, part->options, key, mark) : st;
        st = st == WINNOW_OK ? next(r) : st;
    }
    map_release(&seen);
    return st;
}

/* ---- stages ---- */

static const struct option_table *find_table(const struct option_table *const *tables,
                                             struct str name)
{
    for (size_t i = 0; tables[i]; i++) {
        if (str_is(name, tables[i]->command)) {
            return tables[i];
        }
    }
    return NULL;
}

/* The names of stages as options of a table, which know what is near. */
static const char *nearest_stage(const struct option_table *const *tables, struct str name)
{
    struct option names[64] = {{.kind = OPTION_END}};
    const struct option_table as_options = {.options = names};
    for (size_t i = 0; tables[i] && i + 1 < sizeof names / sizeof *names; i++) {
        names[i] = (struct option){.kind = OPTION_FLAG, .name = tables[i]->command};
        names[i + 1] = (struct option){.kind = OPTION_END};
    }
    return option_nearest(&as_options, name, NULL);
}

static winnow_status take_stage_name(struct reader *r, struct recipe_part *part)
{
    struct str name;
    TRY(take_text(r, "the name of a stage", &name));
    part->table = find_table(r->tables->stages, name);
    part->line = (unsigned)r->event.start_mark.line + 1;
    if (part->table) {
        return WINNOW_OK;
    }
    const char *near = nearest_stage(r->tables->stages, name), *other = near_command(name);
    if (other) {
        error_write(r->err, "no stage '%.*s': %s", STR_ARG(name), other);
    } else {
        error_write(r->err, "no stage '%.*s'%s%s%s", STR_ARG(name), near ? "; did you mean '" : "",
                    near ? near : "", near ? "'?" : "; `winnow help recipe` lists them");
    }
    return fail_at(r, r->event.start_mark);
}

/* "- dedup" or "- dedup: {...}", with "- dedup:" in between. */
static winnow_status take_stage(struct reader *r, struct recipe_part *part)
{
    if (r->event.type == YAML_SCALAR_EVENT) {
        TRY(take_stage_name(r, part));
        part->options = arena_alloc(&r->out->keep, 1, part->table->size);
        memcpy(part->options, part->table->defaults, part->table->size);
        return WINNOW_OK;
    }
    if (r->event.type != YAML_MAPPING_START_EVENT) {
        return refuse(r, "a stage is its name with its options, as in '- dedup: {method: exact}'");
    }
    TRY(next(r));
    if (r->event.type == YAML_MAPPING_END_EVENT) {
        return refuse(r, "a stage without a name");
    }
    TRY(take_stage_name(r, part));
    TRY(next(r));
    TRY(take_options(r, part));
    TRY(next(r));
    if (r->event.type != YAML_MAPPING_END_EVENT) {
        return refuse(r, AS_DEEP);
    }
    return WINNOW_OK;
}

static winnow_status take_stages(struct reader *r)
{
    struct recipe *out = r->out;
    if (r->event.type != YAML_SEQUENCE_START_EVENT) {
        return refuse(r, "stages is a list, each stage with a '-'");
    }
    TRY(next(r));
    while (r->event.type != YAML_SEQUENCE_END_EVENT) {
        if (out->stage_count >= 99) {
            return refuse(r, "more than 99 stages");
        }
        TRY(take_stage(r, &out->stages[out->stage_count]));
        out->stage_count++;
        TRY(next(r));
    }
    return out->stage_count > 0 ? WINNOW_OK : refuse(r, "stages is empty");
}

/* ---- the top level ---- */

static winnow_status take_version(struct reader *r)
{
    struct str s;
    TRY(take_text(r, "winnow", &s));
    return str_is(s, "1")
               ? WINNOW_OK
               : refuse(r, "this program reads recipes of version 1: the first line of a recipe is "
                           "'winnow: 1'");
}

static winnow_status refuse_key(struct reader *r, const char *key, yaml_mark_t mark)
{
    static const char *const OWN[] = {"winnow", "input", "output", "stages", NULL};
    const char *near = option_nearest(&CORPUS_TABLE, str_of(key), NULL);
    size_t len = strlen(key);
    for (size_t i = 0; OWN[i]; i++) {
        if (len > 2 && (strncmp(OWN[i], key, 3) == 0)) {
            near = OWN[i];
        }
    }
    for (size_t i = 0; r->tables->sections[i]; i++) {
        if (len > 2 && strncmp(r->tables->sections[i]->command, key, 3) == 0) {
            near = r->tables->sections[i]->command;
        }
    }
    error_write(r->err, "a recipe has no key '%s'%s%s%s", key, near ? "; did you mean '" : "",
                near ? near : "", near ? "'?" : "");
    return fail_at(r, mark);
}

/* The value at hand of a key of the top level. */
static winnow_status take_top(struct reader *r, const char *key, yaml_mark_t mark)
{
    struct recipe *out = r->out;
    if (strcmp(key, "winnow") == 0) {
        return take_version(r);
    }
    if (strcmp(key, "input") == 0) {
        return take_list(r, "input", &out->input);
    }
    if (strcmp(key, "stages") == 0) {
        return take_stages(r);
    }
    if (strcmp(key, "made-with") == 0) { /* how a resolved recipe was made */
        return skip_value(r);
    }
    for (size_t i = 0; i < out->section_count; i++) {
        if (strcmp(key, out->sections[i].table->command) == 0) {
            out->sections[i].line = (unsigned)mark.line + 1;
            return take_options(r, &out->sections[i]);
        }
    }
    if (option_find(&RECIPE_COMMON_TABLE, str_of(key))) {
        return take_option(r, &RECIPE_COMMON_TABLE, &out->common, key, mark);
    }
    if (option_find(&CORPUS_TABLE, str_of(key))) {
        return take_option(r, &CORPUS_TABLE, &out->corpus, key, mark);
    }
    return refuse_key(r, key, mark);
}

static winnow_status take_document(struct reader *r, struct map *seen)
{
    TRY(next(r)); /* stream start */
    TRY(next(r));
    if (r->event.type == YAML_STREAM_END_EVENT) {
        return refuse(r, "the recipe is empty; `winnow help recipe` shows one");
    }
    TRY(next(r)); /* document start is behind us */
    if (r->event.type != YAML_MAPPING_START_EVENT) {
        return refuse(r, "a recipe is a mapping: 'winnow: 1', 'input:', 'output:', 'stages:'");
    }
    TRY(next(r));
    while (r->event.type != YAML_MAPPING_END_EVENT) {
        const char *key = NULL;
        yaml_mark_t mark = r->event.start_mark;
        TRY(take_key(r, seen, &key));
        TRY(next(r));
        TRY(take_top(r, key, mark));
        TRY(next(r));
    }
    TRY(next(r)); /* document end */
    TRY(next(r));
    return r->event.type == YAML_STREAM_END_EVENT ? WINNOW_OK
                                                  : refuse(r, "a second document in one recipe");
}

static winnow_status check_complete(struct reader *r, const struct map *seen)
{
    static const char *const NEEDED[] = {"winnow: 1", "input:", "stages:"};
    for (size_t i = 0; i < sizeof NEEDED / sizeof *NEEDED; i++) {
        struct str key = str_of(NEEDED[i]);
        key.len = (size_t)(strchr(key.ptr, ':') - key.ptr);
        if (!map_get(seen, key)) {
            return error_set(r->err, WINNOW_E_USAGE,
                             "%s: the recipe has no '%s'; `winnow help recipe` shows one", r->name,
                             NEEDED[i]);
        }
    }
    return WINNOW_OK;
}

winnow_status recipe_parse(struct str text, const char *name, const struct recipe_tables *tables,
                           struct recipe *out, struct winnow_error *err)
{
    struct reader r = {.name = name, .tables = tables, .out = out, .err = err};
    struct map seen = {0};
    *out = (struct recipe){.corpus = WINNOW_CORPUS_OPTIONS_INIT};
    arena_init(&out->keep, (size_t)1 << 14);
    while (tables->sections[out->section_count]) {
        out->section_count++;
    }
    out->stages = ARENA_NEW(&out->keep, struct recipe_part, 100);
    out->sections = ARENA_NEW(&out->keep, struct recipe_part, out->section_count + 1);
    for (size_t i = 0; i < out->section_count; i++) {
        out->sections[i].table = tables->sections[i];
    }
    if (!yaml_parser_initialize(&r.parser)) {
        return error_set(err, WINNOW_E_NOMEM, "%s: no memory to read it", name);
    }
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.ptr, text.len);
    winnow_status st = take_document(&r, &seen);
    st = st == WINNOW_OK ? check_complete(&r, &seen) : st;
    if (r.has_event) {
        yaml_event_delete(&r.event);
    }
    yaml_parser_delete(&r.parser);
    map_release(&seen);
    return st;
}

winnow_status recipe_read(const char *path, const struct recipe_tables *tables, struct recipe *out,
                          struct winnow_error *err)
{
    struct buf text = {0};
    *out = (struct recipe){0};
    const char *file = strcmp(path, "-") == 0 ? "/dev/stdin" : path;
    winnow_status st = file_read(file, RECIPE_BYTES_MAX, &text, err);
    if (st == WINNOW_OK) {
        st = recipe_parse(buf_str(&text), path, tables, out, err);
    }
    buf_release(&text);
    return st;
}

void recipe_release(struct recipe *r)
{
    arena_release(&r->keep);
    *r = (struct recipe){0};
}
