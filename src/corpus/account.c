/* account.c -- lists of what was left out and lost, and the sentences about them.
 *
 * Of many files three are named, those that look like data first: a folder with a
 * README beside a forgotten .parquet has to say .parquet.  The same shard may be met
 * in several passes; it is counted once (lost_names).  Memory is bounded: of each
 * list the first ACCOUNT_ITEMS_MAX are kept, the rest only counted. */
#include "corpus/account.h"

#include "base/grow.h"
#include "base/mem.h"

#include <assert.h>
#include <inttypes.h>
#include <strings.h>

#define SHOWN         3U /* of a list, in a sentence */
#define ENDINGS_SHOWN 8U

void account_release(struct input_account *a)
{
    mem_free(a->skipped.items);
    mem_free(a->lost.items);
    mem_free(a->inputs.items);
    map_release(&a->lost_names);
    if (a->keep_open) {
        arena_release(&a->keep);
    }
    *a = (struct input_account){0};
}

static const char *keep_text(struct input_account *a, struct str s)
{
    if (!a->keep_open) {
        arena_init(&a->keep, 4096);
        a->keep_open = true;
    }
    return arena_strndup(&a->keep, s.ptr ? s.ptr : "", s.len);
}

static void add_item(struct input_account *a, struct account_list *l, const char *name,
                     struct str reason, bool unreadable)
{
    assert(l->held <= l->count);
    l->count++;
    if (l->held == ACCOUNT_ITEMS_MAX) {
        return;
    }
    GROW(l->items, l->held, l->cap, 8);
    l->items[l->held++] =
        (struct account_item){keep_text(a, str_of(name)), keep_text(a, reason), unreadable, 0};
}

void account_skip(struct input_account *a, const char *name, const char *reason)
{
    add_item(a, &a->skipped, name, str_of(reason), false);
}

void account_lose(struct input_account *a, const char *name, struct str reason, bool unreadable)
{
    bool is_new = false;
    uint64_t *at = map_put(&a->lost_names, str_of(name), &is_new);
    if (is_new) {
        *at = a->lost.held;
        add_item(a, &a->lost, name, reason, unreadable);
    } else if (*at < a->lost.held && !str_is(reason, a->lost.items[*at].reason)) {
        a->lost.items[*at].more++; /* another pass meets the same */
    }
}

/* What another account says of a shard. */
static void lose_again(struct input_account *a, const struct account_item *it)
{
    account_lose(a, it->name, str_of(it->reason), it->unreadable);
    const uint64_t *at = map_get(&a->lost_names, str_of(it->name));
    if (at && *at < a->lost.held) {
        a->lost.items[*at].more += it->more;
    }
}

void account_lose_errno(struct input_account *a, const char *name, int code)
{
    char text[128];
    account_lose(a, name, str_of(strerror_r(code, text, sizeof text)), true);
}

void account_input(struct input_account *a, const char *label)
{
    if (a->inputs.count < SHOWN) {
        add_item(a, &a->inputs, label, STR_LIT(""), false);
    } else {
        a->inputs.count++;
    }
}

bool account_is_lost(const struct input_account *a, const char *name)
{
    return map_get(&a->lost_names, str_of(name)) != NULL;
}

void account_bad(struct input_account *a, const char *shard, const struct bad_line *bad)
{
    a->bad++;
    if (bad->torn) {
        account_lose(a, shard, bad->reason, bad->unreadable);
        return;
    }
    if (a->first_bad.len == 0) {
        struct buf text = {0};
        buf_addf(&text, "%s, line %" PRIu64 ": %.*s", shard, bad->line, STR_ARG(bad->reason));
        account_first_bad(a, buf_str(&text));
        buf_release(&text);
    }
}

void account_first_bad(struct input_account *a, struct str text)
{
    if (a->first_bad.len == 0) {
        a->first_bad = (struct str){keep_text(a, text), text.len};
    }
}

void account_add(struct input_account *to, const struct input_account *from)
{
    to->documents += from->documents;
    to->bad += from->bad;
    account_first_bad(to, from->first_bad);
    for (size_t i = 0; i < from->skipped.held; i++) {
        const struct account_item *it = &from->skipped.items[i];
        add_item(to, &to->skipped, it->name, str_of(it->reason), false);
    }
    for (size_t i = 0; i < from->lost.held; i++) {
        const struct account_item *it = &from->lost.items[i];
        lose_again(to, it);
    }
}

