/* Functions that are not written in Lisp. Arguments lie in a frame; nothing is collected while one runs, but for `collect`. */
#include "lisp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRIMITIVE_OF(name) static value name(lisp *l, value *arguments, size_t count)
#define UNUSED (void)l, (void)arguments, (void)count

static int64_t need_number(lisp *l, value v) {
    if (!is_number(v)) fail(l, "a number is wanted");
    return to_number(v);
}

static value need(lisp *l, value v, int shape, const char *what) {
    if (!has_shape(v, shape)) fail(l, "%s is wanted", what);
    return v;
}

static value result_of(lisp *l, bool overflows, int64_t n) {
    if (overflows || n > INT64_MAX / 2 || n < INT64_MIN / 2) fail(l, "a number is too large");
    return number(n);
}

PRIMITIVE_OF(add) {
    int64_t sum = 0;
    bool overflows = false;
    for (size_t index = 0; index < count; index++)
        overflows |= __builtin_add_overflow(sum, need_number(l, arguments[index]), &sum);
    return result_of(l, overflows, sum);
}

PRIMITIVE_OF(subtract) {
    int64_t first = need_number(l, arguments[0]), result;
    bool overflows = count == 1 ? __builtin_sub_overflow(0, first, &result)
                                : __builtin_sub_overflow(first, need_number(l, arguments[1]), &result);
    return result_of(l, overflows, result);
}

PRIMITIVE_OF(multiply) {
    int64_t product = 1;
    bool overflows = false;
    for (size_t index = 0; index < count; index++)
        overflows |= __builtin_mul_overflow(product, need_number(l, arguments[index]), &product);
    return result_of(l, overflows, product);
}

static int64_t need_divisor(lisp *l, value v) {
    int64_t divisor = need_number(l, v);
    if (divisor == 0) fail(l, "division by zero");
    return divisor;
}

PRIMITIVE_OF(divide) { (void)count; return number(need_number(l, arguments[0]) / need_divisor(l, arguments[1])); }
PRIMITIVE_OF(modulo) { (void)count; return number(need_number(l, arguments[0]) % need_divisor(l, arguments[1])); }
PRIMITIVE_OF(less) { (void)count; return truth(need_number(l, arguments[0]) < need_number(l, arguments[1])); }
PRIMITIVE_OF(equal_number) { (void)count; return truth(need_number(l, arguments[0]) == need_number(l, arguments[1])); }

PRIMITIVE_OF(is_same) { UNUSED; return truth(same(arguments[0], arguments[1])); }
PRIMITIVE_OF(is_nil) { UNUSED; return truth(same(arguments[0], NIL)); }
PRIMITIVE_OF(is_pair) { UNUSED; return truth(has_shape(arguments[0], CONS)); }
PRIMITIVE_OF(make_cons) { (void)count; return cons(l, arguments[0], arguments[1]); }
PRIMITIVE_OF(first) { (void)count; return car(need(l, arguments[0], CONS, "a pair")); }
PRIMITIVE_OF(rest) { (void)count; return cdr(need(l, arguments[0], CONS, "a pair")); }

PRIMITIVE_OF(list) {
    value made = NIL;
    while (count > 0) made = cons(l, arguments[--count], made);
    return made;
}

static size_t need_index(lisp *l, value v, size_t length) {
    int64_t index = need_number(l, v);
    if (index < 0 || (uint64_t)index >= length) fail(l, "there is no element %" PRId64 " of %zu", index, length);
    return (size_t)index;
}

PRIMITIVE_OF(make_vector) {
    size_t length = need_index(l, arguments[0], (size_t)1 << 32);
    return vector(l, length, count > 1 ? arguments[1] : NIL);
}

PRIMITIVE_OF(vector_length) {
    (void)count;
    return number((int64_t)length_of(l, need(l, arguments[0], VECTOR, "a vector")));
}

PRIMITIVE_OF(vector_ref) {
    (void)count;
    value of = need(l, arguments[0], VECTOR, "a vector");
    return get(of, 1 + need_index(l, arguments[1], length_of(l, of)));
}

PRIMITIVE_OF(vector_set) {
    (void)count;
    value of = need(l, arguments[0], VECTOR, "a vector");
    put(l, of, 1 + need_index(l, arguments[1], length_of(l, of)), arguments[2]);
    return arguments[2];
}

PRIMITIVE_OF(string_append) {
    size_t length = 0, used = 0, part;
    const uint8_t *bytes;
    for (size_t index = 0; index < count; index++) length += length_of(l, need(l, arguments[index], STRING, "a string"));
    char *buffer = malloc(length + 1);
    if (buffer == NULL) fail(l, "no memory for a string");
    for (size_t index = 0; index < count; index++, used += part) {
        check(l, frazil_bytes_view(l->heap, arguments[index], &bytes, &part));
        memcpy(buffer + used, bytes, part);
    }
    value made;
    frazil_status status = frazil_make(l->heap, STRING, NULL, 0, (uint8_t *)buffer, length, &made);
    free(buffer);
    check(l, status);
    return made;
}

PRIMITIVE_OF(string_length) {
    (void)count;
    return number((int64_t)length_of(l, need(l, arguments[0], STRING, "a string")));
}

PRIMITIVE_OF(number_to_string) {
    (void)count;
    char text[24];
    int length = snprintf(text, sizeof text, "%" PRId64, need_number(l, arguments[0]));
    return string(l, text, (size_t)length);
}

PRIMITIVE_OF(freeze) {
    (void)count;
    check(l, frazil_freeze_deep(l->heap, arguments[0], NULL));
    return arguments[0];
}

PRIMITIVE_OF(collect) {
    UNUSED;
    check(l, frazil_collect(l->heap, FRAZIL_COLLECT_COMPLETE, NULL, 0));
    return NIL;
}

PRIMITIVE_OF(display) {
    for (size_t index = 0; index < count; index++) print(l, arguments[index]);
    putchar('\n');
    return NIL;
}

const primitive primitives[] = {
    {"+", 0, SIZE_MAX, add},
    {"-", 1, 2, subtract},
    {"*", 0, SIZE_MAX, multiply},
    {"/", 2, 2, divide},
    {"%", 2, 2, modulo},
    {"<", 2, 2, less},
    {"=", 2, 2, equal_number},
    {"eq?", 2, 2, is_same},
    {"null?", 1, 1, is_nil},
    {"not", 1, 1, is_nil},
    {"pair?", 1, 1, is_pair},
    {"cons", 2, 2, make_cons},
    {"car", 1, 1, first},
    {"cdr", 1, 1, rest},
    {"list", 0, SIZE_MAX, list},
    {"make-vector", 1, 2, make_vector},
    {"vector-length", 1, 1, vector_length},
    {"vector-ref", 2, 2, vector_ref},
    {"vector-set!", 3, 3, vector_set},
    {"string-append", 0, SIZE_MAX, string_append},
    {"string-length", 1, 1, string_length},
    {"number->string", 1, 1, number_to_string},
    {"freeze", 1, 1, freeze},
    {"collect", 0, 0, collect},
    {"display", 0, SIZE_MAX, display},
};

void define_primitives(lisp *l) {
    for (size_t index = 0; index < sizeof primitives / sizeof *primitives; index++) {
        value made;
        uint64_t raw = index;
        check(l, frazil_make(l->heap, PRIMITIVE, NULL, 0, (uint8_t *)&raw, sizeof raw, &made));
        put(l, symbol(l, primitives[index].name, strlen(primitives[index].name)), SYMBOL_VALUE, made);
    }
}
