/* leak_items.h -- what is looked for: the items of benchmark files.
 *
 * A file is JSON lines, plain or packed, whose records have any of the shapes of
 * docs/decontaminate.md (task records of `eval`, lm-evaluation-harness's samples, rows of
 * published data sets, or a "text"), or plain text, of which each paragraph is an item.
 * Items with the same words are one.
 */
#ifndef WINNOW_LEAK_LEAK_ITEMS_H
#define WINNOW_LEAK_LEAK_ITEMS_H

#include "winnow/decontaminate.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "leak/leak_words.h"

/* The parts of a record, as text; empty where it has none. */
struct leak_parts {
    struct str passage, question, answer;
};

struct leak_item {
    uint32_t benchmark; /* among the set's */
    struct str id;
    struct str text;                    /* passage, question, answer, a line feed between them */
    size_t first;                       /* its words among the set's: passage, question, answer */
    uint32_t passage, question, answer; /* words of each */
};

static inline uint32_t leak_item_words(const struct leak_item *i)
{
    return i->passage + i->question + i->answer;
}

/* What the rule cluster takes for the question, and what is left as answer and passage: an
 * item whose question has no gram of n words is a question as a whole. */
struct leak_question {
    size_t first; /* among the set's words */
    uint32_t words, answer, passage;
};

static inline struct leak_question leak_item_question(const struct leak_item *i, uint32_t n)
{
    return i->question >= n
               ? (struct leak_question){i->first + i->passage, i->question, i->answer, i->passage}
               : (struct leak_question){i->first, leak_item_words(i), 0, 0};
}

struct leak_benchmark {
    const char *name; /* "boolq": its file's name without endings, or the records' "task" */
    uint32_t items, duplicates, too_short;
};

/* All-zero is empty. */
struct leak_set {
    struct leak_item *items;
    size_t count, cap;
    uint64_t *words; /* hashes, of all items behind each other */
    size_t word_count, word_cap;
    struct leak_benchmark *benchmarks;
    size_t benchmark_count, benchmark_cap;
    const char **files; /* that were read */
    size_t file_count;
    size_t file_cap;
    struct map seen, names; /* items by their words, benchmarks by name */
    struct leak_words scratch;
    struct buf text;
    bool keep_open;
    struct arena keep;
};

/* Reads all files of opt->benchmarks.  A file without any item, one that is no text and one
 * that cannot be read are failures. */
winnow_status leak_set_read(struct leak_set *set, const struct winnow_decontaminate_options *opt,
                            struct winnow_error *err);
void leak_set_release(struct leak_set *set);

/* Adds the items of bytes that are one file's.  name is the benchmark's where records do not
 * say their own, and in sentences.  *added: items, with those that are too short or there already.
 */
winnow_status leak_set_add_text(struct leak_set *set, const char *name, struct str bytes,
                                uint32_t words_min, uint64_t *added, struct winnow_error *err);

winnow_status leak_set_add(struct leak_set *set, struct str benchmark, struct str id,
                           const struct leak_parts *parts, uint32_t words_min,
                           struct winnow_error *err);

/* Bytes that it holds. */
uint64_t leak_set_bytes(const struct leak_set *set);

/* leak_shapes.c: the parts of a record; false where there is nothing in it that could be
 * looked for.  Views are of the record or of text, which is cleared first. */
struct json_value;
bool leak_shape(struct json_value record, struct buf *text, struct leak_parts *parts);

#endif /* WINNOW_LEAK_LEAK_ITEMS_H */
