/* shape.c -- the schema that a file is written by: another file's, wholly guessed, or both.
 *
 * Elements of the other file are taken over byte for byte, and so is its metadata, in which
 * pandas, Arrow and Hugging Face keep what Parquet has no word for.  Arrow's own copy of the
 * schema goes where columns were added: readers count on one entry a column. */
#include "base/mem.h"
#include "parquet/layout.h"
#include "parquet/leaf_text.h"
#include "parquet/shape_internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct parquet_shape *parquet_shape_new(void)
{
    return mem_zalloc(sizeof(struct parquet_shape));
}

void parquet_shape_free(struct parquet_shape *s)
{
    if (!s) {
        return;
    }
    parquet_layout_release(&s->like);
    parquet_tree_release(&s->like_tree);
    parquet_tree_release(&s->tree);
    mem_free(s->widened);
    mem_free(s->elements);
    guess_release(&s->guess);
    buf_release(&s->scratch);
    buf_release(&s->elements_text);
    buf_release(&s->pairs);
    mem_free(s);
}

winnow_status parquet_shape_like(struct parquet_shape *s, const char *path,
                                 struct winnow_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        winnow_status why = error_errno(err, "cannot open", path);
        if (fd >= 0) {
            (void)close(fd);
        }
        return why;
    }
    const struct parquet_file file = {.fd = fd, .size = (uint64_t)st.st_size};
    winnow_status status = parquet_shape_like_file(s, &file, path, err);
    (void)close(fd);
    return status;
}

winnow_status parquet_shape_like_file(struct parquet_shape *s, const struct parquet_file *file,
                                      const char *path, struct winnow_error *err)
{
    winnow_status status = parquet_layout_read(&s->like, file, 0, err);
    if (status == WINNOW_OK) {
        status = parquet_tree_build(&s->like_tree, s->like.elements, s->like.element_count, err);
    }
    if (status != WINNOW_OK) {
        return error_wrap(err, status, "%s", path);
    }
    s->has_like = true;
    s->widened = mem_zalloc(s->like_tree.node_count * sizeof *s->widened);
    return WINNOW_OK;
}

bool parquet_shape_equal(const struct parquet_shape *a, const struct parquet_shape *b)
{
    bool same = a->like.element_count == b->like.element_count;
    for (size_t i = 1; same && i < a->like.element_count; i++) {
        same = str_eq(a->like.elements[i].raw, b->like.elements[i].raw);
    }
    return same;
}

size_t parquet_child(const struct parquet_tree *t, size_t node, size_t hint, struct str name)
{
    size_t end = t->nodes[node].next, from = hint > node && hint < end ? hint : node + 1;
    size_t at = from;
    do {
        if (str_eq(t->nodes[at].element->name, name)) {
            return at;
        }
        at = t->nodes[at].next;
        at = at >= end ? node + 1 : at;
    } while (at != from);
    return 0;
}

/* An id that was made over an empty one is a string, whatever its column is; times and numbers
 * that JSON has no word for are strings too, and stay what they are. */
static bool must_widen(struct parquet_shape *s, size_t node, struct json_value v)
{
    const struct parquet_node *n = &s->like_tree.nodes[node];
    if (json_kind(v) != JSON_STRING) {
        return false;
    }
    if (n->shape != NODE_LEAF || n->element->repetition == PARQUET_REPEATED) {
        return true;
    }
    const struct parquet_leaf *leaf = &s->like_tree.leaves[n->leaf_from];
    if (leaf->kind == LEAF_STRING) {
        return false;
    }
    buf_clear(&s->scratch);
    return leaf->kind == LEAF_BINARY || !leaf_from_json(leaf, v, &s->scratch);
}

winnow_status parquet_shape_see(struct parquet_shape *s, struct json_value line,
                                struct winnow_error *err)
{
    if (json_kind(line) != JSON_OBJECT) {
        return error_set(err, WINNOW_E_FORMAT, "a line is no object");
    }
    if (!s->has_like) {
        guess_see(&s->guess, 0, line);
        return WINNOW_OK;
    }
    struct json_iter it = json_walk(line);
    for (size_t hint = 1; json_next(&it);) {
        size_t node = parquet_child(&s->like_tree, 0, hint, it.key);
        if (node == 0) {
            size_t member = guess_member(&s->guess, 0, it.key);
            if (member == SIZE_MAX) {
                return error_set(err, WINNOW_E_LIMIT,
                                 "lines have more members than columns can "
                                 "be added for");
            }
            guess_see(&s->guess, member, it.value);
            continue;
        }
        if (must_widen(s, node, it.value)) {
            s->widened[node] = s->any_widened = true;
        }
        hint = s->like_tree.nodes[node].next;
    }
    return WINNOW_OK;
}

