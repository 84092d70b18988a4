/* leak_shapes.c -- records of many shapes to passage, question and right answer.
 *
 * The names are those under which the field's data sets are published; what is under a
 * "doc" (lm-evaluation-harness's logged samples) is looked at as if it stood alone.  Where a
 * context begins with "Passage:" or "Context:" and goes on with "Question:" in a line of its
 * own, it is taken apart; a "Question:" in front, an "Answer:" behind and printed choices are
 * a prompt's, not the item's. */
#include "base/buf.h"
#include "base/json.h"
#include "leak/leak_items.h"

static const char *const PASSAGES[] = {"passage", "support", "article", "story", NULL};
static const char *const QUESTIONS[] = {
    "question",    "query",   "problem",  "prompt",      "goal",      "ctx",
    "instruction", "context", "sentence", "statement",   "premise",   "input",
    "good",        "text",    "content",  "raw_content", "sentence1", NULL};
static const char *const ANSWERS[] = {"answer",     "continuation", "target",  "answerKey",
                                      "label",      "gold",         "output",  "response",
                                      "completion", "solution",     "answers", "hypothesis",
                                      "correct",    "ending",       NULL};
static const char *const CHOICES[] = {"choices", "options", "endings", "mc1_targets", NULL};

static bool has_text(struct json_value v, struct str *out)
{
    if (json_as_str(v, out)) {
        *out = str_trim(*out);
        return out->len > 0;
    }
    return false;
}

/* The first of names that is a string with something in it. */
static bool first_text(struct json_value record, const char *const *names, struct str *out)
{
    for (size_t i = 0; names[i]; i++) {
        if (has_text(json_get(record, names[i]), out)) {
            return true;
        }
    }
    return false;
}

static bool item_of(struct json_value list, uint64_t at, struct str *out)
{
    struct json_iter it = json_walk(list);
    for (uint64_t i = 0; json_next(&it); i++) {
        if (i == at) {
            return has_text(it.value, out);
        }
    }
    return false;
}

/* The choices as an array of strings; those of ARC stand under "text" beside "label". */
static struct json_value choices_of(struct json_value record, struct json_value *labels)
{
    struct json_value none = {0};
    *labels = none;
    for (size_t i = 0; CHOICES[i]; i++) {
        struct json_value v = json_get(record, CHOICES[i]);
        if (json_kind(v) == JSON_OBJECT) {
            *labels = json_get(v, "label");
            v = json_get(v, "text");
        }
        if (json_kind(v) == JSON_ARRAY && json_count(v) > 0) {
            return v;
        }
    }
    return none;
}

/* Which choice a letter or number written as text names: "B", "2". */
static bool choice_number(struct str text, struct json_value labels, uint64_t *at)
{
    struct json_iter it = json_walk(labels);
    struct str label;
    for (uint64_t i = 0; json_next(&it); i++) {
        if (json_as_str(it.value, &label) && str_eq(label, text)) {
            *at = i;
            return true;
        }
    }
    if (text.len == 1 && text.ptr[0] >= 'A' && text.ptr[0] <= 'Z') {
        *at = (uint64_t)(text.ptr[0] - 'A');
        return true;
    }
    if (text.len == 1 && text.ptr[0] >= '0' && text.ptr[0] <= '9') {
        *at = (uint64_t)(text.ptr[0] - '0');
        return true;
    }
    return false;
}

/* The right answer: a choice by number or letter, or what is written. */
static bool find_answer(struct json_value record, struct str *out)
{
    struct json_value labels, choices = choices_of(record, &labels);
    for (size_t i = 0; ANSWERS[i]; i++) {
        struct json_value v = json_get(record, ANSWERS[i]);
        uint64_t at;
        if (json_as_u64(v, &at) && item_of(choices, at, out)) {
            return true;
        }
        if (json_kind(v) == JSON_ARRAY && item_of(v, 0, out)) {
            return true;
        }
        if (has_text(v, out)) {
            struct str chosen;
            if (choice_number(*out, labels, &at) && item_of(choices, at, &chosen)) {
                *out = chosen;
            }
            return true;
        }
    }
    return false;
}

/* Without a prompt's word in front. */
static bool strip_start(struct str *s, const char *word)
{
    if (!str_starts(*s, str_of(word))) {
        return false;
    }
    *s = str_trim(str_sub(*s, strlen(word), s->len));
    return true;
}

