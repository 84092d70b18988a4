/* What tags say of lines: rows as expected, bounds, the JSON form, and the numbers that the
 * line model sees against a twin's (tests/oracle/structure_numbers.py). */
#include "base/file.h"
#include "base/mem.h"
#include "check.h"
#include "lines/structure_lines.h"
#include "pages/html.h"

#include <math.h>
#include <stdio.h>

static struct buf text, title, json;
static struct arena keep;

static const struct page_structure *structure_of(struct str html)
{
    static struct html_structure *taken;
    static struct page_structure s;
    if (!taken) {
        taken = html_structure_new();
        arena_init(&keep, 4096);
    }
    const struct html_options opt = {.structure = taken};
    buf_clear(&text);
    buf_clear(&title);
    arena_reset(&keep);
    html_lines(html, &opt, &text, &title);
    return html_structure_end(taken, buf_str(&text), &keep, &s) ? &s : NULL;
}

/* Zeros at the end of a row are left out. */
static void add_row(const int64_t *row, size_t count, size_t least)
{
    while (count > least && row[count - 1] == 0) {
        count--;
    }
    for (size_t i = 0; i < count; i++) {
        buf_addf(&json, "%s%lld", i > 0 ? "," : "[", (long long)row[i]);
    }
    buf_add_char(&json, ']');
}

static void add_kind(const struct structure_kind *k)
{
    buf_addf(&json, "[\"%.*s\"", STR_ARG(k->tag));
    if (k->words.len + k->role.len > 0) {
        buf_addf(&json, ",\"%.*s\"", STR_ARG(k->words));
    }
    if (k->role.len > 0) {
        buf_addf(&json, ",\"%.*s\"", STR_ARG(k->role));
    }
    buf_add_char(&json, ']');
}

/* A structure as rows: start, end, node, link, bold, hidden; parent, kind, index; names. */
static struct str rows_of(const char *html)
{
    const struct page_structure *s = structure_of(str_of(html));
    buf_clear(&json);
    buf_add_text(&json, "{\"lines\":[");
    for (size_t i = 0; i < s->line_count; i++) {
        const struct structure_line *l = &s->lines[i];
        buf_add_text(&json, i > 0 ? "," : "");
        add_row((const int64_t[]){l->start, l->end, l->node, l->link, l->bold, l->hidden}, 6, 3);
    }
    buf_add_text(&json, "],\"nodes\":[");
    for (size_t i = 0; i < s->node_count; i++) {
        const struct structure_node *n = &s->nodes[i];
        buf_add_text(&json, i > 0 ? "," : "");
        add_row((const int64_t[]){n->parent, n->kind, n->index}, 3, 1);
    }
    buf_add_text(&json, "],\"kinds\":[");
    for (size_t i = 0; i < s->kind_count; i++) {
        buf_add_text(&json, i > 0 ? "," : "");
        add_kind(&s->kinds[i]);
    }
    buf_add_text(&json, "]}");
    return buf_str(&json);
}
#define ROWS(html, want) assert_str(rows_of(html), want)

static void lines_know_the_element_they_begin_in(void **state)
{
    (void)state;
    ROWS("<body class='single'><nav role=navigation><ul class=\"menu mainMenu\"><li><a>Home</a><li>"
         "<a>About us</a></ul></nav><p id=p-12>Some <b>bold</b> and <a>linked</a> text",
         "{\"lines\":[[0,4,4,4],[5,13,6,8],[14,39,7,6,4]],"
         "\"nodes\":[[0],[0,1],[1,2],[2,3],[3,4],[2,3,1],[5,4],[0,5,1]],"
         "\"kinds\":[[\"html\",\"single\"],[\"nav\",\"\",\"navigation\"],[\"ul\",\"menu main "
         "menu\"],[\"li\"],[\"a\"],[\"p\",\"# p 0\"]]}");
    ROWS("", "{\"lines\":[[0,0,0]],\"nodes\":[[0]],\"kinds\":[[\"html\"]]}");
    ROWS("a<div>b<div>c</div>d</div>e",
         "{\"lines\":[[0,1,0],[2,3,1],[4,5,2],[6,7,1],[8,9,0]],"
         "\"nodes\":[[0],[0,1],[1,1]],\"kinds\":[[\"html\"],[\"div\"]]}");
}

