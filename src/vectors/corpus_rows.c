/* corpus_rows.c -- see corpus_rows.h. */
#include "vectors/corpus_rows.h"

#include "base/hash.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

void corpus_rows_init(struct corpus_rows *r)
{
    *r = (struct corpus_rows){.ids = NULL};
    (void)pthread_mutex_init(&r->lock, NULL);
}

void corpus_rows_release(struct corpus_rows *r)
{
    mem_free(r->ids);
    mem_free(r->row_of);
    (void)pthread_mutex_destroy(&r->lock);
}

static uint64_t shown(uint64_t id)
{
    return id > 0 ? id : 1;
}

static winnow_status survey_document(void *state, void *worker, const struct document *d,
                                     struct stage_result *result, struct winnow_error *err)
{
    (void)worker;
    (void)result;
    struct corpus_rows *r = state;
    winnow_status st = WINNOW_OK;
    (void)pthread_mutex_lock(&r->lock);
    if (d->ordinal >= r->cap) {
        size_t cap = d->ordinal + d->ordinal / 2 + 1024;
        if (mem_try_grow((void **)&r->ids, r->cap * sizeof *r->ids, cap * sizeof *r->ids)) {
            memset(r->ids + r->cap, 0, (cap - r->cap) * sizeof *r->ids);
            r->cap = cap;
        } else {
            st = error_set(err, WINNOW_E_NOMEM, "no memory for %zu documents", cap);
        }
    }
    if (st == WINNOW_OK) {
        r->ids[d->ordinal] = shown(hash64(d->id, 0));
        r->ordinals = d->ordinal >= r->ordinals ? d->ordinal + 1 : r->ordinals;
        r->documents++;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return st;
}

winnow_status corpus_rows_survey(struct corpus_rows *r, struct stage *s, struct winnow_error *err)
{
    const struct stage_pass pass = {.name = "survey", .state = r, .document = survey_document};
    return stage_run_pass(s, &pass, err);
}

void corpus_rows_number(struct corpus_rows *r)
{
    mem_free(r->row_of);
    r->row_of = mem_alloc((r->ordinals + 1) * sizeof *r->row_of);
    for (size_t i = 0, row = 0; i < r->ordinals; i++) {
        r->row_of[i] = (uint32_t)row;
        row += r->ids[i] > 0;
    }
}

winnow_status corpus_rows_align(struct corpus_rows *r, const struct store *store, const char *name,
                                struct winnow_error *err)
{
    corpus_rows_number(r);
    size_t rows = store->head->rows;
    for (size_t i = 0; i < r->ordinals; i++) {
        size_t row = r->row_of[i];
        if (r->ids[i] > 0 && (row >= rows || r->ids[i] != shown(store->rows[row].id))) {
            return error_set(err, WINNOW_E_FORMAT,
                             "%s holds vectors of another corpus, or of other documents in another "
                             "order: its row %zu is not the document at this place; make them anew "
                             "with winnow features",
                             name, row);
        }
    }
    return r->documents == rows
               ? WINNOW_OK
               : error_set(err, WINNOW_E_FORMAT,
                           "%s holds vectors of %zu documents, the corpus has %zu: make them anew "
                           "with winnow features",
                           name, rows, r->documents);
}
