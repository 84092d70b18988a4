#include "winnow/chat.h"

#include "check.h"
#include "corpus/shard_reader.h"

/* One line read by itself; the views live in static memory until the next. */
#include <math.h>
#include <stdlib.h>

static struct {
    struct buf bytes, out;
    struct document_reader *reader;
    struct document d;
    struct str reason;
} one;

static void read_bytes(const struct document_keys *keys, struct str line)
{
    struct winnow_error err;
    document_reader_free(one.reader);
    one.reader = document_reader_new(keys);
    buf_clear(&one.bytes);
    buf_add_str(&one.bytes, line);
    memset(buf_reserve(&one.bytes, JSON_PADDING), 'x', JSON_PADDING);
    assert_ok(
        document_read(one.reader, buf_str(&one.bytes), "a/b.jsonl", 7, &one.d, &one.reason, &err),
        err);
}

static void read_line(const char *line)
{
    read_bytes(NULL, str_of(line));
}

static struct str added(void)
{
    buf_clear(&one.out);
    document_add(&one.d, &one.out);
    return buf_str(&one.out);
}

static struct str edited(const char *text)
{
    buf_clear(&one.out);
    document_add_with_text(&one.d, str_of(text), &one.out);
    return buf_str(&one.out);
}

/* The member that extract writes is true of the old text only; somebody else's stays. */
static void an_edit_takes_the_structure_out(void **state)
{
    (void)state;
#define OURS "{\"node\":[0],\"parent\":[0],\"kinds\":[[\"html\"]]}"
    read_line("{\"id\":\"q\", \"text\": \"a\", \"structure\": " OURS "}");
    assert_str(edited("b"), "{\"id\":\"q\", \"text\": \"b\"}");
    buf_clear(&one.out);
    assert_true(document_add_without_structure(&one.d, &one.out));
    assert_str(buf_str(&one.out), "{\"id\":\"q\", \"text\": \"a\"}");
    read_line("{\"structure\" : " OURS " , \"text\":\"a\",\"z\":1}");
    assert_str(edited("b"), "{\"id\": \"a/b.jsonl#7\", \"text\":\"b\",\"z\":1}");
    read_line("{\"text\":\"a\",\"\\u0073tructure\":" OURS ",\"id\":\"q\"}");
    assert_str(edited("b"), "{\"text\":\"b\",\"id\":\"q\"}");
    read_line("{\"text\":\"a\",\"structure\":{\"lines\":[]},\"id\":\"q\"}");
    assert_str(edited("b"), "{\"text\":\"b\",\"structure\":{\"lines\":[]},\"id\":\"q\"}");
    buf_clear(&one.out);
    assert_false(document_add_without_structure(&one.d, &one.out));
    assert_int_equal(one.out.len, 0);
}

static void a_document_keeps_every_other_byte(void **state)
{
    (void)state;
    read_line(" {\"x\" : 1.50e3, "
              "\"te\\u0078t\":\"a\\nb\",\"id\":\"q\",\t\"m\":{\"text\":[\"}\\\\\"]} } \r\n");
    assert_int_equal(one.reason.len, 0);
    assert_str(one.d.text, "a\nb");
    assert_str(one.d.id, "q");
    assert_false(one.d.id_made);
    assert_str(one.d.text_span, "\"a\\nb\"");
    assert_str(
        added(),
        "{\"x\" : 1.50e3, \"te\\u0078t\":\"a\\nb\",\"id\":\"q\",\t\"m\":{\"text\":[\"}\\\\\"]} }");
    assert_str(edited("\"\x01"),
               "{\"x\" : 1.50e3, \"te\\u0078t\":\"\\\"\\u0001\",\"id\":\"q\",\t\"m\":{"
               "\"text\":[\"}\\\\\"]} }");
}

