/* test_synth.c -- answers of models read as tasks, prompts, sentences, questions by form, and
 * tokens drawn by chance. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "engine/generator_internal.h"
#include "synth/synth_prompts.h"
#include "synth/synth_relations.h"
#include "synth/synth_sentences.h"
#include "synth/synth_tasks.h"

#include <math.h>

/* ---- answers ---- */

static const struct {
    enum synth_kind kind;
    const char *answer;
    const char *text; /* NULL: no task of the kind */
} ANSWERS[] = {
    {SYNTH_QUESTION, "Question: Who?\nAnswer: Ada.", "Question: Who?\nAnswer: Ada."},
    {SYNTH_QUESTION, "Sure! Here it is:\n\n**Question 1:** Who\nwas it?\n\n**Answer:** Ada.\n",
     "Question: Who was it?\nAnswer: Ada."},
    {SYNTH_QUESTION, "Q: Who?\nA: Ada.", "Question: Who?\nAnswer: Ada."},
    {SYNTH_QUESTION, "Question: Who?", NULL},
    {SYNTH_QUESTION, "Answer: Ada.\nQuestion: Who?", NULL},
    {SYNTH_QUESTION, "Question: Who?\nAnswer:", NULL},
    {SYNTH_QUESTION, "Question: Who?\nAnswer: A.\nQuestion: What?\nAnswer: B.", NULL},
    {SYNTH_CHOICE, "Question: Who?\nA. Ada\nB. Bob\nAnswer: B",
     "Question: Who?\nA. Ada\nB. Bob\nAnswer: B. Bob"},
    {SYNTH_CHOICE, "Question: Who?\n(a) Ada\n(b) Bob\nC) Cy\nAnswer: Ada\nBecause it is so.",
     "Question: Who?\nA. Ada\nB. Bob\nC. Cy\nAnswer: A. Ada"},
    {SYNTH_CHOICE, "Question: Who?\nA. Ada\nB. Bob\nAnswer: C", NULL},
    {SYNTH_CHOICE, "Question: Who?\nA. Ada\nB. Ada\nAnswer: A", NULL},
    {SYNTH_CHOICE, "Question: Who?\nA. Ada\nAnswer: A", NULL},
    {SYNTH_CHOICE, "Question: Who?\nB. Ada\nA. Bob\nAnswer: A", NULL},
    {SYNTH_CHOICE,
     "Question: Who?\nA. a\nB. b\nC. c\nD. d\nE. e\nF. f\nG. g\nH. h\nI. i\nAnswer: A", NULL},
    {SYNTH_CHOICE, "Question: Who?\nA. Ada\nB. Bob", NULL},
    {SYNTH_CLOZE, "Ada was born in ____.\nAnswer: London",
     "Fill in the blank: Ada was born in ____.\nAnswer: London"},
    {SYNTH_CLOZE, "Fill in the blank: It is _____ here.\n**Answer**: cold",
     "Fill in the blank: It is _____ here.\nAnswer: cold"},
    {SYNTH_CLOZE, "Ada ____ in ____.\nAnswer: London", NULL},
    {SYNTH_CLOZE, "Ada was born.\nAnswer: London", NULL},
    {SYNTH_CLOZE, "Ada was born in ____.\nAnswer: ____", NULL},
    {SYNTH_SUMMARY, "Summary: It is so.", "Summary: It is so."},
    {SYNTH_SUMMARY, "Of course.\n# Summary:\nIt is so\nand so.", "Summary: It is so and so."},
    {SYNTH_SUMMARY, "It is so.", NULL},
    {SYNTH_SUMMARY, "", NULL},
};

static void answers_are_read_as_tasks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ANSWERS / sizeof *ANSWERS; i++) {
        struct synth_task task;
        struct buf out = {0};
        bool read = synth_task_read(ANSWERS[i].kind, str_of(ANSWERS[i].answer), &task);
        if (read) {
            synth_task_write(ANSWERS[i].kind, &task, &out);
        }
        assert_string_equal(read ? buf_cstr(&out) : "none",
                            ANSWERS[i].text ? ANSWERS[i].text : "none");
        if (read) { /* and what was written is read as itself */
            struct buf again = {0};
            assert_true(synth_task_read(ANSWERS[i].kind, buf_str(&out), &task));
            synth_task_write(ANSWERS[i].kind, &task, &again);
            assert_true(str_eq(buf_str(&out), buf_str(&again)));
            buf_release(&again);
        }
        buf_release(&out);
    }
}

static void what_is_no_answer_says_why(void **state)
{
    (void)state;
    static const struct {
        enum synth_end end;
        const char *text, *rule;
    } CASES[] = {
        {SYNTH_STOPPED, "A lesson.", NULL},
        {SYNTH_STOPPED, " \n ", "answer.empty"},
        {SYNTH_CUT, "A less", "answer.cut"},
        {SYNTH_LOOPED, "A. A. A.", "answer.loop"},
        {SYNTH_REFUSED, "", "answer.refused"},
        {SYNTH_STOPPED, "I\xE2\x80\x99m sorry, but I cannot do that.", "answer.excuse"},
        {SYNTH_STOPPED, "Read the text below and write a lesson about it. Yes.", "answer.prompt"},
    };
    const struct synth_prompt p = {
        .name = "p",
        .kind = SYNTH_TEXT,
        .before = STR_LIT("Read the text below and write a lesson about it.\n\n"),
        .after = STR_LIT("")};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct buf out = {0};
        const char *rule = synth_answer_read(&p, CASES[i].end, str_of(CASES[i].text), &out);
        assert_string_equal(rule ? rule : "none", CASES[i].rule ? CASES[i].rule : "none");
        buf_release(&out);
    }
}

