/* synth_ask.c -- see synth_ask.h.
 *
 * As many requests are under way as the writer takes; answers come in the order of requests and
 * go to the store one by one.  Which are under way together has no part in the answers of our
 * own engine; what a server makes of it, the store keeps. */
#include "synth/synth_ask.h"

#include "winnow/train.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "model/model_file.h"
#include "option/tables.h"
#include "refine/prompt.h"
#include "refine/writer_builtin.h"
#include "refine/writer_http.h"
#include "remote/server.h"

#include <inttypes.h>
#include <stdio.h>

#define MARGIN 64U /* tokens around a seed beside the prompt's own */

struct ask {
    struct stage *stage;
    const struct winnow_synthesize_options *opt;
    const struct synth_plan *plan;
    const struct synth_seeds *seeds;
    struct synth_answers *answers;
    struct tokenizer *tokenizer;
    struct prompter *prompter;
    struct program_writer *writer;
    uint64_t submitted; /* requests */
    struct asked {
        struct buf seed;
        const char *prompt;
        uint64_t sampling;
    } * asked; /* a ring as long as the writer's window */
    struct synth_seed_reader reader;
    struct prompt prompt;
    struct buf user;
    uint32_t *order;
};

void synth_model_release(struct synth_model *m)
{
    buf_release(&m->name);
    buf_release(&m->hash);
}

/* ---- who writes ---- */

static winnow_status find_template(const struct winnow_synthesize_options *opt,
                                   enum chat_template *out, struct winnow_error *err)
{
    static const enum chat_template GIVEN[] = {[WINNOW_TEMPLATE_AUTO] = CHAT_PLAIN,
                                               [WINNOW_TEMPLATE_PLAIN] = CHAT_PLAIN,
                                               [WINNOW_TEMPLATE_LLAMA2] = CHAT_LLAMA2,
                                               [WINNOW_TEMPLATE_CHATML] = CHAT_CHATML};
    *out = GIVEN[opt->prompt];
    bool find = opt->prompt == WINNOW_TEMPLATE_AUTO && opt->writer;
    return find ? chat_template_of_model(opt->writer, out, err) : WINNOW_OK;
}

static winnow_status open_http(struct ask *a, struct synth_model *model, struct winnow_error *err)
{
    const struct winnow_env *env = stage_env(a->stage);
    struct completion_client_options client;
    struct buf key = {0}, path = {0};
    winnow_status st = server_client_options(&a->opt->server, env, &key, &client, err);
    st = st == WINNOW_OK ? writer_http_open(&client, env, &a->writer, err) : st;
    if (st == WINNOW_OK) {
        buf_add_text(&model->name, writer_http_model(a->writer));
        st = server_same_model(stage_path(a->stage, "server-model", &path), buf_cstr(&model->name),
                               err);
    }
    buf_release(&key);
    buf_release(&path);
    return st;
}

/* Tokens of the longest prompt around its seed. */
static uint32_t longest_around(struct ask *a)
{
    uint32_t most = 0;
    for (size_t i = 0; i < a->plan->prompts->count; i++) {
        const struct synth_prompt *p = &a->plan->prompts->items[i];
        buf_clear(&a->user);
        buf_add_str(&a->user, p->before);
        buf_add_str(&a->user, p->after);
        prompter_user(a->prompter, buf_str(&a->user), &a->prompt);
        uint32_t tokens = (uint32_t)a->prompt.tokens.len + p->new_tokens;
        most = tokens > most ? tokens : most;
    }
    return most + MARGIN;
}

static winnow_status hash_model(const char *path, struct synth_model *out, struct winnow_error *err)
{
    struct model *m = NULL;
    TRY(model_open(path, &m, err));
    buf_add_text(&out->name, file_base(path));
    buf_addf(&out->hash, "%016" PRIx64, model_hash(m));
    model_free(m);
    return WINNOW_OK;
}

