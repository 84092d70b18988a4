#include "check.h"
#include "corpus/glob_internal.h"
#include "corpus/shard_reader.h"
#include "corpus/shard_writer.h"
#include "corpus/shards.h"
#include "scratch.h"

/* All that a shard gives, as text: "id text|" a document, "!line@offset:bytes reason|"
 * a bad line, " " between blocks. */
static struct buf seen;

static void read_all(const char *path, const struct shard_reader_options *opt)
{
    struct winnow_error err;
    struct shard_reader *r = NULL;
    struct shard_block block = {0};
    struct block_parser *p = block_parser_new(NULL);
    bool more = true;
    buf_clear(&seen);
    assert_ok(shard_reader_open(&r, path, "s", opt, &err), err);
    uint64_t offset = opt->offset, line = opt->lines + 1;
    for (;;) {
        assert_ok(shard_reader_next(r, &block, &more, &err), err);
        if (!more) {
            break;
        }
        assert_int_equal(block.offset, offset);
        assert_int_equal(block.line, line);
        offset = block.offset_end;
        line = block.line_end;
        block_parser_start(p, &block);
        struct parsed item;
        for (;;) {
            assert_ok(block_parser_next(p, &item, &err), err);
            if (item.kind == PARSED_END) {
                break;
            }
            if (item.kind == PARSED_DOCUMENT) {
                buf_addf(&seen, "%.*s %.*s|", STR_ARG(item.document.id),
                         STR_ARG(item.document.text));
            } else {
                buf_addf(&seen, "!%llu@%llu:%llu %.*s|", (unsigned long long)item.bad.line,
                         (unsigned long long)item.bad.offset, (unsigned long long)item.bad.bytes,
                         STR_ARG(item.bad.reason));
            }
        }
        buf_add_char(&seen, ' ');
    }
    block_parser_free(p);
    shard_block_release(&block);
    shard_reader_close(r);
}

static void blank_lines_crlf_bom_and_a_missing_newline_are_fine(void **state)
{
    (void)state;
    struct scratch s;
    scratch_open(&s);
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    read_all(
        scratch_write(&s, "a.jsonl",
                      STR_LIT("\xEF\xBB\xBF{\"text\":\"a\"}\r\n\r\n\n  \n{\"text\":\"b\"}\n{}\n"
                              "\xEF\xBB\xBF\n{\"text\":\"c\"}")),
        &opt);
    assert_str(
        buf_str(&seen),
        "s#1 a|s#5 b|!6@36:2 no key \"text\", no \"messages\", no prompt with a response|s#8 c| ");
    read_all(scratch_write(&s, "empty.jsonl", STR_LIT("")), &opt);
    assert_str(buf_str(&seen), "");
    scratch_close(&s);
}

static void blocks_are_cut_by_bytes_alone(void **state)
{
    (void)state;
    struct scratch s;
    scratch_open(&s);
    const char *path = scratch_write(&s, "a.jsonl",
                                     STR_LIT("{\"text\":\"1\"}\n{\"text\":\"2\"}\n{\"text\":\"a "
                                             "longer one, this\"}\n{\"text\":\"4\"}\n"));
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    opt.block_max = 27;
    read_all(path, &opt);
    assert_str(buf_str(&seen), "s#1 1|s#2 2| s#3 a longer one, this| s#4 4| ");
    opt.block_max = 1;
    read_all(path, &opt);
    assert_str(buf_str(&seen), "s#1 1| s#2 2| s#3 a longer one, this| s#4 4| ");
    opt.offset = 26;
    opt.lines = 2;
    read_all(path, &opt);
    assert_str(buf_str(&seen), "s#3 a longer one, this| s#4 4| ");
    scratch_close(&s);
}

static void lines_past_the_limit_are_set_aside(void **state)
{
    (void)state;
    struct scratch s;
    scratch_open(&s);
    struct buf text = {0};
    buf_add_text(&text, "{\"text\":\"1\"}\n{\"text\":\"");
    memset(buf_reserve(&text, 5000000), 'x', 5000000);
    text.len += 5000000;
    buf_add_text(&text, "\"}\n{\"text\":\"3\"}\n");
    const char *path = scratch_write(&s, "a.jsonl", buf_str(&text));
    struct shard_reader_options opt = {.block_max = 1 << 16, .line_max = 1 << 17};
    read_all(path, &opt);
    assert_str(buf_str(&seen),
               "s#1 1| !2@13:5000011 the line is 5000011 bytes long, the limit is 131072| s#3 3| ");
    opt.block_max = 8 << 20; /* the same when the whole line came with a block */
    read_all(path, &opt);
    assert_str(buf_str(&seen),
               "s#1 1|!2@13:5000011 the line is 5000011 bytes long, the limit is 131072|s#3 3| ");
    buf_release(&text);
    scratch_close(&s);
}

