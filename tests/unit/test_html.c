#include "check.h"
#include "pages/charset.h"
#include "pages/html.h"
#include "pages/plain_text.h"

static struct buf text, title;

static struct str lines_of(const char *html, bool rows)
{
    struct html_options opt = {.rows = rows};
    buf_clear(&text);
    buf_clear(&title);
    html_lines(str_of(html), &opt, &text, &title);
    return buf_str(&text);
}
#define LINES(html, want) assert_str(lines_of(html, false), want)
#define ROWS(html, want)  assert_str(lines_of(html, true), want)

static void blocks_end_lines_and_words_join(void **state)
{
    (void)state;
    LINES("<p>One <b>two</b>\n  three<i>four</i></p><p>five", "One two threefour\nfive");
    LINES("a<div>b<div>c</div>d</div>e", "a\nb\nc\nd\ne");
    LINES("a<br>b<br/><br>c", "a\nb\nc");
    LINES("  \n <p> </p> x <p>\t</p>", "x");
    LINES("<ul><li>one<li>two <ul><li>three</ul></ul>", "one\ntwo\nthree");
    LINES("<dl><dt>term<dd>meaning</dl>", "term\nmeaning");
    LINES("<h1>Head</h1>text<unknown-tag>more</unknown-tag>", "Head\ntextmore");
    LINES("<select><option>a<option>b</select><button>c</button>", "a\nb\nc");
    LINES("", "");
}

static void tables_come_by_cell_or_by_row(void **state)
{
    (void)state;
    const char *table = "<table><tr><th>Name<th>Age<tr><td>Ada</td>\n<td>36</td></tr></table>end";
    LINES(table, "Name\nAge\nAda\n36\nend");
    ROWS(table, "Name | Age\nAda | 36\nend");
    ROWS("<tr><td></td><td>only</td><td></td></tr>", "only");
}

static void preformatted_text_keeps_its_lines(void **state)
{
    (void)state;
    LINES("a<pre>\n  int x;\n\n\tif (x)  y();  \n</pre>b   c",
          "a\n  int x;\n\n\tif (x)  y();\nb c");
    LINES("<pre><span>a\r\n</span>b</pre>", "a\nb");
    LINES("<pre>  x</pre><p>  y", "  x\ny");
    LINES("<pre>a<br>b<div>c</div></pre>d  e", "a\nb\nc\nd e");
}

static void every_newline_is_one(void **state)
{
    (void)state;
    LINES("<pre>one\rtwo\r\nthree\n\rfour</pre>", "one\ntwo\nthree\n\nfour");
    LINES("<pre>one&#13;&#10;two&#13;</pre>", "one\ntwo");
    LINES("<pre>a&#13;b&#xD;c</pre>", "a b c");
    LINES("one\rtwo\r\nthree&#13;four", "one two three four");
    LINES("<title>x</title><p>a\xC2\x85"
          "b\xC2\x90"
          "c\x7F&#133;&#x90;&#0;&#1;&#127;",
          "a bc\u2026\ufffd");
}

static void what_is_not_seen_is_gone(void **state)
{
    (void)state;
    LINES("<head><title>T &amp; U</title><style>p > a {}</style></head><p>x</p>", "x");
    assert_str(buf_str(&title), "T & U");
    LINES("a<script>if (a < b) '</scripts>' </script>b", "ab");
    LINES("a<script><!-- <script>x</script> --></script>b", "ab");
    LINES("a<script><!-- x</script>b", "ab");
    LINES("a<!-- <p>no</p> -->b<!-->c<!--->d<!-- x --!>e<!-- -- > --->f", "abcdef");
    LINES("a<!DOCTYPE x>b<?php no ?>c</ no>d<![CDATA[no]]>e", "abcde");
    LINES("<template><p>no<template>no</template>no</template>yes", "yes");
    LINES("<template><script></template></script>no</template>yes", "yes");
    LINES("a<svg><title>no</title><text>no</text></svg>b", "ab");
    LINES("<svg><svg>no</svg>no</svg>yes<svg/>too", "yestoo");
    LINES("<svg><path d='x'><p>closed by a paragraph", "closed by a paragraph");
    LINES("<svg><foreignObject><p>no</p></foreignObject>no</svg>yes", "yes");
    LINES("<textarea>no</textarea><iframe>no</iframe>yes", "yes");
    LINES("a<script>never closed", "a");
    LINES("a<!-- never closed", "a");
    LINES("a<p class='never closed>b", "a");
    LINES("a<title>never closed <p>b", "anever closed\nb");
}

