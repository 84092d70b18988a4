/* What a server sends: answers, lists of models, errors, Retry-After. */
#include "base/retry_after.h"
#include "base/utf8.h"
#include "remote/completion.h"
#include "remote/prompt_scores.h"
#include "remote/transport.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a prompt's tokens get: so many numbers as were asked for, none below 0, or a sentence. */
static void read_scores(struct json_parser *p, struct str body)
{
    static const uint32_t IDS[] = {1, 500, 2};
    for (int server = COMPLETION_LLAMA_CPP; server <= COMPLETION_OPENAI; server++) {
        struct winnow_error err = {{0}};
        struct buf nll = {0};
        enum completion_server kind = (enum completion_server)server;
        if (prompt_scores_read(kind, p, body, IDS, 3, &nll, &err) == WINNOW_OK) {
            const float *v = (const float *)(const void *)nll.ptr;
            assert(nll.len == (prompt_scores_by_token(kind) ? 1 : 2) * sizeof *v);
            assert(v[0] >= 0);
        } else {
            assert(err.text[0] != '\0');
        }
        buf_release(&nll);
    }
}

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
    struct completion_models models;
    if (completion_read_models(p, body, &models, &err) == WINNOW_OK) {
        assert(models.server != COMPLETION_AUTO && models.model.len <= size);
    }
    read_scores(p, body);
    struct buf reason = {0};
    completion_add_reason(p, body, NULL, &reason);
    assert(reason.len <= 203); /* bounded, on one line */
    for (size_t i = 0; i < reason.len; i++) {
        assert((unsigned char)reason.ptr[i] >= 0x20);
    }
    buf_release(&reason);
    double pause = retry_after_seconds(body, 1.7e9);
    assert(pause >= -1 && pause < 1e12);
    json_parser_free(p);
    return 0;
}
