/* SPDX-License-Identifier: MIT
 *
 * width: how many columns a text takes. See width.h for the contract.
 */
#include "width.h"

#include <string.h>
#include <wchar.h>

size_t width_char(const char *text, int *columns)
{
    mbstate_t state = {0};
    wchar_t c;
    *columns = 1;
    if ((unsigned char)*text < 0x80) /* by far the most */
        return *text != '\0';
    size_t n = mbrtowc(&c, text, strnlen(text, 8), &state);
    if (n == (size_t)-1 || n == (size_t)-2)
        return 1;
    int width = wcwidth(c);
    if (width >= 0)
        *columns = width;
    return n;
}

int width_of_bytes(const char *text, size_t len)
{
    int width = 0, columns;
    for (size_t n, i = 0; i < len; i += n) {
        n = width_char(text + i, &columns);
        if (n == 0)
            break;
        width += columns;
    }
    return width;
}

int width_of(const char *text)
{
    return width_of_bytes(text, strlen(text));
}

size_t width_fit(const char *text, int columns)
{
    size_t used = 0, n;
    int width;
    while ((n = width_char(text + used, &width)) > 0 && width <= columns) {
        columns -= width;
        used += n;
    }
    return used;
}

void width_mend(char *text)
{
    size_t len = strlen(text), back = 0;
    while (back < 3 && back < len && (text[len - back - 1] & 0xc0) == 0x80)
        back++;
    if (back == len)
        return;
    unsigned char first = (unsigned char)text[len - back - 1];
    size_t whole = first >= 0xf0   ? 4
                   : first >= 0xe0 ? 3
                   : first >= 0xc0 ? 2
                                   : 1;
    if (whole > 1 && back + 1 < whole)
        text[len - back - 1] = '\0';
}
