/* prune_reference.c -- chooses texts for a reference model, trains it, keeps it.
 *
 * Every document has a draw, 64 bits hashed from its text (corpus/split.h); the
 * reference takes those of least draw until it has its tokens (least_draws.h).  The
 * model is kept in a folder of its own, whose card (reference.json) is written last and
 * means that it is finished.  Method: "Perplexed by Perplexity" (Ankner et al. 2024). */
#include "prune/prune_reference.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/rng.h"
#include "corpus/split.h"
#include "model/model_file.h"
#include "train/small_model.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* English gives about 3.5 bytes a token with a few thousand tokens; where a text
 * gives more bytes a token than this, the side may hold fewer tokens than wanted.
 * A text is held a little longer than it counts, for where its tokens are long. */
#define BYTES_A_TOKEN      6U
#define BYTES_HELD_A_TOKEN 8U

/* A reference on less than this part of the tokens wanted is another experiment. */
#define LEAST_PART 8U

/* Of the loss of guessing; nearer to that, a reference tells texts apart by chance. */
#define LEARNT_PART 0.95

struct least_draws reference_texts_for(const struct winnow_prune_options *opt)
{
    return (struct least_draws){.bytes_max = opt->reference_tokens * BYTES_A_TOKEN,
                                .counted_max = opt->document_tokens * BYTES_A_TOKEN,
                                .text_max = opt->document_tokens * BYTES_HELD_A_TOKEN};
}

void reference_release(struct reference *r)
{
    model_free(r->model);
    *r = (struct reference){0};
}

/* ---- tokenizer ---- */

struct text_walk {
    const struct winnow_env *env;
    uint32_t vocab;
    const struct least_draws *sides;
    size_t count, side, at;
};

static winnow_status next_text(void *ctx, struct str *text, bool *more, struct winnow_error *err)
{
    (void)err;
    struct text_walk *w = ctx;
    while (w->side < w->count && w->at == w->sides[w->side].count) {
        w->side++;
        w->at = 0;
    }
    *more = w->side < w->count;
    if (*more) {
        const struct drawn_text *item = &w->sides[w->side].items[w->at++];
        *text = (struct str){item->text, item->len};
    }
    return WINNOW_OK;
}

static winnow_status make_tokenizer(void *ctx, struct tokenizer **out, struct winnow_error *err)
{
    struct text_walk *w = ctx;
    return small_model_train_tokenizer(w->vocab, w->env, next_text, w, out, err);
}

winnow_status reference_tokenizer(const struct selector_home *home,
                                  const struct winnow_prune_options *opt,
                                  const struct least_draws *sides, size_t count,
                                  struct tokenizer **out, struct winnow_error *err)
{
    struct text_walk walk = {
        .env = home->env, .vocab = opt->model.vocab, .sides = sides, .count = count};
    struct buf path = {0};
    const char *file = file_join(&path, home->folder, "tokenizer.json");
    winnow_status st = small_model_tokenizer(opt->tokenizer, file, make_tokenizer, &walk, out, err);
    buf_release(&path);
    return st;
}

/* ---- training ---- */

/* The draw up to which documents may be set aside for a reference. */
static uint64_t draw_max(const struct winnow_prune_options *opt)
{
    return opt->cross_fit ? UINT64_MAX : (uint64_t)(opt->reference_share_max * 0x1p64);
}

