/* test_leak.c -- words, shapes of records, and each rule against a plain twin of it that
 * compares every item with every place of a text, word by word. */
#include "base/json.h"
#include "base/rng.h"
#include "check.h"
#include "leak/leak_cut.h"
#include "leak/leak_test.h"
#include "random_text.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- words ---- */

static void assert_same_words(const char *a, const char *b)
{
    struct leak_words x = {0}, y = {0};
    struct winnow_error err;
    assert_ok(leak_words_split(&x, str_of(a), &err), err);
    assert_ok(leak_words_split(&y, str_of(b), &err), err);
    if (x.count != y.count) {
        fail_msg("'%s' has %zu words, '%s' %zu", a, x.count, b, y.count);
    }
    for (size_t i = 0; i < x.count; i++) {
        if (x.items[i].hash != y.items[i].hash) {
            fail_msg("'%s' and '%s' differ in word %zu", a, b, i);
        }
    }
    leak_words_release(&x);
    leak_words_release(&y);
}

static size_t count_words(const char *text)
{
    struct leak_words w = {0};
    struct winnow_error err;
    assert_ok(leak_words_split(&w, str_of(text), &err), err);
    size_t count = w.count;
    leak_words_release(&w);
    return count;
}

static void words_do_not_depend_on_case_accents_marks_and_punctuation(void **state)
{
    (void)state;
    assert_same_words("The  QUICK, brown-fox (jumped)!", "the quick brown fox jumped");
    assert_same_words("don't \xE2\x80\x99tis Bob\xE2\x80\x99s", "dont tis bobs");
    assert_same_words("\xC3\x89t\xC3\xA9 na\xC3\xAFve", "ete naive");
    assert_same_words("e\xCC\x81t\xC3\xA9", "ete");                   /* decomposed, composed */
    assert_same_words("\xEF\xBC\xA1\xEF\xBC\xA2\xEF\xBC\x91", "ab1"); /* full width */
    assert_same_words("Stra\xC3\x9F"
                      "e \xEF\xAC\x81ne \xE2\x85\xA8",
                      "strasse fine ix");
    assert_same_words("a\xC2\xA0"
                      "b\xE2\x80\x94"
                      "c\xE2\x80\xA6 3.14",
                      "a b c 3 14");
    assert_same_words("soft\xC2\xADhyphen", "softhyphen");
    assert_same_words("\xCE\xA3\xCE\x91\xCE\xA3", "\xCF\x83\xCE\xB1\xCF\x82"); /* final sigma */
}

static void code_points_of_scripts_without_spaces_are_words(void **state)
{
    (void)state;
    assert_int_equal(count_words("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E"), 3);
    assert_int_equal(count_words("ab\xE6\x97\xA5"
                                 "cd"),
                     3);
    assert_int_equal(count_words("\xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4 \xEB\xA7\x90"),
                     2); /* Hangul */
    assert_int_equal(count_words("..., --- \xE2\x80\x94 \xF0\x9F\x98\x80"), 0);
    assert_int_equal(count_words(""), 0);
}

static void words_lie_in_the_text_in_order(void **state)
{
    (void)state;
    struct leak_words w = {0};
    struct winnow_error err;
    struct buf text = {0};
    struct rng r;
    rng_init(&r, 1, "words");
    for (int round = 0; round < 300; round++) {
        random_text(&r, 60, &text);
        assert_ok(leak_words_split(&w, buf_str(&text), &err), err);
        for (size_t i = 0; i < w.count; i++) {
            assert_true(w.items[i].start < w.items[i].end && w.items[i].end <= text.len);
            assert_true(i == 0 || w.items[i].start >= w.items[i - 1].start);
        }
    }
    buf_release(&text);
    leak_words_release(&w);
}

/* ---- shapes ---- */

static void assert_shape(const char *json, const char *passage, const char *question,
                         const char *answer)
{
    struct json_parser *parser = json_parser_new();
    struct json_value record;
    struct winnow_error err;
    struct buf text = {0};
    struct leak_parts p;
    assert_ok(json_parse(parser, str_of(json), &record, &err), err);
    assert_true(leak_shape(record, &text, &p));
    assert_str(p.passage, passage);
    assert_str(p.question, question);
    assert_str(p.answer, answer);
    buf_release(&text);
    json_parser_free(parser);
}

