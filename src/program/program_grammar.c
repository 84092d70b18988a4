/* program_grammar.c -- the automaton.
 *
 * The spellings of a dialect are a trie of bytes in which a whole argument counts
 * as one byte (program_spelling.h).  Behind a number or a string, what comes next
 * tells where it ends, and no two spellings that could be taken for each other
 * meet at one node, so one state suffices; a state is 32 bytes and a step a few
 * comparisons.
 *
 * Numbers are held to lines lo..hi digit by digit: a digit may come if some number
 * in the range starts with what is then written.  Strings are UTF-8, without
 * control characters but the tab, and end at length_max at the latest. */
#include "program/program_grammar.h"

#include "base/mem.h"
#include "program/program_spelling.h"

#include <assert.h>

#define NODES_MAX 1024U

struct node {
    uint16_t child, sibling; /* 0: none; the root is nobody's child */
    uint8_t byte;
    bool ends, alone; /* a spelling ends here; and is the whole program */
    bool among;       /* a spelling that may follow others leads through here */
};

struct program_grammar {
    struct spelling_set set;
    uint16_t count;
    struct node nodes[NODES_MAX];
};

/* ---- the trie ---- */

static uint16_t find_child(const struct program_grammar *g, uint16_t node, uint8_t byte)
{
    uint16_t n = g->nodes[node].child;
    while (n != 0 && g->nodes[n].byte != byte) {
        n = g->nodes[n].sibling;
    }
    return n;
}

static void put_spelling(struct program_grammar *g, const struct spelling *s)
{
    uint16_t node = 0;
    for (const char *c = s->text; *c != '\0'; c++) {
        uint16_t next = find_child(g, node, (uint8_t)*c);
        if (next == 0) {
            assert(g->count < NODES_MAX);
            next = g->count++;
            g->nodes[next] = (struct node){.byte = (uint8_t)*c, .sibling = g->nodes[node].child};
            g->nodes[node].child = next;
        }
        node = next;
        g->nodes[node].among = g->nodes[node].among || !s->alone;
    }
    g->nodes[node].ends = true;
    g->nodes[node].alone = s->alone;
}

struct program_grammar *program_grammar_new(int dialect, enum program_level level)
{
    struct program_grammar *g = mem_zalloc(sizeof *g);
    g->set = spelling_set_of(dialect, level);
    assert(g->set.items);
    g->count = 1;
    for (const struct spelling *s = g->set.items; s->text; s++) {
        put_spelling(g, s);
    }
    return g;
}

void program_grammar_free(struct program_grammar *g)
{
    mem_free(g);
}

struct program_state program_grammar_start(const struct program_grammar *g,
                                           const struct program_grammar_spec *spec)
{
    assert(spec->first <= spec->last && spec->last < UINT32_MAX);
    uint32_t length = spec->string_bytes < UINT16_MAX ? spec->string_bytes : UINT16_MAX;
    return (struct program_state){.first = spec->first + g->set.first_line,
                                  .last = spec->last + g->set.first_line,
                                  .length_max = (uint16_t)length,
                                  .phase = PHASE_LEAD};
}

/* ---- numbers ---- */

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static uint32_t number_low(const struct program_grammar *g, const struct program_state *s)
{
    return g->nodes[s->node].byte == SPELL_TO ? s->low : s->first;
}

/* Whether some number in lo..hi starts with the digits of value. */
static bool leads_into(uint64_t value, uint64_t lo, uint64_t hi)
{
    if (value == 0) {
        return lo == 0; /* no number starts with a zero but zero itself */
    }
    for (uint64_t from = value, to = value; from <= hi; from *= 10, to = to * 10 + 9) {
        if (to >= lo) {
            return true;
        }
    }
    return false;
}

static bool step_number(const struct program_grammar *g, struct program_state *s, uint8_t byte)
{
    if (s->value == 0) {
        return false; /* a zero stands alone */
    }
    uint64_t value = (uint64_t)s->value * 10 + (byte - (uint64_t)'0');
    if (!leads_into(value, number_low(g, s), s->last)) {
        return false;
    }
    s->value = (uint32_t)value;
    return true;
}

/* ---- strings ---- */

/* What a character still needs, by its first byte: the number of bytes to come, or
 * 4..7 where the next one has a narrower range (RFC 3629, section 4). */
static int utf8_of_lead(uint8_t byte)
{
    if (byte >= 0xC2 && byte <= 0xDF) {
        return 1;
    }
    if (byte >= 0xE0 && byte <= 0xEF) {
        return byte == 0xE0 ? 4 : byte == 0xED ? 5 : 2;
    }
    if (byte >= 0xF0 && byte <= 0xF4) {
        return byte == 0xF0 ? 6 : byte == 0xF4 ? 7 : 3;
    }
    return -1;
}

