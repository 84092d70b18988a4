/* synth_templates.c -- see synth_templates.h.
 *
 * Each template goes over the seed's sentences from one that the draw names, around the end, and
 * takes the first that fits.  Nothing else is left to chance, so a seed, a draw and what was
 * learned decide every byte. */
#include "synth/synth_templates.h"

#include "base/mem.h"
#include "base/rng.h"
#include "synth/synth_learn.h"
#include "synth/synth_tasks.h"

#include <ctype.h>

#define CLOZE_WORDS_MIN   7U
#define CLOZE_WORDS_MAX   40U
#define PASSAGE_SENTENCES 6U
#define LEAD_WITHIN       5U
#define LEAD_WORDS_MIN    6U
#define LEAD_WORDS_MAX    60U
#define DISTRACTORS       3U
#define TRIES             8U
#define OFFERED           12U
#define NOTES_A_SEED      2U
#define NOTES_LEAST       3U

struct synth_templates {
    const struct synth_seeds *seeds;
    struct synth_learned learned;
};

struct synth_template_scratch {
    struct synth_seed_reader reader, mate;
    struct synth_sentences sentences, mate_sentences;
    struct synth_words words;
    struct buf question, topic;
};

winnow_status synth_templates_new(const struct synth_seeds *seeds, struct pool *pool,
                                  const struct winnow_env *env, struct synth_templates **out,
                                  struct winnow_error *err)
{
    struct synth_templates *t = mem_zalloc(sizeof *t);
    *out = t;
    t->seeds = seeds;
    return synth_learn(seeds, pool, env, &t->learned, err);
}

void synth_templates_free(struct synth_templates *t)
{
    if (t) {
        synth_learned_release(&t->learned);
        mem_free(t);
    }
}

uint64_t synth_templates_memory(uint64_t seeds)
{
    return synth_learn_memory(seeds);
}

struct synth_template_scratch *synth_template_scratch_new(void)
{
    return mem_zalloc(sizeof(struct synth_template_scratch));
}

void synth_template_scratch_free(struct synth_template_scratch *s)
{
    if (!s) {
        return;
    }
    synth_seed_reader_release(&s->reader);
    synth_seed_reader_release(&s->mate);
    synth_sentences_release(&s->sentences);
    synth_sentences_release(&s->mate_sentences);
    synth_words_release(&s->words);
    buf_release(&s->question);
    buf_release(&s->topic);
    mem_free(s);
}

struct rendering {
    const struct synth_templates *t;
    struct synth_template_scratch *s;
    struct synth_seed seed;
    size_t number;
    uint64_t draw;
    struct synth_rendering *out;
};

/* The i-th sentence from the one that the draw names. */
static struct str sentence_at(const struct rendering *r, size_t i)
{
    size_t n = r->s->sentences.count;
    return r->s->sentences.items[(r->draw % n + i) % n];
}

/* ---- gaps ---- */

static size_t times_in(const struct synth_words *words, uint64_t hash)
{
    size_t times = 0;
    for (size_t i = 0; i < words->count; i++) {
        times += words->items[i].hash == hash;
    }
    return times;
}

static bool ends_like_sentence(struct str s)
{
    return s.len > 0 && strchr(".!", s.ptr[s.len - 1]) && s.ptr[s.len - 1] != '\0';
}

/* Whether the word's bytes stand in the sentence once only, as a part of another word, too. */
static bool stands_once(struct str sentence, struct str word)
{
    size_t at = str_find(sentence, word);
    struct str behind = str_sub(sentence, at + word.len, sentence.len);
    return str_find(behind, word) == SIZE_MAX;
}

/* The rarest word of the sentence that stands in it once; it belongs to s->words. */
static const struct synth_word *gap_in(struct rendering *r, struct str sentence)
{
    const struct synth_learned *l = &r->t->learned;
    struct synth_words *words = &r->s->words;
    const struct synth_word *best = NULL;
    synth_words_split(words, sentence);
    if (words->count < CLOZE_WORDS_MIN || words->count > CLOZE_WORDS_MAX ||
        !ends_like_sentence(sentence) || str_find(sentence, STR_LIT("___")) != SIZE_MAX) {
        return NULL;
    }
    for (size_t i = 1; i < words->count; i++) {
        const struct synth_word *w = &words->items[i];
        if (synth_is_telling(l, w) && times_in(words, w->hash) == 1 &&
            stands_once(sentence, w->text) &&
            (!best || synth_rarity(l, w->hash) > synth_rarity(l, best->hash))) {
            best = w;
        }
    }
    return best;
}

