/* option.h -- options as data.
 *
 * A command describes its options once, as a table over its options struct.
 * The command line, the recipe reader, --help, the docs and the settings block
 * of the report all read that table, so they cannot disagree.
 *
 * A value's text: counts take k, M, G, T (thousands: "8M" tokens), sizes K, M,
 * G, T (1,024s: "8G" bytes), shares "0.5" or "50%".  Everything is checked
 * against the table's bounds; nothing is clamped.
 */
#ifndef WINNOW_OPTION_OPTION_H
#define WINNOW_OPTION_OPTION_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json_write.h"
#include "base/str.h"

enum option_kind {
    OPTION_END,
    OPTION_FLAG,  /* bool; --x, --no-x, x: true */
    OPTION_COUNT, /* uint64_t */
    OPTION_U32,   /* uint32_t */
    OPTION_SIZE,  /* uint64_t, bytes */
    OPTION_REAL,  /* double */
    OPTION_SHARE, /* double */
    OPTION_TEXT,  /* const char *, NULL where unset */
    OPTION_FILE,  /* the same; names a file or folder whose content counts, not its name */
    OPTION_URL,   /* the same; a server's address, written down without what is secret in it */
    OPTION_PROXY, /* the same; a proxy's address */
    OPTION_ENUM,  /* int, index into choices */
    OPTION_LIST,  /* struct winnow_list; a,b,c, or given several times, or a YAML sequence */
    OPTION_FILES, /* the same, of files, folders or corpora whose content counts */
    OPTION_NAMED, /* the same; those of the form NAME=PATH name such a file, others nothing */
};

struct option {
    enum option_kind kind;
    char letter; /* 0: none */
    /* It says how the work is done, not what comes out (an address, a number of
     * retries): results made with another value are as good. */
    bool how;
    const char *name;
    size_t offset;
    double min, max;            /* numbers */
    const char *const *choices; /* OPTION_ENUM: NULL-terminated */
    const char *value;          /* what help calls the value: "N", "FILE" */
    const char *help;
};

#define OPT_ROW(kind, letter, how, name, type, field, lo, hi, choices, value, help)  \
    {                                                                                \
        kind, letter, how, name, offsetof(type, field), lo, hi, choices, value, help \
    }
#define OPT_FLAG(letter, name, type, field, help) \
    OPT_ROW(OPTION_FLAG, letter, false, name, type, field, 0, 0, NULL, NULL, help)
#define OPT_COUNT(letter, name, type, field, lo, hi, help) \
    OPT_ROW(OPTION_COUNT, letter, false, name, type, field, lo, hi, NULL, "N", help)
#define OPT_U32(letter, name, type, field, lo, hi, help) \
    OPT_ROW(OPTION_U32, letter, false, name, type, field, lo, hi, NULL, "N", help)
#define OPT_SIZE(letter, name, type, field, lo, hi, help) \
    OPT_ROW(OPTION_SIZE, letter, false, name, type, field, lo, hi, NULL, "SIZE", help)
#define OPT_REAL(letter, name, type, field, lo, hi, help) \
    OPT_ROW(OPTION_REAL, letter, false, name, type, field, lo, hi, NULL, "X", help)
#define OPT_SHARE(letter, name, type, field, lo, hi, help) \
    OPT_ROW(OPTION_SHARE, letter, false, name, type, field, lo, hi, NULL, "SHARE", help)
#define OPT_TEXT(letter, name, type, field, value, help) \
    OPT_ROW(OPTION_TEXT, letter, false, name, type, field, 0, 0, NULL, value, help)
#define OPT_FILE(letter, name, type, field, help) \
    OPT_ROW(OPTION_FILE, letter, false, name, type, field, 0, 0, NULL, "PATH", help)
#define OPT_ENUM(letter, name, type, field, choices, help) \
    OPT_ROW(OPTION_ENUM, letter, false, name, type, field, 0, 0, choices, NULL, help)
#define OPT_LIST(letter, name, type, field, value, help) \
    OPT_ROW(OPTION_LIST, letter, false, name, type, field, 0, 0, NULL, value, help)
#define OPT_FILES(letter, name, type, field, value, help) \
    OPT_ROW(OPTION_FILES, letter, false, name, type, field, 0, 0, NULL, value, help)
