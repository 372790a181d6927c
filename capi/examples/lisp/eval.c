/* Evaluation. Every value that has to outlive the evaluation of another expression lies in a frame. */
#include "lisp.h"

enum { DEPTH_MAX = 10000 };

/* The frame of an evaluation. */
enum { EXPRESSION, ENVIRONMENT_NOW, FUNCTION, REST, FRAME };

static noreturn void fail_about(lisp *l, value symbol, const char *what) {
    const uint8_t *bytes;
    size_t length;
    check(l, frazil_bytes_view(l->heap, get(symbol, SYMBOL_NAME), &bytes, &length));
    fail(l, "%.*s %s", (int)length, (const char *)bytes, what);
}

/* Where the value of a variable stands: in `*object`, at the word that is returned. */
static size_t find(value variable, value environment, value *object) {
    for (; frazil_is_reference(environment); environment = get(environment, ENVIRONMENT_PARENT)) {
        size_t word = ENVIRONMENT_VALUES;
        for (value names = get(environment, ENVIRONMENT_NAMES); !same(names, NIL); names = cdr(names), word++)
            if (same(car(names), variable)) return *object = environment, word;
    }
    *object = variable;
    return SYMBOL_VALUE;
}

static value look_up(lisp *l, value variable, value environment) {
    value object;
    size_t word = find(variable, environment, &object);
    value found = get(object, word);
    if (same(found, UNBOUND)) fail_about(l, variable, "has no value");
    return found;
}

static size_t count(value list) {
    size_t length = 0;
    for (; has_shape(list, CONS); list = cdr(list)) length++;
    return length;
}

/* Part `index` of a form. */
static value part(lisp *l, value form, size_t index) {
    for (; index > 0 && has_shape(form, CONS); index--) form = cdr(form);
    if (!has_shape(form, CONS)) fail(l, "a form has too few parts");
    return car(form);
}

/* All but the last of a body's expressions, and the last, which is the frame's next expression. An empty body is nil. */
static void begin(lisp *l, value *frame, value body) {
    frame[REST] = body;
    frame[EXPRESSION] = NIL;
    for (; has_shape(frame[REST], CONS); frame[REST] = cdr(frame[REST])) {
        frame[EXPRESSION] = car(frame[REST]);
        if (has_shape(cdr(frame[REST]), CONS)) eval(l, frame[EXPRESSION], frame[ENVIRONMENT_NOW]);
    }
}

/* (let ((name value) ...) body ...): a new environment for the body, which comes next. */
static void let(lisp *l, value *frame) {
    size_t length = count(part(l, frame[EXPRESSION], 1));
    value *values = enter(l, length);
    frame[REST] = part(l, frame[EXPRESSION], 1);
    for (size_t index = 0; index < length; index++, frame[REST] = cdr(frame[REST]))
        values[index] = eval(l, part(l, car(frame[REST]), 1), frame[ENVIRONMENT_NOW]);
    value reversed = NIL, names = NIL;
    for (value list = part(l, frame[EXPRESSION], 1); has_shape(list, CONS); list = cdr(list))
        reversed = cons(l, part(l, car(list), 0), reversed);
    for (; !same(reversed, NIL); reversed = cdr(reversed)) names = cons(l, car(reversed), names);
    frame[ENVIRONMENT_NOW] = environment(l, frame[ENVIRONMENT_NOW], names, values, length);
    leave(l, length);
    begin(l, frame, cdr(cdr(frame[EXPRESSION])));
}

/* (define name value), (define (name parameter ...) body ...): always global. */
static void define(lisp *l, value *frame) {
    value target = part(l, frame[EXPRESSION], 1), defined;
    if (has_shape(target, CONS)) {
        defined = closure(l, cdr(target), cdr(cdr(frame[EXPRESSION])), frame[ENVIRONMENT_NOW]);
    } else {
        defined = eval(l, part(l, frame[EXPRESSION], 2), frame[ENVIRONMENT_NOW]);
        target = part(l, frame[EXPRESSION], 1); /* it may have moved */
    }
    value name = has_shape(target, CONS) ? car(target) : target;
    if (!has_shape(name, SYMBOL)) fail(l, "only symbols can be defined");
    put(l, name, SYMBOL_VALUE, defined);
}

static void set(lisp *l, value *frame) {
    value stored = eval(l, part(l, frame[EXPRESSION], 2), frame[ENVIRONMENT_NOW]), object;
    value variable = part(l, frame[EXPRESSION], 1);
    if (!has_shape(variable, SYMBOL)) fail(l, "only symbols can be set");
    size_t word = find(variable, frame[ENVIRONMENT_NOW], &object);
    put(l, object, word, stored);
}

