/* token_file.c -- NumPy, llm.c, nanoGPT and Megatron token files.
 *
 * Ids stream through a buffer into NAME.tmp; what depends on their number (the
 * header, Megatron's index) is written last.  Only the lengths of documents are
 * kept, for Megatron.  Numbers are little-endian, as all formats have it.
 */
#include "token/token_file.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "token/tokenizer.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define FLUSH_BYTES     ((size_t)1 << 20)
#define NPY_HEADER      128U
#define LLMC_HEADER     1024U
#define LLMC_TOKENS_MAX ((uint64_t)INT32_MAX)
#define MEGATRON_UINT16 8
#define MEGATRON_INT32  4

struct token_file {
    enum token_file_kind kind;
    struct buf path, temporary; /* of the ids */
    struct buf pending;
    int fd;
    unsigned width; /* bytes an id */
    uint64_t tokens;
    struct u32_list lengths; /* Megatron: ids of each document */
};

static void add_le(struct buf *b, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        buf_add_char(b, (char)(v >> (8 * i) & 0xFF));
    }
}

static size_t header_size(const struct token_file *f)
{
    return f->kind == TOKEN_FILE_NPY ? NPY_HEADER : f->kind == TOKEN_FILE_LLMC ? LLMC_HEADER : 0;
}

static void add_header(const struct token_file *f, struct buf *b)
{
    if (f->kind == TOKEN_FILE_NPY) {
        /* Magic, version 1.0, length of the text that ends with a newline. */
        buf_add(b, "\x93NUMPY\x01\x00", 8);
        add_le(b, NPY_HEADER - 10, 2);
        buf_addf(b, "{'descr': '<u%u', 'fortran_order': False, 'shape': (%llu,), }", f->width,
                 (unsigned long long)f->tokens);
        while (b->len < NPY_HEADER - 1) {
            buf_add_char(b, ' ');
        }
        buf_add_char(b, '\n');
    } else if (f->kind == TOKEN_FILE_LLMC) {
        add_le(b, f->width == 2 ? 20240520 : 20240801, 4);
        add_le(b, f->width == 2 ? 1 : 7, 4);
        add_le(b, f->tokens, 4);
        while (b->len < LLMC_HEADER) {
            buf_add_char(b, '\0');
        }
    }
}

winnow_status token_file_open(struct token_file **out, enum token_file_kind kind, const char *path,
                              const char *temporary, uint32_t vocab_size, struct winnow_error *err)
{
    if (kind == TOKEN_FILE_MEGATRON && file_is_special(path)) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s is no regular file, and Megatron's are two: name what comes before "
                         ".bin and .idx",
                         path);
    }
    struct token_file *f = mem_zalloc(sizeof *f);
    f->kind = kind;
    f->width = vocab_size <= 65536 ? 2 : 4;
    buf_addf(&f->path, "%s%s", path, kind == TOKEN_FILE_MEGATRON ? ".bin" : "");
    winnow_status st =
        file_open_temporary(buf_cstr(&f->path), temporary, &f->temporary, &f->fd, err);
    if (st != WINNOW_OK) {
        token_file_close(f);
        return st;
    }
    add_header(f, &f->pending); /* its final content comes with the commit */
    *out = f;
    return WINNOW_OK;
}

static winnow_status flush(struct token_file *f, struct winnow_error *err)
{
    TRY(file_write_fd(f->fd, buf_str(&f->pending), buf_cstr(&f->temporary), err));
    buf_clear(&f->pending);
    return WINNOW_OK;
}

winnow_status token_file_add(struct token_file *f, const uint32_t *ids, size_t count,
                             struct winnow_error *err)
{
    if (f->kind == TOKEN_FILE_LLMC && f->tokens + count > LLMC_TOKENS_MAX) {
        return error_set(err, WINNOW_E_LIMIT,
                         "an llm.c file holds at most %llu tokens; encode the shards one by one",
                         (unsigned long long)LLMC_TOKENS_MAX);
    }
    if (f->kind == TOKEN_FILE_MEGATRON) {
        if (count > INT32_MAX) {
            return error_set(err, WINNOW_E_LIMIT, "a document of %zu tokens is too long", count);
        }
        u32_list_add(&f->lengths, (uint32_t)count);
    }
    char *to = buf_reserve(&f->pending, count * f->width);
    for (size_t i = 0; i < count; i++) {
        assert(f->width == 4 || ids[i] <= UINT16_MAX);
        for (unsigned k = 0; k < f->width; k++) {
            *to++ = (char)(ids[i] >> (8 * k) & 0xFF);
        }
    }
    f->pending.len += count * f->width;
    f->tokens += count;
    return f->pending.len >= FLUSH_BYTES ? flush(f, err) : WINNOW_OK;
}

/* Megatron's index: magic, version, type of the ids; the number of sequences
 * and of document bounds; lengths, byte offsets, and the documents' bounds. */
static winnow_status write_index(const struct token_file *f, struct winnow_error *err)
{
    struct buf b = {0}, path = {0};
    size_t n = f->lengths.len;
    buf_add(&b, "MMIDIDX\0\0", 9);
    add_le(&b, 1, 8);
    add_le(&b, f->width == 2 ? MEGATRON_UINT16 : MEGATRON_INT32, 1);
    add_le(&b, n, 8);
    add_le(&b, n + 1, 8);
    for (size_t i = 0; i < n; i++) {
        add_le(&b, f->lengths.ptr[i], 4);
    }
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        add_le(&b, at, 8);
        at += (uint64_t)f->lengths.ptr[i] * f->width;
    }
    for (size_t i = 0; i <= n; i++) {
        add_le(&b, i, 8);
    }
    /* NAME.bin -> NAME.idx */
    buf_add(&path, f->path.ptr, f->path.len - 3);
    buf_add_text(&path, "idx");
    winnow_status st = file_write_atomic(buf_cstr(&path), buf_str(&b), err);
    buf_release(&b);
    buf_release(&path);
    return st;
}

winnow_status token_file_commit(struct token_file *f, struct winnow_error *err)
{
    TRY(flush(f, err));
    if (header_size(f) > 0) {
        add_header(f, &f->pending);
        assert(f->pending.len == header_size(f));
        if (lseek(f->fd, 0, SEEK_SET) != 0) {
            return error_errno(err, "cannot write the header of", buf_cstr(&f->temporary));
        }
        TRY(flush(f, err));
    }
    TRY(file_commit(buf_cstr(&f->temporary), buf_cstr(&f->path), err));
    buf_clear(&f->temporary); /* nothing is left to remove */
    return f->kind == TOKEN_FILE_MEGATRON ? write_index(f, err) : WINNOW_OK;
}

void token_file_close(struct token_file *f)
{
    if (!f) {
        return;
    }
    if (f->fd >= 0) {
        (void)close(f->fd);
    }
    if (f->fd >= 0 && f->temporary.len > 0) {
        (void)unlink(buf_cstr(&f->temporary));
    }
    buf_release(&f->path);
    buf_release(&f->temporary);
    buf_release(&f->pending);
    u32_list_release(&f->lengths);
    mem_free(f);
}
