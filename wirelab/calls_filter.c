/* SPDX-License-Identifier: MIT
 *
 * The filter reads two words of struct seccomp_data: the architecture, because
 * the numbers of the calls mean nothing without it, and the number. It stops
 * the program (SECCOMP_RET_TRACE) at a number of the table and lets all other
 * calls run at full speed.
 * Read next: calls.c.
 */
#include "calls_filter.h"

#include "calls_decode.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH_HERE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH_HERE AUDIT_ARCH_AARCH64
#else
#error "calls_filter.c needs the AUDIT_ARCH_ of this machine"
#endif

static const struct sock_filter head[] = {
    /* Another architecture (a 32-bit program) has other numbers: let it be. */
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH_HERE, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
};

/* For each row "if nr is this one, stop". Returns how many instructions. */
static unsigned short build(struct sock_filter *code, bool extra)
{
    unsigned short n = 0;
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        code[n++] = head[i];
    for (size_t i = 0; i < calls_row_count; i++) {
        if (calls_rows[i].extra && !extra)
            continue;
        code[n++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls_rows[i].nr, 0, 1);
        code[n++] =
            (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    }
    code[n++] =
        (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return n;
}

int calls_filter_install(bool extra, struct err *e)
{
    size_t most = sizeof head / sizeof *head + 2 * calls_row_count + 1;
    struct sock_filter *code = calloc(most, sizeof *code);
    if (code == NULL)
        return err_sys(e, "seccomp filter");
    struct sock_fprog program = {.len = build(code, extra), .filter = code};
    int result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    /* SPEC_ALLOW: older kernels would else slow down the whole program with
     * the mitigations meant for sandboxes. */
    if (result == 0)
        result = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                              SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
    free(code);
    if (result == -1)
        return err_sys(e, "seccomp filter for the calls lane");
    return 0;
}
