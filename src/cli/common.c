/* common.c -- options of every command, messages and progress on stderr.
 *
 * Progress goes to the terminal at most six times a second on one line that is
 * overwritten; where stderr is no terminal, one plain line a stage every 30 s
 * and at its end.  The state is static because signals and callbacks of one
 * process have one terminal; the library itself keeps none. */
#include "base/env.h"
#include "base/mem.h"
#include "base/show.h"
#include "base/url.h"
#include "cli/cmd.h"
#include "ranks/ranks.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const PROGRESS_CHOICES[] = {"auto", "always", "never", NULL};

static const struct option CLI_OPTIONS[] = {
    OPT_U32('t', "threads", struct cli_options, threads, 0, 4096,
            "worker threads; 0: one a processor"),
    OPT_SIZE('m', "memory", struct cli_options, memory, 0, 1e15,
             "most memory to use, e.g. 8G; 0: no limit"),
    OPT_COUNT('s', "seed", struct cli_options, seed, 0, 18446744073709551615.0,
              "seed of everything random"),
    OPT_TEXT(0, "kernels", struct cli_options, kernels, "NAME",
             "force a kernel table (generic, avx2, avx512)"),
    OPT_ENUM(0, "progress", struct cli_options, progress, PROGRESS_CHOICES,
             "when to show progress"),
    OPT_FLAG(0, "force", struct cli_options, force,
             "replace finished results of other settings or input that are in the way"),
    OPT_FLAG('q', "quiet", struct cli_options, quiet, "say only what went wrong"),
    OPT_FLAG('v', "verbose", struct cli_options, verbose, "say more"),
    OPT_FLAG(0, "log-json", struct cli_options, log_json, "messages as JSON lines"),
    OPT_END,
};

static const struct cli_options CLI_DEFAULTS = {0};

const struct option_table CLI_TABLE = {
    .command = "winnow",
    .summary = "options of every command",
    .options = CLI_OPTIONS,
    .defaults = &CLI_DEFAULTS,
    .size = sizeof CLI_DEFAULTS,
};

static struct {
    bool terminal;  /* progress overwrites one line */
    bool line_open; /* such a line stands on the terminal */
    bool quiet, verbose, json, no_progress;
    bool follows;   /* rank 0 speaks for this one, too */
    double shown;   /* when progress was last shown */
    double started; /* of the stage in `stage` */
    uint64_t done;  /* as last heard */
    uint64_t first; /* what was done by then, and not passed over */
    bool ended;     /* the stage has shown that it is done */
    char stage[64];
} screen;

/* ---- what people see ---- */

/* One line for stderr. */
static void make_line(const char *text, struct buf *out)
{
    struct buf hidden = {0};
    url_redact_text(str_of(text), &hidden);
    show_add(out, buf_str(&hidden), SHOW_LINE);
    (void)buf_cstr(out);
    buf_release(&hidden);
}

static void print_json(const char *level, struct str text)
{
    struct buf line = {0};
    struct json_writer w = {.out = &line};
    json_open(&w, '{');
    json_member_text(&w, "level", level);
    json_member_str(&w, "text", text);
    json_close(&w, '}');
    (void)fprintf(stderr, "%.*s\n", STR_ARG(buf_str(&line)));
    buf_release(&line);
}

void cli_heed_log_json(int argc, const char *const *argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        screen.json = screen.json || strcmp(argv[i], "--log-json") == 0;
    }
}

void cli_complain(const char *text)
{
    struct buf line = {0};
    make_line(text, &line);
    if (screen.json) {
        print_json("error", buf_str(&line));
    } else {
        (void)fprintf(stderr, "winnow: %s\n", buf_cstr(&line));
    }
    buf_release(&line);
}

void cli_print(const char *text, size_t len)
{
    struct buf shown = {0};
    show_add(&shown, (struct str){text, len}, SHOW_TEXT);
    (void)fwrite(buf_cstr(&shown), 1, shown.len, stdout);
    buf_release(&shown);
}

void cli_tell(const char *text)
{
    struct buf shown = {0};
    show_add(&shown, str_of(text), SHOW_TEXT);
    (void)fflush(stdout); /* so that both, on one terminal, stand one behind the other */
    (void)fwrite(buf_cstr(&shown), 1, shown.len, stderr);
    buf_release(&shown);
}

const char *cli_field(struct cli *cli, const char *text)
{
    struct buf shown = {0};
    show_add(&shown, str_of(text), SHOW_LINE);
    const char *field = arena_strndup(&cli->keep, buf_cstr(&shown), shown.len);
    buf_release(&shown);
    return field;
}

