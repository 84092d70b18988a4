/* leak_notes.c -- counts by benchmark and item, and a few finds to look at. */
#include "leak/leak_notes.h"

#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/sort.h"
#include "corpus/split.h"

#define MEMBERS_MAX ((size_t)16 << 10) /* of an example */

void leak_notes_init(struct leak_notes *n, const struct leak_judge *judge)
{
    *n = (struct leak_notes){.judge = judge};
    n->item_documents = mem_alloc(judge->set->count * sizeof *n->item_documents);
    n->benchmark_documents = mem_alloc(judge->set->benchmark_count * sizeof *n->item_documents);
    for (size_t i = 0; i < judge->set->count; i++) {
        atomic_init(&n->item_documents[i], 0);
    }
    for (size_t i = 0; i < judge->set->benchmark_count; i++) {
        atomic_init(&n->benchmark_documents[i], 0);
    }
}

void leak_notes_release(struct leak_notes *n)
{
    mem_free(n->item_documents);
    mem_free(n->benchmark_documents);
    for (size_t i = 0; i < n->example_count; i++) {
        buf_release(&n->examples[i].json);
    }
    *n = (struct leak_notes){0};
}

void leak_notes_count(struct leak_notes *n, const struct leak_scratch *s)
{
    const struct leak_set *set = n->judge->set;
    for (size_t i = 0; i < s->find_count; i++) {
        atomic_fetch_add_explicit(&n->item_documents[s->finds[i].item], 1, memory_order_relaxed);
    }
    for (uint32_t b = 0; b < set->benchmark_count; b++) {
        bool any = false;
        for (size_t i = 0; i < s->find_count && !any; i++) {
            any = set->items[s->finds[i].item].benchmark == b;
        }
        if (any) {
            atomic_fetch_add_explicit(&n->benchmark_documents[b], 1, memory_order_relaxed);
        }
    }
}

/* By draw, those of one id by what they say: in whatever order they come, the same are kept. */
static int compare(uint64_t draw, struct str json, const struct leak_example *b)
{
    return draw != b->draw ? (draw < b->draw ? -1 : 1) : str_cmp(json, buf_str(&b->json));
}

/* The place of the last example in that order. */
static size_t largest(const struct leak_notes *n)
{
    size_t at = 0;
    for (size_t i = 1; i < n->example_count; i++) {
        const struct leak_example *e = &n->examples[i];
        at = compare(e->draw, buf_str(&e->json), &n->examples[at]) > 0 ? i : at;
    }
    return at;
}

static void offer(struct leak_notes *n, uint64_t draw, struct str json)
{
    size_t at = n->example_count;
    if (at == LEAK_EXAMPLES) {
        at = largest(n);
        if (compare(draw, json, &n->examples[at]) >= 0) {
            return;
        }
    } else {
        n->example_count++;
    }
    struct leak_example *e = &n->examples[at];
    e->draw = draw;
    buf_clear(&e->json);
    buf_add_str(&e->json, json);
}

void leak_notes_document(struct leak_notes *n, struct str id, struct str members)
{
    n->documents++;
    if (members.len == 0) {
        return;
    }
    n->found++;
    uint64_t draw = split_draw(hash64(id, 0), 0, "leak");
    if (members.len > MEMBERS_MAX ||
        (n->example_count == LEAK_EXAMPLES && draw > n->examples[largest(n)].draw)) {
        return;
    }
    struct buf json = {0};
    buf_add_text(&json, "{\"id\": ");
    json_quote(&json, id);
    buf_add_text(&json, ", ");
    buf_add_str(&json, members);
    buf_add_char(&json, '}');
    offer(n, draw, buf_str(&json));
    buf_release(&json);
}

/* ---- over ranks ---- */

static void add_u64(struct buf *out, uint64_t v)
{
    buf_add(out, &v, sizeof v);
}

void leak_notes_tell(const struct leak_notes *n, struct buf *out)
{
    const struct leak_set *set = n->judge->set;
    add_u64(out, n->documents);
    add_u64(out, n->found);
    for (size_t i = 0; i < set->count; i++) {
        add_u64(out, atomic_load(&n->item_documents[i]));
    }
    for (uint32_t i = 0; i < set->benchmark_count; i++) {
        add_u64(out, atomic_load(&n->benchmark_documents[i]));
    }
    for (size_t i = 0; i < n->example_count; i++) {
        add_u64(out, n->examples[i].draw);
        add_u64(out, n->examples[i].json.len);
        buf_add_str(out, buf_str(&n->examples[i].json));
    }
}

static uint64_t take_u64(struct str *from)
{
    uint64_t v;
    memcpy(&v, from->ptr, sizeof v);
    *from = str_sub(*from, sizeof v, from->len);
    return v;
}