static void records_of_all_task_shapes_are_taken_apart(void **state)
{
    (void)state;
    assert_shape("{\"task\":\"boolq\",\"kind\":\"mc\",\"context\":\"Passage: All of it.\\n"
                 "Question: is it?\",\"choices\":[\"no\",\"yes\"],\"gold\":1}",
                 "All of it.", "is it?", "yes");
    assert_shape(
        "{\"task\":\"arc_easy\",\"kind\":\"mc\",\"context\":\"Question: Why?\",\"choices\":"
        "[\"a\",\"b c\"],\"gold\":1}",
        "", "Why?", "b c");
    assert_shape("{\"task\":\"siqa\",\"kind\":\"mc\",\"context\":\"Context: He left.\\nQuestion: "
                 "How?\\nChoices:\\nA. by bus\\nB. on foot\\nAnswer:\",\"choices\":[\"A\",\"B\"],"
                 "\"gold\":1}",
                 "He left.", "How?", "on foot");
    assert_shape("{\"task\":\"blimp\",\"good\":\"Who left?\",\"bad\":\"Who leave?\"}", "",
                 "Who left?", "");
    assert_shape("{\"task\":\"lambada\",\"kind\":\"cloze\",\"context\":\"In the\",\"continuation\":"
                 "\"end\"}",
                 "", "In the", "end");
    assert_shape("{\"task\":\"wsc\",\"kind\":\"schema\",\"context_options\":[\"x was\",\"y was\"],"
                 "\"continuation\":\"tall\",\"gold\":1}",
                 "", "y was tall", "");
    assert_shape("{\"task\":\"gsm8k\",\"kind\":\"qa\",\"context\":\"How many?\",\"answer\":\"18\"}",
                 "", "How many?", "18");
}

static void rows_of_published_data_sets_and_logged_samples_are_read(void **state)
{
    (void)state;
    assert_shape(
        "{\"question\":\"Why?\",\"choices\":{\"text\":[\"x\",\"y\"],\"label\":[\"1\",\"2\"]},"
        "\"answerKey\":\"2\"}",
        "", "Why?", "y");
    assert_shape("{\"question\":\"Why?\",\"choices\":[\"x\",\"y\"],\"answer\":1}", "", "Why?", "y");
    assert_shape("{\"question\":\"Why?\",\"choices\":[\"x\",\"y\"],\"answer\":\"B\"}", "", "Why?",
                 "y");
    assert_shape("{\"question\":\"Who?\",\"context\":\"A text.\",\"answers\":[\"he\"]}", "A text.",
                 "Who?", "he");
    assert_shape("{\"ctx\":\"A man\",\"endings\":[\"sits\",\"runs\"],\"label\":\"1\"}", "", "A man",
                 "runs");
    assert_shape(
        "{\"doc_id\":3,\"doc\":{\"question\":\"Why?\",\"answer\":\"so\"},\"target\":\"t\"}", "",
        "Why?", "so");
    assert_shape("{\"doc_id\":3,\"doc\":{\"question\":\"Why?\"},\"target\":\" yes\"}", "", "Why?",
                 "yes");
    assert_shape(
        "{\"doc_id\":3,\"arguments\":[[\"Q: Why?\\nAnswer:\",\" so\"],[\"Q: Why?\",\"no\"]]}", "",
        "Why?", "so");
    assert_shape("{\"arguments\":{\"gen_args_0\":{\"arg_0\":\"Question: Why?\",\"arg_1\":\"so\"}}}",
                 "", "Why?", "so");
    assert_shape("{\"text\":\"Only text.\"}", "", "Only text.", "");
}

static void plain_text_is_items_by_paragraph_and_what_is_the_same_is_one(void **state)
{
    (void)state;
    struct leak_set set = {0};
    struct winnow_error err;
    uint64_t added;
    const char *text = "one two three four five\nsix seven eight\n\n\nshort one\n\n"
                       "One, two: three FOUR five six seven eight.\n\nthe the the the the the the "
                       "the the the\n";
    assert_ok(leak_set_add_text(&set, "plain", str_of(text), 8, &added, &err), err);
    assert_int_equal(added, 4);
    assert_int_equal(set.count, 1);
    assert_int_equal(leak_item_words(&set.items[0]), 8);
    assert_str(set.items[0].id, "plain#1");
    assert_int_equal(set.benchmarks[0].duplicates, 1);
    assert_int_equal(set.benchmarks[0].too_short, 2); /* one of them has one word only */
    leak_set_release(&set);
}

/* ---- the rules and their twins ---- */

#define WORDS_MAX 4000

