/* json_file.c -- a file that is one JSON text. */
#include "base/json_file.h"

#include "base/file.h"

winnow_status json_read_file(const char *path, size_t bytes_max, struct json_parser *p,
                             struct json_value *root, struct winnow_error *err)
{
    struct buf text = {0};
    winnow_status st = file_read(path, bytes_max, &text, err);
    if (st == WINNOW_OK) {
        st = json_parse(p, buf_str(&text), root, err); /* copies the text */
        st = st == WINNOW_OK ? st : error_wrap(err, st, "%s", path);
    }
    buf_release(&text);
    return st;
}
