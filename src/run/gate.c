/* gate.c -- see gate_internal.h for the sum that is kept. */
#include "base/amount.h"
#include "base/mem.h"
#include "corpus/byte_source.h"
#include "run/gate_internal.h"

#include <inttypes.h>
#include <unistd.h>

#define MIB              ((uint64_t)1 << 20)
#define SLACK            (6 * MIB)    /* the C library's heaps, small things */
#define THREAD_BYTES     (MIB / 2)    /* stack and heap of a thread */
#define STREAM_BYTES     (3 * MIB)    /* a compressor and what it gave last */
#define BLOCK_SPARE      (MIB + 4096) /* the reader reads a long line in steps of that */
#define LINE_GUESS       320U         /* a ledger line and what is stored, until measured */
#define LINE_LEAST       128U
#define ATTRIBUTES_GUESS 1536U /* of one file, a line */
#define SCRATCH_SHARE    16U
#define WORD_USUAL       8U  /* bytes of text, at least where words are not counted yet */
#define TOKEN_BYTES      24U /* of the parser, a separator of JSON and what follows */
#define LONG_LINE        ((size_t)256 << 10)
#define SHARD_BYTES                                                                        \
    2560U                       /* of stats.json and the list of files, a shard, while the \
                                 * stage is finished: measured with seven files a shard */
#define LISTS_BESIDE (20 * MIB) /* program and parser beside these */
#define JOB_KEEPS    ((uint64_t)20 * MIB) /* of buffers that are used again */

/* Of a byte of a long line: raw, stored and composed; parsed and the stage's own. */
static unsigned line_factor(const struct gate_needs *n)
{
    return 3 + n->scratch + n->word_bytes / WORD_USUAL + (n->edits ? 2 : 0);
}

static uint64_t least_room(const struct gate_needs *n)
{
    uint64_t held = n->block_max + BLOCK_SPARE;
    uint64_t at_work = (uint64_t)n->block_max * (n->edits ? 4 : 3);
    return held + at_work + (MIB / 2) * line_factor(n);
}

static uint64_t fixed_bytes(const struct gate *g)
{
    const struct gate_needs *n = &g->needs;
    return g->resident + SLACK + n->threads * (THREAD_BYTES + n->worker_bytes) +
           n->streams * STREAM_BYTES + n->window;
}

/* --memory with which the room would be so many bytes. */
uint64_t gate_limit_for(const struct gate *g, uint64_t room)
{
    uint64_t grown = g->room_max > g->room ? g->room_max - g->room : 0;
    return fixed_bytes(g) + g->kept + grown + room / (SCRATCH_SHARE - 1) * SCRATCH_SHARE +
           SCRATCH_SHARE;
}

uint64_t gate_least(const struct gate *g)
{
    uint64_t least = fixed_bytes(g) + least_room(&g->needs);
    return least < STAGE_MEMORY_LEAST ? STAGE_MEMORY_LEAST : least;
}

uint64_t gate_least_of(const struct gate_needs *needs, uint64_t resident, uint64_t line)
{
    const struct gate g = {.needs = *needs,
                           .resident = resident,
                           .line_bytes = LINE_GUESS + needs->line_bytes +
                                         (uint64_t)ATTRIBUTES_GUESS * needs->attributes};
    struct job block = {0}; /* the first one, of which all but its lines is a guess */
    block.block.lines.len = needs->block_max;
    block.block.line_end = needs->block_max / (line > 0 ? line : 1);
    uint64_t least = gate_least(&g), block_least = gate_limit_for(&g, gate_cost(&g, &block));
    return block_least > least ? block_least : least;
}

uint64_t gate_fixed(const struct gate *g)
{
    return fixed_bytes(g);
}

static void without_limit(struct gate *g)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t all = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : (uint64_t)8 << 30;
    g->room = all / 2; /* of the machine: only large documents come near it */
    g->held_max = g->room / 8;
    g->scratch_max = (size_t)16 << 20;
}

winnow_status gate_init(struct gate *g, const struct gate_needs *needs, const char *stage,
                        struct winnow_error *err)
{
    *g = (struct gate){.needs = *needs, .resident = mem_resident()};
    g->line_bytes = LINE_GUESS + (uint64_t)ATTRIBUTES_GUESS * needs->attributes;
    g->line_bytes += needs->line_bytes;
    if (needs->limit == 0) {
        without_limit(g);
        return WINNOW_OK;
    }
    uint64_t least = gate_least(g);
    if (needs->limit < least) {
        return error_set(err, WINNOW_E_LIMIT,
                         "%s with %" PRIu32 " threads needs --memory %" PRIu64
                         "M at least; --memory is %" PRIu64 "M",
                         stage, needs->threads, (least + MIB - 1) / MIB, needs->limit / MIB);
    }
    g->room = needs->limit - fixed_bytes(g);
    uint64_t kept = needs->threads * 4 * JOB_KEEPS; /* two batches of two jobs a thread */
    g->releases = g->room < 4 * kept;
    g->kept = g->releases ? 0 : kept;
    g->room -= g->kept;
    uint64_t scratch = g->room / SCRATCH_SHARE; /* of all threads, kept between blocks */
    g->scratch_max = (size_t)(scratch / needs->threads / line_factor(needs));
    g->room_max = g->room - scratch;
    gate_shrink(g, 0);
    return WINNOW_OK;
}

