/* row_program.c -- the tree in the order of its text, by a stack of what is still to be said. */
#include "parquet/row_program.h"

#include "base/grow.h"
#include "base/mem.h"
#include "parquet/leaf_text.h"

enum task_kind { TASK_NODE, TASK_BODY, TASK_KEY, TASK_TEXT, TASK_AGAIN, TASK_HERE };

struct task {
    enum task_kind kind;
    size_t node;      /* or the step that is to be given its target */
    const char *text; /* of TASK_TEXT; before the key */
};

struct maker {
    struct row_program *p;
    const struct parquet_tree *t;
    struct task *tasks;
    size_t count, cap;
    size_t target; /* a step that is jumped to: texts before and behind it stay apart */
};

static void push(struct maker *m, enum task_kind kind, size_t node, const char *text)
{
    GROW(m->tasks, m->count, m->cap, 64);
    m->tasks[m->count++] = (struct task){kind, node, text};
}

static size_t step(struct maker *m, enum step_kind kind, size_t node, unsigned level)
{
    struct row_program *p = m->p;
    const struct parquet_node *n = &m->t->nodes[node];
    GROW(p->steps, p->count, p->cap, 64);
    p->steps[p->count] =
        (struct step){.kind = kind, .level = level, .from = n->leaf_from, .to = n->leaf_to};
    return p->count++;
}

/* Texts in a row are one; their places become views when the buffer has its size. */
static void add_text(struct maker *m, struct str text)
{
    struct row_program *p = m->p;
    if (p->count <= m->target || p->steps[p->count - 1].kind != STEP_TEXT) {
        size_t i = step(m, STEP_TEXT, 0, 0);
        p->steps[i].target = p->text.len;
    }
    buf_add_str(&p->text, text);
    p->steps[p->count - 1].text.len += text.len;
}

/* A list around `item`, whose entries say by their levels where `repeated` comes again. */
static void add_list(struct maker *m, size_t list, size_t repeated, bool object)
{
    const struct parquet_node *r = &m->t->nodes[repeated];
    size_t at = step(m, STEP_LIST, repeated, r->def);
    m->p->steps[at].rep = r->rep;
    m->p->steps[at].object = object;
    push(m, TASK_AGAIN, at, NULL);
    if (object) {
        push(m, TASK_NODE, m->t->nodes[repeated + 1].next, NULL);
        push(m, TASK_TEXT, 0, ": ");
        push(m, TASK_BODY, repeated + 1, NULL);
    } else {
        size_t item = list == repeated ? repeated : m->t->nodes[list].item;
        push(m, item == repeated ? TASK_BODY : TASK_NODE, item, NULL);
    }
}

static void add_body(struct maker *m, size_t node)
{
    const struct parquet_node *n = &m->t->nodes[node];
    if (n->shape == NODE_LEAF) {
        (void)step(m, STEP_LEAF, node, 0);
    } else if (n->shape == NODE_STRUCT) {
        add_text(m, STR_LIT("{"));
        push(m, TASK_TEXT, 0, "}");
        size_t before = m->count;
        for (size_t c = node + 1; c < n->next; c = m->t->nodes[c].next) {
            push(m, TASK_KEY, c, c == node + 1 ? "" : ", ");
        }
        for (size_t a = before, b = m->count - 1; a < b; a++, b--) { /* the first is done first */
            struct task swap = m->tasks[a];
            m->tasks[a] = m->tasks[b];
            m->tasks[b] = swap;
        }
    } else {
        add_list(m, node, node + 1, n->shape == NODE_MAP);
    }
}

static void add_node(struct maker *m, size_t node)
{
    const struct parquet_node *n = &m->t->nodes[node];
    if (n->element->repetition == PARQUET_REPEATED) {
        add_list(m, node, node, false);
    } else if (n->element->repetition == PARQUET_OPTIONAL) {
        size_t at = step(m, STEP_MAY, node, n->def);
        push(m, TASK_HERE, at, NULL);
        push(m, TASK_BODY, node, NULL);
    } else {
        push(m, TASK_BODY, node, NULL);
    }
}

static void add_key(struct maker *m, const struct task *task)
{
    struct buf key = {0};
    leaf_quote(m->t->nodes[task->node].element->name, &key);
    add_text(m, str_of(task->text));
    add_text(m, buf_str(&key));
    add_text(m, STR_LIT(": "));
    buf_release(&key);
    push(m, TASK_NODE, task->node, NULL);
}

static void do_task(struct maker *m, const struct task *task)
{
    struct row_program *p = m->p;
    size_t at;
    switch (task->kind) {
    case TASK_NODE:
        add_node(m, task->node);
        break;
    case TASK_BODY:
        add_body(m, task->node);
        break;
    case TASK_KEY:
        add_key(m, task);
        break;
    case TASK_TEXT:
        add_text(m, str_of(task->text));
        break;
    case TASK_AGAIN:
        at = step(m, STEP_AGAIN, 0, 0);
        p->steps[at] = p->steps[task->node];
        p->steps[at].kind = STEP_AGAIN;
        p->steps[at].target = task->node + 1;
        p->steps[task->node].target = m->target = p->count;
        break;
    case TASK_HERE:
        p->steps[task->node].target = m->target = p->count;
        break;
    }
}

void row_program_build(struct row_program *out, const struct parquet_tree *tree)
{
    *out = (struct row_program){0};
    struct maker m = {.p = out, .t = tree};
    push(&m, TASK_TEXT, 0, "\n");
    push(&m, TASK_BODY, 0, NULL);
    while (m.count > 0) {
        struct task task = m.tasks[--m.count];
        do_task(&m, &task);
    }
    (void)step(&m, STEP_END, 0, 0);
    for (size_t i = 0; i < out->count; i++) {
        if (out->steps[i].kind == STEP_TEXT) {
            out->steps[i].text.ptr = out->text.ptr + out->steps[i].target;
        }
    }
    mem_free(m.tasks);
}

void row_program_release(struct row_program *p)
{
    mem_free(p->steps);
    buf_release(&p->text);
    *p = (struct row_program){0};
}
