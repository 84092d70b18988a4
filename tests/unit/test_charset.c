#include "check.h"
#include "pages/charset.h"
#include "pages/charset_internal.h"

static struct charset *charset;

static struct str read_page(struct str bytes, const char *declared, const char **name)
{
    struct charset_page page = {bytes, str_of(declared), true};
    struct str got;
    bool decoded = charset_to_utf8(charset, &page, &got, name);
    assert_true(decoded || got.len == 0);
    return got;
}
#define READ(bytes, declared, name) read_page(STR_LIT(bytes), declared, name)

static const char *label(const char *text)
{
    enum charset_encoding e = charset_of_label(str_of(text));
    return e < CHARSET_COUNT ? CHARSET_NAMES[e].name : "none";
}

static void labels_are_the_standards_and_no_others(void **state)
{
    (void)state;
    static const char *const MEANINGS[][2] = {
        {"UTF-8", "utf-8"},
        {"\t unicode-1-1-utf-8\n", "utf-8"},
        {"unicode", "utf-16le"},
        {"utf-16", "utf-16le"},
        {"unicodefffe", "utf-16be"},
        {"latin1", "windows-1252"},
        {"ASCII", "windows-1252"},
        {"latin5", "windows-1254"},
        {"x-cp1251", "windows-1251"},
        {"windows-949", "euc-kr"},
        {"ks_c_5601-1987", "euc-kr"},
        {"logical", "iso-8859-8-i"},
        {"visual", "iso-8859-8"},
        {"gb2312", "gbk"},
        {"gb18030", "gb18030"},
        {"x-sjis", "shift_jis"},
        {"ms932", "shift_jis"},
        {"tis-620", "windows-874"},
        {"x-mac-ukrainian", "x-mac-cyrillic"},
        {"hz-gb-2312", "replacement"},
        {"iso-2022-kr", "replacement"},
        {"x-user-defined", "x-user-defined"},
        {"utf-7", "none"},
        {"utf-32", "none"},
        {"cp949", "none"},
        {"latin-1", "none"},
        {"iso-8859-12", "none"},
        {"utf-8 latin1", "none"},
        {"\vutf-8", "none"},
        {"", "none"},
        {"  ", "none"},
    };
    for (size_t i = 0; i < sizeof MEANINGS / sizeof MEANINGS[0]; i++) {
        assert_string_equal(label(MEANINGS[i][0]), MEANINGS[i][1]);
    }
    size_t labels = 0;
    for (size_t e = 0; e < CHARSET_COUNT; e++) {
        assert_string_equal(label(CHARSET_NAMES[e].name), CHARSET_NAMES[e].name);
        for (const char *p = CHARSET_NAMES[e].labels; *p; p++) {
            labels += *p == ' ' && p[1] != '\0';
        }
    }
    assert_int_equal(labels, 228); /* of the standard, 2026 */
}

static const char *prescan(struct str page)
{
    enum charset_encoding e = charset_prescan(page);
    return e < CHARSET_COUNT ? CHARSET_NAMES[e].name : "none";
}
#define PRESCAN(page, want) assert_string_equal(prescan(STR_LIT(page)), want)

