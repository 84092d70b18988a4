/* count.h -- how much is in a corpus. */
#ifndef WINNOW_COUNT_H
#define WINNOW_COUNT_H

#include "winnow/chat.h"
#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_count_by { WINNOW_COUNT_TOTAL, WINNOW_COUNT_BY_SHARD, WINNOW_COUNT_BY_SOURCE };

enum winnow_count_bad {
    WINNOW_COUNT_BAD_REPORT, /* count all that can be read, then fail with WINNOW_E_FORMAT */
    WINNOW_COUNT_BAD_SKIP,   /* count them, warn, succeed */
    WINNOW_COUNT_BAD_STOP    /* fail at the first */
};

struct winnow_count_options {
    const char *files_from; /* a file with one input path a line, or NULL */
    const char *text_key;   /* NULL: text, raw_content or content */
    const char *id_key;     /* NULL: id */
    int chat;               /* enum winnow_chat */
    const char *tokenizer;  /* count tokens with that tokenizer.json or model folder; or NULL */
    bool ids;               /* count repeated ids: 16 bytes of memory a document */
    int by;                 /* enum winnow_count_by */
    int on_bad;             /* enum winnow_count_bad */
    uint64_t line_max;      /* bytes; a longer line is bad */
};
#define WINNOW_COUNT_OPTIONS_INIT (WINNOW_NEW(winnow_count_options){.line_max = (uint64_t)64 << 20})

struct winnow_counts {
    const char *name; /* of the shard or source; "total" */
    uint64_t documents;
    uint64_t bytes;      /* of their lines, without newlines */
    uint64_t text_bytes; /* of their texts, in UTF-8 */
    uint64_t words;      /* pieces of text between white space */
    uint64_t tokens;     /* without beginning and end of text; 0 without a tokenizer */
    uint64_t bad;        /* lines that are no documents, and shards that break off */
};

struct winnow_count_result {
    struct winnow_counts total;
    struct winnow_counts *rows; /* in the order in which the input names them */
    size_t row_count;
    uint64_t repeated_ids; /* documents whose id an earlier one has */
    bool complete;         /* all that could be read was counted, whatever the status */
    void *keep;
};

/* Counts documents of paths (files, folders, globs, "-").  *out is filled also
 * where bad lines (WINNOW_COUNT_BAD_REPORT), lost shards or an input without any
 * document make the call fail at its end (WINNOW_E_FORMAT), and is
 * to be freed in any case. */
WINNOW_API winnow_status winnow_count(const struct winnow_count_options *opt,
                                      const struct winnow_list *paths, const struct winnow_env *env,
                                      struct winnow_count_result *out, struct winnow_error *err);
WINNOW_API void winnow_count_result_free(struct winnow_count_result *r);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_COUNT_H */
