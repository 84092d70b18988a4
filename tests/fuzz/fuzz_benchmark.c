/* A benchmark file: its items, every rule's index of them, and the file judged as a text. */
#include "leak/leak_cut.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct leak_set *set, int rule, struct str text)
{
    struct winnow_decontaminate_options opt = WINNOW_DECONTAMINATE_OPTIONS_INIT;
    struct leak_judge j;
    struct winnow_error err;
    struct buf out = {0}, ranges = {0};
    opt.margin = 3;
    opt.left_min = 1;
    opt.n = rule == WINNOW_LEAK_GPT3 ? 2 : 0;
    if (leak_judge_open(&j, set, &opt, rule, &err) == WINNOW_OK) {
        struct leak_scratch *s = leak_scratch_new(&j);
        winnow_status st = leak_judge_text(&j, s, text, &err);
        assert(st == WINNOW_OK);
        for (size_t i = 0; i < s->find_count; i++) {
            const struct leak_find *f = &s->finds[i];
            assert(f->item < set->count && f->share > 0 && f->share <= 1);
            assert(i >= LEAK_SHOWN || (f->first < f->end && f->end <= s->words.count));
        }
        if (s->find_count > 0) {
            assert(s->span_count > 0);
            (void)leak_cut(&opt, s, text, &out, &ranges);
            assert(out.len <= text.len + 2 * s->span_count);
        }
        leak_scratch_free(s);
    }
    leak_judge_release(&j);
    buf_release(&out);
    buf_release(&ranges);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {size > 0 ? (const char *)data : "", size};
    struct leak_set set = {0};
    struct winnow_error err;
    uint64_t added = 0;
    (void)leak_set_add_text(&set, "fuzz", text, 4, &added, &err); /* what was read before stays */
    if (set.count > 0) {
        for (int rule = 0; rule < WINNOW_LEAK_RULES; rule++) {
            judge(&set, rule, text);
            judge(&set, rule, set.items[set.count - 1].text);
        }
    }
    leak_set_release(&set);
    return 0;
}
