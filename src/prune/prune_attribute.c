/* prune_attribute.c -- scores that an earlier run left, put beside this corpus.
 *
 * Attributes have a row a document in the order of their corpus, without the texts.
 * That both are the same corpus is checked by the hash of every id at its place; one
 * that differs stops the run, since a shifted score would prune the wrong document. */
#include "prune/prune_attribute.h"

#include "base/hash.h"
#include "base/json_span.h"
#include "corpus/shard_reader.h"
#include "corpus/shards.h"

#include <float.h>
#include <math.h>

double attribute_score(struct json_value attributes, const char *name)
{
    double score = (double)NAN;
    struct json_iter spans = json_walk(json_get(attributes, name));
    if (json_next(&spans)) {
        struct json_iter it = json_walk(spans.value);
        for (int i = 0; json_next(&it); i++) {
            /* what overflows a double is read as the largest: no score either */
            if (i == 2 && !(json_as_double(it.value, &score) && fabs(score) < DBL_MAX)) {
                score = (double)NAN;
            }
        }
    }
    return score;
}

/* ---- rows ---- */

struct walk {
    attribute_row each;
    void *ctx;
    struct json_parser *parser;
};

static winnow_status take_line(struct walk *w, struct str line, const char *path, uint64_t number,
                               struct winnow_error *err)
{
    struct json_value root;
    struct str id;
    winnow_status st = json_parse(w->parser, line, &root, err);
    if (st != WINNOW_OK || !json_span_id(root, line, "id", &id)) {
        return error_set(err, WINNOW_E_FORMAT, "%s: line %llu is no attribute row", path,
                         (unsigned long long)number);
    }
    const struct attribute_place place = {path, number};
    return w->each(w->ctx, id, json_get(root, "attributes"), &place, err);
}

static winnow_status read_shard(struct walk *w, const struct shard *shard, struct winnow_error *err)
{
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    struct shard_reader *reader = NULL;
    struct shard_block block = {0};
    bool more = true;
    opt.stamp = &shard->stamp;
    opt.remote = shard->remote;
    winnow_status st = shard_reader_open(&reader, shard->path, shard->name, &opt, err);
    while (st == WINNOW_OK && more) {
        st = shard_reader_next(reader, &block, &more, err);
        if (st == WINNOW_OK && more && block.bad.reason.len > 0) {
            st =
                error_set(err, WINNOW_E_FORMAT, "%s: %.*s", shard->path, STR_ARG(block.bad.reason));
        }
        struct str rest = block.lines, line;
        uint64_t number = block.line;
        while (st == WINNOW_OK && more && str_next_line(&rest, &line)) {
            st = take_line(w, line, shard->path, number++, err);
        }
    }
    if (reader) {
        shard_reader_close(reader);
    }
    shard_block_release(&block);
    return st;
}

winnow_status attribute_each(const char *folder, attribute_row each, void *ctx,
                             struct winnow_error *err)
{
    struct shard_list shards = {0};
    const struct shards_options find = {.paths = {&folder, 1}, .kind = SHARDS_DOCUMENTS};
    struct walk w = {each, ctx, json_parser_new()};
    winnow_status st = shards_find(&find, &shards, err);
    for (size_t i = 0; st == WINNOW_OK && i < shards.count; i++) {
        st = read_shard(&w, &shards.items[i], err);
    }
    json_parser_free(w.parser);
    shard_list_release(&shards);
    return st;
}

/* ---- beside surveyed documents ---- */

struct reading {
    const struct attribute_wanted *want;
    const struct survey *survey;
    struct selector_item *items;
    size_t next; /* ordinal */
};

static winnow_status take_row(void *ctx, struct str id, struct json_value attributes,
                              const struct attribute_place *place, struct winnow_error *err)
{
    struct reading *r = ctx;
    while (r->next < r->survey->count && r->survey->rows[r->next].role == SURVEY_ABSENT) {
        r->next++;
    }
    if (r->next == r->survey->count || r->survey->rows[r->next].id_hash != hash64(id, 0)) {
        if (r->want->more) {
            return WINNOW_OK;
        }
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: line %llu is about \"%.*s\", which is not the document at this place "
                         "of the corpus: attributes have to be those of this input",
                         place->path, (unsigned long long)place->line, STR_ARG(id));
    }
    r->items[r->next++].score = attribute_score(attributes, r->want->name);
    return WINNOW_OK;
}

winnow_status attribute_read(const struct attribute_wanted *want, const struct survey *s,
                             struct selector_item *items, struct winnow_error *err)
{
    struct reading r = {want, s, items, 0};
    winnow_status st = attribute_each(want->folder, take_row, &r, err);
    while (r.next < s->count && s->rows[r.next].role == SURVEY_ABSENT) {
        r.next++;
    }
    if (st == WINNOW_OK && r.next < s->count) {
        st = error_set(err, WINNOW_E_FORMAT,
                       "%s holds fewer rows than the corpus has documents: attributes have to be "
                       "those of this input",
                       want->folder);
    }
    return st;
}
