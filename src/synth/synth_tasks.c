/* synth_tasks.c -- see synth_tasks.h.
 *
 * Lines are looked at without the ornaments of Markdown around them.  A label begins a part,
 * which goes on to the next label; the first label that the kind wants begins the task, so that
 * a line like "Sure, here is one:" before it falls away. */
#include "synth/synth_tasks.h"

#include "base/utf8.h"

#include <ctype.h>

#define PROMPT_SHARE 4U  /* an answer that holds a quarter of its prompt's words in a row */
#define PROMPT_PART  24U /* bytes: less may be there by chance */
#define GAP_LEAST    3U  /* underscores */

/* ---- lines ---- */

static bool is_ornament(char c)
{
    return c == '*' || c == '#' || c == '>' || c == '`' || c == ' ' || c == '\t' || c == '\r';
}

static struct str bare(struct str line)
{
    while (line.len > 0 && is_ornament(line.ptr[0])) {
        line = str_sub(line, 1, line.len);
    }
    while (line.len > 0 && is_ornament(line.ptr[line.len - 1])) {
        line.len--;
    }
    return line;
}

static bool starts_with_word(struct str s, const char *word)
{
    size_t n = strlen(word);
    bool same = s.len >= n;
    for (size_t i = 0; i < n && same; i++) {
        same = tolower((unsigned char)s.ptr[i]) == word[i];
    }
    return same;
}

/* "Question: x", "**Question 2:** x": what is behind the label; false where there is none. */
static bool has_label(struct str line, const char *const labels[], struct str *rest)
{
    for (size_t i = 0; labels[i]; i++) {
        if (!starts_with_word(line, labels[i])) {
            continue;
        }
        size_t at = strlen(labels[i]);
        while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '*' ||
                                 isdigit((unsigned char)line.ptr[at]))) {
            at++;
        }
        if (at < line.len && line.ptr[at] == ':') {
            *rest = bare(str_sub(line, at + 1, line.len));
            return true;
        }
    }
    return false;
}

/* "A. x", "(b) x", "C) x", "D: x" */
static bool has_letter(struct str line, size_t *letter, struct str *rest)
{
    size_t at = line.len > 0 && line.ptr[0] == '(';
    if (line.len < at + 2) {
        return false;
    }
    int c = toupper((unsigned char)line.ptr[at]);
    char behind = line.ptr[at + 1];
    if (c < 'A' || c > 'Z' || (behind != '.' && behind != ')' && behind != ':')) {
        return false;
    }
    *letter = (size_t)(c - 'A');
    *rest = bare(str_sub(line, at + 2, line.len));
    return true;
}

/* ---- tasks ---- */

static const char *const QUESTION[] = {"question", "q", NULL};
static const char *const ANSWER[] = {"answer", "correct answer", "a", NULL};
static const char *const SUMMARY[] = {"summary", "in short", NULL};
static const char *const CLOZE[] = {"fill in the blank", "sentence", "cloze", "question", NULL};

/* Two views of one text, the second behind the first, as one. */
static void extend(struct str *part, struct str line)
{
    if (part->len == 0) {
        *part = line;
    } else if (line.len > 0) {
        part->len = (size_t)(line.ptr + line.len - part->ptr);
    }
}

static bool read_question(struct str text, struct synth_task *out)
{
    struct str rest = text, line, part;
    struct str *at = NULL;
    while (str_next_line(&rest, &line)) {
        line = bare(line);
        if (has_label(line, QUESTION, &part)) {
            if (out->question.len > 0) {
                return false; /* two of them */
            }
            at = &out->question;
            line = part;
        } else if (out->question.len > 0 && has_label(line, ANSWER, &part)) {
            if (out->answer.len > 0) {
                return false;
            }
            at = &out->answer;
            line = part;
        }
        if (at) {
            extend(at, line);
        }
    }
    return out->question.len > 0 && out->answer.len > 0;
}

