/* main_part.c -- selectors of one element: a small part of CSS, without nesting. */
#include "pages/main_part.h"

#include <strings.h>

static bool is_name_char(char c)
{
    unsigned char u = (unsigned char)c;
    return (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || (u >= '0' && u <= '9') || u == '-' ||
           u == '_' || u >= 0x80;
}

/* Takes the name at the start of *s. */
static struct str take_name(struct str *s)
{
    size_t n = 0;
    while (n < s->len && is_name_char(s->ptr[n])) {
        n++;
    }
    struct str name = str_sub(*s, 0, n);
    *s = str_sub(*s, n, s->len);
    return name;
}

/* "[role=main]", with or without quotes. */
static bool take_role(struct str *s, struct str *role)
{
    static const struct str START = {"[role=", 6};
    if (!str_starts(*s, START)) {
        return false;
    }
    size_t end = str_find(*s, STR_LIT("]"));
    if (end == SIZE_MAX) {
        return false;
    }
    *role = str_sub(*s, START.len, end);
    if (role->len >= 2 && (role->ptr[0] == '"' || role->ptr[0] == '\'') &&
        role->ptr[role->len - 1] == role->ptr[0]) {
        *role = str_sub(*role, 1, role->len - 1);
    }
    *s = str_sub(*s, end + 1, s->len);
    return role->len > 0;
}

static bool parse_selector(struct str s, struct main_selector *out)
{
    out->tag = take_name(&s);
    while (s.len > 0) {
        char c = s.ptr[0];
        if (c == '[') {
            if (out->role.len > 0 || !take_role(&s, &out->role)) {
                return false;
            }
            continue;
        }
        struct str *to = c == '#' ? &out->id : c == '.' ? &out->class_name : NULL;
        if (!to || to->len > 0) {
            return false;
        }
        s = str_sub(s, 1, s.len);
        *to = take_name(&s);
        if (to->len == 0) {
            return false;
        }
    }
    return out->tag.len + out->id.len + out->class_name.len + out->role.len > 0;
}

winnow_status main_selectors_parse(const struct winnow_list *list, struct arena *keep,
                                   struct main_selectors *out, struct winnow_error *err)
{
    *out = (struct main_selectors){0};
    out->items = ARENA_NEW(keep, struct main_selector, list->count + 1);
    for (size_t i = 0; i < list->count; i++) {
        struct str s = str_trim(str_of(list->items[i]));
        struct main_selector *to = &out->items[out->count++];
        size_t equals = str_find(s, STR_LIT("=")), bracket = str_find(s, STR_LIT("["));
        if (equals != SIZE_MAX && equals < bracket) {
            to->source = str_trim(str_sub(s, 0, equals));
            s = str_trim(str_sub(s, equals + 1, s.len));
        }
        if (!parse_selector(s, to)) {
            return error_set(err, WINNOW_E_USAGE,
                             "--main: \"%s\" is no selector; write a tag, #id, .class or "
                             "[role=main], or SOURCE=SELECTOR for the pages of one source",
                             list->items[i]);
        }
    }
    return WINNOW_OK;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\f' || c == '\r';
}

/* Whether word is one of the words of list. */
static bool has_word(struct str list, struct str word)
{
    for (size_t at = 0; at < list.len;) {
        size_t end = at;
        while (end < list.len && !is_space(list.ptr[end])) {
            end++;
        }
        if (str_eq(str_sub(list, at, end), word)) {
            return true;
        }
        at = end + 1;
    }
    return false;
}

static bool same_tag(struct str a, struct str b)
{
    return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

static bool names(const struct main_selector *s, const struct main_element *e)
{
    return (s->tag.len == 0 || same_tag(s->tag, e->tag)) &&
           (s->id.len == 0 || str_eq(s->id, e->id)) &&
           (s->class_name.len == 0 || has_word(e->classes, s->class_name)) &&
           (s->role.len == 0 || has_word(e->role, s->role));
}

bool main_selectors_name(const struct main_selectors *s, struct str source,
                         const struct main_element *e)
{
    bool own = false;
    for (size_t i = 0; i < s->count; i++) {
        if (s->items[i].source.len > 0 && str_eq(s->items[i].source, source)) {
            own = true;
            if (names(&s->items[i], e)) {
                return true;
            }
        }
    }
    for (size_t i = 0; !own && i < s->count; i++) {
        if (s->items[i].source.len == 0 && names(&s->items[i], e)) {
            return true;
        }
    }
    return false;
}
