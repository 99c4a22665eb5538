/* SPDX-License-Identifier: MIT
 *
 * fuzz_opt: any text as a number, size, duration, rate and percentage: what is
 * accepted lies within its bounds, what is refused is refused with words.
 * Read next: fuzz_msg.c.
 */
#include "opt.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t value = 0;
    uint32_t percent = 0;
    char *text = malloc(size + 1);
    const struct opt table[] = {
        {"number", 0, "N", opt_number, &value, 3, 70000, "a number"},
        {"size", 0, "N", opt_size, &value, 1, UINT64_C(1) << 50, "a size"},
        {"duration", 0, "N", opt_duration, &value, 1, UINT64_C(1) << 60,
         "time"},
        {"rate", 0, "N", opt_rate, &value, 8, UINT64_C(1) << 50, "a rate"},
        {"percent", 0, "N", opt_percent, &percent, 0, 0, "a share"},
        OPT_END,
    };
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    for (const struct opt *o = table; o->name != NULL; o++) {
        struct err e = {.text = ""};
        value = o->min;
        int result = o->read(text, o, &e);
        if (result < 0 && (e.status != STATUS_USAGE || e.text[0] == '\0'))
            abort();
        if (result == 0 && (value < o->min || (o->max && value > o->max)))
            abort();
        if (percent > 100000)
            abort();
    }
    free(text);
    return 0;
}
