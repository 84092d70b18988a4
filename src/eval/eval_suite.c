/* eval_suite.c -- items and tasks, in arrays; strings in one arena. */
#include "eval/eval_suite.h"

#include "base/grow.h"
#include "base/map.h"
#include "base/mem.h"

struct eval_suite {
    struct arena keep;
    struct eval_item *items;
    size_t item_count, item_cap;
    struct eval_task *tasks;
    size_t task_count, task_cap;
    struct map names; /* of tasks, to their number */
};

struct eval_suite *eval_suite_new(void)
{
    struct eval_suite *s = mem_zalloc(sizeof *s);
    arena_init(&s->keep, (size_t)1 << 20);
    return s;
}

void eval_suite_free(struct eval_suite *s)
{
    if (!s) {
        return;
    }
    arena_release(&s->keep);
    map_release(&s->names);
    mem_free(s->items);
    mem_free(s->tasks);
    mem_free(s);
}

struct arena *eval_suite_arena(struct eval_suite *s)
{
    return &s->keep;
}

uint32_t eval_suite_find_task(struct eval_suite *s, struct str name, struct str group,
                              enum eval_kind kind)
{
    bool is_new;
    uint64_t *number = map_put(&s->names, name, &is_new);
    if (!is_new) {
        return (uint32_t)*number;
    }
    *number = s->task_count;
    GROW(s->tasks, s->task_count, s->task_cap, 64);
    s->tasks[s->task_count++] =
        (struct eval_task){.name = arena_strndup(&s->keep, name.ptr, name.len),
                           .group = arena_strndup(&s->keep, group.ptr, group.len),
                           .kind = kind};
    return (uint32_t)(s->task_count - 1);
}

uint64_t eval_suite_task_items(const struct eval_suite *s, uint32_t task)
{
    return s->tasks[task].count;
}

void eval_suite_add_item(struct eval_suite *s, const struct eval_item *item)
{
    GROW(s->items, s->item_count, s->item_cap, 1024);
    s->items[s->item_count++] = *item;
    s->tasks[item->task].count++;
}

void eval_suite_sort(struct eval_suite *s)
{
    size_t *next = mem_alloc((s->task_count + 1) * sizeof *next);
    size_t at = 0;
    for (size_t t = 0; t < s->task_count; t++) {
        s->tasks[t].first = next[t] = at;
        s->tasks[t].chance = 0;
        at += s->tasks[t].count;
    }
    struct eval_item *sorted = mem_alloc((s->item_count + 1) * sizeof *sorted);
    for (size_t i = 0; i < s->item_count; i++) {
        const struct eval_item *item = &s->items[i];
        sorted[next[item->task]++] = *item;
        struct eval_task *task = &s->tasks[item->task];
        if (item->kind != EVAL_GREEDY) {
            task->chance += 1.0 / item->option_count / (double)task->count;
        }
    }
    mem_free(s->items);
    s->items = sorted;
    s->item_cap = s->item_count + 1;
    mem_free(next);
}

size_t eval_suite_task_count(const struct eval_suite *s)
{
    return s->task_count;
}

const struct eval_task *eval_suite_task(const struct eval_suite *s, size_t i)
{
    return &s->tasks[i];
}

size_t eval_suite_item_count(const struct eval_suite *s)
{
    return s->item_count;
}

const struct eval_item *eval_suite_item(const struct eval_suite *s, size_t i)
{
    return &s->items[i];
}
