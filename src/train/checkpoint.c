/* checkpoint.c -- a trainer's state in one file, docs/formats/checkpoint.md.
 *
 * Numbers are written as they lie in memory, so what is loaded is what was
 * saved, bit for bit.  The hash at the end covers everything before it.
 */
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "train/trainer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MAGIC "winnowC1"

struct header {
    char magic[8];
    uint64_t model;   /* fingerprint of the model's shape */
    uint64_t options; /* of the schedule and optimizer */
    uint64_t steps;
    double flops;
    uint64_t count;
};

struct footer {
    uint64_t low, high;
};

static uint64_t fingerprint(const double *numbers, size_t n)
{
    return hash64((struct str){(const char *)numbers, n * sizeof *numbers}, 0);
}

static struct header header_of(const struct trainer *t)
{
    const struct model_config *c = model_config(t->model);
    const struct trainer_options *o = &t->opt;
    double shape[] = {
        c->vocab,       c->dim,      c->layers,    c->heads,        c->kv_heads,
        c->head_dim,    c->ffn,      c->norm_eps,  c->rope_base,    (double)c->rope_scaling,
        c->rope_factor, c->rope_low, c->rope_high, c->rope_context, c->tied,
        c->qkv_bias,    c->out_bias, c->mlp_bias};
    double options[] = {(double)o->compute,
                        (double)o->steps,
                        (double)o->warmup,
                        o->lr,
                        o->lr_end,
                        o->beta1,
                        o->beta2,
                        o->eps,
                        o->weight_decay,
                        o->clip,
                        (double)o->optimizer,
                        o->momentum};
    size_t numbers = sizeof options / sizeof *options;
    numbers -= o->optimizer == TRAINER_ADAMW ? 2 : 0; /* AdamW knows neither */
    struct header h = {.model = fingerprint(shape, sizeof shape / sizeof *shape),
                       .options = fingerprint(options, numbers),
                       .steps = t->steps,
                       .flops = t->flops,
                       .count = t->count};
    memcpy(h.magic, MAGIC, sizeof h.magic);
    return h;
}

static struct str bytes_of(const void *p, size_t n)
{
    return (struct str){p, n};
}

static winnow_status write_part(int fd, struct hash_stream *hash, struct str bytes,
                                const char *path, struct winnow_error *err)
{
    hash_stream_add(hash, bytes);
    return file_write_fd(fd, bytes, path, err);
}

static winnow_status write_all(const struct trainer *t, int fd, const char *path,
                               struct winnow_error *err)
{
    struct hash_stream *hash = hash_stream_new();
    struct header h = header_of(t);
    size_t bytes = t->count * sizeof(float);
    winnow_status st = write_part(fd, hash, bytes_of(&h, sizeof h), path, err);
    const float *const parts[] = {model_values_const(t->model), t->m, t->v};
    for (size_t i = 0; i < 3 && st == WINNOW_OK; i++) {
        st = write_part(fd, hash, bytes_of(parts[i], bytes), path, err);
    }
    struct hash128 value = hash_stream_value(hash);
    hash_stream_free(hash);
    struct footer f = {value.low, value.high};
    return st == WINNOW_OK ? file_write_fd(fd, bytes_of(&f, sizeof f), path, err) : st;
}

winnow_status trainer_save(const struct trainer *t, const char *path, struct winnow_error *err)
{
    struct buf temporary = {0};
    buf_addf(&temporary, "%s.tmp", path);
    const char *name = buf_cstr(&temporary);
    winnow_status st;
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        st = error_errno(err, "writing", name);
    } else {
        st = write_all(t, fd, name, err);
        if (close(fd) != 0 && st == WINNOW_OK) {
            st = error_errno(err, "writing", name);
        }
        if (st == WINNOW_OK) {
            st = file_commit(name, path, err);
        }
        if (st != WINNOW_OK) {
            (void)unlink(name);
        }
    }
    buf_release(&temporary);
    return st;
}

static winnow_status read_state(struct trainer *t, struct str bytes, struct winnow_error *err)
{
    struct header h, own = header_of(t);
    size_t each = t->count * sizeof(float), whole = sizeof h + 3 * each;
    if (bytes.len < sizeof h || memcmp(bytes.ptr, MAGIC, sizeof h.magic) != 0) {
        return error_set(err, WINNOW_E_FORMAT, "not a winnow checkpoint");
    }
    memcpy(&h, bytes.ptr, sizeof h);
    if (h.model != own.model || h.count != own.count) {
        return error_set(err, WINNOW_E_FORMAT, "checkpoint of a model of another shape");
    }
    if (h.options != own.options) {
        return error_set(err, WINNOW_E_FORMAT,
                         "checkpoint of a training with other options (schedule or optimizer)");
    }
    struct footer f;
    if (bytes.len != whole + sizeof f) {
        return error_set(err, WINNOW_E_FORMAT, "checkpoint of %zu bytes, expected %zu", bytes.len,
                         whole + sizeof f);
    }
    memcpy(&f, bytes.ptr + whole, sizeof f);
    struct hash128 hash = hash128(str_sub(bytes, 0, whole));
    if (f.low != hash.low || f.high != hash.high) {
        return error_set(err, WINNOW_E_FORMAT, "damaged checkpoint (its hash does not fit)");
    }
    const char *at = bytes.ptr + sizeof h;
    memcpy(model_values(t->model), at, each);
    memcpy(t->m, at + each, each);
    memcpy(t->v, at + 2 * each, each);
    t->steps = h.steps;
    t->flops = h.flops;
    engine_weights_changed(t->engine);
    return WINNOW_OK;
}

winnow_status trainer_load(struct trainer *t, const char *path, struct winnow_error *err)
{
    struct file_map map;
    TRY(file_map_open(path, &map, err));
    winnow_status st = read_state(t, map.bytes, err);
    file_map_close(&map);
    return st == WINNOW_OK ? st : error_wrap(err, st, "%s", path);
}
