/* refiner_save.c -- a taught refiner as a model folder that others can load, too.
 *
 * Beside weights and tokenizer lie the chat template in Jinja, for servers, and
 * training.json with settings, data and losses. */
#include "teach/refiner_save.h"

#include "winnow/refiner.h"

#include "base/file.h"
#include "base/json_write.h"
#include "model/model_file.h"
#include "option/tables.h"

/* For those who run the refiner elsewhere; what prompt.c renders for a system and a
 * user text. */
static const char *const JINJA[CHAT_COUNT] = {
    [CHAT_PLAIN] = NULL,
    [CHAT_LLAMA2] = "{% if messages[0]['role'] == 'system' %}"
                    "{{ '[INST] <<SYS>>\\n' + messages[0]['content'] + '\\n<</SYS>>\\n\\n' + "
                    "messages[1]['content'] + ' [/INST]' }}"
                    "{% else %}{{ '[INST] ' + messages[0]['content'] + ' [/INST]' }}{% endif %}",
    [CHAT_CHATML] = "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + "
                    "'<|im_end|>\\n' }}{% endfor %}"
                    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
};

static void write_examples(const struct refiner_card *card, struct json_writer *w)
{
    const struct example_counts *c = card->counts;
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"pages", c->pages},
        {"pages_dropped", c->dropped},
        {"pages_unlike", c->unlike},
        {"pages_stripped", c->stripped},
        {"pages_refused", c->refused},
        {"examples", card->train_examples},
        {"examples_held_out", card->held_out_examples},
        {"examples_too_long", c->too_long},
        {"examples_that_keep", c->kept},
        {"long_lines_skipped", c->lines_skipped},
        {"clean_chars", c->clean_chars},
        {"clean_chars_reached", c->covered_chars},
    };
    json_member_open(w, "data", '{');
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_member_u64(w, rows[i].name, rows[i].value);
    }
    json_close(w, '}');
    json_member_open(w, "prompts", '{');
    json_member_text(w, "template", CHAT_TEMPLATES[card->examples->template]);
    json_member_text(w, "system", card->examples->system);
    json_member_u64(w, "chunk_tokens", card->examples->chunk.tokens);
    json_member_u64(w, "sequence_tokens", card->examples->sequence_max);
    json_close(w, '}');
}

static void write_fitted(const struct tune_result *r, struct json_writer *w)
{
    json_member_u64(w, "steps", r->steps);
    json_member_u64(w, "tokens", r->tokens);
    json_member_u64(w, "targets", r->targets);
    json_member_u64(w, "trained_parameters", r->trained);
    json_member_double(w, "epochs", r->epochs);
    json_member_double(w, "flops", r->flops);
    json_member_open(w, "held_out", '[');
    for (size_t i = 0; i < r->curve_count; i++) {
        json_open(w, '[');
        json_u64(w, r->curve[i].step);
        json_double(w, r->curve[i].loss);
        json_close(w, ']');
    }
    json_close(w, ']');
    if (r->curve_count > 0) {
        json_member_u64(w, "best_step", r->curve[r->best].step);
    }
    json_member_open(w, "losses", '[');
    for (uint64_t i = 0; i < r->steps; i++) {
        json_double(w, (double)r->losses[i]);
    }
    json_close(w, ']');
}

static void write_card(const struct model *m, const struct refiner_card *card, struct buf *out)
{
    struct json_writer w = {.out = out, .pretty = true};
    json_open(&w, '{');
    json_member_open(&w, "settings", '{');
    option_write_json(&REFINER_TRAIN_TABLE, card->opt, &w);
    json_close(&w, '}');
    json_member_u64(&w, "seed", card->seed);
    json_member_u64(&w, "parameters", model_config_parameters(model_config(m)));
    write_examples(card, &w);
    write_fitted(card->fitted, &w);
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

winnow_status refiner_save(const struct model *m, const struct tokenizer *t,
                           const struct refiner_card *card, struct winnow_error *err)
{
    const char *folder = card->opt->output;
    const char *jinja = JINJA[card->examples->template];
    struct buf text = {0}, path = {0};
    winnow_status st =
        model_save(m, folder, card->opt->save == WINNOW_SAVE_BF16 ? TENSOR_BF16 : TENSOR_F32, err);
    if (st == WINNOW_OK) {
        st = tokenizer_save_folder(t, folder, err);
    }
    if (st == WINNOW_OK && jinja) {
        st = file_write_atomic(file_join(&path, folder, "chat_template.jinja"), str_of(jinja), err);
    }
    if (st == WINNOW_OK) {
        write_card(m, card, &text);
        st = file_write_atomic(file_join(&path, folder, "training.json"), buf_str(&text), err);
    }
    buf_release(&text);
    buf_release(&path);
    return st;
}
