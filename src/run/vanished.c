/* vanished.c -- see vanished.h. */
#include "run/vanished.h"

#include <inttypes.h>

#define NAMED_MAX 3U

void vanished_look(struct vanished *v, struct str name, uint64_t in, uint64_t kept)
{
    if (has_vanished(in, kept) && v->count++ < NAMED_MAX) {
        buf_addf(&v->names, "%s%.*s (%" PRIu64 " of %" PRIu64 " documents)",
                 v->names.len > 0 ? ", " : "", STR_ARG(name), kept, in);
    }
}

void vanished_warn(struct vanished *v, const struct winnow_env *env, const char *stage)
{
    if (v->count > NAMED_MAX) {
        buf_addf(&v->names, " and %zu more %s%s", v->count - NAMED_MAX, v->what,
                 v->count == NAMED_MAX + 1 ? "" : "s");
    }
    if (v->count > 0) {
        env_log(env, WINNOW_LOG_WARNING, "%s: next to nothing is kept of %s; is that right?", stage,
                buf_cstr(&v->names));
    }
    buf_release(&v->names);
    v->count = 0;
}
