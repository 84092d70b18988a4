/* amount.c -- numbers as people say them.
 *
 * Three digits are what a reader takes in; the rest is cut off (memory) or rounded
 * (counts).  Sizes that somebody wrote without their letter are the commonest slip
 * at --memory: so few bytes are said in full, with what was probably meant. */
#include "base/amount.h"

#include <inttypes.h>
#include <stdio.h>

#define FORGOTTEN_MAX 100000U /* fewer bytes than that nobody means */

struct amount amount_memory(uint64_t bytes)
{
    struct amount a;
    if (bytes < FORGOTTEN_MAX) {
        (void)snprintf(a.text, sizeof a.text, "%" PRIu64 " (bytes; %" PRIu64 "M are megabytes)",
                       bytes, bytes);
    } else if (bytes < (uint64_t)1 << 20) {
        (void)snprintf(a.text, sizeof a.text, "%" PRIu64 "K", bytes >> 10);
    } else if (bytes < (uint64_t)10 << 30) {
        (void)snprintf(a.text, sizeof a.text, "%" PRIu64 "M", bytes >> 20);
    } else {
        (void)snprintf(a.text, sizeof a.text, "%" PRIu64 "G", bytes >> 30);
    }
    return a;
}

/* At most three digits, without zeros behind the point. */
struct amount amount_count(double n)
{
    struct amount a;
    if (n < 1e3) {
        (void)snprintf(a.text, sizeof a.text, "%.0f", n);
    } else if (n < 1e5) {
        (void)snprintf(a.text, sizeof a.text, "%.3gk", n / 1e3);
    } else if (n < 9.995e8) {
        (void)snprintf(a.text, sizeof a.text, n < 9.995e5 ? "%.2fM" : "%.3gM", n / 1e6);
    } else {
        (void)snprintf(a.text, sizeof a.text, n < 1e12 ? "%.3gG" : "%.0fG", n / 1e9);
    }
    return a;
}
