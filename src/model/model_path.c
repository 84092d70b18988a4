/* model_path.c -- whether a path can be a model, before anything is loaded.
 *
 * People name the file instead of the folder, the folder instead of the .gguf in
 * it, or a name of a hub: each gets the sentence that leads on. */
#include "model/model_path.h"

#include "base/file.h"
#include "base/file_kind.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first bytes of a plain file, as many as room has; none of anything else. */
static size_t read_head(const char *path, char *head, size_t room)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
        return 0;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, head, room);
    if (fd >= 0) {
        (void)close(fd);
    }
    return n < 0 ? 0 : (size_t)n;
}

bool model_path_is_gguf(const char *path)
{
    char head[4];
    return str_ends(str_of(path), STR_LIT(".gguf")) ||
           (read_head(path, head, sizeof head) == 4 && memcmp(head, "GGUF", 4) == 0);
}

/* The .gguf file of the folder that comes first by name, in name; how many. */
static size_t find_gguf(const char *folder, char *name, size_t room)
{
    size_t found = 0;
    DIR *dir = opendir(folder);
    const struct dirent *e = NULL;
    while (dir && (e = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe): own stream */
        if (!str_ends(str_of(e->d_name), STR_LIT(".gguf"))) {
            continue;
        }
        if (found == 0 || strcmp(e->d_name, name) < 0) {
            (void)snprintf(name, room, "%s", e->d_name);
        }
        found++;
    }
    if (dir) {
        (void)closedir(dir);
    }
    return found;
}

static winnow_status refuse_folder(const char *path, struct winnow_error *err)
{
    char name[256];
    size_t found = find_gguf(path, name, sizeof name);
    if (found > 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s is no model folder (it has no config.json), but it holds %s: give %s, "
                         "as in %s/%s",
                         path, found == 1 ? "a GGUF file" : "GGUF files",
                         found == 1 ? "that file" : "one of them", path, name);
    }
    return error_set(err, WINNOW_E_IO,
                     "%s is no model folder: it has no config.json; give the folder that holds "
                     "config.json, model.safetensors and tokenizer.json, or a .gguf file",
                     path);
}

static winnow_status refuse_file(const char *path, struct winnow_error *err)
{
    char head[64];
    const char *kind = file_kind_of((struct str){head, read_head(path, head, sizeof head)});
    if (kind) {
        return error_set(err, WINNOW_E_FORMAT, "%s is %s", path, kind);
    }
    return error_set(
        err, WINNOW_E_USAGE,
        "%s is neither a model folder nor a GGUF file; of weights in .safetensors give "
        "the folder that holds them and config.json",
        path);
}

winnow_status model_path_check(const char *path, struct winnow_error *err)
{
    struct buf config = {0};
    struct stat info;
    winnow_status st = WINNOW_OK;
    if (stat(path, &info) != 0) {
        st = file_kind_missing(path, "a model", err);
    } else if (S_ISDIR(info.st_mode)) {
        st = file_exists(file_join(&config, path, "config.json")) ? WINNOW_OK
                                                                  : refuse_folder(path, err);
    } else if (!model_path_is_gguf(path)) {
        st = refuse_file(path, err);
    }
    buf_release(&config);
    return st;
}
