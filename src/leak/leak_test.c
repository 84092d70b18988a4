/* leak_test.c -- items planted into documents, found again or not, by every rule.
 *
 * Who chooses a rule should see what it misses on the text and the benchmarks at hand, not
 * on others'.  All rules see the same plants.  What is found in documents nothing was
 * planted in may be a leak that was there before: so it is told, too, in how many of them
 * no 13 words in a row are an item's. */
#include "leak/leak_test.h"

#include "base/env.h"
#include "base/grow.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/rng.h"
#include "corpus/texts.h"

#include <inttypes.h>
#include <math.h>

#define HOSTS_MAX   2000U
#define HOSTS_BYTES ((uint64_t)64 << 20)
#define LONG_BYTES  30000U /* some 5,000 words */
#define Z95         1.959963984540054
#define VERBATIM    13U

static const double RATES[] = {0, 0.02, 0.05, 0.10, 0.20};
#define RATE_COUNT (sizeof RATES / sizeof *RATES)
static const char *const PLACE_NAMES[LEAK_PLACES] = {"start", "middle", "long"};

struct outcome {
    uint64_t untouched, without_verbatim;
    uint64_t found[RATE_COUNT][LEAK_PLACES];
    uint64_t blind;
    uint32_t n;
    double share;
};

struct self_test {
    const struct winnow_decontaminate_options *opt;
    const struct winnow_env *env;
    struct leak_set set;
    struct leak_hosts hosts;
    uint32_t *planted; /* items */
    size_t planted_count;
    bool *verbatim; /* hosts that hold 13 words in a row of an item */
    struct outcome outcomes[WINNOW_LEAK_RULES];
    winnow_status lost; /* a part of the corpus could not be read: told at the end */
    struct winnow_error lost_error;
    struct buf text;
};

void leak_wilson(uint64_t hits, uint64_t count, double interval[2])
{
    if (count == 0) {
        interval[0] = 0;
        interval[1] = 1;
        return;
    }
    double n = (double)count, p = (double)hits / n, z2 = Z95 * Z95;
    double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = Z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    interval[0] = hits == 0 ? 0 : middle - half;
    interval[1] = hits == count ? 1 : middle + half;
}

/* ---- plants ---- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Takes the next word off *rest. */
static bool next_word(struct str *rest, struct str *word)
{
    size_t from = 0;
    while (from < rest->len && is_space(rest->ptr[from])) {
        from++;
    }
    size_t to = from;
    while (to < rest->len && !is_space(rest->ptr[to])) {
        to++;
    }
    *word = str_sub(*rest, from, to);
    *rest = str_sub(*rest, to, rest->len);
    return word->len > 0;
}

/* Where a word begins, at or behind `at`. */
static size_t word_start(struct str text, size_t at)
{
    while (at < text.len && !is_space(text.ptr[at])) {
        at++;
    }
    return at;
}

static struct str random_word(const struct leak_hosts *hosts, struct rng *r)
{
    struct str text = hosts->texts[rng_below(r, hosts->count)], word = {"x", 1};
    size_t at = text.len > 0 ? word_start(text, (size_t)rng_below(r, text.len)) : 0;
    struct str rest = str_sub(text, at, text.len);
    return next_word(&rest, &word) ? word : STR_LIT("x");
}

static void add_word(struct buf *out, struct str word)
{
    buf_add_char(out, ' ');
    buf_add_str(out, word);
}

static void add_edited(const struct leak_hosts *hosts, struct str item, double rate, struct rng *r,
                       struct buf *out)
{
    struct str word;
    while (next_word(&item, &word)) {
        uint64_t how = rng_uniform(r) < rate ? 1 + rng_below(r, 3) : 0;
        if (how == 0 || how == 3) {
            add_word(out, word);
        }
        if (how == 2 || how == 3) { /* 1: it is gone; 2: another; 3: one more */
            add_word(out, random_word(hosts, r));
        }
    }
}