static void tags_that_are_left_out_are_closed(void **state)
{
    (void)state;
    ROWS("<p>a<p>b<div>c</div>",
         "{\"lines\":[[0,1,1],[2,3,2],[4,5,3]],\"nodes\":[[0],[0,1],[0,1,1],[0,2,2]],"
         "\"kinds\":[[\"html\"],[\"p\"],[\"div\"]]}");
    ROWS("<table><tr><td>a<td>b<tr><td>c<table><tr><td>d</table>e</table>f",
         "{\"lines\":[[0,1,3],[2,3,4],[4,5,6],[6,7,9],[8,9,6],[10,11,0]],"
         "\"nodes\":[[0],[0,1],[1,2],[2,3],[2,3,1],[1,2,1],[5,3],[6,1],[7,2],[8,3]],"
         "\"kinds\":[[\"html\"],[\"table\"],[\"tr\"],[\"td\"]]}");
    ROWS("<dl><dt>a<dd>b<dt>c</dl>",
         "{\"lines\":[[0,1,2],[2,3,3],[4,5,4]],\"nodes\":[[0],[0,1],[1,2],[1,3,1],[1,2,2]],"
         "\"kinds\":[[\"html\"],[\"dl\"],[\"dt\"],[\"dd\"]]}");
    /* an end tag closes nothing outside its cell, nor a block that words cross */
    ROWS("<div><table><tr><td>a</div>b</table>c</div>d",
         "{\"lines\":[[0,1,4],[2,3,4],[4,5,1],[6,7,0]],\"nodes\":[[0],[0,1],[1,2],[2,3],[3,4]],"
         "\"kinds\":[[\"html\"],[\"div\"],[\"table\"],[\"tr\"],[\"td\"]]}");
    ROWS("<b>x<div>yy</b>zz</div>",
         "{\"lines\":[[0,1,1,0,1],[2,6,2,0,2]],\"nodes\":[[0],[0,1],[1,2]],"
         "\"kinds\":[[\"html\"],[\"b\"],[\"div\"]]}");
    ROWS("<a>one <a>two</a> three",
         "{\"lines\":[[0,13,1,7]],\"nodes\":[[0],[0,1]],\"kinds\":[[\"html\"],[\"a\"]]}");
}

static void what_attributes_hide_is_marked(void **state)
{
    (void)state;
    ROWS("<p hidden>a<p style='color:red; display : none'>b<p aria-hidden=true><i>c</i><p>d",
         "{\"lines\":[[0,1,1,0,0,1],[2,3,2,0,0,1],[4,5,4,0,0,1],[6,7,5]],"
         "\"nodes\":[[0],[0,1],[0,1,1],[0,1,2],[3,2],[0,1,3]],"
         "\"kinds\":[[\"html\"],[\"p\"],[\"i\"]]}");
}

static void preformatted_lines_have_rows_too(void **state)
{
    (void)state;
    ROWS("<pre> a  \n\n b\xC3\xA9 </pre><p>c",
         "{\"lines\":[[0,2,1],[3,3,1],[4,7,1],[8,9,2]],\"nodes\":[[0],[0,1],[0,2,1]],"
         "\"kinds\":[[\"html\"],[\"pre\"],[\"p\"]]}");
}

static void words_of_classes_are_split_and_bounded(void **state)
{
    (void)state;
    ROWS(
        "<p class='postBody-12 nav_item HTMLText \xC3\xA9t\xC3\xA9'>a",
        "{\"lines\":[[0,1,1]],\"nodes\":[[0],[0,1]],\"kinds\":[[\"html\"],[\"p\",\"post body 0 nav "
        "item html text \xC3\xA9t\xC3\xA9\"]]}");
    struct buf page = {0};
    buf_add_text(&page, "<div class=\"");
    for (size_t i = 0; i < 100000; i++) {
        buf_add_text(&page, "menu-item ");
    }
    buf_add_text(&page, "\">x</div>");
    const struct page_structure *s = structure_of(buf_str(&page));
    assert_int_equal(s->kind_count, 2);
    assert_in_range(s->kinds[1].words.len, 100, 200);
    buf_release(&page);
}

