/* mock_server.c -- one thread that accepts, one a connection. */
#include "mock_server.h"

#include "base/json_write.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX ((size_t)64 << 10)
#define BODY_MAX ((size_t)16 << 20)

struct connection {
    struct mock_server *server;
    pthread_t thread;
    int fd;
    bool used;
    atomic_bool ended;
};

struct mock_server {
    mock_handler handler;
    void *ctx;
    int listener;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t lock; /* of handler and counts */
    uint32_t requests, under_way, peak;
    atomic_bool stopping;
    struct connection connections[MOCK_CONNECTIONS];
};

static void die(const char *what)
{
    perror(what);
    abort();
}

static void wait_seconds(struct mock_server *s, double seconds)
{
    for (int ms = (int)(seconds * 1000); ms > 0 && !s->stopping; ms -= 5) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

/* Reads more into b; false at the end of the connection. */
static bool read_more(int fd, struct buf *b)
{
    char *to = buf_reserve(b, 65536);
    ssize_t n = read(fd, to, 65536);
    b->len += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static size_t content_length(struct str head)
{
    static const char NAME[] = "\r\ncontent-length:";
    for (size_t i = 0; i + sizeof NAME - 1 < head.len; i++) {
        if (strncasecmp(head.ptr + i, NAME, sizeof NAME - 1) == 0) {
            return strtoul(head.ptr + i + sizeof NAME - 1, NULL, 10);
        }
    }
    return 0;
}

static bool read_request(int fd, struct buf *in, struct mock_request *r)
{
    size_t end;
    buf_clear(in);
    while ((end = str_find(buf_str(in), STR_LIT("\r\n\r\n"))) == SIZE_MAX) {
        if (in->len > HEAD_MAX || !read_more(fd, in)) {
            return false;
        }
    }
    end += 4;
    size_t length = content_length(str_sub(buf_str(in), 0, end));
    while (in->len - end < length) {
        if (length > BODY_MAX || !read_more(fd, in)) {
            return false;
        }
    }
    r->head = str_sub(buf_str(in), 0, end);
    r->body = str_sub(buf_str(in), end, end + length);
    size_t space = str_find(r->head, STR_LIT(" ")) + 1;
    struct str rest = str_sub(r->head, space, r->head.len);
    r->path = str_sub(rest, 0, str_find(rest, STR_LIT(" ")));
    return true;
}

static bool write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        bytes = str_sub(bytes, (size_t)n, bytes.len);
    }
    return true;
}

static bool write_reply(int fd, const struct mock_reply *reply)
{
    struct buf head = {0};
    buf_addf(&head, "HTTP/1.1 %d mock\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n",
             reply->status, reply->body.len);
    buf_add_str(&head, buf_str(&reply->headers));
    buf_add_text(&head, "\r\n");
    bool whole = reply->cut >= reply->body.len;
    struct str body = str_sub(buf_str(&reply->body), 0, whole ? reply->body.len : reply->cut);
    bool ok = write_all(fd, buf_str(&head)) && write_all(fd, body);
    buf_release(&head);
    return ok && whole;
}

static bool serve_one(struct mock_server *s, int fd, struct buf *in)
{
    struct mock_request request = {0};
    if (!read_request(fd, in, &request)) {
        return false;
    }
    struct mock_reply reply = {.status = 200, .cut = SIZE_MAX};
    (void)pthread_mutex_lock(&s->lock);
    request.number = s->requests++;
    s->under_way++;
    s->peak = s->under_way > s->peak ? s->under_way : s->peak;
    s->handler(s->ctx, &request, &reply);
    (void)pthread_mutex_unlock(&s->lock);
    wait_seconds(s, reply.delay);
    (void)pthread_mutex_lock(&s->lock);
    s->under_way--;
    (void)pthread_mutex_unlock(&s->lock);
    bool ok = !reply.hang_up && !s->stopping && write_reply(fd, &reply);
    buf_release(&reply.headers);
    buf_release(&reply.body);
    return ok;
}

