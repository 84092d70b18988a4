/* A line of a file of facts; what it says is counted in itself. */
#include "study/facts.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    struct fact_line line;
    struct winnow_error err;
    struct str text = {size > 0 ? (const char *)data : "", size};
    if (json_parse(parser, text, &root, &err) == WINNOW_OK &&
        fact_line_read(root, &line, &err) == WINNOW_OK) {
        assert(line.subject.len > 0 && line.object.len > 0);
        assert(line.before.len + line.middle.len + 6 <= line.pattern.len);
    }
    json_parser_free(parser);
    return 0;
}
