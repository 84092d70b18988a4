/* answer_line.c -- see answer_line.h. */
#include "teach/answer_line.h"

struct str answer_bare(struct str s, struct str marks)
{
    while (s.len > 0 && memchr(marks.ptr, s.ptr[0], marks.len)) {
        s = str_sub(s, 1, s.len);
    }
    while (s.len > 0 && memchr(marks.ptr, s.ptr[s.len - 1], marks.len)) {
        s.len--;
    }
    return s;
}

struct str answer_without_thoughts(struct str answer)
{
    size_t end;
    while ((end = str_find(answer, STR_LIT("</think>"))) != SIZE_MAX) {
        answer = str_sub(answer, end + sizeof "</think>" - 1, answer.len);
    }
    return answer;
}

struct str answer_last_line(struct str answer)
{
    answer = str_trim(answer_without_thoughts(answer));
    size_t from = answer.len;
    while (from > 0 && answer.ptr[from - 1] != '\n') {
        from--;
    }
    return str_sub(answer, from, answer.len);
}