static void write_shard(const char *path, int frames)
{
    struct winnow_error err;
    struct shard_writer *w = NULL;
    struct shard_writer_options opt = SHARD_WRITER_OPTIONS_INIT;
    assert_ok(shard_writer_open(&w, path, &opt, &err), err);
    for (int i = 0; i < frames; i++) {
        char line[64];
        int n = snprintf(line, sizeof line, "{\"id\":\"%d\",\"text\":\"t\"}\n", i);
        assert_ok(shard_writer_add(w, (struct str){line, (size_t)n}, &err), err);
        assert_ok(shard_writer_flush(w, NULL, &err), err);
    }
    assert_ok(shard_writer_commit(w, &err), err);
    shard_writer_close(w);
}

static const char *const PACKINGS[] = {"a.jsonl", "a.jsonl.gz", "a.jsonl.zst"};

static void many_members_read_as_one(void **state)
{
    (void)state;
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    for (size_t i = 0; i < 3; i++) {
        struct scratch s;
        scratch_open(&s);
        write_shard(scratch_path(&s, PACKINGS[i]), 3);
        read_all(scratch_path(&s, PACKINGS[i]), &opt);
        assert_str(buf_str(&seen), "0 t|1 t|2 t| ");
        write_shard(scratch_path(&s, PACKINGS[i]), 0);
        read_all(scratch_path(&s, PACKINGS[i]), &opt);
        assert_str(buf_str(&seen), "");
        scratch_close(&s);
    }
}

static void a_writer_goes_on_where_it_was_killed(void **state)
{
    (void)state;
    struct winnow_error err;
    for (size_t i = 0; i < 3; i++) {
        struct scratch s;
        scratch_open(&s);
        write_shard(scratch_path(&s, PACKINGS[i]), 3);
        struct hash128 whole, resumed;
        assert_ok(file_hash(scratch_path(&s, PACKINGS[i]), &whole, &err), err);
        assert_ok(file_remove_tree(scratch_path(&s, PACKINGS[i]), &err), err);

        struct shard_writer *w = NULL;
        struct shard_writer_options opt = SHARD_WRITER_OPTIONS_INIT;
        const char *path = scratch_path(&s, PACKINGS[i]);
        assert_ok(shard_writer_open(&w, path, &opt, &err), err);
        assert_ok(shard_writer_add(w, STR_LIT("{\"id\":\"0\",\"text\":\"t\"}\n"), &err), err);
        assert_ok(shard_writer_sync(w, &opt.resume_at, &err), err);
        assert_ok(shard_writer_add(w, STR_LIT("what the crash loses"), &err), err);
        assert_ok(shard_writer_flush(w, NULL, &err), err);
        shard_writer_close(w);
        assert_false(file_exists(path));

        assert_ok(shard_writer_open(&w, path, &opt, &err), err);
        assert_ok(shard_writer_add(w, STR_LIT("{\"id\":\"1\",\"text\":\"t\"}\n"), &err), err);
        assert_ok(shard_writer_flush(w, NULL, &err), err);
        assert_ok(shard_writer_add(w, STR_LIT("{\"id\":\"2\",\"text\":\"t\"}\n"), &err), err);
        assert_ok(shard_writer_commit(w, &err), err);
        shard_writer_close(w);
        assert_ok(file_hash(path, &resumed, &err), err);
        assert_memory_equal(&whole, &resumed, sizeof whole);

        opt.resume_at = 1000000;
        (void)scratch_write(&s, "short.jsonl.winnow.tmp", STR_LIT("abc"));
        assert_int_equal(shard_writer_open(&w, scratch_path(&s, "short.jsonl"), &opt, &err),
                         WINNOW_E_INTERNAL);
        scratch_close(&s);
    }
}

