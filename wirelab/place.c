/* SPDX-License-Identifier: MIT
 *
 * place: words for so many columns. See place.h for the contract.
 */
#include "place.h"

#include <stdarg.h>
#include <stdio.h>

bool place_fit(const struct place *p, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(p->buf, p->cap, format, ap);
    va_end(ap);
    return n >= 0 && (size_t)n <= p->width && (size_t)n < p->cap;
}

void place_cut(const struct place *p)
{
    if (p->width < p->cap)
        p->buf[p->width] = '\0';
}