/* The tokens that out trains on, whole steps: those wanted, or what there is. */
static winnow_status settle_tokens(const struct winnow_env *env,
                                   const struct winnow_prune_options *opt,
                                   const struct packer_options *packer, uint64_t have, bool share,
                                   struct reference *out, struct winnow_error *err)
{
    uint64_t wanted = packer_steps(packer, opt->reference_tokens) * packer->batch_tokens;
    char who[64];
    (void)snprintf(who, sizeof who, "%s",
                   opt->cross_fit ? "its half of the corpus holds" : "the corpus holds");
    if (share) {
        (void)snprintf(who, sizeof who, "%.3g %% of the documents hold",
                       100 * opt->reference_share_max);
    }
    out->tokens = have < wanted ? packer_steps(packer, have) * packer->batch_tokens : wanted;
    if (out->tokens == 0 || out->tokens < wanted / LEAST_PART) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s %" PRIu64 " tokens for a reference model, too few of the %" PRIu64
                         " of --reference-tokens: lower that%s, or give a model with "
                         "--reference-model",
                         who, have, opt->reference_tokens,
                         share ? ", raise --reference-share-max, use --cross-fit, which sets "
                                 "nothing aside"
                               : "");
    }
    if (out->tokens < wanted) {
        env_log(env, WINNOW_LOG_WARNING,
                "the reference trains on %" PRIu64 " tokens, not on the %" PRIu64
                " of --reference-tokens: %s no more%s",
                out->tokens, opt->reference_tokens, who,
                share ? " (--reference-share-max; --cross-fit sets nothing aside)" : "");
    }
    return WINNOW_OK;
}

/* A reference in the making. */
struct making {
    const struct selector_home *home;
    const struct winnow_prune_options *opt;
    const struct tokenizer *t;
    size_t side;
    const char *folder;
    struct packer_options packer;
    struct token_docs docs;
    struct reference *out;
};

/* Encodes documents in the order of draws until they hold the tokens. */
static winnow_status encode(struct making *m, const struct least_draws *texts,
                            struct winnow_error *err)
{
    const struct winnow_prune_options *opt = m->opt;
    const struct packer_options *packer = &m->packer;
    struct token_docs *docs = &m->docs;
    struct tokenizer_scratch *scratch = tokenizer_scratch_new(m->t);
    uint64_t have = 0, last = draw_max(opt);
    uint64_t wanted = packer_steps(packer, opt->reference_tokens) * packer->batch_tokens;
    size_t i = 0;
    for (; i < texts->count && have < wanted && texts->items[i].draw <= last; i++) {
        const struct drawn_text *item = &texts->items[i];
        size_t before = docs->tokens.len;
        tokenizer_encode(m->t, scratch, (struct str){item->text, item->len},
                         TOKENIZER_PLAIN_SPECIAL, &docs->tokens);
        token_docs_end(docs);
        have += packer_stream(packer, docs->tokens.len - before);
        m->out->last_draw = item->draw;
    }
    m->out->documents = i;
    tokenizer_scratch_free(scratch);
    return settle_tokens(m->home->env, opt, packer, have, i < texts->count, m->out, err);
}

static winnow_status write_card(const struct selector_home *home, const struct reference *r,
                                struct winnow_error *err)
{
    struct buf text = {0}, path = {0}, name = {0};
    struct json_writer w = {.out = &text};
    json_open(&w, '{');
    json_member_u64(&w, "last_draw", r->last_draw);
    json_member_u64(&w, "documents", r->documents);
    json_member_u64(&w, "tokens", r->tokens);
    json_member_double(&w, "loss", r->loss);
    json_member_double(&w, "flops", r->flops);
    json_close(&w, '}');
    buf_addf(&name, "%s/reference.json", r->folder);
    winnow_status st =
        file_write_atomic(file_join(&path, home->folder, buf_cstr(&name)), buf_str(&text), err);
    buf_release(&text);
    buf_release(&path);
    buf_release(&name);
    return st;
}

static winnow_status load_finished(const char *folder, const char *card, struct reference *r,
                                   struct winnow_error *err)
{
    struct buf text = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    winnow_status st = file_read(card, 65536, &text, err);
    if (st == WINNOW_OK) {
        st = json_parse(parser, buf_str(&text), &root, err);
    }
    if (st == WINNOW_OK && !(json_as_u64(json_get(root, "last_draw"), &r->last_draw) &&
                             json_as_u64(json_get(root, "documents"), &r->documents) &&
                             json_as_u64(json_get(root, "tokens"), &r->tokens) &&
                             json_as_double(json_get(root, "loss"), &r->loss) &&
                             json_as_double(json_get(root, "flops"), &r->flops))) {
        st = error_set(err, WINNOW_E_FORMAT, "%s is not whole", card);
    }
    if (st == WINNOW_OK) {
        st = model_load(folder, &r->model, err);
    }
    json_parser_free(parser);
    buf_release(&text);
    return st;
}