winnow_status gate_check(const struct shard_list *input, uint64_t limit, struct winnow_error *err)
{
    uint64_t window = 0;
    const char *packed = "";
    for (size_t i = 0; limit > 0 && i < input->count; i++) {
        uint64_t w = byte_source_peek_window(input->items[i].path, input->items[i].remote);
        packed = w > window ? input->items[i].path : packed;
        window = w > window ? w : window;
    }
    if (limit > 0 && limit < STAGE_MEMORY_LEAST) {
        return error_set(err, WINNOW_E_LIMIT,
                         "--memory %s is too little: a run takes %" PRIu64
                         "M at least; give that, or none for no limit",
                         amount_memory(limit).text, STAGE_MEMORY_LEAST / MIB);
    }
    uint64_t listed = input->count * SHARD_BYTES + LISTS_BESIDE;
    if (limit > 0 && limit < listed) {
        return error_set(err, WINNOW_E_LIMIT,
                         "the account of %zu files takes --memory %" PRIu64
                         "M at least; --memory is %" PRIu64 "M.  Give more, or join small files",
                         input->count, (listed + MIB - 1) / MIB, limit / MIB);
    }
    if (limit > 0 && window > 16 * MIB && limit < STAGE_MEMORY_LEAST + window) {
        return error_set(
            err, WINNOW_E_LIMIT,
            "%s was packed with a window of %" PRIu64
            "M (zstd --long), so that reading it takes --memory %" PRIu64
            "M at least; --memory is %" PRIu64 "M.  Give more, or pack it again without --long",
            packed, window / MIB, (STAGE_MEMORY_LEAST + window) / MIB + 8, limit / MIB);
    }
    return WINNOW_OK;
}

void gate_shrink(struct gate *g, uint64_t growth)
{
    if (g->needs.limit == 0) {
        return;
    }
    uint64_t least = least_room(&g->needs);
    g->room = g->room_max > growth + least ? g->room_max - growth : least;
    g->held_max = g->room / 4;
    if (g->held_max < g->needs.block_max + BLOCK_SPARE) {
        g->held_max = g->needs.block_max + BLOCK_SPARE;
    }
}

struct line_budget gate_line_budget(const struct gate *g)
{
    return (struct line_budget){.limit = g->needs.limit,
                                .fixed = gate_limit_for(g, 0),
                                .per_byte = (double)line_factor(&g->needs) * SCRATCH_SHARE /
                                            (SCRATCH_SHARE - 1)};
}

/* Characters that the parser keeps words for, those in texts included, and an upper
 * bound of the words of text: each begins behind or at a byte that is no ASCII
 * letter or digit, or with a character past ASCII. */
static void count_pieces(struct str s, size_t *structure, size_t *words)
{
    *structure = *words = 0;
    for (size_t at = 0; at < s.len;) {
        size_t end = at + 128 < s.len ? at + 128 : s.len;
        unsigned char marks = 0, begins = 0;
        for (; at < end; at++) {
            unsigned char c = (unsigned char)s.ptr[at], folded = c | 0x20;
            unsigned letter = (unsigned)((unsigned char)(folded - 'a') < 26U) |
                              (unsigned)((unsigned char)(c - '0') < 10U) |
                              (unsigned)((unsigned char)(c - 0x80) < 0x40U);
            marks = (unsigned char)(marks + (c == ',') + (c == ':') + (folded == '{') +
                                    (folded == '}'));
            begins = (unsigned char)(begins + (letter ^ 1U));
        }
        *structure += marks;
        *words += begins;
    }
}

void gate_measure(const struct gate *g, struct job *j)
{
    struct str rest = j->block.lines;
    j->longest = j->structure = j->words = 0;
    if (g->needs.limit == 0 && !g->needs.measures && rest.len <= g->needs.block_max) {
        return;
    }
    while (rest.len > 0) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) + 1 : rest.len;
        j->longest = len > j->longest ? len : j->longest;
        rest = str_sub(rest, len, rest.len);
    }
    j->structure = j->longest / 2;
    j->words = j->longest / 3;
    if (j->longest > LONG_LINE) {
        size_t structure, words;
        count_pieces(j->block.lines, &structure, &words);
        j->structure = structure < j->longest ? structure : j->longest;
        j->words = words < j->longest ? words : j->longest;
    }
}

uint64_t gate_cost(const struct gate *g, const struct job *j)
{
    if (j->end || j->end_of_shard) {
        return 0;
    }
    const struct gate_needs *n = &g->needs;
    uint64_t edits = n->edits ? 1 : 0;
    if (j->piece.data) {
        return j->piece.held * 3 + (uint64_t)j->piece.largest * n->scratch;
    }
    uint64_t bytes = j->block.lines.len, lines = j->block.line_end - j->block.line;
    uint64_t read = bytes + bytes * edits + (uint64_t)j->structure * TOKEN_BYTES +
                    (uint64_t)j->longest * (1 + n->scratch + edits) +
                    (uint64_t)j->words * n->word_bytes;
    uint64_t composed = bytes * (2 + edits) + bytes / 2;
    return (read > composed ? read : composed) + lines * (sizeof(struct record) + g->line_bytes);
}

void gate_learn(struct gate *g, const struct job *j)
{
    uint64_t documents = 0, all = j->store.len;
    for (size_t i = 0; i < STREAMS; i++) {
        all += j->lines[i].len;
    }
    for (size_t i = 0; i < j->count; i++) {
        const struct record *r = &j->records[i];
        documents += r->verdict == STAGE_EDIT ? 2 * r->edited.len : r->line.len + r->bytes;
    }
    uint64_t one = j->count > 0 && all > documents ? (all - documents) / j->count * 5 / 4 : 0;
    if (j->count > 0 && (one + g->needs.line_bytes > g->line_bytes || !g->measured)) {
        g->line_bytes = (one > LINE_LEAST ? one : LINE_LEAST) + g->needs.line_bytes;
        g->measured = true;
    }
}
