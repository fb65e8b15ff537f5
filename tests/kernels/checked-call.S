/* checked-call.S: checked_call stands for the function at checked_target: same arguments, same result. It fills the
 * registers that a function must leave alone before the call and looks at them afterwards. For one thread. */
#if defined(__x86_64__)

.text
.globl checked_call
.hidden checked_call
.type checked_call, @function
checked_call: /* the return address is kept aside, so that arguments on the stack are where they should be */
  popq saved+48(%rip)
  movq %rbx, saved(%rip)
  movq %rbp, saved+8(%rip)
  movq %r12, saved+16(%rip)
  movq %r13, saved+24(%rip)
  movq %r14, saved+32(%rip)
  movq %r15, saved+40(%rip)
  movq %rsp, saved+56(%rip)
  movq $0x11223301, %rbx
  movq $0x11223302, %rbp
  movq $0x11223303, %r12
  movq $0x11223304, %r13
  movq $0x11223305, %r14
  movq $0x11223306, %r15
  callq *checked_target(%rip)
  cmpq saved+56(%rip), %rsp
  jne 1f
  cmpq $0x11223301, %rbx
  jne 1f
  cmpq $0x11223302, %rbp
  jne 1f
  cmpq $0x11223303, %r12
  jne 1f
  cmpq $0x11223304, %r13
  jne 1f
  cmpq $0x11223305, %r14
  jne 1f
  cmpq $0x11223306, %r15
  jne 1f
  pushfq /* the direction flag */
  popq %rcx
  testq $0x400, %rcx
  jne 1f
  movq saved(%rip), %rbx
  movq saved+8(%rip), %rbp
  movq saved+16(%rip), %r12
  movq saved+24(%rip), %r13
  movq saved+32(%rip), %r14
  movq saved+40(%rip), %r15
  pushq saved+48(%rip)
  ret
1:
  cld
  movq saved+56(%rip), %rsp
  andq $-16, %rsp
  call checked_call_failed
.size checked_call, . - checked_call

.bss
.balign 64
saved:
  .skip 64
.globl checked_target
.hidden checked_target
checked_target:
  .skip 8
.section .note.GNU-stack, "", @progbits

#elif defined(__aarch64__)

.text
.globl checked_call
.hidden checked_call
.type checked_call, %function
checked_call:
  adrp x16, saved
  add x16, x16, :lo12:saved
  mov x17, sp
  stp x19, x20, [x16]
  stp x21, x22, [x16, 16]
  stp x23, x24, [x16, 32]
  stp x25, x26, [x16, 48]
  stp x27, x28, [x16, 64]
  stp x29, x30, [x16, 80]
  stp d8, d9, [x16, 96]
  stp d10, d11, [x16, 112]
  stp d12, d13, [x16, 128]
  stp d14, d15, [x16, 144]
  str x17, [x16, 160]
.irp n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
  mov x\n, 0x1100 + \n
.endr
.irp n, 8, 9, 10, 11, 12, 13, 14, 15
  mov x17, 0x2200 + \n
  fmov d\n, x17
.endr
  adrp x17, checked_target
  ldr x17, [x17, :lo12:checked_target]
  blr x17
  adrp x16, saved
  add x16, x16, :lo12:saved
  ldr x17, [x16, 160]
  cmp sp, x17
  b.ne 1f
.irp n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
  mov x17, 0x1100 + \n
  cmp x\n, x17
  b.ne 1f
.endr
.irp n, 8, 9, 10, 11, 12, 13, 14, 15
  mov x17, 0x2200 + \n
  fmov x15, d\n
  cmp x15, x17
  b.ne 1f
.endr
  ldp x19, x20, [x16]
  ldp x21, x22, [x16, 16]
  ldp x23, x24, [x16, 32]
  ldp x25, x26, [x16, 48]
  ldp x27, x28, [x16, 64]
  ldp x29, x30, [x16, 80]
  ldp d8, d9, [x16, 96]
  ldp d10, d11, [x16, 112]
  ldp d12, d13, [x16, 128]
  ldp d14, d15, [x16, 144]
  ret
1:
  ldr x17, [x16, 160]
  mov sp, x17
  bl checked_call_failed
.size checked_call, . - checked_call

.bss
.balign 64
saved:
  .skip 192
.globl checked_target
.hidden checked_target
checked_target:
  .skip 8
.section .note.GNU-stack, "", %progbits

#endif