struct twin {
    uint64_t doc[WORDS_MAX];
    size_t doc_count;
    const struct leak_set *set;
    const struct winnow_decontaminate_options *opt;
};

static const uint64_t *item_words(const struct twin *t, size_t item)
{
    return t->set->words + t->set->items[item].first;
}

static bool same(const uint64_t *a, const uint64_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

static bool is_in(const uint64_t *gram, const uint64_t *words, size_t count, size_t n)
{
    for (size_t i = 0; i + n <= count; i++) {
        if (same(gram, words + i, n)) {
            return true;
        }
    }
    return false;
}

/* Words of the item in n-grams that the document has, too; with skips: in spans. */
static double twin_share(const struct twin *t, size_t item, size_t n, size_t skips, bool spans)
{
    const uint64_t *w = item_words(t, item);
    size_t count = leak_item_words(&t->set->items[item]), marked = 0;
    bool marks[WORDS_MAX] = {0};
    for (size_t k = 0; k + n <= count; k++) {
        for (size_t i = 0; i + n <= t->doc_count; i++) {
            if (!same(w + k, t->doc + i, n)) {
                continue;
            }
            size_t end = k + n, missed = 0;
            for (size_t j = n; spans && k + j < count && i + j < t->doc_count; j++) {
                bool equal = w[k + j] == t->doc[i + j];
                missed += !equal;
                if (missed > skips) {
                    break;
                }
                end = equal ? k + j + 1 : end;
            }
            for (size_t j = k; j < end; j++) {
                marks[j] = true;
            }
        }
    }
    for (size_t k = 0; k < count; k++) {
        marked += marks[k];
    }
    return (double)marked / (double)count;
}

static double twin_hare(const struct twin *t, size_t n)
{
    size_t common = 0;
    for (size_t i = 0; i + n <= t->doc_count; i++) {
        bool any = false;
        for (size_t item = 0; item < t->set->count && !any; item++) {
            any = is_in(t->doc + i, item_words(t, item), leak_item_words(&t->set->items[item]), n);
        }
        common += any;
    }
    return t->doc_count < n ? 0 : (double)common / (double)(t->doc_count + 1 - n);
}

/* -- cluster: the best score over all pieces in which the question's grams are close -- */

static const uint64_t *question(const struct twin *t, size_t item, size_t *count)
{
    const struct leak_item *it = &t->set->items[item];
    if (it->question < t->opt->n) { /* the whole item */
        *count = leak_item_words(it);
        return item_words(t, item);
    }
    *count = it->question;
    return item_words(t, item) + it->passage;
}

static double twin_idf(const struct twin *t, const uint64_t *gram, size_t n)
{
    size_t with = 0, count;
    for (size_t item = 0; item < t->set->count; item++) {
        const uint64_t *q = question(t, item, &count);
        with += is_in(gram, q, count, n);
    }
    return log(1.0 + (double)t->set->count / (double)with);
}

/* Sum of idf over the question's distinct grams that stand in doc[from..to), and all. */
static void twin_sums(const struct twin *t, size_t item, size_t n, size_t from, size_t to,
                      double *in, double *all, size_t *distinct)
{
    size_t count;
    const uint64_t *q = question(t, item, &count);
    *in = *all = 0;
    *distinct = 0;
    for (size_t k = 0; k + n <= count; k++) {
        bool before = false;
        for (size_t j = 0; j < k && !before; j++) {
            before = same(q + j, q + k, n);
        }
        if (before) {
            continue;
        }
        double idf = twin_idf(t, q + k, n);
        ++*distinct;
        *all += idf;
        *in += is_in(q + k, t->doc + from, to - from, n) ? idf : 0;
    }
}

static double twin_near(const struct twin *t, const uint64_t *w, size_t count, size_t from,
                        size_t to, size_t window, size_t n)
{
    size_t low = from > window ? from - window : 0;
    size_t high = to + window < t->doc_count ? to + window : t->doc_count, found = 0;
    if (n == 0 || count < n) {
        return is_in(w, t->doc + low, high - low, count) ? 1 : 0;
    }
    for (size_t k = 0; k + n <= count; k++) {
        found += is_in(w + k, t->doc + low, high - low, n);
    }
    return (double)found / (double)(count + 1 - n);
}

static double twin_score(const struct twin *t, size_t item, size_t from, size_t to)
{
    const struct leak_item *it = &t->set->items[item];
    bool whole = it->question < t->opt->n;
    size_t n = t->opt->n, grams, p = whole ? 0 : it->passage, a = whole ? 0 : it->answer;
    double in, all, q = 1, wa = 0, wp = 0;
    twin_sums(t, item, n, from, to, &in, &all, &grams);
    if (a > 0 && p > 0) {
        q = 0.7, wa = 0.2, wp = 0.1;
    } else if (a > 0) {
        q = 0.75, wa = 0.25;
    } else if (p > 0) {
        q = 0.85, wp = 0.15;
    }
    if (grams < 20 && a + p > 0) {
        double kept = q * (0.5 + 0.5 * (double)grams / 20), less = q - kept;
        q = kept;
        wa += a > 0 ? (p > 0 ? less / 2 : less) : 0;
        wp += p > 0 ? (a > 0 ? less / 2 : less) : 0;
    }
    if (a > 0 && a < 4) {
        double kept = wa * (0.5 + 0.5 * (double)a / 4);
        q += wa - kept;
        wa = kept;
    }
    double score = q * in / all;
    const uint64_t *w = item_words(t, item);
    if (a > 0) {
        score += wa * (a <= 3 ? twin_near(t, w + p + it->question, a, from, to, 50, 0)
                              : twin_near(t, w + p + it->question, a, from, to,
                                          2 * a > 100 ? 2 * a : 100, 3));
    }
    if (p > 0) {
        score += wp * twin_near(t, w, p, from, to, 100 + p, p < 4 ? 0 : 4);
    }
    return score;
}

static double twin_cluster(const struct twin *t, size_t item)
{
    size_t n = t->opt->n, count, from = 0, last = SIZE_MAX;
    const uint64_t *q = question(t, item, &count);
    double best = 0;
    for (size_t i = 0; i + n <= t->doc_count; i++) {
        if (!is_in(t->doc + i, q, count, n)) {
            continue;
        }
        if (last != SIZE_MAX && i - last > t->opt->misses) {
            double score = twin_score(t, item, from, last + n);
            best = score > best ? score : best;
            last = SIZE_MAX;
        }
        from = last == SIZE_MAX ? i : from;
        last = i;
    }
    if (last != SIZE_MAX) {
        double score = twin_score(t, item, from, last + n);
        best = score > best ? score : best;
    }
    return best;
}

static double twin_threshold(const struct twin *t, size_t words)
{
    double at = ((double)words - t->opt->perfect_words) /
                ((double)t->opt->relaxed_words - t->opt->perfect_words);
    at = at < 0 ? 0 : at > 1 ? 1 : at;
    return 1 - at * (1 - t->opt->share);
}

/* -- random benchmarks of few words, and texts with pieces of them -- */

static void add_random_words(struct rng *r, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        buf_addf(out, "w%u ", (unsigned)rng_below(r, 12));
    }
}

