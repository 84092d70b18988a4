/* Requests, answers and the client, against a server that misbehaves. */
#include "base/mem.h"
#include "base/retry_after.h"
#include "base/utf8.h"
#include "check.h"
#include "mock_server.h"
#include "refine/writer_http.h"
#include "remote/completion_client.h"
#include "remote/transport.h"
#include "scratch.h"

/* ---- text ---- */

static void body_of(enum completion_server server, bool chat, const struct completion_request *r,
                    struct buf *out)
{
    buf_clear(out);
    completion_write(server, chat, "m", r, out);
}

static void each_server_gets_the_grammar_in_its_own_field(void **state)
{
    (void)state;
    const struct completion_request r = {
        .prompt = STR_LIT("p\n"), .grammar = STR_LIT("root ::= \"a\""), .tokens_max = 7, .seed = 3};
    struct buf b = {0};
    body_of(COMPLETION_OPENAI, false, &r, &b);
    assert_str(buf_str(&b), "{\"model\": \"m\", \"prompt\": \"p\\n\", \"max_tokens\": 7, "
                            "\"temperature\": 0, \"seed\": 3, \"stream\": false}");
    body_of(COMPLETION_LLAMA_CPP, false, &r, &b);
    assert_true(
        str_ends(buf_str(&b), STR_LIT("\"top_k\": 1, \"grammar\": \"root ::= \\\"a\\\"\"}")));
    body_of(COMPLETION_SGLANG, false, &r, &b);
    assert_true(str_ends(buf_str(&b), STR_LIT("\"top_k\": 1, \"ebnf\": \"root ::= \\\"a\\\"\"}")));
    body_of(COMPLETION_VLLM, false, &r, &b);
    assert_true(str_ends(
        buf_str(&b), STR_LIT("\"guided_grammar\": \"root ::= \\\"a\\\"\", \"structured_outputs\": "
                             "{\"grammar\": \"root ::= \\\"a\\\"\"}}")));
    buf_release(&b);
}

static void chats_are_messages_and_ids_are_numbers(void **state)
{
    (void)state;
    const uint32_t ids[] = {1, 500, 2};
    struct completion_request r = {.prompt = STR_LIT("hi"), .system = STR_LIT("be brief")};
    struct buf b = {0};
    body_of(COMPLETION_OPENAI, true, &r, &b);
    assert_true(str_starts(buf_str(&b),
                           STR_LIT("{\"model\": \"m\", \"messages\": [{\"role\": \"system\", "
                                   "\"content\": \"be brief\"}, {\"role\": \"user\", \"content\": "
                                   "\"hi\"}], ")));
    r.ids = ids;
    r.id_count = 3;
    body_of(COMPLETION_OPENAI, false, &r, &b);
    assert_true(str_starts(buf_str(&b), STR_LIT("{\"model\": \"m\", \"prompt\": [1, 500, 2], ")));
    buf_release(&b);
}

static void answers_of_both_kinds_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *body, *text; /* text NULL: no completion */
        bool cut;
        uint64_t tokens;
    } cases[] = {
        {"{\"choices\":[{\"text\":\"a\\nb\",\"finish_reason\":\"stop\"}]}", "a\nb", false, 0},
        {"{\"choices\":[{\"text\":\"\",\"finish_reason\":\"length\"}],"
         "\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":9}}",
         "", true, 9},
        {"{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":null}]}", "x", false, 0},
        {"{\"choices\":[{\"message\":{\"content\":null}}]}", "", false, 0},
        {"{\"choices\":[]}", NULL, false, 0},
        {"{\"choices\":[3]}", NULL, false, 0},
        {"{\"choices\":{\"text\":\"a\"}}", NULL, false, 0},
        {"{\"choices\":[{\"text\":3}]}", NULL, false, 0},
        {"{\"choices\":[{\"message\":{}}]}", NULL, false, 0},
        {"[]", NULL, false, 0},
        {"3", NULL, false, 0},
        {"", NULL, false, 0},
        {"<html>", NULL, false, 0},
    };
    struct json_parser *p = json_parser_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct completion_text t;
        struct winnow_error err = {{0}};
        winnow_status st = completion_read(p, str_of(cases[i].body), &t, &err);
        assert_int_equal(st, cases[i].text ? WINNOW_OK : WINNOW_E_FORMAT);
        if (cases[i].text) {
            assert_str(t.text, cases[i].text);
            assert_int_equal(t.cut, cases[i].cut);
            assert_int_equal(t.answer_tokens, cases[i].tokens);
        } else {
            assert_true(err.text[0] != '\0');
        }
    }
    json_parser_free(p);
}

