/* SPDX-License-Identifier: MIT
 *
 * place: words for so many columns. See place.h for the contract.
 */
#include "place.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

int place_line(const char *words, int room)
{
    int n = (int)strlen(words);
    if (n <= room)
        return n;
    for (n = room; n > 0 && words[n] != ' ';)
        n--;
    return n > 0 ? n : room;
}

const char *place_next(const char *words, int n)
{
    for (words += n; *words == ' ';)
        words++;
    return words;
}
