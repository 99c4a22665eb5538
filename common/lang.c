/* SPDX-License-Identifier: MIT
 *
 * lang: the language that people read. See lang.h for the contract.
 * gettext translates nothing in the locale C. C.UTF-8, which needs no package,
 * is enough for it, with the language in LANGUAGE; so no locale of that
 * language has to be installed.
 */
#include "lang.h"

#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if __has_include(<libintl.h>)
#include <libintl.h>
#else /* English alone: no catalogue is found, and none is asked */
static char *bindtextdomain(const char *domain, const char *directory)
{
    (void)domain, (void)directory;
    return NULL;
}

static char *bind_textdomain_codeset(const char *domain, const char *codeset)
{
    return bindtextdomain(domain, codeset);
}

static char *dgettext(const char *domain, const char *text)
{
    (void)domain, (void)text;
    return (char *)"";
}
#endif

#define DOMAIN "wirelab"

/* The first is what the source is written in. */
static const char *const languages[] = {"en", "zh_CN"};
enum { ENGLISH, LANGUAGES = sizeof languages / sizeof *languages };

static int chosen = ENGLISH;
static bool translating;

/* --- what is asked for ---------------------------------------------------- */

/* "zh_CN.UTF-8", of LEN bytes, or "zh": a language's number; -1 if we do not
 * have it. */
static int find_language(const char *name, size_t len)
{
    size_t bare = strcspn(name, ".@:");
    len = bare < len ? bare : len;
    for (int i = 0; i < LANGUAGES; i++) {
        const char *has = languages[i];
        bool whole = strlen(has) == len, family = strcspn(has, "_") == len;
        if ((whole || family) && strncmp(name, has, len) == 0)
            return i;
    }
    return len > 2 && strncmp(name, "en_", 3) == 0 ? ENGLISH : -1;
}

static const char *set_variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* "zh_CN.GB18030" is a terminal that our UTF-8 would not suit. */
static bool names_utf8(const char *locale)
{
    const char *codeset = strchr(locale, '.');
    return codeset == NULL || strcasestr(codeset, "utf") != NULL;
}

static int language_of_environment(void)
{
    const char *own = set_variable("WIRELAB_LANG");
    if (own != NULL)
        return find_language(own, strlen(own));
    const char *locale = set_variable("LC_ALL");
    if (locale == NULL)
        locale = set_variable("LC_MESSAGES");
    if (locale == NULL)
        locale = set_variable("LANG");
    if (locale == NULL || strcmp(locale, "C") == 0 ||
        strcmp(locale, "POSIX") == 0 || !names_utf8(locale))
        return ENGLISH;
    if (setlocale(LC_CTYPE, "") != NULL &&
        strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        return ENGLISH;
    const char *list = set_variable("LANGUAGE");
    for (; list != NULL; list = strchr(list, ':')) {
        list += *list == ':';
        int found = find_language(list, strcspn(list, ":"));
        if (found >= 0)
            return found;
    }
    return find_language(locale, strlen(locale));
}

/* --- where it is ---------------------------------------------------------- */

/* The catalogues lie beside the programs: in build/, after make install, or
 * where somebody unpacked them all. */
static bool find_catalogue(const char *language, char found[PATH_MAX])
{
    static const char *const places[] = {"../locale", "../share/locale",
                                         "locale"};
    char exe[PATH_MAX - 64], file[PATH_MAX + 64];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0)
        return false;
    exe[n] = '\0';
    *strrchr(exe, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(found, PATH_MAX, "%s/%s", exe, places[i]);
        snprintf(file, sizeof file, "%s/%s/LC_MESSAGES/" DOMAIN ".mo", found,
                 language);
        if (access(file, R_OK) == 0)
            return true;
    }
    return false;
}

/* The first of these locales that the system has. */
static bool set_locale(int category, const char *const *names)
{
    while (*names != NULL && setlocale(category, *names) == NULL)
        names++;
    return *names != NULL;
}

/* True if there is a catalogue, and gettext gives something out of it. */
static bool translate(const char *language)
{
    char directory[PATH_MAX], locale[32];
    snprintf(locale, sizeof locale, "%s.UTF-8", language);
    if (!find_catalogue(language, directory) ||
        !set_locale(LC_MESSAGES, (const char *[]){locale, "C.UTF-8",
                                                  "en_US.UTF-8", "", NULL}))
        return false;
    setenv("LANGUAGE", language, 1);
    bindtextdomain(DOMAIN, directory);
    bind_textdomain_codeset(DOMAIN, "UTF-8");
    return *dgettext(DOMAIN, "") != '\0'; /* the catalogue's own head */
}