static void reasons_are_one_short_line(void **state)
{
    (void)state;
    static const struct {
        const char *body, *want;
    } cases[] = {
        {"{\"error\":{\"code\":400,\"message\":\"too long\"}}", "too long"},
        {"{\"error\":\"no\"}", "no"},
        {"{\"object\":\"error\",\"message\":\"bad model\"}", "bad model"},
        {"{\"detail\":\"Not Found\"}", "Not Found"},
        {"<h1>\x1B[31mgone\n</h1>", "<h1>\\u001b[31mgone </h1>"},
        {"", ""},
    };
    struct json_parser *p = json_parser_new();
    struct buf out = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_clear(&out);
        completion_add_reason(p, str_of(cases[i].body), NULL, &out);
        assert_str(buf_str(&out), cases[i].want);
    }
    struct buf much = {0};
    for (int i = 0; i < 300; i++) {
        buf_add_text(&much, "\xC3\xA9"); /* is not cut in two */
    }
    buf_add_char(&much, 'x');
    buf_clear(&out);
    completion_add_reason(p, str_sub(buf_str(&much), 1, much.len), NULL, &out);
    assert_true(out.len <= 203);
    buf_clear(&out);
    completion_add_reason(p, buf_str(&much), NULL, &out);
    assert_int_equal(utf8_valid_until(buf_str(&out)), out.len);
    buf_release(&much);
    buf_release(&out);
    json_parser_free(p);
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        double now, want;
    } cases[] = {
        {" 120", 0, 120},
        {"0", 5, 0},
        {"", 0, -1},
        {"-3", 0, -1},
        {"1e3", 0, -1},
        {"99999999999999", 0, -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111770, 7},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777, 0},
        {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800 - 1, 1},
        {"Wed, 01 Jan 2025 00:00:00 GMT", 1735689600 - 60, 60},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 10, 0},
        {"Sun, 06 Nov 1994 08:49:37 CET", 0, -1},
        {"Sun, 06 nov 1994 08:49:37 GMT", 0, -1},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 0, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_near(retry_after_seconds(str_of(cases[i].value), cases[i].now), cases[i].want, 0);
    }
}

/* ---- the client ---- */

enum { SCRIPT_MAX = 16 };

/* What the server does with its first requests, in the order of their arrival;
 * later ones are answered with their own prompt. */
struct script {
    struct {
        int status; /* 0: well */
        const char *header, *body;
        double delay;
        bool hang_up, cut;
    } steps[SCRIPT_MAX];
    double (*delay)(uint32_t number);
    const char *owner;      /* of /v1/models */
    volatile int *cancel;   /* set by the first request */
    struct buf heads, last; /* all heads, the last body */
    struct json_parser *parser;
};

static void follow(void *ctx, const struct mock_request *r, struct mock_reply *reply)
{
    struct script *s = ctx;
    buf_add_str(&s->heads, r->head);
    buf_clear(&s->last);
    buf_add_str(&s->last, r->body);
    if (s->cancel) {
        *s->cancel = 1;
    }
    if (r->number < SCRIPT_MAX) {
        reply->delay = s->steps[r->number].delay;
        reply->hang_up = s->steps[r->number].hang_up;
        reply->cut = s->steps[r->number].cut ? 10 : SIZE_MAX;
        buf_add_text(&reply->headers, s->steps[r->number].header ? s->steps[r->number].header : "");
        if (s->steps[r->number].status > 0) {
            reply->status = s->steps[r->number].status;
            buf_add_text(&reply->body, s->steps[r->number].body ? s->steps[r->number].body : "");
            return;
        }
    }
    if (s->delay) {
        reply->delay = s->delay(r->number);
    }
    if (str_ends(r->path, STR_LIT("/models"))) {
        buf_addf(&reply->body, "{\"data\":[{\"id\":\"tiny\",\"owned_by\":\"%s\"}]}", s->owner);
        return;
    }
    struct json_value root;
    struct str prompt = STR_LIT("?");
    struct winnow_error err;
    if (json_parse(s->parser, r->body, &root, &err) == WINNOW_OK) {
        (void)json_as_str(json_get(root, "prompt"), &prompt);
    }
    mock_reply_text(r, reply, prompt, "stop");
}