static void make_set(struct rng *r, struct leak_set *set)
{
    struct winnow_error err;
    size_t items = 1 + (size_t)rng_below(r, 30);
    struct buf parts[3] = {0}, id = {0};
    for (size_t i = 0; i < items; i++) {
        for (size_t k = 0; k < 3; k++) {
            buf_clear(&parts[k]);
        }
        add_random_words(r, rng_below(r, 3) ? 0 : (size_t)rng_below(r, 40), &parts[0]);
        if (rng_below(r, 3) > 0) {
            buf_add_text(&parts[1], "which of the following is the best "); /* hot */
        }
        add_random_words(r, 2 + (size_t)rng_below(r, 60), &parts[1]);
        add_random_words(r, rng_below(r, 2) ? 0 : (size_t)rng_below(r, 9), &parts[2]);
        buf_clear(&id);
        buf_addf(&id, "i%zu", i);
        const struct leak_parts p = {str_trim(buf_str(&parts[0])), str_trim(buf_str(&parts[1])),
                                     str_trim(buf_str(&parts[2]))};
        assert_ok(leak_set_add(set, STR_LIT("made"), buf_str(&id), &p, 1, &err), err);
    }
    for (size_t k = 0; k < 3; k++) {
        buf_release(&parts[k]);
    }
    buf_release(&id);
}