static void noscript_is_read_where_all_else_is_missing(void **state)
{
    (void)state;
    LINES("<noscript><p>the whole text</p></noscript>", "the whole text");
    char page[600] = "<p>";
    memset(page + 3, 'x', 400);
    strcpy(page + 403, "</p><noscript>no</noscript>");
    assert_int_equal(lines_of(page, false).len, 400);
}

static void tags_are_read_as_the_standard_says(void **state)
{
    (void)state;
    LINES("<p title=\"a>b\" x='>' y=>1</p>", "1");
    LINES("<P\nCLASS=x>1</P\t>2", "1\n2");
    LINES("1 < 2 and 3<4 <> </> <3", "1 < 2 and 3<4 <> <3");
    LINES("<br/><a href=x/>y</a>", "y");
    LINES("a<b", "a");
    LINES("a<", "a<");
    LINES("a</", "a</");
}

static void references_are_resolved(void **state)
{
    (void)state;
    LINES("&lt;p&gt; &amp;amp; &eacute;&Eacute; &#65;&#x42;&#x43 "
          "&hellip;&CounterClockwiseContourIntegral;",
          "<p> &amp; \u00e9\u00c9 ABC \u2026\u2233");
    LINES("&copy2024 &notin; &notit; &ampx &nbspx", "\u00a92024 \u2209 \u00acit; &x x");
    LINES("&unknown; & && &; &# &#x; &a", "&unknown; & && &; &# &#x; &a");
    LINES("&#128;&#0;&#xD800;&#x110000;&#99999999999;", "\u20ac\ufffd\ufffd\ufffd\ufffd");
    LINES("&NotEqualTilde;", "\u2242\u0338");
    LINES("&#10;a&#9;b&nbsp;&#xa0;c&#x200b;d&shy;e&#8203;&zwj;", "a b cde\u200d");
}

static void spaces_of_all_kinds_are_spaces(void **state)
{
    (void)state;
    LINES("a\u00a0\u2003 b\u3000c\u2028d\ufeffe\x01\x7f", "a b c de");
}

/* Time in proportion to length: what makes trees quadratic or recursive. */
static void hostile_pages_end(void **state)
{
    (void)state;
    static const char *const PIECES[] = {"<div>",
                                         "<b><p>",
                                         "<table><tr><td>",
                                         "<a><i>x",
                                         "<svg>",
                                         "<template>",
                                         "<!--",
                                         "<title>",
                                         "<",
                                         "<a \"",
                                         "&",
                                         "<script>",
                                         "</p>",
                                         "<select><p>x",
                                         "<font size=1><p>x",
                                         "<!"};
    struct html_options opt = {0};
    struct buf page = {0};
    for (size_t i = 0; i < sizeof PIECES / sizeof PIECES[0]; i++) {
        buf_clear(&page);
        while (page.len < ((size_t)4 << 20)) {
            buf_add_text(&page, PIECES[i]);
        }
        buf_clear(&text);
        html_lines(buf_str(&page), &opt, &text, &title);
        assert_true(text.len <= page.len);
    }
    buf_release(&page);
}

static struct charset *charset;

static void check_charset(const char *bytes, size_t len, const char *declared, const char *want,
                          const char *want_name)
{
    const char *name = NULL;
    struct charset_page page = {{bytes, len}, str_of(declared), true};
    struct str got;
    assert_true(charset_to_utf8(charset, &page, &got, &name));
    assert_str(got, want);
    assert_string_equal(name, want_name);
}
#define CHARSET(bytes, declared, want, name) \
    check_charset(bytes, sizeof(bytes) - 1, declared, want, name)

