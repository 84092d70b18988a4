/* shard_remote.c -- see shard_remote_internal.h.  Folders of storage are only names, so what
 * shard_walk.c and run_places.c see by looking, this finds in the list of all that is there. */
#include "base/file.h"
#include "base/map.h"
#include "corpus/shard_remote_internal.h"

/* Keys, to look others up. */
static void index_names(const struct storage_found *found, struct map *names)
{
    map_reserve(names, found->count);
    for (size_t i = 0; i < found->count; i++) {
        *map_put(names, str_of(found->items[i].below), NULL) = i;
    }
}

static bool holds(const struct map *names, struct str folder, const char *name)
{
    struct buf path = {0};
    buf_add_str(&path, folder);
    buf_add_text(&path, name);
    bool has = map_get(names, buf_str(&path)) != NULL;
    buf_release(&path);
    return has;
}

/* folder: "" or one that ends in '/'. */
static bool is_run(const struct map *names, struct str folder)
{
    return holds(names, folder, "recipe.yaml") && holds(names, folder, "input.json");
}

/* A run below what was named, as its folder with a '/'; empty where there is none. */
static struct str find_run_below(const struct storage_found *found, const struct map *names)
{
    for (size_t i = 0; i < found->count; i++) {
        const char *below = found->items[i].below, *base = file_base(below);
        struct str folder = {below, (size_t)(base - below)};
        if (folder.len > 0 && strcmp(base, "recipe.yaml") == 0 && is_run(names, folder)) {
            return folder;
        }
    }
    return (struct str){"", 0};
}

static void keep_documents(struct storage_found *found)
{
    static const char DOCUMENTS[] = "documents/";
    size_t kept = 0;
    for (size_t i = 0; i < found->count; i++) {
        struct storage_object *o = &found->items[i];
        if (strncmp(o->below, DOCUMENTS, sizeof DOCUMENTS - 1) == 0) {
            found->items[kept] = *o;
            found->items[kept++].below = o->below + sizeof DOCUMENTS - 1;
        }
    }
    found->count = kept;
}

static winnow_status cut_runs(const struct remote_walk *how, struct storage_found *found,
                              struct winnow_error *err)
{
    struct map names = {0};
    const struct str top = STR_LIT("");
    winnow_status st = WINNOW_OK;
    index_names(found, &names);
    struct str below = find_run_below(found, &names);
    bool run = is_run(&names, top);
    bool stage = !run && holds(&names, top, "stats.json") && holds(&names, top, "_SUCCESS");
    if (below.len > 0 && !run && (!how->glob || how->deep)) {
        st = error_set(err, WINNOW_E_USAGE,
                       "%.*s is a run folder within %s: what it removed would come back; name the "
                       "run to read its documents, or keep runs apart from the corpus",
                       STR_ARG(below), how->root);
    } else if (run && how->deep) {
        st = error_set(err, WINNOW_E_USAGE,
                       "%s would bring back what a run removed: name the run to read its documents",
                       how->root);
    } else if (run && !how->glob && !holds(&names, top, "_SUCCESS")) {
        st = error_set(err, WINNOW_E_USAGE,
                       "%s is a run that is not finished: do the command that made it again, then "
                       "read its documents",
                       how->root);
    } else if ((run || stage) && !how->glob) {
        keep_documents(found);
    }
    map_release(&names);
    return st;
}

/* Why a name is set apart, or NULL. */
static const char *set_apart(const struct remote_walk *how, const char *below)
{
    if (str_ends(str_of(below), STR_LIT(".tmp"))) {
        return "a name that ends in .tmp";
    }
    for (const char *part = below; *part;) {
        size_t len = strcspn(part, "/");
        bool folder = part[len] == '/';
        if (part[0] == '.') {
            return "a name that begins with a dot";
        }
        if (part[0] == '_' && (folder || !how->walk->underscores)) {
            return "a name that begins with _";
        }
        part += len + folder;
    }
    return NULL;
}

static void skip_kind(const struct remote_walk *how, const struct storage_object *o)
{
    const char *dot = strrchr(file_base(o->below), '.');
    struct buf reason = {0};
    if (dot) {
        buf_addf(&reason, "%s is not read", dot);
    } else {
        buf_add_text(&reason, "no ending that is read");
    }
    account_skip(how->account, o->address, buf_cstr(&reason));
    buf_release(&reason);
}

winnow_status shard_remote_cut(const struct remote_walk *how, struct storage_found *found,
                               struct winnow_error *err)
{
    TRY(cut_runs(how, found, err));
    size_t kept = 0;
    for (size_t i = 0; i < found->count; i++) {
        const struct storage_object *o = &found->items[i];
        bool wanted = how->walk->wants(how->walk->ctx, o->below);
        const char *why = set_apart(how, o->below);
        if (wanted && !why) {
            found->items[kept++] = *o;
        } else if (wanted) {
            account_skip(how->account, o->address, why);
        } else if (how->walk->all && !why) {
            skip_kind(how, o);
        }
    }
    found->count = kept;
    return WINNOW_OK;
}

const char *shard_remote_name(struct str below, struct arena *keep)
{
    struct buf name = {0};
    bool begins = true;
    for (size_t i = 0; i < below.len; i++) {
        if (below.ptr[i] == '/' && begins) {
            buf_add_text(&name, "%2F");
        }
        begins = below.ptr[i] == '/';
        buf_add_char(&name, below.ptr[i]);
    }
    const char *copy = arena_strndup(keep, buf_cstr(&name), name.len);
    buf_release(&name);
    return copy;
}
