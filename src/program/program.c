/* program.c -- the parser of programs.
 *
 *     program  = { line "\n" }
 *     line     = blank | call | comment
 *     call     = name "(" [ argument { "," argument } ] ")"
 *     argument = [ name "=" ] ( number | string | "true" | "false" )
 *     string   = '"' { character | escape } '"'  |  "'" ... "'"
 *     escape   = "\" ( "\" | '"' | "'" | "n" | "t" | "r" )
 *     comment  = "#" ...
 *
 * Arguments without a name come first, in the order of the table; blanks are
 * free between tokens.  Each line stands alone: a mistake costs that line only,
 * and a program cut off at any byte loses at most its last call.  Cost: one
 * pass over the text. */
#include "program/program.h"

#include "base/utf8.h"

#include <string.h>

enum value_kind { VALUE_NUMBER, VALUE_STRING, VALUE_BOOL };

/* Where an argument goes in struct program_call. */
enum value_slot { SLOT_FROM, SLOT_TO, SLOT_SOURCE, SLOT_TARGET, SLOT_ALL, SLOT_UNUSED };

struct parameter {
    const char *name;
    enum value_kind kind;
    enum value_slot slot;
    bool optional;
};

#define PARAMETERS_MAX 4U

struct signature {
    const char *name;
    enum program_op op;
    struct parameter parameters[PARAMETERS_MAX]; /* a NULL name ends them */
};

static const struct signature WINNOW_CALLS[] = {
    {"keep_doc", PROGRAM_KEEP_DOC, {{NULL}}},
    {"drop_doc", PROGRAM_DROP_DOC, {{NULL}}},
    {"keep_chunk", PROGRAM_KEEP_CHUNK, {{NULL}}},
    {"remove_lines",
     PROGRAM_REMOVE_LINES,
     {{"line_start", VALUE_NUMBER, SLOT_FROM, false}, {"line_end", VALUE_NUMBER, SLOT_TO, false}}},
    {"normalize",
     PROGRAM_NORMALIZE,
     {{"source_str", VALUE_STRING, SLOT_SOURCE, false},
      {"target_str", VALUE_STRING, SLOT_TARGET, true},
      {"all", VALUE_BOOL, SLOT_ALL, true}}},
    {"remove_str",
     PROGRAM_REMOVE_STR,
     {{"line", VALUE_NUMBER, SLOT_FROM, false},
      {"str", VALUE_STRING, SLOT_SOURCE, false},
      {"all", VALUE_BOOL, SLOT_ALL, true}}},
    {"replace_str",
     PROGRAM_REPLACE_STR,
     {{"line", VALUE_NUMBER, SLOT_FROM, false},
      {"old", VALUE_STRING, SLOT_SOURCE, false},
      {"new", VALUE_STRING, SLOT_TARGET, false},
      {"all", VALUE_BOOL, SLOT_ALL, true}}},
    {NULL, PROGRAM_NONE, {{NULL}}},
};

static const struct signature REFINEX_CALLS[] = {
    {"keep_all", PROGRAM_KEEP_CHUNK, {{NULL}}},
    {"remove_lines",
     PROGRAM_REMOVE_LINES,
     {{"start_line", VALUE_NUMBER, SLOT_FROM, false}, {"end_line", VALUE_NUMBER, SLOT_TO, false}}},
    {"remove_str",
     PROGRAM_REMOVE_STR,
     {{"line", VALUE_NUMBER, SLOT_FROM, false}, {"del_str", VALUE_STRING, SLOT_SOURCE, false}}},
    {NULL, PROGRAM_NONE, {{NULL}}},
};

static const struct signature ULTRAX_CALLS[] = {
    {"keep_all", PROGRAM_KEEP_CHUNK, {{NULL}}},
    {"remove_all", PROGRAM_REMOVE_ALL, {{NULL}}},
    {"remove_lines",
     PROGRAM_REMOVE_LINES,
     {{"start", VALUE_NUMBER, SLOT_FROM, false}, {"end", VALUE_NUMBER, SLOT_TO, false}}},
    {"replace_str",
     PROGRAM_REPLACE_STR,
     {{"line", VALUE_NUMBER, SLOT_FROM, false},
      {"old", VALUE_STRING, SLOT_SOURCE, false},
      {"new", VALUE_STRING, SLOT_TARGET, false}}},
    {"add_line",
     PROGRAM_ADD_LINE,
     {{"base", VALUE_NUMBER, SLOT_FROM, false},
      {"sub_idx", VALUE_NUMBER, SLOT_UNUSED, false},
      {"text", VALUE_STRING, SLOT_TARGET, false}}},
    {NULL, PROGRAM_NONE, {{NULL}}},
};

struct dialect {
    const struct signature *calls;
    uint32_t first_line; /* the number its programs give the first line */
};

static const struct dialect DIALECTS[WINNOW_DIALECT_PROX] = {
    [WINNOW_DIALECT_WINNOW] = {WINNOW_CALLS, 0},
    [WINNOW_DIALECT_REFINEX] = {REFINEX_CALLS, 0},
    [WINNOW_DIALECT_ULTRAX] = {ULTRAX_CALLS, 1},
};

