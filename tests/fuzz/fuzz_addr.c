/* SPDX-License-Identifier: MIT
 *
 * fuzz_addr: any text as an address. What is read and written again is read
 * as the same; what is refused is refused with words.
 * Read next: fuzz_opt.c.
 */
#include "addr.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct addr a, again;
    struct err e = {.text = ""};
    char buf[ADDR_TEXT], *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (addr_parse(text, &a, &e) < 0) {
        if (e.status != STATUS_USAGE || e.text[0] == '\0')
            abort();
    } else {
        addr_format(&a, buf, sizeof buf);
        if (addr_parse(buf, &again, NULL) < 0 || !addr_equal(&a, &again))
            abort();
        addr_is_loopback(&a);
        addr_is_multicast(&a);
    }
    free(text);
    return 0;
}