/* A client of a server that follows a script. */
struct bench {
    struct script script;
    struct mock_server *server;
    struct completion_client_options opt;
    struct completion_client *client;
    struct winnow_env env;
    struct winnow_error err;
    volatile int cancel;
    char url[64];
};

static void bench_start(struct bench *b)
{
    b->script.parser = json_parser_new();
    b->server = mock_server_start(follow, &b->script);
    (void)snprintf(b->url, sizeof b->url, "http://127.0.0.1:%u", mock_server_port(b->server));
    b->opt = COMPLETION_CLIENT_OPTIONS_INIT;
    b->opt.url = b->url;
    b->opt.server = COMPLETION_OPENAI;
    b->opt.model = "m";
    b->opt.concurrency = 4;
    b->opt.backoff_seconds = 0.01;
    b->env.cancel = &b->cancel;
}

static void bench_open(struct bench *b)
{
    assert_ok(completion_client_open(&b->opt, &b->env, &b->client, &b->err), b->err);
}

static void bench_stop(struct bench *b)
{
    completion_client_close(b->client);
    mock_server_stop(b->server);
    json_parser_free(b->script.parser);
    buf_release(&b->script.heads);
    buf_release(&b->script.last);
}

static void ask(struct bench *b, unsigned number)
{
    char prompt[32];
    (void)snprintf(prompt, sizeof prompt, "prompt %u", number);
    const struct completion_request r = {.prompt = str_of(prompt), .tokens_max = 5};
    assert_ok(completion_client_submit(b->client, &r, &b->err), b->err);
}

static void hear(struct bench *b, unsigned number, struct completion_answer *a)
{
    char prompt[32];
    (void)snprintf(prompt, sizeof prompt, "prompt %u", number);
    assert_ok(completion_client_next(b->client, a, &b->err), b->err);
    assert_int_equal(a->number, number);
    assert_null(a->refused);
    assert_str(a->text.text, prompt);
}

/* One request that fails for good. */
static void fails(struct bench *b, winnow_status want, const char *part)
{
    struct completion_answer a;
    bench_open(b);
    ask(b, 0);
    assert_int_equal(completion_client_next(b->client, &a, &b->err), want);
    if (!strstr(b->err.text, part) || !strstr(b->err.text, "/v1/completions: ")) {
        fail_msg("'%s' lacks '%s'", b->err.text, part);
    }
    bench_stop(b);
}

static double uneven(uint32_t number)
{
    return (number * 7 % 5) * 0.01;
}

static void answers_come_in_the_order_of_requests(void **state)
{
    (void)state;
    struct bench b = {.script.delay = uneven};
    struct completion_answer a;
    bench_start(&b);
    b.opt.window = 10;
    bench_open(&b);
    unsigned asked = 0;
    for (unsigned heard = 0; heard < 60; heard++) {
        while (asked < 60 && completion_client_room(b.client)) {
            ask(&b, asked++);
        }
        assert_true(completion_client_pending(b.client) <= 10);
        hear(&b, heard, &a);
        assert_int_equal(a.tries, 1);
    }
    assert_int_equal(completion_client_pending(b.client), 0);
    assert_int_equal(mock_server_peak(b.server), 4); /* side by side, and no more than allowed */
    assert_int_equal(completion_client_counts(b.client)->answered, 60);
    assert_true(completion_client_counts(b.client)->answer_tokens > 0);
    bench_stop(&b);
}

static void what_may_pass_is_tried_again(void **state)
{
    (void)state;
    struct bench b = {.script.steps = {{.status = 500, .body = "{\"error\":\"x\"}"},
                                       {.status = 503},
                                       {.status = 429},
                                       {.status = 200, .body = "<html>a proxy</html>"},
                                       {.status = 200, .body = "{\"choices\":[]}"},
                                       {.hang_up = true},
                                       {.cut = true}}};
    struct completion_answer a;
    bench_start(&b);
    b.opt.concurrency = 1;
    bench_open(&b);
    ask(&b, 0);
    hear(&b, 0, &a);
    assert_int_equal(mock_server_requests(b.server), 8);
    /* libcurl itself asks again where a kept-alive connection ends without a byte. */
    assert_in_range(a.tries, 7, 8);
    assert_int_equal(completion_client_counts(b.client)->retries, a.tries - 1);
    bench_stop(&b);
}