winnow_status leak_notes_hear(struct leak_notes *n, struct str told, struct winnow_error *err)
{
    const struct leak_set *set = n->judge->set;
    bool whole = told.len >= (2 + set->count + set->benchmark_count) * sizeof(uint64_t);
    if (whole) {
        n->documents += take_u64(&told);
        n->found += take_u64(&told);
        for (size_t i = 0; i < set->count; i++) {
            (void)atomic_fetch_add(&n->item_documents[i], (unsigned)take_u64(&told));
        }
        for (uint32_t i = 0; i < set->benchmark_count; i++) {
            (void)atomic_fetch_add(&n->benchmark_documents[i], (unsigned)take_u64(&told));
        }
    }
    while (whole && told.len > 0) {
        uint64_t draw = told.len >= 2 * sizeof draw ? take_u64(&told) : 0;
        uint64_t len = told.len >= sizeof len ? take_u64(&told) : UINT64_MAX;
        whole = len <= told.len;
        if (whole) {
            offer(n, draw, str_sub(told, 0, (size_t)len));
            told = str_sub(told, (size_t)len, told.len);
        }
    }
    return whole ? WINNOW_OK
                 : error_set(err, WINNOW_E_INTERNAL,
                             "decontaminate: another rank looks for other items");
}

uint64_t leak_notes_items(const struct leak_notes *n)
{
    uint64_t items = 0;
    for (size_t i = 0; i < n->judge->set->count; i++) {
        items += atomic_load(&n->item_documents[i]) > 0;
    }
    return items;
}

void leak_notes_benchmark(const struct leak_notes *n, uint32_t number, uint64_t *looked_for,
                          uint64_t *found)
{
    const struct leak_set *set = n->judge->set;
    *looked_for = *found = 0;
    for (size_t i = 0; i < set->count; i++) {
        bool own = set->items[i].benchmark == number;
        *looked_for += own;
        *found += own && atomic_load(&n->item_documents[i]) > 0;
    }
}

static void write_benchmark(const struct leak_notes *n, uint32_t number, struct json_writer *w)
{
    const struct leak_set *set = n->judge->set;
    const struct leak_benchmark *b = &set->benchmarks[number];
    uint64_t found, looked_for;
    leak_notes_benchmark(n, number, &looked_for, &found);
    json_open(w, '{');
    json_member_text(w, "name", b->name);
    json_member_u64(w, "items", b->items);
    json_member_u64(w, "duplicates", b->duplicates);
    json_member_u64(w, "too_short", b->too_short);
    json_member_u64(w, "looked_for", looked_for);
    json_member_u64(w, "found", found);
    json_member_u64(w, "documents", atomic_load(&n->benchmark_documents[number]));
    json_close(w, '}');
}

static int by_draw(const void *a, const void *b)
{
    const struct leak_example *x = *(const struct leak_example *const *)a;
    const struct leak_example *y = *(const struct leak_example *const *)b;
    return compare(x->draw, buf_str(&x->json), y);
}

static void write_examples(const struct leak_notes *n, struct json_writer *w)
{
    const struct leak_example *order[LEAK_EXAMPLES];
    for (size_t i = 0; i < n->example_count; i++) {
        order[i] = &n->examples[i];
    }
    sort(order, n->example_count, sizeof *order, by_draw);
    json_member_open(w, "examples", '[');
    for (size_t i = 0; i < n->example_count; i++) {
        json_raw(w, buf_str(&order[i]->json));
    }
    json_close(w, ']');
}

winnow_status leak_notes_write(const struct leak_notes *n, const char *path,
                               struct winnow_error *err)
{
    static const char *const ACTIONS[] = {"drop", "cut", "label"};
    const struct leak_judge *j = n->judge;
    struct buf text = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    json_open(&w, '{');
    json_member_text(&w, "rule", leak_rule_name(j->rule));
    json_member_u64(&w, "n", j->opt.n);
    json_member_double(&w, "share", j->opt.share);
    json_member_text(&w, "action", ACTIONS[j->opt.action]);
    json_member_u64(&w, "documents", n->documents);
    json_member_u64(&w, "documents_found", n->found);
    json_member_u64(&w, "items", j->set->count);
    json_member_u64(&w, "items_found", leak_notes_items(n));
    json_member_u64(&w, "items_without_gram", leak_judge_blind(j));
    json_member_open(&w, "benchmarks", '[');
    for (uint32_t b = 0; b < j->set->benchmark_count; b++) {
        write_benchmark(n, b, &w);
    }
    json_close(&w, ']');
    write_examples(n, &w);
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    winnow_status st = file_write_atomic(path, buf_str(&text), err);
    buf_release(&text);
    return st;
}
