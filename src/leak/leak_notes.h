/* leak_notes.h -- what a decontamination came to: leak.json, for the report. */
#ifndef WINNOW_LEAK_LEAK_NOTES_H
#define WINNOW_LEAK_LEAK_NOTES_H

#include "leak/leak_judge.h"

#include <stdatomic.h>

#define LEAK_EXAMPLES 24U

struct leak_example {
    uint64_t draw; /* of the id: those with the least are shown */
    struct buf json;
};

struct leak_notes {
    const struct leak_judge *judge;
    atomic_uint *item_documents;      /* documents in which an item was found */
    atomic_uint *benchmark_documents; /* any item of it */
    uint64_t documents, found;
    struct leak_example examples[LEAK_EXAMPLES];
    size_t example_count;
};

void leak_notes_init(struct leak_notes *n, const struct leak_judge *judge);
void leak_notes_release(struct leak_notes *n);

/* The finds of one document; from any thread, once a document. */
void leak_notes_count(struct leak_notes *n, const struct leak_scratch *s);

/* In the order of the input; members are those of its ledger line, empty where nothing was
 * found. */
void leak_notes_document(struct leak_notes *n, struct str id, struct str members);

/* All of it as bytes, and what another rank told of its documents, added. */
void leak_notes_tell(const struct leak_notes *n, struct buf *out);
winnow_status leak_notes_hear(struct leak_notes *n, struct str told, struct winnow_error *err);

/* Of one benchmark, by its number: items that are looked for, and those found. */
void leak_notes_benchmark(const struct leak_notes *n, uint32_t number, uint64_t *looked_for,
                          uint64_t *found);

/* Items found, of all benchmarks. */
uint64_t leak_notes_items(const struct leak_notes *n);

winnow_status leak_notes_write(const struct leak_notes *n, const char *path,
                               struct winnow_error *err);

#endif /* WINNOW_LEAK_LEAK_NOTES_H */