void leak_plant(const struct leak_hosts *hosts, struct str item, double rate, enum leak_place place,
                uint64_t seed, uint64_t number, struct buf *out)
{
    struct rng r;
    struct buf host = {0};
    rng_init(&r, seed ^ rng_mix(number * 64 + (uint64_t)(rate * 1000) * 7919 + place), "plant");
    do {
        buf_add_str(&host, hosts->texts[rng_below(&r, hosts->count)]);
        buf_add_text(&host, "\n\n");
    } while (place == LEAK_LONG && host.len < LONG_BYTES);
    struct str text = buf_str(&host);
    size_t at = place == LEAK_MIDDLE ? word_start(text, text.len / 2)
                : place == LEAK_LONG
                    ? word_start(text, text.len / 10 + (size_t)rng_below(&r, text.len * 8 / 10))
                    : 0;
    buf_clear(out);
    buf_add_str(out, str_sub(text, 0, at));
    buf_add_text(out, "\n\n");
    add_edited(hosts, item, rate, &r, out);
    buf_add_text(out, "\n\n");
    buf_add_str(out, str_sub(text, at, text.len));
    buf_release(&host);
}

/* ---- what is read ---- */

static winnow_status read_hosts(struct self_test *t, const struct winnow_text_options *opt,
                                const struct winnow_list *paths, struct texts *texts,
                                struct winnow_error *err)
{
    struct winnow_text_result result = {0};
    struct leak_hosts *h = &t->hosts;
    TRY(texts_open(texts, opt, *paths, t->env, &result, err));
    for (;;) {
        struct document d;
        bool more = h->count < HOSTS_MAX && h->bytes < HOSTS_BYTES;
        if (more) {
            TRY(texts_next(texts, &d, &more, err));
        }
        if (!more) {
            break;
        }
        GROW(h->texts, h->count, h->cap, 256);
        h->texts[h->count++] =
            (struct str){arena_strndup(&h->keep, d.text.ptr, d.text.len), d.text.len};
        h->bytes += d.text.len;
    }
    TRY(texts_read(texts, h->count, err));
    t->lost = texts_end(texts, &t->lost_error);
    return WINNOW_OK;
}

static void draw_items(struct self_test *t)
{
    struct rng r;
    uint32_t *order = mem_alloc(t->set.count * sizeof *order);
    for (size_t i = 0; i < t->set.count; i++) {
        order[i] = (uint32_t)i;
    }
    rng_init(&r, t->env->seed, "leak items");
    rng_shuffle_u32(&r, order, t->set.count);
    t->planted = order;
    t->planted_count =
        t->set.count < t->opt->self_test_items ? t->set.count : t->opt->self_test_items;
}

/* ---- what is found ---- */

static winnow_status judge_hosts(struct self_test *t, const struct leak_judge *judge,
                                 struct leak_scratch *s, struct outcome *o,
                                 struct winnow_error *err)
{
    for (size_t i = 0; i < t->hosts.count; i++) {
        TRY(env_check(t->env, err));
        TRY(leak_judge_text(judge, s, t->hosts.texts[i], err));
        if (!o) {
            t->verbatim[i] = s->find_count > 0;
        } else if (s->find_count > 0) {
            o->untouched++;
            o->without_verbatim += !t->verbatim[i];
        }
    }
    return WINNOW_OK;
}

static bool finds_item(const struct leak_scratch *s, int rule, uint32_t item)
{
    for (size_t i = 0; i < s->find_count; i++) {
        if (rule == WINNOW_LEAK_HARE || s->finds[i].item == item) {
            return true; /* HARE's verdict is the text's; which item it names is our doing */
        }
    }
    return false;
}

static winnow_status judge_plants(struct self_test *t, const struct leak_judge *judge,
                                  struct leak_scratch *s, struct outcome *o,
                                  struct winnow_error *err)
{
    for (size_t i = 0; i < t->planted_count; i++) {
        struct str item = t->set.items[t->planted[i]].text;
        TRY(env_check(t->env, err));
        for (size_t rate = 0; rate < RATE_COUNT; rate++) {
            for (enum leak_place place = LEAK_START; place < LEAK_PLACES; place++) {
                leak_plant(&t->hosts, item, RATES[rate], place, t->env->seed, i, &t->text);
                TRY(leak_judge_text(judge, s, buf_str(&t->text), err));
                o->found[rate][place] += finds_item(s, judge->rule, t->planted[i]);
            }
        }
    }
    return WINNOW_OK;
}

