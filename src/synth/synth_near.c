/* synth_near.c -- see synth_near.h.
 *
 * Files of one life: they are made anew on each call and removed at its end. */
#include "synth/synth_near.h"

#include "base/env.h"
#include "base/mem.h"
#include "dedup/links.h"
#include "dedup/near_groups.h"

#define NGRAM       5U
#define SORT_MOST   ((uint64_t)256 << 20)
#define SORT_LEAST  ((uint64_t)8 << 20)
#define CHECK_EVERY 4096U

/* A place in the list of sets, a link, and what is sorted at least. */
uint64_t synth_near_memory(uint64_t answers)
{
    return answers * 64 + SORT_LEAST;
}

static winnow_status remove_files(struct synth_near *n, struct winnow_error *err)
{
    TRY(file_remove_tree(buf_cstr(&n->records), err));
    return file_remove_tree(buf_cstr(&n->names), err);
}

winnow_status synth_near_open(struct synth_near *n, const char *folder,
                              const struct near_alphabet *alphabet, double threshold,
                              uint64_t answers, struct winnow_error *err)
{
    const struct signatures_shape shape = {
        .bands = SYNTH_BANDS, .rows = SYNTH_ROWS, .ngram = NGRAM, .numbers = 1};
    n->open = true;
    n->folder = folder;
    n->alphabet = alphabet;
    n->threshold = threshold;
    n->writer = (struct signatures_writer){.records = NEAR_FILE_NONE, .names = NEAR_FILE_NONE};
    minhash_init(&n->hash, SYNTH_NUMBERS, NGRAM, 0);
    (void)file_join(&n->records, folder, "near.records.tmp");
    (void)file_join(&n->names, folder, "near.names.tmp");
    TRY(remove_files(n, err));
    TRY(signatures_start(&n->writer, &shape, buf_cstr(&n->records), buf_cstr(&n->names), err));
    TRY(near_sets_new(&n->sets, folder, err));
    for (uint64_t i = 0; i < answers; i++) {
        near_sets_want(n->sets, (uint32_t)i, i);
    }
    return WINNOW_OK;
}

void synth_near_release(struct synth_near *n)
{
    struct winnow_error ignored; /* the next call removes what is left */
    if (n->open) {
        signatures_close(&n->writer);
        if (remove_files(n, &ignored) != WINNOW_OK) {
            ignored.text[0] = 0;
        }
        minhash_release(&n->hash);
    }
    near_sets_free(n->sets);
    buf_release(&n->records);
    buf_release(&n->names);
    *n = (struct synth_near){0};
}

void synth_near_scratch_release(struct synth_near_scratch *s)
{
    minhash_scratch_release(&s->hash);
    buf_release(&s->set);
    *s = (struct synth_near_scratch){0};
}

winnow_status synth_near_sign(struct synth_near *n, struct synth_near_scratch *s, uint64_t answer,
                              struct str text, struct synth_sign *out, struct winnow_error *err)
{
    TRY(minhash_sign(&n->hash, n->alphabet, text, &s->hash, out->numbers, &out->words, err));
    return out->words == 0 ? WINNOW_OK
                           : near_sets_put(n->sets, answer, &s->hash.words, NGRAM, &s->set, err);
}

winnow_status synth_near_add(struct synth_near *n, uint64_t answer, const struct synth_sign *sign,
                             struct winnow_error *err)
{
    const size_t bytes = signatures_stride(&n->writer.shape);
    struct signature *s = mem_zalloc(bytes);
    s->ordinal = answer;
    s->words = sign->words;
    if (sign->words != 0) {
        memcpy(s->numbers, sign->numbers, sizeof sign->numbers);
    }
    winnow_status st = signatures_add(&n->writer, s, STR_LIT(""), STR_LIT(""), err);
    mem_free(s);
    return st;
}

static winnow_status link_all(struct synth_near *n, const struct winnow_env *env,
                              struct near_nodes *nodes, struct links *links,
                              struct winnow_error *err)
{
    struct near_counts counts = {0};
    uint64_t room = env->memory_max / 4;
    const struct near_work work = {.env = env,
                                   .folder = n->folder,
                                   .memory = room == 0 || room > SORT_MOST ? SORT_MOST
                                             : room < SORT_LEAST           ? SORT_LEAST
                                                                           : room};
    TRY(signatures_finish(&n->writer, err));
    TRY(signatures_open_parts(buf_cstr(&n->records), buf_cstr(&n->names), &nodes->corpora[0], err));
    nodes->corpus_count = 1;
    nodes->threshold = n->threshold;
    nodes->sets = n->sets;
    TRY(near_nodes_count(nodes, err));
    TRY(links_init(links, (size_t)nodes->starts[1], err));
    TRY(near_link(nodes, &work, links, &counts, err));
    if (counts.passed_over > 0) {
        env_log(env, WINNOW_LOG_WARNING,
                "synthesize: %llu answers are like so many others that they were not compared with "
                "all of them",
                (unsigned long long)counts.passed_over);
    }
    return WINNOW_OK;
}

winnow_status synth_near_find(struct synth_near *n, const struct winnow_env *env,
                              void (*each)(void *ctx, uint64_t answer, uint64_t kept,
                                           double similarity),
                              void *ctx, struct winnow_error *err)
{
    struct near_nodes nodes = {0};
    struct links links = {0};
    winnow_status st = link_all(n, env, &nodes, &links, err);
    for (uint64_t i = 0; st == WINNOW_OK && i < links.count; i++) {
        uint32_t root = links_root(&links, (uint32_t)i);
        double similarity = 0;
        if (root != i) {
            st = near_similarity(&nodes, root, i, &similarity, err);
            each(ctx, i, root, similarity);
        }
        st = st == WINNOW_OK && i % CHECK_EVERY == 0 ? env_check(env, err) : st;
    }
    links_release(&links);
    near_nodes_release(&nodes);
    return st;
}
