/* What an expert says: the input is a text, a NUL, and three answers between
 * further NULs.  Whatever they are, the merged program executes, call by call. */
#include "base/utf8.h"
#include "program/edit.h"
#include "teach/expert.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str take(struct str *rest)
{
    const char *nul = rest->len > 0 ? memchr(rest->ptr, '\0', rest->len) : NULL;
    size_t len = nul ? (size_t)(nul - rest->ptr) : rest->len;
    struct str part = str_sub(*rest, 0, len);
    *rest = str_sub(*rest, nul ? len + 1 : len, rest->len);
    return part;
}

static void check_merged(struct str text, const struct derived *d, const struct buf *program,
                         struct arena *keep)
{
    struct program p;
    struct edit e;
    struct winnow_error err;
    program_parse(WINNOW_DIALECT_WINNOW, buf_str(program), keep, &p);
    if (p.truncated || edit_start(&e, text, keep, &err) != WINNOW_OK) {
        return;
    }
    edit_apply(&e, &p, 0, d->count - 1);
    for (size_t i = 0; i < p.count; i++) {
        assert(!p.calls[i].reason);
    }
    struct buf out = {0};
    edit_result(&e, &out);
    assert(out.len <= text.len); /* it only deletes */
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {size > 0 ? (const char *)data : "", size};
    if (utf8_valid_until(rest) < rest.len) { /* texts and answers come out of JSON */
        return 0;
    }
    struct str text = take(&rest);
    struct program programs[EXPERT_OF_CHUNK];
    struct arena keep;
    arena_init(&keep, 4096);
    bool all = true;
    for (size_t i = 0; i < EXPERT_OF_CHUNK; i++) {
        struct str answer = take(&rest);
        uint32_t score = 0;
        const char *no_score = expert_read_score(EXPERT_EDUCATION, answer, &score);
        assert(no_score || score <= 5);
        all = !expert_read_program(answer, &keep, &programs[i]) && all;
    }
    if (all) {
        struct derived d;
        struct expert_merge m;
        struct buf program = {0};
        expert_start(text, &keep, &d);
        expert_merge(&d, &(struct chunk){.last = d.count - 1}, programs, EXPERT_OF_CHUNK, &keep, &m,
                     &program);
        assert(m.rejected <= m.calls && m.removed >= 0 && m.removed <= 1);
        check_merged(text, &d, &program, &keep);
        buf_release(&program);
    }
    arena_release(&keep);
    return 0;
}
