/* completion_address.c -- see completion_address.h. */
#include "remote/completion_address.h"

#include "base/url.h"

winnow_status completion_address_make(struct completion_address *a, const char *given,
                                      struct winnow_error *err)
{
    static const char *const ENDS[] = {"/", "/completions", "/chat", "/", "/generate", "/"};
    struct url_parts p;
    TRY(url_check_server(str_of(given), err));
    url_split(str_of(given), &p);
    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++) {
        while (str_ends(p.path, str_of(ENDS[i]))) {
            p.path.len -= strlen(ENDS[i]);
        }
    }
    buf_addf(&a->base, "%.*s://%.*s%.*s%s", STR_ARG(p.scheme), STR_ARG(p.host), STR_ARG(p.path),
             p.path.len > 0 ? "" : "/v1");
    struct str host = buf_str(&a->base);
    host.len -= str_ends(host, STR_LIT("/v1")) ? strlen("/v1") : 0;
    buf_add_str(&a->host, host);
    if (p.has_query) {
        buf_addf(&a->query, "?%.*s", STR_ARG(p.query));
    }
    buf_addf(&a->models, "%s/models%s", buf_cstr(&a->base), buf_cstr(&a->query));
    buf_addf(&a->models_shown, "%s/models%s", buf_cstr(&a->base),
             p.has_query ? "?" URL_REDACTED : "");
    return WINNOW_OK;
}

void completion_address_set(struct completion_address *a, const char *path, bool root)
{
    const char *before = buf_cstr(root ? &a->host : &a->base);
    buf_clear(&a->endpoint);
    buf_clear(&a->endpoint_shown);
    buf_addf(&a->endpoint, "%s%s%s", before, path, buf_cstr(&a->query));
    buf_addf(&a->endpoint_shown, "%s%s%s", before, path, a->query.len > 0 ? "?" URL_REDACTED : "");
}

void completion_address_release(struct completion_address *a)
{
    buf_release(&a->endpoint);
    buf_release(&a->models);
    buf_release(&a->endpoint_shown);
    buf_release(&a->models_shown);
    buf_release(&a->base);
    buf_release(&a->host);
    buf_release(&a->query);
}
