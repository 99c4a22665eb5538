/* SPDX-License-Identifier: MIT
 *
 * lang: the language that people read. The source is in English; po/ holds
 * the other languages, as catalogues of gettext(3). What scripts read is never
 * translated: JSON, the ready line, the names of calls, states and flags.
 *
 * A format string that is handed to err_set and its kin, to out_say or out_end
 * is translated there: the call stays plain English. What is chosen by an
 * expression, or kept in a table, is marked: _("now"), N_("in a table").
 * Read next: err.h; po/README.md for translators.
 */
#ifndef WIRELAB_LANG_H
#define WIRELAB_LANG_H

#include "err.h"

#include <stdbool.h>

/* Follows the environment: WIRELAB_LANG; else LANGUAGE and the locale, as
 * gettext(1) has it. Before any thread. LC_CTYPE becomes UTF-8 and numbers
 * stay as in C. */
void lang_start(void);

/* "en" or "zh_CN", whatever the environment says, for child processes too.
 * 0, or -1 and *e if that language is not known or has no catalogue here. */
int lang_choose(const char *name, struct err *e);

/* ENGLISH in the language chosen; itself if there is no translation. Points
 * to text that lasts as long as the program. Keeps errno. */
const char *lang_text(const char *english) __attribute__((format_arg(1)));

/* The language chosen: "en", "zh_CN". */
const char *lang_name(void);

/* Is it another language than English, so that what is printed is UTF-8 and
 * no longer ASCII? */
bool lang_is_foreign(void);

/* strerror(3) in that language. */
const char *lang_error(int errnum);

#define _(english) lang_text(english)
#define N_(english) english

#endif
