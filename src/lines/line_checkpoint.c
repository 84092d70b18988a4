/* line_checkpoint.c -- a line training's state in one file (docs/formats/checkpoint.md). */
#include "base/hash.h"
#include "base/state_file.h"
#include "lines/line_train_internal.h"

#define KIND "winnowP1"

struct header {
    uint64_t key; /* of pages, options and sizes */
    struct line_train_progress at;
};

static uint64_t hash_structure(const struct page_structure *s, uint64_t seed)
{
    for (size_t i = 0; i < s->line_count; i++) {
        const struct structure_line *l = &s->lines[i];
        const uint32_t row[] = {l->start, l->end, l->node, l->link, l->bold, l->hidden};
        seed = hash64(state_part(row, sizeof row), seed);
    }
    for (size_t i = 0; i < s->node_count; i++) {
        const struct structure_node *n = &s->nodes[i];
        const struct structure_kind *k = &s->kinds[n->kind];
        const uint32_t row[] = {n->parent, n->index};
        seed = hash64(state_part(row, sizeof row), seed);
        seed = hash64(k->role, hash64(k->words, hash64(k->tag, seed)));
    }
    return seed;
}

static uint64_t hash_pages(const struct line_page_set *set, uint64_t seed)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct line_page *p = &set->items[i];
        for (uint32_t k = 0; k < p->count; k++) {
            seed = hash64(p->lines[k], seed);
        }
        seed = hash64(state_part(p->labels, p->count), seed ^ p->template_index);
        seed = p->structure ? hash_structure(p->structure, seed) : seed;
    }
    return seed;
}

uint64_t line_checkpoint_key(const struct line_model *m, const struct line_train_options *o,
                             const struct line_train_data *data)
{
    const struct line_config *c = &m->c;
    const double numbers[] = {c->rows,
                              c->embed,
                              c->hidden,
                              c->dim,
                              c->layers,
                              c->ffn,
                              c->head_dim,
                              (double)m->gemm.type,
                              o->epochs,
                              o->batch_pages,
                              o->lr,
                              o->table_lr,
                              o->warmup,
                              o->weight_decay,
                              o->clip,
                              o->token_dropout,
                              o->group_dropout,
                              o->structure_dropout,
                              o->transplant,
                              o->length_weight,
                              o->page_power,
                              o->per_template};
    uint64_t key = hash64(state_part(numbers, sizeof numbers), data->env->seed);
    return hash_pages(data->articles, hash_pages(data->pages, key));
}

winnow_status line_checkpoint_save(const char *path, uint64_t key, const struct line_train_state *s,
                                   struct winnow_error *err)
{
    const struct header h = {key, s->at};
    struct str parts[1 + LINE_STATE_ARRAYS] = {state_part(&h, sizeof h)};
    for (size_t i = 0; i < LINE_STATE_ARRAYS; i++) {
        parts[1 + i] = state_part(s->arrays[i].numbers, s->arrays[i].count * sizeof(float));
    }
    return state_file_write(path, KIND, parts, sizeof parts / sizeof *parts, err);
}

static winnow_status read_state(struct state_file *f, uint64_t key, struct line_train_state *s,
                                struct winnow_error *err)
{
    struct header h;
    if (!state_file_take(f, &h, sizeof h) || h.key != key) {
        return error_set(err, WINNOW_E_FORMAT,
                         "checkpoint of a training on other pages or with other options");
    }
    size_t bytes = 0;
    for (size_t i = 0; i < LINE_STATE_ARRAYS; i++) {
        bytes += s->arrays[i].count * sizeof(float);
    }
    if (f->left.len != bytes) {
        return error_set(err, WINNOW_E_FORMAT, "checkpoint of a model of another size");
    }
    for (size_t i = 0; i < LINE_STATE_ARRAYS; i++) {
        (void)state_file_take(f, s->arrays[i].numbers, s->arrays[i].count * sizeof(float));
    }
    s->at = h.at;
    return WINNOW_OK;
}

winnow_status line_checkpoint_load(const char *path, uint64_t key, struct line_train_state *s,
                                   struct winnow_error *err)
{
    struct state_file f;
    TRY(state_file_open(path, KIND, &f, err));
    winnow_status st = read_state(&f, key, s, err);
    state_file_close(&f);
    return st == WINNOW_OK ? st : error_wrap(err, st, "%s", path);
}
