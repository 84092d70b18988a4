/* nnls.c -- Lawson and Hanson's active set over a Cholesky factor that grows by a column.
 *
 * Which columns are in at the end is guessed first, by going over the weights a few times and
 * setting each to its best beside the others; the guess is fitted, what gets no positive weight
 * leaves, and what is wrong with it still the method proper mends a column at a time.  So where it
 * begins decides how long it takes and not where it ends.
 *
 * A column that leaves makes the factor anew from its place on; a column that turned out to depend
 * on those that are in, or had to leave as soon as it came, is banned until the set has changed,
 * or the same one would be taken for ever. */
#include "select/nnls.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

#define ROUNDS 20U /* of the guess */

/* Why a column is not looked at for now. */
enum ban {
    BAN_NONE,
    BAN_DEPENDENT, /* until a column leaves */
    BAN_FUTILE,    /* it came in and had to leave at once: until the set changes */
};

struct solving {
    const struct nnls *p;
    double *w;
    double *l;  /* [n][n]: the factor of the columns in, in their order */
    double *s;  /* [n] unconstrained solution of those in */
    size_t *in; /* which they are */
    size_t count;
    unsigned char *member, *ban;
    size_t fresh; /* the column that came in last and has no weight yet; SIZE_MAX: none */
};

/* Eight sums side by side: as fast as the processor adds, in an order that is always the same. */
static double dot(const double *a, const double *b, size_t n)
{
    double sum[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (size_t k = 0; k < 8; k++) {
            sum[k] += a[i + k] * b[i + k];
        }
    }
    for (; i < n; i++) {
        sum[i % 8] += a[i] * b[i];
    }
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/* Appends a column to the factor; false where it depends on those that are in. */
static bool append(struct solving *v, size_t column)
{
    const struct nnls *p = v->p;
    size_t k = v->count;
    double *row = v->l + k * p->n, left = p->gram[column * p->stride + column];
    double least = p->pivot * left;
    for (size_t i = 0; i < k; i++) {
        const double *li = v->l + i * p->n;
        double x = p->gram[column * p->stride + v->in[i]];
        row[i] = (x - dot(li, row, i)) / li[i];
        left -= row[i] * row[i];
    }
    if (!(left > least)) {
        v->ban[column] = BAN_DEPENDENT;
        return false;
    }
    row[k] = sqrt(left);
    v->in[v->count++] = column;
    v->member[column] = 1;
    return true;
}

static void remove_member(struct solving *v, size_t column)
{
    v->member[column] = 0;
    v->w[column] = 0;
}

/* Makes the factor anew from place `from` on, for the columns that are left. */
static void refactor(struct solving *v, size_t from, size_t left)
{
    v->count = from;
    for (size_t i = from; i < left; i++) {
        size_t column = v->in[i];
        v->member[column] = 0;
        if (!append(v, column)) {
            remove_member(v, column);
        }
    }
}

static void lift_bans(struct solving *v, enum ban up_to)
{
    for (size_t i = 0; i < v->p->n; i++) {
        v->ban[i] = v->ban[i] == BAN_FUTILE || v->ban[i] <= up_to ? BAN_NONE : v->ban[i];
    }
}

static void solve_members(struct solving *v)
{
    size_t n = v->p->n, k = v->count;
    double *s = v->s;
    for (size_t i = 0; i < k; i++) {
        const double *li = v->l + i * n;
        s[i] = (v->p->c[v->in[i]] - dot(li, s, i)) / li[i];
    }
    for (size_t i = k; i-- > 0;) {
        s[i] /= v->l[i * n + i];
        for (size_t m = 0; m < i; m++) {
            s[m] -= v->l[i * n + m] * s[i];
        }
    }
}

/* Goes from w towards s as far as all weights stay positive, and lets those leave that
 * reached 0: one at least. */
static void step_back(struct solving *v)
{
    double a = 1, top = 0;
    size_t first = v->count, least = SIZE_MAX;
    for (size_t i = 0; i < v->count; i++) {
        double w = v->w[v->in[i]];
        if (v->s[i] <= 0 && (least == SIZE_MAX || w / (w - v->s[i]) < a)) {
            a = w > 0 ? w / (w - v->s[i]) : 0;
            least = i;
        }
    }
    for (size_t i = 0; i < v->count; i++) {
        double *w = &v->w[v->in[i]];
        *w += a * (v->s[i] - *w);
        top = *w > top ? *w : top;
    }
    size_t left = 0;
    for (size_t i = 0; i < v->count; i++) {
        if (i == least || (v->s[i] <= 0 && v->w[v->in[i]] <= 1e-12 * top)) {
            remove_member(v, v->in[i]);
            first = first < i ? first : i;
        } else {
            v->in[left++] = v->in[i];
        }
    }
    refactor(v, first, left);
    lift_bans(v, BAN_DEPENDENT);
}

/* Until the solution on the columns that are in is positive.  False where the fresh column
 * had to leave at once. */
static bool settle(struct solving *v)
{
    while (v->count > 0) {
        solve_members(v);
        bool positive = true;
        for (size_t i = 0; i < v->count; i++) {
            positive = positive && v->s[i] > 0;
        }
        if (positive) {
            for (size_t i = 0; i < v->count; i++) {
                v->w[v->in[i]] = v->s[i];
            }
            return true;
        }
        if (v->in[v->count - 1] == v->fresh && v->s[v->count - 1] <= 0) {
            remove_member(v, v->fresh);
            v->ban[v->fresh] = BAN_FUTILE;
            v->count--;
            return false; /* the others are as they were */
        }
        v->fresh = SIZE_MAX;
        step_back(v);
    }
    return true;
}

/* The column outside whose weight would lower the residual fastest. */
static size_t steepest(const struct solving *v)
{
    const struct nnls *p = v->p;
    size_t best = SIZE_MAX;
    double top = p->tolerance;
    for (size_t i = 0; i < p->n; i++) {
        if (v->member[i] || v->ban[i] != BAN_NONE) {
            continue;
        }
        double g = p->c[i];
        const double *row = p->gram + i * p->stride;
        for (size_t m = 0; m < v->count; m++) {
            g -= row[v->in[m]] * v->w[v->in[m]];
        }
        if (g > top) {
            top = g;
            best = i;
        }
    }
    return best;
}

/* Weights by coordinates, so far that it shows which stay above 0. */
static void guess(struct solving *v)
{
    const struct nnls *p = v->p;
    double *g = v->s, *w = v->w; /* g: correlations with the residual */
    memcpy(g, p->c, p->n * sizeof *g);
    for (size_t i = 0; i < p->n; i++) {
        for (size_t k = 0; w[i] > 0 && k < p->n; k++) {
            g[k] -= w[i] * p->gram[i * p->stride + k];
        }
    }
    for (size_t round = 0; round < ROUNDS; round++) {
        double most = 0, top = 0;
        for (size_t i = 0; i < p->n; i++) {
            const double *row = p->gram + i * p->stride;
            double to = row[i] > 0 ? w[i] + g[i] / row[i] : 0, by = (to > 0 ? to : 0) - w[i];
            w[i] += by;
            for (size_t k = 0; by != 0 && k < p->n; k++) {
                g[k] -= by * row[k];
            }
            most = fabs(by) > most ? fabs(by) : most;
            top = w[i] > top ? w[i] : top;
        }
        if (most <= 1e-3 * top) {
            return;
        }
    }
}

/* The columns of the guess without those that get no positive weight among them; the others
 * have the weights that fit best. */
static void begin(struct solving *v)
{
    guess(v);
    for (size_t i = 0; i < v->p->n; i++) {
        if (v->w[i] > 0) {
            (void)append(v, i);
        }
        v->w[i] = 0;
    }
    for (bool again = true; again;) {
        solve_members(v);
        size_t left = 0, count = v->count, first = count;
        for (size_t i = 0; i < count; i++) {
            if (v->s[i] > 0) {
                v->in[left++] = v->in[i];
                continue;
            }
            remove_member(v, v->in[i]);
            first = first < i ? first : i;
        }
        again = left < count;
        if (again) {
            refactor(v, first, left);
        }
    }
    for (size_t i = 0; i < v->count; i++) {
        v->w[v->in[i]] = v->s[i];
    }
    lift_bans(v, BAN_DEPENDENT);
}

static void solve(struct solving *v)
{
    size_t n = v->p->n;
    v->fresh = SIZE_MAX;
    begin(v);
    for (size_t rounds = 0; rounds < 10 * n + 10; rounds++) {
        size_t next = steepest(v);
        if (next == SIZE_MAX) {
            return;
        }
        v->fresh = next;
        if (append(v, next) && settle(v)) {
            lift_bans(v, BAN_NONE);
        }
    }
}

winnow_status nnls_solve(const struct nnls *p, double *w, struct winnow_error *err)
{
    size_t n = p->n;
    size_t bytes = n * n * sizeof(double) + n * (sizeof(double) + sizeof(size_t) + 2);
    char *memory = mem_try_alloc(bytes);
    if (!memory) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to fit %zu weights", n);
    }
    struct solving v = {.p = p, .w = w, .l = (double *)(void *)memory};
    v.s = v.l + n * n;
    v.in = (size_t *)(void *)(v.s + n);
    v.member = (unsigned char *)(v.in + n);
    v.ban = v.member + n;
    memset(v.member, 0, 2 * n);
    solve(&v);
    mem_free(memory);
    return WINNOW_OK;
}