static void charsets_are_found(void **state)
{
    (void)state;
    charset = charset_new();
    CHARSET("plain", "", "plain", "utf-8");
    CHARSET("\xEF\xBB\xBFx\xC3\xA9", "iso-8859-1", "x\u00e9", "utf-8");
    CHARSET("\xFF\xFEh\0i\0", "", "hi", "utf-16le");
    CHARSET("\xFE\xFF\0h\0i", "", "hi", "utf-16be");
    CHARSET("caf\xE9 \x93x\x94", "ISO-8859-1", "caf\u00e9 \u201cx\u201d", "windows-1252");
    CHARSET("caf\xC3\xA9", "iso-8859-1", "caf\u00e9", "utf-8");
    CHARSET("caf\xE9", "utf-8", "caf\u00e9", "windows-1252");
    CHARSET("\xC3\xA9\xE9!", "utf-8", "\u00e9\ufffd!", "utf-8");
    CHARSET("<meta charset=\"koi8-r\">\xF0", "", "<meta charset=\"koi8-r\">\u041f", "koi8-r");
    CHARSET("<META content='text/html; CharSet = windows-1251' http-Equiv=Content-type>\xCF", "",
            "<META content='text/html; CharSet = windows-1251' http-Equiv=Content-type>\u041f",
            "windows-1251");
    CHARSET("<!-- <meta charset=koi8-r> --><?xml encoding='x'?>caf\xE9", "",
            "<!-- <meta charset=koi8-r> --><?xml encoding='x'?>caf\u00e9", "windows-1252");
    CHARSET("<?xml version='1.0' encoding='iso-8859-2'?>\xB1", "",
            "<?xml version='1.0' encoding='iso-8859-2'?>\u0105", "iso-8859-2");
    CHARSET("\x93\xFA\x96\x7B", "Shift_JIS", "\u65e5\u672c", "shift_jis");
    CHARSET("caf\xE9", "no-such-charset", "caf\u00e9", "windows-1252");
    CHARSET("caf\xE9", "utf-16", "caf\u00e9", "windows-1252");
    CHARSET("\x81\x30\x81\x31\xFF", "gbk", "\xC2\x81\ufffd", "gbk");
    CHARSET("", "", "", "utf-8");
    charset_free(charset);
}

static struct str plain(const char *s)
{
    buf_clear(&text);
    plain_text_lines(str_of(s), &text);
    return buf_str(&text);
}

static struct str markdown(const char *s)
{
    buf_clear(&text);
    buf_clear(&title);
    markdown_lines(str_of(s), &text, &title);
    return buf_str(&text);
}

static void text_keeps_paragraphs(void **state)
{
    (void)state;
    assert_str(plain("\n\na \r\n  b\t\r\r\rc\n\n\n\fd\x01\x7f\n\n"), "a\n  b\n\nc\n\nd");
    assert_str(plain("  \n \n"), "");
    assert_str(plain("one"), "one");
    assert_str(plain("a\xC2\x85"
                     "b\xC2\x90"
                     "c\xC2\xA0"
                     "d\x7F\x1B[1m"),
               "a\nbc\u00a0d[1m");
}