static void a_missing_id_is_made_and_written(void **state)
{
    (void)state;
    read_line("{\"text\":\"t\"}");
    assert_str(one.d.id, "a/b.jsonl#7");
    assert_true(one.d.id_made);
    assert_str(added(), "{\"id\": \"a/b.jsonl#7\", \"text\":\"t\"}");
    assert_str(edited("u"), "{\"id\": \"a/b.jsonl#7\", \"text\":\"u\"}");

    read_line("{\"id\":null,\"text\":\"t\",\"z\":0}");
    assert_str(one.d.id, "a/b.jsonl#7");
    assert_str(added(), "{\"id\":\"a/b.jsonl#7\",\"text\":\"t\",\"z\":0}");
    read_line("{\"text\":\"t\",\"id\":\"\"}");
    assert_str(edited("u"), "{\"text\":\"u\",\"id\":\"a/b.jsonl#7\"}");
    read_line("{\"text\":\"t\",\"id\": 17 }");
    assert_str(one.d.id, "17");
    assert_str(added(), "{\"text\":\"t\",\"id\": 17 }");
}

static void keys_may_have_other_names(void **state)
{
    (void)state;
    read_line("{\"content\":\"c\",\"raw_content\":\"r\"}");
    assert_str(one.d.text, "r");
    read_line("{\"content\":\"c\",\"raw_content\":\"r\",\"text\":\"t\"}");
    assert_str(one.d.text, "t");

    struct document_keys keys = {.text = "a.b", .id = "meta.id"};
    read_bytes(&keys,
               STR_LIT("{\"meta\":{\"k\":[1,{}],\"id\":\"i\"},\"a\":{\"c\":0,\"b\" : \"deep\"}}"));
    assert_str(one.d.text, "deep");
    assert_str(one.d.id, "i");
    assert_str(edited("new"),
               "{\"meta\":{\"k\":[1,{}],\"id\":\"i\"},\"a\":{\"c\":0,\"b\" : \"new\"}}");
    read_bytes(&keys, STR_LIT("{\"a.b\":\"plain\",\"a\":{\"b\":\"deep\"},\"id\":\"top\"}"));
    assert_str(one.d.text, "plain");
    assert_str(one.d.id, "top");
    read_bytes(&keys, STR_LIT("{\"text\":\"t\"}"));
    assert_str(one.reason, "no key \"a.b\"; the line has \"text\" (--text-key)");
}

