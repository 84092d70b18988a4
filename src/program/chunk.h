/* chunk.h -- cuts a document into what a refiner reads at once.
 *
 * A line is what stands between two "\n"; its number counts from the start of the
 * document in every chunk.  Lines are packed greedily, in order, until the next
 * one would pass the budget of tokens; each line belongs to exactly one chunk,
 * and the chunk's program may touch no other.  A refiner sees
 *
 *     [doc]
 *     [000]Home | About | Contact
 *     [001]The cat sat on the mat.
 *     [/doc]
 *
 * A line costs the tokens of its rendered form alone and one for its newline.
 *
 * Source: Zhou et al. 2409.17115, appendix A.4 (Algorithm 1); the budget counts
 * tokens there, words in its text; long lines are skipped there and sent whole by
 * the published pipeline, hence the policy.  UltraX (2607.08646) writes "<lid:1>".
 */
#ifndef WINNOW_PROGRAM_CHUNK_H
#define WINNOW_PROGRAM_CHUNK_H

#include "base/buf.h"
#include "token/tokenizer.h"

/* How lines are numbered. */
enum line_numbers {
    LINE_NUMBERS_BRACKETS, /* [000], at least three digits */
    LINE_NUMBERS_LID,      /* <lid:1>, from 1 */
};

/* What becomes of a line that costs more than a chunk may. */
enum long_lines {
    LONG_LINES_SKIP,     /* it is not shown: nothing happens to it */
    LONG_LINES_SEND,     /* a chunk of its own, whole */
    LONG_LINES_TRUNCATE, /* a chunk of its own, its first tokens */
};

struct chunk {
    size_t first, last;     /* numbers of its lines, both included */
    struct str text;        /* these lines, without numbers, in the document */
    uint64_t tokens;        /* what they cost */
    bool skipped, too_long; /* too_long: one line past the budget */
    size_t shown;           /* bytes of text that are rendered: all, unless truncated */
};

struct chunk_list {
    struct chunk *items;
    size_t count, cap;
};
void chunk_list_release(struct chunk_list *l);

struct chunk_options {
    uint32_t tokens; /* budget of a chunk */
    enum long_lines long_lines;
    enum line_numbers numbers;
};

/* Works with one tokenizer in one thread. */
struct chunker;

/* The tokenizer, borrowed, is the refiner's; NULL: three bytes count as a token. */
struct chunker *chunker_new(const struct tokenizer *t, const struct chunk_options *options);
void chunker_free(struct chunker *c);

/* Fills out, cleared first, with the chunks of text, which they are views of. */
void chunker_cut(struct chunker *c, struct str text, struct chunk_list *out);

/* Appends what the refiner sees of a chunk. */
void chunk_render(const struct chunk *c, enum line_numbers numbers, struct buf *out);

#endif /* WINNOW_PROGRAM_CHUNK_H */
