/* SPDX-License-Identifier: MIT
 *
 * err: an error with words. See err.h for the contract.
 */
#include "err.h"

#include "lang.h"
#include "width.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status err_status(int errnum)
{
    switch (errnum) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL: /* of connect: IPv6 is off, or no port is left */
        return STATUS_REFUSED;
    case ETIMEDOUT:
        return STATUS_TIMEOUT;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ENOTCONN: /* RST came after FIN: shutdown finds nothing to end */
        return STATUS_RESET;
    default:
        return STATUS_FAILED;
    }
}

int err_set(struct err *e, enum status status, const char *format, ...)
{
    if (e == NULL)
        return -1;
    int saved = errno;
    va_list ap;
    va_start(ap, format);
    vsnprintf(e->text, sizeof e->text, _(format), ap);
    va_end(ap);
    width_mend(e->text);
    e->status = status;
    e->sys = 0;
    e->advice[0] = '\0';
    errno = saved;
    return -1;
}

int err_sys(struct err *e, const char *format, ...)
{
    if (e == NULL)
        return -1;
    int saved = errno;
    va_list ap;
    va_start(ap, format);
    vsnprintf(e->text, sizeof e->text, _(format), ap);
    va_end(ap);
    size_t used = strlen(e->text);
    snprintf(e->text + used, sizeof e->text - used, ": %s", lang_error(saved));
    width_mend(e->text);
    e->status = err_status(saved);
    e->sys = saved;
    e->advice[0] = '\0';
    errno = saved;
    return -1;
}

int err_advise(struct err *e, const char *format, ...)
{
    if (e == NULL)
        return -1;
    int saved = errno;
    va_list ap;
    va_start(ap, format);
    vsnprintf(e->advice, sizeof e->advice, _(format), ap);
    va_end(ap);
    width_mend(e->advice);
    errno = saved;
    return -1;
}
