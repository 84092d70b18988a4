/* A program, a NUL, a text: parsed in every dialect, executed, and run by the
 * ProX executor.  The first byte chooses the chunk. */
#include "base/mem.h"
#include "program/edit.h"
#include "program/prox.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(enum winnow_refine_dialect dialect, struct str program, struct str text,
                uint8_t chunk)
{
    struct arena keep;
    arena_init(&keep, 4096);
    struct program p;
    struct edit e;
    struct winnow_error err;
    program_parse(dialect, program, &keep, &p);
    if (edit_start(&e, text, &keep, &err) == WINNOW_OK) {
        size_t first = chunk % e.count;
        edit_apply(&e, &p, first, e.count - 1);
        struct buf out = {0};
        edit_result(&e, &out);
        assert(out.len <= text.len + e.bytes_added);
        buf_release(&out);
    }
    arena_release(&keep);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct str all = {(const char *)data + 1, size - 1};
    const char *nul = all.len > 0 ? memchr(all.ptr, 0, all.len) : NULL;
    size_t cut = nul ? (size_t)(nul - all.ptr) : all.len;
    struct str program = str_sub(all, 0, cut);
    struct str text = str_sub(all, nul ? cut + 1 : cut, all.len);
    for (enum winnow_refine_dialect d = 0; d < WINNOW_DIALECT_PROX; d++) {
        run(d, program, text, data[0]);
    }
    struct buf out = {0};
    struct prox_result r;
    struct winnow_error err;
    (void)prox_execute(text, program, &out, &r, &err);
    buf_release(&out);
    return 0;
}
