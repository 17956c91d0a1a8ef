#include "textflag.h"

// Constants, eight times each.
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

CONSTANT(halfOfSum, 2097152)     // half a byte of a weighted sum: 1 << 21
CONSTANT(halfOfColour, 32768)    // half a byte of a colour in 16-bit fixed point
CONSTANT(words2, 0x00020002)
CONSTANT(words7, 0x00070007)
CONSTANT(words8, 0x00080008)
CONSTANT(words128, 0x00800080)

// Factors of two words, as 65536ths of the JFIF conversion: red has 65536 + 26345 times cr, blue 131072 - 14942 times
// cb, and green -22554 times cb and -65536 + 18734 times cr.
CONSTANT(ofRed, 0x000066e9)
CONSTANT(ofBlue, 0x0000c5a2)
CONSTANT(ofGreen, 0x492ea7e6)

// func narrowVectors(to, from, gathering *uint8, groups, pairs int)
TEXT ·narrowVectors(SB), NOSPLIT, $0-40
	MOVQ to+0(FP), DI
	MOVQ from+8(FP), SI
	MOVQ gathering+16(FP), BX
	MOVQ groups+24(FP), CX
	MOVQ pairs+32(FP), DX
	VMOVDQU halfOfSum<>(SB), Y7

narrowGroup:
	MOVQ    (BX), R8
	MOVQ    8(BX), R9
	ADDQ    SI, R8
	ADDQ    SI, R9
	VMOVDQU 16(BX), Y6
	ADDQ    $48, BX
	VPXOR   Y0, Y0, Y0 // sums of high parts
	VMOVDQA Y7, Y1     // sums of low parts
	MOVQ    DX, R10

narrowPair:
	VMOVDQU     (R8), X2
	VINSERTI128 $1, (R9), Y2, Y2
	VPSHUFB     Y6, Y2, Y2
	VPMADDWD    (BX), Y2, Y3
	VPMADDWD    32(BX), Y2, Y4
	VPADDD      Y3, Y0, Y0
	VPADDD      Y4, Y1, Y1
	ADDQ        $2, R8
	ADDQ        $2, R9
	ADDQ        $64, BX
	DECQ        R10
	JNZ         narrowPair

	VPSLLD       $11, Y0, Y0
	VPADDD       Y1, Y0, Y0
	VPSRLD       $22, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPACKUSDW    X1, X0, X0
	VPACKUSWB    X0, X0, X0
	VMOVQ        X0, (DI)
	ADDQ         $8, DI
	DECQ         CX
	JNZ          narrowGroup
	VZEROUPPER
	RET

// func weighVectors(sums, rows *uint8, stride int, weights []uint32, groups int)
TEXT ·weighVectors(SB), NOSPLIT, $0-56
	MOVQ sums+0(FP), DI
	MOVQ rows+8(FP), SI
	MOVQ stride+16(FP), DX
	MOVQ weights_base+24(FP), BX
	MOVQ weights_len+32(FP), R10
	MOVQ groups+48(FP), CX
	SHRQ $1, R10
	VMOVDQU halfOfSum<>(SB), Y15

weighGroup:
	MOVQ    SI, R8
	MOVQ    BX, R9
	MOVQ    R10, R11
	VPXOR   Y0, Y0, Y0 // sums of high parts: bytes 0 to 3 and 8 to 11
	VMOVDQA Y15, Y1    // and of low parts
	VPXOR   Y2, Y2, Y2 // the others
	VMOVDQA Y15, Y3

weighPair:
	VPMOVZXBW    (R8), Y4
	VPMOVZXBW    (R8)(DX*1), Y5
	VPBROADCASTD (R9), Y8
	VPBROADCASTD 4(R9), Y9
	VPUNPCKLWD   Y5, Y4, Y6
	VPUNPCKHWD   Y5, Y4, Y7
	VPMADDWD     Y8, Y6, Y10
	VPMADDWD     Y9, Y6, Y11
	VPMADDWD     Y8, Y7, Y12
	VPMADDWD     Y9, Y7, Y13
	VPADDD       Y10, Y0, Y0
	VPADDD       Y11, Y1, Y1
	VPADDD       Y12, Y2, Y2
	VPADDD       Y13, Y3, Y3
	LEAQ         (R8)(DX*2), R8
	ADDQ         $8, R9
	DECQ         R11
	JNZ          weighPair

	VPSLLD       $11, Y0, Y0
	VPSLLD       $11, Y2, Y2
	VPADDD       Y1, Y0, Y0
	VPADDD       Y3, Y2, Y2
	VPSRLD       $22, Y0, Y0
	VPSRLD       $22, Y2, Y2
	VPACKUSDW    Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPACKUSWB    X1, X0, X0
	VMOVDQU      X0, (DI)
	ADDQ         $16, DI
	ADDQ         $16, SI
	DECQ         CX
	JNZ          weighGroup
	VZEROUPPER
	RET

