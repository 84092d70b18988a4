/* corpus_options.c -- what every command from corpus to corpus takes.
 *
 * Its output is a folder.  Who writes `-o out.jsonl.gz` wants a file and would get a
 * folder of that name; the check says which words make the file. */
#include "option/corpus_options.h"

#include "base/file.h"
#include "option/text_options.h"

#include <strings.h>

static const char *const ON_BAD[] = {"quarantine", "skip", "stop", NULL};
static const char *const FORMATS[] = {"as-input",  "jsonl",   "jsonl.gz",
                                      "jsonl.zst", "parquet", NULL};

static const struct option OPTIONS[] = {
    OPT_OUTPUT(struct winnow_corpus_options, output, "FOLDER",
               "run folder to fill, or - for documents on standard output"),
    OPT_TEXT(0, "run", struct winnow_corpus_options, run, "FOLDER",
             "with -o -: where removed and bad documents and the ledger go"),
    OPT_ENUM(0, "output-format", struct winnow_corpus_options, output_format, FORMATS,
             "what outputs are, and what their names end in"),
    OPT_COUNT(0, "limit", struct winnow_corpus_options, limit, 0, 1e18,
              "read the first N documents only; 0: all"),
    OPT_ENUM(0, "on-bad", struct winnow_corpus_options, on_bad, ON_BAD,
             "what to do at a line that is no document"),
    KEY_OPTIONS(struct winnow_corpus_options, ),
    OPT_FLAG(0, "keep-removed", struct winnow_corpus_options, keep_removed,
             "copy removed documents to removed/ with their reason"),
    OPT_FLAG(0, "dry-run", struct winnow_corpus_options, dry_run,
             "estimate time, memory, disk and what is kept from a sample"),
    OPT_SIZE(0, "line-max", struct winnow_corpus_options, line_max, 1024, 4294967296.0,
             "longer lines are bad"),
    OPT_HOW(OPTION_REAL, "checkpoint", struct winnow_corpus_options, checkpoint, 0, 3600, "X",
            "seconds between two checkpoints"),
    OPT_TEXT(0, "temporary", struct winnow_corpus_options, temporary, "FOLDER",
             "where a pipe is kept that is read more than once"),
    OPT_END,
};

const struct option_table CORPUS_TABLE = {
    .command = "corpus",
    .summary = "options of every command from corpus to corpus",
    .options = OPTIONS,
    .defaults = &WINNOW_CORPUS_OPTIONS_INIT,
    .size = sizeof(struct winnow_corpus_options),
};

winnow_status corpus_output_check(const char *output, struct winnow_error *err)
{
    static const char *const FILES[][2] = {
        {".jsonl", ""},     {".json", ""},       {".ndjson", ""},      {".txt", ""},
        {".gz", " | gzip"}, {".zst", " | zstd"}, {".zstd", " | zstd"}, {".bz2", " | bzip2"},
        {".xz", " | xz"},   {".lz4", " | lz4"},  {".parquet", NULL},   {".arrow", NULL},
        {".csv", NULL},     {".tsv", NULL},
    };
    struct str name = str_of(output);
    while (name.len > 1 && name.ptr[name.len - 1] == '/') {
        name.len--;
    }
    if (output[0] == '~' && !file_exists(output)) {
        return error_set(err, WINNOW_E_USAGE,
                         "-o %s: a shell makes your home folder of ~ only where it is not quoted; "
                         "write the path whole, or ./%s for a folder of that name",
                         output, output);
    }
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        struct str e = str_of(FILES[i][0]);
        bool ends =
            name.len >= e.len && strncasecmp(name.ptr + name.len - e.len, e.ptr, e.len) == 0;
        if (!ends || file_is_dir(output)) {
            continue;
        }
        if (!FILES[i][1]) {
            return error_set(
                err, WINNOW_E_USAGE,
                "-o %s: documents are written into a run folder, as JSON lines or (--output-format "
                "parquet) as Parquet: name a folder, or write `-o - > out.jsonl` for one file",
                output);
        }
        return error_set(err, WINNOW_E_USAGE,
                         "-o %s: what comes out is a folder (documents/, what was removed, a "
                         "ledger), and this is named as a file; for one file of documents "
                         "write `-o -%s > %.*s`, with --run FOLDER to keep the rest, or name a "
                         "folder",
                         output, FILES[i][1], STR_ARG(name));
    }
    return WINNOW_OK;
}
