/* eval_file.c -- task records, one JSON object a line, to items.
 *
 * What stands between a context and an answer is part of a task's form: most
 * want a blank, question-and-answer tasks "\nAnswer: ".  A record may say its
 * own ("delimiter"), the caller may overrule both.  White space at the end of a
 * context moves to the answer in place of the delimiter, since that is where
 * tokenizers put it (so does lm-evaluation-harness). */
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "corpus/shard_reader.h"
#include "eval/eval_suite.h"

#include <inttypes.h>

static const struct {
    const char *task, *delimiter;
} FORMS[] = {
    {"arc_easy", "\nAnswer: "},
    {"arc_challenge", "\nAnswer: "},
    {"boolq", "\nAnswer: "},
    {"simple_arithmetic_nospaces", ""},
};

/* The items of a task that are shown instead of asked. */
struct shots {
    struct buf text;
    uint32_t count;
};

struct reading {
    struct eval_suite *suite;
    const struct eval_file_options *opt;
    struct shots *shots; /* by task */
    size_t shots_cap;
    uint64_t skipped;
    struct buf name, text;
};

/* A record's members, as far as its kind has them. */
struct task_line {
    struct json_value json;
    struct str id, task, context;
};

static struct str get_str(struct json_value object, const char *key)
{
    struct str s = {"", 0};
    (void)json_as_str(json_get(object, key), &s);
    return s;
}

static struct str keep(struct reading *r, struct str s)
{
    return (struct str){arena_strndup(eval_suite_arena(r->suite), s.ptr, s.len), s.len};
}

static struct str delimiter_of(const struct reading *r, const struct task_line *rec)
{
    if (r->opt->delimiter) {
        return str_of(r->opt->delimiter);
    }
    struct str own;
    if (json_as_str(json_get(rec->json, "delimiter"), &own)) {
        return own;
    }
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
        if (str_is(rec->task, FORMS[i].task)) {
            return str_of(FORMS[i].delimiter);
        }
    }
    return STR_LIT(" ");
}

static struct shots *shots_of(struct reading *r, uint32_t task)
{
    if (task >= r->shots_cap) {
        size_t cap = (size_t)task + 64;
        r->shots = mem_realloc(r->shots, r->shots_cap * sizeof *r->shots, cap * sizeof *r->shots);
        memset(r->shots + r->shots_cap, 0, (cap - r->shots_cap) * sizeof *r->shots);
        r->shots_cap = cap;
    }
    return &r->shots[task];
}

/* Answer behind context, which stands behind the shots. */
static struct eval_option make_option(struct reading *r, const struct task_line *rec, uint32_t task,
                                      struct str context, struct str answer)
{
    struct eval_option o = {.chars = (uint32_t)utf8_count(answer)};
    size_t end = context.len;
    while (end > 0 && strchr(" \t\n\r", context.ptr[end - 1])) {
        end--;
    }
    const struct buf *shown = &shots_of(r, task)->text;
    struct str between = str_sub(context, end, context.len);
    if (between.len == 0 && context.len > 0) {
        between = delimiter_of(r, rec);
    }
    buf_clear(&r->text);
    buf_add_str(&r->text, buf_str(shown));
    buf_add_str(&r->text, str_sub(context, 0, end));
    /* The delimiter's own trailing words belong to the question: "\nAnswer:". */
    size_t cut = between.len;
    while (cut > 0 && strchr(" \t\n\r", between.ptr[cut - 1])) {
        cut--;
    }
    buf_add_str(&r->text, str_sub(between, 0, cut));
    o.context = keep(r, buf_str(&r->text));
    buf_clear(&r->text);
    buf_add_str(&r->text, str_sub(between, cut, between.len));
    buf_add_str(&r->text, answer);
    o.continuation = keep(r, buf_str(&r->text));
    return o;
}