static winnow_status open_builtin(struct ask *a, struct synth_model *model,
                                  struct winnow_error *err)
{
    const struct winnow_synthesize_options *opt = a->opt;
    const struct winnow_env *env = stage_env(a->stage);
    struct model_config config;
    uint32_t stops[PROMPT_STOPS_MAX];
    TRY(model_load_config(opt->writer, &config, err));
    TRY(hash_model(opt->writer, model, err));
    uint32_t context = longest_around(a) + opt->seed_tokens;
    const struct writer_builtin_options builtin = {
        .model = opt->writer,
        .compute = opt->compute == WINNOW_BF16 ? ENGINE_BF16 : ENGINE_F32,
        .threads = env->threads,
        .context_max = context < config.context ? context : config.context,
        .stops = stops,
        .stop_count = prompter_stops(a->prompter, stops),
        .free = true,
    };
    return writer_builtin_new(&builtin, a->tokenizer, env, &a->writer, err);
}

static winnow_status open_writer(struct ask *a, struct synth_model *model, struct winnow_error *err)
{
    enum chat_template template;
    TRY(find_template(a->opt, &template, err));
    if (a->opt->writer) {
        TRY(model_load_tokenizer(a->opt->writer, &a->tokenizer, err));
    }
    TRY(prompter_new(template, a->opt->system, a->tokenizer, &a->prompter, err));
    return a->opt->engine == WINNOW_SYNTHESIZE_HTTP ? open_http(a, model, err)
                                                    : open_builtin(a, model, err);
}

/* ---- requests and answers ---- */

static winnow_status submit(struct ask *a, struct winnow_error *err)
{
    const struct synth_plan *plan = a->plan;
    struct synth_request request;
    struct synth_seed seed;
    TRY(synth_seeds_read(a->seeds, synth_plan_seed_of(plan, a->submitted), &a->reader, &seed, err));
    synth_plan_request(plan, a->submitted, seed.text, a->order, &request);
    const struct synth_prompt *p = &plan->prompts->items[request.order[request.round]];
    buf_clear(&a->user);
    buf_add_str(&a->user, p->before);
    buf_add_str(&a->user, seed.text);
    buf_add_str(&a->user, p->after);
    prompter_user(a->prompter, buf_str(&a->user), &a->prompt);
    const struct writer_request out = {
        .prompt = buf_str(&a->prompt.text),
        .tokens = a->tokenizer ? a->prompt.tokens.ptr : NULL,
        .token_count = a->prompt.tokens.len,
        .system = a->opt->system ? str_of(a->opt->system) : (struct str){"", 0},
        .user = buf_str(&a->prompt.user),
        .new_tokens = p->new_tokens,
        .prose = true,
        .temperature = a->opt->temperature,
        .seed = request.sampling,
        .tag = a->submitted,
    };
    struct asked *asked = &a->asked[a->submitted % program_writer_window(a->writer)];
    buf_clear(&asked->seed);
    buf_add_str(&asked->seed, seed.id);
    asked->prompt = p->name;
    asked->sampling = request.sampling;
    TRY(program_writer_submit(a->writer, &out, err));
    a->submitted++;
    return WINNOW_OK;
}

static winnow_status take_answer(struct ask *a, struct winnow_error *err)
{
    static const enum synth_end ENDS[] = {[WRITER_STOPPED] = SYNTH_STOPPED,
                                          [WRITER_CUT] = SYNTH_CUT,
                                          [WRITER_LOOPED] = SYNTH_LOOPED,
                                          [WRITER_REFUSED] = SYNTH_REFUSED};
    struct writer_answer answer;
    TRY(program_writer_next(a->writer, &answer, err));
    const struct asked *asked = &a->asked[a->answers->count % program_writer_window(a->writer)];
    const struct synth_answer taken = {.end = ENDS[answer.outcome],
                                       .text = answer.text,
                                       .reason = answer.reason,
                                       .prompt_tokens = answer.prompt_tokens,
                                       .new_tokens = answer.new_tokens};
    TRY(synth_answers_add(a->answers, buf_str(&asked->seed), asked->prompt, asked->sampling, &taken,
                          err));
    env_progress(stage_env(a->stage), "synthesize", "answers", a->answers->count,
                 a->plan->requests);
    return env_check(stage_env(a->stage), err);
}