/* o NULL: only which hosts hold an item's words. */
static winnow_status judge_all(struct self_test *t, int rule,
                               const struct winnow_decontaminate_options *opt, struct outcome *o,
                               struct winnow_error *err)
{
    struct leak_judge judge;
    struct leak_scratch *s = NULL;
    winnow_status st = leak_judge_open(&judge, &t->set, opt, rule, err);
    if (st == WINNOW_OK) {
        s = leak_scratch_new(&judge);
        st = judge_hosts(t, &judge, s, o, err);
    }
    if (st == WINNOW_OK && o) {
        o->n = judge.opt.n;
        o->share = judge.opt.share;
        o->blind = leak_judge_blind(&judge);
        st = judge_plants(t, &judge, s, o, err);
    }
    leak_scratch_free(s);
    leak_judge_release(&judge);
    return st;
}

static winnow_status judge_rules(struct self_test *t, struct winnow_error *err)
{
    struct winnow_decontaminate_options verbatim = *t->opt;
    verbatim.n = VERBATIM;
    t->verbatim = mem_zalloc(t->hosts.count * sizeof *t->verbatim);
    TRY(judge_all(t, WINNOW_LEAK_GPT3, &verbatim, NULL, err));
    for (int rule = 0; rule < WINNOW_LEAK_RULES; rule++) {
        TRY(judge_all(t, rule, t->opt, &t->outcomes[rule], err));
        env_progress(t->env, "self-test", "rules", (uint64_t)rule + 1, WINNOW_LEAK_RULES);
    }
    return WINNOW_OK;
}

/* ---- what is said of it ---- */

static void write_interval(struct json_writer *w, uint64_t hits, uint64_t count)
{
    double interval[2];
    leak_wilson(hits, count, interval);
    json_member_open(w, "interval", '[');
    json_double(w, interval[0]);
    json_double(w, interval[1]);
    json_close(w, ']');
}

static void write_recall(const struct self_test *t, const struct outcome *o, struct json_writer *w)
{
    json_member_open(w, "recall", '[');
    for (size_t rate = 0; rate < RATE_COUNT; rate++) {
        for (size_t place = 0; place < LEAK_PLACES; place++) {
            uint64_t found = o->found[rate][place];
            json_open(w, '{');
            json_member_double(w, "edit_rate", RATES[rate]);
            json_member_text(w, "place", PLACE_NAMES[place]);
            json_member_u64(w, "found", found);
            json_member_double(w, "recall", (double)found / (double)t->planted_count);
            write_interval(w, found, t->planted_count);
            json_close(w, '}');
        }
    }
    json_close(w, ']');
}

static void write_rule(const struct self_test *t, int rule, struct json_writer *w)
{
    const struct outcome *o = &t->outcomes[rule];
    json_open(w, '{');
    json_member_text(w, "rule", leak_rule_name(rule));
    json_member_u64(w, "n", o->n);
    json_member_double(w, "share", o->share);
    json_member_u64(w, "items_without_gram", o->blind);
    json_member_open(w, "untouched", '{');
    json_member_u64(w, "found", o->untouched);
    write_interval(w, o->untouched, t->hosts.count);
    json_member_u64(w, "without_13_words_in_a_row", o->without_verbatim);
    json_close(w, '}');
    write_recall(t, o, w);
    json_close(w, '}');
}