/* Takes the item as a shot while these are wanted, else into the suite. */
static void add_item(struct reading *r, struct eval_item *item, const struct eval_option *options)
{
    struct shots *shots = shots_of(r, item->task);
    if (item->kind != EVAL_PAIR && shots->count < r->opt->shots) {
        const struct eval_option *right = &options[item->gold];
        struct str context = right->context; /* the shots before stand in it already */
        buf_clear(&shots->text);
        buf_add_str(&shots->text, context);
        buf_add_str(&shots->text, right->continuation);
        buf_add_text(&shots->text, "\n\n");
        shots->count++;
        return;
    }
    struct eval_option *kept =
        ARENA_NEW(eval_suite_arena(r->suite), struct eval_option, item->option_count);
    memcpy(kept, options, item->option_count * sizeof *kept);
    item->options = kept;
    eval_suite_add_item(r->suite, item);
}

static uint32_t find_task(struct reading *r, const struct task_line *rec, enum eval_kind kind)
{
    struct str subtask = get_str(rec->json, "subtask");
    buf_clear(&r->name);
    buf_add_str(&r->name, rec->task);
    if (subtask.len > 0) {
        buf_addf(&r->name, "_%.*s", STR_ARG(subtask));
    }
    return eval_suite_find_task(r->suite, buf_str(&r->name), rec->task, kind);
}

/* "choices" with one context, or "context_options" with one ending. */
static winnow_status read_choices(struct reading *r, const struct task_line *rec,
                                  enum eval_kind kind, struct winnow_error *err)
{
    bool schema = kind == EVAL_SCHEMA;
    struct json_value list = json_get(rec->json, schema ? "context_options" : "choices");
    size_t count = json_kind(list) == JSON_ARRAY ? json_count(list) : 0;
    uint64_t gold;
    if (count < 2 || count > EVAL_OPTIONS_MAX || !json_as_u64(json_get(rec->json, "gold"), &gold) ||
        gold >= count) {
        return error_set(err, WINNOW_E_FORMAT,
                         "needs 2 to %d %s and \"gold\", the number of the right one",
                         EVAL_OPTIONS_MAX, schema ? "\"context_options\"" : "\"choices\"");
    }
    struct eval_item item = {.kind = kind,
                             .option_count = (uint32_t)count,
                             .gold = (uint32_t)gold,
                             .task = find_task(r, rec, kind)};
    if (r->opt->limit && eval_suite_task_items(r->suite, item.task) >= r->opt->limit) {
        return WINNOW_OK;
    }
    struct eval_option options[EVAL_OPTIONS_MAX];
    struct str ending = get_str(rec->json, "continuation"), text;
    struct json_iter it = json_walk(list);
    for (size_t i = 0; json_next(&it); i++) {
        if (!json_as_str(it.value, &text)) {
            return error_set(err, WINNOW_E_FORMAT, "choice %zu is no string", i);
        }
        options[i] = schema ? make_option(r, rec, item.task, text, ending)
                            : make_option(r, rec, item.task, rec->context, text);
    }
    item.id = item.source = keep(r, rec->id);
    add_item(r, &item, options);
    return WINNOW_OK;
}

static winnow_status read_pair(struct reading *r, const struct task_line *rec,
                               struct winnow_error *err)
{
    struct str good = get_str(rec->json, "good"), bad = get_str(rec->json, "bad");
    if (good.len == 0 || bad.len == 0) {
        return error_set(err, WINNOW_E_FORMAT, "needs strings \"good\" and \"bad\"");
    }
    struct eval_item item = {
        .kind = EVAL_PAIR, .option_count = 2, .task = find_task(r, rec, EVAL_PAIR)};
    if (r->opt->limit && eval_suite_task_items(r->suite, item.task) >= r->opt->limit) {
        return WINNOW_OK;
    }
    const struct eval_option options[2] = {
        make_option(r, rec, item.task, (struct str){"", 0}, good),
        make_option(r, rec, item.task, (struct str){"", 0}, bad),
    };
    item.id = item.source = keep(r, rec->id);
    add_item(r, &item, options);
    return WINNOW_OK;
}