static bool has_enough(const struct ask *a)
{
    return a->answers->count >= a->plan->requests ||
           (a->opt->tokens > 0 && a->answers->new_tokens >= a->opt->tokens);
}

static winnow_status ask_all(struct ask *a, struct winnow_error *err)
{
    uint32_t window = program_writer_window(a->writer);
    a->asked = mem_zalloc(window * sizeof *a->asked);
    a->submitted = a->answers->count;
    while (!has_enough(a)) {
        while (a->submitted < a->plan->requests && a->submitted - a->answers->count < window) {
            TRY(submit(a, err));
        }
        TRY(take_answer(a, err));
    }
    return WINNOW_OK;
}

/* ---- the model's name, kept for who comes later ---- */

static winnow_status write_model(const struct synth_model *m, const char *path,
                                 struct winnow_error *err)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    json_open(&w, '{');
    json_member_str(&w, "model", buf_str(&m->name));
    json_member_str(&w, "hash", buf_str(&m->hash));
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    winnow_status st = file_write_atomic(path, buf_str(&text), err);
    buf_release(&text);
    return st;
}

static winnow_status read_model(struct synth_model *m, const char *path, struct winnow_error *err)
{
    struct json_parser *p = json_parser_new();
    struct json_value root;
    struct str name = {"", 0}, hash = {"", 0};
    winnow_status st = json_read_file(path, (size_t)1 << 16, p, &root, err);
    if (st == WINNOW_OK) {
        (void)json_as_str(json_get(root, "model"), &name);
        (void)json_as_str(json_get(root, "hash"), &hash);
        buf_add_str(&m->name, name);
        buf_add_str(&m->hash, hash);
    }
    json_parser_free(p);
    return st;
}

static void release(struct ask *a)
{
    for (uint32_t i = 0; a->asked && i < program_writer_window(a->writer); i++) {
        buf_release(&a->asked[i].seed);
    }
    mem_free(a->asked);
    program_writer_free(a->writer);
    prompter_free(a->prompter);
    tokenizer_free(a->tokenizer);
    synth_seed_reader_release(&a->reader);
    prompt_release(&a->prompt);
    buf_release(&a->user);
    mem_free(a->order);
}

/* What was answered is kept, whatever else went wrong. */
static void keep_answers(struct ask *a)
{
    struct winnow_error ignored;
    if (answer_store_mark(a->answers->store, false, &ignored) != WINNOW_OK) {
        ignored.text[0] = '\0';
    }
}

winnow_status synth_ask(struct stage *stage, const struct winnow_synthesize_options *opt,
                        const struct synth_plan *plan, const struct synth_seeds *seeds,
                        struct synth_answers *answers, struct synth_model *model,
                        struct winnow_error *err)
{
    struct buf path = {0};
    (void)stage_path(stage, "writer.json", &path);
    if (answer_store_complete(answers->store)) {
        winnow_status read = read_model(model, buf_cstr(&path), err);
        buf_release(&path);
        return read;
    }
    struct ask a = {.stage = stage, .opt = opt, .plan = plan, .seeds = seeds, .answers = answers};
    a.order = mem_zalloc(plan->prompts->count * sizeof *a.order);
    winnow_status st = open_writer(&a, model, err);
    st = st == WINNOW_OK ? write_model(model, buf_cstr(&path), err) : st;
    if (st == WINNOW_OK) {
        st = ask_all(&a, err);
        if (st == WINNOW_OK) {
            st = answer_store_mark(answers->store, true, err);
        } else {
            keep_answers(&a);
        }
    }
    release(&a);
    buf_release(&path);
    return st;
}
