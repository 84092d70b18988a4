/* synth_relations.c -- see synth_relations.h. */
#include "synth/synth_relations.h"

#include <assert.h>
#include <ctype.h>

#define SUBJECT_WORDS_MAX 8U
#define ANSWER_WORDS_MAX  25U

/* %: the subject.  keep: bytes of the words that belong to the answer ("a ..."). */
static const struct relation {
    const char *words;
    size_t keep;
    const char *ask, *ask_when;
    bool of; /* only of a subject like "The capital of Peru", "Ada's father" */
} RELATIONS[] = {
    {" was born in ", 0, "Where was % born?", "When was % born?", false},
    {" was born on ", 0, "When was % born?", NULL, false},
    {" died in ", 0, "Where did % die?", "When did % die?", false},
    {" lives in ", 0, "Where does % live?", NULL, false},
    {" lived in ", 0, "Where did % live?", NULL, false},
    {" works as ", 0, "What does % work as?", NULL, false},
    {" worked as ", 0, "What did % work as?", NULL, false},
    {" works in ", 0, "Where does % work?", NULL, false},
    {" works for ", 0, "For whom does % work?", NULL, false},
    {" is married to ", 0, "To whom is % married?", NULL, false},
    {" speaks ", 0, "What does % speak?", NULL, false},
    {" likes ", 0, "What does % like?", NULL, false},
    {" studied ", 0, "What did % study?", NULL, false},
    {" plays ", 0, "What does % play?", NULL, false},
    {" was founded in ", 0, "Where was % founded?", "When was % founded?", false},
    {" was founded by ", 0, "Who founded %?", NULL, false},
    {" was built in ", 0, "Where was % built?", "When was % built?", false},
    {" was built by ", 0, "Who built %?", NULL, false},
    {" was written by ", 0, "Who wrote %?", NULL, false},
    {" was discovered by ", 0, "Who discovered %?", NULL, false},
    {" was invented by ", 0, "Who invented %?", NULL, false},
    {" was published in ", 0, "Where was % published?", "When was % published?", false},
    {" is located in ", 0, "Where is % located?", NULL, false},
    {" is situated in ", 0, "Where is % situated?", NULL, false},
    {" lies in ", 0, "Where does % lie?", NULL, false},
    {" is made of ", 0, "What is % made of?", NULL, false},
    {" consists of ", 0, "What does % consist of?", NULL, false},
    {" consist of ", 0, "What do % consist of?", NULL, false},
    {" contains ", 0, "What does % contain?", NULL, false},
    {" belongs to ", 0, "To what does % belong?", NULL, false},
    {" is known for ", 0, "What is % known for?", NULL, false},
    {" is known as ", 0, "What is % known as?", NULL, false},
    {" is called ", 0, "What is % called?", NULL, false},
    {" is used to ", 3, "What is % used for?", NULL, false},
    {" is used for ", 0, "What is % used for?", NULL, false},
    {" are used to ", 3, "What are % used for?", NULL, false},
    {" are used for ", 0, "What are % used for?", NULL, false},
    {" refers to ", 0, "What does % refer to?", NULL, false},
    {" means ", 0, "What does % mean?", NULL, false},
    {" is a ", 2, "What is %?", NULL, false},
    {" is an ", 3, "What is %?", NULL, false},
    {" is the ", 4, "What is %?", NULL, false},
    {" is one of ", 7, "What is %?", NULL, false},
    {" was a ", 2, "What was %?", NULL, false},
    {" was an ", 3, "What was %?", NULL, false},
    {" was the ", 4, "What was %?", NULL, false},
    {" are the ", 4, "What are %?", NULL, false},
    {" is ", 0, "What is %?", NULL, true},
    {" was ", 0, "What was %?", NULL, true},
    {" are ", 0, "What are %?", NULL, true},
};

#define RELATION_COUNT (sizeof RELATIONS / sizeof *RELATIONS)
static_assert(RELATION_COUNT <= SYNTH_RELATIONS_MAX, "facts name rows by small numbers");

static size_t count_words(struct str s)
{
    size_t words = 0;
    for (size_t i = 0; i < s.len; i++) {
        words += s.ptr[i] != ' ' && (i == 0 || s.ptr[i - 1] == ' ');
    }
    return words;
}

static bool is_one_of(struct str word, const char *const list[])
{
    for (size_t i = 0; list[i]; i++) {
        if (str_is(word, list[i])) {
            return true;
        }
    }
    return false;
}

/* Subjects whose last word points at what stands elsewhere. */
static bool points_elsewhere(struct str subject)
{
    static const char *const LIST[] = {
        "following", "former", "latter",    "result",  "reason", "name",  "term",
        "problem",   "answer", "first",     "second",  "last",   "other", "idea",
        "aim",       "goal",   "exception", "example", "same",   "only",  "others",
        "book",      "film",   "city",      "company", NULL};
    size_t from = subject.len;
    while (from > 0 && subject.ptr[from - 1] != ' ') {
        from--;
    }
    return is_one_of(str_sub(subject, from, subject.len), LIST);
}

