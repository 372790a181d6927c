/* A small Lisp on the frazil collector: closures, conses, vectors, strings, symbols, and proper tail calls.
 *
 * How it is rooted. Allocation never collects; collections happen in `safepoint`, at the head of every evaluation, and
 * nowhere else. So a C variable may hold a value until the next evaluation, and what has to outlive one lies in a frame of
 * the root stack (`enter`, `leave`). The table of symbols is held by a handle.
 *
 * Conses, closures and strings are immutable: once old they are counted and no collection looks at them. Symbols (with
 * their global values), environments and vectors are mutable. */
#ifndef LISP_H
#define LISP_H

#include <frazil.h>

#include <setjmp.h>
#include <stdnoreturn.h>

typedef frazil_value value;

/* Immediates: numbers end in 1; the others in 10, so that none looks like a reference. */
#define NIL (frazil_immediate(2))
#define TRUE (frazil_immediate(10))
#define UNBOUND (frazil_immediate(18))

static inline bool same(value a, value b) { return a.word == b.word; }
static inline value number(int64_t n) { return frazil_immediate((uint64_t)n << 1 | 1); }
static inline bool is_number(value v) { return (v.word & 1) != 0; }
static inline int64_t to_number(value v) { return (int64_t)v.word >> 1; }
static inline value truth(bool b) { return b ? TRUE : NIL; }

/* What a word behind the header is, for each shape. */
enum { CONS = 1, STRING, SYMBOL, CLOSURE, PRIMITIVE, ENVIRONMENT, VECTOR };
enum { CAR = 1, CDR };
enum { SYMBOL_FORM = 1, SYMBOL_NAME, SYMBOL_VALUE };
enum { CLOSURE_PARAMETERS = 1, CLOSURE_BODY, CLOSURE_ENVIRONMENT };
enum { PRIMITIVE_NUMBER = 1 };
enum { ENVIRONMENT_PARENT = 1, ENVIRONMENT_NAMES, ENVIRONMENT_VALUES };

static inline bool has_shape(value v, int shape) { return frazil_is_reference(v) && frazil_shape_of(v) == shape; }
static inline value get(value object, size_t word) { return frazil_immediate(frazil_words(object)[word]); }
static inline value car(value cons) { return get(cons, CAR); }
static inline value cdr(value cons) { return get(cons, CDR); }

/* The forms that are not calls. A symbol knows which one it begins. */
enum form { NO_FORM, QUOTE, IF, DEFINE, SET, LAMBDA, LET, BEGIN, WHILE, AND, OR };

typedef struct lisp {
    frazil_heap heap;
    frazil_raw *raw;
    frazil_handle symbols; /* a vector of lists */
    uint64_t cons_header, closure_header;
    size_t cons_bytes, closure_bytes;
    size_t every;   /* in checking mode, where a collection is always due: one at so many safepoints */
    size_t skipped; /* safepoints since the last collection */
    size_t depth;   /* of evaluations */
    jmp_buf on_error;
    char message[256];
} lisp;

/* lisp.c: the heap, errors, and making things. */
void lisp_begin(lisp *l, const frazil_config *config);
void lisp_end(lisp *l);
noreturn void fail(lisp *l, const char *format, ...);
void check(lisp *l, frazil_status status);
value *enter(lisp *l, size_t words);
void leave(lisp *l, size_t words);
void safepoint(lisp *l);
value cons(lisp *l, value car, value cdr);
value closure(lisp *l, value parameters, value body, value environment);
value vector(lisp *l, size_t length, value fill);
value string(lisp *l, const char *text, size_t length);
value symbol(lisp *l, const char *name, size_t length);
value environment(lisp *l, value parent, value names, const value *values, size_t count);
void put(lisp *l, value object, size_t word, value stored);
size_t length_of(lisp *l, value object);

/* read.c, print.c */
bool read_next(lisp *l, const char **text, value *read);
void print(lisp *l, value printed);

/* eval.c */
value eval(lisp *l, value expression, value environment);

/* primitives.c */
typedef struct primitive {
    const char *name;
    size_t least, most; /* arguments */
    value (*function)(lisp *l, value *arguments, size_t count);
} primitive;
extern const primitive primitives[];
void define_primitives(lisp *l);

#endif
