/* prune_groups.c -- see prune_groups.h. */
#include "prune/prune_groups.h"

#include "base/hash.h"
#include "mix/mix_value.h"
#include "prune/prune_attribute.h"

#include <inttypes.h>
#include <math.h>

/* As diversify writes them (groups/diversify.h), which stands above. */
#define CLUSTERS_COMMAND   "diversify"
#define CLUSTERS_ATTRIBUTE "winnow__cluster"

const char *prune_by(const struct winnow_prune_options *o)
{
    return o->by ? o->by : o->by_source ? "source" : NULL;
}

void prune_group_document(struct survey *s, const char *by, const struct document *d)
{
    struct buf scratch = {0};
    struct str name;
    if (strcmp(by, "source") == 0) {
        survey_group(s, d->ordinal, d->source);
    } else if (strcmp(by, PRUNE_BY_CLUSTER) != 0) {
        bool has = mix_name(mix_member(d->json, by), &scratch, &name);
        survey_group(s, d->ordinal, has ? name : STR_LIT(PRUNE_NO_GROUP));
    }
    buf_release(&scratch);
}

struct reading {
    struct survey *survey;
    size_t next; /* ordinal */
};

static void pass_absent(struct reading *r)
{
    while (r->next < r->survey->count && r->survey->rows[r->next].role == SURVEY_ABSENT) {
        r->next++;
    }
}

/* The documents are some of the rows', in the same order. */
static winnow_status take_cluster(void *ctx, struct str id, struct json_value attributes,
                                  const struct attribute_place *place, struct winnow_error *err)
{
    (void)place;
    (void)err;
    struct reading *r = ctx;
    struct buf name = {0};
    pass_absent(r);
    if (r->next == r->survey->count || r->survey->rows[r->next].id_hash != hash64(id, 0)) {
        return WINNOW_OK;
    }
    double cluster = attribute_score(attributes, CLUSTERS_ATTRIBUTE);
    if (isnan(cluster)) {
        buf_add_text(&name, PRUNE_NO_GROUP);
    } else {
        buf_addf(&name, "cluster %.0f", cluster);
    }
    survey_group(r->survey, r->next++, buf_str(&name));
    buf_release(&name);
    return WINNOW_OK;
}

winnow_status prune_group_clusters(struct stage *stage, const struct winnow_prune_options *o,
                                   struct survey *s, struct winnow_error *err)
{
    struct buf path = {0};
    struct reading r = {.survey = s};
    const char *folder =
        o->clusters ? o->clusters
                    : stage_earlier_attributes(stage, CLUSTERS_COMMAND, CLUSTERS_COMMAND, &path);
    winnow_status st = WINNOW_OK;
    if (!folder) {
        st = error_set(err, WINNOW_E_USAGE,
                       "--by cluster wants clusters: put diversify before prune in the recipe, or "
                       "name its attributes/diversify with --clusters");
    }
    st = st == WINNOW_OK ? attribute_each(folder, take_cluster, &r, err) : st;
    pass_absent(&r);
    if (st == WINNOW_OK && r.next < s->count) {
        st = error_set(err, WINNOW_E_FORMAT,
                       "%s does not name all documents in their order: document %zu is not among "
                       "those that follow; clusters have to be of this corpus",
                       folder, r.next);
    }
    buf_release(&path);
    return st;
}

winnow_status prune_groups_check(const struct survey *s, const char *by, struct winnow_error *err)
{
    const struct map *met = &s->groups.met;
    return met->count == 1 && str_is(met->entries[0].key, PRUNE_NO_GROUP)
               ? error_set(err, WINNOW_E_FORMAT,
                           "no document has a name, number or truth value at \"%s\", which --by "
                           "names",
                           by)
               : WINNOW_OK;
}