static void cut_at(struct str *s, const char *mark)
{
    size_t at = str_find(*s, str_of(mark));
    if (at != SIZE_MAX) {
        *s = str_trim(str_sub(*s, 0, at));
    }
}

/* "C" of choices that a prompt prints: "\nC. like a person". */
static void printed_choice(struct str prompt, struct str *answer)
{
    if (answer->len != 1 || answer->ptr[0] < 'A' || answer->ptr[0] > 'Z') {
        return;
    }
    const char mark[] = {'\n', answer->ptr[0], '.', ' '};
    size_t at = str_find(prompt, (struct str){mark, sizeof mark});
    struct str rest, line;
    if (at != SIZE_MAX) {
        rest = str_sub(prompt, at + sizeof mark, prompt.len);
        if (str_next_line(&rest, &line) && str_trim(line).len > 0) {
            *answer = str_trim(line);
        }
    }
}

/* Takes a prompt apart. */
static void split_prompt(struct leak_parts *p)
{
    struct str whole = p->question;
    if (p->passage.len == 0 &&
        (str_starts(whole, STR_LIT("Passage:")) || str_starts(whole, STR_LIT("Context:")))) {
        size_t at = str_find(whole, STR_LIT("\nQuestion:"));
        if (at != SIZE_MAX) {
            p->passage = str_trim(str_sub(whole, strlen("Passage:"), at));
            p->question = str_trim(str_sub(whole, at + 1, whole.len));
        }
    }
    printed_choice(whole, &p->answer);
    (void)(strip_start(&p->question, "Question:") || strip_start(&p->question, "Q:"));
    cut_at(&p->question, "\nChoices:");
    cut_at(&p->question, "\nAnswer:");
}

/* A sample that lm-evaluation-harness logged has its prompt under "arguments" where the data
 * set's own row is missing. */
static bool argument(struct json_value record, struct leak_parts *p)
{
    struct json_value v = json_get(record, "arguments");
    if (json_kind(v) == JSON_OBJECT) { /* {"gen_args_0": {"arg_0": ..., "arg_1": ...}} */
        struct json_iter it = json_walk(v);
        v = json_next(&it) ? it.value : v;
        (void)has_text(json_get(v, "arg_1"), &p->answer);
        return has_text(json_get(v, "arg_0"), &p->question);
    }
    struct json_iter it = json_walk(v);
    if (json_kind(v) == JSON_ARRAY && json_next(&it) && json_kind(it.value) == JSON_ARRAY) {
        (void)item_of(it.value, 1, &p->answer);
        return item_of(it.value, 0, &p->question);
    }
    return false;
}

/* Several contexts with one ending (Winograd's schemas). */
static bool schema(struct json_value record, struct buf *text, struct leak_parts *p)
{
    struct json_value list = json_get(record, "context_options");
    struct str context, ending;
    uint64_t gold = 0;
    (void)json_as_u64(json_get(record, "gold"), &gold);
    if (json_kind(list) != JSON_ARRAY || !item_of(list, gold, &context)) {
        return false;
    }
    buf_add_str(text, context);
    if (has_text(json_get(record, "continuation"), &ending)) {
        buf_add_char(text, ' ');
        buf_add_str(text, ending);
    }
    *p = (struct leak_parts){.question = buf_str(text)};
    return true;
}

bool leak_shape(struct json_value record, struct buf *text, struct leak_parts *parts)
{
    struct json_value doc = json_get(record, "doc");
    *parts = (struct leak_parts){0};
    buf_clear(text);
    bool inner = json_kind(doc) == JSON_OBJECT;
    struct json_value own = inner ? doc : record;
    if (schema(own, text, parts)) {
        return true;
    }
    bool found = first_text(own, QUESTIONS, &parts->question);
    if (found) {
        (void)first_text(own, PASSAGES, &parts->passage);
        struct str context; /* SQuAD's: a passage where there is a question beside it */
        if (parts->passage.len == 0 && has_text(json_get(own, "context"), &context) &&
            context.ptr != parts->question.ptr && has_text(json_get(own, "question"), &context)) {
            (void)has_text(json_get(own, "context"), &parts->passage);
        }
        (void)find_answer(own, &parts->answer);
    } else if (inner) {
        found = argument(record, parts);
    } else {
        found = argument(record, parts) || first_text(own, PASSAGES, &parts->question);
    }
    if (found && inner && parts->answer.len == 0) {
        (void)has_text(json_get(record, "target"), &parts->answer);
    }
    if (found) {
        split_prompt(parts);
    }
    return found && parts->question.len > 0;
}
