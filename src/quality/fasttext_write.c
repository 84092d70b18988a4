/* fasttext_write.c -- head and dictionary into a buffer, the matrices from where they are. */
#include "quality/fasttext_write.h"

static void add_i32(struct buf *b, int32_t v)
{
    buf_add(b, &v, sizeof v);
}

static void add_i64(struct buf *b, int64_t v)
{
    buf_add(b, &v, sizeof v);
}

static void add_dictionary(const struct fasttext_parts *p, struct buf *b)
{
    uint32_t count = p->word_count + p->label_count;
    add_i32(b, (int32_t)count);
    add_i32(b, (int32_t)p->word_count);
    add_i32(b, (int32_t)p->label_count);
    add_i64(b, p->tokens);
    add_i64(b, -1); /* all buckets have a row */
    for (uint32_t i = 0; i < count; i++) {
        buf_add_str(b, p->entries[i].text);
        buf_add_char(b, '\0');
        add_i64(b, p->entries[i].count);
        buf_add_char(b, i < p->word_count ? 0 : 1);
    }
}

static void add_matrix_head(struct buf *b, uint64_t rows, int32_t cols)
{
    buf_add_char(b, 0); /* dense */
    add_i64(b, (int64_t)rows);
    add_i64(b, cols);
}

winnow_status fasttext_write(const char *path, const struct fasttext_parts *p,
                             struct winnow_error *err)
{
    struct buf head = {0}, middle = {0};
    size_t row = (size_t)p->args.dim * sizeof(float);
    add_i32(&head, FASTTEXT_MAGIC);
    add_i32(&head, FASTTEXT_VERSION);
    buf_add(&head, &p->args, sizeof p->args);
    add_dictionary(p, &head);
    add_matrix_head(&head, p->rows, p->args.dim);
    add_matrix_head(&middle, p->label_count, p->args.dim);
    const struct str parts[] = {buf_str(&head),
                                {(const char *)p->input, (size_t)p->rows * row},
                                buf_str(&middle),
                                {(const char *)p->output, p->label_count * row}};
    winnow_status st = file_write_parts(path, parts, sizeof parts / sizeof *parts, err);
    buf_release(&head);
    buf_release(&middle);
    return st;
}