/* Pages made to be large: what is past a bound counts as the nearest ancestor within. */
static void nodes_and_depth_are_bounded(void **state)
{
    (void)state;
    struct buf page = {0};
    for (size_t i = 0; i < 100000; i++) {
        buf_add_text(&page, "<div>x");
    }
    const struct page_structure *s = structure_of(buf_str(&page));
    assert_int_equal(s->line_count, 100000);
    assert_int_equal(s->node_count, STRUCTURE_DEPTH_MAX + 1);
    assert_int_equal(s->lines[99999].node, STRUCTURE_DEPTH_MAX);
    buf_clear(&page);
    for (size_t i = 0; i < 100000; i++) {
        buf_add_text(&page, "<p>x</p>");
    }
    s = structure_of(buf_str(&page));
    assert_int_equal(s->node_count, STRUCTURE_NODES_MAX);
    assert_int_equal(s->lines[100].node, 101);
    assert_int_equal(s->lines[99999].node, 0);
    structure_sum((struct page_structure *)(uintptr_t)s, buf_str(&text), &keep);
    assert_int_equal(s->nodes[0].lines, 100000);
    assert_int_equal(s->nodes[1].same, STRUCTURE_NODES_MAX - 1);
    struct page_elements elements;
    struct line_structure features;
    page_elements_build(s, &keep, &elements);
    line_structure_build(&elements, 60000, 8192, 1024, &keep, &features);
    assert_int_equal(features.count, 8192);
    for (size_t i = 0; i < STRUCTURE_LINES_MAX; i++) {
        buf_add_text(&page, "<p>x");
    }
    assert_null(structure_of(buf_str(&page)));
    buf_clear(&page);
    for (size_t i = 0; i < 2 * STRUCTURE_LINES_MAX; i++) {
        buf_add_text(&page, "x<b>y</b>");
    }
    assert_null(structure_of(buf_str(&page)));
    buf_release(&page);
}

static bool read_as(const char *rows, struct str of, struct page_structure *out)
{
    static struct json_parser *parser;
    struct winnow_error err;
    struct json_value root;
    const char *reason = NULL;
    parser = parser ? parser : json_parser_new();
    assert_ok(json_parse(parser, str_of(rows), &root, &err), err);
    return structure_read(root, of, &keep, out, &reason);
}

static bool read_rows(const char *rows, struct page_structure *out)
{
    return read_as(rows, STR_LIT("Home\nAbout us\nSome bold and linked text"), out);
}

static void rows_are_written_as_columns(void **state)
{
    (void)state;
    struct page_structure s;
    const struct page_structure *made =
        structure_of(STR_LIT("<body class=a id=b><nav role=menu><a>Home</a><p hidden>About us</nav>"
                             "<p>Some <b>bold</b> and <a>linked</a> text<i>s"));
    const char *want = "{\"text\":\"74b54fe8ec60113f\",\"node\":[2,1,1],\"link\":[-1,0,6],"
                       "\"bold\":[0,0,4],\"hidden\":[0,1],\"parent\":[0,1,1,2,4],"
                       "\"kind\":[0,1,2,3,3],\"kinds\":[[\"html\",\"a # b\"],[\"nav\",\"\","
                       "\"menu\"],[\"a\"],[\"p\"]]}";
    buf_clear(&json);
    structure_write(made, buf_str(&text), &keep, &json);
    assert_str(buf_str(&json), want);
    assert_true(read_as(want, buf_str(&text), &s));
    assert_int_equal(s.lines[2].start, 14);
    assert_int_equal(s.lines[2].end, 40);
    assert_int_equal(s.lines[0].link, 4);
    assert_true(s.lines[1].hidden && !s.lines[2].hidden);
    assert_int_equal(s.nodes[3].index, 1);
    assert_int_equal(s.nodes[4].index, 1);
    assert_str(structure_class(&s.kinds[0]), "a ");
    buf_clear(&json);
    structure_write(&s, buf_str(&text), &keep, &json);
    assert_str(buf_str(&json), want);
    made = structure_of(STR_LIT(""));
    buf_clear(&json);
    structure_write(made, STR_LIT(""), &keep, &json);
    assert_str(
        buf_str(&json),
        "{\"text\":\"2d06800538d394c2\",\"node\":[0],\"parent\":[0],\"kinds\":[[\"html\"]]}");
}