bool cli_output_closed(void)
{
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

/* ---- signals ---- */

/* The library looks at the flag between pieces of work and leaves everything whole.
 * A piece can be long (a document of a gigabyte, a pipe that is silent, a query of the
 * ledger), so when GRACE is over the process ends where it is: a run survives that as
 * it survives kill -9, and goes on from its last checkpoint. */
#define GRACE_NS 800000000L

static volatile int cancel_requested;
static volatile int told_of_it; /* said once, also where GRACE ends while memory is given back */
static timer_t grace;
static bool has_grace;

static void leave(void)
{
    static const char LAST[] = "\nwinnow: " CLI_INTERRUPTED "\n";
    size_t from = screen.line_open ? 0 : 1; /* behind a line of progress: a new one */
    if (!told_of_it && !screen.follows) {
        (void)!write(STDERR_FILENO, LAST + from, sizeof LAST - 1 - from);
    }
    _exit(130);
}

static bool set_grace(long ns)
{
    const struct itimerspec when = {.it_value = {0, ns}};
    return has_grace && timer_settime(grace, 0, &when, NULL) == 0;
}

static void on_signal(int signal_number)
{
    if (signal_number == SIGALRM || cancel_requested) { /* asked twice: leave now */
        leave();
    }
    cancel_requested = 1;
    if (!set_grace(GRACE_NS)) {
        leave();
    }
}

void cli_tell_interrupted(void)
{
    (void)set_grace(0); /* not in the middle of the sentence */
    cli_complain(CLI_INTERRUPTED);
    told_of_it = 1;
    (void)set_grace(GRACE_NS);
}

bool cli_interrupted(void)
{
    return cancel_requested != 0;
}

static void heed_signals(void)
{
    static const int STOPS[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    has_grace = timer_create(CLOCK_MONOTONIC, &event, &grace) == 0;
    struct sigaction action = {.sa_handler = on_signal}, before;
    (void)sigaction(SIGALRM, &action, NULL);
    for (size_t i = 0; i < sizeof STOPS / sizeof *STOPS; i++) {
        bool kept = STOPS[i] == SIGHUP && sigaction(SIGHUP, NULL, &before) == 0 &&
                    before.sa_handler == SIG_IGN; /* nohup */
        if (!kept) {
            (void)sigaction(STOPS[i], &action, NULL);
        }
    }
    (void)signal(SIGPIPE, SIG_IGN); /* writes report EPIPE instead */
}

/* ---- messages and progress ---- */

void cli_progress_end(void)
{
    if (screen.line_open) {
        (void)fputc('\n', stderr);
        screen.line_open = false;
    }
}

static void show_message(void *user, enum winnow_level level, const char *text)
{
    (void)user;
    static const char *const NAMES[] = {"debug", "info", "warning"};
    if (screen.follows || (level == WINNOW_LOG_DEBUG && !screen.verbose) ||
        (level != WINNOW_LOG_WARNING && screen.quiet)) {
        return;
    }
    cli_progress_end();
    struct buf shown = {0};
    make_line(text, &shown);
    if (screen.json) {
        print_json(NAMES[level], buf_str(&shown));
    } else {
        (void)fprintf(stderr, "%s%s\n", level == WINNOW_LOG_WARNING ? "warning: " : "",
                      buf_cstr(&shown));
    }
    buf_release(&shown);
}

static void format_amount(char out[32], double v, const char *unit)
{
    if (strcmp(unit, "bytes") == 0) {
        (void)snprintf(out, 32, "%.1f MB", v / 1e6);
    } else if (v >= 1e7) {
        (void)snprintf(out, 32, "%.1fM %s", v / 1e6, unit);
    } else if (v >= 1e5) {
        (void)snprintf(out, 32, "%.1fk %s", v / 1e3, unit);
    } else {
        (void)snprintf(out, 32, "%.0f %s", v, unit);
    }
}

static void format_seconds(char out[16], double s)
{
    if (!(s < 360000)) {
        (void)snprintf(out, 16, "?");
    } else if (s >= 3600) {
        (void)snprintf(out, 16, "%dh%02dm", (int)(s / 3600), (int)(s / 60) % 60);
    } else {
        (void)snprintf(out, 16, "%d:%02d", (int)(s / 60), (int)s % 60);
    }
}

/* Per cent, 100 only at the end. */
static double share_done(const struct winnow_progress *p)
{
    double share = 100.0 * (double)p->done / (double)p->total;
    return p->done < p->total ? fmin(share, 99) : 100;
}

static void progress_line(char *line, size_t room, const struct winnow_progress *p, double now)
{
    char done[32], rate_text[32], left[16];
    double seconds = now - screen.started;
    double work = (double)(p->done - p->resumed) - (double)screen.first;
    double rate = seconds > 0 && work > 0 ? work / seconds : 0;
    format_amount(done, (double)p->done, p->unit);
    format_amount(rate_text, rate, p->unit);
    int n = snprintf(line, room, "%-10s %s", p->stage, done);
    size_t at = n < 0 ? 0 : (size_t)n;
    if (p->total > 0 && at < room) {
        n = snprintf(line + at, room - at, ", %.0f%%", share_done(p));
        at += n < 0 ? 0 : (size_t)n;
    }
    if (rate > 0 && at < room) { /* what was done in one go has no rate */
        n = snprintf(line + at, room - at, ", %s/s", rate_text);
        at += n < 0 ? 0 : (size_t)n;
    }
    if (rate > 0 && p->total > p->done && at < room) {
        format_seconds(left, (double)(p->total - p->done) / rate);
        n = snprintf(line + at, room - at, ", %s left", left);
        at += n < 0 ? 0 : (size_t)n;
    }
    if (!isnan(p->loss) && at < room) {
        (void)snprintf(line + at, room - at, ", loss %.3f", p->loss);
    }
}

static void show_progress(void *user, const struct winnow_progress *p)
{
    (void)user;
    if (screen.no_progress) {
        return;
    }
    double now = env_seconds();
    bool again = p->done < screen.done; /* the same work on something else */
    screen.done = p->done;
    if (again || strcmp(p->stage, screen.stage) != 0) {
        cli_progress_end();
        (void)snprintf(screen.stage, sizeof screen.stage, "%s", p->stage);
        screen.started = now;
        screen.first = p->done - p->resumed;
        screen.shown = now;
        screen.ended = false;
    }
    bool last = p->total > 0 && p->done >= p->total;
    double pause = screen.terminal && !screen.json ? 1.0 / 6 : 30.0;
    if (screen.ended || (!last && now - screen.shown < pause)) {
        return;
    }
    screen.shown = now;
    char line[200];
    progress_line(line, sizeof line, p, now);
    struct buf shown = {0};
    show_add(&shown, str_of(line), SHOW_LINE);
    if (screen.json) {
        print_json("progress", buf_str(&shown));
    } else if (screen.terminal) {
        (void)fprintf(stderr, "\r%s\033[K", buf_cstr(&shown));
        screen.line_open = true;
    } else {
        (void)fprintf(stderr, "%s\n", buf_cstr(&shown));
    }
    buf_release(&shown);
    if (last) {
        cli_progress_end();
        screen.ended = true;
    }
    (void)fflush(stderr);
}

static const char *variable(void *user, const char *name)
{
    (void)user;
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets any */
}

/* What the library sends to "-" goes behind what was printed. */
static int write_out(void *user, const void *bytes, size_t len)
{
    (void)user;
    const char *at = bytes;
    (void)fflush(stdout);
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, at, len);
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static void set_up(struct cli *cli)
{
    const struct cli_options *o = &cli->common;
    screen.terminal = o->progress == CLI_PROGRESS_ALWAYS || isatty(STDERR_FILENO);
    screen.follows = !ranks_lead(cli->ranks);
    screen.no_progress = o->quiet || o->progress == CLI_PROGRESS_NEVER || screen.follows;
    screen.quiet = o->quiet;
    screen.verbose = o->verbose;
    screen.json = o->log_json;
    heed_signals();
    if (o->memory > 0) {
        mem_give_back();
    }
    cli->env = (struct winnow_env){
        .log = show_message,
        .progress = show_progress,
        .write = write_out,
        .variable = variable,
        .threads = o->threads,
        .memory_max = o->memory,
        .seed = o->seed,
        .kernels = o->kernels,
        .cancel = &cancel_requested,
        .force = o->force,
        .ranks = cli->ranks,
    };
}

winnow_status cli_parse_sets(struct cli *cli, const struct option_set *sets, size_t n, int argc,
                             const char *const *argv, struct winnow_error *err)
{
    struct option_set all[8];
    assert(n < sizeof all / sizeof all[0]);
    memcpy(all, sets, n * sizeof *all);
    all[n] = (struct option_set){&CLI_TABLE, &cli->common, &cli->given};
    TRY(option_parse(all, n + 1, argc, argv, &cli->paths, &cli->keep, err));
    set_up(cli);
    return WINNOW_OK;
}

winnow_status cli_parse(struct cli *cli, const struct option_table *table, void *options, int argc,
                        const char *const *argv, struct winnow_error *err)
{
    struct option_set set = {.table = table, .values = options};
    return cli_parse_sets(cli, &set, 1, argc, argv, err);
}

winnow_status cli_say_finished(const struct cli *cli, const char *output)
{
    env_log(&cli->env, WINNOW_LOG_INFO, "%s is finished; nothing is left to do", output);
    return WINNOW_OK;
}

winnow_status cli_need_paths(const struct cli *cli, const struct option_table *table, size_t least,
                             size_t most, struct winnow_error *err)
{
    if (cli->paths.count < least || cli->paths.count > most) {
        return error_set(err, WINNOW_E_USAGE, "usage: winnow %s %s", table->command, table->usage);
    }
    return WINNOW_OK;
}
