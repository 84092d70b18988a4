/* command_key.c -- see command_key.h. */
#include "run/command_key.h"

#include "base/claim.h"
#include "base/file.h"
#include "corpus/shards.h"

const char *read_as(const char *path, struct buf *out)
{
    return claim_is(path, CLAIM_RUN) ? file_join(out, path, "documents") : path;
}

struct adding {
    struct prints *prints;
    struct json_writer *w;
    size_t number;
};

/* Of all that an address leads to: names and prints. */
static winnow_status print_remote(const struct winnow_env *env, const char *path, char hash[33],
                                  struct winnow_error *err)
{
    struct shard_list found = {0};
    const struct shards_options find = {.paths = {&path, 1}, .env = env};
    struct hash_stream *all = hash_stream_new();
    winnow_status st = shards_find(&find, &found, err);
    for (size_t i = 0; i < found.count && st == WINNOW_OK; i++) {
        const struct shard *s = &found.items[i];
        st = storage_object_print(s->remote, hash, err);
        hash_stream_add(all, (struct str){s->name, strlen(s->name) + 1});
        hash_stream_add(all, (struct str){hash, 33});
    }
    hash128_hex(hash_stream_value(all), hash);
    hash_stream_free(all);
    shard_list_release(&found);
    return st;
}

static winnow_status add_print(struct adding *a, const char *name, const char *path,
                               struct winnow_error *err)
{
    char hash[33];
    struct buf as = {0}, label = {0};
    winnow_status st = storage_is_address(path)
                           ? print_remote(prints_env(a->prints), path, hash, err)
                           : prints_tree(a->prints, read_as(path, &as), hash, err);
    buf_addf(&label, "%s %zu", name, a->number++); /* what it is called does not count */
    json_member_text(a->w, buf_cstr(&label), hash);
    buf_release(&as);
    buf_release(&label);
    return st;
}

static winnow_status add_option(void *ctx, const struct option *o, const char *path,
                                struct winnow_error *err)
{
    return o->how ? WINNOW_OK : add_print(ctx, o->name, path, err);
}

winnow_status key_add_files(struct prints *prints, const struct option_table *table,
                            const void *options, struct json_writer *w, struct winnow_error *err)
{
    struct adding a = {prints, w, 0};
    json_member_open(w, "files", '{');
    winnow_status st = option_each_path(table, options, add_option, &a, err);
    json_close(w, '}');
    return st;
}

void settings_key(const struct option_table *table, const void *options, struct str more,
                  char out[33])
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    json_open(&w, '{');
    json_member_text(&w, "command", table ? table->command : "");
    json_member_open(&w, "options", '{');
    if (table && options) {
        option_write_key(table, options, &w);
    }
    json_close(&w, '}');
    json_member_str(&w, "more", more);
    json_close(&w, '}');
    hash128_hex(hash128(buf_str(&text)), out);
    buf_release(&text);
}

winnow_status command_key(struct prints *prints, const struct command_inputs *in, char settings[33],
                          char key[33], struct winnow_error *err)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    struct adding a = {prints, &w, 0};
    buf_addf(&text, "%llu %s", (unsigned long long)in->seed, in->kernels ? in->kernels : "");
    settings_key(in->table, in->options, buf_str(&text), settings);
    buf_clear(&text);
    json_open(&w, '{');
    json_member_text(&w, "settings", settings);
    winnow_status st = key_add_files(prints, in->table, in->options, &w, err);
    json_member_open(&w, "input", '{');
    for (size_t i = 0; st == WINNOW_OK && i < in->paths.count; i++) {
        st = add_print(&a, "", in->paths.items[i], err);
    }
    json_close(&w, '}');
    json_close(&w, '}');
    hash128_hex(hash128(buf_str(&text)), key);
    buf_release(&text);
    return st;
}
