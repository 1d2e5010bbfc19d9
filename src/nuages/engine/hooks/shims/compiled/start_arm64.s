#include "textflag.h"

// What the kernel calls, in place of Go's runtime: see shim.go.
TEXT ·start(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	MOVD RSP, R0 // points to argc
	MOVD $·goroutine(SB), g
	SUB $32, RSP
	MOVD R0, 8(RSP)
	CALL ·run(SB)
	BRK
