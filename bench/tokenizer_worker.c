/* tokenizer_worker.c -- one thread's encoding speed, for tokenizer_vs_hf.py.
 *
 *     tokenizer_worker TOKENIZER TEXTS FLAGS IDS
 *
 * TEXTS holds texts that each end with a NUL.  Writes the ids of each as uint32,
 * ended by 0xFFFFFFFF, to IDS, and prints the seconds that encoding took (not
 * loading, reading or writing). */
#include "base/env.h"
#include "base/file.h"
#include "token/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>

static winnow_status run(const char *const *argv, struct winnow_error *err)
{
    struct tokenizer *t = NULL;
    struct buf in = {0};
    struct u32_list ids = {0};
    unsigned flags = (unsigned)strtoul(argv[3], NULL, 10);
    TRY(tokenizer_load(argv[1], &t, err));
    TRY(file_read(argv[2], (size_t)1 << 32, &in, err));
    struct tokenizer_scratch *s = tokenizer_scratch_new(t);
    struct str rest = buf_str(&in);
    double start = env_seconds();
    while (rest.len > 0) {
        const char *end = memchr(rest.ptr, '\0', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        tokenizer_encode(t, s, str_sub(rest, 0, len), flags, &ids);
        u32_list_add(&ids, UINT32_MAX);
        rest = str_sub(rest, end ? len + 1 : len, rest.len);
    }
    (void)printf("%.6f\n", env_seconds() - start);
    struct str bytes = {(const char *)ids.ptr, ids.len * sizeof(uint32_t)};
    winnow_status st = file_write_atomic(argv[4], bytes, err);
    tokenizer_scratch_free(s);
    tokenizer_free(t);
    buf_release(&in);
    u32_list_release(&ids);
    return st;
}

int main(int argc, char **argv)
{
    struct winnow_error err = {{0}};
    if (argc != 5) {
        (void)fprintf(stderr, "usage: tokenizer_worker TOKENIZER TEXTS FLAGS IDS\n");
        return 2;
    }
    if (run((const char *const *)argv, &err) != WINNOW_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    return 0;
}
