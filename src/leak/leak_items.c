/* leak_items.c -- benchmark files to items, read whole one after the other. */
#include "leak/leak_items.h"

#include "base/file.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "corpus/shard_reader.h"
#include "corpus/shards.h"

#include <inttypes.h>
#include <string.h>

#define ITEMS_MAX      ((size_t)1 << 28) /* of one set, and words: what 32 bits number */
#define WORDS_MAX      ((size_t)UINT32_MAX)
#define DISTINCT_WORDS 4U /* an item of fewer says nothing */

static void open_keep(struct leak_set *set)
{
    if (!set->keep_open) {
        arena_init(&set->keep, (size_t)1 << 16);
        set->keep_open = true;
    }
}

static struct leak_benchmark *benchmark_of(struct leak_set *set, struct str name, uint32_t *number)
{
    bool is_new = false;
    uint64_t *at = map_put(&set->names, name, &is_new);
    if (is_new) {
        *at = set->benchmark_count;
        GROW(set->benchmarks, set->benchmark_count, set->benchmark_cap, 8);
        set->benchmarks[set->benchmark_count++] =
            (struct leak_benchmark){.name = arena_strndup(&set->keep, name.ptr, name.len)};
    }
    *number = (uint32_t)*at;
    return &set->benchmarks[*at];
}

/* Behind the words there are; returns how many. */
static winnow_status add_words(struct leak_set *set, struct str text, uint32_t *count,
                               struct winnow_error *err)
{
    TRY(leak_words_split(&set->scratch, text, err));
    if (set->word_count + set->scratch.count > WORDS_MAX || set->count >= ITEMS_MAX) {
        return error_set(err, WINNOW_E_LIMIT, "more than %zu words in the benchmarks", WORDS_MAX);
    }
    for (size_t i = 0; i < set->scratch.count; i++) {
        GROW(set->words, set->word_count, set->word_cap, 4096);
        set->words[set->word_count++] = set->scratch.items[i].hash;
    }
    *count = (uint32_t)set->scratch.count;
    return WINNOW_OK;
}

static bool says_something(const uint64_t *words, size_t count)
{
    uint64_t seen[DISTINCT_WORDS];
    size_t distinct = 0;
    for (size_t i = 0; i < count && distinct < DISTINCT_WORDS; i++) {
        bool is_new = true;
        for (size_t k = 0; k < distinct; k++) {
            is_new = is_new && seen[k] != words[i];
        }
        if (is_new) {
            seen[distinct++] = words[i];
        }
    }
    return distinct == DISTINCT_WORDS;
}

static struct str keep_text(struct leak_set *set, const struct leak_parts *p)
{
    const struct str parts[] = {p->passage, p->question, p->answer};
    buf_clear(&set->text);
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].len > 0) {
            buf_add_text(&set->text, set->text.len > 0 ? "\n" : "");
            buf_add_str(&set->text, parts[i]);
        }
    }
    size_t len = set->text.len;
    return (struct str){arena_strndup(&set->keep, set->text.ptr, len), len};
}

winnow_status leak_set_add(struct leak_set *set, struct str benchmark, struct str id,
                           const struct leak_parts *parts, uint32_t words_min,
                           struct winnow_error *err)
{
    open_keep(set);
    struct leak_item item = {.first = set->word_count};
    struct leak_benchmark *b = benchmark_of(set, benchmark, &item.benchmark);
    TRY(add_words(set, parts->passage, &item.passage, err));
    TRY(add_words(set, parts->question, &item.question, err));
    TRY(add_words(set, parts->answer, &item.answer, err));
    const uint64_t *words = set->words + item.first;
    size_t count = set->word_count - item.first;
    bool is_new = false;
    if (count < words_min || !says_something(words, count)) {
        b->too_short++;
    } else {
        (void)map_put(&set->seen, (struct str){(const char *)words, count * sizeof *words},
                      &is_new);
        b->duplicates += !is_new;
    }
    b->items++;
    if (!is_new) {
        set->word_count = item.first;
        return WINNOW_OK;
    }
    item.text = keep_text(set, parts);
    item.id = (struct str){arena_strndup(&set->keep, id.ptr, id.len), id.len};
    GROW(set->items, set->count, set->cap, 1024);
    set->items[set->count++] = item;
    return WINNOW_OK;
}

