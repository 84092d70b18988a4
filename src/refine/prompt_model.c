/* prompt_model.c -- which chat template a model folder or GGUF file asks for.
 *
 * Chat templates are Jinja programs; we run none.  Two families are recognised by
 * the marks that no other has; the rest needs --template. */
#include "base/file.h"
#include "base/json.h"
#include "base/json_file.h"
#include "model/gguf.h"
#include "refine/prompt.h"

#define CONFIG_BYTES_MAX ((size_t)16 << 20)

static bool holds(struct str s, const char *mark)
{
    return str_find(s, str_of(mark)) != SIZE_MAX;
}

bool chat_template_recognise(struct str jinja, enum chat_template *out)
{
    if (holds(jinja, "<|im_start|>") && holds(jinja, "<|im_end|>")) {
        *out = CHAT_CHATML;
        return true;
    }
    if (holds(jinja, "[INST]") && holds(jinja, "<<SYS>>")) {
        *out = CHAT_LLAMA2;
        return true;
    }
    return false;
}

static winnow_status recognise(struct str jinja, const char *where, enum chat_template *out,
                               struct winnow_error *err)
{
    if (!chat_template_recognise(jinja, out)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: its chat template is neither llama-2's nor chatml; say --template",
                         where);
    }
    return WINNOW_OK;
}

/* chat_template is a string, or an array of {"name", "template"}, of which
 * "default" counts, or the first. */
static bool find_template(struct json_value config, struct str *jinja)
{
    struct json_value v = json_get(config, "chat_template");
    if (json_as_str(v, jinja)) {
        return true;
    }
    bool found = false;
    if (json_kind(v) == JSON_ARRAY) {
        for (struct json_iter it = json_walk(v); json_next(&it);) {
            struct str name = {"", 0}, text;
            bool named = json_as_str(json_get(it.value, "name"), &name);
            if (json_as_str(json_get(it.value, "template"), &text) &&
                (!found || (named && str_is(name, "default")))) {
                *jinja = text;
                found = true;
            }
        }
    }
    return found;
}

static winnow_status of_config(const char *path, enum chat_template *out, struct winnow_error *err)
{
    struct json_parser *p = json_parser_new();
    struct json_value root;
    struct str jinja;
    winnow_status st = json_read_file(path, CONFIG_BYTES_MAX, p, &root, err);
    if (st == WINNOW_OK && find_template(root, &jinja)) {
        st = recognise(jinja, path, out, err);
    }
    json_parser_free(p);
    return st;
}

static winnow_status of_jinja(const char *path, enum chat_template *out, struct winnow_error *err)
{
    struct buf text = {0};
    winnow_status st = file_read(path, CONFIG_BYTES_MAX, &text, err);
    st = st == WINNOW_OK ? recognise(buf_str(&text), path, out, err) : st;
    buf_release(&text);
    return st;
}

static winnow_status of_gguf(const char *path, enum chat_template *out, struct winnow_error *err)
{
    struct gguf *file;
    TRY(gguf_open(path, &file, err));
    struct str jinja;
    winnow_status st = WINNOW_OK;
    if (gguf_str(file, "tokenizer.chat_template", &jinja)) {
        st = recognise(jinja, path, out, err);
    }
    gguf_close(file);
    return st;
}

winnow_status chat_template_of_model(const char *path, enum chat_template *out,
                                     struct winnow_error *err)
{
    *out = CHAT_PLAIN;
    if (!file_is_dir(path)) {
        bool gguf = str_ends(str_of(path), STR_LIT(".gguf"));
        return gguf ? of_gguf(path, out, err) : WINNOW_OK;
    }
    struct buf name = {0};
    winnow_status st = WINNOW_OK;
    if (file_exists(file_join(&name, path, "chat_template.jinja"))) {
        st = of_jinja(buf_cstr(&name), out, err);
    } else if (file_exists(file_join(&name, path, "tokenizer_config.json"))) {
        st = of_config(buf_cstr(&name), out, err);
    }
    buf_release(&name);
    return st;
}