const char *program_op_name(enum program_op op)
{
    static const char *const NAMES[PROGRAM_OPS] = {
        [PROGRAM_NONE] = "none",
        [PROGRAM_KEEP_DOC] = "keep_doc",
        [PROGRAM_DROP_DOC] = "drop_doc",
        [PROGRAM_KEEP_CHUNK] = "keep_chunk",
        [PROGRAM_REMOVE_LINES] = "remove_lines",
        [PROGRAM_NORMALIZE] = "normalize",
        [PROGRAM_REMOVE_STR] = "remove_str",
        [PROGRAM_REPLACE_STR] = "replace_str",
        [PROGRAM_REMOVE_ALL] = "remove_all",
        [PROGRAM_ADD_LINE] = "add_line",
    };
    return NAMES[op];
}

/* One line being read. */
struct cursor {
    struct str rest;
    struct arena *keep;
};

static void skip_blanks(struct cursor *c)
{
    while (c->rest.len > 0 && (c->rest.ptr[0] == ' ' || c->rest.ptr[0] == '\t')) {
        c->rest = str_sub(c->rest, 1, c->rest.len);
    }
}

/* Takes ch where it comes next. */
static bool take(struct cursor *c, char ch)
{
    skip_blanks(c);
    if (c->rest.len == 0 || c->rest.ptr[0] != ch) {
        return false;
    }
    c->rest = str_sub(c->rest, 1, c->rest.len);
    return true;
}

static bool name_char(char ch, bool first)
{
    return ch == '_' || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
           (!first && ch >= '0' && ch <= '9');
}

static struct str take_name(struct cursor *c)
{
    skip_blanks(c);
    size_t n = 0;
    while (n < c->rest.len && name_char(c->rest.ptr[n], n == 0)) {
        n++;
    }
    struct str name = str_sub(c->rest, 0, n);
    c->rest = str_sub(c->rest, n, c->rest.len);
    return name;
}

static const char *take_number(struct cursor *c, uint32_t *out)
{
    skip_blanks(c);
    size_t n = 0;
    uint64_t v = 0;
    while (n < c->rest.len && c->rest.ptr[n] >= '0' && c->rest.ptr[n] <= '9') {
        v = v * 10 + (uint64_t)(c->rest.ptr[n] - '0');
        if (v > PROGRAM_LINE_MAX) {
            return "a line number is too large";
        }
        n++;
    }
    if (n == 0) {
        return "a line number is missing";
    }
    c->rest = str_sub(c->rest, n, c->rest.len);
    *out = (uint32_t)v;
    return NULL;
}

/* The character that stands for "\x", or 0. */
static char unescape(char x)
{
    switch (x) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case '\\':
    case '"':
    case '\'':
        return x;
    default:
        return 0;
    }
}

static const char *take_string(struct cursor *c, struct str *out)
{
    skip_blanks(c);
    if (c->rest.len == 0 || (c->rest.ptr[0] != '"' && c->rest.ptr[0] != '\'')) {
        return "a quoted string is missing";
    }
    char quote = c->rest.ptr[0];
    struct str s = str_sub(c->rest, 1, c->rest.len);
    char *copy = NULL; /* made at the first escape; until then a view does */
    size_t len = 0, at = 0;
    for (; at < s.len && s.ptr[at] != quote; at++) {
        char ch = s.ptr[at];
        if (ch == '\\') {
            ch = '\0';
            if (at + 1 < s.len) {
                ch = unescape(s.ptr[at + 1]);
            }
            if (ch == '\0') {
                return "a string holds an unknown escape";
            }
            if (!copy) {
                copy = arena_strndup(c->keep, s.ptr, s.len);
                len = at;
            }
            at++;
        }
        if (copy) {
            copy[len] = ch;
        }
        len++;
    }
    if (at >= s.len) {
        return "a string is not closed";
    }
    *out = (struct str){copy ? copy : s.ptr, len};
    c->rest = str_sub(s, at + 1, s.len);
    return utf8_valid_until(*out) < len ? "a string is not UTF-8" : NULL;
}

static const char *take_value(struct cursor *c, const struct parameter *p,
                              struct program_call *call)
{
    uint32_t unused = 0;
    switch (p->kind) {
    case VALUE_NUMBER:
        return take_number(c, p->slot == SLOT_FROM ? &call->from
                              : p->slot == SLOT_TO ? &call->to
                                                   : &unused);
    case VALUE_STRING:
        return take_string(c, p->slot == SLOT_SOURCE ? &call->source : &call->target);
    case VALUE_BOOL:
        break;
    }
    struct str word = take_name(c);
    call->all = str_is(word, "true") || str_is(word, "True");
    if (call->all || str_is(word, "false") || str_is(word, "False")) {
        return NULL;
    }
    return "neither true nor false";
}

/* Takes "name =" where it comes next: a name followed by "=" but not the word
 * true or false.  An empty view otherwise. */
static struct str take_keyword(struct cursor *c)
{
    struct cursor ahead = *c;
    struct str name = take_name(&ahead);
    if (name.len > 0 && take(&ahead, '=')) {
        *c = ahead;
        return name;
    }
    return (struct str){NULL, 0};
}

