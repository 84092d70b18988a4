/* file_kind.c -- first bytes to a sentence that helps.
 *
 * "Not JSON" is true of a web page that a server sent in place of a model, and of
 * no use.  The table names what people really have in such places, and what to do
 * about it; corpus/byte_kind.c is the one for documents. */
#include "base/file_kind.h"

#include "base/file.h"

#include <strings.h>

struct kind {
    const char *head;
    size_t len;
    const char *say;
};

#define KIND(head, say)                 \
    {                                   \
        (head), sizeof(head) - 1, (say) \
    }

static const struct kind KINDS[] = {
    KIND("version https://git-lfs.github.com/",
         "a Git LFS pointer, not the file it stands for; `git lfs pull` in its repository brings "
         "that"),
    KIND("BZh", "packed with bzip2, which is not read; unpack it with `bunzip2`"),
    KIND("\xFD"
         "7zXZ",
         "packed with xz, which is not read; unpack it with `unxz`"),
    KIND("\x1F\x8B", "packed with gzip; unpack it with `gunzip`"),
    KIND("\x28\xB5\x2F\xFD", "packed with zstd; unpack it with `zstd -d`"),
    KIND("PAR1", "a Parquet file"),
    KIND("ARROW1", "an Arrow file"),
    KIND("PK\x03\x04",
         "a zip archive (older PyTorch weights are one): unpack it, or save the model "
         "with transformers' save_pretrained()"),
    KIND("\x80\x02", "a pickle, as older PyTorch weights are; save the model with transformers' "
                     "save_pretrained()"),
    KIND("\x89HDF", "an HDF5 file"),
    KIND("GGUF", "a GGUF file"),
    KIND("%PDF", "a PDF file"),
    KIND("<!doctype html", "a web page: its server sent that instead of the file"),
    KIND("<html", "a web page: its server sent that instead of the file"),
};

const char *file_kind_of(struct str head)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        const struct kind *k = &KINDS[i];
        bool letters = k->head[0] == '<'; /* HTML's case is free */
        if (head.len >= k->len && (letters ? strncasecmp(head.ptr, k->head, k->len) == 0
                                           : memcmp(head.ptr, k->head, k->len) == 0)) {
            return k->say;
        }
    }
    return NULL;
}

winnow_status file_kind_blame(const char *path, struct str bytes, winnow_status st,
                              struct winnow_error *err)
{
    const char *say = st == WINNOW_E_FORMAT || st == WINNOW_E_LIMIT ? file_kind_of(bytes) : NULL;
    if (st == WINNOW_E_FORMAT && bytes.len == 0) {
        say = "empty";
    }
    return say ? error_set(err, st, "%s is %s", path, say) : st;
}

/* owner/name, as hubs call models: one slash, and no sign of a path. */
static bool is_hub_name(struct str s)
{
    size_t slashes = 0;
    for (size_t i = 0; i < s.len; i++) {
        slashes += s.ptr[i] == '/';
    }
    return slashes == 1 && s.ptr[0] != '/' && s.ptr[0] != '.' && s.ptr[0] != '~' &&
           s.ptr[s.len - 1] != '/' && !str_ends(s, STR_LIT(".json")) &&
           !str_ends(s, STR_LIT(".gguf")) && !str_ends(s, STR_LIT(".safetensors"));
}

winnow_status file_kind_missing(const char *path, const char *what, struct winnow_error *err)
{
    if (path[0] == '\0') {
        return error_set(err, WINNOW_E_USAGE, "the path of %s is empty", what);
    }
    if (is_hub_name(str_of(path))) {
        return error_set(err, WINNOW_E_IO,
                         "%s does not exist here; if it is %s on a hub, download its folder first "
                         "(`huggingface-cli download %s --local-dir models/%s`) and give that",
                         path, what, path, file_base(path));
    }
    return error_set(err, WINNOW_E_IO, "%s does not exist; %s is a path on this machine", path,
                     what);
}
