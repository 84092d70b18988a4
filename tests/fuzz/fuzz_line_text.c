/* A text through a small random line model: whatever it is, the programs are
 * well-formed, cover all lines in order and are accepted whole. */
#include "base/mem.h"
#include "lines/line_refiner.h"
#include "program/edit.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct line_reader *reader(void)
{
    static struct line_reader *r; /* made once: it is not what is tested */
    struct winnow_error err;
    struct line_model *m = NULL;
    const struct line_config c = {.rows = 64,
                                  .embed = 16,
                                  .hidden = 16,
                                  .dim = 16,
                                  .layers = 1,
                                  .ffn = 16,
                                  .head_dim = 16,
                                  .keep_above = 0.5,
                                  .calibration = LINE_CALIBRATION_INIT};
    if (!r) {
        if (line_model_new(&c, 1, "generic", false, &m, &err) != WINNOW_OK) {
            abort();
        }
        r = line_reader_new(m);
    }
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct arena keep;
    struct edit e;
    struct winnow_error err;
    struct line_program *programs = NULL;
    arena_init(&keep, 4096);
    size_t count = line_reader_programs(reader(), (struct line_text){text, NULL},
                                        (struct line_limits){.keep_above = -1}, &keep, &programs),
           next = 0;
    assert(count > 0);
    if (edit_start(&e, text, &keep, &err) == WINNOW_OK) {
        for (size_t i = 0; i < count; i++) {
            struct program p;
            assert(programs[i].first == next && programs[i].last >= next);
            next = programs[i].last + 1;
            program_parse(WINNOW_DIALECT_WINNOW, programs[i].text, &keep, &p);
            edit_apply(&e, &p, programs[i].first, programs[i].last);
            assert(p.count > 0 && p.rejected == 0 && !p.truncated);
            for (size_t c = 0; c < p.count; c++) {
                assert(!p.calls[c].reason);
            }
        }
        assert(next == e.count);
    }
    arena_release(&keep);
    return 0;
}
