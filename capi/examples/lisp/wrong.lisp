; What is frozen refuses to be written, and the error ends the program.
(define pair (make-vector 2 0))
(vector-set! pair 0 pair)
(freeze pair)
(display (vector-ref pair 1))
(vector-set! pair 1 1)
(display "not reached")