/* "B", "B. text", "(B)"; or a choice's own text. */
static bool find_right(struct synth_task *t, struct str said)
{
    struct str rest;
    if (said.len == 1) {
        int c = toupper((unsigned char)said.ptr[0]);
        t->right = c >= 'A' ? (size_t)(c - 'A') : SYNTH_CHOICES_MAX;
        return t->right < t->choice_count;
    }
    if (has_letter(said, &t->right, &rest)) {
        return t->right < t->choice_count;
    }
    for (t->right = 0; t->right < t->choice_count; t->right++) {
        if (str_eq(said, t->choices[t->right])) {
            return true;
        }
    }
    return false;
}

static bool choices_differ(const struct synth_task *t)
{
    for (size_t i = 0; i < t->choice_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (t->choices[i].len == 0 || str_eq(t->choices[i], t->choices[k])) {
                return false;
            }
        }
    }
    return true;
}

static bool read_choice(struct str text, struct synth_task *out)
{
    struct str rest = text, line, part, said = {"", 0};
    size_t letter;
    bool in_question = false;
    while (str_next_line(&rest, &line) && said.len == 0) {
        line = bare(line);
        if (has_label(line, QUESTION, &part) && out->question.len == 0) {
            out->question = part;
            in_question = true;
        } else if (out->choice_count > 1 && has_label(line, ANSWER, &part)) {
            said = part;
        } else if (out->question.len > 0 && has_letter(line, &letter, &part)) {
            if (letter != out->choice_count || letter == SYNTH_CHOICES_MAX) {
                return false; /* out of order, or more than there may be */
            }
            out->choices[out->choice_count++] = part;
            in_question = false;
        } else if (in_question) {
            extend(&out->question, line);
        }
    }
    if (out->question.len == 0 || out->choice_count < 2 || !choices_differ(out) ||
        !find_right(out, said)) {
        return false;
    }
    out->answer = out->choices[out->right];
    return true;
}

/* Underscores in a row, of which there must be one run. */
static bool has_gap(struct str s, size_t *from, size_t *to)
{
    size_t gaps = 0;
    for (size_t i = 0; i < s.len; i++) {
        size_t n = 0;
        while (i + n < s.len && s.ptr[i + n] == '_') {
            n++;
        }
        if (n >= GAP_LEAST) {
            *from = i;
            *to = i + n;
            gaps++;
        }
        i += n;
    }
    return gaps == 1;
}

static bool read_cloze(struct str text, struct synth_task *out)
{
    struct str rest = text, line, part;
    size_t from, to;
    while (str_next_line(&rest, &line)) {
        line = bare(line);
        if (out->question.len > 0 && has_label(line, ANSWER, &part)) {
            out->answer = part;
            break;
        }
        if (has_gap(line, &from, &to)) {
            if (out->question.len > 0) {
                return false;
            }
            out->question = has_label(line, CLOZE, &part) ? part : line;
        }
    }
    return out->question.len > 0 && out->answer.len > 0 && has_gap(out->question, &from, &to) &&
           !has_gap(out->answer, &from, &to);
}

static bool read_summary(struct str text, struct synth_task *out)
{
    struct str rest = text, line, part;
    bool in = false;
    while (str_next_line(&rest, &line)) {
        line = bare(line);
        if (!in && has_label(line, SUMMARY, &part)) {
            in = true;
            line = part;
        }
        if (in) {
            extend(&out->answer, line);
        }
    }
    return out->answer.len > 0;
}

bool synth_task_read(enum synth_kind kind, struct str text, struct synth_task *out)
{
    *out = (struct synth_task){.question = {"", 0}, .answer = {"", 0}};
    switch (kind) {
    case SYNTH_QUESTION:
        return read_question(text, out);
    case SYNTH_CHOICE:
        return read_choice(text, out);
    case SYNTH_CLOZE:
        return read_cloze(text, out);
    case SYNTH_SUMMARY:
        return read_summary(text, out);
    case SYNTH_TEXT:
    case SYNTH_KINDS:
        break;
    }
    return false;
}