static void write_json(const struct self_test *t, struct buf *out)
{
    struct json_writer w = {.out = out, .pretty = true};
    json_open(&w, '{');
    json_member_u64(&w, "documents", t->hosts.count);
    json_member_u64(&w, "items", t->set.count);
    json_member_u64(&w, "planted", t->planted_count);
    json_member_u64(&w, "seed", t->env->seed);
    json_member_open(&w, "rules", '[');
    for (int rule = 0; rule < WINNOW_LEAK_RULES; rule++) {
        write_rule(t, rule, &w);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

static void add_share(struct buf *out, uint64_t hits, uint64_t count)
{
    double i[2];
    leak_wilson(hits, count, i);
    buf_addf(out, "  %5.3f (%.3f-%.3f)", count > 0 ? (double)hits / (double)count : 0, i[0], i[1]);
}

static void write_table(const struct self_test *t, struct buf *out)
{
    buf_addf(out,
             "%zu of %zu items planted into %zu documents; found again, with Wilson's 95 %% "
             "interval\n\nrule     edited",
             t->planted_count, t->set.count, t->hosts.count);
    for (size_t place = 0; place < LEAK_PLACES; place++) {
        buf_addf(out, "  %-19s", PLACE_NAMES[place]);
    }
    buf_add_char(out, '\n');
    for (int rule = 0; rule < WINNOW_LEAK_RULES; rule++) {
        for (size_t rate = 0; rate < RATE_COUNT; rate++) {
            buf_addf(out, "%-8s %4.0f %%", leak_rule_name(rule), 100 * RATES[rate]);
            for (size_t place = 0; place < LEAK_PLACES; place++) {
                add_share(out, t->outcomes[rule].found[rate][place], t->planted_count);
            }
            buf_add_char(out, '\n');
        }
    }
    buf_add_text(out, "\nrule     found where nothing was planted   of these without 13 words in a "
                      "row\n");
    for (int rule = 0; rule < WINNOW_LEAK_RULES; rule++) {
        const struct outcome *o = &t->outcomes[rule];
        buf_addf(out, "%-8s %6" PRIu64, leak_rule_name(rule), o->untouched);
        add_share(out, o->untouched, t->hosts.count);
        buf_addf(out, "      %6" PRIu64 "\n", o->without_verbatim);
    }
}

static void give(struct buf *text, struct winnow_bytes *out)
{
    (void)buf_cstr(text);
    *out = (struct winnow_bytes){text->ptr, text->len};
    *text = (struct buf){0};
}

static winnow_status self_test(struct self_test *t, const struct winnow_text_options *text,
                               const struct winnow_list *paths, struct winnow_error *err)
{
    struct texts texts = {0};
    if (t->opt->benchmarks.count == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "nothing to plant: name the benchmarks with --benchmark FILE");
    }
    TRY(leak_set_read(&t->set, t->opt, err));
    winnow_status st = read_hosts(t, text, paths, &texts, err);
    texts_release(&texts);
    TRY(st);
    TRY(memory_need(t->env->memory_max, "decontaminate --self-test",
                    leak_set_bytes(&t->set) + leak_judge_memory(&t->set) +
                        leak_scratch_memory(&t->set) + t->hosts.bytes,
                    "name fewer benchmarks", err));
    draw_items(t);
    return judge_rules(t, err);
}

winnow_status winnow_decontaminate_self_test(const struct winnow_decontaminate_options *opt,
                                             const struct winnow_text_options *text,
                                             const struct winnow_list *paths,
                                             const struct winnow_env *env,
                                             struct winnow_bytes *json, struct winnow_bytes *table,
                                             struct winnow_error *err)
{
    struct self_test t = {.opt = opt, .env = env};
    arena_init(&t.hosts.keep, (size_t)1 << 20);
    *json = *table = (struct winnow_bytes){0};
    winnow_status st = self_test(&t, text, paths, err);
    if (st == WINNOW_OK) {
        struct buf out = {0};
        write_json(&t, &out);
        give(&out, json);
        write_table(&t, &out);
        give(&out, table);
        st = t.lost;
        *err = t.lost_error;
    }
    leak_set_release(&t.set);
    arena_release(&t.hosts.keep);
    mem_free(t.hosts.texts);
    mem_free(t.planted);
    mem_free(t.verbatim);
    buf_release(&t.text);
    return st;
}
