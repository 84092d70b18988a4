/* What a refiner's side brings in: a text is cut into chunks under every policy and
 * rendered, a chat template recognised, and bytes are fed to each grammar, which
 * may take only what the parser reads.  The first byte chooses the budget. */
#include "program/program.h"
#include "program/program_grammar.h"
#include "refine/prompt.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void cut(struct str text, uint32_t budget, enum long_lines policy)
{
    const struct chunk_options o = {budget, policy, LINE_NUMBERS_BRACKETS};
    struct chunker *c = chunker_new(NULL, &o);
    struct chunk_list l = {0};
    struct buf out = {0};
    chunker_cut(c, text, &l);
    size_t next = 0;
    for (size_t i = 0; i < l.count; i++) {
        assert(l.items[i].first == next);
        next = l.items[i].last + 1;
        chunk_render(&l.items[i], LINE_NUMBERS_LID, &out);
    }
    assert(next == str_count_lines(text));
    buf_release(&out);
    chunk_list_release(&l);
    chunker_free(c);
}

static bool is_ill_formed(const char *reason)
{
    return reason && strcmp(reason, "the call changes nothing") != 0;
}

static void feed(int dialect, struct str text)
{
    struct program_grammar *g = program_grammar_new(dialect, LEVEL_CHUNK);
    const struct program_grammar_spec spec = {dialect, LEVEL_CHUNK, 3, 1200, 40};
    struct program_state s = program_grammar_start(g, &spec);
    size_t taken = 0;
    while (taken < text.len && program_grammar_step(g, &s, (uint8_t)text.ptr[taken])) {
        taken++;
    }
    if (taken == text.len && program_grammar_end(g, &s) != PROGRAM_MUST_GO_ON &&
        dialect != WINNOW_DIALECT_PROX) {
        struct arena keep;
        struct program p;
        arena_init(&keep, 4096);
        program_parse((enum winnow_refine_dialect)dialect, text, &keep, &p);
        assert(p.count > 0);
        for (size_t i = 0; i < p.count; i++) {
            assert(!is_ill_formed(p.calls[i].reason));
        }
        arena_release(&keep);
    }
    program_grammar_free(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct str text = {(const char *)data + 1, size - 1};
    for (int policy = 0; policy < 3; policy++) {
        cut(text, data[0] + 1U, (enum long_lines)policy);
    }
    enum chat_template template;
    (void)chat_template_recognise(text, &template);
    for (int dialect = 0; dialect < 4; dialect++) {
        feed(dialect, text);
    }
    return 0;
}
