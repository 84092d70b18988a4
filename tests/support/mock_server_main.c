/* mock_server_main.c -- the mock server as a program, for tests from outside.
 *
 *     mock_server RULES PORT_FILE LOG [SECONDS]
 *
 * RULES is JSON lines.  The first rule whose "match" (a string; default: anything)
 * stands in a request's body and whose "times" (default: always) are not used up
 * decides:
 *
 *     {"match": "...", "times": 2, "answer": "text", "finish": "stop",
 *      "status": 200, "header": "Name: value", "body": "as it is", "delay": 0.1,
 *      "cut": 10, "hang_up": true}
 *
 * GET .../models is answered as llama-server would.  LOG gets one line a completion:
 * the status and the last line of the body's prompt.  It ends by itself after
 * SECONDS (60), or with the process that started it. */
#include "base/file.h"
#include "base/json.h"
#include "mock_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define RULES_MAX 256

struct rule {
    struct json_value json;
    uint64_t times;
};

struct rules {
    struct rule items[RULES_MAX];
    size_t count;
    struct json_parser *parsers[RULES_MAX];
    FILE *log;
};

static struct str text_of(struct json_value rule, const char *key, const char * or)
{
    struct str s = str_of(or);
    (void)json_as_str(json_get(rule, key), &s);
    return s;
}

static double number_of(struct json_value rule, const char *key, double or)
{
    double v = or ;
    (void)json_as_double(json_get(rule, key), &v);
    return v;
}

static void answer(void *ctx, const struct mock_request *request, struct mock_reply *reply)
{
    struct rules *r = ctx;
    if (str_ends(request->path, STR_LIT("/models"))) {
        buf_add_text(&reply->body, "{\"data\":[{\"id\":\"mock\",\"owned_by\":\"llamacpp\"}]}");
        return;
    }
    struct rule *rule = NULL;
    for (size_t i = 0; i < r->count && !rule; i++) {
        struct rule *candidate = &r->items[i];
        bool fits = str_find(request->body, text_of(candidate->json, "match", "")) != SIZE_MAX;
        rule = fits && candidate->times > 0 ? candidate : NULL;
    }
    if (!rule) {
        reply->status = 404;
        (void)fprintf(r->log, "no rule for %.*s\n", STR_ARG(request->body));
        return;
    }
    rule->times -= rule->times != UINT64_MAX;
    reply->status = (int)number_of(rule->json, "status", 200);
    reply->delay = number_of(rule->json, "delay", 0);
    double cut = number_of(rule->json, "cut", -1);
    reply->cut = cut < 0 ? SIZE_MAX : (size_t)cut;
    (void)json_as_bool(json_get(rule->json, "hang_up"), &reply->hang_up);
    struct str header = text_of(rule->json, "header", "");
    if (header.len > 0) {
        buf_addf(&reply->headers, "%.*s\r\n", STR_ARG(header));
    }
    struct str body;
    if (json_as_str(json_get(rule->json, "body"), &body)) {
        buf_add_str(&reply->body, body);
    } else {
        struct buf finish = {0};
        buf_add_str(&finish, text_of(rule->json, "finish", "stop"));
        mock_reply_text(request, reply, text_of(rule->json, "answer", ""), buf_cstr(&finish));
        buf_release(&finish);
    }
    (void)fprintf(r->log, "%d\n", reply->status);
    (void)fflush(r->log);
}

static void read_rules(const char *path, struct rules *r)
{
    struct buf file = {0};
    struct winnow_error err;
    if (file_read(path, (size_t)1 << 20, &file, &err) != WINNOW_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    struct str rest = buf_str(&file), line;
    while (str_next_line(&rest, &line) && r->count < RULES_MAX) {
        struct rule *rule = &r->items[r->count];
        if (str_trim(line).len == 0) {
            continue;
        }
        r->parsers[r->count] = json_parser_new();
        if (json_parse(r->parsers[r->count], line, &rule->json, &err) != WINNOW_OK) {
            (void)fprintf(stderr, "%s: rule %zu: %s\n", path, r->count, err.text);
            exit(1);
        }
        rule->times = UINT64_MAX;
        (void)json_as_u64(json_get(rule->json, "times"), &rule->times);
        r->count++;
    }
    buf_release(&file);
}

int main(int argc, char **argv)
{
    static struct rules rules;
    if (argc < 4) {
        (void)fputs("usage: mock_server RULES PORT_FILE LOG [SECONDS]\n", stderr);
        return 2;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)alarm(argc > 4 ? (unsigned)atoi(argv[4]) : 60);
    read_rules(argv[1], &rules);
    rules.log = fopen(argv[3], "w");
    if (!rules.log) {
        perror(argv[3]);
        return 1;
    }
    struct mock_server *s = mock_server_start(answer, &rules);
    char port[16];
    struct winnow_error err;
    int n = snprintf(port, sizeof port, "%u\n", mock_server_port(s));
    if (file_write_atomic(argv[2], (struct str){port, (size_t)n}, &err) != WINNOW_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (;;) {
        (void)pause();
    }
}
