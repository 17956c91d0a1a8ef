#include "textflag.h"

// This file is transformNumbers of transform.go, for eight numbers at once: a row of the block in its first half lies
// across eight registers, and so does a column in its second half.

// Constants, eight times each. Of a rotation: its cosine, cosine plus sine, sine minus cosine.
#define CONSTANT(name, value) \
	DATA name<>+0(SB)/4, $value \
	DATA name<>+4(SB)/4, $value \
	DATA name<>+8(SB)/4, $value \
	DATA name<>+12(SB)/4, $value \
	DATA name<>+16(SB)/4, $value \
	DATA name<>+20(SB)/4, $value \
	DATA name<>+24(SB)/4, $value \
	DATA name<>+28(SB)/4, $value \
	GLOBL name<>(SB), RODATA|NOPTR, $32

CONSTANT(cos6at18, 70936)
CONSTANT(cos6plus18, 242190)
CONSTANT(cos6minus18, 100318)
CONSTANT(cos6at12, 1108)
CONSTANT(cos6plus12, 3784)
CONSTANT(cos6minus12, 1568)
CONSTANT(cos3at12, 3406)
CONSTANT(cos3plus12, 5682)
CONSTANT(cos3minus12, -1130)
CONSTANT(cos1at12, 4017)
CONSTANT(cos1plus12, 4816)
CONSTANT(cos1minus12, -3218)
CONSTANT(rootAt8, 181)
CONSTANT(rootAt14, 11585)
CONSTANT(half, 524288)
CONSTANT(middle, 0x00800080)

// The order in which packing leaves the halves of rows.
DATA order<>+0(SB)/4, $0
DATA order<>+4(SB)/4, $4
DATA order<>+8(SB)/4, $1
DATA order<>+12(SB)/4, $5
DATA order<>+16(SB)/4, $2
DATA order<>+20(SB)/4, $6
DATA order<>+24(SB)/4, $3
DATA order<>+28(SB)/4, $7
GLOBL order<>(SB), RODATA|NOPTR, $32

// a, b = a+b, a-b
#define BUTTERFLY(a, b, free) \
	VPSUBD  b, a, free \
	VPADDD  b, a, a    \
	VMOVDQA free, b

// Rotates x and y, and leaves the new x in y, and the new y in x.
#define ROTATE(x, y, cos, plus, minus, free) \
	VPADDD  y, x, free            \
	VPMULLD cos<>(SB), free, free \
	VPMULLD plus<>(SB), y, y      \
	VPMULLD minus<>(SB), x, x     \
	VPSUBD  y, free, y            \
	VPADDD  x, free, x

#define SHIFT4(n, a, b, c, d) \
	VPSRAD $n, a, a \
	VPSRAD $n, b, b \
	VPSRAD $n, c, c \
	VPSRAD $n, d, d

// Stores the quarters of y, the lower half of which is x, as four rows.
#define STORE4(y, x, free) \
	VMOVQ        x, (DI)            \
	VPEXTRQ      $1, x, (DI)(CX*1)  \
	LEAQ         (DI)(CX*2), DI     \
	VEXTRACTI128 $1, y, free        \
	VMOVQ        free, (DI)         \
	VPEXTRQ      $1, free, (DI)(CX*1) \
	LEAQ         (DI)(CX*2), DI

