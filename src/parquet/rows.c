/* rows.c -- the columns of a row group side by side, a row of text at a time.
 *
 * Memory is a page and a dictionary a column, and some text; how many rows a group says it has,
 * or how large one of them is, costs nothing. */
#include "base/mem.h"
#include "parquet/column.h"
#include "parquet/leaf_text.h"
#include "parquet/parquet.h"
#include "parquet/row_program.h"

#include <inttypes.h>

#define TEXT_STEP ((size_t)256 << 10) /* given out when there is so much of it */
#define PAGE_TOLD ((uint64_t)1 << 20) /* what writers make pages of */

struct parquet_rows {
    struct parquet_layout layout;
    struct parquet_tree tree;
    struct row_program program;
    struct parquet_column *columns;
    struct parquet_memory memory;
    struct parquet_file file;
    size_t group;    /* at hand */
    bool open;       /* its columns are begun */
    uint64_t row;    /* in it */
    size_t step;     /* of the row's, 0: between two */
    bool silent;     /* rows are passed over */
    struct buf text; /* given up to given */
    size_t given;
    winnow_status failed;
    struct winnow_error why;
};

static winnow_status name_column(const struct parquet_rows *r, size_t leaf, winnow_status st,
                                 struct winnow_error *err)
{
    struct buf path = {0};
    parquet_leaf_path(&r->tree, leaf, &path);
    struct buf shown = {0};
    leaf_quote(buf_str(&path), &shown);
    if (st == WINNOW_E_FORMAT || st == WINNOW_E_LIMIT || st == WINNOW_E_NOMEM) {
        st = error_wrap(err, st, "row group %zu, column %.*s", r->group + 1,
                        (int)(shown.len < 200 ? shown.len : 200), shown.ptr);
    }
    buf_release(&path);
    buf_release(&shown);
    return st;
}

static winnow_status next_of(struct parquet_rows *r, size_t leaf, struct winnow_error *err)
{
    winnow_status st = parquet_column_next(&r->columns[leaf], err);
    return st == WINNOW_OK ? st : name_column(r, leaf, st, err);
}

/* The same of all leaves of a value that is not there. */
static winnow_status pass_missing(struct parquet_rows *r, const struct step *s,
                                  struct winnow_error *err)
{
    for (size_t i = s->from; i < s->to; i++) {
        const struct parquet_column *c = &r->columns[i];
        if (c->ended || c->def >= s->level) {
            return name_column(r, i,
                               error_set(err, WINNOW_E_FORMAT, "%s",
                                         c->ended ? "it ends before the others"
                                                  : "its levels do not fit those of the others"),
                               err);
        }
        TRY(next_of(r, i, err));
    }
    return WINNOW_OK;
}

static winnow_status give_leaf(struct parquet_rows *r, size_t leaf, struct winnow_error *err)
{
    const struct parquet_column *c = &r->columns[leaf];
    if (c->ended || c->def != r->tree.leaves[leaf].def) {
        return name_column(r, leaf,
                           error_set(err, WINNOW_E_FORMAT, "%s",
                                     c->ended ? "it ends before the others"
                                              : "its levels do not fit those of the others"),
                           err);
    }
    if (!r->silent) {
        leaf_to_json(&r->tree.leaves[leaf], c->value, &r->text);
    }
    return next_of(r, leaf, err);
}

static void say(struct parquet_rows *r, struct str text)
{
    if (!r->silent) {
        buf_add_str(&r->text, text);
    }
}

/* One step; *at goes on. */
static winnow_status take_step(struct parquet_rows *r, const struct step *s, size_t *at,
                               struct winnow_error *err)
{
    const struct parquet_column *c = &r->columns[s->from];
    ++*at;
    switch (s->kind) {
    case STEP_TEXT:
        say(r, s->text);
        return WINNOW_OK;
    case STEP_LEAF:
        return give_leaf(r, s->from, err);
    case STEP_MAY:
        if (c->ended || c->def < s->level) {
            say(r, STR_LIT("null"));
            *at = s->target;
            return pass_missing(r, s, err);
        }
        return WINNOW_OK;
    case STEP_LIST:
        if (c->ended || c->def < s->level) {
            say(r, s->object ? STR_LIT("{}") : STR_LIT("[]"));
            *at = s->target;
            return pass_missing(r, s, err);
        }
        say(r, s->object ? STR_LIT("{") : STR_LIT("["));
        return WINNOW_OK;
    case STEP_AGAIN:
        if (!c->ended && c->rep == s->rep) {
            say(r, STR_LIT(", "));
            *at = s->target;
        } else {
            say(r, s->object ? STR_LIT("}") : STR_LIT("]"));
        }
        return WINNOW_OK;
    case STEP_END:
        break;
    }
    *at = 0;
    return WINNOW_OK;
}

/* Between rows every column stands at the start of one. */
static winnow_status check_row(const struct parquet_rows *r, struct winnow_error *err)
{
    for (size_t i = 0; i < r->tree.leaf_count; i++) {
        const struct parquet_column *c = &r->columns[i];
        if (c->ended || c->rep > 0) {
            return name_column(r, i,
                               c->ended ? error_set(err, WINNOW_E_FORMAT,
                                                    "it ends behind row %" PRIu64 " of the %" PRIu64
                                                    " that the group says it has",
                                                    r->row, r->layout.groups[r->group].rows)
                                        : error_set(err, WINNOW_E_FORMAT,
                                                    "its levels do not fit those of the others"),
                               err);
        }
    }
    return WINNOW_OK;
}

