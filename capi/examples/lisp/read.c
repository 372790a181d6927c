/* Text to data. Nothing is evaluated meanwhile, so nothing moves, and C variables may hold values. */
#include "lisp.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void skip(const char **text) {
    while (isspace((unsigned char)**text) || **text == ';') {
        if (**text == ';')
            while (**text != '\0' && **text != '\n') ++*text;
        else
            ++*text;
    }
}

static bool is_part(char c) { return c != '\0' && !isspace((unsigned char)c) && strchr("();'\"", c) == NULL; }

/* The elements of a list up to its bracket, last one first; then turned round. */
static value read_list(lisp *l, const char **text) {
    value reversed = NIL, list = NIL, element;
    for (skip(text); **text != ')'; skip(text)) {
        if (!read_next(l, text, &element)) fail(l, "a list has no end");
        reversed = cons(l, element, reversed);
    }
    ++*text;
    for (; !same(reversed, NIL); reversed = cdr(reversed)) list = cons(l, car(reversed), list);
    return list;
}

static value read_string(lisp *l, const char **text) {
    const char *end = strchr(*text, '"');
    if (end == NULL) fail(l, "a string has no end");
    value read = string(l, *text, (size_t)(end - *text));
    *text = end + 1;
    return read;
}

static value read_atom(lisp *l, const char **text) {
    const char *begin = *text;
    char *end;
    while (is_part(**text)) ++*text;
    if (*text == begin) fail(l, "there is a %c too many", *begin);
    long long n = strtoll(begin, &end, 10);
    if (end == *text) return number(n);
    size_t length = (size_t)(*text - begin);
    if (length == 3 && memcmp(begin, "nil", 3) == 0) return NIL;
    if (length == 1 && *begin == 't') return TRUE;
    return symbol(l, begin, length);
}

/* The next expression of a text, or false at its end. */
bool read_next(lisp *l, const char **text, value *read) {
    skip(text);
    switch (**text) {
    case '\0': return false;
    case '(': ++*text; *read = read_list(l, text); return true;
    case '"': ++*text; *read = read_string(l, text); return true;
    case '\'':
        ++*text;
        if (!read_next(l, text, read)) fail(l, "nothing follows a quote");
        *read = cons(l, symbol(l, "quote", 5), cons(l, *read, NIL));
        return true;
    default: *read = read_atom(l, text); return true;
    }
}