static void write_root(struct parquet_shape *s, size_t columns)
{
    const struct element_text root = {
        .repetition = -1,
        .converted = -1,
        .logical = -1,
        .children = columns,
        .name = s->has_like ? s->like.elements[0].name : STR_LIT("schema"),
    };
    element_write(&root, &s->elements_text);
}

static size_t write_like(struct parquet_shape *s)
{
    size_t written = 0;
    for (size_t i = 1, next; i < s->like.element_count; i = next) {
        const struct parquet_element *e = &s->like.elements[i];
        next = i + 1;
        if (s->widened[i]) {
            const struct element_text as = {.type = PARQUET_BYTE_ARRAY,
                                            .repetition = PARQUET_OPTIONAL,
                                            .converted = 0,
                                            .logical = LOGICAL_STRING,
                                            .name = e->name};
            element_write(&as, &s->elements_text);
            next = s->like_tree.nodes[i].next;
        } else {
            buf_add_str(&s->elements_text, e->raw);
        }
        written++;
    }
    return written;
}

/* The metadata, but for what is no longer true. */
static void copy_pairs(struct parquet_shape *s, bool changed)
{
    const unsigned char *from = (const unsigned char *)s->like.pairs.ptr;
    struct thrift_in in = {.at = from, .end = from ? from + s->like.pairs.len : from};
    for (size_t i = 0; i < s->like.pair_count; i++) {
        const unsigned char *at = in.at;
        struct thrift_field f = {0};
        bool arrow = false;
        while (thrift_next(&in, &f)) {
            if (f.id == 1 && f.type == THRIFT_BINARY) {
                arrow = str_is(thrift_binary(&in, &f), "ARROW:schema");
            } else {
                thrift_skip(&in, &f);
            }
        }
        if (!in.bad && !(arrow && changed)) {
            buf_add(&s->pairs, at, (size_t)(in.at - at));
            s->pair_count++;
        }
    }
}

/* The elements as a reader of the file will see them. */
static void read_again(struct parquet_shape *s, struct thrift_in *in)
{
    for (size_t i = 0; i < s->element_count; i++) {
        parquet_element_read(in, &s->elements[i]);
    }
    assert(!in->bad && in->at == in->end);
}

static size_t write_elements(struct parquet_shape *s)
{
    size_t guessed = s->guess.count > 0 ? s->guess.nodes[0].members : 0, columns = guessed;
    for (size_t i = 1; s->has_like && i < s->like_tree.node_count; i = s->like_tree.nodes[i].next) {
        columns++;
    }
    write_root(s, columns);
    size_t written = 1 + (s->has_like ? write_like(s) : 0);
    for (size_t at = guessed > 0 ? s->guess.nodes[0].first : 0; at != 0;
         at = s->guess.nodes[at].next) {
        written += guess_elements(&s->guess, at, &s->elements_text);
    }
    if (s->has_like) {
        copy_pairs(s, guessed > 0 || s->any_widened);
    }
    return columns > 0 ? written : 0;
}

winnow_status parquet_shape_settle(struct parquet_shape *s, struct winnow_error *err)
{
    size_t written = write_elements(s);
    if (written == 0) { /* of no line at all: a column that readers find no fault with */
        static const char *const NAMES[] = {"id", "text"};
        buf_clear(&s->elements_text);
        write_root(s, 2);
        for (size_t i = 0; i < 2; i++) {
            const struct element_text e = {.type = PARQUET_BYTE_ARRAY,
                                           .repetition = PARQUET_OPTIONAL,
                                           .converted = 0,
                                           .logical = LOGICAL_STRING,
                                           .name = str_of(NAMES[i])};
            element_write(&e, &s->elements_text);
        }
        written = 3;
    }
    s->elements = mem_try_alloc((written + 1) * sizeof *s->elements);
    if (!s->elements) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a schema of %zu elements", written);
    }
    s->element_count = written;
    const unsigned char *from = (const unsigned char *)s->elements_text.ptr;
    struct thrift_in in = {.at = from, .end = from + s->elements_text.len};
    read_again(s, &in);
    return parquet_tree_build(&s->tree, s->elements, s->element_count, err);
}