/* Shapes of instruction sets become texts, and pass through as they are. */
static void examples_have_a_text_that_is_made(void **state)
{
    (void)state;
    static const struct {
        const char *line, *plain, *chatml;
    } CASES[] = {
        {"{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\","
         "\"content\":\"a\"}]}",
         "q\na", "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\na<|im_end|>\n"},
        {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\"},"
         "{\"type\":\"image\"},{\"type\":\"text\",\"text\":\"y\"}]},{\"role\":\"tool\","
         "\"content\":null}]}",
         "xy\n", "<|im_start|>user\nxy<|im_end|>\n<|im_start|>tool\n<|im_end|>\n"},
        {"{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"gpt\","
         "\"value\":\"a\"}]}",
         "q\na", "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\na<|im_end|>\n"},
        {"{\"prompt\":\"q\",\"response\":\"a\"}", "q\na",
         "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\na<|im_end|>\n"},
        {"{\"completion\":\"a\",\"prompt\":\"q\"}", "q\na",
         "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\na<|im_end|>\n"},
        {"{\"instruction\":\"do\",\"input\":\"it\",\"output\":\"done\"}", "do\nit\ndone",
         "<|im_start|>user\ndo\nit<|im_end|>\n<|im_start|>assistant\ndone<|im_end|>\n"},
        {"{\"instruction\":\"do\",\"input\":\"\",\"output\":\"done\"}", "do\ndone",
         "<|im_start|>user\ndo<|im_end|>\n<|im_start|>assistant\ndone<|im_end|>\n"},
        {"{\"question\":\"q\",\"answer\":\"a\",\"input\":\"no part\"}", "q\na",
         "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\na<|im_end|>\n"},
        {"{\"messages\":[]}", "", ""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct document_keys keys = {.chat = WINNOW_CHAT_PLAIN};
        read_bytes(&keys, str_of(CASES[i].line));
        assert_int_equal(one.reason.len, 0);
        assert_true(one.d.example && one.d.text_span.ptr == NULL);
        assert_str(one.d.text, CASES[i].plain);
        assert_str(one.d.raw, CASES[i].line);
        keys.chat = WINNOW_CHAT_CHATML;
        read_bytes(&keys, str_of(CASES[i].line));
        assert_str(one.d.text, CASES[i].chatml);
    }
    read_line("{\"text\":\"t\",\"prompt\":\"q\",\"response\":\"a\"}");
    assert_str(one.d.text, "t");
    assert_false(one.d.example);
    struct document_keys keys = {.text = "body"};
    read_bytes(&keys, STR_LIT("{\"prompt\":\"q\",\"response\":\"a\"}"));
    assert_str(one.reason, "no key \"body\"; the line has \"prompt\", \"response\" (--text-key)");
    static const char *const BROKEN[] = {"{\"messages\":\"none\"}", "{\"messages\":[\"x\"]}",
                                         "{\"messages\":[{\"role\":\"u\"}]}",
                                         "{\"conversations\":[{\"from\":\"human\",\"value\":7}]}"};
    for (size_t i = 0; i < sizeof BROKEN / sizeof BROKEN[0]; i++) {
        read_line(BROKEN[i]);
        assert_str(one.reason, "its messages are no list of objects with \"role\" and \"content\"");
    }
}

static void source_and_url_are_found(void **state)
{
    (void)state;
    read_line("{\"text\":\"t\",\"source\":\"cc\",\"metadata\":{\"url\":\"http://x/\"}}");
    assert_str(one.d.source, "cc");
    assert_str(one.d.url, "http://x/");
    read_line("{\"text\":\"t\",\"url\":\"http://y/\",\"metadata\":{\"url\":\"http://x/\"}}");
    assert_str(one.d.url, "http://y/");
    read_line("{\"text\":\"t\",\"source\":3,\"metadata\":\"none\"}");
    assert_int_equal(one.d.source.len + one.d.url.len, 0);
}

static void bad_lines_say_why(void **state)
{
    (void)state;
    static const struct {
        const char *line, *reason;
    } CASES[] = {
        {"[1]", "the line is an array, not an object"},
        {"7", "the line is a number, not an object"},
        {"{}", "no key \"text\", no \"messages\", no prompt with a response"},
        {"{\"a\":1,\"b\":2,\"中中中中中中中\":3,\"d\":4,\"e\":5}",
         "no key \"text\", no \"messages\", no prompt with a response; the line has \"a\", \"b\", "
         "\"中中中中中中\", \"d\", ... (--text-key)"},
        {"{\"text\":null}", "the text is null, not a string"},
        {"{\"text\":[\"a\"]}", "the text is an array, not a string"},
        {"{\"text\":\"a\",\"text\":\"b\"}", "the key of the text stands twice"},
        {"{\"text\":\"a\",\"id\":\"b\",\"i\\u0064\":\"b\"}", "the key of the id stands twice"},
        {"{\"text\":\"a\",\"id\":{}}", "the id is an object, not a string"},
        {"{\"text\":\"a\xFF\"}", "invalid UTF-8 at byte 11 of the line"},
        {"{\"text\":\"a\xED\xA0\x80\"}", "invalid UTF-8 at byte 11 of the line"},
        {"{\"text\":\"a\x01\"}", "a raw control character 0x01 at byte 11 of the line"},
        {"{\"text\":\"\\ud800\"}", "a \\u escape names half of a surrogate pair"},
        {"{\"text\":\"\\ud800\\u0041\"}", "a \\u escape names half of a surrogate pair"},
        {"{\"text\":\"NaN\",\"score\":NaN}", "not JSON: JSON has no value NaN"},
        {"{\"text\":\"a\",\"x\":[1,-Infinity]}", "not JSON: JSON has no value Infinity"},
        {"{\"text\":None}", "not JSON: JSON has no value None"},
        {"{\"text\":\"\\\\\\udc00 \"}", "a \\u escape names half of a surrogate pair"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        read_line(CASES[i].line);
        assert_str(one.reason, CASES[i].reason);
    }
    static const char *const BROKEN[] = {
        "{\"text\":\"a\"", "{\"text\":\"a\"} {}", "{\"text\":\"a\",}", "{'text':'a'}",
        "\xEF\xBB\xBF{",   "{\"text\":\"a\\x\"}", "{\"text\":NaN}",    "{\"text\":\"a\"}]"};
    for (size_t i = 0; i < sizeof BROKEN / sizeof BROKEN[0]; i++) {
        read_line(BROKEN[i]);
        assert_true(str_starts(one.reason, STR_LIT("not JSON: ")));
    }
}

/* Numbers of any size pass through; simdjson alone would refuse the line. */
static void numbers_pass_through_as_they_are_written(void **state)
{
    (void)state;
    static const char *const NUMBERS[] = {
        "18446744073709551616",
        "-9223372036854775809",
        "1e400",
        "-1E+999",
        "123456789012345678901234567890123456789012345678901234567890",
        "1e-400",
        "-0",
        "1.0",
        "0.1000000000000000055511151231257827",
        "9007199254740993"};
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++) {
        struct buf line = {0}, out = {0};
        buf_addf(&line, "{\"a\":[%s,{\"b\": %s }],\"id\":%s,\"text\":\"1e400 \\\" 1e400\"}",
                 NUMBERS[i], NUMBERS[i], NUMBERS[i]);
        read_line(buf_cstr(&line));
        assert_int_equal(one.reason.len, 0);
        assert_str(one.d.id, NUMBERS[i]);
        document_add(&one.d, &out);
        assert_str(buf_str(&out), buf_cstr(&line));
        double value = 0;
        assert_true(json_as_double(json_get(one.d.json, "id"), &value));
        assert_true(value == strtod(NUMBERS[i], NULL) || fabs(value) > 1e308);
        buf_release(&line);
        buf_release(&out);
    }
    static const char *const WRONG[] = {"01", "1.", ".5", "+1", "1e", "-", "1e400x", "0x10"};
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        struct buf line = {0};
        buf_addf(&line, "{\"text\":\"t\",\"a\":1e400,\"b\":%s}", WRONG[i]);
        read_line(buf_cstr(&line));
        assert_true(str_starts(one.reason, STR_LIT("not JSON: ")));
        buf_release(&line);
    }
}