static void a_torn_shard_gives_what_can_be_read(void **state)
{
    (void)state;
    struct winnow_error err;
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    for (size_t i = 1; i < 3; i++) {
        struct scratch s;
        scratch_open(&s);
        write_shard(scratch_path(&s, PACKINGS[i]), 3);
        struct buf bytes = {0};
        assert_ok(file_read(scratch_path(&s, PACKINGS[i]), 1 << 20, &bytes, &err), err);
        const char *torn = scratch_write(&s, i == 1 ? "t.jsonl.gz" : "t.jsonl.zst",
                                         str_sub(buf_str(&bytes), 0, bytes.len - 2));
        read_all(torn, &opt);
        assert_true(str_starts(buf_str(&seen), STR_LIT("0 t|1 t|")));
        assert_true(str_find(buf_str(&seen), STR_LIT("the shard cannot be read to its end: ")) <
                    SIZE_MAX);
        buf_add_text(&bytes, "trailing");
        torn = scratch_write(&s, i == 1 ? "u.jsonl.gz" : "u.jsonl.zst", buf_str(&bytes));
        read_all(torn, &opt);
        assert_true(str_starts(buf_str(&seen), STR_LIT("0 t|1 t|2 t| !4@")));
        torn = scratch_write(&s, i == 1 ? "v.jsonl.gz" : "v.jsonl.zst", STR_LIT("{\"text\":1}\n"));
        read_all(torn, &opt);
        assert_true(
            str_starts(buf_str(&seen), STR_LIT("!1@0:0 no line of the shard can be read: the ")));
        torn = scratch_write(&s, i == 1 ? "w.jsonl.gz" : "w.jsonl.zst", STR_LIT(""));
        read_all(torn, &opt);
        assert_true(str_starts(buf_str(&seen), STR_LIT("!1@0:0 ")));
        buf_release(&bytes);
        scratch_close(&s);
    }
}

static void globs_match_by_component(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool fits;
    } CASES[] = {
        {"*.html", "a.html", true},
        {"*.html", "a/b.html", false},
        {"**/*.html", "a.html", true},
        {"**/*.html", "a/b/c.html", true},
        {"a/**", "a/b/c", true},
        {"a/**", "b/c", false},
        {"**/b/**/d", "a/b/c/d", true},
        {"**/b/**/d", "b/d", true},
        {"**/b/**/d", "b/c/d/e", false},
        {"a?/[bc].x", "a1/c.x", true},
        {"a?/[!bc].x", "a1/c.x", false},
        {"**", "a/b", true},
        {"**/a/b", "a/a/a/b", true},
        {"a", "a/b", false},
        {"a/b", "a", false},
        {"**/*", ".a", false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        if (glob_match(CASES[i].pattern, CASES[i].path) != CASES[i].fits) {
            fail_msg("%s %s", CASES[i].pattern, CASES[i].path);
        }
    }
}

/* What a walk passes over is told where the pattern would have gone in. */
static void globs_say_where_they_lead(void **state)
{
    (void)state;
    assert_true(glob_leads_into("*/*.jsonl", "_old"));
    assert_true(glob_leads_into("*/*.jsonl", ".old"));
    assert_true(glob_leads_into("**/*.jsonl", "a/.old"));
    assert_true(glob_leads_into("a/**", "a/b/c"));
    assert_false(glob_leads_into("*.jsonl", "_old"));
    assert_false(glob_leads_into("b*/*.jsonl", "_old"));
    assert_false(glob_leads_into("*/*.jsonl", "a/_old"));
}

/* What the paths expand to, as "name,name,". */
static struct str find(struct scratch *s, const char *const *names, size_t n,
                       const char *files_from, enum shards_kind kind)
{
    struct winnow_error err;
    const char *paths[8];
    struct arena keep;
    arena_init(&keep, 4096);
    for (size_t i = 0; i < n; i++) {
        const char *p = scratch_path(s, names[i]);
        paths[i] = arena_strndup(&keep, p, strlen(p));
    }
    struct shard_list list;
    struct shards_options opt = {{paths, n}, files_from, kind};
    winnow_status st = shards_find(&opt, &list, &err);
    buf_clear(&seen);
    if (st != WINNOW_OK) {
        buf_addf(&seen, "%d", (int)st);
    }
    for (size_t i = 0; i < list.count; i++) {
        buf_addf(&seen, "%s,", list.items[i].name);
    }
    buf_addf(&seen, "%zu", list.duplicates);
    shard_list_release(&list);
    arena_release(&keep);
    return buf_str(&seen);
}
#define FIND(s, kind, ...)                         \
    find(&(s), (const char *const[]){__VA_ARGS__}, \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), NULL, kind)