static void everybody_waits_as_long_as_the_server_asks(void **state)
{
    (void)state;
    struct bench b = {.script.steps = {{.status = 429, .header = "Retry-After: 1\r\n"}}};
    struct completion_answer a;
    bench_start(&b);
    b.opt.concurrency = 1;
    bench_open(&b);
    double start = env_seconds();
    ask(&b, 0);
    ask(&b, 1);
    hear(&b, 0, &a);
    assert_true(env_seconds() - start >= 1.0);
    hear(&b, 1, &a);
    assert_int_equal(a.tries, 1); /* it was not sent into the closed door */
    bench_stop(&b);
}

static void tries_end(void **state)
{
    (void)state;
    struct bench b = {0};
    for (size_t i = 0; i < SCRIPT_MAX; i++) {
        b.script.steps[i].status = 500;
        b.script.steps[i].body = "{\"error\":{\"message\":\"out of memory\"}}";
    }
    bench_start(&b);
    b.opt.retries = 2;
    fails(&b, WINNOW_E_IO, "the server says 500, 'out of memory'; see the server's own log");
    assert_non_null(strstr(b.err.text, "(tried 3 times)"));
}

static void answers_before_a_failure_are_heard(void **state)
{
    (void)state;
    struct bench b = {.script.steps = {{.delay = 0.3}, {.status = 401}}};
    struct completion_answer a;
    bench_start(&b);
    b.opt.concurrency = 1;
    bench_open(&b);
    ask(&b, 0);
    ask(&b, 1);
    hear(&b, 0, &a);
    assert_int_equal(completion_client_next(b.client, &a, &b.err), WINNOW_E_IO);
    bench_stop(&b);
}

static void statuses_have_their_remedies(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *header, *part;
    } cases[] = {
        {401, "", "give a key with --key-file or --key-env"},
        {403, "", "give a key with --key-file or --key-env"},
        {404, "", "is --url that of an OpenAI-compatible server"},
        {302, "Location: http://other.test/v1/completions\r\n",
         "(302), http://other.test/v1/completions; give that address with --url"},
        {501, "", "the server says 501"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b = {.script.steps = {{.status = cases[i].status, .header = cases[i].header}}};
        bench_start(&b);
        fails(&b, WINNOW_E_IO, cases[i].part);
    }
}

static void a_refused_request_is_an_answer(void **state)
{
    (void)state;
    struct bench b = {
        .script.steps = {{.status = 400, .body = "{\"error\":{\"message\":\"too long\"}}"}}};
    struct completion_answer a;
    bench_start(&b);
    b.opt.concurrency = 1;
    bench_open(&b);
    ask(&b, 0);
    ask(&b, 1);
    assert_ok(completion_client_next(b.client, &a, &b.err), b.err);
    assert_string_equal(a.refused, "too long");
    assert_int_equal(a.text.text.len, 0);
    hear(&b, 1, &a);
    assert_int_equal(completion_client_counts(b.client)->refused, 1);
    bench_stop(&b);
}

static void a_server_that_refuses_everything_ends_the_work(void **state)
{
    (void)state;
    struct bench b = {0};
    for (size_t i = 0; i < SCRIPT_MAX; i++) {
        b.script.steps[i].status = 400;
        b.script.steps[i].body = "{\"error\":{\"message\":\"unknown field\"}}";
    }
    struct completion_answer a;
    bench_start(&b);
    bench_open(&b);
    for (unsigned i = 0; i < 8; i++) {
        ask(&b, i);
    }
    for (unsigned i = 0; i < 7; i++) {
        assert_ok(completion_client_next(b.client, &a, &b.err), b.err);
    }
    assert_int_equal(completion_client_next(b.client, &a, &b.err), WINNOW_E_USAGE);
    assert_non_null(
        strstr(b.err.text, "refuses every request; the last time with 'unknown field'"));
    bench_stop(&b);
}

