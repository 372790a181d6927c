/* Data to text. */
#include "lisp.h"

#include <inttypes.h>
#include <stdio.h>

static void print_text(lisp *l, value text) {
    const uint8_t *bytes;
    size_t length;
    check(l, frazil_bytes_view(l->heap, text, &bytes, &length));
    fwrite(bytes, 1, length, stdout);
}

static void print_list(lisp *l, value list) {
    putchar('(');
    for (; has_shape(list, CONS); list = cdr(list)) {
        print(l, car(list));
        if (has_shape(cdr(list), CONS)) putchar(' ');
    }
    if (!same(list, NIL)) {
        fputs(" . ", stdout);
        print(l, list);
    }
    putchar(')');
}

static void print_vector(lisp *l, value vector) {
    fputs("#(", stdout);
    for (size_t index = 0; index < length_of(l, vector); index++) {
        if (index > 0) putchar(' ');
        print(l, get(vector, index + 1));
    }
    putchar(')');
}

void print(lisp *l, value printed) {
    if (is_number(printed))
        printf("%" PRId64, to_number(printed));
    else if (!frazil_is_reference(printed))
        fputs(same(printed, NIL) ? "nil" : same(printed, TRUE) ? "t" : "unbound", stdout);
    else
        switch (frazil_shape_of(printed)) {
        case CONS: print_list(l, printed); break;
        case STRING: print_text(l, printed); break;
        case SYMBOL: print_text(l, get(printed, SYMBOL_NAME)); break;
        case VECTOR: print_vector(l, printed); break;
        case PRIMITIVE: printf("#<%s>", primitives[frazil_words(printed)[PRIMITIVE_NUMBER]].name); break;
        default: fputs("#<function>", stdout); break;
        }
}