static void rows_are_read_as_outside_bytes(void **state)
{
    (void)state;
    struct page_structure s;
    (void)structure_of(STR_LIT(""));
    assert_true(read_rows("{\"node\":[4,-5,2],\"link\":[-1,8],\"bold\":[0,0,4],\"hidden\":[0,1,0],"
                          "\"parent\":[0,1,1,1,1],\"index\":[0,0,0,0,7],\"kinds\":[[\"html\"]],"
                          "\"main\":[[0,1],[1,3]]}",
                          &s));
    assert_int_equal(s.lines[0].node, 4);
    assert_int_equal(s.lines[1].node, STRUCTURE_NONE);
    assert_int_equal(s.lines[2].node, 1);
    assert_int_equal(s.lines[1].link, 8);
    assert_int_equal(s.nodes[4].index, 7);
    const char *const wrong[] = {
        "{\"node\":[],\"parent\":[0],\"kinds\":[[\"html\"]]}",
        "{\"node\":[0,0],\"parent\":[0],\"kinds\":[[\"html\"]]}",
        "{\"node\":[0,0,0,0],\"parent\":[0],\"kinds\":[[\"html\"]]}",
        "{\"node\":[0,0,1],\"parent\":[0],\"kinds\":[[\"html\"]]}",
        "{\"node\":[-2,0,0],\"parent\":[0],\"kinds\":[[\"html\"]]}",
        "{\"node\":[0,0,\"1\"],\"parent\":[0],\"kinds\":[[\"html\"]]}",
        "{\"node\":[0,0,0],\"parent\":[0],\"kinds\":[[\"html\"]],\"link\":[5]}",
        "{\"node\":[0,0,0],\"parent\":[0],\"kinds\":[[\"html\"]],\"bold\":[-2]}",
        "{\"node\":[0,0,0],\"parent\":[0],\"kinds\":[[\"html\"]],\"link\":[0,0,0,0]}",
        "{\"node\":[0,0,0],\"parent\":[0],\"kinds\":[[\"html\"]],\"link\":{}}",
        "{\"node\":[0,0,0],\"parent\":[0],\"kinds\":[[\"html\"]],\"hidden\":[2]}",
        "{\"node\":[0,0,0],\"parent\":[],\"kinds\":[[\"html\"]]}",
        "{\"node\":[0,0,0],\"parent\":[1],\"kinds\":[[\"html\"]]}",
        "{\"node\":[0,0,0],\"parent\":[0,0],\"kinds\":[[\"html\"]]}",
        "{\"node\":[0,0,0],\"parent\":[0,2],\"kinds\":[[\"html\"]]}",
        "{\"node\":[0,0,0],\"parent\":[0],\"kind\":[1],\"kinds\":[[\"html\"]]}",
        "{\"node\":[0,0,0],\"parent\":[0],\"index\":[1],\"kinds\":[[\"html\"]]}",
        "{\"node\":[0,0,0],\"parent\":[0,1],\"index\":[0,-1],\"kinds\":[[\"html\"]]}",
        "{\"node\":[0,0,0],\"parent\":[0,1,2],\"index\":[0,4294967294,1],\"kinds\":[[\"html\"]]}",
        "{\"node\":[0,0,0],\"parent\":[0],\"kinds\":[[7]]}",
        "{\"node\":[0,0,0],\"parent\":[0],\"kinds\":[]}",
        "{\"node\":[0,0,0],\"parent\":[0],\"kinds\":[[\"html\"]],\"main\":[[0,4]]}",
        "{\"node\":[0,0,0],\"parent\":[0],\"kinds\":[[\"html\"]],\"main\":[[1,2],[0,1]]}",
        "{\"node\":[0,4294967296,0],\"parent\":[0],\"kinds\":[[\"html\"]]}",
        "{\"node\":{},\"parent\":[0],\"kinds\":[[\"html\"]]}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(read_rows(wrong[i], &s));
    }
}