static void a_huge_answer_is_cut_short(void **state)
{
    (void)state;
    struct bench b = {0};
    char *huge = mem_alloc(200001);
    memset(huge, ' ', 200000);
    huge[200000] = '\0';
    b.script.steps[0].status = 200;
    b.script.steps[0].body = huge;
    bench_start(&b);
    b.opt.answer_bytes_max = 100000;
    fails(&b, WINNOW_E_LIMIT, "an answer is longer than 100000 bytes");
    mem_free(huge);
}

static void a_server_that_does_not_answer_is_left(void **state)
{
    (void)state;
    struct bench b = {.script.steps = {{.delay = 5}, {.delay = 5}}};
    bench_start(&b);
    b.opt.seconds_max = 0.2;
    b.opt.retries = 1;
    double start = env_seconds();
    fails(&b, WINNOW_E_IO, "no answer within 0.2 s; raise --timeout or lower --concurrency");
    assert_true(env_seconds() - start < 4);
}

static void a_late_answer_is_asked_for_again(void **state)
{
    (void)state;
    struct bench b = {.script.steps = {{.delay = 5}}};
    struct completion_answer a;
    bench_start(&b);
    b.opt.seconds_max = 0.2;
    bench_open(&b);
    ask(&b, 0);
    hear(&b, 0, &a);
    assert_int_equal(a.tries, 2);
    bench_stop(&b);
}

static void a_wish_to_stop_is_heard_within_a_second(void **state)
{
    (void)state;
    struct bench b = {.script.steps = {{.delay = 5}}};
    struct completion_answer a;
    bench_start(&b);
    b.script.cancel = &b.cancel;
    bench_open(&b);
    ask(&b, 0);
    double start = env_seconds();
    assert_int_equal(completion_client_next(b.client, &a, &b.err), WINNOW_E_CANCELLED);
    assert_true(env_seconds() - start < 1);
    bench_stop(&b); /* with an exchange under way */
}

static void nobody_there_is_said_so(void **state)
{
    (void)state;
    struct bench b = {0};
    struct completion_answer a;
    bench_start(&b);
    mock_server_stop(b.server);
    b.opt.retries = 1;
    bench_open(&b);
    ask(&b, 0);
    assert_int_equal(completion_client_next(b.client, &a, &b.err), WINNOW_E_IO);
    assert_non_null(strstr(b.err.text, "is the server running there?"));
    b.server = mock_server_start(follow, &b.script);
    bench_stop(&b);
}

static void kind_and_model_are_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *owner;
        enum completion_server want;
    } cases[] = {{"llamacpp", COMPLETION_LLAMA_CPP},
                 {"vllm", COMPLETION_VLLM},
                 {"sglang", COMPLETION_SGLANG},
                 {"somebody", COMPLETION_OPENAI}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b = {.script.owner = cases[i].owner, .script.steps = {{.status = 503}}};
        struct completion_answer a;
        bench_start(&b);
        b.opt.server = COMPLETION_AUTO;
        b.opt.model = NULL;
        bench_open(&b);
        assert_int_equal(completion_client_server(b.client), cases[i].want);
        assert_string_equal(completion_client_model(b.client), "tiny");
        ask(&b, 0);
        hear(&b, 0, &a);
        assert_true(str_starts(buf_str(&b.script.last), STR_LIT("{\"model\": \"tiny\", ")));
        bench_stop(&b);
    }
}

static void a_server_without_models_must_be_described(void **state)
{
    (void)state;
    struct bench b = {.script.steps = {{.status = 200, .body = "{}"}, {.status = 404}}};
    bench_start(&b);
    b.opt.server = COMPLETION_AUTO;
    assert_int_equal(completion_client_open(&b.opt, &b.env, &b.client, &b.err), WINNOW_E_FORMAT);
    assert_non_null(strstr(b.err.text, "/v1/models: cannot tell the server's kind and model"));
    assert_int_equal(completion_client_open(&b.opt, &b.env, &b.client, &b.err), WINNOW_E_IO);
    assert_non_null(strstr(b.err.text, "/v1/models: the server says 404"));
    bench_stop(&b);
}

