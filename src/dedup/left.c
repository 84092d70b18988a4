/* left.c -- see left.h. */
#include "dedup/left.h"

#include "base/file.h"
#include "base/json_file.h"

#include <unistd.h>

winnow_status left_write(struct buf *const *files, size_t count, struct json_writer *w,
                         struct winnow_error *err)
{
    json_member_open(w, "bytes", '[');
    for (size_t i = 0; i < count; i++) {
        uint64_t bytes = 0;
        TRY(file_size(buf_cstr(files[i]), &bytes, err));
        json_u64(w, bytes);
    }
    json_close(w, ']');
    return WINNOW_OK;
}

static bool as_said(struct json_value bytes, struct buf *const *files, size_t count)
{
    struct json_iter it = json_walk(bytes);
    struct winnow_error ignored; /* it is worked out again */
    size_t n = 0;
    while (json_next(&it)) {
        uint64_t said = 0, is = 0;
        if (n == count || !json_as_u64(it.value, &said) ||
            file_size(buf_cstr(files[n]), &is, &ignored) != WINNOW_OK || is != said) {
            return false;
        }
        n++;
    }
    return n == count;
}

bool left_whole(struct buf *summary, struct buf *const *files, size_t count)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    struct winnow_error ignored;
    bool whole =
        file_exists(buf_cstr(summary)) &&
        json_read_file(buf_cstr(summary), LEFT_SUMMARY_MAX, parser, &root, &ignored) == WINNOW_OK &&
        as_said(json_get(root, "bytes"), files, count);
    json_parser_free(parser);
    if (!whole) {
        (void)unlink(buf_cstr(summary)); /* mostly there is none */
    }
    return whole;
}