/* ---- files ---- */

struct reading {
    struct leak_set *set;
    const char *path, *name;
    uint32_t words_min;
    struct json_parser *parser;
    struct buf text, paragraph, id;
    uint64_t added, paragraph_line;
    bool known, plain; /* what the first line with something in it says */
};

static struct str id_of(struct reading *r, struct json_value record, uint64_t line)
{
    static const char *const KEYS[] = {"id", "doc_id", "question_id", "idx"};
    struct str id;
    uint64_t number;
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        struct json_value v = json_get(record, KEYS[i]);
        if (json_as_str(v, &id) && id.len > 0) {
            return id;
        }
        if (json_as_u64(v, &number)) {
            line = number;
            break;
        }
    }
    buf_clear(&r->id);
    buf_addf(&r->id, "%s#%" PRIu64, r->name, line);
    return buf_str(&r->id);
}

static winnow_status read_record(struct reading *r, struct str line, uint64_t number,
                                 struct winnow_error *err)
{
    struct json_value record;
    struct leak_parts parts;
    struct str task;
    TRY(json_parse(r->parser, line, &record, err));
    if (json_kind(record) != JSON_OBJECT || !leak_shape(record, &r->text, &parts)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "nothing that could be looked for: no string \"question\", \"context\", "
                         "\"prompt\", \"text\" or the like (docs/decontaminate.md)");
    }
    if (!json_as_str(json_get(record, "task"), &task) || task.len == 0) {
        task = str_of(r->name);
    }
    r->added++;
    return leak_set_add(r->set, task, id_of(r, record, number), &parts, r->words_min, err);
}

static winnow_status end_paragraph(struct reading *r, struct winnow_error *err)
{
    const struct leak_parts parts = {.question = str_trim(buf_str(&r->paragraph))};
    if (parts.question.len == 0) {
        return WINNOW_OK;
    }
    buf_clear(&r->id);
    buf_addf(&r->id, "%s#%" PRIu64, r->name, r->paragraph_line);
    r->added++;
    winnow_status st =
        leak_set_add(r->set, str_of(r->name), buf_str(&r->id), &parts, r->words_min, err);
    buf_clear(&r->paragraph);
    return st;
}

static winnow_status read_line(struct reading *r, struct str line, uint64_t number,
                               struct winnow_error *err)
{
    struct str trimmed = str_trim(line);
    if (str_starts(trimmed, STR_LIT("\xEF\xBB\xBF"))) {
        trimmed = str_trim(str_sub(trimmed, 3, trimmed.len));
    }
    if (!r->known && trimmed.len > 0) {
        r->known = true;
        r->plain = trimmed.ptr[0] != '{';
    }
    if (trimmed.len == 0) {
        return end_paragraph(r, err);
    }
    if (!r->plain) {
        return read_record(r, trimmed, number, err);
    }
    if (utf8_valid_until(trimmed) < trimmed.len || memchr(trimmed.ptr, 0, trimmed.len)) {
        return error_set(err, WINNOW_E_FORMAT, "neither JSON nor text in UTF-8");
    }
    r->paragraph_line = r->paragraph.len == 0 ? number : r->paragraph_line;
    buf_add_str(&r->paragraph, trimmed);
    buf_add_char(&r->paragraph, '\n');
    return WINNOW_OK;
}

static winnow_status read_lines(struct reading *r, struct str lines, uint64_t number,
                                struct winnow_error *err)
{
    struct str line;
    for (; str_next_line(&lines, &line); number++) {
        winnow_status st = read_line(r, line, number, err);
        if (st != WINNOW_OK) {
            return error_wrap(err, st, "%s: line %" PRIu64, r->path, number);
        }
    }
    return WINNOW_OK;
}

static winnow_status read_blocks(struct reading *r, struct shard_reader *reader,
                                 struct shard_block *block, struct winnow_error *err)
{
    for (;;) {
        bool more;
        TRY(shard_reader_next(reader, block, &more, err));
        if (!more) {
            return end_paragraph(r, err);
        }
        if (block->bad.reason.len > 0) {
            return error_set(err, WINNOW_E_FORMAT, "%s: line %" PRIu64 ": %.*s", r->path,
                             block->bad.line, STR_ARG(block->bad.reason));
        }
        TRY(read_lines(r, block->lines, block->line, err));
    }
}