static bool step_utf8(struct program_state *s, uint8_t byte)
{
    static const struct {
        uint8_t lo, hi, next;
    } NEED[] = {{0, 0, 0},       {0x80, 0xBF, 0}, {0x80, 0xBF, 1}, {0x80, 0xBF, 2},
                {0xA0, 0xBF, 1}, {0x80, 0x9F, 1}, {0x90, 0xBF, 2}, {0x80, 0x8F, 2}};
    if (byte < NEED[s->utf8].lo || byte > NEED[s->utf8].hi) {
        return false;
    }
    s->utf8 = NEED[s->utf8].next;
    s->length++;
    return true;
}

static bool step_lead_byte(struct program_state *s, uint8_t byte)
{
    static const uint8_t BYTES[] = {0, 2, 3, 4, 3, 3, 4, 4};
    int need = utf8_of_lead(byte);
    if (need < 0 || s->length + BYTES[need] > s->length_max) {
        return false;
    }
    s->utf8 = (uint8_t)need;
    s->length++;
    s->solid = 1;
    return true;
}

static bool step_string(const struct program_grammar *g, struct program_state *s, uint8_t byte)
{
    if (s->utf8 != 0) {
        return step_utf8(s, byte);
    }
    if (byte == s->quote) {
        s->phase = PHASE_NODE;
        return s->solid != 0;
    }
    if (s->length >= s->length_max || (byte < 0x20 && byte != '\t') || byte == 0x7F) {
        return false;
    }
    if (g->set.bare) {
        if (byte == ',' || byte == '=' || byte == ')') {
            return false;
        }
    } else if (byte == '\\') {
        s->phase = PHASE_ESCAPE;
        return true;
    }
    if (byte >= 0x80) {
        return step_lead_byte(s, byte);
    }
    s->solid = s->solid || !g->set.bare || byte != ' '; /* prox passes over " " */
    s->length++;
    return true;
}

static bool step_escape(struct program_state *s, uint8_t byte)
{
    s->phase = PHASE_STRING;
    s->length++;
    s->solid = 1;
    return byte == '\\' || byte == '"' || byte == '\'' || byte == 't';
}

/* ---- spellings ---- */

static bool start_number(const struct program_grammar *g, struct program_state *s, uint16_t node,
                         uint8_t byte)
{
    s->node = node;
    s->value = (uint32_t)(byte - '0');
    s->phase = PHASE_NUMBER;
    return leads_into(s->value, number_low(g, s), s->last);
}

static bool start_string(const struct program_grammar *g, struct program_state *s, uint16_t node,
                         uint8_t byte)
{
    s->node = node;
    s->quote = byte;
    s->length = 0;
    s->solid = g->nodes[node].byte == SPELL_TARGET;
    s->phase = PHASE_STRING;
    return true;
}

static bool step_node(const struct program_grammar *g, struct program_state *s, uint8_t byte)
{
    const struct node *here = &g->nodes[s->node];
    if (here->ends && byte == '\n' && !here->alone) {
        s->node = 0;
        return true;
    }
    if (byte < 0x20) {
        return false; /* the trie uses these for arguments */
    }
    for (uint16_t n = here->child; n != 0; n = g->nodes[n].sibling) {
        uint8_t spelt = g->nodes[n].byte;
        if (spelt == byte) {
            s->node = n;
            return true;
        }
        bool number = spelt == SPELL_FROM || spelt == SPELL_TO || spelt == SPELL_LINE;
        if (number && is_digit(byte)) {
            return start_number(g, s, n, byte);
        }
        bool string = spelt == SPELL_SOURCE || spelt == SPELL_TARGET;
        if (string && (byte == '"' || (byte == '\'' && !g->set.bare))) {
            return start_string(g, s, n, byte);
        }
    }
    return false;
}

bool program_grammar_step(const struct program_grammar *g, struct program_state *s, uint8_t byte)
{
    switch ((enum program_phase)s->phase) {
    case PHASE_LEAD:
        s->phase = PHASE_NODE;
        return byte == ' ' || byte == '\n' || step_node(g, s, byte);
    case PHASE_STRING:
        return step_string(g, s, byte);
    case PHASE_ESCAPE:
        return step_escape(s, byte);
    case PHASE_NUMBER:
        if (is_digit(byte)) {
            return step_number(g, s, byte);
        }
        if (s->value < number_low(g, s) || s->value > s->last) {
            return false;
        }
        s->low = s->value;
        s->phase = PHASE_NODE;
        break;
    case PHASE_NODE:
        break;
    }
    if (!step_node(g, s, byte)) {
        return false;
    }
    s->started = s->started || s->node == 0; /* a call and its newline are written */
    return s->node == 0 || !s->started || g->nodes[s->node].among;
}

enum program_end program_grammar_end(const struct program_grammar *g, const struct program_state *s)
{
    if (s->phase != PHASE_NODE) {
        return PROGRAM_MUST_GO_ON;
    }
    if (s->node == 0) {
        return s->started ? PROGRAM_MAY_END : PROGRAM_MUST_GO_ON;
    }
    const struct node *here = &g->nodes[s->node];
    if (!here->ends) {
        return PROGRAM_MUST_GO_ON;
    }
    return here->alone && here->child == 0 ? PROGRAM_MUST_END : PROGRAM_MAY_END;
}
