/* A line of a file of judgements, and what an expert says of two pages. */
#include "quality/quality_pairs.h"
#include "teach/judge_question.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str line = {size > 0 ? (const char *)data : "", size}, a, b;
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    struct winnow_error err;
    float better = -1;
    if (json_parse(parser, line, &root, &err) == WINNOW_OK &&
        quality_pair_read(root, &a, &b, &better, &err) == WINNOW_OK) {
        assert(better >= 0 && better <= 1);
        assert(a.ptr && b.ptr);
    }
    json_parser_free(parser);
    enum judge_says says = judge_read(line);
    assert(says <= JUDGE_UNREAD);
    return 0;
}
