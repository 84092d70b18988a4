/* arm_way.c -- names of arms, word by word. */
#include "prove/arm_way.h"

#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const ARM_USE_NAMES[] = {"support", "weights", "copies", NULL};

#define SHOWN_CHARACTERS 60U

void arm_show(struct str name, struct buf *out)
{
    size_t shown = 0, i = 0;
    for (; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (!utf8_continues(name.ptr[i]) && shown++ == SHOWN_CHARACTERS) {
            break;
        }
        buf_add_char(out, c < ' ' || c == 127 ? '?' : (char)c);
    }
    buf_add_text(out, i < name.len ? "..." : "");
}

const char *arm_shown(struct arena *keep, struct str name)
{
    struct buf text = {0};
    arm_show(name, &text);
    const char *shown = arena_strndup(keep, buf_cstr(&text), text.len);
    buf_release(&text);
    return shown;
}

/* A whole number or a decimal one within bounds; false: it is neither. */
static bool number_of(const char *word, double least, double most, double *out)
{
    char *end;
    double v = *word >= '0' && *word <= '9' ? strtod(word, &end) : (double)NAN;
    if (!(v >= least && v <= most) || *end != 0) {
        return false;
    }
    *out = v;
    return true;
}

static winnow_status bad_word(const char *name, const char *way, const char *word,
                              struct winnow_error *err)
{
    return error_set(err, WINNOW_E_USAGE, "the arm \"%s\": there is no %s:%s", name, way, word);
}

static winnow_status read_sampler(const char *name, struct arm_way *out, const char *way,
                                  char *words, struct winnow_error *err)
{
    const struct sampling_kind *kind = NULL;
    for (size_t i = 0; sampling_kind_at(i); i++) {
        if (strcmp(sampling_kind_at(i)->name, way) == 0) {
            kind = sampling_kind_at(i);
            out->sampling.sampler = (int)i;
        }
    }
    if (!kind) {
        return error_set(
            err, WINNOW_E_USAGE,
            "the arm \"%s\": there is no way to train called \"%s\"; there are "
            "repeat:K, dropout:SHARE, weights, copies, and the samplers of train (winnow "
            "help train)",
            name, way);
    }
    if (kind->by_target) {
        return error_set(err, WINNOW_E_USAGE,
                         "the arm \"%s\": %s chooses by a target, which an arm does not have; "
                         "train --sampler %s --toward FILE does",
                         name, way, way);
    }
    char *rest = NULL;
    for (char *w = words ? strtok_r(words, ":", &rest) : NULL; w; w = strtok_r(NULL, ":", &rest)) {
        if (!kind->word || !kind->word(&out->sampling, w)) {
            return bad_word(name, way, w, err);
        }
    }
    return WINNOW_OK;
}

/* "weights", "copies": *found false where the way is neither. */
static winnow_status read_use(const char *name, struct arm_way *out, const char *way,
                              const char *words, bool *found, struct winnow_error *err)
{
    *found = false;
    for (int use = ARM_USE_WEIGHTS; ARM_USE_NAMES[use]; use++) {
        if (strcmp(way, ARM_USE_NAMES[use]) == 0) {
            if (words) {
                return bad_word(name, way, words, err);
            }
            if (out->use != ARM_USE_SUPPORT) {
                return error_set(err, WINNOW_E_USAGE,
                                 "the arm \"%s\": a selection's weights are factors of losses "
                                 "(+weights) or numbers of copies (+copies), once",
                                 name);
            }
            out->use = (enum arm_use)use;
            *found = true;
        }
    }
    return WINNOW_OK;
}

/* "repeat:4", "lfr", "reweight:linupper". */
static winnow_status read_way(const char *name, struct arm_way *out, char *way,
                              struct winnow_error *err)
{
    char *words = strchr(way, ':');
    if (words) {
        *words++ = 0;
    }
    bool found;
    TRY(read_use(name, out, way, words, &found, err));
    if (found) {
        return WINNOW_OK;
    }
    bool repeat = strcmp(way, "repeat") == 0;
    if (!repeat && strcmp(way, "dropout") != 0) {
        return read_sampler(name, out, way, words, err);
    }
    double *to = repeat ? &out->repeat : &out->dropout;
    if (!words || !number_of(words, repeat ? 1 : 0, repeat ? 10000 : 0.9, to)) {
        return error_set(err, WINNOW_E_USAGE,
                         repeat ? "the arm \"%s\": repeat:K says how often documents come, from 1 "
                                  "to 10000"
                                : "the arm \"%s\": dropout:SHARE lies between 0 and 0.9",
                         name);
    }
    return WINNOW_OK;
}

winnow_status arm_way_read(const char *name, struct arena *keep, const char **base,
                           struct arm_way *out, struct winnow_error *err)
{
    *out = (struct arm_way){.sampling = WINNOW_SAMPLING_INIT, .dropout = (double)NAN};
    char *text = arena_strndup(keep, name, strlen(name));
    const char *shown = arm_shown(keep, str_of(name));
    bool repeats = strncmp(text, "repeat:", 7) == 0;
    char *way = repeats ? text : strchr(text, '+');
    if (*text == '+') {
        return error_set(err, WINNOW_E_USAGE,
                         "the arm \"%s\" does not say what it trains on; before%s trains on the "
                         "corpus as it is",
                         shown, shown);
    }
    *base = repeats ? "before" : text;
    if (!way) {
        return WINNOW_OK;
    }
    if (!repeats) {
        *way++ = 0;
    }
    while (way) {
        char *next = strchr(way, '+');
        if (next) {
            *next++ = 0;
        }
        TRY(read_way(shown, out, way, err));
        way = next;
    }
    return WINNOW_OK;
}

double arm_way_passes(const struct arm_way *w)
{
    return w->repeat > 0 ? w->repeat : sampling_passes(&w->sampling);
}

uint64_t arm_way_tokens(const struct arm_way *w, uint64_t tokens)
{
    return (uint64_t)ceil((double)tokens * sampling_reads(&w->sampling) / arm_way_passes(w) - 1e-6);
}