static void *serve_connection(void *arg)
{
    struct connection *c = arg;
    struct buf in = {0};
    while (!c->server->stopping && serve_one(c->server, c->fd, &in)) {
    }
    buf_release(&in);
    (void)shutdown(c->fd, SHUT_RDWR);
    c->ended = true;
    return NULL;
}

static void end_connection(struct connection *c)
{
    if (c->used) {
        (void)shutdown(c->fd, SHUT_RDWR);
        (void)pthread_join(c->thread, NULL);
        (void)close(c->fd);
        c->used = false;
    }
}

static void take_connection(struct mock_server *s, int fd)
{
    for (size_t i = 0; i < MOCK_CONNECTIONS; i++) {
        struct connection *c = &s->connections[i];
        if (c->used && !c->ended) {
            continue;
        }
        end_connection(c);
        c->server = s;
        c->fd = fd;
        c->ended = false;
        c->used = pthread_create(&c->thread, NULL, serve_connection, c) == 0;
        if (!c->used) {
            (void)close(fd);
        }
        return;
    }
    (void)close(fd);
}

static void *serve(void *arg)
{
    struct mock_server *s = arg;
    while (!s->stopping) {
        struct pollfd p = {.fd = s->listener, .events = POLLIN};
        if (poll(&p, 1, 20) > 0) {
            int fd = accept(s->listener, NULL, NULL);
            if (fd >= 0) {
                take_connection(s, fd);
            }
        }
    }
    return NULL;
}

struct mock_server *mock_server_start(mock_handler handler, void *ctx)
{
    struct mock_server *s = mem_zalloc(sizeof *s);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    s->handler = handler;
    s->ctx = ctx;
    (void)pthread_mutex_init(&s->lock, NULL);
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&a, size) != 0 ||
        listen(s->listener, MOCK_CONNECTIONS) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&a, &size) != 0) {
        die("mock server");
    }
    s->port = ntohs(a.sin_port);
    if (pthread_create(&s->thread, NULL, serve, s) != 0) {
        die("mock server");
    }
    return s;
}

void mock_server_stop(struct mock_server *s)
{
    s->stopping = true;
    (void)pthread_join(s->thread, NULL);
    for (size_t i = 0; i < MOCK_CONNECTIONS; i++) {
        end_connection(&s->connections[i]);
    }
    (void)close(s->listener);
    (void)pthread_mutex_destroy(&s->lock);
    mem_free(s);
}

uint16_t mock_server_port(const struct mock_server *s)
{
    return s->port;
}

uint32_t mock_server_requests(struct mock_server *s)
{
    (void)pthread_mutex_lock(&s->lock);
    uint32_t n = s->requests;
    (void)pthread_mutex_unlock(&s->lock);
    return n;
}

uint32_t mock_server_peak(struct mock_server *s)
{
    (void)pthread_mutex_lock(&s->lock);
    uint32_t n = s->peak;
    (void)pthread_mutex_unlock(&s->lock);
    return n;
}

void mock_reply_text(const struct mock_request *request, struct mock_reply *reply, struct str text,
                     const char *finish)
{
    bool chat = str_ends(request->path, STR_LIT("/chat/completions"));
    struct json_writer w = {.out = &reply->body};
    json_open(&w, '{');
    json_member_open(&w, "choices", '[');
    json_open(&w, '{');
    if (chat) {
        json_member_open(&w, "message", '{');
        json_member_text(&w, "role", "assistant");
    }
    json_member_str(&w, chat ? "content" : "text", text);
    if (chat) {
        json_close(&w, '}');
    }
    json_member_text(&w, "finish_reason", finish);
    json_close(&w, '}');
    json_close(&w, ']');
    json_member_open(&w, "usage", '{');
    json_member_u64(&w, "prompt_tokens", request->body.len);
    json_member_u64(&w, "completion_tokens", text.len);
    json_close(&w, '}');
    json_close(&w, '}');
}
