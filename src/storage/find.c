/* find.c -- see storage.h; a name is looked for as an object first, then as a folder. */
#include "storage/find.h"

#include "base/grow.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/url.h"
#include "storage/address.h"

#include <inttypes.h>

#define LISTED_MAX \
    ((uint64_t)1 << 30) /* bytes of names; as objects they take some five times that */
#define EMPTY_MAX 1000U

bool storage_is_address(const char *path)
{
    return address_kind_of(path) != ADDRESS_FILE;
}

bool storage_has_globs(const char *address)
{
    enum address_kind kind = address_kind_of(address);
    return kind == ADDRESS_S3 || kind == ADDRESS_HF;
}

winnow_status storage_open(struct storage **out, const struct winnow_env *env,
                           struct winnow_error *err)
{
    struct storage *s = mem_zalloc(sizeof *s);
    s->env = env;
    (void)pthread_mutex_init(&s->lock, NULL);
    winnow_status st = storage_settings_read(env, &s->settings, err);
    if (st != WINNOW_OK) {
        storage_close(s);
        s = NULL;
    }
    *out = s;
    return st;
}

void storage_close(struct storage *s)
{
    if (s) {
        for (size_t i = 0; i < s->web_count; i++) {
            web_close(s->webs[i]);
        }
        (void)pthread_mutex_destroy(&s->lock);
        storage_settings_release(&s->settings);
        mem_free(s);
    }
}

/* Objects see storage as it is for all of them, but for its idle connections. */
static struct storage *own(const struct storage *s)
{
    union {
        const struct storage *from;
        struct storage *to;
    } it = {s};
    return it.to;
}

winnow_status storage_take_web(const struct storage *s, struct web **out, struct winnow_error *err)
{
    struct storage *mine = own(s);
    *out = NULL;
    (void)pthread_mutex_lock(&mine->lock);
    if (mine->web_count > 0) {
        *out = mine->webs[--mine->web_count];
    }
    (void)pthread_mutex_unlock(&mine->lock);
    return *out ? WINNOW_OK : web_open(out, &s->settings, s->env, err);
}

void storage_give_web(const struct storage *s, struct web *w)
{
    struct storage *mine = own(s);
    if (!w) {
        return;
    }
    web_stop(w);
    (void)pthread_mutex_lock(&mine->lock);
    bool room = mine->web_count < WEBS_KEPT;
    if (room) {
        mine->webs[mine->web_count++] = w;
    }
    (void)pthread_mutex_unlock(&mine->lock);
    if (!room) {
        web_close(w);
    }
}

static const char *copy(struct finding *f, const char *text)
{
    return arena_strndup(f->keep, text, strlen(text));
}

void finding_add(struct finding *f, const struct storage_object *o)
{
    struct storage_found *out = f->out;
    GROW(out->items, out->count, f->cap, 64);
    out->items[out->count++] = (struct storage_object){.storage = f->s,
                                                       .address = copy(f, o->address),
                                                       .below = copy(f, o->below),
                                                       .url = copy(f, o->url),
                                                       .bytes = o->sized ? o->bytes : 0,
                                                       .sized = o->sized,
                                                       .etag = copy(f, o->etag),
                                                       .modified = copy(f, o->modified),
                                                       .redirected = o->redirected};
}

winnow_status pages_turn(struct pages *p, const struct finding *f, const struct listing *l,
                         struct str next, struct winnow_error *err)
{
    uint64_t memory = f->s->env->memory_max, most = LISTED_MAX;
    most = memory > 0 && memory / 8 < most ? memory / 8 : most;
    p->empty = l->count == p->count ? p->empty + 1 : 0;
    p->count = l->count;
    if (l->bytes > most) {
        return error_set(err, WINNOW_E_LIMIT,
                         "%s cannot be listed: its names take more than %" PRIu64 " MiB%s; name "
                         "folders within it",
                         f->shown, most >> 20, memory > 0 ? ", an eighth of --memory" : "");
    }
    if (next.len > 0 && (p->empty >= EMPTY_MAX || str_eq(next, buf_str(&p->last)))) {
        return error_set(err, WINNOW_E_IO,
                         "%s cannot be listed: the server's list has no end (%s); name each file, "
                         "or give a list with --files-from",
                         f->shown,
                         p->empty >= EMPTY_MAX ? "many pages without a name"
                                               : "a page leads to itself");
    }
    buf_clear(&p->last);
    buf_add_str(&p->last, next);
    return WINNOW_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct storage_object *)a)->below,
                  ((const struct storage_object *)b)->below);
}

static winnow_status list(struct finding *f, size_t up_to, struct winnow_error *err)
{
    f->out->folder = true;
    TRY(address_kind_of(f->address) == ADDRESS_S3 ? s3_list(f, up_to, err)
                                                  : hf_list(f, up_to, err));
    if (f->out->count > 0) {
        sort(f->out->items, f->out->count, sizeof *f->out->items, by_name);
    }
    return WINNOW_OK;
}

static winnow_status look(struct finding *f, struct winnow_error *err)
{
    bool found = false;
    enum address_kind kind = address_kind_of(f->address);
    size_t len = strlen(f->address);
    if (kind == ADDRESS_WEB) {
        return web_look(f, err);
    }
    TRY(kind == ADDRESS_S3 ? s3_look(f, &found, err) : hf_look(f, &found, err));
    if (found) {
        return WINNOW_OK;
    }
    struct buf folder = {0};
    buf_add(&folder, f->address, len);
    buf_add_text(&folder, len > 0 && f->address[len - 1] == '/' ? "" : "/");
    f->address = buf_cstr(&folder);
    winnow_status st = list(f, folder.len, err);
    if (st == WINNOW_OK && f->out->count == 0) {
        st = error_set(err, WINNOW_E_IO, "%s is not there, neither as a file nor as a folder",
                       f->shown);
    }
    buf_release(&folder);
    return st;
}

/* Items live in keep at the end. */
static void settle(struct finding *f)
{
    struct storage_object *items = f->out->items;
    size_t n = f->out->count;
    f->out->items = arena_alloc(f->keep, n + 1, sizeof *items);
    if (n > 0) {
        memcpy(f->out->items, items, n * sizeof *items);
    }
    mem_free(items);
}

static winnow_status find(const struct storage *s, const char *address, const size_t *up_to,
                          struct arena *keep, struct storage_found *out, struct winnow_error *err)
{
    struct buf shown = {0};
    url_redact(str_of(address), &shown);
    bool web = address_kind_of(address) == ADDRESS_WEB;
    struct finding f = {.s = s,
                        .address = address,
                        .shown = web ? buf_cstr(&shown) : address,
                        .keep = keep,
                        .out = out};
    *out = (struct storage_found){0};
    winnow_status st = storage_take_web(s, &f.w, err);
    if (st == WINNOW_OK) {
        st = up_to ? list(&f, *up_to, err) : look(&f, err);
    }
    storage_give_web(s, f.w);
    settle(&f);
    buf_release(&shown);
    return st;
}

winnow_status storage_find(const struct storage *s, const char *address, struct arena *keep,
                           struct storage_found *out, struct winnow_error *err)
{
    return find(s, address, NULL, keep, out, err);
}

winnow_status storage_list(const struct storage *s, const char *address, size_t up_to,
                           struct arena *keep, struct storage_found *out, struct winnow_error *err)
{
    return find(s, address, &up_to, keep, out, err);
}
