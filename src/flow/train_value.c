/* train_value.c -- a target as one batch; values written beside the ids of their documents. */
#include "flow/train_value.h"

#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "corpus/texts.h"

#include <math.h>

void train_value_release(struct train_value *v)
{
    feature_texts_release(&v->texts);
    tune_batch_release(&v->batch);
    *v = (struct train_value){0};
}

winnow_status train_value_read(const struct feature_reading *how, const char *folder,
                               struct pool *pool, const struct winnow_env *env,
                               struct train_value *out, struct winnow_error *err)
{
    struct feature_reading reading = *how;
    struct buf path = {0};
    reading.folder = file_join(&path, folder, "target");
    winnow_status st = file_make_dirs(reading.folder, err);
    st = st == WINNOW_OK ? feature_texts_read(&reading, pool, env, &out->texts, err) : st;
    st = st == WINNOW_OK ? account_need_all(&out->texts.account, err) : st;
    buf_release(&path);
    if (st != WINNOW_OK) {
        return error_wrap(err, st, "the target %s", how->paths.items[0]);
    }
    const struct feature_texts *t = &out->texts;
    size_t *rows = mem_alloc((t->count + 1) * sizeof *rows), n = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (t->rows[i].targets > 0) {
            rows[n++] = i;
        }
    }
    if (n > 0) {
        feature_texts_batch(t, rows, n, &out->batch);
    }
    mem_free(rows);
    return n > 0 ? WINNOW_OK
                 : error_set(err, WINNOW_E_FORMAT,
                             "the target %s has no example with anything to predict",
                             how->paths.items[0]);
}

/* ---- values ---- */

static void add_row(const struct document *d, uint64_t line, const char *const *names,
                    const double *values, struct buf *out)
{
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    json_member_str(&w, "id", d->id);
    json_member_u64(&w, "line", line);
    json_member_open(&w, "attributes", '{');
    for (size_t i = 0; names[i]; i++) {
        if (isnan(values[i])) {
            continue;
        }
        json_member_open(&w, names[i], '[');
        json_open(&w, '[');
        json_u64(&w, 0);
        json_u64(&w, d->text.len);
        json_double(&w, values[i]);
        json_close(&w, ']');
        json_close(&w, ']');
    }
    json_close(&w, '}');
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

static winnow_status add_rows(const struct train_value_writing *w, struct texts *t, struct buf *out,
                              struct winnow_error *err)
{
    size_t names = 0;
    while (w->names[names]) {
        names++;
    }
    for (size_t i = 0; i < w->count; i++) {
        struct document d;
        bool more;
        TRY(texts_next(t, &d, &more, err));
        if (!more) {
            return error_set(err, WINNOW_E_FORMAT,
                             "the corpus has fewer documents than were trained on: it changed");
        }
        add_row(&d, i + 1, w->names, w->values + i * names, out);
    }
    return WINNOW_OK;
}

winnow_status train_value_write(const struct train_value_writing *w, const struct winnow_env *env,
                                struct winnow_error *err)
{
    const struct winnow_text_options opt = {.text_key = w->keys.text, .id_key = w->keys.id};
    struct winnow_text_result read = {0};
    struct texts t = {0};
    struct buf out = {0}, folder = {0}, path = {0};
    winnow_status st = texts_open(&t, &opt, w->paths, env, &read, err);
    st = st == WINNOW_OK ? add_rows(w, &t, &out, err) : st;
    const char *to = file_join(&folder, w->folder, w->name);
    st = st == WINNOW_OK ? file_make_dirs(to, err) : st;
    if (st == WINNOW_OK) {
        st = file_write_atomic(file_join(&path, to, TRAIN_VALUE_FILE), buf_str(&out), err);
    }
    texts_release(&t);
    buf_release(&out);
    buf_release(&folder);
    buf_release(&path);
    return st;
}