// Sets the words of low to the products of factors and the pairs of words in low and high, each added up, divided by
// 65536 and rounded. Y10 is halfOfColour.
#define FRACTION(factors, low, high) \
	VPMADDWD  factors, low, low   \
	VPMADDWD  factors, high, high \
	VPADDD    Y10, low, low       \
	VPADDD    Y10, high, high     \
	VPSRAD    $16, low, low       \
	VPSRAD    $16, high, high     \
	VPACKSSDW high, low, low

// Stores 16 words as bytes, those that are out of range as 0 and 255. Changes X6.
#define STOREBYTES(y, x, to) \
	VEXTRACTI128 $1, y, X6  \
	VPACKUSWB    X6, x, x   \
	VMOVDQU      x, (to)

// func convertVectors(out, samples *line, groups int)
TEXT ·convertVectors(SB), NOSPLIT, $0-24
	MOVQ out+0(FP), AX
	MOVQ (AX), DI
	MOVQ 24(AX), R8
	MOVQ 48(AX), R9
	MOVQ samples+8(FP), AX
	MOVQ (AX), SI
	MOVQ 24(AX), BX
	MOVQ 48(AX), DX
	MOVQ groups+16(FP), CX
	VMOVDQU words128<>(SB), Y15
	VPXOR   Y14, Y14, Y14
	VMOVDQU ofRed<>(SB), Y13
	VMOVDQU ofBlue<>(SB), Y12
	VMOVDQU ofGreen<>(SB), Y11
	VMOVDQU halfOfColour<>(SB), Y10
	XORQ    AX, AX

convertGroup:
	VPMOVZXBW (SI)(AX*1), Y0
	VPMOVZXBW (BX)(AX*1), Y1
	VPMOVZXBW (DX)(AX*1), Y2
	VPSUBW    Y15, Y1, Y1
	VPSUBW    Y15, Y2, Y2

	VPUNPCKLWD Y14, Y2, Y3
	VPUNPCKHWD Y14, Y2, Y4
	FRACTION(Y13, Y3, Y4)
	VPADDW     Y2, Y3, Y3
	VPADDW     Y0, Y3, Y3

	VPUNPCKLWD Y14, Y1, Y4
	VPUNPCKHWD Y14, Y1, Y5
	FRACTION(Y12, Y4, Y5)
	VPADDW     Y1, Y4, Y4
	VPADDW     Y1, Y4, Y4
	VPADDW     Y0, Y4, Y4

	VPUNPCKLWD Y2, Y1, Y5
	VPUNPCKHWD Y2, Y1, Y7
	FRACTION(Y11, Y5, Y7)
	VPSUBW     Y2, Y5, Y5
	VPADDW     Y0, Y5, Y5

	STOREBYTES(Y3, X3, DI)
	STOREBYTES(Y5, X5, R8)
	STOREBYTES(Y4, X4, R9)
	ADDQ $16, AX
	ADDQ $16, DI
	ADDQ $16, R8
	ADDQ $16, R9
	DECQ CX
	JNZ  convertGroup
	VZEROUPPER
	RET

// func addVectors(sums, near, far *uint8, groups int)
TEXT ·addVectors(SB), NOSPLIT, $0-32
	MOVQ sums+0(FP), DI
	MOVQ near+8(FP), SI
	MOVQ far+16(FP), BX
	MOVQ groups+24(FP), CX

addGroup:
	VPMOVZXBW (SI), Y0
	VPMOVZXBW (BX), Y1
	VPADDW    Y0, Y1, Y1
	VPADDW    Y0, Y0, Y0
	VPADDW    Y0, Y1, Y1
	VMOVDQU   Y1, (DI)
	ADDQ      $16, SI
	ADDQ      $16, BX
	ADDQ      $32, DI
	DECQ      CX
	JNZ       addGroup
	VZEROUPPER
	RET

// func doubleVectors(to, sums *uint8, groups int)
TEXT ·doubleVectors(SB), NOSPLIT, $0-24
	MOVQ to+0(FP), DI
	MOVQ sums+8(FP), SI
	MOVQ groups+16(FP), CX
	VMOVDQU words8<>(SB), Y7
	VMOVDQU words7<>(SB), Y6

doubleGroup:
	VMOVDQU 2(SI), Y0
	VPADDW  Y0, Y0, Y1
	VPADDW  Y0, Y1, Y1
	VPADDW  (SI), Y1, Y2
	VPADDW  4(SI), Y1, Y3
	VPADDW  Y7, Y2, Y2
	VPADDW  Y6, Y3, Y3
	VPSRLW  $4, Y2, Y2
	VPSRLW  $4, Y3, Y3
	VPSLLW  $8, Y3, Y3
	VPOR    Y3, Y2, Y2
	VMOVDQU Y2, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DI
	DECQ    CX
	JNZ     doubleGroup
	VZEROUPPER
	RET
