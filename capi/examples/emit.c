/* Machine code that allocates: what EMIT.md says, as bytes. It makes a function that prepends a cons to a list, calls it a
 * great many times, collects when the poll byte says so, and counts what is left.
 *
 *     emit [CONSES]
 *
 * Only for x86-64 with the calling convention of Unix; elsewhere it says so. */
#define _GNU_SOURCE
#include <frazil.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__unix__)

#include <sys/mman.h>

enum { CONS = 1 };

/* first, rest -> a cons, or 0 if the nursery has no room. */
typedef uint64_t (*prepend)(frazil_raw *heap, uint64_t first, uint64_t rest);

typedef struct code {
    uint8_t *at;
} code;

static void bytes(code *c, const char *some, size_t count) { memcpy(c->at, some, count), c->at += count; }
static void byte(code *c, uint8_t one) { *c->at++ = one; }
static void word(code *c, uint64_t eight) { memcpy(c->at, &eight, sizeof eight), c->at += sizeof eight; }

/* The heap is in rdi, the parts are in rsi and rdx. */
static void emit(code *c, uint64_t header, size_t size) {
    bytes(c, "\x48\x8b\x47", 3), byte(c, FRAZIL_TOP_OFFSET);   /* mov rax, [rdi + TOP]     */
    bytes(c, "\x48\x8d\x48", 3), byte(c, (uint8_t)size);       /* lea rcx, [rax + size]    */
    bytes(c, "\x48\x3b\x4f", 3), byte(c, FRAZIL_LIMIT_OFFSET); /* cmp rcx, [rdi + LIMIT]   */
    bytes(c, "\x77", 1), byte(c, 26);                          /* ja  full                 */
    bytes(c, "\x48\x89\x4f", 3), byte(c, FRAZIL_TOP_OFFSET);   /* mov [rdi + TOP], rcx     */
    bytes(c, "\x48\xb9", 2), word(c, header);                  /* mov rcx, header          */
    bytes(c, "\x48\x89\x08", 3);                               /* mov [rax], rcx           */
    bytes(c, "\x48\x89\x70\x08", 4);                           /* mov [rax + 8], rsi       */
    bytes(c, "\x48\x89\x50\x10", 4);                           /* mov [rax + 16], rdx      */
    byte(c, 0xc3);                                             /* ret                      */
    bytes(c, "\x31\xc0", 2);                                   /* full: xor eax, eax       */
    byte(c, 0xc3);                                             /* ret                      */
}

static void check(frazil_status status) {
    if (status != FRAZIL_OK) {
        fprintf(stderr, "emit: %s: %s\n", frazil_status_name(status), frazil_error_message());
        exit(EXIT_FAILURE);
    }
}

/* A page of code that nobody can write any more. */
static prepend assemble(uint64_t header, size_t size) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    code c = {page};
    prepend function;
    if (page == MAP_FAILED) exit(EXIT_FAILURE);
    emit(&c, header, size);
    if (mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0) exit(EXIT_FAILURE);
    memcpy(&function, &page, sizeof function);
    return function;
}

int main(int count, char **arguments) {
    long conses = count > 1 ? atol(arguments[1]) : 200000, kept = 0;
    const frazil_shape shape = {"cons", 2, 0, FRAZIL_TAIL_NONE, 0, CONS};
    frazil_statistics statistics;
    frazil_heap heap;
    frazil_raw *raw;
    frazil_value *list;
    uint64_t header;
    size_t size;
    check(frazil_heap_create(NULL, 0, &heap));
    check(frazil_heap_raw(heap, &raw));
    check(frazil_shape_define(heap, &shape, sizeof shape));
    check(frazil_shape_header(heap, CONS, 0, &header, &size));
    check(frazil_frame_push(heap, 1, &list));
    prepend generated = assemble(header, size);
    for (long index = 0; index < conses; index++) {
        if (frazil_poll(raw)) check(frazil_collect(heap, FRAZIL_COLLECT_AUTO, NULL, 0));
        if (index % 1000 == 0) list[0] = frazil_empty();
        uint64_t made = generated(raw, (uint64_t)index << 1 | 1, list[0].word);
        if (made != 0) {
            list[0].word = made;
        } else { /* the slow path of generated code */
            frazil_value parts[2] = {frazil_immediate((uint64_t)index << 1 | 1), list[0]};
            check(frazil_make(heap, CONS, parts, 2, NULL, 0, &list[0]));
        }
    }
    check(frazil_collect(heap, FRAZIL_COLLECT_COMPLETE, NULL, 0));
    check(frazil_check(heap));
    for (frazil_value at = list[0]; frazil_is_reference(at); kept++) {
        if (frazil_words(at)[1] != ((uint64_t)(conses - 1 - kept) << 1 | 1)) exit(EXIT_FAILURE);
        at = frazil_immediate(frazil_words(at)[2]);
    }
    check(frazil_statistics_get(heap, &statistics, sizeof statistics));
    printf("%ld conses, %ld kept, %s\n", conses, kept,
           statistics.last.old_objects == (uint64_t)kept ? "and nothing else" : "but others, too");
    check(frazil_frame_pop(heap, list, 1));
    check(frazil_heap_destroy(heap));
    return EXIT_SUCCESS;
}

#else

int main(void) {
    puts("skipped: the code is for x86-64 and Unix");
    return EXIT_SUCCESS;
}

#endif