static void paths_expand_in_order(void **state)
{
    (void)state;
    struct scratch s;
    scratch_open(&s);
    static const char *const FILES[] = {"in/b.jsonl",    "in/a/z.jsonl.gz", "in/.hidden.jsonl",
                                        "in/_x.jsonl",   "in/c.tmp",        "in/a/page.html",
                                        "in/_s/d.jsonl", "other/b.jsonl",   "other/odd.dat"};
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        (void)scratch_write(&s, FILES[i], str_of(FILES[i]));
    }
    char target[128];
    (void)snprintf(target, sizeof target, "%s/in", s.dir);
    assert_int_equal(symlink(target, scratch_path(&s, "in/loop")), 0);
    assert_int_equal(symlink("nowhere.jsonl", scratch_path(&s, "in/dangling.jsonl")), 0);
    assert_int_equal(symlink("b.jsonl", scratch_path(&s, "in/twin.jsonl")), 0);

    assert_str(FIND(s, SHARDS_DOCUMENTS, "in"), "a/z.jsonl.gz,b.jsonl,1");
    assert_str(FIND(s, SHARDS_PAGES, "in"), "a/page.html,0");
    assert_str(FIND(s, SHARDS_DOCUMENTS, "other/odd.dat", "in/b.jsonl"), "odd.dat.jsonl,b.jsonl,0");
    assert_str(FIND(s, SHARDS_DOCUMENTS, "in/b.jsonl", "in/./b.jsonl"), "b.jsonl,1");
    assert_str(FIND(s, SHARDS_DOCUMENTS, "in/**/*.jsonl*"), "a/z.jsonl.gz,b.jsonl,1");
    assert_str(FIND(s, SHARDS_DOCUMENTS, "*/b.jsonl"), "in/b.jsonl,other/b.jsonl,0");
    assert_str(FIND(s, SHARDS_DOCUMENTS, "in/b.jsonl", "other/b.jsonl"),
               "in/b.jsonl,other/b.jsonl,0");
    assert_str(FIND(s, SHARDS_DOCUMENTS, "in", "other"),
               "in/a/z.jsonl.gz,in/b.jsonl,other/b.jsonl,1");
    assert_str(FIND(s, SHARDS_DOCUMENTS, "missing.jsonl"), "30");
    assert_str(FIND(s, SHARDS_DOCUMENTS, "in/*.txt"), "30");

    struct buf list = {0};
    buf_addf(&list, "%s/other/b.jsonl\r\n\n%s/in/b.jsonl", s.dir, s.dir);
    const char *from = scratch_write(&s, "list", buf_str(&list));
    char from_path[128];
    (void)snprintf(from_path, sizeof from_path, "%s", from);
    assert_str(find(&s, NULL, 0, from_path, SHARDS_DOCUMENTS), "other/b.jsonl,in/b.jsonl,0");
    buf_release(&list);
    scratch_close(&s);
}

static void stems_lose_their_endings(void **state)
{
    (void)state;
    assert_str(shard_stem("a/b.jsonl.gz"), "a/b");
    assert_str(shard_stem("b.json.zst"), "b");
    assert_str(shard_stem("x.y.HTML"), "x.y");
    assert_str(shard_stem("odd.dat"), "odd.dat");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blank_lines_crlf_bom_and_a_missing_newline_are_fine),
        cmocka_unit_test(blocks_are_cut_by_bytes_alone),
        cmocka_unit_test(lines_past_the_limit_are_set_aside),
        cmocka_unit_test(many_members_read_as_one),
        cmocka_unit_test(a_writer_goes_on_where_it_was_killed),
        cmocka_unit_test(a_torn_shard_gives_what_can_be_read),
        cmocka_unit_test(globs_match_by_component),
        cmocka_unit_test(globs_say_where_they_lead),
        cmocka_unit_test(paths_expand_in_order),
        cmocka_unit_test(stems_lose_their_endings),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_release(&seen);
    return failed;
}
