/* preparation.c -- FLOPs that went into a corpus before a proof saw it.
 *
 * A corpus that lies in a run was made by its stages, up to the one whose documents
 * are read; each wrote its cost into stats.json.  Outside of a run nothing is known
 * of it, and 0 is counted. */
#include "prove/preparation.h"

#include "base/file.h"
#include "base/json.h"
#include "base/json_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#define STATS_MAX ((size_t)64 << 20)

/* Where path lies in a run: its folder of stages, and the last of them that
 * counts (empty: all). */
struct made_by {
    struct buf stages, last;
};

/* s without its last part, and that part. */
static struct str split_last(struct str s, struct str *part)
{
    while (s.len > 1 && s.ptr[s.len - 1] == '/') {
        s.len--;
    }
    size_t at = s.len;
    while (at > 0 && s.ptr[at - 1] != '/') {
        at--;
    }
    *part = (struct str){s.ptr + at, s.len - at};
    return (struct str){s.ptr, at > 1 ? at - 1 : at};
}

static void locate(const char *path, struct made_by *out)
{
    struct str part, stage, stages, run = str_of(path);
    struct str above = split_last(run, &part);
    if (str_is(part, "documents")) {
        run = above;
        above = split_last(run, &stage);
        (void)split_last(above, &stages);
        if (str_is(stages, "stages")) {
            buf_add_str(&out->stages, above);
            buf_add_str(&out->last, stage);
            return;
        }
    }
    buf_add_str(&out->stages, run.len > 0 ? run : str_of("."));
    buf_add_text(&out->stages, "/stages");
}

static winnow_status stage_flops(const char *path, struct json_parser *parser, double *flops,
                                 struct winnow_error *err)
{
    struct json_value root;
    double value = 0;
    TRY(json_read_file(path, STATS_MAX, parser, &root, err));
    if (json_as_double(json_get(json_get(root, "notes"), "flops"), &value)) {
        *flops += value;
    }
    return WINNOW_OK;
}

static winnow_status add_stages(struct made_by *made, struct json_parser *parser, double *flops,
                                struct winnow_error *err)
{
    struct dirent **entries = NULL;
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    const char *stages = buf_cstr(&made->stages), *last = buf_cstr(&made->last);
    int count = scandir(stages, &entries, NULL, alphasort);
    if (count < 0 && errno != ENOENT && errno != ENOTDIR) { /* else: no run */
        st = error_errno(err, "cannot list", stages);
    }
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        bool counts = last[0] == '\0' || strcmp(name, last) <= 0;
        if (st == WINNOW_OK && counts && name[0] != '.') {
            struct buf folder = {0};
            const char *stats = file_join(&path, file_join(&folder, stages, name), "stats.json");
            st = file_exists(stats) ? stage_flops(stats, parser, flops, err) : WINNOW_OK;
            buf_release(&folder);
        }
        free(entries[i]); /* NOLINT: scandir's memory */
    }
    free(entries); /* NOLINT */
    buf_release(&path);
    return st;
}

winnow_status preparation_flops(const char *path, double *flops, struct winnow_error *err)
{
    struct made_by made = {0};
    struct json_parser *parser = json_parser_new();
    *flops = 0;
    locate(path, &made);
    winnow_status st = add_stages(&made, parser, flops, err);
    buf_release(&made.stages);
    buf_release(&made.last);
    json_parser_free(parser);
    return st;
}