/* The sentence with a gap into s->question. */
static void write_gap(struct rendering *r, struct str sentence, struct str word)
{
    struct buf *q = &r->s->question;
    size_t at = (size_t)(word.ptr - sentence.ptr);
    buf_clear(q);
    buf_add_str(q, str_sub(sentence, 0, at));
    buf_add_text(q, "____");
    buf_add_str(q, str_sub(sentence, at + word.len, sentence.len));
}

static bool write_cloze(struct rendering *r)
{
    for (size_t i = 0; i < r->s->sentences.count; i++) {
        struct str sentence = sentence_at(r, i);
        const struct synth_word *gap = gap_in(r, sentence);
        if (gap) {
            write_gap(r, sentence, gap->text);
            const struct synth_task task = {.question = buf_str(&r->s->question),
                                            .answer = gap->text};
            synth_task_write(SYNTH_CLOZE, &task, &r->out->text);
            return true;
        }
    }
    return false;
}

/* ---- questions ---- */

/* The answer as a sentence begins and ends: "A small river." */
static void add_answer(struct buf *out, struct str answer)
{
    size_t at = out->len;
    buf_add_str(out, answer);
    if (answer.len > 0) {
        out->ptr[at] = (char)toupper((unsigned char)out->ptr[at]);
    }
    buf_add_char(out, '.');
}

static bool find_fact(const struct rendering *r, size_t *from, struct synth_fact *fact)
{
    for (; *from < r->s->sentences.count; (*from)++) {
        if (synth_relation_find(sentence_at(r, *from), fact)) {
            return true;
        }
    }
    return false;
}

static bool write_question(struct rendering *r)
{
    struct synth_fact fact;
    size_t from = 0;
    if (!find_fact(r, &from, &fact)) {
        return false;
    }
    buf_clear(&r->s->question);
    synth_relation_ask(&fact, &r->s->question);
    size_t answer = r->s->question.len;
    add_answer(&r->s->question, fact.answer);
    struct str both = buf_str(&r->s->question);
    const struct synth_task task = {.question = str_sub(both, 0, answer),
                                    .answer = str_sub(both, answer, both.len)};
    synth_task_write(SYNTH_QUESTION, &task, &r->out->text);
    return true;
}

/* ---- choices ---- */

/* Whether text could stand for the right answer without being one: not in the seed, not among
 * the choices, and not one of these but for case. */
static bool is_distractor(const struct rendering *r, const struct synth_task *task, struct str text)
{
    if (str_find(r->seed.text, text) != SIZE_MAX) {
        return false;
    }
    for (size_t i = 0; i < task->choice_count; i++) {
        struct str other = task->choices[i];
        bool same = other.len == text.len;
        for (size_t k = 0; k < text.len && same; k++) {
            same = tolower((unsigned char)other.ptr[k]) == tolower((unsigned char)text.ptr[k]);
        }
        if (same) {
            return false;
        }
    }
    return true;
}

/* How alike two words look: those that end alike mostly are of one kind. */
static size_t likeness(struct str a, struct str b)
{
    size_t same = 0;
    while (same < 3 && same < a.len && same < b.len &&
           a.ptr[a.len - 1 - same] == b.ptr[b.len - 1 - same]) {
        same++;
    }
    size_t apart = a.len > b.len ? a.len - b.len : b.len - a.len;
    return 8 * same + (apart < 8 ? 8 - apart : 0);
}

/* The likest to the right one of some that the draw offers; len 0: none will do. */
static struct str draw_distractor(const struct rendering *r, const struct synth_stock *stock,
                                  const struct synth_task *task, struct rng *rng)
{
    struct str best = {"", 0};
    for (size_t i = 0; i < OFFERED; i++) {
        struct str text = stock->items[rng_below(rng, stock->count)];
        bool better =
            best.len == 0 || likeness(text, task->choices[0]) > likeness(best, task->choices[0]);
        if (better && is_distractor(r, task, text)) {
            best = text;
        }
    }
    return best;
}