/* and, or: all but the last part, unless one decides. */
static bool decides(lisp *l, value *frame, bool decisive, value *result) {
    frame[REST] = cdr(frame[EXPRESSION]);
    *result = truth(!decisive);
    for (; has_shape(frame[REST], CONS); frame[REST] = cdr(frame[REST])) {
        *result = eval(l, car(frame[REST]), frame[ENVIRONMENT_NOW]);
        if (same(*result, NIL) != decisive) return true;
    }
    return true;
}

/* One form. True: `*result` is its value. False: the frame's expression comes next. */
static bool form(lisp *l, value *frame, enum form which, value *result) {
    *result = NIL;
    switch (which) {
    case QUOTE: *result = part(l, frame[EXPRESSION], 1); return true;
    case IF: {
        bool yes = !same(eval(l, part(l, frame[EXPRESSION], 1), frame[ENVIRONMENT_NOW]), NIL);
        if (!yes && count(frame[EXPRESSION]) < 4) return true;
        frame[EXPRESSION] = part(l, frame[EXPRESSION], yes ? 2 : 3);
        return false;
    }
    case DEFINE: define(l, frame); return true;
    case SET: set(l, frame); return true;
    case LAMBDA: {
        value parameters = part(l, frame[EXPRESSION], 1);
        *result = closure(l, parameters, cdr(cdr(frame[EXPRESSION])), frame[ENVIRONMENT_NOW]);
        return true;
    }
    case LET: let(l, frame); return false;
    case BEGIN: begin(l, frame, cdr(frame[EXPRESSION])); return false;
    case WHILE:
        while (!same(eval(l, part(l, frame[EXPRESSION], 1), frame[ENVIRONMENT_NOW]), NIL)) {
            frame[REST] = cdr(cdr(frame[EXPRESSION]));
            for (; has_shape(frame[REST], CONS); frame[REST] = cdr(frame[REST]))
                eval(l, car(frame[REST]), frame[ENVIRONMENT_NOW]);
        }
        return true;
    case AND: return decides(l, frame, false, result);
    case OR: return decides(l, frame, true, result);
    case NO_FORM: break;
    }
    fail(l, "an unknown form");
}

/* A call. True: `*result` is its value. False: the body of a closure comes next, in its environment. */
static bool call(lisp *l, value *frame, value *result) {
    size_t length = count(cdr(frame[EXPRESSION]));
    frame[FUNCTION] = eval(l, car(frame[EXPRESSION]), frame[ENVIRONMENT_NOW]);
    value *arguments = enter(l, length);
    frame[REST] = cdr(frame[EXPRESSION]);
    for (size_t index = 0; index < length; index++, frame[REST] = cdr(frame[REST]))
        arguments[index] = eval(l, car(frame[REST]), frame[ENVIRONMENT_NOW]);
    if (has_shape(frame[FUNCTION], PRIMITIVE)) {
        const primitive *called = &primitives[frazil_words(frame[FUNCTION])[PRIMITIVE_NUMBER]];
        if (length < called->least || length > called->most) fail(l, "%zu arguments for %s", length, called->name);
        *result = called->function(l, arguments, length);
        leave(l, length);
        return true;
    }
    if (!has_shape(frame[FUNCTION], CLOSURE)) fail(l, "this is no function");
    value parameters = get(frame[FUNCTION], CLOSURE_PARAMETERS);
    if (count(parameters) != length) fail(l, "%zu arguments for %zu parameters", length, count(parameters));
    value around = get(frame[FUNCTION], CLOSURE_ENVIRONMENT);
    frame[ENVIRONMENT_NOW] = environment(l, around, parameters, arguments, length);
    leave(l, length);
    begin(l, frame, get(frame[FUNCTION], CLOSURE_BODY));
    return false;
}

/* One step: true when `*result` is the value of the frame's expression. */
static bool step(lisp *l, value *frame, value *result) {
    value expression = frame[EXPRESSION];
    if (has_shape(expression, SYMBOL)) {
        *result = look_up(l, expression, frame[ENVIRONMENT_NOW]);
        return true;
    }
    if (!has_shape(expression, CONS)) {
        *result = expression;
        return true;
    }
    if (has_shape(car(expression), SYMBOL)) {
        uint64_t which = frazil_words(car(expression))[SYMBOL_FORM];
        if (which != NO_FORM) return form(l, frame, (enum form)which, result);
    }
    return call(l, frame, result);
}

value eval(lisp *l, value expression, value environment) {
    value result, *frame = enter(l, FRAME);
    frame[EXPRESSION] = expression;
    frame[ENVIRONMENT_NOW] = environment;
    if (++l->depth > DEPTH_MAX) fail(l, "calls are nested too deeply");
    do safepoint(l);
    while (!step(l, frame, &result));
    l->depth--;
    leave(l, FRAME);
    return result;
}
