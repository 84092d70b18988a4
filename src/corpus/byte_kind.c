/* byte_kind.c -- magic numbers of what lies around among corpora.
 *
 * The content decides; a name decides only where the content says nothing (an empty
 * or foreign start), because files are renamed more often than they are mixed up. */
#include "corpus/byte_kind.h"

#include "corpus/packing.h"

#include <stdio.h>
#include <strings.h>

enum byte_kind byte_kind_of(struct str s)
{
    static const struct {
        struct str magic;
        enum byte_kind kind;
    } MAGIC[] = {
        {{"\x1F\x8B", 2}, BYTES_GZIP},
        {{"\x28\xB5\x2F\xFD", 4}, BYTES_ZSTD},
        {{"\xFD\x37zXZ\0", 6}, BYTES_XZ},
        {{"\x04\x22\x4D\x18", 4}, BYTES_LZ4},
        {{"PK\x03\x04", 4}, BYTES_ZIP},
        {{"ARROW1\0", 7}, BYTES_ARROW},
        {{"version https://git-lfs.github.com/spec/", 40}, BYTES_LFS},
    };
    for (size_t i = 0; i < sizeof MAGIC / sizeof MAGIC[0]; i++) {
        if (str_starts(s, MAGIC[i].magic)) {
            return MAGIC[i].kind;
        }
    }
    if (s.len >= 4 && ((unsigned char)s.ptr[0] & 0xF0) == 0x50 &&
        str_starts(str_sub(s, 1, s.len), STR_LIT("\x2A\x4D\x18"))) {
        return BYTES_ZSTD; /* a frame to skip */
    }
    if (s.len >= 10 && str_starts(s, STR_LIT("BZh")) &&
        str_starts(str_sub(s, 4, s.len), STR_LIT("1AY&SY"))) {
        return BYTES_BZIP2;
    }
    bool parquet = str_starts(s, STR_LIT("PAR1")) || str_starts(s, STR_LIT("PARE"));
    if (parquet && s.len > 4 && (unsigned char)s.ptr[4] < ' ') { /* else a word of a text */
        return BYTES_PARQUET;
    }
    return BYTES_PLAIN;
}

static bool name_ends(struct str name, const char *ending)
{
    size_t n = strlen(ending);
    return name.len > n && strncasecmp(name.ptr + name.len - n, ending, n) == 0;
}

bool byte_kind_refusal(enum byte_kind kind, struct str name, char *clause, size_t room)
{
    static const struct {
        enum byte_kind kind;
        const char *ending, *what, *remedy;
    } REFUSED[] = {
        {BYTES_BZIP2, ".bz2", "it is packed by bzip2, which is not read", "unpack it with bunzip2"},
        {BYTES_XZ, ".xz", "it is packed by xz, which is not read", "unpack it with unxz"},
        {BYTES_LZ4, ".lz4", "it is packed by lz4, which is not read", "unpack it with unlz4"},
        {BYTES_ZIP, ".zip", "it is a zip archive, which is not read", "unpack it with unzip"},
        {BYTES_PARQUET, ".parquet", "it is a Parquet file, whose rows are documents",
         "give it to a command that reads these"},
        {BYTES_ARROW, ".arrow", "it is an Arrow file, which is not read",
         "write its rows as JSON, one a line"},
        {BYTES_LFS, NULL, "it is a Git LFS pointer, not the file itself",
         "fetch it with git lfs pull"},
    };
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++) {
        bool named = REFUSED[i].ending && name_ends(name, REFUSED[i].ending);
        if (kind == REFUSED[i].kind || (named && kind == BYTES_PLAIN)) {
            int n = kind == REFUSED[i].kind
                        ? snprintf(clause, room, "%s; %s", REFUSED[i].what, REFUSED[i].remedy)
                    : REFUSED[i].kind == BYTES_PARQUET
                        ? snprintf(clause, room,
                                   "its name ends in .parquet, but it does not begin as a Parquet "
                                   "file does; rename it")
                        : snprintf(clause, room, "its name ends in %s, which is not read; %s",
                                   REFUSED[i].ending,
                                   REFUSED[i].kind == BYTES_ARROW ? REFUSED[i].remedy
                                                                  : "unpack or rename it");
            return n > 0;
        }
    }
    enum packing packing = packing_of_name(name);
    return packing != PACKING_PLAIN &&
           snprintf(clause, room,
                    "the %s data do not begin: it is named so and not packed; rename it",
                    packing == PACKING_GZ ? "gzip" : "zstd") > 0;
}
