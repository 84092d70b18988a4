/* Runs through the library: stages of the test's own, passes that build on each
 * other, and a disk and a memory that fail at every possible moment. */
#include "base/file.h"
#include "base/mem.h"
#include "check.h"
#include "run/diff.h"
#include "run/driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- a disk that fails: linked with --wrap=write,--wrap=fsync ---- */

static unsigned long writes_left; /* 0: never fails */
static unsigned long writes_seen;

ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __wrap_fsync(int fd);

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    unsigned long n = __atomic_add_fetch(&writes_seen, 1, __ATOMIC_RELAXED);
    if (writes_left != 0 && n >= writes_left) { /* full from then on */
        errno = ENOSPC;
        return -1;
    }
    return __real_write(fd, bytes, len);
}

int __wrap_fsync(int fd)
{
    (void)fd;
    return 0; /* nothing here loses its power */
}

/* ---- a stage with two passes: lengths as an attribute, then a cut at their mean ---- */

struct nothing {
    bool unused;
};
static const struct option NO_OPTIONS[] = {
    OPT_END,
};
static const struct nothing NO_DEFAULTS = {false};
static const struct option_table MEAN_TABLE = {.command = "mean",
                                               .summary = "test",
                                               .options = NO_OPTIONS,
                                               .defaults = &NO_DEFAULTS,
                                               .size = sizeof NO_DEFAULTS};

struct mean_state {
    double lengths[4096]; /* by ordinal */
    double sum, count, mean;
    uint64_t ordinals;
};

static winnow_status measure(void *state, void *worker, const struct document *d,
                             struct stage_result *r, struct winnow_error *err)
{
    (void)state;
    (void)worker;
    (void)err;
    stage_add_score(&r->attributes[0], "test__length", d->text, (double)d->text.len);
    return WINNOW_OK;
}

static winnow_status take_length(void *ctx, uint64_t ordinal, struct str id,
                                 struct json_value attributes, struct winnow_error *err)
{
    (void)id;
    struct mean_state *s = ctx;
    struct json_iter spans = json_walk(json_get(attributes, "test__length"));
    assert_true(json_next(&spans));
    struct json_iter span = json_walk(spans.value);
    double v = -1;
    while (json_next(&span)) { /* the last of [start, end, score] */
        assert_true(json_as_double(span.value, &v));
    }
    if (ordinal >= 4096 || ordinal >= s->ordinals) {
        return error_set(err, WINNOW_E_INTERNAL, "an ordinal past all");
    }
    s->lengths[ordinal] = v;
    s->sum += v;
    s->count++;
    return WINNOW_OK;
}

static winnow_status cut(void *state, void *worker, const struct document *d,
                         struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    const struct mean_state *s = state;
    /* The ordinal of the first pass leads to this document's own length. */
    if (s->lengths[d->ordinal] != (double)d->text.len) {
        return error_set(err, WINNOW_E_INTERNAL, "ordinal %llu is another document",
                         (unsigned long long)d->ordinal);
    }
    r->score = s->lengths[d->ordinal];
    r->threshold = s->mean;
    if (r->score > s->mean) {
        r->verdict = STAGE_REMOVE;
        r->rule = "longer_than_the_mean";
    } else if (d->text.len % 5 == 0) {
        r->verdict = STAGE_EDIT;
        r->rule = "marked";
        buf_add_text(&r->text, "marked: ");
        buf_add_str(&r->text, d->text);
    } else if (d->text.len % 7 == 0) {
        r->verdict = STAGE_ASIDE;
        r->rule = "seven";
    }
    return WINNOW_OK;
}

static winnow_status mean_run(struct stage *stage, const void *options, struct winnow_error *err)
{
    (void)options;
    static const char *const ATTRIBUTES[] = {"length", NULL};
    struct mean_state *s = mem_zalloc(sizeof *s);
    const struct stage_pass first = {
        .name = "measure", .attributes = ATTRIBUTES, .document = measure, .state = s};
    const struct stage_pass second = {.name = "cut", .verdicts = true, .document = cut, .state = s};
    winnow_status st = stage_run_pass(stage, &first, err);
    s->ordinals = stage_ordinals(stage);
    st = st == WINNOW_OK ? stage_each_attribute(stage, "length", take_length, s, err) : st;
    if (st == WINNOW_OK && s->count != (double)stage_documents(stage)) {
        st = error_set(err, WINNOW_E_INTERNAL, "rows and documents differ");
    }
    s->mean = s->count > 0 ? s->sum / s->count : 0;
    stage_note_double(stage, "mean", s->mean);
    st = st == WINNOW_OK ? stage_run_pass(stage, &second, err) : st;
    mem_free(s);
    return st;
}

