/* thrift.c -- varints, zigzag and nested structs that are stepped over without recursion. */
#include "parquet/thrift.h"

#define NESTED_MAX 32

static unsigned take(struct thrift_in *in)
{
    if (in->at >= in->end || in->bad) {
        in->cut = in->cut || !in->bad;
        in->bad = true;
        return 0;
    }
    return *in->at++;
}

static uint64_t varint(struct thrift_in *in)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        unsigned c = take(in);
        if (shift < 64) {
            v |= (uint64_t)(c & 0x7FU) << shift;
        }
        if (c < 0x80) {
            return v;
        }
    }
    in->bad = true;
    return 0;
}

static int64_t zigzag(struct thrift_in *in)
{
    uint64_t v = varint(in);
    return (int64_t)(v >> 1 ^ (~(v & 1) + 1));
}

static size_t left(const struct thrift_in *in)
{
    return in->bad ? 0 : (size_t)(in->end - in->at);
}

static void pass(struct thrift_in *in, uint64_t bytes)
{
    if (bytes > left(in)) {
        in->cut = in->cut || !in->bad;
        in->bad = true;
        return;
    }
    in->at += bytes;
}

bool thrift_next(struct thrift_in *in, struct thrift_field *f)
{
    unsigned c = take(in);
    if (in->bad || c == 0) {
        return false;
    }
    unsigned type = c & 15U, step = c >> 4;
    if (type > THRIFT_UUID || type == THRIFT_STOP) {
        in->bad = true;
        return false;
    }
    int64_t id = step > 0 ? f->id + (int64_t)step : zigzag(in);
    if (id < -32768 || id > 32767) {
        in->bad = true;
    }
    *f = (struct thrift_field){in->bad ? 0 : (int32_t)id, (enum thrift_type)type};
    return !in->bad;
}

/* What thrift_skip() is inside of: a struct, or so many elements that are left. */
struct nest {
    enum thrift_type type, key, value;
    uint64_t left;
    struct thrift_field last;
};

static uint64_t list_head(struct thrift_in *in, enum thrift_type *element)
{
    unsigned c = take(in);
    uint64_t n = c >> 4;
    n = n == 15 ? varint(in) : n;
    unsigned type = c & 15U;
    if (n > left(in) || type > THRIFT_UUID || (type == 0 && n > 0)) {
        in->cut = in->cut || (!in->bad && n > left(in));
        in->bad = true;
        n = 0;
    }
    *element = (enum thrift_type)type;
    return n;
}

/* Passes over a value that holds no others, or says what it opens. */
static struct nest skip_one(struct thrift_in *in, enum thrift_type type, bool element)
{
    struct nest open = {0};
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        pass(in, element ? 1 : 0);
        break;
    case THRIFT_BYTE:
        pass(in, 1);
        break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        (void)varint(in);
        break;
    case THRIFT_DOUBLE:
        pass(in, 8);
        break;
    case THRIFT_UUID:
        pass(in, 16);
        break;
    case THRIFT_BINARY:
        pass(in, varint(in));
        break;
    case THRIFT_LIST:
    case THRIFT_SET:
        open.type = THRIFT_LIST;
        open.left = list_head(in, &open.value);
        break;
    case THRIFT_MAP:
        open.type = THRIFT_MAP;
        open.left = varint(in);
        if (open.left > 0) {
            unsigned c = take(in);
            open.key = (enum thrift_type)(c >> 4);
            open.value = (enum thrift_type)(c & 15U);
        }
        in->bad = in->bad || open.left > left(in);
        open.left *= 2;
        break;
    case THRIFT_STRUCT:
        open.type = THRIFT_STRUCT;
        break;
    default:
        in->bad = true;
    }
    return open;
}

void thrift_skip(struct thrift_in *in, const struct thrift_field *f)
{
    struct nest stack[NESTED_MAX];
    unsigned depth = 0;
    struct nest open = skip_one(in, f->type, f->id == 0);
    for (;;) {
        if (open.type != THRIFT_STOP) {
            if (depth == NESTED_MAX) {
                in->bad = true;
            } else {
                stack[depth++] = open;
            }
        }
        if (in->bad || depth == 0) {
            return;
        }
        struct nest *top = &stack[depth - 1];
        open = (struct nest){0};
        if (top->type == THRIFT_STRUCT) {
            if (thrift_next(in, &top->last)) {
                open = skip_one(in, top->last.type, false);
            } else {
                depth--;
            }
        } else if (top->left == 0) {
            depth--;
        } else {
            enum thrift_type type =
                top->type == THRIFT_MAP && top->left % 2 == 0 ? top->key : top->value;
            top->left--;
            open = skip_one(in, type, true);
        }
    }
}