static void reading_release(struct reading *r)
{
    json_parser_free(r->parser);
    buf_release(&r->text);
    buf_release(&r->paragraph);
    buf_release(&r->id);
}

winnow_status leak_set_add_text(struct leak_set *set, const char *name, struct str bytes,
                                uint32_t words_min, uint64_t *added, struct winnow_error *err)
{
    struct reading r = {.set = set,
                        .path = name,
                        .name = name,
                        .words_min = words_min,
                        .parser = json_parser_new()};
    winnow_status st = read_lines(&r, bytes, 1, err);
    st = st == WINNOW_OK ? end_paragraph(&r, err) : st;
    *added = r.added;
    reading_release(&r);
    return st;
}

static void note_file(struct leak_set *set, const char *path)
{
    open_keep(set);
    GROW(set->files, set->file_count, set->file_cap, 8);
    set->files[set->file_count++] = arena_strndup(&set->keep, path, strlen(path));
}

static winnow_status read_file(struct leak_set *set, const char *path, uint32_t words_min,
                               struct winnow_error *err)
{
    const struct shard_reader_options how = SHARD_READER_OPTIONS_INIT;
    struct buf name = {0};
    note_file(set, path);
    struct str stem = shard_stem(file_base(path));
    struct shard_reader *reader = NULL;
    struct shard_block block = {0};
    buf_add_str(&name, stem.len > 0 ? stem : str_of(file_base(path)));
    struct reading r = {.set = set,
                        .path = path,
                        .name = buf_cstr(&name),
                        .words_min = words_min,
                        .parser = json_parser_new()};
    winnow_status st = shard_reader_open(&reader, path, path, &how, err);
    if (st == WINNOW_OK) {
        st = read_blocks(&r, reader, &block, err);
    }
    if (st == WINNOW_OK && r.added == 0) {
        st = error_set(err, WINNOW_E_FORMAT,
                       "%s: the benchmark is empty: there is nothing to look for", path);
    }
    shard_reader_close(reader);
    shard_block_release(&block);
    reading_release(&r);
    buf_release(&name);
    return st;
}

static winnow_status read_folder(struct leak_set *set, const char *path, uint32_t words_min,
                                 struct winnow_error *err)
{
    struct shard_list files = {0};
    const struct shards_options find = {.paths = {&path, 1}};
    winnow_status st = shards_find(&find, &files, err);
    for (size_t i = 0; st == WINNOW_OK && i < files.count; i++) {
        st = read_file(set, files.items[i].path, words_min, err);
    }
    shard_list_release(&files);
    return st;
}

winnow_status leak_set_read(struct leak_set *set, const struct winnow_decontaminate_options *opt,
                            struct winnow_error *err)
{
    for (size_t i = 0; i < opt->benchmarks.count; i++) {
        const char *path = opt->benchmarks.items[i];
        if (strcmp(path, "-") == 0) {
            return error_set(err, WINNOW_E_USAGE,
                             "--benchmark is read more than once and cannot be -: name a file");
        }
        TRY(file_is_dir(path) ? read_folder(set, path, opt->item_words_min, err)
                              : read_file(set, path, opt->item_words_min, err));
    }
    if (set->count == 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "no item of the benchmarks has %u words and four different ones: there is "
                         "nothing to look for; --item-words-min is the limit",
                         opt->item_words_min);
    }
    return WINNOW_OK;
}

uint64_t leak_set_bytes(const struct leak_set *set)
{
    uint64_t texts = 0;
    for (size_t i = 0; i < set->count; i++) {
        texts += set->items[i].text.len + set->items[i].id.len + 2;
    }
    return set->word_cap * sizeof *set->words * 2 + /* once more as keys of seen */
           set->cap * sizeof *set->items + texts + set->count * 64;
}

void leak_set_release(struct leak_set *set)
{
    map_release(&set->seen);
    map_release(&set->names);
    leak_words_release(&set->scratch);
    buf_release(&set->text);
    mem_free(set->items);
    mem_free(set->words);
    mem_free(set->benchmarks);
    mem_free(set->files);
    if (set->keep_open) {
        arena_release(&set->keep);
    }
    *set = (struct leak_set){0};
}