static void nul_bom_and_pairs_are_fine(void **state)
{
    (void)state;
    read_line("\xEF\xBB\xBF{\"text\":\"a\\u0000b\\ud83d\\ude00\"}");
    assert_int_equal(one.reason.len, 0);
    assert_int_equal(one.d.text.len, 7);
    assert_memory_equal(one.d.text.ptr, "a\0b\xF0\x9F\x98\x80", 7);
    assert_int_equal(one.d.raw.ptr[0], '{');
    read_bytes(NULL, (struct str){"{\"text\":\"a\0\"}", 13});
    assert_str(one.reason, "a raw control character 0x00 at byte 11 of the line");
}

static void quarantine_keeps_the_bytes(void **state)
{
    (void)state;
    struct buf out = {0};
    struct bad_line bad = {
        .line = 3, .offset = 40, .bytes = 2, .raw = STR_LIT("{\""), .reason = STR_LIT("why")};
    bad_line_add_json(&bad, "s.jsonl", &out);
    bad.raw = (struct str){"\xFF\xFE"
                           "ab",
                           4};
    bad_line_add_json(&bad, "s.jsonl", &out);
    assert_str(buf_str(&out),
               "{\"shard\": \"s.jsonl\", \"line\": 3, \"offset\": 40, \"bytes\": 2, \"reason\": "
               "\"why\", \"raw\": \"{\\\"\"}\n"
               "{\"shard\": \"s.jsonl\", \"line\": 3, \"offset\": 40, \"bytes\": 2, \"reason\": "
               "\"why\", \"raw_base64\": \"//5hYg==\"}\n");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_takes_the_structure_out),
        cmocka_unit_test(a_document_keeps_every_other_byte),
        cmocka_unit_test(a_missing_id_is_made_and_written),
        cmocka_unit_test(keys_may_have_other_names),
        cmocka_unit_test(examples_have_a_text_that_is_made),
        cmocka_unit_test(source_and_url_are_found),
        cmocka_unit_test(bad_lines_say_why),
        cmocka_unit_test(numbers_pass_through_as_they_are_written),
        cmocka_unit_test(nul_bom_and_pairs_are_fine),
        cmocka_unit_test(quarantine_keeps_the_bytes),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    document_reader_free(one.reader);
    buf_release(&one.bytes);
    buf_release(&one.out);
    return failed;
}
