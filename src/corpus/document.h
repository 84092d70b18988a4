/* document.h -- one line of a shard, read and written.
 *
 * A document is one JSON object on one line: an `id`, a `text`, and whatever
 * else it carries, which passes through byte for byte.  docs/formats/corpus.md
 * states the rules; they are decided here and nowhere else.
 */
#ifndef WINNOW_CORPUS_DOCUMENT_H
#define WINNOW_CORPUS_DOCUMENT_H

#include "base/buf.h"
#include "base/json.h"

/* Where text and id are found.  A name is tried as it stands, then as a dotted
 * path ("meta.id").  NULL text: the first of text, raw_content, content; an object with none of
 * these whose shape is an example's (example.h) has a text made of it.
 * NULL id: id. */
struct document_keys {
    const char *text, *id;
    int chat; /* enum winnow_chat: how examples become texts */
};

/* One document.  Views hold until the next document of the same parser; raw
 * and what lies in it (text_span) hold as long as the block does. */
struct document {
    struct str raw;       /* the object's bytes: no newline, no white space around */
    struct str id;        /* unescaped; "name#line" where the object has none */
    struct str text;      /* unescaped */
    struct str source;    /* the string "source", or empty */
    struct str url;       /* the string "url", else "metadata.url", or empty */
    struct str text_span; /* the text's value in raw, quotes included */
    struct str id_span;   /* the id's value in raw; ptr NULL where there is none */
    struct json_value json;
    uint64_t line;    /* in its shard, from 1 */
    uint64_t ordinal; /* among the documents of its block, from 0 */
    bool id_made;     /* raw holds no id */
    bool example;     /* the text is made of messages or a prompt and its response: raw has none,
                         text_span is empty, and nobody can edit it */
};

/* What a document counts for in a training, from whoever knows. */
typedef winnow_status (*document_weigh)(void *ctx, const struct document *d, float *weight,
                                        struct winnow_error *err);

/* Appends the object as a later stage should read it: raw, with the made id put
 * in as first member where raw had none (line numbers change between stages,
 * ids must not).  No newline. */
void document_add(const struct document *d, struct buf *out);

/* The same with another text; every other key stays byte for byte, but for the structure of
 * the page (page_structure.h), which is true of the old text only.  Returns whether it had one. */
bool document_add_with_text(const struct document *d, struct str new_text, struct buf *out);

/* The value of the member "structure" that extract wrote; false where there is none. */
bool document_structure(const struct document *d, struct json_value *out);

/* The document without it; false, and nothing is added, where it has none. */
bool document_add_without_structure(const struct document *d, struct buf *out);

/* A line that is no document, or a part of a shard that cannot be read. */
struct bad_line {
    uint64_t line;     /* in its shard, from 1 */
    uint64_t offset;   /* of its first byte, in uncompressed bytes */
    uint64_t bytes;    /* its length without the newline; 0 where nobody can know */
    struct str raw;    /* its bytes, or the first of them where it was too long to hold */
    struct str reason; /* one sentence without its full stop */
    bool torn; /* the shard cannot be read any further; raw is the start of a line, or empty */
    bool unreadable; /* torn by the system, not by what the bytes are */
};

/* Appends the quarantine record as one line of JSON with its newline:
 * {"shard", "line", "offset", "bytes", "reason", "raw" | "raw_base64"}. */
void bad_line_add_json(const struct bad_line *bad, const char *shard, struct buf *out);

/* Reads one line (white space and BOM around it allowed; blank lines are the
 * caller's business) that has JSON_PADDING readable bytes behind it.  Gives
 * WINNOW_OK with *reason.len == 0 and d filled but for ordinal, or WINNOW_OK
 * with a reason that the line is bad for, valid until the next call; other
 * statuses mean that there was no memory. */
struct document_reader;

/* In a reason, between the key that the line lacks and those that it has. */
#define DOCUMENT_KEYS_THERE "; the line has "

struct document_reader *document_reader_new(const struct document_keys *keys);
void document_reader_free(struct document_reader *r);
winnow_status document_read(struct document_reader *r, struct str line, const char *shard,
                            uint64_t line_number, struct document *d, struct str *reason,
                            struct winnow_error *err);

#endif /* WINNOW_CORPUS_DOCUMENT_H */
