/* links.c -- see links.h. */
#include "dedup/links.h"

#include "base/mem.h"

winnow_status links_init(struct links *l, size_t count, struct winnow_error *err)
{
    *l = (struct links){.parents = mem_try_alloc((count + 1) * sizeof *l->parents), .count = count};
    if (!l->parents) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the links of %zu documents", count);
    }
    for (size_t i = 0; i < count; i++) {
        l->parents[i] = (uint32_t)i;
    }
    return WINNOW_OK;
}

void links_release(struct links *l)
{
    mem_free(l->parents);
    *l = (struct links){0};
}