#define OPT_NAMED(letter, name, type, field, value, help) \
    OPT_ROW(OPTION_NAMED, letter, false, name, type, field, 0, 0, NULL, value, help)
/* A row whose value cannot change what comes out: see `how` above. */
#define OPT_HOW(kind, name, type, field, lo, hi, value, help) \
    OPT_ROW(kind, 0, true, name, type, field, lo, hi, NULL, value, help)
/* Where the result goes: its place says nothing of what it is. */
#define OPT_OUTPUT(type, field, value, help) \
    OPT_ROW(OPTION_TEXT, 'o', true, "output", type, field, 0, 0, NULL, value, help)
#define OPT_END                                               \
    {                                                         \
        OPTION_END, 0, false, NULL, 0, 0, 0, NULL, NULL, NULL \
    }

/* Everything there is to say about a command's options. */
struct option_table {
    const char *command;          /* "prune" */
    const char *summary;          /* one line, for `winnow help` */
    const char *usage;            /* "[options] CORPUS..." */
    const char *example;          /* for `winnow help prune`: runnable lines with a comment each */
    const struct option *options; /* ends with OPT_END */
    const struct option_table *shared; /* options that several commands share, or NULL */
    const void *defaults;              /* an options struct with its INIT value */
    size_t size;                       /* of that struct */
};

/* Sets one option from its text.  Strings are copied into keep.  The sentence
 * on failure names the option; unknown names suggest the nearest. */
winnow_status option_set(const struct option_table *table, void *target, struct str name,
                         struct str value, struct arena *keep, struct winnow_error *err);

/* The entry of that name ("rate" or "no-rate" for flags), or NULL. */
const struct option *option_find(const struct option_table *table, struct str name);

/* The known name nearest to a mistyped one, or NULL where none is near; how far
 * it is goes to *distance where that is not NULL. */
const char *option_nearest(const struct option_table *table, struct str name, size_t *distance);

/* A table with the struct that it fills. */
struct option_set {
    const struct option_table *table;
    void *values;
    uint64_t *given; /* bit i: row i stood on the command line; NULL: nobody asks */
};

/* The bit of the table's row of that name in struct option_set's given. */
uint64_t option_bit(const struct option_table *table, const char *name);

/* Reads argv[1..argc-1].  Options are looked for in each of the n sets in turn
 * and may stand before or after paths; "--" ends them.  Plain arguments are
 * collected in *paths, in order; "-" is one of them.  Copies live in keep. */
winnow_status option_parse(const struct option_set *sets, size_t n, int argc,
                           const char *const *argv, struct winnow_list *paths, struct arena *keep,
                           struct winnow_error *err);

bool option_has_letter(const struct option_table *table, char letter);

/* Appends what help calls the value (" N", " low|medium|high", or nothing), and the default
 * (" [0.5]", or nothing where it is nothing). */
void option_add_value(const struct option *o, struct buf *out);
void option_add_default(const struct option_table *table, const struct option *o, struct buf *out);

/* The options with their defaults, as `winnow help` shows them; letters that the table
 * before has already are left out. */
void option_help(const struct option_table *table, const struct option_table *before,
                 struct buf *out);

/* All values as members of the JSON object that w has open (resolved recipe,
 * report, run.json): {"rate": 0.5, "criterion": "medium", ...}. */
void option_write_json(const struct option_table *table, const void *values, struct json_writer *w);

/* The value of one row alone. */
void option_write_value(const struct option *o, const void *values, struct json_writer *w);

/* Whether a value holds what option_write_json() hides. */
bool option_has_secret(const struct option_table *table, const void *values);

/* The same without those that say how only: what results depend on. */
void option_write_key(const struct option_table *table, const void *values, struct json_writer *w);

bool option_is_list(const struct option *o);

/* Calls each for every file, folder or corpus that the values name, until one call
 * fails. */
winnow_status option_each_path(const struct option_table *table, const void *values,
                               winnow_status (*each)(void *ctx, const struct option *o,
                                                     const char *path, struct winnow_error *err),
                               void *ctx, struct winnow_error *err);

void option_list_add(struct winnow_list *list, struct str item, struct arena *keep);

#endif /* WINNOW_OPTION_OPTION_H */
