/* SPDX-License-Identifier: MIT
 *
 * width: how many columns of a terminal a text takes. A Chinese character
 * takes two columns and three bytes of UTF-8, so strlen tells neither.
 * lang_start has set the locale that this needs; before, each byte that is not
 * ASCII counts as a column. Sources: wcwidth(3), mbrtowc(3).
 */
#ifndef WIRELAB_WIDTH_H
#define WIRELAB_WIDTH_H

#include <stddef.h>

/* The first character of TEXT: how many bytes it has (0 at the end), and in
 * *columns how wide it is. A byte that is no character is one of one column.
 * A mark that belongs to the character before it has none. */
size_t width_char(const char *text, int *columns);

/* The columns of TEXT, or of its first LEN bytes. */
int width_of(const char *text);
int width_of_bytes(const char *text, size_t len);

/* How many bytes of TEXT fit into COLUMNS: whole characters. */
size_t width_fit(const char *text, int columns);

/* Takes away the bytes of a last character that was cut, as by snprintf. */
void width_mend(char *text);

#endif
