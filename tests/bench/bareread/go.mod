module nodeglass.test/bench/bareread

go 1.26