static void the_key_is_sent_and_never_shown(void **state)
{
    (void)state;
    struct bench b = {.script.steps = {{.status = 401}}};
    struct scratch dir;
    struct buf key = {0};
    scratch_open(&dir);
    bench_start(&b);
    const char *path = scratch_write(&dir, "key", STR_LIT("  sk-123 \n"));
    assert_ok(completion_key_read(path, &key, &b.err), b.err);
    b.opt.key = buf_cstr(&key);
    bench_open(&b);
    ask(&b, 0);
    struct completion_answer a;
    assert_int_equal(completion_client_next(b.client, &a, &b.err), WINNOW_E_IO);
    assert_non_null(strstr(b.err.text, "give another key"));
    assert_null(strstr(b.err.text, "sk-123"));
    assert_true(str_find(buf_str(&b.script.heads), STR_LIT("Authorization: Bearer sk-123\r\n")) !=
                SIZE_MAX);
    path = scratch_write(&dir, "key", STR_LIT("a\nX-Header: b\n"));
    assert_int_equal(completion_key_read(path, &key, &b.err), WINNOW_E_FORMAT);
    path = scratch_write(&dir, "key", STR_LIT(" \n"));
    assert_int_equal(completion_key_read(path, &key, &b.err), WINNOW_E_FORMAT);
    buf_release(&key);
    bench_stop(&b);
    scratch_close(&dir);
}

static void addresses_are_read_in_every_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *tail, *path;
        bool chat;
    } good[] = {{"", "/v1/completions", false},
                {"/", "/v1/completions", false},
                {"/v1/", "/v1/completions", false},
                {"/v1/completions", "/v1/completions", false},
                {"/v1/chat/completions", "/v1/completions", false},
                {"", "/v1/chat/completions", true},
                {"/openai/v2", "/openai/v2/completions", false}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct bench b = {0};
        struct completion_answer a;
        bench_start(&b);
        char url[128], line[128];
        (void)snprintf(url, sizeof url, "%s%s", b.url, good[i].tail);
        (void)snprintf(line, sizeof line, "POST %s HTTP/1.1\r\n", good[i].path);
        b.opt.url = url;
        b.opt.chat = good[i].chat;
        bench_open(&b);
        ask(&b, 0);
        assert_ok(completion_client_next(b.client, &a, &b.err), b.err);
        assert_true(str_starts(buf_str(&b.script.heads), str_of(line)));
        bench_stop(&b);
    }
    static const char *const BAD[] = {"",         "localhost:80",  "http://",
                                      "ftp://a/", "http:///",      "http://a b/",
                                      "file:///", "http://u:p@h/", NULL};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct winnow_env env = {0};
        struct winnow_error err = {{0}};
        struct completion_client *c = NULL;
        struct completion_client_options opt = COMPLETION_CLIENT_OPTIONS_INIT;
        opt.url = BAD[i];
        assert_int_equal(completion_client_open(&opt, &env, &c, &err), WINNOW_E_USAGE);
        assert_null(c);
    }
}

/* ---- the writer over it ---- */

static void a_writer_gives_back_tags_and_sends_the_grammar(void **state)
{
    (void)state;
    struct bench b = {.script.delay = uneven};
    struct program_writer *w = NULL;
    bench_start(&b);
    b.script.steps[0].status = 400;
    b.script.steps[0].body = "{\"error\":\"longer than the context\"}";
    b.opt.server = COMPLETION_LLAMA_CPP;
    b.opt.concurrency = 1;
    assert_ok(writer_http_open(&b.opt, &b.env, &w, &b.err), b.err);
    assert_int_equal(program_writer_window(w), 4);
    const struct program_grammar_spec spec = {.dialect = WINNOW_DIALECT_WINNOW,
                                              .level = LEVEL_CHUNK,
                                              .first = 3,
                                              .last = 12,
                                              .string_bytes = PROGRAM_STRING_BYTES};
    const char *const PROMPTS[] = {"a", "b", "c", "d"};
    for (uint64_t i = 0; i < 4; i++) {
        const struct writer_request r = {.prompt = str_of(PROMPTS[i]),
                                         .new_tokens = 9,
                                         .grammar = i == 3 ? &spec : NULL,
                                         .tag = 100 * i};
        assert_ok(program_writer_submit(w, &r, &b.err), b.err);
    }
    for (uint64_t i = 0; i < 4; i++) {
        struct writer_answer a;
        assert_ok(program_writer_next(w, &a, &b.err), b.err);
        assert_int_equal(a.tag, 100 * i);
        assert_int_equal(a.outcome, i == 0 ? WRITER_REFUSED : WRITER_STOPPED);
        assert_str(a.text, i == 0 ? "" : PROMPTS[i]);
        assert_str(a.reason, i == 0 ? "longer than the context" : "");
        assert_true(isnan(a.margin));
    }
    assert_true(str_find(buf_str(&b.script.last), STR_LIT("\"grammar\": \"root ::= ")) != SIZE_MAX);
    program_writer_free(w);
    bench_stop(&b);
}

