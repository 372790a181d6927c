; GCBench (Ellis, Kovac, Boehm): many trees that die young, beside one that stays. The trees are conses, so they are
; immutable, and those that stay are counted.
(define (tree depth) (if (= depth 0) (cons nil nil) (cons (tree (- depth 1)) (tree (- depth 1)))))
(define (nodes tree) (if (null? tree) 0 (+ 1 (nodes (car tree)) (nodes (cdr tree)))))
(define long-lived (tree 10))
(times (* size 8) (lambda (i) (if (= (nodes (tree 8)) 511) nil (display "a tree has lost a node"))))
(display "trees " (nodes long-lived))