static void make_text(struct rng *r, const struct leak_set *set, struct buf *out)
{
    struct buf host = {0};
    struct str host_text;
    buf_clear(out);
    size_t pieces = 1 + (size_t)rng_below(r, 3);
    for (size_t i = 0; i < pieces; i++) {
        buf_clear(&host);
        add_random_words(r, (size_t)rng_below(r, 80) + 1, &host);
        host_text = buf_str(&host);
        if (rng_below(r, 3) == 0) {
            buf_add_str(out, host_text);
            continue;
        }
        const struct leak_hosts hosts = {.texts = &host_text, .count = 1};
        struct buf planted = {0};
        double rate = rng_below(r, 2) ? 0 : 0.1 * rng_uniform(r);
        struct str item = set->count > 0 ? set->items[rng_below(r, set->count)].text : host_text;
        leak_plant(&hosts, item, rate, rng_below(r, 2) ? LEAK_START : LEAK_MIDDLE, 1, rng_u64(r),
                   &planted);
        buf_add_str(out, buf_str(&planted));
        buf_release(&planted);
    }
    buf_release(&host);
}

static double want_of(const struct twin *t, int rule, size_t item)
{
    size_t n = t->opt->n;
    switch (rule) {
    case WINNOW_LEAK_CLUSTER:
        return twin_cluster(t, item);
    case WINNOW_LEAK_LLAMA2:
        return twin_share(t, item, n, t->opt->skips, true);
    case WINNOW_LEAK_HARE:
        return twin_hare(t, n);
    default:
        return twin_share(t, item, n, 0, false);
    }
}

/* Finds of the judge against what the twin says; returns how many there are. */
static size_t compare(const struct leak_judge *judge, const struct leak_scratch *s,
                      const struct twin *t, int rule)
{
    const double slack = 1e-7;
    double hare = rule == WINNOW_LEAK_HARE ? twin_hare(t, t->opt->n) : 0;
    if (rule == WINNOW_LEAK_HARE) {
        assert_int_equal(s->find_count, hare > t->opt->share ? 1 : 0);
        if (s->find_count == 1) {
            assert_near(s->finds[0].share, hare, slack);
        }
        return s->find_count;
    }
    for (size_t item = 0; item < t->set->count; item++) {
        double want = want_of(t, rule, item);
        double threshold = rule == WINNOW_LEAK_CLUSTER
                               ? twin_threshold(t, leak_item_words(&t->set->items[item]))
                           : rule == WINNOW_LEAK_GPT3 ? slack
                                                      : judge->opt.share;
        const struct leak_find *found = NULL;
        for (size_t i = 0; i < s->find_count; i++) {
            found = s->finds[i].item == item ? &s->finds[i] : found;
        }
        if (fabs(want - threshold) < slack && rule != WINNOW_LEAK_GPT3) {
            assert_true(found || want < threshold + slack);
        } else if (!!found != (want > threshold)) {
            fail_msg("rule %s, item %zu: %s, but the twin says %.6g (threshold %.6g)",
                     leak_rule_name(rule), item, found ? "found" : "not found", want, threshold);
        }
        if (found) {
            assert_near(found->share, want > 1 ? 1 : want, slack);
        }
    }
    return s->find_count;
}

static void each_rule_equals_its_plain_twin(void **state)
{
    (void)state;
    static struct twin t;
    for (int rule = 0; rule < WINNOW_LEAK_RULES; rule++) {
        size_t found = 0, empty = 0;
        for (uint64_t seed = 0; seed < 60; seed++) {
            struct winnow_decontaminate_options opt = WINNOW_DECONTAMINATE_OPTIONS_INIT;
            struct leak_set set = {0};
            struct leak_judge judge;
            struct winnow_error err;
            struct buf text = {0};
            struct rng r;
            rng_init(&r, seed, "leak twins");
            make_set(&r, &set);
            opt.n = rng_below(&r, 3) ? 0 : 2 + (uint32_t)rng_below(&r, 8);
            opt.skips = (uint32_t)rng_below(&r, 6);
            opt.misses = 1 + (uint32_t)rng_below(&r, 20);
            opt.share = rng_below(&r, 2) ? 0 : 0.2 + 0.7 * rng_uniform(&r);
            assert_ok(leak_judge_open(&judge, &set, &opt, rule, &err), err);
            struct leak_scratch *s = leak_scratch_new(&judge);
            t.set = &set;
            t.opt = &judge.opt;
            for (int round = 0; round < 6; round++) {
                make_text(&r, &set, &text);
                assert_ok(leak_judge_text(&judge, s, buf_str(&text), &err), err);
                assert_true(s->words.count <= WORDS_MAX);
                t.doc_count = s->words.count;
                for (size_t i = 0; i < t.doc_count; i++) {
                    t.doc[i] = s->words.items[i].hash;
                }
                size_t finds = compare(&judge, s, &t, rule);
                found += finds;
                empty += finds == 0;
            }
            leak_scratch_free(s);
            leak_judge_release(&judge);
            leak_set_release(&set);
            buf_release(&text);
        }
        if (found < 30 || empty < 10) {
            fail_msg("rule %s: %zu finds, %zu texts without one: the twins saw too little",
                     leak_rule_name(rule), found, empty);
        }
    }
}

