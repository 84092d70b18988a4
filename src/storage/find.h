/* find.h -- finding in one kind of storage; find.c chooses. */
#ifndef WINNOW_STORAGE_FIND_H
#define WINNOW_STORAGE_FIND_H

#include "storage/ask.h"
#include "storage/listing.h"

/* What is looked for, and where what is found goes. */
struct finding {
    const struct storage *s;
    struct web *w;
    const char *address, *shown; /* as it was given; for sentences */
    struct arena *keep;
    struct storage_found *out;
    size_t cap; /* of out->items */
};

/* The pages of a list, so that one without an end is none to follow; all-zero at its start. */
struct pages {
    struct buf last; /* what led to the page */
    size_t count;    /* of what had been listed before */
    uint32_t empty;  /* pages in a row without a name */
};

/* A page is in l, and next ("": none) leads to the one behind it. */
winnow_status pages_turn(struct pages *p, const struct finding *f, const struct listing *l,
                         struct str next, struct winnow_error *err);

/* Appends an object.  All but bytes and sized are copied. */
void finding_add(struct finding *f, const struct storage_object *o);

/* The object of exactly that name; *found false where there is none. */
winnow_status s3_look(struct finding *f, bool *found, struct winnow_error *err);
winnow_status hf_look(struct finding *f, bool *found, struct winnow_error *err);
winnow_status web_look(struct finding *f, struct winnow_error *err);

/* All whose names begin with so many bytes of the address; names below the last '/' of them. */
winnow_status s3_list(struct finding *f, size_t up_to, struct winnow_error *err);
winnow_status hf_list(struct finding *f, size_t up_to, struct winnow_error *err);

#endif /* WINNOW_STORAGE_FIND_H */