/* Words that point at another sentence, or begin a clause. */
static bool says_nothing_alone(struct str word)
{
    static const char *const LIST[] = {
        "It",    "This",  "That",  "These",    "Those",  "He",      "She",   "They",  "We",
        "I",     "You",   "There", "Here",     "What",   "Who",     "Which", "When",  "Where",
        "Why",   "How",   "If",    "Although", "While",  "In",      "On",    "At",    "As",
        "For",   "But",   "And",   "Or",       "So",     "Because", "Since", "After", "Before",
        "One",   "Some",  "Many",  "Most",     "All",    "Both",    "Each",  "Such",  "Another",
        "Other", "His",   "Her",   "Its",      "Their",  "Our",     "My",    "Your",  "By",
        "With",  "From",  "To",    "No",       "Not",    "Then",    "Now",   "Also",  "However",
        "Every", "Under", "Of",    "Until",    "Though", "Whether", "Today", NULL};
    return is_one_of(word, LIST);
}

/* A clause of its own, not only what it is about. */
static bool has_verb(struct str s)
{
    static const char *const LIST[] = {" is ",   " are ",   " was ", " were ", " has ", " have ",
                                       " that ", " which ", " who ", " had ",  NULL};
    for (size_t i = 0; LIST[i]; i++) {
        if (str_find(s, str_of(LIST[i])) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

static bool is_subject(struct str s)
{
    size_t first = 0;
    while (first < s.len && s.ptr[first] != ' ') {
        first++;
    }
    unsigned char c = s.len > 0 ? (unsigned char)s.ptr[0] : 0;
    if (!(isupper(c) || isdigit(c) || c >= 0x80) || says_nothing_alone(str_sub(s, 0, first)) ||
        points_elsewhere(s) || count_words(s) > SUBJECT_WORDS_MAX) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (strchr(",;:()\"", s.ptr[i])) {
            return false;
        }
    }
    return !has_verb(s);
}

static bool has_owner(struct str subject)
{
    return (str_starts(subject, STR_LIT("The ")) &&
            str_find(subject, STR_LIT(" of ")) != SIZE_MAX) ||
           str_find(subject, STR_LIT("'s ")) != SIZE_MAX;
}

static bool begins_with_time(struct str answer)
{
    static const char *const MONTHS[] = {"January",  "February", "March",  "April",     "May",
                                         "June",     "July",     "August", "September", "October",
                                         "November", "December", NULL};
    size_t first = 0;
    while (first < answer.len && answer.ptr[first] != ' ' && answer.ptr[first] != ',') {
        first++;
    }
    return (answer.len > 0 && isdigit((unsigned char)answer.ptr[0])) ||
           is_one_of(str_sub(answer, 0, first), MONTHS);
}

static struct str without_stop(struct str s)
{
    while (s.len > 0 && strchr(".! ", s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

/* What was cut off in the middle, or only leads to what follows, answers nothing. */
static bool is_answer(struct str s)
{
    long open = 0;
    size_t quotes = 0;
    for (size_t i = 0; i < s.len && open >= 0; i++) {
        open += s.ptr[i] == '(' || s.ptr[i] == '[';
        open -= s.ptr[i] == ')' || s.ptr[i] == ']';
        quotes += s.ptr[i] == '"';
    }
    return open == 0 && quotes % 2 == 0 && s.len > 0 && !strchr(":;,", s.ptr[s.len - 1]);
}

/* "located ...", "often ...": goes on with the verb and names nothing. */
static bool goes_on(struct str answer)
{
    static const char *const LIST[] = {"not",   "also",  "still",     "often", "usually", "now",
                                       "only",  "very",  "generally", "known", "more",    "less",
                                       "often", "found", "made",      "both",  NULL};
    size_t first = 0;
    while (first < answer.len && answer.ptr[first] != ' ') {
        first++;
    }
    struct str word = str_sub(answer, 0, first);
    return is_one_of(word, LIST) || (str_ends(word, STR_LIT("ed")) && first < answer.len) ||
           (str_ends(word, STR_LIT("ing")) && first < answer.len);
}

static bool fits(struct str sentence, size_t row, struct synth_fact *out)
{
    const struct relation *r = &RELATIONS[row];
    size_t at = str_find(sentence, str_of(r->words));
    if (at == SIZE_MAX || at == 0) {
        return false;
    }
    size_t behind = at + strlen(r->words);
    struct str subject = str_sub(sentence, 0, at);
    struct str answer = without_stop(str_sub(sentence, behind - r->keep, sentence.len));
    size_t words = count_words(answer);
    if (!is_subject(subject) || (r->of && (!has_owner(subject) || goes_on(answer))) || words == 0 ||
        answer.len <= r->keep || words > ANSWER_WORDS_MAX || !is_answer(answer)) {
        return false;
    }
    bool when = r->ask_when && begins_with_time(answer);
    *out = (struct synth_fact){row, subject, answer, words, when};
    return true;
}

bool synth_relation_find(struct str sentence, struct synth_fact *out)
{
    if (sentence.len == 0 || sentence.ptr[sentence.len - 1] == '?') {
        return false;
    }
    for (size_t row = 0; row < RELATION_COUNT; row++) {
        if (fits(sentence, row, out)) {
            return true;
        }
    }
    return false;
}

void synth_relation_ask(const struct synth_fact *f, struct buf *out)
{
    static const char *const ARTICLES[] = {"The ", "A ", "An ", NULL};
    const struct relation *r = &RELATIONS[f->relation];
    for (const char *c = f->when ? r->ask_when : r->ask; *c; c++) {
        if (*c != '%') {
            buf_add_char(out, *c);
            continue;
        }
        size_t at = out->len;
        buf_add_str(out, f->subject);
        for (size_t i = 0; ARTICLES[i]; i++) {
            if (str_starts(f->subject, str_of(ARTICLES[i]))) {
                out->ptr[at] = (char)tolower((unsigned char)out->ptr[at]);
            }
        }
    }
}