/* ---- prompts ---- */

static void built_in_prompts_are_as_a_file_has_them(void **state)
{
    (void)state;
    struct winnow_synthesize_options opt = WINNOW_SYNTHESIZE_OPTIONS_INIT;
    struct winnow_error err;
    static const size_t COUNTS[] = {
        [WINNOW_MAKE_ALL] = 12, [WINNOW_MAKE_TEXTS] = 8, [WINNOW_MAKE_TASKS] = 4};
    opt.engine = WINNOW_SYNTHESIZE_HTTP;
    for (opt.make = WINNOW_MAKE_ALL; opt.make <= WINNOW_MAKE_TASKS; opt.make++) {
        struct synth_prompts p = {0};
        assert_ok(synth_prompts_load(&opt, &p, &err), err);
        assert_int_equal(p.count, COUNTS[opt.make]);
        for (size_t i = 0; i < p.count; i++) {
            assert_true(p.items[i].passage == (p.items[i].kind == SYNTH_SUMMARY));
            assert_true(p.items[i].before.len > 100 && p.items[i].words_min < p.items[i].words_max);
        }
        synth_prompts_release(&p);
    }
}

/* ---- sentences and questions ---- */

static void sentences_end_where_they_do(void **state)
{
    (void)state;
    struct synth_sentences s = {0};
    synth_sentences_split(&s, str_of("Dr. A. Smith met e.g. Bob. \"Yes!\" he said. It cost 3.5 "
                                     "crowns.\nA title\nEnd"));
    static const char *const WANT[] = {"Dr. A. Smith met e.g. Bob.", "\"Yes!\" he said.",
                                       "It cost 3.5 crowns.", "A title", "End"};
    assert_int_equal(s.count, 5);
    for (size_t i = 0; i < s.count; i++) {
        assert_true(str_is(s.items[i], WANT[i]));
    }
    synth_sentences_release(&s);
}

static void sentences_answer_questions_by_their_form(void **state)
{
    (void)state;
    static const char *const CASES[][3] = {
        {"Ada was born in London.", "Where was Ada born?", "London"},
        {"Ada was born in 1815.", "When was Ada born?", "1815"},
        {"The capital of Peru is Lima.", "What is the capital of Peru?", "Lima"},
        {"A lynx is a wild cat.", "What is a lynx?", "a wild cat"},
        {"It is a wild cat.", NULL, NULL},
        {"Peru is warm.", NULL, NULL},
        {"Is Peru a country?", NULL, NULL},
        {"The town, which is old, is a port.", NULL, NULL},
        {"Ada was born in London (then a", NULL, NULL},
        {" was born in ", NULL, NULL},
        {"", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct synth_fact f;
        struct buf out = {0};
        bool found = synth_relation_find(str_of(CASES[i][0]), &f);
        assert_int_equal(found, CASES[i][1] != NULL);
        if (found) {
            synth_relation_ask(&f, &out);
            assert_string_equal(buf_cstr(&out), CASES[i][1]);
            assert_true(str_is(f.answer, CASES[i][2]));
        }
        buf_release(&out);
    }
}

/* ---- chance ---- */

#define TOKENS 7U
#define DRAWS  40000U

static size_t largest(const float *x)
{
    size_t at = 0;
    for (size_t i = 1; i < TOKENS; i++) {
        at = x[i] > x[at] ? i : at;
    }
    return at;
}

static void tokens_are_drawn_as_softmax_says(void **state)
{
    (void)state;
    static const float LOGITS[TOKENS] = {0, 1, 2, -1, 0.5F, 3, -20};
    for (float temperature = 0.5F; temperature < 2.1F; temperature *= 2) {
        size_t counts[TOKENS] = {0};
        double sum = 0;
        for (uint32_t d = 0; d < DRAWS; d++) {
            float x[TOKENS], parts[TOKENS];
            uint64_t key = generate_sample_key(7, d);
            memcpy(x, LOGITS, sizeof x);
            memcpy(parts, LOGITS, sizeof parts);
            generate_add_chance(x, TOKENS, 100, temperature, key);
            generate_add_chance(parts, 3, 100, temperature, key); /* however it is cut */
            generate_add_chance(parts + 3, TOKENS - 3, 103, temperature, key);
            assert_memory_equal(x, parts, sizeof x);
            counts[largest(x)]++;
        }
        for (size_t i = 0; i < TOKENS; i++) {
            sum += exp((double)LOGITS[i] / (double)temperature);
        }
        for (size_t i = 0; i < TOKENS; i++) { /* five standard errors */
            double p = exp((double)LOGITS[i] / (double)temperature) / sum;
            double got = (double)counts[i] / DRAWS;
            assert_true(fabs(got - p) < 5 * sqrt(p * (1 - p) / DRAWS) + 1e-4);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read_as_tasks),
        cmocka_unit_test(what_is_no_answer_says_why),
        cmocka_unit_test(built_in_prompts_are_as_a_file_has_them),
        cmocka_unit_test(sentences_end_where_they_do),
        cmocka_unit_test(sentences_answer_questions_by_their_form),
        cmocka_unit_test(tokens_are_drawn_as_softmax_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
