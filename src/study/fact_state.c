/* fact_state.c -- counts of phrases and pairs, written and read back.
 *
 * Whoever asks has compared facts and corpus by the folder's key; the numbers that are compared
 * here keep a file that was put there by hand from doing harm. */
#include "study/fact_state.h"

#include "base/mem.h"
#include "base/state_file.h"

#define STATE_KIND "winnowSC"

struct head {
    uint64_t shards, next, phrases, pairs, sentences, documents, bad, first_bad_bytes;
};

struct pair {
    uint32_t subject, object;
    uint64_t sentences;
};

winnow_status fact_state_write(const struct fact_counts *c, const char *path,
                               const struct shard_list *shards, size_t next,
                               struct winnow_error *err)
{
    const struct input_account *a = shards->account;
    const struct head head = {shards->count, next,         c->phrases.count, c->pairs.count,
                              c->sentences,  c->documents, a->bad,           a->first_bad.len};
    struct pair *pairs = mem_try_alloc((c->pairs.count + 1) * sizeof *pairs);
    if (!pairs) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to keep the counts of %zu pairs",
                         c->pairs.count);
    }
    for (size_t i = 0; i < c->pairs.count; i++) {
        memcpy(&pairs[i], c->pairs.entries[i].key.ptr, 2 * sizeof(uint32_t));
        pairs[i].sentences = c->pairs.entries[i].value;
    }
    const struct str parts[] = {state_part(&head, sizeof head),
                                state_part(c->counts, c->phrases.count * sizeof *c->counts),
                                state_part(pairs, c->pairs.count * sizeof *pairs), a->first_bad};
    winnow_status st = state_file_write(path, STATE_KIND, parts, 4, err);
    mem_free(pairs);
    return st;
}

static bool take(struct fact_counts *c, struct state_file *f, const struct shard_list *shards,
                 size_t *next)
{
    struct head h;
    if (!state_file_take(f, &h, sizeof h) || h.shards != shards->count || h.next > h.shards ||
        h.phrases != c->phrases.count ||
        !state_file_take(f, c->counts, c->phrases.count * sizeof *c->counts)) {
        return false;
    }
    for (uint64_t i = 0; i < h.pairs; i++) {
        struct pair p;
        if (!state_file_take(f, &p, sizeof p)) {
            return false;
        }
        *map_put(&c->pairs, (struct str){(const char *)&p, 2 * sizeof(uint32_t)}, NULL) =
            p.sentences;
    }
    if (f->left.len != h.first_bad_bytes) {
        return false;
    }
    if (h.first_bad_bytes > 0) {
        account_first_bad(shards->account, f->left);
    }
    shards->account->bad += h.bad;
    shards->account->documents += h.documents;
    c->sentences = h.sentences;
    c->documents = h.documents;
    *next = (size_t)h.next;
    return true;
}

winnow_status fact_state_read(struct fact_counts *c, const char *path,
                              const struct shard_list *shards, size_t *next,
                              struct winnow_error *err)
{
    struct state_file f;
    TRY(state_file_open(path, STATE_KIND, &f, err));
    winnow_status st =
        take(c, &f, shards, next)
            ? WINNOW_OK
            : error_set(err, WINNOW_E_FORMAT, "%s holds counts of another study; remove it", path);
    state_file_close(&f);
    return st;
}
