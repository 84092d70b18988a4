/* judge_question.c -- see judge_question.h.  A change of the words changes what a call in
 * progress asks: the journal notices it by each question's hash. */
#include "teach/judge_question.h"

#include "base/utf8.h"
#include "teach/answer_line.h"

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

#define MARKS ANSWER_MARKS "." /* and a full stop */

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
    struct str line = answer_bare(answer_last_line(answer), STR_LIT(MARKS));
    if (!str_starts(line, label)) {
        return JUDGE_UNREAD;
    }
    struct str word = answer_bare(str_sub(line, label.len, line.len), STR_LIT(MARKS));
    return is_word(word, "FIRST")    ? JUDGE_FIRST
           : is_word(word, "SECOND") ? JUDGE_SECOND
           : is_word(word, "SAME")   ? JUDGE_SAME
                                     : JUDGE_UNREAD;
}