void lang_start(void)
{
    int language = language_of_environment();
    /* How wide a character is, the system knows in UTF-8 only. */
    set_locale(LC_CTYPE, (const char *[]){"C.UTF-8", "en_US.UTF-8", "", NULL});
    translating = language > ENGLISH && translate(languages[language]);
    chosen = translating ? language : ENGLISH;
}

int lang_choose(const char *name, struct err *e)
{
    int language = find_language(name, strlen(name));
    if (language < 0)
        return err_set(e, STATUS_USAGE, "--lang '%.64s': either en or zh_CN",
                       name);
    setenv("WIRELAB_LANG", languages[language], 1);
    translating = false;
    chosen = language;
    if (language == ENGLISH || (translating = translate(languages[language])))
        return 0;
    err_set(e, STATUS_FAILED, "--lang %s: no catalogue beside the programs",
            languages[language]);
    return err_advise(e, "install gettext, then build again");
}

/* --- the texts ------------------------------------------------------------ */

const char *lang_text(const char *english)
{
    if (!translating || *english == '\0')
        return english;
    int saved = errno;
    const char *text = dgettext(DOMAIN, english);
    errno = saved;
    return text;
}

const char *lang_name(void)
{
    return languages[chosen];
}

bool lang_is_foreign(void)
{
    return translating;
}

/* strerror speaks another language only where libc's own catalogue is
 * installed; these are the errors that sockets and files meet. */
static const struct {
    int number;
    const char *english;
} errors[] = {
    {EACCES, N_("Permission denied")},
    {EADDRINUSE, N_("Address already in use")},
    {EADDRNOTAVAIL, N_("Cannot assign requested address")},
    {EAFNOSUPPORT, N_("Address family not supported by protocol")},
    {EAGAIN, N_("Resource temporarily unavailable")},
    {EALREADY, N_("Operation already in progress")},
    {EBADF, N_("Bad file descriptor")},
    {ECONNABORTED, N_("Software caused connection abort")},
    {ECONNREFUSED, N_("Connection refused")},
    {ECONNRESET, N_("Connection reset by peer")},
    {EDESTADDRREQ, N_("Destination address required")},
    {EEXIST, N_("File exists")},
    {EFAULT, N_("Bad address")},
    {EHOSTUNREACH, N_("No route to host")},
    {EINPROGRESS, N_("Operation now in progress")},
    {EINTR, N_("Interrupted system call")},
    {EINVAL, N_("Invalid argument")},
    {EIO, N_("Input/output error")},
    {EISCONN, N_("Transport endpoint is already connected")},
    {EISDIR, N_("Is a directory")},
    {EMFILE, N_("Too many open files")},
    {EMSGSIZE, N_("Message too long")},
    {ENETDOWN, N_("Network is down")},
    {ENETUNREACH, N_("Network is unreachable")},
    {ENFILE, N_("Too many open files in system")},
    {ENOBUFS, N_("No buffer space available")},
    {ENODEV, N_("No such device")},
    {ENOENT, N_("No such file or directory")},
    {ENOMEM, N_("Cannot allocate memory")},
    {ENOPROTOOPT, N_("Protocol not available")},
    {ENOSPC, N_("No space left on device")},
    {ENOSYS, N_("Function not implemented")},
    {ENOTCONN, N_("Transport endpoint is not connected")},
    {ENOTDIR, N_("Not a directory")},
    {ENOTSOCK, N_("Socket operation on non-socket")},
    {EOPNOTSUPP, N_("Operation not supported")},
    {EPERM, N_("Operation not permitted")},
    {EPIPE, N_("Broken pipe")},
    {EPROTO, N_("Protocol error")},
    {EPROTONOSUPPORT, N_("Protocol not supported")},
    {EROFS, N_("Read-only file system")},
    {ETIMEDOUT, N_("Connection timed out")},
};

const char *lang_error(int errnum)
{
    for (size_t i = 0; translating && i < sizeof errors / sizeof *errors; i++)
        if (errors[i].number == errnum)
            return _(errors[i].english);
    return strerror(errnum);
}