/* The right answer and three others, in an order of the draw's. */
static bool choose(struct rendering *r, const struct synth_stock *stock, struct str right,
                   struct synth_task *task)
{
    struct rng rng;
    rng_init(&rng, r->draw, "choices");
    task->choices[task->choice_count++] = right;
    for (size_t i = 0; i < TRIES && task->choice_count <= DISTRACTORS && stock->count > 0; i++) {
        struct str text = draw_distractor(r, stock, task, &rng);
        if (text.len > 0) {
            task->choices[task->choice_count++] = text;
        }
    }
    if (task->choice_count <= DISTRACTORS) {
        return false;
    }
    task->right = (size_t)rng_below(&rng, task->choice_count);
    task->choices[0] = task->choices[task->right];
    task->choices[task->right] = right;
    task->answer = right;
    return true;
}

static bool choose_answer(struct rendering *r)
{
    struct synth_fact fact;
    for (size_t from = 0; find_fact(r, &from, &fact); from++) {
        struct synth_task task = {.question = {"", 0}};
        size_t stock = synth_stock_of(&fact);
        if (stock == SIZE_MAX || !choose(r, &r->t->learned.answers[stock], fact.answer, &task)) {
            continue;
        }
        buf_clear(&r->s->question);
        synth_relation_ask(&fact, &r->s->question);
        task.question = buf_str(&r->s->question);
        synth_task_write(SYNTH_CHOICE, &task, &r->out->text);
        return true;
    }
    return false;
}

static bool choose_word(struct rendering *r)
{
    for (size_t i = 0; i < r->s->sentences.count; i++) {
        struct synth_task task = {.question = {"", 0}};
        struct str sentence = sentence_at(r, i);
        const struct synth_word *gap = gap_in(r, sentence);
        if (gap && choose(r, &r->t->learned.words[gap->shape], gap->text, &task)) {
            struct buf asked = {0};
            write_gap(r, sentence, gap->text);
            buf_add_text(&asked, "Which word is missing? ");
            buf_add_str(&asked, buf_str(&r->s->question));
            task.question = buf_str(&asked);
            synth_task_write(SYNTH_CHOICE, &task, &r->out->text);
            buf_release(&asked);
            return true;
        }
    }
    return false;
}

/* ---- summaries ---- */

/* The first sentence that could be one: titles and the like come before it. */
static size_t find_lead(struct rendering *r)
{
    const struct synth_sentences *s = &r->s->sentences;
    for (size_t i = 0; i < s->count && i < LEAD_WITHIN; i++) {
        synth_words_split(&r->s->words, s->items[i]);
        size_t words = r->s->words.count;
        if (words >= LEAD_WORDS_MIN && words <= LEAD_WORDS_MAX && ends_like_sentence(s->items[i])) {
            return i;
        }
    }
    return SIZE_MAX;
}

static bool write_summary(struct rendering *r)
{
    const struct synth_sentences *s = &r->s->sentences;
    size_t lead = find_lead(r);
    if (lead == SIZE_MAX || s->count < lead + 3) {
        return false;
    }
    for (size_t i = lead + 1; i < s->count && i <= lead + PASSAGE_SENTENCES; i++) {
        buf_add_text(&r->out->passage, i > lead + 1 ? " " : "");
        buf_add_str(&r->out->passage, s->items[i]);
    }
    const struct synth_task task = {.question = {"", 0}, .answer = s->items[lead]};
    synth_task_write(SYNTH_SUMMARY, &task, &r->out->text);
    return true;
}

/* ---- texts ---- */