// func transformVectors(b *block, out *uint8, stride int)
TEXT ·transformVectors(SB), NOSPLIT, $0-24
	MOVQ b+0(FP), SI
	MOVQ out+8(FP), DI
	MOVQ stride+16(FP), CX

	VMOVDQU 0(SI), Y0
	VMOVDQU 32(SI), Y1
	VMOVDQU 64(SI), Y2
	VMOVDQU 96(SI), Y3
	VMOVDQU 128(SI), Y4
	VMOVDQU 160(SI), Y5
	VMOVDQU 192(SI), Y6
	VMOVDQU 224(SI), Y7

	// Rows: the even coefficients, the odd ones, and both together.
	VPSLLD $17, Y0, Y0
	VPSLLD $17, Y4, Y4
	BUTTERFLY(Y0, Y4, Y8)
	ROTATE(Y2, Y6, cos6at18, cos6plus18, cos6minus18, Y9)
	BUTTERFLY(Y0, Y2, Y8)
	BUTTERFLY(Y4, Y6, Y9)
	VPSLLD $7, Y1, Y1
	VPSLLD $7, Y7, Y7
	BUTTERFLY(Y1, Y7, Y10)
	VPMULLD rootAt8<>(SB), Y3, Y3
	VPMULLD rootAt8<>(SB), Y5, Y5
	BUTTERFLY(Y1, Y3, Y10)
	BUTTERFLY(Y7, Y5, Y11)
	SHIFT4(2, Y1, Y3, Y5, Y7)
	ROTATE(Y7, Y1, cos3at12, cos3plus12, cos3minus12, Y10)
	ROTATE(Y3, Y5, cos1at12, cos1plus12, cos1minus12, Y11)
	BUTTERFLY(Y0, Y7, Y8)
	BUTTERFLY(Y4, Y3, Y9)
	BUTTERFLY(Y6, Y5, Y10)
	BUTTERFLY(Y2, Y1, Y11)

	// Transpose columns 0 to 7, now in Y0, Y4, Y6, Y2, Y1, Y5, Y3 and Y7, to rows 0 to 7, in Y8 to Y15.
	VPUNPCKLDQ  Y4, Y0, Y8
	VPUNPCKHDQ  Y4, Y0, Y9
	VPUNPCKLDQ  Y2, Y6, Y10
	VPUNPCKHDQ  Y2, Y6, Y11
	VPUNPCKLDQ  Y5, Y1, Y12
	VPUNPCKHDQ  Y5, Y1, Y13
	VPUNPCKLDQ  Y7, Y3, Y14
	VPUNPCKHDQ  Y7, Y3, Y15
	VPUNPCKLQDQ Y10, Y8, Y0
	VPUNPCKHQDQ Y10, Y8, Y1
	VPUNPCKLQDQ Y11, Y9, Y2
	VPUNPCKHQDQ Y11, Y9, Y3
	VPUNPCKLQDQ Y14, Y12, Y4
	VPUNPCKHQDQ Y14, Y12, Y5
	VPUNPCKLQDQ Y15, Y13, Y6
	VPUNPCKHQDQ Y15, Y13, Y7
	VPERM2I128  $0x20, Y4, Y0, Y8
	VPERM2I128  $0x20, Y5, Y1, Y9
	VPERM2I128  $0x20, Y6, Y2, Y10
	VPERM2I128  $0x20, Y7, Y3, Y11
	VPERM2I128  $0x31, Y4, Y0, Y12
	VPERM2I128  $0x31, Y5, Y1, Y13
	VPERM2I128  $0x31, Y6, Y2, Y14
	VPERM2I128  $0x31, Y7, Y3, Y15

	// Columns.
	VPADDD half<>(SB), Y8, Y8
	BUTTERFLY(Y8, Y12, Y0)
	VPSRAD $2, Y8, Y8
	VPSRAD $2, Y12, Y12
	SHIFT4(13, Y10, Y14, Y11, Y13)
	ROTATE(Y10, Y14, cos6at12, cos6plus12, cos6minus12, Y1)
	BUTTERFLY(Y8, Y10, Y0)
	BUTTERFLY(Y12, Y14, Y1)
	BUTTERFLY(Y9, Y15, Y2)
	VPMULLD rootAt14<>(SB), Y11, Y11
	VPMULLD rootAt14<>(SB), Y13, Y13
	BUTTERFLY(Y9, Y11, Y2)
	BUTTERFLY(Y15, Y13, Y3)
	SHIFT4(14, Y9, Y11, Y13, Y15)
	ROTATE(Y15, Y9, cos3at12, cos3plus12, cos3minus12, Y2)
	ROTATE(Y11, Y13, cos1at12, cos1plus12, cos1minus12, Y3)
	BUTTERFLY(Y8, Y15, Y0)
	BUTTERFLY(Y12, Y11, Y1)
	BUTTERFLY(Y14, Y13, Y2)
	BUTTERFLY(Y10, Y9, Y3)
	SHIFT4(18, Y8, Y9, Y10, Y11)
	SHIFT4(18, Y12, Y13, Y14, Y15)

	// Rows 0 to 7, now in Y8, Y12, Y14, Y10, Y9, Y13, Y11 and Y15, become bytes.
	VPACKSSDW Y12, Y8, Y8
	VPACKSSDW Y10, Y14, Y14
	VPACKSSDW Y13, Y9, Y9
	VPACKSSDW Y15, Y11, Y11
	VMOVDQU   middle<>(SB), Y0
	VPADDW    Y0, Y8, Y8
	VPADDW    Y0, Y14, Y14
	VPADDW    Y0, Y9, Y9
	VPADDW    Y0, Y11, Y11
	VPACKUSWB Y14, Y8, Y8
	VPACKUSWB Y11, Y9, Y9
	VMOVDQU   order<>(SB), Y0
	VPERMD    Y8, Y0, Y8
	VPERMD    Y9, Y0, Y9
	STORE4(Y8, X8, X0)
	STORE4(Y9, X9, X0)

	VPXOR Y0, Y0, Y0
	VMOVDQU Y0, 0(SI)
	VMOVDQU Y0, 32(SI)
	VMOVDQU Y0, 64(SI)
	VMOVDQU Y0, 96(SI)
	VMOVDQU Y0, 128(SI)
	VMOVDQU Y0, 160(SI)
	VMOVDQU Y0, 192(SI)
	VMOVDQU Y0, 224(SI)
	VZEROUPPER
	RET
