#include "base/file.h"
#include "check.h"
#include "program/program_file.h"
#include "remote/answer_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/winnow-store-XXXXXX";
static char path[64], mark[64];

static struct answer_store *open_store(void)
{
    struct answer_store *s = NULL;
    struct winnow_error err;
    assert_ok(answer_store_open(path, &s, &err), err);
    return s;
}

static void add(struct answer_store *s, uint64_t ordinal)
{
    struct winnow_error err;
    char line[128];
    (void)snprintf(line, sizeof line, "{\"ordinal\":%llu,\"id\":\"d%llu\",\"program\":\"x\"}",
                   (unsigned long long)ordinal, (unsigned long long)ordinal);
    assert_ok(answer_store_add(s, ordinal, str_of(line), &err), err);
}

static void clear(void)
{
    (void)unlink(path);
    (void)unlink(mark);
}

static void a_complete_store_gives_each_line_back(void **state)
{
    (void)state;
    struct winnow_error err;
    struct answer_store *s = open_store();
    assert_false(answer_store_complete(s));
    add(s, 0);
    add(s, 1);
    add(s, 5); /* bad lines have no program */
    assert_ok(answer_store_mark(s, true, &err), err);
    answer_store_close(s);
    s = open_store();
    assert_true(answer_store_complete(s));
    assert_int_equal(answer_store_documents(s), 3);
    struct buf line = {0};
    assert_ok(answer_store_read(s, 5, &line, &err), err);
    assert_str(buf_str(&line), "{\"ordinal\":5,\"id\":\"d5\",\"program\":\"x\"}");
    assert_ok(answer_store_read(s, 1, &line, &err), err);
    assert_str(buf_str(&line), "{\"ordinal\":1,\"id\":\"d1\",\"program\":\"x\"}");
    assert_ok(answer_store_read(s, 3, &line, &err), err);
    assert_int_equal(line.len, 0);
    assert_ok(answer_store_read(s, 99, &line, &err), err);
    assert_int_equal(line.len, 0);
    answer_store_close(s);
    struct program_file *f = NULL; /* and it is a file of programs */
    assert_ok(program_file_open(path, 0, &f, &err), err);
    assert_int_equal(program_file_documents(f), 3);
    program_file_close(f);
    buf_release(&line);
    clear();
}

static void what_is_not_marked_is_asked_for_again(void **state)
{
    (void)state;
    struct winnow_error err;
    struct answer_store *s = open_store();
    add(s, 0);
    add(s, 1);
    assert_ok(answer_store_mark(s, false, &err), err);
    answer_store_close(s);
    FILE *f = fopen(path, "a"); /* what a kill may leave */
    assert_non_null(f);
    (void)fputs("{\"ordinal\":2,\"id\":\"d2\",\"prog", f);
    (void)fclose(f);
    s = open_store();
    assert_true(answer_store_has_passed(s, 1));
    assert_false(answer_store_has_passed(s, 2));
    add(s, 2);
    assert_ok(answer_store_mark(s, true, &err), err);
    struct buf line = {0}, whole = {0};
    assert_ok(answer_store_read(s, 2, &line, &err), err);
    assert_str(buf_str(&line), "{\"ordinal\":2,\"id\":\"d2\",\"program\":\"x\"}");
    answer_store_close(s);
    assert_ok(file_read(path, 1000, &whole, &err), err);
    assert_int_equal(whole.len, 3 * (line.len + 1));
    buf_release(&line);
    buf_release(&whole);
    clear();
}

static void a_mark_without_its_data_counts_for_nothing(void **state)
{
    (void)state;
    struct winnow_error err;
    struct answer_store *s = open_store();
    add(s, 0);
    assert_ok(answer_store_mark(s, true, &err), err);
    answer_store_close(s);
    assert_int_equal(truncate(path, 3), 0);
    s = open_store();
    assert_false(answer_store_complete(s));
    assert_false(answer_store_has_passed(s, 0));
    answer_store_close(s);
    clear();
}

static void a_store_that_is_none_is_refused(void **state)
{
    (void)state;
    struct winnow_error err;
    struct answer_store *s = NULL;
    assert_ok(file_write_atomic(path, STR_LIT("some text\n"), &err), err);
    assert_ok(file_write_atomic(mark, STR_LIT("{\"bytes\":10,\"complete\":true}"), &err), err);
    assert_int_equal(answer_store_open(path, &s, &err), WINNOW_E_FORMAT);
    assert_non_null(strstr(err.text, "byte 0 starts no line of answers"));
    assert_ok(file_write_atomic(mark, STR_LIT("{\"bytes\":\"x\"}"), &err), err);
    assert_int_equal(answer_store_open(path, &s, &err), WINNOW_E_FORMAT);
    assert_non_null(strstr(err.text, "no \"bytes\" and \"complete\""));
    clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_complete_store_gives_each_line_back),
        cmocka_unit_test(what_is_not_marked_is_asked_for_again),
        cmocka_unit_test(a_mark_without_its_data_counts_for_nothing),
        cmocka_unit_test(a_store_that_is_none_is_refused),
    };
    if (!mkdtemp(folder)) {
        return 1;
    }
    (void)snprintf(path, sizeof path, "%s/programs.jsonl", folder);
    (void)snprintf(mark, sizeof mark, "%s/programs.jsonl.mark", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)rmdir(folder);
    return failed;
}