static const struct stage_kind MEAN_STAGE = {
    .table = &MEAN_TABLE, .run = mean_run, .many_passes = true, .uses_kernels = true};
static const char *kernels = "one";
static bool force;

/* ---- a place and a corpus ---- */

static char folder[64];
static struct buf path_text;

static const char *in_folder(const char *name)
{
    return file_join(&path_text, folder, name);
}

static void write_corpus(void)
{
    struct winnow_error err;
    struct buf text = {0};
    for (int shard = 0; shard < 3; shard++) {
        char name[32];
        buf_clear(&text);
        for (int i = 0; i < 40; i++) {
            if (i % 9 == 4) {
                buf_add_text(&text, i % 2 ? "\n" : "no document\n"); /* lines without a document */
            }
            buf_addf(&text, "{\"id\":\"%d-%d\",\"text\":\"%.*s\",\"k\":[%d]}\n", shard, i,
                     (i * 7 + shard) % 50 + 1,
                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", i);
        }
        (void)snprintf(name, sizeof name, "in%d.jsonl", shard);
        assert_ok(file_write_atomic(in_folder(name), buf_str(&text), &err), err);
    }
    buf_release(&text);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/winnow-run-XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    writes_left = 0;
    write_corpus();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct winnow_error err;
    writes_left = 0;
    mem_fail_at(0);
    return file_remove_tree(folder, &err) == WINNOW_OK ? 0 : -1;
}

static winnow_status run_with(const char *output, uint32_t threads, uint64_t limit,
                              struct winnow_run_result *result, struct winnow_error *err)
{
    struct winnow_corpus_options corpus = WINNOW_CORPUS_OPTIONS_INIT;
    const struct winnow_env env = {.threads = threads, .force = force};
    struct buf out = {0}, in[3] = {{0}};
    const char *paths[3];
    for (int i = 0; i < 3; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "in%d.jsonl", i);
        paths[i] = file_join(&in[i], folder, name);
    }
    corpus.output = file_join(&out, folder, output);
    corpus.limit = limit;
    corpus.checkpoint = 0;
    const struct run_step steps[] = {{&MEAN_STAGE, &NO_DEFAULTS}, {&MEAN_STAGE, &NO_DEFAULTS}};
    const struct run_request request = {.paths = {paths, 3},
                                        .corpus = &corpus,
                                        .steps = steps,
                                        .count = 2,
                                        .kernels = kernels,
                                        .env = &env};
    winnow_status st = run_do(&request, result, err);
    buf_release(&out);
    for (int i = 0; i < 3; i++) {
        buf_release(&in[i]);
    }
    return st;
}

static bool same_files(const char *a, const char *b)
{
    char command[512];
    (void)snprintf(command, sizeof command,
                   "diff -r -x timings.json -x input.json -x recipe.yaml -x .lock %s/%s %s/%s",
                   folder, a, folder, b);
    return system(command) == 0; /* NOLINT(cert-env33-c,concurrency-mt-unsafe): a test */
}

static void verify(const char *name)
{
    struct winnow_error err;
    const struct winnow_env env = {0};
    assert_ok(winnow_verify(in_folder(name), &env, &err), err);
}

/* ---- tests ---- */

static void passes_meet_each_document_under_the_same_ordinal(void **state)
{
    (void)state;
    struct winnow_error err;
    struct winnow_run_result result;
    assert_ok(run_with("one", 1, 0, &result, &err), err);
    assert_int_equal(result.documents_bad, 6);
    assert_int_equal(result.documents_in, 126);
    assert_int_equal(result.documents_in, result.documents_kept + result.documents_removed +
                                              result.documents_aside + result.documents_bad);
    assert_true(result.documents_removed > 0 && result.documents_aside > 0);
    verify("one");
}

static void threads_do_not_change_a_byte(void **state)
{
    (void)state;
    struct winnow_error err;
    struct winnow_run_result result;
    assert_ok(run_with("one", 1, 0, &result, &err), err);
    assert_ok(run_with("four", 4, 0, &result, &err), err);
    assert_true(same_files("one", "four"));
    assert_ok(run_with("one-limit", 1, 57, &result, &err), err);
    assert_ok(run_with("four-limit", 4, 57, &result, &err), err);
    assert_true(same_files("one-limit", "four-limit"));
    verify("four-limit");
}