/* A part that went over several lines is one line of the form. */
static void add_line(struct buf *out, const char *label, struct str part)
{
    buf_add_text(out, label);
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        bool space = c == '\n' || c == '\r' || c == '\t' || c == ' ';
        if (!space) {
            buf_add_char(out, c);
        } else if (out->len > 0 && out->ptr[out->len - 1] != ' ') {
            buf_add_char(out, ' ');
        }
    }
}

void synth_task_write(enum synth_kind kind, const struct synth_task *task, struct buf *out)
{
    char letter[] = "\nA. ";
    if (kind == SYNTH_SUMMARY) {
        add_line(out, "Summary: ", task->answer);
        return;
    }
    add_line(out, kind == SYNTH_CLOZE ? "Fill in the blank: " : "Question: ", task->question);
    for (size_t i = 0; kind == SYNTH_CHOICE && i < task->choice_count; i++) {
        letter[1] = (char)('A' + (char)i);
        add_line(out, letter, task->choices[i]);
    }
    buf_add_text(out, "\nAnswer: ");
    if (kind == SYNTH_CHOICE) {
        letter[1] = (char)('A' + (char)task->right);
        buf_add_text(out, letter + 1);
    }
    add_line(out, "", task->answer);
}

/* ---- answers ---- */

/* How models say that they will not; at the start of an answer only. */
static bool is_excuse(struct str text)
{
    static const char *const STARTS[] = {
        "i'm sorry",   "i am sorry",       "sorry,",      "i cannot", "i can't",
        "i can not",   "i'm unable",       "i am unable", "as an ai", "as a language model",
        "i apologize", "unfortunately, i", NULL};
    struct buf plain = {0}; /* a typographic apostrophe is one, too */
    bool excuse = false;
    struct str start = str_sub(text, 0, text.len < 64 ? text.len : 64);
    for (size_t i = 0; i < start.len; i++) {
        if (str_starts(str_sub(start, i, start.len), STR_LIT("\xE2\x80\x99"))) {
            buf_add_char(&plain, '\'');
            i += 2;
        } else {
            buf_add_char(&plain, start.ptr[i]);
        }
    }
    for (size_t i = 0; STARTS[i] && !excuse; i++) {
        excuse = starts_with_word(buf_str(&plain), STARTS[i]);
    }
    buf_release(&plain);
    return excuse;
}

/* Whether the answer holds a quarter of the instruction, as it stands. */
static bool repeats_prompt(struct str instruction, struct str text)
{
    instruction = str_trim(instruction);
    size_t part = instruction.len / PROMPT_SHARE;
    part = part < PROMPT_PART ? PROMPT_PART : part;
    for (size_t at = 0; at + part <= instruction.len; at += part) {
        if (str_find(text, str_sub(instruction, at, at + part)) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

/* The rule by which the text is no answer to any prompt, or NULL. */
static const char *is_no_answer(const struct synth_prompt *p, enum synth_end end, struct str text)
{
    if (end == SYNTH_REFUSED || text.len == 0) {
        return end == SYNTH_REFUSED ? "answer.refused" : "answer.empty";
    }
    if (end != SYNTH_STOPPED) {
        return end == SYNTH_LOOPED ? "answer.loop" : "answer.cut";
    }
    if (is_excuse(text)) {
        return "answer.excuse";
    }
    return repeats_prompt(p->before, text) || repeats_prompt(p->after, text) ? "answer.prompt"
                                                                             : NULL;
}

const char *synth_answer_read(const struct synth_prompt *p, enum synth_end end, struct str text,
                              struct buf *out)
{
    struct synth_task task;
    struct buf mended = {0};
    (void)utf8_add_repaired(&mended, text);
    text = str_trim(buf_str(&mended));
    const char *rule = is_no_answer(p, end, text);
    bool is_task = !rule && p->kind != SYNTH_TEXT;
    if (is_task && !synth_task_read(p->kind, text, &task)) {
        rule = "answer.format";
    }
    if (is_task && !rule) {
        synth_task_write(p->kind, &task, out);
    } else {
        buf_add_str(out, text);
    }
    buf_release(&mended);
    return rule;
}
