/* writer_http.c -- programs from a completion server.
 *
 * The client gives answers in the order of requests, with `window` of them under way;
 * tags go around in a ring of that size.  A server is not told when a program goes
 * round in circles, so its answer is cut behind the call that program_loop.h would
 * have stopped at. */
#include "refine/writer_http.h"

#include "base/mem.h"
#include "program/program_loop.h"

#include <assert.h>
#include <math.h>

struct sent {
    uint64_t tag;
    bool prose;
};

struct writer_http {
    struct program_writer head; /* first: the interface's handle is the object */
    struct completion_client *client;
    uint64_t seed;
    bool chat;
    struct sent *sent; /* window of them, by the number of the request */
    uint64_t submitted;
    struct buf grammar;
    struct program_grammar_spec spec; /* of grammar */
};

static struct writer_http *of(struct program_writer *w)
{
    return (struct writer_http *)w;
}

static bool same_spec(const struct program_grammar_spec *a, const struct program_grammar_spec *b)
{
    return a->dialect == b->dialect && a->level == b->level && a->first == b->first &&
           a->last == b->last && a->string_bytes == b->string_bytes;
}

/* Chunks of documents often have the same lines: the text is kept. */
static struct str grammar_of(struct writer_http *w, const struct program_grammar_spec *spec)
{
    if (!spec || !completion_takes_grammar(completion_client_server(w->client))) {
        return STR_LIT("");
    }
    if (w->grammar.len == 0 || !same_spec(spec, &w->spec)) {
        buf_clear(&w->grammar);
        program_grammar_gbnf(spec, &w->grammar);
        w->spec = *spec;
    }
    return buf_str(&w->grammar);
}

static winnow_status submit(struct program_writer *writer, const struct writer_request *request,
                            struct winnow_error *err)
{
    struct writer_http *w = of(writer);
    struct completion_request r = {.prompt = w->chat ? request->user : request->prompt,
                                   .system = request->system,
                                   .ids = w->chat ? NULL : request->tokens,
                                   .id_count = request->token_count,
                                   .grammar = grammar_of(w, request->grammar),
                                   .tokens_max = request->new_tokens,
                                   .temperature = request->temperature,
                                   .seed = request->temperature > 0 ? request->seed : w->seed};
    TRY(completion_client_submit(w->client, &r, err));
    w->sent[w->submitted++ % w->head.window] = (struct sent){request->tag, request->prose};
    return WINNOW_OK;
}

static uint32_t count_of(uint64_t tokens)
{
    return tokens > UINT32_MAX ? UINT32_MAX : (uint32_t)tokens;
}

static winnow_status next(struct program_writer *writer, struct writer_answer *answer,
                          struct winnow_error *err)
{
    struct writer_http *w = of(writer);
    struct completion_answer a;
    TRY(completion_client_next(w->client, &a, err));
    const struct sent *sent = &w->sent[a.number % w->head.window];
    struct program_loop loop = {0};
    if (!sent->prose) {
        program_loop_add(&loop, a.text.text); /* a server does not know when to end */
    }
    *answer =
        (struct writer_answer){.tag = sent->tag,
                               .outcome = a.refused    ? WRITER_REFUSED
                                          : loop.found ? WRITER_LOOPED
                                          : a.text.cut ? WRITER_CUT
                                                       : WRITER_STOPPED,
                               .text = loop.found ? str_sub(a.text.text, 0, loop.end) : a.text.text,
                               .reason = a.refused ? str_of(a.refused) : STR_LIT(""),
                               .prompt_tokens = count_of(a.text.prompt_tokens),
                               .new_tokens = count_of(a.text.answer_tokens),
                               .margin = (double)NAN};
    return WINNOW_OK;
}

static void free_writer(struct program_writer *writer)
{
    struct writer_http *w = of(writer);
    completion_client_close(w->client);
    mem_free(w->sent);
    buf_release(&w->grammar);
    mem_free(w);
}

static const struct program_writer_kind HTTP = {
    .name = "http", .submit = submit, .next = next, .free = free_writer};

winnow_status writer_http_open(const struct completion_client_options *opt,
                               const struct winnow_env *env, struct program_writer **out,
                               struct winnow_error *err)
{
    *out = NULL;
    struct completion_client *client;
    TRY(completion_client_open(opt, env, &client, err));
    struct writer_http *w = mem_zalloc(sizeof *w);
    w->head = (struct program_writer){.kind = &HTTP, .window = completion_client_window(client)};
    w->client = client;
    w->seed = opt->seed;
    w->chat = opt->chat;
    w->sent = mem_alloc(w->head.window * sizeof *w->sent);
    *out = &w->head;
    return WINNOW_OK;
}

const char *writer_http_model(const struct program_writer *w)
{
    return completion_client_model(((const struct writer_http *)w)->client);
}
