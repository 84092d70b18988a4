#include "base/claim.h"
#include "base/file.h"
#include "base/place.h"
#include "base/prints.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static const char *at(struct buf *b, const char *name)
{
    return file_join(b, root, name);
}

static void put(const char *name, const char *text)
{
    struct buf path = {0};
    struct winnow_error err;
    assert_ok(file_write_atomic(at(&path, name), str_of(text), &err), err);
    buf_release(&path);
}

static void make(const char *name)
{
    struct buf path = {0};
    struct winnow_error err;
    assert_ok(file_make_dirs(at(&path, name), &err), err);
    buf_release(&path);
}

static void join(const char *target, const char *name)
{
    struct buf to = {0}, from = {0};
    assert_int_equal(symlink(at(&to, target), at(&from, name)), 0);
    buf_release(&to);
    buf_release(&from);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/test_place-XXXXXX");
    assert_non_null(mkdtemp(root));
    make("run/documents/deep");
    make("in/sub");
    put("run/documents/a.jsonl", "a");
    put("run/documents/deep/b.jsonl", "b");
    put("in/c.jsonl", "c");
    put("in/sub/d.jsonl", "d");
    join("run/documents", "link");
    join("run", "alias");
    join("run/documents/a.jsonl", "in/sub/link.jsonl");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct winnow_error err;
    assert_ok(file_remove_tree(root, &err), err);
    return 0;
}

static winnow_status fill(const char *input, const char *output)
{
    struct buf a = {0}, b = {0};
    struct winnow_error err;
    struct places *p = places_new();
    assert_ok(places_add(p, at(&a, input), &err), err);
    winnow_status st = places_refuse_folder(p, at(&b, output), &err);
    places_free(p);
    buf_release(&a);
    buf_release(&b);
    return st;
}

static void inputs_in_the_output_are_found_however_they_are_named(void **state)
{
    (void)state;
    static const char *const INPUTS[] = {"run/documents/a.jsonl",
                                         "run/documents/deep/b.jsonl",
                                         "run/documents",
                                         "link",
                                         "link/deep",
                                         "in/../run/documents",
                                         "in/sub/link.jsonl",
                                         "run"};
    static const char *const OUTPUTS[] = {"run", "alias", "in/../run", "run/", "alias/."};
    for (size_t i = 0; i < sizeof INPUTS / sizeof *INPUTS; i++) {
        for (size_t k = 0; k < sizeof OUTPUTS / sizeof *OUTPUTS; k++) {
            assert_int_equal(fill(INPUTS[i], OUTPUTS[k]), WINNOW_E_USAGE);
        }
    }
    assert_int_equal(fill("in/c.jsonl", "run"), WINNOW_OK);
    assert_int_equal(fill("in", "run"), WINNOW_OK);
    assert_int_equal(fill("nothing/here", "run"), WINNOW_OK);
}

static void outputs_in_a_folder_that_is_read_are_found_before_they_exist(void **state)
{
    (void)state;
    assert_int_equal(fill("in", "in/new"), WINNOW_E_USAGE);
    assert_int_equal(fill("in", "in/new/er"), WINNOW_E_USAGE);
    assert_int_equal(fill("run", "link/new"), WINNOW_E_USAGE);
    assert_int_equal(fill("in/c.jsonl", "in/new"), WINNOW_OK); /* beside a file is no harm */
    assert_int_equal(fill("in/sub", "in/new"), WINNOW_OK);
    assert_int_equal(fill("in", "new"), WINNOW_OK);
}

static winnow_status replace(const char *input, const char *output, bool in_folder)
{
    struct buf a = {0}, b = {0};
    struct winnow_error err;
    struct places *p = places_new();
    assert_ok(places_add(p, at(&a, input), &err), err);
    winnow_status st = places_refuse_file(p, at(&b, output), in_folder, &err);
    places_free(p);
    buf_release(&a);
    buf_release(&b);
    return st;
}

static void a_file_that_is_read_is_not_replaced(void **state)
{
    (void)state;
    assert_int_equal(replace("in/c.jsonl", "in/c.jsonl", true), WINNOW_E_USAGE);
    assert_int_equal(replace("in/sub/link.jsonl", "link/a.jsonl", true), WINNOW_E_USAGE);
    assert_int_equal(replace("in", "in/new.json", true), WINNOW_E_USAGE);
    assert_int_equal(replace("in", "in/new.bin", false), WINNOW_OK);
    assert_int_equal(replace("in/c.jsonl", "in/new.json", true), WINNOW_OK);
}

static void a_folder_is_claimed_once_and_known_again(void **state)
{
    (void)state;
    struct winnow_error err;
    struct buf path = {0};
    int lock = -1;
    struct claim c = {"0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210", true};
    assert_int_equal(claim_folder(at(&path, "in"), CLAIM_RUN, &lock, &err), WINNOW_E_USAGE);
    assert_int_equal(lock, -1);
    const char *fresh = at(&path, "fresh");
    assert_ok(claim_folder(fresh, CLAIM_RUN, &lock, &err), err);
    assert_true(claim_is(fresh, CLAIM_RUN) && claim_is(fresh, NULL));
    assert_false(claim_is(fresh, CLAIM_MODEL));
    assert_int_equal(claim_check(fresh, CLAIM_MODEL, &err), WINNOW_E_USAGE);
    assert_ok(claim_write(fresh, CLAIM_RUN, &c, &err), err);
    file_unlock(lock);
    struct claim read;
    assert_ok(claim_read(fresh, &read, &err), err);
    assert_string_equal(read.key, c.key);
    assert_string_equal(read.settings, c.settings);
    assert_true(read.finished);
    buf_release(&path);
}

static void a_print_is_of_every_byte(void **state)
{
    (void)state;
    struct winnow_error err;
    struct buf path = {0}, text = {0};
    const struct winnow_env env = {0};
    char one[33], two[33], three[33];
    struct prints *p = prints_new((struct json_value){0}, &env);
    assert_ok(prints_tree(p, at(&path, "in"), one, &err), err);
    assert_ok(prints_tree(p, at(&path, "in"), two, &err), err);
    assert_string_equal(one, two);
    put("in/sub/d.jsonl", "e"); /* of the same length */
    assert_ok(prints_tree(p, at(&path, "in"), two, &err), err);
    assert_string_not_equal(one, two);
    put("in/.hidden", "no part of it");
    assert_ok(prints_tree(p, at(&path, "in"), three, &err), err);
    assert_string_equal(two, three);
    assert_ok(prints_tree(p, at(&path, "absent"), three, &err), err);
    assert_string_equal(three, "");
    prints_free(p);
    buf_release(&path);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(inputs_in_the_output_are_found_however_they_are_named,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            outputs_in_a_folder_that_is_read_are_found_before_they_exist, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_read_is_not_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_is_claimed_once_and_known_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_print_is_of_every_byte, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
