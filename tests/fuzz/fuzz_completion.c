/* What a server sends: answers, lists of models, errors, Retry-After. */
#include "base/utf8.h"
#include "remote/completion.h"
#include "remote/transport.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = {(const char *)data, size};
    struct json_parser *p = json_parser_new();
    struct winnow_error err = {{0}};
    struct completion_text text;
    if (completion_read(p, body, &text, &err) == WINNOW_OK) {
        assert(utf8_valid_until(text.text) == text.text.len);
        assert(text.text.len <= size);
    } else {
        assert(err.text[0] != '\0');
    }
    struct str model;
    enum completion_server server = COMPLETION_AUTO;
    if (completion_read_models(p, body, &model, &server, &err) == WINNOW_OK) {
        assert(server != COMPLETION_AUTO && model.len <= size);
    }
    struct buf reason = {0};
    completion_add_reason(p, body, NULL, &reason);
    assert(reason.len <= 203); /* bounded, on one line */
    for (size_t i = 0; i < reason.len; i++) {
        assert((unsigned char)reason.ptr[i] >= 0x20);
    }
    buf_release(&reason);
    double pause = transport_retry_after(body, 1.7e9);
    assert(pause >= -1 && pause < 1e12);
    json_parser_free(p);
    return 0;
}
