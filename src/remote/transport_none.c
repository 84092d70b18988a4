/* transport_none.c -- stands for transport_curl.c in a build without libcurl. */
#include "remote/transport.h"

winnow_status transport_open(const struct transport_options *opt, struct transport **out,
                             struct winnow_error *err)
{
    (void)opt;
    *out = NULL;
    return error_set(err, WINNOW_E_USAGE,
                     "this winnow was built without libcurl and cannot talk to servers; install "
                     "libcurl4-openssl-dev and build again");
}

void transport_close(struct transport *t)
{
    (void)t;
}

winnow_status transport_send(struct transport *t, uint32_t slot, const char *url, struct str body,
                             struct winnow_error *err)
{
    (void)t;
    (void)slot;
    (void)body;
    return error_set(err, WINNOW_E_INTERNAL, "%s: no transport", url);
}

winnow_status transport_wait(struct transport *t, double seconds, struct transport_response *out,
                             bool *got, struct winnow_error *err)
{
    (void)t;
    (void)seconds;
    (void)out;
    *got = false;
    return error_set(err, WINNOW_E_INTERNAL, "no transport");
}