/* Where the seeds of its topic begin. */
static size_t first_of_topic(const struct synth_learned *l, uint64_t topic)
{
    size_t low = 0, high = l->seeds;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (l->topics[middle].topic < topic) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Up to so many others of the seed's topic, behind its own place and around the end. */
static size_t find_mates(const struct rendering *r, uint32_t *mates)
{
    const struct synth_learned *l = &r->t->learned;
    uint64_t topic = l->topic_of[r->number];
    size_t from = first_of_topic(l, topic), to = from, own = from, count = 0;
    while (to < l->seeds && l->topics[to].topic == topic) {
        own = l->topics[to].seed == r->number ? to : own;
        to++;
    }
    for (size_t i = 1; i < to - from && count < SYNTH_MATES_MAX; i++) {
        mates[count++] = l->topics[from + (own - from + i) % (to - from)].seed;
    }
    return count;
}

/* Up to two sentences that hold the word, as notes. */
static size_t add_notes(struct rendering *r, const struct synth_sentences *sentences, uint64_t word,
                        bool as_list)
{
    size_t notes = 0;
    for (size_t i = 0; i < sentences->count && notes < NOTES_A_SEED; i++) {
        synth_words_split(&r->s->words, sentences->items[i]);
        if (times_in(&r->s->words, word) > 0 && ends_like_sentence(sentences->items[i])) {
            buf_add_text(&r->out->text, as_list ? "\n- " : notes > 0 ? " " : "\n\n");
            buf_add_str(&r->out->text, sentences->items[i]);
            notes++;
        }
    }
    return notes;
}

static winnow_status write_notes(struct rendering *r, bool *fits, struct winnow_error *err)
{
    static const char *const HEADS[] = {"What there is to know about ", "Notes on ", "On "};
    const struct synth_learned *l = &r->t->learned;
    struct synth_template_scratch *s = r->s;
    synth_words_split(&s->words, r->seed.text);
    const struct synth_word *topic = synth_topic_word(l, &s->words);
    size_t count = l->topic_of[r->number] != 0 ? find_mates(r, r->out->mates) : 0;
    *fits = false;
    if (!topic || count == 0) {
        return WINNOW_OK;
    }
    uint64_t word = topic->hash;
    bool as_list = r->draw >> 8 & 1;
    buf_add_text(&r->out->text, HEADS[r->draw % (sizeof HEADS / sizeof *HEADS)]);
    buf_add_str(&r->out->text, topic->text);
    buf_add_text(&r->out->text, as_list ? ":\n" : "");
    size_t notes = add_notes(r, &s->sentences, word, as_list), sources = notes > 0;
    for (size_t i = 0; i < count; i++) {
        struct synth_seed mate;
        TRY(synth_seeds_read(r->t->seeds, r->out->mates[i], &s->mate, &mate, err));
        synth_sentences_split(&s->mate_sentences, mate.text);
        size_t more = add_notes(r, &s->mate_sentences, word, as_list);
        r->out->mates[r->out->mate_count] = r->out->mates[i];
        r->out->mate_count += more > 0;
        sources += more > 0;
        notes += more;
    }
    *fits = sources > 1 && notes >= NOTES_LEAST;
    return WINNOW_OK;
}

/* ---- all ---- */

static bool write_task(struct rendering *r, enum synth_kind kind)
{
    switch (kind) {
    case SYNTH_QUESTION:
        return write_question(r);
    case SYNTH_CHOICE:
        return choose_answer(r) || choose_word(r);
    case SYNTH_CLOZE:
        return write_cloze(r);
    case SYNTH_SUMMARY:
        return write_summary(r);
    case SYNTH_TEXT:
    case SYNTH_KINDS:
        break;
    }
    return false;
}

winnow_status synth_template_write(const struct synth_templates *t,
                                   struct synth_template_scratch *s,
                                   const struct synth_template_ask *ask,
                                   struct synth_rendering *out, bool *fits,
                                   struct winnow_error *err)
{
    struct rendering r = {.t = t, .s = s, .number = ask->seed, .draw = ask->draw, .out = out};
    buf_clear(&out->text);
    buf_clear(&out->passage);
    out->mate_count = 0;
    *fits = false;
    TRY(synth_seeds_read(t->seeds, ask->seed, &s->reader, &r.seed, err));
    synth_sentences_split(&s->sentences, r.seed.text);
    if (s->sentences.count == 0) {
        return WINNOW_OK;
    }
    if (ask->kind == SYNTH_TEXT) {
        return write_notes(&r, fits, err);
    }
    *fits = write_task(&r, ask->kind);
    return WINNOW_OK;
}