static void a_writer_sends_tokens_or_messages(void **state)
{
    (void)state;
    for (int chat = 0; chat < 2; chat++) {
        struct bench b = {0};
        struct program_writer *w = NULL;
        struct writer_answer a;
        const uint32_t ids[] = {1, 77};
        const struct writer_request r = {.prompt = STR_LIT("<s>you\nme"),
                                         .tokens = ids,
                                         .token_count = 2,
                                         .system = STR_LIT("you"),
                                         .user = STR_LIT("me"),
                                         .new_tokens = 9};
        bench_start(&b);
        b.opt.chat = chat;
        assert_ok(writer_http_open(&b.opt, &b.env, &w, &b.err), b.err);
        assert_ok(program_writer_submit(w, &r, &b.err), b.err);
        assert_ok(program_writer_next(w, &a, &b.err), b.err);
        struct str want = chat ? STR_LIT("\"messages\": [{\"role\": \"system\", \"content\": "
                                         "\"you\"}, {\"role\": \"user\", \"content\": \"me\"}]")
                               : STR_LIT("\"prompt\": [1, 77]");
        assert_true(str_find(buf_str(&b.script.last), want) != SIZE_MAX);
        program_writer_free(w);
        bench_stop(&b);
    }
}

/* The server echoes what it is asked. */
static void a_text_that_repeats_itself_is_cut(void **state)
{
    (void)state;
    struct bench b = {0};
    struct program_writer *w = NULL;
    struct writer_answer a;
    const struct writer_request r = {.prompt = STR_LIT("a(1)\na(1)\nb()\na(1)\nc()"),
                                     .new_tokens = 99};
    bench_start(&b);
    assert_ok(writer_http_open(&b.opt, &b.env, &w, &b.err), b.err);
    assert_ok(program_writer_submit(w, &r, &b.err), b.err);
    assert_ok(program_writer_next(w, &a, &b.err), b.err);
    assert_int_equal(a.outcome, WRITER_LOOPED);
    assert_str(a.text, "a(1)\na(1)\nb()\na(1)");
    program_writer_free(w);
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_server_gets_the_grammar_in_its_own_field),
        cmocka_unit_test(chats_are_messages_and_ids_are_numbers),
        cmocka_unit_test(answers_of_both_kinds_are_read),
        cmocka_unit_test(reasons_are_one_short_line),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
        cmocka_unit_test(answers_come_in_the_order_of_requests),
        cmocka_unit_test(what_may_pass_is_tried_again),
        cmocka_unit_test(everybody_waits_as_long_as_the_server_asks),
        cmocka_unit_test(tries_end),
        cmocka_unit_test(answers_before_a_failure_are_heard),
        cmocka_unit_test(statuses_have_their_remedies),
        cmocka_unit_test(a_refused_request_is_an_answer),
        cmocka_unit_test(a_server_that_refuses_everything_ends_the_work),
        cmocka_unit_test(a_huge_answer_is_cut_short),
        cmocka_unit_test(a_server_that_does_not_answer_is_left),
        cmocka_unit_test(a_late_answer_is_asked_for_again),
        cmocka_unit_test(a_wish_to_stop_is_heard_within_a_second),
        cmocka_unit_test(nobody_there_is_said_so),
        cmocka_unit_test(kind_and_model_are_asked_for),
        cmocka_unit_test(a_server_without_models_must_be_described),
        cmocka_unit_test(the_key_is_sent_and_never_shown),
        cmocka_unit_test(addresses_are_read_in_every_spelling),
        cmocka_unit_test(a_writer_gives_back_tags_and_sends_the_grammar),
        cmocka_unit_test(a_writer_sends_tokens_or_messages),
        cmocka_unit_test(a_text_that_repeats_itself_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
