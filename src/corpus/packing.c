/* packing.c -- the endings of packed files, in one table. */
#include "corpus/packing.h"

#include <strings.h>

static const struct {
    const char *text;
    enum packing packing;
} ENDINGS[] = {{".gz", PACKING_GZ}, {".zst", PACKING_ZST}, {".zstd", PACKING_ZST}};

/* The row of the name's ending, or the number of rows. */
static size_t row_of(struct str name)
{
    size_t i = 0;
    for (; i < sizeof ENDINGS / sizeof *ENDINGS; i++) {
        struct str e = str_of(ENDINGS[i].text);
        if (name.len >= e.len && strncasecmp(name.ptr + name.len - e.len, e.ptr, e.len) == 0) {
            break;
        }
    }
    return i;
}

enum packing packing_of_name(struct str name)
{
    size_t row = row_of(name);
    return row < sizeof ENDINGS / sizeof *ENDINGS ? ENDINGS[row].packing : PACKING_PLAIN;
}

struct str packing_cut(struct str name)
{
    size_t row = row_of(name);
    size_t cut = row < sizeof ENDINGS / sizeof *ENDINGS ? strlen(ENDINGS[row].text) : 0;
    return str_sub(name, 0, name.len - cut);
}

bool packing_is_parquet(struct str name)
{
    struct str e = STR_LIT(".parquet");
    return name.len > e.len && strncasecmp(name.ptr + name.len - e.len, e.ptr, e.len) == 0;
}
