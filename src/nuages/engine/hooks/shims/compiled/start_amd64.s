#include "textflag.h"

// What the kernel calls, in place of Go's runtime: see shim.go.
TEXT ·start(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	MOVQ SP, BX // points to argc
	// Go code finds its goroutine in the word below FS: arch_prctl(ARCH_SET_FS, end of local).
	MOVQ $158, AX
	MOVQ $0x1002, DI
	LEAQ ·local+8(SB), SI
	SYSCALL
	LEAQ ·goroutine(SB), AX
	MOVQ AX, ·local(SB)
	ANDQ $~15, SP
	SUBQ $16, SP
	MOVQ BX, 0(SP)
	CALL ·run(SB)
	INT $3