static void a_page_is_asked_attribute_by_attribute(void **state)
{
    (void)state;
    PRESCAN("<meta charset=koi8-r>", "koi8-r");
    PRESCAN("<META/CharSet = 'KOI8-R' >", "koi8-r");
    PRESCAN("<meta charset=koi8-r", "none");
    PRESCAN("<metadata charset=koi8-r>", "none");
    PRESCAN("<meta data-charset=koi8-r>", "none");
    PRESCAN("<meta name=description content='charset=koi8-r'>", "none");
    PRESCAN("<meta content='text/html; charset=koi8-r'>", "none");
    PRESCAN("<meta http-equiv=refresh content='text/html; charset=koi8-r'>", "none");
    PRESCAN("<meta http-equiv=content-type content='x charset y charset = \"koi8-r\"'>", "koi8-r");
    PRESCAN("<meta content=\"text/html;charset='koi8-r\" http-equiv=content-type>", "none");
    PRESCAN("<meta content=\"text/html;charset=koi8-r;x\" http-equiv=content-type>", "koi8-r");
    PRESCAN("<meta charset=nothing charset=koi8-r>", "none");
    PRESCAN("<meta charset=nothing><meta charset=koi8-r>", "koi8-r");
    PRESCAN("<meta charset=nothing content='charset=koi8-r' http-equiv=content-type>", "none");
    PRESCAN("<!-- <meta charset=koi8-r> --><meta charset=big5>", "big5");
    PRESCAN("<!--><meta charset=koi8-r>", "koi8-r");
    PRESCAN("<a title='<meta charset=koi8-r>'><meta charset=big5>", "big5");
    PRESCAN("</p x='<meta charset=koi8-r>'><meta charset=big5>", "big5");
    PRESCAN("<?x <meta charset=koi8-r>", "none");
    PRESCAN("<!x <meta charset=koi8-r><meta charset=big5>", "big5");
    PRESCAN("<meta charset=utf-16>", "utf-8");
    PRESCAN("<meta charset=unicode>", "utf-8");
    PRESCAN("<meta charset=x-user-defined>", "windows-1252");
    PRESCAN("<?xml version='1.0' encoding='koi8-r'?>", "koi8-r");
    PRESCAN("<?xml version='1.0' encoding='koi8-r'?><meta charset=big5>", "big5");
    PRESCAN("<?xml encoding='koi8 -r'?>", "none");
    PRESCAN(" <?xml encoding='koi8-r'?>", "none");
    PRESCAN("<\0?\0x\0m\0l\0", "utf-16le");
    PRESCAN("\0<\0?\0x\0m\0l", "utf-16be");
    PRESCAN("", "none");
}

static struct buf out;

static struct str decode(enum charset_encoding e, struct str bytes)
{
    static struct charset_decoder d;
    buf_clear(&out);
    (void)charset_decode(&d, e, NULL, bytes, &out);
    charset_decoder_release(&d);
    return buf_str(&out);
}
#define DECODES(e, bytes, want) assert_str(decode(CHARSET_##e, STR_LIT(bytes)), want)

static void broken_characters_do_not_swallow_what_follows(void **state)
{
    (void)state;
    DECODES(WINDOWS_1252, "a\x80\x93\xFF", "a\u20ac\u201c\u00ff");
    DECODES(ISO_8859_8_I, "\xF9\xEC\xA1", "\u05e9\u05dc\ufffd");
    DECODES(X_MAC_CYRILLIC, "\x80\xFF", "\u0410\u20ac");
    DECODES(X_USER_DEFINED, "a\x80\xFF", "a\uf780\uf7ff");
    DECODES(UTF_16LE, "\x3D\xD8\x00\xDE!\x00", "\U0001F600!");
    DECODES(UTF_16LE, "\x3D\xD8!\x00\x00\xDE", "\ufffd!\ufffd");
    DECODES(UTF_16BE, "\xD8\x3D\xD8\x3D\xDE\x00", "\ufffd\U0001F600");
    DECODES(UTF_16BE, "\0a\0", "a\ufffd");
    DECODES(SHIFT_JIS, "\x93\xFA\x81<p>\xFDx\x81", "\u65e5\ufffd<p>\ufffdx\ufffd");
    DECODES(EUC_KR, "\xC7\xD1\xC7<p>\xFF", "\ud55c\ufffd<p>\ufffd");
    DECODES(EUC_KR,
            "\xA2\xE8"
            "0",
            "\ufffd0");
    DECODES(GBK, "\xD6\xD0\x80\xD6<p>\x81\x30\x81\x31\xA3\xA0",
            "\u4e2d\u20ac\ufffd<p>\xC2\x81\u3000");
    DECODES(GB18030,
            "\x81"
            "0<p>\x84\x31\x82\x36\x81"
            "0",
            "\ufffd0<p>\ufe10\ufffd");
    DECODES(BIG5, "\xA4\xA4\x8E\x69\xA4<p>\x88\x62\x88\x66",
            "\u4e2d\u7bb8\ufffd<p>\u00ca\u0304\u00ca");
    DECODES(EUC_JP, "\xC6\xFC\x8E\xB1\x8F\xB0\xA1\x8F\xB0<p>", "\u65e5\uff71\u4e02\ufffd<p>");
    DECODES(ISO_2022_JP, "a\x1B$B\x46\x7C\x1B(B<p>\x1B(J\\~\x1B(I1",
            "a\u65e5<p>\u00a5\u203e\uff71");
    DECODES(ISO_2022_JP, "\x1Bx\x1B$B\x46\x1B(B<\x80", "\ufffdx\ufffd<\ufffd");
    buf_release(&out);
}

