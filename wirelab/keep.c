/* SPDX-License-Identifier: MIT
 *
 * keep: whole files. See keep.h for the contract.
 */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void forget(struct keep *k)
{
    free(k->path);
    free(k->temporary);
    *k = (struct keep){0};
}

static FILE *open_beside(struct keep *k)
{
    size_t size = strlen(k->path) + sizeof ".XXXXXX";
    k->temporary = malloc(size);
    if (k->temporary == NULL)
        return NULL;
    snprintf(k->temporary, size, "%s.XXXXXX", k->path);
    int fd = mkostemp(k->temporary, O_CLOEXEC);
    if (fd < 0)
        return NULL;
    FILE *file = fdopen(fd, "w");
    if (file == NULL) {
        unlink(k->temporary);
        close(fd);
    }
    return file;
}

int keep_open(struct keep *k, const char *path, struct err *e)
{
    struct stat st;
    *k = (struct keep){0};
    k->path = realpath(path, NULL);
    if (k->path == NULL)
        k->path = strdup(path);
    if (k->path == NULL)
        return err_sys(e, "%s", path);
    bool is_other = stat(k->path, &st) == 0 && !S_ISREG(st.st_mode);
    k->file = is_other ? fopen(k->path, "we") : open_beside(k);
    if (k->file != NULL)
        return 0;
    err_sys(e, "%s", path);
    forget(k);
    return -1;
}

/* mkostemp gave it to its owner alone. */
static int set_mode(FILE *file)
{
    mode_t mask = umask(0); /* there is no other way to ask for it */
    umask(mask);
    return fchmod(fileno(file), 0666 & ~mask);
}

/* errno may be another's by now: what forks flushes every stream before. But
 * what stood in the way of that write will stand in the way of one more byte,
 * if it is tried at once; of the file nothing will be left anyway. */
void keep_check(struct keep *k)
{
    if (k->error == 0 && ferror(k->file))
        k->error = write(fileno(k->file), "", 1) < 0 ? errno : EIO;
}

/* Has all been written, and may it be read? 0, or the errno that says why
 * not. */
static int finish(struct keep *k)
{
    errno = 0;
    bool good = fflush(k->file) == 0 &&
                (k->temporary == NULL || set_mode(k->file) == 0);
    int why = errno;
    keep_check(k);
    return k->error != 0 ? k->error : good ? 0 : why;
}

int keep_close(struct keep *k, struct err *e)
{
    int why = finish(k);
    if (fclose(k->file) != 0 && why == 0)
        why = errno;
    if (why == 0 && k->temporary != NULL && rename(k->temporary, k->path) < 0)
        why = errno;
    if (why != 0) {
        errno = why;
        err_sys(e, "%s", k->path);
        if (k->temporary != NULL)
            unlink(k->temporary);
    }
    forget(k);
    return why != 0 ? -1 : 0;
}

void keep_discard(struct keep *k)
{
    if (k->file == NULL)
        return;
    fclose(k->file);
    if (k->temporary != NULL)
        unlink(k->temporary);
    forget(k);
}
