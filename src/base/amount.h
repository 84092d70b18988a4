/* amount.h -- amounts as a sentence for people has them: in units, not in digits. */
#ifndef WINNOW_BASE_AMOUNT_H
#define WINNOW_BASE_AMOUNT_H

#include <stdint.h>

struct amount {
    char text[64];
};

/* Of memory, as --memory takes it: "67M", "12G"; of so few bytes that a letter was
 * forgotten: "200 (bytes; 200M are megabytes)". */
struct amount amount_memory(uint64_t bytes);

/* Of tokens, parameters or documents: "812", "40k", "0.53M", "2.4G". */
struct amount amount_count(double n);

#endif /* WINNOW_BASE_AMOUNT_H */