int64_t thrift_int(struct thrift_in *in, const struct thrift_field *f)
{
    if (f->type == THRIFT_BYTE) {
        return (int64_t)(signed char)take(in);
    }
    if (f->type != THRIFT_I16 && f->type != THRIFT_I32 && f->type != THRIFT_I64) {
        in->bad = true;
        return 0;
    }
    return zigzag(in);
}

bool thrift_bool(struct thrift_in *in, const struct thrift_field *f)
{
    if (f->type != THRIFT_TRUE && f->type != THRIFT_FALSE) {
        in->bad = true;
    }
    return f->type == THRIFT_TRUE;
}

struct str thrift_binary(struct thrift_in *in, const struct thrift_field *f)
{
    if (f->type != THRIFT_BINARY) {
        in->bad = true;
        return (struct str){"", 0};
    }
    uint64_t n = varint(in);
    const unsigned char *from = in->at;
    pass(in, n);
    return in->bad ? (struct str){"", 0} : (struct str){(const char *)from, (size_t)n};
}

bool thrift_struct(struct thrift_in *in, const struct thrift_field *f)
{
    in->bad = in->bad || f->type != THRIFT_STRUCT;
    return !in->bad;
}

uint32_t thrift_list(struct thrift_in *in, const struct thrift_field *f,
                     struct thrift_field *element)
{
    *element = (struct thrift_field){0};
    if (f->type != THRIFT_LIST && f->type != THRIFT_SET) {
        in->bad = true;
        return 0;
    }
    uint64_t n = list_head(in, &element->type);
    if (n > INT32_MAX) {
        in->bad = true;
    }
    return in->bad ? 0 : (uint32_t)n;
}

/* ---- writing ---- */

static void put_varint(struct buf *out, uint64_t v)
{
    while (v >= 0x80) {
        buf_add_char(out, (char)(unsigned char)(v | 0x80));
        v >>= 7;
    }
    buf_add_char(out, (char)v);
}

static void put_zigzag(struct buf *out, int64_t v)
{
    put_varint(out, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

static void put_head(struct thrift_out *t, int32_t id, enum thrift_type type)
{
    int32_t step = id - t->last;
    if (step > 0 && step < 16) {
        buf_add_char(t->out, (char)(unsigned char)((unsigned)step << 4 | (unsigned)type));
    } else {
        buf_add_char(t->out, (char)type);
        put_zigzag(t->out, id);
    }
    t->last = id;
}

void thrift_put_int(struct thrift_out *t, int32_t id, enum thrift_type type, int64_t v)
{
    put_head(t, id, type);
    put_zigzag(t->out, v);
}

void thrift_put_bool(struct thrift_out *t, int32_t id, bool v)
{
    put_head(t, id, v ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_put_binary(struct thrift_out *t, int32_t id, struct str s)
{
    put_head(t, id, THRIFT_BINARY);
    thrift_element_binary(t->out, s);
}

void thrift_put_list(struct thrift_out *t, int32_t id, enum thrift_type element, size_t count)
{
    put_head(t, id, THRIFT_LIST);
    if (count < 15) {
        buf_add_char(t->out, (char)(unsigned char)(count << 4 | (unsigned)element));
    } else {
        buf_add_char(t->out, (char)(unsigned char)(0xF0U | (unsigned)element));
        put_varint(t->out, count);
    }
}

struct thrift_out thrift_put_struct(struct thrift_out *t, int32_t id)
{
    put_head(t, id, THRIFT_STRUCT);
    return (struct thrift_out){.out = t->out};
}

void thrift_end(struct thrift_out *t)
{
    buf_add_char(t->out, '\0');
}

void thrift_element_int(struct buf *out, int64_t v)
{
    put_zigzag(out, v);
}

void thrift_element_binary(struct buf *out, struct str s)
{
    put_varint(out, s.len);
    buf_add_str(out, s);
}
