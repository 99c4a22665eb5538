/* SPDX-License-Identifier: MIT
 *
 * fuzz_fault: the first line is what a user typed (a rule, a percentage, a
 * host and a time), what follows is a frame. Whatever could be read decides
 * the frame's fate a few times over: it is never due before it was sent, and
 * the bit to flip lies within it.
 * Read next: fuzz_expect.c.
 */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every reader is offered the text; most refuse it, and must say why. */
static void set(struct fault *f, const char *text)
{
    const struct opt table[] = {FAULT_OPTIONS(f), OPT_END};
    for (const struct opt *o = table; o->name != NULL; o++) {
        struct err e = {.text = ""};
        if (o->read(text, o, &e) < 0 &&
            (e.status != STATUS_USAGE || e.text[0] == '\0'))
            abort();
    }
    fault_check(f, NULL);
}

static void decide(struct fault *f, enum host_id from,
                   const struct frame *frame, uint64_t now_ns)
{
    struct fault_verdict v;
    fault_decide(f, from, frame, now_ns, &v);
    if (v.fate != FATE_LOST && v.due_ns < now_ns)
        abort();
    if (v.fate == FATE_DUPLICATED && v.copy_due_ns < now_ns)
        abort();
    if (v.fate == FATE_CORRUPTED &&
        (v.flip_at >= frame->transport_len || v.flip_mask == 0))
        abort();
    if (v.release_ns != 0 && v.release_ns < now_ns)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[200] = "";
    size_t len = 0;
    while (len < size && len < sizeof text - 1 && data[len] != '\n')
        len++;
    memcpy(text, data, len);
    struct fault *f = fault_new(NULL);
    if (f == NULL)
        return 0;
    set(f, text);
    if (len < size)
        len++;
    struct frame frame;
    frame_decode(data + len, size - len, size - len, &frame);
    for (uint64_t i = 0; i < 8; i++)
        decide(f, i % 2 ? HOST_SERVER : HOST_CLIENT, &frame, i * 100000000);
    fault_free(f);
    return 0;
}
