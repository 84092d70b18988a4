/* replay.c -- runs a fuzz target over a folder of saved inputs, with any
 * compiler: every corpus file is also a regression test in plain ctest. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    const size_t most = (size_t)16 << 20;
    uint8_t *all = malloc(most);
    size_t n = all ? fread(all, 1, most, f) : 0;
    (void)fclose(f);
    uint8_t *exact = malloc(n > 0 ? n : 1); /* no slack: ASan sees one byte over */
    if (!all || !exact) {
        abort();
    }
    memcpy(exact, all, n);
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    free(all);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (!dir) {
        (void)fprintf(stderr, "usage: replay_NAME FOLDER\n");
        return 2;
    }
    int passed = 0, failed = 0;
    char path[4096];
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (e->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
            failed += replay(path);
            passed++;
        }
    }
    (void)closedir(dir);
    (void)printf("%d passed, %d failed\n", passed - failed, failed);
    return failed > 0 || passed == 0;
}