static winnow_status open_group(struct parquet_rows *r, struct winnow_error *err)
{
    const struct parquet_group *g = &r->layout.groups[r->group];
    for (size_t i = 0; i < r->tree.leaf_count; i++) {
        struct parquet_column *c = &r->columns[i];
        winnow_status st = parquet_column_start(c, &r->tree.leaves[i], &g->chunks[i], err);
        TRY(st == WINNOW_OK ? st : name_column(r, i, st, err));
    }
    r->open = true;
    r->row = 0;
    r->step = 0;
    return WINNOW_OK;
}

/* Goes on until there is text enough, or, in silence, up to row `until` of the group. */
static winnow_status run_group(struct parquet_rows *r, uint64_t until, struct winnow_error *err)
{
    while (r->row < until && r->text.len < TEXT_STEP) {
        if (r->step == 0) {
            TRY(check_row(r, err));
        }
        const struct step *s = &r->program.steps[r->step];
        TRY(take_step(r, s, &r->step, err));
        r->row += s->kind == STEP_END;
    }
    return WINNOW_OK;
}

static winnow_status more_text(struct parquet_rows *r, struct winnow_error *err)
{
    buf_clear(&r->text);
    r->given = 0;
    while (r->text.len < TEXT_STEP && r->group < r->layout.group_count) {
        uint64_t rows = r->layout.groups[r->group].rows;
        if (!r->open && rows > 0) {
            TRY(open_group(r, err));
        }
        TRY(run_group(r, rows, err));
        if (rows == 0 || r->row == rows) {
            r->group++;
            r->open = false;
            r->row = 0;
        }
    }
    return WINNOW_OK;
}

winnow_status parquet_rows_read(struct parquet_rows *r, char *to, size_t room, size_t *got,
                                struct winnow_error *err)
{
    *got = 0;
    if (r->given == r->text.len && r->failed == WINNOW_OK) {
        r->failed = more_text(r, &r->why);
    }
    size_t n = r->text.len - r->given < room ? r->text.len - r->given : room;
    if (n == 0 && r->failed != WINNOW_OK) {
        return error_set(err, r->failed, "%s", r->why.text);
    }
    if (n > 0) {
        memcpy(to, r->text.ptr + r->given, n);
    }
    r->given += n;
    *got = n;
    return WINNOW_OK;
}

winnow_status parquet_rows_seek(struct parquet_rows *r, uint64_t row, struct winnow_error *err)
{
    r->group = 0;
    r->open = false;
    r->row = 0;
    r->step = 0;
    buf_clear(&r->text);
    r->given = 0;
    while (r->group < r->layout.group_count && row >= r->layout.groups[r->group].rows) {
        row -= r->layout.groups[r->group].rows;
        r->group++;
    }
    if (r->group == r->layout.group_count || row == 0) {
        return WINNOW_OK;
    }
    TRY(open_group(r, err));
    r->silent = true;
    winnow_status st = run_group(r, row, err);
    r->silent = false;
    return st;
}

uint64_t parquet_rows_count(const struct parquet_rows *r)
{
    return r->layout.rows;
}

uint64_t parquet_rows_place(const struct parquet_rows *r)
{
    if (r->group >= r->layout.group_count || r->layout.rows == 0) {
        return r->file.size;
    }
    double done = (double)(r->layout.groups[r->group].first_row + r->row);
    return (uint64_t)(done / (double)r->layout.rows * (double)r->file.size);
}

static winnow_status open_rows(struct parquet_rows *r, struct winnow_error *err)
{
    TRY(parquet_layout_read(&r->layout, &r->file, r->memory.max, err));
    TRY(parquet_tree_build(&r->tree, r->layout.elements, r->layout.element_count, err));
    row_program_build(&r->program, &r->tree);
    r->columns = mem_try_alloc(r->tree.leaf_count * sizeof *r->columns);
    if (!r->columns) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %zu columns", r->tree.leaf_count);
    }
    for (size_t i = 0; i < r->tree.leaf_count; i++) {
        r->columns[i] = (struct parquet_column){
            .file = &r->file, .file_end = r->layout.data_end, .memory = &r->memory};
    }
    return WINNOW_OK;
}

winnow_status parquet_rows_open(struct parquet_rows **out, const struct parquet_file *file,
                                uint64_t memory_max, struct winnow_error *err)
{
    *out = NULL;
    struct parquet_rows *r = mem_zalloc(sizeof *r);
    r->file = *file;
    r->memory.max = memory_max;
    winnow_status st = open_rows(r, err);
    if (st != WINNOW_OK) {
        parquet_rows_close(r);
        return st;
    }
    *out = r;
    return WINNOW_OK;
}

void parquet_rows_close(struct parquet_rows *r)
{
    if (!r) {
        return;
    }
    for (size_t i = 0; r->columns && i < r->tree.leaf_count; i++) {
        parquet_column_release(&r->columns[i]);
    }
    mem_free(r->columns);
    row_program_release(&r->program);
    parquet_tree_release(&r->tree);
    parquet_layout_release(&r->layout);
    buf_release(&r->text);
    mem_free(r);
}

uint64_t parquet_rows_needs(const struct parquet_file *file)
{
    struct parquet_layout l;
    struct winnow_error ignored;
    uint64_t most = 0;
    if (parquet_layout_read(&l, file, 0, &ignored) == WINNOW_OK) {
        for (size_t g = 0; g < l.group_count; g++) {
            uint64_t all = l.footer.len * 4 + 2 * TEXT_STEP;
            for (size_t i = 0; i < l.leaf_count; i++) {
                uint64_t raw = l.groups[g].chunks[i].bytes_raw;
                all += 3 * (raw < PAGE_TOLD ? raw : PAGE_TOLD); /* packed, unpacked, dictionary */
            }
            most = all > most ? all : most;
        }
    }
    parquet_layout_release(&l);
    return most;
}
