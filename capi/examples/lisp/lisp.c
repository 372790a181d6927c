/* The heap of the Lisp, its errors, and how its objects are made. */
#include "lisp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256 };

/* Ends what is going on with a message. */
noreturn void fail(lisp *l, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(l->message, sizeof l->message, format, arguments);
    va_end(arguments);
    longjmp(l->on_error, 1);
}

/* A call of the collector that should have succeeded. */
void check(lisp *l, frazil_status status) {
    if (status != FRAZIL_OK) fail(l, "%s: %s", frazil_status_name(status), frazil_error_message());
}

/* ------------------------------------------------------------------ roots and collections */

/* A frame of empty words, which are roots. */
value *enter(lisp *l, size_t words) {
    value *slots = frazil_enter(l->raw, words);
    if (slots == NULL) fail(l, "the root stack is full");
    return slots;
}

void leave(lisp *l, size_t words) { frazil_leave(l->raw, words); }

/* Whatever is not in a frame, in the table of symbols, or in an object that is, moves or dies here. */
void safepoint(lisp *l) {
    if (frazil_poll(l->raw) && ++l->skipped >= l->every) {
        l->skipped = 0;
        check(l, frazil_collect(l->heap, FRAZIL_COLLECT_AUTO, NULL, 0));
    }
}

/* ------------------------------------------------------------------ objects */

/* Inline where there is room; otherwise the heap makes room, or says why not. */
static inline value allocate(lisp *l, int shape, uint64_t header, size_t bytes) {
    value made = frazil_alloc_fast(l->raw, header, bytes);
    if (made.word == 0) check(l, frazil_alloc(l->heap, (uint16_t)shape, 0, &made));
    return made;
}

value cons(lisp *l, value first, value rest) {
    value made = allocate(l, CONS, l->cons_header, l->cons_bytes);
    frazil_words(made)[CAR] = first.word;
    frazil_words(made)[CDR] = rest.word;
    return made;
}

value closure(lisp *l, value parameters, value body, value environment) {
    value made = allocate(l, CLOSURE, l->closure_header, l->closure_bytes);
    frazil_words(made)[CLOSURE_PARAMETERS] = parameters.word;
    frazil_words(made)[CLOSURE_BODY] = body.word;
    frazil_words(made)[CLOSURE_ENVIRONMENT] = environment.word;
    return made;
}

value vector(lisp *l, size_t length, value fill) {
    value made;
    check(l, frazil_alloc(l->heap, VECTOR, length, &made));
    for (size_t index = 1; index <= length; index++) frazil_words(made)[index] = fill.word;
    return made;
}

value string(lisp *l, const char *text, size_t length) {
    value made;
    check(l, frazil_make(l->heap, STRING, NULL, 0, (const uint8_t *)text, length, &made));
    return made;
}

/* The names, and a value for each. */
value environment(lisp *l, value parent, value names, const value *values, size_t count) {
    value made;
    check(l, frazil_alloc(l->heap, ENVIRONMENT, count + 2, &made));
    uint64_t *words = frazil_words(made);
    words[ENVIRONMENT_PARENT] = parent.word;
    words[ENVIRONMENT_NAMES] = names.word;
    for (size_t index = 0; index < count; index++) words[ENVIRONMENT_VALUES + index] = values[index].word;
    return made;
}

/* A store. With short collections the first one into an old object is reported; into what is frozen none succeeds. */
void put(lisp *l, value object, size_t word, value stored) {
    if (frazil_may_write(object)) {
        frazil_words(object)[word] = stored.word;
    } else {
        size_t raw_words = frazil_words(object)[0] >> FRAZIL_SMALL_SHIFT & FRAZIL_SMALL_MASK;
        check(l, frazil_store(l->heap, object, word - 1 - raw_words, stored));
    }
}

/* How many references, or bytes, it has. */
size_t length_of(lisp *l, value object) {
    (void)l;
    return frazil_words(object)[0] >> FRAZIL_LENGTH_SHIFT;
}

/* ------------------------------------------------------------------ symbols */

static const char *const forms[] = {"",       "quote", "if",    "define", "set!", "lambda",
                                    "let",    "begin", "while", "and",    "or"};

static bool is_named(lisp *l, value symbol, const char *name, size_t length) {
    const uint8_t *bytes;
    size_t count;
    check(l, frazil_bytes_view(l->heap, get(symbol, SYMBOL_NAME), &bytes, &count));
    return count == length && memcmp(bytes, name, length) == 0;
}

static size_t form_of(const char *name, size_t length) {
    for (size_t form = 1; form < sizeof forms / sizeof *forms; form++)
        if (strlen(forms[form]) == length && memcmp(forms[form], name, length) == 0) return form;
    return NO_FORM;
}

/* The one symbol with this name. */
value symbol(lisp *l, const char *name, size_t length) {
    value table, made;
    size_t bucket = 5381;
    for (size_t index = 0; index < length; index++) bucket = bucket * 33 + (uint8_t)name[index];
    bucket = bucket % BUCKETS + 1;
    check(l, frazil_handle_get(l->heap, l->symbols, &table));
    for (value list = get(table, bucket); !same(list, NIL); list = cdr(list))
        if (is_named(l, car(list), name, length)) return car(list);
    check(l, frazil_alloc(l->heap, SYMBOL, 0, &made));
    frazil_words(made)[SYMBOL_FORM] = form_of(name, length);
    frazil_words(made)[SYMBOL_NAME] = string(l, name, length).word;
    frazil_words(made)[SYMBOL_VALUE] = UNBOUND.word;
    put(l, table, bucket, cons(l, made, get(table, bucket)));
    return made;
}

/* ------------------------------------------------------------------ beginning and end */

static void define_shapes(lisp *l) {
    const frazil_shape shapes[] = {
        {"cons", 2, 0, FRAZIL_TAIL_NONE, 0, CONS},
        {"string", 0, 0, FRAZIL_TAIL_TEXT, 0, STRING},
        {"symbol", 2, 1, FRAZIL_TAIL_NONE, 1, SYMBOL},
        {"closure", 3, 0, FRAZIL_TAIL_NONE, 0, CLOSURE},
        {"primitive", 0, 1, FRAZIL_TAIL_NONE, 0, PRIMITIVE},
        {"environment", 0, 0, FRAZIL_TAIL_REFERENCES, 1, ENVIRONMENT},
        {"vector", 0, 0, FRAZIL_TAIL_REFERENCES, 1, VECTOR},
    };
    for (size_t index = 0; index < sizeof shapes / sizeof *shapes; index++)
        check(l, frazil_shape_define(l->heap, &shapes[index], sizeof *shapes));
    check(l, frazil_shape_header(l->heap, CONS, 0, &l->cons_header, &l->cons_bytes));
    check(l, frazil_shape_header(l->heap, CLOSURE, 0, &l->closure_header, &l->closure_bytes));
}

void lisp_begin(lisp *l, const frazil_config *config) {
    if (setjmp(l->on_error) != 0) {
        fprintf(stderr, "lisp: %s\n", l->message);
        exit(EXIT_FAILURE);
    }
    check(l, frazil_heap_create(config, sizeof *config, &l->heap));
    check(l, frazil_heap_raw(l->heap, &l->raw));
    define_shapes(l);
    check(l, frazil_handle_new(l->heap, vector(l, BUCKETS, NIL), &l->symbols));
    define_primitives(l);
}

void lisp_end(lisp *l) {
    check(l, frazil_handle_free(l->heap, l->symbols));
    check(l, frazil_heap_destroy(l->heap));
}
