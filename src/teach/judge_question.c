/* judge_question.c -- see judge_question.h.  A change of the words changes what a call in
 * progress asks: the journal notices it by each question's hash. */
#include "teach/judge_question.h"

#include "base/utf8.h"

static const char QUESTION[] =
    "Two web pages are shown below, as a program took their text out. Which of them would teach a "
    "language model more? Better is a page with more that is worth knowing or well said: whole "
    "sentences that explain, tell or argue something, in order, on one subject. Worse is one of "
    "menus, advertising, lists of links, keywords, repetitions, or scraps torn out of their page. "
    "Length alone makes no page better, and neither does the side on which it stands.\n"
    "\n"
    "Give your reasons in at most 60 words. Then end with one line of exactly this form, with "
    "FIRST, SECOND or SAME in place of X:\n"
    "Better: X\n";

void judge_ask(struct str first, struct str second, size_t bytes_max, struct buf *out)
{
    buf_add_text(out, QUESTION);
    buf_add_text(out, "\nThe first page:\n[doc]\n");
    buf_add_str(out, utf8_cut(first, bytes_max));
    buf_add_text(out, "\n[/doc]\n\nThe second page:\n[doc]\n");
    buf_add_str(out, utf8_cut(second, bytes_max));
    buf_add_text(out, "\n[/doc]");
}

static struct str last_line(struct str s)
{
    s = str_trim(s);
    size_t from = s.len;
    while (from > 0 && s.ptr[from - 1] != '\n') {
        from--;
    }
    return str_sub(s, from, s.len);
}

/* What Markdown puts around words, and a full stop. */
static struct str bare(struct str s)
{
    static const char MARKS[] = "*_# \t.";
    while (s.len > 0 && memchr(MARKS, s.ptr[0], sizeof MARKS - 1)) {
        s = str_sub(s, 1, s.len);
    }
    while (s.len > 0 && memchr(MARKS, s.ptr[s.len - 1], sizeof MARKS - 1)) {
        s.len--;
    }
    return s;
}

static bool is_word(struct str s, const char *upper)
{
    size_t n = strlen(upper);
    for (size_t i = 0; i < n && i < s.len; i++) {
        if ((s.ptr[i] & ~0x20) != upper[i]) {
            return false;
        }
    }
    return s.len == n;
}

enum judge_says judge_read(struct str answer)
{
    struct str label = STR_LIT("Better:");
    struct str line = bare(last_line(answer)), thought = STR_LIT("</think>");
    for (size_t at = str_find(line, thought); at != SIZE_MAX; at = str_find(line, thought)) {
        line = bare(str_sub(line, at + thought.len, line.len)); /* no part of the answer */
    }
    if (!str_starts(line, label)) {
        return JUDGE_UNREAD;
    }
    struct str word = bare(str_sub(line, label.len, line.len));
    return is_word(word, "FIRST")    ? JUDGE_FIRST
           : is_word(word, "SECOND") ? JUDGE_SECOND
           : is_word(word, "SAME")   ? JUDGE_SAME
                                     : JUDGE_UNREAD;
}