static void rows_are_believed_of_their_text_alone(void **state)
{
    (void)state;
    struct page_structure s;
    const struct page_structure *made = structure_of(STR_LIT("<p>a\xC3\xA9<p>b"));
    buf_clear(&json);
    structure_write(made, buf_str(&text), &keep, &json);
    buf_add_char(&json, '\0');
    assert_true(read_as(json.ptr, STR_LIT("a\xC3\xA9\nb"), &s));
    assert_false(read_as(json.ptr, STR_LIT("xy\nb"), &s));
    assert_false(read_as(json.ptr, STR_LIT("b\na\xC3\xA9"), &s));
    assert_false(read_as(json.ptr, STR_LIT("a\xC3\xA9\nb\nc"), &s));
    const char *unmarked = "{\"node\":[1,1],\"parent\":[0,1,2],\"kinds\":[[\"html\"]]}";
    assert_true(read_as(unmarked, STR_LIT("xyz\nb"), &s));
    assert_int_equal(s.lines[1].end, 5);
    assert_false(read_as(unmarked, STR_LIT("xyz"), &s));
    assert_false(read_as("{\"text\":7,\"node\":[1,1],\"parent\":[0,1,2],\"kinds\":[[\"html\"]]}",
                         STR_LIT("xyz\nb"), &s));
}

/* {"html": ..., "numbers": [[LINE_STRUCTURE a line], ...]}, a line each, from the twin. */
static void numbers_are_the_twins(void **state)
{
    (void)state;
    struct winnow_error err;
    struct buf file = {0};
    struct json_parser *parser = json_parser_new();
    assert_ok(file_read("tests/oracle/structure_numbers.jsonl", (size_t)1 << 24, &file, &err), err);
    struct str rest = buf_str(&file), line;
    size_t compared = 0;
    while (str_next_line(&rest, &line)) {
        struct json_value root;
        struct str html;
        assert_ok(json_parse(parser, line, &root, &err), err);
        assert_true(json_as_str(json_get(root, "html"), &html));
        struct page_structure s = *structure_of(html);
        structure_sum(&s, buf_str(&text), &keep);
        struct page_elements page;
        page_elements_build(&s, &keep, &page);
        struct json_iter rows = json_walk(json_get(root, "numbers"));
        for (size_t i = 0; json_next(&rows); i++) {
            float numbers[LINE_STRUCTURE] = {0};
            structure_line_numbers(&page, i, numbers);
            struct json_iter row = json_walk(rows.value);
            for (size_t k = 0; json_next(&row); k++, compared++) {
                double want = 0;
                assert_true(json_as_double(row.value, &want));
                if (fabs((double)numbers[k] - want) > 1e-5) {
                    (void)fprintf(stderr, "line %zu, number %zu: %g and not %g\n", i, k,
                                  (double)numbers[k], want);
                    fail();
                }
            }
        }
    }
    assert_in_range(compared, 2000, 1000000);
    json_parser_free(parser);
    buf_release(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_know_the_element_they_begin_in),
        cmocka_unit_test(tags_that_are_left_out_are_closed),
        cmocka_unit_test(what_attributes_hide_is_marked),
        cmocka_unit_test(preformatted_lines_have_rows_too),
        cmocka_unit_test(words_of_classes_are_split_and_bounded),
        cmocka_unit_test(nodes_and_depth_are_bounded),
        cmocka_unit_test(rows_are_written_as_columns),
        cmocka_unit_test(rows_are_read_as_outside_bytes),
        cmocka_unit_test(rows_are_believed_of_their_text_alone),
        cmocka_unit_test(numbers_are_the_twins),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_release(&text);
    buf_release(&title);
    buf_release(&json);
    arena_release(&keep);
    return failed;
}