static void bytes_overrule_labels_that_they_disprove(void **state)
{
    (void)state;
    const char *name;
    charset = charset_new();
    assert_str(READ("Gr\xC3\xB6\xC3\x9F"
                    "e",
                    "cp1252", &name),
               "Gr\u00f6\u00dfe");
    assert_string_equal(name, "utf-8");
    assert_str(READ("<meta charset=cp1251>\xD0\x9C", "", &name), "<meta charset=cp1251>\u041c");
    assert_str(READ("1 ~ 2 + 3", "utf-7", &name), "1 ~ 2 + 3");
    assert_string_equal(name, "utf-8");
    /* Two bytes of GBK may be two of UTF-8: few characters prove nothing ... */
    assert_str(READ("\xC1\xAA\xCD\xA8", "gb2312", &name), "\u8054\u901a");
    /* ... but that they are not all of GBK does, and so do many. */
    assert_str(READ("\xE4\xB8\xAD<p>", "gb2312", &name), "\u4e2d<p>");
    assert_str(READ("\xE4\xB8\xAD\xE4\xB8\xAD\xE4\xB8\xAD\xE4\xB8\xAD\xE4\xB8\xAD\xE4\xB8\xAD"
                    "\xE4\xB8\xAD\xE4\xB8\xAD\xE4\xB8\xAD\xE4\xB8\xAD",
                    "gb2312", &name),
               "\u4e2d\u4e2d\u4e2d\u4e2d\u4e2d\u4e2d\u4e2d\u4e2d\u4e2d\u4e2d");
    assert_str(READ("h\0i\0", "utf-16", &name), "hi");
    assert_string_equal(name, "utf-16le");
    assert_str(READ("hi", "utf-16", &name), "hi");
    assert_str(READ("<meta charset=koi8-r>\xF0", "utf-8", &name), "<meta charset=koi8-r>\u041f");
    /* UTF-8 with some damage is that still, and other bytes are not by one chance. */
    assert_str(READ("\xC3\xB6\xC3\x9F\xE4\xB8\xAD\xFF.", "utf-8", &name),
               "\u00f6\u00df\u4e2d\ufffd.");
    assert_str(READ("\xC3\xB6\xC3\x9F\xE4\xB8", "utf-8", &name),
               "\u00f6\u00df\ufffd"); /* cut off */
    assert_str(READ("\x93\xFA\x96\x7B\x8C\xEA\x82\xCC\x95\xB6\x8F\xCD\x82\xC5\x82\xB7\x81\x42"
                    "\xC3\xA9\x82\xA0\x82\xA2\x82\xA4",
                    "utf-8", &name),
               "\u65e5\u672c\u8a9e\u306e\u6587\u7ae0\u3067\u3059\u3002\uff83\uff69"
               "\u3042\u3044\u3046");
    assert_string_equal(name, "shift_jis");
    assert_str(
        READ("\xC3\xB6\xC3\xB6\xC3\xB6\xC3\xB6\xC3\xB6\xC3\xB6\xC3\xB6\xC3\xB6\xC3\xB6\xC3\xB6\xFF",
             "", &name),
        "\u00f6\u00f6\u00f6\u00f6\u00f6\u00f6\u00f6\u00f6\u00f6\u00f6\ufffd");
    assert_str(READ("plain", "hz-gb-2312", &name), "plain");
    assert_int_equal(READ("~{VP~}", "hz-gb-2312", &name).len, 0);
    assert_string_equal(name, "replacement");
    charset_free(charset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_the_standards_and_no_others),
        cmocka_unit_test(a_page_is_asked_attribute_by_attribute),
        cmocka_unit_test(broken_characters_do_not_swallow_what_follows),
        cmocka_unit_test(bytes_overrule_labels_that_they_disprove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