static winnow_status read_greedy(struct reading *r, const struct task_line *rec,
                                 struct winnow_error *err)
{
    struct str answer = get_str(rec->json, "continuation");
    if (answer.len == 0 || rec->context.len == 0) {
        return error_set(err, WINNOW_E_FORMAT, "needs strings \"context\" and \"continuation\"");
    }
    struct eval_item item = {
        .kind = EVAL_GREEDY, .option_count = 1, .task = find_task(r, rec, EVAL_GREEDY)};
    if (r->opt->limit && eval_suite_task_items(r->suite, item.task) >= r->opt->limit) {
        return WINNOW_OK;
    }
    struct eval_option option = make_option(r, rec, item.task, rec->context, answer);
    item.id = item.source = keep(r, rec->id);
    add_item(r, &item, &option);
    return WINNOW_OK;
}

static winnow_status read_record(struct reading *r, struct json_value json,
                                 struct winnow_error *err)
{
    const struct task_line rec = {.json = json,
                                  .id = get_str(json, "id"),
                                  .task = get_str(json, "task"),
                                  .context = get_str(json, "context")};
    struct str kind = get_str(json, "kind");
    if (rec.task.len == 0) {
        return error_set(err, WINNOW_E_FORMAT, "no string field \"task\"");
    }
    if (kind.len == 0 || str_is(kind, "pair")) {
        return read_pair(r, &rec, err);
    }
    if (str_is(kind, "mc")) {
        return read_choices(r, &rec, EVAL_CHOICE, err);
    }
    if (str_is(kind, "schema")) {
        return read_choices(r, &rec, EVAL_SCHEMA, err);
    }
    if (str_is(kind, "cloze")) {
        return read_greedy(r, &rec, err);
    }
    r->skipped++;
    return WINNOW_OK;
}

static winnow_status read_block(struct reading *r, struct json_parser *parser,
                                const struct shard_block *block, const char *path,
                                struct winnow_error *err)
{
    if (block->bad.reason.len > 0) {
        return error_set(err, WINNOW_E_FORMAT, "%s: line %" PRIu64 ": %.*s", path, block->bad.line,
                         STR_ARG(block->bad.reason));
    }
    uint64_t number = block->line;
    struct str rest = block->lines, line;
    for (; str_next_line(&rest, &line); number++) {
        struct json_value json;
        if (str_trim(line).len == 0) {
            continue;
        }
        winnow_status st = json_parse(parser, line, &json, err);
        if (st == WINNOW_OK) {
            st = read_record(r, json, err);
        }
        if (st != WINNOW_OK) {
            return error_wrap(err, st, "%s: line %" PRIu64, path, number);
        }
    }
    return WINNOW_OK;
}

winnow_status eval_suite_add_file(struct eval_suite *s, const char *path,
                                  const struct eval_file_options *opt, uint64_t *skipped,
                                  struct winnow_error *err)
{
    struct reading r = {.suite = s, .opt = opt};
    const struct shard_reader_options reader_options = SHARD_READER_OPTIONS_INIT;
    struct shard_reader *reader = NULL;
    struct shard_block block = {0};
    struct json_parser *parser = json_parser_new();
    bool more = true;
    winnow_status st = shard_reader_open(&reader, path, path, &reader_options, err);
    while (st == WINNOW_OK && more) {
        st = shard_reader_next(reader, &block, &more, err);
        if (st == WINNOW_OK && more) {
            st = read_block(&r, parser, &block, path, err);
        }
    }
    if (skipped) {
        *skipped += r.skipped;
    }
    eval_suite_sort(s);
    for (size_t i = 0; i < r.shots_cap; i++) {
        buf_release(&r.shots[i].text);
    }
    mem_free(r.shots);
    buf_release(&r.name);
    buf_release(&r.text);
    json_parser_free(parser);
    shard_block_release(&block);
    shard_reader_close(reader);
    return st;
}