/* Files by these names hold data as a rule: they are missed more than a README. */
static bool is_data(const char *name)
{
    static const char *const ENDINGS[] = {".csv", ".tsv", ".xz",  ".bz2",   ".lz4",
                                          ".zip", ".tar", ".tgz", ".arrow", ".parquet"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof ENDINGS / sizeof *ENDINGS; i++) {
        if (strcasecmp(dot, ENDINGS[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The first few, those that look like data before the others. */
static void say_items(const struct account_list *l, const char *joint, struct buf *out)
{
    size_t shown = 0;
    for (int data = 1; data >= 0; data--) {
        for (size_t i = 0; i < l->held && shown < SHOWN; i++) {
            if (is_data(l->items[i].name) == (data == 1)) {
                buf_addf(out, "%s%s (%s", shown > 0 ? joint : "", l->items[i].name,
                         l->items[i].reason);
                if (l->items[i].more > 0) {
                    buf_addf(out, "; and %" PRIu64 " more %s of it", l->items[i].more,
                             l->items[i].more == 1 ? "place" : "places");
                }
                buf_add_char(out, ')');
                shown++;
            }
        }
    }
    if (l->count > SHOWN) {
        buf_addf(out, " and %" PRIu64 " more", l->count - SHOWN);
    }
}

/* "; by ending: .xz 1, .csv 1", the commonest first, of more than are named. */
static void say_endings(const struct account_list *l, struct buf *out)
{
    struct map endings = {0};
    for (size_t i = 0; i < l->held; i++) {
        const char *slash = strrchr(l->items[i].name, '/');
        const char *dot = strrchr(slash ? slash + 1 : l->items[i].name, '.');
        (*map_put(&endings, str_of(dot ? dot : "none"), NULL))++;
    }
    for (size_t n = 0; n < endings.count && n < ENDINGS_SHOWN; n++) {
        struct map_entry *top = NULL;
        for (size_t i = 0; i < endings.count; i++) {
            struct map_entry *e = &endings.entries[i];
            top = e->value > 0 && (!top || e->value > top->value) ? e : top;
        }
        if (!top) {
            break;
        }
        buf_addf(out, "%s%.*s %" PRIu64, n > 0 ? ", " : "; by ending: ", STR_ARG(top->key),
                 top->value);
        top->value = 0;
    }
    if (endings.count > ENDINGS_SHOWN) {
        buf_add_text(out, ", ...");
    }
    if (l->count > l->held) {
        buf_addf(out, " among the first %zu", l->held);
    }
    map_release(&endings);
}

void account_say_skipped(const struct input_account *a, struct buf *out)
{
    if (a->skipped.count > 0) {
        buf_addf(out, "%" PRIu64 " %s left out: ", a->skipped.count,
                 a->skipped.count == 1 ? "file of the input is" : "files of the input are");
        say_items(&a->skipped, ", ", out);
        if (a->skipped.count > SHOWN) {
            say_endings(&a->skipped, out);
        }
    }
}

void account_warn_skipped(const struct input_account *a, const struct winnow_env *env)
{
    struct buf text = {0};
    account_say_skipped(a, &text);
    if (text.len > 0) {
        env_log(env, WINNOW_LOG_WARNING, "%s", buf_cstr(&text));
    }
    buf_release(&text);
}

void account_say_lost(const struct input_account *a, struct buf *out)
{
    if (a->lost.count > 0) {
        buf_addf(out, "%" PRIu64 " %s could not be read whole: ", a->lost.count,
                 a->lost.count == 1 ? "input" : "inputs");
        say_items(&a->lost, ", ", out);
    }
}

void account_say_bad(const struct input_account *a, struct buf *out)
{
    if (a->bad > 0 && a->first_bad.len > 0) { /* else there were tears only */
        buf_addf(out, "%" PRIu64 " bad %s, the first: %.*s", a->bad,
                 a->bad == 1 ? "record" : "records", STR_ARG(a->first_bad));
    }
}

void account_warn_bad(const struct input_account *a, const struct winnow_env *env)
{
    struct buf text = {0};
    account_say_bad(a, &text);
    if (text.len > 0) {
        env_log(env, WINNOW_LOG_WARNING, "%s", buf_cstr(&text));
    }
    buf_release(&text);
}

/* ": a.jsonl, b.jsonl.gz and 3 more are empty". */
static void say_empty_inputs(const struct account_list *l, struct buf *out)
{
    for (size_t i = 0; i < l->held; i++) {
        buf_addf(out, "%s%s", i == 0 ? ": " : ", ", l->items[i].name);
    }
    if (l->count > l->held) {
        buf_addf(out, " and %" PRIu64 " more", l->count - l->held);
    }
    buf_addf(out, "%s empty", l->count == 0 ? ": it is" : l->count == 1 ? " is" : " are");
}

void account_say_empty(const struct input_account *a, struct buf *out)
{
    buf_add_text(out, "there is no document in the input");
    if (a->bad > 0 && a->first_bad.len > 0) {
        buf_add_text(out, ", only ");
        account_say_bad(a, out);
    } else if (a->lost.count == 0) {
        say_empty_inputs(&a->inputs, out);
    }
    if (a->lost.count > 0) {
        buf_add_text(out, "; ");
        account_say_lost(a, out);
    }
}

winnow_status account_need_documents(const struct input_account *a, struct winnow_error *err)
{
    struct buf text = {0};
    winnow_status st = WINNOW_OK;
    if (a->documents == 0) {
        account_say_empty(a, &text);
        st = error_set(err, WINNOW_E_FORMAT, "%s", buf_cstr(&text));
    }
    buf_release(&text);
    return st;
}

winnow_status account_need_all(const struct input_account *a, struct winnow_error *err)
{
    struct buf text = {0};
    account_say_lost(a, &text);
    winnow_status st =
        text.len > 0 ? error_set(err, WINNOW_E_FORMAT, "%s", buf_cstr(&text)) : WINNOW_OK;
    buf_release(&text);
    return st;
}

winnow_status account_tell_lost(const struct input_account *a, struct winnow_error *err)
{
    struct buf text = {0};
    winnow_status st = WINNOW_OK;
    if (a->lost.count > 0) {
        account_say_lost(a, &text);
        st = error_set(err, WINNOW_E_FORMAT, "done with what could be read, but %s",
                       buf_cstr(&text));
    }
    buf_release(&text);
    return st;
}

static void write_items(const struct account_list *l, bool kinds, struct json_writer *w)
{
    json_open(w, '[');
    for (size_t i = 0; i < l->held; i++) {
        json_open(w, '{');
        json_member_text(w, "path", l->items[i].name);
        json_member_text(w, "reason", l->items[i].reason);
        if (kinds) {
            json_member_bool(w, "unreadable", l->items[i].unreadable);
            if (l->items[i].more > 0) {
                json_member_u64(w, "more", l->items[i].more);
            }
        }
        json_close(w, '}');
    }
    json_close(w, ']');
}

void account_write(const struct input_account *a, struct json_writer *w)
{
    json_key(w, "bad_shards");
    write_items(&a->lost, true, w);
    json_key(w, "skipped_files");
    write_items(&a->skipped, false, w);
    if (a->first_bad.len > 0) {
        json_member_str(w, "first_bad", a->first_bad);
    }
}

static void read_items(struct input_account *a, struct json_value list, bool lost)
{
    struct buf name = {0}, why = {0};
    struct json_iter it = json_walk(list);
    while (json_next(&it)) {
        struct str path = {"", 0}, reason = {"", 0};
        bool unreadable = false;
        (void)json_as_str(json_get(it.value, "path"), &path);
        (void)json_as_str(json_get(it.value, "reason"), &reason);
        (void)json_as_bool(json_get(it.value, "unreadable"), &unreadable);
        buf_clear(&name);
        buf_clear(&why);
        buf_add_str(&name, path);
        buf_add_str(&why, reason);
        if (lost) {
            uint64_t more = 0;
            (void)json_as_u64(json_get(it.value, "more"), &more);
            lose_again(a,
                       &(struct account_item){buf_cstr(&name), buf_cstr(&why), unreadable, more});
        } else {
            account_skip(a, buf_cstr(&name), buf_cstr(&why));
        }
    }
    buf_release(&name);
    buf_release(&why);
}

void account_read(struct input_account *a, struct json_value object)
{
    struct str first;
    read_items(a, json_get(object, "bad_shards"), true);
    read_items(a, json_get(object, "skipped_files"), false);
    if (json_as_str(json_get(object, "first_bad"), &first)) {
        account_first_bad(a, first);
    }
}