static void a_finished_run_has_nothing_left_to_do(void **state)
{
    (void)state;
    struct winnow_error err;
    struct winnow_run_result result;
    assert_ok(run_with("one", 1, 0, &result, &err), err);
    assert_false(result.nothing_to_do);
    assert_ok(run_with("one", 2, 0, &result, &err), err);
    assert_true(result.nothing_to_do);
    /* Another run: what is there would go, so it is refused, then asked for. */
    assert_int_equal(run_with("one", 2, 9, &result, &err), WINNOW_E_USAGE);
    assert_true(strstr(err.text, "--force") != NULL);
    force = true;
    assert_ok(run_with("one", 2, 9, &result, &err), err);
    force = false;
    assert_false(result.nothing_to_do);
}

static void another_kernel_table_is_refused(void **state)
{
    (void)state;
    struct winnow_error err;
    struct winnow_run_result result;
    assert_ok(run_with("one", 1, 0, &result, &err), err);
    kernels = "two";
    assert_int_equal(run_with("one", 1, 0, &result, &err), WINNOW_E_USAGE);
    assert_true(strstr(err.text, "--kernels one") != NULL);
    kernels = "one";
    assert_ok(run_with("one", 1, 0, &result, &err), err);
    assert_true(result.nothing_to_do);
}

/* Every write of a run is once the first that fails; the next call mends it. */
static void a_full_disk_is_a_sentence_and_the_next_run_goes_on(void **state)
{
    (void)state;
    struct winnow_error err;
    struct winnow_run_result result;
    assert_ok(run_with("whole", 1, 0, &result, &err), err);
    winnow_status st = WINNOW_E_IO;
    unsigned long n = 1;
    for (; st != WINNOW_OK; n++) {
        err.text[0] = '\0';
        writes_seen = 0;
        writes_left = n;
        st = run_with("torn", 2, 0, &result, &err);
        writes_left = 0;
        if (st != WINNOW_OK) {
            assert_int_equal(st, WINNOW_E_IO);
            assert_true(strstr(err.text, "No space left") != NULL);
            assert_false(file_exists(in_folder("torn/_SUCCESS")));
        }
        if (n % 5 == 0) { /* from scratch as well as on from where it stood */
            assert_ok(run_with("torn", 1, 0, &result, &err), err);
            assert_true(same_files("whole", "torn"));
            assert_ok(file_remove_tree(in_folder("torn"), &err), err);
            st = WINNOW_E_IO;
        }
        assert_true(n < 1000);
        if (writes_seen < n) { /* the run took fewer: all of them have failed once */
            break;
        }
    }
    assert_true(n > 20);
    assert_ok(run_with("torn", 1, 0, &result, &err), err);
    assert_true(same_files("whole", "torn"));
    verify("torn");
}

static void no_memory_is_a_sentence(void **state)
{
    (void)state;
    struct winnow_error err;
    struct winnow_run_result result;
    unsigned long n = 1;
    for (winnow_status st = WINNOW_E_NOMEM; st != WINNOW_OK; n++) {
        err.text[0] = '\0';
        mem_fail_at(n);
        st = run_with("poor", 1, 0, &result, &err);
        mem_fail_at(0);
        assert_true(st == WINNOW_OK || err.text[0] != '\0');
        assert_true(n < 10000);
    }
    verify("poor");
}

static void a_diff_shows_changes_with_what_is_around(void **state)
{
    (void)state;
    struct buf out = {0};
    diff_lines(STR_LIT("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\nx"),
               STR_LIT("1\n2\n3\nnew\n4\n5\n6\n7\n8\n9\n10"), &out);
    assert_str(buf_str(&out), "  1\n  2\n  3\n+ new\n  4\n  5\n  ...\n  9\n  10\n- x\n");
    buf_clear(&out);
    diff_lines(STR_LIT(""), STR_LIT("a\n"), &out);
    assert_str(buf_str(&out), "+ a\n");
    buf_clear(&out);
    diff_lines(STR_LIT("a\nb"), STR_LIT("a\nb"), &out);
    assert_str(buf_str(&out), "  ...\n");
    buf_clear(&out);
    diff_lines(STR_LIT("b\na\nb"), STR_LIT("a\nb\nc"), &out);
    assert_str(buf_str(&out), "- b\n  a\n  b\n+ c\n");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(passes_meet_each_document_under_the_same_ordinal, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(threads_do_not_change_a_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_finished_run_has_nothing_left_to_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_kernel_table_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_a_sentence_and_the_next_run_goes_on, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_memory_is_a_sentence, set_up, tear_down),
        cmocka_unit_test(a_diff_shows_changes_with_what_is_around),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_release(&path_text);
    return failed;
}
