; Strings that are built and dropped, and a table of the last ones.
(define kept (make-vector 100 ""))
(times (* size 200) (lambda (i)
  (let ((text (string-append "item " (number->string i) ", " (vector-ref kept (% (+ i 1) 100)))))
    (vector-set! kept (% i 100) (if (< (string-length text) 400) text (number->string i))))))
(define total 0)
(times 100 (lambda (i) (set! total (+ total (string-length (vector-ref kept i))))))
(display "strings " (< 0 total))
