/* retry_after.c -- the one header that we read by ourselves (RFC 9110, 10.2.3):
 * seconds, or an IMF-fixdate.  The two obsolete forms of dates are not read: a
 * client that does not understand the value backs off as it would without. */
#include "base/retry_after.h"

static bool two_digits(const char *p, int *out)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9') {
        return false;
    }
    *out = (p[0] - '0') * 10 + (p[1] - '0');
    return true;
}

/* Days from 1970-01-01 to the first of March of that year, and on from there:
 * leap days then stand at the end of a year. */
static int days_since_1970(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int m = month <= 2 ? month + 9 : month - 3; /* from March */
    return 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719468;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool read_date(struct str v, double *seconds)
{
    static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (v.len != 29 || memcmp(v.ptr + 3, ", ", 2) != 0 || memcmp(v.ptr + 25, " GMT", 4) != 0 ||
        v.ptr[7] != ' ' || v.ptr[11] != ' ' || v.ptr[16] != ' ' || v.ptr[19] != ':' ||
        v.ptr[22] != ':') {
        return false;
    }
    int day, century, year, hour, minute, second;
    if (!two_digits(v.ptr + 5, &day) || !two_digits(v.ptr + 12, &century) ||
        !two_digits(v.ptr + 14, &year) || !two_digits(v.ptr + 17, &hour) ||
        !two_digits(v.ptr + 20, &minute) || !two_digits(v.ptr + 23, &second)) {
        return false;
    }
    size_t at = str_find((struct str){MONTHS, sizeof MONTHS - 1}, (struct str){v.ptr + 8, 3});
    if (at == SIZE_MAX || at % 3 != 0 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
        second > 60) {
        return false;
    }
    *seconds = days_since_1970(century * 100 + year, (int)(at / 3) + 1, day) * 86400.0 +
               hour * 3600 + minute * 60 + second;
    return true;
}

double retry_after_seconds(struct str value, double now)
{
    struct str v = str_trim(value);
    double seconds = 0;
    if (read_date(v, &seconds)) {
        return seconds > now ? seconds - now : 0;
    }
    if (v.len == 0 || v.len > 9) { /* 999,999,999 s are 30 years */
        return -1;
    }
    for (size_t i = 0; i < v.len; i++) {
        if (v.ptr[i] < '0' || v.ptr[i] > '9') {
            return -1;
        }
        seconds = seconds * 10 + (v.ptr[i] - '0');
    }
    return seconds;
}