/* The arguments of a call read so far. */
struct arguments {
    bool given[PARAMETERS_MAX];
    bool named;
};

static size_t find_parameter(const struct signature *s, struct str keyword, size_t position)
{
    for (size_t i = 0; i < PARAMETERS_MAX && s->parameters[i].name; i++) {
        if (keyword.ptr ? str_is(keyword, s->parameters[i].name) : i == position) {
            return i;
        }
    }
    return PARAMETERS_MAX;
}

/* One argument: where it goes, then its value. */
static const char *take_argument(struct cursor *c, const struct signature *s, size_t position,
                                 struct arguments *seen, struct program_call *call)
{
    struct str keyword = take_keyword(c);
    if (seen->named && !keyword.ptr) {
        return "an argument without a name follows a named one";
    }
    seen->named = keyword.ptr != NULL;
    size_t i = find_parameter(s, keyword, position);
    if (i == PARAMETERS_MAX) {
        return keyword.ptr ? "an argument of that name is not known" : "too many arguments";
    }
    if (seen->given[i]) {
        return "an argument is given twice";
    }
    seen->given[i] = true;
    return take_value(c, &s->parameters[i], call);
}

static const char *take_arguments(struct cursor *c, const struct signature *s,
                                  struct program_call *call)
{
    struct arguments seen = {0};
    for (size_t n = 0; !take(c, ')'); n++) {
        const char *reason =
            n > 0 && !take(c, ',') ? "a comma is missing" : take_argument(c, s, n, &seen, call);
        if (reason) {
            return c->rest.len == 0 ? "the call is cut off" : reason;
        }
    }
    for (size_t i = 0; i < PARAMETERS_MAX && s->parameters[i].name; i++) {
        if (!seen.given[i] && !s->parameters[i].optional) {
            return "an argument is missing";
        }
    }
    return NULL;
}

/* Numbers of the dialect to numbers from 0. */
static const char *shift_lines(const struct dialect *d, const struct signature *s,
                               struct program_call *call)
{
    for (size_t i = 0; i < PARAMETERS_MAX && s->parameters[i].name; i++) {
        uint32_t *line = s->parameters[i].slot == SLOT_FROM ? &call->from
                         : s->parameters[i].slot == SLOT_TO ? &call->to
                                                            : NULL;
        if (line && *line < d->first_line) {
            return "line numbers start at 1";
        }
        if (line) {
            *line -= d->first_line;
        }
    }
    return NULL;
}

static const char *check_call(const struct program_call *call)
{
    switch (call->op) {
    case PROGRAM_REMOVE_LINES:
        return call->from > call->to ? "the range ends before it starts" : NULL;
    case PROGRAM_NORMALIZE:
    case PROGRAM_REMOVE_STR:
    case PROGRAM_REPLACE_STR:
        if (call->source.len == 0) {
            return "an empty string is nowhere";
        }
        if (memchr(call->source.ptr, '\n', call->source.len) ||
            (call->target.len > 0 && memchr(call->target.ptr, '\n', call->target.len))) {
            return "a string reaches past its line";
        }
        return str_eq(call->source, call->target) ? "the call changes nothing" : NULL;
    case PROGRAM_ADD_LINE:
        return "a program may not add lines";
    default:
        return NULL;
    }
}

static const char *read_call(const struct dialect *d, struct cursor *c, struct program_call *call)
{
    struct str name = take_name(c);
    const struct signature *s = d->calls;
    while (s->name && !str_is(name, s->name)) {
        s++;
    }
    if (!s->name) {
        return name.len > 0 ? "no such call" : "not a call";
    }
    call->op = s->op;
    if (!take(c, '(')) {
        return "an opening parenthesis is missing";
    }
    const char *reason = take_arguments(c, s, call);
    if (reason) {
        return reason;
    }
    skip_blanks(c);
    if (c->rest.len > 0 && c->rest.ptr[0] != '#') {
        return "something follows the call";
    }
    reason = shift_lines(d, s, call);
    return reason ? reason : check_call(call);
}

void program_parse(enum winnow_refine_dialect dialect, struct str text, struct arena *keep,
                   struct program *out)
{
    *out = (struct program){0};
    if (text.len > PROGRAM_BYTES_MAX) {
        text.len = PROGRAM_BYTES_MAX;
        out->truncated = true;
    }
    size_t lines = str_count_lines(text);
    size_t room = lines < PROGRAM_CALLS_MAX ? lines : PROGRAM_CALLS_MAX;
    out->calls = ARENA_NEW(keep, struct program_call, room);

    struct str line;
    for (uint32_t number = 0; str_next_line(&text, &line); number++) {
        struct cursor c = {str_trim(line), keep};
        if (c.rest.len == 0 || c.rest.ptr[0] == '#') {
            continue;
        }
        if (out->count == room) {
            out->truncated = true;
            break;
        }
        struct program_call *call = &out->calls[out->count++];
        call->number = number;
        call->reason = read_call(&DIALECTS[dialect], &c, call);
        out->rejected += call->reason != NULL;
    }
}
