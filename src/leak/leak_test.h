/* leak_test.h -- the self-test of decontaminate: what each rule finds of what is planted. */
#ifndef WINNOW_LEAK_LEAK_TEST_H
#define WINNOW_LEAK_LEAK_TEST_H

#include "leak/leak_judge.h"

/* Wilson's interval at 95 % for `hits` of `count`; 0 to 1 for none. */
void leak_wilson(uint64_t hits, uint64_t count, double interval[2]);

enum leak_place { LEAK_START, LEAK_MIDDLE, LEAK_LONG, LEAK_PLACES };

/* The texts that items are planted into; views of kept. */
struct leak_hosts {
    struct str *texts;
    size_t count, cap;
    uint64_t bytes;
    struct arena keep;
};

/* An item, each of its words changed, dropped or followed by another with probability rate,
 * in one of the hosts (LEAK_LONG: in several behind each other).  Depends on seed, number,
 * rate and place only. */
void leak_plant(const struct leak_hosts *hosts, struct str item, double rate, enum leak_place place,
                uint64_t seed, uint64_t number, struct buf *out);

#endif /* WINNOW_LEAK_LEAK_TEST_H */