/* ---- cutting ---- */

static struct leak_set *one_item(struct leak_set *set, const char *text)
{
    struct winnow_error err;
    uint64_t added;
    assert_ok(leak_set_add_text(set, "b", str_of(text), 1, &added, &err), err);
    return set;
}

static enum leak_cut_outcome cut_text(const char *item, const char *text, uint32_t margin,
                                      uint32_t left_min, uint32_t pieces_max, struct buf *out,
                                      struct buf *ranges)
{
    struct winnow_decontaminate_options opt = WINNOW_DECONTAMINATE_OPTIONS_INIT;
    struct leak_set set = {0};
    struct leak_judge judge;
    struct winnow_error err;
    opt.margin = margin;
    opt.left_min = left_min;
    opt.pieces_max = pieces_max;
    opt.n = 4;
    buf_clear(out);
    buf_clear(ranges);
    assert_ok(leak_judge_open(&judge, one_item(&set, item), &opt, WINNOW_LEAK_GPT3, &err), err);
    struct leak_scratch *s = leak_scratch_new(&judge);
    assert_ok(leak_judge_text(&judge, s, str_of(text), &err), err);
    assert_int_equal(s->find_count, 1);
    enum leak_cut_outcome outcome = leak_cut(&opt, s, str_of(text), out, ranges);
    leak_scratch_free(s);
    leak_judge_release(&judge);
    leak_set_release(&set);
    return outcome;
}

static void a_cut_takes_whole_words_and_its_margin(void **state)
{
    (void)state;
    struct buf out = {0}, ranges = {0};
    const char *item = "alpha beta gamma delta epsilon";
    const char *text = "H\xC3\xA9re is one text. Alpha, beta gamma delta epsilon! And it goes on.";
    assert_int_equal(cut_text(item, text, 0, 1, 10, &out, &ranges), LEAK_CUT_KEPT);
    assert_str(buf_str(&out), "H\xC3\xA9re is one text.\n\nAnd it goes on.");
    assert_str(buf_str(&ranges), "[18,50]"); /* code points */
    assert_int_equal(cut_text(item, text, 4, 1, 10, &out, &ranges), LEAK_CUT_KEPT);
    assert_str(buf_str(&out), "H\xC3\xA9re is one\n\nit goes on.");
    assert_int_equal(cut_text(item, text, 1000, 1, 10, &out, &ranges), LEAK_CUT_TOO_LITTLE);
    assert_int_equal(cut_text(item, text, 0, 16, 10, &out, &ranges), LEAK_CUT_KEPT);
    assert_str(buf_str(&out), "H\xC3\xA9re is one text.");
    assert_int_equal(cut_text(item, text, 0, 1, 1, &out, &ranges), LEAK_CUT_TOO_MANY);
    buf_release(&out);
    buf_release(&ranges);
}

static void wilsons_interval_is_that_of_the_book(void **state)
{
    (void)state;
    double i[2];
    leak_wilson(8, 10, i); /* Newcombe 1998, method 3 */
    assert_near(i[0], 0.4902, 1e-4);
    assert_near(i[1], 0.9433, 1e-4);
    leak_wilson(0, 20, i);
    assert_near(i[0], 0, 1e-12);
    assert_near(i[1], 0.1611, 1e-4);
    leak_wilson(81, 263, i);
    assert_near(i[0], 0.2553, 1e-4);
    assert_near(i[1], 0.3662, 1e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_do_not_depend_on_case_accents_marks_and_punctuation),
        cmocka_unit_test(code_points_of_scripts_without_spaces_are_words),
        cmocka_unit_test(words_lie_in_the_text_in_order),
        cmocka_unit_test(records_of_all_task_shapes_are_taken_apart),
        cmocka_unit_test(rows_of_published_data_sets_and_logged_samples_are_read),
        cmocka_unit_test(plain_text_is_items_by_paragraph_and_what_is_the_same_is_one),
        cmocka_unit_test(each_rule_equals_its_plain_twin),
        cmocka_unit_test(a_cut_takes_whole_words_and_its_margin),
        cmocka_unit_test(wilsons_interval_is_that_of_the_book),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