static winnow_status fit_reference(struct making *m, struct winnow_error *err)
{
    const struct winnow_env *env = m->home->env;
    struct reference *r = m->out;
    uint32_t *order = mem_alloc((m->docs.count + 1) * sizeof *order);
    for (uint32_t i = 0; i < m->docs.count; i++) {
        order[i] = i; /* draws are a random order already */
    }
    struct fit_options fit_opt = {.packer = m->packer, .folder = m->folder, .stage = "reference"};
    small_model_trainer(&m->opt->model, packer_steps(&m->packer, r->tokens), &fit_opt.trainer);
    const struct fit_data data = {&m->docs, order, m->docs.count};
    struct fit_result fitted;
    model_init_random(r->model, rng_mix(env->seed + m->side));
    winnow_status st = fit(r->model, m->home->pool, &data, &fit_opt, env, &fitted, err);
    r->loss = fitted.loss;
    r->flops = fitted.flops;
    fit_result_release(&fitted);
    mem_free(order);
    return st;
}

/* Model first, card last: a card means that the reference is finished. */
static winnow_status keep(const struct making *m, struct winnow_error *err)
{
    TRY(model_save(m->out->model, m->folder, TENSOR_F32, err));
    TRY(tokenizer_save_folder(m->t, m->folder, err));
    TRY(write_card(m->home, m->out, err));
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    static const char *const GONE[] = {"trainer.bin", "progress.json"};
    for (size_t i = 0; st == WINNOW_OK && i < 2; i++) {
        st = file_remove_tree(file_join(&path, m->folder, GONE[i]), err);
    }
    buf_release(&path);
    return st;
}

static winnow_status make(struct making *m, const struct model_config *config,
                          const struct least_draws *texts, struct winnow_error *err)
{
    small_model_packer(&m->opt->model, config, m->opt->document_tokens, &m->packer);
    TRY(encode(m, texts, err));
    TRY(file_make_dirs(m->folder, err));
    TRY(model_new(config, &m->out->model, err));
    TRY(fit_reference(m, err));
    return keep(m, err);
}

winnow_status reference_train(const struct selector_home *home,
                              const struct winnow_prune_options *opt, const struct tokenizer *t,
                              size_t side, struct least_draws *texts, struct reference *out,
                              struct winnow_error *err)
{
    struct model_config config;
    TRY(small_model_config(&opt->model, t, &config, err));
    out->parameters = model_config_parameters(&config);
    (void)snprintf(out->folder, sizeof out->folder, "reference-%zu", side);
    struct buf folder = {0}, card = {0};
    const char *path = file_join(&folder, home->folder, out->folder);
    struct making m = {.home = home, .opt = opt, .t = t, .side = side, .folder = path, .out = out};
    (void)file_join(&card, path, "reference.json");
    winnow_status st = file_exists(buf_cstr(&card)) ? load_finished(path, buf_cstr(&card), out, err)
                                                    : make(&m, &config, texts, err);
    double guess = log((double)config.vocab); /* of who knows nothing */
    out->learnt_little = st == WINNOW_OK && !(out->loss < LEARNT_PART * guess);
    if (out->learnt_little) {
        env_log(
            home->env, WINNOW_LOG_WARNING,
            "the reference has learnt next to nothing: its last loss is %.1f, and guessing gives "
            "%.1f; its scores say little about texts: raise --reference-tokens, or give a model "
            "with --reference-model",
            out->loss, guess);
    }
    token_docs_release(&m.docs);
    buf_release(&folder);
    buf_release(&card);
    return st;
}
