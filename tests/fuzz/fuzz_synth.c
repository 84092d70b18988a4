/* Prompts and answers: the input is a file of prompts, a NUL, and an answer, which each prompt
 * reads; what is read as a task is read again as itself. */
#include "synth/synth_prompts.h"
#include "synth/synth_relations.h"
#include "synth/synth_sentences.h"
#include "synth/synth_tasks.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_answer(const struct synth_prompt *p, struct str answer)
{
    struct buf out = {0}, again = {0};
    if (!synth_answer_read(p, SYNTH_STOPPED, answer, &out) && p->kind != SYNTH_TEXT) {
        struct synth_task task;
        assert(synth_task_read(p->kind, buf_str(&out), &task));
        synth_task_write(p->kind, &task, &again);
        assert(again.len > 0);
    }
    buf_release(&out);
    buf_release(&again);
}

static void ask(struct str text)
{
    struct synth_sentences s = {0};
    struct synth_words w = {0};
    struct buf out = {0};
    synth_sentences_split(&s, text);
    for (size_t i = 0; i < s.count; i++) {
        struct synth_fact f;
        synth_words_split(&w, s.items[i]);
        if (synth_relation_find(s.items[i], &f)) {
            assert(f.answer.len > 0 && f.relation < SYNTH_RELATIONS_MAX);
            synth_relation_ask(&f, &out);
        }
    }
    buf_release(&out);
    synth_sentences_release(&s);
    synth_words_release(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = {size > 0 ? (const char *)data : "", size};
    const char *nul = size > 0 ? memchr(all.ptr, '\0', all.len) : NULL;
    size_t len = nul ? (size_t)(nul - all.ptr) : all.len;
    struct str file = str_sub(all, 0, len), answer = str_sub(all, nul ? len + 1 : len, all.len);
    struct synth_prompts p = {0};
    struct winnow_error err;
    if (synth_prompts_parse(&p, "prompts", file, &err) == WINNOW_OK) {
        for (size_t i = 0; i < p.count; i++) {
            read_answer(&p.items[i], answer);
        }
    }
    synth_prompts_release(&p);
    ask(answer);
    return 0;
}