static void markdown_loses_comments_and_front_matter(void **state)
{
    (void)state;
    assert_str(markdown("---\ntitle: \"T\"\nx: y\n---\n# H\n\na <!-- b\n\nc --> d\n<!-- e -->\nf"),
               "# H\n\na\n d\nf");
    assert_str(buf_str(&title), "T");
    assert_str(markdown("x\n# Head \n<!-- open"), "x\n# Head\n<!-- open");
    assert_str(buf_str(&title), "Head");
    assert_str(markdown("---\nno: end"), "---\nno: end");
    assert_str(markdown("---\r\nx:\r\n- y\r\n...\r\ntext"), "text");
    /* Thematic breaks are no front matter, and what is between them is text. */
    assert_str(markdown("---\n\n# One\n\n---\n\ntwo"), "---\n\n# One\n\n---\n\ntwo");
    assert_str(markdown("---\nDear Sir: hello\n\nMore.\n---\n"),
               "---\nDear Sir: hello\n\nMore.\n---");
    assert_str(markdown("---\nNote: hello\n\nMore.\n---\n"), "---\nNote: hello\n\nMore.\n---");
    assert_str(markdown("---\nAda: Hello.\n\nBob: Hello!\n---"),
               "---\nAda: Hello.\n\nBob: Hello!\n---");
    assert_str(markdown("---\nhttp://a.b/ is\n---"), "---\nhttp://a.b/ is\n---");
    assert_str(markdown("---\ntitle: >\n  long\n\n  text\ntags:\n- a\n- b\n# c\n\n"
                        "\"two words\": x\nlist: [a,\n  b\n]\n---\ntext"),
               "text");
    assert_str(markdown("---\nIt was night.\n---\ntwo"), "---\nIt was night.\n---\ntwo");
    assert_str(markdown("---\n# One\n\ntext\n---\n"), "---\n# One\n\ntext\n---");
    assert_str(markdown("---\n# see docs\nx: y\n---\ntext"), "text");
    assert_str(markdown("\n---\nx: y\n---\ntwo"), "---\nx: y\n---\ntwo");
    assert_str(markdown("x\n---\ny: z\n---\n"), "x\n---\ny: z\n---");
}

static void code_holds_no_comments(void **state)
{
    (void)state;
    assert_str(markdown("`<!-- a -->` and <!-- b -->c"), "`<!-- a -->` and c");
    assert_str(markdown("``x ` <!-- a\n--> `` <!-- ` -->b`"), "``x ` <!-- a\n--> `` b`");
    assert_str(markdown("`open <!-- a -->\n\n`"), "`open\n\n`");
    assert_str(markdown("\\`<!-- a -->`"), "\\``");
    assert_str(markdown("```html\n<!-- a -->\n``\n```\n<!-- b -->"),
               "```html\n<!-- a -->\n``\n```");
    assert_str(markdown("> ~~~\n> <!-- a -->\n> ~~~\n- ```\n  <!-- c -->\n  ```\nx<!-- d -->"),
               "> ~~~\n> <!-- a -->\n> ~~~\n- ```\n  <!-- c -->\n  ```\nx");
    assert_str(markdown("<!--\n```\n-->a<!-- b -->"), "a");
    assert_str(markdown("~~~\n<!-- never closed -->"), "~~~\n<!-- never closed -->");
}

static void xhtml_is_read_as_xml(void **state)
{
    (void)state;
    struct html_options opt = {.xml = true};
    const char *page = "<title/><script src='x'/><p>a <![CDATA[c & <d>]]> e</p>"
                       "<svg><![CDATA[no]]><path/></svg><template/><pre/>f  g";
    buf_clear(&text);
    html_lines(str_of(page), &opt, &text, &title);
    assert_str(buf_str(&text), "a c & <d> e\nf g");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_end_lines_and_words_join),
        cmocka_unit_test(tables_come_by_cell_or_by_row),
        cmocka_unit_test(preformatted_text_keeps_its_lines),
        cmocka_unit_test(every_newline_is_one),
        cmocka_unit_test(what_is_not_seen_is_gone),
        cmocka_unit_test(noscript_is_read_where_all_else_is_missing),
        cmocka_unit_test(tags_are_read_as_the_standard_says),
        cmocka_unit_test(references_are_resolved),
        cmocka_unit_test(spaces_of_all_kinds_are_spaces),
        cmocka_unit_test(hostile_pages_end),
        cmocka_unit_test(charsets_are_found),
        cmocka_unit_test(text_keeps_paragraphs),
        cmocka_unit_test(markdown_loses_comments_and_front_matter),
        cmocka_unit_test(code_holds_no_comments),
        cmocka_unit_test(xhtml_is_read_as_xml),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_release(&text);
    buf_release(&title);
    return failed;
}
