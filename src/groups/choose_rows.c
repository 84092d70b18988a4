/* choose_rows.c -- see choose_rows.h. */
#include "groups/choose_rows.h"

#include "base/mem.h"
#include "base/sort.h"

#include <math.h>

void choose_below(const float *alike, size_t n, double limit, unsigned char *fate)
{
    for (size_t i = 0; i < n; i++) {
        fate[i] = (double)alike[i] > limit ? ROW_NEAR_COPY : ROW_KEPT;
    }
}

struct ranked {
    double number;
    uint64_t draw;
    uint32_t cluster, row;
};

static int by_number(const void *pa, const void *pb)
{
    const struct ranked *a = pa, *b = pb;
    if (a->cluster != b->cluster) {
        return a->cluster < b->cluster ? -1 : 1;
    }
    if (a->number < b->number || a->number > b->number) {
        return a->number < b->number ? -1 : 1;
    }
    if (a->draw != b->draw) {
        return a->draw < b->draw ? -1 : 1;
    }
    return (a->row > b->row) - (a->row < b->row);
}

double choose_least(const float *number, const uint64_t *draws, size_t n, size_t budget,
                    enum row_fate fate_of_others, unsigned char *fate)
{
    struct ranked *all = mem_alloc((n + 1) * sizeof *all);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (fate[i] == ROW_KEPT) {
            all[count++] = (struct ranked){(double)number[i], draws[i], 0, (uint32_t)i};
        }
    }
    sort(all, count, sizeof *all, by_number);
    for (size_t i = budget; i < count; i++) {
        fate[all[i].row] = (unsigned char)fate_of_others;
    }
    size_t left = budget < count ? budget : count;
    double last = left > 0 ? all[left - 1].number : (double)NAN;
    mem_free(all);
    return last;
}

/* In (0, 1). */
static double unit(uint64_t draw)
{
    return ((double)(draw >> 11) + 0.5) / 9007199254740992.0;
}

void choose_sparse(const float *density, const uint64_t *draws, size_t n, size_t budget,
                   unsigned char *fate)
{
    struct ranked *all = mem_alloc((n + 1) * sizeof *all);
    for (size_t i = 0; i < n; i++) { /* the least of draws of an exponential with that rate */
        double wait = -log(unit(draws[i])) * (double)density[i];
        all[i] = (struct ranked){wait, draws[i], 0, (uint32_t)i};
        fate[i] = ROW_NOT_DRAWN;
    }
    sort(all, n, sizeof *all, by_number);
    for (size_t i = 0; i < n && i < budget; i++) {
        fate[all[i].row] = ROW_KEPT;
    }
    mem_free(all);
}

void choose_quota(const uint32_t *cluster, const uint64_t *draws, size_t n, const size_t *quota,
                  size_t k, unsigned char *fate)
{
    struct ranked *all = mem_alloc((n + 1) * sizeof *all);
    size_t *left = mem_alloc((k + 1) * sizeof *left);
    for (size_t c = 0; c < k; c++) {
        left[c] = quota[c];
    }
    for (size_t i = 0; i < n; i++) {
        all[i] = (struct ranked){0, draws[i], cluster[i], (uint32_t)i};
    }
    sort(all, n, sizeof *all, by_number);
    for (size_t i = 0; i < n; i++) {
        size_t *of = &left[all[i].cluster];
        fate[all[i].row] = *of > 0 ? ROW_KEPT : ROW_NOT_DRAWN;
        *of -= *of > 0;
    }
    mem_free(all);
    mem_free(left);
}

/* What each would get beyond whole numbers, the greatest first. */
struct rest {
    double part;
    uint32_t cluster;
};

static int by_rest(const void *pa, const void *pb)
{
    const struct rest *a = pa, *b = pb;
    if (a->part < b->part || a->part > b->part) {
        return a->part > b->part ? -1 : 1;
    }
    return (a->cluster > b->cluster) - (a->cluster < b->cluster);
}

/* The factor at which the clusters, none more than it has, come to the budget. */
static double find_factor(const size_t *sizes, size_t k, size_t budget, double even)
{
    double low = 0, high = 1;
    for (size_t c = 0; c < k; c++) { /* where each has all it has */
        high = fmax(high, pow((double)sizes[c], even) + 1);
    }
    for (int i = 0; i < 200; i++) {
        double at = (low + high) / 2, sum = 0;
        for (size_t c = 0; c < k; c++) {
            double size = (double)sizes[c];
            sum += size > 0 ? fmin(size, at * pow(size, 1 - even)) : 0;
        }
        *(sum < (double)budget ? &low : &high) = at;
    }
    return high;
}

void share_out(const size_t *sizes, size_t k, size_t budget, double even, size_t *quota)
{
    struct rest *rests = mem_alloc((k + 1) * sizeof *rests);
    double factor = find_factor(sizes, k, budget, even);
    size_t given = 0;
    for (size_t c = 0; c < k; c++) {
        double size = (double)sizes[c];
        double want = size > 0 ? fmin(size, factor * pow(size, 1 - even)) : 0;
        quota[c] = (size_t)floor(want + 1e-9);
        quota[c] = quota[c] < sizes[c] ? quota[c] : sizes[c];
        rests[c] = (struct rest){want - (double)quota[c], (uint32_t)c};
        given += quota[c];
    }
    sort(rests, k, sizeof *rests, by_rest);
    for (size_t turn = 0; k > 0 && given < budget;
         turn++) { /* a second round where rounding fell short */
        uint32_t c = rests[turn % k].cluster;
        if (quota[c] < sizes[c]) {
            quota[c]++;
            given++;
        }
    }
    for (size_t turn = k; given > budget && turn > 0; turn--) {
        uint32_t c = rests[turn - 1].cluster;
        if (quota[c] > 0) {
            quota[c]--;
            given--;
        }
    }
    mem_free(rests);
}

double entropy_of(const size_t *sizes, size_t k)
{
    double all = 0, sum = 0;
    for (size_t c = 0; c < k; c++) {
        all += (double)sizes[c];
    }
    for (size_t c = 0; c < k; c++) {
        double p = all > 0 ? (double)sizes[c] / all : 0;
        sum -= p > 0 ? p * log2(p) : 0;
    }
    return sum;
}
